/* net.c - the twin of lib/net's connections: two queues of bytes that take their time. */
#include "world/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <xxhash.h>

enum { MTU_BYTES = 16 * 1024 }; /* what travels as one piece where the line has a bandwidth */

static size_t connections;

/* ---- wires ---- */

static void wire_fini(struct world_wire *wire)
{
    sl_ring_fini(&wire->bytes);
    sl_ring_fini(&wire->pieces);
    *wire = (struct world_wire){.end = WORLD_WIRE_GOES_ON};
}

static void reserve(struct sl_ring *ring, size_t more)
{
    bool is_done = sl_ring_reserve(ring, more);

    SL_ASSERT(is_done);
}

static void add_piece(struct world_wire *wire, int64_t due_ns, size_t len)
{
    const struct world_piece piece = {due_ns, len};

    if (wire->first.len == 0) {
        wire->first = piece;
        return;
    }
    reserve(&wire->pieces, sizeof(piece));
    sl_ring_add(&wire->pieces, &piece, sizeof(piece));
}

static void note_arrived(struct world_wire *wire)
{
    while (wire->first.len > 0 && wire->first.due_ns <= world_now_ns()) {
        wire->arrived += wire->first.len;
        wire->first.len = 0;
        if (wire->pieces.len > 0) {
            sl_ring_take(&wire->pieces, &wire->first, sizeof(wire->first));
        }
    }
}

/* When the end of the wire has something to hear; below 0: nothing is under way. */
static int64_t next_ns(const struct world_wire *wire)
{
    if (wire->arrived > 0) {
        return 0;
    }
    if (wire->first.len > 0) {
        return wire->first.due_ns;
    }
    return wire->end == WORLD_WIRE_GOES_ON ? -1 : wire->end_ns;
}

/* ---- reading ---- */

static bool reads(const struct sl_conn *conn)
{
    return conn->is_open && !conn->is_paused && !conn->is_closing && !conn->is_stalled;
}

static void await(struct sl_conn *conn)
{
    int64_t due_ns = reads(conn) ? next_ns(&conn->in) : -1;

    if (due_ns < 0) {
        world_clear(&conn->arrival);
    } else if (!world_is_set(&conn->arrival) || conn->arrival.due_ns > due_ns) {
        world_set(&conn->arrival, due_ns, world_any_rank());
    }
}

static void break_with(struct sl_conn *conn, const char *verb, int error)
{
    struct sl_status why = sl_net_error(verb, conn->name, error);

    world_happened(WORLD_BREAK, conn->id, (uint64_t)-error);
    world_conn_fail(conn, &why, WORLD_WIRE_IS_RESET);
}

static void hear_end(struct sl_conn *conn)
{
    struct sl_status why = sl_net_closed();

    if (conn->in.end == WORLD_WIRE_IS_RESET) {
        world_count()->resets++;
        break_with(conn, "read", UV_ECONNRESET);
        return;
    }
    world_count()->ends++;
    world_happened(WORLD_BREAK, conn->id, 0);
    world_conn_fail(conn, &why, WORLD_WIRE_ENDS);
}

/* Most reads take all there is, or a part of any size, or a few bytes. */
static size_t draw_piece(struct sl_conn *conn, size_t arrived)
{
    const struct world_link *link = &conn->way->link;
    size_t most = sl_min_size(arrived, SL_NET_READ_BYTES);

    if (link->piece_bytes > 0) {
        most = sl_min_size(most, link->piece_bytes);
    }
    if (!link->is_ragged || world_random_chance(&conn->random, 500)) {
        return most;
    }
    return (size_t)world_random_scale(&conn->random, 1, most);
}

/* There is room for what the other end could not send: it hears of it as it would of bytes. */
static void make_room(struct sl_conn *conn)
{
    struct sl_conn *other = conn->other;

    if (other && other->unsent.len > 0 && !world_is_set(&other->drain) && !other->is_closing) {
        world_set(&other->drain, world_now_ns() + world_conn_travel_ns(conn), world_any_rank());
    }
}

/* A copy of its own for each read, so that tools see who keeps it. */
static void read_piece(struct sl_conn *conn)
{
    size_t len = draw_piece(conn, conn->in.arrived);
    uint8_t *bytes = malloc(len);

    SL_ASSERT(bytes);
    world_count()->reads++;
    world_count()->partial_reads += len < conn->in.arrived;
    sl_ring_take(&conn->in.bytes, bytes, len);
    conn->in.arrived -= len;
    world_happened(WORLD_READ, conn->id, XXH3_64bits(bytes, len));
    make_room(conn);
    await(conn);
    if (conn->events && conn->events->on_read) {
        conn->events->on_read(conn, bytes, len, conn->arg);
    }
    free(bytes);
}

static void on_arrival(void *arg)
{
    struct sl_conn *conn = arg;

    note_arrived(&conn->in);
    if (conn->in.arrived > 0) {
        read_piece(conn);
    } else if (conn->in.end != WORLD_WIRE_GOES_ON && next_ns(&conn->in) <= world_now_ns()) {
        hear_end(conn);
    } else {
        await(conn);
    }
}

void sl_conn_pause(struct sl_conn *conn)
{
    conn->is_paused = true;
    await(conn);
}

void sl_conn_resume(struct sl_conn *conn)
{
    conn->is_paused = false;
    await(conn);
}

/* ---- writing ---- */

int64_t world_conn_travel_ns(struct sl_conn *conn)
{
    const struct world_link *link = &conn->way->link;
    uint64_t jitter =
        link->jitter_ns > 0 ? world_random_below(&conn->random, (uint64_t)link->jitter_ns + 1) : 0;

    return link->latency_ns + (int64_t)jitter;
}

static void send_piece(struct sl_conn *conn, struct world_wire *wire, size_t len)
{
    uint64_t rate = conn->way->link.bytes_per_s;
    int64_t now_ns = world_now_ns();
    int64_t leaves_ns = wire->free_ns > now_ns ? wire->free_ns : now_ns;

    if (rate > 0) {
        leaves_ns += (int64_t)((uint64_t)len * (uint64_t)SL_NS_PER_S / rate);
    }
    wire->free_ns = leaves_ns;
    int64_t due_ns = leaves_ns + world_conn_travel_ns(conn);
    wire->last_ns = due_ns > wire->last_ns ? due_ns : wire->last_ns;
    add_piece(wire, wire->last_ns, len);
}

static size_t room_of(const struct sl_conn *conn)
{
    size_t room = conn->way->link.buffer_bytes;
    size_t used = conn->other->in.bytes.len;

    return used < room ? room - used : 0;
}

/* How many of the bytes go onto the wire. */
static size_t send_some(struct sl_conn *conn, const void *bytes, size_t len)
{
    struct world_wire *wire = &conn->other->in;
    size_t taken = sl_min_size(len, room_of(conn));
    size_t most = conn->way->link.bytes_per_s ? MTU_BYTES : SIZE_MAX;

    reserve(&wire->bytes, taken);
    sl_ring_add(&wire->bytes, bytes, taken);
    for (size_t left = taken; left > 0;) {
        size_t piece = sl_min_size(left, most);
        send_piece(conn, wire, piece);
        left -= piece;
    }
    await(conn->other);
    return taken;
}

static void on_room(void *arg)
{
    struct sl_conn *conn = arg;

    if (!conn->other) {
        sl_ring_fini(&conn->unsent);
        return;
    }
    size_t len = sl_min_size(conn->unsent.len, room_of(conn));
    char *bytes = malloc(len + 1);
    SL_ASSERT(bytes);
    sl_ring_take(&conn->unsent, bytes, len);
    send_some(conn, bytes, len);
    free(bytes);
    if (conn->unsent.len == 0 && conn->wants_drain) {
        conn->wants_drain = false;
        world_count()->drains++;
        world_happened(WORLD_DRAIN, conn->id, len);
        if (conn->events && conn->events->on_drain) {
            conn->events->on_drain(conn, conn->arg);
        }
    }
}

/* A peer that is gone answers what is written with a reset; a reader comes to the end by itself. */
static void write_to_nobody(struct sl_conn *conn)
{
    bool has_heard = !conn->is_stalled && conn->in.end != WORLD_WIRE_GOES_ON &&
                     conn->in.end_ns <= world_now_ns();

    if (has_heard && conn->is_paused) {
        break_with(conn, "write", UV_EPIPE);
    }
}

bool sl_conn_write(struct sl_conn *conn, const void *bytes, size_t len)
{
    if (conn->is_closing || len == 0) {
        return true;
    }
    SL_ASSERT(conn->is_open);
    world_count()->writes++;
    world_note(WORLD_WRITE, conn->id, len);
    if (!conn->other) {
        write_to_nobody(conn);
        return true;
    }
    size_t sent = conn->unsent.len > 0 ? 0 : send_some(conn, bytes, len);
    if (sent == len) {
        return true;
    }
    reserve(&conn->unsent, len - sent);
    sl_ring_add(&conn->unsent, (const char *)bytes + sent, len - sent);
    conn->wants_drain = true;
    world_count()->waiting_writes++;
    return false;
}

/* ---- ends ---- */

static void end(void *arg)
{
    struct sl_conn *conn = arg;

    if (conn->events && conn->events->on_close) {
        conn->events->on_close(conn, &conn->why, conn->arg);
    }
    sl_guest_leave(conn->guest);
    world_loop_release(conn->loop);
    connections--;
    free(conn);
}

void world_conn_hang_up(struct sl_conn *conn, enum world_wire_end how)
{
    struct sl_conn *other = conn->other;

    if (!other) {
        return;
    }
    struct world_wire *wire = &other->in;
    int64_t due_ns = world_now_ns() + world_conn_travel_ns(conn);
    wire->end = how;
    wire->end_ns = due_ns > wire->last_ns ? due_ns : wire->last_ns;
    conn->other = NULL;
    other->other = NULL;
    await(other);
}

void world_conn_fail(struct sl_conn *conn, const struct sl_status *why, enum world_wire_end how)
{
    if (conn->is_closing) {
        return;
    }
    conn->is_closing = true;
    conn->why = *why;
    world_conn_hang_up(conn, how);
    world_dial_forget(conn);
    world_clear(&conn->arrival);
    world_clear(&conn->drain);
    world_clear(&conn->death);
    wire_fini(&conn->in);
    sl_ring_fini(&conn->unsent);
    world_end_soon(conn->loop, &conn->ending);
}

void sl_conn_close(struct sl_conn *conn)
{
    struct sl_status why = sl_status_error(SL_CANCELLED, "closed here");

    world_conn_fail(conn, &why, WORLD_WIRE_ENDS);
}

/* ---- faults ---- */

void world_conn_die(struct sl_conn *conn)
{
    world_count()->dead_peers++;
    break_with(conn, "read", UV_ETIMEDOUT);
}

static void stall(struct sl_conn *conn)
{
    if (!conn || conn->is_stalled || conn->is_closing) {
        return;
    }
    conn->is_stalled = true;
    await(conn);
    world_clear(&conn->drain);
    if (conn->has_dialled && conn->is_open) {
        world_set(&conn->death, world_now_ns() + SL_NET_DEAD_PEER_S * SL_NS_PER_S,
                  world_any_rank());
    }
}

void world_stall(struct sl_conn *conn)
{
    world_count()->stalls += !conn->is_stalled;
    stall(conn->other);
    stall(conn);
}

/* What stood still goes on as if it had been sent again. */
static void heal(struct sl_conn *conn)
{
    if (!conn || !conn->is_stalled || conn->is_closing) {
        return;
    }
    conn->is_stalled = false;
    world_dial_heal(conn);
    if (conn->is_open) {
        world_clear(&conn->death);
    }
    await(conn);
    if (conn->unsent.len > 0) {
        world_set(&conn->drain, world_now_ns() + world_conn_travel_ns(conn), world_any_rank());
    }
}

void world_heal(struct sl_conn *conn)
{
    heal(conn->other);
    heal(conn);
}

static void hear_reset(struct sl_conn *conn)
{
    if (!conn || conn->is_closing) {
        return;
    }
    wire_fini(&conn->in);
    conn->in.end = WORLD_WIRE_IS_RESET;
    conn->in.end_ns = world_now_ns() + world_conn_travel_ns(conn);
    conn->other = NULL;
    await(conn);
}

void world_reset(struct sl_conn *conn)
{
    struct sl_conn *other = conn->other;

    hear_reset(conn);
    hear_reset(other);
}

size_t world_connections(void)
{
    return connections;
}

struct sl_conn *world_other_end(struct sl_conn *conn)
{
    return conn->other;
}

/* ---- making ---- */

static struct world_event event_of(struct sl_conn *conn, enum world_kind kind, sl_loop_fn fn)
{
    return (struct world_event){.loop = conn->loop, .fn = fn, .arg = conn, .kind = kind};
}

struct sl_conn *world_conn_new(struct sl_loop *loop, struct world_way *way)
{
    struct sl_conn *conn = calloc(1, sizeof(*conn));
    char name[SL_ADDRESS_TEXT_BYTES + 32];

    if (!conn) {
        return NULL;
    }
    conn->loop = loop;
    conn->way = way;
    conn->id = world_next_id();
    conn->cannot = sl_status_ok();
    conn->arrival = event_of(conn, WORLD_READ, on_arrival);
    conn->drain = event_of(conn, WORLD_DRAIN, on_room);
    conn->death = event_of(conn, WORLD_BREAK, NULL); /* net_dial.c's: nobody else has a use */
    conn->ending = (struct world_ending){.fn = end, .arg = conn};
    snprintf(name, sizeof(name), "%s %llu", way->name, (unsigned long long)++way->conns);
    world_random_for(&conn->random, name);
    world_loop_hold(loop);
    connections++;
    return conn;
}

void world_conn_join(struct sl_conn *dialled, struct sl_conn *accepted)
{
    dialled->other = accepted;
    accepted->other = dialled;
    accepted->is_stalled = dialled->is_stalled;
}

void world_conn_open(struct sl_conn *conn)
{
    conn->is_open = true;
    await(conn);
}

/* ---- asked ---- */

bool sl_conn_is_secure(const struct sl_conn *conn)
{
    (void)conn;
    return false;
}

const char *sl_conn_identity(struct sl_conn *conn)
{
    (void)conn;
    return NULL;
}

const char *sl_conn_peer(const struct sl_conn *conn)
{
    return conn->is_open ? conn->name : "";
}

void sl_conn_set_events(struct sl_conn *conn, const struct sl_conn_events *events, void *arg)
{
    conn->events = events;
    conn->arg = arg;
}
