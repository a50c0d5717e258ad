/* event.h - the event formats: gnmic's JSON array, one event for each update and each delete; and
 * event-split (gnmic's split-events), where each is a record of its own. The events are the same,
 * but for < > &, which are \u003c \u003e \u0026 in the latter. */
#ifndef SLUICE_NORMALISE_EVENT_H
#define SLUICE_NORMALISE_EVENT_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/encoder.h"
#include "normalise/fragment.h"
#include "normalise/intern.h"
#include "normalise/scratch.h"

struct sl_event {
    struct sl_fragment_meta meta;
    struct sl_buf name; /* what every event begins with: {"name":"sub1", */
    struct sl_buf head; /* ... and with the timestamp of the notification under way */
    bool is_split;
    bool is_float64;
    const struct sluice_strings *json_keys; /* NULL: items of arrays are counted */
    struct sl_encoder_scratch *scratch;
    struct sl_intern intern;
};

/* The strings of `config` outlive it. False when memory is out; fini is due in either case. */
bool sl_event_init(struct sl_event *event, const struct sl_encoder_config *config) SL_MUST_CHECK;
void sl_event_fini(struct sl_event *event);

/* As sl_encoder_encode. */
bool sl_event_encode(struct sl_event *event, const struct sl_gnmi_response *response,
                     struct sl_buf *out, struct sl_encoded *encoded) SL_MUST_CHECK;

/* As sl_encoder_next; event-split. */
bool sl_event_next(struct sl_event *event, const struct sl_gnmi_response *response,
                   struct sl_encoder_progress *progress, struct sl_buf *out,
                   struct sl_encoded *encoded) SL_MUST_CHECK;

#endif
