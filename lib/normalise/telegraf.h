/* telegraf.h - the formats telegraf-json and influx: metrics as Telegraf's Kafka output writes them
 * for its gNMI input, each a record of its own (a line, with the line feed).
 *
 *     {"fields":{"state/v":1},"name":"sub1","tags":{"host":"c1","name":"e1"},"timestamp":1458229140}
 *     sub1,host=c1,name=e1 state/v=1i 1458229140000000000
 *
 * A metric has the fields of all updates of a notification with the same name and tags, in the
 * order in which they first came; of two fields with one name the later counts. Fields are sorted
 * in JSON; in the line protocol they stand as they first came, those of one JSON value sorted.
 * Telegraf's rules for values: floats are widened to doubles, four bytes are a float32, a null
 * counts only where it is not the metric's first field (influx: nowhere), leaf-lists, Any and
 * proto_bytes cannot be carried, nor can deletes: they are dropped and counted. An unsigned integer
 * above 2^63 - 1 is that in influx. A metric is made of WINDOW updates at most.
 */
#ifndef SLUICE_NORMALISE_TELEGRAF_H
#define SLUICE_NORMALISE_TELEGRAF_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/encoder.h"
#include "normalise/intern.h"
#include "normalise/scratch.h"
#include "normalise/telegraf_leaf.h"
#include "normalise/telegraf_path.h"

enum { SL_TELEGRAF_WINDOW = 256 };

struct sl_telegraf {
    struct sl_telegraf_names names;
    bool is_float64;
    char *host;
    struct sl_encoder_scratch *scratch;
    struct sl_intern paths;
    struct sl_telegraf_leaves *leaves; /* on the heap: other formats need less room */
};

/* False when memory is out; fini is due in either case. */
bool sl_telegraf_init(struct sl_telegraf *telegraf,
                      const struct sl_encoder_config *config) SL_MUST_CHECK;
void sl_telegraf_fini(struct sl_telegraf *telegraf);

/* As sl_encoder_next. */
bool sl_telegraf_next(struct sl_telegraf *telegraf, const struct sl_gnmi_response *response,
                      struct sl_encoder_progress *progress, struct sl_buf *out,
                      struct sl_encoded *encoded) SL_MUST_CHECK;

#endif
