/* helloworld.Greeter: the greeter of the tutorials, which also shows metadata.
 *
 * "accept-language" of the request chooses the words, "content-language" ahead of the reply says
 * which they are; "ticket-bin" comes back as it was, behind the reply. A client with a certificate
 * is told in "greeted-as" who it was taken for. */
#include <stdio.h>
#include <stdlib.h>

#include "helloworld.pb-c.h"
#include "helloworld.services.h"
#include "services.h"

typedef Helloworld__HelloRequest Request;
typedef Helloworld__HelloReply Reply;

static const struct language {
    const char *code;
    const char *hello;
    const char *again;
} languages[] = {
    {"en", "Hello", "Hello again"}, /* the first is for those who do not say */
    {"de", "Hallo", "Hallo nochmal"},
    {"it", "Ciao", "Ciao di nuovo"},
};

static const struct language *find_language(struct sl_str code)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(languages); i++) {
        if (sl_str_eq_c(code, languages[i].code)) {
            return &languages[i];
        }
    }
    return &languages[0];
}

static void respond(struct sl_grpc_call *call, const struct language *language)
{
    const struct sl_grpc_peer *peer = sl_grpc_call_peer(call);
    bool has_identity = peer && peer->identity;
    struct sl_grpc_field fields[] = {
        {.name = SL_STR("content-language"), .value = sl_str_from(language->code)},
        {.name = SL_STR("greeted-as"), .value = sl_str_from(has_identity ? peer->identity : NULL)},
    };

    sl_grpc_call_respond(call, fields, has_identity ? 2 : 1);
}

static void end(struct sl_grpc_call *call)
{
    const struct sl_grpc_field ticket = {
        .name = SL_STR("ticket-bin"),
        .value = sl_grpc_metadata_find(sl_grpc_call_headers(call), "ticket-bin"),
    };
    const struct sl_grpc_end ok = {.trailers = &ticket, .trailer_count = ticket.value.len > 0};

    sl_grpc_call_finish_with(call, &ok);
}

static enum sl_grpc_take greet(struct sl_grpc_call *call, const ProtobufCMessage *message,
                               bool is_again)
{
    const Request *request = (const Request *)message;
    const struct language *language =
        find_language(sl_grpc_metadata_find(sl_grpc_call_headers(call), "accept-language"));
    Reply answer = HELLOWORLD__HELLO_REPLY__INIT;

    if (!*request->name) {
        return refuse(call, SL_INVALID_ARGUMENT, "an empty name");
    }
    if (asprintf(&answer.message, "%s, %s!", is_again ? language->again : language->hello,
                 request->name) < 0) {
        return refuse(call, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    respond(call, language);
    if (sl_grpc_call_send(call, &answer.base) == SL_GRPC_SENT) {
        end(call);
    }
    free(answer.message);
    return SL_GRPC_TAKEN;
}

static enum sl_grpc_take on_say_hello(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                      void *arg)
{
    (void)arg;
    return greet(call, message, false);
}

static enum sl_grpc_take on_say_hello_again(struct sl_grpc_call *call,
                                            const ProtobufCMessage *message, void *arg)
{
    (void)arg;
    return greet(call, message, true);
}

static void say_hello(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {.on_message = on_say_hello};

    sl_grpc_call_set_events(call, &events, arg);
}

static void say_hello_again(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {.on_message = on_say_hello_again};

    sl_grpc_call_set_events(call, &events, arg);
}

const struct sl_grpc_handler greeter_handlers[] = {
    {&helloworld__greeter__methods[HELLOWORLD__GREETER__SAY_HELLO], say_hello},
    {&helloworld__greeter__methods[HELLOWORLD__GREETER__SAY_HELLO_AGAIN], say_hello_again},
    {NULL, NULL},
};
