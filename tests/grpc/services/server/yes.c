/* Yes: replies without end, to a reader that may be slow.
 *
 * The runtime takes only so much that has not left, and what leaves is what the reader's window
 * lets through: a send beyond that is refused. So a handler can send until it is refused (yes), or
 * ask before each (yesWithFc); either way it goes on when on_writable says so, and no memory grows.
 */
#include <stdlib.h>

#include "services.h"
#include "yes.pb-c.h"
#include "yes.services.h"

/* The reply, packed once. */
struct yes {
    uint8_t *bytes;
    uint32_t len;
};

static void send_until_refused(struct sl_grpc_call *call, void *arg)
{
    const struct yes *yes = arg;

    while (yes->bytes && sl_grpc_call_send_bytes(call, yes->bytes, yes->len) == SL_GRPC_SENT) {
    }
}

static void send_while_ready(struct sl_grpc_call *call, void *arg)
{
    const struct yes *yes = arg;

    while (yes->bytes && sl_grpc_call_is_ready(call)) {
        if (sl_grpc_call_send_bytes(call, yes->bytes, yes->len) != SL_GRPC_SENT) {
            return;
        }
    }
}

static bool pack(struct yes *yes, const Sluice__Test__YesRequest *request)
{
    Sluice__Test__YesReply answer = SLUICE__TEST__YES_REPLY__INIT;

    answer.message = *request->message ? request->message : (char[]){"y"};
    yes->bytes = malloc(sluice__test__yes_reply__get_packed_size(&answer));
    if (yes->bytes) {
        yes->len = (uint32_t)sluice__test__yes_reply__pack(&answer, yes->bytes);
    }
    return yes->bytes != NULL;
}

static enum sl_grpc_take on_yes(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                void *arg)
{
    if (!pack(arg, (const Sluice__Test__YesRequest *)message)) {
        return refuse(call, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    send_until_refused(call, arg);
    return SL_GRPC_TAKEN;
}

static enum sl_grpc_take on_yes_with_fc(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                        void *arg)
{
    if (!pack(arg, (const Sluice__Test__YesRequest *)message)) {
        return refuse(call, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    send_while_ready(call, arg);
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct yes *yes = arg;

    free(yes->bytes);
    free_call(call, status, yes);
}

static void yes_call(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_yes,
        .on_writable = send_until_refused,
        .on_status = on_status,
    };

    (void)arg;
    open_call(call, &events, sizeof(struct yes));
}

static void yes_with_fc_call(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_yes_with_fc,
        .on_writable = send_while_ready,
        .on_status = on_status,
    };

    (void)arg;
    open_call(call, &events, sizeof(struct yes));
}

const struct sl_grpc_handler yes_handlers[] = {
    {&sluice__test__yes__methods[SLUICE__TEST__YES__YES], yes_call},
    {&sluice__test__yes__methods[SLUICE__TEST__YES__YES_WITH_FC], yes_with_fc_call},
    {NULL, NULL},
};
