// The pipeline in the native build, for comparison with WebAssembly: pipeline MODEL EPSILON
// prints {"report": ..., "outputs": [...]}: the result's report and the smaller network's outputs on PROBES fixed rows.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "netlump.h"

enum { PROBES = 16 };

static unsigned char *read_file(const char *name, size_t *size) {
  FILE *file = fopen(name, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(*size + 1);
  const size_t got = bytes != NULL ? fread(bytes, 1, *size, file) : 0;
  fclose(file);
  if (got == *size) return bytes;
  free(bytes);
  return NULL;
}

static nl_status finish_path(nl_path *path, nl_error *error) {
  double progress = 0;
  nl_status status = NL_MORE;
  while (status == NL_MORE) status = nl_path_step(path, &progress, error);
  return status;
}

static nl_status finish_result(nl_result *result, nl_error *error) {
  double progress = 0;
  nl_status status = NL_MORE;
  while (status == NL_MORE) status = nl_result_step(result, &progress, error);
  return status;
}

static nl_status print_result(const nl_model *model, const nl_result *result, nl_error *error) {
  const size_t features = nl_model_features(model), results = nl_model_results(model);
  nl_buffer json = {0};
  NL_TRY(nl_result_report(result, &json, error));
  double *x = malloc(PROBES * features * sizeof *x), *y = malloc(PROBES * results * sizeof *y);
  nl_status status = x != NULL && y != NULL ? NL_OK : NL_ERROR_MEMORY;
  for (size_t i = 0; status == NL_OK && i < PROBES * features; i++) x[i] = (double)((i * 37) % 101) / 50.0 - 1.0;
  if (status == NL_OK) status = nl_result_forward(result, PROBES, x, y, error);
  if (status == NL_OK) {
    printf("{\"report\":%.*s,\"outputs\":[", (int)json.size, (const char *)json.bytes);
    for (size_t i = 0; i < PROBES * results; i++) printf("%s%.17g", i > 0 ? "," : "", y[i]);
    printf("]}\n");
  }
  free(x);
  free(y);
  nl_buffer_free(&json);
  return status;
}

int main(int count, char **words) {
  size_t size = 0;
  unsigned char *bytes = count == 3 ? read_file(words[1], &size) : NULL;
  nl_error error = {0};
  nl_model *model = NULL;
  nl_path *path = NULL;
  nl_result *result = NULL;
  nl_status status = bytes != NULL ? nl_model_open(&model, bytes, size, &error) : NL_ERROR_ARGUMENT;
  if (status == NL_OK) status = nl_path_create(&path, model, &(nl_path_options){.seed = 1}, &error);
  if (status == NL_OK) status = finish_path(path, &error);
  const nl_target target = {NL_TARGET_EPSILON, count == 3 ? atof(words[2]) : 0.0};
  if (status == NL_OK) status = nl_result_create(&result, path, target, NULL, &error);
  if (status == NL_OK) status = finish_result(result, &error);
  if (status == NL_OK) status = print_result(model, result, &error);
  nl_result_free(result);
  nl_path_free(path);
  nl_model_free(model);
  free(bytes);
  return status == NL_OK ? 0 : 1;
}
