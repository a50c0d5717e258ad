#!/usr/bin/env python3
"""tools_gnmi - `sluice capabilities`, `get` and `set` against servers that we did not write: grpcio with
openconfig's proto (plaintext, TLS, client certificates) and openconfig's Go server, beside `sluice sim`.

What the flags say arrives as the request that they stand for; what the server answers is read back out
of each format by others (Python's json and protobuf) and is what was sent. Several targets at once, of
which one is down and one is slow; exit codes; a login that never shows; answers that are broken, too
large, or meant for a terminal.
"""
import json
import os
import pty
import signal
import subprocess
import termios
import threading
from concurrent import futures

from harness import check, free_port, must, part, peer, run, sluice, wait_for  # first: the environment

import grpc
from google.protobuf import json_format, text_format
from google.protobuf.message import DecodeError

import captures
from certificates import Authority, Certificates
from connections import LOGIN, USER, PASSWORD, Proxy
from listener import Peer, silent, tls_server
from records import gnmi_messages

MESSAGES = gnmi_messages()
KINDS = {"Capabilities": ("CapabilityRequest", "CapabilityResponse"),
         "Get": ("GetRequest", "GetResponse"), "Set": ("SetRequest", "SetResponse")}
TOOL_S = 30
SECRET = "p4ssw0rd-of-nobody"


class Device:
    """A gNMI server on grpcio: keeps what it was asked, answers what it was told to."""

    def __init__(self, lab, credentials=None, unix=None):
        self.asked = []     # (method, request, metadata)
        self.answers = {}   # by method: a message, bytes, or (code, text)
        self.gate = None    # an Event that answers wait for
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "gnmi.gNMI", {method: self.handler(method) for method in KINDS}),))
        where = f"unix:{unix}" if unix else "127.0.0.1:0"
        self.port = (self.server.add_secure_port(where, credentials) if credentials else
                     self.server.add_insecure_port(where))
        self.address = f"127.0.0.1:{self.port}"
        self.server.start()
        lab.on_end(lambda: self.server.stop(None))

    def handler(self, method):
        def serve(request, context):
            self.asked.append((method, request, dict(context.invocation_metadata())))
            if self.gate:
                self.gate.wait(TOOL_S)
            answer = self.answers[method]
            if isinstance(answer, tuple):
                context.abort(*answer)
            return answer
        return grpc.unary_unary_rpc_method_handler(
            serve, request_deserializer=MESSAGES[KINDS[method][0]].FromString,
            response_serializer=lambda answer: answer if isinstance(answer, bytes)
            else answer.SerializeToString())

    @property
    def request(self):
        return self.asked[-1][1]

    @property
    def metadata(self):
        return self.asked[-1][2]


def tool(*words, code=0, environment=None, stdin=subprocess.DEVNULL, text=None):
    """Runs it; its standard output and error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    done = subprocess.run([sluice(), *map(str, words)], capture_output=True, timeout=TOOL_S,
                          check=False, env={**clean, **(environment or {})},
                          **({"input": text.encode()} if text is not None else {"stdin": stdin}))
    out, err = done.stdout.decode(), done.stderr.decode()
    if not check(done.returncode == code, f"sluice {words[0]} ends with {done.returncode}"):
        print(words, out[-2000:], err[-2000:], sep="\n", flush=True)
    return out, err


def parsed(kind, text):
    return text_format.Parse(text, MESSAGES[kind]())


def filled(kind, text):
    return text_format.Parse(text, MESSAGES[kind]())


CAPABILITIES = filled("CapabilityResponse", """
    supported_models { name: "openconfig-interfaces" organization: "OpenConfig working group" version: "2.4.3" }
    supported_models { name: "strange \\"one\\" \\303\\251" organization: "" version: "1" }
    supported_encodings: JSON_IETF supported_encodings: PROTO gNMI_version: "0.8.0"
    extension { registered_ext { id: EID_EXPERIMENTAL msg: "abc" } }""")

# Every arm that Python's protobuf can print again; floats that are exact in decimal.
GET = filled("GetResponse", r"""
    notification {
      timestamp: 1751328000123456789
      prefix { origin: "openconfig" target: "leaf1"
               elem { name: "a" key { key: "k" value: "x/y]" } key { key: "b" value: "" } } }
      update { path { elem { name: "str" } } val { string_val: "two\nlines \"q\" \303\251" } }
      update { path { elem { name: "int" } } val { int_val: -9223372036854775808 } }
      update { path { elem { name: "uint" } } val { uint_val: 18446744073709551615 } }
      update { path { elem { name: "bool" } } val { bool_val: false } }
      update { path { elem { name: "bytes" } } val { bytes_val: "\000\377" } }
      update { path { elem { name: "float" } } val { float_val: 0.5 } }
      update { path { elem { name: "double" } } val { double_val: 0.1 } }
      update { path { elem { name: "decimal" } } val { decimal_val { digits: -12345 precision: 4 } } }
      update { path { elem { name: "list" } } val { leaflist_val {
               element { uint_val: 1 } element { string_val: "b" } } } }
      update { path { elem { name: "json" } } val { json_val: "{\"x\": {\"y\": 9007199254740993}, \"z\": [1, null]}" } }
      update { path { elem { name: "ietf" } } val { json_ietf_val: "\"9007199254740993\"" } }
      update { path { elem { name: "ascii" } } val { ascii_val: "show\nversion" } }
      update { path { elem { name: "pb" } } val { proto_bytes: "\001\002" } duplicates: 3 }
    }
    notification {
      timestamp: 1751328000000000000
      delete { elem { name: "gone" } }
      atomic: true
    }
    extension { depth { level: 2 } }""")

SET = filled("SetResponse", """
    prefix { elem { name: "system" } } timestamp: 1751328000123456789
    response { path { elem { name: "old" } } op: DELETE }
    response { path { elem { name: "name" } } op: UPDATE }
    extension { commit { id: "7" confirm { } } }""")


# ---- what is printed ----

def formats(lab):
    device = Device(lab)
    device.answers = {"Capabilities": CAPABILITIES, "Get": GET, "Set": SET}
    words = {"Capabilities": ["capabilities"], "Get": ["get", "--path", "/"],
             "Set": ["set", "--delete", "/system/old"]}
    for method, command in words.items():
        kind = KINDS[method][1]
        asked = [*command, "-a", device.address, "--insecure", "--format"]
        said, _ = tool(*asked, "prototext")
        check(parsed(kind, said) == device.answers[method], f"{method}: prototext is what was sent")
        said, _ = tool(*asked, "protojson")
        check(json_format.Parse(said, MESSAGES[kind]()) == device.answers[method],
              f"{method}: protojson is what was sent")
        for name in ("json", "event"):
            said, _ = tool(*asked, name)
            check(json.loads(said), f"{method}: {name} is JSON")
        check(json.loads(tool(*asked[:-1])[0]) == json.loads(tool(*asked, "json")[0]),
              f"{method}: json is the default where nobody looks")


def capabilities(lab):
    device = Device(lab)
    device.answers = {"Capabilities": CAPABILITIES}
    said, _ = tool("-a", device.address, "--insecure", "cap", "--registered-extension",
                   "999:hex:00ff", "--gzip")
    told = json.loads(said)
    check(told["source"] == device.address and told["version"] == "0.8.0" and
          told["encodings"] == ["JSON_IETF", "PROTO"] and
          told["supported-models"][1]["name"] == 'strange "one" é', "json names all of it")
    check(told["extensions"] == [{"registeredExt": {"id": "EID_EXPERIMENTAL", "msg": "YWJj"}}],
          "and what extensions the answer has")
    sent = device.request.extension[0].registered_ext
    check((sent.id, sent.msg) == (999, b"\x00\xff"), "the registered extension arrived")
    _, err = tool("capabilities", "-a", "127.0.0.1", "--port", device.port, "--insecure", "--print-request",
                  "--registered-extension", "5:x", "--format", "prototext")
    check(parsed("CapabilityRequest", err.split("\n", 1)[1]) == device.request,
          "--port; --print-request shows what is sent")
    said, _ = tool("capabilities", "-a", device.address, "--insecure", "--format", "table")
    check("gNMI version  0.8.0" in said and "openconfig-interfaces" in said and
          "extension: {" in said, "a table")


def get(lab):
    device = Device(lab)
    device.answers = {"Get": GET}
    asked = ["get", "-a", device.address, "--insecure"]
    said, _ = tool(*asked, "--path", "oc:/a/b[k=x\\]][z=]/c", "--path", "/d/*/...", "--prefix",
                   "origin:/p", "--target", "r1", "--type", "STATE", "-e", "json-ietf", "--model", "m1,m2",
                   "--depth", "4", "--format", "flat")
    expected = filled("GetRequest", r"""
        prefix { origin: "origin" elem { name: "p" } target: "r1" } type: STATE encoding: JSON_IETF
        path { origin: "oc" elem { name: "a" } elem { name: "b" key { key: "k" value: "x]" } key { key: "z" value: "" } }
               elem { name: "c" } }
        path { elem { name: "d" } elem { name: "*" } elem { name: "..." } }
        use_models { name: "m1" } use_models { name: "m2" } extension { depth { level: 4 } }""")
    check(device.request == expected, "every flag is in the request")
    place = r"openconfig:/a[b=][k=x/y\]]"
    for line in (f'{place}/str: two\\nlines "q" é', f"{place}/int: -9223372036854775808",
                 f"{place}/uint: 18446744073709551615", f"{place}/bool: false", f"{place}/bytes: 0x00ff",
                 f"{place}/float: 0.5", f"{place}/double: 0.1", f"{place}/decimal: -1.2345",
                 f'{place}/list: [1, "b"]', f"{place}/json/x/y: 9007199254740993", f"{place}/json/z/0: 1",
                 f"{place}/json/z/1: null", f"{place}/ietf: 9007199254740993", f"{place}/ascii: show\\nversion",
                 f"{place}/pb: 0x0102", "/gone: (deleted)", 'extension: {"depth":{"level":2}}'):
        check(line in said.split("\n"), f"flat: {line}")
    table, _ = tool(*asked, "--path", "/", "--format", "table")
    check("2025-07-01T00:00:00.123Z" in table and "    version\n" in table and "atomic" in table,
          "table: the time, a command's lines as lines, atomic")
    events = json.loads(tool(*asked, "--path", "/", "--format", "event")[0])
    values = {name: value for event in events for name, value in event.get("values", {}).items()}
    check(values["openconfig:/a/uint"] == 2**64 - 1 and values["openconfig:/a/decimal"] == -1.2345 and
          events[-1]["deletes"] == ["/gone"], "event: one array of all notifications")
    told = json.loads(tool(*asked, "--path", "/", "--format", "json")[0])
    check(told[0]["source"] == device.address and told[0]["target"] == "leaf1" and
          told[0]["updates"][9]["values"]["json"] == {"x": {"y": 9007199254740993}, "z": [1, None]},
          "json: JSON keeps its shape and its digits")
    check(json.loads(tool(*asked, "--path", "/", "--values-only")[0])[2] == 2**64 - 1, "values alone")
    check("18446744073709551615" in tool(*asked, "--path", "/", "--values-only", "--format", "flat")[0]
          .split("\n"), "values alone, a line each")


def dry(_lab):
    """Without anybody to ask."""
    said, _ = tool("get", "--path", "/a", "--dry-run")
    check(json_format.Parse(said, MESSAGES["GetRequest"]()) == filled(
        "GetRequest", 'path { elem { name: "a" } }'), "get --dry-run prints the request")
    said, _ = tool("set", "--delete", "/a", "--dry-run", "--format", "prototext")
    check(parsed("SetRequest", said) == filled("SetRequest", 'delete { elem { name: "a" } }'),
          "set --dry-run too, as prototext")


def set_words(lab):
    device = Device(lab)
    device.answers = {"Set": SET}
    asked = ["set", "-a", device.address, "--insecure"]
    file = lab.path("value.json")
    file.write_text('{"mtu": 9000}', encoding="utf-8")
    said, _ = tool(*asked, "--prefix", "/sys", "--target", "r1", "--delete", "/old", "--update",
                   "/name:::json:::router1", "--update", "/n:::uint:::18446744073709551615", "--replace",
                   "/d:::decimal:::-1.50", "--union-replace", "oc:/u:::json_ietf:::{\"a\":1}",
                   "--update-path", "/p1", "--update-path", "/p2", "--update-value", "5",
                   "--update-file", file, "--replace-path", "/p3", "--replace-value", "x y", "--update-cli",
                   "interface eth0", "--format", "flat")
    expected = filled("SetRequest", r"""
        prefix { elem { name: "sys" } target: "r1" } delete { elem { name: "old" } }
        replace { path { elem { name: "d" } } val { decimal_val { digits: -150 precision: 2 } } }
        replace { path { elem { name: "p3" } } val { json_val: "\"x y\"" } }
        update { path { elem { name: "name" } } val { json_val: "\"router1\"" } }
        update { path { elem { name: "n" } } val { uint_val: 18446744073709551615 } }
        update { path { elem { name: "p1" } } val { json_val: "5" } }
        update { path { elem { name: "p2" } } val { json_val: "{\"mtu\": 9000}" } }
        update { path { origin: "cli" } val { ascii_val: "interface eth0" } }
        union_replace { path { origin: "oc" elem { name: "u" } } val { json_ietf_val: "{\"a\":1}" } }""")
    if not check(device.request == expected, "every operation, in its order"):
        print(device.request, flush=True)
    check("DELETE: /system/old" in said and "UPDATE: /system/name" in said and "extension: {" in said,
          "what was done is printed")
    tool(*asked, "--delimiter", "@@", "--update", "/a@@string@@b:::c")
    check(device.request.update[0].val.string_val == "b:::c", "another delimiter")
    tool(*asked, "--update-path", "/a", "--update-file", "-", "-e", "json_ietf", text='{"from": "stdin"}')
    check(device.request.update[0].val.json_ietf_val == b'{"from": "stdin"}', "a value on standard input")
    file = lab.path("value.yaml")
    file.write_text('a: {b: 9007199254740993, c: "5", d: [true, null, no, 1.50]}\n', encoding="utf-8")
    tool(*asked, "--update-path", "/a", "--update-file", file)
    check(device.request.update[0].val.json_val ==
          b'{"a":{"b":9007199254740993,"c":"5","d":[true,null,"no",1.50]}}', "a value in YAML")
    texts = {"json": json.dumps({
        "updates": [{"path": "/u", "value": {"x": 1}}, {"path": "/n", "value": 7, "encoding": "uint"}],
        "replaces": [{"path": "/r", "value": "text", "encoding": "json_ietf"}],
        "union-replaces": [{"value": []}], "deletes": ["/d[k=v]", "/e"]}),
        "yaml": "updates:\n  - {path: /u, value: {x: 1}}\n  - {path: /n, value: 7, encoding: uint}\n"
                "replaces: [{path: /r, value: text, encoding: json_ietf}]\n"
                "union-replaces: [{value: []}]\ndeletes: ['/d[k=v]', /e]\n"}
    for name, text in texts.items():
        file = lab.path(f"request.{name}")
        file.write_text(text, encoding="utf-8")
        tool(*asked, "--request-file", file)
        check(device.request == filled("SetRequest", r"""
            delete { elem { name: "d" key { key: "k" value: "v" } } } delete { elem { name: "e" } }
            update { path { elem { name: "u" } } val { json_val: "{\"x\":1}" } }
            update { path { elem { name: "n" } } val { uint_val: 7 } }
            replace { path { elem { name: "r" } } val { json_ietf_val: "\"text\"" } }
            union_replace { path { } val { json_val: "[]" } }"""), f"a request in {name}")
    for text in ("updates: {}", "nothing: []", "[1]", "updates: [1]", "deletes: [{}]", "updates: [", "",
                 "updates: [{path: 'a[', value: 1}]", "updates: [{value: x, encoding: int}]",
                 "updates: [{value: {}, encoding: {}}]", "updates: [{path: /a}]",
                 "updates: [{path: /a, valeu: 1}]", "updates: [{value: 1, more: 2}]"):
        file.write_text(text, encoding="utf-8")
        _, err = tool(*asked, "--request-file", file, code=2)
        check(err.startswith("sluice set: "), f"{text}: {err.strip()}")


def set_extensions(lab):
    device = Device(lab)
    device.answers = {"Set": SET}
    asked = ["set", "-a", device.address, "--insecure"]
    cases = [
        (["--commit-request", "--rollback-duration", "1m30s"],
         'commit { id: "7" commit { rollback_duration { seconds: 90 } } }'),
        (["--commit-request"], 'commit { id: "7" commit { } }'),
        (["--commit-confirm"], 'commit { id: "7" confirm { } }'),
        (["--commit-cancel"], 'commit { id: "7" cancel { } }'),
        (["--rollback-duration", "500ms"],
         'commit { id: "7" set_rollback_duration { rollback_duration { nanos: 500000000 } } }'),
    ]
    for words, text in cases:
        tool(*asked, "--commit-id", "7", *words)
        check(device.request == filled("SetRequest", f"extension {{ {text} }}"), " ".join(words))
    tool(*asked, "--delete", "/a", "--election-id", "3:18446744073709551615", "--role", "backup")
    check(device.request.extension[0] == filled(
        "SetRequest", 'extension { master_arbitration { role { id: "backup" } '
        'election_id { high: 3 low: 18446744073709551615 } } }').extension[0], "master arbitration")
    for words in (["--commit-confirm"], ["--commit-id", "7"], ["--role", "x", "--delete", "/a"],
                  ["--commit-id", "7", "--commit-confirm", "--commit-cancel"], [],
                  ["--commit-id", "7", "--commit-confirm", "--rollback-duration", "1s"],
                  ["--delete", "/a", "--election-id", "x"], ["--update-path", "/a"],
                  ["--update-value", "1"], ["--update", "/a:::int:::x"], ["--update", "/a"],
                  ["--update", "/a:::strnig:::x"], ["--delete", "/a[b"],
                  ["--update-path", "/a", "--update-file", "/nowhere"]):
        _, err = tool(*asked, *words, code=2)
        check(err.startswith("sluice set: "), f"{' '.join(words)}: {err.strip()}")


# ---- several targets, exit codes ----

def several(lab):
    """The slow one answers only when the others' answers were seen."""
    quick, slow = Device(lab), Device(lab)
    slow.gate = threading.Event()
    down = f"127.0.0.1:{free_port()}"
    for device in (quick, slow):
        device.answers = {"Get": GET}
    process = lab.start("several", [sluice(), "get", "-a", f"{slow.address},{down}", "-a", quick.address,
                                    "--insecure", "--path", "/", "--format", "flat"])
    process.wait_line(rf"^\[{quick.address}\] openconfig:/a.*/uint: 18446744073709551615$", 20)
    process.wait_line(rf"^sluice get: {down}: no connection: .*refused", 20)
    wait_for(lambda: slow.asked, 20, "the slow one is asked")
    check(not process.find(rf"^\[{slow.address}\]") and process.is_alive(),
          "one that is slow and one that is down hold up nobody")
    slow.gate.set()
    process.wait_line(rf"^\[{slow.address}\] openconfig:/a.*/bool: false$", 20)
    process.process.wait(TOOL_S)
    check(process.process.returncode == 7, f"some failed: 7, {process.process.returncode}")
    both = ["-a", f"{quick.address},{slow.address}", "--insecure"]
    sources = [json.loads(part) for part in
               tool("get", *both, "--path", "/", "--format", "json")[0].replace("]\n[", "]\0[").split("\0")]
    check({one[0]["source"] for one in sources} == {quick.address, slow.address}, "json names its sources")
    plain, _ = tool("get", *both, "--path", "/", "--format", "flat", "--no-prefix")
    check("[127.0.0.1" not in plain, "--no-prefix")


def codes(lab):
    device, held = Device(lab), Device(lab)
    held.gate = threading.Event()
    lab.on_end(held.gate.set)
    closed = f"127.0.0.1:{free_port()}"
    asked = ["get", "--insecure", "--path", "/a", "-a"]

    def fails(status, text, code, *hints):
        device.answers = {"Get": (status, text)}
        _, err = tool(*asked, device.address, code=code)
        check(all(word in err for word in (device.address, status.name, text, *hints)), err.strip())

    fails(grpc.StatusCode.UNAUTHENTICATED, "who are you", 4, "--username")
    fails(grpc.StatusCode.PERMISSION_DENIED, "not you", 4)
    fails(grpc.StatusCode.NOT_FOUND, "no such path", 5, "sluice path")
    fails(grpc.StatusCode.INVALID_ARGUMENT, "what " * 200 + "end", 5)
    fails(grpc.StatusCode.UNIMPLEMENTED, "never", 5)
    fails(grpc.StatusCode.INTERNAL, "broken", 5)
    fails(grpc.StatusCode.UNAVAILABLE, "later", 3)
    _, err = tool(*asked, closed, code=3)
    check("no connection" in err and "port" in err, err.strip())
    _, err = tool(*asked, "nowhere.invalid", code=3)
    check("no connection" in err, err.strip())
    _, err = tool(*asked, held.address, "--timeout", "300ms", code=6)
    check("DEADLINE_EXCEEDED" in err and "--timeout" in err, err.strip())
    device.answers = {"Get": (grpc.StatusCode.NOT_FOUND, "no")}
    tool(*asked, f"{device.address},{device.address}", code=5)
    tool(*asked, f"{device.address},{closed}", code=1)
    device.answers = {"Get": GET}
    tool(*asked, f"{device.address},{closed}", code=7)
    for words in (["get"], ["get", "-a", "x"], ["get", "--path", "/a"], ["get", "-a", "a:b:c", "--path", "/a"],
                  ["get", "-a", "x", "--path", "a[b"], ["get", "-a", "x", "--path", "/a", "--encoding", "xml"],
                  ["get", "-a", "x", "--path", "/a", "--tls-ca", "/nowhere"], ["get", "stray"],
                  ["get", "-a", "x", "--path", "/a", "--insecure", "--tls-ca", "x"],
                  ["get", "-a", "x", "--path", "/a", "-H", "novalue"], ["get", "--no-such-flag"],
                  ["get", "-a", "x", "--path", "/a", "-H", "UPPER=x"],
                  ["get", "-c", "/nowhere", "--path", "/a"], ["gett"]):
        _, err = tool(*words, code=2)
        check(err, f"{' '.join(words)}: {err.strip().splitlines()[0]}")
    said, _ = tool("get", "--help")
    check("--address" in said and "Exit codes" in said, "--help")
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([sluice(), *asked, device.address], stdout=full, stderr=subprocess.PIPE,
                              check=False, timeout=TOOL_S, stdin=subprocess.DEVNULL)
    check(done.returncode == 1 and b"No space left" in done.stderr, "a full disk is an error")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sluice(), *asked, device.address], stdout=writing, stderr=subprocess.PIPE,
                          check=False, timeout=TOOL_S, stdin=subprocess.DEVNULL)
    os.close(writing)
    check(done.returncode == 0 and not done.stderr, "nobody reads any more: no error")


def interrupted(lab):
    device = Device(lab)
    device.gate = threading.Event()
    lab.on_end(device.gate.set)
    process = lab.start("interrupted", [sluice(), "get", "-a", device.address, "--insecure", "--path", "/"])
    wait_for(lambda: device.asked, 20, "it is asked")
    check(process.terminate() == 1 and process.find("interrupted"), "SIGTERM ends a call that waits")


# ---- login, TLS ----

def login(lab):
    device = Device(lab)
    device.answers = {"Get": GET}
    asked = ["get", "-a", device.address, "--insecure", "--path", "/"]
    tool(*asked, "-u", "me", "-p", SECRET, "-H", "x-one=1,x-two=2")
    check((device.metadata["username"], device.metadata["password"], device.metadata["x-two"]) ==
          ("me", SECRET, "2"), "name, password and metadata")
    tool(*asked, "-u", "me", environment={"SLUICE_PASSWORD": SECRET})
    check(device.metadata["password"] == SECRET, "the password of the environment")
    tool(*asked, "-u", "me", "-p", "pass:word", "--auth-scheme", "Basic")
    check(device.metadata["authorization"] == "Basic bWU6cGFzczp3b3Jk" and
          "password" not in device.metadata, "Basic")
    tool(*asked, "--token", SECRET)
    check(device.metadata["authorization"] == f"Bearer {SECRET}", "a token")
    device.gate = threading.Event()
    before = len(device.asked)
    process = lab.start("hidden", [sluice(), *asked, "-u", "me", "-p", SECRET, f"--token={SECRET}",
                                   "-H", f"x={SECRET}"])
    wait_for(lambda: len(device.asked) > before, 20, "it is asked")
    with open(f"/proc/{process.pid}/cmdline", encoding="ascii") as words:
        check(SECRET not in words.read(), "no secret is in the list of processes")
    device.answers = {"Get": (grpc.StatusCode.UNAUTHENTICATED, f"the password {SECRET} is wrong")}
    device.gate.set()
    process.process.wait(TOOL_S)
    process.reader.join()
    check(process.process.returncode == 4 and not process.find(SECRET) and
          process.find("UNAUTHENTICATED"), "a device that says it back is not quoted")


def prompt(lab):
    """A terminal of its own: the password is asked for, and does not show."""
    device = Device(lab)
    device.answers = {"Get": GET}
    terminal, other = pty.openpty()
    process = subprocess.Popen(["setsid", "--ctty", "--wait", sluice(), "get", "-a", device.address,
                                "--insecure", "--path", "/", "-u", "me"], stdin=other, stdout=other,
                               stderr=other)
    os.close(other)
    watchdog = threading.Timer(TOOL_S, process.kill) # a read of a terminal knows no time
    watchdog.start()
    shown = b""
    while b"password of me: " not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, SECRET.encode() + b"\n")
    try:
        while piece := os.read(terminal, 65536):
            shown += piece
    except OSError:
        pass # the other end is gone
    os.close(terminal)
    watchdog.cancel()
    check(process.wait(TOOL_S) == 0 and device.metadata["password"] == SECRET,
          "the password of the terminal arrived")
    check(SECRET.encode() not in shown, "it was not shown")
    check(b"openconfig:/a" in shown and b"{" not in shown.split(b"openconfig", maxsplit=1)[0],
          "on a terminal the answer is a table")


def prompt_interrupted(_lab):
    """Who interrupts the question has his terminal back as it was."""
    terminal, other = pty.openpty()
    before = termios.tcgetattr(other)
    process = subprocess.Popen(["setsid", "--ctty", "--wait", sluice(), "get", "-a", "127.0.0.1:1",
                                "--insecure", "--path", "/", "-u", "me"], stdin=other, stdout=other,
                               stderr=other)
    watchdog = threading.Timer(TOOL_S, process.kill)
    watchdog.start()
    shown = b""
    while b"password of me: " not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, b"\x03")
    code = process.wait(TOOL_S)
    watchdog.cancel()
    check(code == -signal.SIGINT, f"interrupted: {code}")
    check(termios.tcgetattr(other)[3] == before[3], "and it echoes again")
    os.close(other)
    os.close(terminal)


def tls(lab):
    good, other = Certificates(lab), Authority(lab, "other")
    key, cert = (file.read_bytes() for file in reversed(good.server))
    ca = good.ca.file.read_bytes()
    device = Device(lab, grpc.ssl_server_credentials([(key, cert)]))
    strict = Device(lab, grpc.ssl_server_credentials([(key, cert)], ca, True))
    for one in (device, strict):
        one.answers = {"Get": GET}
    plain = Device(lab)
    asked = ["get", "--path", "/", "--format", "flat", "-a"]
    tool(*asked, device.address, "--tls-ca", good.ca.file)
    tool(*asked, device.address, "--skip-verify", "--tls-min-version", "1.3")
    tool(*asked, strict.address, "--tls-ca", good.ca.file, "--tls-cert", good.client[0], "--tls-key",
         good.client[1])
    for words, hint in (([device.address, "--tls-ca", other.file], "--tls-ca"),
                        ([device.address], "--tls-ca"),
                        ([device.address, "--tls-ca", good.ca.file, "--tls-server-name", "leaf9"],
                         "--tls-server-name"),
                        ([strict.address, "--tls-ca", good.ca.file], "--tls-cert"),
                        ([plain.address, "--skip-verify"], "--insecure"),
                        ([device.address, "--insecure"], "without --insecure"),
                        ([Peer(lab, tls_server(good.server, alpn=None)).address, "--skip-verify"],
                         "not HTTP/2"),
                        ([Peer(lab, tls_server(good.ca.issue("old", days=-1))).address, "--tls-ca",
                          good.ca.file], "expired"),
                        ([Peer(lab, silent).address, "--insecure", "--timeout", "300ms"], "")):
        _, err = tool(*asked, *words, code=3)
        check("no connection" in err and hint in err, err.strip())


def ways(lab):
    """Through proxies, and to a unix socket."""
    device = Device(lab)
    device.answers = {"Get": GET}
    asked = ["get", "--path", "/", "--insecure", "--format", "flat", "-a"]
    for kind in ("http", "socks5"):
        proxy = Proxy(lab, kind, f"{USER}:{PASSWORD}")
        # The wrong login first: pproxy asks an address that it knows no more.
        _, err = tool(*asked, device.address, code=3, environment={"SLUICE_PROXY": proxy.url("x:" + SECRET)})
        check("proxy" in err and SECRET not in err, err.strip())
        tool(*asked, device.address, "--proxy", proxy.url(LOGIN))
    place = lab.path("gnmi.sock")
    local = Device(lab, unix=place)
    local.answers = {"Get": GET}
    tool(*asked, f"unix:{place}")


def from_file(lab):
    """The configuration of `sluice run`."""
    first, second = Device(lab), Device(lab)
    for device in (first, second):
        device.answers = {"Get": GET, "Set": SET}
    file = lab.path("sluice.yaml")
    file.write_text(json.dumps({
        "defaults": {"target": {"insecure": True, "username": "me", "password": SECRET}},
        "targets": {"leaf1": {"address": first.address}, "leaf2": {"address": second.address},
                    "spine1": {"address": f"127.0.0.1:{free_port()}"}},
        "subscriptions": {"all": {"paths": ["/"]}},
        "sinks": {"none": {"type": "null"}}}), encoding="utf-8")
    asked = ["get", "-c", file, "--path", "/", "--format", "flat"]
    said, _ = tool(*asked, "--target", "leaf1")
    check(said.startswith("openconfig:/a") and first.metadata["password"] == SECRET and not second.asked,
          "one target, with the file's login")
    check(not first.request.prefix.target, "--target is not prefix.target then")
    said, _ = tool(*asked, "--target", "leaf*", "-u", "you", "-p", "other", "--prefix-target", "r1")
    check("[leaf1] " in said and "[leaf2] " in said and second.metadata["username"] == "you" and
          second.request.prefix.target == "r1", "a glob, another login, prefix.target")
    tool(*asked, code=7)
    _, err = tool(*asked, "--target", "leaf3", code=2)
    check("leaf3" in err, err.strip())
    _, err = tool(*asked, "--insecure", code=2)
    check("--insecure" in err, err.strip())
    before = len(first.asked)
    _, err = tool("set", "-c", file, "--delete", "/a", code=2)
    check(len(first.asked) == before and "--target" in err, f"set asks for names: {err.strip()}")
    tool("set", "-c", file, "--target", "leaf2", "--delete", "/a")
    file.write_text("targets: [\n", encoding="utf-8")
    _, err = tool(*asked, code=2)
    check("sluice.yaml:" in err, err.strip())


def is_response(message):
    """Of the golden messages a few are none, and Python's protobuf takes no text that is not UTF-8."""
    try:
        MESSAGES["SubscribeResponse"].FromString(message)
    except DecodeError:
        return False
    return True


def replay(lab):
    """A target of the configuration that replays a capture: all golden messages, through the tools'
    printer, and back through Python's protobuf."""
    golden = [message for message in captures.golden_messages().values() if is_response(message)]
    captures.write(lab.path("golden.cap"), [(10**18 + i, message) for i, message in enumerate(golden)])
    file = lab.path("replay.yaml")
    file.write_text(json.dumps({
        "targets": {"leaf1": {"replay": {"file": str(lab.path("golden.cap")), "pace": "fast"}}},
        "subscriptions": {"all": {"paths": ["/"]}},
        "sinks": {"none": {"type": "null"}}}), encoding="utf-8")
    asked = ["subscribe", "-c", file, "--target", "leaf1", "--path", "/", "--format"]
    expected = [MESSAGES["SubscribeResponse"].FromString(message) for message in golden]
    for message in expected:
        message.DiscardUnknownFields()
    said, _ = tool(*asked, "prototext")
    texts = [""]
    for line in said.splitlines():
        texts[-1] += line + "\n"
        texts += [""] if not line else []
    got = [parsed("SubscribeResponse", text) for text in texts[:-1]]
    check([one.SerializeToString(deterministic=True) for one in got] ==
          [one.SerializeToString(deterministic=True) for one in expected],
          f"prototext of {len(golden)} golden messages is what the capture has: {len(got)}")
    said, _ = tool(*asked, "flat")
    check(len(said.splitlines()) > len(golden), "flat of all of them")
    check(all(" " <= byte or byte == "\n" for byte in said), "without a control character")
    _, err = tool("get", "-c", file, "--target", "leaf1", "--path", "/nowhere", code=5)
    check("NOT_FOUND" in err, f"its data tree is the simulator's: {err.strip()}")


# ---- answers nobody should give ----

def hostile(lab):
    device = Device(lab)
    asked = ["get", "-a", device.address, "--insecure", "--path", "/"]
    update = ('notification { update { path { elem { name: "a\\033[2J" } } '
              'val { string_val: "\\033]0;title\\007x\\302\\233y" } } }')
    device.answers = {"Get": filled("GetResponse", update)}
    for name in ("flat", "table", "json", "event", "protojson", "prototext"):
        said, _ = tool(*asked, "--format", name)
        check("\x1b" not in said and "\x07" not in said, f"{name}: nothing steers the terminal")
    device.answers = {"Get": b"\x0a\x05\x12\xff\xff"}
    _, err = tool(*asked, code=1)
    check("broken" in err or "message" in err, err.strip())
    for broken in (b"\x0a", b"\x0a\x05", b"\x0a\x02\x22\x05", b"\xff" * 20):
        device.answers = {"Get": broken}
        for name in ("json", "flat", "protojson", "prototext"):
            tool(*asked, "--format", name, code=1)
        tool(*asked, "--values-only", code=1)
    deep = b""
    for _ in range(200):
        deep = b"\x42" + varint(len(b"\x0a" + varint(len(deep)) + deep)) + b"\x0a" + varint(len(deep)) + deep
    device.answers = {"Get": field(1, field(4, field(1, b"") + field(3, deep)))}
    _, err = tool(*asked, code=1)
    check("levels" in err, err.strip())
    not_text = field(1, field(4, field(1, field(3, field(1, b"\xff\xfe"))) + field(3, field(1, b"\x80"))))
    device.answers = {"Get": not_text}
    said, _ = tool(*asked, "--format", "flat")
    check("\\xff\\xfe: \\x80" in said, f"what is no UTF-8: {said.strip()}")
    json.loads(tool(*asked, "--format", "json")[0])
    device.answers = {"Get": filled("GetResponse", "notification { update { path { elem { name: 'nan' } } "
                                    "val { double_val: nan } } }")}
    _, err = tool(*asked, "--format", "json")
    check("--format flat" in err, f"what JSON cannot carry is said: {err.strip()}")
    check(tool(*asked, "--format", "flat")[0] == "/nan: NaN\n", "flat carries it")
    device.answers = {"Get": field(1, field(4, field(3, field(1, b"x" * 3000000))))}
    _, err = tool(*asked, "--max-msg-size", "1000000", code=1)
    check("--max-msg-size" in err, err.strip())
    tool(*asked, "--format", "flat")
    leaf = field(4, field(1, field(3, field(1, b"leaf"))) + field(3, b"\x18\x07"))
    device.answers = {"Get": field(1, leaf * 1000000)}
    said, _ = tool(*asked, "--format", "flat")
    check(said == "/leaf: 7\n" * 1000000, "a million leaves")


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    return varint(number << 3 | 2) + varint(len(value)) + value


# ---- others' programs ----

def others(lab):
    """openconfig's Go server, which has Subscribe alone; and our simulated device, which fails on
    demand."""
    server = lab.start("ocserver", [peer("ocserver"), "--rounds", "1"])
    address = server.wait_line(r"^listening (\S+)", 60)[0].group(1)
    for command in (["capabilities"], ["get", "--path", "/"], ["set", "--delete", "/a"]):
        _, err = tool(*command, "-a", address, "--insecure", code=5)
        check("UNIMPLEMENTED" in err, err.strip())
    sim = lab.start("sim", [sluice(), "sim", "--listen", "127.0.0.1:0", "--quiet", "--username", "me",
                            "--password", SECRET, "--fail", "Set=ABORTED:not now"])
    address = sim.wait_line(r"^listening (\S+)", 20)[0].group(1)
    asked = ["-a", address, "--insecure", "-u", "me", "-p", SECRET]
    told = json.loads(tool("capabilities", *asked)[0])
    check(told["version"] == "0.10.0", "Capabilities of the simulated device")
    got = json.loads(tool("get", *asked, "--path", "/interfaces/interface[name=eth0]/state/oper-status",
                          "--values-only")[0])
    check(got == ["UP"], "Get")
    _, err = tool("set", *asked, "--delete", "/interfaces", code=5)
    check("ABORTED: not now" in err, f"Set fails on demand: {err.strip()}")
    _, err = tool("get", *asked[:-1], "wrong", "--path", "/", code=4)
    check("UNAUTHENTICATED" in err, err.strip())


def main(lab):
    must(sluice().exists(), "there is a binary")
    part(lab, "formats", formats)
    part(lab, "capabilities", capabilities)
    part(lab, "get", get)
    part(lab, "dry runs", dry)
    part(lab, "set", set_words)
    part(lab, "set with extensions", set_extensions)
    part(lab, "several targets", several)
    part(lab, "exit codes", codes)
    part(lab, "interrupted", interrupted)
    part(lab, "login", login)
    part(lab, "prompt", prompt)
    part(lab, "prompt, interrupted", prompt_interrupted)
    part(lab, "TLS", tls)
    part(lab, "ways", ways)
    part(lab, "configuration", from_file)
    part(lab, "replay", replay)
    part(lab, "hostile answers", hostile)
    part(lab, "others", others)


if __name__ == "__main__":
    run(main)
