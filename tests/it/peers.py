"""peers - who plays the hostile devices: a port for each row, a thread for each connection."""
import contextlib
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Callable

from frames import Gone, Peer

PATIENCE_S = 20  # sluice must have ended by then what it has to end


@dataclass
class Row:
    """`play(peer, row)` has the connection from its first byte. What it leaves standing, sluice has
    to end. `ends`: "connection" or "subscription"; `reason` and `why` are patterns of what is logged.
    A `legal` row must not be ended: `is_done(scene)` tells when all of it has arrived."""
    name: str
    play: Callable
    ends: str = "connection"
    reason: str = ""
    why: str = ""
    alone: bool = False
    legal: bool = False
    is_done: Callable = None
    target: dict = field(default_factory=dict)  # what its target of the configuration says
    place: object = None                        # where the certificates are
    port: int = 0
    listener: socket.socket = None
    attempts: list = field(default_factory=list)
    sent: int = 0
    late: int = 0
    turn: threading.Event = field(default_factory=threading.Event)
    connections: set = field(default_factory=set)

    def attempt(self):
        self.attempts.append(time.monotonic())

    def is_late(self):
        return self.late > 0


class CountingPeer(Peer):
    def __init__(self, sock, row):
        super().__init__(sock)
        self.row = row

    def send(self, *frames):
        super().send(*frames)
        self.row.sent += sum(len(one) for one in frames)


class Field:
    """Everybody takes connections from the start, and says nothing on them before its turn."""

    def __init__(self, rows, place):
        self.rows = rows
        self.selector = selectors.DefaultSelector()
        self.is_over = False
        for row in rows:
            row.place = place
            row.listener = socket.socket()
            row.listener.bind(("127.0.0.1", 0))
            row.listener.listen(16)
            row.port = row.listener.getsockname()[1]
            if row.play is None:
                self.fill(row)
            else:
                self.selector.register(row.listener, selectors.EVENT_READ, row)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    @staticmethod
    def fill(row):
        """A backlog without room: nobody's SYN is answered any more."""
        row.listener.listen(0)
        for _ in range(4):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", row.port))
            row.connections.add(caller)

    @staticmethod
    def begin(row):
        row.turn.set()

    def stop(self, row):
        if row.play is not None:
            self.selector.unregister(row.listener)
        row.listener.close()
        for sock in list(row.connections):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def end(self):
        self.is_over = True
        self.thread.join()
        for row in self.rows:
            row.listener.close()

    def accept(self):
        while not self.is_over:
            for key, _ in self.selector.select(0.1):
                with contextlib.suppress(OSError):
                    sock, _ = key.fileobj.accept()
                    threading.Thread(target=serve, args=(key.data, sock), daemon=True).start()


def serve(row, sock):
    sock.settimeout(PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    row.connections.add(sock)
    row.turn.wait()
    try:
        peer = CountingPeer(sock, row)
        row.play(peer, row)
        peer.wait_end()
    except Gone:
        pass
    except socket.timeout:
        row.late += 1
    except OSError:
        pass
    finally:
        row.connections.discard(sock)
        sock.close()


def connection(play):
    """A row's play of one that is judged by its connections."""
    def whole(peer, row):
        row.attempt()
        play(peer)
    return whole


def calls(call, *pairs):
    """Likewise by its calls: `call(peer, stream)` answers each; when it returns a true value the call
    is over, else sluice must reset it."""
    def whole(peer, row):
        peer.greet(*pairs)
        over = set()
        while True:
            for stream in sorted(set(peer.requests) - over):
                if not peer.requests[stream]:
                    continue
                over.add(stream)
                row.attempt()
                if not call(peer, stream):
                    peer.wait_end(stream)
            peer.read_frame()
    return whole


def hang_up(peer):
    peer.sock.close()
    raise Gone


def hang_up_hard(peer):
    """RST instead of FIN."""
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    hang_up(peer)
