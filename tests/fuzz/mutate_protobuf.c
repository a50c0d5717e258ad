/* mutate_protobuf.c - libFuzzer's mutations, made inside one field of a serialised message: the
 * lengths of all that it is in are set right again. Most of what a fuzzer tries then gets past the
 * check of lengths. Linked into fuzzers of messages in the preset fuzz alone. */
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "gnmi/wire.h"

enum { MOST_FIELDS = 64, MOST_LEVELS = 12, MORE_BYTES = 64 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

struct field {
    struct sl_str whole; /* with its tag */
    struct sl_wire_field read;
};

struct mutation {
    uint64_t random;
    struct sl_buf scratch;
};

static uint64_t draw(struct mutation *mutation, uint64_t below)
{
    mutation->random ^= mutation->random << 13;
    mutation->random ^= mutation->random >> 7;
    mutation->random ^= mutation->random << 17;
    return mutation->random % below;
}

/* The fields of a message; 0 when it is none, or has too many. */
static size_t split(struct sl_str message, struct field fields[MOST_FIELDS])
{
    struct sl_wire wire = sl_wire_of(message);
    size_t count = 0;

    while (wire.at < wire.end) {
        const uint8_t *start = wire.at;
        if (count == MOST_FIELDS || !sl_wire_next(&wire, &fields[count].read)) {
            return 0;
        }
        fields[count].whole = (struct sl_str){(const char *)start, (size_t)(wire.at - start)};
        count++;
    }
    return count;
}

static void add_varint(struct sl_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        sl_buf_add_byte(out, (char)(value | 0x80));
    }
    sl_buf_add_byte(out, (char)value);
}

static void add_bytes_field(struct sl_buf *out, uint32_t number, struct sl_str bytes)
{
    add_varint(out, (uint64_t)number << 3 | SL_WIRE_BYTES);
    add_varint(out, bytes.len);
    sl_buf_add_str(out, bytes);
}

/* libFuzzer's own change of some bytes, appended. */
static void add_mutated(struct mutation *mutation, struct sl_str bytes, struct sl_buf *out)
{
    struct sl_buf *scratch = &mutation->scratch;

    sl_buf_reset(scratch);
    sl_buf_add_str(scratch, bytes);
    if (sl_buf_reserve(scratch, MORE_BYTES)) {
        size_t len = LLVMFuzzerMutate((uint8_t *)scratch->data, bytes.len, bytes.len + MORE_BYTES);
        sl_buf_add(out, scratch->data, len);
    }
}

static void add_new_field(struct mutation *mutation, struct sl_buf *out)
{
    static const uint64_t values[] = {0, 1, 127, 128, UINT32_MAX, INT64_MAX, UINT64_MAX};
    uint32_t number = (uint32_t)draw(mutation, 16);

    if (draw(mutation, 2)) {
        add_varint(out, (uint64_t)number << 3 | SL_WIRE_VARINT);
        add_varint(out, values[draw(mutation, SL_ARRAY_LEN(values))]);
    } else {
        add_bytes_field(out, number, (struct sl_str){"\x0a\x01/", draw(mutation, 4)});
    }
}

static void add_changed(struct mutation *mutation, const struct field *field, struct sl_buf *out)
{
    struct sl_buf inside = {0};

    if (field->read.type == SL_WIRE_BYTES) {
        add_mutated(mutation, field->read.bytes, &inside);
        add_bytes_field(out, field->read.number, sl_buf_str(&inside));
    } else {
        add_mutated(mutation, field->whole, out);
    }
    sl_buf_fini(&inside);
}

/* One change of the field at `k`: of itself, of its number, of its place. */
static void change_here(struct mutation *mutation, const struct field *fields, size_t count,
                        size_t k, struct sl_buf *out)
{
    uint64_t kind = draw(mutation, 7);
    size_t other = draw(mutation, count);

    for (size_t i = 0; i < count; i++) {
        if (i == k && kind < 2) {
            add_changed(mutation, &fields[i], out);
        } else if (i == k && kind == 2) {
            continue;
        } else if (i == k && kind == 3 && fields[i].read.type == SL_WIRE_BYTES) {
            add_bytes_field(out, (uint32_t)draw(mutation, 16), fields[i].read.bytes);
        } else if (kind == 4 && (i == k || i == other)) {
            sl_buf_add_str(out, fields[i == k ? other : k].whole);
        } else {
            sl_buf_add_str(out, fields[i].whole);
        }
        if (i == other && kind == 5) {
            sl_buf_add_str(out, fields[k].whole);
        } else if (i == other && kind == 6) {
            add_new_field(mutation, out);
        }
    }
}

static void mutate(struct mutation *mutation, struct sl_str message, struct sl_buf *out,
                   unsigned level)
{
    struct field fields[MOST_FIELDS];
    size_t count = split(message, fields);

    if (!count) {
        add_mutated(mutation, message, out);
        return;
    }
    size_t k = draw(mutation, count);

    if (fields[k].read.type != SL_WIRE_BYTES || level == MOST_LEVELS || !draw(mutation, 4)) {
        change_here(mutation, fields, count, k, out);
        return;
    }
    struct sl_buf inside = {0};

    mutate(mutation, fields[k].read.bytes, &inside, level + 1);
    for (size_t i = 0; i < count; i++) {
        if (i == k) {
            add_bytes_field(out, fields[i].read.number, sl_buf_str(&inside));
        } else {
            sl_buf_add_str(out, fields[i].whole);
        }
    }
    sl_buf_fini(&inside);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct mutation mutation = {.random = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1)};
    struct sl_buf out = {0};

    if (draw(&mutation, 8)) {
        mutate(&mutation, (struct sl_str){(const char *)data, size}, &out, 0);
    }
    bool is_made = out.len > 0 && out.len <= max_size && !out.failed;

    if (is_made) {
        memcpy(data, out.data, out.len);
        size = out.len;
    } else {
        size = LLVMFuzzerMutate(data, size, max_size);
    }
    sl_buf_fini(&mutation.scratch);
    sl_buf_fini(&out);
    return size;
}
