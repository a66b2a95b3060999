"""`/metrics`: for whom it is, what it counts, and that no home and nobody stands in it."""

import re
from dataclasses import replace

import pytest
from pages_house import Rig
from starlette.testclient import TestClient

from dashboard.app import create_app

METERS = {
    "well": True,
    "road_s": 0.2,
    "messages": 41,
    "last_message_s": None,
    "attempts": {("webhook", "sent"): 3, ("webhook", "later"): 1},
    "files": {"gateway.db": 4096},
    "full": False,
}


def rig(**more) -> Rig:
    return Rig(more={"meters": lambda: METERS, **more})


def asked(rig: Rig, client: str = "127.0.0.1", **headers: str):
    return TestClient(rig.app, client=(client, 5000)).get("/metrics", headers=headers)


def test_it_is_for_whoever_shows_the_token():
    house = rig(metrics_token="a token of sixteen")

    assert asked(house, authorization="Bearer a token of sixteen").status_code == 200
    assert asked(house, authorization="Bearer another").status_code == 401
    assert asked(house).status_code == 401


@pytest.mark.parametrize(
    ("base_url", "client", "status"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1", 200),
        ("http://localhost:8080", "::1", 200),
        ("http://127.0.0.1:8080", "192.168.1.5", 401),
        # Behind a proxy everybody comes from this machine.
        ("https://watch.example.org", "127.0.0.1", 401),
    ],
)
def test_without_a_token_it_is_for_this_machine_while_that_serves_nobody_else(base_url, client, status):
    app = create_app(replace(rig().house, base_url=base_url))

    assert TestClient(app, client=(client, 5000)).get("/metrics").status_code == status


def test_what_it_says_is_counts_and_names_nobody():
    house = rig(metrics_token="a token of sixteen")
    house.press()
    house.hear("h1")
    text = asked(house, authorization="Bearer a token of sixteen").text

    assert "shouwang_tick_age_seconds 0.2" in text
    assert "shouwang_messages_total 41.0" in text
    assert 'shouwang_deliveries_total{channel="webhook",state="sent"} 3.0' in text
    assert 'shouwang_file_bytes{file="gateway.db"} 4096.0' in text
    assert re.search(r'shouwang_alerts\{severity="emergency",state="\w+"\} 1\.0', text)
    assert "shouwang_last_message_age_seconds" not in text  # there was none yet
    assert "process_resident_memory_bytes" in text
    assert not re.search(r"h1|王|A-1|\+?\d{11}", re.sub(r"\S+e\+\d\d|process_\S+ \S+", "", text))
