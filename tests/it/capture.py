#!/usr/bin/env python3
"""capture - what a device sent, kept in a file and played again.

The device is grpcio's, which sends whatever bytes it is given. The files are read and written by
Python's protobuf with classes made from proto/capture.proto; what a replay must come out as are the
golden messages, recorded from gnmic and Telegraf. openconfig's gnmi_cli asks the simulator that replays.
"""
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from concurrent import futures

from harness import check, free_port, part, peer, run, sluice, wait_for  # first: it enters the environment

import grpc

import captures

S = 10 ** 9
EPOCH_NS = 1_700_000_000 * S


def configuration(replay, sinks, target="leaf1", subscription="sub1", path="/a", **collector):
    return {
        "collector": {"name": "collector1", "admin": {"listen": ""}, **collector},
        "targets": {target: {"replay": replay}},
        "subscriptions": {subscription: {"paths": [path]}},
        "sinks": sinks,
    }


def replay(lab, name, config):
    """Runs it; a process that ends by itself."""
    file = lab.path(f"{name}.yaml")
    file.write_text(json.dumps(config), encoding="utf-8")
    return lab.start(name, [sluice(), "run", "-c", file])


def ended(process, timeout_s=30):
    wait_for(lambda: not process.is_alive(), timeout_s, f"{process.name} ends by itself")
    process.reader.join()
    return process.process.returncode


def ledger(process):
    """The counts of the last line."""
    line = process.find(r"sum=all msg=ledger (.*)")[-1].group(1)
    return {word.split("=")[0]: int(word.split("=")[1]) for word in line.split()
            if word.split("=")[1].isdigit()}


# ---- golden messages through `sluice run` ----

GNMIC = {"event": ".", "event-split": "event-split", "gnmic-json": "gnmic-json",
         "protojson": "protojson"}
TELEGRAF = {"telegraf-json": "telegraf-json", "influx": "influx"}


def golden_entries():
    return [(EPOCH_NS + i * 10 ** 6, message)
            for i, message in enumerate(captures.golden_messages().values())]


def play_golden(lab, file, title, formats, **where):
    sinks = {form: {"type": "file", "path": str(lab.path(f"{title}-{form}")), "format": form}
             for form in formats}
    process = replay(lab, title, configuration({"file": str(file), "pace": "fast"}, sinks, **where))
    check(ended(process) == 0, f"{title}: sluice ends by itself, with 0")
    check(process.find(r'msg="the replay is over".*why=""'), f"{title}: and says why")
    for form, folder in formats.items():
        got = lab.path(f"{title}-{form}").read_bytes()
        expected = captures.golden_output(folder)
        if form == "protojson":
            expected = captures.without_blanks(expected)
        expected = expected.replace(b"collector1", socket.gethostname().encode())
        check(got == expected, f"{form}: {got.count(bytes([10]))} lines, those of the golden files")
        if got != expected:
            pairs = zip(got.splitlines(), expected.splitlines())
            one, other = next(((a, b) for a, b in pairs if a != b), (got[-200:], expected[-200:]))
            print(f"got      {one!r}\nexpected {other!r}")


def golden(lab):
    file = lab.path("golden.capture")
    captures.write(file, golden_entries(), target="leaf1")
    play_golden(lab, file, "gnmic", GNMIC)
    play_golden(lab, file, "telegraf", TELEGRAF, target="127.0.0.1",
                path="/interfaces/interface")


# ---- what a file says of itself ----

def notification(number):
    """A SubscribeResponse with a timestamp and one leaf /n, an unsigned number below 128."""
    value = bytes([0x18, number])
    update = bytes([0x0a, 5, 0x1a, 3, 0x0a, 1]) + b"n" + bytes([0x1a, len(value)]) + value
    inner = b"\x08\x01" + bytes([0x22, len(update)]) + update
    return bytes([0x0a, len(inner)]) + inner


def records_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def numbers_of(records):
    return [int(record["updates"][0]["value"]["uintVal"]) for record in records
            if record.get("updates")]


def sluice_sink(lab, name, **more):
    return {"f": {"type": "file", "path": str(lab.path(name)), "format": "sluice.v1-json", **more}}


def pace(lab):
    """Ten messages, 50 ms apart: the records say when they came again."""
    file = lab.path("pace.capture")
    step = 50_000_000
    captures.write(file, [(EPOCH_NS + i * step, notification(i)) for i in range(10)])
    for how in ("device", "fast"):
        process = replay(lab, how, configuration({"file": str(file), "pace": how,
                                                  "timestamps": "shifted"},
                                                 sluice_sink(lab, f"{how}.json")))
        check(ended(process) == 0, f"{how}: ends with 0")
        records = records_of(lab.path(f"{how}.json"))
        check(numbers_of(records) == list(range(10)), f"{how}: all records, in order")
        times = [int(record["receivedNs"]) for record in records if record.get("updates")]
        check(times == sorted(times), f"{how}: and so are their times")
        if how == "device":
            # The first may have been late, but none was early: the epoch is when it all began.
            begun = int(records[0]["epoch"])
            check(times[-1] - begun > 9 * step * 0.99, "device: the last one no sooner than it came")


def same(lab):
    """Twice the same records, each with the time at which it was captured: a policy that goes by our
    clock makes of them what it made then."""
    file = lab.path("same.capture")
    old = EPOCH_NS - 300 * 24 * 3600 * S
    captures.write(file, [(old + i * S, stamped(i, old // S + i)) for i in range(50)])
    seen = []
    for turn in range(2):
        name = f"same-{turn}"
        config = configuration({"file": str(file), "pace": "fast"}, sluice_sink(lab, f"{name}.json"))
        config["subscriptions"]["sub1"]["timestamps"] = {"policy": "clamp", "max-skew": "5s"}
        process = replay(lab, name, config)
        check(ended(process) == 0, f"{name}: ends with 0")
        records = records_of(lab.path(f"{name}.json"))
        for record in records:
            record.pop("epoch")
        seen.append([record for record in records if record.get("updates")])
    check(seen[0] == seen[1] and len(seen[0]) == 50, "the records are the same each time")
    check([int(record["receivedNs"]) for record in seen[0]] == [old + i * S for i in range(50)],
          "they have come when they came")
    check([int(record["timestampNs"]) for record in seen[0]] == [old + i * S for i in range(50)],
          "seconds are recognised by the clock of then, and nothing is clamped to today")


def stamped(number, timestamp):
    """As notification, with a timestamp."""
    message = notification(number)
    inner = b"\x08" + varint(timestamp) + message[4:]
    return b"\x0a" + varint(len(inner)) + inner


def calls(lab):
    """A capture with a break: the RPC ends as it did, and what follows comes in the next one."""
    file = lab.path("calls.capture")
    captures.write(file, [(EPOCH_NS, notification(1)), (EPOCH_NS, 14, "shutting down"),
                          (EPOCH_NS, notification(2)), (EPOCH_NS, notification(3)),
                          (EPOCH_NS, 9, "that is all")])
    config = configuration({"file": str(file)}, sluice_sink(lab, "calls.json"))
    config["targets"]["leaf1"]["backoff"] = {"min": "10ms", "max": "20ms"}
    process = replay(lab, "calls", config)
    check(ended(process) == 0, "ends with 0, though the last call did not")
    records = [one for one in records_of(lab.path("calls.json")) if one.get("updates")]
    check(numbers_of(records) == [1, 2, 3], "each message once")
    epochs = [record["epoch"] for record in records]
    check(epochs[0] != epochs[1] and epochs[1] == epochs[2], "the second call is an epoch of its own")
    check(len(process.find(r'msg="subscription ended".*shutting down')) == 1, "the first end is told")
    check(len(process.find(r'msg="subscription ended".*that is all')) == 1, "the second one, too")


def damage(lab):
    """Cut off: what is there is published, and the end is good. Damaged: it is not."""
    whole = lab.path("whole.capture")
    captures.write(whole, [(EPOCH_NS, notification(1)), (EPOCH_NS, notification(2))])
    bytes_ = whole.read_bytes()
    for name, content, code, what in (("cut", bytes_[:-3], 0, r"byte \d+: cut off"),
                                      ("damaged", bytes_[:-20] + b"\x08\x01" + bytes_[-18:], 1,
                                       r"byte \d+: ")):
        file = lab.path(f"{name}.capture")
        file.write_bytes(content)
        process = replay(lab, name, configuration({"file": str(file)},
                                                  sluice_sink(lab, f"{name}.json")))
        check(ended(process) == code, f"{name}: exit code {code}")
        check(process.find(rf'msg="the replay is over".*{what}'), f"{name}: the log says where")
        check(numbers_of(records_of(lab.path(f"{name}.json"))) == [1], f"{name}: the first message")
    file.write_bytes(b"collector:\n")
    process = replay(lab, "none", configuration({"file": str(file)}, sluice_sink(lab, "none.json")))
    check(ended(process) == 1, "no capture: refused")
    check(process.find(r"none.yaml:1:\d+: 'replay': .*byte 0: this is not a capture"),
          "and the configuration's place is told")


# ---- from a device ----

class Device:
    """Answers each Subscribe with `script`: bytes are sent, a (code, text) ends the call, and a
    callable is called, for what is to be waited for. At the script's end the call stays open."""

    def __init__(self, lab, *scripts, model=None):
        self.scripts = list(scripts)
        self.model = model
        self.requests = []
        self.sent = 0
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(
            "gnmi.gNMI", {"Subscribe": grpc.stream_stream_rpc_method_handler(self.subscribe),
                          "Capabilities": grpc.unary_unary_rpc_method_handler(self.capabilities)})])
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()
        lab.on_end(self.end)

    def capabilities(self, _, context):
        """A CapabilityResponse with one model."""
        if not self.model:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "not here")
        name = self.model.encode()
        return bytes([0x0a, len(name) + 2, 0x0a, len(name)]) + name

    def subscribe(self, requests, context):
        with self.lock:
            script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
            self.requests.append(next(requests))
        context.add_callback(self.over.set)
        for step in script:
            if callable(step):
                step()
            elif isinstance(step, tuple):
                context.set_code(step[0])
                context.set_details(step[1])
                return
            else:
                yield step
                self.sent += 1
        self.over.wait()

    def end(self):
        self.over.set()
        self.server.stop(None)


def start_capture(lab, name, device, *words):
    return lab.start(name, [sluice(), "capture", "-a", device.address, "--insecure", *words])


def responses(capture):
    return [entry.response for entry in capture.entry if entry.HasField("response")]


def from_a_device(lab):
    """The golden messages, broken ones too, and two odd ends of calls: the file has what was sent."""
    messages = list(captures.golden_messages().values())
    device = Device(lab, [*messages, (grpc.StatusCode.UNAVAILABLE, "going down")],
                    [b"", b"\x18\x01", (grpc.StatusCode.OUT_OF_RANGE, "no more of \u00fc")])
    file = lab.path("device.capture")
    process = start_capture(lab, "capture", device, "--path", "/a/b[k=v]", "-o", file, "--retry", "1s",
                            "--encoding", "proto")
    wait_for(lambda: len(device.requests) >= 3, 20, "three calls")
    process.signal(signal.SIGINT)
    check(ended(process) == 0, "SIGINT ends it well")
    capture = captures.read(file)
    check(capture.magic == captures.MAGIC and capture.header.version == 1, "a capture, version 1")
    check(responses(capture)[:len(messages)] == messages, f"{len(messages)} messages, as they were sent")
    check(responses(capture)[len(messages):][:2] == [b"", b"\x18\x01"], "and those of the second call")
    ends = [(entry.end.code, entry.end.text) for entry in capture.entry if entry.HasField("end")]
    check(ends[:2] == [(14, "going down"), (11, "no more of \u00fc")], f"ends of calls: {ends}")
    times = [entry.received_ns for entry in capture.entry]
    check(times == sorted(times) and capture.header.started_ns <= times[0], "times, in order")
    check(time.time_ns() - times[0] < 3600 * S, "of today")
    check(capture.header.request == device.requests[0], "the request that the device got")
    check(capture.header.target == device.address, "the target's name")
    check(process.find(r"device.capture messages=\d+ bytes=\d+ end="), "a summary")
    play_again(lab, file)


def play_again(lab, file):
    config = configuration({"file": str(file), "pace": "fast"},
                           {"f": {"type": "file", "path": str(lab.path("again")), "format": "event"}})
    config["targets"]["leaf1"]["backoff"] = {"min": "10ms", "max": "20ms"}
    process = replay(lab, "again", config)
    check(ended(process) == 0, "sluice run plays it and ends")
    expected = captures.golden_output(".")
    got = lab.path("again").read_bytes()
    check(got[:len(expected)] == expected, "the records are those of the golden files")


def stops(lab):
    """--count, --max-bytes, --rotate and --keep; files that would be one; a file for each RPC."""
    numbers = [notification(i) for i in range(100)]
    device = Device(lab, numbers)
    file = lab.path("count.capture")
    process = start_capture(lab, "count", device, "--path", "/n", "-o", file, "--count", "7")
    check(ended(process) == 0, "count: ends with 0")
    capture = captures.read(file)
    check(responses(capture) == numbers[:7], "count: seven messages")
    check(capture.entry[-1].stop.reason == "count", "count: and why there are no more")

    file = lab.path("size.capture")
    process = start_capture(lab, "size", device, "--path", "/n", "-o", file, "--max-bytes", "1KiB")
    check(ended(process) == 0, "max-bytes: ends with 0")
    capture = captures.read(file)
    check(capture.entry[-1].stop.reason == "size", "max-bytes: the file says so")
    check(1024 <= file.stat().st_size < 1100, f"max-bytes: {file.stat().st_size} bytes")

    file = lab.path("part.capture")
    process = start_capture(lab, "rotate", device, "--path", "/n", "-o", file, "--count", "100",
                            "--rotate", "512", "--keep", "3")
    check(ended(process) == 0, "rotate: ends with 0")
    parts = sorted(lab.directory.glob("part.capture.*"))
    check(len(parts) == 3 and all(part_.stat().st_size <= 540 for part_ in parts),
          f"rotate: {[part_.name for part_ in parts]}")
    whole = lab.path("whole.capture")
    whole.write_bytes(b"".join(part_.read_bytes() for part_ in parts))
    kept = sum((responses(captures.read(part_)) for part_ in parts), [])
    check(kept == numbers[-len(kept):], f"rotate: the last {len(kept)} messages")
    check(replayed_numbers(lab, "parts", whole) == list(range(100 - len(kept), 100)),
          "rotate: put behind one another they are one capture")

    process = lab.start("same", [sluice(), "capture", "-a", f"{device.address},localhost:1",
                                 "--insecure", "--path", "/n", "-o", lab.path("same.capture")])
    check(ended(process) == 1 and process.find("tell them apart"), "two targets, one name: refused")
    config = configuration({}, {"n": {"type": "null"}})
    config["targets"] = {"leaf1": {"address": device.address, "insecure": True},
                         "leaf2": {"address": device.address, "insecure": True, "vendor": "juniper"}}
    config["subscriptions"] = {"a": {"paths": ["/a"]}, "b": {"paths": ["/b"]}}
    lab.path("two.yaml").write_text(json.dumps(config), encoding="utf-8")
    process = lab.start("two", [sluice(), "capture", "-c", lab.path("two.yaml"), "--count", "5", "-o",
                                lab.path("{target}-{subscription}.capture")])
    check(ended(process) == 0, "of a configuration: ends with 0")
    names = [f"{target}-{sub}.capture" for target in ("leaf1", "leaf2") for sub in "ab"]
    check(all(lab.path(name).exists() for name in names), "a file for each target and subscription")
    header = captures.read(lab.path("leaf2-b.capture")).header
    check((header.target, list(header.subscription), header.vendor) == ("leaf2", ["b"], "juniper"),
          "and each says whose it is")


def vendors(lab):
    """Whose device it is stands in the file, as its Capabilities tell; a replay goes by that."""
    device = Device(lab, [notification(1)], model="Cisco-IOS-XR-ifmgr-cfg")
    file = lab.path("vendor.capture")
    process = start_capture(lab, "vendor", device, "--path", "/n", "-o", file, "--count", "1")
    check(ended(process) == 0, "ends with 0")
    vendor = captures.read(file).header.vendor
    check(vendor == "cisco-ios-xr", f"the capture's vendor: {vendor}")
    process = replay(lab, "vendor-again", configuration({"file": str(file)},
                                                        sluice_sink(lab, "vendor.json")))
    check(ended(process) == 0, "the replay ends with 0")
    check(process.find(r'msg="vendor profile" vendor=cisco-ios-xr known-by=named'),
          "and goes by that vendor")
    check(numbers_of(records_of(lab.path("vendor.json"))) == [1], "its record is there")


def replayed_numbers(lab, name, file):
    process = replay(lab, name, configuration({"file": str(file), "pace": "fast"},
                                              sluice_sink(lab, f"{name}.json")))
    check(ended(process) == 0, f"{name}: the replay ends with 0")
    return numbers_of(records_of(lab.path(f"{name}.json")))


def kill(lab):
    """kill -9 in the midst of it: what the file has is whole but for the last entry, and it plays."""
    numbers = [notification(i % 128) for i in range(200_000)]
    device = Device(lab, numbers)
    file = lab.path("killed.capture")
    process = start_capture(lab, "killed", device, "--path", "/n", "-o", file)
    wait_for(lambda: file.exists() and file.stat().st_size > 100_000, 20, "some of it")
    process.signal(signal.SIGKILL)
    wait_for(lambda: not process.is_alive(), 10, "it is dead")
    capture, rest = captures.read_cut(file)
    got = responses(capture)
    check(got == numbers[:len(got)] and len(got) > 1000, f"{len(got)} messages, {rest} bytes left over")
    check(replayed_numbers(lab, "killed-again", file) == [i % 128 for i in range(len(got))],
          "all of them are played")


class Pipe:
    """A file whose reader takes nothing until it is told to."""

    def __init__(self, path):
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(self.fd, True)

    def read_all(self):
        chunks = queue.SimpleQueue()
        while chunk := os.read(self.fd, 1 << 20):
            chunks.put(chunk)
        os.close(self.fd)
        return b"".join(chunks.get() for _ in range(chunks.qsize()))


def slow_disk(lab):
    """A file that takes nothing holds the device; nothing is left out once it goes on."""
    messages = [large(i) for i in range(2000)]
    device = Device(lab, messages)
    pipe = Pipe(lab.path("slow.capture"))
    process = start_capture(lab, "slow", device, "--path", "/n", "-o", lab.path("slow.capture"),
                            "--count", str(len(messages)))
    wait_for(lambda: device.sent > 0, 20, "the device sends")
    wait_for(Stillness(process).is_reached, 20, "nothing goes on")
    held = device.sent
    check(held < len(messages) / 2, f"the device is held after {held} of {len(messages)} messages")
    check(process.peak_mib() < 64, f"in {process.peak_mib():.0f} MiB")
    capture = captures.Capture.FromString(pipe.read_all())
    check(ended(process) == 0, "then it goes on to its end")
    check(responses(capture) == messages, "and every message is there")


def simulator(lab):
    """`sluice sim --replay` is a device for anybody: gnmi_cli gets what was captured."""
    file = lab.path("sim.capture")
    captures.write(file, [(EPOCH_NS, notification(i)) for i in range(5)] + [(EPOCH_NS, b"\x18\x01")] +
                   [(EPOCH_NS, 14, "gone")])
    port = free_port()
    process = lab.start("sim", [sluice(), "sim", "--replay", file, "--listen", f"127.0.0.1:{port}",
                                "--quiet"])
    process.wait_line("listening", 10)
    cli = peer("gnmi_cli", "github.com/openconfig/gnmi/cmd/gnmi_cli")
    for turn in range(2):
        said = subprocess.run([cli, "-address", f"127.0.0.1:{port}", "-insecure", "-q", "/anything",
                               "-query_type", "once", "-display_type", "proto", "-timeout", "10s"],
                              capture_output=True, text=True, timeout=30, check=False)
        found = [f"uint_val: {i}" in said.stdout or f"uint_val:{i}" in said.stdout for i in range(1, 5)]
        check(all(found), f"gnmi_cli, time {turn + 1}: it gets the messages of the capture")
        if not all(found):
            print(said.stdout, said.stderr)
    process = lab.start("missing", [sluice(), "sim", "--replay", lab.path("nowhere")])
    check(ended(process) == 2 and process.find("No such file"), "a file that is not there is told")


# ---- the tools ----

def tool(lab, name, *words):
    process = lab.start(name, [sluice(), *words])
    code = ended(process)
    return code, process.lines


def tools(lab):
    """`sluice subscribe --replay`: every call of the capture, in any format, and how it ended."""
    file = lab.path("tools.capture")
    captures.write(file, [(EPOCH_NS, notification(1)), (EPOCH_NS, 14, "going down"),
                          (EPOCH_NS + S, notification(2)), (EPOCH_NS + S, 8, "no more")],
                   target="leaf9")
    code, lines = tool(lab, "flat", "subscribe", "--replay", file, "--format", "flat")
    said = [line for line in lines if line.startswith("/")]
    check(said == ["/n: 1", "/n: 2"], f"flat: {said}")
    check(code == 0, "ends with 0, though the capture's calls did not")
    check(any("UNAVAILABLE: the peer says: going down" in line for line in lines) and
          any("RESOURCE_EXHAUSTED: the peer says: no more" in line for line in lines),
          "which is said")
    code, lines = tool(lab, "event", "subscribe", "--replay", file, "--format", "event", "--count", "1")
    events = json.loads("".join(line for line in lines if not line.startswith("sluice")))
    check(code == 0 and events[0]["tags"]["source"] == "leaf9", f"event, --count 1: {events}")
    code, lines = tool(lab, "paced", "subscribe", "--replay", file, "--replay-pace", "device",
                       "--format", "flat")
    check(code == 0 and "/n: 2" in lines, "at the device's pace")
    file.write_bytes(file.read_bytes()[:-4])
    code, lines = tool(lab, "cut", "subscribe", "--replay", file, "--format", "flat")
    check(code == 0 and any("cut off" in line for line in lines), "a cut file: what is there, and a word")
    file.write_bytes(b"nothing")
    code, lines = tool(lab, "none", "subscribe", "--replay", file)
    check(code == 2 and "this is not a capture" in lines[0], "no capture: refused")


# ---- credit ----

LARGE = 40_000
LARGE_BYTES = 4000


def large(number):
    """A message of four kilobytes, with its number in it."""
    text = f"{number:08}".encode() + b"x" * LARGE_BYTES
    length = len(text)
    value = b"\x0a" + bytes([length & 0x7f | 0x80, length >> 7]) + text
    body = b"\x0a\x05\x1a\x03\x0a\x01n\x1a" + varint(len(value)) + value
    inner = b"\x08\x01\x22" + varint(len(body)) + body
    return b"\x0a" + varint(len(inner)) + inner


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes([*out, value])


def stalled(lab):
    """A fast replay of 160 MB into a Kafka that stands still: it waits, in bounded memory; once the
    broker goes on, everything arrives and the run ends by itself."""
    file = lab.path("large.capture")
    captures.write(file, [(EPOCH_NS, large(i)) for i in range(LARGE)])
    broker = lab.start("broker", [sluice(), "broker", "--topic", "records"])
    bootstrap = broker.wait_line(r"bootstrap (\S+)", 10)[0].group(1)
    config = configuration({"file": str(file), "pace": "fast"},
                           {"k": {"type": "kafka", "brokers": [bootstrap], "topic": "records",
                                  "key": "${target}", "format": "event"}}, memory="32MiB")
    process = replay(lab, "stalled", config)
    process.wait_line("msg=subscribed", 20)
    broker.signal(signal.SIGSTOP)
    try:
        still = Stillness(process)
        wait_for(still.is_reached, 30, "the replay stands still")
        peak = process.peak_mib()
    finally:
        broker.signal(signal.SIGCONT)
    check(process.is_alive(), "the replay waits for Kafka")
    check(peak < 32 + 48, f"its memory has a bound: {peak:.0f} MiB at the most")
    check(ended(process, 60) == 0, "then it ends by itself, with 0")
    counts = ledger(process)
    check(counts["received"] == counts["published"] == LARGE, f"all is published: {counts}")


class Stillness:
    """A process that uses no more CPU."""

    def __init__(self, process):
        self.process = process
        self.last = None
        self.since = time.monotonic()

    def is_reached(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        used = int(fields[11]) + int(fields[12])
        if self.last is None or used > self.last + 1:
            self.last, self.since = used, time.monotonic()
        return time.monotonic() - self.since > 1.5


def main(lab):
    part(lab, "device", from_a_device)
    part(lab, "stops", stops)
    part(lab, "vendors", vendors)
    part(lab, "kill", kill)
    part(lab, "slow disk", slow_disk)
    part(lab, "simulator", simulator)
    part(lab, "golden", golden)
    part(lab, "pace", pace)
    part(lab, "same", same)
    part(lab, "calls", calls)
    part(lab, "damage", damage)
    part(lab, "tools", tools)
    part(lab, "stalled", stalled)


if __name__ == "__main__":
    run(main)
