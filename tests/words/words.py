#!/usr/bin/env python3
"""words - completion and manual: that shells really complete, and that both say what --help says.

usage: words.py SLUICE SHARE

SHARE is where the build has put them. bash runs the completion itself; fish too, where it is
installed; zsh reads it; mandoc, where it is installed, must find nothing wrong.
"""
import pathlib
import re
import shutil
import subprocess
import sys

SLUICE, SHARE = sys.argv[1], pathlib.Path(sys.argv[2])
BASH = SHARE / "bash-completion/completions/sluice"
wrong = []


def check(holds, what):
    print("ok     " if holds else "FAILED ", what)
    if not holds:
        wrong.append(what)


def output(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False,
                          timeout=60, stdin=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"


def completed(*words):
    """What bash offers behind these words, the last of which is under way."""
    typed = " ".join(f"'{word}'" for word in words)
    script = (f"source {BASH}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _sluice; "
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return output("bash", "--norc", "-c", script).split()


def commands():
    return [line.split()[0] for line in output(SLUICE, "help").splitlines()[2:]]


def flags(command):
    """The long ones of its --help."""
    text = output(SLUICE, command, "--help").split("Examples:")[0]
    return set(re.findall(r"^\s+(?:-\w, )?--([a-z0-9-]+)", text, re.M))


def with_flags():
    return [command for command in commands() if command not in ("help", "version")]


def by_bash():
    check(set(completed("sluice", "")) == set(commands()), "bash: all commands")
    check(completed("sluice", "subs") == ["subscribe"], "bash: a command's beginning")
    for command in with_flags():
        offered = {word[2:] for word in completed("sluice", command, "--")}
        check(flags(command) <= offered, f"bash: flags of {command}: {flags(command) - offered}")
    check(completed("sluice", "get", "--form") == ["--format"], "bash: a flag's beginning")
    check(completed("sluice", "get", "--type", "") == ["all", "config", "state", "operational"],
          "bash: a flag's words")
    check(completed("sluice", "get", "-t", "st") == ["state"], "bash: those of its letter")
    check(completed("sluice", "subscribe", "--mode", "=", "o") == ["once"], "bash: behind '='")
    check(completed("sluice", "-a", "leaf1", "get", "--val") == ["--values-only"],
          "bash: flags before the command")
    check(completed("sluice", "run", "-c", str(SHARE / "ma")) == [str(SHARE / "man")], "bash: files")
    check(completed("sluice", "completion", "z") == ["zsh"], "bash: words of completion")
    check(completed("sluice", "get", "--path", "") == [], "bash: nothing for a path")


def by_others():
    if shutil.which("fish"):
        script = SHARE / "fish/vendor_completions.d/sluice.fish"
        offered = output("fish", "--no-config", "-c",
                         f"source {script}; complete -C 'sluice get --form'")
        check(offered.startswith("--format"), f"fish: a flag's beginning {offered!r}")
        offered = output("fish", "--no-config", "-c",
                         f"source {script}; complete -C 'sluice subscribe --mode '")
        check({line.split("\t")[0] for line in offered.splitlines()} == {"stream", "once", "poll"},
              f"fish: a flag's words {offered!r}")
    if shutil.which("zsh"):
        check(output("zsh", "-n", SHARE / "zsh/site-functions/_sluice") == "", "zsh reads it")


def page_words(page):
    """What a page says, without macros: `.It Ic key` is "key:"."""
    lines = []
    for line in page.read_text(encoding="utf-8").splitlines():
        key = re.fullmatch(r"\.It Ic (.*)", line)
        if key or not line.startswith("."):
            lines.append(f"{key.group(1)}:" if key else line)
    text = " ".join(lines).replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
    return f" {' '.join(text.split())} "


def by_manual():
    for command in with_flags():
        page = SHARE / f"man/man1/sluice-{command}.1"
        if command == "completion" or flags(command):
            text = page.read_text(encoding="utf-8") if page.exists() else ""
            told = {name.replace("\\-", "-") for name in
                    re.findall(r"^\.It .*?Fl \\-([a-z0-9\\-]+)", text, re.M)}
            check(flags(command) <= told, f"manual: flags of {command}: {flags(command) - told}")
    told = page_words(SHARE / "man/man5/sluice.yaml.5")
    for line in output(SLUICE, "check", "--reference").splitlines():
        words = [word for word in line.split() if word != "#"]
        check(not words or f" {' '.join(words)} " in told, f"manual of the configuration: {line.strip()}")
    for page in sorted((SHARE / "man").glob("man*/*.*")):
        if shutil.which("mandoc"):
            said = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(page)],
                                  capture_output=True, text=True, check=False)
            check(said.returncode == 0, f"mandoc: {page.name} {said.stdout[:300]}")
    names = {page.stem for page in (SHARE / "man/man1").glob("*.1")}
    check("sluice" in names and "sluice-run" in names, "a page for all, and for each")


def current():
    for shell, path in (("bash", BASH), ("zsh", SHARE / "zsh/site-functions/_sluice"),
                        ("fish", SHARE / "fish/vendor_completions.d/sluice.fish")):
        check(path.read_text(encoding="utf-8") == output(SLUICE, "completion", shell),
              f"what the build has put there is what the binary says: {shell}")
    check(output(SLUICE, "completion", "csh").startswith("exit 2"), "no such shell: 2")


by_bash()
by_others()
by_manual()
current()
sys.exit(1 if wrong else 0)
