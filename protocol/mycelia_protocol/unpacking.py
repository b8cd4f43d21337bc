"""What becomes of what a bundle brings while an engine takes it in. Spec: section 15.4.

Records of a stranger are left aside by the engine; perhaps the vouch for it came just before them,
in the same chunk or one that is not stored yet. So what was left aside is offered once more as soon
as the roster has grown, one chunk at a time. What still finds no place is counted, and whoever has
the bundle may offer all of it again: that brings in more as long as something new comes.
"""

from dataclasses import dataclass
from typing import assert_never

from mycelia_protocol.bundle_reader import EvidenceFound, FormsFound, Load, RecordsFound
from mycelia_protocol.events import Carried, RecordsCarried
from mycelia_protocol.form_events import EvidenceCarried, FormsCarried


@dataclass(slots=True)
class Offer:
    """One chunk's load that an engine has been given.

    Attributes:
        members: how many were on the roster then.
        before: the answer to the first time, None while this is the first.
    """

    load: Load
    members: int
    before: Carried | None = None


class Unpacking:
    """Counts what became of records, and says which to offer once more.

    Attributes:
        new, known, strangers, gaps, contested, refused, unconfirmed: as in `Carried`, of all.
    """

    def __init__(self) -> None:
        self.new = self.known = self.strangers = self.gaps = self.contested = self.refused = 0
        self.unconfirmed = 0
        self._offers: dict[int, Offer] = {}

    @property
    def is_idle(self) -> bool:
        """Whether everything that was offered has been answered."""
        return not self._offers

    @property
    def left(self) -> int:
        """How many records may find a place when the bundle is offered again."""
        return self.strangers + self.gaps + self.unconfirmed

    def offered(self, token: int, load: Load, members: int, before: Carried | None = None) -> None:
        """Note that a load was given to an engine with so many members on its roster.

        Args:
            before: what `answered` was given, if this is what it asked to be offered again.
        """
        self._offers[token] = Offer(load, members, before)

    def answered(self, answer: Carried, members: int) -> Load | None:
        """Note what became of an offer; return what to offer once more, perhaps nothing."""
        offer = self._offers.pop(answer.token)
        self.new += answer.new
        if answer.strangers and members > offer.members and offer.before is None:
            return offer.load
        self.known += (offer.before or answer).known
        self.strangers += answer.strangers
        self.gaps += answer.gaps
        self.contested += answer.contested
        self.refused += answer.refused
        self.unconfirmed += answer.unconfirmed
        return None

    def failed(self, token: int) -> None:
        """Note that an offer was refused as a whole, since the store failed."""
        del self._offers[token]


def carried_event(token: int, load: Load) -> RecordsCarried | FormsCarried | EvidenceCarried:
    """Return the event that gives a load to an engine."""
    match load:
        case RecordsFound(records):
            return RecordsCarried(token, records)
        case FormsFound(checkpoint, first, records, proof):
            return FormsCarried(token, checkpoint, first, records, proof)
        case EvidenceFound(bundle, place, is_last, records):
            return EvidenceCarried(token, bundle, place, is_last, records)
        case _:
            assert_never(load)
