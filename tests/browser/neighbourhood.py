"""A small neighbourhood on memory stores, with the real desk and the real pages, for the browser to walk through."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import uvicorn

from alerts.desk import Desk
from dashboard.app import House, Links, create_app, make_entrance_link, make_setup_link
from gateway.clock import SystemClock
from gateway.domain import (
    Area,
    Duty,
    Finding,
    Grid,
    Home,
    Hub,
    Kind,
    Override,
    Person,
    Purpose,
    Reach,
    Reading,
    Role,
    Room,
    RoomKind,
    Sending,
    Sensor,
    Severity,
)
from gateway.ports import Batch, Quarantined
from gateway.registry import Registry
from gateway.stores.memory import MemoryAccounts, MemoryAlerts, MemoryReadings, MemoryRegistry, MemoryTrail
from simulators.phone import create_phone

SHANGHAI = ZoneInfo("Asia/Shanghai")
ELDERS = ["王奶奶", "李爷爷", "赵奶奶", "陈爷爷", "周奶奶", "吴奶奶", "郑爷爷", "孙奶奶"]
STAFF = [
    (Duty.GRID_WORKER, "worker", "刘网格员"),
    (Duty.DEPUTY, "deputy", "何副手"),
    (Duty.SUPERVISOR, "leader", "马主任"),
]


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


@dataclass
class Neighbourhood:
    """What the stories press, and where the pages stand."""

    clock: SystemClock = field(default_factory=SystemClock)
    url: str = ""

    def __post_init__(self) -> None:
        trail = MemoryTrail()
        self.alerts, self.registry = MemoryAlerts(trail), MemoryRegistry(trail)
        self.accounts, self.readings = MemoryAccounts(), MemoryReadings()
        self.desk = Desk(self.alerts, self.registry)
        self.registrar = Registry(self.registry, lambda secret: f"hash of {secret}")
        self.killed = threading.Event()
        self._arrival = 0

    # ------------------------------------------------------------------ people and homes

    def settle(self) -> None:
        """Eight homes in one grid, its three people on duty, and a believable day behind everybody."""
        now = self.clock.now()
        with self.registry.begin() as ledger:
            ledger.put_area(Area(code="110101001001", name="东风社区", level="community"), now)
            ledger.put_grid(Grid(code="g1", name="第一网格", community="110101001001"))
            for duty, who, name in STAFF:
                reaches = (Reach(channel="webhook", address=f"{self.url}/phone/hook/{who}"),)
                ledger.put_person(Person(id=who, name=name, reaches=reaches), now)
                ledger.assign(who, duty, "g1", now - timedelta(days=30))
            for number, elder in enumerate(ELDERS, 1):
                ledger.put_home(self._home(number, elder), now)
            ledger.put_override(
                Override(
                    home="h7",
                    key="absence",
                    value="holiday",
                    since=now - timedelta(days=2),
                    until=now + timedelta(days=3),
                    author="leader",
                    reason="探亲",
                )
            )
        for number in range(1, len(ELDERS) + 1):
            self._live_a_day(number, now)

    def _home(self, number: int, elder: str) -> Home:
        def sensor(name: str, room: str, role: Role, words: str) -> Sensor:
            return Sensor(
                id=f"h{number}-{name}",
                hub=f"hub-{number}",
                address=f"0x{number}{name}",
                name=words,
                room=room,
                role=role,
            )

        return Home(
            id=f"h{number}",
            code=f"A-12{number:02d}",
            name=elder,
            grid="g1",
            zone=SHANGHAI,
            rooms=(
                Room(id="bedroom", name="卧室", kind=RoomKind.BEDROOM),
                Room(id="living", name="客厅", kind=RoomKind.LIVING),
                Room(id="kitchen", name="厨房", kind=RoomKind.KITCHEN),
                Room(id="bathroom", name="卫生间", kind=RoomKind.BATHROOM),
            ),
            hubs=(Hub(id=f"hub-{number}", home=f"h{number}"),),
            sensors=(
                sensor("bed", "bedroom", Role.MOTION, "卧室人体感应"),
                sensor("liv", "living", Role.MOTION, "客厅人体感应"),
                sensor("kit", "kitchen", Role.MOTION, "厨房人体感应"),
                sensor("bath", "bathroom", Role.MOTION, "卫生间人体感应"),
                sensor("door", "living", Role.EXIT_DOOR, "大门门磁"),
                sensor("sos", "bedroom", Role.SOS, "床头紧急按钮"),
            ),
            address=f"东风路 12 号院 3 号楼 {number}02",
            access="钥匙在门卫处；门锁密码问刘网格员",
        )

    def _live_a_day(self, number: int, now: datetime) -> None:
        """Rooms one after the other, a walk to the market, and some homes with something of their own."""
        quiet = {1: 2, 2: 35, 3: 12, 4: 95, 5: 7, 6: 0.5, 7: 2 * 1440, 8: 193}[number]
        moment, turn = now - timedelta(hours=26), number
        tour = [("bedroom", "bed"), ("bathroom", "bath"), ("kitchen", "kit"), ("living", "liv")]
        end = now - minutes(quiet)
        while moment < end:
            hour = moment.astimezone(SHANGHAI).hour
            room, name = tour[0] if hour < 6 or hour >= 22 else tour[turn % 4]
            self.hear(number, f"h{number}-{name}", room, Kind.MOTION, moment)
            # Nobody crosses a room in one pulse; a lone one is no sign of life.
            self.hear(number, f"h{number}-{name}", room, Kind.MOTION, moment + timedelta(seconds=40))
            turn += 1 if turn % 3 else 2
            moment += minutes(95 if hour < 6 or hour >= 22 else 4 + (turn * 7) % 26)
        for hours_ago, value in ((9, 1), (8.98, 0), (8, 1), (7.98, 0)):
            self.hear(number, f"h{number}-door", "living", Kind.DOOR, now - timedelta(hours=hours_ago), value)
        self.hear(number, f"h{number}-liv", "living", Kind.BATTERY, now - timedelta(hours=5), 86)
        if number != 7:
            for seconds in (50, 0):
                self.hear(number, f"h{number}-kit", "kitchen", Kind.MOTION, end - timedelta(seconds=seconds))
        if number == 2:  # out at the market
            self.hear(2, "h2-door", "living", Kind.DOOR, now - minutes(34), 1)
            self.hear(2, "h2-door", "living", Kind.DOOR, now - minutes(33.5), 0)
        if number == 3:
            self.hear(3, "h3-hub", "", Kind.RETURNED, now - timedelta(hours=3), 5400)
        self.readings.commit(Batch(heard={f"h{number}": now - minutes(95 if number == 4 else 0.2)}))
        if number == 8:
            self.readings.commit(
                Batch(
                    quarantined=[
                        Quarantined(
                            topic="shouwang/hub-8/plain/nobody",
                            reason="unknown-device",
                            at=now - minutes(3),
                            size=31,
                            head=b'{"kind":"motion","value":1}',
                            hub="hub-8",
                            count=4,
                        )
                    ]
                )
            )

    def hear(self, number: int, sensor: str, room: str, kind: Kind, at: datetime, value: float = 1.0) -> None:
        self._arrival += 1
        home = f"h{number}"
        reading = Reading(home, sensor, room, kind, value, at, at, arrival=self._arrival)
        self.readings.commit(Batch(readings=[reading], heard={home: at}, last_arrival=self._arrival))

    # ------------------------------------------------------------------ what happens

    def press(self, home: str = "h1") -> str:
        """Somebody presses the emergency button; the alert's id."""
        now = self.clock.now()
        facts = (("sensor", f"{home}-sos"), ("room", "bedroom"), ("kind", "sos"))
        finding = Finding(home=home, code="sos", severity=Severity.EMERGENCY, since=now, at=now, facts=facts)
        (verdict,) = self.desk.take([finding], now)
        self.deliver()
        assert verdict.alert is not None
        return verdict.alert.id

    def fall_silent(self, home: str = "h8") -> str:
        """No sign of life for longer than usual."""
        now = self.clock.now()
        since = now - timedelta(hours=3, minutes=13)
        facts = (
            ("last_kind", "motion"),
            ("last_room", "kitchen"),
            ("last_at", since.isoformat()),
            ("elapsed_s", "11580"),
            ("limit_s", "10800"),
            ("usual_s", "5400"),
            ("rule", "day"),
        )
        finding = Finding(home=home, code="inactivity", severity=Severity.HIGH, since=since, at=now, facts=facts)
        (verdict,) = self.desk.take([finding], now)
        self.deliver()
        assert verdict.alert is not None
        return verdict.alert.id

    def deliver(self) -> None:
        """Everything in the outbox reaches its phone, as the courier and the webhook channel would have it."""
        for delivery in self.alerts.outbox(self.clock.now()):
            self.ring(delivery.id)
            self.desk.said(delivery.id, self.clock.now())

    def ring(self, delivery_id: str) -> None:
        import httpx

        from alerts import wording

        with self.alerts.begin() as ledger:
            delivery = ledger.delivery(delivery_id)
        assert delivery is not None and delivery.state is Sending.WAITING
        alert = self.alerts.alert(delivery.alert)
        assert alert is not None
        owner = self.registry.person(alert.owner)
        letter = wording.letter(
            delivery,
            alert,
            home=self.registry.home(alert.home),
            language="zh",
            owner=owner.name if owner else "",
            link=Links(self.secret, self.url, self.clock).link(delivery)
            if delivery.purpose is not Purpose.TEST
            else "",
        )
        body = {
            "id": delivery.id,
            "alert": delivery.alert,
            "purpose": delivery.purpose.value,
            "title": letter.title,
            "body": letter.body,
            "link": letter.link,
        }
        httpx.post(delivery.address, json=body, timeout=60).raise_for_status()

    # ------------------------------------------------------------------ the pages

    secret = b"only for this browser test......"

    def push_key(self) -> Path:
        """The public key that a browser is shown when it asks to be told by push."""
        path = Path(tempfile.mkdtemp()) / "push.pub"
        path.write_text(
            "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM", "ascii"
        )
        return path

    @contextmanager
    def open_for_visits(self, port: int = 0) -> Iterator[None]:
        """A real server on a free port, in a thread."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.settle()
        config = uvicorn.Config(
            create_app(self.house()), log_level="warning", timeout_graceful_shutdown=2, access_log=False, lifespan="on"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            threading.Event().wait(0.02)
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(10)
            listener.close()

    def house(self) -> House:
        return House(
            alerts=self.alerts,
            desk=self.desk,
            registry=self.registry,
            registrar=self.registrar,
            accounts=self.accounts,
            readings=self.readings,
            clock=self.clock,
            secret=self.secret,
            base_url=self.url,
            secure_cookies=False,
            push_key=self.push_key(),
            photos=Path(tempfile.mkdtemp()),
            demo=True,
            demo_press=self.press,
            demo_kill=self.killed.set,
            phone=create_phone(self.clock, [(who, duty) for duty, who, _ in STAFF], self.registry, self.alerts),
        )

    def setup_link(self) -> str:
        return make_setup_link(self.accounts, self.clock, self.url)

    def entrance_link(self) -> str:
        leader = self.registry.person("leader")
        assert leader is not None
        return make_entrance_link(self.accounts, self.clock, self.url, leader)
