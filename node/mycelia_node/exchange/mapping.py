"""How somebody's spreadsheet says what we say: a TOML file beside it.

[columns]                    ours = theirs; what is not listed is looked for by its usual names
what = "Item"
quantity = "How many"
[values.kind]                theirs = ours, in any column
"have" = "offer"
[defaults]                   for cells that are empty, and columns that are not there
unit = "pieces"
[format]
delimiter = ";"
decimal = ","
date = "%d/%m/%Y"
encoding = "cp1252"
"""

import tomllib
from codecs import lookup
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Final

from mycelia_node.errors import NodeError
from mycelia_node.nearest import hint

# What import takes, and what else people call it.
TAKEN: Final[dict[str, tuple[str, ...]]] = {
    "kind": ("type", "offer or request", "have or need"),
    "what": ("item", "title", "name", "thing"),
    "category": ("sector", "group"),
    "quantity": ("amount", "qty", "number", "how many", "count"),
    "unit": ("units", "in"),
    "place": ("location", "coordinates", "where"),
    "lat": ("latitude",),
    "lon": ("longitude", "lng", "long"),
    "until": ("ends", "expires", "valid until"),
    "needed by": ("by", "due", "deadline"),
    "urgency": ("priority", "how soon"),
    "people": ("persons", "for how many"),
    "note": ("notes", "comment", "comments", "remarks", "details"),
    "id": (),
}
FORMAT: Final = {"delimiter": "", "decimal": ".", "date": "", "encoding": ""}


class MappingError(NodeError):
    """A mapping file that can't be used."""

    code_default = "mapping"


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a mapping file says; without one, nothing.

    Attributes:
        columns: our name -> header of theirs.
        values: our column -> their words, in lower case -> ours.
        defaults: our column -> what an empty cell means.
        delimiter, date, encoding: "" if it is to be found out.
        decimal: what stands before the decimals.
    """

    columns: Map[str, str] = field(default_factory=dict)
    values: Map[str, Map[str, str]] = field(default_factory=dict)
    defaults: Map[str, str] = field(default_factory=dict)
    delimiter: str = ""
    decimal: str = "."
    date: str = ""
    encoding: str = ""


def read_mapping(text: str) -> Mapping:
    """Read a mapping file.

    Raises:
        MappingError: it is no TOML, or a name or a type is wrong; the nearest name is told.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"The mapping file is no TOML: {error}.") from error
    _check_names(found, ("columns", "values", "defaults", "format"), "section")
    columns = _texts(found, "columns", TAKEN)
    defaults = _texts(found, "defaults", TAKEN)
    settings = {**FORMAT, **_texts(found, "format", FORMAT)}
    words = found.get("values", {})
    if not isinstance(words, dict):
        raise MappingError("values must be a table.", "Write [values.kind].")
    _check_names(words, TAKEN, "column")
    values = {
        name: {theirs.casefold(): ours for theirs, ours in _texts(words, name, None).items()}
        for name in words
    }
    _check_format(settings)
    return Mapping(columns, values, defaults, **settings)


def _texts(table: dict[str, object], name: str, known: Map[str, object] | None) -> dict[str, str]:
    """Return a table of texts."""
    found = table.get(name, {})
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise MappingError(f"[{name}] of the mapping file must hold texts.", 'Write name = "text".')
    if known is not None:
        _check_names(found, known, f"key in [{name}]")
    return found


def _check_names(
    found: Map[str, object], known: Map[str, object] | tuple[str, ...], what: str
) -> None:
    for name in found:
        if name not in known:
            raise MappingError(f"Unknown {what} {name!r} in the mapping file.", hint(name, known))


def _check_format(settings: dict[str, str]) -> None:
    if len(settings["delimiter"]) > 1 or settings["decimal"] not in (".", ","):
        raise MappingError(
            "delimiter is one character, decimal is . or a comma.", 'Write delimiter = ";".'
        )
    if settings["encoding"]:
        try:
            lookup(settings["encoding"])
        except LookupError:
            raise MappingError(
                f"Unknown encoding {settings['encoding']!r}.", "Write utf-8 or cp1252."
            ) from None
