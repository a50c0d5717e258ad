/* text.h - bytes as text in JSON, the way Go's encoding/json writes them without HTML escaping,
 * since consumers of gnmic's format have seen exactly that: short escapes where there are, U+2028
 * and U+2029 escaped, and each byte that is not UTF-8 replaced by U+FFFD.
 */
#ifndef SLUICE_NORMALISE_TEXT_H
#define SLUICE_NORMALISE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { SL_TEXT_REPLACEMENT = 0xfffd };

/* Appends one character as it stands inside a JSON string. */
void sl_text_add_escaped_rune(struct sl_buf *buf, uint32_t rune);

/* Appends what stands inside the quotes of a JSON string; with the quotes; and bytes as base64. */
void sl_text_add_escaped(struct sl_buf *buf, struct sl_str text);
void sl_text_add_quoted(struct sl_buf *buf, struct sl_str text);
void sl_text_add_base64(struct sl_buf *buf, struct sl_str bytes);

/* As sl_text_add_escaped, but for U+2028 and U+2029, which stay: as protobuf's JSON has it. */
void sl_text_add_escaped_least(struct sl_buf *buf, struct sl_str text);

/* What encoding/json escapes for HTML, < > and &, in the finished JSON from `start` on: they stand
 * in strings alone. */
void sl_text_escape_html(struct sl_buf *buf, size_t start);

/* How many bytes at the front of `text` stand for themselves in a JSON string and are ASCII. */
size_t sl_text_plain_len(struct sl_str text);

#endif
