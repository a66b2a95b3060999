"""One line of an alert's history."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from alerts import words_handling, words_incident, words_ladder, words_plans
from alerts.catalogue import N_, Catalogue
from alerts.history import What
from alerts.maintenance import HUSHED
from alerts.wording.names import STANDARD, duty_name, elder_name, named, outcome_name, reason_text, severity_name
from alerts.wording.speech import clock, say, span
from gateway.domain import Duty, Elder, Entry, Outcome, Purpose, Severity


def history_line(
    entry: Entry,
    language: str,
    zone: ZoneInfo,
    name_of: Callable[[str], str],
    now: datetime | None = None,
    known: Catalogue = STANDARD,
    channel_of: Callable[[str], str] = str,
) -> str:
    """One line of an alert's history, without its time. `name_of` gives the name of a person's id, `channel_of` the
    word for a channel."""
    facts = dict(entry.facts)
    comma = say(language, ", ")
    try:
        what = What(entry.what)
        chosen = _BY_FACT.get(what)
        text = (chosen and chosen[1].get(facts.get(chosen[0], ""))) or _HISTORY[what]
    except (ValueError, KeyError):  # a newer program wrote it
        return comma.join([entry.what, *(f"{name}={value}" for name, value in entry.facts)])
    duties = facts.get("duty", "").split(",")
    if entry.what == What.EMPTY and facts.get("people"):
        text = _UNREACHABLE
    elif entry.what == What.EMPTY and duties == [Duty.ELDER]:
        text = words_ladder.NOT_ASKED
    elif entry.what == What.TOLD and duties == [Duty.ELDER]:
        text = words_ladder.ASKED
    if entry.what == What.NOBODY and "again_at" not in facts:
        text = _NOBODY_FOR_GOOD
    if entry.what == What.HELD and not entry.who:
        text = _HELD_BEFORE
    if entry.what == What.WORSE and "code" in facts:
        text = words_incident.LEADS_NOW
    if entry.what in (What.SENT, What.PUT_OFF, What.FAILED):
        text = _BY_PURPOSE.get((entry.what, facts.get("purpose", "")), text)
    mute = facts.get("mute", "").split(",")

    def people(ids: Sequence[str]) -> str:
        """Whoever has no channel stands there all the same, and says so: nobody shall think that they know."""
        names = {person: name_of(person) for person in ids if person}
        if entry.what != What.TOLD:
            return comma.join(names.values())
        return comma.join(say(language, _NO_CHANNEL, name=names[one]) if one in mute else names[one] for one in names)

    line = say(
        language,
        text,
        who=name_of(entry.who) if entry.who else say(language, "the gateway"),
        name=say(language, known.entry(facts.get("code", "")).name),
        severity=named(Severity, facts.get("severity", ""), lambda s: severity_name(s, language)),
        was=named(Severity, facts.get("was", ""), lambda s: severity_name(s, language)),
        duty=comma.join(named(Duty, duty, lambda d: duty_name(d, language)) for duty in duties),
        to=name_of(facts["to"]) if "to" in facts else "",
        was_owner=name_of(facts["from"]) if facts.get("from") else "",
        until=clock(datetime.fromisoformat(facts["until"]), zone, now or entry.at) if "until" in facts else "",
        people=people(facts.get("people", "").split(",")),
        person=name_of(facts["person"]) if "person" in facts else "",
        channel=channel_of(facts.get("channel", "")),
        reason=reason_text(facts.get("reason", ""), language),
        count=facts.get("count", ""),
        how=say(language, _HOW.get(facts.get("how", ""), _OTHERWISE)),
        why=facts.get("why", ""),
        household=facts.get("home", ""),
        area=facts.get("area", ""),
        outcome=named(Outcome, facts.get("outcome", ""), lambda o: outcome_name(o, language)),
        time=clock(datetime.fromisoformat(facts["again_at"]), zone, now or entry.at) if "again_at" in facts else "",
        pressed=clock(datetime.fromisoformat(facts["pressed"]), zone, now or entry.at) if "pressed" in facts else "",
    )
    extra = words_handling.proofs(
        facts.get("proof", ""), partial(say, language), lambda at: clock(at, zone, now or entry.at)
    )
    if elder := facts.get("elder"):
        extra.append(named(Elder, elder, lambda e: elder_name(e, language)))
    if "late_s" in facts:
        extra.append(say(language, "{span} late", span=span(facts["late_s"], language)))
    if note := facts.get("note"):
        extra.append(note)
    return line + (say(language, " ({extra})", extra=comma.join(extra)) if extra else "")


_HISTORY: Mapping[What, str] = {
    What.RAISED: N_("Raised: {name}, {severity}"),
    What.TOLD: N_("Calling the {duty}: {people}"),
    What.EMPTY: N_("No {duty} is on duty; the next are called at once"),
    What.NOBODY: N_("Nobody on the whole ladder can be reached; trying again at {time}"),
    What.SENT: N_("Sent to {person} ({channel})"),
    What.PUT_OFF: N_("Not yet sent to {person} ({channel}): {reason}; trying again"),
    What.FAILED: N_("{person} cannot be reached ({channel}): {reason}"),
    What.AGAIN: N_("Again, {count} times so far"),
    What.WORSE: N_("More serious: {severity} instead of {was}; called from the start"),
    What.RINGS_AGAIN: N_("{who} cannot be reached; calling again"),
    What.RELEASED: N_("Held back no longer: judged again"),
    What.IN_ONE: N_("{person} hears of it in one message with others that have waited"),
    What.MENDED: N_("The clock was put back; the next deadline was moved"),
    What.ACCEPTED: N_("{who} accepted ({how})"),
    What.CARD: N_("{who} opened the emergency card: {why}"),
    What.PHOTO: N_("{who} added a picture"),
    What.LATE: N_("{who} had pressed that already at {pressed}; there was no connection"),
    What.RESOLVED: N_("{who} wrote down the outcome: {outcome}"),
    What.CLOSED: N_("{who} closed it"),
    **words_ladder.HISTORY,
    **words_incident.HISTORY,
}
_BY_FACT: Mapping[What, tuple[str, Mapping[str, str]]] = {
    What.ANSWERED: ("answer", words_ladder.ANSWERED),
    What.FAMILY: ("word", words_ladder.FAMILY),
    What.OVERDUE: ("limit", words_ladder.OVERDUE),
    What.HELD: (HUSHED, words_plans.HELD),
}
_NO_CHANNEL = N_("{name} (no channel)")
_UNREACHABLE = N_("The {duty} on duty ({people}) has no channel; the next are called at once")
_HELD_BEFORE = N_("Held back until the home is watched")
_NOBODY_FOR_GOOD = N_("Nobody on the whole ladder can be reached")
_BY_PURPOSE: Mapping[tuple[str, str], str] = {
    (What.SENT, Purpose.TAKEN): N_("Told {person} that it is accepted ({channel})"),
    (What.SENT, Purpose.AGAIN): N_("Told {person} that it happened again ({channel})"),
}
_HOW: Mapping[str, str] = {
    "page": N_("on the page"),
    "link": N_("by the link"),
    "cli": N_("at the command line"),
    "api": N_("through another program"),
    "resolve": N_("by writing down the outcome"),
    "maintenance": N_("passed while working in the home"),
    **words_ladder.HOW,
}
_OTHERWISE = N_("otherwise")
