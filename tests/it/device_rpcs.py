#!/usr/bin/env python3
"""device_rpcs - Capabilities, Get and Set of `sluice sim` as others see them: openconfig's gnmi_cli,
and grpcio with openconfig's proto.

What a Set wrote a Get reads, in every encoding; a Set that cannot be done whole is not done at all;
errors have the codes of the specification, and those that were asked for on the command line.
"""
import json
import subprocess

from harness import check, must, part, peer, run, sluice  # first: it enters the environment

import grpc
from google.protobuf import text_format

from records import gnmi_messages

MESSAGES = gnmi_messages()
GNMI_CLI = "github.com/openconfig/gnmi/cmd/gnmi_cli"
CLI_S = 30
DATA = {
    "interfaces": {"interface": [
        {"name": "eth0", "config": {"mtu": 9000, "description": "a \"b\" \\ ü"},
         "state": {"counters": {"in-octets": 18446744073709551615, "rate": 0.1}}},
        {"name": "eth 1/[2]", "config": {"mtu": 1500, "enabled": False}},
    ]},
    "/system/config": {"servers": ["10.0.0.1", "10.0.0.2"], "offset": -5},
}


def started(lab, *words):
    process = lab.start("sim", [sluice(), "sim", "--listen", "127.0.0.1:0", *words])
    return process.wait_line(r"^listening (\S+):(\d+)", 20)[0].group(2)


def with_data(lab, *words):
    file = lab.path("data.json")
    file.write_text(json.dumps(DATA), encoding="utf-8")
    return started(lab, "--data", file, *words)


# ---- gnmi_cli ----

def cli(port, *words):
    return subprocess.run([peer("gnmi_cli", GNMI_CLI), "-address", f"127.0.0.1:{port}", "-insecure",
                           "-timeout", "10s", *words], capture_output=True, text=True, check=False,
                          timeout=CLI_S, stdin=subprocess.DEVNULL)


def cli_answer(port, word, request, kind):
    done = cli(port, f"-{word}", "-proto", request)
    must(done.returncode == 0, f"gnmi_cli -{word} ends with {done.returncode} {done.stdout[-300:]}")
    return text_format.Parse(done.stdout, MESSAGES[kind]())


def by_cli(lab):
    port = with_data(lab)
    told = cli_answer(port, "capabilities", "", "CapabilityResponse")
    check(told.gNMI_version == "0.10.0" and len(told.supported_encodings) == 5 and
          any(model.name == "openconfig-interfaces" for model in told.supported_models),
          "Capabilities: a version, models, all encodings")
    mtu = ('elem:{name:"interfaces"} elem:{name:"interface" key:{key:"name" value:"eth0"}} '
           'elem:{name:"config"} elem:{name:"mtu"}')
    got = cli_answer(port, "get", f"path:{{{mtu}}} encoding:PROTO", "GetResponse")
    check(got.notification[0].update[0].val.uint_val == 9000, "Get: a leaf")
    done = cli_answer(port, "set", f"update:{{path:{{{mtu}}} val:{{uint_val:1234}}}}",
                      "SetResponse")
    check(done.response[0].op == 3 and done.timestamp > 0, "Set: one UPDATE")
    got = cli_answer(port, "get", f"path:{{{mtu}}} encoding:JSON_IETF", "GetResponse")
    check(got.notification[0].update[0].val.json_ietf_val == b"1234", "Get: what was set")
    refused = cli(port, "-get", "-proto", 'path:{elem:{name:"nothing"}}')
    check(refused.returncode == 1 and "NotFound" in refused.stdout + refused.stderr,
          "Get of what is not there: NotFound")


# ---- grpcio ----

class Client:
    def __init__(self, lab, port):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        lab.on_end(self.channel.close)

    def call(self, method, request, metadata=None):
        kinds = {"Capabilities": "CapabilityResponse", "Get": "GetResponse", "Set": "SetResponse"}
        rpc = self.channel.unary_unary(
            f"/gnmi.gNMI/{method}", request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=MESSAGES[kinds[method]].FromString)
        return rpc(request, timeout=20, metadata=metadata)

    def code(self, method, request, metadata=None):
        """Its status, and what it says."""
        try:
            self.call(method, request, metadata)
        except grpc.RpcError as error:
            return error.code(), error.details()
        return grpc.StatusCode.OK, ""

    def get(self, path, encoding=4, **fields):
        request = MESSAGES["GetRequest"](encoding=encoding, **fields)
        fill(request.path.add(), path)
        return self.call("Get", request).notification[0]

    def get_json(self, path, **fields):
        return json.loads(self.get(path, **fields).update[0].val.json_ietf_val)


def fill(path, elems):
    """`elems`: names, or (name, keys)."""
    for elem in elems:
        name, keys = elem if isinstance(elem, tuple) else (elem, {})
        path.elem.add(name=name, key=keys)
    return path


def entry(name):
    return ["interfaces", ("interface", {"name": name})]


def written(operations):
    """A SetRequest of (operation, path, value); the value is an object for JSON."""
    request = MESSAGES["SetRequest"]()
    for operation, path, value in operations:
        if operation == "delete":
            fill(request.delete.add(), path)
            continue
        update = getattr(request, operation).add()
        fill(update.path, path)
        update.val.json_ietf_val = json.dumps(value).encode()
    return request


def reading(lab):
    client = Client(lab, with_data(lab))
    tree = client.get_json([])
    check(tree["interfaces"]["interface"][1]["config"] == DATA["interfaces"]["interface"][0]["config"]
          and tree["system"]["config"] == DATA["/system/config"], "the file, as JSON_IETF")
    check(tree["interfaces"]["interface"][1]["state"]["counters"] ==
          {"in-octets": "18446744073709551615", "rate": "0.1"},
          "in it numbers of 64 bits and with a point are strings")
    counter = entry("eth0") + ["state", "counters", "in-octets"]
    text = b"18446744073709551615"
    expected = {0: ("json_val", text), 1: ("bytes_val", text), 2: ("uint_val", 2**64 - 1),
                3: ("ascii_val", text.decode()), 4: ("json_ietf_val", b'"' + text + b'"')}
    for encoding, (arm, value) in expected.items():
        got = client.get(counter, encoding).update[0].val
        check(got.WhichOneof("value") == arm and getattr(got, arm) == value,
              f"a counter in encoding {encoding}: {arm}")
    all_mtu = client.get(["..."] + ["mtu"], 2)
    check(sorted(update.val.uint_val for update in all_mtu.update) == [1500, 9000], "wildcards")
    odd = client.get_json(entry("eth 1/[2]") + ["config"])
    check(odd == {"mtu": 1500, "enabled": False}, "an odd key")
    state = client.get_json(entry("eth0"), type=2)
    check("state" in state and "config" not in state, "type STATE")
    config = client.get_json(entry("eth0"), type=1)
    check("config" in config and "state" not in config, "type CONFIG")
    code, _ = client.code("Get", MESSAGES["GetRequest"](path=[fill(MESSAGES["Path"](), ["x"])]))
    check(code == grpc.StatusCode.NOT_FOUND, f"no such path: {code}")


def writing(lab):
    client = Client(lab, with_data(lab))
    answer = client.call("Set", written([
        ("update", entry("eth0") + ["config"], {"enabled": True}),
        ("replace", ["system", "config"], {"hostname": "r1"}),
        ("delete", entry("eth 1/[2]"), None),
        ("update", entry("eth9"), {"config": {"mtu": 1}})]))
    check([result.op for result in answer.response] == [1, 2, 3, 3],
          "results in the order of the operations")
    check(client.get_json(entry("eth0") + ["config"]) ==
          {**DATA["interfaces"]["interface"][0]["config"], "enabled": True}, "updated")
    check(client.get_json(["system"]) == {"config": {"hostname": "r1"}}, "replaced")
    check(sorted(one.val.string_val for one in
                 client.get(["interfaces", "interface", "name"], 2).update) == ["eth0", "eth9"],
          "deleted, and made")
    before = client.get_json([])
    code, text = client.code("Set", written([
        ("delete", ["system"], None), ("update", entry("eth0") + ["config"], {"mtu": 7}),
        ("update", entry("eth0") + ["config", "mtu", "x"], 1)]))
    check(code == grpc.StatusCode.INVALID_ARGUMENT, f"a leaf below a leaf: {code} {text}")
    check(client.get_json([]) == before, "and nothing of it was done")
    client.call("Set", written([("union_replace", ["system", "config"], {"hostname": "r2"}),
                                ("union_replace", entry("eth3") + ["config"], {"mtu": 3})]))
    check(client.get_json([], type=1) ==
          {"interfaces": {"interface": [{"name": "eth0"},
                                        {"name": "eth3", "config": {"mtu": 3}}]},
           "system": {"config": {"hostname": "r2"}}}, "a union of all configuration")
    client.call("Set", MESSAGES["SetRequest"]())
    check(True, "an empty Set is no error")


def arbitration(lab):
    client = Client(lab, with_data(lab))

    def asked(election):
        request = written([("update", ["system", "config", "hostname"], f"r{election}")])
        request.extension.add().master_arbitration.election_id.low = election
        return client.code("Set", request)[0]

    check(asked(5) == grpc.StatusCode.OK and asked(5) == grpc.StatusCode.OK, "the master sets")
    check(asked(4) == grpc.StatusCode.PERMISSION_DENIED, "who was it before may not")
    check(client.get_json(["system", "config", "hostname"]) == "r5", "and has not")


def errors(lab):
    client = Client(lab, with_data(lab, "--fail", "Get=DATA_LOSS:on fire", "--fail", "Set=ABORTED",
                                   "--username", "me", "--password", "word"))
    login = (("username", "me"), ("password", "word"))
    check(client.code("Get", MESSAGES["GetRequest"]())[0] == grpc.StatusCode.UNAUTHENTICATED,
          "without a password: UNAUTHENTICATED")
    check(client.code("Get", MESSAGES["GetRequest"](), login) ==
          (grpc.StatusCode.DATA_LOSS, "on fire"), "Get fails on demand, with its text")
    check(client.code("Set", MESSAGES["SetRequest"](), login)[0] == grpc.StatusCode.ABORTED,
          "Set fails on demand")
    check(client.code("Capabilities", MESSAGES["CapabilityRequest"](), login)[0] ==
          grpc.StatusCode.OK, "Capabilities does not")
    for words in (["--fail", "Get"], ["--fail", "Gett=ABORTED"], ["--fail", "Get=OK"],
                  ["--data", lab.path("none.json")]):
        done = subprocess.run([sluice(), "sim", *map(str, words)], capture_output=True, text=True,
                              check=False, timeout=20, stdin=subprocess.DEVNULL)
        check(done.returncode == 2 and str(words[-1]) in done.stderr,
              f"{words[0]} {words[1]} is refused: {done.stderr.strip()}")


def several(lab):
    """A tree of its own for each device."""
    port = with_data(lab, "--devices", "3")
    client = Client(lab, port)

    def hostname(target):
        request = MESSAGES["GetRequest"](encoding=4)
        request.prefix.target = target
        fill(request.path.add(), ["system", "config", "hostname"])
        notification = client.call("Get", request).notification[0]
        return notification.prefix.target, json.loads(notification.update[0].val.json_ietf_val)

    for target in ("sim1", "sim3"):
        request = written([("update", ["system", "config", "hostname"], target)])
        request.prefix.target = target
        client.call("Set", request)
    check([hostname("sim1"), hostname("sim3")] == [("sim1", "sim1"), ("sim3", "sim3")],
          "each answers for itself")
    code, _ = client.code("Get", MESSAGES["GetRequest"]())
    check(code == grpc.StatusCode.NOT_FOUND,
          f"without a target nobody is asked: {code}")


def main(lab):
    part(lab, "gnmi_cli", by_cli)
    part(lab, "reading", reading)
    part(lab, "writing", writing)
    part(lab, "arbitration", arbitration)
    part(lab, "errors", errors)
    part(lab, "several devices", several)


if __name__ == "__main__":
    run(main)
