/* client.h - services-client: a command for each method of the sample services.
 *
 * The commands show both forms in which lib/grpc makes calls: the blocking one (grpc/blocking.h),
 * which reads like a script, and the one with events, where what is sent depends on what comes
 * (greeter.c for metadata, bidirectional ones, the crowd and the load).
 */
#ifndef SLUICE_SERVICES_CLIENT_H
#define SLUICE_SERVICES_CLIENT_H

#include "grpc/blocking.h"
#include "grpc/channel.h"
#include "loop/loop.h"

struct client {
    struct sl_loop *loop;
    struct sl_grpc_channel_options options; /* of further channels */
    struct sl_grpc_channel *channel;
    struct sl_status outcome; /* of run_call */
};

struct command {
    const struct sl_grpc_method *method;
    const char *name;  /* NULL: the method's path without its first slash */
    const char *words; /* as the usage has them */
    int min_words;
    int max_words;
    /* `request` has the method, and the metadata and deadline of the command line. `words` ends
     * with NULL. Returns the call's outcome. */
    struct sl_status (*run)(struct client *client, const struct sl_grpc_request *request,
                            char **words);
};

/* Each ends with one whose method is NULL. */
extern const struct command hello_commands[];
extern const struct command greeter_commands[];
extern const struct command user_manager_commands[];
extern const struct command chat_room_commands[];
extern const struct command route_guide_commands[];
extern const struct command yes_commands[];
extern const struct command load_commands[];

enum { ANY_WORDS = 100 * 1000 };

/* call.c */

typedef void (*print_fn)(const ProtobufCMessage *message);

/* Blocking: a message out, what comes back printed. For methods that send one message. */
struct sl_status ask(struct client *client, const struct sl_grpc_request *request,
                     const ProtobufCMessage *question, print_fn print);

/* Blocking: half-closes, prints what is left to come, closes. NULL: it was never opened. */
struct sl_status finish(struct sl_grpc_blocking *call, print_fn print);

/* With events: opens a call, begins to send by its on_writable, runs the loop until it has ended
 * with `end_call` as its on_status. */
struct sl_status run_call(struct client *client, const struct sl_grpc_request *request,
                          const struct sl_grpc_call_events *events, void *arg);

/* The first member of the `arg` of such a call is its client. */
void end_call(struct sl_grpc_call *call, const struct sl_status *status, void *arg);

/* `count` channels to the server, to be closed; NULL: memory. */
struct sl_grpc_channel **open_channels(struct client *client, size_t count) SL_MUST_CHECK;
void close_channels(struct sl_grpc_channel **channels, size_t count);

/* The number that a word is; complains and exits where it is none. */
int64_t to_number(const char *word);

#endif
