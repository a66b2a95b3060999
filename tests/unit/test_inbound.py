"""What comes back from telephones: receipts, answers by SMS and by a key; each acts once, for its own message."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.channels import DOORS
from alerts.channels.telephone import same_number
from alerts.desk import Desk
from alerts.drills import drill
from alerts.escalation import Reason
from alerts.inbound import MOST_REPLIES, Inbound
from alerts.words_ledger import Said
from gateway.domain import (
    Area,
    Contact,
    Delivery,
    Duty,
    Finding,
    Grid,
    Home,
    Outcome,
    Person,
    Purpose,
    Reach,
    Relation,
    Sending,
    Severity,
    Stage,
    State,
)
from gateway.ports import Pressed, Receipt, Texted
from gateway.stores.memory import MemoryAlerts, MemoryRegistry

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
NUMBER = "138-0013-8000"


def code(delivery: Delivery) -> str:
    """Each alert with a code of its own, as the pages' secret would make one."""
    return {"h1": "4821", "h2": "7305"}.get(delivery.alert.partition("/")[0], "1111")


class Town:
    """Two homes, one grid worker with an SMS and a voice call, and a courier whose part the test plays."""

    def __init__(self) -> None:
        self.now = T0
        self.store = MemoryAlerts()
        self.registry = MemoryRegistry(self.store.trail)
        self.desk = Desk(self.store, self.registry)
        self.inbound = Inbound(self.store, self.desk, code)
        reaches = (Reach(channel="tencent_sms", address=NUMBER), Reach(channel="tencent_voice", address=NUMBER))
        self.zhang = Person(id="zhang", name="张师傅", reaches=reaches)
        long_ago = T0 - timedelta(days=30)
        with self.registry.begin() as book:
            book.put_area(Area(code="a", name="a", level="district"), long_ago)
            book.put_grid(Grid(code="g1", name="g", community="a"))
            book.put_person(self.zhang, long_ago)
            book.assign("zhang", Duty.GRID_WORKER, "g1", long_ago)
            for home in ("h1", "h2"):
                book.put_home(
                    Home(id=home, code=f"A-{home}", name="x", grid="g1", zone=ZoneInfo("Asia/Shanghai")), long_ago
                )

    def presses(self, home: str = "h1") -> str:
        found = Finding(home=home, code="sos", severity=Severity.EMERGENCY, since=self.now, at=self.now)
        alert = self.desk.take([found], self.now)[0].alert
        assert alert is not None
        self.carry()
        return alert.id

    def carry(self) -> list[Delivery]:
        """Everything that waits is taken by its provider, under a name of the provider's own."""
        due = self.store.outbox(self.now)
        for delivery in due:
            self.desk.said(delivery.id, self.now, f"their-{delivery.id}")
        return due

    def texts(self, text: str, number: str = "+8613800138000", id: str = "1") -> Said | None:
        return self.inbound.take("tencent_sms", Texted(number=number, text=text, id=id), self.now)

    def state(self, alert: str) -> State:
        return self.store.alert(alert).state

    def one(self, alert: str, channel: str) -> Delivery:
        return next(d for d in self.store.deliveries(alert) if d.channel == channel and d.purpose is Purpose.PAGE)


@pytest.fixture
def town() -> Town:
    return Town()


# --------------------------------------------------------------------------- receipts


def test_a_receipt_says_when_it_arrived(town):
    alert = town.presses()
    sms = town.one(alert, "tencent_sms")
    town.now += timedelta(seconds=9)

    town.inbound.take("tencent_sms", Receipt(message=sms.message, arrived=True, at=T0 + timedelta(seconds=4)), town.now)

    assert town.one(alert, "tencent_sms").stage is Stage.DELIVERED
    assert town.one(alert, "tencent_sms").delivered_at == T0 + timedelta(seconds=4)
    assert town.state(alert) is State.NOTIFIED, "delivered is not accepted"


def test_a_receipt_that_says_no_is_a_failure_with_the_providers_code(town):
    alert = town.presses()
    sms = town.one(alert, "tencent_sms")

    no = Receipt(message=sms.message, arrived=False, code="MK:0001", reason="空号 13800138000", lasting=True)
    town.inbound.take("tencent_sms", no, town.now)

    sms = town.one(alert, "tencent_sms")
    assert (sms.state, sms.code, sms.lasting, sms.failed_at) == (Sending.FAILED, "MK:0001", True, T0)
    assert sms.reason == "taken by the provider, and did not arrive: MK:0001 空号 …"


def test_when_nothing_arrives_at_anybody_the_ladder_climbs_at_once(town):
    with town.registry.begin() as book:
        book.put_person(Person(id="ma", name="马主任", reaches=(Reach(channel="console"),)), T0)
        book.assign("ma", Duty.SUPERVISOR, "g1", T0)
    alert = town.presses()

    for channel in ("tencent_sms", "tencent_voice"):
        no = Receipt(message=town.one(alert, channel).message, arrived=False, code="1")
        town.inbound.take(channel, no, town.now)

    assert [d.person for d in town.carry()] == ["ma"], "nobody's minutes are used up by a dead telephone"


def test_a_receipt_of_somebody_elses_message_changes_nothing(town):
    alert = town.presses()
    before = town.store.deliveries(alert)

    town.inbound.take("tencent_sms", Receipt(message="another program's", arrived=False), town.now)
    town.inbound.take("aliyun_sms", Receipt(message=before[0].message, arrived=False), town.now)

    assert town.store.deliveries(alert) == before


def test_a_late_no_takes_nothing_back(town):
    alert = town.presses()
    sms = town.one(alert, "tencent_sms")
    town.desk.arrived(sms.id, Stage.ANSWERED, town.now, town.now)

    town.inbound.take("tencent_sms", Receipt(message=sms.message, arrived=False), town.now)

    assert town.one(alert, "tencent_sms").stage is Stage.ANSWERED


# --------------------------------------------------------------------------- answers


def test_five_digits_by_sms_accept(town):
    alert = town.presses()

    assert town.texts("48211") is Said.ACCEPTED
    assert town.store.alert(alert).owner == "zhang"
    assert town.one(alert, "tencent_sms").stage is Stage.ANSWERED
    (reply,) = town.carry()
    assert (reply.purpose, reply.person, reply.address) == (Purpose.REPLY, "zhang", NUMBER)
    assert dict(reply.facts)["said"] == "accepted"


@pytest.mark.parametrize("text", ["48211", " 4821 1 ", "４８２１１", "4821接单", "48 211\n"])
def test_however_a_thumb_writes_it(town, text):
    alert = town.presses()

    assert town.texts(text) is Said.ACCEPTED
    assert town.store.alert(alert).owner == "zhang"


def test_a_two_behind_the_code_asks_for_somebody_else(town):
    alert = town.presses()

    assert town.texts("48212") is Said.SENT_FOR
    assert town.store.alert(alert).is_ringing, "the ladder goes on until somebody goes there"
    assert town.store.alert(alert).coordinator == "zhang"


def test_the_code_says_which_of_two(town):
    first, second = town.presses("h1"), town.presses("h2")

    town.texts("73051")

    assert town.store.alert(first).is_ringing
    assert town.store.alert(second).owner == "zhang"


@pytest.mark.parametrize(("text", "said"), [("99991", Said.UNKNOWN), ("1", Said.UNCLEAR), ("好的马上到", Said.UNCLEAR)])
def test_what_is_not_understood_is_answered_politely_and_does_nothing(town, text, said):
    alert = town.presses()

    assert town.texts(text) is said
    assert town.store.alert(alert).is_ringing
    (reply,) = town.carry()
    assert dict(reply.facts)["said"] == said.value


def test_the_same_answer_played_again_does_nothing(town):
    alert = town.presses()
    town.texts("48211", id="7")
    town.desk.resolve(alert, "zhang", None, "", town.now)
    before = town.store.alert(alert)

    assert town.texts("48211", id="7") is None
    assert town.store.alert(alert) == before


def test_an_answer_of_yesterday_is_no_answer_any_more(town):
    town.presses()
    town.now += timedelta(hours=25)

    assert town.texts("48211") is None


def test_whoever_was_told_nothing_is_told_nothing(town):
    alert = town.presses()

    assert town.texts("48211", number="13911112222") is None
    assert town.carry() == []
    assert town.store.alert(alert).is_ringing


def test_nonsense_is_answered_so_often_and_then_no_more(town):
    town.presses()
    answered = 0
    for n in range(20):
        town.texts("?", id=str(n))
        answered += len(town.carry())

    assert answered == MOST_REPLIES


def test_whoever_answers_second_is_told_that_it_is_taken(town):
    alert = town.presses()
    town.desk.accept(alert, "li", town.now, "page")

    assert town.texts("48211") is Said.TAKEN
    assert town.store.alert(alert).owner == "li"


@pytest.mark.parametrize("how", ["sms", "voice", "link"])
def test_whoever_was_not_called_about_it_accepts_it_by_no_message(town, how):
    with town.registry.begin() as book:
        book.put_grid(Grid(code="g2", name="g", community="a"))
        book.put_person(Person(id="li", name="李姐", reaches=(Reach(channel="console"),)), T0)
        book.assign("li", Duty.GRID_WORKER, "g2", T0)
    alert = town.presses()

    verdict = town.desk.accept(alert, "li", town.now, how)

    assert verdict.reason is Reason.NOT_TOLD
    assert town.store.alert(alert).is_ringing


def test_a_code_of_another_persons_message_accepts_nothing(town):
    """Hers was for another home; the digits she overheard are not hers."""
    with town.registry.begin() as book:
        book.put_grid(Grid(code="g2", name="g", community="a"))
        ways = (Reach(channel="tencent_sms", address="13900139000"),)
        book.put_person(Person(id="li", name="李姐", reaches=ways), T0)
        book.assign("li", Duty.GRID_WORKER, "g2", T0)
        book.put_home(Home(id="h9", code="A-h9", name="x", grid="g2", zone=ZoneInfo("Asia/Shanghai")), T0)
    ours, hers = town.presses(), town.presses("h9")

    assert town.texts("48211", number="13900139000") is Said.UNKNOWN
    assert town.store.alert(ours).is_ringing and town.store.alert(hers).is_ringing
    assert town.texts("11111", number="13900139000", id="2") is Said.ACCEPTED
    assert town.store.alert(hers).owner == "li"


def test_whoever_lives_far_away_coordinates_also_by_sms(town):
    """The registry knows it, so nobody need say it: the ladder goes on for somebody who can be there."""
    with town.registry.begin() as book:
        book.put_contacts("h1", [Contact(home="h1", person="zhang", relation=Relation.CHILD, is_far=True)], T0)
    alert = town.presses()

    town.texts("48211")

    assert (town.store.alert(alert).owner, town.store.alert(alert).coordinator) == ("", "zhang")
    assert town.store.alert(alert).is_ringing


def test_a_key_during_the_call_accepts(town):
    alert = town.presses()
    call = town.one(alert, "tencent_voice")

    assert town.inbound.take("tencent_voice", Pressed(message=call.message, key="1"), town.now) is Said.ACCEPTED
    assert town.store.alert(alert).owner == "zhang"
    assert town.inbound.take("tencent_voice", Pressed(message=call.message, key="9"), town.now) is None


def test_a_key_that_is_told_again_accepts_nothing_that_rings_again(town):
    alert = town.presses()
    key = Pressed(message=town.one(alert, "tencent_voice").message, key="1")
    town.inbound.take("tencent_voice", key, town.now)
    town.desk.resolve(alert, "zhang", Outcome.ACCIDENTAL_PRESS, "", town.now)
    town.now += timedelta(minutes=10)
    again = town.presses()

    assert town.inbound.take("tencent_voice", key, town.now) is None
    assert town.store.alert(again).is_ringing


def test_a_drill_is_answered_like_anything_else(town):
    drill(town.desk, town.zhang, "ma", town.now)
    town.carry()

    assert town.texts("11111") is Said.DRILL
    stages = {d.channel: d.stage for d in town.store.trials("zhang")}
    assert stages == {"tencent_sms": Stage.ANSWERED, "tencent_voice": Stage.SENT}
    assert town.store.alerts() == [], "nobody is called by a drill but the one who is meant"


# --------------------------------------------------------------------------- as providers say it


def words(door: str, body: object) -> list[object]:
    return list(DOORS[door](body))


def test_what_aliyun_pushes_about_sms():
    report = {"phone_number": "13800138000", "send_time": "2026-02-17 11:00:00", "biz_id": "9001^0", "out_id": "x"}
    yes = {**report, "report_time": "2026-02-17 11:00:04", "success": True, "err_code": "DELIVERED"}
    no = {**report, "success": False, "err_code": "MK:0001", "err_msg": "空号"}
    up = {"phone_number": "13800138000", "content": "48211", "sequence_id": "77", "send_time": "2026-02-17 11:01:00"}

    assert words("aliyun_sms", [yes, no, up]) == [
        Receipt(message="9001^0", arrived=True, at=T0 + timedelta(seconds=4), code="DELIVERED"),
        Receipt(message="9001^0", arrived=False, code="MK:0001", reason="空号", lasting=True),
        Texted(number="13800138000", text="48211", id="77"),
    ]


def test_what_aliyun_pushes_about_calls():
    lifted = {"call_id": "1^2", "status_code": "200000", "start_time": "2026-02-17 11:00:09", "dtmf": "1"}
    missed = {"call_id": "3^4", "status_code": "200010", "status_msg": "用户不应答"}
    ringing = {"call_id": "1^2", "status_code": "200010", "status_time": "2026-02-17 11:00:01"}

    assert words("aliyun_voice", [lifted, missed, ringing]) == [
        Receipt(message="1^2", arrived=True, code="200000"),
        Pressed(message="1^2", key="1"),
        Receipt(message="3^4", arrived=False, code="200010", reason="用户不应答"),
    ]


def test_what_tencent_pushes_about_sms():
    yes = {"sid": "s-1", "report_status": "SUCCESS", "errmsg": "DELIVRD", "user_receive_time": "2026-02-17 11:00:04"}
    no = {"sid": "s-2", "report_status": "FAIL", "errmsg": "MK:0010", "description": "用户关机"}
    up = {"mobile": "13800138000", "nationcode": "86", "text": "48212", "time": 1771297260, "sign": "守望"}

    assert words("tencent_sms", [yes, no]) == [
        Receipt(message="s-1", arrived=True, at=T0 + timedelta(seconds=4), code="DELIVRD"),
        Receipt(message="s-2", arrived=False, code="MK:0010", reason="用户关机"),
    ]
    assert words("tencent_sms", up) == [Texted(number="8613800138000", text="48212", id="1771297260")]


def test_what_tencent_pushes_about_calls():
    assert words("tencent_voice", {"voiceprompt_callback": {"callid": "c", "result": "0"}}) == [
        Receipt(message="c", arrived=True, code="0")
    ]
    assert words("tencent_voice", {"voicekey_callback": {"callid": "c", "keypress": "1"}}) == [
        Pressed(message="c", key="1")
    ]
    assert words(
        "tencent_voice", {"voice_failure_callback": {"callid": "c", "failure_code": 8, "failure_reason": "空号"}}
    ) == [Receipt(message="c", arrived=False, code="8", reason="空号", lasting=True)]


ODD = [
    None,
    0,
    "x",
    [],
    {},
    [1, None, []],
    {"call_id": []},
    [{"biz_id": None, "content": None}],
    {"voicekey_callback": 1},
]


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("door", DOORS)
def test_whatever_is_pushed_is_read_or_passed_over(door, body, town):
    for word in words(door, body):
        town.inbound.take(door, word, town.now)


def test_one_number_however_it_is_written():
    assert same_number("138 0013 8000", "+8613800138000")
    assert same_number("+852 1234 5678", "85212345678")
    assert not same_number("13800138000", "13800138001")
    assert not same_number("", "")


def test_what_is_not_carried_yet_cannot_be_answered(town):
    waiting = replace(town.one(town.presses(), "tencent_sms"), sent_at=None)

    assert town.inbound.act(waiting, True, "link", town.now) is Said.UNKNOWN
