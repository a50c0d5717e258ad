#!/usr/bin/env python3
"""examples.py - holds the examples in headers against the tests that run them.

Where a header says "(tests/unit/grpc/example_test.c):" at the end of a comment's line, the code behind
it, to the comment's end, must stand in that file line for line. Exits 1 and names each that does not.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = re.compile(r"^ \* [^\n]*\((tests/[\w/]+\.c)\):\n((?: \*(?:     [^\n]*)?\n)+) \*/", re.M)
INDENT = " *     "


def code(block):
    lines = [line[len(INDENT):] for line in block.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def main():
    errors = []
    found = 0
    for header in sorted((ROOT / "lib").glob("*/*.h")):
        for example in EXAMPLE.finditer(header.read_text()):
            found += 1
            test = ROOT / example.group(1)
            if code(example.group(2)) not in test.read_text():
                errors.append(f"{header.relative_to(ROOT)}: not as in {example.group(1)}")
    if not found:
        errors.append("no header has an example")
    print("\n".join(errors) or f"{found} examples")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
