// exports: netlump.h as WebAssembly sees it. Handles, pointers and sizes cross as 32-bit numbers, enums as int, a seed as a
// double (whole numbers to 2^53). Nothing is decided here.
#include "boundary.h"

// ---- model -----------------------------------------------------------------------------------------------------------

// Functions that make a handle return it, or 0 after an error.
NL_EXPORT(netlump_model_open) nl_model *netlump_model_open(boundary *b, const void *bytes, size_t size) {
  nl_model *model = NULL;
  return nl_model_open(&model, bytes, size, entered(b)) == NL_OK ? model : NULL;
}
// Imported: whether the bytes were there; where they are kept, 0 for nowhere. `store` is a number the caller made up.
#define NL_IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
NL_IMPORT(netlump_store_read) int netlump_store_read(int store, double offset, void *bytes, size_t size);
NL_IMPORT(netlump_store_keep) double netlump_store_keep(int store, const void *bytes, size_t size);

static bool store_read(void *context, uint64_t offset, void *bytes, size_t size) {
  return netlump_store_read((int)(intptr_t)context, (double)offset, bytes, size) != 0;
}
static uint64_t store_keep(void *context, const void *bytes, size_t size) {
  return (uint64_t)netlump_store_keep((int)(intptr_t)context, bytes, size);
}
NL_EXPORT(netlump_model_open_away)
nl_model *netlump_model_open_away(boundary *b, const void *bytes, size_t size, int store) {
  nl_model *model = NULL;
  const nl_store away = {(void *)(intptr_t)store, store_read, store_keep};
  return nl_model_open_away(&model, bytes, size, &away, entered(b)) == NL_OK ? model : NULL;
}
NL_EXPORT(netlump_model_look)
int netlump_model_look(boundary *b, const void *head, size_t head_size, const void *tail, size_t tail_size) {
  return (int)nl_model_look(head, head_size, tail, tail_size, entered(b));
}
NL_EXPORT(netlump_model_free) void netlump_model_free(nl_model *model) { nl_model_free(model); }

// Text: the name of a file still missing, empty when there is none.
NL_EXPORT(netlump_model_missing_file) int netlump_model_missing_file(boundary *b, const nl_model *model) {
  nl_error *error = entered(b);
  const nl_span name = nl_model_missing_file(model);
  return (int)nl_buffer_append(&b->text, name.bytes, name.size, error);
}
// Slice: what of the missing file comes next.
NL_EXPORT(netlump_model_missing_slice) int netlump_model_missing_slice(boundary *b, const nl_model *model) {
  uint64_t offset, size;
  entered(b);
  nl_model_missing_slice(model, &offset, &size);
  b->offset = (double)offset;
  b->size = (double)size;
  return NL_OK;
}
NL_EXPORT(netlump_model_missing_bytes) double netlump_model_missing_bytes(const nl_model *model) {
  return (double)nl_model_missing_bytes(model);
}
NL_EXPORT(netlump_model_attach_slice)
int netlump_model_attach_slice(boundary *b, nl_model *model, const char *name, double offset, const void *bytes,
                               size_t size) {
  return (int)nl_model_attach_slice(model, name, (uint64_t)offset, bytes, size, entered(b));
}
NL_EXPORT(netlump_model_describe) int netlump_model_describe(boundary *b, const nl_model *model) {
  nl_error *error = entered(b);
  return (int)nl_model_describe(model, &b->text, error);
}
// Text: the weights, doubles; name: JSON that says whose they are.
NL_EXPORT(netlump_model_weights) int netlump_model_weights(boundary *b, const nl_model *model, size_t layer) {
  nl_error *error = entered(b);
  return (int)nl_model_weights(model, layer, &b->name, &b->text, error);
}
NL_EXPORT(netlump_model_features) size_t netlump_model_features(const nl_model *model) {
  return nl_model_features(model);
}
NL_EXPORT(netlump_model_results) size_t netlump_model_results(const nl_model *model) { return nl_model_results(model); }
NL_EXPORT(netlump_model_sites) size_t netlump_model_sites(const nl_model *model) { return nl_model_sites(model); }
NL_EXPORT(netlump_model_forward)
int netlump_model_forward(boundary *b, const nl_model *model, size_t rows, const double *x, double *y) {
  return (int)nl_model_forward(model, rows, x, y, entered(b));
}

// ---- differential equivalence ----------------------------------------------------------------------------------------

static nl_partition_options partition_options(int encoding, int equivalence, int linkage, size_t degree,
                                              int symmetric) {
  return (nl_partition_options){(nl_encoding)encoding, (nl_equivalence)equivalence, (nl_linkage)linkage, degree,
                                symmetric != 0};
}

NL_EXPORT(netlump_model_blocks)
int netlump_model_blocks(boundary *b, const nl_model *model, int encoding, int equivalence, int linkage, size_t degree,
                         int symmetric, double epsilon) {
  nl_error *error = entered(b);
  const nl_partition_options options = partition_options(encoding, equivalence, linkage, degree, symmetric);
  return (int)nl_model_blocks(model, &options, epsilon, &b->text, error);
}

// Text: JSON.
NL_EXPORT(netlump_model_trace)
int netlump_model_trace(boundary *b, const nl_model *model, int encoding, int equivalence, int linkage, size_t degree,
                        int symmetric, double epsilon) {
  nl_error *error = entered(b);
  const nl_partition_options options = partition_options(encoding, equivalence, linkage, degree, symmetric);
  return (int)nl_model_trace(model, &options, epsilon, &b->text, error);
}

// Text: ERODE's file.
NL_EXPORT(netlump_model_ode)
int netlump_model_ode(boundary *b, const nl_model *model, int encoding, int equivalence, int linkage, size_t degree,
                      int symmetric, double epsilon) {
  nl_error *error = entered(b);
  const nl_partition_options options = partition_options(encoding, equivalence, linkage, degree, symmetric);
  return (int)nl_model_ode(model, &options, epsilon, &b->text, error);
}
NL_EXPORT(netlump_model_polynomials)
int netlump_model_polynomials(boundary *b, const nl_model *model, size_t degree) {
  nl_error *error = entered(b);
  return (int)nl_model_polynomials(model, degree, &b->text, error);
}

// ---- path ------------------------------------------------------------------------------------------------------------

// `data`, `mean`, `spread`, `low`, `high` and `levels` may be 0; they must stay where they are as long as the path lives.
NL_EXPORT(netlump_path_create)
nl_path *netlump_path_create(boundary *b, const nl_model *model, double seed, size_t rows, const double *data,
                             size_t data_rows, const double *mean, const double *spread, const double *low,
                             const double *high, const double *levels, size_t features) {
  const nl_path_options options = {.seed = (uint64_t)seed,
                                   .rows = rows,
                                   .data = data,
                                   .data_rows = data_rows,
                                   .mean = mean,
                                   .spread = spread,
                                   .low = low,
                                   .high = high,
                                   .levels = levels,
                                   .features = features};
  nl_path *path = NULL;
  return nl_path_create(&path, model, &options, entered(b)) == NL_OK ? path : NULL;
}
NL_EXPORT(netlump_path_step) int netlump_path_step(boundary *b, nl_path *path) {
  nl_error *error = entered(b);
  return (int)nl_path_step(path, &b->progress, error);
}
NL_EXPORT(netlump_path_free) void netlump_path_free(nl_path *path) { nl_path_free(path); }
NL_EXPORT(netlump_path_describe) int netlump_path_describe(boundary *b, const nl_path *path) {
  nl_error *error = entered(b);
  return (int)nl_path_describe(path, &b->text, error);
}
// `widths`: room for netlump_model_sites() sizes of 32 bits.
NL_EXPORT(netlump_path_choose)
int netlump_path_choose(boundary *b, const nl_path *path, int kind, double value, size_t *widths) {
  nl_error *error = entered(b);
  return (int)nl_path_choose(path, (nl_target){(nl_target_kind)kind, value}, &b->choice, widths, error);
}

// ---- jobs ------------------------------------------------------------------------------------------------------------

NL_EXPORT(netlump_path_work) double netlump_path_work(const nl_path *path) { return nl_path_work(path); }
NL_EXPORT(netlump_path_next_job) size_t netlump_path_next_job(const nl_path *path) {
  size_t next, end;
  nl_path_jobs(path, &next, &end);
  return next;
}
NL_EXPORT(netlump_path_end_job) size_t netlump_path_end_job(const nl_path *path) {
  size_t next, end;
  nl_path_jobs(path, &next, &end);
  return end;
}
// Text: doubles.
NL_EXPORT(netlump_path_job_give) int netlump_path_job_give(boundary *b, nl_path *path, size_t job) {
  nl_error *error = entered(b);
  return (int)nl_path_job_give(path, job, &b->text, error);
}
NL_EXPORT(netlump_path_job_take)
int netlump_path_job_take(boundary *b, nl_path *path, size_t job, const double *output, size_t count) {
  nl_error *error = entered(b);
  return (int)nl_path_job_take(path, job, output, count, &b->progress, error);
}
NL_EXPORT(netlump_path_helper)
nl_path *netlump_path_helper(boundary *b, const nl_model *model, double seed) {
  nl_path *path = NULL;
  return nl_path_create_helper(&path, model, (uint64_t)seed, entered(b)) == NL_OK ? path : NULL;
}
// Text: doubles.
NL_EXPORT(netlump_path_job_do)
int netlump_path_job_do(boundary *b, nl_path *helper, const double *input, size_t count) {
  nl_error *error = entered(b);
  return (int)nl_path_job_do(helper, input, count, &b->text, error);
}

// ---- runs ------------------------------------------------------------------------------------------------------------

NL_EXPORT(netlump_path_run) nl_run *netlump_path_run(nl_path *path) { return nl_path_run(path); }
NL_EXPORT(netlump_result_run) nl_run *netlump_result_run(nl_result *result) { return nl_result_run(result); }
// x: room for `count` rows.
NL_EXPORT(netlump_path_rows) void netlump_path_rows(const nl_path *path, size_t first, size_t count, double *x) {
  nl_path_rows(path, first, count, x);
}
NL_EXPORT(netlump_run_describe) int netlump_run_describe(boundary *b, const nl_run *run) {
  nl_error *error = entered(b);
  return (int)nl_run_describe(run, &b->text, error);
}
// Text: the smaller model as it stands, or the calibrated original.
NL_EXPORT(netlump_run_model) int netlump_run_model(boundary *b, const nl_run *run, int reduced) {
  nl_error *error = entered(b);
  return (int)nl_run_model(run, reduced != 0, &b->text, error);
}
// `dims` and `data` must stay where they are until the run advances.
NL_EXPORT(netlump_run_feed)
int netlump_run_feed(boundary *b, nl_run *run, int reduced, size_t index, int type, size_t rank, const int64_t *dims,
                     const void *data) {
  return (int)nl_run_feed(run, reduced != 0, index, (nl_type)type, rank, dims, data, entered(b));
}
NL_EXPORT(netlump_run_advance) int netlump_run_advance(boundary *b, nl_run *run, size_t rows) {
  return (int)nl_run_advance(run, rows, entered(b));
}

// ---- result ----------------------------------------------------------------------------------------------------------

NL_EXPORT(netlump_result_create)
nl_result *netlump_result_create(boundary *b, const nl_path *path, int kind, double value, int method, int linkage,
                                 size_t degree, int polish, int draft, size_t iterations, size_t large,
                                 const char *weights) {
  nl_result *result = NULL;
  const nl_target target = {(nl_target_kind)kind, value};
  const nl_result_options options = {.method = (nl_method)method,
                                     .linkage = (nl_linkage)linkage,
                                     .degree = degree,
                                     .polish = polish != 0,
                                     .draft = draft != 0,
                                     .iterations = iterations,
                                     .large = large,
                                     .weights = weights};
  return nl_result_create(&result, path, target, &options, entered(b)) == NL_OK ? result : NULL;
}
NL_EXPORT(netlump_result_polishing) int netlump_result_polishing(const nl_result *result) {
  return nl_result_polishing(result);
}
NL_EXPORT(netlump_result_work) double netlump_result_work(const nl_result *result) { return nl_result_work(result); }
NL_EXPORT(netlump_result_shares) size_t netlump_result_shares(const nl_result *result) {
  return nl_result_shares(result);
}
NL_EXPORT(netlump_result_share) int netlump_result_share(boundary *b, nl_result *result, size_t helpers) {
  return (int)nl_result_share(result, helpers, entered(b));
}
// Text: doubles.
NL_EXPORT(netlump_result_give) int netlump_result_give(boundary *b, nl_result *result, size_t helper) {
  nl_error *error = entered(b);
  return (int)nl_result_give(result, helper, &b->text, error);
}
NL_EXPORT(netlump_result_take)
int netlump_result_take(boundary *b, nl_result *result, size_t helper, const double *output, size_t count) {
  return (int)nl_result_take(result, helper, output, count, entered(b));
}
NL_EXPORT(netlump_result_step) int netlump_result_step(boundary *b, nl_result *result) {
  nl_error *error = entered(b);
  return (int)nl_result_step(result, &b->progress, error);
}
NL_EXPORT(netlump_result_free) void netlump_result_free(nl_result *result) { nl_result_free(result); }
NL_EXPORT(netlump_result_report) int netlump_result_report(boundary *b, const nl_result *result) {
  nl_error *error = entered(b);
  return (int)nl_result_report(result, &b->text, error);
}
NL_EXPORT(netlump_result_lumping) int netlump_result_lumping(boundary *b, const nl_result *result, size_t site) {
  nl_error *error = entered(b);
  return (int)nl_result_lumping(result, site, &b->text, error);
}
// Text: the model's bytes.
NL_EXPORT(netlump_result_write) int netlump_result_write(boundary *b, const nl_result *result) {
  nl_error *error = entered(b);
  return (int)nl_result_write(result, &b->text, error);
}
NL_EXPORT(netlump_result_write_joined) int netlump_result_write_joined(boundary *b, const nl_result *result) {
  nl_error *error = entered(b);
  return (int)nl_result_write_joined(result, &b->text, error);
}
// Text: the second file's bytes, name: its name; both empty where there is none.
NL_EXPORT(netlump_result_write_weights) int netlump_result_write_weights(boundary *b, const nl_result *result) {
  nl_error *error = entered(b);
  return (int)nl_result_write_weights(result, &b->name, &b->text, error);
}
NL_EXPORT(netlump_result_forward)
int netlump_result_forward(boundary *b, const nl_result *result, size_t rows, const double *x, double *y) {
  return (int)nl_result_forward(result, rows, x, y, entered(b));
}

// ---- certificate -----------------------------------------------------------------------------------------------------

// low, high: room for the inputs of a row.
NL_EXPORT(netlump_path_range) void netlump_path_range(const nl_path *path, double *low, double *high) {
  nl_path_range(path, low, high);
}
NL_EXPORT(netlump_path_draw) void netlump_path_draw(const nl_path *path, double seed, size_t rows, double *x) {
  nl_path_draw(path, (uint64_t)seed, rows, x);
}
// `low` and `high` must stay where they are as long as the certificate lives.
NL_EXPORT(netlump_certificate_create)
nl_certificate *netlump_certificate_create(boundary *b, const nl_model *original, const nl_model *reduced,
                                           const double *low, const double *high) {
  nl_certificate *certificate = NULL;
  return nl_certificate_create(&certificate, original, reduced, low, high, entered(b)) == NL_OK ? certificate : NULL;
}
NL_EXPORT(netlump_certificate_step) int netlump_certificate_step(boundary *b, nl_certificate *certificate) {
  nl_error *error = entered(b);
  return (int)nl_certificate_step(certificate, &b->progress, error);
}
NL_EXPORT(netlump_certificate_free) void netlump_certificate_free(nl_certificate *certificate) {
  nl_certificate_free(certificate);
}
NL_EXPORT(netlump_certificate_describe)
int netlump_certificate_describe(boundary *b, const nl_certificate *certificate) {
  nl_error *error = entered(b);
  return (int)nl_certificate_describe(certificate, &b->text, error);
}
