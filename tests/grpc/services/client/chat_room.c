/* A chat room: to listen, and to say something. crowd.c has many listeners. */
#include <inttypes.h>
#include <stdio.h>

#include "chat_room.pb-c.h"
#include "chat_room.services.h"
#include "client.h"

struct listener {
    struct client *client;
    Sluice__Test__ChatEntry entry;
    int64_t wanted; /* notes; 0: all */
};

static void enter(struct sl_grpc_call *call, void *arg)
{
    const struct listener *listener = arg;

    if (sl_grpc_call_send(call, &listener->entry.base) == SL_GRPC_SENT) {
        sl_grpc_call_half_close(call);
    }
}

static void on_entered(struct sl_grpc_call *call, void *arg)
{
    (void)call;
    (void)arg;
    puts("entered");
    fflush(stdout);
}

static enum sl_grpc_take on_note(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    const Sluice__Test__ChatNote *note = (const Sluice__Test__ChatNote *)message;
    struct listener *listener = arg;

    printf("%" PRIu64 " %s: %s\n", note->number, note->name, note->text);
    fflush(stdout);
    if (--listener->wanted == 0) {
        sl_grpc_call_cancel(call);
    }
    return SL_GRPC_TAKEN;
}

static struct sl_status chat_stream(struct client *client, const struct sl_grpc_request *request,
                                    char **words)
{
    static const struct sl_grpc_call_events events = {
        .on_writable = enter,
        .on_headers = on_entered,
        .on_message = on_note,
        .on_status = end_call,
    };
    struct listener listener = {client, SLUICE__TEST__CHAT_ENTRY__INIT, 0};

    listener.entry.name = words[0];
    listener.wanted = words[1] ? to_number(words[1]) : 0;
    return run_call(client, request, &events, &listener);
}

static void print_receipt(const ProtobufCMessage *message)
{
    const Sluice__Test__ChatReceipt *receipt = (const Sluice__Test__ChatReceipt *)message;

    printf("%" PRIu64 " %" PRIu32 "\n", receipt->number, receipt->participants);
}

static struct sl_status send_note(struct client *client, const struct sl_grpc_request *request,
                                  char **words)
{
    Sluice__Test__ChatNote note = SLUICE__TEST__CHAT_NOTE__INIT;

    note.name = words[0];
    note.text = words[1];
    return ask(client, request, &note.base, print_receipt);
}

#define METHOD(name) &sluice__test__chat_room__methods[SLUICE__TEST__CHAT_ROOM__##name]

const struct command chat_room_commands[] = {
    {METHOD(CHAT_STREAM), NULL, "NAME [NOTES]", 1, 2, chat_stream},
    {METHOD(SEND_NOTE), NULL, "NAME TEXT", 2, 2, send_note},
    {NULL, NULL, NULL, 0, 0, NULL},
};
