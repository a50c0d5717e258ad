/* Records of the format sluice.v1 as protobuf-c reads them: what a message and its place in the
 * stream make of a record, and the limits. What each value and path becomes is in
 * tests/golden/record.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"
#include "sluice.pb-c.h"

#include "normalise/encoder.h"
#include "gnmi/pack.h"
#include "test.h"

enum { RESPONSE_UPDATE = 1, RESPONSE_SYNC = 3, RESPONSE_EXTENSION = 5 };
enum { NOTIFICATION_PREFIX = 2, NOTIFICATION_UPDATE = 4, NOTIFICATION_DELETE = 5 };
enum { PATH_ELEM = 3, ELEM_NAME = 1, ELEM_KEY = 2, UPDATE_PATH = 1, UPDATE_VAL = 3 };

/* ---- messages, field by field ---- */

static void add_elem(struct sl_buf *out, struct sl_str name, size_t keys)
{
    size_t elem = sl_pack_begin(out, PATH_ELEM);

    sl_pack_bytes(out, ELEM_NAME, name);
    for (size_t i = 0; i < keys; i++) {
        char text[8];
        size_t key = sl_pack_begin(out, ELEM_KEY);
        int len = snprintf(text, sizeof(text), "k%zu", i);
        sl_pack_bytes(out, 1, (struct sl_str){text, (size_t)len});
        sl_pack_bytes(out, 2, SL_STR("v"));
        sl_pack_end(out, key);
    }
    sl_pack_end(out, elem);
}

static void add_path(struct sl_buf *out, uint32_t field, struct sl_str name, size_t keys)
{
    size_t path = sl_pack_begin(out, field);

    add_elem(out, name, keys);
    sl_pack_end(out, path);
}

static void add_update(struct sl_buf *out, struct sl_str name, uint32_t arm, struct sl_str value)
{
    size_t update = sl_pack_begin(out, NOTIFICATION_UPDATE);

    add_path(out, UPDATE_PATH, name, 0);
    size_t val = sl_pack_begin(out, UPDATE_VAL);
    sl_pack_bytes(out, arm, value);
    sl_pack_end(out, val);
    sl_pack_end(out, update);
}

enum { ARM_STRING = 1, ARM_BYTES = 5, ARM_JSON = 10 };

/* ---- fixture ---- */

struct fixture {
    struct sl_encoder_memory memory;
    struct sl_encoder *encoder;
    struct sl_encoder_context context;
    struct sl_buf message;
    struct sl_buf out;
    struct sl_encoded encoded;
    Sluice__V1__Record *record; /* NULL: none */
};

static void fixture_init(struct fixture *f)
{
    struct sl_encoder_config config = {
        .format = SL_FORMAT_SLUICE_V1,
        .target = SL_STR("leaf1"),
        .subscription = SL_STR("sub1"),
        .memory = &f->memory,
    };

    *f = (struct fixture){.memory = {.limit_bytes = SL_MIB},
                          .context = {.epoch = UINT64_MAX, .seq = 1, .received_ns = INT64_MIN}};
    f->encoder = sl_encoder_new(&config);
    assert_non_null(f->encoder);
}

static void fixture_clear(struct fixture *f)
{
    if (f->record) {
        sluice__v1__record__free_unpacked(f->record, NULL);
    }
    f->record = NULL;
    sl_buf_fini(&f->out);
    sl_buf_fini(&f->message);
}

static void fixture_fini(struct fixture *f)
{
    fixture_clear(f);
    sl_encoder_free(f->encoder);
    assert_int_equal(f->memory.used_bytes, 0);
}

static void fixture_encode(struct fixture *f)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&f->message), &scratch, &response);

    assert_true(sl_status_is_ok(&status));
    assert_true(sl_encoder_encode(f->encoder, &response, &f->context, &f->out, &f->encoded));
    assert_int_equal(f->encoded.published + f->encoded.dropped,
                     response.updates + response.deletes);
    if (f->out.len) {
        f->record = sluice__v1__record__unpack(NULL, f->out.len, (const uint8_t *)f->out.data);
        assert_non_null(f->record);
        assert_int_equal(f->record->base.n_unknown_fields, 0);
    }
    sl_buf_fini(&scratch);
}

/* ---- what a message and its place make of a record ---- */

static void a_record_says_which_it_is(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    size_t update = sl_pack_begin(&f.message, RESPONSE_UPDATE);
    add_update(&f.message, SL_STR("a"), ARM_STRING, SL_STR("x"));
    sl_pack_end(&f.message, update);
    f.context.seq = UINT64_MAX;
    fixture_encode(&f);
    assert_true(f.record->epoch == UINT64_MAX);
    assert_true(f.record->seq == UINT64_MAX);
    assert_true(f.record->received_ns == INT64_MIN);
    assert_string_equal(f.record->target, "leaf1");
    assert_string_equal(f.record->subscription, "sub1");
    assert_int_equal(f.record->n_labels, 0);
    assert_int_equal(f.record->kind, SLUICE__V1__KIND__KIND_BASELINE);
    assert_int_equal(f.encoded.published, 1);
    fixture_clear(&f);
    fixture_fini(&f);
}

static void the_sync_response_parts_baseline_from_change(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (int is_synced = 0; is_synced < 2; is_synced++) {
        size_t update = sl_pack_begin(&f.message, RESPONSE_UPDATE);
        add_path(&f.message, NOTIFICATION_DELETE, SL_STR("gone"), 0);
        add_update(&f.message, SL_STR("a"), ARM_STRING, SL_STR("x"));
        sl_pack_end(&f.message, update);
        f.context.is_synced = is_synced;
        fixture_encode(&f);
        assert_int_equal(f.record->kind, is_synced ? SLUICE__V1__KIND__KIND_CHANGE
                                                   : SLUICE__V1__KIND__KIND_BASELINE);
        assert_int_equal(f.encoded.published, 2);
        fixture_clear(&f);
    }
    fixture_fini(&f);
}

static void a_marker_is_a_record_without_updates(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.context.seq = 17;
    sl_pack_varint(&f.message, RESPONSE_SYNC, true);
    fixture_encode(&f);
    assert_int_equal(f.record->kind, SLUICE__V1__KIND__KIND_MARKER);
    assert_int_equal(f.record->marker, SLUICE__V1__MARKER__MARKER_SYNCED);
    assert_int_equal(f.record->seq, 17);
    assert_int_equal(f.record->n_updates, 0);
    assert_int_equal(f.encoded.published, 0);
    fixture_fini(&f);
}

static void nothing_to_say_is_no_record(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_encode(&f);
    assert_int_equal(f.out.len, 0);
    sl_pack_varint(&f.message, RESPONSE_SYNC, false);
    fixture_encode(&f);
    assert_int_equal(f.out.len, 0);
    fixture_fini(&f);
}

static void names_that_are_not_utf8_can_be_read_all_the_same(void **state)
{
    static const struct sluice_pair pairs[] = {{"site", "tyo\xff"}, {"", ""}};
    static const struct sluice_map labels = {pairs, SL_ARRAY_LEN(pairs)};
    struct fixture f;
    struct sl_encoder_config config = {.format = SL_FORMAT_SLUICE_V1,
                                       .target = SL_STR("\xfeleaf"),
                                       .labels = &labels,
                                       .memory = &f.memory};

    (void)state;
    fixture_init(&f);
    sl_encoder_free(f.encoder);
    f.encoder = sl_encoder_new(&config);
    assert_non_null(f.encoder);
    sl_pack_varint(&f.message, RESPONSE_SYNC, true);
    fixture_encode(&f);
    assert_string_equal(f.record->target, "\xef\xbf\xbdleaf");
    assert_string_equal(f.record->subscription, "");
    assert_int_equal(f.record->n_labels, 2);
    assert_string_equal(f.record->labels[0]->value, "tyo\xef\xbf\xbd");
    assert_string_equal(f.record->labels[1]->key, "");
    fixture_fini(&f);
}

/* ---- limits ---- */

static void too_many_keys_drop_that_path_alone(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    size_t update = sl_pack_begin(&f.message, RESPONSE_UPDATE);
    add_path(&f.message, NOTIFICATION_DELETE, SL_STR("most"), 128);
    add_path(&f.message, NOTIFICATION_DELETE, SL_STR("more"), 129);
    add_path(&f.message, NOTIFICATION_DELETE, SL_STR("few"), 1);
    sl_pack_end(&f.message, update);
    fixture_encode(&f);
    assert_int_equal(f.encoded.dropped, 1);
    assert_int_equal(f.record->dropped, 1);
    assert_int_equal(f.record->n_deletes, 2);
    assert_string_equal(f.record->deletes[1]->path, "/few[k0=v]");
    fixture_fini(&f);
}

/* A string of `len` bytes, to be freed. */
static struct sl_str long_text(size_t len)
{
    char *text = malloc(len);

    assert_non_null(text);
    memset(text, 'x', len);
    return (struct sl_str){text, len};
}

static void a_long_prefix_over_many_updates_fills_the_record_and_no_more(void **state)
{
    struct sl_str name = long_text(SL_MIB);
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.memory.limit_bytes = 16 * SL_MIB;
    size_t update = sl_pack_begin(&f.message, RESPONSE_UPDATE);
    add_path(&f.message, NOTIFICATION_PREFIX, name, 0);
    for (int i = 0; i < 100; i++) {
        add_update(&f.message, SL_STR("a"), ARM_STRING, SL_STR("x"));
    }
    sl_pack_end(&f.message, update);
    fixture_encode(&f);
    assert_in_range(f.out.len, 20 * SL_MIB, SL_ENCODER_MAX_RECORD_BYTES);
    assert_int_equal(f.record->n_updates, f.encoded.published);
    assert_int_equal(f.record->dropped, f.encoded.dropped);
    assert_true(f.encoded.published > 20 && f.encoded.dropped > 60);
    fixture_fini(&f);
    free((void *)(uintptr_t)name.data);
}

static void a_path_beyond_the_limit_drops_that_path_alone(void **state)
{
    struct sl_str name = long_text(9 * SL_MIB);
    struct fixture f;

    (void)state;
    fixture_init(&f);
    size_t update = sl_pack_begin(&f.message, RESPONSE_UPDATE);
    add_update(&f.message, name, ARM_STRING, SL_STR("x"));
    add_update(&f.message, SL_STR("a"), ARM_STRING, SL_STR("x"));
    sl_pack_end(&f.message, update);
    fixture_encode(&f);
    assert_int_equal(f.encoded.dropped, 1);
    assert_string_equal(f.record->updates[0]->path, "/a");
    fixture_fini(&f);
    free((void *)(uintptr_t)name.data);
}

/* {"xxx…":[{},{},…]}: each leaf repeats the long name. */
static void add_swelling_json(struct sl_buf *out, size_t name_len, size_t items)
{
    struct sl_str name = long_text(name_len);

    sl_buf_add_c(out, "{\"");
    sl_buf_add_str(out, name);
    sl_buf_add_c(out, "\":[{}");
    for (size_t i = 1; i < items; i++) {
        sl_buf_add_c(out, ",{}");
    }
    sl_buf_add_c(out, "]}");
    free((void *)(uintptr_t)name.data);
}

static void json_whose_leaves_find_no_room_goes_as_it_came(void **state)
{
    struct sl_buf json = {0};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    add_swelling_json(&json, 64 * SL_KIB, 1000);
    size_t update = sl_pack_begin(&f.message, RESPONSE_UPDATE);
    for (int i = 0; i < 3; i++) { /* from the third on none is tried: the work has a limit too */
        add_update(&f.message, SL_STR("a"), ARM_JSON, sl_buf_str(&json));
        add_update(&f.message, SL_STR("b"), ARM_JSON, SL_STR("{\"c\":1}"));
    }
    sl_pack_end(&f.message, update);
    fixture_encode(&f);
    assert_int_equal(f.encoded.dropped, 0);
    assert_int_equal(f.record->n_updates, 6);
    for (size_t i = 0; i < 6; i += 2) {
        const Sluice__V1__Value *value = f.record->updates[i]->value;
        assert_int_equal(value->value_case, SLUICE__V1__VALUE__VALUE_JSON_VAL);
        assert_true(sl_str_eq(sl_buf_str(&json), (struct sl_str){(const char *)value->json_val.data,
                                                                 value->json_val.len}));
    }
    assert_string_equal(f.record->updates[1]->path, "/b/c");
    assert_string_equal(f.record->updates[5]->path, "/b");
    assert_int_equal(f.record->updates[5]->value->value_case, SLUICE__V1__VALUE__VALUE_JSON_VAL);
    fixture_fini(&f);
    sl_buf_fini(&json);
}

static void extensions_find_room_though_the_record_is_full(void **state)
{
    struct sl_str bytes = long_text(20 * SL_MIB);
    struct fixture f;

    (void)state;
    fixture_init(&f);
    size_t update = sl_pack_begin(&f.message, RESPONSE_UPDATE);
    add_update(&f.message, SL_STR("a"), ARM_BYTES, bytes);
    add_update(&f.message, SL_STR("b"), ARM_STRING, SL_STR("x"));
    sl_pack_end(&f.message, update);
    sl_pack_bytes(&f.message, RESPONSE_EXTENSION, SL_STR("\x0a\x00"));
    sl_pack_bytes(&f.message, RESPONSE_EXTENSION, SL_STR(""));
    fixture_encode(&f);
    assert_int_equal(f.encoded.published, 2);
    assert_int_equal(f.record->n_extensions, 2);
    assert_int_equal(f.record->extensions[0].len, 2);
    fixture_clear(&f);
    update = sl_pack_begin(&f.message, RESPONSE_UPDATE);
    add_update(&f.message, SL_STR("a"), ARM_BYTES, bytes);
    add_update(&f.message, SL_STR("b"), ARM_BYTES, bytes);
    add_update(&f.message, SL_STR("c"), ARM_STRING, SL_STR("x"));
    sl_pack_end(&f.message, update);
    fixture_encode(&f);
    assert_int_equal(f.encoded.published, 1);
    assert_int_equal(f.record->dropped, 2);
    fixture_fini(&f);
    free((void *)(uintptr_t)bytes.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_says_which_it_is),
        cmocka_unit_test(the_sync_response_parts_baseline_from_change),
        cmocka_unit_test(a_marker_is_a_record_without_updates),
        cmocka_unit_test(nothing_to_say_is_no_record),
        cmocka_unit_test(names_that_are_not_utf8_can_be_read_all_the_same),
        cmocka_unit_test(too_many_keys_drop_that_path_alone),
        cmocka_unit_test(a_path_beyond_the_limit_drops_that_path_alone),
        cmocka_unit_test(a_long_prefix_over_many_updates_fills_the_record_and_no_more),
        cmocka_unit_test(json_whose_leaves_find_no_room_goes_as_it_came),
        cmocka_unit_test(extensions_find_room_though_the_record_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
