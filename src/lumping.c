#include "lumping.h"

#include "kernels/kernels.h"

const nl_lumping *nl_lumping_at(const nl_sites *sites, const nl_lumping *lumpings, size_t step) {
  const size_t site = sites->site_of[step];
  return site != NL_NONE && lumpings[site].k < lumpings[site].n ? &lumpings[site] : NULL;
}

void nl_lumping_consume(const nl_lumping *lumping, size_t m, const double *weights, double *weights_out,
                        double *bias_out) {
  const size_t n = lumping->n, k = lumping->k;
  for (size_t o = 0; o < m; o++) {
    for (size_t i = 0; i < k; i++) weights_out[o * k + i] = 0.0;
    for (size_t u = 0; u < n; u++)
      nl_axpy_f64(k, weights[o * n + u], lumping->prolongation + u * k, weights_out + o * k);
    if (bias_out != NULL) bias_out[o] += nl_dot_f64(n, weights + o * n, lumping->offset);
  }
}
