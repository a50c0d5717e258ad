/* stall_life_test.c - lives drawn at random: a device that changes things, a sink that is full,
 * stands still, acknowledges, calls that end, streams that are closed; by each policy. Whoever
 * reads the records has in the end what the device has, unless something was shed; and what is
 * missing is what was counted and told. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "base/machine.h"
#include "notify.h"
#include "sluice.pb-c.h"
#include "tree.h"

enum { LIVES = 24, STEPS = 120, MOST_TURNS = 20000, LARGE = 6000, MOST_UNSENT = 20000 };

static const struct sl_clock_config an_hour = {.max_skew_ns = 3600 * SL_NS_PER_S};

/* ---- cells of the tables that were used ---- */

static unsigned stall_cells[SL_STALL_STATES][SL_STALL_EVENTS];
static unsigned stream_cells[SL_STREAM_STATES][SL_STREAM_EVENTS];

unsigned __real_sl_machine_next(const struct sl_machine *machine, unsigned state, unsigned event);
unsigned __wrap_sl_machine_next(const struct sl_machine *machine, unsigned state, unsigned event);

unsigned __wrap_sl_machine_next(const struct sl_machine *machine, unsigned state, unsigned event)
{
    stall_cells[state % SL_STALL_STATES][event % SL_STALL_EVENTS] += machine == &sl_stall_machine;
    if (machine == &sl_stream_machine) {
        stream_cells[state][event]++;
    }
    return __real_sl_machine_next(machine, state, event);
}

/* ---- the consumer ---- */

struct consumer {
    struct tree tree;
    uint64_t epoch;
    uint64_t seq;
    uint64_t told[SL_DROP_REASONS];
    bool has_ended;
};

static void count_gap(struct consumer *consumer, const Sluice__V1__Gap *gap)
{
    for (int i = 0; i < SL_DROP_REASONS; i++) {
        const char *name = sl_drop_reason_name((enum sl_drop_reason)i);
        consumer->told[i] += strcmp(gap->reason, name) == 0 ? gap->count : 0;
    }
}

static void apply(struct consumer *consumer, const Sluice__V1__Record *record)
{
    if (record->atomic) {
        tree_clear_beneath(&consumer->tree, record->prefix);
    }
    for (size_t i = 0; i < record->n_deletes; i++) {
        tree_clear_beneath(&consumer->tree, record->deletes[i]->path);
    }
    for (size_t i = 0; i < record->n_updates; i++) {
        tree_set(&consumer->tree, record->updates[i]->path,
                 (int)record->updates[i]->value->int_val);
    }
}

static void on_record(const struct sluice_record *given, void *arg)
{
    struct consumer *consumer = arg;
    Sluice__V1__Record *record =
        sluice__v1__record__unpack(NULL, given->payload_len, (const uint8_t *)given->payload);

    assert_non_null(record);
    if (record->epoch != consumer->epoch) {
        assert_true(record->epoch > consumer->epoch);
        assert_true(consumer->epoch == 0 || consumer->has_ended);
        *consumer = (struct consumer){.epoch = record->epoch};
        tree_clear(&consumer->tree);
    }
    assert_int_equal(record->seq, consumer->seq + 1);
    assert_false(consumer->has_ended);
    assert_int_equal(record->seq == 1, record->marker == SLUICE__V1__MARKER__MARKER_CONNECTED);
    consumer->seq = record->seq;
    consumer->has_ended = record->end != NULL;
    if (record->gap && record->seq > 2) {
        count_gap(consumer, record->gap);
    }
    apply(consumer, record);
    sluice__v1__record__free_unpacked(record, NULL);
}

/* ---- a life ---- */

struct life {
    struct world *world;
    struct consumer consumer;
    struct tree device;
    size_t calls;                      /* the tree is of the last */
    uint64_t dropped[SL_DROP_REASONS]; /* when that began */
    unsigned seed;
    int value;
    bool has_finished; /* the device, of the last call */
};

/* The equation, at every step; the counters checks it. */
static void check(struct life *life)
{
    const struct sl_route_counts *now = counts(life->world);

    assert_true(sl_stall_kept(&view(life->world).routes[0]) <= now->held);
    assert_true(view(life->world).kept_bytes <= LIMIT_BYTES + 4096);
    assert_true(view(life->world).borrowed_bytes <= LIMIT_BYTES + LARGE);
}

/* A new call has a device that begins with nothing. */
static void note_call(struct life *life)
{
    if (life->world->calls != life->calls) {
        life->calls = life->world->calls;
        life->has_finished = false;
        tree_clear(&life->device);
        memcpy(life->dropped, counts(life->world)->dropped, sizeof(life->dropped));
    }
}

static bool can_send(struct life *life)
{
    note_call(life);
    return life->world->device && !life->has_finished &&
           sl_grpc_call_unsent(life->world->device) < MOST_UNSENT;
}

static void send_bytes(struct life *life, struct sl_str bytes)
{
    assert_int_equal(sl_grpc_call_send_bytes(life->world->device, bytes.data, (uint32_t)bytes.len),
                     SL_GRPC_SENT);
    (void)step(life->world);
}

static void send_large(struct life *life)
{
    uint8_t *bytes = malloc(LARGE);

    fill_response(bytes, LARGE);
    send_bytes(life, (struct sl_str){(const char *)bytes, LARGE});
    free(bytes);
}

static void say_room(struct life *life)
{
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    (void)step(life->world);
}

static void end_call(struct life *life)
{
    struct sl_status status = sl_status_error(SL_UNAVAILABLE, "going away");

    note_call(life);
    life->has_finished = true;
    if (life->world->device && draw(&life->seed, 2)) {
        sl_grpc_call_finish(life->world->device, &status);
    } else if (life->world->device) {
        sl_grpc_call_cancel(life->world->device);
    }
    settle(life->world);
}

/* Long enough for a stream that stands still to be noticed. */
static void let_time_pass(struct life *life)
{
    int64_t until_ns = sl_loop_wall_ns() + 3 * SL_NS_PER_MS;

    while (sl_loop_wall_ns() < until_ns) {
        (void)step(life->world);
    }
}

static void live(struct life *life)
{
    switch (draw(&life->seed, 16)) {
    case 0:
        let_time_pass(life);
        break;
    case 1:
        the_fake->is_full = true;
        break;
    case 2:
        say_room(life);
        break;
    case 3:
    case 4:
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
        break;
    case 5:
        if (draw(&life->seed, 4) == 0) {
            end_call(life);
        }
        break;
    case 6:
        if (can_send(life)) {
            send_bytes(life, SL_STR("\x18\x01"));
        }
        break;
    case 7:
    case 8:
    case 9:
        for (int i = 0; i < 6 && can_send(life); i++) {
            send_large(life);
        }
        break;
    default:
        if (can_send(life)) {
            send_bytes(life, tree_draw(&life->device, &life->seed, ++life->value));
        }
        break;
    }
    (void)step(life->world);
    note_call(life);
    check(life);
}

/* The sink takes and acknowledges everything; the device has a call, and says what it still had to.
 */
static bool is_calm(const struct life *life)
{
    const struct world *world = life->world;

    return world->device && world->calls == life->calls && view(world).state == SL_STREAM_FLOWING &&
           sl_grpc_call_unsent(world->device) == 0 && counts(world)->held == 0 &&
           !view(world).is_stalled && the_fake->count == 0;
}

static void calm_down(struct life *life)
{
    for (int i = 0; i < MOST_TURNS && !is_calm(life); i++) {
        say_room(life);
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
        (void)step(life->world);
        note_call(life);
    }
    assert_true(is_calm(life));
    settle(life->world);
    fake_acknowledge(the_fake, SLUICE_DELIVERED); /* of markers */
    settle(life->world);
}

static void check_end(struct life *life)
{
    const struct sl_route_counts *now = counts(life->world);
    uint64_t lost = 0;

    if (life->consumer.epoch != view(life->world).epoch) { /* the device has not said anything */
        life->consumer = (struct consumer){.epoch = 0};
        tree_clear(&life->consumer.tree);
    }
    for (int i = 0; i < SL_DROP_REASONS; i++) {
        lost += now->dropped[i];
        assert_int_equal(life->consumer.told[i], now->dropped[i] - life->dropped[i]);
    }
    assert_int_equal(now->received, now->published + lost);
    assert_int_equal(view(life->world).cost_held_bytes, 0);
    assert_int_equal(view(life->world).borrowed_bytes, 0);
    if (now->dropped[SL_DROP_SHED] == life->dropped[SL_DROP_SHED]) {
        assert_memory_equal(&life->consumer.tree, &life->device, sizeof(life->device));
    }
}

/* In whatever state it is: it closes, when its sink lets it or nobody waits any more. */
static void close_stream(struct life *life)
{
    bool is_patient = draw(&life->seed, 2);

    for (int i = 0; i < 20 && can_send(life); i++) {
        send_large(life);
    }
    let_time_pass(life);
    sl_stream_close(life->world->stream);
    for (int i = 0; i < 20; i++) {
        (void)step(life->world);
    }
    if (draw(&life->seed, 2)) {
        end_call(life);
    }
    if (!is_patient) {
        sl_stream_abort(life->world->stream);
    }
    for (int i = 0; i < MOST_TURNS && !life->world->is_closed; i++) {
        if (is_patient) {
            say_room(life);
            fake_acknowledge(the_fake, SLUICE_DELIVERED);
        }
        (void)step(life->world);
    }
    assert_true(life->world->is_closed);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(life->world)->held, 0);
    assert_int_equal(view(life->world).kept_bytes, 0);
}

static void run_life(enum sl_stall_policy policy, unsigned seed, bool is_calmed)
{
    const struct world_options options = {
        .route = {.encoder = {.format = SL_FORMAT_SLUICE_V1,
                              .unit = seed % 3 ? SL_RECORD_NOTIFICATION : SL_RECORD_UPDATE},
                  .has_markers = true},
        .clock = an_hour,
        .stall = {policy, SL_NS_PER_MS},
    };
    struct life life = {.seed = seed};
    void *state = NULL;

    assert_int_equal(set_up_world(&state, &options), 0);
    life.world = state;
    the_fake->on_record = on_record;
    the_fake->arg = &life.consumer;
    tree_clear(&life.device);
    note_call(&life);
    for (int i = 0; i < STEPS; i++) {
        live(&life);
    }
    if (is_calmed) {
        calm_down(&life);
        check_end(&life);
    } else {
        close_stream(&life);
    }
    tear_down(&state);
}

static void run_lives(enum sl_stall_policy policy)
{
    for (unsigned seed = 1; seed <= LIVES; seed++) {
        run_life(policy, seed, seed % 3 != 0);
    }
}

static void lives_with_block(void **state)
{
    (void)state;
    run_lives(SL_STALL_BLOCK);
}

static void lives_with_resubscribe(void **state)
{
    (void)state;
    run_lives(SL_STALL_RESUBSCRIBE);
}

static void lives_with_conflate(void **state)
{
    (void)state;
    run_lives(SL_STALL_CONFLATE);
}

static void lives_with_shed(void **state)
{
    (void)state;
    run_lives(SL_STALL_SHED);
}

static void every_cell_of_the_table_was_used(void **state)
{
    (void)state;
    for (unsigned s = SL_STALL_OPEN; s < SL_STALL_STATES; s++) {
        for (unsigned e = 0; e < SL_STALL_EVENTS; e++) {
            bool is_cell = sl_stall_machine.next[s * SL_STALL_EVENTS + e] != SL_STALL_NONE;
            if ((stall_cells[s][e] > 0) != is_cell) {
                fail_msg("%s on %s: %u times", sl_stall_state_name((enum sl_stall_state)s),
                         sl_stall_machine.event_names[e], stall_cells[s][e]);
            }
        }
    }
    assert_true(stream_cells[SL_STREAM_DRAINING][SL_STREAM_ENDED] > 0);
    assert_true(stream_cells[SL_STREAM_PARTING][SL_STREAM_EMPTY] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives_with_block),
        cmocka_unit_test(lives_with_resubscribe),
        cmocka_unit_test(lives_with_conflate),
        cmocka_unit_test(lives_with_shed),
        cmocka_unit_test(every_cell_of_the_table_was_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
