#!/usr/bin/env python3
"""services - each sample service, with our client and server and with those of grpcio in all pairings.

The same calls with the same answers, in plaintext and over TLS with certificates on both sides; what is
checked is every line that a client prints and the code that it ends with. That grpcio's client and
server agree on all of it checks the checks.
"""
import queue
import signal
import sys

from harness import check, must, part, run, wait_for  # first: it enters the environment

import grpc

from certificates import Authority, Certificates
from sample_services import Samples

KINDS = ("ours", "grpcio")
HELLO, USERS, ROOM = "sluice.test.HelloService", "sluice.test.UserManager", "sluice.test.ChatRoom"
GREETER, ROUTE, YES = "helloworld.Greeter", "routeguide.RouteGuide", "sluice.test.Yes"
OK, CANCELLED, INVALID, DEADLINE, NOT_FOUND, UNAVAILABLE = 0, 1, 3, 4, 5, 14
FUJI, KITA = (353606000, 1387274000), (356745000, 1382388000)
MANY = 5000


def exact(lines):
    """Everything that a call printed, its status too."""
    return lambda said: said == lines


def ends(lines, words):
    """These lines, and then a status with these words."""
    return lambda said: said[:-1] == lines and words in said[-1]


def good(*lines):
    return OK, exact([*lines, "OK"])


def hello_cases():
    names = [f"name-{number}" for number in range(MANY)]
    replies = [f"Hello, {name}!" for name in names]
    long = "x" * 100_000
    large = [str(number % 10) * 10_000 for number in range(100)]
    return [
        ("unary", (), (f"{HELLO}/SayHello", "Zoë"), good("Hello, Zoë!")),
        ("unary, 100 kB", (), (f"{HELLO}/SayHello", long), good(f"Hello, {long}!")),
        ("unary, refused", (), (f"{HELLO}/SayHello", ""),
         (INVALID, ends([], "an empty greeting"))),
        ("server stream", (), (f"{HELLO}/LotsOfReplies", "a bc  d"),
         good("Hello, a!", "Hello, bc!", "Hello, d!")),
        ("server stream, empty", (), (f"{HELLO}/LotsOfReplies", " "), good()),
        (f"server stream, {MANY}", (), (f"{HELLO}/LotsOfReplies", " ".join(names)),
         good(*replies)),
        ("client stream", (), (f"{HELLO}/LotsOfGreetings", "a", "bc", "d"),
         good("Hello, a, bc, d!")),
        ("client stream, empty", (), (f"{HELLO}/LotsOfGreetings",),
         (INVALID, ends([], "nobody to greet"))),
        ("bidirectional", (), (f"{HELLO}/BidiHello", "a", "bc", "d"),
         good("Hello, a!", "Hello, bc!", "Hello, d!")),
        ("bidirectional, empty", (), (f"{HELLO}/BidiHello",), good()),
        (f"bidirectional, {MANY}", (), (f"{HELLO}/BidiHello", *names), good(*replies)),
        ("bidirectional, 1 MB, more than any buffer", (), (f"{HELLO}/BidiHello", *large),
         good(*(f"Hello, {name}!" for name in large))),
        (f"bidirectional, {MANY}, gzip", ("--gzip",), (f"{HELLO}/BidiHello", *names),
         good(*replies)),
    ]


def greeter_cases(identity):
    asked = ("--metadata", "accept-language=de", "--metadata", "ticket-bin=00ff10")
    german = ["header content-language=de", *identity, "Hallo, Zoë!", "trailer ticket-bin=00ff10"]
    return [
        ("greeter", (), (f"{GREETER}/SayHello", "Ann"),
         good("header content-language=en", *identity, "Hello, Ann!")),
        ("greeter, metadata", asked, (f"{GREETER}/SayHello", "Zoë"), good(*german)),
        ("greeter, again", asked[:2], (f"{GREETER}/SayHelloAgain", "Zoë"),
         good(*german[:-2], "Hallo nochmal, Zoë!")),
        ("greeter, empty", (), (f"{GREETER}/SayHello", ""), (INVALID, ends([], "an empty name"))),
    ]


def user_cases():
    users = ["1 Ada", "2 Blaise", "3 Charles", "4 Dorothy", "5 Edsger", "6 Frances"]
    return [
        ("user", (), (f"{USERS}/get", 3), good("3 Charles")),
        ("no such user", (), (f"{USERS}/get", 77), (NOT_FOUND, ends([], "no user 77"))),
        ("all users", (), (f"{USERS}/get_server_stream", 0), good(*users)),
        ("user, as a stream", (), (f"{USERS}/get_server_stream", 6), good("6 Frances")),
        ("no such user, as a stream", (), (f"{USERS}/get_server_stream", -1),
         (NOT_FOUND, ends([], "no user -1"))),
        ("users are counted", (), (f"{USERS}/get_client_stream", 1, 99, 6, 3),
         good("3 known, 1 unknown")),
        ("known users are counted", (), (f"{USERS}/get_client_stream", 1, 6), good("2 known")),
        ("a chat in turns", (), (f"{USERS}/connect_chat", "so", "well"),
         good("1 so?", "1 so!", "2 well?", "2 well!")),
    ]


def route_cases(place):
    south_west, north_east = (350000000, 1380000000), (360000000, 1390000000)
    both = (f"{FUJI[0]} {FUJI[1]} Fuji", f"{KITA[0]} {KITA[1]} Kita")
    return [
        ("feature", (), (f"{ROUTE}/GetFeature", *FUJI), good(both[0])),
        ("no feature", (), (f"{ROUTE}/GetFeature", 1, -1), good("1 -1 nothing")),
        ("features", (), (f"{ROUTE}/ListFeatures", *south_west, *north_east), good(*both)),
        ("features, corners swapped", (), (f"{ROUTE}/ListFeatures", *north_east, *south_west),
         good(*both)),
        ("route", (), (f"{ROUTE}/RecordRoute", *FUJI, *KITA, 0, -5),
         (OK, lambda said: said[0].startswith("points=3 features=2 metres=14211134 seconds="))),
        ("route, nowhere", (), (f"{ROUTE}/RecordRoute",),
         good("points=0 features=0 metres=0 seconds=0")),
        ("route chat", (),
         (f"{ROUTE}/RouteChat", place, 2, "one", place, 2, "two", place, 4, "x", place, 2, "three"),
         good(f"{place} 2 one", f"{place} 2 one", f"{place} 2 two")),
        ("notes stay for others", (), (f"{ROUTE}/RouteChat", place, 4, "y"), good(f"{place} 4 x")),
    ]


def yes_cases():
    return [
        ("yes", (), (f"{YES}/yes", 1000), (CANCELLED, ends(["y"] * 1000, "CANCELLED: "))),
        ("yes with flow control", (), (f"{YES}/yesWithFc", 1000, "no"),
         (CANCELLED, ends(["no"] * 1000, "CANCELLED: "))),
        ("yes until the deadline", ("--timeout-ms", 300), (f"{YES}/yes", 0),
         (DEADLINE, lambda said: said[-1].startswith("DEADLINE_EXCEEDED: "))),
    ]


class Pairing:
    count = 0

    def __init__(self, samples, kind, server, options):
        Pairing.count += 1
        self.place = Pairing.count
        self.samples = samples
        self.kind = kind
        self.options = ["--address", server.address, *options]

    def run(self, options, *words):
        return self.samples.run(self.kind, [*self.options, *options], *words)

    def start(self, options, *words):
        return self.samples.start(self.kind, [*self.options, *options], *words)


def calls(_lab, pairing, identity):
    cases = [*hello_cases(), *greeter_cases(identity), *user_cases(), *route_cases(pairing.place),
             *yes_cases()]
    for title, options, words, (code, holds) in cases:
        ended, said = pairing.run(options, *words)
        if not check(ended == code and holds(said), title):
            print(f"    {words}: {ended}, {len(said)} lines: {said[:3]} … {said[-3:]}"[:2000])


def room_is_empty(pairing):
    """What became of a participant shows in who is left."""
    def receipt():
        _, said = pairing.run((), f"{ROOM}/SendNote", "nobody", "is there anybody?")
        return said[0].endswith(" 0") and said
    return wait_for(receipt, 20, "the room is empty")


def chat(_lab, pairing):
    listeners = [pairing.start((), f"{ROOM}/ChatStream", name, 2) for name in ("bob", "eve")]
    for listener in listeners:
        listener.wait_line("^entered$")
    receipts = [pairing.run((), f"{ROOM}/SendNote", "ann", text) for text in ("hi", "")]
    first = int(receipts[0][1][0].split()[0])
    check(receipts == [(OK, [f"{first + after} 2", "OK"]) for after in (0, 1)],
          "two notes to two participants")
    for listener in listeners:
        code, said = listener.wait()
        check(code == CANCELLED and said[:-1] == ["entered", f"{first} ann: hi",
                                                  f"{first + 1} ann: "], "a participant got both")
    check(room_is_empty(pairing), "the server saw both cancellations")
    code, said = pairing.run(("--timeout-ms", 300), f"{ROOM}/ChatStream", "bob")
    check(code == DEADLINE, f"a deadline ends it: {said[-1]}")
    check(room_is_empty(pairing), "the server saw the deadline")
    code, said = pairing.run((), f"{ROOM}/ChatStream", "")
    check(code == INVALID and "an empty name" in said[-1], "nobody comes in without a name")
    code, said = pairing.run((), f"{ROOM}/SendNote", "ann", "x" * 5000)
    check(code == INVALID and "nobody reads" in said[-1], "a note has a limit")


def all_pairings(lab, samples, title, words, options, identity):
    for server_kind in KINDS:
        server = samples.server(server_kind, f"server-{title}-{server_kind}", *words)
        for kind in KINDS:
            pairing = Pairing(samples, kind, server, options)
            name = f"{title}: {kind} client, {server_kind} server"
            part(lab, f"calls, {name}", calls, pairing, identity)
            part(lab, f"chat room, {name}", chat, pairing)
        must(server.terminate() == 0, f"the {server_kind} server ends with 0")


def server_cancels(_lab, samples):
    """A server that stops ends, after its grace, what its clients wait for."""
    for kind in KINDS:
        server = samples.server("ours", f"stopping-{kind}", "--grace-ms", 200)
        pairing = Pairing(samples, kind, server, ())
        listener = pairing.start((), f"{ROOM}/ChatStream", "bob")
        listener.wait_line("^entered$")
        check(server.terminate() == 0, "the server ends with 0")
        code, said = listener.wait()
        check(code in (CANCELLED, UNAVAILABLE), f"{kind} client: {said[-1]}")
    server = samples.server("grpcio", "stopping-foreign")
    listener = Pairing(samples, "ours", server, ()).start((), f"{ROOM}/ChatStream", "bob")
    listener.wait_line("^entered$")
    check(server.terminate() == 0, "grpcio's server ends with 0")
    code, said = listener.wait()
    check(code in (CANCELLED, UNAVAILABLE), f"our client, grpcio's server: {said[-1]}")


def drains(_lab, samples):
    """A server that stops takes no new connection, and a call that goes on can be finished."""
    server = samples.server("ours", "draining", "--grace-ms", 60_000)
    hello, stubs = (sys.modules[name] for name in ("hello_pb2", "hello_pb2_grpc"))
    names = queue.Queue()
    with grpc.insecure_channel(server.address) as channel:
        replies = stubs.HelloServiceStub(channel).BidiHello(
            hello.HelloRequest(greeting=name) for name in iter(names.get, None))
        names.put("before")
        said = [next(replies).reply]
        server.signal(signal.SIGTERM)
        wait_for(lambda: samples.run("ours", ("--address", server.address), f"{HELLO}/SayHello",
                                     "Ann")[0] == UNAVAILABLE, 20, "nobody new is served")
        check(server.is_alive(), "the server waits for the call")
        names.put("after")
        said.append(next(replies).reply)
        names.put(None)
        check([*said, *replies] == ["Hello, before!", "Hello, after!"] and
              replies.code() == grpc.StatusCode.OK, f"the call is finished: {said}")
    check(server.process.wait(30) == 0, "then the server ends with 0")


def not_served(lab, samples, certificates, tls_words):
    """Nobody listens; a certificate of somebody else's; none where one is demanded."""
    server = samples.server("ours", "strict", *tls_words)
    other = Authority(lab, "other-ca")
    cert, key = certificates.client
    mine = ("--tls-cert", cert, "--tls-key", key)
    for kind in KINDS:
        for title, address, options in (
                ("nobody listens", "127.0.0.1:1", ()),
                ("an unknown issuer", server.address, ("--ca", other.file, *mine)),
                ("another name", server.address, ("--ca", certificates.ca.file, *mine,
                                                  "--server-name", "elsewhere")),
                ("no certificate", server.address, ("--ca", certificates.ca.file)),
                ("plaintext to TLS", server.address, ())):
            code, said = samples.run(kind, ("--address", address, *options),
                                     f"{HELLO}/SayHello", "Ann")
            check(code == UNAVAILABLE, f"{kind} client, {title}: {said[-1]}"[:200])
    must(server.terminate() == 0, "the server ends with 0")


def unix(lab, samples):
    path = f"unix:{lab.path('services.sock')}"
    server = samples.server("ours", "unix", listen=path)
    check(server.address == path, f"listens on {path}")
    for kind in KINDS:
        check(samples.run(kind, ("--address", path), f"{HELLO}/BidiHello", "a", "b") ==
              (OK, ["Hello, a!", "Hello, b!", "OK"]), f"{kind} client over a unix socket")
    must(server.terminate() == 0, "the server ends with 0")


def main(lab):
    certificates = Certificates(lab)
    samples = Samples(lab)
    cert, key = certificates.server
    tls_server = ("--tls-cert", cert, "--tls-key", key, "--ca", certificates.ca.file)
    cert, key = certificates.client
    tls_client = ("--ca", certificates.ca.file, "--tls-cert", cert, "--tls-key", key)
    all_pairings(lab, samples, "plaintext", (), (), ())
    all_pairings(lab, samples, "TLS", tls_server, tls_client, ["header greeted-as=client"])
    part(lab, "a server that stops", server_cancels, samples)
    part(lab, "a server that drains", drains, samples)
    part(lab, "not served", not_served, samples, certificates, tls_server)
    part(lab, "unix sockets", unix, samples)


if __name__ == "__main__":
    run(main)
