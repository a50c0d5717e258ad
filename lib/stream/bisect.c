#include "stream/bisect.h"

#include <stdlib.h>
#include <string.h>

bool sl_bisect_init(struct sl_bisect *bisect, size_t limit)
{
    *bisect = (struct sl_bisect){
        .paths = calloc(limit + 1, sizeof(*bisect->paths)),
        .is_bad = calloc(limit + 1, 1),
        .parts = calloc(limit + 1, sizeof(*bisect->parts)),
        .limit = limit,
    };
    if (!bisect->paths || !bisect->is_bad || !bisect->parts) {
        sl_bisect_fini(bisect);
        return false;
    }
    return true;
}

void sl_bisect_fini(struct sl_bisect *bisect)
{
    free(bisect->paths);
    free(bisect->is_bad);
    free(bisect->parts);
    *bisect = (struct sl_bisect){.paths = NULL};
}

static void push(struct sl_bisect *bisect, uint32_t begin, uint32_t len, bool is_refused)
{
    SL_ASSERT(len > 0 && bisect->part_count <= bisect->limit);
    bisect->parts[bisect->part_count++] = (struct sl_bisect_part){begin, len, is_refused};
}

static struct sl_bisect_part take(struct sl_bisect *bisect, size_t at)
{
    struct sl_bisect_part part = bisect->parts[at];

    bisect->part_count--;
    memmove(&bisect->parts[at], &bisect->parts[at + 1],
            (bisect->part_count - at) * sizeof(bisect->parts[0]));
    return part;
}

void sl_bisect_begin(struct sl_bisect *bisect, const uint8_t *is_in, bool was_refused)
{
    bisect->path_count = 0;
    bisect->part_count = 0;
    bisect->is_trying = false;
    bisect->was_refused = was_refused;
    bisect->tries = 0;
    bisect->accepted = 0;
    bisect->bad = 0;
    memset(bisect->is_bad, 0, bisect->limit);
    for (size_t i = 0; i < bisect->limit; i++) {
        if (is_in[i]) {
            bisect->paths[bisect->path_count++] = (uint32_t)i;
        }
    }
    push(bisect, 0, (uint32_t)bisect->path_count, was_refused);
}

/* A first bad one is known, and nothing was accepted yet. */
static bool is_in_doubt(const struct sl_bisect *bisect)
{
    return bisect->bad && !bisect->accepted;
}

static size_t largest(const struct sl_bisect *bisect)
{
    size_t found = 0;

    for (size_t i = 1; i < bisect->part_count; i++) {
        found = bisect->parts[i].len > bisect->parts[found].len ? i : found;
    }
    return found;
}

/* The path in the middle of the largest part; what is beside it remains. */
static struct sl_bisect_part take_single(struct sl_bisect *bisect)
{
    struct sl_bisect_part part = take(bisect, largest(bisect));
    uint32_t half = part.len / 2;

    if (half > 0) {
        push(bisect, part.begin, half, false);
    }
    if (part.len > half + 1) {
        push(bisect, part.begin + half + 1, part.len - half - 1, false);
    }
    return (struct sl_bisect_part){.begin = part.begin + half, .len = 1};
}

/* Of the newest part, which is the smallest, the first half, if it was refused; one path, or a part
 * of which nothing is known, as it is. */
static struct sl_bisect_part take_half(struct sl_bisect *bisect)
{
    struct sl_bisect_part part = take(bisect, bisect->part_count - 1);
    uint32_t half = part.len / 2;

    bisect->is_first_half = part.is_refused && part.len > 1;
    if (bisect->is_first_half) {
        push(bisect, part.begin + half, part.len - half, false);
        part.len = half;
    }
    return part;
}

static void begin_try(struct sl_bisect *bisect)
{
    bisect->is_first_half = false;
    bisect->trying = is_in_doubt(bisect) ? take_single(bisect) : take_half(bisect);
    bisect->is_trying = true;
}

static bool is_over(const struct sl_bisect *bisect)
{
    return bisect->part_count == 0 || (is_in_doubt(bisect) && bisect->bad >= SL_BISECT_IN_VAIN);
}

bool sl_bisect_next(struct sl_bisect *bisect, uint8_t *is_in)
{
    if (!bisect->is_trying) {
        if (is_over(bisect)) {
            return false;
        }
        begin_try(bisect);
    }
    memset(is_in, 0, bisect->limit);
    for (uint32_t i = 0; i < bisect->trying.len; i++) {
        is_in[bisect->paths[bisect->trying.begin + i]] = 1;
    }
    return true;
}

void sl_bisect_tell(struct sl_bisect *bisect, bool is_accepted)
{
    const struct sl_bisect_part *part = &bisect->trying;

    SL_ASSERT(bisect->is_trying);
    bisect->is_trying = false;
    bisect->tries++;
    if (is_accepted) {
        bisect->accepted += part->len;
        if (bisect->is_first_half) {
            bisect->parts[bisect->part_count - 1].is_refused = true;
        }
        return;
    }
    if (part->len == 1) {
        bisect->is_bad[bisect->paths[part->begin]] = 1;
        bisect->bad++;
    } else {
        push(bisect, part->begin, part->len, true);
    }
}

enum sl_bisect_verdict sl_bisect_verdict(const struct sl_bisect *bisect)
{
    if (bisect->is_trying || !is_over(bisect)) {
        return SL_BISECT_OPEN;
    }
    if (!bisect->accepted) {
        return SL_BISECT_ALL;
    }
    if (bisect->bad) {
        return SL_BISECT_FOUND;
    }
    return bisect->was_refused || bisect->tries > 1 ? SL_BISECT_TOGETHER : SL_BISECT_NONE;
}

bool sl_bisect_is_bad(const struct sl_bisect *bisect, size_t path)
{
    SL_ASSERT(path < bisect->limit);
    return bisect->is_bad[path] != 0;
}
