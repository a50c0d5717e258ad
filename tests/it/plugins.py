#!/usr/bin/env python3
"""plugins - shared objects: built by a stranger, as processors and sinks, and when they break their word.

  - README   sluice is installed, plugins/README.md's own commands build and run the example outside of
             the tree, with nothing but what was installed
  - errors   a wrong option of a plugin, a wrong object: `sluice check` says what and where
  - rude     a sink for each way to break the interface, each with a device of its own, in one process:
             each is named in log and metrics, in the drain too, nobody else is held, and every ledger
             balances at the end
  - knead    processors before a sink that is often full: each record is seen once, in order; what is
             filtered or broken is counted, and leaves no hole in the numbers
"""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from harness import ROOT, check, must, note, part, run, sluice, wait_for

import objects
from collector import Collector, subscription
from devices import Devices

MESSAGES = 200
EVERY = 10

# How a sink is rude, and what that is called.
RUDE = {"never": "never-acknowledged", "twice": "acknowledged-twice", "unknown": "unknown-token",
        "within": "within-accept", "thread": "other-thread", "answer": "bad-answer",
        "result": "bad-result", "leaves": "left-behind"}
NEVER_READY = "full"  # says FULL once, and nothing any more


# ---- by the README ----

def commands(readme):
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", readme, re.DOTALL | re.MULTILINE))


def install(prefix):
    build = Path(sluice()).resolve().parents[2]
    subprocess.run(["cmake", "--install", build, "--prefix", prefix], check=True,
                   stdout=subprocess.DEVNULL)


def by_readme(lab):
    prefix = lab.path("prefix")
    install(prefix)
    must((prefix / "include/sluice/sluice_plugin.h").exists(), "the headers are installed")
    documents = prefix / "share/doc/sluice"
    place = lab.path("stranger")
    shutil.copytree(documents / "example", place)
    words = "set -eu\n" + commands((documents / "plugins.md").read_text(encoding="utf-8"))
    check(words.count("\ncc ") == 1 and "sluice run" in words, "the README builds and runs it")
    environment = {"PATH": f"{prefix / 'bin'}:{os.environ['PATH']}", "PREFIX": str(prefix),
                   "HOME": str(place)}
    done = subprocess.run(["sh", "-c", words], cwd=place, env=environment, capture_output=True,
                          text=True, timeout=120, check=False)
    must(done.returncode == 0,
         f"the README's commands work{': ' + done.stderr[-600:] if done.returncode else ''}")
    reference = done.stdout
    check("# type: outbox - appends records to a file, by a thread of its own (example 1.0" in reference
          and "# type: envelope" in reference
          and re.search(r"^    records: +\(number from 1 to 1000000, default 1000\) So many", reference,
                        re.MULTILINE), "the reference has the plugins' options as it has others")
    lines = [json.loads(line) for line in (place / "records.jsonl").read_text().splitlines()]
    check(len(lines) == 50 and all(line["label"] == "lab" and line["record"] for line in lines),
          f"{len(lines)} of 50 records came through the processor and the sink")
    check("received=985 published=985 filtered=0 held=0" in done.stderr, "the ledger balances")
    manual = (prefix / "share/man/man5/sluice.yaml.5").read_text(encoding="utf-8")
    check(".It Ic processors\n" in manual and ".It Ic overdue\\-after\n" in manual,
          "the keys have a manual page")


# ---- errors ----

def says(lab, text):
    file = lab.path("wrong.yaml")
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([sluice(), "check", "-c", file], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def errors(lab):
    place = objects.build(lab, "slow", "rude")
    head = (f"collector: {{plugins: {place}}}\n"
            "targets: {leaf1: {insecure: true}}\n"
            "subscriptions: {all: {paths: [/]}}\n")
    code, said = says(lab, head + "processors: {p: {type: knead, does: filtr}}\n"
                                  "sinks: {s: {type: slow, rat: 3, queue: 0, processors: [q]}}\n")
    for words in (":4:37: 'does': expected one of 'number', 'filter'", "did you mean 'filter'?",
                  ":5:25: unknown key 'rat'; did you mean 'rate'?",
                  ":5:40: 'queue': expected a whole number, from 1 to 1000000, found '0'",
                  ":5:56: unknown processor 'q'"):
        check(code == 1 and words in said, f"{words}{'' if words in said else ', found ' + said}")
    (place / "slow.so").chmod(0o777)
    (place / "text.so").write_text("this is no object\n", encoding="utf-8")
    code, said = says(lab, head + "sinks: {s: {type: rude, does: never}}\n")
    for words in (f":1:22: 'plugins': {place}/slow.so: its group or others may write to it",
                  f":1:22: 'plugins': {place}/text.so: it cannot be loaded: "):
        check(code == 1 and words in said, f"{words}{'' if words in said else ', found ' + said}")
    code, said = says(lab, head.replace("leaf1", "leaf2") + "sinks: {s: {type: rude, does: never}}\n")
    check("unknown sink type" not in said, "a good object beside wrong ones is not called unknown")


# ---- broken words ----

def ledgers(collector):
    """{sink: {counter: n}} of the ledger's lines at exit, over all of its streams."""
    sums = {}
    for line in collector.process.lines:
        sink = re.search(r" sink=(\S+) msg=ledger ", line)
        if sink:
            counts = sums.setdefault(sink.group(1), {})
            for name, value in re.findall(r" ([a-z.-]+)=(\d+)", line):
                counts[name] = counts.get(name, 0) + int(value)
            counts["lines"] = counts.get("lines", 0) + 1
            counts["balanced"] = counts.get("balanced", 0) + ("balances=yes" in line)
    return sums


def shown(counts):
    return " ".join(f"{name}={value}" for name, value in counts.items() if value)


def bugs(collector):
    return {(labels["sink"], labels["bug"]): int(value) for name, labels, value in collector.metrics()
            if name == "sluice_plugin_bugs_total"}


def rude(lab):
    place = objects.build(lab, "rude")
    names = [*RUDE, NEVER_READY, "copy"]
    devices = Devices(lab, "sim", len(names), rate=200, messages=MESSAGES)
    addresses = dict(zip(names, devices.addresses().values()))
    sinks = {name: {"type": "rude", "does": name, "every": EVERY, "overdue-after": "500ms"}
             for name in names}
    sinks["copy"] = {"type": "file", "path": str(lab.path("copy.jsonl"))}
    collector = Collector(lab, addresses, {"all": subscription()}, sinks, workers=2, plugins=place,
                          shutdown_timeout="2s",
                          targets={name: {"sinks": [name]} for name in names})
    told = [bug for name, bug in RUDE.items() if name not in ("never", "leaves")]
    wait_for(lambda: {bug for _, bug in bugs(collector)} >= set(told), 20, "every bug in the metrics")
    seen = bugs(collector)
    for name, bug in RUDE.items():
        if bug in told:
            check({kind for sink, kind in seen if sink == name} == {bug},
                  f"{name}: {bug}, and nothing else")
    wait_for(lambda: collector.total("overdue_records", sink="never") > 0, 20, "overdue records")
    check(collector.total("oldest_record_seconds", sink="never") >= 0.5, "and how old the oldest is")
    wait_for(lambda: collector.total("full_seconds", sink=NEVER_READY) > 0.5, 20,
             "a sink that is full and says no more, in the metrics")
    honest = ["twice", "unknown", "within", "answer", "result", "leaves", "copy"]
    devices.wait_done(len(names) - 1, 30)
    wait_for(lambda: all(collector.total("updates_received", sink=name) >= 2 * MESSAGES and
                         collector.total("updates_held", sink=name) == 0 for name in honest), 30,
             "all of the others' updates")
    collector.stop()
    log = "\n".join(collector.process.lines)
    for name, bug in RUDE.items():
        check(re.search(rf"level=error sink={name} plugin=rude worker=\d msg=\"bug of the plugin: .*"
                        rf" bug={bug} ", log), f"{name}: the log says {bug}, and whose it is")
    check(re.search(r"level=warn sink=never plugin=rude .*msg=\"records are overdue", log),
          "never: the log says that records are overdue")
    check(re.search(r"level=warn sink=never plugin=rude .*msg=\"the plugin has not acknowledged "
                    r"records\" reason=shutdown-timeout records=\d+ oldest-s=\d+", log), "never: the drain names it")
    check(re.search(rf'level=warn sink={NEVER_READY} plugin=rude .*msg="the sink said that it is full, '
                    r'and has not said since that there is room" reason=sink-full full-s=\d', log),
          "full: the log says that it has not said that there is room")
    check("this is allowed from any thread" in log, "any thread may log")
    sums = ledgers(collector)
    for name in names:
        counts = sums.get(name, {})
        check(counts.get("lines") and counts["lines"] == counts["balanced"] and counts["held"] == 0,
              f"{name}: the ledger balances, nothing is held: {shown(counts)}")
    for name in ("twice", "unknown", "within", "answer", "leaves", "copy"):
        check(sums[name]["published"] == sums[name]["received"], f"{name}: all is published")
    for name in ("never", "result"):
        check(sums[name]["dropped.sink"] > 0, f"{name}: what was never delivered is dropped")


# ---- processors ----

def records(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def holes(found):
    """Numbers that no record of the one epoch has, and how often one comes again."""
    numbers = [int(record["seq"]) for record in found]
    return len(set(range(1, max(numbers) + 1)) - set(numbers)), len(numbers) - len(set(numbers))


def gaps(found, reason):
    """What markers say of the losses for a reason."""
    return sum(int(record["gap"].get("count", 0)) for record in found
               if record.get("gap", {}).get("reason") == reason)


def knead(lab):
    place = objects.build(lab, "slow", "rude")
    devices = Devices(lab, "sim", 1, messages=MESSAGES)
    exact = {"type": "file", "format": "sluice.v1-json"}
    sinks = {
        "numbered": {"type": "slow", "path": str(lab.path("numbered")), "queue": 1, "place": True,
                     "processors": ["twos", "numbers"]},
        "filtered": {**exact, "path": str(lab.path("filtered")), "processors": ["fifths"]},
        "lines": {**exact, "path": str(lab.path("lines")), "processors": ["fifths"],
                  "batch": {"bytes": "1KiB"}},
        "broken": {**exact, "path": str(lab.path("broken")), "processors": ["numb", "sevenths"]},
        **{name: {"type": "null", "processors": [name]} for name in ("verdict", "payload", "call")},
    }
    processors = {"numbers": {"type": "knead", "does": "number"},
                  "twos": {"type": "knead", "does": "filter", "every": 2},
                  "fifths": {"type": "knead", "does": "filter", "every": 5},
                  "sevenths": {"type": "knead", "does": "break", "every": 7},
                  "numb": {"type": "knead", "does": "number", "every": 1000000},
                  **{name: {"type": "knead", "does": name, "every": 9}
                     for name in ("verdict", "payload", "call")}}
    collector = Collector(lab, devices.addresses(), {"all": subscription()}, sinks, workers=1,
                          plugins=place, processors=processors)
    devices.wait_done(1, 60)
    wait_for(lambda: collector.total("updates_held") == 0, 30, "all updates to be somewhere")
    seen = bugs(collector)
    check({sink: bug for sink, bug in seen} ==
          {"verdict": "bad-verdict", "payload": "bad-payload", "call": "not-a-sink"},
          f"processors that break their word are counted: {seen}")
    collector.stop()
    log = "\n".join(collector.process.lines)
    check(re.search(r'sink=verdict .*bug=bad-verdict processor=verdict ', log), "and named")
    check(re.search(r'sink=broken .*msg="record lost" reason=processor processor=sevenths '
                    r'why="it is the one that cannot be done"', log), "what is broken is told, by whom")
    sums = ledgers(collector)
    for name, counts in sums.items():
        check(counts["lines"] == counts["balanced"] and counts["held"] == 0,
              f"{name}: the ledger balances, nothing is held: {shown(counts)}")

    lines = [line.split("\t") for line in lab.path("numbered").read_text().splitlines()]
    counted = [json.loads(payload)["n"] for _, _, payload in lines]
    check(counted == list(range(1, len(lines) + 1)) and len(lines) >= MESSAGES // 2,
          f"a sink that is full after each record: {len(lines)} records are seen once, in order")
    check(all(topic == f"t-{n}" and key == "kneaded" for (topic, key, _), n in zip(lines, counted)),
          "topic and key are those that the processor gave")
    for name in ("filtered", "lines"):
        check(sums[name]["filtered"] > 0 and holes(records(lab.path(name))) == (0, 0),
              f"{name}: no hole in the numbers, though some are filtered: {holes(records(lab.path(name)))}")
    lost = sums["broken"]["dropped.processor"]
    found = records(lab.path("broken"))
    check(lost > 0 and holes(found) == (0, 0) and gaps(found, "processor") == lost,
          f"broken: {lost} updates dropped, {gaps(found, 'processor')} told in markers")


def main(lab):
    part(lab, "README", by_readme)
    part(lab, "errors", errors)
    part(lab, "rude sinks", rude)
    part(lab, "processors", knead)


if __name__ == "__main__":
    run(main)
