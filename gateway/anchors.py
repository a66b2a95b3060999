"""Where the audit trail ended, hour by hour: noted beside the book and in the log, so that a cut end shows.

The file lies in the state folder, so whoever can rewrite the book can rewrite it too. The log line leaves the machine
where logs do, and an anchor on paper or in a mail leaves it for good: `shouwang audit verify --anchor` takes it from
there.
"""

import os
from datetime import datetime
from pathlib import Path

from gateway.domain.trail import Anchor

FILE = "audit.anchors"


def note(state: Path, anchor: Anchor, now: datetime) -> None:
    """Append it, for good before this returns; nothing where the trail has not grown."""
    known = noted(state)
    if known and known[-1] == anchor:
        return
    descriptor = os.open(state / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{now:%Y-%m-%dT%H:%M:%SZ} {anchor}\n")
        file.flush()
        os.fsync(file.fileno())


def noted(state: Path) -> list[Anchor]:
    """Every anchor that was noted here, the oldest first. Raises ValueError for a line that is none."""
    path = state / FILE
    if not path.exists():
        return []
    return [Anchor.of(line) for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
