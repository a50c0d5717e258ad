#!/usr/bin/env python3
"""real_input - nothing at either end is ours: openconfig's gNMI server, Apache Kafka, confluent-kafka.

The feeder behind the server adds to 64-bit counters in rounds; what a counter holds after a round is
known (tests/peers/ocserver), also that it is larger than a double can hold exactly. The consumer must
find good event records only, all numbers of the stream, counters that never go back, and in the end
the last round's value of every counter. The same stream goes to a second topic in the format
sluice.v1, read back with classes made from proto/sluice.proto: there the records say the rest, that
they are complete (epoch, seq), and where the baseline ends.
"""
import re
import time

from harness import check, part, peer, run, wait_for

from collector import Collector, kafka_sink, subscription
from kafka import Kafka, Reader
from records import parse_events, record_class

BASE = 1 << 63
INTERFACES, COUNTERS = 16, 4
QUIET_S = 2  # no new record for so long: all have arrived


class Counters:
    """What the records say about each counter, and about their stream."""

    def __init__(self):
        self.newest = {}     # (interface, counter): value
        self.seqs = {}       # (epoch, target, subscription): last
        self.wrong = []
        self.records = 0

    def take(self, message):
        self.records += 1
        (name, text), = message.headers()
        epoch, seq, form, target, sub, _ = text.decode().split(";")
        key = (epoch, target, sub)
        if name != "sluice" or form != "event" or int(seq) != self.seqs.get(key, 0) + 1:
            self.wrong.append(f"header {name} {text} after {self.seqs.get(key)}")
        self.seqs[key] = int(seq)
        if message.key().decode() != target:
            self.wrong.append(f"key {message.key()}")
        try:
            for event in parse_events(message.value()):
                self.take_event(event)
        except (ValueError, KeyError, TypeError) as error:
            self.wrong.append(f"record {message.value()[:200]}: {error}")

    def take_event(self, event):
        interface = event["tags"]["interface_name"]
        for path, value in event["values"].items():
            counter = int(path.rpartition("/c")[2])
            key = (interface, counter)
            if not isinstance(value, int) or (value - BASE) % (counter + 1) != 0:
                self.wrong.append(f"{key} is {value}, which it never was")
            if value < self.newest.get(key, 0):
                self.wrong.append(f"{key} went back from {self.newest[key]} to {value}")
            self.newest[key] = value


class Exact:
    """The records of the stream in the format sluice.v1, by its rules for consumers."""

    PATH = re.compile(r"/interfaces/interface\[name=(ethernet-1/\d+)\]/state/counters/c(\d+)")

    def __init__(self, record):
        self.read = record.FromString
        enums = record.DESCRIPTOR.file.enum_types_by_name
        self.kind, self.marker = ({number: value.name for number, value
                                   in enums[name].values_by_number.items()}
                                  for name in ("Kind", "Marker"))
        self.kinds = []      # of data, and where the baseline ends; without repeats
        self.markers = []    # without repeats
        self.epochs = set()
        self.newest = {}
        self.baseline = set()
        self.updates = 0
        self.seq = 0
        self.wrong = []

    def take(self, message):
        record = self.read(message.value())
        word = {"KIND_MARKER": "marker", "KIND_BASELINE": "baseline"}.get(self.kind[record.kind], "change")
        stream = f"{record.epoch};{record.seq};sluice.v1;{record.target};{record.subscription};{word}"
        self.seq += 1
        self.epochs.add(record.epoch)
        if dict(message.headers()) != {"sluice": stream.encode()} or record.seq != self.seq:
            self.wrong.append(f"{message.headers()} and {stream} after {self.seq - 1}")
        kind = self.kind[record.kind]
        if kind == "KIND_MARKER":
            kind = self.marker[record.marker]
            self.take_marker(record, kind)
        else:
            self.take_data(record, kind)
        if kind in ("KIND_BASELINE", "MARKER_SYNCED", "KIND_CHANGE"):
            self.kinds += [kind] if kind != (self.kinds or [None])[-1] else []

    def take_marker(self, record, marker):
        self.markers += [marker] if marker != (self.markers or [None])[-1] else []
        # The server leaves values out where it is faster than we are, and says so.
        if record.updates or record.deletes or record.gap.reason not in ("", "start", "duplicates"):
            self.wrong.append(f"marker {record}")

    def take_data(self, record, kind):
        if (dict(record.labels) != {"site": "lab"} or record.prefix_target != "dev1" or record.dropped
                or not 0 < record.timestamp_ns <= record.received_ns):
            self.wrong.append(f"record {record}")
        for update in record.updates:
            self.updates += 1
            found = self.PATH.fullmatch(update.path)
            if not found or update.value.WhichOneof("value") != "uint_val":
                self.wrong.append(f"update {update}")
                continue
            key = (found.group(1), int(found.group(2)))
            if update.value.uint_val < self.newest.get(key, 0):
                self.wrong.append(f"{key} went back to {update.value.uint_val}")
            self.newest[key] = update.value.uint_val
            if kind == "KIND_BASELINE":
                self.baseline.add(key)


def check_exact(reader, record, published, last):
    exact = Exact(record)
    for message in reader.messages():
        exact.take(message)
    for text in exact.wrong[:8]:
        print(f"        {text}")
    check(not exact.wrong, f"{exact.seq} records of sluice.v1, numbered as their headers say, without"
                           " holes")
    check(len(exact.epochs) == 1, f"{len(exact.epochs)} epoch")
    check(exact.kinds in (["KIND_BASELINE", "MARKER_SYNCED", "KIND_CHANGE"],
                          ["MARKER_SYNCED", "KIND_CHANGE"]),
          f"one marker, between baseline ({len(exact.baseline)} counters) and changes: {exact.kinds}")
    check(exact.markers[0] == "MARKER_CONNECTED" and exact.markers[-1] == "MARKER_DISCONNECTED",
          f"the epoch has a beginning and an end: {exact.markers}")
    check(exact.updates == published, f"sluice says that it published {published:.0f} updates")
    check(exact.newest == last, f"the last value of each of {len(last)} counters")


def wait_quiet(kafka, *topics):
    """Until none of the topics has grown for a while."""
    readers = [Reader(kafka.bootstrap, topic) for topic in topics]
    seen = [([], 0.0)]

    def is_quiet():
        now = [sum(high for _, high in reader.ends().values()) for reader in readers]
        if now != seen[-1][0]:
            seen.append((now, time.monotonic()))
        return all(now) and time.monotonic() > seen[-1][1] + QUIET_S

    wait_for(is_quiet, 60, f"{topics} grow no more")
    for reader in readers:
        reader.consumer.close()


def through(lab, rounds, interval_ms, kafka=None, words=(), target=None):
    """`words` are further flags of the server, `target` what the target says beside its address."""
    kafka = kafka or Kafka(lab)
    topic = kafka.topic("real-input")
    exact = kafka.topic("real-input-exact")
    server = lab.start("ocserver", [peer("ocserver"), "--target", "dev1", "--rounds", rounds,
                                    "--interval", f"{interval_ms}ms", "--interfaces", INTERFACES,
                                    "--counters", COUNTERS, *words])
    port = server.wait_line(r"^listening (\S+):(\d+)", 20)[0].group(2)
    collector = Collector(
        lab, {"dev1": f"127.0.0.1:{port}"},
        {"counters": subscription("/interfaces", stream_mode="on-change", target="dev1")},
        {"main": kafka_sink(kafka.bootstrap, topic),
         "exact": kafka_sink(kafka.bootstrap, exact, format="sluice.v1")},
        target={"labels": {"site": "lab"}, **(target or {})})
    server.wait_line(r"^done target=dev1 ", 60 + rounds * interval_ms / 1000)
    wait_quiet(kafka, topic, exact)
    published = collector.total("published", sink="main")
    published_exact = collector.total("published", sink="exact")
    check(collector.stop() == 0, "sluice ends with 0")
    counters = Counters()
    for message in Reader(kafka.bootstrap, topic).messages():
        counters.take(message)
    for text in counters.wrong[:8]:
        print(f"        {text}")
    check(not counters.wrong, f"{counters.records} records, each a good event array with a header that"
                              " follows the last, counters never go back")
    check(len(counters.seqs) == 1, f"{len(counters.seqs)} stream: the server never lost it")
    check(counters.records > rounds * INTERFACES * COUNTERS / 20, "more than the initial dump")
    check(published == counters.records, f"sluice says that it published {published:.0f} updates")
    last = {(f"ethernet-1/{i + 1}", k): BASE + rounds * (k + 1)
            for i in range(INTERFACES) for k in range(COUNTERS)}
    check(counters.newest == last, f"the last value of each of {len(last)} counters")
    check_exact(Reader(kafka.bootstrap, exact), record_class(lab), published_exact, last)


def main(lab):
    part(lab, "openconfig's server to Kafka", through, *((60_000, 2) if lab.is_long else (4_000, 2)))


if __name__ == "__main__":
    run(main)
