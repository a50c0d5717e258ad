"""containers - the compose file, and what sluice says of the configuration in it.

usage: containers.py     with the environment of requirements.txt, $SLUICE set
"""
import os
import subprocess
import sys
from pathlib import Path

import compose_spec
import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def expect(holds, what):
    if not holds:
        sys.exit(what)


def check_configuration(path, **environment):
    subprocess.run([os.environ["SLUICE"], "check", "-c", path], check=True, env={**os.environ, **environment})


def compose():
    """Unknown keys and wrong types are errors; what the services mount is there."""
    spec = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    compose_spec.PyCompose.from_yaml(yaml.safe_dump(spec))
    for name, service in spec["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            is_there = (DEPLOY / source).is_file() if source.startswith(".") else source in spec["volumes"]
            expect(is_there, f"{name} mounts {source}, which is not there")
    for name in ("devices", "sluice", "page", "prometheus", "grafana"):
        expect(spec["services"][name]["read_only"] and spec["services"][name]["cap_drop"] == ["ALL"],
               f"{name} is not contained")
    check_configuration(DEPLOY / "compose/sluice.yaml")
    for file in ("prometheus.yaml", "grafana-source.yaml", "grafana-boards.yaml"):
        expect(yaml.safe_load((DEPLOY / "compose" / file).read_text(encoding="utf-8")), f"{file} is empty")


if __name__ == "__main__":
    compose()
