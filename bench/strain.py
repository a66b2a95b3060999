"""P6 to P8, P10, P11, NATS and CARE: the gateway under what it must stand."""

import math
import shutil
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from book import Notebook
from crash import crash
from machine import STATE, build, cpu_s, fsync_ms, rss_mb
from stage import Scale, press_until_answered, running
from subjects import Gateway, NodeRed
from traffic import answered, sent_in
from waits import DiskBeside, note_waits


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
        press_until_answered(subject, traffic, sink)
        subject.wait_quiet()
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
        book.note("P8", what, subject.name, repetition, value, limit=2.0)


def storm(book: Notebook, scale: Scale, repetition: int) -> None:
    """P10: 40,000 a second for five seconds, then 10,000 a second."""
    with running(Gateway, scale) as (subject, traffic, sink, _), DiskBeside() as disk:
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
        note_waits(book, "P10", "press to webhook", subject.name, repetition, took, disk)
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
