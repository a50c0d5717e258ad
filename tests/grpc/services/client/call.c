#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"

static struct sl_status no_call(void)
{
    return sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a call");
}

static void print_and_free(ProtobufCMessage *message, print_fn print)
{
    print(message);
    fflush(stdout);
    protobuf_c_message_free_unpacked(message, NULL);
}

struct sl_status ask(struct client *client, const struct sl_grpc_request *request,
                     const ProtobufCMessage *question, print_fn print)
{
    struct sl_grpc_blocking *call;
    ProtobufCMessage *answer = NULL;
    struct sl_status status;

    if (request->method->server_streams) {
        call = sl_grpc_blocking_open(client->channel, request);
        if (call && !sl_grpc_blocking_send(call, question)) {
            return sl_grpc_blocking_close(call);
        }
        return finish(call, print);
    }
    status = sl_grpc_blocking_unary(client->channel, request, question, &answer);
    if (answer) {
        print_and_free(answer, print);
    }
    return status;
}

struct sl_status finish(struct sl_grpc_blocking *call, print_fn print)
{
    ProtobufCMessage *message;

    if (!call) {
        return no_call();
    }
    sl_grpc_blocking_half_close(call);
    while ((message = sl_grpc_blocking_receive(call))) {
        print_and_free(message, print);
    }
    return sl_grpc_blocking_close(call);
}

struct sl_status run_call(struct client *client, const struct sl_grpc_request *request,
                          const struct sl_grpc_call_events *events, void *arg)
{
    struct sl_grpc_call *call = sl_grpc_channel_call(client->channel, request, events, arg);

    if (!call) {
        return no_call();
    }
    if (events->on_writable) {
        events->on_writable(call, arg);
    }
    sl_loop_run(client->loop);
    return client->outcome;
}

void end_call(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct client *client = *(struct client **)arg;

    (void)call;
    client->outcome = *status;
    sl_loop_stop(client->loop);
}

struct sl_grpc_channel **open_channels(struct client *client, size_t count)
{
    struct sl_grpc_channel **channels = calloc(count + 1, sizeof(struct sl_grpc_channel *));
    size_t opened = 0;

    while (channels && opened < count &&
           (channels[opened] = sl_grpc_channel_open(&client->options))) {
        opened++;
    }
    if (opened < count) {
        close_channels(channels, opened);
        return NULL;
    }
    return channels;
}

void close_channels(struct sl_grpc_channel **channels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sl_grpc_blocking_close_channel(channels[i]);
    }
    free(channels);
}

int64_t to_number(const char *word)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(word, &end, 10);
    if (errno || end == word || *end) {
        fprintf(stderr, "services-client: '%s' is not a number\n", word);
        exit(EXIT_FAILURE);
    }
    return number;
}
