#!/usr/bin/env python3
"""standard_services - health checks and reflection of `sluice sim`, by clients that are not ours.

grpcio's health checking and its reflection client (which speaks v1alpha), grpcurl (which speaks v1);
in plaintext, and over TLS with client certificates. A call is made from what reflection told, without
any .proto file. On SIGTERM a watcher hears NOT_SERVING before its call ends.
"""
import json
import subprocess
import threading

from harness import Failed, check, must, part, run, sluice, wait_for  # first: enters the environment

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

import foreign
from certificates import Certificates

CALL_S = 20
SERVICES = {"gnmi.gNMI", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"}
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def start(lab, security):
    words = security.device_words() if security else []
    device = lab.start("sim", [sluice(), "sim", "--listen", "127.0.0.1:0", "--quiet", *words])
    return device, device.wait_line(r"^listening (127\.0\.0\.1:\d+)$", 20)[0].group(1)


def channel_to(lab, where, security):
    if security:
        cert, key = (path.read_bytes() for path in security.client)
        channel = grpc.secure_channel(where, grpc.ssl_channel_credentials(
            security.ca.file.read_bytes(), key, cert))
    else:
        channel = grpc.insecure_channel(where)
    lab.on_end(channel.close)
    return channel


# ---- health ----

def check_of(health, service):
    """A status, or the code of what was said instead."""
    try:
        return health.Check(health_pb2.HealthCheckRequest(service=service), timeout=CALL_S).status
    except grpc.RpcError as error:
        return error.code()


class Watcher:
    """A Watch on a thread: what it heard, and how it ended."""

    def __init__(self, health, service):
        self.heard = []
        self.code = None
        self.call = health.Watch(health_pb2.HealthCheckRequest(service=service))
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        try:
            for response in self.call:
                self.heard.append(response.status)
            self.code = grpc.StatusCode.OK
        except grpc.RpcError as error:
            self.code = error.code()


def health_checks(lab, security):
    device, where = start(lab, security)
    health = health_pb2_grpc.HealthStub(channel_to(lab, where, security))
    check(check_of(health, "") == SERVING, "the server as a whole is SERVING")
    check(check_of(health, "gnmi.gNMI") == SERVING, "gnmi.gNMI is SERVING")
    check(check_of(health, "nobody") == grpc.StatusCode.NOT_FOUND, "a Check of nobody: NOT_FOUND")
    watchers = [Watcher(health, service) for service in ("", "gnmi.gNMI", "nobody")]
    wait_for(lambda: all(watcher.heard for watcher in watchers), CALL_S, "the first statuses")
    must(device.terminate() == 0, "sluice sim ends with 0 on SIGTERM while it is watched")
    for watcher in watchers:
        watcher.thread.join(CALL_S)
    check([watcher.heard for watcher in watchers] ==
          [[SERVING, NOT_SERVING], [SERVING, NOT_SERVING], [SERVICE_UNKNOWN]],
          f"watchers heard the end coming: {[watcher.heard for watcher in watchers]}")
    check([watcher.code for watcher in watchers] == [grpc.StatusCode.UNAVAILABLE] * 3,
          f"and their calls ended: {[str(watcher.code) for watcher in watchers]}")


# ---- reflection ----

def subscribe_by_reflection(channel, pool):
    """A Subscribe with the messages that reflection described; the first value that comes."""
    service = pool.FindServiceByName("gnmi.gNMI")
    method = service.FindMethodByName("Subscribe")
    request_class, response_class = (message_factory.GetMessageClass(found) for found in
                                     (method.input_type, method.output_type))
    subscribe = channel.stream_stream(f"/{service.full_name}/{method.name}",
                                      request_serializer=request_class.SerializeToString,
                                      response_deserializer=response_class.FromString)
    request = request_class()
    request.subscribe.subscription.add().path.elem.add(name="interfaces")
    over = threading.Event()

    def requests():
        yield request
        over.wait()

    call = subscribe(requests(), timeout=CALL_S)
    try:
        return next(call)
    finally:
        call.cancel()
        over.set()


def knows(find, name):
    try:
        return find(name).full_name == name
    except KeyError:
        return False


def reflection_client(lab, security):
    _, where = start(lab, security)
    channel = channel_to(lab, where, security)
    database = ProtoReflectionDescriptorDatabase(channel)
    pool = descriptor_pool.DescriptorPool(database)
    check(set(database.get_services()) == SERVICES, "all services are listed, and no other")
    for find, name in (
            (pool.FindServiceByName, "gnmi.gNMI"),
            (pool.FindMethodByName, "gnmi.gNMI.Subscribe"),
            (pool.FindMessageTypeByName, "gnmi.SubscribeRequest"),
            (pool.FindEnumTypeByName, "gnmi.SubscriptionList.Mode"),
            (pool.FindFieldByName, "gnmi.Update.duplicates"),
            (pool.FindMessageTypeByName, "gnmi_ext.Extension"),
            (pool.FindMessageTypeByName, "google.protobuf.Any"),
            (pool.FindServiceByName, "grpc.health.v1.Health"),
            (pool.FindMessageTypeByName, "grpc.reflection.v1.ErrorResponse")):
        check(knows(find, name), f"{find.__name__} {name}")
    check(not knows(pool.FindMessageTypeByName, "gnmi.Nothing"), "what is not there is not found")
    response = subscribe_by_reflection(channel, pool)
    check(response.update.timestamp > 0 and response.update.update,
          f"Subscribe with nothing but that: {len(response.update.update)} updates")


def grpcurl(lab, security):
    _, where = start(lab, security)
    words = ["-plaintext"]
    if security:
        cert, key = security.client
        words = ["-cacert", security.ca.file, "-cert", cert, "-key", key]
    tool = [foreign.go("grpcurl"), *words]

    def said(*words):
        done = subprocess.run([str(word) for word in (*tool, *words)], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=CALL_S,
                              check=False)
        if done.returncode != 0:
            raise Failed(f"grpcurl {words[-1]}: {done.stderr}")
        return done.stdout

    check(set(said(where, "list").split()) == SERVICES, "grpcurl list")
    check(said(where, "list", "gnmi.gNMI").split() ==
          [f"gnmi.gNMI.{name}" for name in ("Capabilities", "Get", "Set", "Subscribe")],
          "grpcurl list gnmi.gNMI")
    check("rpc Subscribe ( stream .gnmi.SubscribeRequest ) returns ( stream .gnmi.SubscribeResponse )"
          in said(where, "describe", "gnmi.gNMI"), "grpcurl describe gnmi.gNMI")
    check("map<string, string> key = 2" in said(where, "describe", "gnmi.PathElem"),
          "grpcurl describe gnmi.PathElem")
    status = json.loads(said("-d", '{"service": "gnmi.gNMI"}', where,
                             "grpc.health.v1.Health/Check"))
    check(status == {"status": "SERVING"}, f"grpcurl health check: {status}")
    every = json.loads(said(where, "grpc.health.v1.Health/List"))
    check(every == {"statuses": {name: {"status": "SERVING"} for name in ("", "gnmi.gNMI")}},
          f"grpcurl health list: {every}")
    request = {"subscribe": {"updates_only": True,
                             "subscription": [{"path": {"elem": [{"name": "interfaces"}]}}]}}
    first = said("-d", json.dumps(request), where, "gnmi.gNMI/Subscribe")
    check(json.loads(first) == {"syncResponse": True}, f"grpcurl Subscribe: {first.split()}")


def main(lab):
    security = Certificates(lab)
    for word, secured in (("plaintext", None), ("TLS", security)):
        part(lab, f"health checks, {word}", health_checks, secured)
        part(lab, f"grpcio's reflection client, {word}", reflection_client, secured)
        part(lab, f"grpcurl, {word}", grpcurl, secured)


if __name__ == "__main__":
    run(main)
