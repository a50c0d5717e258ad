#!/usr/bin/env python3
"""rules - ten rules between a gNMI server on grpcio, which we did not write, and a file of events.

What the rules must make of each message is worked out once more here, from the reference's words
alone; the file must hold exactly that, in that order. The same messages as a capture go through
`sluice rules`, which must name the same updates and the same rules.
"""
import json
import re
import threading
from concurrent import futures

from harness import check, must, part, run, sluice, wait_for  # first: the environment

import grpc

import captures
from collector import Collector, subscription
from records import gnmi_messages
from tools_gnmi import tool

MESSAGES = gnmi_messages()
S = 10 ** 9
BASE_NS = 1_700_000_000 * S
PORTS, ROUNDS = 6, 40

RULES = {
    "common": [
        {"kind": "drop", "path": "/interfaces/interface/state/counters/...", "value": "0"},
        {"kind": "keep", "path": ["/interfaces/...", "openconfig:/system/..."]},
        {"kind": "strip", "modules": True, "origin": True},
        {"kind": "drop", "path": "/system/state/motd"},
        {"kind": "rename", "from": "/interfaces/interface", "to": "port"},
    ],
    "tags": [
        {"kind": "key-to-label", "key": "name", "element": "port", "to": "port"},
        {"kind": "label", "path": "/port/...", "set": {"site": "tyo"}},
        {"kind": "drop", "label": {"port": "mgmt*"}},
    ],
    "less": [
        {"kind": "deduplicate", "path": "/port/state/oper-status"},
        {"kind": "rate-limit", "path": "/system/state/load", "interval": "1h"},
    ],
}


# ---- what the device sends ----

def elems(path, text):
    for name, keys in re.findall(r"/([^/[]+)((?:\[[^]]*\])*)", text):
        elem = path.elem.add(name=name)
        for key, value in re.findall(r"\[([^=]*)=([^]]*)\]", keys):
            elem.key[key] = value


def notification(stamp, prefix, updates, deletes=(), origin=""):
    response = MESSAGES["SubscribeResponse"]()
    response.update.timestamp = BASE_NS + stamp
    response.update.prefix.origin = origin
    elems(response.update.prefix, prefix)
    for text, value in updates:
        update = response.update.update.add()
        elems(update.path, text)
        if isinstance(value, str):
            update.val.string_val = value
        else:
            update.val.uint_val = value
    for text in deletes:
        elems(response.update.delete.add(), text)
    return response


def names():
    return [f"eth{i}" for i in range(PORTS)] + ["mgmt0"]


def make_messages():
    """[(prefix, [(path, value)], [deleted])] and their responses."""
    sent = []
    for round_ in range(ROUNDS):
        for i, name in enumerate(names()):
            place = f"/openconfig-interfaces:interfaces/interface[name={name}]"
            status = "DOWN" if (round_ // (i + 3)) % 2 else "UP"
            sent.append((place, [("/state/counters/in-octets", 1000 * round_ + i),
                                 ("/state/counters/in-errors", round_ % 2),
                                 ("/state/oper-status", status),
                                 ("/state/mtu", 9000)], []))
            if round_ % 10 == 9 and i == 1:
                sent.append(("/openconfig-interfaces:interfaces", [], [f"/interface[name={name}]"]))
        sent.append(("", [("/system/state/load", round_), ("/system/state/motd", "hello"),
                          ("/components/component[name=cpu]/state/temp", 40)], []))
    return sent


# ---- the same rules once more ----

class Model:
    def __init__(self):
        self.status = {}
        self.has_load = False
        self.filtered = 0
        self.events = []

    def out(self, stamp, path, tags, value=None):
        event = {"timestamp": BASE_NS + stamp, "tags": tags}
        event.update({"deletes": [path]} if value is None else {"values": {path: value}})
        self.events.append(event)

    def take(self, stamp, prefix, updates, deletes):
        for path, value in updates:
            self.update(stamp, prefix + path, value)
        for path in deletes:
            port = re.search(r"\[name=(.*)\]", path).group(1)
            self.status.pop(port, None)  # before the updates of its message; there are none
            self.out(stamp, "/port", {"port": port, "site": "tyo"})

    def update(self, stamp, path, value):
        if path == "/system/state/load":
            if self.has_load:
                self.filtered += 1
            else:
                self.has_load = True
                self.out(stamp, path, {}, value)
            return
        found = re.match(r"/openconfig-interfaces:interfaces/interface\[name=(.*)\](/.*)", path)
        if not found:
            self.filtered += 1
            return
        port, rest = found.groups()
        is_old = rest == "/state/oper-status" and self.status.get(port) == value
        if (rest.startswith("/state/counters") and value == 0) or port == "mgmt0" or is_old:
            self.filtered += 1
            return
        if rest == "/state/oper-status":
            self.status[port] = value
        self.out(stamp, "/port" + rest, {"port": port, "site": "tyo"}, value)


class Device:
    """Sends everything, then holds the stream open."""

    def __init__(self, lab, responses):
        self.end = threading.Event()
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        handler = grpc.stream_stream_rpc_method_handler(
            lambda requests, context: self.serve(requests, responses),
            request_deserializer=MESSAGES["SubscribeRequest"].FromString,
            response_serializer=lambda message: message.SerializeToString())
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "gnmi.gNMI", {"Subscribe": handler}),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        lab.on_end(self.stop)

    def serve(self, requests, responses):
        next(requests)
        yield from responses
        yield MESSAGES["SubscribeResponse"](sync_response=True)
        self.end.wait(60)

    def stop(self):
        self.end.set()
        self.server.stop(None)


def events_of(file):
    events = []
    for line in file.read_text(encoding="utf-8").splitlines():
        for event in json.loads(line):
            tags = {name: value for name, value in event["tags"].items()
                    if name not in ("source", "subscription-name")}
            events.append({**event, "tags": tags})
            del events[-1]["name"]
    return events


def run_rules(lab, sent, responses):
    model = Model()
    for stamp, message in enumerate(sent):
        model.take(stamp, *message)
    device = Device(lab, responses)
    out = lab.path("events.json")
    collector = Collector(
        lab, {"dev1": f"127.0.0.1:{device.port}"},
        {"all": subscription("/", rules=["common", "tags"])},
        {"out": {"type": "file", "path": str(out), "format": "event", "rules": "less"}},
        rules=RULES, target={"vendor": "generic"})
    updates = sum(len(updates) + len(deletes) for _, updates, deletes in sent)
    wait_for(lambda: collector.total("updates_filtered") + collector.total("updates_published")
             >= updates, 20, "everything has come")
    check(collector.total("updates_filtered") == model.filtered,
          f"{model.filtered} updates are counted as filtered")
    check(collector.total("updates_published") == len(model.events),
          f"{len(model.events)} are published: {updates} in all")
    check(collector.stop() == 0, "sluice run ends well")
    check(collector.process.find(r"sum=all msg=ledger.*balances=yes"), "the ledger balances")
    found = events_of(out)
    check(found == model.events, f"the {len(found)} events are those that the rules leave, in order")
    for ours, theirs in zip(found, model.events):
        if ours != theirs:
            print("found", ours, "expected", theirs, sep="\n", flush=True)
            break
    lab.model, lab.configuration = model, collector.file


def show_rules(lab, sent, responses):
    model, file = lab.model, lab.configuration
    capture = lab.path("dev1.capture")
    captures.write(capture, [(BASE_NS + i, response.SerializeToString())
                             for i, response in enumerate(responses)], target="dev1")
    text, _ = tool("rules", "-c", file, "--replay", capture)
    marks = [line[2] for line in text.splitlines() if line.startswith("  ") and line[3] == " "]
    updates = sum(len(updates) + len(deletes) for _, updates, deletes in sent)
    check(marks.count("x") == model.filtered, "as many updates are shown as taken out")
    check(marks.count("=") + marks.count("<") + marks.count("x") == updates,
          "each update is shown once")
    check("10 rules" in text and "\033" not in text, "the rules are counted; a file has no colours")
    line = ("  > /port/state/oper-status {port=eth2, site=tyo} string \"DOWN\"   [common 3 (strip), "
            "common 5 (rename), tags 1 (key-to-label), tags 2 (label)]")
    check(line in text.splitlines(), "a changed one with the rules that did it")
    check(re.search(r'x openconfig:/system/state/motd string "hello"   \[common 3 \(strip\), common 4 \(drop\)\]', text) is not None,
          "one that was taken out with its rule")
    few, _ = tool("rules", "-c", file, "--replay", capture, "--changed", "--sink", "out")
    check(few.count("\n  = ") == 0 and few.count("\n  x ") == model.filtered, "--changed: no others")
    tool("rules", "-c", file, "--replay", capture, "--sink", "none", code=1)
    tool("rules", "-c", file, code=2)
    text, _ = tool("rules", "--help")
    kinds = ("keep", "drop", "rename", "strip", "label", "key-to-label", "label-to-key",
             "rate-limit", "deduplicate", "timestamp")
    check(all(f"{{kind: {kind}," in text for kind in kinds), "the help has an example of each kind")


def main(lab):
    sent = make_messages()
    responses = [notification(stamp, prefix, updates, deletes,
                              "openconfig" if not prefix else "")
                 for stamp, (prefix, updates, deletes) in enumerate(sent)]
    part(lab, "ten rules", run_rules, sent, responses)
    part(lab, "shown", show_rules, sent, responses)


run(main)
