/* From libyaml's events to nodes. What is open stands in `frames`, so that nothing recurses; an
 * alias is the node that it names, which is complete by then, so that nothing is circular. */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config/document.h"

struct frame {
    const struct sl_config_node **items; /* of a map: key, value, key, value */
    size_t count;
    size_t cap;
    uint32_t weight;
    uint32_t line;
    uint32_t column;
    const char *anchor; /* NULL: none */
    bool is_map;
};

struct anchor {
    const char *name;
    const struct sl_config_node *node;
};

struct builder {
    struct sl_config *config;
    struct sl_str text;
    struct frame frames[SL_CONFIG_MAX_DEPTH];
    size_t depth;
    struct anchor anchors[SL_CONFIG_MAX_ANCHORS];
    size_t anchor_count;
    uint32_t values;
    bool has_document;
    bool is_done; /* with or without an error */
};

static void give_up(struct builder *builder)
{
    builder->is_done = true;
}

static void fail_at(struct builder *builder, yaml_mark_t mark, const char *what)
{
    sl_config_error_at(builder->config, mark.line + 1, mark.column + 1, "%s", what);
    give_up(builder);
}

static void fail_memory(struct builder *builder)
{
    builder->config->is_out_of_memory = true;
    builder->config->error_count++;
    give_up(builder);
}

/* Counts what a walk over the document meets; false when that is too much. */
static bool count_values(struct builder *builder, uint32_t weight, yaml_mark_t mark)
{
    if (weight > SL_CONFIG_MAX_VALUES - builder->values) {
        sl_config_error_at(builder->config, mark.line + 1, mark.column + 1,
                           "more than %d values with all aliases written out",
                           SL_CONFIG_MAX_VALUES);
        give_up(builder);
        return false;
    }
    builder->values += weight;
    return true;
}

static bool grow_frame(struct frame *frame)
{
    size_t cap = frame->cap ? frame->cap * 2 : 8;
    const struct sl_config_node **items =
        realloc((void *)frame->items, cap * sizeof(*frame->items));

    if (items) {
        frame->items = items;
        frame->cap = cap;
    }
    return items != NULL;
}

/* Puts a complete node where the next one belongs. */
static void place_node(struct builder *builder, const struct sl_config_node *node)
{
    if (!builder->depth) {
        builder->config->root = node;
        return;
    }
    struct frame *frame = &builder->frames[builder->depth - 1];
    if (frame->count == frame->cap && !grow_frame(frame)) {
        fail_memory(builder);
        return;
    }
    frame->items[frame->count++] = node;
    frame->weight += node->weight;
}

static void add_anchor(struct builder *builder, const char *name, const struct sl_config_node *node)
{
    if (!name) {
        return;
    }
    if (builder->anchor_count == SL_CONFIG_MAX_ANCHORS) {
        sl_config_error(builder->config, node, "more than %d anchors", SL_CONFIG_MAX_ANCHORS);
        give_up(builder);
        return;
    }
    builder->anchors[builder->anchor_count++] = (struct anchor){name, node};
}

static const struct sl_config_node *find_anchor(const struct builder *builder, const char *name)
{
    for (size_t i = builder->anchor_count; i > 0; i--) {
        if (strcmp(builder->anchors[i - 1].name, name) == 0) {
            return builder->anchors[i - 1].node;
        }
    }
    return NULL;
}

/* A copy of an anchor's name; NULL when there is none. */
static const char *keep_anchor(struct builder *builder, const yaml_char_t *anchor)
{
    if (!anchor) {
        return NULL;
    }
    const char *name = sl_config_copy(builder->config, sl_str_from((const char *)anchor));
    if (!name) {
        give_up(builder);
    }
    return name;
}

static bool is_null_text(const char *text)
{
    return !*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
           strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0;
}

static void on_scalar(struct builder *builder, const yaml_event_t *event)
{
    struct sl_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    struct sl_config_node *node = sl_config_alloc(builder->config, 1, sizeof(*node));
    const char *copy = sl_config_copy(builder->config, text);

    if (!node || !copy) {
        give_up(builder);
        return;
    }
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    *node = (struct sl_config_node){.kind = is_plain && is_null_text(copy) ? SL_CONFIG_NULL
                                                                           : SL_CONFIG_SCALAR,
                                    .is_plain = is_plain,
                                    .line = (uint32_t)event->start_mark.line + 1,
                                    .column = (uint32_t)event->start_mark.column + 1,
                                    .weight = 1,
                                    .text = copy};
    if (strlen(copy) != text.len) {
        sl_config_error(builder->config, node, "a NUL byte in a text");
    }
    if (event->data.scalar.tag) {
        sl_config_error(builder->config, node,
                        "a YAML tag, which nothing here takes; quote a text that begins with '!'");
    }
    add_anchor(builder, keep_anchor(builder, event->data.scalar.anchor), node);
    place_node(builder, node);
}

static void on_alias(struct builder *builder, const yaml_event_t *event)
{
    const struct sl_config_node *node =
        find_anchor(builder, (const char *)event->data.alias.anchor);

    if (!node) {
        fail_at(builder, event->start_mark,
                "an alias of an anchor that is not there; quote a text that begins with '*'");
    } else if (count_values(builder, node->weight, event->start_mark)) {
        place_node(builder, node);
    }
}

static void open_frame(struct builder *builder, const yaml_event_t *event, bool is_map,
                       const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (tag) {
        sl_config_error_at(builder->config, event->start_mark.line + 1,
                           event->start_mark.column + 1, "a YAML tag, which nothing here takes");
    }
    if (builder->depth == SL_CONFIG_MAX_DEPTH) {
        sl_config_error_at(builder->config, event->start_mark.line + 1,
                           event->start_mark.column + 1,
                           "more than %d lists and maps in each other", SL_CONFIG_MAX_DEPTH);
        give_up(builder);
        return;
    }
    builder->frames[builder->depth++] =
        (struct frame){.is_map = is_map,
                       .weight = 1,
                       .line = (uint32_t)event->start_mark.line + 1,
                       .column = (uint32_t)event->start_mark.column + 1,
                       .anchor = keep_anchor(builder, anchor)};
}

static bool fill_list(struct sl_config *config, const struct frame *frame,
                      struct sl_config_node *list)
{
    const struct sl_config_node **items = sl_config_alloc(config, frame->count, sizeof(*items));

    if (!items) {
        return false;
    }
    for (size_t i = 0; i < frame->count; i++) {
        items[i] = frame->items[i];
    }
    list->items = items;
    list->count = (uint32_t)frame->count;
    return true;
}

static void close_frame(struct builder *builder)
{
    struct frame *frame = &builder->frames[--builder->depth];
    struct sl_config_node *node = sl_config_alloc(builder->config, 1, sizeof(*node));
    bool is_filled = false;

    if (node) {
        *node = (struct sl_config_node){.kind = frame->is_map ? SL_CONFIG_MAP : SL_CONFIG_LIST,
                                        .line = frame->line,
                                        .column = frame->column,
                                        .weight = frame->weight};
        is_filled = frame->is_map
                        ? sl_config_build_map(builder->config, frame->items, frame->count, node)
                        : fill_list(builder->config, frame, node);
    }
    free((void *)frame->items);
    if (is_filled) {
        add_anchor(builder, frame->anchor, node);
        place_node(builder, node);
    } else {
        fail_memory(builder);
    }
}

static void on_document(struct builder *builder, const yaml_event_t *event)
{
    if (builder->has_document) {
        fail_at(builder, event->start_mark, "a second YAML document; a file has one");
    }
    builder->has_document = true;
}

static void on_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        on_document(builder, event);
        break;
    case YAML_SCALAR_EVENT:
        if (count_values(builder, 1, event->start_mark)) {
            on_scalar(builder, event);
        }
        break;
    case YAML_ALIAS_EVENT:
        on_alias(builder, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        if (count_values(builder, 1, event->start_mark)) {
            open_frame(builder, event, false, event->data.sequence_start.anchor,
                       event->data.sequence_start.tag);
        }
        break;
    case YAML_MAPPING_START_EVENT:
        if (count_values(builder, 1, event->start_mark)) {
            open_frame(builder, event, true, event->data.mapping_start.anchor,
                       event->data.mapping_start.tag);
        }
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_frame(builder);
        break;
    case YAML_STREAM_END_EVENT:
        give_up(builder);
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

/* The place of a byte; columns count characters of UTF-8. */
static yaml_mark_t mark_of_byte(struct sl_str text, size_t offset)
{
    yaml_mark_t mark = {0};

    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.data[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)text.data[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

/* Whether a tab stands among the blanks that the line (from 0) begins with. */
static bool is_indented_by_tab(struct sl_str text, size_t line)
{
    size_t at = 0;

    for (; at < text.len && line; at++) {
        line -= text.data[at] == '\n';
    }
    while (at < text.len && text.data[at] == ' ') {
        at++;
    }
    return at < text.len && text.data[at] == '\t';
}

static void on_yaml_error(struct builder *builder, const yaml_parser_t *parser)
{
    yaml_mark_t mark = parser->problem_mark;
    const char *problem = parser->problem ? parser->problem : "not YAML";

    if (parser->error == YAML_MEMORY_ERROR) {
        fail_memory(builder);
    } else if (parser->error == YAML_READER_ERROR) {
        fail_at(builder, mark_of_byte(builder->text, parser->problem_offset), problem);
    } else if (is_indented_by_tab(builder->text, mark.line)) {
        fail_at(builder, mark, "a tab in the indentation, which YAML wants to be blanks");
    } else if (parser->context && parser->context_mark.line != mark.line) {
        sl_config_error_at(builder->config, mark.line + 1, mark.column + 1,
                           "%s %s that begins at line %zu, column %zu", problem, parser->context,
                           parser->context_mark.line + 1, parser->context_mark.column + 1);
    } else if (parser->context) {
        sl_config_error_at(builder->config, mark.line + 1, mark.column + 1, "%s %s", problem,
                           parser->context);
    } else {
        fail_at(builder, mark, problem);
    }
    give_up(builder);
}

static void run_parser(struct builder *builder, yaml_parser_t *parser)
{
    yaml_event_t event;

    while (!builder->is_done) {
        if (yaml_parser_parse(parser, &event)) {
            on_event(builder, &event);
            yaml_event_delete(&event);
        } else {
            on_yaml_error(builder, parser);
        }
    }
}

/* After an error of the YAML itself there is no document: half of one would only give errors that
 * are none. */
static void finish(struct builder *builder)
{
    struct sl_config *config = builder->config;

    for (; builder->depth; builder->depth--) {
        free((void *)builder->frames[builder->depth - 1].items);
        config->root = NULL;
    }
    if (!config->root && !config->error_count) {
        sl_config_error_at(config, 1, 1, "the file is empty");
    }
}

void sl_config_load(struct sl_config *config, struct sl_str text)
{
    struct builder *builder = NULL;
    yaml_parser_t parser;

    if (text.len > SL_CONFIG_MAX_BYTES) {
        sl_config_error(config, NULL, "longer than %d bytes", SL_CONFIG_MAX_BYTES);
        return;
    }
    builder = calloc(1, sizeof(*builder));
    if (!builder || !yaml_parser_initialize(&parser)) {
        free(builder);
        config->is_out_of_memory = true;
        config->error_count++;
        return;
    }
    builder->config = config;
    builder->text = text;
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.data ? text.data : ""),
                                 text.len);
    run_parser(builder, &parser);
    finish(builder);
    yaml_parser_delete(&parser);
    free(builder);
}
