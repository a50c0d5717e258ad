#!/usr/bin/env python3
"""faults - a real cluster of three brokers, many devices, and everything that can break, one by one.

Three Apache Kafka nodes (KRaft, replication 3, 2 in sync at least, 512 MB of heap each, data in memory)
stand for all rows of the table; each row has devices, a collector and a topic of its own. What is judged,
and how, is in judge.py; each row also plants losses in what was read, and each must be noticed.

The short form has shorter outages; the long form (SL_LONG=1) those of minutes. `--soak` instead: an hour,
or --seconds, of faults in a random order (--seed), and a sum of them at the end.
"""
import argparse
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "it"))

import harness  # noqa: E402  pylint: disable=wrong-import-position

from cluster import Cluster  # noqa: E402
from harness import Tally, check, note, part  # noqa: E402
from rows import ROWS  # noqa: E402
from scene import Faults, Load, Row  # noqa: E402

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


def play_row(lab, faults, name, play):
    row = Row(name)
    faults.rows.append(row)
    began, failed = time.monotonic(), Tally.failed
    try:
        play(faults, row)
    except BaseException:
        row.is_good = False
        raise
    finally:
        row.seconds = time.monotonic() - began
        row.is_good &= Tally.failed == failed


def main(lab):
    cluster = Cluster(lab)
    faults = Faults(lab, cluster, Load(DEVICES, RATE))
    for name, play in ROWS:
        part(lab, name, play_row, faults, name, play)
    show_table(faults)


if __name__ == "__main__":
    harness.run(main)
