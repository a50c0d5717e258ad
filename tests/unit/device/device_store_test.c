#include "tree_tools.h"

#include "loop/loop.h"

struct bench {
    struct sl_loop *loop;
    struct sl_device_store *store;
};

static int open_bench(void **state)
{
    static struct bench bench;
    struct sl_device_tree *tree = tree_of(TWO_INTERFACES);

    bench.loop = sl_loop_new();
    bench.store = sl_device_store_new(bench.loop, tree, 1);
    assert_non_null(bench.store);
    sl_device_tree_release(tree);
    *state = &bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *bench = *state;

    sl_device_store_free(bench->store);
    sl_loop_free(bench->loop);
    return 0;
}

static const struct sl_device_tree *tree_now(const struct bench *bench)
{
    return sl_device_store_now(bench->store)->tree;
}

enum how { DELETE, REPLACE, UPDATE, UNITE };

/* A request with one operation. */
static enum sl_code set(struct bench *bench, enum how how, const char *path, const char *json)
{
    Gnmi__SetRequest request = GNMI__SET_REQUEST__INIT;
    struct written written;
    struct sl_status status;

    write_json(&written, path, json);
    request.n_delete_ = how == DELETE;
    request.delete_ = &written.path;
    request.n_replace = how == REPLACE;
    request.replace = &written.pointer;
    request.n_update = how == UPDATE;
    request.update = &written.pointer;
    request.n_union_replace = how == UNITE;
    request.union_replace = &written.pointer;
    status = sl_device_store_set(bench->store, &request, 5);
    forget(&written);
    return status.code;
}

static void an_update_changes_what_it_names_alone(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(
        set(bench, UPDATE, "/interfaces/interface[name=eth0]/config", "{\"oc:description\":\"x\"}"),
        SL_OK);
    expect_json(tree_now(bench), "/interfaces/interface[name=eth0]/config",
                "{\"description\":\"x\",\"mtu\":9000}");
    assert_int_equal(set(bench, UPDATE, "/interfaces/interface[name=eth9]/config/mtu", "1"), SL_OK);
    expect_json(tree_now(bench), "/interfaces/interface[name=eth9]",
                "{\"config\":{\"mtu\":1},\"name\":\"eth9\"}");
    assert_int_equal(sl_device_store_now(bench->store)->number, 2);
}

static void a_replace_takes_the_rest_away_but_no_state(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(
        set(bench, REPLACE, "/interfaces/interface[name=eth0]", "{\"config\":{\"enabled\":true}}"),
        SL_OK);
    expect_json(tree_now(bench), "/interfaces/interface[name=eth0]",
                "{\"config\":{\"enabled\":true},\"name\":\"eth0\",\"state\":{\"counters\":{"
                "\"in-octets\":\"18446744073709551615\"},\"mtu\":9000}}");
    assert_int_equal(set(bench, REPLACE, "/interfaces/interface",
                         "[{\"name\":\"eth5\",\"config\":{\"mtu\":1}}]"),
                     SL_OK);
    expect_json(tree_now(bench), "/interfaces/interface[name=eth5]/config", "{\"mtu\":1}");
    assert_int_equal(set(bench, REPLACE, "/interfaces/interface[name=eth0]/state", "{\"a\":1}"),
                     SL_OK);
    expect_json(tree_now(bench), "/interfaces/interface[name=eth0]/state", "{\"a\":1}");
}

static void a_delete_takes_everything_below_it(void **state)
{
    struct bench *bench = *state;
    Gnmi__GetRequest request = GNMI__GET_REQUEST__INIT;
    struct sl_status status;

    assert_int_equal(set(bench, DELETE, "/interfaces/*[name=eth0]", ""), SL_OK);
    assert_null(get_with(tree_now(bench), &request, "/interfaces/interface[name=eth0]", &status));
    assert_int_equal(status.code, SL_NOT_FOUND);
    expect_json(tree_now(bench), "/interfaces/interface[name=eth1]/config", "{\"mtu\":1500}");
    assert_int_equal(set(bench, DELETE, "/nothing/there", ""), SL_OK);
    assert_int_equal(set(bench, DELETE, "/", ""), SL_OK);
    assert_int_equal(tree_now(bench)->count, 0);
}

static void a_union_is_all_configuration_there_is(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(set(bench, UNITE, "/system/config", "{\"hostname\":\"r2\"}"), SL_OK);
    expect_json(tree_now(bench), "/",
                "{\"interfaces\":{\"interface\":[{\"name\":\"eth0\",\"state\":{\"counters\":{"
                "\"in-octets\":\"18446744073709551615\"},\"mtu\":9000}}]},"
                "\"system\":{\"config\":{\"hostname\":\"r2\"}}}");
}

static void a_request_is_done_in_its_order(void **state)
{
    struct bench *bench = *state;
    Gnmi__SetRequest request = GNMI__SET_REQUEST__INIT;
    struct written written[3];
    Gnmi__Path *deleted = path_of("/system");
    Gnmi__Update *replaced[] = {&written[0].update};
    Gnmi__Update *updated[] = {&written[1].update, &written[2].update};
    struct sl_status status;

    write_json(&written[0], "/system/config", "{\"hostname\":\"a\",\"domain\":\"d\"}");
    write_json(&written[1], "/system/config/hostname", "\"b\"");
    write_json(&written[2], "/system/config/hostname", "\"c\"");
    request.n_delete_ = 1;
    request.delete_ = &deleted;
    request.n_replace = 1;
    request.replace = replaced;
    request.n_update = 2;
    request.update = updated;
    status = sl_device_store_set(bench->store, &request, 5);
    assert_string_equal(status.text, "");
    expect_json(tree_now(bench), "/system", "{\"config\":{\"domain\":\"d\",\"hostname\":\"c\"}}");
    for (size_t i = 0; i < 3; i++) {
        forget(&written[i]);
    }
    gnmi__path__free_unpacked(deleted, NULL);
}

static void what_cannot_be_leaves_everything_as_it_was(void **state)
{
    static const struct {
        enum how how;
        const char *path;
        const char *json;
    } rows[] = {
        {UPDATE, "/", "1"},
        {UPDATE, "/system/config/hostname", "{"},
        {UPDATE, "/system/config/hostname", "null"},
        {UPDATE, "/system/config", "1"},
        {UPDATE, "/system/config/hostname/x", "1"},
        {UPDATE, "/interfaces/interface[name=*]/config/mtu", "1"},
        {UPDATE, "/.../mtu", "1"},
        {UPDATE, "/interfaces/interface[name=eth0]", "{\"name\":\"eth1\"}"},
        {UPDATE, "/interfaces/interface[name=eth0]/name", "\"eth1\""},
        {UPDATE, "/interfaces/interface", "{\"config\":{\"mtu\":1}}"},
        {UPDATE, "/interfaces/interface[id=eth0]/config/mtu", "1"},
        {REPLACE, "/interfaces/interface[name=eth0]", "[{\"name\":\"eth0\"}]"},
        {UNITE, "/system/config", "{\"hostname\":}"},
    };
    struct bench *bench = *state;
    const struct sl_device_tree *before = tree_now(bench);

    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        assert_int_equal(set(bench, rows[i].how, rows[i].path, rows[i].json), SL_INVALID_ARGUMENT);
        assert_ptr_equal(tree_now(bench), before);
    }
}

static enum sl_code set_extension(struct bench *bench, GnmiExt__Extension *extension,
                                  const char *hostname)
{
    Gnmi__SetRequest request = GNMI__SET_REQUEST__INIT;
    GnmiExt__Extension *extensions[] = {extension};
    struct written written;
    char json[32];
    struct sl_status status;

    snprintf(json, sizeof(json), "\"%s\"", hostname ? hostname : "");
    write_json(&written, "/system/config/hostname", json);
    request.n_extension = extension != NULL;
    request.extension = extensions;
    request.n_update = hostname != NULL;
    request.update = &written.pointer;
    status = sl_device_store_set(bench->store, &request, 5);
    forget(&written);
    return status.code;
}

static void expect_hostname(const struct bench *bench, const char *name)
{
    char json[32];

    snprintf(json, sizeof(json), "\"%s\"", name);
    expect_json(tree_now(bench), "/system/config/hostname", json);
}

static void the_highest_election_id_of_a_role_may_set(void **state)
{
    struct bench *bench = *state;
    GnmiExt__Extension extension = GNMI_EXT__EXTENSION__INIT;
    GnmiExt__MasterArbitration arbitration = GNMI_EXT__MASTER_ARBITRATION__INIT;
    GnmiExt__Uint128 id = GNMI_EXT__UINT128__INIT;
    GnmiExt__Role role = GNMI_EXT__ROLE__INIT;
    char name[] = "other";

    extension.ext_case = GNMI_EXT__EXTENSION__EXT_MASTER_ARBITRATION;
    extension.master_arbitration = &arbitration;
    assert_int_equal(set_extension(bench, &extension, "a"), SL_INVALID_ARGUMENT);
    arbitration.election_id = &id;
    id.high = 1;
    assert_int_equal(set_extension(bench, &extension, "b"), SL_OK);
    assert_int_equal(set_extension(bench, &extension, "c"), SL_OK);
    id.high = 0;
    id.low = UINT64_MAX;
    assert_int_equal(set_extension(bench, &extension, "d"), SL_PERMISSION_DENIED);
    expect_hostname(bench, "c");
    role.id = name;
    arbitration.role = &role;
    assert_int_equal(set_extension(bench, &extension, "e"), SL_OK);
    arbitration.role = NULL;
    id.high = 2;
    assert_int_equal(set_extension(bench, &extension, NULL), SL_OK); /* the id alone */
    id.high = 1;
    assert_int_equal(set_extension(bench, &extension, "f"), SL_PERMISSION_DENIED);
    assert_int_equal(set_extension(bench, NULL, "g"), SL_OK);
    expect_hostname(bench, "g");
}

struct committing {
    GnmiExt__Extension extension;
    GnmiExt__Commit commit;
    GnmiExt__CommitRequest request;
    GnmiExt__CommitConfirm confirm;
    GnmiExt__CommitCancel cancel;
    GnmiExt__CommitSetRollbackDuration rollback;
    Google__Protobuf__Duration duration;
    char id[16];
};

static void init_committing(struct committing *committing, const char *id,
                            GnmiExt__Commit__ActionCase action)
{
    gnmi_ext__extension__init(&committing->extension);
    gnmi_ext__commit__init(&committing->commit);
    gnmi_ext__commit_request__init(&committing->request);
    gnmi_ext__commit_confirm__init(&committing->confirm);
    gnmi_ext__commit_cancel__init(&committing->cancel);
    gnmi_ext__commit_set_rollback_duration__init(&committing->rollback);
    google__protobuf__duration__init(&committing->duration);
    snprintf(committing->id, sizeof(committing->id), "%s", id);
    committing->extension.ext_case = GNMI_EXT__EXTENSION__EXT_COMMIT;
    committing->extension.commit = &committing->commit;
    committing->commit.id = committing->id;
    committing->commit.action_case = action;
    if (action == GNMI_EXT__COMMIT__ACTION_COMMIT) {
        committing->commit.commit = &committing->request;
    } else if (action == GNMI_EXT__COMMIT__ACTION_CONFIRM) {
        committing->commit.confirm = &committing->confirm;
    } else if (action == GNMI_EXT__COMMIT__ACTION_CANCEL) {
        committing->commit.cancel = &committing->cancel;
    } else {
        committing->commit.set_rollback_duration = &committing->rollback;
    }
}

static enum sl_code commit(struct bench *bench, const char *id, GnmiExt__Commit__ActionCase action,
                           const char *hostname)
{
    struct committing committing;

    init_committing(&committing, id, action);
    return set_extension(bench, &committing.extension, hostname);
}

static void a_commit_is_confirmed_or_taken_back(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(commit(bench, "1", GNMI_EXT__COMMIT__ACTION_CONFIRM, NULL),
                     SL_FAILED_PRECONDITION);
    assert_int_equal(commit(bench, "", GNMI_EXT__COMMIT__ACTION_COMMIT, "a"), SL_INVALID_ARGUMENT);
    assert_int_equal(commit(bench, "1", GNMI_EXT__COMMIT__ACTION_COMMIT, "a"), SL_OK);
    expect_hostname(bench, "a");
    assert_string_equal(sl_device_store_now(bench->store)->commit_id, "1");
    assert_int_equal(commit(bench, "2", GNMI_EXT__COMMIT__ACTION_COMMIT, "b"),
                     SL_FAILED_PRECONDITION);
    assert_int_equal(set_extension(bench, NULL, "b"), SL_FAILED_PRECONDITION);
    assert_int_equal(commit(bench, "2", GNMI_EXT__COMMIT__ACTION_CONFIRM, NULL),
                     SL_INVALID_ARGUMENT);
    assert_int_equal(commit(bench, "1", GNMI_EXT__COMMIT__ACTION_CONFIRM, NULL), SL_OK);
    expect_hostname(bench, "a");
    assert_int_equal(commit(bench, "2", GNMI_EXT__COMMIT__ACTION_COMMIT, "b"), SL_OK);
    assert_int_equal(commit(bench, "2", GNMI_EXT__COMMIT__ACTION_CANCEL, NULL), SL_OK);
    expect_hostname(bench, "a");
    assert_int_equal(set_extension(bench, NULL, "c"), SL_OK);
}

static void on_late(void *arg)
{
    (void)arg;
    fail_msg("the commit was not taken back");
}

static void on_look(void *arg)
{
    struct bench *bench = arg;

    if (!bench->store->commit.is_open) {
        sl_loop_stop(bench->loop);
    }
}

/* Looks at each millisecond. */
struct looking {
    struct bench *bench;
    struct sl_timer *timer;
};

static void on_tick(void *arg)
{
    struct looking *looking = arg;

    on_look(looking->bench);
    sl_timer_start(looking->timer, 1);
}

static void a_commit_that_nobody_confirms_is_taken_back_in_time(void **state)
{
    struct bench *bench = *state;
    struct committing committing;
    struct looking looking = {.bench = bench};
    struct sl_timer *late = sl_timer_new(bench->loop, on_late, NULL);

    assert_int_equal(commit(bench, "1", GNMI_EXT__COMMIT__ACTION_COMMIT, "a"), SL_OK);
    init_committing(&committing, "1", GNMI_EXT__COMMIT__ACTION_SET_ROLLBACK_DURATION);
    assert_int_equal(set_extension(bench, &committing.extension, NULL), SL_INVALID_ARGUMENT);
    committing.rollback.rollback_duration = &committing.duration;
    assert_int_equal(set_extension(bench, &committing.extension, NULL), SL_INVALID_ARGUMENT);
    committing.duration.nanos = 20 * 1000 * 1000;
    assert_int_equal(set_extension(bench, &committing.extension, NULL), SL_OK);
    expect_hostname(bench, "a");
    looking.timer = sl_timer_new(bench->loop, on_tick, &looking);
    sl_timer_start(looking.timer, 1);
    sl_timer_start(late, 20000);
    sl_loop_run(bench->loop);
    expect_hostname(bench, "r1");
    sl_timer_free(looking.timer);
    sl_timer_free(late);
}

static void versions_have_a_limit(void **state)
{
    struct bench *bench = *state;
    char name[16];

    for (int i = 0; i < 3 * SL_DEVICE_MAX_VERSIONS; i++) {
        snprintf(name, sizeof(name), "r%d", i);
        assert_int_equal(set_extension(bench, NULL, name), SL_OK);
        expect_hostname(bench, name);
    }
    assert_int_equal(bench->store->version_count, SL_DEVICE_MAX_VERSIONS);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(an_update_changes_what_it_names_alone),
        BENCH_TEST(a_replace_takes_the_rest_away_but_no_state),
        BENCH_TEST(a_delete_takes_everything_below_it),
        BENCH_TEST(a_union_is_all_configuration_there_is),
        BENCH_TEST(a_request_is_done_in_its_order),
        BENCH_TEST(what_cannot_be_leaves_everything_as_it_was),
        BENCH_TEST(the_highest_election_id_of_a_role_may_set),
        BENCH_TEST(a_commit_is_confirmed_or_taken_back),
        BENCH_TEST(a_commit_that_nobody_confirms_is_taken_back_in_time),
        BENCH_TEST(versions_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
