// json_parts: the activations netlump JSON knows, and what readers and writers of JSON share. Nobody else includes it.
#ifndef NL_JSON_PARTS_H
#define NL_JSON_PARTS_H

#include <cJSON.h>

#include "json.h"

// How an activation is said in ONNX.
typedef enum nl_activation_kind {
  NL_ACTIVATION_NONE,      // identity
  NL_ACTIVATION_NODE,      // one node; parameters are its attributes
  NL_ACTIVATION_CLIP,      // one node; parameters are its inputs
  NL_ACTIVATION_SOFTMAX,   // one node over the last axis; last layer only
  NL_ACTIVATION_SWISH,     // z * sigmoid(z)
  NL_ACTIVATION_SQUARE,    // z * z
  NL_ACTIVATION_POLYNOMIAL // Horner: (c2 z + c1) z + c0
} nl_activation_kind;

enum { NL_ACTIVATION_PARAMETERS = 2, NL_POLYNOMIAL_LIMIT = 32 };

typedef struct nl_activation {
  const char *name;
  nl_activation_kind kind;
  const char *op;
  int64_t opset;                                    // the first that has the node (in the form written here)
  const char *parameters[NL_ACTIVATION_PARAMETERS]; // NULL: no more
  double defaults[NL_ACTIVATION_PARAMETERS];        // NaN: may be left out (clip)
} nl_activation;

const nl_activation *nl_activation_by_name(const char *name); // NULL when unknown
const nl_activation *nl_activation_by_op(nl_span op);         // of kinds NODE, CLIP and SOFTMAX; NULL when unknown
const nl_activation *nl_activation_by_kind(nl_activation_kind kind);

typedef struct nl_dense {
  size_t out, in;
  double *weights; // (out, in)
  double *bias;    // (out), NULL: none
  const nl_activation *activation;
  double parameters[NL_ACTIVATION_PARAMETERS]; // NaN: left out
  size_t coefficient_count;
  double coefficients[NL_POLYNOMIAL_LIMIT + 1]; // c0 first
} nl_dense;

// json_chain.c: a graph as dense layers.
typedef struct nl_dense_chain {
  size_t count;
  nl_dense *layers; // (count)
} nl_dense_chain;
nl_status nl_dense_chain_read(const nl_graph *graph, nl_arena *arena, nl_dense_chain *chain, nl_error *error);

// json_parse.c: parses, with the place of a mistake in the error. *root is the caller's (cJSON_Delete).
nl_status nl_json_parse(nl_span text, cJSON **root, nl_error *error);
// Appends to a terminated text, cut to fit.
void nl_json_put_text(char dst[96], const char *text);
void nl_json_put_number(char dst[96], size_t number);

// json_tree.c
size_t nl_json_count(const cJSON *item);   // elements of an array; 0 for anything else
size_t nl_json_members(const cJSON *item); // of an array or an object
// Puts `item` (which it takes over; NULL: memory was out) in the place of a key, or at the end.
nl_status nl_json_set(cJSON *object, const char *key, cJSON *item, nl_error *error);
nl_status nl_json_print(const cJSON *root, nl_buffer *out, nl_error *error); // appended
nl_status nl_json_no_memory(nl_error *error);

// cJSON keeps 64 bytes a number, so this is what bounds the memory of a text made of nothing but "1,1,1,".
enum { NL_JSON_MOST_TEXT = 32 << 20 };

#endif
