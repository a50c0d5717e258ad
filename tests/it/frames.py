"""frames - HTTP/2 (RFC 9113), HPACK (RFC 7541) and gNMI messages as plain bytes.

Made by hand, without any library for HTTP/2, gRPC or protobuf, so that what is wrong in sluice's ones
is not wrong here in the same way, and so that everything that they forbid can be written. Header blocks
are literals without indexing and without Huffman; what the peer sends is only taken apart into frames.
"""
import socket
import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ACK = END_STREAM = 1
END_HEADERS = 4
PADDED = 8

(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED,
 FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM,
 INADEQUATE_SECURITY, HTTP_1_1_REQUIRED) = range(14)

MAGIC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_FRAME = 16384  # what a peer takes that does not say otherwise
HEAD = 9


# ---- frames ----

def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def head(length, kind, flags=0, stream=0):
    """The head of a frame that says `length`, whatever follows."""
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream)


def settings(*pairs, flags=0):
    return frame(SETTINGS, flags, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def rst(stream, error):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", error))


def goaway(last, error, text=b""):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, error) + text)


def window_update(stream, more):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", more))


def ping(flags=0, payload=b"12345678"):
    return frame(PING, flags, 0, payload)


def data(stream, payload, flags=0):
    return frame(DATA, flags, stream, payload)


def padded(stream, payload, padding, flags=0):
    return frame(DATA, flags | PADDED, stream, bytes([padding]) + payload + bytes(padding))


# ---- header blocks ----

def integer(value, prefix_bits, first=0):
    """RFC 7541 section 5.1."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([first | value])
    out = bytearray([first | most])
    value -= most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    out.append(value)
    return bytes(out)


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return integer(len(value), 7) + value


def literal(name, value):
    return b"\x00" + text(name) + text(value)


def indexing(name, value):
    """A literal that goes into the dynamic table."""
    return b"\x40" + text(name) + text(value)


def indexed(number):
    return integer(number, 7, 0x80)


def block(fields):
    return b"".join(literal(name, value) for name, value in fields)


def headers(stream, fields, flags=0):
    """One block, of frames as long as they may be."""
    return headers_of(stream, block(fields), flags)


def headers_of(stream, whole, flags=0):
    pieces = [whole[at:at + MAX_FRAME] for at in range(0, len(whole), MAX_FRAME)] or [b""]
    out = b""
    for number, piece in enumerate(pieces):
        last = END_HEADERS if number == len(pieces) - 1 else 0
        out += (frame(HEADERS, flags | last, stream, piece) if number == 0 else
                frame(CONTINUATION, last, stream, piece))
    return out


OK_FIELDS = [(":status", "200"), ("content-type", "application/grpc")]


def response(stream):
    return headers(stream, OK_FIELDS)


def trailers(stream, status, message=None):
    fields = [("grpc-status", str(status))]
    if message is not None:
        fields.append(("grpc-message", message))
    return headers(stream, fields, END_STREAM)


# ---- protobuf, gRPC and gNMI ----

def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    out.append(value)
    return bytes(out)


def number_field(number, value):
    return varint(number << 3) + varint(value)


def bytes_field(number, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def path(*names):
    return b"".join(bytes_field(3, bytes_field(1, name)) for name in names)


def update(names, typed_value):
    return bytes_field(1, path(*names)) + bytes_field(3, typed_value)


def notification(*updates, timestamp=1700000000000000000):
    return number_field(1, timestamp) + b"".join(bytes_field(4, one) for one in updates)


def uint_value(value):
    return number_field(3, value)


def string_value(value):
    return bytes_field(1, value)


def subscribe_response(*updates):
    return bytes_field(1, notification(*updates))


def counter(value):
    """A good SubscribeResponse."""
    return subscribe_response(update(["hostile", "state", "seq"], uint_value(value)))


def sized(length):
    """A good SubscribeResponse of about so many bytes, of strings that are not long."""
    one = update(["hostile", "state", "text"], string_value(b"x" * 500))
    return subscribe_response(*[one] * (length // len(one)))


def message(payload, flag=0, length=None):
    """Length-Prefixed-Message; `length` is what it says, if that is not the truth."""
    return struct.pack(">BI", flag, len(payload) if length is None else length) + payload


# ---- a connection ----

class Gone(Exception):
    """The other side has ended the connection."""


class Peer:
    """The server's end of one connection. It obeys the windows unless the caller writes by itself."""

    def __init__(self, sock):
        self.sock = sock
        self.unread = b""
        self.seen = []            # of what came: (kind, stream, error)
        self.requests = {}        # stream: the bytes of its DATA
        self.stream_window = {}
        self.window = 65535
        self.initial_window = 65535
        self.is_acked = False
        self.answers = 0          # to PING

    def send(self, *frames):
        try:
            self.sock.sendall(b"".join(frames))
        except OSError as error:
            raise Gone from error

    def receive(self, length):
        while len(self.unread) < length:
            try:
                got = self.sock.recv(65536)
            except socket.timeout:
                raise
            except OSError as error:
                raise Gone from error
            if not got:
                raise Gone
            self.unread += got
        taken, self.unread = self.unread[:length], self.unread[length:]
        return taken

    def read_frame(self):
        """(kind, flags, stream, payload), having done what a good peer does with it."""
        start = self.receive(HEAD)
        length = int.from_bytes(start[:3], "big")
        kind, flags, stream = start[3], start[4], int.from_bytes(start[5:9], "big")
        payload = self.receive(length)
        self.take(kind, flags, stream, payload)
        return kind, flags, stream, payload

    def take(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            self.take_settings(payload)
        elif kind == SETTINGS:
            self.is_acked = True
        elif kind == PING:
            self.answers += 1
        elif kind == HEADERS:
            self.requests[stream] = b""
            self.stream_window[stream] = self.initial_window
        elif kind == DATA:
            self.requests[stream] = self.requests.get(stream, b"") + payload
        elif kind == WINDOW_UPDATE:
            more = int.from_bytes(payload, "big")
            if stream:
                self.stream_window[stream] = self.stream_window.get(stream, 0) + more
            else:
                self.window += more
        elif kind in (RST_STREAM, GOAWAY):
            error = int.from_bytes(payload[-4:] if kind == RST_STREAM else payload[4:8], "big")
            self.seen.append((kind, stream, error))

    def take_settings(self, payload):
        for at in range(0, len(payload), 6):
            name, value = struct.unpack(">HI", payload[at:at + 6])
            if name == 4:
                self.initial_window = value
        self.answer_settings()

    def answer_settings(self):
        self.send(settings(flags=ACK))

    def read_magic(self):
        if self.receive(len(MAGIC)) != MAGIC:
            raise Gone

    def greet(self, *pairs, streams=1):
        """SETTINGS, and waits for so many requests; their stream ids."""
        self.read_magic()
        self.send(settings(*pairs))
        while len([body for body in self.requests.values() if body]) < streams or not self.is_acked:
            self.read_frame()
        return sorted(self.requests)

    def was_reset(self, stream):
        return any(kind == RST_STREAM and where == stream for kind, where, _ in self.seen)

    def send_data(self, stream, payload):
        """As the windows allow it. False when the stream is over."""
        while payload:
            room = min(self.stream_window.get(stream, 0), self.window, MAX_FRAME)
            if self.was_reset(stream):
                return False
            if room <= 0:
                self.read_frame()
                continue
            piece, payload = payload[:room], payload[room:]
            self.stream_window[stream] -= len(piece)
            self.window -= len(piece)
            self.send(data(stream, piece))
        return True

    def wait_end(self, stream=None):
        """Reads until the other side ends the stream, or the connection (Gone)."""
        while stream is None or not self.was_reset(stream):
            self.read_frame()
