/* scratch.h - the working memory of encoders: one for all that share a `sl_encoder_memory`.
 *
 * An encoder needs it only while it encodes one response, and leaves nothing in it that the next
 * could want. So what a device can make it grow to exists once for each worker, not once for each
 * stream.
 */
#ifndef SLUICE_NORMALISE_SCRATCH_H
#define SLUICE_NORMALISE_SCRATCH_H

#include "base/base.h"
#include "normalise/encoder.h"
#include "normalise/fragment.h"
#include "normalise/json.h"
#include "normalise/json_keyed.h"
#include "normalise/record_json.h"
#include "normalise/record_path.h"
#include "normalise/rules_internal.h"
#include "normalise/telegraf_path.h"

struct sl_encoder_scratch {
    struct sl_fragment_builder builder; /* event; gnmic-json: its text alone */
    struct sl_json json;
    struct sl_json_keyed keyed; /* event, event-split, sluice.v1 */
    struct sl_record_path path; /* sluice.v1 */
    struct sl_record_json record_json;
    struct sl_telegraf_path telegraf;
    struct sl_buf metrics; /* telegraf-json, influx: texts of a window of updates */
    struct sl_buf fields;  /* and its fields */
    struct sl_rules_scratch rules;
    struct sl_buf record; /* sluice.v1-json: the record, packed */
};

/* The memory's one, made for the first who holds it; NULL when memory is out. */
struct sl_encoder_scratch *sl_encoder_scratch_hold(struct sl_encoder_memory *memory) SL_MUST_CHECK;
void sl_encoder_scratch_release(struct sl_encoder_memory *memory);

#endif
