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


SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NO_TIME = timedelta(0)

FAMILY_FIRST = 5 * MINUTE
"""So long at most the family has before the grid worker, where there is time to ask anybody first."""


def asking(confirm: timedelta, *, family: bool = False) -> tuple[Rung, ...]:
    """The rungs on which the resident is asked: each minute, and each five in a long window, which would nag else.

    The family is called in the second half of the window, when the resident is asked once more. Whoever of the two
    cannot be reached takes no time, and nobody lies there for longer than the window before somebody is sent.
    """
    theirs = min(confirm / 2, FAMILY_FIRST) if family else NO_TIME
    step = MINUTE if confirm <= FAMILY_FIRST else 5 * MINUTE
    hers = confirm - theirs
    often = max(hers // step, 1) if hers else 0
    alone = (*(step,) * (often - 1), hers - step * (often - 1)) if often else ()
    rungs = tuple(Rung(duty=Duty.ELDER, wait=wait) for wait in alone)
    if not family:
        return rungs
    return (*rungs, Rung(duty=Duty.ELDER, wait=theirs, also=(Duty.FAMILY,)) if confirm else _rung(theirs, Duty.FAMILY))


def first_asked(ladder: Ladder) -> int:
    """How many rungs at the beginning only ask the resident and the family."""
    asked = frozenset({Duty.ELDER, Duty.FAMILY})
    return next((n for n, rung in enumerate(ladder.rungs) if not asked.issuperset(rung.duties)), 0)


def confirmed_for(ladder: Ladder, confirm: timedelta) -> Ladder:
    """The same ladder with another time in which resident and family are asked before anybody else is called."""
    asks = first_asked(ladder)
    was = sum((rung.wait for rung in ladder.rungs[:asks]), NO_TIME)
    ack = None if ladder.ack is None else ladder.ack - was + confirm
    family = any(Duty.FAMILY in rung.duties for rung in ladder.rungs[:asks])
    return replace(ladder, rungs=(*asking(confirm, family=family), *ladder.rungs[asks:]), ack=ack)


def _rung(wait: timedelta, duty: Duty, *also: Duty) -> Rung:
    return Rung(duty=duty, wait=wait, also=also)


def _ladder(
    *rungs: Rung,
    confirm: timedelta = NO_TIME,
    family: bool = False,
    ack: timedelta,
    remind: timedelta,
    lapse: timedelta,
    site: timedelta | None,
) -> Ladder:
    """A ladder that starts again as soon as the last rung has had its time: it rings until somebody accepts."""
    return Ladder(
        rungs=(*asking(confirm, family=family), *rungs),
        repeat=NO_TIME,
        ack=confirm + ack,
        remind=remind,
        lapse=lapse,
        site=site,
    )


def _urgent(*near: Duty, confirm: timedelta = NO_TIME, site: timedelta = 15 * MINUTE) -> Ladder:
    """Severity 1: the resident is called back while family and grid worker are called, and up after 60 s and 180 s.

    `near` are called with the deputy: who has a key, who is awake at night, who can put out a fire.
    """
    return _ladder(
        _rung(60 * SECOND, Duty.GRID_WORKER, Duty.FAMILY, Duty.ELDER),
        _rung(120 * SECOND, Duty.DEPUTY, Duty.KEY_HOLDER, Duty.NIGHT_POOL, *near),
        _rung(120 * SECOND, Duty.SUPERVISOR, Duty.COMMUNITY),
        _rung(120 * SECOND, Duty.STREET),
        _rung(120 * SECOND, Duty.DISTRICT),
        confirm=confirm,
        ack=60 * SECOND,
        remind=5 * MINUTE,
        lapse=15 * MINUTE,
        site=site,
    )


def _high(ack: timedelta, *also: Duty, confirm: timedelta, site: timedelta | None = None) -> Ladder:
    """Severity 2: asked first, then the family, then whoever works there and up, as far as the district. `also` are
    told together with the grid worker."""
    return _ladder(
        _rung(ack, Duty.GRID_WORKER, *also),
        _rung(ack, Duty.DEPUTY, Duty.KEY_HOLDER, Duty.NIGHT_POOL, Duty.VOLUNTEER),
        _rung(ack, Duty.SUPERVISOR, Duty.COMMUNITY),
        _rung(ack, Duty.STREET),
        _rung(ack, Duty.DISTRICT),
        confirm=confirm,
        family=True,
        ack=ack,
        remind=15 * MINUTE,
        lapse=30 * MINUTE,
        site=site,
    )


def _medium(ack: timedelta, *also: Duty, confirm: timedelta = NO_TIME, site: timedelta | None = None) -> Ladder:
    """Severity 3: the same as far as the community. `also` are told together with the grid worker."""
    return _ladder(
        _rung(ack, Duty.GRID_WORKER, *also),
        _rung(ack, Duty.DEPUTY),
        _rung(ack, Duty.SUPERVISOR, Duty.COMMUNITY),
        confirm=confirm,
        family=bool(confirm),
        ack=ack,
        remind=HOUR,
        lapse=4 * HOUR,
        site=site,
    )


def _care(ack: timedelta) -> Ladder:
    """Severity 4: nobody hurries."""
    return _ladder(
        _rung(ack, Duty.GRID_WORKER),
        _rung(ack, Duty.DEPUTY),
        _rung(ack, Duty.SUPERVISOR),
        ack=ack,
        remind=3 * DAY,
        lapse=7 * DAY,
        site=None,
    )


def _equipment(ack: timedelta, *, site: timedelta | None = None) -> Ladder:
    """Severity 5 goes to whoever looks after the equipment, never to the grid worker."""
    return _ladder(
        _rung(ack, Duty.INSTALLER),
        _rung(ack, Duty.ADMIN),
        ack=ack,
        remind=DAY,
        lapse=3 * DAY,
        site=site,
    )


def _upkeep(ack: timedelta) -> Ladder:
    """What concerns the gateway itself goes to whoever runs it."""
    return _ladder(
        _rung(ack, Duty.ADMIN),
        _rung(ack, Duty.ADMIN, Duty.INSTALLER),
        ack=ack,
        remind=DAY,
        lapse=3 * DAY,
        site=None,
    )


LOOK_AFTER_EQUIPMENT = frozenset({Duty.INSTALLER, Duty.SUPERVISOR, Duty.ADMIN})
"""Nobody else is ever called for severity 5, whatever a configuration says."""

URGENT = _urgent(Duty.VOLUNTEER)
"""0 s, 60 s, 180 s, and from the beginning when all have had their time."""

FIRE = _urgent(Duty.FIRE_STATION, site=10 * MINUTE)

BY_SEVERITY: Mapping[Severity, Ladder] = {
    Severity.EMERGENCY: URGENT,
    Severity.HIGH: _high(10 * MINUTE, confirm=NO_TIME),
    Severity.MEDIUM: _medium(HOUR),
    Severity.CARE: _care(DAY),
    Severity.TECHNICAL: _equipment(4 * HOUR),
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
    ask: str = N_("Are you all right?")  # what the resident is asked
    ladder: Ladder
    others: Mapping[Severity, Ladder] = field(default_factory=dict)  # ladders for when it is better or worse than usual
    can_be_cancelled: bool = True  # by a word of the resident or the family; what burns or leaks does so all the same

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
        ladder=_medium(10 * MINUTE, Duty.FAMILY),
    ),
    CatalogueEntry(
        code="smoke",
        severity=Severity.EMERGENCY,
        name=N_("Smoke"),
        call=N_("Smoke alarm at {time}."),
        advice=N_("If it burns, call the fire brigade first."),
        ladder=FIRE,
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="gas",
        severity=Severity.EMERGENCY,
        name=N_("Gas"),
        call=N_("Gas alarm at {time}."),
        advice=N_("Touch no switch, do not ring the bell, telephone from outside."),
        ladder=FIRE,
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="co",
        severity=Severity.EMERGENCY,
        name=N_("Carbon monoxide"),
        call=N_("Carbon monoxide alarm at {time}."),
        advice=N_("Air the rooms before you stay inside."),
        ladder=FIRE,
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="leak",
        severity=Severity.MEDIUM,
        name=N_("Water leak"),
        call=N_("Water on the floor since {time}."),
        ask=N_("Water is running or has been spilt. Are you all right?"),
        ladder=_medium(HOUR, confirm=30 * MINUTE, site=12 * HOUR),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="fall",
        severity=Severity.HIGH,  # one radar alone; a second source or stillness makes it an emergency
        name=N_("Possible fall"),
        call=N_("A fall was reported at {time}."),
        ladder=_urgent(Duty.VOLUNTEER, confirm=60 * SECOND),
        others={Severity.EMERGENCY: URGENT},
    ),
    CatalogueEntry(
        code="inactivity",
        severity=Severity.HIGH,
        name=N_("No activity"),
        call=N_("No sign of life since {time}."),
        ladder=_high(10 * MINUTE, confirm=10 * MINUTE, site=HOUR),
    ),
    CatalogueEntry(
        code="entered_no_motion",
        severity=Severity.HIGH,
        name=N_("Came in, no movement"),
        call=N_("Came home at {time}, and nothing has moved inside since."),
        ladder=_high(5 * MINUTE, confirm=5 * MINUTE, site=30 * MINUTE),
    ),
    CatalogueEntry(
        code="not_returned",
        severity=Severity.HIGH,
        name=N_("Not returned"),
        call=N_("Out since {time} and not back."),
        ask=N_("You are not back home yet. Are you all right?"),
        ladder=_high(15 * MINUTE, confirm=15 * MINUTE),
    ),
    CatalogueEntry(
        code="water_low",
        severity=Severity.HIGH,  # milder where other sensors still tell of life
        name=N_("Too little water used"),
        call=N_("Hardly any water has been drawn since {time}."),
        ladder=_high(15 * MINUTE, confirm=15 * MINUTE, site=2 * HOUR),
        others={Severity.MEDIUM: _medium(30 * MINUTE, confirm=15 * MINUTE, site=4 * HOUR)},
    ),
    CatalogueEntry(
        code="water_high",
        severity=Severity.MEDIUM,
        name=N_("Too much water used"),
        call=N_("Far more water than a household needs has run since {time}."),
        advice=N_("A burst pipe or a forgotten tap: know where the stopcock is before you go."),
        ask=N_("Water is running or has been spilt. Are you all right?"),
        ladder=_medium(HOUR, confirm=30 * MINUTE, site=12 * HOUR),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="water_trickle",
        severity=Severity.MEDIUM,
        name=N_("Water never stops"),
        call=N_("Water has run in every half hour since {time}."),
        advice=N_("Look at the cistern of the toilet first, then at the taps."),
        ask=N_("Water is running or has been spilt. Are you all right?"),
        ladder=_medium(HOUR, confirm=30 * MINUTE, site=12 * HOUR),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="room_cold",
        severity=Severity.MEDIUM,
        name=N_("Room too cold"),
        call=N_("A room has been too cold since {time}."),
        advice=N_("Ask whether the heating works, and whether anybody sits there."),
        ask=N_("It is very cold in the room. Are you all right?"),
        ladder=_medium(HOUR, confirm=30 * MINUTE, site=12 * HOUR),
    ),
    CatalogueEntry(
        code="room_hot",
        severity=Severity.MEDIUM,
        name=N_("Room too hot"),
        call=N_("A room has been too hot since {time}."),
        advice=N_("Ask whether she drinks, and whether there is a cooler room."),
        ask=N_("It is very hot in the room. Are you all right?"),
        ladder=_medium(HOUR, confirm=30 * MINUTE, site=12 * HOUR),
    ),
    CatalogueEntry(
        code="vital",
        severity=Severity.MEDIUM,
        name=N_("Measurement outside its limits"),
        call=N_("A measurement was outside its limits at {time}."),
        ask=N_("Your last measurement was unusual. Are you all right?"),
        ladder=_medium(10 * MINUTE, Duty.DOCTOR, confirm=5 * MINUTE),
        others={Severity.HIGH: _high(10 * MINUTE, Duty.DOCTOR, Duty.MEDICAL, confirm=5 * MINUTE)},
    ),
    CatalogueEntry(
        code="bath_dwell",
        severity=Severity.HIGH,
        name=N_("Too long in the bathroom"),
        call=N_("In the bathroom since {time}, for too long."),
        ladder=_high(5 * MINUTE, confirm=3 * MINUTE, site=30 * MINUTE),
    ),
    CatalogueEntry(
        code="bed_no_return",
        severity=Severity.HIGH,
        name=N_("Not back in bed"),
        call=N_("Got up at {time} in the night and is not back in bed."),
        ladder=_high(5 * MINUTE, confirm=3 * MINUTE, site=30 * MINUTE),
    ),
    CatalogueEntry(
        code="not_up",
        severity=Severity.HIGH,
        name=N_("Not up yet"),
        call=N_("Still not up; last seen or in bed since {time}."),
        ladder=_high(10 * MINUTE, confirm=10 * MINUTE, site=HOUR),
    ),
    CatalogueEntry(
        code="night_exit",
        severity=Severity.HIGH,
        name=N_("Out at night"),
        call=N_("Went out at {time} in the night and is not back."),
        advice=N_("Telephone first; whoever goes to look starts on the usual ways."),
        ask=N_("You are not back home yet. Are you all right?"),
        ladder=_high(5 * MINUTE, confirm=3 * MINUTE, site=30 * MINUTE),
        others={Severity.EMERGENCY: URGENT},
    ),
    CatalogueEntry(
        code="wandering",
        severity=Severity.MEDIUM,
        name=N_("Restless at night"),
        call=N_("Walking about from room to room since {time}."),
        ladder=_medium(30 * MINUTE, confirm=5 * MINUTE),
        others={Severity.HIGH: _high(10 * MINUTE, confirm=5 * MINUTE)},
    ),
    CatalogueEntry(
        code="door_open",
        severity=Severity.MEDIUM,
        name=N_("Front door open"),
        call=N_("The front door has been open since {time}."),
        ask=N_("The front door is open. Are you all right?"),
        ladder=_medium(20 * MINUTE, confirm=5 * MINUTE),
    ),
    CatalogueEntry(
        code="door_not_used",
        severity=Severity.MEDIUM,
        name=N_("Front door not used"),
        call=N_("Nobody has gone in or out since {time}; somebody is at home."),
        ladder=_medium(30 * MINUTE, confirm=30 * MINUTE, site=4 * HOUR),
    ),
    CatalogueEntry(
        code="visit_due",
        severity=Severity.CARE,
        name=N_("Visit due"),
        call=N_("Nobody has been there since {time}: a visit is due."),
        ladder=_care(DAY),
    ),
    CatalogueEntry(
        code="trend_note",
        severity=Severity.CARE,
        name=N_("Change of habits"),
        call=N_("Something has been different for three days, since {time}. There is no hurry."),
        again=N_("Noted again, {count} times so far."),
        advice=N_("Ask at the next visit how things are; a count says nothing of its cause."),
        ladder=BY_SEVERITY[Severity.CARE],
    ),
    CatalogueEntry(
        code="home_silent",
        severity=Severity.TECHNICAL,
        name=N_("Home not seen"),
        call=N_("Nothing has been heard from the home's hub since {time}; whether anybody moves cannot be seen."),
        ladder=_equipment(4 * HOUR, site=DAY),
        can_be_cancelled=False,
        others={Severity.MEDIUM: _medium(4 * HOUR, site=DAY)},
    ),
    CatalogueEntry(
        code="device_offline",
        severity=Severity.TECHNICAL,
        name=N_("Device silent"),
        call=N_("{device}: nothing has been heard from it since {time}."),
        advice=N_("Look at its battery first, then whether the hub can still hear it there."),
        ladder=_equipment(DAY, site=3 * DAY),
        can_be_cancelled=False,
        others={Severity.MEDIUM: _medium(DAY, site=3 * DAY)},
    ),
    CatalogueEntry(
        code="device_mute",
        severity=Severity.TECHNICAL,
        name=N_("Device notices nothing"),
        call=N_("{device}: it reports, but has noticed nothing since {time}."),
        advice=N_("It may be covered, turned away or broken: walk past it and see whether it fires."),
        ladder=_equipment(DAY, site=3 * DAY),
        can_be_cancelled=False,
        others={Severity.MEDIUM: _medium(DAY, site=3 * DAY)},
    ),
    CatalogueEntry(
        code="device_stuck",
        severity=Severity.TECHNICAL,
        name=N_("Device stuck"),
        call=N_("{device}: it has shown one and the same since {time}."),
        advice=N_("Look whether something presses on it or moves before it; otherwise change it."),
        ladder=_equipment(DAY, site=3 * DAY),
        can_be_cancelled=False,
        others={Severity.MEDIUM: _medium(DAY, site=3 * DAY)},
    ),
    CatalogueEntry(
        code="device_chatter",
        severity=Severity.TECHNICAL,
        name=N_("Device fires without a pause"),
        call=N_("{device}: it has fired without a pause since {time}; what it says no longer counts as life."),
        advice=N_("Sun, a heater, a loose contact or a magnet too far away do this."),
        ladder=_equipment(DAY, site=3 * DAY),
        can_be_cancelled=False,
        others={Severity.MEDIUM: _medium(DAY, site=3 * DAY)},
    ),
    CatalogueEntry(
        code="device_faulty",
        severity=Severity.TECHNICAL,
        name=N_("Device reports a fault"),
        call=N_("{device}: it has said since {time} that it cannot do its work."),
        advice=N_("Its manual tells what its light means. A radar may have its fall function switched off."),
        ladder=_equipment(DAY, site=3 * DAY),
        can_be_cancelled=False,
        others={Severity.MEDIUM: _medium(DAY, site=3 * DAY)},
    ),
    CatalogueEntry(
        code="device_flood",
        severity=Severity.TECHNICAL,
        name=N_("Device floods its hub"),
        call=N_("{device}: far too many messages since {time}. The surplus is dropped, calls for help are not."),
        advice=N_("Take it out of the network and let it join again; if it goes on, change it."),
        ladder=_equipment(DAY, site=3 * DAY),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="battery_low",
        severity=Severity.TECHNICAL,
        name=N_("Battery low"),
        call=N_("{device}: its battery will soon be empty."),
        advice=N_("Take a new battery along; which kind stands in the device's manual."),
        ladder=_equipment(3 * DAY, site=7 * DAY),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="link_weak",
        severity=Severity.TECHNICAL,
        name=N_("Radio link weak"),
        call=N_("{device}: the hub has heard it badly since {time}."),
        advice=N_("A mains plug between the two passes messages on; metal and new furniture swallow them."),
        ladder=_equipment(3 * DAY, site=7 * DAY),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="tamper",
        severity=Severity.TECHNICAL,
        name=N_("Device opened"),
        call=N_("{device}: it was opened or taken down at {time}."),
        ladder=_equipment(DAY, site=3 * DAY),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="power_fail",
        severity=Severity.TECHNICAL,
        name=N_("Power failure"),
        call=N_("The home's hub has lived on its own battery since {time}."),
        advice=N_("A pulled plug, a fuse, or the whole street: when the battery is empty nothing is seen any more."),
        ladder=_equipment(4 * HOUR, site=DAY),
        can_be_cancelled=False,
        others={Severity.MEDIUM: _medium(4 * HOUR, site=DAY)},
    ),
    CatalogueEntry(
        code="area_outage",
        severity=Severity.MEDIUM,
        name=N_("Area not seen"),
        call=N_("Many homes of one area have fallen silent since {time}; whether anybody moves there cannot be seen."),
        advice=N_("Ask after the power and the network there first, then who has to be looked after meanwhile."),
        ladder=_ladder(
            _rung(30 * MINUTE, Duty.SUPERVISOR, Duty.INSTALLER),
            _rung(30 * MINUTE, Duty.COMMUNITY, Duty.STREET, Duty.ADMIN),
            ack=30 * MINUTE,
            remind=HOUR,
            lapse=4 * HOUR,
            site=None,
        ),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="hub_clock",
        severity=Severity.TECHNICAL,
        name=N_("Hub's clock is wrong"),
        call=N_("The clock of the home's hub has been wrong since {time}."),
        advice=N_("It needs the way to a time server, or a new battery for its clock."),
        ladder=_equipment(3 * DAY, site=7 * DAY),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="detector_failed",
        severity=Severity.TECHNICAL,
        name=N_("Program fault"),
        call=N_("A part of the program failed at {time}; this home is not watched completely."),
        ladder=_equipment(DAY, site=3 * DAY),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="gateway_disk",  # these four are of the installation as a whole
        severity=Severity.TECHNICAL,
        name=N_("Disk full"),
        call=N_("The gateway's disk has been full since {time}; alarms go out from a reserve that will not last."),
        advice=N_("Make room: old logs first, then backups. `shouwang doctor` says how much is missing."),
        ladder=_upkeep(15 * MINUTE),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="gateway_watchdog",
        severity=Severity.TECHNICAL,
        name=N_("No watchdog"),
        call=N_("The gateway's watchdog has given no sign of life since {time}: nobody would say that it is dead."),
        advice=N_("Start it: `systemctl start shouwang-watchdog`."),
        ladder=_upkeep(4 * HOUR),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="gateway_certificate",
        severity=Severity.TECHNICAL,
        name=N_("Certificate ends"),
        call=N_("A certificate of the gateway will soon end; after that no hub or no page can connect."),
        advice=N_("Renew it and put it in place; then restart what uses it."),
        ladder=_upkeep(4 * HOUR),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="gateway_missing",
        severity=Severity.TECHNICAL,
        name=N_("Something is missing"),
        call=N_("When the gateway started at {time} something that it had known was missing."),
        advice=N_("Look what happened and who was added since, and write it down again. `shouwang doctor` says more."),
        ladder=_upkeep(15 * MINUTE),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="no_responder",  # of a grid, not of a home
        severity=Severity.MEDIUM,
        name=N_("Nobody to call"),
        call=N_("From {time} on nobody who could come can be called here."),
        advice=N_("Enter a shift, let somebody stand in, or name a night desk."),
        ladder=_ladder(
            _rung(15 * MINUTE, Duty.SUPERVISOR, Duty.COMMUNITY),
            _rung(15 * MINUTE, Duty.STREET),
            _rung(15 * MINUTE, Duty.DISTRICT, Duty.ADMIN),
            ack=15 * MINUTE,
            remind=HOUR,
            lapse=4 * HOUR,
            site=None,
        ),
        can_be_cancelled=False,
    ),
    CatalogueEntry(
        code="test",
        severity=Severity.CARE,
        name=N_("Test alert"),
        call=N_("A device was tried out at {time}."),
        ladder=_care(DAY),  # the desk climbs one rung of what is tested, and no further
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
            for severity, ladder in ((entry.severity, entry.ladder), *entry.others.items()):
                _check(entry.code, ladder)
                if severity is Severity.TECHNICAL and (wrong := set(ladder.duties) - LOOK_AFTER_EQUIPMENT):
                    raise ValueError(
                        f"the ladder of {entry.code!r} calls {sorted(wrong)} for equipment; severity 5 goes to"
                        f" {sorted(LOOK_AFTER_EQUIPMENT)} only"
                    )

    def entry(self, code: str) -> CatalogueEntry:
        return self._entries.get(code) or replace(UNKNOWN, code=code)

    def usual(self, code: str) -> Severity | None:
        """How bad a code usually is; None where the table does not know it."""
        entry = self._entries.get(code)
        return entry.severity if entry else None

    def codes(self) -> list[str]:
        return list(self._entries)

    def ladder(self, code: str, severity: Severity) -> Ladder:
        """A copy for one alert: an edit of the catalogue never changes what is under way."""
        ladder = self.entry(code).ladder_for(severity)
        if self._scale == 1.0:
            return ladder
        return Ladder(
            rungs=tuple(replace(rung, wait=rung.wait * self._scale) for rung in ladder.rungs),
            repeat=_scaled(ladder.repeat, self._scale),
            ack=_scaled(ladder.ack, self._scale),
            remind=_scaled(ladder.remind, self._scale),
            lapse=_scaled(ladder.lapse, self._scale),
            site=_scaled(ladder.site, self._scale),
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


def _scaled(span: timedelta | None, scale: float) -> timedelta | None:
    return None if span is None else span * scale


def _check(code: str, ladder: Ladder) -> None:
    waits = [rung.wait for rung in ladder.rungs]
    if not waits:
        raise ValueError(f"the ladder of {code!r} has no rungs: nobody would be told")
    if min(waits) < timedelta(0) or (ladder.repeat is not None and ladder.repeat < timedelta(0)):
        raise ValueError(f"the ladder of {code!r} has a wait below zero")
    if ladder.repeat is not None and sum(waits, ladder.repeat) <= timedelta(0):
        raise ValueError(f"the ladder of {code!r} repeats without any wait: it would ring without end in one moment")
