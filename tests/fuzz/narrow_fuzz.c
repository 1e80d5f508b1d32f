// Whatever graph the bytes are: half of every site goes, and what is written is a model with no more parameters than counted,
// or an error says why there is none.
#include <stdlib.h>
#include <string.h>

#include "narrow.h"

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first half stays; each unit that goes is half of one that stays, and a constant. False when memory is out.
static bool halve(size_t n, nl_arena *arena, nl_lumping *lumping) {
  const size_t k = (n + 1) / 2;
  if (n > 4096) return false; // P would be large for nothing
  size_t *kept = nl_arena_take(arena, k, sizeof *kept);
  double *prolongation = nl_arena_take(arena, n * k, sizeof *prolongation);
  double *offset = nl_arena_take(arena, n, sizeof *offset);
  if (kept == NULL || prolongation == NULL || offset == NULL) return false;
  for (size_t u = 0; u < n; u++) {
    if (u < k) kept[u] = u;
    prolongation[u * k + u % k] = u < k ? 1 : 0.5;
    offset[u] = u < k ? 0 : 1;
  }
  *lumping = (nl_lumping){n, k, kept, NULL, prolongation, offset};
  return true;
}

static void narrow(const nl_channels *channels, const nl_lumping *lumpings, const size_t *widths) {
  nl_edits *edits;
  nl_graph *smaller;
  nl_buffer out = {0};
  nl_error error = {0};
  REQUIRE(nl_edits_create(&edits, channels->graph, NULL) == NL_OK);
  nl_status status = nl_narrow_edit(edits, channels, lumpings, NULL, &error);
  if (status == NL_OK) status = nl_onnx_write(channels->graph, edits, &out, &error);
  if (status == NL_OK) {
    REQUIRE(nl_onnx_read(&smaller, (nl_span){out.bytes, out.size}, NULL) == NL_OK);
    REQUIRE(nl_graph_parameters(smaller) <= nl_narrow_parameters(channels, widths));
    nl_graph_free(smaller);
  } else {
    REQUIRE(status == NL_ERROR_MEMORY || status == NL_ERROR_EXTERNAL || status == NL_ERROR_UNSUPPORTED);
  }
  nl_buffer_free(&out);
  nl_edits_free(edits);
}

static void narrow_graph(const nl_graph *graph) {
  nl_shapes shapes;
  nl_channels *channels;
  nl_arena arena = {0};
  REQUIRE(nl_shapes_create(&shapes, graph, NULL) == NL_OK);
  REQUIRE(nl_channels_create(&channels, graph, &shapes, NULL) == NL_OK);
  nl_lumping *lumpings = nl_arena_take(&arena, channels->site_count, sizeof *lumpings);
  size_t *widths = nl_arena_take(&arena, channels->site_count, sizeof *widths);
  bool fine = lumpings != NULL && widths != NULL;
  for (size_t s = 0; fine && s < channels->site_count; s++) {
    fine = halve(channels->sites[s].width, &arena, &lumpings[s]);
    widths[s] = lumpings[s].k;
  }
  if (fine) narrow(channels, lumpings, widths);
  nl_arena_free(&arena);
  nl_channels_free(channels);
  nl_shapes_free(&shapes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nl_graph *graph;
  uint8_t *bytes = malloc(size != 0 ? size : 1); // of exactly its size
  REQUIRE(bytes != NULL);
  if (size != 0) memcpy(bytes, data, size);
  if (nl_onnx_read(&graph, (nl_span){bytes, size}, NULL) == NL_OK) {
    narrow_graph(graph);
    nl_graph_free(graph);
  }
  free(bytes);
  return 0;
}
