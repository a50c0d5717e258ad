#!/usr/bin/env python3
"""fleet - many idle devices of one inventory: how soon they are up, and what they cost then.

The devices, each on a port of its own, send what they have and then nothing. They are named by a file
that discovery reads. In its short form there are 500 of them, in the long one 5,000: all of them up
within 60 s under the default pace of connections, at rest below 2% of a core, /metrics in 200 ms.
"""
import json
import time

from harness import check, must, note, run, wait_for

from collector import Collector, subscription
from devices import Devices

UP_S, REST_S = 60, 10
REST_PERCENT, SCRAPE_S = 2, 0.2


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main(lab):
    count = 5000 if lab.is_long else 500
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

    began = time.monotonic()
    collector = Collector(lab, {}, {"all": subscription("/interfaces", stream_mode="sample",
                                                        sample_interval="600s")},
                          {"null": {"type": "null"}}, memory="1GiB", edit=edit)
    collector.process.wait_line(r"subscription=all msg=synced", UP_S * 2, count)
    up_s = time.monotonic() - began
    note(f"{count} devices up after {up_s:.1f} s")
    check(up_s < UP_S, f"{count} devices are up within {UP_S} s")
    check(up_s > (count - 100) / 200 - 1, "and not before their turn")
    check(collector.total("connection_ends") == 0, "no connection ended")
    wait_for(lambda: collector.total("updates_held") == 0, 30, "nothing is held")
    pid = collector.process.pid
    before, since = cpu_s(pid), time.monotonic()
    time.sleep(REST_S)  # the time that is measured, not a wait
    percent = (cpu_s(pid) - before) / (time.monotonic() - since) * 100
    since = time.monotonic()
    page = collector.page()
    scrape_s = time.monotonic() - since
    rss_mib = collector.process.status_kib("VmRSS") / 1024
    note(f"at rest {percent:.2f}% of a core; /metrics {scrape_s * 1000:.0f} ms, {len(page or '')} bytes; "
         f"{rss_mib:.1f} MiB resident")
    if lab.is_long:
        check(percent < REST_PERCENT, f"at rest below {REST_PERCENT}% of a core")
        check(scrape_s < SCRAPE_S, f"/metrics within {SCRAPE_S * 1000:.0f} ms")
    must(collector.stop() == 0, "sluice ends with 0")


if __name__ == "__main__":
    run(main)
