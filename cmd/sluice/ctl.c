#include "commands.h"
#include "ctl.h"

#include <locale.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/settings.h"
#include "tool/admin_json.h"
#include "tool/admin_tables.h"

enum {
    RELOAD_TIMEOUT_S = 120,
    RELOAD_LOOK_MS = 100,
    FOLLOW_MS = 1000,
    MAX_ROWS = 5000, /* what the API gives at once */
};

#define AT(field) offsetof(struct ctl, field)

/* ---- flags ---- */

static const char *const orders[] = {"asc", "desc", NULL};
static const char *const formats[] = {"auto", "table", "json", NULL};

static const struct sl_flag list_flags[] = {
    {.name = "target",
     .type = SL_FLAG_TEXT,
     .offset = AT(target),
     .value = "NAME",
     .doc = "of streams: those of this target"},
    {.name = "subscription",
     .type = SL_FLAG_TEXT,
     .offset = AT(subscription),
     .value = "NAME",
     .doc = "of streams: those of this subscription; of capture: the stream with it, needed where "
            "the target has several"},
    {.name = "state",
     .type = SL_FLAG_TEXT,
     .offset = AT(state),
     .value = "STATE",
     .doc = "of streams: those in this state"},
    {.name = "filter",
     .letter = 'q',
     .type = SL_FLAG_TEXT,
     .offset = AT(filter),
     .value = "TEXT",
     .doc = "of streams and targets: those with this in their names"},
    {.name = "sort",
     .type = SL_FLAG_TEXT,
     .offset = AT(sort),
     .value = "FIELD",
     .doc = "of streams: by a field of the JSON: held_bytes, blocked_s, lag_s, ..."},
    {.name = "order",
     .type = SL_FLAG_WORD,
     .offset = AT(order),
     .words = orders,
     .initial = "asc",
     .doc = "of --sort"},
    {.name = "limit",
     .type = SL_FLAG_NUMBER,
     .offset = AT(limit),
     .value = "N",
     .min = 1,
     .max = MAX_ROWS,
     .initial = "500",
     .doc = "rows of a list"},
    {.name = "offset",
     .type = SL_FLAG_NUMBER,
     .offset = AT(offset),
     .value = "N",
     .initial = "0",
     .doc = "rows that are skipped before them"},
    {.name = NULL},
};

static const struct sl_flag event_flags[] = {
    {.name = "after",
     .type = SL_FLAG_NUMBER,
     .offset = AT(after),
     .value = "N",
     .initial = "0",
     .doc = "events behind the one with this number"},
    {.name = "follow",
     .letter = 'f',
     .type = SL_FLAG_SWITCH,
     .offset = AT(follow),
     .doc = "go on with those that come, until SIGINT; json is then one event a line"},
    {.name = NULL},
};

static const struct sl_flag capture_flags[] = {
    {.name = "output",
     .letter = 'o',
     .type = SL_FLAG_TEXT,
     .offset = AT(output),
     .value = "FILE",
     .doc = "the capture, once it is whole. A file that is there is replaced"},
    {.name = "duration",
     .type = SL_FLAG_DURATION,
     .offset = AT(duration_ns),
     .value = "DURATION",
     .initial = "10s",
     .doc = "how long, at most 1h; SIGINT ends it before, and what there is is written"},
    {.name = "max-bytes",
     .type = SL_FLAG_TEXT,
     .offset = AT(max_bytes_text),
     .value = "SIZE",
     .doc = "of the file, which lies in sluice's memory meanwhile: 4MiB where nothing is said, "
            "64MiB at most; then the end"},
    {.name = NULL},
};

static const struct sl_flag output_flags[] = {
    {.name = "format",
     .type = SL_FLAG_WORD,
     .offset = AT(common.format),
     .words = formats,
     .initial = "auto",
     .doc = "json is what the API says; auto: a table on a terminal, else json"},
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = AT(common.wants_help),
     .doc = "this"},
    {.name = NULL},
};

static const struct sl_flag_group ctl_groups[] = {
    {"Whom to ask", sl_tool_admin_flags}, {"Lists", list_flags},    {"Events", event_flags},
    {"Capture", capture_flags},           {"Output", output_flags}, {NULL, NULL},
};

static const struct sl_flag_group reload_groups[] = {
    {"Whom to ask", sl_tool_admin_flags},
    {"Output", output_flags},
    {NULL, NULL},
};

static const char *const words[] = {"status",  "streams", "targets", "target",    "sinks",
                                    "sources", "ledger",  "config",  "events",    "reload",
                                    "drain",   "pause",   "resume",  "reconnect", "log-level",
                                    "capture", NULL};

static const char exits[] =
    "0 all well; 1 failed, or a configuration was refused; 2 wrong words or\n"
    "files; 3 no connection; 4 token refused; 5 it said no; 6 no answer in time.";

const struct sl_tool sl_tool_ctl = {
    .name = "ctl",
    .doc = "ask a running sluice how it is, and tell it what to do",
    .usage = "COMMAND ...",
    .text =
        "  status              is everything flowing, and if not, what is in the way?\n"
        "  streams, targets, sinks\n"
        "  target NAME         one of them, with its streams and where their records go\n"
        "  ledger              that each update is accounted for\n"
        "  config              the configuration in force, secrets masked\n"
        "  events [--follow]   what it decided lately\n"
        "  reload              read the configuration again; waits for the outcome\n"
        "  drain               take nothing new, publish what is there, and end\n"
        "  log-level LEVEL     debug, info, warn or error\n"
        "  pause NAME, resume NAME, reconnect NAME\n"
        "                      a target\n"
        "  capture NAME -o FILE [--subscription S] [--duration 30s] [--max-bytes 4MiB]\n"
        "                      what one of its streams receives from now on, on the RPC that it\n"
        "                      has, as 'sluice capture' writes it. What was sent before is not\n"
        "                      in it, nor are the initial values",
    .examples = "  sluice ctl status\n"
                "  sluice ctl streams --sort held_bytes --order desc --limit 20\n"
                "  sluice ctl events --follow --admin unix:/run/sluice/admin.sock\n"
                "  sluice ctl capture leaf7 --duration 1m -o leaf7.capture\n"
                "  SLUICE_TOKEN=$(pass sluice) sluice ctl pause leaf7 --admin https://col1:9804",
    .exits = exits,
    .groups = ctl_groups,
    .takes_words = true,
    .word_list = words,
};

const struct sl_tool sl_tool_reload = {
    .name = "reload",
    .doc = "let a running sluice read its configuration again, and say what became of it",
    .usage = "",
    .text =
        "The same as 'sluice ctl reload': waits for the outcome and prints it. A configuration\n"
        "with errors changes nothing; they are printed, and the exit code is 1.",
    .examples = "  sluice check -c /etc/sluice/sluice.yaml && sluice reload",
    .exits = exits,
    .groups = reload_groups,
};

/* ---- output ---- */

static bool is_table(const struct ctl *ctl)
{
    return ctl->common.format == CTL_TABLE ||
           (ctl->common.format == CTL_AUTO && isatty(STDOUT_FILENO));
}

/* Prints and frees it. */
int ctl_print_out(const struct ctl *ctl, struct sl_buf *out)
{
    bool is_good =
        !out->failed && fwrite(out->data, 1, out->len, stdout) == out->len && fflush(stdout) == 0;

    if (!is_good) {
        sl_tool_complain(&ctl->common, out->failed ? "out of memory" : "nobody takes the output");
    }
    sl_buf_fini(out);
    return is_good ? SL_TOOL_EXIT_OK : SL_TOOL_EXIT_FAILED;
}

/* As it came; on a terminal in a form in which nothing can steer that. */
static void add_json(struct sl_buf *out, const struct sl_admin_reply *reply)
{
    char *dump =
        isatty(STDOUT_FILENO) ? json_dumps(reply->json, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;

    if (dump) {
        sl_buf_add_c(out, dump);
        free(dump);
    } else {
        sl_buf_add_str(out, reply->body);
    }
    if (out->len && out->data[out->len - 1] != '\n') {
        sl_buf_add_byte(out, '\n');
    }
}

static int print_reply(const struct ctl *ctl, const struct sl_admin_reply *reply,
                       sl_admin_table_fn table)
{
    struct sl_buf out = {0};

    if (reply->exit != SL_TOOL_EXIT_OK) {
        return (int)reply->exit;
    }
    if (is_table(ctl)) {
        table(&out, reply->json);
    } else {
        add_json(&out, reply);
    }
    return ctl_print_out(ctl, &out);
}

/* ---- requests ---- */

const struct sl_admin_reply *ctl_ask(const struct ctl *ctl, const char *method, struct sl_buf *path,
                                     const char *body, int64_t timeout_ns)
{
    struct sl_admin_request request = {
        .method = method,
        .path = sl_buf_text(path),
        .body = body,
        .timeout_ns = timeout_ns,
    };
    const struct sl_admin_reply *reply = sl_admin_client_ask(ctl->client, &request);

    sl_buf_fini(path);
    return reply;
}

static void add_parameter(struct sl_buf *path, char *sign, const char *key, const char *value)
{
    if (value) {
        sl_buf_printf(path, "%c%s=", *sign, key);
        sl_admin_add_escaped(path, value);
        *sign = '&';
    }
}

struct verb {
    const char *name;
    const char *path; /* behind /api/v1/ */
    sl_admin_table_fn table;
    const char *takes; /* a word; NULL: none */
    int (*run)(const struct ctl *ctl, const struct verb *verb, const char *word);
};

static struct sl_buf path_of(const struct verb *verb)
{
    struct sl_buf path = {0};

    sl_buf_printf(&path, "/api/v1/%s", verb->path);
    return path;
}

static int get(const struct ctl *ctl, const struct verb *verb, const char *word)
{
    struct sl_buf path = path_of(verb);

    if (word) {
        sl_admin_add_escaped(&path, word);
    }
    return print_reply(ctl, ctl_ask(ctl, "GET", &path, NULL, 0), verb->table);
}

static int list(const struct ctl *ctl, const struct verb *verb, const char *word)
{
    struct sl_buf path = path_of(verb);
    char sign = '?';

    (void)word;
    add_parameter(&path, &sign, "target", ctl->target);
    add_parameter(&path, &sign, "subscription", ctl->subscription);
    add_parameter(&path, &sign, "state", ctl->state);
    add_parameter(&path, &sign, "q", ctl->filter);
    add_parameter(&path, &sign, "sort", ctl->sort);
    add_parameter(&path, &sign, "order", ctl->sort ? orders[ctl->order] : NULL);
    sl_buf_printf(&path, "%climit=%lld&offset=%lld", sign, (long long)ctl->limit,
                  (long long)ctl->offset);
    return print_reply(ctl, ctl_ask(ctl, "GET", &path, NULL, 0), verb->table);
}

static int post(const struct ctl *ctl, const struct verb *verb, const char *word)
{
    struct sl_buf path = {0};

    if (word) {
        sl_buf_add_c(&path, "/api/v1/targets/");
        sl_admin_add_escaped(&path, word);
        sl_buf_printf(&path, "/%s", verb->path);
    } else {
        path = path_of(verb);
    }
    return print_reply(ctl, ctl_ask(ctl, "POST", &path, NULL, 0), verb->table);
}

/* The object as its text, and frees it. */
static int post_body(const struct ctl *ctl, const struct verb *verb, struct sl_buf *path,
                     json_t *body, int64_t timeout_ns)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int code = SL_TOOL_EXIT_FAILED;

    if (text) {
        code = print_reply(ctl, ctl_ask(ctl, "POST", path, text, timeout_ns), verb->table);
    } else {
        sl_tool_complain(&ctl->common, "out of memory, or a text that is no UTF-8");
        sl_buf_fini(path);
    }
    free(text);
    json_decref(body);
    return code;
}

static int set_level(const struct ctl *ctl, const struct verb *verb, const char *word)
{
    struct sl_buf path = path_of(verb);

    for (const char *const *level = sl_settings_log_levels; *level; level++) {
        if (strcmp(*level, word) == 0) {
            return post_body(ctl, verb, &path, json_pack("{s:s}", "level", word), 0);
        }
    }
    sl_buf_fini(&path);
    sl_tool_complain(&ctl->common, "log-level: expected debug, info, warn or error, found '%.40s'",
                     word);
    return SL_TOOL_EXIT_USAGE;
}

/* ---- events ---- */

/* One a line. */
static void add_event_lines(struct sl_buf *out, const json_t *answer)
{
    for (size_t i = 0; i < sl_admin_length(answer, "events"); i++) {
        char *line = json_dumps(sl_admin_at(answer, "events", i),
                                JSON_COMPACT | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0));
        if (line) {
            sl_buf_printf(out, "%s\n", line);
            free(line);
        }
    }
}

static int follow(const struct ctl *ctl)
{
    double next = (double)ctl->after;

    for (;;) {
        struct sl_buf path = {0};
        struct sl_buf out = {0};
        sl_buf_printf(&path, "/api/v1/events?after=%.0f&limit=%lld", next, (long long)ctl->limit);
        const struct sl_admin_reply *reply = ctl_ask(ctl, "GET", &path, NULL, 0);
        if (reply->exit != SL_TOOL_EXIT_OK) {
            return (int)reply->exit;
        }
        /* One that was started again counts from the beginning. */
        double told = sl_admin_count(reply->json, "next");
        bool is_new = told > next;
        next = told;
        (is_table(ctl) ? sl_admin_add_events : add_event_lines)(&out, reply->json);
        int code = ctl_print_out(ctl, &out);
        if (code != SL_TOOL_EXIT_OK) {
            return code;
        }
        if (!is_new && sl_admin_client_poll(ctl->client, -1, FOLLOW_MS)) {
            return SL_TOOL_EXIT_FAILED; /* nothing was under way */
        }
    }
}

static int events(const struct ctl *ctl, const struct verb *verb, const char *word)
{
    struct sl_buf path = path_of(verb);

    (void)word;
    if (ctl->follow) {
        sl_buf_fini(&path);
        return follow(ctl);
    }
    sl_buf_printf(&path, "?after=%lld&limit=%lld", (long long)ctl->after, (long long)ctl->limit);
    return print_reply(ctl, ctl_ask(ctl, "GET", &path, NULL, 0), verb->table);
}

/* ---- reload ---- */

static int print_reload(const struct ctl *ctl, const json_t *reload)
{
    bool is_refused = strcmp(sl_admin_text(reload, "result"), "refused") == 0;
    struct sl_buf out = {0};
    int code;

    if (is_table(ctl)) {
        sl_admin_add_reload(&out, reload);
    } else {
        char *dump = json_dumps(reload, JSON_INDENT(2));
        sl_buf_printf(&out, "%s\n", dump ? dump : "");
        free(dump);
    }
    for (size_t i = 0; is_refused && !is_table(ctl) && i < sl_admin_length(reload, "errors"); i++) {
        const char *error = json_string_value(sl_admin_at(reload, "errors", i));
        sl_tool_complain(&ctl->common, "%s", error ? error : "");
    }
    code = ctl_print_out(ctl, &out);
    return code != SL_TOOL_EXIT_OK ? code : is_refused ? SL_TOOL_EXIT_FAILED : SL_TOOL_EXIT_OK;
}

/* Its last reload; held for the caller. NULL: there was none, or `exit` is not OK. */
static json_t *last_reload(const struct ctl *ctl, int *exit)
{
    struct sl_buf path = {0};

    sl_buf_add_c(&path, "/api/v1/status");
    const struct sl_admin_reply *reply = ctl_ask(ctl, "GET", &path, NULL, 0);
    *exit = (int)reply->exit;
    return reply->exit == SL_TOOL_EXIT_OK ? json_incref(json_object_get(reply->json, "reload"))
                                          : NULL;
}

/* Until the outcome is another than the one before. */
static int await_reload(const struct ctl *ctl, const json_t *before, int64_t timeout_ns)
{
    for (int64_t left = timeout_ns; left > 0; left -= RELOAD_LOOK_MS * SL_NS_PER_MS) {
        int code;
        json_t *reload = last_reload(ctl, &code);
        bool is_new = json_is_object(reload) && !json_equal(reload, before);
        if (is_new) {
            code = print_reload(ctl, reload);
        }
        json_decref(reload);
        if (is_new || code != SL_TOOL_EXIT_OK ||
            sl_admin_client_poll(ctl->client, -1, RELOAD_LOOK_MS)) {
            return code;
        }
    }
    sl_tool_complain(&ctl->common, "no outcome in time; 'sluice ctl status' will show it");
    return SL_TOOL_EXIT_TIMEOUT;
}

static int reload(const struct ctl *ctl, const struct verb *verb, const char *word)
{
    int64_t timeout_ns = sl_tool_is_given(&ctl->common, "timeout") ? ctl->common.timeout_ns
                                                                   : RELOAD_TIMEOUT_S * SL_NS_PER_S;
    struct sl_buf path = path_of(verb);
    int code;
    json_t *before = last_reload(ctl, &code);

    (void)word;
    if (code != SL_TOOL_EXIT_OK) {
        sl_buf_fini(&path);
        return code;
    }
    const struct sl_admin_reply *reply = ctl_ask(ctl, "POST", &path, NULL, timeout_ns);
    if (reply->exit != SL_TOOL_EXIT_OK) {
        code = (int)reply->exit;
    } else if (*sl_admin_text(reply->json, "result")) {
        code = print_reload(ctl, reply->json);
    } else {
        code = await_reload(ctl, before, timeout_ns);
    }
    json_decref(before);
    return code;
}

static int capture(const struct ctl *ctl, const struct verb *verb, const char *word)
{
    (void)verb;
    return ctl_capture(ctl, word);
}

/* ---- the command ---- */

static const struct verb verbs[] = {
    {"status", "status", sl_admin_add_status, NULL, get},
    {"streams", "streams", sl_admin_add_streams, NULL, list},
    {"targets", "targets", sl_admin_add_targets, NULL, list},
    {"target", "targets/", sl_admin_add_target, "the name of a target", get},
    {"sinks", "sinks", sl_admin_add_sinks, NULL, get},
    {"sources", "sources", sl_admin_add_sources, NULL, get},
    {"ledger", "ledger", sl_admin_add_ledger, NULL, get},
    {"config", "config", sl_admin_add_config, NULL, get},
    {"events", "events", sl_admin_add_events, NULL, events},
    {"reload", "reload", NULL, NULL, reload},
    {"drain", "drain", sl_admin_add_action, NULL, post},
    {"log-level", "log-level", sl_admin_add_action, "a level", set_level},
    {"pause", "pause", sl_admin_add_action, "the name of a target", post},
    {"resume", "resume", sl_admin_add_action, "the name of a target", post},
    {"reconnect", "reconnect", sl_admin_add_action, "the name of a target", post},
    {"capture", "capture", NULL, "the name of a target", capture},
};

static const struct verb *find_verb(const struct ctl *ctl, const char *name)
{
    const char *near = sl_str_nearest(name, words);

    for (size_t i = 0; i < SL_ARRAY_LEN(verbs); i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    sl_tool_complain(&ctl->common, "unknown command '%.40s'%s%s%s", name,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return NULL;
}

static const struct verb *check_words(const struct ctl *ctl)
{
    const struct sl_tool_list *list = &ctl->common.words;

    if (!list->count) {
        sl_tool_complain(&ctl->common, "no command; 'sluice ctl --help' lists them");
        return NULL;
    }
    const struct verb *verb = find_verb(ctl, list->items[0]);
    if (verb && list->count != (verb->takes ? 2 : 1)) {
        sl_tool_complain(&ctl->common, "%s: expected %s", verb->name,
                         verb->takes ? verb->takes : "no more words");
        return NULL;
    }
    return verb;
}

static int run(struct ctl *ctl, const struct verb *verb)
{
    const char *word = verb->takes ? ctl->common.words.items[1] : NULL;
    int code = SL_TOOL_EXIT_USAGE;

    setlocale(LC_CTYPE, "");
    ctl->client = sl_admin_client_new(&ctl->common);
    if (ctl->client) {
        code = verb->run(ctl, verb, word);
    }
    sl_admin_client_free(ctl->client);
    return code;
}

static int run_word(struct sl_tool_options *common)
{
    struct ctl *ctl = SL_CONTAINER_OF(common, struct ctl, common);
    const struct verb *verb = check_words(ctl);

    return verb ? run(ctl, verb) : SL_TOOL_EXIT_USAGE;
}

static int run_reload(struct sl_tool_options *common)
{
    static const struct verb verb = {"reload", "reload", NULL, NULL, reload};

    return run(SL_CONTAINER_OF(common, struct ctl, common), &verb);
}

int sl_command_ctl(int argc, char **argv)
{
    struct ctl ctl = {0};

    return sl_tool_main(&sl_tool_ctl, argc, argv, &ctl.common, run_word);
}

int sl_command_reload(int argc, char **argv)
{
    struct ctl ctl = {0};

    return sl_tool_main(&sl_tool_reload, argc, argv, &ctl.common, run_reload);
}
