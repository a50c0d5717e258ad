/* From names to objects: which subscriptions a target has, where each of them is published, on
 * which worker it runs, and whether all of that fits into collector.memory. */
#include <stdlib.h>
#include <string.h>

#include "config/values.h"
#include "daemon/settings_read.h"
#include "normalise/glob.h"

enum { AUTO_PART_MESSAGES = 2 }; /* largest messages that a worker's part holds at least */

/* Sinks as a set of bits, by their place in settings->sinks. */
typedef char sinks_fit_in_a_set[SL_SETTINGS_MAX_SINKS <= 64 ? 1 : -1];

struct resolver {
    struct sl_settings_reader *reader;
    const char **sink_names; /* each list ends with NULL */
    const char **subscription_names;
    uint64_t all_sinks;
    uint64_t *narrowed;  /* per subscription: the sinks that it lets through */
    size_t *named_by;    /* per subscription: the last target that named it, from 1 */
    size_t *chosen;      /* of one target */
    uint64_t *loads;     /* streams per worker */
    size_t stream_count; /* of all targets, before any are packed */
    struct sl_settings_packer *packer;
};

static size_t find_name(const char *const *names, const char *word)
{
    size_t i = 0;

    while (names[i] && strcmp(names[i], word) != 0) {
        i++;
    }
    return i;
}

/* Nothing is said where there are no names at all: that is an error of its own. */
static void refuse_name(struct sl_config *config, const struct sl_config_node *node,
                        const char *kind, const char *word, const char *const *names)
{
    if (names[0]) {
        sl_config_error_unknown(config, node, kind, word, names);
    }
}

/* What is named, as a set; all of them when nothing is, or when something is wrong with it. */
static uint64_t sink_set(const struct resolver *resolver, const struct sluice_strings *names,
                         const struct sl_config_node *node)
{
    struct sl_config *config = resolver->reader->config;
    uint64_t set = 0;
    bool is_good = true;

    for (size_t i = 0; i < names->count; i++) {
        size_t at = find_name(resolver->sink_names, names->items[i]);
        if (!resolver->sink_names[at]) {
            refuse_name(config, sl_config_item(node, i), "sink", names->items[i],
                        resolver->sink_names);
            is_good = false;
        } else if (set & UINT64_C(1) << at) {
            sl_config_error(config, sl_config_item(node, i), "sink '%s' is named twice",
                            names->items[i]);
        } else {
            set |= UINT64_C(1) << at;
        }
    }
    return names->count && is_good ? set : resolver->all_sinks;
}

/* Whether the sink takes what has these labels. */
static bool is_match(const struct sl_sink_settings *sink, const struct sluice_map *labels)
{
    for (size_t i = 0; i < sink->match.count; i++) {
        const struct sluice_pair *wanted = &sink->match.pairs[i];
        size_t at = 0;
        while (at < labels->count && strcmp(labels->pairs[at].name, wanted->name) != 0) {
            at++;
        }
        if (at == labels->count ||
            !sl_glob_word_matches(wanted->value, sl_str_from(labels->pairs[at].value))) {
            return false;
        }
    }
    return true;
}

/* Those that the labels of the target let through; told where there are none. */
static uint64_t matching_sinks(const struct resolver *resolver, size_t target_at)
{
    const struct sl_settings_reader *reader = resolver->reader;
    const struct sl_target_settings *target = &reader->settings->targets[target_at];
    uint64_t set = 0;

    for (size_t i = 0; i < reader->settings->sink_count; i++) {
        if (is_match(&reader->settings->sinks[i], &target->options.labels)) {
            set |= UINT64_C(1) << i;
        }
    }
    if (!set && resolver->all_sinks) {
        sl_config_error(reader->config, reader->places[target_at].key,
                        "target '%s': expected labels that 'match' of a sink lets through",
                        target->name);
        set = resolver->all_sinks;
    }
    return set;
}

/* The value of a key, or the one in `defaults` that stands for it. */
static const struct sl_config_node *place_of(const struct sl_config_node *own,
                                             const struct sl_config_node *defaults, const char *key)
{
    const struct sl_config_node *node = sl_config_get(own, key);

    return node ? node : sl_config_get(defaults, key);
}

static void narrow_subscriptions(struct resolver *resolver)
{
    const struct sl_settings_reader *reader = resolver->reader;

    for (size_t i = 0; i < reader->settings->subscription_count; i++) {
        const struct sl_config_node *node =
            place_of(sl_config_at(reader->subscriptions, i), reader->default_subscription, "sinks");
        resolver->narrowed[i] =
            sink_set(resolver, &reader->settings->subscriptions[i].options.sinks, node);
    }
}

/* Puts the subscriptions of the target (by its place) into `chosen` and returns how many. */
static size_t choose_subscriptions(struct resolver *resolver, size_t target_at)
{
    const struct sl_settings_reader *reader = resolver->reader;
    const struct sluice_strings *names =
        &reader->settings->targets[target_at].options.subscriptions;
    const struct sl_config_node *node =
        place_of(reader->places[target_at].node, reader->default_target, "subscriptions");
    size_t count = 0;

    for (size_t i = 0; !names->count && i < reader->settings->subscription_count; i++) {
        resolver->chosen[count++] = i;
    }
    for (size_t i = 0; i < names->count; i++) {
        size_t at = find_name(resolver->subscription_names, names->items[i]);
        if (!resolver->subscription_names[at]) {
            refuse_name(reader->config, sl_config_item(node, i), "subscription", names->items[i],
                        resolver->subscription_names);
        } else if (resolver->named_by[at] == target_at + 1) {
            sl_config_error(reader->config, sl_config_item(node, i),
                            "subscription '%s' is named twice", names->items[i]);
        } else {
            resolver->named_by[at] = target_at + 1;
            resolver->chosen[count++] = at;
        }
    }
    return count;
}

static bool fill_stream(const struct resolver *resolver, uint64_t set,
                        struct sl_stream_settings *stream)
{
    struct sl_settings *settings = resolver->reader->settings;

    stream->sinks = sl_config_alloc(resolver->reader->config, settings->sink_count,
                                    sizeof(struct sl_sink_settings *));
    for (size_t i = 0; stream->sinks && i < settings->sink_count; i++) {
        if (set & UINT64_C(1) << i) {
            stream->sinks[stream->sink_count++] = &settings->sinks[i];
        }
    }
    return stream->sinks != NULL;
}

/* One member: a subscription of its own. */
static bool init_stream(const struct resolver *resolver, size_t subscription_at, uint64_t set,
                        struct sl_stream_settings *stream)
{
    struct sl_settings *settings = resolver->reader->settings;

    stream->subscription = &settings->subscriptions[subscription_at];
    stream->name = stream->subscription->name;
    stream->asks = &stream->subscription->member;
    stream->members =
        sl_config_alloc(resolver->reader->config, 1, sizeof(struct sl_subscription_settings *));
    if (!stream->members || !fill_stream(resolver, set, stream)) {
        return false;
    }
    stream->members[0] = stream->subscription;
    stream->member_count = 1;
    return true;
}

/* ---- packing ---- */

/* The members' names; from where they get too long, how many more there are. */
static bool name_stream(struct sl_config *config, struct sl_stream_settings *stream)
{
    struct sl_buf name = {0};
    size_t i = 1;

    sl_buf_add_c(&name, stream->members[0]->name);
    for (; i < stream->member_count &&
           name.len + strlen(stream->members[i]->name) < SL_SETTINGS_MAX_NAME_BYTES;
         i++) {
        sl_buf_printf(&name, ";%s", stream->members[i]->name);
    }
    if (i < stream->member_count) {
        sl_buf_printf(&name, ";+%zu", stream->member_count - i);
    }
    char *text = sl_config_alloc(config, name.len + 1, 1);
    bool is_named = text && !name.failed;
    if (is_named) {
        memcpy(text, name.data, name.len);
        stream->name = text;
    }
    sl_buf_fini(&name);
    return is_named;
}

static bool add_member(struct sl_config *config, struct sl_stream_settings *stream,
                       const struct sl_subscription_settings *subscription)
{
    size_t count = stream->member_count;

    if ((count & (count - 1)) == 0) { /* a power of two: its room is used up */
        const struct sl_subscription_settings **members =
            sl_config_alloc(config, count * 2, sizeof(*members));
        if (!members) {
            return false;
        }
        memcpy(members, stream->members, count * sizeof(*members));
        stream->members = members;
    }
    stream->members[stream->member_count++] = subscription;
    return true;
}

/* What all members together ask for. */
static bool add_asks(struct sl_config *config, struct sl_stream_settings *stream)
{
    struct sl_stream_member *asks = sl_config_alloc(config, stream->member_count, sizeof(*asks));

    for (size_t i = 0; asks && i < stream->member_count; i++) {
        asks[i] = stream->members[i]->member;
    }
    stream->asks = asks;
    return asks != NULL;
}

/* Each subscription to the first RPC that it can share. False when memory is out. */
static bool pack_target(struct resolver *resolver, struct sl_target_settings *target)
{
    struct sl_config *config = resolver->reader->config;
    uint32_t known = sl_settings_vendor(target)->max_paths;
    size_t max_paths = known ? sl_min_size(known, SL_STREAM_MAX_PATHS) : SL_STREAM_MAX_PATHS;
    size_t count = 0;

    for (size_t i = 0; i < target->stream_count; i++) {
        const struct sl_stream_settings *stream = &target->streams[i];
        size_t at = 0;
        while (at < count &&
               !sl_settings_fits(resolver->packer, &target->streams[at], stream, max_paths)) {
            at++;
        }
        if (at == count) {
            target->streams[count++] = *stream;
        } else if (!add_member(config, &target->streams[at], stream->subscription)) {
            return false;
        }
    }
    target->stream_count = count;
    for (size_t i = 0; i < count; i++) {
        struct sl_stream_settings *stream = &target->streams[i];
        if (stream->member_count > 1 &&
            (!name_stream(config, stream) || !add_asks(config, stream))) {
            return false;
        }
    }
    return true;
}

static bool pack_targets(struct resolver *resolver)
{
    struct sl_settings *settings = resolver->reader->settings;

    for (size_t i = 0; i < settings->target_count; i++) {
        if (settings->targets[i].options.pack && !pack_target(resolver, &settings->targets[i])) {
            return false;
        }
    }
    return true;
}

/* ---- targets ---- */

static bool resolve_target(struct resolver *resolver, size_t target_at)
{
    const struct sl_settings_reader *reader = resolver->reader;
    struct sl_settings *settings = reader->settings;
    struct sl_target_settings *target = &settings->targets[target_at];
    const struct sl_config_node *sinks =
        place_of(reader->places[target_at].node, reader->default_target, "sinks");
    uint64_t set =
        sink_set(resolver, &target->options.sinks, sinks) & matching_sinks(resolver, target_at);
    size_t count = choose_subscriptions(resolver, target_at);

    resolver->stream_count += count;
    if (resolver->stream_count > SL_SETTINGS_MAX_STREAMS) {
        return true; /* told at the end */
    }
    target->streams = sl_config_alloc(reader->config, count, sizeof(*target->streams));
    for (size_t i = 0; target->streams && i < count; i++) {
        size_t at = resolver->chosen[i];
        struct sl_stream_settings *stream = &target->streams[target->stream_count++];
        if (!(set & resolver->narrowed[at]) && resolver->all_sinks) {
            sl_config_error(reader->config, sinks ? sinks : reader->places[target_at].key,
                            "target '%s' and its subscription '%s' have no sink in common",
                            target->name, settings->subscriptions[at].name);
        } else if (!init_stream(resolver, at, set & resolver->narrowed[at], stream)) {
            return false;
        }
    }
    return target->streams != NULL;
}

/* Each target to the worker with the fewest streams; returns the most that one has. */
static uint64_t place_targets(struct resolver *resolver)
{
    struct sl_settings *settings = resolver->reader->settings;
    uint64_t most = 0;

    for (size_t i = 0; i < settings->target_count; i++) {
        unsigned least = 0;
        for (unsigned j = 1; j < settings->workers; j++) {
            least = resolver->loads[j] < resolver->loads[least] ? j : least;
        }
        settings->targets[i].worker = least;
        resolver->loads[least] += settings->targets[i].stream_count;
        most = sl_max_u64(most, resolver->loads[least]);
    }
    return most;
}

uint64_t sl_settings_largest_message(const struct sl_settings *settings)
{
    uint64_t largest = 0;

    for (size_t i = 0; i < settings->subscription_count; i++) {
        largest = sl_max_u64(largest, settings->subscriptions[i].options.max_message_bytes);
    }
    return largest;
}

/* What sinks that are not required take off collector.memory, for each worker. */
uint64_t sl_settings_optional_bytes(const struct sl_settings *settings)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < settings->sink_count; i++) {
        const struct sl_sink_spec *spec = &settings->sinks[i].spec;
        sum += spec->is_required ? 0 : spec->memory_bytes;
    }
    return sum;
}

/* The least memory, in whole MiB, that holds so many streams. */
static uint64_t least_mib(unsigned workers, uint64_t streams, uint64_t message_bytes)
{
    struct sl_budget_plan plan;
    uint64_t too_little = 0;
    uint64_t enough = UINT64_C(1) << 40;

    while (enough - too_little > 1) {
        uint64_t middle = too_little + (enough - too_little) / 2;
        if (sl_budget_plan(middle * SL_MIB, workers, streams, message_bytes, &plan)) {
            enough = middle;
        } else {
            too_little = middle;
        }
    }
    return enough;
}

static void check_budget(struct resolver *resolver, uint64_t streams)
{
    const struct sl_settings_reader *reader = resolver->reader;
    struct sl_settings *settings = reader->settings;
    const struct sl_config_node *collector = sl_config_get(reader->root, "collector");
    const struct sl_config_node *memory = sl_config_get(collector, "memory");
    uint64_t message_bytes = sl_settings_largest_message(settings);
    uint64_t taken_off = sl_settings_optional_bytes(settings) * settings->workers;
    uint64_t left = settings->collector.memory_bytes;

    left -= sl_min_u64(left, taken_off);
    if (sl_budget_plan(left, settings->workers, streams, message_bytes, &settings->plan)) {
        return;
    }
    struct sl_buf words = {0};
    sl_buf_printf(&words,
                  "'memory': expected %lluMiB or more (workers: %u, streams of the fullest: "
                  "%llu, largest message: ",
                  (unsigned long long)(least_mib(settings->workers, streams, message_bytes) +
                                       (taken_off + SL_MIB - 1) / SL_MIB),
                  settings->workers, (unsigned long long)streams);
    sl_config_add_size(&words, message_bytes);
    if (taken_off) {
        sl_buf_add_c(&words, ", sinks that are not required: ");
        sl_config_add_size(&words, taken_off);
    }
    sl_buf_add_c(&words, "), found ");
    sl_config_add_size(&words, settings->collector.memory_bytes);
    sl_config_error(reader->config, memory ? memory : reader->root, "%s", sl_buf_text(&words));
    sl_buf_fini(&words);
}

/* The keys of a map of names, ends with NULL. */
static const char **keys_of(struct sl_config *config, const struct sl_config_node *map)
{
    size_t count = map ? sl_config_count(map) : 0;
    const char **keys = sl_config_alloc(config, count + 1, sizeof(*keys));

    for (size_t i = 0; keys && i < count; i++) {
        keys[i] = sl_config_key(map, i);
    }
    return keys;
}

static bool init_resolver(struct resolver *resolver, struct sl_settings_reader *reader)
{
    const struct sl_settings *settings = reader->settings;
    struct sl_config *config = reader->config;
    size_t subscriptions = settings->subscription_count;

    *resolver = (struct resolver){
        .reader = reader,
        .sink_names = keys_of(config, reader->sinks),
        .subscription_names = keys_of(config, reader->subscriptions),
        .all_sinks =
            settings->sink_count == 64 ? UINT64_MAX : (UINT64_C(1) << settings->sink_count) - 1,
        .narrowed = sl_config_alloc(config, subscriptions, sizeof(uint64_t)),
        .named_by = sl_config_alloc(config, subscriptions, sizeof(size_t)),
        .chosen = sl_config_alloc(config, subscriptions, sizeof(size_t)),
        .loads = sl_config_alloc(config, settings->workers, sizeof(uint64_t)),
    };
    return resolver->sink_names && resolver->subscription_names && resolver->narrowed &&
           resolver->named_by && resolver->chosen && resolver->loads;
}

/* `workers: auto` is a thread for each core, but none without a device, and no more than leave each
 * a part of the memory that the reserve for one largest message does not eat up. */
static void fit_auto_workers(struct sl_settings *settings)
{
    uint64_t message_bytes = sl_max_u64(sl_settings_largest_message(settings), 1);
    uint64_t part_bytes = message_bytes * AUTO_PART_MESSAGES + sl_settings_optional_bytes(settings);
    uint64_t parts = settings->collector.memory_bytes / part_bytes;
    uint64_t most = sl_min_u64(parts, settings->target_count);

    if (strcmp(settings->collector.workers, "auto") == 0) {
        settings->workers = (unsigned)sl_max_u64(sl_min_u64(settings->workers, most), 1);
    }
}

/* A capture is what came in one RPC. */
static void check_replays(const struct resolver *resolver)
{
    const struct sl_settings_reader *reader = resolver->reader;

    for (size_t i = 0; i < reader->settings->target_count; i++) {
        const struct sl_target_settings *target = &reader->settings->targets[i];
        if (target->replay.file && target->stream_count != 1) {
            sl_config_error(reader->config, reader->places[i].key,
                            "target '%s' replays a capture, which is one RPC; its subscriptions "
                            "make %zu: name one of them",
                            target->name, target->stream_count);
        }
    }
}

bool sl_settings_resolve(struct sl_settings_reader *reader)
{
    struct resolver resolver;

    fit_auto_workers(reader->settings);
    if (!init_resolver(&resolver, reader)) {
        return false;
    }
    narrow_subscriptions(&resolver);
    for (size_t i = 0; i < reader->settings->target_count; i++) {
        sl_settings_enter(reader, &reader->places[i]);
        bool is_resolved = resolve_target(&resolver, i);
        sl_settings_leave(reader, &reader->places[i]);
        if (!is_resolved) {
            return false;
        }
    }
    if (!sl_settings_sift(reader)) {
        sl_config_note_out_of_memory(reader->config);
        return false;
    }
    if (resolver.stream_count > SL_SETTINGS_MAX_STREAMS) {
        sl_config_error(reader->config, reader->targets ? reader->targets : reader->root,
                        "%zu streams; there can be %d", resolver.stream_count,
                        SL_SETTINGS_MAX_STREAMS);
    } else if (!sl_config_errors(reader->config)) {
        resolver.packer = sl_settings_packer_new(reader->settings);
        bool is_packed = resolver.packer && pack_targets(&resolver);
        sl_settings_packer_free(resolver.packer);
        if (!is_packed) {
            sl_config_note_out_of_memory(reader->config);
            return false;
        }
        check_replays(&resolver);
        check_budget(&resolver, place_targets(&resolver));
    }
    return true;
}
