"""The last quarter of an hour of an installation for other programs: walk test, work in a home, consent, the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Body

from dashboard.answers import iso
from dashboard.api_door import ApiDoor, Doing, Name, Said, done, refused
from dashboard.keys import Caller, Right
from dashboard.problems import Field
from dashboard.proof import Doubt
from dashboard.walk import CONSENT_VERSION, INSTALLERS, LEARNING, LEARNING_DAYS, NEEDED, PURPOSES, Walk
from dashboard.words import Tongue
from gateway.domain import Home, Monitoring
from gateway.ports import RegistryLedger

Note = Annotated[str, Body(min_length=1, max_length=300)]


@dataclass(frozen=True, kw_only=True)
class NoteBody(Said):
    """Why a device stays as it is though it has not passed."""

    sensor: Name
    note: Note


@dataclass(frozen=True, kw_only=True)
class WorkBody(Said):
    """What is done in the home, and for how many hours at most: 1, 2 or 4."""

    why: Annotated[str, Body(min_length=1, max_length=100)]
    hours: Literal[1, 2, 4] = 1


@dataclass(frozen=True, kw_only=True)
class ConsentBody(Said):
    """What the resident, or a guardian, has signed on paper: the purposes and the paper's own reference."""

    purposes: Annotated[list[Name], Body(max_length=40)]
    paper: Annotated[str, Body(min_length=1, max_length=120)]
    guardian: Annotated[str, Body(max_length=80, description="who signed, where it was not the resident")] = ""


@dataclass(frozen=True, kw_only=True)
class RecordBody(Said):
    """How many days the home is learnt before somebody says that it is guarded."""

    days: Annotated[int, Body(ge=LEARNING.start, le=LEARNING.stop - 1)] = LEARNING_DAYS


@dataclass(frozen=True)
class TryShape:
    """How a device stands: in the walk test that goes on, else in the last one."""

    sensor: str
    name: str
    room: str
    passed: bool | None
    fired: str | None
    link: float | None
    battery: float | None
    doubts: list[Doubt]
    note: str


@dataclass(frozen=True)
class WalkShape:
    home: str
    since: str | None
    until: str | None
    tries: list[TryShape]


@dataclass(frozen=True)
class OfferShape:
    """A purpose that can be agreed to, in words; without those that are needed nobody is watched over."""

    purpose: str
    name: str
    text: str
    needed: bool
    given: bool


@dataclass(frozen=True)
class OffersShape:
    home: str
    version: str
    purposes: list[OfferShape]


@dataclass(frozen=True)
class RecordShape:
    number: int
    at: str
    by: str
    devices: int
    passed: int
    learning_until: str | None


@dataclass(frozen=True)
class RecordsShape:
    home: str
    records: list[RecordShape]


def routes(door: ApiDoor, walk: Walk) -> None:
    """Hang up the addresses."""
    right, house = Right.INSTALL, door.house

    # ------------------------------------------------------------------ the walk test, and work

    @door.read("/homes/{home_id}/walk", Right.REGISTRY, WalkShape, *INSTALLERS)
    def show_walk(caller: Caller, home: Home) -> Mapping[str, Any]:
        """The walk test that goes on, device by device; where none does, how each did in the last one."""
        now = house.clock.now()
        work, results = walk.work(home, now), walk.results(home)
        tried = {one.sensor.id: one for one in walk.tries(home, work, now)} if work else {}
        told = []
        for sensor in home.sensors:
            one, last = tried.get(sensor.id), results.get(sensor.id)
            told.append(
                {
                    "sensor": sensor.id,
                    "name": sensor.name,
                    "room": sensor.room,
                    "passed": one.passed if one else last.passed if last else None,
                    "fired": iso(one.fired if one else last.at if last else None),
                    "link": one.link if one else last.link if last else None,
                    "battery": one.battery if one else last.battery if last else None,
                    "doubts": [doubt.value for doubt in one.doubts] if one else [],
                    "note": one.note if one else last.note if last else "",
                }
            )
        return {
            "home": home.id,
            "since": iso(work.since if work else None),
            "until": iso(work.until if work else None),
            "tries": told,
        }

    @door.act("/homes/{home_id}/walk/start", right, "walk.start")
    def start_walk(doing: Doing, home: Home) -> None:
        """Everything that hangs here is being tried out from now on, for an hour: what it says calls nobody."""
        doing.last_of(walk).start(home, doing.caller.name)

    @door.act("/homes/{home_id}/walk/note", right, "walk.note")
    def note_walk(doing: Doing, home: Home, said: NoteBody) -> None:
        """A device does not pass, and here is why it hangs there all the same."""
        doing.last_of(walk).leave_as_it_is(home, said.sensor, doing.caller.name, said.note.strip())

    @door.act("/homes/{home_id}/walk/end", right, "walk.end")
    def end_walk(doing: Doing, home: Home) -> None:
        """Write down how each device stood; the home is watched as ever from now on."""
        if not walk.end(home, doing.caller.name):
            text = "Something has not passed yet: try it again, or write down why it stays."
            raise refused(doing.tongue.say(text))

    @door.act("/homes/{home_id}/walk/stop", right, "walk.stop")
    def stop_walk(doing: Doing, home: Home) -> None:
        """Break it off: nothing is written down about the devices."""
        walk.stop(home, doing.caller.name)

    @door.act("/homes/{home_id}/upkeep", right, "upkeep.begin")
    def begin_work(doing: Doing, home: Home, said: WorkBody) -> None:
        """Somebody works in the home: faults wait, and whatever calls for help is as real as ever."""
        if home.state is Monitoring.RETIRED:
            raise refused("Nobody works in a home that was given up.")
        doing.last_of(walk).tend(home, said.hours, said.why, doing.caller.name)

    @door.act("/homes/{home_id}/upkeep/end", right, "upkeep.end")
    def end_work(doing: Doing, home: Home) -> None:
        """The work is done; also right when none goes on."""
        walk.stop(home, doing.caller.name)

    # ------------------------------------------------------------------ consent, and the record

    def offers(home: Home, tongue: Tongue) -> dict[str, tuple[str, str]]:
        """What can be agreed to: the purposes, and for each of the family what they may see."""
        told = {key: (tongue.say(name), tongue.say(text)) for key, (name, text) in PURPOSES.items()}
        return told | {one.key: (one.name, one.text) for one in walk.asked(home, tongue)}

    @door.read("/homes/{home_id}/consent", Right.REGISTRY, OffersShape, *INSTALLERS)
    def show_offers(caller: Caller, home: Home) -> Mapping[str, Any]:
        """What the resident is asked to agree to, with its text, and what of it is agreed to already."""
        given = walk.consents(home)
        told = [
            {"purpose": key, "name": name, "text": text, "needed": key in NEEDED, "given": key in given}
            for key, (name, text) in offers(home, Tongue("zh")).items()
        ]
        return {"home": home.id, "version": CONSENT_VERSION, "purposes": told}

    @door.act("/homes/{home_id}/consent", right, "consent.give")
    def give_consent(doing: Doing, home: Home, said: ConsentBody) -> None:
        """What was signed on paper. A signature drawn with a finger is taken on the installer's page."""
        offered = offers(home, doing.tongue)
        if not home.person:
            raise refused(doing.tongue.say("Register the resident first: consent is given by a person."))
        if strange := [key for key in said.purposes if key not in offered]:
            raise refused(f"{strange[0]!r} is nothing that is asked for.", Field("purposes", "are some of `…/consent`"))
        if not set(NEEDED) <= set(said.purposes):
            text = "Without these two, nobody can be watched over. Whoever refuses them is not connected."
            raise refused(doing.tongue.say(text), Field("purposes", f"hold {' and '.join(NEEDED)}"))
        by = said.guardian.strip() or home.person
        walk.agree(home, said.purposes, by, f"paper:{said.paper.strip()}", doing.caller.name)

    @door.read("/homes/{home_id}/records", Right.REGISTRY, RecordsShape, *INSTALLERS)
    def list_records(caller: Caller, home: Home) -> Mapping[str, Any]:
        """The records of commissioning that are kept of this home."""
        told = [
            {
                "number": number,
                "at": iso(record.at),
                "by": record.by,
                "devices": len(record.sensors),
                "passed": sum(row.passed is True for row in record.rows),
                "learning_until": iso(record.learning_until),
            }
            for number, record in enumerate(house.registry.records(home.id), start=1)
        ]
        return {"home": home.id, "records": told}

    @door.act("/homes/{home_id}/records", right, "home.record")
    def keep_record(doing: Doing, home: Home, said: RecordBody) -> Mapping[str, Any]:
        """Keep the record and begin the learning period; `ref` is the record's number."""
        state = walk.ready(home)
        if state["working"] or state["untested"] or state["missing"]:
            raise refused("Not everything is done yet: devices are untested or being tested, or a consent is missing.")

        def keep(ledger: RegistryLedger, number: int) -> None:
            doing.keep(ledger, str(number), done(str(number), home))

        return done(str(walk.finish(home, said.days, doing.caller.name, keep)), home)
