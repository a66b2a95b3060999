"""Duty sheets in and out: what a street's clerk keeps in a spreadsheet is taken whole or refused cell by cell."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from gateway.domain import Area, Duty, Grid, Person
from gateway.domain.rota import Holiday, Leave
from gateway.refusals import RegistrationError
from gateway.registry import Registry
from gateway.sheets import ROTA, write_csv, write_toml
from gateway.stores.memory import MemoryRegistry

NOW = datetime(2026, 11, 2, 4, tzinfo=UTC)
BY = {"who": "ma", "now": NOW}
SHIFTS = """网格或区域,职责,人员,星期,开始,结束,首日,末日
g1,网格员,zhang,工作日,08:00,18:00,2026-11-02,
g1,grid_worker,li,六日,8:00,18:00,2026/11/2,2026-12-31
c1,夜间值守,zhao,,18:00,08:00,2026-11-02,
"""
HOLIDAYS = "日期,按星期,名称\n2027-01-01,,元旦\n2027-02-20,一,调休上班\n"
LEAVES = "人员,开始,结束,原因\nzhang,2026-11-10,2026-11-12,年假\nli,2026-11-20 08:00,2026-11-20 12:00,\n"


@pytest.fixture
def store() -> MemoryRegistry:
    store = MemoryRegistry()
    with store.begin() as ledger:
        ledger.put_area(Area(code="c1", name="东风社区", level="community"), NOW)
        ledger.put_grid(Grid(code="g1", name="一网格", community="c1"))
        for person in ("zhang", "li", "zhao"):
            ledger.put_person(Person(id=person, name=person), NOW)
    return store


def take(store, **files: str | bytes):
    given = {f"{name}.csv": text.encode() if isinstance(text, str) else text for name, text in files.items()}
    return Registry(store, hash_secret=str).import_files(given, **BY)


def refusals(store, **files: str) -> str:
    with pytest.raises(RegistrationError) as refused:
        take(store, **files)
    assert not (store.rota().shifts or store.rota().holidays or store.rota().leaves)
    return str(refused.value)


def test_a_duty_sheet_is_taken_in_either_language(store):
    take(store, shifts=SHIFTS, holidays=HOLIDAYS, leaves=LEAVES)

    rota = store.rota()
    days, weekend = rota.shifts["g1", Duty.GRID_WORKER]
    assert {days.person, weekend.person} == {"zhang", "li"}
    by_person = {days.person: days, weekend.person: weekend}
    assert (by_person["zhang"].weekdays, by_person["zhang"].last) == ("12345", None)
    assert (by_person["li"].weekdays, by_person["li"].last) == ("67", date(2026, 12, 31))
    (night,) = rota.shifts["c1", Duty.NIGHT_POOL]
    assert (night.begins, night.ends, night.weekdays, night.zone) == (
        time(18),
        time(8),
        "1234567",
        ZoneInfo("Asia/Shanghai"),
    )
    assert rota.holidays["", date(2027, 2, 20)] == Holiday(day=date(2027, 2, 20), counts_as=1, name="调休上班")
    assert rota.holidays["", date(2027, 1, 1)].counts_as == 7


def test_a_last_day_of_leave_is_free_to_its_end(store):
    take(store, leaves=LEAVES)

    assert store.rota().leaves["zhang"] == (
        Leave(
            person="zhang",
            since=datetime(2026, 11, 9, 16, tzinfo=UTC),
            until=datetime(2026, 11, 12, 16, tzinfo=UTC),
            reason="年假",
            author="ma",
        ),
    )
    assert store.rota().leaves["li"][0].until == datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_written_out_changes_nothing_when_it_is_read_again(store, language):
    take(store, shifts=SHIFTS, holidays=HOLIDAYS, leaves=LEAVES)
    (shift,) = (s for s in store.rota().shifts["g1", Duty.GRID_WORKER] if s.person == "zhang")
    swap = f"place,duty,person,begins,ends,first,swap_of\ng1,grid_worker,zhao,08:00,18:00,2026-11-03,{shift.id}\n"
    take(store, shifts=swap)
    assert store.rota().swaps[shift.id, date(2026, 11, 3)].person == "zhao"
    registry, version = Registry(store, hash_secret=str), store.version()

    assert not registry.import_files(write_csv(store, NOW, language, only=ROTA), **BY)
    assert not registry.import_files({"all.toml": write_toml(store, NOW).encode()}, **BY)

    assert store.version() == version


def test_only_the_last_day_of_a_shift_changes(store):
    take(store, shifts=SHIFTS)

    changes = take(store, shifts=SHIFTS.replace("2026-11-02,\ng1", "2026-11-02,2026-11-30\ng1"))

    assert [shift.last for shift in changes.shifts] == [date(2026, 11, 30)]
    assert len(store.rota().shifts["g1", Duty.GRID_WORKER]) == 2


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("shifts", SHIFTS.replace("18:00,2026-11-02", "25:00,2026-11-02"), "row 2, column 结束: '25:00' is no time of"),
        ("shifts", SHIFTS.replace("工作日", "看情况"), "row 2, column 星期: '看情况' are no weekdays"),
        ("shifts", SHIFTS.replace("zhang", "nobody"), "row 2, column 人员: There is nobody 'nobody'"),
        ("shifts", SHIFTS.replace("c1", "c9"), "row 4, column 网格或区域: There is no grid or area 'c9'"),
        (
            "shifts",
            SHIFTS.replace("2026-12-31", "2026-10-31"),
            "row 3, column 末日: The last day lies before the first",
        ),
        ("shifts", SHIFTS.replace("夜间值守", "老人"), "row 4, column 职责: A resident works no shifts"),
        ("shifts", SHIFTS.replace("网格员", "门卫"), "row 2, column 职责: '门卫' is none of"),
        ("shifts", SHIFTS.replace("2026/11/2", "2026-11-02 08:00"), "row 3, column 首日: '2026-11-02 08:00' is more"),
        ("shifts", "place,duty\ng1,deputy\n", "row 2: The column 'person (人员)' is missing"),
        (
            "shifts",
            SHIFTS + SHIFTS.splitlines()[1] + "\n",
            "row 5, column 星期: '12345' is there twice, first in row 2",
        ),
        ("holidays", HOLIDAYS.replace("一,调休", "一二,调休"), "row 3, column 按星期: A day counts as one weekday"),
        ("leaves", LEAVES.replace("2026-11-12", "2026-11-01"), "row 2, column 结束: Leave ends after it has begun"),
        ("leaves", "person,since\nzhang,2026-11-10\n", "row 2: The column 'until (结束)' is missing"),
    ],
)
def test_what_cannot_be_is_refused_with_its_cell(store, file, text, said):
    assert f"{file}.csv {said}" in refusals(store, **{file: text})


def test_a_swap_of_no_shift_is_refused(store):
    swap = "place,duty,person,begins,ends,first,swap_of\ng1,deputy,li,08:00,18:00,2026-11-03,another\n"

    assert "shifts.csv row 2, column swap_of: There is no shift 'another'." in refusals(store, shifts=swap)


def test_a_duty_may_be_for_an_area(store):
    take(store, people="id,name,duties\nzhao,zhao,社区值班 c1\n")

    assert store.duties("zhao", NOW) == [(Duty.COMMUNITY, "c1")]
    assert [p.id for p in store.on_duty("g1", Duty.COMMUNITY, NOW)] == ["zhao"]
