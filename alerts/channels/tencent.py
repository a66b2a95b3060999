"""Sends an SMS or calls by telephone through Tencent Cloud (腾讯云短信, 语音消息)."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from alerts import reasons
from alerts.channels.exchange import Provider, in_json, name_of, named, pasted, turn_down
from alerts.channels.telephone import UNANSWERED, in_china, international, is_lasting, listed, number, variables
from gateway.domain import Delivery, Purpose
from gateway.ports import Clock, Letter, Pressed, Receipt, Returned, Texted, TryLater

LATER = (
    "LimitExceeded.DeliveryFrequencyLimit",
    "LimitExceeded.PhoneNumberThirtySecondLimit",
    "RequestLimitExceeded",
    "InternalError",
    "ResourceUnavailable",
)
NEVER = ("InternalError.Sig", "InternalError.RestApi", "InternalError.Json")
"""How the codes begin of what may go better in a while, and of what is called internal but will not. Limits of an hour
or a day are not waited for: whoever is called next must not wait with them."""

CONTENT = "application/json; charset=utf-8"


@dataclass(slots=True, kw_only=True)
class _Tencent(Provider):
    """What both services have in common. `{1}` is the household, `{2}` what it is, `{3}` when."""

    clock: Clock
    secret_id: str
    secret_key: str = field(repr=False)
    app_id: str  # SdkAppId
    template: str
    template_taken: str = ""  # for "somebody has it", and all that wants no answer; else the same, whose {2} says so
    region: str = "ap-guangzhou"

    def __post_init__(self) -> None:
        Provider.__post_init__(self)
        pasted(self, "secret_id", "secret_key", "app_id", "template", "region")

    def _template(self, purpose: Purpose) -> str:
        return (purpose in UNANSWERED and self.template_taken) or self.template

    async def _call(self, service: str, action: str, version: str, called: str, message: object) -> Mapping[str, Any]:
        """What was answered about one message."""
        url, body = self.url("/"), in_json(message)
        headers = {
            **sign(
                self.secret_id,
                self.secret_key,
                host=url.netloc,
                service=service,
                action=action,
                body=body,
                at=self.clock.now(),
            ),
            "X-TC-Version": version,
            "X-TC-Region": self.region,
        }
        hide = (self.secret_id, self.secret_key, called)
        answer = await self._exchange.ask(url, body, headers)
        said = answer.fields(hide).get("Response")
        if not isinstance(said, dict):
            raise TryLater(f"{reasons.NOT_WELL}: HTTP {answer.status}")
        if isinstance(error := said.get("Error"), dict):
            _refuse(error, hide)
        return said


@dataclass(slots=True, kw_only=True)
class TencentSms(_Tencent):
    """One SMS of an approved template. The address is a mobile number."""

    sign_name: str  # 签名: who sends it, as approved
    answers: bool = False  # the template has a fourth variable, {4}, and people can answer
    base_url: str = "https://sms.tencentcloudapi.com"

    def __post_init__(self) -> None:
        _Tencent.__post_init__(self)
        named(self, "sign_name")

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when no SMS can reach this."""
        number(address)

    async def send(self, delivery: Delivery, letter: Letter) -> str | None:
        called = international(number(delivery.address))
        said = await self._call(
            "sms",
            "SendSms",
            "2021-01-11",
            called,
            {
                "PhoneNumberSet": [called],
                "SmsSdkAppId": self.app_id,
                "SignName": self.sign_name,
                "TemplateId": (template := self._template(delivery.purpose)),
                "TemplateParamSet": variables(letter, with_code=self.answers and template == self.template),
            },
        )
        sent = said.get("SendStatusSet")
        first = sent[0] if isinstance(sent, list) and sent and isinstance(sent[0], dict) else {}
        if first.get("Code") != "Ok":  # a request that was well received can still send nothing
            _refuse(first, (self.secret_id, self.secret_key, called))
        return name_of(first.get("SerialNo"))


@dataclass(slots=True, kw_only=True)
class TencentVoice(_Tencent):
    """A telephone that rings, and a voice that reads an approved template. The address is a mobile or a fixed line."""

    play_times: int = 2
    base_url: str = "https://vms.tencentcloudapi.com"

    def __post_init__(self) -> None:
        _Tencent.__post_init__(self)
        if not 1 <= self.play_times <= 3:
            raise ValueError(f"play_times: between 1 and 3, not {self.play_times}")

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when no call can reach this."""
        number(address, fixed=True)

    async def send(self, delivery: Delivery, letter: Letter) -> str | None:
        called = international(number(delivery.address, fixed=True))
        said = await self._call(
            "vms",
            "SendTtsVoice",
            "2020-09-02",
            called,
            {
                "CalledNumber": called,
                "VoiceSdkAppid": self.app_id,
                "TemplateId": self._template(delivery.purpose),
                "TemplateParamSet": variables(letter),
                "PlayTimes": self.play_times,
            },
        )
        status = said.get("SendStatus")
        if not isinstance(status, dict) or not status.get("CallId"):
            _refuse({}, (self.secret_id, self.secret_key, called))
        return name_of(status["CallId"])


# --------------------------------------------------------------------------- what comes back


def said_of_sms(body: object) -> Iterator[Returned]:
    """下发状态通知 and 短信回复通知, as they are pushed: a list of the first, or one of the second."""
    for said in listed(body):
        if "text" in said:
            number = f"{said.get('nationcode', '')}{said.get('mobile', '')}"
            yield Texted(number=number, text=str(said["text"]), id=str(said.get("time", "")))
        elif "sid" in said:
            why = str(said.get("description", ""))
            yield Receipt(
                message=str(said["sid"]),
                arrived=said.get("report_status") == "SUCCESS",
                at=in_china(said.get("user_receive_time")),
                code=str(said.get("errmsg", "")),
                reason=why,
                lasting=is_lasting(why),
            )


def said_of_voice(body: object) -> Iterator[Returned]:
    """语音通知状态, 按键 and 失败原因: one object each, whose only field says which it is."""
    for said in listed(body):
        if isinstance(state := said.get("voiceprompt_callback"), dict):
            code = str(state.get("result", ""))
            yield Receipt(message=str(state.get("callid", "")), arrived=code == "0", code=code)
        if isinstance(why := said.get("voice_failure_callback"), dict):
            reason = str(why.get("failure_reason", ""))
            yield Receipt(
                message=str(why.get("callid", "")),
                arrived=False,
                code=str(why.get("failure_code", "")),
                reason=reason,
                lasting=is_lasting(reason),
            )
        if isinstance(key := said.get("voicekey_callback"), dict):
            yield Pressed(message=str(key.get("callid", "")), key=str(key.get("keypress", "")))


def _refuse(error: Mapping[str, Any], hide: tuple[str, ...]) -> NoReturn:
    code = str(error.get("Code") or "?")  # no verdict at all is no yes, and may have been lost on the way
    waits = code == "?" or (code.startswith(LATER) and not code.startswith(NEVER))
    turn_down(code, error.get("Message"), busy=(code,) if waits else (), hide=hide)


def sign(
    secret_id: str, secret_key: str, *, host: str, service: str, action: str, body: bytes, at: datetime
) -> dict[str, str]:
    """The headers that prove who asks for this, and when (TC3-HMAC-SHA256)."""
    timestamp, day = str(int(at.timestamp())), f"{at.astimezone(UTC):%Y-%m-%d}"
    signed = {"content-type": CONTENT, "host": host, "x-tc-action": action.lower()}
    lines, names = "".join(f"{name}:{value}\n" for name, value in signed.items()), ";".join(signed)
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    proof = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return {
        "Authorization": f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={proof}",
        "Content-Type": CONTENT,
        "Host": host,
        "X-TC-Action": action,
        "X-TC-Timestamp": timestamp,
    }
