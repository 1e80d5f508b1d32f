// project_parts: what the files of the elimination share. Everything is done in short pieces; `stage`, `outer` and `inner` say
// which comes next.
#ifndef NL_PROJECT_PARTS_H
#define NL_PROJECT_PARTS_H

#include <stdbool.h>

#include "linear_blocks.h"
#include "linear_update.h"
#include "project.h"

// Ridge relative to the mean variance: far below any deviation worth a tolerance (its root, 1e-6).
#define NL_PROJECT_RIDGE 1e-12

typedef enum stage {
  STAGE_INDEPENDENT, // which units are no combination of others
  STAGE_FACTOR,      // L Lᵀ = C_SS + λI over the units left, S
  STAGE_CROSS,       // C_SR W_R of those gone, R
  STAGE_FORWARD,     // L⁻¹ of that
  STAGE_BACKWARD,    // L⁻ᵀ of that
  STAGE_INVERT,      // L⁻¹
  STAGE_SQUARE,      // H = L⁻ᵀ L⁻¹
  STAGE_PRODUCT,     // K = W_S W_Sᵀ
  STAGE_REMOVE,
  STAGE_DONE
} stage;

// Units are rows of H, W and K; those removed stay among the rows until what waits in H has been added.
struct nl_elimination {
  nl_arena arena;
  size_t n, m;
  const double *second; // (n, n), the caller's
  double *weights;      // (n, m) as given
  double scale;
  size_t gone;       // units removed
  size_t *order;     // (n)
  double *deviation; // (n)
  double error;      // cumulative
  stage stage;
  size_t outer, inner; // where the stage is
  bool settling;       // H and K take what waits
  double share;        // of the work, as told
  // set-up
  double trace, ridge;
  int attempts;   // at a factor, each with more ridge
  double *square; // (n, n + 1): below the diagonal and on it L, then its inverse; H shifted by one column
  double *panel;  // (n, NL_STRIPE)
  double *tile;   // (DEPTH, NL_STRIPE) or NL_BLOCK * (NL_STRIPE + NL_BLOCK)
  double *work;   // nl_matmul_f64_work()
  // elimination
  size_t *unit;         // (rows) which unit a row is
  nl_symmetric inverse; // H
  double largest;       // diagonal entry of H when it was last computed
  double *current;      // (rows, m) W, compensated
  double *column;       // (2 n)
  // ‖w‖² is kept up to date in one of two ways: where consumers are few, with W itself; else with K alone, which takes each
  // removal as two changes of rank 1 and does not need W.
  bool paired;
  nl_symmetric product; // K
  double *power;        // (rows) ‖w‖²
};

// One piece of the set-up. *work counts multiplications, those in matrix products by NL_ELIMINATION_PRODUCT of them as one.
enum { NL_ELIMINATION_PRODUCT = 4 };
nl_status nl_elimination_set_up(nl_elimination *e, size_t *work, nl_error *error);
// Some of what waits in H and K is added; when all has been, rows are those left and `settling` ends.
void nl_elimination_settle(nl_elimination *e, size_t *work);

#endif
