"""What a resident may ask of us, for other programs: who looked, what is shown to whom, a copy of everything, erasure,
and how long their records are kept.

Nothing that was erased can be brought back, so it is done in two steps, as on the page: a program first asks what would
go, and with the word that it is told there, and the household's own number, it says that this is meant.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Body, Request
from fastapi.responses import Response

from dashboard.answers import aware, iso
from dashboard.api_door import ApiDoor, Doing, Name, Said, done, missing, refused
from dashboard.elder import ALL_OF_IT, Elder
from dashboard.keys import Caller, Right
from dashboard.machine import Machine
from dashboard.people import KEEPERS
from dashboard.printer import tongue_of
from dashboard.privacy import Privacy
from dashboard.problems import CODES, Field, Problem
from dashboard.sights import SIGHTS_VERSION
from gateway.domain import Duty, Home, Look
from gateway.keeping import Kept
from gateway.privacy import ERASED
from gateway.sharing import not_shown_until

MEANT_FOR = timedelta(minutes=15)
"""So long the word that says "erase it" holds."""

Words = Annotated[str, Body(min_length=1, max_length=300, description="in whose words, on what occasion")]


@dataclass(frozen=True, kw_only=True)
class SightBody(Said):
    """What somebody of the family sees from now on, or does not see any more. To show more needs the paper that the
    resident, or a guardian, has signed; to show less needs nothing but to be said."""

    viewer: Name
    looks: Annotated[list[Look], Body(min_length=1, max_length=len(Look))]
    shown: bool
    paper: Annotated[str, Body(max_length=120)] = ""
    guardian: Annotated[str, Body(max_length=80, description="who signed, where it was not the resident")] = ""
    why: Annotated[str, Body(max_length=300, description="for hiding: in whose words")] = ""


@dataclass(frozen=True, kw_only=True)
class NotShownBody(Said):
    """For how long the family sees nothing, and in whose words."""

    hours: Annotated[int, Body(ge=1, le=72)]
    why: Words


@dataclass(frozen=True, kw_only=True)
class EraseBody(Said):
    """`code` is the household's own number, `word` what asking before has told."""

    code: Annotated[str, Body(max_length=80)]
    word: Annotated[str, Body(max_length=200)]
    why: Words


@dataclass(frozen=True, kw_only=True)
class KeepBody(Said):
    """What of this household is kept for so many days; what is kept for longer than the rest has an end."""

    kind: Kept
    days: Annotated[int, Body(ge=1, le=36_500)]
    until: datetime | None = None
    why: Words


@dataclass(frozen=True, kw_only=True)
class KindBody(Said):
    kind: Kept


@dataclass(frozen=True)
class LookShape:
    at: str
    name: str
    role: str
    what: str
    why: str


@dataclass(frozen=True)
class ListedShape:
    """Somebody saw them in lists of a whole place: on how many days, and when last."""

    name: str
    role: str
    days: int
    last: str
    lists: list[str]


@dataclass(frozen=True)
class LooksShape:
    home: str
    looks: list[LookShape]
    lists: list[ListedShape]


@dataclass(frozen=True)
class ViewerShape:
    person: str
    name: str
    relation: str
    shown: list[Look]


@dataclass(frozen=True)
class SharingShape:
    """Who of the family is shown what; until `not_shown_until` nobody is shown anything."""

    home: str
    not_shown_until: str | None
    viewers: list[ViewerShape]


@dataclass(frozen=True)
class ErasureShape:
    """What would be erased. Give `word` back until `until`, where this is meant; refused while an alert is open."""

    home: str
    alerts: int
    open_alerts: int
    photos: int
    word: str
    until: str


@dataclass(frozen=True)
class ErasedShape:
    """The proof: `ref` is the name under which it stands in the audit trail, `removed` how much of each kind went."""

    done: bool
    reason: str
    ref: str
    state: str
    removed: Mapping[str, int]


def routes(door: ApiDoor, privacy: Privacy, elder: Elder, machine: Machine) -> None:
    """Hang up the addresses."""
    _of_looks(door, elder)
    _of_erasure(door, privacy)
    _of_keeping(door, machine)


def _of_looks(door: ApiDoor, elder: Elder) -> None:
    right, house = Right.PEOPLE, door.house

    @door.read("/homes/{home_id}/looks", Right.PRIVACY, LooksShape, *KEEPERS)
    def show_looks(caller: Caller, home: Home, request: Request) -> Mapping[str, Any]:
        """Everybody who looked at this resident, the newest first; as the sheet for whoever reads paper says it."""
        tongue = tongue_of(request)
        looks = [
            {"at": iso(one.at), "name": one.name, "role": one.role, "what": one.what, "why": one.why}
            for one in elder.onlookers(home, tongue)[:ALL_OF_IT]
        ]
        lists = [
            {"name": one.name, "role": one.role, "days": one.days, "last": iso(one.last), "lists": list(one.lists)}
            for one in elder.listed(home, tongue)
        ]
        return {"home": home.id, "looks": looks, "lists": lists}

    @door.read("/homes/{home_id}/sharing", Right.REGISTRY, SharingShape, *KEEPERS)
    def show_sharing(caller: Caller, home: Home, request: Request) -> Mapping[str, Any]:
        """What the resident lets each of the family see."""
        viewers = [
            {"person": one.person, "name": one.name, "relation": one.relation, "shown": sorted(one.shown)}
            for one in elder.viewers(home, tongue_of(request))
        ]
        until = not_shown_until(home, house.registry, house.clock.now())
        return {"home": home.id, "not_shown_until": iso(until), "viewers": viewers}

    @door.act("/homes/{home_id}/sharing", right, "sharing.put")
    def put_sharing(doing: Doing, home: Home, said: SightBody) -> None:
        """On the resident's behalf: one of the family sees this from now on, or does not any more."""
        if said.viewer not in {one.person for one in elder.viewers(home, doing.tongue)}:
            raise Problem(422, *CODES[422], Field("viewer", "is somebody of the family among the contacts"))
        if not said.shown:
            if not said.why.strip():
                raise Problem(422, *CODES[422], Field("why", "says in whose words, on what occasion"))
            # Whoever may not see the one sentence sees no page, so nothing that stands on it either.
            unwanted = list(Look) if Look.CALM in said.looks else said.looks
            elder.sharing.hide(home.id, said.viewer, unwanted, why=said.why.strip(), **doing.by)
            return
        if not said.paper.strip():
            raise Problem(422, *CODES[422], Field("paper", "is the reference of what was signed"))
        elder.sharing.show(
            home.id,
            said.viewer,
            {Look.CALM, *said.looks},
            version=SIGHTS_VERSION,
            given_by=said.guardian.strip() or home.person,
            evidence=f"paper:{said.paper.strip()}",
            **doing.by,
        )

    @door.act("/homes/{home_id}/sharing/pause", right, "sharing.pause")
    def pause_sharing(doing: Doing, home: Home, said: NotShownBody) -> None:
        """On the resident's behalf: until then the family sees nothing, and is told of emergencies only."""
        elder.sharing.pause(home.id, doing.once.now + timedelta(hours=said.hours), why=said.why.strip(), **doing.by)

    @door.act("/homes/{home_id}/sharing/resume", right, "sharing.resume")
    def resume_sharing(doing: Doing, home: Home) -> None:
        """What was agreed to is shown again; also right when it was never hidden."""
        elder.sharing.resume(home.id, **doing.by)


def _of_erasure(door: ApiDoor, privacy: Privacy) -> None:
    right, house, pages = Right.PRIVACY, door.house, door.pages

    def word_of(caller: Caller, home: Home, until: int) -> str:
        """What only whoever has asked here before can say, for this household, until then."""
        told = f"erase\n{caller.name}\n{home.id}\n{until}".encode()
        return f"{until}.{hmac.new(house.secret, told, hashlib.sha256).hexdigest()[:32]}"

    def is_meant(doing: Doing, home: Home, word: str) -> bool:
        until = word.partition(".")[0]
        if not until.isascii() or not until.isdigit() or len(until) > 12:
            return False
        return doing.once.now.timestamp() < int(until) and hmac.compare_digest(
            word.encode(), word_of(doing.caller, home, int(until)).encode()
        )

    @door.read("/homes/{home_id}/copy.zip", right, None, Duty.ADMIN, gives=["application/zip"])
    def copy_home(caller: Caller, home: Home) -> Response:
        """Everything that is kept about a household and its resident, as one file. Who took it is written down, and the
        resident sees it."""
        if house.privacy is None:
            raise missing()
        packed = house.privacy.export(home.id, who=caller.name, now=house.clock.now())
        return Response(packed, media_type="application/zip")

    @door.read("/homes/{home_id}/erasure", right, ErasureShape, Duty.ADMIN)
    def show_erasure(caller: Caller, home: Home) -> Mapping[str, Any]:
        """The first step: what would be erased, and the word for the second."""
        if house.privacy is None:
            raise missing()
        until = house.clock.now().replace(microsecond=0) + MEANT_FOR
        alerts = house.alerts.alerts(home=home.id, limit=ALL_OF_IT)
        return {
            "home": home.id,
            "alerts": len(alerts),
            "open_alerts": sum(alert.is_open for alert in alerts),
            "photos": sum(bool(line.photo) for line in house.registry.installations(home.id)),
            "word": word_of(caller, home, int(until.timestamp())),
            "until": iso(until),
        }

    @door.act("/homes/{household}/erasure", right, "privacy.erase", ErasedShape)
    def erase_home(doing: Doing, household: str, said: EraseBody) -> Mapping[str, Any]:
        """The second step: forget a household and its resident. Nothing of it can be brought back."""
        if house.privacy is None:
            raise missing()
        assert doing.caller.token is not None  # `Keys.may` lets nobody else act
        # Nobody can tell from this name whom it stands for; whoever sends the same key again finds the proof by it.
        key = f"{doing.caller.token.id}\n{doing.once.key}\n{household}".encode()
        stand_in = f"erased-{hmac.new(house.secret, key, hashlib.sha256).hexdigest()[:12]}"
        proof = next(iter(house.alerts.acts(stand_in, 1, what=ERASED)), None)
        if proof is not None:
            return erased(stand_in, {name: int(count) for name, count in proof.facts})
        home = pages.home(doing.visitor, household)
        if said.code.strip() != home.code:
            raise refused(
                doing.tongue.say("That is not this household's number. Nothing was erased."),
                Field("code", "is the household's own number"),
            )
        if not is_meant(doing, home, said.word):
            raise refused(
                "Ask first what would be erased: the word of that answer is missing, of another home, or too old.",
                Field("word", "is that of `…/erasure`, at most a quarter of an hour old"),
            )
        gone = house.privacy.erase(home.id, why=said.why.strip(), stand_in=stand_in, **doing.by)
        return erased(gone.stand_in, gone.counts)

    def erased(stand_in: str, counts: Mapping[str, int]) -> Mapping[str, Any]:
        return {**done(stand_in), "removed": dict(counts)}


def _of_keeping(door: ApiDoor, machine: Machine) -> None:
    right = Right.PRIVACY

    @door.act("/homes/{home_id}/retention", right, "retention.keep")
    def keep_records(doing: Doing, home: Home, said: KeepBody) -> None:
        """How long the records of one household are kept, where that is otherwise than for all."""
        until = aware(said.until, "until")
        machine.keeping().keep(home.id, said.kind, said.days, until, why=said.why, **doing.by)

    @door.act("/homes/{home_id}/retention/end", right, "retention.end")
    def end_keeping(doing: Doing, home: Home, said: KindBody) -> None:
        """From now on what holds for everybody holds here too."""
        machine.keeping().end(home.id, said.kind, **doing.by)
