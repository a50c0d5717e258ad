#include "stream/route.h"

#include <stdlib.h>

/* clang-format off */
static const char *const reason_names[SL_DROP_REASONS] = {
    [SL_DROP_DECODE] = "decode",
    [SL_DROP_VALUE] = "value",
    [SL_DROP_ORIGIN] = "origin",
    [SL_DROP_SINK] = "sink",
    [SL_DROP_MEMORY] = "memory",
    [SL_DROP_CLOSED] = "closed",
    [SL_DROP_CONFLATED] = "conflated",
    [SL_DROP_SHED] = "shed",
    [SL_DROP_TOO_LARGE] = "too-large",
    [SL_DROP_DEAD_LETTER] = "dead-letter",
    [SL_DROP_SINK_RESTART] = "sink-restart",
    [SL_DROP_PROCESSOR] = "processor",
    [SL_DROP_SINK_FULL] = "sink-full",
};
/* clang-format on */

const char *sl_drop_reason_name(enum sl_drop_reason reason)
{
    SL_ASSERT((unsigned)reason < SL_DROP_REASONS);
    return reason_names[reason];
}

bool sl_route_counts_are_valid(const struct sl_route_counts *counts)
{
    uint64_t sum = counts->published + counts->filtered + counts->held;

    for (int i = 0; i < SL_DROP_REASONS; i++) {
        sum += counts->dropped[i];
    }
    return sum == counts->received;
}

void sl_route_counts_add(struct sl_route_counts *sum, const struct sl_route_counts *more)
{
    sum->received += more->received;
    sum->published += more->published;
    sum->filtered += more->filtered;
    sum->held += more->held;
    for (int i = 0; i < SL_DROP_REASONS; i++) {
        sum->dropped[i] += more->dropped[i];
    }
}

/* ---- the ledger ---- */

static void check(const struct sl_route *route)
{
    SL_INVARIANT(sl_route_counts_are_valid(&route->counts));
    SL_INVARIANT(route->coming <= route->counts.held);
}

void sl_route_receive(struct sl_route *route, uint64_t updates)
{
    route->counts.received += updates;
    route->counts.held += updates;
    route->coming += (uint32_t)updates;
    check(route);
}

/* So many of the message under way need nothing any more. */
static void come(struct sl_route *route, uint64_t updates)
{
    SL_ASSERT(route->coming >= updates);
    route->coming -= (uint32_t)updates;
}

void sl_route_filter(struct sl_route *route, uint64_t updates)
{
    come(route, updates);
    route->counts.held -= updates;
    route->counts.filtered += updates;
    check(route);
}

void sl_route_drop(struct sl_route *route, enum sl_drop_reason reason, uint64_t updates)
{
    come(route, updates);
    route->counts.held -= updates;
    route->counts.dropped[reason] += updates;
    check(route);
}

void sl_route_send(struct sl_route *route, uint64_t updates)
{
    come(route, updates);
    check(route);
}

void sl_route_settle(struct sl_route *route, uint64_t *counter, uint64_t updates)
{
    SL_ASSERT(route->counts.held - route->coming >= updates);
    route->counts.held -= updates;
    *counter += updates;
    check(route);
}

/* ---- life ---- */

/* Of the formats that take updates in a list, those that are given whole notifications. */
static bool takes_listed(const struct sl_encoder_config *encoder)
{
    bool is_known = encoder->format == SL_FORMAT_EVENT || encoder->format == SL_FORMAT_SLUICE_V1 ||
                    encoder->format == SL_FORMAT_SLUICE_V1_JSON;

    return is_known && encoder->unit == SL_RECORD_NOTIFICATION;
}

bool sl_route_init(struct sl_route *route, const struct sl_route_config *config)
{
    *route = (struct sl_route){
        .sink = config->sink,
        .spec = sl_sink_spec(config->sink),
        .config = *config,
    };
    sl_list_init(&route->places);
    sl_list_init(&route->waiting);
    route->encoder = sl_encoder_new(&config->encoder);
    if (route->encoder && config->rules.count) {
        route->rules = sl_rules_state_new(&(struct sl_rules_config){
            .rules = config->rules,
            .memory = config->encoder.memory,
            .labels = config->encoder.labels,
            .lists = takes_listed(&config->encoder),
        });
    }
    if (route->encoder && config->batch.max_bytes) {
        route->batch = calloc(1, sizeof(*route->batch));
    }
    return route->encoder && (route->rules || !config->rules.count) &&
           (route->batch || !config->batch.max_bytes);
}

static void place_free(struct sl_route_place *place)
{
    free((void *)(uintptr_t)place->origin.data);
    free((void *)(uintptr_t)place->destination.data);
    free((void *)(uintptr_t)place->key.data);
    free((void *)(uintptr_t)place->partition.data);
    free(place);
}

void sl_route_fini(struct sl_route *route)
{
    for (struct sl_list *node; (node = sl_list_pop(&route->places));) {
        place_free(SL_CONTAINER_OF(node, struct sl_route_place, node));
    }
    sl_rules_state_free(route->rules);
    route->rules = NULL;
    sl_encoder_free(route->encoder);
    route->encoder = NULL;
    free(route->batch);
    route->batch = NULL;
}

/* The text of a template, on the heap; {NULL, 0} for no template. */
static bool fill(const struct sl_route *route, const struct sl_template *templ,
                 struct sl_str origin, struct sl_str *text)
{
    struct sl_buf buf = {0};

    if (!templ) {
        return true;
    }
    sl_template_fill(templ, &route->config.values, origin, &buf);
    struct sl_str filled = {buf.data, buf.len};
    text->data = sl_str_dup(filled);
    text->len = filled.len;
    bool is_filled = !buf.failed && text->data;
    sl_buf_fini(&buf);
    return is_filled;
}

static struct sl_route_place *add_place(struct sl_route *route, struct sl_str origin)
{
    struct sl_route_place *place = calloc(1, sizeof(*place));

    if (!place) {
        return NULL;
    }
    sl_list_init(&place->node);
    place->origin = (struct sl_str){sl_str_dup(origin), origin.len};
    if (!place->origin.data ||
        !fill(route, route->config.destination, origin, &place->destination) ||
        !fill(route, route->config.key, origin, &place->key) ||
        !fill(route, route->config.partition, origin, &place->partition)) {
        place_free(place);
        return NULL;
    }
    sl_list_append(&route->places, &place->node);
    route->place_count++;
    return place;
}

static bool depends_on_origin(const struct sl_route *route)
{
    const struct sl_route_config *config = &route->config;

    return (config->destination && sl_template_uses_origin(config->destination)) ||
           (config->key && sl_template_uses_origin(config->key)) ||
           (config->partition && sl_template_uses_origin(config->partition));
}

struct sl_route_place *sl_route_place(struct sl_route *route, struct sl_str origin)
{
    if (!sl_list_is_empty(&route->places) && !depends_on_origin(route)) {
        return SL_CONTAINER_OF(route->places.next, struct sl_route_place, node);
    }
    SL_LIST_FOR_EACH(node, &route->places)
    {
        struct sl_route_place *place = SL_CONTAINER_OF(node, struct sl_route_place, node);
        if (sl_str_eq(place->origin, origin)) {
            return place;
        }
    }
    return route->place_count < SL_ROUTE_MAX_ORIGINS ? add_place(route, origin) : NULL;
}

struct sl_route_place *sl_route_place_of(struct sl_route *route,
                                         const struct sl_gnmi_response *response)
{
    if (response->kind != SL_GNMI_UPDATE && route->last_place) {
        return route->last_place;
    }
    return sl_route_place(route, sl_response_origin(response));
}
