/* gnmic_json.h - the format gnmic-json: gnmic's `format: json`, one object for each response.
 *
 *     {"source":"leaf1","subscription-name":"sub1","timestamp":…,"time":"2020-07-23T08:06:26Z",
 *      "prefix":"a/b[k=v]","target":"r1","updates":[{"Path":"c","values":{"c":1}}],"deletes":["d"],
 *      "extensions":[…]}
 *
 * A path is written as gnmic does: elements with '/' between them, keys sorted by name, nothing
 * escaped, an origin as "origin:/" in front; as the name of a value without keys and origin. JSON
 * keeps its shape, and null stays null. `time` is in UTC (gnmic: the collector's local zone). A
 * sync_response is {"sync-response":true}.
 */
#ifndef SLUICE_NORMALISE_GNMIC_JSON_H
#define SLUICE_NORMALISE_GNMIC_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/encoder.h"
#include "normalise/fragment.h"
#include "normalise/intern.h"
#include "normalise/scratch.h"

struct sl_gnmic_json {
    struct sl_buf names; /* what every record begins with: {"source":"leaf1",…, */
    struct sl_encoder_scratch *scratch;
    bool is_float64;
    struct sl_intern paths; /* by path: "c","values":{"c": */
};

/* False when memory is out; fini is due in either case. */
bool sl_gnmic_json_init(struct sl_gnmic_json *json,
                        const struct sl_encoder_config *config) SL_MUST_CHECK;
void sl_gnmic_json_fini(struct sl_gnmic_json *json);

/* As sl_encoder_encode. */
bool sl_gnmic_json_encode(struct sl_gnmic_json *json, const struct sl_gnmi_response *response,
                          struct sl_buf *out, struct sl_encoded *encoded) SL_MUST_CHECK;

#endif
