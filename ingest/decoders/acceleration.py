"""A wearable's accelerometer: whether something struck it, what that was like, and whether its wearer keeps still.

A batch of samples is looked at once, by itself, and becomes at most two things heard: an impact, told by its traits,
and whether the wearer moves. The samples go no further. Which impacts are falls is not decided here.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import acos, degrees, sqrt
from statistics import median
from typing import Any

import msgspec

from gateway.domain.impact import Impact
from ingest.decoders.base import Fault, Heard, Signal, fault, moment

KIND = "acceleration"

HERTZ = 50
"""Whatever a device samples at, it is looked at so many times a second."""

TRIGGER_G = 2.5
"""Below this nothing has struck anybody. Of acted falls one in a hundred stays below it, at 3 g three."""

STILL_G = 0.25
"""Whoever keeps still moves less than this (standard deviation within a second)."""

SETTLES_S = 2.0
"""After an impact so long everything still swings: that is no movement of the person."""

BEFORE_S, AFTER_S = 1.0, 1.5
"""So much must be known around an impact. Whoever sends without a pause lets its batches overlap."""

SLOWEST, FASTEST = 20, 400
SHORTEST_S, LONGEST_S = 1.0, 60.0
MOST_SAMPLES = 4000
STRONGEST_G = 64.0
UPRIGHT_G = (0.4, 3.0)
"""What a body shows on average lies between these; anything else is another unit."""

UNITS = {"g": 1.0, "mg": 0.001, "m/s2": 1 / 9.80665, "m/s²": 1 / 9.80665}

Vector = tuple[float, float, float]


def read(report: dict[str, Any], part: int, heard: list[Heard], faults: list[Fault]) -> None:
    """One report of plain JSON: `samples` of [x, y, z] with a `rate`, or with the time `t` of each."""
    at: datetime | None = None
    if report.get("at") is not None:
        try:
            at = moment(report["at"])
        except ValueError as error:
            faults.append(fault("at", report["at"], error))
    try:
        times, samples = _samples(report)
    except ValueError as error:
        faults.append(Fault("bad-value", f"acceleration: {error}"))
        return
    strengths = [length(sample) for sample in samples]
    if not UPRIGHT_G[0] <= median(strengths) <= UPRIGHT_G[1]:
        faults.append(Fault("bad-value", f"acceleration: {median(strengths):.2f} g on average; the `unit` is another"))
        return
    struck_s = None
    if max(strengths) > TRIGGER_G:  # as hardly ever: only now it costs anything
        even = resampled(times, samples)
        place = hardest(even)
        if place is not None:
            when = _later(at, times[0] + place / HERTZ)
            heard.append(Heard(Signal.IMPACT, impact(even, place).packed(), True, when, None, part))
        struck_s = max(t for t, strength in zip(times, strengths, strict=True) if strength > TRIGGER_G) + SETTLES_S
    moves = _moves(times, strengths, struck_s)
    if moves is not None:
        heard.append(Heard(Signal.STIRS, float(moves), False, _later(at, times[-1]), None, part))


def _later(at: datetime | None, seconds: float) -> datetime | None:
    """So long after a batch began, to the millisecond; None where its clock is at the end of all time."""
    try:
        return None if at is None else at + timedelta(milliseconds=round(1000 * seconds))
    except OverflowError:
        return None


def _samples(report: dict[str, Any]) -> tuple[list[float], list[Vector]]:
    """Seconds since `at`, and what was felt then in g. Raises ValueError with what would have been right."""
    named = report.get("unit", "g")
    scale = UNITS.get(named) if type(named) is str else None
    if scale is None:
        raise ValueError(f"the unit is one of {', '.join(UNITS)}, not {ascii(named)[:20]}")
    raw = report.get("samples")
    if type(raw) is not list or not SHORTEST_S * SLOWEST <= len(raw) <= MOST_SAMPLES:
        count = len(raw) if type(raw) is list else "none"
        raise ValueError(f"`samples` is a list of {SHORTEST_S * SLOWEST:.0f} to {MOST_SAMPLES}, not {count}")
    samples = _numbers(raw, scale)
    own = report.get("t")
    if own is None:
        rate = report.get("rate")
        if (type(rate) is not int and type(rate) is not float) or not SLOWEST <= rate <= FASTEST:
            raise ValueError(f"`rate` is a number from {SLOWEST} to {FASTEST} a second, or `t` tells each time")
        times = [place / rate for place in range(len(samples))]
    else:
        times, samples = _in_order(own, samples)
    if not SHORTEST_S <= times[-1] - times[0] <= LONGEST_S:
        raise ValueError(f"{times[-1] - times[0]:.1f} s of samples; {SHORTEST_S:g} to {LONGEST_S:g} are read")
    return times, samples


def _numbers(raw: list[Any], scale: float) -> list[Vector]:
    """Checked all at once, for there are hundreds of them."""
    try:
        samples = msgspec.convert(raw, list[Vector])
    except msgspec.ValidationError as error:
        raise ValueError(f"a sample is [x, y, z]: {error}") from None
    strongest = max(max(map(max, samples)), -min(map(min, samples))) * scale
    if strongest > STRONGEST_G:
        raise ValueError(f"{strongest:.0f} g is no acceleration; at most {STRONGEST_G:g} g are")
    return samples if scale == 1 else [(x * scale, y * scale, z * scale) for x, y, z in samples]


def _in_order(own: Any, samples: list[Vector]) -> tuple[list[float], list[Vector]]:
    """Samples by their own times. Devices hand them over in bursts, now and then a step back or twice."""
    if type(own) is not list or len(own) != len(samples):
        raise ValueError("`t` has a time in milliseconds for each sample")
    for ms in own:
        if (type(ms) is not int and type(ms) is not float) or not 0 <= ms <= 1000 * LONGEST_S:
            raise ValueError(f"`t` is milliseconds since `at`, at most {1000 * LONGEST_S:.0f}, not {ascii(ms)[:20]}")
    known: dict[float, Vector] = {}
    for ms, sample in sorted(zip(own, samples, strict=True), key=lambda pair: pair[0]):
        known.setdefault(ms / 1000, sample)
    if len(known) < SHORTEST_S * SLOWEST:
        raise ValueError(f"only {len(known)} different times in `t`")
    return list(known), list(known.values())


def resampled(times: Sequence[float], samples: Sequence[Vector]) -> list[Vector]:
    """The same at an even pace, on straight lines between the samples."""
    even: list[Vector] = []
    place = 0
    for number in range(int((times[-1] - times[0]) * HERTZ + 1e-9) + 1):
        at = times[0] + number / HERTZ
        while place < len(times) - 2 and times[place + 1] < at:
            place += 1
        first, second = samples[place], samples[place + 1]
        share = min((at - times[place]) / (times[place + 1] - times[place]), 1.0)
        even.append(
            (
                first[0] + share * (second[0] - first[0]),
                first[1] + share * (second[1] - first[1]),
                first[2] + share * (second[2] - first[2]),
            )
        )
    return even


def hardest(even: Sequence[Vector]) -> int | None:
    """Where something struck hardest, if enough is known around it."""
    first, last = round(BEFORE_S * HERTZ), len(even) - round(AFTER_S * HERTZ)
    if last <= first:
        return None
    place = max(range(first, last), key=lambda number: length(even[number]))
    return place if length(even[place]) > TRIGGER_G else None


def impact(even: Sequence[Vector], place: int) -> Impact:
    """The traits of what struck at this place of an even sequence."""
    strengths = [length(sample) for sample in even]

    def span(begins: float, ends: float) -> slice:
        """Of the seconds around the impact as much as there is, and two samples at least."""
        first = min(max(0, place + round(begins * HERTZ)), len(even) - 2)
        return slice(first, max(first + 2, min(len(even), place + round(ends * HERTZ))))

    def off(begins: float, ends: float) -> float:
        part = strengths[span(begins, ends)]
        return sum(abs(strength - 1) for strength in part) / len(part)

    def lies(begins: float, ends: float) -> Vector:
        part = even[span(begins, ends)]
        return (
            sum(sample[0] for sample in part) / len(part),
            sum(sample[1] for sample in part) / len(part),
            sum(sample[2] for sample in part) / len(part),
        )

    near = strengths[span(-1, 1)]
    landing = strengths[span(-0.4, 0.6)]
    later = strengths[span(1, 4)]
    early = even[span(-2.5, -1.5)]
    before, after = lies(-2.5, -0.8), lies(1, 4)
    return Impact.measured(
        {
            "peak": strengths[place],
            "jerk": max(abs(second - first) for first, second in pairwise(near)),
            "width": sum(strength > 1.8 for strength in landing) / HERTZ,
            "crowd": sum(strength > 2 for strength in near) / len(near),
            "push": _push(even, place, before, after),
            "shock": off(-0.3, 0.3),
            "bounce": off(0.3, 0.8),
            "rest": off(1.5, 2.5),
            "approach": off(-1.5, -0.8),
            "stir": sqrt(sum(_spread([sample[axis] for sample in early]) ** 2 for axis in range(3))),
            "weight": sum(later) / len(later),
            "turned": _angle(before, after),
            "tipped": _angle(before, lies(0.8, 1.8)),
        }
    )


def _push(even: Sequence[Vector], place: int, before: Vector, after: Vector) -> float:
    """The most by which the speed changed around the impact, while gravity turned from before to after."""
    down, lying = unit(before), unit(after)
    x = y = z = 0.0
    start: Vector | None = None
    most = 0.0
    for number in range(max(0, place - 40), min(len(even), place + 41)):
        share = min(max((number - place + 25) / 50, 0.0), 1.0)
        gravity = unit(
            (
                down[0] + share * (lying[0] - down[0]),
                down[1] + share * (lying[1] - down[1]),
                down[2] + share * (lying[2] - down[2]),
            )
        )
        sample = even[number]
        x += (sample[0] - gravity[0]) / HERTZ
        y += (sample[1] - gravity[1]) / HERTZ
        z += (sample[2] - gravity[2]) / HERTZ
        start = start or (x, y, z)
        most = max(most, length((x - start[0], y - start[1], z - start[2])))
    return most


def _moves(times: Sequence[float], strengths: Sequence[float], since: float | None) -> bool | None:
    """Whether its wearer moves, in any second of the batch, or of what follows an impact; None: too short to say."""
    begins = times[0] if since is None else since
    first, told = bisect_left(times, begins), []
    while first < len(times):
        last = bisect_left(times, times[first] + 1.0, first)
        if last - first >= SLOWEST / 2:
            told.append(_spread(strengths[first:last]))
        first = last
    return max(told) >= STILL_G if told else None


def _spread(values: Sequence[float]) -> float:
    """Their standard deviation."""
    middle = sum(values) / len(values)
    return sqrt(sum((value - middle) ** 2 for value in values) / len(values))


def length(vector: Vector) -> float:
    return sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])


def unit(vector: Vector) -> Vector:
    long = length(vector) or 1.0
    return vector[0] / long, vector[1] / long, vector[2] / long


def _angle(one: Vector, other: Vector) -> float:
    """Degrees between two directions."""
    first, second = unit(one), unit(other)
    return degrees(acos(min(max(sum(a * b for a, b in zip(first, second, strict=True)), -1.0), 1.0)))
