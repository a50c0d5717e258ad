#include "gnmi/capture.h"

#include "gnmi/pack.h"
#include "gnmi/wire.h"

enum { CAPTURE_MAGIC = 1, CAPTURE_HEADER = 2, CAPTURE_ENTRY = 3 };

enum {
    HEADER_VERSION = 1,
    HEADER_TARGET = 2,
    HEADER_SUBSCRIPTION = 3,
    HEADER_REQUEST = 4,
    HEADER_VENDOR = 5,
    HEADER_STARTED = 6,
    HEADER_SLUICE = 7,
    HEADER_PART = 8,
};

enum { ENTRY_RECEIVED = 1, ENTRY_RESPONSE = 2, ENTRY_END = 3, ENTRY_STOP = 4 };

enum { END_CODE = 1, END_TEXT = 2, STOP_REASON = 1 };

enum {
    MAX_VARINT_BYTES = 10,
    MAX_FIELD_NUMBER = (1 << 29) - 1,
    HEAD_BYTES = 2 * (1 + MAX_VARINT_BYTES) + 1 + 8, /* of an entry, in front of its response */
};

/* What every capture begins with: a field 1 of that text. */
static const char magic[] = "\x0a\x0esluice capture";

enum { MAGIC_BYTES = sizeof(magic) - 1 };

/* ---- the frame of a piece: a tag, a length, and so many bytes ---- */

struct frame {
    uint32_t number;
    struct sl_str bytes;
    size_t size; /* of all of it */
};

static struct sl_status wrong_at(uint64_t at, const char *what)
{
    return sl_status_error(SL_INVALID_ARGUMENT, "byte %llu: %s", (unsigned long long)at, what);
}

/* How long the varint at the front is; 0: it is not all there. */
static size_t varint_bytes(struct sl_str bytes)
{
    size_t most = sl_min_size(bytes.len, MAX_VARINT_BYTES);

    for (size_t i = 0; i < most; i++) {
        if (!((unsigned char)bytes.data[i] & 0x80)) {
            return i + 1;
        }
    }
    return most == MAX_VARINT_BYTES ? MAX_VARINT_BYTES : 0;
}

static uint64_t limit_of(uint32_t number)
{
    return number == CAPTURE_ENTRY ? SL_GNMI_CAPTURE_MAX_ENTRY_BYTES
                                   : SL_GNMI_CAPTURE_MAX_HEADER_BYTES;
}

/* MORE with *needed, BAD, or ENTRY for any piece that is there. */
static enum sl_gnmi_capture_step read_frame(uint64_t at, struct sl_str bytes, struct frame *frame,
                                            size_t *needed, struct sl_status *why)
{
    struct sl_wire wire = sl_wire_of(bytes);
    size_t tag_bytes = varint_bytes(bytes);
    struct sl_str rest = {bytes.data + tag_bytes, bytes.len - tag_bytes};
    size_t len_bytes = tag_bytes ? varint_bytes(rest) : 0;
    uint64_t tag = 0;
    uint64_t len = 0;

    if (len_bytes == 0) {
        *needed = bytes.len + 1;
        return SL_GNMI_CAPTURE_MORE;
    }
    if (!sl_wire_varint(&wire, &tag) || (tag & 7) != SL_WIRE_BYTES || tag >> 3 == 0 ||
        tag >> 3 > MAX_FIELD_NUMBER || !sl_wire_varint(&wire, &len)) {
        *why = wrong_at(at, "neither a header nor an entry of a capture");
        return SL_GNMI_CAPTURE_BAD;
    }
    frame->number = (uint32_t)(tag >> 3);
    if (len > limit_of(frame->number)) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "byte %llu: %llu bytes, %llu at most",
                               (unsigned long long)at, (unsigned long long)len,
                               (unsigned long long)limit_of(frame->number));
        return SL_GNMI_CAPTURE_BAD;
    }
    frame->size = tag_bytes + len_bytes + (size_t)len;
    *needed = frame->size;
    if (frame->size > bytes.len) {
        return SL_GNMI_CAPTURE_MORE;
    }
    frame->bytes = (struct sl_str){(const char *)wire.at, (size_t)len};
    return SL_GNMI_CAPTURE_ENTRY;
}

/* ---- what is in it ---- */

/* The next field of bytes that nobody has checked; false at the end, and where they are broken:
 * then there is something left. */
static bool next_field(struct sl_wire *wire, struct sl_wire_field *field)
{
    struct sl_wire before = *wire;

    if (sl_wire_next(wire, field) && field->number != 0) {
        return true;
    }
    *wire = before;
    return false;
}

/* Where in the file the wire stands, which is in the piece that ends at `end`. */
static uint64_t place_of(const struct sl_wire *wire, uint64_t end)
{
    return end - (uint64_t)(wire->end - wire->at);
}

static void take_header_field(struct sl_gnmi_capture_header *header,
                              const struct sl_wire_field *field, uint64_t *version)
{
    if (sl_wire_is(field, HEADER_VERSION, SL_WIRE_VARINT)) {
        *version = field->value;
    } else if (sl_wire_is(field, HEADER_TARGET, SL_WIRE_BYTES)) {
        header->target = field->bytes;
    } else if (sl_wire_is(field, HEADER_REQUEST, SL_WIRE_BYTES)) {
        header->request = field->bytes;
    } else if (sl_wire_is(field, HEADER_VENDOR, SL_WIRE_BYTES)) {
        header->vendor = field->bytes;
    } else if (sl_wire_is(field, HEADER_STARTED, SL_WIRE_FIXED64)) {
        header->started_ns = (int64_t)field->value;
    } else if (sl_wire_is(field, HEADER_SLUICE, SL_WIRE_BYTES)) {
        header->sluice = field->bytes;
    } else if (sl_wire_is(field, HEADER_PART, SL_WIRE_VARINT)) {
        header->part = (uint32_t)field->value;
    }
}

/* The fields up to the end, or to where they are damaged: there `wire` stands then. */
static void take_header(struct sl_wire *wire, struct sl_gnmi_capture_header *header,
                        uint64_t *version)
{
    struct sl_wire_field field;

    *version = 0;
    while (next_field(wire, &field)) {
        take_header_field(header, &field, version);
    }
}

/* `end`: the byte of the file behind the piece. */
static bool read_header(struct sl_str bytes, uint64_t end, struct sl_gnmi_capture_header *header,
                        struct sl_status *why)
{
    struct sl_wire wire = sl_wire_of(bytes);
    uint64_t version;

    *header = (struct sl_gnmi_capture_header){.fields = bytes};
    take_header(&wire, header, &version);
    if (wire.at != wire.end) {
        *why = wrong_at(place_of(&wire, end), "the header is damaged");
        return false;
    }
    if (version != SL_GNMI_CAPTURE_VERSION) {
        *why =
            sl_status_error(SL_INVALID_ARGUMENT,
                            "byte %llu: a capture of version %llu; this program reads version %d",
                            (unsigned long long)(end - bytes.len), (unsigned long long)version,
                            SL_GNMI_CAPTURE_VERSION);
        return false;
    }
    return true;
}

static enum sl_code code_of(uint32_t number)
{
    return number < SL_CODES ? (enum sl_code)number : SL_UNKNOWN;
}

/* An End or a Stop: both have a text, one of them a code. */
static bool read_last(struct sl_str bytes, uint32_t text_number,
                      struct sl_gnmi_capture_entry *entry)
{
    struct sl_wire wire = sl_wire_of(bytes);
    struct sl_wire_field field;

    while (next_field(&wire, &field)) {
        if (sl_wire_is(&field, text_number, SL_WIRE_BYTES)) {
            entry->text = field.bytes;
        } else if (text_number == END_TEXT && sl_wire_is(&field, END_CODE, SL_WIRE_VARINT)) {
            entry->code = code_of((uint32_t)field.value);
        }
    }
    return wire.at == wire.end;
}

/* Of several kinds the last counts, as with any oneof. */
static void set_kind(struct sl_gnmi_capture_entry *entry, enum sl_gnmi_capture_kind kind)
{
    *entry = (struct sl_gnmi_capture_entry){.kind = kind, .received_ns = entry->received_ns};
}

/* False: it is damaged. */
static bool take_entry_field(struct sl_gnmi_capture_entry *entry, const struct sl_wire_field *field,
                             bool *is_known)
{
    if (sl_wire_is(field, ENTRY_RECEIVED, SL_WIRE_FIXED64)) {
        entry->received_ns = (int64_t)field->value;
        return true;
    }
    if (sl_wire_is(field, ENTRY_RESPONSE, SL_WIRE_BYTES)) {
        set_kind(entry, SL_GNMI_CAPTURE_RESPONSE);
        entry->response = field->bytes;
        *is_known = true;
        return true;
    }
    if (sl_wire_is(field, ENTRY_END, SL_WIRE_BYTES)) {
        set_kind(entry, SL_GNMI_CAPTURE_END);
        *is_known = true;
        return read_last(field->bytes, END_TEXT, entry);
    }
    if (sl_wire_is(field, ENTRY_STOP, SL_WIRE_BYTES)) {
        set_kind(entry, SL_GNMI_CAPTURE_STOP);
        *is_known = true;
        return read_last(field->bytes, STOP_REASON, entry);
    }
    return true;
}

static bool read_entry(struct sl_str bytes, uint64_t end, struct sl_gnmi_capture_entry *entry,
                       bool *is_known, struct sl_status *why)
{
    struct sl_wire wire = sl_wire_of(bytes);
    struct sl_wire_field field;
    bool is_good = true;

    *entry = (struct sl_gnmi_capture_entry){0};
    *is_known = false;
    while (is_good && next_field(&wire, &field)) {
        is_good = take_entry_field(entry, &field, is_known);
    }
    if (!is_good || wire.at != wire.end) {
        *why = wrong_at(place_of(&wire, end), "the entry is damaged");
        return false;
    }
    return true;
}

/* ---- the reader ---- */

/* What a frame is to the reader: HEADER, ENTRY, BAD, or MORE for what is to be passed over. */
static enum sl_gnmi_capture_step take_frame(struct sl_gnmi_capture_reader *reader,
                                            const struct frame *frame,
                                            struct sl_gnmi_capture_piece *piece,
                                            struct sl_status *why)
{
    uint64_t end = reader->at + frame->size;
    bool is_known;

    if (frame->number == CAPTURE_HEADER && !reader->has_header) {
        reader->has_header = read_header(frame->bytes, end, &piece->header, why);
        return reader->has_header ? SL_GNMI_CAPTURE_HEADER : SL_GNMI_CAPTURE_BAD;
    }
    if (frame->number != CAPTURE_ENTRY) {
        return SL_GNMI_CAPTURE_MORE;
    }
    if (!reader->has_header) {
        *why = wrong_at(reader->at, "an entry before the header");
        return SL_GNMI_CAPTURE_BAD;
    }
    if (!read_entry(frame->bytes, end, &piece->entry, &is_known, why)) {
        return SL_GNMI_CAPTURE_BAD;
    }
    piece->entry.at = reader->at;
    return is_known ? SL_GNMI_CAPTURE_ENTRY : SL_GNMI_CAPTURE_MORE;
}

/* MORE: there is not enough of it, or it was passed over (then some of it was used). */
static enum sl_gnmi_capture_step read_magic(struct sl_gnmi_capture_reader *reader,
                                            struct sl_str bytes,
                                            struct sl_gnmi_capture_piece *piece,
                                            struct sl_status *why)
{
    size_t len = sl_min_size(bytes.len, MAGIC_BYTES);

    if (len && memcmp(bytes.data, magic, len) != 0) {
        *why = wrong_at(0, "this is not a capture");
        return SL_GNMI_CAPTURE_BAD;
    }
    piece->needed_bytes = MAGIC_BYTES;
    if (len == MAGIC_BYTES) {
        reader->has_magic = true;
        piece->used_bytes = MAGIC_BYTES;
    }
    return SL_GNMI_CAPTURE_MORE;
}

static enum sl_gnmi_capture_step read_piece(struct sl_gnmi_capture_reader *reader,
                                            struct sl_str bytes,
                                            struct sl_gnmi_capture_piece *piece,
                                            struct sl_status *why)
{
    struct frame frame;

    if (!reader->has_magic) {
        return read_magic(reader, bytes, piece, why);
    }
    enum sl_gnmi_capture_step step =
        read_frame(reader->at, bytes, &frame, &piece->needed_bytes, why);
    if (step == SL_GNMI_CAPTURE_ENTRY) {
        piece->used_bytes = frame.size;
        step = take_frame(reader, &frame, piece, why);
    }
    return step;
}

enum sl_gnmi_capture_step sl_gnmi_capture_read(struct sl_gnmi_capture_reader *reader,
                                               struct sl_str bytes,
                                               struct sl_gnmi_capture_piece *piece,
                                               struct sl_status *why)
{
    size_t used = 0;
    enum sl_gnmi_capture_step step;

    *why = sl_status_ok();
    do {
        struct sl_str rest = {bytes.data ? bytes.data + used : NULL, bytes.len - used};
        piece->used_bytes = 0;
        step = read_piece(reader, rest, piece, why);
        used += piece->used_bytes;
        reader->at += piece->used_bytes;
    } while (step == SL_GNMI_CAPTURE_MORE && piece->used_bytes > 0);
    piece->used_bytes = used;
    return step;
}

struct sl_status sl_gnmi_capture_end(const struct sl_gnmi_capture_reader *reader, size_t rest_bytes)
{
    if (!reader->has_header) {
        return sl_status_error(SL_INVALID_ARGUMENT,
                               "byte %llu: the file ends before the header does",
                               (unsigned long long)(reader->at + rest_bytes));
    }
    if (rest_bytes) {
        return sl_status_error(SL_DATA_LOSS,
                               "byte %llu: cut off, the file ends %llu bytes into an entry",
                               (unsigned long long)reader->at, (unsigned long long)rest_bytes);
    }
    return sl_status_ok();
}

struct sl_gnmi_capture_header sl_gnmi_capture_header_of(struct sl_str fields)
{
    struct sl_gnmi_capture_header header = {.fields = fields};
    struct sl_wire wire = sl_wire_of(fields);
    uint64_t version;

    take_header(&wire, &header, &version);
    return header;
}

bool sl_gnmi_capture_subscription(struct sl_str *fields, struct sl_str *name)
{
    struct sl_wire wire = sl_wire_of(*fields);
    struct sl_wire_field field;

    while (next_field(&wire, &field)) {
        if (sl_wire_is(&field, HEADER_SUBSCRIPTION, SL_WIRE_BYTES)) {
            *fields = (struct sl_str){(const char *)wire.at, (size_t)(wire.end - wire.at)};
            *name = field.bytes;
            return true;
        }
    }
    *fields = (struct sl_str){NULL, 0};
    return false;
}

/* ---- the writer ---- */

static void add_text(struct sl_buf *out, uint32_t number, struct sl_str text)
{
    if (text.len) {
        sl_pack_bytes(out, number, text);
    }
}

static char *put_fixed64_field(char *at, uint32_t number, int64_t value)
{
    at = sl_pack_put_varint(at, (uint64_t)number << 3 | SL_WIRE_FIXED64);
    return sl_pack_put_fixed(at, sizeof(uint64_t), (uint64_t)value);
}

static void add_fixed64(struct sl_buf *out, uint32_t number, int64_t value)
{
    char bytes[MAX_VARINT_BYTES + sizeof(uint64_t)];

    sl_buf_add(out, bytes, (size_t)(put_fixed64_field(bytes, number, value) - bytes));
}

void sl_gnmi_capture_add_header(struct sl_buf *out, const struct sl_gnmi_capture_header *header,
                                const char *const *subscriptions)
{
    sl_buf_add(out, magic, MAGIC_BYTES);
    size_t start = sl_pack_begin(out, CAPTURE_HEADER);
    sl_pack_varint(out, HEADER_VERSION, SL_GNMI_CAPTURE_VERSION);
    add_text(out, HEADER_TARGET, header->target);
    for (size_t i = 0; subscriptions[i]; i++) {
        sl_pack_bytes(out, HEADER_SUBSCRIPTION, sl_str_from(subscriptions[i]));
    }
    add_text(out, HEADER_REQUEST, header->request);
    add_text(out, HEADER_VENDOR, header->vendor);
    add_fixed64(out, HEADER_STARTED, header->started_ns);
    add_text(out, HEADER_SLUICE, header->sluice);
    if (header->part) {
        sl_pack_varint(out, HEADER_PART, header->part);
    }
    sl_pack_end(out, start);
}

void sl_gnmi_capture_add_response(struct sl_buf *out, int64_t received_ns, struct sl_str response)
{
    char head[HEAD_BYTES];
    size_t payload = 1 + sizeof(uint64_t) + 1 + sl_pack_varint_len(response.len) + response.len;
    char *at = sl_pack_put_varint(head, CAPTURE_ENTRY << 3 | SL_WIRE_BYTES);

    SL_ASSERT(response.len <= SL_GNMI_CAPTURE_MAX_RESPONSE_BYTES);
    at = sl_pack_put_varint(at, payload);
    at = put_fixed64_field(at, ENTRY_RECEIVED, received_ns);
    at = sl_pack_put_varint(at, ENTRY_RESPONSE << 3 | SL_WIRE_BYTES);
    at = sl_pack_put_varint(at, response.len);
    sl_buf_add(out, head, (size_t)(at - head));
    sl_buf_add_str(out, response);
}

void sl_gnmi_capture_add_end(struct sl_buf *out, int64_t received_ns, enum sl_code code,
                             struct sl_str text)
{
    size_t entry = sl_pack_begin(out, CAPTURE_ENTRY);

    add_fixed64(out, ENTRY_RECEIVED, received_ns);
    size_t end = sl_pack_begin(out, ENTRY_END);
    sl_pack_varint(out, END_CODE, code);
    add_text(out, END_TEXT, text);
    sl_pack_end(out, end);
    sl_pack_end(out, entry);
}

void sl_gnmi_capture_add_stop(struct sl_buf *out, int64_t received_ns, const char *reason)
{
    size_t entry = sl_pack_begin(out, CAPTURE_ENTRY);

    add_fixed64(out, ENTRY_RECEIVED, received_ns);
    size_t stop = sl_pack_begin(out, ENTRY_STOP);
    add_text(out, STOP_REASON, sl_str_from(reason));
    sl_pack_end(out, stop);
    sl_pack_end(out, entry);
}
