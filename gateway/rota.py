"""The duty sheet: shifts, swaps, holidays and leave. Every act is one audited transaction, and counts from then on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.domain import Act, Duty, Facts
from gateway.domain.rota import Holiday, Leave, Rota, Shift, Turn
from gateway.ports import RegistryLedger, RegistryStore
from gateway.refusals import N_, check_length, known_person, refused

Place = tuple[str, date]
"""A shift's id and the day on which it begins."""


@dataclass(slots=True)
class _Act:
    ledger: RegistryLedger
    rota: Rota
    who: str
    now: datetime

    def note(self, what: str, ref: str, *, why: str = "", facts: Facts = ()) -> None:
        self.ledger.audit(Act(at=self.now, who=self.who, what=what, ref=ref, why=why, facts=facts))
        self.ledger.publish(self.now, "rota", ref)


class DutySheet:
    """The use-cases of the rota, for the command line and the pages alike. Refuses with a RegistrationError."""

    def __init__(self, store: RegistryStore) -> None:
        self._store = store
        self._beside: Callable[[RegistryLedger], None] = lambda ledger: None

    def beside(self, write: Callable[[RegistryLedger], None]) -> "DutySheet":
        """The same for one act: what it changes and what `write` writes become durable together."""
        other = copy(self)
        other._beside = write
        return other

    def add_shift(self, shift: Shift, *, who: str, now: datetime) -> None:
        with self._act(who, now) as act:
            self._check(shift.person, shift.place)
            if shift.duty is Duty.ELDER:
                raise refused(N_("A resident works no shifts."))
            act.ledger.put_shift(shift)
            act.note("shift.put", shift.id)

    def end_shift(self, shift_id: str, last: date, *, who: str, now: datetime) -> None:
        """It is worked on that day for the last time; one that would end before it began is taken off the sheet."""
        with self._act(who, now) as act:
            shift = _shift(act.rota, shift_id)
            if last < shift.first:
                act.ledger.drop_shift(shift_id)
            else:
                act.ledger.put_shift(replace(shift, last=last))
            act.note("shift.end", shift_id, facts=(("last", f"{last}"),))

    def swap(self, one: Place, other: Place, *, who: str, now: datetime) -> tuple[Turn, Turn]:
        """Each of two works the other's day; as it is now."""
        with self._act(who, now) as act:
            first, second = _turn(act.rota, one, now), _turn(act.rota, other, now)
            if first.person == second.person:
                raise refused(N_("Both shifts are {person}'s already."), person=first.person)
            return self._hand(act, first, second.person), self._hand(act, second, first.person)

    def stand_in(self, place: Place, person: str, *, who: str, now: datetime) -> Turn:
        """Somebody else works that day."""
        with self._act(who, now) as act:
            turn = _turn(act.rota, place, now)
            self._check(person)
            return self._hand(act, turn, person)

    def put_holiday(self, holiday: Holiday, *, who: str, now: datetime) -> None:
        with self._act(who, now) as act:
            if holiday.place:
                self._check("", holiday.place)
            act.ledger.put_holiday(holiday)
            act.note("holiday.put", f"{holiday.day}", facts=(("place", holiday.place),))

    def drop_holiday(self, place: str, day: date, *, who: str, now: datetime) -> None:
        with self._act(who, now) as act:
            if (place, day) not in act.rota.holidays:
                raise refused(N_("{day} is no holiday on the sheet."), day=day)
            act.ledger.drop_holiday(place, day)
            act.note("holiday.drop", f"{day}", facts=(("place", place),))

    def put_leave(self, leave: Leave, *, who: str, now: datetime) -> None:
        with self._act(who, now) as act:
            self._check(leave.person)
            if leave.until <= now:
                raise refused(N_("This leave is over already."))
            check_length(leave.reason)
            act.ledger.put_leave(replace(leave, author=who))
            act.note("leave.put", leave.person, why=leave.reason)

    def end_leave(self, person: str, *, who: str, now: datetime) -> None:
        """Whoever is back can be called from now on; leave that has not begun is taken back."""
        with self._act(who, now) as act:
            ahead = [leave for leave in act.rota.leaves.get(person, ()) if leave.until > now]
            if not ahead:
                raise refused(N_("{person} is not on leave."), person=person)
            leave = ahead[0]
            act.ledger.drop_leave(person, leave.since)
            if leave.since < now:
                act.ledger.put_leave(replace(leave, until=now))
            act.note("leave.end", person)

    def _hand(self, act: _Act, turn: Turn, person: str) -> Turn:
        shift = turn.shift
        swap = replace(shift, person=person, first=turn.day, last=turn.day, swap_of=shift.id)
        act.ledger.put_shift(swap)
        act.note("shift.swap", swap.id, facts=(("from", turn.person), ("to", person)))
        return replace(turn, person=person)

    def _check(self, person: str, place: str = "") -> None:
        if person:
            known_person(self._store, person)
        if place and place not in self._store.rota().above:
            raise refused(N_("There is no grid or area '{place}'; register it first."), place=place)

    @contextmanager
    def _act(self, who: str, now: datetime) -> Iterator[_Act]:
        """One transaction; the sheet that is read inside it stays as it is until its end."""
        with self._store.begin() as ledger:
            yield _Act(ledger, self._store.rota(), who, now)
            self._beside(ledger)


def _shift(rota: Rota, shift_id: str) -> Shift:
    found = (shift for shifts in rota.shifts.values() for shift in shifts if shift.id == shift_id)
    shift = next(found, None)
    if shift is None:
        raise refused(N_("There is no shift '{shift}'."), shift=shift_id)
    return shift


def _turn(rota: Rota, place: Place, now: datetime) -> Turn:
    shift_id, day = place
    shift = _shift(rota, shift_id)
    turn = next((turn for turn in rota.turns(shift.place, shift.duty, day) if turn.shift == shift), None)
    if turn is None:
        raise refused(N_("Nobody works this shift on {day}."), day=day)
    if turn.ends <= now:
        raise refused(N_("The shift of {day} is over."), day=day)
    return turn
