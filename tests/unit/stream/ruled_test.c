/* Rules in a stream: what they take out gives its credit back at once, and a full sink does not
 * make them look at a message twice. */
#include <string.h>

#include "world.h"

static unsigned looks; /* of the rule at updates */

static enum sl_rule_verdict label_path(const void *rule, struct sl_rule_path *path)
{
    (void)rule;
    return sl_rule_path_set_label(path, SL_STR("site"), SL_STR("tyo")) ? SL_RULE_PASS
                                                                       : SL_RULE_DROP;
}

/* Every second one goes on, from the first on. */
static enum sl_rule_verdict pass_every_second(const void *rule, void *state,
                                              struct sl_rule_update *update)
{
    uint64_t *seen = state;

    (void)rule;
    (void)update;
    assert_non_null(seen);
    looks++;
    return (*seen)++ % 2 ? SL_RULE_FILTER : SL_RULE_PASS;
}

static const struct sl_rule_kind second = {.name = "second",
                                           .path = label_path,
                                           .state_size = sizeof(uint64_t),
                                           .apply = pass_every_second};
static const struct sl_rule_selector everything;
static const struct sl_rule *rule;

static int set_up_stall(void **state, struct sl_stall_config stall)
{
    struct sl_rule_error error;
    const struct sl_rule_config config = {.kind = &second, .selector = &everything};

    rule = sl_rule_new(&config, &error);
    looks = 0;
    return rule ? set_up_world(
                      state,
                      &(struct world_options){
                          .route = {.encoder = {.format = SL_FORMAT_EVENT}, .rules = {&rule, 1}},
                          .stall = stall})
                : -1;
}

static int set_up(void **state)
{
    return set_up_stall(state, (struct sl_stall_config){.policy = SL_STALL_BLOCK});
}

static int set_up_conflate(void **state)
{
    return set_up_stall(state, (struct sl_stall_config){SL_STALL_CONFLATE, SL_NS_PER_MS});
}

static int tear_down_rules(void **state)
{
    int result = tear_down(state);

    sl_rule_free((struct sl_rule *)(uintptr_t)rule);
    return result;
}

static bool is_labelled(size_t record)
{
    return memmem(the_fake->kept[record].data, the_fake->kept[record].len, "\"site\":\"tyo\"",
                  strlen("\"site\":\"tyo\"")) != NULL;
}

static void what_is_filtered_gives_its_credit_back_at_once(void **state)
{
    struct world *world = *state;

    assert_int_equal(send_all(world, 1000, 4), 4);
    assert_int_equal(the_fake->records, 2);
    assert_int_equal(counts(world)->received, 4);
    assert_int_equal(counts(world)->filtered, 2);
    assert_int_equal(counts(world)->held, 2);
    assert_int_equal(view(world).held_bytes, 2 * (1000 + SL_GRPC_PREFIX_BYTES));
    assert_true(is_labelled(0) && is_labelled(1));
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(counts(world)->published, 2);
    assert_int_equal(the_fake->seqs[1], 2); /* numbers have no holes */
}

static void a_full_sink_does_not_ask_the_rules_again(void **state)
{
    struct world *world = *state;

    the_fake->is_full = true;
    send_all(world, 1000, 3);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    assert_int_equal(looks, 1);
    for (int i = 0; i < 3; i++) { /* ready, and full again as soon as it is offered something */
        the_fake->host->calls->ready(the_fake->host);
        settle(world);
    }
    assert_int_equal(looks, 1);
    assert_int_equal(the_fake->records, 0);
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    assert_int_equal(looks, 3);
    assert_int_equal(the_fake->records, 2);
    assert_int_equal(counts(world)->filtered, 1);
    assert_true(is_labelled(0) && is_labelled(1));
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 2);
    assert_true(sl_route_counts_are_valid(counts(world)));
}

/* The first message was looked at before it was refused; of what came after it the newest is, when
 * it leaves. */
static void what_is_kept_is_looked_at_once(void **state)
{
    struct world *world = *state;

    the_fake->is_full = true;
    send_all(world, 1000, 1000);
    while (sl_stall_state(&view(world).routes[0]) != SL_STALL_KEEPING) {
        settle(world);
    }
    settle(world);
    send_all(world, 1000, 3);
    assert_int_equal(looks, 1);
    assert_int_equal(sl_stall_kept(&view(world).routes[0]), 2);
    uint64_t received = counts(world)->received;
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(looks, 2);
    assert_int_equal(counts(world)->published, 1);
    assert_int_equal(counts(world)->filtered, 1);
    assert_int_equal(counts(world)->dropped[SL_DROP_CONFLATED], received - 2);
    assert_int_equal(counts(world)->held, 0);
    assert_true(is_labelled(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_filtered_gives_its_credit_back_at_once, set_up,
                                        tear_down_rules),
        cmocka_unit_test_setup_teardown(a_full_sink_does_not_ask_the_rules_again, set_up,
                                        tear_down_rules),
        cmocka_unit_test_setup_teardown(what_is_kept_is_looked_at_once, set_up_conflate,
                                        tear_down_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
