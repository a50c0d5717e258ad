/* internal.h - a connection as conn.c, dial.c and listener.c see it.
 *
 * The libuv handle of a connection is initialised as long as the connection lives, so that closing
 * it always has a callback to come: on_close is told there, and the memory freed.
 */
#ifndef SLUICE_NET_INTERNAL_H
#define SLUICE_NET_INTERNAL_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

#include "net/net.h"

enum { SL_NET_NAME_BYTES = 80 }; /* "[v6%interface]:port" */

struct sl_dial;
struct sl_read_buffer;

struct sl_conn {
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct sl_read_buffer *buffer; /* counted */
    const struct sl_conn_events *events;
    void *arg;
    struct sl_dial *dial;  /* NULL unless it is being dialled */
    struct sl_status why;  /* of the close */
    size_t pending_writes; /* at libuv */
    bool is_open;
    bool is_closing;
    bool is_paused;
    bool is_reading;
    bool wants_drain;
    char peer[SL_NET_NAME_BYTES];
};

/* A connection with an unconnected handle. NULL when memory is out. */
struct sl_conn *sl_conn_new(struct sl_loop *loop) SL_MUST_CHECK;

/* The handle is connected: learns the peer's name. */
void sl_conn_stands(struct sl_conn *conn);

/* Starts or stops reading as the state asks for. */
void sl_conn_update_reading(struct sl_conn *conn);

/* Closes for the reason `why`. */
void sl_conn_fail(struct sl_conn *conn, const struct sl_status *why);

/* Closes the handle to try again with a new one: sl_dial_next follows. */
void sl_conn_renew(struct sl_conn *conn);

void sl_dial_next(struct sl_dial *dial);
void sl_dial_free(struct sl_dial *dial); /* NULL is nothing; a running resolution ends by itself */

/* "127.0.0.1:57400" */
void sl_net_name(const struct sockaddr *address, socklen_t len, char name[SL_NET_NAME_BYTES]);

/* UNAVAILABLE, "connect 127.0.0.1:57400: connection refused". `error` is libuv's, negative. */
struct sl_status sl_net_error(const char *verb, const char *name, int error);

#endif
