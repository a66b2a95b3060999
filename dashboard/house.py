"""What the pages are given. Nothing in this package looks anything up elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from alerts.desk import Desk
from dashboard.workings import Workings
from gateway.domain.endpoint import Endpoint
from gateway.ports import AccountStore, AlertStore, Channel, Clock, History, Post, ReadingStore, RegistryStore
from gateway.privacy import Privacy
from gateway.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything the pages need, handed in at the door."""

    alerts: AlertStore
    desk: Desk
    registry: RegistryStore
    registrar: Registry  # the use-cases of registration over the same store
    accounts: AccountStore
    readings: ReadingStore
    clock: Clock
    secret: bytes  # signs one-tap links and forms; a new one makes every link already sent invalid
    base_url: str  # as people's phones reach us, e.g. "https://shouwang.example.org"
    secure_cookies: bool = True  # False only where the pages are served by plain HTTP on this machine
    webhook_secret: str = ""  # signs what bridges of your own tell us; empty: that door is shut
    channels: Mapping[str, Channel] = field(default_factory=dict)  # by which a test is sent to whoever asks for one
    post: Post | None = None  # asks a hub to do something; None where no hub can be asked
    uplink: Endpoint | None = None  # where hubs reach the broker: what stands in a hub kit
    health: Callable[[], Mapping[str, Any]] = dict  # for /healthz: "well" and more, nothing personal
    meters: Callable[[], Mapping[str, Any]] = dict  # the same and more, for /metrics
    metrics_token: str = ""  # shown by whoever asks for them; empty: this machine only, while base_url is this machine
    photos: Path | None = None  # the folder for pictures of installed devices; None: none are taken
    push_key: Path | None = None  # the public key by which push services know us; None: no browser is told by push
    privacy: Privacy | None = None  # copies and erasures for the administrator's page
    workings: Workings | None = None  # what administrators may ask of the gateway itself; None: nobody asks here
    is_busy: Callable[[], bool] = lambda: False  # something is on the road: who can wait a moment does
    is_at_hand: bool = True  # the book is a file of this machine: asking it takes no longer than asking for a thread
    fell: Callable[[BaseException], None] = lambda error: None  # a part of the pages died: all must start anew
    blank_book: Callable[[], AlertStore] | None = None  # in which may be tried who would be called
    history: History | None = None  # sums of hours from further back than `readings` has them; None: nobody has
    map_tiles: str = ""  # where the map's ground comes from: https://host/{z}/{x}/{y}.png; empty: plain, from nowhere
    answers_only: bool = False  # nothing can be written down: whoever was called answers, and that is all
    demo: bool = False
    demo_kill: Callable[[], None] | None = None  # kill -9 this gateway
    demo_press: Callable[[str], object] | None = None  # press the emergency button of this home
    phone: ASGIApp | None = None  # the simulated responder's phone, at /phone

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise ValueError(f"the pages' secret needs at least 16 bytes, this one has {len(self.secret)}")
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url must begin with http:// or https://, not {self.base_url!r}")
