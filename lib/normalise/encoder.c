#include "normalise/encoder.h"

#include <stdlib.h>

#include "gnmi/pack.h"
#include "gnmi/path.h"
#include "gnmi/request.h"
#include "gnmi/rewrite.h"
#include "normalise/event.h"
#include "normalise/gnmic_json.h"
#include "normalise/piece.h"
#include "normalise/marker.h"
#include "normalise/protojson.h"
#include "normalise/record.h"
#include "normalise/telegraf.h"

enum {
    PIECE_KEPT_BYTES = 64 * 1024, /* of the memory for a piece */
    PIECES_BUILT_TIMES = 4,       /* the bytes of a response, over its pieces */
};
enum { NOTIFICATION = 1, TIMESTAMP = 1, EXTENSION = 5 }; /* fields of gnmi.proto */

struct sl_encoder {
    enum sl_format format;
    enum sl_record_unit unit;
    struct sl_buf piece;
    char *target;
    char *subscription;
    char *subscription_target;
    union {
        struct sl_event event;
        struct sl_record record;
        struct sl_gnmic_json gnmic_json;
        struct sl_telegraf telegraf;
    } of; /* of the format; PROTO and PROTOJSON: none */
    struct sl_encoder_memory *memory;
    struct sl_encoder *speaker; /* for markers, in formats of others; made with the first */
};

const char *sl_format_name(enum sl_format format)
{
    switch (format) {
    case SL_FORMAT_EVENT:
        return "event";
    case SL_FORMAT_PROTO:
        return "proto";
    case SL_FORMAT_SLUICE_V1:
        return "sluice.v1";
    case SL_FORMAT_GNMIC_JSON:
        return "gnmic-json";
    case SL_FORMAT_PROTOJSON:
        return "protojson";
    case SL_FORMAT_SLUICE_V1_JSON:
        return "sluice.v1-json";
    case SL_FORMAT_EVENT_SPLIT:
        return "event-split";
    case SL_FORMAT_TELEGRAF_JSON:
        return "telegraf-json";
    case SL_FORMAT_INFLUX:
        return "influx";
    }
    return "unknown";
}

/* ---- lifetime ---- */

/* The copy is the configuration's from now on. */
static bool copy(char **slot, struct sl_str *text)
{
    *slot = sl_str_dup(*text);
    text->data = *slot;
    return *slot != NULL;
}

static bool init_format(struct sl_encoder *encoder, const struct sl_encoder_config *config)
{
    switch (encoder->format) {
    case SL_FORMAT_EVENT:
    case SL_FORMAT_EVENT_SPLIT:
        return sl_event_init(&encoder->of.event, config);
    case SL_FORMAT_SLUICE_V1:
    case SL_FORMAT_SLUICE_V1_JSON:
        return sl_record_init(&encoder->of.record, config);
    case SL_FORMAT_GNMIC_JSON:
        return sl_gnmic_json_init(&encoder->of.gnmic_json, config);
    case SL_FORMAT_TELEGRAF_JSON:
    case SL_FORMAT_INFLUX:
        return sl_telegraf_init(&encoder->of.telegraf, config);
    case SL_FORMAT_PROTO:
    case SL_FORMAT_PROTOJSON:
        break;
    }
    return true;
}

static void fini_format(struct sl_encoder *encoder)
{
    switch (encoder->format) {
    case SL_FORMAT_EVENT:
    case SL_FORMAT_EVENT_SPLIT:
        sl_event_fini(&encoder->of.event);
        break;
    case SL_FORMAT_SLUICE_V1:
    case SL_FORMAT_SLUICE_V1_JSON:
        sl_record_fini(&encoder->of.record);
        break;
    case SL_FORMAT_GNMIC_JSON:
        sl_gnmic_json_fini(&encoder->of.gnmic_json);
        break;
    case SL_FORMAT_TELEGRAF_JSON:
    case SL_FORMAT_INFLUX:
        sl_telegraf_fini(&encoder->of.telegraf);
        break;
    case SL_FORMAT_PROTO:
    case SL_FORMAT_PROTOJSON:
        break;
    }
}

static void free_strings(struct sl_encoder *encoder)
{
    sl_buf_fini(&encoder->piece);
    free(encoder->subscription_target);
    free(encoder->subscription);
    free(encoder->target);
    free(encoder);
}

struct sl_encoder *sl_encoder_new(const struct sl_encoder_config *config)
{
    struct sl_encoder *encoder = calloc(1, sizeof(*encoder));
    struct sl_encoder_config kept = *config;

    if (!encoder) {
        return NULL;
    }
    encoder->format = config->format;
    encoder->unit = config->unit;
    encoder->memory = config->memory;
    if (!copy(&encoder->target, &kept.target) ||
        !copy(&encoder->subscription, &kept.subscription) ||
        !copy(&encoder->subscription_target, &kept.subscription_target)) {
        free_strings(encoder);
        return NULL;
    }
    if (!init_format(encoder, &kept)) {
        sl_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void sl_encoder_free(struct sl_encoder *encoder)
{
    if (encoder) {
        sl_encoder_free(encoder->speaker);
        fini_format(encoder);
        free_strings(encoder);
    }
}

/* A field as it stands: what lies between where `wire` was and where it is. */
static void copy_field(struct sl_buf *out, const uint8_t *from, const struct sl_wire *wire)
{
    sl_buf_add(out, (const char *)from, (size_t)(wire->at - from));
}

/* The response with another timestamp; of the extensions nothing changes. */
static void add_settled(const struct sl_gnmi_response *response, struct sl_buf *out)
{
    struct sl_wire wire = sl_wire_of(response->notification);
    struct sl_wire_field field;
    size_t start = sl_pack_begin(out, NOTIFICATION);

    sl_pack_varint(out, TIMESTAMP, (uint64_t)response->timestamp_ns);
    for (const uint8_t *at = wire.at; sl_wire_next(&wire, &field); at = wire.at) {
        if (field.number != TIMESTAMP) {
            copy_field(out, at, &wire);
        }
    }
    sl_pack_end(out, start);
    wire = sl_wire_of(response->message);
    for (const uint8_t *at = wire.at; sl_wire_next(&wire, &field); at = wire.at) {
        if (field.number == EXTENSION) {
            copy_field(out, at, &wire);
        }
    }
}

static bool encode_proto(const struct sl_gnmi_response *response,
                         const struct sl_encoder_context *context, struct sl_buf *out,
                         struct sl_encoded *encoded)
{
    if (response->has_labels) {
        sl_gnmi_add_without_labels(out, response);
    } else if (context->is_settled && response->kind == SL_GNMI_UPDATE) {
        add_settled(response, out);
    } else {
        sl_buf_add_str(out, response->message);
    }
    encoded->published = response->updates + response->deletes;
    return !out->failed;
}

bool sl_format_can_split(enum sl_format format)
{
    return format != SL_FORMAT_EVENT_SPLIT && format != SL_FORMAT_TELEGRAF_JSON &&
           format != SL_FORMAT_INFLUX;
}

static bool is_in_pieces(const struct sl_encoder *encoder)
{
    return !sl_format_can_split(encoder->format);
}

static bool encode_next(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                        struct sl_encoder_progress *progress, struct sl_buf *out,
                        struct sl_encoded *encoded)
{
    SL_ASSERT(is_in_pieces(encoder));
    if (encoder->format != SL_FORMAT_EVENT_SPLIT) {
        return sl_telegraf_next(&encoder->of.telegraf, response, progress, out, encoded);
    }
    return sl_event_next(&encoder->of.event, response, progress, out, encoded);
}

/* All records, one a line. */
static bool encode_lines(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                         struct sl_buf *out, struct sl_encoded *encoded)
{
    struct sl_encoder_progress progress = {0};
    size_t start = out->len;

    while (!progress.is_done) {
        struct sl_encoded step = {0};
        size_t before = out->len;
        if (before > start && !out->failed && out->data[before - 1] != '\n') {
            sl_buf_add_byte(out, '\n');
        }
        if (!encode_next(encoder, response, &progress, out, &step)) {
            return false;
        }
        out->len = step.published || out->len > before + 1 ? out->len : before;
        encoded->published += step.published;
        encoded->filtered += step.filtered;
        encoded->dropped += step.dropped;
    }
    return !out->failed;
}

static bool encode(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                   const struct sl_encoder_context *context, struct sl_buf *out,
                   struct sl_encoded *encoded)
{
    switch (encoder->format) {
    case SL_FORMAT_EVENT:
        return sl_event_encode(&encoder->of.event, response, out, encoded);
    case SL_FORMAT_SLUICE_V1:
        return sl_record_encode(&encoder->of.record, response, context, out, encoded);
    case SL_FORMAT_GNMIC_JSON:
        return sl_gnmic_json_encode(&encoder->of.gnmic_json, response, out, encoded);
    case SL_FORMAT_PROTOJSON:
        return sl_protojson_encode(response, out, encoded);
    case SL_FORMAT_SLUICE_V1_JSON:
        return sl_record_encode_json(&encoder->of.record, response, context, out, encoded);
    case SL_FORMAT_EVENT_SPLIT:
    case SL_FORMAT_TELEGRAF_JSON:
    case SL_FORMAT_INFLUX:
        return encode_lines(encoder, response, out, encoded);
    case SL_FORMAT_PROTO:
        break;
    }
    return encode_proto(response, context, out, encoded);
}

bool sl_encoder_encode(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                       const struct sl_encoder_context *context, struct sl_buf *out,
                       struct sl_encoded *encoded)
{
    SL_ASSERT(encoder && response && context && out);
    *encoded = (struct sl_encoded){0};
    bool is_ok = encode(encoder, response, context, out, encoded);

    SL_ASSERT(!is_ok || encoded->published + encoded->filtered + encoded->dropped ==
                            response->updates + response->deletes);
    return is_ok;
}

/* Whether the next piece is beyond what may be made of one response: the records, and the work on
 * a prefix that is written again for each piece. */
static bool is_beyond(const struct sl_gnmi_response *response,
                      const struct sl_encoder_progress *progress)
{
    return progress->made_bytes > SL_ENCODER_MAX_RECORD_BYTES ||
           progress->built_bytes >
               SL_ENCODER_MAX_RECORD_BYTES + PIECES_BUILT_TIMES * response->message.len;
}

static bool encode_piece(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                         const struct sl_encoder_context *context,
                         struct sl_encoder_progress *progress, struct sl_buf *out,
                         struct sl_encoded *encoded)
{
    uint32_t left = response->updates + response->deletes - progress->passed;
    struct sl_gnmi_response piece;
    size_t start = out->len;

    if (is_beyond(response, progress)) {
        *encoded = (struct sl_encoded){.dropped = left};
        progress->is_done = true;
        return true;
    }
    sl_buf_trim(&encoder->piece, PIECE_KEPT_BYTES);
    if (!sl_piece_next(response, progress, &encoder->piece, &piece)) {
        return false;
    }
    progress->built_bytes += piece.message.len;
    progress->is_done = left == piece.updates + piece.deletes;
    bool is_ok = sl_encoder_encode(encoder, &piece, context, out, encoded);
    progress->made_bytes += out->len - start;
    return is_ok;
}

bool sl_encoder_next(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                     const struct sl_encoder_context *context, struct sl_encoder_progress *progress,
                     struct sl_buf *out, struct sl_encoded *encoded)
{
    SL_ASSERT(encoder && progress && !progress->is_done);
    bool is_ok;

    if (is_in_pieces(encoder)) {
        *encoded = (struct sl_encoded){0};
        is_ok = encode_next(encoder, response, progress, out, encoded);
    } else if (progress->most ||
               (encoder->unit == SL_RECORD_UPDATE && sl_piece_has_several(response))) {
        is_ok = encode_piece(encoder, response, context, progress, out, encoded);
    } else {
        progress->is_done = true;
        is_ok = sl_encoder_encode(encoder, response, context, out, encoded);
    }
    progress->passed += encoded->published + encoded->filtered + encoded->dropped;
    SL_ASSERT(!is_ok || !progress->is_done ||
              progress->passed == response->updates + response->deletes);
    return is_ok;
}

/* ---- markers ---- */

bool sl_format_has_markers(enum sl_format format)
{
    return format != SL_FORMAT_PROTO && format != SL_FORMAT_PROTOJSON;
}

bool sl_format_wants_markers(enum sl_format format)
{
    return sl_format_marks_sync(format);
}

bool sl_format_marks_sync(enum sl_format format)
{
    return format == SL_FORMAT_SLUICE_V1 || format == SL_FORMAT_SLUICE_V1_JSON;
}

static bool is_of_telegraf(const struct sl_encoder *encoder)
{
    return encoder->format == SL_FORMAT_TELEGRAF_JSON || encoder->format == SL_FORMAT_INFLUX;
}

/* An encoder of their own: as metrics markers have another name than the subscription's, and their
 * numbers keep every digit also where those of the device are rounded. */
static struct sl_encoder *speaker_of(struct sl_encoder *encoder)
{
    static const char *const paths[] = {"/sluice/marker", NULL};
    static const struct sl_gnmi_asked asked = {.paths = paths};
    static const struct sl_gnmi_subscribe subscribe = {.asked = &asked, .asked_count = 1};
    struct sl_encoder_config config = {
        .format = encoder->format,
        .target = sl_str_from(encoder->target),
        .subscription = sl_str_from(encoder->subscription),
        .subscription_target = sl_str_from(encoder->subscription_target),
        .memory = encoder->memory,
    };

    if (is_of_telegraf(encoder)) {
        config.subscription = SL_STR("sluice_marker");
        config.host = sl_str_from(encoder->of.telegraf.host);
        config.is_hostless = !encoder->of.telegraf.names.host.data;
        config.subscribe = &subscribe;
    }
    if (!encoder->speaker) {
        encoder->speaker = sl_encoder_new(&config);
    }
    return encoder->speaker;
}

/* What the format makes of the SubscribeResponse that stands for the marker. */
static bool mark_as_response(struct sl_encoder *encoder, const struct sl_marker *marker,
                             const struct sl_encoder_context *context, struct sl_buf *out)
{
    bool is_metric = is_of_telegraf(encoder);
    struct sl_encoder *speaker = speaker_of(encoder);
    struct sl_gnmi_response response;
    struct sl_encoded encoded;
    struct sl_buf message = {0};
    struct sl_buf scratch = {0};

    sl_marker_respond(marker, context, sl_str_from(encoder->subscription), is_metric, &message);
    bool is_ok = speaker && !message.failed;

    if (is_ok) {
        struct sl_status status = sl_gnmi_response_read(sl_buf_str(&message), &scratch, &response);
        is_ok = sl_status_is_ok(&status) &&
                sl_encoder_encode(speaker, &response, context, out, &encoded);
    }
    sl_buf_fini(&scratch);
    sl_buf_fini(&message);
    return is_ok;
}

bool sl_encoder_mark(struct sl_encoder *encoder, const struct sl_marker *marker,
                     const struct sl_encoder_context *context, struct sl_buf *out)
{
    SL_ASSERT(sl_format_has_markers(encoder->format));
    if (encoder->format == SL_FORMAT_SLUICE_V1) {
        return sl_record_mark(&encoder->of.record, marker, context, out);
    }
    if (encoder->format == SL_FORMAT_SLUICE_V1_JSON) {
        return sl_record_mark_json(&encoder->of.record, marker, context, out);
    }
    return mark_as_response(encoder, marker, context, out);
}

/* ---- origin ---- */

static struct sl_str origin_of(struct sl_str path)
{
    struct sl_gnmi_path read;

    sl_gnmi_path_read(path, &read);
    return read.origin;
}

struct sl_str sl_response_origin(const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_str origin = origin_of(response->prefix);
    struct sl_gnmi_update update;
    struct sl_str path;

    if (origin.len) {
        return origin;
    }
    if (response->listed && response->updates) {
        return origin_of(response->listed[0].update.path);
    }
    if (!response->listed && sl_gnmi_next_update(&cursor, &update)) {
        return origin_of(update.path);
    }
    cursor = sl_gnmi_response_begin(response);
    return sl_gnmi_next_delete(&cursor, &path) ? origin_of(path) : (struct sl_str){0};
}
