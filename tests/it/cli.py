#!/usr/bin/env python3
"""cli - what a user sees of the commands: exit codes, messages, how `run` ends, the admin listener."""
import re
import signal
import subprocess
import time
import urllib.error

from harness import Process, check, free_port, must, part, run, sluice, wait_for

from collector import Collector, kafka_sink, subscription
from devices import Devices


def call(*words):
    return subprocess.run([sluice(), *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=30, stdin=subprocess.DEVNULL)


def usage(_lab):
    check(call().returncode == 2, "no command: exit 2")
    unknown = call("collect")
    check(unknown.returncode == 2 and "collect" in unknown.stderr, "unknown command: exit 2, named")
    check(call("version").stdout.startswith("sluice "), "version")
    for command in ("run", "check", "sim", "broker"):
        told = call(command, "--help")
        check(told.returncode == 0 and command in told.stdout, f"{command} --help: exit 0")
        check(call(command, "--no-such-option").returncode == 2, f"{command} --no-such-option: exit 2")


GOOD = """\
collector: {memory: 64MiB, workers: 1}
targets: {leaf1: {address: "127.0.0.1:1", insecure: true}}
subscriptions: {all: {paths: [/interfaces]}}
sinks: {none: {type: "null"}}
"""


def checked(lab, text):
    file = lab.path("checked.yaml")
    file.write_text(text, encoding="utf-8")
    return call("check", "-c", file), file


def check_command(lab):
    good, _ = checked(lab, GOOD)
    check(good.returncode == 0 and not good.stderr, f"a good file: exit 0 {good.stderr}")
    bad, file = checked(lab, GOOD.replace("workers: 1", "wokers: 1").replace("64MiB", "64Mib"))
    places = re.findall(rf"^{re.escape(str(file))}:(\d+):(\d+): ", bad.stderr + bad.stdout, re.M)
    check(bad.returncode == 1, "a bad file: exit 1")
    check(len(places) == 2, f"both errors, each with file:line:column {places}")
    check("workers" in bad.stderr + bad.stdout, "the nearest key")
    narrow, _ = checked(lab, GOOD.replace("64MiB", "16MiB").replace(
        "{leaf1: {", "{" + ", ".join(f'leaf{i}: {{address: "127.0.0.1:1", insecure: true}}'
                                     for i in range(2, 2000)) + ", leaf1: {"))
    check(narrow.returncode == 1, "2,000 streams do not fit 16 MiB: exit 1")
    check(call("check", "-c", lab.path("none.yaml")).returncode == 1, "no such file: exit 1")
    check(call("run", "-c", file).returncode == 1, "run of a bad file: exit 1")


def started(lab, sinks, messages=2000, **options):
    devices = Devices(lab, "sim", 2, messages=messages)
    return devices, Collector(lab, devices.addresses(), {"all": subscription()}, sinks, **options)


def run_and_end(lab):
    devices, collector = started(lab, {"none": {"type": "null"}})
    devices.wait_done(2, 30)
    wait_for(lambda: collector.total("received") > 0, 10, "metrics that count")
    check(collector.get("/healthz")[0] == 200, "/healthz: 200")
    missing = {"received", "published", "filtered", "dropped", "granted", "limit", "blocked_seconds",
               "reconnects", "duplicates", "sync", "queue", "latency", "memory", "stream_held"}
    missing -= {word for word in missing if word in collector.get("/metrics")[1]}
    check(not missing, f"metrics of all that there is to count; missing: {missing or 'none'}")
    try:
        status = collector.get("/nothing")[0]
    except urllib.error.HTTPError as error:
        status = error.code
    check(status == 404, "/nothing: 404")
    began = time.monotonic()
    code = collector.stop()
    check(code == 0, f"SIGTERM: exit {code} after {time.monotonic() - began:.1f} s")
    ledger = [line for line in collector.process.lines if "received=" in line]
    check(len(ledger) >= 2, "the ledger of each stream is in the log")
    for line in ledger:
        number = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}
        dropped = sum(map(int, re.findall(r"dropped\.[\w-]+=(\d+)", line)))
        check(number["received"] == number.get("published", 0) + number.get("filtered", 0) + dropped
              + number.get("held", 0), f"balances: {line}")


def run_without_broker(lab):
    """What is held cannot be flushed: the end comes by shutdown-timeout, or at once when asked twice."""
    devices, collector = started(
        lab, {"main": kafka_sink(f"127.0.0.1:{free_port()}", "t")}, messages=0)
    check(collector.process.is_alive(), "runs without a broker")
    check(devices.total_seq() == 0, "no device is subscribed to while its sink takes nothing")
    began = time.monotonic()
    collector.process.signal(signal.SIGTERM)
    collector.process.signal(signal.SIGTERM)
    must(wait_for(lambda: not collector.process.is_alive(), 5, "the end"), "SIGTERM twice: ends")
    check(time.monotonic() - began < 3, f"at once: {time.monotonic() - began:.1f} s")


def run_stalled(lab):
    """The trial broker stands still with records on their way: SIGTERM waits as long as it may."""
    broker = Process(lab, "broker", [sluice(), "broker"])
    bootstrap = broker.wait_line(r"(127\.0\.0\.1:\d+)", 20)[0].group(1)
    devices, collector = started(lab, {"main": kafka_sink(bootstrap, "t")}, messages=0)
    wait_for(lambda: devices.total_seq() > 2000, 30, "records flow")
    broker.signal(signal.SIGSTOP)
    wait_for(lambda: blocked_for(devices, 2), 30, "held")
    began = time.monotonic()
    code = collector.stop(40)
    took = time.monotonic() - began
    check(code == 0 and 15 < took < 25, f"SIGTERM with a dead sink: exit {code} after {took:.0f} s"
                                        " of 20 s shutdown-timeout")
    check(any("received=" in line for line in collector.process.lines), "the ledger is in the log")
    broker.signal(signal.SIGCONT)
    check(broker.terminate(10) == 0, "sluice broker ends with 0 on SIGTERM")
    check(devices.process.terminate(10) == 0, "sluice sim ends with 0 on SIGTERM")


def blocked_for(devices, seconds):
    return devices.now() and all(blocked > seconds for _, blocked in devices.now().values())


def main(lab):
    part(lab, "usage", usage)
    part(lab, "check", check_command)
    part(lab, "run and end", run_and_end)
    part(lab, "run without a broker", run_without_broker)
    part(lab, "run with a broker that stands still", run_stalled)


if __name__ == "__main__":
    run(main)
