"""Whom to push what: one tree for each author over the links there are. Spec: section 10.2.

Theory of operation (after Plumtree, with a tree for each author as in epidemic broadcast trees). At
first records are pushed along every link. Where the same record was pushed from both ends, both had
it from elsewhere, and see that by themselves: from then on they spare each other that author's
records. A neighbour that pushes what is here already, and was not pushed it, is asked to (PRUNE).
What remains is the tree of the quickest ways from the author. Along a link that was spared, the
heads are announced instead, gathered for a moment; if what was announced does not come within
some round trips, the announcer is asked for it, and to push that author's records from then on
(GRAFT). When the link is lost over which an author's records came, all others are asked to push
them again.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from mycelia_protocol.clock import earliest
from mycelia_protocol.limits import AUTHORS_PER_FRAME_MAX, GRAFT_DELAY_MS
from mycelia_protocol.logs import LogKey
from mycelia_protocol.messages import Graft, Prune
from mycelia_protocol.session import Quota
from mycelia_protocol.told import Say


@dataclass(slots=True)
class Branch:
    """What goes along one link.

    Attributes:
        spared: authors whose records are announced to the neighbour, not pushed.
        pruned: authors whose records the neighbour is taken to announce only.
        awaited: logs that the neighbour announced beyond what is here -> when to ask for them, ms;
            the earliest first.
        prunes, grafts: how many of these frames it still takes.
    """

    spared: set[bytes] = field(default_factory=set)
    pruned: set[bytes] = field(default_factory=set)
    awaited: dict[LogKey, int] = field(default_factory=dict)
    prunes: Quota = field(default_factory=lambda: Quota(Prune))
    grafts: Quota = field(default_factory=lambda: Quota(Graft))


class Spread:
    """Knows the trees as far as they touch this node."""

    def __init__(self) -> None:
        self._branches: dict[int, Branch] = {}
        self._parents: dict[bytes, int | None] = {}  # author -> link that brought the last; or self
        self._due_ms: int | None = None
        self._is_stale = False  # something awaited changed since due_ms was worked out

    @property
    def due_ms(self) -> int | None:
        """When `overdue` should next be called (ms), or None."""
        if self._is_stale:
            firsts = (next(iter(b.awaited.values()), None) for b in self._branches.values())
            self._is_stale, self._due_ms = False, earliest(*firsts)
        return self._due_ms

    def opened(self, link: int) -> None:
        """Begin with a member: all is pushed to it."""
        self._branches[link] = Branch()

    def closed(self, link: int, now_ms: int) -> list[Say]:
        """End with a member; return who is asked to push in its place."""
        self._branches.pop(link, None)
        self._is_stale = True
        orphans = sorted(author for author, parent in self._parents.items() if parent == link)
        for author in orphans:
            del self._parents[author]
        says: list[Say] = []
        for other, branch in sorted(self._branches.items()):
            says.extend(self.graft(other, branch.pruned.intersection(orphans), now_ms))
        return says

    def is_pushed(self, link: int, author: bytes) -> bool:
        """Return whether an author's records are pushed along a link."""
        return author not in self._branches[link].spared

    def came(self, link: int | None, author: bytes) -> None:
        """Note that a link (None: this node itself) brought something new of an author."""
        if link is None or author not in self._branches[link].pruned:
            self._parents[author] = link

    def came_again(self, link: int, authors: Iterable[bytes], now_ms: int) -> list[Say]:
        """Note that a neighbour pushed what was here already; return what it is asked to do."""
        branch = self._branches[link]
        spared = [
            author
            for author in sorted(set(authors) - branch.pruned)
            if self._parents.setdefault(author, link) != link
        ]
        says: list[Say] = []
        for chunk in _chunks(spared):
            if branch.prunes.take(now_ms):
                branch.pruned.update(chunk)
                says.append(Say(link, Prune(chunk)))
        return says

    def crossed(self, link: int, authors: Collection[bytes]) -> None:
        """Note that a record of each author was pushed from both ends of a link."""
        branch = self._branches[link]
        branch.spared.update(authors)
        branch.pruned.update(authors)

    def spare(self, link: int, authors: Iterable[bytes]) -> None:
        """Do what a neighbour asks for with PRUNE."""
        self._branches[link].spared.update(authors)

    def push_again(self, link: int, authors: Iterable[bytes]) -> None:
        """Do what a neighbour asks for with GRAFT."""
        self._branches[link].spared.difference_update(authors)

    def announced(
        self, link: int, keys: Iterable[LogKey], now_ms: int, delay_ms: int = GRAFT_DELAY_MS
    ) -> None:
        """Note that a neighbour announced what is not here, and wait whether it comes."""
        awaited = self._branches[link].awaited
        self._is_stale = True
        for key in keys:
            awaited.setdefault(key, now_ms + delay_ms)

    def forgive(self, late_ms: int) -> None:
        """Wait so much longer for what was announced: this node was busy for so long."""
        self._is_stale = True
        for branch in self._branches.values():
            branch.awaited = {key: due + late_ms for key, due in branch.awaited.items()}

    def overdue(self, now_ms: int) -> list[tuple[int, list[LogKey]]]:
        """Return for each link the logs that were awaited for long enough, and wait no more."""
        found: list[tuple[int, list[LogKey]]] = []
        if self.due_ms is None or now_ms < self.due_ms:
            return found
        self._is_stale = True
        for link, branch in sorted(self._branches.items()):
            keys: list[LogKey] = []
            for key, due_ms in branch.awaited.items():
                if due_ms > now_ms:
                    break
                keys.append(key)
            for key in keys:
                del branch.awaited[key]
            if keys:
                found.append((link, keys))
        return found

    def graft(self, link: int, authors: Iterable[bytes], now_ms: int) -> list[Say]:
        """Return how a neighbour is asked to push authors' records again.

        Whoever announced a record and did not push it spares this node, whatever is noted here.
        """
        branch = self._branches[link]
        says: list[Say] = []
        for chunk in _chunks(sorted(set(authors))):
            if branch.grafts.take(now_ms):
                branch.pruned.difference_update(chunk)
                says.append(Say(link, Graft(chunk)))
        return says


def _chunks(authors: list[bytes]) -> list[tuple[bytes, ...]]:
    """Cut a list into what fits one frame."""
    step = AUTHORS_PER_FRAME_MAX
    return [tuple(authors[start : start + step]) for start in range(0, len(authors), step)]
