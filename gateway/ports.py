"""Every socket of the house on one page: whoever reads this knows each place where it touches the world.

Each port has a fake that ships with the program (`gateway/stores/memory/`, `alerts/channels/console.py`,
`simulators/`), and one contract suite in `tests/contracts` examines all implementations of a port.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from gateway.domain import (
    Act,
    Alert,
    Area,
    ButtonTest,
    Commissioning,
    Condition,
    Consent,
    Contact,
    Delivery,
    Duty,
    Entry,
    Event,
    Finding,
    Gap,
    Grid,
    Home,
    Hub,
    Installation,
    Kind,
    Outcome,
    Override,
    Person,
    Power,
    Profile,
    Reading,
    Scope,
    Sending,
)
from gateway.domain.rota import Holiday, Leave, Rota, Shift, Spell
from gateway.domain.trail import Anchor, Sealed
from gateway.domain.visit import Visit

# --------------------------------------------------------------------------- time


class Clock(Protocol):
    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        ...


# --------------------------------------------------------------------------- the way in


class Message(NamedTuple):
    """What the broker handed over. `receipt` is the source's own mark, given back to it by `settle`."""

    topic: str
    payload: bytes
    heard: datetime
    retained: bool = False
    urgent: bool = False  # it came by the session for life-safety devices
    receipt: object = None


class Source(Protocol):
    """Where messages come from. It keeps each one until it is settled, and hands it over again after a crash."""

    def poll(self, wait: timedelta) -> Sequence[Message]:
        """What has come, urgent first, within a bound; waits at most `wait` for the first."""
        ...

    def presses(self) -> Sequence[Message]:
        """What calls for help by now, within a small bound: asked in the midst of a batch. Waits for nothing."""
        ...

    def settle(self, messages: Iterable[Message]) -> None:
        """These are safe with us. A receipt of an older connection is passed over: the broker will repeat it."""
        ...

    def listening_since(self) -> datetime | None:
        """Since when we hear without a break; None while we are deaf."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What could not be read or belongs to nobody we know: counted and kept by topic and reason, never thrown away."""

    topic: str
    reason: str  # a code: "bad-json", "unknown-device", "unknown-hub", "too-large", "bad-value" …
    at: datetime
    size: int
    head: bytes  # the first 256 bytes
    hub: str = ""
    detail: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class HubDevice:
    """A device as its hub announces it: what turns a name that people change into an address that stays."""

    hub: str
    address: str
    name: str
    model: str = ""
    vendor: str = ""
    power: Power = Power.UNKNOWN
    exposes: tuple["Expose", ...] = ()  # what it says it can tell, where its hub says so


@dataclass(frozen=True, slots=True)
class Expose:
    """One property that a device announces: `kind` is binary, numeric, enum, text or composite."""

    property: str
    kind: str
    on: str = ""  # of a binary: the value for on and off, as text
    off: str = ""
    unit: str = ""
    means: str = ""  # what it is, where its own name does not say it: "contact" of "contact_left", a device class


class Post(Protocol):
    """The way back: asks a hub to do something, such as to rename a device or to let new ones join."""

    def post(self, hub: str, rest: str, payload: bytes) -> None:
        """Publish to `shouwang/<hub>/<rest>`, at QoS 1; returns when the broker has it. Raises `TryLater`."""
        ...


# --------------------------------------------------------------------------- readings


@dataclass(slots=True)
class Batch:
    """Everything that one group commit makes durable, all or nothing."""

    readings: list[Reading] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    devices: list[HubDevice] = field(default_factory=list)
    heard: dict[str, datetime] = field(default_factory=dict)  # home -> when any of its hubs was last heard
    conditions: list[Condition] = field(default_factory=list)  # devices whose condition has changed
    gaps: dict[str, tuple[Gap, ...]] = field(default_factory=dict)  # home -> all that it cannot see, now
    last_arrival: int = 0

    def __bool__(self) -> bool:
        return bool(self.readings or self.quarantined or self.devices or self.heard or self.conditions or self.gaps)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a home's watch knew after `arrival`: a cache of replay, never the truth."""

    home: str
    arrival: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Hour:
    """What one device told of one kind within an hour, summed up: what a chart of a year is drawn from."""

    sensor: str
    kind: Kind
    begins: datetime
    count: int
    total: float  # of a thing that is or is not: how often it was
    least: float
    most: float

    @property
    def mean(self) -> float:
        return self.total / self.count


class History(Protocol):
    """Where the sums of hours may reach further back than our own do."""

    def hours(self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind], sensor: str = "") -> list[Hour]:
        """As `ReadingStore.hours`. Raises OSError while it does not answer."""
        ...


class ReadingStore(Protocol):
    """What sensors said, for as long as the longest memory of a detector (`readings.db`)."""

    def last_arrival(self) -> int:
        """The highest arrival number made durable, 0 when empty."""
        ...

    def commit(self, batch: Batch) -> None:
        """Make it durable (fsynced). The same reading twice is one row."""
        ...

    def commit_beside(self, batch: Batch) -> Future[None]:
        """As `commit`, but the disk is waited for by a thread beside: durable when the future has its result. Whoever
        writes meanwhile waits for it; if it fails, nothing of it was written."""
        ...

    def readings(
        self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind] | None = None
    ) -> list[Reading]:
        """One home's readings with since <= at < until, in the order in which they happened."""
        ...

    def newest(self, home: str, kinds: Iterable[Kind], limit: int = 1) -> list[Reading]:
        """The latest readings of these kinds by `at`, newest first."""
        ...

    def roll_up(self) -> None:
        """Sum up by the hour what was committed since the last time, however late and in whatever order it came."""
        ...

    def hours(self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind], sensor: str = "") -> list[Hour]:
        """The sums of the hours that begin then, as of the last `roll_up` or newer; of one sensor, or of all of them.
        They are kept for longer than the readings."""
        ...

    def replay(self, after: int = 0, home: str | None = None) -> Iterator[Reading]:
        """Readings with arrival > after, in arrival order. Fast for what came since the last `keep`."""
        ...

    def checkpoints(self) -> Iterator[Checkpoint]: ...

    def checkpoint(self, home: str) -> Checkpoint | None: ...

    def keep(self, checkpoints: Iterable[Checkpoint], settled: int, batch: Batch | None = None) -> None:
        """Write checkpoints, and in the same commit a batch; no checkpoint is older than arrival `settled`, so what
        lies handy may end there."""
        ...

    def settled(self) -> int:
        """The arrival number up to which checkpoints speak for every home that has one."""
        ...

    def forget_checkpoints(self) -> None: ...

    def mirrored(self) -> int | None:
        """The arrival up to which a mirror has everything; None where there is none."""
        ...

    def mirror(self, arrival: int | None) -> None:
        """A mirror has got as far as this; what comes after lies handy for it, within a bound. None: no more of it."""
        ...

    def heard(self, home: str | None = None) -> Mapping[str, datetime]:
        """Per home, or of this one: when any of its hubs was last heard."""
        ...

    def devices(self, hub: str | None = None) -> list[HubDevice]: ...

    def conditions(self, home: str | None = None) -> list[Condition]:
        """How each device is, of one home or of all."""
        ...

    def gaps(self, home: str | None = None) -> Mapping[str, tuple[Gap, ...]]:
        """Home -> what cannot be noticed there; homes that see everything are not in it."""
        ...

    def expire(self, before: datetime, apart: Mapping[str, datetime] = {}) -> Mapping[str, int]:
        """Let the readings of before this hour go; home -> how many. Their sums stay. In the homes of `apart` it is
        another hour."""
        ...

    def expire_hours(self, before: datetime, apart: Mapping[str, datetime] = {}) -> int:
        """Let the sums of the hours before this one go; how many."""
        ...

    def forget(self, home: str, hubs: Collection[str], stand_in: str) -> int:
        """Nothing is left of this home or of what its hubs announced; how many readings there were. What lies handy
        for a replay goes under the stand-in until it is let go."""
        ...

    def quarantine(self, limit: int = 200) -> list[Quarantined]:
        """Newest first; a bounded number of topics and reasons is kept apart."""
        ...

    def refused(self) -> Mapping[str, int]:
        """Per reason: how many messages were ever put into quarantine. These counts are never cut short."""
        ...

    def tidy(self) -> None:
        """Housekeeping for idle moments, so that no commit of an urgent message has to do it."""
        ...

    def close(self) -> None: ...


# --------------------------------------------------------------------------- noticing


@dataclass(frozen=True, slots=True)
class Context:
    """What a detector is told with the call, so that it need not look anything up."""

    plan: Mapping[str, str] = field(default_factory=dict)  # effective overrides of this household
    listening_since: datetime | None = None  # None: not a live source, always heard
    blind: tuple[str, ...] = ()  # sensors that see nothing, or may see nothing: their silence is no evidence
    vouched_at: datetime | None = None  # all the others have been heard since then; None: they promise nothing
    hole: tuple[datetime, datetime] | None = None  # the last long span of which nothing was ever heard


class Detector(Protocol):
    """Watches one home. Event time only: no clock, no I/O, no randomness.

    `state` is a dataclass of plain values, so that a checkpoint can cache the fold over the past that it is.
    """

    state: Any

    def observe(self, reading: Reading, context: Context) -> Iterable[Finding]: ...

    def tick(self, now: datetime, context: Context) -> Iterable[Finding]:
        """Say what has become true by `now`. Ticks may come at any pace and change nothing but when it is said."""
        ...

    def due(self) -> datetime | None:
        """Before this moment `tick` has nothing to say; None: not before the next reading."""
        ...


# --------------------------------------------------------------------------- alerts


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline: a row with an absolute time, so that it survives restarts."""

    id: str  # derived: "climb/<alert>"
    kind: str
    ref: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What another program was answered, kept with the act itself: it asks again on a bad line, and acts once."""

    token: str  # whose key it is
    key: str
    asked: str  # a hash of what was asked: the same key for something else is a mistake
    status: int
    answer: str  # JSON
    at: datetime
    home: str = ""  # goes with what is kept of this home


class Trail(Protocol):
    """What every transaction on gateway.db can write beside its own rows."""

    def audit(self, act: Act) -> None: ...

    def publish(self, at: datetime, topic: str, ref: str, home: str = "", grid: str = "") -> None:
        """Append to the event table: the bus that pages, command line and watchdog follow."""
        ...

    def remember(self, answered: Answered) -> bool:
        """Keep it for a day. False: this key was answered already; the transaction has to be undone."""
        ...


class AlertLedger(Trail, Protocol):
    """Inside one transaction on alerts: all of it becomes durable, or none."""

    def alert(self, alert_id: str) -> Alert | None: ...

    def open_alerts(self, home: str) -> list[Alert]:
        """The alerts of this home that still take in what is found (`Alert.is_open`), the oldest first."""
        ...

    def open_everywhere(self, code: str) -> list[Alert]:
        """The same of all homes, for a code of which few are open at a time."""
        ...

    def homes_with(self, code: str, since: datetime) -> list[str]:
        """The homes in which an alert of this code was raised since then and is open."""
        ...

    def members(self, alert_id: str) -> list[Alert]:
        """The alerts for which this one speaks (`Alert.incident`), by home."""
        ...

    def join(self, finding: Finding, alert_id: str) -> bool:
        """Record that this finding belongs to this alert. False: it was known already, whatever became of it."""
        ...

    def save(self, alert: Alert) -> None:
        """Insert or replace."""
        ...

    def write(self, entry: Entry) -> None:
        """Append to an alert's history."""
        ...

    def queue(self, delivery: Delivery) -> bool:
        """Put into the outbox unless this id is there already."""
        ...

    def deliveries(self, alert_id: str) -> list[Delivery]: ...

    def delivery(self, delivery_id: str) -> Delivery | None: ...

    def calls_to(self, person: str, since: datetime, limit: int = 10_000) -> list[Delivery]:
        """What was written down since then to call this person (`Purpose.PAGE`), the newest first."""
        ...

    def update(self, delivery: Delivery) -> None: ...

    def hear(self, word: str, at: datetime) -> None:
        """Remember a word from outside by its id, for three days."""
        ...

    def keep_test(self, test: ButtonTest) -> None:
        """Append to the tests of emergency buttons."""
        ...

    def keep_visit(self, visit: Visit) -> None:
        """Append to the visits, unless this one is there already."""
        ...

    def put_override(self, override: Override) -> None:
        """A line of a plan, as in the registry: what a person says of an alert may be said of the home too."""
        ...

    def button_tests(self, home: str) -> list[ButtonTest]:
        """The newest test of each of this home's emergency buttons, as it stood before this transaction."""
        ...

    def set_timer(self, timer: Timer) -> None:
        """Insert or replace by id."""
        ...

    def before_commit(self, act: Callable[[], None]) -> None:
        """To be done when all of it is written and only the commit is left, during which others may work."""
        ...

    def forget_alert(self, alert_id: str) -> None:
        """Nothing is left of it: no history, no message, no deadline."""
        ...

    def forget_home(self, home: str, people: Collection[str], stand_in: str) -> None:
        """Tests of its buttons go; what was published about it or these people names the stand-in from now on."""
        ...

    def redact(self, rows: Mapping[int, Act]) -> None:
        """Let rows of the audit trail say this instead; a proof of it belongs into the same transaction."""
        ...

    def cut_trail(self, last: int) -> int:
        """Remove the rows of the audit trail up to this number, never the last one; how many there were."""
        ...

    def clear_timer(self, timer_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What became of a channel's messages, those alike counted together: how far they came, and its code."""

    channel: str
    state: Sending
    arrived: bool  # something has come back from the other end
    code: str
    reason: str  # of one of them
    count: int
    last: datetime  # when the newest was written down


class AlertStore(Protocol):
    """Alerts, their history, what must be said and when: the part of `gateway.db` that must never lose a row."""

    def begin(self) -> AbstractContextManager[AlertLedger]:
        """One write transaction, durable on leaving; an exception inside undoes all of it."""
        ...

    def alert(self, alert_id: str) -> Alert | None: ...

    def alerts(self, *, home: str | None = None, unclosed: bool = False, limit: int = 200) -> list[Alert]:
        """Newest first; with `unclosed` only what is neither closed nor cancelled (resolved ones too), worst first."""
        ...

    def raised(
        self,
        since: datetime,
        until: datetime,
        *,
        home: str | None = None,
        code: str | None = None,
        outcome: Outcome | None = None,
    ) -> list[Alert]:
        """Alerts raised with since <= raised_at < until, oldest first: what the figures are made of, and what tells
        how often a rule was right (`Outcome.judgement`)."""
        ...

    def called(self, since: datetime) -> list[tuple[str, str, int]]:
        """Person, home, and for how many of the alerts it raised since then this person was called."""
        ...

    def raised_by_home(self, since: datetime) -> list[tuple[str, int]]:
        """Home, and how many alerts it raised since then for people to see to: no equipment, hints, tests, doubles."""
        ...

    def members(self, alert_id: str) -> list[Alert]:
        """The alerts for which this one speaks (`Alert.incident`), by home."""
        ...

    def history(self, alert_id: str) -> list[Entry]: ...

    def deliveries(self, alert_id: str) -> list[Delivery]: ...

    def delivery(self, delivery_id: str) -> Delivery | None: ...

    def by_message(self, channel: str, message: str) -> Delivery | None:
        """The delivery that a provider calls by this id of its own."""
        ...

    def was_heard(self, word: str) -> bool:
        """Whether this word from outside was taken in before, whoever repeats it now."""
        ...

    def answered(self, token: str, key: str, now: datetime) -> Answered | None:
        """What this key was answered within the last day."""
        ...

    def sent(self, channel: str, since: datetime, limit: int = 1000) -> list[Delivery]:
        """What was sent through one channel since then, newest first."""
        ...

    def carried(self, since: datetime) -> list[Carried]:
        """What became of the messages written down since then, of the newest 20,000 at most: by channel, as far as
        they came, with what the provider said."""
        ...

    def trials(self, person: str | None = None) -> list[Delivery]:
        """The newest test or drill of each way (person, channel, address) that was ever tried."""
        ...

    def button_tests(self, home: str | None = None) -> list[ButtonTest]:
        """The newest test of each emergency button that was ever tried out."""
        ...

    def visits(
        self, home: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[Visit]:
        """Every visit to this home, or to all of them, since <= at < until, the oldest first."""
        ...

    def last_visits(self, home: str | None = None) -> list[Visit]:
        """The newest visit to each home at which the resident was met."""
        ...

    def illegible(self) -> list[str]:
        """What names the rows that could not be read, and were left out of a list that was asked for."""
        ...

    def timers_due(self, now: datetime, limit: int = 200) -> list[Timer]: ...

    def next_timer(self) -> datetime | None: ...

    def outbox(self, now: datetime, limit: int = 200) -> list[Delivery]:
        """Deliveries that wait and may be tried now, urgent alerts first, then the oldest."""
        ...

    def next_delivery(self) -> datetime | None:
        """When the next waiting delivery may be tried; None when nothing waits."""
        ...

    def events(self, after: int, limit: int = 500) -> list[Event]: ...

    def last_event(self) -> int: ...

    def acts(
        self,
        ref: str | None = None,
        limit: int = 200,
        *,
        who: str = "",
        what: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Act]:
        """The audit trail, newest first: about one thing, by one person, of one kind (`read.` is every reading of a
        page), since <= at < until."""
        ...

    def sealed(self, after: int = 0, limit: int = 100_000) -> list[Sealed]:
        """The audit trail as it is sealed, the rows behind this number, the oldest first."""
        ...

    def trail_end(self) -> Anchor | None:
        """Number and chain of its last row: what an anchor notes elsewhere."""
        ...

    def tidy(self) -> None:
        """Housekeeping for idle moments, so that no alarm has to wait for it."""
        ...

    def scrub(self) -> None:
        """Let what was deleted vanish from the file too, instead of lying in its empty places. Writers wait for it."""
        ...


# --------------------------------------------------------------------------- who and where


class Directory(Protocol):
    """Who lives where, what hangs on the walls, who is on duty. Read-only; `version` grows with every change."""

    def version(self) -> int: ...

    def standing(self) -> "Directory":
        """The same as it stands now, for one decision: it does not look at each question whether it has changed."""
        ...

    def changes(self, since: int) -> frozenset[str] | None:
        """The homes that are others than in that version, or of which a line speaks that was not there. None: it is
        not known any more, and may be every home."""
        ...

    def illegible(self) -> list[str]:
        """What names the rows that could not be read, and were left out; what is asked for is as if they were not."""
        ...

    def homes(self) -> list[Home]: ...

    def home(self, home_id: str) -> Home | None: ...

    def hubs(self) -> list[Hub]: ...

    def on_duty(self, grid: str, duty: Duty, at: datetime) -> list[Person]:
        """Whom a rung of this duty means for this grid at that moment, first choice first."""
        ...

    def on_call(self, grid: str, duty: Duty, at: datetime) -> Spell:
        """The same people, each with the reason, and how long that stays so. Quick: a press waits for it."""
        ...

    def rota(self) -> Rota:
        """Posts, shifts, holidays and leave as they stand."""
        ...

    def person(self, person_id: str) -> Person | None: ...

    def plan(self, home: str, at: datetime) -> list[Override]:
        """What is in force at that moment for this household, its grid and its areas: the nearest comes last."""
        ...

    def plans(self, homes: Iterable[str], at: datetime) -> dict[str, list[Override]]:
        """The plan of each of these homes, as they stood at one moment: for whoever asks about hundreds."""
        ...

    def plan_lines(self, home: str) -> Sequence[Override]:
        """Every line that ever spoke of this household, its grid or its areas: from the farthest to the nearest."""
        ...

    def around(self, home: str) -> tuple[str, ...]:
        """The grid and the areas in which a home lies, the smallest first."""
        ...

    def place_name(self, code: str) -> str:
        """What people call a grid or an area; its code where nobody has named it."""
        ...

    def contacts(self, home: str) -> list[Contact]:
        """The people around a household, whom to call first first."""
        ...

    def contacts_of_all(self) -> Mapping[str, Sequence[Contact]]:
        """The same of every household that has any, at one moment: for whoever asks about thousands."""
        ...

    def profiles(self) -> Mapping[str, Profile]:
        """The file of everybody of whom one is kept, at one moment."""
        ...

    def profile(self, person: str) -> Profile | None: ...

    def phones(self, person: str) -> tuple[str, ...]:
        """Telephone numbers in force, first choice first."""
        ...

    def duties(self, person: str, at: datetime) -> list[tuple[Duty, str]]:
        """What a person can be called for at that moment, each with its grid ("": every grid)."""
        ...

    def consents(self, person: str) -> list[Consent]:
        """Everything a person ever agreed to, oldest first, withdrawn ones too."""
        ...


class RegistryLedger(Trail, Protocol):
    """Inside one transaction on the registry."""

    def put_area(self, area: Area, at: datetime) -> None: ...

    def put_grid(self, grid: Grid) -> None:
        """Insert, or replace the one with the same code; one that was closed is open again."""
        ...

    def close_area(self, code: str, at: datetime) -> None:
        """From then on there is no such area; what it was stays known."""
        ...

    def close_grid(self, code: str, at: datetime) -> None: ...

    def put_home(self, home: Home, at: datetime) -> None:
        """Insert or replace the household with its rooms, hubs and sensors; what did not change keeps its dates."""
        ...

    def put_person(self, person: Person, at: datetime) -> None: ...

    def put_phones(self, person: str, phones: Sequence[str], at: datetime) -> None: ...

    def put_profile(self, profile: Profile, at: datetime) -> None: ...

    def put_contacts(self, home: str, contacts: Sequence[Contact], at: datetime) -> None:
        """All of a household's contacts, in their order; who is not among them is none any more."""
        ...

    def give_consent(self, consent: Consent) -> int:
        """Keep it; returns the number it was given."""
        ...

    def withdraw_consent(self, number: int, at: datetime) -> None: ...

    def assign(self, person: str, duty: Duty, place: str, since: datetime, until: datetime | None = None) -> None:
        """A duty for a grid, for every grid of an area, or with "" for all of them."""
        ...

    def put_duties(self, person: str, duties: Sequence[tuple[Duty, str]], at: datetime) -> None:
        """All duties of a person with their grids; those held already keep their place, the others end."""
        ...

    def put_shift(self, shift: Shift) -> None:
        """Insert, or replace the one with the same id."""
        ...

    def drop_shift(self, shift_id: str) -> None:
        """Take it off the sheet, with the swaps of it."""
        ...

    def put_holiday(self, holiday: Holiday) -> None: ...

    def drop_holiday(self, place: str, day: date) -> None: ...

    def put_leave(self, leave: Leave) -> None:
        """Insert, or replace the one of this person that begins at the same moment."""
        ...

    def drop_leave(self, person: str, since: datetime) -> None: ...

    def set_hub_secret(self, hub: str, secret_hash: str | None) -> None:
        """Store the hash that the broker needs; None revokes."""
        ...

    def put_override(self, override: Override) -> None: ...

    def note_installation(self, installation: Installation) -> None:
        """Append to the history of a device."""
        ...

    def keep_record(self, record: Commissioning) -> None: ...

    def forget_home(self, home: str) -> None:
        """Nothing is left of this household: no line of it, however old. Its people stay."""
        ...

    def forget_person(self, person: str) -> None:
        """Nothing is left of this person, neither what they agreed to nor what they were called for."""
        ...


class RegistryStore(Directory, Protocol):
    def begin(self) -> AbstractContextManager[RegistryLedger]: ...

    def in_force(self, key: str, at: datetime) -> list[Override]:
        """The lines of this key that hold at that moment, of whatever home, grid or area."""
        ...

    def overrides(self, place: str, scope: Scope = Scope.HOME) -> list[Override]:
        """Every line that ever stood in the plan of this very home, grid or area, in the order in which they began."""
        ...

    def installations(self, home: str) -> list[Installation]:
        """The history of a home's devices, oldest first."""
        ...

    def records(self, home: str) -> list[Commissioning]:
        """The commissionings of a home, oldest first."""
        ...

    def areas(self) -> list[Area]: ...

    def grids(self) -> list[Grid]: ...

    def people(self) -> list[Person]: ...

    def hub_secrets(self) -> Mapping[str, str]:
        """Hub id -> the bcrypt hash of its secret, for hubs that have one."""
        ...


# --------------------------------------------------------------------------- accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who may sign in to the pages. `person` joins it to the registry; `duty` says what the pages show."""

    login: str
    password_hash: str
    person: str
    duty: Duty
    place: str = ""  # a grid, or an area with everything below it; "" is the whole
    created_at: datetime
    disabled_at: datetime | None = None  # since when nobody signs in with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser. Only a hash of the token is stored."""

    token_hash: str
    login: str
    created_at: datetime
    expires_at: datetime
    seen_at: datetime  # when it was last used, to some minutes
    browser: str = ""  # in words, for its owner: "Chrome, Android"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondStep:
    """Six figures from a telephone after the password. The telephone's secret is made from `salt` and our own."""

    login: str
    salt: str
    since: datetime
    used: int = 0  # the newest interval whose figures have opened: none opens twice
    codes: frozenset[str] = frozenset()  # of a lost telephone: hashes of what opens once each


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """By which another program comes in, and what for. Only a hash of it is stored."""

    id: str
    name: str  # in the audit trail it is "api:<name>"
    token_hash: str
    rights: tuple[str, ...]  # "homes:read", "alerts:act" …
    place: str  # a grid, or an area with everything below it; "" is the whole
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None  # to some minutes


class AccountStore(Protocol):
    def account(self, login: str) -> Account | None: ...

    def accounts(self) -> list[Account]: ...

    def count(self) -> int: ...

    def put(self, account: Account) -> None: ...

    def open_session(self, session: Session) -> None: ...

    def session(self, token_hash: str, now: datetime) -> Session | None:
        """None when unknown, ended or expired."""
        ...

    def sessions(self, login: str, now: datetime) -> list[Session]:
        """Those that have not expired, the one that was used last first."""
        ...

    def see_session(self, token_hash: str, now: datetime) -> None:
        """Note that it was used."""
        ...

    def end_session(self, token_hash: str) -> None: ...

    def end_sessions(self, login: str) -> None: ...

    def second_step(self, login: str) -> SecondStep | None: ...

    def put_second_step(self, step: SecondStep) -> None: ...

    def drop_second_step(self, login: str) -> None: ...

    def use_interval(self, login: str, interval: int) -> bool:
        """Whether its figures open: no interval up to the newest one used does so again."""
        ...

    def use_code(self, login: str, code_hash: str) -> bool:
        """Whether this code was one of theirs; it is used up with that."""
        ...

    def put_invitation(self, token_hash: str, purpose: str, expires_at: datetime) -> None:
        """One-time access: the first start's set-up link is one."""
        ...

    def invitation(self, token_hash: str, now: datetime) -> str | None:
        """Its purpose, while it can still be used; looking does not use it."""
        ...

    def use_invitation(self, token_hash: str, now: datetime) -> str | None:
        """Its purpose, once; None when unknown, used or expired."""
        ...

    def invitations(self, now: datetime) -> list[tuple[str, datetime]]:
        """The purposes of those that can still be used, each with until when."""
        ...

    def forget(self, login: str) -> None:
        """The account with its sessions and second step; nothing where there is none."""
        ...

    def end_invitations(self, purpose: str) -> None:
        """None made for this purpose opens any more."""
        ...

    def put_token(self, token: ApiToken) -> None:
        """Insert, or replace the one with the same id."""
        ...

    def token(self, token_hash: str) -> ApiToken | None:
        """Whatever has become of it: revoked and expired ones too."""
        ...

    def tokens(self) -> list[ApiToken]:
        """All that were ever made, by name, the newest first."""
        ...

    def see_token(self, token_id: str, now: datetime) -> None:
        """Note that it was used."""
        ...


# --------------------------------------------------------------------------- the way out


class Refusal(Exception):
    """A channel's no: the reason in words, and the provider's own code where it has one."""

    def __init__(self, reason: str = "", code: str = "") -> None:
        super().__init__(reason)
        self.code = code


class TryLater(Refusal):
    """The channel could not carry it now; the courier waits and tries again."""


class Undeliverable(Refusal):
    """The channel will never carry this; the ladder is climbed at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a person reads: already in their language, with nothing in it that a lock screen may not show.

    The last ones are for texts that carriers approve beforehand, in which only a few short words are ours to fill in.
    """

    title: str
    body: str
    link: str = ""
    household: str = ""  # 户号
    what: str = ""  # what it is, in a few characters
    time: str = ""  # when, as a clock in the home shows it
    code: str = ""  # what an answer by SMS begins with


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A provider says what became of one message."""

    message: str  # the provider's own id of it
    arrived: bool
    at: datetime | None = None
    code: str = ""
    reason: str = ""
    lasting: bool = False  # it did not arrive, and never will


@dataclass(frozen=True, slots=True, kw_only=True)
class Texted:
    """Somebody has answered by SMS."""

    number: str
    text: str
    id: str  # whatever tells it from others


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """Somebody has pressed a key during a call."""

    message: str
    key: str


Returned = Receipt | Texted | Pressed
"""What comes back from a telephone, however its provider says it."""


class Channel(Protocol):
    """Carries one message, once. Raises `TryLater` or `Undeliverable`, nothing else."""

    async def send(self, delivery: Delivery, letter: Letter) -> str | None:
        """The provider's own id of what it took, by which its receipts name it; None where it has none."""
        ...
