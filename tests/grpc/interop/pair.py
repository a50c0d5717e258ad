#!/usr/bin/env python3
"""pair.py - every case of the suite between our own two ends, in plaintext and over TLS.

Quick, for the builds with sanitizers, whose reports fail it; what foreign ends say of ours is told by
tests/it/interop.py. usage: pair.py DIRECTORY-OF-THE-PROGRAMS
"""
import pathlib
import re
import subprocess
import sys
import tempfile

NAME = "foo.test.example"
LIMIT_S = 50


def certificate(place):
    """A certificate that is its own authority."""
    cert, key = place / "cert.pem", place / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=interop", "-days", "3",
                    "-addext", f"subjectAltName=DNS:{NAME}", "-out", cert, "-keyout", key],
                   check=True, capture_output=True)
    return cert, key


def pair(programs, server_words, client_words):
    """True when all cases passed and both ends ended well."""
    with subprocess.Popen([programs / "interop-server", *server_words], text=True,
                          stdout=subprocess.PIPE) as server:
        try:
            found = re.fullmatch(r"listening 127\.0\.0\.1:(\d+)\n", server.stdout.readline())
            done = subprocess.run([programs / "interop-client", "--server_port", found.group(1),
                                   "--test_case", "all", *client_words], timeout=LIMIT_S,
                                  check=False)
            server.terminate()
            ended = server.wait(LIMIT_S)
        finally:
            server.kill()
    print(f"client {done.returncode}, server {ended}", flush=True)
    return done.returncode == 0 and ended == 0


def main():
    programs = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as place:
        cert, key = certificate(pathlib.Path(place))
        passed = [pair(programs, [], []),
                  pair(programs, ["--use_tls", "--tls_cert_file", cert, "--tls_key_file", key],
                       ["--use_tls", "--ca_file", cert, "--server_host_override", NAME])]
    sys.exit(0 if all(passed) else 1)


main()
