#include <math.h>
#include <string.h>

#include "json_parts.h"

static const nl_activation ACTIVATIONS[] = {
    {"identity", NL_ACTIVATION_NONE, "", 1, {NULL, NULL}, {0, 0}},
    {"relu", NL_ACTIVATION_NODE, "Relu", 13, {NULL, NULL}, {0, 0}},
    {"leakyrelu", NL_ACTIVATION_NODE, "LeakyRelu", 13, {"alpha", NULL}, {0.01, 0}},
    {"elu", NL_ACTIVATION_NODE, "Elu", 13, {"alpha", NULL}, {1, 0}},
    {"selu",
     NL_ACTIVATION_NODE,
     "Selu",
     13,
     {"alpha", "gamma"},
     {1.67326319217681884765625, 1.05070102214813232421875}},
    {"celu", NL_ACTIVATION_NODE, "Celu", 13, {"alpha", NULL}, {1, 0}},
    {"sigmoid", NL_ACTIVATION_NODE, "Sigmoid", 13, {NULL, NULL}, {0, 0}},
    {"hardsigmoid", NL_ACTIVATION_NODE, "HardSigmoid", 13, {"alpha", "beta"}, {0.2, 0.5}},
    {"tanh", NL_ACTIVATION_NODE, "Tanh", 13, {NULL, NULL}, {0, 0}},
    {"softplus", NL_ACTIVATION_NODE, "Softplus", 13, {NULL, NULL}, {0, 0}},
    {"softsign", NL_ACTIVATION_NODE, "Softsign", 13, {NULL, NULL}, {0, 0}},
    {"gelu", NL_ACTIVATION_NODE, "Gelu", 20, {NULL, NULL}, {0, 0}},
    {"hardswish", NL_ACTIVATION_NODE, "HardSwish", 14, {NULL, NULL}, {0, 0}},
    {"mish", NL_ACTIVATION_NODE, "Mish", 18, {NULL, NULL}, {0, 0}},
    {"abs", NL_ACTIVATION_NODE, "Abs", 13, {NULL, NULL}, {0, 0}},
    {"erf", NL_ACTIVATION_NODE, "Erf", 13, {NULL, NULL}, {0, 0}},
    {"clip", NL_ACTIVATION_CLIP, "Clip", 13, {"min", "max"}, {(double)NAN, (double)NAN}},
    {"softmax", NL_ACTIVATION_SOFTMAX, "Softmax", 13, {NULL, NULL}, {0, 0}},
    {"swish", NL_ACTIVATION_SWISH, "", 13, {NULL, NULL}, {0, 0}},
    {"square", NL_ACTIVATION_SQUARE, "", 13, {NULL, NULL}, {0, 0}},
    {"polynomial", NL_ACTIVATION_POLYNOMIAL, "", 13, {NULL, NULL}, {0, 0}},
};

enum { ACTIVATION_COUNT = sizeof ACTIVATIONS / sizeof ACTIVATIONS[0] };

const nl_activation *nl_activation_by_name(const char *name) {
  for (size_t i = 0; i < ACTIVATION_COUNT; i++) {
    if (strcmp(ACTIVATIONS[i].name, name) == 0) return &ACTIVATIONS[i];
  }
  return NULL;
}

const nl_activation *nl_activation_by_op(nl_span op) {
  for (size_t i = 0; i < ACTIVATION_COUNT; i++) {
    if (ACTIVATIONS[i].op[0] != '\0' && nl_span_is(op, ACTIVATIONS[i].op)) return &ACTIVATIONS[i];
  }
  return NULL;
}

const nl_activation *nl_activation_by_kind(nl_activation_kind kind) {
  size_t i = 0;
  while (ACTIVATIONS[i].kind != kind) i++;
  return &ACTIVATIONS[i];
}
