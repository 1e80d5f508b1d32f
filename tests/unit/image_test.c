// Pictures as data: files made by stb_image_write here, against what they hold.
#include "image.h"

#include "formats.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#ifdef __clang__ // the writer shifts signed numbers out of their range; it is the reader that is tested
#pragma clang attribute push(__attribute__((no_sanitize("undefined"))), apply_to = function)
#endif
#include <stb_image_write.h>
#ifdef __clang__
#pragma clang attribute pop
#endif

enum { WIDTH = 7, HEIGHT = 5 };

static void collect(void *context, void *data, int size) { OK(nl_buffer_append(context, data, (size_t)size, NULL)); }

typedef enum kind { PNG, BMP, TGA, JPEG } kind;

static nl_buffer file_of(kind how, size_t width, size_t height, size_t channels, const uint8_t *pixels) {
  nl_buffer file = {0};
  const int w = (int)width, h = (int)height, n = (int)channels;
  const int fine = how == PNG   ? stbi_write_png_to_func(collect, &file, w, h, n, pixels, w * n)
                   : how == BMP ? stbi_write_bmp_to_func(collect, &file, w, h, n, pixels)
                   : how == TGA ? stbi_write_tga_to_func(collect, &file, w, h, n, pixels)
                                : stbi_write_jpg_to_func(collect, &file, w, h, n, pixels, 95);
  assert_int_equal(fine, 1);
  return file;
}

static void read_image(const nl_buffer *file, const nl_image_shape *shape, double *x) {
  const nl_span copy = exact(span_of(file));
  nl_error error = {0};
  const nl_status status = nl_image_read(copy.bytes, copy.size, shape, NULL, NULL, x, &error);
  free((void *)copy.bytes);
  if (status != NL_OK) fail_msg("%s", error.detail);
}

// pixel (y, x, c) of the test picture
static uint8_t pixel(size_t y, size_t x, size_t c) { return (uint8_t)(20 * x + 13 * y + 40 * c + (x * y * 7) % 50); }

static void fill(uint8_t *pixels) {
  for (size_t y = 0; y < HEIGHT; y++)
    for (size_t x = 0; x < WIDTH; x++)
      for (size_t c = 0; c < 3; c++) pixels[(y * WIDTH + x) * 3 + c] = pixel(y, x, c);
}

static void pixels_of_the_inputs_own_size_are_kept_exactly(void **state) {
  (void)state;
  uint8_t pixels[HEIGHT * WIDTH * 3];
  fill(pixels);
  for (kind how = PNG; how <= TGA; how++) {
    nl_buffer file = file_of(how, WIDTH, HEIGHT, 3, pixels);
    for (size_t last = 0; last < 2; last++) {
      const nl_image_shape shape = {HEIGHT, WIDTH, 3, last == 1};
      double x[HEIGHT * WIDTH * 3];
      read_image(&file, &shape, x);
      for (size_t y = 0; y < HEIGHT; y++)
        for (size_t i = 0; i < WIDTH; i++)
          for (size_t c = 0; c < 3; c++)
            assert_true(x[last ? (y * WIDTH + i) * 3 + c : (c * HEIGHT + y) * WIDTH + i] == pixel(y, i, c) / 255.0);
    }
    nl_buffer_free(&file);
  }
}

static void a_jpeg_is_near_what_it_was_made_of(void **state) {
  (void)state;
  uint8_t pixels[64 * 64 * 3];
  for (size_t k = 0; k < sizeof pixels; k++)
    pixels[k] = (uint8_t)(128 + 100 * sin((double)(k / 3 % 64) / 9) * cos((double)(k / 192) / 7));
  nl_buffer file = file_of(JPEG, 64, 64, 3, pixels);
  static double x[64 * 64 * 3];
  read_image(&file, &(nl_image_shape){64, 64, 3, true}, x);
  for (size_t k = 0; k < sizeof pixels; k++) assert_true(fabs(255 * x[k] - pixels[k]) < 12);
  nl_buffer_free(&file);
}

static void mean_and_spread_are_each_channels_own(void **state) {
  (void)state;
  const uint8_t one[3] = {255, 51, 0};
  nl_buffer file = file_of(PNG, 1, 1, 3, one);
  double x[3];
  OK(nl_image_read(file.bytes, file.size, &(nl_image_shape){1, 1, 3, false}, (double[]){.5, .1, -1},
                   (double[]){.25, .1, 2}, x, NULL));
  assert_true(fabs(x[0] - 2) < 1e-12 && fabs(x[1] - 1) < 1e-12 && fabs(x[2] - .5) < 1e-12);
  nl_buffer_free(&file);
}

static void grey_and_colour_become_each_other_and_transparency_goes(void **state) {
  (void)state;
  const uint8_t grey[1] = {102}, colour[3] = {255, 0, 0}, clear[4] = {10, 20, 30, 0};
  double x[3];
  nl_buffer file = file_of(PNG, 1, 1, 1, grey);
  read_image(&file, &(nl_image_shape){1, 1, 3, false}, x);
  for (size_t c = 0; c < 3; c++) assert_true(x[c] == 0.4);
  nl_buffer_free(&file);
  file = file_of(PNG, 1, 1, 3, colour);
  read_image(&file, &(nl_image_shape){1, 1, 1, false}, x);
  assert_true(fabs(x[0] - 0.299) < 0.004); // luma
  nl_buffer_free(&file);
  file = file_of(PNG, 1, 1, 4, clear);
  read_image(&file, &(nl_image_shape){1, 1, 3, false}, x);
  assert_true(x[0] == 10 / 255.0 && x[1] == 20 / 255.0 && x[2] == 30 / 255.0);
  nl_buffer_free(&file);
}

// By hand: the triangle over four inputs, its centre between the middle two, weighs 1/8, 3/8, 3/8, 1/8.
static void shrinking_and_growing_weigh_by_a_triangle(void **state) {
  (void)state;
  const uint8_t row[4] = {0, 80, 160, 240};
  nl_buffer file = file_of(PNG, 4, 1, 1, row);
  double x[8];
  read_image(&file, &(nl_image_shape){1, 1, 1, false}, x);
  assert_true(fabs(255 * x[0] - 120) < 1e-9);
  read_image(&file, &(nl_image_shape){1, 2, 1, false}, x); // 3/7, 3/7, 1/7 at an edge
  assert_true(fabs(255 * x[0] - (80 * 3 + 160) / 7.0) < 1e-9 &&
              fabs(255 * x[1] - (80 + 160 * 3 + 240 * 3) / 7.0) < 1e-9);
  read_image(&file, &(nl_image_shape){1, 8, 1, false}, x);
  static const double wider[8] = {0, 20, 60, 100, 140, 180, 220, 240};
  for (size_t i = 0; i < 8; i++) assert_true(fabs(255 * x[i] - wider[i]) < 1e-9);
  nl_buffer_free(&file);
  file = file_of(PNG, 1, 4, 1, row); // the other axis
  read_image(&file, &(nl_image_shape){8, 1, 1, true}, x);
  for (size_t i = 0; i < 8; i++) assert_true(fabs(255 * x[i] - wider[i]) < 1e-9);
  nl_buffer_free(&file);
}

static void one_colour_stays_so_at_every_size(void **state) {
  (void)state;
  uint8_t pixels[31 * 17];
  memset(pixels, 77, sizeof pixels);
  nl_buffer file = file_of(PNG, 31, 17, 1, pixels);
  static double x[64 * 64];
  for (size_t height = 1; height <= 64; height += 9)
    for (size_t width = 1; width <= 64; width += 5) {
      read_image(&file, &(nl_image_shape){height, width, 1, false}, x);
      for (size_t k = 0; k < height * width; k++) assert_true(fabs(255 * x[k] - 77) < 1e-9);
    }
  nl_buffer_free(&file);
}

static void what_is_no_image_is_refused(void **state) {
  (void)state;
  uint8_t pixels[HEIGHT * WIDTH * 3];
  fill(pixels);
  nl_buffer file = file_of(PNG, WIDTH, HEIGHT, 3, pixels);
  const nl_image_shape shape = {HEIGHT, WIDTH, 3, false};
  double x[HEIGHT * WIDTH * 3];
  nl_error error = {0};
  assert_int_equal(nl_image_read("no image", 8, &shape, NULL, NULL, x, &error), NL_ERROR_DATA);
  assert_non_null(strstr(error.detail, "no JPEG, PNG"));
  assert_int_equal(nl_image_read(file.bytes, 0, &shape, NULL, NULL, x, NULL), NL_ERROR_DATA);
  error = (nl_error){0};
  assert_int_equal(nl_image_read(file.bytes, file.size / 2, &shape, NULL, NULL, x, &error), NL_ERROR_DATA);
  assert_non_null(strstr(error.detail, "damaged"));
  const nl_image_shape bad[] = {
      {0, 1, 1, false}, {1, 1, 2, false}, {1, (size_t)1 << 20, 1, false}, {1 << 14, 1 << 14, 1, false}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_int_equal(nl_image_read(file.bytes, file.size, &bad[i], NULL, NULL, x, NULL), NL_ERROR_ARGUMENT);
  nl_buffer_free(&file);
}

static void a_palette_of_fewer_than_no_colours_is_refused(void **state) {
  (void)state;
  // 1 bit a pixel; numbers begin at byte 53, one before the palette would
  static const uint8_t bmp[96] = {'B', 'M', 96, [10] = 53, [14] = 40, [18] = 5, [22] = 9, [26] = 1, [28] = 1};
  double x[15];
  nl_error error = {0};
  assert_int_equal(nl_image_read(bmp, sizeof bmp, &(nl_image_shape){1, 5, 3, true}, NULL, NULL, x, &error),
                   NL_ERROR_DATA);
}

static void colours_beyond_the_palette_are_black(void **state) {
  (void)state;
  // 2 x 1, one colour in the palette, pixels 0 and 200; check sums are nobody's concern
  static const uint8_t png[] = "\x89PNG\r\n\x1a\n"
                               "\0\0\0\rIHDR\0\0\0\2\0\0\0\1\x08\3\0\0\0....\0\0\0\3PLTE\xff\x80\x40...."
                               "\0\0\0\x0eIDAT\x78\1\1\3\0\xfc\xff\0\0\xc8........\0\0\0\0IEND....";
  double x[6];
  nl_error error = {0};
  const nl_status status = nl_image_read(png, sizeof png - 1, &(nl_image_shape){1, 2, 3, true}, NULL, NULL, x, &error);
  if (status != NL_OK) fail_msg("%s", error.detail);
  const double expected[6] = {1, 128.0 / 255, 64.0 / 255, 0, 0, 0};
  for (size_t c = 0; c < 6; c++) assert_true(fabs(x[c] - expected[c]) < 1e-6);
}

// Its head says 30000 x 30000: refused before a byte of that is taken.
static void a_picture_too_large_is_refused_by_its_head(void **state) {
  (void)state;
  const uint8_t bmp[54] = {'B', 'M', 0, 0,    0,    0, 0, 0,    0,    0, 54, 0, 0, 0, 40,
                           0,   0,   0, 0x30, 0x75, 0, 0, 0x30, 0x75, 0, 0,  1, 0, 24};
  double x[1];
  nl_error error = {0};
  assert_int_equal(nl_image_read(bmp, sizeof bmp, &(nl_image_shape){1, 1, 1, false}, NULL, NULL, x, &error),
                   NL_ERROR_DATA);
  assert_non_null(strstr(error.detail, "67,108,864 pixels"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pixels_of_the_inputs_own_size_are_kept_exactly),
      cmocka_unit_test(a_jpeg_is_near_what_it_was_made_of),
      cmocka_unit_test(mean_and_spread_are_each_channels_own),
      cmocka_unit_test(grey_and_colour_become_each_other_and_transparency_goes),
      cmocka_unit_test(shrinking_and_growing_weigh_by_a_triangle),
      cmocka_unit_test(one_colour_stays_so_at_every_size),
      cmocka_unit_test(what_is_no_image_is_refused),
      cmocka_unit_test(a_palette_of_fewer_than_no_colours_is_refused),
      cmocka_unit_test(colours_beyond_the_palette_are_black),
      cmocka_unit_test(a_picture_too_large_is_refused_by_its_head),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
