/* fixture.h - a plugin under lib/sink on a loop, and what became of each record given to it. */
#ifndef SLUICE_TESTS_PLUGINS_FIXTURE_H
#define SLUICE_TESTS_PLUGINS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "sink/sink.h"

enum { FIXTURE_LIMIT_MS = 30000 };

struct slot {
    struct sl_token token;
    unsigned acks;
    enum sluice_result result;
    size_t order; /* of its report, from 1 */
};

struct fixture {
    struct sl_loop *loop;
    struct sl_timer *poll;
    struct sl_sink_spec spec;
    struct sl_sink *sink;
    struct slot *slots;
    size_t most;
    size_t given; /* slots in use */
    size_t acked;
    size_t failed;
    unsigned readies;
    unsigned takings; /* on_taking calls */
    unsigned overs;   /* on_over calls */
    bool is_accepting;
    bool (*is_met)(const struct fixture *fixture);
    int64_t until_ns;
};

/* A loop and room for `most` records; the plugin is opened on top of it. */
void fixture_init(struct fixture *fixture, const struct sluice_sink_plugin *plugin,
                  const void *options, size_t most);
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture); /* the sink */
void fixture_fini(struct fixture *fixture);

/* Offers a copy of `payload` as the next record, with the rest of `record`. True: it was taken. */
bool fixture_give(struct fixture *fixture, const struct sluice_record *record, const void *payload,
                  size_t len);

/* The same; where it is not taken at first, once there is room. */
bool fixture_give_soon(struct fixture *fixture, const struct sluice_record *record,
                       const void *payload, size_t len);

/* Runs the loop until `is_met`; false after FIXTURE_LIMIT_MS. */
bool fixture_run_until(struct fixture *fixture, bool (*is_met)(const struct fixture *fixture));

bool all_are_acked(const struct fixture *fixture);
bool is_taking(const struct fixture *fixture);
bool is_not_taking(const struct fixture *fixture);
bool was_ready(const struct fixture *fixture); /* at least once */

/* Each record given came back exactly once, `failed` of them as lost. */
void assert_all_came_back(const struct fixture *fixture, size_t failed);

#endif
