"""A spreadsheet's CSV as rows of our columns, each with its line."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_node.errors import NodeError
from mycelia_node.exchange.columns import COLUMNS, rearm
from mycelia_node.exchange.mapping import TAKEN, Mapping
from mycelia_node.nearest import hint

TABLE_SIZE_MAX: Final = 16 * 1024 * 1024  # bytes of a file
ROWS_MAX: Final = 10_000  # a year of a busy collective


class TableError(NodeError):
    """A file that is no table of offers and requests."""

    code_default = "table"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line on which it begins, from 1, and its cells by our column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """All rows that hold something, and the headers that nothing is taken from."""

    rows: tuple[Row, ...]
    unused: tuple[str, ...]


def read_table(data: bytes, mapping: Mapping) -> Table:
    """Read a file.

    Raises:
        TableError: too large, an unknown encoding, no header, a column that is missing or double.
    """
    if len(data) > TABLE_SIZE_MAX:
        raise TableError("The file is larger than 16 MiB.", "Cut it into several.")
    text = _decode(data, mapping.encoding)
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = mapping.delimiter or max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    headers: list[str] | None = None
    places: dict[str, int] = {}
    line = 1
    try:
        for cells in reader:
            begin, line = line, reader.line_num + 1
            filled = [cell for cell in cells if cell.strip()]
            if not filled or all(cell.startswith("#") for cell in filled):
                continue  # an empty row, or one of HXL hashtags
            if headers is None:
                headers = [cell.strip() for cell in cells]
                places = _find_columns(headers, mapping)
                continue
            if len(rows) == ROWS_MAX:
                raise TableError(f"There are more than {ROWS_MAX} rows.", "Cut it into several.")
            rows.append(Row(begin, _by_column(cells, places, mapping)))
    except csv.Error as error:
        raise TableError(f"Line {line} is no CSV: {error}.", "Export it as CSV again.") from error
    if headers is None:
        raise TableError("The file is empty.", "The first row names the columns.")
    used = set(places.values())
    ours = {*TAKEN, *COLUMNS}
    unused = [each for n, each in enumerate(headers) if n not in used and each]
    return Table(tuple(rows), tuple(each for each in unused if each.casefold() not in ours))


def _decode(data: bytes, encoding: str) -> str:
    """Return a file's text: as the mapping says, else by its mark, else UTF-8."""
    is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    chosen = encoding or ("utf-16" if is_wide else "utf-8-sig")
    try:
        return data.decode(chosen)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"Line {line} is not {'UTF-8' if chosen == 'utf-8-sig' else chosen}.",
            'Save it as "CSV UTF-8", or name its encoding in the mapping file: '
            '[format] encoding = "cp1252".',
        ) from error


def _find_columns(headers: Sequence[str], mapping: Mapping) -> dict[str, int]:
    """Return where each of our columns stands."""
    folded = [each.casefold() for each in headers]
    places: dict[str, int] = {}
    for name, aliases in TAKEN.items():
        theirs = mapping.columns.get(name)
        if theirs is not None and theirs.casefold() not in folded:
            message = f"There is no column {theirs!r}, which the mapping file names for {name!r}."
            raise TableError(message, hint(theirs, headers))
        names = (name, *aliases) if theirs is None else (theirs.casefold(),)
        named = next((each for each in names if each in folded), None)
        if named is not None:
            if folded.count(named) > 1:
                raise TableError(f"Two columns are called {named!r}.", "Rename one of them.")
            places[name] = folded.index(named)
    for name in ("kind", "quantity"):
        if name not in places and name not in mapping.defaults:
            raise TableError(
                f"No column says {'how much it is' if name == 'quantity' else 'offer or request'}.",
                f"Call a column {name}, or name it in a mapping file ([columns] or [defaults]).",
            )
    if "what" not in places and "category" not in places:
        raise TableError("No column says what it is.", "Call a column what, or use a mapping file.")
    return places


def _by_column(cells: Sequence[str], places: dict[str, int], mapping: Mapping) -> dict[str, str]:
    """Return a row's cells by our column, with the mapping's words and defaults."""
    row: dict[str, str] = {}
    for name in TAKEN:
        place = places.get(name)
        cell = rearm(cells[place]).strip() if place is not None and place < len(cells) else ""
        cell = mapping.values.get(name, {}).get(cell.casefold(), cell)
        row[name] = cell or mapping.defaults.get(name, "")
    return row
