#!/usr/bin/env python3
"""hostile_clients - the known attacks on HTTP/2 servers against a gRPC server of ours (interop-server).

Each client is made of plain bytes (frames.py) and does one thing that no client does. The server ends its
connection, says so in its log with the reason, and serves a grpcio client at the same time, every call of
it. Memory stays bounded. The client that never goes on costs half a minute, the others run meanwhile.
"""
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import Callable

from harness import check, must, run, wait_for  # first: it enters the environment

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import frames
from interop import our_server

ATTACKER = "127.0.0.2"  # not the bystander's address: connections are counted by peer
PATIENCE_S = 100  # the longest time that the server gives anybody is 60 s
MAX_MIB = 64
MANY = 20000
CONNECTIONS_OF_A_PEER = 1000
PEER_LIMIT = "too-many-connections-of-peer"


class Client:
    """A raw connection; what the server says is read and thrown away, so that it is never in the way."""

    def __init__(self, port, greets=True):
        self.sock = socket.create_connection(("127.0.0.1", port), source_address=(ATTACKER, 0))
        self.name = "%s:%d" % self.sock.getsockname()
        self.over = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if greets:
            self.send(frames.MAGIC, frames.settings())

    def _read(self):
        try:
            while self.sock.recv(65536):
                pass
        except OSError:
            pass
        self.over.set()

    def send(self, *pieces):
        """False when the server has ended the connection."""
        try:
            self.sock.sendall(b"".join(pieces))
            return not self.over.is_set()
        except OSError:
            return False

    def flood(self, make):
        """make(0), make(1) … until the server has had enough."""
        for first in range(0, MANY, 100):
            if not self.send(*[make(number) for number in range(first, first + 100)]):
                return

    def close(self):
        self.sock.close()


def request(stream, method="FullDuplexCall", flags=0, more=b""):
    block = frames.block([(":method", "POST"), (":scheme", "http"), (":authority", "here"),
                          (":path", f"/grpc.testing.TestService/{method}"),
                          ("content-type", "application/grpc"), ("te", "trailers")])
    return frames.headers_of(stream, block + more, flags)


def odd(number):
    return 2 * number + 1


# ---- the attacks ----

def rapid_reset(client):
    client.flood(lambda number: request(odd(number)) + frames.rst(odd(number), frames.CANCEL))


def made_to_reset(client):
    """A window that overflows is an error of the stream, which the server then resets."""
    client.flood(lambda number: request(odd(number)) +
                 frames.window_update(odd(number), 0x7fffffff))


def endless_block(client):
    client.send(frames.frame(frames.HEADERS, 0, 1, frames.literal("a", "b")))
    client.flood(lambda _: frames.frame(frames.CONTINUATION, 0, 1, frames.literal("a", "b")))


def header_bomb(client):
    """One long field, and then a byte for each time that it is meant again."""
    client.send(request(1, more=frames.indexing("bomb", b"x" * 3900) + frames.indexed(62) * 10000))


def settings_flood(client):
    """Each is answered before the next one comes."""
    while client.send(frames.settings()):
        time.sleep(0.002)


def ping_flood(client):
    client.flood(lambda _: frames.ping())


def priority_flood(client):
    client.flood(lambda number: frames.frame(frames.PRIORITY, 0, odd(number), bytes(5)))


def empty_data(client):
    client.send(request(1))
    client.flood(lambda _: frames.data(1, b""))


def unknown_frames(client):
    client.flood(lambda _: frames.frame(0xbb, 0, 0, bytes(100)))


def tiny_window(client):
    """A long answer, and room for a byte of it at a time."""
    body = frames.message(frames.number_field(2, 1 << 20))
    client.send(frames.settings((4, 0)), request(1, "UnaryCall"),
                frames.data(1, body, frames.END_STREAM))
    for _ in range(MANY):
        if not client.send(frames.window_update(1, 1)):
            return
        time.sleep(0.0005)  # or several updates are one


def no_window(client):
    """The same, and never any room."""
    body = frames.message(frames.number_field(2, 1 << 20))
    client.send(frames.settings((4, 0)), request(1, "UnaryCall"),
                frames.data(1, body, frames.END_STREAM))


def http_1(client):
    client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")


def nothing(_):
    pass


def half_a_frame(client):
    client.send(request(1), struct.pack(">I", 100)[1:], b"\x00")


@dataclass
class Attack:
    reason: str
    play: Callable
    greets: bool = True


ATTACKS = [
    Attack("rapid-reset", rapid_reset),
    Attack("provoked-resets", made_to_reset),
    Attack("header-without-end", endless_block),
    Attack("header-bomb", header_bomb),
    Attack("settings-flood", settings_flood),
    Attack("too-many-pings", ping_flood),
    Attack("priority-flood", priority_flood),
    Attack("empty-data-flood", empty_data),
    Attack("frame-flood", unknown_frames),
    Attack("tiny-window", tiny_window),
    Attack("not-http2", http_1, greets=False),
    Attack("settings-timeout", nothing, greets=False),
    Attack("frame-timeout", half_a_frame),
]


LONG_ATTACKS = [
    Attack("send-stalled", no_window), # a minute
]


# ---- those who are served meanwhile ----

class Bystander:
    """One health check after the other, each in time."""

    def __init__(self, lab, port):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        lab.on_end(self.channel.close)
        self.health = health_pb2_grpc.HealthStub(self.channel)
        self.is_over = False
        self.calls = 0
        self.errors = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.is_over:
            try:
                self.health.Check(health_pb2.HealthCheckRequest(), timeout=20)
                self.calls += 1
            except grpc.RpcError as error:
                self.errors.append(error)
            time.sleep(0.005)

    def end(self):
        self.is_over = True
        self.thread.join()


def attack(server, port, one):
    client = Client(port, one.greets)
    one.play(client)
    ended = client.over.wait(PATIENCE_S)
    client.close()
    said = server.wait_line(rf'level=warn .*peer={client.name} reason=(\S+) why="(.*)"', 10)[0]
    check(ended and said.group(1) == one.reason, f"{one.reason}: {said.group(0)}")


def one_too_many(lab, server, port):
    """The attackers' address may have so many connections and no more."""
    clients = []
    lab.on_end(lambda: [client.close() for client in clients])
    for _ in range(CONNECTIONS_OF_A_PEER + 1):
        clients.append(Client(port, greets=False))
    server.wait_line(rf"level=warn .*peer={ATTACKER}:\d+ reason={PEER_LIMIT}", PATIENCE_S)
    check(True, f"{PEER_LIMIT}: said")


def gzip_bomb(lab, port):
    """64 MiB in a few KiB. The server's limit of a message is 16 MiB; it costs the call alone."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    lab.on_end(channel.close)
    call = channel.unary_unary("/grpc.testing.TestService/UnaryCall")
    code = None
    try:
        call(bytes(64 << 20), compression=grpc.Compression.Gzip, timeout=PATIENCE_S)
    except grpc.RpcError as error:
        code = error.code()
    check(code == grpc.StatusCode.RESOURCE_EXHAUSTED, f"a gzip bomb: {code}")


def main(lab):
    server, port = our_server(lab, None)
    port = int(port)
    bystander = Bystander(lab, port)
    attacks = ATTACKS + (LONG_ATTACKS if lab.is_long else [])
    threads = [threading.Thread(target=attack, args=(server, port, one)) for one in attacks]
    wait_for(lambda: bystander.calls, 20, "the first call of the bystander")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gzip_bomb(lab, port)
    one_too_many(lab, server, port)
    before = bystander.calls
    wait_for(lambda: bystander.calls > before + 10, 20, "calls with all those connections there")
    bystander.end()
    check(not bystander.errors, f"{bystander.calls} calls of somebody else, each answered: "
          f"{bystander.errors[:1]}")
    check(server.peak_mib() < MAX_MIB, f"peak {server.peak_mib():.1f} MiB of {MAX_MIB}")
    must(server.terminate() == 0, "the server ends with 0")


if __name__ == "__main__":
    run(main)
