#!/usr/bin/env python3
"""again.py - some seeds twice, each time in a process of its own: all that happens is the same again.

usage: again.py WORLD [SEED ...]
"""
import re
import subprocess
import sys

TRACE = re.compile(r"trace ([0-9a-f]{16})")
SEEDS = ("1", "7", "45", "111", "222", "333", "444")


def trace(world, seed):
    said = subprocess.run([world, "--seed", seed], capture_output=True, text=True)
    found = TRACE.search(said.stdout)
    return found[1] if found else f"no trace: {said.stdout}{said.stderr}"


def main():
    world, seeds = sys.argv[1], sys.argv[2:] or SEEDS
    first = [trace(world, seed) for seed in seeds]
    second = [trace(world, seed) for seed in seeds]
    for seed, one, other in zip(seeds, first, second):
        print(f"seed {seed}: {one}" + ("" if one == other else f", and then {other}"))
    is_good = first == second and not any(one.startswith("no trace") for one in first)
    return 0 if is_good and len(set(first)) == len(first) else 1


if __name__ == "__main__":
    sys.exit(main())
