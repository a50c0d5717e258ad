#include "commands.h"

#include <stddef.h>
#include <stdio.h>

#include "daemon/difference.h"
#include "tool/options.h"

struct plan_options {
    struct sl_tool_options common; /* config is the new file */
    const char *from;
};

#define AT(field) offsetof(struct plan_options, field)

static const struct sl_flag flags[] = {
    {.name = "config",
     .letter = 'c',
     .type = SL_FLAG_TEXT,
     .offset = AT(common.config),
     .value = "FILE",
     .doc = "the new configuration"},
    {.name = "from",
     .type = SL_FLAG_TEXT,
     .offset = AT(from),
     .value = "FILE",
     .doc = "the one in force"},
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = AT(common.wants_help),
     .doc = "this"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {{"Flags", flags}, {NULL, NULL}};

const struct sl_tool sl_tool_plan = {
    .name = "plan",
    .doc = "say what another configuration would change, and what that costs the devices",
    .usage = "-c FILE --from FILE",
    .text =
        "Reads both files and says what is added, removed and changed, and what each costs the\n"
        "devices: nothing, routes rebuilt (the device notices nothing), a new RPC, a\n"
        "reconnect, or a new dial. Nothing is touched. SIGHUP then takes the file.",
    .exits = "0 the new file is good; 1 it is not, or the old one; 2 wrong words.",
    .groups = groups,
};

static struct sl_settings *read_file(const char *file)
{
    struct sl_buf errors = {0};
    struct sl_settings *settings = sl_settings_read(file, &errors);

    if (!settings) {
        fputs(sl_buf_text(&errors), stderr);
    }
    sl_buf_fini(&errors);
    return settings;
}

/* What a running collector would refuse is told here, too. */
static int print_plan(const struct sl_difference *difference)
{
    struct sl_buf out = {0};
    struct sl_buf errors = {0};
    int code = SL_EXIT_OK;

    sl_difference_print(difference, &out);
    fputs(difference->is_any || difference->restart.len ? sl_buf_text(&out) : "no change\n",
          stdout);
    if (!sl_settings_succeed(difference, &errors)) {
        fprintf(stderr, "a reload would be refused: %s", sl_buf_text(&errors));
        code = SL_EXIT_FAILED;
    }
    code = out.failed || fflush(stdout) != 0 ? SL_EXIT_FAILED : code;
    sl_buf_fini(&errors);
    sl_buf_fini(&out);
    return code;
}

static int plan(const struct plan_options *options)
{
    struct sl_settings *from = read_file(options->from);
    struct sl_settings *to = read_file(options->common.config);
    struct sl_difference *difference = from && to ? sl_difference_new(from, to) : NULL;
    int code = SL_EXIT_FAILED;

    if (difference) {
        code = print_plan(difference);
    } else if (from && to) {
        fputs("sluice plan: out of memory\n", stderr);
    }
    sl_difference_free(difference);
    sl_settings_release(from);
    sl_settings_release(to);
    return code;
}

static int run(struct sl_tool_options *common)
{
    const struct plan_options *options = SL_CONTAINER_OF(common, struct plan_options, common);

    if (!options->common.config || !options->from) {
        sl_tool_complain(&options->common, "expected -c FILE, the new configuration, and --from "
                                           "FILE, the one in force");
        return SL_EXIT_USAGE;
    }
    return plan(options);
}

int sl_command_plan(int argc, char **argv)
{
    struct plan_options options = {0};

    return sl_tool_main(&sl_tool_plan, argc, argv, &options.common, run);
}
