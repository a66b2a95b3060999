"""Everything registered as tables again: CSV, a zip of it, or TOML. No secrets; read again, it changes nothing."""

import csv
import io
import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain import Home
from gateway.domain.rota import EVERY_DAY, Rota, Shift
from gateway.ports import RegistryStore
from gateway.sheets.columns import ROTA, STANDARD_ZONE, TABLES
from gateway.sheets.reading import safe
from gateway.sheets.words import word

PAUSE_KEYS = ("pause", "retired")
"""Lines of a household's plan that say why it is not watched."""


def write_csv(
    store: RegistryStore, now: datetime, language: str = "zh", only: Collection[str] = tuple(TABLES)
) -> dict[str, bytes]:
    """Every table as a file that a spreadsheet opens; no secrets. Read again, it changes nothing."""
    files = {}
    for name, rows in _contents(store, now, language).items():
        if name not in only:
            continue
        table = TABLES[name]
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(table.headers(language))
        shown = [column.name for column in table.columns if column.shown]
        writer.writerows([safe(row[column]) for column in shown] for row in rows)
        stem = table.zh if language == "zh" else name
        files[f"{stem}.csv"] = out.getvalue().encode("utf-8-sig")
    return files


def write_zip(store: RegistryStore, now: datetime, language: str = "zh") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in write_csv(store, now, language).items():
            archive.writestr(name, content)
    return out.getvalue()


def write_toml(store: RegistryStore, now: datetime) -> str:
    """The same as one TOML file."""
    contents = _contents(store, now, "en")
    profiles = {row["person"]: row for row in contents["profiles"]}
    lines: list[str] = []
    for name in ("areas", "grids", "people", "homes", *ROTA):
        for row in contents[name]:
            lines += ["", f"[[{name}]]", *_assignments(row)]
            if name == "people" and (profile := profiles.get(row["id"])):
                lines += ["  [people.profile]", *_assignments(profile, but="person", indent="  ")]
            if name == "homes":
                for part in ("rooms", "hubs", "devices", "contacts"):
                    for below in contents[part]:
                        if below["home"] == row["id"]:
                            lines += [f"  [[homes.{TABLES[part].comes_as}]]"]
                            lines += _assignments(below, but="home", indent="  ")
    return "\n".join(lines[1:]) + "\n" if lines else ""


def _assignments(row: Mapping[str, str], *, but: str = "", indent: str = "") -> list[str]:
    shown = {key: value for key, value in row.items() if key != but and value != ""}
    return [f"{indent}{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in shown.items()]


def _contents(store: RegistryStore, now: datetime, language: str) -> dict[str, list[dict[str, str]]]:
    """Every table as rows of cells."""

    def duties(person: str) -> str:
        return "; ".join(f"{cell(duty)} {grid}".strip() for duty, grid in store.duties(person, now))

    def cell(value: object) -> str:
        if isinstance(value, StrEnum):
            return word(value, language)
        if isinstance(value, bool):
            return ("是" if language == "zh" else "yes") if value else ""
        return "" if value is None else str(value)

    def cells(noun: Any) -> dict[str, str]:
        return {part.name: cell(getattr(noun, part.name)) for part in fields(noun)}

    homes, people = store.homes(), store.people()
    profiles = [profile for person in people if (profile := store.profile(person.id)) is not None]
    return {
        "areas": [cells(area) for area in store.areas()],
        "grids": [cells(grid) for grid in store.grids()],
        "people": [
            cells(person) | {"phones": "; ".join(store.phones(person.id)), "duties": duties(person.id), "reaches": ""}
            for person in people
        ],
        "homes": [
            {
                "id": home.id,
                "code": home.code,
                "name": home.name,
                "grid": home.grid,
                "zone": home.zone.key,
                "state": cell(home.state),
                "why": _why(store, home, now),
                "trial_until": _local(home),
                "address": home.address,
                "access": home.access,
                "position": str(home.position or ""),
                "person": home.person,
            }
            for home in homes
        ],
        "rooms": [{"home": home.id} | cells(room) for home in homes for room in home.rooms],
        "hubs": [
            {
                "home": home.id,
                "id": hub.id,
                "interval_s": f"{hub.interval.total_seconds():.0f}" if hub.interval else "0",
            }
            for home in homes
            for hub in home.hubs
        ],
        "devices": [{"home": home.id} | cells(sensor) for home in homes for sensor in home.sensors],
        "profiles": [cells(profile) for profile in profiles],
        "contacts": [
            {key: value for key, value in cells(contact).items() if key not in ("place", "phones")}
            for home in homes
            for contact in store.contacts(home.id)
        ],
        "shifts": [
            {
                "place": shift.place,
                "duty": cell(shift.duty),
                "person": shift.person,
                "weekdays": "" if shift.weekdays == EVERY_DAY else shift.weekdays,
                "begins": f"{shift.begins:%H:%M}",
                "ends": f"{shift.ends:%H:%M}",
                "first": shift.first.isoformat(),
                "last": cell(shift.last),
                "zone": shift.zone.key,
                "swap_of": shift.swap_of,
            }
            for shift in _shifts(store.rota())
        ],
        "holidays": [cells(holiday) for holiday in store.rota().holidays.values()],
        "leaves": [
            {
                "person": leave.person,
                "since": _standard(leave.since),
                "until": _standard(leave.until),
                "reason": leave.reason,
            }
            for leaves in store.rota().leaves.values()
            for leave in leaves
        ],
    }


def _shifts(rota: Rota) -> list[Shift]:
    """Those that stand, then the swaps of them."""
    return [shift for shifts in rota.shifts.values() for shift in shifts] + list(rota.swaps.values())


def _why(store: RegistryStore, home: Home, now: datetime) -> str:
    lines = [line for line in store.plan(home.id, now) if line.key in PAUSE_KEYS]
    return lines[-1].reason if lines else ""


def _local(home: Home) -> str:
    """The end of the learning period where the home is, to the minute where it has no seconds."""
    if home.trial_until is None:
        return ""
    return _clock(home.trial_until, home.zone)


def _standard(moment: datetime) -> str:
    return _clock(moment, ZoneInfo(STANDARD_ZONE))


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    there = moment.astimezone(zone)
    if there.second or there.microsecond:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return f"{there:%Y-%m-%d %H:%M}"
