#include "device/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "device/flow.h"
#include "device/unary.h"
#include "gnmi.services.h"
#include "grpc/health.h"
#include "grpc/reflection.h"
#include "grpc/server.h"

enum { CLOSE_TIMEOUT_MS = 1000 };

struct port {
    struct sl_device_fleet *fleet;
    struct sl_grpc_server *server;
    uint32_t device; /* or SL_DEVICE_BY_TARGET */
};

/* What the calls of one connection share. */
struct collector {
    struct sl_list node; /* the fleet's */
    struct sl_list flows;
    struct sl_list unsent;   /* those flows that have something in the send buffer */
    struct sl_list walk_end; /* on_sent's mark */
};

struct sl_device_fleet {
    struct sl_device_world world;
    struct sl_grpc_context context;
    struct sl_grpc_health *health;
    struct sl_h2_limits limits;
    struct port *ports;
    uint32_t port_count;
    uint32_t open_count; /* of servers */
    struct sl_list collectors;
    bool is_closing;
};

static bool is_text(struct sl_str str, const char *wanted)
{
    return wanted == NULL || sl_str_eq_c(str, wanted);
}

static bool is_allowed(const struct sl_device_options *options, const struct sl_grpc_call *call)
{
    return is_text(sl_grpc_call_metadata(call, "username"), options->username) &&
           is_text(sl_grpc_call_metadata(call, "password"), options->password);
}

static struct sl_device_flow *new_flow(const struct port *port, struct sl_grpc_call *call)
{
    struct collector *collector = sl_grpc_call_peer(call)->user;
    struct sl_device_flow *flow = NULL;

    if (collector) {
        flow = sl_device_flow_new(&port->fleet->world, call, port->device, &collector->unsent);
    }
    if (flow) {
        sl_list_append(&collector->flows, &flow->node);
    }
    return flow;
}

/* Whether the call goes on; else it was finished. */
static bool is_let_in(const struct port *port, struct sl_grpc_call *call, size_t method)
{
    const struct sl_device_options *options = &port->fleet->world.options;
    const struct sl_device_failure *failure = &options->failures[method];
    struct sl_status status = sl_status_ok();

    if (!is_allowed(options, call)) {
        status = sl_status_error(SL_UNAUTHENTICATED, "username and password are not right");
    } else if (port->fleet->is_closing) {
        status = sl_status_error(SL_UNAVAILABLE, "the simulator stops");
    } else if (failure->code != SL_OK) {
        status = sl_status_error(failure->code, "%s", failure->text);
    }
    if (!sl_status_is_ok(&status)) {
        sl_grpc_call_finish(call, &status);
    }
    return sl_status_is_ok(&status);
}

static void begin_call(const struct port *port, struct sl_grpc_call *call, size_t method)
{
    struct sl_status status = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    bool is_begun;

    if (!is_let_in(port, call, method)) {
        return;
    }
    if (method == GNMI__G_NMI__SUBSCRIBE) {
        is_begun = new_flow(port, call) != NULL;
    } else {
        is_begun = sl_device_unary_begin(&port->fleet->world, call, port->device);
    }
    if (!is_begun) {
        sl_grpc_call_finish(call, &status);
    }
}

static void on_capabilities(struct sl_grpc_call *call, void *arg)
{
    begin_call(arg, call, GNMI__G_NMI__CAPABILITIES);
}

static void on_get(struct sl_grpc_call *call, void *arg)
{
    begin_call(arg, call, GNMI__G_NMI__GET);
}

static void on_set(struct sl_grpc_call *call, void *arg)
{
    begin_call(arg, call, GNMI__G_NMI__SET);
}

static void on_subscribe(struct sl_grpc_call *call, void *arg)
{
    begin_call(arg, call, GNMI__G_NMI__SUBSCRIBE);
}

static const struct sl_grpc_handler handlers[] = {
    {&gnmi__g_nmi__methods[GNMI__G_NMI__CAPABILITIES], on_capabilities},
    {&gnmi__g_nmi__methods[GNMI__G_NMI__GET], on_get},
    {&gnmi__g_nmi__methods[GNMI__G_NMI__SET], on_set},
    {&gnmi__g_nmi__methods[GNMI__G_NMI__SUBSCRIBE], on_subscribe},
    {NULL, NULL},
};

/* ---- connections ---- */

static bool on_connected(struct sl_grpc_peer *peer, void *arg)
{
    const struct port *port = arg;
    struct collector *collector = calloc(1, sizeof(*collector));

    peer->user = collector;
    if (!collector) {
        return false;
    }
    sl_list_init(&collector->node);
    sl_list_init(&collector->flows);
    sl_list_init(&collector->unsent);
    sl_list_init(&collector->walk_end);
    sl_list_append(&port->fleet->collectors, &collector->node);
    return true;
}

/* A flow that sends again goes to the end of the list, behind where this walk ends. */
static void on_sent(struct sl_grpc_peer *peer, void *arg)
{
    struct collector *collector = peer->user;
    struct sl_list *node;

    (void)arg;
    if (!collector) {
        return;
    }
    sl_list_append(&collector->unsent, &collector->walk_end);
    while ((node = sl_list_pop(&collector->unsent)) != &collector->walk_end) {
        sl_device_flow_sent(SL_CONTAINER_OF(node, struct sl_device_flow, unsent_node));
    }
}

static void on_disconnected(struct sl_grpc_peer *peer, const struct sl_status *why, void *arg)
{
    struct collector *collector = peer->user;

    (void)why;
    (void)arg;
    if (collector) {
        SL_ASSERT(sl_list_is_empty(&collector->flows) && sl_list_is_empty(&collector->unsent));
        sl_list_remove(&collector->node);
        free(collector);
    }
}

static void on_refused(const char *address, const struct sl_status *why, void *arg)
{
    const struct port *port = arg;
    const struct sl_device_events *events = port->fleet->world.events;

    if (events->on_refused) {
        events->on_refused(address, why, port->fleet->world.arg);
    }
}

static const struct sl_grpc_server_events server_events = {
    .on_connected = on_connected,
    .on_sent = on_sent,
    .on_disconnected = on_disconnected,
    .on_refused = on_refused,
};

/* ---- the end ---- */

/* The servers that are there have no connections: they end by themselves. */
static void free_fleet(struct sl_device_fleet *fleet)
{
    SL_ASSERT(sl_list_is_empty(&fleet->collectors));
    for (uint32_t i = 0; i < fleet->port_count; i++) {
        if (fleet->ports[i].server) {
            sl_grpc_server_close(fleet->ports[i].server, NULL, NULL);
        }
    }
    sl_grpc_health_free(fleet->health);
    sl_grpc_context_fini(&fleet->context);
    sl_device_writer_fini(&fleet->world.writer);
    sl_device_leaves_fini(&fleet->world.leaves);
    sl_device_world_fini(&fleet->world);
    free(fleet->ports);
    free(fleet);
}

static void on_server_closed(void *arg)
{
    struct port *port = arg;
    struct sl_device_fleet *fleet = port->fleet;
    const struct sl_device_events *events = fleet->world.events;
    void *events_arg = fleet->world.arg;

    port->server = NULL;
    if (--fleet->open_count > 0) {
        return;
    }
    free_fleet(fleet);
    if (events->on_closed) {
        events->on_closed(events_arg);
    }
}

/* ---- options ---- */

static struct sl_status check_sizes(const struct sl_device_options *options)
{
    uint32_t from = options->min_message_bytes;
    uint32_t to = options->max_message_bytes;

    if (to == 0 && from == 0) {
        return sl_status_ok();
    }
    if (from < SL_DEVICE_MIN_MESSAGE_BYTES || to > SL_DEVICE_MAX_MESSAGE_BYTES || from > to) {
        return sl_status_error(SL_INVALID_ARGUMENT,
                               "message bytes: two numbers from %d to %d, the smaller one first",
                               (int)SL_DEVICE_MIN_MESSAGE_BYTES, (int)SL_DEVICE_MAX_MESSAGE_BYTES);
    }
    return sl_status_ok();
}

static bool is_between(uint64_t value, uint64_t from, uint64_t to)
{
    return value >= from && value <= to;
}

static struct sl_status check_options(const struct sl_device_options *options)
{
    if (!is_between(options->devices, 1, SL_DEVICE_MAX_DEVICES)) {
        return sl_status_error(SL_INVALID_ARGUMENT, "devices: 1 to %d", (int)SL_DEVICE_MAX_DEVICES);
    }
    if (!is_between(options->interfaces, 1, SL_DEVICE_MAX_INTERFACES)) {
        return sl_status_error(SL_INVALID_ARGUMENT, "interfaces: 1 to %d",
                               (int)SL_DEVICE_MAX_INTERFACES);
    }
    if (!is_between(options->updates, 1, SL_DEVICE_MAX_UPDATES)) {
        return sl_status_error(SL_INVALID_ARGUMENT, "updates: 1 to %d", (int)SL_DEVICE_MAX_UPDATES);
    }
    if (options->rate_per_s > SL_DEVICE_MAX_RATE_PER_S) {
        return sl_status_error(SL_INVALID_ARGUMENT, "rate: at most %d messages a second",
                               (int)SL_DEVICE_MAX_RATE_PER_S);
    }
    if (options->rate_per_s > 0 && options->as_fast) {
        return sl_status_error(SL_INVALID_ARGUMENT,
                               "a rate, or as fast as credit allows: not both");
    }
    if (options->port_each && sl_address_is_unix(&options->listen)) {
        return sl_status_error(SL_INVALID_ARGUMENT, "a unix socket has no ports, one for each");
    }
    if (options->port_each && options->listen.port != 0 &&
        options->listen.port + options->devices - 1 > UINT16_MAX) {
        return sl_status_error(SL_INVALID_ARGUMENT, "there are not so many ports above %u",
                               options->listen.port);
    }
    return check_sizes(options);
}

/* ---- opening ---- */

static bool open_server(struct port *port, uint16_t number, struct sl_status *why)
{
    struct sl_device_fleet *fleet = port->fleet;
    const struct sl_device_options *options = &fleet->world.options;
    const struct sl_grpc_service_entry services[] = {
        {handlers, port},
        {sl_grpc_health_handlers, fleet->health},
        {sl_grpc_reflection_handlers, NULL},
    };
    struct sl_grpc_server_options server = {
        .loop = fleet->world.loop,
        .address = options->listen,
        .tls = options->tls,
        .services = services,
        .service_count = SL_ARRAY_LEN(services),
        .context = &fleet->context,
        .max_connections = SL_DEVICE_MAX_CONNECTIONS,
        .max_connections_per_peer = SL_DEVICE_MAX_CONNECTIONS,
        .limits = &fleet->limits,
        .events = &server_events,
        .arg = port,
    };

    server.address.port = number;
    port->server = sl_grpc_server_open(&server, why);
    return port->server != NULL;
}

static bool open_ports(struct sl_device_fleet *fleet, struct sl_status *why)
{
    const struct sl_device_options *options = &fleet->world.options;
    uint32_t count = options->port_each ? options->devices : 1;

    fleet->ports = calloc(count, sizeof(*fleet->ports));
    if (!fleet->ports) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct port *port = &fleet->ports[i];
        uint16_t first = options->listen.port;

        port->fleet = fleet;
        port->device = options->devices > 1 && !options->port_each ? SL_DEVICE_BY_TARGET : i;
        if (!open_server(port, (uint16_t)(first == 0 ? 0 : first + i), why)) {
            return false;
        }
        fleet->port_count = i + 1;
    }
    fleet->open_count = count;
    return true;
}

/* A collector may hold a device for as long as it likes, and look whether it is there. */
static void set_limits(struct sl_h2_limits *limits)
{
    *limits = sl_h2_default_limits;
    limits->idle_ms = 0;
    limits->stall_ms = 0;
    limits->blocked_ms = 0;
    limits->ping_interval_ms = 0;
    limits->idle_ping_interval_ms = 0;
}

static bool open_parts(struct sl_device_fleet *fleet)
{
    struct sl_device_world *world = &fleet->world;

    sl_device_writer_init(&world->writer, &world->leaves);
    sl_grpc_context_init(&fleet->context, world->loop);
    set_limits(&fleet->limits);
    fleet->health = sl_grpc_health_new();
    return sl_device_world_init(world) &&
           sl_device_leaves_init(&world->leaves, world->options.interfaces) && fleet->health &&
           sl_grpc_health_set(fleet->health, gnmi__g_nmi__service.name, SL_GRPC_HEALTH_SERVING);
}

struct sl_device_fleet *sl_device_fleet_open(struct sl_loop *loop,
                                             const struct sl_device_options *options,
                                             const struct sl_device_events *events, void *arg,
                                             struct sl_status *why)
{
    struct sl_device_fleet *fleet;

    *why = check_options(options);
    if (!sl_status_is_ok(why)) {
        return NULL;
    }
    fleet = calloc(1, sizeof(*fleet));
    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    if (!fleet) {
        return NULL;
    }
    sl_list_init(&fleet->collectors);
    fleet->world.loop = loop;
    fleet->world.options = *options;
    fleet->world.events = events;
    fleet->world.arg = arg;
    if (!open_parts(fleet) || !open_ports(fleet, why)) {
        free_fleet(fleet);
        return NULL;
    }
    *why = sl_status_ok();
    return fleet;
}

struct sl_listener *sl_device_fleet_listener(const struct sl_device_fleet *fleet)
{
    return sl_grpc_server_listener(fleet->ports[0].server);
}

bool sl_device_fleet_is_over(const struct sl_device_fleet *fleet, struct sl_status *why)
{
    const struct sl_device_tape *tape = &fleet->world.tape;

    *why = tape->is_over ? tape->why : sl_status_ok();
    return tape->is_over;
}

bool sl_device_fleet_take_time(struct sl_device_fleet *fleet, int64_t *received_ns)
{
    struct sl_ring *times = &fleet->world.times;

    if (times->len < sizeof(*received_ns)) {
        return false;
    }
    sl_ring_take(times, received_ns, sizeof(*received_ns));
    return true;
}

uint32_t sl_device_fleet_ports(const struct sl_device_fleet *fleet)
{
    return fleet->port_count;
}

uint16_t sl_device_fleet_port(const struct sl_device_fleet *fleet, uint32_t index)
{
    SL_ASSERT(index < fleet->port_count);
    return sl_grpc_server_port(fleet->ports[index].server);
}

static void each_flow(const struct sl_device_fleet *fleet,
                      void (*fn)(struct sl_device_flow *flow, void *arg), void *arg)
{
    SL_LIST_FOR_EACH(node, &fleet->collectors)
    {
        struct collector *collector = SL_CONTAINER_OF(node, struct collector, node);

        SL_LIST_FOR_EACH(flow_node, &collector->flows)
        {
            fn(SL_CONTAINER_OF(flow_node, struct sl_device_flow, node), arg);
        }
    }
}

static void add_blocked(struct sl_device_flow *flow, void *arg)
{
    struct sl_device_totals *totals = arg;

    totals->blocked_ns += sl_device_flow_blocked_ns(flow);
}

void sl_device_fleet_totals(const struct sl_device_fleet *fleet, struct sl_device_totals *totals)
{
    *totals = fleet->world.totals;
    each_flow(fleet, add_blocked, totals);
}

struct reporting {
    void (*fn)(const struct sl_device_report *report, void *arg);
    void *arg;
};

static void report_flow(struct sl_device_flow *flow, void *arg)
{
    const struct reporting *reporting = arg;
    char name[SL_DEVICE_NAME_BYTES];

    if (sl_device_flow_is_begun(flow)) {
        struct sl_device_report report = sl_device_flow_report(flow, name);

        reporting->fn(&report, reporting->arg);
    }
}

void sl_device_fleet_each(const struct sl_device_fleet *fleet,
                          void (*fn)(const struct sl_device_report *report, void *arg), void *arg)
{
    struct reporting reporting = {.fn = fn, .arg = arg};

    each_flow(fleet, report_flow, &reporting);
}

static void finish_flow(struct sl_device_flow *flow, void *arg)
{
    sl_device_flow_finish(flow, arg);
}

void sl_device_fleet_close(struct sl_device_fleet *fleet)
{
    struct sl_status status = sl_status_error(SL_UNAVAILABLE, "the simulator stops");

    if (fleet->is_closing) {
        return;
    }
    fleet->is_closing = true;
    sl_grpc_health_shut_down(fleet->health);
    each_flow(fleet, finish_flow, &status);
    for (uint32_t i = 0; i < fleet->port_count; i++) {
        struct port *port = &fleet->ports[i];

        sl_grpc_server_drain(port->server, CLOSE_TIMEOUT_MS, on_server_closed, port);
    }
}
