"""Every store forgets what it is told to forget, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.domain import (
    Alert,
    Consent,
    Contact,
    Duty,
    Entry,
    Finding,
    Grid,
    Home,
    Hub,
    Kind,
    Ladder,
    Override,
    Person,
    Profile,
    Reading,
    Relation,
    Room,
    Severity,
    State,
)
from gateway.ports import Account, Batch, HubDevice, Session, Timer

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


def a_home(name: str) -> Home:
    return Home(
        id=name,
        code=name.upper(),
        name=name,
        grid="g1",
        zone=ZoneInfo("Asia/Shanghai"),
        rooms=(Room(id="kitchen", name="厨房"),),
        hubs=(Hub(id=f"hub-{name}", home=name),),
        person=f"elder-{name}",
    )


def test_a_registry_forgets_a_household_and_its_people(registry):
    with registry.begin() as ledger:
        ledger.put_grid(Grid(code="g1", name="g", community=""))
        for name in ("a", "b"):
            person = f"elder-{name}"
            ledger.put_person(Person(id=person, name=name), NOON)
            ledger.put_phones(person, ["138"], NOON)
            ledger.put_profile(Profile(person=person, birth_year=1940), NOON)
            ledger.put_home(a_home(name), NOON)
            ledger.set_hub_secret(f"hub-{name}", "hash")
            ledger.put_contacts(name, [Contact(home=name, person=person, relation=Relation.CHILD)], NOON)
            ledger.give_consent(Consent(person=person, purpose="x", version="1", given_at=NOON, given_by=person))
            ledger.assign(person, Duty.VOLUNTEER, "g1", NOON)
            ledger.put_override(
                Override(home=name, key="bath_dwell", value="90", since=NOON, until=None, author="x", reason="x")
            )
    version = registry.version()

    with registry.begin() as ledger:
        ledger.forget_home("a")
        ledger.forget_person("elder-a")

    assert registry.version() > version
    assert [home.id for home in registry.homes()] == ["b"]
    assert [person.id for person in registry.people()] == ["elder-b"]
    assert (registry.contacts("a"), registry.overrides("a"), registry.consents("elder-a")) == ([], [], [])
    assert (registry.profile("elder-a"), registry.phones("elder-a")) == (None, ())
    assert set(registry.hub_secrets()) == {"hub-b"}
    assert len(registry.consents("elder-b")) == len(registry.overrides("b")) == len(registry.contacts("b")) == 1
    with registry.begin() as ledger:  # and the same may come again as somebody new
        ledger.put_person(Person(id="elder-a", name="new"), NOON)
        ledger.put_home(a_home("a"), NOON)
        number = ledger.give_consent(
            Consent(person="elder-a", purpose="x", version="1", given_at=NOON, given_by="elder-a")
        )
    assert [consent.number for consent in registry.consents("elder-a")] == [number]
    assert number not in [consent.number for consent in registry.consents("elder-b")]


def an_alert(name: str) -> Alert:
    finding = Finding(home=name, code="sos", severity=Severity.EMERGENCY, since=NOON, at=NOON)
    return Alert(
        id=finding.id,
        home=name,
        code="sos",
        subject="",
        severity=Severity.EMERGENCY,
        state=State.CLOSED,
        ladder=Ladder(rungs=()),
        raised_at=NOON,
        finding=finding,
    )


def test_alerts_are_forgotten_with_all_that_was_done(alerts):
    one, other = an_alert("a"), an_alert("b")
    with alerts.begin() as ledger:
        for alert in (one, other):
            ledger.save(alert)
            ledger.join(alert.finding, alert.id)
            ledger.write(Entry(alert=alert.id, at=NOON, what="raised"))
            ledger.set_timer(Timer(id=f"climb/{alert.id}", kind="climb", ref=alert.id, due_at=NOON))
            ledger.publish(NOON, "alert", alert.id, alert.home, "g1")

    with alerts.begin() as ledger:
        ledger.forget_alert(one.id)
        ledger.forget_home("a", [], "erased-1")

    assert [alert.id for alert in alerts.alerts()] == [other.id]
    assert (alerts.history(one.id), len(alerts.history(other.id))) == ([], 1)
    assert [timer.ref for timer in alerts.timers_due(NOON + timedelta(days=1))] == [other.id]
    assert [(event.ref, event.home) for event in alerts.events(0)] == [("erased-1", "erased-1"), (other.id, "b")]
    alerts.scrub()
    with alerts.begin() as ledger:
        assert ledger.join(one.finding, one.id), "what is found anew is new"


def test_an_account_is_forgotten_with_its_sessions(accounts):
    for login in ("mei", "wei"):
        accounts.put(Account(login=login, password_hash="x", person=login, duty=Duty.FAMILY, created_at=NOON))
        opened = Session(
            token_hash=login, login=login, created_at=NOON, expires_at=NOON + timedelta(days=1), seen_at=NOON
        )
        accounts.open_session(opened)

    accounts.forget("mei")
    accounts.forget("nobody")

    assert [account.login for account in accounts.accounts()] == ["wei"]
    assert accounts.session("mei", NOON) is None
    assert accounts.session("wei", NOON) is not None


def test_readings_are_forgotten_for_one_home_only(readings):
    def one(home: str, n: int) -> Reading:
        at = NOON + timedelta(seconds=n)
        return Reading(home, "m", "kitchen", Kind.MOTION, 1.0, at, at, arrival=n)

    heard = {"a": NOON, "b": NOON}
    told = [one("a", 1), one("b", 2), one("a", 3)]
    hubs = [HubDevice(hub=f"hub-{name}", address="1", name="1") for name in "ab"]
    readings.commit(Batch(readings=told, heard=heard, devices=hubs))

    assert readings.forget("a", {"hub-a"}, "erased-1") == 2

    until = NOON + timedelta(days=1)
    assert readings.readings("a", NOON, until) == []
    assert readings.readings("b", NOON, until) == [told[1]]
    assert set(readings.heard()) == {"b"}
    assert [device.hub for device in readings.devices()] == ["hub-b"]
    assert readings.last_arrival() == 3
    assert readings.forget("a", (), "erased-2") == 0
    readings.commit(Batch(readings=[replace(one("a", 9), arrival=9)], heard={"a": NOON}))
    assert len(readings.readings("a", NOON, until)) == 1, "and the same name may come again"
