"""The work order: a finding that people must deal with, and everything that must be said about it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain.finding import Facts, Finding
from gateway.domain.home import Duty
from gateway.domain.severity import Severity


class State(StrEnum):
    """已触发, 核实中, 已通知, 已接单, 途中, 已到场, 已处置, 已回访, 已归档; and 已撤销, taken back by the resident."""

    RAISED = "raised"
    CONFIRMING = "confirming"  # the resident is being asked; nobody else has been called yet
    NOTIFIED = "notified"
    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    RESOLVED = "resolved"
    FOLLOWED_UP = "followed_up"
    CLOSED = "closed"
    CANCELLED = "cancelled"  # "no help", said by the resident before anybody had it: nobody need come


RINGING = (State.RAISED, State.CONFIRMING, State.NOTIFIED)
"""People are being called, or are about to be."""

TAKEN = (State.ACCEPTED, State.EN_ROUTE, State.ON_SITE)
"""Somebody has it who is able to arrive."""

OVER = (State.RESOLVED, State.FOLLOWED_UP, State.CLOSED, State.CANCELLED)
"""It takes in no repeats: what comes now is a new alert."""


class Judgement(StrEnum):
    """误报判定: whether what was told was so. *Unsure* is neither; a test or a duplicate says nothing of a rule."""

    REAL = "real"
    FALSE = "false"
    UNSURE = "unsure"


class Outcome(StrEnum):
    """处置结果: no alert is resolved without one of these."""

    REAL_EMERGENCY = "real-emergency"  # 真实险情
    ASSISTANCE_GIVEN = "assistance-given"  # 提供帮助
    ELDER_AWAY = "elder-away"  # 老人外出
    ELDER_SAFE = "elder-safe-no-cause"  # 平安未见异常
    ACCIDENTAL_PRESS = "accidental-press"  # 误触
    SENSOR_FAULT = "sensor-fault"  # 设备故障
    SENSOR_PLACEMENT = "sensor-placement"  # 安装位置
    VISITOR_OR_PET = "visitor-or-pet"  # 访客宠物
    TEST_OR_DRILL = "test-or-drill"  # 测试演练
    NO_ACCESS = "no-access"  # 无法入户(转警/开锁)
    DECEASED = "deceased"  # 离世
    DUPLICATE = "duplicate"  # 重复

    @property
    def judgement(self) -> Judgement:
        """What was found there says whether the alert was right; the outcome itself is the cause."""
        return _JUDGEMENTS.get(self, Judgement.FALSE)


_JUDGEMENTS = {
    Outcome.REAL_EMERGENCY: Judgement.REAL,
    Outcome.ASSISTANCE_GIVEN: Judgement.REAL,
    Outcome.DECEASED: Judgement.REAL,
    Outcome.NO_ACCESS: Judgement.UNSURE,
    Outcome.TEST_OR_DRILL: Judgement.UNSURE,
    Outcome.DUPLICATE: Judgement.UNSURE,
}


class Answer(StrEnum):
    """What a resident says who was asked. Silence is no answer: the ladder goes on."""

    NO_HELP = "no-help"
    HELP = "help"


class FamilyWord(StrEnum):
    """What the family can say with one tap: 老人在我这, 我来处理, 请网格员上门."""

    WITH_ME = "with_me"
    MINE = "mine"
    SEND_WORKER = "send_worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Whom to tell at the same moment, and how long they have before the next rung is climbed."""

    duty: Duty
    wait: timedelta
    also: tuple[Duty, ...] = ()

    @property
    def duties(self) -> tuple[Duty, ...]:
        return (self.duty, *self.also)

    @property
    def waited_for(self) -> tuple[Duty, ...]:
        """Whose minutes these are: without them the next rung is climbed at once, whoever else was told."""
        coming = tuple(duty for duty in self.duties if duty not in (Duty.ELDER, Duty.FAMILY))
        return coming or self.duties


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Rungs in order, and how long people may take. A span that is None is not looked at.

    `repeat` starts again from the first rung that long after the last one's wait; None does not.
    """

    rungs: tuple[Rung, ...]
    repeat: timedelta | None = None
    ack: timedelta | None = None  # from being raised until somebody accepts; later is overdue
    remind: timedelta | None = None  # accepted and not on the way: asked again this often …
    lapse: timedelta | None = None  # … and after this long it is nobody's again
    site: timedelta | None = None  # from being accepted until somebody is there; later is overdue

    @property
    def duties(self) -> list[Duty]:
        """Everybody who may be called by it, in order."""
        return list(dict.fromkeys(duty for rung in self.rungs for duty in rung.duties))


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Something else that was found in the same incident: the newest of its kind, and how often it came."""

    finding: Finding
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing somebody must deal with: an incident. Its id is the id of the finding that opened it.

    What leads it gives it its code, its severity and its ladder; what else is found meanwhile stands in `also`.

    The ladder is a *copy*: an edit of the policy never changes what is under way. `rung` and `round` say which
    rung is climbed next, `next_at` when; None means that nothing more is to be climbed. `watch_at` is when it is
    looked at whether somebody does something about it.
    """

    id: str
    home: str
    code: str
    subject: str
    severity: Severity
    state: State
    ladder: Ladder
    raised_at: datetime
    finding: Finding  # what is known now: the newest or the worst
    rung: int = 0
    round: int = 0
    next_at: datetime | None = None
    watch_at: datetime | None = None
    count: int = 1  # how often it was found or pressed
    last_at: datetime | None = None  # the newest repeat
    notified_at: datetime | None = None
    accepted_at: datetime | None = None
    en_route_at: datetime | None = None
    on_site_at: datetime | None = None
    resolved_at: datetime | None = None
    followed_up_at: datetime | None = None
    closed_at: datetime | None = None
    overdue_at: datetime | None = None  # the first limit that passed without what it was for
    stirred_at: datetime | None = None  # signs of life again, while people were being called
    owner: str = ""  # who accepted and is able to arrive, or was handed it
    owned_at: datetime | None = None  # since when that person has it
    reminded: int = 0  # how often that person was asked whether anything happens
    coordinator: str = ""  # who accepted from afar and keeps it together; the ladder goes on
    incident: str = ""  # the alert that speaks for this one, where another does
    outcome: Outcome | None = None
    note: str = ""
    also: tuple[Joined, ...] = ()
    worse_at: datetime | None = None  # since when it is as bad as it is, where it was not so from the beginning

    @property
    def is_ringing(self) -> bool:
        return self.state in RINGING

    @property
    def is_taken(self) -> bool:
        return self.state in TAKEN

    @property
    def is_open(self) -> bool:
        """Takes in repeats; after *resolved* or *cancelled* a repeat is a new alert."""
        return self.state not in OVER

    @property
    def bad_since(self) -> datetime:
        """Since when it is as bad as it is: from here people's time is counted."""
        return self.worse_at or self.raised_at

    @property
    def is_muted(self) -> bool:
        """Another alert says more: while that one stands, nobody is called for this one."""
        return self.is_ringing and self.incident not in ("", self.id)

    @property
    def holder(self) -> str:
        """Whose it is at this moment: the owner, or the coordinator while nobody is able to arrive yet."""
        return self.owner or self.coordinator

    @property
    def due_at(self) -> datetime | None:
        """When something is to be done about it next, if nobody does anything."""
        return min((at for at in (self.next_at, self.watch_at) if at is not None), default=None)


class Purpose(StrEnum):
    """Why a message is sent; each has its own words."""

    PAGE = "page"  # somebody must come
    AGAIN = "again"  # it was pressed or found again
    TAKEN = "taken"  # somebody has it: you are no longer paged
    ASK = "ask"  # the resident is asked whether help is needed
    REMIND = "remind"  # you have it, and nothing is heard of you
    HANDED = "handed"  # somebody hands it over to you
    STIRS = "stirs"  # signs of life again: confirm that all is well
    CARD = "card"  # somebody has opened the emergency card of a home you answer for
    OVER = "over"  # it is over by somebody else's word: you need not come
    TEST = "test"
    DRILL = "drill"  # 演练: a test that has to be answered
    REPLY = "reply"  # what became of an answer by SMS


class Sending(StrEnum):
    """待发, 已发, 失败, 撤回. *Sent* is not *delivered* is not *answered*."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # undeliverable
    WITHDRAWN = "withdrawn"  # no longer true before it could be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one person through one channel; its id is derived from all that tells it from others."""

    id: str
    alert: str
    purpose: Purpose
    person: str
    channel: str
    address: str
    created_at: datetime
    duty: Duty | None = None
    rung: int = 0
    facts: Facts = ()
    state: Sending = Sending.WAITING
    attempts: int = 0
    next_at: datetime | None = None  # when to try; None is at once
    sent_at: datetime | None = None
    reason: str = ""  # why it failed, in the provider's own words
    code: str = ""  # the provider's own code for that
    lasting: bool = False  # it failed for good (a number that does not exist), and not only for this time
    failed_at: datetime | None = None  # the last failure; while it waits, that was for now
    message: str = ""  # the provider's own id of what it took: its receipts name it
    delivered_at: datetime | None = None  # the receipt: it is on the telephone, or somebody has lifted it
    opened_at: datetime | None = None  # the link in it was opened
    answered_at: datetime | None = None  # the person did something by it

    @property
    def has_arrived(self) -> bool:
        """Something has come back from the other end; that a provider has taken it says nothing yet."""
        return bool(self.delivered_at or self.opened_at or self.answered_at)

    @property
    def stage(self) -> "Stage":
        """How far it came."""
        if self.state is Sending.SENT:
            for at, stage in (
                (self.answered_at, Stage.ANSWERED),
                (self.opened_at, Stage.OPENED),
                (self.delivered_at, Stage.DELIVERED),
            ):
                if at is not None:
                    return stage
        return Stage(self.state.value)


class Stage(StrEnum):
    """待发, 已发, 已送达, 已打开, 已回应, 失败, 撤回: how far a message came; each but the first has its time."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    ANSWERED = "answered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonTest:
    """An emergency button was tried out, and heard: nobody was called."""

    home: str
    sensor: str
    at: datetime  # when it was pressed
    by: str  # who had announced the test


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of an alert's history: what happened, when, by whom ("" is the gateway itself) and why."""

    alert: str
    at: datetime
    what: str
    who: str = ""
    facts: Facts = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row of the bus: pages, command line and watchdog follow these. `id` is the server-sent event's id."""

    id: int
    at: datetime
    topic: str  # "alert", "home", "registry" …
    ref: str  # the alert's or the home's id
    home: str = ""
    grid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One line of the audit trail: who did or read what, when, and why."""

    at: datetime
    who: str
    what: str
    ref: str
    why: str = ""
    facts: Facts = ()
