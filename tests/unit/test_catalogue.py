"""The one table of what can be told; and that every word of it exists in every language."""

import ast
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from alerts import catalogue
from alerts.catalogue import BY_SEVERITY, ENTRIES, URGENT, Catalogue, confirmed_for
from gateway.domain import Duty, Finding, Ladder, Rung, Severity

T0 = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)
ONE = Ladder(rungs=(Rung(duty=Duty.SUPERVISOR, wait=timedelta(seconds=5)),), repeat=timedelta(0))
ROOT = Path(__file__).parents[2]
CATALOGUES = ROOT / "gateway" / "locales"


def deadlines(ladder: Ladder) -> list[tuple[str, float]]:
    """Whom it means and when, if there is somebody on every rung."""
    moment, told = timedelta(0), []
    for rung in ladder.rungs:
        told.append((" ".join(duty.value for duty in rung.duties), moment.total_seconds()))
        moment += rung.wait
    assert ladder.repeat is not None
    return [*told, ("again", (moment + ladder.repeat).total_seconds())]


@pytest.mark.parametrize("code", ["sos", "smoke", "gas", "co"])
def test_life_in_danger_is_severity_1_and_climbed_in_seconds(code):
    entry = Catalogue().entry(code)

    assert entry.severity is Severity.EMERGENCY
    near = "volunteer" if code == "sos" else "fire_station"
    assert deadlines(Catalogue().ladder(code, entry.severity)) == [
        ("grid_worker family elder", 0),
        (f"deputy key_holder night_pool {near}", 60),
        ("supervisor community", 180),
        ("street", 300),
        ("district", 420),
        ("again", 540),
    ]


def test_a_fall_that_is_not_certain_is_asked_about_for_a_minute_and_then_climbed_like_an_emergency():
    certain, possible = (Catalogue().ladder("fall", severity) for severity in (Severity.EMERGENCY, Severity.HIGH))

    assert certain == URGENT
    assert deadlines(possible)[:2] == [("elder", 0), ("grid_worker family elder", 60)]
    assert possible.rungs[1:] == URGENT.rungs


@pytest.mark.parametrize(
    ("code", "questions", "family", "worker"),
    [
        ("bath_dwell", [0, 90], 90, 180),
        ("inactivity", [0, 300], 300, 600),
        ("door_open", [0, 60, 150], 150, 300),
        ("not_returned", [0, 300, 600], 600, 900),
        ("leak", [0, 300, 600, 900, 1200, 1500], 1500, 1800),
    ],
)
def test_the_resident_is_asked_first_then_the_family_and_after_the_window_whoever_works_there(
    code, questions, family, worker
):
    entry = Catalogue().entry(code)
    told = deadlines(Catalogue().ladder(code, entry.severity))

    assert [when for who, when in told if "elder" in who.split()] == questions
    assert [when for who, when in told if "family" in who.split()] == [family]
    assert dict(told)["grid_worker"] == worker


def test_a_home_may_have_another_time_to_answer_in():
    ladder = Catalogue().ladder("bath_dwell", Severity.HIGH)

    assert deadlines(confirmed_for(ladder, timedelta(0)))[:2] == [("family", 0), ("grid_worker", 0)]
    longer = confirmed_for(ladder, timedelta(minutes=4, seconds=30))
    assert deadlines(longer)[:4] == [("elder", 0), ("elder", 60), ("elder family", 135), ("grid_worker", 270)]
    assert longer.ack - ladder.ack == timedelta(seconds=90)


@pytest.mark.parametrize("code", ["smoke", "gas", "co", "leak", "home_silent"])
def test_what_burns_or_leaks_is_not_ended_by_a_word(code):
    assert not Catalogue().entry(code).can_be_cancelled


@pytest.mark.parametrize(
    ("code", "severity", "minutes"),
    [
        ("inactivity", Severity.HIGH, 10),
        ("not_returned", Severity.HIGH, 15),
        ("leak", Severity.MEDIUM, 60),
        ("home_silent", Severity.MEDIUM, 240),
    ],
)
def test_each_has_its_time_to_be_accepted(code, severity, minutes):
    called = [r for r in Catalogue().ladder(code, severity).rungs if not {Duty.ELDER, Duty.FAMILY} & {*r.duties}]

    assert {rung.wait for rung in called} == {timedelta(minutes=minutes)}


ABOUT_NO_HOME = {"area_outage", "no_responder"}  # for whoever answers for all of them


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_equipment_goes_to_who_looks_after_it_and_elders_to_the_grid(entry):
    for severity in Severity:
        duties = {duty for rung in entry.ladder_for(severity).rungs for duty in rung.duties}
        if severity is Severity.TECHNICAL:
            assert duties == {Duty.INSTALLER, Duty.ADMIN}
        elif entry.code in ABOUT_NO_HOME and severity is entry.severity:
            assert Duty.SUPERVISOR in duties and Duty.GRID_WORKER not in duties
        else:
            assert {Duty.GRID_WORKER, Duty.DEPUTY, Duty.SUPERVISOR} <= duties
            assert not {Duty.INSTALLER, Duty.ADMIN} & duties


@pytest.mark.parametrize("place", ["battery_low", "home_silent", "tamper/technical"])
def test_no_configuration_sends_equipment_to_the_grid_worker(place):
    wrong = Ladder(rungs=(Rung(duty=Duty.INSTALLER, wait=timedelta(hours=1)),) * 2, repeat=timedelta(0))
    Catalogue(ladders={place: wrong})
    wrong = replace(wrong, rungs=(replace(wrong.rungs[0], also=(Duty.GRID_WORKER,)),))

    with pytest.raises(ValueError, match=r"grid_worker.*for equipment"):
        Catalogue(ladders={place: wrong})


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_whoever_accepts_and_does_nothing_is_reminded_and_then_others_are_called_again(entry):
    for severity in Severity:
        ladder = entry.ladder_for(severity)
        assert ladder.ack and ladder.remind and ladder.lapse
        assert ladder.remind < ladder.lapse


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_every_ladder_rings_until_somebody_accepts(entry):
    for ladder in (entry.ladder, *entry.others.values(), *BY_SEVERITY.values()):
        assert ladder.repeat is not None


def test_an_unknown_code_is_not_lost():
    assert Catalogue().ladder("humming", Severity.MEDIUM) == BY_SEVERITY[Severity.MEDIUM]
    assert Catalogue().ladder("humming", Severity.EMERGENCY) == URGENT
    assert Catalogue().entry("humming").code == "humming"


def test_at_another_severity_than_usual_a_finding_counts_as_one_of_its_own():
    usual = Finding(home="h1", code="home_silent", severity=Severity.TECHNICAL, since=T0, at=T0)
    blind = Finding(home="h1", code="home_silent", severity=Severity.MEDIUM, since=T0, at=T0)

    assert Catalogue().cause(usual).id == usual.id
    assert Catalogue().cause(blind).id == "h1/home_silent:medium/-/20260217T030000.000Z"


def test_a_configuration_replaces_ladders_and_scales_waits():
    changed = Catalogue(ladders={"sos": ONE, "home_silent/medium": ONE}, scale=0.1)

    assert changed.ladder("sos", Severity.EMERGENCY).rungs[0].wait == timedelta(seconds=0.5)
    assert changed.ladder("home_silent", Severity.MEDIUM).rungs[0].duty is Duty.SUPERVISOR
    assert changed.ladder("home_silent", Severity.TECHNICAL).rungs[0].wait == timedelta(hours=4) * 0.1
    assert changed.ladder("gas", Severity.EMERGENCY).rungs[0].wait == timedelta(seconds=6)


def test_the_ladder_at_the_usual_severity_may_be_named_either_way():
    assert Catalogue(ladders={"sos/emergency": ONE}).ladder("sos", Severity.EMERGENCY) == ONE


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"ladders": {"soss": ONE}}, "no alert 'soss'"),
        ({"ladders": {"sos/bad": ONE}}, "names no severity"),
        ({"ladders": {"sos": Ladder(rungs=())}}, "no rungs"),
        (
            {"ladders": {"sos": Ladder(rungs=(Rung(duty=Duty.ADMIN, wait=timedelta(0)),), repeat=timedelta(0))}},
            "without end",
        ),
        ({"ladders": {"sos": Ladder(rungs=(Rung(duty=Duty.ADMIN, wait=timedelta(-1)),))}}, "below zero"),
        ({"scale": 0}, "above 0"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        Catalogue(**given)


# --------------------------------------------------------------------------- languages


def texts_of_alerts() -> set[str]:
    """Every text marked by say() or N_() in the package, found in the source itself."""
    found = set()
    for path in (ROOT / "alerts").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = {"say": 1, "N_": 0}.get(node.func.id)
                if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                    found.add(node.args[place].value)
    return found


def words_of(language: str) -> dict[str, str]:
    pofile = pytest.importorskip("babel.messages.pofile", reason="babel reads the catalogues, and is not installed")
    path = CATALOGUES / language / "LC_MESSAGES" / "alerts.po"
    with path.open("rb") as file:
        return {m.id: m.string for m in pofile.read_po(file, locale=language) if m.id}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_found_where_it_is_listed():
    texts = texts_of_alerts()

    assert len(texts) > 150
    assert {text for entry in (*ENTRIES, catalogue.UNKNOWN) for text in (entry.name, entry.call, entry.again)} <= texts


def test_every_text_exists_in_chinese():
    words = words_of("zh")

    assert sorted(texts_of_alerts() - {text for text, said in words.items() if said}) == []


def test_nothing_is_translated_that_nobody_says():
    assert sorted(words_of("zh").keys() - texts_of_alerts()) == []


def test_a_translation_fills_in_the_same_names():
    wrong = [text for text, said in words_of("zh").items() if placeholders(text) != placeholders(said)]

    assert wrong == []


def test_what_the_program_reads_is_what_people_wrote():
    """The .mo is made from the .po by scripts/catalogues."""
    mofile = pytest.importorskip("babel.messages.mofile", reason="babel reads the catalogues, and is not installed")
    compiled = CATALOGUES / "zh" / "LC_MESSAGES" / "alerts.mo"

    read = {m.id: m.string for m in mofile.read_mo(BytesIO(compiled.read_bytes())) if m.id}

    assert read == words_of("zh"), "run scripts/catalogues"
