#!/usr/bin/env python3
"""mutations.py - does the simulation find bugs? Plants some, one at a time, and looks.

usage: mutations.py [--build DIR] [--seeds N] [--jobs N] [NAME ...]
       mutations.py --apply        only whether all of them still apply

Each mutation (mutations_table.py) is an edit of the core that breaks one promise. The files that it
edits are copied, edited and compiled with the build's own commands, and the simulator is linked with these
objects before all libraries, so that the libraries' own are not taken: nothing in the tree changes. The
build is a release one: the simulator's own checks are to find the bugs, not the core's invariants.
Then the simulator runs its seeds, from 1 on, until one fails. Prints a table. Exits 1 when a mutation
no longer applies, is not caught within the seeds, or when the seeds fail without any.
"""
import argparse
import concurrent.futures
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

from mutations_table import MUTATIONS

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = "tests/world/world"
HANGS_S = 300  # of real time: a run that takes so long counts as not caught
FAILED = re.compile(r"^world: seed (\d+) FAILED: (.*)$", re.M)


class Problem(Exception):
    pass


class Build:
    """The commands that the simulator is made with."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run(["ninja", "-C", folder, TARGET], check=True, stdout=subprocess.DEVNULL)
        said = subprocess.run(["ninja", "-C", folder, "-t", "commands", TARGET], check=True,
                              capture_output=True, text=True)
        self.commands = said.stdout.splitlines()
        self.link = next(line for line in reversed(self.commands) if f"-o {TARGET} " in line)

    def run(self, command, what):
        done = subprocess.run(command, shell=True, cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise Problem(f"{what}: {done.stderr.strip()[:600]}")

    def compile(self, source, copy, made):
        line = next((line for line in self.commands if line.endswith(f"-c {source}")), None)
        if not line:
            raise Problem(f"{source} is not part of the simulator")
        line = re.sub(r" -M[DTF]( \S+\.o(\.d)?)?", "", line).replace(" -Werror", " -w")
        line = re.sub(r" -o \S+ -c \S+$", "", line)
        self.run(f"{line} -o {shlex.quote(str(made))} -c {shlex.quote(str(copy))}", "compiling")

    def simulator(self, objects, binary):
        """Linked with `objects` before everything else."""
        words = " ".join(shlex.quote(str(made)) for made in objects)
        self.run(self.link.replace(f"-o {TARGET} ", f"{words} -o {shlex.quote(str(binary))} "), "linking")


def mutate(mutation):
    """The files' texts with the bug in them, by name."""
    texts = {}
    for edit in mutation.edits:
        text = texts.get(edit.file) or (ROOT / edit.file).read_text()
        if text.count(edit.old) != 1:
            raise Problem(f"no longer applies: {edit.file} has {text.count(edit.old)} times "
                          f"{' '.join(edit.old.split())!r}")
        texts[edit.file] = text.replace(edit.old, edit.new)
    return texts


def applies(mutation):
    try:
        mutate(mutation)
    except Problem as why:
        print(f"{mutation.name}: {why}")
        return False
    return True


def simulate(binary, seeds):
    """(seed, text) of the first seed that fails; None: none does."""
    command = [str(binary), "--seeds", f"1..{seeds}", "--jobs", "1", "--no-shrink"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS_S, errors="replace")
    except subprocess.TimeoutExpired:
        raise Problem(f"no end within {HANGS_S} s") from None
    found = FAILED.search(done.stdout + done.stderr)
    if done.returncode not in (0, 1):
        raise Problem(f"the simulator ended with {done.returncode}: {(done.stdout + done.stderr)[-300:]}")
    return (int(found[1]), found[2]) if found else None


def attempt(build, mutation, seeds):
    """How it was caught; raises Problem when it was not."""
    with tempfile.TemporaryDirectory(prefix="sluice-mutation-") as folder:
        place = pathlib.Path(folder)
        objects = []
        for name, text in mutate(mutation).items():
            copy = place / pathlib.Path(name).name
            copy.write_text(text)
            objects.append(copy.with_suffix(".o"))
            build.compile(ROOT / name, copy, objects[-1])
        build.simulator(objects, place / "world")
        found = simulate(place / "world", seeds)
    if not found:
        raise Problem(f"not caught by {seeds} seeds")
    return found


def row(*cells):
    print("{:28} {:50} {:>4} {:>5}  {}".format(*cells), flush=True)


def tell(mutation, result):
    """Prints a line; the seed that caught it, None when it was not."""
    try:
        (seed, text), took_s = result.result()
    except Problem as why:
        row(mutation.name, mutation.breaks, "", "", f"NOT CAUGHT: {why}")
        return None
    row(mutation.name, mutation.breaks, seed, f"{took_s:.0f} s", text[:110])
    return seed


def timed(*arguments):
    started = time.monotonic()
    return attempt(*arguments), time.monotonic() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--seeds", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--apply", action="store_true")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    chosen = [m for m in MUTATIONS if not asked.names or m.name in asked.names]
    if asked.apply:
        return 1 if [applies(m) for m in chosen].count(False) else 0
    build = Build(asked.build)
    row("mutation", "breaks", "seed", "", "caught as")
    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        runs = [(m, pool.submit(timed, build, m, asked.seeds)) for m in chosen]
        seeds = [tell(mutation, result) for mutation, result in runs]
    caught = [seed for seed in seeds if seed]
    sound = simulate(pathlib.Path(asked.build) / TARGET, max(caught, default=1))
    if sound:
        print(f"without any mutation: seed {sound[0]}: {sound[1]}")
    print(f"{len(caught)} of {len(chosen)} mutations caught, the last one by seed {max(caught, default=0)}; "
          f"without them these seeds {'fail' if sound else 'pass'}")
    failed = len(chosen) - len(caught) + bool(sound)
    print(f"{'100' if not failed else '0'}% tests passed, {failed} tests failed out of {len(chosen) + 1}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
