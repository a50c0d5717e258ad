#!/usr/bin/env python3
"""semantics - what a notification means, and when it was.

Devices on grpcio say what the specification allows and what devices do beside it: deletes and updates
in one notification, atomic ones, values left out, a path that comes twice, empty responses, several
sync_responses; times in each unit, zero, negative, in 1970 and in the future. Apache Kafka refuses
records that are more than an hour ahead of its clock, or a day behind. The consumer is
confluent-kafka, with classes made from proto/sluice.proto.
"""
import json
import time
from collections import defaultdict

from harness import check, part, run, wait_for

from confluent_kafka import Producer

from collector import Collector, kafka_sink
from kafka import Kafka, Reader
from records import record_class
from scripted import SYNC, Device, notification

HOUR_NS = 3600 * 10**9
DAY_MS = 24 * 3600 * 1000
# Of each target: what it sends for a time of ours in nanoseconds.
CLOCKS = {
    "s": lambda ns: ns // 10**9,
    "ms": lambda ns: ns // 10**6,
    "us": lambda ns: ns // 10**3,
    "ns": lambda ns: ns,
    "zero": lambda ns: 0,
    "negative": lambda ns: -ns,
    "future": lambda ns: ns + 50 * 365 * 24 * HOUR_NS // 10,
    "unset": lambda ns: 1000 * 10**9,
}
UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3}
TIMES = 3

# What the target "order" sends: in each tuple updates, deletes, whether it is atomic.
MESSAGES = [
    ([("/a/x", 1), ("/a/y", 2)], ["/a", "/b"], False),
    ([("/a/x", 3), ("/a/y", 4)], [], True),
    ([("/a/x", 5, 3), ("/a/y", 5, 4)], [], False),
    ([("/a/x", 5), ("/a/y", 6), ("/a/x", 7)], [], False),
    None,  # sync_response
    ([("/a/x", 7)], [], False),
    None,
    ([("/a/x", 7)], [], False),
    ([], ["/a"], False),
]
EMPTIES = 3


class Clock:
    def __init__(self, lab, tell):
        self.sent = set()
        self.device = Device(lab, self.play)
        self.tell = tell

    def play(self, _, call):
        for value in range(TIMES):
            sent = self.tell(time.time_ns())
            self.sent.add(sent)
            yield notification(sent, [("/clock/value", value)])
        yield SYNC
        self.device.stay(call)


def order(lab):
    def play(_, call):
        for message in MESSAGES:
            yield SYNC if message is None else notification(time.time_ns(), *message)
        for _ in range(EMPTIES):
            yield b""
        device.stay(call)

    device = Device(lab, play)
    return device


def check_refusal(kafka, topic):
    """The broker does refuse what is too far off: then it was sluice that kept from it."""
    reports = []
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for ms in (int(time.time() * 1000) + 2 * DAY_MS, int(time.time() * 1000) - 2 * DAY_MS):
        producer.produce(topic, b"", timestamp=ms,
                         on_delivery=lambda error, _: reports.append(error and error.name()))
    producer.flush(30)
    check(len(reports) == 2 and {"INVALID_TIMESTAMP", "INVALID_RECORD"} >= set(reports),
          f"the broker refuses wrong times: {reports}")


def expected_ns(name, sub, sent, received_ns):
    """By the rules of clock.h, for sluice.v1."""
    device_ns = sent * UNITS.get(name, 1)
    if sub == "received":
        return received_ns
    if sub == "clamped":
        if sent <= 0:
            return received_ns
        return min(max(device_ns, received_ns - HOUR_NS), received_ns + HOUR_NS)
    return device_ns


def check_times(kafka, record, clocks):
    wrong, count = [], 0
    for message in Reader(kafka.bootstrap, "exact").messages():
        found = record.FromString(message.value())
        if found.target not in CLOCKS or not found.updates:
            continue
        count += 1
        name, sub = found.target, found.subscription
        is_moved = found.HasField("sent_timestamp")
        sent = found.sent_timestamp if is_moved else found.timestamp_ns
        if (sent not in clocks[name].sent or is_moved != (sent != found.timestamp_ns)
                or found.timestamp_ns != expected_ns(name, sub, sent, found.received_ns)):
            wrong.append(f"{name} {sub}: {found.timestamp_ns} of {sent} at {found.received_ns}")
        kafka_ms = message.timestamp()[1]
        if abs(kafka_ms - time.time() * 1000) > 2 * 3600 * 1000 or (
                name in UNITS and sub == "all" and kafka_ms != found.timestamp_ns // 10**6):
            wrong.append(f"{name} {sub}: Kafka's time {kafka_ms} of {found.timestamp_ns}")
    check(not wrong and count == len(CLOCKS) * 3 * TIMES,
          f"sluice.v1: {count} records of {len(CLOCKS)} clocks under three policies {wrong[:4]}")


def check_event_times(kafka, clocks):
    wrong, count = [], 0
    for message in Reader(kafka.bootstrap, "events").messages():
        ((_, text),) = message.headers()
        name, sub, _ = text.decode().split(";")[3:]
        if name not in CLOCKS:
            continue
        for event in json.loads(message.value()):
            count += 1
            found = event.get("timestamp", 0)
            is_as_sent = found in clocks[name].sent
            near = abs(found - time.time_ns()) < 2 * HOUR_NS
            if not (is_as_sent if sub == "all" else near):
                wrong.append(f"{name} {sub}: {found}")
    check(not wrong and count == len(CLOCKS) * 3 * TIMES,
          f"event: {count} events, as sent where nobody says otherwise, else as said {wrong[:4]}")


def check_skew(collector):
    def skewed(target, kind):
        return collector.total("sluice_stream_skewed_timestamps", target=target, subscription="all",
                               kind=kind)

    for target, kind in (("zero", "zero"), ("negative", "negative"), ("future", "future"),
                         ("unset", "past")):
        check(skewed(target, kind) == TIMES, f"{target}: {TIMES} are counted as {kind}")
    check(not any(skewed("ns", kind) for kind in ("zero", "negative", "future", "past")),
          "a good clock is not skewed")
    for unit in ("s", "ms", "us", "ns"):
        check(collector.total("sluice_stream_timestamp", target=unit, subscription="all",
                              unit=unit) == (unit != "ns"), f"a unit is told where it is not usual: {unit}")
    check(collector.total("sluice_updates_dropped") == 0, "no record was refused")


def paths(record):
    return [(update.path, update.value.uint_val) for update in record.updates]


def check_meaning(kafka, record, collector):
    data = defaultdict(list)
    for topic in ("exact", "each"):
        for message in Reader(kafka.bootstrap, topic).messages():
            found = record.FromString(message.value())
            if found.target == "order" and found.marker in (0, 1):
                data[topic].append(found)
    exact = data["exact"]
    kinds = [found.DESCRIPTOR.file.enum_types_by_name["Kind"].values_by_number[found.kind].name[5:]
             for found in exact]
    check(kinds == ["BASELINE"] * 4 + ["MARKER", "CHANGE", "MARKER", "CHANGE", "DELETE"],
          f"baseline, then changes; each sync_response is told: {kinds}")
    check(paths(exact[0]) == [("/a/x", 1), ("/a/y", 2)]
          and [delete.path for delete in exact[0].deletes] == ["/a", "/b"],
          "updates and deletes of a notification are one record")
    check(exact[1].atomic and len(exact[1].updates) == 2, "an atomic one is whole, and marked")
    check([update.duplicates for update in exact[2].updates] == [3, 4], "duplicates of each")
    check(paths(exact[3]) == [("/a/y", 6), ("/a/x", 7)], "the same path twice: the last counts")
    check(paths(exact[5]) == paths(exact[7]) == [("/a/x", 7)], "what comes again is told again")
    each = data["each"]
    check([(len(found.updates), len(found.deletes)) for found in each[:4]]
          == [(0, 1), (0, 1), (1, 0), (1, 0)] and each[4].atomic and len(each[4].updates) == 2,
          "a record for each: deletes come first; an atomic notification stays whole")
    check(collector.total("sluice_updates_filtered", target="order", sink="exact") == 1
          and collector.total("sluice_updates_filtered", target="order", sink="events") == 0,
          "what was outdone is filtered in one format, and written in the other")
    for name, count in (("duplicates", 7), ("syncs", 2), ("empty_responses", EMPTIES)):
        check(collector.total(f"sluice_stream_{name}_total", target="order") == count,
              f"{count} {name}")


def check_stale(kafka, record):
    """Of a stream that says so: stale, and resumed where the machine was slow, in turn, stale at last."""
    said, odd = defaultdict(list), 0
    for message in Reader(kafka.bootstrap, "exact").messages():
        found = record.FromString(message.value())
        markers = found.DESCRIPTOR.file.enum_types_by_name["Marker"].values_by_number
        name = markers[found.marker].name
        if name in ("MARKER_STALE", "MARKER_RESUMED"):
            said[found.target, found.subscription].append(name)
            odd += not 0 < found.silent_since_ns < found.received_ns
    wrong = [names for names in said.values()
             if names != (["MARKER_STALE", "MARKER_RESUMED"] * len(names))[:len(names)]
             or len(names) % 2 == 0]
    check(set(said) == {(name, "all") for name in [*CLOCKS, "order"]} and not wrong and not odd,
          f"{len(said)} streams are told to be stale {wrong}")


def check_event_order(kafka):
    """As gnmic has it: updates, then deletes; a path twice, twice."""
    found = []
    for message in Reader(kafka.bootstrap, "events").messages():
        if message.key().decode() == "order":
            found.append([tuple(event.get("values", {}).items()) or event["deletes"]
                          for event in json.loads(message.value())])
    check(found[0] == [(("/a/x", 1),), (("/a/y", 2),), ["/a"], ["/b"]]
          and found[3] == [(("/a/x", 5),), (("/a/y", 6),), (("/a/x", 7),)],
          f"event: {found[0]}, {found[3]}")


def through(lab):
    kafka = Kafka(lab)
    limits = {"message_timestamp_after_max_ms": 3600 * 1000, "message_timestamp_before_max_ms": DAY_MS}
    topics = {name: kafka.topic(name, **limits) for name in ("exact", "each", "events")}
    check_refusal(kafka, kafka.topic("refusing", **limits))
    clocks = {name: Clock(lab, tell) for name, tell in CLOCKS.items()}
    device = order(lab)
    collector = Collector(
        lab, {"order": f"127.0.0.1:{device.port}",
              **{name: f"127.0.0.1:{clock.device.port}" for name, clock in clocks.items()}},
        {"all": {"paths": ["/a"], "stale-after": "300ms"},
         "clamped": {"paths": ["/a"], "timestamps": {"policy": "clamp"}},
         "received": {"paths": ["/a"], "timestamps": {"policy": "receive"}}},
        {"exact": kafka_sink(kafka.bootstrap, topics["exact"], format="sluice.v1"),
         "each": kafka_sink(kafka.bootstrap, topics["each"], format="sluice.v1", record="update"),
         "events": kafka_sink(kafka.bootstrap, topics["events"])},
        target={"vendor": "generic"}, targets={"order": {"subscriptions": ["all"]}})
    sent = sum(len(updates) + len(deletes) for updates, deletes, _ in filter(None, MESSAGES))
    sent = 3 * (sent + len(CLOCKS) * 3 * TIMES)

    def has_all():
        return (collector.total("sluice_updates_received") == sent
                and collector.total("sluice_updates_held") == 0
                and collector.total("empty_responses", target="order") == EMPTIES)

    wait_for(has_all, 30, f"{sent} updates")
    wait_for(lambda: collector.total("sluice_stream_stale") == len(CLOCKS) + 1, 10,
             "devices that are silent are stale, where a subscription says after how long")
    check_skew(collector)
    record = record_class(lab)
    check_meaning(kafka, record, collector)
    check(collector.stop() == 0, "sluice ends with 0")
    check_stale(kafka, record)
    check_times(kafka, record, clocks)
    check_event_times(kafka, clocks)
    check_event_order(kafka)


def main(lab):
    part(lab, "orders, units, clocks", through)


if __name__ == "__main__":
    run(main)
