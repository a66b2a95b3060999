"""The hub kit: everything that turns a small computer with a Zigbee stick into the hub of one home, as one zip.

The files lie in `box/` as they will lie on the hub; what differs from home to home is marked there `@LIKE_THIS@`.
`examples/hub/` shows one filled in. A kit holds the hub's secret, so it is made when that is shown, and never kept.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from gateway.domain.endpoint import Endpoint

SECRET: Final = 0o600  # holds the hub's secret
PLAIN: Final = 0o644
PROGRAM: Final = 0o755

BOX: Final = {
    "README.zh.md": PLAIN,
    "README.en.md": PLAIN,
    "install.sh": PROGRAM,
    "configuration.yaml": PLAIN,
    "mosquitto.conf": SECRET,
    "shouwang-heartbeat": PROGRAM,
    "shouwang-heartbeat.service": PLAIN,
    "shouwang-heartbeat.timer": PLAIN,
    "shouwang-ring": PROGRAM,
    "shouwang-ring.conf": PLAIN,
    "shouwang-ring.service": PLAIN,
    "zigbee2mqtt.service": PLAIN,
}
CA: Final = "shouwang-ca.crt"

_ONE_WAY = "keepalive_interval 20\nrestart_timeout 2 20"
_TWO_WAYS = "round_robin true\nkeepalive_interval 10\nrestart_timeout 2 10"
"""What came through by the second way within 20 to 23 s. Whoever works is stayed with: a bridge that goes back to the
first as soon as that takes a connection goes back to one that takes it and says nothing."""

_MARK = re.compile(r"@([A-Z_]+)@")
_HUB = re.compile(r"[a-z0-9-]{1,64}")
_SECRET = re.compile(r"[!-~]{16,128}")


def make_kit(hub: str, secret: str, uplink: Endpoint, *, home: str = "") -> bytes:
    """A zip for this hub. `uplink` is the broker as the home reaches it, `home` the household's code for the label.

    Raises ValueError for a name or secret that Mosquitto could not read back.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as kit:
        for name, mode, content in contents(hub, secret, uplink, home=home):
            entry = zipfile.ZipInfo(f"hub-{hub}/{name}")  # dated 1980: the same hub gives the same kit
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            kit.writestr(entry, content)
    return packed.getvalue()


def contents(hub: str, secret: str, uplink: Endpoint, *, home: str = "") -> Iterator[tuple[str, int, str]]:
    """Each file of a kit: its name, its mode, what stands in it."""
    if not _HUB.fullmatch(hub):
        raise ValueError(f"{hub[:80]!r} cannot be a hub's id: 1 to 64 of a-z, 0-9 and '-'")
    if not _SECRET.fullmatch(secret):
        raise ValueError("a hub's secret is 16 to 128 visible ASCII characters, without spaces")
    marks = {
        "HUB": hub,
        "HOME": home if _HUB.fullmatch(home.lower()) else "",  # never a person's name on a box in a cupboard
        "SECRET": secret,
        "CLIENT": _client_id(hub, secret),
        "ADDRESS": f"{uplink.host}:{uplink.port} {uplink.second}".rstrip(),
        "PATIENCE": _TWO_WAYS if uplink.second else _ONE_WAY,
        "TLS": _tls(uplink),
    }
    for name, mode in BOX.items():
        text = (files(__name__) / "box" / name).read_text(encoding="utf-8")
        yield name, mode, _MARK.sub(lambda mark: marks[mark[1]], text)
    if uplink.tls and uplink.ca:
        yield CA, PLAIN, uplink.ca.read_text(encoding="ascii")


def _client_id(hub: str, secret: str) -> str:
    """The same at every start, and known to nobody else: who connects with a client's id throws that client out.

    It begins with the hub's id, because the embedded broker's log names whom it throws out by this only.
    """
    return f"{hub}-{hashlib.sha256(f'client {secret}'.encode()).hexdigest()[:22]}"


def _tls(uplink: Endpoint) -> str:
    if not uplink.tls:
        return "# without TLS: only for a network that is your own"
    trusted = f"bridge_cafile /etc/mosquitto/{CA}" if uplink.ca else "bridge_capath /etc/ssl/certs"
    return f"{trusted}\nbridge_tls_version tlsv1.2"
