// netlump: makes a trained neural network smaller by lumping neurons that behave alike.
//
// This header is the manual. The simple path through it, errors left out:
//
//   nl_model *model;   nl_model_open(&model, bytes, size, &error);
//   nl_path *path;     nl_path_create(&path, model, &(nl_path_options){.seed = 1}, &error);
//                      while (nl_path_step(path, &progress, &error) == NL_MORE) {}
//   nl_result *result; nl_result_create(&result, path, (nl_target){NL_TARGET_EPSILON, 0.02}, &error);
//                      while (nl_result_step(result, &progress, &error) == NL_MORE) {}
//                      nl_result_write(result, NL_FORMAT_ONNX, &buffer, &error);
//
// One path serves any number of results: the elimination is done once, each tolerance only cuts it and refits.
// Ownership: create and open give it, getters borrow, free takes NULL. The model's bytes must outlive the model, the
// model its paths, the path its results. No function prints, exits, keeps globals or touches files.
#ifndef NETLUMP_H
#define NETLUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "equivalence.h"
#include "status.h"

#define NL_VERSION "0.1.0"

// ---- model -----------------------------------------------------------------------------------------------------------

typedef struct nl_model nl_model;

typedef enum nl_format { NL_FORMAT_ONNX = 0, NL_FORMAT_JSON = 1 } nl_format;

// Opens ONNX (opset 7 and up) or netlump JSON, told apart by content. The bytes are not copied.
nl_status nl_model_open(nl_model **out, const void *bytes, size_t size, nl_error *error);
void nl_model_free(nl_model *model);

// The name of an external-data file the model still needs, or an empty span.
nl_span nl_model_missing_file(const nl_model *model);
// Gives such a file; its bytes must outlive the model. After the last one the model is ready.
nl_status nl_model_attach(nl_model *model, const char *name, const void *bytes, size_t size, nl_error *error);

// What is inside, as JSON appended to `json`:
// {"format", "producer", "opset", "parameters", "bytes", "relumped",
//  "inputs": [{"name", "type", "shape": [null where dynamic, ...]}], "outputs": [...],
//  "features": inputs a row needs, "results": numbers a row gives, "batch": fixed batch size or null,
//  "computed": the names of the outputs `nl_model_forward` evaluates,
//  "layers": [{"name", "op", "width", "activation", "site": index or null, "reason": null or sentence}],
//  "sites": [{"name", "width"}], "skipped": [{"node", "reason"}]}
nl_status nl_model_describe(const nl_model *model, nl_buffer *json, nl_error *error);

// The model as ONNX: the bytes it was opened from, or those netlump JSON was converted to. Borrowed.
nl_span nl_model_onnx(const nl_model *model);

size_t nl_model_features(const nl_model *model); // numbers in a row of inputs
size_t nl_model_results(const nl_model *model);  // numbers in a row of outputs
size_t nl_model_sites(const nl_model *model);

// x (rows, features) -> y (rows, results)
nl_status nl_model_forward(const nl_model *model, size_t rows, const double *x, double *y, nl_error *error);

// ---- path: what the neurons do on the measure, and the order in which they go ------------------------------------------

typedef struct nl_path nl_path;

typedef struct nl_path_options {
  uint64_t seed;
  size_t rows;        // rows of the data-free measure; 0: the default, 8192
  const double *data; // (data_rows, features) the user's rows, unlabelled; NULL: x ~ N(0, I), seeded. Borrowed.
  size_t data_rows;
  const double *mean;   // (features) of the data-free measure; NULL: 0
  const double *spread; // (features) standard deviations of the data-free measure; NULL: 1
} nl_path_options;

// Errors: NL_ERROR_NO_SITE when the model has no site that can be evaluated, NL_ERROR_DATA for rows that are not finite.
nl_status nl_path_create(nl_path **out, const nl_model *model, const nl_path_options *options, nl_error *error);
// Some 20 to 50 ms of work. NL_MORE until done, then NL_OK; *progress in [0, 1].
nl_status nl_path_step(nl_path *path, double *progress, nl_error *error);
void nl_path_free(nl_path *path);

// {"measure": {"kind": "normal"|"data", "rows"}, "seed", "sites": [{"name", "width", "order": [unit that goes first, ...],
//  "deviation": [relative deviation once the first unit is gone, ...]}], "variance": Var f over the measure}
nl_status nl_path_describe(const nl_path *path, nl_buffer *json, nl_error *error);

// ---- target and choice -------------------------------------------------------------------------------------------------

typedef enum nl_target_kind {
  NL_TARGET_EPSILON =
      0, // value: tolerance; every site shrinks while the output deviation it causes by itself stays within
  NL_TARGET_RETAIN = 1,   // value: share of the parameters kept at most, in (0, 1]
  NL_TARGET_DEVIATION = 2 // value: the output's relative deviation at most, measured after the refit
} nl_target_kind;

typedef struct nl_target {
  nl_target_kind kind;
  double value;
} nl_target;

typedef struct nl_choice {
  double epsilon;    // the tolerance that gives these widths
  size_t parameters; // left
  double retained;   // parameters left / before
} nl_choice;

// Answers at once, from the path alone (before any refit). `widths` (sites) may be NULL. For NL_TARGET_DEVIATION the
// site deviations stand in for the output's. Errors: NL_ERROR_UNREACHABLE when even the smallest network keeps more.
nl_status nl_path_choose(const nl_path *path, nl_target target, nl_choice *choice, size_t *widths, nl_error *error);

// ---- result: the smaller model -----------------------------------------------------------------------------------------

typedef struct nl_result nl_result;

nl_status nl_result_create(nl_result **out, const nl_path *path, nl_target target, nl_error *error);
nl_status nl_result_step(nl_result *result, double *progress, nl_error *error); // as nl_path_step
void nl_result_free(nl_result *result);

// {"method": "projected", "epsilon", "target": {"kind": "epsilon"|"retain"|"deviation", "value"}, "measure", "seed",
//  "parameters": {"before", "after"}, "retained", "deviation": RMS(f' - f) / RMS(f - E f) over the measure,
//  "largest": largest |f' - f| over the measure, "sites": [{"name", "before", "after", "deviation", "kept": [unit, ...]}],
//  "skipped": [{"node", "reason"}]}
nl_status nl_result_report(const nl_result *result, nl_buffer *json, nl_error *error);
double nl_result_deviation(const nl_result *result);

// The smaller model. When nothing was removed, the bytes are the source's own.
nl_status nl_result_write(const nl_result *result, nl_format format, nl_buffer *out, nl_error *error);
nl_status nl_result_forward(const nl_result *result, size_t rows, const double *x, double *y, nl_error *error);

// ---- differential equivalence: chains of dense layers only -------------------------------------------------------------

// The blocks of the hidden neurons at one tolerance: {"blocks": [["h1_1", "h1_3"], ...], "constant": ["h1_2", ...]}, blocks of
// one included, layer by layer, in order of first member; hL_K is neuron K of hidden layer L, both from 1. `constant` is
// empty unless `symmetric`. Errors: NL_ERROR_UNSUPPORTED naming the node that makes it no chain, NL_ERROR_LIMIT for
// polynomials that would take too long.
nl_status nl_model_blocks(const nl_model *model, const nl_partition_options *options, double epsilon, nl_buffer *json,
                          nl_error *error);

#endif
