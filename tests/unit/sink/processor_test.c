/* processor_test.c - records on their way through processors to a sink that may be full; and each
 * allocation on that way fails once, as it does when shared objects are loaded. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "failing.h"
#include "sink/plugins.h"
#include "sink/processor.h"
#include "sink/sink.h"

enum { MOST = 16, TURN_MS = 15 };

/* ---- the sink: keeps what it takes ---- */

struct keeper {
    const struct sluice_host *host;
    struct sluice_token *tokens[MOST];
    char *payloads[MOST];
    char destinations[MOST][32];
    char keys[MOST][32];
    size_t count;
    size_t offers;
    bool is_full;
};

static struct keeper *the_keeper;

static size_t keeper_cost(const void *options)
{
    (void)options;
    return 0;
}

static void *keeper_open(const struct sluice_host *host, const void *options, char *error,
                         size_t error_size)
{
    (void)options;
    (void)error;
    (void)error_size;
    the_keeper = calloc(1, sizeof(*the_keeper));
    if (the_keeper) {
        the_keeper->host = host;
    }
    return the_keeper;
}

static void copy_text(char *to, struct sluice_str text)
{
    snprintf(to, 32, "%.*s", (int)text.len, text.data ? text.data : "");
}

static enum sluice_accept keeper_accept(void *sink, const struct sluice_record *record,
                                        struct sluice_token *token)
{
    struct keeper *keeper = sink;

    keeper->offers++;
    if (keeper->is_full) {
        return SLUICE_FULL;
    }
    assert_true(keeper->count < MOST);
    copy_text(keeper->destinations[keeper->count], record->destination);
    copy_text(keeper->keys[keeper->count], record->key);
    keeper->payloads[keeper->count] = record->payload;
    keeper->tokens[keeper->count++] = token;
    return SLUICE_TAKEN;
}

static void keeper_flush(void *sink)
{
    (void)sink;
}

static void keeper_stats(void *sink, struct sluice_stats *stats)
{
    (void)sink;
    (void)stats;
}

static void keeper_ack(struct keeper *keeper)
{
    for (size_t i = 0; i < keeper->count; i++) {
        keeper->host->calls->ack(keeper->host, keeper->tokens[i], SLUICE_DELIVERED, NULL);
        free(keeper->payloads[i]);
    }
    keeper->count = 0;
}

static void keeper_close(void *sink)
{
    keeper_ack(sink);
    free(sink);
}

static const struct sluice_sink_plugin keeper_plugin = {
    .type = "keeper",
    .record_cost = keeper_cost,
    .open = keeper_open,
    .accept = keeper_accept,
    .flush = keeper_flush,
    .stats = keeper_stats,
    .close = keeper_close,
};

/* ---- the processor: does what the record's first byte says ---- */

struct scribe {
    const struct sluice_host *host;
    unsigned seen;
    char key[32];
};

static void *scribe_open(const struct sluice_host *host, const void *options, char *error,
                         size_t error_size)
{
    struct scribe *scribe = calloc(1, sizeof(*scribe));

    if (options || !scribe) {
        snprintf(error, error_size, "it does not want to");
        free(scribe);
        return NULL;
    }
    scribe->host = host;
    return scribe;
}

/* Puts the number of what it has seen behind the payload, and its name before the key. */
static enum sluice_verdict write_on(struct scribe *scribe, struct sluice_record *record)
{
    size_t room = record->payload_len + 16;
    char *payload = malloc(room);

    if (!payload) {
        return SLUICE_BROKEN;
    }
    record->payload_len = (size_t)snprintf(payload, room, "%.*s%u", (int)record->payload_len,
                                           record->payload, scribe->seen);
    free(record->payload);
    record->payload = payload;
    snprintf(scribe->key, sizeof(scribe->key), "%s.%.*s", scribe->host->processor,
             (int)record->key.len, record->key.data ? record->key.data : "");
    record->key = (struct sluice_str){scribe->key, strlen(scribe->key)};
    record->destination = (struct sluice_str){"elsewhere", 9};
    record->seq = 4711; /* not looked at */
    return SLUICE_KEPT;
}

static enum sluice_verdict scribe_process(void *processor, struct sluice_record *record,
                                          char *error, size_t error_size)
{
    struct scribe *scribe = processor;

    scribe->seen++;
    switch (record->payload[0]) {
    case 'f':
        return SLUICE_FILTERED;
    case 'b':
        snprintf(error, error_size, "it begins with a b");
        return SLUICE_BROKEN;
    case 'v':
        return (enum sluice_verdict)44;
    case 'n':
        free(record->payload);
        record->payload = NULL;
        return SLUICE_KEPT;
    case 'a':
        scribe->host->calls->available(scribe->host, true, "");
        return SLUICE_KEPT;
    default:
        return write_on(scribe, record);
    }
}

static void scribe_close(void *processor)
{
    free(processor);
}

static const struct sluice_processor_plugin scribe_plugin = {
    .type = "scribe",
    .open = scribe_open,
    .process = scribe_process,
    .close = scribe_close,
};

static const struct sl_processor_spec one = {"one", &scribe_plugin, NULL};
static const struct sl_processor_spec two = {"two", &scribe_plugin, NULL};
static const struct sl_processor_spec broken = {"broken", &scribe_plugin, "options"};
static const struct sl_processor_spec *const both[] = {&one, &two};
static const struct sl_processor_spec *const first_and_broken[] = {&one, &broken};

/* ---- the world ---- */

struct world {
    struct sl_loop *loop;
    struct sl_timer *turn;
    struct sl_sink_spec spec;
    struct sl_sink *sink;
    struct sl_token tokens[MOST];
    unsigned acks;
    enum sluice_result last;
    unsigned readies;
    struct sl_status why;
};

static void on_ack(struct sl_token *token, enum sluice_result result, void *arg)
{
    struct world *world = arg;

    assert_ptr_equal(token->owner, world);
    world->acks++;
    world->last = result;
}

static void on_ready(struct sl_sink *sink, void *arg)
{
    (void)sink;
    ((struct world *)arg)->readies++;
}

static void on_taking(struct sl_sink *sink, bool is_taking, void *arg)
{
    (void)sink;
    (void)is_taking;
    (void)arg;
}

static const struct sl_sink_events events = {
    .on_ack = on_ack, .on_ready = on_ready, .on_taking = on_taking};

static void stop(void *arg)
{
    sl_loop_stop(((struct world *)arg)->loop);
}

static void open_world(struct world *world, const struct sl_processor_spec *const *processors)
{
    long planned = left;

    left = -1;
    memset(world, 0, sizeof(*world));
    world->loop = sl_loop_new();
    world->turn = sl_timer_new(world->loop, stop, world);
    left = planned;
    world->spec = (struct sl_sink_spec){.name = "s",
                                        .plugin = &keeper_plugin,
                                        .is_required = true,
                                        .processors = processors,
                                        .processor_count = 2};
    world->sink = sl_sink_open(world->loop, &world->spec, "c", 0, &events, world, &world->why);
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

static enum sl_sink_answer give(struct world *world, size_t i, const char *text, const char *kind)
{
    long planned = left;

    left = -1;
    char *payload = strdup(text);
    left = planned;
    assert_non_null(payload);
    struct sluice_record record = {.payload = payload,
                                   .payload_len = strlen(text),
                                   .destination = {"here", 4},
                                   .key = {"k", 1},
                                   .kind = {kind, strlen(kind)},
                                   .seq = 7,
                                   .lines = 1};
    world->tokens[i] = (struct sl_token){.owner = world};
    enum sl_sink_answer answer = sl_sink_accept(world->sink, &record, &world->tokens[i]);
    if (answer == SL_SINK_FULL) {
        free(payload);
    }
    return answer;
}

/* ---- tests ---- */

static void each_sees_what_the_one_before_it_made(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, both);
    assert_int_equal(give(&world, 0, "x", "change"), SL_SINK_TAKEN);
    assert_int_equal(give(&world, 1, "x", "change"), SL_SINK_TAKEN);
    assert_memory_equal(the_keeper->payloads[0], "x11", 3);
    assert_memory_equal(the_keeper->payloads[1], "x22", 3);
    assert_string_equal(the_keeper->keys[1], "two.one.k");
    assert_string_equal(the_keeper->destinations[1], "elsewhere");
    assert_int_equal(world.tokens[0].payload_bytes, 3);
    close_world(&world);
    assert_int_equal(world.acks, 2);
}

static void what_is_filtered_or_broken_goes_no_further_and_uses_no_token(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, both);
    assert_int_equal(give(&world, 0, "f", "change"), SL_SINK_FILTERED);
    assert_int_equal(give(&world, 0, "b", "change"), SL_SINK_LOST);
    assert_int_equal(give(&world, 0, "v", "change"), SL_SINK_LOST);
    assert_int_equal(sl_sink_bugs(world.sink, SL_BUG_VERDICT), 1);
    assert_int_equal(give(&world, 0, "n", "change"), SL_SINK_LOST);
    assert_int_equal(sl_sink_bugs(world.sink, SL_BUG_PAYLOAD), 1);
    assert_int_equal(the_keeper->offers, 0);
    assert_int_equal(sl_sink_in_flight(world.sink), 0);
    assert_int_equal(give(&world, 0, "a", "change"), SL_SINK_TAKEN);
    assert_int_equal(sl_sink_bugs(world.sink, SL_BUG_PROCESSOR), 2);
    assert_false(sl_sink_is_taking(world.sink));
    close_world(&world);
}

static void a_marker_cannot_be_filtered(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, both);
    assert_int_equal(give(&world, 0, "f", "marker"), SL_SINK_TAKEN);
    assert_memory_equal(the_keeper->payloads[0], "f", 1);
    close_world(&world);
}

static void what_a_full_sink_refuses_waits_and_is_not_processed_again(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, both);
    the_keeper->is_full = true;
    assert_int_equal(give(&world, 0, "x", "change"), SL_SINK_TAKEN);
    assert_int_equal(give(&world, 1, "x", "change"), SL_SINK_FULL);
    assert_int_equal(the_keeper->offers, 1); /* the second one was not even shown */
    assert_int_equal(sl_sink_in_flight(world.sink), 1);
    the_keeper->host->calls->ready(the_keeper->host); /* too early: it is full again */
    turn(&world);
    assert_int_equal(the_keeper->offers, 2);
    assert_int_equal(world.readies, 0);
    the_keeper->is_full = false;
    the_keeper->host->calls->ready(the_keeper->host);
    turn(&world);
    assert_int_equal(world.readies, 1);
    assert_memory_equal(the_keeper->payloads[0], "x11", 3);
    assert_string_equal(the_keeper->keys[0], "two.one.k");
    assert_int_equal(give(&world, 1, "x", "change"), SL_SINK_TAKEN);
    assert_memory_equal(the_keeper->payloads[1], "x22", 3);
    close_world(&world);
    assert_int_equal(world.acks, 2);
    assert_int_equal(world.last, SLUICE_DELIVERED);
}

static void what_waits_comes_back_at_the_close_and_when_its_epoch_ends(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, both);
    assert_int_equal(give(&world, 0, "x", "change"), SL_SINK_TAKEN);
    the_keeper->is_full = true;
    assert_int_equal(give(&world, 1, "x", "change"), SL_SINK_TAKEN);
    the_keeper->host->calls->ack(the_keeper->host, the_keeper->tokens[0], SLUICE_RESTARTED, NULL);
    assert_int_equal(world.acks, 2);
    assert_int_equal(world.last, SLUICE_RESTARTED);
    assert_int_equal(sl_sink_in_flight(world.sink), 0);
    free(the_keeper->payloads[0]);
    the_keeper->count = 0;
    assert_int_equal(give(&world, 2, "x", "change"), SL_SINK_TAKEN);
    close_world(&world);
    assert_int_equal(world.acks, 3);
    assert_int_equal(world.last, SLUICE_FAILED);
}

static void a_processor_that_cannot_open_says_why(void **state)
{
    struct world world;

    (void)state;
    open_world(&world, first_and_broken);
    assert_null(world.sink);
    assert_string_equal(world.why.text, "sink s, processor broken: it does not want to");
    close_world(&world);
}

/* Whether all went well; whatever fails, each record that was taken comes back once. */
static bool run(void)
{
    struct world world;
    unsigned taken = 0;
    bool is_good = true;

    open_world(&world, both);
    if (!world.sink) {
        close_world(&world);
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        the_keeper->is_full = i == 2;
        enum sl_sink_answer answer = give(&world, i, "x", "change");
        taken += answer == SL_SINK_TAKEN;
        is_good = is_good && answer == (i == 3 ? SL_SINK_FULL : SL_SINK_TAKEN);
        the_keeper->is_full = false;
    }
    the_keeper->host->calls->ready(the_keeper->host);
    turn(&world);
    is_good = is_good && world.readies == 1;
    close_world(&world);
    assert_int_equal(world.acks, taken);
    return is_good;
}

static void tell(const char *text, void *arg)
{
    (void)text;
    *(bool *)arg = true;
}

static bool load(void)
{
    struct sl_plugins *plugins = sl_plugins_new();
    bool is_told = false;
    bool is_good =
        plugins &&
        sl_plugins_load(plugins, &(struct sl_plugins_loading){.directory = SL_TEST_OBJECTS "/OLDER",
                                                              .tell = tell,
                                                              .arg = &is_told});

    assert_true(is_good || is_told || !plugins);
    sl_plugins_free(plugins);
    return is_good;
}

static void fail_each(bool (*fn)(void), long least)
{
    long runs = 0;

    do {
        has_failed = false;
        left = runs++;
        bool is_good = fn();
        left = -1;
        assert_true(is_good || has_failed);
    } while (has_failed);
    assert_true(runs > least);
    assert_true(fn());
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    (void)chmod(SL_TEST_OBJECTS "/OLDER", 0755); /* whatever the umask was */
    (void)chmod(SL_TEST_OBJECTS "/OLDER/OLDER.so", 0755);
    fail_each(run, 15);
    fail_each(load, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sees_what_the_one_before_it_made),
        cmocka_unit_test(what_is_filtered_or_broken_goes_no_further_and_uses_no_token),
        cmocka_unit_test(a_marker_cannot_be_filtered),
        cmocka_unit_test(what_a_full_sink_refuses_waits_and_is_not_processed_again),
        cmocka_unit_test(what_waits_comes_back_at_the_close_and_when_its_epoch_ends),
        cmocka_unit_test(a_processor_that_cannot_open_says_why),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
