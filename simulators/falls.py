"""What a wrist or a waist feels when its owner falls, and when she claps, sits down hard or bangs on the table.

Simulated physics, seeded: no recording of anybody went into it. A sensor feels gravity, turned as it is worn, what the
body does by itself, and what strikes it; and as it sits at the end of an arm, whatever turns the arm is felt too. A
fall is mostly an attempt to stay up, a descent in which the arm is thrown out, landings that take away the speed of the
descent within some hundredths of a second, and then lying otherwise than before. What is no fall lacks something of
this: it does not turn, or goes on, or strikes without a descent.

How fast, how long and how often is what others have measured on bodies:

- Choi, Wakeling, Robinovitch, J Biomech 48 (2015) 911, 25 falls of old people on video: from losing hold to landing
  1.27 s (standard deviation 0.65), the descent alone 0.58 s (0.26); the hand lands at 2.87 m/s (1.60), the pelvis at
  2.14 m/s (0.63); in 21 of 25 falls a hand lands.
- Hsiao, Robinovitch, J Biomech 31 (1998) 1: hand and pelvis land within 0.04 s of each other.
- Chiu, Robinovitch, J Biomech 31 (1998) 1169: an outstretched hand is struck twice, first short, then longer.
- Roos and others, Gait Posture 27 (2008) 352: who trips throws the arms up, whether it helps or not.
- Feltner and others, J Sports Sci 17 (1999) 449: arms swing up before a jump; athletes leave the ground at 2.4 m/s.
- Flash, Hogan, J Neurosci 5 (1985) 1688: an arm goes from rest to rest with the least jerk.
- Winter, Biomechanics and Motor Control of Human Movement: a forearm is 0.146 of the stature, an upper arm 0.186.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import acos, cos, exp, pi, sin, sqrt
from random import Random
from typing import Any

from ingest.decoders.acceleration import HERTZ, TRIGGER_G, Vector, length, resampled, unit

_STEP = 1 / 200  # the physics run at 200 Hz; a sensor averages over its own pace
_G = 9.81

BEFORE_S, AFTER_S = 2.5, 4.0
"""What a device sends around an impact."""

ELBOW, SHOULDER = 0.25, 0.55
"""How far a wrist is from the joint that it turns about, in metres."""

FASTEST = 5.0
"""Metres a second: so fast a strong arm is thrown at most."""

HAND_LANDS, HAND_M_S, PELVIS_M_S = 21 / 25, (2.87, 1.1), (2.14, 0.63)
DESCENT_S = (0.58, 0.2)
"""Of falls from standing: mean and spread. What is slower than the spread says is drawn by `slow`."""


@dataclass(frozen=True, slots=True)
class Wearer:
    """One body and one device: the same movement feels otherwise on everybody."""

    number: int
    is_old: bool
    at_waist: bool
    vigour: float  # how hard she does things
    limit_g: float  # the sensor shows no more than this
    noise_g: float
    hertz: int  # so often its sensor looks; what it sends is brought to an even pace

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
            hertz=chance.choice((25, 33, 50, 50, 100)),
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

    def turn(self, at: float, takes: float, angle: float, *, about: float = ELBOW) -> None:
        """From then on it hangs otherwise, by so many degrees, in whatever direction."""
        self.turn_to(at, takes, _turned(self.hangs[-1][1], angle, self.chance), about=about)

    def turn_back(self, at: float, takes: float, spread: float, *, about: float = ELBOW) -> None:
        """It comes to hang about as it did at first."""
        self.turn_to(at, takes, _turned(self.hangs[0][1], abs(self.chance.gauss(0, spread)), self.chance), about=about)

    def turn_to(self, at: float, takes: float, becomes: Vector, *, about: float) -> None:
        """It comes to hang like this. So many metres from the joint, it is thrown outward and along meanwhile."""
        was = self.hangs[-1][1]
        angle = _between(was, becomes)
        begins = max(at, self.hangs[-1][0])
        takes = max(takes, 0.05, 1.875 * angle * about / (FASTEST * self.wearer.vigour))
        self.hangs += [(begins, was), (begins + takes, becomes)]
        if self.wearer.at_waist:
            about *= 0.3  # a waist turns with the trunk, nearer to what it turns about
        axis = unit(_cross(was, becomes))
        slant = self.chance.gauss(0, pi / 3)
        inward = _sum((_times(was, cos(slant)), _times(_cross(axis, was), sin(slant))))
        along = _cross(axis, inward)

        def act(now: float) -> Vector:
            share = (now - begins) / takes
            speed = 30 * (share * (1 - share)) ** 2 * angle / takes
            gain = (60 * share - 180 * share**2 + 120 * share**3) * angle / takes**2
            return _sum((_times(inward, about * speed * speed / _G), _times(along, about * gain / _G)))

        self.acts.append((begins, begins + takes, act))

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
                smooth = share**3 * (10 - 15 * share + 6 * share * share)
                return unit(_sum((_times(was, 1 - smooth), _times(becomes, smooth))))
        return self.hangs[-1][1] if at >= self.hangs[-1][0] else self.hangs[0][1]

    def felt(self) -> tuple[Vector, ...]:
        """What the sensor says, brought to 50 Hz."""
        limit, noise = self.wearer.limit_g, self.wearer.noise_g
        looks = 1 / self.wearer.hertz
        told: list[Vector] = []
        for number in range(int(self.lasts * self.wearer.hertz) + 1):
            x = y = z = 0.0
            parts = max(1, round(looks / _STEP))
            for part in range(parts):
                one = self._at(number * looks + part * _STEP)
                x, y, z = x + one[0], y + one[1], z + one[2]
            told.append(
                (
                    _shown(x / parts + self.chance.gauss(0, noise), limit),
                    _shown(y / parts + self.chance.gauss(0, noise), limit),
                    _shown(z / parts + self.chance.gauss(0, noise), limit),
                )
            )
        return tuple(resampled([number * looks for number in range(len(told))], told)[: int(self.lasts * HERTZ)])

    def _at(self, at: float) -> Vector:
        """What acts on the sensor at a moment."""
        weight = 1.0
        for begins, ends, share in self.drops:
            if begins <= at < ends:
                weight -= share * sin(pi * (at - begins) / (ends - begins)) ** 0.7
        x, y, z = _times(self.hangs_at(at), weight)
        for begins, ends, act in self.acts:
            if begins <= at < ends:
                more = act(at)
                x, y, z = x + more[0], y + more[1], z + more[2]
        return x, y, z


# --------------------------------------------------------------------------- falls

LENGTH_S = 12.0


def _fall(
    track: _Track, at: float, *, height: float, slow: float = 1.0, walks: bool = False, limp: bool = False
) -> None:
    """Down from a height (1 standing, about a half sitting); `slow` stretches it; who faints is `limp`."""
    chance = track.chance
    coupled = PELVIS_M_S[0] / HAND_M_S[0] if track.wearer.at_waist else 1.0
    if walks:
        track.rhythm(0.2, at, chance.uniform(0.12, 0.35), chance.uniform(0.8, 1.1), 0.5)
    else:
        track.sway(0.2, at, chance.uniform(0.01, 0.12), chance.uniform(0.5, 2))
    if height > 0.7 and not limp and chance.random() < 0.7:
        at = _tries_to_stay_up(track, at)
    descent = max(0.25, chance.gauss(*DESCENT_S)) * sqrt(height) * slow
    lands = at + descent
    # A forearm that hung comes to lie; one that lay in the lap lies otherwise, or hardly.
    angle = max(15.0, chance.gauss(85, 32)) if height > 0.7 else chance.uniform(10, 150)
    lies = _turned(track.hangs[0][1], angle, chance)
    if not limp and chance.random() < 0.7:
        begins = at + chance.uniform(0, 0.2)
        track.turn(begins, chance.uniform(0.4, 0.7) * descent, chance.uniform(25, 100), about=SHOULDER)
    track.turn_to(at + 0.2 * descent, descent, lies, about=chance.uniform(ELBOW, 0.9))
    track.sway(at, lands, chance.uniform(0.1, 0.5), chance.uniform(1.5, 4))
    track.drop(at + 0.2 * descent, lands, chance.uniform(0.2, 0.9) / slow)
    soft = chance.uniform(0.8, 2.2)  # tiles, boards, a rug, a mattress beside the bed
    power = coupled * sqrt(height) / sqrt(slow)
    if chance.random() < HAND_LANDS:
        speed = max(0.7, chance.gauss(*HAND_M_S)) * power
        track.strike(lands, speed, soft * chance.uniform(0.03, 0.07), 45, rings=chance.uniform(0.1, 0.5))
        lands += abs(chance.gauss(0, 0.04)) if chance.random() < 0.6 else chance.uniform(0.05, 0.3)
    # The body lands; what of it reaches the wrist went through the arm.
    speed = max(0.7, chance.gauss(*PELVIS_M_S)) * power * chance.uniform(0.4, 1.0)
    track.strike(lands, speed, soft * chance.uniform(0.05, 0.1), 45, rings=chance.uniform(0.1, 0.5))
    for _ in range(chance.choice((0, 0, 1, 1, 2))):  # an elbow, a shoulder, the arm that was thrown up
        lands += chance.uniform(0.08, 0.4)
        track.strike(lands, speed * chance.uniform(0.25, 0.8), soft * chance.uniform(0.04, 0.08), 60)
    # The arm comes to rest later than the body.
    track.sway(lands - 0.2, lands + chance.uniform(0.4, 1.4), chance.uniform(0.15, 0.8), chance.uniform(1, 4))
    track.turn(lands, chance.uniform(0.4, 2.0), abs(chance.gauss(0, 22)))
    stirs = chance.choices((0.004, 0.04, 0.2), (6, 3, 1))[0]
    track.sway(lands + 0.8, track.lasts, stirs * chance.uniform(0.4, 1.6), chance.uniform(0.3, 2))


def _tries_to_stay_up(track: _Track, at: float) -> float:
    """Arms go up and a foot steps out, in vain; when it is over."""
    chance = track.chance
    ends = at + max(0.1, chance.gauss(0.6, 0.3))
    track.turn(at, chance.uniform(0.3, 0.6), chance.uniform(15, 80), about=SHOULDER)
    track.sway(at, ends, chance.uniform(0.15, 0.8), chance.uniform(1.5, 3.5))
    for _ in range(chance.choice((0, 1, 1, 2))):
        track.strike(chance.uniform(at + 0.1, ends), chance.uniform(0.2, 0.8), chance.uniform(0.04, 0.1), 45)
    return ends


FALLS: Mapping[str, Callable[[_Track, float], None]] = {
    "slips": lambda track, at: _fall(track, at, height=1, walks=True),
    "trips": lambda track, at: _fall(track, at, height=0.95, walks=True),
    "topples": lambda track, at: _fall(track, at, height=1),
    "falls from the chair": lambda track, at: _fall(track, at, height=0.5),
    "faints in the chair": lambda track, at: _fall(track, at, height=0.45, slow=1.2, limp=True),
    "misses the chair": lambda track, at: _fall(track, at, height=0.6, slow=0.9),
    "faints": lambda track, at: _fall(track, at, height=0.9, slow=1.3, limp=True),
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
    track.turn(at, takes, abs(chance.gauss(55, 30)))
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


def _sinks_back(track: _Track, at: float) -> None:
    """Half risen, she cannot, and drops back into the chair: seat, back rest, and the hand on the arm rest."""
    chance = track.chance
    track.sway(0.2, at - 0.8, chance.uniform(0.01, 0.08), 1)
    track.turn(at - 0.8, 0.5, chance.uniform(10, 60))
    track.swing(at - 0.6, 0.5, chance.uniform(0.1, 0.4))
    takes = chance.uniform(0.15, 0.4)
    track.drop(at, at + takes, chance.uniform(0.3, 0.9))
    lands = at + takes
    speed = 0.7 * _G * takes * chance.uniform(0.5, 1.0)
    track.strike(lands, speed, chance.uniform(0.06, 0.16), 40, rings=chance.uniform(0.1, 0.4))
    if chance.random() < 0.5:
        track.strike(
            lands + chance.uniform(0.1, 0.35), speed * chance.uniform(0.3, 0.8), chance.uniform(0.06, 0.14), 80
        )
    if chance.random() < 0.5:
        track.strike(lands + chance.uniform(0, 0.25), chance.uniform(0.3, 1.3), chance.uniform(0.02, 0.06), 60)
    track.sway(lands, lands + 0.9, chance.uniform(0.05, 0.4), 2)
    track.turn_back(at + 0.1, chance.uniform(0.5, 1.2), 25)
    track.sway(lands + 0.9, track.lasts, chance.uniform(0.003, 0.1), 1)


def _drops_onto_the_bed(track: _Track, at: float) -> None:
    """Tired, she lets herself fall onto the mattress, and makes herself comfortable."""
    chance = track.chance
    track.sway(0.2, at, chance.uniform(0.02, 0.2), 1)
    takes = chance.uniform(0.4, 0.9)
    track.turn(at, takes * 1.2, chance.uniform(35, 120), about=chance.uniform(ELBOW, 0.7))
    track.drop(at, at + takes, chance.uniform(0.1, 0.5))
    speed = chance.uniform(0.6, 1.8)
    track.strike(at + takes, speed, chance.uniform(0.12, 0.28), 45, rings=chance.uniform(0.05, 0.25))
    track.strike(at + takes + chance.uniform(0.1, 0.4), 0.5 * speed, chance.uniform(0.1, 0.25), 60, rings=0.1)
    track.turn(at + takes + chance.uniform(0.5, 2.5), chance.uniform(0.5, 1.2), chance.uniform(5, 70))
    track.sway(at + takes, track.lasts, chance.uniform(0.01, 0.15), 1)


def _strikes_the_table(track: _Track, at: float) -> None:
    """One to six short blows; the hand is lifted before and rests after."""
    chance, wearer = track.chance, track.wearer
    track.sway(0.2, at - 0.4, chance.uniform(0.01, 0.15), 1)
    back = chance.uniform(10, 70)
    track.turn(at - 0.5, 0.35, back)
    track.turn_back(at - 0.15, 0.2, 16)
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
    track.turn(at, 0.35, chance.uniform(20, 110), about=SHOULDER)
    for _ in range(chance.choice((1, 2, 3))):
        at += chance.uniform(0.2, 0.45)
        track.strike(at, chance.uniform(0.5, 1.8) * wearer.vigour, chance.uniform(0.04, 0.1), 45)
    track.turn_back(at + 0.1, 0.6, 18, about=SHOULDER)
    track.rhythm(at + 0.6, track.lasts, g, chance.uniform(0.8, 1.1), 0.5)


def _reaches_up(track: _Track, at: float) -> None:
    """A stretch or a jump for what stands high: the arms swing back and up, perhaps a flight, a landing, arms down."""
    chance, wearer = track.chance, track.wearer
    for _ in range(1 if wearer.is_old else chance.choice((1, 1, 2))):
        flight = chance.uniform(0.0, 0.12) if wearer.is_old else chance.uniform(0.15, 0.45)
        takes = chance.uniform(0.5, 1.2) if wearer.is_old else chance.uniform(0.3, 0.7)
        track.turn(at - takes - 0.5, 0.4, chance.uniform(5, 40), about=SHOULDER)
        track.turn(at - takes, takes, chance.uniform(60, 165), about=SHOULDER)
        track.swing(at - 0.3, 0.3, chance.uniform(0.3, 1.3) * wearer.vigour)
        lands = at + flight
        if flight:
            track.drop(at, lands, chance.uniform(0.5, 1.0))
        speed = flight * _G / 2 * chance.uniform(0.5, 1.2)
        track.strike(lands, speed, chance.uniform(0.05, 0.14), 30, rings=chance.uniform(0.2, 0.5))
        if chance.random() < 0.5:  # toes, then heels
            track.strike(lands + chance.uniform(0.05, 0.15), 0.5 * speed, chance.uniform(0.04, 0.1), 30)
        track.turn_back(lands + chance.uniform(-0.1, 0.2), chance.uniform(0.35, 0.9), 18, about=SHOULDER)
        at = lands + 2.2
    track.sway(lands + 0.2, track.lasts, chance.uniform(0.03, 0.25), 1.5)


def _swings_the_arms(track: _Track, at: float) -> None:
    """Morning exercise: both arms to and fro, again and again."""
    chance = track.chance
    begins, takes = at - 2.0, chance.uniform(0.4, 0.9)
    wide = chance.uniform(40, 120)
    for _ in range(chance.randint(2, 6)):
        track.turn(begins, takes, wide, about=SHOULDER)
        track.turn_back(begins + takes, takes, 10, about=SHOULDER)
        begins += 2 * takes
    track.sway(0.2, track.lasts, 0.05, 1)


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
        track.turn(begins, chance.uniform(0.3, 0.7), chance.uniform(30, 130), about=SHOULDER)
        track.swing(begins, chance.uniform(0.25, 0.6), chance.uniform(0.3, 1.3) * track.wearer.vigour)
        begins += chance.uniform(0.5, 1.0)
    track.sway(0.2, track.lasts, 0.12, 1.5)


def _lays_it_aside(track: _Track, at: float) -> None:
    """The device comes off and is laid, or dropped, on the table: then it lies stiller than anybody."""
    chance = track.chance
    track.sway(0.2, at - 0.1, chance.uniform(0.1, 0.4), 2)
    track.turn(at - 1.2, 0.8, chance.uniform(20, 120))
    flight = chance.uniform(0.03, 0.15)
    track.drop(at - flight, at, 1.0)
    track.turn(at - 0.1, 0.12, chance.uniform(0, 60), about=0.02)
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
    "sinks back": _sinks_back,
    "lies down": _lies_down,
    "drops onto the bed": _drops_onto_the_bed,
    "strikes the table": _strikes_the_table,
    "claps": _claps,
    "shuts a door": _shuts_a_door,
    "ties a shoe": _ties_a_shoe,
    "stumbles": _stumbles,
    "reaches up": _reaches_up,
    "swings the arms": _swings_the_arms,
    "works": _works,
    "takes off a coat": _takes_off_a_coat,
    "lays it aside": _lays_it_aside,
    "rests on the stick": _rests_on_the_stick,
}

YOUNG_ONLY = frozenset({"runs"})

BY_HAND = frozenset({"strikes the table", "claps", "shuts a door", "works", "takes off a coat", "swings the arms"})
"""What the hands do: a waist feels nothing of it."""


def does(wearer: Wearer) -> list[str]:
    """What this wearer does that can be felt where the device is worn."""
    left_out = (YOUNG_ONLY if wearer.is_old else frozenset()) | (BY_HAND if wearer.at_waist else frozenset())
    return [name for name in (*FALLS, *DAILY) if name not in left_out]


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
            for name in does(wearer):
                yield record(name, wearer, f"{seed}/{trial}")


# --------------------------------------------------------------------------- what the device sends of it


def windows(samples: Sequence[Vector]) -> Iterator[tuple[int, int]]:
    """Where a device would cut: from 2.5 s before the hardest moment to 4 s after, once for what belongs together."""
    place = 0
    while place < len(samples):
        if length(samples[place]) <= TRIGGER_G:
            place += 1
            continue
        hardest = max(range(place, min(place + 2 * HERTZ, len(samples))), key=lambda n: length(samples[n]))
        first = max(0, hardest - round(BEFORE_S * HERTZ))
        yield first, min(len(samples), hardest + round(AFTER_S * HERTZ))
        place += round(AFTER_S * HERTZ)


def message(samples: Sequence[Vector], at: datetime) -> dict[str, Any]:
    """The report of a window that began then."""
    shown = [[round(value, 2) for value in sample] for sample in samples]
    return {"kind": "acceleration", "at": at.isoformat(), "rate": HERTZ, "unit": "g", "samples": shown}


# --------------------------------------------------------------------------- directions


def _any_way(chance: Random) -> Vector:
    return unit((chance.gauss(0, 1), chance.gauss(0, 1), chance.gauss(0, 1)))


def _turned(way: Vector, angle: float, chance: Random) -> Vector:
    """Turned by so many degrees, about whatever axis."""
    other = _any_way(chance)
    along = sum(a * b for a, b in zip(way, other, strict=True))
    side = unit(_sum((other, _times(way, -along))))
    return unit(_sum((_times(way, cos(angle * pi / 180)), _times(side, sin(angle * pi / 180)))))


def _between(one: Vector, other: Vector) -> float:
    """The angle between two directions."""
    return acos(max(-1.0, min(1.0, sum(a * b for a, b in zip(one, other, strict=True)))))


def _cross(one: Vector, other: Vector) -> Vector:
    return (
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    )


def _sum(vectors: "Iterator[Vector] | tuple[Vector, ...] | Any") -> Vector:
    x = y = z = 0.0
    for vector in vectors:
        x, y, z = x + vector[0], y + vector[1], z + vector[2]
    return x, y, z


def _times(vector: Vector, factor: float) -> Vector:
    return vector[0] * factor, vector[1] * factor, vector[2] * factor


def _shown(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))
