"""Words of the duty sheet: by what right somebody is called, and what is said where nobody is."""

from datetime import datetime
from zoneinfo import ZoneInfo

from alerts.catalogue import N_
from alerts.who import Called
from alerts.wording import clock, duty_name, say
from gateway.domain import Relation
from gateway.domain.rota import OnCall, Why
from gateway.ports import Directory

EMPTY = N_("nobody on duty: the next is called at once")
NO_WAY = N_("no way to be told")
AGAIN = N_("from the beginning, until somebody accepts")
NOBODY_NOW = N_("Nobody would be called now: the home is paused, only on file, or somebody works in it.")

RELATIONS = {
    Relation.CHILD: N_("son or daughter"),
    Relation.SPOUSE: N_("spouse"),
    Relation.RELATIVE: N_("relative"),
    Relation.NEIGHBOUR: N_("neighbour"),
    Relation.KEY_HOLDER: N_("has a key"),
    Relation.MEDICAL: N_("contact for the hospital"),
    Relation.DOCTOR: N_("family doctor"),
    Relation.CADRE: N_("community cadre"),
    Relation.PROPERTY: N_("property management"),
    Relation.VOLUNTEER: N_("volunteer"),
}


def why(called: Called, zone: ZoneInfo, language: str, directory: Directory, now: datetime) -> str:
    """Why it is this person, in a few words."""
    duty = duty_name(called.duty, language)
    if called.why is None:
        return duty
    return f"{duty}{say(language, ': ')}{right(called.why, zone, language, directory, now)}"


def right(one: OnCall, zone: ZoneInfo, language: str, directory: Directory, now: datetime) -> str:
    """By what right: a shift until when, in whose place, or because nobody else can be called at this hour."""
    if one.relation is not None:
        relation = say(language, RELATIONS[one.relation])
        return say(language, "at night, {relation}", relation=relation) if one.why is Why.NIGHT else relation
    turn = one.turn
    if turn is None:
        return say(language, _WITHOUT_HOURS[one.why])
    hours = f"{clock(turn.begins, zone, now)}–{clock(turn.ends, zone, now)}"
    if one.why is Why.NIGHT:
        return say(language, "at night, on shift {hours}", hours=hours)
    if turn.why is Why.SWAP:
        other = directory.person(turn.instead_of)
        name = other.name if other else turn.instead_of
        return say(language, "on shift {hours}, in place of {name}", hours=hours, name=name)
    if turn.why is Why.HOLIDAY:
        return say(language, "on shift {hours}, because of the holiday", hours=hours)
    return say(language, "on shift {hours}", hours=hours)


_WITHOUT_HOURS = {
    Why.POST: N_("holds the duty at any hour"),
    Why.NIGHT: N_("at night, nobody of the grid can be called"),
    Why.CONTACT: N_("of the household"),
}
