"""一户一案: what holds at a home, a grid or an area in the place of what is usual: limits, rules off, absences, visits,
silences. Every act is one audited transaction; what it says has an author, a reason, and mostly an end."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from gateway.acting import Acting
from gateway.domain import Absence, Home, Override, Profile, Scope
from gateway.domain.people import Risk
from gateway.domain.plan import (
    ABSENCE,
    DEMENTIA,
    LOOKED_BACK,
    RISK,
    SILENCE,
    VISIT,
    YES,
    Nonsense,
    Setting,
    ending,
    lives_again,
    setting_of,
    understood,
)
from gateway.ports import RegistryStore
from gateway.refusals import N_, Sentence, check_reason, known_home, refused

SILENCE_AT_MOST = timedelta(hours=24)
"""Longer than a day nobody keeps a home quiet; silenced again is written down again."""

ABSENCE_AT_MOST = timedelta(days=30)
"""A longer stay is declared again: what was forgotten ends by itself."""

PLANNED_AT_MOST = timedelta(days=5 * 366)
"""What is to hold for longer has no end."""


class Plans:
    """The use-cases of planning, for the pages, other programs and the command line. Refuses with a
    RegistrationError."""

    def __init__(
        self,
        store: RegistryStore,
        act: Callable[[str, datetime], AbstractContextManager[Acting]],
        codes: frozenset[str] = frozenset(),
    ) -> None:
        """`act` begins a transaction in somebody's name; `codes` are the alerts that a plan may speak of, without any
        all."""
        self._store = store
        self._act = act
        self._codes = codes

    def put(
        self,
        place: str,
        key: str,
        value: str,
        *,
        scope: Scope = Scope.HOME,
        since: datetime | None = None,
        until: datetime | None = None,
        why: str,
        who: str,
        now: datetime,
    ) -> Override:
        """Let another limit hold for a home, a grid or an area, or switch a rule off ("off"), from now or later on.

        What held before comes back when this ends. Raises RegistrationError with what would be right.
        """
        with self._act(who, now) as act:
            setting, value = self._understood(key, value)
            if not setting.is_listed:
                raise refused(N_("'{key}' is not set like a limit; there is a way of its own to say it."), key=key)
            if setting.only_home and scope is not Scope.HOME:
                raise refused(N_("'{key}' is said of one home, not of a grid or an area."), key=key)
            return self._put(act, scope, place, key, value, since, until, why)

    def end(self, place: str, key: str, *, scope: Scope = Scope.HOME, why: str = "", who: str, now: datetime) -> None:
        """From now on this is not said any more: what the grid or the area says holds again, or what is usual."""
        with self._act(who, now) as act:
            self._place(scope, place)
            # A pause, work in the home, how long its records are kept: they end where they were begun.
            ended = self._end_lines(act, scope, place, key) if self._is_planned(key) else []
            if not ended:
                raise refused(N_("Nothing is planned for '{key}' here."), key=key)
            self._note(act, f"plan.end.{scope}", ended[-1], why)

    def declare_absence(
        self,
        home_id: str,
        kind: Absence,
        until: datetime,
        *,
        since: datetime | None = None,
        why: str = "",
        who: str,
        now: datetime,
    ) -> Override:
        """Nobody is at home until then: on a holiday, in hospital, with the family. It ends by itself, or when somebody
        lives there again; declared anew, the new end holds."""
        if not now < until <= (since or now) + ABSENCE_AT_MOST:
            raise refused(N_("An absence ends within {days} days; declare it again if it lasts."), days=30)
        with self._act(who, now) as act:
            self._understood(ABSENCE, kind)
            self._end_lines(act, Scope.HOME, home_id, ABSENCE, since)
            return self._put(act, Scope.HOME, home_id, ABSENCE, Absence(kind).value, since, until, why or kind)

    def end_absence(self, home_id: str, *, why: str = "", who: str, now: datetime) -> bool:
        """Somebody is at home again. Nothing to end is no error: it may have ended by itself."""
        with self._act(who, now) as act:
            known_home(self._store, home_id)
            ended = self._end_lines(act, Scope.HOME, home_id, ABSENCE)
            if ended:
                self._note(act, "plan.end.home", ended[-1], why)
            return bool(ended)

    def end_absences(
        self, signs: Callable[[str, datetime, datetime], Iterable[datetime]], *, now: datetime
    ) -> list[str]:
        """End the absences of homes in which somebody lives again; returns their ids. `signs` gives the moments at
        which a sign of life was seen inside a home, from and to."""
        back = []
        for line in self._store.in_force(ABSENCE, now):
            home = self._store.home(line.home)
            if home is None:
                continue
            seen = signs(home.id, max(line.since, now - LOOKED_BACK), now)
            if lives_again(self._store.plan(home.id, now), seen, home.zone) is not None:
                self.end_absence(home.id, why="absence.seen", who="gateway", now=now)
                back.append(home.id)
        return back

    def expect_visit(
        self,
        home_id: str,
        hours: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        why: str,
        who: str,
        now: datetime,
    ) -> Override:
        """Somebody comes at these hours ("mon,wed 09:00-11:00"): a carer, a cleaner. What moves then may be theirs."""
        with self._act(who, now) as act:
            known_home(self._store, home_id)
            _, hours = self._understood(VISIT, hours)
            taken = {line.key for line in self._store.overrides(home_id)}
            key = next(key for n in range(1, len(taken) + 2) if (key := f"{VISIT}/{n}") not in taken)
            return self._put(act, Scope.HOME, home_id, key, hours, since, until, why)

    def silence(
        self,
        place: str,
        codes: str,
        until: datetime,
        *,
        scope: Scope = Scope.HOME,
        why: str,
        who: str,
        now: datetime,
    ) -> Override:
        """Hold back what can wait (severity 3 to 5, all of it or these codes) until then, a day at most.

        It is held back, not lost: when the silence ends it is judged again. An emergency is never silenced.
        """
        if not now < until <= now + SILENCE_AT_MOST:
            raise refused(N_("A silence ends within 24 hours; begin it again if it is still needed."))
        with self._act(who, now) as act:
            _, codes = self._understood(SILENCE, codes)
            self._end_lines(act, scope, place, SILENCE)
            return self._put(act, scope, place, SILENCE, codes, None, until, why)

    def follow_profile(self, act: Acting, home: Home, profile: Profile | None) -> None:
        """What the detectors have to know of a resident stands in the plan, with its dates; why stands in the file."""
        known = profile or Profile(person=home.person)
        held = {line.key for line in self._store.overrides(home.id) if line.covers(act.now)}
        for key, holds in ((DEMENTIA, known.dementia), (RISK, known.risk is Risk.HIGH)):
            running = key in held
            if holds and not running:
                act.ledger.put_override(
                    Override(
                        home=home.id, key=key, value=YES, since=act.now, until=None, author=act.who, reason="profile"
                    )
                )
            elif running and not holds:
                self._end_lines(act, Scope.HOME, home.id, key)

    def follow_resident(self, act: Acting, profile: Profile) -> None:
        """The same in each home in which they live."""
        for home in self._store.homes():
            if home.person and home.person == profile.person:
                self.follow_profile(act, home, profile)

    def _is_planned(self, key: str) -> bool:
        try:
            setting_of(key, self._codes)
        except Nonsense:
            return False
        return True

    def _understood(self, key: str, value: str) -> tuple[Setting, str]:
        try:
            return setting_of(key, self._codes), understood(key, value, self._codes)
        except Nonsense as error:
            values = {name: Sentence(str(v)) if name == "unit" else v for name, v in error.values.items()}
            raise refused(error.text, **values) from error

    def _put(
        self,
        act: Acting,
        scope: Scope,
        place: str,
        key: str,
        value: str,
        since: datetime | None,
        until: datetime | None,
        why: str,
    ) -> Override:
        check_reason(why)
        since = act.now if since is None else since
        if since < act.now:
            raise refused(N_("A plan begins now or later: what was, was judged by what held then."))
        if until is not None and not since < until <= since + PLANNED_AT_MOST:
            raise refused(N_("It has to end after it begins, and within five years."))
        self._place(scope, place)
        line = Override(
            **{scope.value: place}, key=key, value=value, since=since, until=until, author=act.who, reason=why.strip()
        )
        act.ledger.put_override(line)
        self._note(act, f"plan.{scope}", line, why)
        return line

    def _end_lines(self, act: Acting, scope: Scope, place: str, key: str, at: datetime | None = None) -> list[Override]:
        """End what holds of this key at that moment, or now, and take back what is still to come after it."""
        ended = ending(self._store.overrides(place, scope), key, max(at or act.now, act.now))
        for line in ended:
            act.ledger.put_override(line)
        return ended

    def _note(self, act: Acting, what: str, line: Override, why: str) -> None:
        facts = (("key", line.key), ("value", line.value), ("until", line.until.isoformat() if line.until else ""))
        if line.home:
            act.write(what, line.home, known_home(self._store, line.home), why=why, facts=facts)
        else:
            act.note(what, line.place, why=why, facts=facts)
            act.publish(line.place)

    def _place(self, scope: Scope, place: str) -> None:
        if scope is Scope.HOME:
            known_home(self._store, place)
        elif scope is Scope.GRID and place not in {grid.code for grid in self._store.grids()}:
            raise refused(N_("There is no grid '{grid}'; register it first."), grid=place)
        elif scope is Scope.AREA and place not in {area.code for area in self._store.areas()}:
            raise refused(N_("There is no area '{area}'; register it first."), area=place)
