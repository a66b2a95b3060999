"""The long crash test: `kill -9` of the gateway at random moments while presses and readings arrive over a real broker.

    python bench/crash.py --kills 100 --broker mosquitto        # or nats, the broker that comes with it

What the devices know (which messages the broker acknowledged) is compared with what is there afterwards: `readings.db`,
the alerts, the log of the webhook. Nothing acknowledged may be missing, no reading may be stored twice, every press
must be one alert and must have been told at least once. The seed is printed; the same seed kills at the same moments.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from bisect import bisect
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from broker import Mosquitto
from homes import DEVICES, Homes
from machine import STATE, BenchError, fall_in_order, kill, wait_until
from subjects import Gateway
from traffic import Sent, Sink, Traffic, answered, first_calls, sent_in


@dataclass(slots=True)
class Verdict:
    """What the device log and the stores say about each other after the last restart."""

    seed: int
    broker: str
    kills: int = 0
    readings: int = 0  # acknowledged to the devices
    readings_lost: int = 0
    readings_twice: int = 0
    presses: int = 0
    alerts_missing: int = 0
    alerts_twice: int = 0
    never_told: int = 0
    told_again: int = 0  # the same message to the same person once more: a crash between sending and striking out
    again_at_most: int = 0  # of these, after one kill
    back_s: list[float] = field(default_factory=list)  # from a kill to the next call, where it lived to make one
    press_ms: dict[str, float] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (
            self.readings_lost or self.readings_twice or self.alerts_missing or self.alerts_twice or self.never_told
        )


def crash(
    folder: Path,
    *,
    kills: int,
    seed: int,
    broker: str = "mosquitto",
    homes: int = 100,
    buttons: int = 10,
    readings_per_s: float = 1000,
    presses_per_s: float = 5,
    bursts: bool = False,
    longest_s: float = 2.5,
    say=print,
) -> Verdict:
    """Kill the gateway `kills` times. `bursts`: a thousand readings at once every two seconds, not a steady stream."""
    chance = random.Random(seed)
    verdict = Verdict(seed, broker)
    neighbourhood = Homes(homes, buttons)
    with ExitStack() as stack:
        sink = stack.enter_context(Sink(folder))
        outside = stack.enter_context(Mosquitto(folder)) if broker == "mosquitto" else None
        gateway = Gateway(folder, outside.port if outside else None, sink, neighbourhood)
        gateway.prepare()
        gateway.start()
        stack.callback(gateway.stop)
        users = None if outside else neighbourhood.write_users(folder / "users")
        gateway.wait_well()
        traffic = Traffic(folder, gateway.broker_port, homes, users=users, buttons=buttons, window=64)
        traffic.rest()
        gateway.wait_stored(homes * len(DEVICES), 120)

        seconds = (
            kills * (longest_s / 2 + 1.0) + 30
        )  # more than it will take; both are stopped when the killing is over
        log = folder / "readings.log"
        plan = (
            ",".join(["0:1000,100:200"] * int(seconds / 2))
            if bursts
            else f"{readings_per_s}:{int(seconds * readings_per_s)}"
        )
        readings = traffic.readings(plan, log=log, give_up=seconds)
        presses = [_press(traffic, presses_per_s, seconds)]
        struck: list[tuple[int, bool]] = []
        for turn in range(kills):
            # Every other time it may serve first; else it is struck wherever it is, in the middle of starting too.
            served = turn % 2 == 0
            if served:
                gateway.wait_well()
            time.sleep(chance.uniform(0.05, longest_s))
            struck.append((_strike(gateway), served))
            if turn % 10 == 9:
                say(f"  {turn + 1} of {kills} kills", flush=True)
            if presses[-1].child.poll() is not None and traffic.buttons_left():
                presses.append(_press(traffic, presses_per_s, seconds))
        readings.stop()
        for publisher in presses:
            publisher.stop()

        verdict.kills = len(struck)
        heard = sent_in(log)
        pressed = [press for publisher in presses for press in sent_in(publisher.log)]
        gateway.wait_well()
        told = answered(pressed, sink, 90)
        verdict.press_ms = told.summary
        compare_readings(verdict, heard, gateway, homes)
        _compare_alerts(verdict, pressed, gateway, sink)
        verdict.again_at_most = max(said_again(sink.calls, [moment for moment, _ in struck]).values(), default=0)
        calls = sorted(moment for moment, _ in sink.calls)
        following = [moment for moment, _ in struck[1:]] + [time.monotonic_ns()]
        for (moment, served), until in zip(struck, following, strict=True):
            after = next((call for call in calls if call > moment), until)
            if served and after < until:  # it was let live long enough to tell
                verdict.back_s.append((after - moment) / 1e9)
    return verdict


def _press(traffic: Traffic, rate: float, seconds: float):
    return traffic.presses(rate, traffic.homes, give_up=seconds)


def _strike(gateway: Gateway) -> int:
    """Kill the process that does the work, not its supervisor and not the broker. When it was, in monotonic ns."""
    wait_until("a gateway to kill", lambda: gateway.worker() is not None, 30, 0.005)
    kill(gateway.worker())
    return time.monotonic_ns()


def compare_readings(verdict: Verdict, heard: list[Sent], gateway: Gateway, homes: int) -> None:
    """Every acknowledged message must be a row, once. Waits for the backlog that the last kill left behind."""
    wanted = {(s.home, DEVICES[s.device][0].replace("_", "-"), s.last_seen) for s in heard}
    until = time.monotonic() + 120
    while True:
        rows = Counter(gateway.moments())
        missing = wanted - rows.keys()
        if not missing or time.monotonic() > until:
            break
        time.sleep(0.5)
    verdict.readings = len(wanted)
    verdict.readings_lost = len(missing)
    verdict.readings_twice = sum(count - 1 for count in rows.values())
    verdict.examples += [f"reading lost: {gone}" for gone in sorted(missing)[:5]]
    verdict.examples += [f"reading stored {n} times: {row}" for row, n in rows.most_common(5) if n > 1]


def _compare_alerts(verdict: Verdict, pressed: list[Sent], gateway: Gateway, sink: Sink) -> None:
    alerts = Counter(gateway.alerts())
    told = first_calls(sink.calls)
    verdict.presses = len(pressed)
    for press in pressed:
        where = (press.home, press.device)
        verdict.alerts_missing += alerts[where] == 0
        verdict.alerts_twice += alerts[where] > 1
        verdict.never_told += where not in told
        if alerts[where] != 1 or where not in told:
            verdict.examples.append(
                f"press {where} at {press.last_seen}: {alerts[where]} alerts, told: {where in told}"
            )
    messages = Counter(json.loads(body)["id"] for _, body in sink.calls)
    verdict.told_again = sum(count - 1 for count in messages.values())


def said_again(calls: list[tuple[int, str]], struck: list[int]) -> Counter[int]:
    """How many messages were said once more after each kill."""
    last: dict[str, int] = {}
    again: Counter[int] = Counter()
    for moment, body in sorted(calls):
        message = json.loads(body)["id"]
        if message in last:
            kills = bisect(struck, last[message])
            again[kills] += kills < bisect(struck, moment)
        last[message] = moment
    return again


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--kills", type=int, default=100)
    words.add_argument("--broker", choices=("mosquitto", "nats"), default="mosquitto")
    words.add_argument("--seed", type=int, default=None, help="printed; give it to kill at the same moments again")
    words.add_argument("--bursts", action="store_true", help="1,000 readings at once instead of a steady stream")
    words.add_argument("--homes", type=int, default=200)
    words.add_argument("--buttons", type=int, default=20, help="a home; homes x buttons presses can be told apart")
    words.add_argument("--readings", type=float, default=500, help="a second")
    words.add_argument("--presses", type=float, default=20, help="a second")
    words.add_argument("--json", type=Path)
    words.add_argument("--keep", action="store_true", help="leave the folder of the run behind")
    asked = words.parse_args()
    fall_in_order()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}: {asked.kills} kills on {asked.broker}", flush=True)
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="crash-", dir=STATE))
    try:
        verdict = crash(
            folder,
            kills=asked.kills,
            seed=seed,
            broker=asked.broker,
            homes=asked.homes,
            buttons=asked.buttons,
            readings_per_s=asked.readings,
            presses_per_s=asked.presses,
            bursts=asked.bursts,
        )
    except BenchError as error:
        print(f"the test could not be made: {error} (folder {folder})", file=sys.stderr)
        return 2
    said = asdict(verdict)
    back = sorted(said.pop("back_s"))
    if back:
        said["back_s"] = {"median": round(back[len(back) // 2], 2), "max": round(back[-1], 2)}
    print(json.dumps(said, indent=2, ensure_ascii=False))
    if asked.json:
        asked.json.write_text(json.dumps(said, indent=2))
    print("every promise kept" if verdict.holds else f"BROKEN, see {folder}")
    if verdict.holds and not asked.keep:
        shutil.rmtree(folder)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
