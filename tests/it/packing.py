#!/usr/bin/env python3
"""packing - subscriptions that share an RPC, and paths that a device refuses.

The device is one on grpcio, which takes down what each Subscribe RPC asks for and may refuse any that
has a certain path in it, without saying which. Held against it: how many RPCs there are and what each
asks for; that every record says which subscription it is of, as if each had an RPC of its own, with its
own numbers and its own part of the ledger; that a refused path is found, left out and asked for again;
and that a sink that stands still holds the RPCs of its own subscriptions alone.
"""
import json
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness import Process, check, part, peer, run, sluice, wait_for

import grpc

from collector import Collector, kafka_sink
from records import gnmi_messages, parse_events

MESSAGES = gnmi_messages()
SUBSCRIBE = "/gnmi.gNMI/Subscribe"


def path_text(path):
    return "/" + "/".join(elem.name for elem in path.elem)


class Call:
    def __init__(self, paths):
        self.paths = tuple(paths)
        self.is_refused = False
        self.is_open = True


class Device(grpc.GenericRpcHandler):
    """Sends for each path that it is asked for a value in `rounds` notifications that have all paths
    in them (0: until the end), the first before sync_response; then deletes everything, and stays."""

    def __init__(self, lab, rounds=0, refused=(), code=grpc.StatusCode.INVALID_ARGUMENT, unasked=()):
        self.rounds = rounds
        self.refused = set(refused)
        self.refuses_all = False
        self.most_paths = 1000
        self.code = code
        self.unasked = tuple(unasked)
        self.calls = []
        self.over = threading.Event()
        self.server = grpc.server(ThreadPoolExecutor(64))
        self.server.add_generic_rpc_handlers((self,))
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()
        lab.on_end(self.close)

    def close(self):
        self.over.set()
        self.server.stop(None)

    def service(self, details):
        if details.method != SUBSCRIBE:
            return None
        return grpc.stream_stream_rpc_method_handler(
            self.subscribe, request_deserializer=MESSAGES["SubscribeRequest"].FromString,
            response_serializer=lambda made: made.SerializeToString())

    def notification(self, paths, number):
        response = MESSAGES["SubscribeResponse"]()
        response.update.timestamp = number + 1
        for path in (*paths, *self.unasked):
            update = response.update.update.add()
            for word in (*path.strip("/").split("/"), "value"):
                update.path.elem.add(name=word)
            update.val.uint_val = number
        return response

    def subscribe(self, requests, context):
        call = Call(path_text(each.path) for each in next(requests).subscribe.subscription)
        self.calls.append(call)
        if (self.refuses_all or self.refused & set(call.paths)
                or len(call.paths) > self.most_paths):
            call.is_refused = True
            call.is_open = False
            context.abort(self.code, "this request cannot be served")
        ended = threading.Event()
        context.add_callback(ended.set)
        try:
            yield from self.messages(call, ended)
        finally:
            call.is_open = False

    def messages(self, call, ended):
        number = 0
        while not ended.is_set() and not self.over.is_set():
            if not self.rounds or number < self.rounds:
                yield self.notification(call.paths, number)
            if number == 0:
                yield MESSAGES["SubscribeResponse"](sync_response=True)
            number += 1
            if number == self.rounds:
                last = MESSAGES["SubscribeResponse"]()
                last.update.timestamp = number
                last.update.delete.add()
                yield last
            ended.wait(0.01)

    def open_calls(self):
        return [call for call in list(self.calls) if call.is_open]

    def asked(self):
        """What is asked for now, an entry for each RPC."""
        return sorted(call.paths for call in self.open_calls())


def files(lab):
    places = {"event": lab.path("records.event"), "sluice.v1-json": lab.path("records.v1")}
    return places, {name: {"type": "file", "path": str(place), "format": name}
                    for name, place in places.items()}


def events_of(place):
    """{(target, subscription): {path: [value]}}"""
    found = {}
    for line in place.read_bytes().splitlines():
        for event in parse_events(line):
            of = found.setdefault((event["tags"]["source"], event["name"]), {})
            for path, value in event.get("values", {}).items():
                of.setdefault(path.removesuffix("/value"), []).append(value)
    return found


def numbered(place):
    """{(target, subscription): [record]}, after a look at epoch and seq."""
    found = {}
    for line in place.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        found.setdefault((record["target"], record["subscription"]), []).append(record)
    wrong = [key for key, records in found.items() for at, record in enumerate(records)
             if int(record["seq"]) != (1 if at == 0 or record["epoch"] != records[at - 1]["epoch"]
                                       else int(records[at - 1]["seq"]) + 1)]
    check(not wrong, f"each subscription's records are numbered 1, 2, 3 … {sorted(set(wrong))[:3]}")
    return found


ROUNDS = 60
SUBSCRIPTIONS = {
    "a": {"paths": ["/a/one", "/a/two"]},
    "b": {"paths": ["/b"]},
    "changes": {"paths": ["/c"], "stream-mode": "on-change"},
    "above": {"paths": ["/a"]},
}


def sharing(lab):
    packed = Device(lab, ROUNDS, unasked=["/z"])
    apart = Device(lab, ROUNDS)
    places, sinks = files(lab)
    collector = Collector(lab, {"packed": packed.address, "apart": apart.address}, SUBSCRIPTIONS,
                          sinks, targets={"apart": {"pack": False}})
    wait_for(lambda: len(packed.open_calls()) == 3 and len(apart.open_calls()) == 4, 20, "the RPCs")
    check(packed.asked() == [("/a",), ("/a/one", "/a/two", "/b"), ("/c",)],
          f"three RPCs for four subscriptions: {packed.asked()}")
    check(apart.asked() == [("/a",), ("/a/one", "/a/two"), ("/b",), ("/c",)],
          f"pack: false, an RPC for each: {apart.asked()}")
    # of a: two paths and what nobody asked for, each round; and the delete of everything
    expected = {("packed", "a"): 3 * ROUNDS + 1, ("packed", "b"): ROUNDS + 1,
                ("packed", "changes"): 2 * ROUNDS + 1, ("packed", "above"): 2 * ROUNDS + 1,
                ("apart", "a"): 2 * ROUNDS + 1, ("apart", "b"): ROUNDS + 1,
                ("apart", "changes"): ROUNDS + 1, ("apart", "above"): ROUNDS + 1}

    def published():
        return {key: {collector.total("updates_published", target=key[0], subscription=key[1],
                                      sink=name) for name in sinks} for key in expected}
    wait_for(lambda: all(published()[key] == {number} for key, number in expected.items()), 20,
             "each subscription's updates, by the metrics")
    check(collector.total("sluice_updates_dropped") == 0, "nothing is dropped")
    check(collector.total("sluice_stream_unasked_updates", target="packed", subscription="a;b") == ROUNDS
          and collector.total("sluice_stream_unasked_updates") == ROUNDS,
          "what none of the two asked for is counted")
    check(collector.total("sluice_stream_syncs", target="packed", subscription="a;b") == 1,
          "one sync_response for both")
    shown = subprocess.run([sluice(), "check", "-c", collector.file, "--print"], check=True,
                           capture_output=True, text=True).stdout
    check("# one RPC: subscriptions a, b (3 paths)" in shown, "sluice check says so")
    check(collector.stop() == 0, "sluice ends with 0")
    check(len(collector.process.find(r"subscription=\S+ sink=\S+ msg=ledger .*balances=yes")) == 16
          and not collector.process.find("balances=NO"), "the ledger of each subscription and sink")
    events = events_of(places["event"])
    values = list(range(ROUNDS))
    wanted = {"a": ["/a/one", "/a/two"], "b": ["/b"], "changes": ["/c"], "above": ["/a"]}
    check(all(events["apart", name] == {path: values for path in paths}
              for name, paths in wanted.items()), "apart: every value, once, in order")
    check(events["packed", "a"] == {path: values for path in ("/a/one", "/a/two", "/z")}
          and events["packed", "b"] == {"/b": values},
          "packed: every value of a mixed message with the subscription that asked for it")
    records = numbered(places["sluice.v1-json"])
    for name in ("a", "b"):
        kinds = [(record.get("marker"), len(record.get("deletes", []))) for record in
                 records["packed", name]]
        check(sum(marker == "MARKER_SYNCED" for marker, _ in kinds) == 1,
              f"{name} is told of sync_response")
        check(sum(deletes for _, deletes in kinds) == 1, f"{name} is told of the delete above it")
    check([record["timestampNs"] for record in records["packed", "b"] if record.get("updates")]
          == [str(number + 1) for number in values], "a part keeps its message's timestamp")


THREE = {f"s{i}": {"paths": [f"/s{i}/p{j}" for j in range(4)]} for i in range(3)}
ALL = tuple(path for options in THREE.values() for path in options["paths"])
BAD = {"/s0/p2", "/s2/p0"}
QUICK = {"backoff": {"min": "50ms", "max": "200ms"}, "quarantine": {"retry": "1s", "max": "2s"}}


def quarantined(collector):
    return {name: collector.total("sluice_quarantined_paths", subscription=name) for name in THREE}


def refusing(lab):
    device = Device(lab, refused=BAD)
    places, sinks = files(lab)
    collector = Collector(lab, {"dev1": device.address}, THREE, sinks, target=QUICK)
    wait_for(lambda: quarantined(collector) == {"s0": 1, "s1": 0, "s2": 1}, 20,
             "two paths in quarantine")
    good = tuple(path for path in ALL if path not in BAD)
    wait_for(lambda: good in device.asked(), 20, "an RPC with all others")
    calls = list(device.calls)
    at = next(i for i, call in enumerate(calls) if call.paths == good)
    check(calls[0].paths == ALL == calls[1].paths, "first all of them, twice")
    check(at <= 2 + 2 * len(BAD) * 4 + 4, f"{at - 2} RPCs found {len(BAD)} of {len(ALL)} paths")
    check(all(len(call.paths) < len(ALL) for call in calls[2:at + 1]), "each for a part of them")
    for path in BAD:
        check(collector.process.find(rf'path in quarantine.* path={path} .*code=INVALID_ARGUMENT'),
              f"the log names {path}")

    def seen():
        return set().union(*events_of(places["event"]).values())
    wait_for(lambda: set(good) <= seen(), 20, "data of all others")
    check(not seen() & BAD, "none of those")
    wait_for(lambda: collector.process.find("path still refused"), 20, "they are tried again")
    check(good in device.asked(), "beside the others, which go on")
    device.refused = set()
    wait_for(lambda: sum(quarantined(collector).values()) == 0, 20, "accepted, they come back")
    wait_for(lambda: device.asked() == [ALL], 20, "one RPC with all of them")
    wait_for(lambda: BAD <= seen(), 20, "with data")
    check(collector.total("sluice_updates_dropped") == 0, "nothing is dropped")
    check(collector.total("sluice_stream_trials") == len(device.calls)
          - collector.total("sluice_stream_subscribes"), "trials are counted apart")
    check(collector.stop() == 0, "sluice ends with 0")
    check(not collector.process.find("balances=NO"), "the ledger balances")
    numbered(places["sluice.v1-json"])


def not_the_paths(lab):
    device = Device(lab, code=grpc.StatusCode.UNIMPLEMENTED)
    device.refuses_all = True
    collector = Collector(lab, {"dev1": device.address}, THREE, {"none": {"type": "null"}},
                          target=QUICK)
    collector.process.wait_line("no path is accepted: it is the request that is refused", 20)
    check(sum(quarantined(collector).values()) == 0, "a device that refuses everything: no quarantine")
    found = collector.process.find("no path is accepted.* tries=([0-9]+)")[0].group(1)
    check(int(found) <= 2 * len(ALL), f"{found} tries for {len(ALL)} paths")
    device.refuses_all = False
    wait_for(lambda: device.asked() == [ALL], 20, "as soon as it accepts, one RPC with all paths")
    check(collector.stop() == 0, "sluice ends with 0")


def too_many(lab):
    device = Device(lab)
    device.most_paths = len(ALL) // 2
    places, sinks = files(lab)
    collector = Collector(lab, {"dev1": device.address}, THREE, sinks, target=QUICK)
    half = ALL[:len(ALL) // 2]
    wait_for(lambda: device.asked() == [half], 30,
             "a device that bears half of the paths: twice refused together, one RPC with half of them")
    check(len(collector.process.find("each path is accepted, but all together are refused")) >= 2,
          "the log says what is the matter, and what to try")
    others = set(ALL) - set(half)
    wait_for(lambda: {found.group(1) for found in
                      collector.process.find(r"path in quarantine.* path=(\S+)")} >= others, 20,
             "the log names the others")
    wait_for(lambda: sum(quarantined(collector).values()) == len(others), 20,
             "the metrics count them")
    wait_for(lambda: set(half) <= set().union(*events_of(places["event"]).values()), 20, "data comes")
    check(collector.stop() == 0, "sluice ends with 0")


def busy(lab):
    device = Device(lab, refused=BAD, code=grpc.StatusCode.RESOURCE_EXHAUSTED)
    collector = Collector(lab, {"dev1": device.address}, THREE, {"none": {"type": "null"}},
                          target=QUICK)
    wait_for(lambda: len(device.calls) >= 6, 20, "RPCs that end with RESOURCE_EXHAUSTED")
    check({call.paths for call in device.calls} == {ALL}, "are not taken for refused paths")
    check(collector.stop() == 0, "sluice ends with 0")


def is_blocked(collector, subscription):
    """Now: not the seconds that it was."""
    return any(name == "sluice_stream_blocked" and has["subscription"] == subscription and value
               for name, has, value in collector.metrics())


def isolation(lab):
    broker = Process(lab, "broker", [sluice(), "broker"])
    bootstrap = broker.wait_line(r"(127\.0\.0\.1:\d+)", 20)[0].group(1)
    device = Device(lab)
    _, sinks = files(lab)
    credit = {"credit": {"initial": "16KiB"}}
    collector = Collector(
        lab, {"dev1": device.address},
        {"a": {"paths": ["/a"], "sinks": ["main"], **credit},
         "b": {"paths": ["/b"], "sinks": ["main"], **credit},
         "c": {"paths": ["/c"], "sinks": ["event"], **credit},
         "d": {"paths": ["/d"], "sinks": ["event"], **credit}},
        {"main": kafka_sink(bootstrap, "t"), "event": sinks["event"]})
    wait_for(lambda: collector.total("updates_published", sink="main") > 20, 20, "records flow")
    check(device.asked() == [("/a", "/b"), ("/c", "/d")], f"an RPC for each sink: {device.asked()}")
    broker.signal(signal.SIGSTOP)
    wait_for(lambda: is_blocked(collector, "a;b"), 30,
             "the RPC of the sink that stands still is held")
    held = collector.total("sluice_stream_credit_bytes", subscription="a;b", state="held")
    limit = collector.total("sluice_stream_limit_bytes", subscription="a;b")
    check(limit == 2 * 16384 and held <= limit,
          f"the window of two is the sum of theirs: {held:.0f} of {limit:.0f} bytes are held")
    before = collector.total("updates_published", sink="event")
    wait_for(lambda: collector.total("updates_published", sink="event") > before + 20, 20,
             "the other RPC goes on")
    check(collector.total("sluice_updates_held", subscription="a") > 0
          and collector.total("sluice_updates_held", subscription="b") > 0
          and not is_blocked(collector, "c;d"),
          "each subscription's updates are counted as held, and the other RPC is not")
    broker.signal(signal.SIGCONT)
    before = collector.total("updates_published", sink="main")
    wait_for(lambda: collector.total("updates_published", sink="main") > before + 2000, 30,
             "the sink is back, and so is the RPC")
    check(collector.stop() == 0, "sluice ends with 0")
    check(not collector.process.find("balances=NO"), "the ledger balances")


def real_server(lab):
    """openconfig's cache and subscribe server: what it sends is given to the right one of two."""
    rounds, base = 200, 1 << 63
    server = lab.start("ocserver", [peer("ocserver"), "--target", "dev1", "--rounds", rounds,
                                    "--interval", "5ms", "--interfaces", 4, "--counters", 3])
    port = server.wait_line(r"^listening (\S+):(\d+)", 20)[0].group(2)
    file = lab.path("events.jsonl")
    said = {"prefix": "/interfaces", "target": "dev1"}
    collector = Collector(
        lab, {"leaf": f"127.0.0.1:{port}"},
        {"some": {"paths": ["interface[name=ethernet-1/2]/state/counters/c1",
                            "interface[name=ethernet-1/3]/state/counters/c0"], **said},
         "all": {"paths": ["/interface[name=*]/state/counters/c2"], **said}},
        {"copy": {"type": "file", "path": str(file)}})
    server.wait_line(r"^done target=dev1 ", 60)
    wanted = {("some", "ethernet-1/2", "c1"): base + rounds * 2,
              ("some", "ethernet-1/3", "c0"): base + rounds,
              **{("all", f"ethernet-1/{i + 1}", "c2"): base + rounds * 3 for i in range(4)}}

    def newest():
        last = {}
        for line in file.read_bytes().split(b"\n")[:-1]:
            for event in parse_events(line):
                for path, value in event["values"].items():
                    last[event["name"], event["tags"]["interface_name"],
                         path.rpartition("/")[2]] = value
        return last

    wait_for(lambda: newest() == wanted, 30, "the last value of each counter, by subscription")
    check(collector.total("sluice_stream_subscribes", subscription="some;all") == 1
          and collector.total("sluice_stream_subscribes") == 1, "openconfig's server: one RPC")
    check(collector.total("sluice_stream_unasked_updates") == 0, "nothing that nobody asked for")
    check(collector.stop() == 0, "sluice ends with 0")
    check(newest() == wanted, f"the last values of {len(wanted)} counters, and no others")


def main(lab):
    part(lab, "subscriptions share RPCs", sharing)
    part(lab, "refused paths", refusing)
    part(lab, "everything refused", not_the_paths)
    part(lab, "too many paths", too_many)
    part(lab, "a busy device", busy)
    part(lab, "a sink that stands still", isolation)
    part(lab, "openconfig's server", real_server)


if __name__ == "__main__":
    run(main)
