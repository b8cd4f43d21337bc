"""Field tables of record bodies and their one checker. Spec: section 7.1.

A body's fields are facts and words (`body.py`). Fields that a table does not name are kept and
ignored, so that later versions can add some; a named fact that is missing, of another type or out
of bounds makes the record *malformed*: it stays in its log, and the fold leaves it out. Words may
have been erased, so they decide nothing: one that is out of bounds is as if it were not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

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

    fields: Mapping[str, Value]

    def integer(self, name: str) -> int:
        """Return a required integer field."""
        return cast("int", self.fields[name])

    def text(self, name: str, default: str = "") -> str:
        """Return a text field, or the default if it was left out."""
        return cast("str", self.fields.get(name, default))

    def data(self, name: str) -> bytes:
        """Return a required bytes field."""
        return cast("bytes", self.fields[name])

    def word_data(self, name: str) -> bytes:
        """Return a bytes field that is a word, empty if it was erased."""
        return cast("bytes", self.fields.get(name, b""))

    def flag(self, name: str) -> bool:
        """Return a required bool field."""
        return cast("bool", self.fields[name])

    def optional_data(self, name: str) -> bytes | None:
        """Return a bytes field, or None if it was left out."""
        return cast("bytes | None", self.fields.get(name))

    def optional_flag(self, name: str) -> bool:
        """Return a bool field, or False if it was left out."""
        return cast("bool", self.fields.get(name, False))

    def items(self, name: str) -> tuple[Value, ...]:
        """Return a list field, or an empty one if it was left out."""
        return cast("tuple[Value, ...]", self.fields.get(name, ()))

    def optional_integer(self, name: str) -> int | None:
        """Return an integer field, or None if it was left out."""
        return cast("int | None", self.fields.get(name))


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
        if name in WORDS and not is_draft:
            if name in content and _fits(content[name], field):
                fields[name] = content[name]
        elif name in content:
            _check_field(content[name], field)
            fields[name] = content[name]
        elif field.required:
            raise SchemaError(f"{name} is missing", requirement="BODY-2")
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
