/* source.h - a capture on disk, read from the front (gnmi/capture.h has what is in it).
 *
 * Reads in chunks and holds one entry at a time: a file of any size takes no more memory than its
 * largest message. Blocks for as long as the disk does. Not seekable files (a pipe) can be read,
 * but not from a place.
 *
 *     struct sl_capture_source *source = sl_capture_source_open(path, &why);
 *     while (sl_capture_source_next(source, &entry, &why)) {
 *         ...
 *     }
 *     (why: OK; DATA_LOSS where the file was cut off, and what came until then is good; or an
 * error) sl_capture_source_close(source);
 */
#ifndef SLUICE_CAPTURE_SOURCE_H
#define SLUICE_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "gnmi/capture.h"

struct sl_capture_source;

/* Opens the file and reads its header. NULL: NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE (what the
 * system says), INVALID_ARGUMENT (this is no capture, and where that shows), RESOURCE_EXHAUSTED. No
 * text names the file. */
struct sl_capture_source *sl_capture_source_open(const char *path,
                                                 struct sl_status *why) SL_MUST_CHECK;
void sl_capture_source_close(struct sl_capture_source *source); /* NULL: nothing */

/* Lives as long as the source. */
const struct sl_gnmi_capture_header *
sl_capture_source_header(const struct sl_capture_source *source);

/* The next entry; its strings are good until the next call. False at the end, and then ever again
 * with the same `why` until a seek. */
bool sl_capture_source_next(struct sl_capture_source *source, struct sl_gnmi_capture_entry *entry,
                            struct sl_status *why) SL_MUST_CHECK;

/* The byte of the file that follows the last entry; that of the first one at first. */
uint64_t sl_capture_source_at(const struct sl_capture_source *source);

/* Goes on from such a byte. False with the reason in `why` where the file cannot do that. */
bool sl_capture_source_seek(struct sl_capture_source *source, uint64_t at,
                            struct sl_status *why) SL_MUST_CHECK;

#endif
