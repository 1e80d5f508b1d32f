// Sizes of values before a graph runs: every rule in numbers worked out by hand, exporters' chains of integers, hostile graphs.
#include "shape.h"

#include "formats.h"

// ---- a graph and its sizes ---------------------------------------------------------------------------------------------

static void zeros(message *m, const char *name, size_t rank, const int64_t *sizes) {
  static const float none[4096];
  initializer(m, name, rank, sizes, none);
}

static message started(size_t rank, const int64_t *sizes) {
  message m = {0};
  open_model(&m);
  info(&m, 11, "x", rank, sizes);
  return m;
}

typedef struct view {
  message m;
  nl_graph *graph;
  nl_shapes shapes;
} view;

static view seen_as(message m, int64_t opset) {
  begin(&m, 12), text(&m, 1, "y"), end(&m);
  end(&m), begin(&m, 8), text(&m, 1, ""), integer(&m, 2, opset), end(&m);
  view v = {.m = m, .graph = read_bytes(span_of(&m.bytes))};
  OK(nl_shapes_create(&v.shapes, v.graph, NULL));
  return v;
}
static void view_free(view *v) { nl_shapes_free(&v->shapes), nl_graph_free(v->graph), nl_buffer_free(&v->m.bytes); }
static const nl_shape *shape_named(const view *v, const char *name) {
  const size_t value = value_named(v->graph, name);
  assert_true(value != NL_NONE);
  return &v->shapes.values[value];
}

static void assert_shape(const view *v, const char *name, size_t rank, const int64_t *sizes) {
  const nl_shape *shape = shape_named(v, name);
  if (!shape->known) fail_msg("nothing is known of %s", name);
  assert_int_equal(shape->rank, rank);
  for (size_t i = 0; i < rank; i++)
    if (shape->dims[i] != sizes[i])
      fail_msg("axis %zu of %s is %lld where %lld is expected", i, name, (long long)shape->dims[i],
               (long long)sizes[i]);
}
// The sizes of "y", the graph then freed.
static void assert_y(message m, int64_t opset, size_t rank, const int64_t *sizes) {
  view v = seen_as(m, opset);
  assert_shape(&v, "y", rank, sizes);
  view_free(&v);
}
static void assert_unknown(message m, int64_t opset) {
  view v = seen_as(m, opset);
  assert_false(shape_named(&v, "y")->known);
  view_free(&v);
}

// One node from "x" (and others) to "y"; `attribute` NULL or of `count` numbers.
static void op_ints(message *m, const char *op, const char *inputs, const char *attribute, size_t count,
                    const int64_t *values) {
  open_node(m, op, "node", inputs, "y");
  if (attribute != NULL) ints(m, attribute, count, values);
  end(m);
}

// ---- layers and pooling ------------------------------------------------------------------------------------------------

typedef struct conv {
  int64_t in[2], kernel[2];
  const char *pad; // auto_pad
  int64_t strides[2], dilations[2], pads[4], out[2];
} conv;

static void windows(message *m, const conv *c, const char *op, const char *inputs, bool kernel) {
  open_node(m, op, "node", inputs, "y");
  if (kernel) ints(m, "kernel_shape", 2, c->kernel);
  if (c->pad != NULL)
    word(m, "auto_pad", c->pad);
  else
    ints(m, "pads", 4, c->pads);
  ints(m, "strides", 2, c->strides), ints(m, "dilations", 2, c->dilations);
}

static const conv CONVS[] = {
    {{28, 28}, {5, 5}, NULL, {1, 1}, {1, 1}, {2, 2, 2, 2}, {28, 28}},
    {{28, 30}, {3, 5}, NULL, {2, 1}, {1, 2}, {1, 0, 0, 3}, {14, 25}},
    {{28, 27}, {3, 2}, "SAME_UPPER", {2, 2}, {1, 1}, {0}, {14, 14}},
    {{28, 27}, {3, 2}, "SAME_LOWER", {3, 1}, {1, 1}, {0}, {10, 27}},
    {{28, 27}, {3, 2}, "VALID", {2, 2}, {1, 1}, {0}, {13, 13}},
    {{2, 27}, {3, 2}, "VALID", {2, 2}, {1, 1}, {0}, {-1, 13}}, // the window does not fit
    {{-1, -1}, {3, 3}, NULL, {1, 2}, {1, 1}, {1, 1, 1, 1}, {-1, -1}},
};

static void conv_counts_its_windows(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof CONVS / sizeof *CONVS; i++) {
    const conv *c = &CONVS[i];
    message m = started(SIZES(-1, 4, c->in[0], c->in[1]));
    zeros(&m, "w", SIZES(6, 4, c->kernel[0], c->kernel[1]));
    windows(&m, c, "Conv", "x w", i % 2 == 0), end(&m);
    assert_y(m, 13, SIZES(-1, 6, c->out[0], c->out[1]));
  }
}

static void conv_of_an_input_of_unknown_rank_still_has_its_channels(void **state) {
  (void)state;
  message m = started(SIZES(1));
  zeros(&m, "w", SIZES(6, 4, 3));
  node(&m, "Unheard", "u", "x", "z"), node(&m, "Conv", "c", "z w", "y");
  assert_y(m, 13, SIZES(-1, 6, -1));
}

static void transposed_convolutions_spread(void **state) {
  (void)state;
  const conv c = {{5, 7}, {3, 4}, NULL, {2, 3}, {1, 2}, {1, 0, 0, 1}, {0}};
  message m = started(SIZES(2, 4, 5, 7));
  zeros(&m, "w", SIZES(4, 3, 3, 4));
  windows(&m, &c, "ConvTranspose", "x w", false), ints(&m, "output_padding", SIZES(1, 0)), one(&m, "group", 2), end(&m);
  assert_y(m, 13, SIZES(2, 6, 11, 24));
  const conv same = {{5, 7}, {3, 4}, "SAME_UPPER", {2, 3}, {1, 1}, {0}, {0}};
  m = started(SIZES(2, 4, 5, 7));
  zeros(&m, "w", SIZES(4, 3, 3, 4));
  windows(&m, &same, "ConvTranspose", "x w", true), end(&m);
  assert_y(m, 13, SIZES(2, 3, 10, 21));
  m = started(SIZES(2, 4, -1, 7));
  zeros(&m, "w", SIZES(4, 3, 3, 4));
  windows(&m, &same, "ConvTranspose", "x w", true), ints(&m, "output_shape", SIZES(9, 22)), end(&m);
  assert_y(m, 13, SIZES(2, 3, 9, 22));
}

static const struct {
  conv windows;
  bool ceil;
} POOLS[] = {
    {{{28, 28}, {2, 2}, NULL, {2, 2}, {1, 1}, {0}, {14, 14}}, false},
    {{{27, 28}, {2, 3}, NULL, {2, 2}, {1, 1}, {0}, {14, 14}}, true},
    {{{27, 28}, {2, 3}, NULL, {2, 2}, {1, 1}, {0}, {13, 13}}, false},
    {{{5, 6}, {2, 2}, NULL, {2, 2}, {1, 1}, {0, 0, 1, 1}, {3, -1}}, true}, // runtimes count the last one differently
    {{{27, 28}, {3, 3}, "SAME_UPPER", {2, 3}, {1, 1}, {0}, {14, 10}}, false},
    {{{27, 28}, {3, 3}, NULL, {1, 1}, {2, 3}, {0, 1, 2, 3}, {25, 26}}, false},
    {{{27, 28}, {3, 1}, "SAME_LOWER", {1, 1}, {2, 2}, {0}, {-1, 28}}, false}, // the runtime forgets the dilation
};

static void pooling_counts_its_windows(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof POOLS / sizeof *POOLS; i++) {
    const conv *c = &POOLS[i].windows;
    message m = started(SIZES(-1, 4, c->in[0], c->in[1]));
    windows(&m, c, "MaxPool", "x", true), one(&m, "ceil_mode", POOLS[i].ceil), end(&m);
    assert_y(m, 13, SIZES(-1, 4, c->out[0], c->out[1]));
  }
  message m = started(SIZES(-1, 4, -1, 7, 8));
  node(&m, "GlobalAveragePool", "g", "x", "y");
  assert_y(m, 13, SIZES(-1, 4, 1, 1, 1));
}

static void products_have_the_sizes_of_their_factors(void **state) {
  (void)state;
  message m = started(SIZES(7, -1));
  zeros(&m, "w", SIZES(5, 7));
  open_node(&m, "Gemm", "g", "x w", "y"), one(&m, "transA", 1), one(&m, "transB", 1), end(&m);
  assert_y(m, 13, SIZES(-1, 5));
  static const struct {
    size_t a_rank, b_rank, rank;
    int64_t a[4], b[4], y[4];
  } cases[] = {{2, 2, 2, {-1, 4}, {4, 5}, {-1, 5}},
               {4, 3, 4, {2, 1, 3, 4}, {6, 4, 5}, {2, 6, 3, 5}},
               {1, 2, 1, {4}, {4, 5}, {5}},
               {3, 1, 2, {2, 3, 4}, {4}, {2, 3}},
               {1, 1, 0, {4}, {4}, {0}}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    m = started(cases[i].a_rank, cases[i].a);
    zeros(&m, "w", cases[i].b_rank, cases[i].b);
    node(&m, "MatMul", "m", "x w", "y");
    assert_y(m, 13, cases[i].rank, cases[i].y);
  }
}

// ---- elementwise, reductions -------------------------------------------------------------------------------------------

static void elementwise_operators_broadcast(void **state) {
  (void)state;
  message m = started(SIZES(-1, 1, 5));
  zeros(&m, "a", SIZES(4, 1)), zeros(&m, "b", SIZES(1));
  node(&m, "Mul", "m", "x a", "t"), node(&m, "Sum", "s", "t x b", "u"), node(&m, "Relu", "r", "u", "y");
  assert_y(m, 13, SIZES(-1, 4, 5));
  m = started(SIZES(-1, 3)); // an unknown size meets 4: it is 4, or 1 and becomes 4
  zeros(&m, "a", SIZES(4, 3));
  node(&m, "Add", "a", "x a", "y");
  assert_y(m, 13, SIZES(4, 3));
  m = started(SIZES(2, 3)); // no valid model
  zeros(&m, "a", SIZES(4, 3));
  node(&m, "Add", "a", "x a", "y");
  assert_y(m, 13, SIZES(-1, 3));
}

static void reductions_take_axes_from_attribute_or_input(void **state) {
  (void)state;
  message m = started(SIZES(-1, 3, 4, 5));
  open_node(&m, "ReduceMean", "r", "x", "y"), ints(&m, "axes", SIZES(2, -1)), one(&m, "keepdims", 0), end(&m);
  assert_y(m, 13, SIZES(-1, 3));
  m = started(SIZES(-1, 3, 4, 5));
  whole(&m, "axes", 1, 2, (int64_t[]){1, -1});
  node(&m, "ReduceSum", "r", "x axes", "y");
  assert_y(m, 13, SIZES(-1, 1, 4, 1));
  m = started(SIZES(-1, 3));
  op_ints(&m, "ReduceMax", "x", NULL, 0, NULL);
  assert_y(m, 13, SIZES(1, 1));
  m = started(SIZES(-1, 3));
  open_node(&m, "ReduceMax", "r", "x", "y"), one(&m, "noop_with_empty_axes", 1), end(&m);
  assert_y(m, 18, SIZES(-1, 3));
  m = started(SIZES(-1, 3));
  open_node(&m, "ArgMax", "r", "x", "y"), one(&m, "axis", 1), one(&m, "keepdims", 0), end(&m);
  assert_y(m, 13, SIZES(-1));
}

// ---- moved elements ----------------------------------------------------------------------------------------------------

static void transpose_and_flatten_move_sizes(void **state) {
  (void)state;
  message m = started(SIZES(-1, 3, 4, 5));
  op_ints(&m, "Transpose", "x", "perm", SIZES(0, 2, 3, 1));
  assert_y(m, 13, SIZES(-1, 4, 5, 3));
  m = started(SIZES(2, 3, 4));
  op_ints(&m, "Transpose", "x", NULL, 0, NULL);
  assert_y(m, 13, SIZES(4, 3, 2));
  m = started(SIZES(2, 3, 4));
  op_ints(&m, "Transpose", "x", "perm", SIZES(0, 0, 1));
  assert_unknown(m, 13);
  m = started(SIZES(-1, 3, 4, 5));
  op_ints(&m, "Flatten", "x", NULL, 0, NULL);
  assert_y(m, 13, SIZES(-1, 60));
  m = started(SIZES(2, 3, 4, 5));
  open_node(&m, "Flatten", "f", "x", "y"), one(&m, "axis", -1), end(&m);
  assert_y(m, 13, SIZES(24, 5));
}

static void reshape_finds_what_is_left(void **state) {
  (void)state;
  static const struct {
    size_t rank, count;
    int64_t in[4], target[4], y[4];
  } cases[] = {{4, 2, {-1, 3, 4, 5}, {0, -1}, {-1, 60}},
               {4, 2, {-1, 3, 4, 5}, {-1, 60}, {-1, 60}},
               {4, 2, {2, 3, 4, 5}, {-1, 60}, {2, 60}},
               {4, 3, {-1, 3, -1, 5}, {0, 0, -1}, {-1, 3, -1}},
               {2, 3, {-1, 12}, {-1, 3, 4}, {-1, 3, 4}},
               {2, 3, {-1, 12}, {-1, 3, 5}, {-1, 3, 5}},
               {2, 4, {6, 4}, {2, 3, 2, -1}, {2, 3, 2, 2}},
               {2, 1, {-1, 12}, {-1}, {-1}},
               {2, 1, {2, 12}, {-1}, {24}}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    message m = started(cases[i].rank, cases[i].in);
    whole(&m, "t", 1, cases[i].count, cases[i].target);
    node(&m, "Reshape", "r", "x t", "y");
    assert_y(m, 13, cases[i].count, cases[i].y);
  }
  message m = started(SIZES(0, 5));
  whole(&m, "t", 1, 2, (int64_t[]){0, 7});
  open_node(&m, "Reshape", "r", "x t", "y"), one(&m, "allowzero", 1), end(&m);
  assert_y(m, 14, SIZES(0, 7));
}

static void squeeze_and_unsqueeze_take_axes_from_attribute_or_input(void **state) {
  (void)state;
  message m = started(SIZES(-1, 1, 4, 1));
  op_ints(&m, "Squeeze", "x", "axes", SIZES(-1));
  assert_y(m, 11, SIZES(-1, 1, 4));
  m = started(SIZES(2, 1, 4, 1));
  op_ints(&m, "Squeeze", "x", NULL, 0, NULL);
  assert_y(m, 13, SIZES(2, 4));
  m = started(SIZES(-1, 1)); // the batch may be 1 as well
  op_ints(&m, "Squeeze", "x", NULL, 0, NULL);
  assert_unknown(m, 13);
  m = started(SIZES(-1, 4));
  whole(&m, "axes", 1, 2, (int64_t[]){0, -1});
  node(&m, "Unsqueeze", "u", "x axes", "y");
  assert_y(m, 13, SIZES(1, -1, 4, 1));
}

static void concat_adds_and_split_parts(void **state) {
  (void)state;
  message m = started(SIZES(-1, 3, 4));
  zeros(&m, "a", SIZES(2, 5, 4));
  open_node(&m, "Concat", "c", "x a x", "y"), one(&m, "axis", -2), end(&m);
  assert_y(m, 13, SIZES(2, 11, 4));
  static const struct {
    int64_t opset;
    bool attribute, input;
    int64_t outputs, y[2];
  } cases[] = {{11, true, false, 0, {4, 3}},
               {13, false, true, 0, {4, 3}},
               {13, false, false, 0, {4, 4}},
               {18, false, false, 2, {4, 4}}};
  for (size_t i = 0; i < 4; i++) {
    const int64_t length = cases[i].attribute || cases[i].input ? 7 : 8;
    m = started(SIZES(-1, length));
    whole(&m, "s", 1, 2, (int64_t[]){4, 3});
    open_node(&m, "Split", "p", cases[i].input ? "x s" : "x", "a"), text(&m, 2, "y"), one(&m, "axis", 1);
    if (cases[i].attribute) ints(&m, "split", SIZES(4, 3));
    if (cases[i].outputs != 0) one(&m, "num_outputs", cases[i].outputs);
    end(&m);
    view v = seen_as(m, cases[i].opset);
    assert_shape(&v, "a", SIZES(-1, cases[i].y[0])), assert_shape(&v, "y", SIZES(-1, cases[i].y[1]));
    view_free(&v);
  }
}

static void slice_takes_stretches(void **state) {
  (void)state;
  static const struct {
    int64_t size, start, end, step, y;
  } cases[] = {{10, 2, 8, 1, 6},   {10, 2, INT64_MAX, 3, 3},   {10, -3, INT64_MAX, 1, 3},
               {10, 0, -1, 1, 9},  {10, 9, INT64_MIN, -1, 10}, {10, 8, 2, -2, 3},
               {10, 20, 30, 1, 0}, {10, 5, 2, 1, 0},           {-1, 0, INT64_MAX, 1, -1},
               {-1, 0, 5, 1, -1},  {10, -20, 4, 1, 4},         {10, 5, INT64_MAX, -1, -1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    message m = started(SIZES(-1, cases[i].size));
    whole(&m, "b", 1, 1, &cases[i].start), whole(&m, "e", 1, 1, &cases[i].end), whole(&m, "p", 1, 1, &cases[i].step);
    whole(&m, "a", 1, 1, (int64_t[]){-1});
    node(&m, "Slice", "s", "x b e a p", "y");
    assert_y(m, 13, SIZES(-1, cases[i].y));
  }
  message m = started(SIZES(-1, 10));
  open_node(&m, "Slice", "s", "x", "y");
  ints(&m, "starts", SIZES(1)), ints(&m, "ends", SIZES(4)), ints(&m, "axes", SIZES(1)), end(&m);
  assert_y(m, 9, SIZES(-1, 3));
}

static void gather_expand_and_tile(void **state) {
  (void)state;
  message m = started(SIZES(-1, 10, 3));
  whole(&m, "i", 1, 4, (int64_t[]){0, 1, 2, 3});
  open_node(&m, "Gather", "g", "x i", "y"), one(&m, "axis", 1), end(&m);
  assert_y(m, 13, SIZES(-1, 4, 3));
  m = started(SIZES(-1, 10, 3));
  whole(&m, "i", 0, 1, (int64_t[]){0});
  open_node(&m, "Gather", "g", "x i", "y"), one(&m, "axis", 1), end(&m);
  assert_y(m, 13, SIZES(-1, 3));
  m = started(SIZES(3, 1));
  whole(&m, "t", 1, 3, (int64_t[]){2, 1, 6});
  node(&m, "Expand", "e", "x t", "y");
  assert_y(m, 13, SIZES(2, 3, 6));
  m = started(SIZES(-1, 3));
  whole(&m, "t", 1, 2, (int64_t[]){1, 4});
  node(&m, "Tile", "t", "x t", "y");
  assert_y(m, 13, SIZES(-1, 12));
}

static void pad_and_resize_change_sizes(void **state) {
  (void)state;
  message m = started(SIZES(-1, 3, 8, 8));
  op_ints(&m, "Pad", "x", "pads", SIZES(0, 0, 1, 2, 0, 0, 3, -4));
  assert_y(m, 10, SIZES(-1, 3, 12, 6));
  m = started(SIZES(-1, 3, 8, 8));
  whole(&m, "p", 1, 2, (int64_t[]){1, 2}), whole(&m, "a", 1, 1, (int64_t[]){-1});
  node(&m, "Pad", "p", "x p - a", "y");
  assert_y(m, 18, SIZES(-1, 3, 8, 11));
  m = started(SIZES(-1, 3, 8, 9));
  initializer(&m, "s", SIZES(4), (float[]){1, 1, 2, 0.5f});
  node(&m, "Resize", "r", "x - s", "y");
  assert_y(m, 13, SIZES(-1, 3, 16, 4));
  m = started(SIZES(-1, 3, 8, 9));
  whole(&m, "s", 1, 2, (int64_t[]){20, 30});
  open_node(&m, "Resize", "r", "x - - s", "y"), ints(&m, "axes", SIZES(2, 3)), end(&m);
  assert_y(m, 18, SIZES(-1, 3, 20, 30));
  m = started(SIZES(-1, 3, 8, 9));
  initializer(&m, "s", SIZES(4), (float[]){1, 1, 2, 2});
  node(&m, "Upsample", "u", "x s", "y");
  assert_y(m, 9, SIZES(-1, 3, 16, 18));
}

// ---- integers ----------------------------------------------------------------------------------------------------------

// x.view(x.size(0), -1) as PyTorch writes it
static message viewed(size_t rank, const int64_t *sizes) {
  message m = started(rank, sizes);
  whole(&m, "zero", 0, 1, (int64_t[]){0}), whole(&m, "rest", 1, 1, (int64_t[]){-1}),
      whole(&m, "axes", 1, 1, (int64_t[]){0});
  node(&m, "Relu", "f", "x", "a");
  node(&m, "Shape", "s", "a", "shape"), node(&m, "Gather", "g", "shape zero", "size");
  node(&m, "Unsqueeze", "u", "size axes", "sizes"), node(&m, "Concat", "c", "sizes rest", "target");
  node(&m, "Reshape", "r", "a target", "y");
  return m;
}

static void sizes_taken_while_it_runs_are_followed_into_a_reshape(void **state) {
  (void)state;
  assert_y(viewed(SIZES(-1, 3, 4)), 13, SIZES(-1, 12));
  assert_y(viewed(SIZES(2, 3, 4)), 13, SIZES(2, 12));
  view v = seen_as(viewed(SIZES(-1, 3, 4)), 13);
  const nl_shape *target = shape_named(&v, "target");
  assert_int_equal(target->element_count, 2);
  assert_int_equal(target->elements[0].kind, NL_ELEMENT_SIZE);
  assert_int_equal(target->elements[0].value, value_named(v.graph, "a"));
  assert_int_equal(target->elements[0].axis, 0), assert_int_equal(target->elements[0].number, NL_ELEMENT_OPEN);
  assert_int_equal(target->elements[1].kind, NL_ELEMENT_NUMBER), assert_int_equal(target->elements[1].number, -1);
  assert_int_equal(target->elements[1].constant, value_named(v.graph, "rest"));
  assert_int_equal(target->elements[1].constant_at, 0);
  view_free(&v);
}

static void elements_follow_slices_casts_and_arithmetic(void **state) {
  (void)state;
  message m = started(SIZES(-1, 3, 4, 5));
  whole(&m, "two", 1, 1, (int64_t[]){2}), whole(&m, "four", 1, 1, (int64_t[]){4}),
      whole(&m, "zero", 1, 1, (int64_t[]){0});
  node(&m, "Shape", "s", "x", "shape"), node(&m, "Slice", "l", "shape two four zero", "hw");
  open_node(&m, "Cast", "k", "hw", "hw32"), one(&m, "to", NL_TYPE_I32), end(&m);
  node(&m, "Mul", "m", "hw32 two", "double"), node(&m, "Mul", "n", "two four", "eight");
  open_node(&m, "Concat", "c", "double eight zero", "y"), end(&m);
  view v = seen_as(m, 13);
  const nl_shape *y = shape_named(&v, "y");
  const int64_t expected[4] = {8, 10, 8, 0};
  const nl_element_kind kinds[4] = {NL_ELEMENT_UNKNOWN, NL_ELEMENT_UNKNOWN, NL_ELEMENT_NUMBER, NL_ELEMENT_NUMBER};
  assert_int_equal(y->element_count, 4);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(y->elements[i].number, expected[i]);
    assert_int_equal(y->elements[i].kind, kinds[i]);
  }
  assert_int_equal(y->elements[2].constant, NL_NONE),
      assert_int_equal(y->elements[3].constant, value_named(v.graph, "zero"));
  view_free(&v);
}

// PyTorch's order of pads: reversed pairs, made by Concat, Reshape (-1, 2), Slice backwards, Transpose, Reshape (-1)
static void elements_follow_the_pads_of_pytorch(void **state) {
  (void)state;
  message m = started(SIZES(1, 3, 8, 9));
  begin(&m, 1), text(&m, 1, "four"), text(&m, 2, "none"), text(&m, 4, "ConstantOfShape"), begin(&m, 5),
      text(&m, 1, "value");
  begin(&m, 5), integer(&m, 1, 1), integer(&m, 2, NL_TYPE_I64), integer(&m, 7, 0), end(&m);
  integer(&m, 20, NL_ATTRIBUTE_TENSOR), end(&m), end(&m);
  whole(&m, "four", 1, 1, (int64_t[]){4}), whole(&m, "given", 1, 4, (int64_t[]){1, 2, 3, 4});
  whole(&m, "pairs", 1, 2, (int64_t[]){-1, 2}), whole(&m, "flat", 1, 1, (int64_t[]){-1});
  whole(&m, "last", 1, 1, (int64_t[]){-1}), whole(&m, "least", 1, 1, (int64_t[]){INT64_MIN}),
      whole(&m, "zero", 1, 1, (int64_t[]){0});
  node(&m, "Concat", "c", "given none", "all"), node(&m, "Reshape", "r", "all pairs", "rows");
  node(&m, "Slice", "s", "rows last least zero last", "turned"), node(&m, "Transpose", "t", "turned", "columns");
  node(&m, "Reshape", "f", "columns flat", "pads"), node(&m, "Pad", "p", "x pads", "y");
  assert_y(m, 13, SIZES(1, 3, 15, 12));
}

// ---- what the file states, and what is beyond belief -------------------------------------------------------------------

static void stated_sizes_serve_where_nothing_better_is_known(void **state) {
  (void)state;
  message m = started(SIZES(-1, 3));
  info(&m, 13, "y", SIZES(7, -1, 4));
  node(&m, "Unheard", "u", "x", "y");
  assert_y(m, 13, SIZES(7, -1, 4));
  m = started(SIZES(-1, 3));
  info(&m, 13, "y", SIZES(7, 3)); // the batch is stated
  node(&m, "Relu", "r", "x", "y");
  assert_y(m, 13, SIZES(7, 3));
  m = started(SIZES(-1, 3));
  info(&m, 13, "y", SIZES(-1, 4)); // wrong
  node(&m, "Relu", "r", "x", "y");
  assert_y(m, 13, SIZES(-1, -1));
  m = started(SIZES(-1, 3));
  info(&m, 13, "y", SIZES(-1, 3, 1)); // wrong
  node(&m, "Relu", "r", "x", "y");
  assert_unknown(m, 13);
}

static void sizes_beyond_belief_are_unknown(void **state) {
  (void)state;
  message m = started(SIZES(INT64_MAX, (int64_t)1 << 40, (int64_t)1 << 40));
  whole(&m, "t", 1, 1, (int64_t[]){(int64_t)1 << 50});
  node(&m, "Tile", "t", "x t", "a"), open_node(&m, "Flatten", "f", "x", "y"), end(&m);
  assert_y(m, 13, SIZES(-1, -1));
  m = started(SIZES(1, 1, 8, 8));
  zeros(&m, "w", SIZES(1, 1, 2, 2));
  open_node(&m, "Conv", "c", "x w", "y"), ints(&m, "dilations", SIZES(INT64_MAX, INT64_MIN));
  ints(&m, "pads", SIZES(INT64_MAX, 0, 0, 0)), end(&m);
  assert_y(m, 13, SIZES(1, 1, -1, -1));
  m = started(SIZES(1, 1, 8, 8));
  op_ints(&m, "Pad", "x", "pads", SIZES(INT64_MAX, 0, 0, INT64_MIN, INT64_MAX, 0, -9, 0));
  assert_y(m, 10, SIZES(-1, 1, -1, -1));
  m = started(SIZES(4, 5));
  op_ints(&m, "Transpose", "x", "perm", SIZES(INT64_MIN, INT64_MAX));
  assert_unknown(m, 13);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(conv_counts_its_windows),
      cmocka_unit_test(conv_of_an_input_of_unknown_rank_still_has_its_channels),
      cmocka_unit_test(transposed_convolutions_spread),
      cmocka_unit_test(pooling_counts_its_windows),
      cmocka_unit_test(products_have_the_sizes_of_their_factors),
      cmocka_unit_test(elementwise_operators_broadcast),
      cmocka_unit_test(reductions_take_axes_from_attribute_or_input),
      cmocka_unit_test(transpose_and_flatten_move_sizes),
      cmocka_unit_test(reshape_finds_what_is_left),
      cmocka_unit_test(squeeze_and_unsqueeze_take_axes_from_attribute_or_input),
      cmocka_unit_test(concat_adds_and_split_parts),
      cmocka_unit_test(slice_takes_stretches),
      cmocka_unit_test(gather_expand_and_tile),
      cmocka_unit_test(pad_and_resize_change_sizes),
      cmocka_unit_test(sizes_taken_while_it_runs_are_followed_into_a_reshape),
      cmocka_unit_test(elements_follow_slices_casts_and_arithmetic),
      cmocka_unit_test(elements_follow_the_pads_of_pytorch),
      cmocka_unit_test(stated_sizes_serve_where_nothing_better_is_known),
      cmocka_unit_test(sizes_beyond_belief_are_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
