// image_stb: what image.c uses of stb_image. Only image_stb.c includes that.
#ifndef NL_IMAGE_STB_H
#define NL_IMAGE_STB_H

#include <stddef.h>
#include <stdint.h>

// The size a file says it has, from its head alone; false when it is no image.
_Bool nl_image_stb_size(const uint8_t *bytes, size_t size, size_t *width, size_t *height);
// Pixels (height, width, channels), to be freed; NULL when it cannot be decoded. The sizes are those of the call above.
uint8_t *nl_image_stb_decode(const uint8_t *bytes, size_t size, size_t channels);

#endif
