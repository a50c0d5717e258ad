"""objects - plugins for tests: C files of tests/it/plugins, built as shared objects of sluice's."""
import shutil
import subprocess

from harness import ROOT

SOURCES = ROOT / "tests/it/plugins"


def build(lab, *names):
    """The directory for `collector.plugins` with these of them ("slow", "rude")."""
    place = lab.path("plugins")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o755)
    for name in names:
        subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror",
                        "-fPIC", "-shared", "-fvisibility=hidden", f"-I{ROOT / 'plugins'}",
                        "-o", place / f"{name}.so", SOURCES / f"{name}.c", "-lpthread"], check=True)
        (place / f"{name}.so").chmod(0o755)
    return place
