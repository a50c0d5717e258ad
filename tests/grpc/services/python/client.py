#!/usr/bin/env python3
"""client.py - what services-client does, with the same words and lines, on grpcio.

    client.py [options] -- SERVICE/METHOD WORD...

Prints what comes, then "OK" or "CODE: message", and exits with the code's number. Wants the modules
that grpcio-tools makes of the .proto files on PYTHONPATH.
"""
import argparse
import itertools
import queue
import sys
import time
from pathlib import Path

import grpc

import chat_room_pb2
import chat_room_pb2_grpc
import hello_pb2
import hello_pb2_grpc
import helloworld_pb2
import helloworld_pb2_grpc
import route_guide_pb2
import route_guide_pb2_grpc
import user_manager_pb2
import user_manager_pb2_grpc
import yes_pb2
import yes_pb2_grpc

HTTPS_OWN = ("grpc-", "accept-encoding", "content-", "date", "user-agent")


class Client:
    """One channel. `say` gets each line; a call ends with its status as the last one."""

    def __init__(self, channel, say, options):
        self.channel = channel
        self.say = say
        self.extra = {
            "timeout": options.timeout_ms / 1000 if options.timeout_ms else None,
            "metadata": options.metadata,
            "compression": grpc.Compression.Gzip if options.gzip else None,
        }

    def run(self, method, words):
        service, name = method.split("/")
        try:
            COMMANDS[service](self, name, *words)
        except grpc.RpcError as error:
            code = error.code()
            self.say(f"{code.name}: {error.details()}")
            return code.value[0]
        self.say("OK")
        return 0

    def replies(self, call, text):
        for message in call:
            self.say(text(message))

    def hello(self, name, *words):
        stub = hello_pb2_grpc.HelloServiceStub(self.channel)
        requests = [hello_pb2.HelloRequest(greeting=word) for word in words]
        if name in ("SayHello", "LotsOfGreetings"):
            asked = requests[0] if name == "SayHello" else iter(requests)
            self.say(getattr(stub, name)(asked, **self.extra).reply)
        else:
            asked = requests[0] if name == "LotsOfReplies" else iter(requests)
            self.replies(getattr(stub, name)(asked, **self.extra), lambda message: message.reply)

    def greet(self, name, word):
        method = getattr(helloworld_pb2_grpc.GreeterStub(self.channel), name)
        reply, call = method.with_call(helloworld_pb2.HelloRequest(name=word), **self.extra)
        self.metadata("header", call.initial_metadata())
        self.say(reply.message)
        self.metadata("trailer", call.trailing_metadata())

    def metadata(self, kind, fields):
        for name, value in fields:
            if not name.startswith(HTTPS_OWN) or name == "content-language":
                self.say(f"{kind} {name}={value.hex() if name.endswith('-bin') else value}")

    def users(self, name, *words):
        stub = user_manager_pb2_grpc.UserManagerStub(self.channel)
        if name == "connect_chat":
            self.chat(stub, words)
            return
        requests = [user_manager_pb2.UserRequest(id=int(word)) for word in words]
        if name == "get":
            self.say(user_line(stub.get(requests[0], **self.extra)))
        elif name == "get_server_stream":
            self.replies(stub.get_server_stream(requests[0], **self.extra), user_line)
        else:
            counted = stub.get_client_stream(iter(requests), **self.extra)
            self.say(f"{counted.user.id} known" +
                     (f", {counted.error}" if counted.error else ""))

    def chat(self, stub, words):
        """The next message when both replies to the last are there."""
        outbox = queue.Queue()
        call = stub.connect_chat(iter(outbox.get, None), **self.extra)
        try:
            for number, word in enumerate(words, 1):
                outbox.put(user_manager_pb2.ChatMessage(id=number, message=word))
                self.replies(itertools.islice(call, 2), chat_line)
        finally:
            outbox.put(None)
        self.replies(call, chat_line)

    def room(self, name, word, more=None):
        stub = chat_room_pb2_grpc.ChatRoomStub(self.channel)
        if name == "SendNote":
            receipt = stub.SendNote(chat_room_pb2.ChatNote(name=word, text=more), **self.extra)
            self.say(f"{receipt.number} {receipt.participants}")
            return
        call = stub.ChatStream(chat_room_pb2.ChatEntry(name=word), **self.extra)
        call.initial_metadata()
        self.say("entered" if call.is_active() else "refused")
        for count, note in enumerate(call, 1):
            self.say(f"{note.number} {note.name}: {note.text}")
            if str(count) == more:
                call.cancel()

    def route(self, name, *words):
        stub = route_guide_pb2_grpc.RouteGuideStub(self.channel)
        if name == "RouteChat":
            notes = [route_guide_pb2.RouteNote(location=to_point(words[at:]), message=words[at + 2])
                     for at in range(0, len(words), 3)]
            self.replies(stub.RouteChat(iter(notes), **self.extra),
                         lambda note: f"{point_words(note.location)} {note.message}")
            return
        points = [to_point(words[at:]) for at in range(0, len(words), 2)]
        if name == "GetFeature":
            self.say(feature_line(stub.GetFeature(points[0], **self.extra)))
        elif name == "ListFeatures":
            asked = route_guide_pb2.Rectangle(lo=points[0], hi=points[1])
            self.replies(stub.ListFeatures(asked, **self.extra), feature_line)
        else:
            summary = stub.RecordRoute(iter(points), **self.extra)
            self.say(f"points={summary.point_count} features={summary.feature_count} "
                     f"metres={summary.distance} seconds={summary.elapsed_time}")

    def yes(self, name, count, word="", pause_ms="0"):
        stub = yes_pb2_grpc.YesStub(self.channel)
        call = getattr(stub, name)(yes_pb2.YesRequest(message=word), **self.extra)
        for number, reply in enumerate(call, 1):
            if int(count) == 0 or number <= int(count):
                self.say(reply.message)
            if number == int(count):
                call.cancel()
            time.sleep(int(pause_ms) / 1000)


COMMANDS = {
    "sluice.test.HelloService": Client.hello,
    "helloworld.Greeter": Client.greet,
    "sluice.test.UserManager": Client.users,
    "sluice.test.ChatRoom": Client.room,
    "routeguide.RouteGuide": Client.route,
    "sluice.test.Yes": Client.yes,
}


def user_line(response):
    return f"{response.user.id} {response.user.name}"


def chat_line(message):
    return f"{message.id} {message.message}"


def to_point(words):
    return route_guide_pb2.Point(latitude=int(words[0]), longitude=int(words[1]))


def point_words(point):
    return f"{point.latitude} {point.longitude}"


def feature_line(feature):
    return f"{point_words(feature.location)} {feature.name or 'nothing'}"


def read(name):
    return Path(name).read_bytes() if name else None


def open_channel(address, ca=None, cert=None, key=None, server_name=None):
    if not ca:
        return grpc.insecure_channel(address)
    options = [("grpc.ssl_target_name_override", server_name)] if server_name else []
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(read(ca), read(key), read(cert)),
                               options)


def metadatum(word):
    name, value = word.split("=", 1)
    return name, bytes.fromhex(value) if name.endswith("-bin") else value


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1:50051")
    parser.add_argument("--ca")
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--server-name")
    parser.add_argument("--timeout-ms", type=int)
    parser.add_argument("--metadata", action="append", default=[], type=metadatum)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("method")
    parser.add_argument("words", nargs="*")
    return parser.parse_args(argv)


def main(argv, say):
    options = parse(argv)
    with open_channel(options.address, options.ca, options.tls_cert, options.tls_key,
                      options.server_name) as channel:
        return Client(channel, say, options).run(options.method, options.words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], lambda line: print(line, flush=True)))
