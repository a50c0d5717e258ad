/* rewrite.h - a SubscribeResponse made anew from another one, piece by piece, in a buffer.
 *
 * For what changes a message on its way: begin, set_…, then updates and deletes in the order in
 * which they are to stand, end. What comes out is a `struct sl_gnmi_response` like one that was
 * read, in its usual form, so that it needs no check; it points into the buffer alone. Extensions
 * of the message are kept.
 *
 * Paths, values and `from` are borrowed until the end. Nothing fails on the way: end says whether
 * there was memory.
 */
#ifndef SLUICE_GNMI_REWRITE_H
#define SLUICE_GNMI_REWRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "gnmi/response.h"

struct sl_gnmi_rewrite {
    const struct sl_gnmi_response *from;
    struct sl_buf *out;
    struct sl_gnmi_response made;
    size_t prefix_at;
    bool has_head;       /* timestamp and prefix are written */
    const char *run;     /* updates that stand behind one another in `from`, and are not copied */
    const char *run_end; /* yet */
};

/* `from` has a notification. `out` is reset (its limit stays) and belongs to the response that
 * comes of it; it is none that `from` lies in. Timestamp, atomic and prefix are those of `from`. */
void sl_gnmi_rewrite_begin(struct sl_gnmi_rewrite *rewrite, const struct sl_gnmi_response *from,
                           struct sl_buf *out);

/* Before the first update or delete. An empty prefix: none. */
void sl_gnmi_rewrite_set_timestamp(struct sl_gnmi_rewrite *rewrite, int64_t timestamp_ns);
void sl_gnmi_rewrite_set_prefix(struct sl_gnmi_rewrite *rewrite, struct sl_str prefix);
void sl_gnmi_rewrite_set_atomic(struct sl_gnmi_rewrite *rewrite, bool is_atomic);

/* A path with labels is among them (path_build.h). */
void sl_gnmi_rewrite_note_labels(struct sl_gnmi_rewrite *rewrite);

/* The update under `path`, its own or another one: value and duplicates as they came. */
void sl_gnmi_rewrite_add_update(struct sl_gnmi_rewrite *rewrite, struct sl_str path,
                                const struct sl_gnmi_update *update);

/* An update with a value of its own; NONE: without one. */
void sl_gnmi_rewrite_add_update_value(struct sl_gnmi_rewrite *rewrite, struct sl_str path,
                                      const struct sl_gnmi_value *value, uint32_t duplicates);

void sl_gnmi_rewrite_add_delete(struct sl_gnmi_rewrite *rewrite, struct sl_str path);

/* False when memory is out, or the buffer's limit reached; nothing is made then. */
bool sl_gnmi_rewrite_end(struct sl_gnmi_rewrite *rewrite,
                         struct sl_gnmi_response *response) SL_MUST_CHECK;

/* The TypedValue of `value`, without tag and length; nothing for NONE. */
void sl_gnmi_add_typed_value(struct sl_buf *out, const struct sl_gnmi_value *value);

/* Appends the message of a rewritten response without the labels: what a device could have sent. */
void sl_gnmi_add_without_labels(struct sl_buf *out, const struct sl_gnmi_response *response);

#endif
