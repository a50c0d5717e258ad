/* address.h - where somebody listens: a host and port, or a socket of the file system.
 *
 * As text, in the words of gRPC's naming document (github.com/grpc/grpc doc/naming.md):
 *
 *     host:port  host  [v6]:port  [v6]       a name or an IP address; v6 may have a %zone
 *     unix:path  unix:///absolute/path       a unix socket
 *     unix-abstract:name                     one of Linux's, which no file stands for
 */
#ifndef SLUICE_NET_ADDRESS_H
#define SLUICE_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"

enum {
    SL_ADDRESS_UNIX_BYTES = 107, /* of a path or an abstract name: what the system has room for */
    SL_ADDRESS_TEXT_BYTES = 280,
};

enum sl_address_kind {
    SL_ADDRESS_HOST,
    SL_ADDRESS_UNIX,
    SL_ADDRESS_ABSTRACT,
    /* Nowhere: who wants to get there has the listener itself (sl_dial_options.listener). No text
     * says this one. */
    SL_ADDRESS_PRIVATE,
};

struct sl_address {
    enum sl_address_kind kind;
    char host[256]; /* v6 without its brackets; the path, or the abstract name */
    uint16_t port;  /* of a host; may be 0 for listeners, a dial to it fails */
};

/* Takes `text` apart; without a port it is `default_port`. */
bool sl_address_parse(const char *text, uint16_t default_port,
                      struct sl_address *address) SL_MUST_CHECK;

/* False when there can be no such socket, a path that is too long: `why` says so
 * (INVALID_ARGUMENT). Dials and listeners ask by themselves. */
bool sl_address_check(const struct sl_address *address, struct sl_status *why) SL_MUST_CHECK;

/* As text that can be parsed again: "127.0.0.1:57400", "[::1]:57400", "unix:/run/x.sock". */
void sl_address_print(const struct sl_address *address, char text[SL_ADDRESS_TEXT_BYTES]);

/* A unix socket of any kind. */
static inline bool sl_address_is_unix(const struct sl_address *address)
{
    return address->kind != SL_ADDRESS_HOST;
}

/* A host name, or an IP address without brackets. */
bool sl_host_is_valid(const char *text) SL_MUST_CHECK;

#endif
