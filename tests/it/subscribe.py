#!/usr/bin/env python3
"""subscribe - what sluice asks devices for, and what simulated devices make of what they are asked.

The other end is never ours. A device on grpcio takes down the SubscribeRequest that `sluice run` sends
for each of a table of subscriptions, which must be equal, byte for byte, to the one that openconfig's
proto and Google's protobuf make of a text; its answers, in several encodings and with extensions, must
be in the records as they were sent. A client on grpcio holds `sluice sim` to what it asked for: every
encoding, changes, heartbeats, updates-only, several modes in one RPC. And openconfig's own server
answers a subscription with a prefix, a target and several paths.
"""
import json
import threading
from concurrent.futures import ThreadPoolExecutor

from harness import check, must, part, peer, run, sluice, wait_for

import grpc
from google.protobuf import text_format

from collector import Collector
from records import gnmi_messages, parse_events

MESSAGES = gnmi_messages()
SUBSCRIBE = "/gnmi.gNMI/Subscribe"
SECOND = 1_000_000_000
MILLISECOND = 1_000_000

# The options of a subscription, and the request that follows as text.
A = 'path { elem { name: "a" } }'
REQUESTS = {
    "least": (
        {"paths": "/a"},
        "subscription { %s } encoding: PROTO" % A),
    "paths": (
        {"paths": ["/a[k=v][l=*]/b", "x:/c/...", "/", "y:"]},
        """subscription { path { elem { name: "a" key { key: "k" value: "v" }
                                        key { key: "l" value: "*" } } elem { name: "b" } } }
           subscription { path { origin: "x" elem { name: "c" } elem { name: "..." } } }
           subscription { path { } } subscription { path { origin: "y" } } encoding: PROTO"""),
    "sample": (
        {"paths": ["/a"], "stream-mode": "sample", "sample-interval": "1m30s",
         "suppress-redundant": True, "heartbeat-interval": "1h"},
        "subscription { %s mode: SAMPLE sample_interval: %d suppress_redundant: true"
        " heartbeat_interval: %d } encoding: PROTO" % (A, 90 * SECOND, 3600 * SECOND)),
    "sample-0": (
        {"paths": ["/a"], "stream-mode": "sample"},
        "subscription { %s mode: SAMPLE } encoding: PROTO" % A),
    "on-change": (
        {"paths": ["/a"], "stream-mode": "on-change", "heartbeat-interval": "250ms"},
        "subscription { %s mode: ON_CHANGE heartbeat_interval: %d } encoding: PROTO"
        % (A, 250 * MILLISECOND)),
    "target-defined": (
        {"paths": ["/a"], "stream-mode": "target-defined", "heartbeat-interval": "1s"},
        "subscription { %s heartbeat_interval: %d } encoding: PROTO" % (A, SECOND)),
    "prefix": (
        {"paths": ["/a"], "prefix": "x:/p[k=v]"},
        'prefix { origin: "x" elem { name: "p" key { key: "k" value: "v" } } }'
        " subscription { %s } encoding: PROTO" % A),
    "target": (
        {"paths": ["/a"], "target": "dev 1"},
        'prefix { target: "dev 1" } subscription { %s } encoding: PROTO' % A),
    "prefix-target": (
        {"paths": ["/a"], "prefix": "/p", "target": "dev1"},
        'prefix { target: "dev1" elem { name: "p" } } subscription { %s } encoding: PROTO' % A),
    "set-target": (
        {"paths": ["/a"], "set-target": True},
        'prefix { target: "set-target" } subscription { %s } encoding: PROTO' % A),
    "updates-only": (
        {"paths": ["/a"], "updates-only": True},
        "subscription { %s } encoding: PROTO updates_only: true" % A),
    "qos-0": (
        {"paths": ["/a"], "qos": 0},
        "subscription { %s } encoding: PROTO qos { }" % A),
    "qos-63": (
        {"paths": ["/a"], "qos": 63},
        "subscription { %s } encoding: PROTO qos { marking: 63 }" % A),
    "models": (
        {"paths": ["/a"], "models": ["m1", {"name": "m2", "organization": "o", "version": "1.2"}]},
        'subscription { %s } encoding: PROTO use_models { name: "m1" }'
        ' use_models { name: "m2" organization: "o" version: "1.2" }' % A),
    "mixed": (
        {"stream-mode": "sample", "sample-interval": "10s", "prefix": "oc:", "stream-subscriptions": [
            {"paths": ["/a", "/b"]},
            {"paths": ["/c"], "sample-interval": "1s", "suppress-redundant": True,
             "heartbeat-interval": "5s"},
            {"paths": "/d", "stream-mode": "on-change"},
            {"paths": ["/e"], "stream-mode": "target-defined"}]},
        """prefix { origin: "oc" }
           subscription { path { elem { name: "a" } } mode: SAMPLE sample_interval: 10000000000 }
           subscription { path { elem { name: "b" } } mode: SAMPLE sample_interval: 10000000000 }
           subscription { path { elem { name: "c" } } mode: SAMPLE sample_interval: 1000000000
                          suppress_redundant: true heartbeat_interval: 5000000000 }
           subscription { path { elem { name: "d" } } mode: ON_CHANGE }
           subscription { path { elem { name: "e" } } } encoding: PROTO"""),
    **{f"encoding-{name}": ({"paths": ["/a"], "encoding": name},
                            "subscription { %s } encoding: %s" % (A, name.upper()))
       for name in ("json", "bytes", "proto", "ascii", "json_ietf")},
}

# What a device answers, and the values of the event that follows. None: there is none.
EXTENSIONS = """extension { registered_ext { id: EID_EXPERIMENTAL msg: "\\n\\000\\377" } }
                extension { history { snapshot_time: 5 } }"""
LEAF = 'path { elem { name: "a" } elem { name: "b" key { key: "k" value: "v" } } elem { name: "c" } }'
ANSWERS = [
    ('update { timestamp: 1 update { %s val { uint_val: 18446744073709551615 } } } %s'
     % (LEAF, EXTENSIONS), {"/a/b/c": 18446744073709551615}),
    (EXTENSIONS, None),
    ('update { timestamp: 2 prefix { origin: "oc" target: "t" } update { %s val { json_ietf_val:'
     ' \'{"m:x": "18446744073709551615", "y": [1, {"z": true}]}\' } } } %s' % (LEAF, EXTENSIONS),
     {"oc:/a/b/c/m:x": "18446744073709551615", "oc:/a/b/c/y.0": 1, "oc:/a/b/c/y.1/z": True}),
    ('update { timestamp: 3 update { %s val { json_val: "-9223372036854775808" } } }' % LEAF,
     {"/a/b/c": -9223372036854775808}),
    ("sync_response: true %s" % EXTENSIONS, None),
    ('update { timestamp: 4 update { %s val { ascii_val: "show \\"x\\"\\n" } } } %s'
     % (LEAF, EXTENSIONS), {"/a/b/c": 'show "x"\n'}),
    ('update { timestamp: 5 update { %s val { bytes_val: "\\000\\377" } } } %s' % (LEAF, EXTENSIONS),
     {"/a/b/c": "AP8="}),
    ('update { timestamp: 6 update { %s val { proto_bytes: "\\010\\001" } duplicates: 7 } } %s'
     % (LEAF, EXTENSIONS), {"/a/b/c": "CAE="}),
]


def message(name, text):
    return text_format.Parse(text, MESSAGES[name]())


def same(message_):
    """Bytes that are equal where all fields are, those that nobody knows too."""
    return message_.SerializeToString(deterministic=True)


class Device(grpc.GenericRpcHandler):
    """A device on grpcio. It takes down what each caller, told apart by its username, asks for; sends
    `answers`; and stays."""

    def __init__(self, lab, answers=()):
        self.answers = answers
        self.asked = {}  # username: [request]
        self.over = threading.Event()
        self.server = grpc.server(ThreadPoolExecutor(2 * len(REQUESTS) + 4))
        self.server.add_generic_rpc_handlers((self,))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        lab.on_end(self.close)

    def close(self):
        self.over.set()
        self.server.stop(None)

    def service(self, details):
        if details.method != SUBSCRIBE:
            return None
        who = dict(details.invocation_metadata).get("username", "")
        return grpc.stream_stream_rpc_method_handler(
            lambda requests, context: self.subscribe(who, requests, context),
            request_deserializer=MESSAGES["SubscribeRequest"].FromString)

    def subscribe(self, who, requests, context):
        self.asked.setdefault(who, []).append(next(requests))
        yield from self.answers
        threading.Thread(target=self.read_on, args=(who, requests), daemon=True).start()
        ended = threading.Event()
        context.add_callback(ended.set)
        while not ended.wait(0.2) and not self.over.is_set():
            pass

    def read_on(self, who, requests):
        """Whatever comes behind the first request; the end of the requests counts as something."""
        try:
            self.asked[who].append(next(requests, None))
        except grpc.RpcError:
            pass  # the RPC is over: nothing came before


def asking(lab):
    device = Device(lab)
    address = f"127.0.0.1:{device.port}"
    collector = Collector(
        lab, {name: address for name in REQUESTS},
        {name: options for name, (options, _) in REQUESTS.items()},
        {"none": {"type": "null"}},
        targets={name: {"username": name, "password": "p", "subscriptions": [name]}
                 for name in REQUESTS})
    wait_for(lambda: len(device.asked) == len(REQUESTS), 30, "a request of each target")
    for name, (_, text) in REQUESTS.items():
        wanted = message("SubscribeRequest", f"subscribe {{ {text} }}")
        found = device.asked[name]
        if not check(same(found[0]) == same(wanted), f"the request of '{name}'"):
            print(f"expected:\n{wanted}found:\n{found[0]}")
    check(all(len(found) == 1 for found in device.asked.values()),
          "one request in each RPC, whose end sluice leaves open")
    check(collector.stop() == 0, "sluice ends with 0")


def answering(lab):
    answers = [message("SubscribeResponse", text).SerializeToString() for text, _ in ANSWERS]
    device = Device(lab, answers)
    files = {name: lab.path(f"records.{name}") for name in ("proto", "event")}
    collector = Collector(
        lab, {"dev1": f"127.0.0.1:{device.port}"}, {"all": {"paths": ["/a"], "encoding": "json_ietf"}},
        {name: {"type": "file", "path": str(file), "format": name} for name, file in files.items()})
    updates = sum(values is not None for _, values in ANSWERS)
    wait_for(lambda: collector.total("updates_published") == len(files) * updates, 20,
             "all updates are published")
    check(collector.total("dropped") == 0, "nothing is dropped")
    check(collector.stop() == 0, "sluice ends with 0")
    check(files["proto"].read_bytes() == b"".join(answer + b"\n" for answer in answers),
          "proto: every message as it was sent")
    events = [event for line in files["event"].read_bytes().splitlines()
              for event in parse_events(line)]
    wanted = [values for _, values in ANSWERS if values is not None]
    if not check([event["values"] for event in events] == wanted, "event: the values, exactly"):
        print(json.dumps([event["values"] for event in events], indent=1))
    check([event["timestamp"] for event in events] == list(range(1, updates + 1)), "event: in order")
    check(all(event["tags"]["b_k"] == "v" for event in events), "event: the keys are tags")


# ---- sluice sim ----

def subscription(*paths, mode="SAMPLE", interval_ms=0, heartbeat_ms=0, suppress=False):
    """Subscriptions as text. A path is words without keys."""
    return "".join(
        "subscription { path { %s } mode: %s sample_interval: %d heartbeat_interval: %d %s } "
        % ("".join('elem { name: "%s" }' % word for word in path.split("/") if word), mode,
           interval_ms * MILLISECOND, heartbeat_ms * MILLISECOND,
           "suppress_redundant: true" if suppress else "")
        for path in paths)


STATE = "/interfaces/interface/state"
ARMS = {"JSON": ("json_val", json.loads), "JSON_IETF": ("json_ietf_val", json.loads),
        "ASCII": ("ascii_val", str), "BYTES": ("bytes_val", bytes.decode),
        "PROTO": (None, lambda value: value)}


class Leaf:
    def __init__(self):
        self.values = []  # in the order of the wire; those of the dump in front
        self.dumped = 0

    def repeats(self):
        """How many of the values behind the first are those before them."""
        return sum(a == b for a, b in zip(self.values, self.values[1:]))


class Call:
    """A Subscribe RPC to `sluice sim`, read until a condition holds."""

    def __init__(self, lab, port, asked, encoding="PROTO"):
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        lab.on_end(channel.close)
        self.encoding = encoding
        self.leaves = {}  # (interface, name): Leaf
        self.seq = self.synced = self.messages = 0
        self.sessions = set()
        self.wrong = []
        self.over = threading.Event()
        lab.on_end(self.over.set)
        request = message("SubscribeRequest", "subscribe { encoding: %s %s }" % (encoding, asked))
        self.call = channel.stream_stream(
            SUBSCRIBE, request_serializer=lambda made: made.SerializeToString(),
            response_deserializer=MESSAGES["SubscribeResponse"].FromString)(self.requests(request),
                                                                           timeout=60)

    def requests(self, request):
        yield request
        self.over.wait()

    def value(self, typed):
        arm, read = ARMS[self.encoding]
        found = typed.WhichOneof("value")
        if found not in ((arm,) if arm else ("uint_val", "string_val")):
            self.wrong.append(f"{found} for {self.encoding}")
        return read(getattr(typed, found))

    def leaf(self, name, interface="eth0"):
        return self.leaves.setdefault((interface, name), Leaf())

    def take(self, response):
        if response.sync_response:
            self.synced += 1
            for leaf in self.leaves.values():
                leaf.dumped = len(leaf.values)
            return
        self.messages += 1
        for update in response.update.update:
            name = update.path.elem[-1].name
            value = self.value(update.val)
            if name == "seq":
                if int(value) != self.seq + update.duplicates + 1:
                    self.wrong.append(f"seq {value} after {self.seq}")
                self.seq = int(value)
            elif name == "session":
                self.sessions.add(value)
            else:
                self.leaf(name, update.path.elem[1].key["name"]).values.append(value)

    def read(self, until):
        for response in self.call:
            self.take(response)
            if self.synced and until(self):
                break
        check(not self.wrong, f"{self.messages} messages: values in the arm of {self.encoding}, no"
                              f" number missing {self.wrong[:3]}")
        check(self.synced == 1 and len(self.sessions) == 1, "one sync_response, one session")
        return self

    def after(self, name):
        """The values behind the dump."""
        leaf = self.leaf(name)
        return leaf.values[leaf.dumped:]


def start_sim(lab, *words):
    process = lab.start("sim", [sluice(), "sim", "--listen", "127.0.0.1:0", "--quiet", *words])
    return process.wait_line(r"^listening (\S+):(\d+)", 20)[0].group(2)


def encodings(lab):
    port = start_sim(lab)
    for name in ARMS:
        call = Call(lab, port, subscription("/interfaces", interval_ms=20), name)
        call.read(lambda call: len(call.after("in-octets")) >= 3)
        number = call.leaf("in-octets").values[-1]
        is_text = name in ("JSON_IETF", "ASCII", "BYTES")
        check(isinstance(number, str if is_text else int) and int(number) > 0,
              f"{name}: in-octets is {number!r}")
        check(set(call.leaf("admin-status").values) == {"UP"}, f"{name}: admin-status is UP")


def changes(lab):
    port = start_sim(lab)
    call = Call(lab, port, subscription(STATE, mode="ON_CHANGE"))
    call.read(lambda call: len(call.after("oper-status")) >= 3)
    check(len(call.leaves) == 21 and all(leaf.dumped == 1 for leaf in call.leaves.values()),
          "on-change: the dump has each of 21 leaves once")
    check(call.leaf("oper-status").repeats() == 0, "… then the states that changed, each a change")
    check(not call.after("admin-status") and not call.after("description"), "… and no other")
    check(len(call.after("in-octets")) > 3 and call.leaf("in-octets").repeats() == 0,
          "… and counters as they grow")

    call = Call(lab, port, subscription(STATE, mode="ON_CHANGE", heartbeat_ms=300))
    call.read(lambda call: len(call.after("admin-status")) >= 3)
    check(len(call.after("in-octets")) >= len(call.after("admin-status")),
          "with a heartbeat: what has not changed comes again")

    call = Call(lab, port, subscription(STATE, interval_ms=10, suppress=True))
    call.read(lambda call: len(call.after("oper-status")) >= 2)
    check(not call.after("admin-status") and call.leaf("oper-status").repeats() == 0 and
          call.leaf("in-octets").repeats() == 0, "suppress-redundant: samples of what changed alone")

    call = Call(lab, port, subscription(STATE, interval_ms=10, suppress=True, heartbeat_ms=500))
    call.read(lambda call: len(call.after("admin-status")) >= 3)
    check(len(call.after("in-octets")) > len(call.after("admin-status")),
          "with a heartbeat: the others at each, not at each sample")

    call = Call(lab, port, subscription(STATE, interval_ms=10))
    call.read(lambda call: len(call.after("admin-status")) >= 30)
    check(abs(len(call.after("in-octets")) - len(call.after("admin-status"))) <= 1,
          "without either: every sample has all")


def updates_only(lab):
    port = start_sim(lab)
    call = Call(lab, port, subscription(STATE, mode="ON_CHANGE") + "updates_only: true")
    call.read(lambda call: len(call.after("oper-status")) >= 2)
    check(all(leaf.dumped == 0 for leaf in call.leaves.values()) and not call.after("admin-status"),
          "updates-only: sync_response first, then changes")
    call = Call(lab, port, subscription(STATE, interval_ms=10) + "updates_only: true")
    call.read(lambda call: len(call.after("admin-status")) >= 3)
    check(all(leaf.dumped == 0 for leaf in call.leaves.values()), "… or samples")


def mixed(lab):
    port = start_sim(lab, "--interfaces", 2, "--rate", 500)
    call = Call(lab, port,
                subscription(f"{STATE}/counters/in-octets", interval_ms=10)
                + subscription(f"{STATE}/counters/out-octets", interval_ms=250)
                + subscription(f"{STATE}/oper-status", mode="ON_CHANGE")
                + subscription(f"{STATE}/admin-status", mode="ON_CHANGE", heartbeat_ms=400))
    call.read(lambda call: len(call.after("oper-status")) >= 2 and len(call.after("out-octets")) >= 4
              and len(call.after("admin-status")) >= 3)
    check(set(name for _, name in call.leaves) == {"in-octets", "out-octets", "oper-status",
                                                   "admin-status"}, "what was asked for, no other")
    check({interface for interface, _ in call.leaves} == {"eth0", "eth1"}, "of both interfaces")
    check(len(call.after("in-octets")) > len(call.after("out-octets")), "each at its own interval")
    check(call.leaf("oper-status").repeats() == 0, "on-change: changes alone")
    check(call.leaf("admin-status").repeats() == len(call.leaf("admin-status").values) - 1,
          "on-change with a heartbeat: unchanged values")

    call = Call(lab, port, subscription(f"{STATE}/counters", mode="TARGET_DEFINED")
                + subscription(f"{STATE}/oper-status", mode="ON_CHANGE"))
    call.read(lambda call: len(call.after("oper-status")) >= 2)
    check(call.leaf("oper-status").repeats() == 0 and
          len(call.after("in-octets")) > len(call.after("oper-status")),
          "on-change beside a stream at the rate of the simulator")


def refused(call, title, code):
    try:
        next(call.call)
        check(False, f"{title!r} is refused")
    except grpc.RpcError as error:
        check(error.code().name == code, f"{title!r}: {error.code().name}: {error.details()}")


def refusals(lab):
    port = start_sim(lab)
    every = subscription("/", interval_ms=10)
    for text, code in (
            ("", "INVALID_ARGUMENT"),
            (every * 65, "RESOURCE_EXHAUSTED"),
            ("qos { marking: 64 } " + every, "INVALID_ARGUMENT"),
            ('use_models { name: "acme" } ' + every, "INVALID_ARGUMENT"),
            ('prefix { origin: "x" } subscription { path { origin: "x" } }', "INVALID_ARGUMENT"),
            ("subscription { mode: SAMPLE sample_interval: 1 }", "INVALID_ARGUMENT"),
            ("subscription { mode: TARGET_DEFINED sample_interval: %d }" % SECOND,
             "INVALID_ARGUMENT")):
        refused(Call(lab, port, text), text[:60], code)
    refused(Call(lab, port, every, encoding="9"), "encoding 9", "UNIMPLEMENTED")
    good = Call(lab, port, 'qos { marking: 63 } use_models { name: "openconfig-interfaces" } ' + every)
    good.read(lambda call: call.messages >= 5)


# ---- openconfig's server ----

def real_server(lab):
    rounds, base = 500, 1 << 63
    server = lab.start("ocserver", [peer("ocserver"), "--target", "dev1", "--rounds", rounds,
                                    "--interval", "5ms", "--interfaces", 4, "--counters", 3])
    port = server.wait_line(r"^listening (\S+):(\d+)", 20)[0].group(2)
    file = lab.path("events.jsonl")
    collector = Collector(
        lab, {"leaf": f"127.0.0.1:{port}"},
        {"some": {"prefix": "/interfaces", "target": "dev1", "stream-subscriptions": [
            {"paths": ["interface[name=ethernet-1/2]/state/counters/c1",
                       "interface[name=ethernet-1/3]"], "stream-mode": "on-change"},
            {"paths": ["/interface[name=*]/state/counters/c2"]}]}},
        {"copy": {"type": "file", "path": str(file)}})
    server.wait_line(r"^done target=dev1 ", 60)
    wanted = {(f"ethernet-1/{i + 1}", f"c{k}"): base + rounds * (k + 1)
              for i in range(4) for k in range(3) if k == 2 or i == 2 or (i, k) == (1, 1)}

    def newest():
        last = {}
        # the line that is being written is no record yet
        for line in file.read_bytes().split(b"\n")[:-1]:
            for event in parse_events(line):
                for path, value in event["values"].items():
                    last[event["tags"]["interface_name"], path.rpartition("/")[2]] = value
        return last

    try:
        wait_for(lambda: newest() == wanted, 30, "the last value of each counter")
    finally:
        must(collector.stop() == 0, "sluice ends with 0")
        if not check(newest() == wanted, f"the last values of {len(wanted)} counters, and no others"):
            print(newest())


def main(lab):
    part(lab, "requests", asking)
    part(lab, "answers", answering)
    part(lab, "simulator, encodings", encodings)
    part(lab, "simulator, changes", changes)
    part(lab, "simulator, updates-only", updates_only)
    part(lab, "simulator, mixed", mixed)
    part(lab, "simulator, refusals", refusals)
    part(lab, "openconfig's server", real_server)


if __name__ == "__main__":
    run(main)
