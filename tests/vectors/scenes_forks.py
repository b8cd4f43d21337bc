"""Scenes of logs that part: what a proof takes away, and what proves nothing."""

from typing import Final

from mycelia_protocol.record import Record
from vectors import forked
from vectors.cast import Cast, scenes
from vectors.chains import Writer
from vectors.suite import KEYS


def _promised_and_parted(cast: Cast) -> tuple[list[Record], list[Record]]:
    """Let mill promise something to oak, and go on at two ends; return both from there."""
    offer, request = cast.offer(), cast.request()
    grant = cast.grant(offer, request)
    cast.answer(grant)
    place = len(cast.mill.records)
    other = forked.part(cast.mill)
    cast.receipt(grant, "handed")
    cast.receipt(grant, "received")
    cast.offer(3_000)
    other.write("withdraw", {}, grant)
    other.write("withdraw", {}, offer)
    return cast.mill.records[place:], other.records[place:]


def first_end(cast: Cast) -> None:
    """Whoever holds one end: what came before stands, what came later takes no part."""
    cast.elm.write("fork", forked.proof(*_promised_and_parted(cast)))


def second_end(cast: Cast) -> None:
    """Whoever holds the other end comes to the same digest."""
    one, other = _promised_and_parted(cast)
    cast.elm.write("fork", forked.proof(one, other))
    cast.mill.records[-len(one) :] = other


def two_proofs(cast: Cast) -> None:
    """The least seq of all proofs counts."""
    first = forked.part(cast.oak)
    cast.request()
    second = forked.part(cast.oak)
    cast.offer(writer=cast.oak)
    cast.offer(1_000, writer=second)
    cast.request(1_000, writer=first)
    cast.elm.write("fork", forked.proof(cast.oak.records[2:], second.records[2:]))
    cast.elm.write("fork", forked.proof(cast.oak.records[1:], first.records[1:]))


def accuser_unknown(cast: Cast) -> None:
    """A proof counts though nobody has vouched for who wrote it."""
    cast.ash.write("fork", forked.proof(*_promised_and_parted(cast)))


def vouched_in_vain(cast: Cast) -> None:
    """Who was let in by a contested vouch is no member, but their proof of that counts."""
    other = forked.part(cast.oak)
    cast.oak.write("vouch", {"key": KEYS["ash"], "invite": bytes(32)})
    cast.request(writer=other)
    cast.offer(writer=cast.ash)
    cast.ash.write("fork", forked.proof(cast.oak.records[1:], other.records[1:]))


def frozen_rights(cast: Cast) -> None:
    """A holder who writes on two ends keeps what it granted before, and can spend no more."""
    cast.request(writer=cast.oak)
    rights, request = cast.rights(cast.offer(), 10_000), cast.request(9_000, cast.elm)
    cast.grant(rights, request, 4_000, cast.oak)
    other = forked.part(cast.oak)
    place = len(other.records)
    cast.grant(rights, request, 5_000, cast.oak)
    cast.grant(rights, request, 6_000, other)
    cast.elm.write("fork", forked.proof(cast.oak.records[place:], other.records[place:]))


def other_logs(cast: Cast) -> None:
    """Only the log that parts is contested; the author's later log goes on."""
    other = forked.part(cast.oak)
    first, second = cast.request(), cast.request(1_000, other)
    cast.elm.write("fork", forked.proof([first], [second]))
    later = Writer("oak", 1)
    later.begin(cast.oak.records[0])
    cast.request(2_000, later)
    cast.extra.append(later)


def no_proofs(cast: Cast) -> None:
    """What nearly proves a fork is malformed, and takes nothing from anybody."""
    cast.request()
    for _, _, ends in forked.near_misses():
        cast.elm.write("fork", {"ends": ends})


SCENES: Final = scenes(
    ("FOLD-3 FOLD-4", ("Fork",), first_end),
    ("FOLD-3 FOLD-4", ("Fork",), second_end),
    ("FOLD-3", ("Fork",), two_proofs),
    ("FOLD-3", ("Fork", "Roster"), accuser_unknown),
    ("FOLD-3 FOLD-4", ("Fork", "Roster"), vouched_in_vain),
    ("FOLD-4 ESC-5", ("Fork", "Escrow"), frozen_rights),
    ("FOLD-4", ("Fork", "Order"), other_logs),
    ("FORK-1 FORK-2 FORK-3 FORK-4", ("Fork", "Ignored"), no_proofs),
)
