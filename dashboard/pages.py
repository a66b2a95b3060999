"""The pages: one per need. Each answers a GET with all of itself; a script only decides how much of it is swapped."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import Depends, Form, Header, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup
from starlette.exceptions import HTTPException

from alerts import card, wording
from alerts.agreed import may_be_told
from alerts.escalation import Verdict
from alerts.maintenance import PAUSE
from dashboard import scope, views
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.house import House
from dashboard.links import Links, Pass
from dashboard.live import Feed, resume_from
from dashboard.printer import FALLBACK_ZONE, LANGUAGE_COOKIE, Printer, tongue_of
from dashboard.seen import Seen
from dashboard.tally import Tally
from dashboard.together import Together
from dashboard.words import N_, Tongue
from gateway.domain import Alert, Duty, Event, Gap, Home, Kind, Monitoring, Person, Reading, Stage
from gateway.domain.home import GRID
from gateway.locales import LANGUAGES
from gateway.ports import Quarantined

A_DAY = timedelta(days=1)
SENSOR_MEMORY = timedelta(days=7)
"""A sensor that said nothing for longer is told as not heard for a week."""
A_YEAR_S = 365 * 86_400
LINES_SHOWN, RINGING_SHOWN = 600, 100
"""Of the list, more than the homes of any grid; whoever leads a district goes on by pages, or seeks a name."""
BLIND_SHOWN = 2
"""What a line of the list names of all that cannot be noticed in a home; its page names the rest."""
ON_DUTY = (Duty.GRID_WORKER, Duty.DEPUTY, Duty.SUPERVISOR, Duty.ADMIN)
"""Who may see homes and deal with alerts. Families and installers get pages of their own."""
WITH_INSTALLERS = (*ON_DUTY, Duty.INSTALLER)
"""Who may deal with alerts about the equipment; an installer sees no others, and nobody's day."""

MOST_UNREAD, UNREAD_SHOWN = 2_000, 200
"""Of messages that could not be read: looked through, and shown."""

QUARANTINE_REASONS = {
    "bad-json": N_("not JSON"),
    "bad-value": N_("a value that cannot be"),
    "unknown-device": N_("a device nobody registered"),
    "unknown-hub": N_("a hub nobody registered"),
    "unknown-topic": N_("a topic we do not know"),
    "too-large": N_("too large"),
    "bad-topic": N_("a topic that cannot be"),
    "not-an-object": N_("not an object"),
    "not-its-role": N_("from a device registered for something else"),
    "too-old": N_("too old to be news"),
    "retained-event": N_("an event that the broker repeated"),
    "unregistered-alarm": N_("a call for help from a device nobody registered"),
    "flooded": N_("too many messages"),
    "fault": N_("a fault of the program"),
}


@dataclass(frozen=True, slots=True)
class Saying:
    """A line of the day in words."""

    start: datetime
    text: str


class Pages:
    """What each page needs from the stores, for whom."""

    def __init__(self, house: House, printer: Printer, feed: Feed, links: Links) -> None:
        self.house = house
        self.printer = printer
        self.feed = feed
        self.links = links
        self.lives = views.Lives(house.readings)
        self.together: Together[tuple[views.Overview, Markup, int]] = Together()
        self.seen = Seen(house.registry)
        self.tally = Tally(house.alerts)

    # ------------------------------------------------------------------ who may see what

    def homes(self, visitor: Visitor) -> list[Home]:
        return scope.homes_of(visitor.account, self.house.registry)

    def covers(self, visitor: Visitor, place: str) -> bool:
        """Whether this grid or area is theirs to see."""
        return scope.covers(visitor.account, place, self.house.registry)

    def grids_told_of(self, visitor: Visitor) -> list[Home]:
        """Grids about which people are told something: they stand on the list like a household."""
        alerts = self.house.alerts.alerts(unclosed=True, limit=views.ALL)
        told = dict.fromkeys(alert.home for alert in alerts if alert.is_open and alert.home.startswith(GRID))
        grids = [grid for home_id in told if (grid := self.house.registry.home(home_id)) is not None]
        return [grid for grid in grids if self.covers(visitor, grid.grid)]

    def people(self, visitor: Visitor) -> list[Person]:
        """Everybody for whoever keeps all, else who belongs to their homes or works for their places."""
        everybody = self.house.registry.people()
        if self.covers(visitor, ""):
            return everybody
        own = scope.people_of(visitor.account, self.house.registry)
        return [person for person in everybody if person.id in own]

    def home(self, visitor: Visitor, home_id: str, *, glass: bool = False) -> Home:
        """The home, or the same 404 whether it does not exist or is not theirs; who looks is written down.

        `glass`: whoever has broken the glass of an emergency there looks at it too, and changes nothing.
        """
        home = self._theirs(visitor, home_id, glass=glass)
        self._saw(visitor, home, "home")
        return home

    def known(self, visitor: Visitor, home_id: str) -> Home | None:
        """The home where it is theirs and it is written down already that they look at it in this hour."""
        home = scope.home_of(visitor.account, home_id, self.house.registry)
        is_noted = home is not None and self.seen.is_noted(
            visitor.account.person, home.id, "home", self.house.clock.now()
        )
        return home if is_noted else None

    def _theirs(self, visitor: Visitor, home_id: str, *, glass: bool = False) -> Home:
        home = scope.home_of(visitor.account, home_id, self.house.registry)
        if home is None and glass and self._is_behind_glass(visitor, home_id):
            home = self.house.registry.home(home_id)
        if home is None:
            raise HTTPException(404)
        return home

    def _is_behind_glass(self, visitor: Visitor, home_id: str) -> bool:
        """Whether they have broken the glass of an emergency that is open there, within the hour, or see to it."""
        if visitor.account.duty not in ON_DUTY:
            return False
        store, who, now = self.house.alerts, visitor.account.person, self.house.clock.now()
        return any(
            alert.owner == who or card.opened(alert, store.history(alert.id), who, now) is not None
            for alert in store.alerts(home=home_id, unclosed=True)
        )

    def _saw(self, visitor: Visitor, home: Home | None, what: str) -> None:
        if home is not None:
            account = visitor.account
            self.seen.note(account.person, home, what, self.house.clock.now(), account.duty.value)

    def listed(self, visitor: Visitor, what: str) -> None:
        """They get a list that names the residents of their place; pages of this kind note it as they are printed."""
        self.seen.note_list(visitor.account, visitor.account.place, what, self.house.clock.now())

    def alert(self, visitor: Visitor, alert_id: str) -> Alert:
        alert = self.house.alerts.alert(alert_id)
        if alert is None:
            raise HTTPException(404)
        if not self.covers(visitor, ""):
            self._theirs(visitor, alert.home, glass=True)
        if visitor.account.duty is Duty.INSTALLER and not views.is_equipment(alert):
            raise HTTPException(404)
        self._saw(visitor, self.house.registry.home(alert.home), "alert")
        return alert

    def wants(self, visitor: Visitor, ref: str) -> Callable[[Event], bool]:
        """Which events this visitor's page is told of."""
        works_here = visitor.account.duty in scope.BY_PLACE
        own = set() if works_here else {home.id for home in self.homes(visitor)}

        def wanted(event: Event) -> bool:
            if works_here:
                theirs = not (event.home or event.grid) or self.covers(visitor, event.grid)
            else:
                theirs = event.home in own and self.is_shown(visitor, event.home)
            return theirs and (not ref or event.ref == ref)

        return wanted

    def unread(self, visitor: Visitor) -> list[Quarantined]:
        """What could not be read, of the hubs of their homes."""
        rows = self.house.readings.quarantine(MOST_UNREAD)
        if not self.covers(visitor, ""):  # nobody knows to whom the others belong
            own = {hub.id for home in self.homes(visitor) for hub in home.hubs}
            rows = [row for row in rows if row.hub in own]
        return rows[:UNREAD_SHOWN]

    def is_shown(self, visitor: Visitor, home_id: str) -> bool:
        """Whether they may still see it: what a resident takes back ends on open pages and streams too."""
        return scope.home_of(visitor.account, home_id, self.house.registry) is not None

    # ------------------------------------------------------------------ the list of homes

    def show_list(self, request: Request, visitor: Visitor, part: int = 1, sought: str = "") -> Response:
        house, now, after = self.house, self.house.clock.now(), self.house.alerts.last_event()
        view, lines, found = self._lines(request, visitor, now, after, part, sought.strip().lower())
        shown = [s for s in views.Stand if s not in (views.Stand.EMERGENCY, views.Stand.RINGING)]
        counts = [(s.name.lower(), n) for s in shown if (n := view.count(s))]
        tongue = tongue_of(request)
        return self.printer.page(
            request,
            "home_list.html",
            now=now,
            visitor=visitor,
            keep=True,
            here=_part_of_list(part, sought),
            view=view,
            ringing=view.ringing[:RINGING_SHOWN],
            lines=lines,
            part=part,
            parts=max(1, -(-found // LINES_SHOWN)),
            part_address=lambda number: _part_of_list(number, sought),
            sought=sought,
            counts=counts,
            next_of=lambda alert, home: views.next_step(alert, home, house.registry),
            live=f"/events?after={after}",
            can_press=house.demo_press is not None,
            can_kill=house.demo_kill is not None,
            press_homes=sorted(
                (line.home for line in view.lines if line.home.state is Monitoring.GUARDED), key=lambda home: home.code
            ),
            to_file=sum(line.to_file for line in view.lines),
            next_deadline=self._next_deadline(tongue, now),
            learning=lambda home: learning(home, now),
        )

    def _lines(
        self, request: Request, visitor: Visitor, now: datetime, after: int, part: int, sought: str
    ) -> tuple[views.Overview, Markup, int]:
        """How these homes stand, the lines of this part of the list, and how many there are in all of it: the same for
        all who answer for the same place."""
        house, tongue, account = self.house, tongue_of(request), visitor.account

        def made() -> tuple[views.Overview, Markup, int]:
            homes = self.homes(visitor) + self.grids_told_of(visitor)
            view = views.overview(homes, house.alerts, house.readings, house.registry, now, self.lives)
            quiet = [line for line in view.quiet if sought in f"{line.home.name} {line.home.code}".lower()]
            lines = self.printer.part(
                request,
                "home_lines.html",
                now=now,
                quiet=quiet[(part - 1) * LINES_SHOWN : part * LINES_SHOWN],
                learning=lambda home: learning(home, now),
                blind_to=lambda gaps: blind_to(gaps, tongue),
            )
            return view, lines, len(quiet)

        whose = account.place if account.duty in scope.BY_PLACE else f"{account.duty} {account.login}"
        return self.together.get((whose, tongue.language, after, part, sought), made)

    def _next_deadline(self, tongue: Tongue, now: datetime) -> str:
        at = self.house.alerts.next_timer() if self.house.demo else None
        return tongue.clock(at, FALLBACK_ZONE, now) if at is not None else ""

    # ------------------------------------------------------------------ an alert

    def answered(self, one_tap: Pass) -> None:
        """The message has done its work: whoever read it has done something by its link."""
        if one_tap.delivery:
            now = self.house.clock.now()
            self.house.desk.arrived(one_tap.delivery, Stage.ANSWERED, now, now)

    def holder(self, token: str) -> tuple[Pass, Alert]:
        """Who holds this one-tap link, and the alert that it opens."""
        one_tap = self.links.read(token)
        alert = self.house.alerts.alert(one_tap.alert) if one_tap else None
        if one_tap is None or alert is None or not self.still_opens(one_tap, alert):
            raise HTTPException(410)
        if (home := self.house.registry.home(alert.home)) is not None:
            self.seen.note(one_tap.person, home, "link", self.house.clock.now())
        return one_tap, alert

    def still_opens(self, one_tap: Pass, alert: Alert) -> bool:
        """Not to the family, once the resident has taken back that they are told."""
        delivery = self.house.alerts.delivery(one_tap.delivery) if one_tap.delivery else None
        home = self.house.registry.home(alert.home)
        duty = delivery.duty if delivery else None
        return may_be_told(one_tap.person, duty, alert, home, self.house.registry, self.house.clock.now())

    def name_of(self, person: str) -> str:
        return views.person_name(self.house.registry, person)

    def answer(self, request: Request, verdict: Verdict) -> str:
        return wording.answer(verdict, tongue_of(request).language, self.name_of)

    # ------------------------------------------------------------------ a home

    def show_home(self, request: Request, visitor: Visitor, home: Home, day: str) -> Response:
        house, now, after = self.house, self.house.clock.now(), self.house.alerts.last_event()
        tongue = tongue_of(request)
        start, end, chosen = span_of_day(day, home, now)
        heard = house.readings.heard(home.id).get(home.id)
        unclosed = house.alerts.alerts(home=home.id, unclosed=True)
        life = self.lives.of(home, heard)
        line = views.home_line(home, unclosed, heard, life, house.registry.plan(home.id, now), now)
        readings = house.readings.readings(home.id, start, end)
        today = now.astimezone(home.zone).date()
        previous = (chosen or today) - A_DAY if chosen else today - A_DAY
        drawn = views.ribbon(home, readings, line.blind_since, start, end, now)
        return self.printer.page(
            request,
            "home.html",
            now=now,
            visitor=visitor,
            keep=True,
            page_zone=home.zone,
            line=line,
            home=home,
            gaps=house.readings.gaps(home.id).get(home.id, ()),
            learning=learning(home, now),
            pause=next((o for o in house.registry.plan(home.id, now) if o.key == PAUSE), None),
            alerts=unclosed,
            ribbon=drawn,
            marks_offset=first_sixth_hour(drawn),
            told=in_words(tongue, home, readings, line.blind_since, start, end, now),
            sensors=views.sensor_lines(home, self._last_words(home, now)),
            day_title=f"{chosen:%Y-%m-%d}" if chosen else tongue.say("The last 24 hours"),
            previous=previous.isoformat(),
            following=None if chosen is None else "" if chosen >= today else (chosen + A_DAY).isoformat(),
            live=f"/events?after={after}",
            can_press=house.demo_press is not None,
        )

    def _last_words(self, home: Home, now: datetime) -> list[Reading]:
        """What tells when each sensor was last heard: a day, or a week when a day leaves one out."""
        day = self.house.readings.readings(home.id, now - A_DAY, now + A_DAY)
        if {s.id for s in home.sensors} <= {r.sensor for r in day}:
            return day
        return self.house.readings.readings(home.id, now - SENSOR_MEMORY, now - A_DAY) + day


def _part_of_list(part: int, sought: str) -> str:
    """The address of a part of the list; the first one of all of it is the front page."""
    asked = {name: value for name, value in (("sought", sought), ("part", str(part) if part > 1 else "")) if value}
    return f"/?{urlencode(asked)}" if asked else "/"


def in_words(
    tongue: Tongue,
    home: Home,
    readings: Sequence[Reading],
    blind: datetime | None,
    start: datetime,
    end: datetime,
    now: datetime,
) -> list[Saying]:
    """The same day as the ribbon, told, newest first."""
    told = [Saying(stay.start, _stay_in_words(tongue, home, stay, now)) for stay in views.stays(readings)]
    for began, ended in views.holes(readings, None, now):
        text = tongue.say(
            "not heard until {time}: nothing is known of this time", time=tongue.clock(ended, home.zone, now)
        )
        told.append(Saying(max(began, start), text))
    if blind is not None and blind < end:
        told.append(Saying(max(blind, start), tongue.say("not heard since")))
    return sorted(told, key=lambda saying: saying.start, reverse=True)


def blind_to(gaps: Sequence[Gap], tongue: Tongue) -> str:
    """What cannot be noticed, the gravest first, in the room that a line has."""
    codes = sorted({gap.what for gap in gaps}, key=lambda code: (wording.STANDARD.entry(code).severity.value, code))
    names = tongue.say(", ").join(wording.task_name(code, tongue.language) for code in codes[:BLIND_SHOWN])
    more = len(codes) - BLIND_SHOWN
    return names if more <= 0 else tongue.say("{names} and {n} more", names=names, n=more)


def may_finish(alert: Alert, person: str, duty: Duty | None) -> bool:
    """Everybody finishes what they have accepted; whoever leads may finish for somebody who cannot."""
    return alert.owner in ("", person) or duty in (Duty.SUPERVISOR, Duty.ADMIN)


def learning(home: Home | None, now: datetime) -> datetime | None:
    """Until when this home is being learnt, while it is."""
    if home is None or home.state is not Monitoring.TRIAL or home.trial_until is None:
        return None
    return home.trial_until if home.trial_until > now else None


CHANNELS = {
    "console": N_("screen"),
    "webhook": N_("message"),
    "phone": N_("phone"),
    "wecom": N_("WeCom group"),
    "wecom_app": N_("WeCom"),
    "dingtalk": N_("DingTalk group"),
    "feishu": N_("Feishu group"),
    "pushplus": N_("WeChat (PushPlus)"),
    "serverchan": N_("WeChat (ServerChan)"),
    "aliyun_sms": N_("text message"),
    "aliyun_voice": N_("telephone call"),
    "tencent_sms": N_("text message"),
    "tencent_voice": N_("telephone call"),
    "email": N_("e-mail"),
    "lamp": N_("lamp"),
    "siren": N_("siren"),
    "home": N_("at home"),
    "web_push": N_("browser"),
    "apprise": N_("another service"),
}


def channel_word(name: str, tongue: Tongue) -> str:
    """What people call a channel; one that has no word keeps its name."""
    return tongue.say(CHANNELS[name]) if name in CHANNELS else name


def _stay_in_words(tongue: Tongue, home: Home, stay: views.Stay, now: datetime) -> str:
    where = views.room_name(home, stay.room)
    what = tongue.happening(stay.kind, stay.value)
    if stay.kind in (Kind.OPENING, Kind.APPLIANCE, Kind.TAP, Kind.BUTTON, Kind.TAMPER) and stay.sensor:
        name = next((s.name for s in home.sensors if s.id == stay.sensor), "")
        where = name or where
    if stay.kind is Kind.DOOR:
        where = ""
    text = tongue.say("{place}: {what}", place=where, what=what) if where else what
    if stay.end - stay.start >= timedelta(minutes=1):
        text = tongue.say("{said}, until {time}", said=text, time=tongue.clock(stay.end, home.zone, now))
    if stay.count > 2:
        text = tongue.say("{said} ({n} times)", said=text, n=stay.count)
    return text


def span_of_day(day: str, home: Home, now: datetime) -> tuple[datetime, datetime, date | None]:
    """From, to, and the date asked for: the last 24 hours unless a readable day, not in the future, was asked for."""
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        return now - A_DAY, now, None
    if chosen > now.astimezone(home.zone).date() or chosen.year < 1970:
        return now - A_DAY, now, None
    begin = datetime.combine(chosen, time(), home.zone).astimezone(UTC)
    return begin, datetime.combine(chosen + A_DAY, time(), home.zone).astimezone(UTC), chosen


def first_sixth_hour(ribbon: views.Ribbon) -> int:
    """Every third hour has a line; a phone has room for the name of every sixth."""
    return next((i % 2 for i, mark in enumerate(ribbon.marks) if int(mark.label) % 6 == 0), 0)


# --------------------------------------------------------------------------- routes


def routes(pages: Pages, doors: Doors) -> Addresses:
    """The addresses of the pages, and who may use each."""
    router = Addresses()
    house, printer = pages.house, pages.printer
    OnDuty = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806 (a type)
    Admin = Annotated[Visitor, Depends(doors.signed_in(Duty.ADMIN))]  # noqa: N806
    Dealing = Annotated[Visitor, Depends(doors.signed_in(*WITH_INSTALLERS))]  # noqa: N806
    Anybody = Annotated[Visitor, Depends(doors.signed_in(*scope.ROLES))]  # noqa: N806

    @router.get("/")
    def show_list(
        request: Request,
        visitor: Anybody,
        part: Annotated[int, Query(ge=1, le=10_000)] = 1,
        sought: Annotated[str, Query(max_length=80)] = "",
    ) -> Response:
        """The list of homes; whoever has nothing to do there is shown where they begin."""
        front = scope.FRONT.get(visitor.account.duty)
        return RedirectResponse(front, status_code=303) if front else pages.show_list(request, visitor, part, sought)

    @router.get("/homes/{home_id}")
    def show_home(request: Request, visitor: OnDuty, home_id: str, day: str = "") -> Response:
        home = pages.home(visitor, home_id, glass=True)
        if home_id.startswith(GRID):
            # A grid has its duty sheet; the installation as a whole has no page of its own.
            return RedirectResponse(f"/rota/{quote(home.grid, safe='')}" if home.grid else "/", status_code=303)
        return pages.show_home(request, visitor, home, day)

    @router.get("/quarantine")
    def show_quarantine(request: Request, visitor: Admin) -> Response:
        tongue = tongue_of(request)
        return printer.page(
            request,
            "quarantine.html",
            visitor=visitor,
            rows=pages.unread(visitor),
            zone=FALLBACK_ZONE,
            reason=lambda code: tongue.say(QUARANTINE_REASONS[code]) if code in QUARANTINE_REASONS else code,
        )

    @router.get("/events")
    async def events(
        visitor: Dealing,
        after: Annotated[int, Query(ge=0)] = 0,
        ref: str = "",
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        if visitor.account.duty is Duty.INSTALLER:
            await asyncio.to_thread(pages.alert, visitor, ref)  # of one alert that is theirs to see, and no others
        wanted = doors.while_signed_in(visitor, pages.wants(visitor, ref))
        return pages.feed.respond(resume_from(last_event_id, after), wanted)

    @router.get("/a/{token}/events")
    async def events_by_link(
        token: str,
        after: Annotated[int, Query(ge=0)] = 0,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        one_tap, alert = await asyncio.to_thread(pages.holder, token)
        if one_tap.delivery:
            # A page that listens stands on somebody's telephone; previews and scanners only fetch it.
            now = house.clock.now()
            await asyncio.to_thread(house.desk.arrived, one_tap.delivery, Stage.OPENED, now, now)
        return pages.feed.respond(
            resume_from(last_event_id, after),
            lambda event: event.ref == one_tap.alert and pages.still_opens(one_tap, alert),
        )

    # ------------------------------------------------------------------ language, health

    @router.post("/language/{language}", dependencies=[Depends(doors.from_here)])
    def choose_before_the_door(language: str, back: Annotated[str, Form(max_length=2000)] = "/") -> Response:
        return choose(language, back)

    @router.get("/language/{language}")
    def choose(language: str, back: str = "/") -> Response:
        answer = RedirectResponse(local(back), status_code=303)
        if language in LANGUAGES:
            answer.set_cookie(
                LANGUAGE_COOKIE,
                language,
                max_age=A_YEAR_S,
                samesite="lax",
                secure=house.secure_cookies,
                httponly=True,
            )
        return answer

    return router


def local(path: str) -> str:
    """The path when it leads to one of our own pages, else the front page."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"
