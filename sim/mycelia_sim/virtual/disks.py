"""What lies on the virtual disks in the end, and when it came there, as checkers read it.

The disks hold records as the engines wrote them; here each is taken apart anew from its bytes, by
the same code that reads the stores of real nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgpack  # type: ignore[import-untyped]  # the package has no stubs

from mycelia_protocol.compact import compact
from mycelia_protocol.record import Record
from mycelia_sim.audit import Held, Holding, LogCopy
from mycelia_sim.library import LogKey, Shelf
from mycelia_sim.virtual.loop import MS

if TYPE_CHECKING:
    from mycelia_sim.virtual.custody import Journey
    from mycelia_sim.virtual.node import VirtualNode
    from mycelia_sim.virtual.world import World


def read_disks(world: World) -> list[Holding]:
    """Return what each node holds; logs that lie alike on many disks are one object."""
    reader = _Reader(world)
    return [reader.read(node) for node in world.nodes.values()]


class _Reader:
    def __init__(self, world: World) -> None:
        self._shelf = Shelf()
        self._charter = world.beginning.charter
        self._charter_bytes = self._charter.encode()
        self._base = {key: self._log(log) for key, log in world.beginning.base.items()}

    def read(self, node: VirtualNode) -> Holding:
        holding = Holding(node.id, self._charter.founder, self._charter_bytes)
        logs = dict(self._base)
        for records in node.store.load():
            key = (records[0].author, records[0].log)
            try:
                log = self._log(records)
            except (ValueError, TypeError, msgpack.UnpackException) as error:
                holding.faults.append(f"{node.id}: log {key[1].hex()}: {error}")
                continue
            logs[key] = self._joined(key, log)
        holding.logs = tuple(logs[key] for key in sorted(logs))
        return holding

    def _joined(self, key: LogKey, log: LogCopy) -> LogCopy:
        """Put what a node wrote after what the log began with."""
        base = self._base.get(key)
        return log if base is None else self._shelf.log([*base.records, *log.records])

    def _log(self, records: tuple[Record, ...]) -> LogCopy:
        return self._shelf.log([self._held(one) for one in records])

    def _held(self, record: Record) -> Held:
        if record.is_compact:
            form = compact(record)
            return self._shelf.form(record.author, record.log, record.seq, form)
        return self._shelf.record(record.header, record.signature, record.body)


class Seen:
    """When records of honest authors came to lie on disks, in ms of workload time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def records(self) -> Iterator[bytes]:
        """Yield the ids of all honest records that ever lay on a disk."""
        yield from self._world.journeys
        yield from (record for record in self._world.gone if record not in self._world.journeys)

    def born_ms(self, record: bytes) -> int | None:
        """Return when a record was first on any disk."""
        journey = self._journey(record)
        return None if journey is None else self._ms(journey.born_us)

    def reached(self, record: bytes) -> Mapping[str, int]:
        """Return when it came to each node that holds it, or lost it to no fault."""
        journey = self._journey(record)
        arrivals = {} if journey is None else journey.arrivals
        return {node: self._ms(at_us) for node, at_us in arrivals.items()}

    def _journey(self, record: bytes) -> Journey | None:
        world = self._world
        return world.journeys.get(record) or world.gone.get(record)

    def _ms(self, at_us: int) -> int:
        return (at_us - self._world.began_us) // MS
