#!/usr/bin/env python3
"""metrics - the page as other programs read it.

prometheus_client's strict parser of OpenMetrics reads every line; promtool, where there is one, finds
nothing to say about names and units. The histograms have as many times as there were, no sample is
named by a path, what a target and a stream have stays below the limits that lib/daemon/report.h
says, and /readyz changes with a required sink.
"""
import shutil
import subprocess
import urllib.error
from collections import Counter

from harness import check, free_port, must, part, run, wait_for

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from collector import Collector, subscription
from devices import Devices

TARGET_SAMPLES, STREAM_SAMPLES, ROUTE_SAMPLES = 24, 72, 24
PROCESS = {"process_cpu_seconds": "counter", "process_resident_memory_bytes": "gauge",
           "process_virtual_memory_bytes": "gauge", "process_open_fds": "gauge",
           "process_max_fds": "gauge", "process_start_time_seconds": "gauge"}
TIMES = ("sluice_lag_seconds", "sluice_sink_report_latency_seconds", "sluice_blocked_seconds")


def families_of(collector):
    return {family.name: family for family in text_string_to_metric_families(collector.page())}


def classic(page):
    """The same for readers of Prometheus' own text format, which know no info and no unit."""
    lines, ends = [], {}
    for line in page.splitlines():
        words = line.split(" ", 3)
        if words[:2] == ["#", "TYPE"]:
            end = {"counter": "_total", "info": "_info"}.get(words[3], "")
            kind = "gauge" if words[3] == "info" else words[3]
            lines.append(f"# TYPE {words[2]}{end} {kind}")
            ends = {words[2]: end}
        elif words[:2] == ["#", "HELP"]:
            lines.append(f"# HELP {words[2]}{ends[words[2]]} {words[3]}")
        elif words[0] != "#":
            lines.append(line)
    return "\n".join(lines) + "\n"


def names_and_units(families):
    for family in families.values():
        must(family.documentation, f"{family.name}: has a HELP")
        for unit in ("bytes", "seconds"):
            must((family.unit == unit) == family.name.endswith(f"_{unit}"),
                 f"{family.name}: has its unit at its end and as UNIT")
    for name, kind in PROCESS.items():
        must(families[name].type == kind and len(families[name].samples) == 1, f"{name}: is there")
    check(True, f"{len(families)} families have HELP and UNIT")


def ask_promtool(page):
    if not shutil.which("promtool"):
        return
    done = subprocess.run(["promtool", "check", "metrics"], input=classic(page), text=True,
                          capture_output=True, check=False)
    check(done.returncode == 0 and not done.stderr, f"promtool has nothing to say: {done.stderr}")


def count_of(families, name, **labels):
    return sum(sample.value for sample in families[name].samples
               if sample.name == f"{name}_count" and labels.items() <= sample.labels.items())


def histograms(collector, families):
    for name in TIMES:
        must(families[name].type == "histogram", f"{name}: is a histogram")
    wait_for(lambda: count_of(families_of(collector), "sluice_lag_seconds", sink="copy") > 20, 20,
             "lag of records that are acknowledged")
    families = families_of(collector)
    lag = count_of(families, "sluice_lag_seconds", subscription="counters", sink="copy")
    latency = count_of(families, "sluice_sink_report_latency_seconds", sink="copy")
    check(0 < lag <= latency, f"{lag:.0f} lags of {latency:.0f} acknowledged records")
    names = {sample.labels["subscription"] for sample in families["sluice_lag_seconds"].samples}
    check(names == {"counters", "state"}, f"lag by subscription: {names}")


def cardinality(families):
    targets, streams, routes = Counter(), Counter(), Counter()
    for family in families.values():
        for sample in family.samples:
            target, name = sample.labels.get("target"), sample.labels.get("subscription")
            must("path" not in sample.labels, f"{sample.name}: has no path")
            if target and "sink" in sample.labels:
                routes[target, name, sample.labels["sink"]] += 1
            elif target and name:
                streams[target, name] += 1
            elif target:
                targets[target] += 1
    check(0 < max(targets.values()) <= TARGET_SAMPLES, f"a target has {max(targets.values())} samples")
    check(0 < max(streams.values()) <= STREAM_SAMPLES, f"a stream has {max(streams.values())} samples")
    check(0 < max(routes.values()) <= ROUTE_SAMPLES, f"a route has {max(routes.values())} samples")


def foreign_readers(lab):
    devices = Devices(lab, "sim", 3, updates=20, rate=20)
    collector = Collector(lab, devices.addresses(),
                          {"counters": subscription(), "state": subscription("/interfaces")},
                          {"copy": {"type": "file", "path": str(lab.path("copy.jsonl"))},
                           "none": {"type": "null"}})
    collector.process.wait_line("msg=synced", 20, 3)
    families = families_of(collector)
    names_and_units(families)
    ask_promtool(collector.page())
    cardinality(families)
    histograms(collector, families)
    check(collector.stop() == 0, "sluice ends with 0")


def readyz(collector):
    try:
        return collector.get("/readyz")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def readiness(lab):
    devices = Devices(lab, "sim", 1, rate=5)
    kafka = {"type": "kafka", "brokers": [f"127.0.0.1:{free_port()}"], "topic": "t"}
    collector = Collector(lab, devices.addresses(), {"all": subscription()},
                          {"main": {"type": "null"}, "gone": kafka})
    wait_for(lambda: readyz(collector)[0] == 503, 30, "no broker: not ready")
    check("sink gone takes no records in" in readyz(collector)[1], "the sink is named, with the reason")
    check(collector.total("sluice_ready") == 0, "so say the metrics")
    collector.stop()
    collector = Collector(lab, devices.addresses(), {"all": subscription()},
                          {"main": {"type": "null"}, "gone": {**kafka, "required": False}})
    collector.process.wait_line("msg=synced", 20)
    check(readyz(collector) == (200, "ok\n"), "a sink that nobody waits for makes nobody unready")
    check(collector.total("sluice_ready") == 1, "so say the metrics")
    collector.stop()


def main(lab):
    part(lab, "foreign readers", foreign_readers)
    part(lab, "readiness", readiness)


if __name__ == "__main__":
    run(main)
