/* piece.h - a response taken apart: each update and each delete as a response of its own, for
 * records of one update.
 *
 * Deletes come first: within one notification they happen before the updates
 * (gnmi-specification.md 3.5.2.3), and between records order is all there is. The extensions of the
 * message are with the first piece. A notification that is atomic stays whole.
 */
#ifndef SLUICE_NORMALISE_PIECE_H
#define SLUICE_NORMALISE_PIECE_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/encoder.h"

/* Whether it has more than one piece. */
bool sl_piece_has_several(const struct sl_gnmi_response *response);

/* The piece where `progress` stands (has_deleted, at; in a list passed), made in `out`, which it
 * points into: one update or delete, or as many of one of the two as `progress` says. One must be
 * left.  False when memory is out. */
bool sl_piece_next(const struct sl_gnmi_response *response, struct sl_encoder_progress *progress,
                   struct sl_buf *out, struct sl_gnmi_response *piece) SL_MUST_CHECK;

#endif
