/* grant.c - what becomes of a stream's credit: announced, borrowed, repaid. */
#include "stream/internal.h"

enum {
    MAX_PADDING_BYTES = 256, /* of one DATA frame: nghttp2 counts it before the frame's end */
};

/* ---- memory ---- */

/* The governor has memory for the stream, which waits for some. */
static void has_room(struct sl_share *share)
{
    struct sl_stream *stream = SL_CONTAINER_OF(share, struct sl_stream, share);

    sl_loop_defer(stream->config.loop, &stream->credit_due);
}

void sl_stream_pool_init(struct sl_stream_pool *pool, const struct sl_budget_plan *plan)
{
    *pool = (struct sl_stream_pool){.plan = *plan};
    sl_reserve_init(&pool->reserve);
    sl_meters_init(&pool->meters);
    sl_governor_init(&pool->governor, plan->shared_bytes, has_room);
}

void sl_stream_cost_add(struct sl_stream *stream, uint64_t bytes)
{
    sl_share_hold(&stream->share, bytes);
}

void sl_stream_cost_sub(struct sl_stream *stream, uint64_t bytes)
{
    sl_share_release(&stream->share, bytes);
    sl_loop_defer(stream->config.loop, &stream->credit_due);
}

uint64_t sl_stream_memory_left(const struct sl_stream *stream)
{
    return sl_share_spare(&stream->share);
}

static bool is_lent(const struct sl_stream *stream)
{
    return sl_loan_is_lent(&stream->config.pool->reserve, &stream->loan);
}

bool sl_stream_claim(struct sl_stream *stream, uint32_t window_bytes)
{
    bool has_room = is_lent(stream) || sl_stall_is_keeping(stream) ||
                    sl_share_claim(&stream->share, window_bytes);

    stream->short_bytes = has_room ? 0 : window_bytes;
    return has_room;
}

/* A message waits for memory: its turn may have come; else what waits for company has to leave, for
 * it has some of that memory. */
static void go_on(struct sl_stream *stream)
{
    if (!stream->call || !stream->short_bytes) {
        return;
    }
    if (sl_stream_claim(stream, stream->short_bytes)) {
        sl_grpc_call_resume(stream->call);
    } else {
        sl_batch_flush(stream);
    }
}

/* ---- loans ---- */

/* What is under way would never fit in the stream's share, or nothing will be acknowledged that
 * would make it fit. */
static bool needs_reserve(const struct sl_stream *stream, uint32_t missing)
{
    const struct sl_credit *credit = &stream->credit;
    uint64_t whole = (uint64_t)credit->assembling_bytes + missing;

    return sl_cost_rate_of(&stream->share.rate, whole) > sl_share_entitled(&stream->share) ||
           sl_stall_may_lend(stream) || (credit->held_bytes == 0 && stream->share.held_bytes == 0);
}

/* It would never fit in the window, or nothing will be acknowledged that would make it fit. */
static bool needs_window(const struct sl_stream *stream, uint32_t missing)
{
    const struct sl_credit *credit = &stream->credit;

    return (uint64_t)credit->assembling_bytes + missing > credit->limit_bytes ||
           needs_reserve(stream, missing);
}

static uint32_t lend(struct sl_stream *stream, uint32_t missing)
{
    uint32_t need = sl_credit_need(&stream->credit, missing);

    if (missing == 0 || need == 0 || !needs_window(stream, missing)) {
        return 0; /* between two messages there is nothing to lend for */
    }
    if (need > sl_share_room(&stream->share)) {
        if (!needs_reserve(stream, missing) ||
            !sl_loan_ask(&stream->config.pool->reserve, &stream->loan)) {
            return 0;
        }
        stream->loan_since_ns = sl_loop_now_ns(stream->config.loop);
        stream->loan_missing = missing;
        sl_timer_start(stream->timer, SL_STREAM_LOAN_STALL_S * 1000);
    }
    return sl_credit_borrow(&stream->credit, missing);
}

/* The reserve goes back as soon as the message that it was for, or what became of it, fits into the
 * stream's own share. What else is granted does not count: a device may leave it unused for ever.
 */
static void repay(struct sl_stream *stream, uint32_t missing)
{
    struct sl_stream_pool *pool = stream->config.pool;
    const struct sl_credit *credit = &stream->credit;
    uint64_t whole = (uint64_t)credit->assembling_bytes + missing;
    uint64_t cost = stream->share.held_bytes + sl_cost_rate_of(&stream->share.rate, whole);
    bool is_waiting = stream->call && sl_credit_need(credit, missing) > 0;

    bool is_small = cost <= stream->share.bytes || sl_stall_is_keeping(stream);

    if (!is_waiting && (!stream->call || is_small)) {
        if (stream->call && is_lent(stream)) {
            sl_timer_stop(stream->timer);
        }
        sl_loan_return(&pool->reserve, &stream->loan);
    }
}

/* A borrower whose message does not get any further, or takes too long altogether. */
static bool is_too_slow(struct sl_stream *stream, uint32_t missing)
{
    int64_t held_ns = sl_loop_now_ns(stream->config.loop) - stream->loan_since_ns;
    bool is_stuck = missing == stream->loan_missing;

    stream->loan_missing = missing;
    return missing > 0 && (is_stuck || held_ns >= SL_STREAM_LOAN_S * SL_NS_PER_S);
}

void sl_stream_check_loan(struct sl_stream *stream)
{
    uint32_t missing = stream->call ? sl_grpc_call_missing(stream->call) : 0;

    if (!stream->call || !is_lent(stream)) {
        return;
    }
    if (!is_too_slow(stream, missing) || !sl_reserve_is_wanted(&stream->config.pool->reserve)) {
        sl_timer_start(stream->timer, SL_STREAM_LOAN_STALL_S * 1000);
        return;
    }
    struct sl_status why = sl_status_because(
        "message-too-slow",
        sl_status_error(SL_RESOURCE_EXHAUSTED,
                        "a large message has the memory that others wait for (%d s at most, %d s"
                        " without a byte)",
                        SL_STREAM_LOAN_S, SL_STREAM_LOAN_STALL_S));
    sl_grpc_call_fail(stream->call, &why);
}

/* ---- the window ---- */

static void note_blocked(struct sl_stream *stream, bool is_blocked)
{
    int64_t now_ns = sl_loop_now_ns(stream->config.loop);

    if (stream->view.is_blocked) {
        stream->view.blocked_ns += now_ns - stream->blocked_since_ns;
    }
    if (stream->view.is_blocked && !is_blocked) {
        sl_histogram_record(&stream->routes[0].config.meter->blocked,
                            now_ns - stream->blocked_from_ns);
    } else if (!stream->view.is_blocked) {
        stream->blocked_from_ns = now_ns;
    }
    stream->blocked_since_ns = now_ns;
    stream->view.is_blocked = is_blocked;
}

/* After the SETTINGS are acknowledged the peer never has more than the ledger says, and not less
 * but for the padding of a frame that is not through yet. */
static void check_window(const struct sl_stream *stream)
{
    const struct sl_h2_stream *h2 = sl_grpc_call_stream(stream->call);

    if (!h2 || !sl_h2_session_is_settled(sl_h2_stream_session(h2))) {
        return; /* the connection is over, what is held is not */
    }
    uint32_t window = sl_h2_stream_window(h2);
    uint32_t granted = stream->credit.granted_bytes;

    SL_INVARIANT(window <= granted);
    SL_INVARIANT(!sl_h2_stream_is_exact(h2) || granted - window <= MAX_PADDING_BYTES);
}

void sl_stream_give_credit(void *arg)
{
    struct sl_stream *stream = arg;

    sl_stall_go_on(stream);
    bool gives = stream->state == SL_STREAM_FLOWING || stream->state == SL_STREAM_HELD;
    uint32_t missing = stream->call ? sl_grpc_call_missing(stream->call) : 0;

    sl_mark_gaps(stream);
    sl_share_look(&stream->share, sl_loop_now_ns(stream->config.loop), stream->view.message_bytes,
                  missing);
    if (gives) {
        check_window(stream);
        uint32_t bytes =
            sl_credit_announce(&stream->credit, missing, sl_share_room(&stream->share));
        bytes += sl_stall_extend(stream);
        bytes += lend(stream, missing);
        if (bytes) {
            sl_grpc_call_grant(stream->call, bytes);
        }
    }
    repay(stream, missing);
    bool is_blocked = gives && sl_credit_need(&stream->credit, missing) > 0;
    note_blocked(stream, is_blocked);
    stream->view.limited = gives ? sl_share_limited(&stream->share, missing) : SL_LIMITED_NOT;
    sl_stall_note_blocked(stream, is_blocked);
    if (is_blocked) {
        sl_batch_flush(stream); /* what waits for company is what the device waits for */
    }
    go_on(stream);
    if (stream->change) {
        sl_stream_go_on_changing(stream);
    }
}

void sl_stream_lent(struct sl_loan *loan, void *arg)
{
    struct sl_stream *stream = arg;

    (void)loan;
    sl_loop_defer(stream->config.loop, &stream->credit_due);
}
