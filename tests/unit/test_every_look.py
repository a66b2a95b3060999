"""Whatever page of a home somebody opens, by whatever address: it is written down who looked."""

from test_matrix import ROUTES, ask, names
from walled_house import ROLES, Walled

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
