#!/usr/bin/env python3
"""openconfig_gnmi - the servers of github.com/openconfig/gnmi, which we did not write, asked ONCE, by
POLL and as a STREAM by `sluice subscribe`, and as a STREAM by `sluice run`; what comes out is held
against what the servers were given.

Two of them: the cache with its subscribe server, fed with counters beyond 2^53 (tests/peers/ocserver),
and the fake target, over TLS, which sends messages exactly as it was told, of every kind of value.
"""
import json
import subprocess

from harness import check, free_port, must, part, peer, run, sluice, wait_for  # first: the environment

from google.protobuf import json_format, text_format

from certificates import Certificates
from collector import Collector
from device_watch import path_text, value_of
from records import gnmi_messages

GNMI = "github.com/openconfig/gnmi"
MESSAGES = gnmi_messages()
RESPONSE = MESSAGES["SubscribeResponse"]
BASE, INTERFACES, COUNTERS, ROUNDS = 1 << 63, 4, 3, 20
COUNTER = "/interfaces/interface[name=ethernet-1/{}]/state/counters/c{}"
PATIENCE_S = 30


def subscribe(*words):
    """What it printed, with --format proto."""
    done = subprocess.run([str(word) for word in (sluice(), "subscribe", *words)], check=False,
                          capture_output=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
    must(done.returncode == 0, f"sluice subscribe ends well {done.stderr.decode()}")
    return responses(done.stdout)


def responses(data):
    """openconfig's messages, each behind its length."""
    found, at = [], 0
    while at < len(data):
        length, shift = 0, 0
        while True:
            byte, at = data[at], at + 1
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                break
        found.append(RESPONSE.FromString(data[at:at + length]))
        at += length
    return found


def as_json(text):
    """What --format protojson printed, as openconfig's messages."""
    decoder, found, at = json.JSONDecoder(), [], 0
    text = text.strip()
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        found.append(json_format.ParseDict(value, RESPONSE()))
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def told(found):
    """{path: value} after all of it, prefix and path behind one another."""
    state = {}
    for response in found:
        prefix = path_text(response.update.prefix).rstrip("/")
        for path in response.update.delete:
            state.pop(prefix + path_text(path), None)
        for one in response.update.update:
            state[prefix + path_text(one.path)] = value_of(one.val)
    return state


# ---- the cache and its subscribe server ----

def after(rounds):
    return {COUNTER.format(i + 1, k): BASE + rounds * (k + 1)
            for i in range(INTERFACES) for k in range(COUNTERS)}


def fed_cache(lab, rounds=ROUNDS, interval="5ms"):
    server = lab.start("ocserver", [peer("ocserver"), "-rounds", rounds, "-interval", interval,
                                    "-interfaces", INTERFACES, "-counters", COUNTERS])
    port = int(server.wait_line(r"^listening 127.0.0.1:(\d+)", PATIENCE_S)[0].group(1))
    return server, port, ["--address", f"127.0.0.1:{port}", "--insecure", "--target", "dev1",
                          "--path", "/interfaces", "--format", "proto"]


def cache_once(lab):
    server, _, words = fed_cache(lab)
    server.wait_line("^done ", PATIENCE_S)
    found = subscribe(*words, "--mode", "once")
    check(found[-1].sync_response and told(found) == after(ROUNDS),
          f"ONCE: {len(told(found))} values as they were given, then sync")


def cache_poll(lab):
    server, _, words = fed_cache(lab)
    server.wait_line("^done ", PATIENCE_S)
    found = subscribe(*words, "--mode", "poll", "--poll-count", 3)
    ends = [i for i, one in enumerate(found) if one.sync_response]
    rounds = [found[begin:end] for begin, end in zip([0] + [end + 1 for end in ends], ends)]
    check(len(rounds) == 4 and all(told(one) == after(ROUNDS) for one in rounds),
          "POLL: all values again each time")


def cache_stream(lab):
    server, _, words = fed_cache(lab, interval="20ms")
    stream = lab.start("stream", [sluice(), "subscribe", *words[:-1], "protojson"])
    server.wait_line("^done ", PATIENCE_S)
    last = [f'"{BASE + ROUNDS * (k + 1)}"' for k in range(COUNTERS)]
    for value in last:
        stream.wait_line(value, PATIENCE_S, count=INTERFACES)
    check(stream.terminate() == 0, "the stream ends well")
    found = as_json(stream.log.read_text(encoding="utf-8"))
    check(told(found) == after(ROUNDS), "STREAM: the last values of all counters")
    newest, wrong = {}, []
    for response in found:
        for path, value in told([response]).items():
            if value < newest.get(path, 0) or (value - BASE) % (int(path[-1]) + 1):
                wrong.append((path, value))
            newest[path] = value
    check(not wrong, f"none of which it never was, none goes back {wrong[:3]}")


def cache_run(lab):
    server, port, _ = fed_cache(lab, interval="20ms")
    out = lab.path("events.json")
    collector = Collector(lab, {"dev1": f"127.0.0.1:{port}"},
                          {"all": {"paths": ["/interfaces"], "set-target": True}},
                          {"out": {"type": "file", "path": str(out), "format": "event"}})
    server.wait_line("^done ", PATIENCE_S)

    def newest():
        found = {}
        for line in out.read_text(encoding="utf-8").splitlines() if out.exists() else []:
            for event in json.loads(line):
                for path, value in event.get("values", {}).items():
                    found[event["tags"]["interface_name"], path] = value
        return found

    expected = {(f"ethernet-1/{i + 1}", f"/interfaces/interface/state/counters/c{k}"):
                BASE + ROUNDS * (k + 1) for i in range(INTERFACES) for k in range(COUNTERS)}
    wait_for(lambda: newest() == expected, PATIENCE_S, "all last values in the file")
    check(collector.stop() == 0, "STREAM by sluice run: the last values of all counters")


# ---- the fake target ----

def path(*elems):
    """Names, or a name and its keys."""
    return " ".join(f'elem: {{name: "{one}"}}' if isinstance(one, str) else
                    f'elem: {{name: "{one[0]}" ' +
                    " ".join(f'key: {{key: "{key}" value: "{value}"}}'
                             for key, value in one[1].items()) + "}" for one in elems)


VALUES = [
    'string_val: "a \\"b\\" \\\\ \\303\\274"', "int_val: -9223372036854775808",
    "uint_val: 18446744073709551615", "bool_val: true", "bool_val: false", "double_val: 0.1",
    "double_val: 5e-324", "float_val: 1.5", "decimal_val: {digits: -12345 precision: 3}",
    'bytes_val: "\\000\\377\\200"', 'ascii_val: "line 1\\nline 2"',
    'json_val: "{\\"a\\": [1, {\\"b\\": null}]}"', 'json_ietf_val: "\\"18446744073709551615\\""',
    'leaflist_val: {element: {string_val: "x"} element: {uint_val: 7} element: {int_val: -7}}',
    'proto_bytes: "\\010\\226\\001"',
    'any_val: {type_url: "type.googleapis.com/no.such.Type" value: "\\010\\001"}',
]
START = 1_700_000_000_000_000_000


def given(has_any=True):
    """The messages that the fake target is told to send: every arm, deletes, atomic, duplicates."""
    texts = [f"update: {{timestamp: {START + number} prefix: {{target: \"dev1\" origin: \"oc\"}} "
             f"update: {{path: {{{path('values', f'v{number}')}}} val: {{{value}}}}}}}"
             for number, value in enumerate(VALUES) if has_any or "any_val" not in value]
    texts += [
        "sync_response: true",
        f"update: {{timestamp: {START + 100} atomic: true prefix: {{{path('a')}}} "
        f"update: {{path: {{{path(('list', {'k': 'x/]=[y', 'l': ''}), 'leaf')}}} "
        "val: {uint_val: 1} duplicates: 3}} ",
        f"update: {{timestamp: {START + 101} delete: {{{path('a', ('list', {'k': '*'}))}}} "
        f"delete: {{{path('values', 'v0')}}}}}",
        f"update: {{timestamp: {START + 102} update: {{path: {{element: \"old\" element: \"way\"}} "
        "val: {int_val: 5}} update: {path: {} val: {bool_val: true}}}",
        f"update: {{timestamp: 0 update: {{path: {{{path('', 'x')}}} val: {{string_val: \"\"}}}}}}",
        f"update: {{timestamp: {START + 103} update: {{path: {{{path('last')}}} "
        "val: {string_val: \"the end\"}}}",
    ]
    return [text_format.Parse(text, RESPONSE()) for text in texts]


class Fake:
    """openconfig's fake_server, over TLS."""

    def __init__(self, lab, certificates, messages, is_held=True):
        port = free_port()
        config = lab.path("fake.txt")
        config.write_text('target: "dev1" client_type: GRPC_GNMI disable_sync: true '
                          f"disable_eof: {str(is_held).lower()} fixed: {{" + "".join(
                              f"responses: {{{text_format.MessageToString(one, as_one_line=True)}}}\n"
                              for one in messages) + "}", encoding="utf-8")
        cert, key = certificates.server
        self.process = lab.start("fake_server", [
            peer("fake_server", f"{GNMI}/testing/fake/gnmi/cmd/fake_server"), "-config", config,
            "-text", "-port", port, "-server_crt", cert, "-server_key", key,
            "-allow_no_client_auth", "-logtostderr"])
        self.process.wait_line(r"listening: ", PATIENCE_S)
        self.port = port
        self.words = ["--address", f"localhost:{port}", "--tls-ca", certificates.ca.file, "--path",
                      "/", "--format", "proto"]


def canonical(message):
    return message.SerializeToString(deterministic=True)


def compare(found, expected, what):
    check(len(found) == len(expected), f"{what}: {len(found)} messages of {len(expected)}")
    wrong = [(a, b) for a, b in zip(found, expected) if canonical(a) != canonical(b)]
    check(not wrong, f"{what}: each as it was given {wrong[:1]}")


def fake_once(lab):
    messages = given()
    at_sync = [i for i, one in enumerate(messages) if one.sync_response][0] + 1
    fake = Fake(lab, Certificates(lab), messages)
    compare(subscribe(*fake.words, "--mode", "once"), messages[:at_sync], "ONCE")


def fake_poll(lab):
    messages = [one for one in given() if not one.sync_response]
    messages.append(RESPONSE(sync_response=True))
    fake = Fake(lab, Certificates(lab), messages, is_held=False)
    found = subscribe(*fake.words, "--mode", "poll", "--poll-count", 2)
    compare(found, messages * 3, "POLL")


def fake_stream(lab):
    messages = given()
    fake = Fake(lab, Certificates(lab), messages)
    count = len([one for one in messages if one.HasField("update")])
    found = subscribe(*fake.words, "--count", count)
    compare(found, messages, "STREAM")


def fake_extensions(lab):
    """What comes beside the data is shown, in every format."""
    messages = [text_format.Parse(
        f"update: {{timestamp: {START} update: {{path: {{{path('a')}}} val: {{uint_val: 1}}}}}} "
        'extension: {registered_ext: {id: 1 msg: "\\010\\001"}} '
        'extension: {depth: {level: 7}}', RESPONSE()), RESPONSE(sync_response=True)]
    fake = Fake(lab, Certificates(lab), messages)
    compare(subscribe(*fake.words, "--mode", "once"), messages, "extensions")
    for form, stream in (("flat", "stdout"), ("table", "stdout"), ("event", "stderr"),
                         ("json", "stderr")):
        done = subprocess.run([str(word) for word in (sluice(), "subscribe", *fake.words[:-1], form,
                                                      "--mode", "once")], check=False, text=True,
                              capture_output=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
        shown = getattr(done, stream)
        check(done.returncode == 0 and shown.count("extension: ") == 2 and '"level":7' in
              shown.replace(" ", ""), f"extensions in {form}: {shown}")


def fake_run(lab):
    """As JSON, which has no form for an Any of an unknown type."""
    messages = given(has_any=False)
    certificates = Certificates(lab)
    fake = Fake(lab, certificates, messages)
    out = lab.path("records.json")
    collector = Collector(lab, {"dev1": f"localhost:{fake.port}"}, {"all": {"paths": ["/"]}},
                          {"out": {"type": "file", "path": str(out), "format": "protojson"}},
                          target={"insecure": False, "tls": {"ca": str(certificates.ca.file)}})
    wait_for(lambda: out.exists() and "the end" in out.read_text(encoding="utf-8"), PATIENCE_S,
             "the last message in the file")
    check(collector.stop() == 0, "sluice run ends well")
    found = [json_format.Parse(line, RESPONSE())
             for line in out.read_text(encoding="utf-8").splitlines()]
    compare(found, messages, "STREAM by sluice run")


def main(lab):
    part(lab, "cache, once", cache_once)
    part(lab, "cache, poll", cache_poll)
    part(lab, "cache, stream", cache_stream)
    part(lab, "cache, sluice run", cache_run)
    part(lab, "fake target, once", fake_once)
    part(lab, "fake target, poll", fake_poll)
    part(lab, "fake target, stream", fake_stream)
    part(lab, "fake target, extensions", fake_extensions)
    part(lab, "fake target, sluice run", fake_run)


if __name__ == "__main__":
    run(main)
