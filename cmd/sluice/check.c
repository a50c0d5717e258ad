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
    bool wants_print;
};

static const char usage[] =
    "usage: sluice check -c FILE [--print]\n"
    "       sluice check --reference\n"
    "\n"
    "Reads a configuration and says everything that is wrong with it, a line for each error:\n"
    "FILE:LINE:COLUMN: what was expected. Exits 0 when it is good and 1 when it is not.\n"
    "\n"
    "  -c, --config FILE  the configuration\n"
    "      --print        print what is in force: every key, defaults worked in, secrets masked\n"
    "      --reference    print every key with its type, bounds and default\n"
    "      --help         print this\n";

static bool parse(int argc, char **argv, struct check_options *options)
{
    static const struct option words[] = {
        {"config", required_argument, NULL, 'c'},
        {"print", no_argument, NULL, 'p'},
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
        options->wants_print = options->wants_print || word == 'p';
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

/* Prints and frees it. */
static int print_out(struct sl_buf *out)
{
    bool is_good = !out->failed && fwrite(out->data, 1, out->len, stdout) == out->len;

    sl_buf_fini(out);
    return is_good ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static int print_reference(void)
{
    struct sl_buf out;

    sl_buf_init(&out, 0);
    sl_settings_reference(&out);
    return print_out(&out);
}

static int print_settings(const struct sl_settings *settings)
{
    struct sl_buf out;

    sl_buf_init(&out, 0);
    sl_settings_print(settings, &out);
    return print_out(&out);
}

static int print_summary(const char *file, const struct sl_settings *settings)
{
    printf("%s: ok: %zu targets, %zu streams, %zu sinks\n", file, settings->target_count,
           sl_settings_streams(settings), settings->sink_count);
    return SL_EXIT_OK;
}

static int check_file(const struct check_options *options)
{
    struct sl_buf errors;
    int code = SL_EXIT_FAILED;

    sl_buf_init(&errors, 0);
    struct sl_settings *settings = sl_settings_read(options->file, &errors);
    if (!settings) {
        fputs(sl_buf_text(&errors), stderr);
    } else if (options->wants_print) {
        code = print_settings(settings);
    } else {
        code = print_summary(options->file, settings);
    }
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
    return options.wants_reference ? print_reference() : check_file(&options);
}
