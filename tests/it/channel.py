#!/usr/bin/env python3
"""channel - a client's connection to servers of others that come and go, under calls that never stop.

  aging     grpc-go with MaxConnectionAge: GOAWAY on each connection, many times. No call fails
  turns     the same, and it takes one call of a connection at a time: the others queue, none fails
  pause     grpcio is stopped and started again while nothing is asked: no call fails
  restart   the same under load. The one thing that fails is what grpcio itself answers with CANCELLED,
            a call that reaches it when it has begun to stop (its own client hears that too); what it
            answered and what was received are equal
  killed    grpcio is killed: at most the calls that were under way fail, as UNAVAILABLE, and those
            that come later wait for the next server
"""
import os
import re
import signal
import sys
import time

from harness import ROOT, check, free_port, must, part, peer, run, wait_for

AT_A_TIME = 16


class Client:
    """channel-client, and what it counted."""

    def __init__(self, lab, port, at_a_time=AT_A_TIME, patient=False):
        place = os.environ.get("SL_CHANNEL") or ROOT / "build/release/tests/grpc/channel/channel-client"
        self.process = lab.start("channel-client", [place, str(port), str(at_a_time)] +
                                 (["patient"] if patient else []))

    def ready(self, count=1):
        return self.process.wait_line(r"^state ready$", 30, count)

    def pause(self):
        before = len(self.process.find(r"^paused "))
        self.process.signal(signal.SIGUSR1)
        self.process.wait_line(r"^paused ", 30, before + 1)

    def resume(self):
        self.process.signal(signal.SIGUSR1)

    def end(self):
        """Its counts, by name."""
        self.process.signal(signal.SIGTERM)
        line = self.process.wait_line(r"^end (.*)$", 60)[0]
        must(self.process.process.wait(30) == 0, "the client ends with 0: " + line.group(0))
        counts = {name: int(count) for name, count in re.findall(r"(\S+)=(\d+)", line.group(1))}
        return counts

    def failures(self):
        return [found.string for found in self.process.find(r"^failed ")]


def failed(counts):
    return sum(count for name, count in counts.items() if name not in ("ok", "connects", "retries"))


def run_for(seconds):
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() > until, seconds + 5, "time passes")


def aging_server(lab, *options):
    server = lab.start("agingserver", [peer("agingserver"), *options])
    return server.wait_line(r"^listening 127\.0\.0\.1:(\d+)$", 30)[0].group(1)


def aging(lab, at_a_time, *options):
    client = Client(lab, aging_server(lab, *options), at_a_time)
    client.ready()
    run_for(60 if lab.is_long else 4)
    client.ready(10)
    counts = client.end()
    check(failed(counts) == 0 and counts["ok"] > 100,
          f"no call fails over {counts['connects']} connections: {counts} {client.failures()}")
    check(counts["connects"] > 10, "the connections did not last")


def python_server(lab, port):
    server = lab.start(f"grpcio-{time.monotonic_ns()}",
                       [sys.executable, ROOT / "tests/grpc/channel/server.py", str(port)])
    server.wait_line("^listening$", 30)
    return server


def answered(server):
    """Stops it; how many calls it answered."""
    must(server.terminate() == 0, "grpcio's server ends with 0")
    return int(server.wait_line(r"^answered (\d+)$", 10)[0].group(1))


def pause(lab):
    port = free_port()
    server = python_server(lab, port)
    client = Client(lab, port)
    total = 0
    for _ in range(20 if lab.is_long else 3):
        run_for(0.3)
        client.pause()
        total += answered(server)
        server = python_server(lab, port)
        client.resume()
    run_for(0.3)
    counts = client.end()
    total += answered(server)
    check(failed(counts) == 0 and counts["ok"] > 0, f"no call fails: {counts} {client.failures()}")
    check(counts["ok"] == total, f"each call was answered once: {total}")


def restart(lab):
    port = free_port()
    server = python_server(lab, port)
    client = Client(lab, port, patient=True)
    rounds = 20 if lab.is_long else 3
    total = 0
    for done in range(rounds):
        client.ready(done + 1)
        run_for(0.3)
        total += answered(server)
        server = python_server(lab, port)
    client.ready(rounds + 1)
    run_for(0.3)
    counts = client.end()
    total += answered(server)
    check(failed(counts) == counts.get("CANCELLED", 0) <= rounds * AT_A_TIME,
          f"what fails grpcio says: {counts}")
    check(all("the peer says: CANCELLED" in line for line in client.failures()),
          f"in these words: {client.failures()}")
    check(counts["ok"] == total, f"each answer was received, and no call ran twice: {total}")


def killed(lab):
    port = free_port()
    server = python_server(lab, port)
    client = Client(lab, port, patient=True)
    rounds = 20 if lab.is_long else 3
    for done in range(rounds):
        client.ready(done + 1)
        run_for(0.3)
        server.end()
        server = python_server(lab, port)
    client.ready(rounds + 1)
    run_for(0.3)
    counts = client.end()
    check(failed(counts) == counts.get("UNAVAILABLE", 0) <= rounds * AT_A_TIME,
          f"at most what was under way fails, as UNAVAILABLE: {counts} {client.failures()}")
    check(counts["ok"] > 0 and counts["connects"] == rounds + 1, "the others are answered")


def main(lab):
    part(lab, "aging", aging, AT_A_TIME)
    part(lab, "turns", aging, AT_A_TIME, "-streams", "1", "-work", "1ms")
    part(lab, "pause", pause)
    part(lab, "restart", restart)
    part(lab, "killed", killed)


if __name__ == "__main__":
    run(main)
