/* state.h - the states of a stream, and the one table that says which follows which. */
#ifndef SLUICE_STREAM_STATE_H
#define SLUICE_STREAM_STATE_H

#include "base/machine.h"

enum sl_stream_state {
    SL_STREAM_NONE,    /* an absent cell of the table: "cannot happen" */
    SL_STREAM_WAITING, /* for a session, or for a sink to take records */
    SL_STREAM_OPENING, /* the Subscribe call is made, its headers have not left */
    SL_STREAM_FLOWING,
    SL_STREAM_HELD, /* a sink is full: what arrives waits in the call */
    SL_STREAM_BACKOFF,
    SL_STREAM_DRAINING, /* no more credit; waits for what is with the sinks */
    SL_STREAM_ENDING,   /* the call is cancelled; waits for its end */
    SL_STREAM_PARTING,  /* closed without a call: what its routes keep (stall.h) is to leave */
    SL_STREAM_CLOSED,
};

enum { SL_STREAM_STATES = SL_STREAM_CLOSED + 1 };

enum sl_stream_event {
    SL_STREAM_READY,     /* a session and all sinks are there */
    SL_STREAM_NO_CALL,   /* they are, but no call could be made: memory, or the session is ending */
    SL_STREAM_OPENED,    /* the call's headers left */
    SL_STREAM_FULL,      /* a sink took nothing */
    SL_STREAM_ROOM,      /* it takes again */
    SL_STREAM_ENDED,     /* the call ended */
    SL_STREAM_TIMER,     /* the backoff is over */
    SL_STREAM_STOP,      /* close, with a call, or with something that is kept */
    SL_STREAM_STOP_IDLE, /* close, without a call */
    SL_STREAM_EMPTY,     /* nothing is held any more, or nobody waits for it */
};

enum { SL_STREAM_EVENTS = SL_STREAM_EMPTY + 1 };

const char *sl_stream_state_name(enum sl_stream_state state); /* "flowing" */

extern const struct sl_machine sl_stream_machine;

/* SL_STREAM_NONE: the event cannot happen there. */
enum sl_stream_state sl_stream_next(enum sl_stream_state state, enum sl_stream_event event);

#endif
