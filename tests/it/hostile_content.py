#!/usr/bin/env python3
"""hostile_content - messages that mean harm, in every format: what becomes of each, in bounded memory.

A gRPC server that we did not write (grpcio) sends bytes as they are: nesting 100,000 deep (protobuf's
groups, leaf-lists, JSON), a million keys (in an element of a path, in a JSON object), strings of
16 MiB, what is not UTF-8, NaN and the infinities, a message of every arm cut off at every byte, and
bytes of it changed by chance. Behind each comes a good message with a number. `sluice run` writes all
formats to files. Of each kind is judged:

  decode    whether it counts as a message that is none, with a line that says why
  numbers   the good message behind it is in every file: the stream went on, in the same RPC
  JSON      what is in the files of JSON is JSON; records of sluice.v1 keep what is no text as bytes
  ledger    received = published + dropped, at every sink
  memory    VmHWM of /proc, over all of it, below collector.memory and an allowance for what one value
            is worked on with (SCRATCH_MIB)
"""
import json
import random
import re
import threading
from concurrent import futures
from dataclasses import dataclass

from harness import check, must, note, run, wait_for  # first: it enters the environment

import grpc

from collector import Collector, subscription

FORMATS = ("event", "event-split", "gnmic-json", "protojson", "sluice.v1-json", "telegraf-json",
           "influx", "proto", "sluice.v1")
JSON_FORMATS = FORMATS[:6]
MEMORY_MIB = 256
SCRATCH_MIB = 160
TAIL = 4096             # bytes in which the good message of each file is looked for
SHORT_LINE = 2_000_000  # of longer lines the short form does not look whether they are JSON
DEEP = 100_000
MILLION = 1_000_000
LONG = 16 * 1024 * 1024 - 1024  # the message is 16 MiB at most
RANDOM_MESSAGES = 500
WAIT_S = 60
TEXT, BYTES, ANY, JSON, JSON_IETF, ASCII, PROTO = 1, 5, 9, 10, 11, 12, 13


# ---- protobuf by hand: what a library would refuse to write ----

def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, payload):
    """Bytes as a length-delimited field, a number as a varint."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload & (1 << 64) - 1)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def fixed(number, payload):
    return varint(number << 3 | (1 if len(payload) == 8 else 5)) + payload


def elem(name, keys=b""):
    return field(3, field(1, name) + keys)


def update(path, value, more=b""):
    return field(4, field(1, path) + field(3, value) + more)


def message(*updates, prefix=b""):
    return field(1, field(1, 1_700_000_000_000_000_000) + prefix + b"".join(updates))


def of(value):
    """A message with that TypedValue at /hostile/value."""
    return message(update(elem(b"hostile") + elem(b"value"), value))


def nested(make, inner, levels):
    for _ in range(levels):
        inner = make(inner)
    return inner


def deep_list():
    """leaflist_val in leaflist_val: each level is two fields around the one before; from the inside."""
    parts, size = [], 0
    for _ in range(DEEP):
        head = varint(1 << 3 | 2) + varint(size)
        size += len(head)
        parts.append(head)
        head = varint(8 << 3 | 2) + varint(size)
        size += len(head)
        parts.append(head)
    return b"".join(reversed(parts))


def good(number):
    return message(update(elem(b"mark"), field(3, number)))


ARMS = [field(TEXT, b"text"), field(2, -5), field(3, 5), field(4, 1), field(BYTES, b"\x00\xff"),
        fixed(6, b"\x00\x00\x80\x3f"), field(7, field(1, 314) + field(2, 2)),
        field(8, field(1, field(3, 1)) + field(1, field(TEXT, b"x"))),
        field(ANY, field(1, b"type.googleapis.com/x") + field(2, b"\x01")),
        field(JSON, b'{"a":[1,{"b":null}]}'), field(JSON_IETF, b'{"m:a":"18446744073709551615"}'),
        field(ASCII, b"show"), field(PROTO, b"\x08\x01"), fixed(14, b"\x18\x2d\x44\x54\xfb\x21\x09\x40")]
WHOLE = message(*(update(elem(b"list", field(2, field(1, b"k") + field(2, b"v"))) + elem(b"leaf%d" % i),
                         arm, field(4, i)) for i, arm in enumerate(ARMS)),
                field(4, field(1, elem(b"old")) + field(2, field(1, b"9") + field(2, 0))),
                field(5, elem(b"gone")), prefix=field(2, field(2, b"oc") + elem(b"top")))
NAN32, INF32 = b"\x00\x00\xc0\x7f", b"\x00\x00\x80\xff"
NAN64, INF64 = b"\x00" * 6 + b"\xf8\x7f", b"\x00" * 6 + b"\xf0\x7f"


@dataclass
class Row:
    name: str
    messages: list
    broken: object = 0 # how many count as no message: a number, or (at least, at most)
    dropped: tuple = ()    # formats that drop every update of it
    published: tuple = ()  # formats that drop none


def million_keys():
    entries = b"".join(field(2, field(1, b"k%06d" % i) + field(2, b"v")) for i in range(MILLION))
    return message(update(elem(b"hostile", entries), field(3, 1)))


def rows():
    chance = random.Random(4711)

    def changed():
        data = bytearray(WHOLE)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        return bytes(data)

    text = "event", "event-split", "gnmic-json"
    return [
        Row("groups nested", [message() + b"\xa3\x06" * DEEP + b"\xa4\x06" * DEEP], broken=1),
        Row("leaf-lists nested", [of(deep_list())], broken=1),
        Row("JSON arrays nested", [of(field(JSON, b"[" * DEEP + b"]" * DEEP))], dropped=text,
            published=("sluice.v1", "sluice.v1-json", "proto", "protojson")),
        Row("JSON objects nested", [of(field(JSON_IETF, b'{"a":' * DEEP + b"1" + b"}" * DEEP))],
            dropped=text, published=("sluice.v1", "sluice.v1-json", "proto", "protojson")),
        Row("a million members", [of(field(JSON_IETF, b"{" + b",".join(
            b'"k%06d":%d' % (i, i % 10) for i in range(MILLION)) + b"}"))], published=("proto",)),
        Row("a million members that end in nothing", [of(field(JSON, b"{" + b",".join(
            b'"k%06d":%d' % (i, i % 10) for i in range(MILLION))))], dropped=text,
            published=("proto", "sluice.v1")),
        Row("a million items", [of(field(JSON, b'{"l":[' + b",".join([b"7"] * MILLION) + b"]}"))],
            published=("event", "sluice.v1", "proto", "gnmic-json")),
        Row("a million keys", [million_keys()], dropped=("event", "sluice.v1", "telegraf-json"),
            published=("proto",)),
        Row("a long string", [of(field(TEXT, b"x" * LONG))], published=FORMATS),
        Row("a long string of control bytes", [of(field(TEXT, b"\x01" * LONG))],
            dropped=("event", "gnmic-json"), published=("proto", "sluice.v1")),
        Row("long bytes", [of(field(BYTES, b"\xff" * LONG))], published=("event", "sluice.v1", "proto")),
        Row("a long string in JSON", [of(field(JSON, b'{"a":"' + b"x" * (LONG - 16) + b'"}'))],
            published=("event", "sluice.v1", "proto", "gnmic-json")),
        Row("a long name", [message(update(elem(b"n" * LONG), field(3, 1)))],
            dropped=("event", "sluice.v1"), published=("proto",)),
        Row("strings that are no UTF-8", [of(field(arm, broken)) for arm in (TEXT, ASCII) for broken in (
            b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80", b"\xe2\x82")],
            published=FORMATS),
        Row("JSON that is no UTF-8", [of(field(JSON, b'{"a\xff":"\xc0\x80"}')),
                                      of(field(JSON_IETF, b'"\xed\xa0\x80\\ud800"'))],
            published=("event", "gnmic-json", "sluice.v1", "proto")),
        Row("names that are no UTF-8", [message(update(
            elem(b"\xff", field(2, field(1, b"\xfe") + field(2, b"\xfd"))), field(3, 1)))],
            published=FORMATS),
        Row("NaN and infinities", [of(arm) for arm in (
            fixed(6, NAN32), fixed(6, INF32), fixed(14, NAN64), fixed(14, INF64))],
            dropped=("event", "event-split", "gnmic-json"),
            published=("sluice.v1", "sluice.v1-json", "proto", "protojson")),
        Row("JSON with NaN", [of(field(JSON, word)) for word in (
            b"NaN", b'{"a":Infinity}', b"-", b"1e", b"01", b'{"a":1}x', b'{"a":1', b'"\x01"')],
            dropped=text, published=("sluice.v1", "proto")),
        Row("cut off at every byte", [WHOLE[:at] for at in range(1, len(WHOLE))],
            broken=len(WHOLE) - 1),
        Row("the notification cut off at every byte", cut_inside(), broken=(1, len(WHOLE))),
        Row("bytes changed", [changed() for _ in range(RANDOM_MESSAGES)],
            broken=(1, RANDOM_MESSAGES - 1)),
    ]


def cut_inside():
    """The length of the response is right, what is inside of it is not whole."""
    inner = WHOLE[len(WHOLE) - notification_len():]
    return [field(1, inner[:at]) for at in range(len(inner))]


def notification_len():
    at, shift, size = 1, 0, 0
    while True:
        size |= (WHOLE[at] & 0x7F) << shift
        shift += 7
        at += 1
        if WHOLE[at - 1] < 0x80:
            return size


# ---- the device ----

class Device:
    """Sends what it is given, one message after the other, in one Subscribe call at a time."""

    def __init__(self, lab):
        self.calls = 0
        self.messages = []
        self.more = threading.Condition()
        self.is_over = False
        server = grpc.server(futures.ThreadPoolExecutor(4),
                             options=[("grpc.max_send_message_length", -1)])
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("gnmi.gNMI", {
            "Subscribe": grpc.stream_stream_rpc_method_handler(self.subscribe)}),))
        self.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        lab.on_end(lambda: self.end(server))

    def subscribe(self, _requests, context):
        self.calls += 1
        at = 0
        while context.is_active():
            with self.more:
                while at == len(self.messages) and not self.is_over:
                    self.more.wait()
                if self.is_over:
                    return
                data = self.messages[at]
                self.messages[at] = None
            at += 1
            yield data

    def send(self, messages):
        with self.more:
            self.messages += messages
            self.more.notify_all()

    def end(self, server):
        with self.more:
            self.is_over = True
            self.more.notify_all()
        server.stop(None)


# ---- judging ----

MARK = {"proto": re.compile(rb"\x0a\x04mark[^\x18]{0,8}\x18([\x80-\xff]*[\x00-\x7f])"),
        "sluice.v1": re.compile(rb"/mark\x12.\x18([\x80-\xff]*[\x00-\x7f])", re.S),
        "protojson": re.compile(rb'"mark"}\]},"val":{"uintVal":"(\d+)"'),
        "sluice.v1-json": re.compile(rb'"path":"/mark","value":{"uintVal":"(\d+)"'),
        "influx": re.compile(rb"mark=(\d+)i"),
        "telegraf-json": re.compile(rb'"mark":(\d+)'),
        "gnmic-json": re.compile(rb'"mark":(\d+)'),
        "event": re.compile(rb'"/mark":(\d+)'),
        "event-split": re.compile(rb'"/mark":(\d+)')}


def number_of(found):
    if found.isdigit() and found[0] >= 0x30:
        return int(found)
    return sum((byte & 0x7F) << (7 * i) for i, byte in enumerate(found))


class Files:
    """The records of each format, read as they come."""

    def __init__(self, lab):
        self.paths = {form: lab.path(f"records.{form}") for form in FORMATS}
        self.read = dict.fromkeys(FORMATS, 0)

    def sinks(self):
        return {form.replace(".", "-"): {"type": "file", "path": str(path), "format": form,
                                         "queue-bytes": "64MiB"}
                for form, path in self.paths.items()}

    def new(self, form):
        with self.paths[form].open("rb") as file:
            file.seek(self.read[form])
            return file.read()

    def has_mark(self, form, number):
        if not self.paths[form].exists():
            return False
        with self.paths[form].open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(self.read[form], size - TAIL))
            return number in {number_of(found) for found in MARK[form].findall(file.read())}

    def take(self, form):
        data = self.new(form)
        self.read[form] += len(data)
        return data


def counts(collector):
    """By sink: what was received, published, and dropped for each reason."""
    found = {}
    for name, labels, value in collector.metrics():
        sink = labels.get("sink")
        if sink and name.startswith("sluice_updates_"):
            word = name[len("sluice_updates_"):].removesuffix("_total")
            word = labels.get("reason", word) if word == "dropped" else word
            found.setdefault(sink, {}).setdefault(word, 0)
            found[sink][word] += value
    return found


def check_json(row, form, data, longest):
    """Whether lines of at most so many bytes are JSON."""
    lines = [line for line in data.split(b"\n") if line and len(line) <= longest]
    broken = []
    for line in lines:
        try:
            json.loads(line.decode("utf-8"), parse_constant=lambda word: 1 / 0)
        except (ValueError, ZeroDivisionError) as error:
            broken.append(f"{error}: {line[:120]!r}")
    if broken:
        check(False, f"{row.name}, {form}: {len(broken)} of {len(lines)} lines: {broken[:3]}")
    return not broken


def difference(after, before):
    return {sink: {word: value - before.get(sink, {}).get(word, 0) for word, value in words.items()}
            for sink, words in after.items()}


def judge(row, files, change, longest):
    lost = {word for words in change.values() for word, value in words.items() if value}
    is_fine = all(check_json(row, form, files.take(form), longest) for form in JSON_FORMATS)
    for form in ("influx", "proto", "sluice.v1"):
        files.take(form)
    broken = change["proto"].get("decode", 0)
    least, most = row.broken if isinstance(row.broken, tuple) else (row.broken, row.broken)
    wrong = [] if least <= broken <= most else [f"{broken} are no messages, not {row.broken}"]
    for form in row.dropped + row.published:
        words = change[form.replace(".", "-")]
        gone = words["received"] - words["published"] - words.get("decode", 0)
        expected = len(row.messages) if form in row.dropped else 0
        if gone != expected:
            wrong.append(f"{form} dropped {gone}, not {expected}")
    check(is_fine and not wrong, f"{row.name}: {broken:.0f} of {len(row.messages)} are no messages; "
          f"{', '.join(sorted(lost))}" + "".join(f"; {text}" for text in wrong))


def main(lab):
    files = Files(lab)
    device = Device(lab)
    collector = Collector(lab, {"hostile": device.address},
                          {"all": subscription("/", max_message="32MiB")}, files.sinks(),
                          workers=1, memory=f"{MEMORY_MIB}MiB", target={"vendor": "generic"})
    before, peak = {}, 0
    for number, row in enumerate(rows(), 1):
        device.send([*row.messages, good(number)])
        for form in FORMATS:
            wait_for(lambda form=form: files.has_mark(form, number), WAIT_S,
                     f"{row.name}: the good message behind it, as {form}")
        after = wait_for(lambda: settled(counts(collector)), WAIT_S, f"{row.name}: all is counted")
        judge(row, files, difference(after, before), LONG * 10 if lab.is_long else SHORT_LINE)
        before = after
        now = collector.peak_mib()
        if now > peak + 1:
            note(f"        VmHWM {now:.0f} MiB")
        peak = max(peak, now)
    check(device.calls == 1, f"{device.calls} Subscribe call")
    check(peak <= MEMORY_MIB + SCRATCH_MIB, f"VmHWM {peak:.0f} MiB, with memory {MEMORY_MIB}MiB")
    must(collector.stop() == 0, "sluice ends well")


def settled(found):
    """The counts, when all that was received is accounted for."""
    for words in found.values():
        rest = sum(value for word, value in words.items() if word != "received")
        if words.get("received", 0) != rest:
            return None
    return found if len(found) == len(FORMATS) else None


if __name__ == "__main__":
    run(main)
