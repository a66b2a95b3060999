"""What a week has in store, drawn from its seed: who lives there, who would come, and everything that goes wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from gateway.domain import Answers, Area, Contact, Duty, Grid, Home, Person, Profile, Reach, Relation
from gateway.registry import Registry
from gateway.stores.memory import MemoryRegistry
from gateway.week.carriers import Mode, Receipts, Spell
from gateway.week.diary import Span, Week
from simulators.faults import Doubled, Drifting, Fault, Late, Lost, Restarted, Shuffled, suffering
from simulators.household import SHANGHAI, SMALL_KIT, WHOLE_KIT, Household, furnish
from simulators.personas import PERSONAS
from simulators.speech import Publication

HUB_INTERVAL = timedelta(minutes=10)
DAY = timedelta(days=1)

BERLIN = ZoneInfo("Europe/Berlin")
STARTS = {
    datetime(2026, 3, 1, 16, tzinfo=UTC): SHANGHAI,  # midnight there, the first days of spring
    datetime(2026, 3, 27, 23, tzinfo=UTC): BERLIN,  # on the second night an hour is left out there
    datetime(2026, 10, 23, 22, tzinfo=UTC): BERLIN,  # and here one comes twice
}

FLATS = (("王奶奶", "3-101", "幸福里一号"), ("刘爷爷", "3-202", "幸福里二号"), ("黄奶奶", "5-102", "安康巷三号"))
GRIDS = ("east", "east", "west")

PLAIN_KIT = tuple(part for part in WHOLE_KIT if not part.endswith("kettle"))  # which alone speaks every four minutes

CHANNELS = ("phone", "sms")

CLOCKS = (timedelta(minutes=2), timedelta(minutes=20), timedelta(hours=1), timedelta(hours=7), timedelta(days=1))
WRONG_CLOCKS = (*CLOCKS, timedelta(days=400), timedelta(days=20_000))


def dice(seed: int, what: str) -> Random:
    """Chance for one thing, so that one more thing that can go wrong leaves the others as they are."""
    return Random(f"week/{seed}/{what}")  # noqa: S311 - seeded, not secret


def start_of(seed: int) -> datetime:
    return dice(seed, "start").choices(list(STARTS), (8, 1, 1))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """Everything that goes wrong with what stands around the gateway, and when."""

    cut_every_s: float  # on average
    checkpoint_every: timedelta
    pace: timedelta  # how long what is not urgent is on its way
    stalls: bool  # the machine stands still now and then
    full: tuple[Span, ...]
    is_taken_too: bool  # whoever fills the disk takes the reserve's room as well
    locked: tuple[Span, ...]
    broker_away: tuple[Span, ...]
    steps: tuple[tuple[datetime, timedelta], ...]  # of the gateway's clock
    spells: dict[str, tuple[Spell, ...]]  # by channel
    receipts: dict[str, Receipts]
    dead_numbers: frozenset[str]


def luck_of(week: Week) -> Luck:
    def spans(what: str, often: Sequence[int], shortest_s: float, longest_s: float) -> tuple[Span, ...]:
        chance = dice(week.seed, what)
        begins = sorted(week.start + week.days * DAY * chance.random() for _ in range(chance.choice(often)))
        return tuple((at, at + timedelta(seconds=chance.uniform(shortest_s, longest_s))) for at in begins)

    chance = dice(week.seed, "luck")
    return Luck(
        cut_every_s=2000.0 * week.days,
        checkpoint_every=timedelta(minutes=chance.choices([10, 60, 240], (1, 8, 1))[0]),
        pace=timedelta(seconds=chance.choices([0, 20, 60, 120], (1, 2, 5, 2))[0]),
        stalls=chance.random() < 0.3,
        full=spans("full", (0, 0, 1), 300, 20_000),
        is_taken_too=chance.random() < 0.5,
        locked=spans("locked", (0, 1, 3), 2, 90),
        broker_away=spans("broker", (0, 1, 3), 2, 3000),
        steps=tuple(_steps(week, dice(week.seed, "clock"))),
        spells={name: tuple(_spells(spans(name, (0, 1, 3), 300, 10_000), chance)) for name in CHANNELS},
        receipts={name: chance.choice(list(Receipts)) for name in CHANNELS},
        dead_numbers=frozenset({"deputy"} if chance.random() < 0.25 else ()),
    )


def _spells(spans: Sequence[Span], chance: Random) -> Iterator[Spell]:
    for begin, end in spans:
        yield Spell(begin, end, chance.choice(list(Mode)))


def _steps(week: Week, chance: Random) -> Iterator[tuple[datetime, timedelta]]:
    """Somebody sets the gateway's clock wrong, and mostly right again after a while."""
    if chance.random() < 0.6:
        return
    at = week.start + week.days * DAY * chance.random()
    wrong = chance.choice(CLOCKS) * chance.choice([1, -1])
    yield at, wrong
    if chance.random() < 0.7:
        yield at + timedelta(hours=chance.choice([0.1, 2, 26])), -wrong


# --------------------------------------------------------------------------- who lives there


def neighbourhood(week: Week, registry: MemoryRegistry) -> list[Household]:
    """Three homes in two grids, what befalls them, and everybody who could be called."""
    chance, zone = dice(week.seed, "homes"), STARTS[week.start]
    households = [_furnished(week, number, chance, zone) for number in range(len(FLATS))]
    _register(week, registry, [household.home for household in households], chance)
    return households


def _furnished(week: Week, number: int, chance: Random, zone: ZoneInfo) -> Household:
    name, code, address = FLATS[number]
    household = furnish(
        f"home-{number}",
        chance.choice(list(PERSONAS.values())),
        seed=chance.randrange(10**6),
        name=name,
        code=code,
        grid=GRIDS[number],
        address=address,
        person=f"resident-{number}" if number else "",  # nobody is on file for the first home
        interval=HUB_INTERVAL,
        kit=chance.choices([WHOLE_KIT, PLAIN_KIT, SMALL_KIT], (1, 3, 4))[0],
        zone=zone,
    )
    home = household.home.id
    week.names[home] = (name, code, address)
    week.home_of[household.hub] = home
    last = week.end - timedelta(hours=1)
    if chance.random() < 0.4 and not household.persona.cat:  # a cat goes on moving: who sees it sees somebody
        last = week.silent[home] = week.end - DAY + timedelta(hours=chance.uniform(0, 10))
    for _ in range(chance.randint(0, 3)):
        household = household.press_sos(week.start + (last - week.start) * chance.uniform(0.01, 1))
    if home in week.silent:
        household = household.stay_home(last - timedelta(hours=6), last + 2 * DAY).fall_silent(last)
    elif chance.random() < 0.5:
        since = week.start + timedelta(seconds=chance.uniform(3600, (week.days - 1) * 86400))
        until = since + timedelta(hours=chance.uniform(0.5, 12))
        household = household.hub_dark(since, until)
        week.dark[home] = (since, until)
    return household


def _register(week: Week, registry: MemoryRegistry, homes: Sequence[Home], chance: Random) -> None:
    long_ago = week.start - 365 * DAY  # a clock that is set back must not find that nobody is on duty yet
    posts: list[tuple[str, Duty, str]] = [
        ("worker", Duty.GRID_WORKER, "east"),
        ("other-worker", Duty.GRID_WORKER, "west"),
        ("deputy", Duty.DEPUTY, "east"),
        ("supervisor", Duty.SUPERVISOR, "a"),
        ("installer", Duty.INSTALLER, "a"),
        ("street", Duty.STREET, "a"),
    ]
    if chance.random() < 0.25:
        del posts[2]  # a grid without a deputy; the other never has one
    below = {"east": {"east"}, "west": {"west"}, "a": {"east", "west"}}
    for person, _, place in posts:
        week.may_see[person] |= {home.id for home in homes if home.grid in below[place]}
    private = [home.person for home in homes if home.person] + [f"daughter-{home.id}" for home in homes] + ["neighbour"]
    Registry(registry, lambda secret: secret).register(
        areas=[Area(code="a", name="社区", level="community")],
        grids=[Grid(code=code, name=f"{code} 网格", community="a") for code in dict.fromkeys(GRIDS)],
        people=[
            *((_somebody(person, chance), [(duty, place)]) for person, duty, place in posts),
            *((_somebody(person, chance), []) for person in private),
        ],
        homes=homes,
        who="week",
        now=long_ago,
    )
    with registry.begin() as book:
        for home in homes:
            if home.person:
                week.may_see[home.person].add(home.id)
                book.put_profile(Profile(person=home.person, answers_by=chance.choice(list(Answers))), long_ago)
            daughter, far = f"daughter-{home.id}", chance.random() < 0.5
            child = Contact(home=home.id, person=daughter, relation=Relation.CHILD, is_far=far)
            key = Contact(home=home.id, person="neighbour", relation=Relation.KEY_HOLDER)
            around = [contact for contact in (child, key) if chance.random() < 0.7]
            book.put_contacts(home.id, around, long_ago)
            for contact in around:
                week.may_see[contact.person].add(home.id)


def _somebody(name: str, chance: Random) -> Person:
    """Reached by one way, or by a second one where nothing comes back of the first."""
    phone = Reach(channel="phone", address=f"phone of {name}")
    sms = Reach(channel="sms", address=f"sms of {name}", after=timedelta(minutes=2))
    return Person(id=name, name=name, reaches=(phone, sms) if chance.random() < 0.4 else (phone,))


# --------------------------------------------------------------------------- on the way


def on_the_way(week: Week, household: Household) -> Iterator[Publication]:
    """What a home's hub says, and what becomes of it before it reaches the broker."""
    chance, seed = dice(week.seed, f"way of {household.home.id}"), week.seed

    def sometimes(share: float) -> list[datetime]:
        return [week.start + week.days * DAY * chance.random() for _ in range(chance.randint(1, 3))] * (
            chance.random() < share
        )

    faults: list[Fault] = []
    if restarts := sometimes(0.3):
        faults.append(Restarted(tuple(sorted(restarts))))
    if wrong := sometimes(0.3):
        offset = chance.choice(WRONG_CLOCKS) * chance.choice([1, -1])
        if household.home.id in week.silent and -DAY <= offset < timedelta(hours=-1):
            offset = -offset  # until it has caught up with itself what it repeats may pass for life: see the docs
        faults.append(Drifting(since=min(wrong), offset=offset, per_day=timedelta(seconds=chance.choice([0, 0, 40]))))
    if away := sometimes(0.3):
        faults.append(Late(tuple((at, at + timedelta(hours=chance.uniform(0.1, 8))) for at in away)))
    faults.append(Lost(seed=seed, share=0.02))
    faults.append(Doubled(seed=seed, share=chance.choice([0.02, 0.02, 0.3])))
    faults.append(Shuffled(seed=seed, share=chance.choice([0.01, 0.01, 0.3]), within=timedelta(seconds=5)))
    return suffering(household.publications(week.start, week.end), *faults)
