#include "decimal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

// 10^n for |n| <= 66; exact up to 22, a few units in the last place beyond, far below what f32 can tell.
static double scale_by_ten(double value, int n) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  for (; n > 22; n -= 22) value *= 1e22;
  for (; n < -22; n += 22) value /= 1e22;
  return n >= 0 ? value * powers[n] : value / powers[-n];
}

static float neighbour(float value, int step) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits += (uint32_t)step;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Whether a reader that rounds to nearest takes `text_value` for `value`; with a margin, so that `text_value` may be off by
// its own rounding.
static bool reads_back(double text_value, float value) {
  const double center = (double)value, margin = center * 1e-14;
  const double below = (double)neighbour(value, -1), above = (double)neighbour(value, 1);
  const double up = isinf(above) ? center - below : above - center; // the largest f32 has no finite neighbour
  return text_value > center - (center - below) / 2 + margin && text_value < center + up / 2 - margin;
}

// floor(log10(value)), without a logarithm: libraries round theirs differently
static int leading_power(double value) {
  int binary;
  frexp(value, &binary);
  const int power = (int)floor((binary - 1) * 0.30102999566398120);
  return scale_by_ten(value, -power) >= 10 ? power + 1 : power;
}

// value = digits * 10^exponent, with the fewest digits that read back
static uint64_t shortest(float value, int *exponent) {
  const int power = leading_power((double)value);
  for (int count = 6;; count++) {
    const int shift = count - 1 - power;
    const double digits = nearbyint(scale_by_ten((double)value, shift));
    if (count < 17 && !reads_back(scale_by_ten(digits, -shift), value)) continue;
    uint64_t number = (uint64_t)digits;
    *exponent = -shift;
    while (number != 0 && number % 10 == 0) {
      number /= 10;
      ++*exponent;
    }
    return number;
  }
}

static size_t put_digits(uint64_t number, char *dst) {
  char reversed[24];
  size_t count = 0, size = 0;
  do reversed[count++] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  while (count != 0) dst[size++] = reversed[--count];
  return size;
}

// digits "12345" at 10^exponent
static size_t layout(const char *digits, size_t count, int exponent, char *dst) {
  const int point = (int)count + exponent; // digits before the point
  size_t size = 0;
  if (exponent >= 0 && point <= 15) {
    memcpy(dst, digits, count);
    memset(dst + count, '0', (size_t)exponent);
    return count + (size_t)exponent;
  }
  if (point > 0 && point <= 15) {
    memcpy(dst, digits, (size_t)point);
    dst[point] = '.';
    memcpy(dst + point + 1, digits + point, count - (size_t)point);
    return count + 1;
  }
  if (point <= 0 && point > -5) {
    dst[size++] = '0';
    dst[size++] = '.';
    for (int i = point; i < 0; i++) dst[size++] = '0';
    memcpy(dst + size, digits, count);
    return size + count;
  }
  dst[size++] = digits[0];
  if (count > 1) {
    dst[size++] = '.';
    memcpy(dst + size, digits + 1, count - 1);
    size += count - 1;
  }
  dst[size++] = 'e';
  const int power = point - 1;
  if (power < 0) dst[size++] = '-';
  return size + put_digits((uint64_t)(power < 0 ? -power : power), dst + size);
}

size_t nl_decimal_f32(float value, char *dst) {
  size_t size = 0;
  if (signbit(value)) dst[size++] = '-';
  value = fabsf(value);
  if (value == 0)
    dst[size++] = '0';
  else {
    char digits[24];
    int exponent;
    const uint64_t number = shortest(value, &exponent);
    size += layout(digits, put_digits(number, digits), exponent, dst + size);
  }
  dst[size] = '\0';
  return size;
}

nl_status nl_decimal_append(nl_buffer *out, double value, nl_error *error) {
  char text[NL_DECIMAL_SIZE];
  return nl_buffer_append(out, text, nl_decimal_f32((float)value, text), error);
}
