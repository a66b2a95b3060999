"""What all tests share: their order, and what is made once instead of thousands of times."""

import gc
import logging
import sqlite3
import threading
from collections.abc import Hashable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi._compat.v2 import ModelField, asdict
from fastapi.dependencies import utils
from sqlalchemy import Engine

from dashboard.auth import Passwords
from gateway.stores import book
from gateway.week.ours import OurFaults

gc.set_threshold(100_000, 20, 20)
"""Tests make much and throw it away: to look for it a hundred times as seldom takes a seventh off their time."""


def pytest_collection_finish() -> None:
    """What was imported stays until the end: nobody need look through it again."""
    gc.collect()
    gc.freeze()


CONTAIN = ("detectors.watch", "gateway.pipeline", "gateway.upkeep", "alerts.desk", "alerts.courier")


@pytest.fixture(autouse=True)
def no_fault_of_ours_passes_because_it_was_contained(request: pytest.FixtureRequest) -> Iterator[None]:
    """The gateway goes on where a home, a message or an alert meets a mistake of ours. A test that meets one fails,
    unless it is about that."""
    seen, places = OurFaults(), [logging.getLogger(name) for name in CONTAIN]
    for place in places:
        place.addHandler(seen)
    yield
    for place in places:
        place.removeHandler(seen)
    if seen.faults and not request.node.get_closest_marker("faulty"):
        pytest.fail("contained, and a fault all the same:\n" + "\n".join(seen.faults))


@pytest.fixture(autouse=True)
def connections_end_with_their_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """An MQTT client that has left holds two descriptors until somebody looks for rubbish. Of those from 1,024 on
    `select` knows nothing, and a test that opens hundreds of clients gets there."""
    yield
    if request.node.get_closest_marker("external") or request.node.get_closest_marker("browser"):
        gc.collect()


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


@pytest.fixture(scope="session", autouse=True)
def forms_are_read_alike() -> Iterator[None]:
    """A thousand tests open the pages over stores of their own. Most of that is pydantic learning anew, for each of
    three hundred addresses, how its form is read: what says the same is learnt once."""
    learn, body = ModelField.__post_init__, utils.create_body_model
    readers: dict[Hashable, Any] = {}
    bodies: dict[Hashable, Any] = {}

    def what(field: ModelField) -> Hashable:
        return field.name, field.field_info.annotation, type(field.field_info), repr(asdict(field.field_info))

    def recall(field: ModelField) -> None:
        key = what(field), repr(field.config)
        if key not in readers:
            learn(field)
            readers[key] = field._type_adapter
        field._type_adapter = readers[key]

    def recall_body(*, fields: Sequence[ModelField], model_name: str, **more: Any) -> Any:
        key = model_name, *map(what, fields), repr(more)
        if key not in bodies:
            bodies[key] = body(fields=fields, model_name=model_name, **more)
        return bodies[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ModelField, "__post_init__", recall)
        patch.setattr(utils, "create_body_model", recall_body)
        yield


@pytest.fixture(scope="session", autouse=True)
def the_same_password_is_hashed_once() -> Iterator[None]:
    """A thousand tests sign in with the same password, and to hash it takes longer than most of them; as long takes the
    decoy of each house, which is hashed for those who have no account."""
    verify, known, first = PasswordHasher.verify, set[tuple[object, object]](), Passwords()

    def recall(self: PasswordHasher, hashed: str, password: str) -> bool:
        if (hashed, password) not in known:
            verify(self, hashed, password)
            known.add((hashed, password))
        return True

    def again(self: Passwords) -> None:
        self.__dict__.update(first.__dict__, _turns=threading.BoundedSemaphore(2))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHasher, "verify", recall)
        patch.setattr(Passwords, "__init__", again)
        yield
