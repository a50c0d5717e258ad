#!/usr/bin/env python3
"""errors.py - holds deploy/errors.md against the reasons that the code has.

Each reason that the Kafka plugin can be in trouble with has a row, whose last cell is what the log says
to try, and a test that names it: tests/it/errors.py for those under "Kafka", tests of plugins with a
broker in memory for those under "Kafka, less often". No row is of a reason that there is not.

So has each reason for which a connection or a call may end, but for those of our own decisions; where
the log has a hint for it (lib/base/hint.c), that is what its row says to try. Exits 1 and names each
that is wrong.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LITERAL = r'"((?:[^"\\]|\\.)*)"'
TESTS = {"Kafka": "tests/it/errors.py", "Kafka, less often": "tests/unit/plugins/kafka_*_test.c"}


WAYS = ("The way to a device", "The way to a device, less often")
# Reasons are among the literals in kebab-case of these; header fields have such names, too.
LAYERS = ("net", "h2", "grpc")
CODES = {"unauthenticated", "permission-denied", "invalid-argument", "not-found", "unimplemented", "resource-exhausted"}
OTHERS = {"content-length", "content-type", "grpc-encoding", "grpc-status-details-bin", "keep-alive",
          "proxy-connection", "transfer-encoding", "unix-abstract"}
OURS = {"cancelled-here", "configuration", "out-of-memory", "paths-changed", "sink-restart", "stalled",
        "too-many-connections", "too-many-connections-of-peer"}


def rows(text, title):
    """{reason: what to try} of a section; a row may be of several."""
    section = f"\n{text}".split(f"\n## {title}\n")[1].split("\n## ")[0]
    return {reason: cells[1]
            for cells in re.findall(r"^\| ((?:`[a-z0-9-]+`(?:, )?)+) \| .* \| (.*) \|$", section, re.M)
            for reason in re.findall(r"`([a-z0-9-]+)`", cells[0])}


def way_reasons():
    found = set()
    for layer in LAYERS:
        for file in (ROOT / "lib" / layer).glob("*.c"):
            text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S)
            text = re.sub(r'SL_STR\("[^"]*"\)|sl_str_eq\w*\([^"]*"[^"]*"|sl_log_\w+\("[^"]*"(?:, "[^"]*")?', "", text)
            found |= set(re.findall(r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)+|unreachable|goaway)"', text))
    for file in [*ROOT.glob("lib/stream/*.c"), *ROOT.glob("lib/target/*.c")]:
        found |= set(re.findall(r'(?:sl_status_because\(\s*|\.reason = )"([a-z-]+)"', file.read_text()))
    return found - OTHERS - OURS


def way_hints():
    """{reason: what a reader of the configuration is told to try}; None: that depends."""
    text = (ROOT / "lib/base/hint.c").read_text()
    text = text.replace("ITS_PORT,", re.search(r'#define ITS_PORT ("[^"]*")', text)[1] + ",")
    table = text.split("} reasons[] = {")[1].split("\n};")[0]
    string = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    return {reason: "".join(re.findall(LITERAL, file if file != "NULL" else flags))
            for reason, flags, file in re.findall(rf'\{{"([a-z0-9-]+)",\s*{string},\s*(NULL|{string[1:-1]})\}}', table)}


def check_ways(text):
    told = {reason: hint for title in WAYS for reason, hint in rows(text, title).items()}
    reasons, hints = way_reasons(), way_hints()
    tested = "".join(file.read_text() for pattern in ("tests/it/*.py", "tests/unit/*/*.c") for file in ROOT.glob(pattern))
    errors = [f"deploy/errors.md: no row for {reason}" for reason in sorted(reasons - set(told))]
    errors += [f"{reason}: no connection or call ends for that" for reason in sorted(set(told) - reasons - CODES)]
    errors += [f"deploy/errors.md: {reason}: the log says '{hints[reason]}'"
               for reason in sorted(set(told) & set(hints)) if told[reason] != hints[reason]]
    errors += [f"deploy/errors.md: {reason}: no test names it" for reason in sorted(told)
               if not re.search(rf"(?<![\w-]){reason}(?![\w-])", tested)]
    return errors + ([] if len(hints) > 20 and len(reasons) > 60 else ["lib/: too few reasons or hints are found"])


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
    errors = check_ways(text)
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
