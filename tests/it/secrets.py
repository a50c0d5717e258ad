#!/usr/bin/env python3
"""secrets - no secret appears in anything that a run prints, serves or writes.

Every secret of a configuration is marked: passwords of targets from a file, from the environment and
as text, and a password of Kafka from a file; the admin listener's token, a proxy's password, and the private
key of a client certificate. They are used in good runs and in bad ones (refused by the
device, by the broker, by the reader of the file), at log level debug and in every format, and all of it
is searched: the log, the journal's entries, /metrics and every other page, `ctl`, `top`, `plan`, `check`, `check --print` and the
records. As they are, and as base64 has them. A device that echoes what it was sent in its error message is among the bad ones.
"""
import base64
import json
import re
import socket
import subprocess
import threading
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import check, free_port, must, part, run, sluice, wait_for

import grpc

from certificates import Certificates
from collector import Collector, subscription
from devices import Devices
from journal import Journal

MARK = "Xk7marked"
SECRETS = {name: f"{MARK}-{name}-9f" for name in ("file", "env", "text", "kafka", "wrong", "number", "token", "proxy")}
LOGIN = base64.b64encode(f"me:{SECRETS['proxy']}".encode()).decode()  # as the proxy gets it
KEYS = []  # private keys, as they stand in their files
ENVIRONMENT = {"SL_IT_PASSWORD": SECRETS["env"], "SL_IT_NUMBER": SECRETS["number"]}


def secret_file(lab, name):
    place = lab.path(f"{name}.secret")
    place.write_text(SECRETS[name] + "\n", encoding="utf-8")
    return {"file": str(place)}


def search(what, text):
    """What all secrets have in common, the proxy's login as it is sent, each line of a private key."""
    lines = [line for key in KEYS for line in key.splitlines() if not line.startswith("-----")]
    where = max(text.find(word) for word in (MARK, LOGIN, *lines))
    check(where < 0, f"no secret in {what} ({len(text)} characters)" if where < 0 else
          f"no secret in {what}: …{text[max(0, where - 80):where + 20]}…")


def sim_with_password(lab, name, password):
    return Devices(lab, "sim", 1, name=name, login=("telemetry", password))


class Echo(grpc.GenericRpcHandler):
    """A device that says the caller's metadata back in its error."""

    def service(self, details):
        said = " ".join(f"{key}={value}" for key, value in details.invocation_metadata)

        def refuse(_requests, context):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, f"bad credentials: {said}")
            yield b""

        return grpc.stream_stream_rpc_method_handler(refuse)


def echo_device(lab):
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Echo(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    lab.on_end(lambda: server.stop(None))
    return f"127.0.0.1:{port}"


def echo_proxy(lab):
    """Refuses whoever comes, in his own words."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                said = connection.recv(65536).decode().replace("\r\n", " ")
                connection.sendall(f"HTTP/1.1 403 no to {said} of me:{SECRETS['proxy']}\r\n\r\n".encode())

    threading.Thread(target=serve, daemon=True).start()
    lab.on_end(listener.close)
    return f"127.0.0.1:{listener.getsockname()[1]}"


def behind_tls(lab):
    certificates = Certificates(lab)
    KEYS[:] = [Path(certificates.client[1]).read_text(encoding="ascii")]
    device = Devices(lab, "sim", 1, name="tls", words=certificates.device_words())
    return device.addresses()["dev1"], certificates.target()


def targets(lab):
    good = {name: sim_with_password(lab, name, SECRETS[name]) for name in ("file", "env", "text")}
    addresses = {name: device.addresses()["dev1"] for name, device in good.items()}
    addresses["wrong"] = sim_with_password(lab, "wrong", "another").addresses()["dev1"]
    addresses["echo"] = echo_device(lab)
    passwords = {"file": secret_file(lab, "file"), "env": "${env.SL_IT_PASSWORD}",
                 "text": SECRETS["text"], "wrong": SECRETS["wrong"], "echo": SECRETS["text"]}
    said = {name: {"username": "telemetry", "password": password,
                   "backoff": {"min": "20ms", "max": "100ms"}}
            for name, password in passwords.items()}
    addresses["proxied"] = "leaf.example:57400"
    said["proxied"] = {"proxy": f"http://me:{SECRETS['proxy']}@{echo_proxy(lab)}",
                       "backoff": {"min": "20ms", "max": "100ms"}}
    addresses["tls"], said["tls"] = behind_tls(lab)
    return addresses, said


def kafka_with_password(lab):
    """Nobody listens there: the client tries, and says so."""
    return {"type": "kafka", "brokers": [f"127.0.0.1:{free_port()}"], "topic": "t",
            "properties": {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN",
                           "sasl.username": "me", "sasl.password": secret_file(lab, "kafka")}}


def running(lab, log_format):
    addresses, said = targets(lab)
    journal = Journal(lab) if log_format == "auto" else None
    copy = lab.path("copy.jsonl")
    sinks = {"copy": {"type": "file", "path": str(copy)}, "kafka": kafka_with_password(lab)}
    subscriptions = {"all": subscription(sinks=["copy"]),
                     "held": subscription("/interfaces", sinks=["kafka"])}
    collector = Collector(lab, addresses, subscriptions, sinks, targets=said, environment=ENVIRONMENT,
                          words=["--log-level", "debug", "--log-format", log_format],
                          wrapper=journal.wrapper if journal else (),
                          admin={"token": secret_file(lab, "token")})
    collector.headers = {"Authorization": f"Bearer {SECRETS['token']}"}
    for name in ("file", "env", "text", "tls"):
        wait_for(lambda name=name: collector.total("updates_published", target=name, sink="copy") > 5,
                 20, f"records of {name}: its password is right")
    for name in ("wrong", "echo"):
        wait_for(lambda name=name: collector.total("stream_ends", target=name) > 3, 20,
                 f"{name} is refused and tried again")
    wait_for(lambda: collector.total("connection_ends", target="proxied") > 3, 20, "the proxy refuses")
    check(core_limit(collector) == "0", "no core is left behind by a crash")
    for page in ("/metrics", "/healthz", "/readyz", "/api/v1/status", "/api/v1/streams",
                 "/api/v1/targets", "/api/v1/targets/wrong", "/api/v1/targets/proxied", "/api/v1/sinks",
                 "/api/v1/ledger", "/api/v1/config", "/api/v1/events?limit=1000", "/"):
        search(page, anyhow(collector, page))
    if log_format == "json":
        as_others_see_it(lab, collector)
    printed = subprocess.run([sluice(), "check", "-c", collector.file, "--print"], check=True,
                             capture_output=True, text=True, env=ENVIRONMENT).stdout
    check(printed.count("******") == 7, f"check --print: {printed.count('******')} masked secrets")
    search("check --print", printed)
    must(collector.stop() == 0, "sluice ends with 0")
    said = [entry["MESSAGE"] for entry in journal.find()] if journal else collector.process.lines
    check(any("password=***" in line for line in said), "the device that says it back is in the log")
    if log_format == "json":
        check(all(map(is_object, collector.process.lines)), "each line of the log is a JSON object")
    if journal:
        check_journal(journal, collector)
    search("the log", "\n".join(collector.process.lines))
    search("the records", copy.read_text(encoding="utf-8"))
    copy.unlink()


def as_others_see_it(lab, collector):
    """By the commands, with the token in a file; and with a wrong one."""
    place = ["--admin", f"127.0.0.1:{collector.port}"]
    token = lab.path("token.secret")
    wrong = lab.path("wrong-token.secret")
    wrong.write_text(f"{MARK}-another-token\n", encoding="utf-8")

    def said(*words):
        done = subprocess.run([sluice(), *map(str, words)], check=False, capture_output=True, text=True,
                              env={"PATH": "/usr/bin:/bin", **ENVIRONMENT})
        return done.returncode, done.stdout + done.stderr

    def answer(found):
        code, text = found
        return text if code == 0 and len(text) > 20 else None

    for word in ("status", "streams", "targets", "sinks", "ledger", "config", "events"):
        for form in ("table", "json"):
            words = ("ctl", word, *place, "--token-file", token, "--format", form)
            search(f"ctl {word}, {form}", wait_for(lambda words=words: answer(said(*words)), 60,
                                                   f"what ctl {word} prints: workers are very busy here"))
    code, text = said("ctl", "status", *place, "--token-file", wrong)
    must(code != 0, "a wrong token")
    search("ctl's error", text)
    other = lab.path("other.yaml")
    other.write_text(collector.file.read_text(encoding="utf-8").replace(SECRETS["text"], f"{MARK}-changed"),
                     encoding="utf-8")
    _, text = said("plan", "-c", other, "--from", collector.file)
    must("text" in text, f"plan: {text[:200]}")
    search("plan", text)
    from top import Terminal  # not before: what it imports takes this file for Python's secrets
    top = Terminal(lab, *place, "--token-file", token)
    top.shows(r"proxied/all", "top shows its streams")
    with top.lock:
        search("top", top.raw.decode("utf-8", "replace"))
    top.end()


def check_journal(journal, collector):
    check(not collector.process.find("level="), "nothing of the log is on standard error")
    ended = journal.find(SLUICE_MSG="subscription ended", SLUICE_TARGET="echo", SLUICE_SUBSCRIPTION="all",
                         SLUICE_CODE="UNAUTHENTICATED", PRIORITY="4", SYSLOG_IDENTIFIER="sluice")
    check(ended and all(int(entry["SLUICE_STREAM"]) > 0 for entry in ended),
          f"{len(journal.entries)} entries; what befell a stream has its number, a field for a field")
    search("the journal", "\n".join(f"{name}={value!r}" for entry in journal.entries
                                    for name, value in entry))


def anyhow(collector, page):
    """What is on a page, good or bad: not ready it is while Kafka is not there."""
    try:
        return collector.get(page)[1]
    except urllib.error.HTTPError as error:
        return error.read().decode()


def core_limit(collector):
    limits = Path(f"/proc/{collector.process.pid}/limits").read_text(encoding="utf-8")
    return re.search(r"^Max core file size +(\S+)", limits, re.M).group(1)


def is_object(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


BROKEN = {
    "an unknown key": 'password: {MARK}, passwort: "{MARK}"',
    "a list": "password: [{MARK}]",
    "an open quote": 'password: "{MARK}',
    "a map": "password: {file: {MARK: {MARK}}}",
    "a name": 'password: "${{MARK}}"',
    "a tag": "password: !{MARK} x",
    "not a header's text": 'password: "{MARK}\\t"',
    "a number from the environment": "dial-timeout: ${env.SL_IT_NUMBER}, password: {MARK}",
    "the empty password": 'username: "", password: {MARK}, address: ""',
    "a proxy without a port": 'proxy: "http://me:{MARK}@nowhere:x"',
    "a proxy of another kind": 'proxy: "ftp://me:{MARK}@nowhere:1"',
    "a proxy with a blank": 'proxy: "http://me:{MARK} @nowhere:1"',
    "a key that is none": "insecure: false, tls: {cert: FILE, key: FILE}",
}


def broken(lab):
    secret_file(lab, "text")
    for title, words in BROKEN.items():
        file = lab.path("broken.yaml")
        words = words.replace("{MARK}", SECRETS["text"]).replace("FILE", str(lab.path("text.secret")))
        file.write_text(f'targets:\n  a: {{insecure: true, address: "127.0.0.1:1", {words}}}\n'
                        "subscriptions: {all: {paths: /a}}\n"
                        'sinks: {none: {type: "null", bad: 1}}\n'
                        f'collector: {{admin: {{token: "{MARK}"}}}}\n', encoding="utf-8")
        done = subprocess.run([sluice(), "check", "-c", file], check=False, capture_output=True,
                              text=True, env=ENVIRONMENT)
        check(done.returncode == 1 and "broken.yaml:" in done.stderr, f"{title}: refused")
        search(title, done.stdout + done.stderr)


def main(lab):
    part(lab, "logfmt", running, "logfmt")
    part(lab, "json", running, "json")
    part(lab, "journald", running, "auto")
    part(lab, "broken files", broken)


if __name__ == "__main__":
    run(main)
