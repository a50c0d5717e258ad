#!/usr/bin/env python3
"""completeness - from the records alone a consumer proves that it has everything, or says what it has
not.

The device is on grpcio: it is rebooted in the middle of a call, sends bytes that are no message, leaves
values out and says so, and is cut off. Apache Kafka stands still for a while. The consumer
(confluent-kafka, and classes made from proto/sluice.proto) follows the rules at the top of that file,
and nothing else; what it concludes of each epoch must be what the device knows it did. Then a record is
taken away, each in turn: the consumer must notice every time.

Another subscription shares the call, and has no data. The same streams go to two sinks in the format
event, one of them with markers.
"""
import json
import time
from collections import Counter, defaultdict

from harness import check, must, part, run, wait_for

import grpc

from collector import Collector, kafka_sink
from kafka import Kafka, Reader
from records import record_class
from scripted import SYNC, Device, notification

BROKEN = b"\x0a\xff"
STALLED = 20_000
LEFT_OUT = 7


class Proof:
    """What a consumer knows of one stream. `records` are those of sluice.v1, in any order, each at
    least once."""

    def __init__(self, records):
        self.epochs = defaultdict(dict)
        for record in records:
            self.epochs[record.epoch][record.seq] = record

    def doubts(self, epoch):
        """Why the epoch is not complete; nothing: it is proven to be."""
        records = self.epochs.get(epoch, {})
        last = max(records, default=0)
        found = [f"record {seq} is missing" for seq in range(1, last + 1) if seq not in records]
        markers = [records[seq] for seq in sorted(records) if records[seq].marker]
        if last == 0 or records[last].marker != records[last].DESCRIPTOR.file.enum_types_by_name[
                "Marker"].values_by_name["MARKER_DISCONNECTED"].number:
            found.append("its end is not there")
        for record in markers:
            if record.HasField("gap") and record.gap.reason not in ("start", "reconnect"):
                found.append(f"gap {record.gap.reason} {record.gap.count}")
        return found

    def begins(self):
        """Whether the first epoch is the first that its sluice saw."""
        first = self.epochs[min(self.epochs)].values()
        return [record.seq for record in first if record.gap.reason == "start"] == [2]

    def values(self, epoch):
        records = self.epochs[epoch]
        return [update.value.uint_val for seq in sorted(records) for update in records[seq].updates]


class Life:
    """The device's script, and its own account: the values of each call."""

    def __init__(self):
        self.sent = [[], [], []]
        self.value = 0
        self.goes_on = False

    def say(self, number, count):
        for _ in range(count):
            self.value += 1
            self.sent[number].append(self.value)
            yield notification(time.time_ns(), [("/lab/value", self.value)])

    def play(self, number, call):
        yield from self.say(number, 50)
        yield SYNC
        if number == 0:
            yield from self.say(number, 150)
            call.abort(grpc.StatusCode.UNAVAILABLE, "rebooting")
        if number == 1:
            yield BROKEN
            yield from self.say(number, 50)
            yield BROKEN
            self.value += 1
            self.sent[number].append(self.value)
            yield notification(time.time_ns(), [("/lab/value", self.value, LEFT_OUT)])
        if number == 2:
            while call.is_active() and not self.goes_on:
                time.sleep(0.01)
            yield from self.say(number, STALLED)
        while call.is_active():
            time.sleep(0.05)


def live(lab, kafka, life):
    """Everything happens; what /metrics say of markers and records at the end."""
    device = Device(lab, life.play)
    collector = Collector(
        lab, {"dev1": f"127.0.0.1:{device.port}"},
        {"all": {"paths": ["/lab"]}, "other": {"paths": ["/other"]}},
        {"exact": kafka_sink(kafka.bootstrap, kafka.topic("exact"), format="sluice.v1"),
         "marked": kafka_sink(kafka.bootstrap, kafka.topic("marked"), markers=True),
         "plain": kafka_sink(kafka.bootstrap, kafka.topic("plain"))},
        target={"vendor": "generic", "pack": True, "backoff": {"min": "100ms", "max": "200ms"}})

    def published(count):
        return lambda: collector.total("sluice_updates_published", sink="exact") == count

    wait_for(published(200 + 101), 30, "the second call's values")
    device.restart()
    wait_for(published(301 + 50), 30, "the third call's baseline")
    with kafka.paused():
        life.goes_on = True
        wait_for(lambda: collector.total("sluice_stream_blocked", target="dev1") >= 1, 20,
                 "the device is held")
        must(collector.total("sluice_updates_held", sink="exact") > 0, "the sink stands still, and"
             " the device waits")
    wait_for(published(301 + 50 + STALLED), 60, "the rest")
    must(sum(map(len, life.sent)) == 351 + STALLED, "the device has sent all")
    made = collector.total("sluice_markers", subscription="all", sink="exact", state="made")
    check(collector.stop() == 0, "sluice ends with 0")
    return made


def check_verdicts(proof, life):
    epochs = sorted(proof.epochs)
    must(len(epochs) == 3, f"{len(epochs)} epochs, as many as calls")
    for number, epoch in enumerate(epochs):
        check(proof.values(epoch) == life.sent[number],
              f"epoch {number + 1}: {len(life.sent[number])} values in order, once each")
    check(not proof.doubts(epochs[0]), "epoch 1 is proven complete")
    lost = Counter()
    for doubt in proof.doubts(epochs[1]):
        word, reason, count = doubt.split()
        lost[reason] += int(count)
        check(word == "gap", f"epoch 2: {doubt}")
    check(lost == {"decode": 2, "duplicates": LEFT_OUT}, f"epoch 2 says what is lost: {dict(lost)}")
    check(not proof.doubts(epochs[2]), f"epoch 3 is proven complete {proof.doubts(epochs[2])[:3]}")
    return epochs


def check_markers(proof, epochs, made):
    """Each epoch begins and ends as it should, and says why."""
    count = 0
    for number, epoch in enumerate(epochs):
        records = proof.epochs[epoch]
        names = [record.DESCRIPTOR.file.enum_types_by_name["Marker"].values_by_number[
            record.marker].name for _, record in sorted(records.items()) if record.marker]
        count += len(names) - names.count("MARKER_SYNCED")
        check(names[0] == "MARKER_CONNECTED" and names[-1] == "MARKER_DISCONNECTED"
              and names.count("MARKER_SYNCED") == 1, f"markers of epoch {number + 1}: {names}")
        gaps = [record.gap for record in records.values() if record.gap.reason == "reconnect"]
        if number == 0:
            check(not gaps, "the first epoch is behind no other")
        else:
            earlier = proof.epochs[epochs[number - 1]]
            seen = max(record.received_ns for record in earlier.values() if not record.marker)
            check(len(gaps) == 1 and records[2].gap == gaps[0]
                  and seen <= gaps[0].from_ns < gaps[0].to_ns <= records[3].received_ns,
                  f"epoch {number + 1}: nobody saw {(gaps[0].to_ns - gaps[0].from_ns) / 1e6:.0f} ms")
    ends = [proof.epochs[epoch][max(proof.epochs[epoch])].end for epoch in epochs]
    check(ends[0].code == "UNAVAILABLE" and "rebooting" in ends[0].text and ends[0].reason,
          f"why: {ends[0].reason}, {ends[0].text}")
    check(ends[1].reason and ends[1].text != ends[0].text and ends[2].reason == "cancelled-here",
          f"why: {ends[1].text}; {ends[2].text}")
    check(count == made + 1, f"/metrics counted {made:.0f} of {count} markers before the end")


def check_other(proof):
    """The subscription that shares the call, and that the device has nothing for: it is told of the
    same epochs, and of what may have been its."""
    epochs = sorted(proof.epochs)
    doubts = [[doubt for doubt in proof.doubts(epoch) if doubt != "gap decode 1"] for epoch in epochs]
    check(doubts == [[], [], []] and not any(proof.values(epoch) for epoch in epochs),
          f"the other subscription of the call: three epochs without a value {doubts}")
    lost = sum(record.gap.count for record in proof.epochs[epochs[1]].values()
               if record.gap.reason == "decode")
    check(lost == 2, f"it is told of {lost} messages that may have been its")


def check_loss(records, epochs):
    """Without any one record the proof fails: each of the first two epochs, and some of the last."""
    wrong, planted = [], 0
    for epoch in epochs:
        own = [record for record in records if record.epoch == epoch]
        places = range(len(own)) if len(own) < 1000 else (0, 1, 2, len(own) // 2, len(own) - 1)
        for place in places:
            doubts = Proof(own[:place] + own[place + 1:]).doubts(epoch)
            noticed = {f"record {own[place].seq} is missing", "its end is not there"} & set(doubts)
            wrong += [] if noticed else [(epoch, place)]
            planted += 1
    check(not wrong, f"{planted} losses planted one by one, all noticed {wrong[:5]}")
    check(Proof(records).begins(), "and there was nothing before")
    check(not Proof([record for record in records if record.epoch != epochs[0]]).begins(),
          "the loss of a whole epoch, too")
    check(not Proof(records + records[:300]).doubts(epochs[0]), "copies do no harm")


def check_events(kafka, life):
    for name in ("marked", "plain"):
        kinds, values, seqs, holes, baseline = [], [], Counter(), 0, 0
        for message in Reader(kafka.bootstrap, name).messages():
            ((_, text),) = message.headers()
            epoch, seq, _, _, sub, kind = text.decode().split(";")
            seqs[epoch, sub] += 1
            holes += int(seq) != seqs[epoch, sub]
            baseline += kind == "baseline"
            for event in json.loads(message.value()):
                if event["name"] == "other":
                    continue
                if "/sluice/marker/kind" in event["values"]:
                    kinds.append(event["values"]["/sluice/marker/kind"])
                    holes += event["values"]["/sluice/marker/seq"] != int(seq)
                else:
                    values += event["values"].values()
        check(holes == 0 and values == sum(life.sent, []),
              f"{name}: {len(values)} values, numbers without holes")
        check(baseline == 150, f"{name}: {baseline} are of baselines, as the header says")
        expected = {"connected": 3, "synced": 3, "disconnected": 3} if name == "marked" else {}
        found = Counter(kinds)
        check(not (expected and found.pop("gap") < 4) and found == expected,
              f"{name}: {dict(Counter(kinds))}")


def through(lab):
    kafka = Kafka(lab)
    life = Life()
    made = live(lab, kafka, life)
    read = record_class(lab).FromString
    streams = defaultdict(list)
    for message in Reader(kafka.bootstrap, "exact").messages():
        record = read(message.value())
        streams[record.subscription].append(record)
    records = streams["all"]
    check_other(Proof(streams["other"]))
    proof = Proof(records)
    epochs = check_verdicts(proof, life)
    check_markers(proof, epochs, made)
    check_loss(records, epochs)
    check_events(kafka, life)


def main(lab):
    part(lab, "reboots, bytes that are no message, a broker that stands still", through)


if __name__ == "__main__":
    run(main)
