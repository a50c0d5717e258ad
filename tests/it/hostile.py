#!/usr/bin/env python3
"""hostile - each kind of bad peer ends only its own stream or connection; a good device loses nothing.

One `sluice run` with one worker collects from one good simulated device and from a hostile one for each
row (hostile_rows.py: plain sockets and frames made by hand). The crowd plays all at once; what floods
plays alone, so that its cost can be told from the others'. Of each row is judged:

  reason    what sluice logs and counts is the reason that was expected, and says the limit
  ended     the stream or the connection was ended; or, of what is odd but legal, was not
  attempts  it is tried again, and with growing pauses
  memory    never above collector.memory + 32 MiB (VmHWM, from anew for each flood)
  CPU       bounded by what the flood itself brings, and none is left when it is over
  good      the good device went on

At the end the good device's sequence is read back from Kafka: whole, in one session. Long form: each
flood goes on for longer.
"""
import os
import re
import subprocess
import time
from dataclasses import dataclass, field

from harness import Failed, check, note, run, wait_for

from collector import Collector, kafka_sink, subscription
from devices import Devices
from hostile_rows import ROWS
from kafka import Kafka, Reader
from peers import Field
from records import Ledger, event_sample

MEMORY_MIB = 64
ALLOWANCE_MIB = 32
GOOD_RATE = 500
BACKOFF_MAX_S = 2
ROWS_S = 100          # by then the crowd has shown what it has to show
ROW_S = 8             # and one that plays alone
ALONE_S = 4           # of a flood that is not ended
BURST = 12            # attempts before the pauses are long
CPU_PER_BYTE = 150e-9 # seconds; frames of 9 bytes cost the most
CPU_SHARE = 0.35      # of a core, for the good device and the clock
REASON = re.compile(r'msg="(connection|subscription) ended"')
FIELD = re.compile(r' ([\w-]+)=("(?:[^"\\]|\\.)*"|\S+)')


@dataclass
class Verdict:
    name: str
    reason: str = "-"
    attempts: int = 0
    peak_mib: float = 0
    cpu: float = 0
    good: int = 0
    wrong: list = field(default_factory=list)


class Ends:
    """What sluice's log says about the ends of connections and subscriptions, by target."""

    def __init__(self, process):
        self.process = process
        self.read = 0
        self.by_target = {}

    def update(self):
        lines = self.process.lines
        while self.read < len(lines):
            line = lines[self.read]
            self.read += 1
            found = REASON.search(line)
            if found:
                said = {key: value.strip('"') for key, value in FIELD.findall(line)}
                said["what"] = found.group(1)
                self.by_target.setdefault(said["target"], []).append(said)

    def match(self, row):
        """The line that says what the row expects."""
        self.update()
        for said in self.by_target.get(row.name, []):
            if said["what"] == row.ends and re.fullmatch(row.reason, said["reason"]) and \
                    re.search(row.why, said["why"]):
                return said
        return None

    def others(self, row):
        return {(said["what"], said["reason"], said["why"])
                for said in self.by_target.get(row.name, [])}


CA_CONFIG = """
[ca]
default_ca = here
[here]
database = {place}/index.txt
rand_serial = yes
new_certs_dir = {place}
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = {subject}
"""


def make_certificates(place):
    """Each is its own issuer; sluice trusts all of them but one."""
    for name, days, subject in (("good", ("20200101", "20990101"), "IP:127.0.0.1"),
                                ("expired", ("20200101", "20200102"), "IP:127.0.0.1"),
                                ("other", ("20200101", "20990101"), "DNS:other.example"),
                                ("unknown", ("20200101", "20990101"), "IP:127.0.0.1")):
        (place / "index.txt").write_text("")
        (place / "ca.conf").write_text(CA_CONFIG.format(place=place, subject=subject))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", place / f"{name}.key", "-out", place / "request", "-subj", f"/CN={name}")
        openssl("ca", "-batch", "-notext", "-selfsign", "-config", place / "ca.conf", "-in",
                place / "request", "-keyfile", place / f"{name}.key", "-out", place / f"{name}.pem",
                "-startdate", f"{days[0]}000000Z", "-enddate", f"{days[1]}000000Z")
    trusted = "".join((place / f"{name}.pem").read_text() for name in ("good", "expired", "other"))
    (place / "trusted.pem").write_text(trusted)


def openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"openssl {words[0]}: {done.stderr}")


def target_of(row, place):
    """What its target says beside the address. Who plays alone is not hurried before its turn."""
    said = {"vendor": "generic", **row.target}  # peers that know Subscribe alone
    if "tls" in said:
        said["tls"] = {"ca": str(place / "trusted.pem")}
    if row.alone:
        said["dial-timeout"] = "1h"
    return said


class Scene:
    def __init__(self, lab, kafka, rows):
        self.topic = kafka.topic("hostile")
        self.kafka = kafka
        self.good = Devices(lab, "sim", 1, name="good", rate=GOOD_RATE)
        make_certificates(lab.directory)
        self.field = Field(rows, lab.directory)
        lab.on_end(self.field.end)
        for row in rows:
            if not row.alone:
                self.field.begin(row)
        addresses = {row.name: f"127.0.0.1:{row.port}" for row in rows}
        addresses["good"] = self.good.addresses()["dev1"]
        self.collector = Collector(
            lab, addresses, {"all": subscription(max_message="1MiB")},
            {"main": kafka_sink(kafka.bootstrap, self.topic)}, memory=f"{MEMORY_MIB}MiB", workers=1,
            target={"backoff": {"min": "100ms", "max": f"{BACKOFF_MAX_S}s"}, "dial-timeout": "3s"},
            targets={row.name: target_of(row, lab.directory) for row in rows})
        self.ends = Ends(self.collector.process)
        self.read_at = 0
        self.samples = {}

    def published(self):
        return int(self.collector.total("updates_published", target="good"))

    def messages(self, target):
        return int(self.metric("sluice_stream_messages_total", target))

    def metric(self, name, target):
        """From one reading of the metrics a quarter of a second: there are many rows that ask."""
        if time.monotonic() > self.read_at + 0.25:
            self.samples = {}
            for has, labels, value in self.collector.metrics():
                key = (has, labels.get("target"))
                self.samples[key] = self.samples.get(key, 0) + value
            self.read_at = time.monotonic()
        return self.samples.get((name, target), 0)

    def cpu_s(self):
        words = open(f"/proc/{self.collector.process.pid}/stat", encoding="ascii").read()
        words = words.rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def reset_peak(self):
        with open(f"/proc/{self.collector.process.pid}/clear_refs", "w", encoding="ascii") as refs:
            refs.write("5")

    def attempts(self, row):
        """As the hostile side counts them; who never answers cannot count."""
        return len(row.attempts) if row.play else self.counted(row)

    def counted(self, row):
        """What the metrics count of its ends."""
        word = "stream" if row.ends == "subscription" else "connection"
        return int(self.metric(f"sluice_{word}_ends_total", row.name))


class Meter:
    """What a while cost, and how far the good device got in it."""

    def __init__(self, scene):
        self.scene = scene
        scene.reset_peak()
        self.began = time.monotonic()
        self.cpu = scene.cpu_s()
        self.published = scene.published()

    def seconds(self):
        return time.monotonic() - self.began

    def used_s(self):
        return self.scene.cpu_s() - self.cpu

    def good(self):
        return self.scene.published() - self.published

    def peak_mib(self):
        return self.scene.collector.peak_mib()


def judge_attempts(scene, row, verdict):
    """Pauses grow: so many attempts in a time say that they do not."""
    attempts = list(row.attempts)
    verdict.attempts = scene.attempts(row)
    if row.legal:
        if len(attempts) > 1:
            verdict.wrong.append(f"{len(attempts)} attempts at what is legal")
        return
    lasted = attempts[-1] - attempts[0] if attempts else 0
    most = BURST + 4 * lasted / BACKOFF_MAX_S
    if verdict.attempts < 2:
        verdict.wrong.append("not tried again")
    if len(attempts) > most:
        verdict.wrong.append(f"{len(attempts)} attempts in {lasted:.1f} s")


def judge_legal(scene, row, verdict):
    """It goes on: everything that was sent has arrived, and nothing has ended."""
    verdict.reason = "goes on"
    if not row.is_done(scene):
        verdict.wrong.append("has not got through")
    others = scene.ends.others(row)
    if others:
        verdict.wrong.append(f"ended: {others}")


def judge_end(scene, row, verdict):
    said = scene.ends.match(row)
    if said is None:
        verdict.wrong.append(f"expected {row.ends}: {row.reason}, '{row.why}'; got"
                             f" {scene.ends.others(row) or 'nothing'}")
        return
    verdict.reason = f"{said['reason']}: {said['why']}"
    if scene.counted(row) < 1:
        verdict.wrong.append("not counted")
    if row.is_late():
        verdict.wrong.append("sluice went on with it")


def is_through(scene, row):
    if row.legal:
        return row.is_done(scene)
    scene.ends.update()
    return scene.attempts(row) >= 2 and scene.ends.match(row) and scene.counted(row)


def wait_through(scene, rows, timeout_s):
    """Until each row has shown what it has to show; what has not by then is judged as it is."""
    left = list(rows)

    def all_are():
        left[:] = [row for row in left if not is_through(scene, row)]
        return not left

    try:
        wait_for(all_are, timeout_s, "all rows are through")
    except Failed:
        note(f"not through after {timeout_s} s: {' '.join(row.name for row in left)}")


def judge(scene, row):
    verdict = Verdict(row.name)
    if row.legal:
        judge_legal(scene, row, verdict)
    else:
        judge_end(scene, row, verdict)
    judge_attempts(scene, row, verdict)
    return verdict


def judge_cost(meter, verdict, sent_bytes):
    verdict.good = meter.good()
    verdict.peak_mib = meter.peak_mib()
    used, seconds = meter.used_s(), meter.seconds()
    verdict.cpu = used / seconds
    most = CPU_SHARE * seconds + CPU_PER_BYTE * sent_bytes
    if used > most:
        verdict.wrong.append(f"{used:.2f} s of CPU in {seconds:.1f} s for {sent_bytes} bytes")
    if verdict.peak_mib > MEMORY_MIB + ALLOWANCE_MIB:
        verdict.wrong.append(f"peak {verdict.peak_mib:.1f} MiB")
    if verdict.good < GOOD_RATE * seconds / 4:
        verdict.wrong.append(f"the good device got {verdict.good} updates further in {seconds:.1f} s")


def crowd(scene, rows):
    """All at once."""
    meter = Meter(scene)
    wait_through(scene, rows, ROWS_S)
    wait_for(lambda: meter.seconds() > ALONE_S, ALONE_S + 1, "a time that can be judged")
    verdicts = [judge(scene, row) for row in rows]
    summary = Verdict(f"crowd of {len(rows)}", "all at once")
    summary.attempts = sum(len(row.attempts) for row in rows)
    judge_cost(meter, summary, sum(row.sent for row in rows))
    for row in rows:
        scene.field.stop(row)
    return [*verdicts, summary]


def alone(scene, row, lasts_s):
    meter = Meter(scene)
    scene.field.begin(row)
    wait_through(scene, [row], ROW_S)
    verdict = judge(scene, row)
    wait_for(lambda: meter.seconds() > lasts_s, lasts_s + 1, "the end of a row")
    judge_cost(meter, verdict, row.sent)
    scene.field.stop(row)
    return verdict


def table(verdicts):
    print(f"{'row':<28} {'attempts':>8} {'peak MiB':>8} {'CPU':>5} {'good':>7}  reason", flush=True)
    for one in verdicts:
        alone_said = f"{one.peak_mib:8.1f} {one.cpu:5.2f} {one.good:7d}" if one.good else f"{'':22}"
        print(f"{one.name:<28} {one.attempts:8d} {alone_said}  {one.reason}", flush=True)


def check_good(scene):
    """The consumer finds 1 … what the device had sent, in one session."""
    (sent,) = (seq for seq, _ in scene.good.now().values())
    scene.kafka.wait_records(scene.topic, sent)
    check(scene.collector.stop() == 0, "sluice ends with 0")
    ledger = Ledger(event_sample)
    for message in Reader(scene.kafka.bootstrap, scene.topic).messages():
        if message.key() == b"good":
            ledger.take(message)
    ledger.check_streams(1)
    (stream,) = ledger.streams.values()
    check(stream.device_seq >= sent,
          f"the good device: 1 … {stream.device_seq} is there, it had sent {sent}")


def hostile(lab, kafka):
    rows = [row for row in ROWS if re.search(lab.options.only or "", row.name)]
    scene = Scene(lab, kafka, rows)
    wait_for(lambda: scene.published() > GOOD_RATE, 30, "the good device flows")
    verdicts = []
    together = [row for row in rows if not row.alone]
    if together:
        verdicts += crowd(scene, together)
    for row in rows:
        if row.alone:
            verdicts.append(alone(scene, row, ALONE_S * (5 if lab.is_long else 1)))
    table(verdicts)
    for verdict in verdicts:
        check(not verdict.wrong, f"{verdict.name}: {'; '.join(verdict.wrong) or verdict.reason}")
    check_good(scene)


def main(lab):
    hostile(lab, Kafka(lab))


if __name__ == "__main__":
    run(main)
