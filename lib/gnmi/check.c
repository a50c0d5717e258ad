#include "gnmi/check.h"

#include "gnmi/path.h"
#include "gnmi/response.h"
#include "gnmi/wire.h"

enum { FIELDS = 16 }; /* no message that we know has a field beyond 15 */

enum message {
    NONE, /* not a message: a string, bytes, or an unknown field */
    FLAT, /* a message without messages inside, or the inside of a group */
    RESPONSE,
    NOTIFICATION,
    UPDATE,
    TYPED_VALUE,
    SCALAR_ARRAY,
    PATH,
    PATH_ELEM,
    ERROR,
    EXTENSION,
    ARBITRATION,
    HISTORY,
    COMMIT,
    COMMIT_PART,
    CONFIG_SUBSCRIPTION,
    MESSAGES,
};

/* Which message lies in which field. */
static const uint8_t inside[MESSAGES][FIELDS] = {
    [RESPONSE] = {[1] = NOTIFICATION, [4] = ERROR, [5] = EXTENSION},
    [NOTIFICATION] = {[2] = PATH, [4] = UPDATE, [5] = PATH},
    [UPDATE] = {[1] = PATH, [2] = FLAT, [3] = TYPED_VALUE},
    [TYPED_VALUE] = {[7] = FLAT, [8] = SCALAR_ARRAY, [9] = FLAT},
    [SCALAR_ARRAY] = {[1] = TYPED_VALUE},
    [PATH] = {[3] = PATH_ELEM},
    [PATH_ELEM] = {[2] = FLAT},
    [ERROR] = {[3] = FLAT},
    [EXTENSION] = {[1] = FLAT,
                   [2] = ARBITRATION,
                   [3] = HISTORY,
                   [4] = COMMIT,
                   [5] = FLAT,
                   [6] = CONFIG_SUBSCRIPTION},
    [ARBITRATION] = {[1] = FLAT, [2] = FLAT},
    [HISTORY] = {[2] = FLAT},
    [COMMIT] = {[2] = COMMIT_PART, [3] = FLAT, [4] = FLAT, [5] = COMMIT_PART},
    [COMMIT_PART] = {[1] = FLAT},
    [CONFIG_SUBSCRIPTION] = {[1] = FLAT, [2] = FLAT},
};

/* The fields (a bit each) of which two in one message are not the usual form. */
static const uint16_t once[MESSAGES] = {
    [RESPONSE] = 1 << 1 | 1 << 3 | 1 << 4,
    [NOTIFICATION] = 1 << 2,
    [UPDATE] = 1 << 1 | 1 << 2 | 1 << 3,
    [TYPED_VALUE] = 0x7ffe,
};

/* Those of `once` that exclude each other. */
static const uint16_t oneof[MESSAGES] = {
    [RESPONSE] = 1 << 1 | 1 << 3 | 1 << 4,
    [TYPED_VALUE] = 0x7ffe,
};

/* ---- the plain case ---- */

/* Most updates are one Path and one scalar, with tags and lengths of a single byte (of the value:
 * two at most, for JSON). These are passed by the few functions here; false only says that the long
 * way must decide. */

/* Where the payload of a field ends that begins at `at` with its tag and length; NULL: not plain.
 */
static inline const uint8_t *plain_end(const uint8_t *at, const uint8_t *end)
{
    return end - at >= 2 && at[1] < 0x80 && at[1] <= end - at - 2 ? at + 2 + at[1] : NULL;
}

/* The same where the length may have two bytes: where the payload begins, and its end. */
static inline const uint8_t *plain_payload(const uint8_t *at, const uint8_t *end,
                                           const uint8_t **payload_end)
{
    size_t left = (size_t)(end - at);
    size_t head = 2;

    if (left < 3) {
        return NULL;
    }
    size_t len = at[1];

    if (len >= 0x80) {
        len = (len & 0x7f) | (size_t)at[2] << 7;
        head = at[2] < 0x80 ? 3 : left;
    }
    if (len > left - head) {
        return NULL;
    }
    *payload_end = at + head + len;
    return at + head;
}

enum {
    TAG_1_BYTES = 1 << 3 | SL_WIRE_BYTES,
    TAG_2_BYTES = 2 << 3 | SL_WIRE_BYTES,
    TAG_3_BYTES = 3 << 3 | SL_WIRE_BYTES,
    TAG_4_VARINT = 4 << 3 | SL_WIRE_VARINT,
};

/* A message that has nothing but strings in its fields 1 and 2. */
static inline bool is_plain_entry(const uint8_t *at, const uint8_t *end)
{
    while (at && at < end) {
        at = *at == TAG_1_BYTES || *at == TAG_2_BYTES ? plain_end(at, end) : NULL;
    }
    return at != NULL;
}

static inline bool is_plain_elem(const uint8_t *at, const uint8_t *end)
{
    while (at && at < end) {
        const uint8_t *next = plain_end(at, end);
        if (*at == TAG_2_BYTES && next) {
            next = is_plain_entry(at + 2, next) ? next : NULL;
        } else if (*at != TAG_1_BYTES) {
            next = NULL;
        }
        at = next;
    }
    return at != NULL;
}

static inline bool is_plain_path(const uint8_t *at, const uint8_t *end)
{
    while (at && at < end) {
        const uint8_t *next = *at == TAG_3_BYTES ? plain_end(at, end) : NULL;
        at = next && is_plain_elem(at + 2, next) ? next : NULL;
    }
    return at != NULL;
}

/* One scalar arm and nothing else. */
static inline bool is_plain_value(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *start = at;
    const uint8_t *payload_end;

    if (at == end || *at < 1 << 3 || *at >= FIELDS << 3) {
        return false;
    }
    switch ((enum sl_wire_type)(*at & 7)) {
    case SL_WIRE_VARINT:
        while (++at < end && *at >= 0x80) {
        }
        return at + 1 == end && end - start <= 1 + 10;
    case SL_WIRE_BYTES:
        return inside[TYPED_VALUE][*at >> 3] == NONE && plain_payload(at, end, &payload_end) &&
               payload_end == end;
    case SL_WIRE_FIXED64:
        return end - at == 9;
    case SL_WIRE_FIXED32:
        return end - at == 5;
    case SL_WIRE_GROUP:
    case SL_WIRE_END_GROUP:
        break;
    }
    return false;
}

/* A Path, then a TypedValue, then at most a short count of duplicates. */
static inline bool is_plain_update(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *next = at < end && *at == TAG_1_BYTES ? plain_end(at, end) : NULL;

    if (!next || !is_plain_path(at + 2, next)) {
        return false;
    }
    at = next;
    at = at < end && *at == TAG_3_BYTES ? plain_payload(at, end, &next) : NULL;
    if (!at || !is_plain_value(at, next)) {
        return false;
    }
    return next == end || (end - next == 2 && next[0] == TAG_4_VARINT && next[1] < 0x80);
}

/* ---- every case ---- */

struct frame {
    const uint8_t *end;
    uint32_t group; /* the field number of a group, 0 for a message */
    uint16_t seen;
    uint8_t message;
};

struct check {
    struct sl_wire wire; /* its end is that of the innermost message */
    struct frame frames[SL_GNMI_MAX_DEPTH];
    size_t depth; /* the innermost frame */
    bool is_usual;
    bool is_too_deep;
};

static bool push(struct check *check, uint8_t message, const uint8_t *end, uint32_t group)
{
    if (check->depth + 1 == SL_GNMI_MAX_DEPTH) {
        check->is_too_deep = true;
        return false;
    }
    check->depth++;
    check->frames[check->depth] = (struct frame){.end = end, .group = group, .message = message};
    check->wire.end = end;
    return true;
}

static void pop(struct check *check)
{
    SL_ASSERT(check->depth > 0);
    check->depth--;
    check->wire.end = check->frames[check->depth].end;
}

static void mark_seen(struct check *check, struct frame *frame, uint32_t number)
{
    uint16_t bit = (uint16_t)(1u << number);
    uint16_t conflicts = oneof[frame->message] & bit ? oneof[frame->message] : bit;

    if (once[frame->message] & bit) {
        check->is_usual = check->is_usual && !(frame->seen & conflicts);
        frame->seen |= bit;
    }
}

static bool check_bytes(struct check *check, uint32_t number)
{
    struct frame *frame = &check->frames[check->depth];
    uint8_t message = number < FIELDS ? inside[frame->message][number] : NONE;
    uint64_t len;

    if (!sl_wire_varint(&check->wire, &len) || len > (uint64_t)(check->wire.end - check->wire.at)) {
        return false;
    }
    const uint8_t *end = check->wire.at + len;

    if (message != NONE && !(message == UPDATE && is_plain_update(check->wire.at, end)) &&
        !(message == PATH && is_plain_path(check->wire.at, end))) {
        return push(check, message, end, 0);
    }
    check->wire.at = end;
    return true;
}

static bool check_end_group(struct check *check, uint32_t number)
{
    if (check->frames[check->depth].group != number) {
        return false;
    }
    pop(check);
    return true;
}

/* A tag has at most 32 bits, and a number above 0. */
static bool read_tag(struct check *check, uint32_t *number, enum sl_wire_type *type)
{
    const uint8_t *at = check->wire.at;
    uint64_t tag;

    if (!sl_wire_varint(&check->wire, &tag) || check->wire.at - at > 5 || tag > UINT32_MAX) {
        return false;
    }
    *number = (uint32_t)tag >> 3;
    *type = (enum sl_wire_type)(tag & 7);
    return *number > 0;
}

static bool check_field(struct check *check)
{
    struct frame *frame = &check->frames[check->depth];
    uint32_t number;
    enum sl_wire_type type;
    uint64_t value;

    if (!read_tag(check, &number, &type)) {
        return false;
    }
    if (number < FIELDS && type != SL_WIRE_GROUP) {
        mark_seen(check, frame, number);
    } else if (number == SL_GNMI_PATH_LABELS && frame->message == PATH) {
        check->is_usual = false; /* ours alone */
    }
    switch (type) {
    case SL_WIRE_VARINT:
        return sl_wire_varint(&check->wire, &value);
    case SL_WIRE_FIXED64:
        return sl_wire_fixed(&check->wire, 8, &value);
    case SL_WIRE_BYTES:
        return check_bytes(check, number);
    case SL_WIRE_GROUP:
        return push(check, FLAT, check->wire.end, number);
    case SL_WIRE_END_GROUP:
        return check_end_group(check, number);
    case SL_WIRE_FIXED32:
        return sl_wire_fixed(&check->wire, 4, &value);
    }
    return false;
}

/* At the end of a message: back to the one around it. False: a group was still open. */
static bool leave_messages(struct check *check)
{
    while (check->wire.at == check->wire.end && check->depth > 0) {
        if (check->frames[check->depth].group) {
            return false;
        }
        pop(check);
    }
    return true;
}

bool sl_gnmi_check(struct sl_str message, bool *is_usual, struct sl_status *why)
{
    struct check check; /* not zeroed: its frames are many, and written before they are read */
    const uint8_t *start = (const uint8_t *)message.data;
    const uint8_t *at = start;
    bool is_ok = true;

    check.wire = sl_wire_of(message);
    check.depth = 0;
    check.is_usual = true;
    check.is_too_deep = false;
    check.frames[0] = (struct frame){.end = check.wire.end, .message = RESPONSE};
    while (is_ok && check.wire.at < check.frames[0].end) {
        at = check.wire.at;
        is_ok = check_field(&check) && leave_messages(&check);
    }
    *is_usual = check.is_usual;
    if (check.is_too_deep) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED,
                               "a SubscribeResponse of more than %d levels (at byte %zu)",
                               (int)SL_GNMI_MAX_DEPTH, (size_t)(at - start));
    } else if (!is_ok) {
        *why = sl_status_error(SL_INVALID_ARGUMENT,
                               "not a SubscribeResponse: a broken field at byte %zu of %zu",
                               (size_t)(at - start), message.len);
    }
    return is_ok;
}
