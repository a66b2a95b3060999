"""What sensors said, in memory."""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from gateway.domain import Condition, Gap, Kind, Reading
from gateway.ports import Batch, Checkpoint, Hour, HubDevice, Quarantined
from gateway.stores import QUARANTINE_HEAD, QUARANTINE_LIMIT, QUARANTINE_TEXT, SUMMED_UP
from gateway.stores.moments import aware, from_ms, to_ms


class MemoryReadings:
    """What sensors said, until the program ends. Like `readings.db` it keeps times to the millisecond."""

    def __init__(self) -> None:
        self._homes: dict[str, dict[tuple[int, str, Kind, int], Reading]] = {}
        self._last_arrival = 0
        self._checkpoints: dict[str, Checkpoint] = {}
        self._settled = 0
        self._mirrored: int | None = None
        self._heard: dict[str, datetime] = {}
        self._devices: dict[tuple[str, str], HubDevice] = {}
        self._conditions: dict[tuple[str, str], Condition] = {}
        self._gaps: dict[str, tuple[Gap, ...]] = {}
        self._quarantine: dict[tuple[str, str], Quarantined] = {}
        self._refused: dict[str, int] = {}
        self._changing = threading.Lock()

    def last_arrival(self) -> int:
        return self._last_arrival

    def commit_beside(self, batch: Batch) -> Future[None]:
        done: Future[None] = Future()
        self.commit(batch)
        done.set_result(None)
        return done

    def commit(self, batch: Batch) -> None:
        for moment in (*batch.heard.values(), *(refused.at for refused in batch.quarantined)):
            aware(moment)
        with self._changing:
            for reading in batch.readings:
                at, heard = to_ms(reading.at), to_ms(reading.heard)
                key = (at, reading.sensor, reading.kind, reading.seq or -reading.arrival)
                if reading.at.microsecond % 1000 or reading.heard.microsecond % 1000:
                    reading = replace(reading, at=from_ms(at), heard=from_ms(heard))
                self._homes.setdefault(reading.home, {}).setdefault(key, reading)
                self._last_arrival = max(self._last_arrival, reading.arrival)
            self._last_arrival = max(self._last_arrival, batch.last_arrival)
            for home, moment in batch.heard.items():
                self._heard[home] = from_ms(to_ms(moment))
            for device in batch.devices:
                self._devices[device.hub, device.address] = device
            for condition in batch.conditions:
                self._conditions[condition.home, condition.sensor] = condition
            self._gaps |= batch.gaps
            for refused in batch.quarantined:
                self._put_away(refused)

    def _put_away(self, refused: Quarantined) -> None:
        self._refused[refused.reason] = self._refused.get(refused.reason, 0) + refused.count
        topic, at = refused.topic[:QUARANTINE_TEXT], from_ms(to_ms(refused.at))
        earlier = self._quarantine.pop((topic, refused.reason), None)
        self._quarantine[topic, refused.reason] = replace(
            refused,
            topic=topic,
            at=max(at, earlier.at) if earlier else at,
            head=refused.head[:QUARANTINE_HEAD],
            detail=refused.detail[:QUARANTINE_TEXT],
            count=refused.count + (earlier.count if earlier else 0),
        )
        while len(self._quarantine) > QUARANTINE_LIMIT:
            del self._quarantine[next(iter(self._quarantine))]

    def readings(
        self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind] | None = None
    ) -> list[Reading]:
        aware(since), aware(until)
        wanted = None if kinds is None else frozenset(kinds)
        found = [r for r in self._of(home) if since <= r.at < until and (wanted is None or r.kind in wanted)]
        return sorted(found, key=attrgetter("at", "arrival"))

    def newest(self, home: str, kinds: Iterable[Kind], limit: int = 1) -> list[Reading]:
        wanted = frozenset(kinds)
        found = [reading for reading in self._of(home) if reading.kind in wanted]
        return sorted(found, key=attrgetter("at", "arrival"), reverse=True)[:limit]

    def roll_up(self) -> None:
        """Nothing to do: what is asked for is summed up then."""

    def hours(self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind], sensor: str = "") -> list[Hour]:
        told: dict[tuple[datetime, str, Kind], list[float]] = {}
        for reading in self.readings(home, since, until + timedelta(hours=1), frozenset(kinds) & SUMMED_UP):
            hour = reading.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            if since <= hour < until and sensor in ("", reading.sensor):
                told.setdefault((hour, reading.sensor, reading.kind), []).append(reading.value)
        return [
            Hour(name, kind, hour, len(values), sum(values), min(values), max(values))
            for (hour, name, kind), values in sorted(told.items())
        ]

    def replay(self, after: int = 0, home: str | None = None) -> Iterator[Reading]:
        homes = list(self._homes) if home is None else [home]
        found = [reading for name in homes for reading in self._of(name) if reading.arrival > after]
        return iter(sorted(found, key=attrgetter("arrival")))

    def checkpoints(self) -> Iterator[Checkpoint]:
        return iter(list(self._checkpoints.values()))

    def checkpoint(self, home: str) -> Checkpoint | None:
        return self._checkpoints.get(home)

    def keep(self, checkpoints: Iterable[Checkpoint], settled: int, batch: Batch | None = None) -> None:
        if batch:
            self.commit(batch)
        self._checkpoints |= {checkpoint.home: checkpoint for checkpoint in checkpoints}
        self._settled = settled

    def settled(self) -> int:
        return self._settled

    def mirrored(self) -> int | None:
        return self._mirrored

    def mirror(self, arrival: int | None) -> None:
        self._mirrored = arrival

    def forget_checkpoints(self) -> None:
        self._checkpoints.clear()
        self._settled = 0

    def expire(self, before: datetime, apart: Mapping[str, datetime] = {}) -> Mapping[str, int]:
        gone: dict[str, int] = {}
        with self._changing:
            for home, kept in self._homes.items():
                bound = to_ms(apart.get(home, before)) // 3_600_000 * 3_600_000
                old = [key for key in kept if key[0] < bound]
                for key in old:
                    del kept[key]
                if old:
                    gone[home] = len(old)
        return gone

    def expire_hours(self, before: datetime, apart: Mapping[str, datetime] = {}) -> int:
        return 0  # sums are reckoned from the readings here, and go with them

    def forget(self, home: str, hubs: Collection[str], stand_in: str) -> int:
        with self._changing:
            gone = self._homes.pop(home, {})
            self._heard.pop(home, None)
            self._checkpoints.pop(home, None)
            self._gaps.pop(home, None)
            self._conditions = {key: c for key, c in self._conditions.items() if key[0] != home}
            self._devices = {key: device for key, device in self._devices.items() if key[0] not in hubs}
            self._quarantine = {key: kept for key, kept in self._quarantine.items() if kept.hub not in hubs}
            return len(gone)

    def heard(self, home: str | None = None) -> Mapping[str, datetime]:
        return {name: at for name, at in self._heard.items() if home is None or name == home}

    def devices(self, hub: str | None = None) -> list[HubDevice]:
        return [self._devices[key] for key in sorted(self._devices) if hub is None or key[0] == hub]

    def conditions(self, home: str | None = None) -> list[Condition]:
        with self._changing:
            return [self._conditions[key] for key in sorted(self._conditions) if home is None or key[0] == home]

    def gaps(self, home: str | None = None) -> Mapping[str, tuple[Gap, ...]]:
        with self._changing:
            return {name: told for name, told in sorted(self._gaps.items()) if told and home in (None, name)}

    def quarantine(self, limit: int = 200) -> list[Quarantined]:
        with self._changing:
            kept = list(reversed(self._quarantine.values()))
        return sorted(kept, key=attrgetter("at"), reverse=True)[:limit]

    def refused(self) -> Mapping[str, int]:
        return dict(self._refused)

    def tidy(self) -> None:
        """Nothing to do: memory keeps no log."""

    def close(self) -> None:
        """Nothing to do: it is forgotten with the program."""

    def _of(self, home: str) -> list[Reading]:
        with self._changing:
            return list(self._homes.get(home, {}).values())
