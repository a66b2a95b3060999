"""What many ask for at the same moment is made once: after an event every screen of a grid asks at once."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Making(Generic[T]):
    done: threading.Event = field(default_factory=threading.Event)
    made: list[T] = field(default_factory=list)  # empty for good where it fell


@dataclass(slots=True)
class Together(Generic[T]):
    """Nothing is remembered: whoever asks a moment later has it made anew, so it is never older than its making."""

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _under_way: dict[Hashable, _Making[T]] = field(default_factory=dict, init=False)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made here or by somebody who began just before. All with this key get the very same."""
        with self._lock:
            under_way = self._under_way.get(key)
            if under_way is None:
                mine = self._under_way[key] = _Making()
        if under_way is not None:
            under_way.done.wait()
            return under_way.made[0] if under_way.made else make()
        try:
            mine.made.append(make())
        finally:
            with self._lock:
                del self._under_way[key]
            mine.done.set()
        return mine.made[0]
