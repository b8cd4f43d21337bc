"""Adversaries in virtual time: who carries what they send, and where what they wrote came to lie.

Nodes agree on what an adversary wrote as on anything else, but for logs that it forked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from mycelia_protocol.notices import Notice, RecordArrived
from mycelia_sim.adversaries.cast import Cast
from mycelia_sim.adversaries.scene import Scene
from mycelia_sim.virtual.disk import LogKey, MemoryStore
from mycelia_sim.virtual.genesis import Beginning
from mycelia_sim.virtual.loop import Loop
from mycelia_sim.virtual.node import EPOCH_MS
from mycelia_sim.virtual.wire import Endpoint, Network

if TYPE_CHECKING:
    from mycelia_sim.adversaries.liar import Liar


def scene_of(seed: int, beginning: Beginning, nodes: tuple[str, ...]) -> Scene:
    """Return what adversaries know of a virtual world: everybody has the founder's vouches."""
    (founders_log,) = beginning.base
    return Scene(
        seed=seed,
        charter=beginning.charter,
        keys=beginning.keys,
        seeds=beginning.seeds,
        nodes=nodes,
        founders_log=founders_log,
        shortcuts=beginning.shortcuts,
    )


class VirtualCarrier:
    """Carries what all adversaries of a world send.

    Args:
        resolve: returns the node of an id.
    """

    def __init__(
        self, loop: Loop, network: Network, resolve: Callable[[str], Endpoint | None]
    ) -> None:
        self._loop: Final = loop
        self._network: Final = network
        self._resolve: Final = resolve
        self.after = loop.after
        self.send = network.send
        self.close = network.close

    @property
    def now_us(self) -> int:
        """Microseconds since the world began."""
        return self._loop.now_us

    @property
    def now_ms(self) -> int:
        """What a right clock shows."""
        return EPOCH_MS + self._loop.now_ms

    def dial(self, liar: Liar, target: str) -> None:
        """Try to open a link to a node."""
        self._network.dial(liar, self._resolve(target), target)


class LiarsLogs:
    """The logs of adversaries on the disks of a world."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._logs: dict[LogKey, None] = {}  # as they arrived somewhere

    def noticed(self, notice: Notice) -> None:
        """Take note of the logs of adversaries that came to some disk."""
        if isinstance(notice, RecordArrived) and self._cast.is_liar(notice.record.author):
            self._logs[notice.record.author, notice.record.log] = None

    def honest_records(self, store: MemoryStore) -> int:
        """Return how many records by honest authors are on a disk, beyond the base."""
        return store.record_count - sum(store.log(key) for key in self._logs)

    def is_level(self, stores: Collection[MemoryStore]) -> bool:
        """Return whether disks hold as much of every log of an adversary that was not forked."""
        forked = self._cast.forked
        return all(
            len({store.log(key) for store in stores}) <= 1
            for key in self._logs
            if key not in forked
        )
