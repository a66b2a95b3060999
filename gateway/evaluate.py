"""How well silence is judged on recorded homes: our own rule beside the plain ones, in one table and one picture."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from math import sqrt
from pathlib import Path
from statistics import median, quantiles
from zoneinfo import ZoneInfo

from detectors import DETECTORS, Watch
from gateway.config import Refused
from gateway.domain import Home
from simulators.anchors import ANCHORS
from simulators.incidents import HOUR, Life, Result, judge, life_of
from simulators.recordings import RecordingError, open_recording

BESIDE = ("supervision", "away", "entered")
"""What judges silence together with the rule that is tried: outings and entries are the same for all."""

LEARNS = timedelta(days=14)

SPARSE_PER_DAY = 200
"""A home of which fewer events a day are known is judged by the bars of a diary."""


@dataclass(frozen=True)
class Recorded:
    """One recording as it is named on the command line: `name=format:path[:door,door[:days]]`."""

    name: str
    format: str
    path: Path
    exits: tuple[str, ...]
    learns: timedelta

    @classmethod
    def parse(cls, text: str) -> "Recorded":
        name, _, rest = text.partition("=")
        parts = rest.split(":")
        if not name or len(parts) < 2 or (len(parts) > 3 and not parts[3].isdecimal()):
            raise Refused(f"{text!r} is no recording; it is written name=format:path[:door,door[:days to learn]].")
        exits = tuple(door for door in (parts[2].split(",") if len(parts) > 2 else ()) if door)
        learns = timedelta(days=int(parts[3])) if len(parts) > 3 else LEARNS
        return cls(name, parts[0], Path(parts[1]), exits, learns)

    def lives(self, zone: ZoneInfo) -> Life:
        try:
            recording = open_recording(self.path, self.format, zone=zone, home=self.name, exits=self.exits)
        except RecordingError as error:
            raise Refused(str(error)) from None
        return life_of(recording.home, recording.readings(), self.learns)


# --------------------------------------------------------------------------- rules


@dataclass(frozen=True)
class Rule:
    """A rule of silence at one setting; `family` is the line it stands on in the picture."""

    family: str
    setting: float
    kind: Callable[[Home], object]

    @property
    def name(self) -> str:
        return f"{self.family} {self.setting:g}"

    def watch(self, home: Home) -> Watch:
        rules = {"inactivity": self.kind(home)} | {name: DETECTORS[name](home) for name in BESIDE}  # type: ignore[call-arg]
        return Watch(home, {name: rules[name] for name in ("supervision", "inactivity", *BESIDE[1:])})  # type: ignore[misc]


OURS = "learnt, budget"
BUDGETS = (1.0, 2.0, 4.0)

SWEEPS: Mapping[str, tuple[str, str, tuple[float, ...]]] = {
    "fixed hours": ("fixed", "hours", (12, 4, 6, 8)),
    "hours in 07-22": ("day", "hours", (4, 3, 6)),
    "hour quantile": ("quantile", "factor", (1.5, 1.25, 2, 3)),
    "clock maximum": ("clock", "factor", (1.5, 1.25, 2, 3)),
}
"""Each plain rule with its settings; the first of them stands in the table."""


def rules() -> Iterator[Rule]:
    for budget in (*BUDGETS, 0.5):
        yield Rule(OURS, budget, partial(DETECTORS["inactivity"], budget=budget))  # type: ignore[call-arg]
    for family, (anchor, option, settings) in SWEEPS.items():
        for setting in settings:
            yield Rule(family, setting, partial(ANCHORS[anchor], **{option: setting}))  # type: ignore[arg-type]


# --------------------------------------------------------------------------- figures


@dataclass(frozen=True)
class Figures:
    """What a result comes to, in the units of the bars."""

    result: Result

    @property
    def false_30d(self) -> float:
        return 30 * len(self.result.false) / self.result.days if self.result.days else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the rate lies with 95 %: no false alarm in few days says little."""
        return tuple(30 * bound / self.result.days for bound in poisson_95(len(self.result.false)))  # type: ignore[return-value]

    @property
    def cold_30d(self) -> float:
        return 30 * self.result.cold_false / self.result.cold_days if self.result.cold_days else 0.0

    @property
    def cold_latest_h(self) -> float:
        return self.result.cold_latest / HOUR

    @property
    def day_median_h(self) -> float:
        return _median_h(self.result.by_day)

    @property
    def day_p90_h(self) -> float:
        return _p90_h(self.result.by_day)

    @property
    def night_median_h(self) -> float:
        return _median_h(self.result.by_night)

    @property
    def night_p90_h(self) -> float:
        return _p90_h(self.result.by_night)

    @property
    def entered_in_time(self) -> float:
        entered = self.result.entered
        return sum(delay <= timedelta(minutes=20) for delay in entered) / len(entered) if entered else 1.0

    @property
    def outings_found(self) -> float:
        return self.result.outings_seen / self.result.outings if self.result.outings else 1.0

    @property
    def outings_false(self) -> float:
        taken = self.result.outings_seen + self.result.outings_false
        return self.result.outings_false / taken if taken else 0.0


def _median_h(delays: Sequence[timedelta]) -> float:
    return median(delay / HOUR for delay in delays) if delays else float("nan")


def _p90_h(delays: Sequence[timedelta]) -> float:
    if len(delays) < 2:
        return _median_h(delays)
    return quantiles([delay / HOUR for delay in delays], n=10, method="inclusive")[-1]


def poisson_95(count: int) -> tuple[float, float]:
    """Between what the expected number lies when so many were counted (Wilson and Hilferty)."""

    def chi(z: float, degrees: int) -> float:
        return degrees * (1 - 2 / (9 * degrees) + z * sqrt(2 / (9 * degrees))) ** 3

    return (0.0 if count == 0 else chi(-1.959964, 2 * count) / 2, chi(1.959964, 2 * count + 2) / 2)


@dataclass(frozen=True)
class Bar:
    """One figure that was asked for."""

    words: str
    of: Callable[[Figures], float]
    at_most: float
    sparse: float | None = None  # in a home that is known by a diary only; None: not asked there
    is_least: bool = False
    unit: str = ""

    def line(self, figures: Figures, *, is_sparse: bool) -> str | None:
        bar = self.sparse if is_sparse else self.at_most
        if bar is None:
            return None
        value = self.of(figures)
        met = value >= bar if self.is_least else value <= bar
        asked = f"{'≥' if self.is_least else '≤'} {bar:g}{self.unit}"
        return f"{self.words:44} {value:7.2f}{self.unit:2}   {asked:8} {'✓' if met else '✗'}"


BARS = (
    Bar("false alarms in 30 days", lambda f: f.false_30d, 1.0, 1.0),
    Bar("by day, median", lambda f: f.day_median_h, 2.3, 5.5, unit=" h"),
    Bar("by day, nine of ten", lambda f: f.day_p90_h, 4.0, unit=" h"),
    Bar("by night, median", lambda f: f.night_median_h, 5.0, unit=" h"),
    Bar("first 14 days: false alarms in 30 days", lambda f: f.cold_30d, 2.0, 2.0),
    Bar("first 14 days: the latest", lambda f: f.cold_latest_h, 12.0, 12.0, unit=" h"),
    Bar("came in, and nothing: told in 20 min", lambda f: f.entered_in_time, 1.0, is_least=True),
    Bar("outings found", lambda f: f.outings_found, 0.97, 0.97, is_least=True),
    Bar("of what is taken for outings, false", lambda f: f.outings_false, 0.04, 0.04),
    Bar("outages told as inactivity", lambda f: f.result.outages_wrong, 0, 0),
    Bar("missed altogether", lambda f: f.result.missed, 0, 0),
)

WITHIN_BUDGET, BUDGET_DAYS = 1.6, 60
"""In homes of so many days the false alarms stay within so many times the budget."""


# --------------------------------------------------------------------------- the report


@dataclass
class Report:
    """Every rule in every home."""

    lives: list[Life]
    tried: dict[tuple[str, str], Figures] = field(default_factory=dict)  # home, rule

    def run(self, seed: int, per_home: int, say: Callable[[str], None]) -> None:
        for life in self.lives:
            for rule in rules():
                self.tried[life.home.id, rule.name] = Figures(judge(life, rule.watch, seed=seed, per_home=per_home))
            say(f"{life.home.id}: {len(life.events)} signs of life in {(life.ends - life.begins).days} days")

    def lines(self) -> Iterator[str]:
        """The table, and then our own figures beside their bars."""
        head = ("home", "rule", "FA/30 d (95 %)", "day: half, 9 of 10", "night", "missed", "away", "out", "first 14 d")
        yield _row(head)
        yield _row(tuple("-" * len(word) for word in head))
        for life in self.lives:
            for rule in rules():
                if rule.family != OURS and rule.setting != first_of(rule.family):
                    continue
                yield _row(_cells(life.home.id, rule.name, self.tried[life.home.id, rule.name]))
        for life in self.lives:
            yield ""
            yield f"{life.home.id} ({'sparse' if is_sparse(life) else 'many sensors'})"
            yield from self._bars(life)

    def _bars(self, life: Life) -> Iterator[str]:
        figures = self.tried[life.home.id, f"{OURS} 1"]
        for bar in BARS:
            if line := bar.line(figures, is_sparse=is_sparse(life)):
                yield f"  {line}"
        if figures.result.days < BUDGET_DAYS:
            return
        for budget in BUDGETS:
            of = partial(lambda f, b: f.false_30d / b, b=budget)
            bar = Bar(f"budget {budget:g}: false alarms, times the budget", of, WITHIN_BUDGET, WITHIN_BUDGET)
            yield f"  {bar.line(self.tried[life.home.id, f'{OURS} {budget:g}'], is_sparse=False)}"


def first_of(family: str) -> float:
    return BUDGETS[0] if family == OURS else SWEEPS[family][2][0]


def is_sparse(life: Life) -> bool:
    return len(life.events) < SPARSE_PER_DAY * max((life.ends - life.begins).days, 1)


def _cells(home: str, rule: str, figures: Figures) -> tuple[str, ...]:
    result, (low, high) = figures.result, figures.interval
    return (
        home,
        rule,
        f"{figures.false_30d:.2f} ({low:.1f}-{high:.1f})",
        f"{figures.day_median_h:.2f} h, {figures.day_p90_h:.2f} h",
        f"{figures.night_median_h:.2f} h, {figures.night_p90_h:.2f} h",
        f"{result.missed}",
        f"{result.as_away}",
        f"{result.outages_wrong} of {len(result.outages)}",
        f"{figures.cold_30d:.1f}, {figures.cold_latest_h:.1f} h",
    )


def _row(cells: Sequence[str]) -> str:
    widths = (8, 18, 18, 20, 18, 7, 5, 8, 12)
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


# --------------------------------------------------------------------------- the picture

INKS = ("#1b5e8c", "#8c8c8c", "#b5651d", "#7b5ea7", "#3f7f4f")
WIDE, HIGH, MARGIN = 360, 280, 44
FALSE_AT_MOST, LATE_AT_MOST_H = 16.0, 12.0


def picture(report: Report) -> str:
    """False alarms against delay for every rule, one frame a home: the nearer to the corner, the better."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE * len(report.lives)}" height="{HIGH}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, life in enumerate(report.lives):
        parts.append(f'<g transform="translate({WIDE * number},0)">')
        parts += _frame(life)
        for ink, family in zip(INKS, dict.fromkeys(rule.family for rule in rules()), strict=True):
            points = [(f.false_30d, f.day_median_h) for f in _of_family(report, life, family)]
            parts += _curve(family, ink, sorted(points))
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _of_family(report: Report, life: Life, family: str) -> Iterable[Figures]:
    return (report.tried[life.home.id, rule.name] for rule in rules() if rule.family == family)


def _x(false_30d: float) -> float:
    """By the root, so that the few false alarms that matter have room."""
    return MARGIN + (WIDE - 2 * MARGIN) * sqrt(min(false_30d, FALSE_AT_MOST) / FALSE_AT_MOST)


def _y(hours: float) -> float:
    return HIGH - MARGIN - (HIGH - 2 * MARGIN) * min(hours, LATE_AT_MOST_H) / LATE_AT_MOST_H


def _frame(life: Life) -> Iterator[str]:
    bar = 5.5 if is_sparse(life) else 2.3
    yield (
        f'<rect x="{_x(0):.0f}" y="{_y(bar):.0f}" width="{_x(1) - _x(0):.0f}" height="{_y(0) - _y(bar):.0f}" '
        'fill="#dcecd9"/>'
    )
    yield f'<path d="M{_x(0):.0f} {MARGIN} V{_y(0):.0f} H{WIDE - MARGIN}" fill="none" stroke="#444"/>'
    for false_30d in (0, 1, 4, 9, 16):
        yield f'<text x="{_x(false_30d):.0f}" y="{HIGH - MARGIN + 15}" text-anchor="middle">{false_30d}</text>'
    for hours in (0, 2, 4, 6, 8, 10, 12):
        yield f'<text x="{MARGIN - 6}" y="{_y(hours) + 4:.0f}" text-anchor="end">{hours}</text>'
    yield f'<text x="{WIDE / 2:.0f}" y="{HIGH - 10}" text-anchor="middle">false alarms in 30 days</text>'
    yield f'<text x="{MARGIN}" y="{MARGIN - 26}" font-weight="bold">{life.home.id}: hours until told, by day</text>'


def _curve(family: str, ink: str, points: Sequence[tuple[float, float]]) -> Iterator[str]:
    places = [(_x(false), _y(late)) for false, late in points]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    yield f'<polyline points="{line}" fill="none" stroke="{ink}" stroke-width="{3 if family == OURS else 1.5}"/>'
    for x, y in places:
        yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{ink}"/>'
    row = list(dict.fromkeys(rule.family for rule in rules())).index(family)
    yield f'<text x="{WIDE - MARGIN}" y="{MARGIN - 12 + 13 * row}" text-anchor="end" fill="{ink}">{family}</text>'
