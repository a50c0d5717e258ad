/* services.h - the sample services, and the few words that their handlers share.
 *
 * A service is a table of handlers, one for each method of the table that the build makes of its
 * .proto file, and an object that all its calls have in common, where it needs one. They show how
 * lib/grpc is meant to be used:
 *
 *     hello.c          the four kinds of call, each as short as it can be
 *     greeter.c        metadata: the request's, ahead of the reply and behind it; who the peer is
 *     user_manager.c   errors as status; two replies for each message
 *     chat_room.c      one sender, many readers, some of which do not read
 *     route_guide.c    streams over a database
 *     yes.c            a stream without end
 */
#ifndef SLUICE_SERVICES_H
#define SLUICE_SERVICES_H

#include "grpc/call.h"
#include "loop/loop.h"

extern const struct sl_grpc_handler hello_handlers[];
extern const struct sl_grpc_handler greeter_handlers[];
extern const struct sl_grpc_handler user_manager_handlers[];
extern const struct sl_grpc_handler chat_room_handlers[];   /* arg: a chat room */
extern const struct sl_grpc_handler route_guide_handlers[]; /* arg: a route guide */
extern const struct sl_grpc_handler yes_handlers[];

/* Freed when no call is left. NULL when memory is out. */
struct chat_room;
struct chat_room *chat_room_new(void) SL_MUST_CHECK;
void chat_room_free(struct chat_room *room); /* NULL is nothing */

/* `features` is the name of the file with the places. NULL on failure, with the reason in `why`. */
struct route_guide;
struct route_guide *route_guide_new(const struct sl_loop *loop, const char *features,
                                    struct sl_status *why) SL_MUST_CHECK;
void route_guide_free(struct route_guide *guide); /* NULL is nothing */

/* reply.c */

/* Ends the call with OK, behind what was sent. */
void finish(struct sl_grpc_call *call);

/* One message and OK: what a unary handler ends with. */
void reply(struct sl_grpc_call *call, const ProtobufCMessage *message);

/* Ends the call with an error, and says that the message at hand is done with. */
enum sl_grpc_take refuse(struct sl_grpc_call *call, enum sl_code code, const char *text);

/* What to say of the message at hand after a reply was sent for it. FULL: HOLD, it is offered again
 * when the reply has room. */
enum sl_grpc_take taken_if(enum sl_grpc_send sent);

/* For `on_writable` of a handler that says HOLD when it may not send. */
void resume(struct sl_grpc_call *call, void *arg);

/* For `on_half_close` of a handler that has answered everything by then. */
void finish_on_half_close(struct sl_grpc_call *call, void *arg);

/* Zeroed memory of one call, its events' `arg`. NULL when memory is out: then the call is over. */
void *open_call(struct sl_grpc_call *call, const struct sl_grpc_call_events *events, size_t size);

/* For `on_status` of a call whose memory holds nothing else. */
void free_call(struct sl_grpc_call *call, const struct sl_status *status, void *arg);

#endif
