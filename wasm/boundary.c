// boundary: memory, errors and what else every module's callers need.
#include "boundary.h"

#include <stdlib.h>

enum { LARGE = 1 << 24 }; // bytes of text that are not kept for the next

nl_error *entered(boundary *b) {
  b->error = (nl_error){.status = NL_OK};
  if (b->text.capacity > LARGE) nl_buffer_free(&b->text);
  b->text.size = b->name.size = 0;
  b->progress = 0;
  return &b->error;
}

// ---- memory ----------------------------------------------------------------------------------------------------------

NL_EXPORT(netlump_alloc) void *netlump_alloc(size_t size) { return malloc(size == 0 ? 1 : size); }
NL_EXPORT(netlump_release) void netlump_release(void *pointer) { free(pointer); }
NL_EXPORT(netlump_version) const char *netlump_version(void) { return NL_VERSION; }

NL_EXPORT(netlump_boundary_create) boundary *netlump_boundary_create(void) { return calloc(1, sizeof(boundary)); }
NL_EXPORT(netlump_boundary_free) void netlump_boundary_free(boundary *b) {
  if (b != NULL) nl_buffer_free(&b->text), nl_buffer_free(&b->name);
  free(b);
}

// ---- what the last call left -----------------------------------------------------------------------------------------

NL_EXPORT(netlump_text) const uint8_t *netlump_text(const boundary *b) { return b->text.bytes; }
NL_EXPORT(netlump_text_size) size_t netlump_text_size(const boundary *b) { return b->text.size; }
NL_EXPORT(netlump_name) const uint8_t *netlump_name(const boundary *b) { return b->name.bytes; }
NL_EXPORT(netlump_name_size) size_t netlump_name_size(const boundary *b) { return b->name.size; }
NL_EXPORT(netlump_slice_offset) double netlump_slice_offset(const boundary *b) { return b->offset; }
NL_EXPORT(netlump_slice_size) double netlump_slice_size(const boundary *b) { return b->size; }
NL_EXPORT(netlump_progress) double netlump_progress(const boundary *b) { return b->progress; }
NL_EXPORT(netlump_choice_epsilon) double netlump_choice_epsilon(const boundary *b) { return b->choice.epsilon; }
NL_EXPORT(netlump_choice_retained) double netlump_choice_retained(const boundary *b) { return b->choice.retained; }
NL_EXPORT(netlump_choice_parameters) double netlump_choice_parameters(const boundary *b) {
  return (double)b->choice.parameters;
}

NL_EXPORT(netlump_error_status) int netlump_error_status(const boundary *b) { return (int)b->error.status; }
NL_EXPORT(netlump_error_place) const char *netlump_error_place(const boundary *b) { return b->error.place; }
NL_EXPORT(netlump_error_detail) const char *netlump_error_detail(const boundary *b) { return b->error.detail; }
// `file`: the file's name, terminated, or NULL.
NL_EXPORT(netlump_error_sentence) const char *netlump_error_sentence(boundary *b, const char *file) {
  nl_error_sentence(&b->error, file, b->sentence, sizeof b->sentence);
  return b->sentence;
}

// For faults found outside the core that have a sentence inside it.
NL_EXPORT(netlump_fail) void netlump_fail(boundary *b, int status, const char *place, const char *detail) {
  nl_fail(entered(b), (nl_status)status, place, detail);
}
