"""The installer's last quarter of an hour in a home: the walk test, the consent, and the record that is signed."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerts import wording
from alerts.maintenance import Work, work_in
from dashboard import proof
from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Why, Word
from dashboard.house import House
from dashboard.pages import Pages
from dashboard.printer import Printer, tongue_of
from dashboard.proof import Doubt, Try
from dashboard.sights import SIGHTS_VERSION, Asked, asked
from dashboard.words import N_, Tongue
from gateway.domain import Commissioning, Consent, Duty, Home, Installation, Monitoring, Role
from gateway.domain.people import ENTRY
from gateway.ports import RegistryLedger
from gateway.registry import RegistrationError
from gateway.sharing import Sharing

INSTALLERS = (Duty.INSTALLER, Duty.ADMIN)

WALK_LASTS = timedelta(hours=1)
WORK_HOURS = (1, 2, 4)
"""How long somebody may say that they work in a home; then it is watched as ever."""

WORKS = (N_("changing a battery"), N_("moving or cleaning a device"), N_("work on the hub or its line"))
"""Three times what a home should take; whatever is forgotten after that is watched as ever."""

LEARNING_DAYS = 14
LEARNING = range(7, 29)
"""So many days may a home be learnt: a rhythm of weeks needs two of them, and nobody waits for longer than four."""

SIGNATURE = re.compile(r"(?:M\d{1,3} \d{1,3}(?:L\d{1,3} \d{1,3}){1,2000}){1,60}")
"""Strokes drawn with a finger in a box of 600 by 200; nothing else can stand in it."""
LARGEST_SIGNATURE = 24_000

CONSENT_VERSION = "2026-11"
"""Changes with every word of the texts; whoever agreed to another one is asked again."""

PURPOSES: Mapping[str, tuple[str, str]] = {
    "whereabouts": (
        N_("Sensing at home"),
        N_(
            "Sensors in my home record movement, doors, bed and appliances, so that help can be called when"
            " something is wrong. There is no camera and no microphone. Where I am in my home is sensitive personal"
            " information; I agree separately that it is processed for this purpose and kept no longer than this"
            " purpose needs."
        ),
    ),
    "sharing": (
        N_("Telling those who help"),
        N_(
            "When something is wrong, my name, my address, how to get in and what was noticed are passed on to the grid"
            " worker on duty, the people after them, the contacts I have named and, in danger, to 120, 119 or 110."
        ),
    ),
    "health": (
        N_("Health"),
        N_(
            "What I have told about illnesses, medicines, hearing and my hospital may be kept and shown to those who"
            " come to help. I may refuse this and am watched over all the same."
        ),
    ),
    ENTRY: (
        N_("Entry in an emergency"),
        N_(
            "If an emergency is open, I do not answer and nobody with a key comes in time, those who are called may"
            " have my lock opened or my door broken, with a second person present and the police informed. What is"
            " damaged is written down. I may refuse this and am watched over all the same."
        ),
    ),
}
"""Name and text of what is agreed to, each by itself."""

NEEDED = ("whereabouts", "sharing")
"""Without these nobody can be watched over."""

DO: Mapping[Role, str] = {
    Role.MOTION: N_("Walk past it."),
    Role.PRESENCE: N_("Stay in its room for a moment."),
    Role.EXIT_DOOR: N_("Open and close the front door."),
    Role.OPENING: N_("Open and close it."),
    Role.BED: N_("Sit down on the bed, then get up."),
    Role.CHAIR: N_("Sit down, then get up."),
    Role.APPLIANCE: N_("Switch the appliance on."),
    Role.TAP: N_("Let water run."),
    Role.BUTTON: N_("Press it."),
    Role.SOS: N_("Press it, or pull its cord: a test goes to whoever is on duty."),
    Role.SMOKE: N_("Hold its test button until it sounds."),
    Role.GAS: N_("Hold its test button until it sounds."),
    Role.CO: N_("Hold its test button until it sounds."),
    Role.LEAK: N_("Touch both contacts with a wet finger."),
    Role.FALL: N_("Walk through the room it looks at."),
    Role.CLIMATE: N_("Breathe on it."),
    Role.WATER_METER: N_("Let water run for a minute."),
    Role.VITALS: N_("Measure once on yourself."),
}

REMEDIES: Mapping[Doubt, str] = {
    Doubt.SILENT: N_("Nothing came. Is the battery strip out? Press its button once; then try it closer to the hub."),
    Doubt.REMEMBERED: N_(
        "Heard, but it may be from before: a sensor is believed once it has calmed."
        " Wait two minutes, then try it again."
    ),
    Doubt.WEAK_LINK: N_("Weak signal. Move it nearer to the hub, away from metal, or plug a mains device in between."),
    Doubt.LOW_BATTERY: N_("Low battery. Put a new one in before you leave, then try it again."),
    Doubt.NOT_SENT: N_("The test message has not left yet. Wait a moment; after a minute press once more."),
    Doubt.NOT_REACHED: N_("The test message reached nobody. Call the supervisor: who is on duty, and by what number?"),
}


class Walk:
    """What the walk test, the consent and the record need from the stores."""

    def __init__(self, house: House, printer: Printer, pages: Pages) -> None:
        self.house = house
        self.printer = printer
        self.pages = pages

    # ------------------------------------------------------------------ the walk test

    def work(self, home: Home, now: datetime) -> Work | None:
        """The walk test that goes on here. Whoever only changes a battery tries nothing out."""
        work = work_in(self.house.registry.plan(home.id, now), now)
        return work if work is None or work.testing or not home.sensors else None

    def results(self, home: Home) -> Mapping[str, Installation]:
        """How each device stood in the last walk test that was written down."""
        return proof.last_results(home, self.house.registry)

    def tries(self, home: Home, work: Work, now: datetime) -> list[Try]:
        house = self.house
        return proof.tries(home, house.alerts, house.readings, house.registry, work.since, now)

    def start(self, home: Home, who: str) -> None:
        """Everything that hangs here is being tried out from now on."""
        now = self.house.clock.now()
        self.house.desk.end_tests(home.id, who, now)  # a test of yesterday would swallow those of today
        sensors = [sensor.id for sensor in home.sensors]
        self.house.registrar.maintain(home.id, now + WALK_LASTS, sensors, why="walk test", who=who, now=now)

    def end(self, home: Home, who: str) -> bool:
        """Write down how each device stood and let the home be watched as ever. False: something is unsettled."""
        now = self.house.clock.now()
        work = self.work(home, now)
        if work is None:
            self.house.desk.end_tests(home.id, who, now)  # all but this was done, and then the power was cut
            return True
        tried = self.tries(home, work, now)
        if not all(one.settled for one in tried):
            return False
        for one in tried:
            self._note(home, one, who, one.fired or now, passed=one.passed, note="" if one.passed else one.note)
        self.stop(home, who)
        return True

    def stop(self, home: Home, who: str) -> None:
        """Leave the home: whatever was tried out is real from now on."""
        now = self.house.clock.now()
        self.house.registrar.end_maintenance(home.id, who=who, now=now)
        self.house.desk.end_tests(home.id, who, now)

    def tend(self, home: Home, hours: int, why: str, who: str) -> None:
        """Somebody works here for so long: faults wait, and whatever calls for help is as real as ever."""
        now = self.house.clock.now()
        self.house.registrar.maintain(home.id, now + timedelta(hours=hours), (), why=why, who=who, now=now)

    def leave_as_it_is(self, home: Home, sensor: str, who: str, note: str) -> None:
        """This device does not pass, and here is why it hangs there all the same."""
        now = self.house.clock.now()
        work = self.work(home, now)
        found = [one for one in self.tries(home, work, now) if one.sensor.id == sensor] if work else []
        for one in found:
            self._note(home, one, who, now, passed=False, note=note)

    def _note(self, home: Home, one: Try, who: str, at: datetime, *, passed: bool, note: str) -> None:
        line = Installation(
            home=home.id,
            sensor=one.sensor.id,
            at=at,
            by=who,
            link=one.link,
            battery=one.battery,
            passed=passed,
            note=note,
        )
        self.house.registrar.note_installation(line, who=who, now=self.house.clock.now())

    def show_walk(self, request: Request, visitor: Visitor, home: Home, refused: str = "") -> Response:
        now, tongue = self.house.clock.now(), tongue_of(request)
        work = self.work(home, now)
        return self.printer.page(
            request,
            "walk_test.html",
            now=now,
            visitor=visitor,
            here=f"/install/{home.id}/walk",
            status=422 if refused else 200,
            page_zone=home.zone,
            home=home,
            work=work,
            tries=self.tries(home, work, now) if work else [],
            results=self.results(home),
            do=lambda role: tongue.say(DO[role]),
            remedy=lambda doubt: tongue.say(REMEDIES[doubt]),
            reason=lambda text: wording.reason_text(text, tongue.language),
            name_of=self.pages.name_of,
            refused=refused,
        )

    # ------------------------------------------------------------------ consent

    def consents(self, home: Home) -> dict[str, Consent]:
        """What the resident agrees to by the texts of today."""
        given = self.house.registry.consents(home.person) if home.person else []
        return {c.purpose: c for c in given if c.holds and not c.viewer and c.version == CONSENT_VERSION}

    def asked(self, home: Home, tongue: Tongue) -> list[Asked]:
        """Which of the family may see what of it: each agreed to by itself."""
        return asked(self.house.registry.contacts(home.id), self.pages.name_of, tongue)

    def agree(self, home: Home, purposes: Sequence[str], by: str, evidence: str, who: str) -> None:
        now = self.house.clock.now()
        signed = {c.purpose for c in self.house.registry.consents(home.person) if c.holds and c.evidence == evidence}
        for purpose in PURPOSES:
            if purpose in purposes and purpose not in signed:
                self.house.registrar.give_consent(
                    Consent(
                        person=home.person,
                        purpose=purpose,
                        version=CONSENT_VERSION,
                        given_at=now,
                        given_by=by,
                        evidence=evidence,
                    ),
                    who=who,
                    now=now,
                )
        for one in self.asked(home, Tongue("en")):
            if one.key in purposes:
                Sharing(self.house.registry).show(
                    home.id,
                    one.viewer,
                    one.looks,
                    version=SIGHTS_VERSION,
                    given_by=by,
                    evidence=evidence,
                    who=who,
                    now=now,
                )

    def show_consent(self, request: Request, visitor: Visitor, home: Home, **form: Any) -> Response:
        tongue = tongue_of(request)
        return self.printer.page(
            request,
            "walk_consent.html",
            visitor=visitor,
            here=f"/install/{home.id}/consent",
            page_zone=home.zone,
            home=home,
            version=CONSENT_VERSION,
            purposes=[(key, tongue.say(name), tongue.say(text)) for key, (name, text) in PURPOSES.items()],
            sights=self.asked(home, tongue),
            needed=NEEDED,
            given=self.consents(home),
            status=422 if form.get("refused") else 200,
            **{"refused": "", "chosen": (), "by": "elder", "guardian": "", "paper": "", **form},
        )

    # ------------------------------------------------------------------ the record

    def ready(self, home: Home) -> dict[str, Any]:
        """What stands between this home and its learning period."""
        results = self.results(home)
        agreed = self.consents(home)
        return {
            "results": results,
            "untested": [s for s in home.sensors if s.id not in results],
            "working": self.work(home, self.house.clock.now()) is not None,
            "agreed": agreed,
            "missing": [purpose for purpose in NEEDED if purpose not in agreed],
        }

    def finish(
        self,
        home: Home,
        days: int,
        who: str,
        beside: Callable[[RegistryLedger, int], None] = lambda ledger, number: None,
    ) -> int:
        """Begin the learning period and keep the record, with what `beside` writes about its number in this home, which
        is told. Watched first: whoever falls between the two is watched over, and the record is still missing."""
        house, now = self.house, self.house.clock.now()
        state = self.ready(home)
        learning = home.state is not Monitoring.GUARDED  # whoever is guarded stays guarded
        until = (now + timedelta(days=days)).replace(second=0, microsecond=0) if learning else None
        consent = state["agreed"][NEEDED[0]]
        record = Commissioning(
            home=home.id,
            at=now,
            by=who,
            code=home.code,
            name=home.name,
            address=home.address,
            rooms=home.rooms,
            sensors=home.sensors,
            trials=proof.trials(home, house.alerts, house.registry),
            rows=tuple(state["results"].values()),
            consent=consent.number,
            signature=drawn(consent),
            learning_until=until,
            gaps=tuple(house.readings.gaps(home.id).get(home.id, ())),
        )
        number = len(house.registry.records(home.id)) + 1
        if learning:
            house.registrar.set_state(home.id, Monitoring.TRIAL, trial_until=until, who=who, now=now)
        house.registrar.beside(lambda ledger: beside(ledger, number)).keep_record(record, who=who, now=now)
        return number

    def show_finish(self, request: Request, visitor: Visitor, home: Home, refused: str = "") -> Response:
        return self.printer.page(
            request,
            "record_finish.html",
            visitor=visitor,
            here=f"/install/{home.id}/record",
            status=422 if refused else 200,
            page_zone=home.zone,
            home=home,
            **self.ready(home),
            gaps=self.house.readings.gaps(home.id).get(home.id, ()),
            purpose_names={key: tongue_of(request).say(name) for key, (name, _) in PURPOSES.items()},
            records=self.house.registry.records(home.id),
            learning_days=LEARNING_DAYS,
            choices=(7, 14, 21, 28),
            refused=refused,
        )

    def show_record(self, request: Request, visitor: Visitor, home: Home, number: int) -> Response:
        records = self.house.registry.records(home.id)
        if not 1 <= number <= len(records):
            raise HTTPException(404)
        record = records[number - 1]
        consents = self.house.registry.consents(home.person) if home.person else []
        signed = next((c for c in consents if c.number == record.consent), None)
        together = [c for c in consents if signed and c.given_at == signed.given_at]
        rows = {row.sensor: row for row in record.rows}
        trials = {trial.sensor: trial for trial in record.trials}
        names = {room.id: room.name for room in record.rooms}
        return self.printer.page(
            request,
            "record_sheet.html",
            visitor=visitor,
            page_zone=home.zone,
            home=home,
            record=record,
            number=number,
            lines=[(s, names.get(s.room, ""), rows.get(s.id), trials.get(s.id)) for s in record.sensors],
            consents=together,
            signed=signed,
            purpose_names={key: tongue_of(request).say(name) for key, (name, _) in PURPOSES.items()},
            name_of=self.pages.name_of,
        )


def drawn(consent: Consent) -> str:
    """The signature that was drawn for this consent; empty when it was signed on paper."""
    kind, _, path = consent.evidence.partition(":")
    return path if kind == "drawn" else ""


# --------------------------------------------------------------------------- routes


def routes(walk: Walk, doors: Doors) -> Addresses:
    """The addresses of these pages; all of them for whoever installs."""
    router = Addresses(prefix="/install/{home_id}")
    Installer = Annotated[Visitor, Depends(doors.signed_in(*INSTALLERS))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*INSTALLERS))]  # noqa: N806

    def on(home: Home, page: str = "") -> Response:
        return RedirectResponse(f"/install/{home.id}/{page}".rstrip("/"), status_code=303)

    @router.get("/walk")
    def show_walk(request: Request, visitor: Installer, home_id: str) -> Response:
        return walk.show_walk(request, visitor, walk.pages.home(visitor, home_id))

    @router.post("/walk/start")
    def start(request: Request, visitor: Acting, home_id: str) -> Response:
        home = walk.pages.home(visitor, home_id)
        try:
            walk.start(home, visitor.account.person)
        except RegistrationError as error:
            return walk.show_walk(request, visitor, home, error.say(tongue_of(request).language))
        return on(home, "walk")

    @router.post("/walk/note")
    def note(
        request: Request,
        visitor: Acting,
        home_id: str,
        sensor: Annotated[str, Form(max_length=64)],
        note: Why = "",
    ) -> Response:
        home = walk.pages.home(visitor, home_id)
        if not note.strip():
            return walk.show_walk(request, visitor, home, tongue_of(request).say("Write down why it stays as it is."))
        walk.leave_as_it_is(home, sensor, visitor.account.person, note.strip())
        return on(home, "walk")

    @router.post("/walk/end")
    def end(request: Request, visitor: Acting, home_id: str) -> Response:
        home = walk.pages.home(visitor, home_id)
        if not walk.end(home, visitor.account.person):
            say = tongue_of(request).say
            return walk.show_walk(
                request, visitor, home, say("Something has not passed yet: try it again, or write down why it stays.")
            )
        return on(home, "consent")

    @router.post("/walk/stop")
    def stop(visitor: Acting, home_id: str) -> Response:
        """Break it off: nothing is written down about the devices."""
        home = walk.pages.home(visitor, home_id)
        walk.stop(home, visitor.account.person)
        return on(home, "walk")

    @router.post("/upkeep")
    def begin_work(
        visitor: Acting,
        home_id: str,
        why: Annotated[str, Form(max_length=100)],
        hours: Annotated[int, Form()] = WORK_HOURS[0],
    ) -> Response:
        home = walk.pages.home(visitor, home_id)
        if hours not in WORK_HOURS or not why.strip() or home.state is Monitoring.RETIRED:
            raise HTTPException(422)
        walk.tend(home, hours, why, visitor.account.person)
        return on(home)

    @router.post("/upkeep/end")
    def end_work(visitor: Acting, home_id: str) -> Response:
        home = walk.pages.home(visitor, home_id)
        walk.stop(home, visitor.account.person)
        return on(home)

    @router.get("/consent")
    def show_consent(request: Request, visitor: Installer, home_id: str) -> Response:
        return walk.show_consent(request, visitor, walk.pages.home(visitor, home_id))

    @router.post("/consent")
    def agree(
        request: Request,
        visitor: Acting,
        home_id: str,
        purpose: Annotated[list[str] | None, Form()] = None,
        by: Annotated[str, Form(max_length=10)] = "elder",
        guardian: Word = "",
        signature: Annotated[str, Form(max_length=LARGEST_SIGNATURE)] = "",
        paper: Annotated[str, Form(max_length=120)] = "",
    ) -> Response:
        home, say = walk.pages.home(visitor, home_id), tongue_of(request).say
        offered = [*PURPOSES, *(one.key for one in walk.asked(home, tongue_of(request)))]
        chosen = [key for key in offered if key in (purpose or [])]
        form = {"chosen": chosen, "by": by, "guardian": guardian, "paper": paper}
        wrong = ""
        if not home.person:
            wrong = say("Register the resident first: consent is given by a person.")
        elif not all(key in chosen for key in NEEDED):
            wrong = say("Without these two, nobody can be watched over. Whoever refuses them is not connected.")
        elif by == "guardian" and not guardian.strip():
            wrong = say("Write down the guardian's name and what they are to the resident.")
        elif signature and not SIGNATURE.fullmatch(signature):
            wrong = say("The signature could not be read. Clear it and sign once more.")
        elif not signature and not paper.strip():
            wrong = say("A signature is missing: on the screen, or on paper with its reference.")
        if wrong:
            return walk.show_consent(request, visitor, home, refused=wrong, **form)
        evidence = f"drawn:{signature}" if signature else f"paper:{paper.strip()}"
        given_by = guardian.strip() if by == "guardian" else home.person
        walk.agree(home, chosen, given_by, evidence, visitor.account.person)
        return on(home, "record")

    @router.get("/record")
    def show_finish(request: Request, visitor: Installer, home_id: str) -> Response:
        return walk.show_finish(request, visitor, walk.pages.home(visitor, home_id))

    @router.post("/record")
    def finish(
        request: Request, visitor: Acting, home_id: str, days: Annotated[int, Form()] = LEARNING_DAYS
    ) -> Response:
        home, say = walk.pages.home(visitor, home_id), tongue_of(request).say
        state = walk.ready(home)
        if state["working"] or state["untested"] or state["missing"] or days not in LEARNING:
            return walk.show_finish(request, visitor, home, say("Not everything is done yet; see below."))
        return on(home, f"records/{walk.finish(home, days, visitor.account.person)}")

    @router.get("/records/{number}")
    def show_record(request: Request, visitor: Installer, home_id: str, number: int) -> Response:
        return walk.show_record(request, visitor, walk.pages.home(visitor, home_id), number)

    return router
