"""A site trains its own fall model: what lies in a folder, what comes of it, and what is refused."""

import random
import sys

import pytest
from typer.testing import CliRunner

from bench.falls import is_elder, leave_one_out, says_fall, share
from detectors.fall_model import load
from gateway.cli import app
from gateway.commands.train_fall import Trial, fit, recording, trials_in
from gateway.config import Refused, problems
from gateway.config import load as settings_from
from gateway.domain.impact import LEVELS, Impact
from simulators.falls import Wearer, record

pytest.importorskip("sklearn", reason="training needs the extra `train`")

FELL = (8, 9, 6, 5, 9, 10, 10, 2, 6, 7, 2, 7, 7)
KNOCKED = (4, 8, 2, 2, 6, 6, 5, 9, 8, 8, 3, 2, 2)


def impact(levels, chance):
    return Impact(tuple(min(max(level + chance.randint(-2, 2), 0), LEVELS - 1) for level in levels))


def some_trials(people: int = 6, each: int = 12) -> list[Trial]:
    chance = random.Random(3)
    return [
        Trial("F01" if n % 2 else "D01", f"U{who:02}", bool(n % 2), (impact(FELL if n % 2 else KNOCKED, chance),))
        for who in range(1, people + 1)
        for n in range(each)
    ]


def write_folder(folder, *, heading="time,x,y,z\n", suffix="", scale=9.80665):
    for who in (1, 2):
        wearer = Wearer.drawn(who, seed=9)
        for activity, name in (("F01", "slips"), ("F02", "topples"), ("D01", "claps"), ("D02", "strikes the table")):
            (folder / activity).mkdir(exist_ok=True)
            for trial in (1, 2, 3):
                samples = record(name, wearer, trial).samples
                lines = [f"{n / 50},{x * scale},{y * scale},{z * scale}" for n, (x, y, z) in enumerate(samples)]
                path = folder / activity / f"U{who:02}_R{trial:02}{suffix}.csv"
                path.write_text(heading + "\n".join(lines), encoding="utf-8")


def test_a_model_is_made_of_a_folder_and_can_be_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path)

    ran = CliRunner().invoke(app, ["train-fall", str(tmp_path), "--out", "mine.json"])

    assert ran.exit_code == 0, ran.output
    assert "24 trials of 2 people, 12 of them falls" in ran.output
    model = load(str(tmp_path / "mine.json"))
    assert model.training.on == tmp_path.name
    assert 0.6 <= model.threshold < 1


def test_files_with_and_without_headings_in_either_unit_are_the_same_trials(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    write_folder(one)
    write_folder(other, heading="", suffix="_accel", scale=1.0)
    (other / "F01" / "U01_R01_gyro.csv").write_text("0,0,0,0\n1,0,0,0\n", encoding="utf-8")

    first, second = list(trials_in(one)), list(trials_in(other, "g"))

    assert [(t.activity, t.subject, t.is_fall) for t in first] == [(t.activity, t.subject, t.is_fall) for t in second]
    assert [t.impacts for t in first] == [t.impacts for t in second]
    assert all(t.impacts for t in first if t.activity == "D01")


def test_a_model_tells_falls_of_people_it_has_not_seen():
    trials = some_trials()
    judged = leave_one_out(trials)

    assert share(judged, lambda t: t.is_fall) >= 0.9
    assert share(judged, lambda t: not t.is_fall) <= 0.05
    assert not any(is_elder(t) for t in trials)


def test_the_same_trials_give_the_same_file():
    assert fit(some_trials(), "a").text() == fit(some_trials(), "a").text()


def test_a_trial_without_an_impact_is_no_fall():
    assert not says_fall(load(), Trial("F01", "U01", True, ()))


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([], "0 trials"),
        (some_trials(people=1), "of 1 people"),
        ([t for t in some_trials() if t.is_fall], "36 of them falls"),
    ],
)
def test_too_little_to_learn_from_is_refused(trials, said):
    with pytest.raises(Refused, match=said):
        fit(trials, "a")


def test_what_is_refused_says_what_would_be_right(tmp_path):
    empty = tmp_path / "U01_R01.csv"
    empty.write_text("time,x,y,z\n", encoding="utf-8")
    with pytest.raises(Refused, match="holds no samples"):
        recording(empty, 1.0)
    with pytest.raises(Refused, match="no unit of trials"):
        list(trials_in(tmp_path, "stone"))
    for arguments in (["train-fall"], ["train-fall", str(tmp_path), "--simulated", "3"]):
        ran = CliRunner().invoke(app, arguments)
        assert isinstance(ran.exception, Refused)
        assert "Name a folder of trials" in str(ran.exception)


def test_settings_that_name_no_model_are_refused_before_anything_starts(tmp_path):
    path = tmp_path / "shouwang.toml"
    path.write_text(f'state = "{tmp_path}"\n[detectors.fall]\nmodel = "nowhere.json"\n', encoding="utf-8")

    assert [one for one in problems(settings_from(path)) if "fall" in one] == [
        "detectors.fall.model: The fall model nowhere.json cannot be used: "
        "[Errno 2] No such file or directory: 'nowhere.json'"
    ]


def test_without_scikit_learn_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)  # as where it is not installed

    ran = CliRunner().invoke(app, ["train-fall", str(tmp_path)])

    assert isinstance(ran.exception, Refused)
    assert "pip install 'shouwang[train]'" in str(ran.exception)
