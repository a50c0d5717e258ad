#!/usr/bin/env python3
"""ctl - `sluice ctl` and `sluice reload`: what they print, and how they end when nobody answers, when it is
somebody else who answers, or when he says no."""
import json
import re
import socket
import subprocess
import threading

from harness import check, free_port, part, run, sluice

from fake_admin import FakeAdmin

HOSTILE = "leaf\x1b]0;owned\x07\u202e\u0085\r\nx"
LARGEST_MIB = 32
TOKEN = "a-token-that-is-a-secret"


def ctl(place, *words, environment=None, command="ctl"):
    return subprocess.run([sluice(), command, *map(str, words), "--admin", str(place)], capture_output=True,
                          text=True, check=False, timeout=30, stdin=subprocess.DEVNULL,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **(environment or {})})


def ends(done, code, *said):
    """Ends with `code`, and says these on standard error."""
    check(done.returncode == code and all(word in done.stderr for word in said) and
          (code == 0 or done.stderr.startswith("sluice ")),
          f"exit {code}, '{' ... '.join(said)}': {done.returncode} {done.stderr.strip()[:300]}")


# ---- nobody, or somebody else ----

class Answers:
    """A port at which each connection gets these bytes, and is closed; None: nothing, and left open."""

    def __init__(self, lab, answer):
        self.port, self.answer = free_port(), answer
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.connections = []
        lab.on_end(self.listener.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self.connections.append(connection)
            if self.answer is None:
                continue
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(self.answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                except OSError:
                    pass


def whole(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def nobody(lab):
    ends(ctl(f"127.0.0.1:{free_port()}", "status"), 3, "Connection refused", "is sluice running")
    ends(ctl("unix:/nowhere/admin.sock", "status"), 3, "No such file", "is sluice running")
    ends(ctl(f"127.0.0.1:{free_port()}", command="reload"), 3, "Connection refused")
    silent = Answers(lab, None)
    ends(ctl(f"127.0.0.1:{silent.port}", "status", "--timeout", "300ms"), 6, "no answer in time")


def somebody_else(lab):
    for answer, code, *said in (
            (b"SSH-2.0-OpenSSH_9.2\r\n", 3, "does not speak HTTP"),
            (b"", 3, "without an answer"),
            (whole("<html>hello</html>"), 1, "no JSON object"),
            (whole("[" * 100000), 1, "no JSON object"),
            (whole('{"yaml": "\\u0000"}'), 1, "no JSON object"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", 3, "ended before its end"),
            (whole("<html>", "404 Not Found"), 5, "is that a sluice"),
            (whole('{"error": {"message": "no\\u001b[31m", "hint": "do so"}}', "409 Conflict"), 5,
             "no\\x1b[31m (HTTP 409)", "do so"),
            (whole("", "302 Found\r\nLocation: http://127.0.0.1:1/"), 5, "HTTP 302"),
    ):
        ends(ctl(f"127.0.0.1:{Answers(lab, answer).port}", "status"), code, *said)
    plain = FakeAdmin(lab, free_port(), 1)
    ends(ctl(f"https://127.0.0.1:{plain.server.server_port}", "status"), 3, "TLS")


def too_large(lab):
    endless = Answers(lab, b"HTTP/1.1 200 OK\r\n\r\n{" + b" " * (LARGEST_MIB + 8) * 1024 * 1024)
    ends(ctl(f"127.0.0.1:{endless.port}", "status"), 1, f"more than {LARGEST_MIB} MiB")


# ---- who asks ----

def tokens(lab):
    fake = FakeAdmin(lab, free_port(), 1, token=TOKEN)
    place = f"127.0.0.1:{fake.server.server_port}"
    file = lab.path("token")
    file.write_text(TOKEN + "\n", encoding="ascii")
    ends(ctl(place, "status"), 4, "it wants a token", "--token-file")
    wrong = ctl(place, "status", environment={"SLUICE_TOKEN": "wrong-secret"})
    ends(wrong, 4, "does not know this token")
    check("wrong-secret" not in wrong.stderr + wrong.stdout, "a token is in no message")
    ends(ctl(place, "status", environment={"SLUICE_TOKEN": TOKEN}), 0)
    ends(ctl(place, "status", "--token-file", file), 0)
    ends(ctl(place, "status", "--token-file", lab.path("none")), 2, "--token-file", "No such file")
    asked = len(fake.asked)
    ends(ctl(place, "status", environment={"SLUICE_TOKEN": "two\r\nX-Lines: 1"}), 2, "bytes that no token has")
    ends(ctl("192.0.2.1:9804", "status", environment={"SLUICE_TOKEN": TOKEN}), 2, "over TLS alone")
    check(len(fake.asked) == asked, "nobody was asked")


def from_the_file(lab):
    fake = FakeAdmin(lab, free_port(), 1, token=TOKEN)
    token = lab.path("admin-token")
    token.write_text(TOKEN, encoding="ascii")
    file = lab.path("sluice.yaml")
    file.write_text(f"collector: {{admin: {{listen: '127.0.0.1:{fake.server.server_port}', "
                    f"token: {{file: {token}}}}}}}\nnonsense: [1, 2]\n", encoding="ascii")
    done = subprocess.run([sluice(), "ctl", "status", "-c", file], capture_output=True, text=True,
                          check=False, timeout=30, stdin=subprocess.DEVNULL)
    ends(done, 0)
    check(json.loads(done.stdout)["collector"] == "fake", "address and token come out of the file, "
          "which may be wrong elsewhere")
    file.write_text("collector: [", encoding="ascii")
    ends(subprocess.run([sluice(), "ctl", "status", "-c", file], capture_output=True, text=True,
                        check=False, timeout=30, stdin=subprocess.DEVNULL), 2, "no address out of that file")


# ---- what is asked, and what is shown ----

def what_is_asked(lab):
    fake = FakeAdmin(lab, free_port(), 20)
    place = f"127.0.0.1:{fake.server.server_port}"
    fake.answers = {f"/targets/a%2Fb/{verb}": (200, {"ok": True})
                    for verb in ("pause", "resume", "reconnect")}
    fake.answers.update({"/drain": (200, {"ok": True}), "/log-level": (200, {"ok": True})})
    for words, expected in (
            (["pause", "a/b"], ("POST", "/api/v1/targets/a%2Fb/pause", "{}")),
            (["resume", "a/b"], ("POST", "/api/v1/targets/a%2Fb/resume", "{}")),
            (["reconnect", "a/b"], ("POST", "/api/v1/targets/a%2Fb/reconnect", "{}")),
            (["drain"], ("POST", "/api/v1/drain", "{}")),
            (["log-level", "debug"], ("POST", "/api/v1/log-level", '{"level":"debug"}')),
            (["streams", "-q", "a&b=c", "--sort", "lag_s", "--limit", "3"],
             ("GET", "/api/v1/streams?q=a%26b%3Dc&sort=lag_s&order=asc&limit=3&offset=0", "")),
    ):
        done = ctl(place, *words)
        check(done.returncode == 0 and fake.asked[-1] == expected, f"{words}: {fake.asked[-1]} {done.stderr}")
    for words in ([], ["stauts"], ["pause"], ["pause", "a", "b"], ["status", "x"], ["log-level", "loud"],
                  ["streams", "--limit", "0"]):
        ends(ctl(place, *words), 2)
    check("did you mean status" in ctl(place, "stauts").stderr, "the nearest command")
    ends(ctl(place, "target", "nowhere"), 5, "no such thing")


def what_is_shown(lab):
    fake = FakeAdmin(lab, free_port(), 20, names=[HOSTILE])
    place = f"127.0.0.1:{fake.server.server_port}"
    for words in (["status"], ["streams"], ["sinks"], ["events"], ["target", HOSTILE]):
        done = ctl(place, *words, "--format", "table")
        ends(done, 0)
        check(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stdout),
              f"{words[0]}: nothing in a table steers a terminal")
    table = ctl(place, "streams", "--format", "table").stdout.splitlines()
    check(table[0].split()[:3] == ["STREAM", "STATE", "GRANTED"] and len(table) == 21, "a row for each stream")
    check("held by main/topic-a" in table[1], f"who holds it: {table[1]}")
    came = ctl(place, "streams", "--limit", 2)
    check(len(json.loads(came.stdout)["streams"]) == 2, "json is as it came, where there is no terminal")


def reloads(lab):
    fake = FakeAdmin(lab, free_port(), 1)
    place = f"127.0.0.1:{fake.server.server_port}"
    fake.answers["/reload"] = (200, {"ok": True, "result": "ok", "added": 1, "removed": 0, "changed": 2})
    done = ctl(place, "--format", "table", command="reload")
    check(done.returncode == 0 and "ok: 1 added, 0 removed, 2 changed" in done.stdout, f"a reload: {done.stdout}")
    fake.answers["/reload"] = (200, {"ok": False, "result": "refused", "errors": ["f.yaml:1:2: no such key"]})
    done = ctl(place, "--format", "table", command="reload")
    check(done.returncode == 1 and "f.yaml:1:2: no such key" in done.stdout, "a refusal: exit 1, with its errors")
    done = ctl(place, "reload")
    check(done.returncode == 1 and "f.yaml:1:2: no such key" in done.stderr and
          json.loads(done.stdout)["result"] == "refused", "json on one, errors on the other output")
    fake.answers["/reload"] = (202, {"ok": True})
    ends(ctl(place, "--timeout", "400ms", command="reload"), 6, "no outcome in time")


def main(lab):
    for test in (nobody, somebody_else, too_large, tokens, from_the_file, what_is_asked, what_is_shown,
                 reloads):
        part(lab, test.__name__.replace("_", " "), test)


if __name__ == "__main__":
    run(main)
