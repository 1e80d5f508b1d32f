#include "forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

enum { WEIGHTS_AT_ONCE = 1 << 17 };

// ---- parameters ---------------------------------------------------------------------------------------------------------

static nl_status read_finite(const nl_network *network, nl_place place, double *dst, nl_error *error) {
  const nl_tensor *tensor = nl_node_constant(network->graph, &network->graph->nodes[place.node], place.slot);
  NL_TRY(nl_tensor_read(tensor, dst, error));
  for (size_t i = 0; i < tensor->count; i++)
    if (!isfinite(dst[i])) return nl_fail_span(error, NL_ERROR_NOT_FINITE, tensor->name, NULL);
  return NL_OK;
}

// The constant at `place` over all `width` channels: one number repeated, one a channel, or broadcast over a row's axes.
static nl_status read_channels(const nl_network *network, const nl_step *step, nl_place place, size_t width,
                               double *dst, nl_error *error) {
  const nl_tensor *tensor = nl_node_constant(network->graph, &network->graph->nodes[place.node], place.slot);
  if (tensor->count == width) return read_finite(network, place, dst, error);
  double *values = malloc(tensor->count * sizeof *values + sizeof *values);
  if (values == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, tensor->count * sizeof *values, 0);
  const nl_status status = read_finite(network, place, values, error);
  for (size_t c = 0; status == NL_OK && c < width; c++) {
    size_t at = 0, rest = c, stride = 1;
    for (size_t back = 1; back <= tensor->rank; back++) {
      const size_t own = (size_t)tensor->dims[tensor->rank - back];
      const size_t size = back <= step->spread_rank ? (size_t)step->spread_dims[step->spread_rank - back] : 1;
      if (own > 1) at += rest % size * stride;
      rest /= size;
      stride *= own;
    }
    dst[c] = values[at];
  }
  free(values);
  return status;
}

static nl_status load_bias(nl_layer *layer, const nl_network *network, const nl_step *step, nl_arena *arena,
                           nl_error *error) {
  layer->in_width = step->in_width;
  if (step->bias.node == NL_NONE) return NL_OK;
  NL_TAKE(arena, layer->bias, double, step->width, error);
  NL_TRY(read_channels(network, step, step->bias, step->width, layer->bias, error));
  for (size_t o = 0; o < step->width; o++) layer->bias[o] *= step->beta;
  return NL_OK;
}

// W (out, in)
static nl_status gather_weights(const nl_network *network, const nl_step *step, double *weights, nl_error *error) {
  const size_t out = step->width, in = step->in_width;
  double *raw = malloc((out * in + 1) * sizeof *raw);
  if (raw == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, out * in * sizeof *raw, 0);
  const nl_status status = read_finite(network, step->weights, raw, error);
  for (size_t o = 0; status == NL_OK && o < out; o++)
    for (size_t i = 0; i < in; i++) weights[o * in + i] = step->alpha * raw[o * step->out_stride + i * step->in_stride];
  free(raw);
  return status;
}

static nl_status load_dense(nl_layer *layer, const nl_network *network, const nl_step *step, nl_arena *arena,
                            nl_error *error) {
  const size_t out = step->width, in = step->in_width;
  NL_TAKE(arena, layer->weights, double, out *in + 1, error);
  NL_TRY(gather_weights(network, step, layer->weights, error));
  return load_bias(layer, network, step, arena, error);
}

static nl_status load_batchnorm(nl_layer *layer, const nl_network *network, const nl_step *step, nl_arena *arena,
                                nl_error *error) {
  double *mean = NULL, *variance = NULL;
  NL_TAKE(arena, mean, double, step->width, error);
  NL_TAKE(arena, variance, double, step->width, error);
  NL_TRY(read_finite(network, step->constants[0], layer->scale, error));
  NL_TRY(read_finite(network, step->constants[1], layer->shift, error));
  NL_TRY(read_finite(network, step->constants[2], mean, error));
  NL_TRY(read_finite(network, step->constants[3], variance, error));
  for (size_t c = 0; c < step->width; c++) {
    layer->scale[c] /= sqrt(variance[c] + step->p);
    layer->shift[c] -= mean[c] * layer->scale[c];
  }
  return NL_OK;
}

static void load_scaler(nl_layer *layer, const nl_network *network, const nl_step *step) {
  const nl_node *node = &network->graph->nodes[step->node];
  const nl_attribute *offset = nl_node_attribute(node, "offset"), *scale = nl_node_attribute(node, "scale");
  for (size_t c = 0; c < step->width; c++) {
    layer->scale[c] = scale->floats[scale->count == 1 ? 0 : c];
    layer->shift[c] = -offset->floats[offset->count == 1 ? 0 : c] * layer->scale[c];
  }
}

static nl_status load_scale(nl_layer *layer, const nl_network *network, const nl_step *step, nl_arena *arena,
                            nl_error *error) {
  NL_TAKE(arena, layer->scale, double, step->width, error);
  NL_TAKE(arena, layer->shift, double, step->width, error);
  if (step->form == NL_SCALE_BATCHNORM) return load_batchnorm(layer, network, step, arena, error);
  if (step->form == NL_SCALE_SCALER) {
    load_scaler(layer, network, step);
    return NL_OK;
  }
  double *constant = layer->shift;
  NL_TRY(read_channels(network, step, step->constants[0], step->width, constant, error));
  for (size_t c = 0; c < step->width; c++) {
    const double value = constant[c];
    const bool factor = step->form == NL_SCALE_MULTIPLY || step->form == NL_SCALE_DIVIDE;
    layer->scale[c] = step->form == NL_SCALE_MULTIPLY ? value : step->form == NL_SCALE_DIVIDE ? 1.0 / value : 1.0;
    if (step->form == NL_SCALE_REVERSE) layer->scale[c] = -1.0;
    layer->shift[c] = factor ? 0.0 : step->form == NL_SCALE_SUBTRACT ? -value : value;
  }
  return NL_OK;
}

static nl_status load_step(nl_layer *layer, const nl_network *network, const nl_step *step, bool apart, nl_arena *arena,
                           nl_error *error) {
  layer->width = step->width;
  switch (step->kind) {
  case NL_STEP_DENSE:
    return apart ? load_bias(layer, network, step, arena, error) : load_dense(layer, network, step, arena, error);
  case NL_STEP_SCALE:
    return load_scale(layer, network, step, arena, error);
  case NL_STEP_PRELU:
    NL_TAKE(arena, layer->scale, double, step->width, error);
    return read_channels(network, step, step->constants[0], step->width, layer->scale, error);
  default:
    return NL_OK;
  }
}

static nl_status load_all(nl_parameters *out, const nl_network *network, bool apart, nl_error *error) {
  nl_parameters parameters = {.count = network->step_count, .apart = apart};
  parameters.layers = nl_arena_take(&parameters.arena, network->step_count + 1, sizeof(nl_layer));
  nl_status status = parameters.layers != NULL ? NL_OK : nl_no_memory(error, network->step_count + 1, sizeof(nl_layer));
  for (size_t s = 0; status == NL_OK && s < network->step_count; s++)
    if (network->steps[s].evaluable)
      status = load_step(&parameters.layers[s], network, &network->steps[s], apart, &parameters.arena, error);
  if (status != NL_OK)
    nl_parameters_free(&parameters);
  else
    *out = parameters;
  return status;
}

nl_status nl_parameters_load(nl_parameters *out, const nl_network *network, nl_error *error) {
  return load_all(out, network, false, error);
}

nl_status nl_parameters_load_apart(nl_parameters *out, const nl_network *network, nl_error *error) {
  return load_all(out, network, true, error);
}

// ---- weights that come and go -------------------------------------------------------------------------------------------

// W (out, in), some rows of its tensor at a time: those are its own, or (turned) its columns.
static nl_status read_weights(const nl_step *step, const nl_tensor *tensor, bool turned, float *weights,
                              nl_error *error) {
  const size_t out = step->width, in = step->in_width, row = turned ? out : in, rows = turned ? in : out;
  const size_t most = row < WEIGHTS_AT_ONCE ? WEIGHTS_AT_ONCE / row : 1;
  double *lines = malloc((most * row + 1) * sizeof *lines);
  nl_status status = lines != NULL ? NL_OK : nl_no_memory(error, most * row + 1, sizeof *lines);
  for (size_t r = 0, count; status == NL_OK && r < rows; r += count) {
    count = rows - r < most ? rows - r : most;
    status = nl_tensor_read_part(tensor, r * row, count * row, lines, error);
    for (size_t i = 0; status == NL_OK && i < count * row; i++)
      if (!isfinite(lines[i])) status = nl_fail_span(error, NL_ERROR_NOT_FINITE, tensor->name, NULL);
    for (size_t i = 0; status == NL_OK && i < count * row; i++)
      weights[turned ? i / count * in + r + i % count : r * in + i] =
          (float)(step->alpha * lines[turned ? i % count * row + i / count : i]);
  }
  free(lines);
  return status;
}

// The same at once, however its tensor lies.
static nl_status narrow_weights(const nl_network *network, const nl_step *step, float *weights, nl_error *error) {
  const size_t count = step->width * step->in_width;
  double *wide = calloc(count + 1, sizeof *wide);
  if (wide == NULL) return nl_no_memory(error, count + 1, sizeof *wide);
  const nl_status status = gather_weights(network, step, wide, error);
  for (size_t i = 0; status == NL_OK && i < count; i++) weights[i] = (float)wide[i];
  free(wide);
  return status;
}

nl_status nl_layer_hold(nl_parameters *parameters, const nl_network *network, size_t index, nl_error *error) {
  const nl_step *step = &network->steps[index];
  nl_layer *layer = &parameters->layers[index];
  if (!parameters->apart || layer->single != NULL || step->kind != NL_STEP_DENSE) return NL_OK;
  const nl_tensor *tensor =
      nl_node_constant(network->graph, &network->graph->nodes[step->weights.node], step->weights.slot);
  const bool straight = step->in_stride == 1 && step->out_stride == step->in_width;
  const bool turned = !straight && step->out_stride == 1 && step->in_stride == step->width;
  float *weights = malloc((step->width * step->in_width + 1) * sizeof *weights);
  if (weights == NULL) return nl_no_memory(error, step->width * step->in_width + 1, sizeof *weights);
  nl_status status = NL_OK;
  if ((straight || turned) && (tensor->storage == NL_STORAGE_AWAY || tensor->storage == NL_STORAGE_RAW))
    status = read_weights(step, tensor, turned, weights, error);
  else
    status = narrow_weights(network, step, weights, error);
  if (status == NL_OK)
    layer->single = weights;
  else
    free(weights);
  return status;
}

void nl_layer_drop(nl_parameters *parameters, size_t step) {
  if (!parameters->apart) return;
  free(parameters->layers[step].weights);
  free(parameters->layers[step].single);
  parameters->layers[step].weights = NULL;
  parameters->layers[step].single = NULL;
}

nl_status nl_layer_narrow(nl_parameters *parameters, size_t step, nl_error *error) {
  nl_layer *layer = &parameters->layers[step];
  if (!parameters->apart || layer->weights == NULL) return NL_OK;
  const size_t count = layer->width * layer->in_width;
  layer->single = malloc((count + 1) * sizeof *layer->single);
  if (layer->single == NULL) return nl_no_memory(error, count + 1, sizeof *layer->single);
  for (size_t i = 0; i < count; i++) layer->single[i] = (float)layer->weights[i];
  return NL_OK;
}

const double *nl_layer_rows(const nl_layer *layer, size_t first, size_t count, double *room) {
  const size_t in = layer->in_width;
  if (layer->weights != NULL) return layer->weights + first * in;
  for (size_t i = 0; i < count * in; i++) room[i] = (double)layer->single[first * in + i];
  return room;
}

void nl_parameters_free(nl_parameters *parameters) {
  for (size_t s = 0; parameters->layers != NULL && s < parameters->count; s++) nl_layer_drop(parameters, s);
  nl_arena_free(&parameters->arena);
  *parameters = (nl_parameters){0};
}

// ---- evaluation ---------------------------------------------------------------------------------------------------------

static void put_bias(const nl_layer *layer, size_t rows, double *y) {
  const size_t out = layer->width;
  for (size_t r = 0; r < rows; r++)
    for (size_t o = 0; o < out; o++) y[r * out + o] = layer->bias != NULL ? layer->bias[o] : 0.0;
}

// y (rows, out) = x (rows, in) Wᵀ + b
static void dense(const nl_layer *layer, size_t rows, const double *x, double *y, double *work) {
  const size_t out = layer->width, in = layer->in_width;
  put_bias(layer, rows, y);
  nl_matmul_f64(rows, out, in, x, in, 1, layer->weights, 1, in, y, out, work);
}

// The same in single precision
static void dense_single(const nl_layer *layer, size_t rows, const float *x, double *y, double *work) {
  const size_t out = layer->width, in = layer->in_width;
  put_bias(layer, rows, y);
  nl_matmul_f32(rows, out, in, x, in, 1, layer->single, 1, in, y, out, (void *)work);
}

static void scale(const nl_layer *layer, size_t rows, const double *x, double *y) {
  const size_t n = layer->width;
  for (size_t i = 0; i < rows * n; i++) y[i] = layer->scale[i % n] * x[i] + layer->shift[i % n];
}

static void prelu(const nl_layer *layer, size_t rows, const double *x, double *y) {
  const size_t n = layer->width;
  for (size_t i = 0; i < rows * n; i++) y[i] = x[i] < 0 ? layer->scale[i % n] * x[i] : x[i];
}

static void combine(nl_step_kind kind, size_t count, const double *a, const double *b, double *y) {
  for (size_t i = 0; i < count; i++) {
    switch (kind) {
    case NL_STEP_ADD:
      y[i] = a[i] + b[i];
      break;
    case NL_STEP_SUBTRACT:
      y[i] = a[i] - b[i];
      break;
    case NL_STEP_MULTIPLY:
      y[i] = a[i] * b[i];
      break;
    case NL_STEP_DIVIDE:
      y[i] = a[i] / b[i];
      break;
    case NL_STEP_MINIMUM:
      y[i] = a[i] < b[i] ? a[i] : b[i];
      break;
    default:
      y[i] = a[i] > b[i] ? a[i] : b[i];
      break;
    }
  }
}

static void softmax(size_t rows, size_t n, bool logarithm, const double *x, double *y) {
  for (size_t r = 0; r < rows; r++, x += n, y += n) {
    double largest = x[0], sum = 0;
    for (size_t i = 1; i < n; i++)
      if (x[i] > largest) largest = x[i];
    for (size_t i = 0; i < n; i++) sum += exp(x[i] - largest);
    for (size_t i = 0; i < n; i++) y[i] = logarithm ? x[i] - largest - log(sum) : exp(x[i] - largest) / sum;
  }
}

static void take_input(const nl_step *step, size_t rows, size_t features, const double *x, double *y) {
  for (size_t r = 0; r < rows; r++)
    memcpy(y + r * step->width, x + r * features + step->offset, step->width * sizeof *y);
}

void nl_forward_step(const nl_network *network, const nl_parameters *parameters, size_t index, size_t rows,
                     const double *x, double *const *values, double *work) {
  const nl_step *step = &network->steps[index];
  const nl_layer *layer = &parameters->layers[index];
  const double *a = step->input_count > 0 ? values[step->inputs[0]] : NULL;
  double *y = values[index];
  switch (step->kind) {
  case NL_STEP_INPUT:
    take_input(step, rows, network->features, x, y);
    break;
  case NL_STEP_DENSE:
    dense(layer, rows, a, y, work);
    break;
  case NL_STEP_FUNCTION:
    nl_function_apply(step->function, step->p, step->q, rows * layer->width, a, y);
    break;
  case NL_STEP_SCALE:
    scale(layer, rows, a, y);
    break;
  case NL_STEP_PRELU:
    prelu(layer, rows, a, y);
    break;
  case NL_STEP_SOFTMAX:
    softmax(rows, layer->width, false, a, y);
    break;
  case NL_STEP_LOG_SOFTMAX:
    softmax(rows, layer->width, true, a, y);
    break;
  case NL_STEP_OPAQUE:
    break;
  default:
    combine(step->kind, rows * layer->width, a, values[step->inputs[1]], y);
    break;
  }
}

size_t nl_forward_rows(const nl_network *network, const nl_parameters *parameters, size_t at, size_t first,
                       size_t count, const double *x, nl_rows *const *values, double **window, double *work) {
  const nl_step *step = &network->steps[at];
  const nl_layer *layer = &parameters->layers[at];
  window[at] = nl_rows_room(values[at], first);
  if (layer->single != NULL)
    dense_single(layer, count, nl_rows_single(values[step->inputs[0]], first), window[at], work);
  else {
    for (size_t i = 0; i < step->input_count; i++)
      window[step->inputs[i]] = nl_rows_read(values[step->inputs[i]], first, count);
    nl_forward_step(network, parameters, at, count, x, window, work);
  }
  nl_rows_keep(values[at], first, count);
  return count * layer->width * (step->kind == NL_STEP_DENSE ? layer->in_width : 8);
}

nl_status nl_scratch_create(nl_scratch *out, const nl_network *network, const nl_parameters *parameters, size_t rows,
                            nl_error *error) {
  nl_scratch scratch = {.rows = rows};
  size_t width = 0;
  for (size_t s = 0; s < network->step_count; s++) width += parameters->layers[s].width;
  if (width > SIZE_MAX / sizeof(double) / (rows + 1) / 2) return nl_no_memory(error, width, SIZE_MAX);
  scratch.values = calloc(network->step_count + 1, sizeof *scratch.values);
  scratch.work = aligned_alloc(16, nl_matmul_f64_work() * sizeof(double));
  scratch.block = malloc((rows * width + 1) * sizeof(double));
  if (scratch.values == NULL || scratch.work == NULL || scratch.block == NULL) {
    nl_scratch_free(&scratch);
    return nl_fail_count(error, NL_ERROR_MEMORY, NULL, rows * width * sizeof(double), 0);
  }
  double *next = scratch.block;
  for (size_t s = 0; s < network->step_count; s++) {
    scratch.values[s] = next;
    next += rows * parameters->layers[s].width;
  }
  *out = scratch;
  return NL_OK;
}

void nl_scratch_free(nl_scratch *scratch) {
  free(scratch->values);
  free(scratch->work);
  free(scratch->block);
  *scratch = (nl_scratch){0};
}

void nl_forward_from(const nl_network *network, const nl_parameters *parameters, nl_scratch *scratch, size_t first,
                     size_t rows, const double *x) {
  for (size_t s = first; s < network->step_count; s++)
    if (network->steps[s].evaluable) nl_forward_step(network, parameters, s, rows, x, scratch->values, scratch->work);
}

void nl_forward_all(const nl_network *network, const nl_parameters *parameters, nl_scratch *scratch, size_t rows,
                    const double *x) {
  nl_forward_from(network, parameters, scratch, 0, rows, x);
}

static void gather_outputs(const nl_network *network, const nl_scratch *scratch, size_t rows, double *y) {
  size_t column = 0;
  for (size_t i = 0; i < network->output_count; i++) {
    const size_t step = network->outputs[i], width = network->steps[step].width;
    for (size_t r = 0; r < rows; r++)
      memcpy(y + r * network->results + column, scratch->values[step] + r * width, width * sizeof *y);
    column += width;
  }
}

nl_status nl_forward(const nl_network *network, const nl_parameters *parameters, size_t rows, const double *x,
                     double *y, nl_error *error) {
  nl_scratch scratch;
  NL_TRY(nl_scratch_create(&scratch, network, parameters, NL_FORWARD_ROWS, error));
  for (size_t row = 0; row < rows; row += NL_FORWARD_ROWS) {
    const size_t count = rows - row < NL_FORWARD_ROWS ? rows - row : NL_FORWARD_ROWS;
    nl_forward_all(network, parameters, &scratch, count, x + row * network->features);
    gather_outputs(network, &scratch, count, y + row * network->results);
  }
  nl_scratch_free(&scratch);
  return NL_OK;
}
