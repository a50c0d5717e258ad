"""captures - files of `sluice capture`, read and written by Python's protobuf with classes made from
proto/capture.proto; the golden messages, and what they come out as."""
import subprocess
import tempfile
from pathlib import Path

from harness import ROOT  # first: it enters the environment

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

GOLDEN = ROOT / "tests/golden"
MAGIC = "sluice capture"


def _classes():
    with tempfile.NamedTemporaryFile(suffix=".set") as made:
        subprocess.run(["protoc", f"-I{ROOT}/proto", f"--descriptor_set_out={made.name}",
                        "capture.proto"], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(Path(made.name).read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("sluice.capture.v1.Capture"))


Capture = _classes()


def read(path):
    """The whole file, as protobuf reads it."""
    return Capture.FromString(Path(path).read_bytes())


def read_cut(path):
    """The same of a file that may end within an entry: how many bytes of it are left over, too."""
    bytes_ = Path(path).read_bytes()
    at = 0
    while at < len(bytes_):
        end = _field_end(bytes_, at)
        if end is None:
            break
        at = end
    return Capture.FromString(bytes_[:at]), len(bytes_) - at


def _varint(bytes_, at):
    value = shift = 0
    while at < len(bytes_):
        byte = bytes_[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    return None, at


def _field_end(bytes_, at):
    _, at = _varint(bytes_, at)
    length, at = _varint(bytes_, at)
    return None if length is None or at + length > len(bytes_) else at + length


def write(path, entries, **header):
    """`entries`: (received ns, bytes of a response), or (received ns, code, text) of a call's end."""
    capture = Capture(magic=MAGIC)
    capture.header.version = 1
    for name, value in header.items():
        setattr(capture.header, name, value)
    for received_ns, *what in entries:
        if len(what) == 1:
            capture.entry.add(received_ns=received_ns, response=what[0])
        else:
            entry = capture.entry.add(received_ns=received_ns)
            entry.end.code, entry.end.text = what
    Path(path).write_bytes(capture.SerializeToString())


def golden_messages():
    """The golden messages by name, in their order."""
    return {case.stem: case.read_bytes() for case in sorted((GOLDEN / "cases").glob("*.bin"))}


def golden_output(folder):
    """What all of them come out as in a format, one behind the other."""
    place = GOLDEN / folder
    ours = {line.split(":")[0].strip() for line in
            (place / "deviations.txt").read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#")}
    return b"".join((place / ("ours" if name in ours else "expected") / f"{name}.out").read_bytes()
                    for name in golden_messages())


def without_blanks(text):
    """JSON without what stands between its words: protojson of the original has some, or not."""
    out, is_string, is_escaped = bytearray(), False, False
    for byte in text:
        if is_escaped:
            is_escaped = False
        elif is_string and byte == ord("\\"):
            is_escaped = True
        elif byte == ord('"'):
            is_string = not is_string
        if is_string or byte != ord(" "):
            out.append(byte)
    return bytes(out)
