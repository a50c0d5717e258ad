/* house.h - a server on loopback and its guests: clients, each with a connection of its own.
 *
 * Every call of either side is a record (record.h). What hangs is failed after half a minute. */
#ifndef SLUICE_TESTS_GRPC_HOUSE_H
#define SLUICE_TESTS_GRPC_HOUSE_H

#include "grpc/record.h"

#include "grpc/server.h"
#include "h2/link.h"

enum { GUESTS = 8, SERVED = 32 };

struct house;

struct guest {
    struct house *house;
    struct sl_conn *conn; /* while it dials */
    struct sl_h2_link *link;
    struct sl_grpc_peer *peer; /* the server's side */
    struct sl_status why;
    unsigned goaways;
    bool is_closed;
    bool is_raw; /* writes bytes of its own: `conn` stays */
    struct sl_buf heard;
};

struct house {
    struct sl_loop *loop;
    struct sl_timer *tick;
    struct sl_timer *guard;
    struct sl_grpc_server_options options;
    struct sl_grpc_service_entry services[4];
    struct sl_grpc_server *server;
    struct sl_status why; /* of the open */
    struct sl_tls *client_tls;
    struct sl_grpc_context context; /* of the guests' calls */
    struct guest guests[GUESTS];
    size_t guest_count;
    struct record served[SERVED]; /* the calls that came to on_served_call */
    struct sl_grpc_call_events served_events;
    char identities[SERVED][64];
    size_t served_count;
    unsigned connected, disconnected, sent;
    unsigned refused;
    struct sl_status refused_why;
    struct sl_status last_why; /* of on_disconnected */
    bool is_server_closed;
    bool is_late;
    bool (*is_met)(struct house *house);
};

/* Handlers for "/test.Service/Method" that keep a record of each call. */
extern const struct sl_grpc_method served_method;
extern const struct sl_grpc_handler served_handlers[];

/* Opens a server of `served_handlers` and of what is in `services` from 1 on; what `options` does
 * not say itself is the house's. */
void open_house(struct house *house);
void close_house(struct house *house); /* whatever is still there */

void run_until(struct house *house, bool (*is_met)(struct house *house));
void run_turns(struct house *house, unsigned turns);

struct guest *invite(struct house *house);     /* until it is connected, or turned away */
struct guest *invite_raw(struct house *house); /* no HTTP/2 of ours at its end */
void see_off(struct guest *guest);             /* the client closes; until both sides know */

void call(struct guest *guest, struct record *record, const struct sl_grpc_method *method);

/* Conditions. */
bool is_server_closed(struct house *house);
bool are_guests_gone(struct house *house);

#endif
