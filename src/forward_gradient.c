#include <math.h>

#include "forward.h"
#include "kernels/kernels.h"

typedef struct pass { // one step: values and gradients of the step (y, gy) and of what it reads (a, b, ga, gb)
  size_t count, width;
  const double *a, *b, *y, *gy;
  double *ga, *gb;
} pass;

static void through_function(const nl_step *step, const pass *p) {
  nl_function_gradient(step->function, step->p, step->q, p->count, p->a, p->y, p->gy, p->ga);
}

static void through_scale(const nl_layer *layer, const pass *p) {
  for (size_t i = 0; i < p->count; i++) p->ga[i] += p->gy[i] * layer->scale[i % p->width];
}

static void through_prelu(const nl_layer *layer, const pass *p) {
  for (size_t i = 0; i < p->count; i++) p->ga[i] += p->gy[i] * (p->a[i] < 0 ? layer->scale[i % p->width] : 1.0);
}

static void through_pair(nl_step_kind kind, const pass *p) {
  for (size_t i = 0; i < p->count; i++) {
    const double g = p->gy[i], a = p->a[i], b = p->b[i];
    const double first = kind == NL_STEP_MINIMUM ? (a < b ? 1.0 : 0.0) : (a > b ? 1.0 : 0.0);
    switch (kind) {
    case NL_STEP_ADD:
      p->ga[i] += g;
      p->gb[i] += g;
      break;
    case NL_STEP_SUBTRACT:
      p->ga[i] += g;
      p->gb[i] -= g;
      break;
    case NL_STEP_MULTIPLY:
      p->ga[i] += g * b;
      p->gb[i] += g * a;
      break;
    case NL_STEP_DIVIDE:
      p->ga[i] += g / b;
      p->gb[i] -= g * a / (b * b);
      break;
    default:
      p->ga[i] += g * first;
      p->gb[i] += g * (1.0 - first);
      break;
    }
  }
}

// softmax: y_i (g_i - Σ g y);  log softmax: g_i - e^{y_i} Σ g
static void through_softmax(bool logarithm, const pass *p) {
  for (size_t r = 0; r < p->count; r += p->width) {
    double sum = 0;
    for (size_t i = r; i < r + p->width; i++) sum += logarithm ? p->gy[i] : p->gy[i] * p->y[i];
    for (size_t i = r; i < r + p->width; i++)
      p->ga[i] += logarithm ? p->gy[i] - exp(p->y[i]) * sum : p->y[i] * (p->gy[i] - sum);
  }
}

static void through_step(const nl_step *step, const nl_layer *layer, const pass *p, size_t rows, double *work) {
  switch (step->kind) {
  case NL_STEP_INPUT:
  case NL_STEP_OPAQUE:
    break;
  case NL_STEP_DENSE: // ga (rows, in) += gy (rows, out) W (out, in)
    nl_matmul_f64(rows, layer->in_width, layer->width, p->gy, layer->width, 1, layer->weights, layer->in_width, 1,
                  p->ga, layer->in_width, work);
    break;
  case NL_STEP_FUNCTION:
    through_function(step, p);
    break;
  case NL_STEP_SCALE:
    through_scale(layer, p);
    break;
  case NL_STEP_PRELU:
    through_prelu(layer, p);
    break;
  case NL_STEP_SOFTMAX:
    through_softmax(false, p);
    break;
  case NL_STEP_LOG_SOFTMAX:
    through_softmax(true, p);
    break;
  default:
    through_pair(step->kind, p);
    break;
  }
}

// The steps from `from` on, last to first.
static void go_back(const nl_network *network, const nl_parameters *parameters, const nl_scratch *scratch,
                    nl_scratch *gradients, size_t from, size_t rows) {
  for (size_t s = network->step_count; s-- > from;) {
    const nl_step *step = &network->steps[s];
    if (!step->evaluable || step->input_count == 0) continue;
    const size_t first = step->inputs[0], second = step->inputs[step->input_count - 1];
    if (gradients->values[first] == NULL) continue;
    const nl_layer *layer = &parameters->layers[s];
    const pass p = {rows * layer->width, layer->width,         scratch->values[first],   scratch->values[second],
                    scratch->values[s],  gradients->values[s], gradients->values[first], gradients->values[second]};
    through_step(step, layer, &p, rows, gradients->work);
  }
}

void nl_forward_gradient(const nl_network *network, const nl_parameters *parameters, const nl_scratch *scratch,
                         nl_scratch *gradients, size_t rows) {
  go_back(network, parameters, scratch, gradients, 0, rows);
}

void nl_forward_gradient_to(const nl_network *network, const nl_parameters *parameters, const nl_scratch *scratch,
                            nl_scratch *gradients, size_t to, size_t rows) {
  go_back(network, parameters, scratch, gradients, to + 1, rows);
}

void nl_forward_weight_gradient(const nl_network *network, const nl_parameters *parameters, const nl_scratch *scratch,
                                const nl_scratch *gradients, size_t step, size_t rows, double *weights, double *bias) {
  const nl_layer *layer = &parameters->layers[step];
  const size_t out = layer->width, in = layer->in_width;
  const double *a = scratch->values[network->steps[step].inputs[0]], *g = gradients->values[step];
  if (weights != NULL) nl_matmul_f64(out, in, rows, g, 1, out, a, in, 1, weights, in, gradients->work);
  for (size_t r = 0; bias != NULL && r < rows; r++) nl_axpy_f64(out, 1.0, g + r * out, bias);
}
