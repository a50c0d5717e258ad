/* worker_capture.h - captures of running streams (stream/stream.h): a worker keeps those of its
 * targets, one of each, until somebody drops them or their time is over.
 */
#ifndef SLUICE_DAEMON_WORKER_CAPTURE_H
#define SLUICE_DAEMON_WORKER_CAPTURE_H

#include "capture/recording.h"
#include "daemon/worker.h"

enum {
    SL_CAPTURE_DEFAULT_S = 10,
    SL_CAPTURE_MAX_S = 3600,
    SL_CAPTURE_KEPT_S = 300,     /* after it should have ended */
    SL_CAPTURE_NAME_BYTES = 256, /* of a stream's name, as it is told */
};

enum sl_capture_verb {
    SL_CAPTURE_BEGIN, /* a capture that is over is dropped for it */
    SL_CAPTURE_LOOK,
    SL_CAPTURE_FETCH, /* the same, with the recording of one that is over */
    SL_CAPTURE_STOP,  /* it is over now; nothing where it was before */
    SL_CAPTURE_DROP,
};

struct sl_capture_question {
    enum sl_capture_verb verb;
    const char *target;
    const char *subscription; /* of BEGIN: the stream with it; NULL: the only one */
    size_t max_bytes;
    int64_t duration_ns;
    struct sl_recording_quota *quota;
};

enum sl_capture_outcome {
    SL_CAPTURE_NO_TARGET, /* none of this worker */
    SL_CAPTURE_NONE,      /* the target has no capture */
    SL_CAPTURE_DONE,
    SL_CAPTURE_RUNNING,   /* BEGIN, FETCH: it is not over */
    SL_CAPTURE_AMBIGUOUS, /* BEGIN: the target has several streams */
    SL_CAPTURE_NO_STREAM, /* BEGIN: the target has none with that subscription */
    SL_CAPTURE_FAILED,    /* `why` */
};

struct sl_capture_answer {
    enum sl_capture_outcome outcome;
    struct sl_status why;
    struct sl_recording_view view; /* of DONE, but for DROP */
    int64_t duration_ns;
    int64_t expires_ns; /* since 1970: about then it is dropped */
    bool has_begin;     /* there was no RPC when it began: the next one is in it from its start */
    char stream[SL_CAPTURE_NAME_BYTES];
    struct sl_recording *recording; /* of FETCH: held for who asked */
};

/* Any thread, while the worker runs. False when it does not answer within SL_WORKER_ANSWER_MS:
 * then it may still be done. */
bool sl_worker_ask_capture(struct sl_worker *worker, const struct sl_capture_question *question,
                           struct sl_capture_answer *answer) SL_MUST_CHECK;

/* The same, on its thread. */
void sl_worker_capture(struct sl_worker *worker, const struct sl_capture_question *question,
                       struct sl_capture_answer *answer);

/* Drops all; before the worker's targets go. */
void sl_worker_drop_captures(struct sl_worker *worker);

#endif
