/* response.h - one SubscribeResponse, read where it lies (gnmi.proto of openconfig/gnmi, 0.8 to
 * 0.10).
 *
 * sl_gnmi_response_read passes once over the outer fields and notes where things are; the updates
 * and deletes are then walked in place. Nothing is allocated and nothing is copied: every sl_str
 * points into the message, which must outlive the response.
 *
 * A message that is legal but unusual (a message field that comes twice, which protobuf merges; a
 * oneof with two members, of which the last wins) is first brought into its usual form in
 * `scratch`, so that all that follows sees one form. protobuf-c is no help there: it does not merge
 * the members of a oneof and refuses groups and known fields of another wire type, all of which are
 * legal.
 */
#ifndef SLUICE_GNMI_RESPONSE_H
#define SLUICE_GNMI_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum { SL_GNMI_MAX_DEPTH = 100 }; /* of nested messages and of nested JSON */

enum sl_gnmi_response_kind {
    SL_GNMI_EMPTY, /* no field that we know: a keepalive, or extensions alone */
    SL_GNMI_UPDATE,
    SL_GNMI_SYNC,  /* sync_response; `is_sync` says whether it was true */
    SL_GNMI_ERROR, /* the deprecated error arm */
};

struct sl_gnmi_listed;

struct sl_gnmi_response {
    enum sl_gnmi_response_kind kind;
    struct sl_str message;      /* the whole SubscribeResponse as it came */
    struct sl_str notification; /* the bytes of the Notification, in its usual form */
    struct sl_str prefix;       /* the bytes of the prefix Path */
    bool has_prefix;
    bool is_sync; /* sync_response was true */
    bool is_atomic;
    bool has_labels;      /* a path has some: set by rewrite.h alone */
    int64_t timestamp_ns; /* as sent, whatever unit the device thought it was */
    uint32_t updates;
    uint32_t deletes;
    uint64_t duplicates; /* the sum over the updates */
    /* The updates, where rules have made others of them for an encoder that takes them so; there
     * are no deletes then, and `notification` is what it was before. NULL: they stand there. */
    const struct sl_gnmi_listed *listed;
};

enum sl_gnmi_value_kind {
    SL_GNMI_VALUE_NONE, /* no val, or a TypedValue without a known arm */
    SL_GNMI_VALUE_STRING,
    SL_GNMI_VALUE_INT,
    SL_GNMI_VALUE_UINT,
    SL_GNMI_VALUE_BOOL,
    SL_GNMI_VALUE_BYTES,
    SL_GNMI_VALUE_FLOAT,
    SL_GNMI_VALUE_DOUBLE,
    SL_GNMI_VALUE_DECIMAL,
    SL_GNMI_VALUE_LEAFLIST,
    SL_GNMI_VALUE_ANY,
    SL_GNMI_VALUE_JSON,
    SL_GNMI_VALUE_JSON_IETF,
    SL_GNMI_VALUE_ASCII,
    SL_GNMI_VALUE_PROTO_BYTES,
};

struct sl_gnmi_value {
    enum sl_gnmi_value_kind kind;
    union {
        struct sl_str bytes; /* STRING BYTES JSON JSON_IETF ASCII PROTO_BYTES; LEAFLIST: the bytes
                                of the ScalarArray; ANY: those of the google.protobuf.Any */
        int64_t i64;
        uint64_t u64;
        bool boolean;
        float f32;
        double f64;
        struct {
            int64_t digits;
            uint32_t precision;
        } decimal;
    } of;
};

struct sl_gnmi_update {
    struct sl_str raw;  /* the bytes of the Update */
    struct sl_str path; /* the bytes of the Path */
    bool has_path;
    struct sl_gnmi_value value;
    uint32_t duplicates;
};

struct sl_path_hint; /* normalise/pass.h */

struct sl_gnmi_listed {
    struct sl_gnmi_update update; /* `raw` may be another one */
    struct sl_path_hint *hint;    /* of its path */
};

/* Where a walk over the updates, or over the deletes, of a notification stands. */
struct sl_gnmi_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

/* INVALID_ARGUMENT with the place when the bytes are not a SubscribeResponse; RESOURCE_EXHAUSTED
 * when it nests deeper than SL_GNMI_MAX_DEPTH or memory for `scratch` is out. After OK the walks
 * below cannot fail: every length in the message has been checked. */
struct sl_status sl_gnmi_response_read(struct sl_str message, struct sl_buf *scratch,
                                       struct sl_gnmi_response *response) SL_MUST_CHECK;

struct sl_gnmi_cursor sl_gnmi_response_begin(const struct sl_gnmi_response *response);

/* The next update, or the next delete's Path; false at the end. One cursor serves one of the two.
 */
bool sl_gnmi_next_update(struct sl_gnmi_cursor *cursor, struct sl_gnmi_update *update);
bool sl_gnmi_next_delete(struct sl_gnmi_cursor *cursor, struct sl_str *path);

/* The next element of a LEAFLIST, whose bytes `elements` are used up from the front. */
bool sl_gnmi_next_element(struct sl_str *elements, struct sl_gnmi_value *value);

/* The members of a google.protobuf.Any; empty: it has none. The last of each counts. */
struct sl_gnmi_any {
    struct sl_str type_url;
    struct sl_str value;
};

struct sl_gnmi_any sl_gnmi_any_of(struct sl_str any);

#endif
