#!/usr/bin/env python3
"""pushback - Kafka stands still, the devices are held, memory has its bound, and nothing is lost.

Twice in mid-run the real broker goes away: stopped (SIGSTOP) and continued, and ended (SIGTERM) and
started again. A crowd of devices sends as fast as it is let, and so fills whatever has no bound; so
does one more device, whose connection carries a second stream: 500 messages a second to a file. In an
outage:

  - the devices say that they are blocked, and send nothing any more
  - the process stays under collector.memory plus 32 MiB, at its peak
  - the stream to the file is not blocked, by the device's own count and by the file's
  - afterwards everything flows again by itself, and the consumer finds each message, in order, once

Long form: outages of 7 minutes, past every time-out of 5 minutes that there is.
"""
import time

from harness import check, note, part, run, wait_for

from collector import Collector, kafka_sink, subscription
from devices import Devices
from kafka import Kafka, Reader
from records import Ledger, event_sample

MEMORY_MIB = 64
ALLOWANCE_MIB = 32
MAIN = "/interfaces/interface/state/counters"
SIDE = "/interfaces/interface/state"
SIDE_RATE = 500
SETTLE_S = 5       # by then a device that is held is held
RESUME_S = 20      # by then it flows again: Kafka's clients wait up to 10 s before they dial again
LONGEST_GAP_S = 1  # between two messages of the side stream


class Scene:
    """The crowd, the one device with the second stream, and the collector of both."""

    def __init__(self, lab, kind, updates, crowd, messages, one_messages):
        self.kafka = Kafka(lab)
        self.topic = self.kafka.topic("pushback")
        self.crowd = Devices(lab, kind, crowd, name="crowd", updates=updates, messages=messages)
        self.one = Devices(lab, kind, 1, name="one", updates=updates, messages=one_messages)
        self.total = crowd * messages + one_messages
        self.streams = crowd + 1
        self.copy = lab.path("copy.jsonl")
        self.copy.unlink(missing_ok=True)  # of a part that did not come to its end
        subscriptions = {
            "main": subscription(MAIN, sinks=["main"]),
            "side": subscription(SIDE, sinks=["copy"], stream_mode="sample",
                                 sample_interval=f"{1000 // SIDE_RATE}ms"),
        }
        sinks = {"main": kafka_sink(self.kafka.bootstrap, self.topic),
                 "copy": {"type": "file", "path": str(self.copy)}}
        addresses = {**self.crowd.addresses(), "one": self.one.addresses()["dev1"]}
        self.collector = Collector(lab, addresses, subscriptions, sinks, memory=f"{MEMORY_MIB}MiB",
                                   target={"subscriptions": ["main"]},
                                   targets={"one": {"subscriptions": ["main", "side"]}})

    def now(self):
        """{session: (seq, blocked_s)} of the streams to Kafka."""
        return {**self.crowd.now(MAIN), **self.one.now(MAIN)}

    def done(self):
        """What the devices say they have sent, of the streams to Kafka that are complete."""
        side = set(self.one.now(SIDE))
        return {session: said for session, said in {**self.crowd.done(), **self.one.done()}.items()
                if session not in side}

    def sent(self):
        return sum(seq for seq, _ in self.now().values())

    def side(self):
        """(seq, blocked_s) of the second stream."""
        (now,) = self.one.now(SIDE).values()
        return now


def outage(scene, name, broken, seconds):
    """One outage, and what must hold in it. `broken` is the context in which there is no broker."""
    note(f"{name}: no broker for {seconds} s")
    with broken:
        began = time.monotonic()
        wait_for(lambda: time.monotonic() > began + SETTLE_S, SETTLE_S + 1, "devices are held")
        held, done, side = scene.now(), scene.done(), scene.side()
        wait_for(lambda: time.monotonic() > began + seconds, seconds + 1, "the end of the outage")
        held_at_end, side_at_end = scene.now(), scene.side()
    expected_s = (seconds - SETTLE_S) * 0.8
    unfinished = [session for session in held if session not in done]
    blocked = [held_at_end[session][1] - held[session][1] for session in unfinished]
    more = sum(held_at_end[session][0] - held[session][0] for session in unfinished)
    check(blocked and min(blocked) > expected_s,
          f"{name}: {len(blocked)} devices say blocked, for {min(blocked, default=0):.1f} s at least")
    check(more == 0, f"{name}: once held, the devices sent {more} messages")
    # A machine that is busy lets it wait for moments; one that is held waits all the time.
    side_s = side_at_end[1] - side[1]
    check(side_s < expected_s / 10, f"{name}: the second stream was blocked for {side_s:.3f} s")
    check(side_at_end[0] - side[0] > SIDE_RATE * expected_s,
          f"{name}: the second stream went on, {side_at_end[0] - side[0]} messages")
    back, sent = time.monotonic(), sum(seq for seq, _ in held_at_end.values())
    wait_for(lambda: scene.sent() > sent, RESUME_S, f"{name}: flows again")
    check(True, f"{name}: flows again by itself after {time.monotonic() - back:.1f} s")


def check_side(scene, sent):
    """`sent`: what the device had sent before sluice was asked to end."""
    ledger = Ledger(event_sample)
    with open(scene.copy, encoding="utf-8") as lines:
        for line in lines:
            ledger.take_line("side", line)
    ledger.check_streams(1)
    (stream,) = ledger.streams.values()
    check(stream.device_seq >= sent,
          f"second stream: the file has 1 … {stream.device_seq}, the device had sent {sent}")
    check(stream.longest_gap_ns < LONGEST_GAP_S * 1e9,
          f"second stream: at most {stream.longest_gap_ns / 1e6:.0f} ms between two messages")


def check_main(scene):
    ledger = Ledger(event_sample)
    for message in Reader(scene.kafka.bootstrap, scene.topic).messages():
        ledger.take(message)
    ledger.check_streams(scene.streams)
    ledger.check_done(scene.done())


def pushback(lab, outages_s, *arguments):
    scene = Scene(lab, *arguments)
    wait_for(lambda: scene.sent() > scene.total / 4, 240, "a quarter sent")
    outage(scene, "SIGSTOP", scene.kafka.paused(), outages_s[0])
    wait_for(lambda: scene.sent() > scene.total * 0.45, 240, "not half sent")
    outage(scene, "SIGTERM", scene.kafka.stopped(), outages_s[1])
    scene.kafka.wait_records(scene.topic, scene.total, timeout_s=300)
    wait_for(lambda: len(scene.done()) >= scene.streams, 10, "the devices are done")
    sent = scene.side()[0]
    peak = scene.collector.peak_mib()
    check(peak < MEMORY_MIB + ALLOWANCE_MIB,
          f"peak {peak:.1f} MiB with collector.memory {MEMORY_MIB} MiB")
    check(scene.collector.stop() == 0, "sluice ends with 0")
    check_main(scene)
    check_side(scene, sent)
    scene.copy.unlink()


def main(lab):
    if lab.is_long:
        both = (420, 420)
        part(lab, "7 minutes, 1 update", pushback, both, "sim", 1, 60, 40_000, 600_000)
        part(lab, "7 minutes, grpc-go device", pushback, both, "go", 2, 4, 100_000, 600_000)
        part(lab, "20 s, 1 update", pushback, (20, 20), "sim", 1, 60, 12_000, 60_000)
    both = (20, 20) if lab.is_long else (12, 12)
    part(lab, "20 updates", pushback, both, "sim", 20, 60, 3_000, 60_000)
    part(lab, "grpc-go device", pushback, both, "go", 2, 10, 24_000, 72_000)


if __name__ == "__main__":
    run(main)
