"""cluster - three real brokers (tests/kafka/cluster.sh), and a proxy that stands where it is told to.

The proxy is toxiproxy (tests/peers/go.mod). In front of each broker there is one from the start, for
clients that bootstrap by `proxied`; any other is made on demand, as in front of devices.
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

from confluent_kafka import ElectionType, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from harness import ROOT, Failed, free_port, note, peer, wait_for

SCRIPT = ROOT / "tests/kafka/cluster.sh"
NODES = (1, 2, 3)
REPLICAS = 3
PROXY = "github.com/Shopify/toxiproxy/v2/cmd/server"


class Proxies:
    def __init__(self, lab):
        self.port = free_port()
        self.process = lab.start("toxiproxy", [peer("toxiproxy-server", PROXY), "-host", "127.0.0.1",
                                               "-port", self.port], {"LOG_LEVEL": "fatal"})
        wait_for(self.is_up, 20, "toxiproxy")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def is_up(self):
        try:
            return self.ask("GET", "/version")
        except OSError:
            return False

    def add(self, name, listen_port, port):
        self.ask("POST", "/proxies", {"name": name, "enabled": True,
                                      "listen": f"127.0.0.1:{listen_port}",
                                      "upstream": f"127.0.0.1:{port}"})

    def remove(self, name):
        self.ask("DELETE", f"/proxies/{name}")

    def enable(self, name, is_enabled):
        """A proxy that is not enabled refuses connections, and ends those that it has."""
        self.ask("POST", f"/proxies/{name}", {"enabled": is_enabled})

    @contextlib.contextmanager
    def cut(self, *names):
        for name in names:
            self.enable(name, False)
        try:
            yield
        finally:
            for name in names:
                self.enable(name, True)

    @contextlib.contextmanager
    def toxic(self, names, kind, **attributes):
        """In both directions. Kinds: latency, bandwidth (rate in KB/s), timeout, reset_peer …"""
        for name in names:
            for stream in ("upstream", "downstream"):
                self.ask("POST", f"/proxies/{name}/toxics", {
                    "name": f"{kind}-{stream}", "type": kind, "stream": stream,
                    "attributes": attributes})
        try:
            yield
        finally:
            for name in names:
                for stream in ("upstream", "downstream"):
                    self.ask("DELETE", f"/proxies/{name}/toxics/{kind}-{stream}")


class Cluster:
    def __init__(self, lab, heap="512m"):
        self.port = free_port(12)
        self.data = lab.path("cluster")
        self.environment = {**os.environ, "KAFKA_DATA": str(self.data), "KAFKA_PORT": str(self.port),
                            "KAFKA_HEAP": heap}
        self.paused_nodes = set()
        lab.on_end(self.end)
        note(self.script("start").replace("\n", ", "))
        self.bootstrap = ",".join(f"127.0.0.1:{self.port + node - 1}" for node in NODES)
        self.proxied = ",".join(f"127.0.0.1:{self.port + 8 + node}" for node in NODES)
        self.proxies = Proxies(lab)
        for node in NODES:
            self.proxies.add(self.proxy(node), self.port + 8 + node, self.port + 5 + node)
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    @staticmethod
    def proxy(node):
        return f"broker{node}"

    def proxy_names(self):
        return [self.proxy(node) for node in NODES]

    def script(self, *words):
        done = subprocess.run([SCRIPT, *map(str, words)], env=self.environment, capture_output=True,
                              text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed(f"cluster.sh {' '.join(map(str, words))}: {done.stderr.strip()[-2000:]}")
        return done.stdout.strip()

    @contextlib.contextmanager
    def stopped(self, *nodes):
        """SIGTERM, and a new start at the end; of all nodes when none is named."""
        self.script("stop", *nodes)
        try:
            yield
        finally:
            self.script("start", *nodes)

    @contextlib.contextmanager
    def killed(self, *nodes):
        self.script("kill", *nodes)
        try:
            yield
        finally:
            self.script("start", *nodes)

    @contextlib.contextmanager
    def paused(self, *nodes):
        """SIGSTOP, and SIGCONT at the end."""
        pids = [int(self.script("pid", node)) for node in nodes or NODES]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def topic(self, name, partitions=12, **settings):
        config = {"min.insync.replicas": "2"}
        config.update({key.replace("_", "."): str(value) for key, value in settings.items()})
        new = NewTopic(name, partitions, REPLICAS, config=config)
        for made in self.admin.create_topics([new]).values():
            made.result(30)
        wait_for(lambda: len(self.leaders(name)) == partitions and -1 not in
                 self.leaders(name).values(), 30, f"leaders of {name}")
        return name

    def forget(self, name):
        """What was judged need not stay in memory."""
        for gone in self.admin.delete_topics([name]).values():
            gone.result(30)

    def leaders(self, topic):
        """{partition: node}"""
        return {number: one.leader for number, one in self.partitions(topic).items()}

    def partitions(self, topic):
        return self.admin.list_topics(topic, timeout=30).topics[topic].partitions

    def wait_whole(self, topic, timeout_s=60):
        """All replicas of all partitions are there again, and the first of each leads: what comes next
        begins with a whole cluster, whoever came back last."""
        def is_whole():
            found = self.partitions(topic)
            if not found or any(len(one.isrs) < REPLICAS for one in found.values()):
                return False
            astray = [TopicPartition(topic, number) for number, one in found.items()
                      if one.leader != one.replicas[0]]
            if astray:
                with contextlib.suppress(KafkaException):  # it is asked again
                    self.admin.elect_leaders(ElectionType.PREFERRED, astray).result(30)
            return not astray
        wait_for(is_whole, timeout_s, f"{topic}: all replicas in sync, and the first ones lead")

    def end(self):
        subprocess.run([SCRIPT, "kill"], env=self.environment, capture_output=True, check=False)
        shutil.rmtree(self.data, ignore_errors=True)
