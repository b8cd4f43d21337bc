"""What a simulated world may put in place of costly parts, without changing what they say.

A real node puts nothing else here than a count of what passes, and the pushed records that it read
lately. A world of a thousand nodes checks the same signature, decodes the same frame and reads the
same body a thousand times; all of them are pure functions, so it remembers the outcomes. From about
a thousand nodes on it may also leave out the encryption of sessions (`PlainHandshake`), which
changes costs only: messages keep their number, order and size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.charter import Charter
from mycelia_protocol.errors import SessionError
from mycelia_protocol.handshake import Handshake
from mycelia_protocol.limits import ID_SIZE
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Message, decode_message
from mycelia_protocol.presence import Presence
from mycelia_protocol.record import Record
from mycelia_protocol.session import TAG_SIZE
from mycelia_protocol.state import State
from mycelia_protocol.statements import Reader, read_statement


@dataclass(frozen=True, slots=True)
class Genesis:
    """Logs and state of the records that every node begins with; neither changes any more."""

    logs: Logs
    state: State


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """The parts of an engine that an executor may replace.

    Attributes:
        verify: says whether a record's own signature is good.
        attest: says whether a member's word is signed by its author in a commons.
        decode: reads a frame; raises what `decode_message` raises.
        read: reads a record's body.
        handshake: makes one side of a handshake.
        genesis: what every node of the world begins with, folded once for all.
    """

    verify: Callable[[Record], bool] = Record.is_signed
    attest: Callable[[Presence, bytes], bool] = Presence.is_signed
    decode: Callable[[bytes], Message] = decode_message
    read: Reader = read_statement
    handshake: type[Handshake] = Handshake
    genesis: "Genesis | None" = None

    def first_state(self, charter: Charter) -> State:
        """Return the state that an engine begins with."""
        if self.genesis is None:
            return State(charter, self.read)
        return self.genesis.state.branch(self.read)

    def first_logs(self) -> Logs:
        """Return the logs that an engine begins with."""
        return Logs(self.verify) if self.genesis is None else self.genesis.logs.branch(self.verify)

    @property
    def is_plain(self) -> bool:
        """Whether sessions go without encryption."""
        return self.handshake is PlainHandshake


RESPONDER_SIZE: Final = 200  # bytes of the second message: two keys, two tags, a proof
INITIATOR_SIZE: Final = 168  # bytes of the third: one key less


class PlainCipher:
    """Adds and takes off as many bytes as a cipher would."""

    def encrypt(self, plaintext: bytes, associated: bytes = b"") -> bytes:
        """Return the plaintext with an empty tag."""
        return plaintext + bytes(TAG_SIZE)

    def decrypt(self, ciphertext: bytes, associated: bytes = b"") -> bytes:
        """Return what `encrypt` was given.

        Raises:
            SessionError: the tag is not empty; something was altered on the way.
        """
        if ciphertext[-TAG_SIZE:] != bytes(TAG_SIZE):
            raise SessionError("a frame does not decrypt", code="decrypt", requirement="SESS-4")
        return ciphertext[:-TAG_SIZE]


class PlainHandshake(Handshake):
    """Three messages of the real sizes that say who speaks, and prove nothing."""

    def __init__(
        self, *, outbound: bool, commons: bytes, seed: bytes, static: bytes, ephemeral: bytes
    ) -> None:
        self.peer_key = None
        self.ciphers = None
        self.hash = b""
        self._outbound = outbound
        self._commons = commons
        self._key = static  # a simulated node is given its public key in place of a static one

    def begin(self) -> bytes | None:
        """Return the first message: the commons in place of a fresh key."""
        return self._commons if self._outbound else None

    def receive(self, data: bytes) -> list[bytes]:
        """Take the other side's next message."""
        if not self._outbound and self.peer_key is None and len(data) == ID_SIZE:
            if data != self._commons:
                raise SessionError("another commons", code="decrypt", requirement="SESS-1")
            self.peer_key = bytes(ID_SIZE)  # not known before the third message
            return [self._key + bytes(RESPONDER_SIZE - ID_SIZE)]
        if len(data) != (RESPONDER_SIZE if self._outbound else INITIATOR_SIZE):
            raise SessionError("a handshake message of a wrong size", code="handshake")
        self.peer_key = data[:ID_SIZE]
        self.ciphers = (PlainCipher(), PlainCipher())
        keys = (self._key, self.peer_key) if self._outbound else (self.peer_key, self._key)
        self.hash = keys[0][:16] + keys[1][:16]
        return [self._key + bytes(INITIATOR_SIZE - ID_SIZE)] if self._outbound else []
