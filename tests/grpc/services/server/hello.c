/* HelloService: one method of each kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "hello.pb-c.h"
#include "hello.services.h"
#include "services.h"

typedef Sluice__Test__HelloRequest Request;
typedef Sluice__Test__HelloResponse Response;

enum { MAX_NAMES_BYTES = 64 * 1024 };

static enum sl_grpc_send greet(struct sl_grpc_call *call, struct sl_str name)
{
    Response response = SLUICE__TEST__HELLO_RESPONSE__INIT;
    enum sl_grpc_send sent;

    if (asprintf(&response.reply, "Hello, %.*s!", SL_STR_ARG(name)) < 0) {
        refuse(call, SL_RESOURCE_EXHAUSTED, "out of memory");
        return SL_GRPC_CLOSED;
    }
    sent = sl_grpc_call_send(call, &response.base);
    free(response.reply);
    return sent;
}

/* ---- unary: a message in, a message out ---- */

static enum sl_grpc_take on_say_hello(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                      void *arg)
{
    const Request *request = (const Request *)message;

    (void)arg;
    if (!*request->greeting) {
        return refuse(call, SL_INVALID_ARGUMENT, "an empty greeting");
    }
    if (greet(call, sl_str_from(request->greeting)) == SL_GRPC_SENT) {
        finish(call);
    }
    return SL_GRPC_TAKEN;
}

static void say_hello(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {.on_message = on_say_hello};

    sl_grpc_call_set_events(call, &events, arg);
}

/* ---- server streaming: what is left to say waits here until there is room for it ---- */

struct words {
    char *text;
    const char *next;
};

static void send_words(struct sl_grpc_call *call, void *arg)
{
    struct words *words = arg;

    if (!words->next) {
        return; /* the request is not in yet */
    }
    while (*(words->next += strspn(words->next, " "))) {
        struct sl_str word = {words->next, strcspn(words->next, " ")};
        if (greet(call, word) != SL_GRPC_SENT) {
            return; /* full: on_writable comes here again */
        }
        words->next += word.len;
    }
    finish(call);
}

static enum sl_grpc_take on_words(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    struct words *words = arg;

    words->text = strdup(((const Request *)message)->greeting);
    words->next = words->text;
    if (!words->text) {
        return refuse(call, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    send_words(call, words);
    return SL_GRPC_TAKEN;
}

static void free_words(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct words *words = arg;

    free(words->text);
    free_call(call, status, words);
}

static void lots_of_replies(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_words,
        .on_writable = send_words,
        .on_status = free_words,
    };

    (void)arg;
    open_call(call, &events, sizeof(struct words));
}

/* ---- client streaming: collect, and answer at the end ---- */

static enum sl_grpc_take on_name(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    struct sl_buf *names = arg;

    sl_buf_add_c(names, names->len ? ", " : "");
    sl_buf_add_c(names, ((const Request *)message)->greeting);
    return names->failed ? refuse(call, SL_RESOURCE_EXHAUSTED, "too many names") : SL_GRPC_TAKEN;
}

static void on_all_names(struct sl_grpc_call *call, void *arg)
{
    const struct sl_buf *names = arg;

    if (!names->len) {
        refuse(call, SL_INVALID_ARGUMENT, "nobody to greet");
    } else if (greet(call, sl_buf_str(names)) == SL_GRPC_SENT) {
        finish(call);
    }
}

static void free_names(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    sl_buf_fini(arg);
    free_call(call, status, arg);
}

static void lots_of_greetings(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_name,
        .on_half_close = on_all_names,
        .on_status = free_names,
    };
    struct sl_buf *names = open_call(call, &events, sizeof(*names));

    (void)arg;
    if (names) {
        sl_buf_init(names, MAX_NAMES_BYTES);
    }
}

/* ---- bidirectional: no more is read than can be answered ---- */

static enum sl_grpc_take on_greeting(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                     void *arg)
{
    (void)arg;
    return taken_if(greet(call, sl_str_from(((const Request *)message)->greeting)));
}

static void bidi_hello(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_greeting,
        .on_writable = resume,
        .on_half_close = finish_on_half_close,
    };

    sl_grpc_call_set_events(call, &events, arg);
}

#define METHOD(name) &sluice__test__hello_service__methods[SLUICE__TEST__HELLO_SERVICE__##name]

const struct sl_grpc_handler hello_handlers[] = {
    {METHOD(SAY_HELLO), say_hello},
    {METHOD(LOTS_OF_REPLIES), lots_of_replies},
    {METHOD(LOTS_OF_GREETINGS), lots_of_greetings},
    {METHOD(BIDI_HELLO), bidi_hello},
    {NULL, NULL},
};
