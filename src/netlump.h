// netlump: makes a trained neural network smaller by lumping neurons that behave alike.
//
// This header is the manual. The simple path through it, errors left out:
//
//   nl_model *model;   nl_model_open(&model, onnx, size, &error); // other formats: a converter first, see there
//   nl_path *path;     nl_path_create(&path, model, &(nl_path_options){.seed = 1}, &error);
//                      while (nl_path_step(path, &progress, &error) == NL_MORE) {}
//   nl_result *result; nl_result_create(&result, path, (nl_target){NL_TARGET_EPSILON, 0.02}, NULL, &error);
//                      while (nl_result_step(result, &progress, &error) == NL_MORE) {}
//                      nl_result_write(result, &buffer, &error);
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
#include "image.h" // pictures as rows of data
#include "status.h"
#include "store.h"
#include "types.h"

#define NL_VERSION "0.1.0"

// ---- model -----------------------------------------------------------------------------------------------------------

typedef struct nl_model nl_model;

// Two engines. Chains of dense layers and elementwise functions, their sums and products: the core evaluates them itself. Any
// other graph (convolutions, attention ...): the core asks for *runs* (below) of an ONNX runtime outside of it.
typedef enum nl_engine { NL_ENGINE_FORWARD = 0, NL_ENGINE_RUNTIME = 1 } nl_engine;

// Opens ONNX (opset 7 and up). The bytes are not copied.
nl_status nl_model_open(nl_model **out, const void *bytes, size_t size, nl_error *error);
void nl_model_free(nl_model *model);
// ONNX too large to be held: `bytes` without its large tensors, each replaced by its place in the store (store.h; copied). Models that
// the core evaluates itself are then worked on layer by layer: projected lumping, without polish, is what they allow; what is written
// of a result has its tensors taken out in the same way, those that changed kept in the store. NL_ERROR_UNSUPPORTED elsewhere.
nl_status nl_model_open_away(nl_model **out, const void *bytes, size_t size, const nl_store *store, nl_error *error);
// Whether a file that begins and ends so may be ONNX: NL_OK, or the error nl_model_open would give for what it is instead. For
// files too large to be read for that; some kB are enough, the tail is for the names in a zip.
nl_status nl_model_look(const void *head, size_t head_size, const void *tail, size_t tail_size, nl_error *error);

// The name of an external-data file the model still needs, or an empty span.
nl_span nl_model_missing_file(const nl_model *model);
// Gives such a file; its bytes must outlive the model. After the last one the model is ready.
nl_status nl_model_attach(nl_model *model, const char *name, const void *bytes, size_t size, nl_error *error);
// Or by slices, where the file is too large to be given whole: what of the missing file comes next (a size of UINT64_MAX: all from
// there to its end), and those bytes, fewer where the file ends. Slices must outlive the model too.
void nl_model_missing_slice(const nl_model *model, uint64_t *offset, uint64_t *size);
nl_status nl_model_attach_slice(nl_model *model, const char *name, uint64_t offset, const void *bytes, size_t size,
                                nl_error *error);
uint64_t nl_model_missing_bytes(const nl_model *model); // of all missing files; 0 where that is not known

// What is inside, as JSON appended to `json`:
// {"producer", "opset", "parameters", "bytes", "relumped",
//  "engine": "forward"|"runtime", "polishes": whether the polish has something to move,
//  "normalises": whether an input is scaled before anything else happens to it,
//  "inputs": [{"name", "type", "shape": [null where dynamic, ...], "levels": n where whole numbers below n are expected, else null}],
//  "outputs": [...],
//  "features": inputs a row needs, "results": numbers a row gives, "batch": fixed batch size or null,
//  "computed": the names of the outputs `nl_model_forward` evaluates,
//  "layers": [{"name", "op", "width", "activation", "site": index or null, "reason": null or sentence}],
//  "sites": [{"name", "width"}], "skipped": [{"node", "reason"}]}
nl_status nl_model_describe(const nl_model *model, nl_buffer *json, nl_error *error);

// The weights of a dense layer, by its place in "layers": appends (width, reads) doubles to `weights`, as trained, and to `json`
// {"layer", "width", "reads", "from": the layer whose outputs it reads (the last of several), null for the model's inputs}.
// Errors: NL_ERROR_UNSUPPORTED for other layers and with NL_ENGINE_RUNTIME, NL_ERROR_LIMIT above 2^22 numbers.
nl_status nl_model_weights(const nl_model *model, size_t layer, nl_buffer *json, nl_buffer *weights, nl_error *error);

size_t nl_model_features(const nl_model *model); // numbers in a row of inputs
size_t nl_model_results(const nl_model *model);  // numbers in a row of outputs
size_t nl_model_sites(const nl_model *model);

// x (rows, features) -> y (rows, results)
nl_status nl_model_forward(const nl_model *model, size_t rows, const double *x, double *y, nl_error *error);

// ---- path: what the neurons do on the measure, and the order in which they go ------------------------------------------

typedef struct nl_path nl_path;
typedef struct nl_result nl_result;

typedef struct nl_path_options {
  uint64_t seed;
  size_t rows;        // rows of the data-free measure; 0: the default, 8192
  const double *data; // (data_rows, features) the user's rows, unlabelled; NULL: x ~ N(0, I), seeded. Borrowed.
  size_t data_rows;
  // (features) mean and standard deviation of the data-free measure; NULL: 0 and 1. Both NULL: those that a normalisation at
  // the model's start undoes, 0 and 1 where there is none.
  const double *mean, *spread;
  const double *low, *high; // (features) when given: uniform in this box instead
  // NL_ENGINE_RUNTIME only: numbers in a row of inputs (all inputs side by side, shaped by the caller), and which of them are whole
  // numbers: levels (features), NULL or 0 for a real number, n for one of 0 ... n - 1, all as likely.
  size_t features;
  const double *levels;
} nl_path_options;

// Errors: NL_ERROR_NO_SITE when the model has no site that can be evaluated, NL_ERROR_NOT_FINITE for rows that are
// not.
nl_status nl_path_create(nl_path **out, const nl_model *model, const nl_path_options *options, nl_error *error);
// Some 20 to 50 ms of work. NL_MORE until done, then NL_OK; *progress in [0, 1]. NL_RUN: see runs, below. Methods that
// have an order of their own (all but projected and random) need none of it but with NL_ENGINE_RUNTIME without data.
nl_status nl_path_step(nl_path *path, double *progress, nl_error *error);
void nl_path_free(nl_path *path);

// {"measure": {"kind": "normal"|"normalised" (as the model's own normalisations expect: inputs that a leading one makes standard;
//  with NL_ENGINE_RUNTIME normal inputs, each BatchNormalization set to what they give it)|"box"|"data", "rows"}, "seed", "sites": [{"name", "width", "order": [unit that goes first, ...],
//  "deviation": [relative deviation once the first unit is gone, ...]}]: none before it is done}
nl_status nl_path_describe(const nl_path *path, nl_buffer *json, nl_error *error);

// The range of each input over the measure's rows: low, high (features) are written.
void nl_path_range(const nl_path *path, double *low, double *high);
// Other rows of the data-free measure, by another seed: x (rows, features). With data, x ~ N(0, I).
void nl_path_draw(const nl_path *path, uint64_t seed, size_t rows, double *x);

// ---- jobs: what other instances may do of a path ---------------------------------------------------------------------------------
//
// Where the core evaluates the network itself, the work of a path falls into jobs, numbered in the order in which nl_path_step does
// them: blocks of rows, then sites. Other instances that have the same model open may do any of those that are open now; what
// comes of them is taken in by number, and gives the bits that nl_path_step gives. Both may be mixed: nl_path_step does the next job.
//
//   here:  nl_path_job_give(path, job, &input, &error) ... nl_path_job_take(path, job, output, count, &progress, &error);
//   there: nl_path_create_helper(&helper, model, seed, &error); nl_path_job_do(helper, input, count, &output, &error);

// Multiplications of the whole path, about; 0 where there are no jobs.
double nl_path_work(const nl_path *path);
// Jobs next ... end - 1 are open, all of them blocks of rows or all of them sites.
void nl_path_jobs(const nl_path *path, size_t *next, size_t *end);
// Appends doubles: what a helper has to know.
nl_status nl_path_job_give(nl_path *path, size_t job, nl_buffer *input, nl_error *error);
// `count` doubles that came of the next job. Errors: NL_ERROR_ARGUMENT where it is not the next, or the count is wrong.
nl_status nl_path_job_take(nl_path *path, size_t job, const double *output, size_t count, double *progress,
                           nl_error *error);

// A path that does jobs of one with the same seed, and nothing else; freed as any.
nl_status nl_path_create_helper(nl_path **out, const nl_model *model, uint64_t seed, nl_error *error);
// Appends doubles. All of the job, however long. What nl_result_give appends is a job too.
nl_status nl_path_job_do(nl_path *helper, const double *input, size_t count, nl_buffer *output, nl_error *error);

// ---- runs: what a runtime outside the core is asked to do ---------------------------------------------------------------------
//
// Models of NL_ENGINE_RUNTIME. When nl_path_step or nl_result_step answers NL_RUN, the caller runs the original model, the smaller
// one as it stands, or both, on rows of the path (nl_path_rows) in batches, hands over the values asked for, and steps again:
//
//   while ((status = nl_path_step(path, &progress, &error)) == NL_MORE || status == NL_RUN)
//     if (status == NL_RUN) {
//       nl_run *run = nl_path_run(path);            nl_run_describe(run, &json, &error);
//       for each batch of rows { run the models; nl_run_feed(run, ...) each value; nl_run_advance(run, rows, &error); }
//     }

typedef struct nl_run nl_run;

nl_run *nl_path_run(nl_path *path); // borrowed until the next step; NULL unless the last step answered NL_RUN
nl_run *nl_result_run(nl_result *result);
// Rows first ... first + count - 1 of the measure: x (count, features).
void nl_path_rows(const nl_path *path, size_t first, size_t count, double *x);

// {"rows": the first so many rows of the path, "original": [value, ...], "reduced": [value, ...], "calibrated"}: names of values of
// the graph, inner ones too, that the caller adds to the models' outputs. An empty list: that model is not run. "calibrated": the
// original is run as nl_run_model gives it, the same for all runs of a path that say so.
nl_status nl_run_describe(const nl_run *run, nl_buffer *json, nl_error *error);
// The smaller model as it stands, or the calibrated original (ONNX).
nl_status nl_run_model(const nl_run *run, bool reduced, nl_buffer *onnx, nl_error *error);
// One value of the batch at hand: number `index` of the list. f32 or f64, row-major; data and dims are borrowed until advance.
nl_status nl_run_feed(nl_run *run, bool reduced, size_t index, nl_type type, size_t rank, const int64_t *dims,
                      const void *data, nl_error *error);
// All values of the batch of the next `rows` rows are there.
nl_status nl_run_advance(nl_run *run, size_t rows, nl_error *error);

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

// The methods. All but the pruning ones give a lumping of every site, ã = R a, a ≈ P ã + p, and then the same quotient:
// W_in' = R W_in, b_in' = R b_in, W_out' = W_out P, b_out' = b_out + W_out p.
//
// projected. R selects units, P and p are the least-squares prediction of all units from them over the measure. Which units
//   go first is found by elimination (optimal brain surgeon's identity for a whole unit, Hassibi & Stork 1993): with C the
//   covariance of the activations and H = (C + λI)⁻¹, the unit with the least ‖w_j‖² / H_jj goes, that being how much the
//   consumers' squared error grows when the others make up for it. The consumers' errors count by what the output feels of
//   them to first order, so ε is the relative deviation of the output that a site causes by itself. One pass orders all
//   units and serves every ε. Afterwards each consumer is fitted again, in order, to the original's pre-activations from the
//   activations the smaller network really has. Exact at ε = 0 on the measure: copies, proportional and constant units and
//   any linear dependence go, as far as the outputs, measured, stay what they are (to 5e-5 of the largest). Works for every
//   network of dense layers and elementwise functions, sums and products. Limits: what is alike on the measure need not be
//   alike elsewhere; n³ work and n² memory for a site of n units.
//   In any other graph (NL_ENGINE_RUNTIME) a unit is a channel, at all positions and kernel offsets; there are no derivatives, so one
//   run a site finds how much of its consumers' error the outputs feel, to first order; and each consumer, kernel and all, is fitted
//   on patches of what the smaller network reads (patch.h). Where a fit would not fit in memory: the compensation alone.
//
// partition. The blocks of the adjoint partition (below) with a fitted P: each block's unit gets the mean of its members'
//   incoming weights, and the consumers are fitted by least squares as above, which is the prolongation from the true
//   cross-moments E[a ãᵀ] E[ã ãᵀ]⁻¹, affine, in order. Exact at ε = 0 wherever the partition is. Between the paper's quotient
//   and projected lumping: it can only merge what reads alike, but forgives it for not being quite alike. ε is ERODE's
//   tolerance on sums of weights, not a deviation. Limits: a chain of layers only (chain.h); what a tolerance costs in
//   accuracy is known after the refit, not before.
//
// adjoint, symmetric, forward, polynomial. Differential equivalence, the paper's method: see there.
//
// norm. The units with the largest L2 norm of incoming weights stay (Li, Kadav, Durdanovic, Samet, Graf 2017, arXiv
//   1608.08710), the same share of every site; nothing takes over what the others did. A baseline: cheap, blind to what units
//   have in common. Takes a share or a deviation, knows no tolerance.
//
// magnitude, magnitude-global, wanda. Single weights become 0, widths stay; retained counts what is not zero, and the file
//   stays as large. By |w|, the same share of every layer (Han, Pool, Tran, Dally 2015, arXiv 1506.02626) or one threshold
//   for all; by |w_oi| times the RMS of what it reads over the measure, the same share of every row (Sun, Liu, Bair, Kolter
//   2023, arXiv 2306.11695). The last layer takes part. Baselines: take a share or a deviation, know no tolerance. A dense
//   runtime computes as much as before.
//
// random. Projected's widths from a random start (PyTorch's for Linear, seeded): useless by itself, and the honest control
//   for the polish, which has to beat training anew.
//
// The polish works after any of them: label-free self-distillation (Hinton, Vinyals, Dean 2015, arXiv 1503.02531, on the
//   outputs themselves). Weights and biases move until the mean of |f' - f|² over the measure is as small as it gets; with the
//   user's rows also over four jittered copies of them. A fifth of the rows is held back, the best iterate on those is kept,
//   and nothing is kept that is worse on the whole measure. What is pruned stays 0. Of other graphs (NL_ENGINE_RUNTIME) it moves the
//   dense layers they end in, two or more with elementwise functions between. Limits: it learns the measure, so few or
//   strange rows teach little; never at tolerance 0, which is exact already.
typedef enum nl_method {
  NL_METHOD_PROJECTED = 0,
  NL_METHOD_PARTITION = 1,
  NL_METHOD_ADJOINT = 2,
  NL_METHOD_SYMMETRIC = 3,
  NL_METHOD_FORWARD = 4,
  NL_METHOD_POLYNOMIAL = 5,
  NL_METHOD_NORM = 6,
  NL_METHOD_MAGNITUDE = 7,
  NL_METHOD_MAGNITUDE_GLOBAL = 8,
  NL_METHOD_WANDA = 9,
  NL_METHOD_RANDOM = 10
} nl_method;

typedef struct nl_result_options {
  nl_method method;
  nl_linkage linkage; // of the methods that partition
  size_t degree;      // of the polynomials that stand for other activations (polynomial); 0: the default
  bool polish;        // never applied at tolerance 0, which is exact
  // A first answer in about a tenth of a second, no polish: made and measured on as many rows as that allows, fitted to the outputs
  // where those are many for the size, else by least squares. Networks that the core evaluates itself.
  bool draft;
  size_t iterations; // of the polish at most; 0: the default
  // ONNX above `large` bytes (0: 10^9) whose weights came in files of their own is written in two files: what the first calls
  // the second (NULL: smaller.onnx.data). Must not be the source's where both lie in one folder.
  size_t large;
  const char *weights; // copied
} nl_result_options;

// options: NULL for projected lumping without polish.
// Errors: NL_ERROR_UNSUPPORTED where the method wants a chain of layers and the model is none, NL_ERROR_ARGUMENT for a
// tolerance where the method knows none (pruning, norm), or a path that is not done.
nl_status nl_result_create(nl_result **out, const nl_path *path, nl_target target, const nl_result_options *options,
                           nl_error *error);
// As nl_path_step. NL_SHARE: see helpers, below; only where that was asked for. Errors: NL_ERROR_UNREACHABLE for a deviation that the
// least that can go exceeds, and at tolerance 0 where what looked exact by the moments is not on the outputs.
nl_status nl_result_step(nl_result *result, double *progress, nl_error *error);
bool nl_result_polishing(const nl_result *result); // what the next step does
void nl_result_free(nl_result *result);

// ---- helpers: what other instances may do of a result ------------------------------------------------------------------------
//
// Where the core evaluates the network itself, a refit goes through its rows by shares, and other instances may have some of them each:
// the bits are those of nl_result_step alone. Where nl_result_work says that the next step begins a refit, nl_result_share says how
// many help with it, and with those after it; nl_result_step then answers NL_SHARE whenever they are to do something:
//
//   here:  for each helper nl_result_give(result, helper, &input, &error); in their order nl_result_take(result, helper, output, count,
//          &error); then nl_result_step again.
//   there: nl_path_job_do, by one that nl_path_create_helper made, which lives as long as the refit.

// Multiplications of the refit that the next step begins, at least; 0 where it begins none that can be shared.
double nl_result_work(const nl_result *result);
size_t nl_result_shares(const nl_result *result); // no more helpers than these have something to do
// 0 helpers: from now on it is done here, and begins again where helpers had it.
nl_status nl_result_share(nl_result *result, size_t helpers, nl_error *error);
// Appends doubles: what a helper has to know; nothing where it has nothing to do, and then nothing is taken in.
nl_status nl_result_give(nl_result *result, size_t helper, nl_buffer *input, nl_error *error);
// Errors: NL_ERROR_ARGUMENT where it is not the next, or the count is wrong.
nl_status nl_result_take(nl_result *result, size_t helper, const double *output, size_t count, nl_error *error);

// ---- what is told of a result ------------------------------------------------------------------------------------------------

// {"method": its name above, "epsilon": null where the method knows none, "target": {"kind": "epsilon"|"retain"|"deviation",
//  "value"}, "measure", "seed", "parameters": {"before", "after"}, "retained", "deviation": RMS(f' - f) / RMS(f - E f) over the
//  measure, "largest": largest |f' - f| over the measure, "polish": null or {"iterations", "before", "after": deviation on the
//  rows held back}, "sites": [{"name", "before", "after", "deviation": null unless projected, "kept": [unit, ...]}],
//  "skipped": [{"node", "reason"}]}
nl_status nl_result_report(const nl_result *result, nl_buffer *json, nl_error *error);
double nl_result_deviation(const nl_result *result);

// What became of a site's neurons: {"site", "before", "after", "kept": [unit, ...], "blocks": [for each unit which entry of
// `kept` stands for it, null where it is a constant in the bias, or simply gone], "prolongation": rows of P (before, after), "offset": p
// (before), of a ≈ P ã + p}. The last two are null above 4096 numbers or where all stay; the fit of the consumers that follows is not in them.
// Blocks are the partition's where the method has one. For projected and random a neuron belongs to the kept one with the largest
// share in predicting it, |P_ij| times the spread of ã_j over the measure. Norm predicts nothing: what goes has no block.
// Where single weights are pruned each neuron is its own.
nl_status nl_result_lumping(const nl_result *result, size_t site, nl_buffer *json, nl_error *error);

// The smaller model as ONNX. When nothing was removed, the bytes are the source's own.
nl_status nl_result_write(const nl_result *result, nl_buffer *out, nl_error *error);
// Where it is large, its weights are in a second file: its name as the first file calls it and its bytes; both stay empty where there
// is none. What came unchanged from files of the source goes with those.
nl_status nl_result_write_weights(const nl_result *result, nl_buffer *name, nl_buffer *bytes, nl_error *error);
// In one file, whatever its size and wherever the source has its weights: what a converter writes in another format.
nl_status nl_result_write_joined(const nl_result *result, nl_buffer *out, nl_error *error);
nl_status nl_result_forward(const nl_result *result, size_t rows, const double *x, double *y, nl_error *error);

// ---- differential equivalence: chains of dense layers only -------------------------------------------------------------
//
// Differential equivalence (Cardelli, Tribastone, Tschaikowski, Vandin, PNAS 2017; of networks, with a tolerance:
// arXiv 2606.01402). The network is read as a system of differential equations, one variable a neuron (ode.h has the three
// encodings); neurons of one layer are near when an L1 distance of coefficients is at most ε (partition.h has it), and near
// neurons form blocks. It needs weights only: no data, no measure, no labels. ε is in units of the weights, other than the
// tolerance of the projected path, and has no bound on the output's deviation: measure it. At ε = 0 it is exact where said
// below, up to the rounding of weights to f32. A layer's blocks are found once, in one sweep over the layers, each from the
// blocks of one neighbour. It wants a chain: dense layers, elementwise activations between, one input, one output.
//
// forward, linear encoding. Neurons that the next layer's blocks read alike: 3 Σ_H |Σ_{k∈H} (w_ki − w_kj)| <= ε. The activations
//   are left out of the encoding. ERODE's own quotient: blocks are summed (R), each member stands for 1/|H| of its sum (P).
//   Source: the FDE quotient of arXiv 2606.01402. At ε = 0 the smaller network is the same function for identity activations
//   and for no other: neurons read alike may still do different things, and σ of a sum is no sum of σ. For trained networks
//   with tanh or ReLU it is the weakest method here; it is there because the paper has it, and for comparison. Units that
//   a constant of their own acts on (BatchNorm per channel behind the sum) are refused. Bias differences do not count.
//   backward, linear encoding, compares what neurons read instead and gives the blocks of the next entry at a third of ε.
//
// forward, adjoint encoding. The transposed system: neurons that read the previous layer's blocks alike,
//   3 (Σ_B |Σ_{j∈B} (w_ij − w_i'j)| + |b_i − b_i'|) <= ε. Forward equivalence of the transpose is backward equivalence of the original
//   and bisimulation of networks (Prabhakar, 2021). Quotient: block means or the member nearest the mean (R), every member gets
//   its block's value (P). At ε = 0 the smaller network is the same function for every elementwise activation. For ε > 0 the
//   difference of two pre-activations is at most ε/3 times the largest |a| of the layer before (or 1), if that was
//   lumped exactly; errors of earlier layers add up. Inputs enter with their own scale: standardise inputs of different size, or ε means
//   something else for each. It merges near-copies only; where neurons are linear combinations of others it finds nothing and
//   the projected path does. backward, adjoint encoding, compares who reads neurons, as forward linear does: no claim at ε = 0.
//
// polynomial encoding, a' = −a + p(W a + b). p is the activation where it is a polynomial, else a fit whose degree and error are
//   reported (ode_fit.c: least squares over the pre-activations of x ~ N(0, I), ± 3 standard deviations; degree 2, or 3 where
//   that leaves at most three quarters of the error). backward: neurons with near polynomials of the previous layer's blocks; at
//   ε = 0 exact for polynomial activations with the representative quotient (a square does not tell w from −w, so means do not
//   do), and for fitted ones exact for the fit's network only. forward: near in how the next layer's polynomials read them; it
//   lumps the differential equations, whose quotient is no network of the same form, so no claim is made at any ε. Distances take
//   work ~ width^degree a pair: closed form forward onto blocks of one, literal monomials else; above 2e10 multiplications
//   in a layer NL_ERROR_LIMIT. Coefficients of degree d scale with the d-th power of the weights, so ε does not compare
//   across activations. Steady state of the exact encoding = the network's output.
//
// symmetric (adjoint, forward). Distances between incoming vectors up to what the activation lets through: divided by their L1
//   norm where σ(c z) = c σ(z) for c > 0 (relu, leakyrelu, one-slope prelu, abs, identity), up to sign where σ is odd or even
//   (tanh, softsign, erf, sin, symmetric clip, identity; abs, cos, even polynomials). ε is then relative for the first kind.
//   Neurons that read nothing once their input is collapsed are constant: they leave their block and move into the next bias.
//   Quotient: the representative, the others its multiples (P), constants the offset (p). At ε = 0 the same function. Known
//   for ReLU as positive rescaling (Neyshabur et al., 2015), for tanh as sign flips (Sussmann, 1992). Multiples and signs are
//   passed on to the next layer before it is compared, so hidden copies behind rescaled ones are found too. Limits: a composite
//   activation (x·sigmoid(x) written out) counts as neither; where a consumer has no bias one constant neuron stays.
//
// Linkages. erode: blocks are the connected components of "near", ERODE's rule, so that its partitions can be checked; with
//   many neurons it chains: 0, .1, .2, .3 all merge at ε = .1, and a block's ends may be far apart. complete (default): every two
//   members of a block are near; hierarchical complete linkage (Müllner, 2011) while all distances of the layer take at most
//   2^30 multiplications, wider layers by a cheaper rule, unit after unit into the first block it is near as a whole. Ties go to
//   the lower number, so the same network and ε always give the same blocks, on every machine and in both builds. As ε
//   grows, blocks of erode linkage only merge (without symmetric); of complete linkage they usually do, but a coarser
//   neighbour, or the cheaper rule, may split a block that was whole. What an ε needed is kept for the next one.

// The blocks of the hidden neurons at one tolerance: {"blocks": [["h1_1", "h1_3"], ...], "constant": ["h1_2", ...]}, blocks of
// one included, layer by layer, in order of first member; hL_K is neuron K of hidden layer L, both from 1. `constant` is
// empty unless `symmetric`; with the polynomial encoding also "polynomials" (nl_model_polynomials).
// Errors: NL_ERROR_UNSUPPORTED naming the node that makes it no chain, NL_ERROR_LIMIT for polynomials that would take too long.
nl_status nl_model_blocks(const nl_model *model, const nl_partition_options *options, double epsilon, nl_buffer *json,
                          nl_error *error);

// How the blocks of nl_model_blocks come about, for networks small enough to be looked at: the hidden layers in the order in which
// they are refined, each whole at first and then split. All numbers of neurons and layers from 1; a neighbour 0 are the inputs,
// one behind the last hidden layer the outputs.
// {"steps": [{"layer", "neighbour": the layer whose blocks tell its neurons apart, "factor", "neurons": [those not constant],
//   "distances": [[of each two of them], ...], "splits": [{"stays": [neuron, ...], "leaves": [neuron, ...]: the parts of the block,
//   "pair": [the neuron that stays, the one that leaves]: the two that are further apart than ε (complete linkage: the farthest of
//   the parts; erode: the nearest), "distance", "terms": null or [[of the one, of the other], ...]: the distance is "factor" times the
//   sum of their differences; one for each block of the neighbour and, where incoming weights compare, the bias}],
//   "blocks": [[neuron, ...], ...], "constant": [{"neuron", "value"}], "scale": [of each neuron, to its block's first]: empty
//   unless `symmetric`}],
//  "quotient": null for adjoint backward and polynomial forward, else the layers of the network whose encoding is the quotient of the
//   equations: [{"weights", "bias", "kept": [the neuron each block is called after, ...], "prolongation": (neurons, blocks)}, ...], the
//   last two not of the output layer. A block's variable is the sum of its members (forward, linear), the sum by their entries of the
//   prolongation (adjoint), or what each member is its multiple of (backward)
//  "polynomials": as above}
// Errors: as above; NL_ERROR_LIMIT for a hidden layer of more than 64 neurons.
nl_status nl_model_trace(const nl_model *model, const nl_partition_options *options, double epsilon, nl_buffer *json,
                         nl_error *error);

// The encoding as ERODE's .ode text (ode.h); `degree` of the options is that of fitted polynomials.
nl_status nl_model_ode(const nl_model *model, const nl_partition_options *options, double epsilon, nl_buffer *text,
                       nl_error *error);

// The layers' activations as polynomials: [{"layer": from 1, the output last, "degree", "fitted", "mean", "spread": of the
// pre-activations fitted on, "rms", "largest": error over the activation's RMS, "coefficients": [c0, ...]}]
nl_status nl_model_polynomials(const nl_model *model, size_t degree, nl_buffer *json, nl_error *error);

// ---- converter: netlump JSON, TensorFlow.js layers models, brain.js (json.h) ----------------------------------------------------
//
// All above knows ONNX alone. What comes in another format is converted at the door, and what became of it goes out the same way:
//
//   nl_converter_open(&converter, bytes, size, &error);       nl_converter_attach(converter, ...) while a file is missing
//   nl_converter_read(converter, &onnx, &error);              nl_model_open(&model, onnx.bytes, onnx.size, &error); ...
//   nl_result_write_joined(result, &smaller, &error);         nl_converter_write(converter, format, smaller.bytes, smaller.size, ...);
//
// In WebAssembly this is a module of its own (formats.wasm), which few visits need.

typedef struct nl_converter nl_converter;
typedef enum nl_format { NL_FORMAT_ONNX = 0, NL_FORMAT_JSON = 1, NL_FORMAT_TFJS = 2, NL_FORMAT_BRAIN = 3 } nl_format;

// Tells formats apart by content; NL_FORMAT_ONNX is all that is none of the others. The bytes are not copied.
// Errors: NL_ERROR_UNSUPPORTED for networks of libraries known by name and not read, with the way out.
nl_status nl_converter_open(nl_converter **out, const void *bytes, size_t size, nl_error *error);
void nl_converter_free(nl_converter *converter);
nl_format nl_converter_format(const nl_converter *converter);
// As of a model: a file of weights still missing, or an empty span; whole files, which must outlive the converter.
nl_span nl_converter_missing_file(const nl_converter *converter);
void nl_converter_attach(nl_converter *converter, const char *name, const void *bytes, size_t size);
// Appends the model as ONNX: ONNX as it is.
nl_status nl_converter_read(const nl_converter *converter, nl_buffer *onnx, nl_error *error);

// Appends in `format` what became of that ONNX: what the original holds besides stays. When nothing was removed, its own bytes.
// Errors: NL_ERROR_UNSUPPORTED for NL_FORMAT_JSON where the model is no chain of dense layers, for NL_FORMAT_TFJS and
// NL_FORMAT_BRAIN where the original is of another format.
nl_status nl_converter_write(const nl_converter *original, nl_format format, const void *onnx, size_t size,
                             nl_buffer *out, nl_error *error);
// The second file of NL_FORMAT_TFJS: its name as the first one calls it and its bytes; both stay empty where there is none.
nl_status nl_converter_write_weights(const nl_converter *original, nl_format format, const void *onnx, size_t size,
                                     nl_buffer *name, nl_buffer *bytes, nl_error *error);

// ---- certificate --------------------------------------------------------------------------------------------------------

typedef struct nl_certificate nl_certificate;

// A guaranteed bound on how far two models' outputs are apart anywhere in the box [low, high] (features each), for chains of
// dense layers with elementwise activations: a worst case, to be read beside the measured deviation. `reduced` is opened from
// the bytes that nl_result_write gives, so that what is certified is what is written. certify.h is its manual: method,
// sources, what is covered and what is not. Both models must outlive the certificate; low and high as well.
// Errors: NL_ERROR_UNSUPPORTED naming the node for which nothing can be said, NL_ERROR_ARGUMENT for a box that is none.
nl_status nl_certificate_create(nl_certificate **out, const nl_model *original, const nl_model *reduced,
                                const double *low, const double *high, nl_error *error);
nl_status nl_certificate_step(nl_certificate *certificate, double *progress, nl_error *error); // as nl_path_step
void nl_certificate_free(nl_certificate *certificate);

// {"bound": the largest |f' - f| possible over all outputs, "bounds": [for each output], "found": the largest that a search
//  met, "foundAt": [the inputs there], "points": of that search, "method": "intervals"|"zonotope"|"quadratic"|"cubic"|"none",
//  "boxes": the box was split into, "beforeSoftmax": whether it speaks of what goes into a last softmax}
nl_status nl_certificate_describe(const nl_certificate *certificate, nl_buffer *json, nl_error *error);

#endif
