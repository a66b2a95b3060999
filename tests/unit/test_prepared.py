"""How nouns go to the driver, and that what is asked again and again is made into nouns once, until its rows differ."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, MetaData, String, Table, bindparam, create_engine, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

from gateway.stores import prepared
from gateway.stores.moments import to_us
from gateway.stores.prepared import Glance, Prepared
from gateway.stores.tables import Moment

_lamp = Table("lamp", MetaData(), Column("room", String, primary_key=True), Column("light", String))


@dataclass(frozen=True)
class Lamp:
    room: str
    light: str


_switched = Table("switched", MetaData(), Column("room", String, primary_key=True), Column("at", Moment))


@dataclass(frozen=True)
class Switched:
    at: datetime | None
    room: str


@pytest.mark.parametrize("at", [datetime(2026, 3, 1, 8, tzinfo=UTC), None])
def test_a_noun_goes_to_each_driver_as_its_columns_would(at):
    noun, us = Switched(at, "hall"), None if at is None else to_us(at)

    by_place = Prepared(sqlite.dialect(), insert(_switched), ("room", "at"))
    assert by_place.bound_of(noun) == by_place.bound({"at": at, "room": "hall"}) == ["hall", us]

    by_name = Prepared(psycopg.dialect(), insert(_switched), ("room", "at"))
    assert by_name.bound_of(noun) == by_name.bound({"at": at, "room": "hall"}) == {"room": "hall", "at": us}


def test_a_noun_with_a_naive_moment_is_refused():
    with pytest.raises(ValueError, match="names no zone"):
        Prepared(sqlite.dialect(), insert(_switched), ("room", "at")).bound_of(
            Switched(datetime(2026, 3, 1), "hall")  # noqa: DTZ001 - it is the naivety that is examined
        )


def test_a_row_that_changes_is_read_anew_and_the_nouns_of_the_others_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared, "REMEMBERED", 2)
    engine = create_engine(f"sqlite:///{tmp_path}/lamps.db")
    with engine.begin() as connection:
        _lamp.create(connection)
        connection.execute(_lamp.insert(), [{"room": room, "light": "off"} for room in ("hall", "bath", "bed")])
    lamps = Glance(engine, select(_lamp).where(_lamp.c.room == bindparam("room")))
    (hall,), (bath,) = lamps.nouns(Lamp, room="hall"), lamps.nouns(Lamp, room="bath")

    with engine.begin() as connection:
        connection.execute(update(_lamp).where(_lamp.c.room == "hall").values(light="on"))

    assert lamps.nouns(Lamp, room="hall") == [Lamp("hall", "on")] and hall.light == "off"
    assert lamps.nouns(Lamp, room="bath")[0] is bath
    assert lamps.nouns(Lamp, room="bed") == [Lamp("bed", "off")]  # one more than is remembered: all begin anew
    assert lamps.nouns(Lamp, room="bath") == [bath] and lamps.nouns(Lamp, room="attic") == []
    engine.dispose()
