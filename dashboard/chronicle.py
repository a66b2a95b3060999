"""One alert from beginning to end in words and as data, and the figures: for pages, programs and the command line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts import sla, timeline, wording
from alerts.sla import Clock, Figures, Share
from alerts.timeline import Line, Mark, Sort
from dashboard import views
from dashboard.pages import channel_word, in_words
from dashboard.printer import FALLBACK_ZONE
from dashboard.tally import Tally
from dashboard.words import N_, Tongue
from gateway.domain import Alert, Delivery, Entry, Home, Reading, Stage
from gateway.locales import LANGUAGES
from gateway.ports import AlertStore, ReadingStore, RegistryStore
from gateway.ports import Clock as Watch

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


@dataclass(frozen=True, slots=True)
class Chronicle:
    """Reads what the stores know of an alert, and says it."""

    alerts: AlertStore
    registry: RegistryStore
    readings: ReadingStore
    clock: Watch
    tally: Tally

    def name_of(self, person: str) -> str:
        return views.person_name(self.registry, person)

    def lines(self, alert: Alert) -> list[Line]:
        begin, end = timeline.window(alert, self.clock.now())
        readings = self.readings.readings(alert.home, begin, end)[-timeline.READINGS_AT_MOST :]
        return timeline.timeline(readings, self.alerts.history(alert.id), self.alerts.deliveries(alert.id))

    def told(self, alert: Alert, tongue: Tongue) -> list[Told]:
        """The timeline in words. What somebody's sensors said for a while is told as one stay."""
        home, now, lines = self.registry.home(alert.home), self.clock.now(), self.lines(alert)
        readings = [line.of for line in lines if isinstance(line.of, Reading)]
        begin, end = timeline.window(alert, now)
        seen = in_words(tongue, home, readings, None, begin, end, now) if home else []
        told = [Told(saying.start, Sort.READING, saying.text) for saying in seen]
        told += [Told(line.at, line.sort, self.say(line.of, tongue, home)) for line in lines if not _is_reading(line)]
        order = list(Sort)
        return sorted(told, key=lambda one: (one.at, order.index(one.sort)))

    def say(self, of: Reading | Entry | Mark, tongue: Tongue, home: Home | None) -> str:
        """One line in words, without its time."""
        zone, now = home.zone if home else FALLBACK_ZONE, self.clock.now()
        if isinstance(of, Reading):
            room = views.room_name(home, of.room) if home and of.room else ""
            what = tongue.happening(of.kind, of.value)
            return tongue.say("{place}: {what}", place=room, what=what) if room else what
        if isinstance(of, Entry):
            return wording.history_line(
                of, tongue.language, zone, self.name_of, now, channel_of=lambda name: channel_word(name, tongue)
            )
        return say_mark(of, tongue, self.name_of(of.delivery.person))

    def as_data(self, alert: Alert) -> Mapping[str, Any]:
        """Everything about an alert, for other programs: each line in every language, and as data."""
        home = self.registry.home(alert.home)
        deliveries, history = self.alerts.deliveries(alert.id), self.alerts.history(alert.id)
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
                {"person": person, "name": self.name_of(person)}
                for person in timeline.people(alert, history, deliveries)
            ],
        }

    def figures(self, month: str, covers: Callable[[str], bool]) -> list[Figures]:
        """Of the grids that are covered. ValueError: that is no month."""
        homes = {home.id: home for home in self.registry.homes()}
        since, until = sla.span_of(month)
        covered = {grid for grid in {home.grid for home in homes.values()} if covers(grid)}
        now = self.clock.now()
        raised = self.tally.raised(since, until, now)
        mine = (case for case in raised if case.home in homes and homes[case.home].grid in covered)
        return sla.figures(mine, month, lambda home: (homes[home].grid, homes[home].zone), now)

    def grid_name(self, tongue: Tongue) -> Mapping[str, str]:
        return {grid.code: grid.name for grid in self.registry.grids()} | {"": tongue.say("All")}


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
    channel = channel_word(delivery.channel, tongue)
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
