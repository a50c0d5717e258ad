#include "stream/prober.h"

#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "stream/bisect.h"
#include "stream/internal.h"
#include "stream/quarantine.h"

enum {
    REFUSALS = 2,         /* in a row, until parts are tried */
    SILENCE_MS = 5000,    /* a call that stands so long without a word is accepted */
    ANEW_MS = 1000,       /* until it is seen again whether the stream can subscribe anew */
    RETRY_MIN_MS = 1000,  /* after a call that said nothing about its paths */
    RETRY_MAX_MS = 60000, /* the longest such wait */
};

enum activity {
    RESTING,   /* waits for what is due */
    SEARCHING, /* the stream's request was refused */
    CHECKING,  /* what was in quarantine is tried again */
};

struct sl_prober {
    struct sl_stream *stream;
    enum activity activity;
    struct sl_bisect bisect;
    struct sl_quarantine quarantine;
    uint8_t *asked;   /* a byte for each path: what the stream asks for */
    uint8_t *looking; /* what is looked at */
    uint8_t *trying;  /* what the call asks for */
    struct sl_timer *timer;
    struct sl_backoff backoff;
    struct sl_grpc_call *call;
    bool is_accepted; /* the call was, and is cancelled */
    bool is_stopped;
    bool wants_anew;       /* the stream is to subscribe anew when it can */
    unsigned refusals;     /* of the stream's own calls, in a row */
    unsigned together;     /* searches in a row that found that only all together are refused */
    int64_t not_before_ns; /* no search, after one that found nothing */
    struct sl_status why;  /* of the last refusal */
};

bool sl_prober_is_refusal(const struct sl_status *status)
{
    /* Not about a path: RESOURCE_EXHAUSTED and OUT_OF_RANGE (too many calls), UNAUTHENTICATED, and
     * all that the connection or this side may say. UNKNOWN is what servers say that give no code.
     */
    static const enum sl_code codes[] = {SL_INVALID_ARGUMENT,  SL_NOT_FOUND,
                                         SL_UNIMPLEMENTED,     SL_FAILED_PRECONDITION,
                                         SL_PERMISSION_DENIED, SL_UNKNOWN};

    for (size_t i = 0; i < SL_ARRAY_LEN(codes); i++) {
        if (status->code == codes[i]) {
            return status->reason == NULL;
        }
    }
    return false;
}

static int64_t now_ns(const struct sl_prober *prober)
{
    return sl_loop_now_ns(prober->stream->config.loop);
}

static const char *path_of(const struct sl_prober *prober, size_t path)
{
    return prober->stream->asking.paths[path].path;
}

static const char *subscription_of(const struct sl_prober *prober, size_t path)
{
    const struct sl_stream *stream = prober->stream;

    return stream->config.members[stream->asking.paths[path].member].subscription;
}

/* ---- what was found ---- */

static void note_asked(struct sl_prober *prober)
{
    for (size_t i = 0; i < prober->quarantine.limit; i++) {
        prober->asked[i] = !sl_quarantine_has(&prober->quarantine, i);
    }
    sl_stream_pack_request(prober->stream);
}

/* A path's first time is said of each, however many there are: of a subject, lines that are alike
 * are left out in the end. */
static void put(struct sl_prober *prober, size_t path)
{
    const struct sl_stream *stream = prober->stream;
    bool is_new = !sl_quarantine_has(&prober->quarantine, path);
    int64_t wait_ns = sl_quarantine_put(&prober->quarantine, path, now_ns(prober));
    uint64_t wait_ms = (uint64_t)(wait_ns / SL_NS_PER_MS);

    if (is_new) {
        const char *hint = sl_hint(&prober->why, SL_HINT_FILE);
        const struct sl_log_field fields[] = {
            sl_log_text("target", stream->config.target),
            sl_log_text("subscription", subscription_of(prober, path)),
            sl_log_text("path", path_of(prober, path)),
            sl_log_text("code", sl_code_name(prober->why.code)),
            sl_log_text("reason", sl_status_reason(&prober->why)),
            sl_log_text("why", prober->why.text),
            sl_log_u64("retry-ms", wait_ms),
            sl_log_u64("stream", stream->view.epoch),
            sl_log_text("try", hint),
        };
        sl_log_fields(SL_LOG_WARN, NULL, "path in quarantine", fields,
                      SL_ARRAY_LEN(fields) - !hint);
    } else {
        sl_log(SL_LOG_INFO, &prober->stream->subject, "path still refused",
               sl_log_text("reason", sl_status_reason(&prober->why)),
               sl_log_text("path", path_of(prober, path)),
               sl_log_text("asked-by", subscription_of(prober, path)),
               sl_log_text("why", prober->why.text), sl_log_u64("retry-ms", wait_ms));
    }
}

static void release(struct sl_prober *prober, size_t path)
{
    sl_quarantine_release(&prober->quarantine, path);
    sl_log(SL_LOG_INFO, &prober->stream->subject, "path accepted again",
           sl_log_text("reason", "path-accepted"), sl_log_text("path", path_of(prober, path)),
           sl_log_text("asked-by", subscription_of(prober, path)));
}

static void log_not_the_paths(struct sl_prober *prober, enum sl_bisect_verdict verdict)
{
    bool is_packed = prober->stream->config.member_count > 1;

    sl_log(SL_LOG_WARN, &prober->stream->subject,
           verdict == SL_BISECT_ALL ? "no path is accepted: it is the request that is refused"
                                    : "each path is accepted, but all together are refused",
           sl_log_text("code", sl_code_name(prober->why.code)),
           sl_log_text("reason", sl_status_reason(&prober->why)),
           sl_log_text("why", prober->why.text), sl_log_u64("tries", prober->bisect.tries),
           sl_log_text("to-try", verdict == SL_BISECT_TOGETHER && is_packed
                                     ? "pack: false, an RPC for each subscription"
                                     : ""));
}

/* A device that bears fewer paths in an RPC, for all that is known: the later half of them waits,
 * so that the others flow. */
static void leave_half(struct sl_prober *prober)
{
    size_t count = prober->quarantine.limit - prober->quarantine.count;
    size_t kept = (count + 1) / 2;

    for (size_t i = 0; i < prober->quarantine.limit; i++) {
        if (prober->asked[i] && kept > 0) {
            kept--;
        } else if (prober->asked[i]) {
            put(prober, i);
        }
    }
    note_asked(prober);
}

/* The stream may subscribe again: without what was found, or, where nothing was, as before. What
 * was refused only together may have been so by chance: the first time nothing is left out. */
static void end_search(struct sl_prober *prober)
{
    enum sl_bisect_verdict verdict = sl_bisect_verdict(&prober->bisect);

    prober->refusals = 0;
    if (verdict == SL_BISECT_FOUND) {
        for (size_t i = 0; i < prober->quarantine.limit; i++) {
            if (sl_bisect_is_bad(&prober->bisect, i)) {
                put(prober, i);
            }
        }
        note_asked(prober);
        sl_stream_subscribe_soon(prober->stream, true);
        return;
    }
    log_not_the_paths(prober, verdict);
    prober->together = verdict == SL_BISECT_TOGETHER ? prober->together + 1 : 0;
    bool leaves_half = prober->together >= REFUSALS;

    if (leaves_half) {
        leave_half(prober);
    } else {
        prober->not_before_ns = now_ns(prober) + prober->quarantine.first_ns;
    }
    sl_stream_subscribe_soon(prober->stream, leaves_half);
}

static void end_check(struct sl_prober *prober)
{
    enum sl_bisect_verdict verdict = sl_bisect_verdict(&prober->bisect);
    size_t released = 0;

    for (size_t i = 0; i < prober->quarantine.limit; i++) {
        if (!prober->looking[i]) {
            continue;
        }
        if (verdict == SL_BISECT_ALL || sl_bisect_is_bad(&prober->bisect, i)) {
            put(prober, i);
        } else {
            release(prober, i);
            released++;
        }
    }
    if (released) {
        note_asked(prober);
        prober->wants_anew = true;
    }
}

static void end(struct sl_prober *prober)
{
    bool was_search = prober->activity == SEARCHING;

    prober->activity = RESTING;
    if (was_search) {
        end_search(prober);
    } else {
        end_check(prober);
    }
}

/* ---- calls ---- */

static void on_open(struct sl_grpc_call *call, void *arg)
{
    struct sl_prober *prober = arg;

    (void)call;
    sl_timer_start(prober->timer, SILENCE_MS);
}

static void accept(struct sl_prober *prober)
{
    if (!prober->is_accepted) {
        prober->is_accepted = true;
        sl_grpc_call_cancel(prober->call);
    }
}

/* Whatever it is: it is not a refusal. */
static bool on_received(struct sl_grpc_call *call, uint32_t len, void *arg)
{
    (void)call;
    (void)len;
    accept(arg);
    return true;
}

static enum sl_grpc_take on_bytes(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length,
                                  void *arg)
{
    (void)call;
    (void)bytes;
    (void)length;
    (void)arg;
    return SL_GRPC_TAKEN;
}

static uint32_t max_message_bytes(const struct sl_grpc_call *call, void *arg)
{
    const struct sl_prober *prober = arg;

    (void)call;
    return prober->stream->config.max_message_bytes;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *said, void *arg)
{
    struct sl_prober *prober = arg;
    struct sl_status meant = *said;
    const struct sl_status *status = &meant;
    bool is_accepted = prober->is_accepted || sl_status_is_ok(status);
    uint64_t wait_ms = 0;

    (void)call;
    sl_gnmi_unwrap_status(prober->stream->workarounds, &meant);
    prober->call = NULL;
    prober->is_accepted = false;
    if (is_accepted || sl_prober_is_refusal(status)) {
        sl_bisect_tell(&prober->bisect, is_accepted);
        prober->backoff.failures = 0;
    } else {
        wait_ms = sl_backoff_next(&prober->backoff);
    }
    if (!is_accepted) {
        prober->why = *status;
        sl_status_hide(&prober->why, prober->stream->config.password);
    }
    if (!prober->is_stopped) {
        sl_timer_start(prober->timer, wait_ms);
    }
}

static const struct sl_grpc_call_events events = {
    .on_open = on_open,
    .on_received = on_received,
    .max_message_bytes = max_message_bytes,
    .on_bytes = on_bytes,
    .on_status = on_status,
};

/* Asks for `trying`. False when no call could be made. */
static bool ask(struct sl_prober *prober)
{
    struct sl_stream *stream = prober->stream;
    struct sl_buf request = {.data = NULL};
    struct sl_status status = sl_stream_pack_paths(stream, prober->trying, &request);

    if (sl_status_is_ok(&status)) {
        prober->call = sl_stream_open_call(stream, &events, prober);
    }
    if (prober->call && sl_grpc_call_send_bytes(prober->call, request.data,
                                                (uint32_t)request.len) != SL_GRPC_SENT) {
        sl_grpc_call_cancel(prober->call);
    }
    sl_buf_fini(&request);
    stream->view.trials += prober->call != NULL;
    return prober->call != NULL;
}

/* How long until the device may be asked again, in milliseconds; 0: it is asked now. */
static uint64_t take_trial(struct sl_prober *prober)
{
    struct sl_trial_limit *limit = prober->stream->config.trials;
    int64_t period_ns = SL_STREAM_TRIAL_S * SL_NS_PER_S;
    int64_t now = now_ns(prober);
    int64_t ahead_ns = limit ? limit->paid_ns - now : 0; /* of an even pace */

    if (ahead_ns > (SL_STREAM_TRIALS - 1) * period_ns) {
        return (uint64_t)((ahead_ns - (SL_STREAM_TRIALS - 1) * period_ns) / SL_NS_PER_MS) + 1;
    }
    if (limit) {
        limit->paid_ns = (ahead_ns > 0 ? limit->paid_ns : now) + period_ns;
    }
    return 0;
}

/* ---- one step after the other ---- */

static void wait_for_due(struct sl_prober *prober)
{
    int64_t next_ns = sl_quarantine_next(&prober->quarantine);

    if (prober->wants_anew) {
        sl_timer_start(prober->timer, ANEW_MS);
    } else if (next_ns != INT64_MAX) {
        int64_t wait_ns = next_ns - now_ns(prober);
        sl_timer_start(prober->timer, wait_ns > 0 ? (uint64_t)(wait_ns / SL_NS_PER_MS) + 1 : 0);
    }
}

static void rest(struct sl_prober *prober)
{
    if (prober->wants_anew && sl_stream_subscribe_anew(prober->stream)) {
        prober->wants_anew = false;
    }
    if (sl_quarantine_due(&prober->quarantine, now_ns(prober), prober->looking) == 0) {
        wait_for_due(prober);
        return;
    }
    prober->activity = CHECKING;
    sl_bisect_begin(&prober->bisect, prober->looking, false);
    sl_timer_start(prober->timer, 0);
}

static void on_timer(void *arg)
{
    struct sl_prober *prober = arg;

    if (prober->call) {
        accept(prober); /* it has stood for SILENCE_MS */
        return;
    }
    if (prober->activity == RESTING) {
        rest(prober);
        return;
    }
    if (!prober->stream->session) {
        return; /* goes on with the next one */
    }
    if (!sl_bisect_next(&prober->bisect, prober->trying)) {
        end(prober);
        sl_timer_start(prober->timer, 0);
        return;
    }
    uint64_t wait_ms = take_trial(prober);

    if (wait_ms || !ask(prober)) {
        sl_timer_start(prober->timer, wait_ms ? wait_ms : sl_backoff_next(&prober->backoff));
    }
}

/* ---- lifetime ---- */

static struct sl_prober *prober_new(struct sl_stream *stream)
{
    const struct sl_stream_config *config = &stream->config;
    size_t count = stream->asking.count;
    struct sl_prober *prober = calloc(1, sizeof(*prober));

    if (!prober) {
        return NULL;
    }
    prober->stream = stream;
    prober->asked = calloc(count, 1);
    prober->looking = calloc(count, 1);
    prober->trying = calloc(count, 1);
    prober->timer = sl_timer_new(config->loop, on_timer, prober);
    sl_backoff_init(&prober->backoff, RETRY_MIN_MS, RETRY_MAX_MS);
    if (!prober->asked || !prober->looking || !prober->trying || !prober->timer ||
        !sl_bisect_init(&prober->bisect, count) ||
        !sl_quarantine_init(&prober->quarantine, count, config->quarantine_ns,
                            config->quarantine_max_ns)) {
        sl_prober_free(prober);
        return NULL;
    }
    memset(prober->asked, 1, count);
    return prober;
}

void sl_prober_free(struct sl_prober *prober)
{
    if (!prober) {
        return;
    }
    SL_ASSERT(!prober->call);
    sl_bisect_fini(&prober->bisect);
    sl_quarantine_fini(&prober->quarantine);
    sl_timer_free(prober->timer);
    free(prober->asked);
    free(prober->looking);
    free(prober->trying);
    free(prober);
}

/* ---- for the stream ---- */

static void begin_search(struct sl_prober *prober)
{
    struct sl_stream *stream = prober->stream;

    sl_log(SL_LOG_INFO, &stream->subject, "looking for the refused path",
           sl_log_u64("paths", stream->asking.count - prober->quarantine.count),
           sl_log_text("code", sl_code_name(prober->why.code)),
           sl_log_text("reason", sl_status_reason(&prober->why)),
           sl_log_text("why", prober->why.text));
    prober->activity = SEARCHING;
    prober->wants_anew = false;
    memcpy(prober->looking, prober->asked, stream->asking.count);
    sl_bisect_begin(&prober->bisect, prober->looking, true);
    sl_timer_start(prober->timer, 0);
}

void sl_prober_note_end(struct sl_stream *stream, const struct sl_status *status, bool had_data)
{
    bool is_refusal = !had_data && sl_prober_is_refusal(status);

    if (is_refusal && !stream->prober && stream->asking.count > 1) {
        stream->prober = prober_new(stream);
    }
    struct sl_prober *prober = stream->prober;

    if (!prober || prober->is_stopped) {
        return;
    }
    prober->refusals = is_refusal ? prober->refusals + 1 : 0;
    prober->together = is_refusal ? prober->together : 0;
    if (prober->refusals < REFUSALS || prober->activity == SEARCHING || prober->call ||
        prober->quarantine.count + 1 >= stream->asking.count ||
        now_ns(prober) < prober->not_before_ns) {
        return;
    }
    prober->why = *status;
    sl_status_hide(&prober->why, stream->config.password);
    begin_search(prober);
}

bool sl_prober_is_searching(const struct sl_stream *stream)
{
    return stream->prober && stream->prober->activity == SEARCHING && !stream->prober->is_stopped;
}

const uint8_t *sl_prober_asked(const struct sl_stream *stream)
{
    return stream->prober ? stream->prober->asked : NULL;
}

void sl_prober_session_changed(struct sl_stream *stream)
{
    struct sl_prober *prober = stream->prober;

    if (prober && !prober->is_stopped && !prober->call && prober->activity != RESTING &&
        stream->session) {
        sl_timer_start(prober->timer, 0);
    }
}

bool sl_prober_has_call(const struct sl_prober *prober)
{
    return prober && prober->call;
}

void sl_prober_stop(struct sl_stream *stream)
{
    struct sl_prober *prober = stream->prober;

    if (!prober || prober->is_stopped) {
        return;
    }
    prober->is_stopped = true;
    sl_timer_stop(prober->timer);
    if (prober->call) {
        accept(prober);
    }
}

uint32_t sl_prober_quarantined(const struct sl_prober *prober, const struct sl_stream *stream,
                               size_t member, const char **paths, size_t room)
{
    uint32_t count = 0;

    for (size_t i = 0; prober && prober->quarantine.count && i < stream->asking.count; i++) {
        const struct sl_asking_path *path = &stream->asking.paths[i];
        if (path->member != member || !sl_quarantine_has(&prober->quarantine, i)) {
            continue;
        }
        if (count < room) {
            paths[count] = path->path;
        }
        count++;
    }
    return count;
}
