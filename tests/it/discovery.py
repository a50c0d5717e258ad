#!/usr/bin/env python3
"""discovery - targets that come and go in files, behind HTTP and in Kafka, under a running sluice.

The devices are `sluice sim`; the inventory is served by Python's own HTTP server, which answers as it
should, says that nothing has changed, fails, talks nonsense, says too much, and goes away.
"""
import http.server
import json
import signal
import threading

from harness import check, free_port, must, part, run, wait_for

from confluent_kafka import Producer

from collector import Collector, subscription
from devices import Devices
from kafka import Kafka

DEVICES = 4
SUBSCRIPTIONS = {"all": subscription("/interfaces", stream_mode="sample", sample_interval="600s")}
SINKS = {"null": {"type": "null"}}


def target(address, **options):
    return {"address": address, "insecure": True, **options}


class Inventory:
    """One document. `answer` is what it does: "good", "status", "garbage" or "huge"."""

    def __init__(self, token):
        self.targets, self.answer, self.asked, self.unchanged = {}, "good", 0, 0
        self.token, self.strangers = token, 0
        self.port = free_port()
        self.server = None
        self.start()

    def start(self):
        inventory = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                inventory.reply(self)

            def log_message(self, *arguments):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def reply(self, request):
        self.asked += 1
        body = json.dumps([{"name": name, **what} for name, what in self.targets.items()]).encode()
        tag = f'"{hash(body)}"'
        status = 200
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            self.strangers += 1
            status, body = 401, b""
        elif self.answer == "status":
            status, body = 500, b"{}"
        elif self.answer == "garbage":
            body, tag = b"<html>{not: [yaml", '"garbage"'
        elif self.answer == "huge":
            body, tag = b"# " + b"x" * 200000, '"huge"'
        elif request.headers.get("If-None-Match") == tag:
            self.unchanged += 1
            status, body = 304, b""
        request.send_response(status)
        request.send_header("ETag", tag)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def is_asked_again(self):
        before = self.asked
        wait_for(lambda: self.asked >= before + 2, 20, "the source is asked again")


def names(collector):
    """{target: source} as the admin API has it; None while it cannot be asked."""
    try:
        rows = json.loads(collector.get("/api/v1/targets")[1])["targets"]
    except (OSError, ValueError):
        return None
    return {row["name"]: row["source"] for row in rows}


def wait_names(collector, expected, what):
    wait_for(lambda: set(names(collector) or {}) == set(expected), 20, what)
    check(True, what)


def source(collector):
    """The one source, as the admin API has it."""
    rows = json.loads(collector.get("/api/v1/sources")[1])["sources"]
    must(len(rows) == 1, "one source")
    return rows[0]


def is_told(collector, is_well, words=""):
    """Whether it is well, in the API, the status and the metrics."""
    row = wait_for(lambda: (now := source(collector))["well"] == is_well and now, 20, f"well is {is_well}")
    status = json.loads(collector.get("/api/v1/status")[1])["discovery"]
    check((row["error"] is None) == is_well and words in (row["error"] or "") and
          status == {"sources": 1, "failing": [] if is_well else [row["name"]]} and
          collector.total("discovery_well") == is_well,
          f"API, status and metrics have it: {row['error'] or 'well'}")
    return row


def in_files(lab, devices):
    """Files under a running sluice: new, changed, broken, gone."""
    folder = lab.path("targets.d")
    folder.mkdir()

    def write(name, what):
        made = folder / ".new"
        made.write_text(what if isinstance(what, str) else json.dumps(what), encoding="utf-8")
        made.rename(folder / name)

    def with_sources(config):
        config["discovery"] = {"inventory": {"type": "files", "paths": [f"{folder}/*.yaml"]}}

    addresses = devices.addresses()
    write("one.yaml", {"dev2": target(addresses["dev2"])})
    collector = Collector(lab, {"dev1": addresses["dev1"]}, SUBSCRIPTIONS, SINKS, name="files",
                          edit=with_sources)
    wait_names(collector, ["dev1", "dev2"], "it starts with what its files say")
    write("two.yaml", {"dev3": target(addresses["dev3"]), "dev1": target("127.0.0.1:1"),
                       "dev4": target(addresses["dev4"], gzip="perhaps")})
    wait_names(collector, ["dev1", "dev2", "dev3"], "a new file's good targets are there")
    collector.process.wait_line(r"two\.yaml:1:\d+: 'gzip': expected true or false", 10)
    collector.process.wait_line(r"target 'dev1' is left out: it is in the configuration already", 10)
    check(True, "what is wrong with the others is in the log with its place")
    write("one.yaml", "dev2: {\n")
    collector.process.wait_line(r"source=inventory why=.*one\.yaml:2:1", 10)
    must(set(names(collector)) == {"dev1", "dev2", "dev3"}, "a broken file changes nothing")
    row = is_told(collector, False, "one.yaml:2:1")
    check((row["targets"], row["wrong"], row["conflicts"], row["documents"]) == (2, 1, 1, 2),
          "two of its targets are collected, one is wrong, one is another's")
    write("one.yaml", {})
    (folder / "two.yaml").unlink()
    wait_names(collector, ["dev1"], "what is gone from the files is gone")
    collector.process.wait_line(r"the source is well again.* source=inventory", 10)
    check(is_told(collector, True)["targets"] == 0, "none of its targets is collected")
    must(collector.stop() == 0, "sluice ends with 0")


def by_reload(lab, devices):
    """A configuration with other sources is taken by a running sluice: nothing else is touched."""
    addresses = devices.addresses()
    files = {name: lab.path(f"{name}.json") for name in ("old", "new")}
    for name, targets in (("old", ("dev2",)), ("new", ("dev2", "dev3"))):
        files[name].write_text(json.dumps({key: target(addresses[key]) for key in targets}), encoding="utf-8")

    def sources(config, **named):
        config["discovery"] = {key: {"type": "files", "paths": [str(path)]} for key, path in named.items()}
        if not named:
            del config["discovery"]

    collector = Collector(lab, {"dev1": addresses["dev1"]}, SUBSCRIPTIONS, SINKS, name="reloaded")
    config = json.loads(collector.file.read_text(encoding="utf-8"))

    def take(expected, what, **named):
        sources(config, **named)
        collector.file.write_text(json.dumps(config), encoding="utf-8")
        collector.process.signal(signal.SIGHUP)
        wait_for(lambda: names(collector) == expected, 20, what)
        check(True, what)

    take({"dev1": "file", "dev2": "x"}, "a first source under a running sluice", x=files["old"])
    take({"dev1": "file", "dev2": "x", "dev3": "x"}, "the source is another one", x=files["new"])
    take({"dev1": "file", "dev2": "y", "dev3": "x"}, "a source that goes before it", y=files["old"], x=files["new"])
    check([row["name"] for row in json.loads(collector.get("/api/v1/sources")[1])["sources"]] == ["y", "x"],
          "in their order")
    take({"dev1": "file"}, "and none any more", **{})
    check([name for name, _, value in collector.metrics() if name == "sluice_stream_reconnects_total"] == [] and
          [len(collector.process.find(rf"target={name} msg=connected")) for name in ("dev1", "dev2", "dev3")] == [1, 1, 1],
          "no device was dialed twice")
    must(collector.stop() == 0, "sluice ends with 0")


def over_http(lab, devices):
    """An inventory behind HTTP, which has bad days."""
    addresses = devices.addresses()
    inventory = Inventory("t0ken")
    state = lab.path("state")
    state.mkdir()

    def with_sources(config):
        config["collector"]["state-dir"] = str(state)
        config["discovery"] = {"netbox": {
            "type": "http", "url": f"http://127.0.0.1:{inventory.port}/targets", "interval": "200ms",
            "token": "t0ken", "max-bytes": "100KiB"}}
        del config["targets"]

    def started(name):
        return Collector(lab, {}, SUBSCRIPTIONS, SINKS, name=name, edit=with_sources)

    inventory.targets = {"dev1": target(addresses["dev1"])}
    collector = started("http")
    wait_names(collector, ["dev1"], "it starts with what the server says")
    check(set(names(collector).values()) == {"netbox"}, "targets know their source")
    wait_for(lambda: inventory.unchanged > 0, 10, "the server is told what is known")
    row = is_told(collector, True)
    check(row["last_success"] and not row["last_failure"] and row["tag"] and not row["kept"], f"{row}")
    inventory.targets["dev2"] = target(addresses["dev2"])
    wait_names(collector, ["dev1", "dev2"], "a new target is there")
    for bad, words in (("status", "status 500"), ("garbage", "HTTP source"), ("huge", "max-bytes")):
        inventory.answer = bad
        inventory.is_asked_again()
        pattern = r"source=netbox" if bad == "garbage" else rf"source=netbox why=.*{words}"
        collector.process.wait_line(pattern, 10)
        must(set(names(collector)) == {"dev1", "dev2"}, f"{bad}: what was known stays")
    inventory.stop()
    collector.process.wait_line(r"source=netbox why=.*(refused|connect)", 10)
    must(set(names(collector)) == {"dev1", "dev2"}, "without its server what was known stays")
    check(is_told(collector, False)["last_failure"], "and when it failed is known")
    must(collector.stop() == 0, "sluice ends with 0")
    check("t0ken" not in "\n".join(collector.process.lines), "no token in the log")

    collector = started("kept")
    wait_names(collector, ["dev1", "dev2"], "a start without the server has what was kept on disk")
    check(is_told(collector, False)["kept"], "which is told")
    inventory.answer = "good"
    del inventory.targets["dev1"]
    inventory.start()
    wait_names(collector, ["dev2"], "and what the server says once it is back")
    check(not is_told(collector, True)["kept"], "which is told, too")
    must(collector.stop() == 0, "sluice ends with 0")
    inventory.stop()
    check(inventory.strangers == 0, "each question had the token")


def in_topic(lab, devices):
    """A compacted topic of a real broker, with tombstones; the broker goes away."""
    addresses = devices.addresses()
    kafka = Kafka(lab)
    topic = kafka.topic("targets", partitions=3, cleanup_policy="compact")
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    state = lab.path("kafka-state")
    state.mkdir()

    def say(name, what):
        value = what if what is None or isinstance(what, str) else json.dumps(what)
        producer.produce(topic, key=name, value=value)
        must(producer.flush(30) == 0, f"{name} is in the topic")

    def edit(config):
        config["collector"]["state-dir"] = str(state)
        config["discovery"] = {"bus": {"type": "kafka", "brokers": [kafka.bootstrap], "topic": topic,
                                       "interval": "500ms"}}
        del config["targets"]

    def started(name):
        return Collector(lab, {}, SUBSCRIPTIONS, SINKS, name=name, edit=edit)

    say("dev1", target("127.0.0.1:1"))
    say("dev1", target(addresses["dev1"]))
    say("dev2", target(addresses["dev2"]))
    collector = started("topic")
    wait_names(collector, ["dev1", "dev2"], "it starts with what the topic has")
    say("dev3", f"address: {addresses['dev3']}\ninsecure: true\n")
    say("dev2", None)
    wait_names(collector, ["dev1", "dev3"], "a record and a tombstone under a running sluice")
    say("dev1", "{address: [")
    collector.process.wait_line(r'msg="discovery: a record is no target" source=bus reason=\S+ why=.*dev1:', 10)
    say("dev4", target(addresses["dev4"], password={"file": "/etc/hostname"}))
    collector.process.wait_line(r"came from elsewhere may not read files", 10)
    must(set(names(collector)) == {"dev1", "dev3"}, "what is no target changes nothing")
    is_told(collector, False, "dev1:2:1")
    say("dev1", target(addresses["dev1"]))
    check(is_told(collector, True)["wrong"] == 1, "a good record heals it; what may not read files is left out")
    with kafka.stopped():
        collector.process.wait_line(r"msg=.discovery: the source failed.* source=bus", 20)
        must(set(names(collector)) == {"dev1", "dev3"}, "without its broker what was known stays")
        must(collector.stop() == 0, "sluice ends with 0")
        collector = started("topic-kept")
        wait_names(collector, ["dev1", "dev3"], "a start without the broker has what was kept on disk")
    say("dev3", None)
    say("dev1", target(addresses["dev1"]))
    wait_names(collector, ["dev1"], "and what the topic says once the broker is back")
    must(collector.stop() == 0, "sluice ends with 0")


def in_shards(lab, devices):
    """Two collectors, one inventory: each target at one of them."""
    file = lab.path("fleet.yaml")
    addresses = devices.addresses()
    fleet = {f"leaf{i}": target(addresses[f"dev{i % DEVICES + 1}"]) for i in range(40)}
    file.write_text(json.dumps(fleet), encoding="utf-8")

    def shard(index):
        def edit(config):
            config["collector"]["shard"] = {"index": index, "count": 2}
            config["discovery"] = {"fleet": {"type": "files", "paths": [str(file)]}}
            del config["targets"]
        return edit

    collectors = [Collector(lab, {}, SUBSCRIPTIONS, SINKS, name=f"shard{i}", edit=shard(i))
                  for i in range(2)]
    parts = [set(names(collector)) for collector in collectors]
    check(parts[0] | parts[1] == set(fleet), "no target is left over")
    check(not parts[0] & parts[1], "and none is at both")
    check(min(map(len, parts)) > 5, f"parts of {len(parts[0])} and {len(parts[1])}")
    for collector in collectors:
        must(collector.stop() == 0, "sluice ends with 0")


def main(lab):
    devices = Devices(lab, "sim", DEVICES, rate=1)
    part(lab, "files", in_files, devices)
    part(lab, "reload", by_reload, devices)
    part(lab, "http", over_http, devices)
    part(lab, "kafka", in_topic, devices)
    part(lab, "shards", in_shards, devices)


if __name__ == "__main__":
    run(main)
