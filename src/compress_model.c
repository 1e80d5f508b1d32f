#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "onnx.h"

// Understands the model once nothing is missing any more.
static nl_status complete(nl_model *model, nl_error *error) {
  if (model->network != NULL || nl_model_missing_file(model).size != 0) return NL_OK;
  return nl_model_understand(model, error);
}

static nl_status open_bytes(nl_model *model, nl_error *error) {
  const nl_store *store = model->store.read != NULL ? &model->store : NULL;
  NL_TRY(nl_onnx_read_away(&model->graph, model->source, store, error));
  return complete(model, error);
}

nl_status nl_model_open(nl_model **out, const void *bytes, size_t size, nl_error *error) {
  return nl_model_open_away(out, bytes, size, NULL, error);
}

nl_status nl_model_open_away(nl_model **out, const void *bytes, size_t size, const nl_store *store, nl_error *error) {
  nl_model *model = calloc(1, sizeof *model);
  if (model == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *model, 0);
  if (store != NULL) model->store = *store;
  model->source = (nl_span){bytes, size};
  const nl_status status = open_bytes(model, error);
  if (status != NL_OK)
    nl_model_free(model);
  else
    *out = model;
  return status;
}

nl_status nl_model_look(const void *head, size_t head_size, const void *tail, size_t tail_size, nl_error *error) {
  return nl_onnx_look((nl_span){head, head_size}, (nl_span){tail, tail_size}, error);
}

void nl_model_free(nl_model *model) {
  if (model == NULL) return;
  nl_network_free(model->network);
  nl_channels_free(model->channels);
  nl_shapes_free(&model->shapes);
  nl_graph_free(model->graph);
  nl_arena_free(&model->arena);
  free(model);
}

nl_span nl_model_missing_file(const nl_model *model) { return nl_graph_missing_file(model->graph); }

nl_status nl_model_attach(nl_model *model, const char *name, const void *bytes, size_t size, nl_error *error) {
  const nl_span file = {(const uint8_t *)name, strlen(name)};
  NL_TRY(nl_graph_attach(model->graph, file, (nl_span){bytes, size}, error));
  return complete(model, error);
}

void nl_model_missing_slice(const nl_model *model, uint64_t *offset, uint64_t *size) {
  const nl_slice slice = nl_graph_missing_slice(model->graph);
  *offset = slice.offset;
  *size = slice.size;
}

uint64_t nl_model_missing_bytes(const nl_model *model) { return nl_graph_missing_bytes(model->graph); }

nl_status nl_model_attach_slice(nl_model *model, const char *name, uint64_t offset, const void *bytes, size_t size,
                                nl_error *error) {
  const nl_span file = {(const uint8_t *)name, strlen(name)};
  NL_TRY(nl_graph_attach_slice(model->graph, file, offset, (nl_span){bytes, size}, error));
  return complete(model, error);
}

size_t nl_model_sites(const nl_model *model) { return model->sites.count; }

nl_status nl_model_forward(const nl_model *model, size_t rows, const double *x, double *y, nl_error *error) {
  NL_TRY(nl_model_need_forward(model, error));
  nl_parameters parameters;
  NL_TRY(nl_parameters_load(&parameters, model->network, error));
  const nl_status status = nl_forward(model->network, &parameters, rows, x, y, error);
  nl_parameters_free(&parameters);
  return status;
}
