/* packed_test.c - a stream that several subscriptions share, and a device that refuses paths. */
#include "test.h"

#include <string.h>

#include "sink/processor.h"
#include "world.h"

enum { MOST_TURNS = 20000 };

static const char *const paths_a[] = {"/a", "/b", NULL};
static const char *const paths_c[] = {"/c", "/d", "/e", NULL};
static const struct sl_gnmi_asked asked_a = {.paths = paths_a};
static const struct sl_gnmi_asked asked_c = {.paths = paths_c};
static const struct sl_stream_member two[] = {{"ab", &asked_a, 1}, {"cde", &asked_c, 1}};
static const struct sl_stream_member first = {"ab", &asked_a, 1};

static const char *const nothing[] = {NULL};
static const char *const bad_d[] = {"d", NULL};
static const char *const bad_b_e[] = {"b", "e", NULL};
static const char *const bad_all[] = {"a", "b", "c", "d", "e", NULL};

static int set_up_two(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_PROTO}}, .members = two, .member_count = 2};

    return set_up_world(state, &options);
}

static int set_up_refusing(void **state, const char *const *refused)
{
    const struct world_options options = {.route = {.encoder = {.format = SL_FORMAT_SLUICE_V1}},
                                          .members = two,
                                          .member_count = 2,
                                          .refused = refused};

    return set_up_world(state, &options);
}

static int set_up_bad_d(void **state)
{
    return set_up_refusing(state, bad_d);
}

static int set_up_bad_b_e(void **state)
{
    return set_up_refusing(state, bad_b_e);
}

static int set_up_bad_all(void **state)
{
    return set_up_refusing(state, bad_all);
}

/* Step by step until it holds; false: it never does. */
static bool comes(struct world *world, bool (*holds)(const struct world *world))
{
    for (int i = 0; i < MOST_TURNS && !holds(world); i++) {
        (void)step(world);
    }
    return holds(world);
}

/* How many of the member's paths are in quarantine; the first of them has a name. */
static uint32_t refused(const struct world *world, size_t member)
{
    const char *path = NULL;
    uint32_t count = sl_stream_quarantined(world->stream, member, &path, 1);

    assert_true(count == 0 || path[0] == '/');
    return count;
}

static uint32_t quarantined(const struct world *world)
{
    return refused(world, 0) + refused(world, 1);
}

static bool has_one(const struct world *world)
{
    return quarantined(world) == 1 && view(world).is_synced;
}

static bool has_two(const struct world *world)
{
    return quarantined(world) == 2 && view(world).is_synced;
}

static bool has_all(const struct world *world)
{
    return quarantined(world) == 0 && view(world).is_synced && world->asked == 5;
}

/* Updates of /a and /c, each an int of 1, in one notification with the timestamp 1. */
static const uint8_t mixed[] = {0x0a, 0x1c, 0x08, 0x01, 0x22, 0x0b, 0x0a, 0x05, 0x1a, 0x03,
                                0x0a, 0x01, 'a',  0x1a, 0x02, 0x10, 0x01, 0x22, 0x0b, 0x0a,
                                0x05, 0x1a, 0x03, 0x0a, 0x01, 'c',  0x1a, 0x02, 0x10, 0x01};

static void a_mixed_message_that_is_held_in_its_middle_goes_on(void **state)
{
    struct world *world = *state;

    the_fake->full_at = 1;
    assert_int_equal(sl_grpc_call_send_bytes(world->device, mixed, sizeof(mixed)), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    const struct sl_route *routes = view(world).routes;
    assert_int_equal(routes[0].counts.received, 1);
    assert_int_equal(routes[0].counts.held, 1);
    assert_int_equal(routes[1].counts.received, 1);
    assert_int_equal(routes[1].counts.held, 1); /* in the message that waits */
    assert_true(sl_route_counts_are_valid(&routes[1].counts));

    the_fake->full_at = 0;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    assert_int_equal(the_fake->records, 2);
    assert_int_equal(the_fake->seqs[0], 1);
    assert_int_equal(the_fake->seqs[1], 1); /* each member counts by itself */
    assert_int_equal(view(world).held_bytes, sizeof(mixed) + SL_GRPC_PREFIX_BYTES);
    assert_non_null(memchr(the_fake->kept[0].data, 'a', the_fake->kept[0].len));
    assert_null(memchr(the_fake->kept[0].data, 'c', the_fake->kept[0].len));
    assert_non_null(memchr(the_fake->kept[1].data, 'c', the_fake->kept[1].len));

    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(routes[0].counts.published, 1);
    assert_int_equal(routes[1].counts.published, 1);
    assert_true(sl_route_counts_are_valid(&routes[0].counts));
    assert_true(sl_route_counts_are_valid(&routes[1].counts));
}

/* ---- a processor, and markers behind what it filters ---- */

static bool filters_c;
static uint64_t next_seq[2]; /* by member */
static size_t fillers;

static void *filter_open(const struct sluice_host *host, const void *options, char *error,
                         size_t error_size)
{
    (void)host;
    (void)options;
    (void)error;
    (void)error_size;
    return &filters_c;
}

static enum sluice_verdict filter_process(void *processor, struct sluice_record *record,
                                          char *error, size_t error_size)
{
    (void)processor;
    (void)error;
    (void)error_size;
    return filters_c && record->subscription.data[0] == 'c' ? SLUICE_FILTERED : SLUICE_KEPT;
}

static void filter_close(void *processor)
{
    (void)processor;
}

static const struct sluice_processor_plugin filter_plugin = {.type = "filter",
                                                             .doc = "lets nothing of cde through",
                                                             .open = filter_open,
                                                             .process = filter_process,
                                                             .close = filter_close};
static const struct sl_processor_spec filter = {.name = "filter", .plugin = &filter_plugin};
static const struct sl_processor_spec *const filters[] = {&filter};

/* Each line leaves at once, and the sink's markers with it. */
static int set_up_filtered(void **state)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1_JSON},
                  .has_markers = true,
                  .batch = {1, 3600 * SL_NS_PER_S}},
        .members = two,
        .member_count = 2,
        .processors = filters,
        .processor_count = 1,
    };

    filters_c = false;
    fillers = 0;
    next_seq[0] = next_seq[1] = 1;
    return set_up_world(state, &options);
}

static void note_number(const struct sluice_record *record, void *arg)
{
    uint64_t *next = &next_seq[record->subscription.data[0] == 'c'];

    (void)arg;
    assert_int_equal(record->seq, *next);
    *next += record->lines;
    fillers += memmem(record->payload, record->payload_len, "\"filtered\"", 10) != NULL;
}

static void numbers_of_filtered_lines_are_a_markers_where_others_stand_behind_them(void **state)
{
    struct world *world = *state;

    the_fake->on_record = note_number;
    assert_int_equal(sl_grpc_call_send_bytes(world->device, mixed, sizeof(mixed)), SL_GRPC_SENT);
    settle(world);
    uint64_t before = next_seq[1];
    assert_true(before > 1);

    /* The first member's line is processed and waits at the sink; the second one's waits for that.
     */
    the_fake->is_full = true;
    assert_int_equal(sl_grpc_call_send_bytes(world->device, mixed, sizeof(mixed)), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x0a\x05", 2), SL_GRPC_SENT);
    settle(world);
    filters_c = true;
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    assert_int_equal(view(world).routes[1].counts.filtered, 1);
    assert_int_equal(fillers, 1);
    assert_int_equal(next_seq[1], before + 2); /* the filler, and the gap of what is no response */
    filters_c = false;
    assert_int_equal(sl_grpc_call_send_bytes(world->device, mixed, sizeof(mixed)), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(next_seq[1], before + 3);
    assert_true(sl_route_counts_are_valid(&view(world).routes[1].counts));
}

static void the_bytes_return_when_the_last_record_of_all_members_is_acknowledged(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(sl_grpc_call_send_bytes(world->device, mixed, sizeof(mixed)),
                         SL_GRPC_SENT);
    }
    settle(world);
    assert_int_equal(the_fake->count, 6);
    struct sluice_token *second = the_fake->tokens[1];
    the_fake->tokens[1] = the_fake->tokens[5];
    the_fake->count = 5;
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).held_bytes, sizeof(mixed) + SL_GRPC_PREFIX_BYTES);
    the_fake->tokens[0] = second;
    the_fake->count = 1;
    fake_acknowledge(the_fake, SLUICE_FAILED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(view(world).routes[1].counts.dropped[SL_DROP_SINK], 1);
    assert_int_equal(view(world).routes[1].counts.published, 2);
}

static void what_is_no_response_is_the_first_members(void **state)
{
    struct world *world = *state;

    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x0a\x05", 2), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(view(world).routes[0].counts.dropped[SL_DROP_DECODE], 1);
    assert_int_equal(view(world).routes[1].counts.received, 0);
}

static void a_refused_path_is_left_out_and_comes_back(void **state)
{
    struct world *world = *state;

    assert_true(comes(world, has_one));
    assert_int_equal(refused(world, 1), 1);
    assert_true(view(world).trials > 0);
    assert_int_equal(view(world).subscribes, 3);
    world->refused = nothing;
    assert_true(comes(world, has_all));
    assert_int_equal(view(world).subscribes, 4);
}

static void a_search_goes_on_with_the_next_connection(void **state)
{
    struct world *world = *state;

    for (size_t requests = 3; requests < 9 && quarantined(world) == 0; requests++) {
        for (int i = 0; i < MOST_TURNS && world->requests < requests; i++) {
            (void)step(world);
        }
        connect_again(world);
    }
    assert_true(comes(world, has_two));
    assert_int_equal(refused(world, 0), 1);
    assert_int_equal(refused(world, 1), 1);
}

static bool has_asked_thrice(const struct world *world)
{
    return world->requests >= 3;
}

static bool is_closed(const struct world *world)
{
    return world->is_closed;
}

static void a_stream_closes_in_the_middle_of_a_search(void **state)
{
    struct world *world = *state;

    assert_true(comes(world, has_asked_thrice));
    sl_stream_close(world->stream);
    assert_true(comes(world, is_closed));
    size_t requests = world->requests;
    settle(world);
    settle(world);
    assert_int_equal(world->requests, requests);
}

static bool has_subscribed_often(const struct world *world)
{
    return view(world).subscribes >= 6;
}

static void a_device_that_refuses_all_is_asked_as_after_any_failure(void **state)
{
    struct world *world = *state;

    assert_true(comes(world, has_subscribed_often));
    assert_int_equal(quarantined(world), 0);
    world->refused = nothing;
    assert_true(comes(world, has_all));
}

static void a_single_path_is_not_put_into_quarantine(void **state)
{
    static const char *const path[] = {"/a", NULL};
    static const struct sl_gnmi_asked asked = {.paths = path};
    static const struct sl_stream_member member = {"a", &asked, 1};
    const struct world_options options = {.route = {.encoder = {.format = SL_FORMAT_PROTO}},
                                          .members = &member,
                                          .member_count = 1,
                                          .refused = bad_all};

    set_up_world(state, &options);
    struct world *world = *state;
    assert_true(comes(world, has_subscribed_often));
    assert_int_equal(refused(world, 0), 0);
    assert_int_equal(view(world).trials, 0);
    tear_down(state);
}

static void paths_of_a_single_member_are_found_too(void **state)
{
    const struct world_options options = {.route = {.encoder = {.format = SL_FORMAT_PROTO}},
                                          .members = &first,
                                          .member_count = 1,
                                          .refused = bad_b_e};

    set_up_world(state, &options);
    struct world *world = *state;
    for (int i = 0; i < MOST_TURNS && !refused(world, 0); i++) {
        settle(world);
    }
    assert_int_equal(refused(world, 0), 1);
    tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_mixed_message_that_is_held_in_its_middle_goes_on,
                                        set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(
            the_bytes_return_when_the_last_record_of_all_members_is_acknowledged, set_up_two,
            tear_down),
        cmocka_unit_test_setup_teardown(
            numbers_of_filtered_lines_are_a_markers_where_others_stand_behind_them, set_up_filtered,
            tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_response_is_the_first_members, set_up_two,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_refused_path_is_left_out_and_comes_back, set_up_bad_d,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_search_goes_on_with_the_next_connection, set_up_bad_b_e,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_stream_closes_in_the_middle_of_a_search, set_up_bad_b_e,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_device_that_refuses_all_is_asked_as_after_any_failure,
                                        set_up_bad_all, tear_down),
        cmocka_unit_test(a_single_path_is_not_put_into_quarantine),
        cmocka_unit_test(paths_of_a_single_member_are_found_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
