"""What is written down of a run: every figure, what it is held against, and the table of docs/performance.md."""

import math
from dataclasses import dataclass, field
from statistics import median

from machine import ROOT


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `limit` is what it is held against, as it was in the same repetition."""

    goal: str
    what: str
    subject: str
    repetition: int
    value: float
    limit: float | None = None
    more_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        return self.value / self.limit if self.limit else None

    @property
    def held(self) -> bool | None:
        if self.limit is None:
            return None
        return self.value >= self.limit if self.more_is_better else self.value <= self.limit


@dataclass(slots=True)
class Notebook:
    """Every figure of a run, and what could not be measured."""

    figures: list[Figure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def note(self, goal: str, what: str, subject: str, repetition: int, value: float, **held: object) -> None:
        figure = Figure(goal, what, subject, repetition, value, **held)
        self.figures.append(figure)
        mark = {None: "", True: "  ok", False: "  MISSED"}[figure.held]
        limit = "" if figure.limit is None else f"  ({'>=' if figure.more_is_better else '<='} {number(figure.limit)})"
        print(f"    {goal:4} {what:60} {subject:28} {number(value):>9}{limit}{mark}", flush=True)

    def skip(self, why: str) -> None:
        self.skipped.append(why)
        print(f"SKIPPED: {why}", flush=True)

    def rows(self) -> list[tuple[str, str, str, list[Figure]]]:
        """The figures by goal, quantity and subject, in the order in which goals are numbered."""
        found: dict[tuple[str, str, str], list[Figure]] = {}
        for figure in self.figures:
            found.setdefault((figure.goal, figure.what, figure.subject), []).append(figure)
        order = {key: at for at, key in enumerate(dict.fromkeys((f.goal, f.what) for f in self.figures))}
        ranked = sorted(found.items(), key=lambda row: (_rank(row[0][0]), order[row[0][0], row[0][1]]))
        return [(*key, figures) for key, figures in ranked]

    def table(self) -> str:
        """Markdown: median, least, most, the bar and the ratio to it, each the median over repetitions."""
        lines = [
            "| goal | measured | who | median | min | max | bar | ratio | |",
            "|---|---|---|---:|---:|---:|---:|---:|---|",
        ]
        for goal, what, subject, figures in self.rows():
            values = [f.value for f in figures]
            limits = [f.limit for f in figures if f.limit is not None]
            ratios = [f.ratio for f in figures if f.ratio is not None]
            bar, verdict = "", ""
            if limits:
                bar = f"{'≥' if figures[0].more_is_better else '≤'} {number(median(limits))}"
                middle = Figure(goal, what, subject, 0, median(values), median(limits), figures[0].more_is_better)
                verdict = "met" if middle.held else "**missed**"
            cells = [goal, what, subject, *(number(v) for v in (median(values), min(values), max(values))), bar]
            cells += [f"{median(ratios):.2f}" if ratios else "", verdict]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)


def _rank(goal: str) -> tuple[int, str]:
    digits = "".join(c for c in goal if c.isdigit())
    return (int(digits) if digits else 99, goal)


def number(value: float) -> str:
    if math.isnan(value):
        return "none"
    if value == int(value) and abs(value) < 1000:
        return str(int(value))
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def write_document(book: Notebook, said: dict) -> None:
    """Put the table and the machine between the marks in docs/performance.md."""
    path = ROOT / "docs" / "performance.md"
    first, last = "<!-- measured -->", "<!-- /measured -->"
    before, rest = path.read_text().split(first)
    machine = "; ".join(f"{key} {value}" for key, value in said["machine"].items())
    skipped = "".join(f"- Skipped: {why}\n" for why in book.skipped)
    words = f"Repetitions: {said['repetitions']}{' (quick)' if said['quick'] else ''}. Machine: {machine}.\n"
    path.write_text(f"{before}{first}\n{words}\n{book.table()}\n\n{skipped}{last}{rest.split(last)[1]}")
