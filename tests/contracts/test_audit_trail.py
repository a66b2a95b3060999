"""The audit trail shows whoever altered it: in memory and on disk, by the same questions."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from gateway.domain import Act
from gateway.domain.trail import BEGINNING, CUT, REDACTED, Anchor, Break, Flaw, examined, proof
from gateway.stores import tables
from gateway.stores.book import writing
from gateway.stores.memory import MemoryAlerts
from gateway.stores.sql import SqlAlerts, open_book

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


def act(n: int, **changes) -> Act:
    facts = (("page", "home"), ("n", str(n)))
    return replace(Act(at=NOON + timedelta(minutes=n), who="liu", what="read.home", ref="h1", facts=facts), **changes)


def write(alerts, acts) -> None:
    for one in acts:
        with alerts.begin() as ledger:
            ledger.audit(one)


def test_a_trail_that_nobody_touched_is_whole(alerts, registry):
    write(alerts, map(act, range(5)))
    with registry.begin() as ledger:  # two in one transaction, by the other door
        ledger.audit(act(5))
        ledger.audit(act(6, who="马主任", why="巡查，“看看”"))

    rows = alerts.sealed()
    assert [row.act for row in rows] == [act(n) for n in range(5)] + [act(5), act(6, who="马主任", why="巡查，“看看”")]
    assert examined(rows, [alerts.trail_end()]) == []
    assert len({row.salt for row in rows}) == len(rows)
    assert alerts.sealed(after=5) == rows[5:]


def test_an_empty_trail_has_no_end_and_no_flaw(alerts):
    assert alerts.trail_end() is None
    assert examined(alerts.sealed()) == []


def test_the_trail_is_searched_by_whom_what_and_when(alerts):
    write(alerts, [act(0), act(1, who="ma"), act(2, what="home.put"), act(3, ref="h2")])

    assert alerts.acts("h1", what="read.") == [act(1, who="ma"), act(0)]
    assert alerts.acts(who="ma") == [act(1, who="ma")]
    assert alerts.acts(since=NOON + timedelta(minutes=2), until=NOON + timedelta(minutes=3)) == [
        act(2, what="home.put")
    ]
    assert alerts.acts(what="read_") == []  # no letter is a wild card


@pytest.fixture
def disk(tmp_path):
    engine = open_book(f"sqlite:///{tmp_path}/gateway.db")
    store = SqlAlerts(engine)
    write(store, map(act, range(12)))
    yield engine, store
    engine.dispose()


def forged(engine, statement) -> None:
    with writing(engine) as connection:
        connection.execute(statement)


ROW = tables.audit.c


@pytest.mark.parametrize("column", ["at", "who", "what", "ref", "why", "facts", "salt", "digest", "chain"])
def test_whatever_is_altered_in_a_row_is_found(disk, column):
    engine, store = disk
    value = {"at": NOON + timedelta(days=1), "facts": (("page", "map"),)}.get(column, "x")

    forged(engine, update(tables.audit).where(ROW.number == 7).values({column: value}))

    assert 7 in {flaw.number for flaw in examined(store.sealed())}


def test_a_row_that_is_gone_and_rows_that_changed_places_are_found(disk):
    engine, store = disk

    forged(engine, delete(tables.audit).where(ROW.number == 4))
    assert examined(store.sealed()) == [Break(5, Flaw.BROKEN)]

    for old, new in ((8, 100), (9, 8), (100, 9)):
        forged(engine, update(tables.audit).where(ROW.number == old).values(number=new))
    assert {flaw.number for flaw in examined(store.sealed())} >= {5, 8, 9}


def test_what_was_cut_off_at_the_end_or_forged_anew_disagrees_with_its_anchor(disk):
    engine, store = disk
    anchor = store.trail_end()
    assert anchor is not None
    assert Anchor.of(str(anchor)) == anchor

    forged(engine, delete(tables.audit).where(ROW.number > 9))
    assert examined(store.sealed()) == [], "by itself a shorter trail is a trail"
    assert examined(store.sealed(), [anchor]) == [Break(12, Flaw.MISSING)]

    write(store, map(act, range(9, 12)))  # the same again, under numbers of their own and another salt
    assert examined(store.sealed(), [anchor]) == [Break(12, Flaw.MISSING)]

    forged(engine, delete(tables.audit))
    assert examined(store.sealed(), [anchor]) == [Break(12, Flaw.MISSING)]


@pytest.mark.parametrize("seed", range(200))
def test_no_forgery_goes_unseen(seed):
    """Any one row altered, removed, doubled or moved, or the end cut off, in a trail of any length."""
    dice, alerts = random.Random(seed), MemoryAlerts()
    write(alerts, (act(n, who=dice.choice("abc")) for n in range(dice.randint(3, 20))))
    rows, anchor = alerts.sealed(), alerts.trail_end()
    at = dice.randrange(len(rows) - 1)
    row = rows[at]

    forgeries = {
        "altered": [*rows[:at], replace(row, act=replace(row.act, who="nobody")), *rows[at + 1 :]],
        "blanked": [*rows[:at], replace(row, act=replace(row.act, who="-"), salt=""), *rows[at + 1 :]],
        "removed": rows[:at] + rows[at + 1 :],
        "doubled": [*rows[: at + 1], *rows[at:]],
        "moved": [
            *rows[:at],
            replace(rows[at + 1], number=row.number),
            replace(row, number=row.number + 1),
            *rows[at + 2 :],
        ],
        "cut": rows[: at + 1],
        "emptied": [],
    }

    assert examined(rows, [anchor]) == []
    assert [name for name, forgery in forgeries.items() if not examined(forgery, [anchor])] == []


def test_what_a_law_wants_forgotten_is_taken_out_and_the_chain_holds(alerts):
    write(alerts, [act(0), act(1, who="王奶奶", why="在家"), act(2)])
    anchor = alerts.trail_end()

    left = act(1, who="erased-1", why="")
    with alerts.begin() as ledger:
        ledger.redact({2: left})
        ledger.audit(Act(at=NOON, who="ma", what=REDACTED, ref="erased-1", facts=proof([(2, left)])))

    rows = alerts.sealed()
    assert rows[1].act == left
    assert rows[1].salt == "", "so that nobody guesses back what stood there"
    assert examined(rows, [anchor]) == []
    assert "王奶奶" not in str(rows)

    forgery = [rows[0], replace(rows[1], act=replace(left, who="somebody else")), *rows[2:]]
    assert examined(forgery) == [Break(2, Flaw.ALTERED)]


def test_the_oldest_rows_go_when_their_time_is_over_and_the_rest_still_proves_itself(alerts):
    write(alerts, map(act, range(6)))
    rows = alerts.sealed()

    with alerts.begin() as ledger:
        assert ledger.cut_trail(4) == 4
        facts = (("last", "4"), ("chain", rows[3].chain), ("rows", "4"))
        ledger.audit(Act(at=NOON, who="gateway", what=CUT, ref="audit", facts=facts))

    left = alerts.sealed()
    assert [row.number for row in left] == [5, 6, 7]
    assert examined(left, [Anchor(2, rows[1].chain), Anchor(6, rows[5].chain)]) == []
    assert examined(left[1:]) != [], "nobody takes one more off"
    assert examined(left[:2]) != [], "nor without the proof"


def test_what_is_no_anchor_is_refused_in_a_sentence():
    assert Anchor.of(f"2026-11-22T08:00:00Z 3:{BEGINNING}") == Anchor(3, BEGINNING)
    with pytest.raises(ValueError, match="is no anchor"):
        Anchor.of("3:abc")
