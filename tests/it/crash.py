#!/usr/bin/env python3
"""crash - kill -9 in mid-run: what is missing is no more than what was held, and a restart says so.

sluice is killed while it runs at full speed, and again while its broker stands still and everything
that may be held is. The device's own last number, said by the device, is compared with the last one
that the consumer finds:

  - up to the last one found, every number of every stream is there, in order, once
  - what is missing behind it is no more than the stream's credit (credit.max) lets a device have out;
    with the broker standing still, no more than what sluice said it held, and what it still granted
  - after the restart each stream has a larger epoch and begins at 1

Against `sluice sim` and a device on grpc-go.
"""
from harness import check, part, run, wait_for

from collector import Collector, kafka_sink, subscription
from devices import Devices
from kafka import Kafka, Reader
from records import Ledger, event_sample

CREDIT_BYTES = 64 << 10
ENDED = r"^ended device=(\S+) session=(\S+) last-seq=(\d+)"
# A message with its number, its session and its prefix is not shorter.
MESSAGE_BYTES = 100
CREDIT_MESSAGES = CREDIT_BYTES // MESSAGE_BYTES
# A device counts a message when it is made: so much of them may wait in the device itself for credit
# that never comes (lib/device: one filling of the send buffer; grpc-go: a stream's write quota).
UNSENT = {"sim": (32 << 10) // MESSAGE_BYTES, "go": (64 << 10) // MESSAGE_BYTES}


def ended(devices):
    """{session: last_seq} of the streams that are over, as the devices say."""
    return {match.group(2): int(match.group(3)) for match in devices.process.find(ENDED)}


class Scene:
    def __init__(self, lab, kafka, kind, count, topic):
        self.lab = lab
        self.count = count
        self.topic = kafka.topic(topic)
        self.kafka = kafka
        self.devices = Devices(lab, kind, count)
        self.collector = self.collect()

    def collect(self):
        return Collector(self.lab, self.devices.addresses(),
                         {"all": subscription(credit={"initial": CREDIT_BYTES, "max": CREDIT_BYTES})},
                         {"main": kafka_sink(self.kafka.bootstrap, self.topic)})

    def now(self):
        """{session: (seq, blocked_s)} of the streams that are open."""
        over = ended(self.devices)
        return {key: said for key, said in self.devices.now().items() if key not in over}

    def wait_flow(self, more):
        """Each stream has got further by so much."""
        before = self.now()

        def is_flowing():
            now = self.now()
            return len(now) == self.count and all(
                seq > before.get(session, (0, 0))[0] + more for session, (seq, _) in now.items())

        wait_for(is_flowing, 60, f"{self.count} streams flow")

    def kill(self):
        before = len(ended(self.devices))
        self.collector.process.end()
        wait_for(lambda: len(ended(self.devices)) == before + self.count, 30,
                 "the devices see their streams end")

    def read(self):
        ledger = Ledger(event_sample)
        for message in Reader(self.kafka.bootstrap, self.topic).messages():
            ledger.take(message)
        return ledger


def judge(scene, bounds, runs):
    """`bounds`: {device: messages} that may be missing of a killed stream."""
    ledger = scene.read()
    ledger.check_streams(scene.count * runs)
    sent = ended(scene.devices)
    by_target = {}
    for (epoch, target, _), stream in sorted(ledger.streams.items()):
        by_target.setdefault(target, []).append((epoch, stream))
    missing = {}
    for target, epochs in by_target.items():
        first = epochs[0][1]
        missing[target] = sent[first.session] - first.device_seq
        later = epochs[-1][1]
        check(epochs[-1][0] > epochs[0][0] and later.session != first.session,
              f"{target}: after the restart a larger epoch, from 1 to {later.device_seq}")
    check(all(0 <= missing[target] <= bounds[target] for target in missing),
          f"missing behind the last one found: {missing}, at most {bounds}")
    return missing


def full_flow(lab, kafka, kind, count, topic):
    scene = Scene(lab, kafka, kind, count, topic)
    scene.wait_flow(20_000)
    scene.kill()
    restart(scene)
    judge(scene, {target: CREDIT_MESSAGES + UNSENT[kind] for target in scene.devices.addresses()}, 2)


def restart(scene):
    scene.collector = scene.collect()
    scene.wait_flow(5_000)
    check(scene.collector.stop() == 0, "the second run ends with 0")
    wait_for(lambda: len(ended(scene.devices)) == 2 * scene.count, 30, "its streams are over")


def wait_held(scene):
    start = scene.now()
    wait_for(lambda: all(blocked > start[session][1] + 2
                         for session, (_, blocked) in scene.now().items()), 60,
             "each device is held")


def held_messages(collector, target):
    """What sluice says that it holds and still grants, in messages of two updates."""
    messages = collector.total("updates_held", target=target) / 2
    granted = collector.total("credit_bytes", target=target, state="granted")
    assembling = collector.total("credit_bytes", target=target, state="assembling")
    return int(messages + (granted + assembling) // MESSAGE_BYTES)


def held(lab, kafka, kind, count, topic):
    scene = Scene(lab, kafka, kind, count, topic)
    scene.wait_flow(10_000)
    with kafka.paused():
        wait_held(scene)
        bounds = {target: held_messages(scene.collector, target) + UNSENT[kind]
                  for target in scene.devices.addresses()}
        scene.kill()
    restart(scene)
    missing = judge(scene, bounds, 2)
    check(all(missing.values()) and max(bounds.values()) <= CREDIT_MESSAGES + UNSENT[kind],
          f"something was held, within the credit of {CREDIT_MESSAGES} messages")


def main(lab):
    kafka = Kafka(lab, heap="1g")
    for kind, count in (("sim", 6), ("go", 2)):
        part(lab, f"full flow, {kind}", full_flow, kafka, kind, count, f"flow-{kind}")
        part(lab, f"held, {kind}", held, kafka, kind, count, f"held-{kind}")


if __name__ == "__main__":
    run(main)
