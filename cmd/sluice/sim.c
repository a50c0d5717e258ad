#include "commands.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "base/buf.h"
#include "capture/source.h"
#include "device/device.h"
#include "device/tree_json.h"
#include "loop/loop.h"
#include "sim.h"

enum {
    DEFAULT_INTERFACES = 1,
    DEFAULT_UPDATES = 20,
    SECOND_MS = 1000,
    MAX_DATA_BYTES = 64 * 1024 * 1024,
};

/* False: it cannot be read, or is too long. */
static bool read_file(const char *path, struct sl_buf *out)
{
    FILE *file = fopen(path, "re");
    char block[4096];
    size_t len;
    bool is_read;

    if (!file) {
        return false;
    }
    while ((len = fread(block, 1, sizeof(block), file)) > 0) {
        sl_buf_add(out, block, len);
    }
    is_read = !ferror(file) && !out->failed;
    fclose(file);
    return is_read;
}

static double seconds(int64_t ns)
{
    return (double)ns / (double)SL_NS_PER_S;
}

static void print_totals(const char *word, const struct sl_device_totals *totals)
{
    printf("%s messages=%" PRIu64 " updates=%" PRIu64 " bytes=%" PRIu64 " duplicates=%" PRIu64
           " streams=%" PRIu32 " blocked=%" PRIu32 " blocked-s=%.3f",
           word, totals->messages, totals->updates, totals->bytes, totals->duplicates,
           totals->streams, totals->blocked, seconds(totals->blocked_ns));
}

static void on_done(const struct sl_device_report *report, void *arg)
{
    (void)arg;
    printf("done device=%s session=%s last-seq=%" PRIu64 " messages=%" PRIu64 "\n", report->device,
           report->session, report->seq, report->messages);
}

static void on_ended(const struct sl_device_report *report, void *arg)
{
    (void)arg;
    printf("ended device=%s session=%s last-seq=%" PRIu64 " messages=%" PRIu64
           " duplicates=%" PRIu64 " blocked-s=%.3f\n",
           report->device, report->session, report->seq, report->messages, report->duplicates,
           seconds(report->blocked_ns));
}

static void on_refused(const char *peer, const struct sl_status *why, void *arg)
{
    (void)arg;
    printf("refused peer=%s reason=%s why=\"%s\"\n", peer, sl_status_reason(why), why->text);
}

static void on_closed(void *arg)
{
    struct sim *sim = arg;

    sim->fleet = NULL;
    sl_loop_stop(sim->loop);
}

static const struct sl_device_events events = {
    .on_done = on_done,
    .on_ended = on_ended,
    .on_refused = on_refused,
    .on_closed = on_closed,
};

static void print_stream(const struct sl_device_report *report, void *arg)
{
    (void)arg;
    printf("stream device=%s session=%s subscription-path=%s seq=%" PRIu64 " messages=%" PRIu64
           " duplicates=%" PRIu64 " blocked=%d blocked-s=%.3f\n",
           report->device, report->session, report->path, report->seq, report->messages,
           report->duplicates, report->is_blocked, seconds(report->blocked_ns));
}

static void on_second(void *arg)
{
    struct sim *sim = arg;
    int64_t now_ns = sl_loop_now_ns(sim->loop);
    double passed_s = seconds(now_ns - sim->last_ns);
    struct sl_device_totals totals;

    sl_timer_start(sim->second, SECOND_MS);
    sl_device_fleet_totals(sim->fleet, &totals);
    print_totals("sent", &totals);
    printf(" messages-per-s=%.0f updates-per-s=%.0f\n",
           (double)(totals.messages - sim->last.messages) / passed_s,
           (double)(totals.updates - sim->last.updates) / passed_s);
    if (sim->is_verbose) {
        sl_device_fleet_each(sim->fleet, print_stream, sim);
    }
    sim->last = totals;
    sim->last_ns = now_ns;
}

static void on_signal(void *arg)
{
    struct sim *sim = arg;
    struct sl_device_totals totals;

    if (sim->is_stopping) {
        return;
    }
    sim->is_stopping = true;
    sl_timer_stop(sim->second);
    sl_device_fleet_totals(sim->fleet, &totals);
    print_totals("total", &totals);
    putchar('\n');
    sl_device_fleet_close(sim->fleet);
}

/* Each connection is a descriptor. */
static void raise_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
            perror("sluice sim: the limit of open files stays");
        }
    }
}

static void print_ports(const struct sim *sim)
{
    struct sl_address address = sim->options.listen;

    for (uint32_t i = 0; i < sl_device_fleet_ports(sim->fleet); i++) {
        char text[SL_ADDRESS_TEXT_BYTES];
        address.port = sl_device_fleet_port(sim->fleet, i);
        sl_address_print(&address, text);
        printf("listening %s\n", text);
    }
}

/* False after an error, which is said. */
static bool make_tls(struct sim *sim)
{
    const struct sl_tls_options *tls = &sim->tls;
    enum sl_tls_part part;
    struct sl_status why;

    if (!tls->cert && !tls->key && !tls->ca) {
        return true;
    }
    if (!tls->cert || !tls->key) {
        fputs("sluice sim: TLS wants both --tls-cert and --tls-key\n", stderr);
        return false;
    }
    sim->options.tls = sl_tls_new(SL_TLS_SERVER, tls, &why, &part);
    if (!sim->options.tls) {
        fprintf(stderr, "sluice sim: %s\n", why.text);
    }
    return sim->options.tls != NULL;
}

/* False after an error, which is said. */
static bool make_data(struct sim *sim)
{
    struct sl_status why = sl_status_error(SL_INVALID_ARGUMENT, "it cannot be read");
    struct sl_buf text;

    if (!sim->data) {
        return true;
    }
    sl_buf_init(&text, MAX_DATA_BYTES);
    if (read_file(sim->data, &text)) {
        sim->options.data = sl_device_json_read(sl_buf_str(&text), sl_loop_wall_ns(), &why);
    }
    sl_buf_fini(&text);
    if (!sim->options.data) {
        fprintf(stderr, "sluice sim: %s: %s\n", sim->data, why.text);
    }
    return sim->options.data != NULL;
}

/* Whether the capture can be read, if there is one; else an error is said. */
static bool check_replay(const struct sim *sim)
{
    const char *file = sim->options.replay.file;
    struct sl_capture_source *source;
    struct sl_status why;

    if (!file) {
        return true;
    }
    source = sl_capture_source_open(file, &why);
    if (!source) {
        fprintf(stderr, "sluice sim: %s: %s\n", file, why.text);
    }
    sl_capture_source_close(source);
    return source != NULL;
}

static int serve(struct sim *sim)
{
    struct sl_status why;

    sim->second = sl_timer_new(sim->loop, on_second, sim);
    sim->interrupt = sl_signal_new(sim->loop, SIGINT, on_signal, sim);
    sim->terminate = sl_signal_new(sim->loop, SIGTERM, on_signal, sim);
    if (!sim->second || !sim->interrupt || !sim->terminate) {
        fputs("sluice sim: out of memory\n", stderr);
        return SL_EXIT_FAILED;
    }
    sim->fleet = sl_device_fleet_open(sim->loop, &sim->options, &events, sim, &why);
    if (!sim->fleet) {
        fprintf(stderr, "sluice sim: %s\n", why.text);
        return why.code == SL_INVALID_ARGUMENT ? SL_EXIT_USAGE : SL_EXIT_FAILED;
    }
    print_ports(sim);
    sim->last_ns = sl_loop_now_ns(sim->loop);
    if (!sim->is_quiet) {
        sl_timer_start(sim->second, SECOND_MS);
    }
    sl_loop_run(sim->loop);
    return SL_EXIT_OK;
}

int sl_command_sim(int argc, char **argv)
{
    struct sim sim = {
        .options = {.listen = {.host = "127.0.0.1", .port = SIM_DEFAULT_PORT},
                    .devices = 1,
                    .interfaces = DEFAULT_INTERFACES,
                    .updates = DEFAULT_UPDATES},
    };
    int code;

    if (!sim_parse(&sim, argc, argv)) {
        return SL_EXIT_USAGE;
    }
    if (sim.wants_help) {
        sim_print_usage(stdout);
        return SL_EXIT_OK;
    }
    if (!check_replay(&sim) || !make_data(&sim) || !make_tls(&sim)) {
        sl_device_tree_release(sim.options.data);
        return SL_EXIT_USAGE;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    raise_files();
    sim.loop = sl_loop_new();
    if (!sim.loop) {
        fputs("sluice sim: the system has no descriptors or memory left\n", stderr);
        sl_tls_release(sim.options.tls);
        sl_device_tree_release(sim.options.data);
        return SL_EXIT_FAILED;
    }
    code = serve(&sim);
    sl_timer_free(sim.second);
    sl_signal_free(sim.interrupt);
    sl_signal_free(sim.terminate);
    sl_loop_free(sim.loop);
    sl_tls_release(sim.options.tls);
    sl_device_tree_release(sim.options.data);
    return code;
}
