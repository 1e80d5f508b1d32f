#include <string.h>

#include "polish_parts.h"

static const nl_tensor *constant_at(const nl_graph *graph, nl_place place) {
  return place.node == NL_NONE ? NULL : nl_node_constant(graph, &graph->nodes[place.node], place.slot);
}

static bool evaluated(const nl_network *network, size_t value) {
  const size_t step = value != NL_NONE ? network->step_of[value] : NL_NONE;
  return step != NL_NONE && network->steps[step].evaluable;
}

// Something netlump cannot evaluate reads this value.
static bool read_elsewhere(const nl_network *network, size_t value) {
  const nl_graph *graph = network->graph;
  for (size_t u = 0; u < graph->values[value].use_count; u++) {
    const nl_use use = graph->values[value].uses[u];
    if (use.slot == NL_NONE) return true;
    const nl_node *node = &graph->nodes[use.node];
    for (size_t o = 0; o < node->output_count; o++)
      if (node->outputs[o] != NL_NONE && !evaluated(network, node->outputs[o])) return true;
  }
  return false;
}

// watched (steps): what a step says reaches, however far, something outside of what is evaluated
static void find_watched(const nl_network *network, bool *watched) {
  for (size_t v = 0; v < network->graph->value_count; v++)
    if (evaluated(network, v) && read_elsewhere(network, v)) watched[network->step_of[v]] = true;
  for (size_t s = network->step_count; s-- > 0;)
    for (size_t i = 0; watched[s] && i < network->steps[s].input_count; i++)
      watched[network->steps[s].inputs[i]] = true;
}

// Another step reads the same constant as its weights or its bias.
static bool shared(const nl_network *network, size_t own, const nl_tensor *tensor) {
  for (size_t s = 0; s < network->step_count; s++) {
    const nl_step *step = &network->steps[s];
    if (s == own || step->kind != NL_STEP_DENSE || !step->evaluable) continue;
    if (constant_at(network->graph, step->weights) == tensor || constant_at(network->graph, step->bias) == tensor)
      return true;
  }
  return false;
}

static void add_piece(nl_pieces *pieces, size_t step, bool bias, size_t count) {
  pieces->pieces[pieces->count++] = (nl_piece){step, bias, pieces->numbers, count};
  pieces->numbers += count;
}

static void add_step(nl_pieces *pieces, const nl_network *network, const nl_layer *layer, size_t s) {
  const nl_step *step = &network->steps[s];
  if (step->alpha != 0 && !shared(network, s, constant_at(network->graph, step->weights)))
    add_piece(pieces, s, false, layer->width * layer->in_width);
  if (layer->bias == NULL) return;
  const nl_tensor *bias = constant_at(network->graph, step->bias);
  if (step->beta != 0 && (bias == NULL || !shared(network, s, bias))) add_piece(pieces, s, true, layer->width);
}

static double *numbers_of(const nl_piece *piece, const nl_layer *layer) {
  return piece->bias ? layer->bias : layer->weights;
}

static nl_status fix_zeros(nl_pieces *pieces, nl_arena *arena, const nl_parameters *start, nl_error *error) {
  NL_TAKE(arena, pieces->fixed, bool, pieces->numbers + 1, error);
  for (size_t p = 0; p < pieces->count; p++) {
    const nl_piece *piece = &pieces->pieces[p];
    const double *numbers = numbers_of(piece, &start->layers[piece->step]);
    for (size_t i = 0; i < piece->count; i++) pieces->fixed[piece->offset + i] = numbers[i] == 0;
  }
  return NL_OK;
}

nl_status nl_pieces_find(nl_pieces *out, nl_arena *arena, const nl_network *network, const nl_parameters *start,
                         bool keep_zeros, nl_error *error) {
  nl_pieces pieces = {0};
  bool *watched = NULL;
  NL_TAKE(arena, watched, bool, network->step_count + 1, error);
  NL_TAKE(arena, pieces.pieces, nl_piece, 2 * network->step_count + 1, error);
  find_watched(network, watched);
  for (size_t s = 0; s < network->step_count; s++)
    if (network->steps[s].kind == NL_STEP_DENSE && network->steps[s].evaluable && !watched[s])
      add_step(&pieces, network, &start->layers[s], s);
  if (keep_zeros) NL_TRY(fix_zeros(&pieces, arena, start, error));
  *out = pieces;
  return NL_OK;
}

nl_status nl_pieces_place(const nl_pieces *pieces, nl_arena *arena, const nl_parameters *start, double *numbers,
                          nl_parameters *out, nl_error *error) {
  *out = (nl_parameters){.count = start->count};
  NL_TAKE(arena, out->layers, nl_layer, start->count + 1, error);
  memcpy(out->layers, start->layers, start->count * sizeof *out->layers);
  for (size_t p = 0; p < pieces->count; p++) {
    const nl_piece *piece = &pieces->pieces[p];
    nl_layer *layer = &out->layers[piece->step];
    memcpy(numbers + piece->offset, numbers_of(piece, layer), piece->count * sizeof *numbers);
    *(piece->bias ? &layer->bias : &layer->weights) = numbers + piece->offset;
  }
  return NL_OK;
}

void nl_pieces_gradient(const nl_pieces *pieces, const nl_network *network, const nl_parameters *parameters,
                        const nl_scratch *scratch, const nl_scratch *gradients, size_t rows, double *gradient) {
  for (size_t p = 0; p < pieces->count; p++) {
    const nl_piece *piece = &pieces->pieces[p];
    double *to = gradient + piece->offset;
    nl_forward_weight_gradient(network, parameters, scratch, gradients, piece->step, rows, piece->bias ? NULL : to,
                               piece->bias ? to : NULL);
  }
}
