/* state.h - what happens to a target; the machine is sl_target_machine (target.h), a table. */
#ifndef SLUICE_TARGET_STATE_H
#define SLUICE_TARGET_STATE_H

enum sl_target_event {
    SL_TARGET_EVENT_OPEN,    /* sl_target_open, or the backoff is over */
    SL_TARGET_EVENT_TURN,    /* it may dial */
    SL_TARGET_EVENT_UP,      /* the connection stands */
    SL_TARGET_EVENT_GOAWAY,  /* it takes no new calls */
    SL_TARGET_EVENT_LOST,    /* it ended, or never stood */
    SL_TARGET_EVENT_CLOSE,   /* sl_target_close */
    SL_TARGET_EVENT_DRAINED, /* the last stream closed, and there is a connection */
    SL_TARGET_EVENT_GONE,    /* the last stream closed, and there is none */
    SL_TARGET_EVENTS,
};

#endif
