"""server - grpcio's server on 127.0.0.1:PORT, which answers grpc.health.v1.Health/Check with SERVING.

usage: server.py PORT

Each call takes a few milliseconds. SIGTERM ends it as grpcio does that: no new calls, those under way
have GRACE_S. Prints "listening" and, at the end, how many calls it answered.
"""
import random
import signal
import sys
import threading
import time
from concurrent import futures

import grpc

GRACE_S = 5
SERVING = b"\x08\x01"
WORK_S = 0.005


class Health(grpc.GenericRpcHandler):
    def __init__(self):
        self.answered = 0
        self.lock = threading.Lock()

    def check(self, _request, _context):
        time.sleep(random.random() * WORK_S)
        with self.lock:
            self.answered += 1
        return SERVING

    def service(self, handler_call_details):
        if handler_call_details.method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(self.check)
        return None


def main():
    health = Health()
    ended = threading.Event()
    server = grpc.server(futures.ThreadPoolExecutor(8), handlers=(health,),
                         options=[("grpc.so_reuseport", 0)])
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server.start()
    print("listening", flush=True)
    ended.wait()
    server.stop(GRACE_S).wait()
    print(f"answered {health.answered}", flush=True)


if __name__ == "__main__":
    main()
