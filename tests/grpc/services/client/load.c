/* Many calls at a time, on many connections.
 *
 *     load CONNECTIONS CALLS         greets on CALLS calls of each connection; when all have been
 *                                    answered, and so all are open at once, they may end
 *     crowd LISTENERS MUTE FIRST LAST
 *                                    enters the chat room with LISTENERS, of which MUTE do not read
 *                                    before all others have the notes FIRST to LAST; says each 500
 *                                    notes when all others have them
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chat_room.pb-c.h"
#include "chat_room.services.h"
#include "client.h"
#include "hello.pb-c.h"
#include "hello.services.h"

enum { LISTENERS_A_CONNECTION = 50, NOTES_A_LINE = 500 };

struct load {
    struct client *client;
    struct member *members;
    size_t count;
    size_t answered;
    size_t ended;
    struct sl_status failure; /* the first */
    /* crowd */
    uint64_t first;
    uint64_t last;
    size_t mute;
    size_t done;
    uint64_t mark; /* the note that is waited for */
    size_t passed; /* listeners that have it */
    uint64_t missed;
};

struct member {
    struct load *load;
    struct sl_grpc_call *call;
    uint64_t next; /* note */
    bool is_mute;
    bool is_done;
};

static void end(struct load *load, const struct sl_status *status)
{
    if (!sl_status_is_ok(status) && sl_status_is_ok(&load->failure)) {
        load->failure = *status;
    }
    if (++load->ended == load->count) {
        sl_loop_stop(load->client->loop);
    }
}

/* Opens the calls of all members, sends `message` on each, and runs until all have ended. */
static struct sl_status run(struct load *load, size_t connections, size_t calls,
                            const struct sl_grpc_request *request,
                            const struct sl_grpc_call_events *events,
                            const ProtobufCMessage *message)
{
    struct sl_grpc_channel **channels = open_channels(load->client, connections);

    load->failure = sl_status_ok();
    if (!channels || !load->members) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for %zu calls", load->count);
    }
    for (size_t i = 0; i < load->count; i++) {
        struct member *member = &load->members[i];
        member->load = load;
        member->call = sl_grpc_channel_call(channels[i / calls], request, events, member);
        if (!member->call || sl_grpc_call_send(member->call, message) != SL_GRPC_SENT) {
            load->failure = sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory for a call");
            load->count = i + (member->call != NULL);
            break;
        }
    }
    if (load->ended < load->count) {
        sl_loop_run(load->client->loop);
    }
    close_channels(channels, connections);
    return load->failure;
}

/* ---- load ---- */

static enum sl_grpc_take on_answer(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                   void *arg)
{
    const struct member *member = arg;
    struct load *load = member->load;

    (void)call;
    (void)message;
    if (++load->answered == load->count) {
        printf("open %zu\n", load->answered);
        fflush(stdout);
        for (size_t i = 0; i < load->count; i++) {
            sl_grpc_call_half_close(load->members[i].call);
        }
    }
    return SL_GRPC_TAKEN;
}

static void on_greeted(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    const struct member *member = arg;

    (void)call;
    end(member->load, status);
}

static struct sl_status greet_all(struct client *client, const struct sl_grpc_request *request,
                                  char **words)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_answer,
        .on_status = on_greeted,
    };
    size_t connections = (size_t)to_number(words[0]);
    size_t calls = (size_t)to_number(words[1]);
    struct load load = {.client = client, .count = connections * calls};
    Sluice__Test__HelloRequest message = SLUICE__TEST__HELLO_REQUEST__INIT;
    struct sl_status status;

    load.members = calloc(load.count + 1, sizeof(*load.members));
    message.greeting = words[0];
    status = run(&load, connections, calls, request, &events, &message.base);
    printf("ended %zu\n", load.ended);
    free(load.members);
    return status;
}

/* ---- crowd ---- */

static void on_entered(struct sl_grpc_call *call, void *arg)
{
    const struct member *member = arg;
    struct load *load = member->load;

    (void)call;
    if (++load->answered == load->count) {
        puts("entered");
        fflush(stdout);
    }
}

static void wake_mute(struct load *load)
{
    for (size_t i = 0; i < load->mute; i++) {
        load->members[i].is_mute = false;
        sl_grpc_call_resume(load->members[i].call);
    }
}

static void end_listening(struct load *load, struct member *member)
{
    member->is_done = true;
    sl_grpc_call_cancel(member->call);
    if (++load->done == load->count - load->mute || load->done == load->count) {
        printf("%zu listeners missed %" PRIu64 "\n", load->done, load->missed);
        fflush(stdout);
    }
    if (load->done == load->count - load->mute) {
        wake_mute(load);
    }
}

/* Says when those who read have all come so far. */
static void pass_mark(struct load *load, uint64_t from, uint64_t to)
{
    if (from <= load->mark && load->mark < to && ++load->passed == load->count - load->mute) {
        printf("all at %" PRIu64 "\n", load->mark);
        fflush(stdout);
        load->mark += NOTES_A_LINE;
        load->passed = 0;
    }
}

static enum sl_grpc_take on_note(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    uint64_t number = ((const Sluice__Test__ChatNote *)message)->number;
    struct member *member = arg;
    struct load *load = member->load;

    (void)call;
    if (member->is_mute) {
        return SL_GRPC_HOLD;
    }
    uint64_t from = sl_max_u64(member->next, load->first);
    load->missed += number - from;
    member->next = number + 1;
    pass_mark(load, from, member->next);
    if (number == load->last) {
        end_listening(load, member);
    }
    return SL_GRPC_TAKEN;
}

static void on_left(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    const struct member *member = arg;
    struct sl_status ok = sl_status_ok();

    (void)call;
    end(member->load, member->is_done ? &ok : status);
}

static struct sl_status listen_all(struct client *client, const struct sl_grpc_request *request,
                                   char **words)
{
    static const struct sl_grpc_call_events events = {
        .on_headers = on_entered,
        .on_message = on_note,
        .on_status = on_left,
    };
    struct load load = {
        .client = client,
        .count = (size_t)to_number(words[0]),
        .mute = (size_t)to_number(words[1]),
        .first = (uint64_t)to_number(words[2]),
        .last = (uint64_t)to_number(words[3]),
    };
    load.mark = load.first + NOTES_A_LINE - 1;
    size_t connections = (load.count + LISTENERS_A_CONNECTION - 1) / LISTENERS_A_CONNECTION;
    Sluice__Test__ChatEntry message = SLUICE__TEST__CHAT_ENTRY__INIT;
    struct sl_status status;

    load.members = calloc(load.count + 1, sizeof(*load.members));
    for (size_t i = 0; load.members && i < load.mute && i < load.count; i++) {
        load.members[i].is_mute = true;
    }
    message.name = words[0];
    status = run(&load, connections, LISTENERS_A_CONNECTION, request, &events, &message.base);
    free(load.members);
    return status;
}

const struct command load_commands[] = {
    {&sluice__test__hello_service__methods[SLUICE__TEST__HELLO_SERVICE__BIDI_HELLO], "load",
     "CONNECTIONS CALLS", 2, 2, greet_all},
    {&sluice__test__chat_room__methods[SLUICE__TEST__CHAT_ROOM__CHAT_STREAM], "crowd",
     "LISTENERS MUTE FIRST LAST", 4, 4, listen_all},
    {NULL, NULL, NULL, 0, 0, NULL},
};
