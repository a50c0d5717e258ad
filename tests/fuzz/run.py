#!/usr/bin/env python3
"""run.py - runs the fuzzers of the preset `fuzz` for some seconds each.

usage: run.py [--seconds N] [--jobs N] [--merge] [NAME ...]

Build them before: cmake --preset fuzz && cmake --build --preset fuzz. Each begins with what is kept
in corpus/NAME.b64, with the seeds of SEEDS below, and with what earlier runs found (build/fuzz/corpus).
An input that breaks something is kept under build/fuzz/crashes; its place and its bytes in base64 are
printed, and the exit code is 1.

--merge: afterwards writes corpus/NAME.b64 anew: the smallest set of inputs that reaches as much. The
lines below "# regressions" in such a file stay as they are: each is an input that once broke
something, with a comment that says what.
"""
import argparse
import base64
import concurrent.futures
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "fuzz"
MARK = "# regressions"
SEEDS = {  # files of the tests that are inputs as they are
    "walk": "tests/golden/cases/*.bin",
    "shown": "tests/golden/cases/*.bin",
    "mend": "tests/golden/cases/*.bin",
    "config": "tests/unit/config/*/*.yaml",
    "import": "tests/it/foreign_configs/*.yaml",
    "telegraf": "tests/it/foreign_configs/*.conf",
}
MOST_BYTES = {"walk": 4096, "shown": 4096, "mend": 4096, "json": 2048, "config": 4096, "import": 4096, "telegraf": 4096, "h2": 4096, "calls": 2048, "request": 2048, "number": 17,
              "log": 8192}
DEFAULT_MOST_BYTES = 1024
KEPT_BYTES = 512  # of an input in the repository; longer ones are left to the golden messages
# No leak and no memory without a bound either. A unit of 5 s is a hang: each takes microseconds.
VALUES = {"number", "path", "status", "h2", "reader", "metadata", "gzip",
          "proxy", "guard"}  # comparisons guide these; others grow too slow
OPTIONS = ["-timeout=5", "-rss_limit_mb=1024", "-malloc_limit_mb=256", "-print_final_stats=1",
           "-detect_leaks=1"]
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8",
               "ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1",
               "UBSAN_OPTIONS": "print_stacktrace=1",
               # config: a system's store of 140 certificates takes half a second to read, each time
               "SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": "/nonexistent"}


def names():
    listed = re.findall(r"^sl_fuzzer\((\w+)", (HERE / "CMakeLists.txt").read_text(), re.M)
    return sorted(listed)


def read_corpus(name):
    """The minimised inputs, and the lines of the regressions as they stand."""
    path = HERE / "corpus" / f"{name}.b64"
    lines = path.read_text().splitlines() if path.exists() else []
    mark = lines.index(MARK) if MARK in lines else len(lines)
    inputs = [base64.b64decode(line) for line in lines[:mark] if line and line[0] != "#"]
    return inputs, lines[mark:]


def unpack(name):
    """A folder with everything that a run begins with, beside what it finds."""
    seeds = BUILD / "seeds" / name
    shutil.rmtree(seeds, ignore_errors=True)
    seeds.mkdir(parents=True)
    inputs, regressions = read_corpus(name)
    inputs += [base64.b64decode(line) for line in regressions if line and line[0] != "#"]
    inputs += [path.read_bytes() for path in sorted(ROOT.glob(SEEDS[name]))] if name in SEEDS else []
    for one in inputs:
        (seeds / hashlib.sha1(one).hexdigest()).write_bytes(one)
    found = BUILD / "corpus" / name
    found.mkdir(parents=True, exist_ok=True)
    return seeds, found


def program(name):
    path = BUILD / "tests" / "fuzz" / f"fuzz_{name}"
    if not path.exists():
        sys.exit(f"run.py: {path} is missing: cmake --preset fuzz && cmake --build --preset fuzz")
    return str(path)


def run(name, seconds):
    """One line of the table, and what broke (or "")."""
    seeds, found = unpack(name)
    crashes = BUILD / "crashes"
    crashes.mkdir(parents=True, exist_ok=True)
    command = [program(name), f"-max_total_time={seconds}", f"-artifact_prefix={crashes}/{name}-",
               f"-max_len={MOST_BYTES.get(name, DEFAULT_MOST_BYTES)}",
               f"-use_value_profile={int(name in VALUES)}", *OPTIONS]
    words = HERE / "words" / f"{name}.dict"
    command += [f"-dict={words}"] if words.exists() else []
    done = subprocess.run([*command, str(found), str(seeds)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT,
                          cwd=BUILD)
    said = done.stderr.decode(errors="replace")
    runs = re.findall(r"stat::number_of_executed_units:\s*(\d+)", said)
    reach = re.findall(r"cov: (\d+) ft: (\d+)", said)
    line = (f"{name:10} {int(runs[-1]) if runs else 0:>10} inputs  {reach[-1][0] if reach else '-':>6} edges"
            f"  {len(list(found.iterdir())):>6} kept  {'ok' if done.returncode == 0 else 'BROKEN'}")
    return line, "" if done.returncode == 0 else explain(name, said)


def explain(name, said):
    kept = re.findall(r"Test unit written to (\S+)", said)
    lines = said.splitlines()
    first = next((i for i, line in enumerate(lines)
                  if re.search(r"assertion failed|runtime error|ERROR: ", line)), max(0, len(lines) - 20))
    text = [f"--- {name}", *lines[first:first + 25]]
    for path in kept:
        text += [f"input: {path}", base64.b64encode(pathlib.Path(path).read_bytes()).decode()]
    return "\n".join(text)


def merge(name):
    seeds, found = unpack(name)
    chosen = BUILD / "merged" / name
    shutil.rmtree(chosen, ignore_errors=True)
    chosen.mkdir(parents=True)
    subprocess.run([program(name), "-merge=1", f"-max_len={KEPT_BYTES}", *OPTIONS[:2], str(chosen),
                    str(found), str(seeds)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=ENVIRONMENT, cwd=BUILD, check=True)
    inputs = {path.read_bytes() for path in chosen.iterdir()} - {b""}
    lines = [base64.b64encode(one).decode() for one in sorted(inputs, key=lambda one: (len(one), one))]
    _, regressions = read_corpus(name)
    text = "\n".join([f"# Inputs of fuzz_{name}, each in base64: written by tests/fuzz/run.py --merge.",
                      *lines, *(regressions or [MARK])]) + "\n"
    (HERE / "corpus" / f"{name}.b64").write_text(text)
    print(f"{name:10} {len(lines):>6} inputs, {len(text):>7} bytes")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--merge", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    unknown = sorted(set(args.names) - set(names()))
    if unknown:
        sys.exit(f"run.py: no fuzzer {', '.join(unknown)}; there are {', '.join(names())}")
    chosen, broken = args.names or names(), []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        runs = {name: pool.submit(run, name, args.seconds) for name in chosen}
        for name in chosen:
            line, why = runs[name].result()
            print(line, flush=True)
            broken += [why] if why else []
    print("\n".join(broken), end="\n" if broken else "")
    passed = (len(chosen) - len(broken)) * 100 // len(chosen)
    print(f"{passed}% tests passed, {len(broken)} tests failed out of {len(chosen)}")
    if args.merge:
        for name in chosen:
            merge(name)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
