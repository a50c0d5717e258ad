#include "commands.h"

#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "tool/options.h"

enum { LARGE_BLOCK_BYTES = 1024 * 1024 };

/* What the command line says goes before what the file says. */
struct run_options {
    struct sl_tool_options common; /* config is the file */
    int log_level;
    int log_format;
};

#define AT(field) offsetof(struct run_options, field)

static const struct sl_flag flags[] = {
    {.name = "config",
     .letter = 'c',
     .type = SL_FLAG_TEXT,
     .offset = AT(common.config),
     .value = "FILE",
     .doc = "the configuration"},
    {.name = "log-level",
     .type = SL_FLAG_WORD,
     .offset = AT(log_level),
     .words = sl_settings_log_levels,
     .doc = "instead of the file's"},
    {.name = "log-format",
     .type = SL_FLAG_WORD,
     .offset = AT(log_format),
     .words = sl_settings_log_formats,
     .doc = "likewise"},
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = AT(common.wants_help),
     .doc = "this"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {{"Flags", flags}, {NULL, NULL}};

const struct sl_tool sl_tool_run_command = {
    .name = "run",
    .doc = "collect: dial the targets of a configuration, publish to its sinks",
    .usage = "-c FILE",
    .text =
        "Collects: dials every target of FILE, publishes what it streams to its sinks. SIGTERM or\n"
        "SIGINT ends it: what is held is published first, at most shutdown-timeout long; a\n"
        "second one ends it at once. SIGHUP takes FILE anew, as a difference: what it changes\n"
        "nothing of goes on (sluice plan).",
    .exits = "0 it was ended, and everything that was held is published; 1 otherwise, or\n"
             "the configuration is wrong; 2 wrong words.",
    .groups = groups,
};

static void set_log(const struct run_options *options, const struct sl_settings *settings)
{
    int level = settings->collector.log.level;
    int format = settings->collector.log.format;

    level = sl_tool_is_given(&options->common, "log-level") ? options->log_level : level;
    format = sl_tool_is_given(&options->common, "log-format") ? options->log_format : format;
    sl_log_set((enum sl_log_level)level, (enum sl_log_format)format);
}

/* Large blocks (a page of metrics, a message of megabytes) go back to the system when they are
 * freed: else glibc raises its threshold with the first of them, and keeps the next ones. */
static void give_memory_back(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
    mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK_BYTES);
}

/* Before the first secret is read: a core would have them all. The limit from before. */
static struct rlimit forbid_cores(void)
{
    struct rlimit before = {0};

    if (getrlimit(RLIMIT_CORE, &before) == 0) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){.rlim_max = before.rlim_max});
    }
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return before;
}

static void allow_cores(const struct rlimit *before)
{
    (void)setrlimit(RLIMIT_CORE, before);
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int collect(const struct run_options *options)
{
    struct sl_buf errors = {0};
    const struct rlimit cores = forbid_cores();
    struct sl_settings *settings = sl_settings_read(options->common.config, &errors);
    int code = SL_EXIT_FAILED;

    if (!settings) {
        fputs(sl_buf_text(&errors), stderr);
    } else {
        set_log(options, settings);
        if (settings->collector.core_dumps) {
            allow_cores(&cores);
        }
        give_memory_back();
        struct sl_status status = sl_daemon_run(settings, options->common.config);
        code = sl_status_is_ok(&status) ? SL_EXIT_OK : SL_EXIT_FAILED;
        if (code != SL_EXIT_OK) {
            fprintf(stderr, "sluice run: %s\n", status.text);
        }
        sl_settings_free(settings);
    }
    sl_buf_fini(&errors);
    return code;
}

static int run(struct sl_tool_options *common)
{
    const struct run_options *options = SL_CONTAINER_OF(common, struct run_options, common);

    if (!options->common.config) {
        sl_tool_complain(&options->common, "no file; expected -c FILE");
        return SL_EXIT_USAGE;
    }
    return collect(options);
}

int sl_command_run(int argc, char **argv)
{
    struct run_options options = {0};

    return sl_tool_main(&sl_tool_run_command, argc, argv, &options.common, run);
}
