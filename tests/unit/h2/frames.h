/* frames.h - HTTP/2 frames written out byte by byte, and those that a session gave taken apart.
 *
 * Made without our code and without nghttp2 (but for the decoding of header blocks), so that a
 * session is tested against the RFC and not against itself.
 */
#ifndef SLUICE_TESTS_H2_FRAMES_H
#define SLUICE_TESTS_H2_FRAMES_H

#include "test.h"

#include <stdbool.h>

#include "base/buf.h"
#include "h2/session.h"

enum frame_type {
    DATA = 0,
    HEADERS = 1,
    PRIORITY = 2,
    RST_STREAM = 3,
    SETTINGS = 4,
    PUSH_PROMISE = 5,
    PING = 6,
    GOAWAY = 7,
    WINDOW_UPDATE = 8,
    CONTINUATION = 9,
};

enum frame_flag { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8 };

/* Every test runs twice; the second time each byte is fed by itself. */
extern bool feeds_bytes;

/* ---- writing ---- */

void put_frame(struct sl_buf *out, enum frame_type type, int flags, int32_t id, const void *payload,
               size_t len);
void put_u32_frame(struct sl_buf *out, enum frame_type type, int32_t id, uint32_t value);
void put_data(struct sl_buf *out, int flags, int32_t id, const char *text);
void put_zeros(struct sl_buf *out, int flags, int32_t id, size_t len); /* DATA */
void put_padded(struct sl_buf *out, int flags, int32_t id, const char *text, uint8_t padding);
void put_goaway(struct sl_buf *out, int32_t last_id, uint32_t error, const char *text);
void put_setting(struct sl_buf *out, uint16_t name, uint32_t value);

/* What a server says first: its SETTINGS, and the ACK of ours. */
void put_server_preface(struct sl_buf *out);
void put_client_preface(struct sl_buf *out);

/* HPACK: literals without indexing and without Huffman. `fields` is "name=value" up to NULL. */
void put_block(struct sl_buf *out, const char *const *fields);
void put_headers(struct sl_buf *out, int flags, int32_t id, const char *const *fields);

/* ---- feeding and reading ---- */

/* Feeds all of `in`, empties it, and returns what the session said. */
struct sl_status feed(struct sl_h2_session *session, struct sl_buf *in);

/* Everything that the session has to send, appended. */
void drain(struct sl_h2_session *session, struct sl_buf *out);

/* One line per frame of what the session has to send: "HEADERS 1 +end :method=POST te=trailers",
 * "WINDOW_UPDATE 0 1000", "DATA 1 12", "RST_STREAM 1 CANCEL", "GOAWAY 0 7 NO_ERROR text" (7 is
 * the last stream). The preface is "preface". Valid
 * until the next call. The blocks of one session must all pass through here, in order. */
struct sent;
struct sent *sent_new(void);
void sent_free(struct sent *sent);
const char *sent_lines(struct sent *sent, struct sl_h2_session *session);

#endif
