/* Yes: as many replies as are wanted, as slowly as is wanted.
 *
 * What the reader puts on HOLD the runtime keeps, within the window that it gave the server; so the
 * server is held back, however long this takes. */
#include <stdio.h>

#include "client.h"
#include "yes.pb-c.h"
#include "yes.services.h"

struct listener {
    struct client *client;
    struct sl_grpc_call *call;
    struct sl_timer *pause; /* between two replies; NULL: none */
    uint64_t pause_ms;
    int64_t wanted;
    Sluice__Test__YesRequest message;
};

static void ask_once(struct sl_grpc_call *call, void *arg)
{
    const struct listener *listener = arg;

    if (sl_grpc_call_send(call, &listener->message.base) == SL_GRPC_SENT) {
        sl_grpc_call_half_close(call);
    }
}

static enum sl_grpc_take on_reply(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    struct listener *listener = arg;

    listener->call = call;
    if (listener->pause && sl_timer_is_armed(listener->pause)) {
        return SL_GRPC_HOLD;
    }
    puts(((const Sluice__Test__YesReply *)message)->message);
    fflush(stdout);
    if (--listener->wanted == 0) {
        sl_grpc_call_cancel(call);
    } else if (listener->pause) {
        sl_timer_start(listener->pause, listener->pause_ms);
    }
    return SL_GRPC_TAKEN;
}

static void on_pause_over(void *arg)
{
    struct listener *listener = arg;

    sl_grpc_call_resume(listener->call);
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct listener *listener = arg;

    if (listener->pause) {
        sl_timer_stop(listener->pause);
    }
    end_call(call, status, arg);
}

static struct sl_status yes(struct client *client, const struct sl_grpc_request *request,
                            char **words)
{
    static const struct sl_grpc_call_events events = {
        .on_writable = ask_once,
        .on_message = on_reply,
        .on_status = on_status,
    };
    struct listener listener = {
        .client = client,
        .wanted = to_number(words[0]),
        .message = SLUICE__TEST__YES_REQUEST__INIT,
    };

    struct sl_status status;

    if (words[1]) {
        listener.message.message = words[1];
    }
    if (words[1] && words[2]) {
        listener.pause_ms = (uint64_t)to_number(words[2]);
        listener.pause = sl_timer_new(client->loop, on_pause_over, &listener);
    }
    status = run_call(client, request, &events, &listener);
    sl_timer_free(listener.pause);
    return status;
}

const struct command yes_commands[] = {
    {&sluice__test__yes__methods[SLUICE__TEST__YES__YES], NULL, "COUNT [TEXT [PAUSE-MS]]", 1, 3,
     yes},
    {&sluice__test__yes__methods[SLUICE__TEST__YES__YES_WITH_FC], NULL, "COUNT [TEXT [PAUSE-MS]]",
     1, 3, yes},
    {NULL, NULL, NULL, 0, 0, NULL},
};
