/* fixture.h - a loop with a listener on loopback, and ends of connections that count their events.
 *
 * An end may be told to close itself in one of its events. The world's guard fails what hangs.
 */
#ifndef SLUICE_TESTS_UNIT_NET_FIXTURE_H
#define SLUICE_TESTS_UNIT_NET_FIXTURE_H

#include "test.h"

#include "net/net.h"

enum event { NONE, ON_ACCEPT, ON_OPEN, ON_READ, ON_DRAIN, ON_CLOSE };

struct world;

struct end {
    struct world *world;
    struct sl_conn *conn; /* NULL once it is closed */
    enum event close_at;
    enum event stop_at;
    unsigned opens, drains, closes;
    size_t read_bytes;
    size_t wanted_bytes; /* with stop_at ON_READ: when so many came */
    size_t to_write;     /* pattern bytes, until false, then on each drain */
    size_t written_bytes;
    unsigned refusals; /* writes that returned false */
    struct sl_status why;
    char peer[128];
    char identity[64]; /* "" : none */
};

enum { MAX_ACCEPTED = 300 };

struct world {
    struct sl_loop *loop;
    struct sl_timer *guard;
    struct sl_listener *listener;
    struct sl_address address; /* of the listener */
    size_t accepted;
    enum event close_accepted_at;
    struct end ends[MAX_ACCEPTED]; /* the accepted */
    size_t accepted_to_write;
    size_t wanted_accepts; /* the run stops at so many; 0: never */
    unsigned refused;      /* handshakes that failed */
    struct sl_status refused_why;
    struct sl_tls *tls;      /* of the dials */
    const char *server_name; /* that they ask for; NULL: the host */
    const struct sl_proxy *proxy;
};

void open_world(struct world *world);
void open_world_with(struct world *world, struct sl_tls *tls); /* of the listener; taken */
/* The same at `address`, with limits; both of 0 are none. */
void open_world_at(struct world *world, const char *address, struct sl_tls *tls,
                   uint32_t max_connections, uint32_t max_per_peer);
void close_world(struct world *world);

/* Runs until something stops the loop. */
void run(struct world *world);
void run_for(struct world *world, uint64_t ms);

void dial(struct world *world, struct end *end, const char *address, uint64_t timeout_ms);
void dial_listener(struct world *world, struct end *end);

/* Closes it, if it is not closed, and sees the end of it. */
void close_and_see(struct world *world, struct end *end);

/* Writes the pattern until the socket does not take all, or `to_write` is written. */
void write_on(struct end *end);

extern const struct sl_conn_events end_events;

#endif
