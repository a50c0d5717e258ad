#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/writer.h"
#include "config/values.h"
#include "gnmi.services.h"
#include "gnmi/vendor.h"
#include "subscribe.h"

#define AT(field) offsetof(struct capture, field)

/* Of one RPC. */
struct capture_file {
    const struct subscribe_rpc *rpc;
    struct sl_buf path;
    const char *subscriptions[2];
    struct sl_capture_writer *writer;
    uint64_t messages;
    uint64_t bytes;
    bool has_ended;       /* the last entry is the end of a call */
    const char *reason;   /* why it stops, where that is not to be seen from outside */
    struct sl_status why; /* it could not be written */
};

/* Whose device a target is, before anything is captured: a replay goes by that. */
struct capture_inquiry {
    struct capture *capture;
    struct sl_tool_target *target;
    const struct sl_gnmi_vendor *vendor; /* NULL: it does not tell */
};

struct capture {
    struct subscribe subscribe;
    const char *output;
    const char *max_bytes_text;
    const char *rotate_text;
    int64_t keep;
    uint64_t max_bytes;
    uint64_t rotate_bytes;
    struct capture_file *files;        /* of each RPC, in their order */
    struct capture_inquiry *inquiries; /* of each target */
};

static const struct sl_flag file_flags[] = {
    {.name = "output",
     .letter = 'o',
     .type = SL_FLAG_TEXT,
     .offset = AT(output),
     .value = "FILE",
     .doc = "the capture; {target} and {subscription} in it stand for those names. A file that is "
            "there is written anew"},
    {.name = "max-bytes",
     .type = SL_FLAG_TEXT,
     .offset = AT(max_bytes_text),
     .value = "SIZE",
     .doc = "of each capture, 64KiB, 10MiB, then the end"},
    {.name = "rotate",
     .type = SL_FLAG_TEXT,
     .offset = AT(rotate_text),
     .value = "SIZE",
     .doc = "files of that size, FILE.000001 and so on, each of which is a capture by itself"},
    {.name = "keep",
     .type = SL_FLAG_NUMBER,
     .offset = AT(keep),
     .value = "N",
     .max = UINT32_MAX,
     .doc = "with --rotate: the newest N files alone"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {
    {"File", file_flags},
    {"What", subscribe_what_flags},
    {"How", subscribe_how_flags},
    {"Targets and connection", sl_tool_connection_flags},
    {"Login", sl_tool_login_flags},
    {"Request", sl_tool_request_flags},
    {"Extensions", sl_tool_extension_flags},
    {"Output", sl_tool_output_flags},
    {NULL, NULL},
};

const struct sl_tool sl_tool_capture = {
    .name = "capture",
    .doc = "keep what devices send in files, to be played again",
    .usage = "-o FILE --path PATH ...",
    .text =
        "Subscribes as 'sluice subscribe' does, and keeps every message as it came, byte by byte,\n"
        "with its time and with the ends of calls: a file for each RPC. It is played again by a\n"
        "target with 'replay: {file: FILE}' in the configuration of 'sluice run', by 'sluice sim\n"
        "--replay FILE', which any gNMI client may ask, and by 'sluice subscribe --replay FILE'.\n"
        "Nothing waits in memory: a slow disk holds the device. There is no user name and no\n"
        "password in it, but what the device said is. 'protoc --decode' prints it by\n"
        "proto/capture.proto.",
    .examples =
        "  sluice capture -a leaf1:57400 -u admin --tls-ca ca.pem -o leaf1.capture \\\n"
        "      --path /interfaces --duration 1m\n"
        "  sluice capture -c sluice.yaml --target 'leaf*' -o '{target}-{subscription}.capture'\n"
        "  sluice capture -c sluice.yaml --target leaf1 --name counters --retry 5s \\\n"
        "      -o leaf1.capture --rotate 100MiB --keep 10",
    .groups = groups,
};

static struct capture *capture_of(struct subscribe *tool)
{
    return SL_CONTAINER_OF(tool, struct capture, subscribe);
}

static struct capture_file *file_of(const struct subscribe_rpc *rpc)
{
    struct subscribe *tool = rpc->tool;

    return &capture_of(tool)->files[rpc - tool->rpcs];
}

static const char *path_of(struct capture_file *file)
{
    return sl_buf_text(&file->path);
}

/* ---- names ---- */

/* A name that may stand in a file's. */
static void add_name(struct sl_buf *out, const char *name)
{
    for (; *name; name++) {
        sl_buf_add_byte(out, *name == '/' ? '_' : *name);
    }
}

static void fill_path(struct sl_buf *out, const char *pattern, const struct subscribe_rpc *rpc)
{
    static const struct sl_str target = {"{target}", 8};
    static const struct sl_str subscription = {"{subscription}", 14};

    while (*pattern) {
        struct sl_str rest = sl_str_from(pattern);
        if (sl_str_starts_with(rest, target)) {
            add_name(out, rpc->target->name);
            pattern += target.len;
        } else if (sl_str_starts_with(rest, subscription)) {
            add_name(out, rpc->name);
            pattern += subscription.len;
        } else {
            sl_buf_add_byte(out, *pattern++);
        }
    }
}

static int compare_paths(const void *a, const void *b)
{
    const struct capture_file *const *one = a;
    const struct capture_file *const *other = b;

    return sl_str_cmp(sl_buf_str(&(*one)->path), sl_buf_str(&(*other)->path));
}

/* No two captures in one file. */
static bool are_apart(struct capture *capture)
{
    size_t count = capture->subscribe.rpc_count;
    struct capture_file **sorted = calloc(count, sizeof(*sorted));
    bool are = sorted != NULL;

    for (size_t i = 0; are && i < count; i++) {
        sorted[i] = &capture->files[i];
    }
    if (are) {
        qsort(sorted, count, sizeof(*sorted), compare_paths);
    }
    for (size_t i = 1; are && i < count; i++) {
        are = compare_paths(&sorted[i - 1], &sorted[i]) != 0 ||
              sl_tool_complain(&capture->subscribe.common,
                               "%zu RPCs, and two of them would be in one file, %s: {target} and "
                               "{subscription} in --output tell them apart",
                               count, path_of(sorted[i]));
    }
    free(sorted);
    return are;
}

/* ---- files ---- */

static bool read_size(const struct capture *capture, const char *flag, const char *text,
                      uint64_t *bytes)
{
    return !text || (sl_config_to_size(sl_str_from(text), bytes) && *bytes > 0) ||
           sl_tool_complain(&capture->subscribe.common,
                            "--%s %s: expected a size, such as 64KiB or 10MiB", flag, text);
}

/* Not the device's fault. */
static struct sl_status file_error(struct capture_file *file, const struct sl_status *why)
{
    return sl_status_because("file",
                             sl_status_error(SL_INTERNAL, "%.100s: %s", path_of(file), why->text));
}

static bool open_file(struct capture *capture, struct capture_file *file,
                      const struct sl_gnmi_vendor *vendor)
{
    const struct subscribe_rpc *rpc = file->rpc;
    const struct sl_capture_writer_options options = {
        .path = path_of(file),
        .header = {.target = sl_str_from(rpc->target->name),
                   .vendor = sl_str_from(vendor ? vendor->name : NULL),
                   .sluice = SL_STR(SLUICE_VERSION),
                   .request = sl_buf_str(&rpc->request),
                   .started_ns = sl_loop_wall_ns()},
        .subscriptions = file->subscriptions,
        .rotate_bytes = capture->rotate_bytes,
        .keep = (uint32_t)capture->keep,
    };
    struct sl_status why;

    file->subscriptions[0] = rpc->name;
    file->writer = sl_capture_writer_open(&options, &why);
    if (!file->writer) {
        file->why = file_error(file, &why);
    }
    return file->writer != NULL;
}

static bool name_files(struct subscribe *tool)
{
    struct capture *capture = capture_of(tool);

    capture->files = calloc(tool->rpc_count, sizeof(*capture->files));
    capture->inquiries = calloc(tool->run.target_count, sizeof(*capture->inquiries));
    if (!capture->files || !capture->inquiries) {
        return sl_tool_complain(&tool->common, "out of memory");
    }
    for (size_t i = 0; i < tool->rpc_count; i++) {
        capture->files[i].rpc = &tool->rpcs[i];
        capture->files[i].why = sl_status_ok();
        fill_path(&capture->files[i].path, capture->output, &tool->rpcs[i]);
    }
    return are_apart(capture);
}

/* ---- the beginning ---- */

/* The target's files, then its RPCs. */
static void begin(struct capture_inquiry *inquiry)
{
    struct capture *capture = inquiry->capture;
    struct sl_status why = sl_status_ok();

    for (size_t i = 0; i < capture->subscribe.rpc_count && sl_status_is_ok(&why); i++) {
        struct capture_file *file = &capture->files[i];
        if (file->rpc->target == inquiry->target && !open_file(capture, file, inquiry->vendor)) {
            why = file->why;
        }
    }
    if (sl_status_is_ok(&why) && !subscribe_begin(&capture->subscribe, inquiry->target)) {
        why = sl_status_out_of_memory();
    }
    if (!sl_status_is_ok(&why)) {
        sl_tool_finish(inquiry->target, &why);
    }
}

static enum sl_grpc_take on_capabilities(struct sl_grpc_call *call, const uint8_t *bytes,
                                         uint32_t length, void *arg)
{
    struct capture_inquiry *inquiry = arg;
    struct sl_gnmi_capabilities told;

    (void)call;
    sl_gnmi_capabilities_read((struct sl_str){(const char *)bytes, length}, &told);
    inquiry->vendor = told.vendor;
    return SL_GRPC_TAKEN;
}

/* A device that does not tell is captured all the same. */
static void on_told(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct capture_inquiry *inquiry = arg;

    (void)call;
    (void)status;
    if (!inquiry->target->is_finished) {
        begin(inquiry);
    }
}

static bool ask(struct capture_inquiry *inquiry)
{
    static const struct sl_grpc_call_events events = {.on_bytes = on_capabilities,
                                                      .on_status = on_told};
    const struct sl_grpc_request request =
        sl_tool_request(inquiry->target, &gnmi__g_nmi__methods[GNMI__G_NMI__CAPABILITIES], true);
    struct sl_grpc_call *call =
        sl_grpc_channel_call(inquiry->target->channel, &request, &events, inquiry);

    if (!call) {
        return false;
    }
    if (sl_grpc_call_send_bytes(call, "", 0) == SL_GRPC_SENT) { /* an empty CapabilityRequest */
        sl_grpc_call_half_close(call);
    } else {
        sl_grpc_call_cancel(call);
    }
    return true;
}

static bool greet(struct subscribe *tool, struct sl_tool_target *target)
{
    struct capture *capture = capture_of(tool);
    struct capture_inquiry *inquiry = &capture->inquiries[target - tool->run.targets];
    const struct sl_target_settings *settings = target->settings;

    *inquiry = (struct capture_inquiry){.capture = capture, .target = target};
    inquiry->vendor = settings ? sl_target_vendor(&settings->options) : NULL;
    if (!inquiry->vendor) {
        return ask(inquiry);
    }
    begin(inquiry);
    return true;
}

/* ---- what comes ---- */

static struct sl_status take(struct subscribe_rpc *rpc, struct sl_str message)
{
    struct capture_file *file = file_of(rpc);
    uint64_t limit = capture_of(rpc->tool)->max_bytes;
    struct sl_status why;

    if (!sl_capture_writer_response(file->writer, sl_loop_wall_ns(), message, &why)) {
        file->why = file_error(file, &why);
        return file->why;
    }
    file->has_ended = false;
    file->messages++;
    file->bytes += message.len;
    if (limit && sl_capture_writer_bytes(file->writer) >= limit) {
        why = sl_status_ok();
        file->reason = "size";
        sl_tool_watch_end(&rpc->watch, &why);
    }
    return sl_status_ok();
}

static void end(struct subscribe_rpc *rpc, const struct sl_grpc_call *call,
                const struct sl_status *status)
{
    struct capture_file *file = file_of(rpc);
    struct sl_str said = sl_grpc_call_status_message(call);
    struct sl_str text = said.len || !status->reason ? said : sl_str_from(status->text);
    struct sl_status why;

    file->has_ended =
        sl_capture_writer_end(file->writer, sl_loop_wall_ns(), status->code, text, &why);
    if (!file->has_ended) {
        file->why = file_error(file, &why);
    }
}

/* ---- the end ---- */

static const char *reason_of(const struct capture_file *file)
{
    const struct subscribe *tool = file->rpc->tool;

    const struct sl_status *status = &file->rpc->target->status;

    return file->has_ended            ? NULL
           : file->reason             ? file->reason
           : !sl_status_is_ok(status) ? "failed"
           : tool->run.is_interrupted ? "signal"
           : tool->count              ? "count"
           : tool->duration_ns        ? "duration"
                                      : "done";
}

static void summarise(struct capture_file *file, const char *reason)
{
    printf("%s messages=%llu bytes=%llu end=%s\n", path_of(file),
           (unsigned long long)file->messages, (unsigned long long)file->bytes,
           reason ? reason : "device");
}

/* False: it is not all on the disk. */
static bool close_file(struct capture_file *file)
{
    const char *reason = reason_of(file);
    struct sl_status why;
    bool is_good = sl_status_is_ok(&file->why);

    if (!file->writer) {
        return true; /* why there is none is told */
    }
    if (!sl_capture_writer_close(file->writer, sl_loop_wall_ns(), is_good ? reason : NULL, &why)) {
        is_good = sl_tool_complain(&file->rpc->tool->common, "%s: %s", path_of(file), why.text);
    }
    if (!file->rpc->tool->quiet) {
        summarise(file, is_good ? reason : "error");
    }
    return is_good;
}

static enum sl_tool_exit close_files(struct subscribe *tool, enum sl_tool_exit code)
{
    struct capture *capture = capture_of(tool);
    bool is_good = true;

    for (size_t i = 0; capture->files && i < tool->rpc_count; i++) {
        is_good = close_file(&capture->files[i]) && is_good;
        sl_buf_fini(&capture->files[i].path);
    }
    free(capture->files);
    free(capture->inquiries);
    return is_good || code != SL_TOOL_EXIT_OK ? code : SL_TOOL_EXIT_FAILED;
}

static bool check_words(struct subscribe *tool)
{
    struct capture *capture = capture_of(tool);

    return (capture->output || sl_tool_complain(&tool->common, "no file; expected -o FILE")) &&
           read_size(capture, "max-bytes", capture->max_bytes_text, &capture->max_bytes) &&
           read_size(capture, "rotate", capture->rotate_text, &capture->rotate_bytes) &&
           (!capture->keep || capture->rotate_bytes ||
            sl_tool_complain(&tool->common, "--keep is of no use without --rotate"));
}

static const struct subscribe_way way = {
    .check = check_words,
    .open = name_files,
    .greet = greet,
    .take = take,
    .end = end,
    .close = close_files,
};

int sl_command_capture(int argc, char **argv)
{
    struct capture capture = {.subscribe = {.way = &way}};

    return subscribe_main(&sl_tool_capture, &capture.subscribe, argc, argv);
}
