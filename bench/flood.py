"""One device says 5,000 things a second for a minute: what do the other homes feel, and can it still call for help?

    python bench/flood.py --broker mosquitto --seconds 60        # or nats, the broker that comes with it
    python bench/flood.py --button                               # an emergency button that presses itself

A motion sensor of the last home floods as fast as its broker takes it, up to the rate. Meanwhile the other homes go on:
readings, and presses of their buttons, which must reach the webhook. In the middle of its flood the same sensor calls
for help itself. (A button that floods does nothing else; its messages take the road of all other presses.) In the end
no more of its readings is stored than one device may say, what was cut is told, and no reading of another home is
missing.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as paho
from broker import Mosquitto
from homes import DEVICES, Homes
from machine import STATE, BenchError, build, fall_in_order, start, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from subjects import Gateway
from traffic import Sink, Traffic, answered, first_calls, sent_in

OTHERS_P99_MS = 1000.0
"""What another home's press may take, in the worst of a hundred."""

OWN_WITHIN_S = 30.0
WINDOW = 20
"""What a hub has under way unacknowledged: the default of Mosquitto, as bridge or client, and of paho."""

SENSOR = DEVICES[0][0]  # the one that floods


@dataclass(slots=True)
class Verdict:
    """What came of a flood."""

    broker: str
    device: str
    asked_per_s: float
    seconds: float
    homes: int
    published_per_s: float = 0.0  # what the broker took of it
    published: int = 0
    kept: int = 0  # its readings that are stored: 200, and 20 a second, where each is a change
    kept_within_s: float = 0.0  # from the first of them that came in to the last
    told_cut: int = 0  # and how many of its messages the gateway says it did not use
    cut_told_times: int = 0
    others_ms: dict[str, float] = field(default_factory=dict)  # before it began
    others_flooded_ms: dict[str, float] = field(default_factory=dict)
    others_readings_lost: int = 0
    own_call_ms: float | None = None  # None: it did not come through

    @property
    def holds(self) -> bool:
        return (
            self.own_call_ms is not None
            and self.others_flooded_ms["lost"] == 0
            and self.others_flooded_ms["p99"] <= OTHERS_P99_MS
            and self.others_readings_lost == 0
            and self.told_cut > 0
            and self.is_bounded
        )

    @property
    def is_bounded(self) -> bool:
        """A slow broker hands a flood over for longer than it lasted; of calls one more passes each second."""
        return self.kept <= 200 + 22 * (self.kept_within_s + 1)


def flood(
    folder: Path,
    *,
    broker: str,
    rate: float,
    seconds: float,
    homes: int,
    presses_per_s: float,
    readings_per_s: float,
    button: bool = False,
) -> Verdict:
    """Let one device flood; falls with BenchError when the measurement itself cannot be made."""
    verdict = Verdict(broker, "button" if button else "sensor", rate, seconds, homes)
    neighbourhood, last = Homes(homes), homes - 1
    with ExitStack() as stack:
        sink = stack.enter_context(Sink(folder))
        outside = stack.enter_context(Mosquitto(folder)) if broker == "mosquitto" else None
        gateway = Gateway(folder, outside.port if outside else None, sink, neighbourhood)
        gateway.prepare()
        gateway.start()
        stack.callback(gateway.stop)
        gateway.wait_well()
        users = None if outside else neighbourhood.write_users(folder / "users")
        # The last home only floods: its own call must be told apart from presses of its button.
        window = 2 if users else 64
        (folder / "all").mkdir()
        Traffic(folder / "all", gateway.broker_port, homes, users=users, window=window).rest()
        gateway.wait_stored(homes * len(DEVICES), 120)
        if users:
            users = Homes(last).write_users(folder / "users-others")
        others = Traffic(folder, gateway.broker_port, last, users=users, window=window)
        quiet = others.presses(presses_per_s, max(10, int(presses_per_s * seconds / 6)))
        quiet.result()
        verdict.others_ms = answered(sent_in(quiet.log), sink).summary
        rows = _stored_of_others(gateway, last)

        called = time.monotonic_ns()
        with _flooding(gateway, neighbourhood, folder, last, rate, seconds, button, secret=not outside) as flooder:
            readings = others.readings(f"{readings_per_s}:{int(readings_per_s * seconds)}")
            time.sleep(min(2.0, seconds / 5))
            presses = others.presses(presses_per_s, int(presses_per_s * seconds * 0.7), give_up=seconds + 60)
            time.sleep(seconds / 3)
            if not button:
                called = _call_for_help(gateway, neighbourhood, last, secret=not outside)
            presses.result()
            said = readings.result()
            flooder.wait(seconds + 60)
        verdict.published, verdict.published_per_s = _offered(flooder, folder)
        verdict.others_flooded_ms = answered(sent_in(presses.log), sink, 60).summary
        wait_until("its own call", lambda: (last, 0) in first_calls(sink.calls) or not gateway.alive(), OWN_WITHIN_S)
        verdict.own_call_ms = (first_calls(sink.calls)[last, 0] - called) / 1e6
        verdict.others_readings_lost = _lost(gateway, last, rows + said["acked"])
        sensor, kind = ("button-0", "sos") if button else (SENSOR.replace("_", "-"), "motion")
        _read_books(verdict, gateway, Homes.name(last), sensor, kind)
    return verdict


@contextmanager
def _flooding(
    gateway: Gateway, homes: Homes, folder: Path, home: int, rate: float, seconds: float, button: bool, *, secret: bool
):
    args = [build() / "mqload", "--port", gateway.broker_port, "--homes", 1, "--first-home", home]
    args += ["--sos"] if button else ["--devices", 1]
    args += ["--connections", 1, "--window", WINDOW, "--plan", f"{rate}:{int(rate * seconds)}"]
    args += ["--give-up", seconds]
    if secret:
        own = folder / "flooder"
        own.write_text(f"{homes.name(home)} {homes.name(home)} {homes.secret(home)}\n")
        args += ["--users", own]
    with (folder / "flooder.json").open("wb") as words:
        child = start(args, folder / "flooder.log", stdout=words)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def _offered(child, folder: Path) -> tuple[int, float]:
    words = (folder / "flooder.json").read_text().splitlines()
    if child.returncode not in (0, 2) or not words:  # 2: its time was over before the broker had taken everything
        raise BenchError(f"the flooding device fell: {(folder / 'flooder.log').read_text()[-300:]}")
    said = json.loads(words[-1])
    return said["acked"], said["acked_per_s"]


def _call_for_help(gateway: Gateway, homes: Homes, home: int, *, secret: bool) -> int:
    """The flooding sensor calls for help, under its own topic. When it did, in monotonic ns."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    if secret:
        client.username_pw_set(homes.name(home), homes.secret(home))
    client.connect("127.0.0.1", gateway.broker_port)
    client.loop_start()
    try:
        now = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
        payload = json.dumps({"action": "emergency", "battery": 97, "last_seen": now})
        began = time.monotonic_ns()
        client.publish(f"shouwang/{homes.name(home)}/zigbee2mqtt/{SENSOR}", payload, qos=1).wait_for_publish(20)
        return began
    finally:
        client.disconnect()
        client.loop_stop()


def _stored_of_others(gateway: Gateway, flooding: int) -> int:
    return sum(home != flooding for home, _, _ in gateway.moments())


def _lost(gateway: Gateway, flooding: int, wanted: int) -> int:
    """How many readings of the other homes are missing, when what is on its way has had a minute to come in."""
    until = time.monotonic() + 60
    while (missing := wanted - _stored_of_others(gateway, flooding)) > 0 and time.monotonic() < until:
        time.sleep(0.5)
    return missing


def _read_books(verdict: Verdict, gateway: Gateway, home: str, sensor: str, kind: str) -> None:
    with gateway._readings() as db:
        words = {text: number for number, text in db.execute("select id, text from word")}
        ask = "select count(*), sum(value), max(at + delay) - min(at + delay) from every_reading"
        ask += " where home = ? and sensor = ? and kind = ?"
        of = words[home], words[sensor]
        verdict.kept, _, milliseconds = db.execute(ask, (*of, words[kind])).fetchone()
        verdict.kept_within_s = (milliseconds or 0) / 1000
        verdict.cut_told_times, cut, _ = db.execute(ask, (*of, words["cut"])).fetchone()
        verdict.told_cut = int(cut or 0)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--broker", choices=("mosquitto", "nats"), default="mosquitto")
    words.add_argument("--rate", type=float, default=5000, help="messages a second of the one device")
    words.add_argument("--seconds", type=float, default=60)
    words.add_argument("--homes", type=int, default=400)
    words.add_argument("--button", action="store_true", help="an emergency button floods, not a motion sensor")
    words.add_argument("--presses", type=float, default=5, help="a second, of the other homes")
    words.add_argument("--readings", type=float, default=200, help="a second, of the other homes")
    words.add_argument("--json", type=Path)
    asked = words.parse_args()
    fall_in_order()
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="flood-", dir=STATE))
    try:
        verdict = flood(
            folder, broker=asked.broker, rate=asked.rate, seconds=asked.seconds, homes=asked.homes,
            presses_per_s=asked.presses, readings_per_s=asked.readings, button=asked.button,
        )  # fmt: skip
    except BenchError as error:
        print(f"the test could not be made: {error} (folder {folder})", file=sys.stderr)
        return 2
    said = json.dumps(asdict(verdict), indent=2)
    print(said)
    if asked.json:
        asked.json.write_text(said)
    print("every promise kept" if verdict.holds else f"BROKEN, see {folder}")
    if verdict.holds:
        shutil.rmtree(folder)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
