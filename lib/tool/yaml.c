#include "tool/yaml.h"

#include "normalise/scan.h"
#include "normalise/text.h"

/* The whole of it. */
static bool is_number(struct sl_str text)
{
    struct sl_scan scan = {.at = text.data, .end = text.data + text.len};
    struct sl_str digits;

    return text.len && sl_scan_digits(&scan, &digits) && scan.at == scan.end;
}

static void add_scalar(struct sl_buf *out, const struct sl_config_node *node)
{
    bool is_plain;
    struct sl_str text = sl_config_raw(node, &is_plain);

    if (is_plain && (is_number(text) || sl_str_eq_c(text, "true") || sl_str_eq_c(text, "false"))) {
        sl_buf_add_str(out, text);
    } else {
        sl_text_add_quoted(out, text);
    }
}

static void add_node(struct sl_buf *out, const struct sl_config_node *node);

static void add_list(struct sl_buf *out, const struct sl_config_node *list)
{
    sl_buf_add_byte(out, '[');
    for (size_t i = 0; i < sl_config_count(list); i++) {
        sl_buf_add_c(out, i ? "," : "");
        add_node(out, sl_config_at(list, i));
    }
    sl_buf_add_byte(out, ']');
}

static void add_map(struct sl_buf *out, const struct sl_config_node *map)
{
    sl_buf_add_byte(out, '{');
    for (size_t i = 0; i < sl_config_count(map); i++) {
        sl_buf_add_c(out, i ? "," : "");
        sl_text_add_quoted(out, sl_str_from(sl_config_key(map, i)));
        sl_buf_add_byte(out, ':');
        add_node(out, sl_config_at(map, i));
    }
    sl_buf_add_byte(out, '}');
}

/* Recursive, to SL_CONFIG_MAX_DEPTH. */
static void add_node(struct sl_buf *out, const struct sl_config_node *node)
{
    switch (node ? sl_config_kind(node) : SL_CONFIG_NULL) {
    case SL_CONFIG_NULL:
        sl_buf_add_c(out, "null");
        break;
    case SL_CONFIG_SCALAR:
        add_scalar(out, node);
        break;
    case SL_CONFIG_LIST:
        add_list(out, node);
        break;
    case SL_CONFIG_MAP:
        add_map(out, node);
        break;
    }
}

bool sl_yaml_add_json(struct sl_buf *out, const struct sl_config_node *node)
{
    add_node(out, node);
    return !out->failed;
}
