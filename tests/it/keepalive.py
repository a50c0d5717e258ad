#!/usr/bin/env python3
"""keepalive - a device that is gone over a live connection is noticed; one that is pinged too often is not.

  gone       a device on grpc-go is stopped (SIGSTOP): its kernel goes on acknowledging, it says nothing.
             An HTTP/2 PING stays without an answer, and the connection ends for that reason; continued,
             the device is subscribed to again
  too many   the same device is silent but alive, and the interval far below the 5 minutes that grpc-go's
             servers want by default: it says GOAWAY ENHANCE_YOUR_CALM, too_many_pings. sluice says so,
             comes again, and doubles the interval each time
  in peace   with the default interval the silent device is left alone
"""
import signal
import time

from harness import check, part, run, wait_for

from collector import Collector, subscription
from devices import Devices

ENDED = r'msg="connection ended".* reason={}'


def collect(lab, devices, target):
    return Collector(lab, devices.addresses(), {"all": subscription()}, {"none": {"type": "null"}},
                     target={"backoff": {"min": "50ms", "max": "200ms"}, "dial-timeout": "1s",
                             **target})


def subscribes(collector):
    return collector.total("stream_subscribes")


def gone(lab):
    devices = Devices(lab, "go", 1, rate=20)
    collector = collect(lab, devices, {"keepalive": {"interval": "1s", "timeout": "1s"}})
    wait_for(lambda: collector.total("stream_messages") > 5, 20, "the device sends")
    devices.process.signal(signal.SIGSTOP)
    try:
        (line,) = collector.process.wait_line(ENDED.format("ping-timeout"), 20)[:1]
    finally:
        devices.process.signal(signal.SIGCONT)
    check('no answer to a PING in 1 s' in line.string, "a stopped device is noticed: " + line.string)
    before = collector.total("stream_messages")
    wait_for(lambda: collector.total("stream_messages") > before + 5, 20, "it sends again")
    check(collector.total("connection_ends", reason="ping-timeout") >= 1, "it is counted")
    check(collector.stop() == 0, "sluice ends with 0")


def too_many(lab):
    devices = Devices(lab, "go", 1, rate=20, messages=3)
    collector = collect(lab, devices, {"keepalive": {"interval": "200ms", "timeout": "20s"}})
    lines = collector.process.wait_line(r'msg="the device wants fewer PING" reason=too-many-pings interval-ms=(\d+)', 60, 3)
    intervals = [int(line.group(1)) for line in lines[:3]]
    check(intervals == [400, 800, 1600], f"the interval doubles: {intervals} ms")
    ends = collector.process.wait_line(ENDED.format("goaway") + ".*too_many_pings", 20)
    check("ENHANCE_YOUR_CALM" in ends[0].string, ends[0].string)
    wait_for(lambda: subscribes(collector) >= 4, 20, "it is subscribed to again")
    check(collector.stop() == 0, "sluice ends with 0")


def in_peace(lab):
    devices = Devices(lab, "go", 1, rate=20, messages=3)
    collector = collect(lab, devices, {})
    wait_for(lambda: collector.total("stream_messages") >= 3, 20, "the device has said all it had")
    began = time.monotonic()
    wait_for(lambda: time.monotonic() > began + 5, 6, "a while of silence")
    check(subscribes(collector) == 1 and collector.total("connection_ends") == 0,
          "a silent device that lives is left alone")
    check(collector.stop() == 0, "sluice ends with 0")


def main(lab):
    part(lab, "gone", gone)
    part(lab, "too many", too_many)
    part(lab, "in peace", in_peace)


if __name__ == "__main__":
    run(main)
