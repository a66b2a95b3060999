"""What a person may ask of whoever keeps something about them: a copy of all of it, and that all of it is forgotten.

Forgetting leaves two things: what happened, without the person, so that the figures of a grid stay true; and a proof in
the audit trail of what was removed, when and by whom, under a name that leads back to nobody.
"""

import csv
import io
import json
import secrets
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain import Act, Alert, Duty, Finding, Home, Leaving, Monitoring, Person
from gateway.domain.home import GRID
from gateway.domain.trail import AT_ONCE, REDACTED, Sealed, proof
from gateway.ports import AccountStore, AlertStore, ReadingStore, RegistryStore
from gateway.refusals import N_, check_reason, known_home, refused
from gateway.registry import Registry
from gateway.rescue import forget_copies

EXPORTED, ERASED = "privacy.export", "privacy.erased"

LISTED, ABOUT_ALL_OF = "read.list", "list:"
"""Somebody saw a list of the homes of a place: the act, and how the place is called in it, the whole as `list:`."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

ALL_OF_IT = 1_000_000

READ_ME = """守望：{name}（{code}）的全部资料，导出于 {time}。
household.json 住户、设备、联系人、计划与安装记录；person.json 档案、电话与同意记录；
alerts.json 预警、处置经过与发出的消息；readings.csv 传感器读数；looks.csv 谁在什么时候看过或改过什么；photos/ 照片。

Shouwang: everything that is kept about {name} ({code}), as of {time}.
household.json: the home, its devices, contacts, plan and installation. person.json: file, telephones and consents.
alerts.json: alerts, what was done, messages. readings.csv: what sensors said. looks.csv: who looked at or changed what.
photos/: pictures. Moments are in UTC.
"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was removed, and under which name the proof of it stands."""

    stand_in: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Privacy:
    """The two acts, over all stores at once; for the command line and the administrator's page."""

    alerts: AlertStore
    registry: RegistryStore
    registrar: Registry
    accounts: AccountStore
    readings: ReadingStore
    photos: Path | None = None
    state: Path | None = None  # where the daily copies of the files lie

    # ------------------------------------------------------------------ a copy

    def export(self, home_id: str, *, who: str, now: datetime) -> bytes:
        """Everything kept about a household and its resident, as a zip of plain files. Who took it is written down."""
        home = self._home(home_id)
        with self.registry.begin() as ledger:
            ledger.audit(Act(at=now, who=who, what=EXPORTED, ref=home.id))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            read_me = READ_ME.format(name=home.name, code=home.code, time=f"{now:%Y-%m-%d %H:%M} UTC")
            file.writestr("README.txt", read_me)
            file.writestr("household.json", _json(self._household(home)))
            file.writestr("person.json", _json(self._person(home)))
            alerts = self._alerts_of(home)
            file.writestr("alerts.json", _json([self._told(alert) for alert in alerts]))
            file.writestr("readings.csv", self._readings_csv(home))
            file.writestr("looks.csv", self._looks_csv(home))
            for photo in self._photos_of(home, alerts):
                file.write(photo, f"photos/{photo.name}")
        return packed.getvalue()

    def _household(self, home: Home) -> Mapping[str, Any]:
        registry = self.registry
        return {
            "home": asdict(home),
            "contacts": [asdict(c) | {"name": _name(registry.person(c.person))} for c in registry.contacts(home.id)],
            "plan": [asdict(line) for line in registry.overrides(home.id)],
            "installations": [asdict(one) for one in registry.installations(home.id)],
            "records": [asdict(record) for record in registry.records(home.id)],
            "visits": [asdict(visit) for visit in self.alerts.visits(home.id)],
            "devices": [asdict(c) for c in self.readings.conditions(home.id)],
            "cannot_be_noticed": [asdict(gap) for gap in self.readings.gaps(home.id).get(home.id, ())],
        }

    def _person(self, home: Home) -> Mapping[str, Any]:
        if not home.person:
            return {}
        person, profile = self.registry.person(home.person), self.registry.profile(home.person)
        return {
            "person": asdict(person) if person else None,
            "phones": self.registry.phones(home.person),
            "profile": asdict(profile) if profile else None,
            "consents": [asdict(consent) for consent in self.registry.consents(home.person)],
        }

    def _told(self, alert: Alert) -> Mapping[str, Any]:
        messages = [asdict(delivery) | {"address": ""} for delivery in self.alerts.deliveries(alert.id)]
        return {
            "alert": asdict(alert),
            "history": [asdict(entry) for entry in self.alerts.history(alert.id)],
            "messages": messages,  # without where they went: that is somebody else's
        }

    def _readings_csv(self, home: Home) -> str:
        rows = ((r.at.isoformat(), r.sensor, r.room, r.kind.value, r.value) for r in self.readings.replay(home=home.id))
        return _csv(("at", "sensor", "room", "kind", "value"), rows)

    def _looks_csv(self, home: Home) -> str:
        about = {home.id, home.person, *lists_of(home, self.registry)} - {""}
        acts = [act for ref in sorted(about) for act in self.alerts.acts(ref, ALL_OF_IT)]
        acts.sort(key=lambda act: act.at)
        rows = ((a.at.isoformat(), _name(self.registry.person(a.who)) or a.who, a.what, a.why) for a in acts)
        return _csv(("at", "who", "what", "why"), rows)

    # ------------------------------------------------------------------ forgetting

    def erase(self, home_id: str, *, why: str, who: str, now: datetime, stand_in: str = "") -> Erasure:
        """Forget a household and its resident: readings, alerts, files, pictures, accounts. Done again after a crash
        it goes on. `stand_in` is the name that takes its place, where whoever asks has to find the proof by it.

        Refused while somebody is being helped there. The hubs lose their way in first, so that nothing new comes.
        """
        check_reason(why)
        home = self._home(home_id)
        alerts = self._alerts_of(home)
        if any(alert.is_open for alert in alerts):
            raise refused(N_("An alert of this home is open: see to it first, then erase."))
        if home.state is not Monitoring.RETIRED:
            self.registrar.set_state(home.id, Monitoring.RETIRED, why=Leaving.WITHDRAWN, who=who, now=now)
        stand_in = stand_in or f"erased-{secrets.token_hex(6)}"
        people = self._only_known_here(home, now)
        counts: Counter[str] = Counter()
        for photo in self._photos_of(home, alerts):
            photo.unlink(missing_ok=True)
            counts["photos"] += 1
        for account in self.accounts.accounts():
            if account.person in people:
                self.accounts.forget(account.login)
                counts["accounts"] += 1
        counts["acts"] = self._forget_in_the_book(home, people, alerts, stand_in, who, now)
        counts["alerts"] = len(alerts)
        counts["people"] = len(people)
        with self.registry.begin() as registrar:
            registrar.forget_home(home.id)
            for person in sorted(people):
                registrar.forget_person(person)
            registrar.publish(now, "registry", stand_in)
        counts["readings"] = self.readings.forget(home.id, {hub.id for hub in home.hubs}, stand_in)
        facts = tuple((name, str(count)) for name, count in sorted(counts.items()))
        with self.registry.begin() as registrar:
            registrar.audit(Act(at=now, who=who, what=ERASED, ref=stand_in, facts=facts))
        self.alerts.scrub()
        if self.state is not None:
            forget_copies(self.state)
        return Erasure(stand_in, counts)

    def _forget_in_the_book(
        self, home: Home, people: Collection[str], alerts: Sequence[Alert], stand_in: str, who: str, now: datetime
    ) -> int:
        """Alerts without the person, and the audit trail under another name; how many of its rows were changed."""
        traces = self._traces(home, people)
        changed = {row.number: _blanked(row.act, people, stand_in) for row in self.trail() if traces.are_in(row.act)}
        with self.alerts.begin() as ledger:
            for number, alert in enumerate(alerts, 1):
                ledger.forget_alert(alert.id)
                ledger.save(_without_person(alert, f"{stand_in}/{number}", home.grid))
            ledger.forget_home(home.id, people, stand_in)
            ledger.redact(changed)
            rows = sorted(changed.items())
            for at in range(0, len(rows), AT_ONCE):
                facts = proof(rows[at : at + AT_ONCE])
                ledger.audit(Act(at=now, who=who, what=REDACTED, ref=stand_in, facts=facts))
        return len(changed)

    def trail(self) -> Iterator[Sealed]:
        """All of the audit trail, some of it at a time."""
        after = 0
        while rows := self.alerts.sealed(after, 10_000):
            yield from rows
            after = rows[-1].number

    def _traces(self, home: Home, people: Collection[str]) -> "_Traces":
        words = {home.name, home.code, home.address, home.access}
        for person in people:
            words |= {_name(self.registry.person(person)), *self.registry.phones(person)}
        ids = {home.id, *people, *(hub.id for hub in home.hubs), *(f"shadow/{home.id}",)}
        return _Traces(frozenset(ids - {""}), tuple(sorted(words - {""})))

    def _only_known_here(self, home: Home, now: datetime) -> set[str]:
        """The resident, and the contacts that nobody else knows: nobody else's neighbour, colleague or doctor."""
        registry = self.registry
        others = [other for other in registry.homes() if other.id != home.id]
        elsewhere = {other.person for other in others}
        elsewhere |= {contact.person for other in others for contact in registry.contacts(other.id)}
        own = {home.person, *(contact.person for contact in registry.contacts(home.id))} - {""}
        working = {a.person for a in self.accounts.accounts() if a.duty not in (Duty.ELDER, Duty.FAMILY)}
        return {p for p in own if p not in elsewhere | working and not registry.duties(p, now)}

    # ------------------------------------------------------------------ small hands

    def _home(self, home_id: str) -> Home:
        home = known_home(self.registry, home_id)
        if home.id.startswith(GRID):
            raise refused(N_("There is no home '{home}'."), home=home_id)
        return home

    def _alerts_of(self, home: Home) -> list[Alert]:
        return self.alerts.alerts(home=home.id, limit=ALL_OF_IT)

    def _photos_of(self, home: Home, alerts: Iterable[Alert]) -> list[Path]:
        """Pictures of its devices and of what was found there."""
        if self.photos is None:
            return []
        names = {one.photo for one in self.registry.installations(home.id)}
        for alert in alerts:
            names |= {value for e in self.alerts.history(alert.id) for name, value in e.facts if name == "photo"}
        places = (self.photos, self.photos / "alerts")
        return [path for name in sorted(names - {""}) for at in places if (path := at / Path(name).name).is_file()]


def lists_of(home: Home, registry: RegistryStore) -> list[str]:
    """Under what names the trail knows the lists in which this home stands: of its grid, its areas, of all."""
    return [f"{ABOUT_ALL_OF}{place}" for place in dict.fromkeys((*registry.around(home.id), ""))]


@dataclass(frozen=True, slots=True)
class _Traces:
    """By what a household and its people are known in a line of the audit trail."""

    ids: frozenset[str]
    words: tuple[str, ...]

    def are_in(self, act: Act) -> bool:
        said = [act.who, act.ref, *(value for _, value in act.facts)]
        names_them = any(part in self.ids for text in said for part in _parts(text))
        return names_them or any(word in text for word in self.words for text in (act.ref, act.why, *said))


def _parts(text: str) -> list[str]:
    """`h1/inactivity/2026…` and `h1,h2` name h1; `shadow/h1` is a name of its own."""
    return [text, *text.split("/"), *text.split(",")]


def _blanked(act: Act, people: Collection[str], stand_in: str) -> Act:
    """That something was done, when, and by whom of those who work here."""
    return Act(at=act.at, who=stand_in if act.who in people else act.who, what=act.what, ref=stand_in)


def _without_person(alert: Alert, new_id: str, grid: str) -> Alert:
    """What happened in this grid: what kind, how bad, how fast people were and how it ended."""
    place = f"{GRID}{grid}"
    finding = Finding(home=place, code=alert.code, severity=alert.severity, since=alert.raised_at, at=alert.raised_at)
    return replace(
        alert,
        id=new_id,
        home=place,
        finding=finding,
        subject="",
        owner="",
        coordinator="",
        note="",
        incident="",
        also=(),
        next_at=None,
        watch_at=None,
    )


def _name(person: Person | None) -> str:
    return person.name if person else ""


def _json(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=1)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, ZoneInfo):
        return value.key
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def _csv(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table whose text no spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow(f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULAS) else cell for cell in row)
    return "\ufeff" + out.getvalue()
