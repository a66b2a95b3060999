"""InfluxDB as a mirror of `readings.db`: what is written there, how it is sent, and how long ranges are read back.

A point is one reading: measurement = its kind, tags home, sensor and room, field `value`. Its time is that of the
reading, to the millisecond; below that stands the end of its arrival number, so that two readings of one millisecond
are two points and the same reading sent twice is one. No person is named.

Written through `/api/v2/write`, read by InfluxQL (`/query`): the only surface that InfluxDB 1.8, 2 and 3 share.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from gateway.domain import Kind, Reading
from gateway.ports import Hour
from gateway.stores.moments import from_ms, to_ms

BELOW_A_MILLISECOND = 1_000_000
"""Nanoseconds: room for the end of an arrival number."""

TIMEOUT_MS = 10_000

HOUR_MS = 3_600_000

_ESCAPED = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ ", "\n": r"\ ", "\\": "/"})


@dataclass(frozen=True, slots=True)
class Influx:
    """Where the mirror stands. The token is a secret."""

    url: str
    token: str
    org: str
    bucket: str


class TryAgain(ConnectionError):
    """The server is away, busy, or does not let us in: nothing was lost, the same is sent later.

    `reason` is short and holds no secret.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def line_of(reading: Reading) -> str:
    """One reading in InfluxDB's line protocol."""
    tags = f"home={_tag(reading.home)},sensor={_tag(reading.sensor)}"
    if reading.room:
        tags += f",room={_tag(reading.room)}"
    at = to_ms(reading.at) * BELOW_A_MILLISECOND + reading.arrival % BELOW_A_MILLISECOND
    late = ",late=true" if reading.late else ""
    return f"{reading.kind.value},{tags} value={reading.value!r}{late} {at}"


def _tag(text: str) -> str:
    return text.translate(_ESCAPED) or "-"  # a tag may not be empty


class InfluxWriter:
    """Sends lines and returns only after the server has said yes."""

    def __init__(self, influx: Influx) -> None:
        from influxdb_client.client.influxdb_client import InfluxDBClient  # a second and 46 MB: only for a mirror
        from influxdb_client.client.write_api import SYNCHRONOUS

        self._influx = influx
        self._client = InfluxDBClient(
            url=influx.url, token=influx.token, org=influx.org, timeout=TIMEOUT_MS, enable_gzip=True, retries=False
        )
        self._write = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[str]) -> list[str]:
        """Write them all; gives back those that the server refuses for what stands in them. Raises TryAgain."""
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        try:
            self._write.write(self._influx.bucket, self._influx.org, list(lines), write_precision="ns")  # type: ignore[arg-type]
        except ApiException as error:
            if error.status not in (400, 413, 422):
                # Without a status it did not come as far as HTTP: the certificate, or the version of TLS.
                raise TryAgain(
                    f"HTTP {error.status}" if error.status else " ".join(str(error.reason).split())
                ) from None
            if len(lines) == 1:
                return list(lines)
            half = len(lines) // 2  # one bad line must not hold back the others
            return self.write(lines[:half]) + self.write(lines[half:])
        except (HTTPError, OSError) as error:
            raise TryAgain(type(error).__name__) from None
        return []

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]


class InfluxHistory:
    """Long ranges read back: the sums of each hour, reckoned by the server."""

    def __init__(self, influx: Influx) -> None:
        self._influx = influx

    def hours(self, home: str, since: datetime, until: datetime, kinds: Iterable[Kind], sensor: str = "") -> list[Hour]:
        """As `ReadingStore.hours`: the whole hours between, in which there was anything. Raises TryAgain."""
        found: list[Hour] = []
        first, last = -(-to_ms(since) // HOUR_MS) * HOUR_MS, -(-to_ms(until) // HOUR_MS) * HOUR_MS
        where = f"home = {_quoted(home)} and time >= {first}ms and time < {last}ms"
        if sensor:
            where += f" and sensor = {_quoted(sensor)}"
        for kind in kinds:
            asked = f'select count(value), sum(value), min(value), max(value) from "{kind.value}" where {where}'  # noqa: S608
            for name, rows in _series(self._ask(f"{asked} group by time(1h), sensor fill(none)")):
                found += [
                    Hour(name, kind, from_ms(at), int(count), float(total), float(least), float(most))
                    for at, count, total, least, most in rows
                ]
        return sorted(found, key=lambda hour: (hour.begins, hour.sensor, hour.kind))

    def _ask(self, question: str) -> Any:
        try:
            from urllib3 import PoolManager
            from urllib3.exceptions import HTTPError
        except ImportError:  # it comes with the client, and that with the extra
            raise TryAgain("the extra `influx` is not installed") from None
        asked = urlencode({"db": self._influx.bucket, "epoch": "ms", "q": question})
        headers = {"Authorization": f"Token {self._influx.token}"} if self._influx.token else {}
        try:
            answer = PoolManager(timeout=TIMEOUT_MS / 1000, retries=False).request(
                "GET", f"{self._influx.url.rstrip('/')}/query?{asked}", headers=headers
            )
        except HTTPError as error:
            raise TryAgain(type(error).__name__) from None
        if answer.status != 200:
            raise TryAgain(f"HTTP {answer.status}")
        return json.loads(answer.data)


def _series(answer: Any) -> Iterator[tuple[str, list[list[Any]]]]:
    """Of each sensor the rows that the server found."""
    for result in answer.get("results", ()):
        for series in result.get("series", ()):
            yield series["tags"]["sensor"], series["values"]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
