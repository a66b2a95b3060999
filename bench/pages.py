"""The pages under load: how long the server takes, how many bytes travel, how soon an event is on the screen.

    python bench/pages.py                    # the worker's list with 500 homes; 300 listeners
    python bench/pages.py --only list        # or: live

The stores are the real ones, in a folder of their own; the pages are served by a process of their own over loopback.
Server time is from the first byte of the request to the last of the answer, one request after the other. Bytes are
what travels, headers left out: on the first visit the page with everything it asks for, afterwards the page alone.
"""

import argparse
import asyncio
import gc
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from homes import DEVICES, ROOMS
from machine import BenchError, describe, end, fall_in_order, free_port, listens, start, wait_until

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from alerts.desk import Desk
from dashboard.app import House, create_app
from dashboard.auth import UNUSABLE, Gatekeeper
from gateway.app import NEVER, OLDER, YOUNG, Stores, open_stores
from gateway.clock import SystemClock
from gateway.domain import (
    Area,
    Duty,
    Finding,
    Gap,
    Grid,
    Home,
    Hub,
    Kind,
    Person,
    Reach,
    Reading,
    Role,
    Room,
    Sensor,
    Severity,
)
from gateway.ports import Account, Batch

SECRET = b"only for the bench, 32 bytes ..."
HOMES = 500
LISTENERS = 300
GRIDS = 100
"""Only the first has homes; in each of the others people listen too."""
EVENTS = 40
PAGE_WAITS_S = 0.06
VISITS = 200
ZONE = ZoneInfo("Asia/Shanghai")
FAMILY_NAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
LIST_P95_MS, FIRST_KB, AFTER_KB, ON_SCREEN_MS = 50, 100, 15, 300
CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside its goal."""

    name: str
    value: float
    most: float
    unit: str

    @property
    def is_met(self) -> bool:
        return self.value <= self.most

    def __str__(self) -> str:
        return (
            f"{self.name:58}{self.value:9.1f} {self.unit:3} (at most {self.most:g}) {'' if self.is_met else 'MISSED'}"
        )


# --------------------------------------------------------------------------- the neighbourhood


def settle(folder: Path, homes: int, seed: int = 1) -> Stores:
    """Homes of one grid with a day behind each, some of them blind or ringing: as on a day that is not a good one."""
    stores, now, chance = open_stores(folder), CLOCK.now(), random.Random(seed)
    with stores.registry.begin() as ledger:
        ledger.put_area(Area(code="310106014002", name="东风社区", level="community"), now)
        for grid in range(GRIDS):
            ledger.put_grid(Grid(code=f"g{grid}", name=f"第 {grid} 网格", community="310106014002"))
        ledger.put_person(Person(id="worker", name="刘网格员", reaches=(Reach(channel="console"),)), now)
        ledger.assign("worker", Duty.GRID_WORKER, "g0", now - timedelta(days=30))
        for number in range(homes):
            ledger.put_home(a_home(number), now)
    arrival = 0
    for number in range(homes):
        readings = []
        moment = now - timedelta(hours=26)
        last = now - timedelta(minutes=chance.choice((0.5, 3, 8, 15, 40, 90)))
        while moment < last:
            arrival += 1
            device, room, _ = DEVICES[chance.randrange(4)]
            sensor = f"h{number:05d}-{device}"
            readings.append(Reading(f"h{number:05d}", sensor, room, Kind.MOTION, 1.0, moment, moment, arrival=arrival))
            moment += timedelta(seconds=chance.choice((20, 40, 70, 300, 1200)))
        heard = now - timedelta(minutes=95 if number % 50 == 7 else 0.2)
        gaps = {
            f"h{number:05d}": (
                Gap(home=f"h{number:05d}", what="fall", why="sensor_silent", since=now - timedelta(days=2)),
            )
        }
        stores.readings.commit(
            Batch(
                readings=readings,
                heard={f"h{number:05d}": heard},
                gaps=gaps if number % 20 == 3 else {},
                last_arrival=arrival,
            )
        )
    desk = Desk(stores.alerts, stores.registry)
    for number, code, severity in ((1, "sos", Severity.EMERGENCY), (2, "inactivity", Severity.HIGH)):
        desk.take([Finding(home=f"h{number:05d}", code=code, severity=severity, since=now, at=now)], now)
    for grid in range(GRIDS):
        login, duty = f"worker-{grid}", Duty.GRID_WORKER
        account = Account(
            login=login, password_hash=UNUSABLE, person="worker", duty=duty, place=f"g{grid}", created_at=now
        )
        stores.accounts.put(account)
    return stores


def a_home(number: int) -> Home:
    name = f"h{number:05d}"
    return Home(
        id=name,
        code=f"A-{number:04d}",
        name=FAMILY_NAMES[number % len(FAMILY_NAMES)] + ("奶奶", "爷爷")[number % 2],
        grid="g0",
        zone=ZONE,
        rooms=tuple(Room(id=room, name=room) for room in ROOMS),
        hubs=(Hub(id=name, home=name),),
        sensors=tuple(
            Sensor(id=f"{name}-{device}", hub=name, address=f"{name}/{device}", name=device, room=room, role=Role(role))
            for device, room, role in DEVICES
        ),
        address=f"东风路 {number} 号",
    )


def house_of(stores: Stores, base_url: str) -> House:
    """What the pages are given."""
    from gateway.registry import Registry

    return House(
        alerts=stores.alerts,
        desk=Desk(stores.alerts, stores.registry),
        registry=stores.registry,
        registrar=Registry(stores.registry, lambda secret: secret),
        accounts=stores.accounts,
        readings=stores.readings,
        clock=CLOCK,
        secret=SECRET,
        base_url=base_url,
        secure_cookies=False,
    )


def serve(folder: Path, port: int) -> None:
    """The pages over the stores of this folder, until ended."""
    import uvicorn

    gc.set_threshold(YOUNG, OLDER, NEVER)  # as the gateway does
    app = create_app(house_of(open_stores(folder), f"http://127.0.0.1:{port}"))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


@contextmanager
def pages(folder: Path) -> Iterator[str]:
    """Where they stand."""
    port = free_port()
    child = start([sys.executable, __file__, "--serve", folder, "--port", port], folder / "pages.log")
    try:
        wait_until("the pages", lambda: listens(port), 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        end(child)


def signed_in(stores: Stores, login: str = "worker-0") -> dict[str, str]:
    account = stores.accounts.account(login)
    if account is None:
        raise BenchError(f"the stores hold no account {login!r}")
    return {"session": Gatekeeper(stores.accounts, CLOCK, SECRET).open(account)}


# --------------------------------------------------------------------------- what is measured


def ask(browser: httpx.Client, path: str) -> tuple[float, int, str]:
    """Milliseconds, bytes that travelled, the page."""
    began = time.perf_counter()
    with browser.stream("GET", path) as answer:
        body = b"".join(answer.iter_raw())
        took = (time.perf_counter() - began) * 1e3
        if answer.status_code != 200:
            raise BenchError(f"{path} answers {answer.status_code}")
        length = len(body)
        text = httpx.Response(200, headers=answer.headers, content=body).text
    return took, length, text


def transferred(browser: httpx.Client, path: str) -> tuple[int, int]:
    """Bytes of the first visit and of the next: a page, and what a browser fetches because of it and then keeps."""
    _, length, text = ask(browser, path)
    kept = set(re.findall(r'(?:src|href|data-sound)="(/static/[^"#]+|/manifest/[^"]+)', text))
    return length + sum(ask(browser, address)[1] for address in (*sorted(kept), "/worker.js", "/offline")), length


def the_list(url: str, stores: Stores, homes: int) -> list[Figure]:
    """The grid worker's list."""
    headers = {
        "accept-encoding": "gzip",
        "accept-language": "zh-CN",
        "accept": "text/html",
        "sec-fetch-site": "none",
    }
    with httpx.Client(base_url=url, cookies=signed_in(stores), headers=headers, timeout=30) as browser:
        first, after = transferred(browser, "/")
        for _ in range(10):
            ask(browser, "/")
        took = [ask(browser, "/")[0] for _ in range(VISITS)]
    return [
        Figure(f"the worker's list, {homes} homes: server time p95", _p95(took), LIST_P95_MS, "ms"),
        Figure("  the same, p50", statistics.median(took), LIST_P95_MS, "ms"),
        Figure("  transferred on the first visit", first / 1000, FIRST_KB, "kB"),
        Figure("  transferred afterwards", after / 1000, AFTER_KB, "kB"),
    ]


async def live(url: str, stores: Stores, listeners: int) -> list[Figure]:
    """How long after an event was written it is on the screens of the grid that it is about, with all others listening
    too; and how long until a word to everybody has reached the last of them.

    On the screen: the page has heard, has waited as long as our pages wait (60 ms), and has its whole answer.
    """
    heard: asyncio.Queue[tuple[str, float, float]] = asyncio.Queue()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)

    async def listen(browser: httpx.AsyncClient, cookie: str) -> None:
        headers = {"cookie": f"session={cookie}", "sec-fetch-site": "same-origin", "accept-encoding": "gzip"}
        async with browser.stream("GET", f"{url}/events", headers=headers) as answer:
            async for line in answer.aiter_lines():
                if not line.startswith("data:") or '"bench' not in line:
                    continue
                ref, at = json.loads(line[5:])["ref"], time.perf_counter()
                if ref.startswith("bench-grid"):
                    await asyncio.sleep(PAGE_WAITS_S)
                    (await browser.get(f"{url}/", headers=headers)).raise_for_status()
                heard.put_nowait((ref, at, time.perf_counter()))

    async def said(number: int, grid: str, expected: int) -> tuple[float, float]:
        """Milliseconds until the last who is meant has heard, and until it is on the last screen."""
        ref = f"bench-{'grid' if grid else 'all'}-{number}"
        with stores.alerts.begin() as ledger:
            ledger.publish(CLOCK.now(), "alert", ref, "h00001" if grid else "", grid)
        written = time.perf_counter()
        told = [await asyncio.wait_for(heard.get(), 10) for _ in range(expected)]
        if {one[0] for one in told} != {ref}:
            raise BenchError(f"something else was heard when {ref} was written")
        return max(one[1] for one in told) * 1e3 - written * 1e3, max(one[2] for one in told) * 1e3 - written * 1e3

    async with httpx.AsyncClient(limits=limits, timeout=None) as browser:
        cookies = [signed_in(stores, f"worker-{number % GRIDS}")["session"] for number in range(listeners)]
        tasks = [asyncio.create_task(listen(browser, cookie)) for cookie in cookies]
        await asyncio.sleep(5)  # until they all stand
        shown, reached = [], []
        for number in range(EVENTS):
            shown.append((await said(number, "g0", -(-listeners // GRIDS)))[1])
            reached.append((await said(number, "", listeners))[0])
            await asyncio.sleep(random.uniform(0.05, 0.4))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [
        Figure(f"{listeners} listen: on the screens of a grid, p95", _p95(shown), ON_SCREEN_MS, "ms"),
        Figure("  a word to everybody has reached the last, p95", _p95(reached), ON_SCREEN_MS, "ms"),
    ]


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("list", "live"))
    parser.add_argument("--homes", type=int, default=HOMES)
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.port)
        return 0
    fall_in_order()
    for name, value in describe().items():
        print(f"{name}: {value}")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        stores = settle(Path(folder), given.homes)
        with pages(Path(folder)) as url:
            if given.only in (None, "list"):
                figures += the_list(url, stores, given.homes)
            if given.only in (None, "live"):
                figures += asyncio.run(live(url, stores, given.listeners))
    for figure in figures:
        print(figure)
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
