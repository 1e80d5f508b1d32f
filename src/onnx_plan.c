// onnx_plan: decides which tensors are rewritten where they stand and which slots get a tensor of their own.
#include <string.h>

#include "onnx_edits.h"

static bool same_bytes(size_t count, const void *a, const void *b) {
  return (a == NULL && b == NULL) || (a != NULL && b != NULL && memcmp(a, b, count * sizeof(double)) == 0);
}

static bool same(const nl_constant_edit *a, const nl_constant_edit *b) {
  return a->type == b->type && a->rank == b->rank && a->count == b->count && a->away == b->away &&
         memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0 && same_bytes(a->count, a->values, b->values) &&
         same_bytes(a->count, a->integers, b->integers);
}

// base_netlump7, with the first number that makes it new
static nl_status fresh_name(nl_plan *plan, nl_span base, nl_span *name, nl_error *error) {
  static const char infix[] = "_netlump";
  uint8_t *text;
  NL_TAKE(&plan->arena, text, uint8_t, base.size + sizeof infix + 20, error);
  if (base.size != 0) memcpy(text, base.bytes, base.size);
  memcpy(text + base.size, infix, sizeof infix - 1);
  do {
    uint8_t digits[20];
    size_t count = 0, size = base.size + sizeof infix - 1;
    for (size_t number = ++plan->fresh_count; number != 0; number /= 10) digits[count++] = (uint8_t)('0' + number % 10);
    while (count != 0) text[size++] = digits[--count];
    *name = (nl_span){text, size};
  } while (nl_names_find(&plan->names, *name) != NL_NONE);
  return NL_OK;
}

static nl_status settle_added(nl_plan *plan, const nl_node *node, const nl_constant_edit *edit, nl_error *error) {
  nl_settlement *settlement = &plan->settlements[edit->index];
  settlement->settled = settlement->adds_name = true;
  return fresh_name(plan, node->name.size != 0 ? node->name : node->op, &settlement->name, error);
}

// An earlier use of the value whose edit says the same and has its settlement; NULL when there is none.
static const nl_constant_edit *twin_of(const nl_plan *plan, const nl_value *value, const nl_constant_edit *edit) {
  for (size_t u = 0; u < value->use_count; u++) {
    if (value->uses[u].slot == NL_NONE) continue;
    const nl_constant_edit *other = nl_edits_find(plan->edits, value->uses[u].node, value->uses[u].slot);
    if (other == edit) return NULL;
    if (other != NULL && same(other, edit)) return other;
  }
  return NULL;
}

static bool all_edited(const nl_plan *plan, const nl_value *value) {
  for (size_t u = 0; u < value->use_count; u++) {
    const nl_use use = value->uses[u];
    if (use.slot == NL_NONE || nl_edits_find(plan->edits, use.node, use.slot) == NULL) return false;
  }
  return !value->is_output;
}

// All edits of one constant. When every reader is edited the tensor is rewritten for the first of them (and those that
// say the same); the others get tensors of their own, and so does everybody when some reader keeps the old one.
static nl_status settle_value(nl_plan *plan, const nl_value *value, nl_error *error) {
  bool free_to_rewrite = all_edited(plan, value);
  for (size_t u = 0; u < value->use_count; u++) {
    const nl_use use = value->uses[u];
    const nl_constant_edit *edit = use.slot == NL_NONE ? NULL : nl_edits_find(plan->edits, use.node, use.slot);
    if (edit == NULL) continue;
    nl_settlement *settlement = &plan->settlements[edit->index];
    settlement->settled = true;
    const nl_constant_edit *twin = twin_of(plan, value, edit);
    if (twin != NULL) {
      settlement->name = plan->settlements[twin->index].name;
    } else if (free_to_rewrite) {
      plan->rewritten[value->tensor] = edit;
      free_to_rewrite = false;
    } else {
      settlement->adds_name = true;
      NL_TRY(fresh_name(plan, value->name, &settlement->name, error));
    }
  }
  return NL_OK;
}

static nl_status settle_all(nl_plan *plan, nl_error *error) {
  for (size_t n = 0; n < plan->graph->node_count; n++) {
    const nl_node *node = &plan->graph->nodes[n];
    for (const nl_constant_edit *edit = plan->edits->constants[n]; edit != NULL; edit = edit->next) {
      if (plan->settlements[edit->index].settled) continue;
      const bool reads = edit->slot < node->input_count && node->inputs[edit->slot] != NL_NONE;
      if (reads)
        NL_TRY(settle_value(plan, &plan->graph->values[node->inputs[edit->slot]], error));
      else
        NL_TRY(settle_added(plan, node, edit, error));
    }
  }
  return NL_OK;
}

nl_status nl_plan_create(nl_plan *plan, const nl_graph *graph, const nl_edits *edits, nl_error *error) {
  *plan = (nl_plan){.graph = graph, .edits = edits};
  NL_TAKE(&plan->arena, plan->rewritten, const nl_constant_edit *, graph->tensor_count, error);
  NL_TAKE(&plan->arena, plan->settlements, nl_settlement, edits->constant_count, error);
  NL_TRY(nl_names_create(&plan->names, &plan->arena, graph->value_count, error));
  for (size_t v = 0; v < graph->value_count; v++) nl_names_add(&plan->names, graph->values[v].name, v);
  return settle_all(plan, error);
}

void nl_plan_free(nl_plan *plan) { nl_arena_free(&plan->arena); }
