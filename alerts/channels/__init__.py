"""Ways to reach a person. One file each, one line here."""

from alerts.channels.console import Console
from alerts.channels.webhook import Webhook
from gateway.ports import Channel

CHANNELS: dict[str, type[Channel]] = {
    "console": Console,
    "webhook": Webhook,
}
