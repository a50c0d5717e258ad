#!/usr/bin/env python3
"""repair - our own messages without what an original stumbles over, so that it says what is right.

    repair.py FOLDER      writes FOLDER/NAME.bin for each case in which sluice does better
    repair.py --exact F…  gives the marked numbers in an original's answers their digits back

The originals leave deprecated fields out, end the stream where a string is not UTF-8, and round numbers.
Here the same is said in the present form: elements for the deprecated ones, replacement characters for
bytes that are none, numbers that would be rounded as marked strings. What an original makes of that is
what sluice is to make of the real message. Where sluice has a limit, what is beyond it is left out; a message of
which nothing is left then has no record.
"""
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "it")]

import harness  # noqa: E402,F401  pylint: disable=wrong-import-position,unused-import

import rule  # noqa: E402

MARK = "@@%s@@"
DECIMALS = {"ciena-decimal": "-2.512345678901234567", "decimal-min": "-9.223372036854775808",
            "decimal-max": "9.223372036854775807e-4294967277"}
EXACT_JSON = ("eos-native-keys", "eos-ns-counter", "json-integers", "json-list")
OLD = ("old-element", "old-path", "old-path-odd", "old-path-prefix", "old-value-ascii", "old-value-bytes",
       "old-value-json", "old-value-json-ietf", "old-value-proto", "old-value-unknown")
NOT_UTF8 = ("path-bad-utf8", "wire-any-bad-utf8", "wire-list-bad-utf8", "wire-string-bad-utf8")
LIMITS = ("path-keys-129", "prefix-keys-129", "path-keys-127", "notjson-deep")
WITHOUT_EXTENSIONS = ("extensions",)
RANDOM = ("json-prefix", "srl-empty-leaf", "xe-subtree")  # the order of the fields
MAX_TAGS = 128  # of a path in an event or a metric, those of the collector included


def large(found):
    number = found.group()
    return f'"{MARK % number}"' if abs(int(number)) > 1 << 53 else number


def paths_of(notification):
    yield notification.prefix
    yield from (update.path for update in notification.update)
    yield from notification.delete


def modernise(notification):
    for path in paths_of(notification):
        if not path.element:
            continue
        elems = rule.elements(path)
        del path.element[:]
        for name, keys in elems:
            elem = path.elem.add(name=name)
            for key, value in keys.items():
                elem.key.add(key=key, value=value)
    for update in notification.update:
        if update.HasField("value"):
            update.val.CopyFrom(rule.value_of(update))
            update.ClearField("value")


def clean(message):
    """Strings that are none, as a reader of UTF-8 shows them."""
    strict = {field.name for field in strict_strings(message)}
    for field, value in message.ListFields():
        if field.message_type:
            for one in (value if field.is_repeated else [value]):
                clean(one)
        elif field.name in strict and not field.is_repeated:
            setattr(message, field.name, value.decode("utf-8", "replace").encode())


def strict_strings(message):
    name = message.DESCRIPTOR.full_name
    pool = rule.BUILD_RESPONSE.DESCRIPTOR.file.pool
    found = pool.FindMessageTypeByName(name)
    return [field for field in found.fields if field.type == field.TYPE_STRING]


def drop_large_paths(notification):
    def is_large(path):
        keys = sum(len(elem.key) for elem in path.elem)
        return keys + 2 > MAX_TAGS
    if is_large(notification.prefix):
        del notification.update[:], notification.delete[:]
    for kept in (notification.update, notification.delete):
        for at in reversed(range(len(kept))):
            if is_large(getattr(kept[at], "path", kept[at])):
                del kept[at]


def repaired(name, message):
    response = rule.RESPONSE.FromString(message)
    notification = response.update
    if name in EXACT_JSON:
        value = notification.update[0].val
        text = (value.json_val or value.json_ietf_val).decode()
        value.json_val = re.sub(r"(?<![\w.\"])-?\d+(?![\w.\"])", large, text).encode()
    elif name in DECIMALS:
        notification.update[0].val.string_val = (MARK % DECIMALS[name]).encode()
    elif name in OLD:
        modernise(notification)
    elif name in NOT_UTF8:
        clean(response)
    elif name == "notjson-deep":
        del notification.update[:]
    elif name in LIMITS:
        drop_large_paths(notification)
    elif name in WITHOUT_EXTENSIONS:
        del response.extension[:]
    return response.SerializeToString()


def main():
    if sys.argv[1] == "--exact":
        for name in sys.argv[2:]:
            text = Path(name).read_bytes()
            Path(name).write_bytes(re.sub(rb'"@@([^@]*)@@"', rb"\1", text))
        return
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name in (*EXACT_JSON, *DECIMALS, *OLD, *NOT_UTF8, *LIMITS, *WITHOUT_EXTENSIONS, *RANDOM):
        message = (HERE / "record" / f"{name}.bin").read_bytes()
        (out / f"{name}.bin").write_bytes(repaired(name, message))


if __name__ == "__main__":
    main()
