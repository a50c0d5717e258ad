#!/usr/bin/env python3
"""valgrind.py - unit tests, and a whole collector with its devices and brokers, under valgrind.

usage: valgrind.py [--build FOLDER] [--jobs N] [--long] [NAME ...]

Every error of memcheck fails, and every leak that is definite or indirect; what libraries do is in
valgrind.supp, each with its reason. NAME: these tests alone; `session` is the collector. --long: also
the tests in SLOW, which do the same thing thousands of times.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOUND = 99  # exit code: valgrind has something to say, which no second try takes back
SAYS = re.compile(r"^==\d+== .*(Invalid|uninitialised|in loss record|Mismatched)", re.MULTILINE)
VALGRIND = ["valgrind", "-q", f"--error-exitcode={FOUND}", "--leak-check=full", "--child-silent-after-fork=yes",
            "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect",
            "--num-callers=30", f"--suppressions={ROOT}/tests/valgrind.supp"]
# SL_VALGRIND: for a test that cannot do there what it does. Without the system's store of 140
# certificates, which takes seconds to read and is read for each configuration.
ENVIRONMENT = {**os.environ, "SL_VALGRIND": "1", "SSL_CERT_FILE": "/dev/null",
               "SSL_CERT_DIR": "/nonexistent"}
SLOW = {"session_memory_test", "differential_test", "limits_test", "golden_test", "memory_test",
        "rules_memory_test", "replay_memory_test", "bisect_test", "governor_test", "stall_life_test",
        "store_test"}
SECONDS = 900  # for one program
RECORDS = 300  # of the session
CONFIG = """\
collector: {{name: v, workers: 2, memory: 64MiB, admin: {{listen: "127.0.0.1:{admin}"}}}}
defaults:
  target: {{insecure: true, username: u, password: p, address: "127.0.0.1:{device}"}}
targets: {{sim1: {{}}, sim2: {{}}, sim3: {{}}, gone: {{address: "127.0.0.1:9"}}}}
subscriptions:
  all: {{paths: [/], set-target: true, sinks: [file, none]}}
  json: {{paths: [/interfaces], set-target: true, encoding: json_ietf, sinks: [bus]}}
sinks:
  file: {{type: file, path: {folder}/records, format: event}}
  none: {{type: "null", format: sluice.v1}}
  bus: {{type: kafka, brokers: ["{brokers}"], topic: "t.${{target}}", key: "${{subscription}}", format: event}}
"""


def unit_tests(build):
    """Name and command of each unit test that is a program of the build."""
    listed = subprocess.run(["ctest", "--test-dir", build, "-L", "^unit$", "--show-only=json-v1"],
                            capture_output=True, check=True).stdout
    for test in json.loads(listed)["tests"]:
        if str(build) in test["command"][0]:
            yield test["name"], test["command"]


def tail(text, lines=60):
    return "\n".join(text.splitlines()[-lines:])


class Wrong(str):
    """What went wrong, or "". `is_final`: valgrind said it, and not a test that may have been too slow."""
    is_final = False


def wrong(text, is_final=False):
    made = Wrong(text)
    made.is_final = is_final and bool(text)
    return made


def run_test(command):
    try:
        done = subprocess.run([*VALGRIND, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS, env=ENVIRONMENT)
    except subprocess.TimeoutExpired as late:
        return wrong(f"no end after {SECONDS} s\n" + tail((late.stdout or b"").decode(errors="replace")))
    if not done.returncode:
        return wrong("")
    text = done.stdout.decode(errors="replace")
    return wrong(tail(text), done.returncode == FOUND or SAYS.search(text) is not None)


class Session:
    """Devices, a broker and a collector, of which devices and collector run under valgrind."""

    def __init__(self, build, folder):
        self.program = str(build / "cmd" / "sluice" / "sluice")
        self.folder = pathlib.Path(folder)
        self.running = []

    def start(self, name, *args, watched=True):
        with open(self.folder / name, "wb") as out:
            process = subprocess.Popen([*(VALGRIND if watched else []), self.program, *args],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.running.append((name, process))

    def said(self, name):
        return (self.folder / name).read_text(errors="replace")

    def wait_for(self, what, look):
        """`look()` until it gives something; an error when a process ends or time is up."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            found = look()
            if found:
                return found
            ended = [name for name, process in self.running if process.poll() is not None]
            if ended:
                raise RuntimeError(f"{ended[0]} ended before {what}:\n{tail(self.said(ended[0]))}")
            time.sleep(0.2)
        raise RuntimeError(f"no {what} after {SECONDS} s")

    def printed(self, name, pattern):
        return self.wait_for(f"'{pattern}' of {name}", lambda: re.search(pattern, self.said(name)))[1]

    def records(self):
        path = self.folder / "records"
        return path.exists() and path.read_bytes().count(b"\n") >= RECORDS

    def live(self):
        self.start("broker", "broker", watched=False)
        self.start("sim", "sim", "--listen", "127.0.0.1:0", "--devices", "3", "--rate", "20", "--quiet")
        brokers = self.printed("broker", r"bootstrap (\S+)")
        device = self.printed("sim", r"127\.0\.0\.1:(\d+)")
        config = CONFIG.format(admin=0, device=device, brokers=brokers, folder=self.folder)
        (self.folder / "sluice.yaml").write_text(config)
        self.start("run", "run", "-c", str(self.folder / "sluice.yaml"))
        self.wait_for("records", self.records)

    def end(self):
        """What valgrind found, or what ended otherwise than it should."""
        found = []
        for name, process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if code:
                found.append(f"{name}: exit code {code}\n{tail(self.said(name))}")
        return "\n".join(found)


def run_session(build):
    with tempfile.TemporaryDirectory(prefix="sluice-valgrind-") as folder:
        session = Session(build, folder)
        why = ""
        try:
            session.live()
        except RuntimeError as error:
            why = f"{error}\n"
        return wrong(why + session.end(), is_final=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "debug")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--long", action="store_true", default=bool(os.environ.get("SL_LONG")))
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    build = args.build.resolve()
    jobs = {"session": lambda: run_session(build)}
    for name, command in unit_tests(build):
        if args.long or name not in SLOW or name in args.names:
            jobs[name] = lambda command=command: run_test(command)
    unknown = sorted(set(args.names) - set(jobs))
    if unknown:
        sys.exit(f"valgrind.py: no test {', '.join(unknown)}")
    chosen = args.names or list(jobs)

    def timed(job):
        started = time.monotonic()
        return job(), time.monotonic() - started

    def say(name, word, seconds):
        print(f"valgrind: {name:28} {word:6} {seconds:6.1f} s", flush=True)

    first = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        runs = {name: pool.submit(timed, jobs[name]) for name in chosen}
        for name in chosen:
            why, seconds = runs[name].result()
            say(name, "FAILED" if why.is_final else "again" if why else "ok", seconds)
            if why:
                first[name] = why
    failed = {}
    for name, why in first.items():  # alone, those that valgrind itself has nothing against
        print(f"--- {name}\n{why}", flush=True)
        if not why.is_final:
            why, seconds = timed(jobs[name])
            say(name, "FAILED" if why else "ok, the second time", seconds)
        if why:
            failed[name] = why
    print("\n".join(f"--- {name}\n{why}" for name, why in failed.items()), end="\n" if failed else "")
    passed = (len(chosen) - len(failed)) * 100 // len(chosen)
    print(f"{passed}% tests passed, {len(failed)} tests failed out of {len(chosen)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
