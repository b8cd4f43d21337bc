"""Taking in what a confirmed checkpoint proves of a log, however it came. Spec: CHECK-7.

Whether the checkpoint is confirmed, and its own signature good, has been seen before. It vouches
for the facts alone: what else a store asks of records is looked at here.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from mycelia_protocol.compact import compact, shorten
from mycelia_protocol.errors import RecordError, SignatureError
from mycelia_protocol.logs import STANDING, Intake, Logs
from mycelia_protocol.merkle import proved_root
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types.checkpoint import Checkpoint


def take_proven(
    state: State,
    logs: Logs,
    checkpoint: Record,
    forms: Sequence[Record],
    proof: Sequence[bytes],
) -> Intake:
    """Take in some records of a log, whole or compact, as far as it goes on here.

    Args:
        state: of this node.
        logs: of this node.
        checkpoint: sums up the log before it.
        forms: records that follow each other, one at least.
        proof: the roots beside them.

    Returns:
        What is to be stored; nothing if they don't hang on what is here, or stand for another
        branch of the log.

    Raises:
        SignatureError: they are not what the checkpoint sums up, or break a rule that it says
            nothing about (code `forged`).
    """
    key, commons = (checkpoint.author, checkpoint.log), checkpoint.commons
    records = [replace(each, commons=commons) if each.is_compact else each for each in forms]
    if not is_proven(checkpoint, records, proof):
        reason = "nothing authenticates what stands for records of a log"
        raise SignatureError(reason, code="forged", requirement="CHECK-7")
    if any(_is_elsewhere(state, each) for each in records):
        reason = "a record of a log that stands at another place"
        raise SignatureError(reason, code="forged", requirement="CHECK-7")
    if any(each.is_compact and each.kind in STANDING for each in records):
        reason = "a record in compact form that has to be shown with its signature"
        raise SignatureError(reason, code="forged", requirement="CHECK-7")
    if is_other_branch(logs, records):
        return Intake()
    last = records[-1]
    if last.seq + 1 == checkpoint.seq and last.id == checkpoint.prev:
        records.append(checkpoint)
    before = logs.accepted(key).next_seq
    ending = _ending_well(logs, records, before)
    intake = logs.take_proven(key, ending) if ending else Intake()
    if any(each.is_compact for each in intake.accepted):
        logs.note_compact(key, 1 + max(each.seq for each in intake.accepted if each.is_compact))
    return intake


def is_proven(checkpoint: Record, records: Sequence[Record], proof: Sequence[bytes]) -> bool:
    """Return whether records are what a checkpoint sums up, and hang together.

    Args:
        checkpoint: of their log.
        records: whole or compact, one at least; they follow each other.
        proof: the roots beside them.
    """
    try:
        leaves = [compact(each) for each in records]
        root = proved_root(checkpoint.seq, records[0].seq, leaves, proof)
    except (ValueError, RecordError):
        return False
    return root == root_in(checkpoint) and _hangs_together(records, checkpoint.commons)


def root_in(checkpoint: Record) -> bytes | None:
    """Return what a checkpoint says a log comes to; None if it is malformed."""
    said = read_statement(checkpoint)
    return said.body.root if said is not None and isinstance(said.body, Checkpoint) else None


def is_other_branch(logs: Logs, records: Sequence[Record]) -> bool:
    """Return whether some of these records of one log is not the one that is here at its place."""
    key = (records[0].author, records[0].log)
    return any(logs.contradicts(key, each.seq, each.id) for each in records)


def _is_elsewhere(state: State, record: Record) -> bool:
    """Return whether the state has another record of this id, which only compact ones claim."""
    known = state.statement(record.id) if record.is_compact else None
    place = (record.author, record.log, record.seq)
    return known is not None and (known.author, known.log, known.order[2]) != place


def _hangs_together(records: Sequence[Record], commons: bytes) -> bool:
    """Return whether whole records are of a commons and follow those before them; none is twice.

    No checkpoint says so, however many confirmed it.
    """
    is_once = len({each.id for each in records}) == len(records)
    return (
        is_once
        and all(each.is_compact or each.commons == commons for each in records)
        and all(each.is_compact or each.prev == before.id for before, each in pairwise(records))
    )


def _ending_well(logs: Logs, records: list[Record], next_seq: int) -> list[Record]:
    """Return records that end with one that stands by itself: compact, or with a signature.

    A store that ends with another one would have lost what proves it, should nothing follow.
    What is left out comes again; where all would be, the last one gives up its words, if it is of a
    kind that does without its signature.
    """
    fresh = range(len(records), max(0, next_seq - records[0].seq), -1)
    for end in fresh:
        last = records[end - 1]
        if last.is_compact or logs.verifies(last):
            return records[:end]
    for end in fresh:
        if records[end - 1].kind not in STANDING:
            return [*records[: end - 1], shorten(records[end - 1])]
    return []
