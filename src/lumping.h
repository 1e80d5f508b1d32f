// lumping: what every method produces for a site. With a the site's activations (n) and ã those of the smaller network (k):
//     ã = R a,   a ≈ P ã + p
// R selects units (`kept`), or mixes them where `restriction` is given.
#ifndef NL_LUMPING_H
#define NL_LUMPING_H

#include "site.h"

typedef struct nl_lumping {
  size_t n, k;
  const size_t *kept;         // (k) ascending
  const double *restriction;  // (k, n), or NULL when R is the selection of `kept`; mixes only where channels are alike
  const double *prolongation; // (n, k)
  const double *offset;       // (n)
} nl_lumping;

// The lumping that takes units from this step's channels; NULL where they all stay.
const nl_lumping *nl_lumping_at(const nl_sites *sites, const nl_lumping *lumpings, size_t step);

// W_out P and b_out + W_out p for weights (m, n): weights_out (m, k), bias_out (m) is added to.
void nl_lumping_consume(const nl_lumping *lumping, size_t m, const double *weights, double *weights_out,
                        double *bias_out);

#endif
