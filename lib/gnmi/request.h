/* request.h - SubscribeRequest, and paths as text (gNMI path conventions, gnmi-path-strings.md). */
#ifndef SLUICE_GNMI_REQUEST_H
#define SLUICE_GNMI_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum sl_gnmi_stream_mode {
    SL_GNMI_TARGET_DEFINED = 0,
    SL_GNMI_ON_CHANGE = 1,
    SL_GNMI_SAMPLE = 2,
};

enum sl_gnmi_encoding {
    SL_GNMI_JSON = 0,
    SL_GNMI_BYTES = 1,
    SL_GNMI_PROTO = 2,
    SL_GNMI_ASCII = 3,
    SL_GNMI_JSON_IETF = 4,
};

struct sl_gnmi_subscribe {
    const char *const *paths; /* text, each checked by sl_gnmi_path_check; ends with NULL */
    const char *prefix;       /* text or NULL: with `target` NULL too the request has no prefix */
    const char *target;       /* prefix.target; NULL: none */
    enum sl_gnmi_stream_mode mode;
    enum sl_gnmi_encoding encoding;
    uint64_t sample_interval_ns; /* SAMPLE; 0: the lowest that the target can */
};

/* Whether `text` is a path: "origin:/a/b[k=v\]]/c"; else what is wrong and at which byte. */
struct sl_status sl_gnmi_path_check(struct sl_str text) SL_MUST_CHECK;

/* Appends the bytes of the SubscribeRequest (list mode STREAM). */
struct sl_status sl_gnmi_subscribe_pack(const struct sl_gnmi_subscribe *subscribe,
                                        struct sl_buf *out) SL_MUST_CHECK;

#endif
