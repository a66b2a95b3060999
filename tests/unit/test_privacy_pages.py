"""Leaders answer for what was opened; administrators hand out copies and erase, and each of it is written down."""

import io
import zipfile

import pytest
from pages_house import EVENING, Rig, hidden
from test_pages import text_of

from gateway.domain import Duty, Person
from gateway.privacy import Privacy


class Bureau(Rig):
    """The rig with what the administrator's page needs."""

    def __post_init__(self) -> None:
        self.more = {"privacy": Late(self), **self.more}
        super().__post_init__()
        self.registrar.put_person(Person(id="wang", name="王奶奶"), who="ma", now=EVENING)
        self.rename("h1", person="wang")


class Late:
    """The stores exist only after the house is built."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    def __getattr__(self, name: str):
        rig = self.rig
        return getattr(Privacy(rig.alerts, rig.registry, rig.registrar, rig.accounts, rig.readings), name)


@pytest.fixture
def bureau() -> Bureau:
    return Bureau()


AT = "/install/h1/privacy"


def posted(browser, path: str, at: str = AT, **form):
    return browser.post(path, data={"csrf": hidden(browser.get(at).text, "csrf"), **form})


def test_an_administrator_takes_a_copy_and_that_is_seen(bureau):
    admin = bureau.signed_in("zhao", Duty.ADMIN)

    answer = posted(admin, f"{AT}/copy")

    assert answer.headers["content-type"] == "application/zip"
    assert "household.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert "全部资料副本" in text_of(admin.get("/install/h1/looks").text)


def test_erasing_asks_for_the_number_and_a_reason(bureau):
    admin = bureau.signed_in("zhao", Duty.ADMIN)

    for form in ({"code": "A-2", "why": "申请"}, {"code": "A-1", "why": " "}):
        assert posted(admin, f"{AT}/erase", **form).status_code == 422
    assert bureau.registry.home("h1") is not None

    assert posted(admin, f"{AT}/erase", code="A-1", why="本人申请").headers["location"] == "/glass?said=erased"
    assert bureau.registry.home("h1") is None
    assert admin.get(AT).status_code == 404


def test_only_an_administrator_does_either(bureau):
    for duty, status in ((Duty.SUPERVISOR, 200), (Duty.GRID_WORKER, 403), (Duty.FAMILY, 403), (Duty.INSTALLER, 403)):
        browser = bureau.signed_in(f"x-{duty.value}", duty)
        assert browser.get(AT).status_code == status
        csrf = {"csrf": browser.get("/account").text.partition('name="csrf" value="')[2][:64]}
        for act in ("copy", "erase"):
            assert browser.post(f"{AT}/{act}", data={**csrf, "code": "A-1", "why": "x"}).status_code == 403
    elsewhere = bureau.signed_in("far", Duty.ADMIN, "g2")
    assert elsewhere.get(AT).status_code == 404
    assert elsewhere.get("/install/h1/looks").status_code == 404


def test_a_broken_glass_is_looked_at_by_somebody_else(bureau):
    alert = bureau.press()
    worker = bureau.signed_in("liu", Duty.GRID_WORKER, "g1")
    at = f"/alerts/{alert.id}"
    posted(worker, f"{at}/card", f"{at}/card", why="老人昏迷")

    opener = bureau.signed_in("liu2", Duty.SUPERVISOR)
    page = opener.get("/glass").text
    assert "老人昏迷" in page
    opening = hidden(page, "opening").replace("&#43;", "+")
    assert posted(opener, "/glass", "/glass", opening=opening, verdict=" ").status_code == 422
    assert posted(opener, "/glass", "/glass", opening=opening, verdict="确有必要").status_code == 303

    said = text_of(opener.get("/glass").text)
    assert "确有必要" in said
    assert "老人昏迷" not in text_of(bureau.signed_in("far", Duty.SUPERVISOR, "g2").get("/glass").text)
    assert worker.get("/glass").status_code == 403
