// ode_write: the encodings as text.
#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "ode_monomials.h"

enum { DIGITS_MOST = 17, NUMBER_SIZE = 400 };

// ---- numbers --------------------------------------------------------------------------------------------------------------

// digits and power of "1.25e-7": 125, -9; gives the number of digits
static size_t read_digits(const char *text, char *digits, int *power) {
  size_t count = 0;
  int behind = 0;
  bool point = false;
  for (; *text != '\0' && *text != 'e' && *text != 'E'; text++) {
    if (*text == '.') point = true;
    if (*text < '0' || *text > '9') continue;
    if (point) behind++;
    if ((count > 0 || *text != '0') && count < DIGITS_MOST + 8) digits[count++] = *text;
  }
  *power = (*text != '\0' ? atoi(text + 1) : 0) - behind;
  while (count > 0 && digits[count - 1] == '0') {
    count--;
    ++*power;
  }
  return count;
}

static size_t lay_out(const char *digits, size_t count, int power, char *dst) {
  const int point = (int)count + power; // digits before the point
  size_t size = 0;
  if (count == 0 || point <= 0) dst[size++] = '0';
  for (int i = 0; i < point; i++) dst[size++] = i < (int)count ? digits[i] : '0';
  if (power < 0 && count > 0) dst[size++] = '.';
  for (int i = point; i < 0; i++) dst[size++] = '0';
  for (int i = point > 0 ? point : 0; i < (int)count; i++) dst[size++] = digits[i];
  dst[size] = '\0';
  return size;
}

// 17 digits to 16, rounded; the last may carry
static void drop_digit(char *digits, size_t *count, int *power) {
  const bool up = digits[--*count] >= '5';
  ++*power;
  if (!up) return;
  size_t i = *count;
  while (i > 0 && digits[i - 1] == '9') digits[--i] = '0';
  if (i > 0) digits[i - 1]++;
}

// The shortest of 15, 16 and 17 digits that reads back equal, `value` not negative.
static nl_status write_number(nl_buffer *out, double value, nl_error *error) {
  char text[64], digits[DIGITS_MOST + 8], number[NUMBER_SIZE];
  int power;
  if (!(value < 1e300)) return nl_fail(error, NL_ERROR_NOT_FINITE, "encoding", NULL);
  if (value > 0 && value < 1e-300) value = 0;
  cJSON *item = cJSON_CreateNumber(value);
  const bool fine = item != NULL && cJSON_PrintPreallocated(item, text, sizeof text, 0);
  cJSON_Delete(item);
  if (!fine) return nl_no_memory(error, 1, sizeof *item);
  size_t count = read_digits(text, digits, &power);
  if (count == DIGITS_MOST && digits[0] != '9') {
    char shorter[DIGITS_MOST + 8];
    size_t fewer = count;
    int raised = power;
    memcpy(shorter, digits, sizeof shorter);
    drop_digit(shorter, &fewer, &raised);
    lay_out(shorter, fewer, raised, number);
    if (strtod(number, NULL) == value) return nl_buffer_append(out, number, strlen(number), error);
  }
  return nl_buffer_append(out, number, lay_out(digits, count, power, number), error);
}

// 0.1f is meant as 0.1
static double as_written(double value) {
  char text[NL_DECIMAL_SIZE];
  if (!(fabs(value) < 3.4e38) || (double)(float)value != value) return value;
  nl_decimal_f32((float)value, text);
  return strtod(text, NULL);
}

// ---- pieces ---------------------------------------------------------------------------------------------------------------

typedef struct writer {
  nl_buffer *out;
  const nl_chain *chain;
  double **weights, **bias; // (layers) as written
  bool first;               // no term on this line yet
  nl_error *error;
} writer;

static nl_status say(writer *w, const char *text) { return nl_buffer_append(w->out, text, strlen(text), w->error); }

static nl_status say_count(writer *w, size_t count) {
  char text[24];
  size_t at = sizeof text;
  text[--at] = '\0';
  do text[--at] = (char)('0' + count % 10);
  while ((count /= 10) != 0);
  return say(w, text + at);
}

// Layer 0 is the input; chain->count the output.
static nl_status say_variable(writer *w, size_t layer, size_t unit) {
  if (layer > 0 && layer < w->chain->count) {
    NL_TRY(say(w, "h"));
    NL_TRY(say_count(w, layer));
    NL_TRY(say(w, "_"));
  } else
    NL_TRY(say(w, layer == 0 ? "x" : "y"));
  return say_count(w, unit + 1);
}

static size_t width_of(const nl_chain *chain, size_t layer) {
  return layer == 0 ? chain->features : chain->layers[layer - 1].width;
}

static nl_status say_coefficient(writer *w, double value) {
  NL_TRY(say(w, w->first ? (value < 0 ? "-" : "") : (value < 0 ? " - " : " + ")));
  w->first = false;
  return write_number(w->out, fabs(value), w->error);
}

static nl_status say_term(writer *w, double value, size_t layer, size_t unit) {
  if (value == 0) return NL_OK;
  NL_TRY(say_coefficient(w, value));
  NL_TRY(say(w, "*"));
  return say_variable(w, layer, unit);
}

static nl_status begin_drift(writer *w, size_t layer, size_t unit) {
  NL_TRY(say(w, "  d("));
  NL_TRY(say_variable(w, layer, unit));
  w->first = true;
  return say(w, ") = ");
}

static nl_status end_drift(writer *w) { return say(w, w->first ? "0\n" : "\n"); }

// ---- drifts ---------------------------------------------------------------------------------------------------------------

// Σ_j w_kj a_j + b_k
static nl_status say_affine(writer *w, size_t layer, size_t unit) {
  const size_t in = w->chain->layers[layer - 1].in_width;
  for (size_t j = 0; j < in; j++) NL_TRY(say_term(w, w->weights[layer - 1][unit * in + j], layer - 1, j));
  return w->bias[layer - 1][unit] != 0 ? say_coefficient(w, w->bias[layer - 1][unit]) : NL_OK;
}

// Σ_k w_kj a_k over the next layer
static nl_status say_readers(writer *w, size_t layer, size_t unit) {
  if (layer == w->chain->count) return NL_OK;
  const nl_chain_layer *next = &w->chain->layers[layer];
  for (size_t k = 0; k < next->width; k++)
    NL_TRY(say_term(w, w->weights[layer][k * next->in_width + unit], layer + 1, k));
  return NL_OK;
}

// One degree of p(Σ_j w_kj a_j + b_k), g its coefficient around the bias
static nl_status say_degree(writer *w, size_t layer, size_t unit, size_t degree, double g) {
  const size_t in = w->chain->layers[layer - 1].in_width;
  const double *weights = w->weights[layer - 1] + unit * in;
  nl_monomials m = {.n = in, .skip = {NL_NONE, NL_NONE}, .size = degree - 1};
  if (g == 0 || !nl_monomials_start(&m)) return NL_OK;
  do {
    size_t run;
    const double ways = nl_monomials_ways(&m, &run);
    double product = g;
    for (size_t l = 0; l < m.size; l++) product *= weights[m.index[l]];
    for (size_t j = m.size > 0 ? m.index[m.size - 1] : 0; j < in && product != 0; j++) {
      const bool again = m.size > 0 && j == m.index[m.size - 1];
      const double value = product * weights[j] * ways / (double)(again ? run + 1 : 1);
      if (value == 0) continue;
      NL_TRY(say_coefficient(w, value));
      for (size_t l = 0; l <= m.size; l++) {
        NL_TRY(say(w, "*"));
        NL_TRY(say_variable(w, layer - 1, l < m.size ? m.index[l] : j));
      }
    }
  } while (nl_monomials_next(&m));
  return NL_OK;
}

static nl_status say_polynomial(writer *w, size_t layer, size_t unit, const nl_polynomial *p) {
  double g[NL_CHAIN_DEGREE + 1];
  nl_polynomial_around(p, w->bias[layer - 1][unit], g);
  NL_TRY(say_term(w, -1.0, layer, unit));
  if (g[0] != 0) NL_TRY(say_coefficient(w, g[0]));
  for (size_t d = 1; d <= p->degree; d++) NL_TRY(say_degree(w, layer, unit, d, g[d]));
  return NL_OK;
}

static nl_status say_drifts(writer *w, nl_encoding encoding, const nl_polynomial *polynomials) {
  for (size_t layer = 0; layer <= w->chain->count; layer++)
    for (size_t unit = 0; unit < width_of(w->chain, layer); unit++) {
      NL_TRY(begin_drift(w, layer, unit));
      if (encoding == NL_ENCODING_ADJOINT)
        NL_TRY(say_readers(w, layer, unit));
      else if (layer > 0 && encoding == NL_ENCODING_LINEAR)
        NL_TRY(say_affine(w, layer, unit));
      else if (layer > 0)
        NL_TRY(say_polynomial(w, layer, unit, &polynomials[layer - 1]));
      NL_TRY(end_drift(w));
    }
  if (encoding != NL_ENCODING_ADJOINT) return NL_OK;
  NL_TRY(say(w, "  d(u) = "));
  w->first = true;
  for (size_t layer = 1; layer <= w->chain->count; layer++)
    for (size_t unit = 0; unit < width_of(w->chain, layer); unit++)
      NL_TRY(say_term(w, w->bias[layer - 1][unit], layer, unit));
  return end_drift(w);
}

// ---- the file -------------------------------------------------------------------------------------------------------------

static nl_status say_initials(writer *w, bool adjoint) {
  for (size_t layer = 0; layer <= w->chain->count; layer++)
    for (size_t unit = 0; unit < width_of(w->chain, layer); unit++) {
      NL_TRY(say(w, "  "));
      NL_TRY(say_variable(w, layer, unit));
      NL_TRY(say(w, " = 0\n"));
    }
  return adjoint ? say(w, "  u = 0\n") : NL_OK;
}

static nl_status say_partition(writer *w, bool adjoint) {
  const size_t count = w->chain->count;
  for (size_t layer = 0; layer <= count; layer++) {
    const size_t width = width_of(w->chain, layer);
    const bool alone = layer == 0 || layer == count;
    for (size_t unit = 0; unit < width; unit++) {
      NL_TRY(say(w, alone || unit == 0 ? "  {" : ","));
      NL_TRY(say_variable(w, layer, unit));
      const bool last = layer == count && unit + 1 == width && !adjoint;
      if (alone || unit + 1 == width) NL_TRY(say(w, last ? "}\n" : "},\n"));
    }
  }
  return adjoint ? say(w, "  {u}\n") : NL_OK;
}

static nl_status say_command(writer *w, nl_equivalence equivalence, double epsilon) {
  NL_TRY(say(w, equivalence == NL_EQUIVALENCE_FORWARD ? "reduceEpsNFB" : "reduceEpsNBB"));
  NL_TRY(say(w, "({epsilon=>"));
  NL_TRY(write_number(w->out, epsilon, w->error));
  return say(w, ",prePartition=>USER,fileWhereToStorePartition=>p.txt})\n");
}

static nl_status say_file(writer *w, nl_encoding encoding, nl_equivalence equivalence, double epsilon,
                          const nl_polynomial *polynomials) {
  const bool adjoint = encoding == NL_ENCODING_ADJOINT;
  NL_TRY(say(w, "begin model netlump\n begin init\n"));
  NL_TRY(say_initials(w, adjoint));
  NL_TRY(say(w, " end init\n begin partition\n"));
  NL_TRY(say_partition(w, adjoint));
  NL_TRY(say(w, " end partition\n begin ODE\n"));
  NL_TRY(say_drifts(w, encoding, polynomials));
  NL_TRY(say(w, " end ODE\nend model\n"));
  return say_command(w, equivalence, epsilon);
}

static nl_status take_weights(writer *w, nl_arena *arena) {
  const nl_chain *chain = w->chain;
  NL_TAKE(arena, w->weights, double *, chain->count, w->error);
  NL_TAKE(arena, w->bias, double *, chain->count, w->error);
  for (size_t l = 0; l < chain->count; l++) {
    const nl_chain_layer *layer = &chain->layers[l];
    const size_t count = layer->width * layer->in_width;
    NL_TAKE(arena, w->weights[l], double, count + 1, w->error);
    NL_TAKE(arena, w->bias[l], double, layer->width + 1, w->error);
    for (size_t i = 0; i < count; i++) w->weights[l][i] = as_written(layer->weights[i]);
    for (size_t i = 0; i < layer->width; i++) w->bias[l][i] = as_written(layer->bias[i]);
  }
  return NL_OK;
}

static nl_status check_terms(const nl_chain *chain, const nl_polynomial *polynomials, nl_error *error) {
  double terms = 0;
  for (size_t l = 0; l < chain->count; l++) {
    const nl_chain_layer *layer = &chain->layers[l];
    const size_t degree = polynomials != NULL ? polynomials[l].degree : 1;
    terms += (double)layer->width * nl_binomial(layer->in_width + degree, degree);
  }
  if (terms <= NL_ODE_TERMS_MOST) return NL_OK;
  return nl_fail_count(error, NL_ERROR_LIMIT, "monomials of the encoding", (uint64_t)NL_ODE_TERMS_MOST,
                       terms < 1e18 ? (uint64_t)terms : (uint64_t)1000000000000000000);
}

nl_status nl_ode_write(nl_buffer *out, const nl_chain *chain, nl_encoding encoding, nl_equivalence equivalence,
                       double epsilon, const nl_polynomial *polynomials, nl_error *error) {
  writer w = {.out = out, .chain = chain, .error = error};
  nl_arena arena = {0};
  if (!(epsilon >= 0)) return nl_fail(error, NL_ERROR_ARGUMENT, "epsilon", "it must be a number from 0 on");
  NL_TRY(check_terms(chain, encoding == NL_ENCODING_POLYNOMIAL ? polynomials : NULL, error));
  nl_status status = take_weights(&w, &arena);
  if (status == NL_OK) status = say_file(&w, encoding, equivalence, epsilon, polynomials);
  nl_arena_free(&arena);
  return status;
}
