"""Where a broker is, and who we are to it."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_HOST = re.compile(r"[A-Za-z0-9.-]+")
_EXAMPLE = "mqtt://user:password@host:1883, mqtts://user:password@host:8883?ca=/etc/shouwang/ca.crt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One broker's address with the name and secret we show it. The secret is never printed."""

    host: str
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca: Path | None = None
    """Whose signature we accept; None means the machine's own list. The server's very certificate will do as well."""
    second: str = ""
    """`host:port` of the same broker by another way, another carrier's: taken by a hub whose first way is dead."""
    check_name: bool = True
    """Off only for our own child on this machine, whose certificate names the address that the homes use."""

    def __post_init__(self) -> None:
        if not self.host:
            raise ValueError(f"MQTT 地址里没有主机名。 / a broker's address needs a host, as in {_EXAMPLE}")
        if not 0 < self.port < 65536:
            raise ValueError(
                f"端口 {self.port} 不存在。 / a broker's port lies between 1 and 65535, not at {self.port}"
            )

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """Read `mqtt://user:password@host:1883` or `mqtts://…?ca=/path/to/ca.crt`; odd characters are %-coded."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS:
            raise ValueError(
                f"MQTT 地址要以 mqtt:// 或 mqtts:// 开头。 / a broker's address begins with mqtt:// or mqtts://, "
                f"not {parts.scheme or 'nothing'!r}: {_EXAMPLE}"
            )
        options = parse_qs(parts.query)
        if unknown := options.keys() - {"ca", "second"}:
            raise ValueError(
                f"MQTT 地址不认识选项 {sorted(unknown)}。 / "
                f"a broker's address has no option {sorted(unknown)}; it has ['ca', 'second']"
            )
        if parts.path.strip("/") or parts.fragment:
            raise ValueError(f"MQTT 地址在端口之后不该有路径。 / a broker's address has no path: {_EXAMPLE}")
        try:
            port = parts.port or _PORTS[parts.scheme]
        except ValueError:
            raise ValueError(
                f"MQTT 地址的端口不是数字。 / the port in a broker's address is no number: {_EXAMPLE}"
            ) from None
        ca = options.get("ca", [""])[0]
        if ca and parts.scheme == "mqtt":
            raise ValueError(
                "mqtt:// 不加密，ca 没有意义；请用 mqtts://。 / mqtt:// is not encrypted, so 'ca' needs mqtts://"
            )
        return cls(
            host=parts.hostname or "",
            port=port,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=parts.scheme == "mqtts",
            ca=Path(ca) if ca else None,
            second=_another(options.get("second", [""])[0], _PORTS[parts.scheme]),
        )

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        return self.host in ("127.0.0.1", "::1", "localhost")

    def __str__(self) -> str:
        """For logs and pages: without the secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def _another(address: str, port: int) -> str:
    """`host:port` of a second way; without a port it is the usual one."""
    if not address:
        return ""
    host, _, given = address.partition(":")
    if not _HOST.fullmatch(host) or (given and not (given.isdecimal() and 0 < int(given) < 65536)):
        raise ValueError(
            f"second={address[:80]!r} 不是 主机:端口。 / 'second' is host:port, as in second=203.0.113.9:8883, "
            f"not {address[:80]!r}"
        )
    return f"{host}:{given or port}"
