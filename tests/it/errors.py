#!/usr/bin/env python3
"""errors - deploy/errors.md, made to happen row by row.

check       every file of tests/unit/config/broken: each line of `sluice check` is of a row, and each row has
            a line
connection  devices of grpcio, Python's ssl and bare sockets, each wrong in one way: the log names the
            target, the reason, and what to try as the table has it
kafka       brokers that are not there, not trusted, or say no (Apache Kafka with SASL and ACLs)

No row is without a case, and no case without a row.
"""
import contextlib
import os
import re
import socket
import subprocess
import threading
from concurrent import futures

from harness import ROOT, Failed, check, free_port, must, part, run, sluice, wait_for  # first: the environment

import grpc
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AdminClient,
                                   ConfigResource, ResourcePatternType, ResourceType)

from certificates import HERE, Authority, key_words
from collector import Collector, subscription
from devices import Devices
from kafka import Kafka
from listener import Peer, hang_up, plaintext, silent, tls_server

TABLE = ROOT / "deploy/errors.md"
BROKEN = ROOT / "tests/unit/config/broken"
NULL = {"null": {"type": "null"}}
PASSWORD = "it-password"
WRONG = "it-mistyped"


def rows(title):
    """The rows of a section: [first cell without its quotes, what has happened, what to try]."""
    text = TABLE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    cells = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in text.splitlines() if line.startswith("| `")]
    for cell in cells:
        if len(cell) != 3 or not all(cell):
            raise Failed(f"not a row of three cells: {cell}")
    return [[cell[0].strip("`"), cell[1], cell[2].replace("\\|", "|")] for cell in cells]


# ---- sluice check ----

def messages_of(file):
    """What `sluice check` says of a broken file, without the place."""
    done = subprocess.run([sluice(), "check", "-c", file.name], cwd=BROKEN, capture_output=True, text=True,
                          check=False, timeout=30, env={**os.environ, "SSL_CERT_FILE": "/dev/null"})
    if done.returncode != 1:
        raise Failed(f"{file.name}: exit code {done.returncode}")
    return [re.sub(rf"^{re.escape(file.name)}(:\d+:\d+)?: ", "", line) for line in done.stderr.splitlines()]


def check_rows(lab):
    del lab
    patterns = {row[0]: re.compile(".*".join(map(re.escape, row[0].split("…")))) for row in
                rows("`sluice check`, and the start")}
    with futures.ThreadPoolExecutor(4) as pool:
        said = sum(pool.map(messages_of, sorted(BROKEN.glob("*.yaml"))), [])
    unknown = sorted({line for line in said if not any(one.fullmatch(line) for one in patterns.values())})
    check(not unknown, f"each of {len(said)} messages has a row {unknown[:5]}")
    idle = [words for words, one in patterns.items() if not any(map(one.fullmatch, said))]
    check(not idle, f"each of {len(patterns)} rows has a message {idle}")


# ---- devices that are wrong ----

def web_server(connection):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def nobody_accepts(lab):
    """An address whose backlog is full: SYNs are not answered any more."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    lab.on_end(listener.close)
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            filler.connect(listener.getsockname())
        lab.on_end(filler.close)
    return f"127.0.0.1:{listener.getsockname()[1]}"


def issue_for_later(lab, authority):
    """A certificate that is good in years to come alone."""
    config, index = lab.path("later.cnf"), lab.path("later.index")
    index.write_text("", encoding="ascii")
    config.write_text(f"[ca]\ndefault_ca=me\n[me]\ndatabase={index}\nnew_certs_dir={lab.directory}\nrand_serial=yes\n"
                      f"default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
                      f"[ext]\nsubjectAltName={HERE}\n", encoding="ascii")
    request, cert, key = (lab.path(f"later.{suffix}") for suffix in ("csr", "pem", "key"))
    for words in (["req", "-new", *key_words(key), "-out", request, "-subj", "/CN=later"],
                  ["ca", "-batch", "-notext", "-config", config, "-extensions", "ext", "-cert", authority.file,
                   "-keyfile", authority.key, "-in", request, "-out", cert, "-startdate", "20400101000000Z",
                   "-enddate", "20410101000000Z"]):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"openssl {words[0]}: {done.stderr}")
    return cert, key


def device(lab, subscribe, options=()):
    """A gNMI server of grpcio that knows Subscribe alone; its address."""
    server = grpc.server(futures.ThreadPoolExecutor(8), options=list(options))
    handler = grpc.stream_stream_rpc_method_handler(subscribe)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("gnmi.gNMI", {"Subscribe": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    lab.on_end(lambda: server.stop(None))
    return f"127.0.0.1:{port}"


def refusing(lab, code, text):
    def subscribe(requests, context):
        next(requests)
        context.abort(code, text)
        yield b""
    return device(lab, subscribe)


def talking(lab, message, options=()):
    """Sends one message, and then nothing."""
    end = threading.Event()
    lab.on_end(end.set)

    def subscribe(requests, _):
        next(requests)
        yield message
        end.wait(60)
    return device(lab, subscribe, options)


PLAIN = {"insecure": True, "vendor": "generic"}
CODES = {
    "unauthenticated": (grpc.StatusCode.UNAUTHENTICATED, "who are you?"),
    "permission-denied": (grpc.StatusCode.PERMISSION_DENIED, "not for you"),
    "invalid-argument": (grpc.StatusCode.INVALID_ARGUMENT, "what is that?"),
    "not-found": (grpc.StatusCode.NOT_FOUND, "no such path"),
    "unimplemented": (grpc.StatusCode.UNIMPLEMENTED, "no such model"),
    "resource-exhausted": (grpc.StatusCode.RESOURCE_EXHAUSTED, "no more sessions"),
}


def wrong_devices(lab):
    """By reason: its address, and what the target says beside it."""
    authority, other = Authority(lab), Authority(lab, "other-ca")
    good = authority.issue("server")
    tls = {"insecure": False, "vendor": "generic", "tls": {"ca": str(authority.file)}}

    def peer(serve):
        return Peer(lab, serve).address
    # A sync_response in an unknown field of 70,000 bytes.
    large = b"\x18\x01" + b"\xfa\x07" + b"\xf0\xa2\x04" + b"x" * 70000
    pings = [("grpc.http2.min_recv_ping_interval_without_data_ms", 300000), ("grpc.http2.max_ping_strikes", 1),
             ("grpc.http2.min_ping_interval_without_data_ms", 300000)]
    return {
        "connection-refused": (f"127.0.0.1:{free_port()}", PLAIN),
        "name-unknown": ("no-such-device.invalid:57400", PLAIN),
        "timed-out": (nobody_accepts(lab), PLAIN),
        "closed-by-peer": (peer(hang_up), PLAIN),
        "connection-reset": (peer(tls_server(good)), PLAIN),
        "not-http2": (peer(web_server), PLAIN),
        "tls-not-tls": (peer(plaintext), tls),
        "tls-handshake-cut": (peer(hang_up), tls),
        "tls-handshake-timeout": (peer(silent), tls),
        "tls-certificate-expired": (peer(tls_server(authority.issue("expired", days=-1))), tls),
        "tls-certificate-not-yet-valid": (peer(tls_server(issue_for_later(lab, authority))), tls),
        "tls-name-mismatch": (peer(tls_server(authority.issue("name", names="DNS:other.example"))), tls),
        "tls-unknown-issuer": (peer(tls_server(other.issue("issuer"))), tls),
        "tls-self-signed": (peer(tls_server((other.file, other.key))), tls),
        "tls-alert": (peer(tls_server(good, client_ca=authority.file)), tls),
        "tls-alpn": (peer(tls_server(good, alpn=None)), tls),
        **{reason: (refusing(lab, *said), PLAIN) for reason, said in CODES.items()},
        "message-too-large": (talking(lab, large), PLAIN),
        "too-many-pings": (talking(lab, b"\x18\x01", pings), {**PLAIN, "keepalive": {"interval": "50ms"}}),
    }


def field(line, name):
    found = re.search(rf' {name}=("((?:[^"\\]|\\.)*)"|\S+)', line)
    return found and (found.group(2) if found.group(2) is not None else found.group(1))


def connection_rows(lab):
    table = {row[0]: row[2] for row in rows("The way to a device")}
    cases = wrong_devices(lab)
    check(set(table) == set(cases), f"cases and rows are the same ones {sorted(set(table) ^ set(cases))}")
    targets = {reason: {"dial-timeout": "500ms", "backoff": {"min": "50ms", "max": "400ms"}, **said}
               for reason, (_, said) in cases.items()}
    collector = Collector(lab, {reason: address for reason, (address, _) in cases.items()},
                          {"all": subscription(max_message="64KiB")}, NULL, targets=targets)
    for reason in cases:
        key = rf"target={reason} .*" + ("the device wants fewer PING" if reason == "too-many-pings" else
                                        rf'msg="(connection|subscription) ended" .*reason={reason} ')
        try:
            line = wait_for(lambda key=key: next((line for line in list(collector.process.lines)
                                                  if re.search(key, line)), None), 20, reason)
        except Failed:
            told = [line for line in collector.process.lines if f"target={reason} " in line]
            check(False, f"{reason}: no such line: {told[-3:]}")
            continue
        check(field(line, "try") == table.get(reason), f"{reason}: {field(line, 'try')}")
    must(collector.stop() == 0, "sluice ends with 0")


# ---- brokers ----

MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"


def broker_properties(port):
    """SASL on the port behind the controller's; who comes in there may do nothing unless told."""
    return "\n".join([
        f"listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{port + 2},CONTROLLER://127.0.0.1:{port + 1}",
        f"advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{port + 2}",
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms=PLAIN",
        f'listener.name.sasl.plain.sasl.jaas.config={MODULE} required user_collector="{PASSWORD}" '
        f'user_stranger="{PASSWORD}";',
        "auto.create.topics.enable=false",
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users=User:ANONYMOUS",
    ]) + "\n"


def sink(topic, brokers, **properties):
    return {"type": "kafka", "brokers": [brokers], "topic": topic, "key": "${target}",
            "properties": {key.replace("_", "."): value for key, value in properties.items()}}


def absent_brokers(lab):
    stranger = Peer(lab, tls_server(Authority(lab, "other-ca").issue("broker"), alpn=None)).address
    token = {"security_protocol": "sasl_plaintext", "sasl_mechanism": "OAUTHBEARER"}
    lab.path("token").write_text("", encoding="ascii")
    return {
        "broker-down": sink("t", f"127.0.0.1:{free_port()}"),
        "all-brokers-down": sink("t", f"127.0.0.1:{free_port()}"),
        "login-token": {**sink("t", f"127.0.0.1:{free_port()}", **token),
                        "oauth": {"token-file": str(lab.path("token"))}},
        "name-unknown": sink("t", "no-such-broker.invalid:9092"),
        "tls-failed": sink("t", stranger, security_protocol="ssl", ssl_ca_location=str(Authority(lab).file)),
    }, lambda collector: None


def allow(kafka, user, kind, name, operation):
    rule = AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:{user}", "*", operation,
                      AclPermissionType.ALLOW)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for done in admin.create_acls([rule]).values():
        done.result(30)


def lower(collector, kafka):
    """The limit of a topic, once it is known to the sink, which would split records else."""
    wait_for(lambda: collector.total("updates_published", sink="too-large") > 0, 30, "records before that")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    limit = ConfigResource("topic", "large", set_config={"max.message.bytes": "1000"})
    for done in admin.alter_configs([limit]).values():
        done.result(30)


def refusing_broker(lab):
    kafka = Kafka(lab, properties=broker_properties, ports=3)
    sasl = f"127.0.0.1:{kafka.port + 2}"
    login = {"security_protocol": "sasl_plaintext", "sasl_mechanism": "PLAIN", "sasl_username": "collector"}
    stranger = {**login, "sasl_username": "stranger", "sasl_password": PASSWORD}
    kafka.topic("large", 1)
    kafka.topic("closed", 1)
    allow(kafka, "collector", ResourceType.BROKER, "kafka-cluster", AclOperation.IDEMPOTENT_WRITE)
    return {
        "login-refused": sink("t", sasl, **login, sasl_password=WRONG),
        "topic-missing": sink("nowhere", kafka.bootstrap),
        "not-authorised": sink("closed", sasl, **login, sasl_password=PASSWORD),
        "cluster-not-authorised": sink("closed", sasl, **stranger),
        "too-large": sink("large", kafka.bootstrap),
    }, lambda collector: lower(collector, kafka)


def kafka_rows(lab, sinks_of, told):
    """`told`: the reasons that earlier parts have had."""
    table = {row[0]: row[2] for row in rows("Kafka")}
    sinks, provoke = sinks_of(lab)
    devices = Devices(lab, "sim", len(sinks), rate=20, words=["--updates", "100"])
    addresses = dict(zip(sinks, devices.addresses().values()))
    collector = Collector(lab, addresses, {"all": subscription()}, sinks,
                          targets={name: {"sinks": [name]} for name in sinks})
    provoke(collector)
    for reason in sinks:
        key = rf'sink={reason} .*msg="plugin says" reason={reason} text=".*" try='
        try:
            line = collector.process.wait_line(key, 40)[0].string
        except Failed:
            said = [line for line in collector.process.lines if f"sink={reason} " in line]
            check(False, f"{reason}: no such line: {said[-3:]}")
            continue
        check(field(line, "try") == table.get(reason), f"{reason}: {field(line, 'try')}")
    log = "\n".join(collector.process.lines)
    check(WRONG not in log and PASSWORD not in log, "no password in the log")
    collector.process.end()
    told |= set(sinks)


def main(lab):
    part(lab, "check", check_rows)
    part(lab, "connection", connection_rows)
    told = set()
    part(lab, "brokers that are not there", kafka_rows, absent_brokers, told)
    part(lab, "a broker that says no", kafka_rows, refusing_broker, told)
    if not lab.options.only:
        wanted = {row[0] for row in rows("Kafka")}
        check(told == wanted, f"cases and rows of Kafka are the same ones {sorted(told ^ wanted)}")


run(main)
