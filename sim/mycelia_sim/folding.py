"""What the protocol makes of the disks, for the few checks that are about the protocol's own fold.

Everything here starts from the bytes on a disk. What follows from equal bytes is worked out once:
disks lend each other no more than that.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from mycelia_protocol.charter import Charter
from mycelia_protocol.compact import expand
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.statements import Reader
from mycelia_sim.audit import Held, Holding
from mycelia_sim.virtual.genesis import remembering_read


class Folds:
    """Reads records, and folds disks, each different one once.

    Args:
        commons: its id, which compact forms do not say.
    """

    def __init__(self, commons: bytes) -> None:
        self._commons: Final = commons
        self._parsed: dict[tuple[object, ...], Record] = {}
        self._states: dict[tuple[object, ...], State] = {}

    @cached_property
    def read(self) -> Reader:
        """Reads a body as the protocol does, and each once."""
        return remembering_read()

    def parse(self, held: Held) -> Record:
        """Read one record.

        Raises: MyceliaError when it can't be read by the protocol.
        """
        key: tuple[object, ...] = (held.header, held.signature, held.body)
        if held.is_compact:
            key = (held.author, held.log, held.seq, held.form)
        record = self._parsed.get(key)
        if record is None:
            record = self._parsed[key] = self._parse(held)
        return record

    def _parse(self, held: Held) -> Record:
        if held.is_compact:
            return expand(self._commons, held.author, held.log, held.seq, held.form)
        return Record.parse(held.header, held.signature, held.body)

    def is_read(self, held: Held) -> bool:
        """Return whether the protocol can make something of a record."""
        try:
            return self.read(self.parse(held), 0) is not None
        except MyceliaError:
            return False

    def state(self, holding: Holding) -> State:
        """Return what follows from all records on one disk, whatever order they came in.

        Raises: MyceliaError when a record can't be read by the protocol.
        """
        key = (holding.charter, *((each.id, each.form or each.body) for each in holding.records))
        state = self._states.get(key)
        if state is None:
            state = State(Charter.decode(holding.charter), self.read)
            for each in holding.records:
                state.add(self.parse(each))
            self._states[key] = state
        return state
