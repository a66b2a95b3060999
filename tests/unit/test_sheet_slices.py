"""A district comes as one sheet: it is checked whole and written in slices, so that whoever calls for help meanwhile
waits for a few homes and not for all of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest

from gateway import registry as registering
from gateway.domain import Monitoring
from gateway.registry import RegistrationError, Registry
from gateway.sheets import STANDARD_LEVELS, read, understand
from gateway.stores.memory import MemoryRegistry

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
BY = {"who": "chen", "now": NOW}
HOMES = 50
SHEET = {
    "grids.csv": "code,name\ng-1,First\n",
    "people.csv": "id,name,phones\n" + "".join(f"p{n},Person {n},139000000{n:02}\n" for n in range(HOMES)),
    "profiles.csv": "person,birth_year,dementia\n" + "".join(f"p{n},1940,yes\n" for n in range(HOMES)),
    "homes.csv": "id,code,name,grid,person\n" + "".join(f"h{n},c-{n},Home {n},g-1,p{n}\n" for n in range(HOMES)),
    "hubs.csv": "home,id,secret\n" + "".join(f"h{n},hub-{n},{n:022}\n" for n in range(HOMES)),
    "rooms.csv": "home,id,name\n" + "".join(f"h{n},bath,Bath\n" for n in range(HOMES)),
    "devices.csv": "home,id,name,room,role,address\n"
    + "".join(f"h{n},cord,Cord,bath,sos,cord\n" for n in range(HOMES)),
    "contacts.csv": "home,person,relation\n" + "".join(f"h{n},p{HOMES - 1 - n},neighbour\n" for n in range(HOMES)),
}
FILES = {name: text.encode() for name, text in SHEET.items()}


class Falls(Exception):
    """The program is killed here."""


@pytest.fixture
def store():
    return MemoryRegistry()


@pytest.fixture
def brokers_told():
    return []


@pytest.fixture
def registry(store, brokers_told):
    return Registry(store, lambda secret: f"hash of {secret}", brokers_told.append)


@pytest.fixture
def between(monkeypatch):
    """What happens while the writer of a sheet lets others by: by the number of the slice before."""
    happens = {}
    numbers = count(1)
    monkeypatch.setattr(registering, "sleep", lambda seconds: happens.pop(next(numbers), lambda: None)())
    return happens


def is_complete(store) -> bool:
    return not any(part for part in understand_again(store).values())


def understand_again(store) -> dict[str, object]:
    """What the sheet would still change; secrets are nowhere to be compared with."""
    left = understand(read(FILES), store, STANDARD_LEVELS, NOW)
    return {name: value for name, value in vars(left).items() if name not in ("read", "secrets")}


def test_a_slice_holds_few_homes_and_names_nobody_who_is_yet_to_come(registry, store, between):
    begun, whole = [], store.begin

    def begin():
        begun.append(len(store.homes()))
        return whole()

    store.begin = begin
    registry.import_files(FILES, **BY)

    steps = [after - before for before, after in pairwise(begun)]
    assert max(steps) <= registering.WRITTEN_AT_ONCE < HOMES == len(store.homes())
    assert is_complete(store)
    assert store.home("h0").state is Monitoring.GUARDED
    assert {line.key for line in store.overrides("h49")} == {"dementia"}


def test_the_broker_is_told_once_of_all_new_hubs(registry, brokers_told, between):
    registry.import_files(FILES, **BY)

    (told,) = brokers_told
    assert told["hub-49"] == f"hash of {49:022}"
    assert len(told) == HOMES


def test_a_sheet_cut_off_by_a_fall_is_entered_again_and_nothing_stands_twice(registry, store, between):
    def fall():
        raise Falls

    between[4] = fall
    with pytest.raises(Falls):
        registry.import_files(FILES, **BY)
    assert 0 < len(store.homes()) < HOMES

    said = registry.import_files(FILES, who="chen", now=NOW + timedelta(hours=1))

    assert is_complete(store)
    assert len(said.homes) < HOMES  # only what was left
    assert [len(store.overrides(f"h{n}")) for n in (0, 49)] == [1, 1]


def test_what_an_installer_changes_meanwhile_in_a_home_of_the_sheet_is_not_undone(registry, store, between):
    registry.import_files(FILES, **BY)
    renamed = {**FILES, "homes.csv": SHEET["homes.csv"].replace("Home", "House").encode()}
    later = NOW + timedelta(days=1)

    def install():
        spare = replace(store.home("h45").sensors[0], id="spare", address="spare")
        registry.put_sensor("h45", spare, who="installer", now=later)

    between[6] = install  # five pauses lie behind us
    registry.import_files(renamed, who="chen", now=later)

    assert store.home("h45").name == "House 45"
    assert [sensor.id for sensor in store.home("h45").sensors] == ["cord", "spare"]


def test_what_meanwhile_became_impossible_is_told_and_what_was_written_stays(registry, store, brokers_told, between):
    stranger = replace(_first_home(registry), id="stranger", code="c-49", person="", hubs=(), sensors=())
    between[4] = lambda: registry.open_home(stranger, who="installer", now=NOW)

    with pytest.raises(RegistrationError) as wrong:
        registry.import_files(FILES, **BY)

    first, *others = wrong.value.sentences
    assert str(first).startswith("Somebody else registered something")
    assert any("c-49" in str(sentence) for sentence in others)
    assert 0 < len(store.homes()) < HOMES
    assert len(brokers_told) == 1  # the hubs of what was written come in


def test_what_stands_beside_is_written_with_the_last_slice_and_only_then(registry, store, between):
    written = []
    between[2] = lambda: registry.open_home(_first_home(registry), who="installer", now=NOW)  # understood anew

    registry.beside(lambda ledger: written.append(len(store.homes()))).import_files(FILES, **BY)

    (before_the_last,) = written
    assert before_the_last >= HOMES - registering.WRITTEN_AT_ONCE
    assert is_complete(store)


def test_where_somebody_registers_all_the_time_the_rest_is_written_at_once(registry, store, monkeypatch):
    numbers = count()

    def register(seconds):
        registry.open_home(replace(_first_home(registry), id=f"new-{next(numbers)}", code=""), who="x", now=NOW)

    monkeypatch.setattr(registering, "sleep", register)
    registry.import_files(FILES, **BY)

    assert is_complete(store)
    assert len(store.homes()) == HOMES + registering.OVERTAKEN_AT_MOST


def test_what_became_impossible_while_somebody_registered_all_the_time_is_told_too(registry, store, monkeypatch):
    numbers = count(1)

    def register(seconds):
        is_last = next(numbers) == registering.OVERTAKEN_AT_MOST
        code = "c-49" if is_last else ""  # too late for all that was understood before
        registry.open_home(
            replace(_first_home(registry), id=f"new-{code}{len(store.homes())}", code=code), who="x", now=NOW
        )

    monkeypatch.setattr(registering, "sleep", register)
    with pytest.raises(RegistrationError) as wrong:
        registry.import_files(FILES, **BY)

    assert str(wrong.value.sentences[0]).startswith("Somebody else registered something")
    assert any("c-49" in str(sentence) for sentence in wrong.value.sentences[1:])


def _first_home(registry):
    """A home like those of the sheet, which nobody has registered."""
    home = registry.import_files(FILES, **BY, only_check=True).homes[0]
    return replace(home, id="other", code="", grid="", person="", hubs=(), sensors=(), state=Monitoring.REGISTERED)
