/* services-client - calls the sample services, one method a run. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "client.h"

enum { DEFAULT_PORT = 50051, MAX_FIELDS = 16, EXIT_USAGE = 64 };

static const char usage[] =
    "usage: services-client [options] COMMAND WORD...\n"
    "\n"
    "Prints what comes back, then \"OK\" or \"CODE: message\", and exits with the code's number.\n"
    "\n"
    "  --address ADDRESS      host:port, unix:path or unix-abstract:name; default 127.0.0.1:50051\n"
    "  --ca FILE              TLS, with a server that one of these CAs vouches for (PEM)\n"
    "  --tls-cert FILE        our certificate\n"
    "  --tls-key FILE         its private key\n"
    "  --server-name NAME     whom the server's certificate is for; default: the host\n"
    "  --timeout-ms N         the deadline; default: none\n"
    "  --metadata NAME=VALUE  goes with the call; of a \"-bin\" name the value is hexadecimal\n"
    "  --gzip                 compress what we send\n"
    "  --help                 this text\n"
    "\n"
    "commands:\n";

static const struct command *const tables[] = {
    hello_commands,       greeter_commands, user_manager_commands, chat_room_commands,
    route_guide_commands, yes_commands,     load_commands,
};

struct program {
    struct client client;
    struct sl_tls_options tls_options;
    struct sl_grpc_field fields[MAX_FIELDS];
    struct sl_buf binaries[MAX_FIELDS];
    struct sl_grpc_request request;
    const struct command *command;
    char **words;
};

/* ---- the command line ---- */

static const char *command_name(const struct command *command)
{
    return command->name ? command->name : command->method->path + 1;
}

static void print_usage(FILE *out)
{
    fputs(usage, out);
    for (size_t i = 0; i < SL_ARRAY_LEN(tables); i++) {
        for (const struct command *command = tables[i]; command->method; command++) {
            fprintf(out, "  %s %s\n", command_name(command), command->words);
        }
    }
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(tables); i++) {
        for (const struct command *command = tables[i]; command->method; command++) {
            if (strcmp(name, command_name(command)) == 0) {
                return command;
            }
        }
    }
    return NULL;
}

static bool read_hex(const char *text, struct sl_buf *bytes)
{
    unsigned byte;
    int read;

    for (; *text; text += 2) {
        if (sscanf(text, "%2x%n", &byte, &read) != 1 || read != 2) {
            return false;
        }
        sl_buf_add_byte(bytes, (char)byte);
    }
    return !bytes->failed;
}

static bool add_metadata(struct program *program, char *word)
{
    char *equals = strchr(word, '=');
    size_t index = program->request.metadata_count;
    struct sl_grpc_field *field = &program->fields[index];
    struct sl_buf *binary = &program->binaries[index];

    if (!equals || index == MAX_FIELDS) {
        return false;
    }
    *equals = '\0';
    field->name = sl_str_from(word);
    field->value = sl_str_from(equals + 1);
    program->request.metadata_count++;
    if (field->name.len > 4 && strcmp(equals - 4, "-bin") == 0) {
        bool is_hex = read_hex(equals + 1, binary);
        field->value = sl_buf_str(binary);
        return is_hex;
    }
    return true;
}

static bool set_timeout(struct program *program, const char *value)
{
    uint64_t ms;
    bool is_number = sl_str_to_u64(sl_str_from(value), &ms) && ms <= UINT32_MAX;

    program->request.timeout_ns = is_number ? ms * (uint64_t)SL_NS_PER_MS : 0;
    return is_number;
}

enum word { ADDRESS = 1, CA, TLS_CERT, TLS_KEY, SERVER_NAME, TIMEOUT_MS, METADATA, GZIP, HELP };

static const struct option words[] = {
    {"address", required_argument, NULL, ADDRESS},
    {"ca", required_argument, NULL, CA},
    {"tls-cert", required_argument, NULL, TLS_CERT},
    {"tls-key", required_argument, NULL, TLS_KEY},
    {"server-name", required_argument, NULL, SERVER_NAME},
    {"timeout-ms", required_argument, NULL, TIMEOUT_MS},
    {"metadata", required_argument, NULL, METADATA},
    {"gzip", no_argument, NULL, GZIP},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static bool set_option(struct program *program, int option, char *value)
{
    struct sl_dial_options *dial = &program->client.options.dial;

    switch (option) {
    case ADDRESS:
        return sl_address_parse(value, DEFAULT_PORT, &dial->address);
    case CA:
        program->tls_options.ca = value;
        return true;
    case TLS_CERT:
        program->tls_options.cert = value;
        return true;
    case TLS_KEY:
        program->tls_options.key = value;
        return true;
    case SERVER_NAME:
        dial->server_name = value;
        return true;
    case TIMEOUT_MS:
        return set_timeout(program, value);
    case METADATA:
        return add_metadata(program, value);
    case GZIP:
        program->request.encoding = SL_GRPC_GZIP;
        return true;
    case HELP:
        print_usage(stdout);
        exit(EXIT_SUCCESS);
    default:
        return false;
    }
}

static bool parse(struct program *program, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "+", words, NULL)) != -1) {
        if (!set_option(program, option, optarg)) {
            return false;
        }
    }
    program->command = optind < argc ? find_command(argv[optind]) : NULL;
    program->words = argv + optind + 1;
    return program->command && argc - optind - 1 >= program->command->min_words &&
           argc - optind - 1 <= program->command->max_words;
}

/* ---- the run ---- */

static struct sl_status open_channel(struct program *program)
{
    struct client *client = &program->client;
    struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    enum sl_tls_part part;

    client->loop = sl_loop_new();
    client->options.loop = client->loop;
    if (program->tls_options.ca) {
        client->options.dial.tls = sl_tls_new(SL_TLS_CLIENT, &program->tls_options, &why, &part);
        if (!client->options.dial.tls) {
            return why;
        }
    }
    if (client->loop) {
        client->channel = sl_grpc_channel_open(&client->options);
    }
    return client->channel ? sl_status_ok() : why;
}

static struct sl_status run(struct program *program)
{
    struct sl_status status = open_channel(program);

    program->request.method = program->command->method;
    program->request.metadata = program->fields;
    if (sl_status_is_ok(&status)) {
        status = program->command->run(&program->client, &program->request, program->words);
        sl_grpc_blocking_close_channel(program->client.channel);
    }
    sl_tls_release(program->client.options.dial.tls);
    if (program->client.loop) {
        sl_loop_free(program->client.loop);
    }
    return status;
}

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
        .client.options.dial.address = {.host = "127.0.0.1", .port = DEFAULT_PORT},
    };
    struct sl_status status;

    if (!parse(&program, argc, argv)) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    raise_files();
    status = run(&program);
    for (size_t i = 0; i < MAX_FIELDS; i++) {
        sl_buf_fini(&program.binaries[i]);
    }
    if (sl_status_is_ok(&status)) {
        puts("OK");
    } else {
        printf("%s: %s\n", sl_code_name(status.code), status.text);
    }
    return (int)status.code;
}
