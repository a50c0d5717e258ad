#!/usr/bin/env python3
"""tls - devices behind TLS: what goes well is complete, what does not is refused with its reason.

Each device demands a client certificate: the simulator (and a password), a device on grpc-go with TLS
1.2 and with 1.3 alone, openconfig's server. Addresses are IPv4, IPv6 and a name. Then one collector
beside a good device has all that can be wrong with a peer, each played by Python's ssl or by a bare
socket: it must say what is wrong, try again with growing waits, and the good device must not notice.
"""
import re
import socket
import ssl

from harness import check, must, part, run, wait_for

from certificates import Authority, Certificates
from collector import Collector, kafka_sink, subscription
from devices import Devices
from kafka import Kafka
from listener import Peer, hang_up, plaintext, silent, tls_server
from real_input import through
from records import event_sample
from sequence import read_back

NULL = {"null": {"type": "null"}}
FIRST_WAIT_MS = 50
LOGIN = ("telemetry", "it-password")


# ---- what goes well ----

def sequences(lab, kafka, certificates, title, kind, messages, words=(), **options):
    topic = kafka.topic(f"tls-{title}")
    devices = Devices(lab, kind, 3, messages=messages,
                      words=[*certificates.device_words(), *words], **options)
    login = {"username": LOGIN[0], "password": LOGIN[1]} if "login" in options else {}
    collector = Collector(lab, devices.addresses(), {"all": subscription()},
                          {"main": kafka_sink(kafka.bootstrap, topic)},
                          target=certificates.target(**login))
    devices.wait_done(3, 120)
    kafka.wait_records(topic, 3 * messages)
    must(collector.stop() == 0, "sluice ends with 0")
    ledger = read_back(kafka, topic, event_sample, devices, 3)
    check(all(stream.device_seq == messages for stream in ledger.streams.values()),
          f"each session is 1 … {messages}")


def addresses(lab, certificates):
    """One simulator on IPv6, one on IPv4; a name leads to one of them, or to both."""
    sims = {"v6": Devices(lab, "sim", 1, name="v6", listen="[::1]:0", rate=100,
                          words=certificates.device_words()),
            "v4": Devices(lab, "sim", 1, name="v4", rate=100, words=certificates.device_words())}
    port = {name: sim.ports[0] for name, sim in sims.items()}
    where = {"v6": f"[::1]:{port['v6']}", "v4": f"127.0.0.1:{port['v4']}",
             "name": f"localhost:{port['v4']}", "asked": f"127.0.0.1:{port['v4']}",
             "not-asked": f"127.0.0.1:{port['v4']}"}
    tls = certificates.target()["tls"]
    collector = Collector(
        lab, where, {"all": subscription()}, NULL, target=certificates.target(),
        targets={"asked": {"tls": {**tls, "server-name": "localhost"}},
                 "not-asked": {"tls": {**tls, "server-name": "elsewhere"},
                               "backoff": {"min": "20ms", "max": "100ms"}}})
    for name in ("v6", "v4", "name", "asked"):
        wait_for(lambda name=name: collector.total("updates_published", target=name) > 100, 20,
                 f"updates of {name}")
        check(True, f"{where[name]} ({name}) sends over TLS")
    collector.process.wait_line(r"target=not-asked .*reason=tls-name-mismatch", 20)
    check(collector.process.find(r"target=v6 msg=connected peer=\[::1\]:"), "over IPv6")
    check(collector.total("updates_published", target="not-asked") == 0,
          "server-name is what counts, not the address")
    must(collector.stop() == 0, "sluice ends with 0")


# ---- what does not ----

def wrong_peers(certificates, other):
    """By target: how the peer behaves, the reason in log and metric, words of the text, what the
    target says."""
    ca = certificates.ca
    good = certificates.server
    return {
        "expired": (tls_server(ca.issue("expired", days=-1)), "tls-certificate-expired",
                    r"the certificate expired on 20\d\d-\d\d-\d\d", {}),
        "name": (tls_server(ca.issue("name", names="DNS:other.example")), "tls-name-mismatch",
                 "not for 'localhost' .*but for: other.example", {"server-name": "localhost"}),
        "ip": (tls_server(ca.issue("ip", names="IP:192.0.2.1,DNS:localhost")), "tls-name-mismatch",
               "not for '127.0.0.1' .*but for: 192.0.2.1 localhost", {}),
        "issuer": (tls_server(other.issue("issuer")), "tls-unknown-issuer",
                   "issuer is not known here .*/CN=other-ca", {}),
        "usage": (tls_server(ca.issue("usage", server=False)), "tls-certificate",
                  "the certificate is refused: .*(purpose|usage)", {}),
        "itself": (tls_server((other.file, other.key)), "tls-self-signed", "is self-signed", {}),
        "client-missing": (tls_server(good, client_ca=ca.file), "tls-alert",
                           "certificate required", {"cert": "", "key": ""}),
        "client-missing-1-2": (tls_server(good, client_ca=ca.file,
                                          versions=(ssl.TLSVersion.TLSv1_2,) * 2), "tls-alert",
                               "handshake failure .*client certificate", {"cert": "", "key": ""}),
        "client-refused": (tls_server(good, client_ca=other.file), "tls-alert", "unknown ca", {}),
        "no-alpn": (tls_server(good, alpn=None), "tls-alpn", "selects no protocol", {}),
        "http1": (tls_server(good, alpn=["http/1.1"]), "tls-alpn", "selects no protocol", {}),
        "old": (tls_server(good, versions=(ssl.TLSVersion.TLSv1_1,) * 2), "tls-alert",
                "protocol version .*TLS 1.2 or later", {}),
        "plaintext": (plaintext, "tls-not-tls", "is it plaintext", {}),
        "hangs-up": (hang_up, "tls-handshake-cut", "is it plaintext", {}),
        "silent": (silent, "tls-handshake-timeout", "did not end in time", {}),
    }


def wrong(lab, certificates):
    cases = wrong_peers(certificates, Authority(lab, "other-ca"))
    where = {name: Peer(lab, serve).address for name, (serve, *_) in cases.items()}
    good = Devices(lab, "sim", 1, rate=200, words=certificates.device_words())
    where["good"] = good.addresses()["dev1"]
    tls = certificates.target()["tls"]
    said = {name: {"tls": {**tls, **more}, "dial-timeout": "500ms",
                   "backoff": {"min": f"{FIRST_WAIT_MS}ms", "max": "400ms"}}
            for name, (_, _, _, more) in cases.items()}
    collector = Collector(lab, where, {"all": subscription()}, NULL,
                          target=certificates.target(), targets=said)
    for name, (_, reason, words, _) in cases.items():
        wait_for(lambda name=name, reason=reason:
                 collector.total("connection_ends", target=name, reason=reason) >= 3, 30,
                 f"{name} fails three times because of {reason}")
        found = collector.process.find(rf'target={name} .*reason={reason} why="TLS 127\S+: (.*?)"'
                                       r" retry-ms=(\d+)")
        check(found and re.search(words, found[0].group(1)),
              f"{name}: {reason}: {found[0].group(1) if found else 'no line'}")
        wait_for(lambda name=name: max(int(match.group(1)) for match in collector.process.find(
            rf"target={name} .*retry-ms=(\d+)")) > FIRST_WAIT_MS, 30, f"{name}: the waits grow")
        ends = {labels["reason"] for word, labels, value in collector.metrics()
                if "connection_ends" in word and labels.get("target") == name and value}
        check(ends == {reason}, f"{name}: nothing else was ever said: {sorted(ends)}")
    before = collector.total("updates_published", target="good")
    wait_for(lambda: collector.total("updates_published", target="good") > before + 100, 20,
             "the good device goes on")
    check(collector.total("connection_ends", target="good") == 0, "the good device never noticed")
    must(collector.stop() == 0, "sluice ends with 0")


def skipping(lab, certificates):
    """Whoever answers is taken, and the log says so, once for each target."""
    other = Authority(lab, "other-ca").issue("stranger", names="DNS:elsewhere", days=-1)
    devices = Devices(lab, "sim", 2, rate=100,
                      words=["--tls-cert", other[0], "--tls-key", other[1]])
    collector = Collector(lab, devices.addresses(), {"all": subscription()}, NULL,
                          target={"insecure": False, "skip-verify": True})
    for name in devices.addresses():
        wait_for(lambda name=name: collector.total("updates_published", target=name) > 100, 20,
                 f"updates of {name}")
        check(len(collector.process.find(rf"level=warn target={name} msg=\"skip-verify: ")) == 1,
              f"{name}: a warning")
    must(collector.stop() == 0, "sluice ends with 0")


def refused_by_the_simulator(lab, certificates):
    """Without a certificate, in plaintext, with the wrong password: said on both sides. One that never
    says a word is not kept."""
    sim = Devices(lab, "sim", 1, rate=100, words=certificates.device_words(), login=LOGIN)
    address = sim.addresses()["dev1"]
    mute = socket.create_connection(("127.0.0.1", sim.ports[0]))
    lab.on_end(mute.close)
    user = {"username": LOGIN[0], "password": LOGIN[1]}
    waits = {"backoff": {"min": "50ms", "max": "200ms"}}
    targets = {"good": certificates.target(**user),
               "nobody": certificates.target(has_certificate=False, **user, **waits),
               "plain": {"insecure": True, **user, **waits},
               "stranger": certificates.target(username=LOGIN[0], password="wrong", **waits)}
    collector = Collector(lab, dict.fromkeys(targets, address), {"all": subscription()}, NULL,
                          targets=targets)
    wait_for(lambda: collector.total("updates_published", target="good") > 100, 20, "updates")
    collector.process.wait_line(r"target=nobody .*reason=tls-alert why=\"TLS \S+ the peer refuses "
                                r"with alert 116, certificate required", 20)
    collector.process.wait_line(r"target=plain .*msg=\"connection ended\"", 20)
    collector.process.wait_line(r"target=stranger .*code=UNAUTHENTICATED", 20)
    sim.process.wait_line(r"refused peer=127\S+ reason=tls-certificate-missing", 20)
    sim.process.wait_line(r"refused peer=127\S+ reason=tls-not-tls", 20)
    check(True, "a client without certificate, one in plaintext: both sides say why")
    sim.process.wait_line(rf"refused peer=127.0.0.1:{mute.getsockname()[1]} "
                          r"reason=tls-handshake-timeout", 30)
    check(mute.recv(1) == b"", "a client that says nothing is hung up on")
    others = [name for name in targets if name != "good"]
    check(sum(collector.total("updates_published", target=name) for name in others) == 0,
          "only the good one has updates")
    must(collector.stop() == 0, "sluice ends with 0")


def main(lab):
    certificates = Certificates(lab)
    part(lab, "addresses", addresses, certificates)
    part(lab, "wrong peers", wrong, certificates)
    part(lab, "skip-verify", skipping, certificates)
    part(lab, "refused by the simulator", refused_by_the_simulator, certificates)
    kafka = Kafka(lab)
    messages = 100_000 if lab.is_long else 10_000
    part(lab, "simulator to Kafka", sequences, kafka, certificates, "sim", "sim", messages,
         login=LOGIN)
    for version in ("1.2", "1.3"):
        part(lab, f"grpc-go device to Kafka, TLS {version}", sequences, kafka, certificates,
             f"go-{version}", "go", messages, words=["--tls-version", version])
    part(lab, "openconfig's server to Kafka", through, *((10_000, 2) if lab.is_long else (1_000, 2)),
         kafka=kafka, words=certificates.device_words(), target=certificates.target())


if __name__ == "__main__":
    run(main)
