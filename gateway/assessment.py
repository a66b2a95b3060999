"""个人信息保护影响评估 (PIPL 55-56): what is really processed here, by what right, who sees it, and what is still open.

Made from the gateway's own registry and settings, so that it says what is and not what was meant. Each version is kept
in the state folder; one that says nothing new is not written again.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from alerts import wording
from gateway.domain import Act, Duty, Home, Look, Monitoring, Role
from gateway.domain.people import ENTRY, HEALTH
from gateway.locales import catalogue
from gateway.ports import AccountStore, AlertStore, RegistryStore
from gateway.refusals import N_

FOLDER = "assessments"
"""Beneath the state folder. The law wants each for three years; nothing here deletes one."""

ASSESSED = "privacy.assessment"

GROUPS = frozenset({"wecom", "dingtalk", "feishu"})
"""Channels that speak into a chat of several people."""

WATCHED = (Monitoring.TRIAL, Monitoring.GUARDED, Monitoring.PAUSED)

NEEDED = ("whereabouts", "sharing")

SORTS: Sequence[tuple[str, str, frozenset[Role]]] = (
    (
        N_("Where somebody is at home, when they rise, rest and go out"),
        N_("To notice that somebody may need help"),
        frozenset(
            {Role.MOTION, Role.PRESENCE, Role.EXIT_DOOR, Role.OPENING, Role.BED, Role.CHAIR, Role.APPLIANCE, Role.TAP}
        ),
    ),
    (
        N_("Calls for help, falls, smoke, gas, water"),
        N_("To call help at once"),
        frozenset({Role.SOS, Role.BUTTON, Role.SMOKE, Role.GAS, Role.CO, Role.LEAK, Role.FALL}),
    ),
    (N_("Blood pressure, pulse, sugar, weight"), N_("To notice values out of a set range"), frozenset({Role.VITALS})),
    (
        N_("Water used, temperature of rooms"),
        N_("To notice a day without water, a leak, a cold or hot home"),
        frozenset({Role.WATER_METER, Role.CLIMATE}),
    ),
)

PURPOSES: Mapping[str, str] = {
    "whereabouts": N_("Sensing at home"),
    "sharing": N_("Telling those who help"),
    HEALTH: N_("Health"),
    ENTRY: N_("Entry in an emergency"),
    **dict.fromkeys((look.value for look in Look), N_("Shown to one of the family")),
}

KINDS: Mapping[str, str] = {
    "readings": N_("Readings of the devices"),
    "alerts": N_("Alerts that are over"),
    "audit": N_("The audit trail"),
    "given_up": N_("Households that were given up"),
}

RISKS: Sequence[tuple[str, str, str]] = (
    (
        N_("Somebody who works here looks at people out of curiosity"),
        N_("high"),
        N_("Bound to their grid or area; every look is in the chained audit trail and on the resident's page"),
    ),
    (
        N_("Relatives watch or control the resident"),
        N_("high"),
        N_(
            "Nothing is shown without consent, each thing by itself; every movement only by a consent of its own; pause"
        ),
    ),
    (
        N_("Illnesses become known"),
        N_("high"),
        N_("Kept only by consent; shown behind a reason; the opening is told to the supervisor and reviewed"),
    ),
    (
        N_("The machine is stolen, or a backup"),
        N_("high"),
        N_("Files for one user only; backups can be encrypted; passwords and tokens are kept as hashes"),
    ),
    (
        N_("A message is read on a lock screen or in a group"),
        N_("medium"),
        N_("Messages name the household's number, never name, address or illness; details stand behind a link"),
    ),
    (
        N_("One home's devices reach another home's data"),
        N_("medium"),
        N_("Each hub has a secret of its own and topics of its own, checked by the broker and by the gateway"),
    ),
    (
        N_("It is kept longer than needed"),
        N_("medium"),
        N_("A span for each kind, a nightly act with proof, a copy and an erasure by one command"),
    ),
    (
        N_("Nobody notices that somebody needs help, because data was withheld"),
        N_("high"),
        N_("Emergencies are told whatever was taken back or paused; buttons work during every pause"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What the settings say that matters here."""

    channels: Sequence[str]
    retention: Mapping[str, timedelta]
    is_https: bool
    is_mirrored: bool  # readings are copied into InfluxDB
    is_elsewhere: bool  # people and alerts stand in a database server


Say = Callable[..., str]


def assessment(
    setup: Setup, registry: RegistryStore, accounts: AccountStore, alerts: AlertStore, language: str, now: datetime
) -> tuple[str, str]:
    """The report as Markdown, and its version: a hash of what it says, without when it was made."""
    words = catalogue(language, "pages")

    def say(text: str, **values: object) -> str:
        said = words.gettext(text)
        return said.format(**values) if values else said

    homes = [home for home in registry.homes() if home.state is not Monitoring.RETIRED]
    body = "\n".join(
        (
            *_processed(say, homes, registry),
            *_rights(say, homes, registry),
            *_seen_by(say, language, accounts, homes, registry),
            *_goes_to(say, setup),
            *_kept(say, setup),
            *_risks(say),
            *_open(say, setup, homes, registry, accounts, alerts, now),
        )
    )
    version = hashlib.sha256(body.encode()).hexdigest()[:12]
    head = (
        f"# {say('Personal information protection impact assessment')}",
        "",
        say("PIPL 55 and 56. Version {version}, made {time} UTC.", version=version, time=f"{now:%Y-%m-%d %H:%M}"),
        say("Made from what is registered and set here. Kept for at least three years."),
        "",
    )
    signed = ("", f"## {say('Reviewed')}", "", f"{say('By')}: ____________  {say('On')}: ____________", "")
    return "\n".join((*head, body, *signed)), version


def keep(state: Path, text: str, version: str, alerts: AlertStore, *, who: str, now: datetime) -> Path:
    """Write it beside the earlier ones, with a row of the audit trail; what says nothing new is there already."""
    folder = state / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    known = next(iter(sorted(folder.glob(f"*-{version}.md"))), None)
    if known is not None:
        return known
    path = folder / f"{now:%Y-%m-%d}-{version}.md"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    with alerts.begin() as ledger:
        ledger.audit(Act(at=now, who=who, what=ASSESSED, ref=version))
    return path


# --------------------------------------------------------------------------- its parts


def _processed(say: Say, homes: Sequence[Home], registry: RegistryStore) -> list[str]:
    counts = Counter(sensor.role for home in homes for sensor in home.sensors)
    rows = []
    for what, why, roles in SORTS:
        devices = sum(counts[role] for role in roles)
        if devices:
            rows.append((say(what), say("{n} devices", n=devices), say(why)))
    people = [home.person for home in homes if home.person]
    healthy = sum(_holds(registry, person, HEALTH) for person in people)
    contacts = {contact.person for home in homes for contact in registry.contacts(home.id)}
    rows += [
        (say("Name, address, how to get in"), say("{n} households", n=len(homes)), say("To find the door and open it")),
        (
            say("The resident's file"),
            say("{n} residents", n=len(people)),
            say("To ask them, and to visit often enough"),
        ),
        (
            say("Illnesses, medicines, hearing, hospital"),
            say("{n} residents", n=healthy),
            say("For whoever comes to help"),
        ),
        (say("Names and numbers of contacts"), say("{n} people", n=len(contacts)), say("To call them")),
    ]
    return [
        *_section(say("What is processed, and what for")),
        say("No camera and no microphone is connected; the program knows no such device."),
        "",
        *_table((say("What"), say("How much"), say("What for")), rows),
    ]


def _rights(say: Say, homes: Sequence[Home], registry: RegistryStore) -> list[str]:
    given: Counter[str] = Counter()
    withdrawn: Counter[str] = Counter()
    for person in {home.person for home in homes if home.person}:
        for consent in registry.consents(person):
            (given if consent.holds else withdrawn)[PURPOSES.get(consent.purpose, consent.purpose)] += 1
    rows = [(say(name), str(given[name]), str(withdrawn[name])) for name in dict.fromkeys(PURPOSES.values())]
    return [
        *_section(say("By what right")),
        say("Separate consent for each purpose (29); danger of life (13-4); each withdrawal counts at once."),
        "",
        *_table((say("Purpose"), say("holds"), say("withdrawn")), rows),
    ]


def _seen_by(
    say: Say, language: str, accounts: AccountStore, homes: Sequence[Home], registry: RegistryStore
) -> list[str]:
    standing = [account for account in accounts.accounts() if account.disabled_at is None]
    by_duty = Counter(account.duty for account in standing)
    everywhere = Counter(account.duty for account in standing if not account.place)
    local = (Duty.ELDER, Duty.FAMILY, Duty.VOLUNTEER)
    rows = [
        (wording.duty_name(duty, language), str(count), "–" if duty in local else str(everywhere[duty]))
        for duty, count in sorted(by_duty.items())
    ]
    shown = Counter(
        consent.purpose
        for person in {home.person for home in homes if home.person}
        for consent in registry.consents(person)
        if consent.viewer and consent.holds
    )
    return [
        *_section(say("Who sees it")),
        *_table((say("Role"), say("Accounts"), say("of these for every area")), rows),
        "",
        say(
            "Of the family, so many see: whether all is well {calm}, alerts {alerts}, outline {days}, movements {all}.",
            calm=shown[Look.CALM],
            alerts=shown[Look.ALERTS],
            days=shown[Look.DAYS],
            all=shown[Look.TIMELINE],
        ),
    ]


def _goes_to(say: Say, setup: Setup) -> list[str]:
    lines = [
        *_section(say("Where it goes")),
        say(
            "Everything is kept on this machine. Messages leave it by: {channels}.", channels=", ".join(setup.channels)
        ),
        say("They name the household's number, what it is and when; never a name, an address or an illness."),
    ]
    if setup.is_elsewhere:
        lines.append(say("People and alerts stand in a database server of yours."))
    if setup.is_mirrored:
        lines.append(say("Readings are copied into InfluxDB, without names."))
    return lines


def _kept(say: Say, setup: Setup) -> list[str]:
    rows = [(say(KINDS.get(name, name)), say("{n} days", n=span.days)) for name, span in setup.retention.items()]
    return [*_section(say("How long")), *_table((say("Kind"), say("Kept")), rows)]


def _risks(say: Say) -> list[str]:
    rows = [(say(risk), say(harm), say(measure)) for risk, harm, measure in RISKS]
    return [*_section(say("Risks and measures")), *_table((say("Risk"), say("Harm"), say("Measure")), rows)]


def _open(
    say: Say,
    setup: Setup,
    homes: Sequence[Home],
    registry: RegistryStore,
    accounts: AccountStore,
    alerts: AlertStore,
    now: datetime,
) -> list[str]:
    """What is not as it should be, counted."""
    watched = [home for home in homes if home.state in WATCHED]
    nobody = sum(not home.person for home in watched)
    lacking = sum(
        not all(_holds(registry, home.person, purpose) for purpose in NEEDED) for home in watched if home.person
    )
    leaders = [a for a in accounts.accounts() if a.duty in (Duty.SUPERVISOR, Duty.ADMIN) and a.disabled_at is None]
    one_step = sum(accounts.second_step(account.login) is None for account in leaders)
    opened = {f"{a.ref}@{a.who}@{a.at.isoformat()}" for a in alerts.acts(limit=5_000, what="card.opened")}
    unseen = len(opened - {act.ref for act in alerts.acts(limit=5_000, what="card.reviewed")})
    points = [
        say("{n} homes are watched in which no resident is registered: nobody has agreed.", n=nobody) if nobody else "",
        say("{n} homes are watched without a consent that is needed.", n=lacking) if lacking else "",
        say("{n} supervisors or administrators sign in without a second step.", n=one_step) if one_step else "",
        say("{n} emergency cards were opened and nobody has looked at the reason.", n=unseen) if unseen else "",
        "" if setup.is_https else say("The pages are not reached by HTTPS: only for this machine itself."),
        say("Messages go into groups, where more people read them than need to.")
        if GROUPS & set(setup.channels)
        else "",
        "" if "readings" in setup.retention else say("Readings have no span: they stay until a home is erased."),
    ]
    found = [f"- {point}" for point in points if point]
    return [*_section(say("Open points")), *(found or [say("None.")])]


def _holds(registry: RegistryStore, person: str, purpose: str) -> bool:
    return any(c.holds and c.purpose == purpose for c in registry.consents(person))


def _section(title: str) -> list[str]:
    return ["", f"## {title}", ""]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = (heads, ["---"] * len(heads), *rows)
    return ["| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines]
