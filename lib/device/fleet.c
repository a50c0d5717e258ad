#include "device/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "device/flow.h"
#include "grpc/call.h"
#include "gnmi.services.h"
#include "h2/link.h"

enum { CLOSE_TIMEOUT_MS = 1000 };

struct port {
    struct sl_device_fleet *fleet;
    struct sl_listener *listener;
    uint32_t device; /* or SL_DEVICE_BY_TARGET */
};

/* One connection of a collector. */
struct peer {
    struct sl_list node;
    struct port *port;
    struct sl_h2_link *link;
    struct sl_grpc_service_entry service;
    struct sl_grpc_router router;
    struct sl_list flows;
    struct sl_list unsent;   /* those flows that have something in the send buffer */
    struct sl_list walk_end; /* on_sent's mark */
};

struct sl_device_fleet {
    struct sl_device_world world;
    struct port *ports;
    uint32_t port_count;
    struct sl_list peers;
    struct sl_timer *close_timer;
    struct sl_deferred end;
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

static void on_subscribe(struct sl_grpc_call *call, void *arg)
{
    struct peer *peer = arg;
    struct sl_device_fleet *fleet = peer->port->fleet;
    struct sl_status status = sl_status_ok();
    struct sl_device_flow *flow = NULL;

    if (!is_allowed(&fleet->world.options, call)) {
        status = sl_status_error(SL_UNAUTHENTICATED, "username and password are not right");
    } else if (fleet->is_closing) {
        status = sl_status_error(SL_UNAVAILABLE, "the simulator stops");
    } else {
        flow = sl_device_flow_new(&fleet->world, call, peer->port->device, &peer->unsent);
        status = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (flow) {
        sl_list_append(&peer->flows, &flow->node);
    } else {
        sl_grpc_call_finish(call, &status);
    }
}

static const struct sl_grpc_handler handlers[] = {
    {&gnmi__g_nmi__methods[GNMI__G_NMI__SUBSCRIBE], on_subscribe},
    {NULL, NULL},
};

static void on_stream(struct sl_h2_link *link, struct sl_h2_stream *stream, void *arg)
{
    struct peer *peer = arg;

    (void)link;
    sl_grpc_call_accept(&peer->router, NULL, stream);
}

/* A flow that sends again goes to the end of the list, behind where this walk ends. */
static void on_sent(struct sl_h2_link *link, void *arg)
{
    struct peer *peer = arg;
    struct sl_list *node;

    (void)link;
    sl_list_append(&peer->unsent, &peer->walk_end);
    while ((node = sl_list_pop(&peer->unsent)) != &peer->walk_end) {
        sl_device_flow_sent(SL_CONTAINER_OF(node, struct sl_device_flow, unsent_node));
    }
}

static void end_if_empty(struct sl_device_fleet *fleet)
{
    if (fleet->is_closing && sl_list_is_empty(&fleet->peers)) {
        sl_loop_defer(fleet->world.loop, &fleet->end);
    }
}

static void on_closed(struct sl_h2_link *link, const struct sl_status *why, void *arg)
{
    struct peer *peer = arg;
    struct sl_device_fleet *fleet = peer->port->fleet;

    (void)link;
    (void)why;
    SL_ASSERT(sl_list_is_empty(&peer->flows) && sl_list_is_empty(&peer->unsent));
    sl_list_remove(&peer->node);
    free(peer);
    end_if_empty(fleet);
}

static const struct sl_h2_link_events link_events = {
    .on_stream = on_stream,
    .on_sent = on_sent,
    .on_closed = on_closed,
};

static void on_accept(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    static const struct sl_conn_events no_events;
    struct port *port = arg;
    struct peer *peer = calloc(1, sizeof(*peer));

    (void)listener;
    if (peer) {
        sl_list_init(&peer->flows);
        sl_list_init(&peer->unsent);
        sl_list_init(&peer->walk_end);
        sl_list_init(&peer->node);
        peer->port = port;
        peer->service = (struct sl_grpc_service_entry){handlers, peer};
        peer->router = (struct sl_grpc_router){.entries = &peer->service, .count = 1};
        peer->link =
            sl_h2_link_open(port->fleet->world.loop, conn, SL_H2_SERVER, NULL, &link_events, peer);
    }
    if (!peer || !peer->link) {
        free(peer);
        sl_conn_set_events(conn, &no_events, NULL);
        sl_conn_close(conn);
        return;
    }
    sl_list_append(&port->fleet->peers, &peer->node);
}

static void on_refuse(struct sl_listener *listener, const char *peer, const struct sl_status *why,
                      void *arg)
{
    const struct port *port = arg;
    const struct sl_device_events *events = port->fleet->world.events;

    (void)listener;
    if (events->on_refused) {
        events->on_refused(peer, why, port->fleet->world.arg);
    }
}

static void free_fleet(struct sl_device_fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->port_count; i++) {
        if (fleet->ports[i].listener) {
            sl_listener_close(fleet->ports[i].listener);
        }
    }
    sl_timer_free(fleet->close_timer);
    sl_device_writer_fini(&fleet->world.writer);
    sl_device_leaves_fini(&fleet->world.leaves);
    free(fleet->ports);
    free(fleet);
}

static void on_end(void *arg)
{
    struct sl_device_fleet *fleet = arg;
    const struct sl_device_events *events = fleet->world.events;
    void *events_arg = fleet->world.arg;

    free_fleet(fleet);
    if (events->on_closed) {
        events->on_closed(events_arg);
    }
}

static void on_close_timeout(void *arg)
{
    struct sl_device_fleet *fleet = arg;

    SL_LIST_FOR_EACH(node, &fleet->peers)
    {
        sl_h2_link_close(SL_CONTAINER_OF(node, struct peer, node)->link);
    }
}

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
        struct sl_listener_options listen = {.address = options->listen,
                                             .tls = options->tls,
                                             .accept = on_accept,
                                             .refuse = on_refuse,
                                             .arg = port};

        port->fleet = fleet;
        port->device = options->devices > 1 && !options->port_each ? SL_DEVICE_BY_TARGET : i;
        listen.address.port = (uint16_t)(options->listen.port == 0 ? 0 : options->listen.port + i);
        port->listener = sl_listener_open(fleet->world.loop, &listen, why);
        if (!port->listener) {
            return false;
        }
        fleet->port_count = i + 1;
    }
    return true;
}

static bool open_parts(struct sl_device_fleet *fleet)
{
    struct sl_device_world *world = &fleet->world;

    sl_device_writer_init(&world->writer, &world->leaves);
    fleet->close_timer = sl_timer_new(world->loop, on_close_timeout, fleet);
    return sl_device_leaves_init(&world->leaves, world->options.interfaces) && fleet->close_timer;
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
    sl_list_init(&fleet->peers);
    fleet->end.fn = on_end;
    fleet->end.arg = fleet;
    fleet->world.loop = loop;
    fleet->world.options = *options;
    fleet->world.events = events;
    fleet->world.arg = arg;
    fleet->world.opened_ns = sl_loop_now_ns(loop);
    if (!open_parts(fleet) || !open_ports(fleet, why)) {
        free_fleet(fleet);
        return NULL;
    }
    *why = sl_status_ok();
    return fleet;
}

uint32_t sl_device_fleet_ports(const struct sl_device_fleet *fleet)
{
    return fleet->port_count;
}

uint16_t sl_device_fleet_port(const struct sl_device_fleet *fleet, uint32_t index)
{
    SL_ASSERT(index < fleet->port_count);
    return sl_listener_port(fleet->ports[index].listener);
}

static void each_flow(const struct sl_device_fleet *fleet,
                      void (*fn)(struct sl_device_flow *flow, void *arg), void *arg)
{
    SL_LIST_FOR_EACH(node, &fleet->peers)
    {
        struct peer *peer = SL_CONTAINER_OF(node, struct peer, node);

        SL_LIST_FOR_EACH(flow_node, &peer->flows)
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
    for (uint32_t i = 0; i < fleet->port_count; i++) {
        sl_listener_close(fleet->ports[i].listener);
        fleet->ports[i].listener = NULL;
    }
    each_flow(fleet, finish_flow, &status);
    SL_LIST_FOR_EACH(node, &fleet->peers)
    {
        sl_h2_link_drain(SL_CONTAINER_OF(node, struct peer, node)->link);
    }
    sl_timer_start(fleet->close_timer, CLOSE_TIMEOUT_MS);
    end_if_empty(fleet);
}
