"""Which browsers are told by Web Push: a way to reach a person, for as long as they are signed in on that telephone.

A browser's subscription is one more `Reach` of the person, so drills, routing and the courier need to know nothing of
it. Beside what the browser gave, it names the session in which it was given, and goes when that session ends.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alerts.channels.web_push import WebPush
from dashboard.auth import Visitor
from dashboard.house import House
from gateway.domain import Person, Reach
from gateway.ports import Undeliverable

CHANNEL = "web_push"
BROWSERS_AT_MOST = 5
"""Of one person; the oldest makes room."""


def read(text: str) -> Mapping[str, Any] | None:
    """What a browser calls its subscription, and no more of it than is needed; None when it is none."""
    try:
        WebPush.check(text)
    except Undeliverable:
        return None
    given = json.loads(text)
    return {"endpoint": given["endpoint"], "keys": {name: given["keys"][name] for name in ("p256dh", "auth")}}


def subscribe(house: House, visitor: Visitor, subscription: Mapping[str, Any]) -> bool:
    """From now on this browser is told too. False: the account belongs to nobody who is called."""
    person = house.registry.person(visitor.account.person)
    if person is None:
        return False
    same = [reach for reach in of(person) if _in(reach).get("endpoint") == subscription["endpoint"]]
    others = [reach for reach in of(person) if reach not in same][-BROWSERS_AT_MOST + 1 :]
    kept = [reach for reach in person.reaches if reach.channel != CHANNEL]
    address = json.dumps({**subscription, "session": visitor.token_hash}, separators=(",", ":"))
    _put(house, person, [*kept, *others, Reach(channel=CHANNEL, address=address)], visitor.account.person)
    return True


def end_session(house: House, visitor: Visitor) -> None:
    """This browser is signed out: nothing more is said on its lock screen."""
    person = house.registry.person(visitor.account.person)
    if person is not None:
        _drop(house, person, {r for r in of(person) if _in(r).get("session") == visitor.token_hash})


def is_told(house: House, visitor: Visitor) -> bool:
    """Whether the browser of this session is."""
    person = house.registry.person(visitor.account.person)
    return person is not None and any(_in(reach).get("session") == visitor.token_hash for reach in of(person))


def sweep(house: House) -> None:
    """Sessions also end without a word: by their age, with a new password, or because somebody took them away."""
    now = house.clock.now()
    for person in house.registry.people():
        over = {
            reach
            for reach in of(person)
            if (session := str(_in(reach).get("session", ""))) and house.accounts.session(session, now) is None
        }
        _drop(house, person, over)


def of(person: Person) -> list[Reach]:
    return [reach for reach in person.reaches if reach.channel == CHANNEL]


def _in(reach: Reach) -> Mapping[str, Any]:
    """What stands in an address; nothing where somebody typed one that is none."""
    try:
        read = json.loads(reach.address)
    except ValueError:
        return {}
    return read if isinstance(read, Mapping) else {}


def _drop(house: House, person: Person, over: set[Reach]) -> None:
    if over:
        _put(house, person, [reach for reach in person.reaches if reach not in over], person.id)


def _put(house: House, person: Person, reaches: list[Reach], who: str) -> None:
    house.registrar.put_person(replace(person, reaches=tuple(reaches)), who=who, now=house.clock.now())
