#!/usr/bin/env python3
"""errors.py - holds deploy/errors.md against the reasons that the code has.

Each reason that the Kafka plugin can be in trouble with has a row, whose last cell is what the log says
to try, and a test that names it: tests/it/errors.py for those under "Kafka", tests of plugins with a
broker in memory for those under "Kafka, less often". No row is of a reason that there is not. Exits 1
and names each that is wrong.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LITERAL = r'"((?:[^"\\]|\\.)*)"'
TESTS = {"Kafka": "tests/it/errors.py", "Kafka, less often": "tests/unit/plugins/kafka_*_test.c"}


def rows(text, title):
    """{reason: what to try} of a section."""
    section = f"\n{text}".split(f"\n## {title}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([a-z0-9-]+)` \| .* \| (.*) \|$", section, re.M))


def kafka_reasons():
    """All that kafka_note is called with: of errors.c's table, or a literal."""
    table = (ROOT / "plugins/kafka/errors.c").read_text()
    found = set(re.findall(r'\{RD_KAFKA_RESP_ERR_\w+, "([a-z-]+)", (?:true|false)\}', table))
    for file in (ROOT / "plugins/kafka").glob("*.c"):
        found |= set(re.findall(r'\bkafka_note\(\s*\w+,[^;]*?"([a-z-]+)",[^;]*?\);', file.read_text()))
    return found


def kafka_hints():
    text = (ROOT / "plugins/kafka/errors.c").read_text().split("kafka_hint(")[1]
    return {reason: "".join(re.findall(LITERAL, words))
            for reason, words in re.findall(r'\{"([a-z-]+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\}', text)}


def main():
    text = (ROOT / "deploy/errors.md").read_text()
    errors = []
    reasons, hints = kafka_reasons(), kafka_hints()
    told = {}
    for title, tests in TESTS.items():
        tested = "".join(file.read_text() for file in ROOT.glob(tests))
        for reason, hint in rows(text, title).items():
            told[reason] = hint
            if f'"{reason}"' not in tested:
                errors.append(f"deploy/errors.md: {reason}: not in {tests}")
    for reason in sorted(reasons | set(told) | set(hints)):
        if reason not in reasons:
            errors.append(f"{reason}: the Kafka plugin has no such reason")
        elif reason not in told:
            errors.append(f"deploy/errors.md: no row for {reason}")
        elif hints.get(reason) != told[reason]:
            errors.append(f"deploy/errors.md: {reason}: kafka_hint says '{hints.get(reason)}'")
    print("\n".join(errors) or f"{len(reasons)} reasons")
    sys.exit(1 if errors or len(reasons) < 20 else 0)


if __name__ == "__main__":
    main()
