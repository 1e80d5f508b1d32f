// The certificate behind netlump.h: two models as chains, certify on the pair.
#include <stdlib.h>

#include "certify.h"
#include "compress.h"

// A model as a chain, with what the chain borrows.
typedef struct side {
  nl_parameters parameters;
  nl_chain chain;
} side;

struct nl_certificate {
  side sides[2]; // the original's, the smaller one's
  nl_certify *certify;
};

static nl_status take_side(side *s, const nl_model *model, nl_error *error) {
  NL_TRY(nl_model_need_forward(model, error));
  NL_TRY(nl_parameters_load(&s->parameters, model->network, error));
  return nl_chain_create(&s->chain, model->network, &model->sites, &s->parameters, error);
}

static nl_status build(nl_certificate *certificate, const nl_model *original, const nl_model *reduced,
                       const double *low, const double *high, nl_error *error) {
  NL_TRY(take_side(&certificate->sides[0], original, error));
  NL_TRY(take_side(&certificate->sides[1], reduced, error));
  const nl_certify_input input = {
      .original = &certificate->sides[0].chain, .reduced = &certificate->sides[1].chain, .low = low, .high = high};
  return nl_certify_create(&certificate->certify, &input, error);
}

nl_status nl_certificate_create(nl_certificate **out, const nl_model *original, const nl_model *reduced,
                                const double *low, const double *high, nl_error *error) {
  nl_certificate *certificate = calloc(1, sizeof *certificate);
  if (certificate == NULL) return nl_no_memory(error, 1, sizeof *certificate);
  const nl_status status = build(certificate, original, reduced, low, high, error);
  if (status != NL_OK)
    nl_certificate_free(certificate);
  else
    *out = certificate;
  return status;
}

void nl_certificate_free(nl_certificate *certificate) {
  if (certificate == NULL) return;
  nl_certify_free(certificate->certify);
  for (size_t i = 0; i < 2; i++) {
    nl_chain_free(&certificate->sides[i].chain);
    nl_parameters_free(&certificate->sides[i].parameters);
  }
  free(certificate);
}

nl_status nl_certificate_step(nl_certificate *certificate, double *progress, nl_error *error) {
  return nl_certify_step(certificate->certify, progress, error);
}

static bool add_numbers(cJSON *root, const char *name, size_t count, const double *numbers) {
  cJSON *array = cJSON_AddArrayToObject(root, name);
  bool fine = array != NULL;
  for (size_t i = 0; fine && i < count; i++) fine = cJSON_AddItemToArray(array, cJSON_CreateNumber(numbers[i]));
  return fine;
}

nl_status nl_certificate_describe(const nl_certificate *certificate, nl_buffer *json, nl_error *error) {
  const nl_certify *certify = certificate->certify;
  cJSON *root = cJSON_CreateObject();
  const bool fine = root != NULL && nl_report_number(root, "bound", nl_certify_bound(certify)) &&
                    add_numbers(root, "bounds", nl_certify_results(certify), nl_certify_bounds(certify)) &&
                    nl_report_number(root, "found", nl_certify_found(certify)) &&
                    add_numbers(root, "foundAt", certificate->sides[0].chain.features, nl_certify_found_at(certify)) &&
                    nl_report_number(root, "points", (double)nl_certify_points(certify)) &&
                    cJSON_AddStringToObject(root, "method", nl_certify_method(certify)) != NULL &&
                    nl_report_number(root, "boxes", (double)nl_certify_boxes(certify)) &&
                    cJSON_AddBoolToObject(root, "beforeSoftmax", certificate->sides[0].chain.tail != NL_NONE) != NULL;
  return nl_report_print(root, fine, json, error);
}
