#!/usr/bin/env python3
"""connections - the ways to a device, and what both ends of TLS agree on, with foreign ends.

Proxies are PyPI's proxy.py (HTTP CONNECT) and pproxy (SOCKS5), with and without a login; behind them is
the device on grpc-go, with TLS. What a proxy can get wrong is said with its reason, and its password
is nowhere. A unix socket is reached by `sluice run` and served by `sluice sim`, with grpcio and the
grpc-go device at the other ends. The openssl program is the other end of TLS: sessions resumed, the
lowest version, the ciphers.
"""
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading

from harness import Failed, check, free_port, must, part, run, sluice, wait_for

import grpc

from certificates import Certificates
from collector import Collector, subscription
from devices import Devices
from foreign_client import MESSAGES, request
from listener import Peer, hang_up, silent
from tls import NULL

USER, PASSWORD = "telemetry", "it-secret@proxy"
LOGIN = f"{USER}:it-secret%40proxy"
WAITS = {"dial-timeout": "500ms", "backoff": {"min": "50ms", "max": "200ms"}}


# ---- proxies ----

class Proxy:
    """A proxy that is not ours; `login` as it wants it, or none."""

    def __init__(self, lab, kind, login=None):
        self.port = free_port()
        self.scheme = kind
        name = f"{kind}-{'login' if login else 'open'}"
        words = (self._http if kind == "http" else self._socks)(login)
        self.process = lab.start(name, [sys.executable, "-m", *words],
                                 {"HOME": str(lab.directory)}, start_new_session=True)
        lab.on_end(self._end)
        wait_for(self._answers, 20, f"{name} listens")

    def _end(self):
        """proxy.py has children, which hold its output open."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _http(self, login):
        words = ["proxy", "--hostname", "127.0.0.1", "--port", self.port, "--num-acceptors", 1,
                 "--num-workers", 1, "--log-level", "INFO"]
        return words + (["--basic-auth", login] if login else [])

    def _socks(self, login):
        return ["pproxy", "-v", "-l",
                f"socks5://127.0.0.1:{self.port}" + (f"#{login}" if login else "")]

    def _answers(self):
        if not self.process.is_alive():
            raise Failed(f"{self.process.name} ended: {self.process.tail()}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def url(self, login=""):
        return f"{self.scheme}://{login}{'@' if login else ''}127.0.0.1:{self.port}"


def proxies(lab):
    return {(kind, bool(login)): Proxy(lab, kind, login)
            for kind in ("http", "socks5") for login in (None, f"{USER}:{PASSWORD}")}


def through_proxies(lab, certificates):
    """Everything a device has to say comes through each of them; the proxy resolves its name."""
    messages = 20_000 if lab.is_long else 2_000
    ways = proxies(lab)
    devices = Devices(lab, "go", 1, messages=messages, words=certificates.device_words())
    where = {f"{kind}-{'login' if login else 'open'}": proxy.url(LOGIN if login else "")
             for (kind, login), proxy in ways.items()}
    where["login-in-vain"] = ways["socks5", False].url(LOGIN)
    address = f"localhost:{devices.ports[0]}"
    collector = Collector(lab, dict.fromkeys(where, address), {"all": subscription()}, NULL,
                          target=certificates.target(),
                          targets={name: {"proxy": url} for name, url in where.items()})
    devices.wait_done(len(where), 60)
    for name, url in where.items():
        wait_for(lambda name=name: collector.total("updates_published", target=name) >= 2 * messages,
                 20, f"updates of {name}")
        check(collector.total("updates_published", target=name) == 2 * messages,
              f"{name}: {messages} messages of two updates")
        via = url.rsplit("@", 1)[-1].rsplit("/", 1)[-1]
        check(collector.process.find(rf"target={name} msg=connected peer=\"{address} via {via}\""),
              f"{name}: connected via {via}")
    no_secret(collector)
    must(collector.stop() == 0, "sluice ends with 0")
    ways["http", False].process.wait_line(f"CONNECT localhost:{devices.ports[0]}", 20)
    check(True, "the proxy was asked for the name")
    no_secret(collector)


def no_secret(collector):
    text = "\n".join(collector.process.lines)
    if collector.process.is_alive():
        text += collector.get("/metrics")[1]
    check("it-secret" not in text, "the proxy's password is in no line and no metric")


def refused(lab):
    """Each way that is none has its reason, again and again; the others do not notice."""
    ways = proxies(lab)
    devices = Devices(lab, "go", 1, rate=100)
    device = devices.addresses()["dev1"]
    nobody = f"127.0.0.1:{free_port()}"
    cases = {  # the proxy, the device, the reason, words of the text
        "http-no-login": (ways["http", True].url(), device, "proxy-login", "it wants a user name"),
        "http-wrong": (ways["http", True].url(f"{USER}:it-secret"), device, "proxy-login",
                       "it refuses the user name or the password"),
        "http-nobody": (ways["http", False].url(), nobody, "proxy-refused", "it answers: 502"),
        "http-is-socks": (ways["socks5", False].url().replace("socks5", "http"), device,
                          "proxy-(?:protocol|cut|timeout)", ""),
        "socks-no-login": (ways["socks5", True].url(), device, "proxy-(?:login|cut|protocol)", ""),
        "socks-wrong": (ways["socks5", True].url(f"{USER}:it-secret"), device,
                        "proxy-(?:login|cut|protocol)", ""),
        "socks-is-http": (ways["http", False].url().replace("http", "socks5"), device,
                          "proxy-(?:protocol|cut|timeout)", ""),
        "silent": (f"http://{LOGIN}@{Peer(lab, silent).address}", device, "proxy-timeout",
                   "it never said a word"),
        "hangs-up": (f"http://{LOGIN}@{Peer(lab, hang_up).address}", device, "proxy-cut",
                     "it hung up without a word"),
        "no-proxy": (f"socks5://{nobody}", device, "connection-refused", "connect 127"),
    }
    collector = Collector(lab, {**{name: case[1] for name, case in cases.items()}, "good": device},
                          {"all": subscription()}, NULL,
                          targets={"good": {"proxy": ways["http", False].url()},
                                   **{name: {"proxy": case[0], **WAITS}
                                      for name, case in cases.items()}})
    for name, (_, _, reason, words) in cases.items():
        found = collector.process.wait_line(
            rf'target={name} msg="connection ended" .*reason=({reason}) why="(.*?)" retry-ms', 20,
            count=2)
        check(re.search(words, found[0].group(2)),
              f"{name}: {found[0].group(1)}: {found[0].group(2)}")
        check(collector.total("updates_published", target=name) == 0, f"{name}: no updates")
    before = collector.total("updates_published", target="good")
    wait_for(lambda: collector.total("updates_published", target="good") > before + 20, 20,
             "the good one goes on")
    check(collector.total("connection_ends", target="good") == 0, "the good one never noticed")
    no_secret(collector)
    must(collector.stop() == 0, "sluice ends with 0")


# ---- unix sockets ----

def pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def relay(lab, path, port):
    """A unix socket that leads to a port of ours."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)
    lab.on_end(listener.close)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", port))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def unix_sockets(lab, certificates):
    devices = Devices(lab, "go", 1, rate=100, words=certificates.device_words())
    relay(lab, lab.path("go.sock"), devices.ports[0])
    collector = Collector(lab, {"go": f"unix://{lab.path('go.sock')}",
                                "missing": f"unix:{lab.path('missing.sock')}"},
                          {"all": subscription()}, NULL, target=certificates.target(**WAITS))
    wait_for(lambda: collector.total("updates_published", target="go") > 100, 20, "updates")
    check(collector.process.find(rf"target=go msg=connected peer=unix:{lab.path('go.sock')}"),
          "a grpc-go device behind a unix socket, with TLS for localhost")
    collector.process.wait_line(r"target=missing .*why=\"connect unix:\S+: no such file", 20)
    check(True, "a socket that is missing is named")
    must(collector.stop() == 0, "sluice ends with 0")

    for times in range(2):  # the first is killed and leaves its socket behind
        sim = lab.start(f"sim-{times}", [sluice(), "sim", "--listen", f"unix:{lab.path('s.sock')}",
                                         "--rate", 100])
        sim.wait_line(r"^listening unix:", 20)
        read_unix(lab.path("s.sock"))
        if times == 0:
            other = lab.start("sim-other", [sluice(), "sim", "--listen",
                                            f"unix:{lab.path('s.sock')}"])
            other.process.wait(20)
            check(other.process.returncode != 0 and other.find("already in use"),
                  "a socket in use is refused")
            sim.end()
    must(sim.terminate() == 0, "sluice sim ends with 0")
    check(not lab.path("s.sock").exists(), "the socket file goes with its listener")


def read_unix(path):
    with grpc.insecure_channel(f"unix:{path}") as channel:
        subscribe = channel.stream_stream(
            "/gnmi.gNMI/Subscribe", request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=MESSAGES["SubscribeResponse"].FromString)
        over = threading.Event()

        def asked():
            yield request()
            over.wait()
        call = subscribe(asked(), timeout=30)
        count = sum(1 for _, _ in zip(range(100), call))
        call.cancel()
        over.set()
    check(count == 100, "grpcio reads from a simulator behind a unix socket")


# ---- TLS with the openssl program ----

def s_client(lab, certificates, port, *words, until=None, count=1):
    """What openssl prints, until it has printed `count` lines like `until`, or `until()`; or until
    it ends by itself."""
    client = lab.start(f"s_client-{len(lab.endings)}",
                       ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-alpn", "h2",
                        "-CAfile", certificates.ca.file, *words], stdin=subprocess.PIPE)

    def is_done():
        seen = until() if callable(until) else until and len(client.find(until)) >= count
        return seen or not client.is_alive()
    wait_for(is_done, 20, f"s_client {words}: {until}")
    client.process.stdin.close()  # that is how it ends
    client.process.wait(20)
    client.reader.join()
    return "\n".join(client.lines)


def sim_with(lab, name, certificates, *words, demands=False):
    return Devices(lab, "sim", 1, name=name, rate=100,
                   words=[*certificates.device_words(demands_clients=demands), *words]).ports[0]


def server_resumes(lab, certificates):
    port = sim_with(lab, "sim-open", certificates)
    said = s_client(lab, certificates, port, "-tls1_2", "-reconnect", until="^Reused, ", count=5)
    check(len(re.findall(r"^Reused, TLSv1.2", said, re.M)) == 5,
          "TLS 1.2: openssl comes back five times, and is known each time")
    kept = lab.path("session.pem")
    first = s_client(lab, certificates, port, "-tls1_3", "-sess_out", kept,
                     until=lambda: kept.exists() and kept.stat().st_size)
    again = s_client(lab, certificates, port, "-tls1_3", "-sess_in", kept,
                     until="Verify return code")
    check("New, TLSv1.3" in first and "Reused, TLSv1.3" in again, "TLS 1.3: known by its ticket")
    strict = sim_with(lab, "sim-strict", certificates, demands=True)
    said = s_client(lab, certificates, strict, "-tls1_2", "-reconnect", "-cert",
                    certificates.client[0], "-key", certificates.client[1],
                    until="^New, TLSv1.2", count=6)
    check("New, TLSv1.2" in said and "Reused" not in said,
          "where client certificates are demanded nobody is taken at his word")


def server_agrees(lab, certificates):
    port = sim_with(lab, "sim-1-3", certificates, "--tls-min-version", "1.3", "--tls-ciphersuites",
                    "TLS_CHACHA20_POLY1305_SHA256")
    said = s_client(lab, certificates, port, "-tls1_3", until="Verify return code")
    check("Cipher is TLS_CHACHA20_POLY1305_SHA256" in said, "the one cipher suite that is allowed")
    said = s_client(lab, certificates, port, "-tls1_2")
    check("alert protocol version" in said, "no TLS 1.2 where 1.3 is the lowest")
    cipher = "ECDHE-ECDSA-AES256-GCM-SHA384"
    port = sim_with(lab, "sim-cipher", certificates, "--tls-ciphers", cipher)
    said = s_client(lab, certificates, port, "-tls1_2", until="Verify return code")
    check(f"Cipher is {cipher}" in said, "the one cipher of TLS 1.2 that is allowed")
    said = s_client(lab, certificates, port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    check("alert handshake failure" in said, "and no other")


def s_server(lab, name, certificates, *words):
    """Speaks TLS, and no HTTP/2: who connects goes soon, and comes back."""
    port = free_port()
    server = lab.start(name, ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-alpn", "h2",
                              "-cert", certificates.server[0], "-key", certificates.server[1],
                              *words], stdin=subprocess.PIPE)
    lab.on_end(server.process.stdin.close)
    server.wait_line("^ACCEPT", 20)
    return server, f"127.0.0.1:{port}"


def client_resumes(lab, certificates):
    servers = {version: s_server(lab, f"s_server-{version}", certificates, f"-tls{version}")
               for version in ("1_2", "1_3")}
    cipher = s_server(lab, "s_server-cipher", certificates, "-tls1_2")
    where = {f"tls{version}": address for version, (_, address) in servers.items()}
    where["cipher"] = cipher[1]
    where["strict"] = servers["1_2"][1]
    tls = certificates.target()["tls"]
    collector = Collector(
        lab, where, {"all": subscription()}, NULL, target=certificates.target(**WAITS),
        targets={"cipher": {"tls": {**tls, "ciphers": "ECDHE-ECDSA-CHACHA20-POLY1305"}},
                 "strict": {"tls": {**tls, "min-version": "1.3"}}})
    for version, (server, _) in servers.items():
        server.wait_line("^Reused session-id", 30, count=3)
        check(True, f"TLS {version}: openssl's server knows sluice again")
    cipher[0].wait_line("^CIPHER is ECDHE-ECDSA-CHACHA20-POLY1305", 20)
    check(True, "the cipher that the target asks for")
    collector.process.wait_line(r"target=strict .*reason=tls-(alert|version) .*min-version", 20)
    check(True, "no TLS 1.2 for a target that wants 1.3")
    must(collector.stop() == 0, "sluice ends with 0")


def main(lab):
    certificates = Certificates(lab)
    part(lab, "through proxies", through_proxies, certificates)
    part(lab, "refused", refused)
    part(lab, "unix sockets", unix_sockets, certificates)
    part(lab, "a server resumes", server_resumes, certificates)
    part(lab, "a server's versions and ciphers", server_agrees, certificates)
    part(lab, "a client resumes", client_resumes, certificates)


if __name__ == "__main__":
    run(main)
