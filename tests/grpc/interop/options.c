#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/str.h"

enum word {
    WORD_PORT = 1,
    WORD_USE_TLS,
    WORD_TLS_CERT_FILE,
    WORD_TLS_KEY_FILE,
    WORD_CA_FILE,
    WORD_SERVER_HOST,
    WORD_SERVER_HOST_OVERRIDE,
    WORD_TEST_CASE,
    WORD_SOAK_ITERATIONS,
};

static const struct option words[] = {
    {"port", required_argument, NULL, WORD_PORT},
    {"server_port", required_argument, NULL, WORD_PORT},
    {"use_tls", optional_argument, NULL, WORD_USE_TLS},
    {"tls_cert_file", required_argument, NULL, WORD_TLS_CERT_FILE},
    {"tls_key_file", required_argument, NULL, WORD_TLS_KEY_FILE},
    {"ca_file", required_argument, NULL, WORD_CA_FILE},
    {"server_host", required_argument, NULL, WORD_SERVER_HOST},
    {"server_host_override", required_argument, NULL, WORD_SERVER_HOST_OVERRIDE},
    {"test_case", required_argument, NULL, WORD_TEST_CASE},
    {"soak_iterations", required_argument, NULL, WORD_SOAK_ITERATIONS},
    {NULL, 0, NULL, 0},
};

static bool set_number(const char *text, uint64_t max, uint64_t *number)
{
    return sl_str_to_u64(sl_str_from(text), number) && *number <= max;
}

static bool set_port(struct interop_options *options, const char *text)
{
    uint64_t number;

    if (!set_number(text, UINT16_MAX, &number)) {
        return false;
    }
    options->port = (uint16_t)number;
    return true;
}

static bool set_soak_iterations(struct interop_options *options, const char *text)
{
    uint64_t number;

    if (!set_number(text, UINT32_MAX, &number)) {
        return false;
    }
    options->soak_iterations = (uint32_t)number;
    return true;
}

static bool set_use_tls(struct interop_options *options, const char *text)
{
    options->use_tls = !text || strcmp(text, "true") == 0;
    return options->use_tls || strcmp(text, "false") == 0;
}

static bool set(struct interop_options *options, int word, const char *text)
{
    switch (word) {
    case WORD_PORT:
        return set_port(options, text);
    case WORD_USE_TLS:
        return set_use_tls(options, text);
    case WORD_TLS_CERT_FILE:
        options->tls_cert_file = text;
        return true;
    case WORD_TLS_KEY_FILE:
        options->tls_key_file = text;
        return true;
    case WORD_CA_FILE:
        options->ca_file = text;
        return true;
    case WORD_SERVER_HOST:
        options->server_host = text;
        return true;
    case WORD_SERVER_HOST_OVERRIDE:
        options->server_host_override = text;
        return true;
    case WORD_TEST_CASE:
        options->test_case = text;
        return true;
    case WORD_SOAK_ITERATIONS:
        return set_soak_iterations(options, text);
    default:
        return false; /* getopt_long has said what is wrong */
    }
}

bool interop_options_parse(struct interop_options *options, int argc, char **argv)
{
    int word;

    while ((word = getopt_long(argc, argv, "", words, NULL)) != -1) {
        if (!set(options, word, optarg)) {
            fprintf(stderr, "%s: see gRPC's doc/interop-test-descriptions.md for the options\n",
                    argv[0]);
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected '%s'\n", argv[0], argv[optind]);
        return false;
    }
    return true;
}
