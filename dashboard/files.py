"""Figures to take along: as CSV for programs, as a workbook for people. What somebody typed never becomes a formula."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response

from alerts.sla import FORMULAS, Share, sheet
from dashboard.words import N_

OF = N_("of")
"""The column beside a percentage: of how many."""

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

NOT_IN_A_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
LONGEST_NAME = 31
"""What a spreadsheet takes as the name of one of its sheets."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a file. A share stands in it as a percentage, with of how many beside it."""

    name: str
    heads: Sequence[str]
    rows: Iterable[Sequence[object]]

    def laid_out(self, of: str) -> tuple[list[str], list[list[object]]]:
        """Heads and rows with a column more for each share; `of` is what that one is called."""
        rows = [list(row) for row in self.rows]
        shares = {at for row in rows for at, value in enumerate(row) if isinstance(value, Share)}
        heads: list[str] = []
        for at, head in enumerate(self.heads):
            heads += [f"{head}, %", of] if at in shares else [head]
        return heads, [_cells(row, shares) for row in rows]


def _cells(row: Sequence[object], shares: set[int]) -> list[object]:
    cells: list[object] = []
    for at, value in enumerate(row):
        if isinstance(value, Share):
            cells += [None if value.percent is None else round(value.percent, 1), value.whole]
        else:
            cells += [value, None] if at in shares else [value]
    return cells


def as_csv(name: str, table: Table, of: str) -> Response:
    # The mark at the beginning tells a spreadsheet that it is UTF-8.
    text = "\ufeff" + sheet(*table.laid_out(of))
    return Response(text, media_type="text/csv; charset=utf-8", headers=_saved_as(f"{name}.csv"))


def as_workbook(name: str, tables: Iterable[Table], of: str) -> Response:
    """One sheet for each table."""
    from xlsxwriter import Workbook  # loaded by who asks for one, and by nobody else

    out = io.BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        quoted = book.add_format({"quote_prefix": True})
        for table in tables:
            page = book.add_worksheet(_sheet_name(table.name, [sheet.name for sheet in book.worksheets()]))
            heads, rows = table.laid_out(of)
            for column, text in enumerate(heads):
                page.write_string(0, column, text, head)
            for number, row in enumerate(rows, 1):
                for column, value in enumerate(row):
                    _write(page, number, column, value, quoted)
            page.freeze_panes(1, 1)
            page.set_column(0, 0, 24)
            page.set_column(1, max(len(heads) - 1, 1), 12)
    return Response(out.getvalue(), media_type=WORKBOOK, headers=_saved_as(f"{name}.xlsx"))


def _write(page: Any, row: int, column: int, value: object, quoted: Any) -> None:
    """Text stays text, whatever it begins with; the quote keeps it so where somebody edits the cell."""
    if value is None:
        return
    if isinstance(value, int | float):
        page.write_number(row, column, value)
        return
    text = str(value)
    page.write_string(row, column, text, quoted if text.startswith(FORMULAS) else None)


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    plain = name.translate(NOT_IN_A_NAME).strip()[:LONGEST_NAME] or "-"
    known = {one.casefold() for one in taken}
    number, unique = 2, plain
    while unique.casefold() in known:
        tail = f" {number}"
        unique, number = plain[: LONGEST_NAME - len(tail)] + tail, number + 1
    return unique


def _saved_as(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}
