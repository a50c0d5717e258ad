#!/usr/bin/env python3
"""format.py - holds every C file of ours against .clang-format.

Versions of clang-format differ in what they make of one file, so only the pinned one counts:
`pip install clang-format==18.1.8`. Exits 77 (skipped) where it is not installed, 1 with the names of
the files that it would change. `format.py --fix` changes them.
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PINNED = "18.1.8"
SKIPPED = 77
FOLDERS = ("lib", "cmd", "plugins", "tests")


def pinned():
    """The name of a clang-format of the pinned version, or None."""
    for name in ("clang-format", "clang-format-18"):
        if not shutil.which(name):
            continue
        said = subprocess.run([name, "--version"], capture_output=True, text=True).stdout
        if re.search(r"\b" + re.escape(PINNED) + r"\b", said):
            return name
    return None


def main():
    tool = pinned()
    if not tool:
        print(f"format: skipped, clang-format {PINNED} is not installed")
        return SKIPPED
    files = sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*.[ch]"))
    if not files:
        print("format: no files found")
        return 1
    if "--fix" in sys.argv[1:]:
        return subprocess.run([tool, "-i", *files]).returncode
    run = subprocess.run([tool, "--dry-run", "-Werror", *files], capture_output=True, text=True)
    wrong = re.findall(r"^(.+?):(\d+):\d+: error: .*clang-format", run.stderr, re.M)
    for name in sorted({name for name, _ in wrong}):
        lines = [line for other, line in wrong if other == name]
        print(f"{pathlib.Path(name).relative_to(ROOT)}: not as clang-format {PINNED} has it, "
              f"line {', '.join(lines[:8])}{' ...' if len(lines) > 8 else ''}")
    if run.returncode and not wrong:
        print(run.stderr)
    if not run.returncode:
        print(f"format: {len(files)} files as .clang-format says")
    return 1 if run.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
