/* interop-server - the server of gRPC's interoperability suite, on loopback.
 *
 *     interop-server [--port N] [--use_tls --tls_cert_file FILE --tls_key_file FILE]
 *
 * Port 0, the default, is a free one. Health and reflection are served beside the suite's service.
 * Prints "listening HOST:PORT"; SIGTERM ends it when its calls are done.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "grpc/health.h"
#include "grpc/reflection.h"
#include "grpc/server.h"
#include "options.h"
#include "service.h"

enum { EXIT_USAGE = 2, GRACE_MS = 2000 };

struct program {
    struct sl_loop *loop;
    struct sl_grpc_server *server;
    struct sl_grpc_health *health;
    struct sl_signal *terminate;
};

static void on_closed(void *arg)
{
    struct program *program = arg;

    program->server = NULL;
    sl_loop_stop(program->loop);
}

static void on_terminate(void *arg)
{
    struct program *program = arg;

    sl_grpc_health_shut_down(program->health);
    sl_grpc_server_drain(program->server, GRACE_MS, on_closed, program);
}

static int complain(const char *text)
{
    fprintf(stderr, "interop-server: %s\n", text);
    return EXIT_FAILURE;
}

/* False after an error, which is said. */
static bool make_tls(const struct interop_options *options, struct sl_tls **tls)
{
    const struct sl_tls_options files = {.cert = options->tls_cert_file,
                                         .key = options->tls_key_file};
    enum sl_tls_part part;
    struct sl_status why;

    if (!options->use_tls) {
        return true;
    }
    if (!files.cert || !files.key) {
        complain("--use_tls wants --tls_cert_file and --tls_key_file");
        return false;
    }
    *tls = sl_tls_new(SL_TLS_SERVER, &files, &why, &part);
    if (!*tls) {
        complain(why.text);
    }
    return *tls != NULL;
}

/* What the server stands on. */
static bool prepare(struct program *program)
{
    program->loop = sl_loop_new();
    program->health = sl_grpc_health_new();
    if (program->loop) {
        program->terminate = sl_signal_new(program->loop, SIGTERM, on_terminate, program);
    }
    return program->health && program->terminate &&
           sl_grpc_health_set(program->health, "grpc.testing.TestService", SL_GRPC_HEALTH_SERVING);
}

static int serve(struct program *program, uint16_t port, struct sl_tls *tls)
{
    struct interop_service service = {.loop = program->loop};
    const struct sl_grpc_service_entry services[] = {
        {interop_handlers, &service},
        {sl_grpc_health_handlers, program->health},
        {sl_grpc_reflection_handlers, NULL},
    };
    const struct sl_grpc_server_options options = {
        .loop = program->loop,
        .address = {.host = "127.0.0.1", .port = port},
        .tls = tls,
        .services = services,
        .service_count = SL_ARRAY_LEN(services),
    };
    struct sl_status why;

    program->server = sl_grpc_server_open(&options, &why);
    if (!program->server) {
        return complain(why.text);
    }
    printf("listening 127.0.0.1:%u\n", sl_grpc_server_port(program->server));
    fflush(stdout);
    sl_loop_run(program->loop);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct interop_options options = {0};
    struct program program = {0};
    struct sl_tls *tls = NULL;
    int code;

    if (!interop_options_parse(&options, argc, argv) || !make_tls(&options, &tls)) {
        return EXIT_USAGE;
    }
    code = prepare(&program) ? serve(&program, options.port, tls) : complain("out of memory");
    sl_signal_free(program.terminate);
    sl_grpc_health_free(program.health);
    if (program.loop) {
        sl_loop_free(program.loop);
    }
    sl_tls_release(tls);
    return code;
}
