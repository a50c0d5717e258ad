/* `sluice ctl capture`: the file of what a stream of a running sluice receives. */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config/values.h"
#include "tool/admin_json.h"
#include "tool/dial.h"

enum {
    LOOK_MS = 250,
    FILE_MODE = 0640,
    MAX_FILE_BYTES = 64 * 1024 * 1024, /* what the API gives */
    STARTED_BYTES = 40,
};

struct capture {
    const struct ctl *ctl;
    const char *target;
    char started[STARTED_BYTES]; /* which capture it is */
    bool is_file;                /* that it is written to; else a pipe or a terminal, as it is */
    json_t *state;               /* the last that was told; NULL: none */
};

static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* The first one ends the capture, the second one us. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- questions ---- */

static struct sl_buf path_of(const struct capture *capture, const char *end)
{
    struct sl_buf path = {0};

    sl_buf_add_c(&path, "/api/v1/targets/");
    sl_admin_add_escaped(&path, capture->target);
    sl_buf_printf(&path, "/capture%s", end);
    return path;
}

/* Keeps the state that was answered. */
static int ask(struct capture *capture, const char *method, const char *end, const char *body)
{
    struct sl_buf path = path_of(capture, end);
    const struct sl_admin_reply *reply = ctl_ask(capture->ctl, method, &path, body, 0);

    if (reply->exit == SL_TOOL_EXIT_OK) {
        json_decref(capture->state);
        capture->state = json_incref(reply->json);
    }
    return (int)reply->exit;
}

/* NULL: memory is out, or a name is no UTF-8. */
static char *body_of(const struct ctl *ctl, uint64_t max_bytes)
{
    struct sl_buf duration = {0};

    sl_config_add_duration(&duration, ctl->duration_ns);
    json_t *body = json_pack("{s:s}", "duration", sl_buf_text(&duration));
    sl_buf_fini(&duration);
    if (body && max_bytes) {
        json_object_set_new(body, "max_bytes", json_integer((json_int_t)max_bytes));
    }
    if (body && ctl->subscription) {
        json_object_set_new(body, "subscription", json_string(ctl->subscription));
    }
    bool is_whole =
        json_object_size(body) == 1 + (size_t)(max_bytes > 0) + (size_t)(ctl->subscription != NULL);
    char *text = is_whole ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

static int begin(struct capture *capture, uint64_t max_bytes)
{
    char *body = body_of(capture->ctl, max_bytes);
    int code = SL_TOOL_EXIT_FAILED;

    if (!body) {
        sl_tool_complain(&capture->ctl->common, "out of memory, or a name that is no UTF-8");
        return code;
    }
    code = ask(capture, "POST", "", body);
    free(body);
    snprintf(capture->started, sizeof(capture->started), "%s",
             sl_admin_text(capture->state, "started"));
    return code;
}

static bool is_over(const struct capture *capture)
{
    return strcmp(sl_admin_text(capture->state, "state"), "ended") == 0;
}

/* Until it is over, which it is soon after a signal. */
static int await_end(struct capture *capture)
{
    int code = SL_TOOL_EXIT_OK;

    while (code == SL_TOOL_EXIT_OK && !is_over(capture)) {
        if (is_interrupted) {
            code = ask(capture, "POST", "/stop", "{}");
            continue;
        }
        if (sl_admin_client_poll(capture->ctl->client, -1, LOOK_MS)) {
            return SL_TOOL_EXIT_FAILED; /* nothing was under way */
        }
        code = is_interrupted ? code : ask(capture, "GET", "", NULL);
        if (code == SL_TOOL_EXIT_OK &&
            strcmp(capture->started, sl_admin_text(capture->state, "started")) != 0) {
            sl_tool_complain(&capture->ctl->common,
                             "somebody dropped the capture and began another one");
            code = SL_TOOL_EXIT_REFUSED;
        }
    }
    return code;
}

/* ---- the file ---- */

/* Whole, or not at all: under another name first. False: errno. */
static bool replace(const char *path, struct sl_str text)
{
    struct sl_buf name = {0};

    sl_buf_printf(&name, "%s.XXXXXX", path);
    char *made = name.failed ? NULL : name.data;
    int fd = made ? mkostemp(made, O_CLOEXEC) : -1;
    mode_t mask = umask(0);
    umask(mask);
    bool is_good =
        fd >= 0 && fchmod(fd, FILE_MODE & ~mask) == 0 && sl_file_write(fd, text) && fsync(fd) == 0;
    if (fd >= 0) {
        is_good = close(fd) == 0 && is_good;
        is_good = is_good && rename(made, path) == 0;
    }
    if (fd >= 0 && !is_good) {
        int error = errno;
        unlink(made);
        errno = error;
    }
    sl_buf_fini(&name);
    return is_good;
}

static bool write_through(const char *path, struct sl_str text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_good = fd >= 0 && sl_file_write(fd, text);

    return (fd < 0 || close(fd) == 0) && is_good;
}

static int fetch(const struct capture *capture)
{
    const char *output = capture->ctl->output;
    struct sl_buf path = path_of(capture, "/file");
    const struct sl_admin_request request = {
        .method = "GET", .path = sl_buf_text(&path), .most_bytes = MAX_FILE_BYTES};
    const struct sl_admin_reply *reply = sl_admin_client_ask(capture->ctl->client, &request);

    sl_buf_fini(&path);
    if (reply->exit != SL_TOOL_EXIT_OK) {
        return (int)reply->exit;
    }
    if (capture->is_file ? !replace(output, reply->body) : !write_through(output, reply->body)) {
        sl_tool_complain(&capture->ctl->common, "%s: %s; the capture is there for some minutes",
                         output, strerror(errno));
        return SL_TOOL_EXIT_FAILED;
    }
    return SL_TOOL_EXIT_OK;
}

/* ---- the command ---- */

static void summarise(const struct capture *capture, struct sl_buf *out)
{
    const json_t *state = capture->state;

    sl_buf_printf(out, "%s messages=%.0f bytes=%.0f end=%s\n", capture->ctl->output,
                  sl_admin_count(state, "messages"), sl_admin_count(state, "bytes"),
                  sl_admin_text(state, "end"));
}

/* As `sluice capture`; as JSON the state; nothing beside a file that goes to a pipe. */
static int print_end(const struct capture *capture)
{
    const char *end = sl_admin_text(capture->state, "end");
    struct sl_buf out = {0};
    char *dump = NULL;

    if (strcmp(end, "full") == 0) {
        sl_tool_complain(&capture->ctl->common,
                         "it was full before its time: --max-bytes makes room for more");
    } else if (strcmp(end, "request") == 0 || strcmp(end, "closed") == 0) {
        sl_tool_complain(&capture->ctl->common, "the stream %s before its time",
                         *end == 'c' ? "was closed" : "asked its device for something else");
    }
    if (!capture->is_file) {
        return SL_TOOL_EXIT_OK;
    }
    if (capture->ctl->common.format != CTL_JSON) {
        summarise(capture, &out);
    } else {
        dump = json_dumps(capture->state, JSON_COMPACT | JSON_ENSURE_ASCII);
        sl_buf_printf(&out, "%s\n", dump ? dump : "");
        free(dump);
    }
    return ctl_print_out(capture->ctl, &out);
}

/* Begins it, and gives the memory back once the file is written. */
static int run(struct capture *capture, uint64_t max_bytes)
{
    int code = begin(capture, max_bytes);

    if (code == SL_TOOL_EXIT_OK) {
        code = await_end(capture);
    }
    if (code == SL_TOOL_EXIT_OK) {
        code = fetch(capture);
    }
    if (code == SL_TOOL_EXIT_OK) {
        code = print_end(capture);
        struct sl_buf path = path_of(capture, "");
        (void)ctl_ask(capture->ctl, "DELETE", &path, NULL, 0);
    }
    return code;
}

int ctl_capture(const struct ctl *ctl, const char *target)
{
    struct capture capture = {.ctl = ctl, .target = target};
    uint64_t max_bytes = 0;

    if (!ctl->output) {
        sl_tool_complain(&ctl->common, "capture: no file; expected -o FILE");
        return SL_TOOL_EXIT_USAGE;
    }
    if (ctl->max_bytes_text &&
        (!sl_config_to_size(sl_str_from(ctl->max_bytes_text), &max_bytes) || max_bytes == 0)) {
        sl_tool_complain(&ctl->common, "--max-bytes %s: expected a size, such as 64KiB or 10MiB",
                         ctl->max_bytes_text);
        return SL_TOOL_EXIT_USAGE;
    }
    struct stat is;
    capture.is_file = stat(ctl->output, &is) != 0 || S_ISREG(is.st_mode);
    catch_signals();
    int code = run(&capture, max_bytes);
    json_decref(capture.state);
    return code;
}
