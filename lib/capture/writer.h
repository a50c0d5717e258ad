/* writer.h - a capture being written to disk (gnmi/capture.h has what is in it).
 *
 * Every entry leaves for the system in one call, before the next one is taken: nothing waits in
 * memory, a process that is killed leaves all but the entry under way, and a slow disk holds
 * whoever writes. Where an entry cannot be written whole (the disk is full), what there is of it is
 * cut off again.
 *
 * With `rotate_bytes` the capture is several files, PATH.000001 and so on, each of which is a
 * capture by itself; in their order behind one another they are one, too.
 */
#ifndef SLUICE_CAPTURE_WRITER_H
#define SLUICE_CAPTURE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "gnmi/capture.h"

struct sl_capture_writer;

/* Everything that it points at outlives the writer. */
struct sl_capture_writer_options {
    const char *path;                     /* a file of that name is written anew */
    struct sl_gnmi_capture_header header; /* `part` is the writer's */
    const char *const *subscriptions;     /* ends with NULL */
    uint64_t rotate_bytes; /* a file that would become larger is followed by another; 0: never */
    uint32_t keep;         /* the newest files of these; 0: all */
};

/* Opens the first file and writes its header. NULL: `why`. */
struct sl_capture_writer *sl_capture_writer_open(const struct sl_capture_writer_options *options,
                                                 struct sl_status *why) SL_MUST_CHECK;

/* An entry each. False: it is not in the file, for the reason in `why`. A response that is too long
 * for a capture is INVALID_ARGUMENT, and the next one may be added. */
bool sl_capture_writer_response(struct sl_capture_writer *writer, int64_t received_ns,
                                struct sl_str response, struct sl_status *why) SL_MUST_CHECK;
bool sl_capture_writer_end(struct sl_capture_writer *writer, int64_t received_ns, enum sl_code code,
                           struct sl_str text, struct sl_status *why) SL_MUST_CHECK;

/* Of all files, headers and cut-off files too. */
uint64_t sl_capture_writer_bytes(const struct sl_capture_writer *writer);

/* Says why the capture stops (NULL: nothing; the call has ended), waits until everything is on the
 * disk, and frees the writer. False: something is not there. NULL writer: nothing. */
bool sl_capture_writer_close(struct sl_capture_writer *writer, int64_t now_ns, const char *reason,
                             struct sl_status *why);

#endif
