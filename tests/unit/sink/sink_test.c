/* sink_test.c - the host side, with a plugin that does what it is told, bugs included. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink/sink.h"
#include "sink/token.h"

enum { MOST = 64, TURN_MS = 20, LIMIT_MS = 5000 };

/* ---- the plugin ---- */

struct fake {
    const struct sluice_host *host;
    struct sluice_token *tokens[MOST];
    bool is_back[MOST];
    size_t count;
    bool is_full;
    bool acks_in_accept;
    bool forgets_at_close;
    int answer; /* of accept; 0: TAKEN */
    struct sluice_watch *watch;
    struct sluice_timer *timer;
    unsigned offers;
    unsigned flushes;
    int posted;
};

static struct fake *the_fake;

static size_t fake_cost(const void *options)
{
    return *(const size_t *)options;
}

static void *fake_open(const struct sluice_host *host, const void *options, char *error,
                       size_t error_size)
{
    (void)options;
    if (strcmp(host->sink, "broken") == 0) {
        snprintf(error, error_size, "it is broken");
        return NULL;
    }
    the_fake = calloc(1, sizeof(*the_fake));
    the_fake->host = host;
    return the_fake;
}

static enum sluice_accept fake_accept(void *sink, const struct sluice_record *record,
                                      struct sluice_token *token)
{
    struct fake *fake = sink;

    fake->offers++;
    if (fake->is_full) {
        return SLUICE_FULL;
    }
    free(record->payload);
    fake->is_back[fake->count] = false;
    fake->tokens[fake->count++] = token;
    if (fake->acks_in_accept) {
        fake->host->calls->ack(fake->host, token, SLUICE_DELIVERED, NULL);
    }
    return fake->answer ? (enum sluice_accept)fake->answer : SLUICE_TAKEN;
}

static void fake_ack(struct fake *fake, size_t i, enum sluice_result result)
{
    fake->is_back[i] = true;
    fake->host->calls->ack(fake->host, fake->tokens[i], result, "because \"of\" this\n");
}

static void fake_flush(void *sink)
{
    ((struct fake *)sink)->flushes++;
}

static void fake_stats(void *sink, struct sluice_stats *stats)
{
    stats->queued_records = ((struct fake *)sink)->count;
}

static void fake_close(void *sink)
{
    struct fake *fake = sink;

    for (size_t i = 0; !fake->forgets_at_close && i < fake->count; i++) {
        if (!fake->is_back[i]) {
            fake_ack(fake, i, SLUICE_FAILED);
        }
    }
    free(fake);
}

static const struct sluice_sink_plugin fake_plugin = {
    .type = "fake",
    .record_cost = fake_cost,
    .open = fake_open,
    .accept = fake_accept,
    .flush = fake_flush,
    .stats = fake_stats,
    .close = fake_close,
};

/* ---- the world ---- */

struct world {
    struct sl_loop *loop;
    struct sl_timer *turn;
    struct sl_sink_spec spec;
    size_t cost;
    struct sl_sink *sink;
    struct sl_token tokens[MOST];
    unsigned acks[MOST];
    enum sluice_result results[MOST];
    unsigned acks_in_all;
    unsigned readies;
    unsigned takings;
    bool is_taking;
    const bool *until;
    uint64_t overdue_wanted;
};

static void on_ack(struct sl_token *token, enum sluice_result result, void *arg)
{
    struct world *world = arg;
    size_t i = (size_t)(token - world->tokens);

    assert_true(i < MOST && token->owner == world);
    assert_null(token->sink);
    world->acks[i]++;
    world->results[i] = result;
    world->acks_in_all++;
}

static void on_ready(struct sl_sink *sink, void *arg)
{
    struct world *world = arg;

    assert_ptr_equal(sink, world->sink);
    world->readies++;
}

static void on_taking(struct sl_sink *sink, bool is_taking, void *arg)
{
    struct world *world = arg;

    assert_int_equal(sl_sink_is_taking(sink), is_taking);
    world->is_taking = is_taking;
    world->takings++;
    if (world->until) {
        sl_loop_stop(world->loop);
    }
}

static const struct sl_sink_events events = {on_ack, on_ready, on_taking, NULL};

static void stop(void *arg)
{
    sl_loop_stop(((struct world *)arg)->loop);
}

static void open_world(struct world *world, const char *name, int64_t stall_after_ns)
{
    struct sl_status why = sl_status_ok();

    memset(world, 0, sizeof(*world));
    world->loop = sl_loop_new();
    world->turn = sl_timer_new(world->loop, stop, world);
    world->cost = 123;
    world->spec = (struct sl_sink_spec){.name = name,
                                        .plugin = &fake_plugin,
                                        .options = &world->cost,
                                        .stall_after_ns = stall_after_ns};
    world->sink = sl_sink_open(world->loop, &world->spec, "collector", 3, &events, world, &why);
    if (!world->sink) {
        assert_string_equal(why.text, "sink broken: it is broken");
    }
}

static void close_world(struct world *world)
{
    if (world->sink) {
        sl_sink_close(world->sink);
    }
    sl_timer_free(world->turn);
    sl_loop_free(world->loop);
}

static void turn(struct world *world)
{
    sl_timer_start(world->turn, TURN_MS);
    sl_loop_run(world->loop);
}

static enum sl_sink_answer give(struct world *world, size_t i)
{
    char *payload = malloc(4);
    struct sluice_record record = {.payload = payload, .payload_len = 4};

    world->tokens[i].owner = world;
    enum sl_sink_answer answer = sl_sink_accept(world->sink, &record, &world->tokens[i]);
    if (answer == SL_SINK_FULL) {
        free(payload);
    }
    return answer;
}

/* ---- tests ---- */

static void each_record_comes_back_once(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    assert_int_equal(give(&world, 1), SL_SINK_TAKEN);
    assert_int_equal(sl_sink_in_flight(world.sink), 2);
    assert_int_equal(world.tokens[1].payload_bytes, 4);
    fake_ack(the_fake, 1, SLUICE_DELIVERED);
    fake_ack(the_fake, 0, SLUICE_FAILED);
    assert_int_equal(sl_sink_in_flight(world.sink), 0);
    assert_int_equal(world.acks[0] + world.acks[1], 2);
    assert_int_equal(world.results[0], SLUICE_FAILED);
    assert_int_equal(world.results[1], SLUICE_DELIVERED);
    the_fake->count = 0;
    close_world(&world);
}

static void a_token_may_be_used_again_after_its_report(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    for (unsigned round = 1; round <= 3; round++) {
        assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
        fake_ack(the_fake, 0, SLUICE_DELIVERED);
        the_fake->count = 0;
        assert_int_equal(world.acks[0], round);
    }
    close_world(&world);
}

static void assert_bugs(const struct world *world, enum sl_sink_bug bug, uint64_t count)
{
    uint64_t all = 0;

    for (int i = 0; i < SL_BUGS; i++) {
        all += sl_sink_bugs(world->sink, (enum sl_sink_bug)i);
    }
    assert_int_equal(sl_sink_bugs(world->sink, bug), count);
    assert_int_equal(all, count);
}

static void ack_handle(uintptr_t handle)
{
    the_fake->host->calls->ack(the_fake->host, (struct sluice_token *)handle, SLUICE_DELIVERED,
                               NULL);
}

static void a_record_that_comes_back_twice_counts_once_and_the_plugin_is_named(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    fake_ack(the_fake, 0, SLUICE_DELIVERED);
    fake_ack(the_fake, 0, SLUICE_DELIVERED);
    assert_bugs(&world, SL_BUG_TWICE, 1);
    /* the next record has the same place in the table, and is another one */
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    fake_ack(the_fake, 0, SLUICE_FAILED);
    assert_bugs(&world, SL_BUG_TWICE, 2);
    assert_int_equal(world.acks_in_all, 1);
    assert_int_equal(sl_sink_in_flight(world.sink), 1);
    close_world(&world);
}

static void stop_when_told(void *arg)
{
    struct world *world = arg;

    if (sl_sink_full_ns(world->sink) >= 3 * world->spec.overdue_after_ns) {
        sl_loop_stop(world->loop);
    } else {
        sl_timer_start(world->turn, 1);
    }
}

static void a_sink_that_is_full_and_says_no_more_is_told_of(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    world.spec.overdue_after_ns = 10 * SL_NS_PER_MS;
    assert_int_equal(sl_sink_full_ns(world.sink), 0);
    the_fake->is_full = true;
    assert_int_equal(give(&world, 0), SL_SINK_FULL);
    sl_timer_free(world.turn);
    world.turn = sl_timer_new(world.loop, stop_when_told, &world);
    sl_timer_start(world.turn, 1);
    sl_loop_run(world.loop);
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    sl_timer_free(world.turn);
    world.turn = sl_timer_new(world.loop, stop, &world);
    turn(&world);
    assert_int_equal(world.readies, 1);
    assert_int_equal(sl_sink_full_ns(world.sink), 0);
    close_world(&world);
}

static void a_table_that_was_large_is_given_back_and_knows_its_handles(void **state)
{
    static struct sl_token token;
    static struct sluice_token *handles[10000];
    struct sl_tokens tokens;
    enum sl_token_sort sort;

    (void)state;
    sl_tokens_init(&tokens, 1);
    for (size_t i = 0; i < SL_ARRAY_LEN(handles); i++) {
        assert_true(sl_tokens_reserve(&tokens));
        handles[i] = sl_tokens_next(&tokens);
        sl_tokens_add(&tokens, &token, (int64_t)i + 1);
    }
    assert_int_equal(sl_tokens_oldest_ns(&tokens), 1);
    assert_int_equal(sl_tokens_mark_overdue(&tokens, 5000), 5000);
    for (size_t i = 0; i < SL_ARRAY_LEN(handles); i++) {
        size_t any = i * 7919 % SL_ARRAY_LEN(handles); /* each once, in some order */
        assert_ptr_equal(sl_tokens_take(&tokens, handles[any], &sort), &token);
    }
    assert_int_equal(tokens.cap, 0);
    assert_int_equal(tokens.overdue, 0);
    assert_null(sl_tokens_take(&tokens, handles[123], &sort));
    assert_int_equal(sort, SL_TOKEN_TWICE);
    assert_true(sl_tokens_reserve(&tokens));
    assert_true(sl_tokens_next(&tokens) != handles[0]);
    sl_tokens_add(&tokens, &token, 1);
    assert_ptr_equal(sl_tokens_take_oldest(&tokens), &token);
    assert_null(sl_tokens_take_oldest(&tokens));
    sl_tokens_fini(&tokens);
}

static void a_handle_that_never_was_is_looked_up_and_not_followed(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    ack_handle(0);
    ack_handle(1);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    ack_handle((uintptr_t)&world);
    ack_handle(UINTPTR_MAX);
    ack_handle((uintptr_t)the_fake->tokens[0] + ((uintptr_t)1 << 25)); /* its next use */
    assert_bugs(&world, SL_BUG_UNKNOWN, 5);
    assert_int_equal(world.acks_in_all, 0);
    assert_int_equal(sl_sink_in_flight(world.sink), 1);
    close_world(&world);
}

static void a_handle_of_another_instance_is_none_of_this_one(void **state)
{
    struct world here;
    struct world there;
    struct fake *fake;

    (void)state;
    open_world(&here, "here", 0);
    fake = the_fake;
    assert_int_equal(give(&here, 0), SL_SINK_TAKEN);
    open_world(&there, "there", 0);
    assert_int_equal(give(&there, 0), SL_SINK_TAKEN);
    ack_handle((uintptr_t)fake->tokens[0]);
    assert_bugs(&there, SL_BUG_UNKNOWN, 1);
    assert_int_equal(here.acks_in_all + there.acks_in_all, 0);
    close_world(&there);
    the_fake = fake;
    close_world(&here);
}

static void a_report_from_within_accept_is_ignored(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    the_fake->acks_in_accept = true;
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    assert_bugs(&world, SL_BUG_ACCEPT, 1);
    assert_int_equal(world.acks_in_all, 0);
    assert_int_equal(sl_sink_in_flight(world.sink), 1);
    close_world(&world);
    assert_int_equal(world.acks_in_all, 1);
}

static void an_answer_that_is_none_is_taken_so_that_nothing_is_freed_twice(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    the_fake->answer = 77;
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    assert_bugs(&world, SL_BUG_ANSWER, 1);
    assert_int_equal(sl_sink_in_flight(world.sink), 1);
    fake_ack(the_fake, 0, SLUICE_DELIVERED);
    assert_int_equal(world.acks_in_all, 1);
    close_world(&world);
}

static void a_result_that_is_none_is_a_loss(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    fake_ack(the_fake, 0, (enum sluice_result)9);
    assert_bugs(&world, SL_BUG_RESULT, 1);
    assert_int_equal(world.results[0], SLUICE_FAILED);
    close_world(&world);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* Everything that is the loop thread's alone; and one line, which is anybody's. */
static void *call_everything(void *arg)
{
    const struct sluice_host *host = the_fake->host;

    (void)arg;
    host->calls->ack(host, the_fake->tokens[0], SLUICE_DELIVERED, NULL);
    host->calls->ready(host);
    host->calls->available(host, true, "");
    assert_null(host->calls->watch(host, 0, nothing, NULL));
    host->calls->unwatch(the_fake->watch);
    assert_null(host->calls->timer_new(host, nothing, NULL));
    host->calls->timer_start(the_fake->timer, 0);
    host->calls->timer_free(the_fake->timer);
    host->calls->log(host, (enum sluice_level)12, "from a thread of its own");
    return NULL;
}

static void calls_from_another_thread_change_nothing_and_are_counted(void **state)
{
    struct world world;
    pthread_t thread;
    int pipes[2];

    (void)state;
    open_world(&world, "s", 0);
    assert_int_equal(pipe(pipes), 0);
    the_fake->watch = the_fake->host->calls->watch(the_fake->host, pipes[0], nothing, NULL);
    the_fake->timer = the_fake->host->calls->timer_new(the_fake->host, nothing, NULL);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    assert_int_equal(pthread_create(&thread, NULL, call_everything, NULL), 0);
    pthread_join(thread, NULL);
    turn(&world);
    assert_bugs(&world, SL_BUG_THREAD, 8);
    assert_int_equal(world.acks_in_all, 0);
    assert_false(sl_sink_is_taking(world.sink));
    assert_int_equal(sl_sink_in_flight(world.sink), 1);
    close_world(&world); /* the watch and the timer are left behind: the host frees them */
    close(pipes[0]);
    close(pipes[1]);
}

static void *run_loop(void *arg)
{
    struct world *world = arg;

    sl_sink_adopt(world->sink);
    fake_ack(the_fake, 0, SLUICE_DELIVERED);
    return NULL;
}

static void a_loop_that_moves_to_another_thread_says_so(void **state)
{
    struct world world;
    pthread_t thread;

    (void)state;
    open_world(&world, "s", 0);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    assert_int_equal(pthread_create(&thread, NULL, run_loop, &world), 0);
    pthread_join(thread, NULL);
    assert_int_equal(world.acks_in_all, 1);
    assert_bugs(&world, SL_BUG_THREAD, 0);
    close_world(&world);
}

static void on_overdue_seen(void *arg)
{
    struct world *world = arg;

    if (sl_sink_overdue(world->sink) == world->overdue_wanted) {
        sl_loop_stop(world->loop);
    } else {
        sl_timer_start(world->turn, 1);
    }
}

static void wait_for_overdue(struct world *world, uint64_t wanted)
{
    struct sl_timer *turn_timer = world->turn;

    world->overdue_wanted = wanted;
    world->turn = sl_timer_new(world->loop, on_overdue_seen, world);
    sl_timer_start(world->turn, 1);
    sl_loop_run(world->loop);
    sl_timer_free(world->turn);
    world->turn = turn_timer;
}

static void a_record_that_is_forgotten_among_others_is_overdue(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    world.spec.overdue_after_ns = 20 * SL_NS_PER_MS;
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    assert_int_equal(give(&world, 1), SL_SINK_TAKEN);
    assert_int_equal(give(&world, 2), SL_SINK_TAKEN);
    fake_ack(the_fake, 0, SLUICE_DELIVERED);
    fake_ack(the_fake, 2, SLUICE_DELIVERED);
    assert_int_equal(sl_sink_overdue(world.sink), 0);
    wait_for_overdue(&world, 1);
    assert_true(sl_sink_oldest_ns(world.sink) >= world.spec.overdue_after_ns);
    assert_int_equal(give(&world, 3), SL_SINK_TAKEN);
    wait_for_overdue(&world, 2);
    fake_ack(the_fake, 1, SLUICE_DELIVERED);
    assert_int_equal(sl_sink_overdue(world.sink), 1);
    fake_ack(the_fake, 3, SLUICE_DELIVERED);
    assert_int_equal(sl_sink_overdue(world.sink), 0);
    assert_int_equal(sl_sink_oldest_ns(world.sink), 0);
    close_world(&world);
}

static void full_changes_nothing_and_ready_follows_once(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    the_fake->host->calls->ready(the_fake->host); /* nobody waits for it */
    turn(&world);
    assert_int_equal(world.readies, 0);
    the_fake->is_full = true;
    assert_int_equal(give(&world, 0), SL_SINK_FULL);
    assert_null(world.tokens[0].sink);
    assert_int_equal(sl_sink_in_flight(world.sink), 0);
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    the_fake->host->calls->ready(the_fake->host);
    assert_int_equal(world.readies, 0); /* never from within the plugin's call */
    turn(&world);
    assert_int_equal(world.readies, 1);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    close_world(&world);
}

static void a_sink_takes_only_when_it_says_that_it_can(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    assert_false(sl_sink_is_taking(world.sink));
    assert_string_not_equal(sl_sink_reason(world.sink), "");
    the_fake->host->calls->available(the_fake->host, true, "");
    assert_true(sl_sink_is_taking(world.sink));
    assert_string_equal(sl_sink_reason(world.sink), "");
    assert_int_equal(world.takings, 0); /* told at the end of the turn */
    turn(&world);
    assert_int_equal(world.takings, 1);
    assert_true(world.is_taking);
    the_fake->host->calls->available(the_fake->host, false, "the \"disk\"\nis full");
    turn(&world);
    assert_int_equal(world.takings, 2);
    assert_false(world.is_taking);
    assert_string_equal(sl_sink_reason(world.sink), "the \"disk\"\nis full");
    /* There and back within a turn is no change. */
    the_fake->host->calls->available(the_fake->host, true, "");
    the_fake->host->calls->available(the_fake->host, false, "again");
    turn(&world);
    assert_int_equal(world.takings, 2);
    close_world(&world);
}

static void silence_with_records_out_is_a_stall_until_a_report(void **state)
{
    static const bool is_awaited = true;
    struct world world;

    (void)state;
    open_world(&world, "s", 30 * SL_NS_PER_MS);
    the_fake->host->calls->available(the_fake->host, true, "");
    turn(&world);
    turn(&world);
    turn(&world);
    assert_int_equal(world.takings, 1); /* nothing is out: silence is peace */
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    assert_int_equal(give(&world, 1), SL_SINK_TAKEN);
    world.until = &is_awaited;
    sl_timer_start(world.turn, LIMIT_MS);
    sl_loop_run(world.loop);
    assert_int_equal(world.takings, 2);
    assert_false(world.is_taking);
    assert_string_not_equal(sl_sink_reason(world.sink), "");
    fake_ack(the_fake, 0, SLUICE_DELIVERED);
    assert_true(sl_sink_is_taking(world.sink));
    sl_loop_run(world.loop);
    assert_int_equal(world.takings, 3);
    assert_true(world.is_taking);
    sl_loop_run(world.loop); /* one is still out: silent again */
    assert_int_equal(world.takings, 4);
    assert_false(world.is_taking);
    close_world(&world);
}

static void closing_brings_back_what_is_out(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", SL_NS_PER_S);
    for (size_t i = 0; i < MOST; i++) {
        assert_int_equal(give(&world, i), SL_SINK_TAKEN);
    }
    close_world(&world);
    for (size_t i = 0; i < MOST; i++) {
        assert_int_equal(world.acks[i], 1);
        assert_int_equal(world.results[i], SLUICE_FAILED);
    }
}

static void what_the_plugin_forgets_at_its_close_comes_back_all_the_same(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", SL_NS_PER_S);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    the_fake->forgets_at_close = true;
    close_world(&world);
    assert_int_equal(world.acks_in_all, 1);
    assert_int_equal(world.results[0], SLUICE_FAILED);
}

static void a_sink_that_cannot_open_says_why(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "broken", 0);
    assert_null(world.sink);
    close_world(&world);
}

static void the_plugin_is_asked_for_cost_flush_and_stats(void **state)
{
    struct world world;
    struct sluice_stats stats;

    (void)state;
    open_world(&world, "s", 0);
    assert_int_equal(sl_sink_record_cost(world.sink), 123 + SL_TOKEN_BYTES);
    assert_ptr_equal(sl_sink_spec(world.sink), &world.spec);
    assert_int_equal(the_fake->host->worker, 3);
    assert_string_equal(the_fake->host->collector, "collector");
    sl_sink_flush(world.sink);
    assert_int_equal(the_fake->flushes, 1);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    sl_sink_stats(world.sink, &stats);
    assert_int_equal(stats.queued_records, 1);
    assert_int_equal(stats.retries, 0);
    close_world(&world);
}

static void count_post(void *arg)
{
    ((struct fake *)arg)->posted++;
}

static void *post_many(void *arg)
{
    struct fake *fake = arg;

    for (int i = 0; i < 1000; i++) {
        if (!fake->host->calls->post(fake->host, count_post, fake)) {
            return NULL;
        }
    }
    return arg;
}

static void posts_of_other_threads_run_on_the_loop(void **state)
{
    struct world world;
    pthread_t threads[2];
    void *result;

    (void)state;
    open_world(&world, "s", 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, the_fake), 0);
    }
    turn(&world);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &result);
        assert_non_null(result);
    }
    turn(&world);
    assert_int_equal(the_fake->posted, 2000);
    close_world(&world);
}

static void must_not_run(void *arg)
{
    (void)arg;
    fail();
}

static void what_is_posted_before_the_close_does_not_run_after_it(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    assert_true(the_fake->host->calls->post(the_fake->host, must_not_run, NULL));
    sl_sink_close(world.sink);
    world.sink = NULL;
    turn(&world);
    close_world(&world);
}

static void one_that_is_given_up_loses_what_it_has_and_gets(void **state)
{
    struct world world;
    struct sluice_stats stats;

    (void)state;
    open_world(&world, "s", 0);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    assert_int_equal(give(&world, 1), SL_SINK_TAKEN);
    fake_ack(the_fake, 1, SLUICE_DELIVERED);
    the_fake->is_full = true;
    assert_int_equal(give(&world, 2), SL_SINK_FULL);
    sl_sink_give_up(world.sink); /* its plugin says FAILED */
    assert_true(sl_sink_is_given_up(world.sink));
    assert_int_equal(world.acks_in_all, 2);
    assert_int_equal(world.results[0], SLUICE_RESTARTED);
    assert_int_equal(sl_sink_in_flight(world.sink), 0);
    turn(&world);
    assert_int_equal(world.readies, 1);
    assert_int_equal(give(&world, 2), SL_SINK_TAKEN);
    assert_int_equal(world.acks[2], 0); /* never from within */
    turn(&world);
    assert_int_equal(world.results[2], SLUICE_RESTARTED);
    sl_sink_give_up(world.sink);
    sl_sink_flush(world.sink);
    sl_sink_stats(world.sink, &stats);
    assert_int_equal(stats.queued_records, 0);
    assert_int_equal(give(&world, 3), SL_SINK_TAKEN);
    sl_sink_close(world.sink);
    assert_int_equal(world.acks_in_all, 4);
    assert_int_equal(world.results[3], SLUICE_RESTARTED);
    world.sink = NULL;
    close_world(&world);
}

static void what_a_plugin_forgets_when_it_is_given_up_comes_back_too(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, "s", 0);
    assert_int_equal(give(&world, 0), SL_SINK_TAKEN);
    the_fake->forgets_at_close = true;
    sl_sink_give_up(world.sink);
    assert_int_equal(world.results[0], SLUICE_RESTARTED);
    assert_bugs(&world, SL_BUG_FORGOTTEN, 1);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_given_up_loses_what_it_has_and_gets),
        cmocka_unit_test(what_a_plugin_forgets_when_it_is_given_up_comes_back_too),
        cmocka_unit_test(each_record_comes_back_once),
        cmocka_unit_test(a_token_may_be_used_again_after_its_report),
        cmocka_unit_test(a_record_that_comes_back_twice_counts_once_and_the_plugin_is_named),
        cmocka_unit_test(a_sink_that_is_full_and_says_no_more_is_told_of),
        cmocka_unit_test(a_table_that_was_large_is_given_back_and_knows_its_handles),
        cmocka_unit_test(a_handle_that_never_was_is_looked_up_and_not_followed),
        cmocka_unit_test(a_handle_of_another_instance_is_none_of_this_one),
        cmocka_unit_test(a_report_from_within_accept_is_ignored),
        cmocka_unit_test(an_answer_that_is_none_is_taken_so_that_nothing_is_freed_twice),
        cmocka_unit_test(a_result_that_is_none_is_a_loss),
        cmocka_unit_test(calls_from_another_thread_change_nothing_and_are_counted),
        cmocka_unit_test(a_loop_that_moves_to_another_thread_says_so),
        cmocka_unit_test(a_record_that_is_forgotten_among_others_is_overdue),
        cmocka_unit_test(full_changes_nothing_and_ready_follows_once),
        cmocka_unit_test(a_sink_takes_only_when_it_says_that_it_can),
        cmocka_unit_test(silence_with_records_out_is_a_stall_until_a_report),
        cmocka_unit_test(closing_brings_back_what_is_out),
        cmocka_unit_test(what_the_plugin_forgets_at_its_close_comes_back_all_the_same),
        cmocka_unit_test(a_sink_that_cannot_open_says_why),
        cmocka_unit_test(the_plugin_is_asked_for_cost_flush_and_stats),
        cmocka_unit_test(posts_of_other_threads_run_on_the_loop),
        cmocka_unit_test(what_is_posted_before_the_close_does_not_run_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
