#include "quotient.h"

#include <stdlib.h>
#include <string.h>

enum { RANK_MOST = 16 };

static const nl_tensor *constant_at(const nl_network *network, nl_place place) {
  return nl_node_constant(network->graph, &network->graph->nodes[place.node], place.slot);
}

// The new sizes of what an Identity or Cast behind the constant hands on.
static nl_status resize_behind(nl_edits *edits, const nl_network *network, nl_place place, size_t rank,
                               const int64_t *dims, nl_error *error) {
  const nl_node *node = &network->graph->nodes[place.node];
  if (!nl_span_is(node->op, "Identity") && !nl_span_is(node->op, "Cast")) return NL_OK;
  for (size_t i = 0; i < rank; i++) NL_TRY(nl_edits_resize_value(edits, node->outputs[0], rank - i, dims[i], error));
  return NL_OK;
}

static nl_status set_constant(nl_edits *edits, const nl_network *network, nl_place place, nl_type type, size_t rank,
                              const int64_t *dims, const double *values, nl_error *error) {
  NL_TRY(nl_edits_set_constant(edits, place.node, place.slot, type, rank, dims, values, error));
  return resize_behind(edits, network, place, rank, dims, error);
}

static nl_status set_away(nl_edits *edits, const nl_network *network, nl_place place, size_t rank, const int64_t *dims,
                          uint64_t offset, nl_error *error) {
  NL_TRY(nl_edits_set_away(edits, place.node, place.slot, rank, dims, offset, error));
  return resize_behind(edits, network, place, rank, dims, error);
}

// Whether the tensor's rows are what one input gives, (in, out).
static bool is_out_last(const nl_step *step, const nl_tensor *tensor) {
  return step->out_stride == 1 && !(step->in_stride == 1 && tensor->dims[tensor->rank - 1] == (int64_t)step->in_width);
}

static nl_status edit_weights(nl_edits *edits, const nl_network *network, const nl_step *step, const nl_layer *layer,
                              nl_error *error) {
  const nl_tensor *tensor = constant_at(network, step->weights);
  const size_t out = layer->width, in = layer->in_width;
  const bool out_last = is_out_last(step, tensor);
  int64_t dims[RANK_MOST];
  if (tensor->rank > RANK_MOST) return nl_fail_span(error, NL_ERROR_UNSUPPORTED, tensor->name, "more than 16 axes");
  for (size_t i = 0; i < tensor->rank; i++) dims[i] = 1;
  dims[tensor->rank - 2] = (int64_t)(out_last ? in : out);
  dims[tensor->rank - 1] = (int64_t)(out_last ? out : in);
  if (layer->away != 0) return set_away(edits, network, step->weights, tensor->rank, dims, layer->away, error);
  double *values = malloc((out * in + 1) * sizeof *values);
  if (values == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, out * in * sizeof *values, 0);
  for (size_t o = 0; o < out; o++)
    for (size_t i = 0; i < in; i++)
      values[out_last ? i * out + o : o * in + i] = layer->weights[o * in + i] / step->alpha;
  const nl_status status = set_constant(edits, network, step->weights, tensor->type, tensor->rank, dims, values, error);
  free(values);
  return status;
}

// One number a channel, in the shape of the constant it replaces (or the plainest that broadcasts the same way).
static nl_status set_channels(nl_edits *edits, const nl_network *network, nl_place place, unsigned axis, size_t width,
                              const double *values, nl_error *error) {
  const nl_tensor *old = constant_at(network, place);
  int64_t dims[RANK_MOST] = {1, 1};
  size_t rank = axis;
  if (old != NULL && old->rank >= axis && old->rank <= RANK_MOST) {
    rank = old->rank;
    for (size_t i = 0; i < rank; i++) dims[i] = 1;
  }
  dims[rank - axis] = (int64_t)width;
  return set_constant(edits, network, place, old != NULL ? old->type : NL_TYPE_F32, rank, dims, values, error);
}

static nl_status edit_bias(nl_edits *edits, const nl_network *network, const nl_step *step, const nl_layer *layer,
                           nl_error *error) {
  if (layer->bias == NULL) return NL_OK;
  double *values = malloc((layer->width + 1) * sizeof *values);
  if (values == NULL) return nl_no_memory(error, layer->width + 1, sizeof *values);
  for (size_t o = 0; o < layer->width; o++) values[o] = layer->bias[o] / step->beta;
  nl_status status;
  if (step->bias.node != NL_NONE)
    status = set_channels(edits, network, step->bias, step->channel_axis, layer->width, values, error);
  else {
    const int64_t dims[1] = {(int64_t)layer->width}; // Gemm's third input, left out so far
    status =
        nl_edits_set_constant(edits, step->node, 2, constant_at(network, step->weights)->type, 1, dims, values, error);
  }
  free(values);
  return status;
}

static nl_status edit_rider(nl_edits *edits, const nl_network *network, const nl_step *step, const nl_lumping *lumping,
                            nl_error *error) {
  for (size_t c = 0; c < step->constant_count; c++) {
    const nl_tensor *tensor = constant_at(network, step->constants[c]);
    if (tensor->count == 1 || tensor->count != lumping->n) continue;
    double *values = malloc((tensor->count + lumping->k + 1) * sizeof *values);
    if (values == NULL) return nl_no_memory(error, tensor->count + lumping->k + 1, sizeof *values);
    nl_status status = nl_tensor_read(tensor, values, error);
    double *picked = values + tensor->count;
    for (size_t i = 0; i < lumping->k; i++) picked[i] = values[lumping->kept[i]];
    if (status == NL_OK)
      status = set_channels(edits, network, step->constants[c], step->channel_axis, lumping->k, picked, error);
    free(values);
    NL_TRY(status);
  }
  return NL_OK;
}

static bool same_layer(const nl_layer *a, const nl_layer *b) {
  return a->weights == b->weights && a->width == b->width && a->away == b->away;
}

nl_status nl_quotient_keep(const nl_network *network, size_t index, nl_layer *layer, nl_error *error) {
  const nl_step *step = &network->steps[index];
  const nl_tensor *tensor = constant_at(network, step->weights);
  const nl_store *store = network->graph->store;
  const size_t out = layer->width, in = layer->in_width, size = nl_type_size(tensor->type);
  const bool out_last = is_out_last(step, tensor);
  const size_t rows = out_last ? in : out, row = out_last ? out : in;
  uint8_t *bytes = malloc(out * in * size + 1);
  double *line = malloc((row + 1) * sizeof *line);
  for (size_t r = 0; bytes != NULL && line != NULL && r < rows; r++) {
    for (size_t c = 0; c < row; c++) line[c] = layer->weights[out_last ? c * in + r : r * in + c] / step->alpha;
    nl_tensor_encode(tensor->type, line, row, bytes + r * row * size);
  }
  layer->away = bytes != NULL && line != NULL ? store->keep(store->context, bytes, out * in * size) : 0;
  free(bytes);
  free(line);
  return layer->away != 0 ? NL_OK : nl_no_memory(error, out * in, size);
}

nl_status nl_quotient_edit(nl_edits *edits, const nl_network *network, const nl_sites *sites,
                           const nl_lumping *lumpings, const nl_parameters *original, const nl_parameters *reduced,
                           nl_error *error) {
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_step *step = &network->steps[s];
    const nl_lumping *own = nl_lumping_at(sites, lumpings, s);
    if (!step->evaluable) continue;
    if (step->kind == NL_STEP_DENSE && !same_layer(&original->layers[s], &reduced->layers[s])) {
      NL_TRY(edit_weights(edits, network, step, &reduced->layers[s], error));
      NL_TRY(edit_bias(edits, network, step, &reduced->layers[s], error));
    } else if (own != NULL && step->constant_count > 0)
      NL_TRY(edit_rider(edits, network, step, own, error));
  }
  for (size_t v = 0; v < network->graph->value_count; v++) {
    const size_t s = network->step_of[v];
    const nl_lumping *own = s != NL_NONE ? nl_lumping_at(sites, lumpings, s) : NULL;
    if (own == NULL) continue;
    NL_TRY(nl_edits_resize_value(edits, v, network->steps[s].channel_axis, (int64_t)own->k, error));
  }
  return NL_OK;
}
