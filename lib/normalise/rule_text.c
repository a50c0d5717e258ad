#include "normalise/rule_text.h"

#include "gnmi/path_print.h"
#include "normalise/text.h"
#include "normalise/value.h"

static const char *type_name(enum sl_gnmi_value_kind kind)
{
    switch (kind) {
    case SL_GNMI_VALUE_NONE:
        return "none";
    case SL_GNMI_VALUE_STRING:
        return "string";
    case SL_GNMI_VALUE_INT:
        return "int";
    case SL_GNMI_VALUE_UINT:
        return "uint";
    case SL_GNMI_VALUE_BOOL:
        return "bool";
    case SL_GNMI_VALUE_BYTES:
        return "bytes";
    case SL_GNMI_VALUE_FLOAT:
        return "float";
    case SL_GNMI_VALUE_DOUBLE:
        return "double";
    case SL_GNMI_VALUE_DECIMAL:
        return "decimal";
    case SL_GNMI_VALUE_LEAFLIST:
        return "leaflist";
    case SL_GNMI_VALUE_ANY:
        return "any";
    case SL_GNMI_VALUE_JSON:
        return "json";
    case SL_GNMI_VALUE_JSON_IETF:
        return "json_ietf";
    case SL_GNMI_VALUE_ASCII:
        return "ascii";
    case SL_GNMI_VALUE_PROTO_BYTES:
        return "proto_bytes";
    }
    return "none";
}

/* What would move a terminal's cursor, or worse, becomes a blank. */
static void add_printable(struct sl_buf *out, struct sl_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        sl_buf_add_byte(out, byte < ' ' || byte == 0x7f ? ' ' : text.data[i]);
    }
}

/* A C1 control is two bytes of UTF-8, the second below 0xa0. */
static void drop_controls(struct sl_buf *out, size_t from)
{
    for (size_t i = from; !out->failed && i + 1 < out->len; i++) {
        if ((unsigned char)out->data[i] == 0xc2 && (unsigned char)out->data[i + 1] < 0xa0) {
            out->data[i] = out->data[i + 1] = '.';
        }
    }
    for (size_t i = from; !out->failed && i < out->len; i++) {
        if ((unsigned char)out->data[i] < ' ' || out->data[i] == 0x7f) {
            out->data[i] = '.';
        }
    }
}

static void add_bare(struct sl_buf *out, const struct sl_gnmi_value *value);

/* Lists in lists are recursive with the depth that sl_gnmi_check allows. */
static void add_list(struct sl_buf *out, struct sl_str elements)
{
    struct sl_gnmi_value element;
    const char *parting = "";

    sl_buf_add_byte(out, '[');
    while (sl_gnmi_next_element(&elements, &element)) {
        sl_buf_add_c(out, parting);
        add_bare(out, &element);
        parting = ", ";
    }
    sl_buf_add_byte(out, ']');
}

static void add_bare(struct sl_buf *out, const struct sl_gnmi_value *value)
{
    switch (value->kind) {
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_ASCII:
        sl_text_add_quoted(out, value->of.bytes);
        break;
    case SL_GNMI_VALUE_LEAFLIST:
        add_list(out, value->of.bytes);
        break;
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
        add_printable(out, value->of.bytes);
        break;
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_PROTO_BYTES:
        sl_text_add_base64(out, value->of.bytes);
        break;
    case SL_GNMI_VALUE_NONE:
    case SL_GNMI_VALUE_INT:
    case SL_GNMI_VALUE_UINT:
    case SL_GNMI_VALUE_BOOL:
    case SL_GNMI_VALUE_FLOAT:
    case SL_GNMI_VALUE_DOUBLE:
    case SL_GNMI_VALUE_DECIMAL:
        (void)!sl_value_add_plain(out, value); /* or there is none */
        break;
    }
}

void sl_rule_text_add_value(struct sl_buf *out, const struct sl_gnmi_value *value)
{
    size_t start = out->len;

    sl_buf_add_c(out, type_name(value->kind));
    if (value->kind != SL_GNMI_VALUE_NONE) {
        sl_buf_add_byte(out, ' ');
        add_bare(out, value);
    }
    drop_controls(out, start);
}

void sl_rule_text_add_path(struct sl_buf *out, struct sl_str prefix, struct sl_str path)
{
    size_t start = out->len;
    struct sl_gnmi_path read;
    struct sl_gnmi_key label;
    const char *parting = " {";

    if (!sl_gnmi_path_print(prefix, path, out)) {
        out->len = start;
        sl_buf_add_c(out, "(a path beyond the limits)");
    }
    sl_gnmi_path_read(path, &read);
    while (sl_gnmi_path_next_label(&read, &label)) {
        sl_buf_add_c(out, parting);
        sl_gnmi_print_word(out, label.name);
        sl_buf_add_byte(out, '=');
        sl_gnmi_print_word(out, label.value);
        parting = ", ";
    }
    sl_buf_add_c(out, *parting == ',' ? "}" : "");
    drop_controls(out, start);
}
