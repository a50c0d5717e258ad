#!/usr/bin/env python3
"""fleet - many idle devices of one inventory: how soon they are up, and what they and who looks at them cost.

The devices, each on a port of its own, send what they have and then nothing. They are named by a file
that discovery reads. What is measured beside wall clock is the CPU time that the collector itself took,
which other load on the machine hardly changes. In the short form there are 500 of them, and what is
asserted are counts and bytes; the long one (SL_LONG=1) has 5,000 and judges times: all of them up within
60 s under the default pace of connections, at rest below 2% of a core, /metrics within 200 ms, each
question of the status page and each key of `sluice top` within a second.
"""
import json
import statistics
import time

from harness import check, must, note, run, wait_for

from collector import Collector, subscription
from devices import Devices
from top import ESCAPE, Terminal

UP_S, REST_S, TIMES = 60, 10, 5
REST_PERCENT, SCRAPE_S, ANSWER_S = 2, 0.2, 1
METRICS_BYTES = 1400  # of a stream on the page; names of the test are short
ROW_BYTES = 1024      # of a stream in the list that the status page asks for
SAMPLES = 17           # of a target and its stream, at rest: what is 0 mostly has none
FIXED_BYTES = 64 * 1024
CONNECTS_PER_S, BURST = 200, 100  # collector.connect's defaults
PAGE_ROWS = 5000


class Meter:
    """What a question costs: (seconds, CPU seconds of the collector, bytes), medians of several."""

    def __init__(self, collector):
        self.collector, self.clock = collector, (~collector.process.pid << 3) | 2  # its CPU time: clock_getres(2)

    def cpu_s(self):
        return time.clock_gettime(self.clock)

    def ask(self, path):
        costs = []
        for _ in range(TIMES):
            cpu_s, since = self.cpu_s(), time.monotonic()
            text = self.collector.get(path)[1]
            costs.append((time.monotonic() - since, self.cpu_s() - cpu_s, len(text.encode())))
        costs = [statistics.median(parts) for parts in zip(*costs)]
        note(f"{path}: {costs[0] * 1000:.0f} ms, {costs[1] * 1000:.0f} ms of CPU, {costs[2]} bytes")
        return costs

    def load_percent(self, seconds):
        """Of one core, over that time."""
        cpu_s, since = self.cpu_s(), time.monotonic()
        time.sleep(seconds)  # the time that is measured, not a wait
        return (self.cpu_s() - cpu_s) / (time.monotonic() - since) * 100


def started(lab, count):
    devices = Devices(lab, "sim", count, updates=2, rate=1, words=["--quiet"])
    file = lab.path("fleet.json")
    file.write_text(json.dumps([{"name": name, "address": address, "insecure": True,
                                 "labels": {"site": f"site{number % 50}"}}
                                for number, (name, address) in enumerate(devices.addresses().items())]),
                    encoding="utf-8")

    def edit(config):
        config["discovery"] = {"fleet": {"type": "files", "paths": [str(file)]}}
        config["collector"]["connect"] = {"per-label": {"label": "site", "rate": 10}}
        del config["targets"]

    return Collector(lab, {}, {"all": subscription("/interfaces", stream_mode="sample",
                                                   sample_interval="600s")},
                     {"null": {"type": "null"}}, memory="1GiB", edit=edit)


def come_up(lab, count):
    began = time.monotonic()
    collector = started(lab, count)
    collector.process.wait_line(r"subscription=all msg=synced", UP_S * 2, count)
    up_s = time.monotonic() - began
    note(f"{count} devices up after {up_s:.1f} s")
    check(up_s > (count - BURST) / CONNECTS_PER_S - 1, "not before their turn")
    if lab.is_long:
        check(up_s < UP_S, f"{count} devices are up within {UP_S} s")
    check(collector.total("connection_ends") == 0, "no connection ended")
    wait_for(lambda: collector.total("updates_held") == 0, 30, "nothing is held")
    return collector


def rest(lab, meter):
    percent = meter.load_percent(REST_S if lab.is_long else 1)
    rss_mib = meter.collector.process.status_kib("VmRSS") / 1024
    note(f"at rest {percent:.2f}% of a core, {rss_mib:.1f} MiB resident")
    if lab.is_long:
        check(percent < REST_PERCENT, f"at rest below {REST_PERCENT}% of a core")


def scrape(lab, meter, count):
    seconds, _, size = meter.ask("/metrics")
    check(size < FIXED_BYTES + METRICS_BYTES * count, f"/metrics: {size / count:.0f} bytes a stream")
    page = meter.collector.page()
    seen = {name: page.count(f"\n{name}{{target=")
            for name in ("sluice_target_up", "sluice_stream_synced", "sluice_updates_received_total")}
    check(set(seen.values()) == {count}, f"each target and stream is on it: {seen}")
    samples = page.count('{target="dev7",') + page.count('{target="dev7"}')
    check(0 < samples <= SAMPLES, f"a target at rest with one stream has {samples} samples")
    if lab.is_long:
        check(seconds < SCRAPE_S, f"/metrics within {SCRAPE_S * 1000:.0f} ms")


def status_page(lab, meter, count):
    """What its modules ask at each look (lib/page/assets/main.js), and, of scripts, all rows at once."""
    costs = {path: meter.ask(f"/api/v1/{path}") for path in
             ("status", "sinks", "events?after=0&limit=300&newest=true", "targets/dev7",
              "streams?summary=true&limit=50&offset=0", f"streams?limit={PAGE_ROWS}&offset=0")}
    listed = json.loads(meter.collector.get(f"/api/v1/streams?limit={PAGE_ROWS}")[1])
    check(listed["total"] == count and len(listed["streams"]) == count, f"all {count} streams in one answer")
    for path, (seconds, _, size) in costs.items():
        most = FIXED_BYTES * 2 + (ROW_BYTES * count if path.startswith("streams?limit") else 0)
        check(size < most, f"{path}: {size} bytes")
        if lab.is_long:
            check(seconds < ANSWER_S, f"{path}: within {ANSWER_S} s")


def top(lab, meter, count):
    """Keys and what they bring, with an interval so long that only keys can have brought it."""
    began = time.monotonic()
    screen = Terminal(lab, "--admin", f"127.0.0.1:{meter.collector.port}", "--interval", "1s")
    screen.shows(rf"streams {count}: {count} synced", "top: the totals")
    took = {"start": time.monotonic() - began}
    for keys, pattern in (("N", r"by name, least first"), ("/dev49", r"filter: dev49_"),
                          ("\r", r"streams? with 'dev49'"), (ESCAPE, rf"^{count} streams by"),
                          ("2", r"^null +null"), ("1", rf"^{count} streams by")):
        began = time.monotonic()
        screen.press(keys)
        screen.shows(pattern, f"top: {keys!r}")
        took[keys] = time.monotonic() - began
    note("top: " + ", ".join(f"{keys!r} {seconds * 1000:.0f} ms" for keys, seconds in took.items()))
    percent = meter.load_percent(REST_S if lab.is_long else 1)
    note(f"with top every second {percent:.2f}% of a core")
    screen.press("q")
    screen.ends(0, "top: q ends it")
    if lab.is_long:
        check(max(took.values()) < ANSWER_S, f"top: each key within {ANSWER_S} s")


def main(lab):
    count = 5000 if lab.is_long else 500
    collector = come_up(lab, count)
    meter = Meter(collector)
    rest(lab, meter)
    scrape(lab, meter, count)
    status_page(lab, meter, count)
    top(lab, meter, count)
    must(collector.stop() == 0, "sluice ends with 0")


if __name__ == "__main__":
    run(main)
