"""Tables out of CSV, TOML and zip files: every cell read, and everything wrong with it noted with its place."""

import csv
import io
import lzma
import re
import struct
import tomllib
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.refusals import N_, Sentence
from gateway.sheets.columns import ROTA, TABLES, Table, WrongCell

LARGEST = 32 * 2**20
"""Bytes of one table, and of everything in a zip: a county's homes need a tenth."""

MOST_FILES = 64

# What Python's zipfile and its decompressors raise for archives that are damaged, locked or made to deceive.
_NO_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    RuntimeError,
    LookupError,
    ValueError,
    OSError,
    EOFError,
)

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def safe(cell: str) -> str:
    """A spreadsheet takes a cell that begins like a formula for one; an apostrophe before it says that it is text."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """What stands in a cell that was made safe."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


@dataclass(frozen=True)
class Row:
    """One row as it was read: cells that could not be read are not among its values."""

    file: str
    number: str  # "7", or where in a TOML file
    values: Mapping[str, Any]
    headers: Mapping[str, str]  # column -> as this file calls it


@dataclass
class Tables:
    """Everything that was read from some files, and everything that was wrong with them."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TABLES})
    wrong: dict[tuple[str, str, str], list[Sentence]] = field(default_factory=dict)  # by file, row and column

    def tell(self, what: Sentence | str, file: str, row: str = "", column: str = "", **values: object) -> None:
        """Note what is wrong and where. A cell that is wrong already is not told off for what follows from it."""
        told = self.wrong.setdefault((file, row, column), [])
        if column and told:
            return
        said = what if isinstance(what, Sentence) else Sentence(what, tuple(values.items()))
        place: list[tuple[str, object]] = [("file", file), ("row", row), ("column", column), ("what", said)]
        if not row:
            told.append(Sentence(N_("{file}: {what}"), tuple(place)))
        elif not column:
            told.append(Sentence(N_("{file} row {row}: {what}"), tuple(place)))
        else:
            told.append(Sentence(N_("{file} row {row}, column {column}: {what}"), tuple(place)))

    def fault(self, row: Row, column: str, what: Sentence | str, **values: object) -> None:
        self.tell(what, row.file, row.number, row.headers.get(column, column), **values)

    def sentences(self) -> list[Sentence]:
        """In the order of files, rows and columns; row 9 comes before row 10."""

        def order(place: tuple[str, str, str]) -> list[tuple[int, str]]:
            parts = re.split(r"([0-9]+)", f"{place[0]} {place[1]}")
            return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]

        return [sentence for place in sorted(self.wrong, key=order) for sentence in self.wrong[place]]


def read(files: Mapping[str, bytes]) -> Tables:
    """Read tables by their names: `homes.csv` or `住户.csv`, any `.toml`, and zips of these."""
    tables = Tables()
    for name, content in sorted(_unpacked(files, tables).items()):
        if len(content) > LARGEST:
            tables.tell(N_("The file is too large."), name)
        elif name.lower().endswith(".toml"):
            _read_toml(name, content, tables)
        else:
            _read_csv(name, content, tables)
    for name, table in TABLES.items():
        _find_doubles(table, tables.rows[name], tables)
    return tables


def _unpacked(files: Mapping[str, bytes], tables: Tables) -> dict[str, bytes]:
    found = {}
    for name, content in files.items():
        if not name.lower().endswith(".zip"):
            found[name] = content
            continue
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                inside = [entry for entry in archive.infolist() if not entry.is_dir()]
                if len(inside) > MOST_FILES or sum(entry.file_size for entry in inside) > LARGEST:
                    tables.tell(N_("The file is too large."), name)
                    continue
                found |= {entry.filename.rsplit("/", 1)[-1]: archive.read(entry) for entry in inside}
        except _NO_ZIP:
            tables.tell(N_("This is no zip that can be read."), name)
    return found


def _read_csv(file: str, content: bytes, tables: Tables) -> None:
    def fault(text: str, row: str = "", column: str = "", **values: object) -> None:
        tables.tell(text, file, row, column, **values)

    stem = file.rsplit(".", 1)[0].lower()
    table = next((t for t in TABLES.values() if stem in (t.name, t.zh)), None)
    if table is None or not file.lower().endswith(".csv"):
        fault(N_("This is none of our tables; they are called {names}."), names=_file_names())
        return
    text = _decoded(content)
    if text is None:
        fault(N_("The file is neither UTF-8 nor GBK; save it as 'CSV UTF-8'."))
        return
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        fault(N_("This is no table that can be read: {error}."), error=error)
        return
    if not lines:
        fault(N_("The file is empty; its first row names the columns."))
        return
    columns = [table.column(header) for header in lines[0]]
    for header, column in zip(lines[0], columns, strict=True):
        if column is None and header.strip():
            text = N_("There is no such column; there are {columns}.")
            fault(text, "1", header, columns=", ".join(f"{c.name} ({c.zh})" for c in table.columns))
        elif column is not None and columns.count(column) > 1:
            fault(N_("This column is there twice."), "1", header)
    headers = {column.name: header for header, column in zip(lines[0], columns, strict=True) if column}
    for number, line in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in line):
            continue
        if any(cell.strip() for cell in line[len(columns) :]):
            fault(N_("This row has more cells than the first row has columns."), str(number))
        cells = {c.name: plain(cell) for c, cell in zip(columns, line, strict=False) if c is not None}
        _take_row(table, file, str(number), cells, headers, tables)


def _decoded(content: bytes) -> str | None:
    """UTF-8 as Excel and everybody else writes it, GBK as Excel does in China, or what it calls "Unicode text"."""
    for encoding in ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _file_names() -> str:
    return ", ".join(f"{t.name}.csv ({t.zh}.csv)" for t in TABLES.values())


def _read_toml(file: str, content: bytes, tables: Tables) -> None:
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        tables.tell(N_("The sheet is not valid TOML: {error}."), file, error=error)
        return
    whole = ("areas", "grids", "people", "homes", *ROTA)
    for name in values.keys() - set(whole):
        names = ", ".join(f"[[{known}]]" for known in whole)
        text = N_("There is no table '{name}'; there are {names}.")
        tables.tell(text, file, name=name, names=names)
    within = {table.comes_as: table for table in TABLES.values() if table.comes_as}
    for name in whole:
        for number, item in enumerate(_items(values.get(name, []), file, name, tables), 1):
            place = f"{name}[{number}]"
            parts = within if name == "homes" else {}
            profile = item.get("profile") if name == "people" else None
            own = {key: value for key, value in item.items() if key not in parts and not (key == "profile" and profile)}
            _take_item(TABLES[name], file, place, own, tables)
            if profile is not None:
                about = {"person": item.get("id", ""), **profile} if isinstance(profile, dict) else {}
                _take_item(TABLES["profiles"], file, f"{place}.profile", about, tables)
            for key, table in parts.items():
                for count, part in enumerate(_items(item.get(key, []), file, f"{place}.{key}", tables), 1):
                    _take_item(table, file, f"{place}.{key}[{count}]", {"home": item.get("id", ""), **part}, tables)


def _items(value: Any, file: str, place: str, tables: Tables) -> list[dict[str, Any]]:
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    tables.tell(N_("This must be a list of tables, written as [[…]]."), file, place)
    return []


def _take_item(table: Table, file: str, place: str, item: Mapping[str, Any], tables: Tables) -> None:
    cells: dict[str, str] = {}
    headers: dict[str, str] = {}
    for key, value in item.items():
        column = table.column(key)
        if column is None:
            text = N_("There is no such column; there are {columns}.")
            columns = ", ".join(c.name for c in table.columns)
            tables.tell(text, file, place, key, columns=columns)
        else:
            cells[column.name], headers[column.name] = _as_cell(value), key
    _take_row(table, file, place, cells, headers, tables)


_PAIRS = (("duty", "grid"), ("channel", "address"))


def _as_cell(value: Any) -> str:
    """A value of TOML as one would write it into a cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(map(_as_cell, value))
    if isinstance(value, dict):  # { duty = "deputy", grid = "g-01" }, { channel = "webhook", address = "…" }
        pair = next((pair for pair in _PAIRS if value.keys() <= set(pair)), value.keys())
        return " ".join(str(value.get(name, "")) for name in pair).strip()
    return str(value)


def _take_row(
    table: Table, file: str, number: str, cells: Mapping[str, str], headers: Mapping[str, str], tables: Tables
) -> None:
    values = {}
    for column in table.columns:
        cell = cells.get(column.name)
        if cell is None:
            if column.name in table.key and column.needed:
                text = N_("The column '{name}' is missing; it says which one is meant.")
                tables.tell(text, file, number, name=f"{column.name} ({column.zh})")
            continue
        try:
            if column.needed and not cell.strip():
                raise WrongCell(N_("This must not be empty."))
            values[column.name] = column.read(cell.strip())
        except WrongCell as wrong:
            tables.tell(wrong.sentence, file, number, headers[column.name])
    if all(column.name in values for column in table.columns if column.name in table.key and column.needed):
        tables.rows[table.name].append(Row(file, number, values, headers))


def _find_doubles(table: Table, rows: Iterable[Row], tables: Tables) -> None:
    seen: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row.values.get(name) for name in table.key)
        if key in seen:
            text = N_("'{id}' is there twice, first in row {first}; each row needs its own.")
            named = [name for name in table.key if name in row.headers][-1]
            tables.fault(row, named, text, id=row.values.get(named, ""), first=seen[key].number)
        seen.setdefault(key, row)


def files_in(names: Iterable[str]) -> Iterator[str]:
    """Those of these file names that are tables; a folder may hold other things too."""
    stems = {name for table in TABLES.values() for name in (table.name, table.zh)}
    for name in names:
        stem, _, ending = name.lower().rpartition(".")
        if ending == "toml" or (ending == "csv" and stem in stems):
            yield name
