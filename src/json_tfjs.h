// json_tfjs: what the files that read and write TensorFlow.js layers models share. Nobody else includes it.
//
//   json_tfjs_model.c    the topology: layers, and their calls, each after those it reads
//   json_tfjs_weights.c  the manifest: weights by name, their numbers out of the shards, their order in ONNX
//   json_tfjs_rules.c    what rules are made of
//   json_tfjs_layers.c   a rule for each class of layer that makes ONNX nodes of a call, and the table of all
//   json_tfjs_activation.c, json_tfjs_spatial.c  rules of activations; of layers over images and sequences
//   json_tfjs.c          there: files, rules in order, inputs and outputs
//   json_tfjs_write.c    and back
//
// To add a class of layer: a rule in the table of json_tfjs_layers.c, and its weights in that of json_tfjs_weights.c.
#ifndef NL_JSON_TFJS_H
#define NL_JSON_TFJS_H

#include "json_parts.h"
#include "names.h"
#include "onnx.h"

enum {
  NL_TFJS_RANK = 5,
  NL_TFJS_BATCH = -1,         // as a size: the batch
  NL_TFJS_UNKNOWN = -2,       // a size that is not known
  NL_TFJS_SIZE_MOST = 1 << 28 // of an axis, a kernel, a stride
};

// ---- the model ---------------------------------------------------------------------------------------------------------

typedef struct nl_tfjs_layer {
  const char *name, *kind; // kind: its class
  cJSON *config;
  cJSON *inbound; // of a functional model: what each of its calls reads
  size_t first_call, call_count;
  bool written; // its weights stand in the ONNX model
} nl_tfjs_layer;

// A layer applied once, and the value it gives: in ONNX by the name `name`, and by `turned` with the channels on the other side.
typedef struct nl_tfjs_call {
  size_t layer;
  const char *label; // the layer's name; "dense#1" for its second call
  size_t input_count;
  const size_t *inputs; // calls
  const char *name, *turned;
  struct nl_tfjs_call *alias; // the call whose value it is (Dropout), NULL: its own
  bool first;                 // `name` has axis 1 where TensorFlow.js has the last
  size_t rank;
  int64_t dims[NL_TFJS_RANK]; // in TensorFlow.js' order
} nl_tfjs_call;

typedef struct nl_tfjs_weight {
  cJSON *entry; // in the manifest
  nl_span name;
  nl_type type; // as stored
  bool quantized;
  double scale, minimum; // of the integers a quantized weight is stored as
  size_t rank;           // what is beyond NL_TFJS_RANK is in no layer
  int64_t dims[NL_TFJS_RANK];
  size_t count;
  size_t group;
  uint64_t offset, size; // in the group's bytes
} nl_tfjs_weight;

typedef struct nl_tfjs_group { // weights that lie end to end in some files
  size_t first_file, file_count;
  uint64_t bytes; // in those files
} nl_tfjs_group;

typedef struct nl_tfjs_model {
  nl_arena arena;
  cJSON *root, *manifest;
  const char *name, *producer;
  size_t layer_count, call_count, input_count, output_count, ordered, weight_count, group_count;
  nl_tfjs_layer *layers;
  nl_tfjs_call *calls;
  size_t *inputs, *outputs; // calls
  size_t *order;            // (ordered) calls that the outputs need, each after its inputs
  nl_tfjs_weight *weights;
  nl_tfjs_group *groups;
  const nl_json_files *files; // NULL: not there yet
  uint64_t *starts;           // (files) where each begins in its group's bytes
  nl_names weight_names;
  nl_names short_names; // those of three parts and more without the last but one, as TensorFlow.js allows
} nl_tfjs_model;

// files NULL: the topology and the manifest alone.
nl_status nl_tfjs_model_open(nl_tfjs_model *model, nl_span text, const nl_json_files *files, nl_error *error);
void nl_tfjs_model_close(nl_tfjs_model *model);
// A text of the model's own: a, b and c one after the other.
nl_status nl_tfjs_join(nl_tfjs_model *model, const char **out, const char *a, const char *b, const char *c,
                       nl_error *error);

// ---- weights -----------------------------------------------------------------------------------------------------------

nl_status nl_tfjs_manifest_read(nl_tfjs_model *model, nl_error *error);
// The manifest's files, group by group; names in memory of `arena`.
nl_status nl_tfjs_list_files(const nl_tfjs_model *model, nl_arena *arena, nl_json_files *files, nl_error *error);

// How TensorFlow.js' numbers lie in ONNX; K: all positions of a kernel.
typedef enum nl_tfjs_order {
  NL_TFJS_SAME,
  NL_TFJS_CONVOLUTION, // (K, in, out) -> (out, in, K)
  NL_TFJS_DEPTHWISE,   // (K, in, multiplier) -> (in * multiplier, 1, K)
  NL_TFJS_SLOPES       // (positions, channels) -> (channels, positions)
} nl_tfjs_order;

// A weight of a class of layer: what it is called behind the layer's name, and where it stands in ONNX.
typedef struct nl_tfjs_slot {
  const char *kind, *weight;
  const char *node; // behind the call's label
  size_t slot;
  nl_tfjs_order order;
  const char *flag; // the key of config that says whether there is one; NULL: always
} nl_tfjs_slot;

// The slots of a class, one after the other; NULL after the last.
const nl_tfjs_slot *nl_tfjs_next_slot(const nl_tfjs_layer *layer, const nl_tfjs_slot *last);
bool nl_tfjs_has(const nl_tfjs_layer *layer, const nl_tfjs_slot *slot);
// The weight in the manifest, NL_NONE when there is none.
size_t nl_tfjs_find(const nl_tfjs_model *model, const nl_tfjs_layer *layer, const nl_tfjs_slot *slot);
// A weight's numbers in TensorFlow.js' order.
nl_status nl_tfjs_weight_numbers(const nl_tfjs_model *model, const nl_tfjs_weight *weight, double *dst,
                                 nl_error *error);
// A weight's bytes as they are stored, appended.
nl_status nl_tfjs_weight_bytes(const nl_tfjs_model *model, const nl_tfjs_weight *weight, nl_buffer *out,
                               nl_error *error);
// TensorFlow.js' order to ONNX'; `dims` (rank) are TensorFlow.js', `to_dims` has room for NL_TFJS_RANK.
void nl_tfjs_to_onnx(nl_tfjs_order order, size_t rank, const int64_t *dims, const double *src, double *dst,
                     size_t *to_rank, int64_t *to_dims);
// And back; `old` are the weight's dims before: they tell a depthwise kernel's multiplier. False: no such shape.
bool nl_tfjs_from_onnx(nl_tfjs_order order, size_t rank, const int64_t *dims, size_t old_rank, const int64_t *old,
                       const double *src, double *dst, int64_t *to_dims);

// ---- rules -------------------------------------------------------------------------------------------------------------

typedef struct nl_tfjs_reading {
  nl_tfjs_model *model;
  nl_onnx_builder *builder;
  nl_error *error;
  nl_tfjs_layer *layer;
  nl_tfjs_call *call;
} nl_tfjs_reading;

bool nl_tfjs_knows(const char *kind);        // whether there is a rule for a class
nl_status nl_tfjs_apply(nl_tfjs_reading *r); // the call's nodes; fills in its value

// What rules are made of.
nl_status nl_tfjs_refuse(const nl_tfjs_reading *r, const char *why); // names the layer, adds the way out
nl_status nl_tfjs_fail(const nl_tfjs_reading *r, const char *key, const char *detail); // of config
nl_status nl_tfjs_misfit(const nl_tfjs_reading *r, const char *why);                   // sizes that disagree
const cJSON *nl_tfjs_config(const nl_tfjs_reading *r, const char *key);                // NULL where absent or null
// Words compare without regard to case and underscores: hard_sigmoid is hardSigmoid.
bool nl_tfjs_word(const cJSON *item, const char *word);
// Whole numbers from `least` on, one for all or an array; `out` comes with what stands for them where config has none (a number
// below `least`: they are needed).
nl_status nl_tfjs_wholes(const nl_tfjs_reading *r, const char *key, size_t count, int64_t least, int64_t *out);
nl_status nl_tfjs_whole(const nl_tfjs_reading *r, const char *key, int64_t least, int64_t *out);
bool nl_tfjs_size(const cJSON *item, int64_t least, int64_t *out);
nl_status nl_tfjs_number(const nl_tfjs_reading *r, const char *key, double *out);
bool nl_tfjs_flag(const nl_tfjs_layer *layer, const char *key, bool otherwise);
nl_status nl_tfjs_channels_first(const nl_tfjs_reading *r, bool *first); // data_format
// The axis that config states, in TensorFlow.js' order; SIZE_MAX when it is none of the value's.
size_t nl_tfjs_axis(const nl_tfjs_reading *r, size_t rank, double otherwise);
// The only value the call reads; or to be the call's own value so far.
nl_status nl_tfjs_take(nl_tfjs_reading *r);
nl_status nl_tfjs_input(const nl_tfjs_reading *r, nl_tfjs_call **input);
// The name of a value with the channels where TensorFlow.js has them (first: false), or on axis 1.
nl_status nl_tfjs_lay(nl_tfjs_reading *r, nl_tfjs_call *value, bool first, const char **name);
// Label and part as a name.
nl_status nl_tfjs_part(nl_tfjs_reading *r, const char *part, const char **name);
nl_status nl_tfjs_open(nl_tfjs_reading *r, const char *op, const char *part, size_t input_count,
                       const char *const *inputs, const char *output);
nl_status nl_tfjs_close(nl_tfjs_reading *r);
// A node without attributes.
nl_status nl_tfjs_node(nl_tfjs_reading *r, const char *op, const char *part, size_t input_count,
                       const char *const *inputs, const char *output);
// The layer's weight of these sizes as an initializer; *name NULL where the layer has none.
nl_status nl_tfjs_put_weight(nl_tfjs_reading *r, const char *weight, size_t rank, const int64_t *dims,
                             const char **name);
// The call's value: `name`, sizes as those of `like`.
void nl_tfjs_give(nl_tfjs_reading *r, const char *name, bool first, const nl_tfjs_call *like);
// The name for what the call's own operator gives: the label, unless config's activation comes behind it.
nl_status nl_tfjs_stage(nl_tfjs_reading *r, const char **name);
// config's activation behind the call's value.
nl_status nl_tfjs_activate(nl_tfjs_reading *r);

// json_tfjs_activation.c
nl_status nl_tfjs_rule_activation(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_relu(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_leaky_relu(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_elu(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_thresholded_relu(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_softmax(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_prelu(nl_tfjs_reading *r);

// json_tfjs_spatial.c
nl_status nl_tfjs_rule_convolution(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_depthwise(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_separable(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_pooling(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_global_pooling(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_padding(nl_tfjs_reading *r);
nl_status nl_tfjs_rule_upsampling(nl_tfjs_reading *r);

#endif
