#include "import_diff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "capture/source.h"
#include "commands.h"
#include "daemon/daemon.h"
#include "import/diff.h"
#include "normalise/encoder.h"
#include "tool/value_text.h"

enum { CHUNK_BYTES = 64 * 1024, NAMES_BYTES = 400 };

/* A configuration that runs by itself (import/import.h). */
struct trial {
    const struct import_diff *diff;
    char capture[PATH_MAX]; /* from the root */
    char target[SL_SETTINGS_MAX_NAME_BYTES + 1];
    char subscription[SL_SETTINGS_MAX_NAME_BYTES + 1];
    char output[SL_SETTINGS_MAX_NAME_BYTES + 1];
    struct sl_settings *settings;
};

static bool complain(const struct trial *trial, const char *what)
{
    return sl_tool_complain(trial->diff->common, "%s: %s", trial->diff->file, what);
}

/* ---- its configuration ---- */

static const char *or_null(const char *name)
{
    return *name ? name : NULL;
}

static bool write_trial(struct trial *trial, struct sl_buf *text)
{
    const struct import_diff *diff = trial->diff;
    struct sl_import_options options = diff->options;

    options.replay = trial->capture;
    options.target = or_null(trial->target);
    options.subscription = or_null(trial->subscription);
    options.output = or_null(trial->output);
    struct sl_import *import = sl_import_new(diff->config, &options);
    sl_buf_reset(text);
    bool is_good = import && (diff->is_telegraf ? sl_import_telegraf(import, diff->file, text)
                                                : sl_import_gnmic(import, diff->file, text));
    sl_import_free(import);
    return is_good;
}

/* Errors are of a file that nobody sees. */
static void print_errors(const struct trial *trial, struct sl_buf *errors, const char *place)
{
    char *rest = NULL;

    complain(trial, "the new configuration cannot run here:");
    for (char *line = strtok_r((char *)(uintptr_t)sl_buf_text(errors), "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        size_t len = strlen(place);
        bool is_ours = strncmp(line, place, len) == 0;
        fprintf(stderr, "  %s%s\n", is_ours ? "trial" : "", line + (is_ours ? len : 0));
    }
}

static bool read_settings(struct trial *trial, const struct sl_buf *text)
{
    int file = memfd_create("sluice-import", MFD_CLOEXEC);
    char place[64];
    struct sl_buf errors = {0};

    snprintf(place, sizeof(place), "/proc/self/fd/%d", file);
    if (file < 0 || write(file, text->data, text->len) != (ssize_t)text->len) {
        sl_tool_complain(trial->diff->common, "a file in memory: %s", strerror(errno));
    } else {
        sl_settings_free(trial->settings);
        trial->settings = sl_settings_read(place, &errors);
        if (!trial->settings) {
            print_errors(trial, &errors, place);
        }
    }
    if (file >= 0) {
        close(file);
    }
    sl_buf_fini(&errors);
    return trial->settings != NULL;
}

/* Writes it, with the names that are known so far. */
static bool make(struct trial *trial, struct sl_buf *text)
{
    bool is_asked = trial->diff->options.target != NULL;

    if (write_trial(trial, text)) {
        return true;
    }
    if (*trial->target && !is_asked) {
        trial->target[0] = 0; /* what the capture calls its target, nobody here is called */
        if (write_trial(trial, text)) {
            return true;
        }
    }
    return complain(trial, is_asked || *trial->subscription
                               ? "no such target with such a subscription would be in the new file"
                               : "nothing in it could run; without --diff it is told why");
}

/* ---- which records ---- */

/* The names so far, and whether one of them is this. */
struct names {
    char text[NAMES_BYTES];
    const char *first;
    size_t count;
};

static void add_name(struct names *names, const char *name)
{
    size_t len = strlen(names->text);

    names->first = names->first ? names->first : name;
    if (names->first == name && names->count) {
        return;
    }
    names->count++;
    snprintf(names->text + len, sizeof(names->text) - len, "%s%s", len ? ", " : "", name);
}

static bool choose(const struct trial *trial, const char *flag, const struct names *names,
                   char chosen[SL_SETTINGS_MAX_NAME_BYTES + 1])
{
    if (names->count != 1) {
        return sl_tool_complain(trial->diff->common, "%s: which one of these? --%s NAME: %s",
                                trial->diff->file, flag, names->text);
    }
    snprintf(chosen, SL_SETTINGS_MAX_NAME_BYTES + 1, "%s", names->first);
    return true;
}

/* Of the one target: those that it names, else all. */
static bool choose_subscription(struct trial *trial, struct sl_config *config)
{
    const struct sl_config_node *root = sl_config_root(config);
    const struct sl_config_node *target = sl_config_at(sl_config_get(root, "targets"), 0);
    const struct sl_config_node *named = sl_config_get(target, "subscriptions");
    const struct sl_config_node *all = sl_config_get(root, "subscriptions");
    struct names names = {.count = 0};

    for (size_t i = 0; i < sl_config_count(named ? named : all); i++) {
        const char *name =
            named ? sl_config_text(config, sl_config_item(named, i)) : sl_config_key(all, i);
        add_name(&names, name ? name : "");
    }
    return choose(trial, "subscription", &names, trial->subscription);
}

/* Of the one subscription. */
static bool choose_output(struct trial *trial)
{
    const struct sl_stream_settings *stream = &trial->settings->targets[0].streams[0];
    const char *wanted = trial->diff->options.output;
    struct names names = {.count = 0};

    for (size_t i = 0; i < stream->sink_count; i++) {
        const char *name = stream->sinks[i]->spec.name;
        if (!wanted || strcmp(wanted, name) == 0) {
            add_name(&names, name);
        }
    }
    if (!names.count) {
        return sl_tool_complain(trial->diff->common,
                                "%s: the subscription '%s' has no sink '%s' there",
                                trial->diff->file, trial->subscription, wanted);
    }
    return choose(trial, "sink", &names, trial->output);
}

/* The capture: where it is, and whose it is as far as it says. */
static bool look_at_capture(struct trial *trial)
{
    const struct import_diff *diff = trial->diff;
    const char *path = diff->options.replay;
    struct sl_status why;
    struct sl_capture_source *source = sl_capture_source_open(path, &why);

    if (!source || !realpath(path, trial->capture)) {
        sl_tool_complain(diff->common, "%s: %s", path, source ? strerror(errno) : why.text);
        sl_capture_source_close(source);
        return false;
    }
    struct sl_str target = sl_capture_source_header(source)->target;
    if (diff->options.target) {
        target = sl_str_from(diff->options.target);
    }
    snprintf(trial->target, sizeof(trial->target), "%.*s", SL_STR_ARG(target));
    snprintf(trial->subscription, sizeof(trial->subscription), "%s",
             diff->options.subscription ? diff->options.subscription : "");
    sl_capture_source_close(source);
    return true;
}

static const struct sl_sink_settings *output_of(const struct trial *trial)
{
    const struct sl_stream_settings *stream = &trial->settings->targets[0].streams[0];

    for (size_t i = 0; i < stream->sink_count; i++) {
        if (strcmp(stream->sinks[i]->spec.name, trial->output) == 0) {
            return stream->sinks[i];
        }
    }
    return NULL;
}

/* A capture is that of one subscription. */
static bool settle_subscription(struct trial *trial, struct sl_buf *text)
{
    struct sl_config *config = sl_config_parse("trial", sl_buf_str(text));
    bool is_good = config && sl_config_errors(config) == 0;

    is_good = is_good ? choose_subscription(trial, config)
                      : sl_tool_complain(trial->diff->common, "out of memory");
    sl_config_free(config);
    return is_good;
}

static bool prepare(struct trial *trial, struct sl_buf *text)
{
    if (!look_at_capture(trial) || !make(trial, text) || !settle_subscription(trial, text) ||
        !make(trial, text) || !read_settings(trial, text) || !choose_output(trial) ||
        !make(trial, text) || !read_settings(trial, text)) {
        return false;
    }
    const struct sl_sink_settings *output = output_of(trial);
    SL_ASSERT(output);
    return output->spec.format != SL_FORMAT_PROTO ||
           sl_tool_complain(trial->diff->common,
                            "sink '%s' has the format proto, the messages as they came: there is "
                            "nothing to compare",
                            trial->output);
}

/* ---- both ends ---- */

static bool feed(const struct trial *trial, struct sl_diff *records, enum sl_diff_end end, int file,
                 const char *name)
{
    char chunk[CHUNK_BYTES];
    ssize_t len = 0;

    do {
        len = read(file, chunk, sizeof(chunk));
        bool is_good = len > 0    ? sl_diff_add(records, end, (struct sl_str){chunk, (size_t)len})
                       : len == 0 ? sl_diff_finish(records, end)
                                  : errno == EINTR;
        if (!is_good) {
            return sl_tool_complain(trial->diff->common, "%s: %s", name,
                                    len < 0 ? strerror(errno) : sl_diff_error(records));
        }
    } while (len != 0);
    return true;
}

static bool feed_old(const struct trial *trial, struct sl_diff *records)
{
    const char *name = trial->diff->old;
    bool is_input = strcmp(name, "-") == 0;
    int file = is_input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        return sl_tool_complain(trial->diff->common, "%s: %s", name, strerror(errno));
    }
    bool is_good = feed(trial, records, SL_DIFF_OLD, file, is_input ? "standard input" : name);
    if (!is_input) {
        close(file);
    }
    return is_good;
}

/* The collector itself, in a process of its own, until the capture is through. */
_Noreturn static void collect(const struct trial *trial, int out)
{
    (void)dup2(out, STDOUT_FILENO);
    sl_log_set(SL_LOG_ERROR, SL_LOG_LOGFMT);
    struct sl_status status = sl_daemon_run(trial->settings, "trial");
    if (!sl_status_is_ok(&status)) {
        sl_tool_complain(trial->diff->common, "%s", status.text);
    }
    _exit(sl_status_is_ok(&status) ? SL_EXIT_OK : SL_EXIT_FAILED);
}

static bool feed_new(const struct trial *trial, struct sl_diff *records)
{
    int ends[2];
    int outcome = 0;

    fflush(stdout);
    pid_t child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (child == 0) {
        collect(trial, ends[1]);
    }
    if (child < 0) {
        return sl_tool_complain(trial->diff->common, "no process for the replay: %s",
                                strerror(errno));
    }
    close(ends[1]);
    bool is_good = feed(trial, records, SL_DIFF_NEW, ends[0], "the new records");
    close(ends[0]);
    if (!is_good) {
        kill(child, SIGKILL);
    }
    (void)waitpid(child, &outcome, 0);
    return is_good &&
           (outcome == 0 || sl_tool_complain(trial->diff->common, "%s: the replay did not end well",
                                             trial->diff->options.replay));
}

/* ---- the whole ---- */

/* What the new configuration has not may be why records differ. */
static void tell_left_out(const struct import_diff *diff)
{
    const struct sl_import_options options = {.host = diff->options.host};
    struct sl_import *import = sl_import_new(diff->config, &options);
    struct sl_buf text = {0};
    bool is_good = import && (diff->is_telegraf ? sl_import_telegraf(import, diff->file, &text)
                                                : sl_import_gnmic(import, diff->file, &text));

    if (is_good && sl_import_left_out(import)) {
        fprintf(stderr,
                "%s: left out of the new configuration: %zu, which may be why; 'sluice import %s' "
                "lists it\n",
                diff->file, sl_import_left_out(import), diff->file);
    }
    sl_import_free(import);
    sl_buf_fini(&text);
}

static bool print(const struct trial *trial, const struct sl_diff *records)
{
    const struct import_diff *diff = trial->diff;
    const char *old = strcmp(diff->old, "-") == 0 ? "standard input" : diff->old;
    struct sl_buf text = {0};

    sl_buf_printf(&text, "# target %s, subscription %s, sink %s, format %s\n",
                  trial->settings->targets[0].name, trial->subscription, trial->output,
                  sl_format_name((enum sl_format)output_of(trial)->spec.format));
    sl_diff_print(records, old, (size_t)diff->limit, &text);
    bool is_good =
        !text.failed && fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    if (is_good && !sl_diff_is_same(records)) {
        tell_left_out(diff);
    }
    sl_buf_fini(&text);
    return is_good ||
           sl_tool_complain(diff->common, "standard output, or memory: %s", strerror(errno));
}

static int compare(const struct trial *trial)
{
    const struct import_diff *diff = trial->diff;
    bool is_influx = output_of(trial)->spec.format == SL_FORMAT_INFLUX;
    const struct sl_diff_options options = {
        .form = is_influx ? SL_DIFF_INFLUX : SL_DIFF_JSON,
        .ignored = (const char *const *)diff->ignored->items,
        .ignored_count = diff->ignored->count,
    };
    struct sl_diff *records = sl_diff_new(&options);
    int code = SL_EXIT_USAGE;

    if (!records) {
        sl_tool_complain(diff->common, "out of memory");
    } else if (feed_old(trial, records) && feed_new(trial, records) && print(trial, records)) {
        code = sl_diff_is_same(records) ? SL_EXIT_OK : SL_EXIT_FAILED;
    }
    sl_diff_free(records);
    return code;
}

int import_diff(const struct import_diff *diff)
{
    struct trial trial = {.diff = diff};
    struct sl_buf text = {0};
    int code = SL_EXIT_USAGE;

    if (diff->ignored->count > SL_DIFF_MAX_IGNORED) {
        sl_tool_complain(diff->common, "--ignore: more than %d members", SL_DIFF_MAX_IGNORED);
    } else if (prepare(&trial, &text)) {
        code = compare(&trial);
    }
    sl_settings_free(trial.settings);
    sl_buf_fini(&text);
    return code;
}
