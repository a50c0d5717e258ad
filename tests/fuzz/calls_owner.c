#include "calls_owner.h"

#include <string.h>

#include <google/protobuf/descriptor.pb-c.h>

enum { LARGE_BYTES = 40 * 1000 };

typedef Google__Protobuf__UninterpretedOption__NamePart text_message;

/* ---- events ---- */

/* The call is alive, and this is one of its events. */
static struct own *check(struct sl_grpc_call *call, void *arg)
{
    struct own *own = arg;

    SL_ASSERT(own->call == call && !own->is_ending && !own->is_decided);
    return own;
}

static void perhaps_act(struct own *own)
{
    if (steer(own->bench) % 8 == 7) {
        owner_act(own);
    }
}

static void on_open(struct sl_grpc_call *call, void *arg)
{
    struct own *own = check(call, arg);

    SL_ASSERT(!own->is_open && !own->bench->is_server);
    own->is_open = true;
    perhaps_act(own);
}

static void on_headers(struct sl_grpc_call *call, void *arg)
{
    struct own *own = check(call, arg);

    SL_ASSERT(own->is_open && !own->has_headers && !own->bench->is_server);
    own->has_headers = true;
    perhaps_act(own);
}

static bool on_received(struct sl_grpc_call *call, uint32_t len, void *arg)
{
    struct own *own = check(call, arg);

    (void)len;
    perhaps_act(own);
    return steer(own->bench) != 255;
}

static uint32_t max_message_bytes(const struct sl_grpc_call *call, void *arg)
{
    const struct own *own = arg;

    SL_ASSERT(own->call == call && !own->is_ending);
    return own->max_message_bytes;
}

static enum sl_grpc_take take(struct own *own)
{
    SL_ASSERT(own->bench->is_server || own->is_open);
    SL_ASSERT(!own->is_half_closed);
    perhaps_act(own);
    uint8_t answer = steer(own->bench);
    own->held_window = sl_h2_stream_window(sl_grpc_call_stream(own->call));
    return answer == 255 ? SL_GRPC_STOP : answer % 8 == 6 ? SL_GRPC_HOLD : SL_GRPC_TAKEN;
}

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                    void *arg)
{
    struct own *own = check(call, arg);

    SL_ASSERT(message->descriptor ==
              (own->bench->is_server ? own->method->input : own->method->output));
    return take(own);
}

static enum sl_grpc_take on_bytes(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length,
                                  void *arg)
{
    struct own *own = check(call, arg);
    uint32_t plain = SL_GRPC_PREFIX_BYTES + length;

    SL_ASSERT(length <= own->max_message_bytes);
    SL_ASSERT(sl_grpc_call_was_compressed(call) || sl_grpc_call_wire_bytes(call) == plain);
    SL_ASSERT(!length || bytes[0] <= UINT8_MAX); /* it is there, a sanitizer sees that */
    return take(own);
}

static void on_half_close(struct sl_grpc_call *call, void *arg)
{
    struct own *own = check(call, arg);

    SL_ASSERT(!own->is_half_closed);
    own->is_half_closed = true;
    perhaps_act(own);
}

static void on_writable(struct sl_grpc_call *call, void *arg)
{
    perhaps_act(check(call, arg));
}

static const char own_words[] = "so\n it \xe2\x98\xba is";

static void assert_status(const struct sl_status *status)
{
    SL_ASSERT((int)status->code < SL_CODES);
    SL_ASSERT(strnlen(status->text, sizeof(status->text)) < sizeof(status->text));
    for (const char *at = status->text; *at && strcmp(status->text, own_words) != 0; at++) {
        SL_ASSERT(*at >= ' ' && *at <= '~');
    }
    SL_ASSERT(status->code == SL_OK || status->text[0]);
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct own *own = arg;
    struct bench *bench = own->bench;
    struct sl_grpc_field field;
    size_t at = 0;

    SL_ASSERT(own->call == call && !own->is_ending);
    own->is_ending = true;
    assert_status(status);
    while (sl_grpc_metadata_next(sl_grpc_call_trailers(call), &at, &field)) {
        SL_ASSERT(!bench->is_server && field.name.len);
    }
    SL_ASSERT(!sl_grpc_call_status_message(call).len || !bench->is_server);
    SL_ASSERT(!sl_grpc_call_status_details(call).len || !bench->is_server);
    *own = (struct own){.bench = bench};
}

static const struct sl_grpc_call_events byte_events = {
    .on_open = on_open,
    .on_headers = on_headers,
    .on_received = on_received,
    .max_message_bytes = max_message_bytes,
    .on_bytes = on_bytes,
    .on_half_close = on_half_close,
    .on_writable = on_writable,
    .on_status = on_status,
};

static const struct sl_grpc_call_events message_events = {
    .on_open = on_open,
    .on_headers = on_headers,
    .on_received = on_received,
    .max_message_bytes = max_message_bytes,
    .on_message = on_message,
    .on_half_close = on_half_close,
    .on_writable = on_writable,
    .on_status = on_status,
};

/* ---- calls begin ---- */

static struct own *free_own(struct bench *bench)
{
    for (size_t i = 0; i < CALLS; i++) {
        if (!bench->calls[i].call) {
            bench->calls[i] = (struct own){.bench = bench};
            return &bench->calls[i];
        }
    }
    return NULL;
}

static const struct sl_grpc_call_events *begin(struct own *own, const struct sl_grpc_method *method)
{
    uint8_t how = steer(own->bench);

    own->method = method;
    own->max_message_bytes = how & 2 ? 8u * how : SL_GRPC_MAX_MESSAGE_BYTES;
    return how & 1 && own->bench->used_context ? &message_events : &byte_events;
}

static void on_call(struct sl_grpc_call *call, void *arg)
{
    struct bench *bench = arg;
    struct own *own = free_own(bench);
    struct sl_status full = sl_status_error(SL_RESOURCE_EXHAUSTED, "too many calls");

    if (!own) {
        sl_grpc_call_finish(call, &full);
        return;
    }
    own->call = call;
    sl_grpc_call_set_events(call, begin(own, sl_grpc_call_method(call)), own);
    perhaps_act(own);
}

#define NOTE                                                                                       \
    .input = &google__protobuf__uninterpreted_option__descriptor,                                  \
    .output = &google__protobuf__uninterpreted_option__descriptor

static const struct sl_grpc_method methods[] = {
    {.name = "U", .path = "/f.F/U", NOTE},
    {.name = "S", .path = "/f.F/S", .server_streams = true, NOTE},
    {.name = "C", .path = "/f.F/C", .client_streams = true, NOTE},
    {.name = "B", .path = "/f.F/B", .client_streams = true, .server_streams = true, NOTE},
};

const struct sl_grpc_handler owner_handlers[] = {
    {&methods[0], on_call}, {&methods[1], on_call}, {&methods[2], on_call},
    {&methods[3], on_call}, {NULL, NULL},
};

static const struct sl_grpc_field good_fields[] = {
    {{"color", 5}, {"red", 3}, false},
    {{"a-bin", 5}, {"\0\1\2", 3}, true},
};
static const struct sl_grpc_field bad_field = {{"te", 2}, {"x", 1}, false};

static void read_fields(uint8_t how, const struct sl_grpc_field **fields, size_t *count)
{
    *fields = how % 16 == 15 ? &bad_field : good_fields;
    *count = how % 16 == 15 ? 1 : how % 3;
}

void owner_open_call(struct bench *bench)
{
    struct own *own = bench->is_server ? NULL : free_own(bench);
    uint8_t how = steer(bench);
    bool is_waiting = how & 4 && bench->loop;
    struct sl_grpc_request request = {
        .method = &methods[how % 4],
        .authority = "x",
        .user_agent = how & 8 ? "fuzz" : "",
        .timeout_ns = how & 16 && bench->loop ? steer(bench) * (uint64_t)SL_NS_PER_MS : 0,
        .encoding = how & 32 && bench->used_context ? SL_GRPC_GZIP : SL_GRPC_IDENTITY,
        .manual_credit = how & 64,
        .identity_only = how & 128,
        .context = bench->used_context,
    };

    if (!own) {
        return;
    }
    read_fields(steer(bench), &request.metadata, &request.metadata_count);
    const struct sl_grpc_call_events *events = begin(own, request.method);
    own->is_manual = request.manual_credit;
    own->call = is_waiting ? sl_grpc_call_prepare(&request, events, own, &bench->owner)
                           : sl_grpc_call_open(bench->session, &request, events, own);
    if (own->call && is_waiting) {
        sl_list_append(&bench->waiting, &own->call->node);
    }
    own->is_decided = own->call && request.metadata == &bad_field && bench->loop;
    bench->own_sent += 400;
}

/* ---- calls that wait ---- */

static struct own *own_of(struct bench *bench, const struct sl_grpc_call *call)
{
    for (size_t i = 0; i < CALLS; i++) {
        if (bench->calls[i].call == call) {
            return &bench->calls[i];
        }
    }
    return NULL;
}

static bool on_unprocessed(struct sl_grpc_call *call, bool is_moved, void *arg)
{
    struct bench *bench = arg;
    struct own *own = own_of(bench, call);

    SL_ASSERT(own && !own->is_decided && !own->has_headers);
    SL_ASSERT(!own->has_lost && (!is_moved || !own->is_open));
    if (steer(bench) % 2) {
        return false;
    }
    own->is_open = false;
    sl_list_append(&bench->waiting, &call->node);
    return true;
}

static void on_gone(struct sl_grpc_call *call, void *arg)
{
    SL_ASSERT(own_of(arg, call) && sl_list_is_empty(&call->node));
}

const struct sl_grpc_owner owner_of_waiting = {on_unprocessed, on_gone, NULL};

void owner_start_waiting(struct bench *bench)
{
    struct sl_status why = sl_status_error(SL_UNAVAILABLE, "nobody there");

    SL_LIST_FOR_EACH(node, &bench->waiting)
    {
        struct sl_grpc_call *call = SL_CONTAINER_OF(node, struct sl_grpc_call, node);
        bench->own_sent += 400 + 2 * sl_grpc_call_unsent(call);
        if (!sl_grpc_call_is_over(call) && !sl_grpc_call_start(call, bench->session)) {
            sl_grpc_call_abandon(call, &why);
        }
        return;
    }
}

void owner_abandon_waiting(struct bench *bench)
{
    struct sl_status why = sl_status_error(SL_UNAVAILABLE, "nobody there");

    while (!sl_list_is_empty(&bench->waiting)) {
        sl_grpc_call_abandon(SL_CONTAINER_OF(bench->waiting.next, struct sl_grpc_call, node), &why);
    }
}

/* ---- what an owner does ---- */

static void note_send(struct own *own, enum sl_grpc_send sent, size_t len)
{
    SL_ASSERT(sent == SL_GRPC_CLOSED || (!own->is_decided && !own->is_finished));
    own->has_lost = own->has_lost || (sent == SL_GRPC_CLOSED && !own->is_finished);
    own->has_responded = true;
    own->bench->own_sent += 500 + 2 * len;
}

static void send_bytes(struct own *own)
{
    static const char bytes[LARGE_BYTES];
    uint8_t how = steer(own->bench);
    uint32_t len = how < 250 ? how : LARGE_BYTES;

    sl_grpc_call_set_compressed(own->call, how % 2);
    note_send(own, sl_grpc_call_send_bytes(own->call, bytes, len), len);
}

static void send_message(struct own *own)
{
    text_message message = GOOGLE__PROTOBUF__UNINTERPRETED_OPTION__NAME_PART__INIT;
    char text[LARGE_BYTES / 10];
    size_t len = steer(own->bench);

    len = len < 200 ? len : sizeof(text) - 1;
    memset(text, 'x', len);
    text[len] = '\0';
    message.name_part = text;
    note_send(own, sl_grpc_call_send(own->call, &message.base), len);
}

static void cancel(struct own *own)
{
    sl_grpc_call_cancel(own->call);
    own->is_decided = true;
}

static void fail(struct own *own)
{
    struct sl_status why = sl_status_error(steer(own->bench) % SL_CODES, "%s", own_words);

    sl_grpc_call_fail(own->call, &why);
    own->is_decided = own->is_decided || !own->bench->is_server || !own->is_finished;
    own->is_finished = own->is_finished || own->bench->is_server;
    own->bench->own_sent += 400;
}

static void end(struct own *own)
{
    struct bench *bench = own->bench;
    uint8_t how = steer(bench);
    struct sl_grpc_end all = {.code = how % SL_CODES,
                              .message = fuzz_bytes(&bench->steering, how / 16)};

    if (!bench->is_server) {
        sl_grpc_call_half_close(own->call);
    } else if (how & 8) {
        read_fields(steer(bench), &all.trailers, &all.trailer_count);
        all.details = all.message;
        sl_grpc_call_finish_with(own->call, &all);
    } else {
        struct sl_status status = how & 4 ? sl_status_error(all.code, "done") : sl_status_ok();
        sl_grpc_call_finish(own->call, &status);
    }
    own->is_finished = true;
    bench->own_sent += 600;
}

static void respond(struct own *own)
{
    const struct sl_grpc_field *fields;
    size_t count;

    if (!own->bench->is_server) {
        return;
    }
    read_fields(steer(own->bench), &fields, &count);
    bool is_over = own->is_finished || own->is_decided;
    if (!own->has_responded && steer(own->bench) % 2) {
        sl_grpc_call_set_encoding(own->call, SL_GRPC_GZIP);
    }
    bool is_done = sl_grpc_call_respond(own->call, fields, count);
    SL_ASSERT(!is_done || (!is_over && fields != &bad_field));
    if (!is_over && !own->has_responded && fields == &bad_field) {
        own->is_decided = true;
        own->is_finished = true;
    }
    own->has_responded = true;
    own->bench->own_sent += 600;
}

static void grant(struct own *own)
{
    uint32_t bytes = 64u * steer(own->bench);

    if (own->is_manual) {
        sl_grpc_call_grant(own->call, bytes);
        own->granted_bytes += bytes;
    }
    own->bench->own_sent += 20;
}

static void resume(struct own *own)
{
    sl_grpc_call_resume(own->call);
}

static void look(struct own *own)
{
    struct sl_grpc_call *call = own->call;
    struct sl_grpc_field field;
    uint64_t left_ns;
    size_t at = 0;

    SL_ASSERT(sl_grpc_call_method(call) == own->method);
    SL_ASSERT(!sl_grpc_call_time_left(call, &left_ns) || own->bench->loop);
    SL_ASSERT(sl_grpc_call_unsent(call) <= SL_H2_SEND_BUFFER_BYTES);
    SL_ASSERT(!sl_grpc_call_is_ready(call) || (!own->is_decided && !own->is_finished));
    SL_ASSERT(sl_grpc_call_missing(call) <= own->max_message_bytes + SL_GRPC_PREFIX_BYTES);
    while (sl_grpc_metadata_next(sl_grpc_call_headers(call), &at, &field)) {
        SL_ASSERT(own->bench->is_server || own->is_open);
    }
    if (own->bench->is_server && sl_grpc_call_await_sent(call)) {
        SL_ASSERT(sl_grpc_call_unsent(call) > 0);
    }
}

void owner_act(struct own *own)
{
    static void (*const actions[])(struct own *) = {send_bytes, send_message, end,   respond,
                                                    grant,      resume,       look,  fail,
                                                    send_bytes, resume,       grant, cancel};

    actions[steer(own->bench) % SL_ARRAY_LEN(actions)](own);
}
