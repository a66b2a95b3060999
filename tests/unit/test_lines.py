"""Whoever has a telephone and no other way to be told is written to and rung up on it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.config import load
from gateway.domain import Contact, Grid, Home, Person, Reach, Relation
from gateway.registry import Registry
from gateway.stores.memory import MemoryRegistry
from gateway.stores.roll import STANDARD_ZONE

NOW = datetime(2026, 11, 2, 4, tzinfo=UTC)
BY = {"who": "zhao", "now": NOW}
LINES = (Reach(channel="tencent_sms"), Reach(channel="tencent_voice", after=timedelta(minutes=10)))
HOME = Home(id="h1", code="A-1", name="王奶奶", grid="g1", zone=STANDARD_ZONE)


@pytest.fixture
def store() -> MemoryRegistry:
    store = MemoryRegistry()
    with store.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="一网格", community=""))
        ledger.put_home(HOME, NOW)
    return store


@pytest.fixture
def registry(store) -> Registry:
    return Registry(store, hash_secret=str, lines=LINES)


def ways(store, person: str) -> list[tuple[str, str]]:
    found = store.person(person)
    assert found is not None
    return [(way.channel, way.address) for way in found.reaches]


def add(registry, person: Person, *phones: str) -> None:
    contact = Contact(home="h1", person=person.id, relation=Relation.CHILD, phones=phones)
    registry.put_contacts("h1", [contact], people=[person], **BY)


def test_a_contact_with_nothing_but_a_number_can_be_called(store, registry):
    add(registry, Person(id="hong", name="小红"), "13800001111", "13900002222")

    assert ways(store, "hong") == [("tencent_sms", "13800001111"), ("tencent_voice", "13800001111")]
    assert store.person("hong").reaches[1].after == timedelta(minutes=10)


def test_a_new_number_takes_the_place_of_the_old_one(store, registry):
    add(registry, Person(id="hong", name="小红"), "13800001111")

    add(registry, store.person("hong"), "13900002222")

    assert ways(store, "hong") == [("tencent_sms", "13900002222"), ("tencent_voice", "13900002222")]


def test_whoever_has_a_way_of_their_own_keeps_it_as_it_is(store, registry):
    zhang = Person(id="zhang", name="张师傅", reaches=(Reach(channel="wecom_app", address="z"),))

    registry.put_person(zhang, phones=["13800001111"], **BY)

    assert ways(store, "zhang") == [("wecom_app", "z")]


def test_a_way_that_was_given_with_the_number_follows_it_beside_others(store, registry):
    zhang = Person(
        id="zhang",
        name="张师傅",
        reaches=(Reach(channel="wecom_app", address="z"), Reach(channel="tencent_voice", address="13800001111")),
    )
    registry.put_person(zhang, phones=["13800001111"], **BY)

    registry.put_person(zhang, phones=["13900002222"], **BY)

    assert ways(store, "zhang") == [("wecom_app", "z"), ("tencent_voice", "13900002222")]


def test_without_a_number_the_ways_by_number_end(store, registry):
    add(registry, Person(id="hong", name="小红"), "13800001111")

    registry.put_person(store.person("hong"), phones=[], **BY)

    assert ways(store, "hong") == []


def test_a_table_gives_the_same_ways(store, registry):
    registry.import_files({"people.csv": b"id,name,phones\nhong,hong,13800001111\n"}, **BY)

    assert ways(store, "hong") == [("tencent_sms", "13800001111"), ("tencent_voice", "13800001111")]


def test_without_such_a_channel_nothing_is_invented(store):
    add(Registry(store, hash_secret=str), Person(id="hong", name="小红"), "13800001111")

    assert ways(store, "hong") == []


def test_the_lines_are_those_that_are_set_up(tmp_path):
    keys = 'secret_id = "AKIDx"\nsecret_key = "k"\napp_id = "1400"\ntemplate = "t1"\n'
    path = tmp_path / "shouwang.toml"
    path.write_text(f'[channels.tencent_voice]\n{keys}[channels.tencent_sms]\n{keys}sign_name = "守望"\n')

    assert load().lines == ()
    assert load(path).lines == LINES
    assert replace(LINES[0], address="1").after == timedelta(0)
