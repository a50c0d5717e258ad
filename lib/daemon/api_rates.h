/* api_rates.h - updates a second of each stream, between two looks of whoever asks for rows.
 *
 * A stream counts, and nobody keeps its rate: what was counted at the last look is kept here, 24
 * bytes for each stream, from the first request that wants to know. Looks that follow each other
 * in less than a second get the rates of the one before. On the listener's thread.
 */
#ifndef SLUICE_DAEMON_API_RATES_H
#define SLUICE_DAEMON_API_RATES_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct sl_api_stream;
struct sl_api_mark;

/* Zeroed storage has seen nothing. */
struct sl_api_rates {
    struct sl_api_mark *marks; /* by the hash of the stream's id */
    size_t count;
    int64_t at_ns;
};

void sl_api_rates_fini(struct sl_api_rates *rates);

/* Fills `received_per_s` of each: NAN where it is not known, as at the first look, after a minute
 * without one, of a stream that began anew, or when memory is out. `now_ns` only grows. */
void sl_api_rates_look(struct sl_api_rates *rates, struct sl_api_stream *streams, size_t count,
                       int64_t now_ns);

#endif
