#!/usr/bin/env python3
"""real_input - nothing at either end is ours: openconfig's gNMI server, Apache Kafka, confluent-kafka.

The feeder behind the server adds to 64-bit counters in rounds; what a counter holds after a round is
known (tests/peers/ocserver), also that it is larger than a double can hold exactly. The consumer must
find good event records only, all numbers of the stream, counters that never go back, and in the end
the last round's value of every counter.
"""
import time

from harness import check, part, peer, run, wait_for

from collector import Collector, kafka_sink, subscription
from kafka import Kafka, Reader
from records import parse_events

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
        epoch, seq, form, target, sub = text.decode().split(";")
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


def wait_quiet(kafka, topic):
    """Until the topic has not grown for a while."""
    reader = Reader(kafka.bootstrap, topic)
    seen = [(-1, 0.0)]

    def is_quiet():
        now = sum(high for _, high in reader.ends().values())
        if now != seen[-1][0]:
            seen.append((now, time.monotonic()))
        return now > 0 and time.monotonic() > seen[-1][1] + QUIET_S

    wait_for(is_quiet, 60, f"{topic} grows no more")
    reader.consumer.close()


def through(lab, rounds, interval_ms):
    kafka = Kafka(lab)
    topic = kafka.topic("real-input")
    server = lab.start("ocserver", [peer("ocserver"), "--target", "dev1", "--rounds", rounds,
                                    "--interval", f"{interval_ms}ms", "--interfaces", INTERFACES,
                                    "--counters", COUNTERS])
    port = server.wait_line(r"^listening (\S+):(\d+)", 20)[0].group(2)
    collector = Collector(
        lab, {"dev1": f"127.0.0.1:{port}"},
        {"counters": subscription("/interfaces", stream_mode="on-change", target="dev1")},
        {"main": kafka_sink(kafka.bootstrap, topic)})
    server.wait_line(r"^done target=dev1 ", 60 + rounds * interval_ms / 1000)
    wait_quiet(kafka, topic)
    published = collector.total("published")
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


def main(lab):
    part(lab, "openconfig's server to Kafka", through, *((60_000, 2) if lab.is_long else (4_000, 2)))


if __name__ == "__main__":
    run(main)
