#include "discovery/discovery.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "discovery/source.h"

struct sl_discovery {
    struct sl_discovery_config config;
    struct sl_post change_due;
    atomic_uint_fast64_t changes;
    struct sl_source *sources;
    size_t count;
};

static void on_change(void *arg)
{
    struct sl_discovery *discovery = arg;

    discovery->config.on_change(discovery->config.arg);
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

static bool init_source(struct sl_discovery *discovery, size_t i)
{
    struct sl_source *source = &discovery->sources[i];
    pthread_condattr_t clock;

    source->spec = &discovery->config.specs[i];
    source->discovery = discovery;
    source->state_dir = discovery->config.state_dir;
    source->status.name = source->spec->name;
    source->status.type = sl_source_type_names[source->spec->options.type];
    if (pthread_condattr_init(&clock) != 0) {
        return false;
    }
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    bool has_cond = pthread_cond_init(&source->changed, &clock) == 0;
    pthread_condattr_destroy(&clock);
    if (!has_cond || pthread_mutex_init(&source->lock, NULL) != 0) {
        if (has_cond) {
            pthread_cond_destroy(&source->changed);
        }
        return false;
    }
    discovery->count++;
    source->is_started = pthread_create(&source->thread, NULL, run, source) == 0;
    return source->is_started;
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
    discovery->sources = calloc(config->count + 1, sizeof(*discovery->sources));
    for (size_t i = 0; i < config->count; i++) {
        if (!discovery->sources || !init_source(discovery, i)) {
            sl_discovery_close(discovery);
            return NULL;
        }
    }
    return discovery;
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

void sl_discovery_close(struct sl_discovery *discovery)
{
    if (!discovery) {
        return;
    }
    for (size_t i = 0; i < discovery->count; i++) {
        stop(&discovery->sources[i]);
    }
    for (size_t i = 0; i < discovery->count; i++) {
        struct sl_source *source = &discovery->sources[i];
        if (source->is_started) {
            pthread_join(source->thread, NULL);
        }
        pthread_cond_destroy(&source->changed);
        pthread_mutex_destroy(&source->lock);
        sl_found_free(source->found, source->count);
    }
    free(discovery->sources);
    free(discovery);
}

void sl_discovery_wait(struct sl_discovery *discovery, uint64_t timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    for (size_t i = 0; i < discovery->count; i++) {
        struct sl_source *source = &discovery->sources[i];
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
        is_copied = copy_source(&discovery->sources[i], found, count);
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

size_t sl_discovery_sources(const struct sl_discovery *discovery)
{
    return discovery->count;
}

void sl_discovery_status(struct sl_discovery *discovery, size_t i, struct sl_source_status *status)
{
    struct sl_source *source = &discovery->sources[i];

    SL_ASSERT(i < discovery->count);
    pthread_mutex_lock(&source->lock);
    *status = source->status;
    pthread_mutex_unlock(&source->lock);
}
