/* capture.c - a capture, in pieces of any size: the same is read of it as of the whole, every place
 * is in the file, and what protobuf takes is taken. */
#include "gnmi/capture.h"

#include "capture.pb-c.h"
#include "fuzz.h"

struct reading {
    struct sl_buf seen;    /* the header, and where each entry begins */
    struct sl_buf entries; /* of each its kind, and what is in it */
    enum sl_code code;     /* of the end */
};

static void add_number(struct sl_buf *out, uint64_t number)
{
    sl_buf_add_u64(out, number);
    sl_buf_add_byte(out, ' ');
}

static void add_text(struct sl_buf *out, struct sl_str text)
{
    add_number(out, text.len);
    sl_buf_add_str(out, text);
}

static void note_header(struct reading *reading, const struct sl_gnmi_capture_header *header)
{
    struct sl_str fields = header->fields;
    struct sl_str name;

    add_text(&reading->seen, header->target);
    add_text(&reading->seen, header->vendor);
    add_text(&reading->seen, header->sluice);
    add_text(&reading->seen, header->request);
    add_number(&reading->seen, (uint64_t)header->started_ns);
    add_number(&reading->seen, header->part);
    while (sl_gnmi_capture_subscription(&fields, &name)) {
        add_text(&reading->seen, name);
    }
}

/* As far as a C string goes. */
static struct sl_str up_to_nul(struct sl_str text)
{
    return (struct sl_str){text.data, text.len ? strnlen(text.data, text.len) : 0};
}

static void note_entry(struct reading *reading, const struct sl_gnmi_capture_entry *entry)
{
    SL_ASSERT((unsigned)entry->code < SL_CODES);
    add_number(&reading->seen, entry->at);
    add_number(&reading->entries, entry->kind);
    add_number(&reading->entries, entry->code);
    add_number(&reading->entries, (uint64_t)entry->received_ns);
    add_text(&reading->entries, entry->response);
    add_text(&reading->entries, up_to_nul(entry->text));
}

static bool note(struct reading *reading, enum sl_gnmi_capture_step step,
                 const struct sl_gnmi_capture_piece *piece)
{
    switch (step) {
    case SL_GNMI_CAPTURE_HEADER:
        note_header(reading, &piece->header);
        return true;
    case SL_GNMI_CAPTURE_ENTRY:
        note_entry(reading, &piece->entry);
        return true;
    case SL_GNMI_CAPTURE_MORE:
    case SL_GNMI_CAPTURE_BAD:
        break;
    }
    return false;
}

/* `chunk` bytes more each time that the reader wants some; 0: all at once. */
static void read_file(struct sl_str file, size_t chunk, struct reading *reading)
{
    struct sl_gnmi_capture_reader reader = {0};
    struct sl_gnmi_capture_piece piece;
    struct sl_status why;
    size_t seen = chunk ? sl_min_size(chunk, file.len) : file.len;

    for (;;) {
        struct sl_str bytes = {file.data + reader.at, seen - (size_t)reader.at};
        enum sl_gnmi_capture_step step = sl_gnmi_capture_read(&reader, bytes, &piece, &why);
        SL_ASSERT(reader.at <= seen && piece.used_bytes <= bytes.len);
        if (step == SL_GNMI_CAPTURE_MORE && seen < file.len) {
            SL_ASSERT(piece.needed_bytes > seen - reader.at);
            SL_ASSERT(piece.needed_bytes <= SL_GNMI_CAPTURE_MAX_ENTRY_BYTES + 20);
            seen += sl_min_size(chunk, file.len - seen);
        } else if (!note(reading, step, &piece)) {
            if (step == SL_GNMI_CAPTURE_MORE) {
                why = sl_gnmi_capture_end(&reader, file.len - (size_t)reader.at);
            }
            SL_ASSERT(step == SL_GNMI_CAPTURE_MORE || why.code == SL_INVALID_ARGUMENT);
            reading->code = why.code;
            return;
        }
    }
}

/* The entries that protobuf finds, as note_entry has them but for the place. */
static void note_protobuf(struct sl_buf *seen, const Sluice__Capture__V1__Entry *entry)
{
    enum sl_gnmi_capture_kind kind = SL_GNMI_CAPTURE_RESPONSE;
    struct sl_str response = {NULL, 0};
    struct sl_str text = {NULL, 0};
    uint64_t code = SL_OK;

    if (entry->what_case == SLUICE__CAPTURE__V1__ENTRY__WHAT_RESPONSE) {
        response = (struct sl_str){(const char *)entry->response.data, entry->response.len};
    } else if (entry->what_case == SLUICE__CAPTURE__V1__ENTRY__WHAT_END) {
        kind = SL_GNMI_CAPTURE_END;
        code = entry->end->code;
        text = sl_str_from(entry->end->text);
    } else if (entry->what_case == SLUICE__CAPTURE__V1__ENTRY__WHAT_STOP) {
        kind = SL_GNMI_CAPTURE_STOP;
        text = sl_str_from(entry->stop->reason);
    } else {
        return;
    }
    add_number(seen, kind);
    add_number(seen, code < SL_CODES ? code : SL_UNKNOWN);
    add_number(seen, (uint64_t)entry->received_ns);
    add_text(seen, response);
    add_text(seen, text);
}

/* What both take says the same: protobuf-c refuses groups and known fields of another type, and
 * knows no order of header and entries, and no limits. */
static void compare(struct sl_str file, const struct reading *reading)
{
    Sluice__Capture__V1__Capture *capture =
        sluice__capture__v1__capture__unpack(NULL, file.len, (const uint8_t *)file.data);
    struct sl_buf seen = {0};

    if (!capture) {
        return;
    }
    for (size_t i = 0; i < capture->n_entry; i++) {
        note_protobuf(&seen, capture->entry[i]);
    }
    SL_ASSERT(reading->code != SL_OK ||
              sl_str_eq(sl_buf_str(&seen), sl_buf_str(&reading->entries)));
    sl_buf_fini(&seen);
    sluice__capture__v1__capture__free_unpacked(capture, NULL);
}

static void forget(struct reading *reading)
{
    sl_buf_fini(&reading->seen);
    sl_buf_fini(&reading->entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_str file = {(const char *)data, size};
    struct reading whole = {0};

    read_file(file, 0, &whole);
    compare(file, &whole);
    for (size_t chunk = 1; chunk < 8; chunk += 3) {
        struct reading pieces = {0};

        read_file(file, chunk, &pieces);
        SL_ASSERT(pieces.code == whole.code);
        SL_ASSERT(sl_str_eq(sl_buf_str(&pieces.seen), sl_buf_str(&whole.seen)));
        SL_ASSERT(sl_str_eq(sl_buf_str(&pieces.entries), sl_buf_str(&whole.entries)));
        forget(&pieces);
    }
    forget(&whole);
    return 0;
}
