"""The demo's phones: what came is shown word for word, rings until somebody has it, and outlives the gateway."""

from pathlib import Path

import pytest
from pages_house import BASE, Rig
from starlette.testclient import TestClient

from gateway.domain import Duty
from simulators.phone import KEPT, LONGEST, Phones, create_phone

HOLDERS = [("liu", Duty.GRID_WORKER), ("he", Duty.DEPUTY)]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def message(alert: str, number: int = 0, **changes: object) -> dict[str, object]:
    return {
        "id": f"{alert}/page/0.{number}/liu/webhook",
        "alert": alert,
        "purpose": "page",
        "title": "【紧急】紧急呼叫 · 户号 A-1",
        "body": "22:38 按下了紧急按钮。",
        "link": f"{BASE}/a/token",
    } | changes


def phone_of(rig: Rig, journal: Path | None = None) -> TestClient:
    return TestClient(create_phone(rig.clock, HOLDERS, rig.registry, rig.alerts, journal))


def test_a_message_rings_until_somebody_has_the_alert(rig):
    alert = rig.press()
    phone = phone_of(rig)

    assert phone.post("/hook/liu", json=message(alert.id)).status_code == 204
    page = phone.get("/").text
    assert "【紧急】紧急呼叫 · 户号 A-1" in page and "正在响" in page and 'href="/a/token"' in page

    rig.desk.accept(alert.id, "he", rig.clock.now())
    page = phone.get("/").text
    assert "正在响" not in page and "何副手已接单" in page


def test_the_same_message_twice_is_one_message(rig):
    phones = Phones(rig.clock, HOLDERS, rig.registry, rig.alerts)
    for _ in range(3):
        phones.take("liu", message("a1"))

    assert len(phones.phones["liu"].texts) == 1


def test_there_is_no_phone_for_strangers(rig):
    assert phone_of(rig).post("/hook/nobody", json=message("a1")).status_code == 404


def test_a_phone_keeps_a_bounded_number_of_bounded_messages(rig):
    phones = Phones(rig.clock, HOLDERS, rig.registry, rig.alerts)
    for number in range(KEPT + 5):
        phones.take("liu", message("a1", number, body="很长" * LONGEST))

    texts = phones.phones["liu"].texts
    assert len(texts) == KEPT and texts[0].id.startswith(f"a1/page/0.{KEPT + 4}")
    assert len(texts[0].body) == LONGEST


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "https:evil", "http://x//evil.test/a", ""])
def test_a_phone_opens_pages_of_this_gateway_and_nothing_else(rig, link):
    phone = phone_of(rig)
    phone.post("/hook/liu", json=message("a1", link=link, title="<script>x</script>"))

    page = phone.get("/").text
    assert "data-whose" not in page and "<script>x" not in page


def test_what_came_is_still_there_after_the_gateway_was_killed(rig, tmp_path):
    journal = tmp_path / "phones.jsonl"
    phone_of(rig, journal).post("/hook/liu", json=message("a1"))
    with journal.open("a", encoding="utf-8") as file:
        file.write('["liu", {"id": "half a li')  # killed in the middle of a line

    again = phone_of(rig, journal)

    assert "【紧急】紧急呼叫" in again.get("/").text
    assert len(journal.read_text("utf-8").splitlines()) == 1


def test_the_phones_are_open_without_signing_in_and_only_in_the_demo():
    plain = Rig()
    demo = Rig(more={"demo": True, "phone": create_phone(plain.clock, HOLDERS, plain.registry, plain.alerts)})

    answer = demo.browser().get("/phone/")
    assert answer.status_code == 200 and "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert plain.browser().get("/phone/").status_code == 404
