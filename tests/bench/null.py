#!/usr/bin/env python3
"""null - what sluice costs without Kafka: the sink `null`, which forgets what it is given.

Three things, each with devices that send as fast as they are read:

  event     updates per CPU-second of `sluice run`, 20 in a notification, beside the floor's
            (tests/bench/floor --null: the same connection, walk and encoding in one loop, and no more),
            in turns; the ratio of the best turns is judged
  JSON      MB per CPU-second of messages whose values are containers of JSON_IETF, as events and as
            sluice.v1: what the kernel says the devices have sent and had acknowledged
  stages    nanoseconds of an update in each stage (bench_stages), beside what
            design measurements of the same kind gave, and what is left: sockets, loop, credit

The CPU time is that of all threads, between two moments in full swing. Exits 1 when a bound is not
kept; the short form (without SL_LONG=1 or --long) has one short turn each and judges no figure.
"""
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "it"))

import harness  # noqa: E402  pylint: disable=wrong-import-position

import captures  # noqa: E402
from collector import Collector, subscription  # noqa: E402
from harness import check, must, note, run, wait_for  # noqa: E402

RATIO = 0.6
JSON_MB = 300
DEVICES = 4
UPDATES = 20
WARM_S = 1
START_S = 60
# ns per update of five elements with a key, on a machine of two cores: the walk with and without
# interned paths, a frame of 1 KB in nghttp2 by 10 updates.
DESIGN = {"h2": "4", "check": "", "walk": "19 with its path found again", "intern": "in the walk's",
          "encode": "", "grpc": ""}
COUNTERS = ("in-octets", "in-unicast-pkts", "in-broadcast-pkts", "in-multicast-pkts", "in-discards",
            "in-errors", "out-octets", "out-unicast-pkts", "out-broadcast-pkts",
            "out-multicast-pkts", "out-discards", "out-errors")


def program(variable, place):
    return os.environ.get(variable) or harness.ROOT / "build/release/tests/bench" / place


def cpu_s(pid):
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def simulators(lab, name, *words):
    """{target: address} of devices on a port each."""
    process = lab.start(name, [harness.sluice(), "sim", "--listen", "127.0.0.1:0", "--devices",
                               DEVICES, "--ports", "each", "--quiet", *words])
    found = process.wait_line(r"^listening (\S+)$", START_S, DEVICES)
    return {f"dev{number}": match.group(1) for number, match in enumerate(found, 1)}


def turn_s(lab):
    return 4 if lab.is_long else 1.5


def collector(lab, devices, form):
    return Collector(lab, devices, {"counters": subscription()},
                     {"null": {"type": "null", "format": form}}, workers=1, target={
                         "vendor": "generic"})


# ---- event ----

def sluice_turn(lab, devices):
    running = collector(lab, devices, "event")
    pid = running.process.pid

    def published():
        return running.total("updates_published")
    wait_for(lambda: published() > 100_000, START_S, "sluice in full swing")
    time.sleep(WARM_S)
    first, cpu = published(), cpu_s(pid)
    time.sleep(turn_s(lab))
    rate = (published() - first) / (cpu_s(pid) - cpu)
    must(running.stop() == 0, f"sluice: {rate:,.0f} updates per CPU-second")
    return rate


def floor_turn(lab, devices):
    words = [word for name, address in devices.items() for word in ("--device", f"{name}={address}")]
    process = lab.start("floor", [program("FLOOR", "floor/floor"), "--null", *words])
    time.sleep(WARM_S + turn_s(lab))
    process.terminate()
    found = process.wait_line(r"^messages=\d+ updates=(\d+) .* updates-per-cpu-s=(\d+)", 5)
    rate = float((found[0] if isinstance(found, list) else found).group(2))
    must(rate > 0, f"floor: {rate:,.0f} updates per CPU-second")
    return rate


def event(lab):
    devices = simulators(lab, "counters", "--fast", "--updates", UPDATES, "--interfaces", 8)
    turns = [(floor_turn(lab, devices), sluice_turn(lab, devices))
             for _ in range(5 if lab.is_long else 1)]
    floor, ours = (max(column) for column in zip(*turns))
    text = (f"event, {UPDATES} updates in a notification: {ours:,.0f} updates per CPU-second, "
            f"{ours / floor:.2f} of the floor's {floor:,.0f}")
    if lab.is_long:
        check(ours / floor >= RATIO, f"{text}; at least {RATIO}")
    else:
        note(text)
    return ours


# ---- JSON ----

def counters(number):
    values = {name: str(number * 7 ** place) for place, name in enumerate(COUNTERS)}
    return {**values, "carrier-transitions": number, "load": 0.25,
            "last-clear": "2020-07-23T08:06:26Z"}


def interfaces(count):
    return {"openconfig-interfaces:interface": [
        {"name": f"ethernet-1/{i}",
         "config": {"name": f"ethernet-1/{i}", "type": "iana-if-type:ethernetCsmacd",
                    "enabled": True},
         "state": {"oper-status": "UP", "ifindex": i, "counters": counters(i)}}
        for i in range(count)]}


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number, payload):
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def message(path, value, number):
    """One update with a container of JSON_IETF; compact, as devices write it."""
    text = json.dumps(value, separators=(",", ":")).encode()
    elems = b"".join(field(3, field(1, name.encode()) + (
        field(2, field(1, b"name") + field(2, key.encode())) if key else b"")) for name, key in path)
    return field(1, field(1, 1_595_491_586_073_072_000 + number) +
                 field(4, field(1, elems) + field(3, field(11, text))))


def json_messages(kind):
    if kind == "an interface's counters":
        return [message([("interfaces", ""), ("interface", f"ethernet-1/{i}"), ("state", ""),
                         ("counters", "")], counters(i), i) for i in range(100)]
    return [message([("interfaces", "")], interfaces(40), i) for i in range(10)]


def acknowledged(ports):
    """Bytes that the devices' kernel has sent and had acknowledged, of all their connections."""
    said = subprocess.run(["ss", "-tinH", "state", "established"], capture_output=True, text=True,
                          check=True).stdout
    lines, total = said.splitlines(), 0
    for head, more in zip(lines, lines[1:]):
        words = head.split()
        if len(words) >= 3 and words[2].rpartition(":")[2] in ports and not head[0].isspace():
            found = re.search(r"bytes_acked:(\d+)", more)
            total += int(found.group(1)) if found else 0
    return total


def json_turn(lab, devices, form, kind):
    running = collector(lab, devices, form)
    pid = running.process.pid
    ports = {address.rpartition(":")[2] for address in devices.values()}
    wait_for(lambda: acknowledged(ports) > 10_000_000, START_S, "sluice in full swing")
    time.sleep(WARM_S)
    first, cpu, messages = acknowledged(ports), cpu_s(pid), running.total("updates_published")
    time.sleep(turn_s(lab))
    used = cpu_s(pid) - cpu
    rate = (acknowledged(ports) - first) / 1e6 / used
    messages = (running.total("updates_published") - messages) / used
    must(running.stop() == 0 and messages > 0,
         f"{form}, {kind}: {rate:,.0f} MB and {messages:,.0f} containers per CPU-second")
    return rate


def containers(lab):
    for kind in ("an interface's counters", "40 interfaces"):
        messages = json_messages(kind)
        file = lab.path(f"{len(messages)}.capture")
        capture = captures.Capture(magic=captures.MAGIC)
        capture.header.version = 1
        for number, bytes_ in enumerate(messages):
            capture.entry.add(received_ns=1_595_491_586_073_072_000 + number, response=bytes_)
        file.write_bytes(capture.SerializeToString())
        devices = simulators(lab, f"json-{len(messages)}", "--replay", file, "--replay-pace", "fast",
                             "--replay-loop")
        for form in ("event", "sluice.v1"):
            best = max(json_turn(lab, devices, form, kind) for _ in range(3 if lab.is_long else 1))
            text = (f"JSON_IETF, {kind}, messages of {len(messages[-1]):,} bytes, {form}: "
                    f"{best:,.0f} MB per CPU-second")
            if lab.is_long:
                check(best >= JSON_MB, f"{text}; at least {JSON_MB}")
            else:
                note(text)


# ---- stages ----

def stages(lab, whole):
    done = subprocess.run([program("STAGES", "bench_stages"), "9" if lab.is_long else "2"],
                          capture_output=True, text=True, check=True).stdout
    found = {name: float(ns) for name, ns in re.findall(r"^stage (\S+) (\S+)$", done, re.M)}
    must(set(found) == set(DESIGN), f"stages: {', '.join(found)}")
    print(f"\n{'stage':10}{'ns per update':>15}   measured before sluice was written")
    for name, ns in found.items():
        print(f"{name:10}{ns:15.1f}   {DESIGN[name]}")
    print(f"{'all these':10}{sum(found.values()):15.1f}")
    print(f"{'whole':10}{1e9 / whole:15.1f}   with sockets, loop, credit and sink\n", flush=True)


def main(lab):
    whole = event(lab)
    containers(lab)
    stages(lab, whole)


if __name__ == "__main__":
    run(main)
