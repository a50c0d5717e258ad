#include "daemon/api_rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "daemon/api_internal.h"

#define LEAST_NS (INT64_C(1) * 1000 * 1000 * 1000)
#define MOST_NS  (INT64_C(60) * 1000 * 1000 * 1000)

struct sl_api_mark {
    uint64_t key;
    uint64_t received;
    double per_s;
};

void sl_api_rates_fini(struct sl_api_rates *rates)
{
    free(rates->marks);
    *rates = (struct sl_api_rates){.marks = NULL};
}

static uint64_t key_of(const struct sl_api_stream *stream)
{
    uint64_t seed = XXH64(stream->subscription, strlen(stream->subscription), 0);

    return XXH64(stream->target, strlen(stream->target), seed);
}

static int compare(const void *a, const void *b)
{
    uint64_t one = ((const struct sl_api_mark *)a)->key;
    uint64_t other = ((const struct sl_api_mark *)b)->key;

    return (one > other) - (one < other);
}

static const struct sl_api_mark *find(const struct sl_api_rates *rates, uint64_t key)
{
    const struct sl_api_mark wanted = {.key = key};

    return rates->count == 0
               ? NULL
               : bsearch(&wanted, rates->marks, rates->count, sizeof(wanted), compare);
}

/* Three digits behind the point are what anybody reads. */
static double rate_of(uint64_t more, int64_t passed_ns)
{
    return round((double)more * 1e12 / (double)passed_ns) / 1e3;
}

/* Marks of now, with the rates since the last ones. */
static void take(const struct sl_api_rates *last, struct sl_api_mark *marks,
                 const struct sl_api_stream *streams, size_t count, int64_t passed_ns)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t key = key_of(&streams[i]), received = streams[i].received;
        const struct sl_api_mark *before = find(last, key);
        bool is_known = before && received >= before->received && passed_ns <= MOST_NS;
        double per_s = is_known ? rate_of(received - before->received, passed_ns) : (double)NAN;
        marks[i] = (struct sl_api_mark){key, received, per_s};
    }
    qsort(marks, count, sizeof(*marks), compare);
}

void sl_api_rates_look(struct sl_api_rates *rates, struct sl_api_stream *streams, size_t count,
                       int64_t now_ns)
{
    int64_t passed_ns = now_ns - rates->at_ns;

    if (!rates->marks || passed_ns >= LEAST_NS) {
        struct sl_api_mark *marks = calloc(count + 1, sizeof(*marks));
        if (marks) {
            take(rates, marks, streams, count, passed_ns);
        }
        sl_api_rates_fini(rates);
        *rates = (struct sl_api_rates){marks, marks ? count : 0, now_ns};
    }
    for (size_t i = 0; i < count; i++) {
        const struct sl_api_mark *mark = find(rates, key_of(&streams[i]));
        streams[i].received_per_s = mark ? mark->per_s : (double)NAN;
    }
}
