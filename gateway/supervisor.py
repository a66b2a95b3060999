"""The small process above those that work: the broker, the gateway, and the mirror where there is one.

When the gateway falls the broker stays up and keeps what arrives meanwhile, and the gateway is started again. When the
broker falls it is started again on the same port. When the supervisor itself goes, however it goes, both go with it,
so that nothing holds the port and the files against the next start. It imports next to nothing and does nothing else.
"""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from gateway.broker import Broker, BrokerError
from gateway.child import end, last_words, spawn
from gateway.pulse import tell_systemd

log = logging.getLogger("shouwang.supervisor")

PAUSE_S: Final = (0.2, 1.0)  # before starting again: the first and the longest, about what a start itself takes
BROKER_PAUSE_S: Final = (0.2, 0.8)  # it starts in a tenth of a second, and while it is down no press is taken
WELL_AFTER_S: Final = 10.0  # who has run this long begins again with the short pause
BROKER_WELL_AFTER_S: Final = 1.0  # it is started when it listens, so one that is well has shown it by then
GATEWAY_STOPS_WITHIN_S: Final = 10.0
MIRROR_STOPS_WITHIN_S: Final = 1.0  # it loses nothing by being ended
ROOM_EVERY_S: Final = 30.0  # how often the broker's queue is looked at
MISCONFIGURED: Final = os.EX_CONFIG
"""With this exit code the gateway says that starting it again is of no use before a person has done something."""

_STOP = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class _Ward:
    """One child: started again whenever it has fallen, after a pause that grows while it keeps falling.

    Who ended by itself may do so again, so its pause begins with the fall. Who was killed may well live, and nobody is
    called meanwhile: its pause began with its start, and who has run for longer is started at once.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], None],
        fallen: Callable[[], int | None],
        well_after_s: float = WELL_AFTER_S,
        pause_s: tuple[float, float] = PAUSE_S,
    ) -> None:
        self.name = name
        self.code: int | None = None  # how it ended; None while it runs
        self.due = 0.0  # when to start it again, while it is down
        self._start = start
        self._fallen = fallen
        self._well_after_s = well_after_s
        self._first, self._longest = pause_s
        self._pause = self._first
        self._since = time.monotonic()
        self._said = ""  # why it does not start

    def look(self, now: float) -> None:
        """Notice a fall; start again when it is time."""
        if self.code is None and (code := self._fallen()) is not None:
            self._has_fallen(now, code)
        if self.code is not None and self.code != MISCONFIGURED and now >= self.due:
            try:
                self._start()
            except (BrokerError, OSError) as error:
                if str(error) != self._said:  # once, and not each second for as long as it lasts
                    log.error("The %s does not start: %s", self.name, error)
                self._said = str(error)
                self._wait(now)
            else:
                self.code, self._said = None, ""
                self._since = time.monotonic()  # a start may take its time, and counts for nothing
                log.info("The %s is up again.", self.name)

    def _has_fallen(self, now: float, code: int) -> None:
        self.code = code
        if now - self._since >= self._well_after_s:
            self._pause = self._first
        self._wait(self._since if code < 0 else now)
        wait = max(0.0, self.due - now)
        log.error("The %s has fallen: %s. Starting it again in %.1f s.", self.name, last_words(code), wait)

    def _wait(self, since: float) -> None:
        self.due = since + self._pause
        self._pause = min(self._pause * 2, self._longest)


class Supervisor:
    """Keeps a broker (or none, where one is configured by its address) and the gateway's command running.

    And a mirror beside it, if there is one: what becomes of that concerns nobody else. Without a gateway's command it
    keeps the broker alone.
    """

    def __init__(self, broker: Broker | None, gateway: Sequence[str], mirror: Sequence[str] = ()) -> None:
        self._broker = broker
        self._command, self._mirrors = gateway, mirror
        self._gateway: subprocess.Popen[bytes] | None = None
        self._mirror: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Until told to stop (TERM, INT, HUP); returns the exit code for the whole.

        Call it from the main thread. It raises BrokerError when the broker cannot be had in the first place.
        """
        # Blocked, so that none is missed between two looks; `sigtimedwait` takes them one by one.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP | {signal.SIGCHLD})
        try:
            if self._broker:
                self._broker.start()
                log.info("The broker listens on %s:%d.", self._broker.host, self._broker.port)
            self._start_gateway()
            if self._mirrors:
                self._start_mirror()
            tell_systemd("READY=1")
            return self._keep()
        finally:
            if self._mirror:
                end(self._mirror, MIRROR_STOPS_WITHIN_S)
            # The gateway first: it settles with the broker what it has stored.
            if self._gateway:
                end(self._gateway, GATEWAY_STOPS_WITHIN_S)
            if self._broker:
                self._broker.stop()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _keep(self) -> int:
        gateway = _Ward("gateway", self._start_gateway, self._gateway_fallen)
        wards = [gateway] if self._command else []
        if self._broker:
            ours = self._broker
            wards.insert(0, _Ward("broker", ours.start, ours.fallen, BROKER_WELL_AFTER_S, BROKER_PAUSE_S))
        if self._mirrors:
            wards.append(_Ward("mirror", self._start_mirror, self._mirror_fallen))
        look_at_room = 0.0
        while True:
            now = time.monotonic()
            tell_systemd("WATCHDOG=1")
            for ward in wards:
                ward.look(now)
            if self._broker and now >= look_at_room:
                look_at_room = now + ROOM_EVERY_S
                self._make_room(self._broker)
            if gateway.code == MISCONFIGURED:
                log.error("The gateway says that it cannot run as it is configured, so everything stops.")
                return MISCONFIGURED
            waits = [ward.due - now for ward in wards if ward.code is not None]
            heard = signal.sigtimedwait(_STOP | {signal.SIGCHLD}, max(0.0, min([*waits, ROOM_EVERY_S])))
            if heard is not None and heard.si_signo in _STOP:
                log.info("Stopping: the gateway first, then the broker.")
                return 0

    def _make_room(self, broker: Broker) -> None:
        try:
            if broker.make_room():
                log.error("The broker's queue was nearly full, so it may grow: nobody takes what it keeps.")
            if broker.mend():
                log.error("The broker's disk was full, and it refused what was published since; it is started anew.")
        except (BrokerError, OSError) as error:
            log.error("The broker's queue may be full, and it cannot be given more room: %s", error)

    def _start_gateway(self) -> None:
        if self._command:
            self._gateway = spawn(self._command)

    def _gateway_fallen(self) -> int | None:
        return self._gateway.poll() if self._gateway else None

    def _start_mirror(self) -> None:
        self._mirror = spawn(self._mirrors)

    def _mirror_fallen(self) -> int | None:
        return self._mirror.poll() if self._mirror else None


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m gateway.supervisor --state DIR --port 1883 -- COMMAND…`, so that nothing else need be imported."""
    parser = argparse.ArgumentParser(prog="python -m gateway.supervisor", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the state folder")
    parser.add_argument("--no-broker", action="store_true", help="a broker is configured by its address")
    parser.add_argument("--host", default="127.0.0.1", help="where the broker listens")
    parser.add_argument("--port", type=int, default=1883, help="0 picks a free one and keeps to it")
    parser.add_argument("--cert", type=Path, help="the broker's certificate: it then speaks TLS only")
    parser.add_argument("--key", type=Path, help="the certificate's private key")
    parser.add_argument("--mirror", action="store_true", help="keep `gateway.mirror` running too")
    parser.add_argument("--config", type=Path, help="the mirror's settings file")
    parser.add_argument("gateway", nargs="*", help="the gateway's command line, after --; without it the broker alone")
    given = parser.parse_args(arguments)
    level = os.environ.get("SHOUWANG_LOG", "info").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(message)s")
    try:
        broker = (
            None if given.no_broker else Broker(given.state, given.host, given.port, cert=given.cert, key=given.key)
        )
        mirror = [sys.executable, "-m", "gateway.mirror"] if given.mirror else []
        if mirror and given.config:
            mirror += ["--config", str(given.config)]
        return Supervisor(broker, given.gateway, mirror).run()
    except BrokerError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
