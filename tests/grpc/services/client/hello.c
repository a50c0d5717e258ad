/* HelloService: each kind of call in the blocking form, the bidirectional one with events. */
#include <stdio.h>

#include "client.h"
#include "hello.pb-c.h"
#include "hello.services.h"

typedef Sluice__Test__HelloRequest Request;
typedef Sluice__Test__HelloResponse Response;

static Request to_request(char *greeting)
{
    Request request = SLUICE__TEST__HELLO_REQUEST__INIT;

    request.greeting = greeting;
    return request;
}

static void print_reply(const ProtobufCMessage *message)
{
    puts(((const Response *)message)->reply);
}

/* SayHello and LotsOfReplies: one message goes out. */
static struct sl_status say(struct client *client, const struct sl_grpc_request *request,
                            char **words)
{
    const Request message = to_request(words[0]);

    return ask(client, request, &message.base, print_reply);
}

static struct sl_status lots_of_greetings(struct client *client,
                                          const struct sl_grpc_request *request, char **words)
{
    struct sl_grpc_blocking *call = sl_grpc_blocking_open(client->channel, request);

    for (; call && *words; words++) {
        const Request message = to_request(*words);
        if (!sl_grpc_blocking_send(call, &message.base)) {
            break; /* it is over: its outcome says why */
        }
    }
    return finish(call, print_reply);
}

/* ---- both directions at once: sends what there is room for, whatever has come back ---- */

struct conversation {
    struct client *client;
    char **words;
};

static void send_words(struct sl_grpc_call *call, void *arg)
{
    struct conversation *conversation = arg;

    for (; *conversation->words; conversation->words++) {
        const Request message = to_request(*conversation->words);
        if (sl_grpc_call_send(call, &message.base) != SL_GRPC_SENT) {
            return; /* on_writable comes here again */
        }
    }
    sl_grpc_call_half_close(call);
}

static enum sl_grpc_take on_reply(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    (void)call;
    (void)arg;
    print_reply(message);
    return SL_GRPC_TAKEN;
}

static struct sl_status bidi_hello(struct client *client, const struct sl_grpc_request *request,
                                   char **words)
{
    static const struct sl_grpc_call_events events = {
        .on_writable = send_words,
        .on_message = on_reply,
        .on_status = end_call,
    };
    struct conversation conversation = {client, words};

    return run_call(client, request, &events, &conversation);
}

#define METHOD(name) &sluice__test__hello_service__methods[SLUICE__TEST__HELLO_SERVICE__##name]

const struct command hello_commands[] = {
    {METHOD(SAY_HELLO), NULL, "NAME", 1, 1, say},
    {METHOD(LOTS_OF_REPLIES), NULL, "NAMES", 1, 1, say},
    {METHOD(LOTS_OF_GREETINGS), NULL, "NAME...", 0, ANY_WORDS, lots_of_greetings},
    {METHOD(BIDI_HELLO), NULL, "NAME...", 0, ANY_WORDS, bidi_hello},
    {NULL, NULL, NULL, 0, 0, NULL},
};
