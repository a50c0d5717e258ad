#!/usr/bin/env python3
"""top - `sluice top` on a terminal: a pty, and pyte to read the screen that a person would see (as screen's,
whose words pyte knows all).

Against an admin API with 5,000 streams and hostile names, then against a running sluice with simulated
devices. However it ends, the terminal is left as it was.
"""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

from harness import check, free_port, part, run, sluice, wait_for

import pyte

from collector import Collector, subscription
from devices import Devices
from fake_admin import FakeAdmin

HOSTILE = "leaf\x1b]0;owned\x07\x1b[2J\u202ex"
STREAMS = 5000
LARGEST_BYTES = 256 * 1024  # of an answer: what is not shown is not asked for
WAIT_S = 10
UP, DOWN, PAGE_DOWN, END, ESCAPE, ENTER = "\x1bOA", "\x1bOB", "\x1b[6~", "\x1b[4~", "\x1b", "\r"


class Terminal:
    """A program on a terminal of its own; the screen as it is seen, all that was written, and the modes
    that the terminal had before."""

    def __init__(self, lab, *words, rows=24, columns=100, environment=None):
        self.master, self.slave = pty.openpty()
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.lock, self.raw = threading.Lock(), b""
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [sluice(), "top", *map(str, words)], stdin=self.slave, stdout=self.slave,
            stderr=subprocess.PIPE, start_new_session=True,
            env={"PATH": "/usr/bin:/bin", "TERM": "screen-256color", "LC_ALL": "C.UTF-8",
                 "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""), **(environment or {})})
        lab.on_end(self.end)
        threading.Thread(target=self.read, daemon=True).start()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            with self.lock:
                self.raw += data
                self.stream.feed(data)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        with self.lock:
            self.screen.resize(rows, columns)

    def lines(self):
        with self.lock:
            return [line.rstrip() for line in self.screen.display]

    def press(self, keys):
        os.write(self.master, keys.encode())

    def shows(self, pattern, what):
        """Waits for it."""
        compiled = re.compile(pattern, re.M)
        seen = lambda: compiled.search("\n".join(self.lines()))
        try:
            found = wait_for(seen, WAIT_S, what)
        except Exception:
            print("\n".join(self.lines()), flush=True)
            raise
        check(True, what)
        return found

    def is_clean(self):
        """Back from the other screen, with a cursor, and the modes of before."""
        return (self.raw.rstrip().endswith(b"\x1b[?1049l") or b"\x1b[?1049l" in self.raw[-200:]) and \
            self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l") and \
            termios.tcgetattr(self.slave) == self.before

    def ends(self, code, what):
        found = self.process.wait(WAIT_S)
        try:
            wait_for(self.is_clean, WAIT_S, what)
        except Exception:
            print(repr(self.raw[-300:]), flush=True)
        check(found == code and self.is_clean(), f"{what}: exit {found}, the terminal is as it was")


def place(fake):
    return f"127.0.0.1:{fake.server.server_port}"


def rows_of(terminal):
    """The streams on the screen."""
    return [line.split()[0] for line in terminal.lines()[6:-1] if "/counters" in line]


def many_streams(lab):
    fake = FakeAdmin(lab, free_port(), STREAMS, names=[HOSTILE])
    top = Terminal(lab, "--admin", place(fake), "--interval", "200ms")
    top.shows(r"streams 5000: 5000 synced, 500 blocked, 500 held", "the totals")
    top.shows(r"500 streams are held by main", "the verdict, with the sink that is in the way")
    top.shows(r"^leaf4999/counters", "the streams, sorted by blocked time")
    check(len(rows_of(top)) == 17, f"as many rows as there is room for: {len(rows_of(top))}")
    top.press("H")
    top.shows(r"by held bytes, greatest first", "H sorts by held bytes")
    top.shows(r"^leaf0001/counters +FLOWING +█{5,}", "a stream that holds, with its bar")
    check("\x1b" not in "".join(top.lines()) and b"owned\x07" not in top.raw and b"\x1b]0;o" not in top.raw,
          "a name steers nothing")
    top.press("N")
    top.shows(r"by name, least first", "N sorts by name")
    top.press("o")
    top.shows(r"by name, greatest first", "o turns it round")
    top.press("/leaf00")
    top.shows(r"filter: leaf00_", "a filter is typed")
    top.press(ENTER)
    top.shows(r"^9[0-9] streams with 'leaf00'", "and holds")
    top.press(ESCAPE)
    top.shows(r"^5000 streams by", "Esc lets it go")
    top.press(END)
    top.shows(r"^leaf0001/counters", "the last of 5,000 rows")
    top.press(ENTER)
    top.shows(r"^TARGET", "the target of a row")
    top.press(ESCAPE + "2")
    top.shows(r"^main +kafka +0 +no .*topic-mi", "the sinks")
    top.press("3")
    top.shows(r"decision 3", "the events")
    top.press("?")
    top.shows(r"sort by: B blocked", "help")
    top.press("1")
    asked = len(fake.asked)
    wait_for(lambda: len(fake.asked) > asked + 4, WAIT_S, "it goes on asking")
    check(fake.largest < LARGEST_BYTES, f"no answer was larger than {fake.largest} bytes")
    top.press("q")
    top.ends(0, "q")


def sizes(lab):
    fake = FakeAdmin(lab, free_port(), 200)
    top = Terminal(lab, "--admin", place(fake), "--interval", "200ms", rows=24, columns=100)
    top.shows(r"TROUBLE", "a wide screen")
    top.resize(40, 200)
    wait_for(lambda: len(rows_of(top)) == 33, WAIT_S, "more rows on a larger screen")
    top.shows(r"held by main/topic-a", "and more columns")
    top.resize(12, 42)
    wait_for(lambda: len(rows_of(top)) == 5, WAIT_S, "fewer on a smaller one")
    top.resize(3, 8)
    top.resize(24, 80)
    wait_for(lambda: len(rows_of(top)) == 17, WAIT_S, "after a tiny one")
    check(True, "it follows the size of its terminal")
    top.press("p")
    top.shows(r"PAUSED", "paused")
    top.press("q")
    top.ends(0, "q while paused")


def plain(lab):
    fake = FakeAdmin(lab, free_port(), 15)
    top = Terminal(lab, "--admin", place(fake), environment={"LC_ALL": "C", "NO_COLOR": "1"})
    top.shows(r"^leaf0001/\S+ +HELD|^leaf0001/\S+ +FLOWING +#+", "bars in ASCII where the locale has no more")
    check(not re.search(rb"\x1b\[[0-9;]*3[0-7]m", top.raw), "no colours where NO_COLOR says so")
    top.press("q")
    top.ends(0, "q")
    vt = Terminal(lab, "--admin", place(fake), environment={"TERM": "vt100"})
    vt.shows(r"^leaf0001/", "a terminal without colours")
    vt.press("q")
    check(vt.process.wait(WAIT_S) == 0 and termios.tcgetattr(vt.slave) == vt.before, "and its end")
    odd = Terminal(lab, "--admin", place(fake), environment={"TERM": "no-such-terminal"})
    check(odd.process.wait(WAIT_S) == 2 and b"--once" in odd.process.stderr.read() and
          termios.tcgetattr(odd.slave) == odd.before, "a terminal that nobody knows: said, exit 2")


def ends(lab):
    fake = FakeAdmin(lab, free_port(), 15)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        top = Terminal(lab, "--admin", place(fake))
        top.shows(r"^leaf0001/", "it is up")
        top.process.send_signal(number)
        top.ends(0, number.name)
    top = Terminal(lab, "--admin", place(fake))
    top.shows(r"^leaf0001/", "it is up")
    top.process.send_signal(signal.SIGABRT)
    top.ends(-signal.SIGABRT, "SIGABRT")


def no_answer(lab):
    port = free_port()
    top = Terminal(lab, "--admin", f"127.0.0.1:{port}", "--interval", "200ms")
    top.shows(r"no answer: .*Connection refused", "nobody answers: it is said, and asked again")
    fake = FakeAdmin(lab, port, 15)
    top.shows(r"^leaf0001/", "as soon as somebody does it is there")
    fake.answers["/streams"] = (200, b"{\"total\": \"x\", \"streams\": [1, null, {\"id\": 7}]}")
    top.shows(r"^0 streams by", "an answer that is none ends nothing")
    fake.answers["/streams"] = (200, b"<html>")
    top.shows(r"no answer: .*no JSON object", "nor does one that is no JSON")
    top.press("q")
    top.ends(0, "q")


def once(*words):
    return subprocess.run([sluice(), "top", *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=30, stdin=subprocess.DEVNULL,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "COLUMNS": "140"})


def without_a_terminal(lab):
    fake = FakeAdmin(lab, free_port(), STREAMS, names=[HOSTILE])
    for word in ("--once", "--batch"):
        done = once(word, "--admin", place(fake), "--rows", 5, "--sort", "held_bytes")
        lines = done.stdout.splitlines()
        check(done.returncode == 0 and len(lines) == 11 and "leaf0001/counters" in lines[7],
              f"{word} prints one screen")
        check(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stdout), "that steers no terminal")
    check(once("--admin", place(fake)).returncode == 2, "without a terminal, and without --once: exit 2")
    check(once("--once", "--admin", place(fake), "--sort", "x").returncode == 2, "no such sort: exit 2")
    check(once("--once", "--admin", f"127.0.0.1:{free_port()}").returncode == 3, "nobody answers: exit 3")


def real(lab):
    devices = Devices(lab, "sim", 3, updates=60000, rate=20)
    collector = Collector(lab, devices.addresses(), {"counters": subscription()}, {"none": {"type": "null"}})
    top = Terminal(lab, "-c", collector.file, "--interval", "200ms", columns=120)
    top.shows(r"everything flows", "a running sluice: everything flows")
    top.shows(r"streams 3: 3 synced", "its streams")
    top.shows(r"updates [1-9][\d.]*[kM]?/s in", "its rate")
    top.press("N")
    top.shows(r"^dev1/counters", "a row")
    top.press(ENTER)
    top.shows(r"^address +127\.0\.0\.1:", "the target of the row")
    top.press("q")
    top.ends(0, "q")
    done = once("--once", "-c", collector.file)
    check(done.returncode == 0 and all(f"\ndev{n}/counters" in done.stdout for n in (1, 2, 3)),
          f"--once: {done.returncode} {done.stdout[-700:]} {done.stderr[-300:]}")
    check(collector.stop() == 0, "sluice ends with 0")


def main(lab):
    for test in (many_streams, sizes, plain, ends, no_answer, without_a_terminal, real):
        part(lab, test.__name__.replace("_", " "), test)


if __name__ == "__main__":
    run(main)
