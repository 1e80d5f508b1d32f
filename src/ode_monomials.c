#include "ode_monomials.h"

double nl_binomial(size_t n, size_t k) {
  double value = 1;
  for (size_t i = 1; i <= k; i++) value = value * (double)(n - k + i) / (double)i;
  return value;
}

void nl_polynomial_around(const nl_polynomial *p, double bias, double *g) {
  for (size_t d = 0; d <= p->degree; d++) {
    g[d] = 0;
    for (size_t e = p->degree + 1; e-- > d;) g[d] = g[d] * bias + nl_binomial(e, d) * p->coefficients[e];
  }
}

static size_t allowed(const nl_monomials *m, size_t index) {
  while (index == m->skip[0] || index == m->skip[1]) index++;
  return index;
}

bool nl_monomials_start(nl_monomials *m) {
  for (size_t l = 0; l < m->size; l++) m->index[l] = allowed(m, 0);
  return m->size == 0 || m->index[0] < m->n;
}

bool nl_monomials_next(nl_monomials *m) {
  for (size_t l = m->size; l-- > 0;) {
    const size_t up = allowed(m, m->index[l] + 1);
    if (up >= m->n) continue;
    for (size_t k = l; k < m->size; k++) m->index[k] = up;
    return true;
  }
  return false;
}

double nl_monomials_ways(const nl_monomials *m, size_t *run) {
  double value = 1;
  *run = 0;
  for (size_t l = 0; l < m->size; l++) {
    *run = l > 0 && m->index[l] == m->index[l - 1] ? *run + 1 : 1;
    value = value * (double)(l + 1) / (double)*run;
  }
  return value * (double)(m->size + 1);
}
