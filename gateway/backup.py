"""Everything that must survive in one file, made while the gateway runs; and the way back.

A backup is a `tar.gz` of the state folder: both databases as they stood at one moment each, secrets, pictures, and a
list of what is in it with the digest of every file. With recipients it is sealed by age (age-encryption.org): the
machine that makes it cannot open it again, only whoever holds the key can.

Left out is what the next start makes anew, and the broker's queue, whose messages belong to the broker that has them.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, Any

from gateway.pulse import HEARTBEAT, WATCHDOG, last_sign_of
from gateway.refusals import N_, Sentence
from gateway.rescue import COPIES, DAMAGED, Missing, note_missing
from gateway.stores.copies import copy_of, what_is_wrong

LIST = "backup.json"
LAST = "backup.last"
"""In the state folder: when, where and how the last backup was made, for whoever asks how old it is."""

FORMAT = 1

DATABASES = ("readings.db", "gateway.db")
"""In this order: an alert without its reading is known to be one, a reading whose alert is missing told nobody."""

LEFT_OUT = frozenset({"reserve", HEARTBEAT, WATCHDOG, COPIES, DAMAGED, "js", "mirror.json", LAST})
"""Files and folders that are not taken along, wherever they lie in the state folder."""

LEFT_OUT_KINDS = (".db-wal", ".db-shm", ".db-journal", ".pid", ".log", ".new")

STILL_ALIVE_S = 20.0


class BackupError(Exception):
    """It was not made, or not restored; what was there before is untouched. Says why, in each language."""

    def __init__(self, text: str, **values: object) -> None:
        self.sentence = Sentence(text, tuple(values.items()))
        super().__init__(str(self.sentence))

    def say(self, language: str) -> str:
        return self.sentence.say(language)


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a backup."""

    made_at: datetime
    program: str
    files: dict[str, tuple[int, str]]  # name -> size in bytes, SHA-256
    with_readings: bool
    with_book: bool

    @property
    def size(self) -> int:
        return sum(size for size, _ in self.files.values())


# --------------------------------------------------------------------------- making one


def make(
    state: Path, to: Path, now: datetime, *, recipients: Sequence[str] = (), readings: bool = True
) -> tuple[Path, Contents]:
    """A backup in the folder `to`, under a name made of the time. It is read back before it is called one.

    Raises BackupError; then nothing of it is left.
    """
    if to.resolve().is_relative_to(state.resolve()):
        raise BackupError(N_("{folder} lies in what is backed up: name another, best on another disk."), folder=to)
    to.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(to).free < 2 * _weight(state, readings):
        raise BackupError(N_("{folder} has not twice the room that the state needs."), folder=to)
    name = f"shouwang-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.tar.gz"
    with tempfile.TemporaryDirectory(prefix=".shouwang-", dir=to) as scratch:
        plain = Path(scratch, name)
        contents = _pack(state, Path(scratch), plain, now, readings)
        if _read(plain) != contents:
            raise BackupError(N_("What was written to {folder} does not read back as it was."), folder=to)
        made = _seal(plain, recipients) if recipients else plain
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.chmod(0o600)
        kept = made.rename(to / made.name)
    _note_last(state, kept, contents)
    return kept, contents


def _note_last(state: Path, made: Path, contents: Contents) -> None:
    """A backup is one also where nobody may write that it was made."""
    told = {
        "made_at": contents.made_at.isoformat(),
        "path": str(made),
        "size": made.stat().st_size,
        "is_sealed": made.suffix == ".age",
        "with_readings": contents.with_readings,
    }
    begun = state / f"{LAST}.new"
    with suppress(OSError):
        with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(told, file)
        begun.replace(state / LAST)


def last_backup(state: Path) -> dict[str, Any] | None:
    """What was noted of the last one, with `made_at` as a moment; None where none was ever made here."""
    try:
        told = json.loads((state / LAST).read_text())
        return {**told, "made_at": datetime.fromisoformat(told["made_at"])}
    except (OSError, ValueError, KeyError):
        return None


def _pack(state: Path, scratch: Path, packed: Path, now: datetime, readings: bool) -> Contents:
    sources: dict[str, Path] = {}
    for database in DATABASES:
        if (state / database).exists() and (readings or database != "readings.db"):
            copy_of(state / database, scratch / database)
            if wrong := what_is_wrong(scratch / database):
                raise BackupError(
                    N_("{file} is damaged ({why}): no backup was made, so that no good one makes room for it."),
                    file=database,
                    why=wrong,
                )
            sources[database] = scratch / database
    if not sources:
        raise BackupError(N_("There is no gateway in {folder}."), folder=state)
    sources |= {str(path.relative_to(state)): path for path in _kept(state)}
    files: dict[str, tuple[int, str]] = {}
    descriptor = os.open(packed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
        for name, path in sorted(sources.items()):
            try:
                content = path.open("rb")
            except FileNotFoundError:
                continue  # it went while we were at it: a picture that was taken away
            with content:
                size = os.fstat(content.fileno()).st_size
                files[name] = size, _digest(content)
                content.seek(0)
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime = size, 0o600, int(now.timestamp())
                tar.addfile(entry, content)
        contents = Contents(now, version("shouwang"), files, "readings.db" in files, "gateway.db" in files)
        told = json.dumps({**_as_plain(contents), "format": FORMAT}, indent=1).encode()
        entry = tarfile.TarInfo(LIST)
        entry.size, entry.mode, entry.mtime = len(told), 0o600, int(now.timestamp())
        tar.addfile(entry, io.BytesIO(told))
    return contents


def _kept(state: Path) -> Iterator[Path]:
    """Everything else that is a file; a new kind of file is taken along without anybody thinking of it."""
    for folder, folders, names in os.walk(state):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in names:
            path = Path(folder, name)
            is_database = path.parent == state and name in DATABASES
            if path.is_file() and not is_database and name not in LEFT_OUT and not name.endswith(LEFT_OUT_KINDS):
                yield path


def _weight(state: Path, readings: bool) -> int:
    databases = [state / name for name in DATABASES if readings or name != "readings.db"]
    return sum(path.stat().st_size for path in (*databases, *_kept(state)) if path.exists())


def _digest(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # what a tar gives is a reader too


def _as_plain(contents: Contents) -> dict[str, Any]:
    return {
        "made_at": contents.made_at.isoformat(),
        "program": contents.program,
        "files": {name: list(one) for name, one in contents.files.items()},
    }


def prune(folder: Path, keep: timedelta, now: datetime) -> list[Path]:
    """Delete backups by our name that are older than this; called only after a new one was made."""
    gone = []
    for path in sorted(folder.glob("shouwang-*.tar.gz*")):
        try:
            made = datetime.strptime(path.name[9:25], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            continue
        if now - made > keep:
            path.unlink()
            gone.append(path)
    return gone


# --------------------------------------------------------------------------- sealing


def _age() -> Any:
    try:
        import pyrage
    except ImportError:
        raise BackupError(N_("Sealed backups need pyrage: `pip install 'shouwang[age]'`.")) from None
    return pyrage


def _seal(plain: Path, recipients: Sequence[str]) -> Path:
    age, sealed = _age(), plain.with_name(plain.name + ".age")
    try:
        keys = [age.x25519.Recipient.from_str(one) for one in recipients]
    except age.RecipientError:
        raise BackupError(N_("A recipient is a public key of age, like age1…")) from None
    with plain.open("rb") as source, sealed.open("wb") as target:
        age.encrypt_io(source, target, keys)
    return sealed


@contextmanager
def _opened(file: Path, identity: Path | None, scratch: Path) -> Iterator[Path]:
    """The plain backup; a sealed one is opened beside where it goes."""
    if file.suffix != ".age":
        yield file
        return
    if identity is None:
        raise BackupError(N_("{file} is sealed: name the file with the key by --identity."), file=file.name)
    age = _age()
    words = [line for line in identity.read_text().split() if line.startswith("AGE-SECRET-KEY-")]
    plain = scratch / file.name.removesuffix(".age")
    try:
        keys = [age.x25519.Identity.from_str(word) for word in words]
        with file.open("rb") as source, plain.open("wb") as target:
            age.decrypt_io(source, target, keys)
    except (age.IdentityError, age.DecryptError):
        raise BackupError(N_("{key} does not open {file}."), key=identity.name, file=file.name) from None
    yield plain


# --------------------------------------------------------------------------- looking into one, and the way back


def look_into(file: Path, *, identity: Path | None = None) -> Contents:
    """Read a backup from beginning to end and hold every file against its digest. Raises BackupError."""
    with (
        tempfile.TemporaryDirectory(prefix=".shouwang-", dir=file.parent) as scratch,
        _opened(file, identity, Path(scratch)) as plain,
    ):
        return _read(plain)


def is_lived_in(state: Path) -> bool:
    """Whether a gateway runs in this folder."""
    sign = last_sign_of(state / HEARTBEAT, time.monotonic())
    return sign is not None and sign[0] < STILL_ALIVE_S


def restore(file: Path, state: Path, now: datetime, *, identity: Path | None = None, over: bool = False) -> Contents:
    """Make the state folder from a backup: all of it, or nothing.

    A folder that has something in it is refused, or with `over` kept under another name. Raises BackupError.
    """
    if is_lived_in(state):
        raise BackupError(N_("A gateway runs in {folder}: stop it first."), folder=state)
    there = state.exists() and any(state.iterdir())
    if there and not over:
        raise BackupError(N_("{folder} has something in it: with --over it is kept under another name."), folder=state)
    state.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".shouwang-", dir=state.parent) as scratch:
        made = Path(scratch, "state")
        with _opened(file, identity, Path(scratch)) as plain:
            contents = _read(plain, into=made)
        for database in DATABASES:
            if (made / database).exists() and (wrong := what_is_wrong(made / database)):
                raise BackupError(N_("{file} in the backup is damaged: {why}."), file=database, why=wrong)
        note_missing(made, Missing("backup", now, contents.made_at))
        if there:
            state.rename(state.with_name(f"{state.name}.before-{now:%Y%m%dT%H%M%S}"))
        elif state.exists():
            state.rmdir()
        made.rename(state)
    return contents


def _read(packed: Path, *, into: Path | None = None) -> Contents:
    """Every file held against its digest; with `into` written there, for this user only."""
    seen: dict[str, tuple[int, str]] = {}
    told: dict[str, Any] = {}
    try:
        with tarfile.open(packed, "r:gz") as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isfile() else None
                if content is None or not _is_safe(entry.name):
                    raise BackupError(
                        N_("{file} is no backup of ours: {name} is in it."), file=packed.name, name=entry.name
                    )
                if entry.name == LIST:
                    told = json.load(content)
                    continue
                if into is None:
                    seen[entry.name] = entry.size, _digest(content)
                else:
                    seen[entry.name] = entry.size, _write(content, into / entry.name)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise BackupError(N_("{file} cannot be read: {why}."), file=packed.name, why=error) from error
    if told.get("format", FORMAT + 1) > FORMAT:
        raise BackupError(N_("{file} is no backup, or one of a newer program."), file=packed.name)
    files = {name: (one[0], one[1]) for name, one in told["files"].items()}
    if wrong := sorted(name for name in files.keys() | seen.keys() if files.get(name) != seen.get(name)):
        raise BackupError(N_("{file} is damaged: {name} is not as it was."), file=packed.name, name=wrong[0])
    made_at = datetime.fromisoformat(told["made_at"])
    return Contents(made_at, told["program"], files, "readings.db" in files, "gateway.db" in files)


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _write(content: IO[bytes], to: Path) -> str:
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := content.read(1 << 20):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
