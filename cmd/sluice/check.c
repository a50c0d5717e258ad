#include "commands.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/base.h"
#include "base/buf.h"
#include "daemon/settings.h"
#include "tool/options.h"

struct check_options {
    struct sl_tool_options common; /* config is the file */
    const char *plugins;           /* a directory; NULL: none */
    bool wants_reference;
    bool wants_print;
};

#define AT(field) offsetof(struct check_options, field)

static const struct sl_flag flags[] = {
    {.name = "config",
     .letter = 'c',
     .type = SL_FLAG_TEXT,
     .offset = AT(common.config),
     .value = "FILE",
     .doc = "the configuration"},
    {.name = "print",
     .type = SL_FLAG_SWITCH,
     .offset = AT(wants_print),
     .doc = "print what is in force: every key, defaults worked in, secrets masked"},
    {.name = "reference",
     .type = SL_FLAG_SWITCH,
     .offset = AT(wants_reference),
     .doc = "print every key with its type, bounds and default"},
    {.name = "plugins",
     .type = SL_FLAG_TEXT,
     .offset = AT(plugins),
     .value = "DIR",
     .doc = "with --reference: and every key of the shared objects in DIR"},
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = AT(common.wants_help),
     .doc = "this"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {{"Flags", flags}, {NULL, NULL}};

const struct sl_tool sl_tool_check = {
    .name = "check",
    .doc = "read a configuration, say everything that is wrong with it",
    .usage = "-c FILE",
    .text =
        "Reads a configuration and says everything that is wrong with it, a line for each error:\n"
        "FILE:LINE:COLUMN: what was expected.",
    .examples = "  sluice check -c sluice.yaml --print\n"
                "  sluice check --reference --plugins /usr/lib/sluice",
    .exits = "0 the file is good; 1 it is not; 2 wrong words.",
    .groups = groups,
};

static bool parse(int argc, char **argv, struct check_options *options)
{
    if (!sl_tool_parse(&sl_tool_check, argc, argv, &options->common)) {
        return false;
    }
    return options->common.config || options->wants_reference || options->common.wants_help ||
           sl_tool_complain(&options->common, "no file; expected -c FILE");
}

/* Prints and frees it. */
static int print_out(struct sl_buf *out)
{
    bool is_good = !out->failed && fwrite(out->data, 1, out->len, stdout) == out->len;

    sl_buf_fini(out);
    return is_good ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static int print_reference(const char *directory)
{
    struct sl_buf errors = {0};
    struct sl_buf out = {0};
    struct sl_plugins *plugins = sl_settings_plugins(directory ? directory : "", &errors);

    if (!plugins) {
        fputs(sl_buf_text(&errors), stderr);
        sl_buf_fini(&errors);
        return SL_EXIT_FAILED;
    }
    sl_settings_reference(plugins, &out);
    sl_plugins_free(plugins);
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
    struct sl_settings *settings = sl_settings_read(options->common.config, &errors);
    if (!settings) {
        fputs(sl_buf_text(&errors), stderr);
    } else if (options->wants_print) {
        code = print_settings(settings);
    } else {
        code = print_summary(options->common.config, settings);
    }
    sl_settings_free(settings);
    sl_buf_fini(&errors);
    return code;
}

static int check(const struct check_options *options)
{
    if (options->common.wants_help) {
        sl_tool_print_help(&sl_tool_check, stdout);
        return SL_EXIT_OK;
    }
    return options->wants_reference ? print_reference(options->plugins) : check_file(options);
}

int sl_command_check(int argc, char **argv)
{
    struct check_options options = {0};
    int code = parse(argc, argv, &options) ? check(&options) : SL_EXIT_USAGE;

    sl_tool_fini(&options.common);
    return code;
}
