#include "simd.h"

#if NL_HAVE_SIMD128
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

// clang and gcc know + - * / on such vectors; the rest goes by its WebAssembly name.
#define TWIN(name) name##__simd128
enum { LANES = 2 };
typedef double lanes __attribute__((vector_size(16)));
typedef uint64_t words __attribute__((vector_size(16)));

static inline lanes load(const double *x) { return (lanes)wasm_v128_load(x); }
static inline void store(double *y, lanes a) { wasm_v128_store(y, (v128_t)a); }
static inline double first_of(lanes a) { return a[0]; }
static inline lanes lanes_all(double x) { return (lanes){x, x}; }
static inline lanes smaller(lanes a, lanes b) { return (lanes)wasm_f64x2_pmin((v128_t)a, (v128_t)b); }
static inline lanes larger(lanes a, lanes b) { return (lanes)wasm_f64x2_pmax((v128_t)a, (v128_t)b); }
static inline words bits_of(lanes a) { return (words)a; }
static inline lanes lanes_of(words bits) { return (lanes)bits; }

#include "elementary_f64.h"
#endif
