#!/usr/bin/env python3
"""sizes - messages from 6 bytes to 3 MB pass through limits that are smaller than they are.

For each `credit.initial` of 16, 64 and 256 KiB: 10,000 messages, their sizes drawn so that each
magnitude is as likely as the next. A message larger than the limit must borrow; one that waits for an
announcement which waits for it would stop the stream for good, which shows as a device that sends no
more. Then fewer of them into Kafka, where a consumer holds each against its place and its size.
"""
from harness import check, part, run

from collector import Collector, kafka_sink, subscription
from devices import Devices
from kafka import Kafka, Reader
from records import Ledger, proto_sample

SMALLEST, LARGEST = 6, 3_000_000
SIZES = (SMALLEST, LARGEST)
LIMITS = ("16KiB", "64KiB", "256KiB")
MAX_RECORD = 4 << 20


def subscribed(limit):
    return {"all": subscription(credit={"initial": limit, "max": limit}, max_message="16MiB")}


def through(lab, kind, limit, messages, streams):
    devices = Devices(lab, kind, streams, messages=messages // streams, sizes=SIZES)
    collector = Collector(lab, devices.addresses(), subscribed(limit), {"none": {"type": "null"}})
    done = devices.wait_done(streams, 240, stall_s=20)
    total = sum(sent for _, _, sent in done.values())
    check(total == messages, f"{limit}: {total} messages sent in {streams} streams, none stuck")
    check(collector.stop() == 0, f"{limit}: sluice ends with 0")


class SizedLedger(Ledger):
    smallest, largest = LARGEST, 0

    def take_payload(self, key, stream, payload):
        self.smallest = min(self.smallest, len(payload))
        self.largest = max(self.largest, len(payload))
        super().take_payload(key, stream, payload)


def into_kafka(lab, kind, limit, messages):
    kafka = Kafka(lab)
    topic = kafka.topic("sizes", max_message_bytes=MAX_RECORD)
    devices = Devices(lab, kind, 2, messages=messages, sizes=SIZES)
    sink = kafka_sink(kafka.bootstrap, topic, format="proto",
                      properties={"message.max.bytes": str(MAX_RECORD)})
    collector = Collector(lab, devices.addresses(), subscribed(limit), {"main": sink})
    done = devices.wait_done(2, 120)
    kafka.wait_records(topic, 2 * messages)
    check(collector.stop() == 0, "sluice ends with 0")
    ledger = SizedLedger(proto_sample(), sparse=True)
    for message in Reader(kafka.bootstrap, topic).messages():
        ledger.take(message)
    ledger.check_streams(2)
    ledger.check_done(done)
    check(ledger.largest > LARGEST / 2, f"from {ledger.smallest} to {ledger.largest} bytes")


def main(lab):
    for limit in LIMITS:
        part(lab, f"{limit}, grpc-go device", through, "go", limit, 10_000, 2)
    if lab.is_long:
        for limit in LIMITS:
            part(lab, f"{limit}, simulator", through, "sim", limit, 10_000, 2)
    part(lab, "into Kafka", into_kafka, "go", "16KiB", 400)


if __name__ == "__main__":
    run(main)
