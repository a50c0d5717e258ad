#include "stream/state.h"

#include "base/base.h"

/* clang-format off */
static const uint8_t next_state[SL_STREAM_STATES][SL_STREAM_EVENTS] = {
    [SL_STREAM_WAITING][SL_STREAM_READY] = SL_STREAM_OPENING,
    [SL_STREAM_WAITING][SL_STREAM_NO_CALL] = SL_STREAM_BACKOFF,
    [SL_STREAM_WAITING][SL_STREAM_STOP_IDLE] = SL_STREAM_CLOSED,
    [SL_STREAM_WAITING][SL_STREAM_STOP] = SL_STREAM_PARTING,

    [SL_STREAM_OPENING][SL_STREAM_OPENED] = SL_STREAM_FLOWING,
    [SL_STREAM_OPENING][SL_STREAM_ENDED] = SL_STREAM_BACKOFF,
    [SL_STREAM_OPENING][SL_STREAM_STOP] = SL_STREAM_DRAINING,

    [SL_STREAM_FLOWING][SL_STREAM_FULL] = SL_STREAM_HELD,
    [SL_STREAM_FLOWING][SL_STREAM_ENDED] = SL_STREAM_BACKOFF,
    [SL_STREAM_FLOWING][SL_STREAM_STOP] = SL_STREAM_DRAINING,

    [SL_STREAM_HELD][SL_STREAM_ROOM] = SL_STREAM_FLOWING,
    [SL_STREAM_HELD][SL_STREAM_ENDED] = SL_STREAM_BACKOFF,
    [SL_STREAM_HELD][SL_STREAM_STOP] = SL_STREAM_DRAINING,

    [SL_STREAM_BACKOFF][SL_STREAM_TIMER] = SL_STREAM_WAITING,
    [SL_STREAM_BACKOFF][SL_STREAM_STOP_IDLE] = SL_STREAM_CLOSED,
    [SL_STREAM_BACKOFF][SL_STREAM_STOP] = SL_STREAM_PARTING,

    [SL_STREAM_DRAINING][SL_STREAM_OPENED] = SL_STREAM_DRAINING,
    [SL_STREAM_DRAINING][SL_STREAM_FULL] = SL_STREAM_DRAINING,
    [SL_STREAM_DRAINING][SL_STREAM_ROOM] = SL_STREAM_DRAINING,
    [SL_STREAM_DRAINING][SL_STREAM_EMPTY] = SL_STREAM_ENDING,
    [SL_STREAM_DRAINING][SL_STREAM_ENDED] = SL_STREAM_PARTING,

    [SL_STREAM_ENDING][SL_STREAM_OPENED] = SL_STREAM_ENDING,
    [SL_STREAM_ENDING][SL_STREAM_ENDED] = SL_STREAM_CLOSED,

    [SL_STREAM_PARTING][SL_STREAM_EMPTY] = SL_STREAM_CLOSED,
};
/* clang-format on */

const char *sl_stream_state_name(enum sl_stream_state state)
{
    switch (state) {
    case SL_STREAM_NONE:
        return "none";
    case SL_STREAM_WAITING:
        return "waiting";
    case SL_STREAM_OPENING:
        return "opening";
    case SL_STREAM_FLOWING:
        return "flowing";
    case SL_STREAM_HELD:
        return "held";
    case SL_STREAM_BACKOFF:
        return "backoff";
    case SL_STREAM_DRAINING:
        return "draining";
    case SL_STREAM_ENDING:
        return "ending";
    case SL_STREAM_PARTING:
        return "parting";
    case SL_STREAM_CLOSED:
        return "closed";
    }
    return "unknown";
}

static const char *name_of(unsigned state)
{
    return sl_stream_state_name((enum sl_stream_state)state);
}

static const char *const event_names[SL_STREAM_EVENTS] = {
    [SL_STREAM_READY] = "ready",         [SL_STREAM_NO_CALL] = "no-call",
    [SL_STREAM_OPENED] = "opened",       [SL_STREAM_FULL] = "full",
    [SL_STREAM_ROOM] = "room",           [SL_STREAM_ENDED] = "ended",
    [SL_STREAM_TIMER] = "timer",         [SL_STREAM_STOP] = "stop",
    [SL_STREAM_STOP_IDLE] = "stop-idle", [SL_STREAM_EMPTY] = "empty",
};

const struct sl_machine sl_stream_machine = {
    .name = "stream",
    .states = SL_STREAM_STATES,
    .events = SL_STREAM_EVENTS,
    .next = &next_state[0][0],
    .state_name = name_of,
    .event_names = event_names,
};

enum sl_stream_state sl_stream_next(enum sl_stream_state state, enum sl_stream_event event)
{
    return (enum sl_stream_state)sl_machine_next(&sl_stream_machine, state, event);
}
