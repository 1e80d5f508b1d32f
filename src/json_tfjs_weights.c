// json_tfjs_weights: the manifest. A group's weights lie end to end in its files, so that a weight may begin in one shard and end in
// the next.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_tfjs.h"

// Of a weight: what keeps all their sizes together within 64 bits.
static const size_t MOST_NUMBERS = SIZE_MAX / 16 < UINT32_MAX ? SIZE_MAX / 16 : UINT32_MAX;

static cJSON *get(const cJSON *object, const char *key) { return cJSON_GetObjectItemCaseSensitive(object, key); }

static nl_span span_of(const char *text) { return (nl_span){(const uint8_t *)text, strlen(text)}; }

// ---- entries -----------------------------------------------------------------------------------------------------------

typedef struct stored {
  const char *name;
  nl_type type;
} stored;

static nl_type type_of(const cJSON *item) {
  static const stored TYPES[] = {{"float32", NL_TYPE_F32}, {"float16", NL_TYPE_F16}, {"int32", NL_TYPE_I32},
                                 {"uint8", NL_TYPE_U8},    {"uint16", NL_TYPE_U16},  {"bool", NL_TYPE_BOOL}};
  for (size_t i = 0; cJSON_IsString(item) && i < sizeof TYPES / sizeof TYPES[0]; i++)
    if (strcmp(TYPES[i].name, item->valuestring) == 0) return TYPES[i].type;
  return NL_TYPE_NONE;
}

static nl_status fail(const nl_tfjs_weight *w, const char *detail, nl_error *error) {
  return nl_fail_span(error, NL_ERROR_JSON, w->name, detail);
}

static nl_status read_shape(nl_tfjs_weight *w, nl_error *error) {
  const cJSON *shape = get(w->entry, "shape");
  if (!cJSON_IsArray(shape)) return fail(w, "its shape is not an array of numbers", error);
  w->count = 1;
  for (const cJSON *item = shape->child; item != NULL; item = item->next, w->rank++) {
    const double size = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(size >= 0 && size <= NL_TFJS_SIZE_MOST) || size != floor(size))
      return fail(w, "its shape is not an array of whole numbers", error);
    if (size != 0 && w->count > MOST_NUMBERS / (size_t)size)
      return nl_fail_span_count(error, NL_ERROR_LIMIT, w->name, MOST_NUMBERS, UINT64_MAX);
    w->count *= (size_t)size;
    if (w->rank < NL_TFJS_RANK) w->dims[w->rank] = (int64_t)size;
  }
  return NL_OK;
}

static nl_status read_quantization(nl_tfjs_weight *w, nl_error *error) {
  const cJSON *quantization = get(w->entry, "quantization");
  w->type = type_of(get(w->entry, "dtype"));
  w->scale = 1;
  if (cJSON_IsObject(quantization)) {
    const cJSON *scale = get(quantization, "scale"), *minimum = get(quantization, "min");
    w->type = type_of(get(quantization, "dtype"));
    w->quantized = w->type != NL_TYPE_F16;
    if (w->quantized && (!cJSON_IsNumber(scale) || !cJSON_IsNumber(minimum)))
      return fail(w, "its quantization states no scale and min", error);
    if (w->quantized) w->scale = scale->valuedouble, w->minimum = minimum->valuedouble;
  }
  return w->type != NL_TYPE_NONE ? NL_OK : fail(w, "its dtype is none netlump reads", error);
}

static nl_status read_entry(nl_tfjs_weight *w, cJSON *entry, size_t group, uint64_t *end, nl_error *error) {
  const cJSON *name = get(entry, "name");
  if (!cJSON_IsString(name))
    return nl_fail(error, NL_ERROR_JSON, "weightsManifest", "a weight with name, shape and dtype is expected");
  *w = (nl_tfjs_weight){.entry = entry, .name = span_of(name->valuestring), .group = group, .offset = *end};
  NL_TRY(read_shape(w, error));
  NL_TRY(read_quantization(w, error));
  w->size = (uint64_t)w->count * nl_type_size(w->type);
  *end += w->size;
  return NL_OK;
}

// ---- groups ------------------------------------------------------------------------------------------------------------

// Where the files begin and end in their groups, and whether they hold all weights.
static nl_status place_files(nl_tfjs_model *m, nl_error *error) {
  NL_TAKE(&m->arena, m->starts, uint64_t, m->files->count + 1, error);
  for (size_t g = 0; g < m->group_count; g++) {
    nl_tfjs_group *group = &m->groups[g];
    for (size_t i = group->first_file; i < group->first_file + group->file_count; i++) {
      m->starts[i] = group->bytes;
      group->bytes += m->files->files[i].bytes.size;
    }
  }
  for (size_t i = 0; i < m->weight_count; i++) {
    const nl_tfjs_weight *w = &m->weights[i];
    const uint64_t there = m->groups[w->group].bytes, left = w->offset < there ? there - w->offset : 0;
    if (w->size > left) return nl_fail_span_count(error, NL_ERROR_TRUNCATED, w->name, w->size, left);
  }
  return NL_OK;
}

// dense/dense/kernel -> dense/kernel, as TensorFlow.js reads names of TensorFlow 2.2
static nl_status short_name(nl_tfjs_model *m, nl_span name, nl_span *out, nl_error *error) {
  size_t last = name.size, before = last, slashes = 0;
  for (size_t i = name.size; i-- > 0 && slashes < 2;) {
    if (name.bytes[i] != '/') continue;
    if (slashes++ == 0)
      last = i;
    else
      before = i;
  }
  if (slashes < 2) return NL_OK;
  uint8_t *text;
  NL_TAKE(&m->arena, text, uint8_t, name.size, error);
  memcpy(text, name.bytes, before);
  memcpy(text + before, name.bytes + last, name.size - last);
  *out = (nl_span){text, before + name.size - last};
  return NL_OK;
}

static nl_status name_weights(nl_tfjs_model *m, nl_error *error) {
  NL_TRY(nl_names_create(&m->weight_names, &m->arena, m->weight_count, error));
  NL_TRY(nl_names_create(&m->short_names, &m->arena, m->weight_count, error));
  for (size_t i = 0; i < m->weight_count; i++) {
    nl_span shorter = {0};
    if (!nl_names_add(&m->weight_names, m->weights[i].name, i))
      return fail(&m->weights[i], "two weights have this name", error);
    NL_TRY(short_name(m, m->weights[i].name, &shorter, error));
    nl_names_add(&m->short_names, shorter, i);
  }
  return NL_OK;
}

static nl_status read_group(nl_tfjs_model *m, const cJSON *item, nl_error *error) {
  uint64_t end = 0;
  const cJSON *entries = get(item, "weights");
  nl_tfjs_group *group = &m->groups[m->group_count];
  const size_t before = m->group_count == 0 ? 0 : group[-1].first_file + group[-1].file_count;
  *group = (nl_tfjs_group){.first_file = before, .file_count = nl_json_count(get(item, "paths"))};
  for (cJSON *entry = cJSON_IsArray(entries) ? entries->child : NULL; entry != NULL; entry = entry->next)
    NL_TRY(read_entry(&m->weights[m->weight_count++], entry, m->group_count, &end, error));
  m->group_count++;
  return NL_OK;
}

nl_status nl_tfjs_manifest_read(nl_tfjs_model *m, nl_error *error) {
  size_t weights = 0, groups = 0;
  m->manifest = get(m->root, "weightsManifest");
  if (!cJSON_IsArray(m->manifest) || m->manifest->child == NULL)
    return nl_fail(error, NL_ERROR_JSON, "weightsManifest",
                   "there are no weights in it. Save the model with model.save, not its topology alone");
  for (const cJSON *item = m->manifest->child; item != NULL; item = item->next, groups++)
    weights += nl_json_count(get(item, "weights"));
  NL_TAKE(&m->arena, m->weights, nl_tfjs_weight, weights + 1, error);
  NL_TAKE(&m->arena, m->groups, nl_tfjs_group, groups, error);
  for (const cJSON *item = m->manifest->child; item != NULL; item = item->next) NL_TRY(read_group(m, item, error));
  NL_TRY(name_weights(m, error));
  return m->files != NULL ? place_files(m, error) : NL_OK;
}

// ---- files -------------------------------------------------------------------------------------------------------------

static bool is_file_name(const char *path) {
  const char *name = path;
  for (const char *at = path; *at != '\0'; at++)
    if (*at == '/' || *at == '\\') name = at + 1;
  return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

nl_status nl_tfjs_list_files(const nl_tfjs_model *m, nl_arena *arena, nl_json_files *files, nl_error *error) {
  const nl_tfjs_group *last = &m->groups[m->group_count - 1];
  const size_t count = last->first_file + last->file_count;
  *files = (nl_json_files){0};
  NL_TAKE(arena, files->files, nl_json_file, count + 1, error);
  for (const cJSON *item = m->manifest->child; item != NULL; item = item->next) {
    const cJSON *paths = get(item, "paths");
    for (const cJSON *path = cJSON_IsArray(paths) ? paths->child : NULL; path != NULL; path = path->next) {
      if (!cJSON_IsString(path) || !is_file_name(path->valuestring))
        return nl_fail(error, NL_ERROR_JSON, "weightsManifest.paths", "names of files are expected");
      uint8_t *name;
      const size_t size = strlen(path->valuestring);
      NL_TAKE(arena, name, uint8_t, size + 1, error);
      memcpy(name, path->valuestring, size);
      files->files[files->count++] = (nl_json_file){.name = {name, size}};
    }
  }
  return NL_OK;
}

// ---- numbers -----------------------------------------------------------------------------------------------------------

// The group's file that holds a byte (the last that begins at or before it).
static size_t file_at(const nl_tfjs_model *m, const nl_tfjs_group *group, uint64_t offset) {
  size_t low = group->first_file, high = low + group->file_count;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (m->starts[middle] <= offset)
      low = middle;
    else
      high = middle;
  }
  return low;
}

nl_status nl_tfjs_weight_bytes(const nl_tfjs_model *m, const nl_tfjs_weight *w, nl_buffer *out, nl_error *error) {
  if (w->size == 0) return NL_OK;
  uint64_t at = w->offset, left = w->size;
  for (size_t i = file_at(m, &m->groups[w->group], at); left != 0; i++) {
    const nl_span file = m->files->files[i].bytes;
    const size_t skip = (size_t)(at - m->starts[i]), there = file.size - skip;
    const size_t taken = left < there ? (size_t)left : there;
    NL_TRY(nl_buffer_append(out, file.bytes + skip, taken, error));
    at += taken;
    left -= taken;
  }
  return NL_OK;
}

nl_status nl_tfjs_weight_numbers(const nl_tfjs_model *m, const nl_tfjs_weight *w, double *dst, nl_error *error) {
  nl_buffer bytes = {0};
  nl_status status = nl_tfjs_weight_bytes(m, w, &bytes, error);
  const nl_tensor tensor = {.name = w->name,
                            .type = w->type,
                            .count = w->count,
                            .storage = NL_STORAGE_RAW,
                            .payload = {bytes.bytes, bytes.size}};
  if (status == NL_OK) status = nl_tensor_read(&tensor, dst, error);
  for (size_t i = 0; status == NL_OK && w->quantized && i < w->count; i++) dst[i] = dst[i] * w->scale + w->minimum;
  nl_buffer_free(&bytes);
  return status;
}

// ---- which weights a layer has, and where they stand in ONNX -----------------------------------------------------------

static const nl_tfjs_slot SLOTS[] = {
    {"Dense", "kernel", "", 1, NL_TFJS_SAME, NULL},
    {"Dense", "bias", "", 2, NL_TFJS_SAME, "use_bias"},
    {"Conv1D", "kernel", "", 1, NL_TFJS_CONVOLUTION, NULL},
    {"Conv1D", "bias", "", 2, NL_TFJS_SAME, "use_bias"},
    {"Conv2D", "kernel", "", 1, NL_TFJS_CONVOLUTION, NULL},
    {"Conv2D", "bias", "", 2, NL_TFJS_SAME, "use_bias"},
    {"DepthwiseConv2D", "depthwise_kernel", "", 1, NL_TFJS_DEPTHWISE, NULL},
    {"DepthwiseConv2D", "bias", "", 2, NL_TFJS_SAME, "use_bias"},
    {"SeparableConv2D", "depthwise_kernel", "/depthwise", 1, NL_TFJS_DEPTHWISE, NULL},
    {"SeparableConv2D", "pointwise_kernel", "", 1, NL_TFJS_CONVOLUTION, NULL},
    {"SeparableConv2D", "bias", "", 2, NL_TFJS_SAME, "use_bias"},
    {"BatchNormalization", "gamma", "", 1, NL_TFJS_SAME, "scale"},
    {"BatchNormalization", "beta", "", 2, NL_TFJS_SAME, "center"},
    {"BatchNormalization", "moving_mean", "", 3, NL_TFJS_SAME, NULL},
    {"BatchNormalization", "moving_variance", "", 4, NL_TFJS_SAME, NULL},
    {"PReLU", "alpha", "", 1, NL_TFJS_SLOPES, NULL},
};

const nl_tfjs_slot *nl_tfjs_next_slot(const nl_tfjs_layer *layer, const nl_tfjs_slot *last) {
  const nl_tfjs_slot *end = SLOTS + sizeof SLOTS / sizeof SLOTS[0];
  for (const nl_tfjs_slot *slot = last == NULL ? SLOTS : last + 1; slot < end; slot++)
    if (strcmp(slot->kind, layer->kind) == 0) return slot;
  return NULL;
}

bool nl_tfjs_has(const nl_tfjs_layer *layer, const nl_tfjs_slot *slot) {
  return slot->flag == NULL || nl_tfjs_flag(layer, slot->flag, true);
}

static size_t find_in(const nl_names *names, const char *layer, const char *part, nl_buffer *text) {
  text->size = 0;
  if (nl_buffer_append(text, layer, strlen(layer), NULL) != NL_OK || nl_buffer_append(text, "/", 1, NULL) != NL_OK ||
      nl_buffer_append(text, part, strlen(part), NULL) != NL_OK)
    return NL_NONE;
  return nl_names_find(names, (nl_span){text->bytes, text->size});
}

// Keras 3 numbers a layer's weights instead of naming them.
static void number_of(const nl_tfjs_layer *layer, const nl_tfjs_slot *slot, char number[96]) {
  size_t before = 0;
  for (const nl_tfjs_slot *s = nl_tfjs_next_slot(layer, NULL); s != slot; s = nl_tfjs_next_slot(layer, s))
    before += nl_tfjs_has(layer, s);
  number[0] = '\0';
  nl_json_put_number(number, before);
}

size_t nl_tfjs_find(const nl_tfjs_model *m, const nl_tfjs_layer *layer, const nl_tfjs_slot *slot) {
  nl_buffer text = {0};
  char number[96];
  number_of(layer, slot, number);
  size_t found = find_in(&m->weight_names, layer->name, slot->weight, &text);
  if (found == NL_NONE) found = find_in(&m->short_names, layer->name, slot->weight, &text);
  if (found == NL_NONE) found = find_in(&m->weight_names, layer->name, number, &text);
  nl_buffer_free(&text);
  return found;
}

// ---- the order of numbers ----------------------------------------------------------------------------------------------

// A kernel as (positions, in, out): all orders but SAME swap the outer two of its three.
typedef struct blocks {
  size_t positions, in, out;
} blocks;

static size_t product(size_t count, const int64_t *dims) {
  size_t result = 1;
  for (size_t i = 0; i < count; i++) result *= (size_t)dims[i];
  return result;
}

static blocks blocks_of(nl_tfjs_order order, size_t rank, const int64_t *dims) {
  const size_t all = product(rank, dims);
  if (order == NL_TFJS_SLOPES) return (blocks){product(rank - 1, dims), 1, (size_t)dims[rank - 1]};
  const blocks b = {product(rank - 2, dims), (size_t)dims[rank - 2], (size_t)dims[rank - 1]};
  return order == NL_TFJS_CONVOLUTION ? b : (blocks){b.positions, 1, b.positions == 0 ? 0 : all / b.positions};
}

// src (positions, in, out) -> dst (out, in, positions)
static void swap(blocks b, const double *src, double *dst) {
  for (size_t k = 0; k < b.positions; k++)
    for (size_t i = 0; i < b.in; i++)
      for (size_t o = 0; o < b.out; o++) dst[(o * b.in + i) * b.positions + k] = src[(k * b.in + i) * b.out + o];
}

void nl_tfjs_to_onnx(nl_tfjs_order order, size_t rank, const int64_t *dims, const double *src, double *dst,
                     size_t *to_rank, int64_t *to_dims) {
  *to_rank = rank;
  if (order == NL_TFJS_SAME || (order == NL_TFJS_SLOPES && rank < 2)) {
    memcpy(to_dims, dims, rank * sizeof *dims);
    memcpy(dst, src, product(rank, dims) * sizeof *src);
    return;
  }
  const blocks b = blocks_of(order, rank, dims);
  const size_t lead = order == NL_TFJS_SLOPES ? 1 : 2;
  to_dims[0] = (int64_t)b.out;
  if (lead == 2) to_dims[1] = (int64_t)b.in;
  memcpy(to_dims + lead, dims, (rank - lead) * sizeof *dims);
  swap(b, src, dst);
}

bool nl_tfjs_from_onnx(nl_tfjs_order order, size_t rank, const int64_t *dims, size_t old_rank, const int64_t *old,
                       const double *src, double *dst, int64_t *to_dims) {
  if (rank != old_rank || (rank < 3 && (order == NL_TFJS_CONVOLUTION || order == NL_TFJS_DEPTHWISE))) return false;
  if (order == NL_TFJS_SAME || (order == NL_TFJS_SLOPES && rank < 2)) {
    memcpy(to_dims, dims, rank * sizeof *dims);
    memcpy(dst, src, product(rank, dims) * sizeof *src);
    return true;
  }
  const size_t lead = order == NL_TFJS_SLOPES ? 1 : 2;
  memcpy(to_dims, dims + lead, (rank - lead) * sizeof *dims);
  to_dims[rank - 1] = dims[0];
  if (lead == 2) to_dims[rank - 2] = dims[1];
  if (order == NL_TFJS_DEPTHWISE) {
    const int64_t multiplier = old[rank - 1];
    if (dims[1] != 1 || multiplier == 0 || dims[0] % multiplier != 0) return false;
    to_dims[rank - 2] = dims[0] / multiplier;
    to_dims[rank - 1] = multiplier;
  }
  const blocks b = blocks_of(order, rank, to_dims);
  swap((blocks){b.out, b.in, b.positions}, src, dst);
  return true;
}
