/* Telegraf's inputs.gnmi: each address of each of them is a target with a connection of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/telegraf.h"

static const struct sl_import_row rows[] = {
    SL_IMPORT_PLUGIN_ROWS,
    {"addresses", SL_IMPORT_READ, NULL, NULL},
    {"subscription", SL_IMPORT_READ, NULL, NULL},
    {"aliases", SL_IMPORT_READ, NULL, NULL},
    {"tag_subscription", SL_IMPORT_READ, NULL, NULL},
    {"username", SL_IMPORT_READ, NULL, NULL},
    {"password", SL_IMPORT_READ, NULL, NULL},
    {"encoding", SL_IMPORT_READ, NULL, NULL},
    {"origin", SL_IMPORT_READ, NULL, NULL},
    {"prefix", SL_IMPORT_READ, NULL, NULL},
    {"target", SL_IMPORT_READ, NULL, NULL},
    {"updates_only", SL_IMPORT_READ, NULL, NULL},
    {"redial", SL_IMPORT_READ, NULL, NULL},
    {"max_msg_size", SL_IMPORT_READ, NULL, NULL},
    {"depth", SL_IMPORT_READ, NULL, NULL},
    {"keepalive_time", SL_IMPORT_READ, NULL, NULL},
    {"keepalive_timeout", SL_IMPORT_READ, NULL, NULL},
    {"tags", SL_IMPORT_READ, NULL, NULL},
    {"name_override", SL_IMPORT_READ, NULL, NULL},
    {"name_prefix", SL_IMPORT_READ, NULL, NULL},
    {"name_suffix", SL_IMPORT_READ, NULL, NULL},
    {"vendor_specific", SL_IMPORT_LEAVE, NULL,
     "sluice makes no tags of Juniper's header; the format sluice.v1 has the extension"},
    {"canonical_field_names", SL_IMPORT_LEAVE, NULL,
     "sluice calls fields by what is behind the subscription's path"},
    {"trim_field_names", SL_IMPORT_LEAVE, NULL,
     "only what has no measurement's name begins with a slash, and that keeps it"},
    {"prefix_tag_key_with_path", SL_IMPORT_LEAVE, NULL,
     "sluice calls a tag by its key, and the second of one name by its path, too"},
    {"path_guessing_strategy", SL_IMPORT_READ, NULL, NULL},
    {"guess_path_tag", SL_IMPORT_LEAVE, NULL,
     "the tag 'path' is the prefix that the device sends, and nothing else"},
    {"yang_model_paths", SL_IMPORT_LEAVE, NULL,
     "sluice reads no YANG models: JSON's values have the types that JSON has"},
    {"enforce_first_namespace_as_origin", SL_IMPORT_READ, NULL, NULL},
    {"tls_enable", SL_IMPORT_READ, NULL, NULL},
    {"enable_tls", SL_IMPORT_READ, NULL, NULL},
    {"tls_ca", SL_IMPORT_READ, NULL, NULL},
    {"tls_cert", SL_IMPORT_READ, NULL, NULL},
    {"tls_key", SL_IMPORT_READ, NULL, NULL},
    {"tls_server_name", SL_IMPORT_READ, NULL, NULL},
    {"tls_min_version", SL_IMPORT_READ, NULL, NULL},
    {"insecure_skip_verify", SL_IMPORT_READ, NULL, NULL},
    {"tls_key_pwd", SL_IMPORT_LEAVE, NULL, "sluice takes keys that are not encrypted"},
    {"tls_cipher_suites", SL_IMPORT_LEAVE, NULL,
     "say tls: {ciphers:, ciphersuites:} of the target with OpenSSL's names"},
    {"tls_renegotiation_method", SL_IMPORT_QUIET, NULL, NULL},
    {"dump_responses", SL_IMPORT_CHANGE, NULL, "in sluice `sluice capture` keeps what comes"},
    {"namepass", SL_IMPORT_LEAVE, NULL, "leave the subscriptions out that it does not name"},
    {"namedrop", SL_IMPORT_LEAVE, NULL, "leave the subscriptions out that it names"},
    {"interval", SL_IMPORT_QUIET, NULL, NULL},
    {"collection_jitter", SL_IMPORT_QUIET, NULL, NULL},
    {"collection_offset", SL_IMPORT_QUIET, NULL, NULL},
    {"precision", SL_IMPORT_LEAVE, NULL, "the device's time goes on as it came"},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row tls_rows[] = {
    {"tls_ca", SL_IMPORT_TEXT, "ca", NULL},
    {"tls_cert", SL_IMPORT_TEXT, "cert", NULL},
    {"tls_key", SL_IMPORT_TEXT, "key", NULL},
    {"tls_server_name", SL_IMPORT_TEXT, "server-name", NULL},
    {NULL, 0, NULL, NULL},
};

/* One address; several may be the same. */
struct target {
    const char *address;
    const struct sl_config_node *node;
    size_t input;
    uint32_t order;
    uint32_t copy; /* how many before have the same address */
};

/* ---- what an input says of its connections ---- */

static bool is_tls(const struct sl_config_node *input)
{
    return sl_import_is_true(sl_import_get(input, "tls_enable")) ||
           sl_import_is_true(sl_import_get(input, "enable_tls"));
}

static void put_min_version(struct sl_import *import, const struct sl_config_node *node,
                            unsigned indent)
{
    const char *text = sl_import_text(node);

    if (strcmp(text, "TLS12") == 0 || strcmp(text, "TLS13") == 0) {
        sl_import_put_raw(import, "min-version", text[4] == '2' ? "\"1.2\"" : "\"1.3\"", indent);
    } else if (*text) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "'tls_min_version': sluice speaks TLS 1.2 and 1.3, nothing older");
    }
}

static void put_tls(struct sl_import *import, const struct sl_config_node *input)
{
    bool is_trusting = sl_import_is_true(sl_import_get(input, "insecure_skip_verify"));
    size_t start = import->out->len;

    if (is_trusting) {
        sl_import_put_raw(import, "skip-verify", "true", 4);
        start = import->out->len;
    }
    sl_import_put_key(import, "tls", 4);
    size_t empty = import->out->len;

    /* whoever takes any device has no use for a CA */
    sl_import_put_rows(import, tls_rows + is_trusting, input, 6);
    put_min_version(import, sl_import_get(input, "tls_min_version"), 6);
    if (import->out->len == empty && !import->out->failed) {
        import->out->len = start;
    }
}

static void note_no_tls(struct sl_import *import, const struct sl_config_node *input)
{
    static const char *const keys[] = {"tls_ca",          "tls_cert",
                                       "tls_key",         "tls_server_name",
                                       "tls_min_version", "insecure_skip_verify"};

    for (size_t i = 0; i < SL_ARRAY_LEN(keys); i++) {
        const struct sl_config_node *node = sl_import_get(input, keys[i]);
        if (*sl_import_text(node) && strcmp(sl_import_text(node), "false") != 0) {
            sl_import_note(import, node, SL_IMPORT_CHANGED,
                           "'%s' says nothing without 'tls_enable = true': Telegraf speaks "
                           "plaintext with these devices, and so does the new file",
                           keys[i]);
        }
    }
}

/* Telegraf's wait is always the same; sluice's grows up to it. */
static void put_backoff(struct sl_import *import, const struct sl_config_node *node)
{
    static const struct sl_import_row min = {"redial", SL_IMPORT_PERIOD, "min", NULL};
    static const struct sl_import_row max = {"redial", SL_IMPORT_PERIOD, "max", NULL};
    int64_t ns = 0;

    if (!node || !sl_import_to_period(sl_import_text(node), &ns) || ns < SL_NS_PER_MS) {
        return;
    }
    sl_import_put_key(import, "backoff", 4);
    if (ns < SL_NS_PER_S) {
        sl_import_put_row(import, &min, node, 6);
    }
    sl_import_put_row(import, &max, node, 6);
}

static void put_keepalive(struct sl_import *import, const struct sl_config_node *input)
{
    static const struct sl_import_row keepalive[] = {
        {"keepalive_time", SL_IMPORT_PERIOD, "interval", NULL},
        {"keepalive_timeout", SL_IMPORT_PERIOD, "timeout", NULL},
        {NULL, 0, NULL, NULL},
    };

    if (sl_import_get(input, "keepalive_time") || sl_import_get(input, "keepalive_timeout")) {
        sl_import_put_key(import, "keepalive", 4);
        sl_import_put_rows(import, keepalive, input, 6);
    }
}

static void note_ways(struct sl_import *import, const struct sl_config_node *input)
{
    const struct sl_config_node *guess = sl_import_get(input, "path_guessing_strategy");
    const struct sl_config_node *origin = sl_import_get(input, "enforce_first_namespace_as_origin");
    const struct sl_config_node *tags = sl_import_get(input, "tag_subscription");

    if (*sl_import_text(guess) && strcmp(sl_import_text(guess), "none") != 0) {
        sl_import_note(import, guess, SL_IMPORT_LEFT_OUT,
                       "'path_guessing_strategy': the tag 'path' is the prefix that the device "
                       "sends, and nothing else");
    }
    if (origin && !sl_import_is_true(origin)) {
        sl_import_note(import, origin, SL_IMPORT_LEFT_OUT,
                       "'enforce_first_namespace_as_origin': in sluice a module before the first "
                       "element always counts as the origin");
    }
    for (size_t i = 0; i < sl_import_tables(tags); i++) {
        sl_import_note(import, sl_config_item(tags, i), SL_IMPORT_LEFT_OUT,
                       "the tag subscription '%.80s': rules make tags of keys and constants, not "
                       "of values; its path is not asked for",
                       sl_import_text(sl_import_get(sl_config_item(tags, i), "name")));
    }
}

/* ---- one target ---- */

/* Without its port, as in the tag `source`; 0: it has none, and Telegraf does not dial it. */
static size_t host_of(const char *address, const char **host)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;

    *host = address;
    if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
        *host = address + 1;
        return len - 2;
    }
    return len && !memchr(address, ':', len) ? len : 0;
}

static void add_label(struct sl_buf *out, bool *has_any, const char *name, struct sl_str value)
{
    struct sl_buf text = {0};

    sl_buf_add_c(out, *has_any ? ", " : "    labels: {");
    *has_any = true;
    sl_import_add_text(out, name);
    sl_buf_add_c(out, ": ");
    sl_buf_add_str(&text, value);
    sl_import_add_expanded(out, sl_buf_text(&text));
    out->failed = out->failed || text.failed;
    sl_buf_fini(&text);
}

/* What topics and keys have of the target. */
static void put_labels(struct sl_import_telegraf *telegraf, const struct sl_config_node *input,
                       const char *address)
{
    const struct sl_config_node *tags = sl_import_get(input, "tags");
    size_t count = tags && sl_config_kind(tags) == SL_CONFIG_MAP ? sl_config_count(tags) : 0;
    struct sl_buf *out = telegraf->import->out;
    const char *host = NULL;
    size_t len = host_of(address, &host);
    bool has_any = false;

    if (sl_import_telegraf_uses_tag(telegraf, "source")) {
        add_label(out, &has_any, SL_IMPORT_SOURCE_LABEL, (struct sl_str){host, len});
    }
    for (size_t i = 0; i < count; i++) {
        char name[SL_IMPORT_NAME_BYTES];
        const char *tag = sl_config_key(tags, i);
        if (sl_import_is_name(tag) && sl_import_telegraf_uses_tag(telegraf, tag)) {
            snprintf(name, sizeof(name), SL_IMPORT_TAG_LABEL "%.180s", tag);
            add_label(out, &has_any, name, sl_str_from(sl_import_text(sl_config_at(tags, i))));
        }
    }
    sl_buf_add_c(out, has_any ? "}\n" : "");
}

static void put_login(struct sl_import *import, const struct sl_config_node *input)
{
    static const struct sl_import_row login[] = {
        {"username", SL_IMPORT_TEXT, "username", NULL},
        {"password", SL_IMPORT_SECRET, "password", NULL},
        {NULL, 0, NULL, NULL},
    };

    if (*sl_import_text(sl_import_get(input, "username"))) {
        sl_import_put_rows(import, login, input, 4);
    }
}

static void put_device(struct sl_import *import, const struct sl_config_node *input,
                       const char *address)
{
    sl_import_put_expanded(import, "address", address, 4);
    put_login(import, input);
    if (is_tls(input)) {
        put_tls(import, input);
    } else {
        sl_import_put_raw(import, "insecure", "true", 4);
    }
    put_backoff(import, sl_import_get(input, "redial"));
    put_keepalive(import, input);
}

static bool put_target(struct sl_import_telegraf *telegraf, const struct target *target)
{
    const struct sl_config_node *input = sl_config_item(telegraf->inputs, target->input);
    struct sl_import *import = telegraf->import;
    char name[SL_IMPORT_NAME_BYTES];
    const char *host = NULL;

    if (!host_of(target->address, &host)) {
        sl_import_note(import, target->node, SL_IMPORT_LEFT_OUT,
                       "the address '%.80s': Telegraf dials none without a port", target->address);
        return false;
    }
    snprintf(name, sizeof(name), target->copy ? "%.180s-%u" : "%.180s", target->address,
             target->copy + 1);
    if (!sl_import_is_name(target->address) || strlen(target->address) > 180) {
        sl_import_note(import, target->node, SL_IMPORT_LEFT_OUT,
                       "the address '%.80s': sluice takes names of printable ASCII without "
                       "blanks, quotes and semicolons",
                       target->address);
        return false;
    }
    if (strchr(target->address, '$')) {
        sl_import_note(import, target->node, SL_IMPORT_CHANGED,
                       "the address '%.80s': a target's name, and so the tag 'source', is text; "
                       "put what the variable holds in its place",
                       target->address);
    }
    if (sl_import_is_left_aside(import->options.target, name)) {
        return false;
    }
    sl_import_put_key(import, name, 2);
    if (import->options.replay) {
        sl_import_put_trial_device(import);
    } else {
        put_device(import, input, target->address);
    }
    put_labels(telegraf, input, target->address);
    sl_import_telegraf_put_links(telegraf, target->input);
    return true;
}

/* ---- all of them ---- */

static int compare_addresses(const void *a, const void *b)
{
    const struct target *x = a;
    const struct target *y = b;
    int order = strcmp(x->address, y->address);

    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int compare_orders(const void *a, const void *b)
{
    const struct target *x = a;
    const struct target *y = b;

    return (x->order > y->order) - (x->order < y->order);
}

/* The addresses of all inputs that have subscriptions; how many. */
static size_t find_targets(struct sl_import_telegraf *telegraf, struct target *targets)
{
    size_t count = 0;

    for (size_t i = 0; i < sl_import_tables(telegraf->inputs); i++) {
        const struct sl_config_node *input = sl_config_item(telegraf->inputs, i);
        const struct sl_config_node *list = sl_import_get(input, "addresses");
        if (!sl_import_telegraf_has_links(telegraf, i)) {
            sl_import_note(telegraf->import, input, SL_IMPORT_LEFT_OUT,
                           "none of the subscriptions of this input is in the new file, and so its "
                           "devices are not either");
            continue;
        }
        for (size_t j = 0; j < sl_import_items(list); j++) {
            if (count == SL_IMPORT_MAX_TARGETS) {
                sl_import_note(telegraf->import, sl_config_item(list, j), SL_IMPORT_LEFT_OUT,
                               "more than %d addresses: those from here on", SL_IMPORT_MAX_TARGETS);
                return count;
            }
            targets[count] = (struct target){.address = sl_import_item(list, j),
                                             .node = sl_config_item(list, j),
                                             .input = i,
                                             .order = (uint32_t)count};
            count++;
        }
    }
    return count;
}

static void count_copies(struct target *targets, size_t count)
{
    qsort(targets, count, sizeof(*targets), compare_addresses);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(targets[i - 1].address, targets[i].address) == 0) {
            targets[i].copy = targets[i - 1].copy + 1;
        }
    }
    qsort(targets, count, sizeof(*targets), compare_orders);
}

size_t sl_import_telegraf_targets(struct sl_import_telegraf *telegraf)
{
    struct target *targets = calloc(SL_IMPORT_MAX_TARGETS, sizeof(*targets));
    size_t written = 0;

    if (!targets) {
        telegraf->import->is_failed = true;
        return 0;
    }
    for (size_t i = 0; i < sl_import_tables(telegraf->inputs); i++) {
        const struct sl_config_node *input = sl_config_item(telegraf->inputs, i);
        sl_import_judge(telegraf->import, input, rows);
        note_ways(telegraf->import, input);
        if (!is_tls(input)) {
            note_no_tls(telegraf->import, input);
        }
    }
    size_t count = find_targets(telegraf, targets);

    count_copies(targets, count);
    sl_import_put_key(telegraf->import, "targets", 0);
    for (size_t i = 0; i < count && !(written && telegraf->import->options.replay); i++) {
        written += put_target(telegraf, &targets[i]);
    }
    free(targets);
    return written;
}
