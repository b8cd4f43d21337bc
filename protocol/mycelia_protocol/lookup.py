"""Looking statements up: in memory, and in the snapshot that lies below."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from mycelia_protocol.index import Index
from mycelia_protocol.past import Past
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.profile import Profile
from mycelia_protocol.types.request import Request, asked_by
from mycelia_protocol.types.vouch import Vouch

T = TypeVar("T")


class Lookup:
    """All that takes part in a state, as families and people ask for it."""

    def __init__(self) -> None:
        self._use(Index())

    def _use(self, index: Index) -> None:
        """Look things up in an index; straight in its dicts, since that is done so often."""
        self._index = index
        self._past: Past | None = index.past
        self._statements = index.statements
        self._by_type = index.by_type
        self._about = index.about
        self._profiles = index.profiles

    # --- Facts: what families look up ---

    def find(self, record: bytes, body_type: type[T]) -> Statement[T] | None:
        """Return the statement with this id if it is here and of this family."""
        family = self._by_type.get(body_type)
        found: Any = None if family is None else family.get(record)
        if found is None and self._past is not None:
            found = self._past.find(record, body_type)
        known: Statement[T] | None = found
        return known

    def about(self, record: bytes, body_type: type[T]) -> Sequence[Statement[T]]:
        """Return the statements of one family that refer to a record, by (author, order)."""
        found: Any = self._about.get((record, body_type), ())
        if self._past is not None:
            found = self._index.with_past(found, self._past.about(record, body_type))
        known: Sequence[Statement[T]] = found
        return known

    # --- views ---

    def every(
        self, body_type: type[T], keep: Callable[[T], bool] | None = None
    ) -> list[Statement[T]]:
        """Return all statements of one family, oldest first by their authors' clocks, then id.

        Args:
            keep: says of a body whether it is wanted; else all are.
        """
        found = cast("Iterable[Statement[T]]", self._index.every(body_type))
        kept = found if keep is None else (each for each in found if keep(each.body))
        return sorted(kept, key=lambda statement: (statement.time_ms, statement.id))

    def unsettled(
        self, body_type: type[T], now_ms: int, keep: Callable[[T], bool] | None = None
    ) -> list[Statement[T]]:
        """Return all offers, or all requests, that may still be open, oldest first.

        It leaves out what a snapshot knows to be closed at this time; the others are for the caller
        to look at.

        Args:
            now_ms: a clock's time.
            keep: as of `every`.
        """
        if self._past is None:
            return self.every(body_type, keep)
        own = self._by_type.get(body_type, {}).values()
        found = cast("list[Statement[T]]", [*self._past.unsettled(body_type, now_ms), *own])
        kept = found if keep is None else (each for each in found if keep(each.body))
        return sorted(kept, key=lambda statement: (statement.time_ms, statement.id))

    def written_since(self, body_type: type[T], since_ms: int) -> Iterable[Statement[T]]:
        """Return all statements of one family that were written after a time, and others."""
        own: Iterable[object] = self._by_type.get(body_type, {}).values()
        past = () if self._past is None else self._past.since(body_type, since_ms)
        return cast("Iterable[Statement[T]]", (*past, *own))

    def spoken_of_since(self, body_type: type, by: type, since_ms: int) -> Iterable[bytes]:
        """Return the ids of a family about which one of another was written after a time.

        There are others among them: all that is in memory.
        """
        own = self._by_type.get(body_type, {})
        past = () if self._past is None else self._past.spoken_of_since(body_type, by, since_ms)
        return (*past, *own)

    def ids(self, body_type: type) -> Iterator[bytes]:
        """Yield the ids of all statements of one family, in any order."""
        if self._past is not None:
            yield from (each.id for each in self._past.every(body_type))
        yield from self._by_type.get(body_type, {})

    def asked_for(self) -> Iterator[tuple[tuple[bytes, str, str], int]]:
        """Yield ((author, category, unit), base units) of all requests, some of them together."""
        if self._past is not None:
            yield from self._past.asked.items()
        for request in self._by_type.get(Request, {}).values():
            body = cast("Request", request.body)
            yield asked_by(request.author, body), body.quantity

    def count(self, body_type: type) -> int:
        """Return how many statements of one family there are."""
        own = len(self._by_type.get(body_type, {}))
        return own if self._past is None else own + self._past.count(body_type)

    def by_author(self, author: bytes, body_type: type[T]) -> list[Statement[T]]:
        """Return an author's statements of one family, oldest first by its clock, then id."""
        own = cast("Iterable[Statement[T]]", self._index.written(author, body_type))
        return sorted(own, key=lambda statement: (statement.time_ms, statement.id))

    def addressed_to(self, key: bytes, body_type: type[T]) -> list[Statement[T]]:
        """Return the statements of one family that are meant for a key, oldest first, then id."""
        found = cast("Iterable[Statement[T]]", self._index.meant_for(key, body_type))
        return sorted(found, key=lambda statement: (statement.time_ms, statement.id))

    def of_author(self, author: bytes) -> list[Statement[object]]:
        """Return all statements of an author that take part, family by family."""
        return self._index.of_author(author)

    def statement(self, record: bytes) -> Statement[object] | None:
        """Return the statement with this id, of whatever family."""
        found = self._statements.get(record)
        return self._past.find(record) if found is None and self._past is not None else found

    def profile(self, key: bytes) -> Profile | None:
        """Return the last profile of a collective."""
        statement = self._profiles.get(key)
        return statement.body if statement else None

    def is_current(self, profile: Statement[object]) -> bool:
        """Return whether a profile is the last one of its author."""
        last = self._profiles.get(profile.author)
        return last is not None and last.id == profile.id

    def is_used(self, invite: bytes) -> bool:
        """Return whether a vouch names the invite with this digest."""
        vouches = self._index.every(Vouch)
        return any(cast("Statement[Vouch]", vouch).body.invite == invite for vouch in vouches)
