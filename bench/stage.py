"""Where a subject is measured: a broker of its own, homes at rest, a generator, and a webhook at the end."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broker import Mosquitto
from homes import DEVICES, Homes
from machine import STATE, BenchError
from subjects import AiomqttEach, CommitEach, Gateway, HomeAssistant, NodeRedAsInstalled, Subject
from traffic import Sink, Traffic, answered, sent_in


@dataclass(frozen=True, slots=True)
class Scale:
    """How long the stages are."""

    homes: int
    idle_presses: int
    steady_s: int
    backlog: int
    storm_s: int
    kills: int
    in_store: int
    quick: bool = False

    @classmethod
    def of(cls, quick: bool) -> "Scale":
        if quick:
            return cls(
                1000, idle_presses=30, steady_s=8, backlog=50_000, storm_s=10, kills=6, in_store=200_000, quick=True
            )
        return cls(1000, idle_presses=60, steady_s=15, backlog=100_000, storm_s=60, kills=20, in_store=1_000_000)


SATURATING = {
    AiomqttEach.name: 20_000,
    CommitEach.name: 20_000,
    HomeAssistant.name: 20_000,
    NodeRedAsInstalled.name: 5_000,
}
"""Readings of the saturation stage where the backlog would take too long: about ten seconds' worth."""


@contextmanager
def running(
    kind: type[Subject],
    scale: Scale,
    *,
    queue: int = 0,
    embedded: bool = False,
    environment: dict | None = None,
    peopled: bool = False,
) -> Iterator[tuple[Subject, Traffic, Sink, Path]]:
    """A subject that has taken in every home at rest, on a broker of its own; all of it is gone afterwards."""
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="road-", dir=STATE))
    homes = Homes(scale.homes, peopled=peopled)
    with Sink(folder) as sink:
        if embedded:
            subject = Gateway(folder, None, sink, homes, environment=environment)
            subject.prepare()
            subject.start()
            try:
                # Two messages a hub under way. With sixteen, 16,000 would wait for their fsync at once, and NATS
                # closes a connection whose message it cannot store within five seconds.
                users = homes.write_users(folder / "users")
                traffic = Traffic(folder, subject.broker_port, homes.count, users=users, window=2)
                _settle(subject, traffic, sink)
                yield subject, traffic, sink, folder
            finally:
                subject.stop()
        else:
            with Mosquitto(folder, queue) as broker:
                given = {"environment": environment} if kind is Gateway else {}
                subject = kind(folder, broker.port, sink, homes, **given)
                if isinstance(subject, Gateway):
                    subject.prepare()
                subject.start()
                try:
                    traffic = Traffic(folder, broker.port, homes.count)
                    _settle(subject, traffic, sink, rest_rate=1000 if queue else 0)
                    yield subject, traffic, sink, folder
                finally:
                    subject.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _settle(subject: Subject, traffic: Traffic, sink: Sink, rest_rate: float = 0) -> None:
    """Wait until it listens, let every device say once that nothing happens, and see a press come through."""
    if isinstance(subject, Gateway):
        subject.wait_well()
    else:
        press_until_answered(subject, traffic, sink)
        subject.listen()
    before = subject.stored()
    traffic.rest(rest_rate)
    said = traffic.homes * len(DEVICES)
    subject.wait_stored(before + said, max(120, said / 1000))
    press_until_answered(subject, traffic, sink)
    time.sleep(1)


def press_until_answered(subject: Subject, traffic: Traffic, sink: Sink) -> None:
    until = time.monotonic() + 90
    while True:
        press = traffic.presses(1000, 1)
        press.result()
        if answered(sent_in(press.log), sink, 1).ms:
            return
        if time.monotonic() > until or not subject.alive():
            raise BenchError(f"{subject.name} answers no press; see {subject.folder}")
