"""soak - one collector, for an hour, and at any time some fault out of the table.

Which one comes next, and which broker it is about, is drawn from the seed that the first line names. What
came meanwhile is judged after each; all of it is summed up at the end, and on the way each minute.
"""
import time
from collections import defaultdict

from harness import Failed, Tally, check, guarded, note

from rows import ROWS, the_end
from scene import Row

FAILURES = 3  # then it is over


class Sum:
    """Of all rows of a scenario."""

    def __init__(self):
        self.rows = []

    def line(self, name):
        back = [row.recover_s for row in self.rows if row.recover_s is not None]
        return (f"{name:26} {len(self.rows):5} {sum(row.records for row in self.rows):10}"
                f" {sum(row.missing for row in self.rows):8} {sum(row.doubled for row in self.rows):8}"
                f" {sum(row.between for row in self.rows):8} {sum(row.lost for row in self.rows):8}"
                f" {max(row.bound for row in self.rows):6} {max(row.held for row in self.rows):5}"
                f" {sum(back) / max(1, len(back)):8.1f} {max(back, default=0):8.1f}"
                f" {max(row.peak_mib for row in self.rows):9.0f}"
                f" {sum(not row.is_good for row in self.rows):7}")


HEAD = (f"{'fault':26} {'times':>5} {'records':>10} {'missing':>8} {'doubled':>8} {'epochs':>8}"
        f" {'lost':>8} {'<=':>6} {'held':>5} {'back s':>8} {'longest':>8} {'peak MiB':>9} {'failed':>7}")


def play(lab, faults, name, scenario, sums):
    row, failed, began = Row(name), Tally.failed, time.monotonic()
    sums[name].rows.append(row)
    guarded(lab, lambda: scenario(faults.scene(row), faults.seconds))
    row.seconds = time.monotonic() - began
    row.is_good = Tally.failed == failed


def show(faults, sums, began):
    rows = [row for one in sums.values() for row in one.rows]
    records = sum(row.records for row in rows)
    print(f"\nseed {faults.seed}, {time.monotonic() - began:.0f} s, {faults.load}, {len(rows)} faults,"
          f" {records} records judged\n{HEAD}")
    for name in sorted(sums):
        print(sums[name].line(name))
    print(flush=True)


def soak(lab, faults, seconds):
    drawn = [scenario for scenario in ROWS if scenario.is_random]
    sums, began = defaultdict(Sum), time.monotonic()
    note(f"seed {faults.seed}: {seconds} s, {faults.load}")
    said = began
    while time.monotonic() < began + seconds:
        if Tally.failed >= FAILURES:
            raise Failed(f"{Tally.failed} checks failed")
        scenario = faults.chance.choice(drawn)
        note(f"== {scenario.name}")
        play(lab, faults, scenario.name, scenario.play, sums)
        if time.monotonic() > said + 60:
            said = time.monotonic()
            show(faults, sums, began)
    play(lab, faults, "the end", the_end, sums)
    show(faults, sums, began)
    check(Tally.failed == 0, f"{seconds} s of faults, and no promise broken")
