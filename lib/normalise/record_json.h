/* record_json.h - the JSON of an update as leaves of a sluice.v1 record: one pass, without a tree.
 *
 * What becomes of it stands in proto/sluice.proto (Update.encoding): the leaves are Updates in the
 * order of the text, with paths that go on from the update's own.
 */
#ifndef SLUICE_NORMALISE_RECORD_JSON_H
#define SLUICE_NORMALISE_RECORD_JSON_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/json_keyed.h"
#include "normalise/pass.h"

/* The working memory, kept from one value to the next. */
struct sl_record_json {
    struct sl_buf path;          /* of the leaf under way */
    struct sl_buf text;          /* the string under way */
    struct sl_buf list;          /* the elements of the array under way */
    struct sl_json_keyed *keyed; /* items are named by their keys; NULL: counted */
};

void sl_record_json_init(struct sl_record_json *json);
void sl_record_json_fini(struct sl_record_json *json);

/* Appends the leaves of `update`, which is JSON and has the fields `fragment`. False, with nothing
 * appended, when it must go as it came: it cannot become leaves, or they would find no room. */
bool sl_record_json_add(struct sl_record_json *json, struct sl_pass *pass,
                        const struct sl_fragment *fragment,
                        const struct sl_gnmi_update *update) SL_MUST_CHECK;

#endif
