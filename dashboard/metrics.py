"""Figures for a monitoring system, in the form that Prometheus reads: counts and ages, of no home and no person."""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from dashboard.addresses import Addresses
from dashboard.house import House
from gateway.domain import Severity

if TYPE_CHECKING:  # loaded when somebody asks
    from prometheus_client.core import Metric

ALL = 100_000
"""More alerts or messages than these are counted as so many."""


def routes(house: House) -> Addresses:
    """`/metrics`, for whoever shows the token; without one for this machine, while it serves nobody else."""
    router = Addresses()

    @router.get("/metrics")
    def metrics(request: Request) -> Response:
        if not may_read(house, request):
            raise HTTPException(401)
        from prometheus_client import ProcessCollector
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        class Collected:
            def collect(self) -> Iterable["Metric"]:
                yield from figures(house)
                yield from ProcessCollector(registry=None).collect()

        return Response(generate_latest(Collected()), media_type=CONTENT_TYPE_LATEST)

    return router


def may_read(house: House, request: Request) -> bool:
    """A proxy on this machine looks like this machine: so without a token it counts only where there is no proxy."""
    if house.metrics_token:
        shown = request.headers.get("authorization", "")
        return compare_digest(shown.encode(), f"Bearer {house.metrics_token}".encode())
    return is_here(urlsplit(house.base_url).hostname or "") and is_here(request.client.host if request.client else "")


def is_here(host: str) -> bool:
    """Whether this host is the machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


GAUGES = {
    "uptime_s": ("uptime_seconds", "Since the gateway was started."),
    "well": ("well", "1 while every part goes round and the broker is heard."),
    "listening": ("listening", "1 while the broker is heard."),
    "homes": ("homes", "Homes that are watched."),
    "road_s": ("tick_age_seconds", "Since the road, on which readings, deadlines and ladders are, last went round."),
    "courier_s": ("courier_age_seconds", "Since the courier last looked what is to be sent."),
    "deaf_s": ("deaf_seconds", "For how long the broker has not been heard."),
    "hushed_s": ("hushed_seconds", "For how long no home has spoken, once that is longer than it ever was."),
    "last_message_s": ("last_message_age_seconds", "Since the last message of any home."),
    "took_s": ("batch_seconds", "How long the last batch of messages took, from the source to what is durable."),
    "checkpoint_s": ("checkpoint_age_seconds", "Since what homes remember was last written down completely."),
    "watchdog_s": ("watchdog_age_seconds", "Since the watchdog last gave a sign of life; absent where it never did."),
    "free": ("disk_free_bytes", "What may still be written to the disk of the state folder."),
    "full": ("disk_full", "1 from when the reserve was let go until it stands again."),
    "queue": ("broker_queue_bytes", "What lies in the embedded broker; absent with another one."),
}

COUNTERS = {
    "messages": ("messages", "Messages taken in since the start."),
    "readings": ("readings", "Readings stored since the start."),
    "findings": ("findings", "What detectors concluded since the start."),
}


def figures(house: House) -> Iterable["Metric"]:
    """Everything that is measured, once."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    said = house.meters()
    for name, (called, about) in GAUGES.items():
        if said.get(name) is not None:
            yield GaugeMetricFamily(f"shouwang_{called}", about, value=float(said[name]))
    for name, (called, about) in COUNTERS.items():
        if name in said:
            yield CounterMetricFamily(f"shouwang_{called}", about, value=said[name])

    refused = CounterMetricFamily("shouwang_rejected", "Messages put into quarantine, ever.", labels=["reason"])
    for reason, count in house.readings.refused().items():
        refused.add_metric([reason], count)
    yield refused

    files = GaugeMetricFamily("shouwang_file_bytes", "The files of the state folder.", labels=["file"])
    for file, size in said.get("files", {}).items():
        files.add_metric([file], size)
    yield files

    carried = CounterMetricFamily(
        "shouwang_deliveries", "Attempts to send since the start: sent, later, failed.", labels=["channel", "state"]
    )
    for (channel, state), count in sorted(said.get("attempts", {}).items()):
        carried.add_metric([channel, state], count)
    yield carried
    waiting = GaugeMetricFamily("shouwang_deliveries_waiting", "Messages due in the outbox.", labels=["channel"])
    due = Counter(delivery.channel for delivery in house.alerts.outbox(house.clock.now(), ALL))
    for channel, count in sorted(due.items()):
        waiting.add_metric([channel], count)
    yield waiting
    yield from _alerts(house)


def _alerts(house: House) -> Iterable["Metric"]:
    from prometheus_client.core import GaugeMetricFamily

    unclosed = house.alerts.alerts(unclosed=True, limit=ALL)
    open_: Counter[Any] = Counter((alert.severity, alert.state) for alert in unclosed)
    overdue = Counter(alert.severity for alert in unclosed if alert.is_open and alert.overdue_at is not None)
    by_state = GaugeMetricFamily("shouwang_alerts", "Alerts that are not closed.", labels=["severity", "state"])
    for (severity, state), count in sorted(open_.items()):
        by_state.add_metric([severity.name.lower(), state.value], count)
    yield by_state
    late = GaugeMetricFamily(
        "shouwang_alerts_overdue", "Of these, past a limit without what it was for.", labels=["severity"]
    )
    for severity in Severity:
        late.add_metric([severity.name.lower()], overdue[severity])
    yield late
