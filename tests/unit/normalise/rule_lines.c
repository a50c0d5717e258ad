#include "rule_lines.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"

#include "gnmi/path_build.h"
#include "gnmi/rewrite.h"
#include "normalise/rule_text.h"
#include "test.h"

const int64_t test_time_ns = INT64_C(1700000000) * SL_NS_PER_S;

struct line {
    int64_t received_ns;
    int64_t sent_ns;
    bool has_time;
    bool is_sent;
    bool is_delete;
    struct sl_buf prefix;
    struct sl_buf path;
    struct sl_buf text; /* of the value */
    struct sl_gnmi_value value;
};

/* ---- reading ---- */

static char *take_word(char **at)
{
    char *word = *at;
    char *end = strchr(word, ' ');

    if (end) {
        *end = '\0';
        *at = end + 1;
    } else {
        *at = word + strlen(word);
    }
    return word;
}

static bool take_time(char **at, int64_t *time_ns)
{
    char *end;
    long seconds = strtol(*at, &end, 10);

    if (end == *at || end[0] != 's' || end[1] != ' ') {
        return false;
    }
    *time_ns = test_time_ns + seconds * SL_NS_PER_S;
    *at = end + 2;
    return true;
}

static void build_elems(struct sl_gnmi_path_build *build, const Gnmi__Path *path, size_t from,
                        size_t to)
{
    for (size_t i = from; i < to; i++) {
        const Gnmi__PathElem *elem = path->elem[i];
        sl_gnmi_path_build_elem(build, sl_str_from(elem->name));
        for (size_t k = 0; k < elem->n_key; k++) {
            sl_gnmi_path_build_key(build, sl_str_from(elem->key[k]->key),
                                   sl_str_from(elem->key[k]->value));
        }
    }
}

static void read_labels(struct sl_gnmi_path_build *build, char **at)
{
    if (**at != '{') {
        return;
    }
    char *label = *at + 1;
    char *end = strchr(label, '}');

    assert_non_null(end);
    *end = '\0';
    *at = end[1] ? end + 2 : end + 1;
    while (label) {
        char *next = strstr(label, ", ");
        if (next) {
            *next = '\0';
            next += 2;
        }
        char *equals = strchr(label, '=');
        assert_non_null(equals);
        *equals = '\0';
        sl_gnmi_path_build_label(build, sl_str_from(label), sl_str_from(equals + 1));
        label = next;
    }
}

static void read_path(struct line *line, size_t prefix_elems, char **at)
{
    struct sl_status why;
    Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(take_word(at)), &why);
    struct sl_gnmi_path_build build;

    if (!path) {
        fail_msg("%s", why.text);
    }
    size_t split = prefix_elems < path->n_elem ? prefix_elems : path->n_elem;

    sl_gnmi_path_build_begin(&build, &line->prefix);
    if (split) {
        sl_gnmi_path_build_origin(&build, sl_str_from(path->origin));
    }
    build_elems(&build, path, 0, split);
    (void)sl_gnmi_path_build_end(&build);
    sl_gnmi_path_build_begin(&build, &line->path);
    if (!split) {
        sl_gnmi_path_build_origin(&build, sl_str_from(path->origin));
    }
    build_elems(&build, path, split, path->n_elem);
    read_labels(&build, at);
    (void)sl_gnmi_path_build_end(&build);
    gnmi__path__free_unpacked(path, NULL);
}

/* What stands in quotes, where \" is a quote. */
static void read_string(struct line *line, const char *text)
{
    assert_int_equal(*text++, '"');
    for (; *text && *text != '"'; text++) {
        text += *text == '\\';
        sl_buf_add_byte(&line->text, *text);
    }
    line->value.of.bytes = sl_buf_str(&line->text);
}

static void read_decimal(struct line *line, const char *text)
{
    const char *point = strchr(text, '.');
    char digits[64];
    size_t len = 0;

    for (; *text && len + 1 < sizeof(digits); text++) {
        if (*text != '.') {
            digits[len++] = *text;
        }
    }
    digits[len] = '\0';
    line->value.of.decimal.digits = strtoll(digits, NULL, 10);
    line->value.of.decimal.precision = point ? (uint32_t)strlen(point + 1) : 0;
}

static void read_value(struct line *line, char *at)
{
    static const char *const names[] = {
        [SL_GNMI_VALUE_NONE] = "none",     [SL_GNMI_VALUE_STRING] = "string",
        [SL_GNMI_VALUE_INT] = "int",       [SL_GNMI_VALUE_UINT] = "uint",
        [SL_GNMI_VALUE_BOOL] = "bool",     [SL_GNMI_VALUE_FLOAT] = "float",
        [SL_GNMI_VALUE_DOUBLE] = "double", [SL_GNMI_VALUE_DECIMAL] = "decimal",
        [SL_GNMI_VALUE_JSON] = "json",     [SL_GNMI_VALUE_JSON_IETF] = "json_ietf",
        [SL_GNMI_VALUE_ASCII] = "ascii",
    };
    const char *type = take_word(&at);
    size_t kind = 0;

    while (kind < SL_ARRAY_LEN(names) && (!names[kind] || strcmp(names[kind], type) != 0)) {
        kind++;
    }
    assert_true(kind < SL_ARRAY_LEN(names));
    line->value.kind = (enum sl_gnmi_value_kind)kind;
    if (kind == SL_GNMI_VALUE_INT) {
        line->value.of.i64 = strtoll(at, NULL, 10);
    } else if (kind == SL_GNMI_VALUE_UINT) {
        line->value.of.u64 = strtoull(at, NULL, 10);
    } else if (kind == SL_GNMI_VALUE_BOOL) {
        line->value.of.boolean = strcmp(at, "true") == 0;
    } else if (kind == SL_GNMI_VALUE_FLOAT) {
        line->value.of.f32 = strtof(at, NULL);
    } else if (kind == SL_GNMI_VALUE_DOUBLE) {
        line->value.of.f64 = strtod(at, NULL);
    } else if (kind == SL_GNMI_VALUE_DECIMAL) {
        read_decimal(line, at);
    } else if (kind == SL_GNMI_VALUE_STRING || kind == SL_GNMI_VALUE_ASCII) {
        read_string(line, at);
    } else {
        sl_buf_add_c(&line->text, at);
        line->value.of.bytes = sl_buf_str(&line->text);
    }
}

static void read_line(struct line *line, size_t prefix_elems, char *at)
{
    *line = (struct line){.received_ns = test_time_ns};
    line->has_time = take_time(&at, &line->received_ns);
    line->sent_ns = line->received_ns;
    if (strncmp(at, "sent ", 5) == 0) {
        at += 5;
        line->is_sent = true;
        assert_true(take_time(&at, &line->sent_ns));
    }
    if (strncmp(at, "delete ", 7) == 0) {
        at += 7;
        line->is_delete = true;
    }
    read_path(line, prefix_elems, &at);
    if (!line->is_delete) {
        read_value(line, at);
    }
}

static void line_fini(struct line *line)
{
    sl_buf_fini(&line->prefix);
    sl_buf_fini(&line->path);
    sl_buf_fini(&line->text);
}

/* ---- through the rules ---- */

static void make_response(const struct line *line, bool is_atomic, struct sl_buf *out,
                          struct sl_gnmi_response *response)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response from;
    struct sl_gnmi_rewrite rewrite;
    struct sl_status status = sl_gnmi_response_read(SL_STR("\x0a\x02\x08\x05"), &scratch, &from);

    assert_true(sl_status_is_ok(&status));
    sl_gnmi_rewrite_begin(&rewrite, &from, out);
    sl_gnmi_rewrite_set_timestamp(&rewrite, line->sent_ns);
    sl_gnmi_rewrite_set_prefix(&rewrite, sl_buf_str(&line->prefix));
    sl_gnmi_rewrite_set_atomic(&rewrite, is_atomic);
    if (line->is_delete) {
        sl_gnmi_rewrite_add_delete(&rewrite, sl_buf_str(&line->path));
    } else {
        sl_gnmi_rewrite_add_update_value(&rewrite, sl_buf_str(&line->path), &line->value, 0);
    }
    assert_true(sl_gnmi_rewrite_end(&rewrite, response));
}

static void add_seconds(struct sl_buf *out, const char *word, int64_t time_ns)
{
    sl_buf_printf(out, "%s%llds ", word, (long long)((time_ns - test_time_ns) / SL_NS_PER_S));
}

static void add_lines(struct sl_buf *out, const struct line *line,
                      const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update;
    struct sl_str path;
    struct sl_buf head = {0};

    if (line->has_time) {
        add_seconds(&head, "", line->received_ns);
    }
    if (line->is_sent) {
        add_seconds(&head, "sent ", response->timestamp_ns);
    }
    while (sl_gnmi_next_update(&cursor, &update)) {
        sl_buf_add_str(out, sl_buf_str(&head));
        sl_rule_text_add_path(out, response->prefix, update.path);
        sl_buf_add_byte(out, ' ');
        sl_rule_text_add_value(out, &update.value);
        sl_buf_add_byte(out, '\n');
    }
    cursor = sl_gnmi_response_begin(response);
    while (sl_gnmi_next_delete(&cursor, &path)) {
        sl_buf_add_str(out, sl_buf_str(&head));
        sl_buf_add_c(out, "delete ");
        sl_rule_text_add_path(out, response->prefix, path);
        sl_buf_add_byte(out, '\n');
    }
    sl_buf_fini(&head);
}

/* As an encoder sees it, listed or not. */
static void print(struct sl_buf *out, const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update;

    sl_buf_printf(out, "%lld %d %d\n", (long long)response->timestamp_ns, response->is_atomic,
                  response->has_labels);
    for (uint32_t i = 0; i < response->updates; i++) {
        if (response->listed) {
            update = response->listed[i].update;
        } else {
            assert_true(sl_gnmi_next_update(&cursor, &update));
        }
        sl_rule_text_add_path(out, response->prefix, update.path);
        sl_buf_add_byte(out, ' ');
        sl_rule_text_add_value(out, &update.value);
        sl_buf_printf(out, " %u\n", (unsigned)update.duplicates);
    }
}

/* Rules of a state that lists say the same, also of what has to wait. */
static void check_listed(struct sl_rules_state *lister, const struct sl_gnmi_response *response,
                         const struct sl_encoder_context *context,
                         const struct sl_rules_result *expected, const struct sl_buf *printed)
{
    struct sl_gnmi_response out;
    struct sl_rules_result result;
    struct sl_buf found = {0};
    struct sl_buf kept = {0};

    assert_true(sl_rules_apply(lister, response, context, &out, &result));
    assert_int_equal(result.filtered, expected->filtered);
    assert_int_equal(result.dropped, expected->dropped);
    assert_int_equal(result.opened, expected->opened);
    assert_int_equal(result.is_nothing, expected->is_nothing);
    print(&found, &out);
    assert_string_equal(sl_buf_text(&found), printed->data);
    if (out.listed) {
        assert_true(sl_rules_take_out(lister, &out, &kept));
        assert_null(out.listed);
        sl_buf_reset(&found);
        print(&found, &out);
        assert_string_equal(sl_buf_text(&found), printed->data);
    }
    sl_buf_fini(&kept);
    sl_buf_fini(&found);
}

void test_rule_lines(const struct sl_rules *rules, const char *before, size_t prefix_elems,
                     bool is_atomic, struct sl_buf *after)
{
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_rules_state *state =
        sl_rules_state_new(&(struct sl_rules_config){.rules = *rules, .memory = &memory});
    struct sl_rules_state *lister = sl_rules_state_new(
        &(struct sl_rules_config){.rules = *rules, .memory = &memory, .lists = true});
    char *lines = strdup(before);
    char *rest = lines;

    assert_non_null(state);
    assert_non_null(lister);
    for (char *text; (text = strsep(&rest, "\n")) && *text;) {
        struct sl_buf message = {0};
        struct sl_gnmi_response response;
        struct sl_gnmi_response out;
        struct sl_rules_result result;
        struct sl_buf printed = {0};
        struct line line;
        read_line(&line, prefix_elems, text);
        make_response(&line, is_atomic, &message, &response);
        struct sl_encoder_context context = {.epoch = 1, .received_ns = line.received_ns};
        assert_true(sl_rules_apply(state, &response, &context, &out, &result));
        assert_int_equal(result.is_nothing, out.updates + out.deletes == 0);
        assert_int_equal(result.filtered + result.dropped + out.updates + out.deletes,
                         1 + result.opened);
        add_lines(after, &line, &out);
        print(&printed, &out);
        assert_true(sl_buf_text(&printed) == printed.data);
        check_listed(lister, &response, &context, &result, &printed);
        sl_buf_fini(&printed);
        line_fini(&line);
        sl_buf_fini(&message);
    }
    free(lines);
    sl_rules_state_free(lister);
    sl_rules_state_free(state);
    assert_int_equal(memory.used_bytes, 0);
}
