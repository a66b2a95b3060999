"""P1 to P5 and P9: one day of everybody, interleaved: the gateway beside what people use instead."""

import math
import time
from collections.abc import Mapping
from statistics import median

from book import Notebook
from machine import BenchError, cpu_s, fsync_ms, pss_mb, rss_mb
from stage import SATURATING, Scale, running
from subjects import AiomqttEach, CommitEach, Floor, Gateway, HomeAssistant, NodeRed, NodeRedAsInstalled, Subject
from traffic import answered, sent_in


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
        if isinstance(subject, Gateway):
            seen["steady_handed_p50"] = _handed_ms(subject, sent_in(presses.log))
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
    kinds: list[type[Subject]] = [Floor, Gateway, CommitEach]
    held_against = (
        (AiomqttEach, "half of P2"),
        (NodeRed, "a bar of P1 and P3 and half of P2"),
        (HomeAssistant, "a bar of P1, P3 and P9"),
    )
    for kind, held in held_against:
        if why_not := kind.install():
            book.skip(f"{kind.name}, and with it {held}: {why_not}")
        else:
            kinds.append(kind)
    if NodeRed in kinds and scale.quick:
        book.skip("Node-RED as installed, half of P2: it takes a minute for what the others do in seconds (--quick)")
    elif NodeRed in kinds:
        kinds.append(NodeRedAsInstalled)
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

    def times(
        goal: str, what: str, key: str, bars: Mapping[str, float | None], *, more_is_better: bool = False
    ) -> None:
        for name, bar in bars.items():
            if name in seen:
                ratio = ours[key] / seen[name][key]
                book.note(
                    goal, f"{what}, of {name}", Gateway.name, repetition, ratio,
                    limit=bar, more_is_better=more_is_better,
                )  # fmt: skip

    for name in seen:
        note("P1", "stored readings/s at saturation", name, "durable")
    times("P1", "the same", "durable", {NodeRed.name: 1.5, HomeAssistant.name: 4.0}, more_is_better=True)
    book.note("P1", "lost or stored twice", Gateway.name, repetition, abs(ours["surplus"]), limit=0)
    out_of_the_box = {NodeRedAsInstalled.name: 8.0, AiomqttEach.name: 5.0}
    times("P2", "stored readings/s at saturation", "durable", out_of_the_box, more_is_better=True)
    times("P2", "stored readings/s at saturation", "durable", {CommitEach.name: None})
    for what, key, bar in (
        ("CPU us/message at saturation", "cpu_saturated", 0.6),
        ("CPU us/message at 2,000/s", "cpu_2000", 0.5),
    ):
        for name in seen:
            note("P3", what, name, key)
        times("P3", what, key, {NodeRed.name: bar, HomeAssistant.name: 0.15})
    book.note("P3", "CPU ms/press, from the broker to the webhook", Gateway.name, repetition, ours["cpu_press_ms"])
    book.note(
        "P4", "press to handed to the channel, idle, p50 ms", Gateway.name, repetition, ours["handed_p50"],
        limit=4.0,
    )  # fmt: skip
    for name in seen:
        note("P4", "press to the webhook's receipt, idle, p50 ms", name, "idle_p50")
        note("P4", "press to the webhook's receipt, idle, p99 ms", name, "idle_p99")
    book.note("P4", "press to decided and written down, idle, p50 ms", Gateway.name, repetition, ours["decided_p50"])
    book.note("P4", "one fsync of 4 KiB, p50 ms", "the disk", repetition, ours["fsync"])
    for name in seen:
        is_ours = name == Gateway.name
        limit = {"limit": floor["steady_p99"] + 10} if is_ours else {}
        note("P5", "press to webhook at 2,000/s, p99 ms", name, "steady_p99", **limit)
        note("P5", "press to webhook at 2,000/s, p50 ms", name, "steady_p50", **({"limit": 3.0} if is_ours else {}))
    book.note(
        "P5", "press to handed to the channel at 2,000/s, p50 ms", Gateway.name, repetition, ours["steady_handed_p50"]
    )
    for name in seen:
        note("P5", "presses never answered", name, "steady_lost", **({"limit": 0} if name == Gateway.name else {}))
    for name in seen:
        note("P9", "RSS MB, 1,000 homes, idle", name, "rss_idle", **({"limit": 100.0} if name == Gateway.name else {}))
    times("P9", "RSS, 1,000 homes, idle", "rss_idle", {HomeAssistant.name: 0.25, NodeRed.name: 0.8})
    for name in seen:
        note("P9", "RSS MB after the day", name, "rss_after")
    book.note("P9", "PSS MB (shared pages divided), idle", Gateway.name, repetition, ours["pss_idle"])
