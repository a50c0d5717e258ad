/* A frame of the input is a kind and what that kind wants:
 *
 *     fields    flags, a stream, a number of fields; each the number of a name and of its value, or
 *               (with the high bit) the length of a value and the value
 *     message   flags, a stream, a form, a length, the bytes
 *     data      flags, a stream, a length, the bytes: with or without what makes it a message
 *     number    a type of those with one number (RST_STREAM, WINDOW_UPDATE …), a stream, the number
 *     setting   its name, its value in two bytes
 *     anything  type, flags, stream, length, payload
 *
 * A stream is one of the last eight that the client opened, or the next. */
#include "calls_peer.h"

#include <string.h>

#include <zlib.h>

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE };

enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, RECENT = 8, FREE_VALUE = 0x80 };

void peer_init(struct peer *peer, bool is_client)
{
    *peer = (struct peer){.is_client = is_client, .next_id = 1};
}

void peer_fini(struct peer *peer)
{
    sl_buf_fini(&peer->payload);
}

/* ---- frames ---- */

static void put_u32(struct sl_buf *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        sl_buf_add_byte(out, (char)(value >> shift));
    }
}

static void put_frame(struct sl_buf *out, uint8_t type, uint8_t flags, uint32_t id,
                      struct sl_str payload)
{
    put_u32(out, (uint32_t)payload.len << 8 | type);
    sl_buf_add_byte(out, (char)flags);
    put_u32(out, id);
    sl_buf_add_str(out, payload);
}

void peer_greet(struct sl_buf *out, bool is_client)
{
    if (is_client) {
        sl_buf_add_c(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    }
    put_frame(out, SETTINGS, 0, 0, (struct sl_str){NULL, 0});
    put_frame(out, SETTINGS, ACK, 0, (struct sl_str){NULL, 0});
}

static uint32_t read_stream(struct peer *peer, struct fuzz_input *input)
{
    uint32_t back = 2u * (fuzz_byte(input) % (RECENT + 1));
    uint32_t id = peer->is_client ? peer->next_id : 2 * RECENT - 1;

    if (back == 0) {
        peer->next_id += 2;
        return id;
    }
    return id > back ? id - back : 1;
}

/* ---- header blocks ---- */

static const struct {
    const char *name;
    const char *values[10];
} fields[] = {
    {":method", {"POST", "GET", "HEAD", "OPTIONS", NULL}},
    {":scheme", {"http", "https", NULL}},
    {":path",
     {"/f.F/U", "/f.F/S", "/f.F/C", "/f.F/B", "/f.F/X", "/grpc.health.v1.Health/Check",
      "/grpc.health.v1.Health/Watch", "/grpc.health.v1.Health/List",
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", NULL}},
    {":authority", {"x", NULL}},
    {"te", {"trailers", "x", NULL}},
    {"content-type",
     {"application/grpc", "application/grpc+proto", "application/grpc;x", "application/grpc-web",
      "text/html", NULL}},
    {"grpc-encoding", {"gzip", "identity", "snappy", NULL}},
    {"grpc-accept-encoding", {"identity,gzip", "gzip", "identity", NULL}},
    {"grpc-timeout", {"1m", "20m", "1S", "0n", "1H", "99999999H", "x", NULL}},
    {":status", {"200", "100", "103", "404", "503", "204", NULL}},
    {"grpc-status", {"0", "1", "5", "16", "17", "-1", NULL}},
    {"grpc-message", {"", "so it is", "%41%", "%e2%98%ba", NULL}},
    {"grpc-status-details-bin", {"CAUSAW8", "CAU=", "*", NULL}},
    {"a-bin", {"AQID", "", "AQ==,Ag", "AQ=", NULL}},
    {"user-agent", {"x/1", NULL}},
    {"content-length", {"0", "5", "100", NULL}},
    {"color", {"red", "", NULL}},
    {"connection", {"close", NULL}},
    {"A", {"x", NULL}},
    {"", {"x", NULL}},
};

static void put_text(struct sl_buf *out, struct sl_str text)
{
    size_t len = text.len;

    sl_buf_add_byte(out, (char)(len < 127 ? len : 127));
    if (len >= 127) {
        for (len -= 127; len >= 128; len /= 128) {
            sl_buf_add_byte(out, (char)(len % 128 + 128));
        }
        sl_buf_add_byte(out, (char)len);
    }
    sl_buf_add_str(out, text);
}

/* HPACK: a literal without indexing and without Huffman. */
static void put_field(struct sl_buf *out, const char *name, struct sl_str value)
{
    sl_buf_add_byte(out, 0);
    put_text(out, sl_str_from(name));
    put_text(out, value);
}

static void put_known(struct sl_buf *out, size_t which, size_t value)
{
    size_t count = 0;

    while (fields[which].values[count]) {
        count++;
    }
    put_field(out, fields[which].name, sl_str_from(fields[which].values[value % count]));
}

static void read_field(struct fuzz_input *input, struct sl_buf *out)
{
    size_t which = fuzz_byte(input) % SL_ARRAY_LEN(fields);
    uint8_t value = fuzz_byte(input);

    if (value & FREE_VALUE) {
        put_field(out, fields[which].name, fuzz_bytes(input, value - FREE_VALUE));
    } else {
        put_known(out, which, value);
    }
}

/* With what every request or response has, unless the flags say that it is not there. */
static void speak_fields(struct peer *peer, struct fuzz_input *input, struct sl_buf *out)
{
    enum { BARE = 2, REQUEST_FIELDS = 6 };
    uint8_t flags = fuzz_byte(input);
    uint32_t id = read_stream(peer, input);
    uint8_t count = fuzz_byte(input);

    if (!(flags & BARE) && peer->is_client) {
        for (size_t i = 0; i < REQUEST_FIELDS; i++) {
            put_known(&peer->payload, i, i == 2 ? count / 16 : 0);
        }
    } else if (!(flags & BARE)) {
        put_known(&peer->payload, 9, 0);
        put_known(&peer->payload, 5, 0);
    }
    for (uint8_t i = 0; i < count % 16; i++) {
        read_field(input, &peer->payload);
    }
    put_frame(out, HEADERS, (flags & END_STREAM) | END_HEADERS, id, sl_buf_str(&peer->payload));
}

/* ---- messages ---- */

/* As gzip does that does not compress (RFC 1951 section 3.2.4). */
static void put_stored(struct sl_buf *out, struct sl_str bytes)
{
    static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1};
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)bytes.data, (uInt)bytes.len);
    const uint16_t lengths[] = {(uint16_t)bytes.len, (uint16_t)~bytes.len};
    const uint32_t end[] = {crc, (uint32_t)bytes.len};

    sl_buf_add(out, head, sizeof(head));
    sl_buf_add(out, lengths, sizeof(lengths));
    sl_buf_add_str(out, bytes);
    sl_buf_add(out, end, sizeof(end));
}

/* Zeros, a thousand times as many as it has bytes. */
static void put_bomb(struct sl_buf *out)
{
    enum { ZEROS = 256 * 1024 };
    static Bytef zeros[ZEROS];
    static Bytef packed[1024];
    static size_t len; /* made once */

    if (!len) {
        z_stream stream = {.next_in = zeros,
                           .avail_in = sizeof(zeros),
                           .next_out = packed,
                           .avail_out = sizeof(packed)};
        SL_ASSERT(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
        SL_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
        deflateEnd(&stream);
        len = sizeof(packed) - stream.avail_out;
    }
    sl_buf_add(out, packed, len);
}

static void speak_message(struct peer *peer, struct fuzz_input *input, struct sl_buf *out)
{
    enum { PLAIN, PLAIN_MARKED, STORED, STORED_UNMARKED, BOMB, ZEROS, FORMS };
    static const char zeros[64 * UINT8_MAX];
    uint8_t flags = fuzz_byte(input);
    uint32_t id = read_stream(peer, input);
    uint8_t form = fuzz_byte(input) % FORMS;
    uint8_t len = fuzz_byte(input);
    struct sl_buf body = {0};

    if (form == BOMB) {
        put_bomb(&body);
    } else if (form == ZEROS) {
        sl_buf_add(&body, zeros, 64u * len);
    } else if (form == STORED || form == STORED_UNMARKED) {
        put_stored(&body, fuzz_bytes(input, len));
    } else {
        sl_buf_add_str(&body, fuzz_bytes(input, len));
    }
    bool is_marked = form == PLAIN_MARKED || form == STORED || form == BOMB;
    sl_buf_add_byte(&peer->payload, (char)is_marked);
    put_u32(&peer->payload, (uint32_t)body.len);
    sl_buf_add_str(&peer->payload, sl_buf_str(&body));
    put_frame(out, DATA, flags & END_STREAM, id, sl_buf_str(&peer->payload));
    sl_buf_fini(&body);
}

/* ---- the rest ---- */

static void speak_data(struct peer *peer, struct fuzz_input *input, struct sl_buf *out)
{
    uint8_t flags = fuzz_byte(input);
    uint32_t id = read_stream(peer, input);
    uint8_t len = fuzz_byte(input);

    put_frame(out, DATA, flags & END_STREAM, id, fuzz_bytes(input, len));
}

static void speak_number(struct peer *peer, struct fuzz_input *input, struct sl_buf *out)
{
    static const uint8_t types[] = {RST_STREAM, WINDOW_UPDATE, GOAWAY, PING};
    uint8_t type = types[fuzz_byte(input) % SL_ARRAY_LEN(types)];
    uint32_t id = read_stream(peer, input);
    uint32_t number = fuzz_byte(input);

    if (type == WINDOW_UPDATE) {
        number = number << (number & 7);
    }
    if (type == GOAWAY || type == PING) {
        put_u32(&peer->payload, id);
        put_u32(&peer->payload, number % 16);
        id = 0;
    } else {
        put_u32(&peer->payload, number);
    }
    put_frame(out, type, 0, id, sl_buf_str(&peer->payload));
}

static void speak_setting(struct peer *peer, struct fuzz_input *input, struct sl_buf *out)
{
    sl_buf_add_byte(&peer->payload, 0);
    sl_buf_add_byte(&peer->payload, (char)(fuzz_byte(input) % 8));
    uint32_t high = fuzz_byte(input);
    put_u32(&peer->payload, high << 8 | fuzz_byte(input));
    put_frame(out, SETTINGS, 0, 0, sl_buf_str(&peer->payload));
}

static void speak_anything(struct peer *peer, struct fuzz_input *input, struct sl_buf *out)
{
    uint8_t type = fuzz_byte(input) % 12;
    uint8_t flags = fuzz_byte(input);
    uint32_t id = read_stream(peer, input);
    uint8_t len = fuzz_byte(input);

    put_frame(out, type, flags, flags & 0x80 ? 0 : id, fuzz_bytes(input, len));
}

void peer_speak(struct peer *peer, struct fuzz_input *input, struct sl_buf *out)
{
    static void (*const kinds[])(struct peer *, struct fuzz_input *, struct sl_buf *) = {
        speak_fields, speak_message, speak_data,     speak_number,
        speak_fields, speak_message, speak_anything, speak_setting};

    sl_buf_reset(&peer->payload);
    kinds[fuzz_byte(input) % SL_ARRAY_LEN(kinds)](peer, input, out);
}
