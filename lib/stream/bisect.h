/* bisect.h - which paths of a refused request the device refuses, found by trying parts of it.
 *
 * A device that refuses a request seldom says for which path. So a part is tried: the first half of
 * a group in which there must be a bad path. Is it refused, the bad one is in there (and maybe
 * another one in the second half); is it accepted, all of it is good, and the second half has the
 * bad one. A path is called bad only when it was refused alone. With k bad ones of n that takes
 * about 2 k log2(n) tries at most.
 *
 * That takes long where the device does not mean a path at all. So once a first path was refused
 * alone, single paths from all over are tried until one is accepted; when SL_BISECT_IN_VAIN of them
 * were refused it is over.
 *
 * Pure: no I/O, no clock.
 */
#ifndef SLUICE_STREAM_BISECT_H
#define SLUICE_STREAM_BISECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum { SL_BISECT_IN_VAIN = 64 };

enum sl_bisect_verdict {
    SL_BISECT_OPEN,     /* not over yet */
    SL_BISECT_FOUND,    /* some are refused, the others accepted */
    SL_BISECT_ALL,      /* nothing was accepted: it is not the paths */
    SL_BISECT_TOGETHER, /* each was accepted, but all together are not */
    SL_BISECT_NONE,     /* all were accepted, together too */
};

struct sl_bisect_part {
    uint32_t begin; /* of `paths` */
    uint32_t len;
    bool is_refused; /* it is known to have a bad path */
};

struct sl_bisect {
    uint32_t *paths;              /* the numbers of those that are looked at */
    uint8_t *is_bad;              /* by the path's number */
    struct sl_bisect_part *parts; /* what is not known yet */
    size_t limit;                 /* room in all three */
    size_t path_count;
    size_t part_count;
    struct sl_bisect_part trying;
    bool is_trying;
    bool is_first_half; /* of a part that was refused; the second half is the last of `parts` */
    bool was_refused;   /* the whole */
    uint32_t tries;
    uint32_t accepted; /* paths */
    uint32_t bad;
};

/* For paths with the numbers 0 to limit - 1 (limit: at most INT32_MAX). False when memory is out.
 */
bool sl_bisect_init(struct sl_bisect *bisect, size_t limit) SL_MUST_CHECK;
void sl_bisect_fini(struct sl_bisect *bisect);

/* Looks at the paths whose byte in `is_in` is not 0, at least one; `was_refused`: all together they
 * were. Forgets what was before. */
void sl_bisect_begin(struct sl_bisect *bisect, const uint8_t *is_in, bool was_refused);

/* Writes the next part to try into `is_in` (a byte for each number). False: it is over. The same
 * part again until its outcome is told. */
bool sl_bisect_next(struct sl_bisect *bisect, uint8_t *is_in) SL_MUST_CHECK;

/* The outcome of that part. */
void sl_bisect_tell(struct sl_bisect *bisect, bool is_accepted);

enum sl_bisect_verdict sl_bisect_verdict(const struct sl_bisect *bisect);

/* After the end: whether that path was refused alone. With SL_BISECT_ALL that is not known of
 * each. */
bool sl_bisect_is_bad(const struct sl_bisect *bisect, size_t path);

#endif
