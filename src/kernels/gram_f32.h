// gram_f32: the tile and the depth of its sums. Seen by the kernel and its tests.
#ifndef NL_KERNELS_GRAM_F32_H
#define NL_KERNELS_GRAM_F32_H

// A tile's sums fill eight of the 16 registers of x86-64; a panel of 256 rows, 8 KB, stays in the L1 cache.
enum { NL_GRAM_F32_ROWS = 4, NL_GRAM_F32_COLUMNS = 8, NL_GRAM_F32_DEPTH = 256, NL_GRAM_F32_BLOCK = 128 };

#endif
