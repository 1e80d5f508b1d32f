// evaluate: a graph run by plain loops, one operator at a time, as the operator specification writes them. For tests of what
// rewrites graphs: slow, in doubles, and only what those tests need. Images are (N, C, H, W).
#ifndef TESTS_EVALUATE_H
#define TESTS_EVALUATE_H

#include "formats.h"

typedef struct field_of_numbers {
  size_t rank, dims[6], count;
  double *at; // NULL: not computed
} numbers;

typedef struct evaluation {
  const nl_graph *graph;
  const nl_node *node;
  numbers *values; // (values)
} evaluation;

static inline numbers numbers_of(size_t rank, const size_t *sizes) {
  numbers n = {.rank = rank, .count = 1};
  for (size_t i = 0; i < rank; i++) n.count *= n.dims[i] = sizes[i];
  n.at = calloc(n.count + 1, sizeof *n.at);
  return n;
}

static inline const numbers *given(const evaluation *e, size_t slot) {
  if (slot >= e->node->input_count || e->node->inputs[slot] == NL_NONE) return NULL;
  const numbers *n = &e->values[e->node->inputs[slot]];
  assert_non_null(n->at);
  return n;
}

static inline int64_t attribute_at(const evaluation *e, const char *name, size_t index, int64_t otherwise) {
  const nl_attribute *attribute = nl_node_attribute(e->node, name);
  return attribute == NULL ? otherwise : attribute->ints[index];
}

// Rows of `length` numbers before and after one axis.
static inline size_t stretch(const numbers *n, size_t from, size_t to) {
  size_t product = 1;
  for (size_t i = from; i < to; i++) product *= n->dims[i];
  return product;
}

// ---- operators -----------------------------------------------------------------------------------------------------------

typedef struct window2 {
  size_t kernel[2];
  int64_t stride[2], begin[2], end[2];
} window2;

static inline window2 window_of(const evaluation *e, const size_t *kernel) {
  window2 w;
  for (size_t i = 0; i < 2; i++) {
    w.kernel[i] = kernel != NULL ? kernel[i] : (size_t)attribute_at(e, "kernel_shape", i, 1);
    w.stride[i] = attribute_at(e, "strides", i, 1);
    w.begin[i] = attribute_at(e, "pads", i, 0), w.end[i] = attribute_at(e, "pads", 2 + i, 0);
  }
  return w;
}

// Where offset `k` of the window at `y` reads; NL_NONE: outside.
static inline size_t window_reads(const window2 *w, size_t axis, size_t y, size_t k, size_t size) {
  const int64_t at = (int64_t)y * w->stride[axis] - w->begin[axis] + (int64_t)k;
  return at >= 0 && at < (int64_t)size ? (size_t)at : NL_NONE;
}

static inline double pixel(const numbers *x, size_t n, size_t c, size_t h, size_t w) {
  return x->at[((n * x->dims[1] + c) * x->dims[2] + h) * x->dims[3] + w];
}

// The sum (or largest) of what a window sees in channel c, times `weights` (kernel) where given.
static inline double seen_through(const numbers *x, const window2 *w, size_t n, size_t c, size_t y, size_t z,
                                  const double *weights) {
  double sum = weights != NULL ? 0 : -INFINITY;
  for (size_t k = 0; k < w->kernel[0]; k++)
    for (size_t l = 0; l < w->kernel[1]; l++) {
      const size_t h = window_reads(w, 0, y, k, x->dims[2]), v = window_reads(w, 1, z, l, x->dims[3]);
      if (h == NL_NONE || v == NL_NONE) continue;
      const double value = pixel(x, n, c, h, v);
      if (weights != NULL) sum += weights[k * w->kernel[1] + l] * value;
      if (weights == NULL && value > sum) sum = value;
    }
  return sum;
}

static inline numbers windowed(const numbers *x, const window2 *w, size_t channels) {
  size_t sizes[4] = {x->dims[0], channels, 0, 0};
  for (size_t i = 0; i < 2; i++)
    sizes[2 + i] =
        ((size_t)((int64_t)x->dims[2 + i] + w->begin[i] + w->end[i]) - w->kernel[i]) / (size_t)w->stride[i] + 1;
  return numbers_of(4, sizes);
}

static inline numbers run_conv(const evaluation *e) {
  const numbers *x = given(e, 0), *f = given(e, 1), *b = given(e, 2);
  const window2 w = window_of(e, f->dims + 2);
  const size_t groups = (size_t)nl_node_int(e->node, "group", 1), in = f->dims[1], out = f->dims[0] / groups;
  assert_int_equal(in * groups, x->dims[1]);
  numbers y = windowed(x, &w, f->dims[0]);
  double *at = y.at;
  for (size_t n = 0; n < y.dims[0]; n++)
    for (size_t o = 0; o < y.dims[1]; o++)
      for (size_t h = 0; h < y.dims[2]; h++)
        for (size_t v = 0; v < y.dims[3]; v++, at++) {
          *at = b != NULL ? b->at[o] : 0;
          for (size_t i = 0; i < in; i++)
            *at += seen_through(x, &w, n, o / out * in + i, h, v, f->at + (o * in + i) * w.kernel[0] * w.kernel[1]);
        }
  return y;
}

static inline numbers run_conv_transpose(const evaluation *e) {
  const numbers *x = given(e, 0), *f = given(e, 1), *b = given(e, 2);
  const window2 w = window_of(e, f->dims + 2);
  const size_t groups = (size_t)nl_node_int(e->node, "group", 1), in = f->dims[0] / groups, out = f->dims[1];
  const size_t sizes[4] = {x->dims[0], out * groups, (x->dims[2] - 1) * (size_t)w.stride[0] + w.kernel[0],
                           (x->dims[3] - 1) * (size_t)w.stride[1] + w.kernel[1]};
  assert_int_equal(f->dims[0], x->dims[1]);
  numbers y = numbers_of(4, sizes);
  for (size_t i = 0; b != NULL && i < y.count; i++) y.at[i] = b->at[i / (sizes[2] * sizes[3]) % sizes[1]];
  for (size_t n = 0; n < sizes[0]; n++)
    for (size_t i = 0; i < f->dims[0]; i++)
      for (size_t o = 0; o < out; o++)
        for (size_t s = 0; s < x->dims[2] * x->dims[3] * w.kernel[0] * w.kernel[1]; s++) {
          const size_t l = s % w.kernel[1], k = s / w.kernel[1] % w.kernel[0], p = s / (w.kernel[0] * w.kernel[1]);
          const size_t h = p / x->dims[3], v = p % x->dims[3], channel = i / in * out + o;
          y.at[((n * sizes[1] + channel) * sizes[2] + h * (size_t)w.stride[0] + k) * sizes[3] +
               v * (size_t)w.stride[1] + l] +=
              pixel(x, n, i, h, v) * f->at[((i * out + o) * w.kernel[0] + k) * w.kernel[1] + l];
        }
  return y;
}

static inline numbers run_max_pool(const evaluation *e) {
  const numbers *x = given(e, 0);
  const window2 w = window_of(e, NULL);
  numbers y = windowed(x, &w, x->dims[1]);
  double *at = y.at;
  for (size_t n = 0; n < y.dims[0]; n++)
    for (size_t c = 0; c < y.dims[1]; c++)
      for (size_t h = 0; h < y.dims[2]; h++)
        for (size_t v = 0; v < y.dims[3]; v++) *at++ = seen_through(x, &w, n, c, h, v, NULL);
  return y;
}

// The element of `n` that broadcasts to element `index` of sizes (rank, dims).
static inline double broadcast(const numbers *n, size_t rank, const size_t *sizes, size_t index) {
  size_t at = 0, stride = 1;
  for (size_t back = 1; back <= rank; back++) {
    const size_t i = index % sizes[rank - back];
    index /= sizes[rank - back];
    if (back > n->rank) continue;
    const size_t size = n->dims[n->rank - back];
    assert_true(size == 1 || size == sizes[rank - back]);
    if (size != 1) at += i * stride;
    stride *= size;
  }
  return n->at[at];
}

static inline double combined(nl_span op, double a, double b) {
  if (nl_span_is(op, "Add")) return a + b;
  if (nl_span_is(op, "PRelu")) return a > 0 ? a : a * b;
  assert_span(op, "Mul");
  return a * b;
}

static inline numbers run_binary(const evaluation *e) {
  const numbers *a = given(e, 0), *b = given(e, 1);
  const size_t rank = a->rank > b->rank ? a->rank : b->rank;
  size_t sizes[6];
  for (size_t back = 1; back <= rank; back++) {
    const size_t u = back <= a->rank ? a->dims[a->rank - back] : 1, v = back <= b->rank ? b->dims[b->rank - back] : 1;
    sizes[rank - back] = u > v ? u : v;
  }
  numbers y = numbers_of(rank, sizes);
  for (size_t i = 0; i < y.count; i++)
    y.at[i] = combined(e->node->op, broadcast(a, rank, sizes, i), broadcast(b, rank, sizes, i));
  return y;
}

static inline double activated(nl_span op, double x) {
  if (nl_span_is(op, "Relu")) return x > 0 ? x : 0;
  if (nl_span_is(op, "Sigmoid")) return 1 / (1 + exp(-x));
  return x;
}

static inline numbers run_unary(const evaluation *e) {
  const numbers *x = given(e, 0);
  numbers y = numbers_of(x->rank, x->dims);
  for (size_t i = 0; i < y.count; i++) y.at[i] = activated(e->node->op, x->at[i]);
  return y;
}

static inline numbers run_batch_normalization(const evaluation *e) {
  const numbers *x = given(e, 0), *c[4] = {given(e, 1), given(e, 2), given(e, 3), given(e, 4)};
  numbers y = numbers_of(x->rank, x->dims);
  const size_t inner = stretch(x, 2, x->rank);
  for (size_t i = 0; i < 4; i++) assert_int_equal(c[i]->count, x->dims[1]);
  for (size_t i = 0; i < y.count; i++) {
    const size_t k = i / inner % x->dims[1];
    y.at[i] = c[0]->at[k] * (x->at[i] - c[2]->at[k]) / sqrt(c[3]->at[k] + 1e-5) + c[1]->at[k];
  }
  return y;
}

// (..., r, k) (k, c), the matrix turned where asked; rows are all but the last axis.
static inline numbers product_of(const numbers *a, const numbers *b, bool turned) {
  const size_t k = a->dims[a->rank - 1], columns = b->dims[turned ? 0 : 1];
  assert_int_equal(b->dims[turned ? 1 : 0], k);
  size_t sizes[6];
  memcpy(sizes, a->dims, sizeof sizes);
  sizes[a->rank - 1] = columns;
  numbers y = numbers_of(a->rank, sizes);
  for (size_t i = 0; i < y.count; i++)
    for (size_t j = 0; j < k; j++)
      y.at[i] += a->at[i / columns * k + j] * b->at[turned ? i % columns * k + j : j * columns + i % columns];
  return y;
}

static inline numbers run_gemm(const evaluation *e) {
  const numbers *c = given(e, 2);
  const double alpha = nl_node_float(e->node, "alpha", 1), beta = nl_node_float(e->node, "beta", 1);
  numbers y = product_of(given(e, 0), given(e, 1), nl_node_int(e->node, "transB", 0) != 0);
  for (size_t i = 0; i < y.count; i++)
    y.at[i] = alpha * y.at[i] + (c != NULL ? beta * broadcast(c, y.rank, y.dims, i) : 0);
  return y;
}

static inline numbers run_reshape(const evaluation *e, bool flat) {
  const numbers *x = given(e, 0), *target = flat ? NULL : given(e, 1);
  size_t sizes[6] = {x->dims[0], stretch(x, 1, x->rank)}, rank = flat ? 2 : target->count, known = 1, open = NL_NONE;
  for (size_t i = 0; !flat && i < rank; i++) {
    if (target->at[i] < 0) open = i;
    sizes[i] = target->at[i] == 0 ? x->dims[i] : (size_t)fabs(target->at[i]);
    known *= sizes[i];
  }
  if (open != NL_NONE) sizes[open] = x->count / known;
  numbers y = numbers_of(rank, sizes);
  assert_int_equal(y.count, x->count);
  memcpy(y.at, x->at, y.count * sizeof *y.at);
  return y;
}

static inline numbers run_transpose(const evaluation *e) {
  const numbers *x = given(e, 0);
  size_t sizes[6], from[6];
  for (size_t i = 0; i < x->rank; i++) from[i] = (size_t)attribute_at(e, "perm", i, (int64_t)(x->rank - 1 - i));
  for (size_t i = 0; i < x->rank; i++) sizes[i] = x->dims[from[i]];
  numbers y = numbers_of(x->rank, sizes);
  for (size_t index = 0; index < y.count; index++) {
    size_t rest = index, at = 0;
    for (size_t i = x->rank; i-- > 0; rest /= sizes[i]) at += rest % sizes[i] * stretch(x, from[i] + 1, x->rank);
    y.at[index] = x->at[at];
  }
  return y;
}

static inline numbers run_concat(const evaluation *e) {
  const size_t axis = (size_t)nl_node_int(e->node, "axis", 0);
  numbers y = *given(e, 0);
  y.dims[axis] = 0;
  for (size_t slot = 0; slot < e->node->input_count; slot++) y.dims[axis] += given(e, slot)->dims[axis];
  y = numbers_of(y.rank, y.dims);
  double *at = y.at;
  for (size_t o = 0; o < stretch(&y, 0, axis); o++)
    for (size_t slot = 0; slot < e->node->input_count; slot++) {
      const numbers *x = given(e, slot);
      const size_t length = stretch(x, axis, x->rank);
      memcpy(at, x->at + o * length, length * sizeof *at);
      at += length;
    }
  assert_int_equal(at - y.at, y.count);
  return y;
}

static inline void run_split(const evaluation *e) {
  const numbers *x = given(e, 0), *parts = given(e, 1);
  const size_t axis = (size_t)nl_node_int(e->node, "axis", 0), whole_length = stretch(x, axis, x->rank);
  size_t begun = 0;
  for (size_t i = 0; i < e->node->output_count; i++) {
    size_t sizes[6];
    memcpy(sizes, x->dims, sizeof sizes);
    sizes[axis] /= e->node->output_count;
    if (parts != NULL) sizes[axis] = (size_t)parts->at[i];
    if (nl_node_attribute(e->node, "split") != NULL) sizes[axis] = (size_t)attribute_at(e, "split", i, 0);
    numbers y = numbers_of(x->rank, sizes);
    const size_t length = stretch(&y, axis, y.rank);
    for (size_t o = 0; o < stretch(x, 0, axis); o++)
      memcpy(y.at + o * length, x->at + o * whole_length + begun, length * sizeof *y.at);
    begun += length;
    e->values[e->node->outputs[i]] = y;
  }
  assert_int_equal(begun, whole_length);
}

// ---- the whole -----------------------------------------------------------------------------------------------------------

static inline numbers run_node(const evaluation *e) {
  const nl_span op = e->node->op;
  if (nl_span_is(op, "Conv")) return run_conv(e);
  if (nl_span_is(op, "ConvTranspose")) return run_conv_transpose(e);
  if (nl_span_is(op, "MaxPool")) return run_max_pool(e);
  if (nl_span_is(op, "BatchNormalization")) return run_batch_normalization(e);
  if (nl_span_is(op, "Gemm")) return run_gemm(e);
  if (nl_span_is(op, "MatMul")) return product_of(given(e, 0), given(e, 1), false);
  if (nl_span_is(op, "Flatten")) return run_reshape(e, true);
  if (nl_span_is(op, "Reshape")) return run_reshape(e, false);
  if (nl_span_is(op, "Transpose")) return run_transpose(e);
  if (nl_span_is(op, "Concat")) return run_concat(e);
  if (nl_span_is(op, "Add") || nl_span_is(op, "Mul") || nl_span_is(op, "PRelu")) return run_binary(e);
  const bool unary = nl_span_is(op, "Relu") || nl_span_is(op, "Sigmoid") || nl_span_is(op, "Identity");
  if (!unary) fail_msg("nothing here runs %.*s", (int)op.size, (const char *)op.bytes);
  return run_unary(e);
}

static inline void read_constants(evaluation *e) {
  for (size_t v = 0; v < e->graph->value_count; v++) {
    if (e->graph->values[v].tensor == NL_NONE) continue;
    const nl_tensor *constant = &e->graph->tensors[e->graph->values[v].tensor];
    size_t sizes[6];
    for (size_t i = 0; i < constant->rank; i++) sizes[i] = (size_t)constant->dims[i];
    e->values[v] = numbers_of(constant->rank, sizes);
    OK(nl_tensor_read(constant, e->values[v].at, NULL));
  }
}

// The first output for inputs of seeded numbers, unknown sizes 2; the caller frees .at. Each value stated in the file has
// the sizes stated.
static inline numbers evaluated(const nl_graph *graph, uint64_t seed) {
  evaluation e = {.graph = graph, .values = calloc(graph->value_count, sizeof(numbers))};
  read_constants(&e);
  for (size_t i = 0; i < graph->input_count; i++) {
    const nl_value *input = &graph->values[graph->inputs[i]];
    size_t sizes[6];
    for (size_t k = 0; k < input->rank; k++) sizes[k] = input->dims[k] < 0 ? 2 : (size_t)input->dims[k];
    numbers *x = &e.values[graph->inputs[i]];
    *x = numbers_of(input->rank, sizes);
    for (size_t k = 0; k < x->count; k++) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      x->at[k] = (double)(seed >> 40) * 0x1p-23 - 1;
    }
  }
  for (size_t n = 0; n < graph->node_count; n++) {
    e.node = &graph->nodes[graph->order[n]];
    if (e.values[e.node->outputs[0]].at != NULL) continue; // a Constant
    if (nl_span_is(e.node->op, "Split"))
      run_split(&e);
    else
      e.values[e.node->outputs[0]] = run_node(&e);
  }
  for (size_t v = 0; v < graph->value_count; v++)
    for (size_t i = 0; graph->values[v].rank_known && i < graph->values[v].rank; i++)
      if (graph->values[v].dims[i] >= 0) assert_int_equal(e.values[v].dims[i], graph->values[v].dims[i]);
  const numbers y = e.values[graph->outputs[0]];
  for (size_t v = 0; v < graph->value_count; v++)
    if (e.values[v].at != y.at) free(e.values[v].at);
  free(e.values);
  return y;
}

#endif
