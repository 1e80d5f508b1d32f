#include <stdint.h>
#include <string.h>

#include "kernels.h"

#define TWIN(name) name##__scalar
enum { LANES = 1 };
typedef double lanes;
typedef uint64_t words;

static inline lanes load(const double *x) { return *x; }
static inline void store(double *y, lanes a) { *y = a; }
static inline double first_of(lanes a) { return a; }
static inline lanes lanes_all(double x) { return x; }
static inline lanes smaller(lanes a, lanes b) { return b < a ? b : a; }
static inline lanes larger(lanes a, lanes b) { return a < b ? b : a; }
static inline words bits_of(lanes a) {
  words bits;
  memcpy(&bits, &a, sizeof bits);
  return bits;
}
static inline lanes lanes_of(words bits) {
  lanes a;
  memcpy(&a, &bits, sizeof a);
  return a;
}

#include "elementary_f64.h"
