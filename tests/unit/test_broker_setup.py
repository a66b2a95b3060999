"""What stands in the folder of the broker that comes with us, for whoever takes its place."""

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway import broker
from gateway.broker import BrokerError, Setup, copy_queue, new_secret, setup_of


def test_a_hub_is_let_in_with_its_own_secret_and_nobody_with_anothers() -> None:
    (first, hashed), (second, other) = new_secret(), new_secret()
    setup = Setup("127.0.0.1", 1883, {"hub-1": hashed, "hub-2": other})

    assert setup.admits("hub-1", first)
    assert setup.admits("hub-2", second)
    assert not setup.admits("hub-1", second)
    assert not setup.admits("hub-1", "")
    assert not setup.admits("hub-3", first)
    assert not setup.admits("_gateway", first)


def test_where_no_broker_was_ever_made_nobody_can_take_its_place(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="no embedded broker"):
        setup_of(tmp_path)


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    (folder := tmp_path / "state" / "broker" / "js" / "jetstream").mkdir(parents=True)
    (folder / "1.blk").write_bytes(b"x" * 1000)
    (tmp_path / "copy" / "broker").mkdir(parents=True)
    return tmp_path


def test_the_queue_is_copied_whole(queue: Path) -> None:
    copy_queue(queue / "state", queue / "copy")

    assert (queue / "copy/broker/js/jetstream/1.blk").read_bytes() == b"x" * 1000


def test_a_queue_that_would_fill_the_place_is_not_copied(queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker.os, "statvfs", lambda _: SimpleNamespace(f_bavail=1, f_frsize=1999))

    with pytest.raises(OSError) as full:
        copy_queue(queue / "state", queue / "copy")
    assert full.value.errno == errno.ENOSPC
    assert not (queue / "copy/broker/js").exists()
