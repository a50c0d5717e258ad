#!/usr/bin/env python3
"""open_server - a server that stands in the open: each known attack ends its own connection.

interop-server is attacked by plain sockets with frames made by hand (frames.py), by everybody at once,
while a client of grpcio makes calls beside them. Of each attack is judged:

  ended     the server closes the connection, with GOAWAY where there is somebody to read it
  reason    the server's log names this peer and the reason that was expected
  good      the good client was served all the time
  memory    bounded, however much was sent
  CPU       bounded by what the attack itself brings

Beside them: a gzip bomb and a huge prefix, which cost their call alone, and more connections of one peer than it may have.
Then busy clients: calls by the ten thousand, and cancelled ones, none of which may be ended. The long
form has the attacks that take minutes too.
"""
import contextlib
import os
import re
import resource
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import Callable

from harness import Failed, Process, check, must, note, part, run, wait_for  # first: it enters the environment

import grpc

import frames as h2
from frames import Gone, Peer, data, frame, headers, rst, settings, window_update
from interop import our_server, stops

SERVICE = "/grpc.testing.TestService/"
PATIENCE_S = 60
LONG_PATIENCE_S = 200
FLOOD_BYTES = 256 << 20  # nobody needs more to be ended
GROWS_MIB = 96           # sockets' buffers of all attackers at once, and what streams may hold
CROWD_MIB = 64           # with a message of the largest size, and a thousand connections
CPU_PER_BYTE = 150e-9    # seconds; frames of 9 bytes cost the most
CPU_SHARE = 0.5          # of a core, for the good client
SCENE = 15               # attacks on one server
WHOLE = 1 << 20          # bytes of a response that is asked for


def request_fields(method):
    return [(":method", "POST"), (":scheme", "http"), (":path", SERVICE + method),
            (":authority", "here"), ("content-type", "application/grpc"), ("te", "trailers")]


def request(stream, method="EmptyCall", flags=0):
    return headers(stream, request_fields(method), flags)


def asks_much(stream):
    """A request for a response of a megabyte."""
    payload = h2.bytes_field(2, h2.number_field(1, WHOLE))
    return request(stream, "StreamingOutputCall") + data(stream, h2.message(payload), h2.END_STREAM)


class Attacker(Peer):
    """The client's end of a connection."""

    def __init__(self, port, row):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.settimeout(row.patience_s)
        super().__init__(sock)
        self.row = row
        self.goaway = None
        self.is_mute = False

    def send(self, *pieces):
        super().send(*pieces)
        self.row.sent += sum(map(len, pieces))

    def take(self, kind, flags, stream, payload):
        if kind == h2.PING and not flags & h2.ACK:
            self.send(h2.ping(h2.ACK, payload))
        elif kind == h2.GOAWAY:
            self.goaway = (struct.unpack(">I", payload[4:8])[0], payload[8:].decode("ascii", "replace"))
        super().take(kind, flags, stream, payload)

    def start(self, *pairs):
        """Preface and SETTINGS, and those of the server."""
        self.send(h2.MAGIC, settings(*pairs))
        while not self.is_acked:
            self.read_frame()

    def flood(self, pieces):
        """What `pieces` yields, until the connection ends."""
        self.sock.setblocking(False)
        unsent = b""
        while self.row.sent < FLOOD_BYTES:
            while len(unsent) < 65536:
                unsent += next(pieces)
            with contextlib.suppress(BlockingIOError):
                sent = self.sock.send(unsent)
                unsent = unsent[sent:]
                self.row.sent += sent
            self.drain()

    def drain(self):
        with contextlib.suppress(BlockingIOError):
            got = self.sock.recv(1 << 18)
            if not got:
                raise Gone
            self.unread += got
            while len(self.unread) >= h2.HEAD and \
                    len(self.unread) >= h2.HEAD + int.from_bytes(self.unread[:3], "big"):
                self.read_frame()

    def answer_settings(self):
        if self.is_mute:
            return
        with contextlib.suppress(BlockingIOError):
            super().answer_settings()


@dataclass
class Attack:
    name: str
    play: Callable
    reason: str
    is_slow: bool = False  # in the long form alone
    server: Process = None
    port: int = 0
    sent: int = 0
    ended: bool = False
    error: str = ""
    goaway: tuple = None
    patience_s: int = PATIENCE_S
    thread: threading.Thread = field(default=None)

    def begin(self, server, port, patience_s):
        self.server = server
        self.patience_s = patience_s
        self.thread = threading.Thread(target=self.run, args=(port,), daemon=True)
        self.thread.start()

    def run(self, server_port):
        attacker = None
        try:
            attacker = Attacker(server_port, self)
            self.port = attacker.sock.getsockname()[1]
            self.play(attacker)
            while True:
                attacker.read_frame()
        except (Gone, ConnectionError):
            self.ended = True
        except (OSError, Failed) as error:
            self.error = str(error)
        self.goaway = attacker and attacker.goaway
        if attacker:
            attacker.sock.close()


ATTACKS = []


def attack(name, play, reason, **what):
    ATTACKS.append(Attack(name, play, reason, **what))


def again(piece):
    """A flood of the same frames."""
    def play(peer):
        peer.start()
        peer.flood(iter(lambda: piece, None))
    return play


def each_stream(pieces):
    """A flood of pieces(stream), of a new stream each time."""
    def play(peer):
        peer.start()
        peer.flood(pieces(stream) for stream in range(1, 2**31, 2))
    return play


def behind(first, piece, *pairs):
    """A flood of `piece` behind what opens stream 1."""
    def play(peer):
        peer.start(*pairs)
        peer.send(first)
        peer.flood(iter(lambda: piece, None))
    return play


# ---- streams that are opened and gone ----

attack("rapid-reset", each_stream(lambda s: request(s) + rst(s, h2.CANCEL)), "rapid-reset")
attack("made-you-reset-window", each_stream(lambda s: request(s) + window_update(s, 2**31 - 1)),
       "provoked-resets")
attack("made-you-reset-data", each_stream(
    lambda s: headers(s, [*request_fields("EmptyCall"), ("content-length", "1")]) +
    data(s, b"xx", h2.END_STREAM)), "provoked-resets")
attack("too-many-streams", each_stream(lambda s: request(s, "FullDuplexCall")), "provoked-resets|broke-http2")

# ---- header blocks ----

BOMB = h2.block(request_fields("EmptyCall")) + h2.indexing("x", "y" * 4000) + h2.indexed(62) * 16000
attack("hpack-bomb", each_stream(lambda s: h2.headers_of(s, BOMB)), "header-bomb")
attack("continuation-empty", behind(frame(h2.HEADERS, 0, 1, h2.block(request_fields("EmptyCall"))),
                                    frame(h2.CONTINUATION, 0, 1)), "header-without-end")
attack("continuation-fields", behind(
    frame(h2.HEADERS, 0, 1, h2.block(request_fields("EmptyCall"))),
    frame(h2.CONTINUATION, 0, 1, h2.literal("a", "b" * 100) * 100)), "header-bomb|header-without-end")
attack("broken-block", lambda peer: (peer.start(), peer.send(
    frame(h2.HEADERS, h2.END_HEADERS, 1, b"\xff" * 100))), "broke-http2")

# ---- frames that carry nothing ----

attack("ping", again(h2.ping()), "too-many-pings|ping-flood|ack-flood")
attack("ping-slow", lambda peer: (peer.start(), *[
    (peer.send(h2.ping(payload=struct.pack(">Q", number))), peer.read_frame())
    for number in range(10)]), "too-many-pings")
attack("settings", again(settings((4, 65535))), "settings-flood|ack-flood")
attack("priority", again(frame(h2.PRIORITY, 0, 1, b"\0\0\0\0\1")), "priority-flood")
attack("empty-data", behind(request(1, "StreamingInputCall"), data(1, b"")), "empty-data-flood")
attack("empty-padded", behind(request(1, "StreamingInputCall"), h2.padded(1, b"", 255)),
       "empty-data-flood")
attack("unknown", again(frame(0xbb, 0, 0, b"x" * 20)), "frame-flood")
attack("window-updates", behind(request(1, "StreamingInputCall"), window_update(1, 1)), "frame-flood")
attack("ping-answers", again(h2.ping(h2.ACK)), "frame-flood")

# ---- windows ----

def byte_by_byte(peer):
    """Takes a response one byte at a time."""
    peer.start((4, 0))
    peer.send(asks_much(1))
    for _ in range(WHOLE):
        peer.send(window_update(1, 1))
        while peer.read_frame()[0] != h2.DATA:
            pass


def deaf(peer):
    """Reads nothing until the other side says that it has ended it."""
    wait_for(lambda: reason_of(peer.row.server, peer.row), peer.row.patience_s, "an end of the deaf")


attack("one-byte-window", byte_by_byte, "tiny-window")
attack("one-byte-updates", behind(asks_much(1), window_update(1, 1), (4, 0)),
       "tiny-window|frame-flood")
attack("zero-window", lambda peer: (peer.start((4, 0)), peer.send(asks_much(1))), "send-stalled")
attack("deaf", lambda peer: (peer.start((4, 2**31 - 1)), peer.send(
    window_update(0, 2**30), *[asks_much(stream) for stream in range(1, 41, 2)]), deaf(peer)),
       "send-blocked", is_slow=True)


# ---- slowness ----

def dribble(first, rest):
    """A byte a second: neither silent nor ever done."""
    def play(peer):
        peer.start()
        peer.send(first)
        peer.sock.settimeout(1)
        for byte in rest:
            with contextlib.suppress(socket.timeout):
                peer.read_frame()
            peer.send(bytes([byte]))
    return play


def mute(words):
    def play(peer):
        peer.is_mute = True
        peer.send(words)
    return play


attack("silence", mute(b""), "settings-timeout")
attack("half-a-preface", mute(h2.MAGIC[:10]), "settings-timeout")
attack("preface-alone", mute(h2.MAGIC), "settings-timeout")
attack("slow-headers", dribble(b"", request(1) * 10), "frame-timeout")
attack("slow-continuations", dribble(
    frame(h2.HEADERS, 0, 1, h2.block(request_fields("EmptyCall"))),
    frame(h2.CONTINUATION, 0, 1) * 50), "frame-timeout")
attack("slow-data", dribble(request(1, "StreamingInputCall") + h2.head(16384, h2.DATA, 0, 1),
                            bytes(200)), "frame-timeout")

# ---- what is no HTTP/2 ----

attack("http1", lambda peer: peer.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"), "not-http2")
attack("tls", lambda peer: peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "not-http2")
attack("noise", lambda peer: (peer.start(), peer.send(bytes(range(256)) * 100)), "broke-http2")


# ---- the scene ----

class Good:
    """A client of grpcio that makes one call after the other."""

    def __init__(self, lab, port):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.call = self.channel.unary_unary(SERVICE + "EmptyCall")
        self.done = 0
        self.longest_s = 0
        self.failures = []
        self.is_over = False
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()
        lab.on_end(self.end)

    def work(self):
        while not self.is_over:
            began = time.monotonic()
            try:
                self.call(b"", timeout=20)
                self.done += 1
            except grpc.RpcError as error:
                self.failures.append(str(error.code()))
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            time.sleep(0.01)  # the pace of the calls

    def end(self):
        self.is_over = True
        self.thread.join()
        self.channel.close()


def cpu_s(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def reason_of(server, row):
    """What the log says of the attacker's port."""
    found = server.find(rf'peer=127\.0\.0\.1:{row.port} reason=(\S+)')
    return found[0].group(1) if found else None


def judge(row):
    check(row.ended, f"{row.name}: ended" + (f" with {row.goaway}" if row.goaway else "") +
          (f", not: {row.error}" if row.error else "") + f", {row.sent} bytes were sent")
    with contextlib.suppress(Failed):
        wait_for(lambda: reason_of(row.server, row), 5, "a line of the log")
    reason = reason_of(row.server, row)
    check(reason and re.fullmatch(row.reason, reason), f"{row.name}: its reason is {reason}")


class Scene:
    """One server, its good client, and some of the attacks: all of its log's lines fit in."""

    def __init__(self, lab, rows):
        self.server, self.port = our_server(lab, None)
        self.rows = rows
        self.good = Good(lab, self.port)
        wait_for(lambda: self.good.done > 10, 20, "the good client's first calls")
        self.before_mib, self.before_s = self.server.peak_mib(), cpu_s(self.server)
        self.began, self.done = time.monotonic(), self.good.done
        for row in rows:
            row.begin(self.server, self.port, LONG_PATIENCE_S if lab.is_long else PATIENCE_S)

    def end(self):
        for row in self.rows:
            row.thread.join()
        spent_s, passed_s = cpu_s(self.server) - self.before_s, time.monotonic() - self.began
        for row in self.rows:
            judge(row)
        self.good.end()
        check(self.good.done > self.done and not self.good.failures,
              f"the good client: {self.good.done} calls, the longest {self.good.longest_s:.2f} s, "
              f"{self.good.failures}")
        grown = self.server.peak_mib() - self.before_mib
        check(grown < GROWS_MIB, f"the server grew by {grown:.0f} MiB of {GROWS_MIB}")
        sent = sum(row.sent for row in self.rows)
        check(spent_s < sent * CPU_PER_BYTE + passed_s * CPU_SHARE,
              f"{spent_s:.1f} s of CPU for {sent >> 20} MiB in {passed_s:.0f} s")
        must(self.server.is_alive(), "the server lives")
        check(self.server.terminate() == 0, "it ends with 0 on SIGTERM")


def attacks(lab, rows):
    scenes = [Scene(lab, rows[at:at + SCENE]) for at in range(0, len(rows), SCENE)]
    for scene in scenes:
        scene.end()


# ---- what is no matter of frames ----

CROWD = "127.0.0.2"  # whose connections are counted apart from the good client's
CONNECTIONS_OF_A_PEER = 1000
BOMB_BYTES = 64 << 20  # in a few KiB; the limit of a message is 16 MiB


def gzip_bomb(port):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            channel.unary_unary(SERVICE + "UnaryCall")(
                bytes(BOMB_BYTES), compression=grpc.Compression.Gzip, timeout=PATIENCE_S)
            code = None
        except grpc.RpcError as error:
            code = error.code()
    check(code == grpc.StatusCode.RESOURCE_EXHAUSTED, f"a gzip bomb ends its call with {code}")


def huge_prefix(port):
    """A message that says it has 4 GiB, and begins."""
    peer = Attacker(port, Attack("huge-prefix", None, ""))
    peer.start()
    peer.send(request(1, "UnaryCall"), data(1, h2.message(bytes(100), length=2**32 - 1)))
    ended = False
    while not ended:
        kind, flags, stream, _ = peer.read_frame()
        ended = kind == h2.HEADERS and stream == 1 and flags & h2.END_STREAM
    check(ended, "a message of 4 GiB: its call ends at once")
    peer.sock.close()


def too_many_connections(server, port):
    with contextlib.ExitStack() as crowd:
        for _ in range(CONNECTIONS_OF_A_PEER + 1):
            crowd.enter_context(socket.create_connection(("127.0.0.1", port),
                                                         source_address=(CROWD, 0)))
        server.wait_line(rf"peer={CROWD}:\d+ reason=too-many-connections-of-peer", PATIENCE_S)
    check(True, "more connections of a peer than it may have: the log says so")


def crowds(lab):
    server, port = our_server(lab, None)
    good = Good(lab, port)
    gzip_bomb(port)
    huge_prefix(port)
    too_many_connections(server, port)
    done = good.done
    wait_for(lambda: good.done > done + 10, 20, "calls of the good client beside them")
    good.end()
    check(not good.failures, f"the good client: {good.done} calls, {good.failures}")
    check(server.peak_mib() < CROWD_MIB, f"peak {server.peak_mib():.0f} MiB of {CROWD_MIB}")
    check(server.terminate() == 0, "it ends with 0 on SIGTERM")


# ---- busy clients ----

CANCELLED = 100
ROUNDS = 30


def cancelling(lab, port):
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    lab.on_end(channel.close)
    stream = channel.stream_stream(SERVICE + "FullDuplexCall")
    single = channel.unary_unary(SERVICE + "EmptyCall")
    for _ in range(ROUNDS):
        calls = [stream(iter(threading.Event().wait, None)) for _ in range(CANCELLED)]
        for call in calls:
            call.cancel()
        single(b"", timeout=20)
    note(f"{ROUNDS} times {CANCELLED} calls were cancelled at once")


def busy(lab):
    server, port = our_server(lab, None)
    body = lab.path("empty")
    body.write_bytes(struct.pack(">BI", 0, 0))
    calls = 200_000 if lab.is_long else 20_000
    done = subprocess.run(["h2load", "-n", str(calls), "-c", "100", "-m", "100", "-t", "1", "-d", body,
                           "-H", "content-type: application/grpc", "-H", "te: trailers",
                           f"http://127.0.0.1:{port}{SERVICE}EmptyCall"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, check=False)
    check(f"{calls} succeeded, 0 failed, 0 errored" in done.stdout,
          "h2load -c 100 -m 100: " + " ".join(re.findall(r"^requests: .*", done.stdout, re.MULTILINE)))
    cancelling(lab, port)
    check(not server.find("a connection was ended"), "no connection of a busy client was ended")
    stops(server)


def main(lab):
    rows = [row for row in ATTACKS if lab.is_long or not row.is_slow]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))  # for our children too
    part(lab, f"{len(rows)} attacks at once", attacks, rows)
    part(lab, "crowds", crowds)
    part(lab, "busy clients", busy)


if __name__ == "__main__":
    run(main)
