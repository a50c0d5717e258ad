#!/usr/bin/env python3
"""subscribe_tool - `sluice subscribe` as a user meets it: modes, formats, ends, several targets, the
collector's configuration, retries, a reader that stops, exit codes. The devices are `sluice sim` with a
data tree and, where it is about how much is taken, the Go device of tests/peers."""
import json
import os
import re
import signal
import subprocess
import time

from harness import check, free_port, must, part, run, sluice, wait_for  # first: the environment

from device_rpcs import DATA, Client, started, with_data, written
from device_watch import MTU, set_mtu
from devices import Devices

LEAF = "/interfaces/interface[name=eth0]/config/mtu"
PATIENCE_S = 30


def words_of(port, *words):
    return [str(word) for word in (sluice(), "subscribe", "--address", f"127.0.0.1:{port}",
                                   "--insecure", *words)]


def subscribe(port, *words, lines=""):
    return subprocess.run(words_of(port, *words), capture_output=True, text=True, check=False,
                          timeout=PATIENCE_S, input=lines)


def once(lab):
    port = with_data(lab)
    for encoding in ("json", "json_ietf", "proto"):
        done = subscribe(port, "--mode", "once", "--path", "/interfaces/interface[name=eth0]",
                         "--format", "flat", "--encoding", encoding)
        lines = done.stdout.splitlines()
        check(f"{LEAF}: 9000" in lines and lines[-1] == "sync-response: true" and
              done.returncode == 0, f"once, flat, {encoding}")
    done = subscribe(port, "--mode", "ONCE", "--path", LEAF, "--format", "event")
    event = json.loads(done.stdout)[0]
    check(event["values"] == {"/interfaces/interface/config/mtu": 9000} and
          event["tags"]["interface_name"] == "eth0", "event")
    done = subscribe(port, "--mode", "once", "--path", LEAF, "--format", "json", "--name", "mine")
    decoder = json.JSONDecoder()
    first, at = decoder.raw_decode(done.stdout)
    second, _ = decoder.raw_decode(done.stdout[at:].lstrip())
    check(first["updates"][0]["values"] == {"interfaces/interface/config/mtu": 9000} and
          first["subscription-name"] == "mine" and second == {"sync-response": True}, "json")
    done = subscribe(port, "--mode", "once", "--path", LEAF, "--format", "protojson")
    check('"jsonVal": "OTAwMA=="' in done.stdout and '"syncResponse": true' in done.stdout,
          "protojson")
    done = subscribe(port, "--mode", "once", "--path", LEAF, "--format", "prototext")
    check('json_val: "9000"' in done.stdout and "sync_response: true" in done.stdout, "prototext")
    done = subscribe(port, "--mode", "once", "--path", "/interfaces", "--depth", "2", "--format",
                     "flat")
    check(LEAF not in done.stdout and done.returncode == 0, "depth")
    done = subscribe(port, "--mode", "once", "--path", "/interfaces", "--updates-only", "--format",
                     "flat")
    check(done.stdout == "sync-response: true\n", "updates-only")


def records(lab):
    """What sinks write, on standard output: a line for each record."""
    port = with_data(lab)

    def lines(form):
        return subscribe(port, "--mode", "once", "--path", LEAF, "--format", form, "--name",
                         "mtu").stdout.splitlines()

    (event,) = lines("event-split")
    check(json.loads(event)["values"] == {"/interfaces/interface/config/mtu": 9000}, "event-split")
    data, sync = map(json.loads, lines("sluice.v1-json"))
    check(data["updates"][0]["path"] == LEAF and data["kind"] == "KIND_BASELINE" and
          sync["marker"] == "MARKER_SYNCED" and sync["seq"] == "2", "sluice.v1-json")
    (metric,) = lines("telegraf-json")
    check(json.loads(metric)["name"] == "mtu", "telegraf-json")
    (line,) = lines("influx")
    check(line.startswith("mtu,"), "influx")


def polling(lab):
    port = with_data(lab)
    words = ["--mode", "poll", "--path", LEAF, "--format", "flat"]
    syncs = "sync-response: true\n"
    done = subscribe(port, *words, "--poll-count", "3")
    check(done.stdout.count(syncs) == 4 and done.stdout.count("9000") == 4 and
          done.returncode == 0, "--poll-count")
    done = subscribe(port, *words, lines="\n\n")
    check(done.stdout.count(syncs) == 3 and done.returncode == 0, "Enter, then the end of input")
    done = subscribe(port, *words, "--poll-interval", "20ms", "--duration", "1s")
    check(done.stdout.count(syncs) > 3 and done.returncode == 0, "--poll-interval, --duration")


def streams(lab):
    port = with_data(lab)
    client = Client(lab, port)
    stream = lab.start("stream", words_of(port, "--path", LEAF, "--stream-mode", "on-change",
                                          "--format", "flat"))
    stream.wait_line("^sync-response: true", PATIENCE_S)
    set_mtu(client, 1234)
    stream.wait_line(re.escape(LEAF) + ": 1234", PATIENCE_S)
    client.call("Set", written([("delete", MTU, None)]))
    stream.wait_line(re.escape(LEAF) + ": .*deleted", PATIENCE_S)
    stream.signal(signal.SIGINT)
    check(stream.process.wait(PATIENCE_S) == 0, "on-change: a value, its end; Ctrl-C ends well")
    set_mtu(client, 5)
    done = subscribe(port, "--path", LEAF, "--sample-interval", "10ms", "--count", "4", "--format",
                     "flat")
    check(done.stdout.count(": 5\n") == 4 and done.returncode == 0,
          "--sample-interval alone samples; --count")
    done = subscribe(port, "--path", LEAF, "--sample-interval", "10ms", "--heartbeat-interval",
                     "50ms", "--suppress-redundant", "--count", "3", "--format", "flat")
    check(done.stdout.count(": 5\n") == 3, "heartbeats of what is redundant")
    began = time.time_ns()
    set_mtu(client, 6)
    done = subscribe(port, "--mode", "once", "--path", LEAF, "--history-snapshot", began,
                     "--format", "flat")
    check(f"{LEAF}: 5\n" in done.stdout, "--history-snapshot")
    done = subscribe(port, "--path", LEAF, "--history-start", began, "--history-end",
                     time.time_ns(), "--stream-mode", "on-change", "--format", "flat")
    check(done.stdout.splitlines()[-1] == f"{LEAF}: 6" and done.returncode == 0, "--history-start")
    reader = subprocess.run(f"{' '.join(words_of(port, '--path', LEAF))} | head -1", shell=True,
                            capture_output=True, check=False, timeout=PATIENCE_S)
    check(reader.returncode == 0 and not reader.stderr, "ends when nobody reads it any more")


def commits(lab):
    """A config subscription: configuration alone, and what ended each commit."""
    port = with_data(lab)
    client = Client(lab, port)
    stream = lab.start("stream", words_of(port, "--path", "/interfaces/interface[name=eth0]",
                                          "--stream-mode", "on-change", "--config-subscription",
                                          "--format", "flat"))
    stream.wait_line("^sync-response: true", PATIENCE_S)
    set_mtu(client, 77)
    stream.wait_line(re.escape(LEAF) + ": 77", PATIENCE_S)
    stream.wait_line(r'^extension: .*"syncDone"', PATIENCE_S)
    check(not stream.find("/state/"), "no state; sync_done is shown")


def several(lab):
    first, second = with_data(lab), with_data(lab)
    done = subscribe(f"{first},127.0.0.1:{second}", "--mode", "once", "--path", LEAF, "--format",
                     "flat")
    check({f"[127.0.0.1:{port}] {LEAF}: 9000" for port in (first, second)} <=
          set(done.stdout.splitlines()) and done.returncode == 0, "two targets, each named")
    done = subscribe(f"{first},127.0.0.1:1", "--mode", "once", "--path", LEAF, "--format", "flat")
    check(f"{LEAF}: 9000" in done.stdout and "127.0.0.1:1: no connection" in done.stderr and
          done.returncode == 7, "one of two: 7")


def configured(lab):
    port = with_data(lab)
    file = lab.path("sluice.yaml")
    file.write_text(json.dumps({
        "targets": {"leaf1": {"address": f"127.0.0.1:{port}", "insecure": True},
                    "leaf2": {"address": "127.0.0.1:1", "insecure": True}},
        "subscriptions": {"mtu": {"paths": [LEAF], "stream-mode": "on-change",
                                  "encoding": "proto"},
                          "system": {"paths": ["/system"], "stream-mode": "on-change"}},
        "sinks": {"none": {"type": "null"}}}), encoding="utf-8")

    def call(*words):
        return subprocess.run([sluice(), "subscribe", "--config", file, "--target", "leaf1", *words],
                              capture_output=True, text=True, check=False, timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL)

    done = call("--mode", "once", "--format", "flat")
    check(f"{LEAF}: 9000" in done.stdout and "/system/config/offset: -5" in done.stdout and
          done.returncode == 0, "all subscriptions of the target, once")
    done = call("--name", "mtu", "--count", "1", "--format", "protojson")
    check('"uintVal": "9000"' in done.stdout and "system" not in done.stdout and
          done.returncode == 0, "one of them, as it says")
    done = call("--mode", "once", "--path", "/system/config/offset", "--format", "flat")
    check(done.stdout == "/system/config/offset: -5\nsync-response: true\n", "its target alone")
    done = call("--name", "none")
    check(done.returncode == 2 and "leaf1" in done.stderr, "no such subscription: 2")
    told = call("--dry-run", "--name", "mtu", "--format", "prototext").stdout
    check("mode: ON_CHANGE" in told and "encoding: PROTO" in told, "--dry-run")


def retried(lab):
    port = free_port()
    stream = lab.start("stream", words_of(port, "--path", "/system/config/offset", "--format", "flat",
                                          "--retry", "100ms", "--stream-mode", "on-change"))
    stream.wait_line("no connection", PATIENCE_S)
    file = lab.path("data.json")
    file.write_text(json.dumps(DATA), encoding="utf-8")
    words = [sluice(), "sim", "--listen", f"127.0.0.1:{port}", "--data", file]
    first = lab.start("first", words)
    stream.wait_line("^/system/config/offset: -5", PATIENCE_S)
    first.terminate()
    stream.wait_line("again in", PATIENCE_S)
    lab.start("second", words)
    stream.wait_line("^/system/config/offset: -5", PATIENCE_S, count=2)
    check(stream.terminate() == 0, "--retry: from the start, and after a break")


def refused(lab):
    check(subscribe(1, "--path", "/a").returncode == 3, "no connection: 3")
    check(subscribe(1).returncode == 2, "no path: 2")
    check(subscribe(1, "--path", "/a[").returncode == 2, "a wrong path: 2")
    check(subscribe(1, "--path", "/a", "--poll-count", "1").returncode == 2, "words at odds: 2")
    check(subscribe(1, "--path", "/a", "--history-start", "now").returncode == 2, "no time: 2")
    port = started(lab, "--fail", "Subscribe=PERMISSION_DENIED:not you")
    done = subscribe(port, "--path", "/a", "--mode", "once")
    check(done.returncode == 4 and "not you" in done.stderr, "refused by login: 4")
    port = started(lab, "--fail", "Subscribe=INVALID_ARGUMENT:which path")
    done = subscribe(port, "--path", "/a")
    check(done.returncode == 5 and "which path" in done.stderr, "refused: 5")


def on_terminal(lab):
    """A table, and Enter to poll: what a person at a terminal sees."""
    port = with_data(lab)
    ours, theirs = os.openpty()
    stream = subprocess.Popen(words_of(port, "--mode", "poll", "--path", LEAF), stdin=theirs,
                              stdout=theirs, stderr=subprocess.DEVNULL)
    lab.on_end(stream.kill)
    os.close(theirs)
    shown = b""

    def read_until(rounds):
        nonlocal shown
        while shown.count(b"sync-response: true") < rounds:
            shown += os.read(ours, 4096)

    read_until(1)
    os.write(ours, b"\n")
    read_until(2)
    os.write(ours, b"\x04")
    check(stream.wait(PATIENCE_S) == 0, "Enter polls, Ctrl-D ends well")
    text = shown.decode()
    check(re.search(r"^\d{4}-\d\d-\d\dT\S+Z", text, re.M) and
          len(re.findall(rf"^  {re.escape(LEAF)} +9000", text, re.M)) == 2, "a table")
    os.close(ours)


def numbers(text):
    return [int(found) for found in re.findall(r"/seq: (\d+)$", text, re.M)]


def held_back(lab, size):
    """A reader that stops stops the device; nothing piles up, and nothing is lost."""
    devices = Devices(lab, "go", updates=2, sizes=(size, size))
    reading, writing = os.pipe()
    stream = subprocess.Popen(words_of(devices.ports[0], "--path", "/interfaces/interface/state",
                                       "--format", "flat"), stdout=writing,
                              stdin=subprocess.DEVNULL)
    lab.on_end(stream.kill)
    os.close(writing)

    def still():
        before = devices.total_seq()
        time.sleep(1.2)  # the device says where it stands once a second
        return before and before == devices.total_seq() and before

    stopped = wait_for(still, PATIENCE_S, "the device stands still")
    status = open(f"/proc/{stream.pid}/status", encoding="ascii").read()
    peak_kib = int(re.search(r"VmHWM:\s+(\d+)", status).group(1))
    check(peak_kib < 64 * 1024, f"held at {stopped} messages, {peak_kib} KiB in use")
    check(stream.poll() is None, "it waits")
    text = b""
    while len(numbers(text.decode())) < 3 * stopped:
        text += os.read(reading, 1 << 20) or must(False, "it goes on")
    found = numbers(text.decode().rsplit("\n", 1)[0])
    check(found == list(range(found[0], found[0] + len(found))), f"all of {len(found)}, in order")
    wait_for(still, PATIENCE_S, "the device stands still again")
    stream.send_signal(signal.SIGTERM)
    check(stream.wait(PATIENCE_S) == 0, "ends well, though nobody reads")
    os.close(reading)


def main(lab):
    part(lab, "once", once)
    part(lab, "records", records)
    part(lab, "polling", polling)
    part(lab, "streams", streams)
    part(lab, "commits", commits)
    part(lab, "several", several)
    part(lab, "configured", configured)
    part(lab, "retried", retried)
    part(lab, "refused", refused)
    part(lab, "terminal", on_terminal)
    part(lab, "held back, small messages", held_back, 2000)
    part(lab, "held back, messages longer than a pipe", held_back, 200_000)


if __name__ == "__main__":
    run(main)
