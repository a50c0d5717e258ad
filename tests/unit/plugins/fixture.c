#include "test.h"

#include "fixture.h"

#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 2 };

static void on_ack(struct sl_token *token, enum sluice_result result, void *arg)
{
    struct fixture *fixture = arg;
    struct slot *slot = SL_CONTAINER_OF(token, struct slot, token);

    assert_false(fixture->is_accepting);
    slot->acks++;
    slot->result = result;
    slot->order = ++fixture->acked;
    fixture->failed += result == SLUICE_FAILED;
}

static void on_ready(struct sl_sink *sink, void *arg)
{
    (void)sink;
    ((struct fixture *)arg)->readies++;
}

static void on_over(struct sl_sink *sink, void *arg)
{
    struct fixture *fixture = arg;

    (void)sink;
    fixture->overs++;
}

static void on_taking(struct sl_sink *sink, bool is_taking, void *arg)
{
    (void)sink;
    (void)is_taking;
    ((struct fixture *)arg)->takings++;
}

static const struct sl_sink_events events = {on_ack, on_ready, on_taking, on_over};

static void on_poll(void *arg)
{
    struct fixture *fixture = arg;

    if (fixture->is_met(fixture) || sl_loop_now_ns(fixture->loop) > fixture->until_ns) {
        sl_loop_stop(fixture->loop);
    } else {
        sl_timer_start(fixture->poll, POLL_MS);
    }
}

void fixture_init(struct fixture *fixture, const struct sluice_sink_plugin *plugin,
                  const void *options, size_t most)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->loop = sl_loop_new();
    fixture->poll = sl_timer_new(fixture->loop, on_poll, fixture);
    fixture->slots = calloc(most, sizeof(*fixture->slots));
    fixture->most = most;
    fixture->spec = (struct sl_sink_spec){
        .name = "test", .plugin = plugin, .options = options, .stall_after_ns = 60 * SL_NS_PER_S};
}

void fixture_open(struct fixture *fixture)
{
    struct sl_status why = sl_status_ok();

    fixture->sink =
        sl_sink_open(fixture->loop, &fixture->spec, "dc1 \"a\"", 0, &events, fixture, &why);
    assert_string_equal(why.text, "");
    assert_non_null(fixture->sink);
}

void fixture_close(struct fixture *fixture)
{
    sl_sink_close(fixture->sink);
    fixture->sink = NULL;
}

void fixture_fini(struct fixture *fixture)
{
    if (fixture->sink) {
        fixture_close(fixture);
    }
    sl_timer_free(fixture->poll);
    sl_loop_free(fixture->loop);
    free(fixture->slots);
}

bool fixture_give(struct fixture *fixture, const struct sluice_record *record, const void *payload,
                  size_t len)
{
    struct sluice_record copy = *record;

    assert_true(fixture->given < fixture->most);
    struct slot *slot = &fixture->slots[fixture->given];
    copy.payload = malloc(len + 1);
    copy.payload_len = len;
    memcpy(copy.payload, payload, len);
    fixture->is_accepting = true;
    bool is_taken = sl_sink_accept(fixture->sink, &copy, &slot->token) == SL_SINK_TAKEN;
    fixture->is_accepting = false;
    if (!is_taken) {
        free(copy.payload);
    }
    fixture->given += is_taken;
    return is_taken;
}

bool fixture_run_until(struct fixture *fixture, bool (*is_met)(const struct fixture *fixture))
{
    fixture->is_met = is_met;
    fixture->until_ns = sl_loop_now_ns(fixture->loop) + FIXTURE_LIMIT_MS * SL_NS_PER_MS;
    sl_timer_start(fixture->poll, 0);
    sl_loop_run(fixture->loop);
    return is_met(fixture);
}

bool fixture_give_soon(struct fixture *fixture, const struct sluice_record *record,
                       const void *payload, size_t len)
{
    bool has_room = true;

    fixture->readies = 0;
    while (has_room && !fixture_give(fixture, record, payload, len)) {
        has_room = fixture_run_until(fixture, was_ready);
        fixture->readies = 0;
    }
    return has_room;
}

bool all_are_acked(const struct fixture *fixture)
{
    return fixture->acked == fixture->given;
}

bool is_taking(const struct fixture *fixture)
{
    return sl_sink_is_taking(fixture->sink);
}

bool is_not_taking(const struct fixture *fixture)
{
    return !sl_sink_is_taking(fixture->sink);
}

bool was_ready(const struct fixture *fixture)
{
    return fixture->readies > 0;
}

void assert_all_came_back(const struct fixture *fixture, size_t failed)
{
    for (size_t i = 0; i < fixture->given; i++) {
        assert_int_equal(fixture->slots[i].acks, 1);
    }
    assert_int_equal(fixture->acked, fixture->given);
    assert_int_equal(fixture->failed, failed);
}
