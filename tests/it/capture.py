#!/usr/bin/env python3
"""capture - what a device sent, kept in a file and played again.

The files are read and written by Python's protobuf with classes made from proto/capture.proto; what a
replay must come out as are the golden messages, recorded from gnmic and Telegraf.
"""
import json
import signal
import socket
import time

from harness import check, must, part, run, sluice, wait_for

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
        process = replay(lab, how, configuration({"file": str(file), "pace": how},
                                                 sluice_sink(lab, f"{how}.json")))
        check(ended(process) == 0, f"{how}: ends with 0")
        records = records_of(lab.path(f"{how}.json"))
        check(numbers_of(records) == list(range(10)), f"{how}: all records, in order")
        times = [int(record["receivedNs"]) for record in records if record.get("updates")]
        check(times == sorted(times), f"{how}: and so are their times")
        if how == "device":
            check(times[-1] - times[0] > 9 * step / 2, "device: they are not there all at once")


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
    part(lab, "golden", golden)
    part(lab, "pace", pace)
    part(lab, "calls", calls)
    part(lab, "damage", damage)
    part(lab, "stalled", stalled)


if __name__ == "__main__":
    run(main)
