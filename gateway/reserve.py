"""Room kept back for a full disk: let go when there is no other, so that alarms still go out, and made again later."""

import logging
import os
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

SIZE = 32 * 1024**2
"""What is kept back: at ten readings a second it lasts for a night."""

LOW = 8 * 1024**2
"""With less free than this the reserve is let go."""

SOME = 1024**2
"""Less room than this is none: a start and its first alarms would use it up."""

AMPLE = 64 * 1024**2
"""With this much free beside it the reserve is made again: further from LOW than SIZE, so that it does not come and
go."""


class Reserve:
    """A file of zeros in the state folder. Asked each second how much is free; that costs microseconds."""

    takes_nothing = False
    """Whether the disk is known to take no byte at all."""

    def __init__(self, folder: Path, *, size: int = SIZE, low: int = LOW, ample: int = AMPLE) -> None:
        self._folder, self._path = folder, folder / "reserve"
        self._size, self._low, self._ample = size, low, ample
        self.is_full = False  # the disk is: from when the reserve was let go until it stands again

    def free(self) -> int:
        """Bytes that this user may still write."""
        state = os.statvfs(self._folder)
        return state.f_bavail * state.f_frsize

    def look(self) -> bool:
        """Let it go or make it, whichever it is time for; what is not there was let go, by us or by an earlier run.

        True when there is room again for those who could not write: it was let go, or the disk is not full any more.
        """
        free, stands, was_full = self.free(), self.stands(), self.is_full
        is_let_go = stands and free < self._low
        if is_let_go:
            self._path.unlink()
            stands = False
        elif not stands and free >= self._size + self._ample:
            stands = self._make()
        self.is_full = not stands
        if self.is_full and not was_full:
            log.error("the disk is full, there is no reserve any more", extra={"free": free})
        elif was_full and not self.is_full:
            log.warning("there is room again, the reserve stands", extra={"free": free})
        return is_let_go or (was_full and not self.is_full)

    def stands(self) -> bool:
        """Whether it is kept back, all of it."""
        try:
            return self._path.stat().st_size >= self._size
        except FileNotFoundError:
            return False

    def _make(self) -> bool:
        """All of it or nothing: a file with holes would keep nothing back."""
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, self._size)
        except OSError as error:
            self._path.unlink()
            log.warning("no reserve can be made", extra={"reason": error.strerror})
            return False
        finally:
            os.close(file)
        return True


def takes_writes(folder: Path) -> bool:
    """Whether something can be written there, and is on the disk then: one that is worn out can only be read."""
    probe = folder / "probe"
    try:
        with os.fdopen(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            os.posix_fallocate(file.fileno(), 0, SOME)
            file.write(b"written")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)  # of a full disk there may be a part of it
    return True
