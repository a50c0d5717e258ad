#include "grpc/house.h"

#include <stdlib.h>
#include <string.h>

enum { GUARD_MS = 30 * 1000, DIAL_MS = 10 * 1000 };

/* ---- running ---- */

static void on_tick(void *arg)
{
    struct house *house = arg;

    sl_timer_start(house->tick, 1);
    if (house->is_met(house)) {
        sl_loop_stop(house->loop);
    }
}

static void on_guard(void *arg)
{
    struct house *house = arg;

    house->is_late = true;
    sl_loop_stop(house->loop);
}

void run_until(struct house *house, bool (*is_met)(struct house *house))
{
    house->is_met = is_met;
    sl_timer_start(house->tick, 0);
    sl_timer_start(house->guard, GUARD_MS);
    sl_loop_run(house->loop);
    sl_timer_stop(house->tick);
    sl_timer_stop(house->guard);
    assert_false(house->is_late);
}

static bool is_any_turn(struct house *house)
{
    (void)house;
    return true;
}

void run_turns(struct house *house, unsigned turns)
{
    while (turns-- > 0) {
        run_until(house, is_any_turn);
    }
}

/* ---- the server ---- */

const struct sl_grpc_method served_method = {
    .path = "/test.Service/Method", .client_streams = true, .server_streams = true};

static void on_served_call(struct sl_grpc_call *served, void *arg)
{
    struct house *house = arg;
    const struct sl_grpc_peer *peer = sl_grpc_call_peer(served);
    struct record *record = &house->served[house->served_count];

    assert_true(house->served_count < SERVED);
    assert_ptr_equal(peer->user, house);
    if (peer->identity) {
        strncpy(house->identities[house->served_count], peer->identity,
                sizeof(house->identities[0]) - 1);
    }
    house->served_count++;
    record->call = served;
    sl_grpc_call_set_events(served, &house->served_events, record);
}

const struct sl_grpc_handler served_handlers[] = {{&served_method, on_served_call}, {NULL, NULL}};

static bool on_connected(struct sl_grpc_peer *peer, void *arg)
{
    struct house *house = arg;

    peer->user = house;
    house->connected++;
    return true;
}

static void on_sent(struct sl_grpc_peer *peer, void *arg)
{
    struct house *house = arg;

    assert_ptr_equal(peer->user, house);
    house->sent++;
}

static void on_disconnected(struct sl_grpc_peer *peer, const struct sl_status *why, void *arg)
{
    struct house *house = arg;

    assert_ptr_equal(peer->user, house);
    house->disconnected++;
    house->last_why = *why;
}

static void on_refused(const char *address, const struct sl_status *why, void *arg)
{
    struct house *house = arg;

    assert_true(strlen(address) > 0);
    house->refused++;
    house->refused_why = *why;
}

static const struct sl_grpc_server_events events = {
    .on_connected = on_connected,
    .on_sent = on_sent,
    .on_disconnected = on_disconnected,
    .on_refused = on_refused,
};

static void on_server_closed(void *arg)
{
    struct house *house = arg;

    house->server = NULL;
    house->is_server_closed = true;
}

void open_house(struct house *house)
{
    size_t count = 1;

    house->loop = sl_loop_new();
    assert_non_null(house->loop);
    sl_grpc_context_init(&house->context, house->loop);
    house->tick = sl_timer_new(house->loop, on_tick, house);
    house->guard = sl_timer_new(house->loop, on_guard, house);
    assert_true(house->tick && house->guard);
    house->served_events = record_events;
    house->served_events.max_message_bytes = NULL; /* it is the server's */
    house->services[0] = (struct sl_grpc_service_entry){served_handlers, house};
    while (count < SL_ARRAY_LEN(house->services) && house->services[count].handlers) {
        count++;
    }
    house->options.loop = house->loop;
    house->options.services = house->services;
    house->options.service_count = count;
    house->options.events = &events;
    house->options.arg = house;
    if (!house->options.address.host[0]) {
        strcpy(house->options.address.host, "127.0.0.1");
    }
    house->server = sl_grpc_server_open(&house->options, &house->why);
}

bool is_server_closed(struct house *house)
{
    return house->is_server_closed;
}

bool are_guests_gone(struct house *house)
{
    for (size_t i = 0; i < house->guest_count; i++) {
        if (!house->guests[i].is_closed) {
            return false;
        }
    }
    return true;
}

void close_house(struct house *house)
{
    if (house->server) {
        sl_grpc_server_close(house->server, on_server_closed, house);
        run_until(house, is_server_closed);
    }
    for (size_t i = 0; i < house->guest_count; i++) {
        struct guest *guest = &house->guests[i];
        if (guest->link) {
            sl_h2_link_close(guest->link);
        } else if (!guest->is_closed) {
            sl_conn_close(guest->conn);
        }
    }
    run_until(house, are_guests_gone);
    assert_int_equal(house->connected, house->disconnected);
    for (size_t i = 0; i < house->served_count; i++) {
        record_fini(&house->served[i]);
    }
    for (size_t i = 0; i < house->guest_count; i++) {
        sl_buf_fini(&house->guests[i].heard);
    }
    sl_timer_free(house->tick);
    sl_timer_free(house->guard);
    sl_grpc_context_fini(&house->context);
    sl_loop_free(house->loop);
}

/* ---- guests ---- */

static void on_goaway(struct sl_h2_link *link, int32_t last_stream_id, uint32_t error,
                      struct sl_str debug_data, void *arg)
{
    struct guest *guest = arg;

    (void)link;
    (void)last_stream_id;
    (void)error;
    (void)debug_data;
    guest->goaways++;
}

static void on_link_closed(struct sl_h2_link *link, const struct sl_status *why, void *arg)
{
    struct guest *guest = arg;

    assert_ptr_equal(link, guest->link);
    guest->link = NULL;
    guest->why = *why;
    guest->is_closed = true;
}

static const struct sl_h2_link_events link_events = {
    .on_goaway = on_goaway,
    .on_closed = on_link_closed,
};

static void on_open(struct sl_conn *conn, void *arg)
{
    struct guest *guest = arg;

    guest->link =
        sl_h2_link_open(guest->house->loop, conn, SL_H2_CLIENT, NULL, &link_events, guest);
    assert_non_null(guest->link);
    guest->conn = NULL;
}

static void on_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    struct guest *guest = arg;

    (void)conn;
    sl_buf_add(&guest->heard, bytes, len);
}

static void on_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct guest *guest = arg;

    (void)conn;
    guest->conn = NULL;
    guest->why = *why;
    guest->is_closed = true;
}

static const struct sl_conn_events dial_events = {.on_open = on_open, .on_close = on_close};
static const struct sl_conn_events raw_events = {.on_read = on_read, .on_close = on_close};

static struct guest *last_guest(struct house *house)
{
    return &house->guests[house->guest_count - 1];
}

static bool has_arrived(struct house *house)
{
    const struct guest *guest = last_guest(house);

    return guest->is_closed || ((guest->link || guest->is_raw) &&
                                house->connected + house->refused >= house->guest_count);
}

static struct guest *dial(struct house *house, bool is_raw)
{
    struct sl_dial_options options = {.address = house->options.address,
                                      .timeout_ms = DIAL_MS,
                                      .tls = house->client_tls,
                                      .server_name = "leaf1"};
    struct guest *guest = &house->guests[house->guest_count++];

    assert_true(house->guest_count <= GUESTS);
    options.address.port = sl_grpc_server_port(house->server);
    guest->house = house;
    guest->is_raw = is_raw;
    guest->conn = sl_conn_dial(house->loop, &options, is_raw ? &raw_events : &dial_events, guest);
    assert_non_null(guest->conn);
    run_until(house, has_arrived);
    return guest;
}

struct guest *invite(struct house *house)
{
    return dial(house, false);
}

struct guest *invite_raw(struct house *house)
{
    return dial(house, true);
}

static bool has_nobody_left(struct house *house)
{
    return are_guests_gone(house) && house->connected == house->disconnected;
}

void see_off(struct guest *guest)
{
    sl_h2_link_close(guest->link);
    run_until(guest->house, has_nobody_left);
}

void call(struct guest *guest, struct record *record, const struct sl_grpc_method *method)
{
    const struct sl_grpc_request request = {
        .method = method, .authority = "here", .user_agent = "test"};

    record->call =
        sl_grpc_call_open(sl_h2_link_session(guest->link), &request, &record_events, record);
    assert_non_null(record->call);
}
