/* rule_text.h - what goes into rules and what comes out, as text for a person and for examples.
 *
 *     /interfaces/interface[name=e1]/state/mtu {media=copper} uint 9000
 *     /interfaces/interface[name=e1]/state/name string "e\"1"
 *     /system/state/load decimal 0.25
 *
 * The path is its canonical text (gnmi/path_print.h) and its labels; a value its type and what it
 * is: text as JSON has it, bytes as base64, a leaf-list in brackets. A line holds no character that
 * is none for a terminal.
 */
#ifndef SLUICE_NORMALISE_RULE_TEXT_H
#define SLUICE_NORMALISE_RULE_TEXT_H

#include "base/buf.h"
#include "base/str.h"
#include "gnmi/response.h"

/* Appends the path behind its prefix (bytes of Paths). */
void sl_rule_text_add_path(struct sl_buf *out, struct sl_str prefix, struct sl_str path);

void sl_rule_text_add_value(struct sl_buf *out, const struct sl_gnmi_value *value);

#endif
