"""harness - what every integration scenario stands on.

A scenario is a script that calls `run(main)`. Its main gets a Lab: a temporary directory, the options
of the command line, and everything that it started, which is stopped when it ends, however it ends.
`check` states one thing that must hold, prints it, and goes on; `must` gives up where nothing after it
would make sense. The script exits 0 only when every check held.

Scripts need packages of PyPI (requirements.txt): importing this module moves the running script into a
virtual environment of its own, outside the source tree, made on first use.
"""
import argparse
import fcntl
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = Path(os.environ.get("SL_CACHE") or Path.home() / ".cache" / "sluice")


def enter_environment():
    """Re-executes the script with the virtual environment's Python, unless it is that already."""
    wanted = (HERE / "requirements.txt").read_bytes()
    name = f"venv-{sys.version_info[0]}.{sys.version_info[1]}-{hashlib.sha256(wanted).hexdigest()[:12]}"
    place = CACHE / name
    if Path(sys.prefix) == place:
        return
    if not (place / "complete").exists():
        print(f"making {place}", flush=True)
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([place / "bin/pip", "install", "-q", "--disable-pip-version-check", "-r",
                        HERE / "requirements.txt"], check=True)
        (place / "complete").touch()
    os.execv(place / "bin/python", [str(place / "bin/python"), *sys.argv])


enter_environment()


class Failed(Exception):
    """A condition without which the scenario cannot go on."""


class Stop(Failed):
    """The same, and said already."""


class Tally:
    passed = 0
    failed = 0


def note(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def check(holds, text):
    if holds:
        Tally.passed += 1
        note(f"ok      {text}")
    else:
        Tally.failed += 1
        note(f"FAILED  {text}")
    return bool(holds)


def must(holds, text):
    if not check(holds, text):
        raise Stop(text)


def wait_for(condition, timeout_s, what):
    """Returns the first true value of `condition()`; Failed when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"not in {timeout_s} s: {what}")
        time.sleep(0.05)


class Ports:
    """Ports below those that the kernel gives to whoever wants any, in blocks of which each belongs to
    one scenario for as long as it runs: of two at a time none meets what the other dials or has left."""
    FIRST, LAST, BLOCK = 10000, 32500, 750
    locks = []  # files; the kernel lets go of them when the process ends
    next, end = 0, 0

    @classmethod
    def lock(cls, number):
        place = Path(tempfile.gettempdir()) / "sluice-ports"
        place.mkdir(mode=0o777, exist_ok=True)
        file = open(place / str(number), "a", encoding="ascii")  # pylint: disable=consider-using-with
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return file

    @classmethod
    def take_blocks(cls, count):
        """As many blocks in a row as `count` ports need."""
        wanted = -(-count // cls.BLOCK)
        blocks = (cls.LAST - cls.FIRST) // cls.BLOCK
        first = random.randrange(blocks - wanted + 1)
        taken = [cls.lock(first + offset) for offset in range(wanted)]
        if not all(taken):
            for file in filter(None, taken):
                file.close()
            return False
        cls.locks += taken
        cls.next = cls.FIRST + first * cls.BLOCK
        cls.end = cls.next + wanted * cls.BLOCK
        return True


def can_bind(port):
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(count=1):
    """The first of `count` ports in a row that nobody listens on, and that nobody else gets."""
    while True:
        if Ports.next + count > Ports.end:
            wait_for(lambda: Ports.take_blocks(count), 60, f"{count} ports in a row")
        first, Ports.next = Ports.next, Ports.next + count
        if all(can_bind(first + offset) for offset in range(count)):
            return first


class Process:
    """A program, its output line by line, and its end. Signals go to its own pid, and to no other."""

    def __init__(self, lab, name, argv, environment=None, **options):
        self.name = name
        self.lines = []
        self.log = lab.directory / f"{name}.log"
        self.process = subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        cwd=lab.directory, env={**os.environ, **(environment or {})},
                                        **{"stdin": subprocess.DEVNULL, **options})
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        lab.on_end(self.end)

    def _read(self):
        with open(self.log, "w", encoding="utf-8") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                self.lines.append(line.rstrip("\n"))

    @property
    def pid(self):
        return self.process.pid

    def is_alive(self):
        return self.process.poll() is None

    def find(self, pattern):
        """All matches of `pattern` in the lines so far."""
        compiled = re.compile(pattern)
        return [found for found in map(compiled.search, list(self.lines)) if found]

    def wait_line(self, pattern, timeout_s, count=1):
        def seen():
            found = self.find(pattern)
            if len(found) < count and not self.is_alive():
                raise Failed(f"{self.name} ended with {self.process.returncode} before '{pattern}'")
            return found if len(found) >= count else None
        return wait_for(seen, timeout_s, f"{self.name}: {count} x '{pattern}'")

    def signal(self, number):
        self.process.send_signal(number)

    def terminate(self, timeout_s=30):
        """SIGTERM; its exit code."""
        if self.is_alive():
            self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end in {timeout_s} s after SIGTERM") from None
        self.reader.join()
        return code

    def end(self):
        if self.is_alive():
            self.signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()

    def status_kib(self, field):
        """A size of /proc/PID/status: VmHWM is the peak of what was resident, VmRSS what is now."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE).group(1))

    def peak_mib(self):
        return self.status_kib("VmHWM") / 1024

    def forget_peak(self):
        """From now on it is what is resident now (proc_pid_clear_refs(5))."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def tail(self, count=15):
        return self.lines[-count:]


class Lab:
    """What one scenario has started, and where."""

    def __init__(self, options):
        self.options = options
        self.is_long = options.long
        self.endings = []
        # Files of records are written and read here: memory, where there is enough of it.
        shm = Path("/dev/shm")
        roomy = shm.is_dir() and shutil.disk_usage(shm).free > 6 << 30
        self.directory = Path(tempfile.mkdtemp(prefix="sluice-it-", dir=shm if roomy else None))

    def on_end(self, ending):
        self.endings.append(ending)

    def start(self, name, argv, environment=None, **options):
        return Process(self, name, argv, environment, **options)

    def path(self, name):
        return self.directory / name

    def end(self):
        while self.endings:
            try:
                self.endings.pop()()
            except (OSError, subprocess.SubprocessError) as error:
                note(f"clean-up: {error}")

    def show_logs(self):
        """The first and the last lines of each log, without the lines of each second."""
        for log in sorted(self.directory.glob("*.log")):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            telling = [line for line in lines if not line.startswith(("stream ", "sent "))]
            shown = telling if len(telling) <= 40 else [*telling[:8], "…", *telling[-32:]]
            print(f"--- {log.name}, {len(lines)} lines", *(line[:1000] for line in shown), sep="\n",
                  flush=True)

    def put_logs_away(self, title):
        place = self.directory / re.sub(r"\W+", "-", title)
        place.mkdir()
        for log in self.directory.glob("*.log"):
            log.rename(place / log.name)

    def remove(self):
        if self.options.keep:
            note(f"kept: {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)


def sluice():
    """The binary under test."""
    binary = Path(os.environ.get("SLUICE") or ROOT / "build/release/cmd/sluice/sluice")
    if not binary.exists():
        raise Failed(f"no {binary}: build the release preset, or set SLUICE")
    return binary


def peer(name, package=None):
    """Builds one of the Go programs of tests/peers, or a package that its go.mod pins; quick when it
    is built already."""
    place = CACHE / "peers"
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["go", "build", "-o", place / name, package or f"./{name}"],
                   cwd=ROOT / "tests/peers", check=True)
    return place / name


def guarded(lab, function, *arguments, **named):
    """Calls it; whatever goes wrong in it is one failed check, and the logs are shown."""
    failed = Tally.failed
    try:
        function(*arguments, **named)
    except Stop:
        pass
    except Failed as failure:
        check(False, str(failure))
    except Exception:  # pylint: disable=broad-except
        check(False, traceback.format_exc())
    if Tally.failed > failed:
        lab.show_logs()


def run(main, add_options=None):
    """`add_options` gets the parser of the command line, for options of the scenario's own."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", default=bool(os.environ.get("SL_LONG")),
                        help="the long form; SL_LONG=1 in the environment does the same")
    parser.add_argument("--keep", action="store_true", help="keep the directory with the logs")
    parser.add_argument("--only", metavar="PATTERN", default="",
                        help="only the parts in whose title this expression is found")
    if add_options:
        add_options(parser)
    lab = Lab(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        guarded(lab, main, lab)
    finally:
        lab.end()
        lab.remove()
    print(f"{Tally.passed} passed, {Tally.failed} failed", flush=True)
    sys.exit(1 if Tally.failed or not Tally.passed else 0)


def part(lab, title, function, *arguments, **named):
    """One part of a scenario: what it started ends with it; a failure in it does not keep the rest."""
    if not re.search(lab.options.only, title):
        return
    note(f"== {title}")
    began = time.monotonic()
    earlier, lab.endings = lab.endings, []
    try:
        guarded(lab, function, lab, *arguments, **named)
    finally:
        lab.end()
        lab.endings = earlier
        lab.put_logs_away(title)
    note(f"== {title}: {time.monotonic() - began:.0f} s")
