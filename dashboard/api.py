"""The addresses of the interface for other programs, under `/api/v1`: what the pages show and do, as JSON.

Each says which right a token needs, and which duties may read it with a page's session. `docs/api.md` shows it in use,
and its examples are run by the tests.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Body, Depends, Header, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from alerts import sla
from dashboard import shapes as shape
from dashboard.answers import ActBody, Answers, Once, Told, aware, coverage, device
from dashboard.keys import Caller, Keys, Right
from dashboard.pages import ON_DUTY, WITH_INSTALLERS
from dashboard.printer import FALLBACK_ZONE, tongue_of
from dashboard.problems import CODES, MEDIA, Field, Problem
from gateway import sheets
from gateway.domain import Absence, Alert, Duty, Home, Scope, State
from gateway.registry import Registry

VERSION = "1"
PAGE, LARGEST_PAGE = 50, 200
LARGEST_SHEET = 8 * 2**20
LEADERS = (Duty.SUPERVISOR, Duty.ADMIN)
KEEPERS = (*LEADERS, Duty.INSTALLER)

ActName = Literal["accept", "on-the-way", "on-site", "resolve", "hand-over", "cannot-go", "follow-up", "note", "close"]

KEY = Header(
    alias="Idempotency-Key",
    min_length=8,
    max_length=80,
    pattern=r"^[!-~]+$",
    description="Chosen by you, another one for each act. The same key with the same body within 24 hours gives the "
    "same answer and acts once; with another body it is refused.",
)


@dataclass(frozen=True, kw_only=True)
class AbsenceBody:
    """Nobody is at home until then. Moments carry their offset from UTC."""

    kind: Absence
    until: datetime
    since: datetime | None = None
    why: Annotated[str, Body(max_length=300)] = ""
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class BackBody:
    """Somebody is at home again."""

    why: Annotated[str, Body(max_length=300)] = ""
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class PlanBody:
    """A line of the home's plan: what holds instead of the usual."""

    key: Annotated[str, Body(max_length=80)]
    value: Annotated[str, Body(max_length=80)]
    why: Annotated[str, Body(max_length=300)]
    since: datetime | None = None
    until: datetime | None = None
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class EndBody:
    """From now on this line does not hold any more."""

    key: Annotated[str, Body(max_length=80)]
    why: Annotated[str, Body(max_length=300)] = ""
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}


REFUSALS: Mapping[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}},
    }
    for status, (_, text) in CODES.items()
    if status not in (405, 503)
}
CONFLICT: Mapping[int | str, dict[str, Any]] = {
    409: {
        "description": "It was not done: somebody else has it, or it is over. `code` says which, `detail` in words.",
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}},
    }
}
ABOUT = (
    "What the pages show and do, for other programs. A token is made by the administrator (`shouwang token make`) and "
    "says what it is for, where, and until when; a home beyond its place answers 404, like one that does not exist. "
    "Lists come in pieces: give `next` back as `cursor` until it is null. Refusals are problem+json (RFC 9457)."
)


def routes(api: Answers, keys: Keys) -> APIRouter:
    """Signed in as on the pages, or by a token; what is not theirs is not there."""
    router = APIRouter(prefix="/api/v1")
    pages, house = api.pages, api.house

    def needs(right: Right | None, shown: type | None, **more: Any) -> dict[str, Any]:
        """What FastAPI and the OpenAPI document have to know of an address."""
        held = [right.value] if right else []
        return {
            "response_model": shown,
            "responses": dict(REFUSALS) | more.pop("responses", {}),
            "openapi_extra": {"security": [{"token": held}]} | more.pop("extra", {}),
            **more,
        }

    def who(right: Right | None, *duties: Duty) -> Any:
        return Depends(keys.may(right, *duties))

    async def raw_body(request: Request) -> bytes:
        raw = await request.body()
        if b"\\u0000" in raw:  # PostgreSQL keeps no text with it
            raise Problem(422, *CODES[422], Field("body", "holds the character U+0000, which no text of ours does"))
        return raw

    Homes = Annotated[Caller, who(Right.HOMES, *ON_DUTY)]  # noqa: N806 (a type)
    Devices = Annotated[Caller, who(Right.HOMES, *WITH_INSTALLERS)]  # noqa: N806
    Days = Annotated[Caller, who(Right.DAYS, *ON_DUTY)]  # noqa: N806
    Alerts = Annotated[Caller, who(Right.ALERTS, *WITH_INSTALLERS)]  # noqa: N806
    Acting = Annotated[Caller, who(Right.ACT, *ON_DUTY)]  # noqa: N806
    Planning = Annotated[Caller, who(Right.PLANS, *ON_DUTY)]  # noqa: N806
    Registered = Annotated[Caller, who(Right.REGISTRY, *LEADERS)]  # noqa: N806
    Contacts = Annotated[Caller, who(Right.REGISTRY, *KEEPERS)]  # noqa: N806
    Unread = Annotated[Caller, who(Right.REGISTRY, Duty.ADMIN)]  # noqa: N806
    Tests = Annotated[Caller, who(Right.REGISTRY, *ON_DUTY)]  # noqa: N806
    Figures = Annotated[Caller, who(Right.FIGURES, *ON_DUTY)]  # noqa: N806
    Importing = Annotated[Caller, who(Right.IMPORT, Duty.ADMIN)]  # noqa: N806
    Exporting = Annotated[Caller, who(Right.EXPORT, Duty.ADMIN)]  # noqa: N806
    Anybody = Annotated[Caller, who(None, *WITH_INSTALLERS)]  # noqa: N806
    Cursor = Annotated[str, Query(max_length=400, description="`next` of the piece before")]  # noqa: N806
    Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="how many in one piece")]  # noqa: N806
    Key = Annotated[str, KEY]  # noqa: N806
    Raw = Annotated[bytes, Depends(raw_body)]  # noqa: N806

    # ------------------------------------------------------------------ homes

    @router.get("/homes", operation_id="listHomes", **needs(Right.HOMES, shape.HomesShape))
    def list_homes(
        caller: Homes, grid: Annotated[str, Query(max_length=40)] = "", cursor: Cursor = "", limit: Limit = PAGE
    ) -> Response:
        """The homes of your place and how each stands, by id."""
        return JSONResponse(api.homes(caller, grid, cursor, limit))

    @router.get("/homes/{home_id}", operation_id="showHome", **needs(Right.HOMES, shape.HomeShape))
    def show_home(caller: Homes, home_id: str) -> Response:
        """One home: how it stands, its last sign of life, since when it is not heard."""
        return JSONResponse(api.standing([pages.home(caller.visitor, home_id)])[0])

    @router.get("/homes/{home_id}/coverage", operation_id="showCoverage", **needs(Right.HOMES, shape.CoverageShape))
    def show_coverage(caller: Devices, home_id: str) -> Response:
        """What this home cannot notice at present, in words and as data."""
        home, readings = pages.home(caller.visitor, home_id), house.readings
        gaps = tuple(readings.gaps(home.id).get(home.id, ()))
        return JSONResponse(coverage(home, gaps, readings.heard().get(home.id), house.clock.now()))

    @router.get("/homes/{home_id}/devices", operation_id="listDevices", **needs(Right.HOMES, shape.DevicesShape))
    def show_devices(caller: Devices, home_id: str) -> Response:
        """Its devices: heard when, battery, link, what is wrong."""
        home = pages.home(caller.visitor, home_id)
        conditions = {condition.sensor: condition for condition in house.readings.conditions(home.id)}
        may = caller.token is None or Right.DAYS in caller.token.rights
        with_functions = may and caller.visitor.account.duty is not Duty.INSTALLER
        told = [device(s, conditions.get(s.id), with_functions=with_functions) for s in home.sensors]
        return JSONResponse({"home": home.id, "devices": told})

    @router.get("/homes/{home_id}/day", operation_id="showDay", **needs(Right.DAYS, shape.DayShape))
    def show_day(
        caller: Days,
        home_id: str,
        day: Annotated[str, Query(max_length=10, description="2026-03-15; nothing: the last 24 hours")] = "",
    ) -> Response:
        """What was seen in the home on one day, and when it was not heard."""
        return JSONResponse(api.day(pages.home(caller.visitor, home_id), day))

    @router.get("/homes/{home_id}/plan", operation_id="showPlan", **needs(Right.HOMES, shape.PlanShape))
    def show_plan(caller: Homes, home_id: str) -> Response:
        """Absences, expected visits, silences and limits, of the home itself, its grid and its areas."""
        return JSONResponse(api.plan(pages.home(caller.visitor, home_id)))

    @router.get("/homes/{home_id}/contacts", operation_id="listContacts", **needs(Right.REGISTRY, shape.ContactsShape))
    def show_contacts(caller: Contacts, home_id: str) -> Response:
        """The people around the household, in the order in which they are called."""
        return JSONResponse(api.contacts(pages.home(caller.visitor, home_id)))

    # ------------------------------------------------------------------ acts on a home

    def plan_act(
        caller: Caller,
        request: Request,
        key: str,
        raw: bytes,
        home_id: str,
        what: str,
        do: Callable[[Registry, Home, datetime], object],
    ) -> Response:
        home = pages.home(caller.visitor, home_id)

        def act(once: Once) -> Told:
            return api.register(home, once, what, lambda registrar: do(registrar, home, once.now))

        return api.once(caller, request, key, raw, act)

    acts = {"responses": dict(CONFLICT)}

    @router.post(
        "/homes/{home_id}/absence", operation_id="declareAbsence", **needs(Right.PLANS, shape.DoneShape, **acts)
    )
    def declare_absence(
        request: Request, caller: Planning, home_id: str, said: AbsenceBody, key: Key, raw: Raw
    ) -> Response:
        """Nobody is at home until then: what can be explained by that calls nobody."""
        until, since = aware(said.until, "until"), aware(said.since, "since")
        return plan_act(
            caller,
            request,
            key,
            raw,
            home_id,
            "home.absence",
            lambda registrar, home, now: registrar.declare_absence(
                home.id, said.kind, until or now, since=since, why=said.why, who=caller.name, now=now
            ),
        )

    @router.post("/homes/{home_id}/back", operation_id="endAbsence", **needs(Right.PLANS, shape.DoneShape, **acts))
    def end_absence(request: Request, caller: Planning, home_id: str, said: BackBody, key: Key, raw: Raw) -> Response:
        """Somebody is at home again; also right when no absence holds."""
        return plan_act(
            caller,
            request,
            key,
            raw,
            home_id,
            "home.back",
            lambda registrar, home, now: registrar.end_absence(home.id, why=said.why, who=caller.name, now=now),
        )

    @router.post("/homes/{home_id}/plan", operation_id="planLine", **needs(Right.PLANS, shape.DoneShape, **acts))
    def put_line(request: Request, caller: Planning, home_id: str, said: PlanBody, key: Key, raw: Raw) -> Response:
        """Let another limit hold in this home, or switch a rule off ("off"); what always calls cannot be."""
        since, until = aware(said.since, "since"), aware(said.until, "until")
        return plan_act(
            caller,
            request,
            key,
            raw,
            home_id,
            "home.plan",
            lambda registrar, home, now: registrar.plan(
                home.id, said.key, said.value, since=since, until=until, why=said.why, who=caller.name, now=now
            ),
        )

    @router.post("/homes/{home_id}/plan/end", operation_id="endPlanLine", **needs(Right.PLANS, shape.DoneShape, **acts))
    def end_line(request: Request, caller: Planning, home_id: str, said: EndBody, key: Key, raw: Raw) -> Response:
        """From now on the usual holds again, or what the grid or the area says."""
        return plan_act(
            caller,
            request,
            key,
            raw,
            home_id,
            "home.plan-end",
            lambda registrar, home, now: registrar.end_plan(
                home.id, said.key, scope=Scope.HOME, why=said.why, who=caller.name, now=now
            ),
        )

    # ------------------------------------------------------------------ alerts

    @router.get("/alerts", operation_id="listAlerts", **needs(Right.ALERTS, shape.AlertsShape))
    def list_alerts(
        caller: Alerts,
        home: Annotated[str, Query(max_length=64)] = "",
        state: State | None = None,
        severity: Annotated[int | None, Query(ge=1, le=5, description="1 is an emergency")] = None,
        code: Annotated[str, Query(max_length=40)] = "",
        unclosed: Annotated[bool, Query(description="only what is neither closed nor cancelled, however old")] = False,
        since: Annotated[
            datetime | None, Query(description="raised then or later; 90 days where nothing is said")
        ] = None,
        until: Annotated[datetime | None, Query(description="raised before")] = None,
        cursor: Cursor = "",
        limit: Limit = PAGE,
    ) -> Response:
        """The alerts of your place, the newest first."""

        def wanted(alert: Alert) -> bool:
            return (
                (state is None or alert.state is state)
                and (severity is None or alert.severity.value == severity)
                and (not code or alert.code == code)
            )

        return JSONResponse(
            api.alerts(
                caller,
                home=home,
                wanted=wanted,
                unclosed=unclosed,
                since=aware(since, "since"),
                until=aware(until, "until"),
                cursor=cursor,
                limit=limit,
            )
        )

    @router.get(
        "/alerts/{alert_id:path}/timeline", operation_id="showTimeline", **needs(Right.ALERTS, shape.TimelineShape)
    )
    def show_timeline(caller: Alerts, alert_id: str) -> Response:
        """Everything about an alert: what was decided and done, and each message with how far it came.

        What sensors said stands in it for whoever is on duty, and for a token with `days:read`.
        """
        if caller.visitor.account.duty is Duty.INSTALLER:
            raise Problem(403, *CODES[403])
        return JSONResponse(api.timeline(caller, pages.alert(caller.visitor, alert_id)))

    @router.post(
        "/alerts/{alert_id:path}/{act}",
        operation_id="actOnAlert",
        **needs(Right.ACT, shape.DoneShape, responses=dict(CONFLICT)),
    )
    def act_on_alert(
        request: Request, caller: Acting, alert_id: str, act: ActName, said: ActBody, key: Key, raw: Raw
    ) -> Response:
        """What somebody does about an alert, in that person's name. Who comes second is told who has it (409)."""
        alert = pages.alert(caller.visitor, alert_id)
        return api.once(caller, request, key, raw, lambda once: api.act(caller, request, alert, act, said, once))

    # After the others below it, for its address swallows them.
    @router.get("/alerts/{alert_id:path}", operation_id="showAlert", **needs(Right.ALERTS, shape.AlertShape))
    def show_alert(caller: Alerts, alert_id: str) -> Response:
        """One alert as it stands. Its id holds slashes, as in h1/sos/20261121T143800Z; write them as they are."""
        return JSONResponse(api.alert(pages.alert(caller.visitor, alert_id)))

    # ------------------------------------------------------------------ people, drills, figures, what was not read

    @router.get("/people", operation_id="listPeople", **needs(Right.REGISTRY, shape.PeopleShape))
    def list_people(caller: Registered, cursor: Cursor = "", limit: Limit = PAGE) -> Response:
        """Who lives in, stands around or works for the homes of your place, and for what each is called there."""
        return JSONResponse(api.people(caller, cursor, limit))

    @router.get("/drills", operation_id="listDrills", **needs(Right.REGISTRY, shape.DrillsShape))
    def list_drills(caller: Tests) -> Response:
        """How each way to each responder and each emergency button did in its last test."""
        return JSONResponse(api.tests(caller))

    @router.get("/figures", operation_id="showFigures", **needs(Right.FIGURES, shape.FiguresShape))
    def show_figures(
        caller: Figures, month: Annotated[str, Query(max_length=7, description="2026-03; nothing: this one")] = ""
    ) -> Response:
        """How fast people came, and how often a call was false, by grid."""
        return JSONResponse(api.figures(caller, month or sla.month_of(house.clock.now(), FALLBACK_ZONE)))

    @router.get("/quarantine", operation_id="listUnread", **needs(Right.REGISTRY, shape.QuarantineShape))
    def list_unread(caller: Unread) -> Response:
        """Messages that could not be read or belong to nobody, by topic and reason."""
        return JSONResponse(api.unread(caller))

    # ------------------------------------------------------------------ the document, and all of the registry

    @router.get("/openapi.json", operation_id="showOpenApi", **needs(None, None))
    def show_document(caller: Anybody) -> Response:
        """This document."""
        return JSONResponse(document(router, house.base_url))

    def whole(caller: Caller) -> None:
        if not pages.covers(caller.visitor, ""):
            text = "Sheets hold the whole registry; that needs an account or a token for everywhere."
            raise Problem(403, "not-for-a-part", text)

    @router.get(
        "/registry.zip",
        operation_id="exportRegistry",
        **needs(Right.EXPORT, None, responses={200: {"description": "CSV tables", "content": {"application/zip": {}}}}),
    )
    def export(request: Request, caller: Exporting) -> Response:
        """Everything registered as CSV tables in one file. Who took it is written down."""
        whole(caller)
        now = house.clock.now()
        house.registrar.note_export(who=caller.name, now=now)
        content = sheets.write_zip(house.registry, now, tongue_of(request).language)
        return Response(content, media_type="application/zip")

    @router.post(
        "/registry",
        operation_id="importRegistry",
        max_body_size=LARGEST_SHEET,
        **needs(
            Right.IMPORT,
            shape.ImportShape,
            responses=dict(CONFLICT),
            extra={
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/toml": {"schema": {"type": "string"}},
                        "application/zip": {"schema": {"type": "string", "format": "binary"}},
                    },
                }
            },
        ),
    )
    def import_sheets(
        request: Request,
        caller: Importing,
        key: Key,
        raw: Raw,
        check: Annotated[bool, Query(description="change nothing; only say what would be")] = False,
    ) -> Response:
        """Register what these tables name, all of it or nothing: one TOML sheet, or CSV tables in a ZIP."""
        whole(caller)
        name = "sheet.zip" if raw[:2] == b"PK" else "sheet.toml"

        def told(changes: sheets.Changes) -> Mapping[str, Any]:
            said = changes.summary().say(tongue_of(request).language)
            return {"said": said, "changed": bool(changes), "homes": sorted(changes.touched)}

        def act(once: Once) -> Told:
            registrar, files, now = house.registrar, {name: raw}, once.now
            body = told(registrar.import_files(files, who=caller.name, now=now, only_check=True))
            if not check:
                registrar = registrar.beside(lambda ledger: once.keep(ledger, "registry.import", "registry", 200, body))
                registrar.import_files(files, who=caller.name, now=now)
            return 200, body

        return api.once(caller, request, key, raw, act)

    return router


PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request was not done (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail", "fields"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "what a program can act on"},
        "detail": {"type": "string", "description": "what was wrong, and what would be right"},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "detail"],
                "properties": {"name": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def document(router: APIRouter, base_url: str) -> Mapping[str, Any]:
    """The OpenAPI document of these addresses, and of nothing else that is served."""
    made = get_openapi(
        title="Shouwang 守望",
        version=VERSION,
        description=ABOUT,
        routes=router.routes,
        servers=[{"url": base_url}],
    )
    parts = made["components"]
    parts["schemas"].pop("HTTPValidationError", None)
    parts["schemas"].pop("ValidationError", None)
    parts["schemas"]["ProblemShape"] = PROBLEM
    parts["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "`sw_…`, made by `shouwang token make`. What stands beside it is the right it needs: "
            + ", ".join(right.value for right in Right),
        }
    }
    return made
