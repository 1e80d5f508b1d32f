// random: the one source of random numbers: xoshiro256** (Blackman, Vigna 2018), started by splitmix64. The same seed gives
// the same numbers on every machine.
#ifndef NL_RANDOM_H
#define NL_RANDOM_H

#include <stdint.h>

typedef struct nl_random {
  uint64_t state[4];
} nl_random;

nl_random nl_random_seeded(uint64_t seed);
double nl_random_uniform(nl_random *random); // ~ U(0, 1)

#endif
