#include "commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "capture/source.h"
#include "gnmi/path.h"
#include "gnmi/path_expand.h"
#include "gnmi/request.h"
#include "tool/dial.h"
#include "tool/found.h"
#include "tool/options.h"
#include "tool/path_view.h"
#include "tool/print.h"
#include "tool/watch.h"

enum { MAX_PATHS = 100 * 1000, MAX_FILE_BYTES = 64 * 1024 * 1024 };

enum path_format { AS_LINES, AS_TEXT, AS_JSON };

struct path_item {
    char *text;
    Gnmi__Path *path;
};

struct path_tool {
    struct sl_tool_options common;
    bool expands;
    bool strips;
    int path_format; /* enum path_format */
    const char *prefix_text;
    const char *data;
    Gnmi__Path *prefix;
    struct path_item *items; /* kept where they are to be matched */
    size_t count;
    bool keeps;
    bool is_wrong; /* a path is, or matches nothing */
    struct sl_found found;
    struct sl_tool_watch *watches; /* one for each target */
    struct sl_buf request;
};

#define AT(field) offsetof(struct path_tool, field)

static const char *const formats[] = {"paths", "text", "json", NULL};

static const struct sl_flag path_flags[] = {
    {.name = "expand",
     .letter = 'x',
     .type = SL_FLAG_SWITCH,
     .offset = AT(expands),
     .doc = "{a,b} stands for each of its words, {1..48} and {01..10} for each number"},
    {.name = "prefix",
     .type = SL_FLAG_TEXT,
     .offset = AT(prefix_text),
     .value = "PATH",
     .doc = "stands before every path"},
    {.name = "strip-modules",
     .type = SL_FLAG_SWITCH,
     .offset = AT(strips),
     .doc = "without module names: /openconfig-interfaces:interfaces is /interfaces"},
    {.name = "data",
     .type = SL_FLAG_TEXT,
     .offset = AT(data),
     .value = "FILE",
     .doc =
         "print what the paths match in this tree of data, JSON as 'sluice sim --data' takes it"},
    {.name = "format",
     .type = SL_FLAG_WORD,
     .offset = AT(path_format),
     .words = formats,
     .initial = "paths",
     .doc = "a line for each; with a line for each element; an object of JSON a line"},
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = AT(common.wants_help),
     .doc = "this"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {
    {"Paths", path_flags},
    {"Asking devices: what the paths match there", sl_tool_connection_flags},
    {"Login", sl_tool_login_flags},
    {"Request", sl_tool_request_flags},
    {NULL, NULL},
};

const struct sl_tool sl_tool_path = {
    .name = "path",
    .doc = "check paths and write them out in full; find what wildcards match",
    .usage = "[PATH ...]",
    .text = "Reads paths, from the command line or a line each from standard input, and writes "
            "each in\n"
            "its one canonical form: /interfaces/interface[name=eth0], openconfig:/a/*/.../b. "
            "Where one\n"
            "is wrong, says at which byte; the exit code is 1 then. With --address or --config it "
            "asks\n"
            "devices (Subscribe ONCE), with --data a file, and prints the paths that there are.",
    .examples =
        "  sluice path --format text 'openconfig:/interfaces/interface[name=*]/state'\n"
        "  sluice path --expand '/interfaces/interface[name=Ethernet{1..48}]/{config,state}'\n"
        "  sluice path -a leaf1:57400 --insecure '/interfaces/interface[name=*]'\n"
        "  sluice path --data tree.json '/.../mtu' < paths.txt",
    .groups = groups,
    .takes_words = true,
};

/* ---- one path ---- */

static bool print(struct sl_buf *out)
{
    bool is_ok = !out->failed && (!out->len || fwrite(out->data, 1, out->len, stdout) == out->len);

    sl_buf_fini(out);
    return is_ok;
}

static void say_wrong(struct path_tool *tool, struct sl_str given, const struct sl_status *why,
                      size_t wrong_at)
{
    struct sl_buf out = {0};

    tool->is_wrong = true;
    if (tool->path_format == AS_JSON) {
        sl_path_view_error_json(given, why, wrong_at, &out);
        (void)print(&out);
        return;
    }
    sl_path_view_caret(given, wrong_at, &out);
    fflush(stdout);
    sl_tool_complain(&tool->common, "%s\n%s", why->text, sl_buf_text(&out));
    sl_buf_fini(&out);
}

static void strip_modules(Gnmi__Path *path)
{
    for (size_t i = 0; path && i < path->n_elem; i++) {
        char *name = path->elem[i]->name;
        size_t module = sl_gnmi_module_of(sl_str_from(name)).len;
        if (module) {
            memmove(name, name + module + 1, strlen(name + module + 1) + 1);
        }
    }
}

static bool show(struct path_tool *tool, struct sl_str given, const Gnmi__Path *path)
{
    const struct sl_path_view view = {given, tool->prefix, path};
    struct sl_buf out = {0};
    bool is_shown = tool->path_format == AS_JSON   ? sl_path_view_json(&view, &out)
                    : tool->path_format == AS_TEXT ? sl_path_view_text(&view, &out)
                                                   : sl_path_view_line(&view, &out);

    if (!is_shown) {
        struct sl_status why =
            sl_status_error(SL_INVALID_ARGUMENT, "more than %d keys", (int)SL_GNMI_MAX_KEYS);
        sl_buf_fini(&out);
        say_wrong(tool, given, &why, 0);
        return true;
    }
    return print(&out);
}

static bool keep(struct path_tool *tool, struct sl_str given, Gnmi__Path *path)
{
    struct path_item *items = NULL;
    char *text = sl_str_dup(given);

    if (tool->count < MAX_PATHS) {
        items = realloc(tool->items, (tool->count + 1) * sizeof(*items));
    }
    tool->items = items ? items : tool->items;
    if (!items || !text) {
        free(text);
        gnmi__path__free_unpacked(path, NULL);
        return sl_tool_complain(&tool->common, "more than %d paths, or out of memory",
                                (int)MAX_PATHS);
    }
    tool->items[tool->count++] = (struct path_item){text, path};
    return true;
}

static Gnmi__Path *parse(struct path_tool *tool, struct sl_str given)
{
    struct sl_status why;
    size_t wrong_at;
    Gnmi__Path *path = sl_gnmi_path_parse_at(given, &why, &wrong_at);

    if (!path) {
        say_wrong(tool, given, &why, wrong_at);
    } else if (tool->prefix && *tool->prefix->origin && *path->origin) {
        why = sl_status_error(SL_INVALID_ARGUMENT, "an origin, where the prefix has one");
        say_wrong(tool, given, &why, 0);
        gnmi__path__free_unpacked(path, NULL);
        path = NULL;
    }
    if (tool->strips) {
        strip_modules(path);
    }
    return path;
}

/* One text, nothing in it to be expanded any more. False: nothing more can be done. */
static bool take(struct sl_str given, void *arg)
{
    struct path_tool *tool = arg;
    Gnmi__Path *path = parse(tool, given);
    bool is_ok = true;

    if (path && tool->keeps) {
        return keep(tool, given, path);
    }
    if (path) {
        is_ok = show(tool, given, path);
        gnmi__path__free_unpacked(path, NULL);
    }
    return is_ok;
}

static bool take_given(struct path_tool *tool, struct sl_str given)
{
    bool is_ok = true;
    struct sl_status why;

    if (!tool->expands) {
        return take(given, tool);
    }
    why = sl_gnmi_path_expand(given, take, tool);
    if (!sl_status_is_ok(&why)) {
        say_wrong(tool, given, &why, 0);
    }
    return is_ok && !ferror(stdout);
}

/* ---- all of them ---- */

static bool take_lines(struct path_tool *tool)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    bool is_ok = true;

    while (is_ok && (len = getline(&line, &cap, stdin)) >= 0) {
        struct sl_str text = {line, (size_t)len};
        while (text.len && strchr("\r\n", text.data[text.len - 1])) {
            text.len--;
        }
        if (text.len && text.data[0] != '#') {
            is_ok = take_given(tool, text);
        }
    }
    free(line);
    return is_ok && !ferror(stdin);
}

static bool take_all(struct path_tool *tool)
{
    const struct sl_tool_list *words = &tool->common.words;
    bool is_ok = true;

    if (!words->count) {
        return take_lines(tool);
    }
    for (size_t i = 0; is_ok && i < words->count; i++) {
        bool is_stdin = strcmp(words->items[i], "-") == 0;
        is_ok = is_stdin ? take_lines(tool) : take_given(tool, sl_str_from(words->items[i]));
    }
    return is_ok;
}

/* ---- what they match ---- */

static void say_skipped(const struct path_tool *tool)
{
    if (tool->found.skipped) {
        sl_tool_complain(&tool->common, "%llu updates left out: no path or value for a tree",
                         (unsigned long long)tool->found.skipped);
    }
}

static bool print_matches(struct path_tool *tool)
{
    bool is_ok = true;

    for (size_t i = 0; is_ok && i < tool->count; i++) {
        struct sl_buf out = {0};
        size_t count;
        struct sl_status why =
            sl_found_match(&tool->found, tool->prefix, tool->items[i].path, &out, &count);
        if (!sl_status_is_ok(&why)) {
            say_wrong(tool, sl_str_from(tool->items[i].text), &why, 0);
        } else if (!count) {
            tool->is_wrong = true;
            sl_tool_complain(&tool->common, "nothing matches %s", tool->items[i].text);
        }
        is_ok = print(&out);
    }
    return is_ok;
}

static bool read_file(const char *name, struct sl_buf *out)
{
    FILE *file = fopen(name, "re");
    char block[16 * 1024];
    size_t len;

    sl_buf_init(out, MAX_FILE_BYTES);
    while (file && (len = fread(block, 1, sizeof(block), file)) > 0) {
        sl_buf_add(out, block, len);
    }
    bool is_read = file && !ferror(file) && !out->failed;

    if (file) {
        fclose(file);
    }
    return is_read;
}

/* What is in a capture; false with `why` where it is none, and nothing was taken then. */
static bool read_capture(struct path_tool *tool, struct sl_status *why)
{
    struct sl_capture_source *source = sl_capture_source_open(tool->data, why);
    struct sl_gnmi_capture_entry entry;

    while (source && sl_status_is_ok(why) && sl_capture_source_next(source, &entry, why)) {
        if (entry.kind == SL_GNMI_CAPTURE_RESPONSE) {
            *why = sl_found_add_response(&tool->found, entry.response);
        }
        if (why->code == SL_INTERNAL) { /* no SubscribeResponse */
            tool->found.skipped++;
            *why = sl_status_ok();
        }
    }
    sl_capture_source_close(source);
    return source != NULL;
}

/* Of a capture that was cut off, what there is of it is good. */
static int match_capture(struct path_tool *tool, struct sl_status *why)
{
    if (sl_status_is_ok(why) || why->code == SL_DATA_LOSS) {
        *why = sl_found_end(&tool->found);
    }
    if (!sl_status_is_ok(why)) {
        sl_tool_complain(&tool->common, "%s: %s", tool->data, why->text);
        return SL_TOOL_EXIT_USAGE;
    }
    say_skipped(tool);
    return print_matches(tool) ? SL_TOOL_EXIT_OK : SL_TOOL_EXIT_FAILED;
}

static int match_data(struct path_tool *tool)
{
    struct sl_buf text;
    struct sl_status why = sl_status_ok();

    if (read_capture(tool, &why)) {
        return match_capture(tool, &why);
    }
    if (!read_file(tool->data, &text)) {
        sl_tool_complain(&tool->common, "%s: %s", tool->data,
                         text.failed ? "too long" : strerror(errno));
        sl_buf_fini(&text);
        return SL_TOOL_EXIT_USAGE;
    }
    why = sl_found_read(&tool->found, sl_buf_str(&text));
    sl_buf_fini(&text);
    if (!sl_status_is_ok(&why)) {
        sl_tool_complain(&tool->common, "%s: %s", tool->data, why.text);
        return SL_TOOL_EXIT_USAGE;
    }
    return print_matches(tool) ? SL_TOOL_EXIT_OK : SL_TOOL_EXIT_FAILED;
}

/* ---- devices ---- */

static enum sl_grpc_take on_response(struct sl_tool_watch *watch,
                                     const struct sl_gnmi_response *response, void *arg)
{
    struct path_tool *tool = arg;
    struct sl_status why = sl_found_add_response(&tool->found, response->message);

    if (!sl_status_is_ok(&why)) {
        sl_tool_watch_end(watch, &why);
    }
    return SL_GRPC_TAKEN;
}

static void on_broken(struct sl_tool_watch *watch, struct sl_str message,
                      const struct sl_status *why, void *arg)
{
    (void)message;
    (void)arg;
    sl_tool_watch_end(watch, why);
}

static void on_end(struct sl_tool_watch *watch, const struct sl_grpc_call *call,
                   const struct sl_status *status, void *arg)
{
    (void)arg;
    if (call && !sl_status_is_ok(status)) {
        sl_tool_finish_call(watch->target, call, status);
    } else {
        sl_tool_finish(watch->target, status);
    }
}

static const struct sl_tool_watch_events watch_events = {on_response, on_broken, on_end};

static bool pack_request(struct path_tool *tool, struct sl_tool_target *target)
{
    const char **texts = calloc(tool->count + 1, sizeof(*texts));
    struct sl_gnmi_asked asked = {.paths = texts, .mode = SL_GNMI_TARGET_DEFINED};
    const struct sl_gnmi_subscribe subscribe = {
        .asked = &asked,
        .asked_count = 1,
        .prefix = tool->prefix_text,
        .target = sl_tool_prefix_target(target->run->options),
        .encoding = (enum sl_gnmi_encoding)tool->common.encoding,
        .mode = SL_GNMI_ONCE,
    };
    struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");

    for (size_t i = 0; texts && i < tool->count; i++) {
        texts[i] = tool->items[i].text;
    }
    if (texts) {
        why = sl_gnmi_subscribe_pack(&subscribe, &tool->request);
    }
    free(texts);
    return sl_status_is_ok(&why) || sl_tool_complain(&tool->common, "%s", why.text);
}

static bool begin(struct sl_tool_target *target, void *arg)
{
    struct path_tool *tool = arg;
    struct sl_tool_watch *watch = &tool->watches[target - target->run->targets];

    *watch = (struct sl_tool_watch){
        .target = target,
        .request = sl_buf_str(&tool->request),
        .mode = SL_GNMI_ONCE,
        .patience_ns = (uint64_t)tool->common.timeout_ns,
        .events = &watch_events,
        .arg = tool,
    };
    return sl_tool_watch_open(watch);
}

static int match_run(struct path_tool *tool, struct sl_tool_run *run)
{
    const struct sl_tool_work work = {.begin = begin, .arg = tool};
    struct sl_status why;
    int code;

    tool->watches = calloc(run->target_count, sizeof(*tool->watches));
    if (!tool->watches || !pack_request(tool, &run->targets[0])) {
        return SL_TOOL_EXIT_FAILED;
    }
    code = (int)sl_tool_run(run, &work);
    for (size_t i = 0; i < run->target_count; i++) {
        sl_tool_watch_fini(&tool->watches[i]);
    }
    why = sl_found_end(&tool->found);
    if (!sl_status_is_ok(&why)) {
        sl_tool_complain(&tool->common, "%s", why.text);
        return SL_TOOL_EXIT_FAILED;
    }
    say_skipped(tool);
    bool is_printed =
        (code != SL_TOOL_EXIT_OK && code != SL_TOOL_EXIT_PARTIAL) || print_matches(tool);

    return is_printed ? code : SL_TOOL_EXIT_FAILED;
}

static int match_devices(struct path_tool *tool)
{
    struct sl_tool_run run = {0};
    int code = SL_TOOL_EXIT_USAGE;

    if (sl_tool_run_init(&run, &tool->common)) {
        code = match_run(tool, &run);
    }
    sl_tool_run_fini(&run);
    return code;
}

/* ---- the tool ---- */

static bool read_prefix(struct path_tool *tool)
{
    if (tool->prefix_text) {
        tool->prefix = parse(tool, sl_str_from(tool->prefix_text));
    }
    return !tool->is_wrong;
}

static int work(struct path_tool *tool)
{
    bool asks = tool->common.addresses.count || tool->common.config;
    int code = SL_TOOL_EXIT_OK;

    tool->keeps = asks || tool->data;
    if (asks && tool->data) {
        sl_tool_complain(&tool->common, "expected devices or --data, found both");
        return SL_TOOL_EXIT_USAGE;
    }
    if (tool->keeps && !sl_found_init(&tool->found)) {
        return SL_TOOL_EXIT_FAILED;
    }
    if (!read_prefix(tool) || !take_all(tool)) {
        return SL_TOOL_EXIT_FAILED;
    }
    if (tool->keeps && !tool->is_wrong && tool->count) {
        code = asks ? match_devices(tool) : match_data(tool);
    }
    return code == SL_TOOL_EXIT_OK && tool->is_wrong ? SL_TOOL_EXIT_FAILED : code;
}

static void fini(struct path_tool *tool)
{
    for (size_t i = 0; i < tool->count; i++) {
        free(tool->items[i].text);
        gnmi__path__free_unpacked(tool->items[i].path, NULL);
    }
    free(tool->items);
    free(tool->watches);
    if (tool->prefix) {
        gnmi__path__free_unpacked(tool->prefix, NULL);
    }
    sl_found_fini(&tool->found);
    sl_buf_fini(&tool->request);
    sl_tool_fini(&tool->common);
}

int sl_command_path(int argc, char **argv)
{
    struct path_tool tool = {0};
    int code = SL_TOOL_EXIT_USAGE;

    if (sl_tool_parse(&sl_tool_path, argc, argv, &tool.common)) {
        if (tool.common.wants_help) {
            sl_tool_print_help(&sl_tool_path, stdout);
            code = SL_TOOL_EXIT_OK;
        } else if (!tool.common.words.count && isatty(STDIN_FILENO)) {
            sl_tool_complain(&tool.common, "expected a path, or paths on standard input");
        } else {
            code = work(&tool);
        }
    }
    fini(&tool);
    return fflush(stdout) == 0 ? code : SL_TOOL_EXIT_FAILED;
}
