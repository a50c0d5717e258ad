/* value.h - one TypedValue as JSON text: any arm but the JSON ones, which may be many values. */
#ifndef SLUICE_NORMALISE_VALUE_H
#define SLUICE_NORMALISE_VALUE_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/json.h"

/* Appends the value. False when the format cannot carry it: NaN, an infinity, or (in a leaf-list)
 * broken JSON; then some of it may have been appended. `json` is working memory, and says whether
 * decimals and the numbers in JSON go through a double. */
bool sl_value_add(struct sl_buf *buf, struct sl_json *json,
                  const struct sl_gnmi_value *value) SL_MUST_CHECK;

/* The same as gnmic's format json has it: JSON keeps its shape and its nulls, a decimal and a
 * leaf-list look as Go prints their structs, and no value is null. */
bool sl_value_add_whole(struct sl_buf *buf, struct sl_json *json,
                        const struct sl_gnmi_value *value) SL_MUST_CHECK;

/* A number or a truth for a person, who also reads NaN, Infinity and -Infinity. False, with nothing
 * appended, when the value is neither. */
bool sl_value_add_plain(struct sl_buf *out, const struct sl_gnmi_value *value) SL_MUST_CHECK;

#endif
