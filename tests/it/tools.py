#!/usr/bin/env python3
"""tools - the tools that people hold against a gRPC server, against interop-server: h2spec, nghttp,
h2load, grpcurl.

h2spec has 145 cases: all but one hold (nghttp2 ignores a stream's number that is smaller than the one
before it, 5.1.1/2). A plain GET gets a whole HTTP answer. Calls of h2load all succeed, while others go
on. grpcurl finds services and types by reflection.
"""
import json
import re
import shutil
import struct
import subprocess
import xml.etree.ElementTree as ElementTree

from harness import check, must, part, run

import foreign
from interop import NAME, Certificates, our_server, stops

PATH = "/grpc.testing.TestService/EmptyCall"
H2SPEC_CASES = 145
H2SPEC_FAILS = {("5.1.1", "Sends stream identifier that is numerically smaller than previous")}
TOOL_S = 60
CALLS = 20000


def output(*words, expected=0):
    """What a tool prints; it must end as expected."""
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=TOOL_S, check=False)
    name = str(words[0]).rsplit("/", maxsplit=1)[-1]
    if not check(done.returncode == expected, f"{name} ends with {done.returncode}"):
        print(done.stdout[-3000:], flush=True)
    return done.stdout


# ---- h2spec ----

def h2spec(lab, tls):
    server, port = our_server(lab, tls)
    report = lab.path("h2spec.xml")
    words = ["-h", "127.0.0.1", "-p", port, "-j", report] + (["-t", "-k"] if tls else [])
    subprocess.run([str(word) for word in (foreign.go("h2spec"), *words)],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=TOOL_S, check=False)
    must(report.exists(), "h2spec writes its report")
    # It writes what it received as it came, which is not always XML.
    text = re.sub(rb"[^\t\n -~]", b"?", report.read_bytes()).decode("ascii")
    cases = [(suite.get("id"), case) for suite in ElementTree.fromstring(text).iter("testsuite")
             for case in suite.iter("testcase")]
    check(len(cases) == H2SPEC_CASES, f"h2spec has {H2SPEC_CASES} cases: {len(cases)}")
    check(not [case for _, case in cases if case.find("skipped") is not None], "it skips none")
    failed = {(section, case.get("classname")) for section, case in cases
              if case.find("error") is not None or case.find("failure") is not None}
    check(failed <= H2SPEC_FAILS, f"it finds nothing wrong but what nghttp2 ignores: {failed}")
    check(server.terminate() == 0, "interop-server ends with 0 on SIGTERM")


# ---- nghttp2's own ----

def plain_http(lab):
    server, port = our_server(lab, None)
    said = output("nghttp", "-v", f"http://127.0.0.1:{port}/")
    for pattern in (r":status: 415", r"accept: application/grpc", r"serves gRPC",
                    r"recv DATA frame <length=\d+, flags=0x01"):
        check(re.search(pattern, said), f"GET / is answered with '{pattern}'")
    stops(server)


def load(lab, tls):
    server, port = our_server(lab, tls)
    body = lab.path("empty")
    body.write_bytes(struct.pack(">BI", 0, 0))
    said = output("h2load", "-n", CALLS, "-c", 8, "-m", 32, "-t", 1, "-d", body,
                  "-H", "content-type: application/grpc", "-H", "te: trailers",
                  f"{'https' if tls else 'http'}://127.0.0.1:{port}{PATH}")
    check(f"{CALLS} succeeded, 0 failed, 0 errored, 0 timeout" in said and
          f"status codes: {CALLS} 2xx" in said,
          f"h2load: {CALLS} calls on 8 connections: " +
          " ".join(re.findall(r"^(?:requests|status codes): .*", said, re.MULTILINE)))
    stops(server)


# ---- grpcurl ----

def grpcurl(lab, tls):
    server, port = our_server(lab, tls)
    tool = foreign.go("grpcurl")
    security = ["-cacert", tls.ca, "-authority", NAME] if tls else ["-plaintext"]
    where = f"127.0.0.1:{port}"
    listed = output(tool, *security, where, "list").split()
    check({"grpc.testing.TestService", "grpc.health.v1.Health"} <= set(listed),
          f"grpcurl list: {' '.join(listed)}")
    described = output(tool, *security, where, "describe", "grpc.testing.TestService")
    check("rpc FullDuplexCall ( stream .grpc.testing.StreamingOutputCallRequest ) returns "
          "( stream .grpc.testing.StreamingOutputCallResponse );" in described,
          "grpcurl describe: FullDuplexCall")
    said = output(tool, *security, "-d", '{"response_size": 3}', where,
                  "grpc.testing.TestService/UnaryCall")
    check(json.loads(said) == {"payload": {"body": "AAAA"}}, f"a unary call: {said.split()}")
    said = output(tool, *security, "-d", '{"service": "grpc.testing.TestService"}', where,
                  "grpc.health.v1.Health/Check")
    check(json.loads(said) == {"status": "SERVING"}, f"a health check: {said.split()}")
    said = output(tool, *security, "-d",
                  '{"response_status": {"code": 5, "message": "no such thing"}}', where,
                  "grpc.testing.TestService/UnaryCall", expected=64 + 5)
    check("NotFound" in said and "no such thing" in said, f"a status: {said.split()}")
    stops(server)


def main(lab):
    tls = Certificates(lab)
    for tool in ("nghttp", "h2load"):
        must(shutil.which(tool), f"{tool} is here (package nghttp2-client)")
    part(lab, "h2spec, plaintext", h2spec, None)
    part(lab, "h2spec, TLS", h2spec, tls)
    part(lab, "nghttp: plain HTTP", plain_http)
    part(lab, "h2load, plaintext", load, None)
    part(lab, "h2load, TLS", load, tls)
    part(lab, "grpcurl, plaintext", grpcurl, None)
    part(lab, "grpcurl, TLS", grpcurl, tls)


if __name__ == "__main__":
    run(main)
