"""rule - what a sluice.v1 record must say, written down once more and from nothing but protobuf's own
reading of the message (proto/gnmi.proto) and the comments of proto/sluice.proto.

Python's protobuf refuses strings that are not UTF-8, and its maps hide repeated keys. So the messages
are read with descriptors in which each string is bytes and each map a list of entries.
"""
import json
import re
import subprocess
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = Path(__file__).resolve().parents[2]
EPOCH = 1700000000000000000
RECEIVED_NS = 1700000000123456789
LABELS = {"site": "tyo1", "role": "leäf"}
MAX_DEPTH = 100
MAX_KEYS = 128

FIELD = descriptor_pb2.FieldDescriptorProto


def descriptor_set(name):
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "set"
        subprocess.run(["protoc", f"-I{ROOT}/proto", "--include_imports",
                        f"--descriptor_set_out={out}", name], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


def classes(files, *names):
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names]


def without_strings(message):
    message.options.ClearField("map_entry")
    for field in message.field:
        if field.type == FIELD.TYPE_STRING:
            field.type = FIELD.TYPE_BYTES
    for nested in message.nested_type:
        without_strings(nested)


def lax(files):
    for file in files.file:
        for message in file.message_type:
            without_strings(message)
    return files


RECORD, = classes(descriptor_set("sluice.proto"), "sluice.v1.Record")
RESPONSE, TYPED_VALUE = classes(lax(descriptor_set("gnmi.proto")), "gnmi.SubscribeResponse",
                                "gnmi.TypedValue")
# Openly built messages, with strings that are strings.
BUILD_RESPONSE, BUILD_PATH, BUILD_VALUE = classes(
    descriptor_set("gnmi.proto"), "gnmi.SubscribeResponse", "gnmi.Path", "gnmi.TypedValue")
ENUM = RECORD.DESCRIPTOR.file.enum_types_by_name


def number(enum, name):
    return ENUM[enum].values_by_name[name].number


# ---- paths ----

def escape(raw, specials):
    text = raw.decode("utf-8", "surrogateescape")
    out = []
    for char in text:
        if "\udc80" <= char <= "\udcff":
            out.append(f"\\x{ord(char) - 0xdc00:02x}")
        elif char in "\n\r":
            out.append({"\n": "\\n", "\r": "\\r"}[char])
        else:
            out.append("\\" + char if char in "\\" + specials else char)
    return "".join(out)


def old_element(raw):
    """A deprecated element: (name, {key: value})."""
    found = re.fullmatch(rb"([^\[\\]*)((?:\[[^=\]\\]+=[^\]\\]*\])+)", raw, re.DOTALL)
    if not found:
        return raw, {}
    pairs = re.findall(rb"\[([^=\]]+)=([^\]]*)\]", found.group(2), re.DOTALL)
    return found.group(1), dict(pairs)


def elements(path):
    if path.elem:
        return [(elem.name, {entry.key: entry.value for entry in elem.key}) for elem in path.elem]
    return [old_element(raw) for raw in path.element]


def element_text(name, keys):
    if not name and not keys:
        return "/[]"
    return "/" + escape(name, "/[]") + "".join(
        f"[{escape(key, '/[]=')}={escape(keys[key], ']')}]" for key in sorted(keys))


class TooMany(Exception):
    """A path that no record takes."""


def path_text(origin, elems):
    if any(len(keys) > MAX_KEYS for _, keys in elems):
        raise TooMany
    text = "".join(element_text(*elem) for elem in elems) or "/"
    return (escape(origin, "/[]:") + ":" if origin else "") + text


def full_path(notification, path):
    return path_text(path.origin or notification.prefix.origin,
                     elements(notification.prefix) + elements(path))


def unescape(text):
    out = bytearray()
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char != "\\":
            out += char.encode()
        elif text[at] == "x":
            out.append(int(text[at + 1:at + 3], 16))
            at += 3
        else:
            out += {"n": b"\n", "r": b"\r"}.get(text[at]) or text[at].encode()
            at += 1
    return bytes(out)


def parse_path(text):
    """The inverse of path_text: what proves that no two paths have one text."""
    def word(stops, at):  # up to one of `stops` that no backslash stands in front of
        start = at
        while at < len(text) and text[at] not in stops:
            at += 2 if text[at] == "\\" else 1
        return unescape(text[start:at]), at

    origin, at = (b"", 0) if text.startswith("/") else word(":", 0)
    at += not text.startswith("/")
    elems = []
    if text[at:] == "/":
        return origin, elems
    while at < len(text):
        assert text[at] == "/", text
        name, at = word("/[", at + 1)
        keys = {}
        while at < len(text) and text[at] == "[":
            if text[at:at + 2] == "[]":
                at += 2
                continue
            key, at = word("=", at + 1)
            value, at = word("]", at + 1)
            keys[key] = value
            at += 1
        elems.append((name, keys))
    return origin, elems


# ---- values ----

def is_utf8(raw):
    try:
        raw.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


def strings_of(value):
    """Each string in a TypedValue."""
    arm = value.WhichOneof("value")
    if arm in ("string_val", "ascii_val"):
        yield getattr(value, arm)
    elif arm == "any_val":
        yield value.any_val.type_url
    elif arm == "leaflist_val":
        for element in value.leaflist_val.element:
            yield from strings_of(element)


def copy_value(out, value, text):
    """Only what is known: the arm, and its fields. `text` makes a string of bytes."""
    arm = value.WhichOneof("value")
    if arm == "leaflist_val":
        out.leaflist_val.SetInParent()
        for element in value.leaflist_val.element:
            copy_value(out.leaflist_val.element.add(), element, text)
    elif arm == "any_val":
        out.any_val.SetInParent()
        out.any_val.type_url = text(value.any_val.type_url)
        out.any_val.value = value.any_val.value
    elif arm == "decimal_val":
        out.decimal_val.SetInParent()
        out.decimal_val.digits = value.decimal_val.digits
        out.decimal_val.precision = value.decimal_val.precision
    elif arm in ("string_val", "ascii_val"):
        setattr(out, arm, text(getattr(value, arm)))
    elif arm in ("float_val", "double_val"):
        value.DiscardUnknownFields()
        out.MergeFromString(value.SerializeToString())  # Python would change the bits of a NaN
    elif arm:
        setattr(out, arm, getattr(value, arm))


def put_typed(out, value):
    if all(map(is_utf8, strings_of(value))):
        copy_value(out, value, lambda raw: raw.decode("utf-8"))
    else:
        known = TYPED_VALUE()
        copy_value(known, value, lambda raw: raw)
        out.typed_value = known.SerializeToString()


class Pairs(list):
    """The members of an object."""


class Number(str):
    pass


class Unfit(Exception):
    """JSON that is carried as it came."""


def no_constant(word):
    raise Unfit(word)


def parse_json(raw):
    decoder = json.JSONDecoder(object_pairs_hook=Pairs, parse_int=Number, parse_float=Number,
                               parse_constant=no_constant, strict=True)
    try:
        return decoder.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Unfit from None


def check_json(value, depth=0):
    """Unfit when it nests too deep or a string is not Unicode."""
    if isinstance(value, Pairs):
        inner = [item for _, item in value]
        for name, _ in value:
            check_json(name, depth)
    elif isinstance(value, list):
        inner = value
    else:
        if isinstance(value, str) and not isinstance(value, Number):
            if any("\ud800" <= char <= "\udfff" for char in value):
                raise Unfit
        return
    if depth + 1 > MAX_DEPTH:
        raise Unfit
    for item in inner:
        check_json(item, depth + 1)


def put_scalar(out, value):
    if value is None:
        out.json = number("Json", "JSON_NULL")
    elif isinstance(value, bool):
        out.bool_val = value
    elif isinstance(value, Number):
        is_integer = re.fullmatch(r"-?[0-9]+", value) and value != "-0"
        if is_integer and 0 <= int(value) < 1 << 64:
            out.uint_val = int(value)
        elif is_integer and -(1 << 63) <= int(value) < 0:
            out.int_val = int(value)
        else:
            out.number_val = value
    else:
        out.string_val = value


def leaves(path, is_root, value):
    """(path, function that fills the Value) of each leaf."""
    def join(text):
        return path + (text[1:] if is_root and text.startswith("/") else text)

    if isinstance(value, Pairs):
        if not value:
            yield path, lambda out: setattr(out, "json", number("Json", "JSON_EMPTY_OBJECT"))
        for name, item in value:
            yield from leaves(join(element_text(name.encode(), {})), False, item)
    elif isinstance(value, list):
        if not value:
            yield path, lambda out: setattr(out, "json", number("Json", "JSON_EMPTY_ARRAY"))
        elif not any(isinstance(item, list) for item in value):
            def fill(out):
                for item in value:
                    put_scalar(out.leaflist_val.element.add(), item)
            yield path, fill
        else:
            for index, item in enumerate(value):
                yield from leaves(f"{path}[{index}]", False, item)
    else:
        yield path, lambda out: put_scalar(out, value)


def value_of(update):
    """The TypedValue that counts, None where there is none."""
    if update.val.WhichOneof("value"):
        return update.val
    if not update.HasField("value"):
        return None
    arms = {0: "json_val", 1: "bytes_val", 2: "proto_bytes", 3: "ascii_val", 4: "json_ietf_val"}
    return TYPED_VALUE(**{arms.get(update.value.type, "bytes_val"): update.value.value})


def put_update(record, notification, update):
    path = full_path(notification, update.path)
    value = value_of(update)
    arm = value.WhichOneof("value") if value else None
    is_root = not elements(notification.prefix) and not elements(update.path)
    made = []
    if arm in ("json_val", "json_ietf_val"):
        try:
            tree = parse_json(getattr(value, arm))
            check_json(tree)
            for where, fill in leaves(path, is_root, tree):
                leaf = record.updates.add(path=where, encoding=2 if "ietf" in arm else 1)
                leaf.value.SetInParent()
                fill(leaf.value)
                leaf.continued = bool(made)
                made.append(leaf)
        except Unfit:
            made = []
    if not made:
        made.append(record.updates.add(path=path))
        if value:
            put_typed(made[0].value, value)
    made[0].duplicates = update.duplicates
    for leaf in made:
        leaf.path_target = escape(update.path.target, "]")


# ---- the whole ----

def kind_of(response, is_synced):
    if response.WhichOneof("response") == "sync_response" and response.sync_response:
        return "KIND_MARKER"
    if response.update.delete and not response.update.update:
        return "KIND_DELETE"
    return "KIND_CHANGE" if is_synced else "KIND_BASELINE"


HOUR, DAY = 3600 * 10**9, 24 * 3600 * 10**9
# Nanoseconds of each unit, and how near our clock a number has to be to speak for it.
UNITS = [(1, 10 * 366 * DAY), (10**3, 366 * DAY), (10**6, 366 * DAY), (10**9, 366 * DAY)]


def settled(sent, policy):
    """The time that a notification gets, which is the first of its stream."""
    unit = next((unit for unit, window in UNITS
                 if sent > 0 and abs(sent * unit - RECEIVED_NS) <= window), 1)
    if policy == "clamp":
        if sent <= 0:
            return RECEIVED_NS
        return min(max(sent * unit, RECEIVED_NS - HOUR), RECEIVED_NS + HOUR)
    return sent * unit


def put_notification(record, notification, policy):
    record.timestamp_ns = notification.timestamp
    if policy and settled(notification.timestamp, policy) != notification.timestamp:
        record.timestamp_ns = settled(notification.timestamp, policy)
        record.sent_timestamp = notification.timestamp
    record.atomic = notification.atomic
    if notification.HasField("prefix"):
        try:
            prefix = notification.prefix
            record.prefix = path_text(prefix.origin, elements(prefix))
            record.prefix_target = escape(prefix.target, "]")
            record.prefix_origin = escape(prefix.origin, "]")
        except TooMany:
            pass
    for update in notification.update:
        try:
            put_update(record, notification, update)
        except TooMany:
            record.dropped += 1
    for path in notification.delete:
        try:
            delete = record.deletes.add()
            delete.path = full_path(notification, path)
            delete.path_target = escape(path.target, "]")
        except TooMany:
            del record.deletes[-1]
            record.dropped += 1


def raw_extensions(message):
    """The payloads of the fields 5, as they came."""
    holder = descriptor_pb2.FileDescriptorProto(name="raw", package="raw", syntax="proto3")
    holder.message_type.add(name="Raw").field.add(
        name="extension", number=5, type=FIELD.TYPE_BYTES, label=FIELD.LABEL_REPEATED)
    if not hasattr(raw_extensions, "cls"):
        raw_extensions.cls, = classes(descriptor_pb2.FileDescriptorSet(file=[holder]), "raw.Raw")
    return raw_extensions.cls.FromString(message).extension


def record_of(message, seq, is_synced, policy=None):
    """The Record; None: there is none; ValueError (DecodeError) when it is not a message."""
    response = RESPONSE.FromString(message)
    extensions = raw_extensions(message)
    arm = response.WhichOneof("response")
    kind = kind_of(response, is_synced)
    if arm != "update" and kind != "KIND_MARKER" and not extensions:
        return None
    record = RECORD(epoch=EPOCH, seq=seq, target="leaf1", subscription="sub1", labels=LABELS,
                    received_ns=RECEIVED_NS, kind=number("Kind", kind), extensions=extensions)
    if kind == "KIND_MARKER":
        record.marker = number("Marker", "MARKER_SYNCED")
    if arm == "update":
        put_notification(record, response.update, policy)
    return record


def markers():
    """What tests/unit/normalise/record_corpus says with the word `markers`."""
    def marker(seq, name, **fields):
        return RECORD(epoch=EPOCH, seq=seq, target="leaf1", subscription="sub1", labels=LABELS,
                      received_ns=RECEIVED_NS, kind=number("Kind", "KIND_MARKER"),
                      marker=number("Marker", name), **fields)

    return [
        marker(1, "MARKER_CONNECTED"),
        marker(2, "MARKER_SYNCED"),
        marker(3, "MARKER_GAP", gap={"reason": "duplicates", "count": (1 << 64) - 1, "from_ns": 1,
                                     "to_ns": (1 << 63) - 1}),
        marker(4, "MARKER_GAP", gap={"reason": "reconnect", "to_ns": 2}),
        marker(5, "MARKER_STALE", silent_since_ns=3),
        marker(6, "MARKER_RESUMED", silent_since_ns=4),
        marker(7, "MARKER_DISCONNECTED", end={"reason": "unavailable", "code": "UNAVAILABLE",
                                              "text": 'b\u00fe "e"'}),
    ]


def canonical(record):
    return record.SerializeToString(deterministic=True)
