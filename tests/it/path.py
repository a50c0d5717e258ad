#!/usr/bin/env python3
"""path - `sluice path` as a user meets it: what is checked, expanded and found, where an error is, and
the exit codes."""
import json
import subprocess

from harness import check, must, part, peer, run, sluice  # first: it enters the environment

import captures
from capture import EPOCH_NS, configuration, ended, replay
from device_rpcs import DATA, MESSAGES, started


def path(*words, lines=""):
    return subprocess.run([sluice(), "path", *map(str, words)], capture_output=True, text=True,
                          check=False, timeout=30, input=lines)


def texts(_lab):
    done = path("openconfig:/a[z=1][b=\\]]/*/.../c", "a/b", "cli:show interface 1/1")
    check(done.stdout.splitlines() == ["openconfig:/a[b=\\]][z=1]/*/.../c", "/a/b",
                                       "cli:/show interface 1\\/1"] and done.returncode == 0,
          "canonical, a line each")
    again = path(lines=done.stdout)
    check(again.stdout == done.stdout, "from standard input; what is canonical stays")
    mixed = path("-", "/last", lines="# a comment\n\n/first\r\n")
    check(mixed.stdout == "/first\n/last\n", "'-' among words; comments and empty lines")
    told = json.loads(path("--format", "json", "o:/m:a[k=*]").stdout)
    check(told["elements"] == [{"name": "a", "module": "m", "keys": {"k": "*"}}] and
          told["wildcards"] and told["origin"] == "o", "JSON")
    check("any value" in path("--format", "text", "/a[k=*]").stdout, "text")
    check(path("--strip-modules", "/m:a/n:b[k=v]").stdout == "/a/b[k=v]\n", "module names stripped")
    check(path("--prefix", "o:/p", "/a").stdout == "o:/p/a\n", "behind a prefix")
    many = path("--expand", "/i[n=e{01..48}]/{config,state}")
    check(len(many.stdout.splitlines()) == 96 and "/i[n=e07]/state\n" in many.stdout, "braces")


def errors(_lab):
    done = path("/good", "/\u00fc/b[=x]", "/also/good")
    check(done.returncode == 1 and done.stdout == "/good\n/also/good\n", "the others are printed")
    check("at byte 7 " in done.stderr and "  /\u00fc/b[=x]\n       ^\n" in done.stderr,
          "the byte, and a caret below the character")
    told = json.loads(path("--format", "json", "/a[k]").stdout)
    check(told["byte"] == 5 and "'='" in told["error"], "an error as JSON")
    check(path("--prefix", "o:/p", "q:/a").returncode == 1, "two origins")
    check(path("--prefix", "/[", "/a").returncode == 1, "a prefix that is none")
    check(path("--expand", "/{1..1000000}").returncode == 1, "too many")
    check(path("--no-such-flag").returncode == 2, "usage: 2")
    closed = subprocess.run(["sh", "-c", f"'{sluice()}' path /a >/dev/full"], check=False,
                            capture_output=True)
    check(closed.returncode == 1, "standard output that takes nothing: 1")


def data(lab):
    file = lab.path("data.json")
    file.write_text(json.dumps(DATA), encoding="utf-8")
    done = path("--data", file, "/interfaces/interface[name=*]", "/.../mtu")
    check(done.stdout.splitlines() == [
        "/interfaces/interface[name=eth 1/[2\\]]", "/interfaces/interface[name=eth0]",
        "/interfaces/interface[name=eth 1/[2\\]]/config/mtu",
        "/interfaces/interface[name=eth0]/config/mtu"] and done.returncode == 0, "what there is")
    done = path("--data", file, "/nothing", "/system")
    check(done.returncode == 1 and "/nothing" in done.stderr and done.stdout == "/system\n",
          "what matches nothing is named: 1")
    recorded = lab.path("leaf1.capture")
    captures.write(recorded, [(EPOCH_NS, with_modules()), (EPOCH_NS + 1, b"\xff"),
                              (EPOCH_NS + 2, 14, "gone")])
    done = path("--data", recorded, "/interfaces/interface[name=*]", "/.../mtu")
    check(done.stdout.splitlines() == ["/interfaces/interface[name=a:b]",
                                       "/interfaces/interface[name=a:b]/fe80::1/mtu"] and
          done.returncode == 0, f"what a capture has {done.stdout} {done.stderr}")
    file.write_text("[", encoding="utf-8")
    check(path("--data", file, "/a").returncode == 2, "a file that is none: 2")
    check(path("--data", lab.path("none"), "/a").returncode == 2, "no file: 2")


def devices(lab):
    file = lab.path("data.json")
    file.write_text(json.dumps(DATA), encoding="utf-8")
    port = started(lab, "--data", file)
    where = ["--address", f"127.0.0.1:{port}", "--insecure"]
    for encoding in ("json", "json_ietf", "proto"):
        done = path(*where, "--encoding", encoding, "/interfaces/interface[name=*]/config")
        check(done.stdout.splitlines() == ["/interfaces/interface[name=eth 1/[2\\]]/config",
                                           "/interfaces/interface[name=eth0]/config"] and
              done.returncode == 0, f"what a device has, by {encoding}")
    check(path(*where, "/a[").returncode == 1, "a wrong path: nobody is asked, 1")
    check(path("--address", "127.0.0.1:1", "--insecure", "/a").returncode == 3, "no connection: 3")


def foreign(lab):
    """openconfig's subscribe server, which wants prefix.target."""
    server = lab.start("ocserver", [peer("ocserver"), "-rounds", "1", "-interfaces", "3",
                                    "-counters", "2"])
    port = server.wait_line(r"^listening 127.0.0.1:(\d+)", 20)[0].group(1)
    server.wait_line("^done ", 20)
    done = path("--address", f"127.0.0.1:{port}", "--insecure", "--target", "dev1",
                "/interfaces/interface[name=*]/state/counters/c1")
    check(done.stdout.splitlines() ==
          [f"/interfaces/interface[name=ethernet-1/{i}]/state/counters/c1" for i in (1, 2, 3)],
          f"what openconfig's server has {done.stderr}")


# ---- module prefixes ----

def with_modules():
    """A response as devices write it that put modules in front of names, and what must stay."""
    response = MESSAGES["SubscribeResponse"]()
    response.update.timestamp = EPOCH_NS
    for name in ("openconfig-interfaces:interfaces", "oc-if:interface", "fe80::1"):
        response.update.prefix.elem.add(name=name)
    response.update.prefix.elem[1].key["name"] = "a:b"
    response.update.update.add().path.elem.add(name="openconfig-if-ip:mtu")
    response.update.update[0].val.uint_val = 9000
    getattr(response.update, "delete").add().elem.add(name="m:gone")
    return response.SerializeToString()


def modules(lab):
    """`module-prefixes` of a subscription and of a sink: one stream, kept and stripped."""
    file = lab.path("modules.capture")
    captures.write(file, [(EPOCH_NS, with_modules())])
    for title, subscription, sink, base in (
            ("keep", {}, {}, "/openconfig-interfaces:interfaces/oc-if:interface[name=a:b]/fe80::1"),
            ("subscription", {"module-prefixes": "strip"}, {},
             "/interfaces/interface[name=a:b]/fe80::1"),
            ("sink", {}, {"module-prefixes": "strip"}, "/interfaces/interface[name=a:b]/fe80::1")):
        out = lab.path(f"{title}.json")
        config = configuration({"file": str(file), "pace": "fast"},
                               {"out": {"type": "file", "path": str(out),
                                        "format": "sluice.v1-json", **sink}})
        config["subscriptions"]["sub1"].update(subscription)
        must(ended(replay(lab, title, config)) == 0, f"{title}: sluice ends well")
        (record,) = [one for one in map(json.loads, out.read_text(encoding="utf-8").splitlines())
                     if one.get("updates")]
        names = ("openconfig-if-ip:mtu", "m:gone") if title == "keep" else ("mtu", "gone")
        check(record["updates"][0]["path"] == f"{base}/{names[0]}" and
              record["deletes"][0]["path"] == f"{base}/{names[1]}" and record["prefix"] == base,
              f"module prefixes: {title}: {record['updates'][0]['path']}")


def main(lab):
    part(lab, "texts", texts)
    part(lab, "errors", errors)
    part(lab, "data", data)
    part(lab, "devices", devices)
    part(lab, "foreign", foreign)
    part(lab, "modules", modules)


if __name__ == "__main__":
    run(main)
