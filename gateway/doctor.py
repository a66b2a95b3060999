"""Looks at a gateway's files, its machine and its ways, and says of each thing how it is and what to do."""

import ctypes
import socket
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import reserve
from gateway.backup import last_backup
from gateway.broker import BrokerError
from gateway.callees import read_people
from gateway.config import Settings
from gateway.domain.trail import examined
from gateway.notices import AHEAD, NoCertificate, certificates
from gateway.pulse import HEARTBEAT, WATCHDOG, last_sign_of, pulse_in
from gateway.refusals import N_, Sentence
from gateway.rescue import EVERY, last_copy, noted_missing
from gateway.stores import WrongBook

if TYPE_CHECKING:
    from gateway.app import Stores

TIGHT = 1024**3
"""With less free disk than this somebody should look for what fills it."""

STUCK = timedelta(minutes=5)
"""A message that is due and was not sent for so long."""

RECENT = timedelta(days=30)

DRIFT_S = 0.2
"""By how much the time of day may move against the machine's own clock while we look."""

LOOKS_FOR_S = 0.5

BACKED_UP = timedelta(days=8)
"""A backup that is older than this is told: a weekly timer and a day to spare."""

TO_READ_AGAIN = 200_000
"""Readings behind the checkpoints; more of them make a start slow."""

ALL = 10_000_000
"""Rows of the audit trail that are looked at."""

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)

_TIME_ERROR = 5  # what adjtimex answers while no source of time is trusted


class Grade(StrEnum):
    WELL = "well"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at, how it is, and what to do about it."""

    grade: Grade
    what: Sentence
    to_do: Sentence | None = None


def _said(text: str, **values: object) -> Sentence:
    return Sentence(text, tuple(values.items()))


def _well(text: str, **values: object) -> Remark:
    return Remark(Grade.WELL, _said(text, **values))


def _bad(text: str, to_do: str, **values: object) -> Remark:
    return Remark(Grade.BAD, _said(text, **values), _said(to_do, **values))


def _note(text: str, to_do: str, **values: object) -> Remark:
    return Remark(Grade.NOTE, _said(text, **values), _said(to_do, **values))


def examine(settings: Settings, now: datetime, *, deep: bool = False) -> Iterator[Remark]:
    """Everything, the files first: what is broken there may be why the rest is."""
    files = list(_files(settings, deep))
    if all(remark.grade is Grade.WELL for remark in files):
        files += _layout(settings)
    yield from files
    yield from _modes(settings)
    yield from _disk(settings)
    yield from _clock(now)
    yield from _gateway(settings)
    yield from _broker(settings)
    yield from _watchdog(settings)
    yield from _copies(settings, now)
    yield from _certificates(settings, now)
    if all(remark.grade is Grade.WELL for remark in files):
        yield from _book(settings, now)


# --------------------------------------------------------------------------- files


def _files(settings: Settings, deep: bool) -> Iterator[Remark]:
    """Whether both files are what they were written as."""
    names = ("readings.db",) if settings.book else ("gateway.db", "readings.db")
    for name in names:
        path = settings.state / name
        if not path.exists():
            yield _bad(
                N_("{file} is not there."),
                N_("Restore it from a backup, or name the right folder with --state."),
                file=name,
            )
            continue
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
                wrong = [row[0] for row in db.execute("pragma integrity_check" if deep else "pragma quick_check(5)")]
                orphans = db.execute("pragma foreign_key_check").fetchall()
        except sqlite3.DatabaseError as error:
            wrong, orphans = [str(error)], []
        if wrong != ["ok"]:
            yield _bad(
                N_("{file} is damaged: {why}."),
                N_("Stop the gateway, keep the file, restore the newest backup; the broker still has what came since."),
                file=name,
                why=wrong[0],
            )
        elif orphans:
            yield _bad(
                N_("{file}: {count} rows name others that are not there."),
                N_("Keep the file and restore the newest backup; then report this."),
                file=name,
                count=len(orphans),
            )
        else:
            yield _well(N_("{file} is whole."), file=name)


def _layout(settings: Settings) -> Iterator[Remark]:
    """Whether the book is of this version of the program. It is only looked at: a start brings it up to date."""
    from gateway.stores.book import HEAD

    try:
        stands_at = _revision(settings)
    except WrongBook as why:
        yield _bad(
            N_("The book cannot be opened: {why}."),
            N_("Start its database, and look at `database` in the settings."),
            why=why,
        )
        return
    if stands_at == HEAD:
        yield _well(N_("The book's tables are those of this version ({version})."), version=HEAD)
    else:
        yield _note(
            N_("The book's tables are those of version {old}; this program knows {version}."),
            N_("An older book is brought up to date at the next start; for a newer one install the newer program."),
            old=stands_at or "-",
            version=HEAD,
        )


def _revision(settings: Settings) -> str | None:
    if settings.book:
        from gateway.stores.sql import open_book, revision

        engine = open_book(settings.book, migrate=False)
        try:
            return revision(engine)
        finally:
            engine.dispose()
    with closing(sqlite3.connect(f"file:{settings.state / 'gateway.db'}?mode=ro", uri=True, timeout=10)) as db:
        try:
            return str(db.execute("select version_num from alembic_version").fetchone()[0])
        except (sqlite3.OperationalError, TypeError):
            return None  # an empty book


def _modes(settings: Settings) -> Iterator[Remark]:
    """Whether anybody else on this machine could read what lies in the state folder."""
    open_ones = sorted(str(path.relative_to(settings.state)) for path in _private(settings.state) if _is_open(path))
    if open_ones:
        yield _bad(
            N_("Others on this machine may read {files}."),
            N_("`chmod -R go-rwx` the state folder, and look why they could."),
            files=", ".join(open_ones[:5]) + (" …" if len(open_ones) > 5 else ""),
        )
    else:
        yield _well(N_("Only the gateway's user can read its files."))


def _private(folder: Path) -> Iterator[Path]:
    """The folder's own files and those of its folders; what lies deeper is behind a folder that is shut."""
    if folder.is_dir():
        for path in folder.iterdir():
            yield path
            if path.is_dir() and _is_open(path):
                yield from path.iterdir()


def _is_open(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False  # a file that comes and goes
    return not stat.S_ISLNK(mode) and bool(mode & 0o077)


# --------------------------------------------------------------------------- the machine


def _disk(settings: Settings) -> Iterator[Remark]:
    if not settings.state.is_dir():
        return
    room = reserve.Reserve(settings.state)
    free = room.free()
    megabytes = free // 1024**2
    if not room.stands():
        yield _bad(
            N_("The disk is full, or was: there is no reserve for alarms. {free} MB are free."),
            N_("Make room for {wanted} MB; the reserve then comes back by itself while the gateway runs."),
            free=megabytes,
            wanted=(reserve.SIZE + reserve.AMPLE) // 1024**2,
        )
    elif free < TIGHT:
        yield _note(
            N_("{free} MB are free on the disk."), N_("Look for what fills it before it is full."), free=megabytes
        )
    else:
        yield _well(N_("{free} MB are free on the disk, and the reserve stands."), free=megabytes)


def _clock(now: datetime) -> Iterator[Remark]:
    """Whether the time of day can be believed."""
    from gateway.clock import SystemClock

    began, told = time.monotonic(), SystemClock().now()
    time.sleep(LOOKS_FOR_S)
    drift = (SystemClock().now() - told).total_seconds() - (time.monotonic() - began)
    if now < EARLIEST:
        yield _bad(
            N_("It cannot be {now}."), N_("Set the clock, and let it follow a time server."), now=f"{now:%Y-%m-%d}"
        )
    elif abs(drift) > DRIFT_S:
        yield _bad(
            N_("The time of day jumped by {seconds} s while it was looked at."),
            N_("Let one program alone set the clock."),
            seconds=f"{drift:+.1f}",
        )
    elif not is_synchronised():
        yield _note(
            N_("The clock follows no time server."),
            N_("Install chrony or turn on systemd-timesyncd: what a device says is judged by this clock."),
        )
    else:
        yield _well(N_("The clock follows a time server."))


def is_synchronised() -> bool:
    """What the kernel says; it is asked and nothing is set."""
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    return 0 <= state < _TIME_ERROR


# --------------------------------------------------------------------------- what runs


def _gateway(settings: Settings) -> Iterator[Remark]:
    found = last_sign_of(settings.state / HEARTBEAT, time.monotonic())
    pulse = pulse_in(found[1]) if found else None
    if found is None or pulse is None or found[0] > settings.watchdog.after.total_seconds():
        yield _bad(N_("The gateway does not run, or hangs."), N_("Start it, and read the end of its log."))
        return
    still = max(pulse.road_s, pulse.courier_s)
    if still > settings.watchdog.after.total_seconds():
        yield _bad(
            N_("The gateway runs, but a part of it has stood still for {seconds} s."),
            N_("Start it again."),
            seconds=int(still),
        )
    elif pulse.deaf_s:
        yield _bad(
            N_("The gateway has not heard the broker for {seconds} s."),
            N_("Look whether the broker runs, at `broker.url`, its password and its certificate."),
            seconds=int(pulse.deaf_s),
        )
    else:
        yield _well(N_("The gateway runs and hears the broker; {homes} homes."), homes=pulse.homes)


def _broker(settings: Settings) -> Iterator[Remark]:
    from gateway.app import endpoint

    try:
        where = endpoint(settings)
        socket.create_connection((where.host, where.port), timeout=5).close()
    except BrokerError as error:
        yield _bad(N_("There is no broker: {why}"), N_("Start the gateway once; it sets up its own."), why=error)
    except OSError as error:
        yield _bad(
            N_("The broker does not answer: {why}."),
            N_("Start it: `systemctl start shouwang-broker`, or look at `broker.url`."),
            why=error.strerror or error,
        )
    else:
        yield _well(N_("The broker answers at port {port}."), port=where.port)


def _watchdog(settings: Settings) -> Iterator[Remark]:
    folder = settings.state / WATCHDOG
    seen = last_sign_of(folder / HEARTBEAT, time.monotonic())
    if seen is None or seen[0] > settings.watchdog.after.total_seconds():
        yield _bad(
            N_("No watchdog runs: nobody would be told that the gateway is dead."),
            N_("`systemctl enable --now shouwang-watchdog`; docs/operations.md says more."),
        )
    else:
        yield _well(N_("A watchdog watches."))
    if not settings.watchdog.ways and not read_people(folder / "people.json"):
        yield _bad(
            N_("The watchdog knows nobody to tell."),
            N_("Give an administrator a way (`shouwang people put … --duty admin --reach …`), or set `watchdog.tell`."),
        )
    if not settings.watchdog.ping.get_secret_value():
        yield _note(
            N_("When this whole machine dies nobody is told."),
            N_("Set `watchdog.ping` to a dead man's switch outside, or let another machine follow this one."),
        )


def _copies(settings: Settings, now: datetime) -> Iterator[Remark]:
    """Whether something could take the place of a file that is damaged."""
    made = last_copy(settings.state)
    if made is None or now - made > 2 * EVERY:
        yield _note(
            N_("No copy of the files was made within two days."),
            N_("A gateway that runs makes one a day; look into its log. For another disk: `shouwang backup`."),
        )
    else:
        yield _well(N_("The files were copied on {day}."), day=f"{made:%Y-%m-%d %H:%M} UTC")
    backup = last_backup(settings.state)
    if backup is None or now - backup["made_at"] > BACKED_UP:
        yield _note(
            N_("No backup was made within eight days."),
            N_("Copies on this disk go with it: put `shouwang backup --to …` into a timer, onto another disk."),
        )
    else:
        day = f"{backup['made_at']:%Y-%m-%d %H:%M} UTC"
        yield _well(N_("The last backup is of {day}: {path}."), day=day, path=backup["path"])
    if noted_missing(settings.state):
        yield _bad(
            N_("At the last start something that was known was missing."),
            N_("It is told at the next round; what was put aside lies in `damaged`."),
        )


def _certificates(settings: Settings, now: datetime) -> Iterator[Remark]:
    for which, look in certificates(settings).items():
        try:
            ends = look()
        except NoCertificate as why:
            yield _bad(
                N_("The certificate of {which} cannot be looked at: {why}."),
                N_("Look at its file and its server."),
                which=which,
                why=why,
            )
            continue
        days = (ends - now).days
        if ends - now <= AHEAD[-1]:
            yield _bad(
                N_("The certificate of {which} ends on {until}."),
                N_("Renew it now."),
                which=which,
                until=f"{ends:%Y-%m-%d}",
            )
        elif ends - now <= AHEAD[0]:
            yield _note(
                N_("The certificate of {which} ends in {days} days."), N_("Renew it before."), which=which, days=days
            )
        else:
            yield _well(N_("The certificate of {which} is good for {days} days."), which=which, days=days)


# --------------------------------------------------------------------------- what stands in the book


def _book(settings: Settings, now: datetime) -> Iterator[Remark]:
    from gateway.app import open_stores

    stores = open_stores(settings.state, settings.book)
    try:
        yield from _trail(stores)
        yield from _channels(settings, stores, now)
        yield from _messages(stores, now)
        yield from _rows(stores, now)
        yield from _checkpoints(settings)
    finally:
        stores.readings.close()


def _trail(stores: "Stores") -> Iterator[Remark]:
    if broken := examined(stores.alerts.sealed(limit=ALL)):
        yield _bad(
            N_("The audit trail was altered: {count} places, the first at row {row}."),
            N_("Keep the file as it is, and compare it with the backups."),
            count=len(broken),
            row=broken[0].number,
        )
    else:
        yield _well(N_("The audit trail is unbroken."))


def _channels(settings: Settings, stores: "Stores", now: datetime) -> Iterator[Remark]:
    """Each channel by which anybody is reached: whether it is set up, and what it did last."""
    used = {reach.channel for person in stores.registry.people() for reach in person.reaches}
    failed = {trial.channel: trial for trial in stores.alerts.trials() if trial.failed_at is not None}
    for channel in sorted(used):
        sent = stores.alerts.sent(channel, now - RECENT, limit=1)
        last = f"{sent[0].sent_at:%Y-%m-%d %H:%M}Z" if sent and sent[0].sent_at else ""
        if channel not in settings.ready_channels:
            yield _bad(
                N_("People are to be told by {channel}, which is not set up."),
                N_("Set up [channels.{channel}], or give them another way."),
                channel=channel,
            )
        elif channel in failed and failed[channel].sent_at is None:
            yield _note(
                N_("{channel}: a test failed last time ({why})."),
                N_("`shouwang drill list` says whose; `shouwang tell` tries it again."),
                channel=channel,
                why=failed[channel].reason,
            )
        elif last:
            yield _well(N_("{channel}: last sent at {last}."), channel=channel, last=last)
        else:
            yield _note(
                N_("{channel}: nothing was sent by it within thirty days."),
                N_("Try it on a quiet afternoon: `shouwang tell PERSON`."),
                channel=channel,
            )


def _messages(stores: "Stores", now: datetime) -> Iterator[Remark]:
    stuck = [one for one in stores.alerts.outbox(now) if now - (one.next_at or one.created_at) > STUCK]
    if stuck:
        yield _bad(
            N_("{count} messages have been due for more than five minutes."),
            N_("Look whether the gateway runs, and at the channel {channel}."),
            count=len(stuck),
            channel=stuck[0].channel,
        )
    else:
        yield _well(N_("No message waits for longer than it should."))


def _rows(stores: "Stores", now: datetime) -> Iterator[Remark]:
    """Whether every alert that is not closed, every message that waits and all of the registry can be read."""
    stores.registry.homes()
    if left_out := stores.registry.illegible():
        yield _bad(
            N_("{count} rows of the registry cannot be read wholly, and what cannot is left out; the first is {row}."),
            N_("See to that home yourself. After a way back to an older version, go forward again; then report this."),
            count=len(left_out),
            row=left_out[0],
        )
    stores.alerts.alerts(unclosed=True, limit=ALL)
    stores.alerts.outbox(now + timedelta(days=366), ALL)
    if left_out := stores.alerts.illegible():
        yield _bad(
            N_("{count} alerts or messages cannot be read and are left out; the first is {row}."),
            N_("See to that home yourself. After a way back to an older version, go forward again; then report this."),
            count=len(left_out),
            row=left_out[0],
        )


def _checkpoints(settings: Settings) -> Iterator[Remark]:
    """How much a start would have to read again."""
    path = settings.state / "readings.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        count = db.execute("select coalesce(sum(readings), 0) from recent").fetchone()[0]
    if count > TO_READ_AGAIN:
        yield _note(
            N_("{count} readings would be read again at the next start: checkpoints are old."),
            N_("While the gateway runs they are written each minute; its log says why they are not."),
            count=count,
        )
    else:
        yield _well(N_("{count} readings would be read again at the next start."), count=count)
