/* UserManager: a database of users, and a chat with a clerk who says everything twice. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services.h"
#include "user_manager.pb-c.h"
#include "user_manager.services.h"

typedef Sluice__Test__UserRequest User_request;
typedef Sluice__Test__UserResponse User_response;
typedef Sluice__Test__ChatMessage Chat_message;

static const char *const names[] = {"Ada", "Blaise", "Charles", "Dorothy", "Edsger", "Frances"};

/* Users are numbered from 1. */
static bool is_known(int64_t id)
{
    return id >= 1 && id <= (int64_t)SL_ARRAY_LEN(names);
}

static enum sl_grpc_send send_user(struct sl_grpc_call *call, int64_t id, const char *name)
{
    Sluice__Test__User user = SLUICE__TEST__USER__INIT;
    User_response response = SLUICE__TEST__USER_RESPONSE__INIT;
    char copy[32];

    snprintf(copy, sizeof(copy), "%s", name);
    user.id = id;
    user.name = copy;
    response.user = &user;
    return sl_grpc_call_send(call, &response.base);
}

static enum sl_grpc_take refuse_id(struct sl_grpc_call *call, int64_t id)
{
    struct sl_status status = sl_status_error(SL_NOT_FOUND, "no user %" PRId64, id);

    sl_grpc_call_finish(call, &status);
    return SL_GRPC_TAKEN;
}

/* ---- get ---- */

static enum sl_grpc_take on_get(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                void *arg)
{
    int64_t id = ((const User_request *)message)->id;

    (void)arg;
    if (!is_known(id)) {
        return refuse_id(call, id);
    }
    if (send_user(call, id, names[id - 1]) == SL_GRPC_SENT) {
        finish(call);
    }
    return SL_GRPC_TAKEN;
}

static void get(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {.on_message = on_get};

    sl_grpc_call_set_events(call, &events, arg);
}

/* ---- get_server_stream ---- */

struct range {
    int64_t next; /* 0: not asked yet */
    int64_t last;
};

static void send_range(struct sl_grpc_call *call, void *arg)
{
    struct range *range = arg;

    if (!range->next) {
        return;
    }
    for (; range->next <= range->last; range->next++) {
        if (send_user(call, range->next, names[range->next - 1]) != SL_GRPC_SENT) {
            return;
        }
    }
    finish(call);
}

static enum sl_grpc_take on_get_range(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                      void *arg)
{
    int64_t id = ((const User_request *)message)->id;
    struct range *range = arg;

    if (id != 0 && !is_known(id)) {
        return refuse_id(call, id);
    }
    range->next = id ? id : 1;
    range->last = id ? id : (int64_t)SL_ARRAY_LEN(names);
    send_range(call, range);
    return SL_GRPC_TAKEN;
}

static void get_server_stream(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_get_range,
        .on_writable = send_range,
        .on_status = free_call,
    };

    (void)arg;
    open_call(call, &events, sizeof(struct range));
}

/* ---- get_client_stream ---- */

struct count {
    int64_t known;
    int64_t unknown;
};

static enum sl_grpc_take on_count(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    struct count *count = arg;

    (void)call;
    if (is_known(((const User_request *)message)->id)) {
        count->known++;
    } else {
        count->unknown++;
    }
    return SL_GRPC_TAKEN;
}

static void on_counted(struct sl_grpc_call *call, void *arg)
{
    const struct count *count = arg;
    Sluice__Test__User user = SLUICE__TEST__USER__INIT;
    User_response response = SLUICE__TEST__USER_RESPONSE__INIT;
    char error[32];

    user.id = count->known;
    response.user = &user;
    if (count->unknown) {
        snprintf(error, sizeof(error), "%" PRId64 " unknown", count->unknown);
        response.error = error;
    }
    reply(call, &response.base);
}

static void get_client_stream(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_count,
        .on_half_close = on_counted,
        .on_status = free_call,
    };

    (void)arg;
    open_call(call, &events, sizeof(struct count));
}

/* ---- connect_chat: of the two replies one may be sent and the other refused ---- */

struct chat {
    unsigned replies; /* to the message at hand */
};

static enum sl_grpc_send say(struct sl_grpc_call *call, const Chat_message *heard, char mark)
{
    Chat_message said = SLUICE__TEST__CHAT_MESSAGE__INIT;
    enum sl_grpc_send sent;

    if (asprintf(&said.message, "%s%c", heard->message, mark) < 0) {
        refuse(call, SL_RESOURCE_EXHAUSTED, "out of memory");
        return SL_GRPC_CLOSED;
    }
    said.id = heard->id;
    sent = sl_grpc_call_send(call, &said.base);
    free(said.message);
    return sent;
}

static enum sl_grpc_take on_chat(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    static const char marks[] = {'?', '!'};
    struct chat *chat = arg;

    for (; chat->replies < SL_ARRAY_LEN(marks); chat->replies++) {
        enum sl_grpc_send sent = say(call, (const Chat_message *)message, marks[chat->replies]);
        if (sent != SL_GRPC_SENT) {
            return taken_if(sent);
        }
    }
    chat->replies = 0;
    return SL_GRPC_TAKEN;
}

static void connect_chat(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_chat,
        .on_writable = resume,
        .on_half_close = finish_on_half_close,
        .on_status = free_call,
    };

    (void)arg;
    open_call(call, &events, sizeof(struct chat));
}

#define METHOD(name) &sluice__test__user_manager__methods[SLUICE__TEST__USER_MANAGER__##name]

const struct sl_grpc_handler user_manager_handlers[] = {
    {METHOD(GET), get},
    {METHOD(GET_SERVER_STREAM), get_server_stream},
    {METHOD(GET_CLIENT_STREAM), get_client_stream},
    {METHOD(CONNECT_CHAT), connect_chat},
    {NULL, NULL},
};
