"""The same questions to every implementation of a port."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_postgres import LivePostgres

from gateway.ports import AccountStore, AlertStore, ReadingStore, RegistryStore
from gateway.stores import fresh
from gateway.stores.memory import MemoryAccounts, MemoryAlerts, MemoryReadings, MemoryRegistry
from gateway.stores.readings import SqliteReadings
from gateway.stores.sql import SqlAccounts, SqlAlerts, SqlRegistry, open_book


@dataclass(frozen=True)
class Book:
    """What `gateway.db` holds, behind its three ports."""

    alerts: AlertStore
    registry: RegistryStore
    accounts: AccountStore


@pytest.fixture(scope="session")
def postgres() -> Iterator[LivePostgres]:
    live = LivePostgres()
    live.start()
    yield live
    live.remove()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Book]:
    if request.param == "memory":
        alerts = MemoryAlerts()
        yield Book(alerts, MemoryRegistry(alerts.trail), MemoryAccounts())
    elif request.param == "sqlite":
        yield from _written(f"sqlite:///{tmp_path}/gateway.db")
    else:
        live: LivePostgres = request.getfixturevalue("postgres")
        yield from _written(live.empty_book())


def _written(url: str) -> Iterator[Book]:
    engine = open_book(url)
    yield Book(SqlAlerts(engine), SqlRegistry(engine), SqlAccounts(engine))
    engine.dispose()


@pytest.fixture
def alerts(book: Book) -> AlertStore:
    return book.alerts


@pytest.fixture
def registry(book: Book) -> RegistryStore:
    return book.registry


@pytest.fixture
def accounts(book: Book) -> AccountStore:
    return book.accounts


@pytest.fixture(params=["memory", "sqlite", "sqlite, laid in at once"])
def readings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadingStore]:
    if request.param == "sqlite, laid in at once":
        for bound in ("A_HOME", "AT_LEAST", "LAID_AT_ONCE", "SWEPT_AT_ONCE"):
            monkeypatch.setattr(fresh, bound, 1)
    store: ReadingStore = MemoryReadings() if request.param == "memory" else SqliteReadings(tmp_path / "readings.db")
    yield store
    store.close()
