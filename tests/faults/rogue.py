"""rogue - a device that sends whatever it likes, made of plain bytes (tests/it/frames.py)."""
import contextlib
import select
import socket
import threading
import time

import frames as h2
from frames import Gone, Peer
from scripted import notification

BURST_BYTES = 2 << 20


class Answering(Peer):
    def take(self, kind, flags, stream, payload):
        if kind == h2.PING and not flags & h2.ACK:
            self.send(h2.ping(h2.ACK, payload))
        super().take(kind, flags, stream, payload)


class Rogue:
    """Once it is let loose it sends in each Subscribe call a few messages, as it may, and then
    BURST_BYTES at once; before that it says nothing."""

    def __init__(self, lab):
        self.calls = 0
        self.is_loose = threading.Event()
        self.is_over = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        lab.on_end(self.stop)
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.is_over = True
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while not self.is_over:
                sock, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        sock.settimeout(600)
        with contextlib.suppress(Gone, OSError), sock:
            peer = Answering(sock)
            (stream, *_) = peer.greet()
            while not self.is_over:
                self.wait_loose(peer)
                self.calls += 1
                self.misbehave(peer, stream)
                peer.wait_end(stream)
                while max(peer.requests) == stream or not peer.requests[max(peer.requests)]:
                    peer.read_frame()
                stream = max(peer.requests)

    def wait_loose(self, peer):
        """Meanwhile it answers PINGs."""
        while not self.is_loose.is_set():
            if select.select([peer.sock], [], [], 0.1)[0]:
                peer.read_frame()

    @staticmethod
    def misbehave(peer, stream):
        one = h2.message(notification(time.time_ns(), [("/rogue/value", 1)]))
        peer.send(h2.response(stream))
        peer.send_data(stream, one * 10)
        many = one * (h2.MAX_FRAME // len(one))
        peer.send(h2.data(stream, many) * (BURST_BYTES // len(many)))
