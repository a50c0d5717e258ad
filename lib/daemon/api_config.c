/* GET /api/v1/config and /api/v1/events: what is in force, and what was decided. */
#include "daemon/api_internal.h"
#include "daemon/events.h"

void sl_api_config(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    const struct sl_api *api = arg;
    struct sl_json json = {false};
    struct sl_buf yaml;

    (void)request;
    struct sl_settings *settings = sl_reload_hold(api->reload);
    sl_buf_init(&yaml, SL_ADMIN_MAX_PAGE_BYTES / 2);
    sl_settings_print(settings, &yaml);
    json.failed = yaml.failed;
    json_t *root = sl_json_object(&json);
    sl_json_put(&json, root, "generation", sl_json_u64(&json, settings->generation));
    sl_settings_release(settings);
    sl_json_put(&json, root, "yaml", sl_json_str(&json, sl_buf_str(&yaml)));
    sl_admin_answer_json(answer, &json, root);
    sl_buf_fini(&yaml);
}

void sl_api_events(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    const struct sl_api *api = arg;
    struct sl_json json = {false};
    struct sl_events_part part;
    uint64_t limit;

    if (sl_admin_param_u64(request, "after", 0, UINT64_MAX, &part.after, answer) &&
        sl_admin_param_u64(request, "limit", SL_EVENTS_MAX, SL_EVENTS_MAX, &limit, answer) &&
        sl_api_flag_read(request, "newest", &part.is_newest, answer)) {
        part.limit = (size_t)limit;
        sl_admin_answer_json(answer, &json, sl_events_json(api->events, &json, &part));
    }
}
