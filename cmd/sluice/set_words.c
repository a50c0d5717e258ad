#include "set_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "config/config.h"
#include "gnmi/path.h"
#include "normalise/json.h"
#include "normalise/text.h"
#include "tool/yaml.h"

enum part { WHOLE, PATH, VALUE, FILE_VALUE, CLI, CLI_FILE, REQUEST_FILE };

/* By the flag's name. */
static const struct verb {
    const char *name;
    enum sl_gnmi_operation operation;
    enum part part;
} verbs[] = {
    {"delete", SL_GNMI_DELETE, WHOLE},
    {"update", SL_GNMI_UPDATE_PATH, WHOLE},
    {"update-path", SL_GNMI_UPDATE_PATH, PATH},
    {"update-value", SL_GNMI_UPDATE_PATH, VALUE},
    {"update-file", SL_GNMI_UPDATE_PATH, FILE_VALUE},
    {"update-cli", SL_GNMI_UPDATE_PATH, CLI},
    {"update-cli-file", SL_GNMI_UPDATE_PATH, CLI_FILE},
    {"replace", SL_GNMI_REPLACE, WHOLE},
    {"replace-path", SL_GNMI_REPLACE, PATH},
    {"replace-value", SL_GNMI_REPLACE, VALUE},
    {"replace-file", SL_GNMI_REPLACE, FILE_VALUE},
    {"replace-cli", SL_GNMI_REPLACE, CLI},
    {"replace-cli-file", SL_GNMI_REPLACE, CLI_FILE},
    {"union-replace", SL_GNMI_UNION, WHOLE},
    {"union-replace-path", SL_GNMI_UNION, PATH},
    {"union-replace-value", SL_GNMI_UNION, VALUE},
    {"union-replace-file", SL_GNMI_UNION, FILE_VALUE},
    {"union-replace-cli", SL_GNMI_UNION, CLI},
    {"union-replace-cli-file", SL_GNMI_UNION, CLI_FILE},
    {"request-file", SL_GNMI_UPDATE_PATH, REQUEST_FILE},
};

struct reader {
    const struct sl_tool_options *options;
    const char *delimiter;
    struct set_words *words;
    const struct verb *verb; /* of the word under way */
};

static const struct verb *verb_of(const struct sl_flag *flag)
{
    size_t i = 0;

    while (strcmp(verbs[i].name, flag->name) != 0) {
        i++;
        SL_ASSERT(i < SL_ARRAY_LEN(verbs));
    }
    return &verbs[i];
}

static bool complain(const struct reader *reader, const char *value, const char *what)
{
    return sl_tool_complain(reader->options, "--%s '%.80s': %s", reader->verb->name, value, what);
}

static bool no_memory(const struct reader *reader)
{
    return sl_tool_complain(reader->options, "out of memory");
}

/* Takes a text from the heap; NULL in, or without room: NULL. */
static const char *own(struct set_words *words, char *text)
{
    char **owned = text ? realloc(words->owned, (words->owned_count + 1) * sizeof(*owned)) : NULL;

    if (!owned) {
        free(text);
        return NULL;
    }
    words->owned = owned;
    owned[words->owned_count++] = text;
    return text;
}

static struct sl_gnmi_write *add_write(const struct reader *reader, const char *path)
{
    struct set_words *words = reader->words;
    struct sl_gnmi_write *writes = realloc(words->writes, (words->count + 1) * sizeof(*writes));

    if (!writes) {
        no_memory(reader);
        return NULL;
    }
    words->writes = writes;
    writes[words->count] =
        (struct sl_gnmi_write){.operation = reader->verb->operation, .path = path};
    return &writes[words->count++];
}

static bool check_path(const struct reader *reader, const char *path)
{
    struct sl_status why = sl_gnmi_path_check(sl_str_from(path));

    return sl_status_is_ok(&why) || complain(reader, path, why.text);
}

/* ---- values ---- */

/* What is no JSON is taken as a text of JSON: `--update-value router1`. */
static bool make_json(const struct reader *reader, struct sl_str text, struct sl_str *value)
{
    struct sl_json json;
    struct sl_str rewritten;
    struct sl_buf quoted = {0};

    sl_json_init(&json);
    bool is_json = text.len && sl_json_rewrite(&json, text, &rewritten) == SL_JSON_VALUE;
    sl_json_fini(&json);
    *value = text;
    if (is_json) {
        return true;
    }
    sl_text_add_quoted(&quoted, text);
    size_t len = quoted.len;
    const char *owned = own(reader->words, quoted.failed ? NULL : sl_str_dup(sl_buf_str(&quoted)));
    sl_buf_fini(&quoted);
    *value = (struct sl_str){owned, len};
    return owned || no_memory(reader);
}

static bool set_value(const struct reader *reader, struct sl_str type, struct sl_str text,
                      struct sl_gnmi_write *write)
{
    bool is_json = sl_str_eq_c(type, "json") || sl_str_eq_c(type, "json_ietf");

    if (is_json && !make_json(reader, text, &text)) {
        return false;
    }
    struct sl_status why = sl_gnmi_value_parse(type, text, &write->value);

    return sl_status_is_ok(&why) || complain(reader, write->path, why.text);
}

/* Of a value whose type nobody says: what --encoding is. */
static struct sl_str type_of_encoding(const struct sl_tool_options *options)
{
    static const struct sl_str types[] = {
        [SL_GNMI_JSON] = {"json", 4},           [SL_GNMI_BYTES] = {"bytes", 5},
        [SL_GNMI_PROTO] = {"string", 6},        [SL_GNMI_ASCII] = {"ascii", 5},
        [SL_GNMI_JSON_IETF] = {"json_ietf", 9},
    };

    return types[options->encoding];
}

/* ---- files ---- */

static bool read_all(FILE *file, struct sl_buf *text)
{
    char part[4096];
    size_t len;

    while ((len = fread(part, 1, sizeof(part), file)) > 0) {
        sl_buf_add(text, part, len);
    }
    return !ferror(file) && !text->failed;
}

/* The whole file, "-" standard input; false: it is said. */
static bool read_file(const struct reader *reader, const char *name, struct sl_str *value)
{
    bool is_input = strcmp(name, "-") == 0;
    FILE *file = is_input ? stdin : fopen(name, "re");
    struct sl_buf text;

    if (!file) {
        return complain(reader, name, strerror(errno));
    }
    sl_buf_init(&text, SET_MAX_FILE_BYTES);
    bool is_read = read_all(file, &text);
    const char *owned = is_read ? own(reader->words, sl_str_dup(sl_buf_str(&text))) : NULL;
    *value = (struct sl_str){owned, text.len};
    sl_buf_fini(&text);
    if (!is_input) {
        fclose(file);
    }
    return owned || complain(reader, name, "it cannot be read, or is longer than 64 MiB");
}

/* YAML and JSON; NULL: it is said. The caller frees it. */
static struct sl_config *parse(const struct reader *reader, const char *name)
{
    struct sl_str text;
    struct sl_buf errors = {0};

    if (!read_file(reader, name, &text)) {
        return NULL;
    }
    struct sl_config *file = sl_config_parse(name, text);
    if (!file) {
        no_memory(reader);
    } else if (sl_config_errors(file)) {
        sl_config_print_errors(file, &errors);
        sl_tool_complain(reader->options, "%s", sl_buf_text(&errors));
        sl_config_free(file);
        file = NULL;
    }
    sl_buf_fini(&errors);
    return file;
}

/* The JSON of a value, owned. */
static bool make_text(const struct reader *reader, const struct sl_config_node *node,
                      struct sl_str *text)
{
    struct sl_buf json = {0};
    bool is_good = sl_yaml_add_json(&json, node);
    const char *owned = is_good ? own(reader->words, sl_str_dup(sl_buf_str(&json))) : NULL;

    *text = (struct sl_str){owned, json.len};
    sl_buf_fini(&json);
    return owned || no_memory(reader);
}

static bool has_end(const char *name, const char *end)
{
    size_t len = strlen(name);

    return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* A file called .yaml or .yml becomes the JSON that it stands for. */
static bool read_value_file(const struct reader *reader, const char *name, struct sl_str *text)
{
    if (!has_end(name, ".yaml") && !has_end(name, ".yml")) {
        return read_file(reader, name, text);
    }
    struct sl_config *file = parse(reader, name);
    bool is_good = file && make_text(reader, sl_config_root(file), text);

    sl_config_free(file);
    return is_good;
}

static bool set_file(const struct reader *reader, const char *name, struct sl_gnmi_write *write)
{
    struct sl_str type = type_of_encoding(reader->options);
    struct sl_str text;
    struct sl_json json;
    struct sl_str rewritten;

    if (!read_value_file(reader, name, &text)) {
        return false;
    }
    sl_json_init(&json);
    bool is_json = sl_json_rewrite(&json, text, &rewritten) == SL_JSON_VALUE;
    sl_json_fini(&json);
    if (sl_str_starts_with(type, SL_STR("json")) && !is_json) {
        return complain(reader, name, "it is not JSON");
    }
    return set_value(reader, type, text, write);
}

/* ---- a request in a file ---- */

/* The text under a key of a map; `otherwise` where it has none. NULL: no text stands there. */
static const char *text_of(const struct sl_config_node *map, const char *key, const char *otherwise)
{
    const struct sl_config_node *node = sl_config_get(map, key);
    bool is_plain;

    return node ? sl_config_raw(node, &is_plain).data : otherwise;
}

/* {path: P, value: V, encoding: TYPE}, and nothing else: a key that is spelled wrong is no value.
 */
static bool is_entry(const struct sl_config_node *entry)
{
    static const char *const keys[] = {"path", "value", "encoding"};
    size_t found = 0;

    if (sl_config_kind(entry) != SL_CONFIG_MAP || !sl_config_get(entry, "value")) {
        return false;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(keys); i++) {
        found += sl_config_get(entry, keys[i]) != NULL;
    }
    return found == sl_config_count(entry);
}

static bool add_entry(const struct reader *reader, const char *name,
                      const struct sl_config_node *entry)
{
    const char *path = is_entry(entry) ? text_of(entry, "path", "/") : NULL;
    struct sl_str type = type_of_encoding(reader->options);
    struct sl_str text;

    if (!path) {
        return complain(reader, name, "expected {path:, value:, encoding:}");
    }
    const struct sl_config_node *value = sl_config_get(entry, "value");
    if (sl_config_get(entry, "encoding")) {
        type = sl_str_from(text_of(entry, "encoding", NULL));
    }
    path = own(reader->words, strdup(path));
    struct sl_gnmi_write *write = path && check_path(reader, path) ? add_write(reader, path) : NULL;
    if (!write) {
        return false;
    }
    if (!sl_str_starts_with(type, SL_STR("json")) && sl_config_kind(value) == SL_CONFIG_SCALAR) {
        text = sl_str_from(own(reader->words, strdup(text_of(entry, "value", ""))));
        if (!text.data) {
            return no_memory(reader);
        }
    } else if (!make_text(reader, value, &text)) {
        return false;
    }
    return set_value(reader, type, text, write);
}

static bool add_delete(const struct reader *reader, const char *name,
                       const struct sl_config_node *entry)
{
    bool is_plain;
    const char *path = sl_config_raw(entry, &is_plain).data;

    if (!path) {
        return complain(reader, name, "deletes: expected a list of paths");
    }
    path = own(reader->words, strdup(path));
    return path && check_path(reader, path) && add_write(reader, path);
}

static const struct section {
    const char *name;
    enum sl_gnmi_operation operation;
} sections[] = {
    {"updates", SL_GNMI_UPDATE_PATH},
    {"replaces", SL_GNMI_REPLACE},
    {"union-replaces", SL_GNMI_UNION},
    {"deletes", SL_GNMI_DELETE},
};

/* The verb says which operation it is, and complaints name the flag. */
static bool add_section(const struct reader *reader, const char *name,
                        const struct section *section, const struct sl_config_node *list)
{
    const struct verb verb = {reader->verb->name, section->operation, REQUEST_FILE};
    struct reader part = *reader;

    part.verb = &verb;
    if (sl_config_kind(list) != SL_CONFIG_LIST) {
        return complain(reader, name, "expected lists below updates, replaces, ...");
    }
    for (size_t i = 0; i < sl_config_count(list); i++) {
        const struct sl_config_node *entry = sl_config_at(list, i);
        bool is_good = section->operation == SL_GNMI_DELETE ? add_delete(&part, name, entry)
                                                            : add_entry(&part, name, entry);
        if (!is_good) {
            return false;
        }
    }
    return true;
}

static bool add_sections(const struct reader *reader, const char *name,
                         const struct sl_config_node *root)
{
    bool is_good = root && sl_config_kind(root) == SL_CONFIG_MAP;
    size_t found = 0;

    for (size_t i = 0; is_good && i < SL_ARRAY_LEN(sections); i++) {
        const struct sl_config_node *list = sl_config_get(root, sections[i].name);
        found += list != NULL;
        if (list && !add_section(reader, name, &sections[i], list)) {
            return false;
        }
    }
    return (is_good && found == sl_config_count(root)) ||
           complain(reader, name,
                    "expected a map of updates, replaces, union-replaces and deletes, and nothing "
                    "else");
}

static bool read_request(const struct reader *reader, const char *name)
{
    struct sl_config *file = parse(reader, name);
    bool is_good = file && add_sections(reader, name, sl_config_root(file));

    sl_config_free(file);
    return is_good;
}

/* ---- words ---- */

/* "PATH:::TYPE:::VALUE", or a path alone of a delete. */
static bool read_whole(const struct reader *reader, const char *text)
{
    size_t len = strlen(reader->delimiter);
    const char *first = strstr(text, reader->delimiter);
    const char *second = first ? strstr(first + len, reader->delimiter) : NULL;

    if (reader->verb->operation == SL_GNMI_DELETE) {
        return check_path(reader, text) && add_write(reader, text);
    }
    if (!second) {
        return complain(reader, text, "expected PATH:::TYPE:::VALUE (or --delimiter)");
    }
    const char *path =
        own(reader->words, sl_str_dup((struct sl_str){text, (size_t)(first - text)}));
    struct sl_str type = {first + len, (size_t)(second - first) - len};

    if (!path) {
        return no_memory(reader);
    }
    struct sl_gnmi_write *write = check_path(reader, path) ? add_write(reader, path) : NULL;

    return write && set_value(reader, type, sl_str_from(second + len), write);
}

/* Given by its path, and not by its value yet. */
static bool is_waiting(const struct sl_gnmi_write *write)
{
    return write->operation != SL_GNMI_DELETE && write->value.kind == SL_GNMI_VALUE_NONE;
}

/* The first path of the same operation that has no value yet: of several paths before several
 * values the first gets the first. */
static struct sl_gnmi_write *waiting(const struct reader *reader)
{
    for (size_t i = 0; i < reader->words->count; i++) {
        struct sl_gnmi_write *write = &reader->words->writes[i];
        if (is_waiting(write) && write->operation == reader->verb->operation) {
            return write;
        }
    }
    return NULL;
}

static bool read_value(const struct reader *reader, const char *text)
{
    struct sl_gnmi_write *write = waiting(reader);

    if (!write) {
        return complain(reader, text, "there is no path for this value");
    }
    return reader->verb->part == FILE_VALUE
               ? set_file(reader, text, write)
               : set_value(reader, type_of_encoding(reader->options), sl_str_from(text), write);
}

static bool read_cli(const struct reader *reader, const char *text)
{
    struct sl_gnmi_write *write = add_write(reader, "cli:");
    struct sl_str value = sl_str_from(text);

    if (!write || (reader->verb->part == CLI_FILE && !read_file(reader, text, &value))) {
        return false;
    }
    return set_value(reader, SL_STR("ascii"), value, write);
}

static bool read_word(const struct reader *reader, const char *text)
{
    switch (reader->verb->part) {
    case WHOLE:
        return read_whole(reader, text);
    case PATH:
        return check_path(reader, text) && add_write(reader, text);
    case VALUE:
    case FILE_VALUE:
        return true; /* once all paths are there */
    case CLI:
    case CLI_FILE:
        return read_cli(reader, text);
    case REQUEST_FILE:
        return read_request(reader, text);
    }
    return false;
}

static bool check_waiting(const struct reader *reader)
{
    for (size_t i = 0; i < reader->words->count; i++) {
        if (is_waiting(&reader->words->writes[i])) {
            return sl_tool_complain(reader->options, "'%.80s': a path without a value",
                                    reader->words->writes[i].path);
        }
    }
    return true;
}

/* Paths first, then values, so that they may stand in any order. */
bool set_words_read(const struct sl_tool_options *options, const struct sl_tool_words *given,
                    const char *delimiter, struct set_words *words)
{
    struct reader reader = {.options = options, .delimiter = delimiter, .words = words};

    for (size_t i = 0; i < given->count; i++) {
        reader.verb = verb_of(given->items[i].flag);
        if (!read_word(&reader, given->items[i].value)) {
            return false;
        }
    }
    for (size_t i = 0; i < given->count; i++) {
        reader.verb = verb_of(given->items[i].flag);
        bool is_value = reader.verb->part == VALUE || reader.verb->part == FILE_VALUE;
        if (is_value && !read_value(&reader, given->items[i].value)) {
            return false;
        }
    }
    return check_waiting(&reader);
}

void set_words_fini(struct set_words *words)
{
    for (size_t i = 0; i < words->owned_count; i++) {
        free(words->owned[i]);
    }
    free(words->owned);
    free(words->writes);
    *words = (struct set_words){0};
}
