#!/usr/bin/env python3
"""kafka_secure - brokers that want to know who comes: SASL PLAIN, SCRAM-SHA-256 and -512, OAUTHBEARER,
TLS, mTLS, alone and together; and the compressions.

One real broker with a listener for each way in. First one collector with a sink for each: a device's
records arrive through all of them, complete, and its consumer comes in by the plaintext listener. Then one
with everything that can be wrong: each sink says what, takes nothing, holds its own device alone, and
no password is printed. What an administrator puts right at the broker heals without a restart. Tokens are
good for seconds: somebody writes new ones into the file until he forgets, and remembers.
"""
import base64
import json
import os
import threading
import time

from harness import check, must, part, run, wait_for

from confluent_kafka.admin import (AdminClient, ScramCredentialInfo, ScramMechanism,
                                   UserScramCredentialUpsertion)

from certificates import Authority, Certificates
from collector import Collector, subscription
from devices import Devices
from kafka import Kafka, Reader
from records import Ledger, event_sample
from sequence import read_back

MESSAGES = 200
PASSWORD = "pass-Xk7marked-word"
WRONG = "wrong-Xk7marked-word"
MARK = "Xk7marked"
TOKEN_S = 6  # librdkafka asks for a new one when four fifths of that are over
TOKENS = 3
LISTENERS = {"SASL": 2, "TLS": 3, "MTLS": 4, "BOTH": 5, "OAUTH": 6}  # behind the plaintext port
PROTOCOLS = {"SASL": "SASL_PLAINTEXT", "TLS": "SSL", "MTLS": "SSL", "BOTH": "SASL_SSL",
             "OAUTH": "SASL_PLAINTEXT"}
SCRAM = {"SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256, "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512}
MODULES = "org.apache.kafka.common.security"


def broker_properties(lab, certificates):
    """Lines of server.properties. The broker reads key and certificates as PEM."""
    pair = lab.path("broker.pem")
    pair.write_text(certificates.server[1].read_text() + certificates.server[0].read_text())

    def properties(port):
        listeners = [f"PLAINTEXT://127.0.0.1:{port}",
                     *(f"{name}://127.0.0.1:{port + offset}" for name, offset in LISTENERS.items())]
        protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **PROTOCOLS}
        lines = [
            f"listeners={','.join(listeners)},CONTROLLER://127.0.0.1:{port + 1}",
            f"advertised.listeners={','.join(listeners)}",
            "listener.security.protocol.map=" + ",".join(f"{k}:{v}" for k, v in protocols.items()),
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER",
            # The broker ends a connection whose token is over.
            f"listener.name.oauth.oauthbearer.connections.max.reauth.ms={TOKEN_S * 1000}",
            "listener.name.oauth.oauthbearer.sasl.jaas.config="
            f"{MODULES}.oauthbearer.OAuthBearerLoginModule required;",
            "ssl.keystore.type=PEM", f"ssl.keystore.location={pair}",
            "ssl.truststore.type=PEM", f"ssl.truststore.location={certificates.ca.file}",
            "listener.name.mtls.ssl.client.auth=required",
        ]
        for name in ("sasl", "both"):
            lines.append(f"listener.name.{name}.plain.sasl.jaas.config={MODULES}.plain.PlainLoginModule"
                         f' required user_collector="{PASSWORD}";')
            lines += [f"listener.name.{name}.{mechanism.lower()}.sasl.jaas.config="
                      f"{MODULES}.scram.ScramLoginModule required;" for mechanism in SCRAM]
        return "\n".join(lines) + "\n"
    return properties


def add_scram_user(kafka, name, password):
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for mechanism in SCRAM.values():
        credential = UserScramCredentialUpsertion(name, ScramCredentialInfo(mechanism, 4096),
                                                  password.encode())
        for done in admin.alter_user_scram_credentials([credential]).values():
            done.result(30)


class Ways:
    """Sinks of the configuration, by the way that they come in."""

    def __init__(self, lab, kafka, certificates):
        self.lab = lab
        self.kafka = kafka
        self.certificates = certificates
        self.secret = lab.path("kafka.secret")
        self.secret.write_text(PASSWORD + "\n", encoding="utf-8")

    def sink(self, topic, listener=None, **properties):
        port = self.kafka.port + (LISTENERS[listener] if listener else 0)
        if listener:
            properties = {"security.protocol": PROTOCOLS[listener].lower(), **properties}
        return {"type": "kafka", "brokers": [f"127.0.0.1:{port}"], "topic": topic,
                "key": "${target}", "properties": properties}

    def login(self, mechanism="PLAIN", user="collector", password=None):
        return {"sasl.mechanism": mechanism, "sasl.username": user,
                "sasl.password": password or {"file": str(self.secret)}}

    def tls(self, ca=None, cert=False):
        words = {"ssl.ca.location": str((ca or self.certificates.ca).file)}
        if cert:
            words.update({"ssl.certificate.location": str(self.certificates.client[0]),
                          "ssl.key.location": str(self.certificates.client[1])})
        return words

    def good(self):
        return {
            "plain": self.sink("plain", "SASL", **self.login()),
            "plain-tls": self.sink("plain-tls", "BOTH", **self.login(), **self.tls()),
            **{mechanism.lower(): self.sink(mechanism.lower(), "SASL", **self.login(mechanism))
               for mechanism in SCRAM},
            "scram-tls": self.sink("scram-tls", "BOTH", **self.login("SCRAM-SHA-512"), **self.tls()),
            "tls": self.sink("tls", "TLS", **self.tls()),
            "mtls": self.sink("mtls", "MTLS", **self.tls(cert=True)),
            **{kind: self.sink(kind, **{"compression.type": kind})
               for kind in ("gzip", "snappy", "lz4", "zstd")},
        }

    def bad(self, other):
        """By name: the sink, and what it must say."""
        return {
            "plain-password": (self.sink("bad", "SASL", **self.login(password=WRONG)),
                               "[Aa]uthentication failed"),
            "scram-password": (self.sink("bad", "SASL", **self.login("SCRAM-SHA-256", password=WRONG)),
                               "[Aa]uthentication failed"),
            "scram-user": (self.sink("late", "SASL", **self.login("SCRAM-SHA-512", "latecomer")),
                           "[Aa]uthentication failed"),
            "authority": (self.sink("bad", "TLS", **self.tls(ca=other)), "certificate verify failed"),
            "no-certificate": (self.sink("bad", "MTLS", **self.tls()), "certificate"),
            "not-tls": (self.sink("bad", "SASL", **{"security.protocol": "ssl"}, **self.tls()),
                        "SSL handshake failed|[Dd]isconnected|closed"),
            "not-sasl": (self.sink("bad", "TLS", **{"security.protocol": "sasl_ssl"}, **self.login(),
                                   **self.tls()), "SaslHandshake|[Dd]isconnected|[Uu]nsupported|SASL"),
        }


def compression_of(kafka, topic):
    """What the broker's log of the topic says of its batches."""
    place = next((kafka.data / "logs").glob(f"{topic}-*/*.log"))
    batch = place.read_bytes()
    names = ["none", "gzip", "snappy", "lz4", "zstd"]
    return names[int.from_bytes(batch[21:23], "big") & 7]  # Kafka protocol, record batch: attributes


def good_ways(lab, kafka, ways):
    sinks = ways.good()
    for name in sinks:
        kafka.topic(name, 1)
    devices = Devices(lab, "sim", 1, messages=MESSAGES)
    collector = Collector(lab, devices.addresses(), {"all": subscription()}, sinks)
    devices.wait_done(1, 60)
    for name in sinks:
        kafka.wait_records(name, MESSAGES)
    must(collector.stop() == 0, "sluice ends with 0")
    for name in sinks:
        ledger = read_back(kafka, name, event_sample, devices, 1)
        check(all(stream.device_seq == MESSAGES for stream in ledger.streams.values()),
              f"{name}: 1 … {MESSAGES}")
    for kind in ("gzip", "snappy", "lz4", "zstd"):
        check(compression_of(kafka, kind) == kind, f"the broker has {kind} as {kind}")
    said = "\n".join(collector.process.lines)
    check(MARK not in said, "no password in the log")


def wrong_ways(lab, kafka, ways):
    cases = ways.bad(Authority(lab, "other-ca"))
    for topic in ("bad", "late", "flows"):
        kafka.topic(topic, 1)
    devices = Devices(lab, "sim", len(cases) + 1, rate=100)
    names = [*cases, "flows"]
    addresses = dict(zip(names, devices.addresses().values()))
    sinks = {name: sink for name, (sink, _) in cases.items()}
    sinks["flows"] = ways.sink("flows")
    collector = Collector(lab, addresses, {"all": subscription()}, sinks,
                          targets={name: {"sinks": [name]} for name in names})
    for name, (_, words) in cases.items():
        line = collector.process.wait_line(rf"sink={name} .*({words})", 30)[0]
        check(True, f"{name}: {line.group(0)[-200:]}")
    wait_for(lambda: collector.total("updates_published", target="flows") > 1000, 30,
             "a device beside them flows")
    published = {name: collector.total("updates_published", target=name) for name in cases}
    check(not any(published.values()), f"nothing went the wrong ways: {published}")
    text = collector.get("/metrics")[1] + "\n".join(collector.process.lines)
    check(MARK not in text, "no password in log or metrics")
    add_scram_user(kafka, "latecomer", PASSWORD)
    wait_for(lambda: collector.total("updates_published", target="scram-user") > 100, 60,
             "a user that the broker learns of comes in by itself")
    check(True, "a user that the broker learns of comes in by itself")
    must(collector.stop() == 0, "sluice ends with 0")
    text = json.dumps(collector.process.lines)
    check(MARK not in text, "no password in the whole log")


class TokenWriter:
    """Keeps a fresh token in a file: an unsecured JSON Web Token (RFC 7519, 6), which a broker takes
    unless it is told better. Whoever reads the file finds the old one or the new one, whole."""

    def __init__(self, lab):
        self.place = lab.path("kafka.token")
        self.claims = []
        self.forgets = threading.Event()
        self.ends = threading.Event()
        self.write()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        lab.on_end(self.ends.set)

    def write(self):
        now = time.time()
        claims = {"sub": "collector", "iat": now, "exp": now + TOKEN_S, "jti": f"{MARK}-{now}"}
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
                 for part in ({"alg": "none"}, claims)]
        fresh = self.place.with_suffix(".new")
        fresh.write_text(".".join(parts) + ".\n", encoding="ascii")
        os.replace(fresh, self.place)
        self.claims.append(parts[1])

    def _run(self):
        while not self.ends.wait(TOKEN_S / 3):
            if not self.forgets.is_set():
                self.write()


def tokens(lab, kafka, ways):
    kafka.topic("oauth", 1)
    writer = TokenWriter(lab)
    sink = {**ways.sink("oauth", "OAUTH", **{"sasl.mechanism": "OAUTHBEARER"}),
            "oauth": {"token-file": str(writer.place)}}
    devices = Devices(lab, "sim", 1, rate=100)
    collector = Collector(lab, devices.addresses(), {"all": subscription()}, {"main": sink})
    collector.process.wait_line("sink=main .*login: a new token", 4 * TOKEN_S, TOKENS)
    before = collector.total("updates_published")
    wait_for(lambda: collector.total("updates_published") > before + 100, 20, "flows with new tokens")
    check(True, f"{TOKENS} tokens of {TOKEN_S} s: flows")
    writer.forgets.set()
    line = collector.process.wait_line("sink=main .*its token is over", 4 * TOKEN_S)[0]
    check(True, f"nobody writes a new one: {line.group(0)[-120:]}")
    wait_for(lambda: collector.total("updates_held") > 100, 4 * TOKEN_S, "the device is held")
    published = collector.total("updates_published")
    writer.forgets.clear()
    wait_for(lambda: collector.total("updates_published") > published + 500, 40, "flows again")
    check(True, "the device was held, and flows when there is a token again")
    writer.ends.set()
    must(collector.stop() == 0, "sluice ends with 0")
    ledger = Ledger(event_sample)
    for message in Reader(kafka.bootstrap, "oauth").messages():
        ledger.take(message)
    ledger.check_streams(1)
    said = "\n".join(collector.process.lines)
    check(not any(claims in said for claims in writer.claims),
          f"none of {len(writer.claims)} tokens is in the log")


def main(lab):
    certificates = Certificates(lab)
    kafka = Kafka(lab, properties=broker_properties(lab, certificates), ports=2 + len(LISTENERS))
    add_scram_user(kafka, "collector", PASSWORD)
    ways = Ways(lab, kafka, certificates)
    part(lab, "good ways in", good_ways, kafka, ways)
    part(lab, "wrong ways in", wrong_ways, kafka, ways)
    part(lab, "tokens", tokens, kafka, ways)


if __name__ == "__main__":
    run(main)
