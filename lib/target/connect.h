/* connect.h - when targets may dial, so that a restart does not storm them: a pace for all targets
 * of the process, and one for those that have the same value of a label.
 *
 * A target takes a turn at its site and, when that has come, one among all: a site whose targets
 * wait long holds nobody else up. In each, whoever asks first is first.
 *
 * Any thread, for workers share it; the times are the caller's.
 */
#ifndef SLUICE_TARGET_CONNECT_H
#define SLUICE_TARGET_CONNECT_H

#include <stdint.h>

#include "base/base.h"
#include "sluice_option.h"

enum { SL_CONNECT_MAX_RATE = 100 * 1000, SL_CONNECT_MAX_BURST = 1000 * 1000 };

struct sl_connect_options {
    int64_t rate; /* a second; 0: no limit */
    int64_t burst;
    struct {
        const char *label; /* "": none */
        int64_t rate;
        int64_t burst;
    } per_label;
};

/* Ends with a NULL name. */
extern const struct sluice_option sl_connect_table[];

struct sl_connect;
struct sl_connect_site; /* the targets with one value of the label */

/* NULL when memory is out. */
struct sl_connect *sl_connect_new(const struct sl_connect_options *options) SL_MUST_CHECK;
struct sl_connect *sl_connect_hold(struct sl_connect *connect);
void sl_connect_release(struct sl_connect *connect); /* NULL is nothing */

/* New rates, from the next turn on. Sites keep their targets, whatever label those were known by.
 */
void sl_connect_set(struct sl_connect *connect, const struct sl_connect_options *options);

/* The value of the label that is a target's site; NULL: none. */
const char *sl_connect_value(const struct sl_connect_options *options,
                             const struct sluice_map *labels);

/* The site of a target, to be left. NULL: it has none (`value` is NULL), or memory is out: then it
 * waits among all only. */
struct sl_connect_site *sl_connect_join(struct sl_connect *connect, const char *value);
void sl_connect_leave(struct sl_connect *connect, struct sl_connect_site *site); /* NULL too */

/* The time of a turn, not before `now_ns`: at a site (NULL: now), among all. */
int64_t sl_connect_site_turn(struct sl_connect *connect, struct sl_connect_site *site,
                             int64_t now_ns);
int64_t sl_connect_turn(struct sl_connect *connect, int64_t now_ns);

#endif
