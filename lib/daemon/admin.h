/* admin.h - the admin listener: plain HTTP on a loopback address.
 *
 *     GET /metrics    what `render` makes; 503 when it cannot
 *     GET /healthz    200 while `is_healthy`, else 503 with the reason
 *
 * libmicrohttpd serves on a thread of its own; both functions are called on that thread. At most
 * SL_ADMIN_MAX_CONNECTIONS connections, each ended after SL_ADMIN_IDLE_S seconds of silence. A page
 * of more than SL_ADMIN_MAX_PAGE_BYTES is not sent, and while SL_ADMIN_MAX_PAGES of them wait for
 * their readers no further one is made: both are a 503.
 */
#ifndef SLUICE_DAEMON_ADMIN_H
#define SLUICE_DAEMON_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "net/net.h"

enum {
    SL_ADMIN_MAX_CONNECTIONS = 32,
    SL_ADMIN_IDLE_S = 10,
    SL_ADMIN_CONNECTION_BYTES = 16 * 1024, /* memory of one connection, its request included */
    SL_ADMIN_MAX_PAGE_BYTES = 64 * 1024 * 1024,
    SL_ADMIN_MAX_PAGES = 2, /* of /metrics, in memory at once */
};

struct sl_admin;

struct sl_admin_pages {
    bool (*render)(struct sl_buf *out, void *arg);
    bool (*is_healthy)(struct sl_buf *why, void *arg);
};

/* `address` is a loopback address in numbers ("127.0.0.1", "::1") or "localhost"; any other is
 * refused. Port 0 takes a free one. NULL: `why`. */
struct sl_admin *sl_admin_open(const struct sl_address *address, const struct sl_admin_pages *pages,
                               void *arg, struct sl_status *why) SL_MUST_CHECK;
uint16_t sl_admin_port(const struct sl_admin *admin);

/* Waits for requests under way. NULL is nothing. */
void sl_admin_close(struct sl_admin *admin);

#endif
