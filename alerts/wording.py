"""Words for people: the only place where a sentence about an alert is made, in every language we speak.

Whatever may stand on a lock screen or in a log is made by `letter`, and names a household by its 户号: no name of an
elder, no address, no illness. English is the source text; `gateway/locales` holds the translations.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from alerts import words_falls, words_handling, words_incident, words_ladder, words_plans, words_trend, words_upkeep
from alerts.catalogue import N_, Catalogue
from alerts.escalation import Reason, Verdict
from alerts.history import What
from alerts.incident import BUNDLED, FIRE, OUTAGE
from alerts.maintenance import HUSHED, TEST, tested
from alerts.plans import DIGEST
from alerts.reasons import REASONS
from gateway.domain import (
    Alert,
    Delivery,
    Duty,
    Elder,
    Entry,
    Finding,
    Gap,
    Home,
    Kind,
    Monitoring,
    Outcome,
    Purpose,
    Role,
    RoomKind,
    Sending,
    Severity,
    State,
)
from gateway.domain.home import GRID
from gateway.locales import LANGUAGES, catalogue
from gateway.ports import Letter

DEFAULT_LANGUAGE = "zh"

STANDARD = Catalogue()


def say(language: str, text: str, **values: object) -> str:
    """`text` in this language, with its {names} filled in."""
    said = catalogue(language if language in LANGUAGES else DEFAULT_LANGUAGE, "alerts").gettext(text)
    return said.format(**values) if values else said


# --------------------------------------------------------------------------- letters


def letter(
    delivery: Delivery,
    alert: Alert | None,
    *,
    home: Home | None,
    language: str,
    owner: str = "",
    link: str = "",
    known: Catalogue = STANDARD,
) -> Letter:
    """What one person reads on a telephone. `owner` is the name of whoever accepted; colleagues may read it."""
    if alert is None or delivery.purpose is Purpose.TEST:
        return Letter(
            title=say(language, "Test message from Shouwang"),
            body=say(language, "Nothing has happened. If you can read this, you can be reached."),
            what=say(language, "test"),
        )
    code = home.code if home else alert.home
    household = say(language, "household {code}", code=code)
    if alert.code == OUTAGE:
        code = household = alert.finding.fact("area", alert.subject)
    if home is not None and home.id == GRID:  # the installation as a whole
        code = household = home.name
    name = say(language, known.entry(alert.code).name)
    time = clock(alert.finding.since, home.zone if home else ZoneInfo("UTC"), delivery.created_at)
    if alert.code == TEST:
        return _test_letter(delivery, alert, household, home, language, link, known)
    if delivery.duty is Duty.ELDER:
        return _to_the_resident(delivery, alert, language, owner, code, time, known)
    if delivery.duty is Duty.VOLUNTEER:
        return _to_a_volunteer(delivery, language, link, code, time)
    if delivery.purpose is Purpose.TAKEN:
        return Letter(
            title=say(language, "Accepted: {name} · {household}", name=name, household=household),
            body=_paragraph(
                language,
                say(language, "{owner} has accepted. You need do nothing more.", owner=owner)
                if owner
                else say(language, "Somebody has accepted. You need do nothing more."),
            ),
            link=link,
            household=code,
            what=say(language, "accepted: {name}", name=name),
            time=time,
        )
    if delivery.purpose in words_ladder.LETTERS:
        words = words_ladder.LETTERS[delivery.purpose]
        facts = dict(delivery.facts)
        nameless = words_ladder.ALONE if "alone" in facts else words.nameless
        nameless = words_ladder.TAKEN_BACK if "answer" in facts else nameless
        return Letter(
            title=say(language, words.title, name=name, household=household),
            body=say(language, words.body, owner=owner) if owner else say(language, nameless),
            link=link,
            household=code,
            what=say(language, words.what, name=name),
            time=time,
        )
    if delivery.purpose is Purpose.CARD:  # why is not for a lock screen: it may name an illness
        return Letter(
            title=say(language, "Emergency card opened · {household}", household=household),
            body=say(
                language,
                "{name} has opened the emergency card. Open the link to see why.",
                name=dict(delivery.facts).get("name", ""),
            ),
            link=link,
            household=code,
            what=say(language, "emergency card opened"),
            time=time,
        )
    title = say(
        language,
        "[{severity}] {name} · {household}",
        severity=severity_name(alert.severity, language),
        name=name,
        household=household,
    )
    if DIGEST in dict(delivery.facts):
        return _digest(delivery, name, language, link, known)
    sentences = _again(delivery, alert, language, known) if delivery.purpose is Purpose.AGAIN else []
    sentences += _page(delivery, alert, home, language, known)
    again = delivery.purpose is Purpose.AGAIN
    what = say(language, "again: {name}", name=name) if again else name
    return Letter(title=title, body=_paragraph(language, *sentences), link=link, household=code, what=what, time=time)


def _digest(delivery: Delivery, name: str, language: str, link: str, known: Catalogue) -> Letter:
    """Several alerts in one message: what could wait till the quiet hours were over, or what came all at once."""
    facts = dict(delivery.facts)
    title, body, what = words_plans.DIGEST_TITLE, words_plans.DIGEST_BODY, words_plans.DIGEST_WHAT
    if BUNDLED in facts:
        title, body, what = words_incident.TOGETHER
    count, about = facts["digest_count"], [one.partition(":") for one in facts[DIGEST].split(",")]
    names = [
        say(language, words_plans.DIGEST_ONE, code=home, name=say(language, known.entry(code).name))
        for home, _, code in about
    ]
    if (more := int(count) - len(about)) > 0:
        names.append(say(language, words_plans.DIGEST_MORE, count=more))
    return Letter(
        title=say(language, title, count=count, name=name),
        body=say(language, body, names=say(language, ", ").join(names)),
        link=link,
        household=about[0][0],
        what=say(language, what, count=count),
    )


def _to_a_volunteer(delivery: Delivery, language: str, link: str, code: str, time: str) -> Letter:
    """That somebody is needed, or is not any more. Where and what for stands behind the link; who lives there, what
    happened and whether anybody is ill is not a volunteer's to know."""
    if delivery.purpose in (Purpose.TAKEN, Purpose.OVER):
        title, body = N_("Taken care of"), N_("Somebody goes there. You need do nothing more. Thank you.")
    else:
        title, body = (
            N_("Somebody near you needs help"),
            N_("Can you look in? Open the link for the address and what to do, and to accept."),
        )
    said = say(language, title)
    return Letter(title=said, body=say(language, body), link=link, household=code, what=said, time=time)


IN_THE_HOME = frozenset({"home", "lamp", "siren"})
"""Channels of the home itself: what is asked there is answered by a button, and not by a telephone's keys."""

ASK_AT_HOME = N_("If all is well, press the answer button. If you need help, press the emergency button.")


def _to_the_resident(
    delivery: Delivery, alert: Alert, language: str, owner: str, code: str, time: str, known: Catalogue
) -> Letter:
    """What is shown or spoken at home: a question that can be answered, or who takes care of it."""
    if delivery.purpose is Purpose.ASK:
        question = say(language, known.entry(alert.code).ask)
        is_at_home = delivery.channel in IN_THE_HOME
        title, body = (
            say(language, words_ladder.ASK_TITLE),
            _paragraph(language, question, say(language, ASK_AT_HOME if is_at_home else words_ladder.ASK_HOW)),
        )
    else:
        title = say(language, words_ladder.COMES_TITLE)
        body = say(language, words_ladder.COMES, owner=owner) if owner else say(language, words_ladder.COMES_NAMELESS)
    return Letter(title=title, body=body, household=code, what=title, time=time)


def _test_letter(
    delivery: Delivery,
    alert: Alert,
    household: str,
    home: Home | None,
    language: str,
    link: str,
    known: Catalogue,
) -> Letter:
    """A real message on the real way, which nobody can take for a real call."""
    zone = home.zone if home else ZoneInfo("UTC")
    name = say(language, known.entry(tested(alert.finding).code).name)
    time = clock(alert.finding.since, zone, delivery.created_at)
    return Letter(
        title=say(language, "[TEST] {name} · {household}", name=name, household=household),
        body=_paragraph(
            language,
            say(
                language, "This is a test: the installer tried out a device at {time}. Nothing has happened.", time=time
            ),
            say(language, "You need not go there. Open the link and accept, so that we see it has reached you."),
        ),
        link=link,
        household=home.code if home else alert.home,
        what=say(language, "test"),
        time=time,
    )


def _page(delivery: Delivery, alert: Alert, home: Home | None, language: str, known: Catalogue) -> list[str]:
    entry, finding = known.entry(alert.code), alert.finding
    zone = home.zone if home else ZoneInfo("UTC")
    time = clock(finding.since, zone, delivery.created_at)
    sentences = [say(language, entry.call, time=time, device=_sensor(finding.subject, home))]
    if late := finding.fact("late_s"):
        sentences.append(say(language, "We heard of it {span} late.", span=span(late, language)))
    if entry.advice:
        sentences.append(say(language, entry.advice))
    if alert.also:
        sentences.append(say(language, words_incident.ALSO, names=also_found(alert, language, known)))
        others = (known.entry(one.finding.code).advice for one in alert.also if one.finding.code in FIRE)
        sentences += [say(language, advice) for advice in others if advice]
    if delivery.purpose is Purpose.PAGE:
        if finding.fact("answer") == "help":
            sentences.append(say(language, words_ladder.NEEDS_HELP))
        elif dict(delivery.facts).get("asked"):
            sentences.append(say(language, words_ladder.NO_ANSWER))
        if alert.count > 1:
            sentences.append(say(language, "{count} times so far.", count=alert.count))
        if dict(delivery.facts).get("round", "0") != "0":
            sentences.append(say(language, "Nobody has accepted yet, so you are called again."))
        elif delivery.rung:
            sentences.append(say(language, "Nobody before you has accepted."))
        sentences.append(say(language, "Open the link to see why, and to accept."))
    return sentences


def also_found(alert: Alert, language: str, known: Catalogue = STANDARD) -> str:
    """What else was found in the same incident, as a list of names."""
    names = []
    for one in alert.also:
        name = say(language, known.entry(one.finding.code).name)
        names.append(say(language, words_incident.OFTEN, name=name, count=one.count) if one.count > 1 else name)
    return say(language, ", ").join(names)


def _again(delivery: Delivery, alert: Alert, language: str, known: Catalogue) -> list[str]:
    if alert.is_ringing:  # it has become worse, and everybody is called from the start
        return [say(language, "It has become more serious, and others are being called again.")]
    if also := dict(delivery.facts).get("also", ""):
        return [say(language, words_incident.ALSO_NOW, names=say(language, known.entry(also).name))]
    count = dict(delivery.facts).get("count", str(alert.count))
    return [say(language, known.entry(alert.code).again, count=count)]


def _paragraph(language: str, *sentences: str) -> str:
    return ("" if language == "zh" else " ").join(sentences)


# --------------------------------------------------------------------------- why


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
        places = say(language, ", ").join(_sensor(name, home) for name in finding.blind)
        sentences.append(say(language, "Not seen meanwhile: {places}.", places=places))
    known = [words_plans.MAY_BE_ANOTHER.get(one, "") for one in finding.fact("plan").split(",")]
    return sentences + [say(language, text) for text in known if text]


def _why_pressed(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    text = _AT_PLACE[finding.code]
    time = clock(finding.since, zone, finding.at)
    where = _room(finding.fact("room"), home)
    return [say(language, text[0], time=time, room=where) if where else say(language, text[1], time=time)]


def _why_fallen(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    """Who says that somebody fell, and what else speaks for it."""
    if not finding.fact("sources"):
        return _why_pressed(finding, language, zone, home)
    time = clock(finding.since, zone, finding.at)
    sources = [source.rpartition(":")[::2] for source in finding.fact("sources").split(",")]
    peak = f"{int(finding.fact('peak_dg', '0')) / 10:.1f}"
    sentences = [
        say(language, words_falls.SAID[how], device=_sensor(name, home), time=time, peak=peak) for name, how in sources
    ]
    if likelihood := finding.fact("likelihood"):
        like = {"likelihood": likelihood, "threshold": finding.fact("threshold")}
        sentences.append(say(language, words_falls.LIKE_A_FALL, **like))
    if room := _room(finding.fact("room"), home):
        worn = all(how == "impact" for _, how in sources)
        sentences.append(say(language, words_falls.LAST_SEEN if worn else words_falls.WHERE, room=room))
    if text := words_falls.RULES.get(finding.fact("rule")):
        lasted = finding.fact("still_s") if finding.fact("rule") == "still" else finding.fact("elapsed_s")
        sentences.append(say(language, text, span=span(lasted or "0", language), count=len(sources)))
    return [*sentences, say(language, words_falls.SURE, percent=finding.fact("confidence"))]


def _why_quiet(finding: Finding, language: str, zone: ZoneInfo, home: Home | None) -> list[str]:
    elapsed = span(finding.fact("elapsed_s") or _elapsed(finding), language)
    time = clock(finding.since, zone, finding.at)
    place = _room(finding.fact("last_room"), home) or kind_name(finding.fact("last_kind"), language)
    sentences = [
        say(language, "No sign of life for {span} (last: {place} {time}).", span=elapsed, place=place, time=time)
        if place
        else say(language, "No sign of life for {span} (last: {time}).", span=elapsed, time=time)
    ]
    # How long it usually is at most comes next to how long it is: a list of homes shows these two.
    if usual := finding.fact("usual_s"):
        sentences.append(say(language, "Usually at most {span}.", span=span(usual, language)))
    if limit := finding.fact("limit_s"):
        text = _RULES.get(finding.fact("rule"), N_("The limit is {span}."))
        sentences.append(say(language, text, span=span(limit, language)))
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
        "room": _room(finding.fact("room"), home) or say(language, "bathroom"),
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
            device=_sensor(finding.subject, home),
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
            room=_room(finding.fact("room"), home),
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
                duty=_of(Duty, finding.fact("duty"), lambda duty: duty_name(duty, language)),
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


# --------------------------------------------------------------------------- history


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
    line = say(
        language,
        text,
        who=name_of(entry.who) if entry.who else say(language, "the gateway"),
        name=say(language, known.entry(facts.get("code", "")).name),
        severity=_of(Severity, facts.get("severity", ""), lambda s: severity_name(s, language)),
        was=_of(Severity, facts.get("was", ""), lambda s: severity_name(s, language)),
        duty=comma.join(_of(Duty, duty, lambda d: duty_name(d, language)) for duty in duties),
        to=name_of(facts["to"]) if "to" in facts else "",
        was_owner=name_of(facts["from"]) if facts.get("from") else "",
        until=clock(datetime.fromisoformat(facts["until"]), zone, now or entry.at) if "until" in facts else "",
        people=comma.join(name_of(person) for person in facts.get("people", "").split(",") if person),
        person=name_of(facts["person"]) if "person" in facts else "",
        channel=channel_of(facts.get("channel", "")),
        reason=reason_text(facts.get("reason", ""), language),
        count=facts.get("count", ""),
        how=say(language, _HOW.get(facts.get("how", ""), _OTHERWISE)),
        why=facts.get("why", ""),
        household=facts.get("home", ""),
        area=facts.get("area", ""),
        outcome=_of(Outcome, facts.get("outcome", ""), lambda o: outcome_name(o, language)),
        time=clock(datetime.fromisoformat(facts["again_at"]), zone, now or entry.at) if "again_at" in facts else "",
        pressed=clock(datetime.fromisoformat(facts["pressed"]), zone, now or entry.at) if "pressed" in facts else "",
    )
    extra = words_handling.proofs(
        facts.get("proof", ""), partial(say, language), lambda at: clock(at, zone, now or entry.at)
    )
    if elder := facts.get("elder"):
        extra.append(_of(Elder, elder, lambda e: elder_name(e, language)))
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


# --------------------------------------------------------------------------- what a home cannot see


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
    return _paragraph(language, *sentences)


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
    return f"{say(language, _DAYS[there.weekday()])} {there:%H:%M}"


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
_DAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
_PLACES: Mapping[RoomKind, str] = {
    RoomKind.BEDROOM: N_("bedroom"),
    RoomKind.BATHROOM: N_("bathroom"),
    RoomKind.KITCHEN: N_("kitchen"),
    RoomKind.LIVING: N_("living room"),
    RoomKind.HALL: N_("hall"),
}
_TASKS: Mapping[str, str] = {
    "sos": N_("calls for help"),
    "smoke": N_("smoke"),
    "gas": N_("gas"),
    "co": N_("carbon monoxide"),
    "leak": N_("water on the floor"),
    "fall": N_("falls"),
    "inactivity": N_("long inactivity"),
    "bath_dwell": N_("too long a stay"),
    "bed_no_return": N_("not coming back to bed"),
    "not_returned": N_("not coming home"),
    "night_exit": N_("going out at night"),
    "not_up": N_("getting up too late"),
    "wandering": N_("restless walking at night"),
    "door_open": N_("a door left open"),
    "door_not_used": N_("a door not used for days"),
    "water_low": N_("too little water used"),
    "room_temperature": N_("cold or heat"),
}
_ROLES: Mapping[Role, str] = {
    Role.MOTION: N_("motion sensor"),
    Role.PRESENCE: N_("presence radar"),
    Role.EXIT_DOOR: N_("sensor of the front door"),
    Role.OPENING: N_("door or drawer sensor"),
    Role.BED: N_("bed mat"),
    Role.CHAIR: N_("chair mat"),
    Role.APPLIANCE: N_("plug"),
    Role.TAP: N_("tap sensor"),
    Role.BUTTON: N_("button"),
    Role.SOS: N_("emergency button"),
    Role.SMOKE: N_("smoke detector"),
    Role.GAS: N_("gas detector"),
    Role.CO: N_("carbon monoxide detector"),
    Role.LEAK: N_("water detector"),
    Role.FALL: N_("fall radar"),
    Role.CLIMATE: N_("thermometer"),
    Role.WATER_METER: N_("water meter"),
    Role.VITALS: N_("vitals device"),
}
_FAULTS: Mapping[str, str] = {
    "offline": N_("silent"),
    "mute": N_("notices nothing"),
    "stuck": N_("stuck"),
    "chatter": N_("fires without a pause"),
    "faulty": N_("reports a fault"),
    "flood": N_("floods its hub"),
    "battery_low": N_("battery low"),
    "battery_unknown": N_("battery unknown: its meter has shown full for a year"),
    "link_weak": N_("radio link weak"),
    "tamper": N_("opened"),
}


# --------------------------------------------------------------------------- answers to those who act


def answer(verdict: Verdict, language: str, name_of: Callable[[str], str]) -> str:
    """What somebody is told who has just accepted, resolved or closed, or tried to."""
    owner = name_of(verdict.owner) if verdict.owner else ""
    if verdict.reason is Reason.TAKEN and not owner:
        return say(language, "Somebody else has accepted it already.")
    return say(language, _ANSWERS[verdict.reason], owner=owner)


_ANSWERS: Mapping[Reason, str] = {
    Reason.NEW: N_("A new alert was opened."),
    Reason.WORSE: N_("It is more serious than before; people are called from the start."),
    Reason.AGAIN: N_("{owner} was told that it happened again."),
    Reason.RINGING: N_("People are being called already."),
    Reason.KNOWN: N_("This was known already."),
    Reason.HELD: N_("Somebody works in this home: it is held back until that is over."),
    Reason.TESTED: N_("This button is being tested, as announced: it is kept, and nobody is called."),
    Reason.HUSHED: N_("It can wait: it is held back until the quiet hours or the silence are over."),
    Reason.DONE: N_("Done."),
    Reason.YOURS: N_("You have accepted it already."),
    Reason.TAKEN: N_("{owner} has accepted it already."),
    Reason.OVER: N_("It was resolved already."),
    Reason.CLOSED: N_("It was closed already."),
    Reason.NO_OUTCOME: N_("Choose an outcome first: no alert is resolved without one."),
    Reason.UNRESOLVED: N_("Write down the outcome first: no alert is closed before it was resolved."),
    Reason.NOBODY: N_("Sign in first: an alert is accepted by somebody."),
    Reason.UNKNOWN: N_("There is no such alert."),
    **words_ladder.ANSWERS,
    **words_handling.ANSWERS,
}


# --------------------------------------------------------------------------- names


def alert_name(code: str, language: str, known: Catalogue = STANDARD) -> str:
    return say(language, known.entry(code).name)


def severity_name(severity: Severity, language: str) -> str:
    return say(language, _SEVERITIES[severity])


def state_name(state: State, language: str) -> str:
    return say(language, _STATES[state])


def outcome_name(outcome: Outcome, language: str) -> str:
    return say(language, _OUTCOMES[outcome])


def elder_name(elder: Elder, language: str) -> str:
    return say(language, words_handling.ELDERS[elder])


def duty_name(duty: Duty, language: str) -> str:
    return say(language, _DUTIES[duty])


def purpose_name(purpose: Purpose, language: str) -> str:
    return say(language, _PURPOSES[purpose])


def sending_name(sending: Sending, language: str) -> str:
    return say(language, _SENDINGS[sending])


def reason_text(reason: str, language: str) -> str:
    """Why a message was not sent: our own words in the reader's language, the provider's as they came."""
    ours, colon, theirs = reason.partition(": ")
    if ours not in REASONS:
        return reason
    return say(language, ours) + (say(language, ": ") + theirs if colon else "")


def task_name(code: str, language: str) -> str:
    """What is to be noticed, as part of a sentence."""
    return say(language, _TASKS[code]) if code in _TASKS else code


def role_name(role: Role, language: str) -> str:
    return say(language, _ROLES[role])


def fault_name(code: str, language: str) -> str:
    """What is wrong with a device, in a word or two, from a code of its `Condition`."""
    return say(language, _FAULTS[code]) if code in _FAULTS else code


def kind_name(kind: str, language: str) -> str:
    """What a sign of life was, from its code; empty when it says nothing to anybody."""
    return say(language, _KINDS[kind]) if kind in _KINDS else ""


_SEVERITIES: Mapping[Severity, str] = {
    Severity.EMERGENCY: N_("Emergency"),
    Severity.HIGH: N_("High"),
    Severity.MEDIUM: N_("Medium"),
    Severity.CARE: N_("Care"),
    Severity.TECHNICAL: N_("Equipment"),
}
_STATES: Mapping[State, str] = {
    State.RAISED: N_("Raised"),
    State.CONFIRMING: N_("Asking the resident"),
    State.NOTIFIED: N_("Notified"),
    State.ACCEPTED: N_("Accepted"),
    State.EN_ROUTE: N_("On the way"),
    State.ON_SITE: N_("There"),
    State.RESOLVED: N_("Resolved"),
    State.FOLLOWED_UP: N_("Followed up"),
    State.CLOSED: N_("Closed"),
    State.CANCELLED: N_("Taken back by the resident"),
}
_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.REAL_EMERGENCY: N_("Real emergency"),
    Outcome.ASSISTANCE_GIVEN: N_("Help was given"),
    Outcome.ELDER_AWAY: N_("Was out"),
    Outcome.ELDER_SAFE: N_("Safe, nothing found"),
    Outcome.ACCIDENTAL_PRESS: N_("Pressed by accident"),
    Outcome.SENSOR_FAULT: N_("Device fault"),
    Outcome.SENSOR_PLACEMENT: N_("Device in the wrong place"),
    Outcome.VISITOR_OR_PET: N_("Visitor or pet"),
    Outcome.TEST_OR_DRILL: N_("Test or drill"),
    Outcome.NO_ACCESS: N_("No way in (police, locksmith)"),
    Outcome.DECEASED: N_("Deceased"),
    Outcome.DUPLICATE: N_("Duplicate"),
}
_DUTIES: Mapping[Duty, str] = {
    Duty.ELDER: N_("resident"),
    Duty.FAMILY: N_("family"),
    Duty.GRID_WORKER: N_("grid worker"),
    Duty.DEPUTY: N_("deputy"),
    Duty.KEY_HOLDER: N_("key holder"),
    Duty.NIGHT_POOL: N_("night desk"),
    Duty.SUPERVISOR: N_("supervisor"),
    Duty.COMMUNITY: N_("community desk"),
    Duty.STREET: N_("street desk"),
    Duty.DISTRICT: N_("district desk"),
    Duty.FIRE_STATION: N_("fire station"),
    Duty.DOCTOR: N_("family doctor"),
    Duty.MEDICAL: N_("contact for the hospital"),
    Duty.VOLUNTEER: N_("volunteer"),
    Duty.INSTALLER: N_("installer"),
    Duty.ADMIN: N_("administrator"),
}
_PURPOSES: Mapping[Purpose, str] = {
    Purpose.PAGE: N_("call"),
    Purpose.AGAIN: N_("happened again"),
    Purpose.TAKEN: N_("accepted by somebody"),
    Purpose.ASK: N_("question to the resident"),
    Purpose.REMIND: N_("reminder"),
    Purpose.HANDED: N_("handed over"),
    Purpose.STIRS: N_("signs of life again"),
    Purpose.OVER: N_("it is over"),
    Purpose.CARD: N_("emergency card opened"),
    Purpose.TEST: N_("test"),
    Purpose.DRILL: N_("drill"),
    Purpose.REPLY: N_("answer to an SMS"),
}
_SENDINGS: Mapping[Sending, str] = {
    Sending.WAITING: N_("waiting"),
    Sending.SENT: N_("sent"),
    Sending.FAILED: N_("failed"),
    Sending.WITHDRAWN: N_("withdrawn"),
}
_KINDS: Mapping[str, str] = {
    Kind.MOTION: N_("movement"),
    Kind.PRESENCE: N_("presence"),
    Kind.DOOR: N_("front door"),
    Kind.OPENING: N_("door or drawer"),
    Kind.BED: N_("bed"),
    Kind.CHAIR: N_("chair"),
    Kind.VIBRATION: N_("movement"),
    Kind.APPLIANCE: N_("appliance"),
    Kind.TAP: N_("water"),
    Kind.BUTTON: N_("button"),
    Kind.ASSIST: N_("assistance key"),
    Kind.SOS: N_("emergency button"),
}


# --------------------------------------------------------------------------- moments and spans


def clock(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """The time of day where the home is, with the date where that is not the day of `now`."""
    there, today = moment.astimezone(zone), now.astimezone(zone).date()
    if there.date() == today:
        return f"{there:%H:%M}"
    return f"{there:%m-%d %H:%M}" if there.year == today.year else f"{there:%Y-%m-%d %H:%M}"


def span(length: str | float | timedelta, language: str) -> str:
    """How long something lasted, as one would say it: 3 小时 5 分."""
    whole = int(length.total_seconds()) if isinstance(length, timedelta) else int(float(length))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 60:
        return say(language, "{seconds} s", seconds=whole)
    if hours == 0:
        return say(language, "{minutes} min", minutes=minutes)
    if days >= 2:
        return _two(language, N_("{days} days"), N_("{days} days {hours} h"), days, hours % 24, "days", "hours")
    return _two(language, N_("{hours} h"), N_("{hours} h {minutes} min"), hours, minutes % 60, "hours", "minutes")


def _two(language: str, alone: str, both: str, first: int, second: int, one: str, two: str) -> str:
    return say(language, both, **{one: first, two: second}) if second else say(language, alone, **{one: first})


def _elapsed(finding: Finding) -> timedelta:
    return finding.at - finding.since


def _room(room: str, home: Home | None) -> str:
    found = home.room(room) if home else None
    return found.name if found else room


def _sensor(name: str, home: Home | None) -> str:
    found = next((sensor for sensor in home.sensors if sensor.id == name), None) if home else None
    return found.name if found and found.name else name


def _of(kind: type, code: str, name: Callable[..., str]) -> str:
    """The name of a code, or the code itself when a newer program wrote it."""
    for member in kind:  # type: ignore[attr-defined]
        if code in (member.value, member.name.lower()):
            return name(member)
    return code
