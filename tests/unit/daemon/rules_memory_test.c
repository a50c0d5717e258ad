/* Every allocation of rules at work fails once: a response is made or it is said that it is not,
 * the counts balance, and afterwards the same rules do all that they should. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/settings_rules.h"
#include "failing.h"
#include "gnmi/pack.h"
#include "gnmi/path_build.h"
#include "normalise/rules.h"
#include "test.h"

enum { INTERFACES = 20 };

static const char rules[] =
    "[{kind: drop, path: /interfaces/interface/state/counters/..., value: \"no*\"},"
    " {kind: rename, from: /interfaces/interface, to: port},"
    " {kind: key-to-label, key: name},"
    " {kind: deduplicate, path: /port/state/status},"
    " {kind: rate-limit, path: /port/state/load, interval: 1h}]";

static void add_path(struct sl_buf *out, uint32_t number, int interface, const char *const *names)
{
    struct sl_buf path = {0};
    struct sl_gnmi_path_build build;
    char name[16];

    snprintf(name, sizeof(name), "eth%d", interface);
    sl_gnmi_path_build_begin(&build, &path);
    sl_gnmi_path_build_elem(&build, SL_STR("interface"));
    sl_gnmi_path_build_key(&build, SL_STR("name"), sl_str_from(name));
    for (; *names; names++) {
        sl_gnmi_path_build_elem(&build, sl_str_from(*names));
    }
    sl_pack_bytes(out, number, sl_gnmi_path_build_end(&build));
    sl_buf_fini(&path);
}

static void add_update(struct sl_buf *out, int interface, const char *const *names,
                       struct sl_str value)
{
    size_t update = sl_pack_begin(out, 4);

    add_path(out, 1, interface, names);
    sl_pack_bytes(out, 3, value);
    sl_pack_end(out, update);
}

/* Under the prefix /interfaces, of each interface a counter, a status, a load, and a delete. */
static void build_message(struct sl_buf *out)
{
    static const char *const counter[] = {"state", "counters", "in-octets", NULL};
    static const char *const status[] = {"state", "status", NULL};
    static const char *const load[] = {"state", "load", NULL};
    static const char *const gone[] = {"subinterfaces", NULL};
    size_t notification = sl_pack_begin(out, 1);

    sl_pack_bytes(out, 2, SL_STR("\x1a\x0c\x0a\x0ainterfaces"));
    for (int i = 0; i < INTERFACES; i++) {
        add_update(out, i, counter, i % 2 ? SL_STR("\x0a\x04none") : SL_STR("\x18\x07"));
        add_update(out, i, status, SL_STR("\x0a\x02UP"));
        add_update(out, i, load, SL_STR("\x18\x09"));
        add_path(out, 5, i, gone);
    }
    sl_pack_end(out, notification);
}

struct fixture {
    struct sl_config *config;
    struct sl_rule_list list;
    struct sl_buf message;
    struct sl_buf scratch;
    struct sl_gnmi_response response;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.config = sl_config_parse("rules", SL_STR(rules))};
    assert_true(sl_settings_read_rule_list(f->config, sl_config_root(f->config), &f->list));
    assert_int_equal(f->list.count, 5);
    build_message(&f->message);
    struct sl_status status =
        sl_gnmi_response_read(sl_buf_str(&f->message), &f->scratch, &f->response);
    assert_true(sl_status_is_ok(&status));
}

static void fixture_fini(struct fixture *f)
{
    sl_settings_free_rule_list(&f->list);
    sl_config_free(f->config);
    sl_buf_fini(&f->message);
    sl_buf_fini(&f->scratch);
}

/* What comes out, in a copy. False: it was said that there is no memory. */
static bool apply(const struct fixture *f, struct sl_rules_state *state, uint64_t epoch,
                  struct sl_rules_result *result, struct sl_buf *copy)
{
    const struct sl_encoder_context context = {.epoch = epoch, .received_ns = 1000};
    struct sl_gnmi_response out;

    if (!sl_rules_apply(state, &f->response, &context, &out, result)) {
        return false;
    }
    left = -1;
    assert_int_equal(result->filtered + result->dropped + out.updates + out.deletes,
                     f->response.updates + f->response.deletes);
    sl_buf_reset(copy);
    sl_buf_add_str(copy, out.message);
    return true;
}

/* With one allocation failing at a time, from the first response of a state on. */
static void each_allocation_may_fail(void **state)
{
    struct fixture f;
    struct sl_buf expected = {0};
    struct sl_buf found = {0};
    struct sl_rules_result result;
    long runs = 0;

    (void)state;
    fixture_init(&f);
    do {
        struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
        const struct sl_rules_config config = {
            .rules = {(const struct sl_rule *const *)f.list.items, f.list.count},
            .memory = &memory};
        has_failed = false;
        left = runs;
        struct sl_rules_state *rules_state = sl_rules_state_new(&config);
        if (rules_state) {
            (void)apply(&f, rules_state, 1, &result, &found);
            left = -1;
            assert_true(apply(&f, rules_state, 2, &result, &found)); /* nothing is remembered */
            assert_int_equal(result.dropped, 0);
            assert_int_equal(result.filtered, INTERFACES / 2);
            if (expected.len == 0) {
                sl_buf_add_str(&expected, sl_buf_str(&found));
            }
            assert_true(sl_str_eq(sl_buf_str(&found), sl_buf_str(&expected)));
            assert_true(apply(&f, rules_state, 2, &result, &found));
        }
        left = -1;
        sl_rules_state_free(rules_state);
        assert_int_equal(memory.used_bytes, 0);
        runs++;
    } while (has_failed);
    assert_true(runs > 20);
    sl_buf_fini(&found);
    sl_buf_fini(&expected);
    fixture_fini(&f);
}

/* Paths that find no room are worked out each time: the same comes out, but nothing is remembered.
 */
static void without_room_path_rules_do_the_same(void **state)
{
    struct fixture f;
    struct sl_buf with_room = {0};
    struct sl_buf without = {0};
    struct sl_rules_result result;

    (void)state;
    fixture_init(&f);
    for (uint64_t room = 0; room < 64 * SL_KIB; room += 512) {
        struct sl_encoder_memory memory = {.limit_bytes = room};
        const struct sl_rules_config config = {
            .rules = {(const struct sl_rule *const *)f.list.items, f.list.count},
            .memory = &memory};
        struct sl_rules_state *rules_state = sl_rules_state_new(&config);
        assert_non_null(rules_state);
        for (uint64_t epoch = 1; epoch < 3; epoch++) {
            assert_true(apply(&f, rules_state, epoch, &result, &without));
            if (with_room.len == 0) {
                sl_buf_add_str(&with_room, sl_buf_str(&without));
            }
            assert_true(sl_str_eq(sl_buf_str(&with_room), sl_buf_str(&without)));
            assert_true(memory.used_bytes <= room);
        }
        sl_rules_state_free(rules_state);
        assert_int_equal(memory.used_bytes, 0);
    }
    sl_buf_fini(&without);
    sl_buf_fini(&with_room);
    fixture_fini(&f);
}

/* Without a rule for it a response is not copied and not touched. */
static void what_no_rule_is_for_stays_where_it_is(void **state)
{
    struct fixture f;
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_config *config =
        sl_config_parse("rules", SL_STR("[{kind: drop, path: /system/...}, {kind: rename, from: x, "
                                        "to: y}, {kind: label, path: /z, set: {a: b}}]"));
    struct sl_rule_list list = {.name = "none"};
    const struct sl_encoder_context context = {.epoch = 1};
    struct sl_gnmi_response out;
    struct sl_rules_result result;

    (void)state;
    fixture_init(&f);
    assert_true(sl_settings_read_rule_list(config, sl_config_root(config), &list));
    for (size_t count = 0; count <= list.count; count++) {
        struct sl_rules_state *rules_state = sl_rules_state_new(&(struct sl_rules_config){
            .rules = {(const struct sl_rule *const *)list.items, count}, .memory = &memory});
        assert_true(sl_rules_apply(rules_state, &f.response, &context, &out, &result));
        assert_memory_equal(&out, &f.response, sizeof(out));
        assert_int_equal(result.filtered + result.dropped + result.opened, 0);
        assert_false(result.is_nothing);
        sl_rules_state_free(rules_state);
    }
    sl_settings_free_rule_list(&list);
    sl_config_free(config);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(without_room_path_rules_do_the_same),
        cmocka_unit_test(what_no_rule_is_for_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
