#include "sensitivity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "linear_blocks.h"

enum { PROBES_MOST = 16, WIDTH_MOST = 1024, APPLIED = 256 };
// Share of M's mean diagonal that every pre-activation counts at least: the linearisation does not see far.
static const double ridge_share = 1e-3;

struct nl_sensitivity {
  nl_arena arena;
  const nl_network *network;
  const nl_sites *sites;
  const nl_parameters *parameters;
  nl_scratch gradients;
  size_t *widths;   // (sites) all consumers of the site together
  double **moments; // (sites) (m, m) upper triangle, or NULL
  double **part;    // (sites) the same of a part of the rows
  double *block;    // (NL_FORWARD_ROWS, widest)
  uint64_t seed, state;
  size_t rows;
};

static nl_status take_moments(nl_sensitivity *s, nl_error *error) {
  size_t widest = 0;
  NL_TAKE(&s->arena, s->widths, size_t, s->sites->count + 1, error);
  NL_TAKE(&s->arena, s->moments, double *, s->sites->count + 1, error);
  NL_TAKE(&s->arena, s->part, double *, s->sites->count + 1, error);
  for (size_t i = 0; i < s->sites->count; i++) {
    const nl_site *site = &s->sites->sites[i];
    for (size_t c = 0; c < site->consumer_count; c++) s->widths[i] += s->parameters->layers[site->consumers[c]].width;
    if (s->widths[i] > WIDTH_MOST) continue;
    if (s->widths[i] > widest) widest = s->widths[i];
    NL_TAKE(&s->arena, s->moments[i], double, s->widths[i] * s->widths[i], error);
    NL_TAKE(&s->arena, s->part[i], double, s->widths[i] * s->widths[i], error);
  }
  NL_TAKE(&s->arena, s->block, double, NL_FORWARD_ROWS *widest + 1, error);
  return nl_scratch_create(&s->gradients, s->network, s->parameters, NL_FORWARD_ROWS, error);
}

nl_status nl_sensitivity_create(nl_sensitivity **out, const nl_network *network, const nl_sites *sites,
                                const nl_parameters *parameters, uint64_t seed, nl_error *error) {
  nl_sensitivity *s = calloc(1, sizeof *s);
  if (s == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *s, 0);
  s->network = network;
  s->sites = sites;
  s->parameters = parameters;
  s->seed = seed;
  const nl_status status = take_moments(s, error);
  if (status != NL_OK)
    nl_sensitivity_free(s);
  else
    *out = s;
  return status;
}

void nl_sensitivity_free(nl_sensitivity *s) {
  if (s == NULL) return;
  nl_scratch_free(&s->gradients);
  nl_arena_free(&s->arena);
  free(s);
}

size_t nl_sensitivity_rows(const nl_sensitivity *s) { return s->rows; }
void nl_sensitivity_set_rows(nl_sensitivity *s, size_t rows) { s->rows = rows; }
size_t nl_sensitivity_width(const nl_sensitivity *s, size_t site) { return s->widths[site]; }
double *nl_sensitivity_part(const nl_sensitivity *s, size_t site) { return s->part[site]; }
double *nl_sensitivity_whole(const nl_sensitivity *s, size_t site) { return s->moments[site]; }

static double random_sign(nl_sensitivity *s) { // xorshift64 (Marsaglia 2003)
  s->state ^= s->state << 13;
  s->state ^= s->state >> 7;
  s->state ^= s->state << 17;
  return s->state >> 63 != 0 ? 1.0 : -1.0;
}

static void seed_outputs(nl_sensitivity *s, size_t rows, size_t probe) {
  const nl_network *network = s->network;
  for (size_t i = 0; i < network->step_count; i++)
    memset(s->gradients.values[i], 0, rows * s->parameters->layers[i].width * sizeof(double));
  size_t column = 0;
  for (size_t o = 0; o < network->output_count; o++) {
    const size_t step = network->outputs[o], width = network->steps[step].width;
    for (size_t c = 0; c < width; c++, column++)
      for (size_t r = 0; r < rows; r++) {
        const double seed = network->results > PROBES_MOST ? random_sign(s) : column == probe ? 1.0 : 0.0;
        s->gradients.values[step][r * width + c] = seed;
      }
  }
}

static void add_site(nl_sensitivity *s, size_t index, size_t rows) {
  const nl_site *site = &s->sites->sites[index];
  const size_t m = s->widths[index];
  size_t column = 0;
  for (size_t c = 0; c < site->consumer_count; c++) {
    const size_t width = s->parameters->layers[site->consumers[c]].width;
    const double *g = s->gradients.values[site->consumers[c]];
    for (size_t r = 0; r < rows; r++) memcpy(s->block + r * m + column, g + r * width, width * sizeof *g);
    column += width;
  }
  nl_gram_f64(rows, m, s->block, m, s->part[index], m, s->gradients.work);
}

static size_t probes_of(const nl_sensitivity *s) {
  return s->network->results < PROBES_MOST ? s->network->results : PROBES_MOST;
}

void nl_sensitivity_gather(nl_sensitivity *s, const nl_scratch *scratch, size_t first, size_t rows) {
  s->state = (s->seed + first) * 0x9e3779b97f4a7c15u | 1; // a block's signs are its own, whoever gathers it
  for (size_t i = 0; i < s->sites->count; i++)
    if (s->part[i] != NULL) memset(s->part[i], 0, s->widths[i] * s->widths[i] * sizeof **s->part);
  for (size_t probe = 0; probe < probes_of(s); probe++) {
    seed_outputs(s, rows, probe);
    nl_forward_gradient(s->network, s->parameters, scratch, &s->gradients, rows);
    for (size_t i = 0; i < s->sites->count; i++)
      if (s->part[i] != NULL) add_site(s, i, rows);
  }
}

void nl_sensitivity_merge(nl_sensitivity *s, size_t rows) {
  for (size_t i = 0; i < s->sites->count; i++)
    if (s->part[i] != NULL) nl_axpy_f64(s->widths[i] * s->widths[i], 1.0, s->part[i], s->moments[i]);
  s->rows += rows;
}

double nl_sensitivity_work(const nl_sensitivity *s, size_t rows) {
  double work = (double)s->network->parameters;
  for (size_t i = 0; i < s->sites->count; i++)
    if (s->part[i] != NULL) work += 0.5 * (double)s->widths[i] * (double)s->widths[i];
  return work * (double)probes_of(s) * (double)rows;
}

// The factor of M / rows (a mean over rows, a sum over outputs) with its ridge into l (m, m); false where it says nothing.
static bool factor(const nl_sensitivity *s, size_t index, double *l, double *work) {
  const size_t m = s->widths[index], probes = s->network->results > PROBES_MOST ? PROBES_MOST : 1;
  const double *moments = s->moments[index];
  double trace = 0;
  for (size_t i = 0; i < m; i++) trace += moments[i * m + i];
  if (m == 0 || !(trace > 0) || !isfinite(trace)) return false;
  const double by = 1.0 / ((double)s->rows * (double)probes);
  for (size_t i = 0; i < m; i++)
    for (size_t j = i; j < m; j++) l[j * m + i] = l[i * m + j] = by * moments[i * m + j];
  if (!nl_cholesky_blocks(m, l, ridge_share * by * trace / (double)m, work)) return false;
  for (size_t i = 0; i < m; i++) memset(l + i * m + i + 1, 0, (m - i - 1) * sizeof *l);
  return true;
}

nl_status nl_sensitivity_apply(const nl_sensitivity *s, size_t index, size_t n, size_t m, double *weights, bool *done,
                               nl_error *error) {
  *done = false;
  if (s->moments[index] == NULL || s->rows == 0) return NL_OK;
  const size_t room = nl_matmul_f64_work() + nl_cholesky_blocks_work(m), count = room + m * m + APPLIED * m;
  double *work = malloc(count * sizeof *work);
  if (work == NULL) return nl_no_memory(error, count, sizeof *work);
  double *l = work + room, *rows = l + m * m;
  *done = factor(s, index, l, work);
  for (size_t j = 0; *done && j < n; j += APPLIED) { // W L, by columns that begin further down L's triangle each
    const size_t many = n - j < APPLIED ? n - j : APPLIED;
    memcpy(rows, weights + j * m, many * m * sizeof *rows);
    memset(weights + j * m, 0, many * m * sizeof *rows);
    for (size_t c = 0; c < m; c += APPLIED)
      nl_matmul_f64(many, m - c < APPLIED ? m - c : APPLIED, m - c, rows + c, m, 1, l + c * (m + 1), m, 1,
                    weights + j * m + c, m, work);
  }
  free(work);
  return NL_OK;
}
