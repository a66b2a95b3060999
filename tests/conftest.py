"""What all tests share: their order, and what is made once instead of thousands of times."""

import sqlite3
from collections.abc import Hashable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi._compat.v2 import ModelField, asdict
from fastapi.dependencies import utils
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
