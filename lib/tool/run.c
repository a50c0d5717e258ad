#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "device/device.h"
#include "grpc/message.h"
#include "tool/dial.h"
#include "tool/internal.h"
#include "tool/login.h"
#include "tool/print.h"

enum { SPARE_FILES = 64 };

/* ---- the end of a target ---- */

static void on_gone(void *arg)
{
    struct sl_tool_target *target = arg;
    struct sl_tool_run *run = target->run;

    target->fleet = NULL;
    if (--run->dial->open_targets == 0) {
        sl_loop_stop(run->loop);
    }
}

static void on_channel_closed(void *arg)
{
    struct sl_tool_target *target = arg;

    target->channel = NULL;
    if (target->fleet) {
        sl_device_fleet_close(target->fleet);
    } else {
        on_gone(target);
    }
}

static void close_channel(struct sl_tool_target *target)
{
    if (target->channel && !target->is_closing) {
        target->is_closing = true;
        sl_grpc_channel_close(target->channel, on_channel_closed, target);
    }
}

static void print_failure(const struct sl_tool_target *target, const struct sl_status *status,
                          const char *words)
{
    const char *hint = sl_tool_hint(target, status);

    fprintf(stderr, "sluice %s: %s: %s: %s%s%s%s\n", target->run->options->tool->name, target->name,
            target->has_begun ? sl_code_name(status->code) : "no connection", words,
            hint ? " (try: " : "", hint ? hint : "", hint ? ")" : "");
}

static void finish(struct sl_tool_target *target, const struct sl_status *status, const char *words)
{
    if (target->is_finished) {
        return;
    }
    target->is_finished = true;
    target->status = *status;
    sl_status_hide(&target->status, sl_tool_password(target));
    sl_status_hide(&target->status, target->run->options->token);
    target->exit = sl_tool_class(target, status);
    if (target->exit != SL_TOOL_EXIT_OK) {
        print_failure(target, &target->status, words ? words : target->status.text);
    }
    close_channel(target);
}

void sl_tool_finish(struct sl_tool_target *target, const struct sl_status *status)
{
    finish(target, status, NULL);
}

/* Whether `words` may be shown: whoever says back a secret gets the short form, without it. */
static bool is_clean(const struct sl_tool_target *target, const char *words)
{
    const char *password = sl_tool_password(target);
    const char *token = target->run->options->token;

    return !(password && *password && strstr(words, password)) &&
           !(token && *token && strstr(words, token));
}

void sl_tool_finish_call(struct sl_tool_target *target, const struct sl_grpc_call *call,
                         const struct sl_status *status)
{
    struct sl_str said = sl_grpc_call_status_message(call);
    char *words = said.len && !status->reason ? sl_str_dup(said) : NULL;

    for (char *at = words; at && *at; at++) {
        *at = (*at >= ' ' && *at <= '~') || (*at & 0x80) ? *at : ' ';
    }
    finish(target, status, words && is_clean(target, words) ? words : NULL);
    free(words);
}

/* ---- the connection ---- */

static void on_turn(void *arg)
{
    struct sl_tool_target *target = arg;
    const struct sl_tool_work *work = target->run->work;

    if (target->is_finished || target->has_begun) {
        return; /* its channel may be gone */
    }
    if (sl_grpc_channel_state(target->channel) == SL_GRPC_CHANNEL_READY) {
        target->has_begun = true;
        if (!work->begin(target, work->arg)) {
            struct sl_status why = sl_status_because(
                "out-of-memory", sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));
            sl_tool_finish(target, &why);
        }
    } else if (work->retry_ns) {
        const struct sl_status *why = sl_grpc_channel_last_error(target->channel);
        print_failure(target, why, why->text); /* the channel tries on by itself */
    } else {
        sl_tool_finish(target, sl_grpc_channel_last_error(target->channel));
    }
}

static void on_state(struct sl_grpc_channel *channel, enum sl_grpc_channel_state state, void *arg)
{
    struct sl_tool_target *target = arg;

    (void)channel;
    if (!target->has_begun && !target->is_finished &&
        (state == SL_GRPC_CHANNEL_READY || state == SL_GRPC_CHANNEL_BACKOFF)) {
        sl_loop_defer(target->run->loop, &target->turn);
    }
}

static uint64_t dial_ms(const struct sl_tool_target *target)
{
    const struct sl_tool_options *options = target->run->options;
    int64_t ns = options->timeout_ns;

    if (target->settings && !sl_tool_is_given(options, "timeout")) {
        ns = target->settings->options.dial_timeout_ns;
    }
    return sl_max_u64((uint64_t)(ns / SL_NS_PER_MS), 1);
}

/* A target of the file that replays a capture has its device here. False: it is said. */
static bool open_replay(struct sl_tool_target *target)
{
    static const struct sl_device_events events = {.on_closed = on_gone};
    struct sl_device_options options = {
        .listen = {.kind = SL_ADDRESS_PRIVATE}, .devices = 1, .interfaces = 1, .updates = 1};
    struct sl_status why;

    if (!target->replay) {
        return true;
    }
    options.replay = *target->replay;
    target->fleet = sl_device_fleet_open(target->run->loop, &options, &events, target, &why);
    if (!target->fleet) {
        sl_tool_finish(target, &why);
    }
    return target->fleet != NULL;
}

static bool open_channel(struct sl_tool_target *target)
{
    struct sl_tool_run *run = target->run;
    const struct sl_target_settings *settings = target->settings;
    const struct sl_tool_dial *dial = run->dial;
    uint64_t retry_ms = run->work->retry_ns / SL_NS_PER_MS;
    const struct sl_grpc_channel_options options = {
        .loop = run->loop,
        .dial = {.address = target->address,
                 .listener = target->fleet ? sl_device_fleet_listener(target->fleet) : NULL,
                 .timeout_ms = dial_ms(target),
                 .tls = settings ? settings->tls : dial->tls,
                 .server_name =
                     settings ? settings->options.tls.server_name : run->options->tls_server_name,
                 .proxy = settings          ? settings->proxy
                          : dial->has_proxy ? &dial->proxy
                                            : NULL},
        .authority = target->fleet ? "localhost" : NULL,
        .user_agent = "sluice/" SLUICE_VERSION,
        .backoff_min_ms = retry_ms,
        .backoff_max_ms = retry_ms,
        .on_state = on_state,
        .arg = target,
    };

    target->turn = (struct sl_deferred){.fn = on_turn, .arg = target};
    target->channel = sl_grpc_channel_open(&options);
    return target->channel != NULL;
}

/* What is open is counted: the run ends when nothing is any more. */
static void open_target(struct sl_tool_target *target)
{
    struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");

    if (!open_replay(target)) {
        target->exit = SL_TOOL_EXIT_FAILED;
        return;
    }
    target->run->dial->open_targets++;
    if (open_channel(target)) {
        sl_grpc_channel_connect(target->channel);
        return;
    }
    sl_tool_finish(target, &why);
    target->exit = SL_TOOL_EXIT_FAILED;
    on_channel_closed(target);
}

/* ---- signals ---- */

static void interrupt_target(struct sl_tool_target *target)
{
    const struct sl_tool_work *work = target->run->work;
    struct sl_status why =
        sl_status_because("cancelled-here", sl_status_error(SL_CANCELLED, "interrupted"));

    if (work->on_interrupt && !target->is_finished) {
        why = work->on_interrupt(target, work->arg);
    }
    sl_tool_finish(target, &why);
}

static void on_signal(void *arg)
{
    struct sl_tool_run *run = arg;

    run->is_interrupted = true;
    for (size_t i = 0; i < run->target_count; i++) {
        interrupt_target(&run->targets[i]);
    }
}

/* Each connection is a descriptor. */
static void raise_files(const struct sl_tool_run *run)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max &&
        files.rlim_cur < run->target_count + SPARE_FILES) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files); /* else those that find none say so */
    }
}

static bool watch_signals(struct sl_tool_run *run)
{
    signal(SIGPIPE, SIG_IGN);
    run->dial->interrupt = sl_signal_new(run->loop, SIGINT, on_signal, run);
    run->dial->terminate = sl_signal_new(run->loop, SIGTERM, on_signal, run);
    return run->dial->interrupt && run->dial->terminate;
}

static void end_signals(struct sl_tool_run *run)
{
    sl_signal_free(run->dial->interrupt);
    sl_signal_free(run->dial->terminate);
    run->dial->interrupt = run->dial->terminate = NULL;
}

/* ---- the run ---- */

static enum sl_tool_exit outcome(const struct sl_tool_run *run)
{
    enum sl_tool_exit exit = SL_TOOL_EXIT_OK;
    size_t failed = 0;

    for (size_t i = 0; i < run->target_count; i++) {
        const struct sl_tool_target *target = &run->targets[i];
        if (target->exit == SL_TOOL_EXIT_OK) {
            continue;
        }
        exit = failed && exit != target->exit ? SL_TOOL_EXIT_FAILED : target->exit;
        failed++;
    }
    return failed && failed < run->target_count ? SL_TOOL_EXIT_PARTIAL : exit;
}

enum sl_tool_exit sl_tool_run(struct sl_tool_run *run, const struct sl_tool_work *work)
{
    run->work = work;
    raise_files(run);
    if (!watch_signals(run)) {
        end_signals(run);
        sl_tool_complain(run->options, "the system has no descriptors or memory left");
        return SL_TOOL_EXIT_FAILED;
    }
    run->dial->open_targets = 1; /* none that fails at once stops the loop */
    for (size_t i = 0; i < run->target_count; i++) {
        open_target(&run->targets[i]);
    }
    if (--run->dial->open_targets) {
        sl_loop_run(run->loop);
    }
    end_signals(run);
    return outcome(run);
}

struct sl_grpc_request sl_tool_request(struct sl_tool_target *target,
                                       const struct sl_grpc_method *method, bool has_deadline)
{
    const struct sl_tool_options *options = target->run->options;
    bool is_gzip = options->gzip || (target->settings && target->settings->options.gzip);

    return (struct sl_grpc_request){
        .method = method,
        .metadata = target->metadata,
        .metadata_count = target->metadata_count,
        .timeout_ns = has_deadline ? (uint64_t)options->timeout_ns : 0,
        .encoding = is_gzip ? SL_GRPC_GZIP : SL_GRPC_IDENTITY,
        .identity_only = !is_gzip,
    };
}

/* ---- output ---- */

static struct sl_status output_error(int number)
{
    bool is_gone = number == EPIPE;

    return sl_status_because(
        is_gone ? "output-closed" : "output-failed",
        sl_status_error(SL_DATA_LOSS, "standard output: %s", strerror(number)));
}

static void put(struct sl_outlet *outlet, struct sl_buf *text, struct sl_str piece)
{
    if (outlet) {
        sl_buf_add_str(text, piece);
    } else {
        fwrite(piece.data ? piece.data : "", 1, piece.len, stdout);
    }
}

/* What was put is on its way. Frees `text`. */
static struct sl_status put_through(struct sl_outlet *outlet, struct sl_buf *text)
{
    struct sl_status status = sl_status_ok();

    if (!outlet) {
        return fflush(stdout) == 0 && !ferror(stdout) ? status : output_error(errno);
    }
    if (text->failed || !sl_outlet_print(outlet, sl_buf_str(text))) {
        status = sl_status_because("out-of-memory",
                                   sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));
    } else if (sl_outlet_error(outlet)) {
        status = output_error(sl_outlet_error(outlet));
    }
    sl_buf_fini(text);
    return status;
}

struct sl_status sl_tool_write_bytes(const struct sl_tool_target *target, struct sl_str bytes)
{
    struct sl_outlet *outlet = target ? target->run->outlet : NULL;
    struct sl_buf text = {0};

    put(outlet, &text, bytes);
    return put_through(outlet, &text);
}

struct sl_status sl_tool_write(const struct sl_tool_target *target, struct sl_str text,
                               bool is_named)
{
    bool has_prefix =
        target && is_named && target->run->target_count > 1 && !target->run->options->no_prefix;
    struct sl_outlet *outlet = target ? target->run->outlet : NULL;
    struct sl_buf lines = {0};

    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) + 1 : text.len;
        if (has_prefix) {
            put(outlet, &lines, SL_STR("["));
            put(outlet, &lines, sl_str_from(target->name));
            put(outlet, &lines, SL_STR("] "));
        }
        put(outlet, &lines, (struct sl_str){text.data, len});
        if (!end) {
            put(outlet, &lines, SL_STR("\n"));
        }
        text = (struct sl_str){text.data + len, text.len - len};
    }
    return put_through(outlet, &lines);
}

/* ---- one unary call at each target ---- */

struct asking {
    struct sl_tool_target *target;
    const struct sl_tool_ask *ask;
    struct sl_buf answer;
};

static uint32_t max_message_bytes(const struct sl_grpc_call *call, void *arg)
{
    const struct asking *asking = arg;

    (void)call;
    return (uint32_t)asking->target->run->options->max_message_bytes;
}

static enum sl_grpc_take on_bytes(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length,
                                  void *arg)
{
    struct asking *asking = arg;

    sl_buf_add(&asking->answer, bytes, length);
    if (asking->answer.failed) {
        struct sl_status why = sl_status_because(
            "out-of-memory", sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));
        sl_grpc_call_fail(call, &why);
        return SL_GRPC_STOP;
    }
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct asking *asking = arg;
    struct sl_tool_target *target = asking->target;

    if (target->is_finished) {
        /* it was interrupted */
    } else if (sl_status_is_ok(status)) {
        struct sl_status taken =
            asking->ask->take(target, sl_buf_str(&asking->answer), asking->ask->arg);
        if (!taken.reason) { /* it is not the device that says so */
            taken.reason = "bad-answer";
        }
        sl_tool_finish(target, &taken);
    } else {
        sl_tool_finish_call(target, call, status);
    }
    sl_buf_fini(&asking->answer);
    free(asking);
}

static const struct sl_grpc_call_events ask_events = {
    .max_message_bytes = max_message_bytes,
    .on_bytes = on_bytes,
    .on_status = on_status,
};

static struct sl_grpc_call *open_call(struct sl_tool_target *target, const struct sl_tool_ask *ask)
{
    const struct sl_grpc_request request = sl_tool_request(target, ask->method, true);
    struct asking *asking = calloc(1, sizeof(*asking));
    struct sl_grpc_call *call = NULL;

    if (asking) {
        *asking = (struct asking){.target = target, .ask = ask};
        call = sl_grpc_channel_call(target->channel, &request, &ask_events, asking);
    }
    if (!call) {
        free(asking);
    }
    return call;
}

static bool begin(struct sl_tool_target *target, void *arg)
{
    const struct sl_tool_ask *ask = arg;
    struct sl_status why = sl_status_ok();
    const ProtobufCMessage *input = ask->request(target, ask->arg, &why);

    if (!input) {
        sl_tool_finish(target, &why);
        return true;
    }
    struct sl_buf bytes = {0};
    bool is_sent = false;

    if (sl_grpc_message_pack(input, &bytes)) {
        sl_tool_show_request(target, input->descriptor, sl_buf_str(&bytes));
        struct sl_grpc_call *call = open_call(target, ask);
        is_sent =
            call && sl_grpc_call_send_bytes(call, bytes.data, (uint32_t)bytes.len) == SL_GRPC_SENT;
        if (is_sent) {
            sl_grpc_call_half_close(call);
        }
    }
    sl_buf_fini(&bytes);
    return is_sent;
}

enum sl_tool_exit sl_tool_ask(const struct sl_tool_options *options, struct sl_tool_ask *ask)
{
    const struct sl_tool_work work = {.begin = begin, .arg = ask};
    struct sl_tool_run run = {0};
    enum sl_tool_exit code = SL_TOOL_EXIT_USAGE;

    if (sl_tool_run_init(&run, options)) {
        code = sl_tool_run(&run, &work);
    }
    sl_tool_run_fini(&run);
    return code;
}
