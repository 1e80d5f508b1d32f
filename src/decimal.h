// decimal: the shortest decimal text that reads back as the same f32. The same text on every platform: only IEEE
// additions and multiplications decide.
#ifndef NL_DECIMAL_H
#define NL_DECIMAL_H

#include "arena.h"

enum { NL_DECIMAL_SIZE = 32 };

// Returns the length; dst holds NL_DECIMAL_SIZE characters and is terminated. JSON's form; value must be finite.
size_t nl_decimal_f32(float value, char *dst);
nl_status nl_decimal_append(nl_buffer *out, double value, nl_error *error); // rounded to f32 first

#endif
