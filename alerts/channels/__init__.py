"""Ways to reach a person. One file each, one line here.

Each is made from its options, which are its constructor's arguments, and opened with `async with`.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from alerts.channels.console import Console
from alerts.channels.webhook import Webhook
from gateway.ports import Channel

CHANNELS: dict[str, Callable[..., AbstractAsyncContextManager[Channel]]] = {
    "console": Console,
    "webhook": Webhook,
}
