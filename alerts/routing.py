"""From a rung to messages: who is meant, and through what they are reached. Pure, apart from asking the directory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from alerts.escalation import Step
from alerts.ways import one_by_one, waiting_its_turn
from gateway.domain import Alert, Answers, Delivery, Duty, Facts, Home, Person, Purpose, Reach, Relation
from gateway.domain.rota import OnCall, Why
from gateway.ports import Directory

AROUND: Mapping[Duty, tuple[frozenset[Relation], ...]] = {
    Duty.FAMILY: (frozenset({Relation.CHILD, Relation.SPOUSE, Relation.RELATIVE}),),
    Duty.KEY_HOLDER: (
        frozenset({Relation.KEY_HOLDER}),
        frozenset({Relation.NEIGHBOUR}),
        frozenset({Relation.PROPERTY}),
    ),
    Duty.NIGHT_POOL: (frozenset({Relation.PROPERTY}),),
    Duty.COMMUNITY: (frozenset({Relation.CADRE}),),
    Duty.VOLUNTEER: (frozenset({Relation.VOLUNTEER}),),
    Duty.DOCTOR: (frozenset({Relation.DOCTOR}),),
    Duty.MEDICAL: (frozenset({Relation.MEDICAL}),),
}
"""Who of a household's own contacts is meant by a duty too: whoever has a key before whoever lives next door."""

WORKERS = (Duty.GRID_WORKER, Duty.DEPUTY)
"""While one of these can be called, nobody wakes the night pool."""


def on_call(duty: Duty, home: Home | None, directory: Directory, at: datetime) -> list[OnCall]:
    """Whom this duty means for this home at that moment, first choice first, each person once and with the reason.

    The street's own people come before those around the household, except that a family is the household's first.
    """
    grid = home.grid if home else ""
    if duty is Duty.NIGHT_POOL and any(reachable(people_for(worker, home, directory, at)) for worker in WORKERS):
        return []
    posted = list(directory.on_call(grid, duty, at).people)
    if duty is Duty.NIGHT_POOL:
        posted = [replace(one, why=Why.NIGHT) for one in posted]
    if home is None:
        return posted
    if duty is Duty.ELDER:
        resident = directory.person(home.person) if answers_by(home, directory) else None
        return [OnCall(person=resident, why=Why.CONTACT)] if resident else []
    around = _around(duty, home, directory, at)
    first: dict[str, OnCall] = {}
    for one in around + posted if duty is Duty.FAMILY else posted + around:
        first.setdefault(one.person.id, one)
    return list(first.values())


def answers_by(home: Home, directory: Directory) -> Answers:
    """By what means the resident can answer when asked; without any nobody waits for an answer."""
    profile = directory.profile(home.person) if home.person else None
    return profile.answers_by if profile else Answers.NONE


def _around(duty: Duty, home: Home, directory: Directory, at: datetime) -> list[OnCall]:
    """The household's contacts whom this duty means and who can be called at this hour."""
    groups = AROUND.get(duty)
    if groups is None:
        return []
    contacts = [c for c in directory.contacts(home.id) if can_be_called(c.hours, at, home.zone)]
    why = Why.NIGHT if duty is Duty.NIGHT_POOL else Why.CONTACT
    return [
        OnCall(person=person, why=why, relation=contact.relation)
        for relations in groups
        for contact in contacts
        if contact.relation in relations and (person := directory.person(contact.person)) is not None
    ]


def can_be_called(hours: str, at: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock in the home stands within "08:00-22:00"; "22:00-06:00" goes past midnight, "" is any time."""
    if not hours:
        return True
    begins, _, ends = hours.partition("-")
    clock = f"{at.astimezone(zone):%H:%M}"
    return begins <= clock < ends if begins < ends else clock >= begins or clock < ends


def people_for(duty: Duty, home: Home | None, directory: Directory, at: datetime) -> list[Person]:
    """Whom this duty means for this home at that moment, first choice first; each person once."""
    return [one.person for one in on_call(duty, home, directory, at)]


def volunteers(deliveries: Iterable[Delivery]) -> set[str]:
    """Who was called about an alert as a volunteer and as nothing else: they learn address and task, and no more."""
    called: dict[str, set[Duty]] = {}
    for delivery in deliveries:
        if delivery.duty is not None:
            called.setdefault(delivery.person, set()).add(delivery.duty)
    return {person for person, duties in called.items() if duties == {Duty.VOLUNTEER}}


def reachable(people: Sequence[Person]) -> bool:
    """Whether a message to these people could go anywhere at all."""
    return any(person.reaches for person in people)


def delivery_id(alert: str, purpose: Purpose, turn: str, person: str, way: str) -> str:
    """Derived, not drawn: whatever is decided twice arrives at the same id and is said once.

    `turn` is round.rung for a page, the minute for a repeat.
    """
    return f"{alert}/{purpose}/{turn}/{person}/{way}"


def ways_of(person: Person) -> Iterator[tuple[str, Reach]]:
    """Every way to reach a person, in order, each with its name; two telephones on one channel are told apart."""
    seen: dict[str, int] = {}
    for reach in person.reaches:
        nth = seen[reach.channel] = seen.get(reach.channel, 0) + 1
        yield (reach.channel if nth == 1 else f"{reach.channel}.{nth}"), reach


def tried_at(person: Person, way: str, place: int) -> Person:
    """Somebody whose way of this name stands at that place of the order. How long the ways wait for each other belongs
    to their places, not to them: what becomes the first waits for nothing. LookupError: there is no such way."""
    ways = dict(ways_of(person))
    moved = ways.pop(way)
    ordered = list(ways.values())
    ordered.insert(place, moved)
    waits = [reach.after for reach in person.reaches]
    return replace(person, reaches=tuple(replace(one, after=wait) for one, wait in zip(ordered, waits, strict=True)))


def letters_for(
    person: Person,
    alert: Alert,
    purpose: Purpose,
    turn: str,
    now: datetime,
    *,
    duty: Duty | None = None,
    rung: int = 0,
    facts: Facts = (),
) -> list[Delivery]:
    """One delivery for each way to reach this person, in the order in which the person prefers them."""
    letters: list[Delivery] = []
    for way, reach in ways_of(person):
        delivery = Delivery(
            id=delivery_id(alert.id, purpose, turn, person.id, way),
            alert=alert.id,
            purpose=purpose,
            person=person.id,
            channel=reach.channel,
            address=reach.address,
            created_at=now,
            duty=duty,
            rung=rung,
            facts=facts,
        )
        in_a_row = bool(letters) and one_by_one(alert.severity)
        letters.append(waiting_its_turn(delivery, reach) if in_a_row else delivery)
    return letters


def pages(
    alert: Alert, step: Step, called: Sequence[tuple[Duty, Person]], now: datetime, *, asked: int = 0
) -> list[Delivery]:
    """What is sent for one rung: everybody it means, through everything that reaches them; the resident is asked.

    `asked` is how often the resident was asked before and did not answer.
    """
    facts = (("round", str(step.round)), ("count", str(alert.count)), *((("asked", str(asked)),) if asked else ()))
    turn = f"{step.round}.{step.rung}"
    return [
        delivery
        for duty, person in called
        for delivery in letters_for(
            person,
            alert,
            Purpose.ASK if duty is Duty.ELDER else Purpose.PAGE,
            turn,
            now,
            duty=duty,
            rung=step.rung,
            facts=facts,
        )
    ]


def turn_of(delivery: Delivery) -> tuple[int, int]:
    """Round and rung of a page."""
    return int(dict(delivery.facts).get("round", "0")), delivery.rung
