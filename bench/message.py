"""What a message costs on its way through one process, without a broker: cut from the wire, taken in, watched, stored,
acknowledged. The steadiest figure there is for a change of the road, because nobody else's work is in it.

    python bench/message.py                     # 1,000 homes, 500 messages a commit, as at saturation
    python bench/message.py --batch 100         # as at 2,000 a second

The homes and payloads are those of `road.py`: the messages go round the homes, and each changes its device's state.
Printed is the best of the rounds, in microseconds of this thread's processor time; over all of them what threads beside
it took, and what the process wrote to the disk.
"""

import argparse
import gc
import json
import logging
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time, sleep, thread_time

from homes import DEVICES, Homes
from machine import BenchError, describe
from start import pipeline_of

from gateway.app import NEVER, OLDER, YOUNG, open_stores
from gateway.ports import Batch, Message
from ingest.wire import Said, Wire

HOMES, ROUNDS = 1_000, 6
A_ROUND = 2 * len(DEVICES)
"""Messages of each home: every device changes there and back, so that all rounds are alike."""

RATE = 13_000
APART = timedelta(seconds=61)
"""Between rounds, so that no device is taken for one that talks too much."""

STAGES = ("cut", "pipeline", "of it the commit", "acknowledge")


def payload(device: str, role: str, at: datetime, count: int, on: bool) -> bytes:
    state = {"occupancy": on} if role == "motion" else {"contact": not on}
    said = {"battery": 97, "illuminance": 37, "last_seen": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"}
    return json.dumps(said | {"linkquality": 120} | state | {"seq": 10**9 + count, "voltage": 2985}).encode()


def publish(topic: str, said: bytes, mid: int) -> bytes:
    """As a broker sends it: PUBLISH, QoS 1."""
    body = len(topic).to_bytes(2, "big") + topic.encode() + mid.to_bytes(2, "big") + said
    assert 128 <= len(body) < 16_384
    return bytes([0x32, len(body) & 0x7F | 0x80, len(body) >> 7]) + body


def round_of(homes: int, begin: datetime) -> Iterator[bytes]:
    for turn in range(A_ROUND):
        name, _, role = DEVICES[turn % len(DEVICES)]
        for home in range(homes):
            number = turn * homes + home
            at = begin + timedelta(seconds=number / RATE)
            topic = f"shouwang/{Homes.name(home)}/zigbee2mqtt/{name}"
            yield publish(topic, payload(name, role, at, number, turn < len(DEVICES)), number % 65_535 + 1)


def announcements(homes: int, now: datetime) -> list[Message]:
    def said(home: int) -> bytes:
        return json.dumps(
            [{"ieee_address": Homes.address(home, at), "friendly_name": one[0]} for at, one in enumerate(DEVICES)]
        ).encode()

    topic = "shouwang/{}/zigbee2mqtt/bridge/devices"
    return [Message(topic.format(Homes.name(home)), said(home), now) for home in range(homes)]


def measure(folder: Path, homes: int, rounds: int, batch: int) -> tuple[list[float], float, float]:
    """Of each stage the best, in us; us beside it and bytes written, of a message on the average."""
    gc.set_threshold(YOUNG, OLDER, NEVER)  # as the gateway does before anything else
    logging.disable(logging.CRITICAL)
    now = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    stores = open_stores(folder)
    sheet = Homes(homes).sheet("http://127.0.0.1:9", secrets=False)
    stores.registrar(folder).import_files({"homes.toml": sheet.encode()}, who="bench", now=now)
    committing = Committing(stores.readings.commit)
    stores.readings.commit = committing
    pipeline = pipeline_of(stores)
    pipeline.start(now)
    pipeline.tick(now, now)
    pipeline.handle(announcements(homes, now), now)
    broker, ours = socket.socketpair()
    for one in (broker, ours):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        one.setblocking(False)
    wire, best = Wire(ours), [float("inf")] * len(STAGES)
    beside, written, count = process_time() - thread_time(), _written(), 0
    for _ in range(rounds + 1):  # the first one warms everything
        now += APART
        packets, spent = list(round_of(homes, now)), [0.0] * len(STAGES)
        committing.spent = 0.0
        for first in range(0, len(packets), batch):
            part = packets[first : first + batch]
            broker.setblocking(True)
            broker.sendall(b"".join(part))
            heard, marks = now + timedelta(seconds=first / RATE), [thread_time()]
            said: list[Said] = []
            while len(said) < len(part):
                wire.fill()
                said += wire.cut(len(part) - len(said))
            messages = [Message(one.topic.decode(), one.payload, heard, receipt=one.mid) for one in said]
            marks.append(thread_time())
            pipeline.handle(messages, heard)
            marks.append(thread_time())
            wire.acknowledge([one.mid for one in said])
            wire.flush()
            marks.append(thread_time())
            broker.recv(1 << 20)
            for stage, place in enumerate((0, 1, 3)):
                spent[place] += marks[stage + 1] - marks[stage]
        spent[2] = committing.spent
        now += timedelta(seconds=len(packets) / RATE)
        pipeline.tick(now, now)
        if pipeline.counts.readings < len(packets) or pipeline.counts.quarantined:
            raise BenchError("not every message became a reading")
        count += len(packets)
        best = [min(pair) for pair in zip(best, (1e6 * one / len(packets) for one in spent), strict=True)]
    sleep(1)  # for what is still done beside
    beside, written = process_time() - thread_time() - beside, _written() - written
    return best, 1e6 * beside / count, written / count


def _written() -> int:
    said = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(said["write_bytes"])


class Committing:
    """How much of it is the commit."""

    def __init__(self, commit: Callable[[Batch], None]) -> None:
        self._commit, self.spent = commit, 0.0

    def __call__(self, batch: Batch) -> None:
        began = thread_time()
        self._commit(batch)
        self.spent += thread_time() - began


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--homes", type=int, default=HOMES)
    words.add_argument("--rounds", type=int, default=ROUNDS)
    words.add_argument("--batch", type=int, default=500)
    asked = words.parse_args()
    print(*(f"{what}: {how}" for what, how in describe().items()), sep=", ")
    with tempfile.TemporaryDirectory() as folder:
        spent, beside, written = measure(Path(folder), asked.homes, asked.rounds, asked.batch)
    print(*(f"{stage} {us:.1f} us" for stage, us in zip(STAGES, spent, strict=True)), sep=", ", end="; ")
    print(f"{spent[0] + spent[1] + spent[3]:.1f} us a message, {beside:.1f} us beside it, {written:,.0f} bytes written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
