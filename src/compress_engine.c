// Which engine evaluates a model, and what differs between the two.
#include "compress.h"

static size_t units_of(const nl_sites *sites) {
  size_t units = 0;
  for (size_t i = 0; i < sites->count; i++) units += sites->sites[i].width;
  return units;
}

// The channels' sites, as far as the pipeline asks about them.
static nl_status take_channel_sites(nl_model *model, nl_sites *out, nl_error *error) {
  const nl_channels *channels = model->channels;
  nl_site *list = NULL;
  NL_TAKE(&model->arena, list, nl_site, channels->site_count + 1, error);
  for (size_t i = 0; i < channels->site_count; i++)
    list[i] = (nl_site){.group = channels->sites[i].group,
                        .width = channels->sites[i].width,
                        .producer = channels->sites[i].producer,
                        .affine = channels->sites[i].affine};
  *out = (nl_sites){.count = channels->site_count, .sites = list};
  return NL_OK;
}

// The core evaluates the model itself where that reaches as many units as a runtime would.
nl_status nl_model_understand(nl_model *model, nl_error *error) {
  nl_sites sites = {0};
  NL_TRY(nl_network_create(&model->network, model->graph, error));
  NL_TRY(nl_sites_find(&model->sites, model->network, &model->arena, error));
  NL_TRY(nl_shapes_create(&model->shapes, model->graph, error));
  NL_TRY(nl_channels_create(&model->channels, model->graph, &model->shapes, error));
  NL_TRY(take_channel_sites(model, &sites, error));
  if (units_of(&sites) <= units_of(&model->sites)) return NL_OK;
  model->engine = NL_ENGINE_RUNTIME;
  model->sites = sites;
  return nl_model_compare(model, error);
}

size_t nl_model_parameters(const nl_model *model) { return model->network->parameters; }

size_t nl_model_count(const nl_model *model, const size_t *widths) {
  return model->engine == NL_ENGINE_RUNTIME ? nl_narrow_parameters(model->channels, widths)
                                            : nl_sites_parameters(&model->sites, model->network, widths);
}

size_t nl_model_producer(const nl_model *model, size_t site) {
  const size_t producer = model->sites.sites[site].producer;
  return model->engine == NL_ENGINE_RUNTIME ? model->channels->linears[producer].node
                                            : model->network->steps[producer].node;
}

nl_status nl_model_need_network(const nl_model *model, nl_error *error) {
  if (model->network != NULL) return NL_OK;
  return nl_fail_span(error, NL_ERROR_EXTERNAL, nl_model_missing_file(model), NULL);
}

nl_status nl_model_need_forward(const nl_model *model, nl_error *error) {
  NL_TRY(nl_model_need_network(model, error));
  if (model->engine == NL_ENGINE_FORWARD) return nl_model_need_memory(model, error);
  return nl_fail(error, NL_ERROR_UNSUPPORTED, "a network of more than dense layers",
                 "the worst case, blocks and encodings are there for lines of dense layers");
}

static bool forwards(const nl_model *model) { return model->network != NULL && model->engine == NL_ENGINE_FORWARD; }
size_t nl_model_features(const nl_model *model) { return forwards(model) ? model->network->features : 0; }
size_t nl_model_results(const nl_model *model) { return forwards(model) ? model->network->results : 0; }
