#include "stream/state.h"

#include "base/base.h"

/* clang-format off */
static const enum sl_stream_state next_state[SL_STREAM_STATES][SL_STREAM_EVENTS] = {
    [SL_STREAM_WAITING][SL_STREAM_READY] = SL_STREAM_OPENING,
    [SL_STREAM_WAITING][SL_STREAM_NO_CALL] = SL_STREAM_BACKOFF,
    [SL_STREAM_WAITING][SL_STREAM_STOP_IDLE] = SL_STREAM_CLOSED,

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

    [SL_STREAM_DRAINING][SL_STREAM_OPENED] = SL_STREAM_DRAINING,
    [SL_STREAM_DRAINING][SL_STREAM_FULL] = SL_STREAM_DRAINING,
    [SL_STREAM_DRAINING][SL_STREAM_ROOM] = SL_STREAM_DRAINING,
    [SL_STREAM_DRAINING][SL_STREAM_EMPTY] = SL_STREAM_ENDING,
    [SL_STREAM_DRAINING][SL_STREAM_ENDED] = SL_STREAM_CLOSED,

    [SL_STREAM_ENDING][SL_STREAM_OPENED] = SL_STREAM_ENDING,
    [SL_STREAM_ENDING][SL_STREAM_ENDED] = SL_STREAM_CLOSED,
};
/* clang-format on */

enum sl_stream_state sl_stream_next(enum sl_stream_state state, enum sl_stream_event event)
{
    SL_ASSERT((unsigned)state < SL_STREAM_STATES);
    SL_ASSERT((unsigned)event < SL_STREAM_EVENTS);
    return next_state[state][event];
}

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
    case SL_STREAM_CLOSED:
        return "closed";
    }
    return "unknown";
}
