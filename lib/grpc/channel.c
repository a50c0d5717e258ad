#include "grpc/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "grpc/internal.h"

#define OUR_USER_AGENT "grpc-c-sluice/" SLUICE_VERSION

/* One connection, from its dial to its end. */
struct connection {
    struct sl_list node; /* of its channel's draining ones; unlisted while it is the current one */
    struct sl_grpc_channel *channel;
    struct sl_conn *conn; /* while it dials */
    struct sl_h2_link *link;
    int64_t stood_ns;     /* when the server greeted */
    struct sl_status why; /* of an end that is our own; else OK */
};

struct sl_grpc_channel {
    enum sl_grpc_channel_state state; /* written by handle() alone */
    struct sl_dial_options dial;
    struct sl_h2_watch watch; /* of the connections to come */
    struct sl_grpc_context context;
    struct sl_grpc_owner owner;
    struct sl_log_subject subject;
    char *authority;
    char *user_agent;
    struct connection *current; /* in CONNECTING and READY */
    struct sl_list draining;    /* connections */
    struct sl_list waiting;     /* calls, for a connection */
    struct sl_list started;     /* calls that have a stream */
    uint32_t max_waiting_calls;
    uint32_t waiting_count;
    struct sl_backoff backoff;
    struct sl_timer *timer; /* of the backoff */
    struct sl_deferred settle_due;
    struct sl_status last_error;
    uint64_t connects;
    uint64_t retries;
    bool is_failing; /* the last connection never stood */
    bool is_wanted;  /* by sl_grpc_channel_connect */
    bool is_closing; /* sl_grpc_channel_close was called */
    sl_grpc_channel_state_fn on_state;
    void *arg;
    sl_loop_fn on_closed;
    void *closed_arg;
};

/* ---- the machine ---- */

enum event {
    EVENT_DIAL,
    EVENT_UP,     /* the server greeted */
    EVENT_FAILED, /* it never stood */
    EVENT_LEFT,   /* it ended, or takes no new calls */
    EVENT_BROKE,  /* the same, and it was of no use */
    EVENT_RESTED, /* the backoff is over */
    EVENT_CLOSE,
    EVENT_GONE, /* the last connection and the last call */
    EVENTS,
};

/* clang-format off */
static const uint8_t next_state[SL_GRPC_CHANNEL_STATES][EVENTS] = {
    [SL_GRPC_CHANNEL_IDLE][EVENT_DIAL] = SL_GRPC_CHANNEL_CONNECTING,
    [SL_GRPC_CHANNEL_IDLE][EVENT_CLOSE] = SL_GRPC_CHANNEL_CLOSING,

    [SL_GRPC_CHANNEL_CONNECTING][EVENT_UP] = SL_GRPC_CHANNEL_READY,
    [SL_GRPC_CHANNEL_CONNECTING][EVENT_FAILED] = SL_GRPC_CHANNEL_BACKOFF,
    [SL_GRPC_CHANNEL_CONNECTING][EVENT_CLOSE] = SL_GRPC_CHANNEL_CLOSING,

    [SL_GRPC_CHANNEL_READY][EVENT_LEFT] = SL_GRPC_CHANNEL_IDLE,
    [SL_GRPC_CHANNEL_READY][EVENT_BROKE] = SL_GRPC_CHANNEL_BACKOFF,
    [SL_GRPC_CHANNEL_READY][EVENT_CLOSE] = SL_GRPC_CHANNEL_CLOSING,

    [SL_GRPC_CHANNEL_BACKOFF][EVENT_RESTED] = SL_GRPC_CHANNEL_IDLE,
    [SL_GRPC_CHANNEL_BACKOFF][EVENT_CLOSE] = SL_GRPC_CHANNEL_CLOSING,
    [SL_GRPC_CHANNEL_CLOSING][EVENT_GONE] = SL_GRPC_CHANNEL_CLOSED,
};
/* clang-format on */

const char *sl_grpc_channel_state_name(enum sl_grpc_channel_state state)
{
    switch (state) {
    case SL_GRPC_CHANNEL_NONE:
        return "none";
    case SL_GRPC_CHANNEL_IDLE:
        return "idle";
    case SL_GRPC_CHANNEL_CONNECTING:
        return "connecting";
    case SL_GRPC_CHANNEL_READY:
        return "ready";
    case SL_GRPC_CHANNEL_BACKOFF:
        return "backoff";
    case SL_GRPC_CHANNEL_CLOSING:
        return "closing";
    case SL_GRPC_CHANNEL_CLOSED:
        return "closed";
    }
    return "unknown";
}

static const char *name_of(unsigned state)
{
    return sl_grpc_channel_state_name((enum sl_grpc_channel_state)state);
}

static const char *const event_names[EVENTS] = {"dial",  "up",     "failed", "left",
                                                "broke", "rested", "close",  "gone"};

const struct sl_machine sl_grpc_channel_machine = {
    .name = "channel",
    .states = SL_GRPC_CHANNEL_STATES,
    .events = EVENTS,
    .next = &next_state[0][0],
    .state_name = name_of,
    .event_names = event_names,
};

/* The only place that writes channel->state. */
static void handle(struct sl_grpc_channel *channel, enum event event)
{
    enum sl_grpc_channel_state next = (enum sl_grpc_channel_state)sl_machine_next(
        &sl_grpc_channel_machine, channel->state, event);

    SL_ASSERT(next != SL_GRPC_CHANNEL_NONE);
    sl_log(SL_LOG_DEBUG, &channel->subject, "state", sl_log_text("is", name_of(next)),
           sl_log_text("was", name_of(channel->state)));
    channel->state = next;
    if (next == SL_GRPC_CHANNEL_BACKOFF) {
        sl_timer_start(channel->timer, sl_backoff_next(&channel->backoff));
    } else {
        sl_timer_stop(channel->timer);
    }
    if (channel->on_state) {
        channel->on_state(channel, next, channel->arg);
    }
}

static void settle_later(struct sl_grpc_channel *channel)
{
    sl_loop_defer(channel->context.loop, &channel->settle_due);
}

/* ---- calls that wait ---- */

/* Those that wait now; not what comes meanwhile, and not those that are about to end. */
static void for_waiting(struct sl_grpc_channel *channel,
                        void (*fn)(struct sl_grpc_channel *, struct sl_grpc_call *))
{
    const struct sl_list *last = channel->waiting.prev;

    SL_LIST_FOR_EACH(node, &channel->waiting)
    {
        struct sl_grpc_call *call = SL_CONTAINER_OF(node, struct sl_grpc_call, node);
        bool is_last = node == last;

        if (!sl_grpc_call_is_over(call)) {
            fn(channel, call);
        }
        if (is_last) {
            break;
        }
    }
}

static void refuse_waiting(struct sl_grpc_channel *channel, struct sl_grpc_call *call)
{
    if (!sl_grpc_call_waits_for_ready(call)) {
        channel->waiting_count--;
        sl_grpc_call_abandon(call, &channel->last_error);
    }
}

/* ---- connections ---- */

/* The channel takes no notice of it any more, but for its end. */
static void retire(struct connection *connection)
{
    struct sl_grpc_channel *channel = connection->channel;

    SL_ASSERT(channel->current == connection);
    channel->current = NULL;
    sl_list_append(&channel->draining, &connection->node);
}

/* The current connection stood, and is none any more. */
static void leave(struct sl_grpc_channel *channel, int64_t stood_ns, bool has_data)
{
    int64_t lasted_ns = sl_loop_now_ns(channel->context.loop) - stood_ns;
    struct sl_backoff *backoff = &channel->backoff;

    if (has_data || (uint64_t)(lasted_ns / SL_NS_PER_MS) >= backoff->min_ms) {
        sl_backoff_init(backoff, backoff->min_ms, backoff->max_ms);
        handle(channel, EVENT_LEFT);
    } else {
        handle(channel, EVENT_BROKE);
    }
    settle_later(channel);
}

static void note_error(struct sl_grpc_channel *channel, const struct sl_status *why)
{
    channel->last_error = *why;
    channel->last_error.code = SL_UNAVAILABLE;
    channel->last_error.reason = sl_status_reason(why);
}

/* Connecting failed: nobody who is not patient waits for the next attempt. */
static void fail(struct sl_grpc_channel *channel)
{
    channel->is_failing = true;
    handle(channel, EVENT_FAILED);
    for_waiting(channel, refuse_waiting);
    settle_later(channel);
}

/* Nothing more comes of the connection. */
static void end_connection(struct connection *connection, const struct sl_status *why)
{
    struct sl_grpc_channel *channel = connection->channel;
    bool is_current = channel->current == connection;
    int64_t stood_ns = connection->stood_ns;

    if (is_current) {
        note_error(channel, sl_status_is_ok(&connection->why) ? why : &connection->why);
        channel->current = NULL;
    }
    sl_list_remove(&connection->node);
    free(connection);
    if (!is_current) {
        settle_later(channel);
    } else if (channel->state == SL_GRPC_CHANNEL_READY) {
        leave(channel, stood_ns, false);
    } else {
        fail(channel);
    }
}

static void on_link_greeted(struct sl_h2_link *link, void *arg)
{
    struct connection *connection = arg;
    struct sl_grpc_channel *channel = connection->channel;

    (void)link;
    if (channel->current != connection) {
        return;
    }
    connection->stood_ns = sl_loop_now_ns(channel->context.loop);
    channel->connects++;
    channel->is_failing = false;
    channel->is_wanted = false;
    handle(channel, EVENT_UP);
    settle_later(channel);
}

/* The current connection takes no new calls: those that it has go on. */
static void let_drain(struct connection *connection)
{
    struct sl_grpc_channel *channel = connection->channel;
    bool has_data = sl_h2_session_useful_bytes(sl_h2_link_session(connection->link)) > 0;
    const struct sl_status *why = sl_h2_link_why(connection->link);

    if (!sl_status_is_ok(why)) {
        note_error(channel, why);
    }
    retire(connection);
    leave(channel, connection->stood_ns, has_data);
}

static void on_link_goaway(struct sl_h2_link *link, int32_t last_stream_id, uint32_t error,
                           struct sl_str debug_data, void *arg)
{
    struct connection *connection = arg;
    struct sl_grpc_channel *channel = connection->channel;

    (void)link;
    (void)last_stream_id;
    uint64_t *interval_ms = &channel->watch.ping_interval_ms;
    if (sl_h2_ping_less(interval_ms, error, debug_data)) {
        sl_log(SL_LOG_WARN, &channel->subject, "the server wants fewer PING",
               sl_log_text("reason", "too-many-pings"), sl_log_u64("interval-ms", *interval_ms));
    }
    if (channel->current == connection) {
        let_drain(connection);
    }
}

static void on_link_closed(struct sl_h2_link *link, const struct sl_status *why, void *arg)
{
    (void)link;
    end_connection(arg, why);
}

static const struct sl_h2_link_events link_events = {
    .on_greeted = on_link_greeted,
    .on_goaway = on_link_goaway,
    .on_closed = on_link_closed,
};

static void on_conn_open(struct sl_conn *conn, void *arg)
{
    struct connection *connection = arg;
    struct sl_grpc_channel *channel = connection->channel;

    connection->link =
        sl_h2_link_open(channel->context.loop, conn, SL_H2_CLIENT, NULL, &link_events, connection);
    if (!connection->link) {
        connection->why = sl_status_out_of_memory();
        sl_conn_close(conn);
        return;
    }
    connection->conn = NULL;
    if (!sl_h2_link_watch(connection->link, &channel->watch)) {
        connection->why = sl_status_out_of_memory();
        sl_h2_link_close(connection->link);
    }
}

static void on_conn_close(struct sl_conn *conn, const struct sl_status *why, void *arg)
{
    (void)conn;
    end_connection(arg, why);
}

static const struct sl_conn_events conn_events = {
    .on_open = on_conn_open,
    .on_close = on_conn_close,
};

static struct connection *new_connection(struct sl_grpc_channel *channel)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection) {
        return NULL;
    }
    sl_list_init(&connection->node);
    connection->channel = channel;
    connection->why = sl_status_ok();
    connection->conn =
        sl_conn_dial(channel->context.loop, &channel->dial, &conn_events, connection);
    if (!connection->conn) {
        free(connection);
        return NULL;
    }
    return connection;
}

static void dial(struct sl_grpc_channel *channel)
{
    handle(channel, EVENT_DIAL);
    channel->current = new_connection(channel);
    if (!channel->current) {
        struct sl_status why = sl_status_out_of_memory();
        note_error(channel, &why);
        fail(channel);
    }
}

/* ---- calls ---- */

static void add_waiting(struct sl_grpc_channel *channel, struct sl_grpc_call *call)
{
    sl_list_remove(&call->node);
    sl_list_append(&channel->waiting, &call->node);
    channel->waiting_count++;
    settle_later(channel);
}

/* False when memory is out: the call is on no list then. */
static bool start(struct sl_grpc_channel *channel, struct sl_grpc_call *call)
{
    if (!sl_grpc_call_start(call, sl_h2_link_session(channel->current->link))) {
        return false;
    }
    sl_list_append(&channel->started, &call->node);
    return true;
}

static bool takes_calls(const struct sl_grpc_channel *channel)
{
    return channel->state == SL_GRPC_CHANNEL_READY &&
           sl_h2_session_takes_requests(sl_h2_link_session(channel->current->link));
}

static void start_waiting(struct sl_grpc_channel *channel, struct sl_grpc_call *call)
{
    struct sl_status why = sl_status_out_of_memory();

    if (!takes_calls(channel)) {
        return;
    }
    channel->waiting_count--;
    if (!start(channel, call)) {
        sl_grpc_call_abandon(call, &why);
    }
}

static struct sl_status channel_closed(void)
{
    return sl_status_because("cancelled-here",
                             sl_status_error(SL_CANCELLED, "the channel was closed"));
}

static void cancel_waiting(struct sl_grpc_channel *channel, struct sl_grpc_call *call)
{
    struct sl_status why = channel_closed();

    channel->waiting_count--;
    sl_grpc_call_abandon(call, &why);
}

/* Whoever is sent away before it left waits as long as it takes, as on a connection that is full.
 */
static bool on_unprocessed(struct sl_grpc_call *call, bool is_moved, void *arg)
{
    struct sl_grpc_channel *channel = arg;

    if (channel->is_closing || (!is_moved && call->retries >= SL_GRPC_MAX_RETRIES)) {
        return false;
    }
    call->retries += !is_moved;
    channel->retries++;
    add_waiting(channel, call);
    return true;
}

static void on_gone(struct sl_grpc_call *call, void *arg)
{
    struct sl_grpc_channel *channel = arg;

    (void)call;
    channel->waiting_count--;
    settle_later(channel);
}

/* ---- the end ---- */

static void close_connection(struct connection *connection)
{
    if (connection->link) {
        sl_h2_link_close(connection->link);
    } else {
        sl_conn_close(connection->conn);
    }
}

static void begin_close(struct sl_grpc_channel *channel)
{
    struct sl_status why = channel_closed();

    handle(channel, EVENT_CLOSE);
    SL_LIST_FOR_EACH(node, &channel->started)
    {
        sl_grpc_call_fail(SL_CONTAINER_OF(node, struct sl_grpc_call, node), &why);
    }
    for_waiting(channel, cancel_waiting);
    if (channel->current) {
        retire(channel->current);
    }
    SL_LIST_FOR_EACH(node, &channel->draining)
    {
        close_connection(SL_CONTAINER_OF(node, struct connection, node));
    }
}

static void free_channel(struct sl_grpc_channel *channel)
{
    sl_log_end(&channel->subject);
    sl_timer_free(channel->timer);
    sl_grpc_context_fini(&channel->context);
    free(channel->authority);
    free(channel->user_agent);
    free(channel);
}

static void end_close(struct sl_grpc_channel *channel)
{
    sl_loop_fn on_closed = channel->on_closed;
    void *arg = channel->closed_arg;

    handle(channel, EVENT_GONE);
    SL_ASSERT(sl_list_is_empty(&channel->started));
    sl_loop_cancel(channel->context.loop, &channel->settle_due);
    free_channel(channel);
    if (on_closed) {
        on_closed(arg);
    }
}

/* Does what there is to be done in the present state. */
static void settle(void *arg)
{
    struct sl_grpc_channel *channel = arg;

    if (channel->is_closing && channel->state != SL_GRPC_CHANNEL_CLOSING) {
        begin_close(channel);
    }
    if (channel->state == SL_GRPC_CHANNEL_CLOSING) {
        if (sl_list_is_empty(&channel->waiting) && sl_list_is_empty(&channel->draining)) {
            end_close(channel);
        }
        return;
    }
    if (channel->state == SL_GRPC_CHANNEL_READY) {
        for_waiting(channel, start_waiting);
        if (channel->waiting_count > 0 && !takes_calls(channel)) {
            sl_h2_link_drain(channel->current->link); /* its stream ids are used up, or it ends */
            let_drain(channel->current);
        }
    } else if (channel->state == SL_GRPC_CHANNEL_BACKOFF && channel->is_failing) {
        for_waiting(channel, refuse_waiting);
    } else if (channel->state == SL_GRPC_CHANNEL_IDLE &&
               (channel->is_wanted || channel->waiting_count > 0)) {
        dial(channel);
    }
}

static void on_timer(void *arg)
{
    struct sl_grpc_channel *channel = arg;

    handle(channel, EVENT_RESTED);
    settle_later(channel);
}

/* ---- public ---- */

/* As a URI has it: IPv6 in brackets, without its zone (RFC 3986 section 3.2.2, RFC 6874). */
static char *make_authority(const struct sl_grpc_channel_options *options)
{
    const struct sl_address *address = &options->dial.address;
    size_t len = strcspn(address->host, "%");
    bool is_v6 = strchr(address->host, ':') != NULL;
    char *text = NULL;
    int printed;

    if (options->authority) {
        return strdup(options->authority);
    }
    if (sl_address_is_unix(address)) {
        return strdup("localhost");
    }
    printed = asprintf(&text, is_v6 ? "[%.*s]:%u" : "%.*s:%u", (int)len, address->host,
                       (unsigned)address->port);
    return printed < 0 ? NULL : text;
}

static char *make_user_agent(const char *theirs)
{
    char *text = NULL;

    if (!theirs || !*theirs) {
        return strdup(OUR_USER_AGENT);
    }
    return asprintf(&text, "%s " OUR_USER_AGENT, theirs) < 0 ? NULL : text;
}

static bool init_names(struct sl_grpc_channel *channel,
                       const struct sl_grpc_channel_options *options)
{
    channel->authority = make_authority(options);
    channel->user_agent = make_user_agent(options->user_agent);
    if (!channel->authority || !channel->user_agent) {
        return false;
    }
    const struct sl_log_field who = sl_log_text("channel", channel->authority);
    sl_log_subject_init(&channel->subject, &who, 1);
    return true;
}

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

static void init_limits(struct sl_grpc_channel *channel,
                        const struct sl_grpc_channel_options *options)
{
    uint64_t min_ms = or_default(options->backoff_min_ms, SL_GRPC_BACKOFF_MIN_MS);
    uint64_t max_ms = or_default(options->backoff_max_ms, SL_GRPC_BACKOFF_MAX_MS);

    channel->dial = options->dial;
    channel->dial.timeout_ms = or_default(options->dial.timeout_ms, SL_GRPC_CONNECT_MS);
    channel->watch = options->watch;
    channel->watch.settings_ms = or_default(options->watch.settings_ms, channel->dial.timeout_ms);
    channel->watch.ping_timeout_ms =
        or_default(options->watch.ping_timeout_ms, channel->dial.timeout_ms);
    channel->max_waiting_calls =
        options->max_waiting_calls ? options->max_waiting_calls : SL_GRPC_MAX_WAITING_CALLS;
    sl_backoff_init(&channel->backoff, min_ms, sl_max_u64(min_ms, max_ms));
}

struct sl_grpc_channel *sl_grpc_channel_open(const struct sl_grpc_channel_options *options)
{
    struct sl_grpc_channel *channel = calloc(1, sizeof(*channel));

    if (!channel) {
        return NULL;
    }
    channel->state = SL_GRPC_CHANNEL_IDLE;
    channel->last_error = sl_status_ok();
    channel->on_state = options->on_state;
    channel->arg = options->arg;
    channel->owner = (struct sl_grpc_owner){on_unprocessed, on_gone, channel};
    channel->settle_due = (struct sl_deferred){.fn = settle, .arg = channel};
    sl_list_init(&channel->draining);
    sl_list_init(&channel->waiting);
    sl_list_init(&channel->started);
    sl_grpc_context_init(&channel->context, options->loop);
    init_limits(channel, options);
    channel->timer = sl_timer_new(options->loop, on_timer, channel);
    if (!channel->timer || !init_names(channel, options)) {
        free_channel(channel);
        return NULL;
    }
    return channel;
}

void sl_grpc_channel_set_tls(struct sl_grpc_channel *channel, struct sl_tls *tls)
{
    channel->dial.tls = tls;
}

void sl_grpc_channel_connect(struct sl_grpc_channel *channel)
{
    if (channel->state != SL_GRPC_CHANNEL_READY) {
        channel->is_wanted = true;
        settle_later(channel);
    }
}

struct sl_grpc_call *sl_grpc_channel_call(struct sl_grpc_channel *channel,
                                          const struct sl_grpc_request *request,
                                          const struct sl_grpc_call_events *events, void *arg)
{
    struct sl_grpc_request complete = *request;
    bool is_first = channel->waiting_count == 0;

    if (channel->is_closing || channel->waiting_count >= channel->max_waiting_calls) {
        return NULL;
    }
    complete.context = &channel->context;
    complete.authority = request->authority ? request->authority : channel->authority;
    complete.user_agent = request->user_agent ? request->user_agent : channel->user_agent;
    struct sl_grpc_call *call = sl_grpc_call_prepare(&complete, events, arg, &channel->owner);
    if (!call) {
        return NULL;
    }
    /* What cannot start now is looked at again when this turn is over. */
    if (!is_first || sl_grpc_call_is_over(call) || !takes_calls(channel) || !start(channel, call)) {
        add_waiting(channel, call);
    }
    return call;
}

void sl_grpc_channel_close(struct sl_grpc_channel *channel, sl_loop_fn on_closed, void *arg)
{
    if (channel->is_closing) {
        return;
    }
    channel->is_closing = true;
    channel->on_closed = on_closed;
    channel->closed_arg = arg;
    settle_later(channel);
}

enum sl_grpc_channel_state sl_grpc_channel_state(const struct sl_grpc_channel *channel)
{
    return channel->state;
}

const struct sl_status *sl_grpc_channel_last_error(const struct sl_grpc_channel *channel)
{
    return &channel->last_error;
}

void sl_grpc_channel_view(const struct sl_grpc_channel *channel, struct sl_grpc_channel_view *view)
{
    *view = (struct sl_grpc_channel_view){
        .connects = channel->connects,
        .retries = channel->retries,
        .waiting = channel->waiting_count,
        .ping_interval_ms = channel->watch.ping_interval_ms,
    };
    SL_LIST_FOR_EACH(node, &channel->draining)
    {
        view->draining++;
    }
}

struct sl_grpc_context *sl_grpc_channel_context(struct sl_grpc_channel *channel)
{
    return &channel->context;
}
