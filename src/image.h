// image: a picture file -> what an image model reads of it. JPEG, PNG, BMP, GIF (its first frame) and TGA, decoded by stb_image
// to 8 bits a channel; transparency is left out, EXIF orientation not looked at. The picture is stretched to the input's size,
// whatever its proportions, with a triangle filter that widens where it shrinks: what Pillow calls bilinear and torchvision
// antialiased, but for their rounding between.
#ifndef NL_IMAGE_H
#define NL_IMAGE_H

#include <stdbool.h>

#include "status.h"

enum { NL_IMAGE_SIDE = 1 << 15, NL_IMAGE_PIXELS = 1 << 26 }; // of a file and of an input at most

typedef struct nl_image_shape {
  size_t height, width;
  size_t channels;    // 1: grey, 3: red, green, blue
  bool channels_last; // (height, width, channels), else (channels, height, width)
} nl_image_shape;

// x (channels * height * width) = (pixel / 255 - mean) / spread, pixels from 0 to 255. mean and spread (channels); NULL: 0 and 1.
// Errors: NL_ERROR_DATA with what is wrong with the file, NL_ERROR_ARGUMENT for a shape that is none.
nl_status nl_image_read(const void *bytes, size_t size, const nl_image_shape *shape, const double *mean,
                        const double *spread, double *x, nl_error *error);

#endif
