#!/usr/bin/env python3
"""idle - what a device that has nothing to say costs.

1,000 simulated devices, each on a port of its own, send their initial dump and then nothing for ten
minutes. What is resident then stays below 41 MiB in plaintext (40.0; it was 39.6 before there were a
status page and an API, of which the program's own pages are the most) and below 75 MiB over TLS with client
certificates, with the null sink. With Kafka the records of all baselines are held at once, and what
they leave free in pieces comes on top, until other records use it.
"""
from harness import check, must, note, part, run, wait_for

from certificates import Certificates
from collector import Collector, kafka_sink, subscription
from devices import Devices
from kafka import Kafka

DEVICES = 1000
PLAINTEXT_MIB, TLS_MIB = 41, 75
KAFKA_MIB = 16
CALM_S = 30  # memory that the baselines took goes back when nothing has been held for a while


def resident_mib(collector):
    return collector.process.status_kib("VmRSS") / 1024


def idle(lab, sinks, limit_mib, words=(), target=None):
    devices = Devices(lab, "sim", DEVICES, updates=20, rate=1, words=["--quiet", *words])
    collector = Collector(lab, devices.addresses(),
                          {"all": subscription("/interfaces", stream_mode="sample",
                                               sample_interval="600s")},
                          sinks, target=target)
    collector.process.wait_line(r"subscription=all msg=synced", 120, DEVICES)
    wait_for(lambda: collector.total("updates_held") == 0, 60, "nothing is held")
    published = collector.total("updates_published")
    check(published >= DEVICES, f"{published:.0f} updates published")
    note(f"peak {collector.peak_mib():.1f} MiB")
    wait_for(lambda: resident_mib(collector) <= limit_mib, CALM_S,
             f"{DEVICES} idle devices below {limit_mib} MiB")
    check(True, f"{DEVICES} idle devices: {resident_mib(collector):.1f} MiB of {limit_mib}")
    check(collector.total("connection_ends") == 0, "no connection ended")
    must(collector.stop() == 0, "sluice ends with 0")


def main(lab):
    certificates = Certificates(lab)
    secure = {"words": certificates.device_words(), "target": certificates.target()}
    null = {"null": {"type": "null"}}
    part(lab, "null, plaintext", idle, null, PLAINTEXT_MIB)
    part(lab, "null, TLS", idle, null, TLS_MIB, **secure)
    kafka = Kafka(lab)
    sink = {"main": kafka_sink(kafka.bootstrap, kafka.topic("idle"))}
    part(lab, "Kafka, plaintext", idle, sink, PLAINTEXT_MIB + KAFKA_MIB)
    part(lab, "Kafka, TLS", idle, sink, TLS_MIB + KAFKA_MIB, **secure)


if __name__ == "__main__":
    run(main)
