"""The work order: a finding that people must deal with, and everything that must be said about it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain.finding import Facts, Finding
from gateway.domain.home import Duty
from gateway.domain.severity import Severity


class State(StrEnum):
    """已触发, 已通知, 已接单, 已处置, 已归档. Later work adds the states between them."""

    RAISED = "raised"
    NOTIFIED = "notified"
    ACCEPTED = "accepted"
    RESOLVED = "resolved"
    CLOSED = "closed"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Whom to tell, and how long they have before the next rung is climbed."""

    duty: Duty
    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Rungs in order. `repeat` starts again from the first rung that long after the last one's wait; None does not."""

    rungs: tuple[Rung, ...]
    repeat: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing somebody must deal with. Its id is the id of the finding that opened it.

    The ladder is a *copy*: an edit of the policy never changes what is under way. `rung` and `round` say which
    rung is climbed next, `next_at` when; None means that nothing more is to be climbed.
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
    count: int = 1  # how often it was found or pressed
    last_at: datetime | None = None  # the newest repeat
    notified_at: datetime | None = None
    accepted_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    owner: str = ""  # the person who accepted
    outcome: Outcome | None = None
    note: str = ""

    @property
    def is_ringing(self) -> bool:
        return self.state in (State.RAISED, State.NOTIFIED)

    @property
    def is_open(self) -> bool:
        """Takes in repeats; after *resolved* a repeat is a new alert."""
        return self.state in (State.RAISED, State.NOTIFIED, State.ACCEPTED)


class Purpose(StrEnum):
    """Why a message is sent; each has its own words."""

    PAGE = "page"  # somebody must come
    AGAIN = "again"  # it was pressed or found again
    TAKEN = "taken"  # somebody has it: you are no longer paged
    TEST = "test"


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
