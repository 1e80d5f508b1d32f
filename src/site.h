// site: where neurons can go. A site is a group of steps (network.h) whose every writer and every reader is a dense
// layer, so that one lumping can be applied to all of them.
#ifndef NL_SITE_H
#define NL_SITE_H

#include "network.h"

typedef struct nl_site {
  size_t group;
  size_t width;
  size_t producer; // the dense step it is named after (its first)
  size_t consumer_count;
  const size_t *consumers; // dense steps
  bool affine;             // every consumer has room for a bias, so a constant may be moved there
} nl_site;

typedef struct nl_sites {
  size_t count;
  const nl_site *sites;
  const size_t *site_of; // (steps) or NL_NONE
  bool *changed;         // (steps) room of nl_sites_parameters
} nl_sites;

// Finds the sites; memory comes from `arena`.
nl_status nl_sites_find(nl_sites *out, const nl_network *network, nl_arena *arena, nl_error *error);

// Parameters the model has when site s keeps widths[s] units (network->parameters when all are kept). Never less than
// the written model has: layers that share a tensor each get their own as soon as it is edited.
size_t nl_sites_parameters(const nl_sites *sites, const nl_network *network, const size_t *widths);

#endif
