"""collector - `sluice run`: its configuration, its admin listener, its end."""
import json
import re
import urllib.error
import urllib.request

from harness import free_port, sluice, wait_for

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def subscription(path="/interfaces/interface/state/counters", **options):
    """Underscores stand for the dashes of the configuration's keys."""
    return {"paths": [path], "stream-mode": "target-defined", **dashed(options)}


def dashed(options):
    return {key.replace("_", "-"): value for key, value in options.items()}


def configuration(admin_port, addresses, subscriptions, sinks, memory="256MiB", workers=2,
                  target=None, targets=None, rules=None, processors=None, plugins=None,
                  shutdown_timeout="20s", admin=None, collector=None):
    """`addresses` by target name; `target` is what all of them say, `targets` what one says."""
    return {
        "collector": {"name": "it", "workers": workers, "memory": memory, "shutdown-timeout": shutdown_timeout,
                      "admin": {"listen": f"127.0.0.1:{admin_port}", **(admin or {})},
                      **({"plugins": str(plugins)} if plugins else {}), **(collector or {})},
        "targets": {name: {"address": address, "insecure": True, **(target or {}),
                           **(targets or {}).get(name, {})}
                    for name, address in addresses.items()},
        "subscriptions": subscriptions,
        "sinks": sinks,
        **({"rules": rules} if rules else {}),
        **({"processors": processors} if processors else {}),
    }


def kafka_sink(bootstrap, topic, **options):
    return {"type": "kafka", "brokers": [bootstrap], "topic": topic, "key": "${target}",
            **dashed(options)}


class Collector:
    """`wrapper`: the words of a command that runs those behind it. `edit` changes the configuration
    before it is written."""

    def __init__(self, lab, addresses, subscriptions, sinks, environment=None, words=(),
                 wrapper=(), name="sluice", edit=None, **options):
        self.port = free_port()
        self.headers = {}  # of every request
        self.file = lab.path(f"{name}.yaml")
        config = configuration(self.port, addresses, subscriptions, sinks, **options)
        if edit:
            edit(config)
        # JSON is YAML.
        self.file.write_text(json.dumps(config, indent=2), encoding="utf-8")
        self.process = lab.start(name, [*wrapper, sluice(), "run", "-c", self.file, *words],
                                 environment)
        wait_for(self.is_up, 20, "the admin listener")

    def get(self, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=self.headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()

    def is_up(self):
        self.process.find("")  # an early end is told by wait_for's time-out and the log
        try:
            return self.get("/healthz")[0] == 200
        except urllib.error.HTTPError:
            return True
        except (urllib.error.URLError, ConnectionError):
            return False

    def page(self):
        """The metrics; a worker that is very busy is asked again."""
        try:
            return self.get("/metrics")[1]
        except urllib.error.HTTPError:
            return None

    def metrics(self):
        """[(name, {label: value}, number)]"""
        found = map(SAMPLE.match, wait_for(self.page, 20, "the metrics").splitlines())
        return [(match.group(1), dict(LABEL.findall(match.group(2) or "")), float(match.group(3)))
                for match in found if match]

    def total(self, word, **labels):
        """The sum of the samples of every metric whose name has `word`, with these labels."""
        return sum(value for name, has, value in self.metrics()
                   if word in name and labels.items() <= has.items())

    def stop(self, timeout_s=30):
        return self.process.terminate(timeout_s)

    def peak_mib(self):
        return self.process.peak_mib()
