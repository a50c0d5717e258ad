#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi.services.h"

/* ---- a sink that keeps what it takes until it is told to acknowledge ---- */

struct fake_sink *the_fake;
struct fake_sink *the_extra;

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
    struct fake_sink *fake = calloc(1, sizeof(*fake));
    fake->host = host;
    if (strcmp(host->sink, "extra") == 0) {
        the_extra = fake;
    } else {
        the_fake = fake;
    }
    host->calls->available(host, true, "");
    return fake;
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
    fake->whose[fake->count] = record->subscription.data[0];
    fake->tokens[fake->count++] = token;
    if (fake->on_record) {
        fake->on_record(record, fake->arg);
    }
    free(record->payload);
    return SLUICE_TAKEN;
}

void fake_acknowledge(struct fake_sink *fake, enum sluice_result result)
{
    size_t count = fake->count;

    fake->count = 0;
    for (size_t i = 0; i < count; i++) {
        fake->host->calls->ack(fake->host, fake->tokens[i], result, NULL);
    }
}

void fake_acknowledge_of(struct fake_sink *fake, char whose, enum sluice_result result)
{
    struct sluice_token *mine[MOST_TOKENS];
    size_t count = 0;
    size_t left = 0;

    for (size_t i = 0; i < fake->count; i++) {
        if (fake->whose[i] == whose) {
            mine[count++] = fake->tokens[i];
        } else {
            fake->whose[left] = fake->whose[i];
            fake->tokens[left++] = fake->tokens[i];
        }
    }
    fake->count = left;
    for (size_t i = 0; i < count; i++) {
        fake->host->calls->ack(fake->host, mine[i], result, NULL);
    }
}

static size_t fake_most(void *sink, const struct sluice_record *record)
{
    const struct fake_sink *fake = sink;

    (void)record;
    return fake->most_bytes ? fake->most_bytes : SIZE_MAX;
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
    .type = "fake",
    .doc = "keeps what it takes",
    .record_cost = fake_cost,
    .open = fake_open,
    .accept = fake_accept,
    .flush = fake_flush,
    .stats = fake_stats,
    .close = fake_close,
    .most_bytes = fake_most,
};

/* ---- the world: a loop, a sink, a stream, and a device at the other end of a session ---- */

static void on_ack(struct sl_token *token, enum sluice_result result, void *arg)
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

    (void)status;
    world->device = world->device == call ? NULL : world->device;
}

static bool is_refused(const struct world *world, const Gnmi__SubscriptionList *list)
{
    for (size_t i = 0; i < list->n_subscription; i++) {
        for (const char *const *bad = world->refused; *bad; bad++) {
            if (strcmp(list->subscription[i]->path->elem[0]->name, *bad) == 0) {
                return true;
            }
        }
    }
    return false;
}

static enum sl_grpc_take device_on_bytes(struct sl_grpc_call *call, const uint8_t *bytes,
                                         uint32_t length, void *arg)
{
    struct world *world = arg;

    if (!world->refused) {
        return SL_GRPC_TAKEN;
    }
    Gnmi__SubscribeRequest *request = gnmi__subscribe_request__unpack(NULL, length, bytes);
    assert_non_null(request);
    world->requests++;
    world->asked = request->subscribe->n_subscription;
    if (is_refused(world, request->subscribe)) {
        struct sl_status why = sl_status_error(SL_INVALID_ARGUMENT, "no such path");
        sl_grpc_call_finish(call, &why);
    } else {
        assert_int_equal(sl_grpc_call_send_bytes(call, "\x18\x01", 2), SL_GRPC_SENT);
    }
    gnmi__subscribe_request__free_unpacked(request, NULL);
    return SL_GRPC_TAKEN;
}

static uint32_t device_max_bytes(const struct sl_grpc_call *call, void *arg)
{
    (void)call;
    (void)arg;
    return SL_MIB;
}

static const struct sl_grpc_call_events device_events = {
    .max_message_bytes = device_max_bytes,
    .on_bytes = device_on_bytes,
    .on_status = device_on_status,
};

static void on_subscribe(struct sl_grpc_call *call, void *arg)
{
    struct world *world = arg;

    world->device = call;
    world->calls++;
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
const struct sl_h2_session_events client_events = {.on_stream = NULL};

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

void turn(struct world *world)
{
    sl_timer_start(world->turn, 0);
    sl_loop_run(world->loop);
}

bool step(struct world *world)
{
    turn(world);
    bool has_moved = move(world->client, world->server);

    return move(world->server, world->client) || has_moved;
}

void settle(struct world *world)
{
    while (step(world)) {
    }
}

void connect_again(struct world *world)
{
    sl_h2_session_free(world->server);
    sl_stream_set_session(world->stream, NULL);
    sl_h2_session_free(world->client);
    world->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &client_events, world);
    world->server = sl_h2_session_new(SL_H2_SERVER, NULL, &server_events, world);
    sl_stream_set_session(world->stream, world->client);
}

static void on_closed(struct sl_stream *stream, void *arg)
{
    struct world *world = arg;

    (void)stream;
    world->is_closed = true;
}

struct sl_stream_config world_config(struct world *world, const struct world_options *options)
{
    static const char *const paths[] = {"/a/b", NULL};
    static const struct sl_gnmi_asked asked = {.paths = paths};
    static const struct sl_stream_member member = {"sub1", &asked, 1};

    return (struct sl_stream_config){
        .loop = world->loop,
        .target = "leaf1",
        .subscription = "sub1",
        .members = options->members ? options->members : &member,
        .member_count = options->members ? options->member_count : 1,
        .subscribe = {.encoding = SL_GNMI_PROTO},
        .authority = "leaf1:57400",
        .username = "",
        .password = "",
        .credit_initial_bytes = LIMIT_BYTES,
        .max_message_bytes = 4 * 1024 * 1024,
        .backoff_min_ms = 1,
        .backoff_max_ms = 1,
        .pool = &world->pool,
        .clock = options->clock,
        .stale_after_ns = options->stale_after_ns,
        .stall = options->stall,
        .quarantine_ns = SL_NS_PER_MS,
        .quarantine_max_ns = 3600 * SL_NS_PER_S,
        .routes = world->routes,
        .route_count = world->extra       ? 2
                       : options->members ? options->member_count
                                          : 1,
        .on_closed = on_closed,
        .arg = world,
    };
}

static void open_stream(struct world *world, const struct world_options *options)
{
    const struct sl_stream_config config = world_config(world, options);
    struct sl_status why;

    world->stream = sl_stream_new(&config, &why);
    assert_non_null(world->stream);
    sl_stream_set_session(world->stream, world->client);
}

static void open_extra(struct world *world, uint64_t memory_bytes)
{
    struct sl_status why;

    world->extra_spec = world->spec;
    world->extra_spec.name = "extra";
    world->extra_spec.is_required = false;
    world->extra_spec.memory_bytes = memory_bytes;
    world->extra =
        sl_sink_open(world->loop, &world->extra_spec, "test", 0, &sink_events, world, &why);
    assert_non_null(world->extra);
    world->routes[1].member = 0;
    world->routes[1].sink = world->extra;
}

int set_up_world(void **state, const struct world_options *options)
{
    struct world *world = calloc(1, sizeof(*world));
    struct sl_status why;

    world->loop = sl_loop_new();
    world->turn = sl_timer_new(world->loop, stop_loop, world->loop);
    world->spec = (struct sl_sink_spec){.name = "fake",
                                        .plugin = &fake_plugin,
                                        .is_required = true,
                                        .stall_after_ns = 3600 * SL_NS_PER_S,
                                        .processors = options->processors,
                                        .processor_count = options->processor_count};
    world->sink = sl_sink_open(world->loop, &world->spec, "test", 0, &sink_events, world, &why);
    assert_non_null(world->sink);
    struct sl_budget_plan plan;
    assert_true(sl_budget_plan(256 * SL_MIB, 1, 1, 4 * SL_MIB, &plan));
    plan.shared_bytes = options->shared_bytes ? options->shared_bytes : plan.shared_bytes;
    sl_stream_pool_init(&world->pool, &plan);
    world->interned.limit_bytes = SL_MIB;
    world->refused = options->refused;
    for (size_t i = 0; i < MOST_MEMBERS; i++) {
        world->routes[i] = options->route;
        world->routes[i].member = i;
        world->routes[i].sink = world->sink;
        world->routes[i].meter = sl_meters_find(&world->pool.meters, "sub1", "fake");
        world->routes[i].encoder.target = SL_STR("leaf1");
        world->routes[i].values.subscription = options->members && i < options->member_count
                                                   ? options->members[i].subscription
                                                   : "sub1";
        world->routes[i].encoder.subscription = sl_str_from(world->routes[i].values.subscription);
        world->routes[i].encoder.memory = &world->interned;
    }
    if (options->extra_memory_bytes) {
        open_extra(world, options->extra_memory_bytes);
    }
    world->client = sl_h2_session_new(SL_H2_CLIENT, NULL, &client_events, world);
    world->server = sl_h2_session_new(SL_H2_SERVER, NULL, &server_events, world);
    open_stream(world, options);
    while (options->refused && world->requests == 0) { /* no further: the rest is the test's */
        (void)step(world);
    }
    if (!options->refused) {
        settle(world);
        assert_non_null(world->device);
    }
    *state = world;
    return 0;
}

int set_up_batch(void **state, enum sl_format format, struct sl_template *destination,
                 struct sl_batch_config batch)
{
    const struct world_options options = {
        .route = {.destination = destination, .encoder = {.format = format}, .batch = batch}};

    return set_up_world(state, &options);
}

int set_up_format(void **state, enum sl_format format, struct sl_template *destination)
{
    return set_up_batch(state, format, destination, (struct sl_batch_config){0});
}

int tear_down(void **state)
{
    struct world *world = *state;

    sl_h2_session_free(world->server);
    sl_stream_set_session(world->stream, NULL);
    sl_h2_session_free(world->client);
    sl_stream_close(world->stream);
    sl_sink_close(world->sink);
    if (world->extra) {
        sl_sink_close(world->extra);
        the_extra = NULL;
    }
    sl_stream_free(world->stream);
    sl_ended_fini(&world->pool.ended);
    sl_meters_fini(&world->pool.meters);
    sl_buf_fini(&world->pool.scratch);
    sl_buf_fini(&world->pool.mended);
    sl_distinct_fini(&world->pool.distinct);
    sl_buf_fini(&world->pool.sharing.owners);
    sl_buf_fini(&world->pool.sharing.part);
    sl_timer_free(world->turn);
    sl_loop_free(world->loop);
    free(world);
    return 0;
}

struct sl_stream_view view(const struct world *world)
{
    struct sl_stream_view view;

    sl_stream_view(world->stream, &view);
    return view;
}

const struct sl_route_counts *counts(const struct world *world)
{
    const struct sl_route_counts *counts = &view(world).routes[0].counts;

    assert_true(sl_route_counts_are_valid(counts));
    return counts;
}

void fill_response(uint8_t *bytes, uint32_t length)
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

unsigned send_all(struct world *world, uint32_t length, unsigned most)
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
