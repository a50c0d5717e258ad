"""rows - the scenarios, in the order of the table. Each is a function of a Faults and its Row."""

import os
import random
import re
import struct
import time
from pathlib import Path

from harness import ROOT, check, free_port, must, wait_for

from cluster import NODES
from rogue import Rogue
from scene import Scene

ROWS = []
FLAPPING = 20  # devices


def row(name):
    def add(play):
        ROWS.append((name, play))
        return play
    return add


@row("no fault")
def calm(faults, line):
    scene = Scene(faults, line).start()
    with scene.fault("none"):
        scene.last(faults.seconds(2, 60))
    scene.finish()


# ---- brokers ----

@row("broker stops")
def broker_stops(faults, line):
    """SIGTERM to one of them: the others take over, and all flow long before it is back."""
    seconds = faults.seconds(2, 60)
    scene = Scene(faults, line).start()
    with scene.fault(f"one broker away for {seconds} s", faults.cluster.stopped(2)):
        scene.sim.wait_flow()
        scene.last(seconds)
    scene.finish()


@row("broker SIGSTOP")
def broker_paused(faults, line):
    """It answers nobody, and leads its partitions until its session is over. Once the others have given
    up waiting for its copies, the streams of the partitions that they lead flow; its own are held."""
    node, seconds = 3, faults.seconds(12, 60)
    scene = Scene(faults, line).start()
    leaders = faults.cluster.leaders(scene.topic)
    with scene.fault(f"one broker silent for {seconds} s", faults.cluster.paused(node)):
        scene.last(seconds)
    judge = scene.finish()
    its, others = scene.of_node(judge, leaders, node)
    stretch = scene.sim.stretch(its, others)
    check(its and others and stretch >= 2, f"for {stretch} s the {len(its)} streams of its partitions"
                                           f" were held, and {len(others)} others flowed")


@row("rolling restart")
def rolling_restart(faults, line):
    seconds = faults.seconds(0, 20)
    scene = Scene(faults, line).start()
    for node in NODES:
        with scene.fault("each broker restarted in turn", faults.cluster.stopped(node)):
            scene.last(seconds)
        faults.cluster.wait_in_sync(scene.topic)
    scene.finish()


@row("all brokers down")
def all_down(faults, line):
    seconds = faults.seconds(5, 60)
    scene = Scene(faults, line).start()
    with scene.fault(f"no broker for {seconds} s and their start", faults.cluster.stopped()):
        scene.sim.wait_held(len(scene.targets))
        more = scene.last(seconds)
    check(sum(more.values()) == 0, f"once held, the devices sent {sum(more.values())} messages")
    scene.finish()


# ---- networks ----

@row("Kafka cut off")
def kafka_cut(faults, line):
    """Every connection to every broker ends, and none is taken."""
    seconds = faults.seconds(4, 60)
    proxies = faults.cluster.proxies
    scene = Scene(faults, line, proxied=True).start()
    names = [faults.cluster.proxy(node) for node in NODES]
    with scene.fault(f"no network for {seconds} s", proxies.cut(*names)):
        scene.last(seconds)
        scene.sim.wait_held(len(scene.targets))
    scene.finish()


@row("Kafka half open")
def kafka_silent(faults, line):
    """Connections stay, and nothing passes any more."""
    seconds = faults.seconds(4, 90)
    scene = Scene(faults, line, proxied=True).start()
    names = [faults.cluster.proxy(node) for node in NODES]
    with scene.fault(f"nothing passes for {seconds} s",
                     faults.cluster.proxies.toxic(names, "timeout", timeout=0)):
        scene.last(seconds)
        scene.sim.wait_held(len(scene.targets))
    scene.finish()


@row("Kafka slow link")
def kafka_slow(faults, line):
    """100 ms away, and with less room than the devices want."""
    seconds = faults.seconds(6, 60)
    scene = Scene(faults, line, proxied=True).start()
    names = [faults.cluster.proxy(node) for node in NODES]
    proxies = faults.cluster.proxies
    with scene.fault(f"100 ms and 300 KB/s for each connection, {seconds} s",
                     proxies.toxic(names, "latency", latency=100)), \
            proxies.toxic(names, "bandwidth", rate=300):
        more = scene.last(seconds)
    check(min(more.values()) > 0, f"the slowest stream sent {min(more.values())} messages meanwhile")
    check(scene.sim.most_held > 0, f"{scene.sim.most_held} streams were held at once")
    scene.finish()


@row("devices flap")
def devices_flap(faults, line):
    """Some devices lose their connections every second; the others notice nothing."""
    proxies, port = faults.cluster.proxies, free_port()
    times = faults.seconds(4, 60)
    flapping = [f"sim{number + 1}" for number in range(FLAPPING)]

    def through_proxy(sim_port):
        proxies.add("devices", port, sim_port)
        return dict.fromkeys(flapping, f"127.0.0.1:{port}")

    scene = Scene(faults, line, addresses=through_proxy)
    try:
        scene.start()
        with scene.fault(f"{FLAPPING} devices cut off {times} times, once a second"):
            for _ in range(times):
                bounds = scene.in_flight(with_held=False)
                scene.may_lose({target: bounds[target] for target in flapping})
                with proxies.cut("devices"):
                    time.sleep(0.2)
                scene.last(0.8)
        judge = scene.finish()
    finally:
        proxies.remove("devices")
    epochs = sorted(len(judge.streams[target]) for target in flapping)
    check(epochs[0] > 1, f"they have {epochs[0]} to {epochs[-1]} epochs")


@row("device ignores its window")
def window_ignored(faults, line):
    """It sends 2 MiB at a time whatever it is granted: its stream is ended each time, and nobody else
    is the worse for it."""
    rogue = Rogue(faults.lab)
    scene = Scene(faults, line, addresses=lambda _: {"rogue": f"127.0.0.1:{rogue.port}"})
    scene.start(targets={"rogue": {"vendor": "generic"}})

    def ends():
        return scene.collector.total("sluice_stream_ends", target="rogue", reason="window-overshoot")

    with scene.fault("a device sends more than it may"):
        times = faults.seconds(3, 30)
        wait_for(lambda: ends() >= times, 60, f"its stream is ended {times} times")
    check(rogue.calls >= times, f"it was ended {ends():.0f} times in {rogue.calls} calls")
    rogue.stop()
    scene.expect_rogue("rogue")
    scene.finish()


# ---- sluice itself ----

@row("kill -9, restart")
def killed(faults, line):
    """At any time, and every other time while no broker answers, so that something is held."""
    times, chance = faults.seconds(2, 20), random.Random(7)
    scene = Scene(faults, line).start()
    for number in range(times):
        if number % 2:
            with faults.cluster.paused():
                scene.last(2)
                scene.may_lose(scene.in_flight(with_held=True))
                scene.kill()
        else:
            scene.last(chance.uniform(0.2, 1.2))
            scene.may_lose(scene.in_flight(with_held=True))
            scene.kill()
        with scene.fault(f"killed {times} times"):
            scene.start()
    judge = scene.finish()
    poor = [target for target, epochs in judge.streams.items()
            if not (len(epochs) == times + 1 and epochs[-1].is_synced and
                    epochs[-1].baseline == epochs[0].baseline > 0)]
    check(not poor, f"an epoch of each process, the last with a baseline as whole as the first's; but"
                    f" for {len(poor)} streams {poor[:3]}")


@row("SIGTERM under load")
def terminated(faults, line):
    """It ends with 0, and what it says that it has published is what is there."""
    scene = Scene(faults, line).start()
    scene.last(0.5)
    scene.may_lose(scene.in_flight(with_held=False))
    scene.measure()
    check(scene.collector.stop() == 0, "under load it ends with 0")
    (total,) = scene.collector.process.find(r"sum=all .*")
    counts = {name: int(value) for name, value in re.findall(r"([\w-]+)=(\d+)\b", total.group(0))}
    with scene.fault("SIGTERM, and a start"):
        scene.start()
    judge = scene.finish()
    found = sum(epochs[0].updates for epochs in judge.streams.values())
    check(counts["held"] == 0 and counts["received"] == counts["published"] == found,
          f"at its end it had published {counts['published']} of {counts['received']} updates, and"
          f" {found} are there")


@row("clock jumps")
def clock_jumps(faults, line):
    """Two hours ahead, and three back; epochs grow all the same."""
    clock = Clock(faults.lab)
    proxies, port = faults.cluster.proxies, free_port()
    jumping = [f"sim{number + 1}" for number in range(FLAPPING)]

    def through_proxy(sim_port):
        proxies.add("jumping", port, sim_port)
        return dict.fromkeys(jumping, f"127.0.0.1:{port}")

    scene = Scene(faults, line, addresses=through_proxy)
    try:
        scene.start(clock.environment)
        for hours in (2, -1, 0):
            with scene.fault("the clock 2 h ahead, 3 h back, and right again"):
                clock.set(hours)
                scene.last(1)
                bounds = scene.in_flight(with_held=False)
                scene.may_lose({target: bounds[target] for target in jumping})
                with proxies.cut("jumping"):
                    time.sleep(0.2)
        judge = scene.finish()
    finally:
        proxies.remove("jumping")
    check(all(len(judge.streams[target]) == 4 for target in jumping),
          f"{FLAPPING} devices were cut off each time, and each has 4 epochs, one larger than the other")


class Clock:
    """What a process under it takes for the time (clock.c)."""

    def __init__(self, lab):
        library = os.environ.get("SL_FAULTS_CLOCK") or \
            ROOT / "build/release/tests/faults/libfaults_clock.so"
        must(Path(library).exists(), f"{library} is built")
        self.file = lab.path("clock")
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library), "SL_CLOCK": str(self.file)}

    def set(self, hours):
        """In place: the file is mapped."""
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("=q", hours * 3600 * 10**9))


@row("smallest memory")
def smallest_memory(faults, line):
    """As little as sluice takes a configuration with, and all of it used."""
    seconds = faults.seconds(4, 60)
    scene = Scene(faults, line, memory_mib=1)
    scene.memory_mib = scene.least_memory()
    scene.start()
    with scene.fault(f"{scene.memory_mib} MiB, no broker for {seconds} s", faults.cluster.paused()):
        scene.sim.wait_held(len(scene.targets))
        scene.last(seconds)
    scene.finish()
