/* health.h - grpc.health.v1.Health: whether the server, and each of its services, takes calls.
 *
 * A server offers it by an entry {sl_grpc_health_handlers, health}; several servers of a thread may
 * share one. A probe's Check gets the status of that moment, a Watch each change. A watcher that
 * does not read misses what came between: it has one message under way at most, and the next one
 * says how it is then. What a Watch costs is its call and a name of a limited length.
 *
 * A program that stops says so first (sl_grpc_health_shut_down), then drains its servers.
 *
 * Loop thread only.
 */
#ifndef SLUICE_GRPC_HEALTH_H
#define SLUICE_GRPC_HEALTH_H

#include <stdbool.h>

#include "base/base.h"
#include "grpc/call.h"

enum {
    SL_GRPC_HEALTH_MAX_NAME_BYTES = 256,         /* of a service */
    SL_GRPC_HEALTH_MAX_REQUEST_BYTES = 4 * 1024, /* of a message of a probe */
};

enum sl_grpc_health_status { /* the wire's numbers */
                             SL_GRPC_HEALTH_UNKNOWN = 0,
                             SL_GRPC_HEALTH_SERVING = 1,
                             SL_GRPC_HEALTH_NOT_SERVING = 2,
};

struct sl_grpc_health;

extern const struct sl_grpc_handler sl_grpc_health_handlers[];

/* The server as a whole, which is the service "", is SERVING. NULL when memory is out. */
struct sl_grpc_health *sl_grpc_health_new(void) SL_MUST_CHECK;

/* When the servers that offer it are gone. */
void sl_grpc_health_free(struct sl_grpc_health *health); /* NULL is nothing */

/* False when memory is out: then the service is as it was. After the shutdown nothing changes. */
bool sl_grpc_health_set(struct sl_grpc_health *health, const char *service,
                        enum sl_grpc_health_status status) SL_MUST_CHECK;

/* The service is none any more: NOT_FOUND to a Check, SERVICE_UNKNOWN to those who watch. */
void sl_grpc_health_remove(struct sl_grpc_health *health, const char *service);

/* Everything is NOT_SERVING from now on. Who watches hears it, and then the end of the call
 * (UNAVAILABLE), so that no watcher keeps a server from draining. */
void sl_grpc_health_shut_down(struct sl_grpc_health *health);

#endif
