// channels_laws: what holds of the channels of any graph, whatever it is. Shared by the unit tests and the fuzzer.
#ifndef TESTS_CHANNELS_LAWS_H
#define TESTS_CHANNELS_LAWS_H

#include <stdlib.h>

#include "channels.h"

#define LAW(condition) ((condition) ? (void)0 : abort())

static inline const nl_tensor *constant_of(const nl_channels *c, nl_place place) {
  LAW(place.node < c->graph->node_count);
  return nl_node_constant(c->graph, &c->graph->nodes[place.node], place.slot);
}

static inline void axis_is_lawful(const nl_channels *c, const nl_axis *axis) {
  for (size_t i = 0; i < axis->count; i++) {
    const nl_segment *s = &axis->segments[i];
    LAW(s->group < c->group_count && s->width == c->groups[s->group].width && s->tile > 0 && s->run > 0);
  }
}

// Elements of a tensor that a linear reads lie within it.
static inline void linear_is_lawful(const nl_channels *c, const nl_linear *l) {
  const nl_tensor *weights = constant_of(c, l->weights);
  LAW(weights != NULL && nl_type_is_float(weights->type));
  axis_is_lawful(c, &l->in), axis_is_lawful(c, &l->out);
  LAW(l->in.count > 0 && l->out.count > 0 && l->groups > 0);
  LAW(nl_axis_length(c, &l->in, NULL) == l->in_width && nl_axis_length(c, &l->out, NULL) == l->out_width);
  const bool transposed = l->kind == NL_LINEAR_CONV_TRANSPOSE;
  LAW(l->in_width % l->groups == 0 && l->out_width % l->groups == 0);
  const size_t rows = transposed ? l->out_width / l->groups : l->out_width;
  const size_t columns = transposed ? l->in_width : l->in_width / l->groups;
  LAW(rows * columns * l->kernel_size == weights->count);
  LAW((rows - 1) * l->out_stride + (columns - 1) * l->in_stride + l->kernel_size == weights->count);
  LAW(l->weights_out_axis < l->weights_rank && l->weights_in_axis < l->weights_rank);
  LAW((size_t)l->weights_dims[l->weights_out_axis] == rows && (size_t)l->weights_dims[l->weights_in_axis] == columns);
  if (l->has_bias) {
    const nl_tensor *bias = constant_of(c, l->bias);
    LAW(bias != NULL && bias->count == l->out_width && l->bias_back >= 1 && l->bias_back <= bias->rank);
    LAW((size_t)bias->dims[bias->rank - l->bias_back] == l->out_width);
  }
}

static inline void rider_is_lawful(const nl_channels *c, const nl_rider *r) {
  const nl_tensor *tensor = constant_of(c, r->place);
  axis_is_lawful(c, &r->axis);
  LAW(tensor != NULL && r->axis.back >= 1 && r->axis.back <= tensor->rank);
  LAW((size_t)tensor->dims[tensor->rank - r->axis.back] == nl_axis_length(c, &r->axis, NULL));
}

// The number that is there counts what the statement says it counts.
static inline void statement_is_lawful(const nl_channels *c, const nl_statement *s) {
  const int64_t length = (int64_t)nl_axis_length(c, &s->axis, NULL);
  axis_is_lawful(c, &s->axis);
  if (s->kind == NL_STATEMENT_ATTRIBUTE) {
    const nl_attribute *attribute = nl_node_attribute(&c->graph->nodes[s->place.node], s->name);
    LAW(attribute != NULL);
    if (s->index == NL_NONE)
      LAW(attribute->type == NL_ATTRIBUTE_INT && attribute->i == length);
    else
      LAW(attribute->type == NL_ATTRIBUTE_INTS && s->index < attribute->count);
    return;
  }
  const nl_tensor *tensor = constant_of(c, s->place);
  LAW(tensor != NULL && s->index < tensor->count);
}

static inline void site_is_lawful(const nl_channels *c, size_t index) {
  const nl_channel_site *site = &c->sites[index];
  const nl_channel_group *group = &c->groups[site->group];
  LAW(group->site == index && group->reason == NL_REASON_NONE && group->width == site->width && site->width >= 2);
  LAW(site->producer < c->linear_count && site->consumer_count > 0 && site->read_count > 0);
  for (size_t i = 0; i < site->consumer_count; i++) {
    bool reads = false;
    const nl_linear *linear = &c->linears[site->consumers[i]];
    for (size_t k = 0; k < linear->in.count; k++) reads = reads || linear->in.segments[k].group == site->group;
    LAW(reads && (!site->affine || (linear->bias.node != NL_NONE && !linear->padded)));
  }
}

static inline void channels_are_lawful(const nl_channels *c, const nl_shapes *shapes) {
  for (size_t l = 0; l < c->linear_count; l++) linear_is_lawful(c, &c->linears[l]);
  for (size_t r = 0; r < c->rider_count; r++) rider_is_lawful(c, &c->riders[r]);
  for (size_t s = 0; s < c->statement_count; s++) statement_is_lawful(c, &c->statements[s]);
  for (size_t s = 0; s < c->site_count; s++) site_is_lawful(c, s);
  for (size_t g = 0; g < c->group_count; g++)
    LAW((c->groups[g].site == NL_NONE) == (c->groups[g].reason != NL_REASON_NONE));
  for (size_t v = 0; v < c->graph->value_count; v++) {
    const nl_shape *shape = &shapes->values[v];
    axis_is_lawful(c, &c->values[v]);
    if (c->values[v].count == 0 || !shape->known) continue;
    LAW(c->values[v].back >= 1 && c->values[v].back <= shape->rank);
    const int64_t size = shape->dims[shape->rank - c->values[v].back];
    LAW(size < 0 || (size_t)size == nl_axis_length(c, &c->values[v], NULL));
  }
}

#endif
