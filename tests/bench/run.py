"""run - updates per CPU-second of sluice, beside those of the floor, in one session.

The floor (tests/bench/floor) is one loop over the same libraries, to the same broker, with the same
records: what is left when everything that makes sluice sluice is taken away. Both read from the same
simulated devices, as fast as these can be read, and publish to a real Kafka whose log lies in memory.
They take turns, so that whatever else the machine does meets both. Other work on the machine can only
add to what a program takes (a broker that answers late makes librdkafka's thread spin, above all), so
the best turn of each is what is compared.

What is counted is what the broker has: its end offsets at two moments, times the updates of a record,
which is looked up in records read back. The CPU time is that of all threads of the process between
these moments. Neither program is asked about itself.

Exits 1 when the ratio of the best turns is below the bound in any row. With --quick there is one short
turn each, and no figure is judged: it shows that the measurement works.
"""
import argparse
import json
import os
import signal
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "it"))

import harness  # noqa: E402  pylint: disable=wrong-import-position

from confluent_kafka import Consumer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient  # noqa: E402

from collector import Collector, kafka_sink, subscription  # noqa: E402
from harness import Failed, check, must, note, wait_for  # noqa: E402
from kafka import Kafka, watermarks  # noqa: E402

BOUND = 0.3
FORMATS = ("event", "proto")
UPDATES = (1, 20)
SUBJECTS = ("floor", "sluice")
SAMPLE_RECORDS = 50
WARM_RECORDS = 20000
START_TIMEOUT_S = 60
# The broker's logs would fill the memory that they lie in.
BROKER = {"log.retention.check.interval.ms": 1000, "log.segment.delete.delay.ms": 200,
          "log.segment.bytes": 64 << 20, "log.retention.bytes": 256 << 20}
# Measured with the same kind of devices and broker on another machine of two cores.
ELSEWHERE = {("event", 20): "gnmic 0.47 182,000, Telegraf 1.37 83,000",
             ("event", 1): "gnmic 0.47 74,000, Telegraf 1.37 72,000",
             ("proto", 20): "gnmic 0.47 318,000"}


def floor_binary():
    binary = Path(os.environ.get("FLOOR") or
                  harness.ROOT / "build/release/tests/bench/floor/floor")
    if not binary.exists():
        raise Failed(f"no {binary}: build the release preset, or set FLOOR")
    return binary


def cpu_s(pid):
    """Of all threads of the process, user and system."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, value) of each field of a protobuf message; a value is a number or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        elif tag & 7 != 0:
            raise Failed(f"wire type {tag & 7} in a record")
        yield tag >> 3, value


def updates_of(payload, form):
    if form == "event":
        return len(json.loads(payload))
    return sum(number == 4 for response, notification in fields(payload) if response == 1
               for number, _ in fields(notification))


class Topic:
    """A topic of one turn, gone with it."""

    def __init__(self, kafka, name):
        self.kafka = kafka
        self.name = kafka.topic(name, partitions=1)
        self.partition = TopicPartition(name, 0)
        self.consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "bench",
                                  "enable.auto.commit": False, "auto.offset.reset": "error"})

    def end(self):
        return watermarks(self.consumer, self.partition)[1]

    def newest(self, count):
        self.consumer.assign([TopicPartition(self.name, 0, self.end() - count)])
        records = self.consumer.consume(count, timeout=30)
        if len(records) < count or any(record.error() for record in records):
            raise Failed(f"{self.name}: {len(records)} of {count} records could be read back")
        return [record.value() for record in records]

    def remove(self):
        self.consumer.close()
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap})
        admin.delete_topics([self.name])[self.name].result(30)


class Bench:
    def __init__(self, lab, options):
        self.lab = lab
        self.options = options
        os.environ["KAFKA_EXTRA"] = ";".join(f"{key}={value}" for key, value in BROKER.items())
        self.kafka = Kafka(lab, heap="1g")
        self.turns = 0

    def devices(self, updates):
        process = self.lab.start(f"devices-{updates}", [
            harness.sluice(), "sim", "--listen", "127.0.0.1:0", "--devices", self.options.devices,
            "--ports", "each", "--fast", "--updates", updates, "--interfaces",
            self.options.interfaces])
        found = process.wait_line(r"^listening (\S+)$", START_TIMEOUT_S, self.options.devices)
        return {f"dev{number}": match.group(1) for number, match in enumerate(found, 1)}, process

    def floor(self, devices, form, topic):
        words = [floor_binary(), "--brokers", self.kafka.bootstrap, "--topic", topic.name,
                 "--format", form, "--in-flight", self.options.in_flight]
        for name, address in devices.items():
            words += ["--device", f"{name}={address}"]
        for setting in self.options.property:
            words += ["--property", setting]
        return self.lab.start(f"floor-{self.turns}", words)

    def sluice(self, devices, form, topic):
        properties = dict(setting.split("=", 1) for setting in self.options.property)
        sink = kafka_sink(self.kafka.bootstrap, topic.name, format=form)
        if properties:
            sink["properties"] = properties
        return Collector(self.lab, devices, {"counters": subscription()}, {"main": sink},
                         workers=1, memory=self.options.memory).process

    def pin(self, process, cpu):
        if self.options.pin:
            for task in Path(f"/proc/{process.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {cpu})

    def window(self, process, topic):
        """(records, CPU seconds, seconds) between two moments of a program in full swing."""
        wait_for(lambda: topic.end() >= WARM_RECORDS or not process.is_alive(), START_TIMEOUT_S,
                 f"{process.name}: {WARM_RECORDS} records")
        if not process.is_alive():
            raise Failed(f"{process.name} ended with {process.process.returncode}")
        self.pin(process, 0)
        time.sleep(self.options.warm)
        began, cpu, first = time.monotonic(), cpu_s(process.pid), topic.end()
        time.sleep(self.options.window)
        return (topic.end() - first, cpu_s(process.pid) - cpu, time.monotonic() - began)

    def turn(self, subject, devices, form, updates):
        """Updates per CPU-second, and the share of a core that it used."""
        self.turns += 1
        topic = Topic(self.kafka, f"{subject}-{form}-{updates}-{self.turns}")
        process = getattr(self, subject)(devices, form, topic)
        try:
            records, cpu, wall = self.window(process, topic)
            seen = {updates_of(payload, form) for payload in topic.newest(SAMPLE_RECORDS)}
            must(records > 0 and cpu > 0 and seen == {updates},
                 f"{subject} {form}: {records / wall:,.0f} records/s of {seen} updates, "
                 f"{cpu / wall:.2f} cores, {records * updates / max(cpu, 1e-9):,.0f} updates/CPU-s")
            must(process.terminate() == 0, f"{subject} {form}: ends well")
        finally:
            process.end()
            topic.remove()
        return records * updates / cpu, cpu / wall

    def row(self, devices, form, updates):
        """{subject: [(updates per CPU-second, cores)]}"""
        results = {subject: [] for subject in SUBJECTS}
        for _ in range(self.options.turns):
            for subject in SUBJECTS:
                results[subject].append(self.turn(subject, devices, form, updates))
        return results

    def rows(self):
        for updates in UPDATES:
            if self.options.updates and updates not in self.options.updates:
                continue
            devices, process = self.devices(updates)
            for form in self.options.format or FORMATS:
                yield form, updates, self.row(devices, form, updates)
            process.end()


def best(turns):
    return max(rate for rate, _ in turns)


def median(turns):
    return statistics.median(rate for rate, _ in turns)


def ratio(results, figure=best):
    return figure(results["sluice"]) / figure(results["floor"])


def print_table(rows):
    print("\nupdates per CPU-second: best (median) of the turns; cores: median of what it used\n"
          f"{'format':8}{'updates':>8}  {'floor':>25}{'cores':>7}  {'sluice':>25}{'cores':>7}"
          f"{'ratio':>7} (of medians)   bound {BOUND}")
    for form, updates, results in rows:
        line = f"{form:8}{updates:>8}"
        for subject in SUBJECTS:
            turns = results[subject]
            figure = f"{best(turns):,.0f} ({median(turns):,.0f})"
            line += f"  {figure:>25}{statistics.median(cores for _, cores in turns):7.2f}"
        print(line + f"{ratio(results):7.2f} ({ratio(results, median):.2f})")
    print("\nother collectors, on another machine:")
    for (form, updates), figures in ELSEWHERE.items():
        print(f"{form:8}{updates:>8}  {figures}")
    print(flush=True)


def measure(lab, options):
    rows = list(Bench(lab, options).rows())
    print_table(rows)
    if options.quick:
        return
    for form, updates, results in rows:
        check(ratio(results) >= BOUND,
              f"{form} at {updates}: {ratio(results):.2f} of the floor, at least {BOUND}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="one short turn, no figure judged (SL_LONG=1 in the environment: no)")
    parser.add_argument("--turns", type=int, default=5, help="of each program in each row")
    parser.add_argument("--window", type=float, default=5, help="seconds that are measured")
    parser.add_argument("--warm", type=float, default=1, help="seconds of full swing before it")
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--interfaces", type=int, default=8, help="of each, with 14 counters")
    parser.add_argument("--memory", default="256MiB", help="sluice's collector.memory")
    parser.add_argument("--in-flight", type=int, default=1 << 20,
                        help="bytes of records that the floor has under way at most")
    parser.add_argument("--property", action="append", default=[], metavar="KEY=VALUE",
                        help="of librdkafka, for both")
    parser.add_argument("--format", action="append", choices=FORMATS, help="only this row")
    parser.add_argument("--updates", action="append", type=int, choices=UPDATES)
    parser.add_argument("--pin", action="store_true", help="hold the measured program on CPU 0")
    parser.add_argument("--keep", action="store_true", help="keep the directory with the logs")
    options = parser.parse_args()
    options.long = not options.quick
    if options.quick and not os.environ.get("SL_LONG"):
        options.turns, options.window, options.warm = 1, 2, 0.5
    else:
        options.quick = False
    return options


def main():
    options = parse()
    lab = harness.Lab(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        harness.guarded(lab, measure, lab, options)
    finally:
        lab.end()
        lab.remove()
    print(f"{harness.Tally.passed} passed, {harness.Tally.failed} failed", flush=True)
    sys.exit(1 if harness.Tally.failed or not harness.Tally.passed else 0)


if __name__ == "__main__":
    main()
