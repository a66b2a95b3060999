"""What the daughter sees of her mother, as far as her mother lets her, and what her mother sees of that."""

from datetime import timedelta

import pytest
from pages_house import EVENING, Rig, hidden
from test_pages import PAYLOADS, SCRIPT, text_of

from gateway.domain import (
    Absence,
    Condition,
    Contact,
    Delivery,
    Duty,
    Event,
    Gap,
    Kind,
    Look,
    Monitoring,
    Person,
    Purpose,
    Relation,
    Severity,
    Sight,
)
from gateway.ports import Batch
from gateway.sharing import Sharing, shown_to

ME = {"version": "2026-11", "given_by": "wang", "evidence": "page", "who": "wang"}


class Kin:
    """Mrs Wang in h1, her daughter Mei, and what she lets her see."""

    def __init__(self, *looks: Look, more: dict | None = None) -> None:
        self.rig = Rig(more=more or {})
        self.clock = self.rig.clock
        by = {"who": "ma", "now": EVENING}
        for person, name in (("wang", "王奶奶"), ("mei", "王梅")):
            self.rig.registrar.put_person(Person(id=person, name=name), **by)
        self.rig.rename("h1", person="wang")
        contact = Contact(home="h1", person="mei", relation=Relation.CHILD, may_see=Sight.NOTHING, phones=("138",))
        with self.rig.registry.begin() as ledger:
            ledger.put_contacts("h1", [contact], EVENING)
        self.sharing = Sharing(self.rig.registry)
        if looks:
            self.lets_see(*looks)
        self.daughter = self.rig.signed_in("mei", Duty.FAMILY)
        self.mother = self.rig.signed_in("wang", Duty.ELDER)

    def lets_see(self, *looks: Look) -> None:
        self.sharing.show("h1", "mei", looks, now=self.clock.now(), **ME)

    def takes_back(self, *looks: Look) -> None:
        self.sharing.hide("h1", "mei", looks, who="wang", now=self.clock.now())

    def page(self, at: str = "/family/h1", who: str = "daughter") -> str:
        answer = getattr(self, who).get(at)
        assert answer.status_code == 200, answer.text
        return answer.text

    def says(self, at: str = "/family/h1", who: str = "daughter") -> str:
        return text_of(self.page(at, who))

    def does(self, path: str, at: str = "/me", who: str = "mother", **form):
        browser = getattr(self, who)
        return browser.post(path, data={"csrf": hidden(self.page(at, who), "csrf"), **form})

    def shown(self) -> set[Look]:
        home = self.rig.registry.home("h1")
        assert home is not None
        return set(shown_to("mei", home, self.rig.registry, self.clock.now()))


@pytest.fixture
def kin() -> Kin:
    return Kin(Look.CALM, Look.ALERTS, Look.DAYS)


# --------------------------------------------------------------------------- what is shown, and what not


def test_without_her_mothers_word_a_daughter_sees_nothing():
    kin = Kin()

    assert kin.daughter.get("/").headers["location"] == "/family"
    assert "还没有人同意" in kin.says("/family")
    for path in ("/family/h1", "/family/h1/timeline", "/family/h1/events", "/plans/home/h1", "/family/h2"):
        assert kin.daughter.get(path).status_code == 404, path


def test_each_thing_is_shown_by_a_word_of_its_own():
    kin = Kin(Look.CALM)
    kin.rig.hear("h1", minutes_ago=3)
    alert = kin.rig.press(severity=Severity.HIGH, code="inactivity")

    said = kin.says()
    assert "有人正在查看" in said, "not well, and not what it is"
    for hidden_from_her in ("长时间无活动", "我来处理", "起床", "逐条活动"):
        assert hidden_from_her not in said
    assert kin.does(f"/family/h1/alerts/{alert.id}", "/family/h1", "daughter", word="mine").status_code == 404
    assert kin.daughter.get("/family/h1/timeline").status_code == 404

    kin.lets_see(Look.ALERTS)
    assert "长时间无活动" in kin.says()

    kin.lets_see(Look.TIMELINE)
    assert "厨房：有动静" in kin.says("/family/h1/timeline")


def test_all_is_well_today(kin):
    kin.rig.is_heard("h1")
    for hours in (24.6, 14.6, 14.5, 13, 11.5, 10, 0.08, 0.05):  # yesterday at ten in the evening; then from eight on
        kin.rig.hear("h1", minutes_ago=hours * 60)

    said = kin.says()

    assert "今天平安" in said
    assert "08:02 起床" in said
    assert "厨房" in said
    assert "calm well" in kin.page()


def test_what_cannot_be_seen_is_neither_well_nor_danger(kin):
    kin.rig.hear("h1", minutes_ago=90)

    said, page = kin.says(), kin.page()
    assert "现在看不到" in said
    assert "平安 " not in said.replace("不代表平安", "")
    assert "calm blind" in page

    kin.rig.hear("h1", minutes_ago=1)
    gap = Gap(home="h1", what="inactivity", why="sensor_silent", since=EVENING, sensor="h1-m")
    kin.rig.readings.commit(Batch(gaps={"h1": (gap,)}))
    assert "calm blind" in kin.page(), "a home whose movement nobody can notice is not well"


def test_a_night_without_movement_is_quiet_and_a_morning_without_is_not_called_well(kin):
    kin.rig.hear("h1", minutes_ago=10)
    kin.clock.go_on(hours=8)  # 06:38
    kin.rig.is_heard("h1")
    assert "夜里平静" in kin.says()

    kin.clock.go_on(hours=4)
    kin.rig.is_heard("h1")
    said = kin.says()
    assert "今天还没有看到活动" in said
    assert "calm unknown" in kin.page()


def test_away_is_said_as_it_was_declared(kin):
    kin.rig.hear("h1", minutes_ago=1)
    kin.rig.registrar.plans.declare_absence(
        "h1", Absence.HOSPITAL, EVENING + timedelta(days=3), who="mei", now=kin.clock.now()
    )

    said = kin.says()
    assert "住院" in said
    assert "今天平安" not in said


def test_who_is_paused_or_given_up_is_not_called_well(kin):
    kin.rig.hear("h1", minutes_ago=1)
    kin.rig.rename("h1", state=Monitoring.RETIRED)
    assert "不再守护" in kin.says()


def test_the_day_in_outline_and_a_week_in_two_charts(kin):
    kin.rig.is_heard("h1")
    for day in range(8):
        back = day * 1440
        kin.rig.hear("h1", minutes_ago=back + 14 * 60)  # up at 08:38
        kin.rig.hear("h1", Kind.DOOR, minutes_ago=back + 11 * 60)
        kin.rig.hear("h1", Kind.DOOR, minutes_ago=back + 10 * 60)
        kin.rig.hear("h1", minutes_ago=back + 9.9 * 60)
        kin.rig.hear("h1", minutes_ago=back + 1)
    kin.rig.hear("h1", minutes_ago=2)

    said, page = kin.says(), kin.page()

    assert "外出 11:38–12:38" in said
    assert "上午 厨房" in said
    assert "10.0 小时" in said, "from 22:37 to 08:38"
    assert "1 次 1.0 小时" in said
    assert page.count('class="bar"') == 14
    assert "style=" not in page

    earlier = kin.page("/family/h1?week=3")
    assert earlier.count('class="unknown"') == 14, "of what is not known no zero is drawn"


def test_devices_in_order_and_not(kin):
    kin.rig.hear("h1", minutes_ago=1)
    assert "2 台设备全部正常" in kin.says()

    kin.rig.readings.commit(Batch(conditions=[Condition(home="h1", sensor="h1-m", faults=("battery_low",))]))
    assert "厨房感应" in kin.says()


def test_the_three_words_of_the_family(kin):
    alert = kin.rig.press(severity=Severity.HIGH, code="inactivity")
    at = f"/family/h1/alerts/{alert.id}"

    assert kin.does(at, "/family/h1", "daughter", word="mine").status_code == 303
    assert kin.rig.alert(alert.id).owner == "mei"
    assert "王梅 正在处理" in kin.says()

    answer = kin.does(at, "/family/h1", "daughter", word="with_me", hours="6")
    assert answer.status_code == 303
    assert kin.rig.alert(alert.id).outcome is not None

    other = kin.rig.press(code="sos")
    at = f"/family/h1/alerts/{other.id}"
    kin.does(at, "/family/h1", "daughter", word="send_worker")
    assert kin.rig.alert(other.id).is_ringing
    assert kin.does(at, "/family/h1", "daughter", word="nonsense").status_code == 422


def test_alerts_of_another_home_and_of_the_equipment_are_not_there(kin):
    theirs = kin.rig.press("h2")
    device = kin.rig.press("h1", Severity.TECHNICAL, "device_offline")

    for alert in (theirs, device):
        at = f"/family/h1/alerts/{alert.id}"
        assert kin.does(at, "/family/h1", "daughter", word="mine").status_code == 404
    assert "离线" not in kin.says()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_are_text_and_nothing_else(payload):
    kin = Kin(*Look)
    kin.rig.rename("h1", name=payload[:80] or "x")
    kin.rig.registrar.put_person(Person(id="mei", name=payload[:80] or "x"), who="ma", now=EVENING)
    kin.rig.press(severity=Severity.HIGH, code="inactivity")

    for path, who in (("/family/h1", "daughter"), ("/family/h1/timeline", "daughter"), ("/me", "mother")):
        page = kin.page(path, who)
        assert payload not in page or payload == "{{7*7}}"
        assert "49" not in text_of(page) or payload != "{{7*7}}"
        assert SCRIPT not in page


# --------------------------------------------------------------------------- the mother's own page


def test_a_mother_lets_her_daughter_see_and_takes_it_back_at_once():
    kin = Kin()
    assert kin.mother.get("/").headers["location"] == "/me"
    assert "看不到" in kin.says("/me", "mother")

    assert kin.does("/me/show", viewer="mei", look="see_days").headers["location"] == "/me?said=shown"
    assert kin.shown() == {Look.CALM, Look.DAYS}
    assert kin.daughter.get("/family/h1").status_code == 200
    (given, *_) = kin.rig.registry.consents("wang")
    assert (given.viewer, given.given_by, given.version) == ("mei", "wang", "2026-11")

    kin.does("/me/show", viewer="mei", look="see_days", hide="1")
    assert kin.shown() == {Look.CALM}

    kin.does("/me/show", viewer="mei", look="see_calm", hide="1")
    assert kin.shown() == set()
    assert kin.daughter.get("/family/h1").status_code == 404
    assert all(not consent.holds for consent in kin.rig.registry.consents("wang"))


def test_what_the_list_of_contacts_no_longer_lets_see_is_not_seen(kin):
    contact = Contact(home="h1", person="mei", relation=Relation.CHILD, may_see=Sight.CALM)
    kin.rig.registrar.put_contacts("h1", [contact], who="ma", now=kin.clock.now())
    assert kin.shown() == {Look.CALM}

    kin.rig.registrar.put_contacts("h1", [], who="ma", now=kin.clock.now())
    assert kin.daughter.get("/family/h1").status_code == 404


def test_a_pause_shows_nothing_and_ends_by_itself(kin):
    kin.rig.hear("h1", minutes_ago=1)
    kin.does("/me/pause", hours="4")

    said = kin.says()
    assert "暂不显示" in said
    assert "厨房" not in said
    assert kin.does("/me/pause", hours="900").status_code == 422

    kin.clock.go_on(hours=4)
    kin.rig.hear("h1", minutes_ago=1)
    assert "厨房" in kin.says()

    kin.does("/me/pause", hours="72")
    kin.does("/me/resume")
    assert "厨房" in kin.says()


def test_left_in_peace_for_an_hour_the_button_calls_as_ever(kin):
    kin.rig.hear("h1", minutes_ago=1)
    kin.does("/me/unwatched", hours="1")
    home = kin.rig.registry.home("h1")
    assert home.state is Monitoring.PAUSED
    assert "看护暂停中" in kin.says()

    quiet = kin.rig.press(severity=Severity.HIGH, code="inactivity")
    assert not kin.rig.alerts.deliveries(quiet.id), "nobody is called because she does not move"
    pressed = kin.rig.press(code="sos")
    assert kin.rig.alerts.deliveries(pressed.id), "whoever presses is heard"

    kin.does("/me/watched")
    assert kin.rig.registry.home("h1").state is Monitoring.GUARDED
    assert kin.does("/me/watched").status_code == 422


def test_a_pause_of_somebody_elses_is_not_hers_to_end(kin):
    kin.rig.registrar.set_state("h1", Monitoring.PAUSED, why="住院", who="liu", now=kin.clock.now())

    assert kin.does("/me/watched").status_code == 422
    assert kin.rig.registry.home("h1").state is Monitoring.PAUSED


def test_she_sees_who_has_looked_once_an_hour_and_not_herself(kin):
    worker = kin.rig.signed_in("liu", Duty.GRID_WORKER, "g1")
    alert = kin.rig.press()
    for _ in range(3):
        worker.get("/homes/h1")
        worker.get(f"/alerts/{alert.id}")
        worker.get("/api/v1/homes/h1/coverage")
        kin.page()
        kin.page("/me", "mother")
    kin.clock.go_on(hours=1)
    worker.get("/homes/h1")

    acts = [(act.who, act.what) for act in reversed(kin.rig.alerts.acts("h1", what="read."))]
    assert acts == [("liu", "read.home"), ("liu", "read.alert"), ("mei", "read.home"), ("liu", "read.home")]
    said = kin.says("/me", "mother")
    assert "刘网格员" in said
    assert "王梅" in said
    sheet = kin.says("/me/looks", "mother")
    assert sheet.count("刘网格员") == 3


def test_her_page_is_hers_alone(kin):
    for duty in (Duty.FAMILY, Duty.GRID_WORKER, Duty.SUPERVISOR, Duty.ADMIN, Duty.INSTALLER):
        stranger = kin.rig.signed_in(f"x-{duty.value}", duty)
        assert stranger.get("/me").status_code == 403
        assert stranger.get("/me/looks").status_code == 403
    assert kin.rig.signed_in("other", Duty.ELDER).get("/me").status_code == 404
    assert kin.mother.get("/family/h1").status_code == 403


# --------------------------------------------------------------------------- within a minute, in event time


def test_what_is_taken_back_ends_on_open_streams(kin):
    """The stream of her page asks anew at each event; the event of the withdrawal itself does not reach her."""
    from dashboard.auth import Visitor
    from dashboard.pages import Pages

    visitor = Visitor(account=kin.rig.accounts.account("mei"), token_hash="", csrf="")
    pages = Pages(kin.rig.house, None, None, kin.rig.links)
    wanted = pages.wants(visitor, "")
    event = Event(id=1, at=EVENING, topic="alert", ref="h1/x", home="h1", grid="g1")
    assert wanted(event)
    assert not wanted(Event(id=2, at=EVENING, topic="alert", ref="h2/x", home="h2", grid="g1"))

    kin.takes_back(*Look)
    assert not wanted(event)


def test_what_is_taken_back_ends_messages_and_links_but_no_emergency(kin):
    from alerts.agreed import may_be_told

    home, registry = kin.rig.registry.home("h1"), kin.rig.registry
    mild = kin.rig.press(severity=Severity.HIGH, code="inactivity")
    grave = kin.rig.press(code="sos")

    def told(alert, duty=Duty.FAMILY):
        return may_be_told("mei", duty, alert, home, registry, kin.clock.now())

    assert told(mild)
    assert told(grave)

    kin.takes_back(Look.ALERTS)
    assert not told(mild)
    assert not told(mild, None)
    assert told(grave), "in danger of life nobody waits for consent"
    assert told(mild, Duty.GRID_WORKER), "who is called for a post is told by that"

    kin.lets_see(Look.ALERTS)
    assert told(mild)
    kin.sharing.pause("h1", kin.clock.now() + timedelta(hours=1), who="wang", now=kin.clock.now())
    assert not told(mild)


def test_who_was_never_asked_is_told_as_the_first_consent_says():
    """Naming her as a contact is agreeing that she is told when something is wrong; only a word against it counts."""
    from alerts.agreed import may_be_told

    kin = Kin()
    alert = kin.rig.press(severity=Severity.HIGH, code="inactivity")

    home = kin.rig.registry.home("h1")
    assert may_be_told("mei", Duty.FAMILY, alert, home, kin.rig.registry, kin.clock.now())


def test_a_link_of_hers_is_shut_with_it(kin):
    alert = kin.rig.press(severity=Severity.HIGH, code="inactivity")
    delivery = Delivery(
        id=f"{alert.id}/page/0.0/mei/console",
        alert=alert.id,
        purpose=Purpose.PAGE,
        person="mei",
        channel="console",
        address="",
        created_at=kin.clock.now(),
        duty=Duty.FAMILY,
    )
    with kin.rig.alerts.begin() as ledger:
        ledger.queue(delivery)
    link = kin.rig.links.link(delivery).removeprefix("https://watch.test")
    stranger = kin.rig.browser()
    assert stranger.get(link).status_code == 200
    assert ("mei", "read.link") in [(act.who, act.what) for act in kin.rig.alerts.acts("h1", what="read.")]

    kin.takes_back(Look.ALERTS)
    assert stranger.get(link).status_code == 410
    assert stranger.get(f"{link}/events").status_code == 410
