"""Whom the watchdog tells: written down by the gateway while all is well, so that neither it nor its book is needed."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.domain import Duty, Person
from gateway.ports import Directory
from gateway.pulse import WATCHDOG


@dataclass(frozen=True, slots=True)
class Callee:
    """One person as they were known when all was well; `is_first`: told at once, and not only when it goes on."""

    id: str
    language: str
    is_first: bool
    ways: tuple[tuple[str, str], ...]  # channel and address

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "Callee":
        ways = tuple((str(channel), str(address)) for channel, address in said["ways"])
        return cls(str(said["id"]), str(said["language"]), bool(said["is_first"]), ways)


SUPERIORS = (Duty.SUPERVISOR, Duty.INSTALLER)
"""Who is told too when no administrator has seen to it: others have to look after the homes meanwhile."""


def write_people(folder: Path, directory: Directory, now: datetime) -> None:
    """Write down whom the watchdog tells, while all is well; the gateway does this, whenever they may have changed."""
    admins = {one.person.id for one in directory.on_call("", Duty.ADMIN, now).people}
    held: dict[Duty, set[str]] = {}
    for (_, duty), posts in directory.rota().posts.items():
        held.setdefault(duty, set()).update(post.person for post in posts if post.covers(now))
    admins = admins or held.get(Duty.ADMIN, set())
    others = set().union(*(held.get(duty, set()) for duty in SUPERIORS)) - admins
    people = [(directory.person(name), name in admins) for name in sorted(admins | others)]
    callees = [_as_callee(person, is_first) for person, is_first in people if person is not None and person.reaches]
    path = folder / WATCHDOG / "people.json"
    words = json.dumps(callees, ensure_ascii=False, indent=1)
    with suppress(FileNotFoundError):
        if path.read_text(encoding="utf-8") == words:
            return
    path.parent.mkdir(exist_ok=True, mode=0o700)
    put(path, words)


def _as_callee(person: Person, is_first: bool) -> dict[str, Any]:
    ways = [[reach.channel, reach.address] for reach in person.reaches]
    return {"id": person.id, "language": person.language, "is_first": is_first, "ways": ways}


def read_people(path: Path) -> list[Callee]:
    """Whom the gateway has named; nobody where it never did."""
    try:
        return [Callee.read(one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, LookupError):
        return []


def put(path: Path, words: str) -> None:
    """Write a file that only we may read, all of it or nothing of it."""
    made = path.with_suffix(".new")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(words)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
