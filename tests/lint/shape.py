#!/usr/bin/env python3
"""shape.py - no function too long to be held in the head, no file too long to be read.

A function of lib, cmd or plugins has at most 70 lines from its first to its closing brace, a file
700. There is no list of exceptions. Prints the whole picture: median, 95th percentile, longest.
Counted by lizard (`pip install lizard`); exits 77 (skipped) where it is not installed.
"""
import pathlib
import sys

try:
    import lizard
except ImportError:
    lizard = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("lib", "cmd", "plugins")
FUNCTION_LINES = 70
FILE_LINES = 700
SKIPPED = 77


def percentile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def row(name, values):
    values = sorted(values)
    return (f"shape: {name}: {len(values)}, lines median {percentile(values, 0.5)}, "
            f"p95 {percentile(values, 0.95)}, longest {values[-1]}")


def main():
    if not lizard:
        print("shape: skipped, lizard is not installed")
        return SKIPPED
    lengths, files, errors = [], [], []
    for path in sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*.[ch]")):
        name = path.relative_to(ROOT)
        lines = path.read_text().count("\n")
        files.append(lines)
        if lines > FILE_LINES:
            errors.append(f"{name}: {lines} lines, more than {FILE_LINES}")
        for function in lizard.analyze_file(str(path)).function_list:
            length = function.end_line - function.start_line + 1
            lengths.append(length)
            if length > FUNCTION_LINES:
                errors.append(f"{name}:{function.start_line}: {function.name} has {length} lines, "
                              f"more than {FUNCTION_LINES}")
    if not lengths:
        print("shape: no functions found")
        return 1
    print("\n".join(errors + [row("functions", lengths), row("files", files)]))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
