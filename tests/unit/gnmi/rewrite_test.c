/* Messages made anew, paths made piece by piece, and labels, which no device may set. */
#include <math.h>

#include "gnmi/pack.h"
#include "gnmi/path.h"
#include "gnmi/path_build.h"
#include "gnmi/rewrite.h"
#include "test.h"

/* ---- building ---- */

/* The bytes of a Path of these elements; the last may have a key, and the path a label. */
static struct sl_str build_path(struct sl_buf *out, const char *const *elems, const char *key,
                                const char *label)
{
    struct sl_gnmi_path_build build;

    sl_buf_reset(out);
    sl_gnmi_path_build_begin(&build, out);
    for (; *elems; elems++) {
        sl_gnmi_path_build_elem(&build, sl_str_from(*elems));
    }
    if (key) {
        sl_gnmi_path_build_key(&build, SL_STR("name"), sl_str_from(key));
    }
    if (label) {
        sl_gnmi_path_build_label(&build, SL_STR("site"), sl_str_from(label));
    }
    return sl_gnmi_path_build_end(&build);
}

/* A message: timestamp 5, prefix "p", update a/b = 7 with 2 duplicates, delete "d", atomic, and an
 * extension. */
static void build_message(struct sl_buf *out)
{
    static const char *const prefix[] = {"p", NULL};
    static const char *const update[] = {"a", "b", NULL};
    static const char *const delete[] = {"d", NULL};
    struct sl_buf path = {0};
    size_t notification = sl_pack_begin(out, 1);

    sl_pack_varint(out, 1, 5);
    sl_pack_bytes(out, 2, build_path(&path, prefix, NULL, NULL));
    size_t start = sl_pack_begin(out, 4);
    sl_pack_bytes(out, 1, build_path(&path, update, NULL, NULL));
    sl_pack_bytes(out, 3, SL_STR("\x10\x07"));
    sl_pack_varint(out, 4, 2);
    sl_pack_end(out, start);
    sl_pack_bytes(out, 5, build_path(&path, delete, NULL, NULL));
    sl_pack_varint(out, 6, 1);
    sl_pack_end(out, notification);
    sl_pack_bytes(out, 5, SL_STR("\x0a\x00"));
    sl_buf_fini(&path);
}

struct fixture {
    struct sl_buf message;
    struct sl_buf scratch;
    struct sl_buf out;
    struct sl_buf path;
    struct sl_gnmi_response from;
    struct sl_gnmi_response made;
    struct sl_gnmi_rewrite rewrite;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    build_message(&f->message);
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&f->message), &f->scratch, &f->from);
    assert_true(sl_status_is_ok(&status));
    assert_int_equal(f->scratch.len, 0); /* it is in its usual form */
    sl_gnmi_rewrite_begin(&f->rewrite, &f->from, &f->out);
}

static void fixture_fini(struct fixture *f)
{
    sl_buf_fini(&f->path);
    sl_buf_fini(&f->out);
    sl_buf_fini(&f->scratch);
    sl_buf_fini(&f->message);
}

static struct sl_gnmi_update first_update(const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update = {0};

    assert_true(sl_gnmi_next_update(&cursor, &update));
    return update;
}

static struct sl_str first_delete(const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_str path = {0};

    assert_true(sl_gnmi_next_delete(&cursor, &path));
    return path;
}

/* What was made is what a reader makes of its bytes, in its usual form. */
static void assert_made(struct fixture *f)
{
    struct sl_gnmi_response read;

    assert_true(sl_gnmi_rewrite_end(&f->rewrite, &f->made));
    struct sl_status status = sl_gnmi_response_read(f->made.message, &f->scratch, &read);
    assert_true(sl_status_is_ok(&status));
    assert_int_equal(read.kind, SL_GNMI_UPDATE);
    assert_true(sl_str_eq(read.notification, f->made.notification));
    assert_true(sl_str_eq(read.prefix, f->made.prefix));
    assert_int_equal(read.has_prefix, f->made.has_prefix);
    assert_int_equal(read.is_atomic, f->made.is_atomic);
    assert_int_equal(read.timestamp_ns, f->made.timestamp_ns);
    assert_int_equal(read.updates, f->made.updates);
    assert_int_equal(read.deletes, f->made.deletes);
    assert_int_equal(read.duplicates, f->made.duplicates);
}

/* ---- rewriting ---- */

static void what_is_copied_whole_is_the_same_message(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    struct sl_gnmi_update update = first_update(&f.from);
    sl_gnmi_rewrite_add_update(&f.rewrite, update.path, &update);
    sl_gnmi_rewrite_add_delete(&f.rewrite, first_delete(&f.from));
    assert_made(&f);
    assert_true(sl_str_eq(f.made.message, sl_buf_str(&f.message)));
    fixture_fini(&f);
}

static void an_update_moves_to_another_path(void **state)
{
    static const char *const elems[] = {"x", NULL};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    struct sl_gnmi_update update = first_update(&f.from);
    sl_gnmi_rewrite_add_update(&f.rewrite, build_path(&f.path, elems, "e1", NULL), &update);
    assert_made(&f);
    update = first_update(&f.made);
    assert_true(sl_str_eq(update.path, sl_buf_str(&f.path)));
    assert_int_equal(update.value.kind, SL_GNMI_VALUE_INT);
    assert_int_equal(update.value.of.i64, 7);
    assert_int_equal(update.duplicates, 2);
    assert_int_equal(f.made.deletes, 0);
    fixture_fini(&f);
}

/* A path behind the value, one of more than 127 bytes, and none. */
static void wherever_the_path_stands_the_rest_is_kept(void **state)
{
    static const char *const short_path[] = {"a", NULL};
    struct fixture f;
    struct sl_buf raw = {0};
    char name[300];

    (void)state;
    for (int i = 0; i < 3; i++) {
        fixture_init(&f);
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        const char *const long_path[] = {name, NULL};
        sl_buf_reset(&raw);
        sl_pack_bytes(&raw, 3, SL_STR("\x10\x07"));
        if (i < 2) {
            sl_pack_bytes(&raw, 1, build_path(&f.path, i ? long_path : short_path, NULL, NULL));
        }
        sl_pack_varint(&raw, 4, 3);
        sl_pack_wrap(&raw, 0, 4);
        struct sl_gnmi_cursor cursor = {(uint8_t *)raw.data, (uint8_t *)raw.data + raw.len};
        struct sl_gnmi_update update;
        assert_true(sl_gnmi_next_update(&cursor, &update));
        sl_gnmi_rewrite_add_update(&f.rewrite, build_path(&f.path, short_path, "k", NULL), &update);
        assert_made(&f);
        update = first_update(&f.made);
        assert_true(sl_str_eq(update.path, sl_buf_str(&f.path)));
        assert_int_equal(update.value.of.i64, 7);
        assert_int_equal(update.duplicates, 3);
        fixture_fini(&f);
    }
    sl_buf_fini(&raw);
}

static void head_and_values_may_be_others(void **state)
{
    static const char *const elems[] = {"x", NULL};
    struct fixture f;
    struct sl_buf prefix = {0};
    const struct sl_gnmi_value value = {.kind = SL_GNMI_VALUE_STRING, .of.bytes = SL_STR("up")};

    (void)state;
    fixture_init(&f);
    sl_gnmi_rewrite_set_timestamp(&f.rewrite, -9);
    sl_gnmi_rewrite_set_prefix(&f.rewrite, build_path(&prefix, elems, NULL, NULL));
    sl_gnmi_rewrite_set_atomic(&f.rewrite, false);
    sl_gnmi_rewrite_add_update_value(&f.rewrite, build_path(&f.path, elems, "e1", NULL), &value, 4);
    assert_made(&f);
    assert_int_equal(f.made.timestamp_ns, -9);
    assert_true(sl_str_eq(f.made.prefix, sl_buf_str(&prefix)));
    assert_false(f.made.is_atomic);
    struct sl_gnmi_update update = first_update(&f.made);
    assert_true(sl_str_eq(update.path, sl_buf_str(&f.path)));
    assert_int_equal(update.value.kind, SL_GNMI_VALUE_STRING);
    assert_true(sl_str_eq(update.value.of.bytes, SL_STR("up")));
    assert_int_equal(update.duplicates, 4);
    sl_buf_fini(&prefix);
    fixture_fini(&f);
}

static bool is_same_value(const struct sl_gnmi_value *a, const struct sl_gnmi_value *b)
{
    switch (a->kind) {
    case SL_GNMI_VALUE_NONE:
        return true;
    case SL_GNMI_VALUE_INT:
    case SL_GNMI_VALUE_UINT:
        return a->of.u64 == b->of.u64;
    case SL_GNMI_VALUE_BOOL:
        return a->of.boolean == b->of.boolean;
    case SL_GNMI_VALUE_FLOAT:
        return memcmp(&a->of.f32, &b->of.f32, sizeof(float)) == 0;
    case SL_GNMI_VALUE_DOUBLE:
        return memcmp(&a->of.f64, &b->of.f64, sizeof(double)) == 0;
    case SL_GNMI_VALUE_DECIMAL:
        return a->of.decimal.digits == b->of.decimal.digits &&
               a->of.decimal.precision == b->of.decimal.precision;
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_LEAFLIST:
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
    case SL_GNMI_VALUE_ASCII:
    case SL_GNMI_VALUE_PROTO_BYTES:
        return sl_str_eq(a->of.bytes, b->of.bytes);
    }
    return false;
}

static void every_arm_comes_back(void **state)
{
    static const struct sl_gnmi_value values[] = {
        {.kind = SL_GNMI_VALUE_NONE},
        {.kind = SL_GNMI_VALUE_STRING, .of.bytes = {"", 0}},
        {.kind = SL_GNMI_VALUE_INT, .of.i64 = INT64_MIN},
        {.kind = SL_GNMI_VALUE_UINT, .of.u64 = UINT64_MAX},
        {.kind = SL_GNMI_VALUE_BOOL, .of.boolean = false},
        {.kind = SL_GNMI_VALUE_BOOL, .of.boolean = true},
        {.kind = SL_GNMI_VALUE_BYTES, .of.bytes = {"\0\xff", 2}},
        {.kind = SL_GNMI_VALUE_FLOAT, .of.f32 = -0.0F},
        {.kind = SL_GNMI_VALUE_DOUBLE, .of.f64 = (double)INFINITY},
        {.kind = SL_GNMI_VALUE_DECIMAL, .of.decimal = {-15, 3}},
        {.kind = SL_GNMI_VALUE_LEAFLIST, .of.bytes = {"\x0a\x02\x10\x01", 4}},
        {.kind = SL_GNMI_VALUE_ANY, .of.bytes = {"\x0a\x01t", 3}},
        {.kind = SL_GNMI_VALUE_JSON, .of.bytes = {"{}", 2}},
        {.kind = SL_GNMI_VALUE_JSON_IETF, .of.bytes = {"[null]", 6}},
        {.kind = SL_GNMI_VALUE_ASCII, .of.bytes = {"a", 1}},
        {.kind = SL_GNMI_VALUE_PROTO_BYTES, .of.bytes = {"\x08\x01", 2}},
    };
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < SL_ARRAY_LEN(values); i++) {
        sl_gnmi_rewrite_add_update_value(&f.rewrite, SL_STR("\x1a\x00"), &values[i], 0);
    }
    assert_made(&f);
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(&f.made);
    struct sl_gnmi_update update;
    for (size_t i = 0; i < SL_ARRAY_LEN(values); i++) {
        assert_true(sl_gnmi_next_update(&cursor, &update));
        assert_int_equal(update.value.kind, values[i].kind);
        assert_true(is_same_value(&update.value, &values[i]));
    }
    assert_false(sl_gnmi_next_update(&cursor, &update));
    fixture_fini(&f);
}

static void nothing_left_is_still_a_notification(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_made(&f);
    assert_int_equal(f.made.updates + f.made.deletes, 0);
    assert_true(f.made.is_atomic);
    fixture_fini(&f);
}

static void a_limit_ends_it_with_nothing_made(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.out.limit_bytes = f.out.cap;
    struct sl_gnmi_update update = first_update(&f.from);
    for (int i = 0; i < 1000; i++) {
        sl_gnmi_rewrite_add_update(&f.rewrite, update.path, &update);
        sl_gnmi_rewrite_add_update(&f.rewrite, SL_STR("\x1a\x00"), &update);
    }
    assert_false(sl_gnmi_rewrite_end(&f.rewrite, &f.made));
    fixture_fini(&f);
}

/* ---- paths ---- */

static void a_path_is_read_as_it_was_built(void **state)
{
    struct sl_buf out = {0};
    struct sl_gnmi_path_build build;
    struct sl_gnmi_path path;
    struct sl_gnmi_elem elem;
    struct sl_gnmi_key key;

    (void)state;
    sl_buf_add_c(&out, "before");
    sl_gnmi_path_build_begin(&build, &out);
    sl_gnmi_path_build_origin(&build, SL_STR("openconfig"));
    sl_gnmi_path_build_elem(&build, SL_STR("a"));
    sl_gnmi_path_build_key(&build, SL_STR("k"), SL_STR("1"));
    sl_gnmi_path_build_key(&build, SL_STR("l"), SL_STR(""));
    sl_gnmi_path_build_label(&build, SL_STR("site"), SL_STR("tyo"));
    sl_gnmi_path_build_elem(&build, SL_STR(""));
    sl_gnmi_path_build_target(&build, SL_STR("leaf1"));
    sl_gnmi_path_read(sl_gnmi_path_build_end(&build), &path);
    assert_true(sl_str_eq(path.origin, SL_STR("openconfig")));
    assert_true(sl_str_eq(path.target, SL_STR("leaf1")));
    assert_true(sl_gnmi_path_next(&path, &elem));
    assert_true(sl_str_eq(elem.name, SL_STR("a")));
    assert_true(sl_gnmi_elem_next_key(&elem, &key));
    assert_true(sl_str_eq(key.name, SL_STR("k")) && sl_str_eq(key.value, SL_STR("1")));
    assert_true(sl_gnmi_elem_next_key(&elem, &key));
    assert_true(sl_str_eq(key.name, SL_STR("l")) && key.value.len == 0);
    assert_false(sl_gnmi_elem_next_key(&elem, &key));
    assert_true(sl_gnmi_path_next(&path, &elem));
    assert_int_equal(elem.name.len, 0);
    assert_false(sl_gnmi_path_next(&path, &elem));
    assert_true(sl_gnmi_path_next_label(&path, &key));
    assert_true(sl_str_eq(key.name, SL_STR("site")) && sl_str_eq(key.value, SL_STR("tyo")));
    assert_false(sl_gnmi_path_next_label(&path, &key));
    sl_buf_fini(&out);
}

/* ---- labels ---- */

static bool has_label(struct sl_str bytes)
{
    struct sl_gnmi_path path;
    struct sl_gnmi_key label;

    sl_gnmi_path_read(bytes, &path);
    return sl_gnmi_path_next_label(&path, &label);
}

static void a_device_cannot_set_labels(void **state)
{
    static const char *const elems[] = {"a", NULL};
    struct sl_buf path = {0};
    struct sl_buf message = {0};
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;

    (void)state;
    struct sl_str bytes = build_path(&path, elems, "e1", "forged");
    assert_true(has_label(bytes));
    size_t notification = sl_pack_begin(&message, 1);
    sl_pack_bytes(&message, 2, bytes);
    size_t update = sl_pack_begin(&message, 4);
    sl_pack_bytes(&message, 1, bytes);
    sl_pack_bytes(&message, 3, SL_STR("\x10\x07"));
    sl_pack_end(&message, update);
    sl_pack_bytes(&message, 5, bytes);
    sl_pack_end(&message, notification);
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&message), &scratch, &response);
    assert_true(sl_status_is_ok(&status));
    assert_false(has_label(response.prefix));
    assert_false(has_label(first_update(&response).path));
    assert_false(has_label(first_delete(&response)));
    assert_true(sl_str_eq(first_delete(&response), build_path(&path, elems, "e1", NULL)));
    sl_buf_fini(&scratch);
    sl_buf_fini(&message);
    sl_buf_fini(&path);
}

static void labels_leave_with_what_goes_out_as_gnmi(void **state)
{
    static const char *const elems[] = {"x", NULL};
    struct fixture f;
    struct sl_buf plain = {0};
    struct sl_gnmi_response read;

    (void)state;
    fixture_init(&f);
    struct sl_gnmi_update update = first_update(&f.from);
    struct sl_str path = build_path(&f.path, elems, "e1", "tyo");
    sl_gnmi_rewrite_note_labels(&f.rewrite);
    sl_gnmi_rewrite_add_update(&f.rewrite, path, &update);
    sl_gnmi_rewrite_add_delete(&f.rewrite, path);
    assert_true(sl_gnmi_rewrite_end(&f.rewrite, &f.made));
    assert_true(f.made.has_labels);
    sl_gnmi_add_without_labels(&plain, &f.made);
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&plain), &f.scratch, &read);
    assert_true(sl_status_is_ok(&status));
    path = build_path(&f.path, elems, "e1", NULL);
    assert_true(sl_str_eq(first_update(&read).path, path));
    assert_int_equal(first_update(&read).value.of.i64, 7);
    assert_true(sl_str_eq(first_delete(&read), path));
    assert_int_equal(read.timestamp_ns, 5);
    assert_true(read.is_atomic);
    assert_true(read.message.len > 4 &&
                memcmp(read.message.data + read.message.len - 4, "\x2a\x02\x0a\x00", 4) == 0);
    sl_buf_fini(&plain);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_copied_whole_is_the_same_message),
        cmocka_unit_test(an_update_moves_to_another_path),
        cmocka_unit_test(wherever_the_path_stands_the_rest_is_kept),
        cmocka_unit_test(head_and_values_may_be_others),
        cmocka_unit_test(every_arm_comes_back),
        cmocka_unit_test(nothing_left_is_still_a_notification),
        cmocka_unit_test(a_limit_ends_it_with_nothing_made),
        cmocka_unit_test(a_path_is_read_as_it_was_built),
        cmocka_unit_test(a_device_cannot_set_labels),
        cmocka_unit_test(labels_leave_with_what_goes_out_as_gnmi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
