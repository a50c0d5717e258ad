/* encoder.h - a SubscribeResponse becomes the payload of one record.
 *
 * The formats: event and event-split (event.h), proto, sluice.v1 and sluice.v1-json (record.h, and
 * for consumers proto/sluice.proto), telegraf-json and influx (telegraf.h), gnmic-json
 * (gnmic_json.h), protojson (protojson.h).
 *
 * One encoder serves one stream and one sink. What depends on a path alone (its text, the tags) is
 * worked out once and kept (interned), up to the bytes that `memory` still has; a path that finds
 * no room is worked out again each time, and nothing else changes.
 *
 * One thread. Nothing allocates per update but the payload.
 */
#ifndef SLUICE_NORMALISE_ENCODER_H
#define SLUICE_NORMALISE_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "gnmi/response.h"
#include "sluice_option.h"

enum { SL_ENCODER_MAX_RECORD_BYTES = 32 * 1024 * 1024 };

struct sl_encoder;
struct sl_gnmi_subscribe;
struct sl_marker;

enum sl_format {
    SL_FORMAT_EVENT,          /* gnmic's event array */
    SL_FORMAT_PROTO,          /* the SubscribeResponse as it came */
    SL_FORMAT_SLUICE_V1,      /* proto/sluice.proto: every arm, every digit, numbered */
    SL_FORMAT_GNMIC_JSON,     /* gnmic's `format: json` */
    SL_FORMAT_PROTOJSON,      /* the SubscribeResponse in protobuf's JSON mapping */
    SL_FORMAT_SLUICE_V1_JSON, /* the record of sluice.v1 in protobuf's JSON mapping */
    SL_FORMAT_EVENT_SPLIT,    /* gnmic's events, a record for each */
    SL_FORMAT_TELEGRAF_JSON,  /* Telegraf's metrics, a record for each */
    SL_FORMAT_INFLUX,         /* the same in the line protocol */
};

enum { SL_FORMATS = SL_FORMAT_INFLUX + 1 };

const char *sl_format_name(enum sl_format format);

/* What a record is made of. Of the formats that make several records of a notification,
 * event-split has a record for each update anyhow, telegraf-json and influx for each metric. */
enum sl_record_unit {
    SL_RECORD_NOTIFICATION,
    SL_RECORD_UPDATE, /* one update or delete, deletes first; of an atomic notification all */
};

/* What all encoders of one worker share. Zeroed but for the limit to begin with. */
struct sl_encoder_memory {
    uint64_t limit_bytes; /* of interned paths */
    uint64_t used_bytes;
    struct sl_encoder_scratch *scratch; /* the encoders' own, as long as there is one */
    size_t scratch_holders;
};

struct sl_encoder_config {
    enum sl_format format;
    struct sl_str target;              /* event: tag "source"; sluice.v1: `target` */
    struct sl_str subscription;        /* event: "name" and tag "subscription-name"; sluice.v1 */
    struct sl_str subscription_target; /* event: tag "subscription-target"; empty: none */
    struct sl_str host; /* telegraf-json, influx: tag "host"; empty: this machine's name */
    bool is_hostless;   /* the same: no such tag */
    const struct sl_gnmi_subscribe *subscribe; /* the same: its paths; NULL: none */
    const struct sluice_map *labels;           /* sluice.v1: the target's; NULL: none */
    enum sl_record_unit unit;
    bool is_float64; /* event, event-split, gnmic-json, telegraf-json, influx: decimals and the
                        numbers in JSON go through a double, as in gnmic */
    const struct sluice_strings *json_keys; /* event, event-split, sluice.v1, sluice.v1-json: items
                                               of JSON arrays are named by these (json_keyed.h),
                                               which outlive the encoder; NULL: counted */
    struct sl_encoder_memory *memory;       /* outlives the encoder */
};

/* What a record says of its stream beside what the response says. */
struct sl_encoder_context {
    uint64_t epoch;
    uint64_t seq; /* that the record will have */
    int64_t received_ns;
    bool is_synced;         /* a sync_response has come in this epoch */
    bool is_settled;        /* response->timestamp_ns is not what the device sent (clock.h) … */
    int64_t sent_timestamp; /* … but this */
    int64_t device_ns;      /* that in nanoseconds; 0: response->timestamp_ns is */
};

/* What became of the updates and deletes of one response. */
struct sl_encoded {
    uint32_t published; /* in the payload */
    uint32_t filtered;  /* left out because a rule, or the format's own, says so */
    uint32_t dropped;   /* event, gnmic-json: a value that it cannot carry (broken JSON, NaN);
                           protojson: an Any that it has no form for; a path beyond the limits of
                           fragment.h, path.h or record_path.h; and from where the record, or the
                           work on it, would pass SL_ENCODER_MAX_RECORD_BYTES, the rest of the
                           message (sluice.v1-json: all of it, where only its text does) */
};

/* Where the records of one response stand, in a format that makes several of it. Zeroed to begin
 * with. */
struct sl_encoder_progress {
    size_t at;        /* bytes of the notification that are through */
    bool is_deleting; /* the updates are, and `at` is where its deletes stand */
    bool has_deleted; /* SL_RECORD_UPDATE: the deletes are, and `at` is where its updates stand */
    bool is_done;     /* nothing is left */
    uint32_t given;   /* telegraf-json, influx: metrics of the updates from `at` on */
    uint32_t counted; /* the same: updates from `at` on that are published or dropped */
    uint32_t passed;  /* updates and deletes, published, filtered and dropped */
    uint64_t made_bytes; /* of records */
    size_t built_bytes;  /* of paths that were not interned */
    uint32_t most;       /* sl_format_can_split: so many updates or deletes make a record; 0: all */
};

/* Copies what `config` points at, but for the memory. NULL when memory is out. */
struct sl_encoder *sl_encoder_new(const struct sl_encoder_config *config) SL_MUST_CHECK;
void sl_encoder_free(struct sl_encoder *encoder);

/* Appends the record to `out`; nothing when the format has no record for this response (event: a
 * sync, an empty one; sluice.v1: one without notification, sync_response = true and extensions;
 * gnmic-json: one without notification, sync_response and extensions; event, gnmic-json, protojson:
 * one whose every update and delete was dropped). published + filtered + dropped is always
 * response->updates + response->deletes. False only when memory is out. */
bool sl_encoder_encode(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                       const struct sl_encoder_context *context, struct sl_buf *out,
                       struct sl_encoded *encoded) SL_MUST_CHECK;

/* Appends the next record of the response, from where `progress` stands, and moves that; nothing
 * when none is left. `encoded` is what became of the updates and deletes that were passed. A format
 * that makes one record of a response does so at the first call: that is sl_encoder_encode, which
 * for the others appends all records, as lines. */
bool sl_encoder_next(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                     const struct sl_encoder_context *context, struct sl_encoder_progress *progress,
                     struct sl_buf *out, struct sl_encoded *encoded) SL_MUST_CHECK;

/* Whether a notification's record can be made into several, by sl_encoder_progress.most, also of an
 * atomic one; formats that make a record of each update or series cannot. */
bool sl_format_can_split(enum sl_format format);

/* Whether the format can say markers (marker.h), and whether sinks have them if nobody says
 * otherwise. */
bool sl_format_has_markers(enum sl_format format);
bool sl_format_wants_markers(enum sl_format format);

/* Whether the record of a sync_response is itself the marker `synced`. */
bool sl_format_marks_sync(enum sl_format format);

/* Appends the record of a marker; context->received_ns is its time. False when memory is out, or
 * the names in it are not UTF-8. The format has markers. */
bool sl_encoder_mark(struct sl_encoder *encoder, const struct sl_marker *marker,
                     const struct sl_encoder_context *context, struct sl_buf *out) SL_MUST_CHECK;

/* The origin that ${origin} stands for: the prefix's, else the first path's, else empty. Borrowed
 * from the message. */
struct sl_str sl_response_origin(const struct sl_gnmi_response *response);

#endif
