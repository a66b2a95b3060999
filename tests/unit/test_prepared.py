"""What is asked again and again is made into nouns once, until its rows are others."""

from dataclasses import dataclass

from sqlalchemy import Column, MetaData, String, Table, bindparam, create_engine, select, update

from gateway.stores import prepared
from gateway.stores.prepared import Glance

_lamp = Table("lamp", MetaData(), Column("room", String, primary_key=True), Column("light", String))


@dataclass(frozen=True)
class Lamp:
    room: str
    light: str


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
