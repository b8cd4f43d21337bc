"""Who plays in the state vectors, and what a scene is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.encoding import Value
from mycelia_protocol.record import Record
from vectors.chains import Writer
from vectors.suite import KEYS

WATER: Final[dict[str, Value]] = {"category": "food.water", "title": "Water", "unit": "mL"}
DRILL: Final[dict[str, Value]] = {"category": "tool.hand", "title": "Drill", "unit": "1"}


class Cast:
    """The logs of the four collectives; mill, the founder, has vouched for oak and elm."""

    def __init__(self) -> None:
        self.mill, self.oak, self.elm, self.ash = (Writer(n) for n in ("mill", "oak", "elm", "ash"))
        for writer in (self.mill, self.oak, self.elm, self.ash):
            writer.begin()
        self.extra: list[Writer] = []
        self.hidden: list[Record] = []
        for name in ("oak", "elm"):
            self.mill.write("vouch", {"key": KEYS[name], "invite": bytes(32)})

    def offer(
        self, quantity: int = 20_000, lot: int = 1_000, writer: Writer | None = None
    ) -> Record:
        """Let mill, or somebody else, offer water."""
        return (writer or self.mill).write("offer", {**WATER, "quantity": quantity, "lot": lot})

    def request(
        self, quantity: int = 5_000, writer: Writer | None = None, unit: str = "mL"
    ) -> Record:
        """Let oak, or somebody else, request water."""
        content: dict[str, Value] = {**WATER, "quantity": quantity, "unit": unit, "urgency": "days"}
        return (writer or self.oak).write("request", content)

    def grant(
        self,
        purse: Record,
        request: Record,
        quantity: int = 5_000,
        writer: Writer | None = None,
        *returns: Record,
    ) -> Record:
        """Let mill, or somebody else, grant from an offer or from rights."""
        refs = (purse, request, *returns)
        return (writer or self.mill).write("grant", {"quantity": quantity}, *refs)

    def rights(
        self,
        offer: Record,
        quantity: int,
        to: Writer | None = None,
        writer: Writer | None = None,
        slot: int | None = None,
    ) -> Record:
        """Let mill, or somebody else, give rights to oak, or somebody else."""
        holder = to or self.oak
        content: dict[str, Value] = {"to": KEYS[holder.name], "log": holder.log}
        content["quantity"] = quantity
        if slot is not None:
            content["slot"] = slot
        return (writer or self.mill).write("rights", content, offer)

    def answer(self, grant: Record, accept: bool = True, writer: Writer | None = None) -> Record:
        """Let oak, or somebody else, answer."""
        return (writer or self.oak).write("answer", {"accept": accept}, grant)

    def receipt(
        self, grant: Record, side: str, quantity: int = 5_000, writer: Writer | None = None
    ) -> Record:
        """Let mill (handed) or oak (received), or somebody else, confirm a hand-over."""
        usual = self.mill if side == "handed" else self.oak
        return (writer or usual).write("receipt", {"side": side, "quantity": quantity}, grant)

    def records(self) -> list[Record]:
        """Return all records that were written and not hidden."""
        writers = [self.mill, self.oak, self.elm, self.ash, *self.extra]
        everything = [record for writer in writers for record in writer.records]
        hidden = {record.id for record in self.hidden}
        return [record for record in everything if record.id not in hidden]


@dataclass(frozen=True, slots=True)
class Scene:
    """One small story, about one rule of section 8.

    Attributes:
        comment: what it is about.
        req: requirements that it exercises.
        flags: names of notes.
        play: writes the records.
    """

    comment: str
    req: str
    flags: tuple[str, ...]
    play: Callable[[Cast], object]

    def records(self) -> list[Record]:
        """Play the story and return its records."""
        cast = Cast()
        self.play(cast)
        return cast.records()


def scenes(*rows: tuple[str, tuple[str, ...], Callable[[Cast], object]]) -> tuple[Scene, ...]:
    """Return the scenes that play (requirements, flags, story)."""
    return tuple(
        Scene(" ".join((play.__doc__ or "").split()), req, flags, play) for req, flags, play in rows
    )
