#include "grpc/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "h2/link.h"

struct connection {
    struct sl_list node;     /* on the server's list */
    struct sl_list age_node; /* on `young`, or on `old` when it is drained for its age */
    int64_t since_ns;        /* on that list */
    struct sl_grpc_server *server;
    struct sl_h2_link *link;
    struct sl_grpc_peer peer;
};

struct sl_grpc_server {
    struct sl_loop *loop;
    struct sl_listener *listener; /* NULL once it drains */
    struct sl_grpc_router router;
    struct sl_grpc_service_entry *services; /* the router's */
    struct sl_grpc_context context;         /* likewise, where the owner gave none */
    const struct sl_grpc_server_events *events;
    void *arg;
    const struct sl_h2_limits *limits; /* or NULL */
    struct sl_h2_watch watch;
    uint16_t port;
    struct sl_list connections;
    struct sl_list young; /* with a max_age_ms; the oldest first */
    struct sl_list old;   /* with a max_age_grace_ms; who went there first */
    struct sl_timer *age; /* with a max_age_ms */
    uint64_t max_age_ms;
    uint64_t max_age_grace_ms;
    struct sl_grpc_server_stats stats;
    struct sl_log_subject subject;
    char name[SL_ADDRESS_TEXT_BYTES];

    bool is_draining;
    int64_t grace_end_ns;
    struct sl_timer *grace;
    struct sl_deferred end;
    sl_loop_fn on_closed;
    void *closed_arg;
};

static const struct sl_grpc_server_events no_events;

/* ---- the end ---- */

static void free_server(struct sl_grpc_server *server)
{
    if (server->listener) {
        sl_listener_close(server->listener);
    }
    sl_log_end(&server->subject);
    sl_timer_free(server->grace);
    sl_timer_free(server->age);
    sl_grpc_context_fini(&server->context);
    sl_tally_fini(&server->stats.refused);
    sl_tally_fini(&server->stats.ended);
    free(server->services);
    free(server);
}

static void on_end(void *arg)
{
    struct sl_grpc_server *server = arg;
    sl_loop_fn on_closed = server->on_closed;
    void *closed_arg = server->closed_arg;

    SL_ASSERT(server->is_draining && sl_list_is_empty(&server->connections));
    free_server(server);
    if (on_closed) {
        on_closed(closed_arg);
    }
}

static void end_if_empty(struct sl_grpc_server *server)
{
    if (server->is_draining && sl_list_is_empty(&server->connections)) {
        sl_loop_defer(server->loop, &server->end);
    }
}

static void close_links(struct sl_grpc_server *server)
{
    SL_LIST_FOR_EACH(node, &server->connections)
    {
        sl_h2_link_close(SL_CONTAINER_OF(node, struct connection, node)->link);
    }
}

static void on_grace_over(void *arg)
{
    close_links(arg);
}

/* ---- ages ---- */

static struct connection *oldest(const struct sl_list *list)
{
    return sl_list_is_empty(list) ? NULL : SL_CONTAINER_OF(list->next, struct connection, age_node);
}

static void put_in_line(struct sl_grpc_server *server, struct sl_list *list, uint64_t limit_ms,
                        struct connection *connection)
{
    sl_list_remove(&connection->age_node);
    if (limit_ms > 0) {
        connection->since_ns = sl_loop_now_ns(server->loop);
        sl_list_append(list, &connection->age_node);
    }
}

/* The first of the list if its time is over, else NULL; `*wait_ms` falls to when it will be. */
static struct connection *first_due(const struct sl_grpc_server *server, const struct sl_list *list,
                                    uint64_t limit_ms, uint64_t *wait_ms)
{
    struct connection *connection = oldest(list);

    if (!connection) {
        return NULL;
    }
    uint64_t age_ms =
        (uint64_t)((sl_loop_now_ns(server->loop) - connection->since_ns) / SL_NS_PER_MS);
    if (age_ms >= limit_ms) {
        return connection;
    }
    *wait_ms = sl_min_u64(*wait_ms, limit_ms - age_ms);
    return NULL;
}

static void on_age(void *arg)
{
    struct sl_grpc_server *server = arg;
    uint64_t wait_ms = UINT64_MAX;
    struct connection *due;

    while ((due = first_due(server, &server->old, server->max_age_grace_ms, &wait_ms)) != NULL) {
        sl_list_remove(&due->age_node);
        sl_h2_link_close(due->link);
    }
    while ((due = first_due(server, &server->young, server->max_age_ms, &wait_ms)) != NULL) {
        put_in_line(server, &server->old, server->max_age_grace_ms, due);
        sl_h2_link_drain(due->link);
        wait_ms =
            sl_min_u64(wait_ms, server->max_age_grace_ms ? server->max_age_grace_ms : wait_ms);
    }
    if (wait_ms < UINT64_MAX) {
        sl_timer_start(server->age, wait_ms);
    }
}

static void begin_age(struct sl_grpc_server *server, struct connection *connection)
{
    put_in_line(server, &server->young, server->max_age_ms, connection);
    if (server->max_age_ms > 0 && !sl_timer_is_armed(server->age)) {
        sl_timer_start(server->age, server->max_age_ms);
    }
}

/* ---- connections ---- */

/* Whether the peer broke a rule or a limit, rather than that it, we or the network ended it. */
static bool is_abuse(const struct sl_status *why)
{
    static const char *const regular[] = {"closed-by-peer", "goaway",      "connection-reset",
                                          "timed-out",      "unreachable", "ping-timeout"};
    bool is_regular = why->reason == NULL || why->code == SL_CANCELLED;

    for (size_t i = 0; i < SL_ARRAY_LEN(regular) && !is_regular; i++) {
        is_regular = strcmp(why->reason, regular[i]) == 0;
    }
    return !is_regular;
}

static void log_end(struct sl_grpc_server *server, const char *address, const char *message,
                    const struct sl_status *why)
{
    sl_log(SL_LOG_WARN, &server->subject, message, sl_log_text("peer", address),
           sl_log_text("reason", sl_status_reason(why)), sl_log_text("why", why->text));
}

static void refuse(struct sl_grpc_server *server, const char *address, const struct sl_status *why)
{
    sl_tally_add(&server->stats.refused, sl_status_reason(why));
    if (server->events->on_refused) {
        server->events->on_refused(address, why, server->arg);
    } else {
        log_end(server, address, "a connection was refused", why);
    }
}

static void on_stream(struct sl_h2_link *link, struct sl_h2_stream *stream, void *arg)
{
    struct connection *connection = arg;
    struct sl_grpc_server *server = connection->server;

    (void)link;
    server->stats.calls++;
    sl_grpc_call_accept(&server->router, &connection->peer, stream);
}

static void on_sent(struct sl_h2_link *link, void *arg)
{
    struct connection *connection = arg;
    struct sl_grpc_server *server = connection->server;

    (void)link;
    if (server->events->on_sent) {
        server->events->on_sent(&connection->peer, server->arg);
    }
}

static void on_closed(struct sl_h2_link *link, const struct sl_status *why, void *arg)
{
    struct connection *connection = arg;
    struct sl_grpc_server *server = connection->server;

    (void)link;
    sl_tally_add(&server->stats.ended, sl_status_reason(why));
    if (is_abuse(why)) {
        log_end(server, connection->peer.address, "a connection was ended", why);
    }
    if (server->events->on_disconnected) {
        server->events->on_disconnected(&connection->peer, why, server->arg);
    }
    sl_list_remove(&connection->node);
    sl_list_remove(&connection->age_node);
    server->stats.connections--;
    free(connection);
    end_if_empty(server);
}

static const struct sl_h2_link_events link_events = {
    .on_stream = on_stream,
    .on_sent = on_sent,
    .on_closed = on_closed,
};

static void turn_away(struct sl_conn *conn)
{
    static const struct sl_conn_events none;

    sl_conn_set_events(conn, &none, NULL);
    sl_conn_close(conn);
}

static bool is_wanted(const struct sl_grpc_server *server, struct connection *connection)
{
    return !server->events->on_connected ||
           server->events->on_connected(&connection->peer, server->arg);
}

static bool keep_alive(const struct sl_grpc_server *server, struct connection *connection)
{
    return server->watch.ping_interval_ms == 0 ||
           sl_h2_link_watch(connection->link, &server->watch);
}

/* False when memory is out: then `conn` is still the caller's. */
static bool serve(struct sl_grpc_server *server, struct sl_conn *conn)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection) {
        return false;
    }
    connection->server = server;
    connection->link =
        sl_h2_link_open(server->loop, conn, SL_H2_SERVER, server->limits, &link_events, connection);
    if (!connection->link) {
        free(connection);
        return false;
    }
    connection->peer.address = sl_h2_link_peer(connection->link);
    connection->peer.identity = sl_conn_identity(conn);
    connection->peer.is_secure = sl_conn_is_secure(conn);
    sl_list_init(&connection->node);
    sl_list_append(&server->connections, &connection->node);
    sl_list_init(&connection->age_node);
    begin_age(server, connection);
    server->stats.accepted++;
    server->stats.connections++;
    if (!is_wanted(server, connection) || !keep_alive(server, connection)) {
        sl_h2_link_close(connection->link);
    }
    return true;
}

static void on_accept(struct sl_listener *listener, struct sl_conn *conn, void *arg)
{
    struct sl_grpc_server *server = arg;
    struct sl_status why = sl_status_out_of_memory();

    (void)listener;
    if (!serve(server, conn)) {
        refuse(server, sl_conn_peer(conn), &why);
        turn_away(conn);
    }
}

static void on_refuse(struct sl_listener *listener, const char *address,
                      const struct sl_status *why, void *arg)
{
    (void)listener;
    refuse(arg, address, why);
}

/* ---- opening ---- */

static bool copy_services(struct sl_grpc_server *server,
                          const struct sl_grpc_server_options *options)
{
    size_t count = options->service_count;

    server->services = calloc(count + 1, sizeof(*server->services));
    if (!server->services) {
        return false;
    }
    if (count > 0) {
        memcpy(server->services, options->services, count * sizeof(*server->services));
    }
    server->router.entries = server->services;
    server->router.count = count;
    return true;
}

static void name_subject(struct sl_grpc_server *server, struct sl_address address)
{
    address.port = server->port;
    sl_address_print(&address, server->name);
    const struct sl_log_field who = sl_log_text("server", server->name);
    sl_log_subject_init(&server->subject, &who, 1);
}

static struct sl_grpc_server *new_server(const struct sl_grpc_server_options *options)
{
    struct sl_grpc_server *server = calloc(1, sizeof(*server));

    if (!server) {
        return NULL;
    }
    sl_list_init(&server->connections);
    sl_list_init(&server->young);
    sl_list_init(&server->old);
    server->loop = options->loop;
    server->events = options->events ? options->events : &no_events;
    server->arg = options->arg;
    server->router.max_message_bytes = options->max_message_bytes;
    server->router.context = options->context ? options->context : &server->context;
    sl_grpc_context_init(&server->context, options->loop);
    server->limits = options->limits;
    server->watch = (struct sl_h2_watch){
        .ping_interval_ms = options->ping_interval_ms,
        .ping_timeout_ms = options->ping_timeout_ms,
    };
    server->max_age_ms = options->max_age_ms;
    server->max_age_grace_ms = options->max_age_grace_ms;
    server->end = (struct sl_deferred){.fn = on_end, .arg = server};
    server->grace = sl_timer_new(options->loop, on_grace_over, server);
    server->age = options->max_age_ms ? sl_timer_new(options->loop, on_age, server) : NULL;
    if (!server->grace || (options->max_age_ms && !server->age) ||
        !copy_services(server, options)) {
        free_server(server);
        return NULL;
    }
    return server;
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value ? value : fallback;
}

struct sl_grpc_server *sl_grpc_server_open(const struct sl_grpc_server_options *options,
                                           struct sl_status *why)
{
    struct sl_grpc_server *server = new_server(options);
    const struct sl_listener_options listen = {
        .address = options->address,
        .tls = options->tls,
        .max_connections = or_default(options->max_connections, SL_GRPC_MAX_CONNECTIONS),
        .max_connections_per_peer =
            or_default(options->max_connections_per_peer, SL_GRPC_MAX_CONNECTIONS_PER_PEER),
        .accept = on_accept,
        .refuse = on_refuse,
        .arg = server,
    };

    if (!server) {
        *why = sl_status_out_of_memory();
        return NULL;
    }
    server->listener = sl_listener_open(options->loop, &listen, why);
    if (!server->listener) {
        free_server(server);
        return NULL;
    }
    server->port = sl_listener_port(server->listener);
    name_subject(server, options->address);
    *why = sl_status_ok();
    return server;
}

uint16_t sl_grpc_server_port(const struct sl_grpc_server *server)
{
    return server->port;
}

struct sl_listener *sl_grpc_server_listener(const struct sl_grpc_server *server)
{
    return server->listener;
}

const struct sl_grpc_server_stats *sl_grpc_server_stats(const struct sl_grpc_server *server)
{
    return &server->stats;
}

void sl_grpc_server_set_tls(struct sl_grpc_server *server, struct sl_tls *tls)
{
    if (server->listener) {
        sl_listener_set_tls(server->listener, tls);
    }
}

/* ---- closing ---- */

static void begin_drain(struct sl_grpc_server *server, sl_loop_fn closed, void *arg)
{
    server->is_draining = true;
    server->on_closed = closed;
    server->closed_arg = arg;
    server->grace_end_ns = INT64_MAX;
    sl_listener_close(server->listener);
    server->listener = NULL;
    SL_LIST_FOR_EACH(node, &server->connections)
    {
        sl_h2_link_drain(SL_CONTAINER_OF(node, struct connection, node)->link);
    }
    end_if_empty(server);
}

void sl_grpc_server_drain(struct sl_grpc_server *server, uint64_t grace_ms, sl_loop_fn closed,
                          void *arg)
{
    int64_t now_ns = sl_loop_now_ns(server->loop);
    uint64_t longest_ms = (uint64_t)((INT64_MAX - now_ns) / SL_NS_PER_MS - 1);
    int64_t end_ns = now_ns + (int64_t)sl_min_u64(grace_ms, longest_ms) * SL_NS_PER_MS;

    if (!server->is_draining) {
        begin_drain(server, closed, arg);
    }
    if (end_ns < server->grace_end_ns) {
        server->grace_end_ns = end_ns;
        if (!sl_list_is_empty(&server->connections)) {
            sl_timer_start(server->grace, grace_ms);
        }
    }
}

void sl_grpc_server_close(struct sl_grpc_server *server, sl_loop_fn closed, void *arg)
{
    sl_grpc_server_drain(server, 0, closed, arg);
    close_links(server);
}
