/* telegraf_value.h - values as Telegraf's formats write them.
 *
 * The rules are those of its inputs.gnmi: four bytes are a float (big-endian), other bytes base64;
 * a leaf-list of scalars and JSON becomes null, another is no field; there is nothing for an Any.
 * The line protocol has no unsigned integers (larger ones become the largest signed one), and no
 * exponents.
 */
#ifndef SLUICE_NORMALISE_TELEGRAF_VALUE_H
#define SLUICE_NORMALISE_TELEGRAF_VALUE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "gnmi/response.h"
#include "normalise/json.h"

struct sl_telegraf_form {
    struct sl_buf *text;  /* where values go */
    struct sl_json *json; /* its working memory */
    bool is_influx;
    bool is_float64; /* decimals go through a float, as in Telegraf */
};

enum sl_telegraf_kind {
    SL_TELEGRAF_TEXT,  /* what stands in the record */
    SL_TELEGRAF_NULL,  /* JSON: null; influx: nothing */
    SL_TELEGRAF_NONE,  /* a field, but nothing in the record: NaN, infinities */
    SL_TELEGRAF_ERROR, /* no field */
};

/* Appends a value that is not JSON. */
enum sl_telegraf_kind sl_telegraf_add_value(const struct sl_telegraf_form *form,
                                            const struct sl_gnmi_value *value);

/* Appends a leaf of JSON: its text, as JSON has it. */
enum sl_telegraf_kind sl_telegraf_add_leaf(const struct sl_telegraf_form *form, struct sl_str text);

#endif
