#include "polish_lesson.h"

#include <string.h>

#include "measure.h"

enum { FOLD = 5 };                          // one row of so many is held back
static const double jitter_strength = 0.07; // relative to each input's spread; 0.15 and 0.3 measured worse

// One row of every FOLD in a row is held back, which one is drawn, so that ordered rows fall evenly on both sides.
bool nl_polish_holds_back(uint64_t seed, size_t row) {
  uint64_t z = seed + 0x9e3779b97f4a7c15u * (uint64_t)(row / FOLD + 1); // splitmix64 (Steele, Lea, Flood 2014)
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return row % FOLD == (z ^ (z >> 31)) % FOLD;
}

size_t nl_lesson_begin(const nl_lesson *lesson, nl_part part) { return part == 0 ? 0 : lesson->end[part - 1]; }

static nl_status take_rows(nl_lesson *lesson, nl_arena *arena, const nl_network *network, nl_error *error) {
  const size_t rows = lesson->end[NL_PART_HELD_COPIES], widest = network->features + network->results + 1;
  if (rows > SIZE_MAX / sizeof(double) / widest) return nl_no_memory(error, rows, SIZE_MAX);
  NL_TAKE(arena, lesson->x, double, rows * network->features + 1, error);
  NL_TAKE(arena, lesson->answers, double, rows * network->results + 1, error);
  return NL_OK;
}

static void split_rows(nl_lesson *lesson, const nl_polish_input *input, size_t rows) {
  const size_t features = input->network->features, results = input->network->results;
  size_t learnt = 0, held = lesson->end[NL_PART_LEARNT];
  for (size_t r = 0; r < rows; r++) {
    const size_t from = r * input->rows / rows;
    const size_t to = nl_polish_holds_back(input->seed, from) ? held++ : learnt++;
    memcpy(lesson->x + to * features, input->x + from * features, features * sizeof *lesson->x);
    if (input->answers == NULL) continue;
    memcpy(lesson->answers + to * results, input->answers + from * results, results * sizeof *lesson->answers);
  }
}

nl_status nl_lesson_take(nl_lesson *out, nl_arena *arena, const nl_polish_input *input, size_t room, nl_error *error) {
  const size_t rows = input->rows < 2 * room ? input->rows : 2 * room, features = input->network->features;
  size_t held = 0, copies = rows > 0 ? room / rows : 0;
  if (copies > input->copies) copies = input->copies;
  if (input->answers != NULL) copies = 0; // nobody can say what they should give
  for (size_t r = 0; r < rows; r++) held += nl_polish_holds_back(input->seed, r * input->rows / rows);
  nl_lesson lesson = {.own = rows - held};
  lesson.end[NL_PART_LEARNT] = lesson.own * (1 + copies);
  lesson.end[NL_PART_HELD] = lesson.end[NL_PART_LEARNT] + held;
  lesson.end[NL_PART_HELD_COPIES] = lesson.end[NL_PART_HELD] + held * copies;
  NL_TRY(take_rows(&lesson, arena, input->network, error));
  split_rows(&lesson, input, rows);
  double *back = lesson.x + lesson.end[NL_PART_LEARNT] * features;
  if (copies > 0 && lesson.own > 0)
    nl_measure_jitter(input->seed, lesson.own, features, lesson.x, jitter_strength, copies,
                      lesson.x + lesson.own * features);
  if (copies > 0 && held > 0)
    nl_measure_jitter(input->seed + 1, held, features, back, jitter_strength, copies, back + held * features);
  *out = lesson;
  return NL_OK;
}

double nl_lesson_variance(const nl_lesson *lesson, size_t results) {
  const size_t begin = nl_lesson_begin(lesson, NL_PART_HELD), end = lesson->end[NL_PART_HELD];
  double variance = 0;
  for (size_t c = 0; c < results; c++) {
    double mean = 0, squares = 0;
    for (size_t r = begin; r < end; r++) {
      const double away = lesson->answers[r * results + c] - mean;
      mean += away / (double)(r - begin + 1);
      squares += away * (lesson->answers[r * results + c] - mean);
    }
    variance += squares / (double)(end - begin);
  }
  return variance;
}
