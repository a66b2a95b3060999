"""What an installer does to a home: each act is one transaction, with its author, and leaves what was before known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain import (
    Commissioning,
    Consent,
    Contact,
    Duty,
    Grid,
    Home,
    Hub,
    Installation,
    Monitoring,
    Person,
    Power,
    Profile,
    Relation,
    Role,
    Room,
    RoomKind,
    Sensor,
)
from gateway.registry import LEARNING, RegistrationError, Registry
from gateway.stores.memory import MemoryRegistry

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
BY = {"who": "zhao", "now": NOW}
FLAT = Home(
    id="wang", code="A-101", name="王奶奶", grid="g1", zone=ZoneInfo("Asia/Shanghai"), state=Monitoring.REGISTERED
)
BEDROOM = Room(id="bedroom", name="卧室", kind=RoomKind.BEDROOM)
HALL = Room(id="hall", name="门口", kind=RoomKind.HALL)


def a_door(**changes) -> Sensor:
    door = Sensor(
        id="door", hub="hub-1", address="0x00158d0001a2b3c4", name="大门", room="hall", role=Role.EXIT_DOOR, model="A"
    )
    return replace(door, **changes)


@pytest.fixture
def store():
    kept = MemoryRegistry()
    with kept.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="一号网格", community="c"))
        ledger.put_person(Person(id="li", name="李伟"), NOW)
    return kept


@pytest.fixture
def hubs():
    """What the broker was told, each time."""
    return []


@pytest.fixture
def registry(store, hubs):
    return Registry(store, lambda secret: f"hash of {secret}", hubs.append)


@pytest.fixture
def flat(registry):
    """A home with two rooms, one hub and a door contact."""
    registry.open_home(FLAT, **BY)
    registry.put_room("wang", BEDROOM, **BY)
    registry.put_room("wang", HALL, **BY)
    registry.add_hub("wang", hub_id="hub-1", **BY)
    return registry.put_sensor("wang", a_door(), **BY)


def acts(store) -> list[tuple[str, str]]:
    return [(act.what, act.ref) for act in store.trail.acts]


# ------------------------------------------------------------------ two hands at once


class Busy(MemoryRegistry):
    """Somebody else is done just before the next transaction begins."""

    meanwhile = None

    def begin(self):
        other, self.meanwhile = self.meanwhile, None
        if other is not None:
            other()
        return super().begin()


def test_a_table_that_was_right_a_moment_ago_is_understood_anew():
    store = Busy()
    with store.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="一号网格", community="c"))
    registry = Registry(store, lambda secret: f"hash of {secret}")
    store.meanwhile = lambda: registry.open_home(FLAT, **BY)
    table = "id,name,grid,code\nli,李爷爷,g1,A-101\n".encode()

    with pytest.raises(RegistrationError, match="'A-101' belongs to home 'wang'"):
        registry.import_files({"homes.csv": table}, **BY)
    assert [home.id for home in store.homes()] == ["wang"]


# ------------------------------------------------------------------ a home from nothing


def test_a_home_is_built_up_act_by_act(flat, registry, store):
    assert store.home("wang") == flat
    assert [room.name for room in flat.rooms] == ["卧室", "门口"]
    assert acts(store) == [
        ("home.open", "wang"),
        ("room.put", "wang/bedroom"),
        ("room.put", "wang/hall"),
        ("hub.add", "wang/hub-1"),
        ("device.put", "wang/door"),
    ]
    assert {act.who for act in store.trail.acts} == {"zhao"}
    assert [(event.topic, event.home, event.grid) for event in store.trail.events] == [("registry", "wang", "g1")] * 5


def test_a_hub_is_named_by_chance_and_its_secret_is_kept_as_a_hash(registry, store, hubs):
    registry.open_home(FLAT, **BY)

    hub, secret = registry.add_hub("wang", **BY)
    other, other_secret = registry.add_hub("wang", interval=timedelta(seconds=30), **BY)

    assert hub.id != other.id and secret != other_secret
    assert hub.id.startswith("hub-") and "wang" not in hub.id
    assert len(secret) >= 22
    assert store.hub_secrets() == {hub.id: f"hash of {secret}", other.id: f"hash of {other_secret}"}
    assert hubs[-1] == store.hub_secrets()
    assert not [act for act in store.trail.acts if secret in str(act)]


def test_a_broken_hub_is_replaced_and_everything_hangs_on_the_new_one(flat, registry, store):
    hub, secret = registry.replace_hub("wang", "hub-1", **BY)

    assert store.home("wang").hubs == (hub,)
    assert store.home("wang").sensors == (a_door(hub=hub.id),)
    assert store.hub_secrets() == {hub.id: f"hash of {secret}"}


def test_a_hub_leaves_only_when_nothing_hangs_on_it(flat, registry, store):
    with pytest.raises(RegistrationError, match="there still hang 大门"):
        registry.remove_hub("wang", "hub-1", **BY)
    registry.remove_sensor("wang", "door", "搬走", **BY)

    registry.remove_hub("wang", "hub-1", **BY)

    assert store.home("wang").hubs == ()
    assert store.hub_secrets() == {}


def test_a_home_changes_and_what_changed_is_in_the_audit_but_not_its_words(flat, registry, store):
    registry.change_home("wang", address="幸福里 3 号楼", name="王奶奶", **BY)

    assert store.home("wang").address == "幸福里 3 号楼"
    assert store.trail.acts[-1].facts == (("address", ""),)
    with pytest.raises(TypeError, match="other use-cases"):
        registry.change_home("wang", state=Monitoring.GUARDED, **BY)


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda r: r.open_home(FLAT, **BY), "a home 'wang' already"),
        (lambda r: r.open_home(replace(FLAT, id="liu"), **BY), "'A-101' belongs to home 'wang'"),
        (lambda r: r.open_home(replace(FLAT, id="Wang Nainai", code=""), **BY), "no id of a home"),
        (lambda r: r.change_home("wang", grid="g9", **BY), "no grid 'g9'"),
        (lambda r: r.change_home("wang", person="nobody", **BY), "nobody 'nobody'"),
        (lambda r: r.change_home("wang", name="", **BY), "needs a name"),
        (lambda r: r.change_home("liu", name="x", **BY), "There is no home 'liu'"),
        (lambda r: r.put_room("wang", Room(id="living room", name="客厅"), **BY), "no id of a room"),
        (lambda r: r.remove_room("wang", "hall", **BY), "there still hang 大门"),
        (lambda r: r.remove_room("wang", "attic", **BY), "no room 'attic'"),
        (lambda r: r.add_hub("wang", hub_id="hub 7", **BY), "no space"),
        (lambda r: r.add_hub("wang", hub_id="hub-1", **BY), "'hub-1' is there twice"),
        (lambda r: r.add_hub("wang", interval=timedelta(seconds=1), **BY), "every 5 to 86400 seconds"),
        (lambda r: r.remove_hub("wang", "hub-9", **BY), "no hub 'hub-9'"),
        (lambda r: r.renew_secret("hub-1", "short", **BY), "at least 22"),
        (lambda r: r.put_sensor("wang", a_door(id="b", address="sos button"), **BY), "closes the connection"),
        (lambda r: r.put_sensor("wang", a_door(id="b", address="sos/#"), **BY), "closes the connection"),
        (lambda r: r.put_sensor("wang", a_door(id="b", address="0x00158D"), **BY), "must be an IEEE address"),
        (lambda r: r.put_sensor("wang", a_door(id="b"), **BY), "registered already, as device 'door'"),
        (lambda r: r.put_sensor("wang", a_door(room="attic"), **BY), "hangs in room 'attic'"),
        (lambda r: r.put_sensor("wang", a_door(hub="hub-9"), **BY), "names hub 'hub-9'"),
        (lambda r: r.move_sensor("wang", "door", "attic", **BY), "hangs in room 'attic'"),
        (lambda r: r.move_sensor("wang", "window", "hall", **BY), "no device 'window'"),
        (lambda r: r.remove_sensor("wang", "door", " ", **BY), "say why"),
        (lambda r: r.put_profile(Profile(person="li", birth_year=41), **BY), "1900"),
        (lambda r: r.put_profile(Profile(person="nobody"), **BY), "nobody 'nobody'"),
        (lambda r: r.put_person(Person(id="李 / 伟", name="李"), **BY), "no id of a person"),
        (lambda r: r.put_person(Person(id="li", name=""), **BY), "needs a name"),
        (lambda r: r.put_person(Person(id="li", name="李"), phones=["打给他"], **BY), "no telephone number"),
        (lambda r: r.put_person(Person(id="li", name="李"), duties=[(Duty.DEPUTY, "g9")], **BY), "no grid 'g9'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing(flat, registry, store, act, sentence):
    version, done = store.version(), acts(store)

    with pytest.raises(RegistrationError, match=sentence) as refusal:
        act(registry)

    assert store.version() == version
    assert acts(store) == done
    assert refusal.value.say("zh") != str(refusal.value), "it can be said in Chinese"


def test_the_devices_of_one_installer_are_not_lost_to_another(flat, registry, store):
    """Both looked at the home before either of them wrote."""
    elsewhere = Registry(store, str)

    registry.put_sensor("wang", a_door(id="window", address="0x00158d0001a2b3c5"), **BY)
    elsewhere.put_room("wang", Room(id="bath", name="卫生间"), **BY)

    assert [s.id for s in store.home("wang").sensors] == ["door", "window"]
    assert store.home("wang").room("bath") is not None


# ------------------------------------------------------------------ the life of a device


def test_a_replaced_device_keeps_its_id_so_its_history_goes_on(flat, registry, store):
    registry.replace_sensor(
        "wang", "door", hub="hub-1", address="0x00158d00ffffffff", model="B", power=Power.BATTERY, who="qian", now=LATER
    )

    assert store.home("wang").sensors == (a_door(address="0x00158d00ffffffff", model="B", power=Power.BATTERY),)
    assert store.trail.acts[-1].facts == (("address", "0x00158d00ffffffff"), ("replaced", "0x00158d0001a2b3c4"))
    assert [(row.sensor, row.at, row.by) for row in store.installations("wang")] == [
        ("door", NOW, "zhao"),
        ("door", LATER, "qian"),
    ]


def test_a_device_moves_and_goes(flat, registry, store):
    registry.move_sensor("wang", "door", "bedroom", **BY)
    assert store.home("wang").sensors == (a_door(room="bedroom"),)
    assert store.trail.acts[-1].facts == (("from", "hall"), ("to", "bedroom"))

    registry.remove_sensor("wang", "door", "房间改装", **BY)
    assert store.home("wang").sensors == ()
    assert store.trail.acts[-1].why == "房间改装"
    assert [row.sensor for row in store.installations("wang")] == ["door"]


def test_a_walk_test_and_the_record_of_a_home_are_kept(flat, registry, store):
    row = Installation(home="wang", sensor="door", at=LATER, by="zhao", link=90, passed=True)
    registry.note_installation(row, **BY)
    record = Commissioning(home="wang", at=LATER, by="zhao", rows=(row,), signature="M0 0", learning_until=LATER)
    registry.keep_record(record, **BY)

    assert store.installations("wang")[-1] == row
    assert store.records("wang") == [record]
    with pytest.raises(RegistrationError, match="no device 'window'"):
        registry.note_installation(replace(row, sensor="window"), **BY)


# ------------------------------------------------------------------ how a home stands


def test_a_home_on_trial_says_until_when_it_learns_and_is_guarded_by_a_person(flat, registry, store):
    registry.set_state("wang", Monitoring.TRIAL, **BY)
    assert store.home("wang").trial_until == NOW + LEARNING == NOW + timedelta(days=14)

    assert registry.end_pauses(now=LATER) == []
    assert store.home("wang").state is Monitoring.TRIAL, "the end of the learning period guards nobody by itself"

    registry.set_state("wang", Monitoring.TRIAL, trial_until=LATER, **BY)
    assert store.home("wang").trial_until == LATER
    registry.set_state("wang", Monitoring.GUARDED, **BY)
    assert store.home("wang").state is Monitoring.GUARDED
    assert store.home("wang").trial_until == LATER, "what is learnt does not grow with the state"


def test_an_empty_home_cannot_be_watched(registry):
    registry.open_home(FLAT, **BY)

    with pytest.raises(RegistrationError, match="Nothing hangs"):
        registry.set_state("wang", Monitoring.TRIAL, **BY)


def test_a_pause_has_a_reason_and_ends_as_it_began(flat, registry, store):
    registry.set_state("wang", Monitoring.TRIAL, trial_until=LATER, **BY)
    with pytest.raises(RegistrationError, match="say why"):
        registry.set_state("wang", Monitoring.PAUSED, **BY)

    registry.set_state("wang", Monitoring.PAUSED, why="住院", until=NOW + timedelta(days=3), **BY)
    (line,) = store.plan("wang", NOW)
    assert (line.key, line.reason, line.author, line.until) == ("pause", "住院", "zhao", NOW + timedelta(days=3))

    assert registry.end_pauses(now=NOW + timedelta(days=2)) == []
    assert registry.end_pauses(now=NOW + timedelta(days=3)) == ["wang"]
    assert store.home("wang").state is Monitoring.TRIAL
    assert registry.end_pauses(now=NOW + timedelta(days=4)) == []


def test_a_pause_without_an_end_waits_for_a_person_and_a_longer_one_remembers_what_was_before(flat, registry, store):
    registry.set_state("wang", Monitoring.GUARDED, **BY)
    registry.set_state("wang", Monitoring.PAUSED, why="住院", **BY)
    assert registry.end_pauses(now=LATER) == []

    registry.set_state("wang", Monitoring.PAUSED, why="转院", until=LATER, who="zhao", now=NOW + timedelta(days=1))
    assert [line.reason for line in store.plan("wang", NOW + timedelta(days=2))] == ["转院"]
    assert registry.end_pauses(now=LATER) == ["wang"]
    assert store.home("wang").state is Monitoring.GUARDED


def test_whoever_comes_home_early_ends_the_pause(flat, registry, store):
    registry.set_state("wang", Monitoring.PAUSED, why="探亲", until=LATER, **BY)
    registry.set_state("wang", Monitoring.GUARDED, who="zhao", now=NOW + timedelta(days=1))

    assert store.plan("wang", NOW + timedelta(days=1)) == []


@pytest.mark.parametrize("why", ["moved", "hospital", "died", "nursing_home", "withdrawn"])
def test_a_retired_home_says_why_and_its_hub_has_no_way_in(flat, registry, store, hubs, why):
    registry.maintain("wang", NOW + timedelta(hours=1), ["door"], why="拆除", **BY)
    registry.set_state("wang", Monitoring.RETIRED, why=why, who="zhao", now=NOW + timedelta(minutes=5))

    assert store.home("wang").state is Monitoring.RETIRED
    assert [line.key for line in store.plan("wang", NOW + timedelta(minutes=5))] == ["retired"]
    assert store.plan("wang", LATER)[0].value == why
    assert store.hub_secrets() == hubs[-1] == {}


def test_a_home_is_not_given_up_without_one_of_the_reasons(flat, registry):
    with pytest.raises(RegistrationError, match="moved, hospital, died, nursing_home"):
        registry.set_state("wang", Monitoring.RETIRED, why="其他", **BY)


def test_maintenance_names_what_is_tried_out_and_ends_by_itself(flat, registry, store):
    line = registry.maintain("wang", NOW + timedelta(hours=2), ["door"], why="换电池", **BY)

    assert store.plan("wang", NOW) == [line]
    assert (line.key, line.value) == ("maintenance", "door")
    assert store.plan("wang", NOW + timedelta(hours=2)) == []

    longer = registry.maintain(
        "wang", NOW + timedelta(hours=4), [], why="换电池", who="zhao", now=NOW + timedelta(hours=1)
    )
    assert store.plan("wang", NOW + timedelta(hours=1)) == [longer]
    registry.end_maintenance("wang", who="zhao", now=NOW + timedelta(hours=3))
    assert store.plan("wang", NOW + timedelta(hours=3)) == []
    registry.end_maintenance("wang", who="zhao", now=NOW + timedelta(hours=3))


@pytest.mark.parametrize(
    ("until", "testing", "why", "sentence"),
    [
        (timedelta(hours=5), [], "换电池", "within four hours"),
        (timedelta(0), [], "换电池", "within four hours"),
        (timedelta(hours=1), ["window"], "换电池", "no device 'window'"),
        (timedelta(hours=1), ["door"], "", "say what is done"),
    ],
)
def test_maintenance_is_short_and_of_known_devices(flat, registry, store, until, testing, why, sentence):
    with pytest.raises(RegistrationError, match=sentence):
        registry.maintain("wang", NOW + until, testing, why=why, **BY)

    assert store.plan("wang", NOW) == []


# ------------------------------------------------------------------ people


def test_people_keep_what_is_not_named(registry, store):
    registry.put_person(Person(id="sun", name="孙工"), phones=["13800001111"], duties=[(Duty.INSTALLER, "g1")], **BY)
    registry.put_person(Person(id="sun", name="孙师傅"), who="zhao", now=LATER)

    assert store.person("sun").name == "孙师傅"
    assert store.phones("sun") == ("13800001111",)
    assert store.on_duty("g1", Duty.INSTALLER, LATER) == [Person(id="sun", name="孙师傅")]


def test_contacts_come_with_people_we_did_not_know(flat, registry, store):
    contacts = [
        Contact(home="wang", person="wang-fang", relation=Relation.CHILD, hours="08:00-22:00", phones=("13800001111",)),
        Contact(home="wang", person="li", relation=Relation.KEY_HOLDER),
    ]
    registry.put_contacts("wang", contacts, people=[Person(id="wang-fang", name="王芳")], **BY)

    assert [(c.person, c.place, c.phones) for c in store.contacts("wang")] == [
        ("wang-fang", 0, ("13800001111",)),
        ("li", 1, ()),
    ]
    assert "13800001111" not in str(store.trail.acts)
    with pytest.raises(RegistrationError, match="are no hours"):
        registry.put_contacts("wang", [replace(contacts[0], hours="白天")], **BY)
    with pytest.raises(RegistrationError, match="nobody 'zhou'"):
        registry.put_contacts("wang", [replace(contacts[0], person="zhou")], **BY)
    assert len(store.contacts("wang")) == 2


def test_a_consent_is_given_and_withdrawn_once(registry, store):
    given = Consent(person="li", purpose="monitoring", version="1", given_at=NOW, given_by="本人")
    number = registry.give_consent(given, **BY)
    registry.withdraw_consent("li", number, who="zhao", now=LATER)

    assert store.consents("li") == [replace(given, number=number, withdrawn_at=LATER)]
    with pytest.raises(RegistrationError, match="withdrawn already"):
        registry.withdraw_consent("li", number, who="zhao", now=LATER)


def test_a_hub_in_two_homes_is_refused(flat, registry, store):
    registry.open_home(replace(FLAT, id="liu", code="B"), **BY)

    with pytest.raises(RegistrationError, match="already stands in home 'wang'"):
        registry.add_hub("liu", hub_id="hub-1", **BY)
    assert store.home("liu").hubs == ()
    assert store.hubs() == [Hub(id="hub-1", home="wang")]
