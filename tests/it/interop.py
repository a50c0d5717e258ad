#!/usr/bin/env python3
"""interop - gRPC's own interoperability suite, against ours: grpc-go's and grpc-java's clients and
servers, with interop-client and interop-server of tests/grpc/interop.

grpc-go's client and server run every case but the compressed ones, both ways, in plaintext and over
TLS; they know no compression by message. grpc-java's client runs the compressed ones against our
server, and its server answers our client. Neither Go's nor Java's server looks whether requests came
compressed, so our client leaves out the probe for that there, and Java's compresses no stream: what is
left of our client's cases runs against our server. Long form: grpc-java's client runs all cases.
"""
import os
import re
import subprocess

from harness import ROOT, check, part, peer, run

import foreign
from certificates import Authority

CASES = """empty_unary large_unary client_streaming server_streaming ping_pong empty_stream
    timeout_on_sleeping_server cancel_after_begin cancel_after_first_response status_code_and_message
    special_status_message custom_metadata unimplemented_method unimplemented_service rpc_soak
    channel_soak""".split()
COMPRESSED = """client_compressed_unary server_compressed_unary client_compressed_streaming
    server_compressed_streaming""".split()
UNPROBED = ["client_compressed_unary_noprobe", "client_compressed_streaming_noprobe"]
NAME = "foo.test.example" # whom the server's certificate is for
CASE_S = 60
JAVA_FIRST = ["large_unary", "ping_pong", "cancel_after_first_response", "special_status_message",
              "custom_metadata"]
JAVA_TLS = ["large_unary", "server_compressed_streaming"]
# A slow machine is not what the soak cases are about.
SOAK_LATENCY_MS = 30000


class Certificates:
    def __init__(self, lab):
        authority = Authority(lab)
        self.ca = authority.file
        self.cert, self.key = authority.issue("interop", names=f"DNS:{NAME}")


def ours(name):
    place = os.environ.get("SL_INTEROP") or ROOT / "build/release/tests/grpc/interop"
    return f"{place}/{name}"


def start(lab, name, words):
    """A server that says where it listens; its process and port."""
    server = lab.start(name, words)
    line = server.wait_line(r"^listening 127\.0\.0\.1:(\d+)$", CASE_S)[0]
    return server, line.group(1)


def our_server(lab, tls):
    words = [ours("interop-server"), "--port", "0"]
    if tls:
        words += ["--use_tls", "--tls_cert_file", tls.cert, "--tls_key_file", tls.key]
    return start(lab, "interop-server", words)


def our_client(port, tls):
    words = [ours("interop-client"), "--server_host", "127.0.0.1", "--server_port", port]
    if tls:
        words += ["--use_tls", "--ca_file", tls.ca, "--server_host_override", NAME]
    return words


def go_client(port, tls):
    words = [foreign.go("grpc-go-interop-client"), "--server_host=127.0.0.1",
             f"--server_port={port}",
             f"--soak_per_iteration_max_acceptable_latency_ms={SOAK_LATENCY_MS}",
             f"--soak_overall_timeout_seconds={CASE_S}"]
    if tls:
        words += ["--use_tls", "--use_test_ca", f"--ca_file={tls.ca}",
                  f"--server_host_override={NAME}"]
    return words


def java_client(lab, port, tls):
    security = [f"--use_tls={'true' if tls else 'false'}"]
    if tls:
        security.append(f"--server_host_override={NAME}")
    return foreign.java(*(foreign.java_trust(lab, tls.ca) if tls else []),
                        "io.grpc.testing.integration.TestServiceClient", "--server_host=127.0.0.1",
                        f"--server_port={port}", *security,
                        f"--soak_per_iteration_max_acceptable_latency_ms={SOAK_LATENCY_MS}",
                        f"--soak_overall_timeout_seconds={CASE_S}")


def run_cases(client, cases):
    """Each in a process of its own; what a failed one said is shown."""
    for case in cases:
        words = [str(word) for word in [*client, f"--test_case={case}"]]
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace",
                                  timeout=CASE_S, check=False)
        except subprocess.TimeoutExpired:
            check(False, f"{case}: no end in {CASE_S} s")
            continue
        if not check(done.returncode == 0, f"{case}: exit code {done.returncode}"):
            print(done.stdout[-3000:], flush=True)


def stops(server):
    """Our server went through all that without a word of complaint, and ends when it is told to. A
    client whose case lasts a millisecond may go during its handshake."""
    check(server.terminate() == 0, "interop-server ends with 0 on SIGTERM")
    complaints = [line for line in server.lines if re.search(r"level=(warn|error)", line) and
                  not re.search("reason=(tls-handshake-cut|connection-reset)", line)]
    check(not complaints, f"interop-server says nothing is wrong {complaints[:3]}")


def go_to_ours(lab, tls):
    server, port = our_server(lab, tls)
    run_cases(go_client(port, tls), CASES)
    stops(server)


def ours_to_go(lab, tls):
    words = [peer("interopserver")]
    if tls:
        words += ["--tls-cert", tls.cert, "--tls-key", tls.key]
    _, port = start(lab, "go-server", words)
    run_cases(our_client(port, tls), CASES + UNPROBED)


def java_to_ours(lab, tls, short):
    server, port = our_server(lab, tls)
    run_cases(java_client(lab, port, tls), CASES + COMPRESSED if lab.is_long else short)
    stops(server)


def ours_to_java(lab):
    _, port = start(lab, "java-server", foreign.java_interop_server())
    run_cases(our_client(port, None), CASES + UNPROBED + ["server_compressed_unary"])


def ours_to_ours(lab, tls):
    server, port = our_server(lab, tls)
    run_cases(our_client(port, tls), COMPRESSED)
    stops(server)


def refusals(lab, tls):
    """A case that must not pass does not: the server is not who it should be, or speaks TLS."""
    server, port = our_server(lab, tls)
    client = [str(word) for word in our_client(port, tls)]
    wrong = [word if word != NAME else "bar.test.example" for word in client]
    for words, what in ((wrong, "tls-name-mismatch"), (our_client(port, None), "UNAVAILABLE")):
        done = subprocess.run([*map(str, words), "--test_case=empty_unary"], capture_output=True,
                              text=True, timeout=CASE_S, check=False)
        check(done.returncode == 1 and what in done.stderr,
              f"empty_unary fails with 1 and {what}: {done.returncode} {done.stderr.strip()}")
    server.terminate()


def main(lab):
    tls = Certificates(lab)
    part(lab, "grpc-go's client, our server, plaintext", go_to_ours, None)
    part(lab, "grpc-go's client, our server, TLS", go_to_ours, tls)
    part(lab, "our client, grpc-go's server, plaintext", ours_to_go, None)
    part(lab, "our client, grpc-go's server, TLS", ours_to_go, tls)
    part(lab, "grpc-java's client, our server, plaintext", java_to_ours, None, COMPRESSED + JAVA_FIRST)
    part(lab, "grpc-java's client, our server, TLS", java_to_ours, tls, JAVA_TLS)
    part(lab, "our client, grpc-java's server", ours_to_java)
    part(lab, "our client, our server, compressed, TLS", ours_to_ours, tls)
    part(lab, "our client refuses", refusals, tls)


if __name__ == "__main__":
    run(main)
