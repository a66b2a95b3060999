"""The power is cut in the middle of what a program does. It asks again with the same key, and it is done once."""

import json
from contextlib import contextmanager

import pytest
from test_api import Program
from walled_house import Walled

from gateway.domain import Monitoring, Purpose
from gateway.ports import Batch, Quarantined


class PowerCut(Exception):
    pass


@contextmanager
def cut_before(rig, monkeypatch, number):
    """The gateway dies when it begins this transaction of its book, and stays as it was before it."""
    writing, begun = rig.alerts.trail.writing, 0

    @contextmanager
    def until_it_dies():
        nonlocal begun
        begun += 1
        if begun == number:
            raise PowerCut
        with writing():
            yield

    with monkeypatch.context() as patch:
        patch.setattr(rig.alerts.trail, "writing", until_it_dies)
        yield


def _dies():
    raise PowerCut


@pytest.fixture
def rig():
    return Walled()


def every_fall(rig, monkeypatch, city, path, **said):
    """The act once for each place at which it can fall; each falls, is asked again, and is done. Gives how often."""
    for number in range(1, 12):
        city.keys, fell = city.keys + 1, False
        key, filled = f"wherever-it-falls-{city.keys}", json.loads(json.dumps(said).replace("{n}", str(number)))
        with cut_before(rig, monkeypatch, number):
            try:
                first = city.post(path, once=key, **filled)
            except PowerCut:
                fell = True
        if fell:
            first = city.post(path, once=key, **filled)
        again = city.post(path, once=key, **filled)
        assert first.status_code == again.status_code == 200, (number, first.text, again.text)
        assert first.json() == again.json(), number
        if not fell:
            return number
    raise AssertionError("it never came to an end")


def test_what_adds_something_adds_it_once_wherever_it_falls(rig, monkeypatch):
    city, registry = Program(rig), rig.registry

    done = every_fall(
        rig, monkeypatch, city, "/homes/h2/contacts", name="邻{n}", relation="neighbour", phones=["1390000000{n}"]
    )
    assert [registry.person(one.person).name for one in registry.contacts("h2")] == [
        f"邻{n}" for n in range(1, done + 1)
    ]

    last = registry.contacts("h2")[-1].person
    done = every_fall(rig, monkeypatch, city, f"/homes/h2/contacts/neighbour/{last}/up")
    assert [one.person for one in registry.contacts("h2")].index(last) == max(
        len(registry.contacts("h2")) - 1 - done, 0
    )

    done = every_fall(rig, monkeypatch, city, "/drills/people/liu")
    drills = {one.alert for one in rig.alerts.trials("liu") if one.purpose is Purpose.DRILL}
    assert len(drills) == 1  # all of them in one second; what counts is that none went twice
    assert len(rig.alerts.acts("liu", what="drill", who="api:city")) == done

    done = every_fall(rig, monkeypatch, city, "/homes", code="N-{n}", name="新户{n}", grid="g1")
    opened = [home for home in registry.homes() if home.code.startswith("N-")]
    assert len(opened) == done and all(registry.person(home.person).name == home.name for home in opened)


def test_a_visit_is_noted_once_wherever_it_falls(rig, monkeypatch):
    city = Program(rig)

    def goes_on(fall):
        rig.clock.go_on(minutes=5)
        return fall

    with cut_before(rig, monkeypatch, 2), pytest.raises(PowerCut):
        # the first is that somebody looked at the home, the second the visit
        city.post("/homes/h2/visits", once="noted-on-a-bad-line", person="liu", elder="well")
    assert goes_on(rig.alerts.visits("h2")) == []
    first, again = (
        goes_on(city.post("/homes/h2/visits", once="noted-on-a-bad-line", person="liu", elder="well")) for _ in range(2)
    )
    assert first.json() == again.json() and len(rig.alerts.visits("h2")) == 1


def test_an_installation_is_finished_once_wherever_it_falls(rig, monkeypatch):
    city, registry = Program(rig), rig.registry
    rig.rename("h1", state=Monitoring.REGISTERED)
    every_fall(rig, monkeypatch, city, "/homes/h1/walk/start")
    for sensor in registry.home("h1").sensors:
        before = len(registry.installations("h1"))
        done = every_fall(rig, monkeypatch, city, "/homes/h1/walk/note", sensor=sensor.id, note="电池明天带来")
        assert len(registry.installations("h1")) == before + done
    every_fall(rig, monkeypatch, city, "/homes/h1/walk/end")
    papers = len(registry.consents("wang"))
    done = every_fall(rig, monkeypatch, city, "/homes/h1/consent", purposes=["whereabouts", "sharing"], paper="{n}-17")
    assert len(registry.consents("wang")) == papers + 2 * done
    done = every_fall(rig, monkeypatch, city, "/homes/h1/records", days=14)
    assert len(registry.records("h1")) == done and registry.home("h1").state is Monitoring.TRIAL


def test_a_device_whose_answer_was_lost_is_registered_all_the_same(rig, monkeypatch):
    city, now = Program(rig), rig.clock.now()
    unread = Quarantined("shouwang/hub-2/plain/door/1", "unknown-device", now, 9, b"{}", "hub-2", "")
    rig.readings.commit(Batch(quarantined=[unread]))
    (found,) = city.get("/homes/h2/inbox").json()["devices"]
    said = {"hub": found["hub"], "address": found["address"], "room": "kitchen", "role": "opening"}
    with monkeypatch.context() as patch:
        patch.setattr("dashboard.answers.Once.keep_alone", lambda *_: _dies())
        with pytest.raises(PowerCut):
            city.post("/homes/h2/devices", once="the-fridge-of-h2", **said)

    told = city.post("/homes/h2/devices", once="the-fridge-of-h2", **said)

    assert told.status_code == 200 and told.json()["ref"] in {one.id for one in rig.registry.home("h2").sensors}
    assert len([one for one in rig.registry.home("h2").sensors if one.address == found["address"]]) == 1
