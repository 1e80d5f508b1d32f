// network_build: what network.c (the walk and the groups) and network_ops.c (a rule for each operator) share.
#ifndef NL_NETWORK_BUILD_H
#define NL_NETWORK_BUILD_H

#include "network.h"

// How a value's numbers lie: which axis holds the channels.
typedef struct nl_layout {
  size_t step;         // NL_NONE: a constant, or not seen yet
  unsigned axis;       // 1: last, 2: the one before, 0: spread over all axes but the first
  size_t rank;         // 0: unknown
  const int64_t *dims; // (rank), or NULL
} nl_layout;

typedef struct nl_build {
  nl_network *network;
  const nl_graph *graph;
  nl_error *error;
  nl_layout *layouts; // (values)
  size_t capacity;    // steps
  nl_reason *pins;    // (capacity) why the step's group cannot be a site
  size_t *pin_nodes;
  size_t *parents;  // (capacity) union-find: steps that share a channel axis
  nl_status failed; // why a rule answered FAILED
} nl_build;

typedef enum nl_rule_answer { NL_RULE_DONE, NL_RULE_OPAQUE, NL_RULE_FAILED } nl_rule_answer;

// Makes steps of one node. OPAQUE: not understood in this form; FAILED: error is set.
nl_rule_answer nl_network_rule(nl_build *build, size_t node);

// A new step; the pointer is good until the arena goes (steps do not move).
nl_step *nl_build_step(nl_build *build, nl_step_kind kind, size_t node, size_t value);
void nl_build_pin(nl_build *build, size_t step, nl_reason reason, size_t node); // the first reason stays
void nl_build_join(nl_build *build, size_t a, size_t b);

#endif
