#include "stream/kept.h"

enum { COST_OF_A_BYTE = 8 }; /* of a message, as records: before the sink has said */

/* ---- memory ---- */

static void count_cost(struct sl_stream *stream, struct sl_kept *kept)
{
    uint64_t cost = sizeof(*kept) + kept->store.cost_bytes + kept->store.key.cap + kept->bytes.cap +
                    kept->under.ruled.kept.cap;

    stream->kept_bytes += cost - kept->cost_bytes;
    sl_stream_cost_add(stream, cost);
    sl_stream_cost_sub(stream, kept->cost_bytes);
    kept->cost_bytes = cost;
}

/* What the store may take in all. */
static uint64_t store_limit(const struct sl_stream *stream, const struct sl_kept *kept)
{
    uint64_t limit = sl_max_u64(stream->config.credit_max_bytes, stream->credit.limit_bytes);
    uint64_t other = stream->kept_bytes - sl_min_u64(stream->kept_bytes, kept->store.cost_bytes);

    if (stream->config.stall.policy != SL_STALL_CONFLATE || other >= limit) {
        return 0;
    }
    return sl_min_u64(limit - other, kept->store.cost_bytes + sl_stream_memory_left(stream));
}

void sl_kept_init(struct sl_stream *stream, struct sl_kept *kept)
{
    *kept = (struct sl_kept){.cost_bytes = 0};
    sl_store_init(&kept->store);
    count_cost(stream, kept);
}

void sl_kept_fini(struct sl_stream *stream, struct sl_kept *kept)
{
    SL_ASSERT(!kept->message.data && sl_store_is_empty(&kept->store));
    stream->kept_bytes -= kept->cost_bytes;
    sl_stream_cost_sub(stream, kept->cost_bytes);
    sl_store_fini(&kept->store);
    sl_buf_fini(&kept->bytes);
}

/* ---- keeping ---- */

static struct sl_store_when when_of(const struct sl_stream *stream)
{
    return (struct sl_store_when){
        .received_ns = stream->received_ns,
        .sent_timestamp = stream->sent_timestamp,
        .device_ns = stream->device_ns,
        .settled_ns = stream->settled_ns,
        .is_synced = stream->view.is_synced,
    };
}

static void keep_newest(struct sl_stream *stream, struct sl_route *route, struct sl_kept *kept,
                        const struct sl_gnmi_response *part)
{
    const struct sl_store_when when = when_of(stream);
    uint64_t updates = (uint64_t)part->updates + part->deletes;
    uint64_t all = kept->store.updates + updates;
    struct sl_store_lost lost = {.shed = 0};

    sl_store_add(&kept->store, part, &when, store_limit(stream, kept), &lost);
    SL_ASSERT(kept->store.updates + lost.conflated + lost.shed == all);
    sl_route_send(route, updates);
    sl_route_settle(route, &route->counts.dropped[SL_DROP_CONFLATED], lost.conflated);
    sl_route_settle(route, &route->counts.dropped[SL_DROP_SHED], lost.shed);
    route->duplicates += lost.duplicates;
    stream->stall_conflated += lost.conflated;
    stream->stall_shed += lost.shed;
}

/* Something of the message was given, or its rules were asked: that cannot be done again. */
static bool is_begun(const struct sl_stream *stream)
{
    return stream->given > 0 || stream->ruled.step != SL_RULED_NOT || stream->progress.passed > 0 ||
           stream->progress.at > 0;
}

static bool copy_message(struct sl_kept *kept, struct sl_str message)
{
    sl_buf_reset(&kept->bytes);
    sl_buf_add_str(&kept->bytes, message);
    kept->message = kept->bytes.failed ? (struct sl_str){NULL, 0} : sl_buf_str(&kept->bytes);
    return !kept->bytes.failed;
}

/* Nothing was kept before it, for then it would have waited. */
static void keep_rest(struct sl_stream *stream, struct sl_route *route, struct sl_kept *kept,
                      const struct sl_gnmi_response *part)
{
    SL_ASSERT(!kept->message.data && sl_store_is_empty(&kept->store));
    if (part->message.len > store_limit(stream, kept)) {
        stream->stall_shed += route->coming;
        sl_route_drop(route, SL_DROP_SHED, route->coming);
        return;
    }
    if (!copy_message(kept, part->message)) {
        sl_route_drop(route, SL_DROP_MEMORY, route->coming);
        return;
    }
    kept->under = (struct sl_underway){
        .ruled = stream->ruled,
        .progress = stream->progress,
        .given = stream->given,
        .repeated = stream->repeated,
        .coming = route->coming,
        .when = when_of(stream),
    };
    stream->ruled = (struct sl_ruled){.step = SL_RULED_NOT};
    route->coming = 0;
}

void sl_kept_add(struct sl_stream *stream, struct sl_route *route, struct sl_kept *kept,
                 const struct sl_gnmi_response *part)
{
    if (is_begun(stream)) {
        keep_rest(stream, route, kept, part);
    } else {
        keep_newest(stream, route, kept, part);
    }
    count_cost(stream, kept);
}

/* ---- leaving ---- */

/* Exchanges the message under way for the kept one, and back. */
static void swap(struct sl_stream *stream, struct sl_route *route, struct sl_underway *under)
{
    const struct sl_underway now = {
        .charge = stream->charge,
        .next_route = stream->next_route,
        .ruled = stream->ruled,
        .progress = stream->progress,
        .given = stream->given,
        .repeated = stream->repeated,
        .coming = route->coming,
        .when = when_of(stream),
    };

    stream->charge = under->charge;
    stream->next_route = under->next_route;
    stream->ruled = under->ruled;
    stream->progress = under->progress;
    stream->given = under->given;
    stream->repeated = under->repeated;
    route->coming = under->coming;
    stream->received_ns = under->when.received_ns;
    stream->sent_timestamp = under->when.sent_timestamp;
    stream->device_ns = under->when.device_ns;
    stream->settled_ns = under->when.settled_ns;
    stream->view.is_synced = under->when.is_synced;
    *under = now;
}

static void end_message(struct sl_kept *kept)
{
    sl_ruled_reset(&kept->under.ruled);
    kept->under = (struct sl_underway){.charge = NULL};
    kept->message = (struct sl_str){NULL, 0};
}

/* What of it was not given yet. */
static uint32_t drop_message(struct sl_kept *kept)
{
    uint32_t updates = kept->under.coming;

    if (kept->under.charge) {
        sl_stream_drop_charge(kept->under.charge);
    }
    end_message(kept);
    return updates;
}

/* The marker goes before the record of the sync_response, if there is one. */
static void pay_sync(struct sl_stream *stream, struct sl_route *route, struct sl_kept *kept,
                     const struct sl_gnmi_response *response)
{
    if (response->is_sync && kept->owes_sync) {
        kept->owes_sync = false;
        sl_mark_synced_late(stream, route);
    }
}

static bool give(struct sl_stream *stream, struct sl_route *route, struct sl_kept *kept,
                 const struct sl_gnmi_response *response)
{
    swap(stream, route, &kept->under);
    bool is_given = sl_mark_give(stream, route) && sl_stream_give_part(stream, route, response);
    if (is_given) {
        sl_stream_end_charge(stream);
    }
    swap(stream, route, &kept->under);
    return is_given;
}

/* Makes records of the message that leaves. False: the sink is full. */
static bool give_message(struct sl_stream *stream, struct sl_route *route, struct sl_kept *kept)
{
    struct sl_gnmi_response response;
    struct sl_status status =
        sl_gnmi_response_read(kept->message, &stream->config.pool->scratch, &response);
    bool is_read = sl_status_is_ok(&status); /* else memory is out: it was read once */

    if (is_read) {
        pay_sync(stream, route, kept, &response);
    }
    if (is_read && !kept->under.charge) {
        kept->under.charge = sl_stream_charge(stream, 0);
    }
    if (!is_read || !kept->under.charge) {
        sl_route_settle(route, &route->counts.dropped[SL_DROP_MEMORY], drop_message(kept));
        return true;
    }
    bool is_given = give(stream, route, kept, &response);

    if (is_given) {
        end_message(kept);
    }
    return is_given;
}

static void take_message(struct sl_route *route, struct sl_kept *kept)
{
    struct sl_store_taken taken;

    sl_store_take(&kept->store, &kept->bytes, &taken);
    if (!taken.message.data) {
        sl_route_settle(route, &route->counts.dropped[SL_DROP_MEMORY], taken.updates);
        return;
    }
    kept->message = taken.message;
    kept->under = (struct sl_underway){.coming = taken.updates, .when = taken.when};
}

/* What leaves costs memory as records, of which the store knows nothing: as far as there is some;
 * one message always. */
static bool may_leave(const struct sl_stream *stream, const struct sl_route *route,
                      const struct sl_kept *kept)
{
    return route->in_flight == 0 ||
           sl_stream_memory_left(stream) >= kept->message.len * COST_OF_A_BYTE;
}

/* The next message, or what is left of it; GONE: that is. */
static enum sl_kept_left leave_one(struct sl_stream *stream, struct sl_route *route,
                                   struct sl_kept *kept)
{
    if (!kept->message.data) {
        take_message(route, kept);
        count_cost(stream, kept);
    }
    if (!kept->message.data) {
        return SL_KEPT_GONE; /* there was no memory for it */
    }
    if (!may_leave(stream, route, kept)) {
        return SL_KEPT_WAITS;
    }
    bool is_given = give_message(stream, route, kept);

    count_cost(stream, kept);
    return is_given ? SL_KEPT_GONE : SL_KEPT_REFUSED;
}

enum sl_kept_left sl_kept_leave(struct sl_stream *stream, struct sl_route *route,
                                struct sl_kept *kept)
{
    enum sl_kept_left left = SL_KEPT_GONE;

    while (left == SL_KEPT_GONE && (kept->message.data || !sl_store_is_empty(&kept->store))) {
        left = leave_one(stream, route, kept);
    }
    return left;
}

uint64_t sl_kept_drop(struct sl_kept *kept)
{
    return sl_store_clear(&kept->store) + drop_message(kept);
}
