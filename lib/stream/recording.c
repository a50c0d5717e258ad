/* recording.c - a capture of what a running stream receives: the stream, its RPC and its credit
 * know nothing of it. Each message is copied when its turn comes, before anything is made of it. */
#include <stdlib.h>

#include "stream/internal.h"

/* The recording is over for the stream, whoever stopped it. */
static void let_go(struct sl_stream *stream)
{
    struct sl_recording_view view;

    sl_recording_view(stream->recording, &view);
    sl_log(SL_LOG_INFO, &stream->subject, "capture ended", sl_log_text("reason", view.reason),
           sl_log_u64("messages", view.messages), sl_log_u64("bytes", view.bytes));
    sl_recording_release(stream->recording);
    stream->recording = NULL;
}

static struct sl_recording *make(const struct sl_stream *stream,
                                 const struct sl_stream_capture *capture, struct sl_status *why)
{
    const struct sl_stream_config *config = &stream->config;
    const char **names = calloc(config->member_count + 1, sizeof(*names));
    struct sl_recording *recording = NULL;

    *why = sl_status_out_of_memory();
    for (size_t i = 0; names && i < config->member_count; i++) {
        names[i] = config->members[i].subscription;
    }
    if (names) {
        const struct sl_recording_options options = {
            .header = {.target = sl_str_from(config->target),
                       .vendor = sl_str_from(capture->vendor),
                       .sluice = SL_STR(SLUICE_VERSION),
                       .request = sl_buf_str(&stream->request),
                       .started_ns = sl_loop_wall_ns()},
            .subscriptions = names,
            .max_bytes = capture->max_bytes,
            .quota = capture->quota,
        };
        recording = sl_recording_new(&options, why);
    }
    free(names);
    return recording;
}

struct sl_recording *sl_stream_capture(struct sl_stream *stream,
                                       const struct sl_stream_capture *capture,
                                       struct sl_status *why)
{
    if (stream->recording || stream->state >= SL_STREAM_DRAINING) {
        *why = sl_status_error(SL_FAILED_PRECONDITION, "%s",
                               stream->recording ? "another capture of the stream is under way"
                                                 : "the stream is closing");
        return NULL;
    }
    struct sl_recording *recording = make(stream, capture, why);
    if (recording) {
        stream->recording = sl_recording_hold(recording);
        sl_log(SL_LOG_INFO, &stream->subject, "capture begins", sl_log_text("reason", "admin"),
               sl_log_u64("max-bytes", capture->max_bytes));
    }
    return recording;
}

bool sl_stream_capture_stop(struct sl_stream *stream, const struct sl_recording *recording,
                            const char *reason)
{
    if (!recording || stream->recording != recording) {
        return false;
    }
    sl_recording_stop(stream->recording, sl_loop_wall_ns(), reason);
    let_go(stream);
    return true;
}

void sl_stream_record_message(struct sl_stream *stream, struct sl_str message)
{
    if (!sl_recording_response(stream->recording, stream->received_ns, message)) {
        let_go(stream);
    }
}

void sl_stream_record_end(struct sl_stream *stream, const struct sl_status *status)
{
    struct sl_str text = sl_str_from(sl_status_is_ok(status) ? "" : status->text);

    if (stream->recording &&
        !sl_recording_end(stream->recording, sl_loop_wall_ns(), status->code, text)) {
        let_go(stream);
    }
}

void sl_stream_record_call(struct sl_stream *stream)
{
    if (stream->recording && !sl_recording_is_of(stream->recording, sl_buf_str(&stream->request))) {
        sl_stream_capture_stop(stream, stream->recording, "request");
    }
}
