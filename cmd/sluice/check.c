#include "commands.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/base.h"
#include "base/buf.h"
#include "daemon/settings.h"

struct check_options {
    const char *file;
    bool wants_help;
    bool wants_reference;
};

static const char usage[] =
    "usage: sluice check -c FILE\n"
    "       sluice check --reference\n"
    "\n"
    "Reads a configuration and says everything that is wrong with it, a line for each error:\n"
    "FILE:LINE:COLUMN: what was expected. Exits 0 when it is good and 1 when it is not.\n"
    "\n"
    "  -c, --config FILE  the configuration\n"
    "      --reference    print every key with its type, bounds and default\n"
    "      --help         print this\n";

static bool parse(int argc, char **argv, struct check_options *options)
{
    static const struct option words[] = {
        {"config", required_argument, NULL, 'c'},
        {"reference", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int word = 0;

    optind = 1;
    while ((word = getopt_long(argc, argv, "c:h", words, NULL)) != -1) {
        if (word == '?') {
            return false; /* getopt has said why */
        }
        options->file = word == 'c' ? optarg : options->file;
        options->wants_reference = options->wants_reference || word == 'r';
        options->wants_help = options->wants_help || word == 'h';
    }
    if (optind < argc) {
        fprintf(stderr, "sluice check: unknown word '%s'\n", argv[optind]);
        return false;
    }
    if (!options->file && !options->wants_reference && !options->wants_help) {
        fputs("sluice check: no file; expected -c FILE\n", stderr);
        return false;
    }
    return true;
}

static int print_reference(void)
{
    struct sl_buf out;

    sl_buf_init(&out, 0);
    sl_settings_reference(&out);
    bool is_good = !out.failed && fwrite(out.data, 1, out.len, stdout) == out.len;
    sl_buf_fini(&out);
    return is_good ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static size_t count_streams(const struct sl_settings *settings)
{
    size_t count = 0;

    for (size_t i = 0; i < settings->target_count; i++) {
        count += settings->targets[i].stream_count;
    }
    return count;
}

static int check_file(const char *file)
{
    struct sl_buf errors;

    sl_buf_init(&errors, 0);
    struct sl_settings *settings = sl_settings_read(file, &errors);
    if (settings) {
        printf("%s: ok: %zu targets, %zu streams, %zu sinks\n", file, settings->target_count,
               count_streams(settings), settings->sink_count);
    } else {
        fputs(sl_buf_text(&errors), stderr);
    }
    int code = settings ? SL_EXIT_OK : SL_EXIT_FAILED;
    sl_settings_free(settings);
    sl_buf_fini(&errors);
    return code;
}

int sl_command_check(int argc, char **argv)
{
    struct check_options options = {0};

    if (!parse(argc, argv, &options)) {
        return SL_EXIT_USAGE;
    }
    if (options.wants_help) {
        fputs(usage, stdout);
        return SL_EXIT_OK;
    }
    return options.wants_reference ? print_reference() : check_file(options.file);
}
