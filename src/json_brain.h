// json_brain: what reading and writing brain.js' JSON share. Nobody else includes it.
#ifndef NL_JSON_BRAIN_H
#define NL_JSON_BRAIN_H

#include "json_parts.h"

typedef struct nl_brain_layer {
  cJSON *object; // of the text
  size_t width;
} nl_brain_layer;

typedef struct nl_brain {
  cJSON *root;
  nl_arena arena;
  nl_error *error;
  bool arrays;  // version 2: rows of weights and biases; version 1 has neurons by name
  size_t count; // layers, the input one first
  nl_brain_layer *layers;
  const char *activation;
  double slope; // of leaky-relu
} nl_brain;

nl_status nl_brain_open(nl_brain *brain, nl_span text);
void nl_brain_close(nl_brain *brain);
nl_status nl_brain_fail(const nl_brain *brain, size_t layer, const char *part, const char *detail);

typedef struct nl_brain_member {
  cJSON *item;
  double number; // of a key that is an array's index, else infinity
  size_t place;
} nl_brain_member;

// The members of an object (or an array) in the order JavaScript gives them.
nl_status nl_brain_members(const cJSON *object, nl_arena *arena, size_t *count, nl_brain_member **members,
                           nl_error *error);
// "layer2", "layer2.weight"
void nl_brain_name(char dst[96], size_t layer, const char *part);

#endif
