#!/usr/bin/env python3
"""stall - Apache Kafka stands still (SIGSTOP), and each subscription does what its `stall` says.

The device is on grpcio. It makes changes at an even pace whether or not they can be sent, and queues
them without bound, as some devices do; one of its subscriptions it gives up when a message is pending
for too long, as others do. Each subscription has a call, a policy and a sink's records of its own:

    block        held, and everything arrives; the device's queue grows all the while
    gives-up     the same policy, and the device ends the call: not one call more before Kafka is back
    resubscribe  the call is ended, the queue goes with it; Kafka is back, and the baseline tells all
    conflate     the device goes on; the newest of each path arrives
    shed         the device goes on; nothing of it arrives, and all of it is counted
    both         conflate, with a file beside Kafka: the file has every update

The consumer (confluent-kafka, classes made from proto/sluice.proto) knows the records alone. Of each
epoch it must have the numbers 1, 2, 3 …, behind "connected" one gap that says what was before, and no
other gap but what a policy dropped; what it has and what those gaps count is as much as the device
sent; and in the end it has the values that the device has.

Long form: the default of 30 s, and a device that gives up after a minute.
"""
import collections
import json
import random
import threading
import time

from harness import check, must, part, run, wait_for

from collector import Collector, kafka_sink
from kafka import Kafka, Reader
from records import record_class
from scripted import MESSAGES, SYNC, Device, fill_path

LEAVES = 200        # what is kept of them fits into a window
GROUPS = 20
CHANGES = 10       # updates in a message
RATE = 150         # messages a second, of each subscription
WINDOW = "64KiB"
SETTLE_S = 2
FIRST_GAPS = ("start", "reconnect", "stalled")
POLICIES = {"block": "block", "gives-up": "block", "resubscribe": "resubscribe",
            "conflate": "conflate", "shed": "shed", "both": "conflate"}


def leaf(name, number):
    return f"/{name}/group{number % GROUPS}/leaf{number}"


class Tree:
    """What one subscription tells of: leaves that change, and groups of them that go and come."""

    def __init__(self, name):
        self.name = name
        self.random = random.Random(name)
        self.values = {leaf(name, number): 0 for number in range(LEAVES)}
        self.changes = 0

    def message(self, updates, deletes=()):
        """(bytes, updates and deletes)"""
        response = MESSAGES["SubscribeResponse"]()
        response.update.timestamp = time.time_ns()
        for path in deletes:
            fill_path(response.update.delete.add(), path)
        for path in updates:
            update = response.update.update.add()
            fill_path(update.path, path)
            update.val.uint_val = self.values[path]
        return response.SerializeToString(), len(updates) + len(deletes)

    def change(self):
        self.changes += 1
        deletes = []
        if self.changes % 25 == 0:
            deletes = [f"/{self.name}/group{self.random.randrange(GROUPS)}"]
            for path in [path for path in self.values if path.startswith(deletes[0] + "/")]:
                del self.values[path]
        paths = [leaf(self.name, number) for number in self.random.sample(range(LEAVES), CHANGES)]
        for path in paths:
            self.values[path] = self.changes
        return self.message(paths, deletes)

    def baseline(self):
        paths = sorted(self.values)
        return [self.message(paths[at:at + CHANGES]) for at in range(0, len(paths), CHANGES)]


class Feed:
    """One subscription at the device: its tree, its queue without bound, its calls."""

    def __init__(self, name, gives_up_s=None):
        self.tree = Tree(name)
        self.gives_up_s = gives_up_s
        self.lock = threading.Lock()
        self.queue = collections.deque()
        self.sent = []        # updates and deletes, of each call
        self.is_called = False
        self.pending_since = None
        self.is_over = False

    def tick(self):
        """One change is due."""
        with self.lock:
            made = self.tree.change()
            if self.is_called:
                self.queue.append(made)

    def watch(self, call):
        while call.is_active():
            since = self.pending_since
            if since and time.monotonic() > since + self.gives_up_s:
                call.cancel()
            time.sleep(0.05)

    def take(self):
        with self.lock:
            return self.queue.popleft() if self.queue else None

    def play(self, call):
        if self.gives_up_s:
            threading.Thread(target=self.watch, args=(call,), daemon=True).start()
        number = len(self.sent)
        self.sent.append(0)
        with self.lock:
            self.queue.clear()
            baseline = self.tree.baseline()
            self.is_called = True
        try:
            for message in baseline + [(SYNC, 0)]:
                yield from self.say(number, message)
            while call.is_active():
                message = self.take()
                if message:
                    yield from self.say(number, message)
                else:
                    time.sleep(0.005)
        finally:
            with self.lock:
                self.is_called = False
                self.queue.clear()
            self.pending_since = None

    def say(self, number, message):
        self.pending_since = time.monotonic()
        yield message[0]
        self.pending_since = None
        self.sent[number] += message[1]


class Router(Device):
    """Whose call it is, the request says."""

    at_once = 2 * len(POLICIES)

    def __init__(self, lab, feeds):
        self.feeds = feeds
        self.is_over = threading.Event()
        super().__init__(lab, None)
        self.pace = threading.Thread(target=self.keep_pace, daemon=True)
        self.pace.start()

    def keep_pace(self):
        began, done = time.monotonic(), 0
        while not self.is_over.wait(0.01):
            due = int((time.monotonic() - began) * RATE)
            for _ in range(due - done):
                for feed in self.feeds.values():
                    feed.tick()
            done = due

    def stop_changing(self):
        self.is_over.set()
        self.pace.join()

    def close(self):
        self.is_over.set()
        super().close()

    def subscribe(self, requests, call):
        request = MESSAGES["SubscribeRequest"].FromString(next(requests))
        name = request.subscribe.subscription[0].path.elem[0].name
        yield from self.feeds[name].play(call)


class Account:
    """What the consumer knows of one stream."""

    def __init__(self):
        self.epochs = collections.defaultdict(dict)

    def check(self, name):
        """Numbers without holes, and one gap that says what was before."""
        for epoch, records in sorted(self.epochs.items()):
            check(sorted(records) == list(range(1, len(records) + 1)),
                  f"{name}: {len(records)} records of an epoch, 1 to {max(records)}")
            gaps = [(seq, record.gap.reason) for seq, record in sorted(records.items())
                    if record.HasField("gap") and record.gap.reason in FIRST_GAPS]
            check([seq for seq, _ in gaps] == [2], f"{name}: it begins with {gaps}")

    def first_gaps(self):
        return [self.epochs[epoch][2].gap.reason for epoch in sorted(self.epochs)]

    def lost(self, epoch):
        """{reason: count} of the other gaps."""
        lost = collections.Counter()
        for record in self.epochs[epoch].values():
            if record.HasField("gap") and record.gap.reason not in FIRST_GAPS:
                lost[record.gap.reason] += record.gap.count
        return lost

    def told(self, epoch):
        return sum(len(record.updates) + len(record.deletes)
                   for record in self.epochs[epoch].values())

    def values(self):
        """After all records of the last epoch, which began with all that there is."""
        values = {}
        for _, record in sorted(self.epochs[max(self.epochs)].items()):
            for delete in record.deletes:
                for path in [path for path in values if path.startswith(delete.path + "/")]:
                    del values[path]
            for update in record.updates:
                values[update.path] = update.value.uint_val
        return values


def read_accounts(lab, kafka):
    read = record_class(lab).FromString
    accounts = collections.defaultdict(Account)
    for message in Reader(kafka.bootstrap, "stall").messages():
        record = read(message.value())
        accounts[record.subscription].epochs[record.epoch][record.seq] = record
    return accounts


def start(lab, kafka, device, after_s):
    lab.path("copy.jsonl").unlink(missing_ok=True)  # of a part before
    sinks = {"main": kafka_sink(kafka.bootstrap, kafka.topic("stall"), format="sluice.v1"),
             "copy": {"type": "file", "path": str(lab.path("copy.jsonl")),
                      "format": "sluice.v1-json"}}
    subscriptions = {
        name: {"paths": [f"/{name}"], "stall": {"policy": policy, "after": f"{after_s}s"},
               "credit": {"initial": WINDOW, "max": WINDOW},
               "sinks": ["main", "copy"] if name == "both" else ["main"]}
        for name, policy in POLICIES.items()}
    return Collector(lab, {"dev1": f"127.0.0.1:{device.port}"}, subscriptions, sinks,
                     target={"vendor": "generic", "pack": False, "backoff": {"min": "50ms", "max": "100ms"}})


def waiting_brokers(collector):
    """By the API: the brokers for which records of the Kafka sink wait; None: it does not say yet."""
    sinks = json.loads(collector.get("/api/v1/sinks")[1])["sinks"]
    told = [row for sink in sinks if sink["name"] == "main" for row in sink["partitions"]]
    return {row["broker"] for row in told if row["queued_records"] + row["sent_records"] > 0} or None


def outage(kafka, feeds, collector, after_s, gives_up_s):
    """Kafka stands still until each policy has acted, and the device has given up."""
    with kafka.paused():
        wait_for(lambda: collector.total("sluice_stream_stalls") >= 4, after_s + 10,
                 "four policies act")
        wait_for(lambda: not feeds["gives-up"].is_called, gives_up_s + 10, "the device gives up")
        began, queued = time.monotonic(), len(feeds["block"].queue)
        wait_for(lambda: time.monotonic() > began + SETTLE_S, SETTLE_S + 1, "nothing changes")
        grown = len(feeds["block"].queue) - queued
        check(grown > RATE * SETTLE_S / 2, f"block: the device's queue grew by {grown} in"
                                           f" {SETTLE_S} s")
        for name in ("conflate", "shed", "both"):
            check(len(feeds[name].queue) < RATE,
                  f"{name}: the device's queue has {len(feeds[name].queue)}")
        for name in ("resubscribe", "gives-up"):
            check(not feeds[name].is_called and len(feeds[name].sent) == 1,
                  f"{name}: no call while Kafka stands still, {len(feeds[name].sent)} so far")
        kept = collector.total("sluice_updates_kept", subscription="conflate")
        check(0 < kept <= LEAVES + GROUPS, f"conflate: {kept:.0f} updates and deletes are kept")
        check(collector.total("sluice_stream_stalled") == 5, "five streams are stalled")
        brokers = wait_for(lambda: waiting_brokers(collector), 20, "a broker for which records wait")
        check(brokers == {1}, f"what waits, waits for the broker that leads its partition: {brokers}")


def settle(device, feeds, collector):
    """The device says no more, and all of it is where it belongs."""
    wait_for(lambda: all(feed.is_called for feed in feeds.values()), 20, "every call is there")
    wait_for(lambda: collector.total("sluice_stream_stalled") == 0, 20, "nothing is kept any more")
    device.stop_changing()
    wait_for(lambda: not any(feed.queue or feed.pending_since for feed in feeds.values()), 60,
             "the device has sent all")
    seen = [None]

    def is_quiet():
        last, seen[0] = seen[0], collector.total("sluice_updates_received_total")
        return last == seen[0] and collector.total("sluice_updates_held") == 0

    wait_for(is_quiet, 60, "all is acknowledged")


def check_policy(name, account, feed, dropped):
    """One stream, by the consumer, the device and sluice's own counters."""
    account.check(name)
    epochs = sorted(account.epochs)
    last = epochs[-1]
    has_lost = {"conflate": {"conflated"}, "both": {"conflated"}, "shed": {"shed"}}.get(name, set())
    lost = account.lost(last)
    told = account.told(last)
    check(told + sum(lost.values()) == feed.sent[-1],
          f"{name}: {told} in records and {dict(lost)} are the {feed.sent[-1]} that were sent")
    check(set(lost) == has_lost, f"{name}: lost in its last epoch: {dict(lost)}")
    check(dict(lost) == dropped, f"{name}: counted {dropped}")
    wrong = {path for path, value in account.values().items() if feed.tree.values.get(path) != value}
    missing = set(feed.tree.values) - set(account.values())
    if name != "shed":
        check(not wrong and not missing, f"{name}: the consumer has what the device has,"
                                         f" {len(feed.tree.values)} leaves {list(wrong)[:3]}")
    for epoch in epochs[:-1]:
        check(not account.lost(epoch), f"{name}: nothing is lost in the epoch before")
        check(0 < account.told(epoch) <= feed.sent[0], f"{name}: {account.told(epoch)} of"
                                                       f" {feed.sent[0]} then")


def check_copy(lab, feed):
    """The file beside the Kafka that stood still."""
    count = 0
    with open(lab.path("copy.jsonl"), encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            count += len(record.get("updates", ())) + len(record.get("deletes", ()))
    check(count == feed.sent[0], f"both: the file has all {count} of {feed.sent[0]}")


def stall(lab, after_s, gives_up_s):
    kafka = Kafka(lab)
    kafka.warm()
    feeds = {name: Feed(name, gives_up_s if name == "gives-up" else None) for name in POLICIES}
    device = Router(lab, feeds)
    collector = start(lab, kafka, device, after_s)
    wait_for(lambda: all(feed.sent and feed.sent[0] > 2 * LEAVES and collector.total(
        "sluice_updates_published", subscription=name, sink="main") > LEAVES
                         for name, feed in feeds.items()), 30, "everything flows, as far as Kafka")
    outage(kafka, feeds, collector, after_s, gives_up_s)
    settle(device, feeds, collector)
    dropped = {name: {} for name in feeds}
    for metric, has, value in collector.metrics():
        if metric == "sluice_updates_dropped_total" and value and has["sink"] == "main":
            dropped[has["subscription"]][has["reason"]] = value
    check(collector.stop() == 0, "sluice ends with 0")
    accounts = read_accounts(lab, kafka)
    must(set(accounts) == set(feeds), f"records of {sorted(accounts)}")
    for name, feed in feeds.items():
        check_policy(name, accounts[name], feed, dropped[name])
    for name, gaps in (("block", ["start"]), ("conflate", ["start"]), ("shed", ["start"]),
                       ("resubscribe", ["start", "stalled"]), ("gives-up", ["start", "reconnect"])):
        check(accounts[name].first_gaps() == gaps, f"{name}: epochs begin with {gaps}")
    check_copy(lab, feeds["both"])


def main(lab):
    if lab.is_long:
        part(lab, "30 s, a device that gives up after a minute", stall, 30, 60)
    part(lab, "3 s, a device that gives up after four", stall, 3, 4)


if __name__ == "__main__":
    run(main)
