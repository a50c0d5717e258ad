/* gnmic's subscriptions, which have nearly the keys of ours. */
#include <string.h>
#include <strings.h>

#include "import/internal.h"

static const struct sl_import_row written[] = {
    {"prefix", SL_IMPORT_TEXT, "prefix", NULL},
    {"target", SL_IMPORT_TEXT, "target", NULL},
    {"set-target", SL_IMPORT_BOOL, "set-target", NULL},
    {"updates-only", SL_IMPORT_BOOL, "updates-only", NULL},
    {"qos", SL_IMPORT_NUMBER, "qos", NULL},
    {"depth", SL_IMPORT_NUMBER, "depth", NULL},
    {NULL, 0, NULL, NULL},
};

#define ASK_ROWS                                                                                   \
    {"paths", SL_IMPORT_READ, NULL, NULL}, {"stream-mode", SL_IMPORT_READ, NULL, NULL},            \
        {"sample-interval", SL_IMPORT_READ, NULL, NULL},                                           \
        {"heartbeat-interval", SL_IMPORT_READ, NULL, NULL},                                        \
    {                                                                                              \
        "suppress-redundant", SL_IMPORT_READ, NULL, NULL                                           \
    }

static const struct sl_import_row rows[] = {
    ASK_ROWS,
    {"prefix", SL_IMPORT_READ, NULL, NULL},
    {"target", SL_IMPORT_READ, NULL, NULL},
    {"set-target", SL_IMPORT_READ, NULL, NULL},
    {"updates-only", SL_IMPORT_READ, NULL, NULL},
    {"qos", SL_IMPORT_READ, NULL, NULL},
    {"depth", SL_IMPORT_READ, NULL, NULL},
    {"name", SL_IMPORT_QUIET, NULL, NULL},
    {"path", SL_IMPORT_READ, NULL, NULL},
    {"models", SL_IMPORT_READ, NULL, NULL},
    {"mode", SL_IMPORT_READ, NULL, NULL},
    {"encoding", SL_IMPORT_READ, NULL, NULL},
    {"history", SL_IMPORT_READ, NULL, NULL},
    {"stream-subscriptions", SL_IMPORT_READ, NULL, NULL},
    {"outputs", SL_IMPORT_READ, NULL, NULL},
    {"event-tags", SL_IMPORT_LEAVE, NULL, "a rule of kind label of the subscription says the same"},
    {"debug", SL_IMPORT_QUIET, NULL, NULL},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row ask_rows[] = {
    ASK_ROWS,
    {NULL, 0, NULL, NULL},
};

/* ---- which there are ---- */

/* Why sluice has no such subscription; NULL: it has. */
static const char *refusal(const struct sl_config_node *node)
{
    const char *mode = sl_import_text(sl_import_get(node, "mode"));
    bool asks = sl_import_items(sl_import_get(node, "paths")) ||
                sl_import_items(sl_import_get(node, "path")) ||
                sl_import_items(sl_import_get(node, "stream-subscriptions"));

    if (*mode && strcasecmp(mode, "stream") != 0) {
        return "sluice subscribes for good; 'sluice subscribe --mode once' asks once";
    }
    if (sl_import_get(sl_import_get(node, "history"), "snapshot")) {
        return "sluice asks for the past by 'start' and 'end', not for a snapshot";
    }
    return asks ? NULL : "it has no paths";
}

/* Whether any of its outputs is a sink. */
static bool has_sink(const struct sl_import *import, const struct sl_config_node *node)
{
    const struct sl_config_node *outputs = sl_import_get(node, "outputs");
    size_t count = sl_import_items(outputs);
    bool has_any = count == 0;

    for (size_t i = 0; i < count; i++) {
        has_any = has_any || sl_import_gnmic_has_output(import, sl_import_item(outputs, i));
    }
    return has_any;
}

bool sl_import_gnmic_has_subscription(const struct sl_import *import, const char *name)
{
    const struct sl_config_node *node =
        sl_import_get(sl_import_get(import->root, "subscriptions"), name);

    return node && sl_import_is_name(name) && !refusal(node) && has_sink(import, node);
}

/* ---- what they ask for ---- */

static const char *word_of(const struct sl_config_node *node, const char *key)
{
    return sl_import_text(sl_import_get(node, key));
}

static bool is_sample(const struct sl_config_node *node, const struct sl_config_node *outer)
{
    const char *mode = word_of(node, "stream-mode");

    mode = *mode ? mode : word_of(outer, "stream-mode");
    return strcasecmp(mode, "sample") == 0;
}

/* The intervals say nothing in modes that have none, and sluice refuses them there. */
static void put_intervals(struct sl_import *import, const struct sl_config_node *node,
                          const struct sl_config_node *outer, unsigned indent)
{
    static const struct sl_import_row sample = {"sample-interval", SL_IMPORT_DURATION,
                                                "sample-interval", NULL};
    static const struct sl_import_row heartbeat = {"heartbeat-interval", SL_IMPORT_DURATION,
                                                   "heartbeat-interval", NULL};
    static const struct sl_import_row redundant = {"suppress-redundant", SL_IMPORT_BOOL,
                                                   "suppress-redundant", NULL};
    const struct sl_config_node *interval = sl_import_get(node, "sample-interval");
    const struct sl_config_node *beat = sl_import_get(node, "heartbeat-interval");
    const struct sl_config_node *suppress = sl_import_get(node, "suppress-redundant");
    bool is_sampled = is_sample(node, outer);
    bool suppresses = sl_import_is_true(suppress);

    if (is_sampled) {
        sl_import_put_row(import, &sample, interval, indent);
        sl_import_put_row(import, &redundant, suppress, indent);
    } else if (interval || suppresses) {
        sl_import_note(import, interval ? interval : suppress, SL_IMPORT_CHANGED,
                       "'sample-interval' and 'suppress-redundant' say nothing without "
                       "'stream-mode: sample', and are not sent any more");
    }
    if (beat && is_sampled && !suppresses) {
        sl_import_note(import, beat, SL_IMPORT_CHANGED,
                       "'heartbeat-interval' says nothing of samples without "
                       "'suppress-redundant: true', and is not sent any more");
    } else {
        sl_import_put_row(import, &heartbeat, beat, indent);
    }
}

/* A path without an origin may begin without its slash. */
static void add_path(struct sl_import *import, const char *path)
{
    const char *colon = strchr(path, ':');
    const char *slash = strchr(path, '/');
    bool has_origin = colon && (!slash || colon < slash) && (!colon[1] || colon + 1 == slash);
    struct sl_buf text = {0};

    sl_buf_printf(&text, "%s%s%s", *path == '/' || has_origin ? "" : "/", path,
                  has_origin && !colon[1] ? "/" : "");
    sl_import_add_expanded(import->out, sl_buf_text(&text));
    sl_import_drop(import, &text);
}

static void put_ask(struct sl_import *import, const struct sl_config_node *node,
                    const struct sl_config_node *outer, unsigned indent)
{
    static const struct sl_import_row mode = {"stream-mode", SL_IMPORT_WORD, "stream-mode", NULL};
    const struct sl_config_node *paths = sl_import_get(node, "paths");

    paths = paths ? paths : sl_import_get(node, "path");
    for (size_t i = 0; i < sl_import_items(paths); i++) {
        if (i == 0) {
            sl_import_put_key(import, "paths", indent);
        }
        sl_buf_printf(import->out, "%*s- ", (int)indent + 2, "");
        add_path(import, sl_import_item(paths, i));
        sl_buf_add_byte(import->out, '\n');
    }
    sl_import_put_row(import, &mode, sl_import_get(node, "stream-mode"), indent);
    put_intervals(import, node, outer, indent);
}

static void put_asks(struct sl_import *import, const struct sl_config_node *node)
{
    const struct sl_config_node *list = sl_import_get(node, "stream-subscriptions");

    put_ask(import, node, NULL, 4);
    for (size_t i = 0; i < sl_import_items(list); i++) {
        const struct sl_config_node *ask = sl_config_item(list, i);
        size_t start = import->out->len;
        sl_import_judge(import, ask, ask_rows);
        if (i == 0) {
            sl_import_put_key(import, "stream-subscriptions", 4);
            start = import->out->len;
        }
        put_ask(import, ask, node, 8);
        if (!import->out->failed && import->out->len > start + 6) {
            import->out->data[start + 6] = '-'; /* the item's first line */
        }
    }
}

/* ---- the rest ---- */

/* Its own, else the file's, else gnmic's. */
static void put_encoding(struct sl_import *import, const struct sl_config_node *node)
{
    static const char *const names[] = {"json", "bytes", "proto", "ascii", "json_ietf"};
    const struct sl_config_node *own = sl_import_get(node, "encoding");
    const struct sl_config_node *place = own ? own : sl_import_get(import->root, "encoding");
    const char *text = place ? sl_import_text(place) : "json";

    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        if (strcasecmp(text, names[i]) == 0 ||
            (strcasecmp(text, "json-ietf") == 0 && strcmp(names[i], "json_ietf") == 0)) {
            sl_import_put_raw(import, "encoding", names[i], 4);
            return;
        }
    }
    sl_import_note(import, place, SL_IMPORT_LEFT_OUT,
                   "encoding '%.40s': sluice takes what suits the device; expected json, bytes, "
                   "proto, ascii or json_ietf",
                   text);
}

static void put_history(struct sl_import *import, const struct sl_config_node *map)
{
    static const struct sl_import_row bounds[] = {
        {"start", SL_IMPORT_TEXT, "start", NULL},
        {"end", SL_IMPORT_TEXT, "end", NULL},
        {NULL, 0, NULL, NULL},
    };

    if (map) {
        sl_import_put_key(import, "history", 4);
        sl_import_put_rows(import, bounds, map, 6);
    }
}

static void put_subscription(struct sl_import *import, const char *name,
                             const struct sl_config_node *node)
{
    sl_import_put_key(import, name, 2);
    put_asks(import, node);
    sl_import_put_rows(import, written, node, 4);
    put_encoding(import, node);
    sl_import_put_items(import, "models", sl_import_get(node, "models"), 4);
    put_history(import, sl_import_get(node, "history"));
    sl_import_gnmic_put_sinks(import, sl_import_get(node, "outputs"));
}

size_t sl_import_gnmic_subscriptions(struct sl_import *import)
{
    const struct sl_config_node *map = sl_import_get(import->root, "subscriptions");
    bool is_map = map && sl_config_kind(map) == SL_CONFIG_MAP;
    size_t count = 0;

    sl_import_put_key(import, "subscriptions", 0);
    for (size_t i = 0; is_map && i < sl_config_count(map); i++) {
        const struct sl_config_node *node = sl_config_at(map, i);
        const char *name = sl_config_key(map, i);
        const char *why = refusal(node);
        sl_import_judge(import, node, rows);
        if (sl_import_gnmic_has_subscription(import, name)) {
            put_subscription(import, name, node);
            count++;
            continue;
        }
        sl_import_note(import, sl_config_key_node(map, i), SL_IMPORT_LEFT_OUT,
                       "subscription '%.80s': %s", name,
                       why ? why : "its name, or none of its outputs, is one that sluice takes");
    }
    return count;
}
