#include "tool/admin_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "tool/admin_json.h"
#include "tool/columns.h"
#include "tool/value_text.h"

enum { LABEL_COLUMNS = 12 };

/* ---- words ---- */

static void add_plain(struct sl_buf *out, const char *text)
{
    sl_print_plain(out, sl_str_from(text));
}

static void add_label(struct sl_buf *out, const char *label)
{
    sl_buf_printf(out, "%-*s ", (int)LABEL_COLUMNS, label);
}

static struct sl_figure count_of(const json_t *object, const char *key)
{
    return sl_figure_count(sl_admin_number(object, key));
}

static struct sl_figure bytes_of(const json_t *object, const char *key)
{
    return sl_figure_bytes(sl_admin_number(object, key));
}

static struct sl_figure time_of(const json_t *object, const char *key)
{
    return sl_figure_time(sl_admin_number(object, key));
}

static const char *word_of(const json_t *object, const char *key)
{
    const char *text = sl_admin_text(object, key);

    return *text ? text : "-";
}

static const char *yes(const json_t *object, const char *key)
{
    return sl_admin_is(object, key) ? "yes" : "no";
}

/* One member as text: what is no text as JSON. */
static void add_value(struct sl_buf *out, const json_t *value)
{
    char *dump;

    if (json_is_string(value)) {
        add_plain(out, json_string_value(value));
        return;
    }
    dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (dump) {
        add_plain(out, dump);
        free(dump);
    }
}

/* "a=1 b=2" of an object. */
static void add_members(struct sl_buf *out, const json_t *object)
{
    json_t *members = (json_t *)(uintptr_t)object; /* jansson walks no constant object */
    const char *key;
    json_t *value;
    bool is_first = true;

    json_object_foreach(members, key, value)
    {
        sl_buf_add_c(out, is_first ? "" : " ");
        add_plain(out, key);
        sl_buf_add_byte(out, '=');
        add_value(out, value);
        is_first = false;
    }
}

/* ---- status ---- */

static void add_sinks_in_the_way(struct sl_buf *out, const json_t *sinks)
{
    bool is_first = true;

    for (size_t i = 0; i < sl_admin_length(sinks, "sinks"); i++) {
        const json_t *sink = sl_admin_at(sinks, "sinks", i);
        if (sl_admin_get(sink, "taking") && !sl_admin_is(sink, "taking")) {
            sl_buf_add_c(out, is_first ? " by " : ", ");
            add_plain(out, word_of(sink, "name"));
            is_first = false;
        }
    }
}

static void add_part(struct sl_buf *out, size_t start, double count, const char *what)
{
    sl_buf_printf(out, "%s%s %s", out->len > start ? "; " : "", sl_figure_count(count).text, what);
}

bool sl_admin_add_verdict(struct sl_buf *out, const json_t *status, const json_t *sinks)
{
    const json_t *totals = sl_admin_get(status, "totals");
    double down = sl_admin_count(totals, "targets") - sl_admin_count(totals, "targets_up");
    double blocked = sl_admin_count(totals, "streams_blocked");
    double held = sl_admin_count(totals, "streams_held");
    size_t start = out->len;

    if (!sl_admin_is(status, "ready")) {
        const char *why = json_string_value(sl_admin_at(status, "not_ready", 0));
        sl_buf_add_c(out, "not ready");
        sl_buf_add_c(out, why ? ": " : "");
        add_plain(out, why ? why : "");
    }
    if (held > 0) {
        add_part(out, start, held, held > 1 ? "streams are held" : "stream is held");
        add_sinks_in_the_way(out, sinks);
    } else if (blocked > 0) {
        add_part(out, start, blocked, blocked > 1 ? "streams wait" : "stream waits");
        sl_buf_add_c(out, " for credit");
        add_sinks_in_the_way(out, sinks);
    }
    if (down > 0) {
        add_part(out, start, down, down > 1 ? "targets are down" : "target is down");
    }
    const json_t *discovery = sl_admin_get(status, "discovery");
    double failing = (double)sl_admin_length(discovery, "failing");
    if (failing > 0) {
        add_part(out, start, failing,
                 failing > 1 ? "sources of targets fail" : "source of targets fails");
    }
    if (strcmp(sl_admin_text(sl_admin_get(status, "reload"), "result"), "refused") == 0) {
        sl_buf_printf(out, "%sthe last reload was refused", out->len > start ? "; " : "");
    }
    if (out->len > start) {
        return false;
    }
    sl_buf_add_c(out, "everything flows");
    return true;
}

void sl_admin_add_reload(struct sl_buf *out, const json_t *reload)
{
    add_plain(out, word_of(reload, "result"));
    sl_buf_printf(out, ": %s added, %s removed, %s changed", count_of(reload, "added").text,
                  count_of(reload, "removed").text, count_of(reload, "changed").text);
    if (*sl_admin_text(reload, "at")) {
        sl_buf_add_c(out, ", at ");
        add_plain(out, sl_admin_text(reload, "at"));
    }
    if (*sl_admin_text(reload, "why")) {
        sl_buf_add_c(out, " (");
        add_plain(out, sl_admin_text(reload, "why"));
        sl_buf_add_byte(out, ')');
    }
    sl_buf_add_byte(out, '\n');
    for (size_t i = 0; i < sl_admin_length(reload, "errors"); i++) {
        const char *error = json_string_value(sl_admin_at(reload, "errors", i));
        sl_buf_add_c(out, "  ");
        add_plain(out, error ? error : "-");
        sl_buf_add_byte(out, '\n');
    }
}

static void add_who(struct sl_buf *out, const json_t *status)
{
    add_label(out, "collector");
    add_plain(out, word_of(status, "collector"));
    sl_buf_add_c(out, " (sluice ");
    add_plain(out, word_of(status, "version"));
    sl_buf_printf(out, ", pid %.0f, generation %s)\n", sl_admin_count(status, "pid"),
                  count_of(status, "generation").text);
    add_label(out, "up");
    sl_buf_printf(out, "%s, since ", time_of(status, "uptime_s").text);
    add_plain(out, word_of(status, "started"));
    sl_buf_add_byte(out, '\n');
    add_label(out, "verdict");
    sl_admin_add_verdict(out, status, NULL);
    sl_buf_add_byte(out, '\n');
    for (size_t i = 1; i < sl_admin_length(status, "not_ready"); i++) {
        const char *why = json_string_value(sl_admin_at(status, "not_ready", i));
        add_label(out, "");
        add_plain(out, why ? why : "-");
        sl_buf_add_byte(out, '\n');
    }
}

void sl_admin_add_status(struct sl_buf *out, const json_t *answer)
{
    const json_t *totals = sl_admin_get(answer, "totals");
    const json_t *memory = sl_admin_get(answer, "memory");

    add_who(out, answer);
    add_label(out, "targets");
    sl_buf_printf(out, "%s of %s up\n", count_of(totals, "targets_up").text,
                  count_of(totals, "targets").text);
    add_label(out, "streams");
    sl_buf_printf(out, "%s: %s synced, %s blocked, %s held\n", count_of(totals, "streams").text,
                  count_of(totals, "streams_synced").text, count_of(totals, "streams_blocked").text,
                  count_of(totals, "streams_held").text);
    add_label(out, "updates");
    sl_buf_printf(out, "%s received, %s published, %s filtered, %s dropped, %s held\n",
                  count_of(totals, "received").text, count_of(totals, "published").text,
                  count_of(totals, "filtered").text, count_of(totals, "dropped").text,
                  count_of(totals, "held").text);
    add_label(out, "memory");
    sl_buf_printf(out, "%s held, %s promised, of %s\n", bytes_of(memory, "held_bytes").text,
                  bytes_of(memory, "promised_bytes").text, bytes_of(memory, "limit_bytes").text);
    if (json_is_object(sl_admin_get(answer, "reload"))) {
        add_label(out, "reload");
        sl_admin_add_reload(out, sl_admin_get(answer, "reload"));
    }
}

/* ---- lists ---- */

/* Prints the table, and how much of it there is. */
static void end(struct sl_buf *out, struct sl_columns *table, const json_t *answer,
                const char *list)
{
    double total = sl_admin_number(answer, "total");
    size_t shown = sl_admin_length(answer, list);

    sl_columns_print(table, out);
    sl_columns_fini(table);
    if (total > (double)shown) {
        sl_buf_printf(out, "%zu of %s; --limit and --offset show others\n", shown,
                      sl_figure_count(total).text);
    }
}

/* Who holds a stream's records, else what it last complained of. */
static void add_trouble(struct sl_columns *table, const json_t *stream)
{
    struct sl_buf text = {0};

    for (size_t i = 0; i < sl_admin_length(stream, "held_by"); i++) {
        const json_t *by = sl_admin_at(stream, "held_by", i);
        sl_buf_printf(&text, "%s%s", i ? ", " : "held by ", word_of(by, "sink"));
        if (*sl_admin_text(by, "destination")) {
            sl_buf_printf(&text, "/%s", sl_admin_text(by, "destination"));
        }
        sl_buf_printf(&text, " (%s)", count_of(by, "held").text);
    }
    if (*sl_admin_text(stream, "last_error")) {
        sl_buf_printf(&text, "%s%s", text.len ? "; " : "", sl_admin_text(stream, "last_error"));
    }
    sl_columns_add(table, sl_buf_text(&text));
    sl_buf_fini(&text);
}

static void add_stream(struct sl_columns *table, const json_t *stream)
{
    sl_columns_add(table, word_of(stream, "id"));
    sl_columns_add(table, word_of(stream, "state"));
    sl_columns_add_figure(table, bytes_of(stream, "granted_bytes"));
    sl_columns_add_figure(table, bytes_of(stream, "held_bytes"));
    sl_columns_add_figure(table, bytes_of(stream, "free_bytes"));
    sl_columns_add_figure(table, bytes_of(stream, "limit_bytes"));
    sl_columns_add_figure(table, time_of(stream, "blocked_s"));
    sl_columns_add_figure(table, time_of(stream, "lag_s"));
    sl_columns_add_figure(table, count_of(stream, "received"));
    sl_columns_add_figure(table, count_of(stream, "published"));
    sl_columns_add_figure(table, count_of(stream, "dropped"));
    add_trouble(table, stream);
}

void sl_admin_add_streams(struct sl_buf *out, const json_t *answer)
{
    static const struct sl_column columns[] = {
        {"STREAM", false},  {"STATE", false},    {"GRANTED", true}, {"HELD", true},
        {"FREE", true},     {"LIMIT", true},     {"BLOCKED", true}, {"LAG", true},
        {"RECEIVED", true}, {"PUBLISHED", true}, {"DROPPED", true}, {"TROUBLE", false},
        {NULL, false},
    };
    struct sl_columns table;

    sl_columns_init(&table, columns);
    for (size_t i = 0; i < sl_admin_length(answer, "streams"); i++) {
        add_stream(&table, sl_admin_at(answer, "streams", i));
    }
    end(out, &table, answer, "streams");
}

void sl_admin_add_targets(struct sl_buf *out, const json_t *answer)
{
    static const struct sl_column columns[] = {
        {"TARGET", false}, {"ADDRESS", false},    {"STATE", false},
        {"STREAMS", true}, {"CONNECTS", true},    {"VENDOR", false},
        {"SOURCE", false}, {"LAST ERROR", false}, {NULL, false},
    };
    struct sl_columns table;

    sl_columns_init(&table, columns);
    for (size_t i = 0; i < sl_admin_length(answer, "targets"); i++) {
        const json_t *target = sl_admin_at(answer, "targets", i);
        double streams = sl_admin_number(target, "streams");
        sl_columns_add(&table, word_of(target, "name"));
        sl_columns_add(&table, word_of(target, "address"));
        sl_columns_add(&table, sl_admin_is(target, "paused") ? "paused" : word_of(target, "state"));
        sl_columns_add_figure(&table, sl_figure_count(streams));
        sl_columns_add_figure(&table, count_of(target, "connects"));
        sl_columns_add(&table, word_of(target, "vendor"));
        sl_columns_add(&table, word_of(target, "source"));
        sl_columns_add(&table, sl_admin_text(target, "last_error"));
    }
    end(out, &table, answer, "targets");
}

static void add_troubles(struct sl_columns *table, const json_t *sink)
{
    struct sl_buf text = {0};

    for (size_t i = 0; i < sl_admin_length(sink, "troubles"); i++) {
        const json_t *trouble = sl_admin_at(sink, "troubles", i);
        sl_buf_printf(&text, "%s%s: %s", i ? ", " : "", word_of(trouble, "reason"),
                      count_of(trouble, "count").text);
    }
    sl_columns_add(table, sl_buf_text(&text));
    sl_buf_fini(&text);
}

void sl_admin_add_sinks(struct sl_buf *out, const json_t *answer)
{
    static const struct sl_column columns[] = {
        {"SINK", false},     {"TYPE", false},   {"WORKER", true},   {"TAKING", false},
        {"IN FLIGHT", true}, {"QUEUED", true},  {"LATENCY", true},  {"OLDEST", true},
        {"FULL", true},      {"RETRIES", true}, {"RESTARTS", true}, {"TROUBLES", false},
        {NULL, false},
    };
    struct sl_columns table;

    sl_columns_init(&table, columns);
    for (size_t i = 0; i < sl_admin_length(answer, "sinks"); i++) {
        const json_t *sink = sl_admin_at(answer, "sinks", i);
        sl_columns_add(&table, word_of(sink, "name"));
        sl_columns_add(&table, word_of(sink, "type"));
        sl_columns_add_figure(&table, count_of(sink, "worker"));
        sl_columns_add(&table, yes(sink, "taking"));
        sl_columns_add_figure(&table, count_of(sink, "in_flight"));
        sl_columns_add_figure(&table, bytes_of(sink, "queued_bytes"));
        sl_columns_add_figure(&table, time_of(sink, "report_latency_s"));
        sl_columns_add_figure(&table, time_of(sink, "oldest_s"));
        sl_columns_add_figure(&table, time_of(sink, "full_s"));
        sl_columns_add_figure(&table, count_of(sink, "retries"));
        sl_columns_add_figure(&table, count_of(sink, "restarts"));
        add_troubles(&table, sink);
    }
    end(out, &table, answer, "sinks");
}

void sl_admin_add_sources(struct sl_buf *out, const json_t *answer)
{
    static const struct sl_column columns[] = {
        {"SOURCE", false},   {"TYPE", false}, {"WELL", false},    {"LAST SUCCESS", false},
        {"DOCUMENTS", true}, {"SIZE", true},  {"TARGETS", true},  {"WRONG", true},
        {"CONFLICTS", true}, {"KEPT", false}, {"FAILURES", true}, {"ERROR", false},
        {NULL, false},
    };
    struct sl_columns table;

    sl_columns_init(&table, columns);
    for (size_t i = 0; i < sl_admin_length(answer, "sources"); i++) {
        const json_t *source = sl_admin_at(answer, "sources", i);
        sl_columns_add(&table, word_of(source, "name"));
        sl_columns_add(&table, word_of(source, "type"));
        sl_columns_add(&table, yes(source, "well"));
        sl_columns_add(&table, word_of(source, "last_success"));
        sl_columns_add_figure(&table, count_of(source, "documents"));
        sl_columns_add_figure(&table, bytes_of(source, "document_bytes"));
        sl_columns_add_figure(&table, count_of(source, "targets"));
        sl_columns_add_figure(&table, count_of(source, "wrong"));
        sl_columns_add_figure(&table, count_of(source, "conflicts"));
        sl_columns_add(&table, yes(source, "kept"));
        sl_columns_add_figure(&table, count_of(source, "failures"));
        sl_columns_add(&table, word_of(source, "error"));
    }
    end(out, &table, answer, "sources");
}

/* ---- one target ---- */

static void add_line(struct sl_buf *out, const char *label, const json_t *object, const char *key)
{
    const json_t *value = sl_admin_get(object, key);

    if (value && !json_is_null(value)) {
        add_label(out, label);
        add_value(out, value);
        sl_buf_add_byte(out, '\n');
    }
}

static void add_routes(struct sl_buf *out, const json_t *stream)
{
    for (size_t i = 0; i < sl_admin_length(stream, "routes"); i++) {
        const json_t *route = sl_admin_at(stream, "routes", i);
        sl_buf_add_c(out, "  ");
        add_plain(out, word_of(route, "subscription"));
        sl_buf_add_c(out, " -> ");
        add_plain(out, word_of(route, "sink"));
        sl_buf_printf(out, ": %s received, %s published, %s filtered, %s held",
                      count_of(route, "received").text, count_of(route, "published").text,
                      count_of(route, "filtered").text, count_of(route, "held").text);
        if (json_object_size(sl_admin_get(route, "dropped"))) {
            sl_buf_add_c(out, ", dropped: ");
            add_members(out, sl_admin_get(route, "dropped"));
        }
        sl_buf_add_byte(out, '\n');
    }
    for (size_t i = 0; i < sl_admin_length(stream, "members"); i++) {
        const json_t *member = sl_admin_at(stream, "members", i);
        for (size_t j = 0; j < sl_admin_length(member, "quarantined"); j++) {
            const char *path = json_string_value(sl_admin_at(member, "quarantined", j));
            sl_buf_add_c(out, "  refused by the device: ");
            add_plain(out, path ? path : "-");
            sl_buf_add_byte(out, '\n');
        }
    }
}

void sl_admin_add_target(struct sl_buf *out, const json_t *answer)
{
    add_label(out, "target");
    add_plain(out, word_of(answer, "name"));
    sl_buf_add_byte(out, '\n');
    add_line(out, "address", answer, "address");
    add_line(out, "state", answer, "state");
    add_line(out, "paused", answer, "paused");
    add_line(out, "connects", answer, "connects");
    add_line(out, "vendor", answer, "vendor");
    add_line(out, "known by", answer, "known_by");
    add_line(out, "gNMI", answer, "gnmi_version");
    add_line(out, "source", answer, "source");
    add_line(out, "last error", answer, "last_error");
    if (json_object_size(sl_admin_get(answer, "labels"))) {
        add_label(out, "labels");
        add_members(out, sl_admin_get(answer, "labels"));
        sl_buf_add_byte(out, '\n');
    }
    if (sl_admin_length(answer, "workarounds")) {
        add_line(out, "workarounds", answer, "workarounds");
    }
    if (sl_admin_length(answer, "streams")) {
        sl_buf_add_byte(out, '\n');
        sl_admin_add_streams(out, answer);
    }
    for (size_t i = 0; i < sl_admin_length(answer, "streams"); i++) {
        const json_t *stream = sl_admin_at(answer, "streams", i);
        sl_buf_add_byte(out, '\n');
        add_plain(out, word_of(stream, "id"));
        sl_buf_add_byte(out, '\n');
        add_routes(out, stream);
    }
}

/* ---- ledger, configuration, events, actions ---- */

void sl_admin_add_ledger(struct sl_buf *out, const json_t *answer)
{
    const json_t *sum = sl_admin_get(answer, "sum");

    add_label(out, "balance");
    sl_buf_add_c(out, sl_admin_is(sum, "balanced")
                          ? "every update is accounted for\n"
                          : "NOT BALANCED: updates are not accounted for\n");
    add_label(out, "sum");
    add_members(out, sum);
    sl_buf_add_byte(out, '\n');
    for (size_t i = 0; i < sl_admin_length(answer, "sinks"); i++) {
        add_label(out, i ? "" : "sinks");
        add_members(out, sl_admin_at(answer, "sinks", i));
        sl_buf_add_byte(out, '\n');
    }
    for (size_t i = 0; i < sl_admin_length(answer, "streams_out_of_balance"); i++) {
        add_label(out, i ? "" : "unbalanced");
        add_value(out, sl_admin_at(answer, "streams_out_of_balance", i));
        sl_buf_add_byte(out, '\n');
    }
}

void sl_admin_add_config(struct sl_buf *out, const json_t *answer)
{
    const char *text = sl_admin_text(answer, "yaml");

    while (*text) {
        size_t len = strcspn(text, "\n");
        sl_print_plain(out, (struct sl_str){text, len});
        sl_buf_add_byte(out, '\n');
        text += len + (text[len] == '\n');
    }
}

void sl_admin_add_event(struct sl_buf *out, const json_t *event)
{
    add_plain(out, word_of(event, "at"));
    sl_buf_add_byte(out, ' ');
    add_plain(out, word_of(event, "level"));
    sl_buf_add_byte(out, ' ');
    add_plain(out, word_of(event, "msg"));
    if (json_object_size(sl_admin_get(event, "fields"))) {
        sl_buf_add_c(out, "  ");
        add_members(out, sl_admin_get(event, "fields"));
    }
    sl_buf_add_byte(out, '\n');
}

void sl_admin_add_events(struct sl_buf *out, const json_t *answer)
{
    for (size_t i = 0; i < sl_admin_length(answer, "events"); i++) {
        sl_admin_add_event(out, sl_admin_at(answer, "events", i));
    }
}

void sl_admin_add_action(struct sl_buf *out, const json_t *answer)
{
    json_t *members = (json_t *)(uintptr_t)answer;
    const char *key;
    json_t *value;

    json_object_foreach(members, key, value)
    {
        add_plain(out, key);
        sl_buf_add_c(out, ": ");
        add_value(out, value);
        sl_buf_add_byte(out, '\n');
    }
}
