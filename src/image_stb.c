// image_stb: the one file that holds stb_image's code. Its memory comes zeroed, so that what a damaged file leaves out is
// black on every run; no SIMD, so that all builds decode alike; no files, no assertions.
#include "image_stb.h"

#include <limits.h>
#include <stdlib.h>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_NO_SIMD
#define STBI_NO_FAILURE_STRINGS
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_ONLY_TGA
#define STBI_MAX_DIMENSIONS (1 << 15) // NL_IMAGE_SIDE
#define STBI_ASSERT(condition) ((void)0)
#define STBI_MALLOC(size) calloc(1, size)
#define STBI_REALLOC(pointer, size) realloc(pointer, size)
#define STBI_FREE(pointer) free(pointer)
#include <stb_image.h>

_Bool nl_image_stb_size(const uint8_t *bytes, size_t size, size_t *width, size_t *height) {
  int w, h, channels;
  if (size > INT_MAX || !stbi_info_from_memory(bytes, (int)size, &w, &h, &channels) || w < 1 || h < 1) return 0;
  *width = (size_t)w;
  *height = (size_t)h;
  return 1;
}

uint8_t *nl_image_stb_decode(const uint8_t *bytes, size_t size, size_t channels) {
  int w, h, found;
  return stbi_load_from_memory(bytes, (int)size, &w, &h, &found, (int)channels);
}
