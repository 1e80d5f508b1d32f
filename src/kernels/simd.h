// simd: 128-bit vectors under one set of names, and which twin a kernel's plain name stands for.
// WebAssembly has the names itself; natively SIMDe spells them in the machine's own instructions.
#ifndef NL_KERNELS_SIMD_H
#define NL_KERNELS_SIMD_H

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#define NL_HAVE_SIMD128 1
#elif defined(__wasm__)
#define NL_HAVE_SIMD128 0 // a module for engines without vectors: the scalar twins alone
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>
#define NL_HAVE_SIMD128 1
#endif

#if NL_HAVE_SIMD128 && !defined(NL_KERNELS_SCALAR)
#define NL_KERNEL(name) name##__simd128
#else
#define NL_KERNEL(name) name##__scalar
#endif

// Loops shared by both twins are inlined into each with what it does innermost: V8 unrolls a loop the more the deeper it lies in its function, and
// a function of its own not at all (gram_f32, 1,024: 38 to 44 GFLOP/s).
#define NL_INLINE static inline __attribute__((always_inline))
typedef enum nl_twin { NL_SCALAR, NL_SIMD128 } nl_twin;

#endif
