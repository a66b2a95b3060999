"""What comes from outside, read under a fuzzer that sees which lines it reaches: nothing but a plain no may come of it.

    uv pip install atheris                               # not among what tests need: see docs/dependencies.md
    python bench/fuzz_atheris.py --minutes 20            # every reader in turn, each on what it has learnt before
    python bench/fuzz_atheris.py --only sheets --minutes 5
    python bench/fuzz_atheris.py --only sheets FILE      # once more what it fell over

bench/fuzz.py bends whole messages by the million; this one grows inputs by the lines that they reach, so it comes into
corners that no seed leads to. What is found is kept in bench/state/fuzz and printed; make a test of it.
"""

import argparse
import base64
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from machine import STATE

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
FOLDER = STATE / "fuzz"
LONGEST_INPUT = 4096
SLOW_S = 5
"""An input that takes so long is a fault of its own: libFuzzer's `-timeout`."""

Reader = Callable[[bytes], None]

# --------------------------------------------------------------------------- who reads what comes from outside


def messages() -> Reader:
    """Decoders and topics, through the intake: a topic, a line feed, a payload."""
    import fuzz

    from gateway.ports import Message
    from ingest.intake import Intake

    neighbourhood = fuzz.Neighbourhood()
    intake = Intake(neighbourhood)
    intake.devices.remember(neighbourhood.names())
    count = 0

    def read(data: bytes) -> None:
        nonlocal count
        topic, _, payload = data.partition(b"\n")
        count += 1
        at = NOW + timedelta(milliseconds=100 * count)  # slow enough that no flood is cut
        message = Message(topic.decode("utf-8", "replace"), payload, at, False)
        wrong = list(fuzz._wrong(intake.take(message, count), message))
        assert not wrong, wrong

    return read


class Pieces:
    """A socket on which everything has come already, a piece at a time."""

    def __init__(self, data: bytes) -> None:
        size = 1 + (data[0] if data else 0)
        self._pieces = [data[begin : begin + size] for begin in range(0, len(data), size)][::-1]

    def recv(self, size: int) -> bytes:
        if not self._pieces:
            raise BlockingIOError
        return self._pieces.pop()


def packets() -> Reader:
    """What a broker says, cut into packets, in the pieces in which it comes."""
    from ingest.wire import Lost, Wire

    def read(data: bytes) -> None:
        wire = Wire(Pieces(data))  # type: ignore[arg-type]
        try:
            while wire.fill():
                for said in wire.cut(100):
                    assert len(said.topic) + len(said.payload) <= len(data)
                if wire.is_for_paho():
                    assert wire.recv(1)
        except Lost:
            pass

    return read


def receipts() -> Reader:
    """What a provider pushes, read and acted upon: the first byte is the door."""
    from alerts.channels import DOORS
    from alerts.desk import Desk
    from alerts.inbound import Inbound
    from gateway.stores.memory import MemoryAlerts, MemoryRegistry

    store = MemoryAlerts()
    inbound = Inbound(store, Desk(store, MemoryRegistry(store.trail)), lambda delivery: "1234")
    doors = sorted(DOORS)

    def read(data: bytes) -> None:
        door = doors[(data[0] if data else 0) % len(doors)]
        try:
            body = json.loads(data[1:])
        except (ValueError, RecursionError):
            return
        for word in DOORS[door](body):
            inbound.take(door, word, NOW)

    return read


def sheets() -> Reader:
    """Tables that somebody uploads: a name, a line feed, what is in it."""
    from gateway.registry import RegistrationError
    from gateway.sheets import STANDARD_LEVELS, read, understand
    from gateway.stores.memory import MemoryAlerts, MemoryRegistry

    registry = MemoryRegistry(MemoryAlerts().trail)

    def take(data: bytes) -> None:
        name, _, content = data.partition(b"\n")
        try:
            understand(read({name.decode("utf-8", "replace"): content}), registry, STANDARD_LEVELS, NOW)
        except RegistrationError as refusal:
            refusal.say("zh")

    return take


def plans() -> Reader:
    """A key and a value of a plan, by hand or from another program."""
    from gateway.domain.plan import Nonsense, understood

    def read(data: bytes) -> None:
        key, _, value = data.decode("utf-8", "replace").partition("\n")
        try:
            kept = understood(key, value)
        except Nonsense:
            return
        assert understood(key, kept) == kept, "what is kept is understood as itself"

    return read


def links() -> Reader:
    """Tokens of links and doorplates, cursors of lists, addresses of brokers, certificates of servers."""
    from dashboard.answers import _read_place
    from dashboard.links import Links
    from dashboard.problems import Problem
    from gateway.domain.endpoint import Endpoint
    from gateway.notices import NoCertificate, ends_at

    class Clock:
        def now(self) -> datetime:
            return NOW

    ours = Links(b"0" * 32, "https://example.org", Clock())

    def read(data: bytes) -> None:
        text = data[1:].decode("utf-8", "replace")
        match (data[0] if data else 0) % 4:
            case 0:
                assert ours.read(text) is None and ours.at_door(text) == ""
            case 1:
                try:
                    _read_place(text)
                except Problem:
                    pass
            case 2:
                try:
                    Endpoint.parse(text)
                except ValueError:
                    pass
            case _:
                try:
                    sealed = base64.b64encode(data[1:]).decode()
                    ends_at(f"-----BEGIN CERTIFICATE-----\n{sealed}\n-----END CERTIFICATE-----")
                except NoCertificate:
                    pass

    return read


READERS: dict[str, Callable[[], Reader]] = {
    "messages": messages,
    "packets": packets,
    "receipts": receipts,
    "sheets": sheets,
    "plans": plans,
    "links": links,
}

# --------------------------------------------------------------------------- what it begins with


def seeds(name: str) -> Iterator[bytes]:
    if name == "messages":
        import fuzz

        for message in fuzz.Bender(7).messages(400):
            yield message.topic.encode("utf-8", "replace") + b"\n" + message.payload[:LONGEST_INPUT]
    elif name == "packets":
        for number in (1, 40, 300):
            body = b"\0\x05a/b/c" + b"\0\x07" + b"x" * number
            yield b"\x07\x32" + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body + b"\x40\x02\0\x07"
    elif name == "receipts":
        for body in (
            '[{"biz_id":"b","success":true,"err_code":"DELIVERED","phone_number":"13800138000"}]',
            '[{"phone_number":"13800138000","content":"12341","sequence_id":"1","send_time":"2026-11-21 16:00:00"}]',
            '[{"sid":"s","report_status":"FAIL","errmsg":"E","user_receive_time":"2026-11-21 16:00:00"}]',
            '{"voicekey_callback":{"callid":"c","keypress":"1"}}',
            '{"voice_failure_callback":{"callid":"c","failure_code":8,"failure_reason":"x"}}',
            '[{"call_id":"c","status_code":"200000","dtmf":"1"}]',
        ):
            for door in range(4):
                yield bytes([door]) + body.encode()
    elif name == "sheets":
        example = Path(__file__).parents[1] / "examples"
        for path in [*example.rglob("*.csv"), *example.rglob("*.toml")]:
            yield path.name.encode() + b"\n" + path.read_bytes()[:LONGEST_INPUT]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("grids.csv", "code,name,community\ng1,x,1\n" * 4)
        yield b"a.zip\n" + packed.getvalue()
    elif name == "plans":
        from gateway.domain.plan import SETTINGS

        for key in SETTINGS:
            for value in ("on", "off", "90", "2h", "22:00-06:00", "11-15..03-15", "guarded"):
                yield f"{key}\n{value}".encode()
    else:
        yield b"\0" + b"WyJoMS9zb3MiLCJ6aGFuZyIsMV0.abc"
        yield b"\1" + base64.urlsafe_b64encode(b"2026-11-21T08:00:00+00:00|a")
        yield b"\2mqtts://a:b@host:8883?ca=/x"
        yield b"\3" + bytes.fromhex("3082010a3081b0a003020102020101300a06082a8648ce3d0403023000301e170d")


# --------------------------------------------------------------------------- running


def run_one(name: str, more: list[str]) -> None:
    """In a process of its own, for libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["gateway", "ingest", "alerts", "dashboard"]):
        read = READERS[name]()
    atheris.Setup([sys.argv[0], *more], read)
    atheris.Fuzz()


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--minutes", type=float, default=20.0, help="for all readers together")
    words.add_argument("--only", choices=READERS)
    words.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    words.add_argument("more", nargs="*", help="files to be read once more, or options of libFuzzer")
    asked = words.parse_args()
    if asked.child:
        run_one(asked.only, asked.more)
        return 0
    chosen, code = [asked.only] if asked.only else list(READERS), 0
    for name in chosen:
        corpus = FOLDER / name
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds(name)):
            (corpus / f"seed-{number:03}").write_bytes(seed)
        options = asked.more or [
            f"-max_total_time={60 * asked.minutes / len(chosen):.0f}",
            f"-max_len={LONGEST_INPUT}",
            f"-timeout={SLOW_S}",
            f"-artifact_prefix={FOLDER}/{name}-",
            "-verbosity=0",
            "-print_final_stats=1",
            str(corpus),
        ]
        began = time.monotonic()
        child = [sys.executable, __file__, "--child", "--only", name, "--", *options]
        done = subprocess.run(child, capture_output=True, text=True, env={**os.environ, "PYTHONUTF8": "1"})
        said = done.stdout + done.stderr
        executed = next((line.split()[-1] for line in said.splitlines() if "number_of_executed_units" in line), "?")
        found = len(list(corpus.iterdir()))
        print(f"{name}: {executed} inputs in {time.monotonic() - began:.0f} s, {found} kept", flush=True)
        if done.returncode:
            code = 1
            print(f"BROKEN {name}:\n{said[said.find('=== Uncaught') :][:5000]}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
