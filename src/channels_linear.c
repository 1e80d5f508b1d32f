// Linears: the nodes that mix channels, with their weights and bias.
#include <string.h>

#include "channels_build.h"

// ---- in and out ------------------------------------------------------------------------------------------------------

// What a linear reads along its axis. A value nobody followed so far is followed from here on, though its channels stay.
// NULL: it has another width.
static nl_strip *read_strip(nl_tracing *t, size_t node, size_t value, size_t back, size_t width) {
  const nl_trail *trail = nl_trace_trail(t, value);
  const int64_t size = nl_trace_size(t, value, back);
  if (size >= 0 && (uint64_t)size != width) return NULL;
  if (trail != NULL && trail->back == back) return trail->strip->length == width ? trail->strip : NULL;
  if (trail != NULL) {
    nl_trace_pin(t, trail->strip, NL_REASON_READ_BY, node);
    return nl_trace_fixed(t, width, NL_REASON_READ_BY, node);
  }
  nl_strip *strip = nl_trace_fixed(t, width, t->origins[value].reason, t->origins[value].node);
  t->trails[value] = (nl_trail){strip, back, false};
  return strip;
}

static void add_linear(nl_tracing *t, nl_linear *linear, nl_strip *in, nl_strip *out) {
  nl_traced_linear *linears = nl_trace_grown(t, t->linears, t->linear_count, &t->linear_room, sizeof *linears);
  if (linears == NULL) return;
  t->linears = linears;
  linear->in_width = in->length;
  linear->out_width = out->length;
  linears[t->linear_count++] = (nl_traced_linear){*linear, in, out};
}

static nl_linear bare_linear(const nl_tracing *t, nl_linear_kind kind, size_t node, size_t read) {
  return (nl_linear){.kind = kind,
                     .node = node,
                     .alpha = 1,
                     .beta = 1,
                     .bias = {NL_NONE, NL_NONE},
                     .bias_back = 1,
                     .groups = 1,
                     .kernel_size = 1,
                     .read = read,
                     .written = t->graph->nodes[node].outputs[0]};
}

static void set_weights(nl_linear *linear, const nl_view *view, size_t out_axis, size_t in_axis) {
  linear->weights = view->place;
  linear->weights_rank = view->rank;
  linear->weights_dims = view->written;
  linear->weights_out_axis = view->axes[out_axis];
  linear->weights_in_axis = view->axes[in_axis];
  linear->out_stride = view->strides[out_axis];
  linear->in_stride = view->strides[in_axis];
}

// Where a Reshape on the way states the sizes of the weights.
static bool state_weights(nl_tracing *t, const nl_view *view, size_t axis, nl_strip *strip) {
  if (view->reshape == NL_NONE) return true;
  return nl_trace_state_size(t, view->reshape, 1, view->axes[axis], strip);
}

// ---- biases ----------------------------------------------------------------------------------------------------------

static bool editable(const nl_tensor *tensor) { return tensor != NULL && nl_type_is_float(tensor->type); }

// One number a channel, and nothing else: ones around the axis `back`.
static bool lies_along(const nl_tensor *tensor, size_t back, size_t width) {
  if (!editable(tensor) || tensor->rank < back || tensor->count != width) return false;
  return (uint64_t)tensor->dims[tensor->rank - back] == width;
}

// Whether input `slot` of the node is empty or a bias that can be edited.
static bool bias_fits(const nl_tracing *t, size_t node, size_t slot, size_t back, size_t width) {
  return nl_trace_input(t, node, slot) == NL_NONE || lies_along(nl_trace_constant(t, node, slot), back, width);
}

static void take_bias(const nl_tracing *t, nl_linear *linear, size_t slot, size_t back, bool room) {
  linear->bias_back = back;
  linear->has_bias = nl_trace_input(t, linear->node, slot) != NL_NONE;
  if (linear->has_bias || room) linear->bias = nl_node_place(t->graph, linear->node, slot);
}

// The only reader of a product, where that is an Add of one number a channel.
static size_t adding_node(const nl_tracing *t, size_t value, size_t *slot, size_t back, size_t width) {
  const nl_value *product = &t->graph->values[value];
  if (product->use_count != 1 || product->is_output || product->uses[0].slot > 1) return NL_NONE;
  const size_t index = product->uses[0].node;
  const nl_node *node = &t->graph->nodes[index];
  *slot = 1 - product->uses[0].slot;
  const bool adds = nl_span_is(node->op, "Add") && node->domain.size == 0 && node->input_count == 2;
  return adds && lies_along(nl_trace_constant(t, index, *slot), back, width) ? index : NL_NONE;
}

// MatMul and Add: the sum is the bias.
static void take_sum(nl_tracing *t, nl_linear *linear, size_t back, size_t width) {
  size_t slot = 0;
  const size_t index = adding_node(t, linear->written, &slot, back, width);
  if (index == NL_NONE) return;
  linear->bias = nl_node_place(t->graph, index, slot);
  linear->has_bias = true;
  linear->bias_back = back;
  linear->written = t->graph->nodes[index].outputs[0];
  t->absorbed[index] = true;
}

// ---- Gemm and MatMul -------------------------------------------------------------------------------------------------

typedef struct product {
  size_t activation, weight; // slots
  size_t in_back, out_back;  // axis of the activation before and after
  size_t in_axis, out_axis;  // of the weight's last two axes
} product;

static bool is_matrix(const nl_view *view) {
  for (size_t k = 0; k + 2 < view->rank; k++)
    if (view->dims[k] != 1) return false;
  return view->rank >= 2;
}

// Whether the activation has the axis, and the product no more axes than it.
static bool reaches(nl_tracing *t, size_t value, const product *p, const nl_view *view) {
  const nl_shape *shape = nl_trace_shape(t, value);
  if (shape == NULL) return view->rank == 2 && (p->in_back == 1 || nl_trace_trail(t, value) != NULL);
  return shape->rank >= p->in_back && (view->rank == 2 || shape->rank >= view->rank);
}

// Channels on another axis than the product contracts go through, each by itself; unless they stay anyway, and the product
// may have hidden channels of its own.
static bool passes_by(nl_tracing *t, size_t node, const product *p) {
  const nl_trail *trail = nl_trace_trail_at(t, node, p->activation);
  if (trail == NULL || trail->back == p->in_back || nl_trace_pinned(t, trail->strip)) return false;
  nl_trace_follow(t, node, 0, trail->strip, trail->back, trail->zeros);
  return true;
}

static bool add_product(nl_tracing *t, nl_linear *linear, const product *p, const nl_view *view) {
  const size_t out_axis = view->rank - 2 + p->out_axis, in_axis = view->rank - 2 + p->in_axis;
  nl_strip *in = read_strip(t, linear->node, linear->read, p->in_back, view->dims[in_axis]);
  if (in == NULL) return false;
  nl_strip *out = nl_trace_fresh(t, view->dims[out_axis]);
  linear->in.back = p->in_back;
  linear->out.back = p->out_back;
  set_weights(linear, view, out_axis, in_axis);
  if (!state_weights(t, view, out_axis, out) || !state_weights(t, view, in_axis, in)) {
    nl_trace_pin(t, in, NL_REASON_READ_BY, linear->node);
    nl_trace_pin(t, out, NL_REASON_WEIGHTS, linear->node);
  }
  add_linear(t, linear, in, out);
  nl_trace_follow(t, linear->node, 0, out, p->out_back, false);
  return true;
}

bool nl_trace_matmul(nl_tracing *t, size_t node) {
  static const product right = {0, 1, 1, 1, 0, 1}; // X W, W (in, out)
  static const product left = {1, 0, 2, 2, 1, 0};  // W X, W (out, in)
  static const product vector = {1, 0, 1, 1, 1, 0};
  nl_view view;
  const product *p = nl_trace_view(t, node, 1, &view) ? &right : &left;
  if (p == &left && !nl_trace_view(t, node, 0, &view)) return false;
  const size_t value = nl_trace_input(t, node, p->activation);
  const nl_shape *shape = nl_trace_shape(t, value);
  if (p == &left && shape != NULL && shape->rank == 1) p = &vector;
  if (value == NL_NONE || !is_matrix(&view) || !reaches(t, value, p, &view)) return false;
  if (passes_by(t, node, p)) return true;
  nl_linear linear = bare_linear(t, NL_LINEAR_DENSE, node, value);
  take_sum(t, &linear, p->out_back, view.dims[view.rank - 2 + p->out_axis]);
  return add_product(t, &linear, p, &view);
}

// Y = alpha A' B' + beta C
bool nl_trace_gemm(nl_tracing *t, size_t node) {
  const nl_node *gemm = nl_trace_node(t, node);
  const bool a_turned = nl_node_int(gemm, "transA", 0) != 0, b_turned = nl_node_int(gemm, "transB", 0) != 0;
  const product right = {0, 1, a_turned ? 2 : 1, 1, b_turned ? 1 : 0, b_turned ? 0 : 1};
  const product left = {1, 0, b_turned ? 1 : 2, 2, a_turned ? 0 : 1, a_turned ? 1 : 0};
  nl_view view;
  const product *p = nl_trace_view(t, node, 1, &view) ? &right : &left;
  if (p == &left && !nl_trace_view(t, node, 0, &view)) return false;
  const size_t value = nl_trace_input(t, node, p->activation);
  if (value == NL_NONE || view.rank != 2 || !bias_fits(t, node, 2, p->out_back, view.dims[p->out_axis])) return false;
  nl_linear linear = bare_linear(t, NL_LINEAR_DENSE, node, value);
  linear.alpha = nl_node_float(gemm, "alpha", 1);
  linear.beta = nl_node_float(gemm, "beta", 1);
  take_bias(t, &linear, 2, p->out_back, p == &right && t->graph->opset >= 11 && linear.beta != 0);
  if (linear.alpha == 0 || (linear.has_bias && linear.beta == 0)) return false;
  return passes_by(t, node, p) || add_product(t, &linear, p, &view);
}

// ---- convolutions ------------------------------------------------------------------------------------------------------

enum { KERNEL_MOST = 1 << 20 };

static bool read_sizes(const nl_node *node, const char *name, size_t count, size_t *sizes, size_t otherwise,
                       int64_t least) {
  const nl_attribute *attribute = nl_node_attribute(node, name);
  for (size_t i = 0; i < count; i++) sizes[i] = otherwise;
  if (attribute == NULL) return true;
  if (attribute->type != NL_ATTRIBUTE_INTS || attribute->count < count) return attribute->count == 0;
  for (size_t i = 0; i < count; i++) {
    if (attribute->ints[i] < least || attribute->ints[i] > KERNEL_MOST) return false;
    sizes[i] = (size_t)attribute->ints[i];
  }
  return true;
}

static bool is_string(const nl_node *node, const char *name, const char *text) {
  const nl_attribute *attribute = nl_node_attribute(node, name);
  return attribute != NULL && nl_span_is(attribute->s, text);
}

// kernel, stride, dilation, pads. False for what no runtime takes.
static bool read_window(nl_linear *linear, const nl_node *node, const nl_view *view) {
  const bool transposed = linear->kind == NL_LINEAR_CONV_TRANSPOSE;
  linear->spatial = view->rank - 2;
  size_t pads[2 * NL_SPATIAL_MOST];
  if (!read_sizes(node, "strides", linear->spatial, linear->stride, 1, 1) ||
      !read_sizes(node, "dilations", linear->spatial, linear->dilation, 1, 1) ||
      !read_sizes(node, "pads", 2 * linear->spatial, pads, 0, 0))
    return false;
  linear->auto_pad = is_string(node, "auto_pad", "SAME_UPPER") ? 1 : is_string(node, "auto_pad", "SAME_LOWER") ? 2 : 0;
  if (is_string(node, "auto_pad", "VALID")) memset(pads, 0, sizeof pads);
  for (size_t k = 0; k < linear->spatial; k++) {
    linear->kernel[k] = view->dims[2 + k];
    linear->kernel_size *= view->dims[2 + k];
    linear->pad[k] = pads[k];
    linear->padded = linear->padded || pads[k] != 0 || pads[linear->spatial + k] != 0;
    // Each output of a transposed convolution reads other offsets of the kernel.
    linear->padded = linear->padded || (transposed && (linear->stride[k] > 1 || linear->kernel[k] > 1));
    linear->padded = linear->padded || (linear->auto_pad != 0 && linear->kernel[k] > 1);
  }
  return true;
}

// A transposed convolution may be given its output's size instead of pads; what its input's size leaves over is cut off,
// (specification of ConvTranspose) half of it at the beginning.
static bool read_output_size(nl_tracing *t, nl_linear *linear) {
  const nl_node *node = nl_trace_node(t, linear->node);
  const nl_attribute *sizes = nl_node_attribute(node, "output_shape"),
                     *more = nl_node_attribute(node, "output_padding");
  if (linear->kind != NL_LINEAR_CONV_TRANSPOSE || sizes == NULL) return true;
  if (sizes->type != NL_ATTRIBUTE_INTS || sizes->count < linear->spatial) return false;
  for (size_t k = 0; k < linear->spatial; k++) {
    const int64_t in = nl_trace_size(t, linear->read, linear->spatial - k);
    const int64_t out = sizes->ints[sizes->count - linear->spatial + k];
    const int64_t added = more != NULL && more->type == NL_ATTRIBUTE_INTS && k < more->count ? more->ints[k] : 0;
    if (in < 1 || in > KERNEL_MOST || out < 1 || out > INT32_MAX || added < 0 || added > KERNEL_MOST) return false;
    const int64_t reach = (int64_t)(linear->kernel[k] - 1) * (int64_t)linear->dilation[k] + 1;
    const int64_t left = (int64_t)linear->stride[k] * (in - 1) + added + reach - out;
    if (left < 0) return false;
    linear->pad[k] = (size_t)(linear->auto_pad == 1 ? left / 2 : left - left / 2);
  }
  linear->auto_pad = 0;
  return true;
}

static bool conv_view(nl_tracing *t, size_t node, nl_view *view) {
  if (!nl_trace_view(t, node, 1, view) || view->rank < 3 || view->rank > 2 + NL_SPATIAL_MOST) return false;
  for (size_t k = 0; k < view->rank; k++)
    if (view->axes[k] != k || view->dims[k] > KERNEL_MOST) return false;
  const nl_shape *shape = nl_trace_shape(t, nl_trace_input(t, node, 0));
  return view->reshape == NL_NONE && (shape == NULL || shape->rank == view->rank);
}

// `groups` blocks, all of one group: each keeps the same of its channels.
static nl_strip *blocks(nl_tracing *t, size_t groups, size_t width) {
  return nl_trace_repeat(t, nl_trace_fresh(t, width / groups), groups);
}

static bool add_convolution(nl_tracing *t, nl_linear *linear, const nl_view *view) {
  const size_t back = view->rank - 1, groups = linear->groups;
  const bool transposed = linear->kind == NL_LINEAR_CONV_TRANSPOSE;
  const size_t out_width = view->dims[transposed ? 1 : 0] * (transposed ? groups : 1);
  const size_t in_width = view->dims[transposed ? 0 : 1] * (transposed ? 1 : groups);
  if (linear->read == NL_NONE || !read_window(linear, nl_trace_node(t, linear->node), view)) return false;
  if (!read_output_size(t, linear)) return false;
  if (!bias_fits(t, linear->node, 2, 1, out_width)) return false;
  nl_strip *in = read_strip(t, linear->node, linear->read, back, in_width);
  nl_strip *out = blocks(t, groups, out_width);
  if (in == NULL) return false;
  if (groups > 1) nl_trace_tie(t, in, blocks(t, groups, in_width), linear->node);
  linear->padded = linear->padded || t->trails[linear->read].zeros;
  linear->in.back = linear->out.back = back;
  set_weights(linear, view, transposed ? 1 : 0, transposed ? 0 : 1);
  take_bias(t, linear, 2, 1, true);
  add_linear(t, linear, in, out);
  nl_trace_follow(t, linear->node, 0, out, back, false);
  return true;
}

// A filter of its own for each channel: nothing is mixed. `times` filters a channel; the weights lie along axis 0, each
// channel's in a run.
static bool pass_depthwise(nl_tracing *t, size_t node, const nl_view *view, size_t groups, size_t run, size_t times) {
  const size_t value = nl_trace_input(t, node, 0), back = view->rank - 1;
  if (value == NL_NONE || times > SIZE_MAX / 16 / groups || !bias_fits(t, node, 2, 1, groups * times)) return false;
  nl_strip *in = read_strip(t, node, value, back, groups);
  if (in == NULL) return false;
  nl_strip *out = nl_trace_spread(t, in, times);
  const nl_statement group = {.kind = NL_STATEMENT_ATTRIBUTE, .place = {node, 0}, .name = "group", .index = NL_NONE};
  nl_trace_state(t, group, in, NL_NONE);
  nl_trace_rider(t, view->place, view->rank, nl_trace_spread(t, in, run));
  if (nl_trace_input(t, node, 2) != NL_NONE) nl_trace_rider(t, nl_node_place(t->graph, node, 2), 1, out);
  nl_trace_follow(t, node, 0, out, back, t->trails[value].zeros);
  return true;
}

bool nl_trace_conv(nl_tracing *t, size_t node) {
  nl_view view;
  const int64_t group = nl_node_int(nl_trace_node(t, node), "group", 1);
  if (group < 1 || group > KERNEL_MOST || !conv_view(t, node, &view)) return false;
  const size_t groups = (size_t)group;
  if (view.dims[0] % groups != 0) return false;
  if (groups > 1 && view.dims[1] == 1)
    return pass_depthwise(t, node, &view, groups, view.dims[0] / groups, view.dims[0] / groups);
  nl_linear linear = bare_linear(t, NL_LINEAR_CONV, node, nl_trace_input(t, node, 0));
  linear.groups = groups;
  return add_convolution(t, &linear, &view);
}

bool nl_trace_conv_transpose(nl_tracing *t, size_t node) {
  nl_view view;
  const int64_t group = nl_node_int(nl_trace_node(t, node), "group", 1);
  if (group < 1 || group > KERNEL_MOST || !conv_view(t, node, &view)) return false;
  const size_t groups = (size_t)group;
  if (view.dims[0] % groups != 0) return false;
  if (groups > 1 && view.dims[0] == groups) return pass_depthwise(t, node, &view, groups, 1, view.dims[1]);
  nl_linear linear = bare_linear(t, NL_LINEAR_CONV_TRANSPOSE, node, nl_trace_input(t, node, 0));
  linear.groups = groups;
  return add_convolution(t, &linear, &view);
}
