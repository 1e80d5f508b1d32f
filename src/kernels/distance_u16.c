#include "kernels.h"
#include "simd.h"

uint64_t nl_distance_u16__scalar(size_t n, const uint16_t *restrict x, const uint16_t *restrict y) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += (uint64_t)(x[i] > y[i] ? x[i] - y[i] : y[i] - x[i]);
  return sum;
}

#if NL_HAVE_SIMD128
enum { RUN = 1 << 16 }; // numbers whose sums fit a lane of 32 bits: RUN / 4 * 65535 < 2^32

static v128_t apart(const uint16_t *x, const uint16_t *y) {
  const v128_t a = wasm_v128_load(x), b = wasm_v128_load(y);
  return wasm_u32x4_extadd_pairwise_u16x8(wasm_v128_or(wasm_u16x8_sub_sat(a, b), wasm_u16x8_sub_sat(b, a)));
}

uint64_t nl_distance_u16__simd128(size_t n, const uint16_t *restrict x, const uint16_t *restrict y) {
  uint64_t sum = 0;
  size_t i = 0;
  while (i + 16 <= n) {
    const size_t end = n - i > RUN ? i + RUN : n;
    v128_t a = wasm_i32x4_splat(0), b = a;
    for (; i + 16 <= end; i += 16) {
      a = wasm_i32x4_add(a, apart(x + i, y + i));
      b = wasm_i32x4_add(b, apart(x + i + 8, y + i + 8));
    }
    uint32_t lanes[8];
    wasm_v128_store(lanes, a);
    wasm_v128_store(lanes + 4, b);
    for (size_t lane = 0; lane < 8; lane++) sum += lanes[lane];
  }
  return sum + nl_distance_u16__scalar(n - i, x + i, y + i);
}
#endif

uint64_t nl_distance_u16(size_t n, const uint16_t *restrict x, const uint16_t *restrict y) {
  return NL_KERNEL(nl_distance_u16)(n, x, y);
}
