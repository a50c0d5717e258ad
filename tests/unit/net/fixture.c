#include "fixture.h"

#include <stdio.h>
#include <string.h>

enum { GUARD_MS = 20000, CHUNK_BYTES = 256 * 1024, DIAL_MS = 5000, PATTERN = 251 };

static void happened(struct end *end, enum event event)
{
    if (end->close_at == event && end->conn) {
        sl_conn_close(end->conn);
        sl_conn_close(end->conn);
        assert_true(sl_conn_write(end->conn, "late", 4));
    }
    if (end->stop_at == event) {
        sl_loop_stop(end->world->loop);
    }
}

void write_on(struct end *end)
{
    static uint8_t chunk[CHUNK_BYTES + PATTERN];

    for (size_t i = 0; i < sizeof(chunk); i++) {
        chunk[i] = (uint8_t)(i % PATTERN);
    }
    while (end->written_bytes < end->to_write) {
        size_t len = sl_min_size(CHUNK_BYTES, end->to_write - end->written_bytes);
        bool took_all = sl_conn_write(end->conn, chunk + end->written_bytes % PATTERN, len);

        end->written_bytes += len;
        if (!took_all) {
            end->refusals++;
            return;
        }
    }
}

static void note_peer(struct end *end)
{
    const char *identity = sl_conn_identity(end->conn);

    snprintf(end->peer, sizeof(end->peer), "%s", sl_conn_peer(end->conn));
    snprintf(end->identity, sizeof(end->identity), "%s", identity ? identity : "");
}

static void on_open(struct sl_conn *conn, void *arg)
{
    struct end *end = arg;

    assert_ptr_equal(conn, end->conn);
    end->opens++;
    note_peer(end);
    write_on(end);
    happened(end, ON_OPEN);
}

static void on_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    struct end *end = arg;

    assert_ptr_equal(conn, end->conn);
    assert_true(len > 0 && len <= SL_NET_READ_BYTES);
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != (uint8_t)((end->read_bytes + i) % PATTERN)) {
            fail_msg("byte %zu is wrong", end->read_bytes + i);
        }
    }
    end->read_bytes += len;
    if (end->read_bytes >= end->wanted_bytes) {
        happened(end, ON_READ);
    }
}

static void on_drain(struct sl_conn *conn, void *arg)
{
    struct end *end = arg;

    assert_ptr_equal(conn, end->conn);
    end->drains++;
    assert_int_equal(end->drains, end->refusals);
    write_on(end);
    happened(end, ON_DRAIN);
}

static void on_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct end *end = arg;

    assert_ptr_equal(conn, end->conn);
    end->closes++;
    end->why = *why;
    happened(end, ON_CLOSE);
    end->conn = NULL;
}

const struct sl_conn_events end_events = {
    .on_open = on_open,
    .on_read = on_read,
    .on_drain = on_drain,
    .on_close = on_close,
};

static void on_accept(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    struct world *world = arg;
    struct end *end = &world->ends[world->accepted];

    assert_ptr_equal(listener, world->listener);
    assert_true(world->accepted < MAX_ACCEPTED);
    world->accepted++;
    end->world = world;
    end->conn = conn;
    note_peer(end);
    end->close_at = world->close_accepted_at;
    end->to_write = world->accepted_to_write;
    sl_conn_set_events(conn, &end_events, end);
    write_on(end);
    happened(end, ON_ACCEPT);
    if (world->accepted == world->wanted_accepts) {
        sl_loop_stop(world->loop);
    }
}

static void on_refuse(struct sl_listener *listener, const char *peer, const struct sl_status *why,
                      void *arg)
{
    struct world *world = arg;

    assert_ptr_equal(listener, world->listener);
    assert_true(strlen(peer) > 0);
    world->refused++;
    world->refused_why = *why;
}

static void on_guard(void *arg)
{
    (void)arg;
    fail_msg("%s", "nothing came for too long");
}

void open_world(struct world *world)
{
    open_world_with(world, NULL);
}

void open_world_with(struct world *world, struct sl_tls *tls)
{
    open_world_at(world, "127.0.0.1:0", tls, 0, 0);
}

void open_world_at(struct world *world, const char *address, struct sl_tls *tls,
                   uint32_t max_connections, uint32_t max_per_peer)
{
    struct sl_status why;

    memset(world, 0, sizeof(*world));
    world->loop = sl_loop_new();
    assert_non_null(world->loop);
    world->guard = sl_timer_new(world->loop, on_guard, NULL);
    assert_non_null(world->guard);
    sl_timer_start(world->guard, GUARD_MS);
    if (strcmp(address, "private") == 0) {
        world->address.kind = SL_ADDRESS_PRIVATE;
    } else {
        assert_true(sl_address_parse(address, 1, &world->address));
    }
    const struct sl_listener_options options = {.address = world->address,
                                                .tls = tls,
                                                .max_connections = max_connections,
                                                .max_connections_per_peer = max_per_peer,
                                                .accept = on_accept,
                                                .refuse = on_refuse,
                                                .arg = world};
    world->listener = sl_listener_open(world->loop, &options, &why);
    assert_string_equal(why.text, "");
    assert_non_null(world->listener);
    sl_tls_release(tls);
    world->address.port = sl_listener_port(world->listener);
    assert_int_equal(world->address.port > 0, !sl_address_is_unix(&world->address));
}

void close_world(struct world *world)
{
    for (size_t i = 0; i < world->accepted; i++) {
        world->ends[i].stop_at = NONE;
        if (world->ends[i].conn) {
            sl_conn_close(world->ends[i].conn);
        }
    }
    sl_listener_close(world->listener);
    sl_timer_free(world->guard);
    sl_tls_release(world->tls);
    sl_loop_free(world->loop);
    for (size_t i = 0; i < world->accepted; i++) {
        assert_int_equal(world->ends[i].closes, 1);
    }
}

void run(struct world *world)
{
    sl_loop_run(world->loop);
}

static void stop(void *arg)
{
    struct world *world = arg;

    sl_loop_stop(world->loop);
}

void run_for(struct world *world, uint64_t ms)
{
    struct sl_timer *timer = sl_timer_new(world->loop, stop, world);

    assert_non_null(timer);
    sl_timer_start(timer, ms);
    sl_loop_run(world->loop);
    sl_timer_free(timer);
}

void dial(struct world *world, struct end *end, const char *text, uint64_t timeout_ms)
{
    struct sl_dial_options options = {.timeout_ms = timeout_ms,
                                      .tls = world->tls,
                                      .server_name = world->server_name,
                                      .proxy = world->proxy};

    if (world->address.kind == SL_ADDRESS_PRIVATE) {
        options.address = world->address;
        options.listener = world->listener;
    } else {
        assert_true(sl_address_parse(text, world->address.port, &options.address));
    }
    end->world = world;
    end->conn = sl_conn_dial(world->loop, &options, &end_events, end);
    assert_non_null(end->conn);
    assert_int_equal(end->opens + end->closes, 0);
    assert_string_equal(sl_conn_peer(end->conn), "");
}

void dial_listener(struct world *world, struct end *end)
{
    dial(world, end, "127.0.0.1", DIAL_MS);
}

void close_and_see(struct world *world, struct end *end)
{
    end->stop_at = ON_CLOSE;
    if (end->conn) {
        sl_conn_close(end->conn);
        run(world);
    }
    assert_int_equal(end->closes, 1);
}
