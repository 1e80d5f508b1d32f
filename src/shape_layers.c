// shape: layers and pooling.
#include "shape_parts.h"

typedef enum padding { PADS_GIVEN, PADS_SAME, PADS_VALID, PADS_STRANGE } padding;

// What a kernel does along one spatial axis.
typedef struct window {
  int64_t kernel, stride, dilation, begin, end;
} window;

enum { WINDOW_MOST = 1 << 30 };

static padding padding_of(const nl_node *node) {
  const nl_attribute *attribute = nl_node_attribute(node, "auto_pad");
  if (attribute == NULL || attribute->s.size == 0 || nl_span_is(attribute->s, "NOTSET")) return PADS_GIVEN;
  if (nl_span_is(attribute->s, "SAME_UPPER") || nl_span_is(attribute->s, "SAME_LOWER")) return PADS_SAME;
  return nl_span_is(attribute->s, "VALID") ? PADS_VALID : PADS_STRANGE;
}

// `index` of an attribute of `count` numbers; `otherwise` without the attribute, -1 where it is strange.
static int64_t number_at(const nl_node *node, const char *name, size_t count, size_t index, int64_t otherwise) {
  const nl_attribute *attribute = nl_node_attribute(node, name);
  if (attribute == NULL || (attribute->type == NL_ATTRIBUTE_INTS && attribute->count == 0)) return otherwise;
  if (attribute->type != NL_ATTRIBUTE_INTS || attribute->count != count) return -1;
  return attribute->ints[index] <= WINDOW_MOST ? attribute->ints[index] : -1;
}

// False where it is no window.
static bool window_at(const nl_node *node, size_t spatial, size_t axis, int64_t kernel, window *out) {
  const bool given = padding_of(node) == PADS_GIVEN;
  const window w = {
      .kernel = number_at(node, "kernel_shape", spatial, axis, kernel),
      .stride = number_at(node, "strides", spatial, axis, 1),
      .dilation = number_at(node, "dilations", spatial, axis, 1),
      .begin = given ? number_at(node, "pads", 2 * spatial, axis, 0) : 0,
      .end = given ? number_at(node, "pads", 2 * spatial, spatial + axis, 0) : 0,
  };
  *out = w;
  const bool sized = w.kernel > 0 && w.kernel <= WINDOW_MOST && w.stride > 0 && w.dilation > 0;
  return sized && w.begin >= 0 && w.end >= 0 && padding_of(node) != PADS_STRANGE;
}

static int64_t reach(const window *w) { return w->dilation * (w->kernel - 1) + 1; }

// How many windows fit (operator Conv; MaxPool with ceil_mode).
static int64_t window_count(int64_t in, const window *w, padding pads, bool pool, bool ceil) {
  const int64_t slack = w->begin + w->end - (reach(w) - 1);
  if (pool && pads == PADS_SAME && reach(w) != w->kernel) return -1; // ONNX Runtime pads as if nothing were dilated
  if (pads == PADS_SAME) return w->stride == 1 ? in : in < 0 ? -1 : (in + w->stride - 1) / w->stride;
  if (w->stride == 1 && slack == 0) return in;
  if (in < 0 || in + slack < 1) return -1;
  const int64_t whole = (in + slack - 1) / w->stride + 1;
  if (!ceil || (in + slack - 1) % w->stride == 0) return whole;
  // A last window that begins in the padding counted in older runtimes and counts no more.
  return pads == PADS_GIVEN && whole * w->stride < in + w->begin ? whole + 1 : -1;
}

// Sizes of the spatial axes from the input's, `kernel` (spatial) where no attribute says it.
static void count_windows(const nl_shaping *s, const nl_shape *in, const int64_t *kernel, int64_t *dims) {
  const size_t spatial = in->rank - 2;
  const padding pads = padding_of(s->node);
  const bool ceil = nl_node_int(s->node, "ceil_mode", 0) != 0;
  for (size_t i = 0; i < spatial; i++) {
    window w;
    const bool fine = window_at(s->node, spatial, i, kernel != NULL ? kernel[i] : -1, &w);
    dims[2 + i] = fine ? window_count(in->dims[2 + i], &w, pads, kernel == NULL, ceil) : -1;
  }
}

nl_status nl_shape_conv(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0), *weights = nl_shaping_input(s, 1);
  if (weights == NULL || weights->rank < 3 || (in != NULL && in->rank != weights->rank)) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST];
  for (size_t i = 0; i < weights->rank; i++) dims[i] = -1;
  if (in != NULL) {
    dims[0] = in->dims[0];
    count_windows(s, in, weights->dims + 2, dims);
  }
  dims[1] = weights->dims[0];
  return nl_shaping_set(s, 0, weights->rank, dims);
}

// (in - 1) stride + output_padding + reach - pads; SAME: in * stride (operator ConvTranspose).
static int64_t spread_size(int64_t in, const window *w, int64_t extra, padding pads) {
  if (w->stride == 1 && reach(w) - 1 + extra == w->begin + w->end) return in;
  if (in < 1) return -1;
  const int64_t whole = nl_size_multiply(in - 1, w->stride);
  if (whole < 0) return -1;
  const int64_t size = whole + extra + reach(w) - w->begin - w->end;
  if (size < 1 || (pads == PADS_SAME && size < whole + w->stride)) return -1;
  return pads == PADS_SAME ? whole + w->stride : size;
}

nl_status nl_shape_conv_transpose(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0), *weights = nl_shaping_input(s, 1);
  if (weights == NULL || weights->rank < 3 || (in != NULL && in->rank != weights->rank)) return NL_OK;
  const size_t rank = weights->rank, spatial = rank - 2;
  const nl_attribute *stated = nl_node_attribute(s->node, "output_shape");
  const bool all = stated != NULL && stated->count == rank; // older exporters state the first two as well
  int64_t dims[NL_SHAPE_RANK_MOST];
  for (size_t i = 0; i < spatial; i++) {
    window w;
    const bool fine = window_at(s->node, spatial, i, weights->dims[2 + i], &w);
    const int64_t extra = number_at(s->node, "output_padding", spatial, i, 0);
    if (stated != NULL)
      dims[2 + i] = number_at(s->node, "output_shape", all ? rank : spatial, all ? 2 + i : i, -1);
    else
      dims[2 + i] =
          fine && extra >= 0 && in != NULL ? spread_size(in->dims[2 + i], &w, extra, padding_of(s->node)) : -1;
  }
  dims[0] = in != NULL ? in->dims[0] : -1;
  const int64_t group = nl_node_int(s->node, "group", 1);
  dims[1] = group == 1 ? weights->dims[1] : nl_size_multiply(weights->dims[1], group);
  return nl_shaping_set(s, 0, rank, dims);
}

nl_status nl_shape_pool(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  if (in == NULL || in->rank < 3) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST] = {in->dims[0], in->dims[1]};
  count_windows(s, in, NULL, dims);
  NL_TRY(nl_shaping_set(s, 0, in->rank, dims));
  return nl_shaping_set(s, 1, in->rank, dims); // MaxPool's indices
}

nl_status nl_shape_global_pool(nl_shaping *s) {
  const nl_shape *in = nl_shaping_input(s, 0);
  if (in == NULL || in->rank < 2) return NL_OK;
  int64_t dims[NL_SHAPE_RANK_MOST] = {in->dims[0], in->dims[1]};
  for (size_t i = 2; i < in->rank; i++) dims[i] = 1;
  return nl_shaping_set(s, 0, in->rank, dims);
}

nl_status nl_shape_gemm(nl_shaping *s) {
  const nl_shape *a = nl_shaping_input(s, 0), *b = nl_shaping_input(s, 1);
  const bool a_turned = nl_node_int(s->node, "transA", 0) != 0, b_turned = nl_node_int(s->node, "transB", 0) != 0;
  if ((a != NULL && a->rank != 2) || (b != NULL && b->rank != 2)) return NL_OK;
  const int64_t dims[2] = {a != NULL ? a->dims[a_turned ? 1 : 0] : -1, b != NULL ? b->dims[b_turned ? 0 : 1] : -1};
  return nl_shaping_set(s, 0, 2, dims);
}

// As numpy's matmul: vectors lose the axis that was added to them.
nl_status nl_shape_matmul(nl_shaping *s) {
  const nl_shape *a = nl_shaping_input(s, 0), *b = nl_shaping_input(s, 1);
  if (a == NULL || b == NULL || a->rank == 0 || b->rank == 0) return NL_OK;
  const size_t a_batch = a->rank > 2 ? a->rank - 2 : 0, b_batch = b->rank > 2 ? b->rank - 2 : 0;
  const size_t batch = a_batch > b_batch ? a_batch : b_batch;
  int64_t dims[NL_SHAPE_RANK_MOST];
  size_t rank = batch;
  for (size_t back = 1; back <= batch; back++)
    dims[batch - back] =
        nl_size_broadcast(back <= a_batch ? a->dims[a_batch - back] : 1, back <= b_batch ? b->dims[b_batch - back] : 1);
  if (a->rank > 1) dims[rank++] = a->dims[a->rank - 2];
  if (b->rank > 1) dims[rank++] = b->dims[b->rank - 1];
  return nl_shaping_set(s, 0, rank, dims);
}
