/* flow_test.c - a stream between a device in memory and a sink that does as it is told. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "sluice.pb-c.h"

#include "gnmi.services.h"
#include "stream/stream.h"

enum { LIMIT_BYTES = 64 * 1024, MOST_TOKENS = 8192, KEPT_RECORDS = 4 };

/* ---- a sink that keeps what it takes until it is told to acknowledge ---- */

struct fake_sink {
    const struct sluice_host *host;
    struct sluice_token *tokens[MOST_TOKENS];
    size_t count;
    uint64_t seqs[MOST_TOKENS];
    uint32_t lines[MOST_TOKENS];
    uint64_t records;
    struct sl_buf kept[KEPT_RECORDS];   /* the payloads of the first records */
    struct sl_buf places[KEPT_RECORDS]; /* and their destinations */
    bool is_full;
    uint64_t full_at; /* so many records it takes; 0: any */
};

static struct fake_sink *the_fake; /* of the one instance that is open */

static size_t fake_cost(const void *options)
{
    (void)options;
    return 200;
}

static void *fake_open(const struct sluice_host *host, const void *options, char *error,
                       size_t error_size)
{
    (void)options;
    (void)error;
    (void)error_size;
    the_fake = calloc(1, sizeof(*the_fake));
    the_fake->host = host;
    host->calls->available(host, true, "");
    return the_fake;
}

static enum sluice_accept fake_accept(void *sink, const struct sluice_record *record,
                                      struct sluice_token *token)
{
    struct fake_sink *fake = sink;

    if (fake->is_full || (fake->full_at && fake->records >= fake->full_at)) {
        return SLUICE_FULL;
    }
    assert_true(fake->count < MOST_TOKENS);
    fake->seqs[fake->records % MOST_TOKENS] = record->seq;
    fake->lines[fake->records % MOST_TOKENS] = record->lines;
    if (fake->records < KEPT_RECORDS) {
        sl_buf_add(&fake->kept[fake->records], record->payload, record->payload_len);
        sl_buf_add(&fake->places[fake->records], record->destination.data, record->destination.len);
    }
    fake->records++;
    fake->tokens[fake->count++] = token;
    free(record->payload);
    return SLUICE_TAKEN;
}

static void fake_acknowledge(struct fake_sink *fake, enum sluice_result result)
{
    size_t count = fake->count;

    fake->count = 0;
    for (size_t i = 0; i < count; i++) {
        fake->host->calls->ack(fake->host, fake->tokens[i], result, NULL);
    }
}

static void fake_flush(void *sink)
{
    (void)sink;
}

static void fake_stats(void *sink, struct sluice_stats *stats)
{
    (void)sink;
    memset(stats, 0, sizeof(*stats));
}

static void fake_close(void *sink)
{
    struct fake_sink *fake = sink;

    fake_acknowledge(fake, SLUICE_FAILED);
    for (size_t i = 0; i < KEPT_RECORDS; i++) {
        sl_buf_fini(&fake->kept[i]);
        sl_buf_fini(&fake->places[i]);
    }
    free(fake);
}

static const struct sluice_sink_plugin fake_plugin = {
    .abi = SLUICE_ABI,
    .type = "fake",
    .doc = "keeps what it takes",
    .record_cost = fake_cost,
    .open = fake_open,
    .accept = fake_accept,
    .flush = fake_flush,
    .stats = fake_stats,
    .close = fake_close,
};

/* ---- the world: a loop, a sink, a stream, and a device at the other end of a session ---- */

struct world {
    struct sl_grpc_service_entry service;
    struct sl_grpc_router router;
    struct sl_loop *loop;
    struct sl_timer *turn;
    struct sl_sink_spec spec;
    struct sl_sink *sink;
    struct sl_encoder_memory interned;
    struct sl_stream_pool pool;
    struct sl_route_config route;
    struct sl_stream *stream;
    struct sl_h2_session *client;
    struct sl_h2_session *server;
    struct sl_grpc_call *device; /* the server's side of the call */
    bool is_closed;
};

static void on_ack(struct sluice_token *token, enum sluice_result result, void *arg)
{
    (void)arg;
    sl_stream_acknowledge(token, result);
}

static void on_ready(struct sl_sink *sink, void *arg)
{
    struct world *world = arg;

    (void)sink;
    sl_stream_sink_ready(world->stream);
}

static void on_taking(struct sl_sink *sink, bool is_taking, void *arg)
{
    struct world *world = arg;

    (void)sink;
    (void)is_taking;
    if (world->stream) {
        sl_stream_sinks_changed(world->stream);
    }
}

static const struct sl_sink_events sink_events = {
    .on_ack = on_ack,
    .on_ready = on_ready,
    .on_taking = on_taking,
};

static void device_on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct world *world = arg;

    (void)call;
    (void)status;
    world->device = NULL;
}

static const struct sl_grpc_call_events device_events = {.on_status = device_on_status};

static void on_subscribe(struct sl_grpc_call *call, void *arg)
{
    struct world *world = arg;

    world->device = call;
    sl_grpc_call_set_events(call, &device_events, world);
}

static const struct sl_grpc_handler handlers[] = {
    {&gnmi__g_nmi__methods[GNMI__G_NMI__SUBSCRIBE], on_subscribe},
    {NULL, NULL},
};

static void on_server_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    struct world *world = arg;

    (void)session;
    world->service = (struct sl_grpc_service_entry){handlers, world};
    world->router = (struct sl_grpc_router){.entries = &world->service, .count = 1};
    sl_grpc_call_accept(&world->router, NULL, stream);
}

static const struct sl_h2_session_events server_events = {.on_stream = on_server_stream};
static const struct sl_h2_session_events client_events = {.on_stream = NULL};

static bool move(struct sl_h2_session *from, struct sl_h2_session *to)
{
    uint8_t bytes[SL_H2_OUTPUT_BYTES];
    bool has_moved = false;

    for (size_t len; (len = sl_h2_session_output(from, bytes, sizeof(bytes))) > 0;) {
        struct sl_status status = sl_h2_session_receive(to, bytes, len);
        assert_int_equal(status.code, SL_OK);
        has_moved = true;
    }
    return has_moved;
}

static void stop_loop(void *arg)
{
    sl_loop_stop(arg);
}

/* Turns of the loop and frames both ways until nothing moves any more. */
static void settle(struct world *world)
{
    bool has_moved = true;

    while (has_moved) {
        sl_timer_start(world->turn, 0);
        sl_loop_run(world->loop);
        has_moved = move(world->client, world->server);
        has_moved |= move(world->server, world->client);
    }
}

static void on_closed(struct sl_stream *stream, void *arg)
{
    struct world *world = arg;

    (void)stream;
    world->is_closed = true;
}

static void open_stream(struct world *world)
{
    static const char *const paths[] = {"/a/b", NULL};
    static const struct sl_gnmi_asked asked = {.paths = paths};
    static const struct sl_stream_member member = {"sub1", &asked, 1};
    struct sl_status why;
    struct sl_stream_config config = {
        .loop = world->loop,
        .target = "leaf1",
        .subscription = "sub1",
        .members = &member,
        .member_count = 1,
        .subscribe = {.encoding = SL_GNMI_PROTO},
        .authority = "leaf1:57400",
        .username = "",
        .password = "",
        .wanted_limit_bytes = LIMIT_BYTES,
        .max_message_bytes = 4 * 1024 * 1024,
        .backoff_min_ms = 1,
        .backoff_max_ms = 1,
        .pool = &world->pool,
        .routes = &world->route,
        .route_count = 1,
        .on_closed = on_closed,
        .arg = world,
    };

    world->stream = sl_stream_new(&config, &why);
    assert_non_null(world->stream);
    sl_stream_set_session(world->stream, world->client);
}

static int set_up_batch(void **state, enum sl_format format, struct sl_template *destination,
                        struct sl_batch_config batch)
{
    struct world *world = calloc(1, sizeof(*world));
    struct sl_status why;

    world->loop = sl_loop_new();
    world->turn = sl_timer_new(world->loop, stop_loop, world->loop);
    world->spec = (struct sl_sink_spec){.name = "fake",
                                        .plugin = &fake_plugin,
                                        .is_required = true,
                                        .stall_after_ns = 3600 * SL_NS_PER_S};
    world->sink = sl_sink_open(world->loop, &world->spec, "test", 0, &sink_events, world, &why);
    assert_non_null(world->sink);
    assert_true(sl_budget_plan(256 * SL_MIB, 1, 1, 4 * SL_MIB, &world->pool.plan));
    sl_reserve_init(&world->pool.reserve);
    world->interned.limit_bytes = SL_MIB;
    world->route = (struct sl_route_config){
        .sink = world->sink,
        .destination = destination,
        .encoder = {.format = format,
                    .target = SL_STR("leaf1"),
                    .subscription = SL_STR("sub1"),
                    .memory = &world->interned},
        .batch = batch,
    };
    world->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &client_events, world);
    world->server = sl_h2_session_new(SL_H2_SERVER, NULL, &server_events, world);
    open_stream(world);
    settle(world);
    assert_non_null(world->device);
    *state = world;
    return 0;
}

static int set_up_format(void **state, enum sl_format format, struct sl_template *destination)
{
    return set_up_batch(state, format, destination, (struct sl_batch_config){0});
}

static int set_up(void **state)
{
    return set_up_format(state, SL_FORMAT_PROTO, NULL);
}

static int set_up_sluice_v1(void **state)
{
    return set_up_format(state, SL_FORMAT_SLUICE_V1, NULL);
}

static int set_up_event_split(void **state)
{
    return set_up_format(state, SL_FORMAT_EVENT_SPLIT, NULL);
}

/* Batches that nothing but their size, or the device's need, ends within a test. */
static int set_up_lines(void **state)
{
    return set_up_batch(state, SL_FORMAT_EVENT_SPLIT, NULL,
                        (struct sl_batch_config){400, 3600 * SL_NS_PER_S});
}

static int set_up_short_lines(void **state)
{
    return set_up_batch(state, SL_FORMAT_EVENT_SPLIT, NULL,
                        (struct sl_batch_config){100 * 1000, SL_NS_PER_MS});
}

static int set_up_event_lines(void **state)
{
    return set_up_batch(state, SL_FORMAT_EVENT, NULL,
                        (struct sl_batch_config){SL_MIB, 3600 * SL_NS_PER_S});
}

static struct sl_template *by_origin;

static int set_up_by_origin(void **state)
{
    struct sl_status why;

    by_origin = sl_template_new("t.${origin}", &why);
    assert_non_null(by_origin);
    return set_up_format(state, SL_FORMAT_SLUICE_V1, by_origin);
}

static int tear_down(void **state)
{
    struct world *world = *state;

    sl_h2_session_free(world->server);
    sl_stream_set_session(world->stream, NULL);
    sl_h2_session_free(world->client);
    sl_stream_close(world->stream);
    sl_sink_close(world->sink);
    sl_stream_free(world->stream);
    sl_buf_fini(&world->pool.scratch);
    sl_timer_free(world->turn);
    sl_loop_free(world->loop);
    free(world);
    return 0;
}

static struct sl_stream_view view(const struct world *world)
{
    struct sl_stream_view view;

    sl_stream_view(world->stream, &view);
    return view;
}

static const struct sl_route_counts *counts(const struct world *world)
{
    const struct sl_route_counts *counts = &view(world).routes[0].counts;

    assert_true(sl_route_counts_are_valid(counts));
    return counts;
}

/* A SubscribeResponse of `length` bytes (40 or more) with one update: path /v, a string of blanks.
 */
static void fill_response(uint8_t *bytes, uint32_t length)
{
    static const uint8_t path[] = {0x0a, 0x05, 0x1a, 0x03, 0x0a, 0x01, 'v'};
    uint32_t string_len = length - 31; /* four heads of six bytes, and the path */
    uint32_t lengths[] = {length - 6, length - 12, length - 25, string_len};
    static const uint8_t tags[] = {0x0a, 0x22, 0x1a, 0x0a};
    size_t at = 0;

    for (size_t i = 0; i < 4; i++) {
        if (i == 2) {
            memcpy(bytes + at, path, sizeof(path));
            at += sizeof(path);
        }
        bytes[at++] = tags[i];
        for (int shift = 0; shift < 28; shift += 7) {
            bytes[at++] = (uint8_t)((lengths[i] >> shift & 0x7f) | 0x80);
        }
        bytes[at++] = (uint8_t)(lengths[i] >> 28);
    }
    memset(bytes + at, ' ', length - at);
}

/* The device sends messages of `length` bytes until its stream takes no more; how many it took. */
static unsigned send_all(struct world *world, uint32_t length, unsigned most)
{
    uint8_t *bytes = malloc(length);
    unsigned sent = 0;

    fill_response(bytes, length);
    while (sent < most && sl_grpc_call_unsent(world->device) == 0) {
        assert_int_equal(sl_grpc_call_send_bytes(world->device, bytes, length), SL_GRPC_SENT);
        sent++;
        settle(world);
    }
    free(bytes);
    return sent;
}

/* ---- the tests ---- */

static void credit_returns_only_when_the_sink_has_acknowledged(void **state)
{
    struct world *world = *state;

    send_all(world, 1000, 1000);
    struct sl_stream_view held = view(world);
    assert_true(held.held_bytes + held.assembling_bytes <= LIMIT_BYTES);
    assert_true(held.held_bytes >= LIMIT_BYTES - 2 * 1005);
    assert_true(held.is_blocked);
    assert_true(sl_grpc_call_unsent(world->device) > 0);
    uint64_t records = the_fake->records;
    settle(world);
    assert_int_equal(the_fake->records, records);
    assert_int_equal(counts(world)->held, records);

    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, records);
    assert_int_equal(sl_grpc_call_unsent(world->device), 0);
    assert_true(the_fake->records > records);
    assert_false(view(world).is_blocked);
}

static void records_are_numbered_from_one_without_holes(void **state)
{
    struct world *world = *state;

    send_all(world, 100, 300);
    assert_int_equal(the_fake->records, 300);
    for (uint64_t i = 0; i < 300; i++) {
        assert_int_equal(the_fake->seqs[i], i + 1);
    }
}

static void a_full_sink_holds_the_stream_and_loses_nothing(void **state)
{
    struct world *world = *state;

    send_all(world, 1000, 3);
    the_fake->is_full = true;
    unsigned sent = send_all(world, 1000, 1000);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    assert_int_equal(the_fake->records, 3);
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    for (int i = 0; i < 4; i++) {
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
        settle(world);
    }
    assert_int_equal(the_fake->records, 3 + sent);
    assert_int_equal(counts(world)->published, 3 + sent);
    for (uint64_t i = 0; i < 3 + sent; i++) {
        assert_int_equal(the_fake->seqs[i], i + 1);
    }
}

static void a_message_many_times_the_limit_arrives(void **state)
{
    struct world *world = *state;

    assert_int_equal(send_all(world, 3 * 1000 * 1000, 1), 1);
    settle(world);
    assert_int_equal(the_fake->records, 1);
    assert_true(view(world).borrowed_bytes > 0);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).borrowed_bytes, 0);
    assert_int_equal(view(world).cost_held_bytes, 0);
}

static void a_message_above_the_maximum_ends_the_call(void **state)
{
    struct world *world = *state;

    send_all(world, 5 * 1024 * 1024, 1);
    settle(world);
    assert_int_equal(view(world).last_error.code, SL_RESOURCE_EXHAUSTED);
    assert_int_equal(the_fake->records, 0);
}

static void a_message_that_is_none_counts_as_one_and_is_dropped(void **state)
{
    struct world *world = *state;

    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x0a\xff", 2), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(counts(world)->received, 1);
    assert_int_equal(counts(world)->dropped[SL_DROP_DECODE], 1);
    assert_int_equal(view(world).held_bytes, 0);
    send_all(world, 100, 1);
    assert_int_equal(the_fake->records, 1);
}

static void a_late_report_counts_as_published_but_not_as_credit(void **state)
{
    struct world *world = *state;
    struct sl_status status = sl_status_error(SL_UNAVAILABLE, "going away");

    send_all(world, 1000, 10);
    uint64_t epoch = view(world).epoch;
    sl_grpc_call_finish(world->device, &status);
    while (!world->device || view(world).epoch == epoch) {
        settle(world);
    }
    assert_int_equal(view(world).held_bytes, 0);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 10);
    assert_int_equal(view(world).granted_bytes + view(world).pending_bytes, LIMIT_BYTES);
    assert_true(view(world).epoch > epoch);
    send_all(world, 100, 1);
    assert_int_equal(the_fake->seqs[10], 1);
}

static void a_failed_record_is_counted_and_its_credit_returns(void **state)
{
    struct world *world = *state;

    send_all(world, 1000, 20);
    fake_acknowledge(the_fake, SLUICE_FAILED);
    settle(world);
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK], 20);
    assert_int_equal(view(world).held_bytes, 0);
}

static void closing_waits_for_what_is_held(void **state)
{
    struct world *world = *state;

    send_all(world, 1000, 10);
    sl_stream_close(world->stream);
    settle(world);
    assert_int_equal(view(world).state, SL_STREAM_DRAINING);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).state, SL_STREAM_CLOSED);
    assert_true(world->is_closed);
    assert_int_equal(counts(world)->published, 10);
}

static Sluice__V1__Record *kept_record(size_t index)
{
    const struct sl_buf *kept = &the_fake->kept[index];
    Sluice__V1__Record *record =
        sluice__v1__record__unpack(NULL, kept->len, (const uint8_t *)kept->data);

    assert_non_null(record);
    return record;
}

static void a_marker_is_numbered_and_holds_its_credit_as_any_record(void **state)
{
    static const Sluice__V1__Kind kinds[] = {SLUICE__V1__KIND__KIND_BASELINE,
                                             SLUICE__V1__KIND__KIND_MARKER,
                                             SLUICE__V1__KIND__KIND_CHANGE};
    struct world *world = *state;

    send_all(world, 100, 1);
    the_fake->is_full = true;
    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x18\x01", 2), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    the_fake->is_full = false;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    send_all(world, 100, 1);
    assert_int_equal(the_fake->records, 3);
    assert_int_equal(view(world).held_bytes, 100 + 2 + 100 + 3 * SL_GRPC_PREFIX_BYTES);
    for (size_t i = 0; i < SL_ARRAY_LEN(kinds); i++) {
        Sluice__V1__Record *record = kept_record(i);
        assert_int_equal(record->kind, kinds[i]);
        assert_int_equal(record->seq, i + 1);
        assert_int_equal(the_fake->seqs[i], i + 1);
        assert_int_equal(record->epoch, view(world).epoch);
        assert_int_equal(record->n_updates, i != 1);
        sluice__v1__record__free_unpacked(record, NULL);
    }
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(counts(world)->published, 2);
}

static int tear_down_by_origin(void **state)
{
    int result = tear_down(state);

    sl_template_free(by_origin);
    return result;
}

static void a_marker_goes_where_the_record_before_it_went(void **state)
{
    static const char update[] =
        "\x0a\x11\x22\x0f\x0a\x09\x12\x02oc\x1a\x03\x0a\x01v\x1a\x02\x18\x01";
    static const char *const places[] = {"t.", "t.oc", "t.oc"};
    struct world *world = *state;

    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x18\x01", 2), SL_GRPC_SENT);
    assert_int_equal(sl_grpc_call_send_bytes(world->device, update, sizeof(update) - 1),
                     SL_GRPC_SENT);
    assert_int_equal(sl_grpc_call_send_bytes(world->device, "\x18\x01", 2), SL_GRPC_SENT);
    settle(world);
    assert_int_equal(the_fake->records, 3);
    for (size_t i = 0; i < SL_ARRAY_LEN(places); i++) {
        assert_string_equal(sl_buf_text(&the_fake->places[i]), places[i]);
    }
}

/* Three updates, the second of them NaN, and a delete: /a = 1, /n, /b = 2, and /d. */
static const char several[] = "\x0a\x35"
                              "\x22\x0b\x0a\x05\x1a\x03\x0a\x01"
                              "a\x1a\x02\x18\x01"
                              "\x22\x12\x0a\x05\x1a\x03\x0a\x01"
                              "n\x1a\x09\x71\x00\x00\x00\x00\x00\x00\xf8\x7f"
                              "\x22\x0b\x0a\x05\x1a\x03\x0a\x01"
                              "b\x1a\x02\x18\x02"
                              "\x2a\x05\x1a\x03\x0a\x01"
                              "d";

static void send_several(struct world *world)
{
    assert_int_equal(sl_grpc_call_send_bytes(world->device, several, sizeof(several) - 1),
                     SL_GRPC_SENT);
    settle(world);
}

static void each_update_is_a_record_and_the_last_one_returns_the_credit(void **state)
{
    struct world *world = *state;

    send_several(world);
    assert_int_equal(the_fake->records, 3);
    assert_int_equal(counts(world)->held, 3);
    assert_int_equal(counts(world)->dropped[SL_DROP_VALUE], 1);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(the_fake->seqs[i], i + 1);
        assert_non_null(strstr(sl_buf_text(&the_fake->kept[i]), i == 0   ? "{\"/a\":1}"
                                                                : i == 1 ? "{\"/b\":2}"
                                                                         : "[\"/d\"]"));
    }
    the_fake->count = 2; /* the third is acknowledged later */
    struct sluice_token *last = the_fake->tokens[2];
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 2);
    assert_true(view(world).held_bytes > 0);
    the_fake->tokens[the_fake->count++] = last;
    fake_acknowledge(the_fake, SLUICE_FAILED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(view(world).cost_held_bytes, 0);
    assert_int_equal(counts(world)->dropped[SL_DROP_SINK], 1);
}

static void a_sink_that_fills_up_within_a_message_gets_each_record_once(void **state)
{
    struct world *world = *state;

    for (uint64_t room = 1; room < 3; room++) {
        uint64_t before = the_fake->records;
        the_fake->full_at = before + room;
        send_several(world);
        assert_int_equal(view(world).state, SL_STREAM_HELD);
        assert_int_equal(the_fake->records, before + room);
        the_fake->full_at = 0;
        the_fake->host->calls->ready(the_fake->host);
        settle(world);
        assert_int_equal(the_fake->records, before + 3);
        for (uint64_t i = 0; i < before + 3; i++) {
            assert_int_equal(the_fake->seqs[i], i + 1);
        }
    }
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 6);
    assert_int_equal(counts(world)->dropped[SL_DROP_VALUE], 2);
    assert_int_equal(view(world).held_bytes, 0);
}

static void a_call_that_ends_within_a_message_counts_what_got_no_record(void **state)
{
    struct world *world = *state;

    the_fake->full_at = 1;
    send_several(world);
    sl_stream_set_session(world->stream, NULL);
    sl_h2_session_free(world->client);
    world->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &client_events, world);
    assert_int_equal(counts(world)->dropped[SL_DROP_CLOSED], 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 1);
    assert_int_equal(counts(world)->received, 4);
}

/* Three lines of `several` three times are more than a batch of 400 bytes. */
static void lines_of_several_messages_are_one_record(void **state)
{
    struct world *world = *state;

    send_several(world);
    send_several(world);
    send_several(world);
    assert_int_equal(the_fake->records, 1);
    assert_int_equal(the_fake->seqs[0], 1);
    assert_true(the_fake->lines[0] > 3 && the_fake->lines[0] < 9);
    const char *text = sl_buf_text(&the_fake->kept[0]);
    unsigned feeds = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++) {
        feeds++;
    }
    assert_int_equal(feeds, the_fake->lines[0] - 1);
    assert_int_equal(counts(world)->held, 9);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, the_fake->lines[0]);
    assert_int_equal(counts(world)->held, 9 - the_fake->lines[0]);
    sl_stream_close(world->stream); /* what waits leaves now */
    assert_int_equal(the_fake->records, 2);
    assert_int_equal(the_fake->seqs[1], the_fake->lines[0] + 1);
    assert_int_equal(the_fake->lines[0] + the_fake->lines[1], 9);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 9);
    assert_int_equal(view(world).held_bytes, 0);
    assert_int_equal(view(world).cost_held_bytes, 0);
    assert_true(world->is_closed);
}

static void a_batch_leaves_when_its_time_is_over(void **state)
{
    struct world *world = *state;

    send_several(world);
    while (the_fake->records == 0) {
        settle(world);
    }
    assert_int_equal(the_fake->lines[0], 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(view(world).held_bytes, 0);
}

/* A batch of a MiB never fills from a window of 64 KiB: what waits goes when it is a quarter of it.
 */
static void a_batch_never_starves_the_device(void **state)
{
    struct world *world = *state;
    unsigned sent = 0;

    for (int i = 0; i < 20; i++) {
        sent += send_all(world, 9000, 100);
        fake_acknowledge(the_fake, SLUICE_DELIVERED);
        settle(world);
    }
    assert_true(sent >= 100);
    assert_true(the_fake->records >= 20);
    assert_true(counts(world)->published + counts(world)->held == sent);
}

static void a_full_sink_gets_a_batch_once_and_in_order(void **state)
{
    struct world *world = *state;

    the_fake->full_at = 1;
    for (int i = 0; i < 8; i++) {
        send_several(world);
    }
    assert_int_equal(the_fake->records, 1);
    assert_int_equal(view(world).state, SL_STREAM_HELD);
    the_fake->full_at = 0;
    the_fake->host->calls->ready(the_fake->host);
    settle(world);
    sl_stream_close(world->stream);
    uint64_t next = 1;
    for (uint64_t i = 0; i < the_fake->records; i++) {
        assert_int_equal(the_fake->seqs[i], next);
        next += the_fake->lines[i];
    }
    assert_int_equal(next, 8 * 3 + 1);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    settle(world);
    assert_int_equal(counts(world)->published, 8 * 3);
    assert_int_equal(view(world).cost_held_bytes, 0);
}

static void an_aborted_stream_counts_the_lines_that_waited(void **state)
{
    struct world *world = *state;

    the_fake->is_full = true;
    send_several(world);
    sl_stream_abort(world->stream);
    settle(world);
    assert_int_equal(counts(world)->dropped[SL_DROP_CLOSED], 3);
    assert_int_equal(counts(world)->held, 0);
    assert_int_equal(view(world).held_bytes, 0);
    assert_true(world->is_closed);
}

static void a_call_that_ends_sends_what_waited_with_its_own_epoch(void **state)
{
    struct world *world = *state;

    send_several(world);
    assert_int_equal(the_fake->records, 0);
    sl_stream_set_session(world->stream, NULL);
    sl_h2_session_free(world->client);
    world->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &client_events, world);
    assert_int_equal(the_fake->records, 1);
    assert_int_equal(the_fake->lines[0], 3);
    fake_acknowledge(the_fake, SLUICE_DELIVERED);
    assert_int_equal(counts(world)->published, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(credit_returns_only_when_the_sink_has_acknowledged),
        TEST(records_are_numbered_from_one_without_holes),
        TEST(a_full_sink_holds_the_stream_and_loses_nothing),
        TEST(a_message_many_times_the_limit_arrives),
        TEST(a_message_above_the_maximum_ends_the_call),
        TEST(a_message_that_is_none_counts_as_one_and_is_dropped),
        TEST(a_late_report_counts_as_published_but_not_as_credit),
        TEST(a_failed_record_is_counted_and_its_credit_returns),
        TEST(closing_waits_for_what_is_held),
        cmocka_unit_test_setup_teardown(each_update_is_a_record_and_the_last_one_returns_the_credit,
                                        set_up_event_split, tear_down),
        cmocka_unit_test_setup_teardown(a_sink_that_fills_up_within_a_message_gets_each_record_once,
                                        set_up_event_split, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_ends_within_a_message_counts_what_got_no_record,
                                        set_up_event_split, tear_down),
        cmocka_unit_test_setup_teardown(lines_of_several_messages_are_one_record, set_up_lines,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_batch_leaves_when_its_time_is_over, set_up_short_lines,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_batch_never_starves_the_device, set_up_event_lines,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_sink_gets_a_batch_once_and_in_order, set_up_lines,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_aborted_stream_counts_the_lines_that_waited,
                                        set_up_lines, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_ends_sends_what_waited_with_its_own_epoch,
                                        set_up_lines, tear_down),
        cmocka_unit_test_setup_teardown(a_marker_is_numbered_and_holds_its_credit_as_any_record,
                                        set_up_sluice_v1, tear_down),
        cmocka_unit_test_setup_teardown(a_marker_goes_where_the_record_before_it_went,
                                        set_up_by_origin, tear_down_by_origin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
