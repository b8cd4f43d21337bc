"""A newcomer's side of joining: one link, one question. Spec: section 9.6.

    opened -> shaking -> asked -> done

The inviter's key is pinned by the invite. The answer brings the charter, whose hash must be the
commons id of the invite, and the vouches that lead from the founder to the newcomer; the node keeps
both (`introduction`) and shows the latter whenever it meets a member who does not know it yet.
"""

from dataclasses import dataclass
from typing import TypeAlias

from mycelia_protocol.charter import Charter, commons_id
from mycelia_protocol.close_codes import CLOSE_DONE, CLOSE_HANDSHAKE, CLOSE_TIMEOUT
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import decode, encode
from mycelia_protocol.errors import RemoteError, SessionError
from mycelia_protocol.events import CloseLink, SendFrame
from mycelia_protocol.invite import Invite
from mycelia_protocol.limits import FRAME_SIZE_MAX, HANDSHAKE_TIMEOUT_MS
from mycelia_protocol.messages import Introduce, Join, Message, Refuse, Welcome
from mycelia_protocol.record import Record, parse_envelope
from mycelia_protocol.rng import Rng
from mycelia_protocol.session import open_session
from mycelia_protocol.state import State
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types.vouch import Vouch


@dataclass(frozen=True, slots=True)
class Joined:
    """The newcomer is a member.

    Attributes:
        charter: the charter's bytes, to be kept as they are.
        introduction: bytes to be kept and given to `Engine` at every start.
    """

    charter: bytes
    introduction: bytes


@dataclass(frozen=True, slots=True)
class JoinFailed:
    """It did not work; `code` of spec appendix C, and words that say what to do."""

    code: str
    reason: str


JoinOutput: TypeAlias = SendFrame | CloseLink | Joined | JoinFailed


class JoinMachine:
    """Drives one attempt on one link that the newcomer dialled.

    Args:
        seed: the newcomer's Ed25519 seed, 32 bytes.
        rng: gives the keys of this one session.
    """

    def __init__(self, invite: Invite, seed: bytes, rng: Rng, link: int, now_ms: int) -> None:
        self._invite = invite
        self._key = public_key(seed)
        self._link = link
        self._is_over = False
        self._is_introduced = False
        self.deadline_ms = now_ms + HANDSHAKE_TIMEOUT_MS
        self._session = open_session(
            outbound=True,
            commons=invite.commons,
            seed=seed,
            static=rng.randbytes(32),
            ephemeral=rng.randbytes(32),
            now_ms=now_ms,
        )

    def opened(self) -> list[JoinOutput]:
        """Say the first word on the open link."""
        first = self._session.begin()
        assert first is not None
        return [SendFrame(self._link, first)]

    def received(self, data: bytes, now_ms: int) -> list[JoinOutput]:
        """Take one message from the link."""
        if self._is_over:
            return []
        try:
            answers, message = self._session.receive(data, now_ms)
            outputs: list[JoinOutput] = [SendFrame(self._link, answer) for answer in answers]
            if self._session.is_ready and message is None:
                if self._session.peer_key != self._invite.inviter:
                    raise SessionError("somebody else than the inviter answers", code="inviter")
                ask = self._session.send(Join(self._invite.secret))
                return [*outputs, SendFrame(self._link, ask)]
            return outputs if message is None else self._answered(message)
        except RemoteError as error:
            return self._fail(error.code, str(error), CLOSE_HANDSHAKE)

    def closed(self, reason: str) -> list[JoinOutput]:
        """Note that the link is gone."""
        if self._is_over:
            return []
        said = f" ({reason})" if reason else ""
        return self._fail("closed", f"the inviter's node closed the link{said}", None)

    def timed_out(self) -> list[JoinOutput]:
        """Give up waiting."""
        return [] if self._is_over else self._fail("timeout", "no answer came", CLOSE_TIMEOUT)

    def _answered(self, message: Message) -> list[JoinOutput]:
        """Take the answer; the inviter introduces itself before it."""
        match message:
            case Introduce() if not self._is_introduced:
                self._is_introduced = True
                return []
            case Welcome(charter, chain):
                introduction = self._checked_welcome(charter, chain)
                self._is_over = True
                done = CloseLink(self._link, CLOSE_DONE, "joined")
                return [Joined(charter, introduction), done]
            case Refuse(code, reason):
                return self._fail(code, reason, CLOSE_DONE)
            case _:
                raise SessionError("the answer to a join is WELCOME or REFUSE", code="frame")

    def _checked_welcome(self, charter: bytes, chain: tuple[Record, ...]) -> bytes:
        """Check that the charter is the invite's and that the vouches lead to this node."""
        if commons_id(charter) != self._invite.commons:
            raise SessionError("the charter is not that of the invite", code="charter")
        if self._key not in introduced_keys(Charter.decode(charter), chain):
            raise SessionError("the vouches do not lead to this node", code="introduction")
        return encode_introduction(chain, self._invite.addresses)

    def _fail(self, code: str, reason: str, close: int | None) -> list[JoinOutput]:
        self._is_over = True
        outputs: list[JoinOutput] = [JoinFailed(code, reason)]
        if close is not None:
            outputs.append(CloseLink(self._link, close, reason[:100]))
        return outputs


def is_introduced(charter: Charter, chain: tuple[Record, ...], key: bytes) -> bool:
    """Return whether vouches that somebody showed lead from the founder to a key."""
    try:
        return introduced_keys(charter, chain)[-1] == key
    except RemoteError:
        return False


def introduced_keys(charter: Charter, chain: tuple[Record, ...]) -> list[bytes]:
    """Return the keys that a chain of vouches leads to, from the founder on, each checked alone.

    Raises:
        SessionError: a link of the chain is no signed vouch by the one before.
    """
    keys = [charter.founder]
    state = State(charter)
    for record in chain:
        key = vouched_key(record)
        if key is None or record.author != keys[-1] or record.commons != state.commons:
            raise SessionError("an introduction is a chain of signed vouches", code="introduction")
        keys.append(key)
    return keys


def vouched_key(record: Record) -> bytes | None:
    """Return the key that a self-standing vouch admits, or None if it is none."""
    statement = read_statement(record) if record.kind == "vouch" and record.is_signed() else None
    return statement.body.key if statement and isinstance(statement.body, Vouch) else None


def encode_introduction(chain: tuple[Record, ...], addresses: tuple[str, ...]) -> bytes:
    """Return what a newcomer keeps: its vouches, and where its inviter was to be found."""
    return encode([[record.envelope() for record in chain], list(addresses)])


def decode_introduction(data: bytes) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Read what `encode_introduction` wrote.

    Raises:
        RemoteError: the bytes are damaged.
    """
    match decode(data, size_max=FRAME_SIZE_MAX):
        case [tuple(rows), tuple(addresses)]:
            chain = tuple(parse_envelope(row) for row in rows)
            return chain, tuple(address for address in addresses if isinstance(address, str))
        case _:
            raise SessionError("the kept introduction is damaged", code="introduction")
