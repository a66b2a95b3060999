"""What each provider is asked: the household's code, what it is and when, and the proof of who asks."""

import asyncio
import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from alerts.channels import dingtalk, feishu, make
from alerts.channels.exchange import Answer, Exchange, clean
from alerts.channels.telephone import international, number, variables
from gateway.domain import Delivery, Purpose
from gateway.ports import Letter, TryLater, Undeliverable

NIGHT = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
LETTER = Letter(
    title="【紧急】紧急呼叫 · 户号 A-0312",
    body="03:00 按下了紧急按钮。",
    link="https://example.org/a/x",
    household="A-0312",
    what="紧急呼叫",
    time="03:00",
)
ALIYUN = {"access_key": "LTAI", "access_secret": "s", "template": "T_1", "template_taken": "T_2"}
TENCENT = {"secret_id": "AKID", "secret_key": "s", "app_id": "1400000001", "template": "1110"}


class Clock:
    def __init__(self) -> None:
        self.moment = NIGHT

    def now(self) -> datetime:
        return self.moment


class Remembering(Exchange):
    """Answers from a list, and keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(timedelta(seconds=1))
        self.answers, self.asked = list(answers), []

    async def ask(self, url, content=b"", headers=None, method="POST"):
        self.asked.append((url, content, dict(headers or {})))
        return Answer(200, json.dumps(self.answers.pop(0)).encode())


def delivery(address: str, purpose: Purpose = Purpose.PAGE, id: str = "h1/sos/page/0.0/张/sms") -> Delivery:
    return Delivery(
        id=id, alert="h1/sos", purpose=purpose, person="zhang", channel="sms", address=address, created_at=NIGHT
    )


async def asked(
    name: str, address: str, *answers: Any, purpose: Purpose = Purpose.PAGE, letter: Letter = LETTER, **options: Any
):
    """The one request that a message becomes: where to, the body, the headers."""
    channel: Any = make(name, options, clock=Clock())
    channel._exchange = exchange = Remembering(*answers)
    await channel.send(delivery(address, purpose), letter)
    url, content, headers = exchange.asked[-1]
    return url, json.loads(content) if content else {}, headers


# --------------------------------------------------------------------------- robots

SAID = f"{LETTER.title}\n{LETTER.body}\n{LETTER.link}"


@pytest.mark.parametrize(
    "address",
    [
        "11111111-2222-3333-4444-555555555555",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=11111111-2222-3333-4444-555555555555",
        "https://elsewhere.example.org/cgi-bin/webhook/send?key=11111111-2222-3333-4444-555555555555",
    ],
)
async def test_a_wecom_robot_is_named_by_its_key_wherever_its_address_points(address):
    url, body, _ = await asked("wecom", address, {"errcode": 0})

    assert str(url) == ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=11111111-2222-3333-4444-555555555555")
    assert body == {"msgtype": "text", "text": {"content": SAID}}


async def test_a_dingtalk_robot_is_asked_with_moment_and_signature():
    token = "566cc69da782ec33e42541b09b08551f"
    url, body, _ = await asked("dingtalk", f"{token} SECof-ours", {"errcode": 0})

    assert (url.host, url.path) == ("oapi.dingtalk.com", "/robot/send")
    assert dict(parse_qsl(url.query)) == {
        "access_token": token,
        "timestamp": "1771297200000",
        "sign": dingtalk.signature("SECof-ours", "1771297200000"),
    }
    assert body == {"msgtype": "text", "text": {"content": SAID}}


async def test_a_robot_without_a_secret_is_asked_unsigned():
    url, _, _ = await asked(
        "dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=566cc69da782ec33e425", {"errcode": 0}
    )
    assert dict(parse_qsl(url.query)) == {"access_token": "566cc69da782ec33e425"}

    url, body, _ = await asked("feishu", "0f3e1ca0-4c2d-4b5e-9a77-000000000001", {"StatusCode": 0})
    assert str(url) == "https://open.feishu.cn/open-apis/bot/v2/hook/0f3e1ca0-4c2d-4b5e-9a77-000000000001"
    assert body.keys() == {"msg_type", "content"}


async def test_a_feishu_robot_finds_moment_and_signature_in_the_message():
    address = "https://open.feishu.cn/open-apis/bot/v2/hook/0f3e1ca0-4c2d-4b5e-9a77-000000000001 of-ours"
    _, body, _ = await asked("feishu", address, {"code": 0})

    assert body == {
        "msg_type": "text",
        "content": {"text": SAID},
        "timestamp": "1771297200",
        "sign": feishu.signature("of-ours", "1771297200"),
    }


async def test_pushplus_is_told_title_and_text():
    url, body, _ = await asked("pushplus", "6bf2c0de6bf2c0de", {"code": 200})

    assert str(url) == "https://www.pushplus.plus/send"
    assert body == {
        "token": "6bf2c0de6bf2c0de",
        "title": LETTER.title,
        "content": f"{LETTER.body}\n{LETTER.link}",
        "template": "txt",
    }


@pytest.mark.parametrize(
    ("key", "options", "where"),
    [
        ("SCT1234Tabcdefgh", {}, "https://sctapi.ftqq.com/SCT1234Tabcdefgh.send"),
        ("sctp77tabcdefgh", {}, "https://77.push.ft07.com/send/sctp77tabcdefgh.send"),
        ("sctp77tabcdefgh", {"base_url": "https://gw.local/"}, "https://gw.local/send/sctp77tabcdefgh.send"),
    ],
)
async def test_each_generation_of_serverchan_has_its_own_house(key, options, where):
    url, body, _ = await asked("serverchan", key, {"code": 0}, **options)

    assert str(url) == where
    assert body == {"title": LETTER.title, "desp": f"{LETTER.body}\n\n{LETTER.link}"}


# --------------------------------------------------------------------------- WeCom's app

PASS = {"errcode": 0, "access_token": "first", "expires_in": 7200}
YES = {"errcode": 0}


def wecom_app(clock: Clock, *answers: Any) -> tuple[Any, Remembering]:
    channel: Any = make("wecom_app", {"corp_id": "ww1", "agent_id": 7, "secret": "s"}, clock=clock)
    channel._exchange = Remembering(*answers)
    return channel, channel._exchange


async def test_a_pass_is_fetched_once_and_renewed_before_its_end():
    clock = Clock()
    channel, exchange = wecom_app(clock, PASS, YES, YES, {**PASS, "access_token": "second"}, YES)

    await channel.send(delivery("zhangsan"), LETTER)
    await channel.send(delivery("zhangsan"), LETTER)
    clock.moment += timedelta(minutes=116)
    await channel.send(delivery("zhangsan"), LETTER)

    assert [
        (url.path.rpartition("/")[2], dict(parse_qsl(url.query)).get("access_token")) for url, _, _ in exchange.asked
    ] == [
        ("gettoken", None),
        ("send", "first"),
        ("send", "first"),
        ("gettoken", None),
        ("send", "second"),
    ]
    message = json.loads(exchange.asked[1][1])
    assert (message["touser"], message["agentid"], message["text"]) == ("zhangsan", 7, {"content": SAID})


async def test_a_pass_that_ended_early_is_fetched_anew_when_it_is_tried_again():
    channel, exchange = wecom_app(Clock(), PASS, {"errcode": 42001, "errmsg": "access_token expired"}, PASS, YES)

    with pytest.raises(TryLater, match="42001"):
        await channel.send(delivery("zhangsan"), LETTER)
    await channel.send(delivery("zhangsan"), LETTER)

    assert len(exchange.asked) == 4


async def test_a_wrong_secret_is_said_before_any_message():
    channel, exchange = wecom_app(Clock(), {"errcode": 40001, "errmsg": "invalid credential"})

    with pytest.raises(Undeliverable, match="refused: 40001 invalid credential"):
        await channel.send(delivery("zhangsan"), LETTER)
    assert len(exchange.asked) == 1


async def test_a_yes_that_names_whom_it_did_not_reach_is_a_no():
    channel, _ = wecom_app(Clock(), PASS, {"errcode": 0, "invaliduser": "zhangsan"})

    with pytest.raises(Undeliverable, match="refused: invaliduser"):
        await channel.send(delivery("zhangsan"), LETTER)


# --------------------------------------------------------------------------- telephones


async def test_an_aliyun_sms_says_household_what_and_when_and_nothing_else():
    url, body, headers = await asked("aliyun_sms", "+86 138 0013-8000", {"Code": "OK"}, **ALIYUN, sign_name="守望")

    query = dict(parse_qsl(url.query))
    assert json.loads(query.pop("TemplateParam")) == {"home": "A-0312", "what": "紧急呼叫", "time": "03:00"}
    assert len(query.pop("OutId")) == 32
    assert query == {"PhoneNumbers": "13800138000", "SignName": "守望", "TemplateCode": "T_1"}
    assert (url.host, body) == ("dysmsapi.aliyuncs.com", {})
    assert (headers["x-acs-action"], headers["x-acs-date"]) == ("SendSms", "2026-02-17T03:00:00Z")


async def test_no_two_requests_to_aliyun_have_the_same_nonce():
    one, two = [
        (await asked("aliyun_sms", "13800138000", {"Code": "OK"}, **ALIYUN, sign_name="守望"))[2] for _ in range(2)
    ]
    assert one["x-acs-signature-nonce"] != two["x-acs-signature-nonce"]


async def test_an_aliyun_call_is_read_twice_and_shows_our_number():
    url, _, headers = await asked(
        "aliyun_voice", "0571-12345678", {"Code": "OK"}, **ALIYUN, shown_number="057187654321"
    )

    query = dict(parse_qsl(url.query))
    assert (query["CalledNumber"], query["CalledShowNumber"]) == ("057112345678", "057187654321")
    assert (query["TtsCode"], query["PlayTimes"], len(query["OutId"])) == ("T_1", "2", 15)
    assert headers["x-acs-action"] == "SingleCallByTts"


@pytest.mark.parametrize(
    ("purpose", "template"), [(Purpose.AGAIN, "T_1"), (Purpose.TEST, "T_1"), (Purpose.TAKEN, "T_2")]
)
async def test_somebody_has_it_can_have_its_own_template(purpose, template):
    url, _, _ = await asked("aliyun_sms", "13800138000", {"Code": "OK"}, purpose=purpose, **ALIYUN, sign_name="守望")
    assert dict(parse_qsl(url.query))["TemplateCode"] == template


async def test_a_tencent_sms_says_household_what_and_when_and_nothing_else():
    said = {"Response": {"SendStatusSet": [{"Code": "Ok"}]}}
    url, body, headers = await asked("tencent_sms", "13800138000", said, **TENCENT, sign_name="守望")

    assert str(url) == "https://sms.tencentcloudapi.com/"
    assert body == {
        "PhoneNumberSet": ["+8613800138000"],
        "SmsSdkAppId": "1400000001",
        "SignName": "守望",
        "TemplateId": "1110",
        "TemplateParamSet": ["A-0312", "紧急呼叫", "03:00"],
    }
    assert (headers["X-TC-Action"], headers["X-TC-Version"]) == ("SendSms", "2021-01-11")
    assert "/2026-02-17/sms/tc3_request" in headers["Authorization"]


async def test_a_tencent_call():
    said = {"Response": {"SendStatus": {"CallId": "c"}}}
    url, body, headers = await asked("tencent_voice", "057112345678", said, **TENCENT, play_times=3)

    assert str(url) == "https://vms.tencentcloudapi.com/"
    assert (body["CalledNumber"], body["VoiceSdkAppid"], body["PlayTimes"]) == ("+8657112345678", "1400000001", 3)
    assert (headers["X-TC-Action"], headers["X-TC-Version"]) == ("SendTtsVoice", "2020-09-02")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("LimitExceeded.DeliveryFrequencyLimit", TryLater),
        ("RequestLimitExceeded.UinLimitExceeded", TryLater),
        ("InternalError.Timeout", TryLater),
        ("InternalError.SigVerificationFail", Undeliverable),
        ("LimitExceeded.PhoneNumberDailyLimit", Undeliverable),
        ("FailedOperation.InsufficientBalanceInSmsPackage", Undeliverable),
        ("InvalidParameterValue.IncorrectPhoneNumber", Undeliverable),
    ],
)
async def test_what_is_waited_for_and_what_is_not(code, kind):
    said = {"Response": {"Error": {"Code": code, "Message": "why"}}}
    with pytest.raises(kind, match=f": {code} why"):
        await asked("tencent_sms", "13800138000", said, **TENCENT, sign_name="守望")


@pytest.mark.parametrize("said", [{}, {"Response": {}}, {"Response": {"SendStatusSet": []}}, {"Response": []}])
async def test_an_answer_without_a_verdict_is_no_yes(said):
    with pytest.raises(TryLater):
        await asked("tencent_sms", "13800138000", said, **TENCENT, sign_name="守望")


def test_numbers_as_people_write_them():
    assert {number(text) for text in ("13800138000", "+86 138-0013-8000", "8613800138000")} == {"13800138000"}
    assert number("+852 6123 4567") == "+85261234567"
    assert international("13800138000") == "+8613800138000"
    assert international(number("0571-1234 5678", fixed=True)) == "+8657112345678"
    for text in (
        "",
        "１３８００１３８０００",
        "110",
        "0571-12345678",
        "12345678901",
        "+86",
        "1380013800O",
        "13800138000,13900139000",
    ):
        with pytest.raises(Undeliverable):
            number(text)


def test_variables_are_short_and_never_empty():
    assert variables(Letter(title="t", body="王奶奶摔倒了")) == ("-", "-", "-")
    assert variables(Letter(title="t", body="b", what="长" * 40))[1] == "长" * 12


def test_a_providers_words_are_kept_without_numbers_and_secrets():
    assert clean("13800138000 is\r\n blacklisted, key abcd-efgh", ["abcd-efgh"]) == "… is blacklisted, key …"
    assert len(clean("x" * 5000)) == 200


# --------------------------------------------------------------------------- lamps and sirens


class Hub:
    """A way back that remembers, or fails as told."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.trouble = trouble

    def post(self, hub: str, rest: str, payload: bytes) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.asked.append((hub, rest, json.loads(payload)))


async def test_a_lamp_goes_on_for_a_call_and_off_when_somebody_has_it():
    hub = Hub()
    async with make("lamp", {}, post=hub) as lamp:
        for purpose in (Purpose.PAGE, Purpose.TAKEN, Purpose.TEST):
            await lamp.send(delivery("hub-1/zigbee2mqtt/duty-room/set", purpose), LETTER)

    assert hub.asked == [
        ("hub-1", "zigbee2mqtt/duty-room/set", {"state": "ON", "on_time": 600}),
        ("hub-1", "zigbee2mqtt/duty-room/set", {"state": "OFF"}),
        ("hub-1", "zigbee2mqtt/duty-room/set", {"effect": "blink"}),
    ]


async def test_a_siren_is_loud_for_a_call_and_short_for_a_test():
    hub = Hub()
    async with make("siren", {}, post=hub) as siren:
        for purpose in (Purpose.AGAIN, Purpose.TEST):
            await siren.send(delivery("hub-1/zigbee2mqtt/siren/set", purpose), LETTER)

    assert [said["warning"]["duration"] for _, _, said in hub.asked] == [180, 2]


@pytest.mark.parametrize(
    ("trouble", "kind"), [(TryLater("the broker is away"), TryLater), (ValueError("no topic"), Undeliverable)]
)
async def test_a_hub_that_cannot_be_asked(trouble, kind):
    async with make("lamp", {}, post=Hub(trouble)) as lamp:
        with pytest.raises(kind, match=str(trouble)):
            await lamp.send(delivery("hub-1/zigbee2mqtt/x/set"), LETTER)


async def test_a_broker_that_hangs_is_not_waited_for():
    released = threading.Event()

    class Hanging:
        def post(self, hub: str, rest: str, payload: bytes) -> None:
            released.wait(10)

    async with make("lamp", {"timeout": timedelta(seconds=0.05)}, post=Hanging()) as lamp:
        told = [lamp.send(delivery("hub-1/zigbee2mqtt/x/set"), LETTER) for _ in range(9)]
        said = await asyncio.gather(*told, return_exceptions=True)
        released.set()

    assert {type(error) for error in said} == {TryLater}


# --------------------------------------------------------------------------- web push


async def test_a_browser_can_read_what_only_it_can_read_and_knows_who_wrote(tmp_path):
    browser = ec.generate_private_key(ec.SECP256R1())
    shared = bytes(range(16))
    point = browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    subscription = {
        "endpoint": "https://push.example.org:8443/send/abc?x=1",
        "keys": {"p256dh": in_base64(point), "auth": in_base64(shared)},
    }
    async with make("web_push", {"contact": "mailto:a@b.cn"}, clock=Clock(), keys=tmp_path / "push.pem") as channel:
        channel._exchange = exchange = Remembering({})
        await channel.send(delivery(json.dumps(subscription)), LETTER)

    url, body, headers = exchange.asked[0]
    assert str(url) == subscription["endpoint"]
    assert (headers["Urgency"], headers["Content-Encoding"]) == ("high", "aes128gcm")
    assert json.loads(http_ece.decrypt(body, private_key=browser, auth_secret=shared))["title"] == LETTER.title
    token, _, public = headers["Authorization"].removeprefix("vapid t=").partition(",k=")
    assert public == (tmp_path / "push.pub").read_text()
    head, claims, proof = token.split(".")
    assert json.loads(from_base64(claims)) == {
        "aud": "https://push.example.org:8443",
        "sub": "mailto:a@b.cn",
        "exp": int(NIGHT.timestamp()) + 12 * 3600,
    }
    raw = from_base64(proof)
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64(public))
    key.verify(signature, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))


async def test_our_key_is_made_once_and_for_this_user_only(tmp_path):
    seen = []
    for _ in range(2):
        async with make("web_push", {"contact": "mailto:a@b.cn"}, clock=Clock(), keys=tmp_path / "push.pem"):
            seen.append((tmp_path / "push.pub").read_text())

    assert seen[0] == seen[1]
    assert (tmp_path / "push.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("endpoint", ["http://push.example.org/x", "https://", "file:///etc/passwd"])
def test_a_subscription_leads_to_an_encrypted_address(endpoint):
    from alerts.channels.web_push import WebPush

    keys = {"p256dh": in_base64(b"\4" * 65), "auth": in_base64(b"1" * 16)}
    with pytest.raises(Undeliverable):
        WebPush.check(json.dumps({"endpoint": endpoint, "keys": keys}))


async def test_a_subscription_with_a_point_beside_the_curve_is_no_subscription(tmp_path):
    keys = {"p256dh": in_base64(b"\4" + b"\1" * 64), "auth": in_base64(b"1" * 16)}
    address = json.dumps({"endpoint": "https://push.example.org/x", "keys": keys})
    async with make("web_push", {"contact": "mailto:a@b.cn"}, clock=Clock(), keys=tmp_path / "push.pem") as channel:
        with pytest.raises(Undeliverable, match="not an address that could work"):
            await channel.send(delivery(address), LETTER)


def in_base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def from_base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --------------------------------------------------------------------------- the long tail


@pytest.mark.parametrize(
    "address", ["dingtalk://token1234567890", "wecombot://key", "feishu://token", "nobody://x", "x"]
)
def test_apprise_is_not_asked_where_it_would_take_a_no_for_a_yes(address):
    from alerts.channels.apprise import Apprise

    with pytest.raises(Undeliverable, match="not an address that could work"):
        Apprise.check(address)
