// compress: the pipeline behind netlump.h, in steps. The only module that sees every stage.
#ifndef NL_COMPRESS_H
#define NL_COMPRESS_H

#include "forward.h"
#include "netlump.h"
#include "network.h"
#include "project.h"
#include "refit.h"
#include "report.h"
#include "sensitivity.h"
#include "site.h"

struct nl_model {
  nl_format format;
  nl_span source; // the user's bytes
  nl_buffer onnx; // owned, when the model came in another format
  nl_graph *graph;
  nl_network *network; // NULL while external files are missing
  nl_arena arena;
  nl_sites sites;
};

// What is known of a site once the measure has gone through it.
typedef struct nl_site_path {
  double *second;    // (n, n)
  double *mean;      // (n)
  size_t *order;     // (n)
  double *deviation; // (n)
} nl_site_path;

// Running mean and squared deviation of one output number (Welford 1962).
typedef struct nl_spread {
  double count, mean, squares;
} nl_spread;

// One removal of the merged path: the unit whose site deviates least once it is gone. Spending the budget by error per
// parameter freed instead measured about alike (better at the smallest sizes, worse at the largest); one tolerance for
// all sites is what the user is told, so it also decides.
typedef struct nl_removal {
  size_t site;
  double deviation;
} nl_removal;

struct nl_path {
  const nl_model *model;
  nl_arena arena;
  nl_parameters parameters;
  uint64_t seed;
  bool from_data;
  size_t rows;        // on which moments and fits are taken
  size_t scored_rows; // the user's own rows, or all of them
  double *x;          // (rows, features)
  nl_site_path *sites;
  size_t removal_count;
  nl_removal *removals; // by deviation
  // work in progress
  int stage;
  size_t row, site;
  nl_scratch scratch;
  struct nl_moments *moments;
  nl_elimination *elimination;
  nl_sensitivity *sensitivity;
  nl_spread *outputs; // (results)
};

struct nl_result {
  const nl_path *path;
  nl_arena arena;
  nl_target target;
  double epsilon;
  size_t *widths;       // (sites)
  nl_lumping *lumpings; // (sites)
  nl_refit *refit;
  nl_buffer onnx; // the smaller model
  size_t parameters;
  bool done;
  size_t low, high, tried; // search over removals, for NL_TARGET_DEVIATION
};

// Widths after the first `removals` entries of the merged path.
void nl_path_widths(const nl_path *path, size_t removals, size_t *widths);
// Tolerance that gives these widths: the largest deviation among the units gone.
double nl_path_epsilon(const nl_path *path, const size_t *widths);
// Adds measure and seed. False when memory is out.
bool nl_path_report_measure(const nl_path *path, cJSON *root);

#endif
