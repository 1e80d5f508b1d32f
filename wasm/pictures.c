// pictures: src/image.h as WebAssembly sees it, a module of its own: few people open pictures, and its decoders weigh a tenth of
// the core.
#include "boundary.h"

// `mean` and `spread` may be 0.
NL_EXPORT(netlump_image_read)
int netlump_image_read(boundary *b, const void *bytes, size_t size, size_t height, size_t width, size_t channels,
                       int channels_last, const double *mean, const double *spread, double *x) {
  const nl_image_shape shape = {height, width, channels, channels_last != 0};
  return (int)nl_image_read(bytes, size, &shape, mean, spread, x, entered(b));
}
