"""Field tables of record bodies and their one checker. Spec: section 7.1.

A body's fields are facts and words (`body.py`). Fields that a table does not name are kept and
ignored, so that later versions can add some; a named fact that is missing, of another type or out
of bounds makes the record *malformed*: it stays in its log, and the fold leaves it out. Words may
have been erased, so they decide nothing: one that is out of bounds is as if it were not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from mycelia_protocol.body import WORDS
from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError

Form = Literal["int", "text", "bytes", "bool", "list"]
TYPES: dict[Form, type] = {"int": int, "text": str, "bytes": bytes, "bool": bool, "list": tuple}


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a field table.

    Attributes:
        name: key in the body's map.
        form: the type; a list's items are checked by the family itself.
        low: smallest integer, or fewest characters, bytes or items.
        high: largest integer, or most characters, bytes or items.
        choices: the only texts allowed, or () for any.
        required: whether a body without it is malformed; of a word, whether a writer must give it.
    """

    name: str
    form: Form
    low: int = 0
    high: int = 0
    choices: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class Body:
    """A checked body; the getters give a field's value in its own type."""

    fields: Mapping[str, Any]  # checked, so the getters need not look again

    def integer(self, name: str) -> int:
        """Return a required integer field."""
        found: int = self.fields[name]
        return found

    def text(self, name: str, default: str = "") -> str:
        """Return a text field, or the default if it was left out."""
        found: str = self.fields.get(name, default)
        return found

    def data(self, name: str) -> bytes:
        """Return a required bytes field."""
        found: bytes = self.fields[name]
        return found

    def word_data(self, name: str) -> bytes:
        """Return a bytes field that is a word, empty if it was erased."""
        found: bytes = self.fields.get(name, b"")
        return found

    def flag(self, name: str) -> bool:
        """Return a required bool field."""
        found: bool = self.fields[name]
        return found

    def optional_data(self, name: str) -> bytes | None:
        """Return a bytes field, or None if it was left out."""
        found: bytes | None = self.fields.get(name)
        return found

    def optional_flag(self, name: str) -> bool:
        """Return a bool field, or False if it was left out."""
        found: bool = self.fields.get(name, False)
        return found

    def items(self, name: str) -> tuple[Value, ...]:
        """Return a list field, or an empty one if it was left out."""
        found: tuple[Value, ...] = self.fields.get(name, ())
        return found

    def optional_integer(self, name: str) -> int | None:
        """Return an integer field, or None if it was left out."""
        found: int | None = self.fields.get(name)
        return found


def check(content: Value, table: tuple[Field, ...], *, is_draft: bool = False) -> Body:
    """Check a body against its field table.

    Args:
        is_draft: it is about to be written, so its words have to be right too.

    Raises:
        SchemaError: the message names the field and the rule (BODY-1 to BODY-3).
    """
    if not isinstance(content, dict):
        raise SchemaError("facts are a map", requirement="BODY-1")
    fields: dict[str, Value] = {}
    for field in table:
        name = field.name
        if name not in content:
            if field.required and (is_draft or name not in WORDS):
                raise SchemaError(f"{name} is missing", requirement="BODY-2")
            continue
        value = content[name]
        if is_draft or name not in WORDS:
            _check_field(value, field)
            fields[name] = value
        elif _fits(value, field):
            fields[name] = value
    return Body(fields)


def _fits(value: Value, field: Field) -> bool:
    try:
        _check_field(value, field)
    except SchemaError:
        return False
    return True


def _check_field(value: Value, field: Field) -> None:
    """Check one field's type, bounds and choices."""
    if type(value) is not TYPES[field.form]:
        raise SchemaError(f"{field.name} is not of type {field.form}", requirement="BODY-3")
    if isinstance(value, bool):
        return
    if field.choices:
        if value not in field.choices:
            allowed = ", ".join(field.choices)
            raise SchemaError(f"{field.name} is one of {allowed}", requirement="BODY-3")
        return
    measure = value if isinstance(value, int) else len(cast("bytes", value))
    if not field.low <= measure <= field.high:
        what = "" if isinstance(value, int) else "the length of "
        raise SchemaError(
            f"{what}{field.name} is {measure}, allowed are {field.low} to {field.high}",
            requirement="BODY-3",
        )
