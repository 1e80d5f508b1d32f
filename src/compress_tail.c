// The polish of a model that a runtime runs: of its *tail*, the dense layers it ends in with nothing but elementwise functions
// between. What comes before (convolutions, pooling ...) stays as it was fitted; the tail learns to say what the original's last
// layer says, from what the smaller network really hands it. It is a chain, so the core evaluates and polishes it itself.
#include <stdlib.h>
#include <string.h>

#include "compress.h"

enum { LAYERS_MOST = 8, NODES_MOST = 8 };

typedef struct tail {
  size_t count;
  size_t linears[LAYERS_MOST];             // the first reads what comes before, the last is the model's last
  size_t between[LAYERS_MOST][NODES_MOST]; // nodes behind linears[l], up to the next
  size_t between_count[LAYERS_MOST];
} tail;

struct nl_tail {
  nl_arena arena;
  tail tail;
  size_t features, results, rows, row;
  double *x, *answers; // (rows, features), (rows, results)
  nl_buffer onnx;      // of the tail alone
  nl_graph *graph;
  nl_network *network;
  nl_parameters start;
};

static const nl_channels *channels_of(const nl_result *result) { return result->path->model->channels; }

// ---- finding ------------------------------------------------------------------------------------------------------------

static bool acts(const nl_node *node) {
  static const char *const ops[] = {"Relu",     "Tanh",     "Sigmoid",     "LeakyRelu", "Elu",      "Selu", "Celu",
                                    "Softplus", "Softsign", "HardSigmoid", "HardSwish", "Identity", "Mish"};
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
    if (nl_span_is(node->op, ops[i]) && node->domain.size == 0)
      return node->input_count == 1 && node->output_count == 1;
  return false;
}

static const nl_linear *writer_of(const nl_channels *channels, size_t value, size_t *index) {
  for (size_t l = 0; l < channels->linear_count; l++)
    if (channels->linears[l].written == value) {
      *index = l;
      return &channels->linears[l];
    }
  return NULL;
}

static bool read_once(const nl_value *value) { return value->use_count == 1 && !value->is_output; }

// Weights that others read too would be there twice once they are polished.
static bool fits(const nl_graph *graph, const nl_linear *linear) {
  const size_t weights = graph->nodes[linear->weights.node].inputs[linear->weights.slot];
  return read_once(&graph->values[weights]) && linear->kind == NL_LINEAR_DENSE && linear->groups == 1 &&
         linear->in.back == 1 && linear->out.back == 1;
}

// The linear whose output, through functions alone, is `value`; the functions' nodes in the order they act.
static bool step_back(const nl_channels *channels, size_t value, size_t *linear, size_t *nodes, size_t *count) {
  const nl_graph *graph = channels->graph;
  size_t found[NODES_MOST];
  *count = 0;
  for (;;) {
    if (!read_once(&graph->values[value])) return false;
    const nl_linear *writer = writer_of(channels, value, linear);
    if (writer != NULL) {
      for (size_t i = 0; i < *count; i++) nodes[i] = found[*count - 1 - i];
      return fits(graph, writer);
    }
    const size_t producer = graph->values[value].producer;
    if (producer == NL_NONE || !acts(&graph->nodes[producer]) || *count == NODES_MOST) return false;
    found[(*count)++] = producer;
    value = graph->nodes[producer].inputs[0];
  }
}

// Whether all outputs that are compared follow from the linear's alone: through functions and a softmax.
static bool ends_in(const nl_model *model, size_t written) {
  const nl_graph *graph = model->graph;
  if (model->compared_count != 1) return false;
  for (size_t value = model->compared[0]; value != written;) {
    const size_t producer = graph->values[value].producer;
    if (producer == NL_NONE) return false;
    const nl_node *node = &graph->nodes[producer];
    const bool softmax = nl_span_is(node->op, "Softmax") || nl_span_is(node->op, "LogSoftmax");
    if (!softmax && !acts(node)) return false;
    value = node->inputs[0];
  }
  return true;
}

// False where the model ends in fewer than two dense layers: one alone is fitted to its targets already.
static bool find_tail(const nl_model *model, tail *out) {
  const nl_channels *channels = model->channels;
  *out = (tail){0};
  if (channels->linear_count < 2) return false;
  size_t at = channels->linear_count - 1;
  if (!fits(channels->graph, &channels->linears[at]) || !ends_in(model, channels->linears[at].written)) return false;
  size_t linears[LAYERS_MOST], between[LAYERS_MOST][NODES_MOST], counts[LAYERS_MOST], count = 0;
  linears[count++] = at;
  while (count < LAYERS_MOST &&
         step_back(channels, channels->linears[linears[count - 1]].read, &at, between[count], &counts[count]))
    linears[count++] = at;
  out->count = count;
  for (size_t l = 0; l < count; l++) { // found from the end
    const size_t from = count - 1 - l;
    out->linears[l] = linears[from];
    if (from == 0) continue;
    out->between_count[l] = counts[from];
    memcpy(out->between[l], between[from], counts[from] * sizeof(size_t));
  }
  return count >= 2;
}

bool nl_tail_holds(const nl_model *model, size_t linear) {
  tail found;
  if (!find_tail(model, &found)) return false;
  for (size_t l = 0; l < found.count; l++)
    if (linear == NL_NONE || found.linears[l] == linear) return true;
  return false;
}

// ---- what it learns from ------------------------------------------------------------------------------------------------

void nl_tail_free(nl_tail *t) {
  if (t == NULL) return;
  nl_network_free(t->network);
  nl_graph_free(t->graph);
  nl_buffer_free(&t->onnx);
  nl_parameters_free(&t->start);
  nl_arena_free(&t->arena);
  free(t);
}

static nl_status take_values(double *to, size_t rows, size_t width, const nl_fed *fed, nl_span name, nl_error *error) {
  if (nl_fed_count(fed) != rows * width)
    return nl_fail_span(error, NL_ERROR_SHAPE, name, "it has more than one position a row");
  for (size_t i = 0; i < rows * width; i++) to[i] = nl_fed_at(fed, i);
  return NL_OK;
}

static nl_status take_rows(void *owner, const nl_run *run, size_t rows, nl_error *error) {
  nl_tail *t = ((nl_result *)owner)->tail;
  const nl_span read = run->graph->values[run->values[NL_SIDE_REDUCED][0]].name;
  const nl_span written = run->graph->values[run->values[NL_SIDE_ORIGINAL][0]].name;
  NL_TRY(take_values(t->x + t->row * t->features, rows, t->features, &run->fed[NL_SIDE_REDUCED][0], read, error));
  NL_TRY(
      take_values(t->answers + t->row * t->results, rows, t->results, &run->fed[NL_SIDE_ORIGINAL][0], written, error));
  t->row += rows;
  return NL_OK;
}

nl_status nl_tail_begin(nl_result *result, nl_error *error) {
  const nl_path *path = result->path;
  nl_tail *t = calloc(1, sizeof *t);
  if (t == NULL) return nl_fail_count(error, NL_ERROR_MEMORY, NULL, sizeof *t, 0);
  result->tail = t;
  if (!find_tail(path->model, &t->tail)) return nl_fail(error, NL_ERROR_ARGUMENT, "polish", "the model has no tail");
  const nl_linear *first = &channels_of(result)->linears[t->tail.linears[0]];
  const nl_linear *last = &channels_of(result)->linears[t->tail.linears[t->tail.count - 1]];
  t->features = nl_narrow_length(channels_of(result), result->lumpings, &first->in);
  t->results = last->out_width;
  t->rows = path->rows;
  NL_TAKE(&t->arena, t->x, double, t->rows * t->features, error);
  NL_TAKE(&t->arena, t->answers, double, t->rows * t->results, error);
  return nl_fitted_run(result, t->rows, last->written, first->read, take_rows, error);
}

// ---- the tail as a model of its own ---------------------------------------------------------------------------------------

enum { NAME = 24 };

static void name_of(char *name, char kind, size_t layer, size_t node) {
  name[0] = kind;
  name[1] = (char)('0' + layer);
  name[2] = (char)('a' + node);
  name[3] = '\0';
}

static nl_status add_linear(nl_onnx_builder *b, const nl_narrow_linear *linear, size_t layer, const char *input,
                            char *output, nl_error *error) {
  char weights[NAME], bias[NAME];
  name_of(weights, 'w', layer, 0);
  name_of(bias, 'b', layer, 0);
  name_of(output, 'z', layer, 0);
  const int64_t dims[] = {(int64_t)linear->out, (int64_t)linear->in};
  NL_TRY(nl_onnx_builder_tensor(b, weights, 2, dims, linear->weights, error));
  if (linear->bias != NULL) NL_TRY(nl_onnx_builder_tensor(b, bias, 1, dims, linear->bias, error));
  return nl_onnx_builder_node(b, "Gemm", output, linear->bias != NULL ? 3 : 2,
                              (const char *const[]){input, weights, bias}, output, 1, (const char *const[]){"transB"},
                              (const int64_t[]){1}, 0, NULL, NULL, error);
}

static nl_status add_function(nl_onnx_builder *b, const nl_node *node, const char *input, const char *output,
                              nl_error *error) {
  static const char *const known[] = {"alpha", "beta", "gamma"};
  const char *names[3];
  double values[3];
  char op[NAME] = {0};
  size_t count = 0;
  for (size_t i = 0; i < 3; i++) {
    const nl_attribute *attribute = nl_node_attribute(node, known[i]);
    if (attribute == NULL) continue;
    names[count] = known[i];
    values[count++] = attribute->f;
  }
  if (node->op.size >= NAME) return nl_fail_span(error, NL_ERROR_UNSUPPORTED, node->op, "unknown function");
  memcpy(op, node->op.bytes, node->op.size);
  return nl_onnx_builder_node(b, op, output, 1, &input, output, 0, NULL, NULL, count, names, values, error);
}

static nl_status add_layers(nl_onnx_builder *b, const nl_result *result, char *value, nl_error *error) {
  const tail *t = &result->tail->tail;
  for (size_t l = 0; l < t->count; l++) {
    char output[NAME];
    NL_TRY(add_linear(b, nl_fitted_linear(result, t->linears[l]), l, value, output, error));
    strcpy(value, output);
    for (size_t i = 0; i < t->between_count[l]; i++) {
      name_of(output, 'a', l, i);
      NL_TRY(add_function(b, &channels_of(result)->graph->nodes[t->between[l][i]], value, output, error));
      strcpy(value, output);
    }
  }
  return NL_OK;
}

static nl_status build_network(nl_result *result, nl_error *error) {
  nl_tail *t = result->tail;
  nl_onnx_builder *b = NULL;
  char value[NAME] = "x";
  const int64_t opset = 18;
  NL_TRY(nl_onnx_builder_create(&b, "netlump", "tail", opset, error));
  nl_status status = nl_onnx_builder_input(b, "x", 2, (const int64_t[]){-1, (int64_t)t->features}, error);
  if (status == NL_OK) status = add_layers(b, result, value, error);
  if (status == NL_OK) status = nl_onnx_builder_output(b, value, 2, (const int64_t[]){-1, (int64_t)t->results}, error);
  if (status == NL_OK) status = nl_onnx_builder_finish(b, &t->onnx, error);
  nl_onnx_builder_free(b);
  if (status == NL_OK) status = nl_onnx_read(&t->graph, (nl_span){t->onnx.bytes, t->onnx.size}, error);
  if (status == NL_OK) status = nl_network_create(&t->network, t->graph, error);
  return status == NL_OK ? nl_parameters_load(&t->start, t->network, error) : status;
}

nl_status nl_tail_polish(nl_result *result, double *progress, nl_error *error) {
  nl_tail *t = result->tail;
  if (result->polish == NULL) {
    NL_TRY(build_network(result, error));
    const nl_polish_input input = {.network = t->network,
                                   .original = &t->start,
                                   .start = &t->start,
                                   .rows = t->rows,
                                   .x = t->x,
                                   .answers = t->answers,
                                   .seed = result->path->seed,
                                   .iterations = result->options.iterations};
    NL_TRY(nl_polish_create(&result->polish, &input, error));
  }
  return nl_polish_step(result->polish, progress, error);
}

// ---- what it learnt -----------------------------------------------------------------------------------------------------

void nl_tail_take(nl_result *result, bool polished) {
  const nl_tail *t = result->tail;
  const nl_parameters *from = polished ? nl_polish_parameters(result->polish) : &t->start;
  size_t l = 0;
  for (size_t s = 0; s < t->network->step_count; s++) {
    if (t->network->steps[s].kind != NL_STEP_DENSE) continue;
    nl_narrow_linear *to = nl_fitted_linear(result, t->tail.linears[l++]);
    memcpy(to->weights, from->layers[s].weights, to->out * to->in * sizeof *to->weights);
    if (to->bias != NULL) memcpy(to->bias, from->layers[s].bias, to->out * sizeof *to->bias);
  }
}
