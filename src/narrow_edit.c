// narrow: the edits that write the smaller graph, and how many parameters it will have.
#include <stdlib.h>
#include <string.h>

#include "narrow.h"

typedef struct narrowing {
  nl_edits *edits;
  const nl_channels *channels;
  const nl_lumping *lumpings;
  nl_arena scratch; // of one edit
  nl_error *error;
} narrowing;

static const nl_node *node_at(const narrowing *n, size_t node) { return &n->channels->graph->nodes[node]; }

static const nl_tensor *constant_at(const nl_channels *channels, nl_place place) {
  return nl_node_constant(channels->graph, &channels->graph->nodes[place.node], place.slot);
}

static size_t length_of(const narrowing *n, const nl_axis *axis) {
  return nl_narrow_length(n->channels, n->lumpings, axis);
}

// ---- constants -----------------------------------------------------------------------------------------------------------

static bool is_any(const nl_node *node, const char *const *ops, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (nl_span_is(node->op, ops[i])) return true;
  return false;
}

static void transpose(const nl_node *node, size_t rank, int64_t *dims) {
  const nl_attribute *perm = nl_node_attribute(node, "perm");
  int64_t before[NL_SHAPE_RANK_MOST];
  memcpy(before, dims, rank * sizeof *dims);
  for (size_t i = 0; i < rank; i++)
    dims[i] = before[perm != NULL && perm->count == rank ? (size_t)perm->ints[i] % rank : rank - 1 - i];
}

// Also says the new sizes of what stands between the constant and who uses it. A Reshape there makes what is written.
static nl_status set_constant(const narrowing *n, nl_place place, nl_type type, size_t rank, int64_t *dims,
                              const double *values) {
  static const char *const PASSING[] = {"Identity", "Cast", "Reshape", "Transpose"};
  const nl_graph *graph = n->channels->graph;
  NL_TRY(nl_edits_set_constant(n->edits, place.node, place.slot, type, rank, dims, values, n->error));
  while (place.slot == 0 && is_any(node_at(n, place.node), PASSING, 4)) {
    const nl_node *node = node_at(n, place.node);
    const nl_value *passed = &graph->values[node->outputs[0]];
    if (nl_span_is(node->op, "Transpose")) transpose(node, rank, dims);
    for (size_t i = 0; i < rank; i++)
      NL_TRY(nl_edits_resize_value(n->edits, node->outputs[0], rank - i, dims[i], n->error));
    if (passed->use_count != 1 || passed->uses[0].slot == NL_NONE) return NL_OK;
    place = (nl_place){passed->uses[0].node, passed->uses[0].slot};
  }
  return NL_OK;
}

// ---- linears -------------------------------------------------------------------------------------------------------------

// weights (out, in / groups, kernel) -> the tensor's layout with strides of its own, alpha taken out
static void scatter_weights(const nl_linear *l, const nl_narrow_linear *narrow, size_t out_stride, size_t in_stride,
                            double *tensor) {
  const size_t out_block = narrow->out / l->groups, in_block = narrow->in / l->groups;
  const bool turned = l->kind == NL_LINEAR_CONV_TRANSPOSE;
  const double *weights = narrow->weights;
  for (size_t o = 0; o < narrow->out; o++) {
    const size_t first = turned ? o / out_block * in_block : 0;
    double *row = tensor + (turned ? o % out_block : o) * out_stride;
    for (size_t i = 0; i < in_block; i++)
      for (size_t k = 0; k < l->kernel_size; k++) row[(first + i) * in_stride + k] = *weights++ / l->alpha;
  }
}

static size_t stride_of(size_t rank, const int64_t *dims, size_t axis) {
  size_t stride = 1;
  for (size_t i = axis + 1; i < rank; i++) stride *= (size_t)dims[i];
  return stride;
}

static nl_status edit_weights(narrowing *n, const nl_linear *l, const nl_narrow_linear *narrow) {
  const nl_tensor *tensor = constant_at(n->channels, l->weights);
  const bool turned = l->kind == NL_LINEAR_CONV_TRANSPOSE;
  const size_t rank = l->weights_rank, count = narrow->out * (narrow->in / l->groups) * l->kernel_size;
  int64_t dims[NL_SHAPE_RANK_MOST];
  if (rank > NL_SHAPE_RANK_MOST) return nl_fail_span(n->error, NL_ERROR_UNSUPPORTED, tensor->name, "more than 16 axes");
  memcpy(dims, l->weights_dims, rank * sizeof *dims);
  dims[l->weights_out_axis] = (int64_t)(turned ? narrow->out / l->groups : narrow->out);
  dims[l->weights_in_axis] = (int64_t)(turned ? narrow->in : narrow->in / l->groups);
  double *values;
  NL_TAKE(&n->scratch, values, double, count, n->error);
  scatter_weights(l, narrow, stride_of(rank, dims, l->weights_out_axis), stride_of(rank, dims, l->weights_in_axis),
                  values);
  return set_constant(n, l->weights, tensor->type, rank, dims, values);
}

// The type a linear reads its weights in, behind a widening Cast.
static nl_type read_type(const narrowing *n, const nl_linear *l) {
  const nl_graph *graph = n->channels->graph;
  nl_type type = constant_at(n->channels, l->weights)->type;
  for (size_t node = l->weights.node; node != l->node; node = graph->values[node_at(n, node)->outputs[0]].uses[0].node)
    if (nl_span_is(node_at(n, node)->op, "Cast")) type = (nl_type)nl_node_int(node_at(n, node), "to", type);
  return type;
}

static nl_status fill_bias(const narrowing *n, const nl_linear *l, const nl_narrow_linear *narrow,
                           const double *values) {
  bool any = false;
  for (size_t o = 0; o < narrow->out; o++) any = any || values[o] != 0;
  if (!any) return NL_OK;
  const int64_t dims[1] = {(int64_t)narrow->out};
  return nl_edits_set_constant(n->edits, l->bias.node, l->bias.slot, read_type(n, l), 1, dims, values, n->error);
}

// In the shape of the constant it replaces; left alone where it says what it said.
static nl_status replace_bias(narrowing *n, const nl_linear *l, const nl_narrow_linear *narrow, const double *values) {
  const nl_tensor *old = constant_at(n->channels, l->bias);
  int64_t dims[NL_SHAPE_RANK_MOST];
  double *before;
  if (old->rank > NL_SHAPE_RANK_MOST)
    return nl_fail_span(n->error, NL_ERROR_UNSUPPORTED, old->name, "more than 16 axes");
  NL_TAKE(&n->scratch, before, double, old->count, n->error);
  NL_TRY(nl_tensor_read(old, before, n->error));
  if (old->count == narrow->out && memcmp(before, values, old->count * sizeof *before) == 0) return NL_OK;
  memcpy(dims, old->dims, old->rank * sizeof *dims);
  dims[old->rank - l->bias_back] = (int64_t)narrow->out;
  return set_constant(n, l->bias, old->type, old->rank, dims, values);
}

static nl_status edit_bias(narrowing *n, const nl_linear *l, const nl_narrow_linear *narrow) {
  if (narrow->bias == NULL || l->bias.node == NL_NONE) return NL_OK;
  double *values;
  NL_TAKE(&n->scratch, values, double, narrow->out, n->error);
  for (size_t o = 0; o < narrow->out; o++) values[o] = narrow->bias[o] / l->beta;
  return l->has_bias ? replace_bias(n, l, narrow, values) : fill_bias(n, l, narrow, values);
}

static nl_status edit_linear(narrowing *n, size_t linear, const nl_narrow_linear *given) {
  const nl_linear *l = &n->channels->linears[linear];
  nl_narrow_linear narrow = {0};
  if (given != NULL && given->weights != NULL)
    narrow = *given;
  else if (nl_narrow_touches(n->channels, n->lumpings, linear))
    NL_TRY(nl_narrow_compensate(&narrow, n->channels, n->lumpings, linear, &n->scratch, n->error));
  else
    return NL_OK;
  if (narrow.out != length_of(n, &l->out) || narrow.in != length_of(n, &l->in))
    return nl_fail_span(n->error, NL_ERROR_SHAPE, node_at(n, l->node)->name, "weights of another size were given");
  NL_TRY(edit_weights(n, l, &narrow));
  return edit_bias(n, l, &narrow);
}

// ---- riders --------------------------------------------------------------------------------------------------------------

// old (outer, axis, inner) -> picked (outer, count, inner)
static void pick(const double *old, size_t outer, size_t axis, size_t inner, size_t count, const size_t *kept,
                 double *picked) {
  for (size_t o = 0; o < outer; o++)
    for (size_t i = 0; i < count; i++) {
      memcpy(picked, old + (o * axis + kept[i]) * inner, inner * sizeof *old);
      picked += inner;
    }
}

static nl_status edit_rider(narrowing *n, const nl_rider *rider) {
  if (!nl_narrow_changes(n->channels, n->lumpings, &rider->axis)) return NL_OK;
  const nl_tensor *old = constant_at(n->channels, rider->place);
  if (old == NULL || old->rank > NL_SHAPE_RANK_MOST || rider->axis.back < 1 || rider->axis.back > old->rank)
    return nl_fail_span(n->error, NL_ERROR_SHAPE, node_at(n, rider->place.node)->name, "a constant of another form");
  const size_t at = old->rank - rider->axis.back, axis = (size_t)old->dims[at];
  const size_t inner = stride_of(old->rank, old->dims, at), outer = old->count / (axis * inner);
  const size_t count = length_of(n, &rider->axis);
  int64_t dims[NL_SHAPE_RANK_MOST];
  double *values, *picked;
  size_t *kept;
  NL_TAKE(&n->scratch, values, double, old->count, n->error);
  NL_TAKE(&n->scratch, picked, double, outer *count *inner, n->error);
  NL_TAKE(&n->scratch, kept, size_t, count, n->error);
  NL_TRY(nl_tensor_read(old, values, n->error));
  nl_narrow_kept(n->channels, n->lumpings, &rider->axis, kept);
  pick(values, outer, axis, inner, count, kept, picked);
  memcpy(dims, old->dims, old->rank * sizeof *dims);
  dims[at] = (int64_t)count;
  return set_constant(n, rider->place, old->type, old->rank, dims, picked);
}

// ---- statements and sizes --------------------------------------------------------------------------------------------------

static int compare(size_t a, size_t b) { return a < b ? -1 : a > b; }

static int compare_statements(const void *a, const void *b) {
  const nl_statement *x = a, *y = b;
  if (x->place.node != y->place.node) return compare(x->place.node, y->place.node);
  if (x->place.slot != y->place.slot) return compare(x->place.slot, y->place.slot);
  return compare(x->index, y->index);
}

// All statements that stand in one constant.
static nl_status edit_elements(narrowing *n, const nl_statement *statements, size_t count) {
  const nl_place place = statements[0].place;
  const nl_tensor *tensor = constant_at(n->channels, place);
  if (tensor == NULL)
    return nl_fail_span(n->error, NL_ERROR_SHAPE, node_at(n, place.node)->name, "a number that is no constant");
  int64_t *values;
  NL_TAKE(&n->scratch, values, int64_t, tensor->count, n->error);
  NL_TRY(nl_tensor_read_int(tensor, values, n->error));
  for (size_t i = 0; i < count; i++)
    if (statements[i].index < tensor->count) values[statements[i].index] = (int64_t)length_of(n, &statements[i].axis);
  return nl_edits_set_integers(n->edits, place.node, place.slot, tensor->rank, tensor->dims, values, n->error);
}

static nl_status edit_statements(narrowing *n, nl_statement *changed) {
  size_t count = 0;
  for (size_t i = 0; i < n->channels->statement_count; i++) {
    const nl_statement *statement = &n->channels->statements[i];
    if (!nl_narrow_changes(n->channels, n->lumpings, &statement->axis)) continue;
    if (statement->kind == NL_STATEMENT_ELEMENT) {
      changed[count++] = *statement;
      continue;
    }
    NL_TRY(nl_edits_set_attribute_int(n->edits, statement->place.node, statement->name, statement->index,
                                      (int64_t)length_of(n, &statement->axis), n->error));
  }
  if (count > 1) qsort(changed, count, sizeof *changed, compare_statements);
  for (size_t i = 0, end; i < count; i = end) {
    const nl_place place = changed[i].place;
    for (end = i + 1; end < count; end++)
      if (changed[end].place.node != place.node || changed[end].place.slot != place.slot) break;
    NL_TRY(edit_elements(n, changed + i, end - i));
  }
  return NL_OK;
}

static nl_status edit_sizes(const narrowing *n) {
  for (size_t v = 0; v < n->channels->graph->value_count; v++) {
    const nl_axis *axis = &n->channels->values[v];
    if (axis->count == 0 || !nl_narrow_changes(n->channels, n->lumpings, axis)) continue;
    NL_TRY(nl_edits_resize_value(n->edits, v, axis->back, (int64_t)length_of(n, axis), n->error));
  }
  return NL_OK;
}

static nl_status edit_all(narrowing *n, const nl_narrow_linear *linears) {
  for (size_t l = 0; l < n->channels->linear_count; l++) {
    NL_TRY(edit_linear(n, l, linears != NULL ? &linears[l] : NULL));
    nl_arena_free(&n->scratch);
  }
  for (size_t r = 0; r < n->channels->rider_count; r++) {
    NL_TRY(edit_rider(n, &n->channels->riders[r]));
    nl_arena_free(&n->scratch);
  }
  nl_statement *changed;
  NL_TAKE(&n->scratch, changed, nl_statement, n->channels->statement_count, n->error);
  NL_TRY(edit_statements(n, changed));
  return edit_sizes(n);
}

nl_status nl_narrow_edit(nl_edits *edits, const nl_channels *channels, const nl_lumping *lumpings,
                         const nl_narrow_linear *linears, nl_error *error) {
  narrowing n = {.edits = edits, .channels = channels, .lumpings = lumpings, .error = error};
  const nl_status status = edit_all(&n, linears);
  nl_arena_free(&n.scratch);
  return status;
}

// ---- parameters ------------------------------------------------------------------------------------------------------------

typedef struct counting {
  const nl_channels *channels;
  const size_t *widths;
  size_t *edited; // (values) how many of a constant's readers get another, NULL when memory was out
  size_t parameters;
} counting;

static bool changes(const counting *c, const nl_axis *axis) {
  return nl_axis_length(c->channels, axis, c->widths) != nl_axis_length(c->channels, axis, NULL);
}

// The constant at `place` becomes `count` numbers there. It goes itself when all its readers have another. Whole numbers are no parameters.
static void count_edit(counting *c, nl_place place, size_t count) {
  const nl_graph *graph = c->channels->graph;
  const size_t index = graph->nodes[place.node].inputs[place.slot];
  const nl_value *value = &graph->values[index];
  if (!nl_type_is_float(graph->tensors[value->tensor].type)) return;
  c->parameters += count;
  if (value->is_output) return;
  for (size_t u = 0; u < value->use_count; u++)
    if (value->uses[u].slot == NL_NONE) return;
  const size_t edited = c->edited != NULL ? ++c->edited[index] : 1;
  if (edited == value->use_count) c->parameters -= graph->tensors[value->tensor].count;
}

static void count_linear(counting *c, const nl_linear *l) {
  const size_t out = nl_axis_length(c->channels, &l->out, c->widths);
  const size_t in = nl_axis_length(c->channels, &l->in, c->widths);
  const bool fewer_out = changes(c, &l->out), fewer_in = changes(c, &l->in);
  if (!fewer_out && !fewer_in) return;
  count_edit(c, l->weights, out * (in / l->groups) * l->kernel_size);
  if (l->bias.node == NL_NONE) return;
  if (l->has_bias)
    count_edit(c, l->bias, out);
  else if (fewer_in)
    c->parameters += out;
}

static void count_rider(counting *c, const nl_rider *rider) {
  const nl_tensor *tensor = constant_at(c->channels, rider->place);
  if (tensor == NULL || !changes(c, &rider->axis)) return;
  const size_t before = nl_axis_length(c->channels, &rider->axis, NULL);
  count_edit(c, rider->place, tensor->count / before * nl_axis_length(c->channels, &rider->axis, c->widths));
}

size_t nl_narrow_parameters(const nl_channels *channels, const size_t *widths) {
  counting c = {.channels = channels, .widths = widths, .parameters = channels->parameters};
  c.edited = calloc(channels->graph->value_count + 1, sizeof *c.edited);
  for (size_t l = 0; l < channels->linear_count; l++) count_linear(&c, &channels->linears[l]);
  for (size_t r = 0; r < channels->rider_count; r++) count_rider(&c, &channels->riders[r]);
  free(c.edited);
  return c.parameters;
}
