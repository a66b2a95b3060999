"""What the buttons of an alert's page do: one act for one press, however often a bad line repeats it."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi.responses import Response
from starlette.exceptions import HTTPException

from alerts.desk import Desk
from alerts.escalation import Reason, Verdict
from alerts.history import What
from dashboard import pictures
from dashboard.pages import Pages, may_finish
from gateway.domain import Act, Alert, Duty, Elder, Entry, FamilyWord, Kind, Outcome, Reading, Relation
from gateway.ports import AlertLedger

DOOR_NEAR = timedelta(minutes=10)
"""A front door that was opened so near to the arrival was opened by whoever arrived."""

PHOTOS_AT_MOST = 20
"""Pictures of one alert: more than anybody looks at."""

POSITION = re.compile(r"-?\d{1,2}(\.\d{1,6})?,-?\d{1,3}(\.\d{1,6})?,\d{1,6}")
"""Latitude, longitude and how far off it may be, in metres, as the browser gave them."""

FAMILY = (Relation.CHILD, Relation.SPOUSE, Relation.RELATIVE)

LATE = timedelta(minutes=1)
"""An act that was under way for less came as acts come."""
PROMISES = frozenset({"accept", "depart", "family"})
"""Acts that stop others from being called: what somebody meant an hour ago, and may have given up since, must not."""
STILL_MEANT = timedelta(minutes=15)
LATEST = timedelta(days=7)
"""What a telephone says was pressed longer ago is a clock that is wrong."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was filled in beside the button."""

    outcome: str = ""
    note: str = ""
    why: str = ""
    to: str = ""
    elder: str = ""
    code: str = ""
    position: str = ""
    afar: bool = False
    word: str = ""
    hours: int = 0
    sure: bool = False
    key: str = ""  # tells this press from all others, however often a bad line repeats it
    pressed: str = ""  # when, by the clock of the telephone


def door_seen(readings: Iterable[Reading], arrived: datetime) -> datetime | None:
    """When the front door was opened, nearest to the arrival."""
    opened = [r.at for r in readings if r.kind is Kind.DOOR and r.value and abs(r.at - arrived) <= DOOR_NEAR]
    return min(opened, key=lambda at: abs(at - arrived), default=None)


class Handling:
    """The acts on an alert, for the page, the link, the family's page and other programs."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house
        self._photos = pictures.of_alerts(pages.house.photos)
        self._in_hand: set[str] = set()  # keys of acts that are being done at this moment

    def act(
        self, name: str, alert: Alert, who: str, duty: Duty | None, how: str, given: Given, desk: Desk | None = None
    ) -> Verdict:
        """One act on an alert. What is not theirs to do is refused with who has it."""
        desk, now = desk or self.house.desk, self.house.clock.now()
        if name == "accept":
            return desk.accept(alert.id, who, now, how, can_arrive=False if given.afar else None)
        if name == "family":
            return self._family_says(alert, who, given, now, desk)
        if name == "note":
            said = given.note.strip()
            return desk.note(alert.id, who, said, now) if said else _refused(Reason.NO_WORDS, alert)
        if alert.is_open and not may_finish(alert, who, duty):
            return _refused(Reason.TAKEN, alert)
        if name == "depart":
            return desk.on_the_way(alert.id, who, now)
        if name == "arrive":
            return self._arrive(alert, who, given, now, desk)
        if name == "resolve":
            return desk.resolve(alert.id, who, outcome_of(given.outcome), given.note, now)
        if name == "hand-over":
            if not given.why.strip():
                return _refused(Reason.NO_WORDS, alert)
            return desk.hand_over(alert.id, who, given.to, now, why=given.why.strip())
        if name == "cannot-go":
            return desk.cannot_go(alert.id, who, now, why=given.why.strip())
        if name == "follow-up":
            if given.elder not in list(Elder):
                return _refused(Reason.NO_ELDER, alert)
            return desk.follow_up(alert.id, who, given.note, now, facts=(("elder", given.elder),))
        return desk.close(alert.id, who, now)

    def act_once(
        self, name: str, alert: Alert, who: str, duty: Duty | None, how: str, given: Given, picture: bytes = b""
    ) -> Verdict:
        """The same act, done once however often a telephone on a bad line sends it.

        It is done before its key is written down: whoever crashes between the two is asked again by the telephone,
        and nearly every act that was done already changes nothing.
        """
        house, word = self.house, _word(alert, who, given.key)
        if word in self._in_hand:
            raise HTTPException(503)  # its first try is not done yet: the telephone asks again
        if word and house.alerts.was_heard(word):
            return Verdict(True, Reason.DONE, alert)
        pressed = pressed_before(given.pressed, house.clock.now())
        if name in PROMISES and pressed is not None and house.clock.now() - pressed > STILL_MEANT:
            return _refused(Reason.PRESSED_LONG_AGO, alert)
        if word:
            self._in_hand.add(word)
        try:
            if name == "photo":
                kept = self.keep_photo(alert, who, picture)
                verdict = Verdict(kept, Reason.DONE if kept else Reason.NO_WORDS, alert)
            else:
                verdict = self.act(name, alert, who, duty, how, given)
            if word and verdict.told:
                now = house.clock.now()
                with house.alerts.begin() as ledger:
                    ledger.hear(word, now)
                    if pressed is not None:
                        facts = (("pressed", pressed.isoformat()), ("act", name))
                        ledger.write(Entry(alert=alert.id, at=now, what=What.LATE.value, who=who, facts=facts))
        finally:
            self._in_hand.discard(word)
        return verdict

    def is_family(self, alert: Alert, who: str) -> bool:
        contacts = self.house.registry.contacts(alert.home)
        return any(c.person == who and c.relation in FAMILY for c in contacts)

    def _family_says(self, alert: Alert, who: str, given: Given, now: datetime, desk: Desk) -> Verdict:
        """One tap: with me until then, I see to it, or please send somebody."""
        if not self.is_family(alert, who) or given.word not in list(FamilyWord):
            return _refused(Reason.NOT_FAMILY, alert)
        until = now + timedelta(hours=given.hours) if given.hours > 0 else None
        return desk.family(alert.id, who, FamilyWord(given.word), until, now, sure=given.sure)

    def _arrive(self, alert: Alert, who: str, given: Given, now: datetime, desk: Desk) -> Verdict:
        proof = self.proof(alert.home, given, now)
        if proof is None:
            return _refused(Reason.WRONG_CODE, alert)
        return desk.on_site(alert.id, who, now, proof=proof)

    def proof(self, home_id: str, given: Given, now: datetime) -> str | None:
        """What says that somebody is there: the home's own door, the code beside it, where the telephone is. None: the
        code is that of another door."""
        code = given.code.strip()
        if code and code != self.pages.links.door_code(home_id):
            return None
        home = self.house.registry.home(home_id)
        recent = self.house.readings.readings(home_id, now - DOOR_NEAR, now + DOOR_NEAR, (Kind.DOOR,))
        door = door_seen(recent, now) if home and home.exit_doors else None
        proof = [f"door={door.isoformat()}"] if door else []
        proof += ["code"] if code else []
        proof += [f"position={given.position}"] if POSITION.fullmatch(given.position) else []
        return ";".join(proof)

    def keep_photo(
        self,
        alert: Alert,
        who: str,
        picture: bytes,
        beside: Callable[[AlertLedger, str], None] = lambda ledger, name: None,
    ) -> bool:
        """A picture of what was found, on the alert's history. False: it is none, or there are enough. What `beside`
        writes about the name that it got becomes durable with it."""
        house, now = self.house, self.house.clock.now()
        taken = sum(entry.what == What.PHOTO for entry in house.alerts.history(alert.id))
        name = pictures.keep(self._photos, picture) if taken < PHOTOS_AT_MOST else ""
        if not name:
            return False
        home = house.registry.home(alert.home)
        with house.alerts.begin() as ledger:
            ledger.write(Entry(alert=alert.id, at=now, what=What.PHOTO.value, who=who, facts=(("photo", name),)))
            ledger.audit(Act(at=now, who=who, what="alert.photo", ref=alert.id))
            ledger.publish(now, "alert", alert.id, alert.home, home.grid if home else "")
            beside(ledger, name)
        return True

    def photo(self, alert: Alert, name: str) -> Response:
        """A picture of this alert: of another one's it answers as if there were none."""
        is_ours = any(dict(e.facts).get("photo") == name for e in self.house.alerts.history(alert.id))
        found = pictures.show(self._photos, name) or pictures.show(self.house.photos, name) if is_ours else None
        if found is None:
            raise HTTPException(404)
        return found

    def is_kept(self, photo: str) -> bool:
        return pictures.is_kept(self._photos, photo) or pictures.is_kept(self.house.photos, photo)


def pressed_before(said: str, now: datetime) -> datetime | None:
    """When a telephone says it was pressed, where that is worth a line of the history."""
    try:
        pressed = datetime.fromisoformat(said)
    except ValueError:
        return None
    return pressed if pressed.tzinfo is not None and LATE < now - pressed < LATEST else None


def _word(alert: Alert, who: str, key: str) -> str:
    """By what the store remembers one press; another person's telephone cannot use it up."""
    return hashlib.sha256(f"act\n{alert.id}\n{who}\n{key}".encode()).hexdigest()[:32] if key else ""


def outcome_of(value: str) -> Outcome | None:
    return Outcome(value) if value in list(Outcome) else None


def _refused(reason: Reason, alert: Alert) -> Verdict:
    return Verdict(False, reason, alert)
