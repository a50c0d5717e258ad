#!/usr/bin/env python3
"""faults - a real cluster of three brokers, many devices, and everything that can break, one by one.

Three Apache Kafka nodes (KRaft, replication 3, 2 in sync at least, 512 MB of heap each, data in memory)
stand for all rows of the table, and one collector goes through most of them. What is judged, and how, is
in judge.py; each row also plants losses in what was read, and each must be noticed.

The short form has shorter outages; the long form (SL_LONG=1) those of minutes. `--soak` instead: an hour,
or --seconds, of faults in a random order (--seed), and a sum of them at the end (soak.py).
"""
import faulthandler
import random
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "it"))

import harness  # noqa: E402  pylint: disable=wrong-import-position

from cluster import Cluster  # noqa: E402
from harness import Tally, guarded, note  # noqa: E402
from rows import ROWS  # noqa: E402
from scene import Faults, Load, Row  # noqa: E402
from soak import soak  # noqa: E402

DEVICES = 200
RATE = 25
COLUMNS = ("scenario", "records", "missing", "doubled", "epochs", "lost", "<=", "dropped", "held",
           "back s", "peak MiB", "<", "s", "")


def cells(row):
    back = "-" if row.recover_s is None else f"{row.recover_s:.1f}"
    return (row.name, row.records, row.missing, row.doubled, row.between, row.lost, row.bound,
            row.dropped, row.held, back, f"{row.peak_mib:.0f}", row.limit_mib, f"{row.seconds:.0f}",
            "ok" if row.is_good else "FAILED")


def show_table(faults):
    lines = [COLUMNS, *map(cells, faults.rows)]
    widths = [max(len(str(line[place])) for line in lines) for place in range(len(COLUMNS))]
    print(f"\n{faults.load}")
    for line in lines:
        print("  ".join(str(cell).ljust(width) if place == 0 else str(cell).rjust(width)
                        for place, (cell, width) in enumerate(zip(line, widths))))
    print("missing, doubled: numbers within an epoch; epochs: that follow another one of their stream;\n"
          "lost: messages between them, each time at most as many as stand behind <=; dropped: updates,\n"
          "by a policy; held: streams at once; back: until all flow again\n", flush=True)


def play_row(lab, faults, scenario):
    row = Row(scenario.name)
    faults.rows.append(row)
    began, failed = time.monotonic(), Tally.failed
    try:
        if scenario.is_shared:
            scenario.play(faults.scene(row), faults.seconds)
        else:
            scenario.play(faults, row)
    except BaseException:
        if scenario.is_shared:
            faults.give_up()
        row.is_good = False
        raise
    finally:
        row.seconds = time.monotonic() - began
        row.is_good &= Tally.failed == failed


def main(lab):
    faulthandler.enable()
    seed = lab.options.seed or (random.randrange(1, 2**31) if lab.options.soak else 1)
    faults = Faults(lab, Cluster(lab), Load(DEVICES, lab.options.rate), seed, lab.options.soak)
    if lab.options.soak:
        soak(lab, faults, lab.options.seconds)
        return
    for scenario in ROWS:
        is_wanted = lab.is_long or lab.options.only or scenario.is_short
        if is_wanted and re.search(lab.options.only, scenario.name):
            note(f"== {scenario.name}")
            guarded(lab, play_row, lab, faults, scenario)
    show_table(faults)


def add_options(parser):
    parser.add_argument("--soak", action="store_true", help="random faults for an hour")
    parser.add_argument("--seconds", type=int, default=3600, help="for so long instead")
    parser.add_argument("--seed", type=int, help="which faults; none: of --soak a random one, which is said")
    parser.add_argument("--rate", type=int, default=RATE, help=f"messages a second and device ({RATE})")


if __name__ == "__main__":
    harness.run(main, add_options)
