#!/usr/bin/env python3
"""reasons.py - a line of the log that tells of a decision has the field `reason`.

That is each line of level info and above, but for those that tell what is, and decide nothing (NEWS).
A reason is one word of few: a literal in kebab-case, or what a function or table gives that has only
such. Whom a line is about is the subject's, or fields of the line. Exits 1 and names each line that has
none, and what stands in NEWS without being said.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALL = re.compile(r"\bsl_log(?:_plain|_fields)?\(")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
MESSAGE = re.compile(r'"((?:[^"\\]|\\.)*)"')
REASON = re.compile(r'sl_log_text\("reason", (.*?)\)[,;)\s}]', re.S)
WORDS = re.compile(r'"[a-z]+(-[a-z]+)*"|[\w?: ]*"[a-z-]+" : "[a-z-]+"|\w*(reason|result)\w*(_name)?\(.*|(view\.)?reason|reload->why|'
                   r"losses\[result\]", re.S)
NEWS = {"configuration synced", "connected", "discovery: the source is well again", "ledger",
        "metrics", "started", "subscribed", "synced", "vendor profile"}


def end_of(text, at):
    """Behind the bracket that closes the one before `at`."""
    depth = 1
    while depth:
        string = STRING.match(text, at)
        if string:
            at = string.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def calls(text):
    """(line number, the call, with the function up to it where its fields stand before it)."""
    for found in CALL.finditer(text):
        call = text[found.start():end_of(text, found.end())]
        if "SL_LOG_DEBUG," in call[:30] or not call.count("SL_LOG_") and "level" not in call[:60]:
            continue
        begin = text.rfind("\n{\n", 0, found.start())
        whole = text[begin:found.start()] + call if found.group().startswith("sl_log_fields") else call
        yield text.count("\n", 0, found.start()) + 1, call, whole


def main():
    errors, said, count = [], set(), 0
    for file in sorted(ROOT.glob("lib/*/*.c")):
        if file.parent.name == "base":
            continue
        for line, call, whole in calls(file.read_text()):
            count += 1
            message = MESSAGE.search(call)
            title = message.group(1) if message else "a variable"
            reason = REASON.search(whole)
            if title in NEWS:
                said.add(title)
            elif not reason:
                errors.append(f"{file.relative_to(ROOT)}:{line}: '{title}' has no reason")
            elif not WORDS.fullmatch(" ".join(reason.group(1).split())):
                errors.append(f"{file.relative_to(ROOT)}:{line}: '{title}': {reason.group(1)} is not one word of few")
    errors += [f"NEWS: nobody says '{title}'" for title in sorted(NEWS - said)]
    print("\n".join(errors) or f"{count} lines")
    sys.exit(1 if errors or count < 40 else 0)


if __name__ == "__main__":
    main()
