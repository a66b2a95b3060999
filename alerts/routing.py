"""From a rung to messages: who is meant, and through what they are reached. Pure, apart from asking the directory."""

from collections.abc import Sequence
from datetime import datetime

from alerts.escalation import Step
from gateway.domain import Alert, Delivery, Duty, Facts, Home, Person, Purpose
from gateway.ports import Directory


def people_for(duty: Duty, home: Home | None, directory: Directory, at: datetime) -> list[Person]:
    """Whom this duty means for this home at that moment, first choice first; each person once."""
    on_duty = directory.on_duty(home.grid if home else "", duty, at)
    return list({person.id: person for person in on_duty}.values())


def reachable(people: Sequence[Person]) -> bool:
    """Whether a message to these people could go anywhere at all."""
    return any(person.reaches for person in people)


def delivery_id(alert: str, purpose: Purpose, turn: str, person: str, way: str) -> str:
    """Derived, not drawn: whatever is decided twice arrives at the same id and is said once.

    `turn` is round.rung for a page, the minute for a repeat.
    """
    return f"{alert}/{purpose}/{turn}/{person}/{way}"


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
    seen: dict[str, int] = {}
    for reach in person.reaches:
        nth = seen[reach.channel] = seen.get(reach.channel, 0) + 1
        way = reach.channel if nth == 1 else f"{reach.channel}.{nth}"  # two telephones on one channel
        letters.append(
            Delivery(
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
        )
    return letters


def pages(alert: Alert, step: Step, people: Sequence[Person], now: datetime) -> list[Delivery]:
    """What is sent for one rung: everybody it means, through everything that reaches them."""
    facts = (("round", str(step.round)), ("count", str(alert.count)))
    turn = f"{step.round}.{step.rung}"
    return [
        delivery
        for person in people
        for delivery in letters_for(person, alert, Purpose.PAGE, turn, now, duty=step.duty, rung=step.rung, facts=facts)
    ]


def turn_of(delivery: Delivery) -> tuple[int, int]:
    """Round and rung of a page."""
    return int(dict(delivery.facts).get("round", "0")), delivery.rung
