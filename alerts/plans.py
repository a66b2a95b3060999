"""What a household's plan (一户一案) makes of an alert: how bad it is here, how long people have, whether it can wait.

Pure: the lines in force are handed in, the nearest last, and time is given.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.catalogue import confirmed_for, first_asked
from alerts.maintenance import HELD_FOR, HUSHED, TEST
from gateway.domain import Delivery, Finding, Ladder, Override, Purpose, Severity
from gateway.domain.plan import DEMENTIA, NEVER_HELD, QUIET, RISK, SILENCE, YES, window_of

WORSE_FOR: Mapping[str, Mapping[str, Severity]] = {
    # Whoever may lose the way is looked for at once.
    DEMENTIA: {
        "night_exit": Severity.EMERGENCY,
        "not_returned": Severity.EMERGENCY,
        "wandering": Severity.HIGH,
        "door_open": Severity.HIGH,
    },
    # Whoever is at high risk is not left with what others can bear for a day.
    RISK: {
        "water_low": Severity.HIGH,
        "vital": Severity.HIGH,
        "room_cold": Severity.HIGH,
        "room_hot": Severity.HIGH,
        "door_not_used": Severity.HIGH,
        "wandering": Severity.HIGH,
    },
}
"""How bad these are at least, for whom."""

CAN_WAIT = frozenset({Severity.MEDIUM, Severity.CARE, Severity.TECHNICAL})
"""What quiet hours and silences can hold back; 1 and 2 never wait."""

CALLED_BY_THEMSELVES = NEVER_HELD | {"assist", "fall", "no_responder", "detector_failed", TEST}
"""Somebody calls, or nobody could be called: however mild, it is told at once."""

DIGEST = "digest"
"""The fact of a message that tells of several alerts at once: household codes and codes of alerts."""

MOST_IN_ONE = 20
"""So many are named in one message; of the rest the number is said."""


def in_force(lines: Iterable[Override]) -> dict[str, str]:
    """What these lines say together: the nearest has the last word."""
    return {line.key: line.value for line in lines}


def graded(finding: Finding, usual: Severity | None, plan: Mapping[str, str]) -> Finding:
    """The finding as bad as it is for this household.

    A plan replaces how bad a code usually is. What was found to be worse than usual stays at least as bad as that.
    """
    code = finding.code
    if code in NEVER_HELD or not plan:
        return finding
    severity = finding.severity
    said = plan.get(f"{code}.severity", "")
    if said:
        planned = Severity(int(said))
        severity = (
            planned if severity is usual else _worse(severity, planned) if _is_worse(severity, usual) else severity
        )
    else:
        for who, at_least in WORSE_FOR.items():
            if plan.get(who) == YES and code in at_least:
                severity = _worse(severity, at_least[code])
    return finding if severity is finding.severity else replace(finding, severity=severity)


def _worse(one: Severity, other: Severity) -> Severity:
    return one if one.worse_than(other) else other


def _is_worse(severity: Severity, usual: Severity | None) -> bool:
    return usual is not None and severity.worse_than(usual)


# --------------------------------------------------------------------------- how long people have


def planned(ladder: Ladder, code: str, plan: Mapping[str, str]) -> Ladder:
    """The ladder with this household's own times. An alert takes a copy: what is under way keeps what it began with."""
    said = {
        name: timedelta(minutes=float(value))
        for key, value in plan.items()
        if (name := key.removeprefix(f"{code}.")) != key and name != "severity" and "." not in name
    }
    if not said:
        return ladder
    if "confirm" in said:
        ladder = confirmed_for(ladder, said["confirm"])
    if "ack" in said and ladder.ack is not None:
        # Where a rung waited just as long as people had to accept, it goes on doing so.
        asks = first_asked(ladder)
        lead = sum((rung.wait for rung in ladder.rungs[:asks]), timedelta(0))
        was = ladder.ack - lead
        rungs = tuple(
            replace(rung, wait=said["ack"]) if n >= asks and rung.wait == was else rung
            for n, rung in enumerate(ladder.rungs)
        )
        ladder = replace(ladder, rungs=rungs, ack=lead + said["ack"])
    waits = {int(name[4:]): wait for name, wait in said.items() if name.startswith("wait")}
    if waits:
        asks = first_asked(ladder)
        rungs = tuple(replace(rung, wait=waits.get(n - asks + 1, rung.wait)) for n, rung in enumerate(ladder.rungs))
        takes = sum((rung.wait for rung in rungs), ladder.repeat or timedelta(0))
        if takes > timedelta(0):  # else it rings in a circle
            ladder = replace(ladder, rungs=rungs)
    return replace(
        ladder,
        remind=said.get("remind", ladder.remind),
        lapse=said.get("lapse", ladder.lapse),
        site=said.get("site", ladder.site),
    )


# --------------------------------------------------------------------------- what can wait


@dataclass(frozen=True, slots=True)
class Hush:
    """Until when something is held back, by what and by whose word."""

    until: datetime
    kind: str  # quiet or silence
    author: str


def hush_over(finding: Finding, lines: Sequence[Override], now: datetime, zone: ZoneInfo) -> Hush | None:
    """What holds this finding back at this moment; None: it is told now.

    A silence of any place it lies in, or the quiet hours of the nearest that has some. Only severity 3 to 5 can wait.
    """
    if finding.severity not in CAN_WAIT or finding.code in CALLED_BY_THEMSELVES:
        return None
    found: Hush | None = None
    for line in lines:
        codes = line.value.split(",") if line.value else ()
        is_meant = line.key == SILENCE and line.until is not None and (not codes or finding.code in codes)
        if is_meant and line.until is not None and (found is None or line.until > found.until):
            found = Hush(line.until, SILENCE, line.author)
    hours = next((line for line in reversed(lines) if line.key == QUIET), None)
    night = window_of(QUIET, hours.value).around(now, zone) if hours is not None else None
    if hours is not None and night is not None and night[0] <= now and (found is None or night[1] > found.until):
        ends = night[1] if hours.until is None else min(night[1], hours.until)
        found = Hush(ends, QUIET, hours.author)
    return found


def hushed(finding: Finding, hush: Hush) -> Finding:
    return replace(finding, facts=(*finding.facts, (HELD_FOR, hush.author), (HUSHED, hush.kind)))


# --------------------------------------------------------------------------- in one message afterwards


def in_one(pages: Sequence[tuple[Delivery, Severity, str]]) -> list[tuple[Delivery, list[Delivery]]]:
    """Of several calls that go out at one moment: for each way to each person the one that tells of all, and the rest.

    With each call come its alert's severity and what it is about, as `household code:alert code`.
    """
    ways: dict[tuple[str, str, str], list[tuple[Delivery, Severity, str]]] = {}
    for page in pages:
        if page[0].purpose is Purpose.PAGE:
            ways.setdefault((page[0].person, page[0].channel, page[0].address), []).append(page)
    told = []
    for calls in ways.values():
        if len(calls) < 2:
            continue
        calls = sorted(calls, key=lambda call: (call[1].value, call[0].id))
        about = [call[2] for call in calls]
        named = ",".join(about[:MOST_IN_ONE])
        head = calls[0][0]
        facts = (*head.facts, (DIGEST, named), ("digest_count", str(len(about))))
        told.append((replace(head, facts=facts), [call[0] for call in calls[1:]]))
    return told
