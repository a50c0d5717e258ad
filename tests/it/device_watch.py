#!/usr/bin/env python3
"""device_watch - Subscribe of `sluice sim` on a device's data tree as others see it: openconfig's
gnmi_cli, and grpcio with openconfig's proto.

ONCE and POLL end with a sync_response each; a STREAM tells every change of every Set, in order, deletes
too, and samples at its interval; the past, a depth and a config subscription are answered as the
extensions' documents say.
"""
import json
import queue
import subprocess
import time

from harness import check, must, part, run, wait_for  # first: it enters the environment

import grpc

from device_rpcs import CLI_S, GNMI_CLI, MESSAGES, Client, entry, fill, with_data, written
from harness import peer

STREAM, ONCE, POLL = range(3)
TARGET_DEFINED, ON_CHANGE, SAMPLE = range(3)
MTU = entry("eth0") + ["config", "mtu"]


def asked(mode, *paths, encoding=2, updates_only=False):
    """`paths`: (elements, mode, fields of the subscription)."""
    request = MESSAGES["SubscribeRequest"]()
    request.subscribe.mode = mode
    request.subscribe.encoding = encoding
    request.subscribe.updates_only = updates_only
    for elems, how, fields in paths:
        one = request.subscribe.subscription.add(mode=how, **fields)
        fill(one.path, elems)
    return request


def poll():
    request = MESSAGES["SubscribeRequest"]()
    request.poll.SetInParent()
    return request


class Call:
    """One Subscribe RPC."""

    def __init__(self, lab, client, first):
        self.requests = queue.Queue()
        self.requests.put(first)
        subscribe = client.channel.stream_stream(
            "/gnmi.gNMI/Subscribe", request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=MESSAGES["SubscribeResponse"].FromString)
        self.call = subscribe(iter(self.requests.get, None), timeout=40)
        lab.on_end(self.call.cancel)
        lab.on_end(lambda: self.requests.put(None))

    def next(self):
        return next(self.call)

    def until(self, is_last):
        """The responses up to the first for which `is_last` holds, that one included."""
        found = []
        for response in self.call:
            found.append(response)
            if is_last(response):
                return found
        must(False, f"the call ended before what was awaited: {found}")
        return found

    def until_sync(self):
        return self.until(lambda response: response.sync_response)

    def code(self):
        """Reads to the end."""
        try:
            for _ in self.call:
                pass
        except grpc.RpcError as error:
            return error.code()
        return self.call.code()


def path_text(path):
    return "/" + "/".join(elem.name + "".join(f"[{key}={value}]" for key, value in
                                              sorted(elem.key.items())) for elem in path.elem)


def value_of(value):
    arm = value.WhichOneof("value")
    if arm == "leaflist_val":
        return [value_of(one) for one in value.leaflist_val.element]
    got = getattr(value, arm)
    return json.loads(got) if arm.startswith("json") else got


def told(responses):
    """{path: value} after all of it; None for what was deleted."""
    state = {}
    for response in responses:
        state.update({path_text(path): None for path in response.update.delete})
        state.update({path_text(one.path): value_of(one.val) for one in response.update.update})
    return state


def set_mtu(client, mtu):
    client.call("Set", written([("update", MTU, mtu)]))


# ---- gnmi_cli ----

def cli(port, *words):
    return subprocess.run([peer("gnmi_cli", GNMI_CLI), "-address", f"127.0.0.1:{port}", "-insecure",
                           "-timeout", "10s", "-dt", "s", "-q", "interfaces", *words],
                          capture_output=True, text=True, check=False, timeout=CLI_S,
                          stdin=subprocess.DEVNULL)


def by_cli(lab):
    port = with_data(lab)
    client = Client(lab, port)
    leaf = "interfaces/interface/eth0/config/mtu, "
    done = cli(port, "-qt", "once")
    check(done.returncode == 0 and done.stdout.count(leaf) == 1, f"once: {done.returncode}")
    done = cli(port, "-qt", "polling", "-pi", "100ms", "-c", "3", "-dt", "group")
    times = done.stdout.count('"in-octets"')
    check(done.returncode == 0 and times == 3, f"polling: {done.returncode}, {times} times")
    stream = lab.start("gnmi_cli", [peer("gnmi_cli", GNMI_CLI), "-address", f"127.0.0.1:{port}",
                                    "-insecure", "-timeout", "30s", "-dt", "s", "-q", "interfaces",
                                    "-qt", "streaming"])
    stream.wait_line(leaf + ".*9000", 20)
    set_mtu(client, 1234)
    stream.wait_line(leaf + ".*1234", 20)
    client.call("Set", written([("delete", MTU, None)]))
    stream.wait_line(leaf + "<nil>", 20)
    check(stream.is_alive(), "streaming: a value, its change, its end")


# ---- grpcio ----

def once(lab):
    client = Client(lab, with_data(lab))
    for encoding in (0, 2, 4):
        call = Call(lab, client, asked(ONCE, (entry("eth0"), 0, {}), encoding=encoding))
        found = call.until_sync()
        check(told(found)["/interfaces/interface[name=eth0]/config/mtu"] == 9000 and
              len(told(found)) == 5, f"all leaves, encoding {encoding}")
        check(call.code() == grpc.StatusCode.OK, "then sync, then the end")
    call = Call(lab, client, asked(ONCE, (["nothing"], 0, {})))
    check(len(call.until_sync()) == 1 and call.code() == grpc.StatusCode.OK,
          "of nothing: sync alone")
    call = Call(lab, client, asked(ONCE, (entry("eth0"), 0, {}), updates_only=True))
    check(len(call.until_sync()) == 1, "updates_only: sync alone")


def polling(lab):
    client = Client(lab, with_data(lab))
    call = Call(lab, client, asked(POLL, (MTU, 0, {})))
    call.until_sync()
    for mtu in (1, 2, 3):
        set_mtu(client, mtu)
        call.requests.put(poll())
        check(list(told(call.until_sync()).values()) == [mtu], f"poll {mtu}")
    for _ in range(5):
        call.requests.put(poll())
    for _ in range(5):
        call.until_sync()
    check(True, "as many answers as polls")
    call.requests.put(None)
    check(call.code() == grpc.StatusCode.OK, "ends when the client has no more")
    call = Call(lab, client, asked(POLL, (MTU, 0, {})))
    call.requests.put(asked(POLL, (MTU, 0, {})))
    check(call.code() == grpc.StatusCode.INVALID_ARGUMENT, "a second list is refused")


def changes(lab):
    client = Client(lab, with_data(lab))
    call = Call(lab, client, asked(STREAM, (["interfaces"], ON_CHANGE, {})))
    first = told(call.until_sync())
    check(first["/interfaces/interface[name=eth0]/config/mtu"] == 9000, "what there is")
    for mtu in range(100):
        set_mtu(client, mtu)
    seen, stamps = [], []
    while len(seen) < 100:
        response = call.next()
        seen += told([response]).values()
        stamps.append(response.update.timestamp)
    check(seen == list(range(100)), "each of 100 changes, in order")
    check(stamps == sorted(set(stamps)), "each with its own time")
    set_mtu(client, 99)
    client.call("Set", written([("update", ["system", "config", "hostname"], "x")]))
    client.call("Set", written([("delete", entry("eth0"), None), ("update", MTU, 7)]))
    gone = told([call.next()])
    check(gone["/interfaces/interface[name=eth0]/config/mtu"] == 7 and
          gone["/interfaces/interface[name=eth0]/config/description"] is None and
          "/interfaces/interface[name=eth0]/name" not in gone and len(gone) == 4,
          "what did not change, and what was not asked for, is not told; what is gone is")
    call = Call(lab, client, asked(STREAM, (MTU, ON_CHANGE, {}), updates_only=True))
    check(call.next().sync_response, "updates_only: sync first")
    set_mtu(client, 8)
    check(list(told([call.next()]).values()) == [8], "then changes")
    call.requests.put(poll())
    check(call.code() == grpc.StatusCode.INVALID_ARGUMENT, "a poll is refused")


def samples(lab):
    client = Client(lab, with_data(lab))
    call = Call(lab, client, asked(
        STREAM, (MTU, SAMPLE, {"sample_interval": 20_000_000}),
        (["system"], SAMPLE, {"sample_interval": 20_000_000, "suppress_redundant": True})))
    call.until_sync()
    began = time.monotonic()
    found = [call.next() for _ in range(20)]
    took = time.monotonic() - began
    check(set(told(found)) == {"/interfaces/interface[name=eth0]/config/mtu"},
          "one comes each time, the other one only when it changes")
    check(took > 0.3, f"20 samples of 20 ms in {took:.2f} s")
    client.call("Set", written([("update", ["system", "config", "offset"], 6)]))
    call.until(lambda response: "/system/config/offset" in told([response]))
    check(True, "and it does")
    call = Call(lab, client, asked(
        STREAM, (MTU, ON_CHANGE, {"heartbeat_interval": 50_000_000})))
    call.until_sync()
    check([list(told([call.next()]).values()) for _ in range(3)] == [[9000]] * 3, "heartbeats")
    for fields, mode in (({"sample_interval": 1}, SAMPLE), ({"sample_interval": 10**9}, 0)):
        call = Call(lab, client, asked(STREAM, (MTU, mode, fields)))
        check(call.code() == grpc.StatusCode.INVALID_ARGUMENT, f"refused: {fields}, mode {mode}")


def depth(lab):
    client = Client(lab, with_data(lab))
    for level, leaves in ((1, 1), (2, 3), (3, 5), (0, 5)):
        request = asked(ONCE, (entry("eth0"), 0, {}))
        request.extension.add().depth.level = level
        check(len(told(Call(lab, client, request).until_sync())) == leaves, f"depth {level}")


def history(lab):
    client = Client(lab, with_data(lab))
    times = []
    for mtu in (1, 2, 3):
        set_mtu(client, mtu)
        call = Call(lab, client, asked(ONCE, (MTU, 0, {})))
        times.append(call.next().update.timestamp)

    def past(mode, snapshot=None, start=None, end=None, updates_only=False):
        request = asked(mode, (MTU, ON_CHANGE, {}), updates_only=updates_only)
        history_of = request.extension.add().history
        if snapshot is not None:
            history_of.snapshot_time = snapshot
        else:
            history_of.range.start, history_of.range.end = start, end
        return Call(lab, client, request)

    for at, mtu in zip(times, (1, 2, 3)):
        check(list(told(past(ONCE, snapshot=at).until_sync()).values()) == [mtu],
              f"a snapshot of when it was {mtu}")
    call = past(STREAM, start=times[0], end=times[2])
    check(list(told(call.until_sync()).values()) == [1], "a range: what was at its start")
    check(list(told([call.next()]).values()) == [2] and call.code() == grpc.StatusCode.OK,
          "what changed before its end, and the end")
    call = past(STREAM, start=times[0], end=times[2] + 1, updates_only=True)
    check(call.next().sync_response and
          [list(told([call.next()]).values()) for _ in range(2)] == [[2], [3]],
          "updates_only: changes alone")
    far = time.time_ns() + 10**12
    refused = {"STREAM for a snapshot": (past(STREAM, snapshot=times[0]), "INVALID_ARGUMENT"),
               "POLL for a range": (past(POLL, start=1, end=2), "INVALID_ARGUMENT"),
               "a range backwards": (past(STREAM, start=2, end=1), "INVALID_ARGUMENT"),
               "the future": (past(ONCE, snapshot=far), "UNIMPLEMENTED"),
               "before the device was": (past(ONCE, snapshot=1), "OUT_OF_RANGE")}
    for what, (call, code) in refused.items():
        check(call.code().name == code, f"{what}: {code}")


def commits(lab):
    """A config subscription, with a commit that is taken back."""
    client = Client(lab, with_data(lab))
    request = asked(STREAM, (entry("eth0"), ON_CHANGE, {}))
    request.extension.add().config_subscription.start.SetInParent()
    call = Call(lab, client, request)
    first = told(call.until_sync())
    check(first and not [path for path in first if "/state/" in path], "configuration alone")

    def is_done(response):
        return any(one.config_subscription.HasField("sync_done") for one in response.extension)

    def next_commit():
        found = call.until(is_done)
        done = found[-1].extension[0].config_subscription.sync_done
        return list(told(found).values()), done.commit_confirm_id, done.done

    set_mtu(client, 1)
    check(next_commit() == ([1], "", True), "a change, then sync_done")
    request = written([("update", MTU, 2)])
    commit = request.extension.add().commit
    commit.id = "c1"
    commit.commit.rollback_duration.seconds = 60
    client.call("Set", request)
    check(next_commit() == ([2], "c1", True), "a commit's changes, with its id")
    code, _ = client.code("Set", written([("update", MTU, 3)]))
    check(code == grpc.StatusCode.FAILED_PRECONDITION, "nothing else while it waits")
    request = MESSAGES["SetRequest"]()
    commit = request.extension.add().commit
    commit.id = "c1"
    commit.cancel.SetInParent()
    client.call("Set", request)
    check(next_commit() == ([1], "c1", True), "cancelled: taken back")
    request = written([("update", MTU, 4)])
    commit = request.extension.add().commit
    commit.id = "c2"
    commit.commit.rollback_duration.nanos = 50_000_000
    client.call("Set", request)
    check(next_commit() == ([4], "c2", True) and next_commit() == ([1], "c2", True),
          "not confirmed: taken back when its time is over")


def slow(lab):
    """Who does not read holds nobody up, and gets every change that is still kept."""
    client = Client(lab, with_data(lab))
    lazy = Call(lab, client, asked(STREAM, ([], SAMPLE, {"sample_interval": 1_000_000})))
    lazy.until_sync()
    other = Client(lab, with_data(lab))
    for mtu in range(2000):
        set_mtu(client, mtu)
    wait_for(lambda: client.get_json(MTU) == 1999, 20, "the last of 2000")
    lazy.until(lambda response:
               told([response]).get("/interfaces/interface[name=eth0]/config/mtu") == 1999)
    check(other.get_json(MTU) == 9000, "and reaches the end when it reads again")


def ends(lab):
    port = with_data(lab, "--fail", "Subscribe=UNAVAILABLE:not now")
    call = Call(lab, Client(lab, port), asked(ONCE, (MTU, 0, {})))
    check(call.code() == grpc.StatusCode.UNAVAILABLE, "Subscribe fails on demand")


def main(lab):
    part(lab, "gnmi_cli", by_cli)
    part(lab, "once", once)
    part(lab, "polling", polling)
    part(lab, "changes", changes)
    part(lab, "samples", samples)
    part(lab, "depth", depth)
    part(lab, "history", history)
    part(lab, "commits", commits)
    part(lab, "slow", slow)
    part(lab, "failure", ends)


if __name__ == "__main__":
    run(main)
