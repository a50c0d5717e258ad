/* Telegraf's subscriptions: those of an input that name the same measurement are one of ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/telegraf.h"

enum { INDENT = 4 };

static const struct sl_import_row rows[] = {
    {"name", SL_IMPORT_READ, NULL, NULL},
    {"origin", SL_IMPORT_READ, NULL, NULL},
    {"path", SL_IMPORT_READ, NULL, NULL},
    {"subscription_mode", SL_IMPORT_READ, NULL, NULL},
    {"sample_interval", SL_IMPORT_READ, NULL, NULL},
    {"heartbeat_interval", SL_IMPORT_READ, NULL, NULL},
    {"suppress_redundant", SL_IMPORT_READ, NULL, NULL},
    {"tag_only", SL_IMPORT_LEAVE, NULL,
     "rules make tags of keys and constants, not of values; sluice writes it as a measurement"},
    {NULL, 0, NULL, NULL},
};

/* What is the input's, and each subscription's in sluice. */
static const struct sl_import_row of_input[] = {
    {"target", SL_IMPORT_TEXT, "target", NULL},
    {"updates_only", SL_IMPORT_BOOL, "updates-only", NULL},
    {"depth", SL_IMPORT_NUMBER, "depth", NULL},
    {NULL, 0, NULL, NULL},
};

static const char *text_of(const struct sl_config_node *map, const char *key)
{
    return sl_import_text(sl_import_get(map, key));
}

/* How many are looked at. */
static size_t asks_of(const struct sl_config_node *input)
{
    size_t count = sl_import_tables(sl_import_get(input, "subscription"));

    return count < SL_IMPORT_MAX_ASKS ? count : SL_IMPORT_MAX_ASKS;
}

static const struct sl_config_node *ask_at(const struct sl_config_node *input, size_t i)
{
    return sl_config_item(sl_import_get(input, "subscription"), i);
}

/* What Telegraf calls the measurement. */
static void name_of(const struct sl_config_node *input, const struct sl_config_node *ask,
                    char name[SL_IMPORT_NAME_BYTES])
{
    const char *override = text_of(input, "name_override");

    snprintf(name, SL_IMPORT_NAME_BYTES, "%s%s%s", text_of(input, "name_prefix"),
             *override ? override : text_of(ask, "name"), text_of(input, "name_suffix"));
}

/* Why it is not one of ours; NULL: it is. */
static const char *refusal(const struct sl_config_node *input, const struct sl_config_node *ask)
{
    const char *mode = text_of(ask, "subscription_mode");
    char name[SL_IMPORT_NAME_BYTES];

    name_of(input, ask, name);
    if (!*text_of(ask, "name") || !*text_of(ask, "path")) {
        return "expected a 'name' and a 'path', without which Telegraf does not start";
    }
    if (strcasecmp(mode, "sample") != 0 && strcasecmp(mode, "on_change") != 0 &&
        strcasecmp(mode, "target_defined") != 0) {
        return "expected a 'subscription_mode': sample, on_change or target_defined";
    }
    return sl_import_is_name(name) && strlen(name) <= SL_IMPORT_NAME_BYTES - 24
               ? NULL
               : "sluice takes names of printable ASCII without blanks, quotes and semicolons";
}

/* ---- one way of asking ---- */

/* ORIGIN:/a/b */
static void add_path(struct sl_import *import, const char *origin, const char *path)
{
    struct sl_buf text = {0};

    sl_buf_printf(&text, "%s%s%s%s", origin, *origin ? ":" : "", *path == '/' ? "" : "/", path);
    sl_import_add_expanded(import->out, sl_buf_text(&text));
    sl_import_drop(import, &text);
}

/* The intervals say nothing in modes that have none, and sluice refuses them there. */
static void put_intervals(struct sl_import *import, const struct sl_config_node *ask,
                          bool is_sample, unsigned indent)
{
    static const struct sl_import_row sample = {"sample_interval", SL_IMPORT_PERIOD,
                                                "sample-interval", NULL};
    static const struct sl_import_row heartbeat = {"heartbeat_interval", SL_IMPORT_PERIOD,
                                                   "heartbeat-interval", NULL};
    static const struct sl_import_row redundant = {"suppress_redundant", SL_IMPORT_BOOL,
                                                   "suppress-redundant", NULL};
    const struct sl_config_node *interval = sl_import_get(ask, "sample_interval");
    const struct sl_config_node *beat = sl_import_get(ask, "heartbeat_interval");
    const struct sl_config_node *suppress = sl_import_get(ask, "suppress_redundant");
    bool suppresses = sl_import_is_true(suppress);

    if (is_sample) {
        sl_import_put_row(import, &sample, interval, indent);
        sl_import_put_row(import, &redundant, suppress, indent);
    } else if (interval || suppresses) {
        sl_import_note(import, interval ? interval : suppress, SL_IMPORT_CHANGED,
                       "'sample_interval' and 'suppress_redundant' say nothing without "
                       "'subscription_mode = \"sample\"', and are not sent any more");
    }
    if (beat && is_sample && !suppresses) {
        sl_import_note(import, beat, SL_IMPORT_CHANGED,
                       "'heartbeat_interval' says nothing of samples without "
                       "'suppress_redundant = true', and is not sent any more");
    } else {
        sl_import_put_row(import, &heartbeat, beat, indent);
    }
}

static void put_ask(struct sl_import *import, const struct sl_config_node *ask, unsigned indent)
{
    static const struct sl_import_row mode = {"subscription_mode", SL_IMPORT_WORD, "stream-mode",
                                              NULL};
    const struct sl_config_node *node = sl_import_get(ask, "subscription_mode");

    sl_import_put_key(import, "paths", indent);
    sl_buf_printf(import->out, "%*s- ", (int)indent + 2, "");
    add_path(import, text_of(ask, "origin"), text_of(ask, "path"));
    sl_buf_add_byte(import->out, '\n');
    sl_import_put_row(import, &mode, node, indent);
    put_intervals(import, ask, strcasecmp(sl_import_text(node), "sample") == 0, indent);
}

/* ---- a measurement ---- */

static void put_encoding(struct sl_import *import, const struct sl_config_node *input)
{
    static const char *const names[] = {"proto", "json", "json_ietf", "bytes"};
    const struct sl_config_node *node = sl_import_get(input, "encoding");
    const char *text = *sl_import_text(node) ? sl_import_text(node) : names[0];

    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            sl_import_put_raw(import, "encoding", text, INDENT);
            return;
        }
    }
    sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                   "encoding '%.40s': sluice takes what suits the device; expected proto, json, "
                   "json_ietf or bytes",
                   text);
}

static void put_max_message(struct sl_import *import, const struct sl_config_node *input)
{
    static const struct sl_import_row row = {"max_msg_size", SL_IMPORT_SIZE, "max-message", NULL};
    const struct sl_config_node *node = sl_import_get(input, "max_msg_size");
    uint64_t bytes = 0;

    if (node && sl_import_to_size(sl_import_text(node), &bytes) &&
        (bytes < 64 * SL_KIB || bytes > 256 * SL_MIB)) {
        sl_import_note(import, node, SL_IMPORT_CHANGED,
                       "'max_msg_size': in sluice 'max-message' of a subscription, from 64KiB to "
                       "256MiB, and 16MiB where it says nothing");
    } else {
        sl_import_put_row(import, &row, node, INDENT);
    }
}

static void put_prefix(struct sl_import *import, const struct sl_config_node *input)
{
    const char *origin = text_of(input, "origin");
    const char *path = text_of(input, "prefix");

    if (!*origin && !*path) {
        return;
    }
    sl_buf_printf(import->out, "%*sprefix: ", INDENT, "");
    add_path(import, origin, path);
    sl_buf_add_byte(import->out, '\n');
    if (*path && strcmp(path, "/") != 0) {
        sl_import_note(import, sl_import_get(input, "prefix"), SL_IMPORT_CHANGED,
                       "'prefix': Telegraf looks for a measurement's name without it, and so finds "
                       "none; sluice finds the name, and fields are called by what is behind the "
                       "whole path");
    }
}

/* The sinks whose filters take the name; nothing when all do. False: none does. */
static bool put_sinks(struct sl_import_telegraf *telegraf, const char *name)
{
    struct sl_import *import = telegraf->import;
    size_t start = import->out->len;
    size_t taken = 0;

    for (size_t i = 0; i < telegraf->sink_count; i++) {
        if (sl_import_telegraf_passes(telegraf->sinks[i].output, name)) {
            sl_buf_add_c(import->out, taken++ ? ", " : "    sinks: [");
            sl_import_add_text(import->out, telegraf->sinks[i].name);
        }
    }
    sl_buf_add_c(import->out, taken ? "]\n" : "");
    if (taken == telegraf->sink_count && !import->out->failed) {
        import->out->len = start;
    }
    return taken > 0 || !telegraf->sink_count;
}

static bool is_called(const struct sl_config_node *input, size_t i, const char *name)
{
    char own[SL_IMPORT_NAME_BYTES];

    name_of(input, ask_at(input, i), own);
    return strcmp(own, name) == 0 && !refusal(input, ask_at(input, i));
}

static void put_asks(struct sl_import *import, const struct sl_config_node *input, const char *name)
{
    sl_import_put_key(import, "stream-subscriptions", INDENT);
    for (size_t i = 0; i < asks_of(input); i++) {
        size_t start = import->out->len;
        if (!is_called(input, i, name)) {
            continue;
        }
        put_ask(import, ask_at(input, i), INDENT + 4);
        if (!import->out->failed) {
            import->out->data[start + INDENT + 2] = '-'; /* the item's first line */
        }
    }
}

/* All of the input that has the name, which its number `first` is the first to have. False: no sink
 * takes it. */
static bool put_measurement(struct sl_import_telegraf *telegraf, size_t number, size_t first,
                            const char *name)
{
    struct sl_import *import = telegraf->import;
    const struct sl_config_node *input = sl_config_item(telegraf->inputs, number);
    bool has_more = false;

    for (size_t i = first + 1; i < asks_of(input) && !has_more; i++) {
        has_more = is_called(input, i, name);
    }
    if (has_more) {
        put_asks(import, input, name);
    } else {
        put_ask(import, ask_at(input, first), INDENT);
    }
    put_encoding(import, input);
    put_prefix(import, input);
    sl_import_put_rows(import, of_input, input, INDENT);
    put_max_message(import, input);
    sl_import_telegraf_put_input_rules(telegraf, number);
    return put_sinks(telegraf, name);
}

/* ---- all of them ---- */

/* Where memory was out it has no name. */
static bool is_key(const struct sl_import_subscription *one, const char *key)
{
    return one->name && strcmp(one->name, key) == 0;
}

/* What has that key; subscription_count: nothing. */
static size_t find(const struct sl_import_telegraf *telegraf, const char *key)
{
    size_t i = 0;

    while (i < telegraf->subscription_count && !is_key(&telegraf->subscriptions[i], key)) {
        i++;
    }
    return i;
}

/* Its number within what is written: of one with the same text, or a new one, whose key is another
 * where the name is taken. SL_IMPORT_MAX_SUBSCRIPTIONS: there is no more room. */
static size_t keep(struct sl_import_telegraf *telegraf, const char *name, const struct sl_buf *text)
{
    struct sl_import_subscription *kept = telegraf->subscriptions;
    char key[SL_IMPORT_NAME_BYTES];
    size_t i = find(telegraf, name);

    snprintf(key, sizeof(key), "%s", name);
    for (size_t others = 2; i < telegraf->subscription_count; others++) {
        if (kept[i].text.len == text->len &&
            memcmp(kept[i].text.data, text->data, text->len) == 0) {
            return i;
        }
        snprintf(key, sizeof(key), "%.*s-%zu", SL_IMPORT_NAME_BYTES - 24, name, others);
        i = find(telegraf, key);
    }
    if (i == SL_IMPORT_MAX_SUBSCRIPTIONS) {
        return i;
    }
    kept[i].name = sl_str_dup(sl_str_from(key));
    kept[i].measurement = sl_str_dup(sl_str_from(name));
    sl_buf_add_str(&kept[i].text, sl_buf_str(text));
    bool is_good = kept[i].name && kept[i].measurement && !kept[i].text.failed;

    telegraf->subscription_count++; /* whatever is there is freed at the end */
    telegraf->import->is_failed = telegraf->import->is_failed || !is_good;
    return i;
}

/* False: there is no more room. */
static bool link_to(struct sl_import_telegraf *telegraf, size_t input, size_t subscription)
{
    if (subscription == SL_IMPORT_MAX_SUBSCRIPTIONS ||
        telegraf->link_count == SL_IMPORT_MAX_LINKS) {
        return false;
    }
    telegraf->links[telegraf->link_count++] =
        (struct sl_import_link){.input = input, .subscription = subscription};
    return true;
}

/* Whether an earlier one of the input has brought it. */
static bool is_said(const struct sl_config_node *input, size_t end, const char *name)
{
    for (size_t i = 0; i < end; i++) {
        if (is_called(input, i, name)) {
            return true;
        }
    }
    return false;
}

/* False: there is no more room. */
static bool collect_one(struct sl_import_telegraf *telegraf, size_t number, size_t i)
{
    const struct sl_config_node *input = sl_config_item(telegraf->inputs, number);
    const struct sl_config_node *ask = ask_at(input, i);
    struct sl_buf *out = telegraf->import->out;
    const char *why = refusal(input, ask);
    struct sl_buf text = {0};
    char name[SL_IMPORT_NAME_BYTES];
    bool is_linked = true;

    sl_import_judge(telegraf->import, ask, rows);
    name_of(input, ask, name);
    if (why) {
        sl_import_note(telegraf->import, ask, SL_IMPORT_LEFT_OUT, "subscription '%.80s': %s",
                       text_of(ask, "name"), why);
        return true;
    }
    if (is_said(input, i, name)) {
        return true;
    }
    telegraf->import->out = &text;
    bool has_sink = put_measurement(telegraf, number, i, name);
    telegraf->import->out = out;
    if (text.failed) {
        telegraf->import->is_failed = true;
    } else if (has_sink) {
        is_linked = link_to(telegraf, number, keep(telegraf, name, &text));
    } else {
        sl_import_note(telegraf->import, ask, SL_IMPORT_LEFT_OUT,
                       "subscription '%.80s': no output that is in the new file takes it", name);
    }
    sl_import_drop(telegraf->import, &text);
    return is_linked;
}

/* ---- what is asked for twice, and aliases ---- */

static const char *behind_keys(const char *path)
{
    while (*path == '[') {
        path += strcspn(path, "]");
        path += *path == ']';
    }
    return path;
}

/* Whether `path` is beneath `above`, or the same, whatever their keys are. */
static bool is_beneath(const char *path, const char *above)
{
    for (;;) {
        path = behind_keys(path);
        above = behind_keys(above);
        if (!*above || (!above[1] && *above == '/')) {
            return !*path || *path == '/';
        }
        if (*path != *above) {
            return false;
        }
        path++;
        above++;
    }
}

static void note_overlaps(struct sl_import *import, const struct sl_config_node *input, size_t i)
{
    const struct sl_config_node *ask = ask_at(input, i);
    char name[SL_IMPORT_NAME_BYTES];
    char other[SL_IMPORT_NAME_BYTES];

    name_of(input, ask, name);
    for (size_t j = 0; j < asks_of(input); j++) {
        name_of(input, ask_at(input, j), other);
        if (strcmp(name, other) != 0 &&
            is_beneath(text_of(ask, "path"), text_of(ask_at(input, j), "path"))) {
            sl_import_note(import, ask, SL_IMPORT_CHANGED,
                           "the path of '%.80s' is asked for by '%.80s', too: Telegraf gives what "
                           "is there the name with the longest path, sluice that of the "
                           "subscription that brings it",
                           name, other);
            return;
        }
    }
}

static bool is_known_alias(const struct sl_config_node *input, const char *alias, const char *path)
{
    const char *colon = strchr(path, ':');
    const char *slash = strchr(path, '/');

    path = colon && colon + 1 == slash ? slash : path;
    for (size_t i = 0; i < asks_of(input); i++) {
        if (strcmp(text_of(ask_at(input, i), "name"), alias) == 0 &&
            is_beneath(text_of(ask_at(input, i), "path"), path) &&
            is_beneath(path, text_of(ask_at(input, i), "path"))) {
            return true;
        }
    }
    return false;
}

static void note_aliases(struct sl_import *import, const struct sl_config_node *input)
{
    const struct sl_config_node *map = sl_import_get(input, "aliases");
    size_t count = map && sl_config_kind(map) == SL_CONFIG_MAP ? sl_config_count(map) : 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_known_alias(input, sl_config_key(map, i), sl_import_text(sl_config_at(map, i)))) {
            sl_import_note(import, sl_config_key_node(map, i), SL_IMPORT_LEFT_OUT,
                           "the alias '%.80s': in sluice a measurement has the name of its "
                           "subscription; a subscription with that name and path does the same",
                           sl_config_key(map, i));
        }
    }
}

static void note_limit(struct sl_import *import, const struct sl_config_node *node)
{
    sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                   "more than %d subscriptions of an input, %d in all, or %d with those of inputs "
                   "that share them: those from here on",
                   SL_IMPORT_MAX_ASKS, SL_IMPORT_MAX_SUBSCRIPTIONS, SL_IMPORT_MAX_LINKS);
}

void sl_import_telegraf_collect(struct sl_import_telegraf *telegraf)
{
    for (size_t i = 0; i < sl_import_tables(telegraf->inputs); i++) {
        const struct sl_config_node *input = sl_config_item(telegraf->inputs, i);
        const struct sl_config_node *asks = sl_import_get(input, "subscription");
        note_aliases(telegraf->import, input);
        for (size_t j = 0; j < asks_of(input); j++) {
            if (!collect_one(telegraf, i, j)) {
                note_limit(telegraf->import, ask_at(input, j));
                return;
            }
            note_overlaps(telegraf->import, input, j);
        }
        if (asks_of(input) < sl_import_tables(asks)) {
            note_limit(telegraf->import, sl_config_item(asks, SL_IMPORT_MAX_ASKS));
        }
    }
}

/* ---- what is written ---- */

/* One of the input's, and not left aside. */
static bool is_linked(const struct sl_import_telegraf *telegraf, const struct sl_import_link *link,
                      size_t input)
{
    const char *name = telegraf->subscriptions[link->subscription].name;

    return link->input == input &&
           !sl_import_is_left_aside(telegraf->import->options.subscription, name ? name : "");
}

bool sl_import_telegraf_has_links(const struct sl_import_telegraf *telegraf, size_t input)
{
    for (size_t i = 0; i < telegraf->link_count; i++) {
        if (is_linked(telegraf, &telegraf->links[i], input)) {
            return true;
        }
    }
    return false;
}

void sl_import_telegraf_put_links(struct sl_import_telegraf *telegraf, size_t input)
{
    struct sl_buf *out = telegraf->import->out;
    bool has_any = false;

    for (size_t i = 0; i < telegraf->link_count; i++) {
        const struct sl_import_link *link = &telegraf->links[i];
        if (is_linked(telegraf, link, input)) {
            sl_buf_add_c(out, has_any ? ", " : "    subscriptions: [");
            const char *name = telegraf->subscriptions[link->subscription].name;
            sl_import_add_text(out, name ? name : "");
            has_any = true;
        }
    }
    sl_buf_add_c(out, has_any ? "]\n" : "");
}

void sl_import_telegraf_put_subscriptions(struct sl_import_telegraf *telegraf)
{
    sl_import_put_key(telegraf->import, "subscriptions", 0);
    for (size_t i = 0; i < telegraf->subscription_count; i++) {
        const struct sl_import_subscription *one = &telegraf->subscriptions[i];
        if (!one->name || !one->measurement) {
            continue; /* memory is out */
        }
        sl_import_put_key(telegraf->import, one->name, 2);
        if (strcmp(one->name, one->measurement) != 0) {
            sl_import_put_text(telegraf->import, "measurement", one->measurement, INDENT);
        }
        sl_buf_add_str(telegraf->import->out, sl_buf_str(&one->text));
    }
}
