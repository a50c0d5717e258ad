#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "grpc/server.h"

/* What the payloads of responses are made of. */
static uint8_t zeros[1024 * 1024];

struct server {
    struct sl_loop *loop;
    struct sl_grpc_server *grpc;
    struct sl_signal *term;
};

static enum sl_grpc_send answer(struct sl_grpc_call *call, int32_t size)
{
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    Grpc__Testing__SimpleResponse response = GRPC__TESTING__SIMPLE_RESPONSE__INIT;

    payload.body.data = zeros;
    payload.body.len = (size_t)size;
    response.payload = &payload;
    return sl_grpc_call_send(call, &response.base);
}

static bool is_asked_well(struct sl_grpc_call *call, int32_t size)
{
    if (size >= 0 && size <= (int32_t)sizeof(zeros)) {
        return true;
    }
    struct sl_status why = sl_status_error(SL_INVALID_ARGUMENT, "a response of that size");
    sl_grpc_call_finish(call, &why);
    return false;
}

/* ---- UnaryCall ---- */

static enum sl_grpc_take on_unary_message(struct sl_grpc_call *call,
                                          const ProtobufCMessage *message, void *arg)
{
    const Grpc__Testing__SimpleRequest *request = (const void *)message;

    (void)arg;
    if (is_asked_well(call, request->response_size) &&
        answer(call, request->response_size) != SL_GRPC_SENT) {
        return SL_GRPC_STOP;
    }
    return SL_GRPC_TAKEN;
}

static void on_unary_half_close(struct sl_grpc_call *call, void *arg)
{
    struct sl_status fine = sl_status_ok();

    (void)arg;
    sl_grpc_call_finish(call, &fine);
}

static void on_unary(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_unary_message,
        .on_half_close = on_unary_half_close,
    };

    sl_grpc_call_set_events(call, &events, arg);
}

/* ---- StreamingFromServer ---- */

struct stream {
    int32_t size;
};

static void fill(struct sl_grpc_call *call, void *arg)
{
    struct stream *stream = arg;
    enum sl_grpc_send sent;

    do {
        sent = answer(call, stream->size);
    } while (sent == SL_GRPC_SENT);
}

static enum sl_grpc_take on_stream_message(struct sl_grpc_call *call,
                                           const ProtobufCMessage *message, void *arg)
{
    const Grpc__Testing__SimpleRequest *request = (const void *)message;
    struct stream *stream = arg;

    stream->size = request->response_size;
    if (is_asked_well(call, stream->size)) {
        fill(call, stream);
    }
    return SL_GRPC_TAKEN;
}

static void on_stream_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    (void)call;
    (void)status;
    free(arg);
}

static void on_stream(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_stream_message,
        .on_writable = fill,
        .on_status = on_stream_status,
    };
    struct stream *stream = calloc(1, sizeof(*stream));
    struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");

    (void)arg;
    if (stream) {
        sl_grpc_call_set_events(call, &events, stream);
    } else {
        sl_grpc_call_finish(call, &why);
    }
}

/* ---- the program ---- */

static struct sl_tls *make_tls(const struct options *options)
{
    const struct sl_tls_options files = {.cert = options->cert,
                                         .key = options->key,
                                         .min_version = "1.3",
                                         .ciphersuites = CIPHERSUITES};
    enum sl_tls_part part;
    struct sl_status why;

    if (!options->cert) {
        return NULL;
    }
    struct sl_tls *tls = sl_tls_new(SL_TLS_SERVER, &files, &why, &part);
    if (!tls) {
        give_up("TLS", why.text);
    }
    return tls;
}

static void on_closed(void *arg)
{
    struct server *server = arg;

    sl_signal_free(server->term);
    sl_loop_stop(server->loop);
}

static void on_term(void *arg)
{
    struct server *server = arg;

    sl_grpc_server_close(server->grpc, on_closed, server);
}

void run_server(const struct options *options)
{
    const struct sl_grpc_handler handlers[] = {
        {&grpc__testing__benchmark_service__methods[GRPC__TESTING__BENCHMARK_SERVICE__UNARY_CALL],
         on_unary},
        {&grpc__testing__benchmark_service__methods
             [GRPC__TESTING__BENCHMARK_SERVICE__STREAMING_FROM_SERVER],
         on_stream},
        {NULL, NULL},
    };
    const struct sl_grpc_service_entry services[] = {{handlers, NULL}};
    struct server server = {.loop = sl_loop_new()};
    struct sl_grpc_server_options open = {
        .loop = server.loop,
        .address = {.host = "127.0.0.1"},
        .services = services,
        .service_count = 1,
    };
    struct sl_status why;

    open.tls = make_tls(options);
    server.grpc = sl_grpc_server_open(&open, &why);
    server.term = sl_signal_new(server.loop, SIGTERM, on_term, &server);
    if (!server.grpc || !server.term) {
        give_up("cannot listen", why.text);
    }
    printf("port %u\n", sl_grpc_server_port(server.grpc));
    fflush(stdout);
    sl_loop_run(server.loop);
    sl_loop_free(server.loop);
    sl_tls_release(open.tls);
}
