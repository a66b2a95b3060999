"""The emergency hand-over card: what an ambulance crew, a locksmith or the police have to know, behind glass.

And the sheet that hangs beside the door, by whose code somebody shows that they stood before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from alerts import card, wording
from alerts.card import Denial, Opening
from dashboard import views
from dashboard.addresses import Addresses
from dashboard.alert_page import LEADS
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.forms import Why
from dashboard.pages import ON_DUTY, Pages, in_words
from dashboard.people import KEEPERS, WORDS
from dashboard.printer import FALLBACK_ZONE, alert_url, qr_code, tongue_of
from dashboard.walk import drawn
from dashboard.words import N_, Tongue
from gateway.domain import Alert, Consent, Contact, Duty, Home, Profile, Relation
from gateway.domain.people import ENTRY, HEALTH
from gateway.domain.plan import YES
from gateway.ports import RegistryStore

A_DAY = timedelta(days=1)

DENIED = {
    Denial.UNKNOWN: N_("There is no such alert."),
    Denial.OVER: N_("The alert is over: the card stays shut."),
    Denial.NO_EMERGENCY: N_("Only an emergency or a serious alert opens the card."),
    Denial.NOT_A_RESPONDER: N_("Only who was called about this alert, or leads here, may open the card."),
    Denial.NO_REASON: N_("Write down why you need it: for whom, and what for."),
}

POLICE, TWO_PEOPLE = "card.police", "card.two_people"
"""Lines of a plan: of a home, or of all of a grid or an area."""

KEYS = (Relation.KEY_HOLDER, Relation.NEIGHBOUR, Relation.PROPERTY)


class Handover:
    """What the card needs from the stores, and who may have it."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house
        self.printer = pages.printer

    def show(
        self,
        request: Request,
        alert: Alert,
        who: str,
        *,
        visitor: Visitor | None,
        base: str,
        csrf: str,
        refused: str = "",
    ) -> Response:
        """The card while it is open for this person, else the glass before it."""
        house, now = self.house, self.house.clock.now()
        home = house.registry.home(alert.home)
        opening = card.opened(alert, house.alerts.history(alert.id), who, now)
        if opening is not None and home is not None:
            return self._card(request, alert, home, opening, visitor=visitor, base=base)
        return self.printer.page(
            request,
            "handover_glass.html",
            visitor=visitor,
            page_zone=home.zone if home else FALLBACK_ZONE,
            status=403 if refused else 200,
            alert=alert,
            home=home,
            base=base,
            csrf=csrf,
            lasts=card.LASTS,
            refused=refused,
            here=base,
        )

    def open(self, alert: Alert, who: str, duty: Duty | None, why: str) -> Opening | Denial:
        house = self.house
        leads = duty in LEADS
        return card.disclose(house.alerts, house.registry, alert.id, who, why, house.clock.now(), leads=leads)

    def _card(
        self, request: Request, alert: Alert, home: Home, opening: Opening, *, visitor: Visitor | None, base: str
    ) -> Response:
        house, now, tongue = self.house, self.house.clock.now(), tongue_of(request)
        blind = views.blind_since(home, house.readings.heard(home.id).get(home.id), now)
        day = house.readings.readings(home.id, now - A_DAY, now + A_DAY)
        return self.printer.page(
            request,
            "handover_card.html",
            visitor=visitor,
            page_zone=home.zone,
            alert=alert,
            home=home,
            card=facts_of(home, house.registry, now),
            base=base,
            here=base,
            opening=opening,
            opener=self.pages.name_of(opening.who),
            sentences=wording.explain(alert.finding, tongue.language, home.zone, home),
            word=lambda code: word_for(code, tongue),
            told=in_words(tongue, home, day, blind, now - A_DAY, now, now),
        )

    def show_doorplate(self, request: Request, visitor: Visitor, home: Home) -> Response:
        links = self.pages.links
        address = f"{self.house.base_url.rstrip('/')}/door/{links.doorplate(home.id)}"
        return self.printer.page(
            request,
            "door_sheet.html",
            visitor=visitor,
            page_zone=home.zone,
            home=home,
            qr=qr_code(address),
            code=links.door_code(home.id),
        )


def _holding(consents: Sequence[Consent], purpose: str) -> Consent | None:
    """The newest that holds."""
    return next((c for c in reversed(consents) if c.purpose == purpose and c.holds), None)


def word_for(code: StrEnum, tongue: Tongue) -> str:
    return tongue.say(WORDS[type(code)][code]) if code in WORDS[type(code)] else ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands on the card."""

    resident: str
    profile: Profile  # of health nothing that the resident does not agree to have kept
    has_agreed: bool
    entry: Consent | None
    entry_by: str
    signature: str
    keys: tuple[tuple[str, Contact], ...]
    contacts: tuple[tuple[str, Contact], ...]
    police: str
    two_people: bool


def facts_of(home: Home, registry: RegistryStore, now: datetime) -> Facts:
    """Everything that is on file about this home and may be needed in an emergency."""
    resident = registry.person(home.person) if home.person else None
    consents = registry.consents(home.person) if home.person else []
    contacts = tuple((views.person_name(registry, c.person), c) for c in registry.contacts(home.id))
    plan = {line.key: line.value for line in registry.plan(home.id, now)}
    has_agreed = _holding(consents, HEALTH) is not None
    profile = (registry.profile(home.person) if home.person else None) or Profile(person=home.person)
    entry = _holding(consents, ENTRY)
    return Facts(
        resident=resident.name if resident else home.name,
        profile=profile if has_agreed else profile.without_health(),
        has_agreed=has_agreed,
        entry=entry,
        entry_by="" if entry is None else views.person_name(registry, entry.given_by),
        signature=drawn(entry) if entry else "",
        keys=tuple(one for one in contacts if one[1].relation in KEYS),
        contacts=tuple(one for one in contacts if one[1].relation not in KEYS),
        police=plan.get(POLICE, ""),
        two_people=plan.get(TWO_PEOPLE) == YES,
    )


def in_text(home: Home, registry: RegistryStore, tongue: Tongue, now: datetime) -> list[str]:
    """The card as lines of text, for whoever reads it out by telephone."""
    card, say = facts_of(home, registry, now), tongue.say
    health = card.profile.conditions or say("no illness or medicine on file")
    lines = [
        f"{card.resident} {home.code}",
        home.address or say("no address on file"),
        *([say("Never alone: two people go in.")] if card.two_people else []),
        *([home.access] if home.access else []),
        f"{say('Entry authorisation')}{say(': ')}{card.entry.given_at:%Y-%m-%d} {card.entry_by}"
        if card.entry
        else say("None on file. In danger of life: call 110 and have it opened with the police."),
        f"{say('Police post')}{say(': ')}{card.police or '110'}",
        health if card.has_agreed else say("The resident has not agreed that anything about health is kept."),
        *([f"{say('Hospital')}{say(': ')}{card.profile.hospital}"] if card.profile.hospital else []),
    ]
    return lines + [
        f"{name} · {word_for(contact.relation, tongue)} · {' '.join(contact.phones)}"
        for name, contact in (*card.keys, *card.contacts)
    ]


# --------------------------------------------------------------------------- routes


def routes(handover: Handover, doors: Doors) -> Addresses:
    """The card for who is called, signed in or by the link; the doorplate for who keeps a household's file."""
    router = Addresses()
    pages = handover.pages
    In = Annotated[Visitor, Depends(doors.signed_in(*ON_DUTY))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(*ON_DUTY))]  # noqa: N806
    Keeper = Annotated[Visitor, Depends(doors.signed_in(*KEEPERS))]  # noqa: N806

    def denied(request: Request, opening: Opening | Denial) -> str:
        return tongue_of(request).say(DENIED[opening]) if isinstance(opening, Denial) else ""

    @router.get("/alerts/{alert_id:path}/card")
    def show_card(request: Request, visitor: In, alert_id: str) -> Response:
        alert = pages.alert(visitor, alert_id)
        base = alert_url(alert.id)
        return handover.show(request, alert, visitor.account.person, visitor=visitor, base=base, csrf=visitor.csrf)

    @router.post("/alerts/{alert_id:path}/card")
    def open_card(request: Request, visitor: Acting, alert_id: str, why: Why = "") -> Response:
        alert, who, base = pages.alert(visitor, alert_id), visitor.account.person, alert_url(alert_id)
        if refused := denied(request, handover.open(alert, who, visitor.account.duty, why)):
            return handover.show(request, alert, who, visitor=visitor, base=base, csrf=visitor.csrf, refused=refused)
        return RedirectResponse(f"{base}/card", status_code=303)

    @router.get("/a/{token}/card")
    def show_card_by_link(request: Request, token: str) -> Response:
        one_tap, alert = pages.holder(token)
        who = one_tap.person if alert.owner == one_tap.person else ""  # the same as for opening it
        return handover.show(request, alert, who, visitor=None, base=f"/a/{token}", csrf="")

    @router.post("/a/{token}/card", dependencies=[Depends(doors.from_here)])
    def open_card_by_link(request: Request, token: str, why: Why = "") -> Response:
        one_tap, alert = pages.holder(token)
        # A link is passed on in a chat more easily than a password: only who has the alert opens the card by it.
        opening = handover.open(alert, one_tap.person, None, why) if alert.owner == one_tap.person else None
        refused = denied(request, opening if opening is not None else Denial.NOT_A_RESPONDER)
        if refused:
            return handover.show(
                request, alert, one_tap.person, visitor=None, base=f"/a/{token}", csrf="", refused=refused
            )
        return RedirectResponse(f"/a/{token}/card", status_code=303)

    @router.get("/install/{home_id}/door")
    def show_doorplate(request: Request, visitor: Keeper, home_id: str) -> Response:
        return handover.show_doorplate(request, visitor, pages.home(visitor, home_id))

    return router
