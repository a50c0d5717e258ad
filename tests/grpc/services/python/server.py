#!/usr/bin/env python3
"""server.py - the sample services on grpcio: what services-server does, said again in Python.

Wants the modules that grpcio-tools makes of the .proto files on PYTHONPATH. Prints "listening ADDRESS";
SIGTERM ends it.
"""
import argparse
import contextlib
import itertools
import json
import math
import queue
import signal
import sys
import threading
import time
from concurrent import futures
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

INVALID = grpc.StatusCode.INVALID_ARGUMENT
UNREAD_NOTES = 1024  # of one participant


class Hello(hello_pb2_grpc.HelloServiceServicer):
    @staticmethod
    def answer(name):
        return hello_pb2.HelloResponse(reply=f"Hello, {name}!")

    def SayHello(self, request, context):
        if not request.greeting:
            context.abort(INVALID, "an empty greeting")
        return self.answer(request.greeting)

    def LotsOfReplies(self, request, context):
        yield from map(self.answer, request.greeting.split())

    def LotsOfGreetings(self, request_iterator, context):
        names = [request.greeting for request in request_iterator]
        if not names:
            context.abort(INVALID, "nobody to greet")
        return self.answer(", ".join(names))

    def BidiHello(self, request_iterator, context):
        for request in request_iterator:
            yield self.answer(request.greeting)


class Greeter(helloworld_pb2_grpc.GreeterServicer):
    HELLO = {"en": ("Hello", "Hello again"), "de": ("Hallo", "Hallo nochmal"),
             "it": ("Ciao", "Ciao di nuovo")}

    def greet(self, request, context, which):
        if not request.name:
            context.abort(INVALID, "an empty name")
        asked = dict(context.invocation_metadata())
        language = asked.get("accept-language")
        if language not in self.HELLO:
            language = "en"
        ahead = [("content-language", language)]
        if context.peer_identities():
            ahead.append(("greeted-as", context.peer_identities()[0].decode()))
        context.send_initial_metadata(ahead)
        if "ticket-bin" in asked:
            context.set_trailing_metadata([("ticket-bin", asked["ticket-bin"])])
        return helloworld_pb2.HelloReply(message=f"{self.HELLO[language][which]}, {request.name}!")

    def SayHello(self, request, context):
        return self.greet(request, context, 0)

    def SayHelloAgain(self, request, context):
        return self.greet(request, context, 1)


class UserManager(user_manager_pb2_grpc.UserManagerServicer):
    NAMES = ["Ada", "Blaise", "Charles", "Dorothy", "Edsger", "Frances"]

    def find(self, number, context):
        if not 1 <= number <= len(self.NAMES):
            context.abort(grpc.StatusCode.NOT_FOUND, f"no user {number}")
        return user_manager_pb2.UserResponse(user={"id": number, "name": self.NAMES[number - 1]})

    def get(self, request, context):
        return self.find(request.id, context)

    def get_server_stream(self, request, context):
        for number in [request.id] if request.id else range(1, len(self.NAMES) + 1):
            yield self.find(number, context)

    def get_client_stream(self, request_iterator, context):
        known = [1 <= request.id <= len(self.NAMES) for request in request_iterator]
        unknown = known.count(False)
        return user_manager_pb2.UserResponse(user={"id": known.count(True)},
                                             error=f"{unknown} unknown" if unknown else "")

    def connect_chat(self, request_iterator, context):
        for request in request_iterator:
            for mark in "?!":
                yield user_manager_pb2.ChatMessage(id=request.id, message=request.message + mark)


class ChatRoom(chat_room_pb2_grpc.ChatRoomServicer):
    """Each participant has a queue with a bound: what does not fit in is missed."""

    def __init__(self):
        self.lock = threading.Lock()
        self.queues = set()
        self.last = 0

    def leave(self, notes):
        with self.lock:
            self.queues.discard(notes)
        with contextlib.suppress(queue.Full):
            notes.put_nowait(None)

    def ChatStream(self, request, context):
        if not request.name:
            context.abort(INVALID, "an empty name")
        notes = queue.Queue(UNREAD_NOTES)
        with self.lock:
            self.queues.add(notes)
        if not context.add_callback(lambda: self.leave(notes)):
            self.leave(notes)
        context.send_initial_metadata(())
        yield from iter(notes.get, None)

    def SendNote(self, request, context):
        if not request.name:
            context.abort(INVALID, "an empty name")
        if len(request.text) > 4000:
            context.abort(INVALID, "a note that long nobody reads")
        with self.lock:
            self.last += 1
            note = chat_room_pb2.ChatNote(name=request.name, text=request.text, number=self.last)
            for notes in self.queues:
                with contextlib.suppress(queue.Full):
                    notes.put_nowait(note)
            return chat_room_pb2.ChatReceipt(number=note.number, participants=len(self.queues))


def metres_between(one, other):
    radians = [math.radians(value / 1e7) for value in
               (one.latitude, one.longitude, other.latitude, other.longitude)]
    north = math.sin((radians[2] - radians[0]) / 2)
    east = math.sin((radians[3] - radians[1]) / 2)
    square = north ** 2 + math.cos(radians[0]) * math.cos(radians[2]) * east ** 2
    return 2 * 6371000 * math.asin(min(1, math.sqrt(square)))


class RouteGuide(route_guide_pb2_grpc.RouteGuideServicer):
    def __init__(self, file):
        self.names = {(round(entry["latitude"] * 1e7), round(entry["longitude"] * 1e7)):
                      entry["name"] for entry in json.loads(Path(file).read_text("utf-8"))}
        self.lock = threading.Lock()
        self.notes = []

    @staticmethod
    def key(point):
        return point.latitude, point.longitude

    def GetFeature(self, request, context):
        return route_guide_pb2.Feature(name=self.names.get(self.key(request), ""), location=request)

    def ListFeatures(self, request, context):
        south, north = sorted((request.lo.latitude, request.hi.latitude))
        west, east = sorted((request.lo.longitude, request.hi.longitude))
        for (latitude, longitude), name in self.names.items():
            if south <= latitude <= north and west <= longitude <= east:
                yield route_guide_pb2.Feature(
                    name=name, location={"latitude": latitude, "longitude": longitude})

    def RecordRoute(self, request_iterator, context):
        began = time.monotonic()
        points = list(request_iterator)
        return route_guide_pb2.RouteSummary(
            point_count=len(points),
            feature_count=sum(self.key(point) in self.names for point in points),
            distance=round(sum(itertools.starmap(metres_between, itertools.pairwise(points)))),
            elapsed_time=int(time.monotonic() - began))

    def RouteChat(self, request_iterator, context):
        for note in request_iterator:
            with self.lock:
                earlier = [one for one in self.notes
                           if self.key(one.location) == self.key(note.location)]
                self.notes.append(note)
            yield from earlier


class Yes(yes_pb2_grpc.YesServicer):
    def yes(self, request, context):
        return itertools.repeat(yes_pb2.YesReply(message=request.message or "y"))

    yesWithFc = yes


def credentials(options):
    files = [Path(name).read_bytes() for name in (options.tls_key, options.tls_cert)]
    ca = Path(options.ca).read_bytes() if options.ca else None
    return grpc.ssl_server_credentials([tuple(files)], ca, bool(ca))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:50051", metavar="ADDRESS")
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--ca", metavar="FILE")
    parser.add_argument("--features", metavar="FILE",
                        default=Path(__file__).parents[1] / "features.json")
    options = parser.parse_args()
    # A stream holds a thread.
    server = grpc.server(futures.ThreadPoolExecutor(64))
    hello_pb2_grpc.add_HelloServiceServicer_to_server(Hello(), server)
    helloworld_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
    user_manager_pb2_grpc.add_UserManagerServicer_to_server(UserManager(), server)
    chat_room_pb2_grpc.add_ChatRoomServicer_to_server(ChatRoom(), server)
    route_guide_pb2_grpc.add_RouteGuideServicer_to_server(RouteGuide(options.features), server)
    yes_pb2_grpc.add_YesServicer_to_server(Yes(), server)
    if options.tls_cert:
        port = server.add_secure_port(options.listen, credentials(options))
    else:
        port = server.add_insecure_port(options.listen)
    server.start()
    print(f"listening {options.listen.rsplit(':', 1)[0]}:{port}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.stop(grace=None).wait()
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    sys.exit(main())
