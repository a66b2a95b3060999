"""One question to a provider's server, asked once: what every channel over HTTP has in common.

A provider says no in many ways: by a status, by a code inside a cheerful 200, by never ending its answer. Here they
become two: `TryLater` and `Undeliverable`, with the provider's own code and words, and without numbers or secrets.
"""

import asyncio
import json
import re
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NoReturn, Self
from urllib.parse import urlencode

from alerts import reasons
from alerts.channels.lines import LONGEST_ANSWER, Lines, Url, request_to, url_of
from gateway.ports import Letter, TryLater, Undeliverable

IN_TIME = timedelta(seconds=10)
"""For the whole exchange, unless the options say otherwise: less than the courier's own patience."""

LONGEST_TIME = timedelta(minutes=2)

LONGEST_REASON = 200
"""Characters of a refusal that are kept: enough to see why, too few to fill the file."""

LONGEST_CODE = 64

LONGEST_NAME = 128
"""Characters of a provider's code and of its own id of a message that are kept."""

_NUMBER = re.compile(r"\+?\d{7,}")


class Exchange:
    """Asks the server to which one channel sends. Nothing is followed, repeated or read for longer than `timeout`."""

    def __init__(self, timeout: timedelta) -> None:
        if not timedelta(0) < timeout <= LONGEST_TIME:
            raise ValueError(f"timeout: an answer is waited for at most {LONGEST_TIME}, not {timeout}")
        self._timeout = timeout.total_seconds()
        self._lines = Lines()

    async def close(self) -> None:
        """Let go of the connections."""
        self._lines.close()

    async def ask(
        self,
        url: Url,
        content: bytes = b"",
        headers: Mapping[str, str] = {},
        method: str = "POST",
        *,
        rest: timedelta | None = None,
    ) -> "Answer":
        """Send it, and wait for the whole answer: with a provider the body says whether the message was taken.

        Where the status alone says so, `rest` is how long what follows it is waited for: that is for the next use of
        the connection only.
        """
        request = request_to(url, method, headers, content)
        line = None
        try:
            async with asyncio.timeout(self._timeout):
                line = await self._lines.to(url)
                await line.say(request)
                if rest is None:
                    await line.rest()
            if rest is not None:
                with suppress(OSError):  # among them is a wait that was too long
                    async with asyncio.timeout(rest.total_seconds()):
                        await line.rest()
            return Answer(line.status, bytes(line.body[:LONGEST_ANSWER]), line.location)
        except TimeoutError:
            raise TryLater(f"{reasons.NO_ANSWER}: {self._timeout:g} s") from None
        except OSError as error:
            raise TryLater(f"{reasons.NO_CONNECTION}: {clean(str(error)) or type(error).__name__}") from error
        finally:
            if line is not None:
                self._lines.give_back(url, line)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered, before anybody has looked for its code."""

    status: int
    body: bytes
    location: str = ""  # where it sends us on to, which is not followed

    @property
    def is_good(self) -> bool:
        return self.status // 100 == 2

    @property
    def is_for_later(self) -> bool:
        """Nobody has looked at it: it came too slowly, too early or with too many others, or something is broken."""
        return self.status >= 500 or self.status in (408, 425, 429)

    def judge(self, hide: Iterable[str] = ()) -> None:
        """Refuse what the status alone refuses."""
        said = f"HTTP {self.status} {clean(self.body.decode('utf-8', 'replace'), hide)}".strip()
        if self.is_for_later:
            raise TryLater(f"{reasons.NOT_WELL}: {said}", str(self.status))
        if self.status // 100 == 3:
            raise Undeliverable(f"{reasons.SENT_ON}: HTTP {self.status}", str(self.status))
        if not self.is_good:
            raise Undeliverable(f"{reasons.REFUSED}: {said}", str(self.status))

    def fields(self, hide: Iterable[str] = ()) -> Mapping[str, Any]:
        """The JSON object that every provider here answers with, also beside a status that says no.

        A 200 with anything else comes from a proxy or a login page on the way: nothing was taken.
        """
        if self.is_for_later:
            self.judge(hide)
        try:
            read = json.loads(self.body)
        except (ValueError, RecursionError):  # also what is no UTF-8, and a thousand brackets
            read = None
        if isinstance(read, dict):
            return read
        self.judge(hide)
        said = clean(self.body.decode("utf-8", "replace"), hide)
        raise TryLater(f"{reasons.NOT_WELL}: HTTP {self.status} {said}".rstrip(), str(self.status))


def turn_down(code: object, text: object, *, busy: Container[object] = (), hide: Iterable[str] = ()) -> NoReturn:
    """The provider's no, in its own code and words: for now, if it is one of the codes in `busy`, or for good."""
    said = clean(" ".join(str(part) for part in (code, text) if part not in (None, "")), hide)
    own = clean("" if code is None else str(code), hide)[:LONGEST_CODE]
    if isinstance(code, int | str) and code in busy:
        raise TryLater(f"{reasons.NOT_WELL}: {said}", own)
    raise Undeliverable(f"{reasons.REFUSED}: {said}", own)


def name_of(message: object) -> str | None:
    """The id that a provider gave to what it took, as it is kept; None where there is none."""
    return message[:LONGEST_NAME] if isinstance(message, str) and message else None


def clean(text: str, hide: Iterable[str] = ()) -> str:
    """A provider's words as they may be kept and logged: one short line, no telephone number, nothing of ours."""
    for word in hide:
        if len(word) >= 4:
            text = text.replace(word, "…")
    return " ".join(_NUMBER.sub("…", text).split())[:LONGEST_REASON]


def words(letter: Letter) -> str:
    """The whole letter as plain text. No markup: what stands in it is never taken for some."""
    return "\n".join(part for part in (letter.title, letter.body, letter.link) if part)


def in_json(message: object) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


JSON = {"Content-Type": "application/json; charset=utf-8"}


def named(options: object, *names: str) -> None:
    """Refuse options that were left empty."""
    for name in names:
        if not str(getattr(options, name)).strip():
            raise ValueError(f"{name}: must not be empty")


def pasted(options: object, *names: str) -> None:
    """Refuse keys that were left empty, or copied with a space or a word beside them."""
    named(options, *names)
    for name in names:
        if not re.fullmatch(r"[!-~]+", getattr(options, name)):
            raise ValueError(f"{name}: holds a space or a character that stands in no key; copy it again")


@dataclass(slots=True, kw_only=True)
class Provider:
    """The part of a channel that stands for its provider's server."""

    base_url: str  # another one for a private gateway in front of the provider
    timeout: timedelta = IN_TIME  # for the whole exchange
    _exchange: Exchange = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._exchange = Exchange(self.timeout)
        self.base_url = self.base_url.rstrip("/")
        self.url("/")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *why: object) -> None:
        await self._exchange.close()

    def url(self, path: str, **query: str) -> Url:
        try:
            url = url_of(self.base_url + path)
        except ValueError as error:
            raise ValueError(f"base_url: {self.base_url!r} is no address: {error}") from error
        return replace(url, query=urlencode(query)) if query else url

    async def ask_json(
        self, url: Url, message: object, headers: Mapping[str, str] = {}, hide: Iterable[str] = ()
    ) -> Mapping[str, Any]:
        """Post JSON, and read the JSON that comes back."""
        answer = await self._exchange.ask(url, in_json(message), {**JSON, **headers})
        return answer.fields(hide)


def robot(address: str, key: re.Pattern[str], example: str) -> tuple[str, str]:
    """A group robot's key and secret, from "key secret" or from its whole address as the provider shows it.

    Only the key is taken out of an address: where to send stands in the settings, so nobody who can write down how
    to reach a person can send us elsewhere.
    """
    first, _, secret = address.strip().partition(" ")
    found = key.fullmatch(re.split(r"[=/]", first)[-1])
    if found is None:
        raise Undeliverable(f"{reasons.NO_ADDRESS}: {example}")
    return found[0], secret.strip()
