#include "site.h"

// ---- finding ------------------------------------------------------------------------------------------------------------

// Groups that a dense layer writes and nothing keeps, in their order. of_group (groups): the site a group is, or NL_NONE.
static size_t list_sites(nl_site *list, size_t *of_group, const nl_network *network) {
  size_t count = 0;
  for (size_t g = 0; g < network->group_count; g++) of_group[g] = NL_NONE; // as yet, the first step that writes it
  for (size_t s = network->step_count; s-- > 0;)
    if (network->steps[s].kind == NL_STEP_DENSE) of_group[network->group_of[s]] = s;
  for (size_t g = 0; g < network->group_count; g++) {
    const nl_group *group = &network->groups[g];
    const size_t producer = of_group[g];
    of_group[g] = NL_NONE;
    if (group->reason != NL_REASON_NONE || producer == NL_NONE) continue;
    list[count] = (nl_site){.group = g, .width = group->width, .producer = producer, .affine = true};
    of_group[g] = count++;
  }
  return count;
}

// The site that a step reads as a dense layer; NULL where there is none.
static nl_site *site_read(nl_site *list, const size_t *of_group, const nl_network *network, size_t s) {
  const nl_step *step = &network->steps[s];
  const size_t site = step->kind == NL_STEP_DENSE ? of_group[network->group_of[step->inputs[0]]] : NL_NONE;
  return site != NL_NONE ? &list[site] : NULL;
}

// Counted, then filled in. room (steps)
static void give_consumers(nl_site *list, size_t count, const size_t *of_group, const nl_network *network,
                           size_t *room) {
  for (size_t s = 0; s < network->step_count; s++) {
    nl_site *site = site_read(list, of_group, network, s);
    if (site != NULL) site->consumer_count++;
  }
  size_t given = 0;
  for (size_t i = 0; i < count; i++) {
    list[i].consumers = room + given;
    given += list[i].consumer_count;
    list[i].consumer_count = 0;
  }
  for (size_t s = 0; s < network->step_count; s++) {
    nl_site *site = site_read(list, of_group, network, s);
    if (site == NULL) continue;
    room[(size_t)(site->consumers - room) + site->consumer_count++] = s;
    site->affine = site->affine && network->steps[s].bias_possible;
  }
}

nl_status nl_sites_find(nl_sites *out, const nl_network *network, nl_arena *arena, nl_error *error) {
  nl_site *list = NULL;
  size_t *site_of = NULL, *of_group = NULL, *consumers = NULL;
  NL_TAKE(arena, list, nl_site, network->group_count + 1, error);
  NL_TAKE(arena, of_group, size_t, network->group_count + 1, error);
  NL_TAKE(arena, site_of, size_t, network->step_count + 1, error);
  NL_TAKE(arena, consumers, size_t, network->step_count + 1, error);
  bool *changed = NULL;
  NL_TAKE(arena, changed, bool, network->step_count + 1, error);
  const size_t count = list_sites(list, of_group, network);
  give_consumers(list, count, of_group, network, consumers);
  for (size_t s = 0; s < network->step_count; s++) site_of[s] = of_group[network->group_of[s]];
  *out = (nl_sites){.count = count, .sites = list, .site_of = site_of, .changed = changed};
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

// Of each step whether it is another where sites have these widths: it shrinks, or something before it does.
static void find_changed(const nl_sites *sites, const nl_network *network, const size_t *widths) {
  for (size_t s = 0; s < network->step_count; s++)
    sites->changed[s] = width_at(sites, network, widths, s) != network->steps[s].width;
  nl_network_mark_behind(network, sites->changed);
}

// The constants of one step that these widths change; returns how many. Adds the elements that take their place. A dense layer behind
// one that shrinks is fitted anew; it gets a bias where it reads fewer units.
static size_t edited_places(const nl_sites *sites, const nl_network *network, const size_t *widths, size_t s,
                            nl_place *places, size_t *added) {
  const nl_step *step = &network->steps[s];
  const size_t width = width_at(sites, network, widths, s);
  size_t count = 0;
  if (step->kind == NL_STEP_DENSE) {
    const size_t in = width_at(sites, network, widths, step->inputs[0]);
    const bool biased = step->bias.node != NL_NONE || (step->bias_possible && in != step->in_width);
    if (!step->evaluable || !sites->changed[s]) return 0;
    places[count++] = step->weights;
    if (step->bias.node != NL_NONE) places[count++] = step->bias;
    *added += width * in + (biased ? width : 0);
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
  find_changed(sites, network, widths);
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
