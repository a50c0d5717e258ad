/* utf8.h - characters as UTF-8 (RFC 3629): the shortest form alone, no surrogates. */
#ifndef SLUICE_BASE_UTF8_H
#define SLUICE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* The bytes of the UTF-8 sequence that `text` begins with, 0 when it is none; `text` is not empty.
 */
size_t sl_utf8_decode(struct sl_str text, uint32_t *rune);

bool sl_utf8_is_valid(struct sl_str text);

/* Appends one character. */
void sl_utf8_add(struct sl_buf *buf, uint32_t rune);

#endif
