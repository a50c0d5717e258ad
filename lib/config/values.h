/* values.h - durations, sizes and numbers as a user writes them, and back.
 *
 * Pure. The parsers take the whole text or nothing; what does not fit in the type is refused.
 */
#ifndef SLUICE_CONFIG_VALUES_H
#define SLUICE_CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

bool sl_config_to_int(struct sl_str text, int64_t *value) SL_MUST_CHECK;

/* "1h30m", "10s", "500ms", "0": whole numbers with h, m, s, ms, us, ns, the larger unit first. */
bool sl_config_to_duration(struct sl_str text, int64_t *ns) SL_MUST_CHECK;

/* "512", "64KiB", "16MiB", "2GiB", "1TiB". At most INT64_MAX. */
bool sl_config_to_size(struct sl_str text, uint64_t *bytes) SL_MUST_CHECK;

/* The shortest text that the parsers take for the value. `ns` is not negative. */
void sl_config_add_duration(struct sl_buf *out, int64_t ns);
void sl_config_add_size(struct sl_buf *out, uint64_t bytes);

#endif
