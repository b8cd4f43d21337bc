"""What of a state may be different since somebody looked: for whoever keeps an index beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Watch:
    """A state's changes, collected until whoever watches has taken them.

    Attributes:
        touched: ids of offers, rights, requests and grants whose derivation was forgotten.
        parties: ids of parties that arrived.
        is_peopled: whether somebody joined, was described anew, or got a party.
        is_shaken: whether records were taken out, so that nothing known before holds.
    """

    touched: set[bytes] = field(default_factory=set)
    parties: list[bytes] = field(default_factory=list)
    is_peopled: bool = True
    is_shaken: bool = True

    def note(self, record: bytes, kind: str, touched: Iterable[bytes]) -> None:
        """Note a record that became part of the state."""
        self.touched.update(touched)
        if kind in ("vouch", "profile", "party"):
            self.is_peopled = True
        if kind == "party":
            self.parties.append(record)
