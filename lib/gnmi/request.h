/* request.h - SubscribeRequest, and paths as text (gNMI path conventions, gnmi-path-strings.md).
 *
 * What the fields mean, and which of them have a meaning together, is section 3.5.1 of
 * gnmi-specification.md: the list in 3.5.1.2, a subscription in 3.5.1.3, the modes of a STREAM in
 * 3.5.1.5.2; origins in mixed-schema.md. Nothing of that is checked here: who reads a configuration
 * does.
 */
#ifndef SLUICE_GNMI_REQUEST_H
#define SLUICE_GNMI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
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
    SL_GNMI_AUTO_ENCODING, /* in a subscription alone: what suits the device; PROTO, where none does
                            */
};

enum sl_gnmi_list_mode {
    SL_GNMI_STREAM = 0,
    SL_GNMI_ONCE = 1,
    SL_GNMI_POLL = 2,
};

enum { SL_GNMI_MAX_QOS = 63 }; /* a DSCP has 6 bits */

/* Paths that are asked for in one way; each becomes a Subscription of its own. */
struct sl_gnmi_asked {
    const char *const *paths; /* text, each checked by sl_gnmi_path_check; ends with NULL */
    enum sl_gnmi_stream_mode mode;
    uint64_t sample_interval_ns;    /* SAMPLE; 0: the lowest that the target can */
    uint64_t heartbeat_interval_ns; /* 0: none */
    bool suppress_redundant;
};

struct sl_gnmi_model {
    const char *name;
    const char *organization; /* "" : any */
    const char *version;      /* "" : any */
};

struct sl_gnmi_extension; /* extension.h */
struct sl_gnmi_profile;   /* vendor.h */

struct sl_gnmi_subscribe {
    const struct sl_gnmi_asked *asked; /* at least one */
    size_t asked_count;
    const char *prefix; /* text or NULL: with `target` NULL too the request has no prefix */
    const char *target; /* prefix.target; NULL: none */
    enum sl_gnmi_encoding encoding;
    bool updates_only;
    bool has_qos;                       /* false: the request says nothing of packets' marking */
    uint32_t qos;                       /* a DSCP */
    const struct sl_gnmi_model *models; /* use_models */
    size_t model_count;
    enum sl_gnmi_list_mode mode;
    const struct sl_gnmi_extension *extensions;
    size_t extension_count;
};

/* Whether `text` is a path: "origin:/a/b[k=v\]]/c"; else what is wrong and at which byte. */
struct sl_status sl_gnmi_path_check(struct sl_str text) SL_MUST_CHECK;

/* The origin that a path's text begins with, as it is written there; empty: none. */
struct sl_str sl_gnmi_path_origin(struct sl_str text);

/* Appends the bytes of the SubscribeRequest. */
struct sl_status sl_gnmi_subscribe_pack(const struct sl_gnmi_subscribe *subscribe,
                                        struct sl_buf *out) SL_MUST_CHECK;

/* The same in the shape that a device wants (vendor.h); what was done otherwise for its sake, as a
 * set of SL_GNMI_WORK, is added to `in_force`. */
struct sl_status sl_gnmi_subscribe_pack_for(const struct sl_gnmi_subscribe *subscribe,
                                            const struct sl_gnmi_profile *profile,
                                            struct sl_buf *out, uint32_t *in_force) SL_MUST_CHECK;

/* The bytes of a SubscribeRequest that polls: each later message of a call in mode POLL. */
struct sl_str sl_gnmi_poll(void);

#endif
