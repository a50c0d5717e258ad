/* UserManager: what is there and what is not, and a conversation in turns. */
#include <inttypes.h>
#include <stdio.h>

#include "client.h"
#include "user_manager.pb-c.h"
#include "user_manager.services.h"

typedef Sluice__Test__UserRequest User_request;
typedef Sluice__Test__UserResponse User_response;
typedef Sluice__Test__ChatMessage Chat_message;

static User_request to_request(const char *word)
{
    User_request request = SLUICE__TEST__USER_REQUEST__INIT;

    request.id = to_number(word);
    return request;
}

static void print_user(const ProtobufCMessage *message)
{
    const Sluice__Test__User *user = ((const User_response *)message)->user;

    printf("%" PRId64 " %s\n", user ? user->id : 0, user ? user->name : "");
}

static void print_count(const ProtobufCMessage *message)
{
    const User_response *response = (const User_response *)message;
    const char *error = response->error;

    printf("%" PRId64 " known%s%s\n", response->user ? response->user->id : 0, *error ? ", " : "",
           error);
}

static struct sl_status get(struct client *client, const struct sl_grpc_request *request,
                            char **words)
{
    const User_request message = to_request(words[0]);

    return ask(client, request, &message.base, print_user);
}

static struct sl_status get_client_stream(struct client *client,
                                          const struct sl_grpc_request *request, char **words)
{
    struct sl_grpc_blocking *call = sl_grpc_blocking_open(client->channel, request);

    for (; call && *words; words++) {
        const User_request message = to_request(*words);
        if (!sl_grpc_blocking_send(call, &message.base)) {
            break;
        }
    }
    return finish(call, print_count);
}

/* ---- the next message when both replies to the last are there ---- */

enum { REPLIES = 2 };

struct chat {
    struct client *client;
    char **words;
    int64_t said;
    int64_t heard;
};

static void say_next(struct sl_grpc_call *call, void *arg)
{
    struct chat *chat = arg;
    Chat_message message = SLUICE__TEST__CHAT_MESSAGE__INIT;

    if (chat->heard < REPLIES * chat->said) {
        return;
    }
    if (!*chat->words) {
        sl_grpc_call_half_close(call);
        return;
    }
    message.id = chat->said + 1;
    message.message = *chat->words;
    if (sl_grpc_call_send(call, &message.base) == SL_GRPC_SENT) {
        chat->said++;
        chat->words++;
    }
}

static enum sl_grpc_take on_reply(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    const Chat_message *heard = (const Chat_message *)message;
    struct chat *chat = arg;

    printf("%" PRId64 " %s\n", heard->id, heard->message);
    chat->heard++;
    say_next(call, chat);
    return SL_GRPC_TAKEN;
}

static struct sl_status connect_chat(struct client *client, const struct sl_grpc_request *request,
                                     char **words)
{
    static const struct sl_grpc_call_events events = {
        .on_writable = say_next,
        .on_message = on_reply,
        .on_status = end_call,
    };
    struct chat chat = {.client = client, .words = words};

    return run_call(client, request, &events, &chat);
}

#define METHOD(name) &sluice__test__user_manager__methods[SLUICE__TEST__USER_MANAGER__##name]

const struct command user_manager_commands[] = {
    {METHOD(GET), NULL, "ID", 1, 1, get},
    {METHOD(GET_SERVER_STREAM), NULL, "ID", 1, 1, get},
    {METHOD(GET_CLIENT_STREAM), NULL, "ID...", 0, ANY_WORDS, get_client_stream},
    {METHOD(CONNECT_CHAT), NULL, "TEXT...", 0, ANY_WORDS, connect_chat},
    {NULL, NULL, NULL, 0, 0, NULL},
};
