#!/usr/bin/env python3
"""admin - the admin API of a running sluice: what it answers, and whom it refuses.

  answers    every GET of deploy/openapi.yaml is asked of a sluice with simulated devices, and its answer held
             against the description, which is itself checked; numbers agree with /metrics; pages, filters
             and order of lists
  commands   each command of `sluice ctl`, as JSON and as a table, and what it does
  actions    pause, resume and reconnect of a device, seen by the device; log level; drain ends sluice with 0
  capture    what a running stream receives, as a file: what is refused, what is in it, when it is full,
             stopped, dropped; the RPC is the same one before and after; by `sluice ctl capture`, with what
             the sink got in that time
  reload     a file that is the same, wrong, or another one, by the API and by `sluice reload`
  strangers  no token, a wrong one, a foreign Host and Origin, a POST without intent, wrong methods, a head
             and a body that are too large, a request that never ends: each is told by a status and an
             error object, and the next request is answered as ever
  unix       a socket of mode 0660; its file goes with sluice; a stale one is replaced, another file is not
  tls        a certificate, a token; a client CA; who has none is refused in the handshake
  secrets    neither token nor password of the configuration is in any answer or in the log
  many       5,000 streams: a page of them, one of 500, and the limit (--long: SL_LONG=1)
"""
import json
import http.client
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.parse

from harness import ROOT, Failed, check, free_port, must, part, run, sluice, wait_for

import jsonschema
import yaml

from certificates import Certificates
from devices import Devices

TOKEN = "token-c0ffee-marked-0123456789"
PASSWORD = "password-c0ffee-marked"
API = "/api/v1"
HEADERS = {"X-Sluice": "1"}


# ---- asking ----

class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(self.path))


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.text = self.body.decode(errors="replace")
        is_json = (response.getheader("Content-Type") or "").startswith("application/json")
        self.json = json.loads(self.text) if is_json else None

    def error(self):
        return self.json["error"]["code"] if self.json and "error" in self.json else None


class Sluice:
    """`admin` is what the configuration says of the listener."""

    def __init__(self, lab, addresses, admin, name="sluice", target=None, expect_up=True, sink=None):
        self.port = free_port()
        self.tls = None
        self.socket = None
        self.process = None
        listen = admin.get("listen", "127.0.0.1").replace("PORT", str(self.port))
        if listen.startswith("unix:"):
            self.socket = listen[5:]
        elif "PORT" not in admin.get("listen", ""):
            listen += f":{self.port}"
        self.file = lab.path(f"{name}.yaml")
        self.file.write_text(json.dumps({
            "collector": {"name": name, "workers": 2, "memory": "64MiB",
                          "admin": {**admin, "listen": listen}},
            "targets": {key: {"address": address, "insecure": True, "labels": {"site": "tyo"},
                              **(target or {})}
                        for key, address in addresses.items()},
            "subscriptions": {"counters": {"paths": ["/interfaces/interface/state/counters"],
                                           "stream-mode": "target-defined"}},
            "sinks": {"none": sink or {"type": "null"}},
        }), encoding="utf-8")
        self.process = lab.start(name, [sluice(), "run", "-c", self.file])
        if expect_up:
            self.process.wait_line(r'msg=metrics', 20)

    def connection(self, context=None):
        if self.socket:
            return UnixConnection(self.socket)
        if context:
            return http.client.HTTPSConnection("localhost", self.port, timeout=10, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, path, method="GET", headers=None, body=None, context=None):
        connection = self.connection(context)
        connection.request(method, path, body=body, headers=headers or {})
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def get(self, path, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        answer = self.ask(API + path + query)
        must(answer.status == 200, f"GET {path}{query}: {answer.status}")
        return answer.json

    def post(self, path, body=None):
        return self.ask(API + path, "POST", HEADERS, json.dumps(body) if body is not None else None)

    def raw(self, text):
        """What comes back for bytes as they are, until the end or 30 seconds of silence."""
        with socket.create_connection(("127.0.0.1", self.port), 30) as peer:
            peer.sendall(text)
            got = b""
            try:
                while chunk := peer.recv(65536):
                    got += chunk
            except ConnectionResetError:
                pass
            return got.decode(errors="replace")

    def stop(self):
        return self.process.terminate()


# ---- the description ----

class Description:
    def __init__(self):
        file = ROOT / "deploy/openapi.yaml"
        self.document = yaml.safe_load(file.read_text(encoding="utf-8"))
        # By itself (-I): what it imports has names of scenarios.
        done = subprocess.run([sys.executable, "-I", "-m", "openapi_spec_validator", file], text=True,
                              capture_output=True, check=False)
        check(done.returncode == 0, f"the description is valid: {(done.stdout + done.stderr).strip()}")
        self.asked = set()

    def schema(self, path, method, status):
        responses = self.document["paths"][path][method]["responses"]
        response = responses.get(str(status), responses["default"])
        while "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].split("/")[-1]]
        return response["content"]

    def hold(self, answer, path, method="get"):
        """The answer against what is said of it; what does not agree, as text."""
        self.asked.add((path, method))
        content = self.schema(path, method, answer.status)
        kind = answer.headers["Content-Type"].split(";")[0]
        if kind not in content:
            return f"{kind} is not described"
        if answer.json is None:
            return ""
        whole = {**content[kind]["schema"], "components": self.document["components"]}
        errors = [f"{error.json_path}: {error.message[:200]}"
                  for error in jsonschema.Draft202012Validator(whole).iter_errors(answer.json)]
        return "; ".join(errors[:3])

    def left(self):
        return {(path, method) for path, methods in self.document["paths"].items()
                for method in methods} - self.asked


def hold(description, answer, path, what, method="get"):
    wrong = description.hold(answer, path, method)
    check(not wrong, f"{what}: {answer.status}, as described{': ' + wrong if wrong else ''}")
    return answer.json


# ---- parts ----

def total(row, name):
    return sum(stream[name] for stream in row["streams"])


def answers(_, description, server):
    for path in ("status", "streams", "targets", "sinks", "sources", "ledger", "config", "events"):
        hold(description, server.ask(f"{API}/{path}"), f"{API}/{path}", path)
    one = hold(description, server.ask(f"{API}/targets/dev2"), f"{API}/targets/{{name}}", "targets/dev2")
    check(one["name"] == "dev2" and one["labels"] == {"site": "tyo"} and one["streams"][0]["routes"],
          "it is the device that was asked for, with its routes")
    hold(description, server.ask(f"{API}/targets/nobody"), f"{API}/targets/{{name}}", "targets/nobody")
    hold(description, server.ask("/healthz"), "/healthz", "/healthz")
    hold(description, server.ask("/readyz"), "/readyz", "/readyz")
    metrics = server.ask("/metrics")
    hold(description, metrics, "/metrics", "/metrics")
    check("sluice_build_info{" in metrics.text and metrics.text.endswith("# EOF\n"), "/metrics is whole")
    lists(description, server)


def lists(description, server):
    status = wait_for(lambda: settled(server), 20, "all devices up and synced")
    check(status["totals"]["targets"] == 4 and status["totals"]["streams"] == 4, "four devices, four streams")
    streams = server.get("/streams")
    check([row["id"] for row in streams["streams"]] == [f"dev{i}/counters" for i in range(1, 5)],
          "streams are in the order of their ids")
    some = server.get("/streams", sort="received", order="desc", offset=1, limit=2)
    counts = [row["received"] for row in some["streams"]]
    check(some["total"] == 4 and len(counts) == 2 and counts == sorted(counts, reverse=True),
          f"a part of them, by what they received: {counts}")
    check([row["target"] for row in server.get("/streams", target="dev3")["streams"]] == ["dev3"], "by target")
    check(server.get("/streams", q="EV2/c")["total"] == 1, "by a part of the id, whatever the case")
    check(server.get("/streams", state="backoff")["total"] == 0, "by state")
    check(server.get("/streams", subscription="counters")["total"] == 4, "by subscription")
    check(server.get("/streams", limit=0) == {"total": 4, "streams": []}, "limit 0 is the total alone")
    check(server.get("/targets", q="dev4")["total"] == 1, "targets by a part of the name")
    check([row["target"] for row in server.get("/streams", filter="DEV3 state:ok is:synced")["streams"]] == ["dev3"],
          "by words that all fit")
    whole = hold(description, server.ask(f"{API}/streams?summary=true&sort=level&order=desc&limit=1"), f"{API}/streams",
                 "with all of them in a few numbers")
    check(whole["summary"]["streams"] == whole["summary"]["ok"] == 4 and not whole["summary"]["holders"]
          and len(whole["streams"]) == 1, f"of all of them, whatever part is asked for: {whole['summary']}")
    wait_for(lambda: server.get("/streams")["streams"][0]["received_per_s"], 20, "a rate of what is received")
    check([event["n"] for event in server.get("/events", limit=1, newest="true")["events"]]
          == [server.get("/events")["next"]], "the newest event")
    for query in ("summary=1", f"filter={'a+' * 20}", "limit=5001", "limit=x", "sort=nothing", "order=up", "offset=-1", "a=1&a=1", "q=%00", "q=%zz"):
        answer = server.ask(f"{API}/streams?{query}")
        check(answer.status == 400 and answer.error() == "bad-parameter", f"?{query}: 400")
    row = streams["streams"][0]
    parts = [row[f"{name}_bytes"] for name in ("granted", "held", "assembling", "pending", "free")]
    check(sum(parts) >= row["limit_bytes"] > 0, f"the credit adds up: {parts} of {row['limit_bytes']}")
    ledger = server.get("/ledger")
    check(ledger["sum"]["balanced"] and not ledger["streams_out_of_balance"], "the ledger balances")


def settled(server):
    status = server.get("/status")
    totals = status["totals"]
    return status if totals["targets_up"] == 4 and totals["received"] > 100 else None


def state_of(server, name):
    return server.get(f"/targets/{name}")


def actions(_, description, server):
    before = state_of(server, "dev1")["connects"]
    hold(description, server.post("/targets/dev1/pause"), f"{API}/targets/{{name}}/pause", "pause", "post")
    wait_for(lambda: state_of(server, "dev1")["state"] == "paused", 20, "dev1 is paused")
    hold(description, server.post("/targets/dev1/reconnect"), f"{API}/targets/{{name}}/reconnect",
         "a paused one does not reconnect", "post")
    count = total(state_of(server, "dev1"), "received")
    others = total(state_of(server, "dev2"), "received")
    wait_for(lambda: total(state_of(server, "dev2"), "received") > others + 100, 20, "dev2 goes on")
    paused = state_of(server, "dev1")
    check(paused["paused"] and paused["connects"] == before and total(paused, "received") == count,
          "a paused device stays away, and nothing comes of it while others go on")
    hold(description, server.post("/targets/dev1/resume"), f"{API}/targets/{{name}}/resume", "resume", "post")
    wait_for(lambda: state_of(server, "dev1")["connects"] == before + 1, 20, "dev1 is connected anew")
    wait_for(lambda: total(state_of(server, "dev1"), "received") > count, 20, "and sends again")
    check(server.post("/targets/dev2/reconnect").json == {"ok": True}, "reconnect")
    wait_for(lambda: state_of(server, "dev2")["connects"] == 2, 20, "dev2 is connected anew")
    check(server.post("/targets/nobody/pause").status == 404, "pause of nobody: 404")
    levels(description, server)
    events = server.get("/events", after=0)["events"]
    check(any(event["msg"] == "pause, by the admin API" and event["fields"] == {"target": "dev1", "reason": "admin"}
              for event in events), "what was done is among the events")
    later = server.get("/events", after=events[-1]["n"])
    check(later["next"] >= events[-1]["n"] and all(event["n"] > events[-1]["n"] for event in later["events"]),
          "events after the last one")
    check(len(server.get("/events", limit=2)["events"]) == 2, "two events")


CAPTURE = f"{API}/targets/{{name}}/capture"


def capture_is(server, name, **expected):
    now = server.get(f"/targets/{name}/capture")
    return now if all(now[key] == value for key, value in expected.items()) else None


def captures(_, description, server):
    wait_for(lambda: (now := state_of(server, "dev3"))["state"] == "up" and now["streams"][0]["synced"], 20, "dev3 sends")
    before, connects = state_of(server, "dev3")["streams"][0], state_of(server, "dev3")["connects"]
    refused_captures(description, server)
    began = hold(description, server.post("/targets/dev3/capture", {"duration": "1h"}), CAPTURE, "a capture", "post")
    check((began["state"], began["subscription"], began["has_begin"]) == ("running", "counters", False),
          "it runs, in the middle of the RPC")
    for path, method in (("", "POST"), ("/file", "GET")):
        answer = server.ask(f"{API}/targets/dev3/capture{path}", method, HEADERS)
        check((answer.status, answer.error()) == (409, "capture-running"), f"{method} while it runs: 409")
    wait_for(lambda: server.get("/targets/dev3/capture")["messages"] >= 20, 20, "twenty messages")
    hold(description, server.ask(f"{API}/targets/dev3/capture"), CAPTURE, "a capture that runs")
    ended = hold(description, server.post("/targets/dev3/capture/stop"), f"{CAPTURE}/stop", "stop", "post")
    check((ended["state"], ended["end"]) == ("ended", "asked"), "it is over")
    check(server.post("/targets/dev3/capture/stop").json == ended, "and stays as it is")
    file = server.ask(f"{API}/targets/dev3/capture/file")
    hold(description, file, f"{CAPTURE}/file", "the file")
    entries = decoded(file.body)
    check(len(file.body) == ended["bytes"] and len(entries) == ended["messages"] + 1 and entries[-1] == "asked",
          f"{len(file.body)} bytes have {len(entries)} entries, the last of which says why")
    capture_at_most(description, server)
    after = state_of(server, "dev3")["streams"][0]
    check(after["epoch"] == before["epoch"] and after["received"] > before["received"] and
          state_of(server, "dev3")["connects"] == connects, "the RPC is the one that it was")
    intent = server.ask(f"{API}/targets/dev3/capture", "DELETE")
    check((intent.status, intent.error()) == (403, "no-intent"), "DELETE without X-Sluice: 403")
    hold(description, server.ask(f"{API}/targets/dev3/capture", "DELETE", HEADERS), CAPTURE, "dropped", "delete")
    check(server.ask(f"{API}/targets/dev3/capture").error() == "no-capture", "it is gone")
    check(server.post("/targets/dev3/capture").status == 200, "without a body: as ever; it goes with sluice")


def decoded(body):
    """What protobuf's own decoder makes of a file: the reason of each Stop, None of other entries."""
    text = subprocess.run(["protoc", "--decode", "sluice.capture.v1.Capture", "-I", ROOT / "proto", "capture.proto"],
                          input=body, capture_output=True, check=True).stdout.decode()
    must(TOKEN not in text and PASSWORD not in text, "no secret in it")
    return [(re.search(r'reason: "(.*)"', entry) or [None, None])[1] for entry in text.split("\nentry {")[1:]]


def file_of(lab, addresses):
    """By `sluice ctl`: what the file has is what the sink got in that time, and no more is asked of the device."""
    out, first, second = lab.path("out.jsonl"), lab.path("first.capture"), lab.path("second.capture")
    server = Sluice(lab, {"dev1": addresses["dev1"]}, {"listen": "127.0.0.1:PORT"}, "captured",
                    {"username": "operator", "password": PASSWORD},
                    sink={"type": "file", "path": str(out), "format": "event"})
    before = wait_for(lambda: (now := state_of(server, "dev1")["streams"])[0]["received"] > 100 and now, 20, "records")
    first.write_text("what was there before", encoding="ascii")
    said = ctl(server, "capture", "dev1", "--duration", "1s", "-o", str(first))
    check(re.fullmatch(rf"{first} messages=\d+ bytes={first.stat().st_size} end=duration\n", said), said)
    process = subprocess.Popen([sluice(), "ctl", "capture", "dev1", "--subscription", "counters", "--duration", "1h",
                                "--admin", f"127.0.0.1:{server.port}", "-o", second, "--format", "json"],
                               stdout=subprocess.PIPE, text=True)
    lab.on_end(process.kill)
    running = f"{API}/targets/dev1/capture"
    wait_for(lambda: (now := server.ask(running).json).get("messages", 0) >= 20, 20, "twenty messages")
    ctl(server, "capture", "dev1", "-o", str(lab.path("third")), code=5)
    check(not lab.path("third").exists(), "a second one is refused, and leaves no file")
    process.send_signal(signal.SIGINT)
    told = json.loads(process.communicate(timeout=20)[0])
    check(process.returncode == 0 and told["end"] == "asked" and told["bytes"] == second.stat().st_size,
          f"SIGINT ends it, and what there is is written: {told}")
    check(server.ask(running).error() == "no-capture", "and sluice has its memory back")
    after = state_of(server, "dev1")
    check((after["connects"], after["streams"][0]["epoch"]) == (1, before[0]["epoch"]), "the RPC is the same one")
    small = lab.path("small.capture")
    done = subprocess.run([sluice(), "ctl", "capture", "dev1", "--max-bytes", "16KiB", "--duration", "1h", "-o", small,
                           "--admin", f"127.0.0.1:{server.port}"], capture_output=True, text=True, timeout=30, check=False)
    check(done.returncode == 0 and "end=full" in done.stdout and "--max-bytes" in done.stderr, f"full: {done.stderr}")
    refusals_of_ctl(lab, server)
    one_of_two(server)
    check(server.stop() == 0, "sluice ends with 0")
    sink = [pair for line in out.read_text(encoding="utf-8").splitlines() for pair in pairs(json.loads(line))]
    for file in (first, second, small):
        begins = sink.index(replayed(file)[0])
        check(replayed(file) == sink[begins:begins + len(replayed(file))],
              f"{file.name}: {len(replayed(file))} notifications are those of the sink, in its order")
        check(decoded(file.read_bytes())[-1] in ("duration", "asked", "full"), "protobuf's decoder finds why it ended")
    check(not list(lab.path("out.jsonl").parent.glob("*.capture.*")), "no other file is left")


def one_of_two(server):
    """Which stream has to be said where there are several; it is over when that asks for something else."""
    asked = json.loads(server.file.read_text(encoding="utf-8"))

    def reload():
        server.file.write_text(json.dumps(asked), encoding="utf-8")
        must(server.post("/reload").status == 200, "a reload")
    asked["subscriptions"]["names"] = {"paths": ["/interfaces/interface/state/name"], "encoding": "json"}
    reload()
    wait_for(lambda: len(state_of(server, "dev1")["streams"]) == 2, 20, "two streams")
    answer = server.post("/targets/dev1/capture")
    check((answer.status, answer.error()) == (409, "which-stream"), f"of two: {answer.text}")
    check(server.post("/targets/dev1/capture", {"subscription": "counters"}).status == 200, "of this one")
    asked["subscriptions"]["counters"]["paths"] = ["/interfaces/interface/state"]
    reload()
    ended = wait_for(lambda: capture_is(server, "dev1", state="ended"), 20, "the end")
    check(ended["end"] == "request", f"it ends with what it asked: {ended}")


def refusals_of_ctl(lab, server):
    file = str(lab.path("refused"))
    for words, code in ((("dev1",), 2), (("dev1", "-o", file, "--max-bytes", "x"), 2), (("nobody", "-o", file), 5),
                        (("dev1", "-o", file, "--max-bytes", "65MiB"), 5), (("dev1", "-o", file, "--duration", "2h"), 5),
                        (("dev1", "-o", file, "--subscription", "other"), 5),
                        (("dev1", "-o", f"{file}/none", "--duration", "1ms"), 1)):
        ctl(server, "capture", *words, code=code)
    check(not os.path.exists(file), "what is refused leaves no file")
    piped = subprocess.run([sluice(), "ctl", "capture", "dev1", "-o", "/dev/stdout", "--duration", "1ms", "--admin",
                            f"127.0.0.1:{server.port}"], stdout=subprocess.PIPE, check=True, timeout=30).stdout
    check(decoded(piped)[-1] == "duration", "what is no file is written to as it is, with nothing else")


def pairs(events):
    """A time and values, whatever else a record says."""
    return [(event["timestamp"], event["values"]) for event in events if event.get("values")]


def replayed(file):
    done = subprocess.run([sluice(), "subscribe", "--replay", file, "--format", "event"], capture_output=True, text=True,
                          check=True, timeout=30)
    decoder, text, events = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        value, end = decoder.raw_decode(text)
        events += value if isinstance(value, list) else [value]
        text = text[end:].lstrip()
    return pairs(events)


def refused_captures(description, server):
    for name, body, status, word in (
            ("nobody", {}, 404, "no-such-target"), ("dev3", {"subscription": "nothing"}, 404, "no-such-stream"),
            ("dev3", {"max_bytes": 64 * 1024 * 1024 + 1}, 400, "bad-body"), ("dev3", {"max_bytes": 1}, 400, "bad-body"),
            ("dev3", {"max_bytes": "4MiB"}, 400, "bad-body"), ("dev3", {"duration": "2h"}, 400, "bad-body"),
            ("dev3", {"duration": "0"}, 400, "bad-body"), ("dev3", {"duration": 5}, 400, "bad-body"),
            ("dev3", {"subscription": 1}, 400, "bad-body"), ("dev3", {"length": 1}, 400, "bad-body"),
            ("dev3", [], 400, "bad-body")):
        answer = server.post(f"/targets/{name}/capture", body)
        hold(description, answer, CAPTURE, f"capture {name} {json.dumps(body)}", "post")
        check((answer.status, answer.error()) == (status, word), f"{answer.status} {answer.error()}")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/stop"), ("GET", "/file")):
        answer = server.ask(f"{API}/targets/dev3/capture{path}", method, HEADERS)
        check((answer.status, answer.error()) == (404, "no-capture"), f"{method} {path} where there is none: 404")
    wrong = server.ask(f"{API}/targets/dev3/capture", "PUT", HEADERS)
    check((wrong.status, wrong.headers["Allow"]) == (405, "GET, HEAD, POST, DELETE"), "PUT: 405")


def capture_at_most(description, server):
    """The next one takes the place of the last; one without room ends there, and says so."""
    server.post("/targets/dev3/capture", {"max_bytes": 20000, "duration": "1h"})
    full = wait_for(lambda: capture_is(server, "dev3", state="ended"), 20, "the end")
    hold(description, server.ask(f"{API}/targets/dev3/capture"), CAPTURE, "a full one")
    entries = decoded(server.ask(f"{API}/targets/dev3/capture/file").body)
    check(full["end"] == "full" and full["unfit_bytes"] > 0 and full["bytes"] <= 20000 and entries[-1] == "full"
          and len(entries) == full["messages"] + 1, f"full: {full['messages']} messages in {full['bytes']} bytes")
    server.post("/targets/dev3/capture", {"duration": "100ms"})
    check(wait_for(lambda: capture_is(server, "dev3", state="ended"), 20, "the end")["end"] == "duration", "in time")
    kept = {name: server.post(f"/targets/{name}/capture", {"max_bytes": size * 1024 * 1024})
            for name, size in (("dev1", 64), ("dev2", 60))}
    check([answer.status for answer in kept.values()] == [200, 200], "128 MiB together, with the 4 of the one that is over")
    answer = server.post("/targets/dev4/capture")
    check((answer.status, answer.error()) == (503, "no-room"), f"and no more: {answer.text}")
    for name in kept:
        server.ask(f"{API}/targets/{name}/capture", "DELETE", HEADERS)


def levels(description, server):
    hold(description, server.post("/log-level", {"level": "debug"}), f"{API}/log-level", "log-level", "post")
    server.post("/targets/dev3/reconnect")
    server.process.wait_line(r"level=debug .*target=dev3", 20)
    server.post("/log-level", {"level": "info"})
    for body in ({"level": "loud"}, {}, [], {"level": 1}):
        answer = server.post("/log-level", body)
        check(answer.status == 400 and answer.error() == "bad-body", f"log-level {json.dumps(body)}: 400")
    answer = server.ask(f"{API}/log-level", "POST", HEADERS, "{no json")
    check(answer.status == 400, "what is no JSON: 400")


def reloads(_, description, server):
    """By the API and by `sluice reload`: what is wrong is told and changes nothing, what is right is in force."""
    asked = json.loads(server.file.read_text(encoding="utf-8"))

    def reload(result, **changes):
        server.file.write_text(json.dumps({**asked, **changes}), encoding="utf-8")
        before = server.get("/status")["reload"]
        hold(description, server.post("/reload"), f"{API}/reload", result, "post")
        status = wait_for(lambda: (now := server.get("/status"))["reload"] != before and now, 20, "an outcome")
        hold(description, server.ask(f"{API}/status"), f"{API}/status", "the status after it")
        check(status["reload"]["result"] == result and status["reload"]["why"] == "admin",
              f"reload: {status['reload']}")
        return status

    check(reload("unchanged")["generation"] == 1, "the same file: generation 1")
    status = reload("refused", targets={"dev1": {"adress": "x"}})
    check(status["generation"] == 1 and any("adress" in error for error in status["reload"]["errors"]),
          "a file that is wrong is refused, and says where")
    check(server.get("/targets")["total"] == len(asked["targets"]), "and changes nothing")
    fewer = {name: target for name, target in asked["targets"].items() if name != "dev4"}
    status = reload("ok", targets=fewer)
    check(status["generation"] > 1 and status["reload"]["removed"] == 1, "a target less")
    wait_for(lambda: server.get("/targets")["total"] == len(fewer), 20, "it is gone")
    config = server.get("/config")
    check(config["generation"] == status["generation"] and "dev4" not in config["yaml"],
          "the configuration is the new one")
    server.file.write_text(json.dumps(asked), encoding="utf-8")
    done = subprocess.run([sluice(), "reload", "--admin", f"127.0.0.1:{server.port}"], capture_output=True,
                          text=True, check=False)
    check(done.returncode == 0 and json.loads(done.stdout)["added"] == 1, f"sluice reload: {done.stdout}")
    wait_for(lambda: settled(server), 20, "all four send again")


def ctl(server, *words, code=0):
    done = subprocess.run([sluice(), "ctl", *words, "--admin", f"127.0.0.1:{server.port}"], capture_output=True,
                          text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
    if done.returncode != code:
        raise Failed(f"sluice ctl {' '.join(words)}: {done.returncode}, not {code}: {done.stdout} {done.stderr}")
    return done.stdout


# What each command of `sluice ctl` has to say of the four devices, as JSON and as a table.
COMMANDS = {
    ("status",): (lambda said: said["totals"]["targets"] == 4, "4"),
    ("streams", "--sort", "received_per_s", "--order", "desc", "--limit", "2"):
        (lambda said: said["total"] == 4 and len(said["streams"]) == 2, "dev"),
    ("targets", "-q", "dev2"): (lambda said: said["targets"][0]["labels"] == {"site": "tyo"}, "dev2"),
    ("target", "dev2"): (lambda said: said["streams"][0]["routes"][0]["sink"] == "none", "dev2"),
    ("sinks",): (lambda said: {sink["name"] for sink in said["sinks"]} == {"none"}, "none"),
    ("sources",): (lambda said: "sources" in said, "source"),
    ("ledger",): (lambda said: said["sum"]["balanced"], "none"),
    ("config",): (lambda said: "dev4" in said["yaml"], "dev4"),
    ("events", "--after", "0"): (lambda said: said["events"][0]["n"] >= 1, "info"),
}


def commands(_, server):
    """Each command of `sluice ctl`, once, on the real one; drain is the last (below)."""
    for words, (is_right, shown) in COMMANDS.items():
        check(is_right(json.loads(ctl(server, *words, "--format", "json"))), f"ctl {' '.join(words)}: what the API says")
        table = ctl(server, *words, "--format", "table")
        must(shown.lower() in table.lower(), f"{words[0]}: a table of it: {table[:200]}")
    before = state_of(server, "dev4")["connects"]
    for verb, holds in (("pause", lambda now: now["state"] == "paused"),
                        ("resume", lambda now: now["connects"] > before and now["state"] == "up"),
                        ("reconnect", lambda now: now["connects"] > before + 1 and now["state"] == "up")):
        ctl(server, verb, "dev4")
        wait_for(lambda done=holds: done(state_of(server, "dev4")), 20, f"{verb}: done")
        check(True, f"ctl {verb}: seen by the device")
    ctl(server, "resume", "nobody", code=5)
    ctl(server, "log-level", "debug")
    server.process.wait_line(r'msg="log level, by the admin API" reason=admin level=debug', 20)
    ctl(server, "log-level", "info")
    check("unchanged" in ctl(server, "reload"), "ctl reload waits for the outcome")


def drains(_, description, server):
    hold(description, server.post("/drain"), f"{API}/drain", "drain", "post")
    code = wait_for(lambda: None if server.process.is_alive() else (server.process.process.returncode,), 30,
                    "the end after drain")
    check(code == (0,), "drain ends sluice with 0")


def strangers(lab, addresses):
    server = Sluice(lab, addresses, {"listen": "127.0.0.1:PORT", "token": TOKEN}, "token",
                    {"username": "operator", "password": PASSWORD})
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    cases = [
        ("no token", "/api/v1/status", "GET", {}, None, 401, "unauthorized"),
        ("a wrong token", "/api/v1/status", "GET", {"Authorization": "Bearer " + "x" * len(TOKEN)}, None, 401,
         "unauthorized"),
        ("a token cut short", "/api/v1/status", "GET", {"Authorization": f"Bearer {TOKEN[:-1]}"}, None, 401,
         "unauthorized"),
        ("another scheme", "/metrics", "GET", {"Authorization": f"Basic {TOKEN}"}, None, 401, "unauthorized"),
        ("no token, no path", "/api/v1/nothing", "GET", {}, None, 401, "unauthorized"),
        ("a foreign Host", "/api/v1/status", "GET", {**bearer, "Host": "evil.example"}, None, 403, "foreign-host"),
        ("a foreign Origin", "/api/v1/status", "GET", {**bearer, "Origin": "https://evil.example"}, None, 403,
         "foreign-origin"),
        ("a hidden Origin", "/api/v1/drain", "POST", {**bearer, **HEADERS, "Origin": "null"}, None, 403,
         "foreign-origin"),
        ("a form of a page", "/api/v1/drain", "POST",
         {**bearer, "Content-Type": "application/x-www-form-urlencoded"}, "a=b", 403, "no-intent"),
        ("GET of an action", "/api/v1/drain", "GET", bearer, None, 405, "method-not-allowed"),
        ("a capture without a token", "/api/v1/targets/dev1/capture", "POST", HEADERS, "{}", 401, "unauthorized"),
        ("the file of one without a token", "/api/v1/targets/dev1/capture/file", "GET", {}, None, 401, "unauthorized"),
        ("POST of a state", "/api/v1/status", "POST", {**bearer, **HEADERS}, None, 405, "method-not-allowed"),
        ("DELETE", "/api/v1/status", "DELETE", bearer, None, 405, "method-not-allowed"),
        ("no path", "/api/v1/nothing", "GET", bearer, None, 404, "not-found"),
        ("a large head", "/api/v1/status", "GET", {**bearer, "X-Large": "x" * 9000}, None, 431, "head-too-large"),
        ("a large body", "/api/v1/log-level", "POST", {**bearer, **HEADERS}, "x" * 70000, 413, "body-too-large"),
    ]
    for what, path, method, headers, body, status, word in cases:
        answer = server.ask(path, method, headers, body)
        check((answer.status, answer.error()) == (status, word), f"{what}: {answer.status} {answer.error()}")
    check("Access-Control-Allow-Origin" not in server.ask("/api/v1/status", headers=bearer).headers,
          "no other origin is let in")
    check(server.ask("/api/v1/status", headers=bearer).status == 200, "with the token: 200")
    check(server.ask("/healthz").status == 200, "/healthz needs none")
    huge = server.raw(b"GET / HTTP/1.1\r\nX: " + b"x" * 100000)
    check(re.match(r"HTTP/1.1 4\d\d |$", huge), f"an endless head: {huge[:40]!r}")
    slow(server, bearer)
    secrets(server, bearer)
    check(server.stop() == 0, "sluice ends with 0")
    check(TOKEN not in "\n".join(server.process.lines) and PASSWORD not in "\n".join(server.process.lines),
          "neither token nor password is in the log")


def slow(server, bearer):
    """Byte after byte, so that it is never silent for long."""
    head = f"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".encode()
    with socket.create_connection(("127.0.0.1", server.port), 60) as peer:
        peer.sendall(head)
        peer.settimeout(0.5)
        got, begin = b"", time.monotonic()
        while not got and time.monotonic() < begin + 60:
            try:
                peer.sendall(b"x")
                got = peer.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
    check(got.startswith(b"HTTP/1.1 408 ") and b'"slow"' in got, f"a request that never ends: {got[:40]!r}")
    check(server.ask("/api/v1/status", headers=bearer).status == 200, "others are answered as ever")


def secrets(server, bearer):
    for path in ("status", "streams", "targets", "targets/dev1", "sinks", "ledger", "config", "events"):
        text = server.ask(f"{API}/{path}", headers=bearer).text
        check(TOKEN not in text and PASSWORD not in text, f"{path} has no secret")
    config = server.ask(f"{API}/config", headers=bearer).json["yaml"]
    check(re.search(r'token: "?\*{6}', config) and re.search(r'password: "?\*{6}', config), "they are masked")


def unix(lab, addresses):
    path = lab.path("admin.sock")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    server = Sluice(lab, addresses, {"listen": f"unix:{path}"}, "unix")
    check(stat.S_IMODE(os.stat(path).st_mode) == 0o660, "a stale socket is replaced; the new one has mode 0660")
    check(server.ask(f"{API}/status", headers={"Host": "whatever"}).status == 200, "it is asked by any name")
    check(server.ask("/metrics").status == 200, "/metrics too")
    check(server.stop() == 0 and not path.exists(), "the file goes with sluice")
    path.write_text("not a socket", encoding="ascii")
    other = Sluice(lab, addresses, {"listen": f"unix:{path}"}, "unix-2", expect_up=False)
    wait_for(lambda: not other.process.is_alive(), 20, "the end")
    check(path.read_text(encoding="ascii") == "not a socket" and other.process.find("Address already in use"),
          "a file that is no socket stays, and the start fails")


def tls(lab, addresses):
    certificates = Certificates(lab)
    cert, key = map(str, certificates.server)
    own = {"cert": cert, "key": key}
    trusting = ssl.create_default_context(cafile=str(certificates.ca.file))
    server = Sluice(lab, addresses, {"listen": "0.0.0.0:PORT", "token": TOKEN, "tls": own}, "tls")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    check(server.ask(f"{API}/status", context=trusting).status == 401, "TLS without the token: 401")
    check(server.ask(f"{API}/status", headers=bearer, context=trusting).status == 200, "with it: 200")
    large = server.ask("/metrics", headers=bearer, context=trusting)
    check(large.status == 200 and large.text.endswith("# EOF\n"), f"/metrics, {len(large.text)} bytes, is whole")
    check("HTTP/1.1 200" not in server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
          "plaintext is not answered there")
    check(server.stop() == 0, "sluice ends with 0")
    mutual(lab, addresses, certificates, own)


def mutual(lab, addresses, certificates, own):
    server = Sluice(lab, addresses,
                    {"listen": "0.0.0.0:PORT", "tls": {**own, "client-ca": str(certificates.ca.file)}}, "mutual")
    knows = ssl.create_default_context(cafile=str(certificates.ca.file))
    try:
        status = server.ask(f"{API}/status", context=knows).status
    except (ssl.SSLError, OSError, http.client.HTTPException) as error:
        status = type(error).__name__
    check(status != 200, f"without a client's certificate: {status}")
    server.process.wait_line('msg="admin connection refused".* reason=tls-certificate-missing', 20)
    knows.load_cert_chain(*map(str, certificates.client))
    check(server.ask(f"{API}/status", context=knows).status == 200, "with one: 200")
    check(server.stop() == 0, "sluice ends with 0")


def many(lab):
    """Devices that nobody answers for are streams, too."""
    port = free_port()
    server = Sluice(lab, {f"dev{i:04}": f"127.0.0.1:{port}" for i in range(5000)},
                    {"listen": "127.0.0.1:PORT"}, "many", {"backoff": {"min": "60s", "max": "60s"}})
    whole = server.get("/streams", limit=5000)
    check(whole["total"] == 5000 and len(whole["streams"]) == 5000, "5,000 rows at once")
    part_of = server.get("/streams")
    check(part_of["total"] == 5000 and len(part_of["streams"]) == 500, "500 where nobody says how many")
    check(server.ask(f"{API}/streams?limit=5001").status == 400, "no more than 5,000")
    began = time.monotonic()
    server.get("/streams", sort="blocked_s", order="desc", limit=50)
    print(f"50 of 5,000, sorted: {(time.monotonic() - began) * 1000:.0f} ms")
    check(server.stop() == 0, "sluice ends with 0")


def main(lab):
    description = Description()
    devices = Devices(lab, "sim", 4, rate=50)
    addresses = devices.addresses()
    server = Sluice(lab, addresses, {"listen": "127.0.0.1:PORT"})
    part(lab, "answers", answers, description, server)
    part(lab, "actions", actions, description, server)
    part(lab, "capture", captures, description, server)
    part(lab, "reload", reloads, description, server)
    part(lab, "commands", commands, server)
    part(lab, "drain", drains, description, server)
    part(lab, "strangers", strangers, addresses)
    part(lab, "capture by ctl", file_of, addresses)
    part(lab, "unix", unix, addresses)
    part(lab, "tls", tls, addresses)
    if lab.is_long:
        part(lab, "many", many)
    if not lab.options.only:
        check(not description.left(), f"every path of the description was asked; not: {description.left() or 'none'}")


run(main)
