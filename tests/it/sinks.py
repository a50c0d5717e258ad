#!/usr/bin/env python3
"""sinks - several sinks at once: who is routed where, who holds whom, and a ledger that says so.

Devices are tests/peers/seqdevice, on grpc-go: they number their messages, and print how many they sent.
Files, a named pipe and standard output are read here, by Python alone. What sluice says of itself, in
its metrics and in its last log lines, is held against both.
"""
import json
import os
import re
import shutil
import subprocess
import threading

from harness import check, free_port, must, note, part, run, wait_for

from collector import Collector, kafka_sink, subscription
from devices import Devices
from records import Ledger, event_sample

UPDATES = 4  # of each message, the device's two numbers among them
REQUIRED_FIELDS = ("received", "published", "filtered", "held")


def file_sink(path, **options):
    return {"type": "file", "path": str(path), "format": "event",
            **{key.replace("_", "-"): value for key, value in options.items()}}


# ---- what was read ----

def source_of(line):
    return json.loads(line)[0]["tags"]["source"]


def lines_of(paths):
    """The lines of files, the first one's first. Each has to be whole."""
    contents = [path.read_bytes() for path in paths]
    check(all(not data or data.endswith(b"\n") for data in contents), "the lines in files are whole")
    for data in contents:
        yield from data.splitlines()


def ledger_of(lines):
    ledger = Ledger(event_sample)
    for line in lines:
        ledger.take_line(source_of(line), line)
    return ledger


class Pipe:
    """A named pipe; nobody reads it before `read`."""

    def __init__(self, lab, name="pipe"):
        self.path = lab.path(name)
        self.path.unlink(missing_ok=True)
        os.mkfifo(self.path)
        self.lines = []
        self.thread = None

    def read(self):
        """From now on, until the writer has closed it."""
        opened = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(opened, True)

        def take():
            with os.fdopen(opened, "rb") as source:
                self.lines.extend(source)

        self.thread = threading.Thread(target=take, daemon=True)
        self.thread.start()

    def all(self):
        self.thread.join(60)
        return [line.rstrip(b"\n") for line in self.lines]


# ---- what sluice says ----

def said_at_exit(process):
    """[{field: text}] of the ledger's lines."""
    lines = [match.group(0) for match in process.find(r".*msg=ledger.*")]
    return [dict(re.findall(r"([\w.-]+)=(\S+)", line)) for line in lines]


def dropped(line):
    return sum(int(value) for name, value in line.items() if name.startswith("dropped."))


def check_exit(process, published, lost=0):
    """`published` updates by sink, as others have counted them; `lost` of all of them."""
    lines = said_at_exit(process)
    check(all(line["balances"] == "yes" and int(line["received"]) ==
              int(line["published"]) + int(line["filtered"]) + int(line["held"]) + dropped(line)
              for line in lines), f"each of {len(lines)} ledgers balances at exit")
    sinks = {line["sink"]: line for line in lines if line.get("sum") == "sink"}
    check({name: int(line["published"]) for name, line in sinks.items()} == published,
          f"by sink as many are published as were read: {published}")
    for field in (*REQUIRED_FIELDS, "dropped.sink-full", "dropped.sink"):
        whole = sum(int(line[field]) for line in sinks.values())
        routes = sum(int(line[field]) for line in lines if "sum" not in line)
        check(int(lines[-1][field]) == whole == routes, f"{field}: the last line is the sum of all")
    check(lines[-1].get("sum") == "all" and dropped(lines[-1]) == lost, f"{lost} are lost in all")


def check_metrics(collector, names):
    """One page: the equation in each stream, sink and sum; and the sums are those of their parts."""
    page = collector.metrics()

    def of(name, **labels):
        return sum(value for has_name, has, value in page
                   if has_name == name and labels.items() <= has.items())

    def ledger(name, word, **labels):
        return of(name, state=word, **labels)

    def route(name, word, **labels):
        return of(f"{name}_{word}" if word == "held" else f"{name}_{word}_total", **labels)

    def balances(value, name, **labels):
        return value(name, "received", **labels) == sum(
            value(name, word, **labels) for word in ("published", "filtered", "dropped", "held"))

    routes = {(has["target"], has["sink"]) for name, has, _ in page
              if name == "sluice_updates_received_total"}
    is_good = (all(balances(route, "sluice_updates", target=target, sink=sink)
                   for target, sink in routes)
               and all(balances(ledger, "sluice_sink_ledger", sink=name) for name in names)
               and balances(ledger, "sluice_ledger")
               and all(ledger("sluice_sink_ledger", word, sink=name) ==
                       route("sluice_updates", word, sink=name)
                       for word in ("received", "published", "dropped", "held") for name in names)
               and ledger("sluice_ledger", "received") ==
               route("sluice_updates", "received") > 0)
    if not is_good:
        check(False, "the ledger balances in the metrics, per stream, per sink and in sum")
    return is_good


def wait_published(collector, updates):
    """What a device has sent may still be on its way: so many have to come, and to be acknowledged."""
    wait_for(lambda: collector.total("sluice_ledger", state="published") >= updates, 60,
             f"{updates} published")


# ---- the parts ----

EXPECTED = {"all": {"dev1", "dev2", "dev3"}, "tokyo": {"dev1", "dev3"}, "second": {"dev2"}}


def routed(lab, messages):
    """By target, by subscription, by label."""
    devices = Devices(lab, "go", 3, updates=UPDATES, messages=messages)
    files = {name: lab.path(f"{name}.jsonl") for name in ("all", "tokyo", "second")}
    collector = Collector(
        lab, devices.addresses(), {"one": subscription()},
        {"all": file_sink(files["all"]),
         "tokyo": file_sink(files["tokyo"], match={"site": "tyo*"}),
         "second": file_sink(files["second"])},
        targets={"dev1": {"labels": {"site": "tyo1"}, "sinks": ["all", "tokyo"]},
                 "dev2": {"labels": {"site": "ber1"}, "sinks": ["all", "tokyo", "second"]},
                 "dev3": {"labels": {"site": "tyo2", "role": "leaf"}, "sinks": ["all", "tokyo"]}})
    looks = 0
    while len(devices.done()) < 3:
        if not check_metrics(collector, files):
            break
        looks += 1
    check(looks > 0, f"the ledger balances in the metrics, {looks} times while data flow")
    devices.wait_done(3, 60)
    wait_published(collector, sum(map(len, EXPECTED.values())) * messages * UPDATES)
    check_metrics(collector, files)
    check(collector.stop() == 0, "sluice run ends well")
    ledgers = {name: ledger_of(lines_of([file])) for name, file in files.items()}
    check({name: set(ledger.streams) for name, ledger in ledgers.items()} == EXPECTED,
          "each sink has the devices that are routed to it")
    for name, ledger in ledgers.items():
        ledger.check_streams(len(EXPECTED[name]))
        check(all(stream.device_seq == messages for stream in ledger.streams.values()),
              f"{name}: 1 … {messages} of each")
    check_exit(collector.process, {name: len(EXPECTED[name]) * messages * UPDATES
                                   for name in EXPECTED})


def held_alone(lab, messages):
    """A required sink that stands still holds the stream that is routed to it, and no other."""
    devices = Devices(lab, "go", 2, updates=UPDATES, messages=messages)
    pipe = Pipe(lab)
    main = lab.path("main.jsonl")
    collector = Collector(
        lab, devices.addresses(), {"one": subscription()},
        {"main": file_sink(main), "slow": file_sink(pipe.path, queue_bytes="64KiB")},
        workers=1, targets={"dev1": {"sinks": ["main", "slow"]}, "dev2": {"sinks": ["main"]}})
    devices.wait_done(1, 60)
    held = wait_for(lambda: [seq for seq, blocked in devices.now().values()
                             if blocked > 1 and seq < messages], 60, "the other device blocked")
    check(len(held) == 1, f"one device has sent all, the other stands at {held} of {messages}")
    check(collector.total("updates_held", target="dev1", sink="slow") > 0
          and collector.total("updates_held", target="dev2") == 0, "and the metrics say which")
    check_metrics(collector, ["main", "slow"])
    pipe.read()
    devices.wait_done(2, 60)
    wait_published(collector, 3 * messages * UPDATES)
    check(collector.stop() == 0, "sluice run ends well")
    ledger_of(lines_of([main])).check_done(devices.done())
    slow = ledger_of(pipe.all())
    slow.check_streams(1)
    check(slow.streams["dev1"].device_seq == messages, f"the pipe has 1 … {messages} of the first")
    check_exit(collector.process, {"main": 2 * messages * UPDATES, "slow": messages * UPDATES})


def optional_setup(lab, pipe, messages):
    lab.path("main.jsonl").unlink(missing_ok=True)
    devices = Devices(lab, "go", 1, updates=UPDATES, messages=messages, sizes=(800, 800))
    collector = Collector(
        lab, devices.addresses(), {"one": subscription()},
        {"main": file_sink(lab.path("main.jsonl")),
         "extra": file_sink(pipe.path, required=False, memory="256KiB", format="sluice.v1-json")},
        workers=1)
    devices.wait_done(1, 120)
    wait_for(lambda: collector.total("updates_published", sink="main") >= messages * (UPDATES + 1),
             60, "all published")
    lost = collector.total("sink_ledger", state="dropped", sink="extra", reason="sink-full")
    check(lost > 0 and collector.total("stream_blocked_seconds") < 60,
          f"the device has sent all {messages} messages; {lost:.0f} updates had no room")
    return devices, collector, lost


def optional(lab, messages):
    """A sink that is not required, and stands still: nobody waits, and its data say what it lacks."""
    pipe = Pipe(lab)
    devices, collector, lost = optional_setup(lab, pipe, messages)
    check_metrics(collector, ["main", "extra"])
    pipe.read()
    wait_for(lambda: any(b"sink-full" in line for line in list(pipe.lines)), 60, "the gap told")
    wait_for(lambda: collector.total("sink_ledger", state="held", sink="extra") == 0, 60, "nothing held")
    updates = messages * (UPDATES + 1)  # with what fills a message up to its size
    check(collector.total("sink_ledger", state="received", sink="extra") == updates, "received by both")
    check(collector.stop() == 0, "sluice run ends well")
    records = [json.loads(line) for line in pipe.all()]
    numbers = [int(record["seq"]) for record in records]
    check(numbers == list(range(1, len(numbers) + 1)), f"1 … {len(numbers)} without a hole")
    gaps = [int(record["gap"].get("count", 0)) for record in records
            if record.get("gap", {}).get("reason") == "sink-full"]
    read = sum(len(record.get("updates", [])) for record in records)
    check(sum(gaps) == lost, f"{len(gaps)} gaps tell all {lost:.0f} that were dropped")
    check(read + sum(gaps) == updates, f"{read} read and {sum(gaps)} told: all {updates}")
    ledger_of(lines_of([lab.path("main.jsonl")])).check_done(devices.done())
    check_exit(collector.process, {"main": updates, "extra": read}, int(lost))


def optional_at_the_end(lab, messages):
    pipe = Pipe(lab)
    _, collector, _ = optional_setup(lab, pipe, messages)
    held = collector.total("sink_ledger", state="held", sink="extra")
    check(held > 0, f"it still holds {held:.0f} updates")
    check(collector.stop() == 0, "sluice run ends well")
    check(not collector.process.find("shutdown-timeout"), "and waits for no reader")
    last = said_at_exit(collector.process)[-1]
    check(int(last["dropped.sink"]) > 0 and last["held"] == "0", "what it held is counted as lost")


def never_there(lab, messages):
    """Brokers that do not exist: streams open, all goes to the other sink, and memory is bounded."""
    lab.path("main.jsonl").unlink(missing_ok=True)
    devices = Devices(lab, "go", 2, updates=UPDATES, messages=messages)
    collector = Collector(
        lab, devices.addresses(), {"one": subscription()},
        {"main": file_sink(lab.path("main.jsonl")),
         "extra": {**kafka_sink(f"127.0.0.1:{free_port()}", "topic"), "required": False,
                   "memory": "512KiB"}})
    wait_for(lambda: collector.total("updates_published", sink="main") >= 2 * messages * UPDATES, 60,
             "all published")
    held = collector.total("sink_ledger", state="held", sink="extra")
    lost = collector.total("sink_ledger", state="dropped", sink="extra", reason="sink-full")
    check(collector.total("sink_taking", sink="extra") == 0 and lost > 0,
          f"{held:.0f} updates wait for the brokers, {lost:.0f} had no room")
    bytes_ = collector.total("sink_queued_bytes", sink="extra")
    check(0 < bytes_ < 2 * 512 * 1024, f"{bytes_:.0f} bytes wait, on two workers of 512 KiB each")
    check_metrics(collector, ["main", "extra"])
    check(collector.stop() == 0, "sluice run ends well")
    check(not collector.process.find("shutdown-timeout"), "and waits for no broker")
    ledger_of(lines_of([lab.path("main.jsonl")])).check_done(devices.done())
    check_exit(collector.process, {"main": 2 * messages * UPDATES, "extra": 0}, int(held + lost))


def healthy_at_the_end(lab):
    """One that takes, and answers a little later, gets all of it at the end, too."""
    devices = Devices(lab, "go", 2, updates=UPDATES, rate=500)
    collector = Collector(
        lab, devices.addresses(), {"one": subscription()},
        {"main": {"type": "null"}, "extra": {"type": "null", "delay": "20ms", "required": False}})
    wait_for(lambda: collector.total("sink_ledger", state="published", sink="extra") > 1000, 60, "data flow")
    check(collector.stop() == 0, "sluice run ends well")
    last = said_at_exit(collector.process)[-1]
    check(dropped(last) == 0 and last["held"] == "0", f"all {last['published']} were published")


def rotated(lab, messages):
    """Two workers, one file, put aside by its size."""
    devices = Devices(lab, "go", 4, updates=UPDATES, messages=messages)
    path = lab.path("rotated.jsonl")
    most = 256 * 1024
    collector = Collector(
        lab, devices.addresses(), {"one": subscription()},
        {"main": file_sink(path, rotate={"size": most, "keep": 10000}, sync="interval")}, workers=2)
    devices.wait_done(4, 60)
    wait_published(collector, 4 * messages * UPDATES)
    check(collector.stop() == 0, "sluice run ends well")
    old = sorted(path.parent.glob("rotated.jsonl.*"), key=lambda p: -int(p.suffix[1:]))
    check(len(old) > 5 and all(p.stat().st_size <= most for p in old),
          f"{len(old)} old files, none larger than {most} bytes")
    ledger_of(lines_of([*old, path])).check_done(devices.done())
    check_exit(collector.process, {"main": 4 * messages * UPDATES})


def full_disk(lab, messages):
    """A disk of 2 MiB, mounted in a namespace of its own that ends with the process."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        note("skipped: to mount a small disk it takes root, and a mount namespace")
        return
    place = lab.path("disk")
    place.mkdir()
    mount = (f"mount -t tmpfs -o size=2m tmpfs {place} && head -c 1500000 /dev/zero > {place}/ballast"
             ' && exec "$@"')
    devices = Devices(lab, "go", 2, updates=UPDATES, messages=messages)
    collector = Collector(
        lab, devices.addresses(), {"one": subscription()},
        {"main": file_sink(place / "main.jsonl", queue_bytes="64KiB")},
        wrapper=["unshare", "-m", "--propagation", "private", "sh", "-c", mount, "sh"])
    inside = lab.path("inside")
    inside.symlink_to(f"/proc/{collector.process.pid}/root{place}")
    wait_for(lambda: collector.total("sink_taking") == 0, 60, "the disk full")
    check(bool(collector.process.find("No space left on device")), "the log says why")
    must(len(devices.done()) == 0, "the devices are held")
    check_metrics(collector, ["main"])
    torn = inside.joinpath("main.jsonl").read_bytes()
    check(torn.endswith(b"\n"), f"{len(torn)} bytes of whole lines on a full disk")
    subprocess.run(["nsenter", "-t", str(collector.process.pid), "-m", "mount", "-o",
                    "remount,size=256m", str(place)], check=True)
    devices.wait_done(2, 60)
    wait_published(collector, 2 * messages * UPDATES)
    kept = lab.path("kept.jsonl")
    shutil.copyfile(inside / "main.jsonl", kept)
    check(collector.stop() == 0, "sluice run ends well")
    ledger_of(lines_of([kept])).check_done(devices.done())
    check_exit(collector.process, {"main": 2 * messages * UPDATES})
    check(not any(place.iterdir()), "and the disk is gone with the process")


def to_stdout(lab, messages):
    """A reader that stops holds the devices; one that goes is the end."""
    devices = Devices(lab, "go", 2, updates=UPDATES, messages=messages)
    pipe = Pipe(lab, "stdout")
    reader = os.open(pipe.path, os.O_RDONLY | os.O_NONBLOCK)
    collector = Collector(
        lab, devices.addresses(), {"one": subscription()},
        {"main": {"type": "stdout", "format": "event", "queue-bytes": "64KiB"}},
        wrapper=["sh", "-c", f'exec "$@" > {pipe.path}', "sh"])
    wait_for(lambda: [seq for seq, blocked in devices.now().values() if blocked > 1], 60,
             "a device held by a reader that does not read")
    must(len(devices.done()) == 0, "none has sent all")
    pipe.read()
    devices.wait_done(2, 60)
    wait_published(collector, 2 * messages * UPDATES)
    os.close(reader)
    check(collector.stop() == 0, "sluice run ends well")
    ledger_of(pipe.all()).check_done(devices.done())
    check_exit(collector.process, {"main": 2 * messages * UPDATES})


def closed_stdout(lab):
    devices = Devices(lab, "go", 2, updates=UPDATES)
    pipe = Pipe(lab, "closed")
    reader = os.open(pipe.path, os.O_RDONLY | os.O_NONBLOCK)
    collector = Collector(
        lab, devices.addresses(), {"one": subscription()},
        {"main": {"type": "stdout", "format": "event"}},
        wrapper=["sh", "-c", f'exec "$@" > {pipe.path}', "sh"])
    wait_for(lambda: devices.total_seq() > 100, 60, "data flow")
    os.close(reader)
    code = collector.process.process.wait(60)
    collector.process.reader.join()
    check(code == 1, f"a closed pipe ends it with {code}")
    check(bool(collector.process.find("sink is over.*standard output")), "and the log says why")
    lines = said_at_exit(collector.process)
    check(lines and all(line["balances"] == "yes" for line in lines), "the ledger balances")


def main(lab):
    messages = 100_000 if lab.is_long else 5_000
    part(lab, "routes", routed, messages)
    part(lab, "a stalled sink", held_alone, messages)
    part(lab, "a sink that is not required", optional, messages)
    part(lab, "the same at the end", optional_at_the_end, messages)
    part(lab, "brokers that are not there", never_there, messages)
    part(lab, "one that answers at the end", healthy_at_the_end)
    part(lab, "rotation", rotated, messages)
    part(lab, "a full disk", full_disk, messages)
    part(lab, "standard output", to_stdout, messages)
    part(lab, "standard output closed", closed_stdout)


run(main)
