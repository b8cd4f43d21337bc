"""An adversary: a member with a real key, who sends what no honest node may ever store.

It joined by a real invite and speaks the real protocol, so nobody turns it away at the door. Each
attempt is one session with one target: it asks for the end of the victim's log, so that its
records fit in, sends them, and then asks again. An answer, or a closed link, proves that the
target took the frame in; an attempt without such proof counts as not delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import aiohttp

from mycelia_node.clock import Clock
from mycelia_node.errors import NodeError
from mycelia_node.joining import join
from mycelia_node.transport import connect, new_session
from mycelia_protocol.charter import Charter
from mycelia_protocol.encoding import Value
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
    Records,
    Want,
)
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.session import Session, open_session
from mycelia_sim.errors import HarnessError
from mycelia_sim.facts import AttemptFact
from mycelia_sim.plan import Attempt
from mycelia_sim.streams import Stream

ATTEMPT_TIMEOUT_S: Final = 8.0
CONTENT: Final[dict[str, Value]] = {
    "category": "food.meal",
    "title": "Never offered",
    "quantity": 1_000,
    "unit": "1",
    "lot": 1,
}


class _Ended(Exception):
    """The target closed the link."""


class _Talk:
    """One session with one target."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: Session) -> None:
        self._socket = socket
        self._session = session
        self._clock = Clock()

    async def begin(self, introduction: tuple[Record, ...]) -> list[HeadEntry]:
        """Shake hands, greet, and return all heads that the target tells."""
        first = self._session.begin()
        assert first is not None
        await self._socket.send_bytes(first)
        while not self._session.is_ready:
            await self.next()
        await self.say(Introduce(introduction))
        entries: list[HeadEntry] = []
        while True:
            message = await self.next()
            if isinstance(message, Digest):  # it claims to hold nothing, so as to be told all
                await self.say(Digest(bytes(DIGEST_SIZE), 0))
            elif isinstance(message, Buckets):
                nothing = (bytes(BUCKET_DIGEST_SIZE),) * len(message.digests)
                await self.say(Buckets(nothing))
            elif isinstance(message, Heads):
                entries += message.entries
                if message.complete:
                    return entries

    async def say(self, message: Message) -> None:
        """Send one frame."""
        try:
            await self._socket.send_bytes(self._session.send(message))
        except (ConnectionError, aiohttp.ClientError) as error:
            raise _Ended(str(error)) from error

    async def next(self) -> Message | None:
        """Return the next frame of the target; None for a step of the handshake.

        Raises: _Ended when it closed the link.
        """
        received = await self._socket.receive()
        if received.type is not aiohttp.WSMsgType.BINARY:
            raise _Ended(f"closed with {self._socket.close_code}: {received.extra or ''}")
        answers, message = self._session.receive(received.data, self._clock.now_ms())
        for answer in answers:
            await self._socket.send_bytes(answer)
        return message

    async def fetch(self, entry: HeadEntry) -> Record | None:
        """Return the last record of a log, as the target holds it."""
        last = entry.next_seq - 1
        await self.say(Want((Range(entry.author, entry.log, last, last),)))
        while True:
            message = await self.next()
            if isinstance(message, Records):
                found = [record for record in message.records if record.seq == last]
                return found[0] if found else None


@dataclass(frozen=True, slots=True)
class _Membership:
    charter: bytes
    introduction: tuple[Record, ...]


class Forger:
    """Plays all attempts of one run's adversary.

    Args:
        way_to: an address at which a node is reached; the adversary meets no link's model.
        key_of: a node's public key.
    """

    def __init__(
        self, seed: int, way_to: Callable[[str], str], key_of: Callable[[str], bytes]
    ) -> None:
        self._stream = Stream(seed, "forger/bytes")
        self._seed = Stream(seed, "key/forger").bytes(32)
        self._way_to = way_to
        self._key_of = key_of
        self._clock = Clock()
        self._membership: _Membership | None = None

    async def join(self, invite: str) -> None:
        """Become a member.

        Raises: HarnessError when the invite does not work.
        """
        try:
            joined = await join(invite, self._seed, self._clock)
        except (MyceliaError, NodeError) as error:
            raise HarnessError(f"the adversary can't join: {error}") from error
        introduction, _ = decode_introduction(joined.introduction)
        self._membership = _Membership(joined.charter, introduction)

    async def attempt(self, attempt: Attempt) -> AttemptFact:
        """Make one attempt and say what became of it; never raises for what the target does."""
        planted: list[str] = []
        is_sent = False
        answer = ""
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_S), new_session() as http:
                socket = await connect(http, self._way_to(attempt.target))
                try:
                    talk = _Talk(socket, self._session())
                    wrong, last = await self._prepare(talk, attempt)
                    planted = [record.id.hex() for record in wrong if record.id != last.id]
                    await talk.say(Push(wrong))
                    is_sent = True
                    entry = HeadEntry(last.author, last.log, last.seq + 1, last.id[:8])
                    await talk.fetch(entry)
                    answer = "went on talking"
                finally:
                    with contextlib.suppress(Exception):
                        await socket.close()
        except _Ended as ended:
            answer = str(ended)
        except (OSError, aiohttp.ClientError, TimeoutError, MyceliaError, ValueError) as error:
            return self._fact(attempt, False, planted if is_sent else [], repr(error)[:200])
        return self._fact(attempt, is_sent, planted, answer)

    def _fact(
        self, attempt: Attempt, is_delivered: bool, planted: list[str], answer: str
    ) -> AttemptFact:
        return AttemptFact(
            attempt.n, attempt.behaviour, attempt.target, is_delivered, tuple(planted), answer
        )

    def _session(self) -> Session:
        assert self._membership is not None
        return open_session(
            outbound=True,
            commons=Charter.decode(self._membership.charter).commons,
            seed=self._seed,
            static=self._stream.bytes(32),
            ephemeral=self._stream.bytes(32),
            now_ms=self._clock.now_ms(),
        )

    async def _prepare(self, talk: _Talk, attempt: Attempt) -> tuple[tuple[Record, ...], Record]:
        """Return the records to send, and the true last record of the victim's log."""
        assert self._membership is not None
        entries = await talk.begin(self._membership.introduction)
        victim = self._key_of(attempt.victim)
        logs = [entry for entry in entries if entry.author == victim]
        if not logs:
            raise ValueError("the target holds nothing of the victim yet")
        last = await talk.fetch(max(logs, key=lambda entry: entry.next_seq))
        if last is None:
            raise ValueError("the target did not give what it told of")
        match attempt.behaviour:
            case "forge_author":
                return (self._forge(last, last.seq + 1, last.id),), last
            case "break_chain":
                first = self._forge(last, last.seq + 1, self._stream.bytes(32))
                return (first, self._forge(last, last.seq + 2, first.id)), last
            case "alter_body":
                assert last.body is not None
                altered = bytes([last.body[0] ^ 1]) + last.body[1:]
                return (replace(last, body=altered),), last
            case behaviour:
                raise ValueError(f"unknown behaviour {behaviour}")

    def _forge(self, last: Record, seq: int, prev: bytes) -> Record:
        """Return an offer in the victim's name, signed with the adversary's own key."""
        return build_record(
            commons=last.commons,
            seed=self._seed,
            author=last.author,
            log=last.log,
            seq=seq,
            prev=prev,
            kind="offer",
            time_ms=self._clock.now_ms(),
            content=CONTENT,
            salt=self._stream.bytes(16),
        )
