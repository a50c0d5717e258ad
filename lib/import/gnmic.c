/* gnmic's file: what holds for all, and the targets. */
#include <string.h>
#include <strings.h>

#include "import/internal.h"

#define OWN_WAY "sluice has its own, which need no setting"

/* Keys that a target has, and the whole file for all of them. */
static const struct sl_import_row inherited[] = {
    {"username", SL_IMPORT_TEXT, "username", NULL},
    {"password", SL_IMPORT_SECRET, "password", NULL},
    {"insecure", SL_IMPORT_BOOL, "insecure", NULL},
    {"skip-verify", SL_IMPORT_BOOL, "skip-verify", NULL},
    {"gzip", SL_IMPORT_BOOL, "gzip", NULL},
    {"proxy", SL_IMPORT_TEXT, "proxy", NULL},
    {"timeout", SL_IMPORT_DURATION, "dial-timeout", NULL},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row inherited_tls[] = {
    {"tls-ca", SL_IMPORT_TEXT, "ca", NULL},
    {"tls-cert", SL_IMPORT_TEXT, "cert", NULL},
    {"tls-key", SL_IMPORT_TEXT, "key", NULL},
    {"tls-server-name", SL_IMPORT_TEXT, "server-name", NULL},
    {"tls-min-version", SL_IMPORT_TEXT, "min-version", NULL},
    {NULL, 0, NULL, NULL},
};

/* What else may stand at both places. */
#define COMMON_ROWS                                                                                \
    {"username", SL_IMPORT_READ, NULL, NULL}, {"password", SL_IMPORT_READ, NULL, NULL},            \
        {"insecure", SL_IMPORT_READ, NULL, NULL}, {"skip-verify", SL_IMPORT_READ, NULL, NULL},     \
        {"gzip", SL_IMPORT_READ, NULL, NULL}, {"proxy", SL_IMPORT_READ, NULL, NULL},               \
        {"timeout", SL_IMPORT_READ, NULL, NULL}, {"tls-ca", SL_IMPORT_READ, NULL, NULL},           \
        {"tls-cert", SL_IMPORT_READ, NULL, NULL}, {"tls-key", SL_IMPORT_READ, NULL, NULL},         \
        {"tls-server-name", SL_IMPORT_READ, NULL, NULL},                                           \
        {"tls-min-version", SL_IMPORT_READ, NULL, NULL},                                           \
        {"tls-max-version", SL_IMPORT_LEAVE, NULL, "sluice takes the newest that both know"},      \
        {"tls-version", SL_IMPORT_LEAVE, NULL, "say tls: {min-version:} of the target"},           \
        {"log-tls-secret", SL_IMPORT_LEAVE, NULL, "sluice writes no keys of sessions"},            \
        {"token", SL_IMPORT_LEAVE, NULL,                                                           \
         "sluice logs in with username and password, or a client certificate"},                    \
        {"auth-scheme", SL_IMPORT_LEAVE, NULL, "sluice sends username and password as metadata"},  \
        {"metadata", SL_IMPORT_LEAVE, NULL, "sluice sends no metadata of its users"},              \
        {"encoding", SL_IMPORT_READ, NULL, NULL},                                                  \
    {                                                                                              \
        "debug", SL_IMPORT_QUIET, NULL, NULL                                                       \
    }

static const struct sl_import_row root_rows[] = {
    COMMON_ROWS,
    {"retry", SL_IMPORT_READ, NULL, NULL},
    {"port", SL_IMPORT_READ, NULL, NULL},
    {"targets", SL_IMPORT_READ, NULL, NULL},
    {"address", SL_IMPORT_READ, NULL, NULL},
    {"subscriptions", SL_IMPORT_READ, NULL, NULL},
    {"outputs", SL_IMPORT_READ, NULL, NULL},
    {"processors", SL_IMPORT_READ, NULL, NULL},
    {"max-msg-size", SL_IMPORT_READ, NULL, NULL},
    {"target-buffer-size", SL_IMPORT_CHANGE, NULL,
     "sluice counts bytes, not messages: 'collector.memory' is the bound of all that it holds"},
    {"log", SL_IMPORT_QUIET, NULL, NULL},
    {"log-file", SL_IMPORT_CHANGE, NULL, "sluice logs on standard error"},
    {"log-max-size", SL_IMPORT_QUIET, NULL, NULL},
    {"log-max-backups", SL_IMPORT_QUIET, NULL, NULL},
    {"log-compress", SL_IMPORT_QUIET, NULL, NULL},
    {"log-format", SL_IMPORT_QUIET, NULL, NULL},
    {"format", SL_IMPORT_QUIET, NULL, NULL},
    {"no-prefix", SL_IMPORT_QUIET, NULL, NULL},
    {"print-request", SL_IMPORT_QUIET, NULL, NULL},
    {"calculate-latency", SL_IMPORT_QUIET, NULL, NULL},
    {"instance-name", SL_IMPORT_QUIET, NULL, NULL},
    {"api", SL_IMPORT_LEAVE, NULL, "sluice's own is 'collector.admin'"},
    {"api-server", SL_IMPORT_LEAVE, NULL, "sluice's own is 'collector.admin'; its API is another"},
    {"cluster-name", SL_IMPORT_LEAVE, NULL, "sluice has no cluster with a locker"},
    {"clustering", SL_IMPORT_LEAVE, NULL,
     "sluice has no cluster with a locker; each instance has targets of its own"},
    {"loader", SL_IMPORT_LEAVE, NULL,
     "the targets that it finds are not in the new file; list them there"},
    {"inputs", SL_IMPORT_LEAVE, NULL, "sluice collects from devices alone"},
    {"actions", SL_IMPORT_LEAVE, NULL, "sluice runs nothing; let a consumer do it"},
    {"gnmi-server", SL_IMPORT_LEAVE, NULL, "sluice is no gNMI server"},
    {"tunnel-server", SL_IMPORT_LEAVE, NULL, "devices do not dial sluice"},
    {"use-tunnel-server", SL_IMPORT_LEAVE, NULL, "devices do not dial sluice"},
    {"plugins", SL_IMPORT_LEAVE, NULL, "sluice's plugins are other ones: plugins/README.md"},
    {"proto-file", SL_IMPORT_LEAVE, NULL, "protobuf inside values stays bytes"},
    {"proto-dir", SL_IMPORT_LEAVE, NULL, "protobuf inside values stays bytes"},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row target_rows[] = {
    COMMON_ROWS,
    {"name", SL_IMPORT_READ, NULL, NULL},
    {"address", SL_IMPORT_READ, NULL, NULL},
    {"retry-timer", SL_IMPORT_READ, NULL, NULL},
    {"retry", SL_IMPORT_READ, NULL, NULL},
    {"subscriptions", SL_IMPORT_READ, NULL, NULL},
    {"outputs", SL_IMPORT_READ, NULL, NULL},
    {"event-tags", SL_IMPORT_READ, NULL, NULL},
    {"grpc-keepalive", SL_IMPORT_READ, NULL, NULL},
    {"tags", SL_IMPORT_LEAVE, NULL, "sluice has no cluster whose members they choose"},
    {"buffer-size", SL_IMPORT_CHANGE, NULL,
     "sluice counts bytes, not messages: 'credit' of a subscription bounds what a stream has in "
     "flight"},
    {"tcp-keepalive", SL_IMPORT_QUIET, NULL, NULL},
    {"cipher-suites", SL_IMPORT_LEAVE, NULL,
     "say tls: {ciphers:, ciphersuites:} with OpenSSL's names"},
    {"grpc-read-buffer-size", SL_IMPORT_CHANGE, NULL, OWN_WAY},
    {"grpc-write-buffer-size", SL_IMPORT_CHANGE, NULL, OWN_WAY},
    {"grpc-window-size", SL_IMPORT_CHANGE, NULL, "in sluice 'credit' of a subscription"},
    {"grpc-conn-window-size", SL_IMPORT_CHANGE, NULL, OWN_WAY},
    {"grpc-static-stream-window-size", SL_IMPORT_CHANGE, NULL,
     "in sluice 'credit' of a subscription"},
    {"grpc-static-conn-window-size", SL_IMPORT_CHANGE, NULL, OWN_WAY},
    {"proto-files", SL_IMPORT_LEAVE, NULL, "protobuf inside values stays bytes"},
    {"proto-dirs", SL_IMPORT_LEAVE, NULL, "protobuf inside values stays bytes"},
    {"tunnel-target-type", SL_IMPORT_LEAVE, NULL, "devices do not dial sluice"},
    {NULL, 0, NULL, NULL},
};

/* ---- inheritance ---- */

static const struct sl_config_node *effective(const struct sl_import *import,
                                              const struct sl_config_node *target, const char *key)
{
    const struct sl_config_node *own = sl_import_get(target, key);

    return own ? own : sl_import_get(import->root, key);
}

/* What is in force and of use there; `target` NULL: where a target says nothing itself. */
static const struct sl_config_node *wanted(const struct sl_import *import,
                                           const struct sl_config_node *target, const char *key)
{
    bool is_insecure = sl_import_is_true(effective(import, target, "insecure"));
    bool is_trusting = sl_import_is_true(effective(import, target, "skip-verify"));
    bool is_tls = strncmp(key, "tls-", 4) == 0 || strcmp(key, "skip-verify") == 0;
    const struct sl_config_node *node = effective(import, target, key);

    if ((is_insecure && is_tls) || (is_trusting && strcmp(key, "tls-ca") == 0)) {
        return NULL;
    }
    return *sl_import_text(node) ? node : NULL;
}

/* The same, but only where it is another than what `defaults` will have. */
static const struct sl_config_node *own(const struct sl_import *import,
                                        const struct sl_config_node *target, const char *key)
{
    const struct sl_config_node *node = wanted(import, target, key);

    return target && node == wanted(import, NULL, key) ? NULL : node;
}

static void put_tls(struct sl_import *import, const struct sl_config_node *target, unsigned indent)
{
    bool has_head = false;

    for (const struct sl_import_row *row = inherited_tls; row->key; row++) {
        const struct sl_config_node *node = own(import, target, row->key);
        const char *text = sl_import_text(node);
        bool is_old = strcmp(row->as, "min-version") == 0 &&
                      (strcmp(text, "1.0") == 0 || strcmp(text, "1.1") == 0);
        if (is_old) {
            sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                           "'%s': sluice speaks TLS 1.2 and 1.3, nothing older", row->key);
        }
        if (!node || is_old) {
            continue;
        }
        if (!has_head) {
            sl_import_put_key(import, "tls", indent);
            has_head = true;
        }
        sl_import_put_row(import, row, node, indent + 2);
    }
}

/* Go's retry is one constant; sluice's grows up to it. */
static void put_backoff(struct sl_import *import, const struct sl_config_node *target,
                        unsigned indent)
{
    static const struct sl_import_row min = {"retry", SL_IMPORT_DURATION, "min", NULL};
    static const struct sl_import_row max = {"retry", SL_IMPORT_DURATION, "max", NULL};
    const struct sl_config_node *node =
        target ? sl_import_get(target, "retry-timer") : sl_import_get(import->root, "retry");
    int64_t ns = 0;

    node = node || !target ? node : sl_import_get(target, "retry");
    if (!node || !sl_import_to_duration(sl_import_text(node), &ns) || ns < SL_NS_PER_MS) {
        return;
    }
    sl_import_put_key(import, "backoff", indent);
    if (ns < SL_NS_PER_S) {
        sl_import_put_row(import, &min, node, indent + 2);
    }
    sl_import_put_row(import, &max, node, indent + 2);
}

static void put_inherited(struct sl_import *import, const struct sl_config_node *target,
                          unsigned indent)
{
    for (const struct sl_import_row *row = inherited; row->key; row++) {
        sl_import_put_row(import, row, own(import, target, row->key), indent);
    }
    put_tls(import, target, indent);
    put_backoff(import, target, indent);
}

/* What every subscription says; false: nothing. */
static bool put_default_subscription(struct sl_import *import)
{
    const struct sl_config_node *node = sl_import_get(import->root, "max-msg-size");
    uint64_t bytes = 0;

    if (!node) {
        return false;
    }
    if (!sl_str_to_u64(sl_str_from(sl_import_text(node)), &bytes) || bytes < 64 * SL_KIB ||
        bytes > 256 * SL_MIB) {
        sl_import_note(import, node, SL_IMPORT_CHANGED,
                       "'max-msg-size': in sluice 'max-message' of a subscription, from 64KiB to "
                       "256MiB, and 16MiB where it says nothing");
        return false;
    }
    sl_import_put_key(import, "subscription", 2);
    sl_import_put_row(import, &(struct sl_import_row){"", SL_IMPORT_NUMBER, "max-message", NULL},
                      node, 4);
    return true;
}

static void put_defaults(struct sl_import *import)
{
    size_t start = import->out->len;

    sl_import_put_key(import, "defaults", 0);
    bool has_any = put_default_subscription(import);
    size_t target = import->out->len;
    sl_import_put_key(import, "target", 2);
    size_t empty = import->out->len;
    put_inherited(import, NULL, 4);
    if (import->out->len == empty && !import->out->failed) {
        import->out->len = has_any ? target : start;
    }
}

/* ---- targets ---- */

/* "leaf1", "leaf1:57400", "unix:///run/a.sock"; of several with commas the first. */
static void put_address(struct sl_import *import, const struct sl_config_node *node,
                        const char *address)
{
    const char *comma = strchr(address, ',');
    const char *port = sl_import_text(sl_import_get(import->root, "port"));
    size_t len = comma ? (size_t)(comma - address) : strlen(address);
    const char *colon = memchr(address, ':', len);
    struct sl_buf text = {0};

    if (comma) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "several addresses: sluice dials the first; a name with several addresses "
                       "does what the list did");
    }
    if (strncmp(address, "unix://", 7) == 0) {
        sl_buf_printf(&text, "unix:%s", address + 7);
    } else if (colon && *address != '[' &&
               memchr(colon + 1, ':', len - (size_t)(colon + 1 - address))) {
        sl_buf_printf(&text, "[%.*s]:%s", (int)len, address, *port ? port : "57400"); /* IPv6 */
    } else {
        sl_buf_add(&text, address, len);
        sl_buf_printf(&text, "%s%s", !colon && *port ? ":" : "", colon ? "" : port);
    }
    sl_import_put_expanded(import, "address", sl_buf_text(&text), 4);
    sl_import_drop(import, &text);
}

static void put_keepalive(struct sl_import *import, const struct sl_config_node *map)
{
    static const struct sl_import_row rows[] = {
        {"time", SL_IMPORT_DURATION, "interval", NULL},
        {"timeout", SL_IMPORT_DURATION, "timeout", NULL},
        {NULL, 0, NULL, NULL},
    };

    if (sl_import_get(map, "time") || sl_import_get(map, "timeout")) {
        sl_import_put_key(import, "keepalive", 4);
        sl_import_put_rows(import, rows, map, 6);
    }
}

static void add_tag(struct sl_import *import, const char *name, const char *value, bool *has_any)
{
    sl_buf_add_c(import->out, *has_any ? ", " : "    labels: {");
    *has_any = true;
    sl_import_add_text(import->out, name);
    sl_buf_add_c(import->out, ": ");
    sl_import_add_expanded(import->out, value);
}

/* Tags become labels; so does the name as a topic has it, where a topic has names. */
static void put_labels(struct sl_import *import, const struct sl_config_node *target,
                       const char *name)
{
    const struct sl_config_node *tags = sl_import_get(target, "event-tags");
    size_t count = tags && sl_config_kind(tags) == SL_CONFIG_MAP ? sl_config_count(tags) : 0;
    bool has_any = false;
    char topic[SL_IMPORT_TOPIC_NAME_BYTES];

    for (size_t i = 0; i < count; i++) {
        if (sl_import_gnmic_is_tag(sl_config_key(tags, i))) {
            add_tag(import, sl_config_key(tags, i), sl_import_text(sl_config_at(tags, i)),
                    &has_any);
        } else {
            sl_import_note(import, sl_config_key_node(tags, i), SL_IMPORT_LEFT_OUT,
                           "the event tag '%.80s' has the name of one that gnmic itself sets, or "
                           "one that sluice does not take",
                           sl_config_key(tags, i));
        }
    }
    if (sl_import_gnmic_topic_name(import, name, topic)) {
        add_tag(import, SL_IMPORT_TOPIC_LABEL, topic, &has_any);
    }
    sl_buf_add_c(import->out, has_any ? "}\n" : "");
}

/* The outputs that are sinks now: of a list of names those; without one all, which sluice takes
 * where nothing is said. False: none is left. */
static bool has_sink(struct sl_import *import, const struct sl_config_node *outputs)
{
    size_t count = sl_import_items(outputs);
    bool has_any = count == 0;

    for (size_t i = 0; i < count; i++) {
        has_any = has_any || sl_import_gnmic_has_output(import, sl_import_item(outputs, i));
    }
    return has_any;
}

void sl_import_gnmic_put_sinks(struct sl_import *import, const struct sl_config_node *outputs)
{
    size_t count = sl_import_items(outputs);
    bool has_any = false;

    for (size_t i = 0; i < count; i++) {
        const char *name = sl_import_item(outputs, i);
        if (!sl_import_gnmic_has_output(import, name)) {
            sl_import_note(import, sl_config_item(outputs, i), SL_IMPORT_LEFT_OUT,
                           "the output '%.80s' is not in the new file", name);
            continue;
        }
        sl_buf_add_c(import->out, has_any ? ", " : "    sinks: [");
        sl_import_add_text(import->out, name);
        has_any = true;
    }
    sl_buf_add_c(import->out, has_any ? "]\n" : "");
}

/* Whether the target (its outputs) and the subscription have a sink in common. */
static bool shares_sink(struct sl_import *import, const struct sl_config_node *outputs,
                        const struct sl_config_node *subscription)
{
    const struct sl_config_node *narrowed = sl_import_get(subscription, "outputs");
    size_t count = sl_import_items(outputs);

    if (!count || !sl_import_items(narrowed)) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sl_import_items(narrowed); j++) {
            const char *name = sl_import_item(outputs, i);
            if (strcmp(name, sl_import_item(narrowed, j)) == 0 &&
                sl_import_gnmic_has_output(import, name)) {
                return true;
            }
        }
    }
    return false;
}

/* The subscriptions of a target: those that it names, else all. */
struct chosen {
    const struct sl_config_node *all;
    const struct sl_config_node *named; /* NULL: all of them */
    const struct sl_config_node *outputs;
};

static struct chosen choose(const struct sl_import *import, const struct sl_config_node *target)
{
    const struct sl_config_node *named = sl_import_get(target, "subscriptions");

    return (struct chosen){.all = sl_import_get(import->root, "subscriptions"),
                           .named = sl_import_items(named) ? named : NULL,
                           .outputs = sl_import_get(target, "outputs")};
}

static size_t chosen_count(const struct chosen *chosen)
{
    if (chosen->named) {
        return sl_import_items(chosen->named);
    }
    bool is_map = chosen->all && sl_config_kind(chosen->all) == SL_CONFIG_MAP;

    return is_map ? sl_config_count(chosen->all) : 0;
}

static const char *chosen_name(const struct chosen *chosen, size_t i)
{
    return chosen->named ? sl_import_item(chosen->named, i) : sl_config_key(chosen->all, i);
}

/* NULL: it can run; else why not. */
static const char *refusal(struct sl_import *import, const struct chosen *chosen, const char *name)
{
    if (!sl_import_gnmic_has_subscription(import, name)) {
        return "is not in the new file";
    }
    if (sl_import_is_left_aside(import->options.subscription, name)) {
        return "is left aside";
    }
    if (!shares_sink(import, chosen->outputs, sl_import_get(chosen->all, name))) {
        return "has other outputs than the target; in sluice it narrows the target's";
    }
    return NULL;
}

static bool has_subscription(struct sl_import *import, const struct chosen *chosen)
{
    for (size_t i = 0; i < chosen_count(chosen); i++) {
        if (!refusal(import, chosen, chosen_name(chosen, i))) {
            return true;
        }
    }
    return false;
}

/* Nothing where all of the file's are meant and can run. */
static void put_subscriptions(struct sl_import *import, const struct sl_config_node *node,
                              const struct chosen *chosen)
{
    size_t count = chosen_count(chosen);
    size_t start = import->out->len;
    size_t written = 0;
    size_t absent = 0;

    for (size_t i = 0; i < count; i++) {
        const char *name = chosen_name(chosen, i);
        const char *why = refusal(import, chosen, name);
        if (!chosen->named && !sl_import_gnmic_has_subscription(import, name)) {
            absent++; /* nobody has it */
            continue;
        }
        if (why) {
            sl_import_note(import, chosen->named ? sl_config_item(chosen->named, i) : node,
                           SL_IMPORT_LEFT_OUT, "the subscription '%.80s' of this target %s", name,
                           why);
            continue;
        }
        sl_buf_add_c(import->out, written++ ? ", " : "    subscriptions: [");
        sl_import_add_text(import->out, name);
    }
    sl_buf_add_c(import->out, written ? "]\n" : "");
    if (!chosen->named && written + absent == count && !import->out->failed) {
        import->out->len = start;
    }
}

/* Whether it can run at all; if not, the notes say why. */
static bool can_run(struct sl_import *import, const struct sl_config_node *node,
                    const struct sl_config_node *target, const char *name)
{
    if (!sl_import_is_name(name)) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "target '%.80s': sluice takes names of printable ASCII without blanks, "
                       "quotes and semicolons",
                       name);
        return false;
    }
    if (!has_sink(import, sl_import_get(target, "outputs"))) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "target '%.80s': none of its outputs is in the new file, and so it is not "
                       "either",
                       name);
        return false;
    }
    const struct chosen chosen = choose(import, target);
    if (!has_subscription(import, &chosen)) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "target '%.80s': none of its subscriptions is in the new file, and so it "
                       "is not either",
                       name);
        return false;
    }
    return true;
}

static void note_capitals(struct sl_import *import, const struct sl_config_node *node,
                          const char *name)
{
    for (const char *at = name; *at; at++) {
        if (*at >= 'A' && *at <= 'Z') {
            sl_import_note(import, node, SL_IMPORT_CHANGED,
                           "'%.80s': some versions of gnmic write keys of their file in small "
                           "letters; sluice keeps the name as it stands",
                           name);
            return;
        }
    }
}

static bool put_target(struct sl_import *import, const struct sl_config_node *node, const char *key,
                       const struct sl_config_node *target)
{
    const char *own_name = sl_import_text(sl_import_get(target, "name"));
    const char *address = sl_import_text(sl_import_get(target, "address"));
    const char *name = *own_name ? own_name : key;
    const struct chosen chosen = choose(import, target);

    sl_import_judge(import, target, target_rows);
    note_capitals(import, node, name);
    if (!can_run(import, node, target, name) ||
        sl_import_is_left_aside(import->options.target, name)) {
        return false;
    }
    sl_import_put_key(import, name, 2);
    if (import->options.replay) {
        sl_import_put_trial_device(import);
    } else {
        put_address(import, node, *address ? address : key);
        put_inherited(import, target, 4);
        put_keepalive(import, sl_import_get(target, "grpc-keepalive"));
    }
    put_labels(import, target, name);
    put_subscriptions(import, node, &chosen);
    sl_import_gnmic_put_sinks(import, sl_import_get(target, "outputs"));
    return true;
}

static bool is_done(const struct sl_import *import, size_t count)
{
    return import->options.replay && count;
}

/* How many there are. */
static size_t put_targets(struct sl_import *import)
{
    const struct sl_config_node *map = sl_import_get(import->root, "targets");
    const struct sl_config_node *list = sl_import_get(import->root, "address");
    bool is_map = map && sl_config_kind(map) == SL_CONFIG_MAP;
    size_t count = 0;

    sl_import_put_key(import, "targets", 0);
    for (size_t i = 0; is_map && i < sl_config_count(map) && !is_done(import, count); i++) {
        count += put_target(import, sl_config_key_node(map, i), sl_config_key(map, i),
                            sl_config_at(map, i));
    }
    for (size_t i = 0; i < sl_import_items(list) && !is_done(import, count); i++) {
        count += put_target(import, sl_config_item(list, i), sl_import_item(list, i), NULL);
    }
    return count;
}

/* ---- the whole ---- */

static bool put_all(struct sl_import *import)
{
    if (import->options.replay) {
        sl_import_put_trial(import);
    } else {
        put_defaults(import);
    }
    size_t targets = put_targets(import);
    size_t subscriptions = sl_import_gnmic_subscriptions(import);
    sl_import_gnmic_rules(import);
    size_t sinks = sl_import_gnmic_outputs(import);

    if (!targets) {
        sl_import_note(import, NULL, SL_IMPORT_LEFT_OUT, "there is no target to write");
    }
    if (!subscriptions) {
        sl_import_note(import, NULL, SL_IMPORT_LEFT_OUT, "there is no subscription to write");
    }
    if (!sinks) {
        sl_import_note(import, NULL, SL_IMPORT_LEFT_OUT, "there is no output to write");
    }
    return targets && subscriptions && sinks;
}

bool sl_import_gnmic(struct sl_import *import, const char *source, struct sl_buf *out)
{
    struct sl_buf body;

    sl_buf_init(&body, SL_IMPORT_MAX_BYTES);
    import->out = &body;
    sl_import_judge(import, import->root, root_rows);
    bool is_good = put_all(import);
    if (is_good) {
        sl_import_add_head(import, "gnmic", source, out);
        sl_buf_add_str(out, sl_buf_str(&body));
    }
    is_good = is_good && !body.failed && !out->failed && !import->is_failed;
    import->out = NULL;
    sl_buf_fini(&body);
    return is_good;
}
