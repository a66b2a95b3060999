"""The commands of privacy and audit, on a gateway in files."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from test_forgotten import NOON, Town
from typer.testing import CliRunner

from gateway.assessment import Setup, assessment, keep
from gateway.cli import app
from gateway.config import Refused
from gateway.domain import Leaving, Monitoring
from gateway.stores.book import writing


@pytest.fixture
def town(tmp_path):
    town = Town(tmp_path)
    town.see_to_it(town.alert, "")
    yield town
    town.readings.close()
    town.engine.dispose()


def run(town: Town, *words: str) -> str:
    answer = CliRunner().invoke(app, [*words, "--state", str(town.folder)], catch_exceptions=True)
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return f"{answer.exit_code} {answer.output}"


def test_a_whole_trail_and_one_that_somebody_touched(town):
    anchor = run(town, "audit", "anchor").split()[1]
    assert run(town, "audit", "verify").startswith("0 完整")
    assert run(town, "audit", "verify", "--anchor", anchor).startswith("0 完整")

    with writing(town.engine) as connection:
        connection.execute(text("update audit set who = 'nobody' where number = 3"))
        connection.execute(text("delete from audit where number > 10"))
    said = run(town, "audit", "verify", "--anchor", anchor)
    assert said.startswith("1 ")
    assert "row 3 does not say what it said" in said
    assert "is not there" in said


def test_the_trail_is_looked_into(town):
    said = run(town, "audit", "search", "--about", "wang-xiulan", "--what", "profile.")
    assert "profile.read" in said
    assert "consent.give" not in said
    with pytest.raises(Refused, match="no date"):
        run(town, "audit", "search", "--since", "gestern")


def test_a_copy_and_an_erasure(town, tmp_path_factory):
    to = tmp_path_factory.mktemp("copies") / "wang.zip"
    run(town, "privacy", "export", "home-wang", "--to", str(to), "--who", "ma")
    assert to.stat().st_mode & 0o077 == 0
    with pytest.raises(Refused, match="there already"):
        run(town, "privacy", "export", "home-wang", "--to", str(to))
    with pytest.raises(Refused, match="--sure"):
        run(town, "privacy", "erase", "home-wang", "--why", "本人申请")

    assert "已删除" in run(town, "privacy", "erase", "home-wang", "--why", "本人申请", "--sure")
    assert town.registry.home("home-wang") is None
    assert run(town, "audit", "verify").startswith("0 完整")


def test_the_assessment_says_what_is_and_is_kept(town):
    said = run(town, "privacy", "assessment")
    assert "影响评估报告" in said
    assert "有 2 户在守护但缺少必要的同意" in said
    (first,) = (town.folder / "assessments").iterdir()
    assert first.stat().st_mode & 0o077 == 0
    run(town, "privacy", "assessment")
    assert list((town.folder / "assessments").iterdir()) == [first], "nothing new is not written again"

    town.registrar.set_state("home-li", Monitoring.RETIRED, why=Leaving.MOVED, who="ma", now=NOON)
    assert "有 1 户在守护但缺少必要的同意" in run(town, "privacy", "assessment")
    assert len(list((town.folder / "assessments").iterdir())) == 2
    assert len(town.alerts.acts(what="privacy.assessment")) == 2
    assert "王秀兰" not in said


def test_what_is_not_as_it_should_be_is_counted(town):
    spans = {"alerts": timedelta(days=365)}
    setup = Setup(channels=["wecom"], retention=spans, is_https=False, is_mirrored=True, is_elsewhere=True)

    told, version = assessment(setup, town.registry, town.accounts, town.alerts, "en", NOON)

    assert "go into groups" in told
    assert "not reached by HTTPS" in told
    assert "no span" in told
    assert "outline 1, movements 1" in told
    assert keep(town.folder, told, version, town.alerts, who="ma", now=NOON).read_text(encoding="utf-8") == told


def test_one_household_keeps_its_records_for_a_time_of_its_own(town):
    with pytest.raises(Refused, match="截止日期"):
        run(town, "privacy", "keep", "home-wang", "alerts", "--days", "1600", "--why", "court", "--until", "")
    run(town, "privacy", "keep", "home-wang", "readings", "--days", "60", "--why", "own wish", "--who", "zhao")

    said = run(town, "privacy", "keep")
    assert "home-wang" in said and "readings" in said and "60 days" in said and "zhao: own wish" in said

    run(town, "privacy", "keep", "home-wang", "readings", "--end")
    assert "home-wang" not in run(town, "privacy", "keep")
    with pytest.raises(Refused, match="no kind of record"):
        run(town, "privacy", "keep", "home-wang", "pictures", "--days", "60")
