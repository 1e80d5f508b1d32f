// run: what a runtime outside the core is asked to do (netlump.h, runs), and what comes back, batch by batch.
#ifndef NL_RUN_H
#define NL_RUN_H

#include "netlump.h"
#include "sample.h"

typedef enum nl_side { NL_SIDE_ORIGINAL, NL_SIDE_REDUCED, NL_SIDE_COUNT } nl_side;

// What the owner of a run does with a batch: run->row is the first of its `rows` rows, run->fed[side][index] the values.
typedef nl_status (*nl_take_batch)(void *owner, const nl_run *run, size_t rows, nl_error *error);
// The smaller model as it stands.
typedef nl_status (*nl_write_model)(const void *owner, nl_buffer *onnx, nl_error *error);

struct nl_run {
  nl_arena arena;
  const nl_graph *graph;
  size_t rows, row; // in all; done
  size_t count[NL_SIDE_COUNT];
  const size_t *values[NL_SIDE_COUNT]; // (count) asked for
  nl_fed *fed[NL_SIDE_COUNT];          // (count) of the batch at hand; data NULL: not there yet
  nl_take_batch take;
  nl_write_model write[NL_SIDE_COUNT]; // NULL for the original: the model's own bytes
  void *owner;
  const void *origin; // of the original's writer
};

// Starts a run over the first `rows` rows; what a former one left goes. values are copied.
nl_status nl_run_begin(nl_run *run, const nl_graph *graph, size_t rows, const size_t count[NL_SIDE_COUNT],
                       const size_t *const values[NL_SIDE_COUNT], void *owner, nl_take_batch take,
                       const nl_write_model write[NL_SIDE_COUNT], nl_error *error);
bool nl_run_waits(const nl_run *run); // rows are still to come
void nl_run_end(nl_run *run);

// ---- deviation of outputs ------------------------------------------------------------------------------------------------

// Values that both models give on the same rows, compared as they come. A value's numbers fall into columns: those of a row where
// its first axis is the batch's, else all alike.
typedef struct nl_gap {
  nl_arena arena;
  size_t count; // values
  struct nl_gap_value *values;
  double squares, largest; // of f' - f
  double size;             // largest |f|
} nl_gap;

nl_status nl_gap_begin(nl_gap *gap, size_t count, nl_error *error);
void nl_gap_end(nl_gap *gap);
// `rows` of the batch. Equal things differ by nothing, infinities included.
// Errors: NL_ERROR_SHAPE where the sizes differ, NL_ERROR_NOT_FINITE where only one is a number; place: `name`.
nl_status nl_gap_add(nl_gap *gap, size_t value, size_t rows, const nl_fed *original, const nl_fed *reduced,
                     nl_span name, nl_error *error);
double nl_gap_relative(const nl_gap *gap); // RMS(f' - f) / RMS(f - E f); 0 where nothing differs

#endif
