"""Pages that follow: nothing is missed, nothing is told to whom it does not belong, and nobody holds the others up."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from pages_house import BASE, EVENING, Rig, hidden

from dashboard import live
from dashboard.live import REPLAY, WAITING_EVENTS, Feed, resume_from
from gateway.domain import Event, Stage
from gateway.stores.memory import MemoryAlerts


def everything(event: Event) -> bool:
    return True


def happen(alerts: MemoryAlerts, *refs: str, grid: str = "g1") -> None:
    with alerts.begin() as ledger:
        for ref in refs:
            ledger.publish(EVENING, "alert", ref, "h1", grid)


@contextlib.asynccontextmanager
async def reading(feed: Feed) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def some(events: AsyncIterator[Event | None], count: int) -> list[str]:
    found = []
    async for event in events:
        found.append("everything" if event is None else event.ref)
        if len(found) == count:
            break
    return found


@pytest.fixture
def alerts() -> MemoryAlerts:
    return MemoryAlerts()


async def test_what_was_missed_comes_first_and_then_what_happens(alerts):
    happen(alerts, "a1", "a2", "a3")
    feed = Feed(alerts)
    async with reading(feed):
        events = feed.listen(1, everything)
        missed = await some(events, 2)
        happen(alerts, "a4")
        events = feed.listen(3, everything)
        coming = await some(events, 1)

    assert (missed, coming) == (["a2", "a3"], ["a4"])


async def test_an_event_between_past_and_future_is_heard_once(alerts):
    feed = Feed(alerts)
    heard: list[str] = []

    async def follow() -> None:
        async for event in feed.listen(0, everything):
            heard.append(event.ref if event else "everything")
            if len(heard) == 60:
                return

    async with reading(feed):
        listeners = [asyncio.create_task(follow())]
        for number in range(60):
            happen(alerts, f"a{number}")
            await asyncio.sleep(0)
        await asyncio.gather(*listeners)

    assert heard == [f"a{number}" for number in range(60)]


async def test_a_grid_hears_of_its_own_only(alerts):
    happen(alerts, "theirs", grid="g2")
    happen(alerts, "ours", grid="g1")
    feed = Feed(alerts)
    async with reading(feed):
        assert await some(feed.listen(0, lambda event: event.grid == "g1"), 1) == ["ours"]


async def test_who_missed_too_much_is_told_to_look_at_everything(alerts):
    happen(alerts, *(f"a{n}" for n in range(REPLAY + 1)))
    feed = Feed(alerts)
    async with reading(feed):
        assert await some(feed.listen(0, everything), 1) == ["everything"]


async def test_an_id_from_another_book_is_no_reason_to_wait_for_ever(alerts):
    happen(alerts, "a1")
    feed = Feed(alerts)
    async with reading(feed):
        assert await some(feed.listen(99, everything), 1) == ["everything"]


async def test_a_listener_that_does_not_listen_is_let_go_and_the_others_go_on(alerts, monkeypatch):
    monkeypatch.setattr(live, "LOOK_S", 0)
    feed = Feed(alerts)
    async with reading(feed):
        slow, quick = feed.listen(0, everything), feed.listen(0, everything)
        heard: list[str] = []

        async def follow() -> None:
            async for event in quick:
                heard.append(event.ref if event else "everything")

        following = asyncio.create_task(follow())
        first = asyncio.create_task(some(slow, 1))
        while len(feed._listeners) < 2:
            await asyncio.sleep(0)
        happen(alerts, "a0")
        assert await first == ["a0"]  # and then it stops asking
        for number in range(1, WAITING_EVENTS + 3):
            happen(alerts, f"a{number}")
            while len(heard) <= number:
                await asyncio.sleep(0)
        following.cancel()
        late = await some(slow, 10_000)  # it ends; the browser comes again and names the last that it got

    assert heard == [f"a{number}" for number in range(WAITING_EVENTS + 3)]
    assert late == [f"a{number}" for number in range(1, 1 + len(late))]


async def test_nobody_is_left_waiting_when_the_reader_falls(alerts):
    feed = Feed(alerts)
    async with reading(feed):
        waiting = asyncio.create_task(some(feed.listen(0, everything), 1))
        while not feed._listeners:
            await asyncio.sleep(0)

    assert await waiting == []
    assert not feed.is_reading
    assert feed.respond(0, everything).status_code == 503


async def test_the_table_is_left_alone_while_nobody_listens(alerts):
    class Counting(MemoryAlerts):
        looked = 0

        def events(self, after: int, limit: int = 500) -> list[Event]:
            self.looked += 1
            return super().events(after, limit)

    book = Counting()
    async with reading(Feed(book)):
        for _ in range(20):
            await asyncio.sleep(0)

    assert book.looked == 0


@pytest.mark.parametrize(
    ("header", "after", "start"),
    [(None, 7, 7), ("12", 7, 12), ("0", 7, 0), ("", 7, 7), ("x", 7, 7), ("-1", 7, 7), ("9" * 30, 7, 7), ("²", 7, 7)],
)
def test_where_a_browser_goes_on(header, after, start):
    assert resume_from(header, after) == start


# --------------------------------------------------------------------------- over a real line


@contextlib.contextmanager
def served(rig: Rig):
    config = uvicorn.Config(rig.app, port=0, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        threading.Event().wait(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(15)
        assert not thread.is_alive(), "open streams kept the server from stopping"


def news(lines) -> tuple[str, dict[str, str]]:
    """The next `news` event: its id and what it is about."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
        elif fields.get("event") == "news":
            return fields["id"], json.loads(fields["data"])
        else:
            fields = {}
    raise AssertionError("the stream ended without news")


def test_a_browser_that_comes_back_names_what_it_has_seen_and_gets_the_rest():
    rig = Rig()
    cookie = {"__Host-session": rig.signed_in("ma").cookies["__Host-session"]}
    first, second = rig.press("h1"), rig.press("h2")
    with served(rig) as url, httpx.Client(base_url=url, cookies=cookie, trust_env=False, timeout=10) as browser:
        with browser.stream("GET", "/events", params={"after": 0}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            seen, about = news(answer.iter_lines())
        assert about == {"topic": "alert", "ref": first.id}

        rig.desk.accept(first.id, "liu", rig.clock.now())
        last = rig.alerts.last_event()
        refs, ids = [], []
        with browser.stream("GET", "/events", params={"after": 0}, headers={"last-event-id": seen}) as answer:
            lines = answer.iter_lines()
            while not ids or ids[-1] < last:
                number, about = news(lines)
                ids.append(int(number))
                refs.append(about["ref"])

    assert ids == list(range(int(seen) + 1, last + 1))
    assert second.id in refs and refs[-1] == first.id


def test_a_link_follows_its_own_alert_only():
    rig = Rig()
    mine = rig.press("h1")
    start = rig.alerts.last_event()
    rig.press("h2")
    rig.desk.accept(mine.id, "liu", rig.clock.now())
    path = f"/a/{rig.links.token(mine.id, 'liu')}/events"
    with served(rig) as url, httpx.Client(base_url=url, trust_env=False, timeout=10) as phone:
        with phone.stream("GET", path, params={"after": start}) as answer:
            _, about = news(answer.iter_lines())
        refused = phone.get("/events")

    assert about["ref"] == mine.id
    assert refused.status_code in (303, 401)


def test_a_page_that_follows_by_a_link_has_opened_its_message():
    """A preview fetches the page and follows nothing; whoever holds the telephone has it open."""
    rig = Rig()
    mine = rig.press("h1")
    start = rig.alerts.last_event() - 1
    message = next(d for d in rig.alerts.deliveries(mine.id) if d.person == "liu")
    path = f"/a/{rig.links.token(mine.id, 'liu', message.id)}"
    with served(rig) as url, httpx.Client(base_url=url, trust_env=False, timeout=10) as phone:
        phone.get(path)
        assert rig.alerts.delivery(message.id).stage is Stage.SENT
        with phone.stream("GET", f"{path}/events", params={"after": start}) as answer:
            news(answer.iter_lines())

    assert rig.alerts.delivery(message.id).stage is Stage.OPENED


def test_a_page_starts_to_follow_where_it_was_made():
    rig = Rig()
    rig.press("h1")
    page = rig.signed_in("ma").get("/").text

    assert f'hx-sse:connect="/events?after={rig.alerts.last_event()}"' in page
    assert hidden(page, "csrf") and BASE not in page
