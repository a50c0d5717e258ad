"""scripted - a device on grpcio that sends, in each Subscribe call, what a script says."""
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from harness import Failed, free_port
from records import gnmi_messages

MESSAGES = gnmi_messages()
SUBSCRIBE = "/gnmi.gNMI/Subscribe"
SYNC = MESSAGES["SubscribeResponse"](sync_response=True).SerializeToString()


def fill_path(path, text):
    """`/a/b`, without keys."""
    for name in text.strip("/").split("/"):
        path.elem.add(name=name)


def notification(timestamp, updates=(), deletes=(), atomic=False):
    """The bytes of a SubscribeResponse; `updates` are (path, uint) or (path, uint, duplicates)."""
    response = MESSAGES["SubscribeResponse"]()
    response.update.timestamp = timestamp
    response.update.atomic = atomic
    for path, value, *duplicates in updates:
        update = response.update.update.add(duplicates=duplicates[0] if duplicates else 0)
        fill_path(update.path, path)
        update.val.uint_val = value
    for path in deletes:
        fill_path(response.update.delete.add(), path)
    return response.SerializeToString()


class Device(grpc.GenericRpcHandler):
    """`play(number, call)` yields the bytes of the messages of the Subscribe call `number`, from 0 on;
    `call.abort` ends it with a status, `device.stay(call)` keeps it until it is ended."""

    at_once = 4  # calls

    def __init__(self, lab, play):
        self.play = play
        self.calls = 0
        self.over = threading.Event()
        self.port = free_port()  # nobody else's while it is switched off, either
        self.start()
        lab.on_end(self.close)

    def start(self):
        self.server = grpc.server(ThreadPoolExecutor(self.at_once), options=[("grpc.so_reuseport", 0)])
        self.server.add_generic_rpc_handlers((self,))
        if self.server.add_insecure_port(f"127.0.0.1:{self.port}") != self.port:
            raise Failed(f"no port {self.port} any more")
        self.server.start()

    def restart(self):
        """Everything is cut, as when it is switched off; then it is there again."""
        self.server.stop(None).wait()
        self.start()

    def close(self):
        self.over.set()
        self.server.stop(None).wait()

    def stay(self, call):
        while call.is_active() and not self.over.wait(0.05):
            pass

    def service(self, details):
        if details.method != SUBSCRIBE:
            return None
        return grpc.stream_stream_rpc_method_handler(self.subscribe)

    def subscribe(self, requests, call):
        next(requests)
        number, self.calls = self.calls, self.calls + 1
        yield from self.play(number, call)
