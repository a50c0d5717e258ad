#include "capture/recording.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* What an entry has around a response, an end or a stop, at most: tags, lengths and the time.
     */
    ENTRY_BYTES = 48,
    STOP_BYTES = ENTRY_BYTES + SL_RECORDING_REASON_BYTES,
};

struct sl_recording {
    atomic_uint holders;
    struct sl_recording_quota *quota;
    struct sl_buf file;
    struct sl_buf request;
    struct sl_recording_view view;
};

/* ---- the quota ---- */

static bool quota_take(struct sl_recording_quota *quota, size_t bytes)
{
    if (atomic_fetch_add(&quota->count, 1) >= SL_RECORDING_MAX_COUNT) {
        atomic_fetch_sub(&quota->count, 1);
        return false;
    }
    if (atomic_fetch_add(&quota->bytes, bytes) + bytes > SL_RECORDING_MAX_ALL_BYTES) {
        atomic_fetch_sub(&quota->bytes, bytes);
        atomic_fetch_sub(&quota->count, 1);
        return false;
    }
    return true;
}

static void quota_return(struct sl_recording_quota *quota, size_t bytes)
{
    atomic_fetch_sub(&quota->bytes, bytes);
    atomic_fetch_sub(&quota->count, 1);
}

/* ---- life ---- */

static void recording_free(struct sl_recording *recording)
{
    quota_return(recording->quota, recording->view.max_bytes);
    sl_buf_fini(&recording->file);
    sl_buf_fini(&recording->request);
    free(recording);
}

/* Room for one entry more, and for the last one behind it. */
static bool has_room(const struct sl_recording *recording, size_t payload)
{
    size_t left = recording->file.limit_bytes - recording->file.len;

    return left >= STOP_BYTES + ENTRY_BYTES && payload <= left - STOP_BYTES - ENTRY_BYTES;
}

/* All the memory there will be, and the header in it. */
static struct sl_status begin(struct sl_recording *recording,
                              const struct sl_recording_options *options)
{
    sl_buf_init(&recording->file, options->max_bytes);
    sl_buf_add_str(&recording->request, options->header.request);
    if (!sl_buf_reserve(&recording->file, options->max_bytes) || recording->request.failed) {
        return sl_status_out_of_memory();
    }
    sl_gnmi_capture_add_header(&recording->file, &options->header, options->subscriptions);
    if (recording->file.failed || recording->file.len > SL_GNMI_CAPTURE_MAX_HEADER_BYTES ||
        !has_room(recording, 0)) {
        return sl_status_error(SL_INVALID_ARGUMENT, "%zu bytes have no room for what was asked",
                               options->max_bytes);
    }
    return sl_status_ok();
}

struct sl_recording *sl_recording_new(const struct sl_recording_options *options,
                                      struct sl_status *why)
{
    SL_ASSERT(options->max_bytes >= SL_RECORDING_MIN_BYTES &&
              options->max_bytes <= SL_RECORDING_MAX_BYTES);
    if (!quota_take(options->quota, options->max_bytes)) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED,
                               "%d captures at once have %d MiB together, and this is one too many",
                               SL_RECORDING_MAX_COUNT, (int)(SL_RECORDING_MAX_ALL_BYTES / SL_MIB));
        return NULL;
    }
    struct sl_recording *recording = calloc(1, sizeof(*recording));
    if (!recording) {
        quota_return(options->quota, options->max_bytes);
        *why = sl_status_out_of_memory();
        return NULL;
    }
    atomic_init(&recording->holders, 1);
    recording->quota = options->quota;
    recording->view.max_bytes = options->max_bytes;
    recording->view.started_ns = options->header.started_ns;
    *why = begin(recording, options);
    if (!sl_status_is_ok(why)) {
        recording_free(recording);
        return NULL;
    }
    return recording;
}

struct sl_recording *sl_recording_hold(struct sl_recording *recording)
{
    atomic_fetch_add(&recording->holders, 1);
    return recording;
}

void sl_recording_release(struct sl_recording *recording)
{
    if (recording && atomic_fetch_sub(&recording->holders, 1) == 1) {
        recording_free(recording);
    }
}

/* ---- entries ---- */

void sl_recording_stop(struct sl_recording *recording, int64_t now_ns, const char *reason)
{
    SL_ASSERT(strlen(reason) <= SL_RECORDING_REASON_BYTES);
    if (recording->view.reason) {
        return;
    }
    sl_gnmi_capture_add_stop(&recording->file, now_ns, reason);
    SL_ASSERT(!recording->file.failed); /* room for it was kept */
    recording->view.stopped_ns = now_ns;
    recording->view.reason = reason;
}

bool sl_recording_response(struct sl_recording *recording, int64_t received_ns,
                           struct sl_str response)
{
    if (recording->view.reason) {
        return false;
    }
    if (!has_room(recording, response.len)) {
        recording->view.unfit_bytes = response.len;
        sl_recording_stop(recording, received_ns, "full");
        return false;
    }
    sl_gnmi_capture_add_response(&recording->file, received_ns, response);
    recording->view.messages++;
    return true;
}

bool sl_recording_end(struct sl_recording *recording, int64_t received_ns, enum sl_code code,
                      struct sl_str text)
{
    if (recording->view.reason) {
        return false;
    }
    if (!has_room(recording, text.len)) {
        sl_recording_stop(recording, received_ns, "full");
        return false;
    }
    sl_gnmi_capture_add_end(&recording->file, received_ns, code, text);
    recording->view.calls_ended++;
    return true;
}

/* ---- what there is ---- */

bool sl_recording_is_of(const struct sl_recording *recording, struct sl_str request)
{
    return sl_str_eq(sl_buf_str(&recording->request), request);
}

void sl_recording_view(const struct sl_recording *recording, struct sl_recording_view *view)
{
    *view = recording->view;
    view->bytes = recording->file.len;
}

struct sl_str sl_recording_file(const struct sl_recording *recording)
{
    SL_ASSERT(recording->view.reason);
    return sl_buf_str(&recording->file);
}
