#!/usr/bin/env python3
"""foreign_client - `sluice sim` as a gRPC client sees it that is not ours (grpcio, openconfig's proto).

What the other scenarios take the simulator's word for is read here without sluice between: that its
messages are numbered without holes, that holes are its `duplicates` when it coalesces, that a
subscription's interval is kept, that it can be told apart by prefix.target. The same for the device on
grpc-go, which must keep the same law.
"""
import threading
import time

from harness import check, part, run, sluice, wait_for  # first: it enters the environment

import grpc

from devices import Devices
from records import Ledger, Stream, gnmi_messages, response_sample

MESSAGES = gnmi_messages()
SMALL_WINDOWS = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16384)]


def request(mode="TARGET_DEFINED", interval_ns=0, target="",
            path=("interfaces", "interface", "state", "counters")):
    made = MESSAGES["SubscribeRequest"]()
    made.subscribe.mode = 0  # STREAM
    made.subscribe.encoding = 2  # PROTO
    made.subscribe.prefix.target = target
    one = made.subscribe.subscription.add()
    one.mode = one.DESCRIPTOR.fields_by_name["mode"].enum_type.values_by_name[mode].number
    one.sample_interval = interval_ns
    for name in path:
        one.path.elem.add(name=name)
    return made


class Call:
    """One Subscribe RPC."""

    def __init__(self, lab, port, asked):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=SMALL_WINDOWS)
        subscribe = self.channel.stream_stream(
            "/gnmi.gNMI/Subscribe", request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=MESSAGES["SubscribeResponse"].FromString)
        self.over = threading.Event()
        self.call = subscribe(self._requests(asked), timeout=60)
        self.synced = 0
        self.targets = set()
        self.stream = Stream(0)
        self.ledger = Ledger(response_sample)
        lab.on_end(self.close)

    def close(self):
        self.over.set()
        self.channel.close()

    def _requests(self, asked):
        """Does not end before the call: the request is never half-closed."""
        yield asked
        self.over.wait()

    def read(self, until):
        """Reads until `until(stream)`."""
        for response in self.call:
            self.synced += response.sync_response
            self.targets.add(response.update.prefix.target)
            self.ledger.take_payload("stream", self.stream, response)
            if self.synced and until(self.stream):
                return


def numbers(lab, kind):
    devices = Devices(lab, kind, 1, messages=20_000, updates=20)
    call = Call(lab, devices.ports[0], request())
    call.read(lambda stream: stream.device_seq >= 20_000)
    check(call.ledger.errors == 0, f"1 … {call.stream.device_seq}, in order, once")
    check(call.synced == 1, "sync_response once")
    (session, (_, last, messages)), = devices.wait_done(1, 5).items()
    check((session, last, messages) == (call.stream.session, 20_000, call.stream.messages),
          "done says what was sent")


def coalescing(lab, kind):
    devices = Devices(lab, kind, 1, messages=20_000, rate=5000, when_held="coalesce")
    call = Call(lab, devices.ports[0], request())
    call.read(lambda stream: stream.device_seq > 100)
    wait_for(lambda: any(blocked > 1 for _, blocked in devices.now().values()), 20,
             "a device that is not read from says blocked")
    call.read(lambda stream: stream.device_seq >= 20_000)
    check(call.ledger.errors == 0 and call.stream.merged > 1000,
          f"every hole is the duplicates of what follows it ({call.stream.merged} merged)")


def interval(lab, kind):
    devices = Devices(lab, kind, 1, messages=0)
    call = Call(lab, devices.ports[0], request("SAMPLE", 10_000_000))
    call.read(lambda _: True)
    began, first = time.monotonic(), call.stream.device_seq
    call.read(lambda stream: stream.device_seq >= first + 300)
    took = time.monotonic() - began
    check(2.5 < took < 4, f"300 samples of 10 ms in {took:.2f} s, though the device may go fast")


def one_port(lab):
    process = lab.start("sim", [sluice(), "sim", "--listen", "127.0.0.1:0", "--devices", 3,
                                "--count", 100, "--fast"])
    port = process.wait_line(r"^listening (\S+):(\d+)", 20)[0].group(2)
    for name in ("sim1", "sim3"):
        call = Call(lab, port, request(target=name))
        call.read(lambda stream: stream.device_seq >= 100)
        check(call.targets - {""} == {name}, f"{name} answers as {call.targets}")
    stranger = Call(lab, port, request(target="sim4"))
    try:
        stranger.read(lambda _: True)
        check(False, "a device that is not there answered")
    except grpc.RpcError as error:
        check(error.code() == grpc.StatusCode.NOT_FOUND, f"no such device: {error.code()}")


def main(lab):
    for kind, title in (("sim", "simulator"), ("go", "grpc-go device")):
        part(lab, f"numbers, {title}", numbers, kind)
        part(lab, f"coalescing, {title}", coalescing, kind)
        part(lab, f"interval, {title}", interval, kind)
    part(lab, "one port", one_port)


if __name__ == "__main__":
    run(main)
