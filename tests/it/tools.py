#!/usr/bin/env python3
"""tools - the tools that people hold against a gRPC server, against interop-server: h2spec, nghttp,
h2load, grpcurl.

h2spec has 145 cases: all but one hold (nghttp2 ignores a stream's number that is smaller than the one
before it, 5.1.1/2). A plain GET gets a whole HTTP answer. Calls of h2load all succeed, while others go
on. grpcurl finds services and types by reflection.
"""
import base64
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

SERVICE = "grpc.testing.TestService"


class Grpcurl:
    def __init__(self, port, tls):
        self.words = [foreign.go("grpcurl"),
                      *(["-cacert", tls.ca, "-authority", NAME] if tls else ["-plaintext"])]
        self.where = f"127.0.0.1:{port}"

    def ask(self, *words):
        return output(*self.words, self.where, *words)

    def call(self, method, *messages, expected=0):
        """The replies, as JSON one after the other."""
        data = " ".join(map(json.dumps, messages))
        said = output(*self.words, "-d", data, self.where, method, expected=expected)
        return re.sub(r"\s+", "", said)


def reply(size):
    return '{"payload":{"body":"%s"}}' % base64.b64encode(bytes(size)).decode("ascii")


def grpcurl(lab, tls):
    server, port = our_server(lab, tls)
    tool = Grpcurl(port, tls)
    listed = tool.ask("list").split()
    check({SERVICE, "grpc.health.v1.Health"} <= set(listed), f"list: {' '.join(listed)}")
    described = tool.ask("describe", SERVICE)
    check("rpc FullDuplexCall ( stream .grpc.testing.StreamingOutputCallRequest ) returns "
          "( stream .grpc.testing.StreamingOutputCallResponse );" in described,
          "describe: FullDuplexCall")
    said = tool.call(f"{SERVICE}/UnaryCall", {"response_size": 3})
    check(said == reply(3), f"UnaryCall: {said}")
    said = tool.call(f"{SERVICE}/CacheableUnaryCall", {})
    check(re.fullmatch(r'\{"payload":\{"body":"\w{20,}=*"\}\}', said),
          f"CacheableUnaryCall says the time: {said}")
    said = tool.call(f"{SERVICE}/HalfDuplexCall",
                     {"response_parameters": [{"size": 3}, {"size": 4, "interval_us": 2000}]},
                     {"response_parameters": [{"size": 5, "interval_us": 1}]})
    check(said == reply(3) + reply(4) + reply(5), f"HalfDuplexCall: {said}")
    said = tool.call(f"{SERVICE}/StreamingOutputCall",
                     {"response_parameters": [{"size": 3, "interval_us": 3000}, {"size": 6}]})
    check(said == reply(3) + reply(6), f"StreamingOutputCall: {said}")
    # More than a send buffer takes at once.
    said = tool.call(f"{SERVICE}/StreamingOutputCall",
                     {"response_parameters": [{"size": 100000}] * 40})
    check(said == reply(100000) * 40, f"StreamingOutputCall of 4 MB: {len(said)} characters")
    said = tool.call("grpc.health.v1.Health/Check", {"service": SERVICE})
    check(said == '{"status":"SERVING"}', f"a health check: {said}")
    said = tool.call(f"{SERVICE}/UnaryCall", {"response_status": {"code": 5, "message": "none"}},
                     expected=64 + 5)
    check("NotFound" in said and "none" in said, f"a status: {said}")
    said = tool.call(f"{SERVICE}/UnaryCall", {"response_size": 5 << 20}, expected=64 + 3)
    check("InvalidArgument" in said, f"a response that is too large: {said}")
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
