/* recording.h - a capture in memory (gnmi/capture.h has what is in it), of a known size.
 *
 * All of its memory is asked for when it begins, so that what comes later cannot fail for want of
 * it, and nothing is copied but the messages. An entry that has no room ends the recording: it is
 * "full", and says so in its last entry, for which room was kept.
 *
 * It is written on one thread. Once it is stopped it changes no more, and other threads may read it
 * and hold it: what holds it last frees it.
 */
#ifndef SLUICE_CAPTURE_RECORDING_H
#define SLUICE_CAPTURE_RECORDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "gnmi/capture.h"

enum {
    SL_RECORDING_MIN_BYTES = 4 * 1024,
    SL_RECORDING_DEFAULT_BYTES = 4 * 1024 * 1024,
    SL_RECORDING_MAX_BYTES = 64 * 1024 * 1024,
    SL_RECORDING_MAX_COUNT = 8,                     /* of a quota at once */
    SL_RECORDING_MAX_ALL_BYTES = 128 * 1024 * 1024, /* of them together */
    SL_RECORDING_REASON_BYTES = 16,
};

/* What several may have together; zeroed to begin with, and outlives them. Any thread. */
struct sl_recording_quota {
    atomic_uint count;
    atomic_size_t bytes;
};

struct sl_recording;

/* Nothing of it is kept but the quota. */
struct sl_recording_options {
    struct sl_gnmi_capture_header header;
    const char *const *subscriptions; /* ends with NULL */
    size_t max_bytes;                 /* MIN to MAX of the above */
    struct sl_recording_quota *quota;
};

/* Held by the caller. NULL: `why`, RESOURCE_EXHAUSTED of the quota or of memory, INVALID_ARGUMENT
 * where `max_bytes` has no room for the header. */
struct sl_recording *sl_recording_new(const struct sl_recording_options *options,
                                      struct sl_status *why) SL_MUST_CHECK;

struct sl_recording *sl_recording_hold(struct sl_recording *recording);
void sl_recording_release(struct sl_recording *recording); /* NULL: nothing */

/* An entry each: a message, the end of a call. False: it is not in it, for the recording is
 * stopped, perhaps by this one. */
bool sl_recording_response(struct sl_recording *recording, int64_t received_ns,
                           struct sl_str response) SL_MUST_CHECK;
bool sl_recording_end(struct sl_recording *recording, int64_t received_ns, enum sl_code code,
                      struct sl_str text) SL_MUST_CHECK;

/* Nothing comes any more; `reason` is a literal of at most SL_RECORDING_REASON_BYTES. Idempotent:
 * the first reason counts. */
void sl_recording_stop(struct sl_recording *recording, int64_t now_ns, const char *reason);

/* Whether calls that make this request belong into it. */
bool sl_recording_is_of(const struct sl_recording *recording, struct sl_str request);

struct sl_recording_view {
    uint64_t messages;
    uint64_t calls_ended;
    size_t bytes; /* of the file */
    size_t max_bytes;
    size_t unfit_bytes; /* the message for which there was no room; 0: there was for each */
    int64_t started_ns; /* since 1970 */
    int64_t stopped_ns;
    const char *reason; /* why it stopped, a literal; NULL: it has not */
};

void sl_recording_view(const struct sl_recording *recording, struct sl_recording_view *view);

/* The file, of one that is stopped: as long as it is held. */
struct sl_str sl_recording_file(const struct sl_recording *recording);

#endif
