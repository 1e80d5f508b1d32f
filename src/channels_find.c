// The end of the walk: roots become groups, strips name them, and groups between linears become sites.
#include <string.h>

#include "channels_build.h"

// ---- what is still to be pinned --------------------------------------------------------------------------------------

// From here on no root is replaced: every strip names roots that stand for themselves.
static void refresh(nl_tracing *t) {
  for (size_t v = 0; v < t->graph->value_count; v++) nl_trace_trail(t, v);
  for (size_t i = 0; i < t->linear_count; i++) {
    nl_trace_current(t, t->linears[i].in);
    nl_trace_current(t, t->linears[i].out);
  }
  for (size_t i = 0; i < t->rider_count; i++) nl_trace_current(t, t->riders[i].strip);
  for (size_t i = 0; i < t->statement_count; i++) nl_trace_current(t, t->statements[i].strip);
  nl_trace_inherit(t);
}

static nl_strip *newest(nl_strip *strip) {
  while (strip->newer != NULL) strip = strip->newer;
  return strip;
}

static void mark(const nl_tracing *t, bool *marks, nl_strip *strip) {
  strip = newest(strip);
  for (size_t i = 0; i < strip->count; i++) marks[nl_trace_find(t, strip->segments[i].group)] = true;
}

// Groups of one channel, and those no linear writes or reads.
static nl_status pin_dead_ends(nl_tracing *t) {
  bool *read, *written;
  NL_TAKE(&t->arena, read, bool, t->root_count, t->error);
  NL_TAKE(&t->arena, written, bool, t->root_count, t->error);
  for (size_t i = 0; i < t->linear_count; i++) {
    mark(t, read, t->linears[i].in);
    mark(t, written, t->linears[i].out);
  }
  for (size_t r = 0; r < t->root_count; r++) {
    nl_root *root = &t->roots[r];
    if (root->parent != r || root->strip != NULL || root->reason != NL_REASON_NONE) continue;
    if (!written[r] || !read[r]) root->reason = NL_REASON_UNUSED;
    if (root->width == 1) root->reason = NL_REASON_SINGLE;
  }
  return NL_OK;
}

// ---- groups and axes ---------------------------------------------------------------------------------------------------

static nl_status form_groups(nl_tracing *t, size_t *group_of) {
  nl_channels *channels = t->channels;
  nl_channel_group *groups;
  NL_TAKE(&channels->arena, groups, nl_channel_group, t->root_count, t->error);
  channels->groups = groups;
  for (size_t r = 0; r < t->root_count; r++) {
    const nl_root *root = &t->roots[r];
    if (root->parent != r || root->strip != NULL) continue;
    group_of[r] = channels->group_count;
    groups[channels->group_count++] = (nl_channel_group){root->width, root->reason, root->reason_node, NL_NONE};
  }
  return NL_OK;
}

static nl_status settle_axis(nl_tracing *t, const size_t *group_of, nl_strip *strip, size_t back, nl_axis *axis) {
  strip = newest(strip);
  if (strip->settled == NULL) {
    nl_segment *settled;
    NL_TAKE(&t->channels->arena, settled, nl_segment, strip->count, t->error);
    for (size_t i = 0; i < strip->count; i++) {
      settled[i] = strip->segments[i];
      settled[i].group = group_of[nl_trace_find(t, settled[i].group)];
    }
    strip->settled = settled;
  }
  *axis = (nl_axis){back, strip->count, strip->settled};
  return NL_OK;
}

static nl_status settle_values(nl_tracing *t, const size_t *group_of) {
  nl_axis *values;
  NL_TAKE(&t->channels->arena, values, nl_axis, t->graph->value_count, t->error);
  for (size_t v = 0; v < t->graph->value_count; v++)
    if (t->trails[v].strip != NULL) NL_TRY(settle_axis(t, group_of, t->trails[v].strip, t->trails[v].back, &values[v]));
  t->channels->values = values;
  return NL_OK;
}

static nl_status settle_linears(nl_tracing *t, const size_t *group_of) {
  nl_linear *linears;
  NL_TAKE(&t->channels->arena, linears, nl_linear, t->linear_count, t->error);
  for (size_t i = 0; i < t->linear_count; i++) {
    const nl_traced_linear *traced = &t->linears[i];
    linears[i] = traced->linear;
    NL_TRY(settle_axis(t, group_of, traced->in, traced->linear.in.back, &linears[i].in));
    NL_TRY(settle_axis(t, group_of, traced->out, traced->linear.out.back, &linears[i].out));
  }
  t->channels->linears = linears;
  t->channels->linear_count = t->linear_count;
  return NL_OK;
}

static nl_status list_by_node(nl_tracing *t) {
  nl_channels *channels = t->channels;
  size_t *linear_of, *rider_of;
  NL_TAKE(&channels->arena, linear_of, size_t, t->graph->node_count, t->error);
  NL_TAKE(&channels->arena, rider_of, size_t, t->graph->node_count, t->error);
  for (size_t n = 0; n < t->graph->node_count; n++) linear_of[n] = rider_of[n] = NL_NONE;
  for (size_t l = channels->linear_count; l-- > 0;) linear_of[channels->linears[l].node] = l;
  for (size_t r = channels->rider_count; r-- > 0;) rider_of[channels->riders[r].place.node] = r;
  channels->linear_of = linear_of;
  channels->rider_of = rider_of;
  return NL_OK;
}

static nl_status settle_riders(nl_tracing *t, const size_t *group_of) {
  nl_rider *riders;
  NL_TAKE(&t->channels->arena, riders, nl_rider, t->rider_count, t->error);
  for (size_t i = 0; i < t->rider_count; i++) {
    riders[i].place = t->riders[i].place;
    NL_TRY(settle_axis(t, group_of, t->riders[i].strip, t->riders[i].back, &riders[i].axis));
  }
  t->channels->riders = riders;
  t->channels->rider_count = t->rider_count;
  return NL_OK;
}

static nl_status settle_statements(nl_tracing *t, const size_t *group_of) {
  nl_statement *statements;
  NL_TAKE(&t->channels->arena, statements, nl_statement, t->statement_count, t->error);
  for (size_t i = 0; i < t->statement_count; i++) {
    statements[i] = t->statements[i].statement;
    NL_TRY(settle_axis(t, group_of, t->statements[i].strip, 0, &statements[i].axis));
  }
  t->channels->statements = statements;
  t->channels->statement_count = t->statement_count;
  return NL_OK;
}

// ---- sites -----------------------------------------------------------------------------------------------------------

// Sites in the order of the linears they are named after.
static nl_status number_sites(nl_channels *channels, nl_channel_site **sites, nl_error *error) {
  nl_channel_group *groups = (nl_channel_group *)channels->groups;
  NL_TAKE(&channels->arena, *sites, nl_channel_site, channels->group_count, error);
  for (size_t l = 0; l < channels->linear_count; l++) {
    const nl_axis *out = &channels->linears[l].out;
    for (size_t i = 0; i < out->count; i++) {
      nl_channel_group *group = &groups[out->segments[i].group];
      if (group->reason != NL_REASON_NONE || group->site != NL_NONE) continue;
      group->site = channels->site_count;
      (*sites)[channels->site_count++] =
          (nl_channel_site){.group = out->segments[i].group, .width = group->width, .producer = l, .affine = true};
    }
  }
  return NL_OK;
}

// Calls for each site a linear reads, once.
static size_t site_read(const nl_channels *channels, const nl_axis *in, size_t i, size_t *last, size_t linear) {
  const size_t site = channels->groups[in->segments[i].group].site;
  if (site == NL_NONE || last[site] == linear) return NL_NONE;
  last[site] = linear;
  return site;
}

static void forget(size_t *last, size_t count) {
  for (size_t i = 0; i < count; i++) last[i] = NL_NONE;
}

static nl_status give_consumers(nl_channels *channels, nl_channel_site *sites, size_t *last, nl_error *error) {
  size_t *counts, *consumers;
  nl_read *reads;
  NL_TAKE(&channels->arena, counts, size_t, channels->site_count, error);
  forget(last, channels->site_count);
  for (size_t l = 0; l < channels->linear_count; l++)
    for (size_t i = 0; i < channels->linears[l].in.count; i++) {
      const size_t site = site_read(channels, &channels->linears[l].in, i, last, l);
      if (site != NL_NONE) counts[site]++;
    }
  for (size_t s = 0; s < channels->site_count; s++) {
    NL_TAKE(&channels->arena, consumers, size_t, counts[s], error);
    NL_TAKE(&channels->arena, reads, nl_read, counts[s], error);
    sites[s].consumers = consumers;
    sites[s].reads = reads;
  }
  return NL_OK;
}

// seen (values): the last site that a read of the value was noted for
static void add_consumer(const nl_channels *channels, nl_channel_site *site, size_t l) {
  const nl_linear *linear = &channels->linears[l];
  ((size_t *)site->consumers)[site->consumer_count++] = l;
  site->affine = site->affine && linear->bias.node != NL_NONE && !linear->padded;
}

static nl_status add_reads(nl_channels *channels, nl_channel_site *sites, nl_error *error) {
  size_t *seen;
  NL_TAKE(&channels->arena, seen, size_t, channels->graph->value_count, error);
  forget(seen, channels->graph->value_count);
  for (size_t s = 0; s < channels->site_count; s++) {
    for (size_t i = 0; i < sites[s].consumer_count; i++) {
      const nl_linear *linear = &channels->linears[sites[s].consumers[i]];
      if (seen[linear->read] == s) continue;
      seen[linear->read] = s;
      ((nl_read *)sites[s].reads)[sites[s].read_count++] = (nl_read){linear->read, linear->in};
    }
  }
  return NL_OK;
}

static nl_status find_sites(nl_channels *channels, nl_error *error) {
  nl_channel_site *sites;
  size_t *last;
  NL_TRY(number_sites(channels, &sites, error));
  NL_TAKE(&channels->arena, last, size_t, channels->site_count, error);
  NL_TRY(give_consumers(channels, sites, last, error));
  forget(last, channels->site_count);
  for (size_t l = 0; l < channels->linear_count; l++)
    for (size_t i = 0; i < channels->linears[l].in.count; i++) {
      const size_t site = site_read(channels, &channels->linears[l].in, i, last, l);
      if (site != NL_NONE) add_consumer(channels, &sites[site], l);
    }
  channels->sites = sites;
  return add_reads(channels, sites, error);
}

nl_status nl_trace_settle(nl_tracing *t) {
  size_t *group_of;
  nl_trace_settle_shared(t);
  refresh(t);
  NL_TRY(t->status);
  NL_TRY(pin_dead_ends(t));
  NL_TAKE(&t->arena, group_of, size_t, t->root_count, t->error);
  NL_TRY(form_groups(t, group_of));
  NL_TRY(settle_values(t, group_of));
  NL_TRY(settle_linears(t, group_of));
  NL_TRY(settle_riders(t, group_of));
  NL_TRY(list_by_node(t));
  NL_TRY(settle_statements(t, group_of));
  return find_sites(t->channels, t->error);
}
