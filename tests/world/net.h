/* net.h - a connection as net.c and net_dial.c see it. */
#ifndef SLUICE_TESTS_WORLD_NET_H
#define SLUICE_TESTS_WORLD_NET_H

#include "base/ring.h"
#include "net/crowd.h"
#include "net/net.h"
#include "net/words.h"
#include "world/internal.h"

enum world_wire_end { WORLD_WIRE_GOES_ON, WORLD_WIRE_ENDS, WORLD_WIRE_IS_RESET };

/* Bytes that travel together. */
struct world_piece {
    int64_t due_ns;
    size_t len;
};

/* What is on its way to one end, or has arrived there and is not read. */
struct world_wire {
    struct sl_ring bytes;
    struct sl_ring pieces;    /* struct world_piece, but for the first */
    struct world_piece first; /* the next to arrive; len 0: none */
    size_t arrived;           /* of `bytes` */
    int64_t free_ns;          /* from then on the line takes more */
    int64_t last_ns;          /* nothing arrives before what was sent before it */
    enum world_wire_end end;
    int64_t end_ns;
};

/* The way to an address; a connection points at it while it stands. */
struct world_way {
    struct world_link link;
    uint64_t conns; /* made so far */
    struct sl_list node;
    char name[];
};

struct sl_conn {
    uint64_t id;
    struct sl_loop *loop;
    struct world_way *way;
    const struct sl_conn_events *events;
    void *arg;
    struct sl_conn *other;        /* NULL: not connected, or its end is on its way */
    struct sl_guest *guest;       /* NULL unless it was accepted */
    struct sl_listener *listener; /* of a private address, while it is being dialled */
    struct sl_address *address;   /* on the heap, while it is being dialled */
    struct sl_status why;         /* of the end */
    struct sl_status cannot;      /* an error: what it asks for is not in this world */
    struct world_wire in;         /* to this end */
    struct sl_ring unsent;        /* what the wire did not take */
    struct world_event arrival;   /* something can be read */
    struct world_event drain;     /* there is room for what is unsent */
    struct world_event step;      /* of dialling: the next one */
    struct world_event death;     /* nobody answers any more */
    struct world_ending ending;
    struct world_random random;
    bool has_dialled;
    bool is_connected; /* the other end took it */
    bool is_open;
    bool is_closing;
    bool is_paused;
    bool is_stalled;
    bool wants_drain;
    char name[SL_NET_NAME_BYTES]; /* of the other end */
};

/* An end of a connection by `way`, not connected. NULL when memory is out. */
struct sl_conn *world_conn_new(struct sl_loop *loop, struct world_way *way) SL_MUST_CHECK;

/* The two are ends of one connection, from now on. */
void world_conn_join(struct sl_conn *dialled, struct sl_conn *accepted);

/* Hangs up on `conn`: the end is on its way. */
void world_conn_hang_up(struct sl_conn *conn, enum world_wire_end end);

/* It may be read from now on. */
void world_conn_open(struct sl_conn *conn);

/* Ends for the reason `why`; the other end gets `end`. */
void world_conn_fail(struct sl_conn *conn, const struct sl_status *why, enum world_wire_end end);

/* Nobody has answered for too long. */
void world_conn_die(struct sl_conn *conn);

/* How long the next bytes from this end travel. */
int64_t world_conn_travel_ns(struct sl_conn *conn);

/* net_dial.c: what is left of a dial that is over. */
void world_dial_forget(struct sl_conn *conn);
void world_dial_heal(struct sl_conn *conn);

#endif
