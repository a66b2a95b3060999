"""Ways to reach a person. One file each, one line here.

Each is made from its options, which are its constructor's arguments, and opened with `async with`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import MISSING, dataclass, fields
from typing import Any, Protocol, get_type_hints

from alerts.channels import aliyun, tencent
from alerts.channels.aliyun import AliyunSms, AliyunVoice
from alerts.channels.apprise import Apprise
from alerts.channels.console import Console
from alerts.channels.dingtalk import Dingtalk
from alerts.channels.email import Email
from alerts.channels.feishu import Feishu
from alerts.channels.lamp import Lamp, Siren
from alerts.channels.prompt import Prompt
from alerts.channels.pushplus import Pushplus
from alerts.channels.serverchan import Serverchan
from alerts.channels.tencent import TencentSms, TencentVoice
from alerts.channels.web_push import WebPush
from alerts.channels.webhook import Webhook
from alerts.channels.wecom import Wecom
from alerts.channels.wecom_app import WecomApp
from gateway.domain import Person
from gateway.ports import Channel, Returned, Undeliverable


class Way(Channel, AbstractAsyncContextManager["Way"], Protocol):
    """A channel as this list knows it: made from options, opened, and able to say that an address is nonsense."""

    def __init__(self, **options: Any) -> None: ...

    @staticmethod
    def check(address: str) -> None:
        """Raises Undeliverable when nothing could ever be carried there."""
        ...


CHANNELS: dict[str, type[Way]] = {
    "console": Console,
    "webhook": Webhook,
    "wecom": Wecom,
    "wecom_app": WecomApp,
    "dingtalk": Dingtalk,
    "feishu": Feishu,
    "pushplus": Pushplus,
    "serverchan": Serverchan,
    "aliyun_sms": AliyunSms,
    "aliyun_voice": AliyunVoice,
    "tencent_sms": TencentSms,
    "tencent_voice": TencentVoice,
    "email": Email,
    "lamp": Lamp,
    "siren": Siren,
    "home": Prompt,
    "web_push": WebPush,
    "apprise": Apprise,
}

DOORS: dict[str, Callable[[object], Iterator[Returned]]] = {
    "aliyun_sms": aliyun.said_of_sms,
    "aliyun_voice": aliyun.said_of_voice,
    "tencent_sms": tencent.said_of_sms,
    "tencent_voice": tencent.said_of_voice,
}
"""Which channels something comes back from, and how its provider says it."""

GIVEN = frozenset({"clock", "post", "keys", "forget"})
"""What the gateway hands to whichever channel has a field of that name; never an option."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a channel can be told."""

    type: Any
    default: Any  # MISSING: it has to be told
    is_secret: bool

    @property
    def is_needed(self) -> bool:
        return self.default is MISSING


def options_of(kind: type[Way]) -> dict[str, Option]:
    """What a channel can be told: its constructor is the only schema. What is not printed is secret."""
    declared: Any = kind
    types = get_type_hints(kind)
    return {
        f.name: Option(types[f.name], f.default, not f.repr) for f in fields(declared) if f.init and f.name not in GIVEN
    }


def needs(kind: type[Way]) -> list[str]:
    """Options without which it cannot speak; with none of these it is there without being set up."""
    return [name for name, option in options_of(kind).items() if option.is_needed]


def make(name: str, options: Mapping[str, Any], **given: Any) -> Way:
    """A channel with its options and what the gateway has for it. Raises ValueError, a sentence for who wrote them."""
    kind = CHANNELS[name]
    declared: Any = kind
    wanted = GIVEN & {f.name for f in fields(declared)}
    return kind(**options, **{part: given[part] for part in wanted if part in given})


def unreachable(people: Iterable[Person], ready: Iterable[str]) -> Iterator[str]:
    """Whose ways to be told lead nowhere, each a sentence: found at a desk, and not at three in the morning."""
    open_now = set(ready)
    for person in people:
        for reach in person.reaches:
            if reach.channel not in CHANNELS:
                yield f"{person.id}: there is no channel {reach.channel!r}; there are {sorted(CHANNELS)}."
                continue
            if reach.channel not in open_now:
                yield f"{person.id}: the channel {reach.channel!r} is not set up, so nothing would be sent by it."
            try:
                CHANNELS[reach.channel].check(reach.address)
            except Undeliverable as why:
                yield f"{person.id}: the address for {reach.channel!r} is {why}."
