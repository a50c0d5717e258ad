#!/usr/bin/env python3
"""services_load - the sample services' server with readers that do not keep up, and with many calls.

yes     an endless stream to clients that read one message a second, ours and grpcio's: what the server
        and our client have resident does not move; for 30 s, in the long form for 10 minutes.
calls   10,000 calls at a time on 100 connections of our client, 1,000 on 10 of grpcio's: all end right.
chat    200 participants, ours and grpcio's, of which some do not read: the others get every note, the
        server does not grow, and who reads again is told by the numbers what it missed.
"""
import asyncio
import sys

from harness import Failed, check, must, note, part, run, wait_for  # first: it enters the environment

import grpc

from sample_services import PLACE, Samples

YES, ROOM = "sluice.test.Yes", "sluice.test.ChatRoom"
UNAVAILABLE = 14


# ---- yes ----

MOVES_KIB = 256  # what the allocator and the kernel's counting in batches make of nothing; far less
                 # than passes in the time
TEXTS = {"yes": "x" * 50_000, "yesWithFc": "y"}


class Reader:
    """A client that reads a message a second, and does not stop by itself."""

    def __init__(self, lab, samples, kind, method, address):
        self.title = f"{kind} client, {method}"
        self.text = TEXTS[method]
        words = [f"{YES}/{method}", "0", self.text, "1000"]
        name = f"{kind}-{method}"
        if kind == "ours":
            self.process = samples.start("ours", ["--address", address], *words).process
        else:
            self.process = lab.start(name, [sys.executable, PLACE / "python/client.py", "--address",
                                            address, "--", *words],
                                     {"PYTHONPATH": str(samples.generated)})

    def read(self):
        return sum(line == self.text for line in self.process.lines)


def yes(lab, samples):
    server = samples.server("ours", "server", "--grace-ms", "0")
    messages = 600 if lab.is_long else 30
    settled_at = messages // 3  # until then windows and buffers take their size
    readers = [Reader(lab, samples, kind, method, server.address)
               for kind in ("ours", "grpcio") for method in ("yes", "yesWithFc")]
    watched = {"the server": server, **{reader.title: reader.process for reader in readers
                                        if reader.title.startswith("ours")}}

    def have_read(count):
        def condition():
            for reader in readers:
                if not reader.process.is_alive():
                    raise Failed(f"{reader.title} ended: {reader.process.tail(3)}"[:500])
            return all(reader.read() >= count for reader in readers)
        wait_for(condition, 3 * messages + 60, f"{count} messages each")

    have_read(settled_at)
    settled = {name: process.status_kib("VmRSS") for name, process in watched.items()}
    have_read(messages)
    for name, process in watched.items():
        now = process.status_kib("VmRSS")
        check(now - settled[name] <= MOVES_KIB,
              f"{name}: {settled[name]} kB after {settled_at} messages, {now} kB after {messages}")
    must(server.terminate() == 0, "the server ends with 0, though nobody reads what it has to send")
    for reader in readers:
        check(reader.process.process.wait(60) == UNAVAILABLE, f"{reader.title}: ended by the server")


# ---- many calls ----

CONNECTIONS, CALLS = 100, 100
FOREIGN_CONNECTIONS = 10


def own_channels(address, count, *options):
    """grpcio shares a connection between channels to one address, unless it is told not to."""
    return [grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1), *options])
            for _ in range(count)]


async def greet(address):
    """Calls that have all been answered before the first may end; their status codes."""
    hello, stubs = (sys.modules[name] for name in ("hello_pb2", "hello_pb2_grpc"))
    channels = own_channels(address, FOREIGN_CONNECTIONS)
    calls = [stubs.HelloServiceStub(channel).BidiHello()
             for channel in channels for _ in range(CALLS)]

    async def answer(number, call):
        await call.write(hello.HelloRequest(greeting=f"call-{number}"))
        reply = await call.read()
        return reply.reply == f"Hello, call-{number}!"

    async def end(call):
        await call.done_writing()
        return await call.read() is grpc.aio.EOF and await call.code()

    answers = await asyncio.gather(*(answer(*pair) for pair in enumerate(calls)))
    check(all(answers), f"{len(answers)} calls of grpcio are open, and answered")
    codes = await asyncio.gather(*map(end, calls))
    for channel in channels:
        await channel.close()
    return codes


def many(_lab, samples):
    server = samples.server("ours", "server")
    code, said = samples.run("ours", ["--address", server.address], "load", CONNECTIONS, CALLS)
    check((code, said) == (0, [f"open {CONNECTIONS * CALLS}", f"ended {CONNECTIONS * CALLS}", "OK"]),
          f"{CONNECTIONS * CALLS} calls of our client at a time: {said}")
    note(f"server: {server.peak_mib():.1f} MiB")
    codes = asyncio.run(greet(server.address))
    check(len(codes) == FOREIGN_CONNECTIONS * CALLS and
          all(code is grpc.StatusCode.OK for code in codes), f"{len(codes)} calls of grpcio")
    must(server.terminate() == 0, "the server ends with 0")


# ---- the chat room ----

OURS, OURS_MUTE = 150, 40          # participants, of which so many do not read
FOREIGN, FOREIGN_MUTE = 50, 20
NOTES, BATCH = 3000, 500
NOTE = "n" * 500
GROWS_MIB = 24                     # 256 KiB unsent of each who does not read, and what is kept
KEPT = 1024                        # notes, for who comes late
PATIENCE_S = 60
SMALL_WINDOWS = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16384)]


class Participant:
    """One of grpcio's. A mute one reads nothing before it is woken."""

    def __init__(self, call, is_mute):
        self.call = call
        self.is_mute = is_mute
        self.awake = asyncio.Event()
        self.numbers = []

    async def listen(self, last, reached):
        if self.is_mute:
            await self.awake.wait()
        async for said in self.call:
            self.numbers.append(said.number)
            if not self.is_mute:
                reached(said.number)
            if said.number == last:
                self.call.cancel()
                return

    def missed(self):
        return NOTES - len(self.numbers)

    def had_first_and_latest(self):
        """What was on its way when it stopped to read, and then what the server keeps."""
        early = len(self.numbers) - KEPT
        return self.numbers == [*range(1, early + 1), *range(NOTES - KEPT + 1, NOTES + 1)]


class Milestones:
    """When all who read have a batch of notes."""

    def __init__(self, readers):
        self.readers = readers
        self.counts = {}
        self.events = {number: asyncio.Event() for number in range(BATCH, NOTES + 1, BATCH)}

    def reached(self, number):
        if number in self.events:
            self.counts[number] = self.counts.get(number, 0) + 1
            if self.counts[number] == self.readers:
                self.events[number].set()


async def line_of(process, pattern):
    """As wait_line, while others go on."""
    await asyncio.to_thread(process.wait_line, pattern, PATIENCE_S)


async def fill_room(server, crowd):
    room, stubs = (sys.modules[name] for name in ("chat_room_pb2", "chat_room_pb2_grpc"))
    channels = own_channels(server.address, 3, *SMALL_WINDOWS)
    stub = [stubs.ChatRoomStub(channel) for channel in channels]
    people = [Participant(stub[number % 2].ChatStream(room.ChatEntry(name=f"foreign-{number}")),
                          number < FOREIGN_MUTE) for number in range(FOREIGN)]
    await asyncio.gather(*(one.call.initial_metadata() for one in people))
    await line_of(crowd, "^entered$")
    milestones = Milestones(FOREIGN - FOREIGN_MUTE)
    listening = [asyncio.create_task(one.listen(NOTES, milestones.reached)) for one in people]
    resident_mib = server.status_kib("VmRSS") / 1024
    receipts = []
    for number in range(1, NOTES + 1):
        receipt = await stub[2].SendNote(room.ChatNote(name="speaker", text=NOTE))
        receipts.append((receipt.number, receipt.participants))
        if number % BATCH == 0:
            await asyncio.wait_for(milestones.events[number].wait(), PATIENCE_S)
            if number < NOTES:
                await line_of(crowd, rf"^all at {number}$")
    grown_mib = server.status_kib("VmRSS") / 1024 - resident_mib
    check(receipts[:-1] == [(number, OURS + FOREIGN) for number in range(1, NOTES)],
          f"{NOTES} notes to {OURS + FOREIGN} participants")
    check(grown_mib < GROWS_MIB, f"the server grew by {grown_mib:.1f} MiB, with "
          f"{OURS_MUTE + FOREIGN_MUTE} who did not read "
          f"{NOTES * len(NOTE) * (OURS_MUTE + FOREIGN_MUTE) / 2**20:.0f} MiB")
    for one in people:
        one.awake.set()
    await asyncio.wait_for(asyncio.gather(*listening), PATIENCE_S)
    for channel in channels:
        await channel.close()
    return people


def chat(lab, samples):
    server = samples.server("ours", "server")
    crowd = samples.start("ours", ["--address", server.address], "crowd", OURS, OURS_MUTE, 1, NOTES)
    people = asyncio.run(fill_room(server, crowd.process))
    check(all(one.missed() == 0 for one in people if not one.is_mute),
          "each of grpcio's who read got every note")
    check(all(one.missed() > 0 and one.had_first_and_latest() for one in people if one.is_mute),
          "the others missed " + " ".join(str(one.missed()) for one in people if one.is_mute) +
          f", and have the latest {KEPT}")
    code, said = crowd.wait()
    check(code == 0 and f"{OURS - OURS_MUTE} listeners missed 0" in said, f"our crowd: {said[-3:]}")
    check(f"{OURS} listeners missed 0" not in said, "those who did not read missed some")
    must(server.terminate() == 0, "the server ends with 0")


def main(lab):
    samples = Samples(lab)
    part(lab, "many calls", many, samples)
    part(lab, "chat room", chat, samples)
    part(lab, "yes", yes, samples)


if __name__ == "__main__":
    run(main)
