/* troubles.h - what a Kafka sink is in trouble with, counted by reason, and told in the log: when
 * it begins, every KAFKA_TELL_MS while it lasts, and when it is over.
 *
 * Loop thread only. Time is the caller's.
 */
#ifndef SLUICE_KAFKA_TROUBLES_H
#define SLUICE_KAFKA_TROUBLES_H

#include "sluice_plugin.h"

enum {
    KAFKA_TELL_MS = 30000,
    KAFKA_OVER_MS = 5000, /* so long without it: it is over, where nobody can say so */
    KAFKA_TROUBLE_BYTES = 640,
};

struct kafka_trouble {
    const char *reason;
    uint64_t count;
    uint64_t waiting; /* that wait for its end (topics): it is not over before they do not */
    int64_t seen_ms;
    int64_t told_ms;
    bool is_now;
};

struct kafka_troubles {
    struct kafka_trouble rows[SLUICE_MAX_TROUBLES];
    unsigned count;
};

/* Met once more. `text` is for the log. */
void kafka_troubles_note(struct kafka_troubles *troubles, const struct sluice_host *host,
                         const char *reason, const char *text, int64_t now_ms);

/* Something more, or something less, waits for its end. It was noted before. */
void kafka_troubles_wait(struct kafka_troubles *troubles, const char *reason, int change);

/* Looks for those that are over. True: some are not. */
bool kafka_troubles_look(struct kafka_troubles *troubles, const struct sluice_host *host,
                         int64_t now_ms);

void kafka_troubles_stats(const struct kafka_troubles *troubles, struct sluice_stats *stats);

#endif
