/* blocking.h - calls without events, for command-line tools: each function runs the loop until what
 * was asked for is there.
 *
 * Between two functions nothing runs, so this is for programs that do nothing else meanwhile, and
 * never for a function that a loop called. Other things on the same loop go on while one runs, a
 * signal's handler too: when somebody stops the loop (sl_loop_stop), the call that is waited for is
 * cancelled. At most one message is kept that nobody asked for; the server is held back by its
 * window. The deadline of the request holds at every step.
 *
 * A call of each kind (tests/unit/grpc/example_test.c):
 *
 *     typedef Sluice__Test__HelloRequest Request;
 *     typedef Sluice__Test__HelloResponse Response;
 *
 *     #define HELLO(name) SLUICE__TEST__HELLO_SERVICE__##name
 *
 *     static const struct sl_grpc_method *const methods = sluice__test__hello_service__methods;
 *
 *     static Request hello(char *name)
 *     {
 *         Request request = SLUICE__TEST__HELLO_REQUEST__INIT;
 *
 *         request.greeting = name;
 *         return request;
 *     }
 *
 *     static void take(ProtobufCMessage *answer)
 *     {
 *         say(((Response *)answer)->reply);
 *         protobuf_c_message_free_unpacked(answer, NULL);
 *     }
 *
 *     static struct sl_status ask_once(struct sl_grpc_channel *channel)
 *     {
 *         const struct sl_grpc_request request = {.method = &methods[HELLO(SAY_HELLO)],
 *                                                 .timeout_ns = 5 * SL_NS_PER_S};
 *         Request ada = hello("Ada");
 *         ProtobufCMessage *answer;
 *         struct sl_status status = sl_grpc_blocking_unary(channel, &request, &ada.base, &answer);
 *
 *         if (sl_status_is_ok(&status)) {
 *             take(answer);
 *         }
 *         return status;
 *     }
 *
 *     static struct sl_status hear_many(struct sl_grpc_channel *channel)
 *     {
 *         const struct sl_grpc_request request = {.method = &methods[HELLO(LOTS_OF_REPLIES)]};
 *         struct sl_grpc_blocking *call = sl_grpc_blocking_open(channel, &request);
 *         Request both = hello("Ada Grace");
 *         ProtobufCMessage *answer;
 *
 *         if (!call) {
 *             return sl_status_error(SL_RESOURCE_EXHAUSTED, "no call");
 *         }
 *         if (sl_grpc_blocking_send(call, &both.base)) {
 *             sl_grpc_blocking_half_close(call);
 *         }
 *         while ((answer = sl_grpc_blocking_receive(call))) {
 *             take(answer);
 *         }
 *         return sl_grpc_blocking_close(call);
 *     }
 *
 *     static struct sl_status say_many(struct sl_grpc_channel *channel)
 *     {
 *         const struct sl_grpc_request request = {.method = &methods[HELLO(LOTS_OF_GREETINGS)]};
 *         struct sl_grpc_blocking *call = sl_grpc_blocking_open(channel, &request);
 *         Request ada = hello("Ada");
 *         bool is_sent = call != NULL;
 *         ProtobufCMessage *answer;
 *
 *         if (!call) {
 *             return sl_status_error(SL_RESOURCE_EXHAUSTED, "no call");
 *         }
 *         for (int i = 0; i < 3 && is_sent; i++) {
 *             is_sent = sl_grpc_blocking_send(call, &ada.base);
 *         }
 *         sl_grpc_blocking_half_close(call);
 *         answer = sl_grpc_blocking_receive(call);
 *         if (answer) {
 *             take(answer);
 *         }
 *         return sl_grpc_blocking_close(call);
 *     }
 *
 *     static struct sl_status talk(struct sl_grpc_channel *channel)
 *     {
 *         const struct sl_grpc_request request = {.method = &methods[HELLO(BIDI_HELLO)]};
 *         struct sl_grpc_blocking *call = sl_grpc_blocking_open(channel, &request);
 *         Request turns[] = {hello("Ada"), hello("Grace")};
 *         ProtobufCMessage *answer;
 *
 *         if (!call) {
 *             return sl_status_error(SL_RESOURCE_EXHAUSTED, "no call");
 *         }
 *         for (size_t i = 0; i < 2 && sl_grpc_blocking_send(call, &turns[i].base); i++) {
 *             answer = sl_grpc_blocking_receive(call);
 *             if (answer) {
 *                 take(answer);
 *             }
 *         }
 *         sl_grpc_blocking_half_close(call);
 *         while ((answer = sl_grpc_blocking_receive(call))) {
 *             take(answer);
 *         }
 *         return sl_grpc_blocking_close(call);
 *     }
 */
#ifndef SLUICE_GRPC_BLOCKING_H
#define SLUICE_GRPC_BLOCKING_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"
#include "grpc/channel.h"

struct sl_grpc_blocking;

/* One message out, one back. OK: `*output` is the caller's (protobuf_c_message_free_unpacked).
 * Otherwise it is NULL. */
struct sl_status sl_grpc_blocking_unary(struct sl_grpc_channel *channel,
                                        const struct sl_grpc_request *request,
                                        const ProtobufCMessage *input,
                                        ProtobufCMessage **output) SL_MUST_CHECK;

/* A call of any kind; to be closed. NULL where sl_grpc_channel_call gives none. */
struct sl_grpc_blocking *sl_grpc_blocking_open(struct sl_grpc_channel *channel,
                                               const struct sl_grpc_request *request) SL_MUST_CHECK;

/* Waits for room in the send buffer. False: the call is over, or this side half-closed. */
bool sl_grpc_blocking_send(struct sl_grpc_blocking *blocking,
                           const ProtobufCMessage *message) SL_MUST_CHECK;

void sl_grpc_blocking_half_close(struct sl_grpc_blocking *blocking);

/* The next message, the caller's. NULL: there are no more, and sl_grpc_blocking_close says why.
 * Where the method answers with one message, it comes when the call has ended. */
ProtobufCMessage *sl_grpc_blocking_receive(struct sl_grpc_blocking *blocking) SL_MUST_CHECK;

/* The call's outcome. Where it goes on, because not everything was received, it is cancelled. */
struct sl_status sl_grpc_blocking_close(struct sl_grpc_blocking *blocking);

/* sl_grpc_channel_close, and returns when the channel is gone. */
void sl_grpc_blocking_close_channel(struct sl_grpc_channel *channel);

#endif
