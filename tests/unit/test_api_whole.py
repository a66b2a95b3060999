"""Whatever somebody can do on a page, a program can do under `/api/v1`; or it stands here why not."""

from pages_house import Rig
from test_matrix import addresses

AS: dict[str, str] = {
    # ------------------------------------------------------------------ alerts
    "/alerts/{alert_id:path}/{act}": "/alerts/{alert_id:path}/{act}",
    "/family/{home_id}/alerts/{alert_id:path}": "/alerts/{alert_id:path}/{act}",
    "/alerts/{alert_id:path}/photo": "/alerts/{alert_id:path}/photos",
    "/alerts/{alert_id:path}/card": "/alerts/{alert_id:path}/card",
    "/glass": "/glass",
    "/homes/{home_id}/visit": "/homes/{home_id}/visits",
    # ------------------------------------------------------------------ plans
    "/plans/home/{place}/absence": "/homes/{home_id}/absence",
    "/plans/home/{place}/back": "/homes/{home_id}/back",
    "/plans/home/{place}/visit": "/homes/{home_id}/expected",
    "/plans/{scope}/{place}/set": "/places/{code}/plan",
    "/plans/{scope}/{place}/silence": "/places/{code}/silence",
    "/plans/{scope}/{place}/end": "/places/{code}/plan/end",
    # ------------------------------------------------------------------ installing
    "/install/new": "/homes",
    "/install/{home_id}/edit": "/homes/{home_id}",
    "/install/{home_id}/rooms": "/homes/{home_id}/rooms",
    "/install/{home_id}/hub": "/homes/{home_id}/hubs",
    "/install/{home_id}/hubs/{hub_id}/renew": "/homes/{home_id}/hubs/{hub_id}/renew",
    "/install/{home_id}/hubs/{hub_id}/replace": "/homes/{home_id}/hubs/{hub_id}/replace",
    "/install/{home_id}/hubs/{hub_id}/revoke": "/homes/{home_id}/hubs/{hub_id}/revoke",
    "/install/{home_id}/hubs/{hub_id}/remove": "/homes/{home_id}/hubs/{hub_id}/remove",
    "/install/{home_id}/hubs/{hub_id}/join": "/homes/{home_id}/hubs/{hub_id}/join",
    "/install/{home_id}/devices/new": "/homes/{home_id}/devices",
    "/install/{home_id}/devices/{sensor_id}/edit": "/homes/{home_id}/devices/{sensor_id}",
    "/install/{home_id}/devices/{sensor_id}/fast-lane": "/homes/{home_id}/devices/{sensor_id}/fast-lane",
    "/install/{home_id}/devices/{sensor_id}/replace": "/homes/{home_id}/devices/{sensor_id}/replace",
    "/install/{home_id}/devices/{sensor_id}/remove": "/homes/{home_id}/devices/{sensor_id}/remove",
    "/install/{home_id}/devices/{sensor_id}/photo": "/homes/{home_id}/devices/{sensor_id}/photo",
    "/install/{home_id}/state": "/homes/{home_id}/state",
    "/board/homes/{home_id}/guard": "/homes/{home_id}/state",
    "/install/{home_id}/walk/start": "/homes/{home_id}/walk/start",
    "/install/{home_id}/walk/note": "/homes/{home_id}/walk/note",
    "/install/{home_id}/walk/end": "/homes/{home_id}/walk/end",
    "/install/{home_id}/walk/stop": "/homes/{home_id}/walk/stop",
    "/install/{home_id}/upkeep": "/homes/{home_id}/upkeep",
    "/install/{home_id}/upkeep/end": "/homes/{home_id}/upkeep/end",
    "/install/{home_id}/consent": "/homes/{home_id}/consent",
    "/install/{home_id}/record": "/homes/{home_id}/records",
    # ------------------------------------------------------------------ people
    "/install/{home_id}/people/profile": "/homes/{home_id}/profile",
    "/install/{home_id}/people/health": "/homes/{home_id}/health",
    "/install/{home_id}/people/contacts/new": "/homes/{home_id}/contacts",
    "/install/{home_id}/people/contacts/{relation_was}/{person}": "/homes/{home_id}/contacts/{relation}/{person}",
    "/install/{home_id}/people/contacts/{relation}/{person}/up": "/homes/{home_id}/contacts/{relation}/{person}/up",
    "/install/{home_id}/people/contacts/{relation}/{person}/remove": (
        "/homes/{home_id}/contacts/{relation}/{person}/remove"
    ),
    "/install/{home_id}/people/consents/{number}/withdraw": "/homes/{home_id}/consents/{number}/withdraw",
    # ------------------------------------------------------------------ what residents may ask, on their behalf
    "/me/show": "/homes/{home_id}/sharing",
    "/me/pause": "/homes/{home_id}/sharing/pause",
    "/me/resume": "/homes/{home_id}/sharing/resume",
    "/me/unwatched": "/homes/{home_id}/state",
    "/me/watched": "/homes/{home_id}/state",
    "/me/consents/{number}/withdraw": "/homes/{home_id}/consents/{number}/withdraw",
    "/install/{home_id}/privacy/erase": "/homes/{household}/erasure",
    "/administration/retention/keep": "/homes/{home_id}/retention",
    "/administration/retention/end": "/homes/{home_id}/retention/end",
    # ------------------------------------------------------------------ the gateway itself
    "/administration/audit/check": "/audit/check",
    "/administration/backup/copy": "/machine/copy",
    "/tokens/make": "/tokens",
    "/tokens/revoke": "/tokens/{token_id}/revoke",
    # ------------------------------------------------------------------ the duty sheet, drills
    "/rota/{code}/swap": "/rota/{code}/swap",
    "/rota/{code}/stand-in": "/rota/{code}/stand-in",
    "/rota/{code}/shifts": "/rota/{code}/shifts",
    "/rota/{code}/shifts/end": "/rota/{code}/shifts/end",
    "/rota/{code}/leave": "/rota/{code}/leave",
    "/rota/{code}/leave/end": "/rota/{code}/leave/end",
    "/rota/{code}/holiday": "/rota/{code}/holiday",
    "/drills/people/{person_id}": "/drills/people/{person_id}",
    "/drills/homes/{home_id}": "/drills/homes/{home_id}",
    # ------------------------------------------------------------------ administration
    "/administration/alerts/{code}/{alert}": "/places/{code}/plan",
    "/administration/alerts/{code}/{alert}/reset": "/places/{code}/plan/end",
    "/administration/channels/{channel}/test": "/drills/people/{person_id}",
    "/administration/places": "/places",
    "/administration/places/{code}": "/places/{code}",
    "/administration/places/{code}/close": "/places/{code}/close",
    "/administration/people": "/people",
    "/administration/people/{person_id}": "/people/{person_id}",
    "/administration/people/{person_id}/duties": "/people/{person_id}/duties",
    "/administration/people/{person_id}/duties/end": "/people/{person_id}/duties/end",
    "/administration/people/{person_id}/ways": "/people/{person_id}/ways",
    "/administration/people/{person_id}/ways/up": "/people/{person_id}/ways/up",
    "/administration/people/{person_id}/ways/remove": "/people/{person_id}/ways/remove",
    "/administration/people/{person_id}/leave": "/rota/{code}/leave",
    "/administration/people/{person_id}/leave/end": "/rota/{code}/leave/end",
    # ------------------------------------------------------------------ accounts
    "/accounts/invite": "/accounts/invite",
    "/accounts/invitations/withdraw": "/accounts/withdraw",
    "/accounts/homes/{home_id}/invite": "/homes/{home_id}/invite",
    "/accounts/one/reset": "/accounts/reset",
    "/accounts/one/role": "/accounts/role",
    "/accounts/one/sign-out": "/accounts/sign-out",
    "/accounts/one/figures-off": "/accounts/figures-off",
    "/accounts/one/shut": "/accounts/shut",
    "/accounts/one/open": "/accounts/open",
}
"""What is done on a page, and by which address a program does it."""

ONLY_HERE: dict[str, str] = {
    "/login": "a session is a browser's; a program comes with its token",
    "/logout": "a session is a browser's; a program comes with its token",
    "/language/": "a program says Accept-Language",
    "/setup/": "the first administrator of all is a person",
    "/join/": "whoever was invited chooses the password themselves",
    "/enter/": "the demo",
    "/demo/": "the demo",
    "/account/": "a password and a second step are somebody's own",
    "/device/push": "a browser asks to be told there",
    "/a/": "a link in a message acts by itself, for whoever holds it",
    "/d/": "a link in a message acts by itself, for whoever holds it",
    "/in/": "a provider's own door",
    "/door": "whoever stands before a door opens its form",
    "/glass/break": "whoever stands before a door that is not theirs; the wall around a token has no glass",
    "/install/{home_id}/hubs/{hub_id}/taken-over": "a program is told the secret once, and nothing lies about",
    "/install/{home_id}/privacy/copy": "a form, for a browser asks ahead; a program takes it by GET, `…/copy.zip`",
}
"""What begins so is done on a page only, and why."""


def test_what_can_be_done_on_a_page_can_be_done_by_a_program():
    found = addresses(Rig())
    by_program = {one.removeprefix("POST /api/v1") for one in found if one.startswith("POST /api/v1/")}
    on_pages = {one.removeprefix("POST ") for one in found if one.startswith("POST /")} - {
        f"/api/v1{one}" for one in by_program
    }
    unheard_of = {one for one in on_pages if one not in AS and not one.startswith(tuple(ONLY_HERE))}
    both = {one for one in AS if one.startswith(tuple(ONLY_HERE))}

    assert not unheard_of, "give these an address under /api/v1, or say here why only a page does them"
    assert not both, "a program does these, so they do not stand among what only a page does"
    assert {one for one in AS if one in on_pages} == set(AS), "there is no such page any more"
    assert set(AS.values()) <= by_program
    for beginning in ONLY_HERE:
        assert any(one.startswith(beginning) for one in on_pages) or beginning in ("/demo/", "/enter/"), beginning
