"""The neighbourhood of the bench: as many homes as asked for, each with eight devices and emergency buttons.

The names are those that `load/mqload.c` publishes under: hub and home `h00042`, IEEE addresses counted from the home.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Homes:
    """`count` homes; `buttons` emergency buttons in each, every one of them another person's, so that each can ring."""

    count: int
    buttons: int = 1

    @staticmethod
    def name(home: int) -> str:
        return f"h{home:05d}"

    @staticmethod
    def address(home: int, device: int) -> str:
        return f"0x{0x00158D0000000000 + (home << 8) + device:016x}"

    def secret(self, home: int) -> str:
        """Thirty-two characters, the same in every run, so that a state folder can be used again."""
        return hashlib.sha256(f"bench {home}".encode()).hexdigest()[:32]

    def sheet(self, hook: str, *, secrets: bool) -> str:
        """What `shouwang homes import` reads. Everybody on duty is reached through the bench's webhook."""
        lines = ["[[areas]]", 'code = "310106014002"', 'name = "Bench"', 'level = "community"', ""]
        for grid in range((self.count - 1) // HOMES_A_GRID + 1):
            lines += ["[[grids]]", f'code = "g{grid}"', f'name = "Grid {grid}"', 'community = "310106014002"', ""]
            for duty in ("grid_worker", "deputy", "supervisor"):
                lines += [
                    "[[people]]",
                    f'id = "{duty.replace("_", "-")}-{grid}"',
                    f'name = "{duty} {grid}"',
                    f'reaches = [{{ channel = "webhook", address = "{hook}/{duty}" }}]',
                    f'duties = [{{ duty = "{duty}", grid = "g{grid}" }}]',
                    "",
                ]
        for home in range(self.count):
            lines += self._home(home, secrets)
        return "\n".join(lines)

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
            "",
        ]

    def write_users(self, path: Path) -> Path:
        """The hubs with their secrets, as the generator reads them: one connection a home, each under its own ACL."""
        path.write_text("".join(f"{self.name(h)} {self.name(h)} {self.secret(h)}\n" for h in range(self.count)))
        return path
