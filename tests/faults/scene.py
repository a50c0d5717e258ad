"""scene - one row's devices, its collector, its topic, and what is read of them.

The devices are `sluice sim`, on one port, and say each second how far each stream got and whether it is
blocked: so they are the measure of who is held, and of when all flow again.
"""
import contextlib
import itertools
import json
import os
import random
import re
import shutil
import struct
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from harness import ROOT, Failed, check, free_port, must, note, sluice, wait_for

from collector import Collector, configuration, subscription
from kafka import AGAIN, READ_TIMEOUT_S, watermarks
from records import record_class

from rogue import Rogue
from judge import Expected, Judge, Parser, Unreadable, entry_of_line, planted

STREAM = re.compile(r"^stream device=(\S+) session=(\S+) subscription-path=\S+ seq=(\d+) messages=\d+"
                    r" duplicates=\d+ blocked=(\d)")
ENDED = re.compile(r"^ended device=(\S+) session=(\S+) last-seq=(\d+) messages=(\d+)")
BYTES = re.compile(r"^total messages=(\d+) updates=(\d+) bytes=(\d+)")
UPDATES = 20
ALLOWANCE_MIB = 32       # what a process may be above collector.memory
CREDIT_BYTES = 64 << 10
# A device counts a message when it is made: one filling of its send buffer may wait in it for credit that
# never comes (lib/device).
UNSENT_BYTES = 32 << 10
MESSAGE_BYTES = 800      # one of 20 updates is not shorter
HISTORY_S = 120
EDGE = 20
SEGMENT_BYTES = 16 << 20
RETENTION_BYTES = 96 << 20  # of a partition: what was judged long ago need not stay in memory
CONSUMER = {
    "group.id": "judge",
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "fetch.message.max.bytes": 8 << 20,
    "queued.max.messages.kbytes": 64 << 10,
    "check.crcs": True,
    "log_level": 0,
}


@dataclass
class Row:
    """A line of the table."""
    name: str
    records: int = 0
    missing: int = 0
    doubled: int = 0
    between: int = 0      # epochs that follow another one
    lost: int = 0         # messages, between epochs
    bound: int = 0        # the most that any one of these may have lost
    dropped: int = 0      # updates, by a policy: counted, and marked
    held: int = 0         # streams, at once
    recover_s: float = None
    peak_mib: float = 0
    limit_mib: int = 0
    seconds: float = 0
    is_good: bool = True


class Sim:
    """`sluice sim`; its targets are called as its devices are, sim1 to simN."""

    def __init__(self, lab, count, rate, words=()):
        self.count = count
        self.rate = rate
        self.process = lab.start("sim", [
            sluice(), "sim", "--listen", "127.0.0.1:0", "--devices", count, "--updates", UPDATES,
            "--verbose", "--rate", rate, *words])
        (found,) = self.process.wait_line(r"^listening (\S+):(\d+)", 20)
        self.port = int(found.group(2))
        self.now = {}     # device: (session, seq, is blocked) of its open stream
        self.ended = {}   # session: (device, last number, updates)
        self.most_held = 0
        self.history = []  # second by second: {device: (session, seq)}

    def look(self):
        """Takes in what was said since, and drops it."""
        lines = self.process.lines
        end = len(lines)
        for line in lines[:end]:
            if line.startswith("stream "):
                device, session, seq, blocked = STREAM.match(line).groups()
                self.now[device] = (session, int(seq), blocked == "1")
            elif line.startswith("ended "):
                device, session, seq, messages = ENDED.match(line).groups()
                self.ended[session] = (device, int(seq), int(messages) * UPDATES)
                if self.now.get(device, ("",))[0] == session:
                    del self.now[device]
            elif line.startswith("sent "):
                self.second()
        del lines[:end]
        return self.now

    def second(self):
        self.most_held = max(self.most_held, len(self.held()))
        self.history.append({device: said[:2] for device, said in self.now.items()})
        del self.history[:-HISTORY_S]

    def stretch(self, stuck, moving):
        """The most seconds in a row in which none of `stuck` sent anything, and each of `moving` did."""
        longest = length = 0
        for before, after in zip(self.history, self.history[1:]):
            is_so = (all(before.get(device) == after.get(device) for device in stuck) and
                     all(before.get(device, ("", 0)) < after.get(device, ("", 0))
                         for device in moving))
            length = length + 1 if is_so else 0
            longest = max(longest, length)
        return longest

    def held(self):
        return {device for device, (_, _, is_blocked) in self.now.items() if is_blocked}

    def seqs(self):
        return {device: (session, seq) for device, (session, seq, _) in self.look().items()}

    def progress(self, since):
        """{device: messages} since `since`, which is what seqs() said."""
        return {device: seq - (since[device][1] if since.get(device, ("",))[0] == session else 0)
                for device, (session, seq) in self.seqs().items()}

    def wait_flow(self, timeout_s=60, devices=None):
        """Until each has sent as much as in half a second of its pace, and is not blocked. Seconds."""
        began, since = time.monotonic(), self.seqs()
        wanted = set(devices or (f"sim{number + 1}" for number in range(self.count)))
        said = ""

        def are_flowing():
            nonlocal said
            more = self.progress(since)
            slow = [device for device in wanted
                    if more.get(device, 0) < self.rate / 2 or self.now[device][2]]
            said = f"{len(slow)} of {len(wanted)} do not flow, as {slow[:3]}"
            return not slow

        try:
            wait_for(are_flowing, timeout_s, "all streams flow")
        except Failed as failure:
            raise Failed(f"{failure}: {said}") from None
        return time.monotonic() - began

    def wait_held(self, count, timeout_s=150):
        """A window that has grown lasts longer than others."""
        def are_held():
            self.look()
            return len(self.held()) >= count
        try:
            wait_for(are_held, timeout_s, f"{count} streams are held")
        except Failed as late:
            raise Failed(f"{late}; {len(self.held())} are") from late

    def stop(self):
        """The devices end each stream, once what was on its way has left."""
        self.process.terminate()
        messages, updates, size = map(int, self.process.find(BYTES.pattern)[-1].groups())
        self.look()
        must(updates == messages * UPDATES and size >= messages * MESSAGE_BYTES,
             "messages are as long as is counted on")


class Reading:
    """A topic, read on from where the last look at it ended. All records of the targets in `keep` are
    kept, to be judged again with losses planted in them."""

    def __init__(self, cluster, topic, parser, keep=(), drops=False):
        self.cluster, self.topic, self.parser = cluster, topic, parser
        self.drops = drops
        self.judge = Judge(drops)
        self.kept = {target: [] for target in keep}
        self.begin = dict.fromkeys(keep, 0)  # of what came since it was judged last
        self.next = {}
        self.consumer = Consumer({**CONSUMER, "bootstrap.servers": cluster.bootstrap})

    def read_on(self):
        """Up to where each partition ends now."""
        ends = {number: watermarks(self.consumer, TopicPartition(self.topic, number))[1]
                for number in self.cluster.leaders(self.topic)}
        left = {number for number, end in ends.items() if self.next.get(number, 0) < end}
        self.consumer.assign([TopicPartition(self.topic, number, self.next.get(number, 0))
                              for number in left])
        deadline = time.monotonic() + READ_TIMEOUT_S
        while left:
            batch = self.consumer.consume(10000, timeout=0.5)
            if batch:
                deadline = time.monotonic() + READ_TIMEOUT_S
            elif time.monotonic() > deadline:
                raise Failed(f"{self.topic}: nothing to read in {READ_TIMEOUT_S} s")
            for message in batch:
                self.take_or_fail(message)
            left = {number for number in left if self.next.get(number, 0) < ends[number]}
        self.consumer.unassign()

    def take_or_fail(self, message):
        if message.error() is None:
            expected = self.next.get(message.partition(), 0)
            if message.offset() != expected:
                raise Failed(f"{self.topic}/{message.partition()}: {message.offset()} after {expected}")
            self.next[message.partition()] = message.offset() + 1
            self.take(message)
        elif not message.error().retriable() and message.error().code() not in AGAIN:
            raise Failed(f"{self.topic}: {message.error()}")

    def take(self, message):
        try:
            self.take_entry(self.parser.entry(message))
        except Unreadable as error:
            self.judge.wrong(str(error))

    def read_lines(self, path):
        """A file of sluice.v1-json, which stands beside the topic."""
        with open(path, "rb") as lines:
            for line in lines:
                try:
                    self.take_entry(entry_of_line(line))
                except Unreadable as error:
                    self.judge.wrong(str(error))

    def take_entry(self, entry):
        self.judge.take(entry)
        if entry.target in self.kept:
            self.kept[entry.target].append(entry)

    def rejudge(self, entries, expected, is_last):
        judge = Judge(self.drops, is_quiet=True)
        for entry in entries:
            judge.take(entry)
        judge.settle(expected, is_last)
        return judge.errors

    def unnoticed(self, expected, is_last):
        """What was planted in what is new, and went by; and how many were."""
        missed, count = [], 0
        for target, entries in self.kept.items():
            alone = replace(expected, streams=1)
            if self.rejudge(entries, alone, is_last):
                missed.append(f"{target}: wrong as it is")
            for what, changed in planted(entries, self.begin[target], is_last):
                count += 1
                if not self.rejudge(changed, alone, is_last):
                    missed.append(f"{target}: {what}")
            self.begin[target] = len(entries)
        return missed, count


class Load:
    """What the devices send, in all rows."""

    def __init__(self, devices, rate):
        self.devices = devices
        self.rate = rate

    def __str__(self):
        return f"{self.devices} devices, {self.rate} messages/s each, {UPDATES} updates in each"


class Scene:
    """Devices, a collector, a topic. The first EDGE devices are behind a proxy of their own, and so is
    Kafka; one more device is a rogue, who does nothing until it is told to."""

    def __init__(self, faults, memory_mib=128, drops=False, keep=True, **options):
        """`options` are the subscription's."""
        self.row = None
        self.cuts = {}
        self.errors_told = 0  # of the judge
        self.faults, self.drops = faults, drops
        self.cluster, self.lab = faults.cluster, faults.lab
        self.memory_mib = memory_mib
        self.topic = self.cluster.topic(f"scene-{next(faults.numbers)}", segment_bytes=SEGMENT_BYTES,
                                        retention_bytes=RETENTION_BYTES)
        self.sim = Sim(self.lab, faults.load.devices, faults.load.rate)
        self.targets = [f"sim{number + 1}" for number in range(faults.load.devices)]
        self.edge = self.targets[:EDGE]
        self.addresses = dict.fromkeys(self.targets, f"127.0.0.1:{self.sim.port}")
        self.addresses.update(dict.fromkeys(self.edge, self.through_proxy()))
        self.rogue = Rogue(self.lab)
        self.addresses["rogue"] = f"127.0.0.1:{self.rogue.port}"
        self.subscriptions = {}
        self.targets_say = {"rogue": {"vendor": "generic"}}
        self.subscribe("all", **options)
        self.wrapper = ()     # the words of a command that runs the collector
        self.plugins = None   # their directory
        self.files = []       # of sluice.v1-json, where sinks write such
        self.sinks = {"main": {"type": "kafka", "brokers": self.cluster.proxied.split(","),
                               "topic": self.topic, "key": "${target}", "format": "sluice.v1",
                               "properties": {"compression.type": "lz4"}}}
        self.clock = Clock(self.lab)
        self.collector = None
        self.expected = Expected(self.sim.ended, len(self.targets), foreign={"rogue"},
                                 updates=UPDATES)
        kept = {self.targets[0], self.targets[-1]} if keep else ()
        self.reading = Reading(self.cluster, self.topic, faults.parser, kept, drops)

    def through_proxy(self):
        port = free_port()
        self.proxy = f"devices-{port}"
        self.cluster.proxies.add(self.proxy, port, self.sim.port)
        return f"127.0.0.1:{port}"

    def subscribe(self, name, targets=(), sinks=("main",), **options):
        """One more subscription, of these targets only."""
        credit = {"initial": f"{CREDIT_BYTES >> 10}KiB"}
        self.subscriptions[name] = subscription(set_target=True, credit=credit, sinks=list(sinks),
                                                **options)
        for target in targets:
            self.targets_say[target] = {"subscriptions": [name]}

    def start(self):
        """A process, and all streams flow."""
        self.collector = Collector(
            self.lab, self.addresses, self.subscriptions, self.sinks, self.clock.environment,
            targets=self.targets_say, memory=f"{self.memory_mib}MiB", wrapper=self.wrapper,
            target={"backoff": {"min": "100ms", "max": "1s"}, "subscriptions": ["all"]},
            **({"plugins": self.plugins} if self.plugins else {}))
        self.expected.starts += 1
        self.sim.wait_flow()
        return self

    def least_memory(self):
        """The least that sluice takes this configuration with, as it says itself."""
        file = self.lab.path("little.yaml")
        file.write_text(json.dumps(configuration(
            free_port(), self.addresses, self.subscriptions, self.sinks, memory="1MiB")), encoding="utf-8")
        said = subprocess.run([sluice(), "check", "-c", file], capture_output=True, text=True,
                              check=False)
        found = re.search(r"expected (\d+)MiB or more", said.stderr + said.stdout)
        must(found, f"1 MiB is too little, and sluice says what is enough {said.stderr[-300:]}")
        return int(found.group(1))

    # ---- while it goes on ----

    def begin(self, row):
        """The peak of memory, and what may end, are of one row."""
        self.row = row
        self.expected.cuts = {}
        self.sim.most_held = 0
        if self.collector:
            self.collector.process.forget_peak()

    @contextlib.contextmanager
    def fault(self, what, broken=None):
        """What is broken is whole again at its end; and how long it takes until all streams flow."""
        note(what)
        with broken or contextlib.nullcontext():
            yield
        self.recover()

    def recover(self):
        recover_s = self.sim.wait_flow()
        self.row.recover_s = max(self.row.recover_s or 0, recover_s)
        note(f"all streams flow {recover_s:.1f} s after it")

    def last(self, seconds):
        """For so long; what each device sent meanwhile."""
        began, since = time.monotonic(), self.sim.seqs()
        wait_for(lambda: time.monotonic() > began + seconds, seconds + 5, "time passes")
        return self.sim.progress(since)

    def cut_edge(self, seconds=0.2):
        """The connections of the devices at the edge end, and for some time there is no other."""
        bounds = self.in_flight(with_held=False)
        self.may_lose({target: bounds[target] for target in self.edge})
        with self.cluster.proxies.cut(self.proxy):
            time.sleep(seconds)

    def kill(self):
        """kill -9, and the devices have seen it."""
        self.may_lose(self.in_flight(with_held=True))
        self.measure()
        self.sim.look()
        sessions = {session for session, _, _ in self.sim.now.values()}
        self.collector.process.end()

        def have_ended():
            self.sim.look()
            return sessions <= set(self.sim.ended)

        wait_for(have_ended, 30, "the devices see their streams end")

    def in_flight(self, with_held):
        """{target: messages} that may be on the way to sluice, as it says: what it has granted, and what
        a device has made and not sent; and with what it holds, all that a killed one may lose."""
        found = dict.fromkeys(self.targets, UNSENT_BYTES)
        held = dict.fromkeys(self.targets, 0)
        for name, labels, value in self.collector.metrics():
            if labels.get("target") not in found:
                continue
            if name == "sluice_stream_credit_bytes" and labels["state"] in ("granted", "assembling"):
                found[labels["target"]] += value
            elif name == "sluice_updates_held" and with_held:
                held[labels["target"]] += value
        return {target: int(size // MESSAGE_BYTES + held[target] // UPDATES + 1)
                for target, size in found.items()}

    def may_lose(self, bounds):
        """Of each target the larger one counts."""
        for target, bound in bounds.items():
            self.expected.cuts[target] = max(bound, self.expected.cuts.get(target, 0))

    def dropped(self):
        said = {}
        for name, labels, value in self.collector.metrics():
            if name.startswith("sluice_updates_dropped") and value:
                said.setdefault(labels["target"], {})[labels["reason"]] = int(value)
        return said

    def measure(self):
        """Of the process that runs, before it ends."""
        self.row.peak_mib = max(self.row.peak_mib, self.collector.peak_mib())
        self.row.limit_mib = self.memory_mib + ALLOWANCE_MIB

    def updates_of(self, process):
        """Found, of the epochs of the process with that number, from 1."""
        found = 0
        for epochs in self.reading.judge.streams.values():
            starts = 0
            for epoch in epochs:
                starts += epoch.gaps["start"]
                found += epoch.updates if starts == process else 0
        return found

    def draw(self, choices):
        return self.faults.chance.choice(choices)

    def of_node(self, leaders, node):
        """The targets whose partition the node led, and the others."""
        known = {target: partition for target, partition in self.reading.judge.partition.items()
                 if target in self.targets}
        led = {target for target, partition in known.items() if leaders[partition] == node}
        return led, set(known) - led

    def end(self):
        """Whatever still runs."""
        self.sim.process.end()
        if self.collector:
            self.collector.process.end()

    # ---- what comes of it ----

    def judge(self):
        """What came since the last time, while all goes on."""
        self.measure()

        def has_all():
            """The session that each device has now is known."""
            self.reading.read_on()
            streams = self.reading.judge.streams
            now = {device: session for device, (session, _) in self.sim.seqs().items()}
            return all(streams[target] and streams[target][-1].session == now.get(target)
                       for target in self.targets)

        wait_for(has_all, 60, "the records of each session")
        self.show(is_last=False)

    def finish(self):
        """The devices end their streams, sluice ends; and nothing may be missing."""
        self.sim.stop()
        wait_for(lambda: self.collector.total("sluice_updates_held") == 0, 60, "nothing is held")
        self.expected.said = self.dropped()
        self.measure()
        check(self.collector.stop() == 0, "sluice ends with 0")
        self.reading.read_on()
        for path in self.files:
            self.reading.read_lines(path)
        self.show(is_last=True)
        self.reading.consumer.close()
        self.cluster.proxies.remove(self.proxy)
        self.cluster.forget(self.topic)

    def show(self, is_last):
        row, judge = self.row, self.reading.judge
        verdict = judge.settle(self.expected, is_last)
        errors = len(judge.errors) - self.errors_told  # those of the reading, too
        self.errors_told = len(judge.errors)
        row.held = max(row.held, self.sim.most_held)
        row.bound = max(row.bound, *self.expected.cuts.values(), 0, 0)
        for name in ("records", "missing", "doubled", "between", "lost", "dropped"):
            setattr(row, name, getattr(row, name) + getattr(verdict, name))
        check(row.peak_mib < row.limit_mib, f"peak {row.peak_mib:.0f} MiB, below {row.limit_mib}")
        check(errors == 0, f"{verdict.records} records: each number once and in order,"
                           f" {verdict.between} epochs behind others, {verdict.lost} messages lost"
                           f" there ({verdict.worst} in one, {row.bound} at most), {errors} errors")
        if self.drops and is_last:
            check(verdict.dropped > 0, f"a policy dropped {verdict.dropped} updates: so many are counted,"
                                       " are marked, and are missing of what the devices sent")
        self.plant(is_last)

    def plant(self, is_last):
        if self.reading.kept:
            missed, count = self.reading.unnoticed(self.all_cuts(), is_last)
            check(count and not missed, f"{count} losses planted here, {len(missed)} not noticed"
                                        f" {missed[:3]}")

    def all_cuts(self):
        """Those of earlier rows, too."""
        for target, bound in self.expected.cuts.items():
            self.cuts[target] = max(bound, self.cuts.get(target, 0))
        return replace(self.expected, cuts=self.cuts)


class Disk:
    """A small one of its own, in memory, where the collector's file sinks write; for root alone."""

    def __init__(self, lab, size_mib):
        self.place = lab.path("disk")
        self.place.mkdir(exist_ok=True)
        mount = f'mount -t tmpfs -o size={size_mib}m tmpfs "$0" && echo mounted && exec cat'
        self.holder = lab.start("disk", ["unshare", "-m", "--propagation", "private", "sh", "-c", mount,
                                         self.place], stdin=subprocess.PIPE)
        self.holder.wait_line("^mounted", 10)
        self.wrapper = ("nsenter", "-t", str(self.holder.pid), "-m")
        self.seen = Path(f"/proc/{self.holder.pid}/root{self.place}")

    @staticmethod
    def is_possible():
        return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"],
                                                    check=False).returncode == 0

    def grow(self, size_mib):
        subprocess.run([*self.wrapper, "mount", "-o", f"remount,size={size_mib}m", self.place],
                       check=True)

    def free(self):
        return shutil.disk_usage(self.seen).free


class Clock:
    """What a process under it takes for the time (clock.c)."""

    def __init__(self, lab):
        library = Path(os.environ.get("SL_FAULTS_CLOCK") or
                       ROOT / "build/release/tests/faults/libfaults_clock.so")
        if not library.exists():
            raise Failed(f"no {library}: build the release preset, or set SL_FAULTS_CLOCK")
        self.file = lab.path("clock")
        self.file.write_bytes(bytes(8))
        self.environment = {"LD_PRELOAD": str(library), "SL_CLOCK": str(self.file)}

    def set(self, hours):
        """In place: the file is mapped."""
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=q", hours * 3600 * 10**9))


class Faults:
    """What all rows share."""

    def __init__(self, lab, cluster, load, seed=1, is_soak=False):
        self.lab = lab
        self.is_soak = is_soak
        self.cluster = cluster
        self.parser = Parser(record_class(lab))
        self.load = load
        self.rows = []
        self.numbers = itertools.count()
        self.shared = None
        self.seed = seed
        self.chance = random.Random(seed)

    def give_up(self):
        """A scene that is out of order is no measure for the next row, which begins with another one."""
        if self.shared:
            self.shared.end()
        self.shared = None

    def seconds(self, short, long):
        return long if self.lab.is_long else short

    def scene(self, row):
        """One collector goes through all rows that do not want another one."""
        if not self.shared:
            self.shared = Scene(self, keep=not self.is_soak)
            self.shared.begin(row)
            self.shared.start()
        self.shared.begin(row)
        return self.shared
