"""hostile_rows - what each hostile device does, and what sluice must say about it."""
import gzip
import random
import select
import ssl
import time

import frames as h2
from frames import END_HEADERS, END_STREAM, counter, data, frame, message, response, rst, settings
from peers import Row, calls, connection, hang_up, hang_up_hard

LIMIT_STREAM = 16 * 1024      # what a call may be sent at first
MAX_MESSAGE = 1024 * 1024     # of the subscription in hostile.py
FLOOD_S = 15                  # a flood that nobody ends goes on for so long
LAST = 2**31 - 1
ROWS = []


def add(name, play, **what):
    ROWS.append(Row(name, play, **what))


def on_connection(name, play, reason, why, **what):
    add(name, connection(play), ends="connection", reason=reason, why=why, **what)


def on_call(name, call, reason, why, pairs=(), **what):
    add(name, calls(call, *pairs), ends="subscription", reason=reason, why=why, **what)


# ---- the beginning of a connection ----

def says(payload, magic=True):
    def play(peer):
        if magic:
            peer.read_magic()
        peer.send(payload)
    return play


def greeted(payload):
    """Says it once a Subscribe call is there."""
    def play(peer):
        (stream, *_) = peer.greet()
        peer.send(payload(stream) if callable(payload) else payload)
    return play


NOISE = random.Random(7).randbytes(64 * 1024)

on_connection("garbage", says(NOISE), "not-http2", "")
on_connection("zeros", says(bytes(4096)), "not-http2", "")
on_connection("http1", says(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), "not-http2",
              "HTTP/1.1 400 Bad Request")
on_connection("ssh", says(b"SSH-2.0-OpenSSH_9.2\r\n"), "not-http2", "SSH-2.0")
on_connection("tls-alert", says(bytes.fromhex("15030300020246")), "not-http2", "TLS")
on_connection("tls-hello", says(bytes.fromhex("16030100c8010000c40303") + NOISE[:190]), "not-http2",
              "TLS")
on_connection("ping-first", says(h2.ping()), "not-http2", "SETTINGS")


def mute(payload):
    """Says this, and never anything again."""
    def play(peer):
        peer.answer_settings = lambda: None
        peer.read_magic()
        peer.send(payload)
    return play


on_connection("silence", mute(b""), "settings-timeout", "no SETTINGS .* in 3 s")
on_connection("half-a-frame", mute(settings()[:5]), "settings-timeout", "no SETTINGS .* in 3 s")
on_connection("settings-no-ack", mute(settings()), "settings-timeout", "SETTINGS .*acknowledge.* 3 s")
on_connection("close-at-once", hang_up, "closed-by-peer|connection-reset", "closed|reset")
on_connection("reset-at-once", hang_up_hard, "connection-reset|closed-by-peer",
              "reset|closed|write|read")
on_connection("close-after-settings", lambda peer: (peer.greet(), hang_up(peer)), "closed-by-peer",
              "closed")

# ---- SETTINGS ----

for name, payload in {
        "settings-push": settings((2, 2)),
        "settings-push-on": settings((2, 1)),
        "settings-window": settings((4, 2**31)),
        "settings-frame-small": settings((5, 1)),
        "settings-frame-large": settings((5, 2**24)),
        "settings-length": frame(h2.SETTINGS, 0, 0, b"12345"),
        "settings-ack-payload": settings() + frame(h2.SETTINGS, h2.ACK, 0, b"123456"),
        "settings-on-stream": frame(h2.SETTINGS, 0, 1),
        "settings-many": settings(*[(99, 1)] * 2000)}.items():
    on_connection(name, says(payload), "broke-http2|not-http2", "SETTINGS|ERROR|CALM")

# ---- frames that are wrong ----

for name, payload, why in [
        ("frame-too-large", h2.head(2**24 - 1, h2.DATA, 0, 1) + bytes(1000), "FRAME_SIZE_ERROR"),
        ("data-stream-0", data(0, b"x"), "PROTOCOL_ERROR"),
        ("data-never-opened", data(99, b"x"), "PROTOCOL_ERROR"),
        ("data-even-stream", data(2, b"x"), "PROTOCOL_ERROR"),
        ("headers-never-opened", response(99), "PROTOCOL_ERROR"),
        ("rst-never-opened", rst(99, 8), "PROTOCOL_ERROR"),
        ("rst-stream-0", rst(0, 8), "PROTOCOL_ERROR"),
        ("rst-length", frame(h2.RST_STREAM, 0, 1, b"123"), "FRAME_SIZE_ERROR"),
        ("ping-length", frame(h2.PING, 0, 0, b"123"), "FRAME_SIZE_ERROR"),
        ("ping-on-stream", frame(h2.PING, 0, 1, b"12345678"), "PROTOCOL_ERROR"),
        ("goaway-length", frame(h2.GOAWAY, 0, 0, b"123"), "FRAME_SIZE_ERROR"),
        ("update-length", frame(h2.WINDOW_UPDATE, 0, 0, b"123"), "FRAME_SIZE_ERROR"),
        ("update-0", h2.window_update(0, 0), "PROTOCOL_ERROR"),
        ("update-overflow", h2.window_update(0, LAST) * 2, "FLOW_CONTROL_ERROR"),
        ("update-never-opened", h2.window_update(99, 5), "PROTOCOL_ERROR"),
        ("continuation-alone", frame(h2.CONTINUATION, END_HEADERS, 1, b""), "PROTOCOL_ERROR"),
        ("push", lambda s: frame(h2.PUSH_PROMISE, END_HEADERS, s, b"\0\0\0\2" + h2.block(
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x")])),
         "PROTOCOL_ERROR"),
        ("block-broken-into", lambda s: frame(h2.HEADERS, 0, s, h2.block(h2.OK_FIELDS)) + h2.ping(),
         "PROTOCOL_ERROR"),
        ("hpack-index", lambda s: frame(h2.HEADERS, END_HEADERS, s, h2.indexed(200)),
         "COMPRESSION_ERROR"),
        ("hpack-index-0", lambda s: frame(h2.HEADERS, END_HEADERS, s, b"\x80"), "COMPRESSION_ERROR"),
        ("hpack-table", lambda s: frame(h2.HEADERS, END_HEADERS, s, h2.integer(1 << 20, 5, 0x20)),
         "COMPRESSION_ERROR"),
        ("hpack-length", lambda s: frame(h2.HEADERS, END_HEADERS, s, b"\x00" + h2.integer(
            1 << 30, 7) + b"x"), "COMPRESSION_ERROR"),
        ("hpack-integer", lambda s: frame(h2.HEADERS, END_HEADERS, s, b"\xff" * 100),
         "COMPRESSION_ERROR"),
        ("padding-too-long", lambda s: response(s) + frame(h2.DATA, h2.PADDED, s, b"\xff" + b"x" * 9),
         "PROTOCOL_ERROR")]:
    on_connection(name, greeted(payload), "broke-http2", why)

on_connection("garbage-later", greeted(NOISE), "broke-http2", "ERROR")

# ---- header blocks ----


def endless(peer):
    (stream, *_) = peer.greet()
    peer.send(frame(h2.HEADERS, 0, stream, h2.block(h2.OK_FIELDS)))
    until = time.monotonic() + FLOOD_S
    while time.monotonic() < until:
        peer.send(frame(h2.CONTINUATION, 0, stream, h2.literal("a", "b" * 100) * 100))


def endless_empty(peer):
    (stream, *_) = peer.greet()
    peer.send(frame(h2.HEADERS, 0, stream, h2.block(h2.OK_FIELDS)))
    until = time.monotonic() + FLOOD_S
    while time.monotonic() < until:
        peer.send(frame(h2.CONTINUATION, 0, stream) * 1000)


on_connection("continuation-endless", endless, "header-without-end|header-bomb", "at most",
              alone=True)
on_connection("continuation-empty", endless_empty, "header-without-end", "128", alone=True)


def bomb():
    """A field of 4,000 bytes in the dynamic table, and one byte for each time that it comes again."""
    return (h2.block(h2.OK_FIELDS) + h2.indexing("x", "y" * 4000) + h2.indexed(62) * 100_000)


on_connection("header-1mb", greeted(lambda s: h2.headers(s, [*h2.OK_FIELDS, ("x", "y" * (1 << 20))])),
              "broke-http2", "COMPRESSION_ERROR.*above 65536 bytes")
on_connection("trailer-1mb", greeted(lambda s: response(s) + h2.headers(
    s, [("grpc-status", "0"), ("x", "y" * (1 << 20))], END_STREAM)),
    "broke-http2", "COMPRESSION_ERROR.*above 65536 bytes")
on_call("header-70kb", lambda peer, s: peer.send(h2.headers(s, [*h2.OK_FIELDS] + [
    (f"x{n}", "y" * 7000) for n in range(10)])), "header-too-large", "65536 at most")
on_call("header-10000", lambda peer, s: peer.send(h2.headers(s, [*h2.OK_FIELDS] + [("x", "")] * 10_000)),
        "header-too-large", "200 at most")
on_connection("hpack-bomb", greeted(lambda s: h2.headers_of(s, bomb())), "header-bomb", "at most")
on_call("trailer-70kb", lambda peer, s: peer.send(response(s), h2.headers(
    s, [("grpc-status", "0"), *[(f"x{n}", "y" * 7000) for n in range(10)]], END_STREAM)),
    "header-too-large", "65536 at most")
for name, fields in {
        "header-no-status": [("content-type", "application/grpc")],
        "header-two-status": [(":status", "200"), *h2.OK_FIELDS],
        "header-status-word": [(":status", "fine"), ("content-type", "application/grpc")],
        "header-upper-case": [*h2.OK_FIELDS, ("Content-Type", "x")],
        "header-connection": [*h2.OK_FIELDS, ("connection", "close")],
        "header-pseudo": [*h2.OK_FIELDS, (":path", "/")],
        "header-pseudo-late": [("content-type", "application/grpc"), (":status", "200")],
        "header-empty-name": [*h2.OK_FIELDS, ("", "x")]}.items():
    on_call(name, lambda peer, s, fields=fields: peer.send(h2.headers(s, fields)), "broke-http2",
            "PROTOCOL_ERROR")
on_call("headers-twice", lambda peer, s: peer.send(response(s), response(s)), "broke-http2",
        "PROTOCOL_ERROR")
on_call("trailers-go-on", lambda peer, s: peer.send(response(s), h2.headers(s, [("grpc-status", "0")])),
        "broke-http2", "PROTOCOL_ERROR")
on_connection("data-first", greeted(lambda s: data(s, message(counter(1)))), "broke-http2",
              "PROTOCOL_ERROR")
on_call("content-length", lambda peer, s: peer.send(h2.headers(
    s, [*h2.OK_FIELDS, ("content-length", "5")]), data(s, message(counter(1)))), "broke-http2",
    "PROTOCOL_ERROR")
on_connection("update-0-stream", greeted(lambda s: h2.window_update(s, 0)), "broke-http2",
              "PROTOCOL_ERROR")
on_call("update-overflow-stream", lambda peer, s: peer.send(h2.window_update(s, LAST)),
        "broke-http2", "FLOW_CONTROL_ERROR")


# ---- what is HTTP but not gRPC ----

def answers(fields, flags=END_STREAM, *more):
    def call(peer, stream):
        peer.send(h2.headers(stream, fields, flags), *more)
    return call


def http(status):
    return answers([(":status", str(status)), ("content-type", "text/html")])


for status in (301, 400, 401, 403, 404, 405, 429, 500, 502, 503, 504):
    on_call(f"http-{status}", http(status), "http-status", f"HTTP status {status}")
on_call("type-missing", answers([(":status", "200")]), "not-grpc", "content-type")
on_call("type-html", answers([(":status", "200"), ("content-type", "text/html")]), "not-grpc",
        "text/html")
on_call("type-web", answers([(":status", "200"), ("content-type", "application/grpc-web+proto")]),
        "not-grpc", "application/grpc-web")

# ---- statuses ----

NAMES = ["ok", "cancelled", "unknown", "invalid-argument", "deadline-exceeded", "not-found",
         "already-exists", "permission-denied", "resource-exhausted", "failed-precondition",
         "aborted", "out-of-range", "unimplemented", "internal", "unavailable", "data-loss",
         "unauthenticated"]


def only_trailers(status, text=None):
    fields = [*h2.OK_FIELDS, ("grpc-status", str(status))]
    return answers(fields + ([("grpc-message", text)] if text is not None else []))


for number, name in enumerate(NAMES):
    on_call(f"status-{number}", only_trailers(number), "ended-by-peer" if number == 0 else name, "peer")
    on_call(f"status-{number}-text", only_trailers(number, "not%20%00today%"),
            "ended-by-peer" if number == 0 else name, "not .today")
for status in (17, 99, "abc", "-1", ""):
    on_call(f"status-{status or 'empty'}", only_trailers(status, "so"), "unknown", "so")
on_call("status-late", lambda peer, s: peer.send(response(s), data(s, message(counter(1))), h2.trailers(
    s, 8, "enough")), "resource-exhausted", "enough")
on_call("status-missing", lambda peer, s: peer.send(response(s), data(s, message(counter(1))), h2.headers(
    s, [("x", "y")], END_STREAM)), "no-status", "without a status")
on_call("end-without-trailers", lambda peer, s: peer.send(response(s), data(s, b"", END_STREAM)),
        "no-status", "without a status")
on_call("end-with-headers", answers(h2.OK_FIELDS), "no-status", "without a status")

# ---- messages ----


def streams(*pieces):
    """A response's headers, and these bytes as DATA, as the windows allow it."""
    def call(peer, stream):
        peer.send(response(stream))
        for piece in pieces:
            peer.send_data(stream, piece)
    return call


def streams_end(piece, *last):
    def call(peer, stream):
        peer.send(response(stream))
        peer.send_data(stream, piece)
        peer.send(*(one(stream) for one in last))
    return call


def ends_data(stream):
    return data(stream, b"", END_STREAM)


on_call("length-4gib", streams(message(b"", length=2**32 - 1)), "message-too-large", "4294967295.*1048576")
on_call("length-one-over", streams(message(b"", length=MAX_MESSAGE + 1)), "message-too-large",
        "1048577.*1048576")
on_call("flag-2", streams(message(counter(1), flag=2)), "broken-prefix", "flag 2")
on_call("flag-255", streams(message(counter(1), flag=255)), "broken-prefix", "flag 255")
on_call("compressed-unsaid", streams(message(counter(1), flag=1)), "compressed", "without a grpc-encoding")


def in_encoding(encoding, body):
    """A call whose first message is compressed, and not asked to be."""
    def play(peer, stream):
        peer.send(h2.headers(stream, [*h2.OK_FIELDS, ("grpc-encoding", encoding)]),
                  data(stream, message(body, flag=1)))
    return play


on_call("compressed-unknown", in_encoding("snappy", counter(1)), "compressed", "snappy")
on_call("gzip-that-is-none", in_encoding("gzip", counter(1)), "gzip-broken", "not gzip")
on_call("gzip-cut-off", in_encoding("gzip", gzip.compress(counter(1))[:-1]), "gzip-broken", "too early")
on_call("gzip-bomb", in_encoding("gzip", gzip.compress(bytes(8 * MAX_MESSAGE))), "message-too-large",
        "more than 1048576")
WHOLE = message(counter(1))
for at in (1, 4, 5, 6, len(WHOLE) - 1):
    on_call(f"truncated-{at}", streams_end(WHOLE[:at], ends_data), "truncated", "within a message")
    on_call(f"truncated-status-{at}", streams_end(WHOLE[:at], lambda s: h2.trailers(s, 0)),
            "truncated", "within a message")
on_call("data-after-end", streams_end(WHOLE, ends_data, lambda s: data(s, WHOLE)),
        "no-status", "without a status")
on_call("headers-after-end", streams_end(WHOLE, lambda s: h2.trailers(s, 14, "gone"), response),
        "unavailable", "gone")

# ---- RST_STREAM and GOAWAY at every point ----

ERROR_NAMES = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR",
               "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL",
               "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY",
               "HTTP_1_1_REQUIRED"]
CODES = [*enumerate(ERROR_NAMES), (0xffffffff, "unknown")]
POINTS = {
    "before": lambda stream: b"",
    "headers": response,
    "within": lambda stream: response(stream) + data(stream, WHOLE[:7]),
    "between": lambda stream: response(stream) + data(stream, WHOLE),
}


def resets(point, code):
    def call(peer, stream):
        peer.send(POINTS[point](stream), rst(stream, code))
        return True
    return call


def goes_away(point, code, last):
    def play(peer):
        (stream, *_) = peer.greet()
        peer.send(POINTS[point](stream), h2.goaway(stream if last is None else last, code, b"bye\x01"))
        if last == 0:
            return
        peer.send(rst(stream, code))  # else a peer lets the call go on
    return play


for point in POINTS:
    for code, name in CODES:
        on_call(f"rst-{point}-{name}", resets(point, code), "reset-by-peer", name)
        on_connection(f"goaway-{point}-{name}", goes_away(point, code, 0), "goaway",
                      f"{name}.*bye\\.")
        on_connection(f"goaway-{point}-{name}-max", goes_away(point, code, LAST), "goaway",
                      f"{name}.*bye\\.")
on_connection("goaway-first", says(settings() + h2.goaway(0, 11, b"too many")), "goaway", "too many")
on_connection("goaway-pings", greeted(lambda s: response(s) + h2.goaway(
    s, h2.ENHANCE_YOUR_CALM, b"too_many_pings") + rst(s, 8)), "goaway", "too_many_pings")

# ---- windows ----


def overshoots(peer, stream):
    piece = data(stream, bytes(h2.MAX_FRAME))
    peer.send(response(stream), *[piece] * 20)


on_call("window-overshoot", overshoots, "window-overshoot", "16384|window")
on_call("window-overshoot-1", lambda peer, s: peer.send(response(s), data(s, message(
    b"", length=MAX_MESSAGE)), data(s, bytes(LIMIT_STREAM // 2)), data(s, bytes(LIMIT_STREAM))),
    "window-overshoot", "window")

# ---- floods ----


def floods(*pieces, before=lambda stream: b"", reads=True):
    """The pieces again and again, 64 KiB at a time, for FLOOD_S or until it is ended."""
    def play(peer):
        (stream, *_) = peer.greet()
        one = b"".join(piece(stream) if callable(piece) else piece for piece in pieces)
        many = one * max(1, 65536 // len(one))
        peer.send(before(stream))
        peer.sock.settimeout(FLOOD_S)
        until = time.monotonic() + FLOOD_S
        while time.monotonic() < until:
            peer.send(many)
            if reads:
                drain(peer)
    return play


def drain(peer):
    """Takes what is there, and looks at none of it."""
    try:
        while select.select([peer.sock], [], [], 0)[0]:
            if not peer.sock.recv(1 << 20):
                raise h2.Gone
    except OSError as error:
        raise h2.Gone from error


def flood(name, *pieces, reason="frame-flood", why="", **what):
    on_connection(f"flood-{name}", floods(*pieces, **what), reason, why, alone=True)


flood("ping", h2.ping(), reason="ack-flood|ping-flood")
flood("ping-unread", h2.ping(), reason="ack-flood|ping-flood", reads=False)
flood("ping-ack", h2.ping(h2.ACK))
flood("settings", settings(), reason="ack-flood|settings-flood")
flood("settings-full", settings(*[(4, 65535)] * 30), reason="ack-flood|settings-flood")
flood("settings-ack", settings(flags=h2.ACK), reason="frame-flood|broke-http2")
flood("update", h2.window_update(0, 1), reason="frame-flood")
flood("update-stream", lambda s: h2.window_update(s, 1), reason="frame-flood")
flood("priority", lambda s: frame(h2.PRIORITY, 0, s, b"\0\0\0\0\1"), reason="priority-flood")
flood("unknown", frame(0xbb, 0, 0, b"x" * 20))
flood("unknown-large", frame(0xbb, 0, 0, b"x" * 16384))
flood("data-of-the-reset", lambda s: data(s, bytes(1000)), before=lambda s: response(s) + rst(s, 8))
flood("goaway", h2.goaway(LAST, 0, b""), reason="goaway|frame-flood")
flood("goaway-text", h2.goaway(LAST, 0, b"y" * 16000), reason="goaway|frame-flood")
flood("interim", lambda s: h2.headers(s, [(":status", "100")]))
flood("empty", lambda s: data(s, b""), before=response, reason="empty-data-flood")


# ---- what is odd, but legal: it must go on ----

STEPS = 300


def legal(name, call, messages, subscriptions=("all",), **what):
    """`call(peer, stream)` sends so many messages and then nothing."""
    def play(peer, row):
        peer.greet(streams=len(subscriptions))
        row.attempt()
        peer.sock.settimeout(None)
        call(peer, min(peer.requests))

    def is_done(scene):
        return scene.messages(name) >= messages
    add(name, play, legal=True, is_done=is_done, **what)


def send_each(peer, stream, payloads):
    for payload in payloads:
        peer.send_data(stream, payload)


def slow(peer, stream):
    """Byte by byte, so slowly that every timer of seconds has fired."""
    peer.send(response(stream))
    for byte in message(counter(1)):
        time.sleep(0.3)
        peer.send_data(stream, bytes([byte]))


def padded(peer, stream):
    """More padding than any window has room for: it has to come back too."""
    peer.send(response(stream))
    for number in range(6000):
        payload = message(counter(number)) if number % 2 == 0 else b""
        length = len(payload) + 256
        while min(peer.stream_window[stream], peer.window) < length:
            peer.read_frame()
        peer.stream_window[stream] -= length
        peer.window -= length
        peer.send(h2.padded(stream, payload, 255))


def odd(peer, stream):
    peer.send(h2.headers(stream, [(":status", "103")]),
              h2.headers(stream, [*h2.OK_FIELDS, ("grpc-encoding", "gzip")]))
    for number in range(STEPS):
        peer.send(frame(0xbb, 0xff, 0, b"unknown"), frame(h2.PRIORITY, 0, stream, b"\0\0\0\0\1"),
                  h2.ping(), settings((4, 65535 + number), (0xabc, number)),
                  h2.window_update(stream, 1), h2.window_update(0, 1), data(stream, b""))
        whole = message(counter(number)) + message(b"")
        at = number % len(whole)
        peer.send_data(stream, whole[:at])
        peer.send_data(stream, whole[at:])
        while peer.answers <= number:
            peer.read_frame()


legal("legal-slow", slow, 1)
legal("legal-padding", padded, 3000)
legal("legal-odd", odd, 2 * STEPS)


def broken_messages():
    """A good message with each byte changed, and cut off at each byte."""
    good = h2.subscribe_response(
        h2.update(["hostile", "a"], h2.uint_value(1 << 60)),
        h2.update(["hostile", "b"], h2.string_value("text")),
        h2.update(["hostile", "c"], h2.bytes_field(8, h2.bytes_field(1, h2.uint_value(7)))))
    for at in range(len(good)):
        for byte in {0, 0x7f, 0x80, 0xff, good[at] ^ 1, good[at] ^ 0x80} - {good[at]}:
            yield good[:at] + bytes([byte]) + good[at + 1:]
        yield good[:at]


def nested(wrap, depth=100_000, most=MAX_MESSAGE - 1000):
    """Wraps as deep as a message may be long."""
    parts, length = [], 0
    while len(parts) < depth and length < most:
        start = wrap(length)
        parts.append(start)
        length += len(start)
    return b"".join(reversed(parts))


def inside(number):
    return lambda length: h2.varint(number << 3 | 2) + h2.varint(length)


def leaflists(depth=100_000):
    """TypedValue.leaflist_val > ScalarArray.element > TypedValue > …"""
    steps = [inside(1), inside(8)]
    turn = iter(range(1 << 30))
    return h2.subscribe_response(h2.update(["deep"], nested(lambda n: steps[next(turn) % 2](n), depth,
                                                           MAX_MESSAGE - 4000)))


DEEP = [
    leaflists(),
    leaflists(200),
    b"\x7b" * (MAX_MESSAGE - 10),                      # groups that never end
    b"\x7b" * 100_000 + b"\x7c" * 100_000,             # groups that do
    b"\x7c",                                            # the end of none
    nested(inside(1)),                                  # the same message in itself
    h2.subscribe_response(*[b""] * 100_000),            # nothing, often
    b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",      # a length of 2^64 - 1
    b"\xff" * 1000,
    b"\x18" + b"\x80" * 1000 + b"\x01",                # an endless varint
    b"\x18\x01" * 100_000,                             # sync_response, 100,000 times
]
BROKEN = list(broken_messages())


def sends(payloads):
    def call(peer, stream):
        peer.send(response(stream))
        send_each(peer, stream, [message(payload) for payload in payloads])
    return call


legal("legal-broken", sends([*BROKEN, counter(1)]), len(BROKEN) + 1)
legal("legal-deep", sends([*DEEP, counter(1)]), len(DEEP) + 1)


def amplified():
    """Small updates under a prefix that is written out with each of them."""
    prefix = h2.path(*["p" * 1000] * 500)
    one = h2.bytes_field(4, h2.update(["x"], h2.uint_value(1)))
    many = one * ((MAX_MESSAGE - len(prefix) - 100) // len(one))
    return h2.bytes_field(1, h2.number_field(1, 1) + h2.bytes_field(2, prefix) + many)


legal("legal-amplified", sends([amplified(), counter(1)]), 2, alone=True)

LARGE = [message(h2.sized(600_000))]


def large(peer, stream):
    peer.send(response(stream))
    send_each(peer, stream, LARGE * 5)


def unfinished(peer, stream):
    """A message of the largest size, but for its last byte."""
    peer.sock.settimeout(None)
    peer.send(response(stream))
    peer.send_data(stream, message(b"", length=MAX_MESSAGE) + bytes(MAX_MESSAGE - 1))


add("unfinished", calls(unfinished), ends="subscription", reason="message-too-slow",
    why="30 s at most")
for number in range(12):
    legal(f"legal-large-{number}", large, 5)


# ---- TLS, and addresses ----

TLS = {"insecure": False, "tls": {}}  # hostile.py says whom to trust


def on_tls(name, play, reason, why, cert=None, protocols=("h2",), **target):
    """`cert`: the handshake is done with it, and `play` has what is inside."""
    add(name, play if cert is None else within_tls(cert, protocols, play), ends="connection",
        reason=reason, why=why, target={**TLS, **target})


def within_tls(cert, protocols, play):
    def whole(peer, row):
        row.attempt()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(row.place / f"{cert}.pem", row.place / f"{cert}.key")
        if protocols:
            context.set_alpn_protocols(protocols)
        peer.sock = context.wrap_socket(peer.sock, server_side=True)
        play(peer)
    return whole


def dribble(peer):
    """The head of a long record, and its bytes one by one, for as long as anybody listens."""
    peer.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    while True:
        time.sleep(0.2)
        peer.send(b"x")


on_tls("tls-silence", connection(lambda peer: None), "tls-handshake-timeout|timed-out", "")
on_tls("tls-dribble", connection(dribble), "tls-handshake-timeout|timed-out", "")
on_tls("tls-cut", connection(lambda peer: (peer.receive(100), hang_up(peer))), "tls-handshake-cut",
       "closed by peer")
on_tls("tls-garbage", connection(lambda peer: peer.send(NOISE)), "tls-.*", "")
on_tls("tls-plaintext", connection(lambda peer: peer.send(settings())), "tls-.*", "")
on_tls("tls-http1", connection(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")), "tls-.*", "")
on_tls("tls-expired", lambda peer: None, "tls-certificate-expired", "", cert="expired")
on_tls("tls-other-name", lambda peer: None, "tls-name-mismatch", "", cert="other")
on_tls("tls-self-signed", lambda peer: None, "tls-self-signed", "", cert="unknown")
on_tls("tls-no-alpn", lambda peer: None, "tls-alpn", "", cert="good", protocols=())
on_tls("tls-alpn-http1", lambda peer: None, "tls-alpn|tls-alert", "", cert="good", protocols=("http/1.1",))
on_tls("tls-then-silence", mute(b""), "settings-timeout", "no SETTINGS", cert="good")
on_tls("tls-then-http1", says(b"HTTP/1.1 200 OK\r\n\r\n"), "not-http2", "HTTP/1.1", cert="good")
on_tls("tls-then-cut", hang_up_hard, "closed-by-peer|connection-reset", "", cert="good")
add("never-answers", None, ends="connection", reason="timed-out", why="connect 127.0.0.1.*timed out")
