"""`shouwang homes …`: households from the first line of their file to the last."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from gateway.commands import Config, E, Office, State, Who, moment, office, one_of, say
from gateway.config import Refused
from gateway.domain import (
    Ability,
    Answers,
    Contact,
    Hearing,
    Home,
    Living,
    Monitoring,
    Person,
    Position,
    Profile,
    Relation,
    Risk,
    Room,
    RoomKind,
    Sex,
    Sight,
)

homes = typer.Typer(help="Households: register, look at, pause, import, export. 家庭档案", no_args_is_help=True)

Name = Annotated[str | None, typer.Option("--name", help="what people call it, such as 王奶奶")]
Code = Annotated[str | None, typer.Option("--code", help="household code (户号): may stand on a lock screen")]
GridOf = Annotated[str | None, typer.Option("--grid", help="the grid that answers for it")]
Zone = Annotated[str | None, typer.Option("--zone", help="time zone that its people live by")]
Address = Annotated[str | None, typer.Option("--address")]
Access = Annotated[str | None, typer.Option("--access", help="how to get in: lock, who has the key")]
Place = Annotated[str | None, typer.Option("--position", help="latitude, longitude (WGS-84); empty takes it away")]
Resident = Annotated[str | None, typer.Option("--person", help="the resident's id, where registered")]


def _position(text: str) -> Position | None:
    try:
        return Position.read(text)
    except ValueError as error:
        raise Refused(f"--position: {error}") from None


@homes.command("list")
def homes_list(config: Config = None, state: State = None) -> None:
    """Every household with its state and when it was last heard."""
    with office(config, state) as here:
        heard = here.stores.readings.heard()
        for home in here.stores.registry.homes():
            last = heard.get(home.id)
            when = f"{last.astimezone(home.zone):%m-%d %H:%M:%S}" if last else "-"
            line = f"{home.id:20} {home.code:10} {home.grid:10} {home.state.value:10} {len(home.sensors):3} sensors"
            say(f"{line}  {when}  {_learning(home, here)}".rstrip())


@homes.command("show")
def homes_show(home: str, config: Config = None, state: State = None) -> None:
    """One household: rooms, hubs, devices with their condition, people, and what it cannot see."""
    with office(config, state) as here:
        for line in _portrait(here.home(home), here):
            say(line)


def _portrait(home: Home, here: Office) -> Iterator[str]:
    from alerts.wording import say_gap
    from gateway.commands.devices import condition_of

    registry, readings = here.stores.registry, here.stores.readings
    stands = f"{home.state.value}  {_learning(home, here)}".rstrip()
    yield f"{home.id}  {home.code}  {home.name}  grid {home.grid or '-'}  {stands}"
    yield f"  {home.address or '-'}  {home.access}".rstrip()
    for room in home.rooms:
        yield f"  room {room.id:16} {room.kind.value:10} {room.name}"
    secrets = registry.hub_secrets()
    for hub in home.hubs:
        yield f"  hub {hub.id:17} {'secret set' if hub.id in secrets else 'no secret'}"
    conditions = {condition.sensor: condition for condition in readings.conditions(home.id)}
    for sensor in home.sensors:
        known = condition_of(conditions.get(sensor.id), home, here.now)
        yield f"  device {sensor.id:14} {sensor.room:12} {sensor.role.value:12} {sensor.model:14} {known}"
    for contact in registry.contacts(home.id):
        yield f"  contact {_contact_line(contact, here)}"
    for line in registry.plan(home.id, here.now):
        until = f"{line.until.astimezone(home.zone):%Y-%m-%d %H:%M}" if line.until else "open end"
        yield f"  plan {line.key} = {line.value or '-'} until {until}, {line.author}: {line.reason}"
    for gap in readings.gaps(home.id).get(home.id, ()):
        yield f"  ! {say_gap(gap, home, here.settings.language, here.now)}"


def _learning(home: Home, here: Office) -> str:
    if home.trial_until is None:
        return ""
    day = f"{home.trial_until.astimezone(home.zone):%Y-%m-%d}"
    if here.now < home.trial_until:
        return f"learning until {day}"
    return f"learning ended {day}: guard it" if home.state is Monitoring.TRIAL else ""


@homes.command("open")
def homes_open(
    home: str,
    name: Annotated[str, typer.Option("--name", help="what people call it, such as 王奶奶")],
    grid: Annotated[str, typer.Option("--grid", help="the grid that answers for it")],
    code: Code = None,
    zone: Zone = None,
    address: Address = None,
    access: Access = None,
    position: Place = None,
    person: Resident = None,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Register a new household; HOME is its id: a-z, 0-9 and '-'."""
    with office(config, state) as here:
        new = Home(
            id=home,
            code=code or "",
            name=name,
            grid=grid,
            zone=_zone(zone or "Asia/Shanghai"),
            state=Monitoring.REGISTERED,
            address=address or "",
            access=access or "",
            person=person or "",
            position=_position(position or ""),
        )
        here.registrar.open_home(new, who=who, now=here.now)


@homes.command("change")
def homes_change(
    home: str,
    name: Name = None,
    grid: GridOf = None,
    code: Code = None,
    zone: Zone = None,
    address: Address = None,
    access: Access = None,
    position: Place = None,
    person: Resident = None,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Change what is known of a household; what is not named stays."""
    given = {"name": name, "grid": grid, "code": code, "address": address, "access": access, "person": person}
    fields: dict[str, object] = {key: value for key, value in given.items() if value is not None}
    if zone is not None:
        fields["zone"] = _zone(zone)
    if position is not None:
        fields["position"] = _position(position)
    with office(config, state) as here:
        here.registrar.change_home(home, who=who, now=here.now, **fields)


@homes.command("room")
def homes_room(
    home: str,
    room: str,
    name: Annotated[str, typer.Option("--name", help="what people call it, such as 卧室")] = "",
    kind: Annotated[str, typer.Option("--kind", help="bedroom, bathroom, kitchen, living, hall or other")] = "other",
    remove: Annotated[bool, typer.Option("--remove", help="take it away; nothing may hang in it")] = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Add or change a room, or with --remove take it away."""
    with office(config, state) as here:
        if remove:
            here.registrar.remove_room(home, room, who=who, now=here.now)
        else:
            new = Room(id=room, name=name or room, kind=one_of(RoomKind, kind, "kind of room"))
            here.registrar.put_room(home, new, who=who, now=here.now)


@homes.command("profile")
def homes_profile(
    home: str,
    born: Annotated[int | None, typer.Option("--born", help="year of birth")] = None,
    sex: Annotated[str | None, typer.Option("--sex", help="female or male")] = None,
    living: Annotated[str | None, typer.Option("--living", help="alone, couple, left_behind or family")] = None,
    ability: Annotated[str | None, typer.Option("--ability", help="able, mild, moderate, severe or total")] = None,
    risk: Annotated[str | None, typer.Option("--risk", help="high, key or general")] = None,
    conditions: Annotated[str | None, typer.Option("--conditions", help="illnesses and medicines")] = None,
    dementia: Annotated[bool | None, typer.Option("--dementia/--no-dementia")] = None,
    hearing: Annotated[str | None, typer.Option("--hearing", help="good, poor or deaf")] = None,
    dialect: Annotated[str | None, typer.Option("--dialect")] = None,
    answers_by: Annotated[str | None, typer.Option("--answers-by", help="button, speaker or phone")] = None,
    hospital: Annotated[str | None, typer.Option("--hospital", help="where to, if it comes to that")] = None,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """The resident's file (老人档案): shows it (which is audited), or changes what is named; "" empties."""
    given: dict[str, object] = {
        "birth_year": born,
        "sex": _word(Sex, sex, "sex"),
        "living": _word(Living, living, "way of living"),
        "ability": _word(Ability, ability, "grade of ability"),
        "risk": _word(Risk, risk, "class of risk"),
        "conditions": conditions,
        "dementia": dementia,
        "hearing": _word(Hearing, hearing, "hearing"),
        "dialect": dialect,
        "answers_by": _word(Answers, answers_by, "way to answer"),
        "hospital": hospital,
    }
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    with office(config, state) as here:
        person = here.home(home).person
        if not person:
            raise Refused(
                f"No resident is registered in home {home!r}; `shouwang homes change {home} --person` does it."
            )
        if changes:
            known = here.stores.registry.profile(person) or Profile(person=person)
            here.registrar.put_profile(replace(known, **changes), who=who, now=here.now)
        else:
            for line in _file_of(here.registrar.read_profile(person, who=who, now=here.now)):
                say(line)


def _file_of(profile: Profile) -> Iterator[str]:
    for field in fields(profile):
        yield f"{field.name:12} {getattr(profile, field.name) or '-'}"


def _word(kind: type[E], word: str | None, what: str) -> E | None:
    """None stays None: nothing was said about it. An empty word is the member that says nothing."""
    return None if word is None else kind(word) if word == "" else one_of(kind, word, what)


class Step(StrEnum):
    LIST = "list"
    ADD = "add"
    REMOVE = "remove"


@homes.command("contacts")
def homes_contacts(
    home: str,
    step: Annotated[str, typer.Argument(help="list, add or remove")] = "list",
    person: Annotated[str, typer.Argument(help="their id")] = "",
    relation: Annotated[str, typer.Option("--relation", help="child, neighbour, key_holder, doctor …")] = "",
    name: Annotated[str, typer.Option("--name", help="of somebody who is new to us")] = "",
    phone: Annotated[list[str] | None, typer.Option("--phone", help="first choice first; may be repeated")] = None,
    hours: Annotated[str | None, typer.Option("--hours", help="when they can be called: 08:00-22:00")] = None,
    may_see: Annotated[str | None, typer.Option("--may-see", help="calm, alerts or all; empty: nothing")] = None,
    place: Annotated[int, typer.Option("--place", help="1 is called first; without it, last or as before")] = 0,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """The people around a household, in the order in which they are called: list, add (or change), remove."""
    with office(config, state) as here:
        contacts = here.stores.registry.contacts(here.home(home).id)
        match one_of(Step, step, "step; say list, add or remove"):
            case Step.LIST:
                for contact in contacts:
                    say(_contact_line(contact, here))
                return
            case Step.REMOVE:
                left = [c for c in contacts if c.person != person or (relation and c.relation != relation)]
                if len(left) == len(contacts):
                    raise Refused(
                        f"{person!r} is no contact of home {home!r}; there are {[c.person for c in contacts]}."
                    )
                here.registrar.put_contacts(home, left, who=who, now=here.now)
            case Step.ADD:
                kind = one_of(Relation, relation, "relation")
                old = next((c for c in contacts if (c.person, c.relation) == (person, kind)), None)
                new = Contact(
                    home=home,
                    person=person,
                    relation=kind,
                    hours=old.hours if old and hours is None else hours or "",
                    may_see=old.may_see
                    if old and may_see is None
                    else _word(Sight, may_see or "", "sight") or Sight.NOTHING,
                    phones=tuple(phone or ()),
                    is_far=old.is_far if old else False,
                )
                others = [c for c in contacts if c is not old]
                at = place - 1 if place else contacts.index(old) if old else len(others)
                strangers = [Person(id=person, name=name, language=here.settings.language)] if name else []
                in_order = [*others[:at], new, *others[at:]]
                here.registrar.put_contacts(home, in_order, people=strangers, who=who, now=here.now)


def _contact_line(contact: Contact, here: Office) -> str:
    person = here.stores.registry.person(contact.person)
    name = person.name if person else contact.person
    sees = f"sees {contact.may_see.value}" if contact.may_see else ""
    parts = (contact.person, contact.relation.value, name, " ".join(contact.phones), contact.hours, sees)
    return "  ".join(part for part in parts if part)


@homes.command("import")
def homes_import(
    sheets: Annotated[list[Path], typer.Argument(help="CSV, TOML or zip files, or a folder of them")],
    only_check: Annotated[
        bool, typer.Option("--check", help="say what is wrong or would change, and change nothing")
    ] = (False),
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Register areas, grids, people, homes and devices from tables; nothing while anything in them is wrong."""
    with office(config, state, may_be_new=True) as here:
        files = {path.name: path.read_bytes() for path in tables_in(sheets)}
        changes = here.registrar.import_files(files, who=who, now=here.now, only_check=only_check)
        say(changes.summary().say(here.settings.language))


def tables_in(paths: list[Path]) -> Iterator[Path]:
    from gateway.sheets import files_in

    for path in paths:
        if path.is_dir():
            found = [path / name for name in files_in(sorted(entry.name for entry in path.iterdir()))]
            if not found:
                raise Refused(
                    f"There is no table in {path}; a table is called homes.csv or 住户.csv, or ends in .toml."
                )
            yield from found
        elif path.is_file():
            yield path
        else:
            raise Refused(f"There is no file {path}.")


@homes.command("export")
def homes_export(
    to: Annotated[Path, typer.Argument(help="a .zip, a .toml, or a folder for CSV files")],
    language: Annotated[str, typer.Option("--language", help="zh or en, for the headers and words of CSV")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Write everything registered as tables, without secrets; read again, it changes nothing."""
    from gateway.sheets import write_csv, write_toml, write_zip

    with office(config, state) as here:
        language = here.language(language)
        registry = here.stores.registry
        if to.suffix == ".zip":
            files = {to: write_zip(registry, here.now, language)}
        elif to.suffix == ".toml":
            files = {to: write_toml(registry, here.now).encode()}
        else:
            to.mkdir(parents=True, exist_ok=True, mode=0o700)
            files = {to / name: content for name, content in write_csv(registry, here.now, language).items()}
        for path, content in files.items():
            path.touch(0o600)  # names, telephones, illnesses: for whoever asked, and nobody else
            path.write_bytes(content)
        here.registrar.note_export(who=who, now=here.now)
        say(f"{to}: {len(registry.homes())} homes, {len(registry.people())} people")


@homes.command("state")
def homes_state(
    home: str,
    new_state: str,
    why: Annotated[str, typer.Option(help="needed to pause; to retire one of moved, hospital, died …")] = "",
    until: Annotated[str, typer.Option(help="a pause or a trial ends then: 2026-03-15 or 2026-03-15T08:30")] = "",
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Set a household's state: registered, trial, guarded, paused, retired (建档 试运行 守护中 暂停 停用)."""
    wanted = one_of(Monitoring, new_state, "state of a household")
    with office(config, state) as here:
        ends = moment(until, here.home(home).zone) if until else None
        if ends and wanted not in (Monitoring.TRIAL, Monitoring.PAUSED):
            raise Refused(f"A home that is {wanted.value} has no end; a trial or a pause has one.")
        is_trial = wanted is Monitoring.TRIAL
        changed = here.registrar.set_state(
            home,
            wanted,
            why=why,
            trial_until=ends if is_trial else None,
            until=None if is_trial else ends,
            who=who,
            now=here.now,
        )
        say(f"{home} {changed.state.value}  {_learning(changed, here)}".rstrip())


@homes.command("maintain")
def homes_maintain(
    home: str,
    minutes: Annotated[int, typer.Option(help="how long the work lasts, at most 240")] = 60,
    test: Annotated[
        list[str] | None, typer.Option("--test", help="a device that is tried out; may be repeated")
    ] = None,
    why: Annotated[str, typer.Option(help="what is done there")] = "",
    end: Annotated[bool, typer.Option("--end", help="the work is done")] = False,
    config: Config = None,
    state: State = None,
    who: Who = "cli",
) -> None:
    """Somebody works in the home: presses of the devices under test are tests. Ends by itself."""
    with office(config, state) as here:
        if end:
            here.registrar.end_maintenance(home, who=who, now=here.now)
            return
        until = here.now + timedelta(minutes=minutes)
        here.registrar.maintain(home, until, test or [], why=why, who=who, now=here.now)
        say(
            f"{home} until {until.astimezone(here.home(home).zone):%H:%M}, testing {', '.join(test or []) or 'nothing'}"
        )


def _zone(name: str) -> ZoneInfo:
    from gateway.refusals import is_zone

    if not is_zone(name):
        raise Refused(f"{name!r} is no time zone; Asia/Shanghai is one.")
    return ZoneInfo(name)
