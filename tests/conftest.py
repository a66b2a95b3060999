"""What all tests share: their order, and a book that is made once and copied."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.stores import book


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop running in this thread until the session ends."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session", autouse=True)
def new_books_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Thousands of tests begin with an empty book. Its migrations are run for the first, the others get what they made;
    tests of the migrations call those themselves."""
    migrate = book._bring_up_to_date
    made: list[Path] = []

    def bring_up_to_date(engine: Engine) -> None:
        if engine.dialect.name == "sqlite" and book.revision(engine) is None:
            if not made:
                path = tmp_path_factory.mktemp("first") / "gateway.db"
                first = book.open_book(f"sqlite:///{path}", migrate=False)
                migrate(first)
                first.dispose()
                made.append(path)
            connection = engine.raw_connection()
            with closing(sqlite3.connect(made[0])) as first_book:
                first_book.backup(connection.driver_connection)
            connection.close()
        migrate(engine)

    book._bring_up_to_date = bring_up_to_date
    yield
    book._bring_up_to_date = migrate
