"""Every address × every verb × every role × what is theirs, what is somebody else's, and what does not exist.

The table says who may use an address; a new address that does not stand in it fails here first. What is not theirs must
answer exactly like what does not exist, name nothing from beyond the wall, and change nothing there.
"""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from walled_house import ROLES, STRANGE, STRANGE_ID, Visitor, Walled, guarded

from dashboard.live import Feed
from dashboard.pages import Pages
from dashboard.printer import Printer

E, F, V, W, D, I, S, A = (  # noqa: E741
    {"elder"},
    {"family"},
    {"volunteer"},
    {"worker"},
    {"deputy"},
    {"installer"},
    {"supervisor"},
    {"admin", "local admin"},
)
CHIEF = {"admin"}
"""Whoever keeps all of it, and not one area."""
ON_DUTY = W | D | S | A
DEALING = ON_DUTY | I
LEADS = S | A
KEEPS = I | S | A
INSTALLS = I | A
PLANS = DEALING | F
ALL = DEALING | E | F | V
OPEN = {
    "GET /login",
    "POST /login",
    "POST /login/figures",
    "GET /setup/{token}",
    "POST /setup/{token}",
    "GET /join/{token}",
    "POST /join/{token}",
    "GET /enter/{token}",
    "POST /enter/{token}",
    "GET /language/{language}",
    "POST /language/{language}",
    "GET /healthz",
    "GET /worker.js",
    "GET /manifest/{language}.webmanifest",
    "GET /offline",
    "GET /metrics",
    # what a link, a doorplate or a provider's key opens by itself
    "GET /a/{token}",
    "GET /a/{token}/events",
    "GET /a/{token}/card",
    "POST /a/{token}/card",
    "GET /a/{token}/photos/{name}",
    "POST /a/{token}/photo",
    "POST /a/{token}/{act}",
    "GET /d/{token}",
    "POST /d/{token}",
    "POST /in/signed",
    "POST /in/{door}/{key}",
}
"""Answered without signing in; none of them shows anything of a home to whoever holds no link."""


@dataclass(frozen=True)
class May:
    """Who may, with what a form must hold to be meant, and how what is theirs answers."""

    who: set[str]
    form: dict[str, Any] | None = None
    query: str = ""
    answers: frozenset[int] = frozenset({200, 204, 303})


def may(who: set[str], query: str = "", *, answers: set[int] | None = None, **form: Any) -> May:
    return May(who, form, query, frozenset(answers or {200, 204, 303}))


ROUTES: dict[str, May] = {
    # ------------------------------------------------------------------ everybody, about themselves
    "GET /": may(ALL),
    "GET /account": may(ALL),
    "POST /account/figures": may(ALL, password="wrong", answers={422}),
    "POST /account/figures/begin": may(ALL, salt="123456789", given="000000", answers={422}),
    "POST /account/figures/end": may(ALL, password="wrong", answers={422}),
    "POST /account/password": may(ALL, current="wrong", password="x" * 12, again="x" * 12, answers={422}),
    "GET /device": may(ALL),
    "GET /device/me": may(ALL),
    "POST /device/push": may(ALL, subscription="{}", answers={422}),
    "POST /device/push/off": may(ALL),
    # ------------------------------------------------------------------ families and residents
    "GET /family": may(F),
    "GET /family/{home_id}": may(F),
    "GET /family/{home_id}/timeline": may(F),
    "GET /family/{home_id}/events": may(F, answers={503}),
    "POST /family/{home_id}/alerts/{alert_id:path}": may(F, word="mine", answers={200, 303, 422}),
    "GET /me": may(E),
    "GET /me/looks": may(E),
    "POST /me/show": may(E, viewer="wei", look="see_calm"),
    "POST /me/pause": may(E, hours="1"),
    "POST /me/resume": may(E),
    "POST /me/unwatched": may(E, hours="1"),
    "POST /me/watched": may(E),
    # ------------------------------------------------------------------ homes, alerts
    "GET /homes/{home_id}": may(ON_DUTY),
    "GET /homes/{home_id}/who": may(ON_DUTY),
    "GET /homes/{home_id}/days": may(ON_DUTY),
    "GET /homes/{home_id}/devices": may(DEALING),
    "GET /today": may(ON_DUTY),
    "GET /homes/{home_id}/visit": may(ON_DUTY),
    "POST /homes/{home_id}/visit": may(ON_DUTY, elder="well"),
    "POST /door": may(ON_DUTY, code="no code", answers={404}),
    "GET /ringing": may(ON_DUTY),
    "GET /clocks": may(ON_DUTY),
    "GET /figures": may(ON_DUTY),
    "GET /figures.csv": may(ON_DUTY),
    "GET /figures.xlsx": may(ON_DUTY),
    "GET /events": may(DEALING, "?ref={alert_id}", answers={404, 503}),  # nobody reads the table in this test
    "GET /quarantine": may(A),
    "GET /alerts/{alert_id:path}": may(ON_DUTY | I, answers={200, 404}),  # an installer sees equipment only
    "GET /alerts/{alert_id:path}/card": may(ON_DUTY, answers={200, 403}),
    "POST /alerts/{alert_id:path}/card": may(ON_DUTY, why="看病史", answers={200, 303, 403}),
    "GET /alerts/{alert_id:path}/timeline": may(ON_DUTY),
    "GET /api/v1/alerts": may(DEALING, "?home={home_id}", answers={200, 404}),
    "GET /api/v1/alerts/{alert_id:path}": may(DEALING, answers={200, 404}),
    "GET /api/v1/alerts/{alert_id:path}/timeline": may(ON_DUTY),
    "GET /alerts/{alert_id:path}/photos/{name}": may(DEALING, answers={404}),
    "POST /alerts/{alert_id:path}/photo": may(DEALING, answers={200, 303, 404, 422}),
    "POST /alerts/{alert_id:path}/{act}": may(DEALING, answers={200, 303, 404, 409}),
    "GET /api/v1/homes": may(ON_DUTY),
    "GET /api/v1/homes/{home_id}": may(ON_DUTY),
    "GET /api/v1/homes/{home_id}/coverage": may(DEALING),
    "GET /api/v1/homes/{home_id}/devices": may(DEALING),
    "GET /api/v1/homes/{home_id}/day": may(ON_DUTY),
    "GET /api/v1/homes/{home_id}/plan": may(ON_DUTY),
    "GET /api/v1/homes/{home_id}/contacts": may(KEEPS),
    "GET /api/v1/homes/{home_id}/installation": may(INSTALLS),
    "GET /api/v1/homes/{home_id}/inbox": may(INSTALLS),
    "GET /api/v1/homes/{home_id}/walk": may(INSTALLS),
    "GET /api/v1/homes/{home_id}/consent": may(INSTALLS),
    "GET /api/v1/homes/{home_id}/records": may(INSTALLS),
    "GET /api/v1/homes/{home_id}/profile": may(KEEPS),
    "GET /api/v1/homes/{home_id}/health": may(KEEPS),
    "GET /api/v1/homes/{home_id}/consents": may(KEEPS),
    "GET /api/v1/homes/{home_id}/who": may(ON_DUTY),
    "GET /api/v1/places/{code}/plan": may(LEADS),
    "GET /api/v1/rota": may(LEADS),
    "GET /api/v1/rota/{code}": may(LEADS),
    "GET /api/v1/accounts": may(LEADS),
    "GET /api/v1/homes/{home_id}/visits": may(ON_DUTY),
    "GET /api/v1/visits": may(ON_DUTY),
    "GET /api/v1/alerts/{alert_id:path}/photos": may(ON_DUTY),
    "GET /api/v1/alerts/{alert_id:path}/photos/{name}": may(ON_DUTY, answers={404}),
    "GET /api/v1/alerts/{alert_id:path}/card": may(ON_DUTY, answers={200, 403}),
    "GET /api/v1/homes/{home_id}/photos": may(INSTALLS),
    "GET /api/v1/homes/{home_id}/photos/{name}": may(INSTALLS, answers={404}),
    "GET /api/v1/homes/{home_id}/looks": may(KEEPS),
    "GET /api/v1/homes/{home_id}/sharing": may(KEEPS),
    "GET /api/v1/homes/{home_id}/copy.zip": may(A, answers={404}),  # nothing hands copies out here
    "GET /api/v1/homes/{home_id}/erasure": may(A, answers={404}),
    "GET /api/v1/glass": may(LEADS),
    "GET /api/v1/retention": may(A),
    "GET /api/v1/audit": may(A, "?about={home_id}"),
    "GET /api/v1/audit/chain": may(CHIEF),
    "GET /api/v1/machine/health": may(CHIEF),
    "GET /api/v1/machine/checkup": may(CHIEF),
    "GET /api/v1/machine/backups": may(CHIEF),
    "GET /api/v1/tokens": may(A),
    "GET /api/v1/people": may(LEADS),
    "GET /api/v1/people/{person_id}": may(LEADS),
    "GET /api/v1/places": may(LEADS),
    "GET /api/v1/drills": may(ON_DUTY),
    "GET /api/v1/figures": may(ON_DUTY),
    "GET /api/v1/quarantine": may(A),
    "GET /api/v1/openapi.json": may(DEALING),
    "GET /api/v1/registry.zip": may(A, answers={200, 403}),
    "GET /door/{token}": may(ALL, answers={303, 404, 410, 403}),
    # ------------------------------------------------------------------ plans
    "GET /plans": may(F),
    "GET /plans/{scope}/{place}": may(PLANS),
    "POST /plans/home/{place}/absence": may(PLANS, kind="holiday", day="2026-11-25", clock="12:00"),
    "POST /plans/home/{place}/back": may(PLANS),
    "POST /plans/home/{place}/visit": may(PLANS, begins="10:00", ends="12:00", on="mon", why="女儿来"),
    "POST /plans/{scope}/{place}/set": may(ON_DUTY, key="risk", value="yes", why="x", answers={303, 422}),
    "POST /plans/{scope}/{place}/silence": may(ON_DUTY, hours="1", codes="inactivity", why="x", answers={303, 422}),
    "POST /plans/{scope}/{place}/end": may(PLANS, key="absence", answers={303, 422}),
    # ------------------------------------------------------------------ the duty sheet, drills
    "GET /rota": may(LEADS),
    "GET /rota/{code}": may(LEADS, "?pick={shift}"),
    "POST /rota/{code}/swap": may(LEADS, one="{shift}", other="{shift}", answers={200, 303, 404, 422}),
    "POST /rota/{code}/stand-in": may(LEADS, one="{shift}", person="{person}", answers={200, 303, 404, 422}),
    "POST /rota/{code}/shifts": may(
        LEADS,
        person="{worker}",
        duty="grid_worker",
        begins="08:00",
        ends="20:00",
        day="1",
        first="2026-12-01",
        answers={303},
    ),
    "POST /rota/{code}/shifts/end": may(LEADS, shift="{shift_id}"),
    "POST /rota/{code}/leave": may(LEADS, person="{worker}", first="2026-12-01", last="2026-12-02"),
    "POST /rota/{code}/leave/end": may(LEADS, person="{worker}"),
    "POST /rota/{code}/holiday": may(LEADS, day="2026-12-25", counts_as="7"),
    "GET /drills": may(ON_DUTY),
    "POST /drills/people/{person_id}": may(LEADS),
    "POST /drills/homes/{home_id}": may(ON_DUTY),
    # ------------------------------------------------------------------ whoever answers for an area
    "GET /overview": may(LEADS),
    "GET /overview/{place}": may(LEADS),
    "GET /overview/{place}/parts.csv": may(LEADS),
    "GET /overview/{place}/parts.xlsx": may(LEADS),
    "GET /overview/{place}/weeks": may(LEADS),
    "GET /month/{place}/{month}": may(LEADS),
    "GET /month/{place}/{month}.xlsx": may(LEADS),
    "GET /map": may(LEADS),
    "GET /map/{place}": may(LEADS),
    "GET /glass/break": may(ON_DUTY),
    "POST /glass/break": may(ON_DUTY, code="A-1", why="x", answers={303, 422}),
    "GET /glass": may(LEADS),
    "POST /glass": may(LEADS, opening="{alert_id}", verdict="x", answers={303, 422}),
    "GET /board": may(KEEPS),
    "GET /board/route": may(KEEPS),
    "POST /board/homes/{home_id}/guard": may(KEEPS),
    "GET /administration": may(LEADS),
    "GET /administration/places": may(LEADS),
    "POST /administration/places": may(A, around="{area}", code="g7", name="新网格", level="grid"),
    "GET /administration/places/{code}": may(LEADS),
    "POST /administration/places/{code}": may(A, name="一网格", around="{area}"),
    "POST /administration/places/{code}/close": may(A, into="{grid}", why="x", answers={422}),
    "GET /administration/people": may(LEADS),
    "POST /administration/people": may(
        LEADS, name="新人", phone="13711110000", id="newcomer", duty="deputy", place="{grid}"
    ),
    "GET /administration/people/{person_id}": may(LEADS),
    "POST /administration/people/{person_id}": may(LEADS, name="刘网格员", phone=["13700009999"], language="zh"),
    "POST /administration/people/{person_id}/duties": may(LEADS, duty="deputy", place="{grid}"),
    "POST /administration/people/{person_id}/duties/end": may(LEADS, duty="deputy", place="{grid}"),
    "POST /administration/people/{person_id}/ways": may(LEADS, channel="email", where="liu@example.org"),
    "POST /administration/people/{person_id}/ways/up": may(LEADS, way="email"),
    "POST /administration/people/{person_id}/ways/remove": may(LEADS, way="email"),
    "POST /administration/people/{person_id}/leave": may(LEADS, first="2026-12-01"),
    "POST /administration/people/{person_id}/leave/end": may(LEADS),
    "GET /administration/alerts": may(LEADS, "?place={grid}"),
    "GET /administration/alerts/{code}/{alert}": may(LEADS),
    "POST /administration/alerts/{code}/{alert}": may(LEADS, number="severity", value="2", why="木地板"),
    "POST /administration/alerts/{code}/{alert}/reset": may(LEADS, number="ack", why="x", answers={422}),
    "GET /administration/channels": may(LEADS, "?channel=console&person={person_id}"),
    "POST /administration/channels/{channel}/test": may(LEADS, person="{person_id}", answers={303, 422}),
    "GET /accounts": may(LEADS),
    "POST /accounts/invite": may(LEADS, name="某某", login="new", duty="grid_worker", place="{grid}"),
    "POST /accounts/invitations/withdraw": may(LEADS, login="new"),
    "GET /administration/audit": may(A, "?about={home_id}"),
    "GET /administration/audit.csv": may(A, "?about={home_id}"),
    "POST /administration/audit/check": may(CHIEF),
    "GET /administration/retention": may(A),
    "POST /administration/retention/keep": may(
        A, code="{code}", kind="keep_readings", days="60", why="x", answers={303, 422}
    ),
    "POST /administration/retention/end": may(A, home="{home_id}", kind="keep_readings", answers={303, 422}),
    "GET /administration/backup": may(CHIEF),
    "POST /administration/backup/copy": may(CHIEF),
    "GET /administration/health": may(CHIEF),
    "GET /administration/health/checkup": may(CHIEF),
    "GET /tokens": may(A),
    "POST /tokens/make": may(A, name="city", right="alerts:read", place="{area}"),
    "POST /tokens/revoke": may(A, token="{key}", answers={404}),
    "GET /accounts/homes/{home_id}": may(LEADS),
    "POST /accounts/homes/{home_id}/invite": may(LEADS, person="{kin}", duty="family"),
    "GET /accounts/one": may(LEADS, "?login={login}"),
    "POST /accounts/one/reset": may(LEADS, login="{login}"),
    "POST /accounts/one/sign-out": may(LEADS, login="{login}"),
    "POST /accounts/one/figures-off": may(LEADS, login="{login}"),
    "POST /accounts/one/shut": may(LEADS, login="{login}"),
    "POST /accounts/one/open": may(LEADS, login="{login}"),
    "POST /accounts/one/role": may(LEADS, login="{login}", duty="deputy", place="{grid}"),
    # ------------------------------------------------------------------ residents and contacts
    "GET /install/{home_id}/door": may(KEEPS),
    "GET /install/{home_id}/looks": may(KEEPS),
    "GET /install/{home_id}/privacy": may(LEADS),
    "POST /install/{home_id}/privacy/copy": may(A, answers={200, 404}),
    "GET /install/{home_id}/people": may(KEEPS),
    "GET /install/{home_id}/people/profile": may(KEEPS),
    "POST /install/{home_id}/people/profile": may(KEEPS, birth_year="1940", living="alone"),
    "GET /install/{home_id}/people/health": may(KEEPS),
    "POST /install/{home_id}/people/health": may(KEEPS, conditions="x"),
    "GET /install/{home_id}/people/contacts/new": may(KEEPS),
    "POST /install/{home_id}/people/contacts/new": may(
        KEEPS, name="邻居", phone="13700000000", relation="neighbour", is_far=""
    ),
    "GET /install/{home_id}/people/contacts/{relation}/{person}": may(KEEPS),
    "POST /install/{home_id}/people/contacts/{relation}/{person}/up": may(KEEPS),
    "POST /install/{home_id}/people/contacts/{relation_was}/{person}": may(
        KEEPS, name="改", phone="13700000001", relation="child", is_far=""
    ),
    # ------------------------------------------------------------------ installing
    "GET /install": may(INSTALLS),
    "GET /install/new": may(INSTALLS),
    "POST /install/new": may(INSTALLS, code="N-1", name="新户", grid="{grid}", address="x"),
    "GET /install/{home_id}": may(INSTALLS),
    "GET /install/{home_id}/edit": may(INSTALLS),
    "POST /install/{home_id}/edit": may(
        INSTALLS, code="A-1", name="王", grid="{grid}", address="x", zone="Asia/Shanghai"
    ),
    "GET /install/{home_id}/rooms": may(INSTALLS),
    "POST /install/{home_id}/rooms": may(INSTALLS, room=["kitchen", "bedroom"], own=""),
    "GET /install/{home_id}/hub": may(INSTALLS),
    "POST /install/{home_id}/hub": may(INSTALLS),
    "GET /install/{home_id}/inbox": may(INSTALLS),
    "GET /install/{home_id}/devices/new": may(INSTALLS, "?hub={hub_id}&address=z", answers={200, 303, 404}),
    "POST /install/{home_id}/devices/new": may(
        INSTALLS, hub="{hub_id}", address="z", room="kitchen", role="motion", name="新", answers={200, 303, 404, 422}
    ),
    "GET /install/{home_id}/devices/{sensor_id}": may(INSTALLS),
    "GET /install/{home_id}/devices/{sensor_id}/edit": may(INSTALLS),
    "POST /install/{home_id}/devices/{sensor_id}/edit": may(INSTALLS, room="kitchen", role="motion", name="改"),
    "POST /install/{home_id}/devices/{sensor_id}/fast-lane": may(INSTALLS),
    "GET /install/{home_id}/devices/{sensor_id}/replace": may(INSTALLS),
    "POST /install/{home_id}/devices/{sensor_id}/replace": may(
        INSTALLS, hub="{hub_id}", address="y", answers={200, 303, 404, 422}
    ),
    "POST /install/{home_id}/devices/{sensor_id}/photo": may(INSTALLS, answers={303, 404, 422}),
    "GET /install/{home_id}/photos/{name}": may(INSTALLS, answers={404}),
    "GET /install/{home_id}/state": may(INSTALLS),
    "GET /install/{home_id}/walk": may(INSTALLS),
    "POST /install/{home_id}/walk/start": may(INSTALLS),
    "POST /install/{home_id}/walk/note": may(INSTALLS, sensor="{sensor_id}", note="x"),
    "POST /install/{home_id}/walk/end": may(INSTALLS, answers={200, 303, 422}),
    "POST /install/{home_id}/walk/stop": may(INSTALLS),
    "POST /install/{home_id}/upkeep": may(INSTALLS, why="x", hours="1"),
    "POST /install/{home_id}/upkeep/end": may(INSTALLS),
    "GET /install/{home_id}/consent": may(INSTALLS),
    "POST /install/{home_id}/consent": may(INSTALLS, purpose="whereabouts", paper="3-17", answers={200, 303, 422}),
    "GET /install/{home_id}/record": may(INSTALLS),
    "POST /install/{home_id}/record": may(INSTALLS, days="14", answers={200, 303, 404, 422}),
    "GET /install/{home_id}/records/{number}": may(INSTALLS, answers={404}),
    "GET /install/{home_id}/hubs/{hub_id}/secret": may(INSTALLS, answers={303, 404, 410}),
    "GET /install/{home_id}/hubs/{hub_id}/kit": may(INSTALLS, answers={303, 404, 410}),
    "POST /install/{home_id}/hubs/{hub_id}/taken-over": may(INSTALLS),
    "POST /install/{home_id}/hubs/{hub_id}/join": may(INSTALLS, answers={303, 409, 422, 404}),
    "POST /install/{home_id}/hubs/{hub_id}/renew": may(INSTALLS),
    "POST /install/{home_id}/hubs/{hub_id}/revoke": may(INSTALLS),
    # ------------------------------------------------------------------ what takes something away stands last
    "POST /install/{home_id}/people/contacts/{relation}/{person}/remove": may(KEEPS),
    "POST /install/{home_id}/people/consents/{number}/withdraw": may(KEEPS, why="x"),
    "POST /me/consents/{number}/withdraw": may(E),
    "POST /install/{home_id}/devices/{sensor_id}/remove": may(INSTALLS, why="broken"),
    "POST /install/{home_id}/hubs/{hub_id}/replace": may(INSTALLS),
    "POST /install/{home_id}/hubs/{hub_id}/remove": may(INSTALLS, answers={200, 303, 404, 422}),
    "POST /install/{home_id}/state": may(INSTALLS, act="give-up", why="moved", answers={303, 422}),
    "POST /install/{home_id}/privacy/erase": may(A, code="A-1", why="x", answers={303, 404, 422}),
    "POST /demo/press": may(ON_DUTY, home="{home_id}"),
    "POST /demo/kill": may(ON_DUTY),
    "POST /logout": may(ALL),
    "POST /account/sign-out-everywhere": may(ALL, answers={303}),  # that was the session of this browser
}

OWN = {
    "home_id": "h1",
    "home": "h1",
    "hub_id": "hub-1",
    "sensor_id": "h1-m",
    "person": "wei",
    "kin": "wei",
    "worker": "liu",
    "person_id": "liu",
    "relation": "child",
    "relation_was": "child",
    "place": "h1",
    "scope": "home",
    "code": "g1",
    "grid": "g1",
    "area": "1101",
    "login": "li1",
    "alert": "leak",
    "channel": "console",
    "act": "accept",
    "name": "x.jpg",
    "month": "2026-11",
    "token": "x.y",
    "language": "en",
    "door": "x",
    "key": "x",
}
FOREIGN = OWN | {
    "home_id": "h9",
    "hub_id": "hub-9",
    "sensor_id": "h9-m",
    "person": "kin9",
    "kin": "kin9",
    "worker": "far9",
    "person_id": "far9",
    "place": "h9",
    "code": "g9",
    "grid": "g9",
    "area": "1199",
    "login": "boss9",
}
NONSENSE = OWN | {
    "home_id": "hx",
    "hub_id": "hub-x",
    "sensor_id": "hx-m",
    "person": "kinx",
    "kin": "kinx",
    "worker": "farx",
    "person_id": "farx",
    "place": "hx",
    "code": "gx",
    "grid": "gx",
    "area": "11xx",
    "login": "bossx",
    "number": "987654",
}
TWINS = re.compile("|".join(sorted({f"{FOREIGN[k]}|{NONSENSE[k]}" for k in FOREIGN if FOREIGN[k] != NONSENSE[k]})))


def holes_in(route: str) -> list[str]:
    """The names that an address, its query or its form is filled with."""
    entry = ROUTES[route]
    return re.findall(r"\{(\w+)", " ".join((route, entry.query, *map(str, (entry.form or {}).values()))))


def names(rig: Walled, whose: str) -> dict[str, str]:
    """What stands for the holes of an address: ours, theirs beyond the wall, or nothing's."""
    if whose == "own":
        grid, own, person, worker = "g1", rig.own.id, "wang", "liu"
    elif whose == "foreign":
        grid, own, person, worker = "g9", rig.strange.id, "old9", "far9"
    else:
        grid, own, person, worker = "gx", rig.strange.id.replace("h9", "hx"), "", "farx"
    shift = f"{grid}/grid_worker/{worker}/2026-11-01/1234567/0800-2000"
    number = str(rig.consent(person)) if person else "987654"
    given = {"own": OWN, "foreign": FOREIGN, "nonsense": NONSENSE}[whose]
    return given | {"alert_id": own, "number": number, "shift_id": shift, "shift": f"2026-11-23 {shift}"}


def filled(text: str, given: dict[str, str], address: str) -> str:
    # the place of a plan is a home, that of an overview or a month an area
    at = {"h1": "1101", "h9": "1199", "hx": "11xx"}
    if address.startswith(("/overview", "/month", "/map")):
        given = given | {"place": at[given["place"]]}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda hole: given[hole[1]], text)


def ask(visitor: Visitor, route: str, given: dict[str, str]) -> Any:
    verb, _, address = route.partition(" ")
    entry = ROUTES[route]
    form = {
        name: value if isinstance(value, list) else filled(value, given, address)
        for name, value in (entry.form or {}).items()
    }
    return visitor.ask(verb, filled(address + entry.query, given, address), form)


def addresses(rig: Walled) -> set[str]:
    found = set()
    for route in rig.app.router.routes:
        for one in getattr(route, "routes", None) or [route]:
            for verb in getattr(one, "methods", None) or ():
                if verb != "HEAD":
                    found.add(f"{verb} {getattr(one, 'prefix', '')}{one.path}")
    return found


def by_token(found: set[str]) -> set[str]:
    """Acts of the interface: a page's session does none of them, whoever it is; `test_api*.py` has what tokens do."""
    return {route for route in found if route.startswith("POST /api/v1/")}


def alike(text: str) -> str:
    """An answer without the words in which a name that exists differs from one that does not."""
    text = re.sub(r"\d+(\.\d+)?", "#", TWINS.sub("X", text))
    return re.sub(r'(csrf" value=")[^"]+', r"\1", text)


def names_strangers(text: str) -> list[str]:
    return re.findall(f"{STRANGE}.{{0,8}}", text) + STRANGE_ID.findall(text)


BY_PROGRAM = {"room": "kitchen", "household": "h1", "token_id": "x"}
"""What stands for the holes that only addresses of the interface have."""

ROLLED: list[str] = [*ROLES, "nobody", "gone"]


def test_the_table_names_every_address_and_no_other():
    declared = set(ROUTES) | OPEN
    found = addresses(Walled())

    assert found - by_token(found) == declared, "say in the table of this test who may use a new address"


def test_nothing_else_stands_open():
    """Neither the machinery's own pages, nor our sources beside the static files, nor the demo's telephones."""
    rig = Walled()
    elsewhere = [
        "/docs",
        "/redoc",
        "/openapi.json",
        "/phone",
        "/phone/",
        "/static",
        "/static/",
        "/.env",
        "/api",
        "/api/v1",
    ]
    climbing = [
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "%2e%2e%2fapp.py",
        "..\\app.py",
        "%00",
        "vendor/",
        "//etc/passwd",
    ]

    for role in ("nobody", "admin"):
        for path in (*elsewhere, *(f"/static/{one}" for one in climbing)):
            answer = rig.visit(role).browser.get(path)
            assert answer.status_code in (303, 307, 401, 404), path
            assert "import " not in answer.text


@pytest.mark.parametrize("token", ["x.y", "%00", "🙂", "a" * 2_000])
def test_an_open_door_shows_nothing_without_its_link(token):
    rig = Walled()
    before = rig.on_this_side(), rig.beyond_the_wall(), rig.accounts.count()

    for route in OPEN:
        verb, _, address = route.partition(" ")
        answer = rig.visit("nobody").ask(verb, filled(address, names(rig, "own") | {"token": token}, address))
        assert answer.status_code < 500 or address == "/healthz", route
        assert not re.search(f"{STRANGE}|王奶奶|王薇|东风", answer.text), route
    assert (rig.on_this_side(), rig.beyond_the_wall(), rig.accounts.count()) == before


@pytest.mark.parametrize("role", ROLLED)
def test_what_is_not_theirs_is_not_there(role):
    rig = Walled()
    visitor, before, holes = rig.visit(role), rig.beyond_the_wall(), []
    ours = rig.on_this_side()

    for route, entry in ROUTES.items():
        allowed = role in entry.who
        if role == "admin" or (allowed and not holes_in(route)):
            continue  # whoever keeps all sees all; and an address without a hole leads nowhere else
        answers = {whose: ask(visitor, route, names(rig, whose)) for whose in ("foreign", "nonsense")}
        foreign, nonsense = answers["foreign"], answers["nonsense"]
        if (foreign.status_code, alike(foreign.text)) != (nonsense.status_code, alike(nonsense.text)):
            holes.append((route, "answers otherwise", foreign.status_code, nonsense.status_code))
        if not allowed and foreign.status_code not in (401, 403, 404, 303):
            holes.append((route, "may not", foreign.status_code))
        if not allowed and foreign.status_code == 303 and not foreign.headers["location"].startswith("/login"):
            holes.append((route, "may not", foreign.headers["location"]))
        if STRANGE in foreign.text:
            holes.append((route, "names a stranger", names_strangers(foreign.text)))
        if rig.beyond_the_wall() != before:
            holes.append((route, "changed something beyond the wall"))
            before = rig.beyond_the_wall()
        if not allowed:
            answer = ask(visitor, route, names(rig, "own"))
            if answer.status_code not in (401, 403, 404, 303) or rig.on_this_side() != ours:
                holes.append((route, "may not do it here either", answer.status_code))

    assert not holes, "\n".join(map(str, holes))


@pytest.mark.parametrize("role", ROLLED)
def test_no_session_acts_by_the_interface(role):
    rig = Walled()
    visitor, given, before = rig.visit(role), names(rig, "own") | BY_PROGRAM, len(rig.alerts.acts(limit=9_999))
    ours = rig.on_this_side()

    for route in sorted(by_token(addresses(rig))):
        address = route.partition(" ")[2]
        assert visitor.ask("POST", filled(address, given, address)).status_code in (401, 403), route
    assert (rig.on_this_side(), len(rig.alerts.acts(limit=9_999))) == (ours, before)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_a_home_of_theirs_opens_nothing_of_another(role):
    """The household is theirs; the hub, the device, the person, the consent in the address are not."""
    rig = Walled()
    visitor, before, holes = rig.visit(role), rig.beyond_the_wall(), []
    own, foreign, nonsense = (names(rig, whose) for whose in ("own", "foreign", "nonsense"))
    household = {name: own[name] for name in ("home_id", "place", "code")}

    for route, entry in ROUTES.items():
        holes_here = holes_in(route)
        if role not in entry.who or len(holes_here) < 2 or not set(holes_here) & set(household):
            continue
        answers = [ask(visitor, route, given | household) for given in (foreign, nonsense)]
        if len({(answer.status_code, alike(answer.text)) for answer in answers}) > 1:
            holes.append((route, [answer.status_code for answer in answers]))
        if STRANGE in answers[0].text:
            holes.append((route, names_strangers(answers[0].text)))
        if rig.beyond_the_wall() != before:
            holes.append((route, "changed something beyond the wall"))
            before = rig.beyond_the_wall()

    assert not holes, "\n".join(map(str, holes))


@pytest.mark.parametrize("role", ROLES)
def test_what_is_theirs_opens_and_names_nobody_else(role):
    rig = Walled()
    guarded(rig, "h1")
    visitor, before, wrong = rig.visit(role), rig.beyond_the_wall(), []

    for route, entry in ROUTES.items():
        if role not in entry.who:
            continue
        answer = ask(visitor, route, names(rig, "own") | {"number": str(rig.consent("wang"))})
        if answer.status_code not in entry.answers:
            wrong.append((route, answer.status_code))
        if role != "admin" and names_strangers(answer.text):
            wrong.append((route, "names a stranger", names_strangers(answer.text)))
    if role != "admin" and rig.beyond_the_wall() != before:
        wrong.append("something changed beyond the wall")

    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_verbs_open_nothing(verb):
    rig = Walled()
    visitor, before = rig.visit("admin"), rig.on_this_side()
    ours = names(rig, "own")

    for route in ROUTES:
        address = route.partition(" ")[2]
        answer = visitor.browser.request(verb, filled(address, ours, address))
        assert answer.status_code == 405, route
    assert rig.on_this_side() == before


@pytest.mark.parametrize("role", ROLES)
def test_a_stream_tells_of_no_stranger(role):
    rig = Walled()
    login, *_ = ROLES[role]
    visitor = rig.keeper.recognise(rig.visit(role).browser.cookies["__Host-session"])
    sight = Pages(rig.house, Printer(rig.house), Feed(rig.alerts), rig.links)
    wanted = sight.wants(visitor, "")
    events = [event for event in rig.alerts.events(0) if wanted(event)]

    assert login == visitor.account.login
    assert role == "admin" or not any("9" in event.home + event.grid for event in events)
    assert bool(events) == (role != "volunteer")


# --------------------------------------------------------------------------- forms from elsewhere

ELSEWHERE = {
    "another site": {"origin": "https://evil.test"},
    "no origin that can be named": {"origin": "null"},
    "another site that hides its name": {"sec-fetch-site": "cross-site"},
    "a page beside ours": {"origin": "https://other.watch.test"},
    "ours without encryption": {"origin": "http://watch.test:8080"},
}


def posted(rig: Walled, route: str, headers: dict[str, str], csrf: str) -> Any:
    visitor = rig.visit("elder" if ROUTES[route].who == E else "family" if ROUTES[route].who == F else "admin")
    entry, address, given = ROUTES[route], route.partition(" ")[2], names(rig, "own")
    form = {
        name: value if isinstance(value, list) else filled(value, given, address)
        for name, value in (entry.form or {}).items()
    }
    browser = rig.browser(cookies=dict(visitor.browser.cookies), headers=headers)
    if "origin" not in headers:
        del browser.headers["origin"]
    return browser.post(filled(address + entry.query, given, address), data={**form, "csrf": csrf})


@pytest.mark.parametrize("whence", ELSEWHERE)
def test_a_form_from_elsewhere_changes_nothing(whence):
    rig, refused = Walled(), []
    before = rig.on_this_side(), rig.beyond_the_wall(), len(rig.alerts.acts(limit=10_000))

    for route, entry in ROUTES.items():
        if not route.startswith("POST"):
            continue
        who = "elder" if entry.who == E else "family" if entry.who == F else "admin"
        answer = posted(rig, route, ELSEWHERE[whence], rig.visit(who).csrf)
        if answer.status_code != 403:
            refused.append((route, answer.status_code))

    assert not refused, "\n".join(map(str, refused))
    assert (rig.on_this_side(), rig.beyond_the_wall(), len(rig.alerts.acts(limit=10_000))) == before


@pytest.mark.parametrize("csrf", ["", "none", "somebody else's"])
def test_a_form_without_this_sessions_token_changes_nothing(csrf):
    rig, refused = Walled(), []
    csrf = rig.visit("worker").csrf if csrf == "somebody else's" else csrf
    before = rig.on_this_side(), rig.beyond_the_wall(), len(rig.alerts.acts(limit=10_000))

    for route in ROUTES:
        if route.startswith("POST"):
            answer = posted(rig, route, {"origin": "https://watch.test"}, csrf)
            if answer.status_code != 403:
                refused.append((route, answer.status_code))

    assert not refused, "\n".join(map(str, refused))
    assert (rig.on_this_side(), rig.beyond_the_wall(), len(rig.alerts.acts(limit=10_000))) == before


def test_a_form_of_a_link_or_of_the_door_is_not_taken_from_elsewhere_either():
    rig = Walled()
    given = names(rig, "own") | {"token": rig.links.token(rig.own.id, "liu")}

    for route in OPEN:
        verb, _, address = route.partition(" ")
        if verb == "POST" and not address.startswith("/in/"):  # what providers push carries a key or a signature
            answer = rig.browser(headers={"origin": "https://evil.test"}).post(filled(address, given, address))
            assert answer.status_code == 403, route


def test_every_page_forbids_scripts_frames_and_addresses_of_others():
    rig = Walled()

    for route, entry in ROUTES.items():
        if not route.startswith("GET"):
            continue
        role = next(role for role in ("admin", "elder", "family") if role in entry.who)
        answer = ask(rig.visit(role), route, names(rig, "own"))
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'self'" in policy, route
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] in ("no-store", "private, no-store"), route
        assert not re.search(r"<script(?![^>]*\bsrc=)|<[^>]+\son\w+\s*=|<style|\sstyle=|javascript:", answer.text), (
            route
        )
