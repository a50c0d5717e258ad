/* Settings that take the place of running ones: what a running collector cannot change stays as it
 * is, targets stay with their workers, and the memory that was laid out at the start has to do. */
#include <stdlib.h>
#include <string.h>

#include "daemon/difference.h"
#include "daemon/settings_read.h"

/* Of the document's memory, which outlives the old one. */
static const char *kept(struct sl_settings *settings, const char *text)
{
    size_t len = strlen(text);
    char *copy = sl_config_alloc(settings->config, len + 1, 1);

    return copy ? memcpy(copy, text, len) : NULL;
}

static bool keep_collector(struct sl_settings *settings, const struct sl_settings *running)
{
    struct sl_collector_options *collector = &settings->collector;
    const struct sl_collector_options *old = &running->collector;

    collector->name = kept(settings, old->name);
    collector->workers = kept(settings, old->workers);
    collector->plugins = kept(settings, old->plugins);
    collector->admin.listen = kept(settings, old->admin.listen);
    collector->memory_bytes = old->memory_bytes;
    collector->watch = old->watch;
    collector->log.level = old->log.level;
    collector->log.format = old->log.format;
    settings->admin = running->admin;
    settings->workers = running->workers;
    return collector->name && collector->workers && collector->plugins && collector->admin.listen;
}

/* Those that run stay where they are; a new one comes to the worker with the fewest streams. The
 * most that one has then. */
static uint64_t place(const struct sl_difference *difference, uint64_t *loads)
{
    struct sl_settings *settings = difference->to;
    uint64_t most = 0;

    for (size_t i = 0; i < settings->target_count; i++) {
        const struct sl_target_settings *from = difference->targets[i].from;
        if (from) {
            settings->targets[i].worker = from->worker;
            loads[from->worker] += settings->targets[i].stream_count;
        }
    }
    for (size_t i = 0; i < settings->target_count; i++) {
        unsigned least = 0;
        for (unsigned j = 1; j < settings->workers; j++) {
            least = loads[j] < loads[least] ? j : least;
        }
        if (!difference->targets[i].from) {
            settings->targets[i].worker = least;
            loads[least] += settings->targets[i].stream_count;
        }
    }
    for (unsigned i = 0; i < settings->workers; i++) {
        most = sl_max_u64(most, loads[i]);
    }
    return most;
}

/* The memory is laid out once. */
static bool check_plan(const struct sl_difference *difference, uint64_t streams,
                       struct sl_buf *errors)
{
    const struct sl_settings *from = difference->from;
    struct sl_settings *to = difference->to;
    const struct sl_budget_plan *plan = &from->plan;
    uint64_t message_bytes = sl_settings_largest_message(to);

    if (message_bytes > plan->reserve_bytes) {
        sl_buf_printf(errors,
                      "a subscription's max-message of %llu bytes needs a restart: the memory is "
                      "laid out for messages of %llu\n",
                      (unsigned long long)message_bytes, (unsigned long long)plan->reserve_bytes);
        return false;
    }
    if (sl_settings_optional_bytes(to) > sl_settings_optional_bytes(from)) {
        sl_buf_add_c(errors, "more memory for sinks that are not required needs a restart: the "
                             "memory is laid out\n");
        return false;
    }
    if (streams * SL_CREDIT_FLOOR_BYTES > plan->shared_bytes) {
        sl_buf_printf(errors,
                      "collector.memory: %llu streams on one worker do not fit; there can be %llu; "
                      "a larger memory needs a restart\n",
                      (unsigned long long)streams,
                      (unsigned long long)(plan->shared_bytes / SL_CREDIT_FLOOR_BYTES));
        return false;
    }
    to->plan = *plan;
    to->plan.share_bytes = plan->shared_bytes / sl_max_u64(streams, 1);
    return true;
}

bool sl_settings_succeed(const struct sl_difference *difference, struct sl_buf *errors)
{
    struct sl_settings *settings = difference->to;
    uint64_t *loads = calloc(difference->from->workers, sizeof(*loads));
    bool is_kept = loads && keep_collector(settings, difference->from);

    if (!is_kept) {
        sl_buf_add_c(errors, "out of memory\n");
    }
    bool fits = is_kept && check_plan(difference, place(difference, loads), errors);
    free(loads);
    if (fits) {
        sl_settings_inherit(settings, difference->from);
    }
    settings->generation = difference->from->generation + 1;
    return fits;
}
