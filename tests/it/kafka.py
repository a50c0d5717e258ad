"""kafka - a real broker (tests/kafka/kafka.sh) and a consumer that is not ours (confluent-kafka)."""
import contextlib
import os
import shutil
import signal
import subprocess
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from harness import ROOT, Failed, free_port, note, wait_for

SCRIPT = ROOT / "tests/kafka/kafka.sh"
READ_TIMEOUT_S = 60
AGAIN = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE,
         KafkaError.OFFSET_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._TIMED_OUT,
         KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._UNKNOWN_PARTITION,
         KafkaError._UNKNOWN_TOPIC}


class Kafka:
    """One node. `properties(port)` gives more lines of its configuration; its own listeners have `port`
    and the one after it, and the `ports` - 2 behind these are free for others."""

    def __init__(self, lab, heap="512m", properties=None, ports=2, environment=None, name="kafka",
                 is_started=True):
        self.port = free_port(ports)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.data = lab.path(name)
        self.environment = {**os.environ, "KAFKA_DATA": str(self.data), "KAFKA_PORT": str(self.port),
                            "KAFKA_HEAP": heap, **(environment or {})}
        if properties:
            place = lab.path(f"{name}.properties")
            place.write_text(properties(self.port), encoding="utf-8")
            self.environment["KAFKA_PROPERTIES"] = str(place)
        lab.on_end(self.end)
        if is_started:
            self.start()

    def second(self, lab):
        """Another broker of its cluster, to be started: it has replicas of topics that are made then."""
        def properties(port):
            return (f"process.roles=broker\nnode.id=2\ncontroller.quorum.voters=1@127.0.0.1:{self.port + 1}\n"
                    f"listeners=PLAINTEXT://127.0.0.1:{port}\n")
        return Kafka(lab, "256m", properties, environment={"KAFKA_BROKERS": "2"}, name="second",
                     is_started=False)

    def _script(self, *words):
        done = subprocess.run([SCRIPT, *words], env=self.environment, capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed(f"kafka.sh {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def start(self):
        note(self._script("start").splitlines()[-1])

    def warm(self):
        """Whoever comes next is served at once: a producer has had its id, and a record was stored."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "enable.idempotence": True})
        producer.produce(self.topic("warm", 1), b"x")
        if producer.flush(60):
            raise Failed("the broker stores nothing")

    def stop(self):
        """SIGTERM, and waits for its end. What was acknowledged stays."""
        self._script("stop")

    @contextlib.contextmanager
    def paused(self):
        """SIGSTOP, and SIGCONT at the end."""
        pid = int(self._script("pid"))
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextlib.contextmanager
    def stopped(self):
        """SIGTERM, and a new start at the end; what was acknowledged is still there."""
        self._script("stop")
        try:
            yield
        finally:
            self.start()

    def quota(self, bytes_per_s):
        """What all producers together may send; 0: anything. The broker makes them wait for it."""
        self._script("quota", str(bytes_per_s))

    def wait_records(self, topic, expected, timeout_s=120, stall_s=30):
        """Until the topic has that many; fails as soon as it has not grown for `stall_s`. A device that
        has sent its last message is not yet one whose last message has arrived."""
        reader = Reader(self.bootstrap, topic)
        most, since = -1, time.monotonic()

        def has_all():
            nonlocal most, since
            now = sum(high - low for low, high in reader.ends().values())
            if now > most:
                most, since = now, time.monotonic()
            if now < expected and time.monotonic() > since + stall_s:
                raise Failed(f"{topic} stays at {now} records of {expected}")
            return now >= expected

        try:
            wait_for(has_all, timeout_s, f"{expected} records in {topic}")
        finally:
            reader.consumer.close()

    def end(self):
        subprocess.run([SCRIPT, "kill"], env=self.environment, capture_output=True, check=False)
        shutil.rmtree(self.data, ignore_errors=True)

    def topic(self, name, partitions=4, replicas=1, **settings):
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        config = {key.replace("_", "."): str(value) for key, value in settings.items()}
        for made in admin.create_topics([NewTopic(name, partitions, replicas, config=config)]).values():
            made.result(30)
        return name


def watermarks(consumer, partition, timeout_s=30):
    """(low, high) of a partition. A leader that is only just elected, or that comes back, may send the
    asker away at first: such errors are asked again."""
    def ask():
        try:
            return consumer.get_watermark_offsets(partition, timeout=5)
        except KafkaException as error:
            if not error.args[0].retriable() and error.args[0].code() not in AGAIN:
                raise
            return None
    return wait_for(ask, timeout_s, f"the ends of {partition.topic}")


class Reader:
    """Everything that is in a topic when it is asked: each partition in its order, up to its end."""

    def __init__(self, bootstrap, topic):
        self.topic = topic
        self.consumer = Consumer({
            "bootstrap.servers": bootstrap,
            "group.id": "reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.message.max.bytes": 8 << 20,
            "queued.max.messages.kbytes": 64 << 10,
            "check.crcs": True,
        })

    def partitions(self):
        metadata = self.consumer.list_topics(self.topic, timeout=30).topics[self.topic]
        if metadata.error:
            raise Failed(f"topic {self.topic}: {metadata.error}")
        return sorted(metadata.partitions)

    def ends(self):
        return {number: watermarks(self.consumer, TopicPartition(self.topic, number))
                for number in self.partitions()}

    def messages(self):
        """Yields confluent_kafka.Message. Also says when a log does not begin at 0: then it was cut."""
        ends = self.ends()
        for number, (low, _) in ends.items():
            if low != 0:
                raise Failed(f"{self.topic}/{number} begins at {low}: records were expired")
        left = {number for number, (_, high) in ends.items() if high > 0}
        self.consumer.assign([TopicPartition(self.topic, number, 0) for number in left])
        deadline = time.monotonic() + READ_TIMEOUT_S
        while left:
            batch = self.consumer.consume(10000, timeout=0.5)
            if batch:
                deadline = time.monotonic() + READ_TIMEOUT_S
            elif time.monotonic() > deadline:
                raise Failed(f"{self.topic}: nothing to read in {READ_TIMEOUT_S} s")
            for message in batch:
                if message.error() is None:
                    yield message
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    if message.offset() >= ends[message.partition()][1]:
                        left.discard(message.partition())
                else:
                    raise Failed(f"{self.topic}: {message.error()}")
        self.consumer.close()
