/* The options of `sluice sim`. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "commands.h"
#include "device/dialect.h"
#include "gnmi.services.h"
#include "sim.h"
#include "tool/options.h"

static bool to_u32(const char *text, uint32_t *value)
{
    uint64_t wide;

    if (!sl_str_to_u64(sl_str_from(text), &wide) || wide > UINT32_MAX) {
        return false;
    }
    *value = (uint32_t)wide;
    return true;
}

static bool set_listen(struct sim *sim, const char *value)
{
    return sl_address_parse(value, SIM_DEFAULT_PORT, &sim->options.listen);
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

void sim_print_usage(FILE *out)
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

/* The options in the form of the tools' tables. */
const struct sl_tool *sl_tool_sim(void)
{
    static struct sl_flag flags[SL_ARRAY_LEN(options) + 1];
    static const struct sl_flag_group groups[] = {{"Flags", flags}, {NULL, NULL}};
    static const struct sl_tool tool = {
        .name = "sim",
        .doc = "simulate gNMI devices, for trials, tests and capacity planning",
        .usage = "",
        .text =
            "Simulated gNMI devices with OpenConfig interface counters and states (STREAM, all\n"
            "encodings), or with a tree of data of your own.",
        .exits = "0 it was ended; 1 it could not serve; 2 wrong words or files.",
        .groups = groups,
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(options); i++) {
        flags[i] = (struct sl_flag){.name = options[i].name + strlen("--"),
                                    .type = options[i].value ? SL_FLAG_TEXT : SL_FLAG_SWITCH,
                                    .value = options[i].value,
                                    .doc = options[i].doc};
    }
    return &tool;
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

bool sim_parse(struct sim *sim, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!parse_option(sim, argc, argv, &i)) {
            return false;
        }
    }
    return true;
}
