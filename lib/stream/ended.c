#include "stream/ended.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void sl_ended_fini(struct sl_ended *ended)
{
    for (size_t i = 0; i < ended->count; i++) {
        free(ended->rows[i].sink);
    }
    free(ended->rows);
    *ended = (struct sl_ended){.rows = NULL};
}

static struct sl_route_counts *row_of(struct sl_ended *ended, const char *sink)
{
    for (size_t i = 0; i < ended->count; i++) {
        if (strcmp(ended->rows[i].sink, sink) == 0) {
            return &ended->rows[i].counts;
        }
    }
    if (!ended->rows) {
        ended->rows = calloc(SL_ENDED_SINKS, sizeof(*ended->rows));
    }
    bool has_room = ended->rows && ended->count < SL_ENDED_SINKS;
    char *name = has_room ? sl_str_dup(sl_str_from(sink)) : NULL;
    if (!name) {
        return &ended->rest;
    }
    ended->rows[ended->count].sink = name;
    return &ended->rows[ended->count++].counts;
}

void sl_ended_add(struct sl_ended *ended, const char *sink, const struct sl_route_counts *counts)
{
    if (counts->received > 0) {
        sl_route_counts_add(row_of(ended, sink), counts);
    }
}
