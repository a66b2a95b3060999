"""The tables of devices in `docs/devices.md`, made from the declarations: `scripts/devices` writes them anew."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ingest.decoders.base import Row, Signal
from ingest.decoders.esphome import MEASURES, YES_OR_NO
from ingest.decoders.models import FAMILIES, Model
from ingest.decoders.shelly import BTHOME, COMPONENTS, STATUS, TEXTS
from ingest.decoders.tasmota import SENSORS, ZIGBEE
from ingest.decoders.zigbee2mqtt import FIELDS

BEGIN, END = "<!-- made by scripts/devices -->", "<!-- end of what scripts/devices makes -->"

_WORDS = {
    Signal.ACTION: "press",
    Signal.INPUT: "what its role says",
    Signal.PRESSED: "lain or sat on",
    Signal.SOS: "call for help",
    Signal.CO: "carbon monoxide",
    Signal.LEAK: "water leak",
    Signal.METER: "water",
    Signal.SWITCHED: "on",
    Signal.CONNECTED: "connected",
}
_KNOWN_TO_ALL = {"linkquality", "battery", "battery_low", "voltage"}


def sheet() -> str:
    """Everything we know by name, in Markdown."""
    return "\n".join((*_zigbee(), *_wifi()))


def renewed(page: str) -> str:
    """The page with its tables as they should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{sheet()}\n{END}{after}"


def _zigbee() -> Iterator[str]:
    for family, models in FAMILIES.items():
        clears = any(model.clears for model in models.values())
        yield f"### {family}\n"
        yield f"| model | product | says |{' clears |' if clears else ''} to know |"
        yield f"|---|---|---|{'---|' if clears else ''}---|"
        for name, model in models.items():
            said = ", ".join(_says(model))
            cleared = f" {model.clears or '–'} |" if clears else ""
            yield f"| `{name}` | {model.maker} {model.product} | {said} |{cleared} {model.note} |"
        yield ""


def _says(model: Model) -> Iterator[str]:
    powers = []
    for key in model.keys.split():
        if key in _KNOWN_TO_ALL:
            powers.append(key)
        else:
            yield _one(key, model.own.get(key) or FIELDS[key])
    if powers:
        yield "battery"


def _one(key: str, rows: Iterable[Row]) -> str:
    return _named(key, [row.signal for row in rows])


def _named(key: str, signals: list[Signal]) -> str:
    """A key, and what it says where its name does not say it. A press that calls from any role is a press, too."""
    words = [_WORDS.get(one, one.value.replace("_", " ")) for one in signals if one is not Signal.CALL]
    meaning = " and ".join(dict.fromkeys(words))
    return f"`{key}`" if meaning == key.replace("_", " ") else f"`{key}`: {meaning}"


def _wifi() -> Iterator[str]:
    yield "### On Wi-Fi\n"
    yield "| device | says |"
    yield "|---|---|"
    components = {f"{name}.{key}": rows for name, keys in COMPONENTS.items() for key, rows in keys.items()}
    yield _line("Shelly, second generation and later, by component", components)
    yield _line("Shelly, first generation, by topic", TEXTS)
    yield _line("Shelly Motion, first generation, in `status`", STATUS)
    yield _line("Bluetooth devices handed on by a Shelly's script", BTHOME)
    yield _line("Tasmota, any sensor", SENSORS)
    yield _line("Zigbee devices through Tasmota", ZIGBEE)
    yield f"| ESPHome `binary_sensor` | {', '.join(_named(name, [signal]) for name, signal in YES_OR_NO.items())} |"
    yield _line("ESPHome `sensor`", {name: (row,) for name, row in MEASURES.items()})


def _line(device: str, keys: Mapping[str, Iterable[Row]]) -> str:
    return f"| {device} | {', '.join(_one(key, rows) for key, rows in keys.items())} |"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
