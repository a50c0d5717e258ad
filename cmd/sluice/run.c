#include "commands.h"

#include <getopt.h>
#include <stdio.h>

#include "base/log.h"
#include "daemon/daemon.h"

static const char usage[] =
    "usage: sluice run -c FILE [--log-level debug|info|warn|error]\n\n"
    "Collects: dials every target of FILE, publishes what it streams to its sinks. SIGTERM or\n"
    "SIGINT ends it: what is held is published first, at most shutdown-timeout long; a second\n"
    "one ends it at once.\n";

static const char *const level_names[] = {"debug", "info", "warn", "error", NULL};

static bool set_level(const char *name)
{
    for (int i = 0; level_names[i]; i++) {
        if (sl_str_eq_c(sl_str_from(name), level_names[i])) {
            sl_log_set_level((enum sl_log_level)i);
            return true;
        }
    }
    fprintf(stderr, "sluice run: unknown log level '%s': expected debug, info, warn or error\n",
            name);
    return false;
}

static int collect(const char *file)
{
    struct sl_buf errors = {0};
    struct sl_settings *settings = sl_settings_read(file, &errors);
    int code = SL_EXIT_FAILED;

    if (!settings) {
        fputs(sl_buf_text(&errors), stderr);
    } else {
        struct sl_status status = sl_daemon_run(settings);
        code = sl_status_is_ok(&status) ? SL_EXIT_OK : SL_EXIT_FAILED;
        if (code != SL_EXIT_OK) {
            fprintf(stderr, "sluice run: %s\n", status.text);
        }
        sl_settings_free(settings);
    }
    sl_buf_fini(&errors);
    return code;
}

int sl_command_run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"log-level", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *file = NULL;

    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return SL_EXIT_OK;
        }
        if (option == 'c') {
            file = optarg;
        } else if (option != 'l' || !set_level(optarg)) {
            return SL_EXIT_USAGE;
        }
    }
    if (!file || optind != argc) {
        fputs(usage, stderr);
        return SL_EXIT_USAGE;
    }
    return collect(file);
}
