"""Who may take what from whom. The tables are the rule; docs/architecture.md says why."""

import re
import subprocess
import sys

import pytest
from the_house import PACKAGES, ROOT, imports, modules, within

FOUNDATION = {"gateway.domain", "gateway.ports", "gateway.locales"}
EVERYTHING = set(PACKAGES)

MAY_IMPORT: dict[str, set[str]] = {
    "gateway.domain": set(),
    "gateway.ports": {"gateway.domain"},
    "gateway.locales": set(),
    "gateway.clock": set(),
    "gateway.stores": FOUNDATION,
    "gateway.refusals": FOUNDATION,
    "gateway.sheets": FOUNDATION | {"gateway.refusals"},
    "gateway.acting": FOUNDATION,
    "gateway.plans": FOUNDATION | {"gateway.acting", "gateway.refusals"},
    "gateway.registry": FOUNDATION | {"gateway.acting", "gateway.plans", "gateway.refusals", "gateway.sheets"},
    "gateway.rota": FOUNDATION | {"gateway.refusals"},
    "gateway.places": FOUNDATION | {"gateway.refusals", "gateway.sheets"},
    "gateway.sharing": FOUNDATION | {"gateway.refusals"},
    "gateway.privacy": FOUNDATION | {"gateway.refusals", "gateway.registry", "gateway.rescue"},
    "gateway.anchors": FOUNDATION,
    "gateway.assessment": FOUNDATION | {"gateway.refusals", "alerts"},
    "gateway.keeping": FOUNDATION | {"gateway.refusals"},
    "gateway.retention": FOUNDATION | {"gateway.keeping", "gateway.refusals", "gateway.privacy"},
    "gateway.child": set(),
    "gateway.kit": FOUNDATION,
    "gateway.doorstep": set(),
    "gateway.broker": FOUNDATION | {"gateway.child"},
    "gateway.supervisor": {
        "gateway.broker",
        "gateway.child",
        "gateway.pulse",
    },  # it must not fall, so it takes next to nothing
    "gateway.log": set(),
    "gateway.pulse": set(),
    "gateway.reserve": set(),
    "gateway.lifeboat": FOUNDATION
    | {"alerts", "gateway.pipeline", "gateway.rescue", "gateway.reserve", "gateway.road", "gateway.stores"},
    "gateway.health": FOUNDATION
    | {"gateway.broker", "gateway.mirror", "gateway.pipeline", "gateway.pulse", "gateway.reserve"},
    # neither a store nor the road: what it watches may be broken
    "gateway.watchdog": FOUNDATION | {"alerts", "gateway.callees", "gateway.config", "gateway.pulse"},
    "gateway.callees": FOUNDATION | {"gateway.pulse"},
    "gateway.notices": FOUNDATION | {"gateway.config", "gateway.rescue"},
    "gateway.rescue": FOUNDATION | {"gateway.pulse", "gateway.refusals", "gateway.stores"},
    "gateway.backup": FOUNDATION | {"gateway.pulse", "gateway.refusals", "gateway.rescue", "gateway.stores"},
    "gateway.mirror": FOUNDATION | {"gateway.clock", "gateway.config", "gateway.log", "gateway.stores"},
    "gateway.road": FOUNDATION | {"gateway.pipeline"},
    "gateway.pipeline": FOUNDATION | {"ingest", "detectors", "alerts"},
    "detectors": FOUNDATION,
    "alerts": FOUNDATION,
    "ingest": FOUNDATION,
    "dashboard": FOUNDATION
    | {
        "gateway.registry",
        "gateway.rota",
        "gateway.places",
        "gateway.sharing",
        "gateway.privacy",
        "gateway.keeping",
        "gateway.refusals",
        "gateway.sheets",
        "gateway.kit",
        "alerts",
    },
    "simulators": FOUNDATION | {"ingest.decoders", "detectors"},
    # the front door
    "gateway.config": EVERYTHING,
    "gateway.app": EVERYTHING,
    "gateway.upkeep": EVERYTHING,
    "gateway.cli": EVERYTHING,
    "gateway.commands": EVERYTHING,
    "gateway.demo": EVERYTHING,
    "gateway.replay": EVERYTHING,
    "gateway.doctor": EVERYTHING,
    "gateway.inspection": EVERYTHING,
    "gateway.evaluate": EVERYTHING,
    "gateway.hindsight": EVERYTHING,
    "gateway.trials": EVERYTHING,
    "gateway.week": EVERYTHING,
}

# Each library has its rooms; everywhere else it is a stranger.
THIRD_PARTIES: dict[str, set[str]] = {
    "paho": {"ingest.mqtt", "simulators.broker"},
    "msgspec": {
        "dashboard.api_hatch",
        "detectors.battery",
        "detectors.device",
        "ingest.decoders",
        "ingest.known",
        "ingest.way",
        "gateway.stores",
        "gateway.pipeline",
    },
    "sqlalchemy": {"gateway.stores"},
    "alembic": {"gateway.stores"},
    "influxdb_client": {"gateway.stores.influx"},
    "pyrage": {"gateway.backup"},
    "urllib3": {"gateway.stores.influx"},
    "httpx": {"gateway.watchdog"},
    "httptools": {"alerts.channels.lines"},
    "certifi": {"alerts.channels.lines"},
    "aiosmtplib": {"alerts.channels.email"},
    "pywebpush": {"alerts.channels.web_push"},
    "py_vapid": {"alerts.channels.web_push"},
    "cryptography": {"alerts.channels.web_push"},
    "apprise": {"alerts.channels.apprise"},
    "fastapi": {"dashboard", "simulators.phone"},
    "starlette": {"dashboard", "simulators.phone"},
    "jinja2": {"dashboard"},
    "markupsafe": {"dashboard"},
    "sse_starlette": {"dashboard"},
    "argon2": {"dashboard"},
    "itsdangerous": {"dashboard"},
    "segno": {"dashboard"},
    "xlsxwriter": {"dashboard.files"},
    "bcrypt": {"gateway.broker", "gateway.registry"},
    "pydantic": {"gateway.config"},
    "pydantic_settings": {"gateway.config"},
    "structlog": {"gateway.log"},
    "typer": {"gateway.cli", "gateway.commands"},
    "rich": {"gateway.cli", "gateway.demo", "gateway.replay"},
    "numpy": {"gateway.commands.train_fall"},
    "sklearn": {"gateway.commands.train_fall"},
    "prometheus_client": {"dashboard.metrics"},
    "uvicorn": {"gateway.app", "gateway.doorstep"},
    "uvloop": {"gateway.app"},
}

# Seconds and tens of megabytes that a start must not pay: imported only inside the functions that need them.
NEVER_AT_START = (
    "sklearn",
    "scipy",
    "numpy",
    "alembic",
    "influxdb_client",
    "apprise",
    "pywebpush",
    "xlsxwriter",
    "prometheus_client",
    "sqlalchemy.dialects.postgresql",
    "gateway.stores.memory",
    "gateway.backup",
    "aiosmtplib",
    "segno",
)


def row_of(module: str) -> str:
    """The most particular line of MAY_IMPORT that speaks of this module."""
    rows = [row for row in MAY_IMPORT if within(module, {row})]
    assert rows, f"{module} has no line in MAY_IMPORT: which room is it in?"
    return max(rows, key=len)


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_inwards(module):
    if module == "gateway":
        return
    row = row_of(module)

    for imported in imports(module):
        if within(imported, EVERYTHING):
            allowed = MAY_IMPORT[row] | {row}
            assert within(imported, allowed), f"{module} may not import {imported}; {row} may import {sorted(allowed)}"


def test_the_page_about_it_says_the_same():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("| may import, besides itself |\n|---|---|\n")[1].split("\n\n")[0]
    means = {"foundation": FOUNDATION, "everything": EVERYTHING}
    said = {}
    for line in table.splitlines():
        rows, imported = line.strip("| ").split(" | ")
        words = imported.split(":")[0].split(", ")
        may = [means.get(w) or {w if w.split(".")[0] in PACKAGES else f"gateway.{w}"} for w in words if w != "–"]
        for row in re.findall(r"`([\w.]+)`", rows):
            said[f"gateway{row}" if row.startswith(".") else row] = set().union(*may)

    assert said == MAY_IMPORT


@pytest.mark.parametrize("module", sorted(modules()))
def test_libraries_stay_in_their_rooms(module):
    for imported in imports(module):
        library = imported.split(".")[0]
        if library in sys.stdlib_module_names or library in PACKAGES:
            continue
        rooms = THIRD_PARTIES.get(library)
        assert rooms is not None, f"{module} imports {library}, which is not in THIRD_PARTIES"
        assert within(module, rooms), f"{module} may not import {library}; {sorted(rooms)} may"


def test_the_start_does_not_load_what_it_does_not_need():
    loads = "gateway.app, gateway.stores.sql, gateway.stores.readings, gateway.inspection, dashboard.app"
    question = f"import sys, {loads}; print([name for name in {NEVER_AT_START!r} if name in sys.modules])"

    answer = subprocess.run([sys.executable, "-c", question], cwd=ROOT, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "[]"
