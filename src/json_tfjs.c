// json_tfjs: TensorFlow.js layers models -> ONNX.
#include "json_tfjs.h"

#include <string.h>

nl_status nl_tfjs_files(nl_span text, nl_arena *arena, nl_json_files *files, nl_error *error) {
  nl_tfjs_model model = {0};
  nl_status status = nl_tfjs_model_open(&model, text, NULL, error);
  if (status == NL_OK) status = nl_tfjs_list_files(&model, arena, files, error);
  nl_tfjs_model_close(&model);
  return status;
}

nl_span nl_tfjs_weights_name(const nl_json_files *files) {
  if (files->count == 0) return (nl_span){0};
  nl_span name = files->files[0].name;
  for (size_t i = name.size; i-- > 0;)
    if (name.bytes[i] == '/' || name.bytes[i] == '\\') return (nl_span){name.bytes + i + 1, name.size - i - 1};
  return name;
}

// ---- the walk ------------------------------------------------------------------------------------------------------------

static nl_status apply(nl_tfjs_reading *r, size_t index) {
  r->call = &r->model->calls[index];
  r->layer = &r->model->layers[r->call->layer];
  NL_TRY(nl_tfjs_apply(r));
  r->layer->written = true;
  return NL_OK;
}

// Inputs come in the model's own order, those that nothing reads too.
static nl_status apply_all(nl_tfjs_reading *r) {
  nl_tfjs_model *m = r->model;
  for (size_t i = 0; i < m->input_count; i++)
    if (m->calls[m->inputs[i]].name == NULL) NL_TRY(apply(r, m->inputs[i]));
  for (size_t i = 0; i < m->ordered; i++)
    if (m->calls[m->order[i]].name == NULL) NL_TRY(apply(r, m->order[i]));
  return NL_OK;
}

static bool is_input(const nl_tfjs_model *m, const char *name) {
  for (size_t i = 0; i < m->input_count; i++)
    if (m->calls[m->inputs[i]].name == name) return true;
  return false;
}

// A value that is an input, or an output already, goes out under another name.
static nl_status put_output(nl_tfjs_reading *r, size_t index, const char **names) {
  nl_tfjs_model *m = r->model;
  nl_tfjs_call *value = &m->calls[m->outputs[index]];
  const char *name;
  NL_TRY(nl_tfjs_lay(r, value, false, &name));
  bool taken = is_input(m, name);
  for (size_t i = 0; i < index && !taken; i++) taken = names[i] == name;
  names[index] = name;
  if (taken) {
    char number[96] = "";
    nl_json_put_number(number, index);
    NL_TRY(nl_tfjs_join(m, &names[index], name, "/output", number, r->error));
    NL_TRY(nl_onnx_builder_open(r->builder, "Identity", names[index], 1, &name, names[index], r->error));
    NL_TRY(nl_tfjs_close(r));
  }
  return nl_onnx_builder_output(r->builder, names[index], value->rank, value->dims, r->error);
}

static nl_status convert(nl_tfjs_reading *r, nl_buffer *onnx) {
  nl_tfjs_model *m = r->model;
  const char **names;
  NL_TRY(nl_onnx_builder_create(&r->builder, m->producer, m->name, 13, r->error));
  NL_TRY(apply_all(r));
  NL_TAKE(&m->arena, names, const char *, m->output_count, r->error);
  for (size_t i = 0; i < m->output_count; i++) NL_TRY(put_output(r, i, names));
  return nl_onnx_builder_finish(r->builder, onnx, r->error);
}

nl_status nl_tfjs_read(nl_span text, const nl_json_files *files, nl_buffer *onnx, nl_error *error) {
  nl_tfjs_model model = {0};
  nl_tfjs_reading r = {.model = &model, .error = error};
  const size_t start = onnx->size;
  nl_status status = nl_tfjs_model_open(&model, text, files, error);
  if (status == NL_OK) status = convert(&r, onnx);
  if (status != NL_OK) onnx->size = start;
  nl_onnx_builder_free(r.builder);
  nl_tfjs_model_close(&model);
  return status;
}
