#!/usr/bin/env python3
"""sequence - every message of every session is in Kafka, in order, once.

wait      devices that send only what they may: the consumer finds 1 … N of each session.
coalesce  devices that go on while they are held, and merge: every hole is the `duplicates` of the
          record after it. Read from records in format `proto`, which carry that field.
gzip      devices that compress, because the target's configuration asks for it.
The first two against `sluice sim` and against a device on grpc-go.
"""
from harness import check, must, note, part, run, wait_for

from collector import Collector, kafka_sink, subscription
from devices import Devices
from kafka import Kafka, Reader
from records import Ledger, event_sample, proto_sample


def read_back(kafka, topic, sample, devices, streams):
    ledger = Ledger(sample)
    for message in Reader(kafka.bootstrap, topic).messages():
        ledger.take(message)
    ledger.check_streams(streams)
    ledger.check_done(devices.done())
    return ledger


def wait(lab, kafka, kind, count, messages, updates=2):
    topic = kafka.topic(f"wait-{kind}-{updates}")
    devices = Devices(lab, kind, count, updates=updates, messages=messages)
    collector = Collector(lab, devices.addresses(), {"all": subscription()},
                          {"main": kafka_sink(kafka.bootstrap, topic)})
    devices.wait_done(count, 240)
    kafka.wait_records(topic, count * messages)
    note(f"sent; peak {collector.peak_mib():.0f} MiB")
    must(collector.stop() == 0, "sluice ends with 0")
    ledger = read_back(kafka, topic, event_sample, devices, count)
    check(all(stream.device_seq == messages for stream in ledger.streams.values()),
          f"each session is 1 … {messages}")


def compressed(lab, kafka, count, messages):
    """The same credit, counted in bytes on the wire: every message is smaller there than in memory."""
    topic = kafka.topic("gzip")
    devices = Devices(lab, "go", count, messages=messages, sizes=(2000, 9000))
    collector = Collector(
        lab, devices.addresses(), {"all": subscription(credit={"initial": "16KiB"})},
        {"main": kafka_sink(kafka.bootstrap, topic)}, target={"gzip": True})
    devices.wait_done(count, 240)
    kafka.wait_records(topic, count * messages)
    must(collector.stop() == 0, "sluice ends with 0")
    read_back(kafka, topic, event_sample, devices, count)
    # A call without a message is not the stream: the device is asked for its capabilities, too.
    wire = [tuple(map(int, m.groups()))
            for m in devices.process.find(r"^wire plain-bytes=([1-9]\d*) sent-bytes=(\d+)")]
    check(len(wire) == count and all(0 < sent < plain for plain, sent in wire),
          f"each device compressed: {sum(p for p, _ in wire)} bytes became {sum(s for _, s in wire)}")


def wait_held(devices, seconds):
    before = devices.now()

    def held():
        return all(blocked > before.get(session, (0, 0))[1] + seconds
                   for session, (_, blocked) in devices.now().items())

    wait_for(held, 60, f"each device held for {seconds} s")


def coalesce(lab, kafka, kind, count, messages, rate):
    topic = kafka.topic(f"coalesce-{kind}")
    devices = Devices(lab, kind, count, messages=messages, rate=rate, when_held="coalesce")
    collector = Collector(
        lab, devices.addresses(), {"all": subscription(credit={"initial": "16KiB"})},
        {"main": kafka_sink(kafka.bootstrap, topic, format="proto")})
    wait_for(lambda: devices.total_seq() > count * messages / 5, 60, "a fifth sent")
    with kafka.paused():
        wait_held(devices, 2)
    done = devices.wait_done(count, 120)
    kafka.wait_records(topic, sum(sent for _, _, sent in done.values()))
    must(collector.stop() == 0, "sluice ends with 0")
    ledger = read_back(kafka, topic, proto_sample(), devices, count)
    check(all(stream.merged > rate / 2 for stream in ledger.streams.values()),
          f"each stream has holes: {sum(s.merged for s in ledger.streams.values())} merged updates")


def main(lab):
    kafka = Kafka(lab, heap="1g")
    messages = 400_000 if lab.is_long else 50_000
    part(lab, "wait, simulator", wait, kafka, "sim", 20, messages)
    part(lab, "wait, grpc-go device", wait, kafka, "go", 5, messages // 2)
    part(lab, "gzip, grpc-go device", compressed, kafka, 3, messages // 10)
    part(lab, "coalesce, simulator", coalesce, kafka, "sim", 4, 20_000, 2000)
    part(lab, "coalesce, grpc-go device", coalesce, kafka, "go", 2, 20_000, 2000)


if __name__ == "__main__":
    run(main)
