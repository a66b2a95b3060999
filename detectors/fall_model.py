"""How likely an impact is to be a fall: a weight for each of its traits and for each two of them together.

The numbers are made by `shouwang train-fall` and lie in a file beside this one, or in one of the site's own. Nothing
but the standard library is needed to use them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import combinations_with_replacement
from math import exp
from pathlib import Path

from gateway.domain.impact import LEVELS, TRAITS, Impact

FORMAT = 1

OURS = Path(__file__).with_suffix(".json")
"""The model that comes with the program, trained on simulated physics."""


def inputs(impact: Impact) -> list[float]:
    """What is weighed: each level as a share, then the product of each two."""
    shares = [level / (LEVELS - 1) for level in impact.levels]
    return shares + [one * other for one, other in combinations_with_replacement(shares, 2)]


INPUTS = len(TRAITS) * (len(TRAITS) + 3) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """On what a model was trained, and how well it did on people it had not seen."""

    on: str
    subjects: int
    trials: int
    falls: int
    sensitivity: float
    specificity: float
    by: str


@dataclass(frozen=True, slots=True)
class FallModel:
    """Logistic regression, as plain numbers."""

    bias: float
    weights: tuple[float, ...] = field(repr=False)
    threshold: float  # from this likelihood on an impact is a suspicion
    training: Training

    def __post_init__(self) -> None:
        if len(self.weights) != INPUTS:
            raise ValueError(f"a fall model has {INPUTS} weights, not {len(self.weights)}")
        if not 0 < self.threshold < 1:
            raise ValueError(f"the threshold lies between 0 and 1, not at {self.threshold!r}")

    def likelihood(self, impact: Impact) -> float:
        logit = self.bias + sum(w * x for w, x in zip(self.weights, inputs(impact), strict=True))
        return 1 / (1 + exp(-max(-50.0, min(50.0, logit))))

    def text(self) -> str:
        """As a file."""
        head = {"format": FORMAT, "traits": [trait.name for trait in TRAITS], "training": asdict(self.training)}
        return json.dumps(
            {**head, "threshold": self.threshold, "bias": self.bias, "weights": list(_rows(self.weights))}, indent=1
        )


def _rows(weights: Sequence[float]) -> Iterator[str]:
    """Thirteen to a line, for those who look at it."""
    for place in range(0, len(weights), len(TRAITS)):
        yield " ".join(f"{weight:.4f}" for weight in weights[place : place + len(TRAITS)])


def parse(text: str) -> FallModel:
    """Out of a file. Raises ValueError with what would have been right."""
    try:
        plain = json.loads(text)
        if plain["format"] != FORMAT or plain["traits"] != [trait.name for trait in TRAITS]:
            raise ValueError("it is of another make; train it again")
        return FallModel(
            float(plain["bias"]),
            tuple(float(weight) for row in plain["weights"] for weight in row.split()),
            float(plain["threshold"]),
            Training(**plain["training"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no fall model: {type(error).__name__} {error}") from None


@cache
def load(path: str = "") -> FallModel:
    """Ours, or the one that a site has trained; read once."""
    place = Path(path) if path else OURS
    try:
        return parse(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"The fall model {place} cannot be used: {error}") from None
