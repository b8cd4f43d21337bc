"""Those who watch live events: each with a bounded queue of its own.

Who does not read loses the oldest events, and is told how many, instead of slowing the node down.
"""

import asyncio
import contextlib
from collections.abc import Iterator

QUEUE_MAX = 1_000  # events that wait for one watcher
WATCHERS_MAX = 32

Json = dict[str, object]


class Watcher:
    """One reader of events."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Json | None] = asyncio.Queue(QUEUE_MAX)
        self._missed = 0

    def put(self, event: Json | None) -> None:
        """Add an event (None: the last one is past); the oldest makes room."""
        if self._events.full():
            self._events.get_nowait()
            self._missed += 1
        self._events.put_nowait(event)

    async def next(self) -> Json | None:
        """Return the next event, or None at the end."""
        if self._missed:
            missed, self._missed = self._missed, 0
            return {"event": "missed", "count": missed, "text": f"{missed} events were missed"}
        return await self._events.get()


class Watchers:
    """All who watch."""

    def __init__(self) -> None:
        self._watchers: list[Watcher] = []

    def __len__(self) -> int:
        return len(self._watchers)

    def tell(self, event: Json) -> None:
        """Give an event to everybody."""
        for watcher in self._watchers:
            watcher.put(event)

    def end(self) -> None:
        """Let every watcher's stream end."""
        for watcher in self._watchers:
            watcher.put(None)

    @contextlib.contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Add a watcher as long as it reads."""
        watcher = Watcher()
        self._watchers.append(watcher)
        try:
            yield watcher
        finally:
            self._watchers.remove(watcher)
