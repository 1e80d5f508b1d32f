// Which channels belong together through each operator, what rides along, what is stated, and why the rest is left whole.
#include "channels.h"

#include "channels_laws.h"
#include "models.h"

// ---- graphs in a few lines -------------------------------------------------------------------------------------------

static message drawn;
static int64_t drawn_opset;

// dims: "-1,3,8,8"; -1 is dynamic
static size_t numbers_of(const char *text, int64_t *out) {
  size_t count = 0;
  for (const char *at = text; *at != '\0'; count++) {
    char *end;
    out[count] = strtoll(at, &end, 10);
    at = *end == ',' ? end + 1 : end;
  }
  return count;
}

static void begin_graph(int64_t opset) {
  drawn = (message){0};
  drawn_opset = opset;
  open_model(&drawn);
}
static void graph_input(const char *name, const char *sizes) {
  int64_t size[8];
  const size_t rank = numbers_of(sizes, size);
  info(&drawn, 11, name, rank, size);
}
static void graph_output(const char *name) { info(&drawn, 12, name, 0, NULL); }
static void weight(const char *name, const char *sizes) {
  static const float zeros[1 << 16];
  int64_t size[8];
  const size_t rank = numbers_of(sizes, size);
  initializer(&drawn, name, rank, size, zeros);
}
static void integers(const char *name, const char *list) {
  int64_t values[16];
  const size_t count = numbers_of(list, values);
  begin(&drawn, 5), integer(&drawn, 1, (int64_t)count), integer(&drawn, 2, NL_TYPE_I64), text(&drawn, 8, name);
  bytes(&drawn, 9, values, count * sizeof *values), end(&drawn);
}

// "axis=1" an integer, "pads=0,1," integers (the last comma is for a single one), "mode=linear" a string, "alpha=.5" a float
static void attribute(char *pair) {
  char *value = strchr(pair, '=');
  int64_t values[16];
  *value++ = '\0';
  begin(&drawn, 5), text(&drawn, 1, pair);
  if (strchr(value, ',') != NULL) {
    const size_t count = numbers_of(value, values);
    for (size_t i = 0; i < count; i++) integer(&drawn, 8, values[i]);
    integer(&drawn, 20, NL_ATTRIBUTE_INTS);
  } else if (value[0] >= 'A') {
    text(&drawn, 4, value), integer(&drawn, 20, NL_ATTRIBUTE_STRING);
  } else if (strchr(value, '.') != NULL) {
    OK(nl_wire_put_float(&drawn.bytes, 2, strtof(value, NULL), NULL)), integer(&drawn, 20, NL_ATTRIBUTE_FLOAT);
  } else {
    integer(&drawn, 3, strtoll(value, NULL, 10)), integer(&drawn, 20, NL_ATTRIBUTE_INT);
  }
  end(&drawn);
}
// Named after its first output; names and attributes parted by blanks.
static void apply_of(const char *domain, const char *op_name, const char *inputs, const char *outputs,
                     const char *attributes) {
  char copy[200];
  begin(&drawn, 1), strcpy(copy, inputs);
  for (char *at = strtok(copy, " "); at != NULL; at = strtok(NULL, " "))
    text(&drawn, 1, strcmp(at, "-") == 0 ? "" : at);
  strcpy(copy, outputs);
  for (char *at = strtok(copy, " "); at != NULL; at = strtok(NULL, " ")) text(&drawn, 2, at);
  strcpy(copy, outputs);
  text(&drawn, 3, strtok(copy, " ")), text(&drawn, 4, op_name);
  strcpy(copy, attributes);
  for (char *at = strtok(copy, " "); at != NULL; at = strtok(NULL, " ")) attribute(at);
  text(&drawn, 7, domain), end(&drawn);
}
static void apply(const char *op_name, const char *inputs, const char *output, const char *attributes) {
  apply_of("", op_name, inputs, output, attributes);
}
// A convolution of its own weights: kernel "3,3"; the weight is named after the output.
static void conv(const char *x, const char *y, int in, int out, const char *kernel) {
  char name[32], sizes[64], inputs[64];
  snprintf(name, sizeof name, "%s.w", y), snprintf(sizes, sizeof sizes, "%d,%d,%s", out, in, kernel);
  weight(name, sizes), snprintf(inputs, sizeof inputs, "%s %s", x, name);
  apply("Conv", inputs, y, "");
}
static void dense(const char *x, const char *y, int in, int out) {
  char name[32], sizes[64], inputs[64];
  snprintf(name, sizeof name, "%s.w", y), snprintf(sizes, sizeof sizes, "%d,%d", in, out);
  weight(name, sizes), snprintf(inputs, sizeof inputs, "%s %s", x, name);
  apply("MatMul", inputs, y, "");
}

// ---- what is found ---------------------------------------------------------------------------------------------------

typedef struct view {
  nl_span bytes;
  nl_graph *graph;
  nl_shapes shapes;
  nl_channels *channels;
} view;

static view viewed(nl_span bytes) {
  view v = {.bytes = bytes, .graph = read_bytes(bytes)};
  OK(nl_shapes_create(&v.shapes, v.graph, NULL));
  OK(nl_channels_create(&v.channels, v.graph, &v.shapes, NULL));
  channels_are_lawful(v.channels, &v.shapes);
  return v;
}
static view seen(void) {
  end(&drawn), begin(&drawn, 8), text(&drawn, 1, ""), integer(&drawn, 2, drawn_opset), end(&drawn);
  begin(&drawn, 8), text(&drawn, 1, "com.microsoft"), integer(&drawn, 2, 1), end(&drawn);
  const nl_span copy = exact(span_of(&drawn.bytes));
  nl_buffer_free(&drawn.bytes);
  return viewed(copy);
}
static void view_free(view *v) {
  nl_channels_free(v->channels), nl_shapes_free(&v->shapes), nl_graph_free(v->graph), free((void *)v->bytes.bytes);
}

// "3: 2*A8 B4*9": back, then the segments: tile, group (letters in order of appearance), width, run.
static void write_axis(const nl_axis *axis, char *out, size_t size) {
  size_t groups[26], known = 0;
  int at = axis->back != 0 ? snprintf(out, size, "%zu:", axis->back) : 0;
  for (size_t i = 0; i < axis->count; i++) {
    const nl_segment *s = &axis->segments[i];
    size_t letter = 0;
    while (letter < known && groups[letter] != s->group) letter++;
    if (letter == known) groups[known++] = s->group;
    at += snprintf(out + at, size - (size_t)at, " ");
    if (s->tile > 1) at += snprintf(out + at, size - (size_t)at, "%zu*", s->tile);
    at += snprintf(out + at, size - (size_t)at, "%c%zu", (char)('A' + letter), s->width);
    if (s->run > 1) at += snprintf(out + at, size - (size_t)at, "*%zu", s->run);
  }
}
static void assert_axis_of(const nl_axis *axis, const char *expected) {
  char found[400] = "";
  write_axis(axis, found, sizeof found);
  assert_string_equal(found, expected);
}

static const nl_axis *axis_named(const view *v, const char *value) {
  const size_t index = value_named(v->graph, value);
  assert_true(index != NL_NONE);
  return &v->channels->values[index];
}
static void assert_axis(const view *v, const char *value, const char *expected) {
  assert_axis_of(axis_named(v, value), expected);
}

static size_t group_named(const view *v, const char *value) {
  const nl_axis *axis = axis_named(v, value);
  if (axis->count == 0) fail_msg("“%s” is not followed", value);
  return axis->segments[0].group;
}
static void assert_tied(const view *v, const char *a, const char *b) {
  assert_int_equal(group_named(v, a), group_named(v, b));
}
static const nl_channel_site *site_named(const view *v, const char *value) {
  const nl_channel_group *group = &v->channels->groups[group_named(v, value)];
  if (group->site == NL_NONE) {
    nl_buffer sentence = {0};
    OK(nl_reason_sentence(v->graph, group->reason, group->reason_node, &sentence, NULL));
    fail_msg("“%s” is no site: %.*s", value, (int)sentence.size, (const char *)sentence.bytes);
  }
  assert_int_equal(group->reason, NL_REASON_NONE);
  return &v->channels->sites[group->site];
}
static void assert_site(const view *v, const char *value) { site_named(v, value); }
static void assert_reason(const view *v, const char *value, const char *expected) {
  const nl_channel_group *group = &v->channels->groups[group_named(v, value)];
  nl_buffer sentence = {0};
  OK(nl_reason_sentence(v->graph, group->reason, group->reason_node, &sentence, NULL));
  assert_span(span_of(&sentence), expected);
  assert_int_equal(group->site, NL_NONE);
  nl_buffer_free(&sentence);
}

static const nl_linear *linear_named(const view *v, const char *node) {
  for (size_t l = 0; l < v->channels->linear_count; l++)
    if (v->channels->linears[l].node == node_named(v->graph, node)) return &v->channels->linears[l];
  fail_msg("“%s” is no linear", node);
  return NULL;
}
static void assert_rider(const view *v, const char *node, size_t slot, const char *expected) {
  const nl_rider *found = NULL;
  for (size_t r = 0; r < v->channels->rider_count; r++) {
    const nl_place place = v->channels->riders[r].place;
    if (place.node == node_named(v->graph, node) && place.slot == slot) found = &v->channels->riders[r];
  }
  if (found == NULL) fail_msg("nothing rides along at %zu of “%s”", slot, node);
  assert_axis_of(&found->axis, expected);
}
static void assert_stated(const view *v, const char *node, const char *name, size_t slot, size_t index,
                          const char *expected) {
  const nl_statement *found = NULL;
  for (size_t s = 0; s < v->channels->statement_count; s++) {
    const nl_statement *statement = &v->channels->statements[s];
    if (statement->place.node != node_named(v->graph, node) || statement->index != index) continue;
    if (name != NULL ? statement->kind == NL_STATEMENT_ATTRIBUTE && strcmp(statement->name, name) == 0
                     : statement->kind == NL_STATEMENT_ELEMENT && statement->place.slot == slot)
      found = statement;
  }
  if (found == NULL) fail_msg("number %zu of “%s” is not stated", index, node);
  assert_axis_of(&found->axis, expected);
}

// ---- linears ---------------------------------------------------------------------------------------------------------

static void convolutions_pools_and_dense_layers_meet_in_runs(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 6, "3,3"), apply("Relu", "a", "b", ""), apply("MaxPool", "b", "c", "kernel_shape=2,2");
  apply("Flatten", "c", "d", ""), weight("w", "5,150"), weight("v", "5");
  apply("Gemm", "d w v", "e", "transB=1"), apply("Tanh", "e", "f", ""), dense("f", "y", 5, 2);
  view v = seen();
  assert_axis(&v, "a", "3: A6");
  assert_axis(&v, "d", "1: A6*25");
  const nl_channel_site *site = site_named(&v, "d");
  assert_int_equal(site->width, 6);
  assert_int_equal(site->consumer_count, 1);
  assert_int_equal(site->read_count, 1);
  assert_int_equal(site->reads[0].value, value_named(v.graph, "d"));
  assert_axis_of(&site->reads[0].axis, "1: A6*25");
  assert_true(site->affine);
  assert_int_equal(v.channels->site_count, 2);
  assert_axis_of(&linear_named(&v, "a")->in, "3: A3");
  assert_reason(&v, "x", "belongs to the model's input");
  assert_reason(&v, "y", "output of the model");
  const size_t widths[] = {4, 5};
  assert_int_equal(nl_axis_length(v.channels, axis_named(&v, "d"), widths), 100);
  assert_int_equal(nl_axis_length(v.channels, axis_named(&v, "d"), NULL), 150);
  view_free(&v);
}

static void a_linear_says_how_its_weights_lie(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "2,3,9,9"), graph_output("y");
  weight("w", "6,3,3,2"), weight("b", "6"), apply("Conv", "x w b", "a", "strides=2,1 dilations=1,2 pads=1,0,1,0");
  weight("u", "6,5,2,2"), apply("ConvTranspose", "a u", "c", "strides=2,2"), conv("c", "y", 5, 2, "1,1");
  view v = seen();
  const nl_linear *a = linear_named(&v, "a"), *c = linear_named(&v, "c"), *y = linear_named(&v, "y");
  assert_int_equal(a->kind, NL_LINEAR_CONV);
  assert_int_equal(a->spatial, 2);
  assert_int_equal(a->kernel[0], 3), assert_int_equal(a->kernel[1], 2), assert_int_equal(a->kernel_size, 6);
  assert_int_equal(a->stride[0], 2), assert_int_equal(a->dilation[1], 2), assert_int_equal(a->pad[0], 1);
  assert_int_equal(a->out_stride, 18), assert_int_equal(a->in_stride, 6);
  assert_true(a->padded && a->has_bias);
  assert_int_equal(c->kind, NL_LINEAR_CONV_TRANSPOSE);
  assert_int_equal(c->weights_out_axis, 1), assert_int_equal(c->weights_in_axis, 0);
  assert_int_equal(c->in_stride, 20), assert_int_equal(c->out_stride, 4);
  assert_true(c->padded); // each place reads other offsets of the kernel
  assert_false(c->has_bias);
  assert_int_equal(c->bias.slot, 2); // room
  assert_false(y->padded);
  assert_false(site_named(&v, "a")->affine);
  assert_true(site_named(&v, "c")->affine);
  view_free(&v);
}

static void an_output_size_stands_for_pads(void **state) {
  (void)state;
  begin_graph(11), graph_input("x", "1,3,4,4"), graph_output("y"), weight("w", "3,5,3,3"), weight("v", "5,2,3,3");
  apply("ConvTranspose", "x w", "a", "strides=2,2 output_shape=8,7");
  apply("ConvTranspose", "a v", "y", "strides=2,2 output_shape=16,14 auto_pad=SAME_UPPER");
  view v = seen();
  const nl_linear *a = linear_named(&v, "a"), *y = linear_named(&v, "y"); // 9 and 9 without pads; 17 and 15
  assert_int_equal(a->pad[0], 1), assert_int_equal(a->pad[1], 1);
  assert_int_equal(y->pad[0], 0), assert_int_equal(y->pad[1], 0), assert_int_equal(y->auto_pad, 0);
  assert_site(&v, "a");
  view_free(&v);
}

static void products_take_their_weights_in_every_orientation(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "4,7"), graph_output("y");
  weight("w", "6,4"), apply("MatMul", "w x", "a", "");       // W X: channels on axis 0
  weight("u", "5,6"), apply("Gemm", "u a", "b", "alpha=.5"); // (5, 7)
  weight("v", "5,8"), apply("Gemm", "b v", "c", "transA=1"); // X' V: (7, 8)
  weight("t", "3,8"), apply("Transpose", "t", "s", ""), apply("MatMul", "c s", "y", "");
  view v = seen();
  assert_axis(&v, "a", "2: A6"), assert_axis(&v, "b", "2: A5"), assert_axis(&v, "c", "1: A8");
  assert_int_equal(linear_named(&v, "a")->out_stride, 4);
  assert_int_equal(linear_named(&v, "b")->in_stride, 1);
  assert_near(linear_named(&v, "b")->alpha, .5, 0);
  assert_int_equal(linear_named(&v, "c")->in.back, 2);
  const nl_linear *y = linear_named(&v, "y"); // through the Transpose of its weights
  assert_int_equal(y->weights.node, node_named(v.graph, "s"));
  assert_int_equal(y->weights_out_axis, 0), assert_int_equal(y->weights_in_axis, 1);
  assert_int_equal(y->out_stride, 8), assert_int_equal(y->in_stride, 1);
  assert_site(&v, "a"), assert_site(&v, "b"), assert_site(&v, "c");
  view_free(&v);
}

static void an_add_behind_a_product_is_its_bias(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,9,4"), graph_output("y");
  dense("x", "a", 4, 6), weight("b", "1,1,6"), apply("Add", "b a", "c", "");
  dense("c", "d", 6, 5), weight("e", "9,5"), apply("Add", "d e", "f", ""); // a row for each place rides
  dense("f", "y", 5, 2);
  view v = seen();
  const nl_linear *a = linear_named(&v, "a"), *d = linear_named(&v, "d");
  assert_true(a->has_bias);
  assert_int_equal(a->bias.node, node_named(v.graph, "c")), assert_int_equal(a->bias.slot, 0);
  assert_int_equal(a->written, value_named(v.graph, "c"));
  assert_false(d->has_bias), assert_int_equal(d->bias.node, NL_NONE);
  assert_int_equal(d->written, value_named(v.graph, "d"));
  assert_rider(&v, "f", 1, "1: A5");
  assert_int_equal(v.channels->rider_count, 1); // a bias is no rider
  assert_false(site_named(&v, "c")->affine);    // its reader has no room for a bias
  view_free(&v);
}

static void weights_behind_a_reshape_are_written_in_its_sizes(void **state) {
  (void)state;
  begin_graph(8), graph_input("x", "1,1,8,8"), graph_output("y");
  conv("x", "a", 1, 4, "3,3"), weight("b", "4,1,1"), apply("Add", "a b", "c", "");
  integers("flat", "1,144"), apply("Reshape", "c flat", "d", "");
  weight("w", "4,6,6,7"), integers("matrix", "144,7"), apply("Reshape", "w matrix", "u", "");
  apply("MatMul", "d u", "y", "");
  view v = seen();
  const nl_linear *y = linear_named(&v, "y");
  assert_int_equal(y->weights.node, node_named(v.graph, "u"));
  assert_int_equal(y->weights_rank, 2), assert_int_equal(y->weights_dims[0], 144);
  assert_int_equal(y->in_stride, 7);
  assert_rider(&v, "c", 1, "3: A4");
  assert_stated(&v, "d", NULL, 1, 1, " A4*36");
  assert_stated(&v, "u", NULL, 1, 0, " A4*36");
  assert_site(&v, "a");
  assert_int_equal(linear_named(&v, "a")->bias.node, node_named(v.graph, "a")); // its own empty slot
  view_free(&v);
}

static void depthwise_filters_ride_and_state_their_group(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 4, "1,1"), weight("w", "8,1,3,3"), weight("b", "8");
  apply("Conv", "a w b", "c", "group=4"), conv("c", "d", 8, 6, "1,1");
  weight("u", "6,1,2,2"), apply("ConvTranspose", "d u", "e", "group=6"), conv("e", "y", 6, 2, "1,1");
  view v = seen();
  assert_axis(&v, "c", "3: A4*2");
  assert_tied(&v, "a", "c");
  assert_rider(&v, "c", 1, "4: A4*2"), assert_rider(&v, "c", 2, "1: A4*2");
  assert_stated(&v, "c", "group", 0, NL_NONE, " A4");
  assert_rider(&v, "e", 1, "4: A6");
  assert_tied(&v, "d", "e");
  assert_int_equal(v.channels->site_count, 2);
  view_free(&v);
}

static void grouped_convolutions_keep_the_same_in_every_block(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 8, "1,1"), weight("w", "12,4,3,3"), apply("Conv", "a w", "b", "group=2");
  conv("b", "y", 12, 2, "1,1");
  view v = seen();
  assert_axis(&v, "a", "3: 2*A4"), assert_axis(&v, "b", "3: 2*A6");
  assert_int_equal(linear_named(&v, "b")->groups, 2);
  assert_int_equal(site_named(&v, "a")->width, 4), assert_int_equal(site_named(&v, "b")->width, 6);
  assert_int_equal(v.channels->statement_count, 0);
  view_free(&v);
}

static void shared_and_computed_weights_are_left_whole(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,4"), graph_input("z", "4,4"), graph_output("y");
  weight("w", "4,4"), apply("Transpose", "w", "t", "");
  dense("x", "a", 4, 4), apply("MatMul", "a t", "b", ""), apply("MatMul", "b t", "c", ""), dense("c", "d", 4, 4);
  apply("MatMul", "d z", "y", "");
  view v = seen();
  assert_reason(&v, "a", "read by MatMul “b”");
  assert_reason(&v, "d", "read by MatMul “y”");
  assert_int_equal(v.channels->linear_count, 2);
  assert_int_equal(nl_channels_left(v.channels, node_named(v.graph, "y")), NL_REASON_WEIGHTS);
  assert_int_equal(nl_channels_left(v.channels, node_named(v.graph, "d")), NL_REASON_NONE);
  view_free(&v);
}

// ---- riders and elementwise ------------------------------------------------------------------------------------------

static void constants_along_the_channels_ride(void **state) {
  (void)state;
  begin_graph(15), graph_input("x", "-1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 4, "3,3");
  for (const char *name = "smvn"; *name != '\0'; name++) weight((char[]){*name, '\0'}, "4");
  apply("BatchNormalization", "a s m v n", "b", ""), weight("slope", "4,1,1"), apply("PRelu", "b slope", "c", "");
  weight("one", "1"), apply("PRelu", "c one", "d", ""), weight("k", "1,4,6,6"), apply("Mul", "k d", "e", "");
  apply("InstanceNormalization", "e s m", "f", ""), weight("half", ""), apply("Div", "f half", "g", "");
  weight("row", "6"), apply("Sub", "g row", "h", ""), weight("cap", ""), apply("Max", "h cap", "i", "");
  conv("i", "y", 4, 2, "1,1");
  view v = seen();
  assert_site(&v, "a"), assert_tied(&v, "a", "i");
  for (size_t slot = 1; slot <= 4; slot++) assert_rider(&v, "b", slot, "1: A4");
  assert_rider(&v, "c", 1, "3: A4"), assert_rider(&v, "e", 0, "3: A4"), assert_rider(&v, "f", 2, "1: A4");
  assert_int_equal(v.channels->rider_count, 8);
  view_free(&v);
}

static void constants_ride_through_added_axes(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8,8"), graph_output("y"), integers("behind", "1,2"),
      integers("whole", "1,4,1,1");
  conv("x", "a", 3, 4, "3,3"), weight("k", "4"), apply("Unsqueeze", "k behind", "l", ""), apply("Mul", "a l", "b", "");
  weight("m", "4,1"), apply("Reshape", "m whole", "n", ""), apply("Add", "n b", "c", ""), weight("s", "4");
  apply("Unsqueeze", "s behind", "t", ""), apply("Mul", "c t", "d", ""), conv("d", "e", 4, 5, "1,1");
  weight("u", "5"), apply("Unsqueeze", "u behind", "v", ""), apply("Mul", "e v", "f", ""), apply("Add", "f v", "g", "");
  conv("g", "y", 5, 2, "1,1");
  view v = seen();
  assert_rider(&v, "l", 0, "1: A4"), assert_rider(&v, "n", 0, "2: A4"), assert_rider(&v, "t", 0, "1: A4");
  assert_stated(&v, "n", NULL, 1, 1, " A4"), assert_site(&v, "a");
  assert_reason(&v, "e", "written by Unsqueeze “v”"); // two nodes read it
  view_free(&v);
}

static void residual_sums_share_one_site(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 4, "1,1"), apply("Relu", "a", "b", ""), conv("b", "c", 4, 6, "1,1"), conv("c", "d", 6, 4, "1,1");
  apply("Add", "d b", "e", ""), conv("e", "y", 4, 2, "1,1");
  view v = seen();
  assert_tied(&v, "a", "d"), assert_tied(&v, "a", "e");
  const nl_channel_site *site = site_named(&v, "a");
  assert_int_equal(site->consumer_count, 2), assert_int_equal(site->read_count, 2);
  assert_int_equal(v.channels->linears[site->producer].node, node_named(v.graph, "a"));
  assert_int_equal(v.channels->site_count, 2);
  view_free(&v);
}

static void readers_of_one_value_are_one_read(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 4, "1,1"), apply("Relu", "a", "b", ""), conv("b", "c", 4, 2, "1,1"), conv("b", "d", 4, 2, "3,3");
  apply("GlobalMaxPool", "d", "e", ""), apply("Add", "c e", "y", "");
  view v = seen();
  assert_int_equal(site_named(&v, "a")->consumer_count, 2), assert_int_equal(site_named(&v, "a")->read_count, 1);
  view_free(&v);
}

static void tied_groups_share_their_reason_and_the_output_comes_first(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y");
  dense("x", "a", 3, 4), dense("x", "b", 3, 4), apply("Softmax", "b", "p", ""), dense("p", "c", 4, 5);
  apply("Add", "a b", "d", ""), dense("d", "e", 4, 5), apply("Softmax", "e", "q", ""), apply("Relu", "e", "y", "");
  apply_of("my.domain", "Strange", "c q", "z", ""), graph_output("z");
  view v = seen();
  assert_tied(&v, "a", "b");
  assert_reason(&v, "a", "all its channels are taken together by Softmax “p”");
  assert_reason(&v, "e", "output of the model");
  view_free(&v);
}

static void gates_of_one_place_tie_and_masks_of_one_channel_do_not(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 4, "1,1"), apply("GlobalAveragePool", "a", "b", ""), conv("b", "c", 4, 2, "1,1");
  conv("c", "d", 2, 4, "1,1"), apply("Sigmoid", "d", "e", ""), apply("Mul", "a e", "f", "");
  conv("f", "m", 4, 1, "3,3"), weight("w", "4,4,3,3"), apply("Conv", "f w", "g", "");
  apply("Mul", "m g", "h", ""), conv("h", "y", 4, 2, "1,1");
  view v = seen();
  assert_tied(&v, "a", "d"), assert_site(&v, "a"), assert_site(&v, "c"), assert_site(&v, "h");
  assert_reason(&v, "m", "has one neuron only");
  assert_axis(&v, "h", "3: A4"), assert_tied(&v, "g", "h");
  view_free(&v);
}

static void values_that_are_not_followed_pin_what_they_meet(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,4"), graph_input("z", "-1,6"), graph_input("u", "-1,1"), graph_output("y");
  dense("x", "a", 4, 6), apply("Mul", "a z", "b", ""), dense("b", "c", 6, 5), apply("Mul", "c u", "d", "");
  apply_of("my.domain", "Strange", "d", "e", ""), dense("d", "f", 5, 3), apply("Add", "f e", "y", "");
  view v = seen();
  assert_reason(&v, "a", "belongs to the model's input");
  assert_reason(&v, "c", "read by Strange “e”");
  assert_reason(&v, "f", "written by Strange “e”");
  view_free(&v);
}

static void norms_and_sums_over_channels_take_them_together(void **state) {
  (void)state;
  begin_graph(17), graph_input("x", "-1,9,4"), graph_output("y");
  dense("x", "a", 4, 6), weight("s", "6"), weight("b", "6"), apply("LayerNormalization", "a s b", "c", "");
  dense("c", "d", 6, 5), apply("ReduceMean", "d", "e", "axes=-1,"), apply("Sub", "d e", "f", ""), dense("f", "g", 5, 4);
  apply("Softmax", "g", "h", ""), dense("h", "i", 4, 3), apply("ReduceMean", "i", "j", "axes=1, keepdims=0");
  apply("Softmax", "j", "y", "");
  view v = seen();
  assert_reason(&v, "a", "all its channels are taken together by LayerNormalization “c”");
  assert_reason(&v, "d", "all its channels are taken together by ReduceMean “e”");
  assert_reason(&v, "g", "all its channels are taken together by Softmax “h”");
  assert_axis(&v, "j", "1: A3"); // over the places: each channel by itself
  view_free(&v);
}

static void norms_over_other_axes_pass(void **state) {
  (void)state;
  begin_graph(17), graph_input("x", "-1,4,9"), graph_output("y");
  conv("x", "a", 4, 6, "1"), apply("Softmax", "a", "b", "axis=-1"), weight("s", "9"), weight("t", "9");
  apply("LayerNormalization", "b s t", "c", ""), apply("ReduceMax", "c", "d", "axes=2, keepdims=0"),
      dense("d", "y", 6, 2);
  view v = seen();
  assert_site(&v, "a"), assert_axis(&v, "d", "1: A6");
  view_free(&v);
}

static void the_gate_of_a_feed_forward_block_is_a_site(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,9,4"), graph_output("y");
  dense("x", "a", 4, 12), integers("sizes", "6,6"), apply("Split", "a sizes", "b c", "axis=-1");
  apply("Sigmoid", "b", "d", ""), apply("Mul", "d c", "e", ""), dense("e", "f", 6, 8); // halves of one layer
  dense("x", "g", 4, 8), apply("Erf", "g", "h", ""), apply("Mul", "f h", "i", ""), dense("i", "y", 8, 2); // two layers
  view v = seen();
  assert_axis(&v, "a", "1: A6 A6");
  assert_stated(&v, "b", NULL, 1, 0, " A6"), assert_stated(&v, "b", NULL, 1, 1, " A6");
  assert_int_equal(site_named(&v, "e")->width, 6);
  assert_tied(&v, "f", "g"), assert_site(&v, "i");
  view_free(&v);
}

// ---- axes ------------------------------------------------------------------------------------------------------------

static void channels_last_exporters_tile(void **state) {
  (void)state;
  begin_graph(9), graph_input("x", "-1,8,8,3"), graph_output("y");
  apply("Transpose", "x", "a", "perm=0,3,1,2"), conv("a", "b", 3, 4, "3,3"),
      apply("Transpose", "b", "c", "perm=0,2,3,1");
  weight("bias", "4"), apply("Add", "c bias", "d", ""), integers("flat", "-1,144"), apply("Reshape", "d flat", "e", "");
  dense("e", "y", 144, 2);
  view v = seen();
  assert_axis(&v, "c", "1: A4"), assert_axis(&v, "e", "1: 36*A4");
  assert_rider(&v, "d", 1, "1: A4"), assert_stated(&v, "e", NULL, 1, 1, " 36*A4");
  assert_site(&v, "b");
  view_free(&v);
}

static void a_concatenation_tiled_is_written_out(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,2,2,3"), graph_output("y");
  dense("x", "a", 3, 4), dense("x", "b", 3, 5), apply("Concat", "a b", "c", "axis=-1"), apply("Flatten", "c", "d", "");
  dense("d", "e", 36, 36), apply("Add", "d e", "f", ""), dense("f", "y", 36, 2);
  view v = seen();
  assert_axis(&v, "d", "1: A4 B5 A4 B5 A4 B5 A4 B5"), assert_axis(&v, "e", "1: A4 B5 A4 B5 A4 B5 A4 B5");
  assert_site(&v, "a"), assert_site(&v, "b");
  view_free(&v);
}

static void a_flat_layer_becomes_channels_and_runs(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,8"), graph_output("y");
  dense("x", "a", 8, 48), integers("chw", "-1,12,2,2"), apply("Reshape", "a chw", "b", ""),
      conv("b", "y", 12, 3, "1,1");
  view v = seen();
  assert_axis(&v, "a", "1: A12*4"), assert_axis(&v, "b", "3: A12");
  assert_stated(&v, "b", NULL, 1, 1, " A12"), assert_int_equal(site_named(&v, "a")->width, 12);
  view_free(&v);
}

static void a_flat_layer_becomes_places_and_channels(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,8"), graph_output("y");
  dense("x", "a", 8, 48), integers("hwc", "-1,2,2,12"), apply("Reshape", "a hwc", "b", "");
  apply("Transpose", "b", "c", "perm=0,3,1,2"), conv("c", "y", 12, 3, "1,1");
  view v = seen();
  assert_axis(&v, "a", "1: 4*A12"), assert_axis(&v, "c", "3: A12"), assert_site(&v, "a");
  view_free(&v);
}

static void a_reshape_keeps_zero_and_minus_one(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,-1,-1"), graph_output("y");
  conv("x", "a", 3, 6, "1,1"), integers("rows", "0,0,-1"), apply("Reshape", "a rows", "b", "");
  apply("Transpose", "b", "c", "perm=0,2,1"), dense("c", "d", 6, 5), integers("two", "-1,5"),
      apply("Reshape", "d two", "e", "");
  dense("e", "y", 5, 2);
  view v = seen();
  assert_axis(&v, "b", "2: A6"), assert_axis(&v, "e", "1: A5");
  assert_stated(&v, "e", NULL, 1, 1, " A5"), assert_int_equal(v.channels->statement_count, 1);
  assert_site(&v, "a"), assert_site(&v, "d");
  view_free(&v);
}

static void a_reshape_that_cuts_across_channels_pins(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,2,3"), graph_output("y");
  conv("x", "a", 3, 4, "1,1"), integers("odd", "-1,3,8"), apply("Reshape", "a odd", "b", ""), dense("b", "y", 8, 2);
  view v = seen();
  assert_reason(&v, "a", "read by Reshape “b”");
  view_free(&v);
}

static void sizes_computed_from_shape_follow_by_themselves(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,-1,-1"), graph_output("y");
  conv("x", "a", 3, 6, "1,1"), apply("Shape", "a", "s", ""), integers("zero", "0"), integers("one", "1");
  integers("open", "-1"), apply("Gather", "s zero", "n", ""), apply("Gather", "s one", "c", "");
  apply("Concat", "n c open", "target", "axis=0"), apply("Reshape", "a target", "b", "");
  apply("ReduceMean", "b", "d", "axes=2, keepdims=0"), dense("d", "y", 6, 2);
  view v = seen();
  assert_site(&v, "a"), assert_axis(&v, "b", "2: A6"), assert_int_equal(v.channels->statement_count, 0);
  view_free(&v);
}

static void a_number_of_channels_used_elsewhere_pins(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,4"), graph_output("y"), graph_output("z");
  conv("x", "a", 3, 6, "1"), apply("Shape", "a", "s", ""), integers("one", "1"), apply("Gather", "s one", "c", "");
  apply("Cast", "c", "f", "to=1"), apply("Sqrt", "f", "z", "");
  conv("a", "b", 6, 5, "1"), apply("Shape", "b", "t", ""), integers("two", "2"), apply("Gather", "t two", "l", "");
  apply("Cast", "l", "m", "to=1"), apply("Div", "b m", "d", ""), conv("d", "y", 5, 2, "1"); // the places may be counted
  view v = seen();
  assert_true(v.channels->groups[group_named(&v, "a")].reason == NL_REASON_READ_BY);
  assert_site(&v, "b");
  view_free(&v);
}

static void halves_computed_from_the_width_stay_halves(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,9,4"), graph_output("y");
  dense("x", "a", 4, 12), apply("Shape", "a", "s", ""), integers("last", "-1"), apply("Gather", "s last", "c", "");
  integers("one", "1"), apply("Add", "c one", "d", ""), integers("two", "2"), apply("Div", "d two", "half", "");
  apply("Mul", "half two", "whole", ""), integers("zero", "0"), apply("Slice", "a zero half last", "e", "");
  apply("Slice", "a half whole last", "f", ""), apply("Relu", "f", "g", ""), dense("e", "h", 6, 5),
      dense("g", "i", 6, 5);
  apply("Add", "h i", "y", "");
  view v = seen();
  assert_axis(&v, "a", "1: 2*A6"); // not tied by any operator but by the arithmetic
  assert_int_equal(site_named(&v, "e")->width, 6), assert_int_equal(v.channels->statement_count, 0);
  view_free(&v);
}

static void several_readers_of_one_number_must_agree(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,2,2"), graph_input("z", "-1,24"), graph_output("y"), graph_output("u");
  conv("x", "a", 3, 6, "1,1"), apply("Shape", "x", "s", ""), integers("zero", "0"), apply("Gather", "s zero", "n", "");
  integers("w", "24"), apply("Concat", "n w", "target", "axis=0"), apply("Relu", "a", "b", "");
  apply("Reshape", "a target", "c", ""), apply("Reshape", "b target", "d", ""), apply("Add", "c d", "e", ""),
      dense("e", "y", 24, 2);
  conv("x", "f", 3, 6, "1,1"), integers("v", "24"), apply("Concat", "n v", "other", "axis=0");
  apply("Reshape", "f other", "g", ""), apply("Reshape", "z other", "u", ""), dense("g", "h", 24, 2);
  view v = seen();
  assert_site(&v, "a"), assert_stated(&v, "target", NULL, 1, 0, " A6*4");
  assert_reason(&v, "f", "its width is written out as a number in Concat “other”");
  assert_int_equal(v.channels->statement_count, 1);
  view_free(&v);
}

static void squeezed_and_unsqueezed_axes_are_counted(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8"), graph_output("y");
  conv("x", "a", 3, 4, "1"), integers("at", "1,4"), apply("Unsqueeze", "a at", "b", "");
  apply("Transpose", "b", "c", "perm=0,1,3,2,4"), integers("back", "1,-1"), apply("Squeeze", "c back", "d", "");
  dense("d", "y", 4, 2);
  view v = seen();
  assert_axis(&v, "b", "3: A4"), assert_axis(&v, "c", "2: A4"), assert_axis(&v, "d", "1: A4"), assert_site(&v, "a");
  view_free(&v);
}

static void concatenations_are_segments(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 4, "1,1"), conv("x", "b", 3, 5, "1,1"), apply("Concat", "x a b", "c", "axis=1");
  weight("s", "12,1,1"), apply("Mul", "c s", "d", ""), conv("d", "e", 12, 12, "1,1"), apply("Add", "d e", "f", "");
  conv("f", "y", 12, 2, "1,1");
  view v = seen();
  assert_axis(&v, "c", "3: A3 B4 C5"), assert_axis(&v, "e", "3: A3 B4 C5"), assert_rider(&v, "d", 1, "3: A3 B4 C5");
  assert_reason(&v, "c", "belongs to the model's input");
  assert_site(&v, "a"), assert_site(&v, "b");
  assert_int_equal(v.channels->site_count, 2);
  view_free(&v);
}

static void concatenations_along_other_axes_tie(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,5,3"), graph_output("y");
  dense("x", "a", 3, 4), dense("x", "b", 3, 4), weight("token", "1,1,4"), apply("Concat", "a token b", "c", "axis=1");
  integers("first", "0"), apply("Gather", "c first", "d", "axis=1"), dense("d", "y", 4, 2);
  view v = seen();
  assert_tied(&v, "a", "b"), assert_tied(&v, "a", "d"), assert_rider(&v, "c", 1, "1: A4"), assert_site(&v, "a");
  view_free(&v);
}

static void splits_and_slices_state_their_bounds(void **state) {
  (void)state;
  begin_graph(9), graph_input("x", "-1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 9, "1,1"), apply("Split", "a", "b c", "axis=1 split=4,5"), conv("b", "d", 4, 2, "1,1");
  apply("Slice", "c", "e", "axes=1, starts=1, ends=-2,"), conv("e", "f", 2, 2, "1,1");
  apply("Slice", "a", "g", "axes=1, starts=0, ends=4,"), conv("g", "h", 4, 2, "1,1"), apply("Sum", "d f h", "y", "");
  view v = seen();
  assert_axis(&v, "a", "3: A4 B1 C2 D2"), assert_axis(&v, "c", "3: A1 B2 C2"), assert_axis(&v, "e", "3: A2");
  assert_stated(&v, "b", "split", 0, 0, " A4"), assert_stated(&v, "b", "split", 0, 1, " A1 B2 C2");
  assert_stated(&v, "e", "starts", 0, 0, " A1"), assert_stated(&v, "e", "ends", 0, 0, " A1 B2");
  assert_stated(&v, "g", "ends", 0, 0, " A4");
  assert_site(&v, "b"), assert_site(&v, "e");
  view_free(&v);
}

static void equal_parts_that_are_not_written_out_stay_equal(void **state) {
  (void)state;
  begin_graph(18), graph_input("x", "-1,3,8"), graph_output("y");
  conv("x", "a", 3, 9, "1"), apply("Split", "a", "b c d", "axis=1 num_outputs=3"), conv("b", "e", 3, 2, "1");
  conv("d", "f", 3, 2, "1"), apply("Add", "e f", "y", "");
  view v = seen();
  assert_axis(&v, "a", "2: A3 A3 A3"), assert_int_equal(site_named(&v, "b")->width, 3);
  assert_int_equal(v.channels->statement_count, 0);
  view_free(&v);
}

static void a_shuffle_of_groups_is_followed(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "1,3,4,4"), graph_output("y");
  weight("w", "8,4,1,1"), conv("x", "a", 3, 8, "1,1"), apply("Conv", "a w", "b", "group=2");
  integers("five", "1,2,4,4,4"), apply("Reshape", "b five", "c", ""), apply("Transpose", "c", "d", "perm=0,2,1,3,4");
  integers("four", "1,8,4,4"), apply("Reshape", "d four", "e", ""), conv("e", "y", 8, 2, "1,1");
  view v = seen();
  assert_axis(&v, "b", "3: 2*A4"), assert_axis(&v, "c", "3: A4"), assert_axis(&v, "e", "3: A4*2");
  assert_stated(&v, "c", NULL, 1, 2, " A4"), assert_stated(&v, "e", NULL, 1, 1, " A4*2"), assert_site(&v, "b");
  view_free(&v);
}

static void depth_becomes_space(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8,8"), graph_output("y");
  conv("x", "a", 3, 12, "1,1"), apply("DepthToSpace", "a", "b", "blocksize=2 mode=CRD"), conv("b", "c", 3, 20, "1,1");
  apply("DepthToSpace", "c", "d", "blocksize=2"), apply("SpaceToDepth", "d", "e", "blocksize=2"),
      conv("e", "y", 20, 2, "1,1");
  view v = seen();
  assert_axis(&v, "a", "3: A3*4"), assert_axis(&v, "b", "3: A3"), assert_axis(&v, "c", "3: 4*A5");
  assert_axis(&v, "e", "3: 4*A5"), assert_site(&v, "a"), assert_site(&v, "c");
  view_free(&v);
}

static void sizes_of_a_resize_are_stated(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "1,3,4,4"), graph_output("y");
  conv("x", "a", 3, 5, "1,1"), integers("sizes", "1,5,8,8"), apply("Resize", "a - - sizes", "b", "mode=linear");
  conv("b", "c", 5, 6, "1,1"), integers("pads", "0,0,1,1,0,0,1,1"), apply("Pad", "c pads", "d", "");
  conv("d", "e", 6, 7, "1,1"), integers("target", "1,7,10,10"), apply("Expand", "e target", "f", ""),
      conv("f", "y", 7, 2, "1,1");
  view v = seen();
  assert_stated(&v, "b", NULL, 3, 1, " A5"), assert_site(&v, "a"), assert_site(&v, "c");
  assert_true(linear_named(&v, "e")->padded); // reads the zeros of the Pad
  assert_false(site_named(&v, "c")->affine);
  assert_stated(&v, "f", NULL, 1, 1, " A7"), assert_site(&v, "e");
  view_free(&v);
}

static void scales_of_one_along_the_channels_pass(void **state) {
  (void)state;
  const float scales[] = {1, 1, 2, 2};
  begin_graph(9), graph_input("x", "-1,3,-1,-1"), graph_output("y"),
      initializer(&drawn, "s", 1, (int64_t[]){4}, scales);
  conv("x", "a", 3, 5, "1,1"), apply("Upsample", "a s", "b", ""), conv("b", "y", 5, 2, "1,1");
  view v = seen();
  assert_site(&v, "a");
  view_free(&v);
  begin_graph(13), graph_input("x", "1,3,4,-1"), graph_output("y"), initializer(&drawn, "s", 1, (int64_t[]){4}, scales);
  dense("x", "w", 3, 3), apply("Transpose", "x", "t", "perm=0,2,3,1"), dense("t", "a", 3, 5);
  apply("Resize", "a - s", "y", ""); // channels last: they are scaled
  v = seen();
  assert_reason(&v, "a", "read by Resize “y”");
  view_free(&v);
}

static void a_long_way_to_a_constant_is_not_gone(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y"), weight("i0", "4,2"), dense("x", "a", 3, 4);
  for (int i = 0; i < 12; i++) {
    char in[8], out[8];
    snprintf(in, sizeof in, "i%d", i), snprintf(out, sizeof out, "i%d", i + 1), apply("Identity", in, out, "");
  }
  apply("MatMul", "a i12", "y", "");
  view v = seen();
  assert_reason(&v, "a", "read by MatMul “y”");
  view_free(&v);
}

static void operators_on_the_channel_axis_itself_pin(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "1,3,4,4"), graph_output("y");
  conv("x", "a", 3, 4, "1,1"), integers("pads", "0,1,0,0,0,0,0,0"), apply("Pad", "a pads", "b", "");
  conv("b", "c", 5, 4, "1,1"), integers("order", "3,1,2,0"), apply("Gather", "c order", "d", "axis=1");
  conv("d", "e", 4, 6, "1,1"), apply("MaxPool", "e", "f i", "kernel_shape=2,2"), conv("f", "y", 6, 2, "1,1");
  graph_output("i");
  view v = seen();
  assert_reason(&v, "a", "read by Pad “b”"), assert_reason(&v, "c", "read by Gather “d”");
  assert_reason(&v, "e", "read by MaxPool “f”"); // its indices are read
  view_free(&v);
}

static void a_constant_that_widens_a_value_pins(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y");
  dense("x", "a", 3, 1), weight("k", "4"), apply("Mul", "a k", "b", ""), dense("b", "y", 4, 2);
  view v = seen();
  assert_axis(&v, "b", "1: A4"); // taken up by the layer that reads it
  assert_reason(&v, "b", "written by Mul “b”");
  view_free(&v);
}

// ---- left whole ------------------------------------------------------------------------------------------------------

static void attention_heads_are_not_cut(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "2,5,8"), graph_output("y"), integers("heads", "2,5,2,4"),
      integers("flat", "2,5,8");
  for (const char *name = "qkv"; *name != '\0'; name++) {
    const char letter[] = {*name, '\0'}, split[] = {*name, '1', '\0'}, turned[] = {*name, '2', '\0'};
    char inputs[16];
    dense("x", letter, 8, 8), snprintf(inputs, sizeof inputs, "%s heads", letter), apply("Reshape", inputs, split, "");
    apply("Transpose", split, turned, *name == 'k' ? "perm=0,2,3,1" : "perm=0,2,1,3");
  }
  apply("MatMul", "q2 k2", "scores", ""), weight("root", ""), apply("Div", "scores root", "scaled", "");
  apply("Softmax", "scaled", "p", ""), apply("MatMul", "p v2", "mixed", ""),
      apply("Transpose", "mixed", "o", "perm=0,2,1,3");
  apply("Reshape", "o flat", "joined", ""), dense("joined", "out", 8, 8), apply("Relu", "out", "r", ""),
      dense("r", "y", 8, 3);
  view v = seen();
  for (const char *name = "qkv"; *name != '\0'; name++)
    assert_reason(&v, (const char[]){*name, '\0'}, "attention heads are not cut");
  assert_reason(&v, "joined", "attention heads are not cut");
  assert_int_equal(nl_channels_left(v.channels, node_named(v.graph, "scores")), NL_REASON_ATTENTION);
  assert_site(&v, "out");
  view_free(&v);
}

static void quantized_values_say_so(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y"), weight("s", "");
  dense("x", "a", 3, 4), apply("QuantizeLinear", "a s", "b", ""), apply("DequantizeLinear", "b s", "c", "");
  dense("c", "y", 4, 2);
  view v = seen();
  assert_reason(&v, "a", "quantized weights: open the float model instead");
  view_free(&v);
}

static void dead_ends_and_old_files_say_so(void **state) {
  (void)state;
  begin_graph(6), graph_input("x", "-1,3"), graph_output("y");
  dense("x", "a", 3, 4), dense("a", "y", 4, 2);
  view v = seen();
  assert_int_equal(v.channels->site_count, 0), assert_int_equal(v.channels->linear_count, 0);
  view_free(&v);
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y");
  dense("x", "a", 3, 4), apply("Relu", "a", "b", ""), dense("x", "y", 3, 2);
  v = seen();
  assert_reason(&v, "b", "nothing reads it that could be adjusted");
  view_free(&v);
}

static void what_a_subgraph_reads_is_left_whole(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y"), graph_output("z"), dense("x", "a", 3, 4),
      dense("a", "y", 4, 2);
  begin(&drawn, 1), text(&drawn, 1, "x"), text(&drawn, 2, "z"), text(&drawn, 3, "branch"), text(&drawn, 4, "If");
  begin(&drawn, 5), text(&drawn, 1, "then_branch"), integer(&drawn, 20, NL_ATTRIBUTE_GRAPH), begin(&drawn, 6);
  apply("Relu", "a", "inner", ""), info(&drawn, 12, "inner", 0, NULL), end(&drawn), end(&drawn), end(&drawn);
  view v = seen();
  assert_reason(&v, "a", "read by If “branch”");
  view_free(&v);
}

static void channels_on_another_axis_pass_a_product(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3,8"), graph_output("y");
  conv("x", "a", 3, 4, "1"), dense("a", "b", 8, 6), weight("k", "6"), apply("Add", "b k", "c", ""),
      conv("c", "y", 4, 2, "1");
  view v = seen();
  assert_site(&v, "a"), assert_tied(&v, "a", "c"), assert_int_equal(v.channels->linear_count, 2);
  assert_int_equal(nl_channels_left(v.channels, node_named(v.graph, "b")), NL_REASON_NONE);
  view_free(&v);
}

// ---- groups that turn out to be made of others -----------------------------------------------------------------------

static void groups_cut_at_different_places_end_in_common_pieces(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y");
  dense("x", "a", 3, 5), dense("x", "b", 3, 7), dense("x", "c", 3, 4), dense("x", "d", 3, 8);
  apply("Concat", "a b", "e", "axis=1"), apply("Concat", "c d", "f", "axis=1"), apply("Add", "e f", "g", "");
  dense("x", "h", 3, 12), apply("Mul", "h g", "i", ""), dense("i", "y", 12, 2);
  view v = seen();
  assert_axis(&v, "a", "1: A4 B1"), assert_axis(&v, "b", "1: A7"), assert_axis(&v, "c", "1: A4");
  assert_axis(&v, "d", "1: A1 B7"), assert_axis(&v, "h", "1: A4 B1 C7");
  assert_int_equal(v.channels->site_count, 2);
  view_free(&v);
}

static void a_group_tied_to_its_own_runs_is_left_whole(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y");
  dense("x", "a", 3, 8), integers("runs", "-1,4,2"), apply("Reshape", "a runs", "b", ""); // 4 channels, each twice
  integers("flat", "-1,8"), conv("b", "c", 4, 4, "1"), apply("Add", "b c", "d", "");
  apply("Transpose", "d", "e", "perm=0,2,1"), apply("Reshape", "e flat", "f", ""), apply("Add", "f a", "g", ""),
      dense("g", "y", 8, 2);
  view v = seen();
  assert_int_equal(v.channels->site_count, 0);
  view_free(&v);
}

static void a_pin_reaches_what_a_group_is_made_of(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y"), graph_output("z");
  dense("x", "a", 3, 5), dense("x", "b", 3, 7), apply("Concat", "a b", "c", "axis=1"), dense("x", "d", 3, 12);
  apply("Relu", "d", "z", ""), apply("Add", "c d", "e", ""), dense("e", "y", 12, 2);
  view v = seen();
  assert_reason(&v, "a", "output of the model"), assert_reason(&v, "b", "output of the model");
  view_free(&v);
}

// ---- hostile graphs --------------------------------------------------------------------------------------------------

static void doubling_a_strip_without_end_gives_up_in_time(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "1,3"), graph_output("y");
  dense("x", "v0", 3, 2), dense("x", "u0", 3, 2), apply("Concat", "v0 u0", "w0", "axis=1");
  char in[32], out[16];
  for (int i = 0; i < 40; i++) {
    snprintf(in, sizeof in, "w%d w%d", i, i), snprintf(out, sizeof out, "w%d", i + 1);
    apply("Concat", in, out, "axis=1");
  }
  apply("Relu", "w40", "y", "");
  view v = seen();
  assert_int_equal(v.channels->site_count, 0);
  view_free(&v);
}

static void many_small_cuts_take_little_time(void **state) {
  (void)state;
  begin_graph(13), graph_input("x", "-1,3"), graph_output("y");
  dense("x", "s0", 3, 2000);
  char in[40], out[24];
  for (int i = 0; i < 600; i++) { // peels one channel off, and ties the rest to a layer of its own
    snprintf(out, sizeof out, "p%d r%d", i, i), snprintf(in, sizeof in, "s%d n%d", i, i);
    char sizes[32], name[16];
    snprintf(name, sizeof name, "n%d", i), snprintf(sizes, sizeof sizes, "1,%d", 1999 - i), integers(name, sizes);
    apply("Split", in, out, "axis=1");
    snprintf(name, sizeof name, "d%d", i), dense("x", name, 3, 1999 - i);
    snprintf(in, sizeof in, "r%d d%d", i, i), snprintf(out, sizeof out, "s%d", i + 1), apply("Add", in, out, "");
  }
  dense("s600", "y", 1400, 2);
  view v = seen();
  assert_site(&v, "s600");
  view_free(&v);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_pools_and_dense_layers_meet_in_runs),
      cmocka_unit_test(a_linear_says_how_its_weights_lie),
      cmocka_unit_test(an_output_size_stands_for_pads),
      cmocka_unit_test(products_take_their_weights_in_every_orientation),
      cmocka_unit_test(an_add_behind_a_product_is_its_bias),
      cmocka_unit_test(weights_behind_a_reshape_are_written_in_its_sizes),
      cmocka_unit_test(depthwise_filters_ride_and_state_their_group),
      cmocka_unit_test(grouped_convolutions_keep_the_same_in_every_block),
      cmocka_unit_test(shared_and_computed_weights_are_left_whole),
      cmocka_unit_test(constants_along_the_channels_ride),
      cmocka_unit_test(constants_ride_through_added_axes),
      cmocka_unit_test(residual_sums_share_one_site),
      cmocka_unit_test(readers_of_one_value_are_one_read),
      cmocka_unit_test(tied_groups_share_their_reason_and_the_output_comes_first),
      cmocka_unit_test(gates_of_one_place_tie_and_masks_of_one_channel_do_not),
      cmocka_unit_test(values_that_are_not_followed_pin_what_they_meet),
      cmocka_unit_test(norms_and_sums_over_channels_take_them_together),
      cmocka_unit_test(norms_over_other_axes_pass),
      cmocka_unit_test(the_gate_of_a_feed_forward_block_is_a_site),
      cmocka_unit_test(channels_last_exporters_tile),
      cmocka_unit_test(a_concatenation_tiled_is_written_out),
      cmocka_unit_test(a_flat_layer_becomes_channels_and_runs),
      cmocka_unit_test(a_flat_layer_becomes_places_and_channels),
      cmocka_unit_test(a_reshape_keeps_zero_and_minus_one),
      cmocka_unit_test(a_reshape_that_cuts_across_channels_pins),
      cmocka_unit_test(sizes_computed_from_shape_follow_by_themselves),
      cmocka_unit_test(a_number_of_channels_used_elsewhere_pins),
      cmocka_unit_test(halves_computed_from_the_width_stay_halves),
      cmocka_unit_test(several_readers_of_one_number_must_agree),
      cmocka_unit_test(squeezed_and_unsqueezed_axes_are_counted),
      cmocka_unit_test(concatenations_are_segments),
      cmocka_unit_test(concatenations_along_other_axes_tie),
      cmocka_unit_test(splits_and_slices_state_their_bounds),
      cmocka_unit_test(equal_parts_that_are_not_written_out_stay_equal),
      cmocka_unit_test(a_shuffle_of_groups_is_followed),
      cmocka_unit_test(depth_becomes_space),
      cmocka_unit_test(sizes_of_a_resize_are_stated),
      cmocka_unit_test(scales_of_one_along_the_channels_pass),
      cmocka_unit_test(a_long_way_to_a_constant_is_not_gone),
      cmocka_unit_test(operators_on_the_channel_axis_itself_pin),
      cmocka_unit_test(a_constant_that_widens_a_value_pins),
      cmocka_unit_test(attention_heads_are_not_cut),
      cmocka_unit_test(quantized_values_say_so),
      cmocka_unit_test(dead_ends_and_old_files_say_so),
      cmocka_unit_test(what_a_subgraph_reads_is_left_whole),
      cmocka_unit_test(channels_on_another_axis_pass_a_product),
      cmocka_unit_test(groups_cut_at_different_places_end_in_common_pieces),
      cmocka_unit_test(a_group_tied_to_its_own_runs_is_left_whole),
      cmocka_unit_test(a_pin_reaches_what_a_group_is_made_of),
      cmocka_unit_test(doubling_a_strip_without_end_gives_up_in_time),
      cmocka_unit_test(many_small_cuts_take_little_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
