"""The alert's page: why, how to get there, whose it is, and one large button for what comes next."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import card, sla, wording
from alerts.escalation import Reason, Verdict
from alerts.history import What
from alerts.incident import OUTAGE
from alerts.maintenance import HUSHED, TEST, is_held
from alerts.routing import volunteers
from dashboard import pictures, views
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Why, Word
from dashboard.handling import DOOR_NEAR, Given, Handling, door_seen
from dashboard.links import Pass
from dashboard.pages import A_DAY, ON_DUTY, WITH_INSTALLERS, channel_word, first_sixth_hour, learning, may_finish
from dashboard.people import WORDS
from dashboard.printer import FALLBACK_ZONE, alert_url, tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import (
    Alert,
    Contact,
    Delivery,
    Duty,
    Elder,
    Entry,
    Home,
    Kind,
    Monitoring,
    Outcome,
    Person,
    Severity,
    State,
)
from gateway.domain.home import GRID

RELIEF = (
    Duty.GRID_WORKER,
    Duty.DEPUTY,
    Duty.NIGHT_POOL,
    Duty.SUPERVISOR,
    Duty.COMMUNITY,
    Duty.STREET,
    Duty.DISTRICT,
    Duty.INSTALLER,
)
"""To whom an alert can be handed over: a colleague, or whoever sits at a desk."""

STAYS = {
    2: N_("for 2 hours"),
    6: N_("for 6 hours"),
    24: N_("for a day"),
    72: N_("for 3 days"),
    168: N_("for a week"),
}
"""How long a resident may be with the family, by hours; it ends by itself."""

LEADS = (Duty.SUPERVISOR, Duty.ADMIN)
"""Who answers for an area, and may open what is needed there without having been called."""

ACTS = frozenset(
    {"accept", "note", "depart", "arrive", "resolve", "hand-over", "cannot-go", "follow-up", "family", "close"}
)
BY_LINK = ACTS - {"close"}
"""Filing needs somebody who is signed in; a link is for the night."""

NO_PHOTO = N_("That is no JPEG or PNG picture of at most 2 MB, or there are enough. Nothing was kept.")


class Next(StrEnum):
    """What the large button does: 接单, 我出发了, 我到了, 处置, 回访, 归档."""

    ACCEPT = "accept"
    DEPART = "depart"
    ARRIVE = "arrive"
    RESOLVE = "resolve"
    FOLLOW_UP = "follow-up"
    FILE = "close"


@dataclass(frozen=True, slots=True)
class Member:
    """One home or device for which an alert stands; `name` is empty for who may not know it."""

    alert: Alert
    code: str
    name: str
    sensor: str
    owner: str
    zone: ZoneInfo


class AlertPage:
    """What the page shows, from the stores."""

    def __init__(self, handling: Handling) -> None:
        self.handling = handling
        self.pages = handling.pages
        self.house = handling.pages.house
        self.printer = handling.pages.printer

    def show_alert(
        self,
        request: Request,
        alert: Alert,
        *,
        visitor: Visitor | None = None,
        one_tap: Pass | None = None,
        base: str,
        csrf: str,
        refused: str = "",
        given: Given | None = None,
        at_door: bool = False,
        status: int = 200,
    ) -> Response:
        """The one page on which an alert is dealt with, for who is signed in and for who came by a link."""
        house, now, after = self.house, self.house.clock.now(), self.house.alerts.last_event()
        tongue = tongue_of(request)
        me = one_tap.person if one_tap else visitor.account.person if visitor else ""
        duty = visitor.account.duty if visitor else None
        deliveries, history = house.alerts.deliveries(alert.id), house.alerts.history(alert.id)
        if one_tap is not None and me in volunteers(deliveries):
            return self.show_errand(request, alert, me, base=base, refused=refused, given=given, status=status)
        view = views.alert_view(alert, deliveries, house.registry, house.readings, now)
        if alert.code == OUTAGE:  # it is about no single home
            view = replace(view, home=None, life=None, blind=None)
        zone = view.home.zone if view.home else FALLBACK_ZONE
        is_for_people = not views.is_equipment(alert)
        return self.printer.page(
            request,
            "alert.html",
            now=now,
            visitor=visitor,
            keep=True,
            status=status,
            here=alert_url(alert.id) if visitor else base,
            view=view,
            pass_=one_tap,
            base=base,
            csrf=csrf,
            tone=tone_of(alert),
            page_zone=zone,
            sentences=wording.explain(alert.finding, tongue.language, zone, view.home),
            joined=[
                (wording.alert_name(j.finding.code, tongue.language), j.count, self._why(j.finding, view.home, tongue))
                for j in alert.also
            ],
            spoken_for=house.alerts.alert(alert.incident) if alert.incident not in ("", alert.id) else None,
            area=alert.finding.fact("area") if alert.code == OUTAGE else "",
            members=self.members(alert, visitor),
            shows_life=view.home is not None and (is_for_people or (not one_tap and duty is not Duty.INSTALLER)),
            learning=learning(view.home, now),
            held=held(alert, view.home, tongue),
            reason=lambda text: wording.reason_text(text, tongue.language),
            next_act=Next.ARRIVE if at_door else next_act(alert, me, duty),
            mine=bool(me) and alert.owner == me,
            coordinates=bool(me) and alert.is_ringing and alert.coordinator == me,
            coordinator=self.pages.name_of(alert.coordinator) if alert.coordinator else "",
            is_family=alert.is_open and alert.code != TEST and self.handling.is_family(alert, me),
            stays=[(hours, tongue.say(text)) for hours, text in STAYS.items()],
            may_resolve=alert.is_taken and may_finish(alert, me, duty),
            must_go=must_go(alert),
            clock=sla.running(alert),
            relief=self.relief(alert, house.registry.home(alert.home), me, now)
            if alert.is_taken and may_finish(alert, me, duty)
            else [],
            people=self.contacts(alert, view.home) if is_for_people and duty is not Duty.INSTALLER else None,
            word=lambda code: tongue.say(WORDS[type(code)][code]),
            has_card=is_for_people
            and duty is not Duty.INSTALLER
            and card.denial(alert, me, "why", responders=card.responders(alert, deliveries), leads=duty in LEADS)
            is None,
            door=self._door(alert, view.home),
            photos=self._pictures(history),
            ribbon=self._ribbon(view, deliveries, visitor, one_tap, now),
            first_sixth_hour=first_sixth_hour,
            map_links=map_links(view.home) if view.home else (),
            can_picture=house.photos is not None and alert.state is not State.CLOSED and bool(me),
            follow_up_due=sla.follow_up_due(alert),
            elders=[(elder.value, wording.elder_name(elder, tongue.language)) for elder in Elder],
            outcomes=list(Outcome),
            given=given or Given(),
            refused=refused,
            history=history[::-1],
            happened=self.teller(tongue, view.home, now),
            channel_name=lambda name: channel_word(name, tongue),
            live=f"{base}/events?after={after}" if one_tap else f"/events?after={after}&ref={quote(alert.id)}",
        )

    def show_errand(
        self, request: Request, alert: Alert, me: str, *, base: str, refused: str, given: Given | None, status: int
    ) -> Response:
        """The same alert for a volunteer: where to go and what to do there, and nothing about who lives there."""
        home, now = self.house.registry.home(alert.home), self.house.clock.now()
        return self.printer.page(
            request,
            "errand.html",
            now=now,
            status=status,
            here=base,
            page_zone=home.zone if home else FALLBACK_ZONE,
            base=base,
            address=home.address if home else "",
            next_act=next_act(alert, me, None) if alert.is_open else None,
            is_open=alert.is_open,
            mine=alert.owner == me,
            outcomes=list(Outcome),
            given=given or Given(),
            refused=refused,
            live=f"{base}/events?after={self.house.alerts.last_event()}",
        )

    def members(self, alert: Alert, visitor: Visitor | None) -> list[Member]:
        """For what this alert stands, what goes on first. Of a home that is not theirs they see the code only."""
        theirs = {home.id for home in self.pages.homes(visitor)} if visitor else set()
        found = []
        for one in self.house.alerts.members(alert.id):
            home = self.house.registry.home(one.home)
            if one.code == OUTAGE or home is None:
                continue
            sensor = next((sensor.name for sensor in home.sensors if sensor.id == one.subject), one.subject)
            owner = self.pages.name_of(one.owner) if one.owner and one.is_open else ""
            name = home.name if home.id in theirs else ""
            found.append(Member(one, home.code, name, sensor, owner, home.zone))
        return sorted(found, key=lambda member: (not member.alert.is_open, member.code, member.sensor))

    def teller(self, tongue: Tongue, home: Home | None, now: datetime) -> Callable[[Entry], str]:
        zone = home.zone if home else FALLBACK_ZONE
        return lambda entry: wording.history_line(
            entry, tongue.language, zone, self.pages.name_of, now, channel_of=lambda name: channel_word(name, tongue)
        )

    def _why(self, finding: Any, home: Home | None, tongue: Tongue) -> str:
        zone = home.zone if home else FALLBACK_ZONE
        return next(iter(wording.explain(finding, tongue.language, zone, home)), "")

    def contacts(self, alert: Alert, home: Home | None) -> list[tuple[str, Contact]]:
        """Whom one can call about the resident while it is open: names and relations, with their numbers."""
        if home is None or not alert.is_open or alert.code == TEST:
            return []
        return [(self.pages.name_of(c.person), c) for c in self.house.registry.contacts(home.id) if c.phones]

    def relief(self, alert: Alert, home: Home | None, me: str, now: datetime) -> list[tuple[Person, Duty]]:
        """To whom it can be handed over: each person once, by the first duty under which they are found."""
        found: dict[str, tuple[Person, Duty]] = {}
        duties = (Duty.INSTALLER,) if views.is_equipment(alert) else RELIEF
        for duty in duties if home else ():
            for person in self.house.registry.on_duty(home.grid if home else "", duty, now):
                if person.reaches and person.id not in (alert.owner, me):
                    found.setdefault(person.id, (person, duty))
        return list(found.values())

    def _door(self, alert: Alert, home: Home | None) -> datetime | None:
        """What the home itself says about who came: the front door, near the arrival, or just now."""
        if home is None or alert.state not in (State.EN_ROUTE, State.ON_SITE) or not home.exit_doors:
            return None
        arrived = alert.on_site_at or self.house.clock.now()
        readings = self.house.readings.readings(home.id, arrived - DOOR_NEAR, arrived + DOOR_NEAR, (Kind.DOOR,))
        return door_seen(readings, arrived)

    def _pictures(self, history: Iterable[Entry]) -> list[str]:
        """Those that are still kept."""
        names = [dict(entry.facts)["photo"] for entry in history if entry.what == What.PHOTO]
        return [name for name in names if self.handling.is_kept(name)]

    def _ribbon(
        self,
        view: views.AlertView,
        deliveries: Sequence[Delivery],
        visitor: Visitor | None,
        one_tap: Pass | None,
        now: datetime,
    ) -> views.Ribbon | None:
        """The last 24 hours of rooms and doors, for who is on duty there and for who was called by their post; a link
        that family or neighbours hold shows nobody's day."""
        if view.home is None or view.home.id.startswith(GRID) or views.is_equipment(view.alert):
            return None
        on_duty = visitor is not None and visitor.account.duty in ON_DUTY
        if not on_duty and not (one_tap and one_tap.person in card.responders(view.alert, deliveries)):
            return None
        readings = self.house.readings.readings(view.home.id, now - A_DAY, now)
        return views.ribbon(view.home, readings, view.blind, now - A_DAY, now, now)


def next_act(alert: Alert, me: str, duty: Duty | None) -> Next | None:
    """What this person does next about it; None while it is somebody else's."""
    if alert.is_ringing:
        return Next.ACCEPT
    if alert.is_open:
        if alert.owner != me:
            return None
        if alert.state is State.ON_SITE or not must_go(alert):
            return Next.RESOLVE
        return Next.ARRIVE if alert.state is State.EN_ROUTE else Next.DEPART
    if alert.state is State.RESOLVED and sla.needs_follow_up(alert):
        return Next.FOLLOW_UP
    if alert.state in (State.RESOLVED, State.FOLLOWED_UP) and duty is not None:
        return Next.FILE
    return None


def must_go(alert: Alert) -> bool:
    """Whether somebody is expected at the door: not for a test or a battery, nor where no arrival was promised."""
    return alert.ladder.site is not None and alert.code != TEST and alert.severity is not Severity.TECHNICAL


def map_links(home: Home) -> tuple[tuple[str, str], ...]:
    """Where a telephone shows the way, opened by a tap: the system's own map, and one that also opens inside WeChat.

    The page itself asks nobody; whoever taps tells that map the address, and nothing else of us.
    """
    if home.position is not None:
        north, east = home.position.latitude, home.position.longitude
        amap = f"https://uri.amap.com/navigation?to={east},{north}&mode=walk&coordinate=wgs84&callnative=1"
        return ((N_("Map"), f"geo:{north},{east}?q={north},{east}"), (N_("Amap"), amap))
    if not home.address:
        return ()
    where = quote(home.address, safe="")
    return (
        (N_("Map"), f"geo:0,0?q={where}"),
        (N_("Amap"), f"https://uri.amap.com/search?keyword={where}&callnative=1"),
    )


def held(alert: Alert, home: Home | None, tongue: Tongue) -> str:
    """Why nobody is called about it yet; empty when people are."""
    if alert.is_muted:
        return tongue.say("Another alert stands for this one: nobody is called for it meanwhile")
    if not is_held(alert):
        return ""
    if alert.finding.fact(HUSHED):
        return tongue.say("It can wait: people hear of it when the quiet hours or the silence are over")
    if home is not None and home.state is Monitoring.PAUSED:
        return tongue.say("This home is paused: nobody is called until that is over")
    if home is not None and home.state is Monitoring.REGISTERED:
        return tongue.say("This home is being installed: nobody is called until it is watched")
    return tongue.say("Somebody works in this home: nobody is called until that is over")


def tone_of(alert: Alert) -> str:
    if not alert.is_open:
        return "done"
    if not alert.is_ringing:
        return "taken"
    if not views.is_for_people(alert.severity):
        return "care"
    return "emergency" if alert.severity.is_emergency else "ringing"


# --------------------------------------------------------------------------- routes


def routes(page: AlertPage, doors: Doors) -> Addresses:
    """The alert's page and its acts, for who is signed in and for who came by a one-tap link."""
    router = Addresses()
    pages, handling = page.pages, page.handling
    Dealing = Annotated[Visitor, Depends(doors.signed_in(*WITH_INSTALLERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*WITH_INSTALLERS))]  # noqa: N806
    from_here = [Depends(doors.from_here)]

    def form_of(
        outcome: Annotated[str, Form(max_length=40)] = "",
        note: Annotated[str, Form(max_length=1000)] = "",
        why: Why = "",
        to: Word = "",
        elder: Annotated[str, Form(max_length=20)] = "",
        code: Annotated[str, Form(max_length=20)] = "",
        position: Annotated[str, Form(max_length=60)] = "",
        afar: Annotated[str, Form(max_length=1)] = "",
        word: Annotated[str, Form(max_length=20)] = "",
        hours: Annotated[int, Form(ge=0, le=720)] = 0,
        sure: Annotated[str, Form(max_length=1)] = "",
        key: Annotated[str, Form(max_length=40)] = "",
        pressed: Annotated[str, Form(max_length=40)] = "",
    ) -> Given:
        return Given(outcome, note, why, to, elder, code, position, afar == "1", word, hours, sure == "1", key, pressed)

    Filled = Annotated[Given, Depends(form_of)]  # noqa: N806

    # ------------------------------------------------------------------ signed in

    def shown(request: Request, visitor: Visitor, alert: Alert, **more: Any) -> Response:
        return page.show_alert(request, alert, visitor=visitor, base=alert_url(alert.id), csrf=visitor.csrf, **more)

    @router.get("/alerts/{alert_id:path}/photos/{name}")
    def show_photo(visitor: Dealing, alert_id: str, name: str) -> Response:
        return handling.photo(pages.alert(visitor, alert_id), name)

    @router.post("/alerts/{alert_id:path}/photo", max_body_size=pictures.FORM)
    def take_photo(
        request: Request,
        visitor: Acting,
        alert_id: str,
        given: Filled,
        picture: Annotated[UploadFile | None, File()] = None,
    ) -> Response:
        alert, account = pages.alert(visitor, alert_id), visitor.account
        verdict = handling.act_once("photo", alert, account.person, account.duty, "page", given, _read(picture))
        refused = "" if verdict.told else tongue_of(request).say(NO_PHOTO)
        if by_queue(request):
            return answer_queue(verdict, refused)
        if refused:
            return shown(request, visitor, alert, refused=refused, status=422)
        return RedirectResponse(alert_url(alert.id), status_code=303)

    @router.post("/alerts/{alert_id:path}/{act}")
    def do(
        request: Request, visitor: Acting, alert_id: str, act: str, given: Filled, back: Annotated[str, Form()] = ""
    ) -> Response:
        if act not in ACTS:
            raise HTTPException(404)
        alert, account = pages.alert(visitor, alert_id), visitor.account
        verdict = handling.act_once(act, alert, account.person, account.duty, "page", given)
        refused = "" if verdict.told else pages.answer(request, verdict)
        if by_queue(request):
            return answer_queue(verdict, refused)
        if refused:
            return shown(request, visitor, pages.alert(visitor, alert_id), refused=refused, given=given)
        return RedirectResponse("/" if back == "/" else alert_url(alert.id), status_code=303)

    # ------------------------------------------------------------------ by a one-tap link

    def shown_by_link(request: Request, token: str, one_tap: Pass, alert: Alert, **more: Any) -> Response:
        # The token itself is what another site cannot know, so its forms need no second one.
        return page.show_alert(request, alert, one_tap=one_tap, base=f"/a/{token}", csrf="", **more)

    @router.get("/a/{token}")
    def look(request: Request, token: str) -> Response:
        """Shows the alert and does nothing: previews and scanners open links too."""
        return shown_by_link(request, token, *pages.holder(token))

    @router.get("/a/{token}/photos/{name}")
    def show_photo_by_link(token: str, name: str) -> Response:
        return handling.photo(pages.holder(token)[1], name)

    @router.post("/a/{token}/photo", dependencies=from_here, max_body_size=pictures.FORM)
    def take_photo_by_link(
        request: Request, token: str, given: Filled, picture: Annotated[UploadFile | None, File()] = None
    ) -> Response:
        one_tap, alert = pages.holder(token)
        verdict = handling.act_once("photo", alert, one_tap.person, None, "link", given, _read(picture))
        refused = "" if verdict.told else tongue_of(request).say(NO_PHOTO)
        if by_queue(request):
            return answer_queue(verdict, refused)
        if refused:
            return shown_by_link(request, token, one_tap, alert, refused=refused, status=422)
        return RedirectResponse(f"/a/{token}", status_code=303)

    @router.post("/a/{token}/{act}", dependencies=from_here)
    def do_by_link(request: Request, token: str, act: str, given: Filled) -> Response:
        if act not in BY_LINK:
            raise HTTPException(404)
        one_tap, alert = pages.holder(token)
        verdict = handling.act_once(act, alert, one_tap.person, None, "link", given)
        pages.answered(one_tap)
        refused = "" if verdict.told else pages.answer(request, verdict)
        if by_queue(request):
            return answer_queue(verdict, refused)
        if refused:
            return shown_by_link(request, token, *pages.holder(token), refused=refused, given=given)
        return RedirectResponse(f"/a/{token}", status_code=303)

    # Last, for its address swallows everything below it.
    @router.get("/alerts/{alert_id:path}")
    def show_alert(request: Request, visitor: Dealing, alert_id: str) -> Response:
        return shown(request, visitor, pages.alert(visitor, alert_id))

    return router


def by_queue(request: Request) -> bool:
    """Whether a telephone sends what it had kept, and wants an answer in place of a page."""
    return request.headers.get("accept", "").startswith("application/json")


def answer_queue(verdict: Verdict, refused: str) -> Response:
    """Done, which it also is when it was so already; or why not."""
    done = verdict.told or verdict.reason is Reason.YOURS
    return JSONResponse({"done": done, "said": "" if done else refused})


def _read(picture: UploadFile | None) -> bytes:
    return picture.file.read(pictures.LARGEST + 1) if picture else b""
