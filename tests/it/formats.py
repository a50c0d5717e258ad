#!/usr/bin/env python3
"""formats - every format of text through a real Kafka, one by one and as lines of batches.

openconfig's gNMI server, with counters of which the last round is known (as in real_input), Apache
Kafka, confluent-kafka. Each sink writes the same stream in a format of its own. The consumer reads
values out of each with nothing but the format's own rules, and must find each counter's last value,
none that goes back, and numbers without holes: a record's, or each line's of a batch.
"""
import json
import re

from harness import check, part, peer, run

from collector import Collector, kafka_sink, subscription
from kafka import Kafka, Reader
from real_input import BASE, wait_quiet

INTERFACES, COUNTERS = 16, 4
COUNTER = re.compile(r"c(\d+)$")
NAME = re.compile(r"\[name=([^]]*)\]")
INFLUX = re.compile(r"counters,(\S+) (\S+) (\d+)")


def of_event(event):
    for path, value in event["values"].items():
        yield event["tags"]["interface_name"], path, value


def from_event(line):
    for event in json.loads(line):
        yield from of_event(event)


def from_event_split(line):
    yield from of_event(json.loads(line))


def from_gnmic_json(line):
    message = json.loads(line)
    if message.get("sync-response"):
        return
    for update in message["updates"]:
        path = message.get("prefix", "") + "/" + update["Path"]
        (value,) = update["values"].values()
        yield NAME.search(path).group(1), path, value


def from_protojson(line):
    message = json.loads(line)
    if message.get("syncResponse"):
        return
    notification = message["update"]
    for update in notification["update"]:
        elems = notification.get("prefix", {}).get("elem", []) + update["path"]["elem"]
        (name,) = [elem["key"]["name"] for elem in elems if "key" in elem]
        yield name, elems[-1]["name"], int(update["val"]["uintVal"])


def from_sluice(line):
    record = json.loads(line)
    for update in record.get("updates", []):
        yield NAME.search(update["path"]).group(1), update["path"], int(update["value"]["uintVal"])


def from_telegraf(line):
    metric = json.loads(line)
    for field, value in metric["fields"].items():
        yield metric["tags"]["name"], field, value


def from_influx(line):
    tags, fields, _ = INFLUX.fullmatch(line).groups()
    tags = dict(tag.split("=") for tag in tags.split(","))
    for field in fields.split(","):
        name, value = field.split("=")
        yield tags["name"], name, int(value.rstrip("iu"))


# The line protocol of Telegraf's default has no unsigned integers: larger ones become the largest.
INFLUX_MAX = (1 << 63) - 1
BATCH = {"bytes": "4KiB", "delay": "20ms"}

# Of each sink: its format, how its records are read, and whether it writes lines.
SINKS = {
    "event": ("event", from_event, False),
    "event-lines": ("event", from_event, True),
    "event-split": ("event-split", from_event_split, False),
    "event-split-lines": ("event-split", from_event_split, True),
    "gnmic-json": ("gnmic-json", from_gnmic_json, False),
    "gnmic-json-lines": ("gnmic-json", from_gnmic_json, True),
    "protojson": ("protojson", from_protojson, False),
    "protojson-lines": ("protojson", from_protojson, True),
    "telegraf-json-lines": ("telegraf-json", from_telegraf, True),
    "influx": ("influx", from_influx, False),
    "influx-lines": ("influx", from_influx, True),
    "exact-lines": ("sluice.v1-json", from_sluice, True),
}


class Consumer:
    def __init__(self, form, read):
        self.form, self.read = form, read
        self.newest = {}
        self.next = 1
        self.records = self.lines = self.values = 0
        self.wrong = []

    def take(self, message):
        ((_, text),) = message.headers()
        epoch, numbers, form, target, _, _ = text.decode().split(";")
        first, _, last = numbers.partition("-")
        lines = message.value().decode().rstrip("\n").split("\n")
        self.records += 1
        if (int(first) != self.next or form != self.form or target != "dev1"
                or int(last or first) != int(first) + len(lines) - 1):
            self.wrong.append(f"header {text} of {len(lines)} lines, expected {self.next}")
        self.next = int(first) + len(lines)
        for line in lines:
            self.lines += 1
            self.take_line(line, epoch)

    def take_line(self, line, epoch):
        if self.form == "sluice.v1-json":
            record = json.loads(line)
            if (record["epoch"], int(record["seq"])) != (epoch, self.lines):
                self.wrong.append(f"line {self.lines} says {record['epoch']} {record['seq']}")
        for name, path, value in self.read(line):
            self.values += 1
            key = (name, int(COUNTER.search(path).group(1)))
            if value < self.newest.get(key, 0):
                self.wrong.append(f"{key} went back to {value}")
            self.newest[key] = value


def check_sink(kafka, name, published, last):
    form, read, is_batch = SINKS[name]
    consumer = Consumer(form, read)
    for message in Reader(kafka.bootstrap, name).messages():
        consumer.take(message)
    for text in consumer.wrong[:8]:
        print(f"        {text}")
    check(not consumer.wrong and consumer.newest == last and consumer.values == published,
          f"{name}: {consumer.values} values in {consumer.lines} lines and {consumer.records} records,"
          f" {published:.0f} published, each counter's last")
    check((consumer.records < consumer.lines / 4) == is_batch,
          f"{name}: {'many lines' if is_batch else 'one line'} in a record")


def through(lab, rounds):
    kafka = Kafka(lab)
    server = lab.start("ocserver", [peer("ocserver"), "--target", "dev1", "--rounds", rounds,
                                    "--interval", "2ms", "--interfaces", INTERFACES,
                                    "--counters", COUNTERS])
    port = server.wait_line(r"^listening (\S+):(\d+)", 20)[0].group(2)
    collector = Collector(
        lab, {"dev1": f"127.0.0.1:{port}"},
        {"counters": subscription("/interfaces", stream_mode="on-change", target="dev1")},
        {name: kafka_sink(kafka.bootstrap, kafka.topic(name), format=form,
                          **({"batch": BATCH} if is_batch else {}))
         for name, (form, _, is_batch) in SINKS.items()})
    server.wait_line(r"^done target=dev1 ", 60 + rounds * 2 / 1000)
    wait_quiet(kafka, *SINKS)
    published = {name: collector.total("published", sink=name) for name in SINKS}
    check(collector.stop() == 0, "sluice ends with 0")
    last = {(f"ethernet-1/{i + 1}", k): BASE + rounds * (k + 1)
            for i in range(INTERFACES) for k in range(COUNTERS)}
    for name, (form, _, _) in SINKS.items():
        check_sink(kafka, name, published[name],
                   {key: min(value, INFLUX_MAX) for key, value in last.items()}
                   if form == "influx" else last)


def main(lab):
    part(lab, "twelve sinks of one stream", through, 20_000 if lab.is_long else 1_000)


if __name__ == "__main__":
    run(main)
