"""Who is a member, and by which vouches. Spec: section 8.2.

The roster is the founder and every key that a member vouched for. Of a member's vouches the one
counts here to which the shorter chain leads: else members could give another one a chain that
nobody reads.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from mycelia_protocol.layers import branched
from mycelia_protocol.limits import CHAIN_RECORDS_MAX
from mycelia_protocol.record import Record

Known: TypeAlias = tuple[bytes, Sequence[Record]]


class Roster:
    """The keys that may write, each with the vouch that let it in (None for the founder)."""

    def __init__(self, founder: bytes) -> None:
        self.count = 1
        self._founder = founder
        self._vouch_of: dict[bytes, Record | None] = {founder: None}
        self._vouches: dict[bytes, Record] = {}  # all that were told, by id

    def branch(self) -> "Roster":
        """Return a roster that begins with all of this one, which must not change any more."""
        other = Roster(self._founder)
        other.count = self.count
        other._vouch_of = branched(self._vouch_of)
        other._vouches = branched(self._vouches)
        return other

    def __contains__(self, key: object) -> bool:
        return key in self._vouch_of

    def keys(self) -> list[bytes]:
        """Return the keys of all members, sorted."""
        return sorted(self._vouch_of)

    def keep(self, vouch: Record) -> None:
        """Keep a vouch's record, whether its author is a member yet or not."""
        self._vouches[vouch.id] = vouch

    def admit(self, key: bytes, by: bytes) -> bool:
        """Take in who is a member now, or by fewer vouches than before; `by` is the vouch's id.

        Returns:
            Whether it was none before.
        """
        vouch = self._vouches[by]
        if key not in self._vouch_of:
            self._vouch_of[key] = vouch
            self.count += 1
            return True
        longer, shorter = self.introduction(key), self.introduction(vouch.author)
        is_better = shorter is not None and (longer is None or len(longer) > len(shorter) + 1)
        if is_better and vouch.signature is not None:
            self._vouch_of[key] = vouch
        return False

    def renew(self, vouches: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Begin anew with these vouches alone, each (key, id); return who is no member now."""
        before = self.keys()
        waiting: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for key, by in sorted(vouches):
            waiting.setdefault(self._vouches[by].author, []).append((key, by))
        self._vouch_of = {self._founder: None}
        self.count = 1
        reached = [self._founder]
        while reached:  # by rings around the founder, so that chains come out short
            ring, reached = reached, []
            for author in ring:
                reached += [key for key, by in waiting.pop(author, ()) if self.admit(key, by)]
        return [key for key in before if key not in self._vouch_of]

    def introduction(self, key: bytes, known: Known | None = None) -> list[Record] | None:
        """Return vouches that lead from the founder to a key, or None if no short chain is known.

        Each is signed by itself, so that somebody who holds nothing but the charter can check
        them. The founder needs none. Whoever gave this node a log may have left signatures out.

        Args:
            known: somebody to whom a chain is known otherwise, and that.
        """
        via, before = known or (None, ())
        chain: list[Record] = []
        while key not in (self._founder, via):
            vouch = self._vouch_of.get(key)
            if vouch is None or vouch.signature is None or len(chain) == CHAIN_RECORDS_MAX:
                return None
            chain.append(vouch)
            key = vouch.author
        found = [*(before if key == via else ()), *reversed(chain)]
        return found if len(found) <= CHAIN_RECORDS_MAX else None
