#include "admin/params.h"

#include <stdio.h>
#include <string.h>

#include "admin/uri.h"

bool sl_admin_params_add(struct sl_admin_params *params, const char *name, const char *value)
{
    if (params->count == SL_ADMIN_MAX_PARAMS) {
        return false;
    }
    char *text = params->items[params->count].text;
    if (!sl_uri_decode(sl_str_from(name), text, SL_ADMIN_PARAM_BYTES)) {
        return false;
    }
    size_t used = strlen(text) + 1;
    if (used >= SL_ADMIN_PARAM_BYTES ||
        !sl_uri_decode(sl_str_from(value), text + used, SL_ADMIN_PARAM_BYTES - used)) {
        return false;
    }
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->items[i].name, text) == 0) {
            return false;
        }
    }
    params->items[params->count].name = text;
    params->items[params->count++].value = text + used;
    return true;
}

const char *sl_admin_param(const struct sl_admin_request *request, const char *name)
{
    const struct sl_admin_params *params = request->params;

    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->items[i].name, name) == 0) {
            return params->items[i].value;
        }
    }
    return NULL;
}

bool sl_admin_param_u64(const struct sl_admin_request *request, const char *name, uint64_t fallback,
                        uint64_t most, uint64_t *value, struct sl_admin_answer *answer)
{
    const char *text = sl_admin_param(request, name);
    char message[128];

    *value = fallback;
    if (!text || (sl_str_to_u64(sl_str_from(text), value) && *value <= most)) {
        return true;
    }
    snprintf(message, sizeof(message), "'%.40s': expected a number of at most %llu", name,
             (unsigned long long)most);
    sl_admin_answer_error(answer, 400, "bad-parameter", message, NULL);
    return false;
}
