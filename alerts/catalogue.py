"""What there is to be told: for each code its severity, its words, and the ladder that is climbed.

The numbers are defaults. A configuration replaces ladders or scales all of them; an alert under way keeps its copy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from gateway.domain import Duty, Finding, Ladder, Rung, Severity


def N_(text: str) -> str:  # noqa: N802 (gettext's own name, which the extraction looks for)
    """Marks a text for the catalogue of translations where it is only listed."""
    return text


def _ladder(*rungs: tuple[Duty, timedelta]) -> Ladder:
    """A ladder that starts again as soon as the last rung has had its time: it rings until somebody accepts."""
    return Ladder(rungs=tuple(Rung(duty=duty, wait=wait) for duty, wait in rungs), repeat=timedelta(0))


def _people(wait: timedelta) -> Ladder:
    return _ladder((Duty.GRID_WORKER, wait), (Duty.DEPUTY, wait), (Duty.SUPERVISOR, wait))


def _equipment(wait: timedelta) -> Ladder:
    """Severity 5 goes to whoever looks after the equipment, never to the grid worker."""
    return _ladder((Duty.INSTALLER, wait), (Duty.ADMIN, wait))


URGENT = _ladder(
    (Duty.GRID_WORKER, timedelta(seconds=60)),
    (Duty.DEPUTY, timedelta(seconds=120)),
    (Duty.SUPERVISOR, timedelta(seconds=120)),
)
"""0 s, 60 s, 180 s, and from the beginning at 300 s."""

BY_SEVERITY: Mapping[Severity, Ladder] = {
    Severity.EMERGENCY: URGENT,
    Severity.HIGH: _people(timedelta(minutes=10)),
    Severity.MEDIUM: _people(timedelta(hours=1)),
    Severity.CARE: _people(timedelta(days=1)),
    Severity.TECHNICAL: _equipment(timedelta(hours=4)),
}
"""What is climbed where the catalogue says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One kind of alert. The texts are English and at the same time ids in the catalogue of translations."""

    code: str
    severity: Severity  # how bad it usually is; a finding may say otherwise
    name: str
    call: str  # the first sentence of a page
    again: str = N_("It has happened again, {count} times so far.")
    advice: str = ""  # what whoever goes there must know before arriving
    ladder: Ladder
    others: Mapping[Severity, Ladder] = field(default_factory=dict)  # ladders for when it is better or worse than usual

    def ladder_for(self, severity: Severity) -> Ladder:
        return self.ladder if severity is self.severity else self.others.get(severity, BY_SEVERITY[severity])


ENTRIES: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(
        code="sos",
        severity=Severity.EMERGENCY,
        name=N_("Emergency call"),
        call=N_("The emergency button was pressed at {time}."),
        again=N_("Pressed again, {count} times so far."),
        ladder=URGENT,
    ),
    CatalogueEntry(
        code="assist",
        severity=Severity.MEDIUM,
        name=N_("Call for assistance"),
        call=N_("The assistance key was pressed at {time}: something is needed, but it is no emergency."),
        again=N_("Pressed again, {count} times so far."),
        ladder=_people(timedelta(minutes=10)),
    ),
    CatalogueEntry(
        code="smoke",
        severity=Severity.EMERGENCY,
        name=N_("Smoke"),
        call=N_("Smoke alarm at {time}."),
        advice=N_("If it burns, call the fire brigade first."),
        ladder=URGENT,
    ),
    CatalogueEntry(
        code="gas",
        severity=Severity.EMERGENCY,
        name=N_("Gas"),
        call=N_("Gas alarm at {time}."),
        advice=N_("Touch no switch, do not ring the bell, telephone from outside."),
        ladder=URGENT,
    ),
    CatalogueEntry(
        code="co",
        severity=Severity.EMERGENCY,
        name=N_("Carbon monoxide"),
        call=N_("Carbon monoxide alarm at {time}."),
        advice=N_("Air the rooms before you stay inside."),
        ladder=URGENT,
    ),
    CatalogueEntry(
        code="leak",
        severity=Severity.MEDIUM,
        name=N_("Water leak"),
        call=N_("Water on the floor since {time}."),
        ladder=_people(timedelta(hours=1)),
    ),
    CatalogueEntry(
        code="fall",
        severity=Severity.HIGH,  # one radar alone; a second source or stillness makes it an emergency
        name=N_("Possible fall"),
        call=N_("A fall was reported at {time}."),
        ladder=URGENT,
    ),
    CatalogueEntry(
        code="inactivity",
        severity=Severity.HIGH,
        name=N_("No activity"),
        call=N_("No sign of life since {time}."),
        ladder=_people(timedelta(minutes=10)),
    ),
    CatalogueEntry(
        code="entered_no_motion",
        severity=Severity.HIGH,
        name=N_("Came in, no movement"),
        call=N_("Came home at {time}, and nothing has moved inside since."),
        ladder=_people(timedelta(minutes=5)),
    ),
    CatalogueEntry(
        code="not_returned",
        severity=Severity.HIGH,
        name=N_("Not returned"),
        call=N_("Out since {time} and not back."),
        ladder=_people(timedelta(minutes=15)),
    ),
    CatalogueEntry(
        code="water_low",
        severity=Severity.HIGH,  # milder where other sensors still tell of life
        name=N_("Too little water used"),
        call=N_("Hardly any water has been drawn since {time}."),
        ladder=_people(timedelta(minutes=15)),
        others={Severity.MEDIUM: _people(timedelta(minutes=30))},
    ),
    CatalogueEntry(
        code="water_high",
        severity=Severity.MEDIUM,
        name=N_("Too much water used"),
        call=N_("Far more water than a household needs has run since {time}."),
        advice=N_("A burst pipe or a forgotten tap: know where the stopcock is before you go."),
        ladder=_people(timedelta(hours=1)),
    ),
    CatalogueEntry(
        code="water_trickle",
        severity=Severity.MEDIUM,
        name=N_("Water never stops"),
        call=N_("Water has run in every half hour since {time}."),
        advice=N_("Look at the cistern of the toilet first, then at the taps."),
        ladder=_people(timedelta(hours=1)),
    ),
    CatalogueEntry(
        code="room_cold",
        severity=Severity.MEDIUM,
        name=N_("Room too cold"),
        call=N_("A room has been too cold since {time}."),
        advice=N_("Ask whether the heating works, and whether anybody sits there."),
        ladder=_people(timedelta(hours=1)),
    ),
    CatalogueEntry(
        code="room_hot",
        severity=Severity.MEDIUM,
        name=N_("Room too hot"),
        call=N_("A room has been too hot since {time}."),
        advice=N_("Ask whether she drinks, and whether there is a cooler room."),
        ladder=_people(timedelta(hours=1)),
    ),
    CatalogueEntry(
        code="vital",
        severity=Severity.MEDIUM,
        name=N_("Measurement outside its limits"),
        call=N_("A measurement was outside its limits at {time}."),
        ladder=_people(timedelta(minutes=10)),
        others={Severity.HIGH: _people(timedelta(minutes=10))},
    ),
    CatalogueEntry(
        code="bath_dwell",
        severity=Severity.HIGH,
        name=N_("Too long in the bathroom"),
        call=N_("In the bathroom since {time}, for too long."),
        ladder=_people(timedelta(minutes=5)),
    ),
    CatalogueEntry(
        code="bed_no_return",
        severity=Severity.HIGH,
        name=N_("Not back in bed"),
        call=N_("Got up at {time} in the night and is not back in bed."),
        ladder=_people(timedelta(minutes=5)),
    ),
    CatalogueEntry(
        code="not_up",
        severity=Severity.HIGH,
        name=N_("Not up yet"),
        call=N_("Still not up; last seen or in bed since {time}."),
        ladder=_people(timedelta(minutes=10)),
    ),
    CatalogueEntry(
        code="night_exit",
        severity=Severity.HIGH,
        name=N_("Out at night"),
        call=N_("Went out at {time} in the night and is not back."),
        advice=N_("Telephone first; whoever goes to look starts on the usual ways."),
        ladder=_people(timedelta(minutes=5)),
        others={Severity.EMERGENCY: URGENT},
    ),
    CatalogueEntry(
        code="wandering",
        severity=Severity.MEDIUM,
        name=N_("Restless at night"),
        call=N_("Walking about from room to room since {time}."),
        ladder=_people(timedelta(minutes=30)),
        others={Severity.HIGH: _people(timedelta(minutes=10))},
    ),
    CatalogueEntry(
        code="door_open",
        severity=Severity.MEDIUM,
        name=N_("Front door open"),
        call=N_("The front door has been open since {time}."),
        ladder=_people(timedelta(minutes=20)),
    ),
    CatalogueEntry(
        code="door_not_used",
        severity=Severity.MEDIUM,
        name=N_("Front door not used"),
        call=N_("Nobody has gone in or out since {time}; somebody is at home."),
        ladder=_people(timedelta(minutes=30)),
    ),
    CatalogueEntry(
        code="home_silent",
        severity=Severity.TECHNICAL,
        name=N_("Home not seen"),
        call=N_("Nothing has been heard from the home's hub since {time}; whether anybody moves cannot be seen."),
        ladder=_equipment(timedelta(hours=4)),
        others={Severity.MEDIUM: _people(timedelta(hours=4))},
    ),
    CatalogueEntry(
        code="device_offline",
        severity=Severity.TECHNICAL,
        name=N_("Device silent"),
        call=N_("{device}: nothing has been heard from it since {time}."),
        advice=N_("Look at its battery first, then whether the hub can still hear it there."),
        ladder=_equipment(timedelta(days=1)),
        others={Severity.MEDIUM: _people(timedelta(days=1))},
    ),
    CatalogueEntry(
        code="device_mute",
        severity=Severity.TECHNICAL,
        name=N_("Device notices nothing"),
        call=N_("{device}: it reports, but has noticed nothing since {time}."),
        advice=N_("It may be covered, turned away or broken: walk past it and see whether it fires."),
        ladder=_equipment(timedelta(days=1)),
        others={Severity.MEDIUM: _people(timedelta(days=1))},
    ),
    CatalogueEntry(
        code="device_stuck",
        severity=Severity.TECHNICAL,
        name=N_("Device stuck"),
        call=N_("{device}: it has shown one and the same since {time}."),
        advice=N_("Look whether something presses on it or moves before it; otherwise change it."),
        ladder=_equipment(timedelta(days=1)),
        others={Severity.MEDIUM: _people(timedelta(days=1))},
    ),
    CatalogueEntry(
        code="device_chatter",
        severity=Severity.TECHNICAL,
        name=N_("Device fires without a pause"),
        call=N_("{device}: it has fired without a pause since {time}; what it says no longer counts as life."),
        advice=N_("Sun, a heater, a loose contact or a magnet too far away do this."),
        ladder=_equipment(timedelta(days=1)),
        others={Severity.MEDIUM: _people(timedelta(days=1))},
    ),
    CatalogueEntry(
        code="device_faulty",
        severity=Severity.TECHNICAL,
        name=N_("Device reports a fault"),
        call=N_("{device}: it has said since {time} that it cannot do its work."),
        advice=N_("Its manual tells what its light means. A radar may have its fall function switched off."),
        ladder=_equipment(timedelta(days=1)),
        others={Severity.MEDIUM: _people(timedelta(days=1))},
    ),
    CatalogueEntry(
        code="device_flood",
        severity=Severity.TECHNICAL,
        name=N_("Device floods its hub"),
        call=N_("{device}: far too many messages since {time}. The surplus is dropped, calls for help are not."),
        advice=N_("Take it out of the network and let it join again; if it goes on, change it."),
        ladder=_equipment(timedelta(days=1)),
    ),
    CatalogueEntry(
        code="battery_low",
        severity=Severity.TECHNICAL,
        name=N_("Battery low"),
        call=N_("{device}: its battery will soon be empty."),
        advice=N_("Take a new battery along; which kind stands in the device's manual."),
        ladder=_equipment(timedelta(days=3)),
    ),
    CatalogueEntry(
        code="link_weak",
        severity=Severity.TECHNICAL,
        name=N_("Radio link weak"),
        call=N_("{device}: the hub has heard it badly since {time}."),
        advice=N_("A mains plug between the two passes messages on; metal and new furniture swallow them."),
        ladder=_equipment(timedelta(days=3)),
    ),
    CatalogueEntry(
        code="tamper",
        severity=Severity.TECHNICAL,
        name=N_("Device opened"),
        call=N_("{device}: it was opened or taken down at {time}."),
        ladder=_equipment(timedelta(days=1)),
    ),
    CatalogueEntry(
        code="power_fail",
        severity=Severity.TECHNICAL,
        name=N_("Power failure"),
        call=N_("The home's hub has lived on its own battery since {time}."),
        advice=N_("A pulled plug, a fuse, or the whole street: when the battery is empty nothing is seen any more."),
        ladder=_equipment(timedelta(hours=4)),
        others={Severity.MEDIUM: _people(timedelta(hours=4))},
    ),
    CatalogueEntry(
        code="hub_clock",
        severity=Severity.TECHNICAL,
        name=N_("Hub's clock is wrong"),
        call=N_("The clock of the home's hub has been wrong since {time}."),
        advice=N_("It needs the way to a time server, or a new battery for its clock."),
        ladder=_equipment(timedelta(days=3)),
    ),
    CatalogueEntry(
        code="detector_failed",
        severity=Severity.TECHNICAL,
        name=N_("Program fault"),
        call=N_("A part of the program failed at {time}; this home is not watched completely."),
        ladder=_equipment(timedelta(days=1)),
    ),
    CatalogueEntry(
        code="test",
        severity=Severity.CARE,
        name=N_("Test alert"),
        call=N_("A device was tried out at {time}."),
        ladder=_people(timedelta(days=1)),  # the desk climbs one rung of what is tested, and no further
    ),
)

UNKNOWN = CatalogueEntry(
    code="",
    severity=Severity.MEDIUM,
    name=N_("Alert"),
    call=N_("Something was noticed at {time}."),
    ladder=BY_SEVERITY[Severity.MEDIUM],
)
"""What an unknown code falls to, so that nothing is lost because nobody wrote it into the catalogue."""


class Catalogue:
    """The table that the desk asks.

    `ladders` replaces the ladder of a code, or of a code at one severity: `{"sos": …, "home_silent/medium": …}`.
    `scale` multiplies every wait, for a demonstration that has no time.
    """

    def __init__(
        self,
        entries: Iterable[CatalogueEntry] = ENTRIES,
        *,
        ladders: Mapping[str, Ladder] | None = None,
        scale: float = 1.0,
    ) -> None:
        if not scale > 0:
            raise ValueError(f"a ladder's waits can be scaled by a number above 0, not by {scale!r}")
        self._scale = scale
        self._entries = {entry.code: entry for entry in entries}
        for place, ladder in (ladders or {}).items():
            self._replace(place, ladder)
        for entry in (*self._entries.values(), UNKNOWN):
            for ladder in (entry.ladder, *entry.others.values()):
                _check(entry.code, ladder)

    def entry(self, code: str) -> CatalogueEntry:
        return self._entries.get(code) or replace(UNKNOWN, code=code)

    def codes(self) -> list[str]:
        return list(self._entries)

    def ladder(self, code: str, severity: Severity) -> Ladder:
        """A copy for one alert: an edit of the catalogue never changes what is under way."""
        ladder = self.entry(code).ladder_for(severity)
        if self._scale == 1.0:
            return ladder
        return Ladder(
            rungs=tuple(replace(rung, wait=rung.wait * self._scale) for rung in ladder.rungs),
            repeat=None if ladder.repeat is None else ladder.repeat * self._scale,
        )

    def cause(self, finding: Finding) -> Finding:
        """The finding under the name by which the desk remembers it.

        The same cause may be found again, worse: a hub that has been silent for half an hour is no longer only the
        installer's business. At another severity than usual a finding therefore counts as one of its own.
        """
        entry = self._entries.get(finding.code)
        if entry is None or finding.severity is entry.severity:
            return finding
        return replace(finding, code=f"{finding.code}:{finding.severity.name.lower()}")

    def _replace(self, place: str, ladder: Ladder) -> None:
        code, _, grade = place.partition("/")
        entry = self._entries.get(code)
        if entry is None:
            raise ValueError(f"there is no alert {code!r} to give a ladder to; there are {sorted(self._entries)}")
        grades = {severity.name.lower(): severity for severity in Severity}
        if grade and grade not in grades:
            raise ValueError(f"{place!r} names no severity; write {code}/ and one of {list(grades)}")
        if grade and grades[grade] is not entry.severity:
            self._entries[code] = replace(entry, others={**entry.others, grades[grade]: ladder})
        else:
            self._entries[code] = replace(entry, ladder=ladder)


def _check(code: str, ladder: Ladder) -> None:
    waits = [rung.wait for rung in ladder.rungs]
    if not waits:
        raise ValueError(f"the ladder of {code!r} has no rungs: nobody would be told")
    if min(waits) < timedelta(0) or (ladder.repeat is not None and ladder.repeat < timedelta(0)):
        raise ValueError(f"the ladder of {code!r} has a wait below zero")
    if ladder.repeat is not None and sum(waits, ladder.repeat) <= timedelta(0):
        raise ValueError(f"the ladder of {code!r} repeats without any wait: it would ring without end in one moment")
