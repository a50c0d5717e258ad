#include "world/shrink.h"

#include <string.h>

#include "world/plan.h"
#include "world/trial.h"

enum { WORDS_BYTES = 2048, MOST_TRIALS = 400 };

struct search {
    struct trial trial;
    char drop[WORDS_BYTES]; /* what is out */
    struct trial_outcome outcome;
    unsigned trials;
};

/* It is the same that fails. */
static bool fails_alike(const struct search *search, const struct trial_outcome *outcome)
{
    return outcome->has_failed && outcome->kind == search->outcome.kind;
}

/* Whether it fails without `word`, too; then that stays out. */
static bool try_without(struct search *search, const char *word)
{
    char drop[WORDS_BYTES];
    struct trial_outcome outcome;
    struct trial trial = search->trial;
    int len =
        snprintf(drop, sizeof(drop), "%s%s%s", search->drop, search->drop[0] ? "," : "", word);

    if (len >= (int)sizeof(drop) || search->trials >= MOST_TRIALS) {
        return false;
    }
    search->trials++;
    trial.drop = drop;
    trial_run(&trial, NULL, &outcome);
    if (!fails_alike(search, &outcome)) {
        return false;
    }
    memcpy(search->drop, drop, sizeof(drop));
    search->outcome = outcome;
    return true;
}

static void drop_parts(struct search *search)
{
    char word[16];

    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        snprintf(word, sizeof(word), "d%u", i);
        if (try_without(search, word)) {
            continue;
        }
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            snprintf(word, sizeof(word), "s%u.%u", i, j);
            (void)try_without(search, word);
        }
    }
    for (unsigned i = 0; i < PLAN_SINKS; i++) {
        snprintf(word, sizeof(word), "k%u", i);
        (void)try_without(search, word);
    }
}

/* All of a range at once, else its halves. */
static void drop_faults(struct search *search, unsigned first, unsigned last)
{
    char word[32];

    snprintf(word, sizeof(word), "f%u-%u", first, last);
    if (!try_without(search, word) && first < last) {
        unsigned middle = (first + last) / 2;
        drop_faults(search, first, middle);
        drop_faults(search, middle + 1, last);
    }
}

/* Of a failure that comes before the scenario's end the rest does not matter. */
static void drop_events(struct search *search)
{
    struct trial trial = search->trial;
    struct trial_outcome outcome;

    trial.drop = search->drop;
    trial.events = search->outcome.events + 1;
    if (search->outcome.events == 0 || trial.events >= search->trial.events) {
        return;
    }
    trial_run(&trial, NULL, &outcome);
    if (fails_alike(search, &outcome)) {
        search->trial.events = trial.events;
        search->outcome = outcome;
    }
}

void shrink(uint64_t seed, uint64_t events, const char *drop, FILE *file)
{
    struct search search = {.trial = {.seed = seed, .events = events, .is_quiet = true}};

    snprintf(search.drop, sizeof(search.drop), "%s", drop);
    search.trial.drop = search.drop;
    trial_run(&search.trial, NULL, &search.outcome);
    if (!search.outcome.has_failed) {
        fprintf(file, "world: seed %llu does not fail again\n", (unsigned long long)seed);
        return;
    }
    drop_faults(&search, 0, PLAN_FAULTS - 1);
    drop_parts(&search);
    drop_events(&search);
    fprintf(file,
            "world: seed %llu fails with less: %s\n"
            "world: again: world --seed %llu --events %llu --drop '%s' --log\n",
            (unsigned long long)seed, search.outcome.text, (unsigned long long)seed,
            (unsigned long long)search.trial.events, search.drop);
}
