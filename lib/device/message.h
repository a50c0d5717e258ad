/* message.h - writes the SubscribeResponses of one simulated stream.
 *
 * Values are in the arm of TypedValue that the encoding names: PROTO scalars; JSON and JSON_IETF as
 * text of these (in JSON_IETF 64-bit numbers are strings, RFC 7951 section 6.1); ASCII and BYTES as
 * bare digits and words.
 *
 * By hand and into one buffer, because a simulator that is slower than the collector measures
 * itself. The buffer is shared by all streams: a message lives until the next one is written.
 */
#ifndef SLUICE_DEVICE_MESSAGE_H
#define SLUICE_DEVICE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/str.h"
#include "device/leaves.h"

/* What one notification is to say. */
struct sl_device_message {
    struct sl_str target;  /* prefix.target; empty: no prefix */
    struct sl_str session; /* the leaf's value */
    Gnmi__Encoding encoding;
    uint64_t seq;
    uint32_t duplicates; /* on the seq leaf */
    int64_t timestamp_ns;
    uint32_t device;
    uint64_t elapsed_ms;
    uint32_t max_updates; /* leaves, those of the sim itself included; at least 1 */
    uint32_t size_bytes;  /* 0: as it comes; else as device.h tells */
    const struct sl_device_selection *selection;
    uint32_t leaf_first; /* index into the selection of the first one to send */
    uint32_t leaf_limit; /* at most so many of the selection */
    bool only_changes;   /* leaves without another value than at `since_ms` are passed over */
    uint64_t since_ms;
};

struct sl_device_written {
    struct sl_str bytes;  /* borrowed from the writer; empty when memory is out */
    bool is_notification; /* false: it was too small for a seq */
    uint32_t updates;
    uint32_t passed; /* so many of the selection were sent, or passed over */
};

struct sl_device_writer {
    const struct sl_device_leaves *table;
    uint8_t *data;
    size_t cap;
};

void sl_device_writer_init(struct sl_device_writer *writer, const struct sl_device_leaves *table);
void sl_device_writer_fini(struct sl_device_writer *writer);

struct sl_device_written sl_device_write(struct sl_device_writer *writer,
                                         const struct sl_device_message *message);

/* The bytes of the sync_response. */
struct sl_str sl_device_sync(void);

#endif
