"""record_cases - our own messages for the format sluice.v1, each with what is peculiar about it.

Where protobuf's own writer could not make the message (fields that come twice, groups, bytes that are
no UTF-8) it is put together by hand.
"""
from rule import BUILD_PATH, BUILD_RESPONSE, BUILD_VALUE

T = 1595491586073072000
MIN64, MAX64, MAXU64 = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1


# ---- bytes by hand ----

def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, payload):
    """A field: bytes, or a number."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def group(number, inside=b""):
    return varint(number << 3 | 3) + inside + varint(number << 3 | 4)


def raw_path(*names):
    return b"".join(field(3, field(1, name)) for name in names)


def raw_update(path, value, more=b""):
    return field(4, field(1, path) + field(3, value) + more)


def raw(notification):
    return field(1, field(1, T) + notification)


# ---- messages ----

def path_of(*names, origin="", target=""):
    """A name, or (name, {key: value})."""
    path = BUILD_PATH(origin=origin, target=target)
    for name in names:
        if isinstance(name, tuple):
            path.elem.add(name=name[0]).key.update(name[1])
        else:
            path.elem.add(name=name)
    return path


def message(*updates, prefix=None, deletes=(), atomic=False, timestamp=T, extensions=()):
    response = BUILD_RESPONSE()
    notification = response.update
    notification.SetInParent()
    notification.timestamp = timestamp
    notification.atomic = atomic
    if prefix is not None:
        notification.prefix.CopyFrom(prefix)
    for path, value in updates:
        update = notification.update.add()
        update.path.CopyFrom(path)
        if value is not None:
            update.val.CopyFrom(value)
    for path in deletes:
        notification.delete.add().CopyFrom(path)
    for extension in extensions:
        response.extension.add().MergeFromString(extension)
    return response


def value(**arm):
    return BUILD_VALUE(**arm)


LEAF = path_of("a", "v")


def one(**arm):
    return message((LEAF, value(**arm)))


def listed(*elements):
    out = value()
    out.leaflist_val.SetInParent()
    for element in elements:
        out.leaflist_val.element.add().CopyFrom(element)
    return out


def nested(levels):
    inner = value(uint_val=1)
    for _ in range(levels):
        inner = listed(inner)
    return inner


def json(text, path=LEAF, ietf=False, **more):
    arm = "json_ietf_val" if ietf else "json_val"
    return message((path, value(**{arm: text.encode() if isinstance(text, str) else text})), **more)


def with_duplicates(count, **arm):
    response = one(**arm)
    response.update.update[0].duplicates = count
    return response


def with_old_value(content, kind):
    response = message((LEAF, None))
    response.update.update[0].value.value = content
    response.update.update[0].value.type = kind
    return response


def old_path(*element, **more):
    return BUILD_PATH(element=element, **more)


def sync(is_true=True, extensions=()):
    response = BUILD_RESPONSE(sync_response=is_true)
    for extension in extensions:
        response.extension.add().MergeFromString(extension)
    return response


def both_forms():
    path = old_path("old")
    path.elem.add(name="new")
    return message((path, value(uint_val=1)))


REGISTERED = field(1, field(1, 999) + field(2, b"\x08\x01"))
HISTORY = field(3, field(1, 5))
UNKNOWN_EXTENSION = field(99, b"\xff\xfe")
BAD = b"caf\xe9"
IF = ("interface", {"name": "eth1/0"})


def cases():
    """(name, what is peculiar, message or its bytes, whether the stream was synced before)"""
    yield from scalars()
    yield from lists()
    yield from deprecated()
    yield from paths()
    yield from notifications()
    yield from unusual()
    yield from json_values()
    yield from json_paths()
    yield from not_json()


def scalars():
    yield "string", "text", one(string_val="up"), True
    yield "string-empty", "present, and empty", one(string_val=""), True
    yield "string-unicode", "two, three and four bytes", one(string_val="ä€😀\u2028\x00\x7f"), True
    yield "string-long", "a length of three bytes", one(string_val="x" * 20000), True
    yield "int-min", "-2^63", one(int_val=MIN64), True
    yield "int-max", "2^63 - 1", one(int_val=MAX64), True
    yield "int-zero", "present, and 0", one(int_val=0), True
    yield "uint-max", "2^64 - 1", one(uint_val=MAXU64), True
    yield "uint-zero", "present, and 0", one(uint_val=0), True
    yield "uint-beyond-double", "2^53 + 1", one(uint_val=(1 << 53) + 1), False
    yield "bool-true", "true", one(bool_val=True), True
    yield "bool-false", "present, and false", one(bool_val=False), True
    yield "bytes", "every byte", one(bytes_val=bytes(range(256))), True
    yield "bytes-empty", "present, and empty", one(bytes_val=b""), True
    yield "float", "the float next to 0.1", one(float_val=0.1), True
    yield "float-nan", "NaN", one(float_val=float("nan")), True
    yield "float-minus-zero", "-0", one(float_val=-0.0), True
    yield "double", "0.1", one(double_val=0.1), True
    yield "double-infinity", "-inf", one(double_val=float("-inf")), True
    yield "double-smallest", "the smallest above 0", one(double_val=5e-324), True
    yield "decimal-min", "-2^63 / 10^18", one(decimal_val={"digits": MIN64, "precision": 18}), True
    yield "decimal-max", "2^63 - 1 and the largest precision", one(
        decimal_val={"digits": MAX64, "precision": (1 << 32) - 1}), True
    yield "decimal-empty", "0 / 10^0", one(decimal_val={}), True
    yield "any", "a type that nobody knows", one(
        any_val={"type_url": "type.googleapis.com/x.Y", "value": b"\x00\xff"}), True
    yield "any-empty", "neither type nor value", one(any_val={}), True
    yield "ascii", "text of a command", one(ascii_val="line 1\nline 2"), True
    yield "proto-bytes", "bytes of a message", one(proto_bytes=b"\x08\x96\x01"), True
    yield "no-value", "an update without val", message((LEAF, None)), True
    yield "no-arm", "a TypedValue without an arm", message((LEAF, value())), True
    yield "unknown-arm", "a TypedValue with an arm of the future", raw(
        raw_update(raw_path("a"), field(40, 7))), True


def lists():
    yield "list-mixed", "each scalar arm, and an element without one", message((LEAF, listed(
        value(string_val="a"), value(int_val=-1), value(uint_val=MAXU64), value(bool_val=False),
        value(bytes_val=b"\xff"), value(float_val=0.5), value(double_val=0.1), value(ascii_val="b"),
        value(decimal_val={"digits": -5, "precision": 1}), value(proto_bytes=b"\x01"), value(),
        value(any_val={"type_url": "t", "value": b"v"})))), True
    yield "list-empty", "no element", message((LEAF, listed())), True
    yield "list-nested", "40 levels", message((LEAF, nested(40))), True
    yield "list-json", "JSON inside stays as it came", message((LEAF, listed(
        value(json_val=b'{"a": 1}'), value(json_ietf_val=b"[1, 2]")))), True
    yield "list-long", "1000 elements: lengths of more than a byte", message(
        (LEAF, listed(*(value(uint_val=n) for n in range(1000))))), True


def deprecated():
    for kind, name in enumerate(("json", "bytes", "proto", "ascii", "json-ietf")):
        yield f"old-value-{name}", f"Update.value of type {name}", with_old_value(b'{"a":1}', kind), True
    yield "old-value-unknown", "Update.value of a type of the future", with_old_value(b"x", 77), True
    both = with_old_value(b"1", 0)
    both.update.update[0].val.uint_val = 2
    yield "old-value-and-val", "val counts", both, True
    yield "old-path", "element strings with keys", message(
        (old_path("interfaces", "interface[name=eth1/0][unit=0]", "state"), value(uint_val=1))), True
    yield "old-path-odd", "what is not [name=value] is a name", message(
        (old_path("a[b", "[=c]", "d[e=f]g", "h\\[i=j]", "[k=l]", "m[n=o][n=p]"), value(uint_val=1))), True
    yield "old-path-prefix", "in prefix and delete", message(
        prefix=old_path("a[k=v]", origin="oc"), deletes=[old_path("b", "c")]), True
    yield "old-path-and-elem", "elem counts", both_forms(), True


def paths():
    yield "path-none", "an update without a path is the root", raw(field(4, field(3, field(3, 1)))), True
    yield "path-root", "the root", message((path_of(), value(uint_val=1))), True
    yield "path-nameless", "elements without names", message(
        (path_of("a", "", ("", {"k": "v"}), ""), value(uint_val=1)),
        (path_of(""), value(uint_val=2))), True
    yield "path-keys-sorted", "keys in the order of their names", message(
        (path_of(("i", {"z": "1", "a": "2", "m": "3", "aa": "4", "": "5", "B": "6"})),
         value(uint_val=1))), True
    yield "path-keys-twice", "of two entries with one name the later counts", raw(raw_update(
        field(3, field(1, "i") + field(2, field(1, "k") + field(2, "1")) +
              field(2, field(1, "j") + field(2, "2")) + field(2, field(1, "k") + field(2, "3"))),
        field(3, 1))), True
    yield "path-key-empty", "a key without value, one without name, one with neither", message(
        (path_of(("i", {"k": ""}), ("j", {"": "v"}), ("l", {"": ""})), value(uint_val=1))), True
    yield "path-escapes", "everything that needs a backslash", message(
        (path_of("a/b[c]d\\e=f:g", ("i", {"k/[]=\\]:": "v/[]=\\]:\n\r\t"})), value(uint_val=1))), True
    yield "path-unicode", "letters, and U+0000", message(
        (path_of("ä", ("i", {"k": "日本\x00"})), value(uint_val=1))), True
    yield "path-bad-utf8", "bytes that are no UTF-8, anywhere in a path", raw(
        field(2, field(2, BAD) + field(4, BAD) + raw_path(BAD)) + raw_update(
            field(3, field(1, BAD) + field(2, field(1, BAD) + field(2, b"\xed\xa0\x80"))) +
            field(4, b"\xc0\x80"), field(3, 1))), True
    yield "path-star", "wildcards are names like others", message(
        deletes=[path_of("a", "*", ("i", {"k": "*"}), "...")]), True
    yield "path-modules", "module names stay", message(
        (path_of("oc-if:interfaces", "oc-if:interface"), value(uint_val=1)),
        prefix=path_of(origin="rfc7951")), True
    yield "path-keys-127", "as many keys as an element may have", message(
        (path_of(("i", {f"k{n}": "v" for n in range(128)})), value(uint_val=1))), True
    yield "path-keys-129", "one more: only that update is dropped", message(
        (path_of("a"), value(uint_val=1)),
        (path_of(("i", {f"k{n}": "v" for n in range(129)})), value(uint_val=2)),
        (path_of("b"), value(uint_val=3)),
        deletes=[path_of(("i", {f"k{n}": "v" for n in range(129)}))]), True
    yield "prefix-keys-129", "such a prefix leaves nothing but the count", message(
        (path_of("a"), value(uint_val=1)),
        prefix=path_of(("i", {f"k{n}": "v" for n in range(129)}), target="t")), True
    yield "path-spaces", "the text of a command as a path", message(
        (path_of("show version | json", origin="cli"), value(uint_val=1))), True
    yield "origin-odd", "an origin that needs escapes", message(
        (path_of("a", origin="x:/y[z]\\"), value(uint_val=1))), True
    yield "origin-root", "an origin and no element", message(
        (path_of(origin="openconfig"), value(uint_val=1))), True
    yield "origin-prefix", "the prefix's is that of the path", message(
        (path_of("b"), value(uint_val=1)), prefix=path_of("a", origin="openconfig")), True
    yield "origin-both", "the path's own counts", message(
        (path_of("b", origin="o2"), value(uint_val=1)), (path_of("c"), value(uint_val=2)),
        prefix=path_of("a", origin="o1"), deletes=[path_of("d", origin="o3"), path_of("e")]), True
    yield "target-prefix", "a target alone", message(
        (path_of("b"), value(uint_val=1)), prefix=path_of(target="leaf1")), True
    yield "target-odd", "a target that needs escapes, and one in the path", message(
        (path_of("b", target="t[2]"), value(uint_val=1)),
        prefix=path_of("a", target="t\\]\n"), deletes=[path_of("c", target="t3")]), True


def notifications():
    real = path_of("interfaces", IF, "state", "counters", origin="openconfig", target="leaf1")
    some = [(path_of("in-octets"), value(uint_val=MAXU64)), (path_of("out-octets"), value(uint_val=1))]
    yield "baseline", "before the sync_response", message(*some, prefix=real), False
    yield "change", "after it", message(*some, prefix=real), True
    yield "delete", "deletes alone, after the sync_response", message(
        prefix=real, deletes=[path_of(), path_of("x")]), True
    yield "delete-baseline", "deletes alone, before it", message(deletes=[LEAF]), False
    yield "delete-and-update", "both are a change", message(*some, prefix=real, deletes=[path_of()]), True
    yield "delete-first", "a delete in front of the update, on the wire", raw(
        field(5, raw_path("a")) + raw_update(raw_path("b"), field(3, 1))), True
    yield "atomic", "everything there is under the prefix", message(
        *some, prefix=real, atomic=True), True
    yield "atomic-empty", "nothing is left under the prefix", message(prefix=real, atomic=True), True
    yield "empty-notification", "a notification without anything", field(1, b""), True
    yield "empty-prefix", "a prefix without anything", message(prefix=path_of()), False
    yield "empty-response", "a keepalive: no record", b"", True
    yield "sync", "the marker", sync(), False
    yield "sync-again", "a second one", sync(), True
    yield "sync-false", "says nothing: no record", sync(False), False
    yield "sync-extensions", "a marker with extensions", sync(extensions=[REGISTERED]), False
    yield "error", "the deprecated Error: no record", field(4, field(1, 5) + field(2, "no")), True
    yield "extensions", "each as it came", message(
        *some, extensions=[REGISTERED, HISTORY, UNKNOWN_EXTENSION, b""]), True
    yield "extensions-only", "nothing but extensions", field(5, REGISTERED), True
    yield "extensions-and-error", "an Error with an extension", field(4, b"") + field(5, HISTORY), False
    yield "duplicates", "what the device left out", with_duplicates((1 << 32) - 1, uint_val=1), True
    yield "duplicates-string", "the same on a string", with_duplicates(3, string_val="x"), True
    yield "timestamp-negative", "before 1970", message(*some, timestamp=-1), True
    yield "timestamp-none", "0", message(*some, timestamp=0), True
    yield "timestamp-max", "2^63 - 1", message(*some, timestamp=MAX64), True
    yield "many", "300 updates", message(
        *((path_of(("i", {"n": str(n)})), value(uint_val=n)) for n in range(300)), prefix=real), True


def unusual():
    a, b = raw_path("a"), raw_path("b")
    yield "wire-string-bad-utf8", "a string that is none", raw(
        raw_update(a, field(1, BAD)) + raw_update(b, field(12, b"\xff"))), True
    yield "wire-list-bad-utf8", "one such element in a leaf-list", raw(raw_update(
        a, field(8, field(1, field(1, "good")) + field(1, field(1, BAD)) + field(1, field(3, 9))))), True
    yield "wire-any-bad-utf8", "a type_url that is none", raw(
        raw_update(a, field(9, field(2, "v") + field(1, BAD)))), True
    yield "wire-two-notifications", "two updates in the response are one", field(
        1, field(1, 1) + raw_update(a, field(3, 1))) + field(1, field(1, T) + raw_update(b, field(3, 2))), True
    yield "wire-two-paths", "two paths of an update are one", raw(
        field(4, field(1, a) + field(3, field(3, 1)) + field(1, b))), True
    yield "wire-two-arms", "the last arm counts", raw(raw_update(a, field(1, "x") + field(3, 2))), True
    yield "wire-two-vals", "two val fields are one", raw(field(
        4, field(1, a) + field(3, field(7, field(1, 5))) + field(3, field(7, field(2, 1))))), True
    yield "wire-scalar-twice", "the later timestamp counts", raw(
        field(1, 7) + raw_update(a, field(3, 1)) + field(6, 1) + field(6, 0)), True
    yield "wire-update-then-sync", "the last arm of the response counts", raw(
        raw_update(a, field(3, 1))) + field(3, 1), True
    yield "wire-sync-then-update", "the same the other way round", field(3, 1) + raw(
        raw_update(a, field(3, 1))), True
    yield "wire-groups", "groups, which nobody knows", group(9) + raw(
        group(8, field(1, "x")) + raw_update(a, group(20, group(21)) + field(3, 1))), True
    yield "wire-unknown", "unknown fields anywhere, and a known number of another type", raw(
        field(15, 1) + raw_update(a + field(9, "x"), field(3, "no number") + field(3, 4), field(7, 1))), True
    yield "wire-long-varints", "numbers written in ten bytes", raw(raw_update(
        a, b"\x18\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00")), True
    yield "wire-negative-bool", "a bool of ten bytes", raw(raw_update(a, b"\x20" + b"\xff" * 9 + b"\x01")), True
    yield "wire-any-twice", "the parts of an Any come in pieces", raw(raw_update(
        a, field(9, field(1, "one")) + field(9, field(2, "v") + field(1, "two")))), True


def json_values():
    yield "json-integers", "64 bits, and what is beyond", json(
        '{"a":9223372036854775807,"b":-9223372036854775808,"c":18446744073709551615,'
        '"d":18446744073709551616,"e":-9223372036854775809,"f":0,"g":-0,"h":9007199254740993}'), True
    yield "json-decimals", "every digit stays", json(
        '{"a":1.0,"b":0.10,"c":123456789012345678901234567890.5,"d":1e400,"e":1E+2,"f":-0.0,'
        '"g":3.141592653589793238462643383279}'), True
    yield "json-words", "true, false, null", json('{"a":true,"b":false,"c":null}'), True
    yield "json-strings", "escapes", json(
        '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t","b":"\\u00e4\\ud83d\\ude00\\u0000","c":"","d":"ä😀\x7f"}'), True
    yield "json-scalar", "values without a container", message(*(
        (path_of(str(n)), value(json_val=text.encode())) for n, text in enumerate(
            ("1", "-1", "1.5", '"x"', "true", "null", " \t\r\n7\n")))), True
    yield "json-empty-containers", "a leaf each", json('{"a":{},"b":[],"c":{"d":{}},"e":[[]]}'), True
    yield "json-empty-object", "alone", json("{ }"), True
    yield "json-empty-array", "alone", json("[\n]"), True
    yield "json-list", "an array of scalars is a leaf-list", json(
        '{"l":[1,-2,3.5,"x",true,null,18446744073709551616]}'), True
    yield "json-null-list", "YANG's type empty", json('{"e":[null]}', ietf=True), True
    yield "json-top-list", "an array without an object", json("[1, 2]"), True
    yield "json-list-of-objects", "its items have an index", json(
        '[{"name":"a","mtu":1500},{"name":"b","mtu":"9000"}]', ietf=True), True
    yield "json-mixed-list", "scalars, then a container", json('{"m":[1,"two",{"three":3},[4,5],[]]}'), True
    yield "json-ietf", "64-bit numbers are strings there, and stay strings", json(
        '{"oc:counters":{"in":"18446744073709551615","load":"0.50","up":true}}', ietf=True), True
    yield "json-duplicate-names", "both are given", json('{"a":1,"a":2,"b":{"c":1},"b":{"d":2}}'), True
    yield "json-order", "that of the text", json('{"z":1,"a":2,"m":{"y":3,"b":4}}'), True
    yield "json-spaces", "blanks between everything", json(' { "a" : [ 1 , 2 ] , "b" : { "c" : null } } '), True
    yield "json-deep", "99 containers", json('{"a":' * 99 + "1" + "}" * 99), True
    yield "json-deep-arrays", "99 arrays", json("[" * 99 + "{}" + "]" * 99), True
    duplicates = json('{"a":1,"b":2,"c":[]}')
    duplicates.update.update[0].duplicates = 7
    yield "json-duplicates", "the count stands on the first leaf", duplicates, True
    yield "json-among-others", "leaves and plain updates in their order", message(
        (path_of("p"), value(uint_val=1)), (path_of("q"), value(json_val=b'{"a":1,"b":2}')),
        (path_of("r"), value(json_ietf_val=b'"x"')), (path_of("s"), value(string_val="y"))), True
    yield "json-large", "strings with lengths of more than a byte", json(
        '{"a":"' + "x" * 300 + '","b":[' + ",".join(["12345"] * 100) + "]}"), True


def json_paths():
    yield "json-names", "names that need escapes", json(
        '{"a/b":1,"c[d=e]":2,"f\\\\g":3,"":4,"h\\n":5,"x":{"":{"":6}}}'), True
    yield "json-at-root", "the root joins without a second slash", json(
        '{"a":1,"b":[{"c":2}]}', path=path_of()), True
    yield "json-at-origin", "an origin and no element", json(
        '{"a":1}', path=path_of(origin="oc")), True
    yield "json-root-array", "an index on the root", json('[{"a":1},{}]', path=path_of()), True
    yield "json-root-scalar", "a value of the root", json("5", path=path_of()), True
    yield "json-slash-name", "not the root, though its text ends in a slash", json(
        '{"a":1}', path=path_of("x/")), True
    yield "json-path-target", "the target stands on each leaf", json(
        '{"a":1,"b":2}', path=path_of("x", target="t")), True
    yield "json-prefix", "prefix, keys, and what is inside", json(
        '{"mtu":1500,"addresses":[{"ip":"::1"}]}', path=path_of(IF), ietf=True,
        prefix=path_of("interfaces", origin="openconfig")), False


def not_json():
    for name, text in (("truncated", b'{"a":1'), ("trailing", b'{"a":1} x'), ("comma", b'{"a":1,}'),
                       ("list-comma", b"[1,]"), ("quotes", b"{'a':1}"), ("nan", b'{"a":NaN}'),
                       ("zero", b'{"a":01}'), ("control", b'{"a":"\x01"}'), ("bom", b"\xef\xbb\xbf1"),
                       ("bad-utf8", b'{"a":"caf\xe9"}'), ("bad-utf8-name", b'{"\xff":1}'),
                       ("surrogate", b'{"a":"\\ud800"}'), ("surrogate-name", b'{"\\udc00":1}'),
                       ("escape", b'{"a":"\\x"}'), ("empty", b""), ("blank", b"  "),
                       ("deep", b"[" * 101 + b"]" * 101), ("list-bad", b'{"a":[1,2,"\\ud800"]}'),
                       ("words", b'{"a":True}'), ("plus", b"+1"), ("point", b"1.")):
        yield f"notjson-{name}", "carried as it came", json(text), True
    yield "notjson-ietf", "the same in json_ietf_val", json(b"{", ietf=True), True
    late = json(b'{"a":1,"b":{"c":2},"d":"\\ud800"}')
    late.update.update[0].duplicates = 2
    yield "notjson-late", "leaves that were written already are taken back", late, True
