"""Two neighbourhoods that must know nothing of each other, and somebody of every role who is signed in to the first.

Everything of the other one is called 异乡 (a strange land) and has a 9 in its id: whoever finds either in an answer has
found a hole in the wall.
"""

import re
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pages_house import BASE, SECRET, Rig, a_home
from starlette.testclient import TestClient
from the_workings import Inside

from alerts.channels.console import Console
from dashboard.auth import Gatekeeper
from gateway.domain import (
    Absence,
    Alert,
    Area,
    Consent,
    Contact,
    Duty,
    Grid,
    Look,
    Monitoring,
    Person,
    Profile,
    Reach,
    Relation,
    Role,
    Room,
    Scope,
    Sensor,
    Sight,
)
from gateway.domain.people import ENTRY, HEALTH
from gateway.domain.rota import Shift
from gateway.ports import Batch, Quarantined

STRANGE = "异乡"
STRANGE_ID = re.compile(r"(?<![\w-])(?:h9|g9|1199|hub-9|h9-[mds]|old9|kin9|far9|boss9)(?![\w])")
ROLES: dict[str, tuple[str, Duty, str]] = {
    "elder": ("wang", Duty.ELDER, ""),
    "family": ("wei", Duty.FAMILY, ""),
    "volunteer": ("vol", Duty.VOLUNTEER, "g1"),
    "worker": ("liu", Duty.GRID_WORKER, "g1"),
    "deputy": ("he", Duty.DEPUTY, "g1"),
    "installer": ("ins", Duty.INSTALLER, "g1"),
    "supervisor": ("ma", Duty.SUPERVISOR, "1101"),
    "local admin": ("adm", Duty.ADMIN, "1101"),
    "admin": ("chief", Duty.ADMIN, ""),
}
ZONE = ZoneInfo("Asia/Shanghai")


class Walled(Rig):
    """The house of the pages' tests with a wall through it."""

    def __post_init__(self) -> None:
        inside = Inside().workings()
        demo = {"demo": True, "demo_press": print, "demo_kill": print}
        channels = {"console": Console(), "email": Console()}
        self.more = {**demo, "workings": inside, "channels": channels, **self.more}
        super().__post_init__()
        now = self.clock.now()
        self.keeper = Gatekeeper(self.accounts, self.clock, SECRET)
        strange = a_home(9, "g9", f"{STRANGE}老人")
        strange = replace(
            strange,
            address=f"{STRANGE}路九号",
            access=f"{STRANGE}钥匙",
            rooms=(Room(id="kitchen", name=f"{STRANGE}厨房"),),
            sensors=tuple(replace(sensor, name=f"{STRANGE}感应") for sensor in strange.sensors),
        )
        with self.registry.begin() as ledger:
            ledger.put_area(Area(code="1100", name="东风街道", level="street"), now)
            ledger.put_area(Area(code="1101", name="东风社区", level="community", parent="1100"), now)
            ledger.put_area(Area(code="1199", name=f"{STRANGE}社区", level="community", parent="1100"), now)
            ledger.put_grid(Grid(code="g9", name=f"{STRANGE}网格", community="1199"))
            ledger.put_home(strange, now)
            for person, name in (
                ("wang", "王奶奶"),
                ("wei", "王薇"),
                ("old9", f"{STRANGE}老九"),
                ("kin9", f"{STRANGE}亲"),
            ):
                ledger.put_person(Person(id=person, name=name, reaches=(Reach(channel="console"),)), now)
            ledger.put_person(
                Person(id="far9", name=f"{STRANGE}网格员", reaches=(Reach(channel="console", address=STRANGE),)), now
            )
            ledger.assign("far9", Duty.GRID_WORKER, "g9", now)
        with self.registry.begin() as ledger:
            for home, elder, kin in (("h1", "wang", "wei"), ("h9", "old9", "kin9")):
                word = STRANGE if home == "h9" else "本地"
                found = self.registry.home(home)
                button = Sensor(
                    id=f"{home}-s",
                    hub=found.hubs[0].id,
                    address="s",
                    name=f"{word}按钮",
                    room="kitchen",
                    role=Role.SOS,
                )
                ledger.put_home(replace(found, person=elder, sensors=(*found.sensors, button)), now)
                ledger.put_phones(kin, [f"1390000000{home[1]}"], now)
                ledger.put_profile(Profile(person=elder, conditions=f"{word}病", dialect=f"{word}话"), now)
                ledger.put_contacts(
                    home,
                    [
                        Contact(home=home, person=kin, relation=Relation.CHILD, may_see=Sight.ALL),
                        Contact(home=home, person="far9" if home == "h9" else "liu", relation=Relation.CADRE, place=1),
                    ],
                    now,
                )
                agreed = [(purpose, "") for purpose in ("whereabouts", "sharing", HEALTH, ENTRY)]
                for purpose, viewer in agreed + [(look.value, kin) for look in Look]:
                    given = Consent(
                        person=elder, purpose=purpose, version="1", given_at=now, given_by=elder, viewer=viewer
                    )
                    ledger.give_consent(given)
            for place, person in (("g1", "liu"), ("g9", "far9")):
                ledger.put_shift(
                    Shift(
                        place=place,
                        duty=Duty.GRID_WORKER,
                        person=person,
                        begins=time(8),
                        ends=time(20),
                        zone=ZONE,
                        first=date(2026, 11, 1),
                    )
                )
        self.registrar.plans.declare_absence(
            "h9", Absence.HOLIDAY, now + timedelta(days=2), who="far9", now=now, why=STRANGE
        )
        for home in ("h1", "h9"):
            self.hear(home)
        unread = [
            Quarantined(f"shouwang/{hub}/z", "unknown-device", now, 9, STRANGE.encode(), hub, STRANGE)
            for hub in ("hub-9", "hub-unheard-of")
        ]
        self.readings.commit(Batch(quarantined=unread))
        self.own, self.strange = self.press("h1"), self.press("h9")
        for login, duty, place in ROLES.values():
            self.account(login, duty, place)
        self.account("boss9", Duty.GRID_WORKER, "g9")
        self.account("li1", Duty.GRID_WORKER, "g1")
        self.visitors: dict[str, Visitor] = {}

    def visit(self, role: str) -> "Visitor":
        if role not in self.visitors:
            self.visitors[role] = Visitor(self, role)
        return self.visitors[role]

    def consent(self, person: str) -> int:
        return self.registry.consents(person)[0].number

    def of(self, home: str, people: tuple[str, ...], grid: str, area: str, login: str) -> str:
        """Everything that somebody could have changed, in one string."""
        registry, alerts = self.registry, self.alerts
        own = alerts.alerts(home=home)
        hubs = {hub.id for hub in registry.home(home).hubs}
        parts: list[Any] = [
            registry.home(home),
            registry.contacts(home),
            registry.plan_lines(home),
            registry.overrides(grid, Scope.GRID),
            registry.overrides(area, Scope.AREA),
            registry.installations(home),
            registry.records(home),
            [(registry.person(one), registry.profile(one), registry.consents(one)) for one in people],
            [(registry.phones(one), registry.duties(one, self.clock.now())) for one in people],
            registry.rota().shifts.get((grid, Duty.GRID_WORKER)),
            [registry.rota().leaves.get(one) for one in people],
            [(hub, held) for hub, held in sorted(registry.hub_secrets().items()) if hub in hubs],
            [(alert, alerts.history(alert.id), alerts.deliveries(alert.id)) for alert in own],
            [delivery for one in people for delivery in alerts.trials(one)],
            self.accounts.account(login),
            [purpose for purpose, _ in self.accounts.invitations(self.clock.now()) if purpose.endswith(f":{login}")],
        ]
        return repr(parts)

    def beyond_the_wall(self) -> str:
        return self.of("h9", ("old9", "kin9", "far9"), "g9", "1199", "boss9")

    def on_this_side(self) -> str:
        return self.of("h1", ("wang", "wei", "liu"), "g1", "1101", "li1")


class Visitor:
    """A browser of somebody with this role; `nobody` has no session, `gone` one that has ended."""

    def __init__(self, rig: Walled, role: str) -> None:
        self.role, self.rig = role, rig
        cookies, self.csrf = {}, "none"
        if role != "nobody":
            account = rig.accounts.account(ROLES["admin" if role == "gone" else role][0])
            token = rig.keeper.open(account)
            cookies, self.csrf = {"__Host-session": token}, rig.keeper.csrf(token)
            if role == "gone":
                rig.keeper.end(token)
        self.browser: TestClient = rig.browser(cookies=cookies)

    def ask(self, verb: str, path: str, form: dict[str, Any] | None = None, csrf: str | None = None) -> Any:
        if verb == "GET":
            return self.browser.get(path)
        return self.browser.request(verb, path, data={"csrf": self.csrf if csrf is None else csrf, **(form or {})})


def guarded(rig: Walled, home: str) -> None:
    rig.rename(home, state=Monitoring.TRIAL, trial_until=rig.clock.now())


__all__ = ["BASE", "ROLES", "STRANGE", "STRANGE_ID", "Alert", "Visitor", "Walled", "guarded"]
