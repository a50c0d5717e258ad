#!/usr/bin/env python3
"""record - records of the format sluice.v1, and what is JSON of protobuf, read back by Python's protobuf.

    record.py --encoder PROGRAM   holds what sluice makes (tests/unit/normalise/record_corpus) against
                                  the rule (rule.py): of our own cases and their expected text
                                  (record/), of the messages that the other formats are held against
                                  (cases/), and of mutations of them all
    record.py --write             writes record/: the cases (record_cases.py) and, from the rule and
                                  never from sluice, the text of their records

The JSON of sluice.v1-json and of protojson must be what Python's own mapping makes of the same message.

A record must be the message that the rule makes, to the last field, with nothing unknown in it, and
each path's text must give the path back.
"""
import argparse
import itertools
import json as json_text
import random
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "it")]

import harness  # noqa: E402,F401  pylint: disable=wrong-import-position,unused-import

from google.protobuf import json_format, text_format  # noqa: E402
from google.protobuf import unknown_fields  # noqa: E402
from google.protobuf.message import DecodeError  # noqa: E402

import rule  # noqa: E402
from odd_cases import oddities  # noqa: E402
from record_cases import cases, json  # noqa: E402

OURS = HERE / "record"
NONE = 0xffffffff
MUTATIONS_PER_CASE = 40
SEED = 20260101


def our_cases():
    odd = ((*case, True) for case in oddities())
    for name, what, message, is_synced in itertools.chain(cases(), odd):
        yield name, what, message if isinstance(message, bytes) else message.SerializeToString(
            deterministic=True), is_synced


def text_of(what, record, is_synced):
    head = f"# {what}\n# {'after' if is_synced else 'before'} the sync_response of the epoch\n"
    return head + ("# no record\n" if record is None else text_format.MessageToString(record))


def write():
    OURS.mkdir(exist_ok=True)
    for old in OURS.iterdir():
        old.unlink()
    for name, what, message, is_synced in our_cases():
        (OURS / f"{name}.bin").write_bytes(message)
        record = rule.record_of(message, 1, is_synced)
        (OURS / f"{name}.txt").write_text(text_of(what, record, is_synced), encoding="utf-8")


class Checks:
    def __init__(self):
        self.done = 0
        self.failed = 0

    def check(self, holds, text):
        self.done += 1
        if not holds:
            self.failed += 1
            if self.failed <= 10:
                print(f"FAILED  {text}", flush=True)


def encode(encoder, corpus, form="sluice.v1"):
    """[(record or None, published, dropped)] of [(message, is_synced)]; False for no message."""
    sent = b"".join(struct.pack("<IB", len(message), is_synced) + message
                    for message, is_synced in corpus)
    got = subprocess.run([encoder, form], input=sent, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for _ in corpus:
        length, published, dropped = struct.unpack_from("<III", got, at)
        at += 12
        size = 0 if length == NONE else length
        yield False if length == NONE else got[at:at + size], published, dropped
        at += size
    assert at == len(got), "more records than messages"


def updates_of(message):
    notification = rule.RESPONSE.FromString(message).update
    return len(notification.update) + len(notification.delete)


def check_counts(checks, name, message, record, published, dropped):
    checks.check(published + dropped == updates_of(message), f"{name}: published {published} and"
                                                             f" dropped {dropped}")
    if record is not None:
        first = sum(not update.continued for update in record.updates) + len(record.deletes)
        checks.check((first, record.dropped) == (published, dropped),
                     f"{name}: the record says {first} and {record.dropped}")


def check_one(checks, name, number, entry, got):
    message, is_synced = entry
    payload, published, dropped = got
    try:
        expected = rule.record_of(message, number, is_synced)
    except DecodeError:
        checks.check(payload is False, f"{name}: protobuf refuses the message, sluice does not")
        return
    checks.check(payload is not False, f"{name}: sluice refuses the message, protobuf does not")
    if payload is False:
        return
    if expected is None or not payload:
        checks.check(expected is None and payload == b"", f"{name}: a record or none")
        check_counts(checks, name, message, None, published, dropped)
        return
    try:
        record = rule.RECORD.FromString(payload)
    except DecodeError as error:
        checks.check(False, f"{name}: the record cannot be read: {error}")
        return
    is_same = rule.canonical(record) == rule.canonical(expected)
    checks.check(is_same, f"{name}\n--- expected\n{expected}\n--- got\n{record}" if not is_same else "")
    check_counts(checks, name, message, record, published, dropped)


def check_paths(checks, name, message):
    """Each path's text gives back its origin and its elements."""
    try:
        notification = rule.RESPONSE.FromString(message).update
    except DecodeError:
        return
    prefix = rule.elements(notification.prefix)
    for path in [update.path for update in notification.update] + list(notification.delete):
        try:
            text = rule.full_path(notification, path)
        except rule.TooMany:
            continue
        whole = (path.origin or notification.prefix.origin, prefix + rule.elements(path))
        checks.check(rule.parse_path(text) == whole, f"{name}: {text} is not {whole}")


def check_corpus(checks, encoder, corpus, paths=True):
    """`corpus` is {name: (message, is_synced)}."""
    entries = list(corpus.values())
    for number, (name, got) in enumerate(zip(corpus, encode(encoder, entries)), 1):
        check_one(checks, name, number, entries[number - 1], got)
        if paths:
            check_paths(checks, name, entries[number - 1][0])


def has_lost_keys(response):
    """Python takes a map's entry with an unknown field in it for an unknown field as a whole."""
    notification = response.update
    paths = [notification.prefix] + [update.path for update in notification.update]
    return any(field.field_number == 2 for path in paths + list(notification.delete)
               for elem in path.elem for field in unknown_fields.UnknownFieldSet(elem))


def is_same_float(got, expected):
    """It may have other digits, as long as it is the same float."""
    return got == expected or struct.pack("<f", float(got)) == struct.pack("<f", float(expected))


def is_same(got, expected):
    if isinstance(got, dict) and isinstance(expected, dict):
        return got.keys() == expected.keys() and all(
            is_same_float(got[k], expected[k]) if k == "floatVal" else is_same(got[k], expected[k])
            for k in got)
    if isinstance(got, list) and isinstance(expected, list):
        return len(got) == len(expected) and all(map(is_same, got, expected))
    return type(got) is type(expected) and got == expected or (
        isinstance(expected, float) and isinstance(got, int) and float(got) == expected)


def response_of(message):
    """None: not one for Python, or with what its mapping has no form for."""
    try:
        response = rule.BUILD_RESPONSE.FromString(message)
        if has_lost_keys(response):
            return None
        return json_text.loads(json_format.MessageToJson(
            response, indent=None, descriptor_pool=rule.BUILD_RESPONSE.DESCRIPTOR.file.pool))
    except (DecodeError, json_format.SerializeToJsonError, TypeError, ValueError):
        return None


def record_json(message, number, is_synced):
    try:
        record = rule.record_of(message, number, is_synced)
    except DecodeError:
        return None
    return record and json_text.loads(json_format.MessageToJson(record, indent=None))


def check_json(checks, encoder, corpus):
    entries = list(corpus.values())
    compared = 0
    for number, (name, got) in enumerate(zip(corpus, encode(encoder, entries, "protojson")), 1):
        expected = response_of(entries[number - 1][0])
        if expected is not None and got[0] is not False and not got[2]:
            compared += 1
            checks.check(is_same(json_text.loads(got[0]), expected), f"{name}: {got[0]} is not {expected}")
    for number, (name, got) in enumerate(zip(corpus, encode(encoder, entries, "sluice.v1-json")), 1):
        expected = record_json(*entries[number - 1][:1], number, entries[number - 1][1])
        if expected is None:
            checks.check(not got[0], f"{name}: a record or none")
        else:
            checks.check(got[0] and is_same(json_text.loads(got[0]), expected),
                         f"{name}: {got[0]} is not {expected}")
    checks.check(compared > len(corpus) // 5, f"only {compared} of {len(corpus)} were compared")


def check_texts(checks, encoder):
    """What sluice makes of record/*.bin, as text, against record/*.txt; and that these are what
    --write would write."""
    found = {path.stem for path in OURS.glob("*.bin")}
    written = list(our_cases())
    corpus = [((OURS / f"{name}.bin").read_bytes(), is_synced) for name, _, _, is_synced in written]
    for (name, what, message, is_synced), entry, got in zip(written, corpus, encode(encoder, corpus)):
        text = (OURS / f"{name}.txt").read_text(encoding="utf-8")
        checks.check(entry[0] == message, f"{name}.bin is another message")
        checks.check(text == text_of(what, rule.record_of(message, 1, is_synced), is_synced),
                     f"{name}.txt is not what the rule says")
        record = rule.RECORD.FromString(got[0]) if got[0] else None
        if record is not None:
            record.seq = 1  # the files' records have that number; here it is the case's
        checks.check(text == text_of(what, record, is_synced), f"{name}.txt is not what sluice says")
    checks.check(found == {name for name, *_ in written} and len(found) >= 60, f"{len(found)} files")


TIMES = sorted({value + offset for value in
                [0, 1, 10**9, 10**12, 10**15, (1 << 63) - 1, -(1 << 63), 1000 * 10**9]
                + [(rule.RECEIVED_NS + away) // unit for unit, window in rule.UNITS
                   for away in (0, -window, window, -rule.HOUR, rule.HOUR)]
                for offset in (-1, 0, 1) if -(1 << 63) <= value + offset < 1 << 63})
POLICIES = {"clamp": 2, "device": 4}


def check_times(checks, encoder):
    """Times at the edges of every rule, under both policies; and in the bytes of the message."""
    response = rule.RESPONSE()
    update = response.update.update.add()
    update.path.elem.add(name=b"a")
    update.val.uint_val = 1
    for policy, flag in POLICIES.items():
        corpus = []
        for sent in TIMES:
            response.update.timestamp = sent
            corpus.append((response.SerializeToString() + b"\x2a\x02\x1a\x00", flag | 1))
        for seq, ((message, _), got) in enumerate(zip(corpus, encode(encoder, corpus)), 1):
            expected = rule.canonical(rule.record_of(message, seq, True, policy))
            checks.check(rule.canonical(rule.RECORD.FromString(got[0])) == expected,
                         f"{policy} {TIMES[seq - 1]}: {rule.RECORD.FromString(got[0])}")
        for (message, _), sent, got in zip(corpus, TIMES, encode(encoder, corpus, "proto")):
            expected = rule.RESPONSE.FromString(message)
            expected.update.timestamp = rule.settled(sent, policy)
            checks.check(rule.RESPONSE.FromString(got[0]) == expected, f"proto {policy} {sent}")


def check_markers(checks, encoder):
    """Each kind of marker, as bytes and as JSON."""
    for form, read in (("sluice.v1", rule.RECORD.FromString),
                       ("sluice.v1-json", lambda text: json_format.Parse(text, rule.RECORD()))):
        got = subprocess.run([encoder, form, "markers"], stdout=subprocess.PIPE, check=True).stdout
        found, at = [], 0
        while at < len(got):
            size, = struct.unpack_from("<I", got, at)
            found.append(read(got[at + 4:at + 4 + size]))
            at += 4 + size
        checks.check(found == rule.markers(), f"{form}: {found}")
        checks.check({record.marker for record in found} == set(range(1, 7)), "each kind")


def mutate(draw, message):
    legal = (b"\x7b\x7c", b"\x0dabcd", b"\x78\x01")
    message = bytearray(message)
    for _ in range(draw.randint(1, 3)):
        if not message:
            break
        at = draw.randrange(len(message))
        edit = draw.randrange(5)
        if edit == 0:
            message[at] = draw.randrange(256)
        elif edit == 1:
            message[at] ^= 1 << draw.randrange(8)
        elif edit == 2:
            del message[at]
        elif edit == 3:
            message += draw.choice(legal)
        else:
            message += message[at:]
    return bytes(message)


def mutations(corpus):
    draw = random.Random(SEED)
    for name, (message, is_synced) in corpus.items():
        if len(message) < 4096:
            for turn in range(MUTATIONS_PER_CASE):
                yield f"{name} mutation {turn}", (mutate(draw, message), is_synced)


def json_texts(corpus):
    """The JSON in the messages, each once."""
    seen = {}
    for name, (message, _) in corpus.items():
        try:
            updates = rule.RESPONSE.FromString(message).update.update
        except DecodeError:
            continue
        for update in updates:
            text = update.val.json_val or update.val.json_ietf_val
            if 0 < len(text) < 4096:
                seen.setdefault(text, name)
    return seen.items()


def mutate_json(draw, text):
    """A piece of it is left out, given twice, or gives way to a word of JSON."""
    words = (b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u00e9", b"\\ud800", b"0", b"-", b".5",
             b"e9", b"null", b"true", b" ", b"[]", b"{}", b"\xff", b"\x1f", b"18446744073709551616")
    for _ in range(draw.randint(1, 3)):
        at = draw.randint(0, len(text))
        to = min(len(text), at + draw.randint(0, 6))
        middle = draw.choice((b"", text[at:to] * 2, draw.choice(words), draw.choice(words)))
        text = text[:at] + middle + text[to:]
    return text


def json_mutations(corpus):
    draw = random.Random(SEED)
    for text, name in json_texts(corpus):
        for turn in range(MUTATIONS_PER_CASE * 2):
            message = json(mutate_json(draw, text), ietf=turn % 2 == 0).SerializeToString()
            yield f"{name} JSON mutation {turn}", (message, True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.write:
        write()
        return 0
    checks = Checks()
    ours = {name: (message, is_synced) for name, _, message, is_synced in our_cases()}
    shared = {path.stem: (path.read_bytes(), True) for path in sorted((HERE / "cases").glob("*.bin"))}
    checks.check(len(shared) == 186, f"{len(shared)} shared cases")
    check_texts(checks, options.encoder)
    check_times(checks, options.encoder)
    check_markers(checks, options.encoder)
    check_corpus(checks, options.encoder, ours)
    check_corpus(checks, options.encoder, shared)
    mutated = dict(mutations({**ours, **shared}))
    check_corpus(checks, options.encoder, mutated, paths=False)
    check_json(checks, options.encoder, {**ours, **shared})
    check_json(checks, options.encoder, mutated)
    check_corpus(checks, options.encoder, dict(json_mutations({**ours, **shared})), paths=False)
    print(f"{len(ours)} own cases, {len(shared)} shared ones, their mutations: {checks.done} checks,"
          f" {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
