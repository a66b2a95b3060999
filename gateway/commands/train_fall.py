"""`shouwang train-fall`: makes a fall model from recorded trials, for a site that has its own wearables."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands import say
from gateway.config import Refused

if TYPE_CHECKING:  # numpy, scikit-learn and the rooms below are loaded by this command only
    from detectors.fall_model import FallModel
    from gateway.domain.impact import Impact
    from ingest.decoders.acceleration import Vector

FOLDS = 10
"""At most so many parts are left out in turn to see how well a model does on people it has not seen."""

WRONG = 0.02
"""The threshold lies where so many of the daily trials of unseen people would be taken for falls."""

LOWEST_THRESHOLD = 0.6
"""And not lower than this: what is called a suspicion should be clearly likelier than not."""

INVERSE_PENALTY = 3.0
"""How freely weights may grow: scikit-learn's C."""

EARTH = 9.80665
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Trial:
    """Somebody did something once; `impacts` is what the gateway heard of it."""

    activity: str
    subject: str
    is_fall: bool
    impacts: "tuple[Impact, ...]"


def train_fall(
    folder: Annotated[Path | None, typer.Argument(help="a folder of trials: <activity>/<subject>_<trial>.csv")] = None,
    out: Annotated[Path, typer.Option(help="where the model is written")] = Path("fall_model.json"),
    unit: Annotated[str, typer.Option(help="of the recordings: g or m/s2")] = "m/s2",
    simulated: Annotated[int, typer.Option(help="train on so many simulated people instead of a folder", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="which simulated people")] = 1,
    wrong: Annotated[float, typer.Option(help="share of daily trials it may mistake", min=0, max=0.5)] = WRONG,
) -> None:
    """Train a fall model for wearables from a folder of trials. 训练跌倒模型"""
    _need_scikit_learn()
    if (folder is None) == (simulated == 0):
        raise Refused("Name a folder of trials, or say with --simulated on how many simulated people to train.")
    if folder is not None:
        trials, source = list(trials_in(folder, unit)), folder.name
    else:
        trials, source = list(simulated_trials(simulated, seed)), f"simulated physics, seed {seed}"
    model = fit(trials, source, wrong)
    out.write_text(model.text() + "\n", encoding="utf-8")
    told = model.training
    say(f"{told.trials} trials of {told.subjects} people, {told.falls} of them falls")
    say(f"on people left out: {told.sensitivity:.1%} of falls found, {1 - told.specificity:.1%} of the others wrong")
    say(f'{out}: put  model = "{out.absolute()}"  under [detectors.fall] in the settings')


# --------------------------------------------------------------------------- trials


def trials_in(folder: Path, unit: str = "m/s2") -> Iterator[Trial]:
    """What lies in a folder: one folder for each activity, those of falls beginning with F.

    A file is `<subject>_<trial>.csv` or `<subject>_<trial>_accel.csv`, with time in seconds and x, y, z.
    """
    if unit not in ("g", "m/s2"):
        raise Refused(f"{unit!r} is no unit of trials; g and m/s2 are.")
    files = [path for path in sorted(folder.rglob("*.csv")) if "_" in path.stem]
    accelerations = [path for path in files if path.stem.endswith("_accel")]
    for path in accelerations or files:
        activity = path.parent.name
        impacts = impacts_of(recording(path, 1.0 if unit == "g" else 1 / EARTH))
        yield Trial(activity, path.stem.split("_")[0], activity[:1] in "Ff", tuple(impacts))


def recording(path: Path, scale: float) -> "list[Vector]":
    """One file at an even 50 Hz, in g. Lines that hold no numbers are headings, or were cut off."""
    from ingest.decoders.acceleration import resampled

    known: dict[float, tuple[float, float, float]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            try:
                at, x, y, z = (float(value) for value in row[:4])
            except ValueError:
                continue
            known.setdefault(at, (x * scale, y * scale, z * scale))
    times = sorted(known)
    if len(times) < 2:
        raise Refused(f"{path} holds no samples; each line is time in seconds, x, y, z.")
    return resampled(times, [known[at] for at in times])


def impacts_of(samples: "Sequence[Vector]") -> "Iterator[Impact]":
    """What the gateway hears of a recording whose device sends what the documents ask for."""
    from gateway.domain.impact import Impact
    from ingest.decoders import DECODERS
    from ingest.decoders.base import Signal
    from simulators.falls import message, windows

    for first, last in windows(samples):
        payload = json.dumps(message(samples[first:last], _BEGIN)).encode()
        for one in DECODERS["plain"].decode(payload).heard:
            if one.signal is Signal.IMPACT:
                yield Impact.unpacked(one.value)


def simulated_trials(subjects: int, seed: int, each: int = 3) -> Iterator[Trial]:
    from simulators.falls import recordings

    for one in recordings(subjects, each, seed):
        yield Trial(one.name, str(one.subject), one.is_fall, tuple(impacts_of(one.samples)))


# --------------------------------------------------------------------------- fitting


def fit(trials: Sequence[Trial], source: str, wrong: float = WRONG) -> "FallModel":
    """A model of these trials, with a threshold that holds for people it has not seen."""
    import sklearn

    from detectors.fall_model import FallModel, Training

    subjects = sorted({trial.subject for trial in trials})
    falls = sum(trial.is_fall for trial in trials)
    if len(subjects) < 2 or not 0 < falls < len(trials):
        raise Refused(
            f"{len(trials)} trials, {falls} of them falls, of {len(subjects)} people; "
            "falls and daily life of at least two people are needed (folders of falls begin with F)."
        )
    scores = unseen_scores(trials)
    daily = sorted(score for trial, score in zip(trials, scores, strict=True) if not trial.is_fall)
    threshold = round(max(LOWEST_THRESHOLD, daily[-1 - int(wrong * len(daily))] + 0.0001), 4)
    found = sum(trial.is_fall and score >= threshold for trial, score in zip(trials, scores, strict=True))
    training = Training(
        on=source,
        subjects=len(subjects),
        trials=len(trials),
        falls=falls,
        sensitivity=round(found / falls, 4),
        specificity=round(sum(score < threshold for score in daily) / len(daily), 4),
        by=f"scikit-learn {sklearn.__version__}",
    )
    bias, weights = _weights(trials)
    return FallModel(round(bias, 4), tuple(round(weight, 4) for weight in weights), min(threshold, 0.9999), training)


def unseen_scores(trials: Sequence[Trial]) -> list[float]:
    """For each trial the likelihood of its likeliest impact, by a model that has not seen its subject."""
    import numpy as np

    parts: dict[str, int] = {}
    for trial in trials:
        parts.setdefault(trial.subject, len(parts) % FOLDS)
    scores = [0.0] * len(trials)
    for part in sorted(set(parts.values())):
        bias, weights = _weights([trial for trial in trials if parts[trial.subject] != part])
        for place, trial in enumerate(trials):
            if parts[trial.subject] == part and trial.impacts:
                logits = bias + np.array(_inputs(trial.impacts)) @ np.array(weights)
                scores[place] = float(1 / (1 + np.exp(-logits.max())))
    return scores


def _weights(trials: Iterable[Trial]) -> tuple[float, list[float]]:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    rows: list[list[float]] = []
    falls: list[bool] = []
    for trial in trials:
        impacts = list(trial.impacts)
        if trial.is_fall and impacts:  # whoever gets up again may strike something too
            impacts = [max(impacts, key=lambda impact: impact.value("peak"))]
        rows += _inputs(impacts)
        falls += [trial.is_fall] * len(impacts)
    fitted: Any = LogisticRegression(C=INVERSE_PENALTY, max_iter=5000).fit(np.array(rows), np.array(falls))
    return float(fitted.intercept_[0]), [float(weight) for weight in fitted.coef_[0]]


def _inputs(impacts: "Iterable[Impact]") -> list[list[float]]:
    from detectors.fall_model import inputs

    return [inputs(impact) for impact in impacts]


def _need_scikit_learn() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise Refused(
            "Training needs scikit-learn, which the gateway itself does without: pip install 'shouwang[train]'"
        ) from None
