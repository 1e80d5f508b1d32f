// Helpers of a refit: which rows each has, and what crosses.
#include <stdlib.h>
#include <string.h>

#include "crossing.h"
#include "refit_lead.h"

struct nl_refit_helper {
  nl_refit_input input;
  size_t first, all; // row of the measure; rows of it
  nl_arena arena;
  nl_lumping *lumpings;
  double *x;
  nl_refit_plan plan;
  nl_parameters reduced;
  nl_refit_rows *rows;
};

static nl_status wrong(nl_error *error) { return nl_fail(error, NL_ERROR_ARGUMENT, "orders", "their size is wrong"); }

// ---- what crosses -------------------------------------------------------------------------------------------------------

// Numbers that stay where they came in.
static void cross_borrowed(nl_crossing *c, size_t count, const double **values) {
  if (c->at == NULL || !c->in) {
    nl_cross(c, count, (double *)(uintptr_t)*values); // read alone
    return;
  }
  *values = c->at + c->count;
  c->count += count;
}

static void cross_layer(nl_crossing *c, nl_layer *layer) {
  nl_cross(c, layer->width * layer->in_width, layer->weights);
  if (layer->bias != NULL) nl_cross(c, layer->width, layer->bias);
}

static void cross_order(nl_crossing *c, nl_refit_order *order, nl_parameters *reduced, bool fits) {
  nl_layer *layer = &reduced->layers[order->step];
  size_t newton = order->newton.task, moves = order->newton.direction != NULL;
  if (order->task == NL_REFIT_REDUCED && fits) cross_layer(c, layer);
  if (order->task == NL_REFIT_FIT) cross_borrowed(c, layer->in_width, &order->center);
  if (order->task != NL_REFIT_NEWTON) return;
  nl_cross_number(c, &newton);
  order->newton.task = (nl_newton_task)newton;
  nl_cross(c, 1, &order->newton.best);
  if (newton != NL_NEWTON_PRODUCT) {
    cross_layer(c, layer);
    return;
  }
  nl_cross_number(c, &moves);
  if (moves) cross_borrowed(c, layer->width * (layer->in_width + (layer->bias != NULL)), &order->newton.direction);
}

static nl_status cross_room(nl_crossing *c, nl_arena *arena, size_t count, double **values, nl_error *error) {
  size_t there = *values != NULL;
  nl_cross_number(c, &there);
  if (!there) return NL_OK;
  if (c->in && c->at != NULL) {
    if (c->count > c->limit || count > c->limit - c->count) return wrong(error);
    NL_TAKE(arena, *values, double, count + 1, error);
  }
  nl_cross(c, count, *values);
  return NL_OK;
}

// A layer that is not the original's.
static nl_status cross_whole_layer(nl_crossing *c, nl_arena *arena, nl_layer *layer, nl_error *error) {
  nl_cross_number(c, &layer->width);
  nl_cross_number(c, &layer->in_width);
  if (layer->in_width > 0 && layer->width > SIZE_MAX / layer->in_width) return wrong(error);
  NL_TRY(cross_room(c, arena, layer->width * layer->in_width, &layer->weights, error));
  NL_TRY(cross_room(c, arena, layer->width, &layer->bias, error));
  NL_TRY(cross_room(c, arena, layer->width, &layer->scale, error));
  return cross_room(c, arena, layer->width, &layer->shift, error);
}

// Which units stay, or how they are mixed: what the rows want of a lumping.
static nl_status cross_lumping(nl_crossing *c, nl_arena *arena, size_t n, nl_lumping *lumping, nl_error *error) {
  double *mix = (double *)(uintptr_t)lumping->restriction; // read alone
  size_t *kept = (size_t *)(uintptr_t)lumping->kept;
  nl_cross_number(c, &lumping->k);
  lumping->n = n;
  if (lumping->k == n) return NL_OK;
  if (lumping->k > n) return wrong(error);
  NL_TRY(cross_room(c, arena, lumping->k * n, &mix, error));
  if (c->in && c->at != NULL) NL_TAKE(arena, kept, size_t, lumping->k + 1, error);
  for (size_t u = 0; mix == NULL && u < lumping->k; u++) {
    nl_cross_number(c, &kept[u]);
    if (kept[u] >= n) return wrong(error);
  }
  lumping->restriction = mix;
  lumping->kept = kept;
  return NL_OK;
}

static void cross_flag(nl_crossing *c, bool *flag) {
  size_t number = *flag;
  nl_cross_number(c, &number);
  *flag = number != 0;
}

// What a helper has to know beforehand, but for the layers and its rows.
static nl_status cross_start(nl_crossing *c, nl_refit_helper *h, nl_error *error) {
  const nl_sites *sites = h->input.sites;
  nl_cross_number(c, &h->first);
  nl_cross_number(c, &h->input.rows);
  nl_cross_number(c, &h->all);
  cross_flag(c, &h->input.fit);
  cross_flag(c, &h->input.outputs);
  if (h->first > h->all || h->input.rows > h->all - h->first) return wrong(error);
  for (size_t i = 0; i < sites->count; i++)
    NL_TRY(cross_lumping(c, &h->arena, sites->sites[i].width, &h->lumpings[i], error));
  return NL_OK;
}

static nl_status cross_layers(nl_crossing *c, nl_refit_helper *h, nl_parameters *reduced, nl_error *error) {
  const nl_network *network = h->input.network;
  for (size_t s = 0; s < network->step_count; s++)
    if (network->steps[s].evaluable && h->plan.changed[s])
      NL_TRY(cross_whole_layer(c, &h->arena, &reduced->layers[s], error));
  return NL_OK;
}

static nl_status cross_rows(nl_crossing *c, nl_refit_helper *h, double **x, nl_error *error) {
  const size_t features = h->input.network->features;
  if (features > 0 && h->input.rows > SIZE_MAX / sizeof(double) / features) return wrong(error);
  return cross_room(c, &h->arena, h->input.rows * features, x, error);
}

// ---- the one that orders ------------------------------------------------------------------------------------------------

bool nl_refit_waits(const nl_refit *refit) { return refit->waits; }

nl_status nl_refit_order_helpers(nl_refit *refit, nl_error *error) {
  nl_refit_order *order = &refit->order;
  const bool fits = nl_refit_fits(&refit->input, &refit->plan, order->step);
  const double head[] = {(double)order->task, (double)order->step};
  nl_crossing c = {0};
  NL_TRY(nl_buffer_append(&refit->orders, head, sizeof head, error));
  const size_t from = refit->orders.size;
  cross_order(&c, order, &refit->reduced, fits);
  NL_TRY(nl_buffer_append(&refit->orders, NULL, c.count * sizeof(double), error));
  c = (nl_crossing){.at = (double *)(void *)(refit->orders.bytes + from)};
  cross_order(&c, order, &refit->reduced, fits);
  refit->waits = nl_refit_sums(order, &refit->reduced) > 0;
  refit->taken = 0;
  return NL_OK;
}

nl_status nl_refit_order_outputs(nl_refit *refit, nl_error *error) {
  refit->outputs = calloc(2 * refit->reduced.count + 1, sizeof(nl_rows *));
  if (refit->outputs == NULL) return nl_no_memory(error, 2 * refit->reduced.count + 1, sizeof(nl_rows *));
  refit->order = (nl_refit_order){.task = NL_REFIT_OUTPUTS};
  NL_TRY(nl_refit_order_helpers(refit, error));
  refit->waits = true;
  return NL_OK;
}

size_t nl_refit_shares(const nl_refit_input *input) {
  const size_t share = nl_refit_share(input, input->rows);
  return (input->rows + share - 1) / share;
}

// The shares of a helper: from ... end - 1.
static void shares_of(const nl_refit *refit, size_t helper, size_t *from, size_t *end) {
  const size_t shares = nl_refit_shares(&refit->input), helpers = refit->input.helpers;
  *from = shares * helper / helpers;
  *end = shares * (helper + 1) / helpers;
}

static nl_status cross_all(nl_crossing *c, const nl_refit *refit, size_t helper, nl_error *error) {
  const size_t share = nl_refit_share(&refit->input, refit->input.rows), rows = refit->input.rows;
  size_t from, end;
  shares_of(refit, helper, &from, &end);
  nl_refit_helper as = {.input = refit->input, .lumpings = refit->lumpings, .plan = refit->plan, .all = rows};
  as.first = from * share;
  as.input.rows = (end * share < rows ? end * share : rows) - as.first;
  nl_parameters reduced = refit->reduced;
  double *x = (double *)(uintptr_t)(refit->input.x + as.first * refit->input.network->features); // read alone
  NL_TRY(cross_start(c, &as, error));
  NL_TRY(cross_layers(c, &as, &reduced, error));
  return cross_rows(c, &as, &x, error);
}

nl_status nl_refit_give(nl_refit *refit, size_t helper, nl_buffer *orders, nl_error *error) {
  if (!refit->waits || helper >= refit->input.helpers)
    return nl_fail(error, NL_ERROR_ARGUMENT, "helper", "it is not to be told now");
  const bool told = refit->told[helper];
  const double head = !told;
  NL_TRY(nl_buffer_append(orders, &head, sizeof head, error));
  if (!told) {
    const size_t from = orders->size;
    nl_crossing c = {0};
    NL_TRY(nl_refit_prepare(refit, refit->input.network->step_count - 1, error));
    NL_TRY(cross_all(&c, refit, helper, error));
    NL_TRY(nl_buffer_append(orders, NULL, c.count * sizeof(double), error));
    c = (nl_crossing){.at = (double *)(void *)(orders->bytes + from)};
    NL_TRY(cross_all(&c, refit, helper, error));
  }
  refit->told[helper] = true;
  return nl_buffer_append(orders, refit->orders.bytes, refit->orders.size, error);
}

static nl_status take_sums(nl_refit *refit, size_t shares, const double *sums, size_t count, nl_error *error) {
  const size_t each = nl_refit_sums(&refit->order, &refit->reduced);
  if (count != each * shares) return wrong(error);
  for (size_t i = 0; i < shares; i++) NL_TRY(nl_refit_add(refit, sums + i * each, error));
  return NL_OK;
}

// Of the rows from `first` on, output by output: the original's, then the smaller network's.
static nl_status take_outputs(nl_refit *refit, size_t first, size_t rows, const double *values, size_t count,
                              nl_error *error) {
  const nl_network *network = refit->input.network;
  if (count != 2 * rows * network->results) return wrong(error);
  for (size_t o = 0; o < 2 * network->output_count; o++) {
    const size_t step = network->outputs[o / 2], width = network->steps[step].width;
    nl_rows **into = &refit->outputs[o % 2 * refit->reduced.count + step];
    if (*into == NULL) NL_TRY(nl_rows_create(into, refit->input.rows, width, 0, false, error));
    memcpy(nl_rows_room(*into, first), values, rows * width * sizeof *values);
    values += rows * width;
  }
  return NL_OK;
}

nl_status nl_refit_take(nl_refit *refit, size_t helper, const double *sums, size_t count, nl_error *error) {
  const size_t share = nl_refit_share(&refit->input, refit->input.rows), rows = refit->input.rows;
  size_t from, end;
  if (!refit->waits || helper != refit->taken) return nl_fail(error, NL_ERROR_ARGUMENT, "helper", "it is not the next");
  shares_of(refit, helper, &from, &end);
  const size_t first = from * share, last = end * share < rows ? end * share : rows;
  if (refit->order.task == NL_REFIT_OUTPUTS)
    NL_TRY(take_outputs(refit, first, last - first, sums, count, error));
  else
    NL_TRY(take_sums(refit, end - from, sums, count, error));
  refit->waits = ++refit->taken < refit->input.helpers;
  if (!refit->waits) refit->orders.size = 0;
  return NL_OK;
}

// ---- the other side -----------------------------------------------------------------------------------------------------

nl_status nl_refit_helper_create(nl_refit_helper **out, const nl_network *network, const nl_sites *sites,
                                 const nl_parameters *original, nl_error *error) {
  nl_refit_helper *h = calloc(1, sizeof *h);
  if (h == NULL) return nl_no_memory(error, 1, sizeof *h);
  h->input = (nl_refit_input){.network = network, .sites = sites, .original = original};
  *out = h;
  return NL_OK;
}

static void forget(nl_refit_helper *h) {
  nl_refit_rows_free(h->rows);
  h->rows = NULL;
  nl_arena_free(&h->arena);
}

void nl_refit_helper_free(nl_refit_helper *h) {
  if (h == NULL) return;
  forget(h);
  free(h);
}

static nl_status begin(nl_refit_helper *h, nl_crossing *c, nl_error *error) {
  const nl_network *network = h->input.network;
  forget(h);
  h->x = NULL;
  NL_TAKE(&h->arena, h->lumpings, nl_lumping, h->input.sites->count + 1, error);
  NL_TAKE(&h->arena, h->reduced.layers, nl_layer, network->step_count + 1, error);
  h->reduced.count = network->step_count;
  h->input.lumpings = h->lumpings;
  NL_TRY(cross_start(c, h, error));
  NL_TRY(nl_refit_plan_make(&h->plan, &h->input, &h->arena, error));
  for (size_t s = 0; s < network->step_count; s++)
    if (!h->plan.changed[s]) h->reduced.layers[s] = h->input.original->layers[s];
  NL_TRY(cross_layers(c, h, &h->reduced, error));
  NL_TRY(cross_rows(c, h, &h->x, error));
  if (c->count > c->limit || h->x == NULL) return wrong(error);
  h->input.x = h->x;
  return nl_refit_rows_create(&h->rows, &h->input, &h->plan, &h->reduced, h->first, h->all, error);
}

static nl_status tell_outputs(nl_refit_helper *h, nl_buffer *out, nl_error *error) {
  const nl_network *network = h->input.network;
  for (size_t o = 0; o < 2 * network->output_count; o++) {
    const nl_rows *values = nl_refit_rows_values(h->rows, network->outputs[o / 2], o % 2 == 0);
    if (values == NULL) return wrong(error);
    NL_TRY(nl_buffer_append(out, values->wide, h->input.rows * values->width * sizeof(double), error));
  }
  return NL_OK;
}

static nl_status carry_out(nl_refit_helper *h, const nl_refit_order *order, nl_buffer *out, nl_error *error) {
  const size_t count = nl_refit_sums(order, &h->reduced);
  size_t work = 0;
  if (order->task == NL_REFIT_OUTPUTS) return tell_outputs(h, out, error);
  NL_TRY(nl_refit_rows_begin(h->rows, order, error));
  while (!nl_refit_rows_done(h->rows)) {
    double *sums;
    nl_refit_rows_step(h->rows, &sums, &work);
    if (sums != NULL && count > 0) NL_TRY(nl_buffer_append(out, sums, count * sizeof *sums, error));
  }
  return NL_OK;
}

nl_status nl_refit_helper_do(nl_refit_helper *h, const double *orders, size_t count, nl_buffer *sums, nl_error *error) {
  nl_crossing c = {.at = (double *)(uintptr_t)orders, .in = true, .limit = count}; // read alone
  bool starts = false;
  cross_flag(&c, &starts);
  if (starts) NL_TRY(begin(h, &c, error));
  if (h->rows == NULL) return wrong(error);
  while (c.count < c.limit) {
    size_t task = 0, step = 0;
    nl_cross_number(&c, &task);
    nl_cross_number(&c, &step);
    if (task >= NL_REFIT_TASKS || step >= h->input.network->step_count) return wrong(error);
    nl_refit_order order = {.task = (nl_refit_task)task, .step = step};
    cross_order(&c, &order, &h->reduced, nl_refit_fits(&h->input, &h->plan, step));
    if (c.count > c.limit) return wrong(error);
    NL_TRY(carry_out(h, &order, sums, error));
  }
  return NL_OK;
}
