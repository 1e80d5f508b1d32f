// Times the partitioner on dense random layers: features-width-width-outputs, every ε from a share of the middle distance.
// stdout: one line a case: encoding equivalence linkage width share seconds blocks...
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "partition.h"

static double uniform(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (double)(*seed >> 11) * 0x1p-53;
}

static double gauss(uint64_t *seed) {
  return sqrt(-2 * log(1 - uniform(seed))) * cos(6.283185307179586 * uniform(seed));
}

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; } // of this process: the machine may be shared

static void fill(nl_chain_layer *layer, size_t out, size_t in, nl_chain_kind kind, uint64_t *seed) {
  *layer = (nl_chain_layer){.site = NL_NONE, .width = out, .in_width = in, .alike = true, .kind = kind, .degree = 2};
  layer->coefficients[2] = 1;
  layer->weights = malloc(out * in * sizeof(double));
  layer->bias = malloc(out * sizeof(double));
  for (size_t i = 0; i < out * in; i++) layer->weights[i] = (float)(gauss(seed) / sqrt((double)in));
  for (size_t i = 0; i < out; i++) layer->bias[i] = (float)(0.1 * gauss(seed));
}

static size_t number(const char *text) { return (size_t)strtoul(text, NULL, 10); }

// partition_bench encoding equivalence linkage symmetric width outputs ε...
int main(int count, char **words) {
  if (count < 8) return 2;
  const nl_partition_options options = {(nl_encoding)number(words[1]), (nl_equivalence)number(words[2]),
                                        (nl_linkage)number(words[3]), 0, number(words[4]) != 0};
  const size_t width = number(words[5]), outputs = number(words[6]);
  const nl_chain_kind kind = options.encoding == NL_ENCODING_POLYNOMIAL ? NL_CHAIN_POLYNOMIAL : NL_CHAIN_IDENTITY;
  uint64_t seed = 7;
  nl_chain_layer layers[3];
  fill(&layers[0], width, width, kind, &seed);
  fill(&layers[1], width, width, kind, &seed);
  fill(&layers[2], outputs, width, NL_CHAIN_IDENTITY, &seed);
  const nl_chain chain = {.features = width, .count = 3, .layers = layers, .tail = NL_NONE};
  nl_error error = {0};
  double start = seconds();
  nl_partitioner *partitioner = NULL;
  if (nl_partitioner_create(&partitioner, &chain, &options, &error) != NL_OK) return 1;
  for (int k = 7; k < count; k++) {
    const nl_partition *partition = NULL;
    const nl_status status = nl_partitioner_at(partitioner, strtod(words[k], NULL), &partition, &error);
    const double now = seconds();
    if (status == NL_OK)
      printf("%s %.2f %zu %zu\n", words[k], now - start, partition->blocks[0], partition->blocks[1]);
    else
      printf("%s %.2f status %d\n", words[k], now - start, (int)status);
    fflush(stdout);
    start = now;
  }
  nl_partitioner_free(partitioner);
  for (size_t l = 0; l < 3; l++) {
    free(layers[l].weights);
    free(layers[l].bias);
  }
  return 0;
}
