"""Whatever stands in a name, a reason or a note: a page stays the page it is, and a file holds no formula."""

import csv
import io
import json
import logging
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import parse_qsl, quote

import pytest
from pages_house import a_home
from test_channel_requests import ALIYUN, TENCENT, asked
from test_matrix import ROUTES, ask, names
from the_payloads import FORMULAS, PAYLOADS, poison
from walled_house import Walled, guarded

from alerts.channels.telephone import LONGEST_WORD, variables
from gateway.domain import Area, Grid, Severity
from gateway.log import set_up_log
from gateway.ports import Letter

LEADS_AWAY = re.compile(
    r"[\s\x00-\x20]*(javascript|data|vbscript):|[\s\x00-\x20]*(https?:)?[/\\]{2}evil", re.IGNORECASE
)
ADDRESSES = {"href", "src", "action", "formaction", "data", "srcdoc", "xlink:href", "poster", "content"}


class Bones(HTMLParser):
    """What a page is made of: its elements with the names of their attributes, and where its addresses lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            if name in ADDRESSES or name.startswith("hx-"):
                self.addresses.append(value or "")

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        self.elements.append((f"<!-- {data}", ()))

    def unknown_decl(self, data: str) -> None:
        self.elements.append((f"<![ {data}", ()))

    def handle_pi(self, data: str) -> None:
        self.elements.append((f"<? {data}", ()))


def bones(text: str) -> Bones:
    found = Bones()
    found.feed(text)
    found.close()
    return found


def street(text: str) -> Walled:
    rig = Walled()
    poison(rig, lambda field: f"{field} {text}")
    guarded(rig, "h1")
    return rig


def pages_of(rig: Walled, role: str):
    """Every page of theirs, by address."""
    for route, entry in ROUTES.items():
        if route.startswith("GET") and role in entry.who:
            answer = ask(rig.visit(role), route, names(rig, "own"))
            if answer.headers.get("content-type", "").startswith("text/html"):
                yield route, answer.text


def test_there_are_two_hundred_of_them():
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 200


@pytest.mark.parametrize("role", ["admin", "installer", "worker", "family", "elder"])
def test_a_page_is_made_of_the_same_elements_whatever_stands_in_it(role):
    plain, poisoned = street("文字"), street(" ".join(PAYLOADS))
    seen, wrong = 0, []

    for (route, before), (_, after) in zip(pages_of(plain, role), pages_of(poisoned, role), strict=True):
        good, bad = bones(before), bones(after)
        seen += "xss(" in after
        if good.elements != bad.elements:
            strange = [one for one in bad.elements if one not in good.elements]
            wrong.append((route, strange[:3] or "another number of elements"))
        wrong += [(route, address[:80]) for address in bad.addresses if LEADS_AWAY.match(address)]

    assert not wrong, "\n".join(map(str, wrong))
    assert seen >= {"elder": 2, "family": 2}.get(role, 5), "the pages show what was written"


def test_what_a_link_in_a_message_opens_is_sealed_too():
    plain, poisoned = street("文字"), street(" ".join(PAYLOADS))

    def shown(rig: Walled) -> Bones:
        return bones(rig.browser().get(f"/a/{rig.links.token(rig.own.id, 'liu')}").text)

    assert shown(plain).elements == shown(poisoned).elements


def test_what_somebody_types_wrongly_comes_back_as_text():
    """Forms are shown again with what was typed, and searches with what was sought."""
    typed = " ".join(PAYLOADS)
    rig = Walled()
    chief, shown = rig.visit("admin"), []
    for payload in ("文字", typed):
        answers = [
            chief.browser.get("/accounts", params={"sought": payload}),
            chief.browser.get("/install", params={"q": payload}),
            chief.browser.get("/login", params={"next": payload}),
            chief.browser.get("/rota/g1", params={"pick": payload, "week": payload, "said": payload}),
            chief.browser.get("/homes/h1", params={"day": payload}),
            chief.browser.get("/homes/h1/who", params={"at": payload}),
            chief.browser.get(f"/{quote(payload)}"),
            chief.ask("POST", "/install/new", {"code": payload[:60], "name": payload[:60], "grid": "none"}),
            chief.ask("POST", "/accounts/invite", {"name": "x", "login": "ma", "duty": "deputy", "place": "g1"}),
            chief.ask("POST", "/plans/home/h1/visit", {"begins": payload[:40], "why": payload[:200]}),
        ]
        shown.append([bones(answer.text).elements for answer in answers])

    assert shown[0] == shown[1]


# --------------------------------------------------------------------------- files


def village() -> Walled:
    """Grids and communities whose names are formulas, each with somebody in it who called for help."""
    rig = Walled()
    now = rig.clock.now()
    with rig.registry.begin() as ledger:
        ledger.put_area(Area(code="1101", name=FORMULAS[0], level="community", parent="1100"), now)
        for number, formula in enumerate(FORMULAS, 20):
            ledger.put_grid(Grid(code=f"f{number}", name=formula, community="1101"))
            ledger.put_home(a_home(number, f"f{number}", formula), now)
    for number, _ in enumerate(FORMULAS, 20):
        rig.press(f"h{number}", severity=Severity.EMERGENCY)
    return rig


def test_no_cell_of_a_table_is_a_formula():
    rig, seen = village(), 0

    for path in ("/figures.csv", "/overview/1101/parts.csv"):
        answer = rig.visit("admin").browser.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-disposition"].startswith("attachment")
        rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert len({len(row) for row in rows}) == 1, "nothing broke out of its cell"
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "+", "@", "\t", "\r", "\n")), (path, cell)
            assert not cell.startswith("-") or re.fullmatch(r"-\d+(\.\d+)?", cell), (path, cell)
            seen += "cmd|" in cell
    assert seen >= 2, "the names are there"


@pytest.mark.parametrize("path", ["/overview/1101/parts.xlsx", "/month/1101/2026-11.xlsx"])
def test_no_cell_of_a_workbook_is_a_formula_or_a_link(path):
    answer = village().visit("admin").browser.get(path)

    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/")]
        everything = "".join(book.read(name).decode() for name in book.namelist() if name.endswith((".xml", ".rels")))
    assert sheets and "cmd|" in everything
    assert not any("<f>" in sheet or "<f " in sheet or "hyperlink" in sheet for sheet in sheets)


# --------------------------------------------------------------------------- messages and logs


async def test_a_carrier_is_sent_them_as_words_of_its_template():
    """Household and danger are two words of three, however they are written, and nothing else of the request moves."""
    plain = Letter(title="t", body="b", household="A-0312", what="紧急呼叫", time="03:00")
    said = {"Response": {"SendStatusSet": [{"Code": "Ok"}]}}

    async def sent(letter: Letter) -> tuple[dict[str, str], dict, str]:
        url, _, _ = await asked("aliyun_sms", "13800138000", {"Code": "OK"}, letter=letter, **ALIYUN, sign_name="守望")
        _, body, _ = await asked("tencent_sms", "13800138000", said, letter=letter, **TENCENT, sign_name="守望")
        query = dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=True))
        return query, body, url.host

    query, body, host = await sent(plain)
    for payload in PAYLOADS:
        letter = replace(plain, household=payload, what=payload)
        poisoned_query, poisoned_body, poisoned_host = await sent(letter)
        words = variables(letter)
        assert words[:2] == (payload[:LONGEST_WORD],) * 2
        assert json.loads(poisoned_query.pop("TemplateParam")) == dict(
            zip(("home", "what", "time"), words, strict=True)
        )
        assert poisoned_body.pop("TemplateParamSet") == list(words)
        assert poisoned_query == {key: value for key, value in query.items() if key != "TemplateParam"}
        assert poisoned_body == {key: value for key, value in body.items() if key != "TemplateParamSet"}
        assert poisoned_host == host


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_line_of_the_log_stays_one_line(form):
    """Whoever speaks to us can neither write a line of the log nor clear the screen of whoever reads it."""
    told, root = io.StringIO(), logging.getLogger()
    before, level = root.handlers[:], root.level
    set_up_log("debug", form, told)
    try:
        for payload in PAYLOADS:
            root.warning("refused", extra={"detail": payload})
            root.warning(payload)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    lines = told.getvalue().split("\n")

    assert len(lines) == 2 * len(PAYLOADS) + 1
    assert all(line.isprintable() for line in lines)
    if form == "json":
        assert {json.loads(line)["event"] for line in lines[:-1:2]} == {"refused"}
