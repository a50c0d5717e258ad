#include "stream/quarantine.h"

#include <stdlib.h>

bool sl_quarantine_init(struct sl_quarantine *quarantine, size_t limit, int64_t first_ns,
                        int64_t longest_ns)
{
    *quarantine = (struct sl_quarantine){
        .paths = calloc(limit + 1, sizeof(struct sl_quarantined)),
        .limit = limit,
        .first_ns = first_ns > 0 ? first_ns : 1,
        .longest_ns = longest_ns,
    };
    return quarantine->paths != NULL;
}

void sl_quarantine_fini(struct sl_quarantine *quarantine)
{
    free(quarantine->paths);
    *quarantine = (struct sl_quarantine){.paths = NULL};
}

bool sl_quarantine_has(const struct sl_quarantine *quarantine, size_t path)
{
    SL_ASSERT(path < quarantine->limit);
    return quarantine->paths[path].wait_ns > 0;
}

int64_t sl_quarantine_put(struct sl_quarantine *quarantine, size_t path, int64_t now_ns)
{
    struct sl_quarantined *of = &quarantine->paths[path];

    SL_ASSERT(path < quarantine->limit);
    if (of->wait_ns == 0) {
        of->wait_ns = quarantine->first_ns;
        quarantine->count++;
    } else if (of->wait_ns > quarantine->longest_ns / 2) {
        of->wait_ns = quarantine->longest_ns > quarantine->first_ns ? quarantine->longest_ns
                                                                    : quarantine->first_ns;
    } else {
        of->wait_ns *= 2;
    }
    of->due_ns = now_ns + of->wait_ns;
    return of->wait_ns;
}

void sl_quarantine_release(struct sl_quarantine *quarantine, size_t path)
{
    if (sl_quarantine_has(quarantine, path)) {
        quarantine->paths[path] = (struct sl_quarantined){.wait_ns = 0};
        quarantine->count--;
    }
}

int64_t sl_quarantine_next(const struct sl_quarantine *quarantine)
{
    int64_t next_ns = INT64_MAX;

    for (size_t i = 0; quarantine->count && i < quarantine->limit; i++) {
        if (quarantine->paths[i].wait_ns && quarantine->paths[i].due_ns < next_ns) {
            next_ns = quarantine->paths[i].due_ns;
        }
    }
    return next_ns;
}

size_t sl_quarantine_due(const struct sl_quarantine *quarantine, int64_t now_ns, uint8_t *is_in)
{
    size_t count = 0;

    for (size_t i = 0; i < quarantine->limit; i++) {
        is_in[i] = quarantine->paths[i].wait_ns && quarantine->paths[i].due_ns <= now_ns;
        count += is_in[i];
    }
    return count;
}
