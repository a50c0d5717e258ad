#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "grpc/channel.h"

static uint8_t zeros[1024 * 1024];

struct connection {
    struct client *client;
    struct sl_grpc_channel *channel;
};

struct client {
    const struct options *options;
    const struct sl_grpc_method *method;
    struct sl_loop *loop;
    struct sl_tls *tls;
    struct sl_timer *timer;
    struct connection *connections;
    int open; /* connections */
    bool is_ending;
    uint64_t calls;
    uint64_t messages;
    uint64_t bytes;
};

static void start_call(struct connection *connection);

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    void *arg)
{
    const Grpc__Testing__SimpleResponse *response = (const void *)message;
    struct client *client = ((struct connection *)arg)->client;

    (void)call;
    client->messages++;
    client->bytes += response->payload ? response->payload->body.len : 0;
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct connection *connection = arg;
    struct client *client = connection->client;

    (void)call;
    if (client->is_ending) {
        return;
    }
    if (status->code != SL_OK) {
        give_up("a call failed", status->text);
    }
    client->calls++;
    start_call(connection);
}

static const struct sl_grpc_call_events call_events = {
    .on_message = on_message,
    .on_status = on_status,
};

static void start_call(struct connection *connection)
{
    struct client *client = connection->client;
    const struct sl_grpc_request request = {.method = client->method};
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    Grpc__Testing__SimpleRequest message = GRPC__TESTING__SIMPLE_REQUEST__INIT;

    message.response_size = client->options->size;
    if (!client->options->is_stream) {
        payload.body.data = zeros;
        payload.body.len = (size_t)client->options->size;
        message.payload = &payload;
    }
    struct sl_grpc_call *call =
        sl_grpc_channel_call(connection->channel, &request, &call_events, connection);
    if (!call || sl_grpc_call_send(call, &message.base) != SL_GRPC_SENT) {
        give_up("a call", "cannot be made");
    }
    sl_grpc_call_half_close(call);
}

static void on_state(struct sl_grpc_channel *channel, enum sl_grpc_channel_state state, void *arg)
{
    struct client *client = ((struct connection *)arg)->client;

    if (state == SL_GRPC_CHANNEL_BACKOFF || (state == SL_GRPC_CHANNEL_IDLE && !client->is_ending)) {
        give_up("a connection ended", sl_grpc_channel_last_error(channel)->text);
    }
    if (state != SL_GRPC_CHANNEL_READY || ++client->open < client->options->conns) {
        return;
    }
    sl_timer_start(client->timer, (uint64_t)(client->options->seconds * 1000));
    for (int i = 0; i < client->options->calls; i++) {
        start_call(&client->connections[i % client->options->conns]);
    }
}

static void on_closed(void *arg)
{
    struct client *client = arg;

    if (--client->open == 0) {
        sl_loop_stop(client->loop);
    }
}

static void on_time(void *arg)
{
    struct client *client = arg;

    client->is_ending = true;
    for (int i = 0; i < client->options->conns; i++) {
        sl_grpc_channel_close(client->connections[i].channel, on_closed, client);
    }
}

static struct sl_tls *make_tls(const struct options *options)
{
    const struct sl_tls_options files = {
        .ca = options->ca, .min_version = "1.3", .ciphersuites = CIPHERSUITES};
    enum sl_tls_part part;
    struct sl_status why;

    if (!options->ca) {
        return NULL;
    }
    struct sl_tls *tls = sl_tls_new(SL_TLS_CLIENT, &files, &why, &part);
    if (!tls) {
        give_up("TLS", why.text);
    }
    return tls;
}

static void connect_all(struct client *client)
{
    struct sl_grpc_channel_options open = {
        .loop = client->loop,
        .dial = {.address = {.host = "127.0.0.1", .port = (uint16_t)client->options->port},
                 .tls = client->tls},
        .on_state = on_state,
    };

    for (int i = 0; i < client->options->conns; i++) {
        struct connection *connection = &client->connections[i];
        connection->client = client;
        open.arg = connection;
        connection->channel = sl_grpc_channel_open(&open);
        if (!connection->channel) {
            give_up("a channel", "out of memory");
        }
        sl_grpc_channel_connect(connection->channel);
    }
}

void run_client(const struct options *options)
{
    int method = options->is_stream ? GRPC__TESTING__BENCHMARK_SERVICE__STREAMING_FROM_SERVER
                                    : GRPC__TESTING__BENCHMARK_SERVICE__UNARY_CALL;
    struct client client = {
        .options = options,
        .method = &grpc__testing__benchmark_service__methods[method],
        .loop = sl_loop_new(),
        .tls = make_tls(options),
        .connections = calloc((size_t)options->conns, sizeof(struct connection)),
    };

    client.timer = sl_timer_new(client.loop, on_time, &client);
    if (!client.connections || options->size > (int)sizeof(zeros)) {
        give_up("options", "too much is asked for");
    }
    connect_all(&client);
    sl_loop_run(client.loop);
    printf("calls %llu messages %llu bytes %llu\n", (unsigned long long)client.calls,
           (unsigned long long)client.messages, (unsigned long long)client.bytes);
    sl_timer_free(client.timer);
    sl_loop_free(client.loop);
    sl_tls_release(client.tls);
    free(client.connections);
}
