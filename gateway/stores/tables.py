"""The tables of `gateway.db`, as they are now; `migrations/` says how they came to be.

Portable on purpose: moments are whole microseconds in UTC, lists are JSON text, nothing is special to SQLite.
What may change in the world and must stay answerable later is *dated*: a row holds from `since` until `until`
(open-ended when null) and is closed instead of overwritten.

Of which rows an index holds some, is said here for SQLite; for PostgreSQL only the migrations say it, for to name it
here every gateway would load that dialect.
"""

from collections.abc import Callable
from datetime import date, datetime, time
from enum import Enum
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)

from gateway.domain import (
    Commissioning,
    Duty,
    Elder,
    Facts,
    Finding,
    Joined,
    Ladder,
    Outcome,
    Purpose,
    Sending,
    Severity,
    State,
)
from gateway.stores.moments import from_us, to_us

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds since 1970 in UTC. A naive one is refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_us(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_us(value)


class Day(TypeDecorator[date]):
    """A day of the calendar, as 2026-03-15: it begins when a clock there says so, so it is no moment."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class Clock(TypeDecorator[time]):
    """What a clock on the wall shows, as 08:30."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: time | None, dialect: Dialect) -> str | None:
        return None if value is None else f"{value:%H:%M}"

    def process_result_value(self, value: Any, dialect: Dialect) -> time | None:
        return None if value is None else time.fromisoformat(value)


class _Member(TypeDecorator[Enum]):
    impl: Any = Text
    cache_ok = True

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Enum | None, dialect: Dialect) -> Any:
        return None if value is None else value.value

    def process_result_value(self, value: Any, dialect: Dialect) -> Enum | None:
        return None if value is None else self.kind(value)


class Word(_Member):
    """A member of an enumeration of words, kept by its value, so that a table can be read without the program."""

    impl = Text
    cache_ok = True


class Grade(_Member):
    """The same for an enumeration of numbers."""

    impl = Integer
    cache_ok = True


class Json(TypeDecorator[Any]):
    """A small value of our own kind, kept as JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._decode: Callable[[Any], Any] = msgspec.json.Decoder(kind).decode

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self._decode(value)


Serial = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database draws; it never comes back after its row is gone."""


def _text(name: str, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, default=default)


def _dated() -> tuple[Column[datetime], Column[datetime]]:
    return Column("since", Moment, primary_key=True), Column("until", Moment)


# ---------------------------------------------------------------- who and where

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Numbers that only grow: 'registry' with each change of who lives where, so that readers know to look again."""

registry_change = Table(
    "registry_change",
    metadata,
    Column("version", BigInteger, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("name", Text, primary_key=True),
)
"""What each step of the registry's counter was about: a home, a person, a grid … so that who knows the rest need not
read it again. Of the last thousand steps."""

area = Table(
    "area",
    metadata,
    Column("code", Text, primary_key=True),
    _text("name"),
    _text("level"),
    _text("parent"),
    *_dated(),
)
"""行政区划: codes change their meaning over the years, so they are dated."""

grid = Table(
    "grid",
    metadata,
    Column("code", Text, primary_key=True),
    _text("name"),
    _text("community"),
    Column("closed_at", Moment),
)
"""网格. `community` is an area's code; areas are dated, so it is no foreign key. A grid that was closed is not read any
more, but the households that once lay in it name it."""

person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    _text("name"),
    _text("full_name"),
    _text("masked_name"),
    _text("language", "zh"),
    Column("registered_at", Moment, nullable=False),
)
"""Elder, grid worker, daughter alike: what somebody is to others are rows elsewhere. `name` is the one to show
(王奶奶), `masked_name` may leave the house (王*芳)."""

profile = Table(
    "profile",
    metadata,
    Column("person", Text, ForeignKey("person.id"), primary_key=True),
    Column("birth_year", Integer),
    _text("sex"),
    _text("living"),
    _text("ability"),
    _text("risk"),
    _text("conditions"),
    _text("dialect"),
    _text("hearing"),
    _text("answers_by"),
    _text("hospital"),
    Column("dementia", Boolean, nullable=False),
    *_dated(),
)
"""老年人档案: what is known of a resident, and since when; `answers_by` is the means of answering when asked."""

reach = Table(
    "reach",
    metadata,
    Column("person", Text, ForeignKey("person.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("channel", Text, nullable=False),
    _text("address"),
    _text("language"),
    Column("after_s", Integer, nullable=False, default=0, server_default="0"),
    *_dated(),
)
"""By which channels somebody is told, in order; `language` only where it differs from the person's own, `after_s` where
what is not urgent waits for the ways before."""

phone = Table(
    "phone",
    metadata,
    Column("person", Text, ForeignKey("person.id"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("place", Integer, nullable=False, default=0, server_default="0"),
    Column("verified_at", Moment),
    *_dated(),
)
"""Telephone numbers change hands: each has its time, and when it was last proven; in order of `place`."""

household = Table(
    "household",
    metadata,
    Column("id", Text, primary_key=True),
    _text("code"),
    _text("name"),
    Column("zone", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("address"),
    _text("access"),
    Column("trial_until", Moment),
    Column("registered_at", Moment, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
)
"""家庭. `code` is the 户号 that may stand on a lock screen; `zone` the IANA time zone its people live by;
`trial_until` the end of its learning period."""
Index(
    "ix_household_code",
    household.c.code,
    unique=True,
    sqlite_where=text("code <> ''"),
)

household_grid = Table(
    "household_grid",
    metadata,
    Column("household", Text, ForeignKey("household.id"), primary_key=True),
    Column("grid", Text, ForeignKey("grid.code"), primary_key=True),
    *_dated(),
)
"""Which grid answers for a household, and since when."""

residence = Table(
    "residence",
    metadata,
    Column("person", Text, ForeignKey("person.id"), primary_key=True),
    Column("household", Text, ForeignKey("household.id"), primary_key=True),
    Column("place", Integer, nullable=False),
    *_dated(),
)
"""Who lives where, from and to (轮养: one elder, two homes by turns); `place` 0 is whom the household is named for."""
Index("ix_residence_household", residence.c.household)

room = Table(
    "room",
    metadata,
    Column("household", Text, ForeignKey("household.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    _text("name"),
    Column("kind", Text, nullable=False),
    Column("place", Integer, nullable=False),
    *_dated(),
)

hub = Table(
    "hub",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_hash", Text),
    Column("secret_at", Moment),
)
"""The box that speaks MQTT, by its opaque id. Only the hash of its secret is kept; null has no way in."""

hub_place = Table(
    "hub_place",
    metadata,
    Column("hub", Text, ForeignKey("hub.id"), primary_key=True),
    Column("household", Text, ForeignKey("household.id"), primary_key=True),
    Column("interval_us", BigInteger),
    Column("place", Integer, nullable=False),
    *_dated(),
)
"""In whose home a hub stands, from and to: hubs move and are replaced. `interval_us` null promises nothing."""
Index("ix_hub_place_household", hub_place.c.household)

sensor = Table(
    "sensor",
    metadata,
    Column("household", Text, ForeignKey("household.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("hub", Text, nullable=False),
    Column("address", Text, nullable=False),
    _text("name"),
    _text("room"),
    Column("role", Text, nullable=False),
    _text("subject"),
    Column("inverted", Boolean, nullable=False),
    _text("model"),
    _text("power"),
    Column("place", Integer, nullable=False),
    *_dated(),
)
"""What hangs on the walls. `address` is the hub's lasting name for it, `subject` whose pendant or whose bed it is."""
Index("ix_sensor_hub", sensor.c.hub)

duty = Table(
    "duty",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("person", Text, ForeignKey("person.id"), nullable=False),
    Column("duty", Text, nullable=False),
    Column("grid", Text, ForeignKey("grid.code")),
    _text("area"),
    Column("since", Moment, nullable=False),
    Column("until", Moment),
    sqlite_autoincrement=True,
)
"""For what somebody can be called, from and to, in a grid or in an area, which is dated and so no foreign key; with
neither in every grid. In order of `number`: first choice first."""
Index("ix_duty_person", duty.c.person, duty.c.duty, duty.c.grid, duty.c.since)

shift = Table(
    "shift",
    metadata,
    Column("id", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("duty", Word(Duty), nullable=False),
    Column("person", Text, ForeignKey("person.id"), nullable=False),
    Column("begins", Clock, nullable=False),
    Column("ends", Clock, nullable=False),
    Column("zone", Text, nullable=False),
    Column("first", Day, nullable=False),
    Column("last", Day),
    _text("weekdays"),
    _text("swap_of"),
)
"""值班表: on which days and between which hours of its own zone somebody can be called, for a grid or an area; a swap
is a row of one day in the place of the shift `swap_of`."""

holiday = Table(
    "holiday",
    metadata,
    Column("place", Text, primary_key=True),
    Column("day", Day, primary_key=True),
    Column("counts_as", Integer, nullable=False),
    _text("name"),
)
"""节假日, 调休: days on which the rota of another weekday holds; a place of "" is everywhere."""

leave = Table(
    "leave",
    metadata,
    Column("person", Text, ForeignKey("person.id"), primary_key=True),
    Column("since", Moment, primary_key=True),
    Column("until", Moment, nullable=False),
    _text("reason"),
    _text("author"),
)
"""请假: from when until when somebody who works for us is not called."""

contact = Table(
    "contact",
    metadata,
    Column("household", Text, ForeignKey("household.id"), primary_key=True),
    Column("person", Text, ForeignKey("person.id"), primary_key=True),
    Column("relation", Text, primary_key=True),
    Column("place", Integer, nullable=False),
    _text("hours"),
    _text("may_see"),
    Column("is_far", Boolean, nullable=False, default=False, server_default=false()),
    *_dated(),
)
"""Daughter, neighbour, key-holder: a relation is a row, so one person may be several; in order of `place`."""

consent = Table(
    "consent",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("person", Text, ForeignKey("person.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("given_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    Column("given_by", Text, nullable=False),
    _text("evidence"),
    Column("viewer", Text, nullable=False, default="", server_default=""),
    sqlite_autoincrement=True,
)
"""知情同意, per purpose, by the elder or the guardian; `viewer` is to whom, where it is about one who looks."""
Index("ix_consent_person", consent.c.person)

plan = Table(
    "plan",
    metadata,
    Column("scope", Text, primary_key=True),  # home, grid or area …
    Column("place", Text, primary_key=True),  # … and which one
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    *_dated(),
)
"""一户一案: plans, absences and expected visits are one kind of thing, each with its author and reason."""

installation = Table(
    "installation",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("home", Text, ForeignKey("household.id"), nullable=False),
    Column("sensor", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("link", Float),
    Column("battery", Float),
    Column("passed", Boolean),
    _text("note"),
    _text("photo"),
    sqlite_autoincrement=True,
)
"""How a device stood when it was put up, replaced or tried out: only ever appended."""
Index("ix_installation_home", installation.c.home)

commissioning = Table(
    "commissioning",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("home", Text, ForeignKey("household.id"), nullable=False),
    Column("record", Json(Commissioning), nullable=False),
    sqlite_autoincrement=True,
)
"""The records that were signed in a home, whole, as they were signed."""
Index("ix_commissioning_home", commissioning.c.home)

external_id = Table(
    "external_id",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("external", Text, nullable=False),
)
"""What other systems call our households, people and devices."""
Index("ix_external_id_system", external_id.c.system, external_id.c.external)

# ---------------------------------------------------------------- alerts
# No foreign keys here, on purpose: an alarm is written down whatever has become of the home's file, and the desk is
# the only hand that writes. A rule of the database that stops an alert would be worse than a row without its parent.

alert = Table(
    "alert",
    metadata,
    Column("id", Text, primary_key=True),
    Column("home", Text, nullable=False),
    Column("code", Text, nullable=False),
    _text("subject"),
    Column("severity", Grade(Severity), nullable=False),
    Column("state", Word(State), nullable=False),
    Column("ladder", Json(Ladder), nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("finding", Json(Finding), nullable=False),
    Column("rung", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("next_at", Moment),
    Column("count", Integer, nullable=False),
    Column("last_at", Moment),
    Column("notified_at", Moment),
    Column("accepted_at", Moment),
    Column("resolved_at", Moment),
    Column("closed_at", Moment),
    _text("owner"),
    Column("outcome", Word(Outcome)),
    _text("note"),
    Column("watch_at", Moment),
    Column("en_route_at", Moment),
    Column("on_site_at", Moment),
    Column("followed_up_at", Moment),
    Column("overdue_at", Moment),
    Column("stirred_at", Moment),
    Column("owned_at", Moment),
    Column("reminded", Integer, nullable=False, default=0, server_default="0"),
    Column("coordinator", Text, nullable=False, default="", server_default=""),
    Column("incident", Text, nullable=False, default="", server_default=""),
    Column("also", Json(tuple[Joined, ...]), nullable=False, default=(), server_default="[]"),
    Column("worse_at", Moment),
)
"""The work order, with a copy of the ladder it was opened with."""
Index("ix_alert_home", alert.c.home, alert.c.code, alert.c.subject)
Index("ix_alert_state", alert.c.state)
Index("ix_alert_incident", alert.c.incident)
Index("ix_alert_raised_at", alert.c.raised_at)

finding = Table(
    "finding",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alert", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
"""Which findings are known, and to which alert each belongs: whatever is found twice changes nothing."""
Index("ix_finding_alert", finding.c.alert)

entry = Table(
    "entry",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("alert", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("what", Text, nullable=False),
    _text("who"),
    Column("facts", Json(Facts), nullable=False),
    sqlite_autoincrement=True,
)
"""The history of an alert."""
Index("ix_entry_alert", entry.c.alert)

delivery = Table(
    "delivery",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("alert", Text, nullable=False),
    Column("purpose", Word(Purpose), nullable=False),
    Column("person", Text, nullable=False),
    Column("channel", Text, nullable=False),
    _text("address"),
    Column("created_at", Moment, nullable=False),
    Column("duty", Word(Duty)),
    Column("rung", Integer, nullable=False),
    Column("facts", Json(Facts), nullable=False),
    Column("state", Word(Sending), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment),
    Column("sent_at", Moment),
    _text("reason"),
    _text("code"),
    Column("lasting", Boolean, nullable=False, default=False, server_default=text("false")),
    Column("failed_at", Moment),
    _text("message"),
    Column("delivered_at", Moment),
    Column("opened_at", Moment),
    Column("answered_at", Moment),
    sqlite_autoincrement=True,
)
"""The outbox and its ledger: what must be said, written in the transaction that decided it, and how far it came."""
Index("ix_delivery_alert", delivery.c.alert)
Index("ix_delivery_person", delivery.c.person, delivery.c.created_at)
NAMED = "message <> ''"
Index("ix_delivery_message", delivery.c.message, sqlite_where=text(NAMED))
Index(
    "ix_delivery_sent",
    delivery.c.channel,
    delivery.c.sent_at,
    sqlite_where=text("sent_at is not null"),
)
TRIED = "purpose in ('test', 'drill')"
"""Written out, and not as values: a database takes the index below only for a question in its very words."""
Index("ix_delivery_trial", delivery.c.person, sqlite_where=text(TRIED))
Index(
    "ix_delivery_waiting",
    delivery.c.next_at,
    sqlite_where=text("state = 'waiting'"),
)

timer = Table(
    "timer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
)
"""Deadlines, as absolute moments."""
Index("ix_timer_due_at", timer.c.due_at)

inbound = Table(
    "inbound",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Moment, nullable=False),
)
"""Receipts and answers that came in from providers, by what they were, so that none counts twice."""
Index("ix_inbound_at", inbound.c.at)

button_test = Table(
    "button_test",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("home", Text, nullable=False),
    Column("sensor", Text, nullable=False),
    Column("at", Moment, nullable=False),
    _text("by"),
    sqlite_autoincrement=True,
)
"""Emergency buttons that were tried out and heard."""
Index("ix_button_test_home", button_test.c.home)

visit = Table(
    "visit",
    metadata,
    Column("home", Text, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("elder", Word(Elder), nullable=False),
    _text("note"),
    _text("proof"),
)
"""探访: who went to a home without being called there, and how they found the resident."""
Index("ix_visit_at", visit.c.at)

event = Table(
    "event",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("topic", Text, nullable=False),
    Column("ref", Text, nullable=False),
    _text("home"),
    _text("grid"),
    sqlite_autoincrement=True,
)
"""The bus: what pages, command line and watchdog follow. Its id is the id of a server-sent event."""

audit = Table(
    "audit",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("ref", Text, nullable=False),
    _text("why"),
    Column("facts", Json(Facts), nullable=False),
    Column("salt", Text, nullable=False, server_default=""),
    Column("digest", Text, nullable=False, server_default=""),
    Column("chain", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
"""Who did or read what, when, and why; each row sealed onto the one before it (`gateway.domain.trail`)."""
Index("ix_audit_ref", audit.c.ref)

# ---------------------------------------------------------------- accounts

account = Table(
    "account",
    metadata,
    Column("login", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    _text("person"),
    Column("duty", Word(Duty), nullable=False),
    _text("place"),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("login", Text, ForeignKey("account.login", ondelete="CASCADE"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    _text("browser"),
)
"""Browsers that are signed in, by a hash of what they hold."""
Index("ix_session_login", session.c.login)
Index("ix_session_expires_at", session.c.expires_at)

second_step = Table(
    "second_step",
    metadata,
    Column("login", Text, ForeignKey("account.login", ondelete="CASCADE"), primary_key=True),
    Column("salt", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("used", BigInteger, nullable=False),
)
"""Whoever is asked for six figures after the password, and which of them have opened already."""

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("login", Text, ForeignKey("second_step.login", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", Text, primary_key=True),
)
"""What opens once each when the telephone is lost, by a hash."""

invitation = Table(
    "invitation",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)
"""One-time access, by a hash of the link's secret."""

api_token = Table(
    "api_token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("rights", Json(tuple[str, ...]), nullable=False),
    _text("place"),
    _text("created_by"),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
)
"""By which other programs come in, by a hash of what they hold; they stay, for the audit trail names them."""
Index("ix_api_token_token_hash", api_token.c.token_hash, unique=True)

api_answer = Table(
    "api_answer",
    metadata,
    Column("token", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("asked", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", Moment, nullable=False),
    _text("home"),
)
"""What other programs were answered within the last day, so that asking again acts once."""
Index("ix_api_answer_at", api_answer.c.at)
