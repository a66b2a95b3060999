"""Sends an SMS or calls by telephone through Alibaba Cloud (阿里云短信, 语音服务)."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from alerts.channels.exchange import Provider, name_of, named, pasted, turn_down
from alerts.channels.telephone import UNANSWERED, in_china, is_lasting, listed, number, variables
from gateway.domain import Delivery, Purpose
from gateway.ports import Clock, Letter, Pressed, Receipt, Returned, Texted

VERSION = "2017-05-25"

LATER = (
    "isp.SYSTEM_ERROR",
    "isp.GATEWAY_ERROR",
    "isv.BUSINESS_LIMIT",
    "BUSINESS_LIMIT",
    "Throttling",
    "InternalError",
    "ServiceUnavailable",
    "SystemError",
    "SignatureNonceUsed",
)
"""How the codes begin of what may go better in a while. Limits of a day or a month and an empty account are not among
them: whoever is called next must not wait for those."""


@dataclass(slots=True, kw_only=True)
class _Aliyun(Provider):
    """What both services have in common. `${home}`, `${what}` and `${time}` are the template's variables."""

    clock: Clock
    access_key: str
    access_secret: str = field(repr=False)
    template: str
    template_taken: str = (
        ""  # for "somebody has it", and all that wants no answer; else the same, whose ${what} says so
    )

    def __post_init__(self) -> None:
        Provider.__post_init__(self)
        pasted(self, "access_key", "access_secret", "template")

    def _template(self, purpose: Purpose) -> str:
        return (purpose in UNANSWERED and self.template_taken) or self.template

    async def _call(self, action: str, called: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        url = self.url("/", **query)
        headers = sign(
            self.access_key,
            self.access_secret,
            host=url.netloc,
            action=action,
            version=VERSION,
            query=query,
            at=self.clock.now(),
            nonce=secrets.token_hex(16),
        )
        hide = (self.access_key, self.access_secret, called)
        # The query is what was signed, written the way it was signed.
        answer = await self._exchange.ask(replace(url, query=canonical(query)), headers=headers)
        said = answer.fields(hide)
        if (code := said.get("Code")) != "OK":
            turn_down(code, said.get("Message"), busy=(code,) if str(code).startswith(LATER) else (), hide=hide)
        return said


@dataclass(slots=True, kw_only=True)
class AliyunSms(_Aliyun):
    """One SMS of an approved template. The address is a mobile number."""

    sign_name: str  # 签名: who sends it, as approved
    answers: bool = False  # the template has a fourth variable, ${code}, and people can answer
    base_url: str = "https://dysmsapi.aliyuncs.com"

    def __post_init__(self) -> None:
        _Aliyun.__post_init__(self)
        named(self, "sign_name")

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when no SMS can reach this."""
        number(address)

    async def send(self, delivery: Delivery, letter: Letter) -> str | None:
        called = number(delivery.address)
        said = await self._call(
            "SendSms",
            called,
            {
                "PhoneNumbers": called.removeprefix("+"),
                "SignName": self.sign_name,
                "TemplateCode": self._template(delivery.purpose),
                "TemplateParam": _in_words(letter, with_code=self._takes_code(delivery.purpose)),
                "OutId": _short(delivery),
            },
        )
        return name_of(said.get("BizId"))

    def _takes_code(self, purpose: Purpose) -> bool:
        return self.answers and self._template(purpose) == self.template


@dataclass(slots=True, kw_only=True)
class AliyunVoice(_Aliyun):
    """A telephone that rings, and a voice that reads an approved template. The address is a mobile or a fixed line."""

    shown_number: str = ""  # the number that is seen; empty: from the provider's pool
    play_times: int = 2
    base_url: str = "https://dyvmsapi.aliyuncs.com"

    def __post_init__(self) -> None:
        _Aliyun.__post_init__(self)
        if not 1 <= self.play_times <= 3:
            raise ValueError(f"play_times: between 1 and 3, not {self.play_times}")

    @staticmethod
    def check(address: str) -> None:
        """Undeliverable when no call can reach this."""
        number(address, fixed=True)

    async def send(self, delivery: Delivery, letter: Letter) -> str | None:
        called = number(delivery.address, fixed=True)
        query = {
            "CalledNumber": called.removeprefix("+"),
            "TtsCode": self._template(delivery.purpose),
            "TtsParam": _in_words(letter),
            "PlayTimes": str(self.play_times),
            "OutId": _short(delivery)[:15],  # as long as this service lets it be
        }
        if self.shown_number:
            query["CalledShowNumber"] = self.shown_number
        return name_of((await self._call("SingleCallByTts", called, query)).get("CallId"))


def _in_words(letter: Letter, *, with_code: bool = False) -> str:
    words = variables(letter, with_code=with_code)
    named_words = dict(zip(("home", "what", "time", "code"), words, strict=False))
    return json.dumps(named_words, ensure_ascii=False, separators=(",", ":"))


# --------------------------------------------------------------------------- what comes back


def said_of_sms(body: object) -> Iterator[Returned]:
    """SmsReport (短信状态报告) and SmsUp (上行短信), as they are pushed: a list of either."""
    for said in listed(body):
        if "content" in said:
            number, text = str(said.get("phone_number", "")), str(said["content"])
            yield Texted(number=number, text=text, id=str(said.get("sequence_id") or said.get("send_time", "")))
        elif "biz_id" in said:
            code, why = str(said.get("err_code", "")), str(said.get("err_msg", ""))
            yield Receipt(
                message=str(said["biz_id"]),
                arrived=said.get("success") in (True, "true"),
                at=in_china(said.get("report_time")),
                code=code,
                reason=why,
                lasting=is_lasting(why),
            )


def said_of_voice(body: object) -> Iterator[Returned]:
    """VoiceReport (呼叫记录): whether somebody lifted it, and which keys they pressed."""
    for said in listed(body):
        call = str(said.get("call_id", ""))
        if not call or "status_code" not in said or "status_time" in said:
            continue  # the stages of a call that still goes on
        lifted = any(said.get(name) for name in ("start_time", "a_start_time", "b_start_time"))
        code, why = str(said["status_code"]), str(said.get("status_msg", ""))
        at = in_china(said.get("end_time"))
        yield Receipt(
            message=call, arrived=lifted, at=at, code=code, reason=why, lasting=not lifted and is_lasting(why)
        )
        if key := str(said.get("dtmf") or ""):
            yield Pressed(message=call, key=key)


def _short(delivery: Delivery) -> str:
    """Finds the message again in the provider's records; ids of ours name homes and people, and stay here."""
    return hashlib.sha256(delivery.id.encode()).hexdigest()[:32]


def canonical(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(key, safe='-_.~')}={quote(query[key], safe='-_.~')}" for key in sorted(query))


def sign(
    access_key: str,
    access_secret: str,
    *,
    host: str,
    action: str,
    version: str,
    query: Mapping[str, str],
    at: datetime,
    nonce: str,
) -> dict[str, str]:
    """The headers of a request whose parameters stand in its query (ACS3-HMAC-SHA256)."""
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": empty,
        "x-acs-date": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n{canonical(query)}\n{lines}\n{names}\n{empty}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    proof = hmac.new(access_secret.encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = f"ACS3-HMAC-SHA256 Credential={access_key},SignedHeaders={names},Signature={proof}"
    return headers
