#!/usr/bin/env python3
"""lint - what stands in deploy/ is read by other programs: it is held against what these would say.

usage: lint.py [--only PATTERN]
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import ROOT, pinned, promtool

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
MOST_EXPOSED = 2.0
wrong = []


def check(holds, what, why=""):
    print("ok     " if holds else "FAILED ", what, *([why] if why and not holds else []), flush=True)
    if not holds:
        wrong.append(what)


def says(*words, **options):
    """Exit code and what it said."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, stdin=subprocess.DEVNULL, **options)
    return done.returncode, done.stdout


def good(*words, **options):
    code, text = says(*words, **options)
    check(code == 0, " ".join(Path(str(word)).name for word in words), text[-2000:])


def parts_of(unit):
    """Its lines, as those of the one for instances would have them."""
    text = unit.read_text(encoding="utf-8")
    return (text.replace("instance %i", "").replace("/etc/sluice/sluice.yaml", "/etc/sluice/%i.yaml")
            .replace("Directory=sluice\n", "Directory=sluice/%i\n")
            .replace("WorkingDirectory=/var/lib/sluice\n", "WorkingDirectory=/var/lib/sluice/%i\n")
            .replace("collector, \n", "collector\n"))


def units():
    for unit in sorted(UNITS.glob("*.service")):
        _, text = says("systemd-analyze", "security", "--offline=true", unit)
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", text)
        check(found and float(found.group(1)) <= MOST_EXPOSED,
              f"{unit.name}: exposure {found.group(1) if found else '?'} of {MOST_EXPOSED} at most", text[-300:])
        with tempfile.TemporaryDirectory() as place:
            # The programs that it names are those of a machine where it is installed.
            copy = Path(place) / unit.name.replace("@", "@x")
            copy.write_text(unit.read_text(encoding="utf-8").replace("/usr/bin/sluice", "/bin/true"),
                            encoding="utf-8")
            code, text = says("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy)
            check(code == 0 and unit.stem not in text, f"systemd-analyze verify {unit.name}", text)
    check(parts_of(UNITS / "sluice.service") == parts_of(UNITS / "sluice@.service"),
          "both units are the same but for the instance's name")


def shell():
    scripts = [path for path in (*DEPLOY.glob("*.sh"), *(DEPLOY / "debian").iterdir(),
                                 *(ROOT / "tests").glob("*.sh"), *(ROOT / "tests/kafka").glob("*.sh"))
               if path.read_text(encoding="utf-8").startswith("#!")]
    good("shellcheck", "-S", "warning", *sorted(scripts))
    good("shellcheck", "-S", "warning", "-s", "sh", *sorted((DEPLOY / "rpm").iterdir()))


def yaml():
    files = [path for path in DEPLOY.rglob("*.yaml") if "templates" not in path.parts]
    good(pinned() / "yamllint", "-s", "-c", DEPLOY / "yamllint.yaml", *sorted(files))
    good(os.environ["SLUICE"], "check", "-c", DEPLOY / "sluice.yaml")


def prometheus():
    good(promtool(), "check", "rules", "sluice.rules.yaml", cwd=DEPLOY / "prometheus")
    good(promtool(), "test", "rules", "sluice.test.yaml", cwd=DEPLOY / "prometheus")
    text = (DEPLOY / "prometheus/sluice.rules.yaml").read_text(encoding="utf-8")
    tried = (DEPLOY / "prometheus/sluice.test.yaml").read_text(encoding="utf-8")
    for name in re.findall(r"- alert: (\w+)\n(?=(?:.*\n)*)", text):
        block = text.split(f"- alert: {name}\n")[1].split("- alert:")[0]
        check("runbook: " in block and "summary: " in block, f"{name} says what to do")
        check(f'"{name}"' in tried, f"{name} has a test")


def grafana():
    board = json.loads((DEPLOY / "grafana/sluice.json").read_text(encoding="utf-8"))
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    check(len({panel["id"] for panel in board["panels"]}) == len(board["panels"]), "panels have ids of their own")
    check(all(target["expr"] for panel in panels for target in panel["targets"]), "panels ask for something")
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        check(not cells & taken and place["x"] + place["w"] <= 24, f"panel '{panel['title']}' has its place")
        taken |= cells


def containers():
    good(pinned() / "hadolint", DEPLOY / "Dockerfile")
    good(pinned() / "python3", Path(__file__).parent / "containers.py", "compose")


def kubernetes():
    good(pinned() / "kubernetes-validate", "--strict", *sorted((DEPLOY / "kubernetes").iterdir()))
    good(pinned() / "python3", Path(__file__).parent / "containers.py", "kubernetes")


def image():
    """What the Dockerfile puts together by image.sh runs with nothing else around it, as nobody."""
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place) / "image"
        good("sh", DEPLOY / "image.sh", os.environ["SLUICE"], tree)
        if os.geteuid() == 0:
            tree.chmod(0o755)
            Path(place).chmod(0o755)
            shutil.copy(DEPLOY / "sluice.yaml", tree / "etc/sluice/sluice.yaml")
            (tree / "etc/sluice/sluice.yaml").chmod(0o644)
            good("chroot", "--userspec=65532:65532", tree, "/usr/bin/sluice", "check", "-c",
                 "/etc/sluice/sluice.yaml")


def manual():
    good("mandoc", "-T", "lint", "-W", "warning", *sorted((DEPLOY / "man").iterdir()))


if __name__ == "__main__":
    ONLY = sys.argv[2] if sys.argv[1:2] == ["--only"] else ""
    for part in (units, shell, yaml, prometheus, grafana, containers, kubernetes, image, manual):
        if re.search(ONLY, part.__name__):
            part()
    if shutil.which("systemd-analyze") is None:
        wrong.append("no systemd-analyze")
    print(f"{len(wrong)} wrong")
    sys.exit(1 if wrong else 0)
