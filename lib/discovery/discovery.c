#include "discovery/discovery.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "discovery/source.h"

struct sl_discovery {
    struct sl_discovery_config config;
    struct sl_post change_due;
    atomic_uint_fast64_t changes;
    struct sl_source **sources; /* on the loop's thread, and others under the lock */
    size_t count;
    pthread_mutex_t lock;
    bool is_closed; /* and goes with the loop's next turn, as a change may be posted to it */
};

static void on_change(void *arg)
{
    struct sl_discovery *discovery = arg;

    if (discovery->is_closed) {
        free(discovery);
    } else {
        discovery->config.on_change(discovery->config.arg);
    }
}

void sl_discovery_tell(struct sl_discovery *discovery)
{
    atomic_fetch_add(&discovery->changes, 1);
    sl_loop_post_kept(discovery->config.loop, &discovery->change_due);
}

static void *run(void *arg)
{
    static void (*const runs[SL_SOURCE_TYPES])(struct sl_source *) = {
        [SL_SOURCE_FILES] = sl_source_run_files,
        [SL_SOURCE_HTTP] = sl_source_run_http,
        [SL_SOURCE_KAFKA] = sl_source_run_kafka,
    };
    struct sl_source *source = arg;

    runs[source->spec->options.type](source);
    return NULL;
}

/* ---- one source ---- */

static bool init_lock(struct sl_source *source)
{
    pthread_condattr_t clock;

    if (pthread_condattr_init(&clock) != 0) {
        return false;
    }
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    bool has_cond = pthread_cond_init(&source->changed, &clock) == 0;
    pthread_condattr_destroy(&clock);
    if (has_cond && pthread_mutex_init(&source->lock, NULL) != 0) {
        pthread_cond_destroy(&source->changed);
        has_cond = false;
    }
    return has_cond;
}

static void source_free(struct sl_source *source)
{
    if (source->is_started) {
        pthread_join(source->thread, NULL);
    }
    pthread_cond_destroy(&source->changed);
    pthread_mutex_destroy(&source->lock);
    sl_found_free(source->found, source->count);
    free(source);
}

/* What is known of `before` (NULL: nothing) is known of it, until it has answered. */
static bool inherit(struct sl_source *source, struct sl_source *before)
{
    if (!before) {
        return true;
    }
    pthread_mutex_lock(&before->lock);
    bool is_copied = sl_source_copy(source, before);
    pthread_mutex_unlock(&before->lock);
    return is_copied;
}

/* NULL: no memory, or no thread. */
static struct sl_source *source_start(struct sl_discovery *discovery,
                                      const struct sl_source_spec *spec, struct sl_source *before)
{
    struct sl_source *source = calloc(1, sizeof(*source));

    if (!source || !init_lock(source)) {
        free(source);
        return NULL;
    }
    source->spec = spec;
    source->discovery = discovery;
    source->state_dir = discovery->config.state_dir;
    snprintf(source->status.name, sizeof(source->status.name), "%s", spec->name);
    source->status.type = sl_source_type_names[spec->options.type];
    source->is_started =
        inherit(source, before) && pthread_create(&source->thread, NULL, run, source) == 0;
    if (!source->is_started) {
        source_free(source);
        return NULL;
    }
    return source;
}

static void stop(struct sl_source *source)
{
    pthread_mutex_lock(&source->lock);
    source->is_stopping = true;
    pthread_cond_broadcast(&source->changed);
    if (source->loop) {
        sl_loop_post_kept(source->loop, &source->stop_due);
    }
    pthread_mutex_unlock(&source->lock);
}

/* ---- all of them ---- */

static bool has(struct sl_source *const *sources, size_t count, const struct sl_source *source)
{
    for (size_t i = 0; i < count; i++) {
        if (sources[i] == source) {
            return true;
        }
    }
    return false;
}

/* Those that are not among the `kept` ones; all are told first, so that they end side by side. */
static void end_others(struct sl_source **sources, size_t count, struct sl_source *const *kept,
                       size_t kept_count)
{
    for (size_t i = 0; i < count; i++) {
        if (!has(kept, kept_count, sources[i])) {
            stop(sources[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!has(kept, kept_count, sources[i])) {
            source_free(sources[i]);
        }
    }
    free(sources);
}

static struct sl_source *find(const struct sl_discovery *discovery, const char *name)
{
    for (size_t i = 0; i < discovery->count; i++) {
        if (strcmp(discovery->sources[i]->spec->name, name) == 0) {
            return discovery->sources[i];
        }
    }
    return NULL;
}

static bool go_over(struct sl_discovery *discovery, const struct sl_source_spec *specs,
                    size_t count)
{
    struct sl_source **sources = calloc(count + 1, sizeof(*sources)), **old = discovery->sources;
    size_t old_count = discovery->count, made = 0;

    for (; sources && made < count; made++) {
        struct sl_source *before = find(discovery, specs[made].name);
        bool is_same = before && sl_source_is_same(before->spec, &specs[made]);
        sources[made] = is_same ? before : source_start(discovery, &specs[made], before);
        if (!sources[made]) {
            end_others(sources, made, old, old_count);
            return false;
        }
    }
    if (!sources) {
        return false;
    }
    pthread_mutex_lock(&discovery->lock);
    discovery->sources = sources;
    discovery->count = count;
    pthread_mutex_unlock(&discovery->lock);
    end_others(old, old_count, sources, count);
    return true;
}

bool sl_discovery_change(struct sl_discovery *discovery, const struct sl_source_spec *specs,
                         size_t count)
{
    bool has_gone = go_over(discovery, specs, count);

    if (has_gone) {
        sl_discovery_tell(discovery);
    }
    return has_gone;
}

bool sl_discovery_uses(const struct sl_discovery *discovery, const struct sl_source_spec *spec)
{
    for (size_t i = 0; i < discovery->count; i++) {
        if (discovery->sources[i]->spec == spec) {
            return true;
        }
    }
    return false;
}

struct sl_discovery *sl_discovery_open(const struct sl_discovery_config *config,
                                       struct sl_status *why)
{
    struct sl_discovery *discovery = calloc(1, sizeof(*discovery));

    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "discovery: out of memory or threads");
    if (!discovery) {
        return NULL;
    }
    discovery->config = *config;
    discovery->change_due = (struct sl_post){.fn = on_change, .arg = discovery};
    pthread_mutex_init(&discovery->lock, NULL);
    if (!go_over(discovery, config->specs, config->count)) {
        sl_discovery_close(discovery);
        return NULL;
    }
    return discovery;
}

void sl_discovery_close(struct sl_discovery *discovery)
{
    if (discovery) {
        end_others(discovery->sources, discovery->count, NULL, 0);
        pthread_mutex_destroy(&discovery->lock);
        discovery->is_closed = true;
        sl_loop_post_kept(discovery->config.loop, &discovery->change_due);
    }
}

void sl_discovery_wait(struct sl_discovery *discovery, uint64_t timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    for (size_t i = 0; i < discovery->count; i++) {
        struct sl_source *source = discovery->sources[i];
        int result = 0;
        pthread_mutex_lock(&source->lock);
        while (!source->has_answered && result == 0) {
            result = pthread_cond_timedwait(&source->changed, &source->lock, &until);
        }
        pthread_mutex_unlock(&source->lock);
    }
}

static bool copy_source(struct sl_source *source, struct sl_found **found, size_t *count)
{
    bool is_copied = true;

    pthread_mutex_lock(&source->lock);
    for (size_t i = 0; is_copied && i < source->count; i++) {
        const struct sl_found *one = &source->found[i];
        is_copied =
            sl_source_add(found, count, source, one->place, (struct sl_str){one->text, one->len});
        if (is_copied) {
            (*found)[*count - 1].is_foreign = one->is_foreign;
        }
    }
    pthread_mutex_unlock(&source->lock);
    return is_copied;
}

bool sl_discovery_found(struct sl_discovery *discovery, struct sl_found **found, size_t *count)
{
    bool is_copied = true;

    *found = NULL;
    *count = 0;
    for (size_t i = 0; is_copied && i < discovery->count; i++) {
        is_copied = copy_source(discovery->sources[i], found, count);
    }
    if (!is_copied) {
        sl_found_free(*found, *count);
        *found = NULL;
        *count = 0;
    }
    return is_copied;
}

uint64_t sl_discovery_changes(const struct sl_discovery *discovery)
{
    return atomic_load(&discovery->changes);
}

size_t sl_discovery_sources(struct sl_discovery *discovery)
{
    pthread_mutex_lock(&discovery->lock);
    size_t count = discovery->count;
    pthread_mutex_unlock(&discovery->lock);
    return count;
}

bool sl_discovery_status(struct sl_discovery *discovery, size_t i, struct sl_source_status *status)
{
    pthread_mutex_lock(&discovery->lock);
    struct sl_source *source = i < discovery->count ? discovery->sources[i] : NULL;
    if (source) {
        pthread_mutex_lock(&source->lock);
        *status = source->status;
        pthread_mutex_unlock(&source->lock);
    }
    pthread_mutex_unlock(&discovery->lock);
    return source != NULL;
}
