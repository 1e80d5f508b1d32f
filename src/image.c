// image: decoding, resampling and scaling. The resampling is ours: the versions of stb differ in theirs.
#include "image.h"

#include <math.h>
#include <stdlib.h>

#include "arena.h"
#include "image_stb.h"

// ---- resampling one axis -----------------------------------------------------------------------------------------------

typedef struct window {
  size_t first, count; // of the inputs an output is made of
} window;

// Inputs that an output of this axis can reach at most.
static size_t reach_of(size_t in, size_t out) { return 2 * (in / out + 2) + 1; }

// Weights (window.count) of the inputs in output i: a triangle around its centre, as wide as the step from output to output
// where that is more than from input to input. They sum up to 1.
static window weigh(size_t in, size_t out, size_t i, double *weights) {
  const double step = (double)in / (double)out, reach = fmax(step, 1.0), centre = ((double)i + 0.5) * step;
  const double low = centre - reach + 0.5, high = centre + reach + 0.5;
  const size_t first = low > 0 ? (size_t)low : 0, end = high < (double)in ? (size_t)high : in;
  double sum = 0;
  for (size_t j = first; j < end; j++) {
    const double distance = fabs((double)j + 0.5 - centre) / reach;
    weights[j - first] = distance < 1 ? 1 - distance : 0;
    sum += weights[j - first];
  }
  for (size_t j = first; j < end; j++) weights[j - first] /= sum;
  return (window){first, end - first};
}

// ---- one picture -------------------------------------------------------------------------------------------------------

typedef struct picture {
  size_t width, height, channels;
  const uint8_t *pixels; // (height, width, channels)
} picture;

typedef struct resampler {
  nl_arena arena;
  size_t across;   // room for the weights of a column
  window *columns; // (width)
  double *weights; // (width, across)
  double *rows;    // (reach in y) weights
  double *row;     // (width, channels) one row of the picture, resampled in x
  double *sum;     // (width, channels)
} resampler;

static nl_status prepare(resampler *r, const picture *from, const nl_image_shape *shape, nl_error *error) {
  r->across = reach_of(from->width, shape->width);
  NL_TAKE(&r->arena, r->columns, window, shape->width, error);
  NL_TAKE(&r->arena, r->weights, double, shape->width * r->across, error);
  NL_TAKE(&r->arena, r->rows, double, reach_of(from->height, shape->height), error);
  NL_TAKE(&r->arena, r->row, double, shape->width * shape->channels, error);
  NL_TAKE(&r->arena, r->sum, double, shape->width * shape->channels, error);
  for (size_t i = 0; i < shape->width; i++)
    r->columns[i] = weigh(from->width, shape->width, i, r->weights + i * r->across);
  return NL_OK;
}

static void resample_row(const resampler *r, const picture *from, size_t y, size_t width) {
  const size_t channels = from->channels;
  const uint8_t *pixels = from->pixels + y * from->width * channels;
  for (size_t i = 0; i < width; i++) {
    const double *weights = r->weights + i * r->across;
    for (size_t c = 0; c < channels; c++) {
      double value = 0;
      for (size_t j = 0; j < r->columns[i].count; j++)
        value += weights[j] * pixels[(r->columns[i].first + j) * channels + c];
      r->row[i * channels + c] = value;
    }
  }
}

// r->sum: row y of the resampled picture
static void make_row(const resampler *r, const picture *from, const nl_image_shape *shape, size_t y) {
  const size_t count = shape->width * shape->channels;
  const window rows = weigh(from->height, shape->height, y, r->rows);
  for (size_t k = 0; k < count; k++) r->sum[k] = 0;
  for (size_t j = 0; j < rows.count; j++) {
    if (r->rows[j] == 0) continue;
    resample_row(r, from, rows.first + j, shape->width);
    for (size_t k = 0; k < count; k++) r->sum[k] += r->rows[j] * r->row[k];
  }
}

static void put_row(const resampler *r, const nl_image_shape *shape, const double *mean, const double *spread, size_t y,
                    double *x) {
  for (size_t i = 0; i < shape->width; i++) {
    for (size_t c = 0; c < shape->channels; c++) {
      const double value = r->sum[i * shape->channels + c] / 255.0;
      const size_t at = shape->channels_last ? (y * shape->width + i) * shape->channels + c
                                             : (c * shape->height + y) * shape->width + i;
      x[at] = (value - (mean != NULL ? mean[c] : 0.0)) / (spread != NULL ? spread[c] : 1.0);
    }
  }
}

static nl_status check_shape(const nl_image_shape *shape, nl_error *error) {
  const bool fine = (shape->channels == 1 || shape->channels == 3) && shape->height >= 1 && shape->width >= 1 &&
                    shape->height <= NL_IMAGE_SIDE && shape->width <= NL_IMAGE_SIDE &&
                    shape->height * shape->width <= NL_IMAGE_PIXELS;
  return fine ? NL_OK : nl_fail(error, NL_ERROR_ARGUMENT, "shape", "images have 1 or 3 channels and a size");
}

static nl_status decode(nl_span bytes, size_t channels, picture *out, nl_error *error) {
  if (!nl_image_stb_size(bytes.bytes, bytes.size, &out->width, &out->height))
    return nl_fail(error, NL_ERROR_DATA, NULL, "it is no JPEG, PNG, BMP, GIF or TGA image");
  if (out->width > NL_IMAGE_SIDE || out->height > NL_IMAGE_SIDE || out->width * out->height > NL_IMAGE_PIXELS)
    return nl_fail(error, NL_ERROR_DATA, NULL, "it has more than 67,108,864 pixels, or more than 32,768 in a line");
  out->channels = channels;
  out->pixels = nl_image_stb_decode(bytes.bytes, bytes.size, channels);
  return out->pixels != NULL ? NL_OK
                             : nl_fail(error, NL_ERROR_DATA, NULL, "the image is damaged or of an uncommon kind");
}

nl_status nl_image_read(const void *bytes, size_t size, const nl_image_shape *shape, const double *mean,
                        const double *spread, double *x, nl_error *error) {
  NL_TRY(check_shape(shape, error));
  picture from;
  NL_TRY(decode((nl_span){bytes, size}, shape->channels, &from, error));
  resampler r = {0};
  const nl_status status = prepare(&r, &from, shape, error);
  for (size_t y = 0; status == NL_OK && y < shape->height; y++) {
    make_row(&r, &from, shape, y);
    put_row(&r, shape, mean, spread, y, x);
  }
  nl_arena_free(&r.arena);
  free((void *)from.pixels);
  return status;
}
