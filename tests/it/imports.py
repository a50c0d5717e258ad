#!/usr/bin/env python3
"""imports - configurations of gnmic and Telegraf become sluice's, and consumers need not notice.

samples   a large file with every section: what is left out is told by line, `sluice check` takes what is
          written, no secret shows, and the exit codes are what they are said to be
TOML      what is TOML for Python's tomllib, and nothing else, is TOML here
golden    small files whose new configurations run: a device that plays the golden messages
          (`sluice sim --replay`), the file sink and a broker. Payloads are what the original programs were
          recorded to write, byte for byte; key, topic and partition what they would be there (FNV-1a as
          worked out here once more), read by confluent-kafka.
compared  `--diff` with what the original programs were recorded to write: it says what Python's json says of the two,
          and finds each record that was changed, taken out, put in, or rounded
"""
import collections
import decimal
import json
import os
import random
import re
import subprocess
import tomllib
from pathlib import Path

from harness import ROOT, check, free_port, must, part, run, sluice, wait_for  # first: the environment

import captures
from certificates import Authority
from kafka import Reader

SAMPLES = Path(__file__).resolve().parent / "foreign_configs"
EPOCH_NS = 1_763_712_000_000_000_000
PARTITIONS = 16


def import_file(lab, file, *words):
    """Its exit code, the new configuration, and the list."""
    done = subprocess.run([sluice(), "import", file, *words], capture_output=True, text=True, check=False,
                          cwd=lab.directory, timeout=30)
    return done.returncode, done.stdout, done.stderr.splitlines()


def write(lab, name, text):
    file = lab.path(name)
    file.write_text(text, encoding="utf-8")
    return file


def check_config(lab, text, name="sluice.yaml", **environment):
    """`sluice check` of it: its exit code and what it says."""
    done = subprocess.run([sluice(), "check", "-c", write(lab, name, text)], capture_output=True, text=True,
                          check=False, env={**os.environ, **environment}, timeout=30)
    return done.returncode, done.stdout + done.stderr


def check_list(lines, name, expected):
    """The lines of the list that are of `expected`: (line number, kind, words in it)."""
    for number, kind, words in expected:
        found = [line for line in lines if re.match(rf".*{name}:{number}: {kind}: ", line) and words in line]
        check(len(found) == 1, f"{name}:{number}: {kind}: {words}")


# ---- samples ----

GNMIC_SECRET = "plain-text-secret$$1"
GNMIC_ENVIRONMENT = {"GNMIC_LAB_PASSWORD": "a", "SLUICE_IMPORT_PASSWORD": "b", "KAFKA_PASSWORD": "c",
                     "SPINE_USER": "d", "REGION": "e"}
GNMIC_LIST = [
    (13, "changed", "collector.memory"),
    (16, "left out", "'api-server'"),
    (20, "left out", "'clustering'"),
    (24, "left out", "'loader'"),
    (32, "changed", "as SLUICE_IMPORT_PASSWORD"),
    (36, "left out", "several addresses"),
    (39, "changed", "as SLUICE_IMPORT_PASSWORD"),
    (42, "left out", "'tls-min-version'"),
    (48, "left out", "'source'"),
    (51, "left out", "'metadata'"),
    (52, "left out", "target 'dead'"),
    (69, "changed", "'sample-interval'"),
    (84, "left out", "subscription 'inventory'"),
    (95, "changed", "'required-acks'"),
    (97, "changed", "'timeout'"),
    (98, "changed", "'buffer-size'"),
    (116, "left out", "'prometheus'"),
    (119, "left out", "'prototext'"),
    (138, "left out", "processor 'script'"),
    (145, "left out", "'inputs'"),
]
GNMIC_WRITTEN = [
    '  "leaf1:57400":\n    address: "leaf1:57400"\n',
    'password: "${env.GNMIC_LAB_PASSWORD}"',
    'username: "${env.SPINE_USER}"',
    'labels: {"site": "tyo", "role": "spine", "topic-name": "spine1"}',
    '"security.protocol": sasl_ssl',
    'key: "${target}:::${subscription}"\n    partitioner: fnv1a\n',
    'topic: "tel_${subscription}_${label.topic-name}"',
    "sample-interval: 1s500ms",
    "format: event-split",
    "format: gnmic-json",
    '{kind: drop, path: ["/interfaces/interface/state/counters/.../*discards", "/.../*unknown-protos*/..."]}',
]


def samples(lab):
    text = (SAMPLES / "gnmic.yaml").read_text(encoding="utf-8")
    # Certificates are read by `check`, so they have to be somewhere.
    text = text.replace("/etc/gnmic/ca.pem", str(Authority(lab).file))
    file = write(lab, "gnmic.yaml", text)
    code, written, lines = import_file(lab, file)
    check(code == 1, f"exit code {code}: things are left out")
    check_list(lines, "gnmic.yaml", GNMIC_LIST)
    check(all(any(line.lstrip("# ") == said for line in written.splitlines()) for said in lines),
          "the list stands in the new file, too")
    for words in GNMIC_WRITTEN:
        check(words in written, f"written: {words.strip()}")
    check(GNMIC_SECRET not in written and not any(GNMIC_SECRET in line for line in lines),
          "the secret in plain text is nowhere")
    code, said = check_config(lab, written, **GNMIC_ENVIRONMENT)
    check(code == 0 and ": ok: 3 targets, " in said, f"sluice check: {said.strip()}")
    code, written, lines = import_file(lab, file, "--keep-secrets")
    check('password: "plain-text-secret$$$$1"' in written and
          not any(GNMIC_SECRET in line for line in lines), "--keep-secrets keeps it, and does not list it")
    code, written, lines = import_file(lab, file, "--strict")
    check(code == 2 and not written and "nothing is written" in lines[-1], "--strict writes nothing")


TELEGRAF_ENVIRONMENT = {"SLUICE_IMPORT_PASSWORD": "a", "SLUICE_IMPORT_PASSWORD_2": "b", "KAFKA_PASSWORD": "c",
                        "SPINE_USER": "d", "REGION": "e"}
TELEGRAF_LIST = [
    (3, "changed", "these tags"),
    (9, "changed", "'metric_buffer_limit'"),
    (10, "changed", "'flush_interval'"),
    (13, "changed", "'logfile'"),
    (15, "left out", "'secretstores.systemd'"),
    (18, "left out", "'inputs.cpu'"),
    (23, "left out", "'no-port.example'"),
    (25, "changed", "as SLUICE_IMPORT_PASSWORD "),
    (30, "left out", "'canonical_field_names'"),
    (34, "left out", "'path_guessing_strategy'"),
    (37, "changed", "these tags"),
    (41, "left out", "the alias 'cpu'"),
    (43, "changed", "is asked for by 'interfaces', too"),
    (49, "changed", "'heartbeat_interval'"),
    (56, "changed", "'sample_interval'"),
    (58, "left out", "the tag subscription 'descr'"),
    (65, "left out", "subscription 'broken'"),
    (72, "left out", "as SLUICE_IMPORT_PASSWORD_2"),
    (75, "changed", "'insecure_skip_verify' says nothing without 'tls_enable = true'"),
    (78, "changed", "these tags"),
    (96, "left out", "processor 'starlark'"),
    (102, "left out", "'aggregators.minmax'"),
    (110, "changed", "'required_acks'"),
    (112, "changed", "compat-float64"),
    (113, "left out", "'json_timestamp_units'"),
    (116, "left out", "'KAFKA_PASSWORD'"),
    (122, "left out", "the tag 'name'"),
    (125, "changed", "compat-float64"),
    (129, "left out", "'routing_tag'"),
    (132, "left out", "'influxdb_v2'"),
    (136, "left out", "'prometheus'"),
    (140, "changed", "compat-float64"),
    (142, "left out", "'rotation_max_size'"),
]
TELEGRAF_WRITTEN = [
    '  "leaf1.example:57400":\n    address: "leaf1.example:57400"\n',
    '  "leaf1.example:57400-2":\n    address: "leaf1.example:57400"\n',
    'labels: {"telegraf-source": "2001:db8::7", "telegraf-tag-role": "leaf"}',
    'username: "${env.SPINE_USER}"\n    password: "${env.SLUICE_IMPORT_PASSWORD_2}"\n    insecure: true\n',
    '      - "openconfig:/interfaces/interface[name=*]/state/counters"\n    stream-mode: "sample"\n'
    "    sample-interval: 1m30s\n    encoding: json_ietf\n    max-message: 8000000\n",
    'sinks: ["lines", "file", "file-2"]',
    '  ifcounters-2:\n    measurement: "ifcounters"\n    stream-subscriptions:\n      - paths:\n',
    '    - {kind: label, add: {"dc": "ams1", "region": "${env.REGION}"}}\n    - {kind: label, set: {"site": "tyo"}}\n',
    'topic: "telegraf_${label.telegraf-tag-role}"\n    key: "${label.telegraf-source}"\n    partitioner: fnv1a\n',
    'compression: snappy\n',
    'format: telegraf-json\n    host: "collector1"\n',
]


def telegraf_samples(lab):
    text = (SAMPLES / "telegraf.conf").read_text(encoding="utf-8")
    text = text.replace("/etc/telegraf/ca.pem", str(Authority(lab).file))
    file = write(lab, "telegraf.conf", text)
    code, written, lines = import_file(lab, file)
    check(code == 1, f"exit code {code}: things are left out")
    check_list(lines, "telegraf.conf", TELEGRAF_LIST)
    check(len(lines) == len(TELEGRAF_LIST), f"{len(lines)} lines, and no others")
    check(all(any(line.lstrip("# ") == said for line in written.splitlines()) for said in lines),
          "the list stands in the new file, too")
    for words in TELEGRAF_WRITTEN:
        check(words in written, f"written: {words.strip()}")
    for secret in (GNMIC_SECRET, "changeme", "store:spine"):
        check(secret not in written and not any(secret in line for line in lines), f"no secret shows: {secret[:5]}")
    code, said = check_config(lab, written, **TELEGRAF_ENVIRONMENT)
    check(code == 0 and ": ok: 5 targets, " in said, f"sluice check: {said.strip()}")
    code, written, lines = import_file(lab, file, "--keep-secrets")
    check('password: "plain-text-secret$$$$1"' in written and "SLUICE_IMPORT_PASSWORD" in written and
          not any(GNMIC_SECRET in line for line in lines), "--keep-secrets keeps what is there, and does not list it")
    code, written, lines = import_file(lab, file, "--strict")
    check(code == 2 and not written and "nothing is written" in lines[-1], "--strict writes nothing")


TELEGRAF_LEAST = """
[[inputs.gnmi]]
  addresses = ["127.0.0.1:9"]
  [[inputs.gnmi.subscription]]
    name = "s"
    path = "/a"
    subscription_mode = "on_change"
[[outputs.kafka]]
  brokers = ["b:9092"]
  topic = "t"
"""


def telegraf_refusals(lab):
    for what, text, words in (
            ("no TOML", "[agent\n", "telegraf.conf:1:7: expected ']'"),
            ("a variable without quotes", "[agent]\ninterval = ${X}\n", "telegraf.conf:2:12: expected a value"),
            ("no inputs", TELEGRAF_LEAST.replace("inputs.gnmi", "inputs.snmp"), "no target"),
            ("no outputs", TELEGRAF_LEAST.replace("outputs.kafka", "outputs.nats"), "no output"),
    ):
        code, written, lines = import_file(lab, write(lab, "telegraf.conf", text))
        check(code == 2 and not written and any(words in line for line in lines), f"{what}: exit code 2")
    code, written, _ = import_file(lab, write(lab, "telegraf.conf", TELEGRAF_LEAST))
    check(code == 0 and "format: influx" in written, "all carried over: exit code 0")


TOML_TEXTS = (
    "a = 1\n", '[a]\nb = "x"\n', "a.b.c = [1, 2,\n 3]\n", "[[a]]\nb = {c = 1, d.e = 2}\n[[a]]\n[a.b]\nc=1\n",
    'a = """x\n\\\n  y"""\nb = \'\'\'z\'\'\'\n', "d = 1979-05-27T07:32:00Z\ne = 07:32:00\nf = 1979-05-27\n",
    "x = [0x1f, 0o17, 0b1, 1_000, -1.5e+3, inf, -nan, true]\n", '"a b" = \'c\'\n[x."y z"]\nq.r = 1\n[x]\nw = 2\n',
    'a = "\\u00e9\\t\\""\n', "fruit.apple.x = 1\n[fruit.apple.y]\n", "[a.b]\nx=1\n[a]\nb.y=2\n",
    "a = {}\nb = [ {x=1}, {y=2}, ]\n")


def is_toml(text):
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError):
        return False
    return True


def toml(lab):
    """What is TOML for Python is TOML for us, and nothing else is: texts that are damaged in one to three places."""
    chance = random.Random(9)
    differing, good, count = [], 0, 3000 if lab.is_long else 60
    for _ in range(count):
        text = chance.choice(TOML_TEXTS) + chance.choice(("", *TOML_TEXTS))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(text) + 1)
            inserted = chance.choice("[]{}=.,\"'#\n \t\\ab01-_+:eTxZ") if chance.random() < 0.5 else ""
            text = text[:at] + inserted + text[at + (not inserted):]
        _, _, lines = import_file(lab, write(lab, "x.toml", text))
        is_ours = not any(re.search(r"x\.toml:\d+:\d+: ", line) for line in lines)
        good += is_toml(text)
        if is_ours != is_toml(text):
            differing.append(text)
    check(not differing and 0 < good < count, f"{count} texts, of which {good} are TOML: {differing[:3]}")


def refusals(lab):
    for what, text, words in (
            ("no YAML", "targets: {a: [", "gnmic.yaml:2:1: "),
            ("no map", "- a\n", "expected a map"),
            ("no targets", "subscriptions: {s: {paths: [/a]}}\noutputs: {k: {type: kafka}}\n", "no target"),
            ("no outputs", "targets: {a: {}}\nsubscriptions: {s: {paths: [/a]}}\n", "no output"),
    ):
        code, written, lines = import_file(lab, write(lab, "gnmic.yaml", text))
        check(code == 2 and not written and any(words in line for line in lines), f"{what}: exit code 2")
    code, _, lines = import_file(lab, lab.path("nowhere.yaml"))
    check(code == 2 and "No such file" in lines[0], "a file that is not there: exit code 2")
    output = write(lab, "there.yaml", "mine\n")
    small = write(lab, "small.yaml", "targets: {a: {insecure: true}}\nsubscriptions: {s: {paths: [/a]}}\n"
                                     "outputs: {k: {type: kafka}}\n")
    code, _, _ = import_file(lab, small, "-o", output)
    check(code == 2 and output.read_text(encoding="utf-8") == "mine\n", "-o overwrites nothing")
    code, written, _ = import_file(lab, small, "-o", lab.path("new.yaml"))
    check(code == 0 and not written and lab.path("new.yaml").stat().st_mode & 0o777 == 0o600,
          "-o writes a file of the owner's alone; all carried over: exit code 0")


# ---- what consumers read ----

def device(lab):
    """A device that plays the golden messages to anybody; its port."""
    file = lab.path("golden.capture")
    captures.write(file, [(EPOCH_NS + i, message)
                          for i, message in enumerate(captures.golden_messages().values())])
    port = free_port()
    process = lab.start("sim", [sluice(), "sim", "--replay", file, "--replay-pace", "fast", "--listen",
                                f"127.0.0.1:{port}", "--quiet"])
    process.wait_line("listening", 10)
    return port


def broker(lab, *topics):
    words = [word for topic in topics for word in ("--topic", topic)]
    process = lab.start("broker", [sluice(), "broker", "--partitions", str(PARTITIONS), *words])
    return process.wait_line(r"bootstrap (\S+)", 20)[0].group(1)


def fnv1a_partition(key, partitions):
    """As sarama's hash partitioner: 32 bits with a sign, its amount."""
    value = 0x811C9DC5
    for byte in key:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return abs(value - ((value & 0x80000000) << 1)) % partitions


GNMIC_RUN = """
insecure: true
targets:
  leaf1: {address: "127.0.0.1:%(port)d"}
subscriptions:
  sub1: {paths: [/interfaces/interface]}
outputs:
  event: {type: file, filename: %(folder)s/event.out, format: event}
  json: {type: file, filename: %(folder)s/json.out, format: json}
  keyed: {type: kafka, address: "%(bootstrap)s", topic: keyed, insert-key: true}
  split: {type: kafka, address: "%(bootstrap)s", topic-prefix: "tel", split-events: true}
"""


def lines_of(file):
    return file.read_bytes().splitlines() if file.exists() else []


def run_config(lab, text, file, lines, environment=None):
    """Runs it until `file` has so many lines."""
    config = write(lab, "run.yaml", "collector: {admin: {listen: \"\"}}\n" + text)
    process = lab.start("run", [sluice(), "run", "-c", config], environment)
    wait_for(lambda: len(lines_of(file)) >= lines, 30, f"{lines} lines in {file.name}")
    return process


def golden(lab):
    expected = captures.golden_output(".").splitlines()
    bootstrap = broker(lab, "keyed", "tel_sub1_leaf1")
    values = {"port": device(lab), "folder": lab.directory, "bootstrap": bootstrap}
    code, written, lines = import_file(lab, write(lab, "gnmic.yaml", GNMIC_RUN % values))
    must(code == 0, f"everything is carried over: {[line for line in lines if 'left out' in line]}")
    process = run_config(lab, written, lab.path("event.out"), len(expected))
    split = captures.golden_output("event-split").splitlines()
    wait_for(lambda: sum(high for _, high in Reader(bootstrap, "tel_sub1_leaf1").ends().values()) >=
             len(split), 30, "all events in tel_sub1_leaf1")
    check(process.terminate() == 0, "it ends with 0")

    check(lines_of(lab.path("event.out"))[:len(expected)] == expected,
          f"{len(expected)} lines of events are what gnmic wrote, byte for byte")
    objects = captures.golden_output("gnmic-json").splitlines()
    check(lines_of(lab.path("json.out"))[:len(objects)] == objects, f"{len(objects)} lines of json are, too")
    records = list(Reader(bootstrap, "keyed").messages())
    check([record.value() for record in records][:len(expected)] == expected,
          "the records of Kafka are the same")
    check({record.key() for record in records} == {b"leaf1:::sub1"}, "their key is leaf1:::sub1")
    check({record.partition() for record in records} == {fnv1a_partition(b"leaf1:::sub1", PARTITIONS)},
          "their partition is FNV-1a's")
    records = list(Reader(bootstrap, "tel_sub1_leaf1").messages())
    check(sorted(record.value() for record in records)[:len(split)] == sorted(split) and
          {record.key() for record in records} == {None},
          f"tel_sub1_leaf1 has the {len(split)} events one by one, without a key")


TELEGRAF_RUN = """
[agent]
  hostname = "collector1"
[[inputs.gnmi]]
  addresses = ["127.0.0.1:%(port)d"]
  [[inputs.gnmi.subscription]]
    name = "sub1"
    path = "/interfaces/interface"
    subscription_mode = "target_defined"
[[outputs.file]]
  files = ["%(folder)s/influx.out"]
[[outputs.file]]
  files = ["%(folder)s/telegraf-json.out"]
  data_format = "json"
[[outputs.kafka]]
  brokers = ["%(bootstrap)s"]
  topic = "metrics"
  routing_tag = "source"
  data_format = "json"
[[outputs.kafka]]
  brokers = ["%(bootstrap)s"]
  topic = "lines"
  routing_tag = "name"
  routing_key = "all"
  [outputs.kafka.topic_suffix]
    method = "measurement"
    separator = "_"
"""


def values_of(bootstrap, topic):
    return [record.value() for record in Reader(bootstrap, topic).messages()]


def telegraf_golden(lab):
    expected = {form: captures.golden_output(form) for form in ("telegraf-json", "influx")}
    topics = {"telegraf-json": ("metrics", b"127.0.0.1"), "influx": ("lines_sub1", b"all")}
    bootstrap = broker(lab, "metrics", "lines_sub1")
    values = {"port": device(lab), "folder": lab.directory, "bootstrap": bootstrap}
    code, written, lines = import_file(lab, write(lab, "telegraf.conf", TELEGRAF_RUN % values))
    left_out = [line for line in lines if "left out" in line]
    must(code == 1 and len(left_out) == 1 and "'routing_tag'" in left_out[0],
         f"all but one routing tag is carried over: {left_out}")
    counts = {form: len(text.splitlines()) for form, text in expected.items()}
    process = run_config(lab, written, lab.path("telegraf-json.out"), counts["telegraf-json"])
    wait_for(lambda: len(lines_of(lab.path("influx.out"))) >= counts["influx"], 30, "all lines of influx")
    for form, (topic, _) in topics.items():
        wait_for(lambda topic=topic, form=form:
                 sum(map(len, values_of(bootstrap, topic))) >= len(expected[form]), 30, f"all records in {topic}")
    check(process.terminate() == 0, "it ends with 0")
    for form, text in expected.items():
        got = lab.path(f"{form}.out").read_bytes()
        check(got[:len(text)] == text, f"{counts[form]} lines of {form} are those of Telegraf, byte for byte")
        topic, key = topics[form]
        records = list(Reader(bootstrap, topic).messages())
        check(b"".join(record.value() for record in records)[:len(text)] == text, f"{topic}: so are the records")
        check({(record.key(), record.partition()) for record in records} ==
              {(key, fnv1a_partition(key, PARTITIONS))}, f"{topic}: key {key.decode()}, and the partition is FNV-1a's")


TELEGRAF_TAGS = """
[global_tags]
  dc = "ams1"
  role = "none"
[agent]
  omit_hostname = true
[[processors.override]]
  [processors.override.tags]
    site = "tyo"
[[outputs.kafka]]
  brokers = ["%(bootstrap)s"]
  topic = "tags"
  routing_tag = "role"
  data_format = "json"
[[inputs.gnmi]]
  addresses = ["127.0.0.1:%(port)d"]
  name_prefix = "net_"
  [inputs.gnmi.tags]
    role = "leaf"
  [[inputs.gnmi.subscription]]
    name = "sub1"
    path = "/interfaces/interface"
    subscription_mode = "target_defined"
[[inputs.gnmi]]
  addresses = ["127.0.0.1:%(port)d"]
  [inputs.gnmi.tags]
    role = "spine"
  [[inputs.gnmi.subscription]]
    name = "net_sub1"
    path = "/interfaces/interface"
    subscription_mode = "on_change"
"""


def telegraf_tags(lab):
    """Two inputs with one device and the same measurement: tags of everywhere, no host, keys of labels."""
    metrics = captures.golden_output("telegraf-json").splitlines()
    bootstrap = broker(lab, "tags")
    code, written, lines = import_file(lab, write(lab, "telegraf.conf", TELEGRAF_TAGS %
                                                  {"port": device(lab), "bootstrap": bootstrap}))
    must(code == 0, f"everything is carried over: {lines}")
    process = lab.start("run", [sluice(), "run", "-c",
                                write(lab, "run.yaml", "collector: {admin: {listen: \"\"}}\n" + written)])
    ends = Reader(bootstrap, "tags")
    wanted = {role: fnv1a_partition(role, PARTITIONS) for role in (b"leaf", b"spine")}
    wait_for(lambda: all(ends.ends()[partition][1] >= len(metrics) for partition in wanted.values()), 30,
             "all records of both")
    process.terminate()
    got = {role: [] for role in wanted}
    astray = 0
    for record in Reader(bootstrap, "tags").messages():
        astray += record.partition() != wanted[record.key()]
        got[record.key()].append(json.loads(record.value()))
    check(astray == 0, "each key leads to its partition")
    for role, records in got.items():
        expected = []
        for metric in map(json.loads, metrics):
            if metric["tags"].get("host") == "collector1":
                del metric["tags"]["host"]
            metric["tags"].update({"dc": "ams1", "role": role.decode(), "site": "tyo"})
            metric["name"] = metric["name"] and "net_sub1"
            expected.append(metric)
        # In order; an update without any path, which Telegraf skips, is one with an empty path behind rules.
        ahead = iter(records)
        check(all(metric in ahead for metric in expected),
              f"{len(expected)} metrics of {role.decode()}: net_sub1, the tags of everywhere, no host")


GNMIC_MANY = """
insecure: true
port: %(port)d
targets:
%(targets)s
subscriptions:
  sub1: {paths: [/interfaces/interface]}
outputs:
  keyed: {type: kafka, address: "%(bootstrap)s", topic: many, insert-key: true,
          event-processors: [site, drop, late]}
processors:
  site: {event-add-tag: {tag-names: ["."], add: {rack: r7}}}
  drop: {event-drop: {value-names: ["/state/a$"]}}
  late: {event-override-ts: {}}
"""


def many(lab):
    """Twenty targets: names, event tags and processors, and the partitions that their keys lead to."""
    bootstrap = broker(lab, "many")
    names = [f"leaf{i}:{9000 + i}" for i in range(20)]
    targets = "\n".join(f"  '{name}': {{address: 127.0.0.1, event-tags: {{site: s{i % 3}}}}}"
                        for i, name in enumerate(names))
    values = {"port": device(lab), "targets": targets, "bootstrap": bootstrap}
    code, written, _ = import_file(lab, write(lab, "gnmic.yaml", GNMIC_MANY % values))
    must(code == 0, "everything is carried over")
    config = write(lab, "run.yaml", "collector: {admin: {listen: \"\"}}\n" + written)
    process = lab.start("run", [sluice(), "run", "-c", config])
    wait_for(lambda: sum(high for _, high in Reader(bootstrap, "many").ends().values()) >=
             len(names) * 150, 30, "records of all targets")
    process.terminate()
    placed, wrong, dropped = {}, [], 0
    for record in Reader(bootstrap, "many").messages():
        placed.setdefault(record.key().decode(), set()).add(record.partition())
        for event in json.loads(record.value()):
            tags = event["tags"]
            i = names.index(tags["source"])
            if tags.get("site") != f"s{i % 3}" or tags.get("rack") != "r7":
                wrong.append(tags)
            if any(name.endswith("/state/a") for name in event.get("values", {})):
                dropped += 1
            if not event["timestamp"] > EPOCH_NS:
                wrong.append(event["timestamp"])
    check(placed == {f"{name}:::sub1": {fnv1a_partition(f"{name}:::sub1".encode(), PARTITIONS)}
                     for name in names}, "each target's key leads where it led in gnmic")
    check(not wrong, f"every event has its target's tags and the processors' {wrong[:2]}")
    golden_text = captures.golden_output(".")
    check(dropped == 0 and b"/state/a" in golden_text, "what a processor dropped is not there")


# ---- what is compared ----

GNMIC_COMPARED = """
insecure: true
targets: {leaf1: {address: "127.0.0.1:1", password: "%s"}}
subscriptions: {sub1: {paths: [/interfaces/interface]}, other: {paths: [/interfaces/interface]}}
outputs:
  event: {type: file, filename: /nowhere/a, format: event}
  event-split: {type: kafka, address: "127.0.0.1:1", topic: t, split-events: true}
  gnmic-json: {type: file, filename: /nowhere/b, format: json}
  protojson: {type: file, filename: /nowhere/c, format: protojson}
  raw: {type: kafka, address: "127.0.0.1:1", topic: t, format: proto}
""" % GNMIC_SECRET
TELEGRAF_COMPARED = """
agent = {hostname = "collector1"}
[[inputs.gnmi]]
  addresses = ["127.0.0.1:57400"]
  subscription = [{name = "sub1", path = "/interfaces/interface", subscription_mode = "target_defined"}]
[[outputs.file]]
  alias = "influx"
  files = ["/nowhere/a"]
[[outputs.kafka]]
  alias = "telegraf-json"
  brokers = ["127.0.0.1:1"]
  topic = "t"
  data_format = "json"
"""
FORMS = {"event": ("gnmic.yaml", "."), "event-split": ("gnmic.yaml", "event-split"),
         "gnmic-json": ("gnmic.yaml", "gnmic-json"), "protojson": ("gnmic.yaml", "protojson"),
         "telegraf-json": ("telegraf.conf", "telegraf-json"), "influx": ("telegraf.conf", "influx")}


def diff(lab, form, old, *words):
    """sluice import --diff with those records: its exit code, the counts of its last line, and all that it says."""
    file = lab.path("old.out")
    file.write_bytes(old)
    if FORMS[form][0] == "gnmic.yaml":
        words = ("--subscription", "sub1", *words)
    done = subprocess.run([sluice(), "import", FORMS[form][0], "--diff", file.name, "--replay", "golden.capture",
                           "--sink", form, *words], capture_output=True, text=True, check=False,
                          cwd=lab.directory, timeout=60, env={**os.environ, "TZ": "UTC"})
    found = re.search(r"(\d+) the same, (?:(\d+) the same but for rounding, )?(\d+) differ, (\d+) only in old.out, "
                      r"(\d+) only new$", done.stdout.strip())
    counts = tuple(int(count or 0) for count in found.groups()) if found else ()
    return done.returncode, counts, done.stdout + done.stderr


def documents(text):
    """All JSON values in it, one behind the other; numbers keep what they are."""
    decoder = json.JSONDecoder(parse_float=lambda word: ("decimal", decimal.Decimal(word)))
    at, text = 0, text.decode("utf-8", "replace")
    while text[at:].strip():
        value, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
        yield value


def as_key(value):
    if isinstance(value, dict):
        return ("object", frozenset((name, as_key(item)) for name, item in value.items()))
    if isinstance(value, list):
        return ("array", tuple(as_key(item) for item in value))
    return (type(value).__name__, value)


def as_counter(form, text):
    """Which records there are, and how many of each, for Python."""
    if form == "influx":  # texts have line feeds in them, and the original's fields come in any order
        return collections.Counter(tuple(sorted(re.split(rb"[, ]", line))) for line in
                                   re.findall(rb"(?s).+? -?\d+\n", text))
    records = (record for document in documents(text)
               for record in (document if isinstance(document, list) else [document]))
    return collections.Counter(as_key(record) for record in records)


def last(text):
    return text.strip().splitlines()[-1]


def recorded(folder):
    """What the original program was recorded to write, also where sluice deviates."""
    return b"".join((captures.GOLDEN / folder / "expected" / f"{name}.out").read_bytes()
                    for name in captures.golden_messages())


def compared_as_recorded(lab):
    for form, (_, folder) in FORMS.items():
        text = captures.golden_output(folder)
        ours, original = as_counter(form, text), as_counter(form, recorded(folder))
        code, counts, said = diff(lab, form, text)
        check(code == 0 and counts == (ours.total(), 0, 0, 0, 0),
              f"{form}: {ours.total()} records are the same: {last(said)}")
        if not lab.is_long and form not in ("event", "telegraf-json"):
            continue
        code, counts, said = diff(lab, form, recorded(folder))
        check(code == 1 and counts and counts[0] == (ours & original).total() and
              counts[2] + counts[3] == (original - ours).total() and
              counts[2] + counts[4] == (ours - original).total(),
              f"{form}: of the original's {original.total()} records {(ours & original).total()} are: {last(said)}")


def compared_otherwise_written(lab):
    """By Python's json, in another order, all in one array, over many lines."""
    golden_lines = captures.golden_output("event-split").splitlines()
    lines = [line for line in golden_lines  # but those with numbers that its doubles cannot say
             if not re.search(rb'e-4294967295|":-9223372036854775\.808', line)]
    events = [dict(reversed(json.loads(line).items())) for line in lines]
    random.Random(4).shuffle(events)
    code, counts, said = diff(lab, "event", json.dumps(events, indent=3).encode())
    check(counts == (len(events), 0, 0, 0, len(golden_lines) - len(events)) and len(events) > 180 and code == 1,
          f"events of another hand, in another order, are the same: {last(said)}")


def compared_planted(lab):
    lines = captures.golden_output("event-split").decode().splitlines()
    large = next(i for i, line in enumerate(lines) if ":9223372036854775808}" in line)
    value = next(i for i, line in enumerate(lines) if lines.count(line) == 1 and '/in-octets":1}' in line)
    planted = {
        "a value": (value, lambda line: line.replace('in-octets":1}', 'in-octets":17}'), "old 17, new 1 in "),
        "a type": (value, lambda line: line.replace('in-octets":1}', 'in-octets":"1"}'),
                   'old "1", new 1 (another type) in '),
        "a tag": (value, lambda line: line.replace('"source":"leaf1"', '"source":"leaf2"'), 'old "leaf2", new "leaf1"'),
        "a time": (value, lambda line: re.sub(r'"timestamp":\d+', '"timestamp":5', line), "differ in timestamp: 1"),
        "a double": (large, lambda line: line.replace("9223372036854775808", "9223372036854776000"),
                     "old 9223372036854776000, new 9223372036854775808 (the old one is rounded) in "),
    }
    for what, (at, change, words) in planted.items():
        changed = lines[:at] + [change(lines[at])] + lines[at + 1:]
        must(changed != lines, f"{what} is planted")
        code, counts, said = diff(lab, "event-split", "\n".join(changed).encode())
        check(code == 1 and counts == (len(lines) - 1, 0, 1, 0, 0) and f"old.out:{at + 1}: " in said and words in said,
              f"{what} that differs is found: {last(said)}")
    code, counts, _ = diff(lab, "event-split", "\n".join(changed).encode(), "--ignore", "rounding")
    check(code == 0 and counts == (len(lines) - 1, 1, 0, 0, 0), "--ignore rounding takes the rounded one as the same")
    elsewhere = "\n".join(lines).replace('"source":"leaf1"', '"source":"10.0.0.1:57400"').encode()
    code, counts, said = diff(lab, "event-split", elsewhere)
    check(code == 1 and counts[2] == len(lines) and f"differ in tags.source: {len(lines)}\n" in said,
          "another tag in all records is one kind of difference")
    check(diff(lab, "event-split", elsewhere, "--ignore", "tags.source")[0] == 0, "--ignore tags.source leaves nothing")
    code, counts, said = diff(lab, "event-split", "\n".join(lines[:value] + lines[value + 1:]).encode())
    check(code == 1 and counts[1:] == (0, 0, 0, 1) and "only in the new ones, with " in said, "a missing record is found")
    extra = '{"name":"sub1","timestamp":3,"values":{"/x/y":1}}'
    code, counts, said = diff(lab, "event-split", "\n".join([*lines, extra]).encode())
    check(code == 1 and counts[1:] == (0, 0, 1, 0) and f"only in old.out, with values./x/y: 1\n  old.out:{len(lines) + 1}: "
          in said, "one too many is found")


def compared_refusals(lab):
    good = captures.golden_output(".")
    for what, form, old, words, expected in (
            ("no JSON", "event", b"[{}]\n[{]", (), "old.out: line 2, column 3: expected a member's name"),
            ("cut off", "event", good[:1000], (), "it is cut off"),
            ("another format", "influx", good, (), "old.out: line 1, column "),
            ("no capture", "event", good, ("--replay", "old.out"), "this is not a capture"),
            ("another target", "event", good, ("--target", "x"), "no such target"),
            ("another sink", "event", good, ("--sink", "x"), "has no sink 'x'"),
            ("raw messages", "event", good, ("--sink", "raw"), "nothing to compare"),
            ("no file", "event", good, ("--diff", "nowhere"), "nowhere: No such file"),
            ("a file to write", "event", good, ("-o", "new.yaml"), "--diff writes no configuration"),
    ):
        code, counts, said = diff(lab, form, old, *words)
        check(code == 2 and not counts and expected in said, f"{what}: exit code 2: {last(said)}")
    done = subprocess.run([sluice(), "import", "gnmic.yaml", "--diff", "old.out", "--replay", "golden.capture"],
                          capture_output=True, text=True, check=False, cwd=lab.directory, timeout=60)
    check(done.returncode == 2 and "--subscription NAME: sub1, other" in done.stderr, "which subscription has to be said")
    check(not any(GNMIC_SECRET in path.read_text(errors="replace") for path in Path(lab.directory).glob("*.out")),
          "no file of it has the secret")


def compared(lab):
    write(lab, "gnmic.yaml", GNMIC_COMPARED)
    write(lab, "telegraf.conf", TELEGRAF_COMPARED)
    captures.write(lab.path("golden.capture"), [(EPOCH_NS + i, message) for i, message
                                                in enumerate(captures.golden_messages().values())], target="leaf1")
    compared_as_recorded(lab)
    compared_otherwise_written(lab)
    compared_planted(lab)
    compared_refusals(lab)


def main(lab):
    must((ROOT / "tests/golden/cases").is_dir(), "the golden messages are there")
    part(lab, "samples", samples)
    part(lab, "what cannot be used", refusals)
    part(lab, "samples, Telegraf", telegraf_samples)
    part(lab, "what cannot be used, Telegraf", telegraf_refusals)
    part(lab, "TOML as Python reads it", toml)
    part(lab, "compared with the old collector", compared)
    part(lab, "golden messages, gnmic", golden)
    part(lab, "golden messages, Telegraf", telegraf_golden)
    part(lab, "names and tags, Telegraf", telegraf_tags)
    part(lab, "names, tags and processors, gnmic", many)


run(main)
