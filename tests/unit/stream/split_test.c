/* split_test.c - a record that is larger than its sink takes becomes several. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "gnmi.pb-c.h"
#include "sluice.pb-c.h"

enum { UPDATES = 40, DELETES = 10, VALUE_BYTES = 100 };

static int set_up_records(void **state)
{
    const struct world_options options = {.route = {.encoder = {.format = SL_FORMAT_SLUICE_V1}}};

    return set_up_world(state, &options);
}

static int set_up_lines(void **state)
{
    const struct world_options options = {.route = {.encoder = {.format = SL_FORMAT_SLUICE_V1_JSON},
                                                    .batch = {SL_MIB, 3600 * SL_NS_PER_S}}};

    return set_up_world(state, &options);
}

/* A notification of deletes and updates, one value large. */
static void send(struct world *world, size_t updates, size_t deletes, bool is_atomic)
{
    static char text[VALUE_BYTES + 1];
    Gnmi__SubscribeResponse response = GNMI__SUBSCRIBE_RESPONSE__INIT;
    Gnmi__Notification notification = GNMI__NOTIFICATION__INIT;
    Gnmi__TypedValue value = GNMI__TYPED_VALUE__INIT;
    Gnmi__PathElem elems[UPDATES + DELETES];
    Gnmi__PathElem *elem_of[UPDATES + DELETES];
    Gnmi__Path paths[UPDATES + DELETES];
    Gnmi__Path *path_of[UPDATES + DELETES];
    Gnmi__Update made[UPDATES];
    Gnmi__Update *update_of[UPDATES];
    char names[UPDATES + DELETES][24];
    uint8_t bytes[16 * 1024];

    memset(text, 'x', VALUE_BYTES);
    value.value_case = GNMI__TYPED_VALUE__VALUE_STRING_VAL;
    value.string_val = text;
    for (size_t i = 0; i < updates + deletes; i++) {
        snprintf(names[i], sizeof(names[i]), "p%zu", i);
        gnmi__path_elem__init(&elems[i]);
        elems[i].name = names[i];
        elem_of[i] = &elems[i];
        gnmi__path__init(&paths[i]);
        paths[i].n_elem = 1;
        paths[i].elem = &elem_of[i];
        path_of[i] = &paths[i];
    }
    for (size_t i = 0; i < updates; i++) {
        gnmi__update__init(&made[i]);
        made[i].path = &paths[i];
        made[i].val = &value;
        update_of[i] = &made[i];
    }
    notification.timestamp = 1;
    notification.atomic = is_atomic;
    notification.n_update = updates;
    notification.update = update_of;
    notification.n_delete_ = deletes;
    notification.delete_ = path_of + updates;
    response.response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    response.update = &notification;
    size_t len = gnmi__subscribe_response__pack(&response, bytes);
    assert_true(len <= sizeof(bytes));
    assert_int_equal(sl_grpc_call_send_bytes(world->device, bytes, (uint32_t)len), SL_GRPC_SENT);
    settle(world);
}

/* Each record is within the limit, numbered, atomic; together they say all, deletes first. */
static void assert_whole(size_t from, size_t updates, size_t deletes, bool is_atomic)
{
    size_t seen_updates = 0;
    size_t seen_deletes = 0;

    for (size_t i = from; i < the_fake->records; i++) {
        const struct sl_buf *kept = &the_fake->kept[i];
        Sluice__V1__Record *record =
            sluice__v1__record__unpack(NULL, kept->len, (const uint8_t *)kept->data);
        assert_non_null(record);
        assert_true(kept->len <= the_fake->most_bytes);
        assert_int_equal(record->seq, i + 1);
        assert_int_equal(record->atomic, is_atomic);
        assert_true(record->n_deletes == 0 || seen_updates == 0);
        for (size_t j = 0; j < record->n_updates; j++) {
            char path[32];
            snprintf(path, sizeof(path), "/p%zu", seen_updates++);
            assert_string_equal(record->updates[j]->path, path);
        }
        seen_deletes += record->n_deletes;
        sluice__v1__record__free_unpacked(record, NULL);
    }
    assert_int_equal(seen_updates, updates);
    assert_int_equal(seen_deletes, deletes);
}

static void a_record_is_split_and_nothing_of_it_is_lost(void **state)
{
    struct world *world = *state;

    the_fake->most_bytes = 1000;
    send(world, UPDATES, DELETES, false);
    assert_in_range(the_fake->records, 6, 12);
    assert_whole(0, UPDATES, DELETES, false);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, UPDATES + DELETES);
    assert_int_equal(counts(world)->held, 0);
}

static void each_part_of_an_atomic_one_is_atomic(void **state)
{
    struct world *world = *state;

    the_fake->most_bytes = 1000;
    send(world, UPDATES, 0, true);
    assert_true(the_fake->records > 1);
    assert_whole(0, UPDATES, 0, true);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

static void what_fits_stays_whole(void **state)
{
    struct world *world = *state;

    the_fake->most_bytes = 100000;
    send(world, UPDATES, DELETES, false);
    assert_int_equal(the_fake->records, 1);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
}

static void one_update_is_given_as_it_is(void **state)
{
    struct world *world = *state;

    the_fake->most_bytes = 50;
    send(world, 1, 0, false);
    send(world, 2, 0, false);
    assert_int_equal(the_fake->records, 3);
    fake_acknowledge(the_fake, SLUICE_TOO_LARGE);
    assert_int_equal(counts(world)->dropped[SL_DROP_TOO_LARGE], 3);
    assert_int_equal(counts(world)->held, 0);
}

static void a_sink_that_is_full_in_between_gets_the_rest_later(void **state)
{
    struct world *world = *state;

    the_fake->most_bytes = 1000;
    the_fake->full_at = 3;
    send(world, UPDATES, DELETES, false);
    assert_int_equal(the_fake->records, 3);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    the_fake->full_at = 0;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    assert_whole(0, UPDATES, DELETES, false);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, UPDATES + DELETES);
}

static void a_batch_leaves_before_it_is_too_large(void **state)
{
    struct world *world = *state;

    the_fake->most_bytes = 3000;
    for (int i = 0; i < 10; i++) {
        send(world, 4, 0, false);
    }
    send(world, UPDATES, 0, false); /* a line that is too large by itself */
    assert_true(the_fake->records >= 4);
    for (size_t i = 0; i < the_fake->records; i++) {
        assert_true(the_fake->kept[i].len <= 3000);
    }
    sl_stream_close(world->stream);
    settle(world);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 10 * 4 + UPDATES);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up_records, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_record_is_split_and_nothing_of_it_is_lost),
        CASE(each_part_of_an_atomic_one_is_atomic),
        CASE(what_fits_stays_whole),
        CASE(one_update_is_given_as_it_is),
        CASE(a_sink_that_is_full_in_between_gets_the_rest_later),
        cmocka_unit_test_setup_teardown(a_batch_leaves_before_it_is_too_large, set_up_lines,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
