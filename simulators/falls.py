"""What a wrist or a waist feels when its owner falls, and when she claps, sits down hard or bangs on the table.

Simulated physics, seeded: no recording of anybody went into it. A sensor feels gravity, turned as it is worn, what the
body does by itself, and what strikes it. A fall is a loss of hold, a flight in which the arm flails, one to three
landings that take away the speed of the flight within some hundredths of a second, and then lying otherwise than
before. What is no fall lacks something of this: it does not turn, or goes on, or strikes without a flight.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import cos, exp, pi, sin, sqrt
from random import Random
from typing import Any

Vector = tuple[float, float, float]

HERTZ = 50
_FINE = 4  # the physics run at 200 Hz; a sensor averages
_STEP = 1 / (HERTZ * _FINE)
_G = 9.81

BEFORE_S, AFTER_S = 2.5, 4.0
"""What a device sends around an impact."""

TRIGGER_G = 2.5


@dataclass(frozen=True, slots=True)
class Wearer:
    """One body and one device: the same movement feels otherwise on everybody."""

    number: int
    is_old: bool
    at_waist: bool
    vigour: float  # how hard she does things
    limit_g: float  # the sensor shows no more than this
    noise_g: float

    @classmethod
    def drawn(cls, number: int, seed: int) -> "Wearer":
        chance = Random(f"wearer {seed} {number}")
        is_old = chance.random() < 0.4
        return cls(
            number,
            is_old,
            at_waist=chance.random() < 0.25,
            vigour=chance.uniform(0.55, 0.95) if is_old else chance.uniform(0.7, 1.35),
            limit_g=chance.choice((8.0, 8.0, 16.0)),
            noise_g=chance.uniform(0.004, 0.02),
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """One trial at 50 Hz, in g."""

    name: str  # of what was done, as in FALLS and DAILY
    subject: int
    is_fall: bool
    samples: tuple[Vector, ...]


@dataclass(slots=True)
class _Track:
    """One trial in the making: how the sensor hangs, and what acts on it besides gravity."""

    chance: Random
    wearer: Wearer
    lasts: float
    hangs: list[tuple[float, Vector]] = field(default_factory=list)
    acts: list[tuple[float, float, Callable[[float], Vector]]] = field(default_factory=list)
    drops: list[tuple[float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hangs.append((0.0, _any_way(self.chance)))

    def turn(self, at: float, takes: float, angle: float) -> None:
        """From then on it hangs otherwise, by so many degrees, in whatever direction."""
        was = self.hangs[-1][1]
        self.hangs.append((max(at, self.hangs[-1][0]), was))
        self.hangs.append((max(at, self.hangs[-1][0]) + max(takes, 0.05), _turned(was, angle, self.chance)))

    def sway(self, begins: float, ends: float, g: float, hertz: float) -> None:
        """Movement without a beginning or an end: arms, breath, a flailing hand."""
        parts = [
            (_any_way(self.chance), g * self.chance.uniform(0.4, 0.9), hertz * self.chance.uniform(0.6, 1.6))
            for _ in range(3)
        ]
        phases = [self.chance.uniform(0, 2 * pi) for _ in parts]

        def act(at: float) -> Vector:
            fade = min(1.0, (at - begins) / 0.15, (ends - at) / 0.15)
            amounts = [fade * a * sin(2 * pi * f * at + p) for (_, a, f), p in zip(parts, phases, strict=True)]
            return _sum((way[0] * a, way[1] * a, way[2] * a) for (way, _, _), a in zip(parts, amounts, strict=True))

        self.acts.append((begins, ends, act))

    def rhythm(self, begins: float, ends: float, g: float, hertz: float, sharp: float) -> None:
        """The same again and again: steps, strokes of a brush. Sharp ones have higher harmonics."""
        way, other = _any_way(self.chance), _any_way(self.chance)
        phase = self.chance.uniform(0, 2 * pi)

        def act(at: float) -> Vector:
            fade = min(1.0, (at - begins) / 0.4, (ends - at) / 0.4)
            angle = 2 * pi * hertz * at + phase
            one = fade * g * (sin(angle) + sharp * abs(sin(angle)) ** 5 * (1 if sin(angle) > 0 else 0.3))
            two = fade * 0.5 * g * sin(2 * angle + 1)
            return (
                way[0] * one + other[0] * two,
                way[1] * one + other[1] * two,
                way[2] * one + other[2] * two,
            )

        self.acts.append((begins, ends, act))

    def drop(self, begins: float, ends: float, share: float) -> None:
        """So much of its weight is gone meanwhile."""
        self.drops.append((begins, ends, share))

    def strike(self, at: float, speed: float, lasts: float, spread: float, *, rings: float = 0.35) -> None:
        """Something stops it: so many metres a second taken away within `lasts` seconds, and it rings after."""
        hardest = pi / 2 * speed / lasts / _G
        up = _turned(self.hangs_at(at), abs(self.chance.gauss(0, spread)), self.chance)
        ring_hertz, dies = self.chance.uniform(7, 18), self.chance.uniform(0.04, 0.11)
        side = _turned(up, self.chance.uniform(20, 90), self.chance)

        def act(now: float) -> Vector:
            since = now - at
            if since < lasts:
                amount = hardest * sin(pi * since / lasts)
                return up[0] * amount, up[1] * amount, up[2] * amount
            amount = rings * hardest * exp(-(since - lasts) / dies) * sin(2 * pi * ring_hertz * (since - lasts))
            return side[0] * amount, side[1] * amount, side[2] * amount

        self.acts.append((at, at + lasts + 5 * dies, act))

    def swing(self, at: float, lasts: float, g: float) -> None:
        """The arm is thrown, reaches or pulls: strong, smooth, and it takes its time."""
        way = _any_way(self.chance)

        def act(now: float) -> Vector:
            amount = g * sin(pi * (now - at) / lasts) ** 2
            back = -0.5 * g * sin(2 * pi * (now - at) / lasts)
            return way[0] * (amount + back), way[1] * (amount + back), way[2] * (amount + back)

        self.acts.append((at, at + lasts, act))

    def hangs_at(self, at: float) -> Vector:
        for (begins, was), (ends, becomes) in zip(self.hangs, self.hangs[1:], strict=False):
            if begins <= at < ends:
                share = (at - begins) / (ends - begins)
                smooth = share * share * (3 - 2 * share)
                return _unit(_sum((_times(was, 1 - smooth), _times(becomes, smooth))))
        return self.hangs[-1][1] if at >= self.hangs[-1][0] else self.hangs[0][1]

    def felt(self) -> tuple[Vector, ...]:
        """What the sensor says, at 50 Hz."""
        limit, noise = self.wearer.limit_g, self.wearer.noise_g
        told: list[Vector] = []
        for number in range(int(self.lasts * HERTZ)):
            x = y = z = 0.0
            for part in range(_FINE):
                at = (number * _FINE + part) * _STEP
                up, weight = self.hangs_at(at), 1.0
                for begins, ends, share in self.drops:
                    if begins <= at < ends:
                        weight -= share * sin(pi * (at - begins) / (ends - begins)) ** 0.7
                x, y, z = x + up[0] * weight, y + up[1] * weight, z + up[2] * weight
                for begins, ends, act in self.acts:
                    if begins <= at < ends:
                        more = act(at)
                        x, y, z = x + more[0], y + more[1], z + more[2]
            told.append(
                (
                    _shown(x / _FINE + self.chance.gauss(0, noise), limit),
                    _shown(y / _FINE + self.chance.gauss(0, noise), limit),
                    _shown(z / _FINE + self.chance.gauss(0, noise), limit),
                )
            )
        return tuple(told)


# --------------------------------------------------------------------------- falls

LENGTH_S = 12.0


def _fall(track: _Track, at: float, *, height: float, slow: float = 1.0, walks: bool = False) -> None:
    """Down from a height (1 standing, about a half sitting); `slow` stretches it: a faint, a slide along the wall."""
    chance = track.chance
    coupled = 0.75 if track.wearer.at_waist else 1.0
    if walks:
        track.rhythm(0.2, at, chance.uniform(0.12, 0.35), chance.uniform(0.8, 1.1), 0.5)
    else:
        track.sway(0.2, at, chance.uniform(0.01, 0.12), chance.uniform(0.5, 2))
    flight = chance.uniform(0.4, 0.75) * sqrt(height) * slow
    lands = at + flight
    track.turn(at, flight + chance.uniform(0, 0.15), max(20.0, chance.gauss(85, 32)) * (0.9 if height < 1 else 1))
    track.sway(at, lands, chance.uniform(0.1, 0.55), chance.uniform(1.5, 4))
    track.drop(at + 0.2 * flight, lands, chance.uniform(0.2, 0.9) / slow)
    speed = chance.uniform(1.3, 3.6) * sqrt(height) * coupled / sqrt(slow)
    for number in range(chance.choice((1, 2, 2, 3, 3, 4))):  # knee, hip, hand, elbow, shoulder: in whatever order
        share = chance.uniform(0.6, 1.0) if number == 0 else chance.uniform(0.25, 0.9)
        track.strike(lands, speed * share, chance.uniform(0.04, 0.15), 45, rings=chance.uniform(0.1, 0.5))
        lands += chance.uniform(0.06, 0.4)
    # The arm comes to rest later than the body.
    track.sway(lands - 0.2, lands + chance.uniform(0.4, 1.4), chance.uniform(0.15, 0.8), chance.uniform(1, 4))
    track.turn(lands, chance.uniform(0.3, 2.0), abs(chance.gauss(0, 22)))
    stirs = chance.choices((0.004, 0.04, 0.2), (6, 3, 1))[0]
    track.sway(lands + 0.8, track.lasts, stirs * chance.uniform(0.4, 1.6), chance.uniform(0.3, 2))


FALLS: Mapping[str, Callable[[_Track, float], None]] = {
    "slips": lambda track, at: _fall(track, at, height=1, walks=True),
    "trips": lambda track, at: _fall(track, at, height=0.95, walks=True),
    "topples": lambda track, at: _fall(track, at, height=1),
    "falls from the chair": lambda track, at: _fall(track, at, height=0.5),
    "misses the chair": lambda track, at: _fall(track, at, height=0.6, slow=0.9),
    "faints": lambda track, at: _fall(track, at, height=0.9, slow=1.3),
    "slides down the wall": lambda track, at: _fall(track, at, height=0.7, slow=1.6),
    "rolls out of bed": lambda track, at: _fall(track, at, height=0.45, slow=1.1),
}


# --------------------------------------------------------------------------- what is no fall


def _walks(track: _Track, at: float) -> None:
    chance = track.chance
    track.rhythm(0.2, track.lasts - 0.2, chance.uniform(0.15, 0.6), chance.uniform(0.8, 1.2), chance.uniform(0.3, 1.5))


def _runs(track: _Track, at: float) -> None:
    chance = track.chance
    g = chance.uniform(1.0, 2.4) * track.wearer.vigour
    track.rhythm(0.5, track.lasts - 0.5, g, chance.uniform(1.2, 1.6), chance.uniform(0.2, 1))


def _sits_down(track: _Track, at: float) -> None:
    """Down into the chair, hard or with a bump; the hand comes to lie in the lap or on the arm rest."""
    chance = track.chance
    track.sway(0.2, at, chance.uniform(0.02, 0.2), 1.2)
    takes = chance.uniform(0.5, 1.2)
    track.turn(at, takes, abs(chance.gauss(32, 20)))
    track.drop(at, at + takes, chance.uniform(0.05, 0.35))
    speed = chance.uniform(0.4, 1.5) * (0.6 + 0.4 * track.wearer.vigour)
    track.strike(at + takes, speed, chance.uniform(0.05, 0.12), 40)
    if chance.random() < 0.4:
        track.strike(at + takes + chance.uniform(0.05, 0.3), 0.5 * speed, chance.uniform(0.02, 0.06), 60)
    track.sway(at + takes, at + takes + 0.8, chance.uniform(0.05, 0.25), 2)
    track.sway(at + takes + 0.8, track.lasts, chance.uniform(0.003, 0.08), 1)


def _lies_down(track: _Track, at: float) -> None:
    chance = track.chance
    track.sway(0.2, at, chance.uniform(0.02, 0.15), 1)
    takes = chance.uniform(0.9, 2.2)
    track.turn(at, takes, chance.uniform(35, 120))
    track.sway(at, at + takes, chance.uniform(0.1, 0.3), 1.5)
    track.strike(at + takes * 0.8, chance.uniform(0.2, 1.0), chance.uniform(0.06, 0.14), 50, rings=0.2)
    track.sway(at + takes, track.lasts, chance.uniform(0.01, 0.12), 1)


def _strikes_the_table(track: _Track, at: float) -> None:
    """One to six short blows; the hand is lifted before and rests after."""
    chance, wearer = track.chance, track.wearer
    track.sway(0.2, at - 0.4, chance.uniform(0.01, 0.15), 1)
    back = chance.uniform(10, 70)
    track.turn(at - 0.5, 0.35, back)
    track.turn(at - 0.12, 0.12, back * chance.uniform(0.5, 1.1))
    track.hangs[-1] = (track.hangs[-1][0], _turned(track.hangs[0][1], abs(chance.gauss(0, 16)), chance))
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        track.strike(at, chance.uniform(0.5, 1.8) * wearer.vigour, chance.uniform(0.012, 0.04), 40, rings=0.5)
        at += chance.uniform(0.25, 0.9)
    track.sway(at, track.lasts, chance.uniform(0.003, 0.15), 1)


def _claps(track: _Track, at: float) -> None:
    chance = track.chance
    track.turn(at - 1.0, 0.6, chance.uniform(20, 100))
    pace = chance.uniform(0.22, 0.5)
    for number in range(chance.randint(5, 22)):
        begins = at + number * pace * chance.uniform(0.93, 1.07)
        track.swing(begins - 0.15, 0.15, chance.uniform(0.3, 1.0))
        track.strike(begins, chance.uniform(0.4, 1.1) * track.wearer.vigour, chance.uniform(0.012, 0.03), 60, rings=0.5)
        last = begins
    track.turn(last + 0.4, 0.7, chance.uniform(20, 100))
    track.sway(0.2, track.lasts, 0.05, 1)


def _shuts_a_door(track: _Track, at: float) -> None:
    chance = track.chance
    track.turn(at - 1.0, 0.7, chance.uniform(20, 90))
    track.swing(at - 0.5, chance.uniform(0.4, 0.8), chance.uniform(0.4, 1.6) * track.wearer.vigour)
    track.strike(at, chance.uniform(0.3, 1.1), chance.uniform(0.015, 0.05), 60)
    track.turn(at + 0.5, 0.8, chance.uniform(20, 90))
    track.rhythm(at + 1, track.lasts, chance.uniform(0.05, 0.3), 0.95, 0.4)


def _ties_a_shoe(track: _Track, at: float) -> None:
    chance = track.chance
    track.rhythm(0.2, at - 0.5, chance.uniform(0.05, 0.2), 1, 0.3)
    track.turn(at, chance.uniform(0.7, 1.5), chance.uniform(40, 110))
    track.swing(at, 0.7, chance.uniform(0.2, 0.9))
    if chance.random() < 0.4:
        track.strike(at + 0.8, chance.uniform(0.2, 0.9), chance.uniform(0.04, 0.1), 50)
    track.sway(at + 0.8, track.lasts - 1, chance.uniform(0.1, 0.4), 2.5)


def _stumbles(track: _Track, at: float) -> None:
    """Nearly: the arm flails, a foot lands hard, and on she goes."""
    chance, wearer = track.chance, track.wearer
    g = chance.uniform(0.12, 0.35)
    track.rhythm(0.2, at, g, chance.uniform(0.8, 1.1), 0.5)
    track.sway(at, at + 0.9, chance.uniform(0.5, 1.3) * wearer.vigour, chance.uniform(1.5, 4))
    out = chance.uniform(20, 110)
    track.turn(at, 0.35, out)
    for _ in range(chance.choice((1, 2, 3))):
        at += chance.uniform(0.2, 0.45)
        track.strike(at, chance.uniform(0.5, 1.8) * wearer.vigour, chance.uniform(0.04, 0.1), 45)
    track.turn(at + 0.1, 0.6, out)
    track.hangs[-1] = (track.hangs[-1][0], _turned(track.hangs[0][1], abs(chance.gauss(0, 18)), chance))
    track.rhythm(at + 0.6, track.lasts, g, chance.uniform(0.8, 1.1), 0.5)


def _reaches_up(track: _Track, at: float) -> None:
    """A jump or a stretch for what stands high: push, perhaps a flight, a landing, and the arm comes down again."""
    chance, wearer = track.chance, track.wearer
    up = chance.uniform(60, 160)
    track.turn(at - 0.5, 0.4, up)
    track.swing(at - 0.35, 0.3, chance.uniform(0.5, 1.5) * wearer.vigour)
    flight = chance.uniform(0.15, 0.45) if not wearer.is_old else chance.uniform(0.02, 0.15)
    track.drop(at, at + flight, chance.uniform(0.5, 1.0))
    track.strike(at + flight, flight * _G / 2 * chance.uniform(0.6, 1.3), chance.uniform(0.05, 0.12), 30)
    track.turn(at + flight + 0.1, chance.uniform(0.4, 0.9), up)
    track.hangs[-1] = (track.hangs[-1][0], _turned(track.hangs[0][1], abs(chance.gauss(0, 18)), chance))
    track.sway(at + flight + 0.2, track.lasts, chance.uniform(0.03, 0.25), 1.5)


def _works(track: _Track, at: float) -> None:
    """Brushes, chops, scrubs, beats eggs."""
    chance = track.chance
    g = chance.uniform(0.5, 2.2) * track.wearer.vigour
    track.turn(0.3, 0.8, chance.uniform(10, 80))
    track.rhythm(at - 2, at + 4, g, chance.uniform(1.5, 4.5), chance.uniform(0, 1.5))
    track.turn(at + 4.2, 0.8, chance.uniform(10, 80))


def _takes_off_a_coat(track: _Track, at: float) -> None:
    chance = track.chance
    begins = at - 1.5
    for _ in range(chance.randint(3, 6)):
        track.turn(begins, chance.uniform(0.3, 0.7), chance.uniform(30, 130))
        track.swing(begins, chance.uniform(0.25, 0.6), chance.uniform(0.6, 2.6) * track.wearer.vigour)
        begins += chance.uniform(0.5, 1.0)
    track.sway(0.2, track.lasts, 0.12, 1.5)


def _lays_it_aside(track: _Track, at: float) -> None:
    """The device comes off and is laid, or dropped, on the table: then it lies stiller than anybody."""
    chance = track.chance
    track.sway(0.2, at - 0.1, chance.uniform(0.1, 0.4), 2)
    track.turn(at - 1.2, 0.8, chance.uniform(20, 120))
    flight = chance.uniform(0.03, 0.15)
    track.drop(at - flight, at, 1.0)
    track.turn(at - 0.1, 0.12, chance.uniform(0, 60))
    track.strike(at, flight * _G * chance.uniform(0.4, 0.9), chance.uniform(0.008, 0.02), 30, rings=0.6)


def _rests_on_the_stick(track: _Track, at: float) -> None:
    """A walking stick or a rail takes the weight, step by step."""
    chance = track.chance
    for number in range(12):
        track.strike(0.5 + 0.95 * number, chance.uniform(0.15, 0.7), chance.uniform(0.02, 0.06), 40)
    track.rhythm(0.2, track.lasts - 0.2, chance.uniform(0.1, 0.3), chance.uniform(0.5, 0.8), 0.4)


DAILY: Mapping[str, Callable[[_Track, float], None]] = {
    "walks": _walks,
    "runs": _runs,
    "sits down": _sits_down,
    "lies down": _lies_down,
    "strikes the table": _strikes_the_table,
    "claps": _claps,
    "shuts a door": _shuts_a_door,
    "ties a shoe": _ties_a_shoe,
    "stumbles": _stumbles,
    "reaches up": _reaches_up,
    "works": _works,
    "takes off a coat": _takes_off_a_coat,
    "lays it aside": _lays_it_aside,
    "rests on the stick": _rests_on_the_stick,
}

YOUNG_ONLY = frozenset({"runs"})


def record(name: str, wearer: Wearer, seed: object) -> Recording:
    """One trial of one wearer."""
    is_fall = name in FALLS
    track = _Track(Random(f"{seed} {wearer.number} {name}"), wearer, LENGTH_S)
    at = track.chance.uniform(4.0, 5.0)
    (FALLS if is_fall else DAILY)[name](track, at)
    return Recording(name, wearer.number, is_fall, track.felt())


def recordings(subjects: int, trials: int, seed: int = 1) -> Iterator[Recording]:
    """So many people, each of whom does everything so many times."""
    for number in range(subjects):
        wearer = Wearer.drawn(number, seed)
        for trial in range(trials):
            for name in (*FALLS, *DAILY):
                if not (wearer.is_old and name in YOUNG_ONLY):
                    yield record(name, wearer, f"{seed}/{trial}")


# --------------------------------------------------------------------------- what the device sends of it


def windows(samples: Sequence[Vector]) -> Iterator[tuple[int, int]]:
    """Where a device would cut: from 2.5 s before the hardest moment to 4 s after, once for what belongs together."""
    place = 0
    while place < len(samples):
        if _length(samples[place]) <= TRIGGER_G:
            place += 1
            continue
        hardest = max(range(place, min(place + 2 * HERTZ, len(samples))), key=lambda n: _length(samples[n]))
        first = max(0, hardest - round(BEFORE_S * HERTZ))
        yield first, min(len(samples), hardest + round(AFTER_S * HERTZ))
        place += round(AFTER_S * HERTZ)


def message(samples: Sequence[Vector], at: datetime) -> dict[str, Any]:
    """The report of a window that began then."""
    shown = [[round(value, 2) for value in sample] for sample in samples]
    return {"kind": "acceleration", "at": at.isoformat(), "rate": HERTZ, "unit": "g", "samples": shown}


# --------------------------------------------------------------------------- directions


def _any_way(chance: Random) -> Vector:
    return _unit((chance.gauss(0, 1), chance.gauss(0, 1), chance.gauss(0, 1)))


def _turned(way: Vector, angle: float, chance: Random) -> Vector:
    """Turned by so many degrees, about whatever axis."""
    other = _any_way(chance)
    along = sum(a * b for a, b in zip(way, other, strict=True))
    side = _unit(_sum((other, _times(way, -along))))
    return _unit(_sum((_times(way, cos(angle * pi / 180)), _times(side, sin(angle * pi / 180)))))


def _sum(vectors: "Iterator[Vector] | tuple[Vector, ...] | Any") -> Vector:
    x = y = z = 0.0
    for vector in vectors:
        x, y, z = x + vector[0], y + vector[1], z + vector[2]
    return x, y, z


def _times(vector: Vector, factor: float) -> Vector:
    return vector[0] * factor, vector[1] * factor, vector[2] * factor


def _length(vector: Vector) -> float:
    return sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)


def _unit(vector: Vector) -> Vector:
    length = _length(vector) or 1.0
    return vector[0] / length, vector[1] / length, vector[2] / length


def _shown(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))
