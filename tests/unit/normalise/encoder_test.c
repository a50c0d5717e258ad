/* The rules of the event format that one message shows at a time, and the encoder's limits. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"

#include "normalise/encoder.h"
#include "test.h"

static const struct sl_encoder_context context = {.epoch = 1, .seq = 1};

enum { ELEMS_MAX = 8, UPDATES_MAX = 4 };

/* A Path under construction; every string is borrowed. */
struct path {
    Gnmi__Path path;
    Gnmi__PathElem elems[ELEMS_MAX];
    Gnmi__PathElem *elem_list[ELEMS_MAX];
    Gnmi__PathElem__KeyEntry keys[ELEMS_MAX];
    Gnmi__PathElem__KeyEntry *key_list[ELEMS_MAX];
};

static void path_init(struct path *path)
{
    gnmi__path__init(&path->path);
    path->path.elem = path->elem_list;
}

/* One more element, with one key where `key` is given. */
static void path_add(struct path *path, char *name, char *key, char *value)
{
    size_t at = path->path.n_elem++;
    Gnmi__PathElem *elem = path->elem_list[at] = &path->elems[at];

    assert_true(at < ELEMS_MAX);
    gnmi__path_elem__init(elem);
    elem->name = name;
    if (key) {
        gnmi__path_elem__key_entry__init(&path->keys[at]);
        path->keys[at].key = key;
        path->keys[at].value = value;
        path->key_list[at] = &path->keys[at];
        elem->key = &path->key_list[at];
        elem->n_key = 1;
    }
}

struct fixture {
    struct path prefix;
    struct path path;
    Gnmi__TypedValue value;
    Gnmi__Update update;
    Gnmi__Update *updates[UPDATES_MAX];
    Gnmi__Notification notification;
    Gnmi__SubscribeResponse response;
    struct sl_buf message;
    struct sl_buf out;
    struct sl_encoded encoded;
    struct sl_str subscription_target;
    enum sl_format format;
};

/* An update without a path and without elements in the prefix, uint 1. */
static void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    path_init(&fixture->prefix);
    path_init(&fixture->path);
    gnmi__typed_value__init(&fixture->value);
    fixture->value.value_case = GNMI__TYPED_VALUE__VALUE_UINT_VAL;
    fixture->value.uint_val = 1;
    gnmi__update__init(&fixture->update);
    fixture->update.path = &fixture->path.path;
    fixture->update.val = &fixture->value;
    fixture->updates[0] = &fixture->update;
    gnmi__notification__init(&fixture->notification);
    fixture->notification.prefix = &fixture->prefix.path;
    fixture->notification.update = fixture->updates;
    fixture->notification.n_update = 1;
    gnmi__subscribe_response__init(&fixture->response);
    fixture->response.response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    fixture->response.update = &fixture->notification;
}

static void fixture_encode(struct fixture *fixture)
{
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_encoder_config config = {
        .format = fixture->format,
        .target = SL_STR("leaf1"),
        .subscription = SL_STR("sub1"),
        .subscription_target = fixture->subscription_target,
        .memory = &memory,
    };
    struct sl_encoder *encoder = sl_encoder_new(&config);
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    size_t size = gnmi__subscribe_response__get_packed_size(&fixture->response);

    assert_non_null(encoder);
    assert_true(sl_buf_reserve(&fixture->message, size + 1));
    fixture->message.len =
        gnmi__subscribe_response__pack(&fixture->response, (uint8_t *)fixture->message.data);
    struct sl_status status =
        sl_gnmi_response_read(sl_buf_str(&fixture->message), &scratch, &response);
    assert_true(sl_status_is_ok(&status));
    assert_true(sl_encoder_encode(encoder, &response, &context, &fixture->out, &fixture->encoded));
    sl_encoder_free(encoder);
    sl_buf_fini(&scratch);
}

static void fixture_fini(struct fixture *fixture)
{
    sl_buf_fini(&fixture->message);
    sl_buf_fini(&fixture->out);
}

static void assert_event(struct fixture *fixture, const char *expected)
{
    fixture_encode(fixture);
    assert_string_equal(sl_buf_text(&fixture->out), expected);
    fixture_fini(fixture);
}

#define META "\"source\":\"leaf1\",\"subscription-name\":\"sub1\""

static void a_key_without_an_element_wins_over_the_meta_tag(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    path_add(&f.path, "", "source", "x");
    path_add(&f.path, "v", NULL, NULL);
    assert_event(&f, "[{\"name\":\"sub1\",\"tags\":{\"meta_source\":\"leaf1\",\"source\":\"x\","
                     "\"subscription-name\":\"sub1\"},\"values\":{\"/v\":1}}]");
}

static void the_target_of_a_subscription_is_a_tag(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.subscription_target = SL_STR("r9");
    path_add(&f.path, "v", NULL, NULL);
    assert_event(&f, "[{\"name\":\"sub1\",\"tags\":{" META ",\"subscription-target\":\"r9\"},"
                     "\"values\":{\"/v\":1}}]");
}

static void a_tag_that_differs_from_the_prefix_is_named_by_the_whole_path(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    path_add(&f.prefix, "m:if", "name", "a");
    path_add(&f.path, "x:y:if", "name", "b");
    path_add(&f.path, "v", NULL, NULL);
    assert_event(&f, "[{\"name\":\"sub1\",\"tags\":{\"/m:if/x:y:if/v_if_name\":\"b\","
                     "\"if_name\":\"a\"," META "},\"values\":{\"/m:if/x:y:if/v\":1}}]");
}

static void an_equal_tag_comes_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    path_add(&f.prefix, "if", "name", "a");
    path_add(&f.path, "if", "name", "a");
    assert_event(&f, "[{\"name\":\"sub1\",\"tags\":{\"if_name\":\"a\"," META
                     "},\"values\":{\"/if/if\":1}}]");
}

static void slashes_meet_as_one(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    path_add(&f.prefix, "a//", NULL, NULL);
    path_add(&f.path, "//b", NULL, NULL);
    assert_event(&f, "[{\"name\":\"sub1\",\"tags\":{" META "},\"values\":{\"/a/b\":1}}]");
}

static void a_json_object_is_flattened_below_the_path(void **state)
{
    struct fixture f;
    char json[] = "{\"b\":{\"c\\n\":9007199254740993},\"a\":[1]}";

    (void)state;
    fixture_init(&f);
    path_add(&f.path, "p\"q", NULL, NULL);
    f.value.value_case = GNMI__TYPED_VALUE__VALUE_JSON_IETF_VAL;
    f.value.json_ietf_val = (ProtobufCBinaryData){strlen(json), (uint8_t *)json};
    assert_event(&f, "[{\"name\":\"sub1\",\"tags\":{" META "},\"values\":{\"/p\\\"q/a.0\":1,"
                     "\"/p\\\"q/b/c\\n\":9007199254740993}}]");
}

static void a_bad_value_drops_itself_alone(void **state)
{
    struct fixture f;
    char json[] = "{\"a\":";
    Gnmi__TypedValue broken = GNMI__TYPED_VALUE__INIT;
    Gnmi__Update bad = GNMI__UPDATE__INIT;

    (void)state;
    fixture_init(&f);
    path_add(&f.path, "v", NULL, NULL);
    broken.value_case = GNMI__TYPED_VALUE__VALUE_JSON_VAL;
    broken.json_val = (ProtobufCBinaryData){strlen(json), (uint8_t *)json};
    bad.path = &f.path.path;
    bad.val = &broken;
    f.updates[0] = &bad;
    f.updates[1] = &f.update;
    f.updates[2] = &bad;
    f.notification.n_update = 3;
    fixture_encode(&f);
    assert_string_equal(sl_buf_text(&f.out),
                        "[{\"name\":\"sub1\",\"tags\":{" META "},\"values\":{\"/v\":1}}]");
    assert_int_equal(f.encoded.published, 1);
    assert_int_equal(f.encoded.dropped, 2);
    fixture_fini(&f);
}

static void a_message_of_bad_values_alone_gives_no_record(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.value.value_case = GNMI__TYPED_VALUE__VALUE_DOUBLE_VAL;
    f.value.double_val = 1e308 * 10;
    fixture_encode(&f);
    assert_int_equal(f.out.len, 0);
    assert_int_equal(f.encoded.published, 0);
    assert_int_equal(f.encoded.dropped, 1);
    fixture_fini(&f);
}

static void a_sync_has_no_event_but_is_passed_on_as_proto(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.response.response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_SYNC_RESPONSE;
    f.response.sync_response = 1;
    assert_event(&f, "");
    f.format = SL_FORMAT_PROTO;
    fixture_encode(&f);
    assert_true(sl_str_eq(sl_buf_str(&f.out), SL_STR("\x18\x01")));
    fixture_fini(&f);
}

static void a_record_goes_behind_what_is_there(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    path_add(&f.path, "v", NULL, NULL);
    sl_buf_add_c(&f.out, "before ");
    assert_event(&f, "before [{\"name\":\"sub1\",\"tags\":{" META "},\"values\":{\"/v\":1}}]");
}

static void the_origin_is_the_prefixs_or_else_the_first_paths(void **state)
{
    static const char both[] =
        "\x0a\x12\x12\x04\x12\x02o1\x22\x0a\x0a\x08\x12\x02o2\x1a\x02\x0a\x00";
    static const char deleted[] = "\x0a\x06\x2a\x04\x12\x02o3";
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_status status =
        sl_gnmi_response_read((struct sl_str){both, sizeof(both) - 1}, &scratch, &response);

    (void)state;
    assert_true(sl_status_is_ok(&status));
    assert_true(sl_str_eq_c(sl_response_origin(&response), "o1"));
    response.prefix = (struct sl_str){0};
    assert_true(sl_str_eq_c(sl_response_origin(&response), "o2"));
    status =
        sl_gnmi_response_read((struct sl_str){deleted, sizeof(deleted) - 1}, &scratch, &response);
    assert_true(sl_status_is_ok(&status));
    assert_true(sl_str_eq_c(sl_response_origin(&response), "o3"));
    status = sl_gnmi_response_read(SL_STR("\x18\x01"), &scratch, &response);
    assert_int_equal(sl_response_origin(&response).len, 0);
    sl_buf_fini(&scratch);
}

/* A notification whose prefix is one element of `prefix_len` bytes, with `count` updates
 * without a path. */
static void make_wide(struct sl_buf *message, size_t prefix_len, size_t count, bool has_values)
{
    struct sl_buf name = {0};
    Gnmi__SubscribeResponse response = GNMI__SUBSCRIBE_RESPONSE__INIT;
    Gnmi__Notification notification = GNMI__NOTIFICATION__INIT;
    Gnmi__Update update = GNMI__UPDATE__INIT;
    Gnmi__TypedValue value = GNMI__TYPED_VALUE__INIT;
    struct path prefix;

    for (size_t i = 0; i < prefix_len; i++) {
        sl_buf_add_byte(&name, 'p');
    }
    memset(&prefix, 0, sizeof(prefix));
    path_init(&prefix);
    (void)sl_buf_text(&name);
    path_add(&prefix, name.data, NULL, NULL);
    value.value_case =
        has_values ? GNMI__TYPED_VALUE__VALUE_BOOL_VAL : GNMI__TYPED_VALUE__VALUE__NOT_SET;
    update.val = &value;
    notification.prefix = &prefix.path;
    notification.update = malloc(count * sizeof(Gnmi__Update *));
    assert_non_null(notification.update);
    for (size_t i = 0; i < count; i++) {
        notification.update[i] = &update;
    }
    notification.n_update = count;
    response.response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    response.update = &notification;
    size_t size = gnmi__subscribe_response__get_packed_size(&response);

    assert_true(sl_buf_reserve(message, size));
    message->len = gnmi__subscribe_response__pack(&response, (uint8_t *)message->data);
    free(notification.update);
    sl_buf_fini(&name);
}

static struct sl_encoded encode_wide(size_t prefix_len, size_t count, bool has_values,
                                     uint64_t limit_bytes)
{
    struct sl_encoded encoded;
    struct sl_encoder_memory memory = {.limit_bytes = limit_bytes};
    struct sl_encoder_config config = {.target = SL_STR("leaf1"), .memory = &memory};
    struct sl_encoder *encoder = sl_encoder_new(&config);
    struct sl_buf message = {0};
    struct sl_buf scratch = {0};
    struct sl_buf out = {0};
    struct sl_gnmi_response response;

    assert_non_null(encoder);
    make_wide(&message, prefix_len, count, has_values);
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&message), &scratch, &response);

    assert_true(sl_status_is_ok(&status));
    assert_true(sl_encoder_encode(encoder, &response, &context, &out, &encoded));
    assert_int_equal(encoded.published + encoded.dropped, count);
    assert_true(out.len <= SL_ENCODER_MAX_RECORD_BYTES + 1);
    assert_true(memory.used_bytes <= limit_bytes);
    sl_encoder_free(encoder);
    sl_buf_fini(&out);
    sl_buf_fini(&scratch);
    sl_buf_fini(&message);
    return encoded;
}

static void a_small_message_cannot_become_a_huge_record(void **state)
{
    struct sl_encoded encoded = encode_wide(1000000, 10000, true, 0);

    (void)state;
    assert_in_range(encoded.published, 10, 100);
    encoded = encode_wide(1000000, 10000, true, 64 * SL_MIB);
    assert_in_range(encoded.published, 10, 100);
    encoded = encode_wide(9 * SL_MIB, 3, true, 64 * SL_MIB);
    assert_int_equal(encoded.published, 0);
}

static void a_small_message_cannot_cost_much_time(void **state)
{
    struct sl_encoded encoded = encode_wide(1000000, 1000000, false, 0);

    (void)state; /* a terabyte to write, were it not for the limit */
    assert_in_range(encoded.published, 10, 100);
}

static void the_memory_for_paths_is_shared_bounded_and_returned(void **state)
{
    struct sl_encoder_memory memory = {.limit_bytes = 16 * SL_KIB};
    struct sl_encoder_config config = {.target = SL_STR("leaf1"), .memory = &memory};
    struct sl_encoder *encoders[2] = {sl_encoder_new(&config), sl_encoder_new(&config)};
    struct sl_buf scratch = {0};
    struct sl_buf out = {0};
    uint64_t used = 0;

    (void)state;
    assert_non_null(encoders[0]);
    assert_non_null(encoders[1]);
    for (unsigned i = 0; i < 1000; i++) {
        char message[] = "\x0a\x0d\x22\x0b\x0a\x09\x1a\x07\x0a\x05xxxx";
        struct sl_gnmi_response response;
        struct sl_encoded encoded;
        message[10] = (char)('a' + i % 26);
        message[11] = (char)('a' + i / 26 % 26);
        message[12] = (char)('a' + i / 676);
        message[14] = 'y';
        struct sl_status status =
            sl_gnmi_response_read((struct sl_str){message, 15}, &scratch, &response);
        assert_true(sl_status_is_ok(&status));
        sl_buf_reset(&out);
        assert_true(sl_encoder_encode(encoders[i % 2], &response, &context, &out, &encoded));
        assert_non_null(strstr(sl_buf_text(&out), "\"source\":\"leaf1\""));
        assert_true(memory.used_bytes >= used && memory.used_bytes <= memory.limit_bytes);
        used = memory.used_bytes;
    }
    assert_true(used > 0);
    sl_encoder_free(encoders[0]);
    assert_true(memory.used_bytes < used);
    sl_encoder_free(encoders[1]);
    assert_int_equal(memory.used_bytes, 0);
    sl_buf_fini(&out);
    sl_buf_fini(&scratch);
}

static void too_many_tags_drop_the_update(void **state)
{
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_encoder_config config = {.target = SL_STR("leaf1"), .memory = &memory};
    struct sl_encoder *encoder = sl_encoder_new(&config);
    struct sl_buf elem = {0};
    struct sl_buf message = {0};
    struct sl_buf scratch = {0};
    struct sl_buf out = {0};
    struct sl_gnmi_response response;
    struct sl_encoded encoded;

    (void)state;
    assert_non_null(encoder);
    for (unsigned i = 0; i < 1000; i++) { /* one element with a thousand keys */
        sl_buf_printf(&elem, "\x12\x05\x0a\x03%03u", i);
    }
    /* lengths of three bytes each: element, path, update, notification */
    for (unsigned i = 0; i < 4; i++) {
        static const char tags[] = {0x0a, 0x22, 0x0a, 0x1a};
        size_t len = elem.len + (3 - i) * 4;
        const char header[] = {tags[i], (char)(len | 0x80), (char)(len >> 7 | 0x80),
                               (char)(len >> 14)};
        sl_buf_add(&message, header, sizeof(header));
    }
    sl_buf_add_str(&message, sl_buf_str(&elem));
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&message), &scratch, &response);

    assert_true(sl_status_is_ok(&status));
    assert_true(sl_encoder_encode(encoder, &response, &context, &out, &encoded));
    assert_int_equal(encoded.published, 0);
    assert_int_equal(encoded.dropped, 1);
    sl_encoder_free(encoder);
    sl_buf_fini(&elem);
    sl_buf_fini(&message);
    sl_buf_fini(&scratch);
    sl_buf_fini(&out);
}

static void formats_have_names(void **state)
{
    (void)state;
    assert_string_equal(sl_format_name(SL_FORMAT_EVENT), "event");
    assert_string_equal(sl_format_name(SL_FORMAT_PROTO), "proto");
    assert_string_equal(sl_format_name(SL_FORMAT_SLUICE_V1), "sluice.v1");
}

/* As many metrics as updates, of several windows, without memory for paths: none is lost. */
static void each_of_many_series_becomes_a_metric(void **state)
{
    enum { UPDATES = 700 };
    struct sl_encoder_memory memory = {.limit_bytes = 0};
    struct sl_encoder_config config = {.format = SL_FORMAT_TELEGRAF_JSON,
                                       .target = SL_STR("leaf1"),
                                       .host = SL_STR("h"),
                                       .memory = &memory};
    struct sl_encoder *encoder = sl_encoder_new(&config);
    struct sl_encoder_progress progress = {0};
    struct sl_gnmi_response response;
    struct sl_buf message = {0};
    struct sl_buf scratch = {0};
    unsigned records = 0;

    (void)state;
    assert_non_null(encoder);
    size_t body = UPDATES * 29;
    char head[] = {0x0a, (char)(0x80 | (body & 0x7f)), (char)(0x80 | (body >> 7 & 0x7f)),
                   (char)(body >> 14)};
    sl_buf_add(&message, head, sizeof(head));
    for (unsigned i = 0; i < UPDATES; i++) { /* /a[k=0000]/v = 1 */
        sl_buf_printf(&message,
                      "\x22\x1b\x0a\x15\x1a\x0e\x0a\x01"
                      "a\x12\x09\x0a\x01k\x12\x04%04u"
                      "\x1a\x03\x0a\x01v\x1a\x02\x18\x01",
                      i);
    }
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&message), &scratch, &response);

    assert_true(sl_status_is_ok(&status));
    assert_int_equal(response.updates, UPDATES);
    while (!progress.is_done) {
        struct sl_encoded encoded;
        struct sl_buf out = {0};
        assert_true(sl_encoder_next(encoder, &response, &context, &progress, &out, &encoded));
        assert_int_equal(encoded.published, out.len > 0);
        assert_int_equal(encoded.dropped, 0);
        records += out.len > 0;
        sl_buf_fini(&out);
    }
    assert_int_equal(records, UPDATES);
    sl_encoder_free(encoder);
    sl_buf_fini(&scratch);
    sl_buf_fini(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_without_an_element_wins_over_the_meta_tag),
        cmocka_unit_test(the_target_of_a_subscription_is_a_tag),
        cmocka_unit_test(a_tag_that_differs_from_the_prefix_is_named_by_the_whole_path),
        cmocka_unit_test(an_equal_tag_comes_once),
        cmocka_unit_test(slashes_meet_as_one),
        cmocka_unit_test(a_json_object_is_flattened_below_the_path),
        cmocka_unit_test(a_bad_value_drops_itself_alone),
        cmocka_unit_test(a_message_of_bad_values_alone_gives_no_record),
        cmocka_unit_test(a_sync_has_no_event_but_is_passed_on_as_proto),
        cmocka_unit_test(a_record_goes_behind_what_is_there),
        cmocka_unit_test(the_origin_is_the_prefixs_or_else_the_first_paths),
        cmocka_unit_test(a_small_message_cannot_become_a_huge_record),
        cmocka_unit_test(a_small_message_cannot_cost_much_time),
        cmocka_unit_test(the_memory_for_paths_is_shared_bounded_and_returned),
        cmocka_unit_test(too_many_tags_drop_the_update),
        cmocka_unit_test(each_of_many_series_becomes_a_metric),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
