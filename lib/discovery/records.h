/* records.h - targets that came one by one, by their names, and as one document.
 *
 * Pure. What is taken is bounded by the bytes of the document that it makes.
 */
#ifndef SLUICE_DISCOVERY_RECORDS_H
#define SLUICE_DISCOVERY_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

struct sl_records;

/* NULL when memory is out. */
struct sl_records *sl_records_new(uint64_t max_bytes) SL_MUST_CHECK;
void sl_records_free(struct sl_records *records); /* NULL is nothing */

/* `value` is what is said of the target `key`, a map as YAML or JSON; NULL takes it away. False: it
 * is no target, or too much (`why`, with the key): what was known under the key stays, and the key
 * is wrong until something good is said of it, or nothing. */
bool sl_records_take(struct sl_records *records, struct sl_str key, const struct sl_str *value,
                     struct sl_status *why) SL_MUST_CHECK;

/* How many keys are wrong; one that is too long or empty, or finds no room, is not among them. */
size_t sl_records_wrong(const struct sl_records *records);

/* All of them as a map in JSON, a line each, in the order of their names. */
void sl_records_print(const struct sl_records *records, struct sl_buf *out);

#endif
