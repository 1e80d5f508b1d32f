// A lumping's P and p from the activations themselves, where their moments are not kept (they are n² numbers a site).
#include <stdlib.h>

#include "gram.h"
#include "lumping.h"
#include "project.h"

enum { BLOCK_ROWS = 256 };

struct nl_lumping_fit {
  nl_moments moments;
  double *prolongation, *offset; // (n, k), (n)
  double *mean;                  // (n)
  double *memory;
};

void nl_lumping_fit_free(nl_lumping_fit *fit) {
  if (fit == NULL) return;
  nl_moments_free(&fit->moments);
  free(fit->memory);
  free(fit);
}

nl_status nl_lumping_fit_create(nl_lumping_fit **out, size_t n, nl_error *error) {
  nl_lumping_fit *fit = calloc(1, sizeof *fit);
  if (fit == NULL) return nl_no_memory(error, 1, sizeof *fit);
  const nl_status status = nl_moments_create(&fit->moments, n, BLOCK_ROWS, error);
  if (status != NL_OK)
    nl_lumping_fit_free(fit);
  else
    *out = fit;
  return status;
}

void nl_lumping_fit_add(nl_lumping_fit *fit, size_t rows, const double *a, double *work) {
  const size_t n = fit->moments.n;
  for (size_t row = 0; row < rows; row += BLOCK_ROWS)
    nl_moments_add(&fit->moments, rows - row < BLOCK_ROWS ? rows - row : BLOCK_ROWS, a + row * n, work);
}

nl_status nl_lumping_fit_finish(nl_lumping_fit *fit, bool affine, nl_lumping *lumping, nl_error *error) {
  const size_t n = lumping->n, k = lumping->k, count = n * k + 2 * n;
  fit->memory = malloc((count + 1) * sizeof(double));
  if (fit->memory == NULL) return nl_no_memory(error, count + 1, sizeof(double));
  fit->prolongation = fit->memory;
  fit->offset = fit->prolongation + n * k;
  fit->mean = fit->offset + n;
  double *second = fit->moments.gram; // in its own place: below the diagonal nothing is read before it is written
  nl_moments_finish(&fit->moments, affine, fit->mean, second);
  NL_TRY(nl_project(n, second, fit->mean, affine, k, lumping->kept, fit->prolongation, fit->offset, error));
  lumping->prolongation = fit->prolongation;
  lumping->offset = fit->offset;
  nl_moments_free(&fit->moments);
  return NL_OK;
}
