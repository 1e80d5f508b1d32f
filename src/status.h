// status: every way an operation can end, and the sentence a user reads about it.
//
// A function that can fail returns nl_status and fills the caller's nl_error with the facts (where, what, how many);
// the first error wins. The sentences stand in status.c alone, so that page and command line say the same.
#ifndef NL_STATUS_H
#define NL_STATUS_H

#include <stddef.h>
#include <stdint.h>

typedef struct nl_span {
  const uint8_t *bytes;
  size_t size;
} nl_span;

// Numbers never change; new ones go to the end of their group.
typedef enum nl_status {
  NL_OK = 0,
  NL_MORE = 1,  // a step of long work is done, more are to come
  NL_RUN = 2,   // long work waits for a runtime outside the core (netlump.h, runs)
  NL_SHARE = 3, // long work waits for other instances of the core (netlump.h, helpers)

  NL_ERROR_MEMORY = 10, // expected: bytes wanted
  NL_ERROR_CANCELLED = 11,
  NL_ERROR_ARGUMENT = 12, // place: the argument; detail: what is wrong with it

  NL_ERROR_EMPTY = 20,       // a file of zero bytes
  NL_ERROR_NOT_A_MODEL = 21, // detail: what the file looks like ("a PNG image")
  NL_ERROR_GIT_LFS = 22,     // expected: size of the real file where the pointer tells it
  NL_ERROR_TRUNCATED = 23,   // place: the part; expected, found: bytes
  NL_ERROR_MALFORMED = 24,   // place; detail: what is wrong
  NL_ERROR_UNSUPPORTED = 25, // place; detail: what is not supported and the way out
  NL_ERROR_EXTERNAL = 26,    // place: the file that holds the weights
  NL_ERROR_LIMIT = 27,       // place; expected: the limit, found: what was asked
  NL_ERROR_SHAPE = 28,       // place: node or tensor; detail: which sizes disagree
  NL_ERROR_DANGLING = 29,    // place: node; detail: the name nobody defines
  NL_ERROR_CYCLE = 30,       // place: a node on the cycle
  NL_ERROR_NOT_FINITE = 31,  // place: tensor or row with NaN or infinity
  NL_ERROR_JSON = 32,        // place: "line L, column C" or a path; detail

  NL_ERROR_NO_SITE = 40,     // detail: the main reason
  NL_ERROR_NOTHING_AT = 41,  // nothing goes at this tolerance; detail: the smallest that removes something
  NL_ERROR_UNREACHABLE = 42, // a target that cannot be met; detail: the nearest that can
  NL_ERROR_DATA = 43         // place: row/column; detail
} nl_status;

enum { NL_ERROR_TEXT = 240 };

typedef struct nl_error {
  nl_status status;
  char place[NL_ERROR_TEXT]; // node, tensor, line or file; UTF-8, cut to fit
  char detail[NL_ERROR_TEXT];
  uint64_t expected;
  uint64_t found;
} nl_error;

// Records an error unless one is there already; returns `status`, so that `return nl_fail(...)` reads well.
// `error` may be NULL. `place` and `detail` may be NULL.
nl_status nl_fail(nl_error *error, nl_status status, const char *place, const char *detail);
nl_status nl_fail_span(nl_error *error, nl_status status, nl_span place, const char *detail);
nl_status nl_fail_count(nl_error *error, nl_status status, const char *place, uint64_t expected, uint64_t found);
nl_status nl_fail_span_count(nl_error *error, nl_status status, nl_span place, uint64_t expected, uint64_t found);

// The sentence for `error`, always terminated; returns its length. `file` names the file, NULL where there is none.
size_t nl_error_sentence(const nl_error *error, const char *file, char *dst, size_t capacity);

#define NL_TRY(call)                                                                                                   \
  do {                                                                                                                 \
    const nl_status nl_try_status = (call);                                                                            \
    if (nl_try_status != NL_OK) return nl_try_status;                                                                  \
  } while (0)

#endif
