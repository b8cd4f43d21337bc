"""What comes in with a request: bodies, queries and ids, checked strictly."""

import json
from collections.abc import Iterable, Mapping
from typing import TypeVar

from aiohttp import web

from mycelia_node.api.contested import summary
from mycelia_node.errors import RequestError
from mycelia_node.names import name_of
from mycelia_node.nearest import hint
from mycelia_protocol.errors import TextIdError
from mycelia_protocol.identity import from_text, to_text
from mycelia_protocol.limits import INT_MAX
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement

PREFIX_SIZE_MIN = 8  # characters of an id after the "1"
ID_GROUPS = 52  # characters that carry the 32 bytes; the checksum follows
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # of bech32, in order of value
TYPE_WORDS = {
    int: "an integer",
    str: "a text",
    dict: "an object",
    list: "a list",
    bool: "true or false",
}

Fields = Mapping[str, type]
T = TypeVar("T")


async def read_body(
    request: web.Request, required: Fields, optional: Fields | None = None
) -> dict[str, object]:
    """Return the request's JSON object.

    Raises:
        RequestError: not JSON, or a field is unknown, missing or of another type.
    """
    known = {**required, **(optional or {})}
    data = await request.read()
    try:
        body = json.loads(data) if data else {}
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The body is not JSON: {error}.", code="json") from error
    if not isinstance(body, dict):
        raise RequestError("The body is not a JSON object.", code="json")
    for name, value in body.items():
        if name not in known:
            raise RequestError(f"Unknown field {name!r}.", hint(name, known), code="field")
        if type(value) is not known[name]:
            raise RequestError(f"{name} must be {TYPE_WORDS[known[name]]}.", code="field")
    for name in required:
        if name not in body:
            raise RequestError(f"The field {name!r} is missing.", code="field")
    return body


def read_flags(request: web.Request, known: Iterable[str]) -> set[str]:
    """Return the flags that are on in the query, such as `?mine=1`.

    Raises:
        RequestError: an unknown name, or a value other than 0 and 1.
    """
    names = sorted(known)
    flags = set[str]()
    for name, value in request.query.items():
        if name not in names:
            raise RequestError(f"Unknown query {name!r}.", hint(name, names), code="query")
        if value not in ("0", "1"):
            raise RequestError(f"{name} is 0 or 1, not {value!r}.", code="query")
        if value == "1":
            flags.add(name)
    return flags


def read_moment(request: web.Request, name: str) -> int | None:
    """Return the time in ms that the query gives under a name, such as `?since_ms=0`, or None.

    Raises:
        RequestError: an unknown name, or no time.
    """
    for other, value in request.query.items():
        if other != name:
            raise RequestError(f"Unknown query {other!r}.", hint(other, [name]), code="query")
        if not value.isascii() or not value.isdigit() or int(value) > INT_MAX:
            raise RequestError(f"{name} is a time in ms, not {value[:40]!r}.", code="query")
        return int(value)
    return None


def find_record(state: State, text: str) -> bytes:
    """Return the id of the record that a text id, or the unique beginning of one, stands for.

    Raises:
        RequestError: malformed, too short, unknown, or more than one fits.
    """
    text = text.lower()
    prefix, one, rest = text.rpartition("1")
    if not one or prefix != "mycr" or any(letter not in ALPHABET for letter in rest):
        raise RequestError(
            f"{text!r} is not the id of a record.", "An id begins with mycr1.", code="text-id"
        )
    if len(rest) < PREFIX_SIZE_MIN:
        raise RequestError(
            f"{text!r} is too short.",
            f"Give at least {PREFIX_SIZE_MIN} characters after the 1.",
            code="text-id",
        )
    found = [item for item in _candidates(state, rest) if to_text("record", item).startswith(text)]
    if len(found) > 1:
        raise RequestError(
            f"{len(found)} records fit {text!r}.", "Give more of it.", code="text-id"
        )
    if found:
        return found[0]
    try:
        from_text(text, "record")
    except TextIdError as error:
        if len(rest) >= ID_GROUPS:
            raise RequestError(f"{text!r} is mistyped: {error}.", code="text-id") from error
    raise RequestError(
        f"This node knows no record {text}.",
        "Look it up with `list`, or wait until it has arrived.",
        code="unknown-id",
        status=404,
    )


def find(state: State, text: str, kind: type[T]) -> Statement[T]:
    """Return the statement of this kind that a text id stands for.

    Raises:
        RequestError: see `find_record`; or it is of another kind, or of a contested log.
    """
    record = find_record(state, text)
    statement = state.find(record, kind)
    aside = state.set_aside(record)
    if aside is not None:
        who = name_of(state, aside.author)
        raise RequestError(
            f"This {aside.kind} counts for nothing: {who} wrote two versions of its log. "
            f"{summary(aside)}",
            "It is on the board under CONTESTED; agree with them on a new one.",
            code="contested",
            status=409,
        )
    if statement is None:
        other = state.statement(record)
        raise RequestError(
            f"{text} is a {other.kind if other else 'record'}, not a {kind.__name__.lower()}.",
            code="kind",
            status=404,
        )
    return statement


def require_own(author: bytes | None, key: bytes, message: str) -> None:
    """Raise a RequestError with status 403 unless the author is this node."""
    if author != key:
        action = "Do it on the node that it belongs to."
        raise RequestError(message, action, code="not-yours", status=403)


def _candidates(state: State, letters: str) -> list[bytes]:
    """Return the ids whose first bits are these letters."""
    groups = letters[:ID_GROUPS]
    number = 0
    for letter in groups:
        number = number << 5 | ALPHABET.index(letter)
    spare = 260 - 5 * len(groups)  # 52 letters hold 260 bits, the last four of them zero
    low = number << spare >> 4
    high = ((number + 1 << spare) - 1) >> 4
    return state.matching_ids(low.to_bytes(32, "big"), min(high, 2**256 - 1).to_bytes(32, "big"))
