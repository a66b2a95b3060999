"""The neighbourhood of the bench: as many homes as asked for, each with eight devices and emergency buttons.

The names are those that `load/mqload.c` publishes under: hub and home `h00042`, IEEE addresses counted from the home.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# name, room, role: in the order of MAKES in load/mqload.c
DEVICES = (
    ("hall_motion", "hall", "motion"),
    ("bedroom_motion", "bedroom", "motion"),
    ("kitchen_motion", "kitchen", "motion"),
    ("bathroom_motion", "bathroom", "motion"),
    ("entry_door", "hall", "exit_door"),
    ("living_motion", "living", "motion"),
    ("fridge", "kitchen", "opening"),
    ("wardrobe", "bedroom", "opening"),
)
ROOMS = ("hall", "bedroom", "kitchen", "bathroom", "living")
HOMES_A_GRID = 100
AREA = "310106014002"


@dataclass(frozen=True, slots=True)
class Homes:
    """`count` homes; `buttons` emergency buttons in each, every one of them another person's, so that each can ring.

    `peopled`: everybody of whom a district has entered anything. Each home has a resident with a file who is asked, a
    daughter and a neighbour with the key; each grid a night desk and a duty sheet, the district all its desks.
    """

    count: int
    buttons: int = 1
    peopled: bool = False

    @staticmethod
    def name(home: int) -> str:
        return f"h{home:05d}"

    @staticmethod
    def address(home: int, device: int) -> str:
        return f"0x{0x00158D0000000000 + (home << 8) + device:016x}"

    def secret(self, home: int) -> str:
        """Thirty-two characters, the same in every run, so that a state folder can be used again."""
        return hashlib.sha256(f"bench {home}".encode()).hexdigest()[:32]

    def sheet(self, hook: str, *, secrets: bool, only: int | None = None) -> str:
        """What `shouwang homes import` reads, of all homes or of `only` the first few. Everybody on duty is reached
        through the bench's webhook."""
        lines = ["[[areas]]", f'code = "{AREA}"', 'name = "Bench"', 'level = "community"', ""]
        for grid in range((self.count - 1) // HOMES_A_GRID + 1):
            lines += ["[[grids]]", f'code = "g{grid}"', f'name = "Grid {grid}"', f'community = "{AREA}"', ""]
            for duty in ("grid_worker", "deputy", "supervisor"):
                lines += [
                    "[[people]]",
                    f'id = "{duty.replace("_", "-")}-{grid}"',
                    f'name = "{duty} {grid}"',
                    f'reaches = [{{ channel = "webhook", address = "{hook}/{duty}" }}]',
                    f'duties = [{{ duty = "{duty}", grid = "g{grid}" }}]',
                    "",
                ]
            if self.peopled:
                lines += self._person(f"night-{grid}", hook, f'duties = [{{ duty = "night_pool", grid = "g{grid}" }}]')
                for duty, weekdays in (("grid_worker", "1234567"), ("deputy", "12345"), ("supervisor", "12345")):
                    lines += ["[[shifts]]", f'place = "g{grid}"', f'duty = "{duty}"', f'weekdays = "{weekdays}"']
                    lines += [f'person = "{duty.replace("_", "-")}-{grid}"', 'begins = "00:00"', 'ends = "00:00"']
                    lines += ['first = "2020-01-01"', ""]
        for duty in ("community", "street", "district", "fire_station") if self.peopled else ():
            lines += self._person(duty, hook, f'duties = [{{ duty = "{duty}", grid = "{AREA}" }}]')
        for home in range(self.count if only is None else only):
            if self.peopled:
                name = self.name(home)
                lines += self._person(f"resident-{name}", hook, 'profile = { answers_by = "speaker", risk = "high" }')
                lines += self._person(f"daughter-{name}", hook)
                lines += self._person(f"neighbour-{name}", hook)
            lines += self._home(home, secrets)
        return "\n".join(lines)

    def like(self, first: Any, home: int) -> Any:
        """Another home than the first, as its sheet would say it."""
        name, hub = self.name(home), first.hubs[0]
        places = (*range(len(DEVICES)), *range(16, 16 + self.buttons))
        sensors = tuple(
            replace(sensor, hub=name, address=self.address(home, place))
            for sensor, place in zip(first.sensors, places, strict=True)
        )
        grid, hubs = f"g{home // HOMES_A_GRID}", (replace(hub, id=name, home=name),)
        return replace(first, id=name, code=name, name=name, grid=grid, hubs=hubs, sensors=sensors)

    @staticmethod
    def _person(person: str, hook: str, *more: str) -> list[str]:
        reaches = f'reaches = [{{ channel = "webhook", address = "{hook}/{person.partition("-")[0]}" }}]'
        return ["[[people]]", f'id = "{person}"', f'name = "{person}"', reaches, *more, ""]

    def _home(self, home: int, secrets: bool) -> list[str]:
        name = self.name(home)
        rooms = ", ".join(f'{{ id = "{room}", name = "{room}" }}' for room in ROOMS)
        sensors = [
            f'{{ id = "{device.replace("_", "-")}", address = "{self.address(home, at)}", name = "{device}", '
            f'room = "{room}", role = "{role}" }}'
            for at, (device, room, role) in enumerate(DEVICES)
        ]
        sensors += [
            f'{{ id = "button-{b}", address = "{self.address(home, 16 + b)}", name = "button {b}", '
            f'room = "bedroom", role = "sos", subject = "p{b}" }}'
            for b in range(self.buttons)
        ]
        secret = f', secret = "{self.secret(home)}"' if secrets else ""
        return [
            "[[homes]]",
            f'id = "{name}"',
            f'code = "{name}"',
            f'name = "{name}"',
            f'grid = "g{home // HOMES_A_GRID}"',
            f"rooms = [{rooms}]",
            # An hour: the bench rests longer between its stages than a real hub ever does.
            f'hubs = [{{ id = "{name}", interval_s = 3600{secret} }}]',
            f"sensors = [{', '.join(sensors)}]",
            *(self._around(name) if self.peopled else ()),
            "",
        ]

    @staticmethod
    def _around(name: str) -> list[str]:
        around = (("daughter", "child"), ("neighbour", "key_holder"))
        contacts = (f'{{ person = "{person}-{name}", relation = "{relation}" }}' for person, relation in around)
        return [f'person = "resident-{name}"', f"contacts = [{', '.join(contacts)}]"]

    def write_users(self, path: Path) -> Path:
        """The hubs with their secrets, as the generator reads them: one connection a home, each under its own ACL."""
        path.write_text("".join(f"{self.name(h)} {self.name(h)} {self.secret(h)}\n" for h in range(self.count)))
        return path
