"""The duty sheet at the terminal, and who would be called."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from test_commands import Terminal

from gateway.config import Refused
from gateway.domain import Area, Contact, Duty, Grid, Home, Person, Reach, Relation
from gateway.refusals import RegistrationError
from gateway.stores.roll import STANDARD_ZONE


@pytest.fixture
def terminal(tmp_path) -> Terminal:
    """Two grids of one community, a worker each, and a desk that is awake at night."""
    terminal = Terminal(tmp_path)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    with terminal.registry.begin() as ledger:
        ledger.put_area(Area(code="c1", name="东风社区", level="community"), long_ago)
        for number, worker in ((1, "zhang"), (2, "li")):
            grid = f"g{number}"
            ledger.put_grid(Grid(code=grid, name=grid, community="c1"))
            ledger.put_person(Person(id=worker, name=worker, reaches=(Reach(channel="console"),)), long_ago)
            home = Home(id=f"h{number}", code=f"A-{number}", name="王奶奶", grid=grid, zone=STANDARD_ZONE)
            ledger.put_home(home, long_ago)
        ledger.put_person(Person(id="desk", name="街道值班", reaches=(Reach(channel="console"),)), long_ago)
        ledger.assign("desk", Duty.NIGHT_POOL, "c1", long_ago)
        ledger.put_person(Person(id="hong", name="小红"), long_ago)
        ledger.put_contacts("h1", [Contact(home="h1", person="hong", relation=Relation.CHILD)], long_ago)
    return terminal


def days_ahead(days: int) -> str:
    return (datetime.now(STANDARD_ZONE) + timedelta(days=days)).date().isoformat()


def who(terminal, home: str, at: str) -> list[str]:
    """The people in their order who would be told."""
    lines = terminal("who", home, "--at", at).splitlines()[1:]
    return [line.split("(")[1].split(")")[0] for line in lines if line.startswith("          ")]


def test_by_day_the_worker_and_at_night_the_desk(terminal):
    terminal("rota add g1 zhang --hours 08:00-18:00")

    said = terminal("who", "h1", "--at", "tomorrow 12:00")
    assert "zhang (zhang)  console  – grid worker: on shift" in said
    assert "小红 (hong)  no way to be told  – family: son or daughter" in said
    assert "街道值班" not in said
    night = terminal("who", "A-1", "--at", "tomorrow 03:00")
    assert "街道值班 (desk)  console  – night desk: at night, nobody of the grid can be called" in night
    assert "zhang" not in night


def test_two_grids_swap_a_day(terminal):
    one = terminal("rota add g1 zhang --hours 08:00-18:00").strip()
    other = terminal("rota add g2 li --hours 08:00-18:00").strip()
    first, second = days_ahead(2), days_ahead(3)

    terminal("rota swap", one, first, other, second)

    assert who(terminal, "h1", f"{first} 12:00")[0] == "li"
    assert who(terminal, "h2", f"{second} 12:00")[0] == "zhang"
    assert who(terminal, "h1", f"{second} 12:00")[0] == "zhang"
    assert "in place of zhang" in terminal("who", "h1", "--at", f"{first} 12:00")
    assert f"li stands in on {first}" in terminal("rota list")


def test_somebody_stands_in_and_somebody_is_on_leave(terminal):
    shift = terminal("rota add g1 zhang --hours 00:00-00:00").strip()
    day, next_day = days_ahead(2), days_ahead(3)

    terminal("rota swap", shift, day, "li")
    assert who(terminal, "h1", f"{day} 12:00")[0] == "li"

    terminal("rota leave zhang --until", next_day, "--why", "病假")
    assert who(terminal, "h1", f"{next_day} 12:00") == ["hong", "desk"]
    terminal("rota leave zhang --end")
    assert "zhang" in who(terminal, "h1", f"{next_day} 12:00")
    assert "no person" not in terminal.refused("rota leave zhang --end")


def test_a_holiday_counts_as_a_sunday(terminal):
    terminal("rota add g1 zhang --hours 00:00-00:00 --days", "123456")
    day = next(days_ahead(n) for n in range(2, 9) if datetime.fromisoformat(days_ahead(n)).isoweekday() == 3)

    assert "zhang" in who(terminal, "h1", f"{day} 12:00")
    terminal("rota holiday", day, "--name", "国庆")
    assert "zhang" not in who(terminal, "h1", f"{day} 12:00")
    assert f"holiday  {day}  as 7" in terminal("rota list g1") + terminal("rota list")
    terminal("rota holiday", day, "--drop")
    assert "zhang" in who(terminal, "h1", f"{day} 12:00")


def test_hours_that_nobody_has_stand_on_the_list(terminal):
    with terminal.registry.begin() as ledger:
        ledger.put_duties("desk", [], datetime.now(UTC))
    shift = terminal("rota add g1 zhang --hours 08:00-18:00").strip()

    listed = terminal("rota list g1")
    assert "NOBODY   g1" in listed
    assert "18:00 –" in listed
    assert "NOBODY   g2" not in listed
    terminal("rota end", shift)
    assert shift not in terminal("rota list g1")


def test_sheets_go_out_and_come_in_again(terminal, tmp_path):
    terminal("rota add g1 zhang --hours 08:00-18:00 --days 工作日")
    folder = tmp_path / "sheets"

    terminal("rota export", str(folder), "--language", "en")

    assert sorted(path.name for path in folder.iterdir()) == ["holidays.csv", "leaves.csv", "shifts.csv"]
    assert "1 shifts, 0 holidays, 0 leaves read; 0 of them new or changed." in terminal("rota import", str(folder))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rota add g9 zhang --hours 08:00-18:00", "There is no grid or area 'g9'"),
        ("rota add g1 nobody --hours 08:00-18:00", "There is nobody 'nobody'"),
        ("rota add g1 zhang --hours 8-18", "'8-18' are no hours"),
        ("rota add g1 zhang --hours 08:00-18:00 --days 8", "'8' are no weekdays"),
        ("rota add g1 zhang --hours 08:00-18:00 --duty cook", "'cook' is no duty"),
        (
            "rota add g1 zhang --hours 08:00-18:00 --first 2026-03-02 --last 2026-03-01",
            "has its last day then or later",
        ),
        ("rota add g1 zhang --hours 08:00-18:00 --duty elder", "A resident works no shifts"),
        ("rota end g1/none", "There is no shift 'g1/none'"),
        ("rota swap g1/none 2026-03-01 li", "There is no shift 'g1/none'"),
        ("rota holiday sunday", "'sunday' is no day"),
        ("rota holiday 2026-10-01 --drop", "2026-10-01 is no holiday on the sheet"),
        ("rota leave zhang --until 2020-01-01 --from 2019-12-01", "This leave is over already"),
        ("rota leave zhang", "Say with --until"),
        ("who h9", "There is no home 'h9'"),
        ("who h1 --code moon", "'moon' is no alert"),
        ("who h1 --at someday", "'someday' is no moment"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(terminal, line, said):
    with pytest.raises((Refused, RegistrationError), match=re.escape(said)):
        terminal(line)


def test_a_shift_that_is_over_is_not_swapped_and_nobody_with_themselves(terminal):
    shift = terminal("rota add g1 zhang --hours 08:00-18:00 --first 2026-03-01").strip()

    assert "is over" in terminal.refused("rota swap", shift, "2026-03-02", "li")
    assert "Nobody works this shift" in terminal.refused("rota swap", shift, "2026-02-01", "li")
    assert "zhang's already" in terminal.refused("rota swap", shift, days_ahead(2), shift, days_ahead(3))


def test_every_act_stands_in_the_audit_trail(terminal):
    shift = terminal("rota add g1 zhang --hours 08:00-18:00").strip()
    terminal("rota swap", shift, days_ahead(2), "li", "--who", "ma")
    terminal("rota leave zhang --until", days_ahead(2), "--why", "病假")

    acts = [(act.what, act.who, act.why) for act in terminal.alerts.acts()]
    assert acts == [("leave.put", "cli", "病假"), ("shift.swap", "ma", ""), ("shift.put", "cli", "")]
