#include "grpc/metadata.h"

#include <string.h>

#include "base/base64.h"
#include "grpc/wire.h"

enum {
    FIELD_COST_BYTES = 32, /* beside its name and value (RFC 9113 section 6.5.2) */
    FIRST_BYTES = 256,     /* for received fields */
};

void sl_grpc_metadata_fini(struct sl_grpc_metadata *metadata)
{
    sl_buf_fini(&metadata->bytes);
}

static bool ends_with(struct sl_str name, struct sl_str end)
{
    return name.len > end.len && memcmp(name.data + name.len - end.len, end.data, end.len) == 0;
}

static bool is_binary(struct sl_str name)
{
    return ends_with(name, SL_STR("-bin"));
}

/* HTTP's and gRPC's own: no application sends them or sees them. grpc-status-details-bin is of the
 * status. */
static bool is_reserved(struct sl_str name)
{
    static const char *const names[] = {"te",      "content-type",      "connection",
                                        "host",    "transfer-encoding", "keep-alive",
                                        "upgrade", "proxy-connection",  "content-length"};

    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        if (sl_str_eq_c(name, names[i])) {
            return true;
        }
    }
    return sl_str_starts_with(name, SL_STR(":")) || sl_str_starts_with(name, SL_STR("grpc-"));
}

/* ---- received ---- */

static void add(struct sl_buf *bytes, struct sl_str name, struct sl_str value)
{
    const uint32_t lengths[] = {(uint32_t)name.len, (uint32_t)value.len};

    if (bytes->cap == 0 && !sl_buf_reserve(bytes, FIRST_BYTES)) {
        return;
    }
    sl_buf_add(bytes, lengths, sizeof(lengths));
    sl_buf_add_str(bytes, name);
    sl_buf_add_str(bytes, value);
}

/* One value of those that commas join; it is decoded in place, behind the name. */
static bool add_binary(struct sl_buf *bytes, struct sl_str name, struct sl_str text)
{
    size_t start = bytes->len;

    add(bytes, name, (struct sl_str){NULL, 0});
    size_t value = bytes->len;
    if (!sl_base64_decode(text, bytes)) {
        return false;
    }
    uint32_t len = (uint32_t)(bytes->len - value);
    memcpy(bytes->data + start + sizeof(len), &len, sizeof(len));
    return true;
}

static struct sl_status broken(struct sl_str name)
{
    return sl_status_because(
        "broken-metadata",
        sl_status_quote(SL_INTERNAL, "binary metadata that is not base64", name));
}

/* A comma is one byte on the wire, and costs a whole name here. */
static struct sl_status too_many(struct sl_str name)
{
    return sl_status_because(
        "header-too-large",
        sl_status_quote(SL_RESOURCE_EXHAUSTED, "too many values joined by commas", name));
}

static struct sl_status add_binaries(struct sl_buf *bytes, struct sl_str name, struct sl_str value)
{
    for (;;) {
        const char *comma = value.len ? memchr(value.data, ',', value.len) : NULL;
        size_t len = comma ? (size_t)(comma - value.data) : value.len;
        struct sl_str piece = {value.data, len};

        while (piece.len && piece.data[0] == ' ') { /* "a, b" */
            piece = (struct sl_str){piece.data + 1, piece.len - 1};
        }
        if (!add_binary(bytes, name, piece)) {
            return broken(name);
        }
        if (!comma) {
            return sl_status_ok();
        }
        if (bytes->len > SL_GRPC_MAX_METADATA_BYTES) {
            return too_many(name);
        }
        value = (struct sl_str){comma + 1, value.len - len - 1};
    }
}

struct sl_status sl_grpc_metadata_add(struct sl_grpc_metadata *metadata, struct sl_str name,
                                      struct sl_str value)
{
    struct sl_status status = sl_status_ok();
    struct sl_buf *bytes = &metadata->bytes;
    size_t whole = bytes->len;

    if (is_binary(name)) {
        status = add_binaries(bytes, name, value);
    } else {
        add(bytes, name, value);
    }
    if (bytes->failed) {
        status = sl_status_out_of_memory();
    }
    if (!sl_status_is_ok(&status)) {
        bytes->len = whole;
    }
    return status;
}

/* The field at `*at`, which moves behind it. False at the end. */
static bool step(const struct sl_buf *bytes, size_t *at, struct sl_grpc_field *field)
{
    uint32_t lengths[2];

    if (*at >= bytes->len) {
        return false;
    }
    memcpy(lengths, bytes->data + *at, sizeof(lengths));
    const char *name = bytes->data + *at + sizeof(lengths);
    *field = (struct sl_grpc_field){{name, lengths[0]}, {name + lengths[0], lengths[1]}, false};
    *at += sizeof(lengths) + lengths[0] + lengths[1];
    return true;
}

bool sl_grpc_metadata_next(const struct sl_grpc_metadata *metadata, size_t *at,
                           struct sl_grpc_field *field)
{
    bool is_there;

    do {
        is_there = step(&metadata->bytes, at, field);
    } while (is_there && is_reserved(field->name));
    return is_there;
}

struct sl_str sl_grpc_metadata_find(const struct sl_grpc_metadata *metadata, const char *name)
{
    struct sl_grpc_field field;
    size_t at = 0;

    while (step(&metadata->bytes, &at, &field)) {
        if (sl_str_eq_c(field.name, name)) {
            return field.value;
        }
    }
    return (struct sl_str){NULL, 0};
}

/* ---- sent ---- */

static bool is_name_valid(struct sl_str name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.";

    for (size_t i = 0; i < name.len; i++) {
        if (!memchr(letters, name.data[i], sizeof(letters) - 1)) {
            return false;
        }
    }
    return name.len > 0 && !is_reserved(name) && !sl_str_eq_c(name, "user-agent");
}

static bool is_value_valid(struct sl_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < 0x20 || value.data[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

struct sl_status sl_grpc_metadata_check(const struct sl_grpc_field *fields, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        const struct sl_grpc_field *field = &fields[i];

        if (!is_name_valid(field->name)) {
            return sl_status_quote(SL_INVALID_ARGUMENT, "this cannot be the name of metadata",
                                   field->name);
        }
        if (!is_binary(field->name) && !is_value_valid(field->value)) {
            return sl_status_quote(SL_INVALID_ARGUMENT,
                                   "a byte that metadata cannot carry in the value of",
                                   field->name);
        }
        total += field->name.len + field->value.len + FIELD_COST_BYTES;
        if (total > SL_GRPC_MAX_METADATA_BYTES) {
            return sl_status_error(SL_INVALID_ARGUMENT, "more than %d bytes of metadata",
                                   SL_GRPC_MAX_METADATA_BYTES);
        }
    }
    return sl_status_ok();
}

static size_t base64_bytes(size_t len)
{
    return len / 3 * 4 + 4;
}

bool sl_grpc_metadata_write(const struct sl_grpc_field *fields, size_t count,
                            struct sl_h2_field *to, struct sl_buf *text)
{
    size_t total = 0;

    SL_ASSERT(text->len == 0);
    for (size_t i = 0; i < count; i++) {
        total += is_binary(fields[i].name) ? base64_bytes(fields[i].value.len) : 0;
    }
    if (total && !sl_buf_reserve(text, total)) { /* it must not move any more */
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sl_grpc_field *field = &fields[i];
        to[i] = (struct sl_h2_field){field->name, field->value, field->is_secret};
        if (is_binary(field->name)) {
            size_t start = text->len;
            sl_base64_encode(field->value, text);
            to[i].value = (struct sl_str){text->data + start, text->len - start};
        }
    }
    return true;
}
