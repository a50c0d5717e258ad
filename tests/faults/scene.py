"""scene - one row's devices, its collector, its topic, and what is read of them.

The devices are `sluice sim`, on one port, and say each second how far each stream got and whether it is
blocked: so they are the measure of who is held, and of when all flow again.
"""
import contextlib
import json
import re
import subprocess
import time
from dataclasses import dataclass, replace

from harness import Failed, check, free_port, must, note, sluice, wait_for

from collector import Collector, configuration, subscription
from kafka import Reader
from records import record_class

from judge import Expected, Judge, Parser, Unreadable, planted

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


@dataclass
class Row:
    """A line of the table."""
    name: str
    fault: str = ""
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
        self.read = 0
        self.now = {}     # device: (session, seq, is blocked) of its open stream
        self.ended = {}   # session: (device, last number, updates)
        self.most_held = 0
        self.history = []  # second by second: {device: (session, seq)}

    def look(self):
        """Takes in what was said since."""
        lines = self.process.lines
        end = len(lines)
        for line in lines[self.read:end]:
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
        self.read = end
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

    def wait_held(self, count, timeout_s=60):
        def are_held():
            self.look()
            return len(self.held()) >= count
        wait_for(are_held, timeout_s, f"{count} streams are held")

    def stop(self):
        """The devices end each stream, once what was on its way has left."""
        self.process.terminate()
        self.look()
        messages, _, size = map(int, self.process.find(BYTES.pattern)[-1].groups())
        must(messages == 0 or size / messages >= MESSAGE_BYTES, "messages are as long as is counted on")


class Reading:
    """A topic, read from its beginning to where it ends now. All records of the targets in `keep` are
    kept, to be judged again with a loss planted."""

    def __init__(self, parser, keep=(), drops=False):
        self.parser = parser
        self.drops = drops
        self.judge = Judge(drops)
        self.kept = {target: [] for target in keep}

    def take(self, message):
        try:
            entry = self.parser.entry(message)
        except Unreadable as error:
            self.judge.wrong(str(error))
            return
        self.judge.take(entry)
        if entry.target in self.kept:
            self.kept[entry.target].append(entry)

    def rejudge(self, entries, expected):
        judge = Judge(self.drops, is_quiet=True)
        for entry in entries:
            judge.take(entry)
        judge.finish(expected)
        return judge.errors

    def unnoticed(self, expected):
        """What was planted, and went by; and how many were."""
        alone = replace(expected, streams=1)
        missed, count = [], 0
        for target, entries in self.kept.items():
            for what, changed in planted(entries):
                count += 1
                if not self.rejudge(changed, alone):
                    missed.append(f"{target}: {what}")
        return missed, count


class Load:
    """What the devices send, in all rows."""

    def __init__(self, devices, rate):
        self.devices = devices
        self.rate = rate

    def __str__(self):
        return f"{self.devices} devices, {self.rate} messages/s each, {UPDATES} updates in each"


class Faults:
    """What all rows share."""

    def __init__(self, lab, cluster, load):
        self.lab = lab
        self.cluster = cluster
        self.parser = Parser(record_class(lab))
        self.load = load
        self.rows = []

    def seconds(self, short, long):
        return long if self.lab.is_long else short


class Scene:
    def __init__(self, faults, row, memory_mib=128, drops=False, proxied=False, sim_words=(),
                 addresses=None, **options):
        """`addresses`: of targets that are not at the devices' own port, by a function of it;
        `options` are the subscription's."""
        self.faults, self.row, self.drops = faults, row, drops
        self.memory_mib = memory_mib
        self.cluster, self.lab = faults.cluster, faults.lab
        self.topic = self.cluster.topic(f"row-{len(faults.rows)}")
        self.sim = Sim(self.lab, faults.load.devices, faults.load.rate, sim_words)
        self.targets = [f"sim{number + 1}" for number in range(faults.load.devices)]
        self.addresses = {target: f"127.0.0.1:{self.sim.port}" for target in self.targets}
        self.addresses.update(addresses(self.sim.port) if addresses else {})
        self.bootstrap = self.cluster.proxied if proxied else self.cluster.bootstrap
        self.options = {"credit": {"initial": f"{CREDIT_BYTES >> 10}KiB"}, **options}
        self.expected = Expected(self.sim.ended, len(self.targets), starts=0)
        self.sinks = {"main": {"type": "kafka", "brokers": self.bootstrap.split(","),
                               "topic": self.topic, "key": "${target}", "format": "sluice.v1"}}
        self.collector = None

    def start(self, environment=None, targets=None):
        """A process, and all streams flow."""
        self.collector = Collector(
            self.lab, self.addresses, self.subscriptions(), self.sinks, environment,
            targets=targets, memory=f"{self.memory_mib}MiB",
            target={"backoff": {"min": "100ms", "max": "1s"}})
        self.expected.starts += 1
        self.sim.wait_flow()
        return self

    def kill(self):
        """kill -9, and the devices have seen it."""
        self.measure()
        open_now = len(self.sim.now)
        ended = len(self.sim.ended)
        self.collector.process.end()

        def have_ended():
            self.sim.look()
            return len(self.sim.ended) >= ended + open_now

        wait_for(have_ended, 30, "the devices see their streams end")

    def least_memory(self):
        """The least that sluice takes this configuration with, as it says itself."""
        file = self.lab.path("little.yaml")
        file.write_text(json.dumps(configuration(free_port(), self.addresses, self.subscriptions(),
                                                 self.sinks, memory="1MiB")), encoding="utf-8")
        said = subprocess.run([sluice(), "check", "-c", file], capture_output=True, text=True,
                              check=False)
        found = re.search(r"expected (\d+)MiB or more", said.stderr + said.stdout)
        must(found, f"1 MiB is too little, and sluice says what is enough {said.stderr[-300:]}")
        return int(found.group(1))

    def subscriptions(self):
        return {"all": subscription(set_target=True, **self.options)}

    # ---- while it goes on ----

    @contextlib.contextmanager
    def fault(self, what, broken=None):
        """What is broken is whole again at its end; and how long it takes until all streams flow."""
        note(what)
        self.row.fault = what
        with broken or contextlib.nullcontext():
            yield
        recover_s = self.sim.wait_flow()
        self.row.recover_s = max(self.row.recover_s or 0, recover_s)
        note(f"all streams flow {recover_s:.1f} s after it")

    def last(self, seconds):
        """For so long; what each device sent meanwhile."""
        began, since = time.monotonic(), self.sim.seqs()
        wait_for(lambda: time.monotonic() > began + seconds, seconds + 5, "time passes")
        return self.sim.progress(since)

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

    def expect_rogue(self, target):
        """One that is not of the simulator: its epochs are judged, and its messages have no number."""
        self.expected.streams += 1
        self.expected.cuts[target] = 0

    def measure(self):
        """Of the process that runs, before it ends."""
        self.row.peak_mib = max(self.row.peak_mib, self.collector.peak_mib())
        self.row.limit_mib = self.memory_mib + ALLOWANCE_MIB

    def of_node(self, judge, leaders, node):
        """The targets whose partition the node led, and the others."""
        led = {target for target, partition in judge.partition.items() if leaders[partition] == node}
        return led, set(judge.partition) - led

    # ---- its end ----

    def finish(self):
        """The devices end their streams, sluice ends; then the consumer judges."""
        self.sim.stop()
        wait_for(lambda: self.collector.total("sluice_updates_held") == 0, 60, "nothing is held")
        self.expected.said = self.dropped()
        self.measure()
        check(self.collector.stop() == 0, "sluice ends with 0")
        check(self.row.peak_mib < self.row.limit_mib,
              f"peak {self.row.peak_mib:.0f} MiB, below {self.row.limit_mib}")
        self.row.held = self.sim.most_held
        return self.judge()

    def judge(self):
        keep = {self.targets[0], self.targets[-1]}
        reading = Reading(self.faults.parser, keep, self.drops)
        for message in Reader(self.cluster.bootstrap, self.topic).messages():
            reading.take(message)
        verdict = reading.judge.finish(self.expected)
        self.show(verdict, reading.judge.errors)
        missed, count = reading.unnoticed(self.expected)
        check(count and not missed, f"{count} losses planted here, {len(missed)} not noticed"
                                    f" {missed[:3]}")
        self.cluster.forget(self.topic)
        return reading.judge

    def show(self, verdict, errors):
        row = self.row
        row.records, row.missing, row.doubled = verdict.records, verdict.missing, verdict.doubled
        row.between, row.lost, row.dropped = verdict.between, verdict.lost, verdict.dropped
        row.bound = max(self.expected.cuts.values(), default=0)
        check(not errors, f"{verdict.records} records: each number once and in order,"
                          f" {verdict.between} epochs behind others, {verdict.lost} messages lost"
                          f" there ({verdict.worst} in one, {row.bound} at most),"
                          f" {len(errors)} errors")
        if self.drops:
            missing = verdict.sent_updates - verdict.updates
            check(missing == verdict.dropped > 0,
                  f"a policy dropped {verdict.dropped} updates, as marked, and as counted; of what"
                  f" the devices sent {missing} are missing")
