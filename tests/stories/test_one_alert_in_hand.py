"""One alert from the press to the file, in virtual time: every state, every moment, and what is reckoned from them."""

from zoneinfo import ZoneInfo

from test_care_loop import T0, House, at

from alerts import card, sla, timeline
from alerts.card import Denial, Opening
from alerts.escalation import Reason
from alerts.sla import Share, Step
from gateway.domain import Elder, Outcome, State

CHINA = ZoneInfo("Asia/Shanghai")


def place(home: str) -> tuple[str, ZoneInfo]:
    return "g1", CHINA


async def test_one_alert_goes_through_every_state_and_its_moments_are_kept():
    house = House()
    alert = house.finds().alert.id
    states = []

    async def then(second: float, act) -> None:
        await house.until(second)
        assert act(house.now()).told
        states.append((second, house.alert().state))

    desk = house.desk
    await then(40, lambda now: desk.accept(alert, "zhang", now, "link"))
    await then(200, lambda now: desk.on_the_way(alert, "zhang", now))
    await then(800, lambda now: desk.on_site(alert, "zhang", now, proof="code"))
    await then(1500, lambda now: desk.resolve(alert, "zhang", Outcome.REAL_EMERGENCY, "送医", now))
    early = desk.close(alert, "wang", house.now())
    await then(80_000, lambda now: desk.follow_up(alert, "li", "", now, facts=(("elder", Elder.IN_HOSPITAL),)))
    await then(80_001, lambda now: desk.close(alert, "wang", now))

    assert states == [
        (40, State.ACCEPTED),
        (200, State.EN_ROUTE),
        (800, State.ON_SITE),
        (1500, State.RESOLVED),
        (80_000, State.FOLLOWED_UP),
        (80_001, State.CLOSED),
    ]
    assert early.reason is Reason.UNVISITED, "nothing real is filed before somebody has looked in again"
    kept = house.alert()
    assert (kept.raised_at, kept.notified_at, kept.accepted_at, kept.en_route_at) == (T0, T0, at(40), at(200))
    assert (kept.on_site_at, kept.resolved_at, kept.followed_up_at) == (at(800), at(1500), at(80_000))
    clocks = {clock.step: (clock.done_at, clock.is_breached(house.now())) for clock in sla.clocks(kept)}
    assert clocks == {Step.ACCEPT: (at(40), False), Step.DEPART: (at(200), False), Step.ARRIVE: (at(800), False)}
    row, _ = sla.figures(sla.cases_of([kept]), "2026-02", place, house.now())
    assert (row.answered, row.arrived, row.false) == ((Share(1, 1),) * 2, (Share(1, 1),) * 2, Share(0, 1))


async def test_the_clocks_show_each_breach_while_it_lasts():
    house = House()
    house.finds()
    await house.until(61)
    assert [(c.step, c.is_breached(house.now())) for _, c in sla.board([house.alert()], house.now())] == [
        (Step.ACCEPT, True)
    ]

    house.desk.accept(house.alert().id, "li", house.now())
    ((_, clock),) = sla.board([house.alert()], house.now())

    assert (clock.step, clock.is_breached(house.now())) == (Step.DEPART, False)
    row, _ = sla.figures(sla.cases_of([house.alert()]), "2026-02", place, house.now())
    assert row.answered == (Share(0, 1), Share(1, 1))


async def test_whoever_cannot_go_after_all_lets_it_ring_for_the_next():
    house = House()
    alert = house.finds().alert.id
    await house.until(10)
    house.desk.accept(alert, "zhang", house.now(), can_arrive=True)
    await house.until(20)

    given_back = house.desk.cannot_go(alert, "zhang", house.now(), why="车坏了")
    await house.until(100)

    assert given_back.reason is Reason.COORDINATES
    assert house.desk.cannot_go(alert, "zhang", house.now()).reason is Reason.NOT_GOING
    assert house.alert().coordinator == "zhang" and house.alert().is_ringing
    assert house.phone.rang == [(0, "page", "zhang"), (20, "page", "li")], "the next is called at once"


async def test_the_glass_is_broken_once_and_whoever_leads_hears_of_it():
    house = House()
    alert = house.finds().alert.id
    await house.until(30)
    assert card.disclose(house.store, house.registry, alert, "li", "好奇", house.now()) is Denial.NOT_A_RESPONDER

    opening = card.disclose(house.store, house.registry, alert, "zhang", "无应答", house.now())
    await house.until(35)

    assert isinstance(opening, Opening)
    assert (30, "card", "wang") in house.phone.rang
    assert [a.who for a in house.store.acts(alert) if a.what == "card.opened"] == ["zhang"]
    assert house.alert().is_ringing, "looking at a card accepts nothing"


async def test_the_timeline_leaves_nothing_out():
    house = House()
    alert = house.finds().alert.id
    await house.until(61)
    house.desk.accept(alert, "li", house.now())
    card.disclose(house.store, house.registry, alert, "li", "无应答", house.now())
    await house.until(70)
    house.desk.resolve(alert, "li", Outcome.ASSISTANCE_GIVEN, "", house.now())
    await house.until(80)

    history, deliveries = house.store.history(alert), house.store.deliveries(alert)
    lines = timeline.timeline((), history, deliveries)

    told = [line.of for line in lines]
    assert all(entry in told for entry in history if entry.what not in timeline.IN_THE_LEDGER)
    assert {mark.delivery.id for mark in told if isinstance(mark, timeline.Mark)} == {d.id for d in deliveries}
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert set(timeline.people(house.alert(), history, deliveries)) >= {"zhang", "li", "wang"}
