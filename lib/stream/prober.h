/* prober.h - a request that the device refuses for a path of it: which one, and without it.
 *
 * When a Subscribe call was refused twice in a row, before any data, with a status that may be
 * about a path, and asks for more than one, parts of the request are tried (bisect.h), each in a
 * call of its own that is cancelled as soon as anything comes of it. The paths that are refused
 * alone go into quarantine (quarantine.h), and the stream subscribes without them. When they are
 * due they are tried again beside the stream; those that are accepted then come back, for which the
 * stream subscribes anew. Where no path is accepted it is not the paths that the device refuses,
 * and the stream goes on as with any other failure. So it does where each path is accepted and only
 * all together are not; when that was found twice in a row the device seems to bear fewer paths in
 * an RPC, and the later half of them goes into quarantine.
 *
 * A device is asked so SL_STREAM_TRIALS times at once, then once each SL_STREAM_TRIAL_S seconds.
 *
 * A request for a single path has no part that could be kept: it is not put into quarantine, the
 * stream waits and tries again by itself.
 *
 * Internal to the stream; loop thread only.
 */
#ifndef SLUICE_STREAM_PROBER_H
#define SLUICE_STREAM_PROBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"

struct sl_prober;
struct sl_stream;

/* Whether the status of a call that gave no data may be about a path that it asked for. */
bool sl_prober_is_refusal(const struct sl_status *status);

/* The stream's call has ended, with data or without. */
void sl_prober_note_end(struct sl_stream *stream, const struct sl_status *status, bool had_data);

/* It is not known yet what the stream may ask for: it does not subscribe. */
bool sl_prober_is_searching(const struct sl_stream *stream);

/* A byte for each path that the stream asks for, 0: it is in quarantine; NULL: none is. */
const uint8_t *sl_prober_asked(const struct sl_stream *stream);

/* There is a session to ask on, or the last one is gone. */
void sl_prober_session_changed(struct sl_stream *stream);

bool sl_prober_has_call(const struct sl_prober *prober); /* of its own */

/* Ends a call of its own and makes no more. */
void sl_prober_stop(struct sl_stream *stream);
void sl_prober_free(struct sl_prober *prober); /* NULL is nothing; no call may be open */

/* How many paths of the member are in quarantine; the first `room` of them in `paths`. */
uint32_t sl_prober_quarantined(const struct sl_prober *prober, const struct sl_stream *stream,
                               size_t member, const char **paths, size_t room);

#endif
