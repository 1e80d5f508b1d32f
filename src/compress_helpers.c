// A refit whose rows other instances have (netlump.h, helpers).
#include "compress.h"

// Whether the next step begins a refit that can be shared.
static bool may_share(const nl_result *result) {
  return nl_result_refits(result) && result->refit == NULL && result->pruned.layers == NULL && !result->options.draft &&
         result->path->model->engine == NL_ENGINE_FORWARD && !nl_model_large(result->path->model);
}

double nl_result_work(const nl_result *result) {
  if (!may_share(result)) return 0.0;
  const nl_refit_input input = nl_result_refit_input(result);
  return nl_refit_work(&input);
}

size_t nl_result_shares(const nl_result *result) {
  const nl_refit_input input = nl_result_refit_input(result);
  return may_share(result) ? nl_refit_shares(&input) : 0;
}

nl_status nl_result_share(nl_result *result, size_t helpers, nl_error *error) {
  if (helpers > 0 && !may_share(result))
    return nl_fail(error, NL_ERROR_ARGUMENT, "helpers", "there is nothing for them to do");
  if (result->helpers > 0 && nl_result_refits(result)) {
    nl_refit_free(result->refit); // what they had of it is lost
    result->refit = NULL;
  }
  result->helpers = helpers;
  return NL_OK;
}

static nl_status need_refit(const nl_result *result, nl_error *error) {
  if (result->refit != NULL && result->helpers > 0) return NL_OK;
  return nl_fail(error, NL_ERROR_ARGUMENT, "helper", "there is nothing for it to do");
}

nl_status nl_result_give(nl_result *result, size_t helper, nl_buffer *input, nl_error *error) {
  static const double head = NL_JOB_REFIT;
  NL_TRY(need_refit(result, error));
  if (helper >= nl_refit_helpers(result->refit)) return NL_OK;
  NL_TRY(nl_buffer_append(input, &head, sizeof head, error));
  return nl_refit_give(result->refit, helper, input, error);
}

nl_status nl_result_take(nl_result *result, size_t helper, const double *output, size_t count, nl_error *error) {
  NL_TRY(need_refit(result, error));
  return nl_refit_take(result->refit, helper, output, count, error);
}

nl_status nl_helper_refit(nl_path *helper, const double *input, size_t count, nl_buffer *output, nl_error *error) {
  const nl_model *model = helper->model;
  if (helper->refit == NULL)
    NL_TRY(nl_refit_helper_create(&helper->refit, model->network, &model->sites, &helper->parameters, error));
  return nl_refit_helper_do(helper->refit, input + 1, count - 1, output, error);
}
