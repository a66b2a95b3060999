"""One settings tree, read once at the door from TOML and the environment, checked completely, handed on in pieces."""

import os
import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from alerts.channels import CHANNELS, GIVEN, Option, make, needs
from alerts.channels import options_of as options_of_channel
from alerts.ways import RINGS
from detectors import DETECTORS, options_of
from detectors.fall_model import load as load_fall_model
from gateway.domain import Reach
from gateway.domain.endpoint import Endpoint
from gateway.ports import Undeliverable
from gateway.sheets import STANDARD_LEVELS

CALL_AFTER = timedelta(minutes=10)
"""A telephone does not ring about what is not urgent before a text had this long to arrive."""

WATCHDOG_LIMITS = {
    "after": (timedelta(seconds=10), timedelta(seconds=75)),  # people are told within 90 seconds
    "back_within": (timedelta(seconds=30), timedelta(hours=1)),
    "again": (timedelta(minutes=1), timedelta(hours=4)),
}

SECRETS = "secrets.toml"
"""Settings that systemd hands over as a credential; they are written like the others, and win over the file."""

_LEVEL = re.compile(r"[a-z_]{1,32}( \S{1,32})?")


class ConfigError(Exception):
    """What the settings say cannot be; the message is a sentence for whoever wrote them."""


class Refused(Exception):
    """What was asked at the command line cannot be done; the message says why, for whoever asked."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Web(_Part):
    host: str = Field("127.0.0.1", description="address that the pages listen on")
    port: int = Field(8080, ge=0, le=65535, description="0 takes a free one")
    base_url: str = Field("", description="what people type; in links; empty: made from host and port")
    cert: Path | None = Field(None, description="the pages' certificate: TLS instead of plain")
    key: Path | None = Field(None, description="the key that belongs to it")
    metrics: SecretStr = Field(
        SecretStr(""),
        description="token for /metrics; empty: only this machine, and only while base_url is this machine",
    )

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")


class BrokerPart(_Part):
    url: SecretStr = Field(
        SecretStr(""), description="mqtt://user:password@host:1883 or mqtts://…; empty: the broker that comes with us"
    )
    ca: Path | None = Field(None, description="certificate authority for mqtts://")
    public: str = Field(
        "", description="mqtt://host:1883 or mqtts://host:8883?ca=… as the hubs in the homes reach the broker"
    )
    host: str = Field("127.0.0.1", description="address that the embedded broker listens on")
    port: int = Field(1883, ge=0, le=65535, description="0 takes a free one")
    cert: Path | None = Field(None, description="the embedded broker's certificate: TLS instead of plain")
    key: Path | None = None
    queue_checked: bool = Field(False, description="an outside broker's queue limit was looked at: do not warn")

    @field_validator("public")
    @classmethod
    def _is_for_hubs(cls, value: str) -> str:
        if value and Endpoint.parse(value).username:
            raise ValueError("takes no name and no secret: each hub has its own")
        return value

    @field_validator("url")
    @classmethod
    def _is_broker(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text:
            parts = urlsplit(text)
            if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
                raise ValueError("must look like mqtt://user:password@host:1883 or mqtts://host:8883")
        return value


class AreasPart(_Part):
    levels: tuple[str, ...] = Field(
        STANDARD_LEVELS, description="how areas are nested, the widest first: a code and its Chinese name"
    )

    @field_validator("levels")
    @classmethod
    def _are_levels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        codes = [level.split(" ", 1)[0] for level in value]
        if not 1 <= len(value) <= 8 or len(set(codes)) < len(codes) or not all(map(_LEVEL.fullmatch, value)):
            raise ValueError('must be one to eight different levels such as ["county 县", "village 村"]')
        return value


class MapPart(_Part):
    tiles: str = Field(
        "", description="the ground of the map: https://host/{z}/{x}/{y}.png; empty: plain, and no other host is asked"
    )

    @field_validator("tiles")
    @classmethod
    def _is_template(cls, value: str) -> str:
        parts = urlsplit(value)
        is_whole = all(part in parts.path + parts.query for part in ("{z}", "{x}", "{y}"))
        if value and not (parts.scheme == "https" and re.fullmatch(r"[a-z0-9.-]+(:\d+)?", parts.netloc) and is_whole):
            raise ValueError(
                "must be one https:// host with {z}, {x} and {y}, as in https://tiles.example.org/{z}/{x}/{y}.png"
            )
        return value


class WatchdogPart(_Part):
    tell: tuple[SecretStr, ...] = Field(
        (), description='told beside the administrators: a channel and an address, as in "email duty@example.org"'
    )
    ping: SecretStr = Field(
        SecretStr(""), description="https:// address outside that is asked each minute while all is well"
    )
    follow: str = Field(
        "", description="https://…/healthz of a gateway on another machine; empty: the one of this state folder"
    )
    after: timedelta = Field(timedelta(seconds=45), description="without a sign of life, until people are told")
    back_within: timedelta = Field(timedelta(minutes=3), description="a gateway that was told to stop is back by then")
    again: timedelta = Field(timedelta(minutes=15), description="from one repeat to the next")

    @field_validator("tell")
    @classmethod
    def _are_ways(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for way in value:
            channel, _, address = way.get_secret_value().partition(" ")
            if channel not in CHANNELS or not address.strip():
                raise ValueError(f"each must be a channel of {sorted(CHANNELS)}, a space and an address")
        return value

    @field_validator("ping", "follow")
    @classmethod
    def _are_addresses(cls, value: SecretStr | str) -> SecretStr | str:
        text = value if isinstance(value, str) else value.get_secret_value()
        if text and urlsplit(text).scheme not in ("http", "https"):
            raise ValueError("must begin with https:// or http://")
        return value

    @field_validator("after", "back_within", "again")
    @classmethod
    def _is_bounded(cls, value: timedelta, about: ValidationInfo) -> timedelta:
        least, most = WATCHDOG_LIMITS[str(about.field_name)]
        if not least <= value <= most:
            raise ValueError(f"must be between {_shown(least)} and {_shown(most)}")
        return value

    @property
    def ways(self) -> list[tuple[str, str]]:
        """Channel and address."""
        parts = (way.get_secret_value().partition(" ") for way in self.tell)
        return [(channel, address.strip()) for channel, _, address in parts]


class RetentionPart(_Part):
    readings: timedelta = Field(timedelta(days=90), ge=timedelta(days=60), description="what sensors said")
    hours: timedelta = Field(timedelta(days=2 * 365), ge=timedelta(days=60), description="the sums of each hour")
    alerts: timedelta = Field(timedelta(days=3 * 365), ge=timedelta(days=180), description="alerts that are over")
    audit: timedelta = Field(timedelta(days=3 * 365), ge=timedelta(days=3 * 365), description="the audit trail")
    given_up: timedelta = Field(
        timedelta(days=180), ge=timedelta(days=1), description="a household that was given up, with its resident's file"
    )


class InfluxPart(_Part):
    url: str = Field("", description="http://host:8086: a mirror of the readings in InfluxDB; empty: none")
    token: SecretStr = Field(SecretStr(""), description="may write to the bucket, and read it")
    org: str = "shouwang"
    bucket: str = "shouwang"

    @field_validator("url")
    @classmethod
    def _is_server(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("has to be like http://127.0.0.1:8086")
        return value.rstrip("/")


class Settings(BaseSettings):
    """Everything that can be set, with its default. `shouwang check` prints it."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="SHOUWANG_", env_nested_delimiter="__", env_ignore_empty=True
    )

    state: Path = Field(Path("state"), description="folder for everything that must survive")
    database: SecretStr = Field(
        SecretStr(""),
        description="postgresql://user:password@host/shouwang for homes, people and alerts; empty: gateway.db",
    )
    language: str = Field("zh", pattern="^(zh|en)$", description="what people read when nothing else is known of them")
    log: str = Field("info", pattern="^(debug|info|warning|error)$")
    log_as: str = Field("json", pattern="^(json|text)$", description="json: one object a line; text: for reading")
    web: Web = Web()
    broker: BrokerPart = BrokerPart()
    areas: AreasPart = AreasPart()
    map: MapPart = MapPart()
    influx: InfluxPart = InfluxPart()
    retention: RetentionPart = RetentionPart()
    watchdog: WatchdogPart = WatchdogPart()
    channels: dict[str, dict[str, Any]] = Field(
        default_factory=dict, repr=False, description="[channels.<name>] options"
    )
    detectors: dict[str, dict[str, Any]] = Field(default_factory=dict, description="[detectors.<name>] options")
    shadow: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="[shadow.<detector>] options with which it runs muted beside the live one"
    )

    @field_validator("database")
    @classmethod
    def _is_postgresql(cls, value: SecretStr) -> SecretStr:
        url = urlsplit(value.get_secret_value())
        if any(url) and (url.scheme != "postgresql" or not url.hostname or not url.path.strip("/")):
            raise ValueError("has to be like postgresql://user:password@host/shouwang")
        return value

    @field_validator("channels")
    @classmethod
    def _can_be_made(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {name: _channel_options(name, options) for name, options in value.items()}

    @field_validator("detectors", "shadow")
    @classmethod
    def _are_known(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {name: options_for(name, options) for name, options in value.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The environment overrides the file, which comes in as the initial values.
        return env_settings, init_settings

    @property
    def ready_channels(self) -> list[str]:
        """Channels that can speak: those that are set up, and those that need no setting up."""
        return [name for name, kind in CHANNELS.items() if name in self.channels or not needs(kind)]

    @property
    def lines(self) -> tuple[Reach, ...]:
        """The ways that need a telephone number and nothing else, of those that are set up: a text and a call. What is
        urgent goes by both at once; else it rings only when the text is not known to have arrived."""
        texts = [Reach(channel=name) for name in self.channels if name.endswith("_sms")]
        calls = [Reach(channel=self.call, after=CALL_AFTER)] if self.call else []
        return (*texts[:1], *calls)

    @property
    def call(self) -> str:
        """The channel that rings people up, of those that are set up; empty where there is none."""
        return next((name for name in self.channels if name.endswith(RINGS)), "")

    @property
    def book(self) -> str:
        """The URL under which homes, people and alerts are kept; empty for `gateway.db` in the state folder."""
        return self.database.get_secret_value()

    @property
    def base_url(self) -> str:
        host = "127.0.0.1" if self.web.host in ("", "0.0.0.0", "::") else self.web.host  # noqa: S104 - compared, not bound
        return self.web.base_url or f"{'https' if self.web.cert else 'http'}://{host}:{self.web.port}"


def options_for(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """One detector's options, turned into the types of its constructor."""
    kind = DETECTORS.get(name)
    if kind is None:
        raise ValueError(f"there is no detector {name!r}; there are {sorted(DETECTORS)}")
    known = options_of(kind)
    unknown = sorted(options.keys() - known.keys())
    if unknown:
        raise ValueError(f"detector {name!r} has no option {unknown}; it has {sorted(known)}")
    return {key: TypeAdapter(type(known[key])).validate_python(value) for key, value in options.items()}


def _channel_options(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """One channel's options, turned into the types of its constructor, which is asked whether they make sense."""
    kind = CHANNELS.get(name)
    if kind is None:
        raise ValueError(f"there is no channel {name!r}; there are {sorted(CHANNELS)}")
    known = options_of_channel(kind)
    if unknown := sorted(options.keys() - known.keys()):
        raise ValueError(f"channel {name!r} has no option {unknown}; it has {sorted(known)}")
    if missing := [option for option in needs(kind) if option not in options]:
        raise ValueError(f"channel {name!r} needs {missing} too")
    read = {key: _option(name, key, known[key], value) for key, value in options.items()}
    try:
        make(name, read, **dict.fromkeys(GIVEN))
    except ValueError as error:
        raise ValueError(f"channel {name!r}: {error}") from None
    return read


def _option(channel: str, name: str, option: Option, value: Any) -> Any:
    """One option in its type; what is wrong is said without showing what may be a secret."""
    try:
        return TypeAdapter(option.type, config=ConfigDict(coerce_numbers_to_str=True)).validate_python(value)
    except ValidationError as error:
        shown = "" if option.is_secret else f" (it is {value!r})"
        raise ValueError(f"channel {channel!r}: {name}: {error.errors()[0]['msg']}{shown}") from None


def load(path: Path | None = None, **given: Any) -> Settings:
    """Read the settings. Raises ConfigError with one line for each thing that is wrong."""
    values: dict[str, Any] = {}
    if path is not None:
        values = _read(path)
        for place in ("state",):
            if isinstance(values.get(place), str):
                values[place] = path.parent / values[place]
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):  # systemd's, for this service alone and never on a disk
        secrets = Path(folder) / SECRETS
        values = _merge(values, _read(secrets) if secrets.exists() else {})
    values = _merge(values, {key: value for key, value in given.items() if value is not None})
    try:
        return Settings(**values)
    except ValidationError as error:
        where = str(path) if path else "the settings"
        lines = [_sentence(where, dict(problem)) for problem in error.errors()]
        raise ConfigError("\n".join(lines)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no settings file {path}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _sentence(where: str, problem: dict[str, Any]) -> str:
    at = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{where}: there is no setting {at!r}; there are {_beside(problem['loc'])}."
    message, wrong = problem["msg"].removeprefix("Value error, "), problem["input"]
    shown = (
        ""
        if "url" in at or "secret" in at or at == "database" or at.startswith(("channels", "watchdog"))
        else f" (it is {_shown(wrong) if isinstance(wrong, timedelta) else wrong!r})"
    )
    return f"{where}: {at}: {message}{shown}."


def _beside(at: tuple[str | int, ...]) -> list[str]:
    """What can be said where somebody said something that is no setting."""
    part: Any = Settings
    for name in at[:-1]:
        part = part.model_fields[name].annotation
    return sorted(part.model_fields)


def understood(settings: Settings) -> list[tuple[str, str, str]]:
    """Every setting as (name, value, what it is for); secrets are only said to be there."""
    lines: list[tuple[str, str, str]] = []

    def walk(part: BaseModel, prefix: str) -> None:
        for name, info in type(part).model_fields.items():
            value = getattr(part, name)
            if isinstance(value, BaseModel):
                walk(value, f"{prefix}{name}.")
            else:
                lines.append((f"{prefix}{name}", _shown(value), info.description or ""))

    walk(settings, "")
    lines = [line for line in lines if line[0] not in ("channels", "detectors")]
    for name, kind in CHANNELS.items():
        if name not in settings.ready_channels:
            lines.append((f"channels.{name}", "", f"not set up; needs {', '.join(needs(kind))}"))
            continue
        for option, about in options_of_channel(kind).items():
            value = settings.channels.get(name, {}).get(option, about.default)
            shown = ("(set)" if value else "") if about.is_secret else _shown(value)
            lines.append((f"channels.{name}.{option}", shown, ""))
    for detector, watches in DETECTORS.items():
        for option, default in options_of(watches).items():
            value = settings.detectors.get(detector, {}).get(option, default)
            lines.append((f"detectors.{detector}.{option}", _shown(value), ""))
    return lines


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, timedelta):  # as it would be written in the file
        return str(TypeAdapter(timedelta).dump_python(value, mode="json"))
    return "" if value is None else str(value)


def problems(settings: Settings) -> list[str]:
    """What can be seen to be wrong before anything is started, each a sentence."""
    found = []
    folder = settings.state
    nearest = next((p for p in (folder, *folder.absolute().parents) if p.exists()), None)
    if nearest is None or not os.access(nearest, os.W_OK):
        found.append(f"state: cannot write to {folder}; choose a folder that this user may write to.")
    elif folder.exists() and not folder.is_dir():
        found.append(f"state: {folder} is a file; it has to be a folder.")
    for name, door in (("broker", settings.broker), ("web", settings.web)):
        for file in ("ca", "cert", "key"):
            path = getattr(door, file, None)
            if path is not None and not path.is_file():
                found.append(f"{name}.{file}: there is no file {path}.")
        if bool(door.cert) != bool(door.key):
            found.append(f"{name}: cert and key belong together; one of them is missing.")
    if settings.web.cert and not settings.base_url.startswith("https://"):
        found.append("web.base_url: begins with http://, but with web.cert the pages speak https:// only.")
    for part, chosen in (("detectors", settings.detectors), ("shadow", settings.shadow)):
        if model := chosen.get("fall", {}).get("model", ""):
            try:
                load_fall_model(model)
            except ValueError as error:
                found.append(f"{part}.fall.model: {error}")
    for channel, address in settings.watchdog.ways:
        if channel not in settings.ready_channels:
            found.append(f"watchdog.tell: the channel {channel!r} is not set up, so nothing would be sent by it.")
        try:
            CHANNELS[channel].check(address)
        except Undeliverable as why:
            found.append(f"watchdog.tell: the address for {channel!r} is {why}.")
    outside = settings.broker.url.get_secret_value()
    if not outside and settings.web.port and settings.web.port == settings.broker.port:
        found.append(f"web.port and broker.port are both {settings.web.port}; the pages and the broker need one each.")
    return found
