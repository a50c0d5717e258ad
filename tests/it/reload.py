#!/usr/bin/env python3
"""reload - another configuration under load: what it does not touch goes on as it was.

200 devices stream into Kafka while the file is taken anew ten times: labels, added and removed
targets, rules, a sink's properties, credentials, a subscription, an address, a file that is wrong
and one that says the same. Held against the devices' own numbers:

  - of every stream, in every epoch, each number is in Kafka, in order, once: sluice's, and the
    device's
  - what was not to subscribe anew has one session, as the simulator counts its RPCs
  - a wrong file changes nothing
  - the ledger at the end is what is in Kafka, also of streams that are no more
"""
import json
import re
import signal

from harness import check, must, note, part, run, wait_for

from collector import Collector, configuration, kafka_sink, subscription
from devices import Devices, STREAM
from kafka import Kafka, Reader
from records import Ledger, event_sample

DEVICES = 200
RATE = 5
SESSIONS = r"^(?:stream|ended) device=(\S+) session=(\S+)"
RELOAD = r"msg=reload result=(\w+) reason=SIGHUP generation=(\d+) added=(\d+) removed=(\d+) changed=(\d+)"
SUM = r"sum=all .*?msg=ledger received=(\d+) published=(\d+) filtered=(\d+) held=(\d+) (.*)"


def names(first, last):
    return [f"dev{number}" for number in range(first, last + 1)]


class Scene:
    """A configuration as Python has it, of which each step changes something."""

    def __init__(self, lab, kafka):
        self.kafka = kafka
        self.topic = kafka.topic("reload")
        self.devices = Devices(lab, "sim", DEVICES, rate=RATE)
        self.all = self.devices.addresses()
        self.addresses = {name: self.all[name] for name in names(1, 190)}
        self.targets = {name: {"labels": {"site": "a"}, "subscriptions": [self.asks(name)]}
                        for name in self.all}
        self.subscriptions = {"all": subscription(), "other": subscription()}
        self.sinks = {"main": kafka_sink(kafka.bootstrap, self.topic)}
        self.rules = None
        self.collector = Collector(lab, self.addresses, self.subscriptions, self.sinks,
                                   targets=self.targets)
        self.reloads = 0

    @staticmethod
    def asks(name):
        return "other" if int(name[3:]) > 160 else "all"

    def write(self):
        said = configuration(self.collector.port, self.addresses, self.subscriptions, self.sinks,
                             targets=self.targets, rules=self.rules)
        self.collector.file.write_text(json.dumps(said, indent=2), encoding="utf-8")

    def reload(self, title, result, added=0, removed=0, changed=0):
        self.collector.process.signal(signal.SIGHUP)
        self.reloads += 1
        found = self.collector.process.wait_line(RELOAD, 30, self.reloads)[-1]
        said = (found.group(1), *(int(found.group(i)) for i in (3, 4, 5)))
        check(said == (result, added, removed, changed), f"{title}: {said}")
        self.flow()

    def change(self, title, **counts):
        self.write()
        self.reload(title, "ok", **counts)

    def now(self):
        """{device: the highest number that it says of an open stream}"""
        said = {}
        for match in self.devices.process.find(STREAM):
            said[match.group(1)] = (match.group(2), int(match.group(4)))
        return said

    def flow(self):
        """Everything that is configured gets further."""
        before = self.now()

        def is_flowing():
            now = self.now()
            return all(device in now and now[device] != before.get(device) for device in self.flowing())

        wait_for(is_flowing, 30, "all streams flow")

    def flowing(self):
        return [f"sim{name[3:]}" for name in self.addresses]

    def sessions(self):
        """{target: its RPCs, as the simulator knows them}"""
        found = {}
        for match in self.devices.process.find(SESSIONS):
            found.setdefault("dev" + match.group(1)[3:], set()).add(match.group(2))
        return found


def steps(scene):
    for name in names(1, 20):
        scene.targets[name]["labels"] = {"site": "b"}
    scene.change("20 labels", changed=20)

    scene.addresses.update({name: scene.all[name] for name in names(191, 200)})
    scene.change("10 more targets", added=10)

    for name in names(21, 30):
        del scene.addresses[name]
    scene.change("10 targets less", removed=10)

    scene.rules = {"none": [{"kind": "drop", "path": "/nowhere"}]}
    scene.subscriptions["all"]["rules"] = ["none"]
    scene.change("rules of a subscription", changed=150)

    scene.sinks["main"]["properties"] = {"linger.ms": "20"}
    scene.change("a property of the sink", changed=190)

    for name in names(31, 50):
        scene.targets[name].update({"username": "somebody", "password": "else"})
    scene.change("credentials", changed=20)

    scene.subscriptions["other"]["credit"] = {"initial": "32KiB"}
    scene.change("what a subscription asks for", changed=40)

    scene.collector.file.write_text("targets: {", encoding="utf-8")
    scene.reload("a file that is wrong", "refused")

    for name in names(51, 55):
        scene.addresses[name] = scene.addresses[name].replace("127.0.0.1", "localhost")
    scene.change("addresses", changed=5)
    scene.reload("the same file", "unchanged")


def judge(scene):
    """Which targets have had more than one RPC, by Kafka and by the simulator."""
    ledger = Ledger(event_sample)
    for message in Reader(scene.kafka.bootstrap, scene.topic).messages():
        ledger.take(message)
    anew = set(names(161, 200) + names(51, 55))
    expected = len(scene.all) + len(anew)
    ledger.check_streams(expected)
    epochs = {}
    for epoch, target, _ in ledger.streams:
        epochs.setdefault(target, set()).add(epoch)
    sessions = scene.sessions()
    twice = {target for target, found in sessions.items() if len(found) > 1}
    check(twice == anew, f"{len(twice)} of {len(sessions)} targets have subscribed anew")
    check(all(len(sessions[target]) == len(epochs[target]) for target in sessions),
          "each RPC that a device has seen is an epoch in Kafka")
    return ledger


def check_ledger(scene, ledger):
    found = scene.collector.process.find(SUM)
    must(len(found) == 1, "the ledger is told once")
    received, published, filtered, held = (int(found[0].group(i)) for i in (1, 2, 3, 4))
    dropped = sum(map(int, re.findall(r"dropped\.\S+=(\d+)", found[0].group(5))))
    check((received, filtered, held, dropped) == (2 * ledger.records, 0, 0, 0) and
          published == received and "balances=yes" in found[0].group(5),
          f"{received} updates received, {published} published, in {ledger.records} records;"
          f" {dropped} dropped, {held} held")


def under_load(lab, kafka):
    scene = Scene(lab, kafka)
    scene.flow()
    steps(scene)
    note(f"{scene.reloads} reloads; peak {scene.collector.peak_mib():.0f} MiB")
    must(scene.collector.stop() == 0, "sluice ends with 0")
    check_ledger(scene, judge(scene))


def main(lab):
    part(lab, "under load", under_load, Kafka(lab))


if __name__ == "__main__":
    run(main)
