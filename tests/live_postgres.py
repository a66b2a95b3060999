"""A real PostgreSQL, the child of the tests that ask for it, with a database of its own for each test."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from gateway.stores.sql import open_book
from gateway.stores.tables import metadata

PATIENCE_S = 30.0


class LivePostgres:
    """A server on a free port of this machine. A test may kill it and start it again."""

    def __init__(self) -> None:
        self._programs = _programs()
        # The server refuses to be root, and must reach its folder by that other user's rights.
        self.folder = Path(tempfile.mkdtemp(prefix="shouwang-postgres-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._count = 0
        self._book = ""
        self._run("initdb", "-D", self._data, "-U", "shouwang", "-A", "trust", "-E", "UTF8", "--locale", "C")
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments], user=self._user, cwd=self.folder, capture_output=True, check=False
        )
        if done.returncode:
            pytest.fail(f"{program}: {done.stderr.decode()}")

    def start(self, *, durable: bool = False) -> None:
        """`durable`: as it should be run; without it commits do not wait for the disk."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "on" if durable else "off",
            "shared_buffers": "16MB",
            "max_connections": 40,
            "recovery_init_sync_method": "syncfs",
        }
        self._child = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, *(f"--{name}={value}" for name, value in settings.items())],
            user=self._user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """As the power would go: nothing is finished."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()

    def remove(self) -> None:
        if self._child is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)  # its children may still be ending

    def url(self, database: str) -> str:
        return f"postgresql://shouwang@127.0.0.1:{self.port}/{database}"

    def create(self, more: str = "", *, like: str = "template0") -> str:
        """The URL of a new database: empty, or with everything that is in another one."""
        self._count += 1
        name = f"book{self._count}"
        self._tell("postgres", f"create database {name} template {like} {more}")
        return self.url(name)

    def drop(self, database: str) -> None:
        self._tell("postgres", f"drop database {database} with (force)")

    def empty_book(self) -> str:
        """The URL of a database with all tables and no row: always the same one, for making one takes a second."""
        if not self._book:
            self._book = self.create()
            open_book(self._book).dispose()
        rows = "; ".join(f"delete from {table.name}" for table in reversed(metadata.sorted_tables))
        numbers = "select setval(oid, 1, false) from pg_class where relkind = 'S'"
        self._tell(self._book.rpartition("/")[2], f"{rows}; {numbers}")
        return self._book

    def _tell(self, database: str, statement: str) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # text that is made here


def _programs() -> Path:
    """Where Debian puts them: on nobody's path, a folder for each version."""
    found = shutil.which("postgres") or max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)
    if found is None:
        pytest.skip("there is no PostgreSQL on this machine (apt-get install postgresql)")
    return Path(found).parent
