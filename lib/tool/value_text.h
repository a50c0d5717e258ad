/* value_text.h - a value for a person: on one line, and no byte of it can steer a terminal. */
#ifndef SLUICE_TOOL_VALUE_TEXT_H
#define SLUICE_TOOL_VALUE_TEXT_H

#include "base/buf.h"
#include "base/str.h"
#include "gnmi/response.h"
#include "normalise/json.h"

/* Appends text of a device: what is no UTF-8, a control, or turns the direction of text becomes \n,
 * \r, \t or \xNN, byte by byte. */
void sl_print_plain(struct sl_buf *out, struct sl_str text);

/* Appends a value as it came: text without quotes, numbers digit by digit, bytes as 0x…, a
 * leaf-list as [a, b] with its texts in quotes, an Any as its type and bytes. Of JSON what stands
 * there, but a string without its quotes. No value: nothing. */
void sl_print_value(struct sl_buf *out, const struct sl_gnmi_value *value);

/* One JSON value as sl_json has it. */
void sl_print_json_value(struct sl_buf *out, struct sl_str json);

/* A line "PATH: VALUE" for the value, or one for each leaf of JSON: `each` gets the leaf's name
 * ("" of the whole, else "/a/b", "/list/0/x") and its text. `json` is working memory. */
typedef void (*sl_print_leaf_fn)(struct sl_str name, struct sl_str text, void *arg);
void sl_print_leaves(const struct sl_gnmi_value *value, struct sl_json *json, struct sl_buf *text,
                     sl_print_leaf_fn each, void *arg);

#endif
