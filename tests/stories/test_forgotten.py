"""A household asks for a copy of everything, and then to be forgotten: on real files, looked through byte by byte."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.desk import Desk
from gateway.domain import (
    Consent,
    Contact,
    Delivery,
    Duty,
    Finding,
    Grid,
    Home,
    Hub,
    Installation,
    Kind,
    Look,
    Outcome,
    Person,
    Profile,
    Purpose,
    Reach,
    Reading,
    Relation,
    Role,
    Room,
    Sensor,
    Severity,
    Sight,
)
from gateway.domain.trail import examined
from gateway.ports import Account, Batch, HubDevice, Session
from gateway.privacy import Privacy
from gateway.registry import RegistrationError, Registry
from gateway.sharing import Sharing
from gateway.stores.readings import SqliteReadings
from gateway.stores.sql import SqlAccounts, SqlAlerts, SqlRegistry, open_book

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
TRACES = (
    "王秀兰",
    "wang-xiulan",
    "13800001111",
    "东风路 3 号 402",
    "高血压",
    "王小梅",
    "13900002222",
    "home-wang",
    "Q-402",
)
"""Whatever leads to her: name, id, telephone, address, illness, her daughter, her household."""


class Town:
    """Mrs Wang, her daughter, and Mr Li next door, who stays; in files."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.engine = open_book(f"sqlite:///{folder}/gateway.db")
        self.alerts, self.registry = SqlAlerts(self.engine), SqlRegistry(self.engine)
        self.accounts, self.readings = SqlAccounts(self.engine), SqliteReadings(folder / "readings.db")
        self.registrar = Registry(self.registry, lambda secret: f"hash of {secret}")
        self.desk = Desk(self.alerts, self.registry)
        self.photos = folder / "photos"
        self.photos.mkdir()
        self.privacy = Privacy(
            self.alerts, self.registry, self.registrar, self.accounts, self.readings, self.photos, folder
        )
        self.settle()

    def settle(self) -> None:
        by = {"who": "ma", "now": NOON}
        people = {"wang-xiulan": "王秀兰", "mei": "王小梅", "li": "李建国", "liu": "刘网格员"}
        with self.registry.begin() as ledger:
            ledger.put_grid(Grid(code="g1", name="一号网格", community=""))
            for person, name in people.items():
                ledger.put_person(Person(id=person, name=name, reaches=(Reach(channel="console"),)), NOON)
            ledger.put_phones("wang-xiulan", ["13800001111"], NOON)
            ledger.put_phones("mei", ["13900002222"], NOON)
            ledger.assign("liu", Duty.GRID_WORKER, "g1", NOON - timedelta(days=1))
        for home, code, resident in (("home-wang", "Q-402", "wang-xiulan"), ("home-li", "Q-403", "li")):
            self.registrar.open_home(
                Home(
                    id=home,
                    code=code,
                    name=people[resident],
                    grid="g1",
                    zone=ZoneInfo("Asia/Shanghai"),
                    rooms=(Room(id="kitchen", name="厨房"),),
                    hubs=(Hub(id=f"hub-{code.lower()}", home=home),),
                    sensors=(
                        Sensor(
                            id="m",
                            hub=f"hub-{code.lower()}",
                            address=f"0x00158d0001a2b3{resident == 'li':02x}",
                            name="厨房",
                            room="kitchen",
                            role=Role.MOTION,
                        ),
                    ),
                    address="东风路 3 号 402" if resident != "li" else "东风路 3 号 403",
                    person=resident,
                ),
                **by,
            )
        self.registrar.put_profile(Profile(person="wang-xiulan", conditions="高血压", birth_year=1941), **by)
        self.registrar.put_contacts(
            "home-wang",
            [
                Contact(home="home-wang", person="mei", relation=Relation.CHILD, may_see=Sight.ALL),
                Contact(home="home-wang", person="li", relation=Relation.NEIGHBOUR),
            ],
            **by,
        )
        self.registrar.give_consent(
            Consent(person="wang-xiulan", purpose="health", version="1", given_at=NOON, given_by="wang-xiulan"), **by
        )
        agreed = {"version": "1", "given_by": "wang-xiulan", "evidence": "paper"}
        Sharing(self.registry).show("home-wang", "mei", list(Look), **agreed, **by)
        self.registrar.read_profile("wang-xiulan", **by)
        self.registrar.change_home("home-wang", access="钥匙在王小梅处", **by)
        (self.photos / "a.jpg").write_bytes(b"picture")
        (self.photos / "b.jpg").write_bytes(b"another")
        for home, photo in (("home-wang", "a.jpg"), ("home-li", "b.jpg")):
            self.registrar.note_installation(Installation(home=home, sensor="m", at=NOON, by="liu", photo=photo), **by)
        for login, duty in (("wang-xiulan", Duty.ELDER), ("mei", Duty.FAMILY), ("liu", Duty.GRID_WORKER)):
            self.accounts.put(Account(login=login, password_hash="x", person=login, duty=duty, created_at=NOON))
        self.accounts.open_session(
            Session(token_hash="t", login="mei", created_at=NOON, expires_at=NOON + timedelta(days=1), seen_at=NOON)
        )
        for number in range(400):
            at = NOON - timedelta(minutes=number)
            readings = [
                Reading(home, "m", "kitchen", Kind.MOTION, 1.0, at, at, arrival=2 * number + n + 1)
                for n, home in enumerate(("home-wang", "home-li"))
            ]
            heard = {"home-wang": at, "home-li": at}
            self.readings.commit(Batch(readings=readings, heard=heard))
        self.readings.commit(
            Batch(devices=[HubDevice(hub="hub-q-402", address="0x00158d0001a2b3c4", name="home-wang 厨房")])
        )
        self.alert = self.raise_one("home-wang")
        self.other = self.raise_one("home-li")

    def raise_one(self, home: str):
        finding = Finding(home=home, code="sos", severity=Severity.EMERGENCY, since=NOON, at=NOON)
        (verdict,) = self.desk.take([finding], NOON)
        return verdict.alert

    def see_to_it(self, alert, note: str) -> None:
        self.desk.accept(alert.id, "liu", NOON, "page")
        self.desk.resolve(alert.id, "liu", Outcome.ACCIDENTAL_PRESS, note, NOON)
        self.desk.close(alert.id, "liu", NOON)

    def bytes_left(self) -> str:
        """Everything in the folder, as one text: the files, their logs, and what lies beside them."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


@pytest.fixture
def town(tmp_path):
    town = Town(tmp_path)
    yield town
    town.readings.close()
    town.engine.dispose()


def test_a_copy_holds_everything_and_nobody_elses(town):
    town.see_to_it(town.alert, "王秀兰说按错了")

    packed = zipfile.ZipFile(io.BytesIO(town.privacy.export("home-wang", who="ma", now=NOON)))
    told = {name: packed.read(name).decode("utf-8", "replace") for name in packed.namelist()}

    assert set(told) == {
        "README.txt",
        "household.json",
        "person.json",
        "alerts.json",
        "readings.csv",
        "looks.csv",
        "photos/a.jpg",
    }
    person, household = json.loads(told["person.json"]), json.loads(told["household.json"])
    assert person["profile"]["conditions"] == "高血压"
    assert len(person["consents"]) == 5
    assert [contact["name"] for contact in household["contacts"]] == ["王小梅", "李建国"]
    assert told["readings.csv"].count("kitchen") == 400
    (alert,) = json.loads(told["alerts.json"])
    assert alert["alert"]["note"] == "王秀兰说按错了"
    assert alert["history"]
    assert all(message["address"] == "" for message in alert["messages"])
    assert "profile.read" in told["looks.csv"]
    assert "home-li" not in "".join(told.values())
    assert town.alerts.acts("home-wang", what="privacy.export")[0].who == "ma"


def test_a_name_that_begins_like_a_formula_is_text_in_a_table(town):
    town.registrar.change_home("home-wang", name="=HYPERLINK(1)", who="=cmd|1", now=NOON)

    packed = zipfile.ZipFile(io.BytesIO(town.privacy.export("home-wang", who="ma", now=NOON)))

    assert ",'=cmd|1," in packed.read("looks.csv").decode("utf-8-sig")


def test_forgotten_means_that_no_byte_of_it_is_left(town):
    assert all(trace in town.bytes_left() for trace in TRACES if trace != "高血压")
    town.see_to_it(town.alert, "王秀兰说按错了")
    anchor = town.alerts.trail_end()

    erased = town.privacy.erase("home-wang", why="本人申请", who="ma", now=NOON + timedelta(hours=1))

    left = town.bytes_left()
    assert {trace: left.count(trace) for trace in TRACES} == dict.fromkeys(TRACES, 0)
    assert erased.counts["readings"] == 400
    assert erased.counts["accounts"] == 2
    assert (town.photos / "b.jpg").exists() and not (town.photos / "a.jpg").exists()
    assert town.registry.home("home-wang") is None
    assert {person.id for person in town.registry.people()} == {"li", "liu"}, "who is known elsewhere stays"

    rows = list(town.privacy.trail())
    assert examined(rows, [anchor]) == [], "and the audit trail is whole"
    proof = town.alerts.acts(erased.stand_in, what="privacy.erased")
    assert dict(proof[0].facts)["readings"] == "400"
    assert any(act.who == "liu" for act in town.alerts.acts(erased.stand_in)), "what staff did is still theirs"


def test_the_neighbour_and_the_figures_stay_as_they_are(town):
    town.see_to_it(town.alert, "")
    before = town.readings.readings("home-li", NOON - timedelta(days=1), NOON + timedelta(days=1))

    town.privacy.erase("home-wang", why="本人申请", who="ma", now=NOON)

    assert town.readings.readings("home-li", NOON - timedelta(days=1), NOON + timedelta(days=1)) == before
    assert town.alerts.alert(town.other.id).is_ringing
    raised = town.alerts.raised(NOON - timedelta(hours=1), NOON + timedelta(hours=1), code="sos")
    assert len(raised) == 2
    (nobodys,) = [alert for alert in raised if alert.home == "grid:g1"]
    assert nobodys.outcome is Outcome.ACCIDENTAL_PRESS
    assert nobodys.accepted_at == NOON
    assert (nobodys.owner, nobodys.note, nobodys.subject, nobodys.finding.facts) == ("", "", "", ())
    assert town.alerts.history(nobodys.id) == []
    assert [reading.home for reading in town.readings.replay(home="home-wang")] == []


def test_nobody_is_forgotten_while_they_are_being_helped(town):
    with pytest.raises(RegistrationError, match="open"):
        town.privacy.erase("home-wang", why="本人申请", who="ma", now=NOON)
    with pytest.raises(RegistrationError):
        town.privacy.erase("home-wang", why=" ", who="ma", now=NOON)
    with pytest.raises(RegistrationError, match="no home"):
        town.privacy.erase("nowhere", why="本人申请", who="ma", now=NOON)

    assert town.registry.home("home-wang") is not None
    assert town.readings.heard()["home-wang"]


def test_a_message_that_waits_goes_with_the_rest(town):
    town.see_to_it(town.alert, "")
    late = Delivery(
        id="late",
        alert=town.alert.id,
        purpose=Purpose.OVER,
        person="mei",
        channel="console",
        address="13900002222",
        created_at=NOON,
    )
    with town.alerts.begin() as ledger:
        ledger.queue(replace(late))

    town.privacy.erase("home-wang", why="本人申请", who="ma", now=NOON)

    assert town.alerts.delivery("late") is None
