/* interop-client - the client of gRPC's interoperability suite: runs one case, or "all".
 *
 *     interop-client --server_port N --test_case NAME|all [--server_host HOST] [--soak_iterations
 * N]
 *         [--use_tls [--ca_file FILE] [--server_host_override NAME]]
 *
 * Exits with 0 when the case passed, 1 when it did not, having said what it expected, 2 when it was
 * started wrongly.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "options.h"

enum { EXIT_USAGE = 2, DIAL_TIMEOUT_MS = 20 * 1000, SOAK_ITERATIONS = 10, HOST_BYTES = 256 };

static int complain(const char *text)
{
    fprintf(stderr, "interop-client: %s\n", text);
    return EXIT_USAGE;
}

static const struct interop_case *find_case(const char *name)
{
    const struct interop_case *found = interop_cases;

    while (found->name && strcmp(found->name, name) != 0) {
        found++;
    }
    return found->name ? found : NULL;
}

static bool make_tls(const struct interop_options *options, struct sl_tls **tls)
{
    const struct sl_tls_options files = {.ca = options->ca_file};
    enum sl_tls_part part;
    struct sl_status why;

    if (!options->use_tls) {
        return true;
    }
    *tls = sl_tls_new(SL_TLS_CLIENT, &files, &why, &part);
    if (!*tls) {
        complain(why.text);
    }
    return *tls != NULL;
}

static bool run_case(const struct interop_case *test, struct interop_client *client)
{
    bool has_passed = interop_connect(client) && test->run(client);

    if (client->channel) {
        interop_disconnect(client);
    }
    printf("%s %s\n", test->name, has_passed ? "passed" : "failed");
    return has_passed;
}

/* One case; all of them where `test` is NULL. */
static int run(const struct interop_case *test, const struct interop_options *options,
               struct interop_client *client)
{
    bool has_passed = true;

    client->loop = sl_loop_new();
    if (!client->loop) {
        return complain("out of memory");
    }
    client->options.loop = client->loop;
    client->options.authority = options->server_host_override;
    client->options.dial.server_name = options->server_host_override;
    client->options.dial.timeout_ms = DIAL_TIMEOUT_MS;
    client->soak_iterations = options->soak_iterations;
    if (test) {
        has_passed = run_case(test, client);
    } else {
        for (test = interop_cases; test->name; test++) {
            has_passed = run_case(test, client) && has_passed;
        }
    }
    sl_loop_free(client->loop);
    return has_passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct interop_options options = {
        .server_host = "127.0.0.1", .test_case = "", .soak_iterations = SOAK_ITERATIONS};
    struct interop_client client = {0};
    struct sl_address *address = &client.options.dial.address;
    const struct interop_case *test;

    if (!interop_options_parse(&options, argc, argv)) {
        return EXIT_USAGE;
    }
    test = find_case(options.test_case);
    if (!test && strcmp(options.test_case, "all") != 0) {
        return complain("--test_case: not a case that is known here");
    }
    if (!sl_address_parse(options.server_host, options.port, address)) {
        return complain("--server_host: not a host");
    }
    address->port = options.port;
    if (!make_tls(&options, &client.options.dial.tls)) {
        return EXIT_USAGE;
    }
    int code = run(test, &options, &client);
    sl_tls_release(client.options.dial.tls);
    return code;
}
