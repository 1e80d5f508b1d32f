// compress: the pipeline behind netlump.h, in steps. The only module that sees every stage.
//
// Two engines serve one pipeline. Where `network` finds everything that `channels` finds, the core evaluates the model itself
// (compress_path.c, compress_result.c). Else values come from runs (compress_tapped.c, compress_fitted.c): the model's `sites` then
// have the widths of the channels' sites and nothing else, and `network` is not used.
#ifndef NL_COMPRESS_H
#define NL_COMPRESS_H

#include "chain.h"
#include "channels.h"
#include "deviation.h"
#include "forward.h"
#include "gram.h"
#include "narrow.h"
#include "netlump.h"
#include "network.h"
#include "onnx.h"
#include "partition.h"
#include "patch.h"
#include "polish.h"
#include "project.h"
#include "prune.h"
#include "refit.h"
#include "report.h"
#include "run.h"
#include "sensitivity.h"
#include "site.h"

struct nl_model {
  nl_span source; // the user's bytes
  nl_store store; // where its large tensors are, if they were taken out
  nl_graph *graph;
  nl_network *network; // NULL while external files are missing
  nl_arena arena;
  nl_sites sites;
  nl_engine engine;
  nl_shapes shapes;
  nl_channels *channels;  // NULL while external files are missing
  size_t compared_count;  // RUNTIME: what the deviation is measured on (compress_compared.c)
  const size_t *compared; // (compared_count) values
};

// What is known of a site once the measure has gone through it.
typedef struct nl_site_path {
  double *second;    // (n, n); NULL, as the mean, where weights stay out of memory
  double *mean;      // (n)
  size_t *order;     // (n)
  double *deviation; // (n)
} nl_site_path;

// One removal of the merged path: the unit whose site deviates least once it is gone. Spending the budget by error per
// parameter freed instead measured about alike (better at the smallest sizes, worse at the largest); one tolerance for
// all sites is what the user is told, so it also decides.
typedef struct nl_removal {
  size_t site;
  double deviation;
} nl_removal;

enum { NL_METHOD_COUNT = NL_METHOD_RANDOM + 1 };

enum { NL_KNOWN_SIZES = 256 };

// Parameters at a size, as found.
typedef struct nl_known {
  size_t size, parameters;
} nl_known;

typedef struct nl_tapped nl_tapped;           // compress_tapped.c
typedef struct nl_fitted nl_fitted;           // compress_fitted.c
typedef struct nl_tail nl_tail;               // compress_tail.c
typedef struct nl_calibration nl_calibration; // compress_calibrated.c
typedef struct nl_large nl_large;             // compress_large.c

// What some methods need beyond the path: made when first asked for, kept for the next result.
typedef struct nl_stock {
  bool has_chain;
  nl_chain chain;
  nl_partitioner *partitioners[NL_METHOD_COUNT];
  nl_partition_options options[NL_METHOD_COUNT]; // those they were made with
  double loosest[NL_METHOD_COUNT];               // tolerance at which every layer is one block; 0: not known yet
  nl_known known[NL_METHOD_COUNT][NL_KNOWN_SIZES];
  size_t known_count[NL_METHOD_COUNT];
  bool has_norms;
  nl_prune_norms norms; // of what dense steps read
  nl_scratch scratch;
} nl_stock;

typedef enum nl_path_stage { NL_PATH_MOMENTS, NL_PATH_ELIMINATE, NL_PATH_DONE } nl_path_stage;

struct nl_path {
  const nl_model *model;
  nl_arena arena;
  nl_parameters parameters;
  uint64_t seed;
  // of the inputs (features), NULL where they do not apply or are 0 and 1
  const double *mean, *spread, *low, *high;
  const double *levels; // (features) of whole numbers, else 0
  const char *measure;  // "data", "box", "normalised" or "normal"
  bool data_free;       // x ~ N(0, I): the model\'s own normalisations may say more
  size_t rows;          // on which moments and fits are taken
  size_t scored_rows;   // the user's own rows, or all of them
  double *x;            // (rows, features), or
  nl_rows *kept;        // the same of a large model, in single precision
  nl_arena drawn;       // what x is in
  nl_site_path *sites;
  size_t removal_count;
  nl_removal *removals; // by deviation
  // work in progress
  nl_path_stage stage;
  size_t row, site;
  nl_scratch scratch;
  nl_moments *moments; // (sites)
  nl_moments part;     // of a block of rows at one site
  nl_elimination *elimination;
  nl_sensitivity *sensitivity;
  nl_variance *outputs;   // (results)
  double variance;        // of all outputs, once the moments are there
  nl_answers answers;     // what the network gives on all rows, then, where it is not too much
  bool helps;             // does jobs of a path elsewhere: no measure, no moments of its own
  nl_refit_helper *refit; // and orders of a refit
  nl_arena borrowed;      // what the job at hand needs
  nl_stock *stock;
  size_t features;             // numbers in a row
  nl_parameters *apart;        // weights stay out of memory: the parameters, whose layers come and go
  nl_large *large;             // and work in progress
  nl_tapped *tapped;           // RUNTIME: work in progress
  nl_calibration *calibration; // RUNTIME without data: NULL where the model has no BatchNormalization
  nl_run run;
};

// The sizes a method can reach are numbered: 0 is the whole network, each further one smaller (or as small).
struct nl_result {
  const nl_path *path;
  nl_target target;
  nl_result_options options;
  int stage;
  bool searching;          // among several sizes: progress is the search's
  size_t low, high, tried; // sizes: `low` is known to do or 0, none beyond `high` does
  // the candidate
  nl_arena arena;
  double epsilon;
  size_t *widths;       // (sites)
  nl_lumping *lumpings; // (sites)
  nl_parameters pruned; // zeros in the weights, or a random start; counts where it has layers
  double *fitted;       // (fitted_rows, features): what is fitted where a polish follows; NULL: the whole measure
  size_t fitted_rows;
  size_t helpers; // that have the rows of a refit
  nl_refit *refit;
  nl_fitted *linears; // RUNTIME: what the smaller model's linears are, and work in progress
  nl_tail *tail;      // RUNTIME: where a polish follows
  nl_run run;
  nl_deviation *measuring;
  nl_polish *polish;
  bool polished;                   // the polish's parameters count
  double deviation, largest, size; // size: largest |f|
  // what is written
  nl_buffer onnx;
  nl_weights_file weights; // where that is in two files
  nl_buffer weights_name;
  size_t parameters;
};

// ---- compress_method.c: what a method makes of a target ------------------------------------------------------------------

extern const char *const nl_method_names[NL_METHOD_COUNT];
bool nl_method_partitions(nl_method method);
bool nl_method_prunes(nl_method method); // keeps the widths, weights become 0
bool nl_method_knows_tolerance(nl_method method);
bool nl_method_fits(nl_method method);        // by least squares
bool nl_method_wants_order(nl_method method); // takes units as the path orders them

// What the method needs before any candidate: NL_MORE until it is there. Errors as nl_result_create.
nl_status nl_method_prepare(nl_result *result, nl_error *error);
// How many sizes there are beyond the whole network's.
size_t nl_method_sizes(const nl_result *result);
// Makes the candidate of that size (or tolerance): widths, lumpings, epsilon; pruned weights.
nl_status nl_method_take(nl_result *result, size_t size, nl_error *error);
// Parameters at that size, from memory where a result of this path has been there.
nl_status nl_method_count(nl_result *result, size_t size, size_t *parameters, nl_error *error);
nl_status nl_method_take_within(nl_result *result, double epsilon, nl_error *error);
// The same for widths that stand in result->widths.
nl_status nl_method_take_widths(nl_result *result, double epsilon, nl_error *error);
// A tolerance at which something goes. Slow where the method partitions.
nl_status nl_method_first_tolerance(nl_result *result, double *epsilon, nl_error *error);
void nl_method_drop(nl_result *result);
// The candidate's parameters: for pruning what is not zero, biases included.
size_t nl_method_parameters(const nl_result *result);
void nl_stock_free(nl_stock *stock);

// ---- compress_engine.c: what differs between the engines --------------------------------------------------------------------

size_t nl_model_parameters(const nl_model *model); // of the whole model
size_t nl_model_count(const nl_model *model, const size_t *widths);
size_t nl_model_producer(const nl_model *model, size_t site);    // the node the site is named after
nl_status nl_model_understand(nl_model *model, nl_error *error); // once nothing is missing
nl_status nl_model_need_network(const nl_model *model, nl_error *error);
nl_status nl_model_need_forward(const nl_model *model, nl_error *error); // NL_ERROR_UNSUPPORTED where a runtime runs it
nl_layers nl_model_layers(const nl_model *model);
bool nl_model_report_skipped(cJSON *parent, const nl_model *model);
// RUNTIME: fills compared_count and compared; the whole numbers an input expects: n for 0 ... n - 1, or 0.
nl_status nl_model_compare(nl_model *model, nl_error *error);
size_t nl_model_levels(const nl_graph *graph, size_t input);

// ---- compress_large.c: models whose weights stay out of memory -----------------------------------------------------------------

bool nl_model_large(const nl_model *model);
// NL_ERROR_UNSUPPORTED for those: what wants all weights at once.
nl_status nl_model_need_memory(const nl_model *model, nl_error *error);
nl_status nl_large_create(nl_path *path, nl_error *error);
void nl_large_free(nl_path *path);
nl_status nl_large_step(nl_path *path, double *progress,
                        nl_error *error); // as nl_path_step; the path is not merged yet
nl_status nl_large_keep(void *result, size_t step, nl_layer *layer, nl_error *error); // nl_refit_input's
nl_status nl_large_measure(nl_result *result, double *progress, nl_error *error);     // once the refit is done

// ---- compress_tapped.c: the path of a model that a runtime runs ---------------------------------------------------------------

nl_status nl_tapped_create(nl_path *path, nl_error *error);
void nl_tapped_free(nl_tapped *tapped);
nl_status nl_tapped_step(nl_path *path, double *progress,
                         nl_error *error); // as nl_path_step; the path is not merged yet
// L2 norms of what a unit's weights read, all writers together: norms (width of the site).
nl_status nl_tapped_norms(const nl_model *model, size_t site, double *norms, nl_error *error);

// ---- compress_tail.c: the polish of the dense layers such a model ends in -------------------------------------------------------

// Whether the model has a tail that the linear (NL_NONE: any) belongs to.
bool nl_tail_holds(const nl_model *model, size_t linear);
void nl_tail_free(nl_tail *tail);
nl_status nl_tail_begin(nl_result *result, nl_error *error); // starts the run that gives its rows
nl_status nl_tail_polish(nl_result *result, double *progress, nl_error *error);
void nl_tail_take(nl_result *result, bool polished); // the polished weights, or those from before

// ---- compress_calibrated.c: BatchNormalization as a measure ------------------------------------------------------------------

// *out stays NULL where there is nothing to calibrate.
nl_status nl_calibration_create(nl_calibration **out, const nl_graph *graph, nl_error *error);
void nl_calibration_free(nl_calibration *calibration);
nl_status nl_calibration_step(nl_path *path, nl_error *error); // NL_RUN, NL_MORE until done
// The moments found so far, of the channels that the lumpings (NULL: all whole) keep.
nl_status nl_calibration_edit(const nl_calibration *calibration, nl_edits *edits, const nl_channels *channels,
                              const nl_lumping *lumpings, nl_error *error);
nl_status nl_calibration_write(const void *path, nl_buffer *onnx, nl_error *error); // nl_write_model
// Starts a run of a path's rows: the original calibrated where it is to be.
nl_status nl_path_begin_run(const nl_path *path, nl_run *run, size_t rows, const size_t count[NL_SIDE_COUNT],
                            const size_t *const values[NL_SIDE_COUNT], void *owner, nl_take_batch take,
                            nl_write_model write, nl_error *error);

// ---- compress_fitted.c: the result of a model that a runtime runs -------------------------------------------------------------

void nl_fitted_free(nl_fitted *fitted);
// Fits the linears behind lumped sites, in order: NL_RUN, NL_MORE until done.
nl_status nl_fitted_refit(nl_result *result, double *progress, nl_error *error);
// The smaller model's linear, as it is to be written.
nl_narrow_linear *nl_fitted_linear(const nl_result *result, size_t linear);
// Starts a run of both models for one value each; `take` is given the result.
nl_status nl_fitted_run(nl_result *result, size_t rows, size_t original, size_t reduced, nl_take_batch take,
                        nl_error *error);
// Measures result->deviation and result->largest.
nl_status nl_fitted_measure(nl_result *result, double *progress, nl_error *error);
// Adds what makes the smaller model.
nl_status nl_fitted_edit(const nl_result *result, nl_edits *edits, nl_error *error);

// ---- compress_order.c: moments and order of a network that the core evaluates, part by part ---------------------------------------

nl_status nl_path_gather_block(nl_path *path,
                               nl_error *error); // the next rows; enters NL_PATH_ELIMINATE after the last
// Consumers side by side, weights (n, m); where the site's second moments are given, each over the spread of what it computes. *counted:
// how many compute anything.
nl_status nl_path_stack_consumers(nl_path *path, const nl_site *site, const double *second, size_t m, double *weights,
                                  double *counted, nl_error *error);
nl_status nl_path_start_site(nl_path *path, nl_error *error); // path->elimination of path->site
double nl_path_block_work(const nl_path *path, size_t first); // multiplications of the block whose first row that is
// How far it is, with `share` of the next job done.
double nl_path_progress(const nl_path *path, double share);

// ---- compress_helpers.c: what other instances do of a refit -------------------------------------------------------------------

enum { NL_JOB_REFIT = 2 }; // what such a job begins with
nl_status nl_helper_refit(nl_path *helper, const double *input, size_t count, nl_buffer *output, nl_error *error);
// What a candidate's refit is made of.
nl_refit_input nl_result_refit_input(const nl_result *result);

// ---- compress_draft.c -----------------------------------------------------------------------------------------------------

// What a draft of the candidate is made on: the measure's first rows, and how; it is measured on as many, the last ones.
typedef struct nl_draft {
  size_t rows;
  bool fit, outputs; // as nl_refit_input has them
  double ridge;
} nl_draft;

nl_draft nl_result_draft(const nl_result *result, size_t rows);

// ---- compress_trace.c, compress_trace_quotient.c --------------------------------------------------------------------------

// The "steps" of nl_model_trace; `partition` is what the partitioner last gave.
nl_status nl_trace_print(nl_buffer *json, const nl_chain *chain, const nl_partitioner *partitioner,
                         const nl_partition *partition, nl_error *error);
// Its "quotient".
nl_status nl_trace_print_quotient(nl_buffer *json, const nl_chain *chain, const nl_partition_options *options,
                                  const nl_partition *partition, nl_error *error);

// ---- compress_path.c, compress_result.c ------------------------------------------------------------------------------------

// The rows of the measure; needs the parameters. path->x, rows, scored_rows, measure, seed.
nl_status nl_path_measure(nl_path *path, const nl_path_options *options, nl_error *error);
// NL_ERROR_ARGUMENT where its units are not in order yet.
nl_status nl_path_need_done(const nl_path *path, nl_error *error);
nl_status nl_path_leave_site(nl_path *path, nl_error *error); // its order is there; merges the sites after the last
void nl_path_keep_order(nl_path *path, size_t site, const nl_elimination *elimination);
// The k units that go last; the projected lumping that keeps them. Memory from `arena`.
nl_status nl_path_select(const size_t *order, size_t n, size_t k, nl_arena *arena, nl_lumping *lumping,
                         nl_error *error);
nl_status nl_path_lump(const nl_path *path, size_t site, size_t k, nl_arena *arena, nl_lumping *lumping,
                       nl_error *error);
// Widths after the first `removals` entries of the merged path.
void nl_path_widths(const nl_path *path, size_t removals, size_t *widths);
// Widths for a tolerance.
void nl_path_within(const nl_path *path, double epsilon, size_t *widths);
nl_status nl_path_unreachable(const nl_model *model, size_t least, nl_error *error);
// Tolerance that gives these widths: the largest deviation among the units gone.
double nl_path_epsilon(const nl_path *path, const size_t *widths);
// Adds measure and seed. False when memory is out.
bool nl_path_report_measure(const nl_path *path, cJSON *root);

// The smaller network's parameters as they stand.
const nl_parameters *nl_result_parameters(const nl_result *result);
bool nl_result_whole(const nl_result *result);
bool nl_result_done(const nl_result *result);
bool nl_result_refits(const nl_result *result);     // a refit is at work, or about to begin
bool nl_result_may_polish(const nl_result *result); // asked for, and not at tolerance 0
// Begins to measure by the outputs that the refit has.
nl_status nl_result_measure_known(nl_result *result, nl_error *error);
// Writes the smaller model into result->onnx and counts its parameters.
nl_status nl_result_finish(nl_result *result, nl_error *error);

#endif
