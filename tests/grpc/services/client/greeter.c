/* helloworld.Greeter: a unary call with events, and the metadata that comes with the answer. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "helloworld.pb-c.h"
#include "helloworld.services.h"

struct greeting {
    struct client *client;
    Helloworld__HelloRequest message;
};

static void print_metadata(const char *kind, const struct sl_grpc_metadata *metadata)
{
    struct sl_grpc_field field;

    for (size_t at = 0; sl_grpc_metadata_next(metadata, &at, &field);) {
        bool is_binary = memmem(field.name.data, field.name.len, "-bin", 4) != NULL;
        printf("%s %.*s=", kind, SL_STR_ARG(field.name));
        for (size_t i = 0; i < field.value.len; i++) {
            printf(is_binary ? "%02x" : "%c", (unsigned char)field.value.data[i]);
        }
        putchar('\n');
    }
}

static void send_name(struct sl_grpc_call *call, void *arg)
{
    const struct greeting *greeting = arg;

    if (sl_grpc_call_send(call, &greeting->message.base) == SL_GRPC_SENT) {
        sl_grpc_call_half_close(call);
    }
}

static void on_headers(struct sl_grpc_call *call, void *arg)
{
    (void)arg;
    print_metadata("header", sl_grpc_call_headers(call));
}

static enum sl_grpc_take on_reply(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    (void)call;
    (void)arg;
    puts(((const Helloworld__HelloReply *)message)->message);
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    print_metadata("trailer", sl_grpc_call_trailers(call));
    end_call(call, status, arg);
}

static struct sl_status greet(struct client *client, const struct sl_grpc_request *request,
                              char **words)
{
    static const struct sl_grpc_call_events events = {
        .on_writable = send_name,
        .on_headers = on_headers,
        .on_message = on_reply,
        .on_status = on_status,
    };
    struct greeting greeting = {client, HELLOWORLD__HELLO_REQUEST__INIT};

    greeting.message.name = words[0];
    return run_call(client, request, &events, &greeting);
}

const struct command greeter_commands[] = {
    {&helloworld__greeter__methods[HELLOWORLD__GREETER__SAY_HELLO], NULL, "NAME", 1, 1, greet},
    {&helloworld__greeter__methods[HELLOWORLD__GREETER__SAY_HELLO_AGAIN], NULL, "NAME", 1, 1,
     greet},
    {NULL, NULL, NULL, 0, 0, NULL},
};
