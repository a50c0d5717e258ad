/* run.h - one run of one plan: what all parts of it know of one another.
 *
 *     plan     what is to happen                              plan.h, draw.c
 *     device   nghttp2 servers that send numbered updates     device.h
 *     hub      the core: targets, sinks and what they share   hub.h
 *     broker   a sink plugin                                  broker.h
 *     book     what devices sent and brokers got              book.h
 *     checks   the promises, after each event                 checks.h
 *     callers  channels to the devices, beside the targets    caller.h
 *     cover    what has happened at all                       cover.h
 *
 * Devices and brokers share nothing with the core but its interfaces (net.h, sluice_plugin.h): the
 * book is filled by them alone, and the checks hold the core's ledger against the book.
 */
#ifndef SLUICE_TESTS_WORLD_RUN_H
#define SLUICE_TESTS_WORLD_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "loop/loop.h"
#include "world/plan.h"

struct book;
struct broker;
struct callers;
struct checks;
struct cover;
struct device;
struct hub;

struct run {
    const struct plan *plan;
    struct cover *cover;
    struct sl_loop *loop;
    struct book *book;
    struct hub *hub;
    struct checks *checks;
    struct device *devices[PLAN_DEVICES];
    struct broker *brokers[PLAN_SINKS]; /* while their sinks are open */
    uint64_t events;                    /* deliveries, acknowledgements and faults */
    struct callers *callers;
    bool is_calm;    /* nothing goes wrong any more, */
    int64_t calm_ns; /* since then */
    uint64_t trace;  /* at the end: the same for the same plan */
    bool is_still;   /* and devices say nothing new */
    bool has_failed;
    const char *kind; /* of failure: the format of its text */
    char failure[512];
};

/* One more of what a scenario is long by. */
void run_count(struct run *run);

/* A promise is broken: the first one is kept, and the world stops. */
void run_fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lives through the plan. False: `failure` says what was broken. */
bool run_plan(struct run *run, const struct plan *plan, struct cover *cover);

#endif
