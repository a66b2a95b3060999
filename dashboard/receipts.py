"""The doors for what comes back: receipts and answers from providers, from bridges of your own, and drills by link.

Nobody signs in here. A provider cannot sign what it pushes, so its address holds a key that only it and we know; a
bridge of your own signs every word. Nothing that is said here is trusted further than the one message it names.
"""

import hashlib
import hmac
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from alerts.channels import DOORS
from alerts.inbound import Inbound
from alerts.wording import say
from alerts.words_ledger import WHOLE, Said
from dashboard.addresses import Addresses
from dashboard.doors import Doors, source_of
from dashboard.house import House
from dashboard.links import Links, Pass
from dashboard.printer import Printer, tongue_of
from gateway.domain import Delivery, Purpose, Stage
from gateway.ports import Receipt

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=5)
"""A signed word that is older, or from further in the future, is refused: it may be a recording."""

MOST_WORDS = 500
"""Receipts and answers in one push; a provider sends a hundred at most."""

THANKS: Mapping[str, Mapping[str, object]] = {
    "aliyun": {"code": 0, "msg": "OK"},
    "tencent": {"result": 0, "errmsg": "OK"},
}
"""What each provider wants to hear, or it pushes the same again."""

STAGES = {"delivered": Stage.DELIVERED, "opened": Stage.OPENED}
ACTS = {"accept": True, "send": False}
"""What a bridge can tell of a message: what became of it, or that the person goes, or wants somebody sent."""


@dataclass(slots=True)
class Turnstile:
    """Lets so many through from one place in a minute; the rest is asked to come again."""

    most: int
    remembered: int = 1000  # places
    _counts: OrderedDict[str, tuple[datetime, int]] = field(default_factory=OrderedDict)

    def is_full(self, place: str, now: datetime) -> bool:
        began, count = self._counts.pop(place, (now, 0))
        if not timedelta(0) <= now - began < timedelta(minutes=1):
            began, count = now, 0
        self._counts[place] = began, count + 1
        while len(self._counts) > self.remembered:
            self._counts.popitem(last=False)
        return count >= self.most


@dataclass(slots=True)
class Receipts:
    """What the doors need, and who has knocked lately."""

    house: House
    printer: Printer
    links: Links
    inbound: Inbound = field(init=False)
    pushes: Turnstile = field(default_factory=lambda: Turnstile(600))
    wrong: Turnstile = field(default_factory=lambda: Turnstile(20))

    def __post_init__(self) -> None:
        self.inbound = Inbound(self.house.alerts, self.house.desk, self.links.code)

    def check(self, request: Request, is_ours: Callable[[], bool]) -> None:
        """Refuse whoever knocks too often, or does not know the key: to them there is no such door."""
        now, source = self.house.clock.now(), source_of(request)
        if self.pushes.is_full(source, now):
            raise HTTPException(429, headers={"Retry-After": "60"})
        if not is_ours():
            if self.wrong.is_full(source, now):
                raise HTTPException(429, headers={"Retry-After": "60"})
            log.warning("a wrong key at a door for receipts", extra={"path": request.url.path.rpartition("/")[0]})
            raise HTTPException(404)

    def take(self, door: str, body: object) -> None:
        """Everything in one push. What cannot be read is passed over: the provider would only push it again."""
        now = self.house.clock.now()
        for count, word in enumerate(DOORS[door](body)):
            if count >= MOST_WORDS:
                log.warning("a push is too long, and was taken in part", extra={"door": door})
                break
            said = self.inbound.take(door, word, now)
            if said is not None:
                log.info("answered", extra={"door": door, "said": said.value})

    def is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether a bridge of ours says this, now."""
        stamp = headers.get("shouwang-timestamp", "")
        if not self.house.webhook_secret or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            return False
        if abs(self.house.clock.now().timestamp() - int(stamp)) > FRESH.total_seconds():
            return False
        secret = self.house.webhook_secret.encode()
        expected = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"sha256={expected}".encode(), headers.get("shouwang-signature", "").encode())

    def bridged(self, word: Mapping[str, Any], body: bytes) -> str:
        """One word of a bridge, acted upon; what became of it, in the person's language."""
        now = self.house.clock.now()
        delivery = self.house.alerts.delivery(str(word.get("delivery", "")))
        what = str(word.get("what", ""))
        if delivery is None:
            raise Wrong(f"there is no delivery {word.get('delivery')!r}; it is the `id` of the webhook's message")
        if what in STAGES:
            self.house.desk.arrived(delivery.id, STAGES[what], now, now)
        elif what == "failed":
            code, reason = str(word.get("code", ""))[:64], str(word.get("reason", ""))[:200]
            lasting = word.get("lasting") is True
            receipt = Receipt(message="", arrived=False, code=code, reason=reason, lasting=lasting)
            self.inbound.settled(delivery, receipt, now)
        elif what in ACTS:
            return self._act_once(delivery, ACTS[what], body, now)
        else:
            raise Wrong(f"`what` is {what!r}; it can be {[*STAGES, 'failed', *ACTS]}")
        return ""

    def _act_once(self, delivery: Delivery, goes: bool, body: bytes, now: datetime) -> str:
        """The same signed word acts once, however often somebody plays it."""
        word = hashlib.sha256(body).hexdigest()[:32]
        if self.house.alerts.was_heard(word):
            return ""
        said = self.inbound.act(delivery, goes, "webhook", now)
        with self.house.alerts.begin() as ledger:
            ledger.hear(word, now)
        person = self.house.registry.person(delivery.person)
        return say(person.language if person else "", WHOLE[said])


class Wrong(ValueError):
    """What a bridge said makes no sense; the sentence says what would."""


def routes(receipts: Receipts, doors: Doors) -> Addresses:
    """What providers push, what bridges sign, and the page of a drill."""
    router = Addresses()
    house, links = receipts.house, receipts.links

    @router.post("/in/signed")
    async def signed(request: Request) -> Response:
        body = await request.body()
        receipts.check(request, lambda: receipts.is_signed(request.headers, body))
        try:
            word = json.loads(body)
            if not isinstance(word, dict):
                raise Wrong("the body is one JSON object")
            said = await run_in_threadpool(receipts.bridged, word, body)
        except (ValueError, RecursionError) as error:
            text = str(error) if isinstance(error, Wrong) else "the body is no JSON"
            return JSONResponse({"error": text}, status_code=422)
        return JSONResponse({"said": said})

    @router.post("/in/{door}/{key}")
    async def pushed(request: Request, door: str, key: str) -> Response:
        known = door in DOORS
        receipts.check(request, lambda: known and hmac.compare_digest(links.key(door).encode(), key.encode()))
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            return JSONResponse({"error": "the body is no JSON"}, status_code=422)
        await run_in_threadpool(receipts.take, door, body)
        return JSONResponse(THANKS[door.partition("_")[0]])

    # ------------------------------------------------------------------ drills

    def drilled(token: str) -> tuple[Pass, Delivery]:
        one_tap = links.read(token)
        delivery = house.alerts.delivery(one_tap.delivery) if one_tap else None
        if one_tap is None or delivery is None or delivery.purpose is not Purpose.DRILL:
            raise HTTPException(410)
        return one_tap, delivery

    @router.get("/d/{token}")
    def show_drill(request: Request, token: str) -> Response:
        """Shows the button and does nothing: previews and scanners open links too."""
        _, delivery = drilled(token)
        return receipts.printer.page(
            request, "drill_answer.html", here="/", is_answered=delivery.answered_at is not None
        )

    @router.post("/d/{token}", dependencies=[Depends(doors.from_here)])
    def answer_drill(request: Request, token: str) -> Response:
        _, delivery = drilled(token)
        receipts.inbound.act(delivery, True, "link", house.clock.now())
        text = say(tongue_of(request).language, WHOLE[Said.DRILL])
        title = tongue_of(request).say("Drill")
        return receipts.printer.page(request, "said.html", here="/", title=title, text=text, refresh=0)

    return router
