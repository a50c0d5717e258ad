#!/usr/bin/env python3
"""vendors - `sluice run` against `sluice sim --vendor`, for all ten: what each one does otherwise than
gNMI has it, and the records come out right.

Whose device it is, sluice finds out by Capabilities (`vendor: auto`). Records are read in the formats
sluice.v1-json and event; changes are made by grpcio's Set. The status tells which workarounds are in
force. tests/it/vendor_messages.py sends the most important oddities from a device that is not ours.
"""
import json
import time

from harness import check, part, run, sluice, wait_for  # first: it enters the environment

from collector import Collector
from device_rpcs import Client, written

STATE = "/interfaces/interface/state"
COUNTERS = STATE + "/counters"
BIG = 9007199254740993  # 2^53 + 1
NOW_NS = 3600 * 10**9   # as near as a timestamp has to be


class Collected:
    """A collector of one device, and what it has written."""
    made = 0

    def __init__(self, lab, port, subscription, target=None, subscriptions=None):
        Collected.made += 1  # files of their own: a sink writes behind what is there
        self.port = port
        self.client = Client(lab, port)
        self.files = {name: lab.path(f"records{Collected.made}.{name}") for name in ("event", "sluice.v1-json")}
        self.collector = Collector(
            lab, {"r1": f"127.0.0.1:{port}"}, subscriptions or {"c": subscription},
            {name: {"type": "file", "path": str(file), "format": name}
             for name, file in self.files.items()}, target=target, workers=1)

    def lines(self, name):
        file = self.files[name]
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]

    def records(self):
        return [record for record in self.lines("sluice.v1-json")
                if record["kind"] != "KIND_MARKER"]

    def updates(self):
        """{path: value} as the newest record has it; the value's arm is left out."""
        found = {}
        for record in self.records():
            for update in record.get("updates", []):
                found[update["path"]] = value_of(update)
        return found

    def deletes(self):
        return [delete["path"] for record in self.records()
                for delete in record.get("deletes", [])]

    def events(self):
        return [event for line in self.lines("event") for event in line]

    def values(self):
        return {name: value for event in self.events()
                for name, value in event.get("values", {}).items()}

    def wait_updates(self, *paths):
        wait_for(lambda: set(paths) <= set(self.updates()), 15, f"records of {paths}")
        return self.updates()

    def set(self, operation, path, value=None):
        self.client.call("Set", written([(operation, path, value)]))

    def metric(self, name, **labels):
        return sum(value for found, has, value in self.collector.metrics()
                   if found == name and labels.items() <= has.items())

    def workarounds(self):
        return {has["workaround"] for name, has, value in self.collector.metrics()
                if name == "sluice_workaround_in_force" and value == 1}

    def must_be(self, vendor, *workarounds):
        def told():
            return self.metric("sluice_target_info", target="r1", vendor=vendor)

        wait_for(told, 10, f"it is taken for {vendor}")
        check(self.workarounds() == set(workarounds),
              f"{vendor}: in force are {sorted(self.workarounds())}")

    def ends_well(self):
        """The ledger balances: nothing is lost, what was left out is counted."""
        must_have = self.collector.stop() == 0
        ledgers = self.collector.process.find(r'msg=ledger.*balances=(\w+)')
        check(must_have and ledgers and all(match.group(1) == "yes" for match in ledgers),
              "the ledger balances")


class Scene(Collected):
    """The same of a simulated device."""

    def __init__(self, lab, vendor, subscription, words=(), **options):
        sim = lab.start("sim", [sluice(), "sim", "--listen", "127.0.0.1:0", "--vendor", vendor,
                                "--quiet", *words])
        port = sim.wait_line(r"^listening (\S+):(\d+)", 20)[0].group(2)
        super().__init__(lab, port, subscription, **options)


def value_of(update):
    (arm, value), = update.get("value", {"none": None}).items()
    return int(value) if arm in ("uintVal", "intVal") else value


def on_change(*paths, **options):
    return {"paths": list(paths), "stream-mode": "on-change", **options}


def sampled(*paths, interval="200ms", **options):
    return {"paths": list(paths), "stream-mode": "sample", "sample-interval": interval, **options}


def path_of(*elems):
    return [elem if isinstance(elem, str) else (elem[0], dict([elem[1:]])) for elem in elems]


def eth(name, *more):
    return path_of("interfaces", ("interface", "name", name), *more)


def is_now(timestamp_ns):
    return abs(int(timestamp_ns) - time.time_ns()) < NOW_NS


# ---- one vendor each ----

def arista(lab):
    scene = Scene(lab, "arista-eos", on_change("/interfaces/interface[name=eth0]/state",
                                               "eos_native:/Sysdb/interface", "cli:/show version"))
    found = scene.wait_updates(
        "/interfaces/interface[name=eth0]/state/counters/in-octets", "cli:/show version",
        "eos_native:/Sysdb/interface/status/Ethernet3\\/1/speed")
    scene.must_be("arista-eos")
    check(found["/interfaces/interface[name=eth0]/state/counters/in-octets"] == BIG,
          "a counter beyond 2^53 keeps its digits")
    check(found["cli:/show version"] == "EOS 4.30", "origin cli: a command with a blank")
    check(found["eos_native:/Sysdb/interface/status/Ethernet3\\/1/mac/00:1c:73:00:00:01/up"] is True,
          "origin eos_native: keys as elements with / and :")
    leaves = [record for record in scene.records() if not record.get("prefix")]
    check(leaves and all(len(record["updates"]) == 1 for record in leaves),
          "leaf by leaf, without a prefix")
    times = {record["timestampNs"] for record in leaves
             if record["updates"][0]["path"].startswith("/interfaces")}
    check(len(times) > 1 and all(map(is_now, times)), "leaves of one container have their own times")
    event = next(event for event in scene.events()
                 if STATE + "/counters/in-octets" in event.get("values", {}))
    check(event["tags"]["interface_name"] == "eth0" and
          event["values"][STATE + "/counters/in-octets"] == BIG, "event: tag and digits")
    scene.ends_well()
    in_json = Scene(lab, "arista-eos", on_change(COUNTERS, encoding="json"))
    found = in_json.wait_updates("/interfaces/interface[name=eth1]/state/counters/in-octets")
    check(found["/interfaces/interface[name=eth1]/state/counters/in-octets"] == 2**64 - 1,
          "in JSON too, where the number stands bare")


def xr(lab):
    scene = Scene(lab, "cisco-ios-xr", on_change(
        COUNTERS, encoding="json", **{"set-target": True}))
    found = scene.wait_updates("/interfaces/interface[name=eth0]/state/counters/in-octets")
    scene.must_be("cisco-ios-xr", "other-encoding", "drops-timeless", "restores-target")
    check(found["/interfaces/interface[name=eth0]/state/counters/in-octets"] == BIG,
          "JSON, which ends the stream there, became PROTO")
    check(scene.collector.process.find(r"workarounds in force.* encoding=proto asked=json"),
          "and the log says so")
    records = scene.records()
    check(all(record.get("prefixTarget") == "r1" for record in records),
          "prefix.target is what was asked for")
    check(all(is_now(record["timestampNs"]) for record in records), "nothing has the time 0")
    check(scene.metric("sluice_stream_mended_total", workaround="drops-timeless") >= 4 and
          scene.metric("sluice_updates_filtered_total") >= 4, "what had it is counted as filtered")
    scene.set("update", eth("eth0", "state", "counters", "out-octets"), 4097)
    wait_for(lambda: scene.updates()["/interfaces/interface[name=eth0]/state/counters/out-octets"] ==
             4097, 10, "a change")
    times = [event["timestamp"] for event in scene.events()]
    check(times and all(stamp % 10**6 == 0 and is_now(stamp) for stamp in times),
          "times of whole milliseconds stay what they are")
    scene.ends_well()
    native = Scene(lab, "cisco-ios-xr",
                   on_change("Cisco-IOS-XR-ifmgr-oper:/interface-properties"))
    found = native.wait_updates(
        "Cisco-IOS-XR-ifmgr-oper:/interface-properties/data-nodes/mtu")
    check(all(record["prefixOrigin"] == "Cisco-IOS-XR-ifmgr-oper" for record in native.records()),
          "a prefix that has the origin alone")


def xe(lab):
    scene = Scene(lab, "cisco-ios-xe", on_change(STATE, "/components", encoding="proto"))
    path = "/openconfig-interfaces:interfaces/interface[name=eth0]/state/counters/in-octets"
    found = scene.wait_updates(path)
    scene.must_be("cisco-ios-xe", "other-encoding", "restores-target")
    check(found[path] == str(BIG), "a subtree as one value, its 64-bit number a string")
    wait_for(lambda: "QiYAAA==" in scene.values().values(), 10, "a float as base64 as it was sent")
    name = "/openconfig-interfaces:interfaces/interface/state/counters/in-octets"
    check(any(event["tags"].get("interface_name") == "eth0" and event["values"].get(name) == str(BIG)
              for event in scene.events()), "event: the same number, under its tag")
    check(all("prefix" not in record for record in scene.records()), "no prefix")
    scene.set("update", eth("eth0", "state", "oper-status"), "DOWN")
    wait_for(lambda: scene.updates()[path.replace("counters/in-octets", "oper-status")] == "DOWN",
             10, "a change")
    scene.ends_well()


def nx_os(lab):
    many = {f"c{i}": {"paths": [COUNTERS], "stream-mode": "target-defined",
                      "models": ["openconfig-interfaces"]} for i in range(8)}
    scene = Scene(lab, "cisco-nx-os", None, subscriptions=many,
                  words=["--keepalive-ms", "200"])
    scene.wait_updates("/interfaces/interface[name=eth0]/state/counters/in-octets")
    scene.must_be("cisco-nx-os", "sampled-instead", "no-models", "expects-keepalive")
    wait_for(lambda: scene.metric("sluice_stream_empty_responses_total") >= 16, 10,
             "empty responses as a keepalive")
    check(scene.metric("sluice_stream_reconnects_total") == 0 and
          scene.metric("sluice_stream_synced") == 8, "which end nothing")
    check(all(record.get("updates") for record in scene.records()), "and make no record")
    scene.ends_well()
    fast = Scene(lab, "cisco-nx-os", sampled(COUNTERS, interval="10ms"))
    fast.wait_updates("/interfaces/interface[name=eth0]/state/counters/in-octets")
    fast.must_be("cisco-nx-os", "longer-interval", "expects-keepalive")
    wild = Scene(lab, "cisco-nx-os", sampled("/interfaces/interface[name=*]/state", interval="2s"))
    wait_for(lambda: wild.metric("sluice_stream_ends_total", reason="invalid-argument"), 10,
             "wildcards are refused, which is counted")


def junos(lab):
    scene = Scene(lab, "juniper", sampled(COUNTERS, encoding="json", **{"set-target": True}),
                  words=["--lose-every", "3"])
    path = "/interfaces/interface[name=eth0]/state/counters/in-octets"
    found = scene.wait_updates(path)
    scene.must_be("juniper", "other-encoding", "joins-nameless", "drops-internal", "drops-unasked",
                  "counts-sequence")
    check(found[path] == BIG, "JSON, for which nothing ever comes, became PROTO; a key without a "
          "name is its element's")
    wait_for(lambda: scene.metric("sluice_stream_device_lost_total") >= 2, 10,
             "numbers that are missing")
    check(scene.collector.process.find("the device lost messages"), "and the log tells of them")
    check(set(found) == {f"/interfaces/interface[name={name}]/state/counters/{leaf}"
                         for name in ("eth0", "eth1") for leaf in ("in-octets", "out-octets")},
          "neither __timestamp__ nor what nobody asked for")
    for work in ("drops-internal", "drops-unasked", "joins-nameless"):
        check(scene.metric("sluice_stream_mended_total", workaround=work) >= 1,
              f"{work} is counted")
    event = next(event for event in scene.events() if event.get("values"))
    check(event["tags"]["interface_name"] == "eth0" and event["tags"]["target"] == "r1" and
          event["timestamp"] % 10**6 == 0 and is_now(event["timestamp"]),
          "event: tag, target, time in whole milliseconds")
    check(all(record["extensions"] for record in scene.records()),
          "sluice.v1 carries the vendor's header")
    scene.ends_well()
    many = Scene(lab, "juniper", None, words=["--max-rpcs", "1"],
                 subscriptions={"a": sampled(COUNTERS), "b": sampled(STATE)})
    wait_for(lambda: many.metric("sluice_stream_ends_total", reason="out-of-range"), 10,
             "a call too many is OUT_OF_RANGE, which is counted")
    many.wait_updates(path)


def sros(lab):
    scene = Scene(lab, "nokia-sros", on_change(COUNTERS, "/state/port", COUNTERS))
    speed = "/state/port[port-id=1\\/1\\/1]/speed"
    path = "/interfaces/interface[name=eth0]/state/counters/in-octets"
    found = scene.wait_updates(path)
    speed = next(name for name in found if name.endswith("/speed"))
    scene.must_be("nokia-sros", "paths-once")
    check(found[path] == str(BIG), "JSON by default, 64-bit numbers as the strings that they are")
    check(found[speed] == "auto", "a leaf of two types: a word")
    scene.set("update", path_of("state", ("port", "port-id", "1/1/1"), "speed"), 100)
    wait_for(lambda: scene.updates()[speed] == 100, 10, "then a number")
    interfaces = [record for record in scene.records()
                  if "interfaces" in record["updates"][0]["path"]]
    check(len(interfaces) == 1 and len(interfaces[0]["updates"]) == 4,
          "one notification for all of them")
    scene.ends_well()
    opaque = Scene(lab, "nokia-sros", on_change(COUNTERS, encoding="proto"))
    wait_for(lambda: opaque.records(), 10, "records")
    check(all("protoBytes" in update["value"] for record in opaque.records()
              for update in record["updates"]), "PROTO is proto_bytes, and stays that")


def srl(lab):
    native = "native:/srl_nokia-interfaces:interface"
    scene = Scene(lab, "nokia-srl", on_change(native, COUNTERS))
    state = f"{native}[name=ethernet-1/1]"
    wait_for(lambda: len(scene.updates()) >= 7, 10, "records")
    found = scene.updates()
    scene.must_be("nokia-srl", "lifts-origin")
    check(found["openconfig:/interfaces/interface[name=eth0]/state/counters/in-octets"] == str(BIG),
          "nested JSON_IETF, flattened")
    names = [name for name in found if name.startswith(native)]
    check(any(name.endswith("/oper-state") for name in names) and
          "srl_nokia-common:up" in found.values() and
          any("/srl_nokia-if-stats:statistics/in-octets" in name for name in names),
          f"modules of elements and identities are kept: {sorted(names)} ({state})")
    check({record.get("prefixOrigin") for record in scene.records()} == {"native", "openconfig"},
          "the origin of the paths is the prefix's")
    scene.ends_well()


def srl_extensions(lab):
    """Depth and config subscription, which SR Linux has."""
    scene = Scene(lab, "nokia-srl", on_change("/interfaces/interface", depth=2))
    wait_for(lambda: scene.records(), 10, "records")
    found = scene.wait_updates("openconfig:/interfaces/interface[name=eth0]/config/mtu")
    check(not any("counters" in name for name in found), "depth: nothing further down")
    config = Scene(lab, "nokia-srl", on_change("/interfaces/interface", **{
        "config-subscription": True}))
    config.wait_updates("openconfig:/interfaces/interface[name=eth0]/config/mtu")
    check(not any("/state/" in name for name in config.updates()),
          "config subscription: configuration alone")
    config.set("update", eth("eth0", "config", "mtu"), 1234)
    wait_for(lambda: config.updates()[
        "openconfig:/interfaces/interface[name=eth0]/config/mtu"] in (1234, "1234"), 10, "a change")
    wait_for(lambda: config.metric("sluice_stream_config_syncs_total") >= 1, 10, "its sync_done")
    check(config.collector.process.find("configuration synced"), "which the log tells")


def past(lab):
    """A range of the past comes once; registered extensions go out."""
    mtu = "openconfig:/interfaces/interface[name=eth0]/config/mtu"
    scene = Scene(lab, "nokia-srl", on_change("/interfaces/interface/config", extensions=[
        {"registered": {"id": 999, "message": "aGVsbG8="}}]))
    scene.wait_updates(mtu)
    start = time.time_ns()
    scene.set("update", eth("eth0", "config", "mtu"), 1111)
    wait_for(lambda: scene.updates()[mtu] == 1111, 10, "a change")
    told = Collected(lab, scene.port, on_change("/interfaces/interface/config", history={
        "start": str(start), "end": str(time.time_ns())}))
    wait_for(lambda: told.collector.process.find("the past is told"), 10, "its end")
    wait_for(lambda: told.updates().get(mtu) == 1111, 10, "the change that was in it")
    check(told.metric("sluice_stream_subscribes_total") == 1 and
          told.metric("sluice_stream_reconnects_total") == 0, "and nobody asks for it again")


def sonic(lab):
    scene = Scene(lab, "sonic", sampled("/COUNTERS", target="COUNTERS_DB"))
    path = "/COUNTERS/Ethernet4/SAI_PORT_STAT_IF_IN_OCTETS"
    found = scene.wait_updates(path)
    scene.must_be("sonic", "doubts-time", "unwraps-status")
    check(found[path] == str(BIG), "a whole table as one value, flattened")
    wait_for(lambda: len(scene.records()) >= 6, 10, "records")
    check(all(is_now(record["timestampNs"]) for record in scene.records()) and
          all(is_now(event["timestamp"]) for event in scene.events()),
          "no time of 1970, in seconds, or of years to come")
    check({record["prefixTarget"] for record in scene.records()} == {"COUNTERS_DB"},
          "prefix.target names the database")
    scene.ends_well()
    many = Scene(lab, "sonic", None, words=["--max-rpcs", "1"], subscriptions={
        "a": sampled("/COUNTERS", target="COUNTERS_DB"),
        "b": sampled("/COUNTERS", "/OTHERS", target="STATE_DB")})
    wait_for(lambda: many.metric("sluice_stream_ends_total", reason="resource-exhausted"), 10,
             "too many calls, said as INVALID_ARGUMENT, are RESOURCE_EXHAUSTED")
    many.wait_updates(path)
    without = Scene(lab, "sonic", sampled("/COUNTERS"))
    wait_for(lambda: without.metric("sluice_stream_ends_total", reason="invalid-argument"), 10,
             "without a target it is refused")
    check(without.collector.process.find("the device wants prefix.target") and
          "always-prefix" in without.workarounds(), "and the log says what is missing")


def huawei(lab):
    scene = Scene(lab, "huawei", on_change("openconfig:/interfaces/interface", prefix="/"))
    path = "/openconfig-interfaces:interfaces/interface[name=eth0]/state/counters/in-octets"
    found = scene.wait_updates(path)
    scene.must_be("huawei", "no-empty-prefix", "origin-as-module", "drops-empty", "expects-ms")
    check(found[path] == BIG, "neither a prefix nor an origin went out")
    check(all(is_now(record["timestampNs"]) for record in scene.records()) and
          all(is_now(event["timestamp"]) for event in scene.events()),
          "milliseconds are told in nanoseconds")
    scene.set("delete", eth("eth1", "config", "mtu"))
    gone = "/openconfig-interfaces:interfaces/interface[name=eth1]/config/mtu"
    wait_for(lambda: gone in scene.deletes(), 10, "a delete")
    check(all(update.get("path") for record in scene.records()
              for update in record.get("updates", [])) and
          scene.metric("sluice_stream_mended_total", workaround="drops-empty") == 1,
          "the update with nothing in it beside it is left out, and counted")
    check(any(gone.replace("[name=eth1]", "") in event.get("deletes", [])
              for event in scene.events()), "event: the delete")
    scene.ends_well()


def generic(lab):
    scene = Scene(lab, "generic", on_change("/optics", STATE))
    prefix = "Ciena:/openconfig-optics:optics/openconfig-optics:"
    found = scene.wait_updates(prefix + "power")
    scene.must_be("generic")
    check(scene.collector.process.find("does not tell its Capabilities.*UNIMPLEMENTED"),
          "who has no Capabilities is asked all the same")
    check(found[prefix + "power"] == {"digits": "-2500000000000000000", "precision": 18},
          "a decimal of 18 digits")
    check(scene.values()[prefix + "power"] == -2.5, "event: the number")
    check(all(record["prefixOrigin"] == "Ciena" for record in scene.records()),
          "another origin than the one that was asked for")
    scene.ends_well()


def named(lab):
    """A vendor that the configuration names is not asked."""
    scene = Scene(lab, "generic", on_change("/optics", encoding="json"),
                  target={"vendor": "cisco-ios-xr", "keepalive": {"interval": "30s"}})
    wait_for(lambda: scene.records(), 10, "records")
    scene.must_be("cisco-ios-xr", "other-encoding", "drops-timeless", "restores-target",
                  "fewer-pings")
    check(not scene.collector.process.find("Capabilities") and
          scene.metric("sluice_target_info", known_by="named") == 1, "nobody asked")
    check(scene.collector.process.find("keepalive.interval is raised.*interval-ms=300000"),
          "its floor for PINGs is told")


def main(lab):
    part(lab, "Arista EOS", arista)
    part(lab, "Cisco IOS-XR", xr)
    part(lab, "Cisco IOS-XE", xe)
    part(lab, "Cisco NX-OS", nx_os)
    part(lab, "Juniper", junos)
    part(lab, "Nokia SR OS", sros)
    part(lab, "Nokia SR Linux", srl)
    part(lab, "SR Linux extensions", srl_extensions)
    part(lab, "the past", past)
    part(lab, "SONiC", sonic)
    part(lab, "Huawei", huawei)
    part(lab, "generic", generic)
    part(lab, "named", named)


if __name__ == "__main__":
    run(main)
