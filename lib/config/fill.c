/* Objects from maps, by the rows of a table. A row's value is converted into a field of its own and
 * copied only when it is good, so that a wrong one leaves the default. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/document.h"
#include "config/values.h"

union field {
    const char *text;
    bool is_on;
    int64_t number;
    uint64_t bytes;
    int index;
    struct sluice_strings strings;
    struct sluice_map map;
    struct sluice_list list;
};

static const char *const no_items[] = {NULL};

size_t sl_config_field_bytes(enum sluice_option_type type)
{
    switch (type) {
    case SLUICE_STRING:
    case SLUICE_TEMPLATE:
    case SLUICE_SECRET:
        return sizeof(const char *);
    case SLUICE_BOOL:
        return sizeof(bool);
    case SLUICE_INT:
    case SLUICE_DURATION:
        return sizeof(int64_t);
    case SLUICE_SIZE:
        return sizeof(uint64_t);
    case SLUICE_ENUM:
        return sizeof(int);
    case SLUICE_STRINGS:
        return sizeof(struct sluice_strings);
    case SLUICE_MAP:
        return sizeof(struct sluice_map);
    case SLUICE_LIST:
        return sizeof(struct sluice_list);
    case SLUICE_OBJECT:
        break; /* its fields have their own rows */
    }
    return 0;
}

static void *field_of(const struct sluice_option *option, void *object)
{
    return (char *)object + option->offset;
}

static const void *base_of(const struct sluice_option *option, const void *base)
{
    return base ? (const char *)base + option->offset : NULL;
}

static bool is_within(const struct sluice_option *option, int64_t value)
{
    SL_ASSERT(option->min <= option->max);
    return (!option->min && !option->max) || (value >= option->min && value <= option->max);
}

static bool to_index(const struct sluice_option *option, const char *text, int *index)
{
    for (int i = 0; option->names[i]; i++) {
        if (strcmp(option->names[i], text) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* A text as the value of a row; false when it is none. */
static bool convert(const struct sluice_option *option, const char *text, union field *field)
{
    struct sl_str str = sl_str_from(text);

    switch (option->type) {
    case SLUICE_STRING:
    case SLUICE_TEMPLATE:
    case SLUICE_SECRET:
        field->text = text;
        return true;
    case SLUICE_BOOL:
        field->is_on = strcmp(text, "true") == 0;
        return field->is_on || strcmp(text, "false") == 0;
    case SLUICE_INT:
        return sl_config_to_int(str, &field->number) && is_within(option, field->number);
    case SLUICE_DURATION:
        return sl_config_to_duration(str, &field->number) && is_within(option, field->number);
    case SLUICE_SIZE:
        return sl_config_to_size(str, &field->bytes) && is_within(option, (int64_t)field->bytes);
    case SLUICE_ENUM:
        return to_index(option, text, &field->index);
    case SLUICE_STRINGS:
    case SLUICE_MAP:
    case SLUICE_OBJECT:
    case SLUICE_LIST:
        break; /* not made of one text */
    }
    return false;
}

bool sl_config_takes(const struct sluice_option *option, const char *text)
{
    union field field;

    return convert(option, text, &field);
}

/* What a row takes, in words. */
static void add_expected(const struct sluice_option *option, struct sl_buf *out)
{
    switch (option->type) {
    case SLUICE_STRING:
    case SLUICE_TEMPLATE:
        sl_buf_add_c(out, "text");
        break;
    case SLUICE_SECRET:
        sl_buf_add_c(out, "text or {file: PATH}");
        break;
    case SLUICE_BOOL:
        sl_buf_add_c(out, "true or false");
        break;
    case SLUICE_INT:
        sl_buf_add_c(out, "a whole number");
        break;
    case SLUICE_DURATION:
        sl_buf_add_c(out, "a duration such as 10s or 1m30s");
        break;
    case SLUICE_SIZE:
        sl_buf_add_c(out, "a size such as 64KiB or 16MiB");
        break;
    case SLUICE_ENUM:
        sl_config_add_names(out, option->names);
        break;
    case SLUICE_STRINGS:
        sl_buf_add_c(out, "a list of texts");
        break;
    case SLUICE_MAP:
        sl_buf_add_c(out, "a map of names and texts");
        break;
    case SLUICE_OBJECT:
        sl_buf_add_c(out, "a map");
        break;
    case SLUICE_LIST:
        sl_buf_add_c(out, option->takes_text ? "a list of texts or maps" : "a list of maps");
        break;
    }
    if (option->min || option->max) {
        sl_buf_add_byte(out, ',');
        sl_config_add_bounds(out, option);
    }
}

static void refuse(struct sl_config *config, const struct sl_config_node *node,
                   const struct sluice_option *option, const char *found)
{
    struct sl_buf words;
    const char *near = NULL;

    sl_buf_init(&words, 0);
    add_expected(option, &words);
    if (found && option->type == SLUICE_ENUM) {
        near = sl_str_nearest(found, option->names);
    }
    if (found) {
        sl_config_error(config, node, "'%s': expected %s, found '%.*s'%s%s%s", option->name,
                        sl_buf_text(&words), SL_CONFIG_QUOTE_BYTES, found,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    } else {
        sl_config_error(config, node, "'%s': expected %s, found %s", option->name,
                        sl_buf_text(&words), sl_config_kind_name(node->kind));
    }
    sl_buf_fini(&words);
}

static bool read_text(struct sl_config *config, const struct sl_config_node *node,
                      const struct sluice_option *option, union field *field)
{
    enum sl_config_expansion expansion =
        option->type == SLUICE_TEMPLATE ? SL_CONFIG_EXPAND_TEMPLATE : SL_CONFIG_EXPAND_ALL;

    if (node->kind != SL_CONFIG_SCALAR) {
        refuse(config, node, option, NULL);
        return false;
    }
    const char *text = sl_config_expand(config, node, expansion);
    if (text && !convert(option, text, field)) {
        refuse(config, node, option,
               node->text); /* as it stands there: the environment is private */
        return false;
    }
    return text != NULL;
}

/* The first line of a file, in memory of the document; NULL after an error. */
static const char *read_secret_line(struct sl_config *config, const struct sl_config_node *node,
                                    FILE *stream, const char *path)
{
    char *line = sl_config_alloc(config, SL_CONFIG_MAX_SECRET_BYTES + 2, 1);

    if (!line) {
        return NULL;
    }
    errno = 0;
    if (!fgets(line, SL_CONFIG_MAX_SECRET_BYTES + 2, stream)) {
        sl_config_error(config, node, "the file '%s' %s%s", path,
                        ferror(stream) ? "cannot be read: " : "is empty",
                        ferror(stream) ? strerror(errno) : "");
        return NULL;
    }
    line[strcspn(line, "\r\n")] = '\0';
    if (strlen(line) > SL_CONFIG_MAX_SECRET_BYTES) {
        sl_config_error(config, node, "the first line of '%s' is longer than %d bytes", path,
                        SL_CONFIG_MAX_SECRET_BYTES);
        return NULL;
    }
    if (!*line) {
        sl_config_error(config, node, "the first line of '%s' is empty", path);
        return NULL;
    }
    return line;
}

static bool read_secret_file(struct sl_config *config, const struct sl_config_node *node,
                             union field *field)
{
    if (config->is_foreign) {
        sl_config_error(config, node,
                        "what came from elsewhere may not read files of this machine");
        return false;
    }
    const char *path = sl_config_expand(config, node, SL_CONFIG_EXPAND_ALL);
    FILE *stream = path ? fopen(path, "re") : NULL;

    field->text = NULL;
    if (stream) {
        field->text = read_secret_line(config, node, stream, path);
        fclose(stream);
    } else if (path) {
        sl_config_error(config, node, "the file '%s' cannot be read: %s", path, strerror(errno));
    }
    return field->text != NULL;
}

/* No word about what stands there: a password without its quotes may look like anything. */
static bool read_secret(struct sl_config *config, const struct sl_config_node *node,
                        const struct sluice_option *option, union field *field)
{
    const struct sl_config_node *file = sl_config_get(node, "file");

    if (node->kind == SL_CONFIG_SCALAR) {
        field->text = sl_config_expand(config, node, SL_CONFIG_EXPAND_PRIVATE);
        return field->text != NULL;
    }
    if (file && node->count == 1 && file->kind == SL_CONFIG_SCALAR) {
        return read_secret_file(config, file, field);
    }
    refuse(config, node, option, NULL);
    return false;
}

static bool read_strings(struct sl_config *config, const struct sl_config_node *node,
                         const struct sluice_option *option, union field *field)
{
    size_t count = node->kind == SL_CONFIG_LIST ? node->count : 1;
    bool is_good = node->kind == SL_CONFIG_SCALAR || node->kind == SL_CONFIG_LIST;

    if (!is_good) {
        refuse(config, node, option, NULL);
        return false;
    }
    const char **items = sl_config_alloc(config, count + 1, sizeof(*items));
    for (size_t i = 0; i < count && items; i++) {
        const struct sl_config_node *item = sl_config_item(node, i);
        if (item->kind != SL_CONFIG_SCALAR) {
            sl_config_error(config, item, "'%s': expected text, found %s", option->name,
                            sl_config_kind_name(item->kind));
            is_good = false;
            continue;
        }
        items[i] = sl_config_expand(config, item, SL_CONFIG_EXPAND_ALL);
        is_good = is_good && items[i];
    }
    field->strings = (struct sluice_strings){items, count};
    return is_good && items;
}

static bool read_map(struct sl_config *config, const struct sl_config_node *node,
                     const struct sluice_option *option, union field *field)
{
    bool is_good = node->kind == SL_CONFIG_MAP;

    if (!is_good) {
        refuse(config, node, option, NULL);
        return false;
    }
    struct sluice_pair *pairs = sl_config_alloc(config, node->count, sizeof(*pairs));
    for (size_t i = 0; i < node->count && pairs; i++) {
        const struct sl_config_node *value = node->entries[i].value;
        pairs[i].name = node->entries[i].key->text;
        if (option->is_secret && option->is_secret(pairs[i].name)) {
            union field secret = {0};
            is_good = read_secret(config, value, option, &secret) && is_good;
            pairs[i].value = secret.text;
            continue;
        }
        if (value->kind != SL_CONFIG_SCALAR) {
            sl_config_error(config, value, "'%s' of '%s': expected text, found %s", pairs[i].name,
                            option->name, sl_config_kind_name(value->kind));
            is_good = false;
            continue;
        }
        /* private: properties hold passwords too */
        pairs[i].value = sl_config_expand(config, value, SL_CONFIG_EXPAND_PRIVATE);
        is_good = is_good && pairs[i].value;
    }
    field->map = (struct sluice_map){pairs, node->count};
    return is_good && pairs;
}

static bool read_field(struct sl_config *config, const struct sl_config_node *node,
                       const struct sluice_option *option, union field *field)
{
    switch (option->type) {
    case SLUICE_SECRET:
        return read_secret(config, node, option, field);
    case SLUICE_STRINGS:
        return read_strings(config, node, option, field);
    case SLUICE_MAP:
        return read_map(config, node, option, field);
    case SLUICE_STRING:
    case SLUICE_TEMPLATE:
    case SLUICE_BOOL:
    case SLUICE_INT:
    case SLUICE_DURATION:
    case SLUICE_SIZE:
    case SLUICE_ENUM:
        return read_text(config, node, option, field);
    case SLUICE_OBJECT:
    case SLUICE_LIST:
        break; /* fill_row's */
    }
    return false;
}

/* The value of the table itself. A text that its own row does not take is our bug. */
static void take_default(struct sl_config *config, const struct sluice_option *option, void *field)
{
    union field value = {0};

    if (option->type == SLUICE_STRINGS) {
        const char **items = sl_config_alloc(config, 2, sizeof(*items));
        if (items) {
            items[0] = option->default_text;
        }
        value.strings = (struct sluice_strings){items ? items : no_items,
                                                items && option->default_text ? 1 : 0};
    } else if (option->default_text) {
        bool is_good = convert(option, option->default_text, &value);
        SL_ASSERT(is_good);
    }
    memcpy(field, &value, sl_config_field_bytes(option->type));
}

static void start_object(struct sl_config *config, const struct sluice_option *table, void *object,
                         const void *base)
{
    for (const struct sluice_option *option = table; option->name; option++) {
        void *field = field_of(option, object);
        if (option->type == SLUICE_OBJECT) {
            start_object(config, option->table, field, base_of(option, base));
        } else if (base) {
            memcpy(field, base_of(option, base), sl_config_field_bytes(option->type));
        } else {
            take_default(config, option, field);
        }
    }
}

static size_t count_known(const struct sluice_option *table, const char *const *known)
{
    size_t count = 0;

    for (; table->name; table++) {
        count++;
    }
    for (; known && *known; known++) {
        count++;
    }
    return count;
}

static bool is_in(const char *word, const char *const *names)
{
    while (*names && strcmp(*names, word) != 0) {
        names++;
    }
    return *names != NULL;
}

static void check_keys(struct sl_config *config, const struct sl_config_node *map,
                       const struct sluice_option *table, const char *const *known)
{
    const char **names = calloc(count_known(table, known) + 1, sizeof(*names));
    size_t count = 0;

    if (!names) {
        config->is_out_of_memory = true;
        config->error_count++;
        return;
    }
    for (; table->name; table++) {
        names[count++] = table->name;
    }
    for (; known && *known; known++) {
        names[count++] = *known;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (!is_in(map->entries[i].key->text, names)) {
            sl_config_error_unknown(config, map->entries[i].key, "key", map->entries[i].key->text,
                                    names);
        }
    }
    free(names);
}

/* Whether a row that is not in the file has a value all the same: not nothing, none or "". */
static bool has_base(const struct sluice_option *option, const void *base)
{
    union field value = {0};

    if (!base) {
        return false;
    }
    memcpy(&value, base_of(option, base), sl_config_field_bytes(option->type));
    switch (option->type) {
    case SLUICE_STRING:
    case SLUICE_TEMPLATE:
    case SLUICE_SECRET:
        return value.text && *value.text;
    case SLUICE_STRINGS:
        return value.strings.count > 0;
    case SLUICE_MAP:
        return value.map.count > 0;
    case SLUICE_LIST:
        return value.list.count > 0;
    case SLUICE_BOOL:
    case SLUICE_INT:
    case SLUICE_DURATION:
    case SLUICE_SIZE:
    case SLUICE_ENUM:
        return value.bytes != 0;
    case SLUICE_OBJECT:
        break; /* its rows speak for themselves */
    }
    return true;
}

/* An object that is being filled, and from what. */
struct filling {
    struct sl_config *config;
    const struct sluice_option *table;
    void *object;
    const void *base;
    bool has_required;
};

static void fill_object(const struct filling *filling, const struct sl_config_node *map,
                        const char *const *known);

/* Rows of an item that its list's object has too take that object's values. */
static void inherit(const struct filling *outer, const struct sluice_option *table, void *item)
{
    for (const struct sluice_option *row = table; row->name; row++) {
        const struct sluice_option *same = outer->table;
        while (same->name && (same->type != row->type || strcmp(same->name, row->name) != 0)) {
            same++;
        }
        if (same->name && row->type != SLUICE_OBJECT && row->type != SLUICE_LIST) {
            memcpy(field_of(row, item), field_of(same, outer->object),
                   sl_config_field_bytes(row->type));
        }
    }
}

static void fill_item(const struct filling *outer, const struct sl_config_node *node,
                      const struct sluice_option *list, void *item)
{
    const struct filling filling = {outer->config, list->table, item, item, outer->has_required};
    union field value = {0};

    start_object(outer->config, list->table, item, NULL);
    inherit(outer, list->table, item);
    if (node->kind == SL_CONFIG_MAP) {
        fill_object(&filling, node, NULL);
    } else if (list->takes_text && node->kind == SL_CONFIG_SCALAR) {
        if (read_field(outer->config, node, list->table, &value)) {
            memcpy(field_of(list->table, item), &value, sl_config_field_bytes(list->table->type));
        }
    } else {
        sl_config_error(outer->config, node, "'%s': expected %sa map, found %s", list->name,
                        list->takes_text ? "text or " : "", sl_config_kind_name(node->kind));
    }
}

static void fill_list(const struct filling *outer, const struct sl_config_node *node,
                      const struct sluice_option *option)
{
    size_t count = node->kind == SL_CONFIG_LIST ? node->count : 1;
    struct sluice_list list = {NULL, count};

    if (node->kind != SL_CONFIG_LIST && !(option->takes_text && node->kind == SL_CONFIG_SCALAR)) {
        refuse(outer->config, node, option, NULL);
        return;
    }
    char *items = sl_config_alloc(outer->config, count, option->item_bytes);
    for (size_t i = 0; i < count && items; i++) {
        fill_item(outer, sl_config_item(node, i), option, items + i * option->item_bytes);
    }
    list.items = items;
    if (items) {
        memcpy(field_of(option, outer->object), &list, sizeof(list));
    }
}

static void fill_row(const struct filling *filling, const struct sl_config_node *node,
                     const struct sluice_option *option)
{
    struct filling inner = *filling;
    union field value = {0};

    if (option->type == SLUICE_LIST) {
        fill_list(filling, node, option);
    } else if (option->type == SLUICE_OBJECT && node->kind == SL_CONFIG_MAP) {
        inner.table = option->table;
        inner.object = field_of(option, filling->object);
        inner.base = base_of(option, filling->base);
        fill_object(&inner, node, NULL);
    } else if (option->type == SLUICE_OBJECT && node->kind != SL_CONFIG_NULL) {
        refuse(filling->config, node, option, NULL);
    } else if (option->type != SLUICE_OBJECT && read_field(filling->config, node, option, &value)) {
        memcpy(field_of(option, filling->object), &value, sl_config_field_bytes(option->type));
    }
}

static void fill_rows(const struct filling *filling, const struct sl_config_node *map, bool lists)
{
    for (const struct sluice_option *option = filling->table; option->name; option++) {
        const struct sl_config_node *node = sl_config_get(map, option->name);
        if ((option->type == SLUICE_LIST) != lists) {
            continue;
        }
        if (node) {
            fill_row(filling, node, option);
        } else if (option->is_required && filling->has_required &&
                   !has_base(option, filling->base)) {
            sl_config_error(filling->config, map, "the key '%s' is missing", option->name);
        }
    }
}

/* Lists come last: their items take values of the other rows. */
static void fill_object(const struct filling *filling, const struct sl_config_node *map,
                        const char *const *known)
{
    check_keys(filling->config, map, filling->table, known);
    fill_rows(filling, map, false);
    fill_rows(filling, map, true);
}

static void fill(struct sl_config *config, const struct sl_config_node *node,
                 const struct sluice_option *table, void *object, const void *base,
                 const char *const *known, bool has_required)
{
    const struct filling filling = {config, table, object, base, has_required};
    struct sl_config_node empty = {.kind = SL_CONFIG_MAP};

    start_object(config, table, object, base);
    if (node && node->kind != SL_CONFIG_MAP && node->kind != SL_CONFIG_NULL) {
        sl_config_error(config, node, "expected a map, found %s", sl_config_kind_name(node->kind));
        return;
    }
    if (!node || node->kind == SL_CONFIG_NULL) {
        empty.line = node ? node->line : 0;
        empty.column = node ? node->column : 0;
        node = &empty;
    }
    fill_object(&filling, node, known);
}

void sl_config_fill(struct sl_config *config, const struct sl_config_node *node,
                    const struct sluice_option *table, void *object, const void *base,
                    const char *const *known)
{
    fill(config, node, table, object, base, known, true);
}

void sl_config_fill_base(struct sl_config *config, const struct sl_config_node *node,
                         const struct sluice_option *table, void *object)
{
    fill(config, node, table, object, NULL, NULL, false);
}

void sl_config_defaults(struct sl_config *config, const struct sluice_option *table, void *object)
{
    start_object(config, table, object, NULL);
}
