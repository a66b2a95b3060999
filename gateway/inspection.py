"""What the administrator's pages ask of the gateway itself, and how it is found out without holding up the road.

Looking through all files, and through all of the audit trail, is done by the same commands that a person would type,
in a process of its own: it takes seconds of a processor, and a press must not wait for them.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dashboard.workings import Backed, Copied, Copies, CouldNotLook, Remark, Verdict, Workings
from gateway.rescue import BOOK, DAMAGED, READINGS, Wish, copies, made_at

WITHIN_S = 180.0
"""Longer than this nobody waits before a page."""


def workings(state: Path, config: Path | None, wish: Wish, spans: Mapping[str, timedelta]) -> Workings:
    """For the pages of this gateway, whose folder and settings file these are."""
    given = ["--state", str(state), *(["--config", str(config)] if config else [])]
    return Workings(
        examine=lambda: [Remark(**one) for one in _asked("doctor", "--json", *given)],
        verify=lambda: _verdict(_asked("audit", "verify", "--json", *given)),
        copies=lambda: standing(state, wish),
        wish_copy=wish.make,
        spans=spans,
        version=version("shouwang"),
    )


def _asked(*words: str) -> Any:
    """What a command says as JSON. Its exit code is part of the answer, not of whether there was one."""
    command = [sys.executable, "-m", "gateway.cli", *words]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=WITHIN_S, check=False)
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise CouldNotLook(f"it took longer than {WITHIN_S:.0f} s") from None
    except (OSError, ValueError) as error:
        said = done.stderr.decode("utf-8", "replace").strip() if isinstance(error, ValueError) else str(error)
        raise CouldNotLook(said.splitlines()[-1] if said else "it said nothing") from error


def _verdict(said: Mapping[str, Any]) -> Verdict:
    breaks: Sequence[Sequence[Any]] = said["breaks"]
    return Verdict(said["rows"], said["anchors"], [(int(number), str(flaw)) for number, flaw in breaks])


def standing(state: Path, wish: Wish) -> Copies:
    """What there is to go back to, as the folder says."""
    from gateway.backup import last_backup  # brings along what packs an archive

    found = [
        Copied(path.name, made_at(path), path.stat().st_size)
        for name in (BOOK, READINGS)
        for path in copies(state, name)
    ]
    found.sort(key=lambda copy: (copy.made_at, copy.name), reverse=True)
    newest = found[0].made_at if found else None
    tried = wish.tried_at
    last = last_backup(state)
    aside = sorted((state / DAMAGED).glob("*/*.db"), reverse=True) if (state / DAMAGED).is_dir() else []
    return Copies(
        copies=found,
        backup=None if last is None else Backed(**last),
        wished_at=wish.asked_at,
        failed_at=tried if tried is not None and (newest is None or newest < _whole(tried)) else None,
        put_aside=[str(path.relative_to(state)) for path in aside],
    )


def _whole(moment: datetime) -> datetime:
    """As a copy's name says it: to the second."""
    return moment.replace(microsecond=0)
