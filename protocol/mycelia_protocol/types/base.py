"""What every record family brings, and what it may ask of the others. Spec: section 7.1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from mycelia_protocol.body import WORDS
from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

Order = tuple[int, bytes, int]
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Statement(Generic[T_co]):
    """A record whose body was read by its family.

    Attributes:
        order: place among all records of its author: (`Incarnation.depth` of its log, log, seq).
        body: the family's own dataclass.
    """

    id: bytes
    author: bytes
    log: bytes
    kind: str
    time_ms: int
    refs: tuple[bytes, ...]
    order: Order
    body: T_co


class Facts(Protocol):
    """What a family's derivation may look up; answers depend on the set of records alone."""

    def find(self, record: bytes, body_type: type[T]) -> Statement[T] | None:
        """Return the statement with this id if it is here and of this family."""
        ...

    def about(self, record: bytes, body_type: type[T]) -> Sequence[Statement[T]]:
        """Return the statements of one family that refer to a record, by (author, order)."""
        ...

    def derived(self, record: bytes) -> object:
        """Return what the record's family derives for it (remembered until something changes)."""
        ...

    def is_derived(self, record: bytes) -> bool:
        """Return whether a derivation of the record is remembered now."""
        ...

    def is_forked(self, key: tuple[bytes, bytes]) -> bool:
        """Return whether it is proven that a log, (author, log), parts."""
        ...

    def is_member(self, key: bytes) -> bool:
        """Return whether the key is on the roster."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One record family.

    Attributes:
        name: the `kind` in the header.
        fields: the field table of the body.
        refs: how many references a record of this family has at least.
        read: makes the family's dataclass from a checked body; may raise SchemaError.
        derive: what follows for one record from the set of all, or None if nothing does.
        row: the record's row in the state digest, or None if it has no row of its own.
        touches: ids of records whose derivation changes when this statement arrives.
        refs_max: how many references it may have; None for exactly `refs`.
        addressee: the key that a statement is meant for; None if a family is for everybody.
        recall: makes of a row what `derive` gives; None if the row does not say all of it.
    """

    name: str
    fields: tuple[Field, ...]
    refs: int
    read: Callable[[Body, Record], object]
    derive: Callable[[Facts, Statement[object]], object] | None = None
    row: Callable[[Facts, Statement[object]], list[Value]] | None = None
    touches: Callable[[Facts, Statement[object]], Sequence[bytes]] | None = None
    refs_max: int | None = None
    addressee: Callable[[Statement[object]], bytes] | None = None
    recall: Callable[[Sequence[Value]], object] | None = None

    def check_refs(self, count: int) -> None:
        """Raise a SchemaError unless a record of this family may have so many references."""
        if not self.refs <= count <= (self.refs if self.refs_max is None else self.refs_max):
            more = "" if self.refs_max is None else " or more"
            raise SchemaError(f"a {self.name} refers to {self.refs}{more} records")


def without_words(body: Any) -> Any:
    """Return what a family made of a body, with empty words: as it would be read when erased."""
    changes: dict[str, object] = {}
    for each in fields(body):
        value = getattr(body, each.name)
        if each.name in WORDS:
            changes[each.name] = type(value)()
        elif is_dataclass(value):
            changes[each.name] = without_words(value)
    return replace(body, **changes) if changes else body
