"""The road of a reading, measured: the goals of docs/performance.md, the gateway beside what people use instead.

    python bench/road.py                 # five repetitions of everything, about 50 minutes
    python bench/road.py --quick         # one repetition with shorter stages, about 8 minutes
    python bench/road.py --only P1,P5    # some goals

Every repetition starts each subject on a fresh Mosquitto with an empty store, in the order A B C and then C B A. Trust
ratios within one repetition and CPU per message; absolute rates are this machine's, on that day.
"""

import argparse
import json
import math
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from broker import Mosquitto
from crash import crash
from homes import DEVICES, Homes
from machine import ROOT, STATE, BenchError, build, cpu_s, describe, fall_in_order, fsync_ms, pss_mb, rss_mb
from subjects import CommitEach, Floor, Gateway, NodeRed, NodeRedAsInstalled, Subject
from traffic import Sink, Traffic, answered, sent_in

# --------------------------------------------------------------------------- what is written down


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
        limit = "" if figure.limit is None else f"  ({'>=' if figure.more_is_better else '<='} {_number(figure.limit)})"
        print(f"    {goal:4} {what:60} {subject:28} {_number(value):>9}{limit}{mark}", flush=True)

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
                bar = f"{'≥' if figures[0].more_is_better else '≤'} {_number(median(limits))}"
                middle = Figure(goal, what, subject, 0, median(values), median(limits), figures[0].more_is_better)
                verdict = "met" if middle.held else "**missed**"
            cells = [goal, what, subject, *(_number(v) for v in (median(values), min(values), max(values))), bar]
            cells += [f"{median(ratios):.2f}" if ratios else "", verdict]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)


def _rank(goal: str) -> tuple[int, str]:
    digits = "".join(c for c in goal if c.isdigit())
    return (int(digits) if digits else 99, goal)


def _number(value: float) -> str:
    if math.isnan(value):
        return "none"
    if value == int(value) and abs(value) < 1000:
        return str(int(value))
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


# --------------------------------------------------------------------------- one subject, one day


@dataclass(frozen=True, slots=True)
class Scale:
    """How long the stages are."""

    homes: int
    idle_presses: int
    steady_s: int
    backlog: int
    storm_s: int
    kills: int
    in_store: int
    quick: bool = False

    @classmethod
    def of(cls, quick: bool) -> "Scale":
        if quick:
            return cls(
                1000, idle_presses=30, steady_s=8, backlog=50_000, storm_s=10, kills=6, in_store=200_000, quick=True
            )
        return cls(1000, idle_presses=60, steady_s=15, backlog=100_000, storm_s=60, kills=20, in_store=1_000_000)


SATURATING = {CommitEach.name: 20_000, NodeRedAsInstalled.name: 5_000}
"""Readings of the saturation stage where the backlog would take too long: about ten seconds' worth."""


@contextmanager
def running(
    kind: type[Subject],
    scale: Scale,
    *,
    queue: int = 0,
    embedded: bool = False,
    environment: dict | None = None,
    peopled: bool = False,
) -> Iterator[tuple[Subject, Traffic, Sink, Path]]:
    """A subject that has taken in every home at rest, on a broker of its own; all of it is gone afterwards."""
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="road-", dir=STATE))
    homes = Homes(scale.homes, peopled=peopled)
    with Sink(folder) as sink:
        if embedded:
            subject = Gateway(folder, None, sink, homes, environment=environment)
            subject.prepare()
            subject.start()
            try:
                # Two messages a hub under way. With sixteen, 16,000 would wait for their fsync at once, and NATS
                # closes a connection whose message it cannot store within five seconds.
                users = homes.write_users(folder / "users")
                traffic = Traffic(folder, subject.broker_port, homes.count, users=users, window=2)
                _settle(subject, traffic, sink)
                yield subject, traffic, sink, folder
            finally:
                subject.stop()
        else:
            with Mosquitto(folder, queue) as broker:
                given = {"environment": environment} if kind is Gateway else {}
                subject = kind(folder, broker.port, sink, homes, **given)
                if isinstance(subject, Gateway):
                    subject.prepare()
                subject.start()
                try:
                    traffic = Traffic(folder, broker.port, homes.count)
                    _settle(subject, traffic, sink, rest_rate=1000 if queue else 0)
                    yield subject, traffic, sink, folder
                finally:
                    subject.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _settle(subject: Subject, traffic: Traffic, sink: Sink, rest_rate: float = 0) -> None:
    """Wait until it listens, let every device say once that nothing happens, and see a press come through."""
    if isinstance(subject, Gateway):
        subject.wait_well()
    else:
        _press_until_answered(subject, traffic, sink)
    before = subject.stored()
    traffic.rest(rest_rate)
    subject.wait_stored(before + traffic.homes * len(DEVICES), 120)
    _press_until_answered(subject, traffic, sink)
    time.sleep(1)


def _press_until_answered(subject: Subject, traffic: Traffic, sink: Sink) -> None:
    until = time.monotonic() + 90
    while True:
        press = traffic.presses(1000, 1)
        press.result()
        if answered(sent_in(press.log), sink, 1).ms:
            return
        if time.monotonic() > until or not subject.alive():
            raise BenchError(f"{subject.name} answers no press; see {subject.folder}")


def day(kind: type[Subject], scale: Scale) -> dict[str, float]:
    """One subject's day: idle presses, 2,000 readings a second with presses, all it can take."""
    seen: dict[str, float] = {}
    with running(kind, scale) as (subject, traffic, sink, folder):
        seen["rss_idle"], seen["pss_idle"] = rss_mb(subject.pids()), pss_mb(subject.pids())
        seen["fsync"], seen["fsync_p99"] = fsync_ms(folder)

        idle = traffic.presses(5, scale.idle_presses)
        idle.result()
        seen |= {f"idle_{k}": v for k, v in answered(sent_in(idle.log), sink).summary.items()}
        if isinstance(subject, Gateway):
            seen["decided_p50"] = _decided_ms(subject, sent_in(idle.log))
            seen["handed_p50"] = _handed_ms(subject, sent_in(idle.log))

        rows, used = subject.stored(), cpu_s(subject.pids())
        traffic.readings(f"2000:{2000 * scale.steady_s // 2}").result()
        subject.wait_stored(rows + 2000 * scale.steady_s // 2, 120)
        seen["cpu_2000"] = (cpu_s(subject.pids()) - used) / (2000 * scale.steady_s // 2) * 1e6

        rows, used = subject.stored(), cpu_s(subject.pids())
        readings = traffic.readings(f"2000:{2000 * scale.steady_s}")
        time.sleep(1)
        presses = traffic.presses(20, 20 * (scale.steady_s - 2))
        count = presses.result()["acked"]
        readings.result()
        subject.wait_stored(rows + 2000 * scale.steady_s + (count if subject.counts_presses else 0), 120)
        seen |= {f"steady_{k}": v for k, v in answered(sent_in(presses.log), sink).summary.items()}
        extra = cpu_s(subject.pids()) - used - 2000 * scale.steady_s * seen["cpu_2000"] / 1e6
        seen["cpu_press_ms"] = extra / count * 1e3

        count = SATURATING.get(subject.name, scale.backlog)
        rows = subject.stored()
        used, began = cpu_s(subject.pids()), time.monotonic_ns()
        readings = traffic.readings(f"0:{count}")
        done = subject.wait_stored(rows + count, 300)
        seen["durable"] = count / ((done - began) / 1e9)
        seen["cpu_saturated"] = (cpu_s(subject.pids()) - used) / count * 1e6
        seen["offered"] = readings.result()["acked_per_s"]
        time.sleep(0.5)
        seen["surplus"] = subject.stored() - rows - count
        seen["rss_after"] = rss_mb(subject.pids())
    return seen


def _decided_ms(gateway: Gateway, presses: list) -> float:
    """From the press to the moment at which the desk decided and wrote the message down, from the delivery's row."""
    offset_us = (time.time_ns() - time.monotonic_ns()) // 1000
    sent = {(p.home, p.device): p.sent_ns // 1000 + offset_us for p in presses}
    took = [(decided - sent[h, b]) / 1000 for h, b, decided, _ in gateway.pages() if (h, b) in sent]
    return median(took) if took else math.nan


def _handed_ms(gateway: Gateway, presses: list) -> float:
    """From the press to the moment at which the courier gave the message to the channel, from the gateway's log."""
    offset_us = (time.time_ns() - time.monotonic_ns()) // 1000
    handed = gateway.handed()
    took = [
        (handed[p.home, p.device] - p.sent_ns // 1000 - offset_us) / 1000
        for p in presses
        if (p.home, p.device) in handed
    ]
    return median(took) if took else math.nan


DAY_GOALS = ("P1", "P2", "P3", "P4", "P5", "P9")


def days(book: Notebook, scale: Scale, repetitions: int) -> None:
    """P1 to P5 and P9: everybody's day, interleaved."""
    kinds: list[type[Subject]] = [Floor, Gateway, CommitEach, NodeRed, NodeRedAsInstalled]
    why_not = NodeRed.install()
    if why_not:
        book.skip(f"Node-RED, and with it the bar of P1 and half of P2: {why_not}")
        kinds = kinds[:3]
    elif scale.quick:
        book.skip("Node-RED as installed, half of P2: it takes a minute for what the others do in seconds (--quick)")
        kinds = kinds[:4]
    for repetition in range(repetitions):
        seen: dict[str, dict[str, float]] = {}
        for kind in kinds if repetition % 2 == 0 else reversed(kinds):
            print(f"  repetition {repetition + 1}: {kind.name}", flush=True)
            try:
                seen[kind.name] = day(kind, scale)
            except BenchError as error:
                book.skip(f"{kind.name} in repetition {repetition + 1}: {error}")
        if Floor.name in seen and Gateway.name in seen:
            _note_days(book, repetition, seen)


def _note_days(book: Notebook, repetition: int, seen: dict[str, dict[str, float]]) -> None:
    ours, floor = seen[Gateway.name], seen[Floor.name]

    def note(goal: str, what: str, subject: str, key: str, **held: object) -> None:
        book.note(goal, what, subject, repetition, seen[subject][key], **held)

    peer = seen.get(NodeRed.name)
    for name in seen:
        held = {}
        if name == Gateway.name and peer:
            held = {"limit": peer["durable"], "more_is_better": True}
        note("P1", "stored readings/s at saturation", name, "durable", **held)
    book.note("P1", "lost or stored twice", Gateway.name, repetition, abs(ours["surplus"]), limit=0)
    for name, times in ((NodeRedAsInstalled.name, 8.0), (CommitEach.name, 5.0)):
        if name in seen:
            book.note(
                "P2", f"times as many readings/s as {name}", Gateway.name, repetition,
                ours["durable"] / seen[name]["durable"], limit=times, more_is_better=True,
            )  # fmt: skip
    for what, key in (("CPU us/message at saturation", "cpu_saturated"), ("CPU us/message at 2,000/s", "cpu_2000")):
        for name in seen:
            note("P3", what, name, key, **({"limit": 80.0} if name == Gateway.name else {}))
    book.note("P3", "CPU ms/press, from the broker to the webhook", Gateway.name, repetition, ours["cpu_press_ms"])
    book.note(
        "P4", "press to handed to the channel, idle, p50 ms", Gateway.name, repetition, ours["handed_p50"],
        limit=4 + 2 * ours["fsync"],
    )  # fmt: skip
    for name in seen:
        note("P4", "press to the webhook's receipt, idle, p50 ms", name, "idle_p50")
        note("P4", "press to the webhook's receipt, idle, p99 ms", name, "idle_p99")
    book.note("P4", "press to decided and written down, idle, p50 ms", Gateway.name, repetition, ours["decided_p50"])
    book.note("P4", "one fsync of 4 KiB, p50 ms", "the disk", repetition, ours["fsync"])
    for name in seen:
        limit = {"limit": floor["steady_p99"] + 20} if name == Gateway.name else {}
        note("P5", "press to webhook at 2,000/s, p99 ms", name, "steady_p99", **limit)
        note("P5", "press to webhook at 2,000/s, p50 ms", name, "steady_p50")
    for name in seen:
        note("P5", "presses never answered", name, "steady_lost", **({"limit": 0} if name == Gateway.name else {}))
    for name in seen:
        note("P9", "RSS MB, 1,000 homes, idle", name, "rss_idle", **({"limit": 150.0} if name == Gateway.name else {}))
        note("P9", "RSS MB after the day", name, "rss_after")
    book.note("P9", "PSS MB (shared pages divided), idle", Gateway.name, repetition, ours["pss_idle"])


# --------------------------------------------------------------------------- the gateway under what it must stand


def backlog(book: Notebook, scale: Scale, repetition: int) -> None:
    """P6: presses while a backlog of readings drains, and while a broker with Debian's default queue drops readings."""
    for kind in (Gateway, NodeRed) if repetition == 0 and NodeRed.install() is None else (Gateway,):
        with running(kind, scale) as (subject, traffic, sink, _):
            rows, ours = subject.stored(), kind is Gateway
            readings = traffic.readings(f"0:{scale.backlog}")
            time.sleep(0.2)
            presses = traffic.presses(40, 200)
            done = subject.wait_stored(rows + scale.backlog, 300)
            readings.result()
            if presses.child.poll() is None:
                presses.stop()
            within = [p for p in sent_in(presses.log) if p.sent_ns < done]
            took = answered(within, sink, 30)
            held = {"limit": 100.0} if ours else {}
            what = f"press to webhook while {scale.backlog:,} readings drain"
            book.note("P6", f"{what}, p99 ms", subject.name, repetition, took.share(0.99), **held)
            book.note("P6", f"{what}, p50 ms", subject.name, repetition, took.share(0.5))
            book.note(
                "P6",
                f"presses lost of {len(within)}",
                subject.name,
                repetition,
                took.lost,
                **({"limit": 0} if ours else {}),
            )
    with running(Gateway, scale, queue=1000) as (subject, traffic, sink, _):
        readings = traffic.readings("10000:80000")
        presses = traffic.presses(20, 140)
        presses.result()
        readings.result()
        took = answered(sent_in(presses.log), sink, 30)
        what = "10,000/s into a broker that keeps 1,000"
        book.note("P6", f"{what}: p99 ms", subject.name, repetition, took.share(0.99), limit=100.0)
        book.note("P6", f"{what}: presses lost", subject.name, repetition, took.lost, limit=0)


def killed(book: Notebook, scale: Scale, repetition: int) -> None:
    """P7: kill -9, half of the times in a steady stream, half amid bursts."""
    for bursts in (False, True):
        STATE.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="crash-", dir=STATE))
        verdict = crash(folder, kills=scale.kills // 2, seed=repetition * 2 + bursts, bursts=bursts)
        what = "in bursts of 1,000" if bursts else "at 1,000/s"
        for name, value in (
            ("readings lost", verdict.readings_lost),
            ("readings stored twice", verdict.readings_twice),
            ("alerts missing", verdict.alerts_missing),
            ("alerts twice", verdict.alerts_twice),
            ("presses never told", verdict.never_told),
        ):
            book.note("P7", f"{verdict.kills} kills {what}: {name}", Gateway.name, repetition, value, limit=0)
        book.note(
            "P7", f"{verdict.kills} kills {what}: messages told again", Gateway.name, repetition, verdict.told_again
        )
        back = median(verdict.back_s) if verdict.back_s else math.nan
        book.note(
            "P7", f"{verdict.kills} kills {what}: first call after a kill, median s", Gateway.name, repetition, back
        )
        if verdict.holds:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print("    broken:", *verdict.examples[:10], f"folder {folder}", sep="\n      ", flush=True)


def started(book: Notebook, scale: Scale, repetition: int) -> None:
    """P8: a full store, a full broker, and a press that waits: how long from the command to the call."""
    with running(Gateway, scale) as (subject, traffic, sink, _):
        subject.stop()
        subject.fill(scale.in_store)
        subject.start()  # replays what it finds and writes its checkpoints, as it would have done along the way
        _press_until_answered(subject, traffic, sink)
        subject.stop()
        traffic.readings(f"0:{scale.backlog}").result()
        waiting = traffic.presses(1000, 1)
        waiting.result()
        began = time.monotonic_ns()
        subject.start()
        took = answered(sent_in(waiting.log), sink, 60)
        press = sent_in(waiting.log)[0]
        value = took.ms[0] / 1000 - (began - press.sent_ns) / 1e9 if took.ms else math.nan
        what = f"start to first press served, {scale.in_store:,} stored, {scale.backlog:,} queued, s"
        book.note("P8", what, subject.name, repetition, value, limit=3.0)


def storm(book: Notebook, scale: Scale, repetition: int) -> None:
    """P10: 40,000 a second for five seconds, then 10,000 a second."""
    with running(Gateway, scale) as (subject, traffic, sink, _):
        rows, before = subject.stored(), rss_mb(subject.pids())
        most, stop = [before], threading.Event()

        def watch() -> None:
            while not stop.wait(0.5):
                most.append(rss_mb(subject.pids()))

        watcher = threading.Thread(target=watch)
        watcher.start()
        count = 200_000 + 10_000 * scale.storm_s
        readings = traffic.readings(f"40000:200000,10000:{10_000 * scale.storm_s}")
        presses = traffic.presses(8, min(8 * (scale.storm_s + 5), 500))
        presses.result()
        offered = readings.result()
        subject.wait_stored(rows + count, 300)
        stop.set()
        watcher.join()
        took = answered(sent_in(presses.log), sink, 30)
        book.note("P10", "RSS growth MB", subject.name, repetition, max(most) - before, limit=30.0)
        book.note(
            "P10", "lost or stored twice", subject.name, repetition, abs(subject.stored() - rows - count), limit=0
        )
        book.note("P10", "press to webhook, p99 ms", subject.name, repetition, took.share(0.99), limit=100.0)
        book.note("P10", "presses lost", subject.name, repetition, took.lost, limit=0)
        book.note("P10", "broker accepted readings/s", "Mosquitto", repetition, offered["acked_per_s"])


def slow_disk(book: Notebook, scale: Scale, repetition: int) -> None:
    """P11: every fsync takes 10 ms longer."""
    slow = {"LD_PRELOAD": str(build() / "slowdisk.so"), "SLOWDISK_US": "10000"}
    with running(Gateway, scale, environment=slow) as (subject, traffic, sink, _):
        rows, used = subject.stored(), cpu_s(subject.pids())
        traffic.readings(f"2000:{2000 * scale.steady_s // 2}").result()
        subject.wait_stored(rows + 2000 * scale.steady_s // 2, 120)
        cpu = (cpu_s(subject.pids()) - used) / (2000 * scale.steady_s // 2) * 1e6
        rows = subject.stored()
        readings = traffic.readings(f"2000:{2000 * scale.steady_s}")
        time.sleep(1)
        presses = traffic.presses(20, 20 * (scale.steady_s - 2))
        presses.result()
        readings.result()
        subject.wait_stored(rows + 2000 * scale.steady_s, 120)
        took = answered(sent_in(presses.log), sink)
        rows, began = subject.stored(), time.monotonic_ns()
        readings = traffic.readings(f"0:{scale.backlog}")
        done = subject.wait_stored(rows + scale.backlog, 300)
        readings.result()
        rate = scale.backlog / ((done - began) / 1e9)
    book.note(
        "P11", "stored readings/s at saturation", Gateway.name, repetition, rate, limit=10_000.0, more_is_better=True
    )
    book.note("P11", "press to webhook at 2,000/s, p99 ms", Gateway.name, repetition, took.share(0.99), limit=60.0)
    book.note("P11", "press to webhook at 2,000/s, p50 ms", Gateway.name, repetition, took.share(0.5))
    book.note("P11", "CPU us/message at 2,000/s", Gateway.name, repetition, cpu, limit=80.0)


def own_broker(book: Notebook, scale: Scale, repetition: int) -> None:
    """The broker that comes with it, fsyncing each message: a hub's secret and ACL for every home."""
    with running(Gateway, scale, embedded=True) as (subject, traffic, sink, folder):
        sync, _ = fsync_ms(folder)
        idle = traffic.presses(5, scale.idle_presses)
        idle.result()
        quiet = answered(sent_in(idle.log), sink)
        rows, began = subject.stored(), time.monotonic_ns()
        count = scale.backlog // 4
        readings = traffic.readings(f"0:{count}")
        time.sleep(0.2)
        presses = traffic.presses(10, 50)
        done = subject.wait_stored(rows + count, 300)
        offered = readings.result()["acked_per_s"]
        if presses.child.poll() is None:
            presses.stop()
        busy = answered([p for p in sent_in(presses.log) if p.sent_ns < done], sink, 30)
        time.sleep(2.5)  # longer than the broker's ack_wait: what it repeats must not be stored again
        surplus = subject.stored() - rows - count
    name = "Shouwang on its own broker"
    rate = count / ((done - began) / 1e9)
    # NATS fsyncs twice for a message: when it takes it, and once more when our acknowledgement lets it go.
    what = "accepted, each fsynced, readings/s"
    book.note("NATS", what, name, repetition, offered, limit=2500.0, more_is_better=True)
    book.note("NATS", "accepted, stored by us and let go again, readings/s", name, repetition, rate)
    book.note("NATS", "lost or stored twice", name, repetition, abs(surplus), limit=0)
    book.note("NATS", "press to webhook, idle, p50 ms", name, repetition, quiet.share(0.5))
    book.note("NATS", "press to webhook at saturation, p99 ms", name, repetition, busy.share(0.99))
    book.note("NATS", "presses lost", name, repetition, busy.lost + quiet.lost, limit=0)
    book.note("NATS", "one fsync of 4 KiB, p50 ms", "the disk", repetition, sync)


CARE_S = 80
"""Longer than the second rung takes to come due."""


def cared_for(book: Notebook, scale: Scale, repetition: int) -> None:
    """CARE: presses under 2,000 readings a second with the whole care loop on: every detector, files, plans, contacts,
    duty sheets and all desks; each press rings the resident, the family and the grid worker at once, and the ladders of
    the presses before it, which nobody accepts, are climbed meanwhile."""
    with running(Gateway, scale, peopled=True) as (subject, traffic, sink, _):
        rows = subject.stored()
        count = 2000 * CARE_S
        readings = traffic.readings(f"2000:{count}")
        time.sleep(1)
        presses = traffic.presses(10, 10 * (CARE_S - 2))
        presses.result()
        readings.result()
        subject.wait_stored(rows + count, 300)
        took = answered(sent_in(presses.log), sink, 30)
        rungs = sum(len(steps) for steps in subject.climbed().values())
        rss = rss_mb(subject.pids())
    what = "press to first request at 2,000/s, the whole care loop on"
    book.note("CARE", f"{what}, p99 ms", Gateway.name, repetition, took.share(0.99), limit=100.0)
    book.note("CARE", f"{what}, p50 ms", Gateway.name, repetition, took.share(0.5))
    book.note("CARE", f"presses lost of {len(took.ms) + took.lost}", Gateway.name, repetition, took.lost, limit=0)
    book.note("CARE", "rungs climbed meanwhile", Gateway.name, repetition, rungs)
    book.note("CARE", "RSS MB afterwards", Gateway.name, repetition, rss)


ALONE: dict[str, Callable[[Notebook, Scale, int], None]] = {
    "P6": backlog,
    "P7": killed,
    "P8": started,
    "P10": storm,
    "P11": slow_disk,
    "NATS": own_broker,
    "CARE": cared_for,
}

# --------------------------------------------------------------------------- the generator itself


def generator(book: Notebook) -> None:
    """That the generator is no bottleneck: what it gets into a Mosquitto to which nobody listens."""
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="road-", dir=STATE))
    with Mosquitto(folder) as broker:
        used = cpu_s([broker.pid])
        said = Traffic(folder, broker.port, 1000).readings("0:300000").result()
        broker_us = (cpu_s([broker.pid]) - used) / said["acked"] * 1e6
    shutil.rmtree(folder, ignore_errors=True)
    book.note("load", "published readings/s, nobody listening", "mqload", 0, said["acked_per_s"])
    book.note("load", "CPU us/message of the generator", "mqload", 0, said["cpu_us"])
    book.note("load", "CPU us/message of the broker", "Mosquitto", 0, broker_us)


def write_document(book: Notebook, said: dict) -> None:
    """Put the table and the machine between the marks in docs/performance.md."""
    path = ROOT / "docs" / "performance.md"
    first, last = "<!-- measured -->", "<!-- /measured -->"
    before, rest = path.read_text().split(first)
    machine = "; ".join(f"{key} {value}" for key, value in said["machine"].items())
    skipped = "".join(f"- Skipped: {why}\n" for why in book.skipped)
    words = f"Repetitions: {said['repetitions']}{' (quick)' if said['quick'] else ''}. Machine: {machine}.\n"
    path.write_text(f"{before}{first}\n{words}\n{book.table()}\n\n{skipped}{last}{rest.split(last)[1]}")


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--quick", action="store_true", help="one repetition, shorter stages")
    words.add_argument("--repetitions", type=int, default=None, help="5; with --quick 1")
    words.add_argument("--only", default="", help=f"of {', '.join((*DAY_GOALS, *ALONE))}")
    words.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    words.add_argument(
        "--add", type=Path, action="append", default=[], help="figures of an earlier run (--json) as well"
    )
    words.add_argument("--json", type=Path, default=None, help="where the figures go; bench/state/road.json otherwise")
    asked = words.parse_args()
    fall_in_order()
    only = {goal.strip().upper() for goal in asked.only.split(",") if goal.strip()}
    unknown = only - {*DAY_GOALS, *ALONE}
    if unknown:
        words.error(f"--only: there is no goal {sorted(unknown)}; there are {[*DAY_GOALS, *ALONE]}")
    scale = Scale.of(asked.quick)
    repetitions = asked.repetitions or (1 if asked.quick else 5)
    book, machine = Notebook(), describe()
    print("\n".join(f"{key}: {value}" for key, value in machine.items()), flush=True)
    began = time.monotonic()
    try:
        generator(book)
        if not only or only & set(DAY_GOALS):
            days(book, scale, repetitions)
        for goal, measure in ALONE.items():
            for repetition in range(repetitions if not only or goal in only else 0):
                print(f"  repetition {repetition + 1}: {goal}", flush=True)
                try:
                    measure(book, scale, repetition)
                except BenchError as error:
                    book.skip(f"{goal} in repetition {repetition + 1}: {error}")
    except KeyboardInterrupt:
        book.skip("everything after this: stopped by hand")
    took = time.monotonic() - began
    for earlier in map(json.loads, (path.read_text() for path in asked.add)):
        book.figures += [Figure(**figure) for figure in earlier["figures"]]
        book.skipped += earlier["skipped"]
    print(f"\n{book.table()}\n")
    for why in book.skipped:
        print(f"SKIPPED: {why}")
    print(f"{took / 60:.0f} minutes; repetitions: {repetitions}{', quick' if asked.quick else ''}")
    path = asked.json or STATE / "road.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {"machine": machine, "minutes": round(took / 60, 1), "quick": asked.quick, "repetitions": repetitions}
    said |= {"skipped": book.skipped, "figures": [asdict(figure) for figure in book.figures]}
    path.write_text(json.dumps(said, indent=1))
    print(f"figures in {path}")
    if asked.write:
        write_document(book, said)
    return 1 if book.skipped and not scale.quick else 0


if __name__ == "__main__":
    sys.exit(main())
