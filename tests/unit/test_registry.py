from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain import Duty, Monitoring, Role
from gateway.registry import RegistrationError, Registry
from gateway.stores.memory import MemoryRegistry

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[2] / "examples" / "neighbourhood.toml"


@pytest.fixture
def store():
    return MemoryRegistry()


@pytest.fixture
def told():
    return []


@pytest.fixture
def registry(store, told):
    return Registry(store, lambda secret: f"hash of {secret}", told.append)


def test_the_example_sheet_registers_a_neighbourhood(registry, store):
    said = registry.import_sheet(EXAMPLE.read_text(encoding="utf-8"), who="me", now=NOW)
    wang = store.home("wang")

    assert said.startswith("2 homes, 4 people, 1 grids")
    assert [s.role for s in wang.sensors] == [Role.EXIT_DOOR, Role.MOTION, Role.SOS]
    assert wang.interval == timedelta(seconds=60)
    assert [p.name for p in store.on_duty("g-01", Duty.GRID_WORKER, NOW)] == ["张师傅"]


def test_registering_the_same_sheet_again_changes_nothing(registry, store):
    for _ in range(2):
        registry.import_sheet(EXAMPLE.read_text(encoding="utf-8"), who="me", now=NOW)

    assert len(store.homes()) == 2
    assert len(store.on_duty("g-01", Duty.GRID_WORKER, NOW)) == 1


@pytest.mark.parametrize(
    ("wrong", "right", "sentence"),
    [
        ('grid = "g-01"\nzone', 'grid = "g-99"\nzone', "There is no grid 'g-99'"),
        ('room = "hall"', 'room = "attic"', "hangs in room 'attic'"),
        ("0x00158d0001a2b3c6", "sos button", "a space in a topic closes the connection"),
        ('role = "sos"', 'role = "siren"', "siren"),
        ("Asia/Shanghai", "Asia/Nowhere", "is no time zone"),
        ('id = "hub-7f3a"', 'id = "hub 7"', "no space"),
        ("[[areas]]", "[[aeras]]", "aeras"),
    ],
)
def test_nonsense_is_refused_with_its_place_and_nothing_is_changed(registry, store, wrong, right, sentence):
    sheet = EXAMPLE.read_text(encoding="utf-8")
    assert wrong in sheet

    with pytest.raises(RegistrationError, match=sentence):
        registry.import_sheet(sheet.replace(wrong, right, 1), who="me", now=NOW)

    assert store.homes() == []


def test_a_hub_stands_in_one_home_only(registry):
    sheet = EXAMPLE.read_text(encoding="utf-8")
    registry.import_sheet(sheet, who="me", now=NOW)
    thief = sheet[sheet.index("# A home that speaks") :].replace("hub-90cd", "hub-7f3a")

    with pytest.raises(RegistrationError, match="already stands in home 'wang'"):
        registry.import_sheet(thief, who="me", now=NOW)


def test_a_secret_is_stored_only_as_its_hash_and_the_broker_follows(registry, store, told):
    registry.import_sheet(EXAMPLE.read_text(encoding="utf-8"), who="me", now=NOW)
    registry.renew_secret("hub-7f3a", "s" * 22, who="me", now=NOW)

    assert store.hub_secrets() == {"hub-7f3a": "hash of " + "s" * 22}
    assert told == [store.hub_secrets()]

    registry.renew_secret("hub-7f3a", None, who="me", now=NOW)

    assert store.hub_secrets() == {}
    assert told[-1] == {}


def test_an_unknown_hub_gets_no_secret(registry):
    with pytest.raises(RegistrationError, match="There is no hub"):
        registry.renew_secret("hub-x", "s" * 22, who="me", now=NOW)


def test_a_household_can_be_paused(registry, store):
    registry.import_sheet(EXAMPLE.read_text(encoding="utf-8"), who="me", now=NOW)
    registry.set_state("wang", Monitoring.PAUSED, why="住院", who="me", now=NOW)

    assert store.home("wang").state is Monitoring.PAUSED
