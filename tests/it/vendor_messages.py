#!/usr/bin/env python3
"""vendor_messages - what vendors' devices send, as it was noted in the field, from a device that is not
ours: grpcio with openconfig's protos, which says word by word what is in the rows below.

Each row is a device: what it tells of itself, what it answers to Subscribe, what sluice is expected to
ask it, and the records that have to come out (sluice.v1-json; event where it says so).
"""
import json
import queue
import socket
import threading
from concurrent import futures
from dataclasses import dataclass, field

from harness import check, must, part, run, wait_for  # first: it enters the environment

import grpc
from google.protobuf import text_format

from collector import Collector
from records import gnmi_messages

MESSAGES = gnmi_messages()
BIG = 2**53 + 1


def filled(kind, text):
    return text_format.Parse(text, MESSAGES[kind]())


def path(text, origin=""):
    """"a b[k=v] [k=v]" as elements; one that begins with a bracket has no name."""
    message = MESSAGES["Path"](origin=origin)
    for word in text.split():
        name, _, keys = word.partition("[")
        elem = message.elem.add(name=name)
        for key in keys.split("[") if keys else []:
            key_name, _, value = key.rstrip("]").partition("=")
            elem.key[key_name] = value
    return message


def told(timestamp, *updates, prefix=None, deletes=()):
    """`updates`: (path, fields of TypedValue); None is an update with nothing in it."""
    response = MESSAGES["SubscribeResponse"]()
    response.update.timestamp = timestamp
    if prefix is not None:
        response.update.prefix.CopyFrom(prefix)
    for update in updates:
        added = response.update.update.add()
        if update is not None:
            added.path.CopyFrom(update[0])
            for arm, value in update[1].items():
                if arm == "decimal_val":
                    added.val.decimal_val.digits, added.val.decimal_val.precision = value
                else:
                    setattr(added.val, arm, value)
    response.update.delete.extend(deletes)
    if not updates and not deletes:
        response.update.SetInParent()
    return response


def varint(value):
    said = b""
    while value >= 0x80:
        said += bytes([value & 0x7F | 0x80])
        value >>= 7
    return said + bytes([value])


def with_header(response, sequence, component=b"mib2d", is_end=True):
    """GnmiJuniperTelemetryHeaderExtension: system, component id, component, number, eom."""
    header = (b"\x0a\x05core1" + b"\x10\xff\xff\x03" + b"\x3a" + varint(len(component)) + component +
              b"\x40" + varint(sequence) + b"\x70" + bytes([is_end]))
    registered = response.extension.add().registered_ext
    registered.id, registered.msg = 1, header
    return response


SYNC = MESSAGES["SubscribeResponse"](sync_response=True)
NOW_S = 1_760_000_000  # of these devices' clocks
NOW_MS, NOW_NS = NOW_S * 10**3, NOW_S * 10**9


@dataclass
class Row:
    title: str
    vendor: str
    models: list                   # (name, organization)
    encodings: list
    subscription: dict
    answers: list                  # messages, or bytes
    asked: str                     # text format: what is in the SubscriptionList
    updates: dict = None           # {path: value}, all of them
    deletes: list = field(default_factory=list)
    filtered: int = 0
    workarounds: set = field(default_factory=set)
    timestamps: set = None
    events: list = None            # (tags that are in it, values)
    metrics: dict = field(default_factory=dict)
    marker: str = "MARKER_SYNCED"  # comes, and then it is looked at what came


def sampled(*paths, **more):
    return {"paths": list(paths), "stream-mode": "sample", "sample-interval": "10s", **more}


COUNTERS = path("interfaces interface[name=ge-0/0/0] state counters")
IN_OCTETS = "/interfaces/interface[name=ge-0/0/0]/state/counters/in-octets"

ROWS = [
    Row("Arista EOS: leaf by leaf, cli and eos_native", "arista-eos",
        [("arista-exp-eos", "Arista Networks, Inc.")], ["JSON", "JSON_IETF", "ASCII"],
        {"paths": ["cli:/show version", "eos_native:/Sysdb/hw", "/interfaces"],
         "stream-mode": "on-change", "encoding": "json"},
        [told(NOW_NS, (path("interfaces interface[name=Ethernet1] state counters in-octets"),
                       {"json_val": str(BIG).encode()})),
         told(NOW_NS + 7, (path("interfaces interface[name=Ethernet1] state counters out-octets"),
                           {"json_val": b"18446744073709551615"})),
         told(NOW_NS, (path("Sysdb hw Ethernet3/1 00:1c:73:00:00:01 speed", "eos_native"),
                       {"json_val": b"100"})),
         filled("SubscribeResponse", f"""update {{ timestamp: {NOW_NS} update {{
             path {{ origin: "cli" elem {{ name: "show version" }} }} val {{ ascii_val: "EOS" }} }} }}"""),
         SYNC],
        """encoding: JSON mode: STREAM
           subscription { mode: ON_CHANGE path { origin: "cli" elem { name: "show version" } } }
           subscription { mode: ON_CHANGE path { origin: "eos_native" elem { name: "Sysdb" }
                                                 elem { name: "hw" } } }
           subscription { mode: ON_CHANGE path { elem { name: "interfaces" } } }""",
        {"/interfaces/interface[name=Ethernet1]/state/counters/in-octets": BIG,
         "/interfaces/interface[name=Ethernet1]/state/counters/out-octets": 2**64 - 1,
         "eos_native:/Sysdb/hw/Ethernet3\\/1/00:1c:73:00:00:01/speed": 100,
         "cli:/show version": "EOS"}, timestamps={NOW_NS, NOW_NS + 7}),
    Row("Cisco IOS-XR: spurious messages, a prefix that has the origin alone", "cisco-ios-xr",
        [("Cisco-IOS-XR-ifmgr-oper", "Cisco Systems, Inc.")], ["JSON", "JSON_IETF", "PROTO"],
        sampled("Cisco-IOS-XR-infra-statsd-oper:/infra-statistics", target="xr1", encoding="json"),
        [told(NOW_NS + 123 * 10**6, (path("infra-statistics interfaces"), {"uint_val": 5}),
              prefix=path("", "Cisco-IOS-XR-infra-statsd-oper")),
         told(0, (path("infra-statistics interfaces"), {"uint_val": 5}),
              prefix=path("", "Cisco-IOS-XR-infra-statsd-oper")),
         told(0), SYNC],
        """prefix { target: "xr1" } encoding: PROTO mode: STREAM
           subscription { mode: SAMPLE sample_interval: 10000000000 path {
             origin: "Cisco-IOS-XR-infra-statsd-oper" elem { name: "infra-statistics" } } }""",
        {"Cisco-IOS-XR-infra-statsd-oper:/infra-statistics/interfaces": 5}, filtered=1,
        workarounds={"other-encoding", "drops-timeless", "restores-target"},
        timestamps={NOW_NS + 123 * 10**6}, events=[({"target": "xr1"}, None)],
        metrics={("sluice_stream_mended_total", "drops-timeless"): 2}),
    Row("Cisco IOS-XE: a subtree as one value", "cisco-ios-xe",
        [("Cisco-IOS-XE-native", "Cisco Systems, Inc.")], ["JSON_IETF"],
        sampled("rfc7951:/openconfig-interfaces:interfaces", encoding="proto"),
        [told(NOW_NS, (path("openconfig-interfaces:interfaces interface[name=Gi1] state", "rfc7951"),
                       {"json_ietf_val": json.dumps({"name": "Gi1", "counters": {
                           "in-octets": str(BIG)}, "power": "QiYAAA=="}).encode()})), SYNC],
        """encoding: JSON_IETF mode: STREAM
           subscription { mode: SAMPLE sample_interval: 10000000000 path {
             origin: "rfc7951" elem { name: "openconfig-interfaces:interfaces" } } }""",
        {f"rfc7951:/openconfig-interfaces:interfaces/interface[name=Gi1]/state/{leaf}": value
         for leaf, value in (("name", "Gi1"), ("counters/in-octets", str(BIG)),
                             ("power", "QiYAAA=="))},
        workarounds={"other-encoding", "restores-target"}),
    Row("Cisco NX-OS: empty responses", "cisco-nx-os",
        [("Cisco-NX-OS-device", "Cisco Systems, Inc.")], ["JSON", "PROTO"],
        sampled("/System/sysload", models=["Cisco-NX-OS-device"]),
        [b"", told(NOW_NS, (path("System sysload"), {"json_val": b'{"a": [null], "b": 1}'})), b"",
         SYNC, b""],
        """encoding: PROTO mode: STREAM subscription { mode: SAMPLE sample_interval: 10000000000
             path { elem { name: "System" } elem { name: "sysload" } } }""",
        {"/System/sysload/a": {"element": [{"json": "JSON_NULL"}]}, "/System/sysload/b": 1},
        workarounds={"no-models", "expects-keepalive"},
        metrics={("sluice_stream_empty_responses_total", None): 3}),
    Row("Juniper: header, nameless keys, internal leaves, unasked data", "juniper",
        [("junos-conf-root", "Juniper Networks, Inc.")], ["PROTO", "JSON", "JSON_IETF"],
        sampled("/interfaces/interface/state", encoding="json_ietf"),
        [with_header(told(NOW_NS, (path("__timestamp__"), {"uint_val": NOW_MS}),
                          (path("__junos_re_stream_creation_timestamp__"), {"uint_val": NOW_MS}),
                          (path("[name=ge-0/0/0] state counters in-octets"), {"uint_val": 7}),
                          prefix=path("interfaces interface")), 1),
         with_header(told(NOW_NS, (path("system load"), {"uint_val": 1})), 2),
         with_header(told(NOW_NS + 10**6, (path("state counters in-octets"), {"int_val": 8}),
                          prefix=path("interfaces interface [name=ge-0/0/0]")), 5),
         with_header(told(NOW_NS, (path("state x"), {"string_val": "y"}),
                          prefix=path("interfaces interface[name=ge-0/0/1]")), 5),
         with_header(told(NOW_NS, (path("state"), {"string_val": "z"}),
                          prefix=path("interfaces interface[name=ge-0/0/2]")), 40, b"other"), SYNC],
        """encoding: PROTO mode: STREAM subscription { mode: SAMPLE sample_interval: 10000000000
             path { elem { name: "interfaces" } elem { name: "interface" } elem { name: "state" } } }""",
        {IN_OCTETS: 8, "/interfaces/interface[name=ge-0/0/1]/state/x": "y",
         "/interfaces/interface[name=ge-0/0/2]/state": "z"}, filtered=3,
        workarounds={"other-encoding", "joins-nameless", "drops-internal", "drops-unasked",
                     "counts-sequence"},
        events=[({"interface_name": "ge-0/0/0"}, {"/interfaces/interface/state/counters/in-octets": 7})],
        metrics={("sluice_stream_device_lost_total", None): 2,
                 ("sluice_stream_mended_total", "drops-internal"): 2,
                 ("sluice_stream_mended_total", "drops-unasked"): 1}),
    Row("Nokia SR OS: a path twice, 64-bit strings, a leaf of two types", "nokia-sros",
        [("nokia-conf", "Nokia"), ("nokia-state", "Nokia")], ["JSON", "BYTES", "PROTO"],
        sampled("/state/port", "/state/port"),
        [told(NOW_NS, (path("state port[port-id=1/1/1] octets"), {"json_val": b'"9007199254740993"'}),
              (path("state port[port-id=1/1/1] speed"), {"json_val": b'"auto"'})),
         told(NOW_NS, (path("state port[port-id=1/1/2] speed"), {"json_val": b"100"}),
              (path("state opaque"), {"proto_bytes": b"\x08\x01"})), SYNC],
        """encoding: JSON mode: STREAM subscription { mode: SAMPLE sample_interval: 10000000000
             path { elem { name: "state" } elem { name: "port" } } }""",
        {"/state/port[port-id=1/1/1]/octets": str(BIG),
         "/state/port[port-id=1/1/1]/speed": "auto",
         "/state/port[port-id=1/1/2]/speed": 100, "/state/opaque": "CAE="},
        workarounds={"paths-once"}),
    Row("Nokia SR Linux: the origin in the path of each update", "nokia-srl",
        [("urn:srl/general:srl_nokia-aaa", "Nokia")], ["JSON_IETF", "ASCII", "PROTO"],
        sampled("native:/interface", depth=3),
        [told(NOW_NS, (path("srl_nokia-interfaces:interface[name=ethernet-1/1]", "native"),
                       {"json_ietf_val": b'{"oper-state": "srl_nokia-common:up", '
                                         b'"srl_nokia-stats:statistics": {"in": "1"}}'}),
              (path("srl_nokia-system:system", "native"), {"json_ietf_val": b"{}"}),
              deletes=[path("srl_nokia-interfaces:interface[name=gone]", "native")]), SYNC],
        """encoding: JSON_IETF mode: STREAM subscription { mode: SAMPLE sample_interval: 10000000000
             path { origin: "native" elem { name: "interface" } } }""",
        {"native:/srl_nokia-interfaces:interface[name=ethernet-1/1]/oper-state":
             "srl_nokia-common:up",
         "native:/srl_nokia-interfaces:interface[name=ethernet-1/1]/"
         "srl_nokia-stats:statistics/in": "1",
         "native:/srl_nokia-system:system": "JSON_EMPTY_OBJECT"},
        ["native:/srl_nokia-interfaces:interface[name=gone]"], workarounds={"lifts-origin"}),
    Row("SONiC: times that nobody can believe", "sonic", [("sonic-db", "SONiC")],
        ["JSON", "JSON_IETF"], sampled("/COUNTERS", target="COUNTERS_DB"),
        [told(stamp, (path("COUNTERS"), {"json_ietf_val": b'{"Ethernet0": {"OCTETS": "1"}}'}),
              prefix=MESSAGES["Path"](target="COUNTERS_DB"))
         for stamp in (0, NOW_S, 12345, NOW_NS * 3, -1)] + [SYNC],
        """prefix { target: "COUNTERS_DB" } encoding: JSON_IETF mode: STREAM
           subscription { mode: SAMPLE sample_interval: 10000000000 path { elem { name: "COUNTERS" } } }""",
        {"/COUNTERS/Ethernet0/OCTETS": "1"}, workarounds={"doubts-time", "unwraps-status"}),
    Row("SONiC: nothing more after the sync_response", "sonic", [("sonic-db", "SONiC")],
        ["JSON_IETF"], sampled("/COUNTERS", target="COUNTERS_DB", **{"stale-after": "300ms"}),
        [told(NOW_NS, (path("COUNTERS"), {"json_ietf_val": b"1"})), SYNC],
        """prefix { target: "COUNTERS_DB" } encoding: JSON_IETF mode: STREAM
           subscription { mode: SAMPLE sample_interval: 10000000000 path { elem { name: "COUNTERS" } } }""",
        {"/COUNTERS": 1}, workarounds={"doubts-time", "unwraps-status"}, marker="MARKER_STALE"),
    Row("Cumulus: a request must contain a prefix", "generic", [], ["JSON"],
        sampled("/a", prefix="/"), [told(NOW_NS, (path("a"), {"json_val": b"true"})), SYNC],
        """prefix { } encoding: JSON mode: STREAM
           subscription { mode: SAMPLE sample_interval: 10000000000 path { elem { name: "a" } } }""",
        {"/a": True}),
    Row("Cisco NX-OS: 12 MB in a message", "cisco-nx-os",
        [("Cisco-NX-OS-device", "Cisco Systems, Inc.")], ["JSON", "PROTO"],
        sampled("/System"),
        [told(NOW_NS, (path("System big"), {"string_val": "x" * (12 << 20)})), SYNC],
        """encoding: PROTO mode: STREAM subscription { mode: SAMPLE sample_interval: 10000000000
             path { elem { name: "System" } } }""",
        {"/System/big": "x" * (12 << 20)}, workarounds={"expects-keepalive"}),
    Row("Huawei: nothing beside a delete, milliseconds", "huawei",
        [("huawei-ifm", "Huawei Technologies Co., Ltd.")], ["JSON", "PROTO"],
        sampled("huawei-ifm:/ifm/interfaces", prefix="/"),
        [told(NOW_MS + 7, (path("huawei-ifm:ifm interfaces"), {"json_val": b'{"mtu": 1500}'})),
         told(NOW_MS + 8, None, deletes=[path("huawei-ifm:ifm interfaces interface[name=x]")]),
         SYNC],
        """encoding: JSON mode: STREAM subscription { mode: SAMPLE sample_interval: 10000000000
             path { elem { name: "huawei-ifm:ifm" } elem { name: "interfaces" } } }""",
        {"/huawei-ifm:ifm/interfaces/mtu": 1500},
        ["/huawei-ifm:ifm/interfaces/interface[name=x]"], filtered=1,
        workarounds={"no-empty-prefix", "origin-as-module", "drops-empty", "expects-ms"},
        timestamps={(NOW_MS + 7) * 10**6, (NOW_MS + 8) * 10**6}),
    Row("Ciena: decimals of 18 digits, another origin", "generic", [("ciena-pm", "Ciena")],
        ["PROTO", "JSON_IETF"], sampled("/ciena-pm:pm"),
        [told(NOW_NS, (path("ciena-pm:pm ciena-pm:power"),
                       {"decimal_val": (-2500000000000000001, 18)}),
              prefix=path("", "Ciena")), SYNC],
        """encoding: PROTO mode: STREAM subscription { mode: SAMPLE sample_interval: 10000000000
             path { elem { name: "ciena-pm:pm" } } }""",
        {"Ciena:/ciena-pm:pm/ciena-pm:power": {"digits": "-2500000000000000001", "precision": 18}}),
    Row("OcNOS and Cumulus: who has no JSON_IETF is asked for what there is", "generic", [],
        ["JSON"], sampled("/a", encoding="json_ietf"),
        [told(NOW_NS, (path("a"), {"json_val": b"1.5"})), SYNC],
        """encoding: JSON mode: STREAM subscription { mode: SAMPLE sample_interval: 10000000000
             path { elem { name: "a" } } }""",
        {"/a": "1.5"}, workarounds={"other-encoding"}),
]


class Device(grpc.GenericRpcHandler):
    """Says what its row says, and remembers what it was asked."""

    def __init__(self, lab, row):
        self.row = row
        self.asked = queue.Queue()
        self.over = threading.Event()
        self.calls = []
        server = grpc.server(futures.ThreadPoolExecutor(8))
        server.add_generic_rpc_handlers((self,))
        self.port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        lab.on_end(lambda: server.stop(None))
        lab.on_end(self.over.set)

    def service(self, handler_call_details):
        self.calls.append(handler_call_details.method)
        if handler_call_details.method == "/gnmi.gNMI/Capabilities":
            return grpc.unary_unary_rpc_method_handler(
                self.capabilities, MESSAGES["CapabilityRequest"].FromString,
                lambda message: message.SerializeToString())
        if handler_call_details.method == "/gnmi.gNMI/Subscribe":
            return grpc.stream_stream_rpc_method_handler(
                self.subscribe, MESSAGES["SubscribeRequest"].FromString,
                lambda message: message if isinstance(message, bytes)
                else message.SerializeToString())
        return None

    def capabilities(self, _request, _context):
        told_ = MESSAGES["CapabilityResponse"](gNMI_version="0.8.0")
        for name in self.row.encodings:
            told_.supported_encodings.append(
                MESSAGES["SubscriptionList"].DESCRIPTOR.fields_by_name["encoding"].enum_type
                .values_by_name[name].number)
        told_.supported_models.add(name="openconfig-interfaces",
                                   organization="OpenConfig working group", version="2.4.3")
        for name, organization in self.row.models:
            told_.supported_models.add(name=name, organization=organization, version="2022-01-01")
        return told_

    def subscribe(self, requests, _context):
        self.asked.put(next(requests))
        yield from self.row.answers
        self.over.wait(60)


def value_of(update):
    (arm, value), = update["value"].items() if update.get("value") else (("none", None),)
    if arm in ("uintVal", "intVal"):
        return int(value)
    return value


def judge_asked(device, row):
    request = device.asked.get(timeout=20)
    extensions = list(request.extension)
    wanted = filled("SubscriptionList", row.asked)
    check(request.subscribe == wanted, f"asked is {text_format.MessageToString(request.subscribe, as_one_line=True)}")
    if "depth" in row.subscription:
        check(extensions[0].depth.level == row.subscription["depth"], "and the depth")
    check(device.calls[:2] == ["/gnmi.gNMI/Capabilities", "/gnmi.gNMI/Subscribe"],
          "Capabilities first")


def judge_records(records, row):
    data = [record for record in records if record["kind"] != "KIND_MARKER"]
    found = {update["path"]: value_of(update) for record in data
             for update in record.get("updates", [])}
    check(found == row.updates, f"updates are {str(found)[:300]}" if found == row.updates else
          f"updates are {str(found)[:900]}, and not {str(row.updates)[:900]}")
    deletes = [delete["path"] for record in data for delete in record.get("deletes", [])]
    check(deletes == row.deletes, f"deletes are {deletes}")
    if row.timestamps:
        stamps = {int(record["timestampNs"]) for record in data}
        check(stamps == row.timestamps, f"timestamps are {stamps}")
    if row.vendor == "sonic":
        check(all(record["timestampNs"] == record["receivedNs"] for record in data),
              "the time is that of receipt")


def judge_status(collector, row):
    metrics = collector.metrics()
    check(any(name == "sluice_target_info" and has["vendor"] == row.vendor
              for name, has, _ in metrics), f"it is taken for {row.vendor}")
    in_force = {has["workaround"] for name, has, _ in metrics
                if name == "sluice_workaround_in_force"}
    check(in_force == row.workarounds, f"in force are {sorted(in_force)}")
    for sink in ("s", "e"):
        filtered = collector.total("updates_filtered", sink=sink)
        check(filtered == row.filtered, f"filtered are {filtered}")
    for (name, work), value in row.metrics.items():
        found = sum(sample for one, has, sample in metrics
                    if one == name and (work is None or has.get("workaround") == work))
        check(found == value, f"{name} {work or ''} is {found}")


def lines(file):
    return [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]] \
        if file.exists() else []


def one(lab, row, number):
    device = Device(lab, row)
    files = {"s": lab.path(f"{number}.s"), "e": lab.path(f"{number}.e")}
    formats = {"s": "sluice.v1-json", "e": "event"}
    collector = Collector(lab, {"dut": f"127.0.0.1:{device.port}"}, {"c": row.subscription},
                          {name: {"type": "file", "path": str(file), "format": formats[name]}
                           for name, file in files.items()}, workers=1)

    def is_through():
        return any(record.get("marker") == row.marker for record in lines(files["s"]))

    wait_for(is_through, 20, "the sync_response")
    if None in row.answers or b"" in row.answers:
        wait_for(lambda: collector.total("empty_responses") >= row.answers.count(b""), 10, "empties")
    judge_asked(device, row)
    judge_records(lines(files["s"]), row)
    judge_status(collector, row)
    for tags, values in row.events or []:
        check(any(tags.items() <= event["tags"].items() and
                  (values is None or event.get("values") == values)
                  for line in lines(files["e"]) for event in line), f"an event with {tags}")
    must(collector.stop() == 0, "it ends well")
    ledgers = collector.process.find(r"msg=ledger.*balances=(\w+)")
    check(ledgers and all(match.group(1) == "yes" for match in ledgers), "the ledger balances")


# ---- Capabilities that do not come as they should ----

class Odd(Device):
    """A device whose Capabilities are what `answer(context)` makes of them, as bytes."""

    def __init__(self, lab, answer):
        self.answer = answer
        super().__init__(lab, ROWS[1])

    def service(self, handler_call_details):
        if handler_call_details.method == "/gnmi.gNMI/Capabilities":
            self.calls.append(handler_call_details.method)
            return grpc.unary_unary_rpc_method_handler(
                lambda _request, context: self.answer(self, context))
        return super().service(handler_call_details)

    def good(self):
        return self.capabilities(None, None).SerializeToString()


def collected(lab, device):
    return Collector(lab, {"dut": f"127.0.0.1:{device.port}"}, {"c": sampled("/a", encoding="json")},
                     {"n": {"type": "null"}}, workers=1,
                     target={"backoff": {"min": "10ms", "max": "50ms"}})


def silent(lab):
    """Who is silent, refuses, or says what is no answer is asked to subscribe all the same."""
    def wait(device, _context):
        device.over.wait(60)
        return b""

    def refuse(_device, context):
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")

    for title, answer, word in (("nothing", wait, "no answer in 5000 ms"),
                                ("PERMISSION_DENIED", refuse, "not you"),
                                ("bytes that are none", lambda *_: b"\xff\xff\x0a\x7f", "generic"),
                                ("5 MiB", lambda *_: b"\x1a" + varint(5 << 20) + b"x" * (5 << 20),
                                 "message")):
        device = Odd(lab, answer)
        collector = collected(lab, device)
        request = device.asked.get(timeout=20)
        check(request.subscribe.encoding == 0, f"{title}: it is asked to subscribe, as it was said")
        wait_for(lambda: collector.process.find(word), 10, f"the log tells {word}")
        check(any(name == "sluice_target_info" and has["vendor"] == "generic"
                  for name, has, _ in collector.metrics()), f"{title}: it is generic")
        must(collector.stop() == 0, "it ends well")


def again(lab):
    """Each connection asks; who does not answer any more is what it was."""
    def first(device, context):
        if len(device.calls) == 1:
            return device.good()
        context.abort(grpc.StatusCode.UNAVAILABLE, "later")

    device = Odd(lab, first)
    proxy = Relay(lab, device.port)
    collector = Collector(lab, {"dut": f"127.0.0.1:{proxy.port}"},
                          {"c": sampled("/a", encoding="json")}, {"n": {"type": "null"}}, workers=1,
                          target={"backoff": {"min": "10ms", "max": "50ms"}})
    check(device.asked.get(timeout=20).subscribe.encoding == 2, "an XR is asked for PROTO")
    proxy.cut()
    check(device.asked.get(timeout=20).subscribe.encoding == 2, "and after a reconnect again")
    check(device.calls.count("/gnmi.gNMI/Capabilities") == 2, "for which it was asked again")
    check(collector.process.find("does not tell its Capabilities.*vendor=cisco-ios-xr"),
          "and did not answer")


class Relay:
    """A way to a port, that can be cut."""

    def __init__(self, lab, port):
        self.to = port
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        lab.on_end(self.listener.close)
        lab.on_end(self.cut)

    def accept(self):
        try:
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                self.pairs.append((near, far))
                for one_way in ((near, far), (far, near)):
                    threading.Thread(target=self.copy, args=one_way, daemon=True).start()
        except OSError:
            pass

    @staticmethod
    def copy(source, sink):
        try:
            while block := source.recv(65536):
                sink.sendall(block)
        except OSError:
            pass

    def cut(self):
        while self.pairs:
            for sock in self.pairs.pop():
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                sock.close()


def main(lab):
    part(lab, "who does not tell", silent)
    part(lab, "told again", again)
    for number, row in enumerate(ROWS):
        part(lab, row.title, one, row, number)


if __name__ == "__main__":
    run(main)
