"""Many ask at once: it is made once; whoever asks later has it made anew; one that falls takes nobody along."""

import threading

import pytest

from dashboard.together import Together


class Asked:
    """A key that knows how often it was looked for."""

    def __init__(self) -> None:
        self.times = 0

    def __hash__(self) -> int:
        self.times += 1
        return 1


def test_all_who_ask_at_the_same_moment_get_the_very_same():
    together, key, made, found = Together[int](), Asked(), [], []

    def make() -> int:
        made.append(7)
        while key.times < 2 + 4:  # looked for and written down by the first, looked for by four others
            threading.Event().wait(0.01)
        return made[-1]

    threads = [threading.Thread(target=lambda: found.append(together.get(key, make))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert (found, made) == ([7] * 5, [7])
    assert together.get(key, lambda: 99) == 99  # later: anew


def test_another_key_is_another_thing():
    together = Together[str]()

    assert together.get("a", lambda: together.get("b", lambda: "b") + "a") == "ba"


def test_one_that_falls_is_made_anew_by_whoever_waited():
    together, begun, may_fall = Together[int](), threading.Event(), threading.Event()

    def fall() -> int:
        begun.set()
        may_fall.wait(10)
        raise ValueError("no")

    def first() -> None:
        with pytest.raises(ValueError, match="no"):
            together.get("list", fall)

    falling = threading.Thread(target=first)
    falling.start()
    begun.wait(10)
    found: list[int] = []
    waiting = threading.Thread(target=lambda: found.append(together.get("list", lambda: 7)))
    waiting.start()
    may_fall.set()
    for thread in (falling, waiting):
        thread.join(10)

    assert found == [7]
    assert together.get("list", lambda: 8) == 8
