"""审计: who did what, about what, when and why; whether anybody has altered it; and the same to take along."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from dashboard.addresses import Addresses
from dashboard.auth import Visitor
from dashboard.doors import Doors
from dashboard.elder import LISTS
from dashboard.files import OF, Table, as_csv
from dashboard.pages import Pages
from dashboard.printer import FALLBACK_ZONE, alert_url, tongue_of
from dashboard.words import N_, Tongue
from dashboard.workings import CouldNotLook
from gateway.domain import Act, Duty
from gateway.privacy import ABOUT_ALL_OF, LISTED

EACH_PAGE, MOST_PAGES = 25, 200
"""What lies further back is found by saying until when."""

TAKEN_ALONG = 10_000
"""Rows of one export; more are had in parts, by dates."""

OF_A_HOME = 500
"""So many alerts of one home are looked into, the newest."""

CHECKED = "audit.checked"

BREAKS_NOTED = 20

KINDS: Mapping[str, str] = {
    "read.list": N_("looked at a list"),
    "read.": N_("looked at a page about somebody"),
    "profile.": N_("health file"),
    "card.": N_("emergency card"),
    "consent.": N_("consents"),
    "sharing.": N_("what the family is shown"),
    "privacy.": N_("copies and erasures"),
    "retention.": N_("how long things are kept"),
    "alert.": N_("alerts"),
    "button.": N_("tests of buttons"),
    "drill": N_("drills"),
    "tell": N_("test messages"),
    "plan.": N_("plans and limits"),
    "home.": N_("households"),
    "room.": N_("rooms"),
    "hub.": N_("hubs"),
    "device.": N_("devices"),
    "contacts.": N_("contacts"),
    "person.": N_("people"),
    "account.": N_("accounts"),
    "sign-": N_("signing in and out"),
    "token.": N_("other programs"),
    "api.": N_("acts of other programs"),
    "shift.": N_("shifts"),
    "leave.": N_("leave"),
    "holiday.": N_("holidays"),
    "area.": N_("areas"),
    "grid.": N_("grids"),
    "copy.": N_("Copies of the files"),
    "registry.": N_("tables in and out"),
    "audit.": N_("the audit trail itself"),
}
"""How the acts of a sort begin, and what it is called."""

FLAWS = {
    "altered": N_("row {row} does not say what it said"),
    "broken": N_("row {row} does not follow on the one before: one was removed, put in or moved"),
    "missing": N_("row {row} was noted elsewhere as the last, and is not there or is another"),
}

SAID = {
    "checked": N_("All of it was gone through."),
    "failed": N_("It could not be gone through now. Try again, or use `shouwang audit verify`."),
}

HEADS = (N_("When"), N_("Who"), N_("Id"), N_("What was done"), N_("Act"), N_("About"), N_("Id"), N_("Why"), N_("More"))


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; an empty field asks for everything."""

    who: str = ""
    kind: str = ""
    about: str = ""
    first: str = ""  # a day
    last: str = ""  # and up to this one, with all of it

    def days(self) -> tuple[datetime | None, datetime | None]:
        """From when, and until before when. Raises ValueError for what is no day."""
        begins = datetime.combine(date.fromisoformat(self.first), time(), FALLBACK_ZONE) if self.first else None
        ends = date.fromisoformat(self.last) + timedelta(days=1) if self.last else None
        return begins, datetime.combine(ends, time(), FALLBACK_ZONE) if ends else None

    def query(self, **more: object) -> str:
        fields = {"who": self.who, "kind": self.kind, "about": self.about, "first": self.first, "last": self.last}
        return urlencode({name: value for name, value in {**fields, **more}.items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    """One act in words."""

    act: Act
    who: str
    what: str
    about: str
    address: str  # of the page about it; empty: there is none


class Audit:
    """What this page needs from the stores."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.house = pages.house

    def show(self, request: Request, visitor: Visitor, sought: Sought, page: int = 1, said: str = "") -> Response:
        tongue, error, acts = tongue_of(request), "", list[Act]()
        try:
            acts = self.found(visitor, sought, page * EACH_PAGE + 1)
        except ValueError:
            error = tongue.say("That is no date; choose one from the calendar.")
        rows = acts[(page - 1) * EACH_PAGE : page * EACH_PAGE]
        is_more = len(acts) > page * EACH_PAGE
        keeps_all = self.pages.covers(visitor, "")
        return self.pages.printer.page(
            request,
            "machine_audit.html",
            status=422 if error else 200,
            visitor=visitor,
            sought=sought,
            kinds=[(prefix, tongue.say(words)) for prefix, words in KINDS.items()],
            rows=[self._row(act, tongue) for act in rows],
            needs_home=not keeps_all and not sought.about,
            before=sought.query(page=page - 1) if page > 1 else None,
            after=sought.query(page=page + 1) if is_more and page < MOST_PAGES else None,
            is_last=is_more and page == MOST_PAGES,
            query=sought.query(),
            chain=self.chain(tongue) if keeps_all else None,
            can_check=keeps_all and self.house.workings is not None,
            said=tongue.say(SAID[said]) if said in SAID else "",
            error=error,
        )

    # ------------------------------------------------------------------ looking for something

    def found(self, visitor: Visitor, sought: Sought, limit: int) -> list[Act]:
        """The newest first. Whoever keeps one area finds what is about its homes; whoever keeps all, everything."""
        return self.between(visitor, sought, limit, *sought.days())

    def between(
        self, visitor: Visitor, sought: Sought, limit: int, since: datetime | None, until: datetime | None
    ) -> list[Act]:
        """The same, by moments in place of days."""
        refs, people = self._refs(visitor, sought.about.strip()), self._people(sought.who.strip())
        found = [
            act
            for ref in refs
            for who in people
            for act in self.house.alerts.acts(ref, limit, who=who, what=sought.kind, since=since, until=until)
        ]
        if len(refs) * len(people) > 1:
            found.sort(key=lambda act: act.at, reverse=True)
        return found[:limit]

    def _refs(self, visitor: Visitor, about: str) -> Sequence[str | None]:
        """Under what names the trail knows it: a household with its resident and its alerts, or an id as it is."""
        registry, keeps_all = self.house.registry, self.pages.covers(visitor, "")
        if not about:
            return [None] if keeps_all else []
        homes = [home for home in self.pages.homes(visitor) if about in (home.id, home.code, home.name)]
        refs: list[str | None] = []
        for home in homes:
            self.pages.home(visitor, home.id)  # whoever reads what was done about somebody has looked at them
            alerts = self.house.alerts.alerts(home=home.id, limit=OF_A_HOME)
            refs += [ref for ref in (home.id, home.person, *(alert.id for alert in alerts)) if ref]
        if keeps_all and not homes:
            refs = [*(person.id for person in registry.people() if person.name == about), about]
        return list(dict.fromkeys(refs))

    def _people(self, who: str) -> Sequence[str]:
        """Everybody of this name, or whoever has it for an id."""
        if not who:
            return [""]
        return list(dict.fromkeys([*(p.id for p in self.house.registry.people() if p.name == who), who]))

    # ------------------------------------------------------------------ in words

    def _row(self, act: Act, tongue: Tongue) -> Row:
        home = self.house.registry.home(act.ref.partition("/")[0])
        about, address = self.pages.name_of(act.ref), ""
        if act.what == LISTED:
            place = act.ref.removeprefix(ABOUT_ALL_OF)
            name = LISTS.get(dict(act.facts).get("list", ""), "")
            where = self.house.registry.place_name(place) if place else tongue.say("everywhere")
            about = f"{tongue.say(name)} · {where}" if name else where
        if home is not None:
            about = f"{home.name} {home.code}"
            address = alert_url(act.ref) if act.what.startswith(("alert.", "card.")) else f"/homes/{home.id}"
        return Row(act, self.pages.name_of(act.who), kind_of(act, tongue), about, address)

    def table(self, visitor: Visitor, sought: Sought, tongue: Tongue) -> Table:
        return Table("audit", [tongue.say(head) for head in HEADS], self._cells(visitor, sought, tongue))

    def _cells(self, visitor: Visitor, sought: Sought, tongue: Tongue) -> Iterator[Sequence[object]]:
        for act in self.found(visitor, sought, TAKEN_ALONG):
            row = self._row(act, tongue)
            more = "; ".join(f"{name}={value}" for name, value in act.facts)
            yield act.at.isoformat(), row.who, act.who, row.what, act.what, row.about, act.ref, act.why, more

    # ------------------------------------------------------------------ whether it is whole

    def chain(self, tongue: Tongue) -> dict[str, object]:
        """When it was last gone through, and what was found then."""
        last = self.last_check()
        facts = dict(last.facts) if last else {}
        breaks = [part.partition(":") for part in facts.get("breaks", "").split(",") if part]
        return {
            "last": last,
            "by": self.pages.name_of(last.who) if last else "",
            "rows": facts.get("rows", ""),
            "anchors": facts.get("anchors", ""),
            "count": int(facts.get("broken", "0")),
            "breaks": [tongue.say(FLAWS[flaw], row=row) for row, _, flaw in breaks if flaw in FLAWS],
            "end": self.house.alerts.trail_end(),
        }

    def last_check(self) -> Act | None:
        return next(iter(self.house.alerts.acts("audit", 1, what=CHECKED)), None)

    def check(self, visitor: Visitor) -> None:
        """Go through all of it; what was found becomes a row of it. Raises CouldNotLook."""
        if self.house.workings is None:
            raise HTTPException(404)
        verdict = self.house.workings.verify()
        some = ",".join(f"{row}:{flaw}" for row, flaw in verdict.breaks[:BREAKS_NOTED])
        facts = (
            ("rows", str(verdict.rows)),
            ("anchors", str(verdict.anchors)),
            ("broken", str(len(verdict.breaks))),
            *((("breaks", some),) if some else ()),
        )
        self.note(visitor, CHECKED, facts)

    def note(self, visitor: Visitor, what: str, facts: tuple[tuple[str, str], ...]) -> None:
        now = self.house.clock.now()
        with self.house.registry.begin() as ledger:
            ledger.audit(Act(at=now, who=visitor.account.person, what=what, ref="audit", facts=facts))


def kind_of(act: Act, tongue: Tongue) -> str:
    """What sort of act it is, in words; its own word where it is of none."""
    return next((tongue.say(words) for prefix, words in KINDS.items() if act.what.startswith(prefix)), act.what)


# --------------------------------------------------------------------------- routes


def routes(audit: Audit, doors: Doors) -> Addresses:
    """For administrators: of all there is, or of the homes of the area that they keep."""
    router = Addresses(prefix="/administration")
    Admin = Annotated[Visitor, Depends(doors.signed_in(Duty.ADMIN))]  # noqa: N806 (a type)
    Acting = Annotated[Visitor, Depends(doors.acting(Duty.ADMIN))]  # noqa: N806

    def sought(who: str = "", kind: str = "", about: str = "", first: str = "", last: str = "") -> Sought:
        return Sought(who[:80], kind if kind in KINDS else "", about[:200], first[:10], last[:10])

    Asked = Annotated[Sought, Depends(sought)]  # noqa: N806

    @router.get("/audit")
    def show(request: Request, visitor: Admin, asked: Asked, page: int = 1, said: str = "") -> Response:
        return audit.show(request, visitor, asked, min(max(page, 1), MOST_PAGES), said)

    @router.get("/audit.csv")
    def take_along(request: Request, visitor: Admin, asked: Asked) -> Response:
        tongue = tongue_of(request)
        try:
            table = audit.table(visitor, asked, tongue)
            answer = as_csv("audit", table, tongue.say(OF))
        except ValueError:
            raise HTTPException(422) from None
        audit.pages.listed(visitor, "audit")
        audit.note(visitor, "audit.export", (("asked", asked.query()),))
        return answer

    @router.post("/audit/check")
    def check(visitor: Acting, csrf: Annotated[str, Form()] = "") -> Response:
        if not audit.pages.covers(visitor, ""):
            raise HTTPException(403)
        try:
            audit.check(visitor)
        except CouldNotLook:
            return RedirectResponse("/administration/audit?said=failed", status_code=303)
        return RedirectResponse("/administration/audit?said=checked", status_code=303)

    return router
