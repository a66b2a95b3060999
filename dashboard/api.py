"""The addresses of the interface for other programs, under `/api/v1`: what the pages show and do, as JSON.

Each says which right a token needs, and which duties may read it with a page's session. `docs/api.md` shows it in use,
and its examples are run by the tests.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from alerts import sla
from dashboard import shapes as shape
from dashboard.addresses import Addresses
from dashboard.answers import ActBody, Once, Told, aware, coverage, device
from dashboard.api_door import CONFLICT, PAGE, ApiDoor, Cursor, Key, Limit, Raw
from dashboard.keys import Caller, Right
from dashboard.pages import ON_DUTY, WITH_INSTALLERS
from dashboard.printer import FALLBACK_ZONE, tongue_of
from dashboard.problems import CODES, Problem
from gateway import sheets
from gateway.domain import Alert, Duty, Home, State

VERSION = "1"
LARGEST_SHEET = 8 * 2**20
LEADERS = (Duty.SUPERVISOR, Duty.ADMIN)
KEEPERS = (*LEADERS, Duty.INSTALLER)

ActName = Literal[
    "accept",
    "on-the-way",
    "on-site",
    "resolve",
    "hand-over",
    "cannot-go",
    "follow-up",
    "note",
    "family",
    "close",
]

ABOUT = (
    "What the pages show and do, for other programs. A token is made by the administrator (`shouwang token make`) and "
    "says what it is for, where, and until when; a home beyond its place answers 404, like one that does not exist. "
    "Lists come in pieces: give `next` back as `cursor` until it is null. Refusals are problem+json (RFC 9457)."
)


DOCUMENT = Path(__file__).with_name("openapi.json")
"""What `document` makes of the addresses: `scripts/openapi` writes it, and a test holds it to them. It is made of what
stands at their heads in the source, which the gateway does without while it runs."""


def homes(door: ApiDoor) -> None:
    """How the homes stand, what was seen in them, and what cannot be noticed there."""
    api, house = door.api, door.house

    @door.read("/homes", Right.HOMES, shape.HomesShape, *ON_DUTY)
    def list_homes(
        caller: Caller, grid: Annotated[str, Query(max_length=40)] = "", cursor: Cursor = "", limit: Limit = PAGE
    ) -> Mapping[str, Any]:
        """The homes of your place and how each stands, by id."""
        return api.homes(caller, grid, cursor, limit)

    @door.read("/homes/{home_id}", Right.HOMES, shape.HomeShape, *ON_DUTY, is_plain=True)
    def show_home(caller: Caller, home: Home) -> Mapping[str, Any]:
        """One home: how it stands, its last sign of life, since when it is not heard."""
        return api.state(home)

    @door.read("/homes/{home_id}/coverage", Right.HOMES, shape.CoverageShape, *WITH_INSTALLERS)
    def show_coverage(caller: Caller, home: Home) -> Mapping[str, Any]:
        """What this home cannot notice at present, in words and as data."""
        gaps = tuple(house.readings.gaps(home.id).get(home.id, ()))
        return coverage(home, gaps, house.readings.heard(home.id).get(home.id), house.clock.now())

    @door.read("/homes/{home_id}/devices", Right.HOMES, shape.DevicesShape, *WITH_INSTALLERS)
    def list_devices(caller: Caller, home: Home) -> Mapping[str, Any]:
        """Its devices: heard when, battery, link, what is wrong."""
        conditions = {condition.sensor: condition for condition in house.readings.conditions(home.id)}
        may = caller.token is None or Right.DAYS in caller.token.rights
        with_functions = may and caller.visitor.account.duty is not Duty.INSTALLER
        told = [device(s, conditions.get(s.id), with_functions=with_functions) for s in home.sensors]
        return {"home": home.id, "devices": told}

    @door.read("/homes/{home_id}/day", Right.DAYS, shape.DayShape, *ON_DUTY)
    def show_day(
        caller: Caller,
        home: Home,
        day: Annotated[str, Query(max_length=10, description="2026-03-15; nothing: the last 24 hours")] = "",
    ) -> Mapping[str, Any]:
        """What was seen in the home on one day, and when it was not heard."""
        return api.day(home, day)

    @door.read("/homes/{home_id}/contacts", Right.REGISTRY, shape.ContactsShape, *KEEPERS)
    def list_contacts(caller: Caller, home: Home) -> Mapping[str, Any]:
        """The people around the household, in the order in which they are called."""
        return api.contacts(home)


def routes(door: ApiDoor) -> Addresses:
    """Signed in as on the pages, or by a token; what is not theirs is not there. Hung up after all the others, for the
    document names them all."""
    router, api, pages, house = door.router, door.api, door.pages, door.house
    needs, who = door.needs, door.who

    Alerts = Annotated[Caller, who(Right.ALERTS, *WITH_INSTALLERS)]  # noqa: N806 (a type)
    Acting = Annotated[Caller, who(Right.ACT, *ON_DUTY)]  # noqa: N806
    Importing = Annotated[Caller, who(Right.IMPORT, Duty.ADMIN)]  # noqa: N806
    Exporting = Annotated[Caller, who(Right.EXPORT, Duty.ADMIN)]  # noqa: N806
    Anybody = Annotated[Caller, who(None, *WITH_INSTALLERS)]  # noqa: N806

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

    # ------------------------------------------------------------------ people, figures, what was not read

    @door.read("/people", Right.REGISTRY, shape.PeopleShape, *LEADERS)
    def list_people(caller: Caller, cursor: Cursor = "", limit: Limit = PAGE) -> Mapping[str, Any]:
        """Who lives in, stands around or works for the homes of your place, and for what each is called there."""
        return api.people(caller, cursor, limit)

    @door.read("/figures", Right.FIGURES, shape.FiguresShape, *ON_DUTY)
    def show_figures(
        caller: Caller, month: Annotated[str, Query(max_length=7, description="2026-03; nothing: this one")] = ""
    ) -> Mapping[str, Any]:
        """How fast people came, and how often a call was false, by grid."""
        return api.figures(caller, month or sla.month_of(house.clock.now(), FALLBACK_ZONE))

    @door.read("/quarantine", Right.REGISTRY, shape.QuarantineShape, Duty.ADMIN)
    def list_unread(caller: Caller) -> Mapping[str, Any]:
        """Messages that could not be read or belong to nobody, by topic and reason."""
        return api.unread(caller)

    # ------------------------------------------------------------------ the document, and all of the registry

    @router.get("/openapi.json", operation_id="showOpenApi", **needs(None, None))
    def show_document(caller: Anybody) -> Response:
        """This document."""
        return JSONResponse(json.loads(DOCUMENT.read_bytes()) | {"servers": [{"url": house.base_url}]})

    @router.get(
        "/registry.zip",
        operation_id="exportRegistry",
        **needs(Right.EXPORT, None, responses={200: {"description": "CSV tables", "content": {"application/zip": {}}}}),
    )
    def export(request: Request, caller: Exporting) -> Response:
        """Everything registered as CSV tables in one file. Who took it is written down."""
        door.whole(caller)
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
        """Register what these tables name, nothing while any of it is wrong: one TOML sheet, or CSV tables in a ZIP."""
        door.whole(caller)
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


def document(routes: Sequence[BaseRoute]) -> Mapping[str, Any]:
    """The OpenAPI document of these addresses, and of nothing else that is served."""
    from fastapi.openapi.utils import get_openapi

    made = get_openapi(title="Shouwang 守望", version=VERSION, description=ABOUT, routes=routes)
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
