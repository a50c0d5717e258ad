"""sample_services - the sample services' servers and clients, ours and those on grpcio, alike to use.

A client of either kind takes the same words, prints the same lines and ends with the same code; ours
is a program, grpcio's (tests/grpc/services/python) runs on a thread of this process.
"""
import importlib
import re
import sys
import threading

from harness import ROOT, Failed, sluice, wait_for

from grpc_tools import protoc

PLACE = ROOT / "tests/grpc/services"
PROTOS = ("hello", "helloworld", "user_manager", "chat_room", "route_guide", "yes")


def program(name):
    """Of the build that the binary under test is from."""
    found = sluice().parents[2] / "tests/grpc/services" / name
    if not found.exists():
        raise Failed(f"no {found}: build it")
    return found


class Samples:
    """`client` is grpcio's, as a module."""

    def __init__(self, lab):
        self.lab = lab
        self.generated = lab.path("generated")
        self.generated.mkdir()
        files = [f"{name}.proto" for name in PROTOS]
        if protoc.main(["protoc", f"-I{PLACE}", f"--python_out={self.generated}",
                        f"--grpc_python_out={self.generated}", *files]) != 0:
            raise Failed("protoc makes no Python of the .proto files")
        sys.path[:0] = [str(self.generated), str(PLACE / "python")]
        self.client = importlib.import_module("client")

    def server(self, kind, name, *words, listen="127.0.0.1:0"):
        """A process that listens; its `address`."""
        start = {"ours": [program("services-server")],
                 "grpcio": [sys.executable, PLACE / "python/server.py"]}[kind]
        process = self.lab.start(name, [*start, "--listen", listen, *words],
                                 {"PYTHONPATH": str(self.generated)})
        process.address = process.wait_line(r"^listening (\S+)$", 30)[0].group(1)
        return process

    def start(self, kind, options, *words):
        """`words`: the method and what it wants."""
        return {"ours": Program, "grpcio": Thread}[kind](self, list(map(str, options)),
                                                         list(map(str, words)))

    def run(self, kind, options, *words):
        """The code and the lines, when it has ended."""
        return self.start(kind, options, *words).wait()


class Program:
    """services-client."""
    count = 0

    def __init__(self, samples, options, words):
        Program.count += 1
        self.process = samples.lab.start(f"client-{Program.count}",
                                         [program("services-client"), *options, *words])

    @property
    def lines(self):
        return self.process.lines

    def wait_line(self, pattern, timeout_s=30, count=1):
        return self.process.wait_line(pattern, timeout_s, count)

    def wait(self, timeout_s=60):
        code = self.process.process.wait(timeout_s)
        self.process.reader.join()
        return code, self.lines


class Thread:
    """grpcio's."""

    def __init__(self, samples, options, words):
        self.lines = []
        self.code = None
        self.argv = [*options, "--", *words]
        self.thread = threading.Thread(target=self._run, args=[samples.client.main], daemon=True)
        self.thread.start()

    def _run(self, main):
        self.code = main(self.argv, self.lines.append)

    def wait_line(self, pattern, timeout_s=30, count=1):
        def seen():
            found = [match for match in map(re.compile(pattern).search, list(self.lines)) if match]
            return found if len(found) >= count else None
        return wait_for(seen, timeout_s, f"{count} x '{pattern}'")

    def wait(self, timeout_s=60):
        self.thread.join(timeout_s)
        if self.code is None:
            raise Failed(f"{self.argv} did not end; it said {self.lines[-3:]}")
        return self.code, self.lines
