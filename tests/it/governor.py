#!/usr/bin/env python3
"""governor - `collector.memory` bounds what the process takes, and all streams get their part of it.

cost      what is counted as held against what the kernel says is resident: a broker that stands
          still until every device is held, in several formats and sizes of message
crowd     1,000 devices at full speed into a Kafka that takes 1 MB/s (a quota of the broker): what is
          resident stays under collector.memory and the stated constant, every stream goes on, none
          waits longer than ten times what the streams wait in the mean; nothing is lost. Some of
          them have on-change values, too: those devices are not held
priority  devices with counters at full speed and on-change values now and then, into the same
          Kafka: the counters wait, the on-change values do not
growth    a window that is too small for a long way grows

Long form: the crowd for 10 minutes; cost in every format and size; priority.
"""
import asyncio
import collections
import contextlib
import signal
import statistics
import threading
import time

from harness import check, must, note, part, run, sluice, wait_for

from collector import Collector, kafka_sink, subscription
from devices import Devices
from kafka import Kafka, Reader
from records import Ledger, event_sample

MIB = 1 << 20
# Of the process: code, librdkafka, the loop's buffers. Of each device: its connection and its
# streams, and 16 KiB that it may always send.
PROCESS_MIB, DEVICE_KIB = 32, 32
QUOTA = 1_000_000
HOLDERS = 100
COSTS = [  # the short form has the first two
    ("event, 2 updates", {"updates": 2}, {}),
    ("a record for each update", {"updates": 20}, {"record": "update"}),
    ("event, 20 updates", {"updates": 20}, {}),
    ("proto, 2 updates", {"updates": 2}, {"format": "proto"}),
    ("sluice.v1, 20 updates", {"updates": 20}, {"format": "sluice.v1"}),
    ("lines in batches", {"updates": 2}, {"batch": {"bytes": "16KiB"}}),
    ("five headers", {"updates": 2}, {"headers": "split"}),
    ("messages of 20 to 60 KB", {"sizes": (20_000, 60_000)}, {"format": "proto"}),
]
COUNTERS = "/interfaces/interface/state/counters"


def wait_seconds(seconds, what):
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() > until, seconds + 5, what)


# ---- cost ----

def resident(collector):
    return collector.process.status_kib("VmRSS") * 1024


def held(collector):
    return collector.total("sluice_memory_held_bytes")


def blocked(collector):
    return sum(value for name, _, value in collector.metrics() if name == "sluice_stream_blocked")


class Broker:
    """`sluice broker`: for what is about our own memory any broker that stands still will do."""

    def __init__(self, lab):
        self.process = lab.start("broker", [sluice(), "broker"])
        self.bootstrap = self.process.wait_line(r"^bootstrap (\S+)", 20)[0].group(1)

    @contextlib.contextmanager
    def paused(self):
        self.process.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.signal(signal.SIGCONT)


def cost(lab, name, device, **sink):
    """From nothing held to all that is let out: what is counted is what becomes resident."""
    broker = Broker(lab)
    devices = Devices(lab, "sim", HOLDERS, name="holders", **device)
    with broker.paused():
        collector = Collector(lab, devices.addresses(), {"all": subscription()},
                              {"main": kafka_sink(broker.bootstrap, "cost", **sink)}, workers=1,
                              memory="160MiB")
        collector.process.wait_line(r"msg=connected", 20, HOLDERS)
        before = resident(collector)
    wait_for(lambda: collector.total("updates_published") > 1000, 30, "records are published")
    with broker.paused():
        wait_for(lambda: blocked(collector) == HOLDERS, 30,
                 "every device is blocked")
        counted, taken = held(collector), resident(collector) - before
    ratio = counted / taken
    check(0.8 <= ratio <= 1.2 and counted > 16 * MIB,
          f"{name}: {counted / MIB:.1f} MiB counted, {taken / MIB:.1f} MiB resident: {ratio:.2f}")
    collector.process.end()


def costs(lab):
    for name, device, sink in COSTS if lab.is_long else COSTS[:2]:
        part(lab, f"cost {name}", cost, name, device, **sink)


# ---- crowd ----

class Waits:
    """When each stream's records arrived (the broker's own time), and how long it waited at most."""

    def __init__(self, began_ms, ended_ms):
        self.began, self.ended = began_ms, ended_ms
        self.last = collections.defaultdict(lambda: began_ms)
        self.longest = collections.defaultdict(int)
        self.count = collections.Counter()
        self.bytes = 0

    def take(self, key, at_ms, size):
        if not self.began <= at_ms <= self.ended:
            return
        self.longest[key] = max(self.longest[key], at_ms - self.last[key])
        self.last[key] = at_ms
        self.count[key] += 1
        self.bytes += size

    def finish(self):
        for key, at_ms in self.last.items():
            self.longest[key] = max(self.longest[key], self.ended - at_ms)


def check_waits(waits, streams):
    waits.finish()
    seconds = (waits.ended - waits.began) / 1000
    rate = waits.bytes / seconds
    longest = sorted(waits.longest.values())
    check(0.5 * QUOTA < rate < 1.5 * QUOTA, f"Kafka took {rate / 1e6:.2f} MB/s")
    check(len(waits.count) == streams, f"{len(waits.count)} of {streams} streams went on")
    mean = statistics.mean(longest)
    check(longest[-1] <= 10 * mean,
          f"no stream waited longer than {longest[-1] / 1000:.1f} s, the mean {mean / 1000:.1f} s,"
          f" the median {statistics.median(longest) / 1000:.1f} s")
    counts = sorted(waits.count.values())
    note(f"records of a stream: {counts[0]} … {counts[len(counts) // 2]} … {counts[-1]}")


def crowd(lab, count, with_changes, seconds, memory_mib=128):
    kafka = Kafka(lab)
    topic = kafka.topic("crowd", message_timestamp_type="LogAppendTime")
    devices = Devices(lab, "sim", count, updates=2)
    kafka.quota(QUOTA)
    changes = subscription("/interfaces/interface/state/oper-status", stream_mode="on-change")
    both = {"subscriptions": ["counters", "changes"]}
    collector = Collector(lab, devices.addresses(),
                          {"counters": subscription(COUNTERS), "changes": changes},
                          {"main": kafka_sink(kafka.bootstrap, topic)}, memory=f"{memory_mib}MiB",
                          target={"subscriptions": ["counters"]},
                          targets={f"dev{number + 1}": both for number in range(with_changes)})
    streams = count + with_changes
    began = time.time()
    wait_for(lambda: collector.total("stream_synced") == streams, 120, "every stream is there")
    note(f"every stream is there after {time.time() - began:.0f} s")
    began = time.time()
    wait_seconds(seconds, "the end")
    ended = time.time()
    waited = {name: collector.total("stream_blocked_seconds", subscription=name) / number / seconds
              for name, number in (("counters", count), ("changes", with_changes))}
    check(waited["changes"] < 0.01 and waited["counters"] > 0.5,
          f"on-change values: held {waited['changes']:.1%} of the time; counters:"
          f" {waited['counters']:.0%}")
    allowed = memory_mib + PROCESS_MIB + count * DEVICE_KIB / 1024
    peak = collector.peak_mib()
    note(f"{held(collector) / MIB:.1f} MiB held, resident {resident(collector) / MIB:.1f} MiB")
    check(peak < allowed, f"peak {peak:.1f} MiB of {allowed:.1f}: collector.memory {memory_mib} MiB,"
                          f" {PROCESS_MIB} MiB, {DEVICE_KIB} KiB for each of {count} devices")
    check(collector.total("stream_ends") == 0, "no stream was ended")
    kafka.quota(0)
    check(collector.stop(60) == 0, "sluice ends with 0")
    ledger = Ledger(event_sample)
    waits = Waits(int(began * 1000), int(ended * 1000))
    for message in Reader(kafka.bootstrap, topic).messages():
        ledger.take(message)
        # "epoch;seq;…;target;subscription;…"
        stream = message.headers()[0][1].split(b";")[3:5]
        waits.take(tuple(stream), message.timestamp()[1], len(message.value()))
    ledger.check_streams(streams)
    check_waits(waits, streams)


# ---- priority ----

def priority(lab, count, seconds):
    """Four streams of each device: counters as fast as can be, on-change values, and twice the same
    pace with a high and a low priority."""
    kafka = Kafka(lab)
    kafka.topic("priority")
    devices = Devices(lab, "sim", count, updates=2)
    pace = {"stream_mode": "sample", "sample_interval": "50ms", "max_message": "1MiB"}
    subscriptions = {
        "counters": subscription(COUNTERS, max_message="1MiB"),
        "changes": subscription("/interfaces/interface/state", stream_mode="on-change",
                                max_message="1MiB"),
        "high": subscription("/interfaces/interface", priority="high", **pace),
        "low": subscription("/interfaces", priority="low", **pace),
    }
    kafka.quota(QUOTA)
    collector = Collector(lab, devices.addresses(), subscriptions,
                          {"main": kafka_sink(kafka.bootstrap, "priority")}, workers=1,
                          memory="24MiB")

    def blocked_s():
        return {name: collector.total("stream_blocked_seconds", subscription=name) / count
                for name in subscriptions}

    def published():
        return {name: collector.total("updates_published", subscription=name)
                for name in subscriptions}

    wait_for(lambda: collector.total("stream_synced") == 4 * count, 60, "every stream is there")
    wait_for(lambda: blocked_s()["counters"] > 8, 60, "counters wait")
    began, passed = blocked_s(), published()
    wait_seconds(seconds, "the end")
    share = {name: (value - began[name]) / seconds for name, value in blocked_s().items()}
    more = {name: value - passed[name] for name, value in published().items()}
    note(", ".join(f"{name} {share[name]:.0%} blocked, {more[name]:.0f} updates" for name in share))
    check(share["changes"] < 0.05 and more["changes"] > 0, "on-change values do not wait")
    check(share["counters"] > 0.3, "counters do")
    check(share["high"] < 0.1, "a high priority does not wait at a pace")
    check(share["low"] > share["high"] + 0.15, "at which a low one does")
    kafka.quota(0)
    check(collector.stop(60) == 0, "sluice ends with 0")


# ---- growth ----

class LongWay:
    """Passes bytes on, both ways, so much later."""

    def __init__(self, lab, port, delay_s):
        self.delay_s = delay_s
        self.target = port
        self.loop = asyncio.new_event_loop()
        self.port = self.loop.run_until_complete(self._listen())
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        lab.on_end(lambda: self.loop.call_soon_threadsafe(self.loop.stop))

    async def _listen(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        there = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer),
                             return_exceptions=True)

    async def _pass(self, reader, writer):
        while data := await reader.read(1 << 18):
            self.loop.call_later(self.delay_s, writer.write, data)
        self.loop.call_later(self.delay_s, writer.close)


def growth(lab, seconds, delay_s=0.04):
    """Two devices, a long way off; one may grow, the other not. The sink is as quick as can be."""
    devices = Devices(lab, "sim", 2, updates=20)
    ways = {name: f"127.0.0.1:{LongWay(lab, int(address.rpartition(':')[2]), delay_s).port}"
            for name, address in devices.addresses().items()}
    collector = Collector(lab, ways, {"grows": subscription(),
                                      "stays": subscription(credit={"max": "64KiB"})},
                          {"null": {"type": "null"}}, workers=1,
                          targets={"dev1": {"subscriptions": ["grows"]},
                                   "dev2": {"subscriptions": ["stays"]}})

    def received(name):
        return collector.total("stream_received_bytes", subscription=name)

    def limit(name):
        return collector.total("stream_limit_bytes", subscription=name)

    wait_for(lambda: limit("grows") >= MIB, 30, "the window grows to 1 MiB")
    check(collector.total("stream_window_doublings", subscription="grows") >= 4, "by doublings")
    began = {name: received(name) for name in ("grows", "stays")}
    wait_seconds(seconds, "the end")
    rate = {name: (received(name) - began[name]) / seconds / 1e6 for name in began}
    check(limit("stays") == 64 * 1024, "the other stays at 64 KiB")
    check(rate["grows"] > 3 * rate["stays"],
          f"{rate['grows']:.1f} MB/s with {limit('grows') / 1024:.0f} KiB,"
          f" {rate['stays']:.1f} MB/s with 64 KiB, {2000 * delay_s:.0f} ms there and back")
    must(collector.stop() == 0, "sluice ends with 0")


def main(lab):
    part(lab, "growth", growth, 2)
    costs(lab)
    part(lab, "crowd", crowd, 1000, 50, 600 if lab.is_long else 60)
    if lab.is_long:
        part(lab, "priority", priority, 20, 10)


if __name__ == "__main__":
    run(main)
