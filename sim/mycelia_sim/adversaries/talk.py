"""One link of an adversary to one node: the real session, spoken by hand.

Scripts are generators: `yield from talk.greet()` runs on whenever something happens on the link.
What a script yields is the longest it will wait, in microseconds.
"""

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

from mycelia_protocol.errors import RemoteError
from mycelia_protocol.events import Range
from mycelia_protocol.frame_rows import TaggedRange
from mycelia_protocol.limits import BUCKET_DIGEST_SIZE, DIGEST_SIZE, RUN_SIZE_MAX
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
    encode_message,
)
from mycelia_protocol.presence import Presence
from mycelia_protocol.record import Record
from mycelia_protocol.session import Session
from mycelia_protocol.types.heads import tag_of
from mycelia_sim.adversaries.scene import MS, Carrier, LogKey

T = TypeVar("T")
Steps: TypeAlias = Generator[int, None, T]
Serving = Literal["own", "nothing", "silence"]
Manner = Literal["greet", "shake", "raw", "bare"]

PATIENCE_MS: Final = 8_000  # how long an adversary waits for an answer


class Ended(Exception):
    """The link is gone, or was never there; the text says why."""


class Silence(Exception):
    """Nothing came in time."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a talk needs of its adversary.

    Attributes:
        begin: makes the adversary's side of a fresh session.
        introduction: shows a node that does not know it yet who let it in.
        library: the adversary's own records by log, to answer who asks for them.
        wake: lets the script go on.
    """

    carrier: Carrier
    begin: Callable[[int], Session]
    introduction: tuple[Record, ...]
    library: Mapping[LogKey, Sequence[Record]]
    wake: Callable[[], None]


class Talk:
    """One link.

    Args:
        manner: what it does by itself: shake hands and greet, only shake hands, or nothing; on a
            bare connection not even frames are made.

    Attributes:
        serving: how the node's WANTs are answered: with own records, with nothing, or never.
        heads: what the node told, the last of each log.
        pushed: records that the node pushed.
        words: what members say of themselves, as the node passed it on.
        asked: what each WANT of the node asked for.
        reply: what it says to a frame of the node, if not what it says to others; else None.
        ended: why the link ended; None while it is being dialled or lives.
    """

    def __init__(self, target: str, around: Surroundings, manner: Manner) -> None:
        self.target: Final = target
        self.serving: Serving = "own"
        self.heads: dict[LogKey, HeadEntry] = {}
        self.pushed: list[Record] = []
        self.words: list[Presence] = []
        self.reply: Callable[[Message], Sequence[Message] | None] = _as_always
        self.ended: str | None = None
        self.asked: list[tuple[Range | TaggedRange, ...]] = []
        self._around = around
        self._manner: Manner = manner
        self._link: int | None = None
        self._session: Session | None = None
        self._is_greeted = False
        self._is_told = False  # whether all heads were told
        self._inbox: deque[Message] = deque()

    @property
    def is_open(self) -> bool:
        """Whether bytes can be sent."""
        return self._link is not None and self.ended is None

    # --- what scripts do ---

    def greeted(self) -> Steps[None]:
        """Wait until the node has let the adversary in and told all its heads.

        Raises: Ended, Silence.
        """
        yield from self.until(lambda: self._is_told)

    def say(self, message: Message) -> None:
        """Send a frame; on a link that is gone it is lost."""
        self.say_frame(encode_message(message))

    def say_frame(self, frame: bytes) -> None:
        """Send bytes as a frame, whatever they are."""
        if self.is_open and self._session is not None and self._session.is_ready:
            self.send(self._session.send_frame(frame))

    def seal(self, message: Message) -> bytes:
        """Return the bytes that would carry a frame, without sending them."""
        assert self._session is not None
        return self._session.send(message)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self.is_open and self._link is not None:
            self._around.carrier.send(self._link, data)

    def close(self, reason: str = "closed by the adversary") -> None:
        """Close the link."""
        if self.is_open and self._link is not None:
            self._around.carrier.close(self._link, reason)

    def until(self, condition: Callable[[], object], within_ms: int = PATIENCE_MS) -> Steps[None]:
        """Wait until a condition holds.

        Raises: Ended, Silence.
        """
        deadline_us = self._around.carrier.now_us + within_ms * MS
        while not condition():
            if self.ended is not None:
                raise Ended(self.ended)
            left_us = deadline_us - self._around.carrier.now_us
            if left_us <= 0:
                raise Silence
            yield left_us

    def fetch(self, ranges: Sequence[Range]) -> Steps[tuple[Record, ...]]:
        """Ask for ranges and return what the node gives.

        Raises: Ended, Silence.
        """
        self.say(Want(tuple(ranges)))
        yield from self.until(lambda: self._inbox)
        answer = self._inbox.popleft()
        return answer.records if isinstance(answer, Records) else ()

    # --- what the wire tells ---

    def opened(self, link: int) -> None:
        """Begin on the open link."""
        self._link = link
        if self._manner in ("greet", "shake"):
            self._session = self._around.begin(self._around.carrier.now_ms)
            first = self._session.begin()
            assert first is not None
            self.send(first)
        self._around.wake()

    def received(self, data: bytes) -> None:
        """Take what the node sends."""
        if self.ended is not None:
            return
        if self._session is None:
            self._around.wake()
            return
        try:
            answers, message = self._session.receive(data, self._around.carrier.now_ms)
        except RemoteError as error:
            self.close()
            self.closed(f"the node broke a rule: {error}")
            return
        for answer in answers:
            self.send(answer)
        if not self._is_greeted and self._session.is_ready and self._manner == "greet":
            self._is_greeted = True
            self.say(Introduce(self._around.introduction))
        if message is not None:
            self._heard(message)
        self._around.wake()

    def closed(self, reason: str) -> None:
        """Note that the link is gone."""
        if self.ended is None:
            self.ended = reason
            self._around.wake()

    # --- inside ---

    def _heard(self, message: Message) -> None:
        replies = self.reply(message)
        if replies is not None:
            for each in replies:
                self.say(each)
            return
        match message:
            case Heads(entries, complete):
                self.heads.update({(entry.author, entry.log): entry for entry in entries})
                self._is_told = self._is_told or complete
            case Digest():  # it claims to hold nothing, so as to be told everything
                self.say(Digest(bytes(DIGEST_SIZE), 0))
            case Buckets(digests):
                self.say(Buckets((bytes(BUCKET_DIGEST_SIZE),) * len(digests)))
            case Push(records):
                self.pushed.extend(records)
            case Presence():
                self.words.append(message)
            case Want(ranges):
                self.asked.append(ranges)
                if self.serving != "silence":
                    self.say(Records(self._served(ranges)))
            case Records():
                self._inbox.append(message)
            case _:
                pass  # its greeting

    def _served(self, ranges: Sequence[Range | TaggedRange]) -> tuple[Record, ...]:
        """Return own records, all signed, as much as fits one frame."""
        if self.serving == "nothing":
            return ()
        found: list[Record] = []
        size = 0
        logs = {tag_of(*key): log for key, log in self._around.library.items()}
        for wanted in ranges:
            tag = tag_of(wanted.author, wanted.log) if isinstance(wanted, Range) else wanted.tag
            for record in logs.get(tag, ())[wanted.first : wanted.last + 1]:
                size += record.size
                if size > RUN_SIZE_MAX:
                    return tuple(found)
                found.append(record)
        return tuple(found)


def _as_always(message: Message) -> None:
    """Say nothing of its own to a frame."""
