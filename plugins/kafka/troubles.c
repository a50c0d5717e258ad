#include "troubles.h"

#include <string.h>

#include "errors.h"

/* Reasons are literals of few places; one that finds no row is counted with the last. */
static struct kafka_trouble *row_of(struct kafka_troubles *troubles, const char *reason)
{
    for (unsigned i = 0; i < troubles->count; i++) {
        if (strcmp(troubles->rows[i].reason, reason) == 0) {
            return &troubles->rows[i];
        }
    }
    if (troubles->count == SLUICE_MAX_TROUBLES) {
        return &troubles->rows[SLUICE_MAX_TROUBLES - 1];
    }
    struct kafka_trouble *row = &troubles->rows[troubles->count++];
    *row = (struct kafka_trouble){.reason = reason};
    return row;
}

void kafka_troubles_note(struct kafka_troubles *troubles, const struct sluice_host *host,
                         const char *reason, const char *text, int64_t now_ms)
{
    struct kafka_trouble *row = row_of(troubles, reason);
    bool is_due = !row->is_now || now_ms - row->told_ms >= KAFKA_TELL_MS;

    row->count++;
    row->seen_ms = now_ms;
    row->is_now = true;
    if (is_due) {
        row->told_ms = now_ms;
        host->calls->log_reason(host, SLUICE_WARN, row->reason, kafka_hint(row->reason),
                                "%s (%llu so far)", text, (unsigned long long)row->count);
    }
}

void kafka_troubles_wait(struct kafka_troubles *troubles, const char *reason, int change)
{
    struct kafka_trouble *row = row_of(troubles, reason);

    row->waiting += (uint64_t)(int64_t)change;
}

bool kafka_troubles_look(struct kafka_troubles *troubles, const struct sluice_host *host,
                         int64_t now_ms)
{
    bool is_any = false;

    for (unsigned i = 0; i < troubles->count; i++) {
        struct kafka_trouble *row = &troubles->rows[i];
        if (row->is_now && row->waiting == 0 && now_ms - row->seen_ms >= KAFKA_OVER_MS) {
            row->is_now = false;
            host->calls->log_reason(host, SLUICE_INFO, row->reason, NULL, "it is over");
        }
        is_any = is_any || row->is_now;
    }
    return is_any;
}

void kafka_troubles_stats(const struct kafka_troubles *troubles, struct sluice_stats *stats)
{
    stats->trouble_count = troubles->count;
    for (unsigned i = 0; i < troubles->count; i++) {
        const struct kafka_trouble *row = &troubles->rows[i];
        stats->troubles[i] = (struct sluice_trouble){row->reason, row->count, row->is_now};
    }
}
