"""P12 to P14 and URGENT: other programs ask, detectors judge, ten thousand homes, five thousand a second."""

import json
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from book import Notebook
from detect import READING_US, TIMER_SHARE, measured
from machine import BENCH, build, cpu_s, end, free_port, listens, python, rss_mb, start, wait_until
from stage import Scale, running
from subjects import Floor, Gateway
from traffic import answered, sent_in
from waits import DiskBeside, note_waits

PRESS_MS = 10.0
"""P5 allows ten milliseconds beside the floor's p99; here the floor is taken to need none."""

TOKENS = 600
"""A program's token opens 300 times a minute, so many programs ask."""

CONNECTIONS = 8


def asked(book: Notebook, scale: Scale, repetition: int) -> None:
    """P12: the state of a home by the interface, one home after the other, while 500 messages a second come in."""
    seconds = 8 if scale.quick else 20
    with running(Gateway, scale) as (subject, traffic, sink, folder):
        hello = _hello(folder, seconds)
        secrets = subject.tokens(TOKENS, "homes:read")
        paths = [f"/api/v1/homes/{subject.homes.name(number)}" for number in range(scale.homes)]
        given = [(path, secrets[at % TOKENS]) for at, path in enumerate(paths)]
        first = _ask(folder, subject.web_port, given, 60, len(given))
        readings = traffic.readings(f"500:{500 * (seconds + 2)}")
        presses = traffic.presses(20, 20 * seconds)
        state = _ask(folder, subject.web_port, given, seconds, 10**9)
        presses.result()
        readings.result()
        took = answered(sent_in(presses.log), sink, 30)
    name = Gateway.name
    book.note("P12", "answers/s", "FastAPI hello", repetition, hello["per_s"])
    book.note("P12", "state of a home, answers/s, 500 messages/s beside it", name, repetition, state["per_s"])
    ratio = state["per_s"] / hello["per_s"]
    book.note("P12", "the same, of FastAPI hello", name, repetition, ratio, limit=0.5, more_is_better=True)
    what = "the first look in an hour at each home, which is written down: answers/s"
    book.note("P12", what, name, repetition, first["per_s"])
    book.note("P12", "answers that were none", name, repetition, state["refused"], limit=0)
    book.note("P12", "state of a home, p99 ms", name, repetition, state["p99_ms"])
    what = "press to webhook beside it"
    book.note("P12", f"{what}, p99 ms", name, repetition, took.share(0.99), limit=PRESS_MS)
    book.note("P12", f"{what}, p50 ms", name, repetition, took.share(0.5))
    book.note("P12", "presses lost", name, repetition, took.lost, limit=0)


def _hello(folder: Path, seconds: int) -> dict[str, float]:
    port = free_port()
    child = start([python(), BENCH / "peers" / "hello.py", port], folder / "hello.log")
    try:
        wait_until("FastAPI hello", lambda: listens(port), 20)
        return _ask(folder, port, [("/", "nobody")], seconds, 10**9)
    finally:
        end(child)


def _ask(folder: Path, port: int, given: list[tuple[str, str]], seconds: int, most: int) -> dict[str, float]:
    """What `httpload` says of asking for each of these (path, token) in turn."""
    path = folder / "requests"
    head = "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n"
    path.write_bytes("".join(head.format(*one) for one in given).encode())
    args = [
        build() / "httpload",
        "--port",
        port,
        "--requests",
        path,
        "--connections",
        CONNECTIONS,
        "--seconds",
        seconds,
        "--count",
        most,
    ]
    said = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=True).stdout
    return json.loads(said)


def judged(book: Notebook, scale: Scale, repetition: int) -> None:
    """P13: what detectors cost a reading, and the timers of ten thousand homes."""
    us, share = measured()
    book.note("P13", "CPU us/reading, all detectors", "the watches", repetition, us, limit=READING_US)
    book.note(
        "P13", "timers of 10,000 homes, % of a core", "the road", repetition, 100 * share, limit=100 * TIMER_SHARE
    )


def ten_thousand(book: Notebook, scale: Scale, repetition: int) -> None:
    """P14: ten thousand homes of busy people at five times their mean, 1,160 messages a second."""
    seconds = 60 if scale.quick else 600
    with running(Gateway, replace(scale, homes=10_000)) as (subject, traffic, sink, _), DiskBeside() as disk:
        rows, used, began = subject.stored(), cpu_s(subject.pids()), time.monotonic()
        readings = traffic.readings(f"1160:{1160 * seconds}", give_up=seconds + 300)
        presses = traffic.presses(2, 2 * seconds - 10, give_up=seconds + 300)
        presses.result()
        readings.result()
        subject.wait_stored(rows + 1160 * seconds, 300)
        share = (cpu_s(subject.pids()) - used) / (time.monotonic() - began)
        took = answered(sent_in(presses.log), sink, 30)
        rss = rss_mb(subject.pids())
        surplus = subject.stored() - rows - 1160 * seconds
    with running(Floor, replace(scale, homes=10_000)) as (_, traffic, sink, _):  # what the broker alone makes of it
        readings = traffic.readings(f"1160:{1160 * 30}")
        presses = traffic.presses(5, 5 * 28)
        presses.result()
        readings.result()
        floor = answered(sent_in(presses.log), sink, 30)
    name, what = Gateway.name, f"10,000 homes, 1,160/s for {seconds} s"
    book.note("P14", "10,000 homes, 1,160/s: press to webhook, p99 ms", Floor.name, repetition, floor.share(0.99))
    book.note("P14", f"{what}: lost or stored twice", name, repetition, abs(surplus), limit=0)
    book.note("P14", f"{what}: press to webhook, p99 ms", name, repetition, took.share(0.99), limit=20.0)
    book.note("P14", f"{what}: press to webhook, p50 ms", name, repetition, took.share(0.5))
    note_waits(book, "P14", f"{what}: press to webhook", name, repetition, took, disk)
    book.note("P14", f"{what}: presses lost", name, repetition, took.lost, limit=0)
    book.note("P14", f"{what}: % of a core", name, repetition, 100 * share, limit=30.0)
    book.note("P14", f"{what}: RSS MB afterwards", name, repetition, rss, limit=325.0)


def urgent(book: Notebook, scale: Scale, repetition: int) -> None:
    """URGENT: presses under five thousand readings a second, for one thousand and for ten thousand homes."""
    for homes in (1_000, 10_000):
        _pressed(book, "URGENT", replace(scale, homes=homes), repetition)


def urgent_in_a_county(book: Notebook, scale: Scale, repetition: int) -> None:
    """The same for a hundred thousand, of which most sleep: people live in two thousand at once, for some seconds."""
    _pressed(book, "URGENT100K", replace(scale, homes=100_000), repetition, at_once=2_000)


def _pressed(book: Notebook, goal: str, scale: Scale, repetition: int, at_once: int = 0) -> None:
    seconds, name = 15 if scale.quick else 60, Gateway.name
    with running(Gateway, scale) as (subject, traffic, sink, _), DiskBeside() as disk:
        rows, used, began = subject.stored(), cpu_s(subject.pids()), time.monotonic()
        readings = traffic.readings(f"5000:{5000 * seconds}", at_once=at_once)
        time.sleep(1)
        presses = traffic.presses(12, 12 * (seconds - 2))
        presses.result()
        readings.result()
        subject.wait_stored(rows + 5000 * seconds, 300)
        share = (cpu_s(subject.pids()) - used) / (time.monotonic() - began)
        took, rss = answered(sent_in(presses.log), sink, 30), rss_mb(subject.pids())
    what = f"press to webhook at 5,000/s, {scale.homes:,} homes"
    book.note(goal, f"{what}, p99 ms", name, repetition, took.share(0.99), limit=100.0)
    book.note(goal, f"{what}, p50 ms", name, repetition, took.share(0.5))
    note_waits(book, goal, what, name, repetition, took, disk)
    book.note(goal, f"{what}, lost", name, repetition, took.lost, limit=0)
    if at_once:
        book.note(goal, f"{what}: % of a core", name, repetition, 100 * share)
        book.note(goal, f"{what}: RSS MB afterwards", name, repetition, rss, limit=1536.0)
