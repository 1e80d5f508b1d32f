// polish_lesson: the rows that a polish learns from and is judged by, in one block, and what the original says there.
#ifndef NL_POLISH_LESSON_H
#define NL_POLISH_LESSON_H

#include "polish.h"

typedef enum nl_part { // as they stand in the block
  NL_PART_LEARNT,      // with their jittered copies
  NL_PART_HELD,        // back, to judge by
  NL_PART_HELD_COPIES,
  NL_PART_COUNT
} nl_part;

typedef struct nl_lesson {
  size_t own;                // rows learnt from that are no copies
  double *x;                 // (rows, features)
  double *answers;           // (rows, results)
  size_t end[NL_PART_COUNT]; // first row behind each part
} nl_lesson;

// Takes at most twice `room` of the input's rows, evenly spaced; copies as far as there is room. Answers are there where the
// input gives them, else not filled in.
nl_status nl_lesson_take(nl_lesson *out, nl_arena *arena, const nl_polish_input *input, size_t room, nl_error *error);
size_t nl_lesson_begin(const nl_lesson *lesson, nl_part part);
// Σ over the outputs of Var f over the rows held back
double nl_lesson_variance(const nl_lesson *lesson, size_t results);

#endif
