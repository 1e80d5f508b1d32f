// equivalence: the words in which a differential equivalence is chosen (DESIGN 2.1, 2.2); ode.h and partition.h say what they mean.
#ifndef NL_EQUIVALENCE_H
#define NL_EQUIVALENCE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum nl_encoding { NL_ENCODING_LINEAR, NL_ENCODING_ADJOINT, NL_ENCODING_POLYNOMIAL } nl_encoding;
typedef enum nl_equivalence { NL_EQUIVALENCE_FORWARD, NL_EQUIVALENCE_BACKWARD } nl_equivalence;
typedef enum nl_linkage { NL_LINKAGE_COMPLETE, NL_LINKAGE_ERODE } nl_linkage;

typedef struct nl_partition_options {
  nl_encoding encoding;
  nl_equivalence equivalence;
  nl_linkage linkage;
  size_t degree; // polynomial encoding: of the fitted activations; 0: a default for each
  // adjoint, forward: incoming weights compare up to what the activation lets through, a positive factor (relu, abs ...),
  // a sign (tanh, abs ...) or both (identity); neurons without incoming weights are constant and in no block.
  bool symmetric;
} nl_partition_options;

#endif
