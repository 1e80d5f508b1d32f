#include "patch_parts.h"

// ---- sizes --------------------------------------------------------------------------------------------------------------

static nl_status misfit(nl_error *error, const char *detail) { return nl_fail(error, NL_ERROR_SHAPE, NULL, detail); }

static nl_status slab_of(nl_slab *out, const nl_fed *fed, size_t back, size_t width, nl_error *error) {
  nl_slab slab = {.fed = fed, .outer = 1, .width = width, .inner = 1};
  if (back == 0 || back > fed->rank) return misfit(error, "the runtime's tensor has fewer axes than the graph says");
  for (size_t a = 0; a < fed->rank; a++) {
    if (fed->dims[a] < 0) return misfit(error, "the runtime's tensor has no size");
    const size_t size = (size_t)fed->dims[a];
    if (a == fed->rank - back && size != width)
      return misfit(error, "the runtime's tensor has another number of channels than the graph");
    if (a < fed->rank - back) slab.outer *= size;
    if (a > fed->rank - back) slab.inner *= size;
  }
  *out = slab;
  return NL_OK;
}

// Sizes of the axes behind the channels. The channels of a convolution lie in front of exactly its spatial axes.
static nl_status spatial_sizes(nl_gather *gather, const nl_linear *linear, nl_error *error) {
  const nl_fed *read = gather->read.fed, *written = gather->written.fed;
  const size_t d = linear->spatial;
  if (linear->in.back != d + 1 || linear->out.back != d + 1 || gather->read.outer != gather->written.outer)
    return misfit(error, "a convolution's input and output do not go together");
  for (size_t a = 0; a < d; a++) {
    gather->kernel[a] = linear->kernel[a];
    gather->from[a] = (size_t)read->dims[read->rank - d + a];
    gather->to[a] = (size_t)written->dims[written->rank - d + a];
  }
  return NL_OK;
}

// ---- where an offset reads ------------------------------------------------------------------------------------------------

// The padding in front: stated, or half of what the sizes ask for (ONNX Conv and ConvTranspose, auto_pad); SAME_UPPER gives the
// odd one to the end.
static size_t padding(const nl_gather *gather, const nl_linear *linear, size_t a) {
  if (linear->auto_pad == 0) return linear->pad[a];
  const size_t reach = (linear->kernel[a] - 1) * linear->dilation[a] + 1, stride = linear->stride[a];
  const bool transposed = linear->kind == NL_LINEAR_CONV_TRANSPOSE;
  const size_t few = transposed ? gather->from[a] : gather->to[a], many = transposed ? gather->to[a] : gather->from[a];
  const size_t wanted = few > 0 ? (few - 1) * stride + reach : 0;
  const size_t all = wanted > many ? wanted - many : 0;
  return linear->auto_pad == 1 ? all / 2 : all - all / 2;
}

// Conv reads y stride - pad + k dilation; ConvTranspose (y + pad - k dilation) / stride where that is whole.
static size_t reads_at(const nl_linear *linear, size_t a, size_t pad, size_t size, size_t y, size_t k) {
  const size_t stride = linear->stride[a], reach = k * linear->dilation[a];
  const bool transposed = linear->kind == NL_LINEAR_CONV_TRANSPOSE;
  const size_t plus = transposed ? y + pad : y * stride + reach, minus = transposed ? reach : pad;
  if (plus < minus) return NL_NONE;
  const size_t x = plus - minus;
  if (!transposed) return x < size ? x : NL_NONE;
  return x % stride == 0 && x / stride < size ? x / stride : NL_NONE;
}

static nl_status make_map(nl_gather *gather, const nl_linear *linear, size_t a, nl_arena *arena, nl_error *error) {
  const size_t kernel = linear->kernel[a], pad = padding(gather, linear, a);
  size_t *map = NULL;
  NL_TAKE(arena, map, size_t, gather->to[a] * kernel, error);
  for (size_t y = 0; y < gather->to[a]; y++)
    for (size_t k = 0; k < kernel; k++) map[y * kernel + k] = reads_at(linear, a, pad, gather->from[a], y, k);
  gather->map[a] = map;
  return NL_OK;
}

nl_status nl_gather_create(nl_gather *out, const nl_linear *linear, size_t in, const nl_fed *original,
                           const nl_fed *reduced, nl_arena *arena, nl_error *error) {
  const bool dense = linear->kind == NL_LINEAR_DENSE;
  nl_gather gather = {.spatial = dense ? 0 : linear->spatial, .kernel_size = dense ? 1 : linear->kernel_size};
  NL_TRY(slab_of(&gather.read, reduced, linear->in.back, in, error));
  NL_TRY(slab_of(&gather.written, original, linear->out.back, linear->out_width, error));
  gather.positions = gather.written.outer * gather.written.inner;
  if (dense && gather.positions != gather.read.outer * gather.read.inner)
    return misfit(error, "a layer's input and output have different numbers of rows");
  if (!dense) NL_TRY(spatial_sizes(&gather, linear, error));
  for (size_t a = 0; a < gather.spatial; a++) NL_TRY(make_map(&gather, linear, a, arena, error));
  NL_TAKE(arena, gather.offsets, size_t, gather.kernel_size, error);
  const size_t rows = linear->out.back < original->rank && gather.positions > 0 ? (size_t)original->dims[0] : 0;
  gather.per_row = rows > 0 ? gather.positions / rows : 1;
  *out = gather;
  return NL_OK;
}

// ---- one position -------------------------------------------------------------------------------------------------------

void nl_gather_aim(nl_gather *gather, size_t position) {
  if (gather->spatial == 0) {
    gather->outer = position / gather->read.inner;
    gather->offsets[0] = position % gather->read.inner;
    return;
  }
  gather->outer = position / gather->written.inner;
  size_t y[NL_SPATIAL_MOST] = {0}, rest = position % gather->written.inner;
  for (size_t a = gather->spatial; a-- > 0; rest /= gather->to[a]) y[a] = rest % gather->to[a];
  for (size_t k = 0; k < gather->kernel_size; k++) {
    size_t at = 0, left = k, stride = 1;
    for (size_t a = gather->spatial; a-- > 0 && at != NL_NONE; left /= gather->kernel[a], stride *= gather->from[a]) {
      const size_t x = gather->map[a][y[a] * gather->kernel[a] + left % gather->kernel[a]];
      at = x != NL_NONE ? at + x * stride : NL_NONE;
      if (x == NL_NONE) break;
    }
    gather->offsets[k] = at;
  }
}

void nl_gather_patch(const nl_gather *gather, size_t first, size_t count, double *patch) {
  const nl_slab *read = &gather->read;
  for (size_t c = first; c < first + count; c++) {
    const size_t base = (gather->outer * read->width + c) * read->inner;
    for (size_t k = 0; k < gather->kernel_size; k++, patch++)
      *patch = gather->offsets[k] != NL_NONE ? nl_fed_at(read->fed, base + gather->offsets[k]) : 0.0;
  }
}

void nl_gather_target(const nl_gather *gather, size_t position, size_t count, const size_t *kept, double *target) {
  const nl_slab *written = &gather->written;
  const size_t base = position / written->inner * written->width * written->inner + position % written->inner;
  for (size_t o = 0; o < count; o++) target[o] = nl_fed_at(written->fed, base + kept[o] * written->inner);
}
