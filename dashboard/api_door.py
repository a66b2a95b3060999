"""How an address of the interface for other programs is made: who may, in which shape, and that an act is done once.

An address is one function with a docstring. What stands in its path it is given: a `home` of the caller's place (a home
beyond it answers 404, like one that does not exist), the rest by name; `said` is the body. The addresses themselves
stand in `api.py` and `api_*.py`.
"""

import asyncio
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

from fastapi import Body, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response

from alerts.desk import Desk
from dashboard import shapes as shape
from dashboard.addresses import Addresses
from dashboard.answers import Answers, Once, Told
from dashboard.auth import Visitor
from dashboard.house import House
from dashboard.keys import Caller, Keys, Right
from dashboard.printer import tongue_of
from dashboard.problems import CODES, MEDIA, Field, Problem
from dashboard.words import Tongue
from gateway.domain import Duty, Home
from gateway.ports import Trail
from gateway.registry import Registry

# FastAPI silences this one of its own while it learns an address; in a thread beside others that does not hold.
warnings.filterwarnings("ignore", message="The 'alias' attribute with value")

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R", bound="Housed")

PAGE, LARGEST_PAGE = 50, 200

WAIT_S, WAITS_AT_MOST = 0.001, 20
"""How long somebody who asks waits while the road is busy, and how often."""

READERS = 2
"""So many answers are worked out at a time, for all programs together: with each more the road, which shares the
interpreter with them, would wait longer for its turn, and with it a press."""

Cursor = Annotated[str, Query(max_length=400, description="`next` of the piece before")]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="how many in one piece")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=80,
        pattern=r"^[!-~]+$",
        description="Chosen by you, another one for each act. The same key with the same body within 24 hours gives "
        "the same answer and acts once; with another body it is refused.",
    ),
]
Name = Annotated[str, Body(max_length=80)]
Why = Annotated[str, Body(max_length=300)]

_PROBLEM = {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}}
REFUSALS: Mapping[int | str, dict[str, Any]] = {
    status: {"description": text, "content": _PROBLEM}
    for status, (_, text) in CODES.items()
    if status not in (405, 503)
}
CONFLICT: Mapping[int | str, dict[str, Any]] = {
    409: {
        "description": "It was not done: somebody else has it, or it is over. `code` says which, `detail` in words.",
        "content": _PROBLEM,
    }
}


class Said:
    """A body: what it does not know is refused by its name, for a misspelt field would be lost without a word."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}


async def _raw_body(request: Request) -> bytes:
    raw = await request.body()
    if b"\\u0000" in raw:  # PostgreSQL keeps no text with it
        raise Problem(422, *CODES[422], Field("body", "holds the character U+0000, which no text of ours does"))
    return raw


Raw = Annotated[bytes, Depends(_raw_body)]


class Housed(Protocol):
    """A room of the pages: what it needs of the stores, it has of its house."""

    house: House


@dataclass(frozen=True, slots=True)
class Plain:
    """An address that shows something of a home, asks for nothing else, and is answered in no time."""

    right: Right
    do: Callable[[Caller, Home], Mapping[str, Any]]


@dataclass(slots=True)
class Doing:
    """One act of a program, while it is done."""

    house: House
    caller: Caller
    once: Once
    tongue: Tongue
    what: str  # as the audit trail calls it, behind "api."
    home: Home | None
    raw: bytes = b""  # what was sent, where that is no JSON
    hidden: dict[str, Any] = field(default_factory=dict)
    """What is told with the first answer and kept nowhere: a secret, a link. Who asks again is told null."""
    told: Mapping[str, Any] | None = None  # the answer, once it is kept

    @property
    def visitor(self) -> Visitor:
        return self.caller.visitor

    @property
    def by(self) -> dict[str, Any]:
        """Who does it and when, as the use-cases want to know."""
        return {"who": self.caller.name, "now": self.once.now}

    def keep(self, ledger: Trail, ref: str = "", body: Mapping[str, Any] | None = None) -> None:
        """The act's answer, with its line of the audit trail, into the transaction of the act."""
        ref = ref or (self.home.id if self.home else "")
        self.told = body or done(ref, self.home)
        self.once.keep(ledger, self.what, ref, 200, self.told, home=self.home.id if self.home else "")

    def registrar(self, ref: str = "", body: Mapping[str, Any] | None = None) -> Registry:
        """The registrar for an act that is one transaction: what it changes and the answer become durable together."""
        return self.house.registrar.beside(lambda ledger: self.keep(ledger, ref, body))

    def desk(self, ref: str) -> Desk:
        """The same for what is decided at the desk."""
        body = done(ref, self.home)
        return self.house.desk.beside(lambda ledger, _: self.keep(ledger, ref, body))

    def last_of(self, room: R) -> R:
        """The same room for an act of which one transaction with the registrar is all, or the last: the answer becomes
        durable with it."""
        other = copy(room)
        other.house = replace(self.house, registrar=self.registrar())
        return other


def done(ref: str, home: Home | None = None) -> Mapping[str, Any]:
    return {"done": True, "reason": "done", "ref": ref, "state": home.state.value if home else ""}


def refused(sentence: str, *fields: Field) -> Problem:
    """What the registry or a page would have said to somebody who filled in a form."""
    return Problem(422, "refused", sentence, *fields)


def missing() -> Problem:
    """The same whether it does not exist or lies beyond the caller's place."""
    return Problem(404, *CODES[404])


class ApiDoor:
    """Where the addresses of the interface are hung up: by each of `rooms`, in their order."""

    def __init__(self, api: Answers, keys: Keys, *rooms: "Callable[[ApiDoor], object]") -> None:
        self.api = api
        self.house = api.house
        self.pages = api.pages
        self.router = Addresses("/api/v1")
        self.keys = keys
        self._giving_way: asyncio.Task[None] | None = None
        self.plain: dict[str, Plain] = {}  # by what stands behind the home in its path
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="programs")
        for hang_up in rooms:
            hang_up(self)

    async def give_way(self) -> None:
        """While something is on the road whoever asks waits for it, all of them together, but not for ever."""
        if self.house.is_busy():
            if self._giving_way is None or self._giving_way.done():
                self._giving_way = asyncio.create_task(self._until_free())
            await asyncio.shield(self._giving_way)  # who hangs up in the meantime leaves the others waiting

    async def _until_free(self) -> None:
        for _ in range(WAITS_AT_MOST):
            await asyncio.sleep(WAIT_S)
            if not self.house.is_busy():
                return

    async def ask_who(self, request: Request) -> None:
        """Of a request that cannot be read: whoever may not come in is told that, and no more."""
        check = getattr(request.scope.get("endpoint"), "check", None)
        if check is not None:  # else it was asked before anything was read
            await asyncio.get_running_loop().run_in_executor(self._readers, check, request)

    def needs(self, right: Right | None, shown: type | None, **more: Any) -> dict[str, Any]:
        """What FastAPI and the OpenAPI document have to know of an address."""
        held = [right.value] if right else []
        return {
            "response_model": shown,
            "responses": dict(REFUSALS) | more.pop("responses", {}),
            "openapi_extra": {"security": [{"token": held}]} | more.pop("extra", {}),
            **more,
        }

    def who(self, right: Right | None, *duties: Duty) -> Any:
        return Depends(self.keys.may(right, *duties))

    def whole(self, caller: Caller) -> None:
        """Refuse a token or an account that is not for everywhere."""
        if not self.pages.covers(caller.visitor, ""):
            raise Problem(
                403, "not-for-a-part", "This is of all there is; it needs an account or token for everywhere."
            )

    def somebody(self, caller: Caller, person: str) -> str:
        """Refuse a name that is nobody's of the caller's homes and grids: a program acts for people it stands for."""
        if person not in {one.id for one in self.pages.people(caller.visitor)}:
            text = "This is done by somebody: name who it is, by an id that `/api/v1/people` lists."
            raise Problem(
                422, "no-such-person", text, Field("person", "is nobody of the homes and grids of this token")
            )
        return person

    def read(
        self,
        path: str,
        right: Right,
        shown: type | None,
        *duties: Duty,
        gives: Sequence[str] = (),
        is_plain: bool = False,
        **more: Any,
    ) -> Callable[[F], F]:
        """An address that shows something; the function returns what is shown, or a file of a sort that it `gives`.
        One that `is_plain` is answered at the hatch too (`dashboard.api_hatch`)."""
        check = self.keys.may(right, *duties)

        if gives:
            more["responses"] = {200: {"description": "A file.", "content": {sort: {} for sort in gives}}}

        def add(do: F) -> F:
            is_asked_for = "request" in inspect.signature(do).parameters

            async def endpoint(**given: Any) -> Response:
                request = given["request"] if is_asked_for else given.pop("request")

                def answer() -> Response:
                    caller = check(request)
                    home = self._home(caller, given)
                    told = do(caller, *home, **given)
                    return told if isinstance(told, Response) else JSONResponse(told)

                await self.give_way()
                return await asyncio.get_running_loop().run_in_executor(self._readers, answer)

            endpoint.check = check  # type: ignore[attr-defined]
            self._hang("GET", path, do, endpoint, {"request": Request}, self.needs(right, shown, **more))
            if is_plain:
                self.plain[path.removeprefix("/homes/{home_id}").removeprefix("/")] = Plain(right, do)
            return do

        return add

    def act(
        self,
        path: str,
        right: Right,
        what: str,
        shown: type = shape.DoneShape,
        *,
        takes: Sequence[str] = (),
        largest: int = 0,
    ) -> Callable[[F], F]:
        """An address that does something, once for each key; the function returns the answer, or nothing where it is
        the usual one. `what` is its name in the audit trail, behind "api."; `takes` are the sorts of file that are sent
        in place of JSON, of `largest` bytes at most."""
        file = {"content": {sort: {"schema": {"type": "string", "format": "binary"}} for sort in takes}}
        about: dict[str, Any] = {"responses": dict(CONFLICT)}
        if takes:
            about |= {"extra": {"requestBody": {"required": True, **file}}, "max_body_size": 2 * largest}

        def add(do: F) -> F:
            def endpoint(**given: Any) -> Response:
                caller, request = given.pop("caller"), given.pop("request")
                key, raw = given.pop("key"), given.pop("raw")
                if takes and len(raw) > largest:  # what is larger by far is not read at all, and refused more curtly
                    raise Problem(413, *CODES[413], Field("body", f"is of {largest} bytes at most"))
                home = self._home(caller, given)

                def act(once: Once) -> Told:
                    doing = Doing(self.house, caller, once, tongue_of(request), what, home[0] if home else None, raw)
                    body = do(doing, *home, **given) or doing.told or done(home[0].id if home else "", *home)
                    if not once.is_kept:  # an act of several steps: each of them is the same when it is done again
                        kept = {**body, **dict.fromkeys(doing.hidden)}
                        once.keep_alone(lambda ledger: doing.keep(ledger, body.get("ref", ""), kept))
                    return 200, {**body, **doing.hidden}

                return self.api.once(caller, request, key, raw, act)

            more = {"request": Request, "caller": self._caller(right, *Duty), "key": Key, "raw": Raw}
            self._hang("POST", path, do, endpoint, more, self.needs(right, shown, **about))
            return do

        return add

    def _caller(self, right: Right, *duties: Duty) -> Any:
        return Annotated[Caller, self.who(right, *duties)]

    def _home(self, caller: Caller, given: dict[str, Any]) -> list[Home]:
        return [self.pages.home(caller.visitor, given.pop("home_id"))] if "home_id" in given else []

    def _hang(
        self,
        verb: str,
        path: str,
        do: Callable[..., Any],
        endpoint: Any,
        more: Mapping[str, Any],
        declared: Mapping[str, Any],
    ) -> None:
        """FastAPI reads from an endpoint's signature what to take from where: it is that of the function, with what
        every address has."""
        _, *own = inspect.signature(do, eval_str=True).parameters.values()
        if own and own[0].annotation is Home:
            own[0] = own[0].replace(name="home_id", annotation=str)
        keyword = inspect.Parameter.KEYWORD_ONLY
        fixed = [inspect.Parameter(name, keyword, annotation=kind) for name, kind in more.items()]
        given = [one.replace(kind=keyword) for one in own if one.name not in more]
        endpoint.__signature__ = inspect.Signature([*fixed, *given])
        endpoint.__name__, endpoint.__doc__ = do.__name__, do.__doc__
        first, *rest = do.__name__.split("_")
        self.router.add_api_route(
            path, endpoint, methods=[verb], operation_id=first + "".join(map(str.title, rest)), **declared
        )
