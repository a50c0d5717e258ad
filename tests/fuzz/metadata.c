/* metadata.c - the fields that go with a call and the words in them: metadata there and back,
 * base64, grpc-timeout, lists; each against a reader that does it the plain way.
 *
 * Input: which of them; then the bytes. Of metadata: the length of a name and of its value, the
 * name, the value, and so on. */
#include <string.h>

#include "base/base64.h"
#include "fuzz.h"
#include "grpc/metadata.h"
#include "grpc/wire.h"

enum { MOST_SENT = 32, MOST_FIELDS = 2048, HEAD_BYTES = 8 };

/* ---- base64 ---- */

/* One letter's six bits; 64 when it is none. */
static unsigned sextet(char letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned value = 0;

    while (value < 64 && letters[value] != letter) {
        value++;
    }
    return value;
}

static size_t count_of(struct sl_str text, char byte)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += text.data[i] == byte;
    }
    return count;
}

/* Letters, then what fills the last four of them up, or nothing (RFC 4648 section 4). */
static bool plain_decode(struct sl_str text, struct sl_buf *out)
{
    size_t letters = 0;
    uint32_t bits = 0;

    while (letters < text.len && sextet(text.data[letters]) < 64) {
        letters++;
    }
    size_t padding = text.len - letters;
    size_t wanted = (4 - letters % 4) % 4;
    if (wanted == 3 || (padding && padding != wanted) || count_of(text, '=') != padding) {
        return false;
    }
    for (size_t i = 0; i < letters; i++) {
        bits = bits << 6 | sextet(text.data[i]);
        if (i % 4) {
            sl_buf_add_byte(out, (char)(bits >> (6 - 2 * (i % 4))));
        }
    }
    return true;
}

static void assert_decodes(struct sl_str text, struct sl_str bytes)
{
    struct sl_buf out = {0};

    SL_ASSERT(sl_base64_decode(text, &out));
    SL_ASSERT(sl_str_eq(sl_buf_str(&out), bytes));
    sl_buf_fini(&out);
}

static void fuzz_base64(struct sl_str text)
{
    struct sl_buf ours = {0};
    struct sl_buf plain = {0};
    struct sl_buf encoded = {0};
    bool is_base64 = plain_decode(text, &plain);

    SL_ASSERT(sl_base64_decode(text, &ours) == is_base64);
    SL_ASSERT(!is_base64 || sl_str_eq(sl_buf_str(&ours), sl_buf_str(&plain)));
    sl_base64_encode(text, &encoded);
    SL_ASSERT(encoded.len == (text.len * 4 + 2) / 3);
    assert_decodes(sl_buf_str(&encoded), text);
    while (encoded.len % 4) {
        sl_buf_add_byte(&encoded, '=');
    }
    assert_decodes(sl_buf_str(&encoded), text);
    sl_buf_fini(&encoded);
    sl_buf_fini(&plain);
    sl_buf_fini(&ours);
}

/* ---- metadata ---- */

/* What must be kept, in order. */
struct model {
    struct {
        struct sl_str name;
        size_t at; /* of the value, in `values` */
        size_t len;
    } fields[MOST_FIELDS];
    size_t count;
    size_t cost_bytes; /* of all of them, with their names */
    size_t last_bytes; /* of the last one */
    struct sl_buf values;
};

static bool is_binary(struct sl_str name)
{
    return name.len > 4 && memcmp(name.data + name.len - 4, "-bin", 4) == 0;
}

static bool model_add(struct model *model, struct sl_str name, struct sl_str value)
{
    size_t at = model->values.len;
    bool is_good = true;

    SL_ASSERT(model->count < MOST_FIELDS);
    if (is_binary(name)) {
        is_good = plain_decode(value, &model->values);
    } else {
        sl_buf_add_str(&model->values, value);
    }
    size_t len = model->values.len - at;
    model->fields[model->count].name = name;
    model->fields[model->count].at = at;
    model->fields[model->count++].len = len;
    model->last_bytes = HEAD_BYTES + name.len + len;
    model->cost_bytes += model->last_bytes;
    return is_good;
}

/* The values that commas join, each by itself. */
static bool model_add_all(struct model *model, struct sl_str name, struct sl_str value)
{
    size_t start = 0;
    bool is_good = true;

    if (!is_binary(name)) {
        return model_add(model, name, value);
    }
    for (size_t at = 0; at <= value.len; at++) {
        if (at == value.len || value.data[at] == ',') {
            while (start < at && value.data[start] == ' ') {
                start++;
            }
            struct sl_str piece = {value.data + start, at - start};
            is_good = model_add(model, name, piece) && is_good;
            start = at + 1;
        }
    }
    return is_good;
}

/* What is refused leaves nothing behind. */
static void add(struct sl_grpc_metadata *metadata, struct model *model, struct sl_str name,
                struct sl_str value)
{
    size_t count = model->count;
    size_t cost_bytes = model->cost_bytes;
    struct sl_status status = sl_grpc_metadata_add(metadata, name, value);
    bool is_good = model_add_all(model, name, value);
    bool is_many = model->count - count > 1;

    if (status.code == SL_RESOURCE_EXHAUSTED) {
        SL_ASSERT(is_many && model->cost_bytes > SL_GRPC_MAX_METADATA_BYTES);
    } else {
        SL_ASSERT(status.code == (is_good ? SL_OK : SL_INTERNAL));
        SL_ASSERT(!is_good || !is_many ||
                  model->cost_bytes - model->last_bytes <= SL_GRPC_MAX_METADATA_BYTES);
    }
    if (!sl_status_is_ok(&status)) {
        model->count = count;
        model->cost_bytes = cost_bytes;
    }
}

/* "gRPC over HTTP/2": what is of the protocol, or of HTTP, no application sees. */
static bool is_seen(struct sl_str name)
{
    static const char *const reserved[] = {
        "te",         "content-type", "connection",       "content-length",   "host",
        "keep-alive", "upgrade",      "proxy-connection", "transfer-encoding"};

    for (size_t i = 0; i < SL_ARRAY_LEN(reserved); i++) {
        if (name.len == strlen(reserved[i]) && memcmp(name.data, reserved[i], name.len) == 0) {
            return false;
        }
    }
    bool is_pseudo = name.len >= 1 && name.data[0] == ':';
    bool is_grpc = name.len >= 5 && memcmp(name.data, "grpc-", 5) == 0;
    return !is_pseudo && !is_grpc;
}

static bool is_value(struct sl_str value, const struct model *model, size_t i)
{
    size_t len = model->fields[i].len;

    return value.len == len &&
           (!len || memcmp(value.data, model->values.data + model->fields[i].at, len) == 0);
}

static void assert_shows(const struct sl_grpc_metadata *metadata, const struct model *model)
{
    struct sl_grpc_field field;
    size_t at = 0;

    for (size_t i = 0; i < model->count; i++) {
        if (is_seen(model->fields[i].name)) {
            SL_ASSERT(sl_grpc_metadata_next(metadata, &at, &field));
            SL_ASSERT(sl_str_eq(field.name, model->fields[i].name));
            SL_ASSERT(is_value(field.value, model, i));
        }
    }
    SL_ASSERT(!sl_grpc_metadata_next(metadata, &at, &field));
}

/* By its name the first of several is found. */
static void assert_finds(const struct sl_grpc_metadata *metadata, const struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        struct sl_str wanted = model->fields[i].name;
        char name[UINT8_MAX + 1] = "";
        size_t first = 0;

        if (wanted.len) {
            memcpy(name, wanted.data, wanted.len);
        }
        while (!sl_str_eq(model->fields[first].name, wanted)) {
            first++;
        }
        SL_ASSERT(strlen(name) < wanted.len || /* a NUL, which HTTP/2 lets nobody send */
                  is_value(sl_grpc_metadata_find(metadata, name), model, first));
    }
}

/* ---- metadata that is sent ---- */

/* Whether a field may be sent, said once more. */
static bool is_sendable(struct sl_str name, struct sl_str value)
{
    bool is_good = name.len > 0 && is_seen(name) && !sl_str_eq(name, SL_STR("user-agent"));

    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.data[i];
        is_good = is_good && ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
                              byte == '-' || byte == '_' || byte == '.');
    }
    for (size_t i = 0; i < value.len && !is_binary(name); i++) {
        is_good = is_good && value.data[i] >= ' ' && value.data[i] <= '~';
    }
    return is_good;
}

/* As a peer has them when they arrive. */
static void assert_arrives(const struct sl_grpc_field *sent, size_t count)
{
    struct sl_grpc_metadata received = {.bytes = {0}};
    struct sl_h2_field fields[MOST_SENT];
    struct sl_buf text = {0};
    struct sl_grpc_field field;
    size_t at = 0;

    SL_ASSERT(sl_grpc_metadata_write(sent, count, fields, &text));
    for (size_t i = 0; i < count; i++) {
        struct sl_status status = sl_grpc_metadata_add(&received, fields[i].name, fields[i].value);
        SL_ASSERT(sl_status_is_ok(&status));
    }
    for (size_t i = 0; i < count; i++) {
        SL_ASSERT(sl_grpc_metadata_next(&received, &at, &field));
        SL_ASSERT(sl_str_eq(field.name, sent[i].name) && sl_str_eq(field.value, sent[i].value));
    }
    SL_ASSERT(!sl_grpc_metadata_next(&received, &at, &field));
    sl_grpc_metadata_fini(&received);
    sl_buf_fini(&text);
}

static void fuzz_metadata(struct fuzz_input *input)
{
    static struct model model; /* a large one */
    struct sl_grpc_metadata metadata = {.bytes = {0}};
    struct sl_grpc_field sent[MOST_SENT];
    size_t count = 0;

    model.count = 0;
    model.cost_bytes = 0;
    sl_buf_reset(&model.values);
    while (input->at < input->end) {
        size_t name_len = fuzz_byte(input);
        size_t value_len = fuzz_byte(input);
        struct sl_str name = fuzz_bytes(input, name_len);
        struct sl_str value = fuzz_bytes(input, value_len);
        struct sl_grpc_field field = {name, value, false};
        struct sl_status status = sl_grpc_metadata_check(&field, 1);

        add(&metadata, &model, name, value);
        SL_ASSERT(sl_status_is_ok(&status) == is_sendable(name, value));
        if (sl_status_is_ok(&status) && count < MOST_SENT) {
            sent[count++] = field;
        }
    }
    assert_shows(&metadata, &model);
    assert_finds(&metadata, &model);
    assert_arrives(sent, count);
    sl_grpc_metadata_fini(&metadata);
    sl_buf_fini(&model.values);
}

/* ---- timeouts ---- */

/* A timeout in nanoseconds, as far as they go; false when it is none. */
static bool plain_timeout(struct sl_str text, uint64_t *ns)
{
    static const char units[] = "HMSmun";
    static const uint64_t unit_ns[] = {
        UINT64_C(3600000000000), UINT64_C(60000000000), 1000000000, 1000000, 1000, 1};
    const char *unit = text.len ? memchr(units, text.data[text.len - 1], sizeof(units) - 1) : NULL;
    uint64_t count = 0;

    if (!unit || text.len < 2 || text.len > 9) {
        return false;
    }
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        count = 10 * count + (uint64_t)(text.data[i] - '0');
    }
    if (__builtin_mul_overflow(count, unit_ns[unit - units], ns)) {
        *ns = UINT64_MAX;
    }
    return true;
}

/* Written and read again it is not shorter, and longer by less than one of eight digits' last. */
static uint64_t there_and_back(uint64_t ns)
{
    struct sl_buf text = {0};
    uint64_t back;

    sl_grpc_timeout_encode(ns, &text);
    SL_ASSERT(sl_grpc_timeout_decode(sl_buf_str(&text), &back));
    SL_ASSERT(back >= ns && back - ns <= ns / 1000);
    sl_buf_fini(&text);
    return back;
}

static void fuzz_timeout(struct sl_str text)
{
    uint64_t numbers[2] = {0, 0};
    uint64_t plain;
    uint64_t ours;
    bool is_timeout = plain_timeout(text, &plain);

    SL_ASSERT(sl_grpc_timeout_decode(text, &ours) == is_timeout);
    SL_ASSERT(!is_timeout || ours == plain);
    if (text.len) {
        memcpy(numbers, text.data, sl_min_size(text.len, sizeof(numbers)));
    }
    bool is_shorter = numbers[0] <= numbers[1];
    uint64_t shorter = there_and_back(numbers[is_shorter ? 0 : 1]);
    uint64_t longer = there_and_back(numbers[is_shorter ? 1 : 0]);
    SL_ASSERT(shorter <= longer);
}

/* ---- lists ---- */

/* A word stands in a list between commas, with blanks around it. */
static bool plain_has(struct sl_str list, struct sl_str word)
{
    for (size_t at = 0; at + word.len <= list.len; at++) {
        size_t left = at;
        size_t right = at + word.len;
        while (left > 0 && (list.data[left - 1] == ' ' || list.data[left - 1] == '\t')) {
            left--;
        }
        while (right < list.len && (list.data[right] == ' ' || list.data[right] == '\t')) {
            right++;
        }
        if ((left == 0 || list.data[left - 1] == ',') &&
            (right == list.len || list.data[right] == ',') &&
            memcmp(list.data + at, word.data, word.len) == 0) {
            return true;
        }
    }
    return false;
}

static void fuzz_list(struct sl_str list)
{
    const struct sl_str words[] = {SL_STR("gzip"), SL_STR("a"), SL_STR("identity")};

    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        SL_ASSERT(sl_grpc_list_has(list, words[i]) == plain_has(list, words[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};

    switch (fuzz_byte(&input) % 4) {
    case 0:
        fuzz_metadata(&input);
        break;
    case 1:
        fuzz_base64(fuzz_rest(&input));
        break;
    case 2:
        fuzz_timeout(fuzz_rest(&input));
        break;
    default:
        fuzz_list(fuzz_rest(&input));
        break;
    }
    return 0;
}
