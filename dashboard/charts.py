"""Charts: a sentence, a picture and the numbers behind it. The picture is drawn from the table that stands below it.

So there is one set of numbers, under the rights of the page they stand on, and whoever cannot see a picture, or has no
scripts, reads the same. What reaches back for months comes from the sums of the hours, not from readings.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import Response

from alerts.sums import Week
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.days import Day, days_of, moment
from dashboard.doors import Doors
from dashboard.overview import LEADERS, Overview, address
from dashboard.pages import ON_DUTY, WITH_INSTALLERS, Pages
from dashboard.printer import tongue_of
from dashboard.words import Tongue
from gateway.domain import SIGNS_OF_LIFE, Home, Kind
from gateway.keeping import Kept
from gateway.ports import Hour

A_DAY, AN_HOUR, A_MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

DAYS = 14
"""Of nights and outings: what is still as it was two weeks ago."""

MONTHS = 91 * A_DAY
"""Of life and of devices: a change of a season."""

YEARS, YEARS_MIRRORED = 3, 10
"""So many can be looked back into: what is kept of the sums of hours, and what a mirror may hold."""

LIFE = SIGNS_OF_LIFE - {Kind.SOS, Kind.BUTTON, Kind.ASSIST}
SEEN = SIGNS_OF_LIFE | {Kind.RETURNED}

BARS, LINE = "bars", "line"


@dataclass(frozen=True, slots=True)
class Column:
    """One row of values of a chart; those of one unit share a scale."""

    name: str
    unit: str
    drawn: str = LINE
    most: float | None = None  # the top of the scale, where it has one


@dataclass(frozen=True, slots=True)
class Chart:
    name: str
    sentence: str  # what one would say of it on the telephone
    head: str  # of the first column of the table
    columns: Sequence[Column]
    rows: Sequence[tuple[str, Sequence[float | None]]]  # None is not known, and no zero

    @property
    def is_empty(self) -> bool:
        return all(value is None for _, values in self.rows for value in values)


# --------------------------------------------------------------------------- week by week


def of_weeks(weeks: Sequence[Week], tongue: Tongue) -> list[Chart]:
    """How fast people answered and came, and how much they were called for."""
    say, head = tongue.say, tongue.say("Week from")
    known = [week for week in weeks if week.figures.answer is not None]
    sentence = say("No alert has been answered in this time.")
    if known:
        last = known[-1]
        assert last.figures.answer is not None
        sentence = say(
            "In the week from {day} half of the alerts were accepted within {span}.",
            day=f"{last.begins:%m-%d}",
            span=tongue.span(last.figures.answer),
        )
    total = sum(week.figures.alerts for week in weeks)
    return [
        Chart(
            say("Until somebody has it, until somebody is there"),
            sentence,
            head,
            (Column(say("Answer, median"), say("min")), Column(say("Arrival, median"), say("min"))),
            [
                (f"{week.begins:%m-%d}", [_in(week.figures.answer, A_MINUTE), _in(week.figures.arrival, A_MINUTE)])
                for week in weeks
            ],
        ),
        Chart(
            say("Alerts and false alarms"),
            say("{n} alerts in {weeks} weeks.", n=total, weeks=len(weeks)),
            head,
            (Column(say("Alerts"), say("cases"), BARS), Column(say("False alarms"), "%", LINE, 100)),
            [(f"{week.begins:%m-%d}", [week.figures.alerts, week.figures.false.percent]) for week in weeks],
        ),
    ]


# --------------------------------------------------------------------------- a home


def of_days(days: Sequence[Day], now: datetime, tongue: Tongue) -> Chart:
    """Nights and outings."""
    say = tongue.say
    rested = [day.rested for day in days if day.rested is not None]
    out = [span for day in days if (span := day.out_for(now)) is not None]
    sentence = say("Not enough is known of these days yet.")
    if rested and any(span >= AN_HOUR for span in out):
        sentence = say(
            "On these days the nights lasted {night} on average, and {out} a day was spent outside.",
            night=tongue.span(sum(rested, timedelta(0)) / len(rested)),
            out=tongue.span(sum(out, timedelta(0)) / len(out)),
        )
    elif rested:
        night = tongue.span(sum(rested, timedelta(0)) / len(rested))
        sentence = say("On these days the nights lasted {night} on average.", night=night)
    return Chart(
        say("Nights and outings"),
        sentence,
        say("Day"),
        (Column(say("Night's rest"), say("h"), BARS), Column(say("Outside"), say("h"))),
        [(f"{day.on:%m-%d}", [_in(day.rested, AN_HOUR), _in(day.out_for(now), AN_HOUR)]) for day in days],
    )


def of_life(hours: Iterable[Hour], home: Home, days: Sequence[date], tongue: Tongue) -> Chart:
    """In how many hours of each day somebody moved: it shrinks when somebody fades."""
    lived: dict[date, set[datetime]] = {}
    for hour in hours:
        if hour.most > 0:
            lived.setdefault(hour.begins.astimezone(home.zone).date(), set()).add(hour.begins)
    counts = [(day, len(lived[day]) if day in lived else None) for day in days]
    known = [n for _, n in counts if n is not None]
    return Chart(
        tongue.say("Hours with life"),
        tongue.say("Somebody moved in {n} hours of a usual day.", n=sorted(known)[len(known) // 2])
        if known
        else tongue.say("Not enough is known of these days yet."),
        tongue.say("Day"),
        (Column(tongue.say("Hours with life"), tongue.say("h"), BARS, 24),),
        [(f"{day:%m-%d}", [n]) for day, n in counts],
    )


def of_device(name: str, hours: Iterable[Hour], home: Home, days: Sequence[date], tongue: Tongue) -> Chart:
    """A battery that empties and a link that fades, day by day."""
    told: Mapping[Kind, dict[date, list[Hour]]] = {Kind.BATTERY: {}, Kind.LINK: {}}
    for hour in hours:
        told[hour.kind].setdefault(hour.begins.astimezone(home.zone).date(), []).append(hour)
    battery = [min((h.least for h in told[Kind.BATTERY].get(day, ())), default=None) for day in days]
    link = [_mean(told[Kind.LINK].get(day, ())) for day in days]
    said = []
    full, signal = [n for n in battery if n is not None], [n for n in link if n is not None]
    if full:
        said.append(tongue.say("Battery {n} %, {before} % at the beginning.", n=round(full[-1]), before=round(full[0])))
    if signal:
        said.append(tongue.say("Signal {n} of 255.", n=round(signal[-1])))
    return Chart(
        name,
        " ".join(said),
        tongue.say("Day"),
        (Column(tongue.say("Battery"), "%", LINE, 100), Column(tongue.say("Signal"), "0–255", LINE, 255)),
        [(f"{day:%m-%d}", [b, s]) for day, b, s in zip(days, battery, link, strict=True)],
    )


def _mean(hours: Sequence[Hour]) -> float | None:
    count = sum(hour.count for hour in hours)
    return round(sum(hour.total for hour in hours) / count) if count else None


def _in(span: timedelta | None, unit: timedelta) -> float | None:
    return None if span is None else round(span / unit, 1)


# --------------------------------------------------------------------------- pages


@dataclass(frozen=True, slots=True)
class LookBack:
    """How far a page of a home looks back, and what is known of that time."""

    year: int  # 0: the last months
    offered: Sequence[int]
    days: Sequence[date]
    hours: Sequence[Hour]
    is_whole: bool  # whether the mirror has answered, where it was asked


class Charts:
    """What these pages need from the stores."""

    def __init__(self, pages: Pages, overview: Overview) -> None:
        self.pages = pages
        self.house = pages.house
        self.overview = overview

    def show_weeks(self, request: Request, visitor: Visitor, place: str) -> Response:
        tongue = tongue_of(request)
        weeks = self.overview.county.weeks(place, self.house.clock.now())
        return self.pages.printer.page(
            request,
            "charts.html",
            visitor=visitor,
            back=address(place),
            back_word=tongue.say("Overview"),
            title=self.overview.title(place, tongue),
            what=tongue.say("Week by week"),
            charts=of_weeks(weeks, tongue),
            look_back=None,
        )

    def show_days(self, request: Request, visitor: Visitor, home: Home, year: int) -> Response:
        now, tongue = self.house.clock.now(), tongue_of(request)
        back = self._look_back(home, year, LIFE)
        charts = [of_life(back.hours, home, back.days, tongue)]
        if not back.year:
            today = now.astimezone(home.zone).date()
            first = today - (DAYS - 1) * A_DAY
            told = self.house.readings.readings(home.id, moment(home, first - A_DAY, time()), now + A_DAY, SEEN)
            charts.insert(0, of_days(days_of(home, told, first, today, now), now, tongue))
        return self._of_home(request, visitor, home, tongue.say("Days and weeks"), "days", back, charts)

    def show_devices(self, request: Request, visitor: Visitor, home: Home, year: int) -> Response:
        tongue, back = tongue_of(request), self._look_back(home, year, (Kind.BATTERY, Kind.LINK))
        by_sensor: dict[str, list[Hour]] = {}
        for hour in back.hours:
            by_sensor.setdefault(hour.sensor, []).append(hour)
        charts = [
            of_device(sensor.name or sensor.id, by_sensor[sensor.id], home, back.days, tongue)
            for sensor in home.sensors
            if sensor.id in by_sensor
        ]
        return self._of_home(request, visitor, home, tongue.say("Batteries and signal"), "devices", back, charts)

    def _look_back(self, home: Home, year: int, kinds: Collection[Kind]) -> LookBack:
        """A year of a home, or with none of those that are offered the last months. What our own sums do not reach is
        read from the mirror, except of a household that is to be forgotten sooner than others."""
        house, now = self.house, self.house.clock.now()
        today = now.astimezone(home.zone).date()
        offered = range(today.year, today.year - (YEARS_MIRRORED if house.history else YEARS), -1)
        year = year if year in offered else 0
        last = min(today, date(year, 12, 31)) if year else today
        first = date(year, 1, 1) if year else today - MONTHS + A_DAY
        since, until = moment(home, first, time()), min(moment(home, last + A_DAY, time()), now)
        hours, is_whole = house.readings.hours(home.id, since, until, kinds), True
        begins = min((hour.begins for hour in hours), default=until)
        is_kept_apart = any(line.key == Kept.HOURS for line in house.registry.plan(home.id, now))
        if year and house.history is not None and begins - since >= A_DAY and not is_kept_apart:
            try:
                hours = [*house.history.hours(home.id, since, begins, kinds), *hours]
            except OSError:
                is_whole = False
        days = [first + n * A_DAY for n in range((last - first).days + 1)]
        return LookBack(year, offered, days, hours, is_whole)

    def _of_home(
        self,
        request: Request,
        visitor: Visitor,
        home: Home,
        what: str,
        page: str,
        back: LookBack,
        charts: Sequence[Chart],
    ) -> Response:
        is_installer = visitor.account.duty not in ON_DUTY
        return self.pages.printer.page(
            request,
            "charts.html",
            visitor=visitor,
            page_zone=home.zone,
            back=f"/{'install' if is_installer else 'homes'}/{home.id}",
            back_word=f"{home.name} {home.code}",
            title=home.name,
            what=what,
            charts=[chart for chart in charts if not chart.is_empty],
            at=f"/homes/{quote(home.id, safe='')}/{page}",
            look_back=back,
        )


def routes(charts: Charts, doors: Doors) -> Addresses:
    """The weeks for whoever answers for an area; a home's days for who is on duty, its devices for installers too."""
    router = Addresses()
    pages, overview = charts.pages, charts.overview
    Leader = Annotated[Visitor, Depends(doors.signed_in(*LEADERS))]  # noqa: N806 (a type)
    OnDuty = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806
    Dealing = Annotated[Visitor, Depends(doors.signed_in(*WITH_INSTALLERS))]  # noqa: N806

    @router.get("/overview/{place}/weeks")
    def show_weeks(request: Request, visitor: Leader, place: str) -> Response:
        return charts.show_weeks(request, visitor, overview.place(visitor, place))

    @router.get("/homes/{home_id}/days")
    def show_days(request: Request, visitor: OnDuty, home_id: str, year: int = 0) -> Response:
        return charts.show_days(request, visitor, pages.home(visitor, home_id), year)

    @router.get("/homes/{home_id}/devices")
    def show_devices(request: Request, visitor: Dealing, home_id: str, year: int = 0) -> Response:
        return charts.show_devices(request, visitor, pages.home(visitor, home_id), year)

    return router
