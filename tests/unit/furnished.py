"""A furnished home that is lived in by the clock, and what some detectors told of it."""

from dataclasses import replace
from typing import ClassVar, Self

from gateway.domain import Finding
from simulators.household import WHOLE_KIT, furnish
from simulators.story import Story


class Furnished(Story):
    codes: ClassVar[tuple[str, ...]]
    """What is listened to; the rest of what it tells is another test's."""

    @classmethod
    def kit(cls, *parts: str, **more) -> Self:
        """A hub that promises nothing: devices that never report by themselves are not missed."""
        return cls(home=furnish("story", "gardener", seed=0, kit=parts or WHOLE_KIT, interval=None, **more).home)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [one for one in super().told if one[1] in self.codes]

    @property
    def last(self) -> Finding:
        """The newest of them."""
        code = self.told[-1][1]
        return next(one for one in reversed(self.findings) if one.code == code)

    def plans(self, **plan: str) -> Self:
        self.context = replace(self.context, plan=plan)
        return self
