"""What becomes of a bundle's records while an engine takes them in. Spec: section 15.4.

Records of a stranger are left aside by the engine; perhaps the vouch for it came just before them,
in the same chunk or one that is not stored yet. So what was left aside is offered once more as soon
as the roster has grown, one chunk at a time. What still finds no place is counted, and whoever has
the bundle may offer all of it again: that brings in more as long as something new comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mycelia_protocol.events import Carried
from mycelia_protocol.record import Record


@dataclass(slots=True)
class Offer:
    """Records that an engine has been given.

    Attributes:
        members: how many were on the roster then.
        before: the answer to the first time, None while this is the first.
    """

    records: Sequence[Record]
    members: int
    before: Carried | None = None


class Unpacking:
    """Counts what became of records, and says which to offer once more.

    Attributes:
        new, known, strangers, gaps, contested, refused: as in `Carried`, of all records together.
    """

    def __init__(self) -> None:
        self.new = self.known = self.strangers = self.gaps = self.contested = self.refused = 0
        self._offers: dict[int, Offer] = {}

    @property
    def is_idle(self) -> bool:
        """Whether everything that was offered has been answered."""
        return not self._offers

    @property
    def left(self) -> int:
        """How many records may find a place when the bundle is offered again."""
        return self.strangers + self.gaps

    def offered(
        self, token: int, records: Sequence[Record], members: int, before: Carried | None = None
    ) -> None:
        """Note that records were given to an engine with so many members on its roster.

        Args:
            before: what `answered` was given, if these are what it asked to be offered again.
        """
        self._offers[token] = Offer(records, members, before)

    def answered(self, answer: Carried, members: int) -> Sequence[Record]:
        """Note what became of an offer; return the records to offer once more, perhaps none."""
        offer = self._offers.pop(answer.token)
        self.new += answer.new
        if answer.strangers and members > offer.members and offer.before is None:
            return offer.records
        self.known += (offer.before or answer).known
        self.strangers += answer.strangers
        self.gaps += answer.gaps
        self.contested += answer.contested
        self.refused += answer.refused
        return ()

    def failed(self, token: int) -> None:
        """Note that an offer was refused as a whole, since the store failed."""
        del self._offers[token]
