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

#endif
