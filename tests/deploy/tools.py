"""tools - what the lints of deploy/ need beside Debian's packages, each of one version, in the cache."""
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = Path(os.environ.get("SL_CACHE") or Path.home() / ".cache" / "sluice")


def pinned():
    """The folder with the programs of requirements.txt."""
    wanted = (HERE / "requirements.txt").read_bytes()
    place = CACHE / f"deploy-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([place / "bin/pip", "install", "-q", "--disable-pip-version-check", "-r",
                        HERE / "requirements.txt"], check=True)
        (place / "complete").touch()
    return place / "bin"


def promtool():
    """Debian's, out of its package: installed, that would start a service."""
    found = shutil.which("promtool")
    place = CACHE / "prometheus-1"
    if not found and not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        download = ["apt-get", "download", "-qq", "prometheus"]
        if subprocess.run(download, cwd=place, check=False, stderr=subprocess.DEVNULL).returncode:
            subprocess.run(["apt-get", "update", "-qq"], check=True)
            subprocess.run(download, cwd=place, check=True, stderr=subprocess.DEVNULL)
        package = next(place.glob("prometheus_*.deb"))
        subprocess.run(["dpkg", "-x", package, place], check=True)
        package.unlink()
        (place / "complete").touch()
    return Path(found) if found else place / "usr/bin/promtool"


if __name__ == "__main__":
    pinned()
    promtool()
