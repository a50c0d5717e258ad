#include "world/device.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "gnmi.pb-c.h"
#include "net/net.h"
#include "world/book.h"
#include "world/cover.h"
#include "world/hub.h"

enum {
    PORT = 57400,
    FRAME_HEAD_BYTES = 9,
    PREFIX_BYTES = 5,
    MAX_FRAME_BYTES = 16 * 1024,
    FIRST_WINDOW_BYTES = 65535, /* RFC 9113 section 6.9.2 */
    MANY_STREAMS = 100,
    MOST_AT_ONCE = 16, /* messages of a burst in one frame */
    NUMBER_BYTES = 24,
};

#define MS(n) ((int64_t)(n) * 1000 * 1000)

/* A connection, as the device has it. */
struct line {
    struct sl_list node;
    struct device *device;
    struct sl_conn *conn;
    nghttp2_session *session;
    struct sl_list calls;
    int32_t first_window; /* of a stream, by the client's SETTINGS */
    int64_t window;       /* of the connection */
    bool is_stuck;        /* the network takes no more */
    bool is_pumping;
    bool is_cut;   /* stalled for good */
    bool is_going; /* said GOAWAY */
};

/* An RPC. */
struct call {
    struct sl_list node;
    struct line *line;
    int32_t id;
    unsigned stream; /* of the plan; PLAN_STREAMS: it is not a Subscribe that was asked for */
    uint32_t number; /* in the book */
    struct sl_buf request;
    struct sl_buf message; /* under way */
    size_t sent;           /* of it */
    int64_t window;        /* what may still be sent */
    int64_t overrun_bytes; /* sent without nghttp2, which does not know of any window */
    int64_t due_ns;        /* of the next message */
    struct sl_timer *timer;
    unsigned messages;
    const char *status; /* to end with when the message is through; NULL: it goes on */
    bool is_subscribe;
    bool has_begun;        /* its headers have left */
    bool is_half;          /* the end comes in the middle of a message */
    int64_t slow_until_ns; /* stops in the middle of the message till then */
    bool is_over;          /* says no more */
    bool is_past; /* the client asks anew, on another connection: begins no message any more */
};

struct device {
    struct run *run;
    unsigned index;
    const struct plan_device *plan;
    struct world_link link;
    struct world_random random;
    struct sl_listener *listener;
    struct sl_list lines;
    struct sl_deferred pump_due;
    /* What goes wrong at present: how many faults of a kind last. */
    unsigned lasting[FAULT_KINDS];
    bool is_burst[PLAN_STREAMS], is_silent[PLAN_STREAMS];
    int64_t slow_ns[PLAN_STREAMS]; /* of the next message: a pause in it; 0: none */
    bool is_huge[PLAN_STREAMS], is_undecodable[PLAN_STREAMS], is_too_large[PLAN_STREAMS];
};

void device_address(unsigned index, struct sl_address *address)
{
    *address = (struct sl_address){.kind = SL_ADDRESS_HOST, .port = PORT};
    snprintf(address->host, sizeof(address->host), "10.0.0.%u", index + 1);
}

/* ---- messages ---- */

static void put_varint(struct sl_buf *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;

    for (; value >= 0x80; value >>= 7) {
        bytes[len++] = (uint8_t)(value | 0x80);
    }
    bytes[len++] = (uint8_t)value;
    sl_buf_add(out, bytes, len);
}

static size_t varint_bytes(uint64_t value)
{
    size_t len = 1;

    for (; value >= 0x80; value >>= 7) {
        len++;
    }
    return len;
}

/* A field of bytes: its head. */
static void put_head(struct sl_buf *out, unsigned field, uint64_t len)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, len);
}

static size_t field_bytes(uint64_t len)
{
    return 1 + varint_bytes(len) + (size_t)len;
}

/* Update{path{elem{"s0m1"} elem{"u3"}} val{string_val "17.xxx"}}, as a field of a Notification. */
static void put_update(struct sl_buf *out, const char *name, const char *leaf, uint64_t number,
                       uint32_t padding)
{
    char text[NUMBER_BYTES];
    size_t text_len = book_value(text, sizeof(text), number);
    size_t name_len = strlen(name);
    size_t string_len = text_len + padding;
    size_t value_len = field_bytes(string_len);
    size_t leaf_len = strlen(leaf);
    size_t path_len = field_bytes(field_bytes(name_len)) + field_bytes(field_bytes(leaf_len));

    put_head(out, 4, field_bytes(path_len) + field_bytes(value_len));
    put_head(out, 1, path_len);
    put_head(out, 3, field_bytes(name_len));
    put_head(out, 1, name_len);
    sl_buf_add(out, name, name_len);
    put_head(out, 3, field_bytes(leaf_len));
    put_head(out, 1, leaf_len);
    sl_buf_add(out, leaf, leaf_len);
    put_head(out, 3, value_len);
    put_head(out, 1, string_len);
    sl_buf_add(out, text, text_len);
    if (sl_buf_reserve(out, padding)) {
        memset(out->data + out->len, 'x', padding);
        out->len += padding;
    }
}

/* gRPC's prefix, then the bytes. */
static void put_message(struct sl_buf *out, const void *bytes, size_t len)
{
    uint8_t prefix[PREFIX_BYTES] = {0, (uint8_t)(len >> 24), (uint8_t)(len >> 16),
                                    (uint8_t)(len >> 8), (uint8_t)len};

    sl_buf_add(out, prefix, sizeof(prefix));
    sl_buf_add(out, bytes, len);
}

static const struct plan_stream *plan_of(const struct call *call)
{
    return &call->line->device->plan->streams[call->stream];
}

static uint32_t draw_padding(struct call *call)
{
    struct device *device = call->line->device;
    const struct plan_stream *plan = plan_of(call);

    if (device->is_huge[call->stream]) {
        uint32_t most = device->run->plan->max_message_bytes / 2;
        int64_t slow_ns = device->slow_ns[call->stream];
        call->slow_until_ns = slow_ns ? sl_loop_now_ns(device->run->loop) + slow_ns : 0;
        device->slow_ns[call->stream] = 0;
        device->is_huge[call->stream] = false;
        return (uint32_t)world_random_between(&device->random, most / 4, most);
    }
    bool is_large = world_random_chance(&device->random, plan->large_in_thousand);

    return (uint32_t)world_random_below(&device->random,
                                        is_large ? plan->large_bytes : plan->small_bytes);
}

/* Notifications have the updates of one member, or of all, mixed. */
static void compose_updates(struct call *call, struct sl_buf *out, unsigned made[PLAN_MEMBERS])
{
    struct device *device = call->line->device;
    const struct plan_stream *plan = plan_of(call);
    struct book *book = device->run->book;
    unsigned count = (unsigned)world_random_between(&device->random, 1, plan->updates);
    uint32_t padding = draw_padding(call);

    put_varint(out, 1 << 3); /* timestamp */
    put_varint(out, (uint64_t)sl_loop_wall_ns());
    for (unsigned i = 0; i < count; i++) {
        unsigned member = (unsigned)world_random_below(&device->random, plan->members);
        char name[16];
        char leaf[16];
        snprintf(name, sizeof(name), "s%um%u", call->stream, member);
        SL_ASSERT(made[member] < BOOK_LEAVES);
        snprintf(leaf, sizeof(leaf), "u%u", made[member]);
        put_update(out, name, leaf,
                   book_next(book, device->index, call->stream, member) + made[member],
                   i == 0 ? padding : 0);
        made[member]++;
    }
}

static void compose_data(struct call *call)
{
    struct device *device = call->line->device;
    unsigned made[PLAN_MEMBERS] = {0};
    struct sl_buf notification = {0};
    struct sl_buf response = {0};

    compose_updates(call, &notification, made);
    put_head(&response, 1, notification.len);
    sl_buf_add(&response, notification.data, notification.len);
    put_message(&call->message, response.data, response.len);
    book_send(device->run->book, device->index, call->stream, call->number,
              (uint32_t)call->message.len, made);
    sl_buf_fini(&notification);
    sl_buf_fini(&response);
}

static void compose_sync(struct call *call)
{
    static const unsigned none[PLAN_MEMBERS];
    struct device *device = call->line->device;

    put_message(&call->message, "\x18\x01", 2);
    book_send(device->run->book, device->index, call->stream, call->number,
              (uint32_t)call->message.len, none);
}

static void compose_undecodable(struct call *call)
{
    struct device *device = call->line->device;

    device->is_undecodable[call->stream] = false;
    put_message(&call->message, "\x0a\x7fnot a notification", 20);
    book_send_undecodable(device->run->book, device->index, call->stream, call->number,
                          (uint32_t)call->message.len);
}

/* The prefix of one that is longer than it may be, and some of it. */
static void compose_too_large(struct call *call)
{
    struct device *device = call->line->device;
    uint32_t len = device->run->plan->max_message_bytes + 1;
    const uint8_t prefix[] = {0, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                              (uint8_t)len};

    device->is_too_large[call->stream] = false;
    sl_buf_add(&call->message, prefix, sizeof(prefix));
    sl_buf_add(&call->message, "\x0a", 1);
    call->is_over = true;
}

/* The next message. */
static void compose(struct call *call)
{
    const struct device *device = call->line->device;

    call->message.len = 0;
    call->sent = 0;
    call->slow_until_ns = 0;
    if (device->is_too_large[call->stream]) {
        compose_too_large(call);
    } else if (device->is_undecodable[call->stream]) {
        compose_undecodable(call);
    } else if (call->messages == plan_of(call)->baseline) {
        compose_sync(call);
    } else {
        compose_data(call);
    }
    call->messages++;
}

/* ---- its pace ---- */

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the message after one at `now_ns` is due. */
static int64_t next_due(const struct call *call, int64_t now_ns)
{
    const struct device *device = call->line->device;
    int64_t interval_ns = plan_of(call)->interval_ns;

    if (call->messages <= plan_of(call)->baseline || device->is_burst[call->stream]) {
        return now_ns; /* what it has to begin with, and a burst, come at once */
    }
    return max_i64(call->due_ns + interval_ns, now_ns);
}

static bool may_compose(const struct call *call, int64_t now_ns)
{
    const struct device *device = call->line->device;

    return !call->is_over && !call->is_past && !call->status && !device->is_silent[call->stream] &&
           !device->run->is_still && call->due_ns <= now_ns;
}

static void wake(struct call *call)
{
    nghttp2_session_resume_data(call->line->session, call->id);
    sl_loop_defer(call->line->device->run->loop, &call->line->device->pump_due);
}

static void on_timer(void *arg)
{
    wake(arg);
}

static void rest(struct call *call, int64_t now_ns)
{
    int64_t wait_ns = max_i64(call->due_ns, call->slow_until_ns) - now_ns;

    if (!call->is_over && wait_ns > 0) {
        sl_timer_start(call->timer, (uint64_t)((wait_ns + MS(1) - 1) / MS(1)));
    }
}

/* ---- what goes out ---- */

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static void end_with_trailers(struct call *call, uint32_t *flags)
{
    const nghttp2_nv trailers[] = {field("grpc-status", call->status)};

    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    call->is_over = true;
    nghttp2_submit_trailer(call->line->session, call->id, trailers, SL_ARRAY_LEN(trailers));
}

/* What is left of the message that may go now. */
static size_t message_left(const struct call *call, int64_t now_ns)
{
    size_t len = call->message.len;

    if (call->is_half || now_ns < call->slow_until_ns) {
        len /= 2; /* and no further */
    }
    return len > call->sent ? len - call->sent : 0;
}

static size_t fill(struct call *call, uint8_t *to, size_t room)
{
    int64_t now_ns = sl_loop_now_ns(call->line->device->run->loop);
    size_t len = 0;

    for (int i = 0; i < MOST_AT_ONCE && len < room; i++) {
        if (call->sent == call->message.len && may_compose(call, now_ns)) {
            compose(call);
            call->due_ns = next_due(call, now_ns);
        }
        size_t part = sl_min_size(message_left(call, now_ns), room - len);
        if (part == 0) {
            break;
        }
        memcpy(to + len, call->message.data + call->sent, part);
        call->sent += part;
        len += part;
    }
    return len;
}

static ssize_t on_read_data(nghttp2_session *session, int32_t id, uint8_t *to, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    struct call *call = source->ptr;
    size_t len = fill(call, to, room);
    bool is_through = call->sent == call->message.len || call->is_half;

    (void)session;
    (void)id;
    (void)arg;
    if (len == 0 && call->status && !call->is_over && is_through) {
        end_with_trailers(call, flags);
        return 0;
    }
    if (len > 0) {
        return (ssize_t)len;
    }
    rest(call, sl_loop_now_ns(call->line->device->run->loop));
    return NGHTTP2_ERR_DEFERRED;
}

static void line_end(struct line *line)
{
    sl_conn_close(line->conn);
}

static void pump(struct line *line)
{
    if (line->is_pumping) {
        return;
    }
    line->is_pumping = true;
    while (!line->is_stuck) {
        const uint8_t *bytes;
        ssize_t len = nghttp2_session_mem_send(line->session, &bytes);
        if (len <= 0) {
            break;
        }
        line->is_stuck = !sl_conn_write(line->conn, bytes, (size_t)len);
    }
    line->is_pumping = false;
    if (!nghttp2_session_want_read(line->session) && !nghttp2_session_want_write(line->session)) {
        line_end(line);
    }
}

static void pump_all(void *arg)
{
    struct device *device = arg;

    SL_LIST_FOR_EACH(node, &device->lines)
    {
        pump(SL_CONTAINER_OF(node, struct line, node));
    }
}

/* ---- calls ---- */

static struct call *call_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static struct call *call_new(struct line *line, int32_t id)
{
    struct call *call = calloc(1, sizeof(*call));

    SL_ASSERT(call);
    call->line = line;
    call->id = id;
    call->stream = PLAN_STREAMS;
    call->window = line->first_window;
    call->timer = sl_timer_new(line->device->run->loop, on_timer, call);
    SL_ASSERT(call->timer);
    sl_list_init(&call->node);
    sl_list_append(&line->calls, &call->node);
    nghttp2_session_set_stream_user_data(line->session, id, call);
    return call;
}

static void call_free(struct call *call)
{
    sl_list_remove(&call->node);
    sl_timer_free(call->timer);
    sl_buf_fini(&call->request);
    sl_buf_fini(&call->message);
    free(call);
}

static void refuse(struct call *call, const char *status)
{
    const nghttp2_nv fields[] = {
        field(":status", "200"),
        field("content-type", "application/grpc"),
        field("grpc-status", status),
    };

    call->is_over = true;
    nghttp2_submit_response(call->line->session, call->id, fields, SL_ARRAY_LEN(fields), NULL);
}

static void respond(struct call *call)
{
    const nghttp2_nv fields[] = {
        field(":status", "200"),
        field("content-type", "application/grpc"),
    };
    const nghttp2_data_provider data = {.source = {.ptr = call}, .read_callback = on_read_data};

    call->due_ns = sl_loop_now_ns(call->line->device->run->loop);
    nghttp2_submit_response(call->line->session, call->id, fields, SL_ARRAY_LEN(fields), &data);
}

/* "s2m1" is asked for: stream 2. */
static unsigned stream_asked(const struct call *call)
{
    const uint8_t *bytes = (const uint8_t *)call->request.data;
    unsigned stream = PLAN_STREAMS;

    Gnmi__SubscribeRequest *request = gnmi__subscribe_request__unpack(
        NULL, call->request.len - PREFIX_BYTES, bytes + PREFIX_BYTES);
    if (request && request->request_case == GNMI__SUBSCRIBE_REQUEST__REQUEST_SUBSCRIBE &&
        request->subscribe->n_subscription > 0 &&
        request->subscribe->subscription[0]->path->n_elem > 0) {
        const char *name = request->subscribe->subscription[0]->path->elem[0]->name;
        if (sscanf(name, "s%u", &stream) != 1 || stream >= PLAN_STREAMS) {
            stream = PLAN_STREAMS;
        }
    }
    gnmi__subscribe_request__free_unpacked(request, NULL);
    return stream;
}

static bool is_request_whole(const struct call *call)
{
    const uint8_t *at = (const uint8_t *)call->request.data;

    return call->request.len >= PREFIX_BYTES &&
           call->request.len - PREFIX_BYTES >=
               ((size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4]);
}

/* Updates are numbered one after the other, so one call at a time makes some: the one on the
 * youngest connection, also where an older one's request was longer under way. */
static void supersede(struct device *device, struct call *newest)
{
    bool is_younger = false; /* than the one that the request came by */

    SL_LIST_FOR_EACH(line_node, &device->lines)
    {
        struct line *line = SL_CONTAINER_OF(line_node, struct line, node);
        SL_LIST_FOR_EACH(node, &line->calls)
        {
            struct call *call = SL_CONTAINER_OF(node, struct call, node);
            if (call != newest && call->stream == newest->stream) {
                *(is_younger ? &newest->is_past : &call->is_past) = true;
            }
        }
        is_younger = is_younger || line == newest->line;
    }
}

static void begin_subscribe(struct call *call)
{
    struct device *device = call->line->device;

    call->has_begun = true;
    if (device->lasting[FAULT_REFUSE_CALLS]) {
        cover_fault(device->run->cover, FAULT_REFUSE_CALLS);
        refuse(call, "14");
        return;
    }
    call->stream = stream_asked(call);
    if (call->stream == PLAN_STREAMS) {
        run_fail(device->run, "device d%u: a request that asks for nothing it has", device->index);
        return;
    }
    supersede(device, call);
    call->number = book_begin_call(device->run->book, device->index, call->stream);
    respond(call);
}

/* CapabilityResponse{supported_encodings: PROTO, gNMI_version: "0.10.0"}. */
static void answer_capabilities(struct call *call)
{
    struct device *device = call->line->device;

    call->has_begun = true;
    if (device->lasting[FAULT_NO_CAPABILITIES]) {
        cover_fault(device->run->cover, FAULT_NO_CAPABILITIES);
        return; /* nothing, for as long as it is waited for */
    }
    put_message(&call->message,
                "\x12\x01\x02\x1a\x06"
                "0.10.0",
                11);
    call->status = "0";
    respond(call);
}

static void note_request(struct call *call)
{
    if (call->has_begun || !is_request_whole(call)) {
        return;
    }
    if (call->is_subscribe) {
        begin_subscribe(call);
    } else {
        answer_capabilities(call);
    }
}

/* ---- what comes in ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)session;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        call_new(arg, frame->hd.stream_id);
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    static const char subscribe[] = "/gnmi.gNMI/Subscribe";
    struct call *call = call_of(session, frame->hd.stream_id);

    (void)flags;
    (void)arg;
    if (call && name_len == strlen(":path") && memcmp(name, ":path", name_len) == 0) {
        call->is_subscribe =
            value_len == strlen(subscribe) && memcmp(value, subscribe, value_len) == 0;
    }
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                         size_t len, void *arg)
{
    struct call *call = call_of(session, id);

    (void)flags;
    (void)arg;
    if (call) {
        sl_buf_add(&call->request, bytes, len);
        note_request(call);
    }
    return 0;
}

static void take_window(struct line *line, const nghttp2_window_update *update)
{
    struct call *call = call_of(line->session, update->hd.stream_id);

    if (update->hd.stream_id == 0) {
        line->window += update->window_size_increment;
    } else if (call) {
        call->window += update->window_size_increment;
    }
}

/* SETTINGS_INITIAL_WINDOW_SIZE changes the windows that there are, too (RFC 9113 section 6.9.2). */
static void take_settings(struct line *line, const nghttp2_settings *settings)
{
    for (size_t i = 0; i < settings->niv; i++) {
        if (settings->iv[i].settings_id != NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) {
            continue;
        }
        int32_t now = (int32_t)settings->iv[i].value;
        SL_LIST_FOR_EACH(node, &line->calls)
        {
            SL_CONTAINER_OF(node, struct call, node)->window += now - line->first_window;
        }
        line->first_window = now;
    }
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct line *line = arg;

    (void)session;
    if (frame->hd.type == NGHTTP2_WINDOW_UPDATE) {
        take_window(line, &frame->window_update);
    } else if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK)) {
        take_settings(line, &frame->settings);
    }
    return 0;
}

static void check_count(struct line *line, const struct call *call)
{
    int32_t theirs = nghttp2_session_get_stream_remote_window_size(line->session, call->id);

    if (call->window + call->overrun_bytes < 0 || call->window + call->overrun_bytes != theirs) {
        run_fail(line->device->run, "device d%u counts a window of %lld, nghttp2 %d",
                 line->device->index, (long long)call->window, theirs);
    }
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct line *line = arg;
    struct call *call = call_of(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_DATA) {
        line->window -= (int64_t)frame->hd.length;
        if (call) {
            call->window -= (int64_t)frame->hd.length;
            check_count(line, call);
        }
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
    struct call *call = call_of(session, id);

    (void)error;
    (void)arg;
    if (call) {
        call_free(call);
    }
    return 0;
}

static ssize_t on_padding(nghttp2_session *session, const nghttp2_frame *frame, size_t most,
                          void *arg)
{
    const struct line *line = arg;
    struct device *device = line->device;

    (void)session;
    if (frame->hd.type != NGHTTP2_DATA || !device->lasting[FAULT_PADDING]) {
        return (ssize_t)frame->hd.length;
    }
    size_t room = most - frame->hd.length;

    return (ssize_t)(frame->hd.length +
                     world_random_below(&device->random, sl_min_u64(room, 255) + 1));
}

static void on_line_read(struct sl_conn *conn, const uint8_t *bytes, size_t len, void *arg)
{
    struct line *line = arg;

    (void)conn;
    ssize_t taken = nghttp2_session_mem_recv(line->session, bytes, len);
    if (taken < 0 || (size_t)taken != len) {
        line_end(line);
        return;
    }
    pump(line);
}

static void on_line_drain(struct sl_conn *conn, void *arg)
{
    struct line *line = arg;

    (void)conn;
    line->is_stuck = false;
    pump(line);
}

static void on_line_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    struct line *line = arg;

    (void)conn;
    (void)why;
    while (!sl_list_is_empty(&line->calls)) {
        call_free(SL_CONTAINER_OF(line->calls.next, struct call, node));
    }
    sl_list_remove(&line->node);
    nghttp2_session_del(line->session);
    free(line);
}

static const struct sl_conn_events line_events = {
    .on_read = on_line_read,
    .on_drain = on_line_drain,
    .on_close = on_line_close,
};

/* SETTINGS_MAX_CONCURRENT_STREAMS: calls beyond it wait at the client. */
static void take_streams(struct line *line, uint32_t most)
{
    const nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most};

    nghttp2_submit_settings(line->session, NGHTTP2_FLAG_NONE, &entry, 1);
    sl_loop_defer(line->device->run->loop, &line->device->pump_due);
}

static nghttp2_session *session_new(struct line *line)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;

    SL_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_select_padding_callback(callbacks, on_padding);
    SL_ASSERT(nghttp2_session_server_new(&session, callbacks, line) == 0);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

static void on_accept(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    struct device *device = arg;
    struct line *line = calloc(1, sizeof(*line));

    (void)listener;
    SL_ASSERT(line);
    line->device = device;
    line->conn = conn;
    line->first_window = FIRST_WINDOW_BYTES;
    line->window = FIRST_WINDOW_BYTES;
    sl_list_init(&line->calls);
    sl_list_init(&line->node);
    sl_list_append(&device->lines, &line->node);
    line->session = session_new(line);
    sl_conn_set_events(conn, &line_events, line);
    if (device->lasting[FAULT_NO_SETTINGS]) {
        cover_fault(device->run->cover, FAULT_NO_SETTINGS);
        line->is_stuck = true; /* for good: it says nothing at all */
        return;
    }
    take_streams(line, device->lasting[FAULT_FEW_STREAMS] ? 1 : MANY_STREAMS);
    sl_loop_defer(device->run->loop, &device->pump_due);
}

/* ---- what goes wrong: the network ---- */

static void for_lines(struct device *device, void (*fn)(struct line *line))
{
    SL_LIST_FOR_EACH(node, &device->lines)
    {
        struct line *line = SL_CONTAINER_OF(node, struct line, node);
        if (!line->is_cut) {
            fn(line);
        }
    }
}

static void stall(struct line *line)
{
    world_stall(line->conn);
}

static void heal(struct line *line)
{
    world_heal(line->conn);
}

static void reset(struct line *line)
{
    world_reset(line->conn);
}

static void take_many(struct line *line)
{
    take_streams(line, MANY_STREAMS);
}

static void cut(struct line *line)
{
    world_stall(line->conn);
    line->is_cut = true;
}

/* The link as it is, with all that is wrong with it. */
static void change_link(struct device *device, uint64_t amount)
{
    struct world_link *link = &device->link;
    struct sl_address address;

    *link = device->plan->link;
    link->is_refusing = device->lasting[FAULT_REFUSE] > 0;
    link->is_silent = device->lasting[FAULT_NO_ANSWER] > 0;
    link->is_ragged = link->is_ragged || device->lasting[FAULT_RAGGED] > 0;
    if (device->lasting[FAULT_SLOW]) {
        link->bytes_per_s = 20 * 1000 + amount % (200 * 1000);
    }
    if (device->lasting[FAULT_LATENCY]) {
        link->latency_ns += MS(50 + amount % 500);
        link->jitter_ns = link->latency_ns;
    }
    device_address(device->index, &address);
    world_set_link(address.host, address.port, link);
}

/* ---- what goes wrong: what it says ---- */

static struct call *call_on(const struct device *device, unsigned stream)
{
    struct call *found = NULL;

    SL_LIST_FOR_EACH(line_node, &device->lines)
    {
        const struct line *line = SL_CONTAINER_OF(line_node, struct line, node);
        SL_LIST_FOR_EACH(node, &line->calls)
        {
            struct call *call = SL_CONTAINER_OF(node, struct call, node);
            if (call->stream == stream && !call->is_over && !call->is_past && !line->is_cut) {
                found = call; /* the newest */
            }
        }
    }
    return found;
}

static const char *status_of(uint64_t amount)
{
    static const char *const statuses[] = {"0", "1", "2", "4", "8", "10", "13", "14", "16"};

    return statuses[amount % SL_ARRAY_LEN(statuses)];
}

static void say_goaway(struct line *line, uint32_t error, const char *text, bool takes_none)
{
    int32_t last = takes_none ? 0 : nghttp2_session_get_last_proc_stream_id(line->session);

    line->is_going = true;
    nghttp2_submit_goaway(line->session, NGHTTP2_FLAG_NONE, last, error, (const uint8_t *)text,
                          strlen(text));
    pump(line);
}

static bool goaway(struct device *device, const struct plan_fault *fault)
{
    bool has_any = false;

    SL_LIST_FOR_EACH(node, &device->lines)
    {
        struct line *line = SL_CONTAINER_OF(node, struct line, node);
        if (line->is_cut) {
            continue;
        }
        has_any = true;
        if (fault->amount % 3 == 0) { /* the first of two: it will go soon */
            nghttp2_submit_shutdown_notice(line->session);
            pump(line);
        }
        if (fault->kind == FAULT_TOO_MANY_PINGS) {
            say_goaway(line, NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings", true);
        } else {
            bool is_error = fault->amount % 4 == 0;
            say_goaway(line, is_error ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_NO_ERROR, "bye", is_error);
        }
    }
    return has_any;
}

/* Those that said GOAWAY end what is under way, and hang up. */
static void leave(struct line *line)
{
    if (!line->is_going) {
        return;
    }
    SL_LIST_FOR_EACH(node, &line->calls)
    {
        struct call *call = SL_CONTAINER_OF(node, struct call, node);
        call->status = call->status ? call->status : "14";
        nghttp2_session_resume_data(line->session, call->id);
    }
    pump(line);
}

static void end_call(struct call *call, const char *status)
{
    call->status = status;
    wake(call);
}

static void break_off(struct call *call)
{
    if (call->sent == call->message.len) {
        compose(call);
    }
    call->is_half = true;
    end_call(call, "14");
}

static void reset_call(struct call *call, uint64_t amount)
{
    static const uint32_t codes[] = {NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM,
                                     NGHTTP2_NO_ERROR, NGHTTP2_ENHANCE_YOUR_CALM};

    call->is_over = true;
    nghttp2_submit_rst_stream(call->line->session, NGHTTP2_FLAG_NONE, call->id,
                              codes[amount % SL_ARRAY_LEN(codes)]);
    sl_loop_defer(call->line->device->run->loop, &call->line->device->pump_due);
}

/* Puts a frame between those of nghttp2. */
static void write_frame(struct line *line, uint8_t type, int32_t id, size_t len, size_t written)
{
    static const uint8_t zeros[MAX_FRAME_BYTES];
    const uint8_t head[FRAME_HEAD_BYTES] = {
        (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,       type,        0,
        (uint8_t)(id >> 24),  (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id,
    };

    bool has_left = sl_conn_write(line->conn, head, sizeof(head));
    has_left = sl_conn_write(line->conn, zeros, written) && has_left;
    line->is_stuck = line->is_stuck || !has_left;
}

/* More than it may, as far as it knows and a byte more than the core has granted at present; what
 * arrives within the window all the same is messages without content. Between two messages. */
static bool overrun(struct call *call)
{
    const struct device *device = call->line->device;
    struct sl_stream_view view;

    if (call->sent != call->message.len) {
        return false;
    }
    sl_stream_view(hub_stream(device->run->hub, device->index, call->stream), &view);
    size_t whole = view.granted_bytes / PREFIX_BYTES + 1;

    for (size_t left = whole * PREFIX_BYTES; left > 0;) {
        size_t len = sl_min_size(left, MAX_FRAME_BYTES);
        write_frame(call->line, NGHTTP2_DATA, call->id, len, len);
        call->window -= (int64_t)len;
        call->overrun_bytes += (int64_t)len;
        left -= len;
    }
    return true;
}

static void talk_garbage(struct line *line)
{
    write_frame(line, NGHTTP2_DATA, 1, 0xffffff, 100);
}

static bool fault_of_call(struct device *device, const struct plan_fault *fault)
{
    struct call *call = call_on(device, fault->stream);

    if (!call) {
        return false;
    }
    switch ((int)fault->kind) {
    case FAULT_RESET_STREAM:
        reset_call(call, fault->amount);
        return true;
    case FAULT_STATUS:
        end_call(call, status_of(fault->amount));
        return true;
    case FAULT_HALF_MESSAGE:
        break_off(call);
        return true;
    case FAULT_OVERRUN:
        return overrun(call);
    case FAULT_UNDECODABLE:
        device->is_undecodable[fault->stream] = true;
        return true;
    case FAULT_TOO_LARGE:
        device->is_too_large[fault->stream] = true;
        return true;
    case FAULT_SLOW_HUGE:
        device->slow_ns[fault->stream] = fault->lasts_ns;
        device->is_huge[fault->stream] = true;
        return true;
    case FAULT_HUGE:
        device->is_huge[fault->stream] = true;
        return true;
    default:
        return false;
    }
}

static void wake_all(struct device *device)
{
    SL_LIST_FOR_EACH(line_node, &device->lines)
    {
        struct line *line = SL_CONTAINER_OF(line_node, struct line, node);
        SL_LIST_FOR_EACH(node, &line->calls)
        {
            wake(SL_CONTAINER_OF(node, struct call, node));
        }
    }
}

static bool fault_of_link(struct device *device, const struct plan_fault *fault)
{
    bool has_lines = !sl_list_is_empty(&device->lines);

    switch ((int)fault->kind) {
    case FAULT_STALL:
        for_lines(device, stall);
        return has_lines;
    case FAULT_CUT:
        for_lines(device, cut);
        return has_lines;
    case FAULT_RESET:
        for_lines(device, reset);
        return has_lines;
    case FAULT_HANG_UP:
        for_lines(device, line_end);
        return has_lines;
    case FAULT_GARBAGE:
        for_lines(device, talk_garbage);
        return has_lines;
    case FAULT_FEW_STREAMS:
        for_lines(device, reset); /* so that calls begin */
        return true;
    default: /* shows when somebody dials */
        change_link(device, fault->amount);
        if (fault->kind == FAULT_REFUSE || fault->kind == FAULT_NO_ANSWER ||
            fault->kind == FAULT_NO_CAPABILITIES || fault->kind == FAULT_NO_SETTINGS) {
            for_lines(device, reset);
        }
        return true;
    }
}

bool device_fault(struct device *device, const struct plan_fault *fault)
{
    device->lasting[fault->kind]++;
    switch ((int)fault->kind) {
    case FAULT_GOAWAY:
    case FAULT_TOO_MANY_PINGS:
        return goaway(device, fault);
    case FAULT_SILENT_DEVICE:
        device->is_silent[fault->stream] = true;
        return true;
    case FAULT_BURST:
        device->is_burst[fault->stream] = true;
        wake_all(device);
        return true;
    case FAULT_RESET_STREAM:
    case FAULT_STATUS:
    case FAULT_HALF_MESSAGE:
    case FAULT_UNDECODABLE:
    case FAULT_TOO_LARGE:
    case FAULT_OVERRUN:
    case FAULT_HUGE:
    case FAULT_SLOW_HUGE:
        return fault_of_call(device, fault);
    default:
        return fault_of_link(device, fault);
    }
}

void device_heal(struct device *device, const struct plan_fault *fault)
{
    SL_ASSERT(device->lasting[fault->kind] > 0);
    device->lasting[fault->kind]--;
    switch ((int)fault->kind) {
    case FAULT_STALL:
        for_lines(device, heal);
        break;
    case FAULT_GOAWAY:
    case FAULT_TOO_MANY_PINGS:
        for_lines(device, leave);
        break;
    case FAULT_FEW_STREAMS:
        for_lines(device, take_many);
        break;
    case FAULT_CUT:
    case FAULT_NO_SETTINGS:
        device_sweep(device);
        break;
    case FAULT_SILENT_DEVICE:
        device->is_silent[fault->stream] = false;
        wake_all(device);
        break;
    case FAULT_BURST:
        device->is_burst[fault->stream] = false;
        break;
    default:
        change_link(device, fault->amount);
        break;
    }
}

void device_reset(struct device *device)
{
    for_lines(device, reset);
}

void device_sweep(struct device *device)
{
    SL_LIST_FOR_EACH(node, &device->lines)
    {
        struct line *line = SL_CONTAINER_OF(node, struct line, node);
        if (line->is_cut) {
            line_end(line);
        }
    }
}

/* ---- life ---- */

struct device *device_open(struct run *run, unsigned index)
{
    struct device *device = calloc(1, sizeof(*device));
    struct sl_listener_options options = {.accept = on_accept, .arg = device};
    struct sl_status why;

    SL_ASSERT(device);
    device->run = run;
    device->index = index;
    device->plan = &run->plan->devices[index];
    device->link = device->plan->link;
    device->pump_due = (struct sl_deferred){.fn = pump_all, .arg = device};
    sl_list_init(&device->lines);
    world_random_init(&device->random, run->plan->seed + index, "what a device says");
    device_address(index, &options.address);
    world_set_link(options.address.host, options.address.port, &device->link);
    device->listener = sl_listener_open(run->loop, &options, &why);
    SL_ASSERT(device->listener);
    return device;
}

void device_free(struct device *device)
{
    SL_ASSERT(sl_list_is_empty(&device->lines));
    sl_loop_cancel(device->run->loop, &device->pump_due);
    free(device);
}

void device_close(struct device *device)
{
    sl_listener_close(device->listener);
    SL_LIST_FOR_EACH(node, &device->lines)
    {
        line_end(SL_CONTAINER_OF(node, struct line, node));
    }
}

bool device_window(const struct device *device, unsigned stream, uint32_t number, int64_t *left)
{
    SL_LIST_FOR_EACH(line_node, &device->lines)
    {
        const struct line *line = SL_CONTAINER_OF(line_node, struct line, node);
        SL_LIST_FOR_EACH(node, &line->calls)
        {
            const struct call *call = SL_CONTAINER_OF(node, struct call, node);
            if (call->stream == stream && call->number == number && !call->is_over &&
                !line->is_cut) {
                *left = call->window;
                return true;
            }
        }
    }
    return false;
}
