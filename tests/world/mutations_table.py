"""The bugs that mutations.py plants: a name, the promise that it breaks, and edits of the core."""
import dataclasses

CREDIT = "lib/credit/credit.c"
BUDGET = "lib/credit/budget.c"
GRANT = "lib/stream/grant.c"
FLOW = "lib/stream/flow.c"
MARK = "lib/stream/mark.c"
ROUTE = "lib/stream/route.c"
STREAM = "lib/stream/stream.c"
INCOMING = "lib/h2/incoming.c"
SESSION = "lib/h2/session.c"
STORE = "lib/stream/store.c"
GOVERNOR = "lib/credit/governor.c"
WORKER = "lib/daemon/worker_sinks.c"


@dataclasses.dataclass(frozen=True)
class Edit:
    file: str
    old: str  # stands in the file exactly once
    new: str


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    breaks: str  # a promise of the design, in a few words
    edits: tuple


def of(name, breaks, *edits):
    return Mutation(name, breaks, edits)


MUTATIONS = (
    # What a device may send.
    of("credit-released-twice", "bounded: no more than the limit is out",
       Edit(CREDIT, "    credit->pending_bytes += bytes - repaid;\n",
            "    credit->pending_bytes += 2 * (bytes - repaid);\n")),
    of("credit-on-receipt", "credit only when sinks have acknowledged",
       Edit(CREDIT, "    credit->held_bytes += bytes;\n", "    credit->pending_bytes += bytes;\n"),
       Edit(CREDIT, "    SL_ASSERT(bytes <= credit->held_bytes);\n", "    return true;\n")),
    of("late-report-not-fenced", "reports of an ended RPC are no credit",
       Edit(CREDIT, "    if (generation != credit->generation) {\n        return false;\n    }\n"
                    "    SL_ASSERT(bytes <= credit->held_bytes);\n",
            "    (void)generation;\n    bytes = sl_min_u32(bytes, credit->held_bytes);\n")),
    of("threshold-wait", "a device that waits is announced anything",
       Edit(CREDIT, "    if (sl_credit_need(credit, missing) == 0 && (uint64_t)bytes * 4 < in_use) {",
            "    (void)missing;\n    if ((uint64_t)bytes * 4 < in_use) {"),
       Edit(GRANT, " || (credit->held_bytes == 0 && stream->share.held_bytes == 0);\n", ";\n")),
    of("padding-not-returned", "a device keeps its window: padding counts",
       Edit(INCOMING, "    if (padding) {\n", "    if (padding > 4096) {\n")),
    of("connection-window-kept", "isolated: siblings flow on (window scaled)",
       Edit(SESSION, "                                                 SL_H2_CONNECTION_WINDOW_BYTES) == 0;",
            "                                                 256 * 1024) == 0;"),
       Edit(INCOMING, "nghttp2_session_consume_connection(ng, len);",
            "nghttp2_session_consume_connection(ng, len * 0);")),
    of("charge-ends-with-first-sink", "credit follows the slowest required sink",
       Edit(FLOW, "    if (--charge->holders > 0) {\n        return;\n",
            "    if (--charge->holders > 0) {\n        if (charge->stream->charge != charge &&\n"
            "            sl_credit_release(&stream->credit, charge->generation, charge->window_bytes)) {\n"
            "            sl_loop_defer(stream->config.loop, &stream->credit_due);\n"
            "            charge->window_bytes = 0;\n        }\n        return;\n")),
    # Memory.
    of("borrower-lost", "the reserve goes to the next in turn",
       Edit(BUDGET, "    if (reserve->borrower != loan) {\n        return;\n",
            "    if (reserve->borrower) {\n        return;\n")),
    # The ledger.
    of("dropped-on-full", "a full sink loses nothing",
       Edit(FLOW, "            sl_stream_handle(stream, SL_STREAM_FULL);\n            return SL_GRPC_HOLD;\n",
            "            sl_stream_drop_unfinished(stream);\n            return SL_GRPC_TAKEN;\n")),
    of("held-not-counted", "received = published + filtered + dropped + held",
       Edit(ROUTE, "    route->counts.held -= updates;\n    *counter += updates;\n",
            "    route->counts.held -= updates;\n    *counter += updates - (updates > 2);\n")),
    of("failed-as-published", "what a sink lost is not published",
       Edit(FLOW, "    return &route->counts.dropped[SL_DROP_SINK];\n",
            "    return &route->counts.published;\n")),
    of("unfinished-forgotten", "what an RPC's end cuts off is counted",
       Edit(FLOW, "        sl_route_drop(route, SL_DROP_CLOSED, route->coming);\n",
            "        route->coming = 0;\n")),
    # Order, numbers, epochs.
    of("seq-not-reset", "seq counts from 1 in each epoch",
       Edit(STREAM, "        stream->routes[i].seq = 0;\n", "")),
    of("marker-without-number", "a marker takes a number too",
       Edit(MARK, "    route->seq++;\n", "")),
    of("epoch-not-raised", "an epoch is larger than the last",
       Edit(STREAM, "    stream->view.epoch = sl_max_u64(now_ns, stream->view.epoch + 1);",
            "    stream->view.epoch = now_ns;")),
    of("gap-left-out", "honest: a gap is in the data",
       Edit(MARK, "        add(stream, route, place, &gap);\n",
            "        if (!stream->seen_ns) {\n            add(stream, route, place, &gap);\n        }\n")),
    of("record-before-marker", "no record passes a marker",
       Edit(FLOW, "sl_stall_is_on(route) || sl_mark_give(stream, route) || !sl_route_is_required(route);",
            "sl_stall_is_on(route) || sl_mark_give(stream, route) || true;")),
    # Going on.
    of("room-not-told", "a held stream goes on when there is room",
       Edit(STREAM, "        sl_grpc_call_resume(stream->call);\n        sl_stream_note_empty(stream);\n",
            "        sl_stream_note_empty(stream);\n")),
    of("room-for-the-first-alone", "every stream makes progress",
       Edit(WORKER, "    found->first_ready = first + 1 < count ? first + 1 : 0;\n",
            "    found->first_ready = count * 0;\n")),
    of("budget-ignored", "bounded: collector.memory",
       Edit(GOVERNOR, "    return needed <= share->bytes;\n", "    return true;\n"),
       Edit(GOVERNOR, "    return sl_budget_room(share->bytes, share->held_bytes, share->credit, &share->rate);\n",
            "    return sl_budget_room(share->bytes * 64, share->held_bytes, share->credit, &share->rate);\n")),

    of("conflation-unbounded", "what is kept is bounded, too",
       Edit(STORE, "    return used <= adding->limit_bytes && adding->limit_bytes - used >= bytes;\n",
            "    return used + bytes > 0;\n")),

    of("conflated-not-counted", "what a policy drops is counted",
       Edit(STORE, "    adding->lost->conflated += item->updates;\n", "")),

    of("opened-without-sinks", "opened only while its sinks take records",
       Edit(STREAM, "        sinks_are_taking(stream) && !sl_prober", "        !sl_prober")),
)
