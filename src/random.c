#include "random.h"

static uint64_t rotate(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

// splitmix64 (Steele, Lea, Flood 2014)
static uint64_t mix(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

nl_random nl_random_seeded(uint64_t seed) {
  nl_random random;
  for (int i = 0; i < 4; i++) random.state[i] = mix(&seed);
  return random;
}

static uint64_t next(nl_random *random) {
  uint64_t *s = random->state;
  const uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

double nl_random_uniform(nl_random *random) { return ((double)(next(random) >> 11) + 0.5) * 0x1p-53; }
