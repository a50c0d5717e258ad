#!/usr/bin/env python3
"""laws - the verifier that the other scenarios rely on finds what it is there to find.

Made-up records of a good stream pass; the same with one lost, doubled, swapped, misplaced, broken or
of another session do not.
"""
import json

from harness import check, part, run

from records import Ledger, event_sample


class Message:
    """What Ledger asks of a message of confluent_kafka."""

    def __init__(self, number, device_seq=None, partition=0, epoch=7, session="a"):
        self.header = f"{epoch};{number};event;dev1;all;change"
        self.place = partition
        tags = {"source": "dev1", "subscription-name": "all"}
        leaves = {"seq": device_seq or number, "session": session}
        self.payload = json.dumps([
            {"name": "all", "timestamp": 1000 + number, "tags": tags,
             "values": {f"/sluice-sim/state/{leaf}": value}} for leaf, value in leaves.items()])

    def headers(self):
        return [("sluice", self.header.encode())]

    def partition(self):
        return self.place

    def value(self):
        return self.payload


def errors(messages):
    ledger = Ledger(event_sample)
    for message in messages:
        ledger.take(message)
    return ledger.errors


def good():
    return [Message(number) for number in range(1, 11)]


def replaced(index, message):
    messages = good()
    messages[index] = message
    return messages


def broken(payload):
    message = Message(5)
    message.payload = payload
    return replaced(4, message)


def records(_lab):
    check(errors(good()) == 0, "a good stream is good")
    check(errors(good() + [Message(n, epoch=8, session="b") for n in range(1, 4)]) == 0,
          "two streams are good")
    messages = good()
    check(errors(messages[:4] + messages[5:]) > 0, "one lost")
    check(errors(messages[1:]) > 0, "the first lost")
    check(errors(messages[:5] + messages[4:]) > 0, "one doubled")
    check(errors(messages[:4] + [messages[5], messages[4]] + messages[6:]) > 0, "two swapped")
    check(errors(replaced(4, Message(5, partition=1))) > 0, "one in another partition")
    check(errors(replaced(4, Message(5, device_seq=6))) > 0, "another number of the device's")
    check(errors(replaced(4, Message(5, session="b"))) > 0, "another session")
    for payload in ("[", "[]", "{}", '[{"name":"all"}]', Message(5).payload.replace("5", "NaN")):
        check(errors(broken(payload)) > 0, f"no event array: {payload[:40]}")


def ended_well(done):
    ledger = Ledger(event_sample)
    for message in good():
        ledger.take(message)
    return ledger.is_all_of(done)


def ends(_lab):
    check(ended_well({"a": ("sim1", 10, 10)}), "the end that the device told")
    check(not ended_well({"a": ("sim1", 11, 11)}), "the last one lost")
    check(not ended_well({"b": ("sim1", 10, 10)}), "a session that no device had")
    check(not ended_well({"a": ("sim1", 10, 10), "b": ("sim2", 5, 5)}), "a whole stream lost")


def main(lab):
    part(lab, "records", records)
    part(lab, "ends", ends)


if __name__ == "__main__":
    run(main)
