/* race.h - connecting to the first of several addresses that answers (RFC 8305, happy eyeballs).
 *
 * Addresses are tried with the families in turn, beginning with the resolver's first. The next
 * attempt begins SL_RACE_DELAY_MS after the one before, or as soon as one failed; those that are
 * under way go on. The first that is connected wins: the others are closed, and may be raced again
 * when the winner turns out to be of no use. A unix socket is a race of one.
 *
 * An address that is alone costs a socket and an attempt, no timer.
 */
#ifndef SLUICE_NET_RACE_H
#define SLUICE_NET_RACE_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "loop/loop.h"
#include "net/internal.h"

enum {
    SL_RACE_MAX_ADDRESSES = 32, /* of a name; those behind them are not tried */
    SL_RACE_DELAY_MS = 250,     /* the Connection Attempt Delay of section 5 */
    SL_RACE_UNIX_RETRY_MS = 20, /* while a unix socket's backlog is full */
};

struct sl_race_events {
    /* A connected socket, which is the taker's; `name` is its address. The race rests. */
    void (*on_won)(void *arg, int fd, const char *name);
    /* One attempt failed with libuv's `error`, below 0. */
    void (*on_failed)(void *arg, const char *name, int error);
    /* And it was the last one. */
    void (*on_lost)(void *arg);
};

struct sl_race {
    struct sl_loop *loop;
    const struct sl_race_events *events;
    void *arg;
    const struct addrinfo *order[SL_RACE_MAX_ADDRESSES]; /* borrowed */
    bool is_tried[SL_RACE_MAX_ADDRESSES];
    unsigned count;
    const struct sl_address *path; /* of a unix socket; borrowed */
    struct sl_list attempts;       /* under way */
    struct sl_timer *timer;        /* NULL until a second attempt is due */
    char name[SL_NET_NAME_BYTES];  /* of the newest attempt */
};

void sl_race_init(struct sl_race *race, struct sl_loop *loop, const struct sl_race_events *events,
                  void *arg);
void sl_race_fini(struct sl_race *race);

/* Whom to race: addresses, which outlive the race, or a unix socket. */
void sl_race_set(struct sl_race *race, const struct addrinfo *addresses);
void sl_race_set_unix(struct sl_race *race, const struct sl_address *path);

/* Races those that have neither failed nor won; there is one (sl_race_left). From the loop only:
 * every event may come at once, and on_won and on_lost may end the race's life. */
void sl_race_run(struct sl_race *race);

/* How many may still be raced, those under way included. */
unsigned sl_race_left(const struct sl_race *race);

#endif
