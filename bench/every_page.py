"""Every page that an administrator or a supervisor can open, over a county: what each costs the processor.

    python bench/every_page.py                       # 10,000 homes, as `overview.py` furnishes them
    python bench/every_page.py --homes 2000 --all    # also those that cost little

Each address of the table of routes is asked for four times, and the least of the later ones is told: what is learnt
once after a start is not what whoever works there waits for. It is asked in this process, so that the processor's time
is known; whatever else the machine does can only make it more.
"""

import argparse
import gc
import re
import sys
import tempfile
import time
from pathlib import Path

from machine import describe, fall_in_order
from overview import HOMES, settle
from pages import CLOCK, SECRET, Figure, house_of
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.auth import UNUSABLE, Gatekeeper
from gateway.app import NEVER, OLDER, YOUNG, Stores
from gateway.domain import Duty
from gateway.ports import Account

MOST_MS = 300
LITTLE_MS = 50
HOME, GRID, AREA = "h00000", "g000", "330106"
HOLES = {
    "home_id": HOME,
    "hub_id": HOME,
    "sensor_id": f"{HOME}-sos",
    "person": f"{HOME}-child",
    "relation": "child",
    "person_id": "grid_worker-0",
    "code": GRID,
    "alert": "sos",
    "language": "zh",
    "month": "",  # filled in from the clock
}
PLACES = {"/plans": GRID, "/api/v1/rota": GRID}
"""What stands for a place; elsewhere it is the whole district."""
QUERIES = {
    "/administration/alerts": f"?place={GRID}",
    "/administration/channels": "?channel=wecom_app&person=grid_worker-0",
    "/accounts/one": "?login=leader",
}
RARE = ("/api/v1/registry.zip",)
"""The whole registry as sheets, carried away once in a while: told, and held against nothing."""
ENDLESS = ("/events", "/worker.js", "/static")


def addresses(stores: Stores) -> list[tuple[str, str]]:
    """Each GET of the table with something of ours in its holes, and the route it belongs to."""
    (alert, *_) = stores.alerts.alerts(unclosed=True)
    holes = HOLES | {"alert_id": alert.id, "month": f"{CLOCK.now():%Y-%m}", "scope": "grid"}
    found = []
    app = create_app(house_of(stores, "http://127.0.0.1"))
    for route in (one for many in app.router.routes for one in getattr(many, "routes", None) or [many]):
        path = getattr(route, "path", "")
        if "GET" not in (getattr(route, "methods", None) or ()) or "{token}" in path or path.endswith(ENDLESS):
            continue
        place = next((place for begin, place in PLACES.items() if path.startswith(begin)), AREA)
        names = holes | {"place": place}
        wanted = set(re.findall(r"\{(\w+)", path))
        if wanted <= set(names):
            address = re.sub(r"\{(\w+)(?::path)?\}", lambda hole, names=names: names[hole[1]], path)
            found.append((path, address + QUERIES.get(path, "")))
    return sorted(found)


def measure(stores: Stores, least: float) -> list[Figure]:
    figures = []
    for duty in (Duty.ADMIN, Duty.SUPERVISOR):
        login = f"the-{duty.value}"
        account = Account(login=login, password_hash=UNUSABLE, person="leader", duty=duty, created_at=CLOCK.now())
        stores.accounts.put(account)
        cookie = Gatekeeper(stores.accounts, CLOCK, SECRET).open(account)
        headers = {"accept-language": "zh-CN", "accept": "text/html"}
        app = create_app(house_of(stores, "http://127.0.0.1"))
        with TestClient(app, cookies={"session": cookie}, headers=headers, follow_redirects=False) as browser:
            for route, address in addresses(stores):
                times = []
                for _ in range(4):
                    began = time.process_time()
                    answer = browser.get(address)
                    times.append((time.process_time() - began) * 1e3)
                took = min(times[1:])
                if answer.status_code == 200 and took >= least:
                    name = f"{duty.value} {route}, {len(answer.content) / 1000:.0f} kB"
                    figures.append(Figure(name, took, float("inf") if route in RARE else MOST_MS, "ms"))
                elif answer.status_code not in (200, 303, 403, 404):
                    print(f"{duty.value} {address} answers {answer.status_code}")
    return sorted(figures, key=lambda figure: -figure.value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--homes", type=int, default=HOMES)
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args()
    fall_in_order()
    gc.set_threshold(YOUNG, OLDER, NEVER)  # as the gateway does
    for name, value in describe().items():
        print(f"{name}: {value}")
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(settle(Path(folder), given.homes), 0 if given.all else LITTLE_MS)
    for figure in figures:
        print(figure)
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
