/* POST /api/v1/...: what an operator may have done. Each is one line of the log. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/api_internal.h"

void sl_api_say_done(struct sl_admin_answer *answer)
{
    struct sl_json json = {false};
    json_t *root = sl_json_object(&json);

    sl_json_put(&json, root, "ok", sl_json_bool(&json, true));
    sl_admin_answer_json(answer, &json, root);
}

/* ---- the daemon ---- */

/* The outcome is in the status, later. */
void sl_api_reload(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    const struct sl_api *api = arg;

    (void)request;
    sl_reload_ask(api->reload, "admin");
    sl_api_say_done(answer);
}

void sl_api_drain(const struct sl_admin_request *request, struct sl_admin_answer *answer, void *arg)
{
    const struct sl_api *api = arg;

    (void)request;
    sl_log(SL_LOG_INFO, NULL, "drain, by the admin API", sl_log_text("reason", "admin"));
    api->drain(api->arg);
    sl_api_say_done(answer);
}

/* The text of a member of the body, a JSON object. NULL: `answer` says what was expected. The
 * object, to be released, is in `root`. */
static const char *member(const struct sl_admin_request *request, const char *name, json_t **root,
                          struct sl_admin_answer *answer)
{
    json_error_t error;
    const char *text;

    *root = json_loadb(request->body.data ? request->body.data : "", request->body.len,
                       JSON_REJECT_DUPLICATES, &error);
    text = json_string_value(json_object_get(*root, name));
    if (!text) {
        struct sl_buf message = {0};
        sl_buf_printf(&message, "expected a JSON object with the text '%s'", name);
        sl_admin_answer_error(answer, 400, "bad-body", sl_buf_text(&message), NULL);
        sl_buf_fini(&message);
    }
    return text;
}

void sl_api_log_level(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                      void *arg)
{
    json_t *root;
    const char *level = member(request, "level", &root, answer);
    int i = 0;

    (void)arg;
    while (level && sl_settings_log_levels[i] && strcmp(level, sl_settings_log_levels[i]) != 0) {
        i++;
    }
    if (level && sl_settings_log_levels[i]) {
        sl_log_set_level((enum sl_log_level)i);
        sl_log(SL_LOG_INFO, NULL, "log level, by the admin API", sl_log_text("reason", "admin"),
               sl_log_text("level", sl_settings_log_levels[i]));
        sl_api_say_done(answer);
    } else if (level) {
        sl_admin_answer_error(answer, 400, "bad-body", "there is no such level",
                              "debug, info, warn or error");
    }
    json_decref(root);
}

/* ---- a target ---- */

static void command(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                    const struct sl_api *api, enum sl_target_command what, const char *message)
{
    enum sl_worker_outcome outcome = SL_WORKER_NO_TARGET;

    for (unsigned i = 0; i < api->settings->workers && outcome == SL_WORKER_NO_TARGET; i++) {
        if (!sl_worker_command(api->workers[i], request->name, what, &outcome)) {
            sl_admin_answer_error(answer, 503, "no-answer", "a worker did not answer in time",
                                  NULL);
            return;
        }
    }
    if (outcome == SL_WORKER_NO_TARGET) {
        sl_admin_answer_error(answer, 404, "no-such-target", "there is no target of that name",
                              NULL);
    } else if (outcome == SL_WORKER_REFUSED) {
        sl_admin_answer_error(answer, 409, "not-now",
                              "the target is closing, stands for a replay, or is paused", NULL);
    } else {
        sl_log(SL_LOG_INFO, NULL, message, sl_log_text("target", request->name),
               sl_log_text("reason", "admin"));
        sl_api_say_done(answer);
    }
}

void sl_api_pause(const struct sl_admin_request *request, struct sl_admin_answer *answer, void *arg)
{
    command(request, answer, arg, SL_TARGET_PAUSE, "pause, by the admin API");
}

void sl_api_resume(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    command(request, answer, arg, SL_TARGET_RESUME, "resume, by the admin API");
}

void sl_api_reconnect(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                      void *arg)
{
    command(request, answer, arg, SL_TARGET_RECONNECT, "reconnect, by the admin API");
}
