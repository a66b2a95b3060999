"""What one person reads on a telephone, on a lamp or from a speaker: one letter for each purpose."""

from zoneinfo import ZoneInfo

from alerts import words_incident, words_ladder, words_plans
from alerts.catalogue import N_, Catalogue
from alerts.incident import BUNDLED, FIRE, OUTAGE
from alerts.maintenance import TEST, tested
from alerts.plans import DIGEST
from alerts.wording.names import STANDARD, device_name, severity_name
from alerts.wording.speech import clock, paragraph, say, span
from gateway.domain import Alert, Delivery, Duty, Home, Purpose
from gateway.domain.home import GRID
from gateway.ports import Letter


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
            body=paragraph(
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
    return Letter(title=title, body=paragraph(language, *sentences), link=link, household=code, what=what, time=time)


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
            paragraph(language, question, say(language, ASK_AT_HOME if is_at_home else words_ladder.ASK_HOW)),
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
        body=paragraph(
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
    sentences = [say(language, entry.call, time=time, device=device_name(finding.subject, home))]
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
