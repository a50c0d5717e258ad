#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "device/device.h"
#include "device/message.h"

enum { INTERFACES = 3, COUNTERS = INTERFACES * SL_DEVICE_COUNTERS, PADDED_FROM_BYTES = 160 };

static const struct sl_device_selection all_counters = {.count = COUNTERS};

struct bench {
    struct sl_device_leaves leaves;
    struct sl_device_writer writer;
    struct sl_device_message message;
};

static int open_bench(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    assert_true(sl_device_leaves_init(&bench->leaves, INTERFACES));
    sl_device_writer_init(&bench->writer, &bench->leaves);
    bench->message = (struct sl_device_message){
        .target = SL_STR("sim1"),
        .session = SL_STR("0123456789abcdef"),
        .seq = 7,
        .timestamp_ns = INT64_C(1700000000123456789),
        .encoding = GNMI__ENCODING__PROTO,
        .max_updates = 20,
        .selection = &all_counters,
        .leaf_limit = COUNTERS,
    };
    *state = bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    sl_device_writer_fini(&bench->writer);
    sl_device_leaves_fini(&bench->leaves);
    free(bench);
    return 0;
}

static Gnmi__SubscribeResponse *unpack(struct sl_str bytes)
{
    Gnmi__SubscribeResponse *response =
        gnmi__subscribe_response__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);

    assert_non_null(response);
    return response;
}

static void drop(Gnmi__SubscribeResponse *response)
{
    gnmi__subscribe_response__free_unpacked(response, NULL);
}

static const Gnmi__Update *last_of(const Gnmi__SubscribeResponse *response)
{
    return response->update->update[response->update->n_update - 1];
}

static const char *leaf_name(const Gnmi__Update *update)
{
    return update->path->elem[update->path->n_elem - 1]->name;
}

static void a_notification_has_seq_then_session_then_counters(void **state)
{
    struct bench *bench = *state;
    struct sl_device_written written;
    Gnmi__SubscribeResponse *response;
    const Gnmi__Notification *notification;

    bench->message.leaf_first = 10;
    written = sl_device_write(&bench->writer, &bench->message);
    response = unpack(written.bytes);
    notification = response->update;
    assert_int_equal(notification->timestamp, INT64_C(1700000000123456789));
    assert_string_equal(notification->prefix->target, "sim1");
    assert_int_equal(notification->n_update, 20);
    assert_int_equal(written.updates, 20);
    assert_int_equal(written.passed, 18);
    assert_string_equal(leaf_name(notification->update[0]), "seq");
    assert_int_equal(notification->update[0]->val->uint_val, 7);
    assert_string_equal(leaf_name(notification->update[1]), "session");
    assert_string_equal(notification->update[1]->val->string_val, "0123456789abcdef");
    for (uint32_t i = 0; i < 18; i++) {
        const Gnmi__Update *update = notification->update[i + 2];

        assert_int_equal(update->path->n_elem, 5);
        assert_string_equal(update->path->elem[1]->key[0]->value,
                            i + 10 < SL_DEVICE_COUNTERS ? "eth0" : "eth1");
        assert_int_equal(update->val->uint_val, sl_device_leaf_value(0, i + 10, 0));
    }
    drop(response);
}

static void one_update_is_seq_alone(void **state)
{
    struct bench *bench = *state;
    Gnmi__SubscribeResponse *response;

    bench->message.max_updates = 1;
    response = unpack(sl_device_write(&bench->writer, &bench->message).bytes);
    assert_int_equal(response->update->n_update, 1);
    assert_string_equal(leaf_name(response->update->update[0]), "seq");
    drop(response);
}

static void without_a_target_there_is_no_prefix(void **state)
{
    struct bench *bench = *state;
    Gnmi__SubscribeResponse *response;

    bench->message.target.len = 0;
    response = unpack(sl_device_write(&bench->writer, &bench->message).bytes);
    assert_null(response->update->prefix);
    drop(response);
}

static void duplicates_stand_on_the_seq_leaf_alone(void **state)
{
    struct bench *bench = *state;
    Gnmi__SubscribeResponse *response;

    bench->message.duplicates = UINT32_MAX;
    response = unpack(sl_device_write(&bench->writer, &bench->message).bytes);
    assert_int_equal(response->update->update[0]->duplicates, UINT32_MAX);
    for (size_t i = 1; i < response->update->n_update; i++) {
        assert_int_equal(response->update->update[i]->duplicates, 0);
    }
    drop(response);
}

static void counters_begin_where_told_and_wrap(void **state)
{
    static const uint32_t selected[] = {0, 19, 53};
    static const struct sl_device_selection selection = {selected, 0, SL_ARRAY_LEN(selected)};
    struct bench *bench = *state;
    Gnmi__SubscribeResponse *response;

    bench->message.selection = &selection;
    bench->message.leaf_first = 1;
    response = unpack(sl_device_write(&bench->writer, &bench->message).bytes);
    assert_int_equal(response->update->n_update, 5);
    assert_string_equal(leaf_name(response->update->update[2]), "in-unicast-pkts");
    assert_string_equal(leaf_name(response->update->update[3]), "resets");
    assert_string_equal(leaf_name(response->update->update[4]), "in-octets");
    drop(response);
}

/* Nothing longer than asked; where a padding leaf fits, nothing shorter but for a byte or two where
 * a length's own length grows. */
static void check_size(struct bench *bench, uint32_t size)
{
    struct sl_device_written written;
    Gnmi__SubscribeResponse *response;

    bench->message.size_bytes = size;
    written = sl_device_write(&bench->writer, &bench->message);
    response = unpack(written.bytes);
    if (!written.is_notification) {
        assert_in_range(size, SL_DEVICE_MIN_MESSAGE_BYTES, 80);
        assert_int_equal(response->response_case, GNMI__SUBSCRIBE_RESPONSE__RESPONSE__NOT_SET);
        assert_int_equal(response->n_extension, 1);
        assert_in_range(written.bytes.len, size < 7 ? 7 : size - 1, size < 7 ? 7 : size);
    } else {
        assert_in_range(written.bytes.len, size < PADDED_FROM_BYTES ? 1 : size - 4, size);
        assert_int_equal(written.updates, response->update->n_update);
        assert_string_equal(leaf_name(response->update->update[0]), "seq");
        if (size >= PADDED_FROM_BYTES) {
            assert_true(written.bytes.len == size ||
                        strcmp(leaf_name(last_of(response)), "padding") == 0);
        }
    }
    drop(response);
}

static void messages_have_the_size_that_was_asked_for(void **state)
{
    struct bench *bench = *state;

    for (uint32_t size = SL_DEVICE_MIN_MESSAGE_BYTES; size < 5000; size++) {
        check_size(bench, size);
    }
    check_size(bench, 16 * 1024 + 100);
    check_size(bench, 3 * 1024 * 1024);
    check_size(bench, SL_DEVICE_MAX_MESSAGE_BYTES);
}

static void sizes_hold_with_one_update_and_without_a_target(void **state)
{
    struct bench *bench = *state;

    bench->message.max_updates = 1;
    bench->message.target.len = 0;
    for (uint32_t size = SL_DEVICE_MIN_MESSAGE_BYTES; size < 3000; size++) {
        check_size(bench, size);
    }
}

static const char *text_of(const Gnmi__TypedValue *value, Gnmi__Encoding encoding, char out[64])
{
    static const Gnmi__TypedValue__ValueCase arms[] = {
        [GNMI__ENCODING__JSON] = GNMI__TYPED_VALUE__VALUE_JSON_VAL,
        [GNMI__ENCODING__BYTES] = GNMI__TYPED_VALUE__VALUE_BYTES_VAL,
        [GNMI__ENCODING__ASCII] = GNMI__TYPED_VALUE__VALUE_ASCII_VAL,
        [GNMI__ENCODING__JSON_IETF] = GNMI__TYPED_VALUE__VALUE_JSON_IETF_VAL,
    };

    assert_int_equal(value->value_case, arms[encoding]);
    if (encoding == GNMI__ENCODING__ASCII) {
        snprintf(out, 64, "%s", value->ascii_val);
    } else { /* json_val, json_ietf_val and bytes_val are one member of the union */
        snprintf(out, 64, "%.*s", (int)value->bytes_val.len, (const char *)value->bytes_val.data);
    }
    return out;
}

static void values_are_in_the_arm_of_the_encoding(void **state)
{
    static const uint32_t selected[] = {0, COUNTERS, COUNTERS + 2};
    static const struct sl_device_selection selection = {selected, 0, SL_ARRAY_LEN(selected)};
    static const struct {
        Gnmi__Encoding encoding;
        const char *seq;
        const char *text;
    } cases[] = {
        {GNMI__ENCODING__JSON, "18446744073709551615", "\"UP\""},
        {GNMI__ENCODING__JSON_IETF, "\"18446744073709551615\"", "\"UP\""},
        {GNMI__ENCODING__ASCII, "18446744073709551615", "UP"},
        {GNMI__ENCODING__BYTES, "18446744073709551615", "UP"},
    };
    struct bench *bench = *state;
    char text[64];

    bench->message.selection = &selection;
    bench->message.leaf_limit = selection.count;
    bench->message.seq = UINT64_MAX;
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        bench->message.encoding = cases[i].encoding;
        Gnmi__SubscribeResponse *response =
            unpack(sl_device_write(&bench->writer, &bench->message).bytes);
        Gnmi__Update *const *updates = response->update->update;
        assert_int_equal(response->update->n_update, 5);
        assert_string_equal(text_of(updates[0]->val, cases[i].encoding, text), cases[i].seq);
        assert_non_null(
            strstr(text_of(updates[1]->val, cases[i].encoding, text), "0123456789abcdef"));
        assert_string_equal(leaf_name(updates[3]), "admin-status");
        assert_string_equal(text_of(updates[3]->val, cases[i].encoding, text), cases[i].text);
        assert_string_equal(leaf_name(updates[4]), "description");
        drop(response);
    }
}

static void sizes_hold_in_every_encoding(void **state)
{
    struct bench *bench = *state;

    for (unsigned encoding = 0; encoding <= GNMI__ENCODING__JSON_IETF; encoding++) {
        bench->message.encoding = (Gnmi__Encoding)encoding;
        for (uint32_t size = PADDED_FROM_BYTES + 8; size < 700; size++) {
            check_size(bench, size);
        }
    }
}

static void only_changes_are_sent_where_they_are_asked_for(void **state)
{
    static const struct sl_device_selection states = {.first = COUNTERS,
                                                      .count = INTERFACES * SL_DEVICE_STATES};
    struct bench *bench = *state;
    struct sl_device_written written;
    Gnmi__SubscribeResponse *response;

    bench->message.selection = &states;
    bench->message.leaf_limit = states.count;
    bench->message.only_changes = true;
    bench->message.since_ms = 0;
    /* a moment at which an interface is down, and was up */
    while (!sl_device_leaf_differs(&bench->leaves, 0, COUNTERS + 1, 0, bench->message.elapsed_ms)) {
        bench->message.elapsed_ms++;
    }
    written = sl_device_write(&bench->writer, &bench->message);
    response = unpack(written.bytes);
    assert_int_equal(written.passed, states.count);
    assert_int_equal(written.updates, response->update->n_update);
    assert_true(written.updates > 2 && written.updates <= 2 + INTERFACES);
    for (size_t i = 2; i < response->update->n_update; i++) {
        assert_string_equal(leaf_name(response->update->update[i]), "oper-status");
        assert_int_equal(response->update->update[i]->path->n_elem, 4);
    }
    drop(response);
    bench->message.only_changes = false;
    assert_int_equal(sl_device_write(&bench->writer, &bench->message).updates, 2 + states.count);
}

static void values_grow_with_time_and_fit_the_largest_table(void **state)
{
    uint32_t last = SL_DEVICE_MAX_INTERFACES * SL_DEVICE_COUNTERS - 1;

    (void)state;
    for (uint32_t leaf = 0; leaf < last; leaf += 997) {
        assert_true(sl_device_leaf_value(0, leaf, 11) > sl_device_leaf_value(0, leaf, 10));
    }
    assert_true(sl_device_leaf_value(1, 1, 1000) != sl_device_leaf_value(2, 1, 1000));
}

static void sync_is_a_sync_response(void **state)
{
    Gnmi__SubscribeResponse *response = unpack(sl_device_sync());

    (void)state;
    assert_int_equal(response->response_case, GNMI__SUBSCRIBE_RESPONSE__RESPONSE_SYNC_RESPONSE);
    assert_true(response->sync_response);
    drop(response);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_notification_has_seq_then_session_then_counters),
        BENCH_TEST(one_update_is_seq_alone),
        BENCH_TEST(without_a_target_there_is_no_prefix),
        BENCH_TEST(duplicates_stand_on_the_seq_leaf_alone),
        BENCH_TEST(counters_begin_where_told_and_wrap),
        BENCH_TEST(messages_have_the_size_that_was_asked_for),
        BENCH_TEST(sizes_hold_with_one_update_and_without_a_target),
        BENCH_TEST(values_are_in_the_arm_of_the_encoding),
        BENCH_TEST(sizes_hold_in_every_encoding),
        BENCH_TEST(only_changes_are_sent_where_they_are_asked_for),
        cmocka_unit_test(values_grow_with_time_and_fit_the_largest_table),
        cmocka_unit_test(sync_is_a_sync_response),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
