/* A chat room: what anybody sends goes to everybody who is in.
 *
 * Notes stand on one board, and a participant is a place in it: one that does not read holds nobody
 * up and takes no memory but what the runtime lets it have unsent. When it reads again it gets the
 * latest BOARD_NOTES notes, and sees by their numbers how many it missed. */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "board.h"
#include "chat_room.pb-c.h"
#include "chat_room.services.h"
#include "services.h"

typedef Sluice__Test__ChatNote Note;

enum { MAX_PARTICIPANTS = 1000, NOTE_ROOM = 32 /* for number and field tags */ };

struct chat_room {
    struct sl_list participants;
    uint32_t participant_count;
    struct board board;
};

struct participant {
    struct sl_list node; /* of those in the room */
    struct chat_room *room;
    struct sl_grpc_call *call;
    uint64_t next; /* the note that it gets next */
};

/* ---- ChatStream ---- */

static void send_notes(struct participant *participant)
{
    const struct note *note;

    while ((note = board_read(&participant->room->board, &participant->next))) {
        if (sl_grpc_call_send_bytes(participant->call, note->bytes, note->len) != SL_GRPC_SENT) {
            return;
        }
        participant->next++;
    }
}

/* The response's headers tell the participant that from now on it misses nothing. */
static enum sl_grpc_take on_enter(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    struct participant *participant = arg;
    struct chat_room *room = participant->room;

    if (!*((const Sluice__Test__ChatEntry *)message)->name) {
        return refuse(call, SL_INVALID_ARGUMENT, "an empty name");
    }
    if (room->participant_count == MAX_PARTICIPANTS) {
        return refuse(call, SL_RESOURCE_EXHAUSTED, "the room is full");
    }
    if (sl_grpc_call_respond(call, NULL, 0)) {
        room->participant_count++;
        sl_list_append(&room->participants, &participant->node);
        participant->next = room->board.last + 1;
    }
    return SL_GRPC_TAKEN;
}

static void on_writable(struct sl_grpc_call *call, void *arg)
{
    struct participant *participant = arg;

    (void)call;
    if (!sl_list_is_empty(&participant->node)) {
        send_notes(participant);
    }
}

static void on_leave(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct participant *participant = arg;

    if (!sl_list_is_empty(&participant->node)) {
        participant->room->participant_count--;
        sl_list_remove(&participant->node);
    }
    free_call(call, status, participant);
}

static void chat_stream(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_enter,
        .on_writable = on_writable,
        .on_status = on_leave,
    };
    struct participant *participant = open_call(call, &events, sizeof(*participant));

    if (participant) {
        participant->room = arg;
        participant->call = call;
        sl_list_init(&participant->node);
    }
}

/* ---- SendNote ---- */

static enum sl_grpc_take on_note(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    struct chat_room *room = arg;
    Note note = *(const Note *)message;
    Sluice__Test__ChatReceipt receipt = SLUICE__TEST__CHAT_RECEIPT__INIT;

    if (!*note.name) {
        return refuse(call, SL_INVALID_ARGUMENT, "an empty name");
    }
    if (strlen(note.name) + strlen(note.text) + NOTE_ROOM > BOARD_NOTE_BYTES) {
        return refuse(call, SL_INVALID_ARGUMENT, "a note that long nobody reads");
    }
    note.number = room->board.last + 1;
    note.base.n_unknown_fields = 0;
    if (!board_add(&room->board, &note.base, 0)) {
        return refuse(call, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    SL_LIST_FOR_EACH(node, &room->participants)
    {
        send_notes(SL_CONTAINER_OF(node, struct participant, node));
    }
    receipt.number = note.number;
    receipt.participants = room->participant_count;
    reply(call, &receipt.base);
    return SL_GRPC_TAKEN;
}

static void send_note(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {.on_message = on_note};

    sl_grpc_call_set_events(call, &events, arg);
}

const struct sl_grpc_handler chat_room_handlers[] = {
    {&sluice__test__chat_room__methods[SLUICE__TEST__CHAT_ROOM__CHAT_STREAM], chat_stream},
    {&sluice__test__chat_room__methods[SLUICE__TEST__CHAT_ROOM__SEND_NOTE], send_note},
    {NULL, NULL},
};

struct chat_room *chat_room_new(void)
{
    struct chat_room *room = calloc(1, sizeof(*room));

    if (room) {
        sl_list_init(&room->participants);
    }
    return room;
}

void chat_room_free(struct chat_room *room)
{
    if (room) {
        SL_ASSERT(sl_list_is_empty(&room->participants));
        board_fini(&room->board);
        free(room);
    }
}
