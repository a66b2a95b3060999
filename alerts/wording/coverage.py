"""What a home cannot notice, in sentences."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from alerts.catalogue import N_
from alerts.wording.names import day_name, role_name, task_name
from alerts.wording.speech import clock, paragraph, say
from gateway.domain import Gap, Home, Monitoring, RoomKind


def say_gap(gap: Gap, home: Home, language: str, now: datetime | None = None) -> str:
    """One line of a home's coverage statement: 卫生间的跌倒自周二 14:10 起无法发现：移动传感器没有消息。"""
    return _say_gaps((gap,), home, language, now)


def say_coverage(gaps: Sequence[Gap], home: Home, language: str, now: datetime | None = None) -> str:
    """What a home cannot notice, in sentences; and that all is well where it is."""
    missing = [gap for gap in gaps if gap.why == "sensor_missing"]
    broken = [gap for gap in gaps if gap.why != "sensor_missing"]
    sentences = [say(language, _NOT_WATCHED[home.state])] if home.state in _NOT_WATCHED else []
    if broken and all(gap.why == "hub_silent" for gap in broken):
        time = _since(min(gap.since for gap in broken), home, language, now)
        sentences.append(
            say(language, "Nothing in this home can be noticed since {time}: the hub is silent.", time=time)
        )
    elif broken:
        causes: dict[tuple[str, str, str], list[Gap]] = {}
        for gap in broken:
            causes.setdefault((gap.sensor, gap.why, gap.room), []).append(gap)
        sentences += [_say_gaps(alike, home, language, now) for alike in causes.values()]
    else:
        sentences.append(say(language, "Everything registered can be seen."))
    if missing:
        what = say(language, ", ").join(_what(gap, home, language) for gap in missing)
        sentences.append(say(language, "Nothing is installed to notice: {what}.", what=what))
    return paragraph(language, *sentences)


def _say_gaps(alike: Sequence[Gap], home: Home, language: str, now: datetime | None) -> str:
    """Gaps of one cause in one sentence."""
    gap = alike[0]
    whats = [task_name(one.what, language) for one in alike]
    sensor = next((one for one in home.sensors if one.id == gap.sensor), None)
    device = role_name(sensor.role, language) if sensor else say(language, "device")
    said = say(
        language,
        _GAPS[gap.why == "sensor_missing", bool(gap.room)],
        what=say(language, ", ").join(whats),
        room=_place(gap.room, home, language),
        time=_since(gap.since, home, language, now),
        reason=say(language, _BLIND.get(gap.why, _BLIND_SOMEHOW), device=device),
    )
    return said[:1].upper() + said[1:]


def _what(gap: Gap, home: Home, language: str) -> str:
    what = task_name(gap.what, language)
    if not gap.room:
        return what
    return say(language, "{what} in the {room}", what=what, room=_place(gap.room, home, language))


def _place(room: str, home: Home, language: str) -> str:
    """A room by its name; in English by its kind, as long as there is one of it."""
    found = home.room(room)
    if found is None:
        return room
    kind = _PLACES.get(found.kind)
    if language == "zh" or kind is None or sum(one.kind is found.kind for one in home.rooms) > 1:
        return found.name
    return say(language, kind)


def _since(moment: datetime, home: Home, language: str, now: datetime | None) -> str:
    """Since when something is wrong, as people say it: today 14:10, Tuesday 14:10, 03-03 14:10."""
    there = moment.astimezone(home.zone)
    if now is not None:
        days = (now.astimezone(home.zone).date() - there.date()).days
        if not 0 < days < 7:
            return clock(moment, home.zone, now)
    return f"{day_name(there.weekday(), language)} {there:%H:%M}"


_NOT_WATCHED: Mapping[Monitoring, str] = {
    Monitoring.REGISTERED: N_("This home is being installed: only a call for help or danger to life calls somebody."),
    Monitoring.PAUSED: N_("This home is paused: silence and faults call nobody, a call for help still does."),
    Monitoring.RETIRED: N_("This home is not watched any more."),
}
_GAPS: Mapping[tuple[bool, bool], str] = {
    (False, True): N_("{what} in the {room} cannot be noticed since {time}: {reason}."),
    (False, False): N_("{what} cannot be noticed since {time}: {reason}."),
    (True, True): N_("{what} in the {room} cannot be noticed: {reason}."),
    (True, False): N_("{what} cannot be noticed: {reason}."),
}
_BLIND: Mapping[str, str] = {
    "sensor_silent": N_("{device} silent"),
    "sensor_mute": N_("{device} reports, but notices nothing"),
    "sensor_stuck": N_("{device} stuck"),
    "sensor_chatter": N_("{device} fires without a pause"),
    "sensor_faulty": N_("{device} says that it cannot do its work"),
    "sensor_missing": N_("nothing is installed for it"),
    "battery_empty": N_("battery of the {device} empty"),
    "hub_silent": N_("the hub is silent"),
    "maintenance": N_("somebody is working there"),
}
_BLIND_SOMEHOW = N_("{device} out of order")
_PLACES: Mapping[RoomKind, str] = {
    RoomKind.BEDROOM: N_("bedroom"),
    RoomKind.BATHROOM: N_("bathroom"),
    RoomKind.KITCHEN: N_("kitchen"),
    RoomKind.LIVING: N_("living room"),
    RoomKind.HALL: N_("hall"),
}
