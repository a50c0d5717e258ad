/* services-server - the sample services on one port. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "grpc/health.h"
#include "grpc/reflection.h"
#include "grpc/server.h"
#include "services.h"

enum {
    DEFAULT_PORT = 50051,
    DEFAULT_GRACE_MS = 5000,
    MAX_REQUEST_BYTES = 1024 * 1024,
    EXIT_USAGE = 2,
};

static const char usage[] =
    "usage: services-server [options]\n"
    "\n"
    "The sample services of lib/grpc, health checks and reflection, until SIGTERM or SIGINT:\n"
    "then the calls that go on may end.\n"
    "\n"
    "  --listen ADDRESS   host:port, unix:path or unix-abstract:name; port 0 is any free one;\n"
    "                     default 127.0.0.1:50051\n"
    "  --tls-cert FILE    serve TLS with this certificate (PEM)\n"
    "  --tls-key FILE     its private key\n"
    "  --ca FILE          demand a client certificate that one of these CAs issued\n"
    "  --features FILE    the places of the route guide\n"
    "  --grace-ms N       how long the last calls may take; default 5000\n"
    "  --help             this text\n";

struct program {
    struct sl_address address;
    struct sl_tls_options tls_options;
    const char *features;
    uint64_t grace_ms;
    struct sl_loop *loop;
    struct sl_tls *tls;
    struct sl_signal *interrupt;
    struct sl_signal *terminate;
    struct sl_grpc_health *health;
    struct chat_room *room;
    struct route_guide *guide;
    struct sl_grpc_server *server;
    struct sl_status why;
};

enum word { LISTEN = 1, TLS_CERT, TLS_KEY, CA, FEATURES_FILE, GRACE_MS, HELP };

static const struct option words[] = {
    {"listen", required_argument, NULL, LISTEN},
    {"tls-cert", required_argument, NULL, TLS_CERT},
    {"tls-key", required_argument, NULL, TLS_KEY},
    {"ca", required_argument, NULL, CA},
    {"features", required_argument, NULL, FEATURES_FILE},
    {"grace-ms", required_argument, NULL, GRACE_MS},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static bool set_option(struct program *program, int option, const char *value)
{
    switch (option) {
    case LISTEN:
        return sl_address_parse(value, DEFAULT_PORT, &program->address);
    case TLS_CERT:
        program->tls_options.cert = value;
        return true;
    case TLS_KEY:
        program->tls_options.key = value;
        return true;
    case CA:
        program->tls_options.ca = value;
        return true;
    case FEATURES_FILE:
        program->features = value;
        return true;
    case GRACE_MS:
        return sl_str_to_u64(sl_str_from(value), &program->grace_ms);
    case HELP:
        fputs(usage, stdout);
        exit(EXIT_SUCCESS);
    default:
        return false;
    }
}

static void parse_options(struct program *program, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", words, NULL)) != -1) {
        if (!set_option(program, option, optarg)) {
            fputs(usage, stderr);
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        exit(EXIT_USAGE);
    }
}

static void on_closed(void *arg)
{
    struct program *program = arg;

    program->server = NULL;
    sl_loop_stop(program->loop);
}

static void on_signal(void *arg)
{
    struct program *program = arg;

    sl_grpc_health_shut_down(program->health);
    sl_grpc_server_drain(program->server, program->grace_ms, on_closed, program);
}

static bool open_server(struct program *program)
{
    const struct sl_grpc_service_entry services[] = {
        {hello_handlers, NULL},
        {greeter_handlers, NULL},
        {user_manager_handlers, NULL},
        {chat_room_handlers, program->room},
        {route_guide_handlers, program->guide},
        {yes_handlers, NULL},
        {sl_grpc_health_handlers, program->health},
        {sl_grpc_reflection_handlers, NULL},
    };
    const struct sl_grpc_server_options options = {
        .loop = program->loop,
        .address = program->address,
        .tls = program->tls,
        .services = services,
        .service_count = SL_ARRAY_LEN(services),
        .max_message_bytes = MAX_REQUEST_BYTES,
    };

    program->server = sl_grpc_server_open(&options, &program->why);
    return program->server != NULL;
}

static bool open_tls(struct program *program)
{
    enum sl_tls_part part;

    if (program->tls_options.cert) {
        program->tls = sl_tls_new(SL_TLS_SERVER, &program->tls_options, &program->why, &part);
    }
    return program->tls || !program->tls_options.cert;
}

/* False: `why` says what is missing. */
static bool open_all(struct program *program)
{
    program->why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    return (program->loop = sl_loop_new()) &&
           (program->interrupt = sl_signal_new(program->loop, SIGINT, on_signal, program)) &&
           (program->terminate = sl_signal_new(program->loop, SIGTERM, on_signal, program)) &&
           (program->health = sl_grpc_health_new()) && (program->room = chat_room_new()) &&
           (program->guide = route_guide_new(program->loop, program->features, &program->why)) &&
           open_tls(program) && open_server(program);
}

static void close_all(struct program *program)
{
    sl_tls_release(program->tls);
    route_guide_free(program->guide);
    chat_room_free(program->room);
    sl_grpc_health_free(program->health);
    sl_signal_free(program->interrupt);
    sl_signal_free(program->terminate);
    if (program->loop) {
        sl_loop_free(program->loop);
    }
}

static void print_address(struct program *program)
{
    char text[SL_ADDRESS_TEXT_BYTES];

    if (!sl_address_is_unix(&program->address)) {
        program->address.port = sl_grpc_server_port(program->server);
    }
    sl_address_print(&program->address, text);
    printf("listening %s\n", text);
    fflush(stdout);
}

/* Each connection is a descriptor. */
static void raise_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    struct program program = {
        .address = {.host = "127.0.0.1", .port = DEFAULT_PORT},
        .features = FEATURES,
        .grace_ms = DEFAULT_GRACE_MS,
    };
    bool is_open;

    parse_options(&program, argc, argv);
    raise_files();
    is_open = open_all(&program);
    if (is_open) {
        print_address(&program);
        sl_loop_run(program.loop);
    } else {
        fprintf(stderr, "services-server: %s\n", program.why.text);
    }
    close_all(&program);
    return is_open ? EXIT_SUCCESS : EXIT_FAILURE;
}
