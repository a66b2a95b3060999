"""What other programs may ask for, as JSON: what a home cannot see, and how its devices are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from alerts import wording
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.pages import WITH_INSTALLERS, Pages
from gateway.domain import Condition, Duty, Gap, Home, Sensor
from gateway.locales import LANGUAGES


def coverage(home: Home, gaps: tuple[Gap, ...], heard: datetime | None, now: datetime) -> Mapping[str, Any]:
    """The coverage statement: in words, in every language, and the same as data."""
    return {
        "home": home.id,
        "state": home.state.value,
        "complete": not gaps,
        "blind": any(gap.why != "sensor_missing" for gap in gaps),
        "heard": _iso(heard),
        "learning_until": _iso(home.trial_until),
        "statement": {language: wording.say_coverage(gaps, home, language, now) for language in LANGUAGES},
        "gaps": [
            {"what": gap.what, "why": gap.why, "since": _iso(gap.since), "room": gap.room, "sensor": gap.sensor}
            for gap in gaps
        ],
    }


def device(sensor: Sensor, condition: Condition | None, *, with_functions: bool) -> Mapping[str, Any]:
    """How one device is. When each of its functions last spoke tells of somebody's day, and is not for everybody."""
    told: dict[str, Any] = {
        "sensor": sensor.id,
        "name": sensor.name,
        "room": sensor.room,
        "role": sensor.role.value,
        "model": sensor.model,
        "power": sensor.power.value,
        "heard": _iso(condition.heard) if condition else None,
        "battery": condition.battery if condition else None,
        "empty_at": _iso(condition.empty_at) if condition else None,
        "link": condition.link if condition else None,
        "faults": list(condition.faults) if condition else [],
    }
    if with_functions:
        told["functions"] = {kind.value: _iso(at) for kind, at in condition.functions} if condition else {}
    return told


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def routes(pages: Pages, doors: Doors) -> APIRouter:
    """Signed in as on the pages; a home that is not theirs is not there."""
    router = APIRouter(prefix="/api/v1")
    readings = pages.house.readings
    SignedIn = Annotated[Visitor, Depends(doors.signed_in(*WITH_INSTALLERS))]  # noqa: N806 (a type)

    @router.get("/homes/{home_id}/coverage")
    def show_coverage(visitor: SignedIn, home_id: str) -> Response:
        home = pages.home(visitor, home_id)
        gaps = tuple(readings.gaps(home.id).get(home.id, ()))
        return JSONResponse(coverage(home, gaps, readings.heard().get(home.id), pages.house.clock.now()))

    @router.get("/homes/{home_id}/devices")
    def show_devices(visitor: SignedIn, home_id: str) -> Response:
        home = pages.home(visitor, home_id)
        conditions = {condition.sensor: condition for condition in readings.conditions(home.id)}
        with_functions = visitor.account.duty is not Duty.INSTALLER
        told = [device(s, conditions.get(s.id), with_functions=with_functions) for s in home.sensors]
        return JSONResponse({"home": home.id, "devices": told})

    return router
