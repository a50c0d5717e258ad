/* words.h - what a connection's names and ends are called. */
#ifndef SLUICE_NET_WORDS_H
#define SLUICE_NET_WORDS_H

#include <sys/socket.h>

#include "base/status.h"

enum { SL_NET_NAME_BYTES = 128 }; /* "[v6%interface]:port", "unix-abstract:name" */

/* "127.0.0.1:57400" */
void sl_net_name(const struct sockaddr *address, socklen_t len, char name[SL_NET_NAME_BYTES]);

/* UNAVAILABLE: the peer ended the connection in good order. */
struct sl_status sl_net_closed(void);

/* UNAVAILABLE, "connect 127.0.0.1:57400: connection refused". `error` is libuv's, negative. */
struct sl_status sl_net_error(const char *verb, const char *name, int error);

#endif
