"""What other programs are answered, and how what they do is done once; `dashboard.api` has the addresses.

Nothing is decided here. Which homes and alerts are whose says `Pages`, acts are done by `Handling.act` and by the
registrar; what these refuse is refused in one shape (`dashboard.problems`).
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter
from typing import Annotated, Any, ClassVar, TypeVar

from fastapi import Body, Request
from fastapi.responses import JSONResponse, Response

from alerts import wording
from alerts.drills import ButtonLine, WayLine
from alerts.escalation import Reason, Verdict
from dashboard import scope, views
from dashboard.chronicle import alert_as_data
from dashboard.drills import Drills
from dashboard.handling import Given, Handling
from dashboard.keys import Caller, Right
from dashboard.pages import Pages, learning, span_of_day
from dashboard.plan import FROM_THE_FILE, is_known
from dashboard.printer import tongue_of
from dashboard.problems import CODES, MEDIA, Field, Problem, ProblemShape
from dashboard.records import Records
from gateway.domain import Act, Alert, Condition, Duty, Elder, FamilyWord, Gap, Home, Outcome, Override, Sensor
from gateway.locales import LANGUAGES
from gateway.ports import Answered, Trail
from gateway.registry import RegistrationError

T = TypeVar("T")
Told = tuple[int, Mapping[str, Any]]
"""The status and the body of an answer."""

LOOKED_BACK = timedelta(days=90)
"""How far back the list of alerts goes where nobody asks for more."""
A_MOMENT = timedelta(seconds=2)
STATES_KEPT = 1_000
"""Homes of which it is kept for a moment what was told: some 1.5 kB each."""

A_STEP = timedelta(days=1)
FURTHEST_STEP = timedelta(days=64)

ACTS = {
    "accept": "accept",
    "on-the-way": "depart",
    "on-site": "arrive",
    "resolve": "resolve",
    "hand-over": "hand-over",
    "cannot-go": "cannot-go",
    "follow-up": "follow-up",
    "note": "note",
    "family": "family",
    "close": "close",
}
"""What can be done about an alert, and what the alert's page calls it."""


@dataclass(frozen=True, kw_only=True)
class ActBody:
    """An act on an alert: by whom, and what that act needs."""

    person: Annotated[str, Body(max_length=80, description="who does it: an id of the registry")] = ""
    note: Annotated[str, Body(max_length=1000)] = ""
    outcome: Outcome | None = None
    why: Annotated[str, Body(max_length=300, description="for hand-over and cannot-go")] = ""
    to: Annotated[str, Body(max_length=80, description="for hand-over: to whom")] = ""
    elder: Elder | None = None
    afar: Annotated[bool, Body(description="for accept: this person cannot be there, and coordinates")] = False
    code: Annotated[str, Body(max_length=20, description="for on-site: what the code at the door says")] = ""
    position: Annotated[str, Body(max_length=60, description="for on-site: 30.257410,120.205110,12")] = ""
    word: Annotated[FamilyWord | None, Body(description="for family: what a relative says")] = None
    hours: Annotated[int, Body(ge=0, le=720, description="for with_me: for so long")] = 0
    sure: Annotated[bool, Body(description="for with_me: said once more of an emergency")] = False
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}


class AnsweredMeanwhile(Exception):
    """The same key came twice at once, and the other one was first: what was done here is undone."""


def coverage(home: Home, gaps: tuple[Gap, ...], heard: datetime | None, now: datetime) -> Mapping[str, Any]:
    """The coverage statement: in words, in every language, and the same as data."""
    return {
        "home": home.id,
        "state": home.state.value,
        "complete": not gaps,
        "blind": any(gap.why != "sensor_missing" for gap in gaps),
        "heard": iso(heard),
        "learning_until": iso(home.trial_until),
        "statement": {language: wording.say_coverage(gaps, home, language, now) for language in LANGUAGES},
        "gaps": [
            {"what": gap.what, "why": gap.why, "since": iso(gap.since), "room": gap.room, "sensor": gap.sensor}
            for gap in gaps
        ],
    }


def device(sensor: Sensor, condition: Condition | None, *, with_functions: bool) -> Mapping[str, Any]:
    """How one device is. When each of its functions last spoke tells of somebody's day, and is not for everybody."""
    told: dict[str, Any] = {
        "sensor": sensor.id,
        "name": sensor.name,
        "room": sensor.room,
        "role": sensor.role.value,
        "model": sensor.model,
        "power": sensor.power.value,
        "heard": iso(condition.heard) if condition else None,
        "battery": condition.battery if condition else None,
        "empty_at": iso(condition.empty_at) if condition else None,
        "link": condition.link if condition else None,
        "faults": list(condition.faults) if condition else [],
    }
    if with_functions:
        told["functions"] = {kind.value: iso(at) for kind, at in condition.functions} if condition else {}
    return told


def plan_as_data(lines: Iterable[Override], now: datetime) -> list[Mapping[str, Any]]:
    """What holds and what is to come; what says something of the resident's health is not told."""
    return [
        {
            "scope": line.scope.value,
            "place": line.place,
            "key": line.key,
            "value": line.value,
            "since": iso(line.since),
            "until": iso(line.until),
            "author": line.author,
            "reason": line.reason,
        }
        for line in lines
        if is_known(line.key) and line.key not in FROM_THE_FILE and (line.until is None or line.until > now)
    ]


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


# --------------------------------------------------------------------------- a list in pieces


def cut(rows: Sequence[T], name_of: Callable[[T], str], cursor: str, limit: int) -> tuple[list[T], str | None]:
    """The rows behind the cursor, which are in the order of their names, and the cursor of the next piece."""
    after = _read_cursor(cursor)
    found = [row for row in rows if name_of(row) > after][: limit + 1]
    return found[:limit], cursor_of(name_of(found[limit - 1])) if len(found) > limit else None


def cursor_of(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise _wrong_cursor() from None


def _wrong_cursor() -> Problem:
    return Problem(422, *CODES[422], Field("cursor", "is none of ours; give back `next` of the piece before"))


# --------------------------------------------------------------------------- what is asked and done


class Answers:
    """What the interface needs: the same rooms as the pages."""

    def __init__(self, pages: Pages, dealing: Handling, records: Records, drills: Drills) -> None:
        self.pages = pages
        self.house = pages.house
        self.dealing = dealing
        self.chronicle = records.chronicle
        self.drills = drills
        self._states: dict[str, tuple[datetime, object, Mapping[str, Any]]] = {}  # of homes: when, of what, told

    # ------------------------------------------------------------------ reading

    def homes(self, caller: Caller, grid: str, cursor: str, limit: int) -> Mapping[str, Any]:
        self.pages.listed(caller.visitor, "api")
        mine = [home for home in self.pages.homes(caller.visitor) if not grid or home.grid == grid]
        piece, following = cut(sorted(mine, key=lambda home: home.id), lambda home: home.id, cursor, limit)
        return {"homes": self.standing(piece), "next": following}

    def standing(self, homes: Sequence[Home]) -> list[Mapping[str, Any]]:
        house, now = self.house, self.house.clock.now()
        view = views.overview(homes, house.alerts, house.readings, house.registry, now, self.pages.lives)
        lines = sorted(view.lines, key=lambda line: line.home.id)
        return [_home(line, now) for line in lines]

    def state(self, home: Home) -> Mapping[str, Any]:
        """How one home stands, read from it alone. What was told a moment ago is told again while nothing was heard,
        raised or registered since; what follows from the time alone may be that moment late."""
        house, now = self.house, self.house.clock.now()
        heard = house.readings.heard(home.id).get(home.id)
        unclosed = house.alerts.alerts(home=home.id, unclosed=True)
        of = home, heard, unclosed, house.registry.version()
        at, was_of, told = self._states.get(home.id, (now, None, {}))
        if was_of != of or not timedelta(0) <= now - at < A_MOMENT:
            plan, life = house.registry.plan(home.id, now), self.pages.lives.of(home, heard)
            told = _home(views.home_line(home, unclosed, heard, life, plan, now), now)
            if was_of is None and len(self._states) >= STATES_KEPT:
                self._states.clear()
            self._states[home.id] = now, of, told
        return told

    def day(self, home: Home, day: str) -> Mapping[str, Any]:
        now = self.house.clock.now()
        start, end, chosen = span_of_day(day, home, now)
        if day and chosen is None:
            raise Problem(422, *CODES[422], Field("day", "is a date that has begun there, as 2026-03-15"))
        readings = self.house.readings.readings(home.id, start, end)
        blind = views.blind_since(home, self.house.readings.heard(home.id).get(home.id), now)
        return {
            "home": home.id,
            "start": iso(start),
            "end": iso(end),
            "stays": [
                {
                    "start": iso(stay.start),
                    "end": iso(stay.end),
                    "room": stay.room,
                    "sensor": stay.sensor,
                    "kind": stay.kind.value,
                    "value": stay.value,
                    "count": stay.count,
                }
                for stay in views.stays(readings)
            ],
            "holes": [
                {"start": iso(max(begin, start)), "end": iso(min(finish, end))}
                for begin, finish in views.holes(readings, blind, now)
                if begin < end and start < finish
            ],
        }

    def contacts(self, home: Home) -> Mapping[str, Any]:
        told = [
            {
                "person": one.person,
                "name": self.pages.name_of(one.person),
                "relation": one.relation.value,
                "hours": one.hours,
                "is_far": one.is_far,
                "phones": list(one.phones),
            }
            for one in self.house.registry.contacts(home.id)
        ]
        return {"home": home.id, "contacts": told}

    def people(self, caller: Caller, cursor: str, limit: int) -> Mapping[str, Any]:
        self.pages.listed(caller.visitor, "api")
        registry, now = self.house.registry, self.house.clock.now()
        everybody = sorted(self.pages.people(caller.visitor), key=lambda person: person.id)
        piece, following = cut(everybody, lambda person: person.id, cursor, limit)
        told = [
            {
                "id": person.id,
                "name": person.name,
                "duties": [
                    {"duty": duty.value, "place": place}
                    for duty, place in registry.duties(person.id, now)
                    if self.pages.covers(caller.visitor, place)
                ],
            }
            for person in piece
        ]
        return {"people": told, "next": following}

    def alerts(
        self,
        caller: Caller,
        *,
        home: str,
        wanted: Callable[[Alert], bool],
        unclosed: bool,
        since: datetime | None,
        until: datetime | None,
        cursor: str,
        limit: int,
    ) -> Mapping[str, Any]:
        """The newest first. Who asks for one home asks `Pages.home` for it, like everybody."""
        if home:
            self.pages.home(caller.visitor, home)
        else:
            self.pages.listed(caller.visitor, "api")
        now = self.house.clock.now()
        end = min(aware(until, "until") or now + A_STEP, now + A_STEP)
        begin = aware(since, "since") or end - LOOKED_BACK
        before = read_place(cursor)
        if before is not None:
            end = min(end, before[0] + timedelta(microseconds=1))
        found = (
            alert
            for alert in self._newest(home, unclosed, begin, end)
            if begin <= alert.raised_at < end and wanted(alert)
            if (before is None or _place(alert) < before) and self._is_theirs(caller, alert)
        )
        piece = list(islice(found, limit + 1))
        last = piece[limit - 1] if piece[limit:] else None
        more = cursor_of(f"{last.raised_at.isoformat()}|{last.id}") if last else None
        return {"alerts": [alert_as_data(alert) for alert in piece[:limit]], "next": more}

    def _newest(self, home: str, unclosed: bool, begin: datetime, end: datetime) -> Iterator[Alert]:
        """Newest first, in longer and longer stretches back, for mostly the first is enough."""
        store, of = self.house.alerts, home or None
        if unclosed:
            yield from sorted(store.alerts(home=of, unclosed=True, limit=views.ALL), key=_place, reverse=True)
            return
        step = A_STEP
        while begin < end:
            start = max(begin, end - step)
            yield from sorted(store.raised(start, end, home=of), key=_place, reverse=True)
            end, step = start, min(2 * step, FURTHEST_STEP)

    def _is_theirs(self, caller: Caller, alert: Alert) -> bool:
        account = caller.visitor.account
        if account.duty is Duty.INSTALLER and not views.is_equipment(alert):
            return False
        return self.pages.covers(caller.visitor, "") or (
            scope.home_of(account, alert.home, self.house.registry) is not None
        )

    def alert(self, alert: Alert) -> Mapping[str, Any]:
        return alert_as_data(alert)

    def timeline(self, caller: Caller, alert: Alert) -> Mapping[str, Any]:
        """What sensors said is somebody's day: a token reads it only where it is for that."""
        told = self.chronicle.as_data(alert)
        if caller.token is None or Right.DAYS in caller.token.rights:
            return told
        return {**told, "timeline": [line for line in told["timeline"] if line["sort"] != "reading"]}

    def figures(self, caller: Caller, month: str) -> Mapping[str, Any]:
        try:
            rows = self.chronicle.figures(month, lambda grid: self.pages.covers(caller.visitor, grid))
        except ValueError:
            raise Problem(422, *CODES[422], Field("month", "is a month, as 2026-03")) from None
        told = [
            {
                "grid": row.grid,
                "alerts": row.alerts,
                "answered": [asdict(share) for share in row.answered],
                "arrived": [asdict(share) for share in row.arrived],
                "false": asdict(row.false),
                "looked_in": asdict(row.looked_in),
                "breached": asdict(row.breached),
                "answer_seconds": row.answer.total_seconds() if row.answer is not None else None,
                "arrival_seconds": row.arrival.total_seconds() if row.arrival is not None else None,
            }
            for row in rows
        ]
        return {"month": month, "grids": told}

    def tests(self, caller: Caller, cursor: str, limit: int) -> Mapping[str, Any]:
        """One list in pieces: the ways of each person, and behind them the buttons of each home."""
        ways, buttons = self.drills.ways(caller.visitor), self.drills.buttons(caller.visitor)
        lines: list[tuple[str, WayLine | ButtonLine]] = [
            *((f"1/{way.person.id}/{number:05}", way) for number, way in enumerate(ways)),
            *((f"2/{button.home.id}/{button.sensor.id}", button) for button in buttons),
        ]
        piece, following = cut(sorted(lines, key=itemgetter(0)), itemgetter(0), cursor, limit)
        return {
            "ways": [_way(line) for _, line in piece if isinstance(line, WayLine)],
            "buttons": [_button(line) for _, line in piece if isinstance(line, ButtonLine)],
            "next": following,
        }

    def unread(self, caller: Caller) -> Mapping[str, Any]:
        """Without what stood in the messages: that may be anything."""
        told = [
            {
                "topic": row.topic,
                "reason": row.reason,
                "hub": row.hub,
                "detail": row.detail,
                "at": iso(row.at),
                "size": row.size,
                "count": row.count,
            }
            for row in self.pages.unread(caller.visitor)
        ]
        return {"unread": told}

    # ------------------------------------------------------------------ acting, once

    def once(self, caller: Caller, request: Request, key: str, raw: bytes, do: Callable[["Once"], Told]) -> Response:
        """Do it and keep the answer in the same transaction; whoever asks the same again is given that answer."""
        assert caller.token is not None  # `Keys.may` lets nobody else act
        asked = hashlib.sha256(b"\n".join((request.url.path.encode(), request.url.query.encode(), raw))).hexdigest()
        one = Once(self.house.alerts.begin, caller, key, asked, self.house.clock.now())
        kept = self.house.alerts.answered(caller.token.id, key, one.now)
        if kept is None:
            try:
                status, body = do(one)
                return JSONResponse(body, status_code=status, media_type=MEDIA if status >= 400 else None)
            except AnsweredMeanwhile:
                kept = self.house.alerts.answered(caller.token.id, key, one.now)
            except RegistrationError as refusal:
                detail = refusal.say(tongue_of(request).language)
                raise Problem(422, "refused", detail) from refusal
        if kept is None or kept.asked != asked:
            text = "This Idempotency-Key was used for something else; take another one for another act."
            raise Problem(422, "key-used", text, Field("Idempotency-Key", "is used once for each act"))
        return Response(
            kept.answer,
            status_code=kept.status,
            media_type=MEDIA if kept.status >= 400 else "application/json",
            headers={"Idempotent-Replayed": "true"},
        )

    def act(self, caller: Caller, request: Request, alert: Alert, act: str, said: ActBody, once: "Once") -> Told:
        """The act in the name of the person who does it; a program by itself only notes something."""
        person, by_itself = said.person, act == "note" and not said.person
        if by_itself:
            person = caller.name
        elif person not in {one.id for one in self.pages.people(caller.visitor)}:
            text = "An alert is dealt with by somebody: name who it is, by an id that `/api/v1/people` lists."
            raise Problem(
                422, "no-such-person", text, Field("person", "is nobody of the homes and grids of this token")
            )

        def told(verdict: Verdict) -> Told:
            state, reason = (verdict.alert or alert).state.value, verdict.reason.name.lower().replace("_", "-")
            if verdict.told or verdict.reason is Reason.YOURS:
                return 200, {"done": True, "reason": reason, "ref": alert.id, "state": state}
            return 409, _conflict(reason, self.pages.answer(request, verdict))

        def keep(ledger: Trail, verdict: Verdict) -> None:
            once.keep(ledger, f"alert.{act}", alert.id, *told(verdict), home=alert.home, person=person)

        given = Given(
            outcome=said.outcome.value if said.outcome else "",
            note=said.note,
            why=said.why,
            to=said.to,
            elder=said.elder.value if said.elder else "",
            code=said.code,
            position=said.position,
            afar=said.afar,
            word=said.word.value if said.word else "",
            hours=said.hours,
            sure=said.sure,
        )
        desk = self.house.desk.beside(keep)
        verdict = self.dealing.act(ACTS[act], alert, person, None, "api", given, desk)
        if not once.is_kept:  # refused before the desk was asked
            once.keep_alone(lambda ledger: keep(ledger, verdict))
        return told(verdict)


@dataclass(slots=True)
class Once:
    """One act of a program: kept by its key, and written into the audit trail under the program's name."""

    begin: Callable[[], AbstractContextManager[Trail]]
    caller: Caller
    key: str
    asked: str
    now: datetime
    is_kept: bool = False

    def keep(
        self,
        ledger: Trail,
        what: str,
        ref: str,
        status: int,
        body: Mapping[str, Any],
        *,
        home: str = "",
        person: str = "",
    ) -> None:
        assert self.caller.token is not None
        facts = (("token", self.caller.token.id), ("status", str(status)), *((("person", person),) if person else ()))
        ledger.audit(Act(at=self.now, who=self.caller.name, what=f"api.{what}", ref=ref, facts=facts))
        answer = json.dumps(body, ensure_ascii=False)
        answered = Answered(
            token=self.caller.token.id,
            key=self.key,
            asked=self.asked,
            status=status,
            answer=answer,
            at=self.now,
            home=home,
        )
        if not ledger.remember(answered):
            raise AnsweredMeanwhile
        self.is_kept = True

    def keep_alone(self, keep: Callable[[Trail], None]) -> None:
        with self.begin() as ledger:
            keep(ledger)


def _conflict(code: str, detail: str) -> Mapping[str, Any]:
    return asdict(ProblemShape(f"urn:shouwang:problem:{code}", "Conflict", 409, code, detail, []))


def _home(line: views.HomeLine, now: datetime) -> Mapping[str, Any]:
    home, life = line.home, line.life
    return {
        "id": home.id,
        "code": home.code,
        "name": home.name,
        "address": home.address,
        "grid": home.grid,
        "zone": home.zone.key,
        "state": home.state.value,
        "person": home.person,
        "stand": line.stand.name.lower(),
        "since": iso(line.since),
        "heard": iso(line.heard),
        "last_sign": {"at": iso(life.at), "room": life.room, "kind": life.kind.value} if life else None,
        "blind_since": iso(line.blind_since),
        "alert": line.alert.id if line.alert else None,
        "learning_until": iso(learning(home, now)),
    }


def _way(way: WayLine) -> Mapping[str, Any]:
    return {
        "person": way.person.id,
        "name": way.person.name,
        "channel": way.reach.channel,
        "standing": way.standing.value,
        "tested_at": iso(way.last.created_at) if way.last else None,
    }


def _button(button: ButtonLine) -> Mapping[str, Any]:
    return {
        "home": button.home.id,
        "sensor": button.sensor.id,
        "name": button.sensor.name,
        "tested_at": iso(button.last.at) if button.last else None,
        "is_due": button.is_due,
    }


def _place(alert: Alert) -> tuple[datetime, str]:
    return alert.raised_at, alert.id


def read_place(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    at, _, alert = _read_cursor(cursor).partition("|")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise _wrong_cursor() from None
    if moment.tzinfo is None or not _is_ours(moment):
        raise _wrong_cursor()
    return moment, alert


def aware(moment: datetime | None, name: str) -> datetime | None:
    """A moment says its offset from UTC: what it would mean otherwise differs from home to home."""
    if moment is not None and (moment.tzinfo is None or not _is_ours(moment)):
        raise Problem(422, *CODES[422], Field(name, "is a moment with its offset, as 2026-03-15T08:00:00+08:00"))
    return moment


def _is_ours(moment: datetime) -> bool:
    """Not so far off that nothing can be added to it or taken from it."""
    return 1970 < moment.year < 9000
