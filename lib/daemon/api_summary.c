/* All streams in a few numbers, however many there are: what the head of the status page says. */
#include <stdlib.h>
#include <string.h>

#include "daemon/api_internal.h"

enum { MOST_HOLDERS = 64 };

/* Who holds a stream that is held. */
struct holding {
    const char *by;   /* "sink", "memory" or "nobody" */
    const char *sink; /* NULL: no sink */
    struct sl_str place;
};

/* One that holds, and its destination that holds most streams. */
struct holder {
    const struct holding *first;
    size_t streams;
    size_t places;
    const struct holding *top;
    size_t top_streams;
};

/* ---- holders ---- */

static struct holding holding_of(const struct sl_api_stream *stream)
{
    if (stream->holder) {
        return (struct holding){"sink", stream->holder, stream->holder_place};
    }
    bool is_memory = stream->is_blocked && stream->row->view.limited == SL_LIMITED_MEMORY;
    return (struct holding){.by = is_memory ? "memory" : "nobody"};
}

static int compare_who(const struct holding *a, const struct holding *b)
{
    int result = strcmp(a->by, b->by);

    return result || !a->sink || !b->sink ? result : strcmp(a->sink, b->sink);
}

static int compare_holdings(const void *a, const void *b)
{
    const struct holding *one = a, *other = b;
    int result = compare_who(one, other);

    return result ? result : sl_str_cmp(one->place, other->place);
}

static int compare_holders(const void *a, const void *b)
{
    size_t one = ((const struct holder *)a)->streams, other = ((const struct holder *)b)->streams;

    return (one < other) - (one > other);
}

/* One or more of one sink, of which `count` are in order. Returns how many are its. */
static size_t count_holder(const struct holding *holdings, size_t count, struct holder *holder)
{
    size_t at = 0;

    *holder = (struct holder){.first = holdings};
    while (at < count && compare_who(holdings, &holdings[at]) == 0) {
        size_t same = 0;
        const struct holding *place = &holdings[at];
        for (; at < count && compare_holdings(place, &holdings[at]) == 0; at++) {
            same++;
        }
        holder->places++;
        if (same > holder->top_streams) {
            holder->top = place;
            holder->top_streams = same;
        }
    }
    holder->streams = at;
    return at;
}

static json_t *holder_json(struct sl_json *json, const struct holder *holder)
{
    json_t *object = sl_json_object(json);
    const struct holding *top = holder->top;
    bool is_sink = holder->first->sink != NULL;

    sl_json_put(json, object, "by", sl_json_text(json, holder->first->by));
    sl_json_put(json, object, "sink", sl_json_text(json, holder->first->sink));
    sl_json_put(json, object, "streams", sl_json_u64(json, holder->streams));
    sl_json_put(json, object, "destinations", sl_json_u64(json, is_sink ? holder->places : 0));
    sl_json_put(json, object, "destination",
                is_sink ? sl_json_str(json, top->place) : sl_json_text(json, NULL));
    sl_json_put(json, object, "destination_streams",
                sl_json_u64(json, is_sink ? holder->top_streams : 0));
    return object;
}

static json_t *holders_json(struct sl_json *json, const struct sl_api_stream *streams, size_t count)
{
    struct holding *holdings = calloc(count + 1, sizeof(*holdings));
    struct holder holders[MOST_HOLDERS];
    json_t *array = sl_json_array(json);
    size_t held = 0, found = 0;

    json->failed = json->failed || !holdings;
    for (size_t i = 0; holdings && i < count; i++) {
        if (streams[i].rank == SL_API_HELD) {
            holdings[held++] = holding_of(&streams[i]);
        }
    }
    if (holdings) {
        qsort(holdings, held, sizeof(*holdings), compare_holdings);
    }
    for (size_t at = 0; at < held && found < MOST_HOLDERS; found++) {
        at += count_holder(&holdings[at], held - at, &holders[found]);
    }
    qsort(holders, found, sizeof(*holders), compare_holders);
    for (size_t i = 0; i < found; i++) {
        sl_json_add(json, array, holder_json(json, &holders[i]));
    }
    free(holdings);
    return array;
}

/* ---- numbers ---- */

static int compare_lags(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

    return (one > other) - (one < other);
}

/* The middle and the worst; null where no stream has any. */
static void put_lags(struct sl_json *json, json_t *object, const struct sl_api_stream *streams,
                     size_t count)
{
    int64_t *lags = calloc(count + 1, sizeof(*lags));
    size_t known = 0;

    json->failed = json->failed || !lags;
    for (size_t i = 0; lags && i < count; i++) {
        if (streams[i].lag_ns != 0) {
            lags[known++] = streams[i].lag_ns;
        }
    }
    if (known > 0) {
        qsort(lags, known, sizeof(*lags), compare_lags);
    }
    sl_json_put(json, object, "lag_middle_s",
                known > 0 ? sl_json_seconds(json, lags[known / 2]) : sl_json_text(json, NULL));
    sl_json_put(json, object, "lag_worst_s",
                known > 0 ? sl_json_seconds(json, lags[known - 1]) : sl_json_text(json, NULL));
    free(lags);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The last error that most of those have that are neither flowing nor held; null: none has one. */
static json_t *trouble_json(struct sl_json *json, const struct sl_api_stream *streams, size_t count)
{
    const char **texts = calloc(count + 1, sizeof(*texts));
    size_t known = 0, most = 0, top = 0;

    json->failed = json->failed || !texts;
    for (size_t i = 0; texts && i < count; i++) {
        bool is_down = streams[i].rank == SL_API_BAD || streams[i].rank == SL_API_WAIT;
        if (is_down && streams[i].last_error) {
            texts[known++] = streams[i].last_error;
        }
    }
    if (known > 0) {
        qsort(texts, known, sizeof(*texts), compare_texts);
    }
    for (size_t i = 0, from = 0; i < known; i++) {
        from = strcmp(texts[i], texts[from]) == 0 ? from : i;
        if (i - from + 1 > most) {
            most = i - from + 1;
            top = from;
        }
    }
    json_t *text = sl_json_text(json, known > 0 ? texts[top] : NULL);
    free(texts);
    return text;
}

static void put_levels(struct sl_json *json, json_t *object, const struct sl_api_stream *streams,
                       size_t count)
{
    uint64_t levels[SL_API_LEVELS] = {0}, syncing = 0, stale = 0;

    for (size_t i = 0; i < count; i++) {
        levels[streams[i].rank]++;
        syncing += strcmp(streams[i].condition, "syncing") == 0;
        stale += strcmp(streams[i].condition, "stale") == 0;
    }
    sl_json_put(json, object, "streams", sl_json_u64(json, count));
    sl_json_put(json, object, "ok", sl_json_u64(json, levels[SL_API_OK]));
    sl_json_put(json, object, "wait", sl_json_u64(json, levels[SL_API_WAIT]));
    sl_json_put(json, object, "held", sl_json_u64(json, levels[SL_API_HELD]));
    sl_json_put(json, object, "bad", sl_json_u64(json, levels[SL_API_BAD]));
    sl_json_put(json, object, "syncing", sl_json_u64(json, syncing));
    sl_json_put(json, object, "stale", sl_json_u64(json, stale));
}

json_t *sl_api_summary_json(struct sl_json *json, const struct sl_api_stream *streams, size_t count)
{
    json_t *object = sl_json_object(json);

    put_levels(json, object, streams, count);
    put_lags(json, object, streams, count);
    sl_json_put(json, object, "last_error", trouble_json(json, streams, count));
    sl_json_put(json, object, "holders", holders_json(json, streams, count));
    return object;
}
