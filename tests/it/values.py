#!/usr/bin/env python3
"""values - what a user reads of values: a capture with values of every kind, through `sluice run` into
files, read by Python's JSON with decimals instead of floats.

  keyed     lists in JSON by their keys, with `json-arrays: keyed`, as events and as sluice.v1; counted
            without it
  digits    64-bit numbers, decimals and numbers of 30 digits are the ones that were sent
  rules     convert, scale, unit, map, rate and delta on native values and inside of JSON containers:
            a leaf has one type whatever the device sends
  ledger    what was received is published, filtered or dropped
"""
import json
import re
from decimal import Decimal

from harness import check, must, run  # first: it enters the environment

import captures
from collector import subscription
from harness import sluice
from records import gnmi_messages

MESSAGES = gnmi_messages()
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
BIG = "18446744073709551615"
LONG = "123456789012345678901234567890.5"
INTERFACES = {"interface": [
    {"name": "e1", "state": {"in-octets": "1000", "mtu": 9000, "oper": "UP", "temp": "22.5"}},
    {"state": {"in-octets": 2000, "mtu": "1500", "oper": "DOWN"}, "oc-if:name": "e]2"}],
    "odd": [{"a": 1}, {"a": 1}], "empty": [None], "none": None}
RULES = {"typed": [
    {"kind": "convert", "path": "/interfaces/interface/state/mtu", "to": "uint"},
    {"kind": "map", "path": "/interfaces/interface/state/oper",
     "values": {"UP": "1", "DOWN": "2"}, "default": "0"},
    {"kind": "unit", "path": "/interfaces/interface/state/temp", "from": "celsius",
     "to": "fahrenheit"},
    {"kind": "delta", "path": "/interfaces/interface/state/in-octets", "as": "in-octets-grown"},
    {"kind": "convert", "path": "/native/float", "from": "ieee-float", "to": "float"},
    {"kind": "convert", "path": "/native/text", "from": "ieee-float", "to": "float"},
    {"kind": "scale", "path": "/native/uint", "divide": "1000"},
    {"kind": "rate", "path": "/native/counter"},
    {"kind": "convert", "path": "/native/strange", "to": "int"},
]}


def update(notification, path, **value):
    one = notification.update.add()
    for name in path.strip("/").split("/"):
        one.path.elem.add(name=name)
    for arm, content in value.items():
        if arm == "decimal_val":
            one.val.decimal_val.digits, one.val.decimal_val.precision = content
        else:
            setattr(one.val, arm, content)


def message(seconds):
    response = MESSAGES["SubscribeResponse"]()
    response.update.timestamp = START + seconds * SECOND
    return response


def write_capture(path):
    first = message(0)
    update(first.update, "/interfaces", json_ietf_val=json.dumps(INTERFACES).encode())
    update(first.update, "/native/uint", uint_val=int(BIG))
    update(first.update, "/native/decimal", decimal_val=(-999999999999999999, 18))
    update(first.update, "/native/json", json_val=LONG.encode())
    update(first.update, "/native/float", bytes_val=b"\x41\xb4\x00\x00")
    update(first.update, "/native/text", json_ietf_val=b'"QbQAAA=="')
    update(first.update, "/native/counter", uint_val=1000)
    update(first.update, "/native/strange", string_val="never")
    second = message(10)
    update(second.update, "/native/counter", string_val="2001")
    later = json.loads(json.dumps(INTERFACES))
    later["interface"][0]["state"]["in-octets"] = "1010"
    update(second.update, "/interfaces", json_ietf_val=json.dumps(later).encode())
    capture = captures.Capture(magic=captures.MAGIC)
    capture.header.version = 1
    for one in (first, second):
        capture.entry.add(received_ns=one.update.timestamp, response=one.SerializeToString())
    path.write_bytes(capture.SerializeToString())


def sinks(lab):
    def sink(name, form, **more):
        return {name: {"type": "file", "path": str(lab.path(name)), "format": form, **more}}
    return {**sink("counted", "event"), **sink("keyed", "event", **{"json-arrays": "keyed"}),
            **sink("record", "sluice.v1-json", **{"json-arrays": "keyed", "markers": "false"}),
            **sink("typed", "event", rules=["typed"])}


def read(lab, name):
    """The records; numbers are Decimals of the digits that stand there."""
    lines = lab.path(name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines if line]


def values_of(events):
    return {name: value for event in events for name, value in event.get("values", {}).items()}


def tagged(events):
    """The same with the key of the interface behind the name."""
    return {name + (f" {event['tags']['interface_name']}" if "interface_name" in event["tags"] else ""):
            value for event in events for name, value in event.get("values", {}).items()}


def same(found, expected, what):
    wrong = {name: found.get(name) for name, value in expected.items()
             if name not in found or found[name] != value}
    check(not wrong, f"{what}" + (f": {wrong} in {found}" if wrong else ""))


def main(lab):
    write_capture(lab.path("values.capture"))
    lab.path("sluice.yaml").write_text(json.dumps({
        "collector": {"name": "it", "workers": 1},
        "targets": {"leaf1": {"replay": {"file": str(lab.path("values.capture")), "pace": "fast"}}},
        "subscriptions": {"all": subscription("/")}, "rules": RULES, "sinks": sinks(lab)}),
        encoding="utf-8")
    process = lab.start("sluice", [sluice(), "run", "-c", lab.path("sluice.yaml")])
    process.process.wait(30)
    must(process.process.returncode == 0, "sluice run replays the capture and ends")

    found = values_of(read(lab, "counted")[0])
    same(found, {"/interfaces/interface.0/state/in-octets": "1000",
                 "/interfaces/interface.1/state/in-octets": Decimal(2000),
                 "/interfaces/empty": True, "/interfaces/none": True,
                 "/native/uint": Decimal(BIG), "/native/json": Decimal(LONG),
                 "/native/decimal": Decimal("-0.999999999999999999"),
                 "/native/float": "QbQAAA==", "/native/text": "QbQAAA=="}, "items counted, digits kept")
    found = values_of(read(lab, "keyed")[0])
    same(found, {"/interfaces/interface[name=e1]/state/mtu": Decimal(9000),
                 "/interfaces/interface[name=e\\]2]/state/mtu": "1500",
                 "/interfaces/odd.0/a": Decimal(1), "/interfaces/odd.1/a": Decimal(1)},
         "items of events keyed")
    found = {one["path"]: one["value"] for one in read(lab, "record")[0]["updates"]}
    same(found, {"/interfaces/interface[name=e1]/state/mtu": {"uintVal": "9000"},
                 "/interfaces/interface[name=e\\]2]/state/in-octets": {"uintVal": "2000"},
                 "/interfaces/interface[name=e1]/state/in-octets": {"stringVal": "1000"},
                 "/interfaces/odd[1]/a": {"uintVal": "1"},
                 "/native/uint": {"uintVal": BIG}, "/native/json": {"numberVal": LONG}},
         "items of records keyed, types kept")
    first, second = (tagged(record) for record in read(lab, "typed"))
    path = "/interfaces/interface/state"
    same(first, {f"{path}/mtu e1": Decimal(9000), f"{path}/mtu e]2": Decimal(1500),
                 f"{path}/oper e1": Decimal(1), f"{path}/oper e]2": Decimal(2),
                 f"{path}/temp e1": "72.5", "/native/float": Decimal("22.5"),
                 "/native/text": Decimal("22.5"),
                 "/native/uint": Decimal(BIG).scaleb(-3).quantize(Decimal("0.01"))},
         "rules in containers and on native values")
    check(not [name for name in first if "grown" in name or "counter" in name or "strange" in name],
          "a first sample says nothing, what cannot be converted is dropped")
    same(second, {f"{path}/in-octets-grown e1": Decimal(10),
                  f"{path}/in-octets-grown e]2": Decimal(0), "/native/counter": Decimal("100.1")},
         "growth of counters")
    lines = [line for line in process.lines if "msg=ledger" in line and "sink=typed" in line]
    ledger = dict(re.findall(r"(\S+)=(\d+)", lines[-1])) if lines else {}
    check("balances=yes" in "".join(lines) and ledger.get("dropped.value") == "1" and
          int(ledger.get("filtered", 0)) == 3, f"ledger: {ledger}")


if __name__ == "__main__":
    run(main)
