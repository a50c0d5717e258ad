#!/usr/bin/env python3
"""protos - our own definitions of gNMI's messages against openconfig's, as the Go module has them:
every message, field, oneof, enum, reserved number and method has the same name, number and type there
as here, so that bytes and JSON written by either are read by the other.
"""
import subprocess

from harness import ROOT, check, part, run  # first: it enters the environment

from google.protobuf import descriptor_pb2

from records import openconfig_descriptors

FILES = {"gnmi", "gnmi_ext"}


def ours(lab):
    place = lab.path("ours.set")
    subprocess.run(["protoc", f"-I{ROOT}/proto", f"--descriptor_set_out={place}", "--include_imports",
                    "gnmi.proto"], check=True)
    return place


def described(descriptor_set):
    """{full name: what it is} of the packages gnmi and gnmi_ext."""
    found = {}
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set.read_bytes())
    for file in files.file:
        if file.package not in FILES:
            continue
        for message in file.message_type:
            add_message(found, file.package, message)
        for enum in file.enum_type:
            add_enum(found, file.package, enum)
        for service in file.service:
            for method in service.method:
                found[f"{file.package}.{service.name}/{method.name}"] = (
                    method.input_type, method.output_type, method.client_streaming,
                    method.server_streaming)
    return found


def add_message(found, above, message):
    name = f"{above}.{message.name}"
    found[name] = (sorted((one.start, one.end) for one in message.reserved_range),
                   sorted(message.reserved_name), message.options.map_entry)
    for field in message.field:
        oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
        found[f"{name}.{field.name}"] = (field.number, field.type, field.type_name, field.label,
                                         oneof, field.json_name)
    for inner in message.nested_type:
        add_message(found, name, inner)
    for enum in message.enum_type:
        add_enum(found, name, enum)


def add_enum(found, above, enum):
    found[f"{above}.{enum.name}"] = sorted((value.name, value.number) for value in enum.value)


def same(lab):
    mine, theirs = described(ours(lab)), described(openconfig_descriptors())
    check(len(theirs) > 150, f"openconfig has {len(theirs)} messages, fields, enums and methods")
    check(not theirs.keys() - mine.keys(), f"what we have not: {sorted(theirs.keys() - mine.keys())}")
    check(not mine.keys() - theirs.keys(), f"what they have not: {sorted(mine.keys() - theirs.keys())}")
    for name in sorted(mine.keys() & theirs.keys()):
        if mine[name] != theirs[name]:
            check(False, f"{name}: ours is {mine[name]}, theirs {theirs[name]}")
    check(mine == theirs, "all are the same")


def main(lab):
    part(lab, "definitions", same)


if __name__ == "__main__":
    run(main)
