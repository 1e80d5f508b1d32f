// Whatever the bytes are: an error with a sentence, or numbers from 0 to 1 and the same ones again. The first four bytes choose
// the input's shape.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "image_stb.h"

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

enum { SIDE = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static double first[SIDE * SIDE * 3], second[SIDE * SIDE * 3];
  size_t width, height;
  if (size < 4) return 0;
  // A few bytes may claim a large picture, which is slow here and nothing else.
  if (nl_image_stb_size(data + 4, size - 4, &width, &height) && width * height > 1 << 16) return 0;
  const nl_image_shape shape = {data[0] % SIDE + 1u, data[1] % SIDE + 1u, data[2] % 2 == 0 ? 1 : 3, data[3] % 2 == 0};
  const size_t count = shape.height * shape.width * shape.channels;
  nl_error error = {0};
  if (nl_image_read(data + 4, size - 4, &shape, NULL, NULL, first, &error) != NL_OK) {
    char sentence[700];
    REQUIRE(error.status >= NL_ERROR_MEMORY && nl_error_sentence(&error, NULL, sentence, sizeof sentence) > 10);
    return 0;
  }
  for (size_t i = 0; i < count; i++) REQUIRE(first[i] >= 0 && first[i] < 1 + 1e-9);
  REQUIRE(nl_image_read(data + 4, size - 4, &shape, NULL, NULL, second, NULL) == NL_OK);
  REQUIRE(memcmp(first, second, count * sizeof *first) == 0);
  return 0;
}
