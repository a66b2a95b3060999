"""What the pages are given. Nothing in this package looks anything up elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp

from alerts.desk import Desk
from gateway.ports import AccountStore, AlertStore, Clock, ReadingStore, RegistryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything the pages need, handed in at the door."""

    alerts: AlertStore
    desk: Desk
    registry: RegistryStore
    accounts: AccountStore
    readings: ReadingStore
    clock: Clock
    secret: bytes  # signs one-tap links and forms; a new one makes every link already sent invalid
    base_url: str  # as people's phones reach us, e.g. "https://shouwang.example.org"
    secure_cookies: bool = True  # False only where the pages are served by plain HTTP on this machine
    health: Callable[[], Mapping[str, Any]] = dict  # for /healthz: "well" and more, nothing personal
    demo: bool = False
    demo_kill: Callable[[], None] | None = None  # kill -9 this gateway
    demo_press: Callable[[str], object] | None = None  # press the emergency button of this home
    phone: ASGIApp | None = None  # the simulated responder's phone, at /phone

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise ValueError(f"the pages' secret needs at least 16 bytes, this one has {len(self.secret)}")
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url must begin with http:// or https://, not {self.base_url!r}")
