"""A client of a Nostr relay, by aionostr: the author signs each event, readers check each one.

    python nostr_client.py author URL
    python nostr_client.py reader URL KEY [DATABASE]
    python nostr_client.py events COUNT SIZE      (for a relay that is to have them from the start)

With a database, `connect` fetches all that the relay has of the key, page by page, and stores what
proved good in SQLite, an fsync for each batch. Without one it listens for what comes.
"""

# pyright: reportMissingImports=false
# (it runs in an environment of its own, which `make bench` makes)

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Awaitable

from aionostr.event import Event
from aionostr.key import PrivateKey
from aionostr.relay import Relay
from lines import Answer, Handler, Inbox, make_record, publish, serve

PAGE = 5_000  # events of one answer; the relay gives at most 6,000
BATCH = 500  # events in one transaction


def read_line() -> Awaitable[str]:
    """Return the next line of the standard input, read in a thread."""
    return asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def make_event(key: PrivateKey, text: str, created_at: int = 0) -> Event:
    """Return a signed note."""
    event = Event(pubkey=key.public_key.hex(), content=text, created_at=created_at)
    event.sign(key.hex())
    return event


async def write(url: str) -> None:
    """Be the author."""
    key = PrivateKey()
    async with Relay(url) as relay:

        async def hand_over(text: str) -> None:
            await relay.add_event(make_event(key, text))

        async def send(first: int, count: int, size: int, per_s: float) -> Answer:
            answer = await publish(hand_over, asyncio.sleep, first, count, size, per_s)
            for _ in range(count):
                await relay.event_adds.get()
            return answer

        await serve(read_line, {"key": key.public_key.hex()}, {"publish": send})


class Reader:
    """One who follows an author's notes.

    Args:
        url: the relay.
        key: whose notes.
        path: of the database, None to keep nothing.
    """

    def __init__(self, url: str, key: str, path: str | None) -> None:
        self.inbox = Inbox()
        self._relay = Relay(url)
        self._key = key
        self._path = path
        self._task: asyncio.Task[None] | None = None

    async def connect(self, to: list[str]) -> Answer:
        """Connect, then fetch or follow in the background."""
        await self._relay.connect()
        self._task = asyncio.create_task(self._fetch() if self._path else self._follow())
        return {}

    async def links(self) -> Answer:
        """Answer whether there is a connection."""
        return {"count": int(self._relay.connected)}

    async def _follow(self) -> None:
        since = {"authors": [self._key], "since": int(time.time())}
        queue = await self._relay.subscribe("live", since)
        while True:
            event = await queue.get()
            if event is not None and event.verify():
                self.inbox.take(event.content)

    async def _fetch(self) -> None:
        assert self._path is not None
        database = sqlite3.connect(self._path)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE events (id TEXT PRIMARY KEY, event TEXT)")
        until = int(time.time()) + 1
        known: set[str] = set()
        # Relays differ in whether `until` itself belongs to a page, so pages may overlap.
        while page := [event for event in await self._page(until) if event.id not in known]:
            until = page[-1].created_at
            known |= {event.id for event in page}
            for first in range(0, len(page), BATCH):
                good = [event for event in page[first : first + BATCH] if event.verify()]
                rows = [(event.id, json.dumps(event.to_json_object())) for event in good]
                with database:
                    database.executemany("INSERT INTO events VALUES (?, ?)", rows)
                for event in good:
                    self.inbox.take(event.content)
                await asyncio.sleep(0)

    async def _page(self, until: int) -> list[Event]:
        name = f"page-{until}"
        wanted = {"authors": [self._key], "until": until, "limit": PAGE}
        queue = await self._relay.subscribe(name, wanted)
        page: list[Event] = []
        while (event := await queue.get()) is not None:
            page.append(event)
        await self._relay.unsubscribe(name)
        return page


async def read(url: str, key: str, path: str | None = None) -> None:
    """Be a reader."""
    reader = Reader(url, key, path)
    inbox = reader.inbox
    handlers: dict[str, Handler] = {
        "connect": reader.connect,
        "links": reader.links,
        "count": inbox.count,
        "arrivals": inbox.arrivals,
    }
    await serve(read_line, {}, handlers)


def print_events(count: int, size: int) -> None:
    """Print the author's key, then signed notes, one a line, a second apart, the oldest first."""
    key = PrivateKey()
    begin = int(time.time()) - count
    print(key.public_key.hex())
    for number in range(count):
        event = make_event(key, make_record(number, size), begin + number)
        print(json.dumps(["EVENT", event.to_json_object()]))


def main() -> None:
    """Do what the first argument says."""
    role, *rest = sys.argv[1:]
    if role == "events":
        print_events(int(rest[0]), int(rest[1]))
    elif role == "author":
        asyncio.run(write(*rest))
    else:
        asyncio.run(read(*rest))


if __name__ == "__main__":
    main()
