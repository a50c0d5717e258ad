"""records - what a consumer can prove from the records alone.

Each record says in its header `sluice` = `epoch;seq;format;target;subscription;kind` which stream it is of
and which number it has there: 1, 2, 3 … in each (epoch, target, subscription). The devices of these
tests add numbers of their own (/sluice-sim/state/seq), which sluice knows nothing about. `Ledger` holds
records against both, and at the end against what the devices print.
"""
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from harness import CACHE, ROOT, check

SEQ = "/sluice-sim/state/seq"
SESSION = "/sluice-sim/state/session"
SHOWN_ERRORS = 8


def _no_constant(word):
    raise ValueError(f"{word} is not JSON")


def parse_events(payload):
    """The event array of one record; ValueError when it is not a good one."""
    events = json.loads(payload, parse_constant=_no_constant)
    if not isinstance(events, list) or not events:
        raise ValueError("not an array with an event")
    for event in events:
        if not isinstance(event["timestamp"], int) or not event["name"]:
            raise ValueError("an event without name or timestamp")
        if not event["tags"]["source"] or not (event.get("values") or event.get("deletes")):
            raise ValueError("an event without source or values")
    return events


@dataclass
class Sample:
    """What one record holds of the device's own numbers. None: the message had no such leaf."""
    seq: int = None
    session: str = None
    duplicates: int = 0
    timestamp: int = 0
    is_notification: bool = True


def event_sample(payload):
    sample = Sample()
    for event in parse_events(payload):
        for name, value in event.get("values", {}).items():
            if name.endswith(SEQ):
                sample.seq = int(value)
                sample.timestamp = event["timestamp"]
            elif name.endswith(SESSION):
                sample.session = value
    return sample


def openconfig_descriptors():
    """The descriptors of openconfig's own gnmi.proto, out of the Go module that the peers use."""
    def text(*argv):
        return subprocess.run(argv, cwd=ROOT / "tests/peers", check=True, capture_output=True,
                              text=True).stdout.strip()
    name = "github.com/openconfig/gnmi"
    source = text("go", "list", "-m", "-f", "{{.Dir}}", name)
    kept = CACHE / f"gnmi-proto-{source.rpartition('@')[2]}"
    if kept.exists():
        return kept / "set"
    # Scenarios run at the same time: who is first moves a whole folder into its place.
    with tempfile.TemporaryDirectory(dir=CACHE) as made:
        place = Path(made) / "protos"
        for part in ("gnmi", "gnmi_ext"):
            folder = place / name / "proto" / part
            folder.mkdir(parents=True)
            shutil.copyfile(f"{source}/proto/{part}/{part}.proto", folder / f"{part}.proto")
        text("protoc", f"-I{place}", "-I/usr/include", "--include_imports",
             f"--descriptor_set_out={place}/set", f"{name}/proto/gnmi/gnmi.proto")
        try:
            place.rename(kept)
        except OSError:
            if not kept.exists():
                raise
    return kept / "set"


def gnmi_messages():
    """Message classes of openconfig's definitions, by their names in the package gnmi."""
    pool = descriptors(openconfig_descriptors())
    file = pool.FindFileContainingSymbol("gnmi.gNMI")
    return {word: message_factory.GetMessageClass(message)
            for word, message in file.message_types_by_name.items()}


def descriptors(descriptor_set):
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


def record_class(lab):
    """sluice.v1.Record, as a consumer has it: from proto/sluice.proto alone."""
    place = lab.path("sluice.set")
    subprocess.run(["protoc", f"-I{ROOT}/proto", f"--descriptor_set_out={place}", "sluice.proto"],
                   check=True)
    return message_factory.GetMessageClass(
        descriptors(place).FindMessageTypeByName("sluice.v1.Record"))


def response_sample(response):
    sample = Sample(is_notification=response.HasField("update"), timestamp=response.update.timestamp)
    prefix = [elem.name for elem in response.update.prefix.elem]
    for update in response.update.update:
        names = prefix + [elem.name for elem in update.path.elem]
        if names == ["sluice-sim", "state", "seq"]:
            sample.seq = update.val.uint_val
            sample.duplicates = update.duplicates
        elif names == ["sluice-sim", "state", "session"]:
            sample.session = update.val.string_val
    return sample


def proto_sample():
    """The reader of records in format `proto`."""
    parse = gnmi_messages()["SubscribeResponse"].FromString
    return lambda payload: response_sample(parse(payload))


@dataclass
class Stream:
    partition: int
    records: int = 0     # all
    messages: int = 0    # those with a notification
    device_seq: int = 0
    session: str = None
    merged: int = 0      # by the device, as its `duplicates` say
    newest_ns: int = 0
    longest_gap_ns: int = 0


class Ledger:
    """Takes records one by one. `sparse`: a message may be too small for its number, and is then
    known by its place."""

    def __init__(self, sample, sparse=False):
        self.sample = sample
        self.sparse = sparse
        self.streams = {}
        self.records = 0
        self.errors = 0

    def wrong(self, text):
        self.errors += 1
        if self.errors <= SHOWN_ERRORS:
            print(f"        {text}", flush=True)

    def take(self, message):
        """A message of confluent_kafka."""
        headers = message.headers() or []
        if len(headers) != 1 or headers[0][0] != "sluice":
            self.wrong(f"headers {headers}")
            return
        epoch, seq, _, target, subscription, _ = headers[0][1].decode().split(";")
        key = (int(epoch), target, subscription)
        stream = self.streams.get(key)
        if stream is None:
            stream = self.streams[key] = Stream(message.partition())
        if message.partition() != stream.partition:
            self.wrong(f"{key} is in partitions {stream.partition} and {message.partition()}")
        if int(seq) != stream.records + 1:
            self.wrong(f"{key}: header seq {seq} after {stream.records}")
        self.take_payload(key, stream, message.value())

    def take_line(self, key, line):
        """A line of a file, which has no headers."""
        self.take_payload(key, self.streams.setdefault(key, Stream(0)), line)

    def take_payload(self, key, stream, payload):
        self.records += 1
        stream.records += 1
        try:
            sample = self.sample(payload)
        except (ValueError, KeyError, TypeError) as error:
            self.wrong(f"{key} record {stream.records}: {error}")
            return
        if sample.is_notification:
            stream.messages += 1
            self.take_sample(key, stream, sample)

    def take_sample(self, key, stream, sample):
        expected = stream.device_seq + sample.duplicates + 1
        if sample.seq is None and self.sparse:
            stream.device_seq = expected
            return
        if sample.seq != expected:
            self.wrong(f"{key}: device seq {sample.seq} after {stream.device_seq} with"
                       f" {sample.duplicates} duplicates")
        if sample.session is not None and stream.session is None:
            stream.session = sample.session
        if sample.session != stream.session:
            self.wrong(f"{key}: session {sample.session} in one of {stream.session}")
        if stream.newest_ns:
            stream.longest_gap_ns = max(stream.longest_gap_ns, sample.timestamp - stream.newest_ns)
        stream.newest_ns = sample.timestamp
        stream.device_seq = sample.seq or expected
        stream.merged += sample.duplicates

    def check_streams(self, count):
        check(self.errors == 0, f"{self.records} records: every number of every stream is there, in"
                                f" order, once ({self.errors} errors)")
        check(len(self.streams) == count, f"{len(self.streams)} streams of {count}")

    def is_all_of(self, done):
        """As many in each stream as the devices say; and their sessions, where messages tell them."""
        said = sorted((last, messages) for _, last, messages in done.values())
        read = sorted((stream.device_seq, stream.messages) for stream in self.streams.values())
        sessions = {stream.session for stream in self.streams.values()} - {None}
        return said == read and sessions in (set(), set(done))

    def check_done(self, done):
        """Against {session: (device, last_seq, messages)}, what the devices say that they sent."""
        total = sum(messages for _, _, messages in done.values())
        check(self.is_all_of(done), f"the devices sent {total} messages in {len(done)} streams, as"
                                    " many in each as were read back")
