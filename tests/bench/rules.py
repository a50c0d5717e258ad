"""rules - what ten rules cost: updates per CPU-second of `sluice run` into its null sink, and into a real
Kafka, with and without them, in one session.

The devices (`sluice sim`) send as fast as they can be read, both runs take turns, and the best turn of
each is what is compared: other work on the machine can only add to what a turn takes. Updates are those
that the collector received, CPU time is that of all its threads between the same two moments.

Exits 1 when the ratio is below the bound in any row. With --quick there is one short turn each, and no
figure is judged.
"""
import argparse
import os
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "it"))

import harness  # noqa: E402  pylint: disable=wrong-import-position

from collector import Collector, kafka_sink, subscription  # noqa: E402
from devices import Devices  # noqa: E402
from harness import check, must, wait_for  # noqa: E402
from kafka import Kafka  # noqa: E402

from run import cpu_s  # noqa: E402

BOUND = 0.8
COUNTERS = "/interfaces/interface/state/counters"
# They leave nearly all updates in: what is taken out is not encoded, and would look like a gain.
RULES = [
    {"kind": "keep", "path": ["/interfaces/...", "/sluice-sim/..."]},
    {"kind": "drop", "path": "/interfaces/interface/config/..."},
    {"kind": "strip", "modules": True, "origin": True},
    {"kind": "rename", "path": f"{COUNTERS}/...", "from": "in-octets", "to": "rx-bytes"},
    {"kind": "rename", "path": f"{COUNTERS}/...", "from": "out-octets", "to": "tx-bytes"},
    {"kind": "key-to-label", "key": "name", "element": "interface", "to": "interface"},
    {"kind": "label", "path": "/interfaces/...", "set": {"site": "tyo", "role": "leaf"}},
    {"kind": "drop", "path": f"{COUNTERS}/*-errors", "above": "1000000000000000000"},
    {"kind": "deduplicate", "path": f"{COUNTERS}/*-discards", "heartbeat": "1ms"},
    {"kind": "rate-limit", "path": "/sluice-sim/state/session", "interval": "1ms"},
]
ROWS = (("event", 20, "null"), ("event", 1, "null"), ("sluice.v1", 20, "null"), ("event", 20, "kafka"))
SUBJECTS = ("without", "with")


class Bench:
    def __init__(self, lab, options):
        self.lab = lab
        self.options = options
        self.kafka = None
        self.topics = 0

    def sink(self, form, kind):
        if kind == "null":
            return {"type": "null", "format": form}
        self.kafka = self.kafka or Kafka(self.lab)
        # What is written is not read: the broker keeps little of it.
        self.topics += 1
        topic = self.kafka.topic(f"rules-{self.topics}", segment_bytes=16 << 20,
                                 retention_bytes=64 << 20, retention_ms=60_000)
        return kafka_sink(self.kafka.bootstrap, topic, format=form)

    def collector(self, subject, devices, form, kind):
        wants = subject == "with"
        return Collector(self.lab, devices.addresses(),
                         {"counters": subscription(COUNTERS, rules=["ten"] if wants else [])},
                         {"main": self.sink(form, kind)}, workers=1,
                         rules={"ten": RULES})

    def turn(self, subject, devices, form, kind):
        """Updates per CPU-second."""
        collector = self.collector(subject, devices, form, kind)
        pid = collector.process.pid
        try:
            wait_for(lambda: collector.total("updates_received") > 100000, 60, "full swing")
            updates, cpu = collector.total("updates_received"), cpu_s(pid)
            time.sleep(self.options.window)
            updates = collector.total("updates_received") - updates
            cpu = cpu_s(pid) - cpu
            lost = collector.total("updates_filtered") / collector.total("updates_received")
            must(cpu > 0 and lost < 0.2, f"{form} {subject} rules: {updates / max(cpu, 1e-9):,.0f} "
                 f"updates/CPU-s, {lost:.2f} filtered")
        finally:
            collector.process.end()
        return updates / cpu

    def row(self, form, updates, kind):
        devices = Devices(self.lab, "sim", 2, name=f"devices-{updates}", updates=updates)
        best = dict.fromkeys(SUBJECTS, 0)
        for _ in range(self.options.turns):
            for subject in SUBJECTS:
                best[subject] = max(best[subject], self.turn(subject, devices, form, kind))
        devices.process.end()
        return best


def measure(lab, options):
    bench = Bench(lab, options)
    rows = [(*row, bench.row(*row)) for row in ROWS]
    print(f"\n{'format':12}{'updates':>8}{'sink':>8}{'without':>14}{'ten rules':>14}{'ratio':>7}   "
          "updates per CPU-second")
    for form, updates, kind, best in rows:
        print(f"{form:12}{updates:>8}{kind:>8}{best['without']:>14,.0f}{best['with']:>14,.0f}"
              f"{best['with'] / best['without']:>7.2f}", flush=True)
    for form, updates, kind, best in [] if options.quick else rows:
        check(best["with"] >= BOUND * best["without"],
              f"{form} at {updates} into {kind}: with ten rules at least {BOUND} of the rate without")


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="one short turn, no figure judged (SL_LONG=1 in the environment: no)")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--window", type=float, default=3, help="seconds that are measured")
    parser.add_argument("--keep", action="store_true", help="keep the directory with the logs")
    options = parser.parse_args()
    options.long = not options.quick
    if options.quick and not os.environ.get("SL_LONG"):
        options.turns, options.window = 1, 1
    else:
        options.quick = False
    return options


def main():
    options = parse()
    lab = harness.Lab(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        harness.guarded(lab, measure, lab, options)
    finally:
        lab.end()
        lab.remove()
    print(f"{harness.Tally.passed} passed, {harness.Tally.failed} failed", flush=True)
    sys.exit(1 if harness.Tally.failed or not harness.Tally.passed else 0)


if __name__ == "__main__":
    main()
