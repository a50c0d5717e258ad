#include "commands.h"

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/daemon.h"

enum { LARGE_BLOCK_BYTES = 1024 * 1024 };

static const char usage[] =
    "usage: sluice run -c FILE [--log-level debug|info|warn|error] [--log-format logfmt|json]\n\n"
    "Collects: dials every target of FILE, publishes what it streams to its sinks. SIGTERM or\n"
    "SIGINT ends it: what is held is published first, at most shutdown-timeout long; a second\n"
    "one ends it at once.\n";

/* What the command line says goes before what the file says. */
struct run_options {
    const char *file;
    const char *log_level; /* NULL: the file's */
    const char *log_format;
};

static int find_name(const char *const *names, const char *word)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

/* A word for which there is no such name is an error of the command line. */
static bool check_word(const char *option, const char *const *names, const char *word)
{
    if (!word || find_name(names, word) >= 0) {
        return true;
    }
    fprintf(stderr, "sluice run: %s: unknown word '%s'; expected", option, word);
    for (int i = 0; names[i]; i++) {
        fprintf(stderr, "%s %s", i ? "," : "", names[i]);
    }
    fputc('\n', stderr);
    return false;
}

static void set_log(const struct run_options *options, const struct sl_settings *settings)
{
    int level = settings->collector.log.level;
    int format = settings->collector.log.format;

    level = options->log_level ? find_name(sl_settings_log_levels, options->log_level) : level;
    format = options->log_format ? find_name(sl_settings_log_formats, options->log_format) : format;
    sl_log_set((enum sl_log_level)level, (enum sl_log_format)format);
}

/* Large blocks (a page of metrics, a message of megabytes) go back to the system when they are
 * freed: else glibc raises its threshold with the first of them, and keeps the next ones. */
static void give_memory_back(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
    mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK_BYTES);
}

static int collect(const struct run_options *options)
{
    struct sl_buf errors = {0};
    struct sl_settings *settings = sl_settings_read(options->file, &errors);
    int code = SL_EXIT_FAILED;

    if (!settings) {
        fputs(sl_buf_text(&errors), stderr);
    } else {
        set_log(options, settings);
        give_memory_back();
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
    static const struct option words[] = {
        {"config", required_argument, NULL, 'c'},
        {"log-level", required_argument, NULL, 'l'},
        {"log-format", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct run_options options = {0};

    for (int word; (word = getopt_long(argc, argv, "c:h", words, NULL)) != -1;) {
        if (word == 'h') {
            fputs(usage, stdout);
            return SL_EXIT_OK;
        }
        if (word == '?') {
            return SL_EXIT_USAGE;
        }
        options.file = word == 'c' ? optarg : options.file;
        options.log_level = word == 'l' ? optarg : options.log_level;
        options.log_format = word == 'f' ? optarg : options.log_format;
    }
    if (!options.file || optind != argc) {
        fputs(usage, stderr);
        return SL_EXIT_USAGE;
    }
    if (!check_word("--log-level", sl_settings_log_levels, options.log_level) ||
        !check_word("--log-format", sl_settings_log_formats, options.log_format)) {
        return SL_EXIT_USAGE;
    }
    return collect(&options);
}
