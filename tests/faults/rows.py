"""rows - the scenarios, in the order of the table.

Most of them happen to one collector, one after the other: these get its Scene. The others, of which each
wants its own, get the Faults that all rows share, and their Row.
"""
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import Callable

import objects
from harness import check, note, wait_for

from cluster import NODES
from scene import Disk, Scene

ROWS = []
SMALL_DISK_MIB = 64


@dataclass
class Scenario:
    name: str
    play: Callable
    is_shared: bool
    is_random: bool  # the soak draws it, too
    is_short: bool   # in the short form of the table


def shared(name, is_random=True, is_short=True):
    def add(play):
        ROWS.append(Scenario(name, play, True, is_random, is_short))
        return play
    return add


def alone(name):
    def add(play):
        ROWS.append(Scenario(name, play, False, False, True))
        return play
    return add


@shared("no fault")
def calm(scene, seconds):
    with scene.fault("nothing happens"):
        scene.last(seconds(1, 60))
    scene.judge()


# ---- brokers ----

@shared("broker stops")
def broker_stops(scene, seconds):
    """SIGTERM to one of them: the others take over, and all flow long before it is back."""
    node, away_s = scene.draw(NODES), seconds(1, 60)
    with scene.fault(f"broker {node} away for {away_s} s", scene.cluster.stopped(node)):
        scene.sim.wait_flow()
        scene.last(away_s)
    scene.judge()


@shared("broker SIGSTOP")
def broker_paused(scene, seconds):
    """It answers nobody, and leads its partitions until its session is over. Once the others have given
    up waiting for its copies, the streams of the partitions that they lead flow; its own are held."""
    scene.cluster.wait_whole(scene.topic)
    scene.reading.read_on()  # so that it is known which partition each stream goes to
    leaders = scene.cluster.leaders(scene.topic)
    node, more_s = scene.draw(sorted(set(leaders.values()))), seconds(0, 50)
    its, others = scene.of_node(leaders, node)

    def is_so():
        """For two seconds in a row."""
        scene.sim.look()
        return scene.sim.stretch(its, others) >= 2

    with scene.fault(f"broker {node} silent", scene.cluster.paused(node)):
        scene.sim.history.clear()
        wait_for(is_so, 30, f"the {len(its)} streams of its partitions are held, and {len(others)}"
                            " others flow")
        scene.last(more_s)
    check(its and others, f"the {len(its)} streams of its partitions were held, while {len(others)}"
                          " others flowed")
    scene.judge()


@shared("rolling restart")
def rolling_restart(scene, seconds):
    for node in NODES:
        scene.cluster.wait_whole(scene.topic)
        with scene.fault(f"broker {node} restarted", scene.cluster.stopped(node)):
            scene.last(seconds(0, 20))
    scene.judge()


def no_broker(scene, away_s):
    with scene.fault(f"no broker for {away_s} s and their start", scene.cluster.stopped()):
        scene.sim.wait_held(len(scene.targets))
        more = scene.last(away_s)
    check(sum(more.values()) == 0, f"once held, the devices sent {sum(more.values())} messages")
    scene.judge()


@shared("all brokers down")
def all_down(scene, seconds):
    no_broker(scene, seconds(3, 60))


@shared("no broker for an hour", is_random=False, is_short=False)
def all_down_for_long(scene, seconds):
    no_broker(scene, seconds(6, 3600))


@shared("all brokers kill -9", is_short=False)
def all_killed(scene, seconds):
    with scene.fault("no broker, and their start", scene.cluster.killed()):
        scene.last(seconds(0, 5))
    scene.judge()


# ---- networks ----

@shared("Kafka cut off")
def kafka_cut(scene, seconds):
    """Every connection to every broker ends, and none is taken."""
    names = scene.cluster.proxy_names()
    away_s = seconds(2, 60)
    with scene.fault(f"no network for {away_s} s", scene.cluster.proxies.cut(*names)):
        scene.last(away_s)
        scene.sim.wait_held(len(scene.targets))
    scene.judge()


@shared("Kafka half open", is_short=False)
def kafka_silent(scene, seconds):
    """Connections stay, and nothing passes any more."""
    names = scene.cluster.proxy_names()
    away_s = seconds(2, 90)
    with scene.fault(f"nothing passes for {away_s} s",
                     scene.cluster.proxies.toxic(names, "timeout", timeout=0)):
        scene.last(away_s)
        scene.sim.wait_held(len(scene.targets))
    scene.judge()


@shared("Kafka slow link")
def kafka_slow(scene, seconds):
    """100 ms away, and with less room than the devices want."""
    names, proxies = scene.cluster.proxy_names(), scene.cluster.proxies
    slow_s = seconds(4, 60)
    with scene.fault(f"100 ms and 50 KB/s for each connection, {slow_s} s",
                     proxies.toxic(names, "latency", latency=100)), \
            proxies.toxic(names, "bandwidth", rate=50):
        more = scene.last(slow_s)
    check(scene.sim.most_held > 0 and sum(more.values()) > 0,
          f"{scene.sim.most_held} streams were held at once, and {sum(more.values())} messages sent")
    scene.judge()


@shared("devices flap")
def devices_flap(scene, seconds):
    """Some devices lose their connections every second; the others notice nothing."""
    times = seconds(3, 60)
    with scene.fault(f"{len(scene.edge)} devices cut off {times} times, once a second"):
        for _ in range(times):
            scene.cut_edge()
            scene.last(0.8)
    scene.judge()
    check(scene.row.between >= len(scene.edge), f"{scene.row.between} epochs ended")


@shared("device ignores its window")
def window_ignored(scene, seconds):
    """It sends 2 MiB at a time whatever it is granted: its stream is ended each time, and nobody else
    is the worse for it."""
    times = seconds(2, 20)

    def ends():
        return scene.collector.total("sluice_stream_ends", target="rogue", reason="window-overshoot")

    with scene.fault(f"a device sends more than it may, {times} times"):
        before = ends()
        scene.rogue.is_loose.set()
        wait_for(lambda: ends() >= before + times, 60, f"its stream is ended {times} times")
        scene.rogue.is_loose.clear()
    check(True, f"its stream was ended {ends() - before:.0f} times")
    scene.judge()


# ---- sluice itself ----

@shared("kill -9, restart")
def killed(scene, seconds):
    """At any time, and every other time while no broker answers, so that something is held."""
    times, chance = seconds(2, 20), random.Random(7)
    for number in range(times):
        if number % 2:
            with scene.cluster.paused():
                scene.last(1.5)
                scene.kill()
        else:
            scene.last(chance.uniform(0.2, 1))
            scene.kill()
        with scene.fault(f"killed, {number + 1} of {times} times"):
            scene.start()
    scene.judge()
    streams = scene.reading.judge.streams
    poor = [target for target in scene.targets
            if not (streams[target][-1].is_synced and
                    streams[target][-1].baseline == streams[target][0].baseline > 0)]
    check(scene.row.between == times * len(scene.targets) and not poor,
          "an epoch of each process, the last with a baseline as whole as the first's; but for"
          f" {len(poor)} streams {poor[:3]}")


@shared("SIGTERM under load", is_random=False)
def terminated(scene, seconds):
    """It ends with 0, and what it says that it has published is what is there."""
    scene.last(seconds(0, 10))
    scene.may_lose(scene.in_flight(with_held=False))
    scene.measure()
    check(scene.collector.stop() == 0, "under load it ends with 0")
    (total,) = scene.collector.process.find(r"sum=all .*")
    counts = {name: int(value) for name, value in re.findall(r"([\w-]+)=(\d+)\b", total.group(0))}
    with scene.fault("SIGTERM, and a start"):
        scene.start()
    scene.judge()
    found = scene.updates_of(scene.expected.starts - 1)
    check(counts["held"] == 0 and counts["received"] == counts["published"] == found,
          f"at its end it had published {counts['published']} of {counts['received']} updates, and"
          f" {found} are there")


@shared("clock jumps")
def clock_jumps(scene, seconds):
    """Two hours ahead, three back, and right again; epochs grow all the same. (In the soak it only goes
    back: an epoch of two hours ahead would be before those of a process that is started later.)"""
    jumps = (-1, 0) if scene.faults.is_soak else (2, -1, 0)
    for hours in jumps:
        with scene.fault(f"the clock is {hours} h ahead"):
            scene.clock.set(hours)
            scene.last(seconds(0.5, 10))
            scene.cut_edge()
    scene.judge()
    check(scene.row.between == len(jumps) * len(scene.edge),
          f"{len(scene.edge)} devices were cut off each time, and have an epoch more, larger than the last")


@shared("the end", is_random=False)
def the_end(scene, seconds):
    """Of all that went on until here: the devices say how far each session got, and all of it is there."""
    scene.last(seconds(0, 10))
    scene.finish()


@alone("smallest memory")
def smallest_memory(faults, row):
    """As little as sluice takes a configuration with, and all of it used."""
    seconds = faults.seconds(2, 60)
    scene = Scene(faults)
    scene.memory_mib = scene.least_memory()
    scene.begin(row)
    scene.start()
    with scene.fault(f"{scene.memory_mib} MiB, no broker for {seconds} s", faults.cluster.paused()):
        scene.sim.wait_held(len(scene.targets))
        scene.last(seconds)
    scene.finish()


# ---- sinks, and what a subscription does when they stall ----

@alone("policies drop")
def policies(faults, row):
    """No broker answers: a third of the streams keeps the newest values, a third nothing, a third ends
    its calls. What is dropped is counted, and marked, and is what is missing."""
    seconds = faults.seconds(3, 60)
    scene = Scene(faults, drops=True, stall={"after": "1s", "policy": "conflate"})
    shedding, ending = scene.targets[1::3], scene.targets[2::3]
    scene.subscribe("shedding", shedding, stall={"after": "1s", "policy": "shed"})
    scene.subscribe("ending", ending, stall={"after": "1s", "policy": "resubscribe"})
    scene.begin(row)
    scene.start()
    with scene.fault(f"no broker answers for {seconds + 3} s", faults.cluster.paused()):
        scene.last(3)
        bounds = scene.in_flight(with_held=False)
        scene.may_lose({target: bounds[target] for target in ending})
        scene.last(seconds)
    scene.finish()
    epochs = Counter(len(scene.reading.judge.streams[target]) for target in ending)
    check(min(epochs) > 1, f"those who end their calls have so many epochs: {dict(epochs)}")
    reasons = Counter(reason for epochs in scene.reading.judge.streams.values()
                      for epoch in epochs for reason in epoch.gaps)
    check(reasons["conflated"] and reasons["shed"], f"gaps: {dict(reasons)}")


@alone("slow sink plugin")
def slow_sink(faults, row):
    """Half of the streams go to a plugin, which stands still for a while: they alone are held."""
    seconds = faults.seconds(4, 60)
    scene = Scene(faults)
    stall, lines = faults.lab.path("stall"), faults.lab.path("slow.jsonl")
    slow = scene.targets[1::2]
    scene.subscribe("slow", slow, sinks=["slow"])
    scene.sinks["slow"] = {"type": "slow", "path": str(lines), "stall-file": str(stall),
                           "format": "sluice.v1-json"}
    scene.plugins = str(objects.build(faults.lab, "slow"))
    scene.files.append(lines)
    scene.begin(row)
    scene.start()
    with scene.fault(f"a plugin acknowledges nothing for {seconds} s"):
        stall.touch()
        scene.last(seconds)
        more = scene.last(2)
        stall.unlink()
    held = [target for target in slow if more[target] == 0]
    poor = [target for target in scene.targets[::2] if more[target] < scene.sim.rate]
    check(len(held) == len(slow) and not poor, f"{len(held)} of its {len(slow)} streams were held, and"
                                               f" {len(poor)} of the others slowed down")
    scene.finish()


@alone("disk full")
def disk_full(faults, row):
    """All streams go to a file, and its disk is full until it has become larger."""
    if not Disk.is_possible():
        note("not root: no disk can be made")
        return
    seconds = faults.seconds(2, 60)
    disk = Disk(faults.lab, SMALL_DISK_MIB)
    scene = Scene(faults)
    scene.subscribe("all", sinks=["disk"])
    scene.sinks["disk"] = {"type": "file", "path": str(disk.place / "all.jsonl"),
                           "format": "sluice.v1-json"}
    scene.files.append(disk.seen / "all.jsonl")
    scene.wrapper = disk.wrapper
    scene.begin(row)
    scene.start()
    with scene.fault(f"a disk of {SMALL_DISK_MIB} MiB is full, for {seconds} s"):
        scene.sim.wait_held(len(scene.targets))
        check(disk.free() == 0, f"{disk.free()} bytes are free")
        scene.last(seconds)
        disk.grow(32 * SMALL_DISK_MIB)
    scene.finish()
