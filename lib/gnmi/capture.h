/* capture.h - a file of SubscribeResponses with their times, as proto/capture.proto has it.
 *
 * Bytes in, bytes out: who reads or writes the file is lib/capture. The reader takes the file piece
 * by piece from the front, whole or in chunks, and holds every length against its limit before it
 * asks for that many bytes. What it gives back points into the bytes that it was given. Every error
 * names the byte of the file at which something is wrong.
 *
 *     struct sl_gnmi_capture_reader reader = {0};
 *
 *     switch (sl_gnmi_capture_read(&reader, bytes, &piece, &why)) {
 *     case SL_GNMI_CAPTURE_MORE:   bytes must be longer, piece.needed_bytes at least; where there
 * are no more: sl_gnmi_capture_end says whether the file may end here case SL_GNMI_CAPTURE_HEADER:
 * comes first, once case SL_GNMI_CAPTURE_ENTRY: case SL_GNMI_CAPTURE_BAD:    `why`, and nothing
 * more can be read
 *     }
 *     bytes = what follows the first piece.used_bytes
 */
#ifndef SLUICE_GNMI_CAPTURE_H
#define SLUICE_GNMI_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum {
    SL_GNMI_CAPTURE_VERSION = 1,
    SL_GNMI_CAPTURE_MAX_HEADER_BYTES = 4 * 1024 * 1024,
    SL_GNMI_CAPTURE_MAX_RESPONSE_BYTES =
        256 * 1024 * 1024, /* the largest that max-message lets be */
    SL_GNMI_CAPTURE_MAX_ENTRY_BYTES = SL_GNMI_CAPTURE_MAX_RESPONSE_BYTES + 64 * 1024,
};

/* Strings are as they stand in the file: whoever prints them sees to it that they can be. */
struct sl_gnmi_capture_header {
    struct sl_str target;
    struct sl_str vendor;
    struct sl_str sluice;
    struct sl_str request; /* the bytes of the SubscribeRequest; empty: not known */
    int64_t started_ns;    /* since 1970 */
    uint32_t part;         /* of a capture in several files, from 1; 0: there is one */
    struct sl_str fields;  /* all of it, for the two below; of no use to a writer */
};

enum sl_gnmi_capture_kind {
    SL_GNMI_CAPTURE_RESPONSE,
    SL_GNMI_CAPTURE_END,  /* of the call */
    SL_GNMI_CAPTURE_STOP, /* of the capture alone */
};

struct sl_gnmi_capture_entry {
    enum sl_gnmi_capture_kind kind;
    int64_t received_ns;    /* since 1970 */
    struct sl_str response; /* of RESPONSE: the bytes as they came */
    enum sl_code code;      /* of END; a number that gRPC does not know is SL_UNKNOWN */
    struct sl_str text;     /* of END and of STOP: why */
    uint64_t at;            /* the byte of the file where the entry begins */
};

struct sl_gnmi_capture_reader {
    uint64_t at; /* the byte of the file where the next piece begins */
    bool has_magic;
    bool has_header;
};

enum sl_gnmi_capture_step {
    SL_GNMI_CAPTURE_MORE,
    SL_GNMI_CAPTURE_HEADER,
    SL_GNMI_CAPTURE_ENTRY,
    SL_GNMI_CAPTURE_BAD,
};

struct sl_gnmi_capture_piece {
    size_t used_bytes;   /* set by every step: pieces that nobody needs are used up by MORE, too */
    size_t needed_bytes; /* of MORE: behind those */
    struct sl_gnmi_capture_header header;
    struct sl_gnmi_capture_entry entry;
};

/* `bytes` are what is there of the file from reader->at on. INVALID_ARGUMENT in `why` for BAD: this
 * is no capture, or one that is damaged, or of a later version. */
enum sl_gnmi_capture_step sl_gnmi_capture_read(struct sl_gnmi_capture_reader *reader,
                                               struct sl_str bytes,
                                               struct sl_gnmi_capture_piece *piece,
                                               struct sl_status *why) SL_MUST_CHECK;

/* The file ends with `rest_bytes` behind reader->at, after MORE. DATA_LOSS: it was cut off there,
 * and what was read before is good; INVALID_ARGUMENT: it was not even a header. */
struct sl_status sl_gnmi_capture_end(const struct sl_gnmi_capture_reader *reader,
                                     size_t rest_bytes) SL_MUST_CHECK;

/* The header again, out of a copy of the `fields` of one that was read. */
struct sl_gnmi_capture_header sl_gnmi_capture_header_of(struct sl_str fields);

/* The next name of a subscription; `fields` is used up from the front. */
bool sl_gnmi_capture_subscription(struct sl_str *fields, struct sl_str *name);

/* What a file begins with. `subscriptions` ends with NULL. */
void sl_gnmi_capture_add_header(struct sl_buf *out, const struct sl_gnmi_capture_header *header,
                                const char *const *subscriptions);

/* What follows: an entry each. A response has at most SL_GNMI_CAPTURE_MAX_RESPONSE_BYTES. */
void sl_gnmi_capture_add_response(struct sl_buf *out, int64_t received_ns, struct sl_str response);
void sl_gnmi_capture_add_end(struct sl_buf *out, int64_t received_ns, enum sl_code code,
                             struct sl_str text);
void sl_gnmi_capture_add_stop(struct sl_buf *out, int64_t received_ns, const char *reason);

#endif
