"""A member who means harm, as a process of its own: joins by an invite, then goes on until killed.

    python bench/mycelia_bench/foe.py KIND

stdin: one line of JSON: the invite, and the addresses of the nodes. stdout: a line of JSON when it
has joined, and one for each link that a node ended. It does its harm to all nodes at once, and
comes back at once when it is turned away.

    slow    asks for all there is, and takes nothing of what is sent
    flood   pushes good records of its own, as fast as they are taken
    repeat  pushes the same good records again and again
    asking  says what costs a node most to answer, as fast as it goes
    half    sends half a frame and waits: as a member, and as a stranger on many connections
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, Self, TypeAlias

import aiohttp

from mycelia_node.clock import Clock
from mycelia_node.joining import join
from mycelia_node.transport import connect, new_session
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.events import Range
from mycelia_protocol.join import decode_introduction
from mycelia_protocol.limits import BUCKET_DIGEST_SIZE, DIGEST_SIZE
from mycelia_protocol.messages import (
    Buckets,
    Digest,
    HeadEntry,
    Heads,
    Introduce,
    Message,
    Push,
    Want,
)
from mycelia_protocol.record import Record
from mycelia_protocol.session import Session, open_session
from mycelia_sim.adversaries.pen import OFFER, Pen
from mycelia_sim.live.beneath import BENEATH
from mycelia_sim.streams import Stream

AGAIN_S: Final = 0.05  # before it dials again
PUSH_RECORDS: Final = 64  # in one frame
FRESH_RECORDS: Final = 8_192  # written before the harm begins, so that signing costs no time then
HALF_SIZE: Final = 500_000  # bytes announced, of which half comes
WANT_PAUSE_S: Final = 0.1

Harm: TypeAlias = "Callable[[Foe, Conversation], Coroutine[Any, Any, None]]"


class Foe:
    """One hostile member.

    Attributes:
        records: good records of its own, signed, of one log.
    """

    def __init__(self, seed: bytes, charter: Charter, chain: tuple[Record, ...]) -> None:
        self.charter: Final = charter
        self.clock: Final = Clock()
        self.records: list[Record] = []
        self._seed = seed
        self._chain = chain

    def write(self, count: int) -> None:
        """Write good records."""
        stream = Stream(int.from_bytes(os.urandom(6)), "foe")
        commons, key = self.charter.commons, public_key(self._seed)
        pen = Pen(commons, key, self._seed, stream, self.clock.now_ms())
        while len(pen.records) < count:
            pen.write("offer", OFFER)
        self.records = pen.records

    async def haunt(self, http: aiohttp.ClientSession, address: str, harm: Harm) -> None:
        """Do harm to one node, again and again."""
        while True:
            reason = "unreachable"
            try:
                socket = await connect(http, address)
                async with Conversation(socket, self._session(), self.clock) as talk:
                    await talk.greet(self._chain)
                    await talk.hear_while(harm(self, talk), hears=harm is not slow)
            except (OSError, aiohttp.ClientError, TimeoutError, MyceliaError, Ended) as error:
                reason = str(error) or type(error).__name__
            tell({"ended": reason})
            await asyncio.sleep(AGAIN_S)

    def _session(self) -> Session:
        return open_session(
            outbound=True,
            commons=self.charter.commons,
            seed=self._seed,
            static=os.urandom(32),
            ephemeral=os.urandom(32),
            now_ms=self.clock.now_ms(),
        )


class Ended(Exception):
    """The node ended the link; the text says why."""


class Conversation:
    """One link to a node, spoken by hand.

    Attributes:
        socket: what it runs on.
        heads: what the node told.
    """

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, session: Session, clock: Clock
    ) -> None:
        self.socket: Final = socket
        self.heads: list[HeadEntry] = []
        self._session = session
        self._clock = clock
        self._is_told = False

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the socket."""
        transport = self.socket._writer.transport
        if transport is not None:
            transport.abort()

    async def greet(self, chain: tuple[Record, ...]) -> None:
        """Shake hands, show who let it in, and hear what the node holds.

        Raises: Ended, MyceliaError.
        """
        first = self._session.begin()
        assert first is not None
        await self.socket.send_bytes(first)
        while not self._session.is_ready:
            await self.hear()
        await self.say(Introduce(chain))
        while not self._is_told:
            await self.hear()

    async def hear(self) -> None:
        """Take one message, and answer it so that the node tells all it holds.

        Raises: Ended, MyceliaError.
        """
        data = await self.socket.receive()
        if data.type is not aiohttp.WSMsgType.BINARY:
            raise Ended(str(data.extra or data.type.name))
        answers, message = self._session.receive(data.data, self._clock.now_ms())
        for answer in answers:
            await self.socket.send_bytes(answer)
        match message:
            case Heads(entries, complete):
                self.heads.extend(entries)
                self._is_told = self._is_told or complete
            case Digest():
                await self.say(Digest(bytes(DIGEST_SIZE), 0))
            case Buckets(digests):
                await self.say(Buckets((bytes(BUCKET_DIGEST_SIZE),) * len(digests)))
            case _:
                pass

    async def hear_while(self, doing: Coroutine[Any, Any, None], *, hears: bool) -> None:
        """Do something until that or the link ends, and take whatever comes meanwhile.

        Raises: Ended, and what `doing` raises.
        """
        tasks = [asyncio.create_task(doing)]
        if hears:
            tasks.append(asyncio.create_task(self._hear_all()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear_all(self) -> None:
        while True:
            await self.hear()

    def seal(self, message: Message) -> bytes:
        """Return the bytes that carry a frame; they must be sent in the order of sealing."""
        return self._session.send(message)

    async def say(self, message: Message) -> None:
        """Send a frame, as fast as the node takes it."""
        await self.socket.send_bytes(self.seal(message))

    async def send_raw(self, data: bytes) -> None:
        """Send bytes beneath the WebSocket's frames."""
        transport = self.socket._writer.transport
        assert transport is not None
        transport.write(data)


# --- what is done ---


async def slow(foe: Foe, talk: Conversation) -> None:
    """Ask for everything, and read nothing any more."""
    ranges = [Range(each.author, each.log, 0, each.next_seq - 1) for each in talk.heads]
    while not talk.socket.closed:
        for wanted in ranges:
            await talk.say(Want((wanted,)))
            await asyncio.sleep(WANT_PAUSE_S)
    raise Ended("too slow, or no heartbeat")


async def flood(foe: Foe, talk: Conversation) -> None:
    """Push good records of which nobody has heard, a log after the other."""
    while True:
        foe.write(FRESH_RECORDS)
        for at in range(0, FRESH_RECORDS, PUSH_RECORDS):
            await talk.say(Push(tuple(foe.records[at : at + PUSH_RECORDS])))
            await asyncio.sleep(0)


async def repeat(foe: Foe, talk: Conversation) -> None:
    """Push the same good records again and again."""
    same = Push(tuple(foe.records[:PUSH_RECORDS]))
    while True:
        await talk.say(same)
        await asyncio.sleep(0)


async def asking(foe: Foe, talk: Conversation) -> None:
    """Let the node compare stores, which costs it a hash over all heads, and read its store."""
    ranges = [Range(each.author, each.log, 0, each.next_seq - 1) for each in talk.heads[:1]]
    while True:
        await talk.say(Digest(os.urandom(DIGEST_SIZE), 1))
        await talk.say(Want(tuple(ranges)))
        await asyncio.sleep(0)


async def half(foe: Foe, talk: Conversation) -> None:
    """Send half of a frame and wait, as long as the node has patience."""
    head = bytes((0x82, 0xFF)) + HALF_SIZE.to_bytes(8) + bytes(4)
    await talk.send_raw(head + bytes(HALF_SIZE // 2))
    await asyncio.Event().wait()


KINDS: Final[dict[str, Harm]] = {
    "slow": slow,
    "flood": flood,
    "repeat": repeat,
    "asking": asking,
    "half": half,
}


async def hang(address: str, said: bytes) -> None:
    """Hold a connection on which something was begun, again and again."""
    host, _, port = address.rpartition(":")
    while True:
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(said)
            while await reader.read(65_536):
                pass
            writer.transport.abort()
        except OSError:
            pass
        await asyncio.sleep(AGAIN_S)


def tell(what: dict[str, Any]) -> None:
    """Say something to whoever started this."""
    print(json.dumps(what), flush=True)


async def run(kind: str, invite: str, addresses: list[str]) -> None:
    """Join and do harm until killed."""
    seed = os.urandom(32)
    joined = await join(invite, seed, Clock())
    chain, _ = decode_introduction(joined.introduction)
    foe = Foe(seed, Charter.decode(joined.charter), chain)
    foe.write(FRESH_RECORDS if kind == "flood" else PUSH_RECORDS)
    tell({"joined": kind})
    async with new_session() as http, asyncio.TaskGroup() as tasks:
        for address in addresses:
            tasks.create_task(foe.haunt(http, address, KINDS[kind]))
            for said in BENEATH["slowloris"] if kind == "half" else ():
                tasks.create_task(hang(address, said))


def main() -> None:
    """Read who to harm, and do so."""
    order = json.loads(sys.stdin.readline())
    asyncio.run(run(sys.argv[1], order["invite"], order["addresses"]))


if __name__ == "__main__":
    main()
