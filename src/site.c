#include "site.h"

// ---- finding ------------------------------------------------------------------------------------------------------------

static size_t count_consumers(const nl_network *network, size_t group) {
  size_t count = 0;
  for (size_t s = 0; s < network->step_count; s++)
    count += network->steps[s].kind == NL_STEP_DENSE && network->group_of[network->steps[s].inputs[0]] == group;
  return count;
}

static size_t first_producer(const nl_network *network, size_t group) {
  for (size_t s = 0; s < network->step_count; s++)
    if (network->steps[s].kind == NL_STEP_DENSE && network->group_of[s] == group) return s;
  return NL_NONE;
}

static nl_status fill_site(nl_site *site, const nl_network *network, size_t group, nl_arena *arena, nl_error *error) {
  size_t *consumers = NULL;
  *site = (nl_site){.group = group, .width = network->groups[group].width, .affine = true};
  site->producer = first_producer(network, group);
  NL_TAKE(arena, consumers, size_t, count_consumers(network, group) + 1, error);
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_step *step = &network->steps[s];
    if (step->kind != NL_STEP_DENSE || network->group_of[step->inputs[0]] != group) continue;
    consumers[site->consumer_count++] = s;
    site->affine = site->affine && step->bias_possible;
  }
  site->consumers = consumers;
  return NL_OK;
}

nl_status nl_sites_find(nl_sites *out, const nl_network *network, nl_arena *arena, nl_error *error) {
  nl_sites sites = {0};
  nl_site *list = NULL;
  size_t *site_of = NULL, *of_group = NULL;
  NL_TAKE(arena, list, nl_site, network->group_count + 1, error);
  NL_TAKE(arena, of_group, size_t, network->group_count + 1, error);
  NL_TAKE(arena, site_of, size_t, network->step_count + 1, error);
  for (size_t g = 0; g < network->group_count; g++) {
    of_group[g] = NL_NONE;
    if (network->groups[g].reason != NL_REASON_NONE || first_producer(network, g) == NL_NONE) continue;
    of_group[g] = sites.count;
    NL_TRY(fill_site(&list[sites.count++], network, g, arena, error));
  }
  for (size_t s = 0; s < network->step_count; s++) site_of[s] = of_group[network->group_of[s]];
  sites.sites = list;
  sites.site_of = site_of;
  *out = sites;
  return NL_OK;
}

// ---- counting -----------------------------------------------------------------------------------------------------------

// What the model loses of a constant when one of its readers gets another: nothing while others still read it.
static size_t freed(const nl_network *network, nl_place place) {
  const nl_graph *graph = network->graph;
  const size_t value = graph->nodes[place.node].inputs[place.slot];
  return graph->values[value].use_count > 1 ? 0 : graph->tensors[graph->values[value].tensor].count;
}

static size_t constant_count(const nl_network *network, nl_place place) {
  return nl_node_constant(network->graph, &network->graph->nodes[place.node], place.slot)->count;
}

static size_t width_at(const nl_sites *sites, const nl_network *network, const size_t *widths, size_t step) {
  return sites->site_of[step] == NL_NONE ? network->steps[step].width : widths[sites->site_of[step]];
}

// Change of the parameter count by one step, as (added, removed).
static void count_step(const nl_sites *sites, const nl_network *network, const size_t *widths, size_t s, size_t *added,
                       size_t *removed) {
  const nl_step *step = &network->steps[s];
  const size_t width = width_at(sites, network, widths, s);
  if (step->kind == NL_STEP_DENSE) {
    const size_t in = width_at(sites, network, widths, step->inputs[0]);
    if (!step->evaluable || (width == step->width && in == step->in_width)) return;
    *added += width * in;
    *removed += freed(network, step->weights);
    if (step->bias.node != NL_NONE) *removed += freed(network, step->bias);
    if (step->bias_possible) *added += width;
    return;
  }
  if (width == step->width) return;
  for (size_t c = 0; c < step->constant_count; c++) {
    if (constant_count(network, step->constants[c]) == 1) continue;
    *added += width;
    *removed += freed(network, step->constants[c]);
  }
}

size_t nl_sites_parameters(const nl_sites *sites, const nl_network *network, const size_t *widths) {
  size_t added = 0, removed = 0;
  for (size_t s = 0; s < network->step_count; s++) count_step(sites, network, widths, s, &added, &removed);
  return network->parameters + added - removed;
}
