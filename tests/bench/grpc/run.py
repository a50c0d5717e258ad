"""run - what calls cost, beside what they cost grpc-go, in one session.

Client and server are a process each. Ours (bench_grpc) and grpc-go's (tests/peers/bench) are asked for
the same: as many calls under way, over as many connections, of the same payload. They take turns, so
that whatever else the machine does meets both, and the best turn of each is compared: other work can
only add to what a program takes.

What is counted is what the client received; what it cost is the CPU time, user and system, of both
processes from their start to their end, as the kernel told when they ended. Unary calls are counted in
round trips, streams in bytes of payload. With --cross each client is also run against the other's
server, which tells the two ends apart.

Exits 1 when ours does not reach the bound in a row without TLS. With --quick there is one short turn
each, and no figure is judged: it shows that the measurement works.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "it"))

import harness  # noqa: E402  pylint: disable=wrong-import-position

from certificates import Certificates  # noqa: E402
from harness import Failed, check, must  # noqa: E402

BOUND = 2.0
PATIENCE_S = 30  # for whatever takes no time

Row = namedtuple("Row", "kind size conns calls tls")
Figure = namedtuple("Figure", "rate client_cpu server_cpu count")
Pair = namedtuple("Pair", "client server")

OURS, THEIRS = Pair("ours", "ours"), Pair("grpc-go", "grpc-go")
CROSSED = Pair("ours", "grpc-go"), Pair("grpc-go", "ours")


def all_rows(calls):
    for tls in (False, True):
        for conns in (1, 8):
            for size in (100, 1024):
                yield Row("unary", size, conns, calls, tls)
        for conns in (1, 8):
            for size in (1024, 16 * 1024, 64 * 1024):
                yield Row("stream", size, conns, conns, tls)


def binaries():
    ours = Path(os.environ.get("BENCH_GRPC") or
                harness.ROOT / "build/release/tests/bench/grpc/bench_grpc")
    if not ours.exists():
        raise Failed(f"no {ours}: build the release preset, or set BENCH_GRPC")
    return {"ours": ours, "grpc-go": harness.peer("bench")}


class Child:
    """A program whose CPU time is known when it has ended."""

    def __init__(self, lab, words):
        self.name = " ".join(map(str, [Path(words[0]).name, *words[1:]]))
        self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, text=True)
        self.cpu = None
        lab.on_end(self.kill)

    def line(self, pattern):
        line = self.process.stdout.readline()
        found = re.search(pattern, line)
        if not found:
            raise Failed(f"{self.name} said '{line.strip()}'")
        return found

    def end(self):
        """Waits for its end; the CPU seconds that it took."""
        _, state, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(state)
        self.process.stdout.close()
        self.cpu = usage.ru_utime + usage.ru_stime
        if self.process.returncode != 0:
            raise Failed(f"{self.name} ended with {self.process.returncode}")
        return self.cpu

    def kill(self):
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()


class Bench:
    def __init__(self, lab, options):
        self.lab = lab
        self.options = options
        self.programs = binaries()
        self.certificates = Certificates(lab)

    def server(self, side, row):
        words = [self.programs[side], "server"]
        if row.tls:
            cert, key = self.certificates.server
            words += ["-cert", cert, "-key", key]
        child = Child(self.lab, words)
        return child, child.line(r"^port (\d+)$").group(1)

    def client(self, side, row, port):
        words = [self.programs[side], "client", "-port", port, "-kind", row.kind, "-size", row.size,
                 "-conns", row.conns, "-calls", row.calls, "-seconds", self.options.seconds]
        if row.tls:
            words += ["-ca", self.certificates.ca.file]
        return Child(self.lab, words)

    def turn(self, pair, row):
        signal.alarm(int(self.options.seconds) + PATIENCE_S)
        server, port = self.server(pair.server, row)
        client = self.client(pair.client, row, port)
        calls, received = client.line(r"^calls (\d+) messages \d+ bytes (\d+)$").groups()
        client.end()
        server.process.terminate()
        server.end()
        signal.alarm(0)
        count = int(calls) if row.kind == "unary" else int(received)
        return Figure(count / (client.cpu + server.cpu), client.cpu, server.cpu, count)

    def row(self, row):
        """{pair: the best of its turns}"""
        pairs = (OURS, THEIRS) + (CROSSED if self.options.cross else ())
        best = {}
        for _ in range(self.options.turns):
            for pair in pairs:
                figure = self.turn(pair, row)
                best[pair] = max(best.get(pair, figure), figure)
        return best


def ratio(figures):
    return figures[OURS].rate / figures[THEIRS].rate


def describe(row):
    return f"{row.kind:7}{row.size:>6}{row.conns:>6}{row.calls:>6}  {'TLS' if row.tls else '-':4}"


def figure_text(row, figure):
    """The rate, and what client and server have in it: µs for each call or MB."""
    unit = figure.count if row.kind == "unary" else figure.count / 1e6
    rate = f"{figure.rate:9,.0f}" if row.kind == "unary" else f"{figure.rate / 1e9:6.2f} GB"
    return (f"{rate:>9} ({figure.client_cpu / unit * 1e6:6.1f} +"
            f"{figure.server_cpu / unit * 1e6:6.1f})")


def print_table(rows, cross):
    heads = ["ours", "grpc-go"] + (["ours > grpc-go", "grpc-go > ours"] if cross else [])
    print("\ncalls or GB per CPU-second of client and server (µs of client + of server per call or MB)\n"
          f"{'kind':7}{'size':>6}{'conns':>6}{'calls':>6}  {'':4}"
          + "".join(f"{head:>28}" for head in heads[:2]) + f"{'ratio':>7}"
          + "".join(f"{head:>28}" for head in heads[2:]))
    for row, figures in rows:
        texts = [figure_text(row, figure) for figure in figures.values()]
        print(describe(row) + "".join(f"{text:>28}" for text in texts[:2])
              + f"{ratio(figures):7.2f}" + "".join(f"{text:>28}" for text in texts[2:]))
    print(flush=True)


def is_wanted(row, options):
    return ((not options.kind or row.kind == options.kind) and
            (options.tls is None or row.tls == options.tls) and
            (not options.size or row.size in options.size) and
            (not options.conns or row.conns in options.conns))


def measure(lab, options):
    bench = Bench(lab, options)
    rows = [(row, bench.row(row)) for row in all_rows(options.calls) if is_wanted(row, options)]
    print_table(rows, options.cross)
    for row, figures in rows:
        text = f"{row.kind} of {row.size} over {row.conns}{', TLS' if row.tls else ''}"
        must(all(figure.count > 0 for figure in figures.values()), f"{text}: all received something")
        if not options.quick and not row.tls:
            check(ratio(figures) >= BOUND,
                  f"{text}: {ratio(figures):.2f} of grpc-go, at least {BOUND}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="one short turn, no figure judged (SL_LONG=1 in the environment: no)")
    parser.add_argument("--turns", type=int, default=3, help="of each pair in each row")
    parser.add_argument("--seconds", type=float, default=2, help="that a client runs")
    parser.add_argument("--calls", type=int, default=100, help="unary ones under way")
    parser.add_argument("--cross", action="store_true", help="each client at the other's server too")
    parser.add_argument("--kind", choices=("unary", "stream"), help="only these rows")
    parser.add_argument("--size", type=int, action="append")
    parser.add_argument("--conns", type=int, action="append")
    parser.add_argument("--tls", action=argparse.BooleanOptionalAction)
    parser.add_argument("--keep", action="store_true", help="keep the directory")
    options = parser.parse_args()
    options.long = not options.quick
    if options.quick and not os.environ.get("SL_LONG"):
        options.turns, options.seconds = 1, 0.4
    else:
        options.quick = False
    return options


def main():
    options = parse()
    lab = harness.Lab(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(142))
    try:
        harness.guarded(lab, measure, lab, options)
    finally:
        lab.end()
        lab.remove()
    print(f"{harness.Tally.passed} passed, {harness.Tally.failed} failed", flush=True)
    sys.exit(1 if harness.Tally.failed or not harness.Tally.passed else 0)


if __name__ == "__main__":
    main()
