// json_tfjs_spatial: convolutions, pooling, padding. Their values have the channels on axis 1 in ONNX; a Transpose comes where a
// neighbour needs them elsewhere.
#include <string.h>

#include "json_tfjs.h"

enum { SPATIAL = 2 };

// A window that moves over the axes behind the channels.
typedef struct window {
  size_t spatial;
  bool first; // config's data_format: the value has the channels on axis 1 in TensorFlow.js too
  bool same, automatic;
  int64_t size[SPATIAL], stride[SPATIAL], dilation[SPATIAL];
  int64_t pads[2 * SPATIAL]; // before each axis, then behind
  int64_t out[SPATIAL];
} window;

static int64_t *channels_of(const window *w, nl_tfjs_call *call) { return &call->dims[w->first ? 1 : w->spatial + 1]; }
static int64_t *spatial_of(const window *w, nl_tfjs_call *call) { return &call->dims[w->first ? 2 : 1]; }

static size_t spatial_of_kind(const char *kind) { return strstr(kind, "1D") != NULL ? 1 : 2; }

static nl_status open_window(nl_tfjs_reading *r, window *w, nl_tfjs_call **input) {
  *w = (window){.spatial = spatial_of_kind(r->layer->kind), .stride = {1, 1}, .dilation = {1, 1}};
  const cJSON *padding = nl_tfjs_config(r, "padding");
  NL_TRY(nl_tfjs_input(r, input));
  if ((*input)->rank != w->spatial + 2)
    return nl_tfjs_misfit(r, w->spatial == 1 ? "it reads sequences, and what comes is none"
                                             : "it reads images, and what comes is none");
  NL_TRY(nl_tfjs_channels_first(r, &w->first));
  if (w->first && w->spatial == 1) return nl_tfjs_refuse(r, "a sequence with its channels first");
  w->same = nl_tfjs_word(padding, "same");
  if (padding != NULL && !w->same && !nl_tfjs_word(padding, "valid")) return nl_tfjs_refuse(r, "padding of its kind");
  return NL_OK;
}

// What "same" adds to an axis: so much that the output has ceil(size / stride) places, the odd one behind.
static int64_t missing(int64_t size, int64_t reach, int64_t stride) {
  const int64_t needed = ((size + stride - 1) / stride - 1) * stride + reach;
  return needed > size ? needed - size : 0;
}

static nl_status place_window(nl_tfjs_reading *r, window *w, nl_tfjs_call *input) {
  const int64_t *sizes = spatial_of(w, input);
  for (size_t i = 0; i < w->spatial; i++) {
    const int64_t size = sizes[i], stride = w->stride[i];
    if (w->size[i] > NL_TFJS_SIZE_MOST / w->dilation[i]) return nl_tfjs_misfit(r, "its kernel is too large");
    const int64_t reach = (w->size[i] - 1) * w->dilation[i] + 1;
    if (w->same && size < 0 && stride > 1) w->automatic = true;
    const int64_t added = !w->same ? 0 : size < 0 ? reach - 1 : missing(size, reach, stride);
    w->pads[i] = added / 2;
    w->pads[w->spatial + i] = added - added / 2;
    w->out[i] = size < 0 ? NL_TFJS_UNKNOWN : (size + added - reach) / stride + 1;
    if (size >= 0 && size + added < reach) return nl_tfjs_misfit(r, "its kernel is larger than what it reads");
  }
  if (w->automatic && (w->dilation[0] > 1 || w->dilation[1] > 1))
    return nl_tfjs_refuse(r, "a dilation and a stride over a size that is open");
  return NL_OK;
}

static nl_status put_window(nl_tfjs_reading *r, const window *w) {
  nl_onnx_builder *b = r->builder;
  NL_TRY(nl_onnx_builder_ints(b, "kernel_shape", w->spatial, w->size, r->error));
  NL_TRY(nl_onnx_builder_ints(b, "strides", w->spatial, w->stride, r->error));
  return w->automatic ? nl_onnx_builder_text(b, "auto_pad", "SAME_UPPER", r->error)
                      : nl_onnx_builder_ints(b, "pads", 2 * w->spatial, w->pads, r->error);
}

// The call's value: `channels`, and the window's places.
static void give(nl_tfjs_reading *r, const window *w, const char *name, nl_tfjs_call *input, int64_t channels) {
  nl_tfjs_give(r, name, !w->first, input);
  *channels_of(w, r->call) = channels;
  memcpy(spatial_of(w, r->call), w->out, w->spatial * sizeof w->out[0]);
}

// ---- convolutions --------------------------------------------------------------------------------------------------------

static nl_status open_convolution(nl_tfjs_reading *r, window *w, nl_tfjs_call **input) {
  int64_t groups = 1;
  NL_TRY(open_window(r, w, input));
  NL_TRY(nl_tfjs_wholes(r, "kernel_size", w->spatial, 1, w->size));
  NL_TRY(nl_tfjs_wholes(r, "strides", w->spatial, 1, w->stride));
  NL_TRY(nl_tfjs_wholes(r, "dilation_rate", w->spatial, 1, w->dilation));
  NL_TRY(nl_tfjs_whole(r, "groups", 1, &groups));
  if (groups != 1) return nl_tfjs_refuse(r, "a convolution in groups");
  if (*channels_of(w, *input) < 1) return nl_tfjs_misfit(r, "how many channels come in is not known");
  return place_window(r, w, *input);
}

static nl_status put_convolution(nl_tfjs_reading *r, const window *w, const char *part, int64_t groups,
                                 const char *const inputs[3], const char *to) {
  NL_TRY(nl_tfjs_open(r, "Conv", part, inputs[2] != NULL ? 3 : 2, inputs, to));
  NL_TRY(put_window(r, w));
  NL_TRY(nl_onnx_builder_ints(r->builder, "dilations", w->spatial, w->dilation, r->error));
  NL_TRY(nl_onnx_builder_int(r->builder, "group", groups, r->error));
  return nl_tfjs_close(r);
}

// A kernel of this window: (positions, in, out)
static nl_status put_kernel(nl_tfjs_reading *r, const window *w, const char *weight, int64_t in, int64_t out,
                            const char **name) {
  int64_t dims[NL_TFJS_RANK];
  memcpy(dims, w->size, w->spatial * sizeof dims[0]);
  dims[w->spatial] = in;
  dims[w->spatial + 1] = out;
  return nl_tfjs_put_weight(r, weight, w->spatial + 2, dims, name);
}

nl_status nl_tfjs_rule_convolution(nl_tfjs_reading *r) {
  window w;
  nl_tfjs_call *input;
  int64_t filters = 0;
  const char *inputs[3], *to;
  NL_TRY(open_convolution(r, &w, &input));
  NL_TRY(nl_tfjs_whole(r, "filters", 1, &filters));
  NL_TRY(nl_tfjs_lay(r, input, !w.first, &inputs[0]));
  NL_TRY(put_kernel(r, &w, "kernel", *channels_of(&w, input), filters, &inputs[1]));
  NL_TRY(nl_tfjs_put_weight(r, "bias", 1, &filters, &inputs[2]));
  NL_TRY(nl_tfjs_stage(r, &to));
  NL_TRY(put_convolution(r, &w, "", 1, inputs, to));
  give(r, &w, to, input, filters);
  return nl_tfjs_activate(r);
}

// How many channels come of each by a depthwise kernel, all together.
static nl_status multiplied(nl_tfjs_reading *r, int64_t in, int64_t *multiplier, int64_t *channels) {
  *multiplier = 1;
  NL_TRY(nl_tfjs_whole(r, "depth_multiplier", 1, multiplier));
  if (*multiplier > NL_TFJS_SIZE_MOST / in)
    return nl_fail_count(r->error, NL_ERROR_LIMIT, r->layer->name, NL_TFJS_SIZE_MOST, UINT64_MAX);
  *channels = in * *multiplier;
  return NL_OK;
}

nl_status nl_tfjs_rule_depthwise(nl_tfjs_reading *r) {
  window w;
  nl_tfjs_call *input;
  int64_t multiplier, channels;
  const char *inputs[3], *to;
  NL_TRY(open_convolution(r, &w, &input));
  if (w.dilation[0] != 1 || w.dilation[1] != 1)
    return nl_tfjs_refuse(r, "a dilated depthwise convolution, which TensorFlow.js runs without the dilation");
  const int64_t in = *channels_of(&w, input);
  NL_TRY(multiplied(r, in, &multiplier, &channels));
  NL_TRY(nl_tfjs_lay(r, input, !w.first, &inputs[0]));
  NL_TRY(put_kernel(r, &w, "depthwise_kernel", in, multiplier, &inputs[1]));
  NL_TRY(nl_tfjs_put_weight(r, "bias", 1, &channels, &inputs[2]));
  NL_TRY(nl_tfjs_stage(r, &to));
  NL_TRY(put_convolution(r, &w, "", in, inputs, to));
  give(r, &w, to, input, channels);
  return nl_tfjs_activate(r);
}

nl_status nl_tfjs_rule_separable(nl_tfjs_reading *r) {
  window w;
  nl_tfjs_call *input;
  int64_t multiplier, channels, filters = 0;
  const char *depthwise[3] = {NULL, NULL, NULL}, *pointwise[3], *to;
  NL_TRY(open_convolution(r, &w, &input));
  NL_TRY(nl_tfjs_whole(r, "filters", 1, &filters));
  const int64_t in = *channels_of(&w, input);
  NL_TRY(multiplied(r, in, &multiplier, &channels));
  NL_TRY(nl_tfjs_lay(r, input, !w.first, &depthwise[0]));
  NL_TRY(put_kernel(r, &w, "depthwise_kernel", in, multiplier, &depthwise[1]));
  NL_TRY(nl_tfjs_part(r, "/depthwise", &pointwise[0]));
  NL_TRY(put_convolution(r, &w, "/depthwise", in, depthwise, pointwise[0]));
  const window point = {.spatial = w.spatial, .size = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
  NL_TRY(put_kernel(r, &point, "pointwise_kernel", channels, filters, &pointwise[1]));
  NL_TRY(nl_tfjs_put_weight(r, "bias", 1, &filters, &pointwise[2]));
  NL_TRY(nl_tfjs_stage(r, &to));
  NL_TRY(put_convolution(r, &point, "", 1, pointwise, to));
  give(r, &w, to, input, filters);
  return nl_tfjs_activate(r);
}

// ---- pooling -------------------------------------------------------------------------------------------------------------

static bool is_average(const nl_tfjs_reading *r) { return strstr(r->layer->kind, "Average") != NULL; }

nl_status nl_tfjs_rule_pooling(nl_tfjs_reading *r) {
  window w;
  nl_tfjs_call *input;
  const char *x;
  NL_TRY(open_window(r, &w, &input));
  w.size[0] = w.size[1] = 2;
  NL_TRY(nl_tfjs_wholes(r, "pool_size", w.spatial, 1, w.size));
  memcpy(w.stride, w.size, sizeof w.stride);
  NL_TRY(nl_tfjs_wholes(r, "strides", w.spatial, 1, w.stride));
  NL_TRY(place_window(r, &w, input));
  NL_TRY(nl_tfjs_lay(r, input, !w.first, &x));
  NL_TRY(nl_tfjs_open(r, is_average(r) ? "AveragePool" : "MaxPool", "", 1, &x, r->call->label));
  NL_TRY(put_window(r, &w)); // an average leaves the padding out, as ONNX' does by default
  NL_TRY(nl_tfjs_close(r));
  give(r, &w, r->call->label, input, *channels_of(&w, input));
  return NL_OK;
}

nl_status nl_tfjs_rule_global_pooling(nl_tfjs_reading *r) {
  window w;
  nl_tfjs_call *input;
  const char *x, *pooled;
  NL_TRY(open_window(r, &w, &input));
  if (nl_tfjs_flag(r->layer, "keepdims", false)) return nl_tfjs_refuse(r, "a global pooling that keeps its axes");
  NL_TRY(nl_tfjs_lay(r, input, !w.first, &x));
  NL_TRY(nl_tfjs_part(r, "/pooled", &pooled));
  NL_TRY(nl_tfjs_node(r, is_average(r) ? "GlobalAveragePool" : "GlobalMaxPool", "", 1, &x, pooled));
  NL_TRY(nl_tfjs_node(r, "Flatten", "/flatten", 1, &pooled, r->call->label));
  nl_tfjs_give(r, r->call->label, false, input);
  r->call->rank = 2;
  r->call->dims[1] = *channels_of(&w, input);
  return NL_OK;
}

// ---- padding and upsampling ----------------------------------------------------------------------------------------------

// 1, [1, 2] or [[0, 1], [2, 3]]: rows before and behind, columns before and behind
static bool read_padding(const cJSON *padding, int64_t amounts[SPATIAL][2]) {
  const bool each = cJSON_IsArray(padding);
  const cJSON *item = each ? padding->child : padding;
  for (size_t i = 0; i < SPATIAL; i++) {
    const bool pair = each && cJSON_IsArray(item);
    const cJSON *before = pair ? item->child : item, *behind = pair && before != NULL ? before->next : before;
    const cJSON *both[2] = {before, behind};
    for (size_t k = 0; k < 2; k++) {
      if (!cJSON_IsNumber(both[k]) || !(both[k]->valuedouble >= 0 && both[k]->valuedouble <= NL_TFJS_SIZE_MOST))
        return false;
      amounts[i][k] = (int64_t)both[k]->valuedouble;
    }
    if (each) item = item->next;
  }
  return !each || item == NULL;
}

nl_status nl_tfjs_rule_padding(nl_tfjs_reading *r) {
  const cJSON *padding = nl_tfjs_config(r, "padding");
  window w = {.spatial = SPATIAL};
  nl_tfjs_call *input;
  int64_t amounts[SPATIAL][2] = {{1, 1}, {1, 1}};
  const char *inputs[2];
  NL_TRY(nl_tfjs_input(r, &input));
  NL_TRY(nl_tfjs_channels_first(r, &w.first));
  if (input->rank != SPATIAL + 2 || (padding != NULL && !read_padding(padding, amounts)))
    return nl_tfjs_misfit(r, "its padding is none of an image");
  NL_TRY(nl_tfjs_lay(r, input, !w.first, &inputs[0]));
  NL_TRY(nl_tfjs_part(r, "/pads", &inputs[1]));
  const int64_t pads[8] = {0, 0, amounts[0][0], amounts[1][0], 0, 0, amounts[0][1], amounts[1][1]};
  NL_TRY(nl_onnx_builder_whole(r->builder, inputs[1], 8, pads, r->error));
  NL_TRY(nl_tfjs_node(r, "Pad", "", 2, inputs, r->call->label));
  for (size_t i = 0; i < SPATIAL; i++) {
    const int64_t size = spatial_of(&w, input)[i];
    w.out[i] = size < 0 ? NL_TFJS_UNKNOWN : size + amounts[i][0] + amounts[i][1];
    if (w.out[i] > NL_TFJS_SIZE_MOST) return nl_tfjs_misfit(r, "its padding is too large");
  }
  give(r, &w, r->call->label, input, *channels_of(&w, input));
  return NL_OK;
}

nl_status nl_tfjs_rule_upsampling(nl_tfjs_reading *r) {
  const cJSON *interpolation = nl_tfjs_config(r, "interpolation");
  window w = {.spatial = SPATIAL, .size = {2, 2}};
  nl_tfjs_call *input;
  const char *inputs[3] = {NULL, "", NULL};
  NL_TRY(nl_tfjs_input(r, &input));
  NL_TRY(nl_tfjs_channels_first(r, &w.first));
  NL_TRY(nl_tfjs_wholes(r, "size", SPATIAL, 1, w.size));
  if (input->rank != SPATIAL + 2) return nl_tfjs_misfit(r, "it reads images, and what comes is none");
  if (interpolation != NULL && !nl_tfjs_word(interpolation, "nearest"))
    return nl_tfjs_refuse(r, "upsampling other than nearest");
  NL_TRY(nl_tfjs_lay(r, input, !w.first, &inputs[0]));
  NL_TRY(nl_tfjs_part(r, "/scales", &inputs[2]));
  const double scales[4] = {1, 1, (double)w.size[0], (double)w.size[1]};
  NL_TRY(nl_onnx_builder_tensor(r->builder, inputs[2], 1, (int64_t[]){4}, scales, r->error));
  NL_TRY(nl_tfjs_open(r, "Resize", "", 3, inputs, r->call->label));
  NL_TRY(nl_onnx_builder_text(r->builder, "coordinate_transformation_mode", "asymmetric", r->error));
  NL_TRY(nl_onnx_builder_text(r->builder, "mode", "nearest", r->error));
  NL_TRY(nl_onnx_builder_text(r->builder, "nearest_mode", "floor", r->error));
  NL_TRY(nl_tfjs_close(r));
  for (size_t i = 0; i < SPATIAL; i++) {
    const int64_t size = spatial_of(&w, input)[i];
    if (size > NL_TFJS_SIZE_MOST / w.size[i]) return nl_tfjs_misfit(r, "it makes an image that is too large");
    w.out[i] = size < 0 ? NL_TFJS_UNKNOWN : size * w.size[i];
  }
  give(r, &w, r->call->label, input, *channels_of(&w, input));
  return NL_OK;
}
