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

static size_t value_at(const nl_network *network, nl_place place) {
  return network->graph->nodes[place.node].inputs[place.slot];
}

static size_t constant_count(const nl_network *network, nl_place place) {
  return network->graph->tensors[network->graph->values[value_at(network, place)].tensor].count;
}

static size_t width_at(const nl_sites *sites, const nl_network *network, const size_t *widths, size_t step) {
  return sites->site_of[step] == NL_NONE ? network->steps[step].width : widths[sites->site_of[step]];
}

// The constants of one step that these widths change; returns how many. Adds the elements that take their place.
static size_t edited_places(const nl_sites *sites, const nl_network *network, const size_t *widths, size_t s,
                            nl_place *places, size_t *added) {
  const nl_step *step = &network->steps[s];
  const size_t width = width_at(sites, network, widths, s);
  size_t count = 0;
  if (step->kind == NL_STEP_DENSE) {
    const size_t in = width_at(sites, network, widths, step->inputs[0]);
    if (!step->evaluable || (width == step->width && in == step->in_width)) return 0;
    places[count++] = step->weights;
    if (step->bias.node != NL_NONE) places[count++] = step->bias;
    *added += width * in + (step->bias_possible ? width : 0);
    return count;
  }
  for (size_t c = 0; c < step->constant_count && width != step->width; c++) {
    if (constant_count(network, step->constants[c]) == 1) continue;
    places[count++] = step->constants[c];
    *added += width;
  }
  return count;
}

// How many changed places before (step `s`, place `c`) read this value, or in all when s is step_count.
static size_t edits_before(const nl_sites *sites, const nl_network *network, const size_t *widths, size_t value,
                           size_t s, size_t c) {
  size_t count = 0, unused = 0;
  for (size_t t = 0; t <= s && t < network->step_count; t++) {
    nl_place places[NL_STEP_CONSTANTS];
    const size_t edited = edited_places(sites, network, widths, t, places, &unused);
    for (size_t i = 0; i < edited && (t < s || i < c); i++) count += value_at(network, places[i]) == value;
  }
  return count;
}

size_t nl_sites_parameters(const nl_sites *sites, const nl_network *network, const size_t *widths) {
  size_t added = 0, removed = 0;
  for (size_t s = 0; s < network->step_count; s++) {
    nl_place places[NL_STEP_CONSTANTS];
    const size_t edited = edited_places(sites, network, widths, s, places, &added);
    for (size_t c = 0; c < edited; c++) {
      const size_t value = value_at(network, places[c]), uses = network->graph->values[value].use_count;
      // a shared tensor goes, once, when everybody who reads it gets another
      const bool goes = uses == 1 || (edits_before(sites, network, widths, value, s, c) == 0 &&
                                      edits_before(sites, network, widths, value, network->step_count, 0) == uses);
      if (goes) removed += constant_count(network, places[c]);
    }
  }
  return network->parameters + added - removed;
}
