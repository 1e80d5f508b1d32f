// Whatever graph the bytes are: its channels are found in time, and the laws hold.
#include <stdlib.h>

#include "../unit/channels_laws.h"
#include "onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nl_graph *graph;
  nl_shapes shapes;
  nl_channels *channels;
  uint8_t *bytes = malloc(size != 0 ? size : 1); // of exactly its size
  LAW(bytes != NULL);
  for (size_t i = 0; i < size; i++) bytes[i] = data[i];
  if (nl_onnx_read(&graph, (nl_span){bytes, size}, NULL) == NL_OK) {
    LAW(nl_shapes_create(&shapes, graph, NULL) == NL_OK);
    LAW(nl_channels_create(&channels, graph, &shapes, NULL) == NL_OK);
    channels_are_lawful(channels, &shapes);
    nl_channels_free(channels);
    nl_shapes_free(&shapes);
    nl_graph_free(graph);
  }
  free(bytes);
  return 0;
}
