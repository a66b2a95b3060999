"""Events and audit trail in memory, and one writer at a time."""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from gateway.domain import Act, Event, Override
from gateway.domain.trail import BEGINNING, Sealed, digest_of, linked
from gateway.ports import Answered
from gateway.stores import ANSWERS_KEPT
from gateway.stores.moments import aware, checked
from gateway.stores.roll import absent


class MemoryTrail:
    """Events and audit: what alerts and registry write into together, as they do in one `gateway.db`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.sealed: list[Sealed] = []
        self.answers: dict[tuple[str, str], Answered] = {}
        self.plan: Callable[[Sequence[Override]], None] = _of_no_home  # what alerts say of a home; set by its registry
        self._writing = threading.Lock()
        self._writer: int | None = None

    @property
    def acts(self) -> list[Act]:
        return [row.act for row in self.sealed]

    def seal(self, act: Act) -> None:
        """Append to the audit trail, chained to what stands there."""
        last = self.sealed[-1] if self.sealed else None
        salt = secrets.token_hex(16)
        digest = digest_of(act, salt)
        chain = linked(last.chain if last else BEGINNING, digest)
        self.sealed.append(Sealed(last.number + 1 if last else 1, act, salt, digest, chain))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One writer at a time; a second transaction inside the first could never end, so it is refused."""
        if self._writer == threading.get_ident():
            raise RuntimeError("this thread has a transaction open already; finish it before the next begin()")
        with self._writing:
            self._writer = threading.get_ident()
            try:
                yield
            finally:
                self._writer = None


def _of_no_home(lines: Sequence[Override]) -> None:
    for line in lines:
        raise absent("home", line.place, "a plan")


class TrailLedger:
    """Notes what is to be appended when the transaction is committed."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._trail = trail
        self._answers: dict[tuple[str, str], Answered] = {}
        self._published: list[tuple[datetime, str, str, str, str]] = []
        self._acts: list[Act] = []

    def audit(self, act: Act) -> None:
        self._acts.append(checked(act))

    def publish(self, at: datetime, topic: str, ref: str, home: str = "", grid: str = "") -> None:
        self._published.append((aware(at), topic, ref, home, grid))

    def remember(self, answered: Answered) -> bool:
        this, since = (answered.token, answered.key), checked(answered).at - ANSWERS_KEPT
        if this in self._answers or (this in self._trail.answers and self._trail.answers[this].at >= since):
            return False
        self._answers[this] = answered
        return True

    def append_to(self, trail: MemoryTrail) -> None:
        for answered in self._answers.values():
            fresh = {key: old for key, old in trail.answers.items() if old.at >= answered.at - ANSWERS_KEPT}
            trail.answers = fresh | {(answered.token, answered.key): answered}
        for at, topic, ref, home, grid in self._published:
            number = len(trail.events) + 1
            trail.events.append(Event(id=number, at=at, topic=topic, ref=ref, home=home, grid=grid))
        for act in self._acts:
            trail.seal(act)
