#!/usr/bin/env python3
"""rotation - files that change under a running collector.

  certificates   authority, client certificate and key are other ones on disk, and a reload takes them:
                 the connection and its call go on, the next one shows the device the new certificate and
                 trusts the new authority; a key that does not fit changes nothing
  a watched file `collector.watch`: written in place, renamed over, and swapped as Kubernetes swaps a
                 ConfigMap, it is in force by itself; a wrong one is refused, in status and log
  a stuck sink   a broker that has stopped answering is configured away: after shutdown-timeout its records
                 are given up, as many as the gap in front of the new epoch says, and the ledger balances

The device's TLS is Python's: it tells which client certificate it was shown.
"""
import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import socket
import ssl
import subprocess

from harness import check, must, part, run, sluice, wait_for

from certificates import Authority
from collector import Collector, configuration, subscription
from devices import Devices
from listener import Peer, tls_context

NULL = {"null": {"type": "null"}}
SESSIONS = r"^(?:stream|ended) device=\S+ session=(\S+)"
RELOAD = r"msg=reload result=(\w+) reason=(\w+) generation=(\d+) added=(\d+) removed=(\d+) changed=(\d+)"


class Front(Peer):
    """TLS before a device that has none. Its files are read anew for each connection."""

    def __init__(self, lab, port, pair, client_cas):
        self.port = port
        self.pair = pair
        self.client_cas = client_cas
        self.serials = []
        self.sockets = []
        super().__init__(lab, self._front)

    def _front(self, connection):
        context = tls_context(self.pair, client_cas=self.client_cas)
        # Behind a proxy of bytes: one TLS object is not two threads' at a time.
        with socket.create_connection(("127.0.0.1", self.port)) as device:
            secure = context.wrap_socket(connection, server_side=True)
            self.sockets.append(secure)
            self.serials.append(int(secure.getpeercert()["serialNumber"], 16))
            self._pass_on(secure, device)

    @staticmethod
    def _pass_on(secure, device):
        secure.setblocking(False)
        device.setblocking(False)
        ways = [(secure, device, bytearray()), (device, secure, bytearray())]
        with selectors.DefaultSelector() as waiting:
            waiting.register(secure, selectors.EVENT_READ)
            waiting.register(device, selectors.EVENT_READ)
            while True:
                for source, sink, held in ways:
                    with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                        while len(held) < 1 << 16:
                            data = source.recv(1 << 14)
                            if not data:
                                return
                            held += data
                    with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError):
                        while held:
                            del held[:sink.send(held)]
                for end, (_, _, held) in ((secure, ways[1]), (device, ways[0])):
                    waiting.modify(end, selectors.EVENT_READ |
                                   (selectors.EVENT_WRITE if held else 0))
                waiting.select()

    def cut(self):
        for secure in self.sockets:
            with contextlib.suppress(OSError):
                secure.shutdown(socket.SHUT_RDWR)

    def end(self):
        super().end()
        self.cut()


def serial(file):
    said = subprocess.run(["openssl", "x509", "-in", str(file), "-noout", "-serial"], check=True,
                          capture_output=True, text=True).stdout
    return int(said.strip().partition("=")[2], 16)


class Watched:
    """A collector, and what it says of its reloads."""

    def __init__(self, collector):
        self.collector = collector
        self.count = 0

    def outcome(self):
        self.count += 1
        found = self.collector.process.wait_line(RELOAD, 30, self.count)
        must(len(found) == self.count, "one reload of each change")
        return found[-1].group(1), found[-1].group(2), int(found[-1].group(6))

    def reload(self):
        self.collector.process.signal(signal.SIGHUP)
        return self.outcome()


def sessions(device):
    """All that the device has had, once it has said something more of those that are open."""
    before = len(device.process.find(SESSIONS))
    found = device.process.wait_line(SESSIONS, 20, before + 1)
    return {match.group(1) for match in found}


def reloads(collector):
    """Whether the last one was taken, the generation, how many were taken and refused."""
    found = {(name, has.get("result")): int(value) for name, has, value in collector.metrics()
             if name.startswith("sluice_config_")}
    return tuple(found.get(key) for key in (("sluice_config_last_reload_successful", None),
                                            ("sluice_config_generation", None),
                                            ("sluice_config_reloads_total", "ok"),
                                            ("sluice_config_reloads_total", "refused")))


def further(collector, what):
    before = collector.total("updates_published")
    wait_for(lambda: collector.total("updates_published") > before + 20, 20, what)


def certificates(lab):
    old, new = Authority(lab, "old"), Authority(lab, "new")
    clients = [authority.issue(f"client-{authority.name}", names=None, server=False)
               for authority in (old, new)]
    servers = [authority.issue(f"server-{authority.name}") for authority in (old, new)]
    trusted, cert, key = (lab.path(name) for name in ("trusted.pem", "mine.pem", "mine.key"))

    def put(authority, pair):
        for source, place in ((authority.file, trusted), (pair[0], cert), (pair[1], key)):
            shutil.copy(source, place)

    put(old, clients[0])
    device = Devices(lab, "sim", 1, rate=100)
    front = Front(lab, device.ports[0], servers[0], [old.file, new.file])
    tls = {"ca": str(trusted), "cert": str(cert), "key": str(key)}
    collector = Collector(lab, {"dev1": front.address}, {"all": subscription()}, NULL,
                          target={"insecure": False, "tls": tls,
                                  "backoff": {"min": "20ms", "max": "100ms"}})
    watched = Watched(collector)
    further(collector, "updates over TLS")
    must(front.serials == [serial(clients[0][0])], "the device is shown the first certificate")

    shutil.copy(clients[1][1], key)
    check(watched.reload()[0] == "refused" and collector.process.find(r"is refused.*mine"),
          "a key of another certificate is refused, with its file's name")
    put(new, clients[1])
    front.pair = servers[1]
    check(watched.reload() == ("ok", "SIGHUP", 1), "other certificates: the target has changed")
    further(collector, "updates after the reload")
    check(len(front.serials) == 1 and len(sessions(device)) == 1, "connection and call are the same ones")

    front.cut()
    wait_for(lambda: len(front.serials) > 1, 20, "another connection")
    further(collector, "updates after the cut")
    check(front.serials[1:] == [serial(clients[1][0])], "the next connection shows the new certificate")
    check(not collector.process.find("reason=tls-"), "and trusts the new authority")
    must(collector.stop() == 0, "sluice ends with 0")


def a_watched_file(lab):
    device = Devices(lab, "sim", 1, rate=100)
    addresses = device.addresses()
    collector = Collector(lab, addresses, {"all": subscription()}, NULL, collector={"watch": True})
    watched = Watched(collector)

    def text(site):
        said = configuration(collector.port, addresses, {"all": subscription()}, NULL,
                             target={"labels": {"site": site}}, collector={"watch": True})
        return json.dumps(said, indent=2)

    def expect(title, *outcome):
        found = watched.outcome()
        check(found == outcome, f"{title}: {found}")

    further(collector, "updates")
    collector.file.write_text(text("in place"), encoding="utf-8")
    expect("written in place", "ok", "file", 1)
    beside = lab.path("beside")
    beside.write_text(text("renamed"), encoding="utf-8")
    beside.rename(collector.file)
    expect("renamed over it", "ok", "file", 1)
    collector.file.write_text("targets: {", encoding="utf-8")
    expect("a wrong one", "refused", "file", 0)
    status = json.loads(collector.get("/api/v1/status")[1])["reload"]
    check(status["result"] == "refused" and status["why"] == "file" and
          any("sluice.yaml" in line for line in status["errors"]), "the status says so, and why")
    check(reloads(collector) == (0, 3, 2, 1), f"so do the metrics: {reloads(collector)}")

    def swap(number, site):
        place = lab.path(f"..{number}")
        place.mkdir()
        (place / "sluice.yaml").write_text(text(site), encoding="utf-8")
        os.symlink(place.name, lab.path("..tmp"))
        lab.path("..tmp").rename(lab.path("..data"))

    swap(1, "mounted")
    os.symlink("..data/sluice.yaml", beside)
    beside.rename(collector.file)
    expect("a link in its place", "ok", "file", 1)
    check(reloads(collector) == (1, 4, 3, 1), f"it is well again in the metrics: {reloads(collector)}")
    for number in (2, 3):
        swap(number, f"swap {number}")
        expect("a ConfigMap's swap", "ok", "file", 1)
    swap(4, "swap 3")
    expect("swapped, and the same", "unchanged", "file", 0)
    further(collector, "updates after all this")
    check(len(sessions(device)) == 1, "one call all the time")
    must(collector.stop() == 0, "sluice ends with 0")


COUNTS = r"(received|published|filtered|held|dropped\.sink-restart|dropped\.closed)=(\d+)"


def a_stuck_sink(lab):
    device = Devices(lab, "sim", 1, rate=100)
    addresses = device.addresses()
    broker = lab.start("broker", [sluice(), "broker", "--topic", "records"])
    bootstrap = broker.wait_line(r"bootstrap (\S+)", 10)[0].group(1)
    copy = lab.path("copy.jsonl")
    exact = {"format": "sluice.v1-json"}
    stuck = {"main": {"type": "kafka", "brokers": [bootstrap], "topic": "records", "key": "${target}", **exact}}
    free = {"main": {"type": "file", "path": str(copy), **exact}}
    more = {"shutdown_timeout": "2s"}
    collector = Collector(lab, addresses, {"all": subscription()}, stuck, **more)
    watched = Watched(collector)
    further(collector, "updates to the broker")
    broker.signal(signal.SIGSTOP)
    lab.on_end(lambda: broker.signal(signal.SIGCONT))
    wait_for(lambda: collector.total("updates_held", sink="main") > 50, 20, "updates that the broker holds")
    collector.file.write_text(json.dumps(configuration(collector.port, addresses, {"all": subscription()},
                                                       free, **more), indent=2), encoding="utf-8")
    check(watched.reload() == ("ok", "SIGHUP", 1), "another sink in its place")
    given_up = collector.process.wait_line(r"is given up.* reason=sink-restart records=(\d+)", 30)
    collector.process.wait_line(r"goes on with the new configuration", 20)
    wait_for(lambda: copy.exists() and copy.read_bytes().count(b"\n") > 20, 20, "records in the new sink")
    check(len(given_up) == 1, "the old one is given up once")
    collector.process.wait_line(r"sink=main .*closed: it is empty", 20)
    must(collector.stop() == 0, "sluice ends with 0")
    counts = {name: int(number) for name, number in
              re.findall(COUNTS, collector.process.find(r"sum=all .*")[0].group())}
    lost = counts["dropped.sink-restart"]
    check(lost > 50 and counts["held"] == 0 and
          counts["received"] == counts["published"] + lost + counts["dropped.closed"],
          f"what it had is lost, the ledger balances: {counts}")
    records = [json.loads(line) for line in copy.read_text(encoding="utf-8").splitlines()]
    told = [record["gap"] for record in records if "gap" in record]
    check([(gap["reason"], int(gap["count"])) for gap in told] ==
          [("sink-restart", lost + counts["dropped.closed"])], f"one gap tells all of it: {told}")
    check(len({record["epoch"] for record in records}) == 1 and
          [int(record["seq"]) for record in records] == list(range(1, len(records) + 1)),
          f"{len(records)} records in a new epoch, without a hole")


def main(lab):
    part(lab, "certificates", certificates)
    part(lab, "a watched file", a_watched_file)
    part(lab, "a stuck sink", a_stuck_sink)


if __name__ == "__main__":
    run(main)
