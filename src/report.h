// report: numbers -> JSON, with cJSON. Every text the page, the command line and the report show comes through here.
#ifndef NL_REPORT_H
#define NL_REPORT_H

#include <cJSON.h>

#include "arena.h"
#include "channels.h"
#include "network.h"
#include "site.h"

// The name of a layer or node: its own, or its operator and position ("Gemm 3"). Appends; not terminated.
nl_status nl_report_node_name(const nl_graph *graph, size_t node, nl_buffer *out, nl_error *error);

// Each adds `name` to `parent`; numbers that are not finite become null. False when memory is out.
bool nl_report_number(cJSON *parent, const char *name, double value);
bool nl_report_text(cJSON *parent, const char *name, nl_span text);
bool nl_report_item(cJSON *array, nl_span text); // a text at the end of an array
bool nl_report_node(cJSON *parent, const char *name, const nl_graph *graph, size_t node);

// Where layers are looked up: the network's dense layers first where the core evaluates the model, the channels' linears and
// depthwise convolutions then.
typedef struct nl_layers {
  const nl_network *network;
  const nl_sites *sites; // of the network
  const nl_channels *channels;
  bool runtime; // the sites are the channels'
} nl_layers;

// Layers with their sites or reasons; every layer that stays whole with its reason.
bool nl_report_layers(cJSON *parent, const nl_layers *layers);
bool nl_report_skipped(cJSON *parent, const nl_layers *layers);
// The dense steps that these layers are, in their order; NL_NONE where a layer is none. steps: room for a node each.
void nl_report_layer_steps(const nl_layers *layers, size_t *count, size_t *steps);
bool nl_report_ports(cJSON *parent, const char *name, const nl_graph *graph, size_t count, const size_t *values);

// Prints `object` (and deletes it, always) to the end of `out`. `complete`: false means that building it ran out of memory.
nl_status nl_report_print(cJSON *object, bool complete, nl_buffer *out, nl_error *error);

#endif
