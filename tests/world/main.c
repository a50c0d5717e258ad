/* The simulation: scenarios from seeds, the real core, and its promises after each event.
 *
 *     world --seeds A..B [--seconds N] [--jobs N] [--events N]
 *     world --seed N [--drop WORDS] [--events N] [--log]
 *
 * The first form runs seeds until N seconds are over, but at least 1,000 of them (fewer where B is
 * nearer), prints what they have covered and fails below its bounds. A seed that fails prints
 * itself, is made smaller and prints the command for what is left. The second form runs one.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "world/cover.h"
#include "world/run.h"
#include "world/shrink.h"
#include "world/trial.h"

enum { EVENTS = 2000, LEAST_SEEDS = 1000, MOST_JOBS = 64 };

struct options {
    uint64_t first, last;
    double seconds;
    unsigned jobs;
    uint64_t events;
    const char *drop;
    bool is_one, has_log, has_no_shrink, is_short;
};

/* What the processes share. */
struct shared {
    uint64_t next;   /* seed */
    uint64_t failed; /* the lowest one that did; UINT64_MAX: none */
    struct cover cover;
};

/* The real clock: clock_gettime(2) is the world's. */
static double now_s(void)
{
    struct timespec now;

    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- one seed ---- */

static int run_one(const struct options *options)
{
    struct trial trial = {
        .seed = options->first,
        .events = options->events,
        .drop = options->drop,
        .has_log = options->has_log,
    };
    struct cover *cover = trial_shared(sizeof(*cover));
    struct trial_outcome outcome;

    trial_run(&trial, cover, &outcome);
    printf("world: seed %llu: %s%s, trace %016llx\n", (unsigned long long)trial.seed,
           outcome.has_failed ? "FAILED: " : "good", outcome.text,
           (unsigned long long)outcome.trace);
    if (options->has_log) {
        cover_print(cover, stdout, 0, true);
    }
    return outcome.has_failed ? 1 : 0;
}

/* ---- many ---- */

static bool take_seed(struct shared *shared, const struct options *options, double began_s,
                      uint64_t *seed)
{
    *seed = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED);
    bool is_over = now_s() - began_s > options->seconds && *seed - options->first >= LEAST_SEEDS;

    return *seed <= options->last && !is_over &&
           __atomic_load_n(&shared->failed, __ATOMIC_RELAXED) == UINT64_MAX;
}

static void note_failure(struct shared *shared, uint64_t seed)
{
    uint64_t lowest = __atomic_load_n(&shared->failed, __ATOMIC_RELAXED);

    while (seed < lowest && !__atomic_compare_exchange_n(&shared->failed, &lowest, seed, false,
                                                         __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static void work(struct shared *shared, const struct options *options, double began_s)
{
    uint64_t seed;

    while (take_seed(shared, options, began_s, &seed)) {
        const struct trial trial = {.seed = seed, .events = options->events, .drop = options->drop};
        struct trial_outcome outcome;
        trial_run(&trial, &shared->cover, &outcome);
        if (outcome.has_failed) {
            printf("world: seed %llu FAILED: %s\n", (unsigned long long)seed, outcome.text);
            fflush(stdout);
            note_failure(shared, seed);
        }
    }
}

static int run_many(const struct options *options)
{
    struct shared *shared = trial_shared(sizeof(*shared));
    double began_s = now_s();

    shared->next = options->first;
    shared->failed = UINT64_MAX;
    fflush(stdout);
    for (unsigned i = 0; i < options->jobs; i++) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            work(shared, options, began_s);
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {
    }
    bool is_covered = cover_print(&shared->cover, stdout, now_s() - began_s, options->is_short);

    if (shared->failed != UINT64_MAX) {
        if (!options->has_no_shrink) {
            shrink(shared->failed, options->events, options->drop, stdout);
        }
        return 1;
    }
    return is_covered ? 0 : 1;
}

/* ---- what is asked for ---- */

static const struct option long_options[] = {
    {"seeds", required_argument, NULL, 'S'},
    {"seed", required_argument, NULL, 's'},
    {"seconds", required_argument, NULL, 't'},
    {"jobs", required_argument, NULL, 'j'},
    {"events", required_argument, NULL, 'e'},
    {"drop", required_argument, NULL, 'd'},
    {"log", no_argument, NULL, 'l'},
    {"no-shrink", no_argument, NULL, 'n'},
    {NULL, 0, NULL, 0},
};

static bool take_option(struct options *options, int option, const char *text)
{
    unsigned long long first = 0;
    unsigned long long last = 0;

    switch (option) {
    case 'S':
        if (sscanf(text, "%llu..%llu", &first, &last) != 2 || last < first) {
            return false;
        }
        options->first = first;
        options->last = last;
        return true;
    case 's':
        options->is_one = true;
        options->first = strtoull(text, NULL, 10);
        return true;
    case 't':
        options->seconds = strtod(text, NULL);
        return true;
    case 'j':
        options->jobs = (unsigned)strtoul(text, NULL, 10);
        return options->jobs > 0 && options->jobs <= MOST_JOBS;
    case 'e':
        options->events = strtoull(text, NULL, 10);
        return true;
    case 'd':
        options->drop = text;
        return true;
    case 'l':
        options->has_log = true;
        return true;
    case 'n':
        options->has_no_shrink = true;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    struct options options = {
        .first = 1, .last = LEAST_SEEDS, .jobs = 1, .events = EVENTS, .drop = ""};

    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (!take_option(&options, option, optarg)) {
            fprintf(stderr, "usage: world --seeds A..B [--seconds N] [--jobs N] [--events N]\n"
                            "       world --seed N [--drop WORDS] [--events N] [--log]\n");
            return 2;
        }
    }
    options.is_short = options.last - options.first + 1 < LEAST_SEEDS || options.events < EVENTS;
    return options.is_one ? run_one(&options) : run_many(&options);
}
