"""What is kept and reckoned: an alert's whole timeline, the clocks that run, who is to be looked in on, the figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from alerts import sla, timeline, wording
from alerts.sla import Clock, Figures, Share, Step
from alerts.timeline import Line, Mark, Sort
from dashboard import views
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.pages import CHANNELS, ON_DUTY, WITH_INSTALLERS, Pages
from dashboard.printer import FALLBACK_ZONE, tongue_of
from dashboard.words import N_, Tongue
from gateway.domain import Alert, Delivery, Duty, Entry, Home, Reading, Stage, State
from gateway.locales import LANGUAGES

STEPS: Mapping[Step, str] = {
    Step.ACCEPT: N_("to be accepted"),
    Step.DEPART: N_("to set off"),
    Step.ARRIVE: N_("to arrive"),
}

SORTS: Mapping[Sort, str] = {
    Sort.READING: N_("seen"),
    Sort.DECISION: N_("decided"),
    Sort.MESSAGE: N_("message"),
    Sort.PERSON: N_("person"),
}

HEADS = (
    N_("Grid"),
    N_("Month"),
    N_("Alerts"),
    N_("Answered within 60 s"),
    N_("Answered within 180 s"),
    N_("Arrived within 15 min"),
    N_("Arrived within 30 min"),
    N_("False alarms"),
    N_("Answer, median"),
    N_("Arrival, median"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a timeline in words; readings that go on are one line."""

    at: datetime
    sort: Sort
    text: str


class Records:
    """What these pages, the command line and other programs need from the stores."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house
        self.printer = pages.printer

    # ------------------------------------------------------------------ one alert from beginning to end

    def lines(self, alert: Alert) -> list[Line]:
        house = self.house
        begin, end = timeline.window(alert, house.clock.now())
        readings = house.readings.readings(alert.home, begin, end)[-timeline.READINGS_AT_MOST :]
        return timeline.timeline(readings, house.alerts.history(alert.id), house.alerts.deliveries(alert.id))

    def told(self, alert: Alert, tongue: Tongue) -> list[Told]:
        """The timeline in words. What somebody's sensors said for a while is told as one stay."""
        home, now, lines = self.house.registry.home(alert.home), self.house.clock.now(), self.lines(alert)
        readings = [line.of for line in lines if isinstance(line.of, Reading)]
        begin, end = timeline.window(alert, now)
        seen = self.pages.in_words(tongue, home, readings, None, begin, end) if home else []
        told = [Told(saying.start, Sort.READING, saying.text) for saying in seen]
        told += [Told(line.at, line.sort, self.say(line.of, tongue, home)) for line in lines if not _is_reading(line)]
        order = list(Sort)
        return sorted(told, key=lambda one: (one.at, order.index(one.sort)))

    def say(self, of: Reading | Entry | Mark, tongue: Tongue, home: Home | None) -> str:
        """One line in words, without its time."""
        zone, now = home.zone if home else FALLBACK_ZONE, self.house.clock.now()
        if isinstance(of, Reading):
            room = views.room_name(home, of.room) if home and of.room else ""
            what = tongue.happening(of.kind, of.value)
            return tongue.say("{place}: {what}", place=room, what=what) if room else what
        if isinstance(of, Entry):
            return wording.history_line(of, tongue.language, zone, self.pages.name_of, now)
        return say_mark(of, tongue, self.pages.name_of(of.delivery.person))

    def as_data(self, alert: Alert) -> Mapping[str, Any]:
        """Everything about an alert, for other programs: each line in every language, and as data."""
        house = self.house
        home = house.registry.home(alert.home)
        deliveries, history = house.alerts.deliveries(alert.id), house.alerts.history(alert.id)
        tongues = [Tongue(language) for language in LANGUAGES]
        return {
            "alert": alert_as_data(alert),
            "timeline": [
                {
                    "at": line.at.isoformat(),
                    "sort": line.sort.value,
                    "text": {tongue.language: self.say(line.of, tongue, home) for tongue in tongues},
                    **_as_data(line.of),
                }
                for line in self.lines(alert)
            ],
            "messages": [_message(delivery) for delivery in deliveries],
            "people": [
                {"person": person, "name": self.pages.name_of(person)}
                for person in timeline.people(alert, history, deliveries)
            ],
        }

    def show_timeline(self, request: Request, visitor: Visitor, alert: Alert) -> Response:
        tongue, home = tongue_of(request), self.house.registry.home(alert.home)
        zone = home.zone if home else FALLBACK_ZONE
        return self.printer.page(
            request,
            "timeline_sheet.html",
            visitor=visitor,
            page_zone=zone,
            alert=alert,
            home=home,
            sentences=wording.explain(alert.finding, tongue.language, zone, home),
            told=self.told(alert, tongue),
            sort_names={sort: tongue.say(name) for sort, name in SORTS.items()},
            owner=self.pages.name_of(alert.owner) if alert.owner else "",
        )

    # ------------------------------------------------------------------ the clocks that run

    def show_clocks(self, request: Request, visitor: Visitor) -> Response:
        house, now, tongue = self.house, self.house.clock.now(), tongue_of(request)
        homes = {home.id: home for home in self.pages.homes(visitor)}
        unclosed = [a for a in house.alerts.alerts(unclosed=True, limit=views.ALL) if a.home in homes]
        board = sla.board([a for a in unclosed if views.is_for_people(a.severity)], now)
        due = sorted(
            ((at, alert) for alert in unclosed if (at := sla.follow_up_due(alert)) is not None),
            key=lambda line: line[0],
        )
        return self.printer.page(
            request,
            "clocks_list.html",
            now=now,
            visitor=visitor,
            board=board,
            follow_ups=due,
            homes=homes,
            step_name=lambda step: tongue.say(STEPS[step]),
            holder=lambda alert: self.pages.name_of(alert.holder) if alert.holder else "",
            to_file=sum(a.state in (State.RESOLVED, State.FOLLOWED_UP) and not sla.follow_up_due(a) for a in unclosed),
            live=f"/events?after={house.alerts.last_event()}",
        )

    # ------------------------------------------------------------------ the figures

    def figures(self, month: str, grid: str = "") -> list[Figures]:
        """Of every grid, or of one. ValueError: that is no month."""
        homes = {home.id: home for home in self.house.registry.homes()}
        since, until = sla.span_of(month)
        raised = [a for a in self.house.alerts.raised(since, until) if a.home in homes]
        mine = [a for a in raised if not grid or homes[a.home].grid == grid]
        return sla.figures(mine, month, lambda home: (homes[home].grid, homes[home].zone), self.house.clock.now())

    def show_figures(self, request: Request, visitor: Visitor, month: str) -> Response:
        now, tongue = self.house.clock.now(), tongue_of(request)
        month = month or sla.month_of(now, FALLBACK_ZONE)
        rows = self._rows(visitor, month)
        first = datetime.fromisoformat(f"{month}-15")
        return self.printer.page(
            request,
            "figures_sheet.html",
            visitor=visitor,
            month=month,
            rows=rows,
            heads=[tongue.say(head) for head in HEADS],
            grid_name=self.grid_name(tongue),
            previous=f"{first - timedelta(days=30):%Y-%m}",
            following=f"{first + timedelta(days=30):%Y-%m}",
            is_now=month >= sla.month_of(now, FALLBACK_ZONE),
        )

    def figures_sheet(self, visitor: Visitor, month: str, tongue: Tongue) -> str:
        return sheet(self._rows(visitor, month), tongue, self.grid_name(tongue))

    def _rows(self, visitor: Visitor, month: str) -> list[Figures]:
        try:
            return self.figures(month, visitor.account.grid)
        except ValueError:
            raise HTTPException(404) from None

    def grid_name(self, tongue: Tongue) -> Mapping[str, str]:
        return {grid.code: grid.name for grid in self.house.registry.grids()} | {"": tongue.say("All")}


def sheet(rows: Sequence[Figures], tongue: Tongue, grid_name: Mapping[str, str]) -> str:
    """The figures as CSV, each share as "part/whole": a percentage of three alerts says little."""
    return sla.sheet(
        [tongue.say(head) for head in HEADS],
        (
            (
                grid_name.get(row.grid, row.grid),
                row.month,
                row.alerts,
                *(f"{share.part}/{share.whole}" for share in (*row.answered, *row.arrived, row.false)),
                *(span.total_seconds() if span is not None else None for span in (row.answer, row.arrival)),
            )
            for row in rows
        ),
    )


def say_mark(mark: Mark, tongue: Tongue, name: str) -> str:
    """What became of a message: to whom, through what, how far, and why not."""
    delivery = mark.delivery
    channel = tongue.say(CHANNELS[delivery.channel]) if delivery.channel in CHANNELS else delivery.channel
    text = tongue.say(
        "{name}: {purpose} · {channel} · {stage}",
        name=name,
        purpose=tongue.purpose(delivery.purpose),
        channel=channel,
        stage=tongue.stage(mark.stage),
    )
    is_why = mark.stage in (Stage.FAILED, Stage.WITHDRAWN, Stage.WAITING) and delivery.reason
    return f"{text} · {wording.reason_text(delivery.reason, tongue.language)}" if is_why else text


# --------------------------------------------------------------------------- as data


def alert_as_data(alert: Alert) -> Mapping[str, Any]:
    moments = ("raised", "notified", "accepted", "en_route", "on_site", "resolved", "followed_up", "closed", "overdue")
    return {
        "id": alert.id,
        "home": alert.home,
        "code": alert.code,
        "subject": alert.subject,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "owner": alert.owner,
        "coordinator": alert.coordinator,
        "outcome": alert.outcome.value if alert.outcome else None,
        "judgement": alert.outcome.judgement.value if alert.outcome else None,
        "note": alert.note,
        "count": alert.count,
        "at": {name: _iso(getattr(alert, f"{name}_at")) for name in moments},
        "clocks": [_clock(clock) for clock in sla.clocks(alert)],
    }


def _clock(clock: Clock) -> Mapping[str, Any]:
    return {"step": clock.step.value, "due_at": _iso(clock.due_at), "done_at": _iso(clock.done_at)}


def _as_data(of: Reading | Entry | Mark) -> Mapping[str, Any]:
    if isinstance(of, Reading):
        return {"sensor": of.sensor, "room": of.room, "kind": of.kind.value, "value": of.value}
    if isinstance(of, Entry):
        return {"what": of.what, "who": of.who, "facts": dict(of.facts)}
    return {"message": of.delivery.id, "who": of.delivery.person, "stage": of.stage.value}


def _message(delivery: Delivery) -> Mapping[str, Any]:
    """A message without the address it went to: that is nobody's who reads this."""
    return {
        "id": delivery.id,
        "purpose": delivery.purpose.value,
        "person": delivery.person,
        "channel": delivery.channel,
        "duty": delivery.duty.value if delivery.duty else None,
        "stage": delivery.stage.value,
        "attempts": delivery.attempts,
        "reason": delivery.reason,
        "at": {
            "written": _iso(delivery.created_at),
            "sent": _iso(delivery.sent_at),
            "delivered": _iso(delivery.delivered_at),
            "opened": _iso(delivery.opened_at),
            "answered": _iso(delivery.answered_at),
            "failed": _iso(delivery.failed_at),
        },
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _is_reading(line: Line) -> bool:
    return isinstance(line.of, Reading)


def percent(share: Share) -> str:
    """A share for a page: 67 % (2/3), or a dash where there was nothing."""
    return "–" if share.percent is None else f"{share.percent:.0f} % ({share.part}/{share.whole})"


# --------------------------------------------------------------------------- routes


def routes(records: Records, doors: Doors) -> APIRouter:
    """For who may see the home; the figures for who leads and whoever is measured by them."""
    router = APIRouter()
    pages = records.pages
    In = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806 (a type)
    Dealing = Annotated[Visitor, Depends(doors.signed_in(*WITH_INSTALLERS))]  # noqa: N806

    def whole(visitor: Visitor, alert_id: str) -> Alert:
        """A timeline shows somebody's day, so an installer reads none that has any."""
        if visitor.account.duty is Duty.INSTALLER:
            raise HTTPException(403)
        return pages.alert(visitor, alert_id)

    @router.get("/api/v1/alerts/{alert_id:path}/timeline")
    def timeline_as_data(visitor: Dealing, alert_id: str) -> Response:
        return JSONResponse(records.as_data(whole(visitor, alert_id)))

    @router.get("/alerts/{alert_id:path}/timeline")
    def show_timeline(request: Request, visitor: Dealing, alert_id: str) -> Response:
        return records.show_timeline(request, visitor, whole(visitor, alert_id))

    @router.get("/clocks")
    def show_clocks(request: Request, visitor: In) -> Response:
        return records.show_clocks(request, visitor)

    @router.get("/figures")
    def show_figures(request: Request, visitor: In, month: str = "") -> Response:
        return records.show_figures(request, visitor, month)

    @router.get("/figures.csv")
    def download_figures(request: Request, visitor: In, month: str = "") -> Response:
        text = records.figures_sheet(
            visitor, month or sla.month_of(pages.house.clock.now(), FALLBACK_ZONE), tongue_of(request)
        )
        # The mark at the beginning tells a spreadsheet that it is UTF-8.
        return Response(
            "\ufeff" + text,
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="figures.csv"'},
        )

    return router
