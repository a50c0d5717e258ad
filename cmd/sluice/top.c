#include "commands.h"

#include <langinfo.h>
#include <locale.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool/admin_client.h"
#include "tool/admin_json.h"
#include "top/terminal.h"
#include "top/top.h"

enum { ONCE_COLUMNS = 120, MAX_ROWS = 5000, MIN_INTERVAL_MS = 100, POLL_MS = 250 };

struct top_options {
    struct sl_tool_options common;
    int64_t interval_ns;
    const char *sort;
    const char *filter;
    bool once;
    bool batch;
    int64_t rows;
    bool ascii;
    bool no_colour;
    struct sl_admin_client *client;
    struct sl_top top;
    struct sl_screen screen;
    double next_s; /* refresh */
    unsigned question;
};

#define AT(field) offsetof(struct top_options, field)

static const struct sl_flag flags[] = {
    {.name = "interval",
     .type = SL_FLAG_DURATION,
     .offset = AT(interval_ns),
     .value = "DURATION",
     .initial = "1s",
     .doc = "how often it asks"},
    {.name = "sort",
     .type = SL_FLAG_TEXT,
     .offset = AT(sort),
     .value = "FIELD",
     .initial = "blocked_s",
     .doc = "blocked_s, held_bytes, id, state, received, published, dropped, granted_bytes or "
            "last_error"},
    {.name = "filter",
     .letter = 'q',
     .type = SL_FLAG_TEXT,
     .offset = AT(filter),
     .value = "TEXT",
     .doc = "streams with this in their names"},
    {.name = "once",
     .type = SL_FLAG_SWITCH,
     .offset = AT(once),
     .doc = "print one screen, without a terminal, and end"},
    {.name = "batch", .type = SL_FLAG_SWITCH, .offset = AT(batch), .doc = "the same"},
    {.name = "rows",
     .type = SL_FLAG_NUMBER,
     .offset = AT(rows),
     .value = "N",
     .min = 1,
     .max = MAX_ROWS,
     .initial = "40",
     .doc = "of --once: streams at most; $COLUMNS is how wide a line may be, else 120"},
    {.name = "ascii",
     .type = SL_FLAG_SWITCH,
     .offset = AT(ascii),
     .doc = "bars without Unicode; so it is too where the locale has none"},
    {.name = "no-color",
     .type = SL_FLAG_SWITCH,
     .offset = AT(no_colour),
     .doc = "no colours; so it is too where the variable NO_COLOR says something"},
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = AT(common.wants_help),
     .doc = "this"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {
    {"Whom to ask", sl_tool_admin_flags},
    {"Screen", flags},
    {NULL, NULL},
};

const struct sl_tool sl_tool_top = {
    .name = "top",
    .doc = "watch a running sluice on a terminal: who flows, who is held, and by what",
    .usage = "",
    .text = "Totals, and a row for each stream with its credit as a bar: what is held, what its\n"
            "device may still send, what is free. '?' lists the keys.",
    .examples = "  sluice top\n"
                "  sluice top --admin https://col1:9804 --tls-ca ca.pem --token-file token\n"
                "  sluice top --once --sort held_bytes --rows 10",
    .exits = "0 all well; 1 failed; 2 wrong words or files; 3 no connection; 4 token refused;\n"
             "5 it said no; 6 no answer in time.",
    .groups = groups,
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / (double)SL_NS_PER_S;
}

/* ---- one screen ---- */

static unsigned columns_of_environment(void)
{
    const char *text = getenv("COLUMNS");
    long columns = text ? strtol(text, NULL, 10) : 0;

    return columns > 0 && columns <= SL_SCREEN_MAX_COLUMNS ? (unsigned)columns : ONCE_COLUMNS;
}

static int print_screen(struct top_options *options)
{
    size_t rows = sl_admin_length(options->top.streams, "streams");
    struct sl_buf out = {0};

    if (!sl_screen_resize(&options->screen, (unsigned)(SL_TOP_HEAD_ROWS + rows),
                          columns_of_environment())) {
        sl_tool_complain(&options->common, "out of memory");
        return SL_TOOL_EXIT_FAILED;
    }
    sl_top_draw(&options->top, &options->screen);
    sl_screen_print(&options->screen, &out);
    bool is_good =
        !out.failed && fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    sl_buf_fini(&out);
    return is_good ? SL_TOOL_EXIT_OK : SL_TOOL_EXIT_FAILED;
}

static int once(struct top_options *options)
{
    unsigned question;
    struct sl_buf path = {0};

    options->top.is_printed = true;
    sl_top_set_rows(&options->top, (unsigned)options->rows + SL_TOP_HEAD_ROWS + SL_TOP_FOOT_ROWS);
    while ((question = sl_top_ask(&options->top, &path))) {
        struct sl_admin_request request = {.method = "GET", .path = sl_buf_text(&path)};
        const struct sl_admin_reply *reply = sl_admin_client_ask(options->client, &request);
        sl_buf_reset(&path);
        if (reply->exit != SL_TOOL_EXIT_OK) {
            sl_buf_fini(&path);
            return (int)reply->exit;
        }
        sl_top_take(&options->top, question, reply->json, "", now_s());
    }
    sl_buf_fini(&path);
    return print_screen(options);
}

/* ---- on a terminal ---- */

static void ask(struct top_options *options)
{
    struct sl_buf path = {0};

    options->question = sl_top_ask(&options->top, &path);
    if (options->question) {
        struct sl_admin_request request = {.method = "GET", .path = sl_buf_text(&path)};
        sl_admin_client_begin(options->client, &request);
    }
    sl_buf_fini(&path);
}

static void take(struct top_options *options)
{
    const struct sl_admin_reply *reply = sl_admin_client_reply(options->client);

    sl_top_take(&options->top, options->question,
                reply->exit == SL_TOOL_EXIT_OK ? reply->json : NULL, reply->why, now_s());
}

/* False: memory is out. */
static bool show(struct top_options *options, struct sl_terminal *terminal)
{
    unsigned rows;
    unsigned columns;

    sl_terminal_size(terminal, &rows, &columns);
    if ((rows != options->screen.rows || columns != options->screen.columns) &&
        !sl_screen_resize(&options->screen, rows, columns)) {
        return false;
    }
    sl_top_set_rows(&options->top, rows);
    sl_top_draw(&options->top, &options->screen);
    sl_terminal_paint(terminal, &options->screen);
    return true;
}

/* Until something happens, or the next refresh is due. */
static void await(struct top_options *options)
{
    double left_ms = (options->next_s - now_s()) * 1000;
    int wait_ms = left_ms < 0 ? 0 : left_ms > POLL_MS ? POLL_MS : (int)left_ms + 1;

    if (sl_admin_client_poll(options->client, STDIN_FILENO, wait_ms)) {
        take(options);
    }
}

static void tick(struct top_options *options)
{
    double now = now_s();

    if (now >= options->next_s) {
        options->next_s = now + (double)options->interval_ns / (double)SL_NS_PER_S;
        sl_top_tick(&options->top);
    }
}

static int watch(struct top_options *options, struct sl_terminal *terminal)
{
    while (!options->top.wants_end && !sl_terminal_is_ended(terminal)) {
        int key;
        tick(options);
        if (!sl_admin_client_is_busy(options->client)) {
            ask(options);
        }
        if (!show(options, terminal)) {
            return SL_TOOL_EXIT_FAILED;
        }
        await(options);
        while (!options->top.wants_end && (key = sl_terminal_key(terminal))) {
            sl_top_key(&options->top, key);
        }
    }
    return SL_TOOL_EXIT_OK;
}

static bool has_colours(const struct top_options *options)
{
    const char *variable = getenv("NO_COLOR");

    return !options->no_colour && (!variable || !*variable);
}

static int on_terminal(struct top_options *options)
{
    struct sl_status why;
    struct sl_terminal *terminal = sl_terminal_open(has_colours(options), &why);

    if (!terminal) {
        sl_tool_complain(&options->common, "%s", why.text);
        return SL_TOOL_EXIT_USAGE;
    }
    int code = watch(options, terminal);
    sl_terminal_close(terminal);
    if (code != SL_TOOL_EXIT_OK) {
        sl_tool_complain(&options->common, "out of memory");
    }
    return code;
}

static int run(struct sl_tool_options *common)
{
    struct top_options *options = SL_CONTAINER_OF(common, struct top_options, common);
    int code = SL_TOOL_EXIT_USAGE;

    setlocale(LC_CTYPE, "");
    options->screen.is_ascii = options->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    if (options->interval_ns < MIN_INTERVAL_MS * SL_NS_PER_MS) {
        sl_tool_complain(&options->common, "--interval: at least %dms", (int)MIN_INTERVAL_MS);
    } else if (!sl_top_init(&options->top, options->sort, options->filter)) {
        sl_tool_complain(&options->common, "--sort: there is no '%.40s'; --help lists them",
                         options->sort);
    } else {
        options->client = sl_admin_client_new(&options->common);
        if (options->client) {
            code = options->once || options->batch ? once(options) : on_terminal(options);
        }
    }
    sl_admin_client_free(options->client);
    sl_top_fini(&options->top);
    sl_screen_fini(&options->screen);
    return code;
}

int sl_command_top(int argc, char **argv)
{
    struct top_options options = {0};

    return sl_tool_main(&sl_tool_top, argc, argv, &options.common, run);
}
