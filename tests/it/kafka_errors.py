#!/usr/bin/env python3
"""kafka_errors - what a real broker refuses: nothing is lost but what can never be stored.

split     notifications larger than the topic's max.message.bytes, which is asked for beforehand.
lowered   the limit of a topic is lowered while records flow, so that batches are refused: a new
          producer sends what is in them one by one, in order, once each.
dead      what cannot be split goes to the dead letters, and says why.
placed    the partition of a key is gnmic's; one that a label says is taken.
thin      a topic wants more replicas in sync than there are, since one of two brokers has ended: the
          sink is in trouble and says so, the device waits, and afterwards everything is there in order,
          once.
About 50 s. The consumer is confluent-kafka's.
"""
import json
from concurrent import futures

from harness import check, must, part, run, wait_for

from confluent_kafka.admin import AdminClient, ConfigResource

from collector import Collector, kafka_sink, subscription
from devices import Devices
from kafka import Kafka, Reader

SPLIT_LIMIT, SPLIT_MESSAGES, SPLIT_UPDATES = 1500, 100, 20
LOWERED_LIMIT, LOWERED_AFTER, LOWERED_MORE = 5000, 1200, 5000
DEAD_LIMIT, DEAD_MESSAGES = 4000, 20
THIN_MESSAGES, THIN_UPDATES = 500, 20


def numbers(message):
    epoch, seq = dict(message.headers())["sluice"].decode().split(";")[:2]
    return int(epoch), int(seq)


def read(kafka, topic):
    return list(Reader(kafka.bootstrap, topic).messages())


def check_whole(name, messages):
    found = [numbers(message) for message in messages]
    epochs = {epoch for epoch, _ in found}
    check(len(epochs) == 1, f"{name}: one epoch")
    check([seq for _, seq in found] == list(range(1, len(found) + 1)),
          f"{name}: {len(found)} records, each number once and in order")


def through(lab, sink, wanted, **device):
    """A device into a sink until `wanted(collector)`; what the metrics said then."""
    devices = Devices(lab, "sim", 1, **device)
    collector = Collector(lab, devices.addresses(),
                          {"all": subscription(credit={"initial": "256KiB"})}, {"main": sink},
                          workers=1, target={"labels": {"part": "2"}})
    wait_for(lambda: wanted(collector), 90, "the records")
    metrics = collector.metrics()
    must(collector.stop() == 0, "sluice ends with 0")
    return metrics


def value(metrics, name, **labels):
    return sum(number for found, has, number in metrics
               if found.startswith(name) and labels.items() <= has.items())


def split(lab, kafka):
    topic = kafka.topic("split", 1, max_message_bytes=SPLIT_LIMIT)
    metrics = through(
        lab, kafka_sink(kafka.bootstrap, topic),
        lambda c: c.total("sluice_updates_published") >= SPLIT_MESSAGES * SPLIT_UPDATES,
        updates=SPLIT_UPDATES, messages=SPLIT_MESSAGES, rate=100)
    messages = read(kafka, topic)
    check_whole("split", messages)
    values = sum(len(event.get("values", {})) for message in messages
                 for event in json.loads(message.value()))
    check(values >= SPLIT_MESSAGES * SPLIT_UPDATES and len(messages) > 2 * SPLIT_MESSAGES,
          f"split: {values} values of {SPLIT_MESSAGES} messages")
    largest = max(len(message.value()) for message in messages)
    check(SPLIT_LIMIT / 3 < largest < SPLIT_LIMIT, f"split: the largest record has {largest} bytes")
    check(value(metrics, "sluice_sink_restarts") == 0, "split: nothing was refused")


def alter(kafka, topic, **settings):
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    resource = ConfigResource("topic", topic, set_config=settings)
    for done in admin.alter_configs([resource]).values():
        done.result(30)


def lowered(lab, kafka):
    """However long the broker takes to lower it: the device goes on until a batch was refused, and
    then for LOWERED_MORE updates."""
    topic = kafka.topic("lowered", 1)
    is_low, enough = False, None

    def is_through(collector):
        nonlocal is_low, enough
        published = collector.total("sluice_updates_published")
        if published >= LOWERED_AFTER and not is_low:
            alter(kafka, topic, **{"max.message.bytes": str(LOWERED_LIMIT)})
            is_low = True
        if not enough and collector.total("sluice_sink_errors", reason="too-large"):
            enough = published + LOWERED_MORE
        return enough and published >= enough

    metrics = through(lab, kafka_sink(kafka.bootstrap, topic), is_through, updates=5, rate=300)
    check(value(metrics, "sluice_sink_errors", reason="too-large") > 0 and
          value(metrics, "sluice_sink_restarts") > 0, "lowered: batches were refused")
    check_whole("lowered", read(kafka, topic))


def dead(lab, kafka):
    topic = kafka.topic("narrow", 1, max_message_bytes=DEAD_LIMIT)
    letters = kafka.topic("letters", 1)
    metrics = through(
        lab, kafka_sink(kafka.bootstrap, topic, dead_letter={"topic": letters}),
        lambda c: value(c.metrics(), "sluice_updates_dropped", reason="dead-letter") >= DEAD_MESSAGES,
        sizes=(9000, 9100), messages=DEAD_MESSAGES)
    said = [dict(message.headers()) for message in read(kafka, letters)]
    check(len(said) >= DEAD_MESSAGES and all(
        has["sluice-dead-reason"] == b"too-large" and has["sluice-dead-topic"] == topic.encode() and
        has["sluice"].count(b";") == 5 for has in said), f"dead: {len(said)} letters say why")
    check(value(metrics, "sluice_updates_dropped", reason="too-large") == 0, "dead: nothing is dropped")


def thin(lab, kafka, second, start):
    start.result()
    topic = kafka.topic("thin", replicas=2, min_insync_replicas=2)
    second.stop()
    devices = Devices(lab, "sim", 1, updates=THIN_UPDATES, messages=THIN_MESSAGES)
    collector = Collector(lab, devices.addresses(), {"all": subscription(credit={"initial": "64KiB"})},
                          {"main": kafka_sink(kafka.bootstrap, topic)}, workers=1)
    trouble = {"reason": "not-enough-replicas"}
    line = collector.process.wait_line(r'sink=main .*reason=not-enough-replicas text=".*" try=', 40)
    must(line, "thin: the log says what is wrong, and what to try")
    wait_for(lambda: collector.total("sluice_sink_troubled", **trouble) == 1, 20, "the trouble among the metrics")
    wait_for(lambda: collector.total("sluice_stream_held", sink="main") > 0 and
             any(blocked_s > 0 for _, blocked_s in devices.now().values()), 20, "a stream that is held")
    sinks = json.loads(collector.get("/api/v1/sinks")[1])["sinks"]
    check([one["reason"] for one in sinks[0]["troubles"] if one["now"]] == [trouble["reason"]],
          f"thin: the API shows it: {sinks[0]['troubles']}")
    check(collector.total("sluice_updates_published") == 0 and not devices.done(),
          "thin: nothing is stored, and the device waits")
    alter(kafka, topic, **{"min.insync.replicas": "1"})
    wait_for(lambda: collector.total("sluice_updates_published") >= THIN_MESSAGES * THIN_UPDATES, 60, "the records")
    collector.process.wait_line('reason=not-enough-replicas text="it is over"', 20)
    check(collector.total("sluice_sink_troubled", **trouble) == 0 and
          collector.total("sluice_updates_dropped") == 0 and collector.total("sluice_sink_restarts") == 0,
          "thin: it is over, without a new producer, and nothing was dropped")
    must(collector.stop() == 0, "sluice ends with 0")
    messages = read(kafka, topic)
    check_whole("thin", messages)
    check(sum(len(event.get("values", {})) for message in messages
              for event in json.loads(message.value())) >= THIN_MESSAGES * THIN_UPDATES, "thin: no value is missing")


def placed(lab, kafka):
    for name, options, partition in (("gnmic", {"partitioner": "fnv1a", "key": "leaf1"}, 8),
                                     ("java", {"partitioner": "murmur2", "key": "leaf1"}, 1),
                                     ("said", {"partition": "${label.part}", "compression": "lz4"}, 2)):
        topic = kafka.topic(f"placed-{name}", 12)
        through(lab, {**kafka_sink(kafka.bootstrap, topic), **options},
                lambda c: c.total("sluice_updates_published") >= 10, messages=10, rate=50)
        found = {message.partition() for message in read(kafka, topic)}
        check(found == {partition}, f"placed: {name} in {found}")


def main(lab):
    kafka = Kafka(lab)
    second = kafka.second(lab)
    start = futures.ThreadPoolExecutor(1).submit(second.start)  # meanwhile
    part(lab, "split", split, kafka)
    part(lab, "lowered", lowered, kafka)
    part(lab, "dead letters", dead, kafka)
    part(lab, "placed", placed, kafka)
    part(lab, "thin", thin, kafka, second, start)


if __name__ == "__main__":
    run(main)
