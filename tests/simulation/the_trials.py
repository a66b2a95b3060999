"""Trials of simulated homes on all cores, and what can be read off them."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from simulators.trials import Lived

MINUTE = timedelta(minutes=1)


def lives_of(run: Callable[[int], Lived], homes: int) -> list[Lived]:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(run, range(homes)))


@dataclass
class Figures:
    """Of one incident: how many were tried, how many found, and after how many minutes."""

    tried: int
    found: int
    typical: float
    late: float  # nine of ten are told by then
    latest: float

    @property
    def share(self) -> float:
        return self.found / self.tried


def figures(homes: Sequence[Lived], incident: str, code: str = "") -> Figures:
    tried = [one for home in homes for one in home.tried if one.incident == incident and code in ("", one.code)]
    told = sorted(one.after / MINUTE for one in tried if one.after is not None)
    return Figures(len(tried), len(told), median(told), told[9 * len(told) // 10], told[-1])


def false(homes: Sequence[Lived], code: str) -> int:
    return sum(home.false[code] for home in homes)
