"""A token opens what it is for and nothing else: every address of the interface, right by right, and nothing beyond."""

from test_api import Program
from test_matrix import BY_PROGRAM, alike, filled, names, names_strangers
from walled_house import STRANGE, Walled

from dashboard.keys import Right


def test_no_right_opens_what_another_is_for_and_none_a_home_beyond_the_place():
    """Every address of the interface, with a token for all but what it needs, and with one for everything."""
    rig = Walled()
    before, holes = rig.beyond_the_wall(), []
    whole = Program(rig)
    document = whole.get("/openapi.json").json()["paths"]
    lacking = {right: Program(rig, *(set(Right) - {right}), name=f"no-{right.name.lower()}") for right in Right}
    given = {whose: names(rig, whose) | BY_PROGRAM for whose in ("own", "foreign", "nonsense")}
    for whose in ("foreign", "nonsense"):
        given[whose]["household"] = given[whose]["home_id"]

    for path, verbs in document.items():
        for verb, about in verbs.items():
            rig.clock.go_on(seconds=1)  # else they would be told to wait
            (needed,) = about["security"][0]["token"] or [None]
            headers = {"idempotency-key": "the-same-for-everything"}

            def asked(program, whose, path=path, verb=verb, headers=headers):
                address = filled(path, given[whose], path.removeprefix("/api/v1"))
                return program.browser.request(verb, address, json={} if verb == "post" else None, headers=headers)

            if needed and asked(lacking[Right(needed)], "own").status_code != 403:
                holes.append((verb, path, "opens without its right"))
            foreign, nonsense = asked(whole, "foreign"), asked(whole, "nonsense")
            if (foreign.status_code, alike(foreign.text)) != (nonsense.status_code, alike(nonsense.text)):
                holes.append((verb, path, "answers otherwise", foreign.status_code, nonsense.status_code))
            if STRANGE in foreign.text:
                holes.append((verb, path, "names a stranger", names_strangers(foreign.text)))

    assert not holes and rig.beyond_the_wall() == before, "\n".join(map(str, holes))
    assert len(document) > 100
