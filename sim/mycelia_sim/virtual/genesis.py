"""What a virtual commons begins with: a founder that has vouched for every node, and falls silent.

The founder is nobody's node, so its one log never grows during a run. It is folded once and shared
by all nodes; ten thousand of them could not each hold ten thousand vouches of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.handshake import Handshake
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Message, decode_message
from mycelia_protocol.presence import Presence
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.sharing.baselines import document
from mycelia_protocol.sharing.policy import write_policy
from mycelia_protocol.shortcuts import Genesis, PlainHandshake, Shortcuts
from mycelia_protocol.state import State
from mycelia_protocol.statements import Reader, read_statement
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.vouch import content as vouch
from mycelia_sim.streams import Stream
from mycelia_sim.virtual.disk import LogKey
from mycelia_sim.virtual.node import EPOCH_MS

VERIFY_MEMO: Final = 1 << 16  # record ids whose verdict is remembered: a run's live records
ATTEST_MEMO: Final = 1 << 12  # words remembered; each comes to all nodes within seconds
READ_MEMO: Final = 1 << 16  # bodies remembered
DECODE_MEMO: Final = 1 << 12  # frames remembered; a push comes to its readers close together

Draft: TypeAlias = tuple[str, dict[str, Value]]  # kind, content


class StreamRng:
    """A counter-based stream as the randomness of an engine."""

    def __init__(self, seed: int, name: str) -> None:
        self._stream = Stream(seed, name)

    def random(self) -> float:
        """Return a number in [0, 1)."""
        return self._stream.fraction()

    def randbytes(self, n: int, /) -> bytes:
        """Return n bytes."""
        return b"".join(self._stream.bytes(min(64, n - at)) for at in range(0, n, 64))


@dataclass(frozen=True, slots=True)
class Beginning:
    """The commons before anybody did anything.

    Attributes:
        seeds: node id -> Ed25519 seed.
        keys: node id -> public key.
        base: the founder's log, as every disk holds it.
    """

    charter: Charter
    seeds: dict[str, bytes]
    keys: dict[str, bytes]
    base: dict[LogKey, tuple[Record, ...]]
    shortcuts: Shortcuts


def begin(
    seed: int, nodes: tuple[str, ...], *, plain: bool, policy: str | None = None
) -> Beginning:
    """Found a commons whose roster holds all these nodes.

    Args:
        plain: leave out the encryption of sessions.
        policy: the baseline that the founder puts in force, if any.
    """
    founder_seed = Stream(seed, "key/founder").bytes(32)
    founder = public_key(founder_seed)
    charter = Charter("Twin Cities", founder, EPOCH_MS, Stream(seed, "charter").bytes(16))
    seeds = {node: Stream(seed, f"key/{node}").bytes(32) for node in nodes}
    keys = {node: public_key(seeds[node]) for node in nodes}
    drafts: list[Draft] = [("vouch", vouch(key, bytes(32))) for key in keys.values()]
    if policy is not None:
        drafts.append(("policy", {"document": write_policy(document(policy))}))
    records = _founders_log(charter, founder_seed, drafts, seed)
    logs, state = Logs(), State(charter)
    for record in records:
        logs.load(record)
        state.add(record)
    shortcuts = Shortcuts(
        verify=remembering_verify(),
        attest=lru_cache(ATTEST_MEMO)(Presence.is_signed),
        decode=remembering_decode(),
        read=remembering_read(),
        handshake=PlainHandshake if plain else Handshake,
        genesis=Genesis(logs, state),
    )
    base = {(founder, records[0].log): tuple(records)}
    return Beginning(charter, seeds, keys, base, shortcuts)


def remembering_verify() -> Callable[[Record], bool]:
    """Return a check of a record's signature that does each (id, signature) once."""

    @lru_cache(VERIFY_MEMO)
    def check(record: Record) -> bool:
        return record.is_signed()

    return check


def remembering_read() -> Reader:
    """Return a reader of bodies that reads each record once for each depth of its log."""
    memo: dict[tuple[object, ...], Statement[object] | None] = {}

    def read(record: Record, depth: int = 0) -> Statement[object] | None:
        key: tuple[object, ...] = (record.id, depth, record.is_whole)
        if record.is_compact:  # nothing ties what a form says to its id
            key = (*key, record.kind, record.time_ms, record.refs, record.body)
        if key not in memo:
            if len(memo) >= READ_MEMO:
                memo.clear()
            memo[key] = read_statement(record, depth)
        return memo[key]

    return read


def remembering_decode() -> Callable[[bytes], Message]:
    """Return a reader of frames that reads equal bytes once."""
    return lru_cache(DECODE_MEMO)(decode_message)


def _founders_log(
    charter: Charter, founder_seed: bytes, drafts: list[Draft], seed: int
) -> list[Record]:
    log = Stream(seed, "log/founder").bytes(8)
    salts = Stream(seed, "salt/founder")
    records: list[Record] = []
    first: Draft = ("incarnation", {"heads": ()})
    for kind, content in (first, *drafts):
        previous = records[-1].id if records else None
        records.append(
            build_record(
                commons=charter.commons,
                seed=founder_seed,
                author=charter.founder,
                log=log,
                seq=len(records),
                prev=previous,
                kind=kind,
                time_ms=EPOCH_MS,
                content=content,
                salt=salts.bytes(16),
            )
        )
    return records
