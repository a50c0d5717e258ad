#include "daemon/ready.h"

#include <inttypes.h>
#include <string.h>

/* What a required sink is, over all workers. */
struct sink_state {
    size_t workers;
    size_t not_taking;  /* of them */
    const char *reason; /* the first of theirs */
};

static bool is_same(const struct sl_sink_row *a, const struct sl_sink_row *b)
{
    return strcmp(a->spec->name, b->spec->name) == 0;
}

static struct sink_state look_at(const struct sl_ready_view *view, const struct sl_sink_row *sink)
{
    struct sink_state state = {.reason = ""};

    for (size_t w = 0; w < view->count; w++) {
        for (size_t s = 0; s < view->snapshots[w].sink_count; s++) {
            const struct sl_sink_row *row = &view->snapshots[w].sinks[s];
            if (!is_same(row, sink)) {
                continue;
            }
            state.workers++;
            state.not_taking += !row->is_taking;
            state.reason = row->is_taking || state.reason[0] ? state.reason : row->reason;
        }
    }
    return state;
}

/* Every sink is in every worker: the first one has them all. */
static void look_at_sinks(const struct sl_ready_view *view, struct sl_buf *why)
{
    for (size_t s = 0; view->count > 0 && s < view->snapshots[0].sink_count; s++) {
        const struct sl_sink_row *row = &view->snapshots[0].sinks[s];
        struct sink_state state = look_at(view, row);
        if (row->spec->is_required && state.not_taking > 0) {
            sl_buf_printf(why, "sink %s takes no records in %zu of %zu workers: %s\n",
                          row->spec->name, state.not_taking, state.workers, state.reason);
        }
    }
}

bool sl_ready_look(const struct sl_ready_view *view, struct sl_buf *why)
{
    size_t before = why->len;

    if (view->is_draining) {
        sl_buf_add_c(why, "the end has begun: what is held is published, nothing more is taken\n");
    }
    if (!view->snapshots) {
        sl_buf_add_c(why, "a worker does not answer\n");
    } else {
        look_at_sinks(view, why);
    }
    return why->len == before && !why->failed;
}
