"""Where the fold finds statements: by id, kind, author, addressee, and what they are about."""

import bisect
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar, cast

from mycelia_protocol.layers import SMALL, Layered, branched
from mycelia_protocol.past import Past
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.profile import Profile

T = TypeVar("T")
Lists = dict[tuple[bytes, type], list[Statement[object]]]


class Index:
    """All statements that take part in a state.

    The dicts are read by the state directly, since it looks things up a million times. They hold
    nothing of what is in a snapshot, save for the last profiles.

    Attributes:
        past: what lies below them, out of a snapshot; None if there is none.
        statements: by id.
        by_type: the same, for each family apart.
        about: those of a family that refer to a record, by (author, order).
        by_author: those of an author and a family, as they came.
        addressed: those of a family that are meant for a key, as they came.
        profiles: the last profile of each author.
    """

    def __init__(self, past: Past | None = None) -> None:
        self.past: Final = past
        self.statements: dict[bytes, Statement[object]] = {}
        self.by_type: dict[type, dict[bytes, Statement[object]]] = {}
        self.about: Lists = {}
        self.by_author: Lists = {}
        self.addressed: Lists = {}
        self.profiles: dict[bytes, Statement[Profile]] = {}
        for last in () if past is None else past.last(Profile):
            self._note_last(last)

    def marks(self) -> dict[bytes, bool]:
        """Return what holds one mark for each of some records."""
        return {}

    def branch(self) -> "Index":
        """Return an index that begins with all of this one, which must not change any more."""
        other = Index()
        other.statements = branched(self.statements)
        other.by_type = {kind: branched(known) for kind, known in self.by_type.items()}
        other.about = _branched(self.about)
        other.by_author = _branched(self.by_author)
        other.addressed = _branched(self.addressed)
        other.profiles = branched(self.profiles)
        return other

    def every(self, family: type) -> Iterable[Statement[object]]:
        """Return all statements of a family."""
        own = self.by_type.get(family, {}).values()
        return own if self.past is None else [*self.past.every(family), *own]

    def written(self, author: bytes, family: type) -> Iterable[Statement[object]]:
        """Return the statements of an author and a family."""
        own = self.by_author.get((author, family), ())
        return own if self.past is None else [*self.past.written(author, family), *own]

    def meant_for(self, key: bytes, family: type) -> Iterable[Statement[object]]:
        """Return the statements of a family that are meant for a key."""
        own = self.addressed.get((key, family), ())
        return own if self.past is None else [*self.past.addressed(key, family), *own]

    def of_author(self, author: bytes) -> list[Statement[object]]:
        """Return all statements of an author."""
        own = [one for kind in self.by_type for one in self.by_author.get((author, kind), ())]
        return own if self.past is None else [*self.past.written(author), *own]

    def with_past(
        self, own: Sequence[Statement[object]], past: Sequence[Statement[object]]
    ) -> Sequence[Statement[object]]:
        """Return statements about one record, of here and of below, by (author, order)."""
        if not own or not past:
            return own or past
        return sorted([*past, *own], key=lambda one: (one.author, one.order))

    def in_memory(self, author: bytes) -> list[Statement[object]]:
        """Return the statements of an author that are held here, and its last profile."""
        own = [one for kind in self.by_type for one in self.by_author.get((author, kind), ())]
        last = self.profiles.get(author)
        return own if last is None or last.id in self.statements else [*own, last]

    def own_statements(self) -> Iterable[Statement[object]]:
        """Return the statements that are held here."""
        return self.statements.values()

    def between(self, low: bytes, high: bytes) -> list[bytes]:
        """Return the ids of the statements between two, both included."""
        own = [record for record in self.statements if low <= record <= high]
        return own if self.past is None else [*self.past.between(low, high), *own]

    def add(self, statement: Statement[object]) -> None:
        """Make a statement findable."""
        kind: Final = type(statement.body)
        self.statements[statement.id] = statement
        self.by_type.setdefault(kind, {})[statement.id] = statement
        _own_list(self.by_author, (statement.author, kind)).append(statement)
        for ref in statement.refs:
            spoken_of = _own_list(self.about, (ref, kind))
            bisect.insort(spoken_of, statement, key=lambda other: (other.author, other.order))
        self._note_last(statement)
        addressee = KINDS[statement.kind].addressee
        if addressee is not None:
            _own_list(self.addressed, (addressee(statement), kind)).append(statement)

    def remove(self, gone: Sequence[Statement[object]]) -> None:
        """Undo `add`."""
        ids = {one.id for one in gone}
        own = [one for one in gone if one.id in self.statements]
        if self.past is not None:
            self.past.let_go(one for one in gone if one.id not in self.statements)
        for one in own:
            self.statements.pop(one.id)
            self.by_type[type(one.body)].pop(one.id)
        for lists, key in _places(self, own):
            lists[key] = [one for one in lists[key] if one.id not in ids]
        self._note_last_again(gone)

    def replace(self, fresh: Sequence[Statement[object]]) -> None:
        """Put statements in the places of those with their ids, which differ only in words."""
        by_id = {one.id: one for one in fresh}
        own = [one for one in fresh if one.id in self.statements]
        for one in own:
            self.statements[one.id] = self.by_type[type(one.body)][one.id] = one
        for one in fresh:
            if isinstance(one.body, Profile) and self.profiles[one.author].id == one.id:
                self.profiles[one.author] = cast("Statement[Profile]", one)
        if self.past is not None:
            self.past.reread()
        for lists, key in _places(self, own):
            lists[key] = [by_id.get(one.id, one) for one in lists[key]]

    def _note_last(self, statement: Statement[object]) -> None:
        """Let the last profile of an author count."""
        if not isinstance(statement.body, Profile):
            return
        known = self.profiles.get(statement.author)
        if known is None or known.order < statement.order:
            self.profiles[statement.author] = cast("Statement[Profile]", statement)

    def _note_last_again(self, gone: Sequence[Statement[object]]) -> None:
        """Look for the last profiles of authors of whom some are gone."""
        for author in dict.fromkeys(one.author for one in gone if isinstance(one.body, Profile)):
            self.profiles.pop(author)
            for profile in self.written(author, Profile):
                self._note_last(profile)


def _places(
    index: Index, some: Sequence[Statement[object]]
) -> list[tuple[Lists, tuple[bytes, type]]]:
    """Return the lists in which some statements are, each once."""
    about = ((ref, type(one.body)) for one in some for ref in one.refs)
    addressed = (
        (addressee(one), type(one.body))
        for one in some
        if (addressee := KINDS[one.kind].addressee) is not None
    )
    authors = ((one.author, type(one.body)) for one in some)
    kinds = ((index.about, about), (index.addressed, addressed), (index.by_author, authors))
    return [(lists, key) for lists, keys in kinds for key in dict.fromkeys(keys)]


def _branched(lists: Lists) -> Lists:
    """Return lists that begin with all of these, which must not change any more."""
    if len(lists) > SMALL:
        return Layered(lists)
    return {key: [*some] for key, some in lists.items()}


def _own_list(lists: dict[Any, list[Statement[object]]], key: object) -> list[Statement[object]]:
    """Return a list that may be changed: one of this index, not one seen through a branch."""
    if not dict.__contains__(lists, key):
        lists[key] = list(lists.get(key, ()))
    return dict.__getitem__(lists, key)
