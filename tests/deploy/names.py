#!/usr/bin/env python3
"""names - every metric that the dashboard and the alerts name is in a live page, with the labels they go by."""
import json
import re
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "it"))
from harness import ROOT, check, free_port, must, run, sluice, wait_for  # pylint: disable=wrong-import-position

OURS = re.compile(r"\b(?:sluice|process)_[a-z0-9_]+")
OF_PROMETHEUS = {"instance", "job", "le", "alertname"}


def expressions():
    """(where, PromQL) of everything in deploy/."""
    board = json.loads((ROOT / "deploy/grafana/sluice.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield f"panel '{panel['title']}'", target["expr"], target.get("legendFormat", "")
    for variable in board["templating"]["list"]:
        yield f"variable {variable['name']}", variable.get("definition", ""), ""
    rules = (ROOT / "deploy/prometheus/sluice.rules.yaml").read_text(encoding="utf-8")
    for name, rule in re.findall(r"- alert: (\w+)\n((?:(?! *- alert:).*\n)*)", rules):
        expression = re.search(r"expr:([\s\S]*?)\n *(?:for|labels):", rule).group(1)
        yield f"alert {name}", expression, re.search(r"summary: (.*)", rule).group(1)


def page(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def names_of(text):
    """Of each sample that the page can have: its labels, as far as there are any yet."""
    names = {}
    for family, kind in re.findall(r"(?m)^# TYPE (\S+) (\S+)$", text):
        endings = {"counter": ("_total", ""), "histogram": ("_bucket", "_count", "_sum")}.get(kind, ("",))
        names.update({family + ending: set() for ending in endings})
    for name, labels in re.findall(r"(?m)^([a-z_:0-9]+)(?:\{(.*)\})? \S+", text):
        names.setdefault(name, set()).update(re.findall(r'([a-z_]+)="', labels))
    return names


def labels_in(expression, legend):
    grouped = re.findall(r"\bby \(([^)]*)\)", expression)
    selected = re.findall(r'([a-z_]+)=~?"', expression)
    shown = re.findall(r"\{\{ ?(?:\$labels\.)?([a-z_]+) ?\}\}", legend)
    return {word.strip() for group in grouped for word in group.split(",")} | set(selected) | set(shown)


def main(lab):
    broker = lab.start("broker", [sluice(), "broker"])
    bootstrap = re.search(r"127\.0\.0\.1:\d+", broker.wait_line(r"^bootstrap ", 20)[0].string).group(0)
    devices = lab.start("devices", [sluice(), "sim", "--listen", "127.0.0.1:0", "--verbose", "--rate", "20"])
    address = devices.wait_line(r"^listening (\S+)", 20)[0].group(1)
    port, closed = free_port(), free_port()
    configuration = lab.path("sluice.yaml")
    configuration.write_text(f"""
collector: {{admin: {{listen: "127.0.0.1:{port}"}}, memory: 64MiB}}
subscriptions: {{counters: {{paths: [/interfaces/interface/state/counters], stream-mode: target-defined}}}}
sinks: {{kafka: {{type: kafka, brokers: ["{bootstrap}"], topic: telemetry}}}}
discovery: {{more: {{type: files, paths: ["{lab.path('more')}.*"]}}}}
targets:
  here: {{address: "{address}", insecure: true}}
  nowhere: {{address: "127.0.0.1:{closed}", insecure: true}}
""", encoding="utf-8")
    collector = lab.start("sluice", [sluice(), "run", "-c", configuration])
    collector.wait_line("connection ended", 20)

    def is_flowing():
        published = re.findall(r'(?m)^sluice_updates_published_total\{.*target="here".*\} (\d+)', page(port))
        return published and int(published[0]) > 0
    collector.wait_line('msg=metrics|msg="metrics"|url=', 20)
    wait_for(is_flowing, 30, "updates published")
    names = names_of(page(port))
    asked = list(expressions())
    must(len(asked) > 40, f"{len(asked)} expressions")
    for where, expression, legend in asked:
        used = set(OURS.findall(expression))
        missing = used - names.keys()
        labels = labels_in(expression, legend) - OF_PROMETHEUS - {name for name in used}
        known = set().union(*(names.get(name, set()) for name in used))
        has_samples = all(names.get(name) for name in used)
        strange = labels - known if has_samples else set()
        if missing or strange:
            check(False, f"{where}: {sorted(missing)} {sorted(strange)} in {expression.strip()}")
    check(True, "all were looked at")
    check(collector.terminate() == 0, "it ends")


if __name__ == "__main__":
    run(main)
