// json_tfjs_activation: activations, within layers and as layers of their own.
#include <math.h>
#include <string.h>

#include "json_tfjs.h"

// ---- activations -------------------------------------------------------------------------------------------------------

typedef struct activation {
  const char *name, *op; // op NULL: a function below
  int64_t opset;
  const char *attribute;
  double value;
} activation;

static const activation ACTIVATIONS[] = {
    {"linear", "", 13, NULL, 0},
    {"relu", "Relu", 13, NULL, 0},
    {"elu", "Elu", 13, "alpha", 1},
    {"selu", "Selu", 13, NULL, 0}, // ONNX' defaults are TensorFlow.js' constants
    {"sigmoid", "Sigmoid", 13, NULL, 0},
    {"hard_sigmoid", "HardSigmoid", 13, "alpha", 0.2}, // 0.2 x + 0.5; beta is 0.5 by default
    {"tanh", "Tanh", 13, NULL, 0},
    {"softplus", "Softplus", 13, NULL, 0},
    {"softsign", "Softsign", 13, NULL, 0},
    {"gelu", "Gelu", 20, NULL, 0},
    {"mish", "Mish", 18, NULL, 0},
    {"leaky_relu", "LeakyRelu", 13, "alpha", 0.2},
    {"relu6", NULL, 13, NULL, 6},
    {"gelu_new", NULL, 20, NULL, 0},
    {"swish", NULL, 13, NULL, 0},
    {"silu", NULL, 13, NULL, 0},
    {"softmax", NULL, 13, NULL, 0},
    {"log_softmax", NULL, 13, NULL, 0},
};

static nl_status put_function(nl_tfjs_reading *r, const char *op, const char *part, const char *attribute,
                              double value) {
  nl_tfjs_call *call = r->call;
  NL_TRY(nl_tfjs_open(r, op, part, 1, &call->name, call->label));
  if (attribute != NULL) NL_TRY(nl_onnx_builder_float(r->builder, attribute, value, r->error));
  NL_TRY(nl_tfjs_close(r));
  nl_tfjs_give(r, call->label, call->first, call);
  return NL_OK;
}

// min(max(x, 0), most)
static nl_status put_clip(nl_tfjs_reading *r, double most) {
  nl_tfjs_call *call = r->call;
  const char *inputs[3] = {call->name, NULL, NULL};
  const double bounds[2] = {0, most};
  NL_TRY(nl_tfjs_part(r, "/min", &inputs[1]));
  NL_TRY(nl_tfjs_part(r, "/max", &inputs[2]));
  for (size_t i = 0; i < 2; i++)
    NL_TRY(nl_onnx_builder_tensor(r->builder, inputs[i + 1], 0, NULL, &bounds[i], r->error));
  NL_TRY(nl_tfjs_node(r, "Clip", "/clip", 3, inputs, call->label));
  nl_tfjs_give(r, call->label, call->first, call);
  return NL_OK;
}

static nl_status put_swish(nl_tfjs_reading *r) {
  nl_tfjs_call *call = r->call;
  const char *inputs[2] = {call->name, NULL};
  NL_TRY(nl_tfjs_part(r, "/sigmoid", &inputs[1]));
  NL_TRY(nl_tfjs_node(r, "Sigmoid", "/sigmoid", 1, &call->name, inputs[1]));
  NL_TRY(nl_tfjs_node(r, "Mul", "/swish", 2, inputs, call->label));
  nl_tfjs_give(r, call->label, call->first, call);
  return NL_OK;
}

static nl_status put_gelu_new(nl_tfjs_reading *r) {
  nl_tfjs_call *call = r->call;
  NL_TRY(nl_tfjs_open(r, "Gelu", "/gelu", 1, &call->name, call->label));
  NL_TRY(nl_onnx_builder_text(r->builder, "approximate", "tanh", r->error));
  NL_TRY(nl_tfjs_close(r));
  nl_tfjs_give(r, call->label, call->first, call);
  return NL_OK;
}

// Over the last axis, which is all that TensorFlow.js can.
static nl_status put_softmax(nl_tfjs_reading *r, const char *op, const char *part) {
  nl_tfjs_call *call = r->call;
  const char *from;
  NL_TRY(nl_tfjs_lay(r, call, false, &from));
  NL_TRY(nl_tfjs_open(r, op, part, 1, &from, call->label));
  NL_TRY(nl_onnx_builder_int(r->builder, "axis", -1, r->error));
  NL_TRY(nl_tfjs_close(r));
  nl_tfjs_give(r, call->label, false, call);
  return NL_OK;
}

static nl_status put_activation(nl_tfjs_reading *r, const activation *a) {
  nl_onnx_builder_need(r->builder, a->opset);
  if (a->op != NULL && a->op[0] == '\0') return NL_OK;
  if (a->op != NULL) {
    char part[96] = "/";
    nl_json_put_text(part, a->name);
    return put_function(r, a->op, part, a->attribute, a->value);
  }
  if (strcmp(a->name, "relu6") == 0) return put_clip(r, a->value);
  if (strcmp(a->name, "gelu_new") == 0) return put_gelu_new(r);
  if (strcmp(a->name, "softmax") == 0) return put_softmax(r, "Softmax", "/softmax");
  if (strcmp(a->name, "log_softmax") == 0) return put_softmax(r, "LogSoftmax", "/log_softmax");
  return put_swish(r);
}

static nl_status find_activation(const nl_tfjs_reading *r, const activation **found) {
  const cJSON *item = nl_tfjs_config(r, "activation");
  if (cJSON_IsObject(item)) item = cJSON_GetObjectItemCaseSensitive(item, "class_name");
  *found = &ACTIVATIONS[0];
  if (item == NULL) return NL_OK;
  for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof ACTIVATIONS[0]; i++)
    if (nl_tfjs_word(item, ACTIVATIONS[i].name)) {
      *found = &ACTIVATIONS[i];
      return NL_OK;
    }
  if (!cJSON_IsString(item)) return nl_tfjs_fail(r, "activation", "a name is expected");
  char why[NL_ERROR_TEXT] = "the activation ";
  strncat(why, item->valuestring, 60);
  return nl_tfjs_refuse(r, why);
}

nl_status nl_tfjs_stage(nl_tfjs_reading *r, const char **name) {
  const activation *a;
  NL_TRY(find_activation(r, &a));
  *name = r->call->label;
  return a == &ACTIVATIONS[0] ? NL_OK : nl_tfjs_part(r, "/linear", name);
}

nl_status nl_tfjs_activate(nl_tfjs_reading *r) {
  const activation *a;
  NL_TRY(find_activation(r, &a));
  return put_activation(r, a);
}

// ---- as layers ----------------------------------------------------------------------------------------------------------

nl_status nl_tfjs_rule_activation(nl_tfjs_reading *r) {
  NL_TRY(nl_tfjs_take(r));
  return nl_tfjs_activate(r);
}

nl_status nl_tfjs_rule_relu(nl_tfjs_reading *r) {
  double most = INFINITY, slope = 0, threshold = 0;
  NL_TRY(nl_tfjs_number(r, "max_value", &most));
  NL_TRY(nl_tfjs_number(r, "negative_slope", &slope));
  NL_TRY(nl_tfjs_number(r, "threshold", &threshold));
  if (slope != 0 || threshold != 0) return nl_tfjs_refuse(r, "a ReLU with a slope or a threshold");
  NL_TRY(nl_tfjs_take(r));
  return isinf(most) ? put_function(r, "Relu", "", NULL, 0) : put_clip(r, most);
}

nl_status nl_tfjs_rule_leaky_relu(nl_tfjs_reading *r) {
  double slope = 0.3;
  NL_TRY(nl_tfjs_number(r, "negative_slope", &slope));
  NL_TRY(nl_tfjs_number(r, "alpha", &slope));
  NL_TRY(nl_tfjs_take(r));
  return put_function(r, "LeakyRelu", "", "alpha", slope);
}

nl_status nl_tfjs_rule_elu(nl_tfjs_reading *r) {
  double alpha = 1;
  NL_TRY(nl_tfjs_number(r, "alpha", &alpha));
  NL_TRY(nl_tfjs_take(r));
  return put_function(r, "Elu", "", "alpha", alpha);
}

nl_status nl_tfjs_rule_thresholded_relu(nl_tfjs_reading *r) {
  double theta = 1;
  NL_TRY(nl_tfjs_number(r, "theta", &theta));
  NL_TRY(nl_tfjs_take(r));
  return put_function(r, "ThresholdedRelu", "", "alpha", theta);
}

nl_status nl_tfjs_rule_softmax(nl_tfjs_reading *r) {
  NL_TRY(nl_tfjs_take(r));
  if (nl_tfjs_axis(r, r->call->rank, 1) != r->call->rank - 1)
    return nl_tfjs_refuse(r, "a softmax not over the last axis");
  return put_softmax(r, "Softmax", "/softmax");
}

nl_status nl_tfjs_rule_prelu(nl_tfjs_reading *r) {
  nl_tfjs_call *input;
  const char *inputs[2];
  NL_TRY(nl_tfjs_input(r, &input));
  const nl_tfjs_slot *slot = nl_tfjs_next_slot(r->layer, NULL);
  const size_t index = nl_tfjs_find(r->model, r->layer, slot);
  const nl_tfjs_weight *w = index == NL_NONE ? NULL : &r->model->weights[index];
  bool fits = w != NULL && input->rank > 1 && w->rank == input->rank - 1;
  for (size_t i = 0; fits && i < w->rank; i++) fits = w->dims[i] == 1 || w->dims[i] == input->dims[i + 1];
  if (w != NULL && !fits) return nl_tfjs_misfit(r, "its slopes do not fit what it reads");
  NL_TRY(nl_tfjs_lay(r, input, true, &inputs[0]));
  NL_TRY(nl_tfjs_put_weight(r, slot->weight, w == NULL ? 0 : w->rank, w == NULL ? NULL : w->dims, &inputs[1]));
  NL_TRY(nl_tfjs_node(r, "PRelu", "", 2, inputs, r->call->label));
  nl_tfjs_give(r, r->call->label, input->rank > 2, input);
  return NL_OK;
}
