"""journal - a journal of the test's own, at the place of systemd's in a mount namespace of the collector's.

The entries are read as the protocol's description has them (systemd.io/JOURNAL_NATIVE_PROTOCOL).
"""
import os
import socket
import struct
import threading

# What the service manager does: standard error is a stream of the journal's, and is said to be.
SCRIPT = ('mount -t tmpfs tmpfs /run && mkdir /run/systemd && ln -s "$0" /run/systemd/journal && '
          'export JOURNAL_STREAM="$(stat -L -c %d:%i /proc/self/fd/2)" && exec "$@"')


def parse(entry):
    """[(name, value)] of a datagram or a file"""
    fields = []
    at = 0
    while at < len(entry):
        end = entry.index(b"\n", at)
        name, equals, value = entry[at:end].partition(b"=")
        at = end + 1
        if not equals:
            size, = struct.unpack_from("<Q", entry, at)
            value = entry[at + 8:at + 8 + size]
            at += 8 + size
            if entry[at:at + 1] != b"\n":
                raise ValueError(f"no line feed behind {name}")
            at += 1
        fields.append((name.decode("ascii"), value))
    return fields


class Journal:
    """`wrapper` is what a collector is run by so that it finds this one."""

    def __init__(self, lab):
        place = lab.path("journal")
        place.mkdir()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(place / "socket"))
        root = ["--map-root-user"] if os.getuid() else []
        self.wrapper = ["unshare", *root, "--mount", "sh", "-c", SCRIPT, str(place)]
        self.entries = []
        threading.Thread(target=self.read, daemon=True).start()
        lab.on_end(self.socket.close)

    def read(self):
        while True:
            try:
                entry, files, _, _ = socket.recv_fds(self.socket, 1 << 20, 1)
            except OSError:
                return
            for file in files:
                with os.fdopen(file, "rb") as whole:
                    whole.seek(0)
                    entry = whole.read()
            self.entries.append(parse(entry))

    def find(self, **wanted):
        """The entries that have these fields, as {name: text}."""
        found = [{name: value.decode("utf-8", "replace") for name, value in entry}
                 for entry in list(self.entries)]
        return [entry for entry in found if wanted.items() <= entry.items()]
