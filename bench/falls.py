"""How well falls are told from daily life on recordings of people, given by path: nothing of them is kept.

    python bench/falls.py FOLDER [--unit m/s2] [--seed 1] [--resamples 2000]

Two figures. *The method*: each person's trials are judged by a model trained on all the others, its threshold too.
*The model that is shipped*: trained on simulated physics, it has never seen any of them. Elders are the subjects whose
number is 21 or more. Intervals come from drawing subjects, not trials, anew.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from detectors.fall_model import FallModel, load
from gateway.commands.train_fall import Trial, fit, trials_in

FIRST_ELDER = 21

Judged = tuple[Trial, bool]


def says_fall(model: FallModel, trial: Trial) -> bool:
    return any(model.likelihood(impact) >= model.threshold for impact in trial.impacts)


def leave_one_out(trials: Sequence[Trial]) -> list[Judged]:
    judged: list[Judged] = []
    for subject in sorted({trial.subject for trial in trials}):
        model = fit([trial for trial in trials if trial.subject != subject], "all others")
        judged += [(trial, says_fall(model, trial)) for trial in trials if trial.subject == subject]
    return judged


def is_elder(trial: Trial) -> bool:
    digits = "".join(c for c in trial.subject if c.isdigit())
    return bool(digits) and int(digits) >= FIRST_ELDER


def share(judged: Sequence[Judged], of: Callable[[Trial], bool]) -> float:
    told = [said for trial, said in judged if of(trial)]
    return sum(told) / len(told) if told else float("nan")


def interval(judged: Sequence[Judged], of: Callable[[Trial], bool], chance: Random, resamples: int) -> str:
    """The middle 95 % of what other draws of the same number of subjects would have given."""
    by_subject: dict[str, list[Judged]] = {}
    for one in judged:
        if of(one[0]):
            by_subject.setdefault(one[0].subject, []).append(one)
    people = sorted(by_subject)
    if not people:
        return "-"
    drawn = sorted(
        share([one for name in chance.choices(people, k=len(people)) for one in by_subject[name]], of)
        for _ in range(resamples)
    )
    return f"{drawn[int(0.025 * resamples)]:.3f} to {drawn[int(0.975 * resamples)]:.3f}"


def show(name: str, judged: Sequence[Judged], seed: int, resamples: int) -> None:
    chance = Random(seed)
    rows: tuple[tuple[str, Callable[[Trial], bool], str], ...] = (
        ("falls found", lambda t: t.is_fall, "at least 0.90"),
        ("daily trials taken for falls", lambda t: not t.is_fall, "at most 0.02"),
        ("of them, of elders", lambda t: not t.is_fall and is_elder(t), "0"),
    )
    print(f"\n{name}")
    for what, of, bar in rows:
        count, told = sum(of(t) for t, _ in judged), sum(said for t, said in judged if of(t))
        print(
            f"  {what:32} {share(judged, of):6.3f}  ({told} of {count})  "
            f"95 %: {interval(judged, of, chance, resamples):18} bar {bar}"
        )
    for kind, is_fall in (("falls found", True), ("taken for falls", False)):
        told = {}
        for activity in sorted({t.activity for t, _ in judged if t.is_fall is is_fall}):
            some = [said for t, said in judged if t.activity == activity]
            told[activity] = f"{activity} {sum(some)}/{len(some)}"
        print(f"  {kind}: " + "  ".join(told.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--unit", default="m/s2")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resamples", type=int, default=2000)
    asked = parser.parse_args()
    trials = list(trials_in(asked.folder, asked.unit))
    subjects = {trial.subject for trial in trials}
    print(f"{len(trials)} trials of {len(subjects)} people, {sum(t.is_fall for t in trials)} falls")
    show("the method, each person judged by the others", leave_one_out(trials), asked.seed, asked.resamples)
    ours = load()
    print(f"\nshipped: {ours.training.on}, threshold {ours.threshold:.2f}")
    show("the shipped model", [(t, says_fall(ours, t)) for t in trials], asked.seed, asked.resamples)


if __name__ == "__main__":
    main()
