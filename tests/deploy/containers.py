"""containers - the compose file and the manifests, and what sluice says of the configurations in them.

usage: containers.py compose|kubernetes     with the environment of requirements.txt, $SLUICE set
"""
import os
import subprocess
import sys
import tempfile
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


def kubernetes():
    """What the schema does not say: no root, nothing to write to, probes, limits, secrets as files."""
    path = DEPLOY / "kubernetes/sluice.yaml"
    manifests = {one["kind"]: one for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))}
    pod = manifests["StatefulSet"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    expect(pod["securityContext"]["runAsNonRoot"] and pod["automountServiceAccountToken"] is False, "the pod may be root")
    security = container["securityContext"]
    expect(security["readOnlyRootFilesystem"] and security["allowPrivilegeEscalation"] is False and
           security["capabilities"]["drop"] == ["ALL"], "the container may do too much")
    expect(container["livenessProbe"]["httpGet"]["path"] == "/healthz" and
           container["readinessProbe"]["httpGet"]["path"] == "/readyz", "no probes")
    expect(container["resources"]["limits"]["memory"], "no limit")
    expect(not any("secretKeyRef" in str(variable) for variable in container["env"]), "a secret in the environment")
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    expect(mounts == {volume["name"] for volume in pod["volumes"]}, "volumes and mounts differ")
    labels = manifests["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    for selector in (manifests["StatefulSet"]["spec"]["selector"]["matchLabels"], manifests["Service"]["spec"]["selector"],
                     manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]):
        expect(selector.items() <= labels.items(), "a selector meets no pod")
    check_manifest(manifests)


def check_manifest(manifests):
    """The configuration of the ConfigMap, with secrets of this moment where the Secret's files are mounted."""
    with tempfile.TemporaryDirectory() as place:
        secrets = Path(place)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=sluice", "-keyout", secrets / "tls.key", "-out", secrets / "tls.crt"],
                       check=True, capture_output=True)
        (secrets / "ca.pem").write_bytes((secrets / "tls.crt").read_bytes())
        for name in ("password", "token"):
            (secrets / name).write_text("0123456789abcdef0123456789abcdef\n", encoding="ascii")
        text = manifests["ConfigMap"]["data"]["sluice.yaml"]
        expect("/run/secrets/sluice/" in text, "no secrets as files")
        (secrets / "sluice.yaml").write_text(text.replace("/run/secrets/sluice", place), encoding="utf-8")
        for index in range(manifests["StatefulSet"]["spec"]["replicas"]):
            check_configuration(secrets / "sluice.yaml", POD_NAME=f"sluice-{index}", POD_INDEX=str(index))


if __name__ == "__main__":
    {"compose": compose, "kubernetes": kubernetes}[sys.argv[1]]()
