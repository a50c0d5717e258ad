/* member_test.c - of messages of an RPC that several subscriptions share, who gets what. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi/path.h"
#include "stream/member.h"

enum { MEMBERS = 3, MESSAGE_BYTES = 4096 };

static const char *const interface_paths[] = {"/interfaces/interface[name=*]/state", NULL};
static const char *const system_paths[] = {"/system", "/components/component/state", NULL};
static const char *const name_paths[] = {"/interfaces/interface/config", NULL};
static const struct sl_gnmi_asked interfaces = {.paths = interface_paths};
static const struct sl_gnmi_asked systems = {.paths = system_paths};
static const struct sl_gnmi_asked names = {.paths = name_paths};
static const struct sl_stream_member three[MEMBERS] = {
    {"interfaces", &interfaces, 1}, {"systems", &systems, 1}, {"names", &names, 1}};

struct world {
    struct sl_encoder_memory memory;
    struct sl_members_scratch scratch;
    struct sl_buf canonical;
    struct sl_members *members;
    uint8_t bytes[MESSAGE_BYTES];
    struct sl_gnmi_response response;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct sl_status why;

    world->memory.limit_bytes = SL_MIB;
    world->members = sl_members_new(three, MEMBERS, NULL, &world->memory, &world->scratch, &why);
    assert_non_null(world->members);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    sl_members_free(world->members);
    assert_int_equal(world->memory.used_bytes, 0);
    sl_buf_fini(&world->scratch.owners);
    sl_buf_fini(&world->scratch.part);
    sl_buf_fini(&world->canonical);
    free(world);
    return 0;
}

static Gnmi__Path *path_of(const char *text)
{
    struct sl_status why;
    Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(text), &why);

    assert_non_null(path);
    return path;
}

/* A notification with the updates and deletes of these paths, read; ends with NULL. */
static void read_message(struct world *world, const char *prefix, const char *const *updates,
                         const char *const *deletes)
{
    Gnmi__SubscribeResponse *response = calloc(1, sizeof(*response));
    Gnmi__Notification *notification = calloc(1, sizeof(*notification));

    gnmi__subscribe_response__init(response);
    gnmi__notification__init(notification);
    response->response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    response->update = notification;
    notification->timestamp = 42;
    notification->atomic = true;
    notification->prefix = *prefix ? path_of(prefix) : NULL;
    notification->update = calloc(64, sizeof(Gnmi__Update *));
    notification->delete_ = calloc(64, sizeof(Gnmi__Path *));
    for (; updates && *updates; updates++) {
        Gnmi__Update *update = calloc(1, sizeof(*update));
        gnmi__update__init(update);
        update->path = path_of(*updates);
        update->duplicates = 1;
        notification->update[notification->n_update++] = update;
    }
    for (; deletes && *deletes; deletes++) {
        notification->delete_[notification->n_delete_++] = path_of(*deletes);
    }
    assert_true(gnmi__subscribe_response__get_packed_size(response) <= MESSAGE_BYTES);
    struct sl_str message = {(const char *)world->bytes,
                             gnmi__subscribe_response__pack(response, world->bytes)};
    gnmi__subscribe_response__free_unpacked(response, NULL);
    struct sl_status status = sl_gnmi_response_read(message, &world->canonical, &world->response);
    assert_int_equal(status.code, SL_OK);
}

static void share(struct world *world)
{
    assert_true(sl_members_share(world->members, &world->response));
}

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_updates(const struct world *world, uint32_t first, uint32_t second,
                           uint32_t third, uint32_t unasked)
{
    assert_int_equal(sl_members_updates(world->members, 0), first);
    assert_int_equal(sl_members_updates(world->members, 1), second);
    assert_int_equal(sl_members_updates(world->members, 2), third);
    assert_int_equal(sl_members_unasked(world->members), unasked);
}

static void a_message_of_one_member_is_given_as_it_is(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 3; i++) { /* worked out, then found again */
        read_message(world, "/components",
                     PATHS("/component[name=a]/state/x", "/component[name=b]/state"), NULL);
        share(world);
        assert_updates(world, 0, 2, 0, 0);
        assert_false(sl_members_gets(world->members, 0));
        assert_true(sl_members_gets(world->members, 1));
        assert_ptr_equal(sl_members_part(world->members, &world->response, 1), &world->response);
    }
    assert_true(world->memory.used_bytes > 0);
}

static void a_mixed_message_is_split(void **state)
{
    struct world *world = *state;
    static const uint32_t updates[MEMBERS] = {2, 1, 1};
    static const uint32_t deletes[MEMBERS] = {0, 1, 0};

    read_message(world, "",
                 PATHS("/interfaces/interface[name=a]/state/in", "/system/name",
                       "/interfaces/interface[name=a]/config/name",
                       "/interfaces/interface[name=b]/state/in"),
                 PATHS("/components/component[name=c]/state"));
    share(world);
    assert_updates(world, 2, 2, 1, 0);
    for (size_t i = 0; i < MEMBERS; i++) {
        const struct sl_gnmi_response *part = sl_members_part(world->members, &world->response, i);
        assert_non_null(part);
        assert_ptr_not_equal(part, &world->response);
        assert_int_equal(part->updates, updates[i]);
        assert_int_equal(part->deletes, deletes[i]);
        assert_int_equal(part->timestamp_ns, 42);
        assert_true(part->is_atomic);
        assert_int_equal(part->duplicates, updates[i]);
    }
}

static void a_sync_and_an_empty_notification_are_everybodys(void **state)
{
    struct world *world = *state;
    struct sl_gnmi_response sync = {.kind = SL_GNMI_SYNC, .is_sync = true};

    assert_true(sl_members_share(world->members, &sync));
    assert_updates(world, 0, 0, 0, 0);
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_true(sl_members_gets(world->members, i));
        assert_ptr_equal(sl_members_part(world->members, &sync, i), &sync);
    }
    read_message(world, "/system", NULL, NULL);
    share(world);
    assert_true(sl_members_gets(world->members, 0) && sl_members_gets(world->members, 2));
}

static void what_nobody_asked_for_is_the_first_members_and_counted(void **state)
{
    struct world *world = *state;

    read_message(world, "", PATHS("/acl/x", "/system/name"), PATHS("/acl/y"));
    share(world);
    assert_updates(world, 2, 1, 0, 2);
}

static void a_delete_above_is_told_to_all_beneath_and_an_update_to_the_first(void **state)
{
    struct world *world = *state;

    read_message(world, "", NULL, PATHS("/interfaces/interface[name=a]"));
    share(world);
    assert_updates(world, 1, 0, 1, 0);
    assert_int_equal(sl_members_part(world->members, &world->response, 2)->deletes, 1);

    read_message(world, "", PATHS("/interfaces"), PATHS("/", "/system"));
    share(world);
    assert_updates(world, 2, 2, 1, 0);
    const struct sl_gnmi_response *part = sl_members_part(world->members, &world->response, 2);
    assert_int_equal(part->deletes, 1);
    assert_int_equal(part->updates, 0);
}

static void the_longest_of_two_that_match_owns_it(void **state)
{
    static const char *const all[] = {"/a", NULL};
    static const char *const some[] = {"/a/b", NULL};
    static const struct sl_gnmi_asked asked[] = {{.paths = all}, {.paths = some}};
    static const struct sl_stream_member two[] = {{"all", &asked[0], 1}, {"some", &asked[1], 1}};
    struct world *world = *state;
    struct sl_status why;

    sl_members_free(world->members);
    world->members = sl_members_new(two, 2, "/p", &world->memory, &world->scratch, &why);
    assert_non_null(world->members);
    read_message(world, "/p", PATHS("/a/b/c", "/a/x", "/a/b"), NULL);
    share(world);
    assert_int_equal(sl_members_updates(world->members, 0), 1);
    assert_int_equal(sl_members_updates(world->members, 1), 2);
}

static void without_room_to_keep_paths_the_answers_are_the_same(void **state)
{
    struct world *world = *state;
    struct sl_status why;

    sl_members_free(world->members);
    world->memory.limit_bytes = 0;
    world->members = sl_members_new(three, MEMBERS, NULL, &world->memory, &world->scratch, &why);
    a_mixed_message_is_split(state);
    a_delete_above_is_told_to_all_beneath_and_an_update_to_the_first(state);
    assert_int_equal(world->memory.used_bytes, 0);
}

static void only_so_many_deletes_are_told_to_several(void **state)
{
    struct world *world = *state;
    enum { DELETES = SL_STREAM_MAX_TOLD + 7 };
    /* a notification of deletes of the root: 12 00 each */
    static uint8_t bytes[4 + 2 * DELETES];
    uint32_t length = 2 * DELETES;

    bytes[0] = 0x0a;
    bytes[1] = (uint8_t)(0x80 | (length & 0x7f));
    bytes[2] = (uint8_t)(length >> 7);
    for (size_t i = 0; i < DELETES; i++) {
        bytes[3 + 2 * i] = 0x2a;
    }
    struct sl_str message = {(const char *)bytes, 3 + length};
    struct sl_status status = sl_gnmi_response_read(message, &world->canonical, &world->response);
    assert_int_equal(status.code, SL_OK);
    assert_int_equal(world->response.deletes, DELETES);
    share(world);
    assert_updates(world, DELETES, SL_STREAM_MAX_TOLD, SL_STREAM_MAX_TOLD, 0);
    assert_int_equal(sl_members_part(world->members, &world->response, 2)->deletes,
                     SL_STREAM_MAX_TOLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_of_one_member_is_given_as_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_mixed_message_is_split, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sync_and_an_empty_notification_are_everybodys, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_asked_for_is_the_first_members_and_counted,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_delete_above_is_told_to_all_beneath_and_an_update_to_the_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_of_two_that_match_owns_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_room_to_keep_paths_the_answers_are_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_so_many_deletes_are_told_to_several, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
