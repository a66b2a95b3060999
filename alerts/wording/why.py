"""Why something was found, in sentences with numbers, for those who may open the alert's page."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts import words_falls, words_incident, words_plans, words_trend, words_upkeep
from alerts.catalogue import N_
from alerts.incident import OUTAGE
from alerts.maintenance import TEST, tested
from alerts.wording.names import device_name, duty_name, kind_name, named, room_name, task_name
from alerts.wording.speech import clock, say, span
from gateway.domain import Duty, Finding, Home, Kind
from gateway.domain.home import GRID

USUAL = frozenset({"usual", "usual_s", "usual_at"})
"""The facts that say what is usual here. One that is empty says that nobody knows it yet."""


def explain(finding: Finding, language: str, zone: ZoneInfo, home: Home | None = None) -> list[str]:
    """Why this was found, in sentences with numbers, for those who may open the alert's page.

    With `home`, rooms are called by their names.
    """
    tell = _WHY.get(finding.code, _why_unknown)
    sentences = tell(finding, language, zone, home)
    if any(name in USUAL and not value for name, value in finding.facts) and not finding.fact("learning_days"):
        sentences.append(say(language, "What is usual is not known yet."))
    if late := finding.fact("late_s"):
        sentences.append(say(language, "We heard of it {span} late.", span=span(late, language)))
    if finding.blind:
        places = say(language, ", ").join(device_name(name, home) for name in finding.blind)
        sentences.append(say(language, "Not seen meanwhile: {places}.", places=places))
    known = [words_plans.MAY_BE_ANOTHER.get(one, "") for one in finding.fact("plan").split(",")]
    return sentences + [say(language, text) for text in known if text]


def _why_pressed(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    text = _AT_PLACE[finding.code]
    time = clock(finding.since, zone, finding.at)
    where = room_name(finding.fact("room"), home)
    return [say(language, text[0], time=time, room=where) if where else say(language, text[1], time=time)]


def _why_fallen(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    """Who says that somebody fell, and what else speaks for it."""
    if not finding.fact("sources"):
        return _why_pressed(finding, language, zone, home)
    time = clock(finding.since, zone, finding.at)
    sources = [source.rpartition(":")[::2] for source in finding.fact("sources").split(",")]
    peak = f"{int(finding.fact('peak_dg', '0')) / 10:.1f}"
    sentences = [
        say(language, words_falls.SAID[how], device=device_name(name, home), time=time, peak=peak)
        for name, how in sources
    ]
    if likelihood := finding.fact("likelihood"):
        like = {"likelihood": likelihood, "threshold": finding.fact("threshold")}
        sentences.append(say(language, words_falls.LIKE_A_FALL, **like))
    if room := room_name(finding.fact("room"), home):
        worn = all(how == "impact" for _, how in sources)
        sentences.append(say(language, words_falls.LAST_SEEN if worn else words_falls.WHERE, room=room))
    if text := words_falls.RULES.get(finding.fact("rule")):
        lasted = finding.fact("still_s") if finding.fact("rule") == "still" else finding.fact("elapsed_s")
        sentences.append(say(language, text, span=span(lasted or "0", language), count=len(sources)))
    return [*sentences, say(language, words_falls.SURE, percent=finding.fact("confidence"))]


def _why_quiet(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    elapsed = span(finding.fact("elapsed_s") or _elapsed(finding), language)
    time = clock(finding.since, zone, finding.at)
    place = room_name(finding.fact("last_room"), home) or kind_name(finding.fact("last_kind"), language)
    sentences = [
        say(language, "No sign of life for {span} (last: {place} {time}).", span=elapsed, place=place, time=time)
        if place
        else say(language, "No sign of life for {span} (last: {time}).", span=elapsed, time=time)
    ]
    # How long it usually is at most comes next to how long it is: a list of homes shows these two.
    usual, limit = finding.fact("usual_s"), finding.fact("limit_s")
    rule = finding.fact("rule")
    if usual and limit and float(usual) > float(limit) and rule in _SHORTER:
        spans = {"usual": span(usual, language), "span": span(limit, language)}
        sentences.append(say(language, _SHORTER[rule], **spans))
    else:
        if usual:
            sentences.append(say(language, "Usually at most {span}.", span=span(usual, language)))
        if limit:
            sentences.append(say(language, _RULES.get(rule, N_("The limit is {span}.")), span=span(limit, language)))
    if tenths := finding.fact("moves_in_10"):
        text = N_("At this time of day there is usually movement in {count} of 10 quarter hours.")
        if tenths == "0":
            text = N_("At this time of day there is hardly ever any movement.")
        sentences.append(say(language, text, count=tenths))
    if days := finding.fact("learning_days"):
        sentences.append(say(language, "This home is still being learnt, for {count} more days.", count=days))
    return sentences


def _why_entered(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    return [
        say(
            language,
            "The front door opened at {time}, after {out} in which nobody was in. Since then nothing has moved inside.",
            time=clock(finding.since, zone, finding.at),
            out=span(finding.fact("out_s", "0"), language),
        ),
        say(
            language,
            "Whoever comes home is usually seen within {usual}; the limit is {span}.",
            usual=span(finding.fact("usual_s") or "0", language),
            span=span(finding.fact("limit_s", "0"), language),
        ),
    ]


def _why_out(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    elapsed = span(finding.fact("elapsed_s") or _elapsed(finding), language)
    time = clock(finding.since, zone, finding.at)
    sentences = [say(language, "Out since {time}, for {span} now.", time=time, span=elapsed)]
    if usual := finding.fact("usual_s"):
        sentences.append(say(language, "Outings usually last {span}.", span=span(usual, language)))
    if limit := finding.fact("limit_s"):
        text = _OUT_RULES.get(finding.fact("rule"), N_("The limit for an outing is {span}."))
        sentences.append(say(language, text, span=span(limit, language)))
    return sentences


def _why_long(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    """Something has lasted for longer than it usually does, with its limit."""
    code = f"not_up:{finding.fact('rule')}" if finding.code == "not_up" else finding.code
    text, usually = _LONG[code]
    values = {
        "time": clock(finding.since, zone, finding.at),
        "last": clock(datetime.fromisoformat(finding.fact("last_at") or finding.since.isoformat()), zone, finding.at),
        "span": span(finding.fact("elapsed_s") or _elapsed(finding), language),
        "room": room_name(finding.fact("room"), home) or say(language, "bathroom"),
        "count": finding.fact("count"),
    }
    sentences = [say(language, text, **values)]
    if finding.fact("rule") == "about":
        sentences.append(say(language, "Seen about the home meanwhile, last at {time}.", time=values["last"]))
    if usual := finding.fact("usual_s"):
        sentences.append(say(language, usually, span=span(usual, language)))
    if usual := finding.fact("usual_at"):
        sentences.append(say(language, usually, time=usual))
    if usual := finding.fact("usual"):
        sentences.append(say(language, usually, count=usual))
    if limit := finding.fact("limit_at"):
        time = clock(datetime.fromisoformat(limit), zone, finding.at)
        sentences.append(say(language, "The limit today is {time}.", time=time))
    elif finding.code == "wandering":
        sentences.append(say(language, "The limit is {count} within half an hour.", count=finding.fact("limit")))
    elif limit := finding.fact("limit_s"):
        sentences.append(say(language, "The limit is {span}.", span=span(limit, language)))
    return sentences


def _why_changed(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    """A count of each of three days beside the usual one: never what may be behind it."""
    feature = words_trend.FEATURES.get(finding.fact("feature"))
    if feature is None:
        return []
    words, text = feature
    days = [text(int(value)) for value in finding.fact("days").split(",")]
    usual, limit = (text(int(finding.fact(name, "0"))) for name in ("usual", "limit"))
    return [
        say(language, words, days=say(language, ", ").join(days), usual=usual),
        say(language, words_trend.SIDES[finding.fact("side") or "more"], limit=limit),
    ]


def _why_silent(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    return [
        say(
            language,
            "Nothing has been heard from the home's hub since {time} ({span}).",
            time=clock(finding.since, zone, finding.at),
            span=span(finding.fact("elapsed_s") or _elapsed(finding), language),
        ),
        *_usually_heard(finding, language),
        say(language, "Until it is heard again we cannot see whether anybody moves, and raise no alert about that."),
    ]


def _usually_heard(finding: Finding, language: str) -> list[str]:
    usual = finding.fact("usual_s")
    return [say(language, "It usually reports at least every {usual}.", usual=span(usual, language))] if usual else []


def _why_tested(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    real = tested(finding)
    return [
        say(language, "[TEST] Nothing has happened: the installer tried out a device."),
        *_WHY.get(real.code, _why_unknown)(real, language, zone, home),
    ]


def _why_device(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    """What is wrong with a device, by the numbers it was found by, and what that takes away."""
    lasting = ("elapsed", "usual", "limit", "lived")
    numbers = {name: span(finding.fact(f"{name}_s") or "0", language) for name in lasting}
    code = finding.code if finding.code != "device_offline" else finding.fact("how", "silent")
    empty = finding.fact("empty_at")
    sentences = [
        say(
            language,
            _DEVICE_WHY[code],
            device=device_name(finding.subject, home),
            time=clock(finding.since, zone, finding.at),
            count=finding.fact("count"),
            percent=finding.fact("percent"),
            link=finding.fact("link"),
            usual_link=finding.fact("usual"),
            ahead=span(finding.fact("ahead_s", "0").lstrip("-"), language),
            **numbers,
        )
    ]
    if finding.code == "device_offline":
        sentences += _usually_heard(finding, language)
        if percent := finding.fact("percent"):
            sentences.append(say(language, "Its battery last showed {percent} %.", percent=percent))
    if finding.code == "battery_low" and empty:
        day = f"{datetime.fromisoformat(empty).astimezone(zone):%Y-%m-%d}"
        sentences.append(say(language, "As it goes on now it will be empty about {day}.", day=day))
    if blinds := finding.fact("blinds"):
        what = say(language, ", ").join(task_name(code, language) for code in blinds.split(","))
        sentences.append(say(language, "Meanwhile this cannot be noticed: {what}.", what=what))
    return sentences


def _why_dry(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    sentences = [
        say(
            language,
            "{litres} litres drawn since {time}. Less than {limit} in {span} of waking time at home is told.",
            litres=finding.fact("litres"),
            time=clock(finding.since, zone, finding.at),
            limit=finding.fact("limit"),
            span=span(finding.fact("limit_s", "0"), language),
        )
    ]
    if usual := finding.fact("usual_s"):
        sentences.append(say(language, "The longest such time of a day is usually {span}.", span=span(usual, language)))
    if last := finding.fact("last_at"):
        time = clock(datetime.fromisoformat(last), zone, finding.at)
        lives = finding.fact("lives") == "yes"
        text = N_("Other sensors still tell of life (last: {time}).") if lives else N_("Last sign of life: {time}.")
        sentences.append(say(language, text, time=time))
    return sentences


def _why_wet(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    numbers = {name: finding.fact(name) for name in ("litres", "limit", "least")}
    time = clock(finding.since, zone, finding.at)
    if finding.code == "water_high":
        text = N_("{litres} litres have run since {time}; more than {limit} in a day is told.")
        usually = N_("Usually {count} litres run in a day.")
    else:
        text = N_("Water has run in every half hour since {time}, at least {least} litres; {litres} litres in all.")
        usually = N_("Usually it runs in {count} of the 48 half hours of a day.")
    sentences = [say(language, text, time=time, **numbers)]
    if usual := finding.fact("usual"):
        sentences.append(say(language, usually, count=usual))
    return sentences


def _why_room(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    numbers = {name: finding.fact(name) for name in ("value", "worst", "limit")}
    sentences = [
        say(
            language,
            _ROOM_WHY[finding.code],
            room=room_name(finding.fact("room"), home),
            span=span(finding.fact("elapsed_s", "0"), language),
            **numbers,
        )
    ]
    if usual := finding.fact("usual"):
        sentences.append(say(language, "In the last days it was usually {usual} °C there.", usual=usual))
    return sentences


def _why_vital(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    name, unit = _VITALS.get(finding.fact("kind"), (N_("measurement"), "{n}"))
    numbers = {
        key: say(language, unit, n=finding.fact(key))
        for key in ("value", "before", "limit", "usual")
        if finding.fact(key)
    }
    what, apart = say(language, name), span(finding.fact("elapsed_s", "0"), language)
    if finding.fact("rule") == "once":
        told = say(language, "{what}: {value}; not measured again within {span}.", what=what, span=apart, **numbers)
    else:
        told = say(
            language,
            _VITAL_WHY[finding.fact("side") == "high"],
            what=what,
            span=apart,
            **numbers,
        )
    sentences = [told[:1].upper() + told[1:]]
    if "usual" in numbers:
        sentences.append(say(language, "Usually it is about {usual}.", usual=numbers["usual"]))
    return sentences


def _why_broken(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    if finding.home == GRID:
        part, time, over = finding.fact("detector"), clock(finding.since, zone, finding.at), finding.fact("over")
        failed = N_("The part “{part}” of the program failed at {time}; its log says why.")
        untold = N_("The people of the home {home} could not be told: see to it yourself.")
        said = [say(language, failed, part=part, time=time)]
        return [*said, say(language, untold, home=over)] if over else said
    return [
        say(
            language,
            "The part “{part}” failed at {time} and does not watch this home at present; the others do.",
            part=finding.fact("detector") or finding.subject,
            time=clock(finding.since, zone, finding.at),
        )
    ]


def _why_outage(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    area, time = finding.fact("area", finding.subject), clock(finding.since, zone, finding.at)
    return [say(language, text, area=area, time=time) for text in words_incident.OUTAGE_WHY]


def _why_unknown(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    """Nothing is known of this code, so everything it says is shown as it stands."""
    time = clock(finding.since, zone, finding.at)
    return [
        say(language, "“{code}” since {time}.", code=finding.code, time=time),
        *(f"{name}: {value}" for name, value in finding.facts),
    ]


_AT_PLACE: Mapping[str, tuple[str, str]] = {
    "sos": (N_("Emergency button pressed at {time} ({room})."), N_("Emergency button pressed at {time}.")),
    "assist": (N_("Assistance key pressed at {time} ({room})."), N_("Assistance key pressed at {time}.")),
    "smoke": (N_("Smoke alarm at {time} ({room})."), N_("Smoke alarm at {time}.")),
    "gas": (N_("Gas alarm at {time} ({room})."), N_("Gas alarm at {time}.")),
    "co": (N_("Carbon monoxide alarm at {time} ({room})."), N_("Carbon monoxide alarm at {time}.")),
    "leak": (N_("Water on the floor since {time} ({room})."), N_("Water on the floor since {time}.")),
    "fall": (N_("A fall was reported at {time} ({room})."), N_("A fall was reported at {time}.")),
}

_LONG: Mapping[str, tuple[str, str]] = {
    "bath_dwell": (
        N_("In the {room} since {time}, for {span} now; last seen there at {last}, and nowhere else since."),
        N_("The longest stay of a day is usually {span}."),
    ),
    "bed_no_return": (
        N_("The bed has been empty since {time}, for {span} now."),
        N_("The longest absence of a night is usually {span}."),
    ),
    "not_up:rise": (
        N_("Not up by now; last seen or in bed since {time} ({span})."),
        N_("Usually up at {time}."),
    ),
    "not_up:in_bed": (N_("In bed since {time}, for {span} now."), N_("Usually up at {time}.")),
    "night_exit": (
        N_("The front door moved at {time}, and for {span} nobody has been seen inside."),
        N_("Out at night and well back {count} times in the last 28 days."),
    ),
    "wandering": (
        N_("{count} times from room to room since {time}, within {span}."),
        N_("In a restless night it is usually {count} within half an hour."),
    ),
    "door_open": (
        N_("The front door has stood open since {time}, for {span} now."),
        N_("The longest of a day is usually {span}."),
    ),
    "door_not_used": (
        N_("The front door last moved at {time}, {span} before this was told; somebody has been seen inside since."),
        N_("In the last 28 days it was at most {span}."),
    ),
}
"""What has lasted too long, and how what is usual is said."""


def _why_upkeep(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    """Something about the gateway itself."""
    which, until = finding.fact("which"), finding.fact("until")
    lost = finding.code == "gateway_missing"
    return [
        say(
            language,
            words_upkeep.LOST[finding.fact("what")] if lost else words_upkeep.WHY[finding.code],
            time=clock(finding.since, zone, finding.at),
            which=say(language, words_upkeep.WHICH[which]) if which in words_upkeep.WHICH else which,
            until=f"{datetime.fromisoformat(until).astimezone(zone):%Y-%m-%d %H:%M}" if until else "",
        )
    ]


def _why_nobody(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    """A hole in a duty sheet, or somebody on duty whom no message would reach."""
    if finding.subject:
        return [
            say(
                language,
                "{name} is on duty here from {time} on ({duty}) and cannot be told of anything: there is no way to"
                " reach them, or each failed when it was tried last.",
                name=finding.fact("name"),
                duty=named(Duty, finding.fact("duty"), lambda duty: duty_name(duty, language)),
                time=clock(datetime.fromisoformat(finding.fact("on_duty_at")), zone, finding.at),
            ),
            say(language, "Give them a way with a telephone or a group, and send a test."),
        ]
    until = datetime.fromisoformat(finding.fact("until"))
    return [
        say(
            language,
            "From {time} until {until} no grid worker, no deputy, no night desk and no other desk can be called.",
            time=clock(finding.since, zone, finding.at),
            until=clock(until, zone, finding.at),
        ),
        say(language, "A press in that time would call the household's own people only."),
    ]


_WHY: Mapping[str, Callable[[Finding, str, ZoneInfo, Home | None], list[str]]] = {
    **dict.fromkeys(_AT_PLACE, _why_pressed),
    "fall": _why_fallen,
    "inactivity": _why_quiet,
    "entered_no_motion": _why_entered,
    "not_returned": _why_out,
    **dict.fromkeys(
        ("bath_dwell", "bed_no_return", "not_up", "night_exit", "wandering", "door_open", "door_not_used"), _why_long
    ),
    "trend_note": _why_changed,
    "home_silent": _why_silent,
    OUTAGE: _why_outage,
    "water_low": _why_dry,
    "water_high": _why_wet,
    "water_trickle": _why_wet,
    "room_cold": _why_room,
    "room_hot": _why_room,
    "vital": _why_vital,
    "detector_failed": _why_broken,
    "no_responder": _why_nobody,
    **dict.fromkeys((*words_upkeep.WHY, "gateway_missing"), _why_upkeep),
    TEST: _why_tested,
    **dict.fromkeys(
        (
            "device_offline",
            "device_mute",
            "device_stuck",
            "device_chatter",
            "device_faulty",
            "device_flood",
            "battery_low",
            "link_weak",
            "tamper",
            "power_fail",
            "hub_clock",
        ),
        _why_device,
    ),
}

_ROOM_WHY: Mapping[str, str] = {
    "room_cold": N_("{room}: below {limit} °C for {span}, now {value} °C (lowest {worst} °C)."),
    "room_hot": N_("{room}: above {limit} °C for {span}, now {value} °C (highest {worst} °C)."),
}
_VITAL_WHY: Mapping[bool, str] = {
    True: N_("{what}: {value}, and {before} {span} before; the upper limit is {limit}."),
    False: N_("{what}: {value}, and {before} {span} before; the lower limit is {limit}."),
}
_VITALS: Mapping[str, tuple[str, str]] = {
    Kind.SYSTOLIC: (N_("systolic blood pressure"), N_("{n} mmHg")),
    Kind.DIASTOLIC: (N_("diastolic blood pressure"), N_("{n} mmHg")),
    Kind.HEART_RATE: (N_("heart rate"), N_("{n} a minute")),
    Kind.SPO2: (N_("oxygen saturation"), N_("{n} %")),
    Kind.GLUCOSE: (N_("blood sugar"), N_("{n} mmol/l")),
    Kind.WEIGHT: (N_("weight"), N_("{n} kg")),
    Kind.BODY_TEMPERATURE: (N_("body temperature"), N_("{n} °C")),
}
"""What was measured, and in which unit."""

_DEVICE_WHY: Mapping[str, str] = {
    "silent": N_("{device} was last heard at {time}, {elapsed} before this was told."),
    "left": N_("Its hub says that it cannot reach {device}, or that it has left; last heard at {time}."),
    "never": N_("{device} has never been heard in {elapsed}."),
    "device_mute": N_(
        "{device} has noticed nothing since {time}, while others told of {lived} of life. Before, at most {usual}."
    ),
    "device_stuck": N_("{device} has shown one and the same since {time}. The limit is {limit}."),
    "device_chatter": N_("{device} fired {count} times within a minute at {time}: no person does that."),
    "device_faulty": N_("{device} has said since {time} that it cannot do its work."),
    "device_flood": N_("{device} sends more than is taken in; {count} messages were dropped by then."),
    "battery_low": N_("The battery of {device} shows {percent} %."),
    "link_weak": N_("The link quality of {device} is {link} of 255; usually it is {usual_link}."),
    "tamper": N_("{device} said at {time} that it was opened."),
    "power_fail": N_("The hub has had no mains power since {time}, for {elapsed} by then."),
    "hub_clock": N_("The hub's clock was wrong by {ahead}."),
}

_OUT_RULES: Mapping[str, str] = {
    "night": N_("At this time of night nobody went out here before, so the limit is {span}."),
}
_RULES: Mapping[str, str] = {
    "day": N_("The limit by day is {span}."),
    "any": N_("The limit at any time is {span}."),
    "usual": N_("By what is usual in this home, the limit is {span} now."),
}
_SHORTER: Mapping[str, str] = {  # where what is usual would have waited for longer
    "day": N_("Usually at most {usual} here, but by day nobody waits longer than {span}."),
    "any": N_("Usually at most {usual} here, but at any time nobody waits longer than {span}."),
}


def _elapsed(finding: Finding) -> timedelta:
    return finding.at - finding.since
