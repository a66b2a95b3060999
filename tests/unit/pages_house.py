"""Three homes in two grids for the pages' tests: memory stores, the real desk, a clock that is moved by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from starlette.testclient import TestClient

from alerts.desk import Desk
from dashboard.app import House, Links, create_app, make_setup_link
from dashboard.auth import Passwords
from gateway.domain import (
    Alert,
    Area,
    Duty,
    Finding,
    Grid,
    Home,
    Hub,
    Kind,
    Person,
    Reach,
    Reading,
    Role,
    Room,
    Sensor,
    Severity,
)
from gateway.ports import Account, Batch
from gateway.registry import Registry
from gateway.stores.memory import MemoryAccounts, MemoryAlerts, MemoryReadings, MemoryRegistry, MemoryTrail

EVENING = datetime(2026, 11, 21, 14, 38, tzinfo=UTC)  # 22:38 in Shanghai
PASSWORD = "a long enough password"
BASE = "https://watch.test"
SECRET = b"a secret of the tests, 32 bytes."
HASHED = Passwords().hash(PASSWORD)


@dataclass
class HandClock:
    """Says what it is told."""

    at: datetime = EVENING

    def now(self) -> datetime:
        return self.at

    def go_on(self, **span: float) -> None:
        self.at += timedelta(**span)


def a_home(number: int, grid: str, name: str) -> Home:
    home = f"h{number}"
    return Home(
        id=home,
        code=f"A-{number}",
        name=name,
        grid=grid,
        zone=ZoneInfo("Asia/Shanghai"),
        rooms=(Room(id="kitchen", name="厨房"), Room(id="bedroom", name="卧室")),
        hubs=(Hub(id=f"hub-{number}", home=home),),
        sensors=(
            Sensor(id=f"{home}-m", hub=f"hub-{number}", address="m", name="厨房感应", room="kitchen", role=Role.MOTION),
            Sensor(id=f"{home}-d", hub=f"hub-{number}", address="d", name="门磁", room="", role=Role.EXIT_DOOR),
        ),
        address="东风路 3 号",
        access="钥匙在门卫处",
    )


@dataclass
class Rig:
    """The stores, the desk, and a browser or two."""

    clock: HandClock = field(default_factory=HandClock)
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trail = MemoryTrail()
        self.alerts, self.registry = MemoryAlerts(trail), MemoryRegistry(trail)
        self.accounts, self.readings = MemoryAccounts(), MemoryReadings()
        self.desk = Desk(self.alerts, self.registry)
        self.hashes: dict[str, str] = {}  # what the broker was last told
        self.registrar = Registry(self.registry, lambda secret: f"hash of {secret}", self.follow)
        self._arrival = 0
        now = self.clock.now()
        with self.registry.begin() as ledger:
            ledger.put_area(Area(code="1101", name="东风社区", level="community"), now)
            for grid in ("g1", "g2"):
                ledger.put_grid(Grid(code=grid, name=grid, community="1101"))
            for person, name in (("liu", "刘网格员"), ("he", "何副手"), ("ma", "马主任")):
                ledger.put_person(Person(id=person, name=name, reaches=(Reach(channel="console"),)), now)
            for duty, person in ((Duty.GRID_WORKER, "liu"), (Duty.DEPUTY, "he"), (Duty.SUPERVISOR, "ma")):
                ledger.assign(person, duty, "g1", now - timedelta(days=1))
            for number, grid, name in ((1, "g1", "王奶奶"), (2, "g1", "李爷爷"), (3, "g2", "赵奶奶")):
                ledger.put_home(a_home(number, grid, name), now)
        self.house = House(
            alerts=self.alerts,
            desk=self.desk,
            registry=self.registry,
            registrar=self.registrar,
            accounts=self.accounts,
            readings=self.readings,
            clock=self.clock,
            secret=SECRET,
            base_url=BASE,
            blank_book=MemoryAlerts,
            **self.more,
        )
        self.links = Links(SECRET, BASE, self.clock)
        self.app: FastAPI = create_app(self.house)

    def follow(self, hashes: Mapping[str, str]) -> None:
        self.hashes = dict(hashes)

    # ------------------------------------------------------------------ people

    def account(self, login: str, duty: Duty, place: str = "") -> Account:
        account = Account(
            login=login, password_hash=HASHED, person=login, duty=duty, place=place, created_at=self.clock.now()
        )
        self.accounts.put(account)
        return account

    def browser(self, **options: Any) -> TestClient:
        headers = {"origin": BASE, "accept": "text/html", **options.pop("headers", {})}
        return TestClient(self.app, base_url=BASE, headers=headers, follow_redirects=False, **options)

    def signed_in(self, login: str = "ma", duty: Duty = Duty.SUPERVISOR, place: str = "") -> TestClient:
        self.account(login, duty, place)
        browser = self.browser()
        answer = sign_in(browser, login)
        assert answer.status_code == 303, answer.text
        return browser

    def setup_path(self) -> str:
        return make_setup_link(self.accounts, self.clock, BASE).removeprefix(BASE)

    # ------------------------------------------------------------------ what happens

    def hear(self, home: str, kind: Kind = Kind.MOTION, value: float = 1.0, minutes_ago: float = 0.0) -> None:
        at = self.clock.now() - timedelta(minutes=minutes_ago)
        self._arrival += 1
        sensor, room = (f"{home}-d", "") if kind is Kind.DOOR else (f"{home}-m", "kitchen")
        reading = Reading(home, sensor, room, kind, value, at, at, arrival=self._arrival)
        heard = max(
            at, self.readings.heard(home).get(home, at)
        )  # a reading of before does not take back what came since
        self.readings.commit(Batch(readings=[reading], heard={home: heard}))

    def is_heard(self, *homes: str) -> None:
        self.readings.commit(Batch(heard={home: self.clock.now() for home in homes}))

    def press(self, home: str = "h1", severity: Severity = Severity.EMERGENCY, code: str = "sos") -> Alert:
        now = self.clock.now()
        (verdict,) = self.desk.take([Finding(home=home, code=code, severity=severity, since=now, at=now)], now)
        for delivery in self.alerts.outbox(now):
            self.desk.said(delivery.id, now)
        assert verdict.alert is not None
        return self.alert(verdict.alert.id)

    def alert(self, alert_id: str) -> Alert:
        found = self.alerts.alert(alert_id)
        assert found is not None
        return found

    def rename(self, home: str, **changes: Any) -> None:
        found = self.registry.home(home)
        assert found is not None
        with self.registry.begin() as ledger:
            ledger.put_home(replace(found, **changes), self.clock.now())


def sign_in(browser: TestClient, login: str, password: str = PASSWORD) -> Any:
    token = hidden(browser.get("/login").text, "csrf")
    return browser.post("/login", data={"login": login, "password": password, "csrf": token})


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    return page.split(f'name="{name}" value="')[1].split('"')[0]
