#include "target/state.h"

#include "target/target.h"

/* clang-format off */
static const uint8_t next_state[SL_TARGET_STATES][SL_TARGET_EVENTS] = {
    [SL_TARGET_IDLE][SL_TARGET_EVENT_OPEN] = SL_TARGET_WAITING,
    [SL_TARGET_IDLE][SL_TARGET_EVENT_CLOSE] = SL_TARGET_DRAINING,

    [SL_TARGET_WAITING][SL_TARGET_EVENT_TURN] = SL_TARGET_DIALING,
    [SL_TARGET_WAITING][SL_TARGET_EVENT_CLOSE] = SL_TARGET_DRAINING,

    [SL_TARGET_DIALING][SL_TARGET_EVENT_UP] = SL_TARGET_UP,
    [SL_TARGET_DIALING][SL_TARGET_EVENT_LOST] = SL_TARGET_BACKOFF,
    [SL_TARGET_DIALING][SL_TARGET_EVENT_CLOSE] = SL_TARGET_DRAINING,

    [SL_TARGET_UP][SL_TARGET_EVENT_GOAWAY] = SL_TARGET_GOING,
    [SL_TARGET_UP][SL_TARGET_EVENT_LOST] = SL_TARGET_BACKOFF,
    [SL_TARGET_UP][SL_TARGET_EVENT_CLOSE] = SL_TARGET_DRAINING,

    [SL_TARGET_GOING][SL_TARGET_EVENT_GOAWAY] = SL_TARGET_GOING,
    [SL_TARGET_GOING][SL_TARGET_EVENT_LOST] = SL_TARGET_BACKOFF,
    [SL_TARGET_GOING][SL_TARGET_EVENT_CLOSE] = SL_TARGET_DRAINING,

    [SL_TARGET_BACKOFF][SL_TARGET_EVENT_OPEN] = SL_TARGET_WAITING,
    [SL_TARGET_BACKOFF][SL_TARGET_EVENT_CLOSE] = SL_TARGET_DRAINING,

    [SL_TARGET_DRAINING][SL_TARGET_EVENT_UP] = SL_TARGET_DRAINING,
    [SL_TARGET_DRAINING][SL_TARGET_EVENT_GOAWAY] = SL_TARGET_DRAINING,
    [SL_TARGET_DRAINING][SL_TARGET_EVENT_LOST] = SL_TARGET_DRAINING,
    [SL_TARGET_DRAINING][SL_TARGET_EVENT_DRAINED] = SL_TARGET_ENDING,
    [SL_TARGET_DRAINING][SL_TARGET_EVENT_GONE] = SL_TARGET_CLOSED,

    [SL_TARGET_ENDING][SL_TARGET_EVENT_UP] = SL_TARGET_ENDING,
    [SL_TARGET_ENDING][SL_TARGET_EVENT_GOAWAY] = SL_TARGET_ENDING,
    [SL_TARGET_ENDING][SL_TARGET_EVENT_LOST] = SL_TARGET_CLOSED,
};
/* clang-format on */

const char *sl_target_state_name(enum sl_target_state state)
{
    switch (state) {
    case SL_TARGET_NONE:
        return "none";
    case SL_TARGET_IDLE:
        return "idle";
    case SL_TARGET_WAITING:
        return "waiting";
    case SL_TARGET_DIALING:
        return "dialing";
    case SL_TARGET_UP:
        return "up";
    case SL_TARGET_GOING:
        return "going";
    case SL_TARGET_BACKOFF:
        return "backoff";
    case SL_TARGET_DRAINING:
        return "draining";
    case SL_TARGET_ENDING:
        return "ending";
    case SL_TARGET_CLOSED:
        return "closed";
    }
    return "unknown";
}

static const char *name_of(unsigned state)
{
    return sl_target_state_name((enum sl_target_state)state);
}

static const char *const event_names[SL_TARGET_EVENTS] = {
    [SL_TARGET_EVENT_OPEN] = "open",       [SL_TARGET_EVENT_TURN] = "turn",
    [SL_TARGET_EVENT_UP] = "up",           [SL_TARGET_EVENT_GOAWAY] = "goaway",
    [SL_TARGET_EVENT_LOST] = "lost",       [SL_TARGET_EVENT_CLOSE] = "close",
    [SL_TARGET_EVENT_DRAINED] = "drained", [SL_TARGET_EVENT_GONE] = "gone",
};

const struct sl_machine sl_target_machine = {
    .name = "target",
    .states = SL_TARGET_STATES,
    .events = SL_TARGET_EVENTS,
    .next = &next_state[0][0],
    .state_name = name_of,
    .event_names = event_names,
};
