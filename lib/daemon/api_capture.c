/* /api/v1/targets/{name}/capture: what a running stream receives, as a file (capture/recording.h).
 *
 * POST begins, GET tells, POST .../stop ends, GET .../file gives, DELETE drops. One of each target
 * at a time; the next one takes the place of one that is over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/values.h"
#include "daemon/api_internal.h"
#include "daemon/worker_capture.h"

/* ---- what is asked ---- */

static bool refuse(struct sl_admin_answer *answer, const char *message, const char *hint)
{
    sl_admin_answer_error(answer, 400, "bad-body", message, hint);
    return false;
}

static bool read_duration(const json_t *value, int64_t *duration_ns, struct sl_admin_answer *answer)
{
    const char *text = json_string_value(value);

    if (value && (!text || !sl_config_to_duration(sl_str_from(text), duration_ns) ||
                  *duration_ns < SL_NS_PER_MS || *duration_ns > SL_CAPTURE_MAX_S * SL_NS_PER_S)) {
        return refuse(answer, "'duration' is no time of 1ms to 1h", "\"10s\", \"5m\"");
    }
    return true;
}

static bool read_max_bytes(const json_t *value, size_t *max_bytes, struct sl_admin_answer *answer)
{
    json_int_t bytes = json_integer_value(value); /* 0 of what is none */

    if (value && (bytes < SL_RECORDING_MIN_BYTES || bytes > SL_RECORDING_MAX_BYTES)) {
        return refuse(answer, "'max_bytes' is no number of 4096 to 67108864",
                      "4 KiB to 64 MiB, in bytes; 4194304 where nothing is said");
    }
    if (value) {
        *max_bytes = (size_t)bytes;
    }
    return true;
}

static bool read_subscription(const json_t *value, const char **subscription,
                              struct sl_admin_answer *answer)
{
    *subscription = json_string_value(value);
    return !value || *subscription || refuse(answer, "'subscription' is no text", NULL);
}

static bool are_known(json_t *body, struct sl_admin_answer *answer)
{
    static const char *const known[] = {"duration", "max_bytes", "subscription", NULL};
    const char *key;
    json_t *value;

    json_object_foreach(body, key, value)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0) {
            i++;
        }
        if (!known[i]) {
            return refuse(answer, "the body has a member that is not known",
                          "duration, max_bytes and subscription are");
        }
    }
    return true;
}

/* The names of `question` live as long as `body`, which is to be released. */
static bool read_body(const struct sl_admin_request *request, json_t **body,
                      struct sl_capture_question *question, struct sl_admin_answer *answer)
{
    struct sl_str text = request->body.len ? request->body : SL_STR("{}");
    json_error_t error;

    *body = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(*body)) {
        return refuse(answer, "the body is no JSON object", NULL);
    }
    return are_known(*body, answer) &&
           read_duration(json_object_get(*body, "duration"), &question->duration_ns, answer) &&
           read_max_bytes(json_object_get(*body, "max_bytes"), &question->max_bytes, answer) &&
           read_subscription(json_object_get(*body, "subscription"), &question->subscription,
                             answer);
}

/* Of the worker that has the target; false: `answer` says that one is silent. */
static bool ask(const struct sl_api *api, const struct sl_capture_question *question,
                struct sl_capture_answer *told, struct sl_admin_answer *answer)
{
    bool is_known = false;

    *told = (struct sl_capture_answer){.outcome = SL_CAPTURE_NO_TARGET};
    for (unsigned i = 0; i < api->settings->workers && told->outcome <= SL_CAPTURE_NONE; i++) {
        if (!sl_worker_ask_capture(api->workers[i], question, told)) {
            sl_admin_answer_error(answer, 503, "no-answer", "a worker did not answer in time",
                                  NULL);
            return false;
        }
        is_known = is_known || told->outcome == SL_CAPTURE_NONE;
    }
    if (is_known && told->outcome == SL_CAPTURE_NO_TARGET) {
        told->outcome = SL_CAPTURE_NONE;
    }
    return true;
}

/* ---- what is answered ---- */

static void say_state(const char *target, const struct sl_capture_answer *told,
                      struct sl_admin_answer *answer)
{
    const struct sl_recording_view *view = &told->view;
    struct sl_json json = {false};
    json_t *root = sl_json_object(&json);

    sl_json_put(&json, root, "target", sl_json_text(&json, target));
    sl_json_put(&json, root, "subscription", sl_json_text(&json, told->stream));
    sl_json_put(&json, root, "state", sl_json_text(&json, view->reason ? "ended" : "running"));
    sl_json_put(&json, root, "end", sl_json_text(&json, view->reason));
    sl_json_put(&json, root, "has_begin", sl_json_bool(&json, told->has_begin));
    sl_json_put(&json, root, "started", sl_json_time(&json, view->started_ns));
    sl_json_put(&json, root, "ended",
                view->reason ? sl_json_time(&json, view->stopped_ns) : sl_json_text(&json, NULL));
    sl_json_put(&json, root, "expires", sl_json_time(&json, told->expires_ns));
    sl_json_put(&json, root, "duration_s", sl_json_seconds(&json, told->duration_ns));
    sl_json_put(&json, root, "messages", sl_json_u64(&json, view->messages));
    sl_json_put(&json, root, "calls_ended", sl_json_u64(&json, view->calls_ended));
    sl_json_put(&json, root, "bytes", sl_json_u64(&json, view->bytes));
    sl_json_put(&json, root, "max_bytes", sl_json_u64(&json, view->max_bytes));
    sl_json_put(&json, root, "unfit_bytes", sl_json_u64(&json, view->unfit_bytes));
    sl_admin_answer_json(answer, &json, root);
}

/* What each outcome is, but DONE and FAILED. */
static const struct {
    unsigned code;
    const char *word;
    const char *message;
    const char *hint;
} refusals[] = {
    [SL_CAPTURE_NO_TARGET] = {404, "no-such-target", "there is no target of that name", NULL},
    [SL_CAPTURE_NONE] = {404, "no-capture", "the target has no capture",
                         "a POST begins one; it is kept for 5 minutes after its time"},
    [SL_CAPTURE_RUNNING] = {409, "capture-running", "a capture of the target is under way",
                            "POST .../capture/stop ends it, DELETE drops it"},
    [SL_CAPTURE_AMBIGUOUS] = {409, "which-stream",
                              "the target has several streams, and a capture "
                              "is of one",
                              "say 'subscription'; GET /api/v1/targets/NAME lists its streams"},
    [SL_CAPTURE_NO_STREAM] = {404, "no-such-stream",
                              "the target has no stream with that subscription",
                              "GET /api/v1/targets/NAME lists its streams"},
};

/* True: it is done. */
static bool settle(const struct sl_capture_answer *told, struct sl_admin_answer *answer)
{
    if (told->outcome == SL_CAPTURE_FAILED) {
        bool is_busy = told->why.code == SL_RESOURCE_EXHAUSTED;
        sl_admin_answer_error(
            answer, is_busy ? 503 : 409, is_busy ? "no-room" : "not-now", told->why.text,
            is_busy ? "wait for others, DELETE them, or ask for fewer max_bytes" : NULL);
    } else if (told->outcome != SL_CAPTURE_DONE) {
        sl_admin_answer_error(answer, refusals[told->outcome].code, refusals[told->outcome].word,
                              refusals[told->outcome].message, refusals[told->outcome].hint);
    }
    return told->outcome == SL_CAPTURE_DONE;
}

/* Asks and settles. */
static bool handle(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   const struct sl_api *api, enum sl_capture_verb verb,
                   struct sl_capture_answer *told)
{
    const struct sl_capture_question question = {.verb = verb, .target = request->name};

    return ask(api, &question, told, answer) && settle(told, answer);
}

void sl_api_capture_begin(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                          void *arg)
{
    struct sl_api *api = arg;
    struct sl_capture_question question = {
        .verb = SL_CAPTURE_BEGIN,
        .target = request->name,
        .max_bytes = SL_RECORDING_DEFAULT_BYTES,
        .duration_ns = SL_CAPTURE_DEFAULT_S * SL_NS_PER_S,
        .quota = &api->captures,
    };
    struct sl_capture_answer told;
    json_t *body;

    if (read_body(request, &body, &question, answer) && ask(api, &question, &told, answer) &&
        settle(&told, answer)) {
        say_state(request->name, &told, answer);
    }
    json_decref(body);
}

void sl_api_capture(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                    void *arg)
{
    struct sl_capture_answer told;

    if (handle(request, answer, arg, SL_CAPTURE_LOOK, &told)) {
        say_state(request->name, &told, answer);
    }
}

void sl_api_capture_stop(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                         void *arg)
{
    struct sl_capture_answer told;

    if (handle(request, answer, arg, SL_CAPTURE_STOP, &told)) {
        say_state(request->name, &told, answer);
    }
}

static void release(void *owner)
{
    sl_recording_release(owner);
}

void sl_api_capture_file(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                         void *arg)
{
    struct sl_capture_answer told;

    if (handle(request, answer, arg, SL_CAPTURE_FETCH, &told)) {
        sl_admin_answer_lend(answer, "application/octet-stream", sl_recording_file(told.recording),
                             release, told.recording);
    }
}

void sl_api_capture_drop(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                         void *arg)
{
    struct sl_capture_answer told;

    if (handle(request, answer, arg, SL_CAPTURE_DROP, &told)) {
        sl_api_say_done(answer);
    }
}
