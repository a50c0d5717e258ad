"""devices - who sends: `sluice sim`, or tests/peers/seqdevice, which is not built on our code.

Both print the same lines (lib/device/device.h, tests/peers/seqdevice/main.go); what they say about
themselves is the measure that the consumer's records are held against.
"""
import re
import time

from harness import Failed, free_port, peer, sluice, wait_for

DONE = r"^done device=(\S+) session=(\S+) last-seq=(\d+) messages=(\d+)"
STREAM = (r"^stream device=(\S+) session=(\S+) subscription-path=(\S+) seq=(\d+)"
          r" .*?blocked-s=([\d.]+)")


class Devices:
    """`kind` is "sim" or "go". A port for each device; `updates` counts seq and session too."""

    def __init__(self, lab, kind, count=1, name="devices", **options):
        program = [peer("seqdevice")] if kind == "go" else [sluice(), "sim"]
        words = go_words if kind == "go" else sim_words
        self.process = lab.start(name, [*program, *words(count, **options)])
        found = self.process.wait_line(r"^listening (\S+):(\d+)", 20, count)
        self.ports = [int(match.group(2)) for match in found]

    def addresses(self):
        """By the name that a target of the configuration gets."""
        return {f"dev{number}": f"127.0.0.1:{port}" for number, port in enumerate(self.ports, 1)}

    def done(self):
        """{session: (device, last_seq, messages)} of the streams that have sent all they had."""
        return {match.group(2): (match.group(1), int(match.group(3)), int(match.group(4)))
                for match in self.process.find(DONE)}

    def wait_done(self, streams, timeout_s, stall_s=30):
        """Until that many are done. Fails as soon as no stream has got any further for `stall_s`."""
        furthest, since = 0, time.monotonic()

        def is_done():
            nonlocal furthest, since
            total = self.total_seq() + len(self.done())
            if total > furthest:
                furthest, since = total, time.monotonic()
            if time.monotonic() > since + stall_s:
                raise Failed(f"devices are stuck at {self.now()}, {len(self.done())} done")
            return self.done() if len(self.done()) >= streams else None

        return wait_for(is_done, timeout_s, f"{streams} streams done")

    def now(self, path=None):
        """{session: (seq, blocked_s)} of the open streams as last said, of one subscription path."""
        said = {}
        for line in list(self.process.lines):
            match = re.match(STREAM, line)
            if match and (path is None or match.group(3) == path):
                said[match.group(2)] = (int(match.group(4)), float(match.group(5)))
        return said

    def history(self, session):
        """[(seq, blocked_s)] of one stream, second by second."""
        found = self.process.find(STREAM)
        return [(int(m.group(4)), float(m.group(5))) for m in found if m.group(2) == session]

    def total_seq(self, path=None):
        return sum(seq for seq, _ in self.now(path).values())


def common_words(updates=2, messages=0, sizes=None, rate=None, when_held="wait", login=None,
                 words=()):
    """`messages` of each stream, 0: no end; `rate` in messages a second and stream, none: as fast as
    credit lets them. `login` is a user's name and password, demanded; `words` go behind as they are."""
    more = words
    words = ["--updates", updates, "--verbose", "--when-held", when_held]
    words += ["--count", messages] if messages else []
    words += ["--message-bytes", f"{sizes[0]}-{sizes[1]}"] if sizes else []
    words += ["--username", login[0], "--password", login[1]] if login else []
    words += ["--rate", rate] if rate else ["--fast"]
    return [*words, *more]


def go_words(count, **options):
    return ["--devices", count, *common_words(**options)]


def sim_words(count, listen=None, **options):
    return ["--listen", listen or f"127.0.0.1:{free_port(count)}", "--ports", "each", "--devices", count,
            *common_words(**options)]
