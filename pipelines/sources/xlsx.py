"""What does a row of an Excel workbook (XLSX) say?

Every sheet whose first row has the plain table's required columns is read, under the source's own names if it has any,
hidden ones too; others are named in the notes. Values are those of the cells, not their looks: a date is one in
whichever epoch the workbook has, rounded to the second; a date without a time of day is the day. What a program would
have to compute first, because no value is stored beside a formula, and what it could not compute, take their row out.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from python_calamine import CalamineError, CalamineWorkbook

from pipelines.sources.archive import MAGIC, Archive
from pipelines.sources.cells import Gathered, number, refuse_file, written
from pipelines.sources.headers import missing, plainly, read_header
from pipelines.sources.markup import Walk
from pipelines.sources.plain import LAYOUT, interpret
from pipelines.sources.reading import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.sources.headers import Header
    from pipelines.sources.reading import Context, Reading

FORMAT: Final = "xlsx"
MOST_CELLS: Final = 20_000_000
"""Between the first and the last cell of a sheet: the reader keeps room for every one of them."""
WORKBOOK: Final = "xl/workbook.xml"
RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_CELL: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII)
_HALF: Final = timedelta(milliseconds=500)


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each row of each sheet.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: codes ``archive``, ``archive_size``, ``xml``, ``xml_entity``,
        ``workbook``, ``sheet_size``, ``header``, ``empty``.
    """
    name = context.file_name
    if not data.startswith(MAGIC):
        refuse_file("workbook", "it is no XLSX workbook: save it as one, or as CSV", name)
    faults = _faults(Archive(data, name), name)
    found = Gathered()
    lacking = []
    try:
        workbook = CalamineWorkbook.from_object(io.BytesIO(data))
        for sheet in workbook.sheet_names:
            rows = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False) if sheet in faults else []
            if not _take(rows, faults.get(sheet, {}), sheet, found, context):
                lacking.append(sheet)
    except CalamineError as error:
        refuse_file("workbook", f"it cannot be read ({error}): save it again", name)
    if len(lacking) == len(workbook.sheet_names):
        own = dict(context.source.dialect.columns)
        needed = dict.fromkeys((*LAYOUT.required, *own))
        listed = ", ".join(" with ".join(own.get(column, (column,))) for column in needed)
        refuse_file("header", f"no sheet has the columns {listed} in its first row: add what is missing", name)
    if lacking:
        found.notes.append(
            f"{name}: sheets without the columns of reports, not read: {', '.join(map(shown, lacking))}."
        )
    return interpret(found.records(name), context)


def _take(
    rows: Sequence[Sequence[object]], faults: Mapping[int, str], sheet: str, found: Gathered, context: Context
) -> bool:
    """Add the rows of a sheet, and return whether it is one of reports."""
    file_name, dialect = context.file_name, context.source.dialect
    start = next((at for at, row in enumerate(rows) if any(cell != "" for cell in row)), len(rows))
    names = [str(cell) for cell in rows[start]] if start < len(rows) else []
    if missing([plainly(name) for name in names], dialect, LAYOUT):
        return False
    header = read_header(names, dialect, LAYOUT, f"{file_name}, sheet {shown(sheet)}")
    first = len(found) + 1
    for at, row in enumerate(rows[start + 1 :], start + 1):
        if at in faults:
            found.refuse("formula", f"Row {at + 1} of sheet {shown(sheet)} {faults[at]}", written(row))
        elif any(cell != "" for cell in row):
            _add(header, row, found)
    found.notes.append(f"{file_name}: sheet {shown(sheet)} is rows {first} to {len(found)}.")
    return True


def _add(header: Header, row: Sequence[object], found: Gathered) -> None:
    cells = [_text(cell) for cell in row]
    if any(cell and not name for name, cell in zip(header.fields, cells, strict=True)):
        found.refuse(
            "field_count", "The row has a value in a column without a name: name it, or clear it.", written(row)
        )
    else:
        unread = {name: cells[at] for at, name in enumerate(header.fields) if name and at not in header.read}
        named = {name: " ".join(filter(None, (cells[at] for at in places))) for name, places in header.at.items()}
        found.add({**unread, **named}, written(row))


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return (cell + _HALF).replace(microsecond=0).isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float | int) and not isinstance(cell, bool):
        return number(cell)
    return str(cell)


def _faults(archive: Archive, file_name: str) -> dict[str, dict[int, str]]:
    """Return for each worksheet which rows (0-based) are not what they seem, and why; every XML of it is walked."""
    parts = {name: archive.read(name) for name in archive.names()}  # all of them, since the checksums are in there
    names = set(parts)
    if not {WORKBOOK, RELATIONS} <= names:
        refuse_file("workbook", "it holds no workbook: save it as XLSX", file_name)
    for name in names - {WORKBOOK, RELATIONS}:
        if name.startswith("xl/") and name.endswith((".xml", ".rels")) and "/worksheets/sheet" not in name:
            Walk(f"{file_name}, {name}").run(parts[name])
    sheets = {}
    for sheet, name in _sheets(parts, file_name).items():
        if name in names:
            walk = _Sheet(f"{file_name}, {name}")
            walk.run(parts[name])
            sheets[sheet] = walk.faults
    return sheets


def _sheets(parts: Mapping[str, bytes], file_name: str) -> dict[str, str]:
    """Return the file of each worksheet by the sheet's name."""
    book, links = (_Attributes(f"{file_name}, {name}") for name in (WORKBOOK, RELATIONS))
    book.run(parts[WORKBOOK])
    links.run(parts[RELATIONS])
    targets = {link["Id"]: link["Target"] for name, link in links.met if name == "Relationship"}
    found = {}
    for name, sheet in book.met:
        if name == "sheet":
            target = targets.get(sheet["id"], "")
            found[sheet["name"]] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return found


class _Attributes(Walk):
    """The elements of a text with their attributes; one that is asked for and not there is empty."""

    def __init__(self, file_name: str) -> None:
        super().__init__(file_name)
        self.met: list[tuple[str, defaultdict[str, str]]] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        self.met.append((name, defaultdict(str, plain)))


class _Sheet(Walk):
    """Which rows of a sheet hold what has no value?"""

    def __init__(self, file_name: str) -> None:
        super().__init__(file_name)
        self.faults: dict[int, str] = {}
        self._row = 0
        self._formula = self._value = False
        self._columns = (10**6, 0)
        self._rows = (10**8, 0)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self._enter(attributes)
        elif name == "f":
            self._formula = True
        elif name in ("v", "is"):
            self._value = True

    def end(self, name: str) -> None:
        if name == "c" and self._formula and not self._value:
            self.faults[self._row] = "holds a formula without a stored value: save the workbook where it is computed."

    def _enter(self, attributes: Mapping[str, str]) -> None:
        self._formula = self._value = False
        found = _CELL.fullmatch(attributes.get("r", ""))
        if found is None:
            refuse_file("workbook", "it has a cell without a place: save it again", self.file_name)
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - ord("A") + 1
        self._row = int(found[2]) - 1
        self._columns = min(self._columns[0], column), max(self._columns[1], column)
        self._rows = min(self._rows[0], self._row), max(self._rows[1], self._row)
        # The reader keeps room from the first row on, whether or not anything stands there.
        if (self._rows[1] + 1) * self._columns[1] > MOST_CELLS:
            sentence = f"it has a cell at {found[0]}, so far from the others that it cannot be meant: clear it"
            refuse_file("sheet_size", sentence, self.file_name)
        if attributes.get("t") == "e":
            self.faults[self._row] = "holds an error in place of a value (such as #N/A): put it right."
