// boundary: what a call leaves behind besides its status (the error, a text, the progress, a choice), one for each engine; read
// with the netlump_* getters before the next call.
#ifndef NL_BOUNDARY_H
#define NL_BOUNDARY_H

#include "netlump.h"

#ifdef __wasm__
#define NL_EXPORT(name) __attribute__((export_name(#name), used))
#else
#define NL_EXPORT(name)
#endif

typedef struct boundary {
  nl_error error;
  nl_buffer text, name;
  double progress;
  double offset, size; // of a slice
  nl_choice choice;
  char sentence[2 * NL_ERROR_TEXT + 256];
} boundary;

// The boundary as it enters a call: without what the last one left.
nl_error *entered(boundary *b);

#endif
