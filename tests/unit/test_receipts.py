"""The doors for what comes back: who may speak there, how often, and what follows."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from pages_house import Rig

from alerts.drills import drill
from alerts.words_ledger import WHOLE, Said
from gateway.domain import Person, Purpose, Reach, Sending, Stage, State

HUSH = "a secret of both of us"


@pytest.fixture
def rig() -> Rig:
    rig = Rig(more={"webhook_secret": HUSH})
    with rig.registry.begin() as ledger:
        reach = Reach(channel="aliyun_sms", address="13800138000")
        ledger.put_person(Person(id="liu", name="刘网格员", reaches=(reach,), language="en"), rig.clock.now())
    return rig


def pressed(rig):
    """An alert, and the message about it as its provider has taken it."""
    alert = rig.press()
    with rig.alerts.begin() as ledger:
        for delivery in ledger.deliveries(alert.id):
            ledger.update(replace(delivery, message=f"their-{delivery.person}"))
    return alert, next(d for d in rig.alerts.deliveries(alert.id) if d.person == "liu")


def door(rig, name="aliyun_sms"):
    return f"/in/{name}/{rig.links.key(name)}"


def signed(rig, browser, word, *, secret=HUSH, late=timedelta(0)):
    body = json.dumps(word).encode() if not isinstance(word, bytes) else word
    stamp = str(int((rig.clock.now() - late).timestamp()))
    proof = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"shouwang-timestamp": stamp, "shouwang-signature": f"sha256={proof}"}
    return browser.post("/in/signed", content=body, headers=headers)


# --------------------------------------------------------------------------- what providers push


def test_a_receipt_is_taken_and_the_provider_is_thanked(rig):
    _alert, delivery = pressed(rig)

    answer = rig.browser().post(door(rig), json=[{"biz_id": "their-liu", "success": True, "err_code": "DELIVERED"}])

    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "OK"})
    assert rig.alerts.delivery(delivery.id).stage is Stage.DELIVERED


def test_an_answer_by_sms_accepts(rig):
    alert, delivery = pressed(rig)
    text = f"{rig.links.code(delivery)}1"

    answer = rig.browser().post(door(rig), json=[{"phone_number": "13800138000", "content": text, "sequence_id": "1"}])

    assert answer.status_code == 200
    assert rig.alerts.alert(alert.id).owner == "liu"


def test_tencent_is_thanked_in_its_own_words(rig):
    assert rig.browser().post(door(rig, "tencent_sms"), json=[]).json() == {"result": 0, "errmsg": "OK"}


@pytest.mark.parametrize("path", ["/in/aliyun_sms/wrong", "/in/nonsense/wrong", "/in/wecom/wrong"])
def test_who_does_not_know_the_key_finds_no_door(rig, path):
    _alert, delivery = pressed(rig)
    rows = [{"biz_id": "their-liu", "success": True}]

    assert rig.browser().post(path, json=rows).status_code == 404
    assert rig.alerts.delivery(delivery.id).stage is Stage.SENT


def test_one_providers_key_opens_no_other_door(rig):
    assert rig.browser().post(f"/in/tencent_sms/{rig.links.key('aliyun_sms')}", json=[]).status_code == 404


def test_whoever_tries_keys_is_soon_asked_to_come_again(rig):
    browser = rig.browser()
    answers = [browser.post(f"/in/aliyun_sms/{n}", json=[]).status_code for n in range(30)]

    assert answers == [404] * 20 + [429] * 10
    rig.clock.go_on(seconds=61)
    assert browser.post("/in/aliyun_sms/x", json=[]).status_code == 404


def test_what_is_no_json_is_said_to_be_none(rig):
    answer = rig.browser().post(door(rig), content=b"<xml>")

    assert (answer.status_code, answer.json()) == (422, {"error": "the body is no JSON"})
    assert rig.browser().post(door(rig), content=b"[" * 60_000).status_code == 422


def test_a_push_without_end_is_taken_in_part(rig):
    rows = [{"content": "?"}] * 1200

    assert rig.browser().post(door(rig), json=rows).status_code == 200


# --------------------------------------------------------------------------- what bridges sign


@pytest.mark.parametrize(("what", "stage"), [("delivered", Stage.DELIVERED), ("opened", Stage.OPENED)])
def test_a_bridge_tells_how_far_a_message_came(rig, what, stage):
    _, delivery = pressed(rig)

    answer = signed(rig, rig.browser(), {"delivery": delivery.id, "what": what})

    assert (answer.status_code, answer.json()) == (200, {"said": ""})
    assert rig.alerts.delivery(delivery.id).stage is stage


def test_a_bridge_tells_that_it_did_not_arrive(rig):
    _, delivery = pressed(rig)

    signed(rig, rig.browser(), {"delivery": delivery.id, "what": "failed", "code": "486", "lasting": True})

    kept = rig.alerts.delivery(delivery.id)
    assert (kept.state, kept.code, kept.lasting) == (Sending.FAILED, "486", True)


def test_an_answer_through_a_bridge_acts_once(rig):
    alert, delivery = pressed(rig)
    browser, word = rig.browser(), {"delivery": delivery.id, "what": "accept"}

    first = signed(rig, browser, word)
    again = signed(rig, browser, word)

    assert first.json() == {"said": WHOLE[Said.ACCEPTED]}
    assert again.json() == {"said": ""}
    assert rig.alerts.alert(alert.id).state is State.ACCEPTED


def test_what_is_not_signed_or_not_now_is_not_heard(rig):
    _, delivery = pressed(rig)
    browser, word = rig.browser(), {"delivery": delivery.id, "what": "accept"}

    assert browser.post("/in/signed", json=word).status_code == 404
    assert signed(rig, browser, word, secret="another one entirely").status_code == 404
    assert signed(rig, browser, word, late=timedelta(minutes=6)).status_code == 404
    assert signed(rig, browser, word, late=-timedelta(minutes=6)).status_code == 404
    assert rig.alerts.delivery(delivery.id).stage is Stage.SENT


@pytest.mark.parametrize("stamp", ["", "0", "-1", "1e9", "１７６３", "99999999999", "999999999999"])
def test_a_moment_that_nobody_lives_in_is_not_heard(rig, stamp):
    """The last one lies in the year 33658, which no clock of ours can say: it made the door fall."""
    headers = {"shouwang-timestamp": stamp.encode(), "shouwang-signature": "sha256=0"}

    assert rig.browser().post("/in/signed", content=b"{}", headers=headers).status_code == 404


def test_without_a_secret_the_door_is_shut():
    shut = Rig()

    assert signed(shut, shut.browser(), {}, secret="").status_code == 404


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ({"delivery": "nobody", "what": "opened"}, "there is no delivery 'nobody'"),
        ([1], "the body is one JSON object"),
        (b"x", "the body is no JSON"),
    ],
)
def test_what_makes_no_sense_is_answered_with_what_would(rig, word, error):
    answer = signed(rig, rig.browser(), word)

    assert answer.status_code == 422
    assert error in answer.json()["error"]


def test_a_word_we_do_not_know_is_answered_with_those_we_do(rig):
    _, delivery = pressed(rig)
    answer = signed(rig, rig.browser(), {"delivery": delivery.id, "what": "eaten"})

    assert answer.json()["error"] == (
        "`what` is 'eaten'; it can be ['delivered', 'opened', 'failed', 'accept', 'send']"
    )


# --------------------------------------------------------------------------- by link


def test_the_link_in_a_message_says_which_message_it_was(rig):
    _, delivery = pressed(rig)
    path = rig.links.link(delivery).removeprefix("https://watch.test")

    assert rig.browser().get(path).status_code == 200
    assert rig.alerts.delivery(delivery.id).stage is Stage.SENT, "a preview has opened it"
    rig.browser().post(f"{path}/accept")
    assert rig.alerts.delivery(delivery.id).stage is Stage.ANSWERED


def test_a_drill_is_answered_by_its_button(rig):
    (message,) = drill(rig.desk, rig.registry.person("liu"), "ma", rig.clock.now())
    rig.desk.said(message.id, rig.clock.now())
    path = rig.links.link(message).removeprefix("https://watch.test")
    browser = rig.browser(headers={"accept-language": "en"})

    assert "I have received it" in browser.get(path).text
    assert rig.alerts.delivery(message.id).stage is Stage.SENT, "looking is no answer"
    assert "the drill has reached you" in browser.post(path).text
    assert rig.alerts.delivery(message.id).stage is Stage.ANSWERED
    assert "has been answered" in browser.get(path).text


def test_an_alerts_link_is_no_drill_and_the_other_way_round(rig):
    alert, delivery = pressed(rig)
    (message,) = drill(rig.desk, rig.registry.person("liu"), "ma", rig.clock.now())
    token = rig.links.link(delivery).rpartition("/")[2]

    assert rig.browser().get(f"/d/{token}").status_code == 410
    assert rig.browser().get(f"/a/{rig.links.link(message).rpartition('/')[2]}").status_code == 410
    assert message.purpose is Purpose.DRILL and alert.is_ringing


def test_a_code_is_four_digits_and_each_alert_has_its_own(rig):
    _, delivery = pressed(rig)
    rig.clock.go_on(hours=2)
    codes = {rig.links.code(d) for d in rig.alerts.deliveries(delivery.alert)}

    assert all(len(code) == 4 and code.isdigit() for code in codes)
    assert rig.links.key("aliyun_sms") != rig.links.key("aliyun_voice")
    assert len(rig.links.key("aliyun_sms")) == 32
