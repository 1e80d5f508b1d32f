// Whatever the bytes are: an error with a sentence, or a graph that writes back the same bytes, whose tensors read, and
// whose edited form is a model again.
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "onnx.h"

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void writes_back(const nl_graph *graph) {
  nl_buffer out = {0};
  REQUIRE(nl_onnx_write(graph, NULL, &out, NULL) == NL_OK);
  REQUIRE(out.size == graph->source.size && memcmp(out.bytes, graph->source.bytes, out.size) == 0);
  nl_buffer_free(&out);
}

static void reads_tensors(const nl_graph *graph) {
  for (size_t t = 0; t < graph->tensor_count; t++) {
    const nl_tensor *tensor = &graph->tensors[t];
    if (tensor->storage == NL_STORAGE_EXTERNAL) continue; // its count is a promise of a file that is not here
    // A type that is not known may promise any count, and is refused before anything is written.
    const bool known = nl_type_size(tensor->type) > 0;
    const size_t room = known ? tensor->count + 1 : 1;
    double *values = malloc(room * sizeof *values);
    int64_t *whole = malloc(room * sizeof *whole);
    REQUIRE(values != NULL && whole != NULL);
    const nl_status read = nl_tensor_read(tensor, values, NULL), read_int = nl_tensor_read_int(tensor, whole, NULL);
    REQUIRE(known || (read != NL_OK && read_int != NL_OK));
    free(values), free(whole);
  }
}

// The file stands in for every other one that it names.
static void attaches(nl_graph *graph) {
  for (nl_span file; (file = nl_graph_missing_file(graph)).size != 0;) {
    const nl_slice slice = nl_graph_missing_slice(graph);
    const size_t start = slice.offset < graph->source.size ? (size_t)slice.offset : graph->source.size;
    const size_t left = graph->source.size - start;
    const nl_span bytes = {graph->source.bytes + start, slice.size < left ? (size_t)slice.size : left};
    if (nl_graph_attach_slice(graph, file, slice.offset, bytes, NULL) != NL_OK) return;
  }
}

// One number for the first constants, a new input for the first nodes, other sizes for the first values.
static void edit(const nl_graph *graph, nl_edits *edits) {
  static const double seven = 7;
  for (size_t n = 0; n < graph->node_count && n < 8; n++) {
    for (size_t s = 0; s <= graph->nodes[n].input_count && s < 4; s++) {
      if ((n + s) % 3 != 0) nl_edits_set_constant(edits, n, s, NL_TYPE_F32, 1, (const int64_t[]){1}, &seven, NULL);
    }
  }
  for (size_t v = 0; v < graph->value_count && v < 8; v++) nl_edits_resize_value(edits, v, v % 3 + 1, 5, NULL);
  REQUIRE(nl_edits_set_metadata(edits, "netlump.fuzz", "1", NULL) == NL_OK);
}

static void edits_well(const nl_graph *graph) {
  nl_edits *edits;
  nl_buffer out = {0}, data = {0};
  nl_weights_file file = {.name = {(const uint8_t *)"w", 1}, .limit = 1};
  nl_graph *again;
  REQUIRE(nl_edits_create(&edits, graph, NULL) == NL_OK);
  edit(graph, edits);
  if (nl_onnx_write(graph, edits, &out, NULL) == NL_OK) {
    REQUIRE(nl_onnx_read(&again, (nl_span){out.bytes, out.size}, NULL) == NL_OK);
    REQUIRE(again->node_count == graph->node_count && again->has_netlump_metadata);
    nl_graph_free(again);
  }
  out.size = 0;
  if (nl_onnx_write_split(graph, edits, &file, &out, NULL) == NL_OK) {
    REQUIRE(nl_onnx_read(&again, (nl_span){out.bytes, out.size}, NULL) == NL_OK);
    REQUIRE(nl_weights_file_append(&file, &data, NULL) == NL_OK && data.size == file.size);
    REQUIRE(nl_graph_attach(again, file.name, (nl_span){data.bytes, data.size}, NULL) == NL_OK);
    REQUIRE(nl_graph_missing_file(again).size == 0);
    nl_graph_free(again);
  }
  nl_weights_file_free(&file);
  nl_buffer_free(&data);
  nl_buffer_free(&out);
  nl_edits_free(edits);
}

static void converts(const nl_graph *graph) {
  nl_buffer json = {0}, onnx = {0};
  nl_error error = {0};
  if (nl_json_write(graph, (nl_span){0}, &json, &error) == NL_OK) {
    REQUIRE(nl_json_read((nl_span){json.bytes, json.size}, &onnx, NULL) == NL_OK);
  }
  nl_buffer_free(&json);
  nl_buffer_free(&onnx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nl_graph *graph;
  nl_error error = {0};
  if (nl_onnx_read(&graph, (nl_span){data, size}, &error) != NL_OK) {
    char sentence[700];
    REQUIRE(error.status >= NL_ERROR_MEMORY && nl_error_sentence(&error, NULL, sentence, sizeof sentence) > 10);
    return 0;
  }
  writes_back(graph);
  reads_tensors(graph);
  attaches(graph);
  edits_well(graph);
  converts(graph);
  nl_graph_free(graph);
  return 0;
}
