// forward: evaluation of networks of dense layers and elementwise functions, in double precision.
//
// The same steps serve the original and every reduced network: what differs is the parameters, which carry the widths.
#ifndef NL_FORWARD_H
#define NL_FORWARD_H

#include "network.h"
#include "rows.h"

typedef struct nl_layer {
  size_t width;
  size_t in_width;
  double *weights; // (width, in_width); DENSE
  float *single;   // (width, in_width), instead of `weights`, of parameters whose weights come and go
  double *bias;    // (width), or NULL; DENSE
  double *scale;   // (width); SCALE, and the slope of PRELU
  double *shift;   // (width); SCALE
  uint64_t
      away; // where the graph's store keeps weights that came in place of these, in their tensor's type; 0: nowhere
} nl_layer;

typedef struct nl_parameters {
  nl_arena arena;
  size_t count;
  nl_layer *layers; // (steps); width 0 where a step cannot be evaluated
  bool apart; // weights of dense layers are not the arena's: they come and go one by one, NULL where they are not there
} nl_parameters;

// Reads the constants of every evaluable step. Errors: NL_ERROR_NOT_FINITE naming the tensor.
nl_status nl_parameters_load(nl_parameters *out, const nl_network *network, nl_error *error);
// All but the weights of dense layers.
nl_status nl_parameters_load_apart(nl_parameters *out, const nl_network *network, nl_error *error);
void nl_parameters_free(nl_parameters *parameters);
// Of parameters whose weights come and go: reads those of a dense step, in single precision, where they are not there; lets them go.
nl_status nl_layer_hold(nl_parameters *parameters, const nl_network *network, size_t step, nl_error *error);
void nl_layer_drop(nl_parameters *parameters, size_t step);
// The same of one that has weights in double precision, which stay: the layer is computed in single precision from now on.
nl_status nl_layer_narrow(nl_parameters *parameters, size_t step, nl_error *error);
// Weights (count, in_width) of the rows from `first` on: the layer's own, or widened into `room`, of that size.
const double *nl_layer_rows(const nl_layer *layer, size_t first, size_t count, double *room);

// Values of one step for `rows` rows: values[s] (rows, width of s), those it reads already there.
// x (rows, features); `work`: nl_matmul_f64_work() doubles.
void nl_forward_step(const nl_network *network, const nl_parameters *parameters, size_t step, size_t rows,
                     const double *x, double *const *values, double *work);

// The same where values are kept for all rows: `count` of them from `first` on, x (count, features) theirs. A dense step whose weights
// are held in single precision is computed in it (nl_matmul_f32). window (steps) is for its own use. Returns the multiplications.
size_t nl_forward_rows(const nl_network *network, const nl_parameters *parameters, size_t step, size_t first,
                       size_t count, const double *x, nl_rows *const *values, double **window, double *work);

// A place to evaluate some rows at a time: values[s] has room for `rows` rows of every evaluable step.
typedef struct nl_scratch {
  size_t rows;
  double **values; // (steps)
  double *work;
  double *block; // what owns the memory
} nl_scratch;

nl_status nl_scratch_create(nl_scratch *out, const nl_network *network, const nl_parameters *parameters, size_t rows,
                            nl_error *error);
void nl_scratch_free(nl_scratch *scratch);

enum { NL_FORWARD_ROWS = 256 }; // rows evaluated together

// All steps for rows <= scratch->rows.
void nl_forward_all(const nl_network *network, const nl_parameters *parameters, nl_scratch *scratch, size_t rows,
                    const double *x);
// The same from step `first` on: what those steps read of earlier ones is there.
void nl_forward_from(const nl_network *network, const nl_parameters *parameters, nl_scratch *scratch, size_t first,
                     size_t rows, const double *x);
// Reverse mode over the rows that `scratch` was evaluated on: gradients->values of the outputs hold what is seeded there, all
// others zero; afterwards each holds the derivative of Σ seed · output by that step's value, of the same shape. An input's may
// be NULL, not wanted, where the steps that read it read nothing else.
void nl_forward_gradient(const nl_network *network, const nl_parameters *parameters, const nl_scratch *scratch,
                         nl_scratch *gradients, size_t rows);
// The same down to the value of step `to`; what is before it may be left half done.
void nl_forward_gradient_to(const nl_network *network, const nl_parameters *parameters, const nl_scratch *scratch,
                            nl_scratch *gradients, size_t to, size_t rows);
// After it, for a dense step: weights (width, in_width) += gᵀ a and bias (width) += Σ g over the rows, with g the derivative by
// what the step computes and a what it reads. Either may be NULL.
void nl_forward_weight_gradient(const nl_network *network, const nl_parameters *parameters, const nl_scratch *scratch,
                                const nl_scratch *gradients, size_t step, size_t rows, double *weights, double *bias);
// x (rows, features) -> y (rows, results): the outputs of `network`, side by side.
nl_status nl_forward(const nl_network *network, const nl_parameters *parameters, size_t rows, const double *x,
                     double *y, nl_error *error);

#endif
