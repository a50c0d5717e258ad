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
#include "device/dialect.h"
#include "device/tree_json.h"
#include "gnmi.services.h"
#include "loop/loop.h"

enum {
    DEFAULT_PORT = 57400,
    DEFAULT_INTERFACES = 1,
    DEFAULT_UPDATES = 20,
    SECOND_MS = 1000,
    MAX_DATA_BYTES = 64 * 1024 * 1024,
};

struct sim {
    struct sl_device_options options;
    struct sl_tls_options tls;
    const char *data; /* a file */
    bool is_quiet;
    bool is_verbose;
    bool wants_help;
    bool is_stopping;
    struct sl_loop *loop;
    struct sl_device_fleet *fleet;
    struct sl_timer *second;
    struct sl_signal *interrupt;
    struct sl_signal *terminate;
    struct sl_device_totals last; /* a second ago */
    int64_t last_ns;
};

static bool to_u32(const char *text, uint32_t *value)
{
    uint64_t wide;

    if (!sl_str_to_u64(sl_str_from(text), &wide) || wide > UINT32_MAX) {
        return false;
    }
    *value = (uint32_t)wide;
    return true;
}

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

static bool set_listen(struct sim *sim, const char *value)
{
    return sl_address_parse(value, DEFAULT_PORT, &sim->options.listen);
}

static bool set_devices(struct sim *sim, const char *value)
{
    return to_u32(value, &sim->options.devices);
}

static bool set_ports(struct sim *sim, const char *value)
{
    sim->options.port_each = strcmp(value, "each") == 0;
    return sim->options.port_each || strcmp(value, "one") == 0;
}

static bool set_interfaces(struct sim *sim, const char *value)
{
    return to_u32(value, &sim->options.interfaces);
}

static bool set_updates(struct sim *sim, const char *value)
{
    return to_u32(value, &sim->options.updates);
}

static bool set_message_bytes(struct sim *sim, const char *value)
{
    const char *dash = strchr(value, '-');
    struct sl_str from = sl_str_from(value);
    uint64_t min;

    if (dash) {
        from.len = (size_t)(dash - value);
    }
    if (!sl_str_to_u64(from, &min) || min > UINT32_MAX) {
        return false;
    }
    sim->options.min_message_bytes = (uint32_t)min;
    sim->options.max_message_bytes = (uint32_t)min;
    return !dash || to_u32(dash + 1, &sim->options.max_message_bytes);
}

static bool set_seed(struct sim *sim, const char *value)
{
    return sl_str_to_u64(sl_str_from(value), &sim->options.seed);
}

static bool set_rate(struct sim *sim, const char *value)
{
    return sl_str_to_u64(sl_str_from(value), &sim->options.rate_per_s);
}

static bool set_fast(struct sim *sim, const char *value)
{
    (void)value;
    sim->options.as_fast = true;
    return true;
}

static bool set_count(struct sim *sim, const char *value)
{
    return sl_str_to_u64(sl_str_from(value), &sim->options.count);
}

static bool set_when_held(struct sim *sim, const char *value)
{
    if (strcmp(value, "coalesce") == 0) {
        sim->options.when_held = SL_DEVICE_COALESCE;
        return true;
    }
    sim->options.when_held = SL_DEVICE_WAIT;
    return strcmp(value, "wait") == 0;
}

static bool set_username(struct sim *sim, const char *value)
{
    sim->options.username = value;
    return true;
}

static bool set_password(struct sim *sim, const char *value)
{
    sim->options.password = value;
    return true;
}

static bool set_tls_cert(struct sim *sim, const char *value)
{
    sim->tls.cert = value;
    return *value != '\0';
}

static bool set_tls_key(struct sim *sim, const char *value)
{
    sim->tls.key = value;
    return *value != '\0';
}

static bool set_tls_ca(struct sim *sim, const char *value)
{
    sim->tls.ca = value;
    return *value != '\0';
}

static bool set_tls_min_version(struct sim *sim, const char *value)
{
    sim->tls.min_version = value;
    return *value != '\0';
}

static bool set_tls_ciphers(struct sim *sim, const char *value)
{
    sim->tls.ciphers = value;
    return *value != '\0';
}

static bool set_tls_ciphersuites(struct sim *sim, const char *value)
{
    sim->tls.ciphersuites = value;
    return *value != '\0';
}

static bool set_data(struct sim *sim, const char *value)
{
    sim->data = value;
    return *value != '\0';
}

/* "Get=NOT_FOUND" or "Get=NOT_FOUND:text". */
static bool set_fail(struct sim *sim, const char *value)
{
    const char *equals = strchr(value, '=');
    const char *colon = equals ? strchr(equals, ':') : NULL;
    struct sl_device_failure failure = {.text = colon ? colon + 1 : "it fails on demand"};
    size_t method = 0;
    struct sl_str name;
    struct sl_str code;

    if (!equals) {
        return false;
    }
    name = (struct sl_str){value, (size_t)(equals - value)};
    code = sl_str_from(equals + 1);
    code.len = colon ? (size_t)(colon - equals - 1) : code.len;
    for (int i = 1; i < SL_CODES; i++) {
        failure.code =
            sl_str_eq_c(code, sl_code_name((enum sl_code)i)) ? (enum sl_code)i : failure.code;
    }
    while (method < SL_DEVICE_METHODS && !sl_str_eq_c(name, gnmi__g_nmi__methods[method].name)) {
        method++;
    }
    if (method == SL_DEVICE_METHODS || failure.code == SL_OK) {
        return false;
    }
    sim->options.failures[method] = failure;
    return true;
}

static bool set_replay(struct sim *sim, const char *value)
{
    sim->options.replay.file = value;
    return *value != '\0';
}

static bool set_replay_pace(struct sim *sim, const char *value)
{
    sim->options.replay.is_fast = strcmp(value, "fast") == 0;
    return sim->options.replay.is_fast || strcmp(value, "device") == 0;
}

static bool set_replay_timestamps(struct sim *sim, const char *value)
{
    sim->options.replay.shifts = strcmp(value, "shifted") == 0;
    return sim->options.replay.shifts || strcmp(value, "as-is") == 0;
}

static bool set_replay_loop(struct sim *sim, const char *value)
{
    (void)value;
    sim->options.replay.loops = true;
    return true;
}

static bool set_vendor(struct sim *sim, const char *value)
{
    sim->options.dialect = sl_device_dialect_find(value);
    return sim->options.dialect != NULL;
}

static bool set_max_rpcs(struct sim *sim, const char *value)
{
    return to_u32(value, &sim->options.max_rpcs);
}

static bool set_keepalive_ms(struct sim *sim, const char *value)
{
    return sl_str_to_u64(sl_str_from(value), &sim->options.keepalive_ms);
}

static bool set_lose_every(struct sim *sim, const char *value)
{
    return sl_str_to_u64(sl_str_from(value), &sim->options.lose_every);
}

static bool set_quiet(struct sim *sim, const char *value)
{
    (void)value;
    sim->is_quiet = true;
    return true;
}

static bool set_verbose(struct sim *sim, const char *value)
{
    (void)value;
    sim->is_verbose = true;
    return true;
}

static bool set_help(struct sim *sim, const char *value)
{
    (void)value;
    sim->wants_help = true;
    return true;
}

static const struct option {
    const char *name;
    const char *value; /* NULL: it takes none */
    bool (*set)(struct sim *sim, const char *value);
    const char *doc;
} options[] = {
    {"--listen", "ADDRESS", set_listen,
     "host:port or unix:path; default 127.0.0.1:57400; port 0 takes a free one"},
    {"--devices", "N", set_devices, "sim1 to simN; default 1"},
    {"--ports", "one|each", set_ports,
     "all devices on one port, told apart by prefix.target (default), or each on the next port"},
    {"--interfaces", "N", set_interfaces, "per device; 18 counters and 3 states each; default 1"},
    {"--updates", "N", set_updates,
     "updates in a notification: seq, then session, then counters and states; default 20"},
    {"--message-bytes", "N|MIN-MAX", set_message_bytes,
     "size of a message; of a range every magnitude is drawn alike; too small for the leaf seq:\n"
     "an empty response goes out instead, which is not counted"},
    {"--seed", "N", set_seed, "of those draws; default 0"},
    {"--rate", "R", set_rate,
     "messages a second, of what is asked for with neither a sample interval nor on change"},
    {"--fast", NULL, set_fast,
     "likewise, as fast as the collector's credit allows; with neither each second"},
    {"--count", "N", set_count,
     "messages per stream, the initial dump included, then silence; 0: no end"},
    {"--when-held", "wait|coalesce", set_when_held,
     "what becomes of messages that are due and cannot leave: made later (default), or merged,\n"
     "so that seq - previous seq - 1 = duplicates"},
    {"--username", "NAME", set_username, "demand it in the metadata"},
    {"--password", "WORD", set_password, "demand it in the metadata"},
    {"--tls-cert", "FILE", set_tls_cert,
     "serve TLS with this certificate (PEM, those of its issuers behind it); without it plaintext"},
    {"--tls-key", "FILE", set_tls_key, "its private key (PEM)"},
    {"--tls-ca", "FILE", set_tls_ca, "demand a client certificate that one of these CAs issued"},
    {"--tls-min-version", "1.2|1.3", set_tls_min_version, "the lowest version of TLS; default 1.2"},
    {"--tls-ciphers", "LIST", set_tls_ciphers, "of TLS 1.2, as OpenSSL writes a list of them"},
    {"--tls-ciphersuites", "LIST", set_tls_ciphersuites,
     "of TLS 1.3, by name, with colons between them"},
    {"--data", "FILE", set_data,
     "what Capabilities, Get and Set work on, and Subscribe too: JSON, whose members are elements\n"
     "(arrays of objects are lists) or paths; without it a few interfaces, which Subscribe reads "
     "in\n"
     "the modes ONCE and POLL"},
    {"--fail", "METHOD=CODE[:TEXT]", set_fail,
     "answer Capabilities, Get, Set or Subscribe with this status, such as Get=NOT_FOUND"},
    {"--replay", "FILE", set_replay,
     "answer Subscribe, whatever it asks, with the messages of this capture (sluice capture); "
     "where\n"
     "the call of the capture ended, the RPC ends too, and at the end of the file it stays open"},
    {"--replay-pace", "device|fast", set_replay_pace,
     "at the pace of the capture (default), or as fast as the collector's credit allows"},
    {"--replay-timestamps", "as-is|shifted", set_replay_timestamps,
     "as they were sent (default), or moved by the time between capture and replay"},
    {"--replay-loop", NULL, set_replay_loop,
     "at the end of the file begin again at its first message"},
    {"--vendor", "NAME", set_vendor,
     "devices of a vendor (below): what they say of themselves, refuse, and send oddly; Subscribe\n"
     "is that of --data, or of what such a device has"},
    {"--max-rpcs", "N", set_max_rpcs, "with --vendor: that many Subscribe calls at once"},
    {"--keepalive-ms", "N", set_keepalive_ms,
     "with --vendor cisco-nx-os: how often an empty response comes; default 600000"},
    {"--lose-every", "N", set_lose_every,
     "with --vendor juniper: of so many sequence numbers one is left out"},
    {"--quiet", NULL, set_quiet, "no line each second"},
    {"--verbose", NULL, set_verbose, "each second a line for each stream too"},
    {"--help", NULL, set_help, "this text"},
};

static void print_doc(FILE *out, const char *doc)
{
    for (; *doc; doc++) {
        fputc(*doc, out);
        if (*doc == '\n') {
            fputs("        ", out);
        }
    }
    fputc('\n', out);
}

static void print_usage(FILE *out)
{
    fputs(
        "usage: sluice sim [options]\n\nSimulated gNMI devices with OpenConfig interface counters "
        "and states (STREAM, all encodings).\n\n",
        out);
    for (size_t i = 0; i < SL_ARRAY_LEN(options); i++) {
        fprintf(out, "  %s%s%s\n        ", options[i].name, options[i].value ? " " : "",
                options[i].value ? options[i].value : "");
        print_doc(out, options[i].doc);
    }
    fputs("\nVendors:\n", out);
    for (const struct sl_device_dialect *row = sl_device_dialects; row->name; row++) {
        fprintf(out, "  %s\n        ", row->name);
        print_doc(out, row->doc);
    }
}

static const struct option *find_option(const char *word, size_t len)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(options); i++) {
        if (strlen(options[i].name) == len && strncmp(options[i].name, word, len) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static bool complain_unknown(const char *word)
{
    const char *names[SL_ARRAY_LEN(options) + 1] = {NULL};
    const char *nearest;

    for (size_t i = 0; i < SL_ARRAY_LEN(options); i++) {
        names[i] = options[i].name;
    }
    nearest = sl_str_nearest(word, names);
    fprintf(stderr, "sluice sim: unknown option '%s'%s%s\n", word, nearest ? "; is it " : "",
            nearest ? nearest : "");
    return false;
}

/* One option of the words from `*at` on: "--name value" or "--name=value". */
static bool parse_option(struct sim *sim, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    const char *equals = strchr(word, '=');
    const struct option *option =
        find_option(word, equals ? (size_t)(equals - word) : strlen(word));
    const char *value = equals ? equals + 1 : NULL;

    if (!option) {
        return complain_unknown(word);
    }
    if (!option->value && value) {
        fprintf(stderr, "sluice sim: %s takes no value\n", option->name);
        return false;
    }
    if (option->value && !value) {
        *at += 1;
        value = *at < argc ? argv[*at] : NULL;
    }
    if (option->value && !value) {
        fprintf(stderr, "sluice sim: %s wants %s\n", option->name, option->value);
        return false;
    }
    if (!option->set(sim, value)) {
        fprintf(stderr, "sluice sim: %s wants %s, not '%s'\n", option->name, option->value, value);
        return false;
    }
    return true;
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
        .options = {.listen = {.host = "127.0.0.1", .port = DEFAULT_PORT},
                    .devices = 1,
                    .interfaces = DEFAULT_INTERFACES,
                    .updates = DEFAULT_UPDATES},
    };
    int code;

    for (int i = 1; i < argc; i++) {
        if (!parse_option(&sim, argc, argv, &i)) {
            return SL_EXIT_USAGE;
        }
    }
    if (sim.wants_help) {
        print_usage(stdout);
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
