"""Whatever page of a home somebody opens, by whatever address: it is written down who looked."""

import re

from test_matrix import ROUTES, ask, names
from test_pages import text_of
from walled_house import ROLES, Walled

from dashboard.seen import Seen

ABOUT_A_HOME = ("{home_id}", "{alert_id", "/plans/{scope}/{place}", "/accounts/homes/")

NO_PAGE = {"GET /events"}
"""Streams that carry ids and nothing else; what they make a page ask for is written down there."""


def test_every_page_of_a_home_that_is_shown_is_written_down():
    rig = Walled()
    unseen, shown = [], 0
    for route, entry in ROUTES.items():
        verb, _, address = route.partition(" ")
        about = any(hole in address for hole in ABOUT_A_HOME)
        roles = sorted(entry.who - {"elder"})
        if verb != "GET" or not about or route in NO_PAGE or not roles:
            continue
        for role in roles:
            rig.clock.go_on(hours=1)
            since = rig.clock.now()
            answer = ask(rig.visit(role), route, names(rig, "own"))
            if answer.status_code != 200:
                continue
            shown += 1
            if {act.who for act in rig.alerts.acts("h1", what="read.", since=since)} != {ROLES[role][0]}:
                unseen.append((route, role))

    assert unseen == []
    assert shown > 60


NAMES = re.compile("王奶奶|李爷爷|东风路|A-1\\b")

NO_PERSON = {"GET /api/v1/openapi.json"}
"""An example stands in it, and nobody who lives here."""


def test_every_list_that_names_residents_is_written_down(monkeypatch):
    rig = Walled()
    noted, unseen, shown = [], [], 0
    monkeypatch.setattr(Seen, "note_list", lambda self, account, place, what, now: noted.append(account.person))
    for route, entry in ROUTES.items():
        if not route.startswith("GET") or route in NO_PERSON or any(hole in route for hole in ABOUT_A_HOME):
            continue
        for role in sorted(entry.who & {"worker", "installer", "local admin"}):
            noted.clear()
            answer = ask(rig.visit(role), route, names(rig, "own"))
            if answer.status_code == 200 and NAMES.search(answer.text):
                shown += 1
                if noted != [ROLES[role][0]]:
                    unseen.append((route, role))

    assert unseen == []
    assert shown > 20


def test_a_list_is_one_row_a_day_and_whoever_stands_in_it_finds_it():
    rig = Walled()
    worker, elder = rig.visit("worker").browser, rig.visit("elder").browser
    assert "刘网格员" not in text_of(elder.get("/me/looks").text)

    for _ in range(3):
        worker.get("/")
        rig.clock.go_on(minutes=20)
    worker.get("/today")
    rig.clock.go_on(hours=2)  # another day has begun
    worker.get("/")
    rig.visit("supervisor").browser.get("/overview/1199")  # beyond the wall: not shown, and nothing to write down

    rows = rig.alerts.acts("list:g1", what="read.list")
    assert [dict(row.facts)["list"] for row in rows] == ["homes", "today", "homes"]
    assert {row.who for row in rows} == {"liu"}
    page = text_of(elder.get("/me").text)
    assert "1 人在列表里看到过您" in page and "2 天" in page
    assert "所有住户、今日工作" in text_of(elder.get("/me/looks").text)
    assert rig.alerts.acts("list:1199") == []
