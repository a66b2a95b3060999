"""The neighbourhood with something on every page: alerts in each state, a file, a family, a duty sheet, new devices.

It is the product as it is installed, without the demo's own pages, and belongs to tests that walk through all of it.
"""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

from neighbourhood import SHANGHAI, Neighbourhood
from test_family_flow import family_of
from test_handling_flow import with_a_file
from test_overview_flow import grow

from alerts.channels.console import Console
from alerts.drills import drill
from dashboard.auth import Gatekeeper, Invitation, hash_token, new_token
from dashboard.house import House
from dashboard.links import Links
from dashboard.workings import Backed, Copied, Copies, Remark, Verdict, Workings
from gateway.domain import (
    Absence,
    Consent,
    Duty,
    Gap,
    Installation,
    Look,
    Monitoring,
    Outcome,
    Person,
    Position,
    Purpose,
    Reach,
)
from gateway.domain.endpoint import Endpoint
from gateway.domain.installation import Commissioning
from gateway.domain.rota import Leave, Shift
from gateway.ports import Account, Batch, Expose, HubDevice
from gateway.privacy import Privacy
from gateway.stores.memory import MemoryAlerts

PEOPLE = {
    "worker": ("worker", Duty.GRID_WORKER, "g1"),
    "supervisor": ("leader", Duty.SUPERVISOR, ""),
    "admin": ("chief", Duty.ADMIN, ""),
    "installer": ("zhao", Duty.INSTALLER, ""),
    "family": ("mei", Duty.FAMILY, ""),
    "elder": ("wang", Duty.ELDER, ""),
}
"""Who looks at the pages, with their account."""


class Village(Neighbourhood):
    """A neighbourhood in which nothing is empty."""

    def settle(self) -> None:
        super().settle()
        grow(self)
        with_a_file(self)
        family_of(self, *Look)
        now = self.clock.now()
        by = {"who": "leader", "now": now}
        with self.registry.begin() as ledger:
            for person, name in (
                ("chief", "钱局长"),
                ("zhao", "赵工"),
                ("new", "周新来"),
                ("qiao", "赵巧云"),
                ("sun", "孙秀英"),
            ):
                ledger.put_person(Person(id=person, name=name, reaches=(Reach(channel="console"),)), now)
            day, night = (time(8), time(20)), (time(20), time(8))
            if not 8 <= now.astimezone(SHANGHAI).hour < 20:  # the worker is on whenever this runs, and is called
                day, night = night, day
            for person, (begins, ends) in (("worker", day), ("deputy", night)):
                shift = Shift(
                    place="g1", duty=Duty.GRID_WORKER, person=person, begins=begins, ends=ends, zone=SHANGHAI,
                    first=date(2026, 1, 1),
                )  # fmt: skip
                ledger.put_shift(shift)
            ledger.put_leave(Leave(person="deputy", since=now + timedelta(days=1), until=now + timedelta(days=2)))
        for person, duty, place in PEOPLE.values():
            made = Account(login=person, password_hash="!", person=person, duty=duty, place=place, created_at=now)
            self.accounts.put(made)
        for number in range(1, 8):
            self.registrar.change_home(
                f"h{number}", position=Position(30.25 + number % 3 / 500, 120.2 + number / 700), **by
            )
        for home, person in (("h3", "qiao"), ("h8", "sun")):
            self.registrar.change_home(home, person=person, **by)
        unfinished = self.registry.home("h8")
        assert unfinished is not None
        with self.registry.begin() as ledger:
            ledger.put_home(replace(unfinished, state=Monitoring.REGISTERED), now)
        self.registrar.plans.declare_absence("h3", Absence.HOSPITAL, now + timedelta(hours=8), **by, why="复查")
        self._bring_devices()
        self._sign_the_record()
        self._let_things_happen()

    def _bring_devices(self) -> None:
        now = self.clock.now()
        stranger = HubDevice(
            hub="hub-8", address="0x00158d0000000009", name="0x00158d0000000009", model="RTCGQ11LM", vendor="Aqara",
            exposes=(Expose("occupancy", "binary", "true", "false"),),
        )  # fmt: skip
        blind = Gap(home="h4", what="sos", why="sensor_silent", sensor="h4-sos", since=now - timedelta(days=1))
        self.readings.commit(Batch(devices=[stranger], gaps={"h4": (blind,)}))

    def _sign_the_record(self) -> None:
        now = self.clock.now()
        home = self.registry.home("h3")
        assert home is not None
        rows = tuple(
            Installation(home="h3", sensor=sensor.id, at=now, by="zhao", link=140, battery=96, passed=True)
            for sensor in home.sensors
        )
        agreed = Consent(
            person="qiao",
            purpose="whereabouts",
            version="2026-11",
            given_at=now,
            given_by="qiao",
            evidence="paper:3-17",
        )
        number = self.registrar.give_consent(agreed, who="zhao", now=now)
        record = Commissioning(
            home="h3", at=now, by="zhao", code=home.code, name=home.name, address=home.address, rooms=home.rooms,
            sensors=home.sensors, rows=rows, consent=number, learning_until=now + timedelta(days=14),
        )  # fmt: skip
        self.registrar.keep_record(record, who="zhao", now=now)

    def _let_things_happen(self) -> None:
        """One alert in each state, and a drill that nobody has answered."""
        now, desk = self.clock.now(), self.desk
        self.ringing, self.silent, self.settled = self.press("h1"), self.fall_silent("h4"), self.press("h6")
        self.accepted, self.there = self.press("h2"), self.press("h3")
        for alert, who in ((self.accepted, "worker"), (self.there, "worker"), (self.settled, "leader")):
            desk.accept(alert, who, now)
        desk.on_site(self.there, "worker", now)
        desk.resolve(self.settled, "leader", Outcome.ASSISTANCE_GIVEN, "扶起，血压正常", now)
        person = self.registry.person("worker")
        assert person is not None
        drill(desk, person, "leader", now)

    def deliver(self) -> None:
        """What waits is carried, to nobody's screen: there are no simulated telephones here."""
        for delivery in self.alerts.outbox(self.clock.now()):
            self.desk.said(delivery.id, self.clock.now())

    # ------------------------------------------------------------------ ways in

    def house(self) -> House:
        privacy = Privacy(self.alerts, self.registry, self.registrar, self.accounts, self.readings)
        return replace(
            super().house(),
            demo=False,
            demo_press=None,
            demo_kill=None,
            phone=None,
            blank_book=MemoryAlerts,
            privacy=privacy,
            channels={"console": Console(), "webhook": Console()},
            uplink=Endpoint(host="192.168.1.2", port=8883, tls=True),
            workings=self.workings(),
            meters=lambda: {"uptime_s": 86_400, "homes": 8, "last_message_s": 3, "free": 5 * 1024**3},
        )

    def workings(self) -> Workings:
        """A gateway that was copied yesterday and backed up a month ago, and of which something is to be said."""
        now = self.clock.now()
        said = ("well", "gateway.db 完好。", ""), ("bad", "没有看门狗在运行。", "启动 `shouwang-watchdog`。")
        return Workings(
            examine=lambda: [
                Remark(grade, {"zh": what, "en": what}, {"zh": to_do, "en": to_do} if to_do else {})
                for grade, what, to_do in said
            ],
            verify=lambda: Verdict(120, 3, ()),
            copies=lambda: Copies(
                copies=[Copied("gateway-20261121T083800.db", now - timedelta(days=1), 4_200_000)],
                backup=Backed(now - timedelta(days=30), "/mnt/usb/shouwang.tar.gz.age", 9_000_000, True, True),
                wished_at=None,
                failed_at=now - timedelta(hours=1),
                put_aside=["damaged/20261120T010000/gateway.db"],
            ),
            wish_copy=lambda at: None,
            spans={name: timedelta(days=365) for name in ("readings", "hours", "alerts", "audit", "given_up")},
            version="1",
        )

    def cookie(self, who: str) -> dict[str, Any]:
        account = self.accounts.account(PEOPLE[who][0])
        assert account is not None
        token = Gatekeeper(self.accounts, self.clock, self.secret).open(account)
        return {"name": "session", "value": token, "url": self.url}

    def names(self) -> dict[str, str]:
        """What stands in the addresses that nobody can know beforehand."""
        links, now = Links(self.secret, self.url, self.clock), self.clock.now()
        called = next(d for d in self.alerts.deliveries(self.ringing) if d.person == "worker")
        (drilled,) = [d for d in self.alerts.trials("worker") if d.purpose is Purpose.DRILL]
        joining = new_token()
        invitation = Invitation("join", "new", Duty.GRID_WORKER, "g1", "new")
        self.accounts.put_invitation(hash_token(joining), invitation.purpose, now + timedelta(days=1))
        return {
            "ringing": self.ringing,
            "silent": self.silent,
            "accepted": self.accepted,
            "there": self.there,
            "settled": self.settled,
            "link": links.link(called).rsplit("/", 1)[1],
            "drill": links.link(drilled).rsplit("/", 1)[1],
            "join": joining,
            "month": f"{now:%Y-%m}",
        }
