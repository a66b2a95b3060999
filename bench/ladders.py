"""Ladders climbed by real processes: `kill -9` of the gateway while nobody accepts; no rung is missed or climbed twice.

    python bench/ladders.py --homes 60 --kills 100 --wait 6        # a round of 18 s, again and again
    python bench/ladders.py --homes 60 --kills 120 --wait 24       # a round of 2 min

Each home's button is pressed once. The plan of their grids shortens every rung to `--wait` seconds. What the history of
each alert says afterwards is compared with the ladder, and the messages with what the webhook received. The seed is
printed; the same seed kills at the same moments.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from broker import Mosquitto
from homes import HOMES_A_GRID, Homes
from machine import STATE, BenchError, fall_in_order, kill, wait_until
from subjects import Gateway
from traffic import Sink, Traffic, answered, sent_in

RUNGS = 5
"""Of the ladder of a press."""

AT_THE_END_S = 1.0
"""What was climbed so shortly before the gateway was told to stop may wait in the book for the next start."""

PROMISED_S = 5.0
"""What fell due while it was down is climbed so soon after the fall; what else, within two seconds of its deadline."""

UNSAID_S = 2.1
"""The history says only of what was later than two seconds how late it was."""


@dataclass(slots=True)
class Verdict:
    """What the histories say after the last restart."""

    seed: int
    broker: str
    kills: int = 0
    alerts: int = 0
    steps: int = 0  # rungs climbed, over all alerts
    missing: int = 0  # rungs left out
    twice: int = 0  # rungs climbed a second time
    early: int = 0  # rungs climbed before the one before had its time
    messages: int = 0
    untold: int = 0  # calls in the history that never reached the webhook, and were not overtaken by a newer one
    told_again: int = 0  # the same message once more: a crash between sending and striking out
    climbs_s: list[float] = field(default_factory=list)  # from a kill until its road went round again, and climbs
    back_s: list[float] = field(default_factory=list)  # from a kill until the pages answered again
    late_s: float = 0.0  # the latest rung
    late: int = 0  # rungs climbed more than two seconds after their deadline
    after_kill_s: list[float] = field(default_factory=list)  # of these, from the last kill until they were climbed
    slow: int = 0  # of these, those for which that was more than PROMISED_S
    examples: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return bool(self.steps) and not (self.missing or self.twice or self.early or self.untold)


def ladders(
    folder: Path,
    *,
    kills: int,
    seed: int,
    wait_s: float,
    broker: str = "nats",
    homes: int = 40,
    longest_s: float = 4.0,
    say=print,
) -> Verdict:
    """Press a button in each home, then kill the gateway `kills` times while the ladders are climbed."""
    chance = random.Random(seed)
    verdict = Verdict(seed, broker)
    neighbourhood = Homes(homes, 1)
    struck_at: list[float] = []
    with ExitStack() as stack:
        sink = stack.enter_context(Sink(folder))
        outside = stack.enter_context(Mosquitto(folder)) if broker == "mosquitto" else None
        gateway = Gateway(folder, outside.port if outside else None, sink, neighbourhood)
        gateway.prepare()
        for grid in range((homes - 1) // HOMES_A_GRID + 1):
            for rung in range(1, RUNGS + 1):
                minutes = f"{wait_s / 60:.3f}"
                gateway.command("plan", "set", f"g{grid}", f"sos.wait{rung}", minutes, "--grid", "--why", "bench")
        gateway.start()
        stack.callback(gateway.stop)
        users = None if outside else neighbourhood.write_users(folder / "users")
        gateway.wait_well()
        traffic = Traffic(folder, gateway.broker_port, homes, users=users, buttons=1, window=64)
        traffic.rest()
        publisher = traffic.presses(20, homes)
        publisher.result()
        pressed = sent_in(publisher.log)
        if answered(pressed, sink, 30).lost:
            raise BenchError("the presses did not all ring: nothing can be said of their ladders")
        for turn in range(kills):
            time.sleep(chance.uniform(0.05, longest_s))
            wait_until("a gateway to kill", lambda: gateway.worker() is not None, 30, 0.005)
            kill(gateway.worker())
            struck_at.append(time.time())
            verdict.kills += 1
            struck = time.monotonic()
            if turn % 2 == 0:  # every other time it is struck wherever it is, in the middle of starting too
                gateway.wait_well()
                verdict.back_s.append(time.monotonic() - struck)
            if turn % 10 == 9:
                say(f"  {turn + 1} of {kills} kills", flush=True)
        gateway.wait_well()
        time.sleep(2 * wait_s)  # another rung, climbed by a gateway that lives
        told_to_stop = time.time()
        gateway.stop()
        _compare(verdict, gateway, sink, wait_s, told_to_stop, struck_at)
    return verdict


def _compare(
    verdict: Verdict, gateway: Gateway, sink: Sink, wait_s: float, told_to_stop: float, struck_at: list[float]
) -> None:
    calls = Counter(json.loads(body)["id"] for _, body in sink.calls)
    verdict.messages = sum(calls.values())
    verdict.told_again = sum(count - 1 for count in calls.values())
    told = [*calls, *gateway.overtaken()]
    histories = gateway.climbed()
    verdict.alerts = len(histories)
    for alert, steps in histories.items():
        places = [(step.round, step.rung) for step in steps]
        verdict.steps += len(places)
        seen = Counter(places)
        verdict.twice += sum(count - 1 for count in seen.values())
        last = max(places)
        ladder = [(round_, rung) for round_ in range(last[0] + 1) for rung in range(RUNGS)]
        left_out = [place for place in ladder if place <= last and place not in seen]
        # A round ends with the last rung on which there is anybody: those after it are climbed with the next.
        left_out = [
            place for place in left_out if place[1] < max(rung for round_, rung in places if round_ == place[0])
        ]
        verdict.missing += len(left_out)
        staffed = [step for step in steps if step.people]
        for before, step in pairwise(staffed):
            waited = (step.at - before.at) / 1e6 + before.late_s - step.late_s
            if waited < wait_s - UNSAID_S:
                verdict.early += 1
                verdict.examples.append(f"{alert}: {before} and {waited:.1f} s later {step}")
        verdict.late_s = max([verdict.late_s, *(step.late_s for step in steps)])
        behind = [step.at / 1e6 for step in steps if step.late_s]
        verdict.late += len(behind)
        verdict.after_kill_s += [at - max([0.0, *(kill for kill in struck_at if kill < at)]) for at in behind]
        for step in staffed:
            if step.at / 1e6 > told_to_stop - AT_THE_END_S:
                continue
            for person in step.people:
                if not any(one.startswith(f"{alert}/page/{step.round}.{step.rung}/{person}/") for one in told):
                    verdict.untold += 1
                    verdict.examples.append(f"{alert}: {person} was never told of {step}")
        verdict.examples += [f"{alert}: left out {place}" for place in left_out]
        verdict.examples += [f"{alert}: {n} times {place}" for place, n in seen.items() if n > 1]
    set_off = gateway.set_off()
    for struck, until in pairwise([*struck_at, told_to_stop]):
        verdict.climbs_s += [at - struck for at in set_off if struck < at < until][:1]
    verdict.slow = sum(after > PROMISED_S for after in verdict.after_kill_s)
    del verdict.examples[20:]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--kills", type=int, default=100)
    words.add_argument("--homes", type=int, default=60)
    words.add_argument("--wait", type=float, default=6.0, help="seconds of each rung")
    words.add_argument("--broker", choices=("mosquitto", "nats"), default="nats")
    words.add_argument("--seed", type=int, default=None, help="printed; give it to kill at the same moments again")
    asked = words.parse_args()
    fall_in_order()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}: {asked.kills} kills on {asked.broker}, {asked.wait} s a rung", flush=True)
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="ladders-", dir=STATE))
    verdict = ladders(folder, kills=asked.kills, seed=seed, wait_s=asked.wait, broker=asked.broker, homes=asked.homes)
    said = asdict(verdict)
    for name in ("climbs_s", "back_s", "after_kill_s"):
        if spans := sorted(said.pop(name)):
            said[name] = {"median": round(spans[len(spans) // 2], 2), "max": round(spans[-1], 2)}
    print(json.dumps(said, indent=2, ensure_ascii=False))
    print("every promise kept" if verdict.holds else f"BROKEN, see {folder}")
    if verdict.holds:
        shutil.rmtree(folder)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
