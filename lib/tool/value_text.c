#include "tool/value_text.h"

#include "base/utf8.h"
#include "gnmi/wire.h"
#include "normalise/scan.h"
#include "normalise/value.h"

/* What a terminal obeys instead of showing it: controls, and what turns the direction of text
 * (Unicode's bidi formatting), so that a name can be made to look like another. */
static bool is_obeyed(uint32_t rune)
{
    return rune < ' ' || (rune >= 0x7f && rune < 0xa0) || rune == 0x200e || rune == 0x200f ||
           (rune >= 0x2028 && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069);
}

void sl_print_plain(struct sl_buf *out, struct sl_str text)
{
    while (text.len) {
        uint32_t rune = 0;
        size_t len = sl_utf8_decode(text, &rune);
        char byte = text.data[0];
        if (len && !is_obeyed(rune)) {
            sl_buf_add(out, text.data, len);
        } else if (byte == '\n' || byte == '\r' || byte == '\t') {
            sl_buf_add_c(out, byte == '\n' ? "\\n" : byte == '\r' ? "\\r" : "\\t");
        } else {
            for (size_t i = 0; i < (len ? len : 1); i++) {
                sl_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)text.data[i]);
            }
        }
        len = len ? len : 1;
        text = (struct sl_str){text.data + len, text.len - len};
    }
}

static void add_hex(struct sl_buf *out, struct sl_str bytes)
{
    sl_buf_add_c(out, "0x");
    for (size_t i = 0; i < bytes.len; i++) {
        sl_buf_printf(out, "%02x", (unsigned)(unsigned char)bytes.data[i]);
    }
}

static void add_any(struct sl_buf *out, struct sl_str any)
{
    struct sl_gnmi_any parts = sl_gnmi_any_of(any);
    sl_print_plain(out, parts.type_url);
    sl_buf_add_byte(out, ' ');
    add_hex(out, parts.value);
}

void sl_print_json_value(struct sl_buf *out, struct sl_str json)
{
    struct sl_buf text = {0};
    bool is_string = json.len && json.data[0] == '"';

    if (is_string) {
        struct sl_scan scan = {.at = json.data, .end = json.data + json.len};
        is_string = sl_scan_string(&scan, &text, false) && scan.at == scan.end;
    }
    sl_print_plain(out, is_string ? sl_buf_str(&text) : json);
    out->failed = out->failed || text.failed;
    sl_buf_fini(&text);
}

static bool is_text(const struct sl_gnmi_value *value)
{
    return value->kind == SL_GNMI_VALUE_STRING || value->kind == SL_GNMI_VALUE_ASCII;
}

/* Recursive by as many levels as sl_gnmi_response_read allows. */
static void add_list(struct sl_buf *out, struct sl_str elements)
{
    struct sl_gnmi_value value;

    sl_buf_add_byte(out, '[');
    for (bool is_first = true; sl_gnmi_next_element(&elements, &value); is_first = false) {
        sl_buf_add_c(out, is_first ? "" : ", ");
        sl_buf_add_c(out, is_text(&value) ? "\"" : "");
        sl_print_value(out, &value);
        sl_buf_add_c(out, is_text(&value) ? "\"" : "");
    }
    sl_buf_add_byte(out, ']');
}

void sl_print_value(struct sl_buf *out, const struct sl_gnmi_value *value)
{
    switch (value->kind) {
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_ASCII:
        sl_print_plain(out, value->of.bytes);
        break;
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_PROTO_BYTES:
        add_hex(out, value->of.bytes);
        break;
    case SL_GNMI_VALUE_LEAFLIST:
        add_list(out, value->of.bytes);
        break;
    case SL_GNMI_VALUE_ANY:
        add_any(out, value->of.bytes);
        break;
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
        sl_print_json_value(out, value->of.bytes);
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

void sl_print_leaves(const struct sl_gnmi_value *value, struct sl_json *json, struct sl_buf *text,
                     sl_print_leaf_fn each, void *arg)
{
    bool is_json = value->kind == SL_GNMI_VALUE_JSON || value->kind == SL_GNMI_VALUE_JSON_IETF;
    bool is_taken_apart = is_json && value->of.bytes.len &&
                          sl_json_flatten_all(json, value->of.bytes) == SL_JSON_LEAVES &&
                          sl_json_leaf_count(json) > 0;

    if (!is_taken_apart) {
        sl_buf_reset(text);
        sl_print_value(text, value);
        each((struct sl_str){0}, sl_buf_str(text), arg);
        return;
    }
    for (size_t i = 0; i < sl_json_leaf_count(json); i++) {
        struct sl_json_leaf leaf = sl_json_leaf(json, i);
        sl_buf_reset(text);
        sl_print_json_value(text, leaf.value);
        each(leaf.name, sl_buf_str(text), arg);
    }
}
