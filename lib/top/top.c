#include "top/top.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tool/admin_client.h"
#include "tool/admin_json.h"

const struct sl_top_sort sl_top_sorts[] = {
    {"blocked_s", "blocked", 'B', true}, {"held_bytes", "held bytes", 'H', true},
    {"id", "name", 'N', false},          {"state", "state", 'T', false},
    {"received", "received", 'R', true}, {"published", "published", 'P', true},
    {"dropped", "dropped", 'D', true},   {"granted_bytes", "granted", 'G', true},
    {"last_error", "error", 'E', true},  {NULL, NULL, 0, false},
};

bool sl_top_init(struct sl_top *top, const char *sort, const char *filter)
{
    *top = (struct sl_top){.in_rate = (double)NAN, .out_rate = (double)NAN, .room = 1};
    snprintf(top->filter, sizeof(top->filter), "%s", filter ? filter : "");
    while (sort && sl_top_sorts[top->sort].field && strcmp(sl_top_sorts[top->sort].field, sort)) {
        top->sort++;
    }
    top->is_descending = sl_top_sorts[top->sort].is_descending;
    top->events = json_array();
    sl_top_tick(top);
    return sl_top_sorts[top->sort].field && top->events;
}

void sl_top_fini(struct sl_top *top)
{
    json_decref(top->status);
    json_decref(top->streams);
    json_decref(top->earlier);
    json_decref(top->sinks);
    json_decref(top->events);
    json_decref(top->target);
}

void sl_top_set_rows(struct sl_top *top, unsigned rows)
{
    unsigned taken = SL_TOP_HEAD_ROWS + SL_TOP_FOOT_ROWS;
    size_t room = rows > taken ? rows - taken : 1;

    if (room != top->room) {
        top->room = room;
        top->due |= SL_TOP_ASK_STREAMS;
    }
}

void sl_top_tick(struct sl_top *top)
{
    static const unsigned of_view[] = {
        [SL_TOP_STREAMS] = SL_TOP_ASK_STREAMS,
        [SL_TOP_SINKS] = SL_TOP_ASK_SINKS,
        [SL_TOP_EVENT_LIST] = SL_TOP_ASK_EVENTS,
        [SL_TOP_TARGET] = SL_TOP_ASK_TARGET,
        [SL_TOP_HELP] = 0,
    };

    if (!top->is_paused) {
        top->due |= SL_TOP_ASK_STATUS | of_view[top->view];
    }
}

/* ---- questions ---- */

static void add_streams_path(const struct sl_top *top, struct sl_buf *path)
{
    sl_buf_printf(path, "/api/v1/streams?sort=%s&order=%s&offset=%zu&limit=%zu",
                  sl_top_sorts[top->sort].field, top->is_descending ? "desc" : "asc", top->offset,
                  sl_min_size(top->room, SL_SCREEN_MAX_ROWS));
    if (*top->filter) {
        sl_buf_add_c(path, "&q=");
        sl_admin_add_escaped(path, top->filter);
    }
}

unsigned sl_top_ask(struct sl_top *top, struct sl_buf *path)
{
    unsigned question = top->due & (~top->due + 1); /* the lowest bit */

    top->due &= ~question;
    switch (question) {
    case SL_TOP_ASK_STATUS:
        sl_buf_add_c(path, "/api/v1/status");
        break;
    case SL_TOP_ASK_STREAMS:
        add_streams_path(top, path);
        break;
    case SL_TOP_ASK_SINKS:
        sl_buf_add_c(path, "/api/v1/sinks");
        break;
    case SL_TOP_ASK_EVENTS:
        sl_buf_printf(path, "/api/v1/events?after=%.0f", top->next_event);
        break;
    case SL_TOP_ASK_TARGET:
        sl_buf_add_c(path, "/api/v1/targets/");
        sl_admin_add_escaped(path, top->target_name);
        break;
    default:
        break;
    }
    return question;
}

/* ---- answers ---- */

static double rate(const json_t *before, const json_t *now, const char *key, double seconds)
{
    double more = sl_admin_number(sl_admin_get(now, "totals"), key) -
                  sl_admin_number(sl_admin_get(before, "totals"), key);

    return seconds > 0 && more >= 0 ? more / seconds : (double)NAN;
}

/* By the other side's own clock; one that was started again has none before. */
static void take_status(struct sl_top *top, json_t *answer)
{
    const json_t *totals = sl_admin_get(answer, "totals");
    double seconds = sl_admin_number(answer, "uptime_s") - sl_admin_number(top->status, "uptime_s");

    top->in_rate = rate(top->status, answer, "received", seconds);
    top->out_rate = rate(top->status, answer, "published", seconds);
    json_decref(top->status);
    top->status = json_incref(answer);
    /* Who is in the way? */
    if (sl_admin_count(totals, "streams_held") + sl_admin_count(totals, "streams_blocked") > 0) {
        top->due |= SL_TOP_ASK_SINKS;
    }
}

static void take_streams(struct sl_top *top, json_t *answer, double now_s)
{
    double total = sl_admin_count(answer, "total");

    json_decref(top->earlier);
    top->earlier = top->streams;
    top->streams = json_incref(answer);
    top->streams_s = top->earlier ? now_s - top->streams_at_s : 0;
    top->streams_at_s = now_s;
    if (total > 0 && (double)top->selected >= total) {
        top->selected = (size_t)total - 1;
    } else if (total <= 0) {
        top->selected = 0;
    }
    if (top->selected < top->offset) {
        top->offset = top->selected;
        top->due |= SL_TOP_ASK_STREAMS;
    }
}

/* A sluice that was started again counts its events from the beginning. */
static void take_events(struct sl_top *top, const json_t *answer)
{
    double next = sl_admin_count(answer, "next");

    if (next < top->next_event) {
        top->next_event = 0;
        top->due |= SL_TOP_ASK_EVENTS;
        return;
    }
    top->next_event = next;
    if (json_array_extend(top->events, json_object_get(answer, "events")) != 0) {
        return; /* there are none */
    }
    while (json_array_size(top->events) > SL_TOP_EVENTS) {
        json_array_remove(top->events, 0);
    }
}

static void replace(json_t **place, json_t *answer)
{
    json_decref(*place);
    *place = json_incref(answer);
}

void sl_top_take(struct sl_top *top, unsigned question, json_t *answer, const char *why,
                 double now_s)
{
    snprintf(top->error, sizeof(top->error), "%s", answer ? "" : why);
    if (!answer) {
        return;
    }
    if (question == SL_TOP_ASK_STATUS) {
        take_status(top, answer);
    } else if (question == SL_TOP_ASK_STREAMS) {
        take_streams(top, answer, now_s);
    } else if (question == SL_TOP_ASK_SINKS) {
        replace(&top->sinks, answer);
    } else if (question == SL_TOP_ASK_EVENTS) {
        take_events(top, answer);
    } else if (question == SL_TOP_ASK_TARGET) {
        replace(&top->target, answer);
    }
}
