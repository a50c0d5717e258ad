#!/usr/bin/env python3
"""deb - the Debian package, for real: built, installed on this machine, upgraded, removed without a trace.

Where systemd runs, it starts the service; elsewhere the daemon runs as its unit has it: the unit's
commands, user, folders and manager's socket. It wants root, and a machine that has no sluice yet:
otherwise it says so and is skipped (exit 77).
"""
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "it"))
from harness import Process, check, free_port, must, run, sluice, wait_for  # pylint: disable=wrong-import-position

CONFIGURATION = Path("/etc/sluice/sluice.yaml")
UNIT = Path("/usr/lib/systemd/system/sluice.service")
STATE = Path("/var/lib/sluice")
PLACES = ("/etc", "/usr", "/var", "/run", "/lib/systemd")
HAS_SYSTEMD = Path("/run/systemd/system").is_dir()


def output(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True,
                          **options).stdout


def exit_code(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, check=False).returncode


def traces():
    """Everything on this machine with the name, but for what dpkg has written into its logs."""
    found = output("find", *[place for place in PLACES if Path(place).is_dir()], "-xdev",
                   "-name", "*sluice*", "-not", "-path", "/usr/src/*").split("\n")
    users = [f"{file}: {line}" for file in ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")
             if Path(file).exists() for line in Path(file).read_text(encoding="utf-8").splitlines()
             if "sluice" in line]
    return {*filter(None, found), *users}


def why_not():
    if os.geteuid() != 0:
        return "not root"
    if not shutil.which("dpkg") or not shutil.which("dpkg-shlibdeps"):
        return "no dpkg, or no dpkg-dev"
    if exit_code("dpkg", "-s", "sluice") == 0 or CONFIGURATION.exists():
        return "a package 'sluice' is or was installed here"
    try:
        pwd.getpwnam("sluice")
        return "there is a user 'sluice'"
    except KeyError:
        return None


# ---- packages ----

def build(lab):
    folder = sluice().resolve().parents[2]
    output("cpack", "--config", folder / "CPackConfig.cmake", "-G", "DEB", "-B", lab.path("packages"))
    return next(lab.path("packages").glob("*.deb"))


def newer(lab, package):
    """The same package with a higher version, in which the configuration is another one too."""
    tree = lab.path("newer")
    output("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", "Version: 99.0", control.read_text(encoding="utf-8")),
                       encoding="utf-8")
    with open(tree / CONFIGURATION.relative_to("/"), "a", encoding="utf-8") as file:
        file.write("# of the newer package\n")
    output("dpkg-deb", "-b", tree, lab.path("newer.deb"))
    return lab.path("newer.deb")


def check_rpm(lab):
    """The same as .rpm, where rpmbuild is: nothing here could install it, but rpm reads it."""
    if not shutil.which("rpmbuild"):
        return
    folder = sluice().resolve().parents[2]
    output("cpack", "--config", folder / "CPackConfig.cmake", "-G", "RPM", "-B", lab.path("rpm"))
    package = next(lab.path("rpm").glob("*.rpm"))
    database = lab.path("rpm-database")
    database.mkdir()

    def asked(*words):
        return output("rpm", "--dbpath", database, "-qp", *words, package)
    check(asked("-c").split() == [str(CONFIGURATION)], "the .rpm has the configuration as one")
    check("useradd -r -g sluice" in asked("--scripts"), "and makes the user")
    files = asked("-l")
    check(all(file in files for file in ("/usr/bin/sluice", str(UNIT), "man8/sluice.8")), "and has all files")
    check("libnghttp2" in asked("--requires"), "and needs its libraries")


def dpkg(*words):
    done = subprocess.run(["dpkg", *[str(word) for word in words]], capture_output=True, text=True,
                          check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    must(done.returncode == 0, f"dpkg {words[0]} {done.stderr[-500:] if done.returncode else ''}")


def purge():
    if exit_code("dpkg", "-s", "sluice") == 0:
        exit_code("dpkg", "--purge", "sluice")


# ---- the service ----

def unit(key):
    return re.findall(rf"(?m)^{key}=(.*)$", UNIT.read_text(encoding="utf-8"))


class Service:
    """The daemon, by systemd or as its unit has it."""

    def __init__(self, lab, name):
        self.process = None
        self.manager = None
        self.heard = ""
        if HAS_SYSTEMD:
            output("systemctl", "restart", "sluice.service")
            lab.on_end(self.stop)
            return
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = f"sluice-deb-{os.getpid()}-{name}"
        self.manager.bind("\0" + address)
        lab.on_end(self.manager.close)
        for folder in (STATE, Path("/run/sluice")):
            folder.mkdir(mode=0o750, exist_ok=True)
            shutil.chown(folder, *unit("User"), *unit("Group"))
        as_user = ["setpriv", f"--reuid={unit('User')[0]}", f"--regid={unit('Group')[0]}", "--clear-groups",
                   "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        for command in unit("ExecStartPre"):
            must(exit_code(*as_user, *shlex.split(command)) == 0, f"as the user: {command}")
        seconds = int(re.fullmatch(r"(\d+)s", unit("WatchdogSec")[0]).group(1))
        words = [f"cd {shlex.quote(unit('WorkingDirectory')[0])} && umask {unit('UMask')[0]} && "
                 f"exec {unit('ExecStart')[0]}"]
        self.process = Process(lab, name, [*as_user, "sh", "-c", *words],
                               {"NOTIFY_SOCKET": "@" + address, "WATCHDOG_USEC": str(seconds * 1000000)})

    def hears(self, word):
        """The manager hears it: what systemd waits for by itself."""
        if HAS_SYSTEMD:
            return
        self.manager.settimeout(20)
        while word not in self.heard:
            self.heard += self.manager.recv(4096).decode() + "\n"
        check(True, f"the service manager is told {word}")

    def stop(self):
        if HAS_SYSTEMD:
            return exit_code("systemctl", "stop", "sluice.service")
        return self.process.terminate()


def is_alive(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def processes():
    return subprocess.run(["ps", "-u", "sluice", "-o", "pid="], capture_output=True, text=True,
                          check=False).stdout.split()


# ---- the parts ----

def check_files(lab):
    mode = CONFIGURATION.stat()
    check(mode.st_mode & 0o777 == 0o640 and CONFIGURATION.group() == "sluice" and
          CONFIGURATION.owner() == "root", "the configuration is root's to write and the user's to read")
    user = pwd.getpwnam("sluice")
    check(user.pw_uid < 1000 and user.pw_shell == "/usr/sbin/nologin", "a system user without a login")
    check(output("/usr/bin/sluice", "version").startswith("sluice "), "the program runs")
    check("ok" in output("/usr/bin/sluice", "check", "-c", CONFIGURATION), "its configuration is good")
    files = output("dpkg", "-L", "sluice")
    for wanted in ("man1/sluice.1", "man5/sluice.yaml.5", "man8/sluice.8", "doc/sluice/copyright",
                   "completions/sluice", "site-functions/_sluice", "vendor_completions.d/sluice.fish",
                   "system/sluice.service", "system/sluice@.service"):
        check(wanted in files, f"it has {wanted}")
    plugins = lab.path("plugins")
    plugins.mkdir(mode=0o755)
    output("gcc", "-std=c11", "-D_GNU_SOURCE", "-fPIC", "-shared", "-I/usr/include", "-o",
           plugins / "example.so", "/usr/share/doc/sluice/example/example.c", "-lpthread")
    check("type: outbox" in output("/usr/bin/sluice", "check", "--reference", "--plugins", plugins),
          "the example of a plugin builds with the installed headers, and loads")


def edit(port):
    text = CONFIGURATION.read_text(encoding="utf-8")
    changed = text.replace("127.0.0.1:9804", f"127.0.0.1:{port}")
    must(changed != text, "the configuration has the address to be edited")
    CONFIGURATION.write_text(changed, encoding="utf-8")
    return changed


def main(lab):
    before = traces()
    package = build(lab)
    note_size = package.stat().st_size
    must(note_size > 100000, f"a package of {note_size} bytes")
    lab.on_end(purge)
    check_rpm(lab)
    dpkg("--install", package)
    check_files(lab)

    service = Service(lab, "first")
    wait_for(lambda: is_alive(9804), 20, "/healthz of the service as installed")
    check(True, "as installed it runs and answers /healthz")
    service.hears("READY=1")
    service.hears("WATCHDOG=1\nSTATUS=0 of 1 targets up")
    check(len(processes()) == 1, "one process of the user's")
    check(service.stop() == 0, "it ends with 0")
    service.hears("STOPPING=1")

    port = free_port()
    edited = edit(port)
    dpkg("--force-confdef", "--install", newer(lab, package))
    check("99.0" in output("dpkg-query", "-W", "sluice"), "the newer package is installed")
    check(CONFIGURATION.read_text(encoding="utf-8") == edited, "the edited configuration is kept")
    check(CONFIGURATION.stat().st_mode & 0o777 == 0o640, "and nobody else may read it")
    service = Service(lab, "second")
    wait_for(lambda: is_alive(port), 20, "/healthz where the edited configuration has it")
    check(True, "it runs on the edited configuration")
    (STATE / "kept").write_text("what is kept over restarts", encoding="utf-8")
    if service.process:
        service.process.signal(signal.SIGTERM)
        service.process.process.wait(30)

    dpkg("--remove", "sluice")
    check(CONFIGURATION.read_text(encoding="utf-8") == edited and STATE.is_dir(),
          "removed, it leaves configuration and state")
    dpkg("--purge", "sluice")
    check(not processes(), "no process is left")
    check(traces() == before, f"purged, it leaves no trace: {sorted(traces() - before)}")


if __name__ == "__main__":
    REASON = why_not()
    if REASON:
        print(f"skipped: {REASON}")
        sys.exit(77)
    run(main)
