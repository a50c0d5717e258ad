#include "gnmi/build.h"

#include <stdlib.h>

#include "gnmi/path.h"

bool sl_gnmi_build_no_memory(struct sl_status *why)
{
    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a request");
    return false;
}

/* "" is what an empty string of protobuf-c is already, and is not to be freed. */
bool sl_gnmi_build_text(char **field, const char *text, struct sl_status *why)
{
    char *copy = *text ? sl_str_dup(sl_str_from(text)) : *field;

    if (!copy) {
        return sl_gnmi_build_no_memory(why);
    }
    *field = copy;
    return true;
}

bool sl_gnmi_build_prefix(Gnmi__Path **field, const char *prefix, const char *target,
                          struct sl_status *why)
{
    if (!prefix && !target) {
        return true;
    }
    *field = sl_gnmi_path_parse(sl_str_from(prefix), why);
    return *field && (!target || sl_gnmi_build_text(&(*field)->target, target, why));
}

static bool add_model(Gnmi__ModelData **added, const struct sl_gnmi_model *given,
                      struct sl_status *why)
{
    Gnmi__ModelData *model = malloc(sizeof(*model));

    if (!model) {
        return sl_gnmi_build_no_memory(why);
    }
    gnmi__model_data__init(model);
    *added = model;
    return sl_gnmi_build_text(&model->name, given->name, why) &&
           sl_gnmi_build_text(&model->organization, given->organization, why) &&
           sl_gnmi_build_text(&model->version, given->version, why);
}

bool sl_gnmi_build_models(Gnmi__ModelData ***models, size_t *count,
                          const struct sl_gnmi_model *given, size_t given_count,
                          struct sl_status *why)
{
    *models = calloc(given_count + 1, sizeof(Gnmi__ModelData *));
    if (!*models) {
        return sl_gnmi_build_no_memory(why);
    }
    for (size_t i = 0; i < given_count; i++) {
        bool is_added = add_model(&(*models)[i], &given[i], why);

        *count += (*models)[i] != NULL;
        if (!is_added) {
            return false;
        }
    }
    return true;
}

bool sl_gnmi_build_extensions(GnmiExt__Extension ***extensions, size_t *count,
                              const struct sl_gnmi_extension *given, size_t given_count,
                              struct sl_status *why)
{
    *extensions = calloc(given_count + 1, sizeof(GnmiExt__Extension *));
    if (!*extensions) {
        return sl_gnmi_build_no_memory(why);
    }
    for (size_t i = 0; i < given_count; i++) {
        (*extensions)[i] = sl_gnmi_extension_new(&given[i]);
        if (!(*extensions)[i]) {
            return sl_gnmi_build_no_memory(why);
        }
        *count += 1;
    }
    return true;
}
