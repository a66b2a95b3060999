"""A channel is dead for a day: what do the others feel, how soon is the next way taken, what piles up, what is lost?

    python bench/channels.py                          # a day, 24 alerts an hour apart, a book on disk
    python bench/channels.py --mode refuses --hours 6 --homes 500

The production desk and courier live through it in virtual time, over a real `gateway.db`. Every person has the dead
channel first; what is urgent goes by a second way at once, what is not waits for it. In the end the carrier is back,
and nothing that was found may be left untold. A dead channel hangs, refuses connections, or refuses every message.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from alerts.courier import Courier
from alerts.desk import Desk
from gateway.domain import Area, Delivery, Duty, Finding, Grid, Home, Outcome, Person, Reach, Sending, Severity
from gateway.ports import Letter, TryLater, Undeliverable
from gateway.stores.sql import SqlAlerts, SqlRegistry, open_book
from simulators.vtime import VirtualClock, inline, live

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
LONG_AGO = T0 - timedelta(days=30)
STAFF = {"zhang": Duty.GRID_WORKER, "li": Duty.DEPUTY, "ma": Duty.SUPERVISOR}
BURST = 200
"""Homes that call in the same moment, in the middle of the outage."""

OTHERS_WITHIN_S, NEXT_WITHIN_S, GROWS_AT_MOST_MB = 1.0, 30.0, 32.0


@dataclass(slots=True)
class Verdict:
    """What came of a day without the channel."""

    mode: str
    hours: int
    alerts: int
    burst: int = BURST
    others_max_s: float = 0.0  # by the way that works, in the burst
    next_way_max_s: float = 0.0  # of what is not urgent, from the first way to the next
    attempts: int = 0  # at the dead channel, refused or hung
    most_waiting: int = 0  # rows of the outbox at any full hour
    grew_mb: float = 0.0  # peak memory, from the second hour to the last
    untold: int = 0  # alerts of which somebody who was called has not heard when the channel was back
    real_s: float = 0.0
    broken: list[str] = field(default_factory=list)


class Line:
    """A channel, and what its carrier does at present."""

    def __init__(self, clock: VirtualClock, mode: str) -> None:
        self.clock = clock
        self.mode = mode
        self.attempts = 0
        self.reached: dict[str, float] = {}

    async def send(self, delivery: Delivery, letter: Letter) -> str | None:
        self.attempts += 1
        match self.mode:
            case "hangs":
                await asyncio.sleep(timedelta(days=30).total_seconds())
            case "connections":
                raise TryLater("no connection: refused")
            case "messages":
                raise Undeliverable("refused: isv.AMOUNT_NOT_ENOUGH", "isv.AMOUNT_NOT_ENOUGH")
        self.reached.setdefault(delivery.id, (self.clock.now() - T0).total_seconds())
        return None


def main() -> None:
    """Run what was asked for, print the verdict, and end badly when a bar was missed."""
    asks = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asks.add_argument("--mode", choices=("hangs", "connections", "messages"), default="hangs")
    asks.add_argument("--hours", type=int, default=24)
    asks.add_argument(
        "--homes", type=int, default=24, help="one alert that is not urgent in each, spread over the hours"
    )
    given = asks.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        verdict = Verdict(given.mode, given.hours, given.homes)
        began = time.monotonic()
        live(lambda clock: _outage(clock, Path(folder), verdict), T0)
        verdict.real_s = round(time.monotonic() - began, 1)
    for bar, missed in (
        (f"others within {OTHERS_WITHIN_S} s", verdict.others_max_s > OTHERS_WITHIN_S),
        (f"next way within {NEXT_WITHIN_S} s", verdict.next_way_max_s > NEXT_WITHIN_S),
        (f"memory grows by at most {GROWS_AT_MOST_MB} MB", verdict.grew_mb > GROWS_AT_MOST_MB),
        ("nothing untold", verdict.untold > 0),
    ):
        if missed:
            verdict.broken.append(bar)
    sys.stdout.write(json.dumps(asdict(verdict), indent=2) + "\n")
    sys.exit(bool(verdict.broken))


async def _outage(clock: VirtualClock, folder: Path, verdict: Verdict) -> None:
    book = open_book(f"sqlite:///{folder / 'gateway.db'}")
    store, registry = SqlAlerts(book), SqlRegistry(book)
    _settle(registry, verdict.alerts + BURST)
    lines = {"sms": Line(clock, verdict.mode), "voice": Line(clock, "works")}
    waking: list[Courier] = []
    desk = Desk(store, registry, lambda: waking[0].wake())
    waking.append(Courier(store, desk, registry, lines, clock, lambda d: "", offload=inline, poll=None))

    def finds(home: int, code: str, severity: Severity) -> str:
        now = clock.now()
        found = Finding(home=f"h{home}", code=code, severity=severity, since=now, at=now)
        alert = desk.take([found], now)[0].alert
        assert alert is not None
        return alert.id

    async def pass_(span: timedelta) -> None:
        until = clock.now() + span
        while clock.now() < until:
            await asyncio.sleep(1)
            desk.tick(clock.now())

    carrying = asyncio.create_task(waking[0].run())
    quiet: list[str] = []
    memory = 0
    for hour in range(verdict.hours):
        while len(quiet) < verdict.alerts * (hour + 1) // verdict.hours:
            quiet.append(finds(len(quiet), "leak", Severity.MEDIUM))
        if hour == verdict.hours // 2:
            began = (clock.now() - T0).total_seconds()
            urgent = [finds(verdict.alerts + n, "sos", Severity.EMERGENCY) for n in range(BURST)]
            await pass_(timedelta(seconds=30))
            first = [lines["voice"].reached[f"{alert}/page/0.0/zhang/voice"] for alert in urgent]
            verdict.others_max_s = round(max(first) - began, 3)
            for alert in urgent:
                desk.resolve(alert, "zhang", Outcome.TEST_OR_DRILL, "", clock.now())
        await pass_(timedelta(hours=1))
        verdict.most_waiting = max(verdict.most_waiting, len(store.outbox(clock.now() + timedelta(hours=1), 100_000)))
        if hour == 1:
            memory = _peak_kb()
    verdict.grew_mb = round((_peak_kb() - memory) / 1024, 1) if memory else 0.0
    verdict.attempts = lines["sms"].attempts
    verdict.next_way_max_s = round(max(_to_next_way(store, alert) for alert in quiet), 3)

    lines["sms"].mode = "works"
    await pass_(timedelta(minutes=3 if verdict.mode != "messages" else 600))
    for alert in quiet:
        by_sms = [d for d in store.deliveries(alert) if d.channel == "sms"]
        verdict.untold += not {d.person for d in by_sms} <= {d.person for d in by_sms if d.state is Sending.SENT}
    carrying.cancel()
    with suppress(asyncio.CancelledError):
        await carrying


def _to_next_way(store: SqlAlerts, alert: str) -> float:
    """From when the first message was due (in a storm they are bundled) until it went by the way that works."""
    first = next(d for d in store.deliveries(alert) if d.channel == "voice")
    due = datetime.fromisoformat(dict(first.facts).get("bundled_until", first.created_at.isoformat()))
    return (first.sent_at - due).total_seconds() if first.sent_at else float("inf")


def _settle(registry: SqlRegistry, homes: int) -> None:
    with registry.begin() as ledger:
        ledger.put_area(Area(code="a", name="a", level="district"), LONG_AGO)
        ledger.put_grid(Grid(code="g1", name="g", community="a"))
        for n in range(homes):
            home = Home(id=f"h{n}", code=f"A-{n}", name="x", grid="g1", zone=ZoneInfo("Asia/Shanghai"))
            ledger.put_home(home, LONG_AGO)
        for person, duty in STAFF.items():
            reaches = (
                Reach(channel="sms", address=person),
                Reach(channel="voice", address=person, after=timedelta(minutes=10)),
            )
            ledger.put_person(Person(id=person, name=person, reaches=reaches), LONG_AGO)
            ledger.assign(person, duty, "g1", LONG_AGO)


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
