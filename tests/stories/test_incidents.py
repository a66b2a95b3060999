"""What belongs together is told together: desk and courier, in virtual time."""

from random import Random
from zoneinfo import ZoneInfo

import pytest
from test_care_loop import LONG_AGO, NAMES, House, at, is_down, refuses

from alerts.desk import Desk
from gateway.domain import (
    Alert,
    Area,
    Contact,
    Duty,
    Finding,
    Grid,
    Home,
    Hub,
    Outcome,
    Override,
    Person,
    Reach,
    Relation,
    Sending,
    Severity,
    State,
)

STREET = [f"a{n}" for n in range(40)]
"""The homes of one grid; another grid of the same community has as many."""


class Town(House):
    """The same house, and eighty others; what is over by itself is said by the story."""

    def __init__(self, **more: object) -> None:
        self.over: set[tuple[str, str, str]] = set()
        super().__init__(**more)  # type: ignore[arg-type]
        with self.registry.begin() as book:
            book.put_area(Area(code="c1", name="文三社区", level="community", parent="310106"), LONG_AGO)
            for grid, letter in (("ga", "a"), ("gb", "b")):
                book.put_grid(Grid(code=grid, name=f"{letter} 网格", community="c1"))
                for person in NAMES:
                    duty = {"zhang": Duty.GRID_WORKER, "wang": Duty.SUPERVISOR, "zhao": Duty.INSTALLER}.get(person)
                    if duty is not None:
                        book.assign(person, duty, grid, LONG_AGO)
                for n in range(40):
                    name = f"{letter}{n}"
                    hub = Hub(id=f"hub-{name}", home=name)
                    book.put_home(
                        Home(
                            id=name,
                            code=name.upper(),
                            name=name,
                            grid=grid,
                            zone=ZoneInfo("Asia/Shanghai"),
                            hubs=(hub,),
                        ),
                        LONG_AGO,
                    )

    def restart(self) -> None:
        super().restart()
        self.desk = Desk(self.store, self.registry, catalogue=self.catalogue, has_passed=self._is_over)
        self.courier._desk = self.desk

    def _is_over(self, finding: Finding) -> bool:
        return (finding.home, finding.code, finding.subject) in self.over

    def notices(
        self,
        code: str,
        home: str = "h1",
        severity: Severity | None = None,
        subject: str = "",
        since: float | None = None,
    ) -> Finding:
        finding = Finding(
            home=home,
            code=code,
            severity=severity or self.catalogue.entry(code).severity,
            since=self._now if since is None else at(since),
            at=self._now,
            subject=subject,
        )
        self.desk.take([finding], self._now)
        return finding

    def detects(self, code: str, sensor: str) -> None:
        facts = (("sensor", sensor),)
        found = Finding(home="h1", code=code, severity=Severity.EMERGENCY, since=self._now, at=self._now, facts=facts)
        self.desk.take([found], self._now)

    def goes_dark(self, home: str) -> None:
        self.over.discard((home, "home_silent", ""))
        self.notices("home_silent", home)

    def comes_back(self, home: str) -> None:
        self.over.add((home, "home_silent", ""))

    def of(self, code: str) -> list[Alert]:
        return [alert for alert in self.store.alerts(limit=1000) if alert.code == code]

    def told(self, *people: str) -> list[tuple[float, str]]:
        return [(when, who) for when, purpose, who in self.phone.rang if purpose == "page" and who in (people or NAMES)]

    def whats(self, alert: Alert) -> list[str]:
        return [entry.what for entry in self.store.history(alert.id)]


@pytest.fixture
def town() -> Town:
    return Town()


# --------------------------------------------------------------------------- one home, one incident


async def test_a_press_a_fall_and_a_silence_are_one_ladder(town):
    town.notices("sos")
    await town.until(20)
    town.notices("fall", severity=Severity.EMERGENCY)
    await town.until(50)
    town.notices("inactivity")
    await town.until(100)

    (alert,) = town.store.alerts()
    assert (alert.code, [one.finding.code for one in alert.also]) == ("sos", ["fall", "inactivity"])
    assert town.told("zhang", "li") == [(0, "zhang"), (60, "li")]
    assert town.whats(alert).count("joined") == 2


async def test_the_deputy_reads_what_else_was_found(town):
    town.notices("sos")
    await town.until(20)
    town.notices("inactivity")
    await town.until(61)

    assert "同时发现：长时间无活动。" in town.phone.letters[-1].body


async def test_gas_during_a_silence_calls_everybody_from_the_start_for_gas(town):
    town.notices("inactivity")
    await town.until(700)
    calls = len(town.told())
    town.notices("gas")
    await town.until(761)

    (alert,) = town.store.alerts()
    assert (alert.code, alert.severity, alert.worse_at) == ("gas", Severity.EMERGENCY, at(700))
    assert [one.finding.code for one in alert.also] == ["inactivity"]
    assert town.told("zhang", "li")[calls:] == [(700, "zhang"), (760, "li")]
    assert "勿开关电器" in town.phone.letters[-1].body


async def test_gas_that_joins_a_fire_brings_its_advice_along(town):
    town.notices("smoke")
    town.notices("gas")
    await town.until(1)

    assert "勿开关电器" in town.phone.letters[-1].body
    assert len(town.store.alerts()) == 1


async def test_a_second_detector_calls_the_fire_station_at_once(town):
    """One may err; nobody waits a minute to be sure of two."""
    with town.registry.begin() as book:
        book.put_person(
            Person(id="fire", name="微型消防站", reaches=(Reach(channel="phone", address="fire"),)), LONG_AGO
        )
        book.assign("fire", Duty.FIRE_STATION, "g1", LONG_AGO)
    town.detects("smoke", "kitchen")
    await town.until(10)
    town.detects("smoke", "kitchen")
    await town.until(20)
    assert [who for _, _, who in town.phone.rang].count("fire") == 0, "the same one again is no second"

    town.detects("co", "bedroom")
    await town.until(25)
    town.detects("smoke", "kitchen")
    await town.until(30)

    assert [(when, who) for when, what, who in town.phone.rang if what == "page"][-2:] == [(20, "li"), (20, "fire")]


async def test_whoever_has_it_hears_what_else_was_found(town):
    town.notices("sos")
    await town.until(10)
    town.desk.accept(town.alert().id, "zhang", at(10))
    await town.until(100)
    town.notices("leak")
    await town.until(101)

    assert town.phone.rang[-1] == (100, "again", "zhang")
    assert "期间又发现：疑似漏水。" in town.phone.letters[-1].body
    assert town.alert().state is State.ACCEPTED


async def test_an_evenings_silence_is_not_swallowed_by_what_was_accepted_in_the_morning(town):
    town.notices("sos")
    await town.until(10)
    town.desk.accept(town.alert().id, "zhang", at(10))
    town.desk.on_site(town.alert().id, "zhang", at(600))
    await town.until(10 * 3600)
    town.notices("inactivity")
    await town.until(11 * 3600)

    assert {alert.code for alert in town.store.alerts()} == {"sos", "inactivity"}
    assert (36_000, "zhang") in town.told()


async def test_an_assistance_key_does_not_wait_until_a_silence_has_been_asked_about():
    """The resident is asked about the silence first; the key alone would have called the grid worker at once."""
    town = Town()
    with town.registry.begin() as book:
        book.put_person(Person(id="mei", name="小梅", reaches=(Reach(channel="phone", address="mei"),)), LONG_AGO)
        book.put_contacts("h1", [Contact(home="h1", person="mei", relation=Relation.CHILD)], LONG_AGO)
    town.notices("inactivity")
    await town.until(10)
    assert (town.told("mei"), town.told("zhang")) == ([(0, "mei")], []), "the family first"
    town.notices("assist")
    await town.until(11)

    (alert,) = town.store.alerts()
    assert alert.code == "inactivity"
    assert town.told("zhang") == [(10, "zhang")]
    assert town.told("mei") == [(0, "mei")], "she knows already"


async def test_what_is_worse_never_calls_anybody_later():
    """Water on the floor would call the grid worker in a minute; the silence alone would ask the family first."""
    town = Town()
    with town.registry.begin() as book:
        book.put_person(Person(id="mei", name="小梅", reaches=(Reach(channel="phone", address="mei"),)), LONG_AGO)
        book.put_contacts("h1", [Contact(home="h1", person="mei", relation=Relation.CHILD)], LONG_AGO)
    town.notices("leak")
    await town.until(290)
    town.notices("inactivity")
    await town.until(301)

    (alert,) = town.store.alerts()
    assert (alert.code, alert.severity) == ("inactivity", Severity.HIGH)
    assert town.told("zhang") == [(290, "zhang")]


async def test_two_pendants_are_two_alerts_with_two_owners(town):
    town.notices("sos", subject="wang-nainai")
    town.notices("sos", subject="li-yeye")
    await town.until(5)
    first, second = town.store.alerts()
    town.desk.accept(first.id, "zhang", at(5))

    assert town.store.alert(second.id).is_ringing


async def test_a_blind_home_and_a_press_do_not_know_each_other(town):
    town.notices("home_silent", severity=Severity.MEDIUM)
    town.notices("sos")
    town.notices("device_offline", subject="s1")
    await town.until(5)
    town.desk.accept(town.of("sos")[0].id, "zhang", at(5))

    assert {alert.code for alert in town.store.alerts()} == {"home_silent", "sos", "device_offline"}
    assert town.of("home_silent")[0].is_ringing


# --------------------------------------------------------------------------- a hub and its devices


async def test_a_silent_hub_speaks_for_its_eight_devices(town):
    for n in range(4):
        town.notices("device_offline", "a1", subject=f"s{n}")
    town.notices("home_silent", "a1")
    for n in range(4, 8):
        town.notices("device_offline", "a1", subject=f"s{n}")
    await town.until(2 * 86_400)

    assert {who for _, who in town.told()} <= {"zhao"}
    silent = town.of("home_silent")[0]
    assert all(alert.incident == silent.id and alert.is_muted for alert in town.of("device_offline"))
    assert town.whats(silent).count("speaks") == 8
    assert {alert for alert, _ in said_about(town)} == {silent.id}


async def test_when_the_hub_is_back_what_stays_silent_is_told_and_what_speaks_is_not(town):
    town.notices("home_silent", "a1")
    for n in range(3):
        town.notices("device_offline", "a1", subject=f"s{n}")
    await town.until(3600)
    town.comes_back("a1")
    town.over |= {("a1", "device_offline", "s0"), ("a1", "device_offline", "s1")}
    await town.until(2 * 3600)

    states = {alert.subject: alert.state for alert in town.of("device_offline")}
    assert states == {"s0": State.CLOSED, "s1": State.CLOSED, "s2": State.NOTIFIED}
    assert [alert.split("/")[2] for alert, _ in said_about(town)] == ["-", "s2"]


async def test_a_restart_while_devices_are_muted_changes_nothing(town):
    town.notices("home_silent", "a1")
    town.notices("device_offline", "a1", subject="s0")
    await town.until(100)
    town.restart()
    await town.until(7200)
    town.comes_back("a1")
    town.restart()
    await town.until(7200 + 60)
    town.restart()
    await town.until(3 * 3600)

    assert [alert.split("/")[2] for alert, _ in said_about(town)] == ["-", "s0"]


async def test_when_the_hubs_alert_is_filed_and_the_device_is_still_silent_it_is_told(town):
    town.notices("home_silent", "a1")
    town.notices("device_offline", "a1", subject="s0")
    await town.until(60)
    town.desk.resolve(town.of("home_silent")[0].id, "zhao", Outcome.SENSOR_FAULT, "", at(60))
    await town.until(3600)

    assert not town.of("device_offline")[0].is_muted
    assert "released" in town.whats(town.of("device_offline")[0])


def said_about(town: Town) -> list[tuple[str, str]]:
    """What each message was about, once for each alert and person."""
    seen = {}
    for alert in town.store.alerts(limit=1000):
        for delivery in town.store.deliveries(alert.id):
            if delivery.state is Sending.SENT and delivery.purpose.value == "page":
                seen.setdefault((alert.id, delivery.person), delivery.sent_at)
    return sorted(seen, key=lambda key: (seen[key], key))


# --------------------------------------------------------------------------- a street that has gone dark


async def test_twelve_homes_of_a_street_are_one_incident_with_its_list(town):
    for n in range(12):
        await town.until(n * 15)
        town.goes_dark(f"a{n}")
    await town.until(300)

    (outage,) = town.of("area_outage")
    assert outage.subject == "ga"
    assert [alert.home for alert in town.store.members(outage.id)] == sorted(f"a{n}" for n in range(12))
    assert all(alert.is_muted for alert in town.of("home_silent"))
    assert {who for alert, who in said_about(town) if alert == outage.id} == {"wang", "zhao"}
    assert "zhang" not in {who for _, who in said_about(town)}


async def test_half_an_hour_later_no_grid_worker_gets_a_dozen_blind_homes(town):
    for n in range(12):
        town.goes_dark(f"a{n}")
    await town.until(1800)
    for n in range(12):
        town.notices("home_silent", f"a{n}", Severity.MEDIUM, since=0)
    await town.until(7200)

    assert "zhang" not in {who for _, who in said_about(town)}
    assert {alert.severity for alert in town.of("home_silent")} == {Severity.MEDIUM}


async def test_the_list_says_which_homes_are_back_and_a_person_ends_it(town):
    for n in range(6):
        town.goes_dark(f"a{n}")
    await town.until(600)
    for n in range(5):
        town.comes_back(f"a{n}")
    await town.until(1200)
    (outage,) = town.of("area_outage")
    assert {a.home for a in town.store.members(outage.id) if a.is_open} == {"a5"}

    town.comes_back("a5")
    await town.until(1800)
    calls = len(town.told())
    await town.until(86_400)

    outage = town.store.alert(outage.id)
    assert outage.is_open, "a person looks whether all is well, and says so"
    assert len(town.told()) == calls, "but nobody is called any more"
    assert town.whats(outage).count("back") == 6
    assert town.whats(outage).count("all-back") == 1
    town.desk.resolve(outage.id, "wang", Outcome.SENSOR_FAULT, "停电", at(86_400))
    assert town.of("area_outage")[0].state is State.RESOLVED


async def test_a_home_that_stays_dark_after_the_outage_was_ended_is_told_by_itself(town):
    for n in range(6):
        town.goes_dark(f"a{n}")
    await town.until(600)
    for n in range(5):
        town.comes_back(f"a{n}")
    await town.until(900)
    town.desk.resolve(town.of("area_outage")[0].id, "wang", Outcome.SENSOR_FAULT, "", at(900))
    await town.until(3600)

    assert [alert.home for alert in town.of("home_silent") if alert.is_open] == ["a5"]
    assert not town.store.alerts(home="a5")[0].is_muted


async def test_two_grids_that_fall_dark_grow_into_one_outage(town):
    for n in range(8):
        town.goes_dark(f"a{n}")
    await town.until(60)
    for n in range(20):
        town.goes_dark(f"b{n}")
    await town.until(300)

    ringing = [alert for alert in town.of("area_outage") if not alert.is_muted]
    assert [alert.subject for alert in ringing] == ["c1"]
    assert len([a for a in town.store.members(ringing[0].id) if a.code == "home_silent"]) == 28


async def test_quiet_hours_of_homes_do_not_hide_that_their_street_is_dark(town):
    with town.registry.begin() as book:
        for n in range(6):
            book.put_override(
                Override(
                    home=f"a{n}",
                    key="quiet",
                    value="09:00-18:00",
                    since=LONG_AGO,
                    until=None,
                    author="wang",
                    reason="sleeps",
                )
            )
    for n in range(6):
        town.goes_dark(f"a{n}")
    await town.until(60)

    (outage,) = town.of("area_outage")
    assert {who for _, who in said_about(town)} == {"wang", "zhao"}
    assert len(town.store.members(outage.id)) == 6


async def test_four_homes_are_four_faults(town):
    for n in range(4):
        town.goes_dark(f"a{n}")
    await town.until(200)

    assert town.of("area_outage") == []
    assert len(said_about(town)) == 4


async def test_homes_that_fall_silent_one_by_one_over_hours_are_faults(town):
    for n in range(8):
        await town.until(n * 1800)
        town.goes_dark(f"a{n}")

    assert town.of("area_outage") == []


async def test_a_press_in_a_dark_street_rings_as_ever(town):
    for n in range(12):
        town.goes_dark(f"a{n}")
    town.notices("sos", "a3")
    await town.until(1)

    assert (0, "zhang") in town.told()


# --------------------------------------------------------------------------- many calls to one person


def letters_to(town: Town, person: str) -> list[tuple[float, str]]:
    rang = zip(town.phone.rang, town.phone.letters, strict=True)
    return [(when, letter.title) for (when, _, who), letter in rang if who == person]


async def storm(town: Town, count: int = 40, press_at: int = 20) -> None:
    for n in range(count):
        await town.until(n * 1.5)
        town.notices("inactivity", f"a{n}")
        if n == press_at:
            town.notices("sos", "a39")


async def test_forty_silences_in_a_minute_are_a_few_messages_and_a_press_rings_at_once(town):
    await storm(town, 39)
    await town.until(300)

    letters = letters_to(town, "zhang")
    assert next(when for when, title in letters if "紧急呼叫" in title) == 30
    others = [(when, title) for when, title in letters if "紧急呼叫" not in title]
    assert [when for when, _ in others] == [0, 1.5, 3, 124.5]
    assert "几分钟内 36 条预警 · 最紧急：长时间无活动" in others[-1][1]
    assert all(alert.notified_at is not None for alert in town.store.alerts(limit=1000))


async def test_three_alerts_within_minutes_are_three_messages(town):
    await storm(town, 3, press_at=99)
    await town.until(200)

    assert [when for when, _ in letters_to(town, "zhang")] == [0, 1.5, 3]


async def test_what_has_waited_and_was_accepted_meanwhile_is_not_called_any_more(town):
    await storm(town, 6, press_at=99)
    for n in (3, 4):
        (alert,) = town.store.alerts(home=f"a{n}")
        town.desk.accept(alert.id, "wang", town.now())
    await town.until(200)

    assert [when for when, _ in letters_to(town, "zhang")] == [0, 1.5, 3, 124.5]
    assert "长时间无活动 · 户号 A5" in letters_to(town, "zhang")[-1][1]


async def test_a_restart_while_calls_wait_changes_nothing(town):
    await storm(town, 10, press_at=99)
    town.restart()
    await town.until(60)
    town.restart()
    await town.until(300)

    assert [when for when, _ in letters_to(town, "zhang")] == [0, 1.5, 3, 124.5]


async def test_when_the_one_message_cannot_leave_and_its_alert_is_accepted_the_others_go_by_themselves(town):
    await storm(town, 6, press_at=99)
    town.phone.answers["zhang"] = is_down
    await town.until(126)
    head = next(
        delivery
        for alert in town.store.alerts(limit=1000)
        for delivery in town.store.deliveries(alert.id)
        if delivery.state is Sending.WAITING and "digest" in dict(delivery.facts)
    )
    town.desk.accept(head.alert, "wang", town.now())
    town.phone.answers.clear()
    await town.until(300)

    told = {alert for alert, who in said_about(town) if who == "zhang"}
    assert told == {alert.id for alert in town.store.alerts(limit=1000)} - {head.alert}


async def test_a_dead_number_in_a_storm_uses_up_nobodys_minutes(town):
    await storm(town, 3, press_at=99)
    town.phone.answers["zhang"] = refuses
    for n in range(3, 9):
        town.notices("inactivity", f"a{n}")
    await town.until(300)

    assert {alert for alert, who in said_about(town) if who == "wang"} >= {
        alert.id for n in range(3, 9) for alert in town.store.alerts(home=f"a{n}")
    }


# --------------------------------------------------------------------------- whatever comes


@pytest.mark.parametrize("seed", range(30))
async def test_every_finding_ends_in_exactly_one_history_and_a_restart_changes_nothing(seed):
    """The same night twice, once with the gateway falling after every few findings."""
    nights = []
    for falls in (False, True):
        chance, town = Random(seed), Town()
        found: list[Finding] = []
        moment = 0.0
        for number in range(60):
            moment += chance.choice([0, 5, 40, 200, 2000])
            await town.until(moment)
            code = chance.choice(["sos", "fall", "inactivity", "gas", "leak", "device_offline", "home_silent", "vital"])
            subject = chance.choice(["s1", "s2"]) if code == "device_offline" else ""
            home = chance.choice(["a1", "a2", "h1"])
            found.append(town.notices(code, home, subject=subject))
            if chance.random() < 0.2:
                open_ones = [alert for alert in reversed(town.store.alerts(limit=1000)) if alert.is_open]
                if open_ones:
                    chosen = chance.choice(open_ones)
                    town.desk.accept(chosen.id, "zhang", town.now())
                    if chance.random() < 0.5:
                        town.desk.resolve(chosen.id, "zhang", Outcome.ELDER_SAFE, "", town.now())
            if falls and number % 3 == 0:
                town.restart()
        await town.until(moment + 3600)

        alerts = town.store.alerts(limit=1000)
        counted = sum(alert.count + sum(one.count for one in alert.also) for alert in alerts)
        assert counted == len({town.catalogue.cause(finding).id for finding in found})
        nights.append((sorted(alerts, key=lambda alert: alert.id), town.phone.rang))

    assert nights[0] == nights[1]
