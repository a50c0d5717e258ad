#include "daemon/workplace.h"

#include <stdlib.h>

static const char *or_null(const char *text)
{
    return text && text[0] ? text : NULL;
}

/* Telegraf's formats say what a metric is called, all others who asked for it. */
static const char *name_in_records(const struct sl_subscription_settings *subscription,
                                   const struct sl_sink_settings *sink)
{
    bool is_metric =
        sink->spec.format == SL_FORMAT_TELEGRAF_JSON || sink->spec.format == SL_FORMAT_INFLUX;
    const char *measurement = or_null(subscription->options.measurement);

    return is_metric && measurement ? measurement : subscription->name;
}

static void fill_route(const struct sl_workplace *place, const struct sl_target_settings *target,
                       const struct sl_stream_settings *stream, size_t member,
                       const struct sl_sink_settings *sink, struct sl_route_config *route)
{
    const struct sl_subscription_settings *subscription = stream->members[member];

    *route = (struct sl_route_config){
        .member = member,
        .sink = place->sinks[sink - place->settings->sinks],
        .meter = sl_meters_find(&place->pool->meters, subscription->name, sink->spec.name),
        .destination = sink->destination,
        .key = sink->key,
        .partition = sink->partition,
        .values = {.target = target->name,
                   .subscription = subscription->name,
                   .labels = &target->options.labels},
        .encoder = {.format = (enum sl_format)sink->spec.format,
                    .unit = (enum sl_record_unit)sink->spec.unit,
                    .is_float64 = sink->spec.is_float64,
                    .host = sl_str_from(sink->spec.host),
                    .is_hostless = sink->spec.is_hostless,
                    .json_keys = sink->spec.json_keys,
                    .target = sl_str_from(target->name),
                    .subscription = sl_str_from(name_in_records(subscription, sink)),
                    .subscription_target = sl_str_from(or_null(subscription->options.target)),
                    .subscribe = &subscription->request,
                    .labels = &target->options.labels,
                    .memory = place->interned},
        .rules = subscription->rules[sink - place->settings->sinks],
        .batch = {sink->spec.batch.bytes, sink->spec.batch.delay_ns},
        .is_last_only = sink->spec.is_last_only,
        .has_markers = sink->spec.has_markers,
        .clock_policy = (enum sl_clock_policy)subscription->options.timestamps.policy,
        .max_skew_ns = subscription->options.timestamps.max_skew_ns,
    };
}

static void fill_stream(const struct sl_workplace *place, const struct sl_target_settings *target,
                        const struct sl_stream_settings *stream,
                        const struct sl_route_config *routes, struct sl_stream_config *config)
{
    const struct sl_subscription_options *options = &stream->subscription->options;

    *config = (struct sl_stream_config){
        .loop = place->loop,
        .target = target->name,
        .subscription = stream->name,
        .members = stream->asks,
        .member_count = stream->member_count,
        .subscribe = stream->subscription->request,
        .username = target->options.username ? target->options.username : "",
        .password = target->options.password ? target->options.password : "",
        .credit_initial_bytes = options->credit.initial_bytes * stream->member_count,
        .credit_max_bytes = options->credit.max_bytes * stream->member_count,
        .priority = sl_subscription_priority(options),
        .max_message_bytes = (uint32_t)options->max_message_bytes,
        .gzip = target->options.gzip,
        .backoff_min_ms = (uint64_t)(target->options.backoff.min_ns / SL_NS_PER_MS),
        .backoff_max_ms = (uint64_t)(target->options.backoff.max_ns / SL_NS_PER_MS),
        .quarantine_ns = target->options.quarantine.retry_ns,
        .quarantine_max_ns = target->options.quarantine.max_ns,
        .pool = place->pool,
        .clock = {.policy = (enum sl_clock_policy)options->timestamps.policy,
                  .unit = (enum sl_clock_unit)options->timestamps.unit,
                  .max_skew_ns = options->timestamps.max_skew_ns},
        .stall = {(enum sl_stall_policy)options->stall.policy, options->stall.after_ns},
        .stale_after_ns = sl_subscription_stale_after(options),
        .routes = routes,
        .route_count = stream->member_count * stream->sink_count,
    };
    if (options->set_target) {
        config->subscribe.target = target->name;
    }
}

/* Those of the first member, then those of the next. */
static struct sl_route_config *routes_of(const struct sl_workplace *place,
                                         const struct sl_target_settings *target,
                                         const struct sl_stream_settings *stream)
{
    size_t count = stream->member_count * stream->sink_count;
    struct sl_route_config *routes = calloc(count, sizeof(*routes));

    for (size_t i = 0; routes && i < count; i++) {
        fill_route(place, target, stream, i / stream->sink_count,
                   stream->sinks[i % stream->sink_count], &routes[i]);
    }
    return routes;
}

static void free_configs(struct sl_stream_config *configs, size_t count)
{
    for (size_t i = 0; configs && i < count; i++) {
        free((void *)(uintptr_t)configs[i].routes);
    }
    free(configs);
}

/* The streams' configurations, for as long as the target is made. */
static struct sl_stream_config *stream_configs(const struct sl_workplace *place,
                                               const struct sl_target_settings *target)
{
    struct sl_stream_config *configs = calloc(target->stream_count, sizeof(*configs));

    for (size_t i = 0; configs && i < target->stream_count; i++) {
        const struct sl_stream_settings *stream = &target->streams[i];
        struct sl_route_config *routes = routes_of(place, target, stream);
        if (!routes) {
            free_configs(configs, i);
            return NULL;
        }
        fill_stream(place, target, stream, routes, &configs[i]);
    }
    return configs;
}

/* All but the streams. */
static struct sl_target_config target_config(const struct sl_workplace *place,
                                             const struct sl_target_settings *target)
{
    return (struct sl_target_config){
        .loop = place->loop,
        .name = target->name,
        .replay = target->replay.file ? &target->replay : NULL,
        .address = &target->address,
        .limits = place->limits,
        .proxy = target->proxy,
        .tls = target->tls,
        .connect = place->settings->connect,
        .source = target->source,
        .site = sl_connect_value(&place->settings->collector.connect, &target->options.labels),
        .server_name = target->options.tls.server_name,
        .skips_verify = target->tls && target->options.skip_verify,
        .dial_timeout_ms = (uint64_t)(target->options.dial_timeout_ns / SL_NS_PER_MS),
        .ping_interval_ms = (uint64_t)(target->options.keepalive.interval_ns / SL_NS_PER_MS),
        .ping_timeout_ms = (uint64_t)(target->options.keepalive.timeout_ns / SL_NS_PER_MS),
        .backoff_min_ms = (uint64_t)(target->options.backoff.min_ns / SL_NS_PER_MS),
        .backoff_max_ms = (uint64_t)(target->options.backoff.max_ns / SL_NS_PER_MS),
        .username = target->options.username ? target->options.username : "",
        .password = target->options.password ? target->options.password : "",
        .grpc = &place->pool->grpc,
        .vendor = sl_target_vendor(&target->options),
        .stream_count = target->stream_count,
        .on_closed = place->on_closed,
        .arg = place->arg,
    };
}

struct sl_target *sl_workplace_target(const struct sl_workplace *place,
                                      const struct sl_target_settings *target,
                                      struct sl_status *why)
{
    struct sl_target_config config = target_config(place, target);
    struct sl_stream_config *streams = stream_configs(place, target);
    struct sl_target *made = NULL;

    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    if (streams) {
        config.streams = streams;
        made = sl_target_new(&config, why);
    }
    free_configs(streams, target->stream_count);
    return made;
}

bool sl_workplace_change(const struct sl_workplace *place, struct sl_target *target,
                         const struct sl_target_settings *to, const bool *is_anew, bool redials,
                         struct sl_status *why)
{
    struct sl_target_config config = target_config(place, to);
    struct sl_stream_config *streams = stream_configs(place, to);
    bool is_changed = false;

    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    if (streams) {
        config.streams = streams;
        is_changed = sl_target_change(
            target,
            &(struct sl_target_change){.config = &config, .is_anew = is_anew, .redials = redials},
            why);
    }
    free_configs(streams, to->stream_count);
    return is_changed;
}
