"""The supervisor's page over a county: how long the server takes, and how many bytes travel.

    python bench/overview.py                  # 10,000 homes, a quarter of a year of alerts behind them
    python bench/overview.py --homes 2000

The stores are the real ones; the pages are served by a process of their own over loopback, as in `pages.py`. Between
two visits an alert changes, so that nothing can be answered out of the visit before.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
from machine import describe, fall_in_order
from pages import AFTER_KB, CLOCK, FIRST_KB, SECRET, Figure, a_home, ask, pages, transferred

from alerts.catalogue import Catalogue
from dashboard.auth import UNUSABLE, Gatekeeper
from gateway.app import Stores, open_stores
from gateway.domain import (
    Alert,
    Area,
    ButtonTest,
    Contact,
    Delivery,
    Duty,
    Event,
    Finding,
    Gap,
    Grid,
    Outcome,
    Person,
    Purpose,
    Reach,
    Relation,
    Role,
    Sending,
    Sensor,
    Severity,
    State,
)
from gateway.ports import Account, Batch

HOMES, VISITS = 10_000, 100
P95_MS = 200
HOMES_A_GRID, GRIDS_A_COMMUNITY, COMMUNITIES_A_STREET = 100, 5, 5
A_WEEK_AND_HOME = 0.35
"""Alerts: about what a good gateway raises, the equipment's own among them."""
WEEKS = 13
CODES = (
    ("sos", Severity.EMERGENCY),
    ("inactivity", Severity.HIGH),
    ("bath_dwell", Severity.HIGH),
    ("door_open", Severity.MEDIUM),
    ("device_offline", Severity.TECHNICAL),
    ("battery_low", Severity.TECHNICAL),
)
OUTCOMES = (Outcome.ELDER_SAFE, Outcome.ASSISTANCE_GIVEN, Outcome.REAL_EMERGENCY, Outcome.ACCIDENTAL_PRESS)


def grid_of(home: int) -> str:
    return f"g{home // HOMES_A_GRID:03d}"


def settle(folder: Path, homes: int, seed: int = 1) -> Stores:
    """A district of streets, communities and grids, on a day that is not a good one."""
    stores, now, chance = open_stores(folder), CLOCK.now(), random.Random(seed)
    with stores.registry.begin() as ledger:
        ledger.put_area(Area(code="330106", name="江滨区", level="district"), now)
        for grid in range((homes - 1) // HOMES_A_GRID + 1):
            community, street = grid // GRIDS_A_COMMUNITY, grid // GRIDS_A_COMMUNITY // COMMUNITIES_A_STREET
            if grid % (GRIDS_A_COMMUNITY * COMMUNITIES_A_STREET) == 0:
                ledger.put_area(
                    Area(code=f"s{street}", name=f"第{street + 1}街道", level="street", parent="330106"), now
                )
            if grid % GRIDS_A_COMMUNITY == 0:
                area = Area(code=f"c{community}", name=f"第{community + 1}社区", level="community", parent=f"s{street}")
                ledger.put_area(area, now)
            code = grid_of(grid * HOMES_A_GRID)
            ledger.put_grid(Grid(code=code, name=f"网格 {grid + 1}", community=f"c{community}"))
            for duty in (Duty.GRID_WORKER, Duty.DEPUTY):
                who = f"{duty.value}-{grid}"
                ledger.put_person(Person(id=who, name=who, reaches=(Reach(channel="wecom_app", address=who),)), now)
                ledger.assign(who, duty, code, now - timedelta(days=30))
    for begin in range(0, homes, 500):
        with stores.registry.begin() as ledger:
            for number in range(begin, min(begin + 500, homes)):
                home = a_home(number)
                button = Sensor(
                    id=f"{home.id}-sos",
                    hub=home.id,
                    address=f"{home.id}/sos",
                    name="sos",
                    room="bedroom",
                    role=Role.SOS,
                )
                elder, child = f"{home.id}-elder", f"{home.id}-child"
                ledger.put_person(Person(id=elder, name=home.name), now)
                ledger.put_person(
                    Person(id=child, name=child, reaches=(Reach(channel="web_push", address=child),)), now
                )
                sensors = (*home.sensors, button)
                ledger.put_home(replace(home, grid=grid_of(number), person=elder, sensors=sensors), now)
                ledger.put_contacts(home.id, [Contact(home=home.id, person=child, relation=Relation.CHILD)], now)
    names = [f"h{number:05d}" for number in range(homes)]
    stores.readings.commit(
        Batch(
            heard={name: now + timedelta(minutes=-95 if number % 90 == 7 else 30) for number, name in enumerate(names)},
            gaps={
                name: (Gap(home=name, what="fall", why="sensor_silent", since=now - timedelta(days=2)),)
                for number, name in enumerate(names)
                if number % 20 == 3
            },
        )
    )
    raised = list(alerts(homes, chance))
    for begin in range(0, len(raised), 1000):
        with stores.alerts.begin() as ledger:
            for alert in raised[begin : begin + 1000]:
                ledger.save(alert)
                if now - alert.raised_at < timedelta(days=1):
                    ledger.queue(page(alert))
    with stores.alerts.begin() as ledger:
        for number, name in enumerate(names):
            if number % 4:
                at = now - timedelta(days=chance.uniform(1, 45))
                ledger.keep_test(ButtonTest(home=name, sensor=f"{name}-sos", at=at, by="worker"))
        for grid in range((homes - 1) // HOMES_A_GRID + 1):
            ledger.queue(trial(f"grid_worker-{grid}"))
    stores.accounts.put(
        Account(login="leader", password_hash=UNUSABLE, person="leader", duty=Duty.SUPERVISOR, created_at=now)
    )
    return stores


def alerts(homes: int, chance: random.Random) -> Iterator[Alert]:
    now, catalogue = CLOCK.now(), Catalogue()
    for number in range(int(homes * A_WEEK_AND_HOME * WEEKS)):
        code, severity = chance.choice(CODES)
        home, at = f"h{chance.randrange(homes):05d}", now - timedelta(weeks=WEEKS) * chance.random()
        finding = Finding(home=home, code=code, severity=severity, since=at, at=at, facts=(("room", "kitchen"),))
        alert = Alert(
            id=f"{home}/{code}/{number}",
            home=home,
            code=code,
            subject="",
            severity=severity,
            state=State.NOTIFIED,
            ladder=catalogue.ladder(code, severity),
            raised_at=at,
            finding=finding,
            notified_at=at,
        )
        if number % 60 == 0:  # open: three hundred of a county's quarter of a year
            yield replace(alert, raised_at=now - timedelta(minutes=chance.uniform(0, 60)))
            continue
        answered = at + timedelta(seconds=chance.expovariate(1 / 60))
        arrived = answered + timedelta(minutes=chance.expovariate(1 / 12))
        yield replace(
            alert,
            state=State.CLOSED,
            accepted_at=answered,
            en_route_at=answered,
            on_site_at=arrived,
            resolved_at=arrived + timedelta(minutes=10),
            followed_up_at=arrived + timedelta(hours=chance.expovariate(1 / 12)),
            closed_at=arrived + timedelta(days=1),
            owner="grid_worker-0",
            outcome=chance.choice(OUTCOMES),
        )


def page(alert: Alert) -> Delivery:
    who = f"grid_worker-{int(alert.home[1:]) // HOMES_A_GRID}"
    return Delivery(
        id=f"{alert.id}/0",
        alert=alert.id,
        purpose=Purpose.PAGE,
        person=who,
        channel="wecom_app",
        address=who,
        created_at=alert.raised_at,
        state=Sending.SENT,
        sent_at=alert.raised_at,
    )


def trial(who: str) -> Delivery:
    now = CLOCK.now()
    return Delivery(
        id=f"drill/{who}",
        alert=f"drill/{who}",
        purpose=Purpose.DRILL,
        person=who,
        channel="wecom_app",
        address=who,
        created_at=now - timedelta(days=3),
        state=Sending.SENT,
        sent_at=now,
        answered_at=now,
    )


def something_happens(stores: Stores, alert: Alert) -> None:
    with stores.alerts.begin() as ledger:
        ledger.save(replace(alert, count=alert.count + 1))
        event = Event(id=0, at=CLOCK.now(), topic="alert", ref=alert.id, home=alert.home)
        ledger.publish(event.at, event.topic, event.ref, event.home)


def measure(url: str, stores: Stores, homes: int) -> list[Figure]:
    account = stores.accounts.account("leader")
    assert account is not None
    cookies = {"session": Gatekeeper(stores.accounts, CLOCK, SECRET).open(account)}
    headers = {"accept-encoding": "gzip", "accept-language": "zh-CN", "accept": "text/html"}
    headers["sec-fetch-site"] = "same-origin"  # as a browser says; without it nothing is sent compressed
    figures = []
    with httpx.Client(base_url=url, cookies=cookies, headers=headers, timeout=60) as browser:
        began = time.perf_counter()
        ask(browser, "/overview")
        first_visit = (time.perf_counter() - began) * 1e3
        first, after = transferred(browser, "/overview")
        weeks = ask(browser, "/overview/330106/weeks")[1]  # which the page asks for when it is there
        (ringing, *_) = stores.alerts.alerts(unclosed=True)
        for name, path in (
            ("the overview of the district", "/overview"),
            ("the overview of a street", "/overview/s0"),
            ("the overview of a grid", "/overview/g000"),
            ("administration", "/administration"),
            ("today's work of the district", "/today"),
            ("the list of homes", "/"),
            ("the month", f"/month/330106/{CLOCK.now():%Y-%m}"),
            ("the figures of every grid", "/figures"),
        ):
            ask(browser, path)
            took = []
            for _ in range(VISITS):
                something_happens(stores, ringing)
                took.append(ask(browser, path)[0])
            took.sort()
            figures.append(Figure(f"{name}, {homes} homes in all: p95", took[95 * VISITS // 100], P95_MS, "ms"))
            figures.append(Figure("  the same, p50", took[VISITS // 2], P95_MS, "ms"))
    return [
        *figures,
        Figure("  transferred on the first visit", (first + weeks) / 1000, FIRST_KB, "kB"),
        Figure("  transferred afterwards", (after + weeks) / 1000, AFTER_KB, "kB"),
        Figure("  the first visit after a start, once", first_visit, 10_000, "ms"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--homes", type=int, default=HOMES)
    given = parser.parse_args()
    fall_in_order()
    for name, value in describe().items():
        print(f"{name}: {value}")
    with tempfile.TemporaryDirectory() as folder:
        stores = settle(Path(folder), given.homes)
        with pages(Path(folder)) as url:
            figures = measure(url, stores, given.homes)
    for figure in figures:
        print(figure)
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
