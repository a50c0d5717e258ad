#include "h2/frames.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum { HEAD_BYTES = 9, PREFACE_BYTES = sizeof(preface) - 1 };

bool feeds_bytes;

/* ---- writing ---- */

static void put_u32(struct sl_buf *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        sl_buf_add_byte(out, (char)(value >> shift));
    }
}

void put_frame(struct sl_buf *out, enum frame_type type, int flags, int32_t id, const void *payload,
               size_t len)
{
    sl_buf_add_byte(out, (char)(len >> 16));
    sl_buf_add_byte(out, (char)(len >> 8));
    sl_buf_add_byte(out, (char)len);
    sl_buf_add_byte(out, (char)type);
    sl_buf_add_byte(out, (char)flags);
    put_u32(out, (uint32_t)id);
    sl_buf_add(out, payload, len);
}

void put_u32_frame(struct sl_buf *out, enum frame_type type, int32_t id, uint32_t value)
{
    struct sl_buf payload = {0};

    put_u32(&payload, value);
    put_frame(out, type, 0, id, payload.data, payload.len);
    sl_buf_fini(&payload);
}

void put_data(struct sl_buf *out, int flags, int32_t id, const char *text)
{
    put_frame(out, DATA, flags, id, text, strlen(text));
}

void put_zeros(struct sl_buf *out, int flags, int32_t id, size_t len)
{
    uint8_t *zeros = calloc(len, 1);

    assert_non_null(zeros);
    put_frame(out, DATA, flags, id, zeros, len);
    free(zeros);
}

void put_padded(struct sl_buf *out, int flags, int32_t id, const char *text, uint8_t padding)
{
    static const char zeros[UINT8_MAX];
    struct sl_buf payload = {0};

    sl_buf_add_byte(&payload, (char)padding);
    sl_buf_add_c(&payload, text);
    sl_buf_add(&payload, zeros, padding);
    put_frame(out, DATA, flags | PADDED, id, payload.data, payload.len);
    sl_buf_fini(&payload);
}

void put_goaway(struct sl_buf *out, int32_t last_id, uint32_t error, const char *text)
{
    struct sl_buf payload = {0};

    put_u32(&payload, (uint32_t)last_id);
    put_u32(&payload, error);
    sl_buf_add_c(&payload, text);
    put_frame(out, GOAWAY, 0, 0, payload.data, payload.len);
    sl_buf_fini(&payload);
}

void put_setting(struct sl_buf *out, uint16_t name, uint32_t value)
{
    struct sl_buf payload = {0};

    sl_buf_add_byte(&payload, (char)(name >> 8));
    sl_buf_add_byte(&payload, (char)name);
    put_u32(&payload, value);
    put_frame(out, SETTINGS, 0, 0, payload.data, payload.len);
    sl_buf_fini(&payload);
}

void put_server_preface(struct sl_buf *out)
{
    put_frame(out, SETTINGS, 0, 0, NULL, 0);
    put_frame(out, SETTINGS, ACK, 0, NULL, 0);
}

void put_client_preface(struct sl_buf *out)
{
    sl_buf_add_c(out, preface);
    put_server_preface(out);
}

static void put_length(struct sl_buf *out, size_t len)
{
    sl_buf_add_byte(out, (char)(len < 127 ? len : 127));
    if (len < 127) {
        return;
    }
    for (len -= 127; len >= 128; len /= 128) {
        sl_buf_add_byte(out, (char)(len % 128 + 128));
    }
    sl_buf_add_byte(out, (char)len);
}

void put_block(struct sl_buf *out, const char *const *fields)
{
    for (; *fields; fields++) {
        const char *value = strchr(*fields + 1, '=') + 1;
        size_t name_len = (size_t)(value - *fields) - 1;

        sl_buf_add_byte(out, 0);
        put_length(out, name_len);
        sl_buf_add(out, *fields, name_len);
        put_length(out, strlen(value));
        sl_buf_add_c(out, value);
    }
}

void put_headers(struct sl_buf *out, int flags, int32_t id, const char *const *fields)
{
    struct sl_buf block = {0};

    put_block(&block, fields);
    put_frame(out, HEADERS, flags | END_HEADERS, id, block.data, block.len);
    sl_buf_fini(&block);
}

/* ---- feeding and reading ---- */

struct sl_status feed(struct sl_h2_session *session, struct sl_buf *in)
{
    struct sl_status status = sl_status_ok();
    size_t step = feeds_bytes ? 1 : in->len;

    assert_false(in->failed);
    for (size_t at = 0; at < in->len && sl_status_is_ok(&status); at += step) {
        /* memory of exactly this size, so that a sanitizer sees every byte too many */
        uint8_t *piece = malloc(step);
        assert_non_null(piece);
        memcpy(piece, in->data + at, step);
        status = sl_h2_session_receive(session, piece, step);
        free(piece);
    }
    sl_buf_reset(in);
    return status;
}

void drain(struct sl_h2_session *session, struct sl_buf *out)
{
    uint8_t bytes[SL_H2_OUTPUT_BYTES];
    size_t len;

    while ((len = sl_h2_session_output(session, bytes, sizeof(bytes))) > 0) {
        sl_buf_add(out, bytes, len);
    }
}

struct sent {
    nghttp2_hd_inflater *inflater;
    struct sl_buf bytes;
    struct sl_buf block;
    struct sl_buf lines;
};

struct sent *sent_new(void)
{
    struct sent *sent = calloc(1, sizeof(*sent));

    assert_non_null(sent);
    assert_int_equal(nghttp2_hd_inflate_new(&sent->inflater), 0);
    return sent;
}

void sent_free(struct sent *sent)
{
    nghttp2_hd_inflate_del(sent->inflater);
    sl_buf_fini(&sent->bytes);
    sl_buf_fini(&sent->block);
    sl_buf_fini(&sent->lines);
    free(sent);
}

static uint32_t get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void add_block(struct sent *sent)
{
    const uint8_t *at = (const uint8_t *)sent->block.data;
    size_t left = sent->block.len;
    int flags = 0;

    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        nghttp2_nv field;
        ssize_t taken = nghttp2_hd_inflate_hd2(sent->inflater, &field, &flags, at, left, 1);
        assert_true(taken >= 0);
        at += taken;
        left -= (size_t)taken;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            sl_buf_printf(&sent->lines, " %s%.*s=%.*s",
                          field.flags & NGHTTP2_NV_FLAG_NO_INDEX ? "!" : "", (int)field.namelen,
                          (const char *)field.name, (int)field.valuelen, (const char *)field.value);
        }
    }
    nghttp2_hd_inflate_end_headers(sent->inflater);
    sl_buf_reset(&sent->block);
}

static void add_frame(struct sent *sent, const uint8_t *head, size_t len)
{
    static const char *const names[] = {"DATA",          "HEADERS",     "PRIORITY", "RST_STREAM",
                                        "SETTINGS",      "5",           "PING",     "GOAWAY",
                                        "WINDOW_UPDATE", "CONTINUATION"};
    const uint8_t *payload = head + HEAD_BYTES;
    bool is_block = head[3] == HEADERS || head[3] == CONTINUATION;

    assert_true(head[3] < SL_ARRAY_LEN(names));
    sl_buf_printf(&sent->lines, "%s %u", names[head[3]], (unsigned)get_u32(head + 5));
    if (head[4] & END_STREAM && head[3] != CONTINUATION) {
        sl_buf_add_c(&sent->lines, head[3] == SETTINGS || head[3] == PING ? " ack" : " +end");
    }
    if (is_block) {
        sl_buf_add(&sent->block, payload, len);
    }
    if (is_block && head[4] & END_HEADERS) {
        add_block(sent);
    } else if (head[3] == DATA) {
        sl_buf_printf(&sent->lines, " %zu", len);
    } else if (head[3] == RST_STREAM) {
        sl_buf_printf(&sent->lines, " %s", sl_h2_error_name(get_u32(payload)));
    } else if (head[3] == GOAWAY) {
        sl_buf_printf(&sent->lines, " %u %s%s%.*s", (unsigned)get_u32(payload),
                      sl_h2_error_name(get_u32(payload + 4)), len > 8 ? " " : "", (int)len - 8,
                      (const char *)payload + 8);
    } else if (head[3] == WINDOW_UPDATE) {
        sl_buf_printf(&sent->lines, " %u", (unsigned)get_u32(payload));
    } else if (head[3] == SETTINGS) {
        for (size_t at = 0; at < len; at += 6) {
            sl_buf_printf(&sent->lines, " %u=%u", payload[at] * 256u + payload[at + 1],
                          (unsigned)get_u32(payload + at + 2));
        }
    }
    sl_buf_add_byte(&sent->lines, '\n');
}

const char *sent_lines(struct sent *sent, struct sl_h2_session *session)
{
    size_t at = 0;

    sl_buf_reset(&sent->bytes);
    sl_buf_reset(&sent->lines);
    drain(session, &sent->bytes);
    if (sent->bytes.len >= PREFACE_BYTES && memcmp(sent->bytes.data, preface, PREFACE_BYTES) == 0) {
        sl_buf_add_c(&sent->lines, "preface\n");
        at = PREFACE_BYTES;
    }
    while (at < sent->bytes.len) {
        const uint8_t *head = (const uint8_t *)sent->bytes.data + at;
        size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        assert_true(sent->bytes.len - at >= HEAD_BYTES + len);
        add_frame(sent, head, len);
        at += HEAD_BYTES + len;
    }
    return sl_buf_text(&sent->lines);
}
