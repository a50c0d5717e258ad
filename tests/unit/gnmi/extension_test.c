/* Extensions, as they are sent and as they come back. */
#include "gnmi/extension.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "test.h"

/* What is read of the message that was made; borrows from `*message`. */
static struct sl_gnmi_extension and_back(const struct sl_gnmi_extension *given,
                                         GnmiExt__Extension **message)
{
    struct sl_gnmi_extension read = {.kind = SL_GNMI_UNKNOWN_EXTENSION};

    *message = sl_gnmi_extension_new(given);
    assert_non_null(*message);
    sl_gnmi_extension_read(*message, &read);
    assert_int_equal(read.kind, given->kind);
    return read;
}

static void forget(GnmiExt__Extension *message)
{
    gnmi_ext__extension__free_unpacked(message, NULL);
}

static void a_registered_one_keeps_its_bytes(void **state)
{
    const struct sl_gnmi_extension given = {
        .kind = SL_GNMI_REGISTERED,
        .of.registered = {.id = 999, .message = {"a\0b", 3}},
    };
    GnmiExt__Extension *message;
    struct sl_gnmi_extension read = and_back(&given, &message);

    (void)state;
    assert_int_equal(read.of.registered.id, 999);
    assert_int_equal(read.of.registered.message.len, 3);
    assert_memory_equal(read.of.registered.message.data, "a\0b", 3);
    forget(message);
}

static void arbitration_has_a_role_or_none(void **state)
{
    struct sl_gnmi_extension given = {
        .kind = SL_GNMI_ARBITRATION,
        .of.arbitration = {.role = "r", .high = UINT64_MAX, .low = 1},
    };
    GnmiExt__Extension *message;
    struct sl_gnmi_extension read = and_back(&given, &message);

    (void)state;
    assert_string_equal(read.of.arbitration.role, "r");
    assert_true(read.of.arbitration.high == UINT64_MAX);
    assert_int_equal(read.of.arbitration.low, 1);
    forget(message);
    given.of.arbitration.role = NULL;
    read = and_back(&given, &message);
    assert_null(read.of.arbitration.role);
    assert_null(message->master_arbitration->role);
    forget(message);
}

static void times_of_the_past_are_kept(void **state)
{
    const struct sl_gnmi_extension snapshot = {.kind = SL_GNMI_SNAPSHOT, .of.snapshot_ns = -5};
    const struct sl_gnmi_extension range = {
        .kind = SL_GNMI_RANGE,
        .of.range = {.start_ns = 1, .end_ns = INT64_MAX},
    };
    GnmiExt__Extension *message;
    struct sl_gnmi_extension read = and_back(&snapshot, &message);

    (void)state;
    assert_int_equal(read.of.snapshot_ns, -5);
    forget(message);
    read = and_back(&range, &message);
    assert_int_equal(read.of.range.start_ns, 1);
    assert_true(read.of.range.end_ns == INT64_MAX);
    forget(message);
}

static void every_action_of_a_commit_has_its_id(void **state)
{
    static const enum sl_gnmi_extension_kind kinds[] = {
        SL_GNMI_COMMIT, SL_GNMI_COMMIT_CONFIRM, SL_GNMI_COMMIT_CANCEL, SL_GNMI_COMMIT_ROLLBACK};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(kinds); i++) {
        const struct sl_gnmi_extension given = {
            .kind = kinds[i],
            .of.commit = {.id = "c1", .rollback_ns = 90 * SL_NS_PER_S + 5},
        };
        bool has_time = kinds[i] == SL_GNMI_COMMIT || kinds[i] == SL_GNMI_COMMIT_ROLLBACK;
        GnmiExt__Extension *message;
        struct sl_gnmi_extension read = and_back(&given, &message);

        assert_string_equal(read.of.commit.id, "c1");
        assert_true(read.of.commit.rollback_ns == (has_time ? given.of.commit.rollback_ns : 0));
        forget(message);
    }
}

static void a_commit_without_a_time_says_none(void **state)
{
    const struct sl_gnmi_extension given = {.kind = SL_GNMI_COMMIT, .of.commit = {.id = "c1"}};
    GnmiExt__Extension *message;
    struct sl_gnmi_extension read = and_back(&given, &message);

    (void)state;
    assert_null(message->commit->commit->rollback_duration);
    assert_int_equal(read.of.commit.rollback_ns, 0);
    forget(message);
}

/* A peer may send any numbers. */
static void a_time_beyond_64_bits_is_the_last_there_is(void **state)
{
    GnmiExt__Extension extension = GNMI_EXT__EXTENSION__INIT;
    GnmiExt__Commit commit = GNMI_EXT__COMMIT__INIT;
    GnmiExt__CommitRequest request = GNMI_EXT__COMMIT_REQUEST__INIT;
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
    struct sl_gnmi_extension read;

    (void)state;
    extension.ext_case = GNMI_EXT__EXTENSION__EXT_COMMIT;
    extension.commit = &commit;
    commit.action_case = GNMI_EXT__COMMIT__ACTION_COMMIT;
    commit.commit = &request;
    request.rollback_duration = &duration;
    duration.seconds = INT64_MAX;
    duration.nanos = INT32_MAX;
    sl_gnmi_extension_read(&extension, &read);
    assert_true(read.of.commit.rollback_ns == INT64_MAX);
    duration.seconds = INT64_MIN;
    sl_gnmi_extension_read(&extension, &read);
    assert_true(read.of.commit.rollback_ns == INT64_MIN);
}

static void depth_and_config_subscription(void **state)
{
    const struct sl_gnmi_extension depth = {.kind = SL_GNMI_DEPTH, .of.depth = 3};
    const struct sl_gnmi_extension start = {.kind = SL_GNMI_CONFIG_START};
    const struct sl_gnmi_extension done = {
        .kind = SL_GNMI_CONFIG_DONE,
        .of.config_done = {.commit_confirm_id = "c", .server_commit_id = "s", .done = true},
    };
    GnmiExt__Extension *message;
    struct sl_gnmi_extension read = and_back(&depth, &message);

    (void)state;
    assert_int_equal(read.of.depth, 3);
    forget(message);
    (void)and_back(&start, &message);
    forget(message);
    read = and_back(&done, &message);
    assert_string_equal(read.of.config_done.commit_confirm_id, "c");
    assert_string_equal(read.of.config_done.server_commit_id, "s");
    assert_true(read.of.config_done.done);
    forget(message);
}

static void one_without_a_known_part_is_unknown(void **state)
{
    static const uint8_t later[] = {0xfa, 0x01, 0x01, 0x00}; /* field 31 */
    GnmiExt__Extension *message = gnmi_ext__extension__unpack(NULL, sizeof(later), later);
    struct sl_gnmi_extension read = {.kind = SL_GNMI_DEPTH};

    (void)state;
    assert_non_null(message);
    sl_gnmi_extension_read(message, &read);
    assert_int_equal(read.kind, SL_GNMI_UNKNOWN_EXTENSION);
    forget(message);
}

static void those_of_a_response_are_found_where_they_lie(void **state)
{
    /* sync_response, extension {depth {level 7}}, an unknown field, extension {} */
    static const char bytes[] = "\x18\x01\x2a\x04\x2a\x02\x08\x07\x78\x05\x2a\x00";
    struct sl_buf scratch = {.data = NULL};
    struct sl_gnmi_response response;
    struct sl_status status = sl_gnmi_response_read(SL_STR(bytes), &scratch, &response);
    struct sl_gnmi_cursor cursor;
    struct sl_str found;

    (void)state;
    assert_true(sl_status_is_ok(&status));
    cursor = sl_gnmi_extensions_begin(&response);
    assert_true(sl_gnmi_next_extension(&cursor, &found));
    assert_int_equal(found.len, 4);
    assert_memory_equal(found.data, bytes + 4, 4);
    assert_true(sl_gnmi_next_extension(&cursor, &found));
    assert_int_equal(found.len, 0);
    assert_false(sl_gnmi_next_extension(&cursor, &found));
    assert_false(sl_gnmi_next_extension(&cursor, &found));
    sl_buf_fini(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registered_one_keeps_its_bytes),
        cmocka_unit_test(arbitration_has_a_role_or_none),
        cmocka_unit_test(times_of_the_past_are_kept),
        cmocka_unit_test(every_action_of_a_commit_has_its_id),
        cmocka_unit_test(a_commit_without_a_time_says_none),
        cmocka_unit_test(a_time_beyond_64_bits_is_the_last_there_is),
        cmocka_unit_test(depth_and_config_subscription),
        cmocka_unit_test(one_without_a_known_part_is_unknown),
        cmocka_unit_test(those_of_a_response_are_found_where_they_lie),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
