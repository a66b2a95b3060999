"""The gateway itself for other programs: whether it is well, what there is to go back to, who did what, and tokens.

A token that is made here can do no more than the one by which it was made, opens no longer, and opens nothing any more
when that one is withdrawn.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Body, Query, Request

from dashboard.accounts import WHOLE
from dashboard.answers import aware, cursor_of, iso, read_place
from dashboard.api_door import PAGE, ApiDoor, Cursor, Doing, Limit, Name, Said, done, missing, refused
from dashboard.audit import Audit, Sought
from dashboard.keys import LONGEST, Caller, Right, make_token, revoke
from dashboard.machine import A_MOMENT, Machine
from dashboard.pictures import KEPT as PICTURES_KEPT
from dashboard.printer import tongue_of
from dashboard.problems import CODES, Field, Problem
from dashboard.tokens import Tokens
from dashboard.words import Tongue
from dashboard.workings import CouldNotLook
from gateway.domain import Act, Duty
from gateway.ports import ApiToken

LOOKED_NOT = "It could not be looked at now; the log of the gateway says why."


@dataclass(frozen=True, kw_only=True)
class TokenBody(Said):
    """What a program is to hold: what for, where ("*" is everywhere), and for how many days."""

    name: Annotated[str, Body(max_length=40)]
    rights: Annotated[list[Right], Body(min_length=1, max_length=len(Right))]
    place: Name
    days: Annotated[int, Body(ge=1, le=LONGEST)]


@dataclass(frozen=True)
class LineShape:
    """One thing as it stands, in a sentence, and what to do about it."""

    name: str
    words: str
    grade: Literal["well", "note", "bad"]
    to_do: str


@dataclass(frozen=True)
class HealthShape:
    version: str
    lines: list[LineShape]


@dataclass(frozen=True)
class CopyShape:
    name: str
    made_at: str
    size: int


@dataclass(frozen=True)
class BackupShape:
    made_at: str
    path: str
    size: int
    is_sealed: bool
    with_readings: bool


@dataclass(frozen=True)
class BackupsShape:
    """The daily copies, the newest first, and the last backup on another disk; each was read back when it was made."""

    copies: list[CopyShape]
    backup: BackupShape | None
    wished_at: str | None
    failed_at: str | None
    put_aside: list[str]


@dataclass(frozen=True)
class SpanShape:
    kind: str
    days: int


@dataclass(frozen=True)
class ApartShape:
    """A household whose records have a time of their own."""

    home: str
    kind: str
    days: int
    until: str | None
    author: str
    why: str


@dataclass(frozen=True)
class SpansShape:
    kept: list[SpanShape]
    apart: list[ApartShape]


@dataclass(frozen=True)
class ActShape:
    at: str
    who: str
    what: str
    ref: str
    why: str
    facts: Mapping[str, str]


@dataclass(frozen=True)
class ActsShape:
    acts: list[ActShape]
    next: str | None


@dataclass(frozen=True)
class ChainShape:
    """Whether anybody has altered the trail: when it was gone through last, how many rows, how many do not hold; with
    the number and the chain of its last row, to be noted elsewhere."""

    checked_at: str | None
    rows: int
    anchors: int
    broken: int
    last_row: int | None
    chain: str


@dataclass(frozen=True)
class TokenShape:
    id: str
    name: str
    rights: list[str]
    place: str
    created_by: str
    created_at: str
    expires_at: str
    last_used_at: str | None
    revoked_at: str | None


@dataclass(frozen=True)
class TokensShape:
    tokens: list[TokenShape]


@dataclass(frozen=True)
class MadeShape:
    """`secret` stands in the first answer only: it is kept nowhere."""

    id: str
    name: str
    expires_at: str
    secret: str | None


def routes(door: ApiDoor, machine: Machine, audit: Audit, tokens: Tokens) -> None:
    """Hang up the addresses."""
    _of_machine(door, machine)
    _of_trail(door, audit)
    _of_tokens(door, tokens)


def _of_machine(door: ApiDoor, machine: Machine) -> None:
    right, house = Right.MACHINE, door.house
    busy = {503: {"description": LOOKED_NOT}}

    def health(tongue: Tongue) -> Mapping[str, Any]:
        lines = [
            {"name": one.name, "words": one.words, "grade": one.grade, "to_do": one.to_do}
            for one in (*machine.health_lines(tongue, house.clock.now()), *machine.remarks(tongue))
        ]
        return {"version": machine.workings.version, "lines": lines}

    @door.read("/machine/health", right, HealthShape, Duty.ADMIN)
    def show_machine(caller: Caller, request: Request) -> Mapping[str, Any]:
        """What the gateway knows of itself, with what was found when it was last looked through."""
        door.whole(caller)
        return health(tongue_of(request))

    @door.read("/machine/checkup", right, HealthShape, Duty.ADMIN, responses=busy)
    def examine_machine(caller: Caller, request: Request) -> Mapping[str, Any]:
        """All of it, looked through now: it takes seconds."""
        door.whole(caller)
        try:
            machine.look()
        except CouldNotLook:
            raise Problem(503, "not-looked", LOOKED_NOT) from None
        return health(tongue_of(request))

    @door.read("/machine/backups", right, BackupsShape, Duty.ADMIN)
    def list_backups(caller: Caller) -> Mapping[str, Any]:
        """What there is to go back to."""
        door.whole(caller)
        copies = machine.workings.copies()
        backup = copies.backup
        return {
            "copies": [{"name": one.name, "made_at": iso(one.made_at), "size": one.size} for one in copies.copies],
            "backup": {
                "made_at": iso(backup.made_at),
                "path": backup.path,
                "size": backup.size,
                "is_sealed": backup.is_sealed,
                "with_readings": backup.with_readings,
            }
            if backup
            else None,
            "wished_at": iso(copies.wished_at),
            "failed_at": iso(copies.failed_at),
            "put_aside": list(copies.put_aside),
        }

    @door.act("/machine/copy", right, "copy.wish")
    def wish_copy(doing: Doing) -> Mapping[str, Any]:
        """A copy of the files is made, and read through, within a minute or two; `…/backups` then has it."""
        door.whole(doing.caller)
        workings = machine.workings
        with house.registry.begin() as ledger:
            ledger.audit(Act(at=doing.once.now, who=doing.caller.name, what="copy.wished", ref="copies"))
        workings.wish_copy(doing.once.now)
        return done("copies")

    @door.read("/retention", right, SpansShape, Duty.ADMIN)
    def show_spans(caller: Caller, request: Request) -> Mapping[str, Any]:
        """How long each kind of record is kept, and for which households otherwise."""
        door.pages.listed(caller.visitor, "retention")
        spans: dict[str, timedelta] = {**machine.workings.spans, "pictures": PICTURES_KEPT}
        apart = [
            {
                "home": one.home.id,
                "kind": one.kind.value,
                "days": int(one.line.value),
                "until": iso(one.line.until),
                "author": one.line.author,
                "why": one.line.reason,
            }
            for one in machine.apart(caller.visitor, house.clock.now(), tongue_of(request))
        ]
        return {"kept": [{"kind": kind, "days": span.days} for kind, span in spans.items()], "apart": apart}


def _of_trail(door: ApiDoor, audit: Audit) -> None:
    house = door.house

    @door.read("/audit", Right.AUDIT, ActsShape, Duty.ADMIN)
    def list_acts(
        caller: Caller,
        who: Annotated[str, Query(max_length=80)] = "",
        what: Annotated[str, Query(max_length=40, description="how the act begins: `consent.`")] = "",
        about: Annotated[str, Query(max_length=200, description="a household, or whatever an act is about")] = "",
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: Cursor = "",
        limit: Limit = PAGE,
    ) -> Mapping[str, Any]:
        """Who did what, the newest first. For a part one household at a time: name it in `about`."""
        if not about and not door.pages.covers(caller.visitor, ""):
            raise Problem(422, *CODES[422], Field("query.about", "names a household of your place"))
        begin, end = aware(since, "since"), aware(until, "until")
        before, skip = read_place(cursor) or (None, "0")
        if not skip.isdecimal() or len(skip) > 6:
            raise Problem(422, *CODES[422], Field("cursor", "is none of ours; give back `next` of the piece before"))
        if before is not None:
            end = min(end or before + A_MOMENT, before + A_MOMENT)
        behind = int(skip)  # so many of that moment were told already
        found = audit.between(caller.visitor, Sought(who=who, kind=what, about=about), limit + behind + 1, begin, end)
        piece, more = found[behind : behind + limit], len(found) > behind + limit
        following = None
        if more and piece:
            last = piece[-1].at
            told = sum(act.at == last for act in piece) + (behind if last == before else 0)
            following = cursor_of(f"{last.isoformat()}|{told}")
        acts = [
            {
                "at": iso(act.at),
                "who": act.who,
                "what": act.what,
                "ref": act.ref,
                "why": act.why,
                "facts": dict(act.facts),
            }
            for act in piece
        ]
        return {"acts": acts, "next": following}

    @door.read("/audit/chain", Right.AUDIT, ChainShape, Duty.ADMIN)
    def show_chain(caller: Caller) -> Mapping[str, Any]:
        """When the trail was last gone through and what was found, and where it ends now."""
        door.whole(caller)
        return chain()

    @door.act("/audit/check", Right.MACHINE, "audit.check", ChainShape)
    def check_trail(doing: Doing) -> Mapping[str, Any]:
        """Go through all of it; what is found becomes a row of it."""
        door.whole(doing.caller)
        try:
            audit.check(doing.visitor)
        except CouldNotLook:
            raise Problem(409, "not-looked", LOOKED_NOT) from None
        return chain()

    def chain() -> Mapping[str, Any]:
        last, end = audit.last_check(), house.alerts.trail_end()
        facts = dict(last.facts) if last else {}
        return {
            "checked_at": iso(last.at if last else None),
            **{name: int(facts.get(name, "0")) for name in ("rows", "anchors", "broken")},
            "last_row": end.number if end else None,
            "chain": end.chain if end else "",
        }


def _of_tokens(door: ApiDoor, tokens: Tokens) -> None:
    right, house = Right.TOKENS, door.house

    def theirs(caller: Caller) -> list[ApiToken]:
        """Of their places, and with nothing that the asking one is not for itself."""
        held = set(caller.token.rights) if caller.token else {right.value for right in Right}
        return [one for one in tokens.of(caller.visitor) if held >= set(one.rights)]

    @door.read("/tokens", right, TokensShape, Duty.ADMIN)
    def list_tokens(caller: Caller) -> Mapping[str, Any]:
        """The tokens of your place that can do no more than yours; of none is told what opens by it."""
        told = [
            {
                "id": one.id,
                "name": one.name,
                "rights": list(one.rights),
                "place": one.place,
                "created_by": one.created_by,
                "created_at": iso(one.created_at),
                "expires_at": iso(one.expires_at),
                "last_used_at": iso(one.last_used_at),
                "revoked_at": iso(one.revoked_at),
            }
            for one in theirs(caller)
        ]
        return {"tokens": told}

    @door.act("/tokens", right, "token.make", MadeShape)
    def add_token(doing: Doing, said: TokenBody) -> Mapping[str, Any]:
        """Another token, with rights, place and days of which yours has each; its secret is told once."""
        maker, place = doing.caller.token, said.place.replace(WHOLE, "")
        assert maker is not None  # `Keys.may` lets nobody else act
        if not said.place:
            raise refused("Say for which place.", Field("place", 'is a grid, an area, or "*" for everywhere'))
        if said.place not in {code for code, _ in tokens.them.places(doing.visitor, doing.tongue)}:
            raise missing()
        if more := [one.value for one in said.rights if one.value not in maker.rights]:
            raise refused(f"This token is not for {more[0]!r} itself.", Field("rights", f"are some of {maker.rights}"))
        if doing.once.now + timedelta(days=said.days) > maker.expires_at:
            left = (maker.expires_at - doing.once.now).days
            raise refused("It would open for longer than this token does.", Field("days", f"are {left} at most"))
        # The same key makes the same token: of two requests, or of one that fell half-way, no second one is left.
        drawn = hmac.new(house.secret, f"token\n{maker.id}\n{doing.once.key}".encode(), hashlib.sha256).hexdigest()
        try:
            made, secret = make_token(
                house.accounts, doing.once.now, said.name, said.rights, place, said.days, doing.caller.name, drawn=drawn
            )
        except ValueError as why:
            raise refused(str(why), Field("name", "is 2 to 40 of a-z, 0-9 and -")) from why
        tokens.note(doing.visitor, "token.made", made)
        doing.hidden["secret"] = secret
        return {"id": made.id, "name": made.name, "expires_at": iso(made.expires_at), "secret": None}

    @door.act("/tokens/{token_id}/revoke", right, "token.revoke")
    def revoke_token(doing: Doing, token_id: str) -> Mapping[str, Any]:
        """A token, and each that was made by it, opens nothing any more."""
        if token_id not in {one.id for one in theirs(doing.caller)}:
            raise missing()
        gone = revoke(house.accounts, token_id, doing.once.now)
        if gone is not None:
            tokens.note(doing.visitor, "token.revoked", gone)
        return done(token_id)
