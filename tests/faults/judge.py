"""judge - what a consumer that is not ours finds in the topic, held against what the devices say.

Records are read by confluent-kafka in the format sluice.v1, by classes made from proto/sluice.proto
alone. Each says twice which one it is, in the header `sluice` and in itself, and carries the device's
own number and session (/sluice-sim/state), which sluice knows nothing about. A device says how far each
session got (`ended` of lib/device). So of each stream, that is of each target:

  - within an epoch every number is there, in order, once: sluice's, and the device's. Where a policy
    drops, the device's numbers may have holes, and then gap markers count every update in them
  - an epoch has one session; a later one another, and a larger epoch
  - an epoch begins with `connected`, and behind it is exactly one gap marker: "start" where a process has
    begun, and at no other time; else one of the other reasons in BETWEEN
  - there are as many epochs as the scenario ends calls, and no more
  - what is missing between two epochs is what the device had sent in the session and the consumer does
    not have
"""
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from records import SEQ, SESSION, SHOWN_ERRORS

BETWEEN = ("start", "reconnect", "stalled", "sink-restart")  # reasons of gaps between two epochs


class Entry(NamedTuple):
    """One record, as far as it is judged."""
    target: str
    partition: int
    epoch: int
    seq: int
    marker: str   # "": data, or nothing at all
    reason: str   # of a gap
    count: int    # of a gap
    number: int   # the device's; None: the record has no such leaf
    session: str
    updates: int
    is_baseline: bool


class Unreadable(Exception):
    pass


class Parser:
    """Of a confluent_kafka.Message an Entry; Unreadable when the record contradicts itself."""

    def __init__(self, record_class):
        self.parse = record_class.FromString
        enums = record_class.DESCRIPTOR.file.enum_types_by_name
        self.markers = {value.number: value.name.removeprefix("MARKER_").lower()
                        for value in enums["Marker"].values}
        self.markers[0] = ""
        self.baseline = enums["Kind"].values_by_name["KIND_BASELINE"].number

    def entry(self, message):
        headers = message.headers() or []
        if len(headers) != 1 or headers[0][0] != "sluice":
            raise Unreadable(f"headers {headers}")
        epoch, seq, form, target, _, _ = headers[0][1].decode().split(";")
        record = self.parse(message.value())
        if (form, record.epoch, record.seq, record.target) != ("sluice.v1", int(epoch), int(seq),
                                                               target):
            raise Unreadable(f"header {headers[0][1]} on a record of {record.target}"
                             f" {record.epoch};{record.seq}")
        number = session = None
        updates = record.updates
        for update in updates[:2] if len(updates) < 2 or updates[0].path.endswith(SEQ) else updates:
            if update.path.endswith(SEQ):
                number = update.value.uint_val
            elif update.path.endswith(SESSION):
                session = update.value.string_val
        marker = self.markers[record.marker]
        return Entry(target, message.partition(), record.epoch, record.seq, marker,
                     record.gap.reason if marker == "gap" else "",
                     record.gap.count if marker == "gap" else 0, number, session, len(updates),
                     record.kind == self.baseline)


def entry_of_line(line):
    """The same of a line of sluice.v1-json, as a file has it."""
    try:
        record = json.loads(line)
    except ValueError as error:
        raise Unreadable(f"a line of {len(line)} bytes: {error}") from error
    number = session = None
    updates = record.get("updates", [])
    for update in updates:
        if update["path"].endswith(SEQ):
            number = int(update["value"]["uintVal"])
        elif update["path"].endswith(SESSION):
            session = update["value"]["stringVal"]
    marker = record.get("marker", "").removeprefix("MARKER_").lower()
    gap = record.get("gap", {})
    return Entry(record["target"], 0, int(record["epoch"]), int(record["seq"]), marker,
                 gap.get("reason", ""), int(gap.get("count", 0)), number, session, len(updates),
                 record.get("kind") == "KIND_BASELINE")


@dataclass
class Epoch:
    number: int
    seq: int = 0           # sluice's last
    device: int = 0        # the device's last
    session: str = None
    updates: int = 0       # found
    baseline: int = 0      # of them, before sync_response
    holes: int = 0         # numbers of the device that are not there
    is_connected: bool = False
    is_synced: bool = False
    is_over: bool = False  # `disconnected` was its last record
    gaps: Counter = field(default_factory=Counter)    # reason: markers
    counted: Counter = field(default_factory=Counter) # reason: what they count


class Judge:
    """Takes entries one by one. `drops`: a policy of the scenario may, so a session may have holes."""

    def __init__(self, drops=False, is_quiet=False):
        self.drops = drops
        self.is_quiet = is_quiet
        self.streams = defaultdict(list)  # target: its epochs
        self.settled = Counter()          # target: how many of them are judged
        self.begun = Counter()            # target: how many behind the first are told
        self.sessions = set()
        self.missed = Counter()           # target: updates of its sessions that are not there
        self.partition = {}
        self.records = 0
        self.missing = 0   # of numbers, within epochs
        self.doubled = 0
        self.errors = []

    def wrong(self, text):
        self.errors.append(text)
        if len(self.errors) <= SHOWN_ERRORS and not self.is_quiet:
            print(f"        {text}", flush=True)

    def take(self, entry):
        self.records += 1
        if self.partition.setdefault(entry.target, entry.partition) != entry.partition:
            self.wrong(f"{entry.target} is in partitions {self.partition[entry.target]} and"
                       f" {entry.partition}")
        epochs = self.streams[entry.target]
        if not epochs or entry.epoch > epochs[-1].number:
            epochs.append(Epoch(entry.epoch))
        elif entry.epoch < epochs[-1].number:
            self.wrong(f"{entry.target}: epoch {entry.epoch} after {epochs[-1].number}")
            return
        self.take_number(entry, epochs[-1])
        self.take_marker(entry, epochs[-1])
        if entry.number is not None:
            self.take_device(entry, epochs[-1])

    def take_number(self, entry, epoch):
        if entry.seq <= epoch.seq:
            self.doubled += 1
            self.wrong(f"{entry.target}: record {entry.seq} again, or after {epoch.seq}")
        elif entry.seq > epoch.seq + 1:
            self.missing += entry.seq - epoch.seq - 1
            self.wrong(f"{entry.target}: record {entry.seq} after {epoch.seq}")
        epoch.seq = max(epoch.seq, entry.seq)
        epoch.updates += entry.updates
        epoch.baseline += entry.is_baseline and entry.updates

    def take_marker(self, entry, epoch):
        if epoch.is_over:
            self.wrong(f"{entry.target}: record {entry.seq} after the end of its epoch")
        if (entry.marker == "connected") != (entry.seq == 1):
            self.wrong(f"{entry.target}: {entry.marker or 'data'} is record {entry.seq}")
        epoch.is_connected |= entry.marker == "connected"
        epoch.is_synced |= entry.marker == "synced"
        epoch.is_over |= entry.marker == "disconnected"
        if entry.marker == "gap":
            epoch.gaps[entry.reason] += 1
            epoch.counted[entry.reason] += entry.count
            if entry.reason in BETWEEN and entry.seq != 2:
                self.wrong(f"{entry.target}: gap {entry.reason} is record {entry.seq}")

    def take_device(self, entry, epoch):
        step = entry.number - epoch.device
        if step <= 0:
            self.doubled += 1
            self.wrong(f"{entry.target}: the device's {entry.number} again, or after {epoch.device}")
            return
        if step > 1 and not self.drops:
            self.missing += step - 1
            self.wrong(f"{entry.target}: the device's {entry.number} after {epoch.device}")
        epoch.holes += step - 1
        epoch.device = entry.number
        if entry.session is not None and epoch.session not in (None, entry.session):
            self.wrong(f"{entry.target}: session {entry.session} in one of {epoch.session}")
        epoch.session = epoch.session or entry.session

    # ---- what comes of it ----

    def settle(self, expected, is_last=False):
        """The verdict on what came since the last one: epochs that are behind another one are judged as
        a whole, and at the very end all are. What is wrong is in `errors`."""
        verdict = Verdict(records=self.records, missing=self.missing, doubled=self.doubled)
        known = set(self.streams) - expected.foreign
        if len(known) != expected.streams:
            self.wrong(f"{len(known)} streams of {expected.streams}")
        for target, epochs in self.streams.items():
            for place in range(self.settled[target], len(epochs) - (not is_last)):
                self.settle_epoch(verdict, target, place, expected)
                self.settled[target] = place + 1
            if len(epochs) - 1 > self.begun[target]:
                verdict.between += len(epochs) - 1 - self.begun[target]
                self.begun[target] = len(epochs) - 1
                if target not in expected.cuts and target not in expected.foreign:
                    self.wrong(f"{target} has {len(epochs)} epochs, and nothing ended one")
        if self.drops and is_last:
            self.settle_dropped(verdict, expected.said)
        self.records = self.missing = self.doubled = 0
        return verdict

    def settle_epoch(self, verdict, target, place, expected):
        epochs = self.streams[target]
        epoch = epochs[place]
        between = sum(epoch.gaps[reason] for reason in BETWEEN)
        starts = sum(earlier.gaps["start"] for earlier in epochs[:place + 1])
        if not epoch.is_connected:
            self.wrong(f"{target}: epoch {place + 1} does not begin with `connected`")
        if between != 1 or starts > expected.starts or not starts:
            self.wrong(f"{target}: epoch {place + 1} has gaps {dict(epoch.gaps)}, the {starts}th start"
                       f" of {expected.starts} processes")
        if sum(epoch.gaps.values()) > between and not self.drops and target not in expected.foreign:
            self.wrong(f"{target}: epoch {place + 1} has gaps {dict(epoch.gaps)}")
        if epoch.session is not None:  # else it was cut off before the first number
            self.settle_session(verdict, target, place, expected)

    def settle_session(self, verdict, target, place, expected):
        epoch = self.streams[target][place]
        device, last, updates = expected.sent.get(epoch.session, (None, 0, 0))
        lost = last - epoch.device
        if device != target or lost < 0 or epoch.session in self.sessions:
            self.wrong(f"{target}: session {epoch.session} to {epoch.device}; the devices know of"
                       f" {device}, {last}")
        self.sessions.add(epoch.session)
        is_last = place == len(self.streams[target]) - 1
        most = 0 if is_last else expected.cuts.get(target, 0)
        if lost > most:
            self.wrong(f"{target}: {lost} messages are not there behind {epoch.device} of epoch"
                       f" {place + 1}, {most} at most")
        verdict.lost += lost
        verdict.worst = max(verdict.worst, lost)
        self.missed[target] += updates - lost * expected.updates - epoch.updates

    def settle_dropped(self, verdict, said):
        """What a policy drops is counted by sluice, and marked in the data, and is what is missing of all
        that the devices sent: the same of each target."""
        for target, epochs in self.streams.items():
            marked = Counter()
            for epoch in epochs:
                marked.update({reason: count for reason, count in epoch.counted.items()
                               if reason not in BETWEEN})
            counted = {reason: count for reason, count in said.get(target, {}).items() if count}
            if marked != counted:
                self.wrong(f"{target}: {dict(marked)} marked, {counted} counted")
            if sum(marked.values()) != self.missed[target]:
                self.wrong(f"{target}: {dict(marked)} marked, {self.missed[target]} missing")
            verdict.dropped += sum(marked.values())


@dataclass
class Expected:
    """What the scenario may do. `sent`: {session: (device, last number, updates)} of those that are over,
    as the devices say. `cuts`: {target: messages that one cut may cost}, of those whose calls the
    scenario ends. `foreign`: targets that are not of the simulator, and have no numbers."""
    sent: dict
    streams: int
    cuts: dict = field(default_factory=dict)
    starts: int = 0   # processes
    said: dict = field(default_factory=dict)  # {target: {reason: updates dropped}}, by sluice
    foreign: set = field(default_factory=set)
    updates: int = 20 # of each message


@dataclass
class Verdict:
    records: int = 0
    missing: int = 0
    doubled: int = 0
    between: int = 0  # epochs that follow another one
    lost: int = 0     # messages, between two epochs and behind the last
    worst: int = 0    # of them, of one session
    dropped: int = 0  # updates that a policy dropped


# ---- whether the judge would notice ----

def planted(entries, begin, is_last):
    """Of all entries of one target, (what was done behind `begin`, the entries after it). Each must be
    noticed. What is taken away is not the last of its epoch: that one a cut may cost."""
    data = [place for place, entry in enumerate(entries)
            if place >= begin and entry.number is not None]
    inner = [(place, behind) for place, behind in zip(data, data[1:])
             if entries[place].epoch == entries[behind].epoch]
    middle, later = inner[len(inner) // 2]
    yield "a record is lost", entries[:middle] + entries[middle + 1:]
    yield "a record comes twice", entries[:middle + 1] + entries[middle:]
    swapped = list(entries)
    swapped[middle], swapped[later] = swapped[later], swapped[middle]
    yield "two records have changed places", swapped
    yield "a message was never made a record", close_up(entries, middle)
    gaps = [place for place, entry in enumerate(entries) if entry.reason in BETWEEN]
    ends = [place for place in range(1, len(entries))
            if place >= begin and entries[place].epoch != entries[place - 1].epoch]
    if is_last:
        yield "the last number is lost", entries[:data[-1]]
    if is_last or ends:
        place = gaps[-1] if is_last else max(gap for gap in gaps if gap < ends[-1])
        yield "a gap marker was never made", close_up(entries, place)
    for place in ends:
        before = entries[place - 1]
        yield "an epoch goes on in another session", entries[:place] + [
            entry._replace(epoch=before.epoch, seq=entry.seq + before.seq)
            if entry.epoch == entries[place].epoch else entry for entry in entries[place:]]


def close_up(entries, place):
    """Without that one, and the numbers behind it in its epoch close up."""
    return entries[:place] + [
        entry._replace(seq=entry.seq - 1) if entry.epoch == entries[place].epoch else entry
        for entry in entries[place + 1:]]
